//! Writing: one transaction, layer after layer.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use rusqlite::types::Value;
use rusqlite::{Connection, params};

use super::gpkg::{LayerWriter, Shape, Table, create};
use super::styles::styles;
use super::{PlanFile, schema};
use crate::geometry::Plane;
use crate::model::{
    AtomShape, BarrierShape, CommunityId, Coverage, CoverageMethod, CoverageScope, Finding, FrontierPoint,
    Lang, Plan, Scenario, Text, UnitKind,
};

/// Bounded cache and no journal: the file is new and nobody else sees it yet.
const PRAGMAS: &str = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536;";

type Result<T> = rusqlite::Result<T>;

pub(super) fn everything(connection: &mut Connection, content: &PlanFile) -> Result<()> {
    connection.execute_batch(PRAGMAS)?;
    let transaction = connection.transaction()?;
    let writer = Writer {
        connection: &transaction,
        scenario: &content.scenario,
        plan: content.plan.as_ref(),
        lang: content.lang,
    };
    create(&transaction, &content.scenario.plane)?;
    writer.ground()?;
    writer.stations()?;
    writer.answer()?;
    writer.tables(content)?;
    layer_styles(&transaction)?;
    transaction.commit()
}

pub(super) struct Writer<'a> {
    connection: &'a Connection,
    pub(super) scenario: &'a Scenario,
    plan: Option<&'a Plan>,
    lang: Lang,
}

impl Writer<'_> {
    fn plane(&self) -> &Plane {
        &self.scenario.plane
    }

    fn layer<'g, I>(&self, table: &'static Table, rows: I) -> Result<()>
    where
        I: IntoIterator<Item = (Option<Shape<'g>>, Vec<Value>)>,
    {
        let mut layer = LayerWriter::new(self.connection, table, self.plane())?;
        for (geometry, values) in rows {
            layer.row(geometry, values)?;
        }
        layer.finish()
    }

    pub(super) fn table<I: IntoIterator<Item = Vec<Value>>>(
        &self,
        table: &'static Table,
        rows: I,
    ) -> Result<()> {
        self.layer(table, rows.into_iter().map(|values| (None, values)))
    }

    /// A text in the language of the file.
    fn asked(&self, words: &Text) -> Value {
        text(words.get(self.lang))
    }

    fn community_code(&self, id: Option<CommunityId>) -> Value {
        id.map_or(Value::Null, |id| Value::Text(self.scenario.communities[id.index()].code.clone()))
    }

    fn ground(&self) -> Result<()> {
        self.communities()?;
        self.buildings()?;
        let scenario = self.scenario;
        self.layer(
            &schema::COMPOUNDS,
            scenario.compounds.iter().map(|compound| {
                let values = vec![
                    text(&compound.source.0),
                    maybe_text(compound.name.as_deref()),
                    compound.walled.into(),
                    maybe(compound.households.map(|n| n.0)),
                ];
                (Some(Shape::Area(&compound.outline)), values)
            }),
        )?;
        self.layer(
            &schema::STREETS,
            scenario.streets.iter().map(|street| {
                let values = vec![
                    text(&street.source.0),
                    maybe_text(street.name.as_deref()),
                    text(street.class.as_str()),
                    street.foot.into(),
                    street.bridge.into(),
                    street.tunnel.into(),
                    maybe(street.incline),
                    street.crossing.into(),
                    street.no_wheelchair.into(),
                ];
                (Some(Shape::Line(&street.line)), values)
            }),
        )?;
        self.barriers()?;
        self.layer(
            &schema::GATES,
            scenario.gates.iter().map(|gate| {
                let compound = gate.compound.map(|id| scenario.compounds[id.index()].source.0.as_str());
                (
                    Some(Shape::Point(gate.at)),
                    vec![text(&gate.source.0), maybe_text(compound), gate.open.into()],
                )
            }),
        )
    }

    fn communities(&self) -> Result<()> {
        let mut totals = vec![(0u64, 0u64); self.scenario.communities.len()];
        for atom in &self.scenario.atoms {
            if let Some(id) = atom.community {
                totals[id.index()].0 += u64::from(atom.households.0);
                totals[id.index()].1 += u64::from(atom.residents.0);
            }
        }
        let mut n_grids = vec![0u32; self.scenario.communities.len()];
        let grids = self.plan.iter().flat_map(|plan| &plan.partition.grids);
        grids.for_each(|grid| n_grids[grid.community.index()] += 1);
        let rows = self.scenario.communities.iter().enumerate().map(|(index, community)| {
            let id = CommunityId::from_index(index);
            let quality = self
                .plan
                .and_then(|plan| plan.partition.quality.iter().find(|quality| quality.community == id));
            let mut values = vec![
                text(&community.code),
                text(&community.name),
                text(community.class.as_str()),
                big(totals[index].0),
                big(totals[index].1),
                n_grids[index].into(),
            ];
            values.extend(self.shares(CoverageScope::Community(id)));
            values.extend([
                maybe(quality.map(|quality| quality.n_out_of_range)),
                maybe(quality.map(|quality| quality.n_out_of_range_bound)),
                maybe(quality.map(|quality| quality.cut_cost)),
                maybe(quality.and_then(|quality| quality.cut_cost_bound)),
            ]);
            (Some(Shape::Area(&community.outline)), values)
        });
        self.layer(&schema::COMMUNITIES, rows)
    }

    /// Share of households reached by network time in 5, 10 and 15 minutes.
    fn shares(&self, scope: CoverageScope) -> [Value; 3] {
        [5, 10, 15].map(|minutes| {
            let row = self
                .plan
                .and_then(|plan| plan.coverage.row(scope, None, CoverageMethod::NetworkTime, minutes));
            maybe(row.map(crate::model::CoverageRow::share))
        })
    }

    fn buildings(&self) -> Result<()> {
        let scenario = self.scenario;
        let rows = scenario.atoms.iter().enumerate().map(|(index, atom)| {
            let geometry = match &atom.shape {
                AtomShape::Point(point) => Shape::Point(point.0),
                AtomShape::Area(area) => Shape::Area(area),
            };
            let compound = atom.compound.map(|id| scenario.compounds[id.index()].source.0.as_str());
            let mut values = vec![
                text(&atom.source.0),
                maybe_text(atom.name.as_deref()),
                atom.households.0.into(),
                atom.residents.0.into(),
                text(atom.households_source.as_str()),
                atom.other_loads.other.into(),
                atom.other_loads.shops.into(),
                atom.other_loads.venues.into(),
                atom.other_loads.organizations.into(),
                self.community_code(atom.community),
                maybe_text(compound),
                atom.floors.into(),
                text(atom.usage.as_str()),
                atom.exclusive.into(),
                maybe(atom.door.map(|door| door.x)),
                maybe(atom.door.map(|door| door.y)),
                maybe_text(atom.current_grid.as_deref()),
                atom.locked.into(),
            ];
            values.extend(self.atom_answer(index));
            (Some(geometry), values)
        });
        self.layer(&schema::BUILDINGS, rows)
    }

    fn atom_answer(&self, index: usize) -> Vec<Value> {
        let grid = self.plan.and_then(|plan| {
            let id = plan.partition.grid_of.get(index).copied().flatten()?;
            Some(plan.partition.grids[id.index()].code.as_str())
        });
        let mut values = vec![maybe_text(grid)];
        let Some((plan, atom)) = self.plan.and_then(|plan| Some((plan, plan.coverage.atoms.get(index)?)))
        else {
            values.resize(9, Value::Null);
            return values;
        };
        let (station, walk, why) = match atom.nearest {
            Ok((id, walk)) => (text(&plan.stations[id.index()].code), Value::Real(walk.value()), Value::Null),
            Err(why) => (Value::Null, Value::Null, text(why.as_str())),
        };
        let joined = |items: Vec<String>| Value::Text(items.join(","));
        values.extend([
            station,
            walk,
            why,
            maybe(atom.distance.map(|metres| metres.value())),
            maybe(atom.straight.map(|metres| metres.value())),
            joined(atom.depth.iter().map(ToString::to_string).collect()),
            joined(
                atom.tier_walk
                    .iter()
                    .map(|walk| walk.map_or(String::new(), |walk| walk.value().to_string()))
                    .collect(),
            ),
            atom.near_edge.into(),
        ]);
        values
    }

    fn barriers(&self) -> Result<()> {
        let values = |barrier: &crate::model::Barrier| {
            vec![text(&barrier.source.0), maybe_text(barrier.name.as_deref()), text(barrier.kind.as_str())]
        };
        let lines = self.scenario.barriers.iter().filter_map(|barrier| match &barrier.shape {
            BarrierShape::Line(line) => Some((Some(Shape::Line(line)), values(barrier))),
            BarrierShape::Area(_) => None,
        });
        self.layer(&schema::BARRIERS, lines)?;
        let areas = self.scenario.barriers.iter().filter_map(|barrier| match &barrier.shape {
            BarrierShape::Line(_) => None,
            BarrierShape::Area(area) => Some((Some(Shape::Area(area)), values(barrier))),
        });
        self.layer(&schema::BARRIER_AREAS, areas)
    }

    fn stations(&self) -> Result<()> {
        let scenario = self.scenario;
        self.layer(
            &schema::PREMISES,
            scenario.premises.iter().map(|premise| {
                let values = vec![
                    text(&premise.source.0),
                    maybe_text(premise.name.as_deref()),
                    self.community_code(premise.community),
                    maybe(premise.area.map(|area| area.value())),
                    maybe_text(premise.tenure.as_deref()),
                    maybe(premise.floor),
                    maybe(premise.own_entrance),
                    maybe(premise.cost),
                    maybe(premise.capacity.map(|capacity| capacity.0)),
                ];
                (Some(Shape::Point(premise.at)), values)
            }),
        )?;
        // A plan that is not there yet, or has no stations of its own, loses none of those that stand.
        let planned = self.plan.map(|plan| &plan.stations).filter(|stations| !stations.is_empty());
        let stations = planned.unwrap_or(&scenario.stations);
        self.layer(
            &schema::STATIONS,
            stations.iter().map(|station| {
                let premise = station.premise.map(|id| scenario.premises[id.index()].source.0.as_str());
                let values = vec![
                    text(&station.code),
                    text(&station.name),
                    text(station.tier.as_str()),
                    text(station.status.as_str()),
                    self.community_code(station.community),
                    maybe(station.area.map(|area| area.value())),
                    maybe(station.capacity.map(|capacity| capacity.0)),
                    maybe_text(premise),
                    self.asked(&station.reason),
                    text(&station.reason.zh),
                    text(&station.reason.en),
                ];
                (Some(Shape::Point(station.at)), values)
            }),
        )
    }

    fn answer(&self) -> Result<()> {
        let empty = Plan::default();
        let plan = self.plan.unwrap_or(&empty);
        self.layer(
            &schema::GRIDS,
            plan.partition.grids.iter().enumerate().map(|(index, grid)| {
                let size = |pick: fn(crate::model::GridSize) -> crate::units::Households| {
                    maybe(grid.size.map(|size| pick(size).0))
                };
                let mut values = vec![
                    text(&grid.code),
                    text(&grid.name),
                    self.community_code(Some(grid.community)),
                    text(grid.class.as_str()),
                    size(|size| size.target),
                    size(|size| size.low),
                    size(|size| size.high),
                    grid.households.0.into(),
                    grid.load.into(),
                    grid.residents.0.into(),
                    grid.n_atoms.into(),
                    grid.deviation().into(),
                    grid.is_in_range().into(),
                    grid.locked.into(),
                    grid.reason.as_ref().map_or(Value::Null, |reason| self.asked(reason)),
                    self.asked(&grid.bounds_text),
                    text(&grid.lineage.join(",")),
                    text(&grid.note),
                ];
                values.extend(self.shares(CoverageScope::Grid(crate::model::GridId::from_index(index))));
                let reason = |lang| maybe_text(grid.reason.as_ref().map(|reason| reason.get(lang)));
                let bounds = |lang| text(grid.bounds_text.get(lang));
                values.extend([reason(Lang::Zh), reason(Lang::En), bounds(Lang::Zh), bounds(Lang::En)]);
                (Some(Shape::Area(&grid.outline)), values)
            }),
        )?;
        self.uncovered(plan)?;
        for (table, circles) in
            [(&schema::SERVICE_CIRCLES, &plan.circles), (&schema::SERVICE_AREAS, &plan.service_areas)]
        {
            let rows = circles.iter().map(|circle| {
                let station = circle.station.map(|id| plan.stations[id.index()].code.as_str());
                (Some(Shape::Area(&circle.area)), vec![maybe_text(station), circle.minutes.into()])
            });
            self.layer(table, rows)?;
        }
        let data = self.scenario.findings.iter().map(|finding| (finding, "data"));
        let answer = plan.findings.iter().map(|finding| (finding, "plan"));
        self.layer(
            &schema::FINDINGS,
            data.chain(answer).map(|(finding, stage)| self.finding(finding, stage, plan)),
        )?;
        self.analysis(plan)?;
        self.coverage(&plan.coverage, plan)
    }

    /// Buildings with households that no station reaches within the widest circle.
    fn uncovered(&self, plan: &Plan) -> Result<()> {
        let uncovered = plan.coverage.uncovered(self.scenario);
        self.layer(
            &schema::UNCOVERED,
            uncovered.into_iter().map(|id| {
                let atom = &self.scenario.atoms[id.index()];
                let reach = &plan.coverage.atoms[id.index()];
                let grid = plan.partition.grid_of.get(id.index()).copied().flatten();
                let grid = grid.map(|grid| plan.partition.grids[grid.index()].code.as_str());
                let values = vec![
                    text(&atom.source.0),
                    atom.households.0.into(),
                    atom.residents.0.into(),
                    self.community_code(atom.community),
                    maybe_text(grid),
                    maybe(reach.nearest.ok().map(|(_, walk)| walk.value())),
                    maybe(reach.distance.map(|metres| metres.value())),
                    maybe(reach.straight.map(|metres| metres.value())),
                    maybe_text(reach.nearest.err().map(crate::model::Unreached::as_str)),
                ];
                (Some(Shape::Point(atom.shape.anchor())), values)
            }),
        )
    }

    fn finding(&self, finding: &Finding, stage: &str, plan: &Plan) -> (Option<Shape<'static>>, Vec<Value>) {
        let grid =
            finding.grid.and_then(|id| plan.partition.grids.get(id.index())).map(|grid| grid.code.as_str());
        let building = finding
            .atom
            .and_then(|id| self.scenario.atoms.get(id.index()))
            .map(|atom| atom.source.0.as_str());
        let values = vec![
            text(finding.severity.as_str()),
            text(finding.kind.as_str()),
            text(&finding.layer),
            text(&finding.feature),
            self.community_code(finding.community),
            maybe_text(grid),
            self.asked(&finding.message),
            self.asked(&finding.remedy),
            text(&finding.message.zh),
            text(&finding.message.en),
            text(&finding.remedy.zh),
            text(&finding.remedy.en),
            finding.proven.into(),
            maybe_text(building),
            text(stage),
        ];
        (finding.at.map(Shape::Point), values)
    }

    fn coverage(&self, coverage: &Coverage, plan: &Plan) -> Result<()> {
        self.table(
            &schema::COVERAGE,
            coverage.rows.iter().map(|row| {
                let (scope, code) = match row.scope {
                    CoverageScope::All => ("all", Value::Null),
                    CoverageScope::StreetOffice(code) => ("street_office", Value::Text(code.to_string())),
                    CoverageScope::Community(id) => ("community", self.community_code(Some(id))),
                    CoverageScope::Grid(id) => ("grid", text(&plan.partition.grids[id.index()].code)),
                };
                vec![
                    text(scope),
                    code,
                    maybe_text(row.tier.map(crate::model::StationTier::as_str)),
                    text(row.method.as_str()),
                    row.minutes.into(),
                    row.households.0.into(),
                    row.households_reached.0.into(),
                    row.residents.0.into(),
                    row.residents_reached.0.into(),
                    row.households_overlap.0.into(),
                    row.share().into(),
                ]
            }),
        )?;
        self.table(
            &schema::BANDS,
            coverage.bands.iter().map(|band| vec![band.minutes.into(), band.metres.value().into()]),
        )?;
        self.table(
            &schema::TIERS,
            plan.tiers.iter().map(|tier| {
                vec![
                    text(tier.tier.as_str()),
                    self.asked(&tier.goal),
                    tier.objective.into(),
                    maybe(tier.bound),
                    maybe(tier.gap),
                    tier.proven.into(),
                    Value::Text(points(&tier.frontier)),
                    Value::Text(points(&tier.money)),
                    text(&tier.goal.zh),
                    text(&tier.goal.en),
                ]
            }),
        )
    }

    fn tables(&self, content: &PlanFile) -> Result<()> {
        self.table(
            &schema::RULES,
            content.rules.iter().map(|rule| {
                vec![
                    text(&rule.key),
                    text(&rule.value),
                    text(&rule.unit),
                    text(&rule.source),
                    text(&rule.clause),
                    text(&rule.status),
                ]
            }),
        )?;
        let empty = Plan::default();
        let plan = self.plan.unwrap_or(&empty);
        self.table(&schema::RETIRED_CODES, plan.partition.retired_codes.iter().map(|code| vec![text(code)]))?;
        self.table(
            &schema::LEDGER,
            plan.ledger.iter().map(|entry| {
                vec![
                    text(&entry.who),
                    text(&entry.when),
                    text(&entry.what),
                    text(&entry.why),
                    text(&entry.basis),
                    maybe_text(entry.edit.as_deref()),
                    maybe_text(entry.inverse.as_deref()),
                ]
            }),
        )?;
        self.table(
            &schema::SOURCES,
            self.scenario.sources.iter().map(|source| {
                vec![
                    text(&source.name),
                    self.asked(&source.role),
                    text(&source.sha256),
                    self.asked(&source.encoding),
                    self.asked(&source.crs),
                    big(source.features),
                    text(&source.role.zh),
                    text(&source.role.en),
                    text(&source.encoding.zh),
                    text(&source.encoding.en),
                    text(&source.crs.zh),
                    text(&source.crs.en),
                ]
            }),
        )?;
        self.table(
            &schema::PROVENANCE,
            self.provenance().into_iter().map(|(key, value)| vec![text(key), Value::Text(value)]),
        )?;
        self.terrain()
    }

    fn provenance(&self) -> Vec<(&'static str, String)> {
        let scenario = self.scenario;
        let mut pairs = vec![
            ("place", scenario.name.clone()),
            ("lang", self.lang.pick("zh", "en").to_owned()),
            ("plane", format!("EPSG:{} {}", scenario.plane.epsg(), scenario.plane.name())),
            (
                "unit_kind",
                if scenario.unit_kind == UnitKind::Areas { "areas" } else { "buildings" }.to_owned(),
            ),
        ];
        if let Some(plan) = self.plan {
            let provenance = &plan.provenance;
            pairs.extend([
                ("version", provenance.version.clone()),
                ("seed", provenance.seed.to_string()),
                ("params", provenance.params.clone()),
                ("input_hash", provenance.input_hash.clone()),
                ("plan_hash", provenance.plan_hash.clone()),
                ("profile", plan.coverage.profile.clone()),
                ("with_terrain", plan.coverage.with_terrain.to_string()),
                ("walk_direction", plan.coverage.direction.as_str().to_owned()),
            ]);
        }
        pairs
    }

    fn terrain(&self) -> Result<()> {
        self.table(
            &schema::TERRAIN,
            self.scenario.terrain.iter().map(|terrain| {
                let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
                for height in terrain.heights() {
                    gzip.write_all(&height.to_le_bytes()).expect("writing into memory does not fail");
                }
                let heights = gzip.finish().expect("writing into memory does not fail");
                vec![
                    terrain.origin().x.into(),
                    terrain.origin().y.into(),
                    terrain.cell().into(),
                    (terrain.columns() as i64).into(),
                    Value::Blob(heights),
                ]
            }),
        )
    }
}

/// The table from which QGIS takes colours and labels by itself.
fn layer_styles(connection: &Connection) -> Result<()> {
    connection.execute_batch(
        "CREATE TABLE layer_styles (
            id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256), f_table_schema TEXT(256),
            f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
            useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30),
            update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')));
        INSERT INTO gpkg_contents (table_name, data_type, identifier, description, srs_id)
            VALUES ('layer_styles', 'attributes', 'layer_styles', '', 0);",
    )?;
    let mut insert = connection.prepare(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName,
         styleQML, styleSLD, useAsDefault, description, owner, ui) VALUES ('', '', ?1, 'geom', ?2, ?3, '', 1, '', '', NULL)",
    )?;
    for style in styles() {
        insert.execute(params![style.table, style.name, style.qml])?;
    }
    Ok(())
}

pub(super) fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn maybe_text(value: Option<&str>) -> Value {
    value.map_or(Value::Null, text)
}

pub(super) fn maybe<T: Into<Value>>(value: Option<T>) -> Value {
    value.map_or(Value::Null, Into::into)
}

fn big(value: u64) -> Value {
    Value::Integer(i64::try_from(value).unwrap_or(i64::MAX))
}

/// Points of a frontier: `stations:households:bound:cost`, separated by commas.
fn points(frontier: &[FrontierPoint]) -> String {
    let words: Vec<String> = frontier
        .iter()
        .map(|point| format!("{}:{}:{}:{}", point.stations, point.households, point.bound, point.cost))
        .collect();
    words.join(",")
}
