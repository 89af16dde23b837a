#![expect(clippy::unwrap_used, reason = "tests")]

use geo::{Area, Coord, LineString, MultiPolygon, Polygon, Validation};

use super::*;
use crate::model::{AtomShape, BarrierKind, StreetClass, UnitKind};

fn params() -> LandParams {
    LandParams::default()
}

fn rectangle(x0: f64, y0: f64, x1: f64, y1: f64) -> Polygon<f64> {
    Polygon::new(LineString::from(vec![(x0, y0), (x1, y0), (x1, y1), (x0, y1)]), vec![])
}

fn building(x: f64, y: f64, side: f64) -> LandAtom {
    LandAtom { shape: AtomShape::Area(MultiPolygon(vec![rectangle(x, y, x + side, y + side)])), home: None }
}

fn street(points: Vec<(f64, f64)>, class: StreetClass) -> LandStreet {
    LandStreet { line: LineString::from(points), class, level: StreetLevel::Open, name: None }
}

fn point(x: f64, y: f64) -> LandAtom {
    LandAtom { shape: AtomShape::Point(geo::Point::new(x, y)), home: None }
}

/// Every plot and every group is valid, areas add up to the outline's, no unit is empty.
fn check_tiling(subdivision: &Subdivision) {
    let plots = subdivision.plots();
    let outline = subdivision.outline().unsigned_area();
    check_areas(&plots, outline);
    for (unit, plot) in subdivision.units.iter().zip(&plots) {
        assert!((unit.area_m2 - plot.unsigned_area()).abs() < 1e-6, "{unit:?} {}", plot.unsigned_area());
    }
    for n_groups in [1, 2, 5] {
        let labels: Vec<u32> =
            (0..subdivision.units.len() as u32).map(|unit| unit * 7 / 3 % n_groups).collect();
        check_areas(&subdivision.dissolve(&labels).unwrap(), outline);
    }
}

fn check_areas(areas: &[MultiPolygon<f64>], outline: f64) {
    let total: f64 = areas.iter().map(|area| area.unsigned_area()).sum();
    assert!((total - outline).abs() < 1e-6, "areas {total} outline {outline}");
    for area in areas {
        area.check_validation().unwrap();
    }
}

#[test]
fn two_buildings_share_an_empty_square_half_and_half() {
    let input = LandInput {
        communities: vec![MultiPolygon(vec![rectangle(0.0, 0.0, 100.0, 50.0)])],
        atoms: vec![building(20.0, 20.0, 10.0), building(70.0, 20.0, 10.0)],
        ..LandInput::default()
    };
    let land = divide(&input, &params()).unwrap();
    let subdivision = &land.subdivisions[0];
    check_tiling(subdivision);
    assert_eq!(subdivision.units.len(), 2);
    for unit in &subdivision.units {
        assert!((unit.area_m2 - 2500.0).abs() < 200.0, "{unit:?}");
    }
    assert_eq!(subdivision.borders.len(), 1);
    assert!(subdivision.borders[0].passable);
}

#[test]
fn the_border_runs_along_the_street_even_if_one_building_is_nearer() {
    let input = LandInput {
        communities: vec![MultiPolygon(vec![rectangle(0.0, 0.0, 100.0, 50.0)])],
        atoms: vec![building(10.0, 20.0, 10.0), building(72.0, 20.0, 10.0)],
        streets: vec![street(vec![(70.0, -10.0), (70.0, 60.0)], StreetClass::Arterial)],
        ..LandInput::default()
    };
    let land = divide(&input, &params()).unwrap();
    let subdivision = &land.subdivisions[0];
    check_tiling(subdivision);
    assert!((subdivision.units[0].area_m2 - 3500.0).abs() < 1e-6);
    assert_eq!(subdivision.borders[0].length_mm, [0, 0, 0, 50_000, 0]);
}

#[test]
fn stacked_points_each_get_a_plot() {
    let input = LandInput {
        communities: vec![MultiPolygon(vec![rectangle(0.0, 0.0, 100.0, 50.0)])],
        atoms: (0..20).map(|_| point(50.0, 25.0)).collect(),
        ..LandInput::default()
    };
    let land = divide(&input, &params()).unwrap();
    check_tiling(&land.subdivisions[0]);
    assert!(land.subdivisions[0].units.iter().all(|unit| unit.area_m2 > 0.0));
    assert_eq!(land.hidden.len(), 19);
}

#[test]
fn a_railway_is_passable_only_with_a_crossing() {
    let mut input = LandInput {
        communities: vec![MultiPolygon(vec![rectangle(0.0, 0.0, 100.0, 50.0)])],
        atoms: vec![building(10.0, 20.0, 10.0), building(72.0, 20.0, 10.0)],
        barriers: vec![LandBarrier {
            shape: BarrierShape::Line(LineString::from(vec![(50.0, -10.0), (50.0, 60.0)])),
            kind: BarrierKind::Railway,
            name: None,
        }],
        ..LandInput::default()
    };
    let passable = |input: &LandInput| divide(input, &params()).unwrap().subdivisions[0].borders[0].passable;
    assert!(!passable(&input));
    input.crossings.push(Coord { x: 50.0, y: 20.0 });
    assert!(passable(&input));
    input.crossings.clear();
    input.streets.push(street(vec![(30.0, 25.0), (70.0, 25.0)], StreetClass::Path));
    assert!(passable(&input));
}

mod random {
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;

    type Rng = Xoshiro256PlusPlus;

    /// A coordinate on a coarse lattice half of the time, so that points, lines and edges often coincide.
    fn place(rng: &mut Rng, size: f64) -> (f64, f64) {
        let mut one = || {
            let v: f64 = rng.random_range(-0.1..1.1) * size;
            if rng.random_bool(0.5) { (v / 10.0).round() * 10.0 } else { v }
        };
        (one(), one())
    }

    fn ring(rng: &mut Rng, size: f64) -> LineString<f64> {
        let n = rng.random_range(1..8);
        LineString::from((0..n).map(|_| place(rng, size)).collect::<Vec<_>>())
    }

    fn blob(rng: &mut Rng, size: f64, span: f64) -> Polygon<f64> {
        let (x, y) = place(rng, size);
        if rng.random_bool(0.5) {
            return rectangle(x, y, x + rng.random_range(0.0..span), y + rng.random_range(0.0..span));
        }
        let scaled = |ring: LineString<f64>| {
            LineString(ring.0.iter().map(|c| Coord { x: x + c.x, y: y + c.y }).collect())
        };
        let shell = scaled(ring(rng, span));
        let hole = scaled(ring(rng, span / 2.0));
        Polygon::new(shell, if rng.random_bool(0.3) { vec![hole] } else { vec![] })
    }

    fn line(rng: &mut Rng, size: f64) -> LineString<f64> {
        let n = rng.random_range(1..6);
        LineString::from((0..n).map(|_| place(rng, size)).collect::<Vec<_>>())
    }

    pub(super) fn scene(seed: u64) -> LandInput {
        let rng = &mut Rng::seed_from_u64(seed);
        let size = 120.0;
        let n = |rng: &mut Rng, most: usize| rng.random_range(0..=most);
        let communities = (0..1 + n(rng, 2))
            .map(|_| match rng.random_range(0..4) {
                0 => MultiPolygon(vec![Polygon::new(ring(rng, size), vec![])]),
                1 => MultiPolygon(vec![blob(rng, size, size), blob(rng, size, size)]),
                _ => MultiPolygon(vec![rectangle(0.0, 0.0, size * rng.random_range(0.5..1.0), size)]),
            })
            .collect();
        let atoms = (0..n(rng, 12))
            .map(|_| {
                let (x, y) = place(rng, size);
                let shape = match rng.random_range(0..4) {
                    0 => AtomShape::Point(geo::Point::new(x, y)),
                    1 => AtomShape::Area(MultiPolygon(vec![blob(rng, size, 30.0), blob(rng, size, 30.0)])),
                    _ => AtomShape::Area(MultiPolygon(vec![blob(rng, size, 30.0)])),
                };
                LandAtom { shape, home: rng.random_bool(0.1).then_some(0) }
            })
            .collect();
        let classes = [StreetClass::Arterial, StreetClass::Secondary, StreetClass::Lane, StreetClass::Path];
        let streets = (0..n(rng, 6))
            .map(|_| LandStreet {
                line: line(rng, size),
                class: classes[rng.random_range(0..4)],
                level: if rng.random_bool(0.9) { StreetLevel::Open } else { StreetLevel::Tunnel },
                name: None,
            })
            .collect();
        let kinds = [BarrierKind::Railway, BarrierKind::Water, BarrierKind::Wall, BarrierKind::Motorway];
        let barriers = (0..n(rng, 3))
            .map(|_| LandBarrier {
                shape: if rng.random_bool(0.5) {
                    BarrierShape::Line(line(rng, size))
                } else {
                    BarrierShape::Area(MultiPolygon(vec![blob(rng, size, size)]))
                },
                kind: kinds[rng.random_range(0..4)],
                name: None,
            })
            .collect();
        let compounds = (0..n(rng, 2)).map(|_| MultiPolygon(vec![blob(rng, size, size)])).collect();
        let crossings = (0..n(rng, 2)).map(|_| place(rng, size).into()).collect();
        let unit_kind = if rng.random_bool(0.8) { UnitKind::Buildings } else { UnitKind::Areas };
        LandInput {
            unit_kind,
            communities,
            atoms,
            streets,
            barriers,
            compounds,
            crossings,
            names: Vec::new(),
        }
    }

    #[test]
    fn random_scenes_are_tiled() {
        let n: u64 = std::env::var("LAND_SCENES").ok().and_then(|v| v.parse().ok()).unwrap_or(1500);
        let from: u64 = std::env::var("LAND_FROM").ok().and_then(|v| v.parse().ok()).unwrap_or(0);
        for seed in from..from + n {
            let input = scene(seed);
            let land = std::panic::catch_unwind(|| divide(&input, &params()).unwrap());
            let land = land.unwrap_or_else(|_| panic!("seed {seed}"));
            for subdivision in &land.subdivisions {
                let checked = std::panic::catch_unwind(|| check_tiling(subdivision));
                assert!(checked.is_ok(), "seed {seed} community {}", subdivision.community);
            }
        }
    }
}
