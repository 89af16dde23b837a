#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet, HashMap};

use geo::{Area, BoundingRect, Contains, Coord, LineString, MultiPolygon, Relate};
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};

use super::*;
use crate::model::{Atom, AtomShape, BarrierKind, BarrierShape, GridClass, StationTier, Street, StreetClass};

type Mm = (i64, i64);
/// A segment and the row that it belongs to.
type Segment = (Mm, Mm, usize);

fn invent(households: u32, seed: u64) -> Scenario {
    city(&SynthParams { households: Households(households), seed }, &mut |_share| ())
}

/// Cities of several sizes and seeds, on which every rule is tested.
fn cities() -> Vec<Scenario> {
    [(600, 1), (600, 2), (3000, 3), (12_000, 1), (12_000, 2), (12_000, 7), (60_000, 4), (150_000, 5)]
        .map(|(households, seed)| invent(households, seed))
        .into()
}

fn mm(at: Coord<f64>) -> Mm {
    ((at.x * 1000.0).round() as i64, (at.y * 1000.0).round() as i64)
}

fn segments_of(line: &LineString<f64>, row: usize) -> impl Iterator<Item = Segment> + '_ {
    line.0.windows(2).map(move |pair| (mm(pair[0]), mm(pair[1]), row))
}

fn ring_segments(area: &MultiPolygon<f64>, row: usize) -> Vec<Segment> {
    area.0.iter().flat_map(|polygon| segments_of(polygon.exterior(), row)).collect()
}

/// Sign of the turn p → q → r, exact.
fn turn(p: Mm, q: Mm, r: Mm) -> i128 {
    let wide = |a: i64, b: i64| i128::from(a) - i128::from(b);
    (wide(q.0, p.0) * wide(r.1, p.1) - wide(q.1, p.1) * wide(r.0, p.0)).signum()
}

fn on_segment(p: Mm, a: Mm, b: Mm) -> bool {
    turn(a, b, p) == 0
        && (a.0.min(b.0)..=a.0.max(b.0)).contains(&p.0)
        && (a.1.min(b.1)..=a.1.max(b.1)).contains(&p.1)
}

/// Whether two segments meet anywhere but at a common end.
fn meet_unshared(first: &Segment, second: &Segment) -> bool {
    let ((a, b, _), (c, d, _)) = (*first, *second);
    let crosses = turn(a, b, c) * turn(a, b, d) < 0 && turn(c, d, a) * turn(c, d, b) < 0;
    let touches = |p: Mm, q: Mm, r: Mm| p != q && p != r && on_segment(p, q, r);
    crosses || touches(a, c, d) || touches(b, c, d) || touches(c, a, b) || touches(d, a, b)
}

struct Index(RTree<GeomWithData<Rectangle<[f64; 2]>, Segment>>);

impl Index {
    fn new(segments: impl IntoIterator<Item = Segment>) -> Self {
        let boxed = segments.into_iter().map(|segment| {
            let corner = |at: Mm| [at.0 as f64, at.1 as f64];
            GeomWithData::new(Rectangle::from_corners(corner(segment.0), corner(segment.1)), segment)
        });
        Self(RTree::bulk_load(boxed.collect()))
    }

    fn near(&self, segment: &Segment) -> impl Iterator<Item = Segment> + '_ {
        let corner = |at: Mm| [at.0 as f64, at.1 as f64];
        let envelope = AABB::from_corners(corner(segment.0), corner(segment.1));
        self.0.locate_in_envelope_intersecting(&envelope).map(|found| found.data)
    }
}

fn footprint(atom: &Atom) -> &MultiPolygon<f64> {
    match &atom.shape {
        AtomShape::Area(area) => area,
        AtomShape::Point(_) => panic!("{} has no footprint", atom.source),
    }
}

fn street_segments(streets: &[Street]) -> Vec<Segment> {
    streets.iter().enumerate().flat_map(|(row, street)| segments_of(&street.line, row)).collect()
}

#[test]
fn the_household_total_is_exact_at_any_size() {
    for households in [0, 1, 600, 3000, 12_000, 40_000] {
        for seed in 1..6 {
            assert_eq!(invent(households, seed).households(), Households(households), "seed {seed}");
        }
    }
}

#[test]
fn residents_are_about_two_point_six_a_household() {
    for scenario in cities() {
        let share = f64::from(scenario.residents().0) / f64::from(scenario.households().0);
        assert!((2.4..2.8).contains(&share), "{}: {share}", scenario.name);
    }
}

#[test]
fn codes_have_twelve_digits_and_names_are_unique() {
    for scenario in cities() {
        let names: BTreeSet<&String> = scenario.communities.iter().map(|community| &community.name).collect();
        assert_eq!(names.len(), scenario.communities.len());
        for community in &scenario.communities {
            assert!(community.street_office().is_some(), "{}", community.code);
            assert!(community.code.starts_with("37069"), "{}", community.code);
        }
    }
}

#[test]
fn tables_are_sorted_by_unique_source_ids() {
    fn check<T: Ord + std::fmt::Debug>(ids: Vec<T>) {
        for pair in ids.windows(2) {
            assert!(pair[0] < pair[1], "{pair:?}");
        }
    }
    for scenario in cities() {
        check(scenario.communities.iter().map(|row| &row.code).collect());
        check(scenario.atoms.iter().map(|row| &row.source).collect());
        check(scenario.compounds.iter().map(|row| &row.source).collect());
        check(scenario.streets.iter().map(|row| &row.source).collect());
        check(scenario.gates.iter().map(|row| &row.source).collect());
        check(scenario.barriers.iter().map(|row| &row.source).collect());
        check(scenario.premises.iter().map(|row| &row.source).collect());
        check(scenario.stations.iter().map(|row| &row.code).collect());
        scenario.check().unwrap();
    }
}

#[test]
fn streets_meet_only_where_they_share_a_vertex() {
    for scenario in cities() {
        let segments = street_segments(&scenario.streets);
        let index = Index::new(segments.iter().copied());
        for segment in &segments {
            assert_ne!(
                segment.0, segment.1,
                "{} has a leg without length",
                scenario.streets[segment.2].source
            );
            for other in index.near(segment).filter(|other| other != segment) {
                assert!(
                    !meet_unshared(segment, &other),
                    "{}: {:?} and {:?}",
                    scenario.name,
                    (&scenario.streets[segment.2].source, segment),
                    (&scenario.streets[other.2].source, other)
                );
            }
        }
    }
}

#[test]
fn all_streets_hang_together() {
    for scenario in cities() {
        let mut parent: HashMap<Mm, Mm> = HashMap::new();
        fn root(parent: &mut HashMap<Mm, Mm>, mut at: Mm) -> Mm {
            while let Some(&up) = parent.get(&at).filter(|&&up| up != at) {
                at = up;
            }
            at
        }
        let segments = street_segments(&scenario.streets);
        for &(a, b, _) in &segments {
            let (first, second) = (root(&mut parent, a), root(&mut parent, b));
            parent.insert(first, second);
            parent.entry(second).or_insert(second);
        }
        let roots: BTreeSet<Mm> = segments.iter().map(|segment| root(&mut parent, segment.0)).collect();
        assert_eq!(roots.len(), 1, "{}", scenario.name);
    }
}

#[test]
fn streets_pass_rivers_and_railways_only_on_bridges_and_in_tunnels() {
    let mut passed = BTreeMap::new();
    for scenario in cities() {
        let barriers = scenario.barriers.iter().enumerate().flat_map(|(row, barrier)| match &barrier.shape {
            BarrierShape::Line(line) => segments_of(line, row).collect::<Vec<_>>(),
            BarrierShape::Area(area) => ring_segments(area, row),
        });
        let index = Index::new(barriers);
        for segment in street_segments(&scenario.streets) {
            let street = &scenario.streets[segment.2];
            for other in index.near(&segment) {
                let barrier = &scenario.barriers[other.2];
                let cut = meet_unshared(&segment, &other) || segment.0 == other.0 || segment.1 == other.1;
                if cut {
                    assert!(street.bridge || street.tunnel, "{} {barrier:?}", street.source);
                    assert_ne!(barrier.kind, BarrierKind::Water);
                    *passed.entry(barrier.kind).or_insert(0) += 1;
                }
            }
        }
    }
    assert!(
        passed.contains_key(&BarrierKind::River) && passed.contains_key(&BarrierKind::Railway),
        "{passed:?}"
    );
}

#[test]
fn every_walled_compound_opens_at_a_gate_on_its_wall_and_nowhere_else() {
    for scenario in cities() {
        let mut gates: BTreeMap<usize, BTreeMap<Mm, bool>> = BTreeMap::new();
        for gate in &scenario.gates {
            gates.entry(gate.compound.unwrap().index()).or_default().insert(mm(gate.at), gate.open);
        }
        let segments = street_segments(&scenario.streets);
        let vertices: BTreeSet<Mm> = segments.iter().flat_map(|segment| [segment.0, segment.1]).collect();
        let index = Index::new(segments);
        for (row, compound) in scenario.compounds.iter().enumerate() {
            let none = BTreeMap::new();
            let gates = gates.get(&row).unwrap_or(&none);
            assert!((1..=4).contains(&gates.len()) == compound.walled, "{} has {gates:?}", compound.source);
            assert!(!compound.walled || gates.values().any(|&open| open), "{} is shut", compound.source);
            let wall = ring_segments(&compound.outline, row);
            let corners: BTreeSet<Mm> = wall.iter().map(|segment| segment.0).collect();
            for at in gates.keys() {
                assert!(corners.contains(at) && vertices.contains(at), "{} {at:?}", compound.source);
            }
            for segment in wall.iter().filter(|_| compound.walled) {
                for street in index.near(segment) {
                    let passes = meet_unshared(segment, &street);
                    let shared =
                        [street.0, street.1].into_iter().filter(|at| [segment.0, segment.1].contains(at));
                    let source = &scenario.streets[street.2].source;
                    assert!(!passes, "{source} passes the wall of {} at {segment:?}", compound.source);
                    assert!(shared.clone().all(|at| gates.contains_key(&at)), "{source} {}", compound.source);
                }
            }
        }
    }
}

#[test]
fn compounds_lie_inside_one_community_and_apart() {
    for scenario in cities() {
        let outlines: Vec<_> = scenario.compounds.iter().map(|compound| &compound.outline).collect();
        apart(&outlines, &scenario.name);
        let mut of_compound = BTreeMap::new();
        for atom in &scenario.atoms {
            if let Some(compound) = atom.compound {
                let community = of_compound.entry(compound).or_insert(atom.community);
                assert_eq!(*community, atom.community, "{}", scenario.compounds[compound.index()].source);
            }
        }
        for (compound, community) in of_compound {
            let community = &scenario.communities[community.unwrap().index()];
            let compound = &scenario.compounds[compound.index()];
            assert!(community.outline.contains(&compound.outline), "{} {}", compound.source, community.code);
        }
    }
}

#[test]
fn buildings_stand_inside_their_community_and_compound_with_the_door_on_the_wall() {
    for scenario in cities() {
        for atom in &scenario.atoms {
            let area = footprint(atom);
            let community = &scenario.communities[atom.community.unwrap().index()];
            assert!(community.outline.contains(area), "{} {}", atom.source, community.code);
            if let Some(compound) = atom.compound {
                assert!(scenario.compounds[compound.index()].outline.contains(area), "{}", atom.source);
            }
            let door = atom.door.unwrap();
            let ring: Vec<Coord<f64>> = area.0[0].exterior().0[1..].to_vec();
            let near =
                shape::edges(&ring).map(|(a, b)| shape::distance_to_segment(door, a, b)).fold(9.0, f64::min);
            assert!(near < 0.01, "{}: the door is {near} m off", atom.source);
        }
    }
}

#[test]
fn buildings_stand_apart_and_clear_of_streets_and_water() {
    for scenario in cities() {
        let areas: Vec<_> = scenario.atoms.iter().map(footprint).collect();
        apart(&areas, &scenario.name);
        let index = Index::new(areas.iter().enumerate().flat_map(|(row, area)| ring_segments(area, row)));
        let water = scenario.barriers.iter().flat_map(|barrier| match &barrier.shape {
            BarrierShape::Line(line) => segments_of(line, 0).collect::<Vec<_>>(),
            BarrierShape::Area(area) => ring_segments(area, 0),
        });
        for segment in street_segments(&scenario.streets).into_iter().chain(water) {
            for wall in index.near(&segment) {
                let touches = meet_unshared(&segment, &wall) || [wall.0, wall.1].contains(&segment.0);
                assert!(!touches, "{} stands on {segment:?}", scenario.atoms[wall.2].source);
            }
        }
    }
}

/// No two areas share inner points.
fn apart(areas: &[&MultiPolygon<f64>], name: &str) {
    let boxed = areas.iter().enumerate().map(|(row, area)| {
        let rect = area.bounding_rect().unwrap();
        GeomWithData::new(
            Rectangle::from_corners([rect.min().x, rect.min().y], [rect.max().x, rect.max().y]),
            row,
        )
    });
    let tree = RTree::bulk_load(boxed.collect::<Vec<_>>());
    for (row, area) in areas.iter().enumerate() {
        let rect = area.bounding_rect().unwrap();
        let envelope = AABB::from_corners([rect.min().x, rect.min().y], [rect.max().x, rect.max().y]);
        for other in tree
            .locate_in_envelope_intersecting(&envelope)
            .map(|found| found.data)
            .filter(|&other| row < other)
        {
            let matrix = area.relate(areas[other]);
            assert!(!matrix.matches("T********").unwrap(), "{name}: {area:?} and {:?}", areas[other]);
        }
    }
}

#[test]
fn communities_tile_the_district_with_shared_vertices() {
    for scenario in cities() {
        let mut walked: BTreeMap<(Mm, Mm), usize> = BTreeMap::new();
        let mut segments = Vec::new();
        for (row, community) in scenario.communities.iter().enumerate() {
            assert!(0.0 < community.outline.unsigned_area());
            for segment in ring_segments(&community.outline, row) {
                let before = walked.insert((segment.0, segment.1), row);
                assert_eq!(before, None, "{} walks {segment:?} like its neighbour", community.code);
                segments.push(segment);
            }
        }
        let index = Index::new(segments.iter().copied());
        for segment in &segments {
            for other in index.near(segment) {
                assert!(!meet_unshared(segment, &other), "{}: {segment:?} {other:?}", scenario.name);
            }
        }
    }
}

#[test]
fn terrain_is_smooth_and_lies_under_everything() {
    for scenario in cities() {
        let terrain = scenario.terrain.as_ref().unwrap();
        for street in &scenario.streets {
            for at in &street.line.0 {
                assert!(terrain.height(*at).is_some_and(|height| (-20.0..300.0).contains(&height)), "{at:?}");
            }
        }
        let columns = terrain.columns();
        let steepest = terrain
            .heights()
            .chunks(columns)
            .flat_map(|row| row.windows(2))
            .map(|pair| f64::from((pair[1] - pair[0]).abs()) / terrain.cell())
            .fold(0.0, f64::max);
        assert!(steepest < 0.7, "{}: slope {steepest}", scenario.name);
    }
}

#[test]
fn a_district_has_everything_that_a_planner_meets() {
    let scenario = invent(60_000, 4);
    let any = |found: bool, what: &str| assert!(found, "no {what} in {}", scenario.name);
    let streets = |class| scenario.streets.iter().filter(move |street| street.class == class).count();
    for class in StreetClass::ALL {
        any(0 < streets(class), class.as_str());
    }
    for tier in StationTier::ALL {
        any(scenario.stations.iter().any(|station| station.tier == tier), tier.as_str());
    }
    any(scenario.communities.iter().any(|community| community.class == GridClass::Rural), "village");
    any(scenario.atoms.iter().any(|atom| 18 <= atom.floors && 50 < atom.households.0), "tower");
    any(scenario.atoms.iter().any(|atom| atom.households.0 == 700), "oversized tower");
    any(scenario.atoms.iter().any(|atom| atom.exclusive), "exclusive building");
    any(scenario.atoms.iter().any(|atom| atom.locked), "locked grid");
    any(scenario.barriers.iter().any(|barrier| barrier.kind == BarrierKind::Water), "lake");
    any(scenario.gates.iter().any(|gate| !gate.open), "shut gate");
    let premise = &scenario.premises[0];
    any(
        premise.area.is_some() && premise.tenure.is_some() && premise.own_entrance.is_some(),
        "premises register",
    );
    any(premise.cost.is_some() && premise.capacity.is_some() && premise.floor.is_some(), "premises register");
}

#[test]
fn communities_are_of_ordinary_size_but_for_a_few() {
    let scenario = invent(150_000, 5);
    let mut households = vec![0; scenario.communities.len()];
    for atom in &scenario.atoms {
        households[atom.community.unwrap().index()] += atom.households.0;
    }
    let urban: Vec<u32> = (0..households.len())
        .filter(|&row| scenario.communities[row].class != GridClass::Rural)
        .map(|row| households[row])
        .collect();
    let ordinary = urban.iter().filter(|count| (1200..=4600).contains(*count)).count();
    assert!(urban.len() * 8 <= ordinary * 10, "{urban:?}");
}

#[test]
fn present_grids_carry_the_code_of_their_community() {
    for scenario in cities() {
        for atom in &scenario.atoms {
            let Some(grid) = &atom.current_grid else { continue };
            let community = &scenario.communities[atom.community.unwrap().index()];
            assert_eq!(grid.len(), 15);
            assert!(grid.starts_with(&community.code), "{grid} {}", community.code);
        }
    }
}

#[test]
fn threads_change_nothing_and_seeds_do() {
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| invent(30_000, 9))
    };
    let one = on(1);
    assert!(one == on(2), "two threads give another city");
    assert!(one != invent(30_000, 10), "seeds 9 and 10 give the same city");
}

#[test]
fn progress_rises_to_one() {
    let mut heard = Vec::new();
    let _ = city(&SynthParams { households: Households(20_000), seed: 1 }, &mut |share| heard.push(share));
    assert!(heard.windows(2).all(|pair| pair[0] <= pair[1]), "{heard:?}");
    assert_eq!(heard.last(), Some(&1.0));
}
