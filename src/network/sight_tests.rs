//! The nearest place of a street in sight against looking at every tenth of a metre.

use geo::{Coord, LineString, MultiPolygon, Polygon};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use super::reach::build;
use super::{DoorPlace, WalkProfile, WalkRules};
use crate::geometry::Plane;
use crate::model::{Barrier, BarrierKind, BarrierShape, Compound, Scenario, SourceId, Street, StreetClass};

type Segment = (Coord<f64>, Coord<f64>);

struct Dice(Xoshiro256PlusPlus);

impl Dice {
    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * f64::from(self.0.next_u32()) / f64::from(u32::MAX)
    }

    fn place(&mut self) -> Coord<f64> {
        Coord { x: self.between(0.0, 300.0), y: self.between(0.0, 300.0) }
    }
}

fn street(line: Vec<Coord<f64>>) -> Street {
    Street {
        source: SourceId(String::new()),
        name: None,
        class: StreetClass::Lane,
        line: LineString(line),
        foot: true,
        bridge: false,
        tunnel: false,
        incline: None,
        crossing: false,
        no_wheelchair: false,
    }
}

fn wall(line: Vec<Coord<f64>>) -> Barrier {
    let shape = BarrierShape::Line(LineString(line));
    Barrier { source: SourceId(String::new()), name: None, kind: BarrierKind::Wall, shape }
}

/// Long straight streets and crooked walls all over the place.
fn town(seed: u64, dice: &mut Dice) -> Scenario {
    let mut scenario = Scenario::new("walls", Plane::from_epsg(4549).expect("known"));
    for _ in 0..2 + seed % 3 {
        let (from, along) = (dice.place(), dice.between(0.0, 6.3));
        let to = from + Coord { x: along.cos(), y: along.sin() } * dice.between(100.0, 300.0);
        scenario.streets.push(street(vec![from, to]));
    }
    for _ in 0..8 * (seed % 6) {
        let mut line = vec![dice.place()];
        for _ in 0..1 + seed % 4 {
            let step = Coord { x: dice.between(-30.0, 30.0), y: dice.between(-30.0, 30.0) };
            line.push(line[line.len() - 1] + step);
        }
        scenario.barriers.push(wall(line));
    }
    scenario
}

/// The same with every street in pieces of at most so many metres.
fn in_pieces(scenario: &Scenario, longest: f64) -> Scenario {
    let mut scenario = scenario.clone();
    for street in &mut scenario.streets {
        let (a, b) = (street.line.0[0], street.line.0[1]);
        let n = ((b - a).x.hypot((b - a).y) / longest).ceil();
        street.line.0 = (0..=n as u32).map(|i| a + (b - a) * (f64::from(i) / n)).collect();
    }
    scenario
}

fn segments<'a>(lines: impl Iterator<Item = &'a LineString<f64>>) -> Vec<Segment> {
    lines.flat_map(|line| line.0.windows(2).map(|pair| (pair[0], pair[1]))).collect()
}

fn walls(scenario: &Scenario) -> Vec<Segment> {
    let lines = scenario.barriers.iter().filter_map(|barrier| match &barrier.shape {
        BarrierShape::Line(line) => Some(line),
        BarrierShape::Area(_) => None,
    });
    let outlines = scenario.compounds.iter().flat_map(|compound| &compound.outline);
    segments(lines.chain(outlines.map(Polygon::exterior)))
}

/// Whether no wall stands across the leg, a quarter of a metre at its ends apart.
fn is_in_sight(walls: &[Segment], from: Coord<f64>, to: Coord<f64>) -> bool {
    let side = |a: Coord<f64>, b: Coord<f64>, c: Coord<f64>| {
        ((b - a).x * (c - a).y - (b - a).y * (c - a).x).total_cmp(&0.0)
    };
    let length = (to - from).x.hypot((to - from).y);
    if length <= 0.5 {
        return true;
    }
    let (from, to) = (from + (to - from) * (0.25 / length), to - (to - from) * (0.25 / length));
    !walls.iter().any(|&(a, b)| side(from, to, a) != side(from, to, b) && side(a, b, from) != side(a, b, to))
}

/// Where the leg to a place starts.
fn start(door: &DoorPlace<'_>, to: Coord<f64>) -> Coord<f64> {
    use geo::{Closest, ClosestPoint};
    let Some(footprint) = door.footprint else { return door.at };
    match footprint.0[0].exterior().closest_point(&to.into()) {
        Closest::Intersection(at) | Closest::SinglePoint(at) => at.0,
        Closest::Indeterminate => to,
    }
}

/// The shortest leg in sight by looking at every tenth of a metre.
fn by_looking(scenario: &Scenario, door: &DoorPlace<'_>, most: f64) -> Option<f64> {
    let walls = walls(scenario);
    let mut best: Option<f64> = None;
    for (a, b) in segments(scenario.streets.iter().map(|street| &street.line)) {
        let n = ((b - a).x.hypot((b - a).y) * 10.0).ceil() as u32;
        for step in 0..=n {
            let to = a + (b - a) * (f64::from(step) / f64::from(n));
            let from = start(door, to);
            let leg = (to - from).x.hypot((to - from).y);
            if leg <= best.unwrap_or(most) && is_in_sight(&walls, from, to) {
                best = Some(leg);
            }
        }
    }
    best
}

/// Compares the legs of doors with those found by looking; gives how many had to be looked for, and the doors whose
/// leg is longer than necessary.
fn check(scenario: &Scenario, doors: &[DoorPlace<'_>], what: &str) -> (usize, usize) {
    let rules = WalkRules::new(WalkProfile::adult());
    let network = build(scenario, &rules);
    let snaps = network.snap(doors);
    let no_walls =
        build(&Scenario { barriers: Vec::new(), compounds: Vec::new(), ..scenario.clone() }, &rules);
    let open = no_walls.snap(doors);
    let (mut moved, mut too_long) = (0, 0);
    for (row, door) in doors.iter().enumerate() {
        let found = snaps.attachments(row).first();
        let expected = by_looking(scenario, door, rules.max_access.value() - 0.01);
        if let Some(at) = found {
            let to = network.position(at);
            let from = start(door, to);
            assert!(is_in_sight(&walls(scenario), from, to), "{what}, door {row}: a wall stands between");
            let length = (to - from).x.hypot((to - from).y);
            assert!((length - at.access).abs() < 1e-6, "{what}, door {row}: {length} for {}", at.access);
        }
        let found = found.map_or(f64::INFINITY, |at| at.access);
        too_long += usize::from(expected.is_some_and(|expected| expected + 0.02 < found));
        moved += usize::from(open.attachments(row).first().is_some_and(|at| at.access + 0.02 < found));
    }
    (moved, too_long)
}

#[test]
fn the_nearest_place_in_sight_is_found() {
    let mut moved = 0;
    for seed in 0..60 {
        let mut dice = Dice(Xoshiro256PlusPlus::seed_from_u64(seed));
        let scenario = town(seed, &mut dice);
        let places: Vec<Coord<f64>> = (0..25).map(|_| dice.place()).collect();
        let doors: Vec<DoorPlace<'_>> = places.iter().map(|&at| DoorPlace::at(at)).collect();
        for longest in [1000.0, 20.0] {
            let what = format!("seed {seed}, pieces of {longest} m");
            let (behind_walls, too_long) = check(&in_pieces(&scenario, longest), &doors, &what);
            assert_eq!(too_long, 0, "{what}");
            moved += behind_walls;
        }
    }
    assert!(600 < moved, "only {moved} doors stood behind walls");
}

#[test]
fn buildings_see_streets_from_all_their_walls() {
    let (mut moved, mut too_long) = (0, 0);
    for seed in 0..40 {
        let mut dice = Dice(Xoshiro256PlusPlus::seed_from_u64(1000 + seed));
        let scenario = town(seed, &mut dice);
        let houses: Vec<(Coord<f64>, MultiPolygon<f64>)> = (0..20)
            .map(|_| {
                let (at, turn) = (dice.place(), dice.between(0.0, 3.0));
                let (long, wide) = (dice.between(4.0, 20.0), dice.between(3.0, 8.0));
                let corner = |x: f64, y: f64| {
                    at + Coord { x: x * turn.cos() - y * turn.sin(), y: x * turn.sin() + y * turn.cos() }
                };
                let ring =
                    vec![corner(-long, -wide), corner(long, -wide), corner(long, wide), corner(-long, wide)];
                (at, MultiPolygon(vec![Polygon::new(LineString(ring), vec![])]))
            })
            .collect();
        let doors: Vec<DoorPlace<'_>> = houses
            .iter()
            .map(|(at, house)| DoorPlace { at: *at, footprint: Some(house), compound: None })
            .collect();
        let found = check(&in_pieces(&scenario, 50.0), &doors, &format!("seed {seed}"));
        (moved, too_long) = (moved + found.0, too_long + found.1);
    }
    assert_eq!(too_long, 0);
    assert!(150 < moved, "only {moved} buildings stood behind walls");
}

#[test]
fn a_street_that_leads_into_a_compound_is_seen_where_it_does() {
    // The nearest place of the street lies behind the compound's wall, five metres off; inside it begins 31 m
    // away.
    let corner = |x: f64, y: f64| Coord { x, y };
    let ring = vec![corner(0.0, 0.0), corner(100.0, 0.0), corner(100.0, 60.0), corner(0.0, 60.0)];
    let mut scenario = Scenario::new("yard", Plane::from_epsg(4549).expect("known"));
    scenario.streets.push(street(vec![corner(-200.0, -5.0), corner(30.0, -5.0), corner(34.0, 2.0)]));
    scenario.compounds.push(Compound {
        source: SourceId("yard".into()),
        name: None,
        outline: MultiPolygon(vec![Polygon::new(LineString(ring), vec![])]),
        walled: true,
        households: None,
    });
    let doors = [DoorPlace::at(corner(2.0, 2.0))];
    assert_eq!(check(&scenario, &doors, "yard"), (1, 0));
    let network = build(&scenario, &WalkRules::new(WalkProfile::adult()));
    let access = network.snap(&doors).attachments(0)[0].access;
    assert!((30.9..31.1).contains(&access), "{access}");
}
