//! The invented city as the other stages see it: land tiles it, everyone can walk to a station.

use geo::{Area, Coord};
use gridplan::land::{self, LandInput, LandParams};
use gridplan::model::{Scenario, StationTier};
use gridplan::network::{self, Measure, UNREACHED, WalkProfile, WalkRules};
use gridplan::synth::{SynthParams, city};
use gridplan::units::Households;

fn invent(households: u32, seed: u64) -> Scenario {
    city(&SynthParams { households: Households(households), seed }, &mut |_share| ())
}

#[test]
fn land_divides_every_community_exactly() {
    for (households, seed) in [(600, 1), (12_000, 3)] {
        let scenario = invent(households, seed);
        let land =
            land::divide(&LandInput::from_scenario(&scenario), &LandParams::default()).expect("plain land");
        assert!(land.outside.is_empty() && land.hidden.is_empty(), "{:?} {:?}", land.outside, land.hidden);
        assert!(land.settled.is_empty(), "outlines overlap or gape: {:?}", land.settled);
        for (community, divided) in scenario.communities.iter().zip(&land.subdivisions) {
            let whole = community.outline.unsigned_area();
            let sum: f64 = divided.units.iter().map(|unit| unit.area_m2).sum();
            assert!((whole - sum).abs() < 1e-6 * whole, "{}: {whole} m² but {sum} m²", community.code);
        }
    }
}

#[test]
fn everyone_walks_to_a_station_through_open_gates() {
    for (households, seed) in [(600, 2), (12_000, 1), (40_000, 6)] {
        let scenario = invent(households, seed);
        let streets = network::build(&scenario, &WalkRules::new(WalkProfile::adult()));
        assert_eq!(streets.n_fragments(), 0, "{}", scenario.name);
        let doors = streets.snap_atoms(&scenario.atoms);
        for (row, atom) in scenario.atoms.iter().enumerate() {
            assert_eq!(doors.failure(row), None, "{} {:?}", atom.source, atom.door);
        }
        let centers = scenario.stations.iter().filter(|station| station.tier == StationTier::Regional);
        let centers: Vec<Coord<f64>> = centers.map(|station| station.at).collect();
        assert!(!centers.is_empty());
        let nearest = streets.nearest(&streets.snap_sites(&centers), &doors, Measure::Distance, None);
        for (row, atom) in scenario.atoms.iter().enumerate() {
            assert_ne!(nearest.cost[row], UNREACHED, "{} in {}", atom.source, scenario.name);
        }
    }
}

#[test]
fn the_river_and_the_railway_make_walks_longer() {
    let scenario = invent(40_000, 6);
    let streets = network::build(&scenario, &WalkRules::new(WalkProfile::adult()));
    let doors = streets.snap_atoms(&scenario.atoms);
    let station = scenario.stations.iter().find(|station| station.tier == StationTier::City).expect("one");
    let nearest = streets.nearest(&streets.snap_sites(&[station.at]), &doors, Measure::Distance, None);
    let straight = |row: usize| {
        let door = scenario.atoms[row].door.expect("every invented building has a door");
        (door.x - station.at.x).hypot(door.y - station.at.y)
    };
    let walked: f64 = nearest.cost.iter().map(|&mm| f64::from(mm) / 1000.0).sum();
    let flown: f64 = (0..scenario.atoms.len()).map(straight).sum();
    let detour = walked / flown;
    assert!((1.1..1.7).contains(&detour), "walks are {detour} times the straight line");
}
