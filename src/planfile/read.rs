//! Reading: every column by its name, every foreign key by its code, every mistake with its layer and row.

use std::collections::HashMap;
use std::io::Read as _;
use std::path::Path;

use flate2::read::GzDecoder;
use geo::{Coord, Geometry, LineString, MultiPolygon};
use rusqlite::types::{FromSql, Value};
use rusqlite::{Connection, OptionalExtension, Row};

use super::gpkg::{self, Table};
use super::{PlanFile, PlanFileError, Rule, schema};
use crate::geometry::Plane;
use crate::model::{
    Atom, AtomCoverage, AtomId, AtomShape, Barrier, BarrierKind, BarrierShape, Community, CommunityId,
    CommunityQuality, Compound, CompoundId, Coverage, CoverageMethod, CoverageRow, CoverageScope, Finding,
    FindingKind, FrontierPoint, Gate, Grid, GridClass, GridId, GridSize, HouseholdsSource, Lang, LedgerEntry,
    OfficeCode, OtherLoads, Plan, Premise, PremiseId, Provenance, Scenario, ServiceCircle, Severity,
    SourceFile, SourceId, Station, StationId, StationStatus, StationTier, Street, StreetClass, Terrain, Text,
    TierAnswer, UnitKind, Unreached, Use, WalkBand, WalkDirection,
};
use crate::units::{Households, Metres, Residents, Seconds, SquareMetres};

type Result<T> = std::result::Result<T, PlanFileError>;

pub(super) struct Reader<'c> {
    connection: &'c Connection,
    path: &'c Path,
    keys: HashMap<String, String>,
}

/// A row with its place, so that a mistake can be named.
pub(super) struct Record<'r> {
    row: &'r Row<'r>,
    path: &'r Path,
    layer: &'static str,
}

impl Record<'_> {
    pub(super) fn bad(&self, why: String) -> PlanFileError {
        let row = self.row.get("fid").unwrap_or(0);
        PlanFileError::BadRow { path: self.path.to_owned(), layer: self.layer.to_owned(), row, why }
    }

    pub(super) fn maybe<T: FromSql>(&self, column: &str) -> Result<Option<T>> {
        self.row.get(column).map_err(|error| self.bad(format!("column `{column}`: {error}")))
    }

    /// A column that files of earlier versions lack.
    fn newer<T: FromSql>(&self, column: &str) -> Result<Option<T>> {
        match self.row.as_ref().column_index(column) {
            Ok(_) => self.maybe(column),
            Err(_) => Ok(None),
        }
    }

    pub(super) fn get<T: FromSql>(&self, column: &str) -> Result<T> {
        self.maybe(column)?.ok_or_else(|| self.bad(format!("column `{column}` is empty")))
    }

    pub(super) fn text(&self, column: &str) -> Result<String> {
        Ok(self.maybe(column)?.unwrap_or_default())
    }

    /// A text in both languages: `COLUMN_zh` and `COLUMN_en`, or what stands in `COLUMN` where one was left blank.
    fn both(&self, column: &str) -> Result<Text> {
        let one = |tag: &str| match self.maybe::<String>(&format!("{column}_{tag}"))? {
            Some(text) => Ok(text),
            None => self.text(column),
        };
        Ok(Text { zh: one("zh")?, en: one("en")? })
    }

    fn flag(&self, column: &str) -> Result<bool> {
        Ok(self.maybe::<bool>(column)?.unwrap_or(false))
    }

    pub(super) fn count(&self, column: &str) -> Result<u32> {
        Ok(self.maybe::<u32>(column)?.unwrap_or(0))
    }

    /// A word of a closed list.
    fn word<T>(&self, column: &str, parse: fn(&str) -> Option<T>) -> Result<T> {
        let word = self.text(column)?;
        parse(&word).ok_or_else(|| {
            self.bad(format!("column `{column}` holds `{word}`, which is no word of its list"))
        })
    }

    /// A measure that is finite and not negative.
    pub(super) fn quantity<T>(
        &self,
        column: &str,
        make: fn(f64) -> std::result::Result<T, crate::units::BadQuantity>,
    ) -> Result<Option<T>> {
        let number: Option<f64> = self.maybe(column)?;
        number
            .map(|number| make(number).map_err(|error| self.bad(format!("column `{column}`: {error}"))))
            .transpose()
    }

    fn geometry(&self) -> Result<Option<Geometry<f64>>> {
        let Some(bytes) = self.maybe::<Vec<u8>>("geom")? else { return Ok(None) };
        match gpkg::geometry(&bytes) {
            Some(geometry) => Ok(Some(geometry)),
            None => Err(self.bad("the geometry is damaged".to_owned())),
        }
    }

    fn area(&self) -> Result<MultiPolygon<f64>> {
        match self.geometry()? {
            None => Ok(MultiPolygon::new(Vec::new())),
            Some(Geometry::Polygon(polygon)) => Ok(polygon.into()),
            Some(Geometry::MultiPolygon(area)) => Ok(area),
            Some(_) => Err(self.bad("the geometry is no polygon".to_owned())),
        }
    }

    fn line(&self) -> Result<LineString<f64>> {
        match self.geometry()? {
            Some(Geometry::LineString(line)) => Ok(line),
            Some(Geometry::MultiLineString(mut lines)) if lines.0.len() == 1 => Ok(lines.0.remove(0)),
            _ => Err(self.bad("the geometry is no single line".to_owned())),
        }
    }

    fn point(&self) -> Result<Coord<f64>> {
        match self.geometry()? {
            Some(Geometry::Point(point)) => Ok(point.0),
            _ => Err(self.bad("the geometry is no point".to_owned())),
        }
    }

    /// A row of another layer named by its key; an unknown key is a mistake, an empty one is `None`.
    pub(super) fn link<T: Copy>(&self, column: &str, table: &HashMap<String, T>) -> Result<Option<T>> {
        let Some(key) = self.maybe::<String>(column)?.filter(|key| !key.is_empty()) else { return Ok(None) };
        match table.get(&key) {
            Some(id) => Ok(Some(*id)),
            None => Err(self.bad(format!("column `{column}` names `{key}`, which is not in its layer"))),
        }
    }
}

impl<'c> Reader<'c> {
    pub(super) fn new(connection: &'c Connection, path: &'c Path) -> Result<Self> {
        let not_a_plan = |why: String| PlanFileError::NotAPlanFile { path: path.to_owned(), why };
        let mut statement = connection
            .prepare("SELECT key, value FROM provenance")
            .map_err(|_| not_a_plan("it has no table `provenance`".to_owned()))?;
        let pairs = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .and_then(Iterator::collect::<rusqlite::Result<HashMap<String, String>>>)
            .map_err(|error| not_a_plan(error.to_string()))?;
        Ok(Self { connection, path, keys: pairs })
    }

    pub(super) fn plan_file(&self) -> Result<PlanFile> {
        let scenario = self.scenario()?;
        let plan = if self.keys.contains_key("plan_hash") { Some(self.plan(&scenario)?) } else { None };
        let lang = match self.keys.get("lang").map(String::as_str) {
            Some("en") => Lang::En,
            _ => Lang::Zh,
        };
        Ok(PlanFile { scenario, plan, rules: self.rules()?, lang })
    }

    pub(super) fn rows<T>(
        &self,
        table: &'static Table,
        each: impl Fn(&Record<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.rows_where(table, "", each)
    }

    fn rows_where<T>(
        &self,
        table: &'static Table,
        condition: &str,
        each: impl Fn(&Record<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let as_sqlite = |source| PlanFileError::Sqlite { path: self.path.to_owned(), source };
        let sql = format!("SELECT * FROM \"{}\" {condition} ORDER BY fid", table.name);
        let mut statement = self.connection.prepare(&sql).map_err(as_sqlite)?;
        let mut rows = statement.query([]).map_err(as_sqlite)?;
        let mut all = Vec::new();
        while let Some(row) = rows.next().map_err(as_sqlite)? {
            all.push(each(&Record { row, path: self.path, layer: table.name })?);
        }
        Ok(all)
    }

    fn plane(&self) -> Result<Plane> {
        let not_a_plan = |why: String| PlanFileError::NotAPlanFile { path: self.path.to_owned(), why };
        let text =
            self.keys.get("plane").ok_or_else(|| not_a_plan("its provenance names no plane".to_owned()))?;
        let digits: String =
            text.trim_start_matches("EPSG:").chars().take_while(char::is_ascii_digit).collect();
        let epsg = digits.parse().map_err(|_| not_a_plan(format!("plane `{text}`")))?;
        Plane::from_epsg(epsg).map_err(|error| not_a_plan(error.to_string()))
    }

    fn scenario(&self) -> Result<Scenario> {
        let mut scenario = Scenario::new(self.keys.get("place").cloned().unwrap_or_default(), self.plane()?);
        if self.keys.get("unit_kind").is_some_and(|kind| kind == "areas") {
            scenario.unit_kind = UnitKind::Areas;
        }
        scenario.communities = self.rows(&schema::COMMUNITIES, |record| {
            Ok(Community {
                code: record.get("code")?,
                name: record.text("name")?,
                class: record.word("class", GridClass::parse)?,
                outline: record.area()?,
            })
        })?;
        scenario.compounds = self.rows(&schema::COMPOUNDS, |record| {
            Ok(Compound {
                source: SourceId(record.get("id")?),
                name: record.maybe("name")?,
                outline: record.area()?,
                walled: record.flag("walled")?,
                households: record.maybe("households")?.map(Households),
            })
        })?;
        let communities =
            keyed(scenario.communities.iter().map(|community| &community.code), CommunityId::from_index);
        let compounds =
            keyed(scenario.compounds.iter().map(|compound| &compound.source.0), CompoundId::from_index);
        scenario.atoms =
            self.rows(&schema::BUILDINGS, |record| read_atom(record, &communities, &compounds))?;
        scenario.streets = self.rows(&schema::STREETS, read_street)?;
        scenario.barriers = self.barriers()?;
        scenario.gates = self.rows(&schema::GATES, |record| {
            Ok(Gate {
                source: SourceId(record.get("id")?),
                compound: record.link("compound", &compounds)?,
                at: record.point()?,
                open: record.flag("open")?,
            })
        })?;
        scenario.premises = self.rows(&schema::PREMISES, |record| read_premise(record, &communities))?;
        let premises =
            keyed(scenario.premises.iter().map(|premise| &premise.source.0), PremiseId::from_index);
        let standing = "WHERE status <> 'chosen'";
        scenario.stations = self.rows_where(&schema::STATIONS, standing, |record| {
            read_station(record, &communities, &premises)
        })?;
        scenario.terrain = self.terrain()?;
        scenario.findings = self.findings("data", &scenario, &communities, &HashMap::new())?;
        scenario.sources = self.rows(&schema::SOURCES, |record| {
            Ok(SourceFile {
                name: record.text("name")?,
                role: record.both("role")?,
                sha256: record.text("sha256")?,
                encoding: record.both("encoding")?,
                crs: record.both("crs")?,
                features: record.maybe::<i64>("features")?.and_then(|n| u64::try_from(n).ok()).unwrap_or(0),
            })
        })?;
        Ok(scenario)
    }

    fn barriers(&self) -> Result<Vec<Barrier>> {
        let barrier = |record: &Record<'_>, shape| {
            Ok(Barrier {
                source: SourceId(record.get("id")?),
                name: record.maybe("name")?,
                kind: record.word("kind", BarrierKind::parse)?,
                shape,
            })
        };
        let mut barriers =
            self.rows(&schema::BARRIERS, |record| barrier(record, BarrierShape::Line(record.line()?)))?;
        barriers.extend(
            self.rows(&schema::BARRIER_AREAS, |record| barrier(record, BarrierShape::Area(record.area()?)))?,
        );
        barriers.sort_by(|a, b| a.source.cmp(&b.source));
        Ok(barriers)
    }

    fn terrain(&self) -> Result<Option<Terrain>> {
        let rasters = self.rows(&schema::TERRAIN, |record| {
            let mut bytes = Vec::new();
            GzDecoder::new(record.get::<Vec<u8>>("heights")?.as_slice())
                .read_to_end(&mut bytes)
                .map_err(|error| record.bad(format!("heights: {error}")))?;
            let heights =
                bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]));
            let origin = Coord { x: record.get("origin_x")?, y: record.get("origin_y")? };
            let columns: u32 = record.get("columns")?;
            Terrain::new(origin, record.get("cell")?, columns as usize, heights.collect())
                .ok_or_else(|| record.bad("the raster's sizes do not fit".to_owned()))
        })?;
        Ok(rasters.into_iter().next())
    }

    fn findings(
        &self,
        stage: &str,
        scenario: &Scenario,
        communities: &HashMap<String, CommunityId>,
        grids: &HashMap<String, GridId>,
    ) -> Result<Vec<Finding>> {
        let atoms = keyed(scenario.atoms.iter().map(|atom| &atom.source.0), AtomId::from_index);
        let condition = format!("WHERE stage = '{stage}'");
        self.rows_where(&schema::FINDINGS, &condition, |record| {
            let at = match record.geometry()? {
                Some(Geometry::Point(point)) => Some(point.0),
                _ => None,
            };
            Ok(Finding {
                severity: record.word("severity", Severity::parse)?,
                kind: record.word("kind", FindingKind::parse)?,
                layer: record.text("layer")?,
                feature: record.text("feature")?,
                at,
                community: record.link("community", communities)?,
                grid: record.link("grid", grids)?,
                atom: record.link("building", &atoms)?,
                message: record.both("message")?,
                remedy: record.both("remedy")?,
                proven: record.flag("proven")?,
            })
        })
    }

    fn plan(&self, scenario: &Scenario) -> Result<Plan> {
        let communities =
            keyed(scenario.communities.iter().map(|community| &community.code), CommunityId::from_index);
        let premises =
            keyed(scenario.premises.iter().map(|premise| &premise.source.0), PremiseId::from_index);
        let mut plan = Plan {
            stations: self.rows(&schema::STATIONS, |record| read_station(record, &communities, &premises))?,
            ..Plan::default()
        };
        let stations = keyed(plan.stations.iter().map(|station| &station.code), StationId::from_index);
        plan.partition.grids = self.rows(&schema::GRIDS, |record| read_grid(record, &communities))?;
        let grids = keyed(plan.partition.grids.iter().map(|grid| &grid.code), GridId::from_index);
        plan.partition.grid_of = self.rows(&schema::BUILDINGS, |record| record.link("grid", &grids))?;
        plan.partition.quality = self.quality(&communities)?;
        plan.partition.retired_codes = self.rows(&schema::RETIRED_CODES, |record| record.get("code"))?;
        plan.tiers = self.rows(&schema::TIERS, read_tier)?;
        plan.coverage = self.coverage(&communities, &grids, &stations)?;
        self.analysis(scenario, &stations, &mut plan.coverage)?;
        let circle = |record: &Record<'_>| {
            let station = record.link("station", &stations)?;
            Ok(ServiceCircle { station, minutes: record.get("minutes")?, area: record.area()? })
        };
        plan.circles = self.rows(&schema::SERVICE_CIRCLES, circle)?;
        if self.has(&schema::SERVICE_AREAS)? {
            plan.service_areas = self.rows(&schema::SERVICE_AREAS, circle)?;
        }
        plan.findings = self.findings("plan", scenario, &communities, &grids)?;
        plan.ledger = self.rows(&schema::LEDGER, |record| {
            Ok(LedgerEntry {
                who: record.text("who")?,
                when: record.text("when")?,
                what: record.text("what")?,
                why: record.text("why")?,
                basis: record.text("basis")?,
                edit: record.newer("edit")?,
                inverse: record.newer("inverse")?,
            })
        })?;
        let key = |name: &str| self.keys.get(name).cloned().unwrap_or_default();
        plan.provenance = Provenance {
            version: key("version"),
            seed: key("seed").parse().unwrap_or_default(),
            params: key("params"),
            input_hash: key("input_hash"),
            plan_hash: key("plan_hash"),
        };
        Ok(plan)
    }

    fn quality(&self, communities: &HashMap<String, CommunityId>) -> Result<Vec<CommunityQuality>> {
        let rows = self.rows(&schema::COMMUNITIES, |record| {
            let (Some(community), Some(n_out_of_range)) =
                (record.link("code", communities)?, record.maybe("out_of_range")?)
            else {
                return Ok(None);
            };
            Ok(Some(CommunityQuality {
                community,
                n_out_of_range,
                n_out_of_range_bound: record.count("out_of_range_bound")?,
                cut_cost: record.maybe("cut_cost")?.unwrap_or(0.0),
                cut_cost_bound: record.maybe("cut_cost_bound")?,
            }))
        })?;
        Ok(rows.into_iter().flatten().collect())
    }

    fn coverage(
        &self,
        communities: &HashMap<String, CommunityId>,
        grids: &HashMap<String, GridId>,
        stations: &HashMap<String, StationId>,
    ) -> Result<Coverage> {
        let bands = self.rows(&schema::BANDS, |record| {
            let metres = record.quantity("metres", Metres::new)?.unwrap_or_default();
            Ok(WalkBand { minutes: record.get("minutes")?, metres })
        })?;
        let atoms = self.rows(&schema::BUILDINGS, |record| read_reach(record, stations))?;
        let mut rows = self.rows(&schema::COVERAGE, |record| {
            let scope = match record.text("scope")?.as_str() {
                "all" => Some(CoverageScope::All),
                "street_office" => OfficeCode::parse(&record.text("code")?).map(CoverageScope::StreetOffice),
                "community" => record.link("code", communities)?.map(CoverageScope::Community),
                "grid" => record.link("code", grids)?.map(CoverageScope::Grid),
                _ => None,
            };
            let tier: Option<String> = record.maybe("tier")?;
            Ok(CoverageRow {
                scope: scope.ok_or_else(|| {
                    record.bad("column `scope` is none of all, street_office, community, grid".to_owned())
                })?,
                tier: tier.map(|_| record.word("tier", StationTier::parse)).transpose()?,
                method: record.word("method", CoverageMethod::parse)?,
                minutes: record.get("minutes")?,
                households: Households(record.count("households")?),
                households_reached: Households(record.count("households_reached")?),
                residents: Residents(record.count("residents")?),
                residents_reached: Residents(record.count("residents_reached")?),
                households_overlap: Households(record.count("households_overlap")?),
            })
        })?;
        rows.sort_by_key(|row| (row.scope, row.tier, row.method, row.minutes));
        let measured = atoms.iter().any(Option::is_some);
        Ok(Coverage {
            bands,
            with_terrain: self.keys.get("with_terrain").is_some_and(|word| word == "true"),
            profile: self.keys.get("profile").cloned().unwrap_or_default(),
            atoms: if measured {
                atoms.into_iter().map(|atom| atom.unwrap_or_else(unmeasured)).collect()
            } else {
                Vec::new()
            },
            rows,
            direction: self
                .keys
                .get("walk_direction")
                .and_then(|word| WalkDirection::parse(word))
                .unwrap_or_default(),
            profiles: Vec::new(),
            balance: None,
        })
    }

    /// Whether the file holds a table; older files lack some.
    pub(super) fn has(&self, table: &'static Table) -> Result<bool> {
        let found: Option<i64> = self
            .connection
            .query_row("SELECT 1 FROM sqlite_master WHERE name = ?1", [table.name], |row| row.get(0))
            .optional()
            .map_err(|source| PlanFileError::Sqlite { path: self.path.to_owned(), source })?;
        Ok(found.is_some())
    }

    fn rules(&self) -> Result<Vec<Rule>> {
        if !self.has(&schema::RULES)? {
            return Ok(Vec::new());
        }
        self.rows(&schema::RULES, |record| {
            Ok(Rule {
                key: record.text("key")?,
                value: record.text("value")?,
                unit: record.text("unit")?,
                source: record.text("source")?,
                clause: record.text("clause")?,
                status: record.text("status")?,
            })
        })
    }
}

fn keyed<'a, T>(keys: impl Iterator<Item = &'a String>, id: fn(usize) -> T) -> HashMap<String, T> {
    keys.enumerate().map(|(index, key)| (key.clone(), id(index))).collect()
}

fn read_atom(
    record: &Record<'_>,
    communities: &HashMap<String, CommunityId>,
    compounds: &HashMap<String, CompoundId>,
) -> Result<Atom> {
    let shape = match record.geometry()? {
        Some(Geometry::Point(point)) => AtomShape::Point(point),
        Some(Geometry::Polygon(polygon)) => AtomShape::Area(polygon.into()),
        Some(Geometry::MultiPolygon(area)) => AtomShape::Area(area),
        _ => return Err(record.bad("the geometry is neither a point nor a polygon".to_owned())),
    };
    let door = match (record.maybe("door_x")?, record.maybe("door_y")?) {
        (Some(x), Some(y)) => Some(Coord { x, y }),
        _ => None,
    };
    Ok(Atom {
        source: SourceId(record.get("id")?),
        name: record.maybe("name")?,
        shape,
        households: Households(record.count("households")?),
        residents: Residents(record.count("residents")?),
        households_source: record.word("households_source", HouseholdsSource::parse)?,
        other_loads: OtherLoads {
            shops: record.newer("shops")?.unwrap_or(0),
            venues: record.newer("venues")?.unwrap_or(0),
            organizations: record.newer("organizations")?.unwrap_or(0),
            other: record.count("other_load")?,
        },
        community: record.link("community", communities)?,
        compound: record.link("compound", compounds)?,
        floors: record.maybe("floors")?.unwrap_or(1),
        usage: record.word("use", Use::parse)?,
        exclusive: record.flag("exclusive")?,
        door,
        current_grid: record.maybe("current_grid")?,
        locked: record.flag("locked")?,
    })
}

fn read_street(record: &Record<'_>) -> Result<Street> {
    Ok(Street {
        source: SourceId(record.get("id")?),
        name: record.maybe("name")?,
        class: record.word("class", StreetClass::parse)?,
        line: record.line()?,
        foot: record.flag("foot")?,
        bridge: record.flag("bridge")?,
        tunnel: record.flag("tunnel")?,
        incline: record.maybe("incline")?,
        crossing: record.flag("crossing")?,
        no_wheelchair: record.flag("no_wheelchair")?,
    })
}

fn read_premise(record: &Record<'_>, communities: &HashMap<String, CommunityId>) -> Result<Premise> {
    Ok(Premise {
        source: SourceId(record.get("id")?),
        name: record.maybe("name")?,
        at: record.point()?,
        community: record.link("community", communities)?,
        area: record.quantity("area_m2", SquareMetres::new)?,
        tenure: record.maybe("tenure")?,
        floor: record.maybe("floor")?,
        own_entrance: record.maybe("own_entrance")?,
        cost: record.maybe("cost_yuan")?,
        capacity: record.maybe("capacity")?.map(Households),
    })
}

fn read_station(
    record: &Record<'_>,
    communities: &HashMap<String, CommunityId>,
    premises: &HashMap<String, PremiseId>,
) -> Result<Station> {
    Ok(Station {
        code: record.get("code")?,
        name: record.text("name")?,
        tier: record.word("tier", StationTier::parse)?,
        status: record.word("status", StationStatus::parse)?,
        at: record.point()?,
        community: record.link("community", communities)?,
        area: record.quantity("area_m2", SquareMetres::new)?,
        capacity: record.maybe("capacity")?.map(Households),
        premise: record.link("premise", premises)?,
        reason: record.both("reason")?,
    })
}

fn read_grid(record: &Record<'_>, communities: &HashMap<String, CommunityId>) -> Result<Grid> {
    let size = match (record.maybe("target")?, record.maybe("low")?, record.maybe("high")?) {
        (Some(target), Some(low), Some(high)) => {
            Some(GridSize { target: Households(target), low: Households(low), high: Households(high) })
        }
        _ => None,
    };
    let lineage = record.text("lineage")?;
    Ok(Grid {
        code: record.get("code")?,
        name: record.text("name")?,
        community: record
            .link("community", communities)?
            .ok_or_else(|| record.bad("column `community` is empty".to_owned()))?,
        class: record.word("class", GridClass::parse)?,
        size,
        households: Households(record.count("households")?),
        load: record.newer("load")?.map_or_else(|| record.count("households"), Ok)?,
        residents: Residents(record.count("residents")?),
        n_atoms: record.count("buildings")?,
        outline: record.area()?,
        locked: record.flag("locked")?,
        reason: Some(record.both("reason")?).filter(|reason| !reason.is_empty()),
        bounds_text: record.both("bounds")?,
        lineage: lineage.split(',').filter(|code| !code.is_empty()).map(str::to_owned).collect(),
        note: record.newer("note")?.unwrap_or_default(),
    })
}

fn read_tier(record: &Record<'_>) -> Result<TierAnswer> {
    // A file without the column `money` holds curves without bounds: they are left to the next choice of stations.
    let money: Option<String> = record.newer("money")?;
    let frontier = if money.is_some() { record.text("frontier")? } else { String::new() };
    Ok(TierAnswer {
        tier: record.word("tier", StationTier::parse)?,
        goal: record.both("goal")?,
        objective: record.get("objective")?,
        bound: record.maybe("bound")?,
        gap: record.maybe("gap")?,
        proven: record.flag("proven")?,
        frontier: points(record, "frontier", &frontier)?,
        money: points(record, "money", &money.unwrap_or_default())?,
    })
}

/// Points of a frontier: `stations:households:bound:cost`, separated by commas.
fn points(record: &Record<'_>, column: &str, text: &str) -> Result<Vec<FrontierPoint>> {
    let point = |word: &str| -> Option<FrontierPoint> {
        let mut numbers = word.split(':');
        let point = FrontierPoint {
            stations: numbers.next()?.parse().ok()?,
            households: numbers.next()?.parse().ok()?,
            bound: numbers.next()?.parse().ok()?,
            cost: numbers.next()?.parse().ok()?,
        };
        numbers.next().is_none().then_some(point)
    };
    let words = text.split(',').filter(|word| !word.is_empty());
    let points = words.map(|word| {
        point(word).ok_or_else(|| {
            record
                .bad(format!("column `{column}` holds `{word}`, which is no stations:households:bound:cost"))
        })
    });
    points.collect()
}

/// What a building reaches, `None` if coverage was not measured yet.
fn read_reach(record: &Record<'_>, stations: &HashMap<String, StationId>) -> Result<Option<AtomCoverage>> {
    if record.maybe::<Value>("depth")?.is_none_or(|value| value == Value::Null) {
        return Ok(None);
    }
    let nearest = match (record.link("nearest_station", stations)?, record.quantity("walk_s", Seconds::new)?)
    {
        (Some(station), Some(walk)) => Ok((station, walk)),
        _ => Err(record.word("unreached", Unreached::parse)?),
    };
    let (depth, walks) = (record.text("depth")?, record.text("tier_walk_s")?);
    let mut tier_walk = [None; 5];
    for (slot, word) in tier_walk.iter_mut().zip(walks.split(',')) {
        *slot = word.parse().ok().and_then(|seconds| Seconds::new(seconds).ok());
    }
    Ok(Some(AtomCoverage {
        nearest,
        distance: record.quantity("distance_m", Metres::new)?,
        straight: record.quantity("straight_m", Metres::new)?,
        depth: depth.split(',').filter_map(|word| word.parse().ok()).collect(),
        tier_walk,
        near_edge: record.flag("near_edge")?,
    }))
}

fn unmeasured() -> AtomCoverage {
    AtomCoverage {
        nearest: Err(Unreached::NoStation),
        distance: None,
        straight: None,
        depth: Vec::new(),
        tier_walk: [None; 5],
        near_edge: false,
    }
}
