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
    let (name, reason) = (String::new(), crate::model::Text::default());
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
    measure(
        scenario,
        &partition,
        stations,
        Walks { network: &network, doors: &doors },
        &bands(),
        WalkDirection::There,
    )
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
    let coverage = measure(&scenario, &partition, &stations, walks, &bands(), WalkDirection::There);
    let found = findings(&scenario, &stations, walks, &coverage);
    let of_kind = |kind| found.iter().filter(|finding| finding.kind == kind).collect::<Vec<_>>();
    assert_eq!(of_kind(FindingKind::NoTerrain).len(), 1);
    let unsnapped = of_kind(FindingKind::UnsnappedDoor);
    assert_eq!((unsnapped.len(), unsnapped[0].feature.as_str()), (1, "b9"));
    assert!(
        unsnapped[0].message.en.starts_with("the nearest street is 400 m away"),
        "{:?}",
        unsnapped[0].message
    );
    assert_eq!(of_kind(FindingKind::UnreachableStation).len(), 1);
    let uncovered = of_kind(FindingKind::Uncovered);
    assert!(uncovered[0].message.en.starts_with("50 households are beyond every 15-minute circle"));
}

#[test]
fn a_station_on_an_isolated_path_is_a_finding() {
    let mut scenario = one_street();
    let at = |x: f64, y: f64| geo::Coord { x, y };
    let path =
        Street { line: LineString(vec![at(0.0, 100.0), at(40.0, 100.0)]), ..scenario.streets[0].clone() };
    scenario.streets.push(path);
    let mut stations = vec![station(0.0, StationTier::Community), station(300.0, StationTier::Community)];
    stations[0].at = at(10.0, 95.0);
    let network = network::build(&scenario, &steady(1.0));
    let doors = network.snap_atoms(&scenario.atoms);
    let walks = Walks { network: &network, doors: &doors };
    let partition = Partition { grid_of: vec![None; 10], ..Partition::default() };
    let coverage = measure(&scenario, &partition, &stations, walks, &bands(), WalkDirection::There);
    // The main street is 95 m from the station, 90 m farther than the path.
    assert_eq!(coverage.atoms[0].nearest, Ok((StationId(1), Seconds::constant(300.0))));
    let found = findings(&scenario, &stations, walks, &coverage);
    let of_stations: Vec<_> =
        found.iter().filter(|finding| finding.kind == FindingKind::UnreachableStation).collect();
    assert_eq!(of_stations.len(), 1);
    assert_eq!((of_stations[0].feature.as_str(), of_stations[0].severity), ("s0", Severity::Warning));
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
        let coverage =
            measure(&scenario, &plan.partition, &plan.stations[..n], walks, &bands(), WalkDirection::There);
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

fn question(scenario: &Scenario, stations: &[Station], tier: Option<StationTier>) -> WhatIf {
    let network = network::build(scenario, &steady(1.0));
    let doors = network.snap_atoms(&scenario.atoms);
    WhatIf::new(scenario, stations, tier, network, doors, &bands(), WalkDirection::There)
}

#[test]
fn what_opening_moving_and_closing_a_station_does_by_hand() {
    // Ten buildings of 10 households, 100 m apart, 1 m/s; 5 minutes are 300 m.
    let scenario = one_street();
    let stations = [station(0.0, StationTier::Community), station(900.0, StationTier::Compound)];
    let ask = question(&scenario, &stations, None);
    let at = |x: f64| geo::Coord { x, y: 0.0 };
    // Buildings 0–3 and 6–9 are within 300 m; a station at 500 m adds 4 and 5.
    let opened = ask.ask(&[StationChange::Open { at: at(500.0) }]).unwrap();
    let band = opened.bands[0];
    assert_eq!((band.before.0, band.won.0, band.lost.0, band.after().0), (80, 20, 0, 100));
    assert_eq!((band.residents_won.0, opened.households_shorter.0, opened.households_longer.0), (50, 40, 0));
    // Walks of 300, 400, 400, 300 m become 200, 100, 0, 100.
    let walks: Vec<(u32, f64, f64, u32)> = opened
        .walks
        .iter()
        .map(|walk| {
            let (before, after) = (walk.before.unwrap(), walk.after.unwrap());
            (walk.atom.0, before.1.value(), after.1.value(), after.0.0)
        })
        .collect();
    assert_eq!(walks, [(3, 300.0, 200.0, 2), (4, 400.0, 100.0, 2), (5, 400.0, 0.0, 2), (6, 300.0, 100.0, 2)]);
    // Before 0+1+2+3+4+4+3+2+1+0 hundred metres for ten buildings, after 0+1+2+2+1+0+1+2+1+0.
    assert_eq!(opened.mean_walk, (Some(Seconds::constant(200.0)), Some(Seconds::constant(100.0))));
    // The second station closes: 6–9 lose the 5 minutes, 9 is 900 m from the first.
    let closed = ask.ask(&[StationChange::Close { station: StationId(1) }]).unwrap();
    assert_eq!(closed.bands.iter().map(|band| band.lost.0).collect::<Vec<_>>(), [40, 30, 0]);
    assert_eq!((closed.households_longer.0, closed.walks.len()), (50, 5));
    // Moved to the middle: 4 and 5 win, 9 (400 m) loses the 5 minutes.
    let moved = ask.ask(&[StationChange::Move { station: StationId(1), to: at(500.0) }]).unwrap();
    assert_eq!((moved.bands[0].won.0, moved.bands[0].lost.0), (20, 10));
    // Closed and another opened at its place: nobody wins or loses.
    let same = [StationChange::Close { station: StationId(1) }, StationChange::Open { at: at(900.0) }];
    let same = ask.ask(&same).unwrap();
    assert_eq!((same.walks.len(), same.households_longer.0), (0, 0));
    // Both closed: nobody has a way any more.
    let none = [StationId(0), StationId(1)].map(|station| StationChange::Close { station });
    let none = ask.ask(&none).unwrap();
    assert_eq!((none.bands[2].lost.0, none.mean_walk.1, none.walks[0].after), (100, None, None));
}

#[test]
fn a_question_about_one_tier_and_questions_without_sense() {
    let scenario = one_street();
    let mut stations = vec![station(0.0, StationTier::Community), station(900.0, StationTier::Compound)];
    stations.push(station(500.0, StationTier::Compound));
    stations[2].status = StationStatus::Closed;
    for (station, code) in stations.iter_mut().zip(["Z1", "C1", "C2"]) {
        station.code = code.to_owned();
    }
    let ask = question(&scenario, &stations, Some(StationTier::Compound));
    assert_eq!(ask.ask(&[]).unwrap().bands[0].before.0, 40);
    let refused = |changes: &[StationChange]| {
        let error = ask.ask(changes).unwrap_err();
        [Lang::Zh, Lang::En].map(|lang| error.tell(lang))
    };
    for (station, name) in [(0, "`Z1`"), (2, "`C2`"), (7, "7")] {
        let told = refused(&[StationChange::Close { station: StationId(station) }]);
        assert!(told[0].contains(&format!("{name} ")) && told[0].contains("站点"), "{told:?}");
        assert!(told[1].contains(&format!("station {name}")), "{told:?}");
    }
    let close = StationChange::Close { station: StationId(1) };
    assert_eq!(refused(&[close, close]).map(|told| told.contains("`C1`")), [true; 2]);
    let nowhere = StationChange::Open { at: geo::Coord { x: f64::NAN, y: 0.0 } };
    assert!(matches!(ask.ask(&[nowhere]), Err(WhatIfError::NotFinite { .. })));
    // 450 m off the street nobody walks there, and the answer says so.
    let field = StationChange::Open { at: geo::Coord { x: 0.0, y: 450.0 } };
    let answer = ask.ask(&[close, field]).unwrap();
    assert_eq!((answer.unreachable, answer.bands[0].lost.0), (vec![1], 40));
}

#[test]
fn a_question_is_answered_as_measuring_again_would() {
    let scenario = toy_scenario();
    let plan = toy_plan(&scenario);
    let ask = question(&scenario, &plan.stations, None);
    let open = |found: &Station| found.status != StationStatus::Closed;
    for closed in (0..plan.stations.len()).filter(|&index| open(&plan.stations[index])) {
        let answer = ask.ask(&[StationChange::Close { station: StationId::from_index(closed) }]).unwrap();
        let mut after = plan.stations.clone();
        after[closed].status = StationStatus::Closed;
        let (before, after) = (measured(&scenario, &plan.stations, 1.0), measured(&scenario, &after, 1.0));
        for band in &answer.bands {
            let reached = |coverage: &Coverage| {
                let row = coverage.row(CoverageScope::All, None, CoverageMethod::NetworkTime, band.minutes);
                row.unwrap().households_reached
            };
            assert_eq!((band.before, band.after()), (reached(&before), reached(&after)));
        }
        for change in &answer.walks {
            assert_eq!(change.before, before.atoms[change.atom.index()].nearest.ok());
            assert_eq!(change.after, after.atoms[change.atom.index()].nearest.ok());
        }
    }
}

#[test]
fn service_is_shared_out_by_hand() {
    // 1 m/s, ten buildings of 10 households; 15 minutes (900 m) reach everybody from either station.
    let scenario = one_street();
    let mut stations = [station(0.0, StationTier::Community), station(900.0, StationTier::Compound)];
    stations[0].capacity = Some(Households(40));
    // 6 m² are enough for 20 households.
    stations[1].area = Some(SquareMetres::constant(6.0));
    let coverage = measured(&scenario, &stations, 1.0);
    let balance = coverage.balance.unwrap();
    assert_eq!(balance.unit, SupplyUnit::Households);
    // R = 40/100 and 20/100 for everybody.
    assert!(balance.access.iter().all(|access| (access - 600.0).abs() < 1e-9), "{:?}", balance.access);
    // Weights 1, 0.22^(1/4), 0.22 in 300, 600, 900 m. Both stations see 4 buildings in the first zone, 3 in the
    // second and 3 in the third.
    let middle = 0.22_f64.powf(0.25);
    let demand = 40.0 + 30.0 * middle + 30.0 * 0.22;
    let expected = |near: f64, far: f64| (near * 40.0 + far * 20.0) / demand * 1000.0;
    for (building, near, far) in [(0, 1.0, 0.22), (3, 1.0, middle), (4, middle, middle), (9, 0.22, 1.0)] {
        let found = balance.access_enhanced[building];
        assert!((found - expected(near, far)).abs() < 1e-9, "{building}: {found}");
    }
    // The first station has room for the four nearest buildings; the second has no known limit.
    let served: Vec<u32> = balance.loads.iter().map(|load| load.served.0).collect();
    assert_eq!((served, balance.without_room.iter().sum::<u32>()), (vec![40, 60], 0));
    let evenness = balance.evenness;
    assert_eq!(evenness.mean_walk, Some(Seconds::constant(200.0)));
    assert_eq!(evenness.worst_decile_walk, Some(Seconds::constant(400.0)));
    assert!((evenness.gini_access, evenness.worst_decile_access) == (0.0, evenness.mean_access));
    // A station of unknown size: every station counts one. A full one turns people away.
    stations[1].area = None;
    stations[1].capacity = None;
    let balance = measured(&scenario, &stations, 1.0).balance.unwrap();
    assert_eq!(balance.unit, SupplyUnit::Stations);
    assert!((balance.access[0] - 20.0).abs() < 1e-9, "two stations for 100 households");
    stations[1].capacity = Some(Households(25));
    let balance = measured(&scenario, &stations, 1.0).balance.unwrap();
    // Of the middle two 5 households find room on the right, since ties go to the lower building.
    assert_eq!(balance.without_room, [0, 0, 0, 0, 10, 10, 10, 5, 0, 0]);
    assert_eq!(measured(&scenario, &[], 1.0).balance, None);
}

#[test]
fn who_reaches_as_an_adult_and_not_at_eighty() {
    let scenario = one_street();
    let stations = [station(0.0, StationTier::Community)];
    let network = network::build(&scenario, &WalkRules::new(WalkProfile::adult()));
    let doors = network.snap_atoms(&scenario.atoms);
    let walks = Walks { network: &network, doors: &doors };
    let partition = Partition { grid_of: vec![None; 10], ..Partition::default() };
    let coverage = measure(&scenario, &partition, &stations, walks, &bands(), WalkDirection::There);
    let (old, same_doors) = network.for_walker(&scenario, &WalkRules::new(WalkProfile::older(80)));
    assert!(same_doors, "nothing on this street stops either");
    let found = profile(&scenario, &stations, Walks { network: &old, doors: &doors }, &coverage);
    // 1.399 m/s: 419, 839, 1259 m in 5, 10, 15 minutes; 0.94 m/s: 282, 564, 846 m.
    assert_eq!(reached(&coverage, None, CoverageMethod::NetworkTime), [50, 90, 100]);
    let of = |counts: &[Households]| counts.iter().map(|count| count.0).collect::<Vec<_>>();
    assert_eq!(
        (of(&found.households_reached), of(&found.households_lost)),
        (vec![30, 60, 90], vec![20, 30, 10])
    );
    let lost: Vec<(u32, u32)> = found.lost.iter().map(|loss| (loss.minutes, loss.atom.0)).collect();
    assert_eq!(lost, [(5, 3), (5, 4), (10, 6), (10, 7), (10, 8), (15, 9)]);
    let walk = found.lost[5].walk.unwrap();
    assert!((walk.value() - 900.0 / 0.94).abs() < 0.01);
    assert_eq!(found.profile, "age 80");
}

#[test]
fn street_offices_add_up_their_communities() {
    let mut scenario = one_street();
    let stations = [station(0.0, StationTier::Community)];
    scenario.communities[0].code = "370602001001".into();
    scenario.communities.push(Community { code: "370602001002".into(), ..scenario.communities[0].clone() });
    scenario.communities.push(Community { code: "370602002001".into(), ..scenario.communities[0].clone() });
    scenario.communities.push(Community { code: "west".into(), ..scenario.communities[0].clone() });
    for (index, community) in [0, 0, 1, 1, 1, 2, 2, 3, 3, 3].into_iter().enumerate() {
        scenario.atoms[index].community = Some(CommunityId(community));
    }
    let coverage = measured(&scenario, &stations, 1.0);
    let row = |code: &str, tier| {
        let scope = CoverageScope::StreetOffice(OfficeCode::parse(code).unwrap());
        coverage
            .row(scope, tier, CoverageMethod::NetworkTime, 5)
            .map(|row| (row.households.0, row.households_reached.0))
    };
    assert_eq!(row("370602001", None), Some((50, 40)));
    assert_eq!(row("370602002", Some(StationTier::Community)), Some((20, 0)));
    assert_eq!(row("370602003", None), None);
}

#[test]
fn there_back_and_the_worse_of_the_two() {
    // Stairs up to the first building: 0.45 of the speed up, 0.5 down. At 1 m/s on the flat.
    let mut scenario = one_street();
    let stations = [station(0.0, StationTier::Community), station(900.0, StationTier::Community)];
    let street = scenario.streets[0].clone();
    let piece = |from: f64, to: f64, class: StreetClass, incline: Option<f64>| Street {
        line: LineString(vec![geo::Coord { x: from, y: 0.0 }, geo::Coord { x: to, y: 0.0 }]),
        class,
        incline,
        ..street.clone()
    };
    // Towards the first station up, towards the second down.
    scenario.streets = vec![
        piece(100.0, 0.0, StreetClass::Steps, Some(0.5)),
        piece(100.0, 800.0, street.class, None),
        piece(800.0, 900.0, StreetClass::Steps, Some(-0.5)),
    ];
    let slow = WalkProfile {
        stairs: network::StairsResponse::Walked {
            up: MetresPerSecond::constant(0.45),
            down: MetresPerSecond::constant(0.5),
        },
        ..WalkProfile::steady(MetresPerSecond::constant(1.0))
    };
    let network = network::build(&scenario, &WalkRules::new(slow));
    let doors = network.snap_atoms(&scenario.atoms);
    let walks = Walks { network: &network, doors: &doors };
    let partition = Partition { grid_of: vec![None; 10], ..Partition::default() };
    let nearest = |direction| {
        let coverage = measure(&scenario, &partition, &stations, walks, &bands(), direction);
        let found = coverage.atoms.iter().map(|atom| atom.nearest.unwrap());
        found.map(|(station, walk)| (station.0, walk.value())).collect::<Vec<_>>()
    };
    let (up, down) = (100.0 / 0.45, 100.0 / 0.5);
    let close = |found: (u32, f64), station: u32, walk: f64| {
        assert!(found.0 == station && (found.1 - walk).abs() < 0.002, "{found:?} for {station}, {walk}");
    };
    // Building 4 is 300 m and the stairs from the first, 400 m and the stairs from the second.
    close(nearest(WalkDirection::There)[4], 0, up + 300.0);
    close(nearest(WalkDirection::Back)[4], 0, down + 300.0);
    close(nearest(WalkDirection::Worse)[4], 0, up + 300.0);
    // Building 8 goes down to the second and comes up again.
    close(nearest(WalkDirection::There)[8], 1, down);
    close(nearest(WalkDirection::Back)[8], 1, up);
    close(nearest(WalkDirection::Worse)[8], 1, up);
    // The circle of the worse way holds no door that is out of time either way.
    let limits: Vec<u32> = vec![600_000];
    let sites = network.snap_sites(&[stations[0].at]);
    let end = |measure| {
        let circle = network.service_circles(&sites, measure, &limits, network::CircleShare::PerStation);
        geo::BoundingRect::bounding_rect(&circle[0].area).unwrap().max().x
    };
    let (there, back, worse) =
        (end(network::Measure::TimeThere), end(network::Measure::TimeBack), end(network::Measure::TimeWorse));
    // Along the street the circle ends where 600 s do.
    assert!(
        (there - (100.0 + 600.0 - up)).abs() < 1.0 && (back - (100.0 + 600.0 - down)).abs() < 1.0,
        "{there} {back}"
    );
    assert!((worse - there).abs() < 0.01, "{worse}");
}
