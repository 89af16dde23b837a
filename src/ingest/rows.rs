//! Rows of a table → nouns of the model, by role.

use geo::{Geometry, MultiPolygon};
use rustc_hash::{FxHashMap, FxHashSet};

use super::columns::{Column, ColumnMap};
use super::draft::{Draft, DraftAtom, DraftZone};
use super::error::IngestError;
use super::roles::Role;
use super::table::{Cell, Layer};
use super::values;
use super::words;
use crate::model::{
    AtomShape, Barrier, BarrierKind, BarrierShape, Community, Compound, Finding, FindingKind, Gate,
    GridClass, OtherLoads, Premise, Severity, SourceId, Station, StationStatus, StationTier, Street,
    StreetClass, Text, Use,
};
use crate::units::{Households, SquareMetres};

/// Class of the census of Japan for water areas.
const HCODE_WATER: f64 = 8154.0;

/// Residents and households beyond this are no count of one feature.
const LARGEST_COUNT: f64 = 10_000_000.0;

/// Fills a draft from a layer. Rows without geometry become findings.
pub(super) fn fill(draft: &mut Draft, layer: &Layer, columns: &ColumnMap) -> Result<(), IngestError> {
    let names = source_names(layer, columns);
    let mut rows = Rows {
        layer,
        columns,
        names,
        findings: Vec::new(),
        layer_name: draft.role.as_str(),
        usages: FxHashMap::default(),
    };
    for index in 0..layer.len {
        let Some(geometry) = rows.geometry(index, draft.role) else { continue };
        rows.take(draft, index, geometry);
        draft.features += 1;
    }
    draft.findings.append(&mut rows.findings);
    Ok(())
}

/// Share of identifiers that must differ; below, a column names groups, not features. Our choice.
const DISTINCT_SHARE: f64 = 0.5;

/// Identifiers of rows: the id column; without one, the rank by position, so that reordering rows changes nothing.
fn source_names(layer: &Layer, columns: &ColumnMap) -> Vec<String> {
    for index in [Column::Id, Column::Code].into_iter().filter_map(|column| columns.get(column)) {
        let names: Vec<String> = layer.columns[index].cells.iter().filter_map(Cell::to_text).collect();
        let distinct: FxHashSet<&String> = names.iter().collect();
        if names.len() == layer.len && DISTINCT_SHARE * layer.len as f64 <= distinct.len() as f64 {
            return names;
        }
    }
    let place = |index: usize| -> (f64, f64) {
        let first = layer.geometries[index]
            .as_ref()
            .and_then(|geometry| geo::CoordsIter::coords_iter(geometry).next());
        first.map_or((f64::NAN, f64::NAN), |at| (at.x, at.y))
    };
    let text = |index: usize| -> Vec<Option<String>> {
        layer.columns.iter().map(|column| column.cells[index].to_text()).collect()
    };
    let mut order: Vec<usize> = (0..layer.len).collect();
    order.sort_by(|&a, &b| {
        let (pa, pb) = (place(a), place(b));
        pa.0.total_cmp(&pb.0).then(pa.1.total_cmp(&pb.1)).then_with(|| text(a).cmp(&text(b)))
    });
    let width = layer.len.to_string().len();
    let mut names = vec![String::new(); layer.len];
    for (rank, index) in order.into_iter().enumerate() {
        names[index] = format!("{}/{:0width$}", layer.stem(), rank + 1);
    }
    names
}

struct Rows<'a> {
    layer: &'a Layer,
    columns: &'a ColumnMap,
    names: Vec<String>,
    findings: Vec<Finding>,
    layer_name: &'static str,
    /// Words for uses that were met already.
    usages: FxHashMap<String, Option<Use>>,
}

impl Rows<'_> {
    fn cell(&self, column: Column, row: usize) -> Option<&Cell> {
        self.columns
            .get(column)
            .map(|index| &self.layer.columns[index].cells[row])
            .filter(|cell| !cell.is_empty())
    }

    fn text(&self, column: Column, row: usize) -> Option<String> {
        self.cell(column, row).and_then(Cell::to_text)
    }

    fn number(&self, column: Column, row: usize) -> Option<f64> {
        self.cell(column, row).and_then(Cell::number).filter(|value| value.is_finite())
    }

    fn yes(&self, column: Column, row: usize) -> Option<bool> {
        self.text(column, row).and_then(|text| words::yes(&text))
    }

    fn name(&self, row: usize) -> Option<String> {
        self.text(Column::Name, row).or_else(|| self.text(Column::Address, row))
    }

    fn find(
        &mut self,
        severity: Severity,
        kind: FindingKind,
        row: usize,
        message: impl Into<Text>,
        remedy: (&str, &str),
    ) {
        let finding = Finding::new(severity, kind, self.layer_name, message, remedy).about(&self.names[row]);
        self.findings.push(finding);
    }

    fn other_loads(&mut self, row: usize) -> OtherLoads {
        let mut of = |column| self.count(column, row).unwrap_or(0);
        OtherLoads {
            shops: of(Column::Shops),
            venues: of(Column::Venues),
            organizations: of(Column::Organizations),
            other: of(Column::OtherLoad),
        }
    }

    /// A whole number that counts something; anything else is a finding and counts as missing.
    fn count(&mut self, column: Column, row: usize) -> Option<u32> {
        let cell = self.cell(column, row)?;
        let fits = |value: &f64| value.is_finite() && (0.0..=LARGEST_COUNT).contains(value);
        let value = cell.number().filter(fits);
        if let Some(value) = value.filter(|value| value.fract() == 0.0) {
            return Some(value as u32);
        }
        let shown = cell.to_text().unwrap_or_default();
        let what = column.as_str();
        let line = self.layer.row_name(row);
        let remedy = ("在文件中改正数值后重新导入", "correct the number in the file and import again");
        match value {
            Some(value) => {
                let message = (
                    format!("{}：{what} 为 {shown}，不是整数，按 {value:.0} 计", line.zh),
                    format!("{}: {what} is {shown}, no whole number; taken as {value:.0}", line.en),
                );
                self.find(Severity::Warning, FindingKind::BadCount, row, message, remedy);
                Some(value.round() as u32)
            }
            None => {
                let message = (
                    format!("{}：{what} 为“{shown}”，不是计数，按缺失计", line.zh),
                    format!("{}: {what} is `{shown}`, no count; taken as missing", line.en),
                );
                self.find(Severity::Error, FindingKind::BadCount, row, message, remedy);
                None
            }
        }
    }

    /// The geometry of a row with finite coordinates, else a finding.
    fn geometry(&mut self, row: usize, role: Role) -> Option<Geometry<f64>> {
        match self.layer.geometries.get(row).and_then(Option::as_ref) {
            None if role == Role::Compounds => Some(Geometry::MultiPolygon(MultiPolygon::new(Vec::new()))),
            None => {
                let line = self.layer.row_name(row);
                let message = (
                    format!("{}没有图形，已舍去", line.zh),
                    format!("{} has no geometry and was left out", line.en),
                );
                let remedy = ("补上位置，或删除", "give it a place or delete it");
                self.find(Severity::Error, FindingKind::NoGeometry, row, message, remedy);
                None
            }
            Some(geometry) => {
                let finite =
                    geo::CoordsIter::coords_iter(geometry).all(|at| at.x.is_finite() && at.y.is_finite());
                if !finite {
                    let line = self.layer.row_name(row);
                    let message = (
                        format!("{}：坐标缺失或不是数，该要素已舍去", line.zh),
                        format!(
                            "{}: a coordinate is missing or no number; the feature was left out",
                            line.en
                        ),
                    );
                    let remedy = (
                        "在文件中改正坐标后重新导入",
                        "correct the coordinates in the file and import again",
                    );
                    self.find(Severity::Error, FindingKind::BadCoordinates, row, message, remedy);
                }
                finite.then(|| geometry.clone())
            }
        }
    }

    fn take(&mut self, draft: &mut Draft, row: usize, geometry: Geometry<f64>) {
        match draft.role {
            Role::Buildings | Role::Units => self.atom(draft, row, geometry),
            Role::Communities => self.community(draft, row, geometry),
            Role::Compounds => self.compound(draft, row, geometry),
            Role::Streets => self.street(draft, row, geometry),
            Role::Barriers => self.barrier(draft, row, geometry),
            Role::Gates => {
                let at = values::place(&geometry);
                let open = self.yes(Column::Open, row).unwrap_or(true);
                draft.gates.push(Gate {
                    source: SourceId(self.names[row].clone()),
                    compound: None,
                    at,
                    open,
                });
            }
            Role::Grids => {
                let code = self.text(Column::Code, row).or_else(|| self.text(Column::Grid, row));
                let source = code.or_else(|| self.name(row)).unwrap_or_else(|| self.names[row].clone());
                self.zone(row, geometry, source).into_iter().for_each(|zone| draft.grids.push(zone));
            }
            Role::Zones => {
                let source = self.names[row].clone();
                self.zone(row, geometry, source).into_iter().for_each(|zone| draft.zones.push(zone));
            }
            Role::Stations => self.station(draft, row, &geometry),
            Role::Premises => self.premise(draft, row, &geometry),
            Role::Dem | Role::Osm => {}
        }
    }

    fn atom(&mut self, draft: &mut Draft, row: usize, geometry: Geometry<f64>) {
        let shape = match values::area(&geometry) {
            Some(area) => AtomShape::Area(area),
            None => AtomShape::Point(values::place(&geometry).into()),
        };
        let is_water = self.number(Column::Hcode, row) == Some(HCODE_WATER);
        if let (true, AtomShape::Area(area)) = (is_water, &shape) {
            let source = SourceId(self.names[row].clone());
            let shape = BarrierShape::Area(area.clone());
            draft.barriers.push(Barrier { source, name: self.name(row), kind: BarrierKind::Water, shape });
            let message = (
                "HCODE 8154 是水面：作为阻隔，不作为单元",
                "HCODE 8154 is water: taken as a barrier, not as a unit",
            );
            let remedy = ("除非有人居住，不必处理", "nothing to do unless people live on it");
            self.find(Severity::Info, FindingKind::BadValue, row, message, remedy);
            return;
        }
        let usage = self.usage(row);
        let height = self.number(Column::Height, row);
        let floors = self.number(Column::Floors, row).or(height.map(|height| (height / 3.0).round()));
        draft.atoms.push(DraftAtom {
            name: self.name(row),
            households: self.count(Column::Households, row),
            residents: self.count(Column::Residents, row),
            counts_expected: self.columns.has(Column::Households) || self.columns.has(Column::Residents),
            other_loads: self.other_loads(row),
            floors: floors.filter(|floors| 0.0 < *floors).map(|floors| floors.clamp(1.0, 200.0) as u16),
            floor_area: self.number(Column::FloorArea, row).filter(|area| 0.0 < *area),
            usage,
            exclusive: self.yes(Column::Exclusive, row).unwrap_or(false),
            community: self.text(Column::Community, row),
            compound: self.text(Column::Compound, row),
            current_grid: self.text(Column::Grid, row),
            locked: self.yes(Column::Locked, row).unwrap_or(false),
            ..DraftAtom::new(self.names[row].clone(), shape)
        });
    }

    fn usage(&mut self, row: usize) -> Use {
        let Some(text) = self.text(Column::Usage, row) else {
            let kind = self.text(Column::Kind, row).and_then(|text| values::usage(&text));
            return kind.unwrap_or_default();
        };
        let known = match self.usages.get(&text) {
            Some(known) => *known,
            None => *self.usages.entry(text.clone()).or_insert_with(|| values::usage(&text)),
        };
        known.unwrap_or_else(|| {
            let line = self.layer.row_name(row);
            let message = (
                format!("{}：用途“{text}”无法识别，按住宅计", line.zh),
                format!("{}: use `{text}` is not known; taken as residential", line.en),
            );
            let remedy = (
                "写成 住宅、商住、商业、公共 或 其他",
                "write residential, mixed, commercial, public or other",
            );
            self.find(Severity::Info, FindingKind::BadValue, row, message, remedy);
            Use::default()
        })
    }

    fn community(&mut self, draft: &mut Draft, row: usize, geometry: Geometry<f64>) {
        let Some(outline) = values::area(&geometry) else { return self.wrong_shape(row, ("面", "an area")) };
        let name = self.text(Column::Name, row).or_else(|| self.text(Column::Community, row));
        let own_code = self.text(Column::Code, row).or_else(|| self.text(Column::Id, row));
        let code = own_code.or_else(|| name.clone()).unwrap_or_else(|| self.names[row].clone());
        let class =
            self.text(Column::Class, row).and_then(|text| GridClass::parse(&text)).unwrap_or_default();
        draft.communities.push(Community {
            name: name.unwrap_or_else(|| code.clone()),
            code,
            class,
            outline,
        });
    }

    fn compound(&mut self, draft: &mut Draft, row: usize, geometry: Geometry<f64>) {
        let households = self.count(Column::Households, row).map(Households);
        let residents = self.count(Column::Residents, row);
        let name = self.text(Column::Name, row).or_else(|| self.text(Column::Compound, row));
        let outline = values::area(&geometry);
        let is_place = outline.is_none();
        let outline = outline.unwrap_or_else(|| MultiPolygon::new(Vec::new()));
        draft.compounds.push(Compound {
            source: SourceId(self.names[row].clone()),
            name: name.clone(),
            outline,
            walled: self.yes(Column::Walled, row).unwrap_or(false),
            households,
        });
        if is_place {
            // A compound known by its position only stands as one unit, unless buildings name it.
            draft.compound_places.push(DraftAtom {
                name,
                households: households.map(|count| count.0),
                residents,
                floors: None,
                ..DraftAtom::new(self.names[row].clone(), AtomShape::Point(values::place(&geometry).into()))
            });
        }
    }

    fn street(&mut self, draft: &mut Draft, row: usize, geometry: Geometry<f64>) {
        let lines = values::lines(&geometry);
        let several = 1 < lines.len();
        let class = self.text(Column::Kind, row).map(|text| values::street_class(&text));
        let class = class.unwrap_or(StreetClass::Lane);
        let incline = self
            .number(Column::Incline, row)
            .map(|value| if 1.5 < value.abs() { value / 100.0 } else { value });
        for (part, line) in lines.into_iter().enumerate() {
            let source =
                if several { format!("{}.{}", self.names[row], part + 1) } else { self.names[row].clone() };
            draft.streets.push(Street {
                source: SourceId(source),
                name: self.text(Column::Name, row),
                class,
                line,
                foot: self.yes(Column::Foot, row).unwrap_or(true),
                bridge: self.yes(Column::Bridge, row).unwrap_or(false),
                tunnel: self.yes(Column::Tunnel, row).unwrap_or(false),
                incline,
                crossing: self.yes(Column::Crossing, row).unwrap_or(false),
                no_wheelchair: self.yes(Column::NoWheelchair, row).unwrap_or(class == StreetClass::Steps),
            });
        }
    }

    fn barrier(&mut self, draft: &mut Draft, row: usize, geometry: Geometry<f64>) {
        let area = values::area(&geometry);
        let default = if area.is_some() { BarrierKind::Water } else { BarrierKind::Wall };
        let kind =
            self.text(Column::Kind, row).and_then(|text| values::barrier_kind(&text)).unwrap_or(default);
        let shapes: Vec<BarrierShape> = match area {
            Some(area) => vec![BarrierShape::Area(area)],
            None => values::lines(&geometry).into_iter().map(BarrierShape::Line).collect(),
        };
        let several = 1 < shapes.len();
        for (part, shape) in shapes.into_iter().enumerate() {
            let source =
                if several { format!("{}.{}", self.names[row], part + 1) } else { self.names[row].clone() };
            let name = self.text(Column::Name, row);
            draft.barriers.push(Barrier { source: SourceId(source), name, kind, shape });
        }
    }

    fn zone(&mut self, row: usize, geometry: Geometry<f64>, source: String) -> Option<DraftZone> {
        let shape = match values::area(&geometry) {
            Some(area) => AtomShape::Area(area),
            None => AtomShape::Point(values::place(&geometry).into()),
        };
        Some(DraftZone {
            source,
            shape,
            households: self.number(Column::Households, row).filter(|count| 0.0 <= *count),
            residents: self.number(Column::Residents, row).filter(|count| 0.0 <= *count),
            locked: self.yes(Column::Locked, row).unwrap_or(false),
        })
    }

    fn station(&mut self, draft: &mut Draft, row: usize, geometry: &Geometry<f64>) {
        let tier_text = self.text(Column::Tier, row);
        let tier = tier_text.as_deref().and_then(values::tier);
        if let (Some(text), None) = (&tier_text, tier) {
            let line = self.layer.row_name(row);
            let message = (
                format!("{}：层级“{text}”无法识别，按社区级计", line.zh),
                format!("{}: tier `{text}` is not known; taken as community", line.en),
            );
            let remedy = (
                "写成 市级、片区、社区、小区 或 楼道",
                "write city, regional, community, compound or corner",
            );
            self.find(Severity::Warning, FindingKind::BadValue, row, message, remedy);
        }
        let code = self.text(Column::Code, row).unwrap_or_else(|| self.names[row].clone());
        draft.stations.push(Station {
            name: self.name(row).unwrap_or_else(|| code.clone()),
            code,
            tier: tier.unwrap_or(StationTier::Community),
            status: StationStatus::Existing,
            at: values::place(geometry),
            community: None,
            area: self.number(Column::Area, row).and_then(|area| SquareMetres::new(area).ok()),
            capacity: self.count(Column::Capacity, row).map(Households),
            premise: None,
            reason: Text::default(),
        });
    }

    fn premise(&mut self, draft: &mut Draft, row: usize, geometry: &Geometry<f64>) {
        draft.premises.push(Premise {
            source: SourceId(self.names[row].clone()),
            name: self.name(row),
            at: values::place(geometry),
            community: None,
            area: self.number(Column::Area, row).and_then(|area| SquareMetres::new(area).ok()),
            tenure: self.text(Column::Tenure, row),
            floor: self.number(Column::Storey, row).map(|floor| floor.clamp(-9.0, 200.0) as i16),
            own_entrance: self.yes(Column::OwnEntrance, row),
            cost: self.count(Column::Cost, row),
            capacity: self.count(Column::Capacity, row).map(Households),
        });
    }

    fn wrong_shape(&mut self, row: usize, needed: (&str, &str)) {
        let line = self.layer.row_name(row);
        let message = (
            format!("{}不是{}，已舍去", line.zh, needed.0),
            format!("{} is not {} and was left out", line.en, needed.1),
        );
        let remedy = ("重新绘制", "draw it again");
        self.find(Severity::Warning, FindingKind::NoGeometry, row, message, remedy);
    }
}
