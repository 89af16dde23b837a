//! The plan as plain tables: one layer per kind of thing, the same names in every format.

use std::fmt;

use geo::{Geometry, MultiPolygon, Point};

use crate::model::{
    AtomId, AtomShape, BarrierShape, CommunityId, CompoundId, CoverageMethod, CoverageScope, Finding, Lang,
    Plan, Scenario, ServiceCircle, StationId, StationStatus,
};

/// A value of a table.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Text(String),
    Int(i64),
    Real(f64),
    Bool(bool),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Text(text) => f.write_str(text),
            Self::Int(number) => number.fmt(f),
            Self::Real(number) => number.fmt(f),
            Self::Bool(yes) => yes.fmt(f),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl From<u32> for Value {
    fn from(count: u32) -> Self {
        Self::Int(i64::from(count))
    }
}
impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}
impl From<bool> for Value {
    fn from(yes: bool) -> Self {
        Self::Bool(yes)
    }
}
impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Int,
    Real,
    Bool,
}

/// A column: the name of the plan file, a name of at most 10 bytes, and a Chinese name of at most 5 characters
/// (10 bytes in GBK), which is what a shapefile holds.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) short: String,
    pub(super) zh: String,
    pub(super) kind: Kind,
}

/// A thing on the map and its values, in the order of the layer's fields. Geometry on the metric plane.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) geometry: Option<Geometry<f64>>,
    pub(super) values: Vec<Value>,
}

/// A table with geometry.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub(super) name: &'static str,
    pub(super) zh: &'static str,
    pub(super) fields: Vec<Field>,
    pub(super) rows: Vec<Row>,
}

impl Layer {
    /// Position of a column.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// Adds a column with a value per row.
    #[cfg(feature = "web")]
    pub(super) fn add(&mut self, name: &str, kind: Kind, values: impl IntoIterator<Item = Value>) {
        self.fields.push(Field { name: name.into(), short: String::new(), zh: String::new(), kind });
        for (row, value) in self.rows.iter_mut().zip(values) {
            row.values.push(value);
        }
    }
}

/// Every layer of the plan, in drawing order from the ground up, its sentences in one language. Empty ones are left out.
pub(super) fn layers(scenario: &Scenario, plan: &Plan, lang: Lang) -> Vec<Layer> {
    let all = [
        communities(scenario, plan),
        compounds(scenario),
        barriers(scenario),
        streets(scenario),
        service_circles(plan),
        service_areas(plan),
        grids(scenario, plan, lang),
        buildings(scenario, plan),
        uncovered(scenario, plan),
        gates(scenario),
        premises(scenario, plan),
        stations(scenario, plan, lang),
        findings(scenario, plan, lang),
    ];
    all.into_iter().filter(|layer| !layer.rows.is_empty()).collect()
}

use Kind::{Bool, Int, Real, Text};

fn field(name: &str, short: &str, zh: &str, kind: Kind) -> Field {
    Field { name: name.into(), short: short.into(), zh: zh.into(), kind }
}

/// Rows of fields from `name, short, zh, kind` quadruples.
fn fields(columns: &[(&str, &str, &str, Kind)]) -> Vec<Field> {
    columns.iter().map(|&(name, short, zh, kind)| field(name, short, zh, kind)).collect()
}

fn area(outline: &MultiPolygon<f64>) -> Option<Geometry<f64>> {
    match outline.0.as_slice() {
        [] => None,
        [one] => Some(Geometry::Polygon(one.clone())),
        _ => Some(Geometry::MultiPolygon(outline.clone())),
    }
}

fn shape(atom: &AtomShape) -> Option<Geometry<f64>> {
    match atom {
        AtomShape::Point(point) => Some(Geometry::Point(*point)),
        AtomShape::Area(outline) => area(outline),
    }
}

fn community_code(scenario: &Scenario, id: Option<CommunityId>) -> Value {
    id.map(|id| scenario.communities[id.index()].code.as_str()).into()
}

fn community_name(scenario: &Scenario, id: Option<CommunityId>) -> Value {
    id.map(|id| scenario.communities[id.index()].name.as_str()).into()
}

fn compound_id(scenario: &Scenario, id: Option<CompoundId>) -> Value {
    id.map(|id| scenario.compounds[id.index()].source.0.as_str()).into()
}

fn compound_name(scenario: &Scenario, id: Option<CompoundId>) -> Value {
    id.and_then(|id| scenario.compounds[id.index()].name.as_deref()).into()
}

fn grid_code(plan: &Plan, atom: usize) -> Value {
    let grid = plan.partition.grid_of.get(atom).copied().flatten();
    grid.map(|id| plan.partition.grids[id.index()].code.as_str()).into()
}

/// Columns `share_5`, `share_10`, …: share of households reached by network time.
fn share_fields(plan: &Plan) -> impl Iterator<Item = Field> + '_ {
    plan.coverage.bands.iter().map(|band| {
        let name = format!("share_{}", band.minutes);
        field(&name, &name, &format!("{}分覆盖", band.minutes), Real)
    })
}

fn shares(plan: &Plan, scope: CoverageScope) -> impl Iterator<Item = Value> + '_ {
    plan.coverage.bands.iter().map(move |band| {
        let row = plan.coverage.row(scope, None, CoverageMethod::NetworkTime, band.minutes);
        row.map(super::layers::rounded_share).into()
    })
}

/// A share with four digits: a hundredth of a percent.
pub(super) fn rounded_share(row: &crate::model::CoverageRow) -> f64 {
    (row.share() * 1e4).round() / 1e4
}

pub(super) fn communities(scenario: &Scenario, plan: &Plan) -> Layer {
    let mut columns = fields(&[
        ("code", "code", "编码", Text),
        ("name", "name", "名称", Text),
        ("class", "class", "类型", Text),
        ("street_office", "office", "街道编码", Text),
        ("households", "households", "户数", Int),
        ("residents", "residents", "人口", Int),
        ("buildings", "buildings", "楼栋数", Int),
        ("grids", "grids", "网格数", Int),
        ("grids_in_range", "n_in_range", "达标网格", Int),
        ("stations", "stations", "驿站数", Int),
    ]);
    columns.extend(share_fields(plan));
    let mut counts = vec![(0_u32, 0_u32, 0_u32); scenario.communities.len()];
    for atom in &scenario.atoms {
        if let Some(id) = atom.community {
            let count = &mut counts[id.index()];
            *count = (count.0 + atom.households.0, count.1 + atom.residents.0, count.2 + 1);
        }
    }
    let rows = scenario.communities.iter().enumerate().map(|(index, community)| {
        let id = CommunityId::from_index(index);
        let own = || plan.partition.grids.iter().filter(|grid| grid.community == id);
        let n_stations = stations_of(scenario, plan)
            .iter()
            .filter(|station| station.community == Some(id) && station.status != StationStatus::Closed)
            .count();
        let (households, residents, n_buildings) = counts[index];
        let mut values: Vec<Value> = vec![
            community.code.as_str().into(),
            community.name.as_str().into(),
            community.class.as_str().into(),
            community.street_office().into(),
            households.into(),
            residents.into(),
            n_buildings.into(),
            Value::Int(own().count() as i64),
            Value::Int(own().filter(|grid| grid.is_in_range()).count() as i64),
            Value::Int(n_stations as i64),
        ];
        values.extend(shares(plan, CoverageScope::Community(id)));
        Row { geometry: area(&community.outline), values }
    });
    Layer { name: "communities", zh: "社区", fields: columns, rows: rows.collect() }
}

pub(super) fn compounds(scenario: &Scenario) -> Layer {
    let columns = fields(&[
        ("id", "id", "编号", Text),
        ("name", "name", "名称", Text),
        ("walled", "walled", "封闭", Bool),
        ("households", "households", "户数", Int),
        ("buildings", "buildings", "楼栋数", Int),
    ]);
    let mut counts = vec![(0_u32, 0_u32); scenario.compounds.len()];
    for atom in &scenario.atoms {
        if let Some(id) = atom.compound {
            counts[id.index()].0 += atom.households.0;
            counts[id.index()].1 += 1;
        }
    }
    let rows = scenario.compounds.iter().zip(counts).map(|(compound, (households, n_buildings))| Row {
        geometry: area(&compound.outline),
        values: vec![
            compound.source.0.as_str().into(),
            compound.name.as_deref().into(),
            compound.walled.into(),
            households.into(),
            n_buildings.into(),
        ],
    });
    Layer { name: "compounds", zh: "小区", fields: columns, rows: rows.collect() }
}

pub(super) fn barriers(scenario: &Scenario) -> Layer {
    let columns =
        fields(&[("id", "id", "编号", Text), ("name", "name", "名称", Text), ("kind", "kind", "类别", Text)]);
    let rows = scenario.barriers.iter().map(|barrier| Row {
        geometry: match &barrier.shape {
            BarrierShape::Line(line) => Some(Geometry::LineString(line.clone())),
            BarrierShape::Area(outline) => area(outline),
        },
        values: vec![
            barrier.source.0.as_str().into(),
            barrier.name.as_deref().into(),
            barrier.kind.as_str().into(),
        ],
    });
    Layer { name: "barriers", zh: "阻隔", fields: columns, rows: rows.collect() }
}

pub(super) fn streets(scenario: &Scenario) -> Layer {
    let columns = fields(&[
        ("id", "id", "编号", Text),
        ("name", "name", "名称", Text),
        ("class", "class", "等级", Text),
        ("foot", "foot", "可步行", Bool),
        ("bridge", "bridge", "桥梁", Bool),
        ("tunnel", "tunnel", "隧道", Bool),
        ("incline", "incline", "坡度", Real),
        ("crossing", "crossing", "过街", Bool),
    ]);
    let rows = scenario.streets.iter().map(|street| Row {
        geometry: Some(Geometry::LineString(street.line.clone())),
        values: vec![
            street.source.0.as_str().into(),
            street.name.as_deref().into(),
            street.class.as_str().into(),
            street.foot.into(),
            street.bridge.into(),
            street.tunnel.into(),
            street.incline.into(),
            street.crossing.into(),
        ],
    });
    Layer { name: "streets", zh: "道路", fields: columns, rows: rows.collect() }
}

pub(super) fn service_circles(plan: &Plan) -> Layer {
    circles(plan, &plan.circles, "service_circles", "步行圈")
}

/// The circles split by the nearest station.
fn service_areas(plan: &Plan) -> Layer {
    circles(plan, &plan.service_areas, "service_areas", "就近服务区")
}

fn circles(plan: &Plan, circles: &[ServiceCircle], name: &'static str, zh: &'static str) -> Layer {
    let columns = fields(&[
        ("station", "station", "驿站编码", Text),
        ("minutes", "minutes", "分钟", Int),
        ("method", "method", "口径", Text),
    ]);
    let rows = circles.iter().map(|circle| Row {
        geometry: area(&circle.area),
        values: vec![
            circle.station.map(|id| plan.stations[id.index()].code.as_str()).into(),
            circle.minutes.into(),
            CoverageMethod::NetworkTime.as_str().into(),
        ],
    });
    let rows = rows.filter(|row| row.geometry.is_some()).collect();
    Layer { name, zh, fields: columns, rows }
}

pub(super) fn grids(scenario: &Scenario, plan: &Plan, lang: Lang) -> Layer {
    let mut columns = fields(&[
        ("code", "code", "网格编码", Text),
        ("name", "name", "网格名称", Text),
        ("community", "community", "社区编码", Text),
        ("community_name", "commu_name", "社区名称", Text),
        ("class", "class", "类型", Text),
        ("households", "households", "户数", Int),
        ("load", "load", "工作量", Int),
        ("residents", "residents", "人口", Int),
        ("buildings", "buildings", "楼栋数", Int),
        ("target", "target", "目标户数", Int),
        ("low", "low", "下限", Int),
        ("high", "high", "上限", Int),
        ("deviation", "deviation", "偏差", Real),
        ("in_range", "in_range", "达标", Bool),
        ("locked", "locked", "锁定", Bool),
        ("reason", "reason", "原因", Text),
        ("bounds", "bounds", "四至", Text),
        ("lineage", "lineage", "沿革", Text),
        ("note", "note", "备注", Text),
    ]);
    columns.extend(share_fields(plan));
    let rows = plan.partition.grids.iter().enumerate().map(|(index, grid)| {
        let mut values: Vec<Value> = vec![
            grid.code.as_str().into(),
            grid.name.as_str().into(),
            community_code(scenario, Some(grid.community)),
            community_name(scenario, Some(grid.community)),
            grid.class.as_str().into(),
            grid.households.0.into(),
            grid.load.into(),
            grid.residents.0.into(),
            grid.n_atoms.into(),
            grid.size.map(|size| size.target.0).into(),
            grid.size.map(|size| size.low.0).into(),
            grid.size.map(|size| size.high.0).into(),
            ((grid.deviation() * 1e4).round() / 1e4).into(),
            grid.is_in_range().into(),
            grid.locked.into(),
            grid.reason.as_ref().map(|reason| reason.get(lang)).into(),
            Some(grid.bounds_text.get(lang)).filter(|text| !text.is_empty()).into(),
            (!grid.lineage.is_empty()).then(|| grid.lineage.join("、")).into(),
            Some(grid.note.as_str()).filter(|text| !text.is_empty()).into(),
        ];
        values.extend(shares(plan, CoverageScope::Grid(crate::model::GridId::from_index(index))));
        Row { geometry: area(&grid.outline), values }
    });
    Layer { name: "grids", zh: "网格", fields: columns, rows: rows.collect() }
}

/// What is known about a building's walk to the stations.
pub(super) fn reach_fields() -> Vec<Field> {
    fields(&[
        ("nearest_station", "near_stat", "最近驿站", Text),
        ("station_name", "stat_name", "驿站名称", Text),
        ("walk_minutes", "walk_min", "步行分钟", Real),
        ("distance_m", "distance_m", "步行距离", Real),
        ("straight_m", "straight_m", "直线距离", Real),
        ("unreached", "unreached", "走不到因", Text),
        ("band_network_time", "band_time", "时间圈", Int),
        ("band_network_distance", "band_dist", "距离圈", Int),
        ("band_straight_radius", "band_strt", "半径圈", Int),
    ])
}

/// The narrowest circle that the building lies in, in minutes; 0 lies in none; `None` was not measured.
pub(super) fn band_of(plan: &Plan, atom: AtomId, method: CoverageMethod) -> Option<u32> {
    let reach = plan.coverage.atoms.get(atom.index())?;
    let within = |band: &&crate::model::WalkBand| match method {
        CoverageMethod::NetworkTime => reach.nearest.is_ok_and(|(_, walk)| band.reaches_in_time(walk)),
        CoverageMethod::NetworkDistance => {
            reach.distance.is_some_and(|metres| band.reaches_in_distance(metres))
        }
        CoverageMethod::StraightRadius => {
            reach.straight.is_some_and(|metres| band.reaches_in_distance(metres))
        }
    };
    Some(plan.coverage.bands.iter().find(within).map_or(0, |band| band.minutes))
}

fn reach_values(plan: &Plan, atom: AtomId) -> Vec<Value> {
    let Some(reach) = plan.coverage.atoms.get(atom.index()) else {
        return vec![Value::Null; reach_fields().len()];
    };
    let station = |id: StationId| &plan.stations[id.index()];
    let tenth = |number: f64| (number * 10.0).round() / 10.0;
    let nearest = reach.nearest.ok();
    vec![
        nearest.map(|(id, _)| station(id).code.as_str()).into(),
        nearest.map(|(id, _)| station(id).name.as_str()).into(),
        nearest.map(|(_, walk)| (walk.minutes() * 100.0).round() / 100.0).into(),
        reach.distance.map(|metres| tenth(metres.value())).into(),
        reach.straight.map(|metres| tenth(metres.value())).into(),
        reach.nearest.err().map(crate::model::Unreached::as_str).into(),
        band_of(plan, atom, CoverageMethod::NetworkTime).into(),
        band_of(plan, atom, CoverageMethod::NetworkDistance).into(),
        band_of(plan, atom, CoverageMethod::StraightRadius).into(),
    ]
}

pub(super) fn buildings(scenario: &Scenario, plan: &Plan) -> Layer {
    let mut columns = fields(&[
        ("id", "id", "编号", Text),
        ("name", "name", "名称", Text),
        ("households", "households", "户数", Int),
        ("residents", "residents", "人口", Int),
        ("households_source", "hh_source", "户数来源", Text),
        ("shops", "shops", "商铺", Int),
        ("venues", "venues", "九小场所", Int),
        ("organizations", "orgs", "社会组织", Int),
        ("other_load", "other_load", "其他负荷", Int),
        ("community", "community", "社区编码", Text),
        ("compound", "compound", "小区编号", Text),
        ("compound_name", "comp_name", "小区名称", Text),
        ("floors", "floors", "层数", Int),
        ("use", "use", "用途", Text),
        ("exclusive", "exclusive", "专属", Bool),
        ("current_grid", "current_gr", "现网格", Text),
        ("locked", "locked", "锁定", Bool),
        ("grid", "grid", "网格编码", Text),
    ]);
    columns.extend(reach_fields());
    let rows = scenario.atoms.iter().enumerate().map(|(index, atom)| {
        let mut values: Vec<Value> = vec![
            atom.source.0.as_str().into(),
            atom.name.as_deref().into(),
            atom.households.0.into(),
            atom.residents.0.into(),
            atom.households_source.as_str().into(),
            atom.other_loads.shops.into(),
            atom.other_loads.venues.into(),
            atom.other_loads.organizations.into(),
            atom.other_loads.other.into(),
            community_code(scenario, atom.community),
            compound_id(scenario, atom.compound),
            compound_name(scenario, atom.compound),
            u32::from(atom.floors).into(),
            atom.usage.as_str().into(),
            atom.exclusive.into(),
            atom.current_grid.as_deref().into(),
            atom.locked.into(),
            grid_code(plan, index),
        ];
        values.extend(reach_values(plan, AtomId::from_index(index)));
        Row { geometry: shape(&atom.shape), values }
    });
    Layer { name: "buildings", zh: "楼栋", fields: columns, rows: rows.collect() }
}

/// Buildings with households that no circle reaches by any of the methods asked for, as points.
pub(super) fn left_out(scenario: &Scenario, plan: &Plan, methods: &[CoverageMethod]) -> Layer {
    let mut columns = fields(&[
        ("building", "building", "编号", Text),
        ("name", "name", "名称", Text),
        ("households", "households", "户数", Int),
        ("residents", "residents", "人口", Int),
        ("community", "community", "社区编码", Text),
        ("grid", "grid", "网格编码", Text),
    ]);
    columns.extend(reach_fields());
    let is_out = |atom: AtomId| methods.iter().any(|&method| band_of(plan, atom, method) == Some(0));
    let mut rows = Vec::new();
    for (index, atom) in scenario.atoms.iter().enumerate() {
        let id = AtomId::from_index(index);
        if atom.households.0 == 0 || atom.community.is_none() || !is_out(id) {
            continue;
        }
        let mut values: Vec<Value> = vec![
            atom.source.0.as_str().into(),
            atom.name.as_deref().into(),
            atom.households.0.into(),
            atom.residents.0.into(),
            community_code(scenario, atom.community),
            grid_code(plan, index),
        ];
        values.extend(reach_values(plan, id));
        rows.push(Row { geometry: Some(Geometry::Point(Point(atom.shape.anchor()))), values });
    }
    Layer { name: "uncovered", zh: "未覆盖", fields: columns, rows }
}

fn uncovered(scenario: &Scenario, plan: &Plan) -> Layer {
    left_out(scenario, plan, &[CoverageMethod::NetworkTime])
}

pub(super) fn gates(scenario: &Scenario) -> Layer {
    let columns = fields(&[
        ("id", "id", "编号", Text),
        ("compound", "compound", "小区编号", Text),
        ("compound_name", "comp_name", "小区名称", Text),
        ("open", "open", "可通行", Bool),
    ]);
    let rows = scenario.gates.iter().map(|gate| Row {
        geometry: Some(Geometry::Point(Point(gate.at))),
        values: vec![
            gate.source.0.as_str().into(),
            compound_id(scenario, gate.compound),
            compound_name(scenario, gate.compound),
            gate.open.into(),
        ],
    });
    Layer { name: "gates", zh: "出入口", fields: columns, rows: rows.collect() }
}

pub(super) fn premises(scenario: &Scenario, plan: &Plan) -> Layer {
    let columns = fields(&[
        ("id", "id", "编号", Text),
        ("name", "name", "名称", Text),
        ("community", "community", "社区编码", Text),
        ("area_m2", "area_m2", "面积", Real),
        ("tenure", "tenure", "产权", Text),
        ("floor", "floor", "楼层", Int),
        ("own_entrance", "entrance", "独立出入", Bool),
        ("cost_yuan", "cost_yuan", "年费用", Int),
        ("capacity", "capacity", "容量", Int),
        ("station", "station", "选为驿站", Text),
    ]);
    let mut chosen = vec![None; scenario.premises.len()];
    for station in &plan.stations {
        if let Some(slot) = station.premise.and_then(|id| chosen.get_mut(id.index())) {
            *slot = Some(station.code.as_str());
        }
    }
    let rows = scenario.premises.iter().zip(chosen).map(|(premise, station)| Row {
        geometry: Some(Geometry::Point(Point(premise.at))),
        values: vec![
            premise.source.0.as_str().into(),
            premise.name.as_deref().into(),
            community_code(scenario, premise.community),
            premise.area.map(crate::units::SquareMetres::value).into(),
            premise.tenure.as_deref().into(),
            premise.floor.map_or(Value::Null, |floor| Value::Int(i64::from(floor))),
            premise.own_entrance.into(),
            premise.cost.into(),
            premise.capacity.map(|households| households.0).into(),
            station.into(),
        ],
    });
    Layer { name: "premises", zh: "备选用房", fields: columns, rows: rows.collect() }
}

/// The plan's stations; before siting, those that stand already.
pub(super) fn stations_of<'a>(scenario: &'a Scenario, plan: &'a Plan) -> &'a [crate::model::Station] {
    if plan.stations.is_empty() { &scenario.stations } else { &plan.stations }
}

pub(super) fn stations(scenario: &Scenario, plan: &Plan, lang: Lang) -> Layer {
    let columns = fields(&[
        ("code", "code", "驿站编码", Text),
        ("name", "name", "名称", Text),
        ("tier", "tier", "级别", Text),
        ("tier_name", "tier_name", "级别名称", Text),
        ("status", "status", "状态", Text),
        ("community", "community", "社区编码", Text),
        ("community_name", "commu_name", "社区名称", Text),
        ("area_m2", "area_m2", "面积", Real),
        ("capacity", "capacity", "容量", Int),
        ("households_nearest", "hh_nearest", "就近户数", Int),
        ("reason", "reason", "理由", Text),
    ]);
    let stations = stations_of(scenario, plan);
    let mut nearest = vec![0_u32; stations.len()];
    for (atom, reach) in scenario.atoms.iter().zip(&plan.coverage.atoms) {
        if let Ok((id, _)) = reach.nearest {
            nearest[id.index()] += atom.households.0;
        }
    }
    let measured = !plan.coverage.atoms.is_empty();
    let rows = stations.iter().zip(nearest).map(|(station, households)| Row {
        geometry: Some(Geometry::Point(Point(station.at))),
        values: vec![
            station.code.as_str().into(),
            station.name.as_str().into(),
            station.tier.as_str().into(),
            station.tier.chinese().into(),
            station.status.as_str().into(),
            community_code(scenario, station.community),
            community_name(scenario, station.community),
            station.area.map(crate::units::SquareMetres::value).into(),
            station.capacity.map(|households| households.0).into(),
            measured.then_some(households).into(),
            Some(station.reason.get(lang)).filter(|text| !text.is_empty()).into(),
        ],
    });
    Layer { name: "stations", zh: "驿站", fields: columns, rows: rows.collect() }
}

/// Where a finding is: its own place, or a point inside what it is about.
fn place_of(scenario: &Scenario, plan: &Plan, finding: &Finding) -> Option<Geometry<f64>> {
    let inside = |outline: &MultiPolygon<f64>| {
        (!outline.0.is_empty()).then(|| crate::geometry::interior_point(outline))
    };
    let of_atom =
        || finding.atom.and_then(|id| scenario.atoms.get(id.index())).map(|atom| atom.shape.anchor());
    let of_grid = || {
        finding
            .grid
            .and_then(|id| plan.partition.grids.get(id.index()))
            .and_then(|grid| inside(&grid.outline))
    };
    let of_community = || {
        finding
            .community
            .and_then(|id| scenario.communities.get(id.index()))
            .and_then(|one| inside(&one.outline))
    };
    let at = finding.at.or_else(of_atom).or_else(of_grid).or_else(of_community)?;
    Some(Geometry::Point(Point(at)))
}

pub(super) fn findings(scenario: &Scenario, plan: &Plan, lang: Lang) -> Layer {
    let columns = fields(&[
        ("severity", "severity", "程度", Text),
        ("kind", "kind", "类别", Text),
        ("layer", "layer", "图层", Text),
        ("feature", "feature", "对象", Text),
        ("community", "community", "社区编码", Text),
        ("grid", "grid", "网格编码", Text),
        ("message", "message", "说明", Text),
        ("remedy", "remedy", "处理", Text),
        ("proven", "proven", "已证明", Bool),
    ]);
    let rows = scenario.findings.iter().chain(&plan.findings).map(|finding| Row {
        geometry: place_of(scenario, plan, finding),
        values: vec![
            finding.severity.as_str().into(),
            finding.kind.as_str().into(),
            finding.layer.as_str().into(),
            finding.feature.as_str().into(),
            community_code(scenario, finding.community),
            finding
                .grid
                .and_then(|id| plan.partition.grids.get(id.index()))
                .map(|grid| grid.code.as_str())
                .into(),
            finding.message.get(lang).into(),
            finding.remedy.get(lang).into(),
            finding.proven.into(),
        ],
    });
    Layer { name: "findings", zh: "问题", fields: columns, rows: rows.collect() }
}
