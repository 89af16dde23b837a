//! Land against an independent tool: polygons are overlaid with i_overlay, which shares no code with the subdivision.
#![expect(clippy::unwrap_used, reason = "tests")]

use geo::{Area, BooleanOps, Coord, LineString, MultiPolygon, Polygon, Validation};
use gridplan::land::{
    BoundaryClass, Ground, Land, LandAtom, LandBarrier, LandInput, LandParams, LandStreet, StreetLevel,
    VoidKind, divide,
};
use gridplan::model::{AtomShape, BarrierKind, BarrierShape, Lang, StreetClass, UnitKind};

fn ring(points: &[(f64, f64)]) -> Polygon<f64> {
    Polygon::new(LineString::from(points.to_vec()), Vec::new())
}

fn rectangle(x0: f64, y0: f64, x1: f64, y1: f64) -> Polygon<f64> {
    ring(&[(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
}

fn street(points: &[(f64, f64)], class: StreetClass, name: u32) -> LandStreet {
    LandStreet { line: LineString::from(points.to_vec()), class, level: StreetLevel::Open, name: Some(name) }
}

/// Two communities on both sides of a crooked border that each drew in its own way, with rows of houses, an avenue (0) and a street (1).
fn town() -> LandInput {
    let west = ring(&[(0.0, 0.0), (200.0, 0.0), (207.3, 90.1), (198.2, 200.0), (0.0, 200.0)]);
    let east =
        ring(&[(200.0, 0.0), (400.0, 0.0), (400.0, 200.0), (198.2, 200.0), (203.0, 140.0), (207.1, 90.0)]);
    let houses = (0..10).flat_map(|column| {
        (0..5).map(move |row| (8.0 + 40.0 * f64::from(column), 7.0 + 40.0 * f64::from(row)))
    });
    let atoms = houses.map(|(x, y)| LandAtom {
        shape: AtomShape::Area(MultiPolygon(vec![rectangle(x, y, x + 18.0, y + 11.0)])),
        home: None,
    });
    LandInput {
        communities: vec![MultiPolygon(vec![west]), MultiPolygon(vec![east])],
        atoms: atoms.collect(),
        streets: vec![
            street(&[(-20.0, 115.0), (420.0, 112.0)], StreetClass::Arterial, 0),
            street(&[(115.0, -20.0), (113.0, 220.0)], StreetClass::Lane, 1),
        ],
        names: vec!["人民大道".to_owned(), "学府巷".to_owned()],
        ..LandInput::default()
    }
}

fn grids(land: &Land, label: impl Fn(usize) -> u32) -> Vec<MultiPolygon<f64>> {
    let of_one = |subdivision: &gridplan::land::Subdivision| {
        let labels: Vec<u32> = (0..subdivision.units.len()).map(&label).collect();
        subdivision.dissolve(&labels).unwrap()
    };
    land.subdivisions.iter().flat_map(of_one).collect()
}

/// No two areas overlap, each is valid, and together they are the outlines.
fn check(areas: &[MultiPolygon<f64>], land: &Land) {
    let outline = land.subdivisions.iter().fold(MultiPolygon(Vec::new()), |all, s| all.union(&s.outline()));
    let mut union = MultiPolygon(Vec::new());
    for area in areas {
        area.check_validation().unwrap();
        union = union.union(area);
    }
    let sum: f64 = areas.iter().map(|area| area.unsigned_area()).sum();
    assert!((sum - union.unsigned_area()).abs() < 0.01, "overlap: {sum} against {}", union.unsigned_area());
    assert!(outline.difference(&union).unsigned_area() < 0.01, "gap");
    assert!(union.difference(&outline).unsigned_area() < 0.01, "spill");
}

#[test]
fn plots_and_grids_tile_both_communities() {
    let land = divide(&town(), &LandParams::default()).unwrap();
    let plots: Vec<_> = land.subdivisions.iter().flat_map(|s| s.plots()).collect();
    check(&plots, &land);
    for n in [1, 2, 3, 7] {
        check(&grids(&land, |unit| unit as u32 % n), &land);
    }
    // The outlines overlap and leave a slit; both are settled and reported.
    assert!(land.settled.iter().any(|s| s.claimants == [0, 1]));
    assert!(land.outside.is_empty() && land.hidden.is_empty());
}

#[test]
fn both_sides_of_a_community_border_have_the_same_vertices() {
    let land = divide(&town(), &LandParams::default()).unwrap();
    let vertices = |community: usize| -> Vec<Coord<f64>> {
        let outline = land.subdivisions[community].outline();
        let coords = outline.0[0].exterior().coords().copied();
        coords.filter(|c| (197.0..209.0).contains(&c.x) && (0.5..199.5).contains(&c.y)).collect()
    };
    let (west, east) = (vertices(0), vertices(1));
    assert!(west.len() > 3);
    assert!(west.iter().all(|c| east.contains(c)) && east.iter().all(|c| west.contains(c)));
}

#[test]
fn the_answer_does_not_depend_on_threads() {
    let run = |n: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
        let land = pool.install(|| divide(&town(), &LandParams::default()).unwrap());
        (
            grids(&land, |unit| unit as u32 / 3),
            land.subdivisions.iter().map(|s| s.borders.clone()).collect::<Vec<_>>(),
        )
    };
    assert_eq!(run(1), run(4));
}

#[test]
fn a_grid_south_of_the_avenue_is_described_by_it() {
    let input = town();
    let land = divide(&input, &LandParams::default()).unwrap();
    let west = &land.subdivisions[0];
    let labels: Vec<u32> = west
        .units
        .iter()
        .map(|unit| match unit.ground {
            // Rows 0 to 2 lie south of the avenue, columns 0 to 2 west of the lane.
            Ground::Plot(atom) => u32::from(atom % 5 > 2) + 2 * u32::from(atom / 5 > 2),
            Ground::Void(_) => 0,
        })
        .collect();
    let sentence = west.describe(&labels).unwrap()[0].sentence(&input.names, Lang::Zh);
    assert_eq!(sentence, "东至学府巷，南至社区界，西至社区界，北至人民大道");
    let along_avenue: u64 = west.borders.iter().map(|b| b.length_mm[BoundaryClass::Arterial as usize]).sum();
    assert!((200_000..230_000).contains(&along_avenue), "{along_avenue}");
}

#[test]
fn water_is_one_unit_and_only_a_bridge_joins_its_banks() {
    let mut input = LandInput {
        communities: vec![MultiPolygon(vec![rectangle(0.0, 0.0, 300.0, 100.0)])],
        atoms: [20.0, 260.0]
            .map(|x| LandAtom {
                shape: AtomShape::Area(MultiPolygon(vec![rectangle(x, 40.0, x + 20.0, 60.0)])),
                home: None,
            })
            .to_vec(),
        barriers: vec![LandBarrier {
            shape: BarrierShape::Area(MultiPolygon(vec![rectangle(100.0, -10.0, 200.0, 110.0)])),
            kind: BarrierKind::Water,
            name: None,
        }],
        ..LandInput::default()
    };
    let joined = |input: &LandInput| {
        let land = divide(input, &LandParams::default()).unwrap();
        let subdivision = &land.subdivisions[0];
        assert_eq!(subdivision.units.len(), 3);
        assert_eq!(subdivision.units[2].ground, Ground::Void(VoidKind::Water));
        assert!((subdivision.units[2].area_m2 - 10_000.0).abs() < 0.01);
        check(&subdivision.plots(), &land);
        subdivision.borders.iter().any(|b| (b.u, b.v) == (0, 1) && b.passable)
    };
    assert!(!joined(&input));
    input.streets.push(street(&[(50.0, 50.0), (250.0, 50.0)], StreetClass::Secondary, 0));
    assert!(joined(&input));
}

#[test]
fn census_areas_stay_as_they_are_and_slits_go_to_a_neighbor() {
    let area = |polygon| LandAtom { shape: AtomShape::Area(MultiPolygon(vec![polygon])), home: None };
    let input = LandInput {
        unit_kind: UnitKind::Areas,
        communities: vec![MultiPolygon(vec![rectangle(0.0, 0.0, 100.0, 100.0)])],
        // 0.1 m of overlap between the first two, 0.2 m of slit before the third.
        atoms: vec![
            area(rectangle(0.0, 0.0, 40.0, 100.0)),
            area(rectangle(39.9, 0.0, 70.0, 100.0)),
            area(rectangle(70.2, 0.0, 100.0, 100.0)),
        ],
        ..LandInput::default()
    };
    let land = divide(&input, &LandParams::default()).unwrap();
    check(&land.subdivisions[0].plots(), &land);
    let areas: Vec<f64> = land.subdivisions[0].units.iter().map(|unit| unit.area_m2).collect();
    assert!((areas[0] - 3990.0).abs() < 0.01 && (areas[1] - 3030.0).abs() < 0.01, "{areas:?}");
    assert_eq!(land.settled_areas.len(), 2);
    assert!((land.settled_areas[0].area_m2 - 10.0).abs() < 0.01 && land.settled_areas[0].given_to == 1);
}

#[test]
fn hopeless_input_gives_an_answer() {
    let nan = Coord { x: f64::NAN, y: 1.0 };
    let far = Coord { x: 1e300, y: -1e300 };
    let broken = Polygon::new(LineString(vec![nan, far, Coord { x: 0.0, y: 0.0 }]), Vec::new());
    let input = LandInput {
        communities: vec![
            MultiPolygon(vec![broken.clone()]),
            MultiPolygon(Vec::new()),
            MultiPolygon(vec![rectangle(0.0, 0.0, 9.0, 9.0)]),
        ],
        atoms: vec![
            LandAtom { shape: AtomShape::Area(MultiPolygon(vec![broken])), home: None },
            LandAtom { shape: AtomShape::Point(nan.into()), home: Some(0) },
            LandAtom { shape: AtomShape::Point(nan.into()), home: Some(77) },
            LandAtom { shape: AtomShape::Area(MultiPolygon(Vec::new())), home: Some(2) },
        ],
        streets: vec![LandStreet {
            line: LineString(vec![nan, far]),
            class: StreetClass::Lane,
            level: StreetLevel::Open,
            name: None,
        }],
        ..LandInput::default()
    };
    let land = divide(&input, &LandParams::default()).unwrap();
    assert_eq!(land.subdivisions.len(), 3);
    let n_units: usize = land.subdivisions.iter().map(|s| s.n_atoms()).sum();
    assert_eq!(n_units + land.outside.len(), 4);
    assert!((land.subdivisions[2].outline().unsigned_area() - 81.0).abs() < 1e-6);
}
