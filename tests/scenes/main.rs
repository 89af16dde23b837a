//! Small worlds with walking times worked out by hand.

mod draw;

use draw::Scene;
use geo::{Coord, LineString, MultiPolygon, Polygon};
use gridplan::model::{Compound, CompoundId, Gate, SourceId, Terrain};
use gridplan::network::{DoorPlace, Measure, SnapFailure, WalkProfile};

#[test]
fn a_mid_block_door_is_timed_from_whichever_end_is_nearer() {
    let scene = Scene::draw(
        50.0,
        "
        A---+
        |   |
        B-d-+",
    );
    // Down the footpath and back along the loop: 100 + 100. Round the loop: 200 + 100 + 100.
    assert_eq!(scene.walk('d', 'A'), Some(100.0 + 100.0));
    assert_eq!(scene.walk('A', 'd'), Some(100.0 + 100.0));
}

#[test]
fn two_doors_on_one_edge_do_not_walk_round_its_ends() {
    let scene = Scene::draw(
        20.0,
        "
        A-d--e-B",
    );
    assert_eq!(scene.walk('d', 'e'), Some(60.0));
    assert_eq!(scene.walk('d', 'd'), Some(0.0));
}

#[test]
fn the_leg_from_door_to_street_counts_on_both_sides() {
    let scene = Scene::draw(
        20.0,
        "
          d
        A----B
              e",
    );
    // 20 up to the street, 20 along to above A's neighbour, nothing more; e: past the end, diagonally.
    assert_eq!(scene.walk('d', 'A'), Some(20.0 + 40.0));
    let diagonal = (20.0_f64 * 20.0 + 20.0 * 20.0).sqrt();
    let expected = 20.0 + 60.0 + diagonal;
    assert!((scene.walk('d', 'e').expect("one street") - expected).abs() < 0.001);
}

#[test]
fn a_river_is_crossed_at_the_bridge_only() {
    let scene = Scene::draw(
        50.0,
        "
        A---+ # +---B
            | # |
            | # |
            +-=-+
              #
            d # e",
    );
    // Straight across it would be 600.
    assert_eq!(scene.walk('A', 'B'), Some(200.0 + 150.0 + 200.0 + 150.0 + 200.0));
}

#[test]
fn a_door_at_the_river_does_not_snap_to_the_other_bank() {
    let scene = Scene::draw(
        20.0,
        "
        A   d#+--B
        |    #|
        +----=+  ",
    );
    // The street beyond the water is 40 away, the own bank's street 40 below the door.
    let network = scene.network();
    let door = scene.snap(&network, "d");
    let at = network.position(&door.attachments(0)[0]);
    assert_eq!((at.x, at.y), (80.0, -40.0));
    assert_eq!(scene.walk('d', 'B'), Some(40.0 + 40.0 + 40.0 + 60.0));
}

#[test]
fn a_cul_de_sac_behind_the_house_is_no_way_through() {
    let scene = Scene::draw(
        50.0,
        "
        A-----+
        |     |
        |  d--+
        |
        B--+   ",
    );
    assert_eq!(scene.walk('d', 'B'), Some(150.0 + 100.0 + 300.0 + 200.0));
}

#[test]
fn round_a_ring_the_shorter_side_counts() {
    let scene = Scene::draw(
        10.0,
        "
        A---------+
        |         |
        d         e
        |         |
        +---------+",
    );
    assert_eq!(scene.walk('d', 'A'), Some(20.0));
    assert_eq!(scene.walk('e', 'A'), Some(20.0 + 100.0));
    assert_eq!(scene.walk('d', 'e'), Some(20.0 + 100.0 + 20.0));
}

#[test]
fn nobody_walks_to_an_island() {
    let scene = Scene::draw(
        50.0,
        "
        A---B     d-C",
    );
    assert_eq!(scene.walk('d', 'A'), None);
    let network = scene.network();
    let (doors, sites) = (scene.snap(&network, "dB"), scene.snap(&network, "A"));
    assert!(network.is_island(0, &doors, &sites));
    assert!(!network.is_island(1, &doors, &sites));
}

#[test]
fn a_door_exactly_at_the_limit_is_reached_and_one_millimetre_more_is_not() {
    let scene = Scene::draw(
        50.0,
        "
        A--d",
    );
    let network = scene.network();
    let (doors, sites) = (scene.snap(&network, "d"), scene.snap(&network, "A"));
    let reached = |limit| network.reach(&sites, &doors, Measure::TimeThere, limit).row(0).len();
    assert_eq!((reached(150_000), reached(149_999)), (1, 0));
    let nearest = |limit| network.nearest(&sites, &doors, Measure::TimeThere, Some(limit)).site[0];
    assert_eq!((nearest(150_000), nearest(149_999)), (0, -1));
}

#[test]
fn of_two_equal_stations_the_first_is_nearest() {
    let scene = Scene::draw(
        50.0,
        "
        A--d--B",
    );
    let network = scene.network();
    let doors = scene.snap(&network, "d");
    for order in ["AB", "BA"] {
        let nearest = network.nearest(&scene.snap(&network, order), &doors, Measure::TimeThere, None);
        assert_eq!((nearest.cost[0], nearest.site[0]), (150_000, 0), "stations {order}");
    }
}

#[test]
fn a_footbridge_passes_over_the_street_below() {
    let mut scene = Scene::draw(
        50.0,
        "
        A-+-B",
    );
    // A footbridge straight over the middle of the street, with a vertex exactly above it.
    let mut bridge = scene.scenario.streets[0].clone();
    let at = |y: f64| Coord { x: 100.0, y };
    bridge.line = LineString::new(vec![at(100.0), at(0.0), at(-100.0)]);
    bridge.bridge = true;
    let crossing = scene.scenario.streets.iter().map(|street| street.line.0.len()).max();
    assert_eq!(crossing, Some(2), "pieces of two vertices");
    // As one street that passes below, not two that end there.
    let line = vec![scene.place('A'), at(0.0), scene.place('B')];
    scene.scenario.streets.truncate(1);
    scene.scenario.streets[0].line = LineString::new(line);
    scene.scenario.streets.push(bridge.clone());
    let network = scene.network();
    let ends = network.snap_sites(&[scene.place('A')]);
    let above = |y: f64| network.snap(&[DoorPlace::at(at(y))]);
    assert_eq!(network.n_fragments(), 0, "both are of one length");
    assert_eq!(above(100.0).failure(0), Some(SnapFailure::TooFar { nearest: 100.0 }), "no door on a bridge");
    assert_eq!(network.size(), (6, 4), "the two lines share no node");
    drop(ends);

    // Stairs that end on the bridge's middle join it, and through them the street does not.
    bridge.bridge = false;
    scene.scenario.streets.pop();
    scene.scenario.streets.push(bridge);
    assert_eq!(scene.network().size(), (5, 4), "on the ground the two lines cross at a node");
}

#[test]
fn a_wall_between_door_and_street_is_walked_round_through_its_gate() {
    let scene = Scene::draw(
        20.0,
        "
        A-----+-B
         #####@##
           d     ",
    );
    // d lies 40 below the street behind a wall; nothing else is near, and round the wall's end it is too far.
    let network = scene.network();
    assert_eq!(scene.snap(&network, "d").failure(0), Some(SnapFailure::WalledIn));
    let scene = Scene::draw(
        20.0,
        "
        A-----+-B
          ####@##
              d  ",
    );
    // Right below the gate the leg passes.
    assert_eq!(scene.walk('d', 'B'), Some(40.0 + 40.0));
}

#[test]
fn a_short_wall_is_seen_round_however_the_street_is_drawn() {
    // The wall reaches from 50 to 80, 20 in front of the door at 60. Seen past its left end the street begins at
    // 60 − 10 · 30 / 20 = 45.
    let mut scene = Scene::draw(
        10.0,
        "
        A-----------B
             ####

              d      ",
    );
    let expected = 45.0 + 15.0_f64.hypot(30.0);
    let street = scene.scenario.streets[0].clone();
    for piece in [10, 20, 30, 40, 60, 120] {
        let mut line: Vec<Coord<f64>> =
            (0..120).step_by(piece).map(|x| Coord { x: f64::from(x), y: 0.0 }).collect();
        line.push(scene.place('B'));
        for _ in 0..2 {
            line.reverse();
            scene.scenario.streets = vec![street.clone()];
            scene.scenario.streets[0].line = LineString::new(line.clone());
            let walk = scene.walk('d', 'A').expect("the street is in sight");
            assert!((walk - expected).abs() < 0.02, "pieces of {piece}: {walk} for {expected}");
        }
    }
}

#[test]
fn a_door_on_an_isolated_street_does_not_reach_across_the_block() {
    let far = Scene::draw(
        10.0,
        "
        A------------------------------B





          C-D
          d  ",
    );
    // 10 to the isolated street and 60 to the other one.
    assert_eq!(far.walk('d', 'A'), None);
    let network = far.network();
    let (doors, sites) = (far.snap(&network, "d"), far.snap(&network, "A"));
    assert!(doors.failure(0).is_none() && network.is_island(0, &doors, &sites));
    let near = Scene::draw(
        10.0,
        "
        A------------------------------B


          C-D
          d  ",
    );
    // 30 more than to the nearest is near enough: the gap may be an error of the drawing.
    assert_eq!(near.walk('d', 'A'), Some(40.0 + 20.0));
}

#[test]
fn a_walker_does_not_leave_a_closed_street_across_the_block() {
    let wheels = WalkProfile { name: "wheels".into(), ..WalkProfile::wheelchair() };
    let wheels = WalkProfile { flat_speed: gridplan::units::MetresPerSecond::constant(1.0), ..wheels };
    let mut scene = Scene::draw(
        10.0,
        "
        A----+~~~~~~~~~~+--B
              e   d        ",
    )
    .with_profile(wheels);
    let walk = |scene: &Scene, from: &str| {
        let network = scene.network();
        let doors = scene.snap(&network, from);
        let nearest = network.nearest(&scene.snap(&network, "A"), &doors, Measure::Distance, None);
        doors.failure(0).map_or(Ok(f64::from(nearest.cost[0]) / 1000.0), Err)
    };
    // The stairs are 10 off, the streets at their ends 50 to the side.
    assert_eq!(walk(&scene, "d"), Err(SnapFailure::Closed { nearest: 10.0 }));
    let corner = 10.0_f64.hypot(10.0);
    assert!((walk(&scene, "e").expect("a street beside the stairs") - (corner + 50.0)).abs() < 0.002);
    // A street too steep is closed as stairs are.
    for street in scene.scenario.streets.iter_mut().filter(|street| street.no_wheelchair) {
        (street.class, street.no_wheelchair, street.incline) =
            (gridplan::model::StreetClass::Path, false, Some(0.2));
    }
    assert_eq!(walk(&scene, "d"), Err(SnapFailure::Closed { nearest: 10.0 }));
    // No door opens onto a bridge: that it is closed says nothing.
    scene.scenario.streets.iter_mut().filter(|street| street.incline.is_some()).for_each(|s| s.bridge = true);
    assert!(
        (walk(&scene, "d").expect("the streets at the ends") - (50.0_f64.hypot(10.0) + 50.0)).abs() < 0.002
    );
}

#[test]
fn a_gate_in_a_wall_of_its_own_leads_out() {
    // The wall is no compound's outline. To the gate hypot(30, 10), out to the street 10, along it 20.
    let yard = "
        A-----+-B
        ######@##
           d     ";
    let gate = 30.0_f64.hypot(10.0) + 10.0;
    let near = |found: Option<f64>, expected: f64| (found.expect("there is a way") - expected).abs() < 0.002;
    let scene = Scene::draw(10.0, yard);
    assert!(near(scene.walk('d', 'B'), gate + 20.0), "{:?}", scene.walk('d', 'B'));
    let mut closed = Scene::draw(10.0, yard);
    closed.scenario.gates[0].open = false;
    assert_eq!(closed.snap(&closed.network(), "d").failure(0), Some(SnapFailure::WalledIn));
    // A street in sight is farther than the one behind the wall: both ways compete.
    let scene = Scene::draw(
        10.0,
        "
        A---+---B
        |###@####
        |     d
        |
        |
        |
        +------C ",
    );
    let gate = 20.0_f64.hypot(10.0) + 10.0;
    assert!(near(scene.walk('d', 'B'), gate + 40.0), "up through the gate: {:?}", scene.walk('d', 'B'));
    assert_eq!(scene.walk('d', 'C'), Some(40.0 + 10.0), "straight down");
}

#[test]
fn a_gate_drawn_beside_its_compound_opens_it_and_far_ones_do_not() {
    // Eight metres outside the outline: 30 across and 48 up to the gate, 12 on to the street, 130 along it.
    let mut scene = compound(&[Coord { x: 130.0, y: -12.0 }]);
    let walk = |scene: &Scene| {
        let network = scene.network();
        let doors = network.snap(&[DoorPlace::at(Coord { x: 100.0, y: -60.0 })]);
        let nearest = network.nearest(&scene.snap(&network, "A"), &doors, Measure::TimeThere, None);
        doors.failure(0).map_or(Ok(f64::from(nearest.cost[0]) / 1000.0), Err)
    };
    let expected = 30.0_f64.hypot(48.0) + 12.0 + 130.0;
    assert!((walk(&scene).expect("a gate") - expected).abs() < 0.002, "{:?}", walk(&scene));
    scene.rules.max_inside = gridplan::units::Metres::constant(40.0);
    assert_eq!(walk(&scene), Err(SnapFailure::WalledIn), "57 m to the gate are more than allowed");
}

/// A walled compound 200 m × 100 m south of the street A–B, with gates where told.
fn compound(gates: &[Coord<f64>]) -> Scene {
    let mut scene = Scene::draw(
        50.0,
        "
        A------B
        |
        |
        |
        C-------",
    );
    let corner = |x: f64, y: f64| Coord { x, y };
    let ring = vec![corner(50.0, -20.0), corner(250.0, -20.0), corner(250.0, -120.0), corner(50.0, -120.0)];
    scene.scenario.compounds.push(Compound {
        source: SourceId("yard".into()),
        name: None,
        outline: MultiPolygon::new(vec![Polygon::new(LineString::new(ring), vec![])]),
        walled: true,
        households: None,
    });
    for (index, &at) in gates.iter().enumerate() {
        let source = SourceId(format!("gate {index}"));
        scene.scenario.gates.push(Gate { source, compound: Some(CompoundId(0)), at, open: true });
    }
    scene
}

#[test]
fn a_walled_compound_is_left_through_its_nearest_gate() {
    let door = DoorPlace::at(Coord { x: 100.0, y: -60.0 });
    let walk = |scene: &Scene| {
        let network = scene.network();
        let doors = network.snap(&[door]);
        let sites = scene.snap(&network, "A");
        let nearest = network.nearest(&sites, &doors, Measure::TimeThere, None);
        doors.failure(0).map_or(Ok(f64::from(nearest.cost[0]) / 1000.0), Err)
    };
    let (north, south) = (Coord { x: 130.0, y: -20.0 }, Coord { x: 100.0, y: -120.0 });
    assert_eq!(walk(&compound(&[])), Err(SnapFailure::WalledIn));
    // To the north gate hypot(30, 40) = 50, out to the street 20, along it 130.
    assert_eq!(walk(&compound(&[north])), Ok(50.0 + 20.0 + 130.0));
    // To the south gate 60, out to the street below 80 is too far for this scene's 60 m of access.
    assert_eq!(walk(&compound(&[south])), Err(SnapFailure::WalledIn));
    assert_eq!(walk(&compound(&[south, north])), Ok(200.0));
    let mut closed = compound(&[north]);
    closed.scenario.gates[0].open = false;
    assert_eq!(walk(&closed), Err(SnapFailure::WalledIn));
}

#[test]
fn of_two_gates_the_better_way_counts() {
    let mut scene = compound(&[Coord { x: 130.0, y: -20.0 }, Coord { x: 100.0, y: -120.0 }]);
    scene.rules.max_access = gridplan::units::Metres::constant(100.0);
    let network = scene.network();
    let doors = network.snap(&[DoorPlace::at(Coord { x: 100.0, y: -60.0 })]);
    let walk = |to: char| {
        network.nearest(&scene.snap(&network, &to.to_string()), &doors, Measure::TimeThere, None).cost[0]
    };
    // North: 50 + 20, then along the street. South: 60 + 80, then 100 to C.
    assert_eq!(walk('A'), 50_000 + 20_000 + 130_000);
    assert_eq!(walk('C'), 60_000 + 80_000 + 100_000);
}

#[test]
fn stairs_are_slower_upwards_and_closed_to_wheelchairs() {
    let slope = Terrain::new(
        Coord { x: -1000.0, y: -1000.0 },
        1000.0,
        3,
        vec![0.0, 0.0, 0.0, 100.0, 100.0, 100.0, 200.0, 200.0, 200.0],
    );
    let scene = Scene::draw(
        50.0,
        "
        A
        :
        B",
    )
    .with_terrain(slope.expect("3 × 3 heights"))
    .with_profile(WalkProfile::adult());
    let flat = WalkProfile::adult().flat_speed.value();
    let near = |found: Option<f64>, expected: f64| (found.expect("there is a way") - expected).abs() < 0.01;
    // North is up. Our choice of speeds: 0.45 of the flat speed up, 0.5 down.
    assert!(near(scene.walk('B', 'A'), 100.0 / (0.45 * flat)), "{:?}", scene.walk('B', 'A'));
    assert!(near(scene.walk('A', 'B'), 100.0 / (0.5 * flat)), "{:?}", scene.walk('A', 'B'));
    assert!(near(scene.measure('A', 'B', Measure::TimeBack), 100.0 / (0.45 * flat)));
    let scene = scene.with_profile(WalkProfile::wheelchair());
    assert_eq!(scene.walk('A', 'B'), None);
}

#[test]
fn tobler_is_fastest_a_little_downhill() {
    // 5 m down every 100 m to the east.
    let heights = |row: f32| [row, row - 50.0, row - 100.0];
    let heights: Vec<f32> = (0..3).flat_map(|_| heights(100.0)).collect();
    let terrain = Terrain::new(Coord { x: -1000.0, y: -1000.0 }, 1000.0, 3, heights).expect("3 × 3 heights");
    let scene = Scene::draw(
        50.0,
        "
        A----B",
    )
    .with_terrain(terrain)
    .with_profile(WalkProfile::adult());
    // 250 m at 6 km/h; uphill 6 · exp(−3.5 · 0.1) km/h.
    let best = 250.0 / (6.0 / 3.6);
    assert!((scene.walk('A', 'B').expect("a street") - best).abs() < 0.01);
    assert!((scene.walk('B', 'A').expect("a street") - best * 0.35_f64.exp()).abs() < 0.01);
    assert!(scene.network().with_terrain());
}

#[test]
fn a_crossing_costs_its_wait_however_many_vertices_it_has() {
    let mut scene = Scene::draw(
        50.0,
        "
        A-+-B",
    )
    .with_profile(WalkProfile::adult());
    for street in &mut scene.scenario.streets {
        street.crossing = true;
    }
    let flat = 50.0 / WalkProfile::adult().flat_speed.value();
    // Four pieces, each drawn as a crossing of its own: 4 × (50 m + 10 s).
    let walk = scene.walk('A', 'B').expect("a street");
    assert!((walk - 4.0 * (flat + 10.0)).abs() < 0.01, "{walk}");
    let line = vec![scene.place('A'), Coord { x: 30.0, y: 0.0 }, scene.place('B')];
    scene.scenario.streets.truncate(1);
    scene.scenario.streets[0].line = LineString::new(line);
    let walk = scene.walk('A', 'B').expect("a street");
    assert!((walk - (4.0 * flat + 10.0)).abs() < 0.01, "{walk}");
}

#[test]
fn without_streets_every_door_says_so() {
    let scene = Scene::draw(
        50.0,
        "
        d   e",
    );
    let network = scene.network();
    assert_eq!(scene.snap(&network, "d").failure(0), Some(SnapFailure::NoStreets));
    assert_eq!(scene.walk('d', 'e'), None);
    let scene = Scene::draw(
        50.0,
        "
        d         A-B",
    );
    assert_eq!(scene.snap(&scene.network(), "d").failure(0), Some(SnapFailure::TooFar { nearest: 500.0 }));
}
