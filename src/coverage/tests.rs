#![expect(clippy::unwrap_used, reason = "tests")]

use geo::LineString;

use super::access::{Worst, gini, worst_decile};
use super::*;
use crate::model::*;
use crate::network::{self, WalkProfile, WalkRules};
use crate::testing::{toy_plan, toy_scenario};
use crate::units::*;

fn bands() -> Vec<WalkBand> {
    [(5, 300.0), (10, 500.0), (15, 1000.0)]
        .map(|(minutes, metres)| WalkBand { minutes, metres: Metres::constant(metres) })
        .to_vec()
}

fn steady(speed: f64) -> WalkRules {
    WalkRules::new(WalkProfile::steady(MetresPerSecond::constant(speed)))
}

/// Ten buildings 100 m apart along one street, 10 households and 25 residents each, in one community.
fn one_street() -> Scenario {
    let mut scenario = toy_scenario();
    let atom = scenario.atoms[0].clone();
    let at = |x: f64, y: f64| geo::Coord { x, y };
    let outline = geo::Rect::new(at(-500.0, -500.0), at(1500.0, 500.0)).to_polygon();
    scenario.communities.truncate(1);
    scenario.communities[0].outline = geo::MultiPolygon(vec![outline]);
    scenario.atoms = (0..10)
        .map(|index| Atom {
            source: SourceId(format!("b{index}")),
            shape: AtomShape::Point(geo::Point(at(f64::from(index) * 100.0, 0.0))),
            households: Households(10),
            residents: Residents(25),
            community: Some(CommunityId(0)),
            compound: None,
            door: None,
            ..atom.clone()
        })
        .collect();
    let street = scenario.streets[0].clone();
    scenario.streets = vec![Street {
        line: LineString(vec![at(0.0, 0.0), at(900.0, 0.0)]),
        foot: true,
        bridge: false,
        tunnel: false,
        incline: None,
        crossing: false,
        ..street
    }];
    (scenario.compounds, scenario.gates, scenario.barriers) = (vec![], vec![], vec![]);
    (scenario.terrain, scenario.stations) = (None, vec![]);
    scenario
}

fn station(x: f64, tier: StationTier) -> Station {
    let status = StationStatus::Existing;
    let code = format!("s{x}");
    let at = geo::Coord { x, y: 0.0 };
    let (name, reason) = (String::new(), String::new());
    Station {
        code,
        name,
        tier,
        status,
        at,
        community: None,
        area: None,
        capacity: None,
        premise: None,
        reason,
    }
}

fn measured(scenario: &Scenario, stations: &[Station], speed: f64) -> Coverage {
    let network = network::build(scenario, &steady(speed));
    let doors = network.snap_atoms(&scenario.atoms);
    let partition = Partition { grid_of: vec![None; scenario.atoms.len()], ..Partition::default() };
    measure(scenario, &partition, stations, Walks { network: &network, doors: &doors }, &bands())
}

fn reached(coverage: &Coverage, tier: Option<StationTier>, method: CoverageMethod) -> Vec<u32> {
    let row = |minutes| coverage.row(CoverageScope::All, tier, method, minutes).unwrap();
    [5, 10, 15].map(|minutes| row(minutes).households_reached.0).to_vec()
}

#[test]
fn minutes_limit_time_and_metres_limit_distance() {
    let scenario = one_street();
    let stations = [station(0.0, StationTier::Community)];
    // At 0.5 m/s: 150, 300, 450 m in 5, 10, 15 minutes; by distance 300, 500, 1000 m. Limits inclusive.
    let coverage = measured(&scenario, &stations, 0.5);
    assert_eq!(reached(&coverage, None, CoverageMethod::NetworkTime), [20, 40, 50]);
    assert_eq!(reached(&coverage, None, CoverageMethod::NetworkDistance), [40, 60, 100]);
    assert_eq!(reached(&coverage, None, CoverageMethod::StraightRadius), [40, 60, 100]);
    let row = coverage.row(CoverageScope::Community(CommunityId(0)), None, CoverageMethod::NetworkTime, 10);
    let row = row.unwrap();
    assert_eq!((row.households.0, row.residents_reached.0, row.share()), (100, 100, 0.4));
    assert!(!coverage.with_terrain);
    assert_eq!(coverage.profile, "steady 0.50 m/s");
}

#[test]
fn a_detour_counts_on_the_network_and_not_as_the_crow_flies() {
    let mut scenario = one_street();
    // The street runs 200 m south and back between the first and the second building.
    let at = |x: f64, y: f64| geo::Coord { x, y };
    scenario.streets[0].line =
        LineString(vec![at(0.0, 0.0), at(0.0, -200.0), at(100.0, -200.0), at(100.0, 0.0), at(900.0, 0.0)]);
    let coverage = measured(&scenario, &[station(0.0, StationTier::Community)], 1.0);
    assert_eq!(reached(&coverage, None, CoverageMethod::StraightRadius), [40, 60, 100]);
    // The second building is 500 m off, the third 600 m.
    assert_eq!(reached(&coverage, None, CoverageMethod::NetworkDistance), [10, 20, 70]);
    assert_eq!(coverage.atoms[1].distance, Some(Metres::constant(500.0)));
    assert_eq!(coverage.atoms[1].straight, Some(Metres::constant(100.0)));
}

#[test]
fn tiers_overlap_and_closed_stations() {
    let scenario = one_street();
    let mut stations = vec![
        station(0.0, StationTier::Community),
        station(300.0, StationTier::Compound),
        station(900.0, StationTier::Compound),
    ];
    stations[2].status = StationStatus::Closed;
    // At 1 m/s 300 m in 5 minutes: buildings 0 to 3 from the first, 0 to 6 from the second.
    let coverage = measured(&scenario, &stations, 1.0);
    let row = coverage.row(CoverageScope::All, None, CoverageMethod::NetworkTime, 5).unwrap();
    assert_eq!((row.households_reached.0, row.households_overlap.0), (70, 40));
    assert_eq!(reached(&coverage, Some(StationTier::Community), CoverageMethod::NetworkTime), [40, 70, 100]);
    assert_eq!(reached(&coverage, Some(StationTier::Compound), CoverageMethod::NetworkTime), [70, 100, 100]);
    assert_eq!(
        coverage.row(CoverageScope::All, Some(StationTier::City), CoverageMethod::NetworkTime, 5),
        None
    );
    let atom = &coverage.atoms[2];
    assert_eq!(atom.nearest, Ok((StationId(1), Seconds::constant(100.0))));
    assert_eq!(atom.depth, [2, 2, 2]);
    assert_eq!(atom.tier_walk[StationTier::Community as usize], Some(Seconds::constant(200.0)));
    assert_eq!(atom.tier_walk[StationTier::City as usize], None);
}

#[test]
fn who_is_left_out_keeps_the_reason_and_the_distance() {
    let mut scenario = one_street();
    scenario.atoms[9].shape = AtomShape::Point(geo::Point::new(900.0, 400.0));
    let stations = [station(0.0, StationTier::Community)];
    let coverage = measured(&scenario, &stations, 0.5);
    assert_eq!(coverage.atoms[9].nearest, Err(Unreached::Unsnapped));
    // Beyond every circle, and still a figure: 800 m at 0.5 m/s.
    assert_eq!(coverage.atoms[8].nearest, Ok((StationId(0), Seconds::constant(1600.0))));
    let none = measured(&scenario, &[], 0.5);
    assert_eq!(none.atoms[0].nearest, Err(Unreached::NoStation));
    assert_eq!(reached(&none, None, CoverageMethod::StraightRadius), [0, 0, 0]);
    scenario.streets.clear();
    let no_streets = measured(&scenario, &stations, 0.5);
    assert_eq!(no_streets.atoms[0].nearest, Err(Unreached::NoStreets));
    assert_eq!(reached(&no_streets, None, CoverageMethod::NetworkTime), [0, 0, 0]);
    assert_eq!(reached(&no_streets, None, CoverageMethod::StraightRadius)[0], 40);
}

#[test]
fn findings_name_the_place_and_the_remedy() {
    let mut scenario = one_street();
    scenario.atoms[9].shape = AtomShape::Point(geo::Point::new(900.0, 400.0));
    let mut stations = vec![station(0.0, StationTier::Community), station(0.0, StationTier::Community)];
    stations[1].at = geo::Coord { x: 0.0, y: 450.0 };
    let network = network::build(&scenario, &steady(0.5));
    let doors = network.snap_atoms(&scenario.atoms);
    let walks = Walks { network: &network, doors: &doors };
    let partition = Partition { grid_of: vec![None; 10], ..Partition::default() };
    let coverage = measure(&scenario, &partition, &stations, walks, &bands());
    let found = findings(&scenario, &stations, walks, &coverage);
    let of_kind = |kind| found.iter().filter(|finding| finding.kind == kind).collect::<Vec<_>>();
    assert_eq!(of_kind(FindingKind::NoTerrain).len(), 1);
    let unsnapped = of_kind(FindingKind::UnsnappedDoor);
    assert_eq!((unsnapped.len(), unsnapped[0].feature.as_str()), (1, "b9"));
    assert!(unsnapped[0].message.starts_with("the nearest street is 400 m away"), "{}", unsnapped[0].message);
    assert_eq!(of_kind(FindingKind::UnreachableStation).len(), 1);
    let uncovered = of_kind(FindingKind::Uncovered);
    assert!(uncovered[0].message.starts_with("50 households are beyond every 15-minute circle"));
}

#[test]
fn one_more_station_never_lowers_a_share_and_wider_circles_hold_narrower_ones() {
    let scenario = toy_scenario();
    let plan = toy_plan(&scenario);
    let network = network::build(&scenario, &WalkRules::new(WalkProfile::adult()));
    let doors = network.snap_atoms(&scenario.atoms);
    let walks = Walks { network: &network, doors: &doors };
    let mut before: Option<Coverage> = None;
    for n in 0..=plan.stations.len() {
        let coverage = measure(&scenario, &plan.partition, &plan.stations[..n], walks, &bands());
        for row in &coverage.rows {
            if let Some(wider) = coverage.row(row.scope, row.tier, row.method, row.minutes + 5) {
                assert!(row.households_reached <= wider.households_reached);
            }
            let old = before.as_ref().and_then(|old| old.row(row.scope, row.tier, row.method, row.minutes));
            if let Some(old) = old {
                assert!(old.households_reached <= row.households_reached, "station {n} hurts {row:?}");
            }
        }
        before = Some(coverage);
    }
}

#[test]
fn a_gini_coefficient_by_hand_and_by_its_definition() {
    // Mean absolute difference over twice the mean: |1−3| twice among four ordered pairs, mean 2.
    assert!((gini(&[1.0, 3.0], &[1.0, 1.0]) - (2.0 * 2.0 / 4.0) / (2.0 * 2.0)).abs() < 1e-12);
    let (values, people) = ([3.0, 0.5, 7.0, 2.0], [2.0, 5.0, 1.0, 4.0]);
    let total: f64 = people.iter().sum();
    let mean = values.iter().zip(&people).map(|(v, p)| v * p).sum::<f64>() / total;
    let mut difference = 0.0;
    for (value, here) in values.iter().zip(&people) {
        for (other, there) in values.iter().zip(&people) {
            difference += here * there * f64::abs(value - other);
        }
    }
    let expected = difference / (total * total) / (2.0 * mean);
    assert!((gini(&values, &people) - expected).abs() < 1e-12);
    assert_eq!(gini(&[], &[]), 0.0);
    assert_eq!(worst_decile(&[1.0], &[0.0], Worst::Low), None);
}
