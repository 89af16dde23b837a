//! Doors and sites on edges against all-pairs walks between nodes.

use geo::{Coord, LineString};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use super::reach::{Measure, Side, StreetNetwork, build};
use super::{Snaps, UNREACHED, WalkProfile, WalkRules};
use crate::geometry::Plane;
use crate::model::{Scenario, SourceId, Street, StreetClass};

fn street(line: Vec<Coord<f64>>, class: StreetClass, incline: Option<f64>) -> Street {
    Street {
        source: SourceId(String::new()),
        name: None,
        class,
        line: LineString(line),
        foot: true,
        bridge: false,
        tunnel: false,
        incline,
        crossing: false,
        no_wheelchair: false,
    }
}

/// A town with chains, dead-end trees, rings, islands and sloping streets.
fn town(seed: u64) -> Scenario {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut below = |bound: u32| random.next_u32() % bound;
    let side = 3 + below(3);
    let mut scenario = Scenario::new("town", Plane::from_epsg(4549).expect("known"));
    let at = |i: u32, j: u32| Coord { x: f64::from(i) * 90.0 + 500_000.0, y: f64::from(j) * 70.0 };
    for i in 0..side {
        for j in 0..side {
            for (k, l) in [(i + 1, j), (i, j + 1)] {
                if side <= k || side <= l || below(10) < 3 {
                    continue;
                }
                let (a, b) = (at(i, j), at(k, l));
                let mut line = vec![a];
                line.extend((1..=below(4)).map(|step| {
                    let along = a + (b - a) * (f64::from(step) / 5.0);
                    along + Coord { x: f64::from(below(9)), y: f64::from(below(9)) }
                }));
                line.push(b);
                let incline = (below(3) == 0).then(|| f64::from(below(20)) / 100.0 - 0.1);
                scenario.streets.push(street(line, StreetClass::Lane, incline));
            }
            if below(3) == 0 {
                let (a, aside) = (at(i, j), Coord { x: 30.0, y: 33.0 });
                let tip = a + aside * 0.8;
                scenario.streets.push(street(vec![a, a + aside * 0.4, tip], StreetClass::Lane, None));
                scenario.streets.push(street(
                    vec![tip, tip + Coord { x: 7.0, y: -4.0 }],
                    StreetClass::Steps,
                    Some(0.3),
                ));
            }
        }
    }
    // An island with a ring, and no junction on it.
    let far = at(side + 3, 0);
    let ring = [(0.0, 0.0), (40.0, 0.0), (40.0, 40.0), (0.0, 0.0)];
    let ring = ring.iter().map(|&(x, y)| far + Coord { x, y }).collect();
    scenario.streets.push(street(ring, StreetClass::Lane, None));
    scenario
}

fn places(seed: u64, n: u32) -> Vec<Coord<f64>> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut below = |bound: u32| f64::from(random.next_u32() % bound);
    let mut place = || Coord { x: 500_000.0 + below(900) - 20.0, y: below(400) - 20.0 };
    (0..n).map(|_| place()).collect()
}

/// Walks between all nodes by Floyd and Warshall.
fn all_walks(network: &StreetNetwork, measure: Measure) -> Vec<Vec<u64>> {
    let n = network.size().0;
    let mut walk = vec![vec![u64::MAX / 4; n]; n];
    for (from, to, there, back) in network.each_edge(measure) {
        let mut put = |a: u32, b: u32, cost: u32| {
            if cost != UNREACHED {
                let known = &mut walk[a as usize][b as usize];
                *known = u64::from(cost).min(*known);
            }
        };
        put(from, to, there);
        put(to, from, back);
    }
    for (node, row) in walk.iter_mut().enumerate() {
        row[node] = 0;
    }
    for k in 0..n {
        for i in 0..n {
            for j in 0..n {
                walk[i][j] = walk[i][j].min(walk[i][k] + walk[k][j]);
            }
        }
    }
    walk
}

/// The walk from a door to a site by definition: through any ends of their edges, or along a shared edge.
fn expected(
    network: &StreetNetwork,
    walk: &[Vec<u64>],
    measure: Measure,
    (doors, door): (&Snaps, usize),
    (sites, site): (&Snaps, usize),
) -> u32 {
    let mut best = u64::MAX / 4;
    for from in doors.attachments(door) {
        for to in sites.attachments(site) {
            for (a, leg) in network.legs(from, measure, Side::Door) {
                for (b, last) in network.legs(to, measure, Side::Site) {
                    if leg != UNREACHED && last != UNREACHED {
                        best = best.min(u64::from(leg) + walk[a as usize][b as usize] + u64::from(last));
                    }
                }
            }
            if from.edge == to.edge {
                let direct = network.along_edge(from, to, measure);
                best = if direct == UNREACHED { best } else { best.min(u64::from(direct)) };
            }
        }
    }
    u32::try_from(best).unwrap_or(UNREACHED)
}

fn check(seed: u64, profile: WalkProfile) {
    let network = build(&town(seed), &WalkRules::new(profile));
    let (at_doors, at_sites) = (places(seed + 1, 60), places(seed + 2, 7));
    let (doors, sites) = (network.snap_sites(&at_doors), network.snap_sites(&at_sites));
    let ways = [Measure::TimeThere, Measure::TimeBack].map(|measure| all_walks(&network, measure));
    let walks = all_walks(&network, Measure::Distance);
    for measure in [Measure::TimeThere, Measure::TimeBack, Measure::Distance, Measure::TimeWorse] {
        let of = |door: usize, site: usize| {
            let by = |walk, measure| expected(&network, walk, measure, (&doors, door), (&sites, site));
            match measure {
                Measure::TimeThere => by(&ways[0], measure),
                Measure::TimeBack => by(&ways[1], measure),
                Measure::Distance => by(&walks, measure),
                Measure::TimeWorse => by(&ways[0], Measure::TimeThere).max(by(&ways[1], Measure::TimeBack)),
            }
        };
        for limit in [0, 40_000, 150_000, UNREACHED] {
            let (reach, nearest) = (
                network.reach(&sites, &doors, measure, limit),
                network.nearest(&sites, &doors, measure, Some(limit)),
            );
            for site in 0..sites.len() {
                let row: Vec<(u32, u32)> = reach.row(site).collect();
                let all = (0..doors.len()).map(|door| (door as u32, of(door, site)));
                let row_expected: Vec<_> =
                    all.filter(|&(_, walk)| walk != UNREACHED && walk <= limit).collect();
                assert_eq!(row, row_expected, "seed {seed}, {measure:?}, limit {limit}, site {site}");
            }
            for door in 0..doors.len() {
                let all = (0..sites.len()).map(|site| (of(door, site), site as i32));
                let best = all.filter(|&(walk, _)| walk != UNREACHED && walk <= limit).min();
                let found = (nearest.cost[door], nearest.site[door]);
                assert_eq!(
                    found,
                    best.unwrap_or((UNREACHED, -1)),
                    "seed {seed}, {measure:?}, limit {limit}, door {door}"
                );
            }
        }
    }
}

#[test]
fn doors_and_sites_are_as_far_apart_as_all_walks_say() {
    for seed in 0..12 {
        check(seed * 10, WalkProfile::adult());
        check(seed * 10 + 5, WalkProfile::wheelchair());
    }
}

#[test]
fn a_town_has_doors_that_share_chains_and_edges_with_sites() {
    // Otherwise the test above would not see what lies inside a chain.
    let network = build(&town(0), &WalkRules::new(WalkProfile::adult()));
    let (doors, sites) = (network.snap_sites(&places(1, 60)), network.snap_sites(&places(2, 7)));
    let of_sites: Vec<u32> =
        (0..sites.len()).flat_map(|site| sites.attachments(site)).map(|at| at.edge).collect();
    let shared =
        (0..doors.len()).filter(|&door| doors.attachments(door).iter().any(|at| of_sites.contains(&at.edge)));
    assert!(0 < shared.count());
}
