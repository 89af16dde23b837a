//! A whole plan of the toy place, worked out by rules of thumb instead of the planner's stages.

use geo::{BooleanOps, Coord, LineString, MultiPolygon, Polygon};

use super::toy::{BRIDGE_Y, CELLS, Cell, RIVER_X, place, rectangle};
use crate::geometry::straight_distance;
use crate::model::{
    Atom, AtomCoverage, AtomId, CommunityId, CommunityQuality, Coverage, CoverageMethod, CoverageRow,
    CoverageScope, Evenness, Finding, FindingKind, FrontierPoint, Grid, GridClass, GridId, GridSize,
    LedgerEntry, Partition, Plan, PremiseId, ProfileCoverage, ProfileLoss, Provenance, Scenario,
    ServiceBalance, ServiceCircle, Severity, Station, StationId, StationLoad, StationStatus, StationTier,
    SupplyUnit, TierAnswer, Unreached, WalkBand, WalkDirection,
};
use crate::units::{Households, Metres, Residents, Seconds};

/// A whole plan of [`super::toy_scenario`]: 9 grids (one out of range, one exclusive), 6 stations, full coverage.
///
/// # Panics
/// If the scenario is not the one of [`super::toy_scenario`] with at most names and counts changed.
#[must_use]
pub fn toy_plan(scenario: &Scenario) -> Plan {
    let partition = partition(scenario);
    let stations = stations(scenario);
    let coverage = coverage(scenario, &partition, &stations);
    let circles = circles(&stations, &coverage.bands);
    Plan {
        partition,
        stations,
        tiers: tiers(),
        coverage,
        // As areas go, any will do for what writes and reads them.
        service_areas: circles.iter().filter(|circle| circle.station.is_some()).cloned().collect(),
        circles,
        findings: plan_findings(),
        ledger: vec![LedgerEntry {
            who: "规划员甲".into(),
            when: "2026-03-02T09:30:00+08:00".into(),
            what: "370602001001003: b0019 → 370602001001004".into(),
            why: "按道路划界".into(),
            basis: "街道办公会纪要〔2026〕3号".into(),
            edit: None,
            inverse: None,
        }],
        provenance: Provenance {
            version: "0.1.0".into(),
            seed: 1,
            params: "seed = 1\n[grid_size]\ntarget = 300\ntolerance = 0.10\n".into(),
            input_hash: "5f".repeat(32),
            plan_hash: "a7".repeat(32),
        },
    }
}

fn partition(scenario: &Scenario) -> Partition {
    let mut grids = Vec::new();
    let mut grid_of = Vec::new();
    for (number, cell) in CELLS.iter().enumerate() {
        let range = grid_of.len()..grid_of.len() + cell.households.len();
        grid_of.extend(range.clone().map(|_| Some(GridId::from_index(number))));
        grids.push(grid(number, cell, &scenario.atoms[range]));
    }
    grid_of.push(None);
    Partition { grids, grid_of, quality: quality(), retired_codes: vec!["370602001001005".into()] }
}

fn grid(number: usize, cell: &Cell, atoms: &[Atom]) -> Grid {
    let size = match cell.class {
        GridClass::Exclusive => None,
        GridClass::Rural => Some(GridSize::around(Households(80), 0.25)),
        GridClass::Urban | GridClass::Resettlement => Some(GridSize::around(Households(300), 0.10)),
    };
    let sequence: u32 = cell.code[12..].parse().unwrap_or(0);
    let mut outline = MultiPolygon(vec![rectangle(cell.extent)]);
    if cell.code == "370602001002003" {
        // One corner of the block belongs to the market's grid: an outline with a bend.
        outline = outline.difference(&MultiPolygon(vec![rectangle([1160.0, 240.0, 1240.0, 300.0])]));
    } else if cell.class == GridClass::Exclusive {
        outline = outline.union(&MultiPolygon(vec![rectangle([1160.0, 240.0, 1240.0, 300.0])]));
    }
    Grid {
        code: cell.code.into(),
        name: format!("第{sequence}网格"),
        community: CommunityId(cell.community),
        class: cell.class,
        size,
        households: atoms.iter().map(|atom| atom.households).sum(),
        load: atoms.iter().map(|atom| atom.households.0).sum(),
        residents: atoms.iter().map(|atom| atom.residents).sum(),
        n_atoms: u32::try_from(atoms.len()).unwrap_or(u32::MAX),
        outline,
        locked: number == 3,
        reason: (number == 6).then(|| {
            (
                "建筑 b0049 一栋就有 420 户，超过上限 330 户",
                "building b0049 alone has 420 households, above the upper size of 330",
            )
                .into()
        }),
        bounds_text: (
            "东至滨河西路，南至人民路，西至西关街，北至北环路",
            "east: 滨河西路; south: 人民路; west: 西关街; north: 北环路",
        )
            .into(),
        lineage: vec![format!("旧{:02}", cell.community + 1)],
        note: String::new(),
    }
}

fn quality() -> Vec<CommunityQuality> {
    let rows =
        [(0, 0, 0, 1_400.0, Some(1_320.0)), (1, 1, 1, 1_450.0, Some(1_450.0)), (2, 0, 0, 0.0, Some(0.0))];
    rows.iter()
        .map(|&(community, out, out_bound, cost, bound)| CommunityQuality {
            community: CommunityId(community),
            n_out_of_range: out,
            n_out_of_range_bound: out_bound,
            cut_cost: cost,
            cut_cost_bound: bound,
        })
        .collect()
}

fn stations(scenario: &Scenario) -> Vec<Station> {
    let mut stations = scenario.stations.clone();
    let chosen = [
        (
            1,
            "YT-0004",
            StationTier::Community,
            (
                "15 分钟圈新增 548 户，次优 p4 较少",
                "brings 548 more households within 15 minutes; the runner-up, p4, brings fewer",
            ),
        ),
        (0, "YT-0005", StationTier::Compound, ("5 分钟圈 326 户", "brings 326 households within 5 minutes")),
        (2, "YT-0006", StationTier::Corner, ("5 分钟圈 357 户", "brings 357 households within 5 minutes")),
    ];
    for (premise, code, tier, reason) in chosen {
        let place = &scenario.premises[premise];
        stations.push(Station {
            code: code.into(),
            name: place.name.clone().unwrap_or_default(),
            tier,
            status: StationStatus::Chosen,
            at: place.at,
            community: place.community,
            area: place.area,
            capacity: place.capacity,
            premise: Some(PremiseId::from_index(premise)),
            reason: reason.into(),
        });
    }
    stations
}

/// Along the compass directions, over the bridge where the river lies between.
fn walk_m(from: Coord<f64>, to: Coord<f64>) -> f64 {
    let legs = |a: Coord<f64>, b: Coord<f64>| (a.x - b.x).abs() + (a.y - b.y).abs();
    let bridge = place(RIVER_X, BRIDGE_Y);
    if (from.x < bridge.x) == (to.x < bridge.x) {
        legs(from, to)
    } else {
        legs(from, bridge) + legs(bridge, to)
    }
}

fn bands() -> Vec<WalkBand> {
    [(5, 300.0), (10, 500.0), (15, 1_000.0)]
        .map(|(minutes, metres)| WalkBand { minutes, metres: Metres::constant(metres) })
        .to_vec()
}

fn coverage(scenario: &Scenario, partition: &Partition, stations: &[Station]) -> Coverage {
    let bands = bands();
    let atoms: Vec<AtomCoverage> =
        (0..scenario.atoms.len()).map(|index| atom_coverage(scenario, index, stations, &bands)).collect();
    let mut scopes = vec![CoverageScope::All];
    scopes.extend((0..scenario.communities.len()).map(CommunityId::from_index).map(CoverageScope::Community));
    scopes.extend((0..partition.grids.len()).map(GridId::from_index).map(CoverageScope::Grid));
    let mut rows = Vec::new();
    for scope in scopes {
        let inside: Vec<usize> = (0..atoms.len())
            .filter(|&index| match scope {
                CoverageScope::All => scenario.atoms[index].community.is_some(),
                CoverageScope::StreetOffice(_) => false,
                CoverageScope::Community(id) => scenario.atoms[index].community == Some(id),
                CoverageScope::Grid(id) => partition.grid_of[index] == Some(id),
            })
            .collect();
        for tier in std::iter::once(None).chain(StationTier::ALL.map(Some)) {
            for method in CoverageMethod::ALL {
                for band in &bands {
                    rows.push(row(scenario, stations, &atoms, &inside, scope, tier, method, *band));
                }
            }
        }
    }
    rows.sort_by_key(|row| (row.scope, row.tier, row.method, row.minutes));
    Coverage {
        bands,
        with_terrain: false,
        profile: "adult".into(),
        rows,
        direction: WalkDirection::There,
        profiles: vec![at_eighty(scenario)],
        balance: Some(balance(scenario, stations)),
        atoms,
    }
}

/// Somebody who misses the narrowest circle from the first building.
fn at_eighty(scenario: &Scenario) -> ProfileCoverage {
    let first = scenario.atoms[0].households;
    let reached = [200, 900, 1_700].map(Households).to_vec();
    ProfileCoverage {
        profile: "age 80".into(),
        households_reached: reached,
        households_lost: vec![first, Households(0), Households(0)],
        lost: vec![ProfileLoss { atom: AtomId(0), minutes: 5, walk: Some(Seconds::constant(312.5)) }],
    }
}

/// Every station serves the same; who has people has the same access.
fn balance(scenario: &Scenario, stations: &[Station]) -> ServiceBalance {
    let people = scenario.atoms.iter().map(|atom| if 0 < atom.households.0 { 1.5 } else { 0.0 });
    let access: Vec<f64> = people.collect();
    let load = |(station, found): (StationId, &Station)| StationLoad {
        station,
        capacity: found.capacity,
        served: Households(120),
    };
    ServiceBalance {
        unit: SupplyUnit::Stations,
        access_enhanced: access.iter().map(|value| value / 2.0).collect(),
        without_room: vec![0; access.len()],
        access,
        loads: open_stations(stations).map(load).collect(),
        evenness: Evenness {
            gini_walk: 0.25,
            gini_access: 0.0,
            mean_walk: Some(Seconds::constant(300.0)),
            worst_decile_walk: None,
            mean_access: 1.5,
            worst_decile_access: 1.5,
        },
    }
}

fn open_stations(stations: &[Station]) -> impl Iterator<Item = (StationId, &Station)> {
    stations
        .iter()
        .enumerate()
        .filter(|(_, station)| station.status != StationStatus::Closed)
        .map(|(index, station)| (StationId::from_index(index), station))
}

/// The last village building lies behind the lake, on no street.
fn is_cut_off(scenario: &Scenario, index: usize) -> bool {
    scenario.atoms[index].source.0 == "b0059"
}

fn atom_coverage(
    scenario: &Scenario,
    index: usize,
    stations: &[Station],
    bands: &[WalkBand],
) -> AtomCoverage {
    let at = scenario.atoms[index].shape.anchor();
    let straight = open_stations(stations)
        .map(|(_, station)| straight_distance(at, station.at))
        .min_by(f64::total_cmp)
        .map(Metres::constant);
    if is_cut_off(scenario, index) {
        return AtomCoverage {
            nearest: Err(Unreached::Unsnapped),
            distance: None,
            straight,
            depth: vec![0; bands.len()],
            tier_walk: [None; 5],
            near_edge: false,
        };
    }
    let walks: Vec<(StationId, StationTier, Metres)> = open_stations(stations)
        .map(|(id, station)| (id, station.tier, Metres::constant(walk_m(at, station.at))))
        .collect();
    // At 1 m/s a metre is a second.
    let seconds = |metres: Metres| Seconds::constant(metres.value());
    let nearest = walks.iter().min_by(|a, b| a.2.value().total_cmp(&b.2.value()));
    let depth = |band: &WalkBand| walks.iter().filter(|walk| band.reaches_in_time(seconds(walk.2))).count();
    let in_tier = |tier| {
        let times = walks.iter().filter(|walk| walk.1 == tier).map(|walk| walk.2.value());
        times.min_by(f64::total_cmp).map(Seconds::constant)
    };
    AtomCoverage {
        nearest: nearest.map(|walk| (walk.0, seconds(walk.2))).ok_or(Unreached::NoStation),
        distance: nearest.map(|walk| walk.2),
        straight,
        depth: bands.iter().map(|band| depth(band) as u16).collect(),
        tier_walk: StationTier::ALL.map(in_tier),
        near_edge: index == 32,
    }
}

#[expect(clippy::too_many_arguments, reason = "one figure of a table with this many keys")]
fn row(
    scenario: &Scenario,
    stations: &[Station],
    atoms: &[AtomCoverage],
    inside: &[usize],
    scope: CoverageScope,
    tier: Option<StationTier>,
    method: CoverageMethod,
    band: WalkBand,
) -> CoverageRow {
    let reach = |index: usize, station: &Station| {
        let at = scenario.atoms[index].shape.anchor();
        let walk = Metres::constant(walk_m(at, station.at));
        let on_street = atoms[index].nearest.is_ok();
        match method {
            CoverageMethod::StraightRadius => {
                band.reaches_in_distance(Metres::constant(straight_distance(at, station.at)))
            }
            CoverageMethod::NetworkDistance => on_street && band.reaches_in_distance(walk),
            CoverageMethod::NetworkTime => on_street && band.reaches_in_time(Seconds::constant(walk.value())),
        }
    };
    let mut row = CoverageRow {
        scope,
        tier,
        method,
        minutes: band.minutes,
        households: Households(0),
        households_reached: Households(0),
        residents: Residents(0),
        residents_reached: Residents(0),
        households_overlap: Households(0),
    };
    for &index in inside {
        let atom = &scenario.atoms[index];
        let depth = open_stations(stations)
            .filter(|(_, station)| tier.is_none_or(|tier| station.tier == tier) && reach(index, station))
            .count();
        row.households += atom.households;
        row.residents += atom.residents;
        if 1 <= depth {
            row.households_reached += atom.households;
            row.residents_reached += atom.residents;
        }
        if 2 <= depth {
            row.households_overlap += atom.households;
        }
    }
    row
}

fn circles(stations: &[Station], bands: &[WalkBand]) -> Vec<ServiceCircle> {
    let mut circles = Vec::new();
    for band in bands {
        let mut merged = MultiPolygon(Vec::new());
        for (id, station) in open_stations(stations) {
            let area = circle(station.at, band.limit().value());
            merged = merged.union(&area);
            circles.push(ServiceCircle { station: Some(id), minutes: band.minutes, area });
        }
        circles.push(ServiceCircle { station: None, minutes: band.minutes, area: merged });
    }
    circles
}

/// Walking along compass directions fills a diamond; across the river, a smaller one around the bridge.
fn circle(at: Coord<f64>, reach_m: f64) -> MultiPolygon<f64> {
    let bridge = place(RIVER_X, BRIDGE_Y);
    let (west, east) = ([-5_000.0, -5_000.0, RIVER_X, 5_000.0], [RIVER_X, -5_000.0, 5_000.0, 5_000.0]);
    let (here, there) = if at.x < bridge.x { (west, east) } else { (east, west) };
    let near = diamond(at, reach_m).intersection(&MultiPolygon(vec![rectangle(here)]));
    let left_m = reach_m - walk_m(at, bridge);
    if left_m <= 0.0 {
        return near;
    }
    near.union(&diamond(bridge, left_m).intersection(&MultiPolygon(vec![rectangle(there)])))
}

fn diamond(at: Coord<f64>, reach_m: f64) -> MultiPolygon<f64> {
    let corners = [(reach_m, 0.0), (0.0, reach_m), (-reach_m, 0.0), (0.0, -reach_m)];
    let ring = corners.iter().map(|&(x, y)| Coord { x: at.x + x, y: at.y + y }).collect();
    MultiPolygon(vec![Polygon::new(LineString(ring), Vec::new())])
}

fn tiers() -> Vec<TierAnswer> {
    let answer =
        |tier, goal: (&str, &str), objective, bound: Option<f64>, proven, frontier: &[(u32, u64)]| {
            TierAnswer {
                tier,
                goal: goal.into(),
                objective,
                bound,
                gap: bound.map(|bound: f64| (bound - objective).abs() / objective),
                proven,
                frontier: frontier
                    .iter()
                    .map(|&(stations, households)| FrontierPoint {
                        stations,
                        households,
                        bound: bound.map_or(2_302, |bound| bound as u64).max(households),
                        cost: u64::from(stations) * 30_000,
                    })
                    .collect(),
                money: Vec::new(),
            }
        };
    vec![
        answer(
            StationTier::Community,
            ("p = 2，15 分钟覆盖最多", "best coverage within 15 minutes for p = 2"),
            2_302.0,
            Some(2_302.0),
            true,
            &[(1, 1_754), (2, 2_302)],
        ),
        answer(
            StationTier::Compound,
            ("p = 1，5 分钟覆盖最多", "best coverage within 5 minutes for p = 1"),
            326.0,
            Some(340.0),
            false,
            &[(1, 326)],
        ),
        answer(
            StationTier::Corner,
            ("p = 1，5 分钟覆盖最多，仅旧城", "best coverage within 5 minutes for p = 1, old quarter only"),
            357.0,
            None,
            false,
            &[(1, 357)],
        ),
    ]
}

fn plan_findings() -> Vec<Finding> {
    vec![
        Finding::new(
            Severity::Warning,
            FindingKind::GridOutOfRange,
            "grids",
            (
                "网格有 466 户，超过 330 户：其中一栋就有 420 户",
                "the grid has 466 households, above 330: one building alone has 420",
            ),
            (
                "在建筑表中按单元拆分该楼，或接受",
                "divide the tower by entrances in the building table, or accept it",
            ),
        )
        .about("370602001002003")
        .in_community(CommunityId(1))
        .in_grid(GridId(6))
        .proven(),
        Finding::new(
            Severity::Warning,
            FindingKind::Uncovered,
            "uncovered",
            ("村中住户在所有服务圈之外", "households of the village are beyond every circle"),
            ("在旧村委用房（p4）开设驿站", "open a station in the old village office (p4)"),
        )
        .in_community(CommunityId(2)),
        Finding::new(
            Severity::Error,
            FindingKind::UnsnappedDoor,
            "buildings",
            ("门口离任何道路都太远", "the door is too far from any street"),
            ("补画小路，或移动门口", "draw the missing path, or move the door"),
        )
        .about("b0059")
        .on_atom(AtomId(58))
        .in_community(CommunityId(2)),
        Finding::new(
            Severity::Info,
            FindingKind::NoTerrain,
            "terrain",
            ("没有地形模型，未计坡度", "no terrain model: slopes are not counted"),
            ("用 --role dem=FILE 导入地形", "import a terrain model with --role dem=FILE"),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use geo::Area;

    use super::super::toy::toy_scenario;
    use super::*;

    #[test]
    fn the_toy_place_keeps_every_rule_of_the_model() {
        let scenario = toy_scenario();
        let plan = toy_plan(&scenario);
        scenario.check().expect("a valid scenario");
        plan.partition.check(&scenario).expect("a valid partition");
        assert_eq!(scenario.atoms.len(), 60);
        for finding in scenario.findings.iter().chain(&plan.findings) {
            if let Some(atom) = finding.atom {
                assert_eq!(scenario.atoms[atom.index()].source.0, finding.feature);
            }
        }
    }

    #[test]
    fn toy_grids_tile_their_communities() {
        let scenario = toy_scenario();
        let plan = toy_plan(&scenario);
        for (index, community) in scenario.communities.iter().enumerate() {
            let own = plan.partition.grids.iter().filter(|grid| grid.community.index() == index);
            let tiled: f64 = own.map(|grid| grid.outline.unsigned_area()).sum();
            assert!((tiled - community.outline.unsigned_area()).abs() < 1e-3, "{}", community.name);
        }
    }

    #[test]
    fn toy_coverage_has_someone_served_and_someone_left_out() {
        let plan = toy_plan(&toy_scenario());
        let share = |method, minutes| {
            let row = plan.coverage.row(CoverageScope::All, None, method, minutes);
            row.expect("a full table").share()
        };
        let by_time = [5, 10, 15].map(|minutes| share(CoverageMethod::NetworkTime, minutes));
        assert!(by_time[0] < by_time[1] && by_time[1] < by_time[2] && by_time[2] < 1.0, "{by_time:?}");
        for (answer, minutes) in plan.tiers.iter().zip([15, 5, 5]) {
            let row = plan.coverage.row(
                CoverageScope::All,
                Some(answer.tier),
                CoverageMethod::NetworkTime,
                minutes,
            );
            assert_eq!(row.map(|row| f64::from(row.households_reached.0)), Some(answer.objective));
        }
        // 3 communities and 9 grids and the whole, 5 tiers and all of them, 3 methods, 3 circles.
        assert_eq!(plan.coverage.rows.len(), (3 + 9 + 1) * 6 * 3 * 3);
    }

    #[test]
    fn the_walk_over_the_bridge_goes_round_by_the_bridge() {
        // 100 west of the river at y = 0 to 100 east at y = 0: up to the bridge and down again.
        assert_eq!(walk_m(place(500.0, 0.0), place(700.0, 0.0)), 500.0 + 500.0);
    }
}
