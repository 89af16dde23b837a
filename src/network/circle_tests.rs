#![expect(clippy::unwrap_used, reason = "tests")]

use geo::{Area, BooleanOps, Contains, Distance, Euclidean, MultiPolygon, Point, Validation};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use super::circles::OnEdge;
use super::engine::Sources;
use super::tests::Arrays;
use super::*;

/// A town of jittered blocks 80 m wide with gaps, cul-de-sacs, an island and flyovers that meet nobody.
fn town(seed: u64, side: u32, flyovers: u32) -> Arrays {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut below = |bound: u32| random.next_u32() % bound;
    let (mut x, mut y, mut edges) = (Vec::new(), Vec::new(), Vec::new());
    for node in 0..side * side {
        x.push(f64::from(node % side) * 80.0 + f64::from(below(60)) - 30.0 + 4e5);
        y.push(f64::from(node / side) * 80.0 + f64::from(below(60)) - 30.0 + 4e6);
        if node % side != 0 && below(10) < 8 {
            edges.push((node, node - 1));
        }
        if side <= node && below(10) < 8 {
            edges.push((node, node - side));
        }
    }
    for row in 0..side {
        // A cul-de-sac of two pieces into a block; never two from one corner, they would be one street.
        let from = row * side + below(side);
        let node = x.len();
        x.extend([x[from as usize] + 21.0, x[from as usize] + 39.0]);
        y.extend([y[from as usize] + 17.0, y[from as usize] + 37.0]);
        edges.extend([(from, node as u32), (node as u32, node as u32 + 1)]);
    }
    for _ in 0..flyovers {
        edges.push((below(side * side), below(side * side)));
    }
    edges.retain(|edge| edge.0 != edge.1);
    let slow = |_| 1000 + below(2) * 500;
    let factors: Vec<u32> = (0..edges.len()).map(slow).collect();
    let length = |edge: &(u32, u32)| {
        let (a, b) = (edge.0 as usize, edge.1 as usize);
        (x[a] - x[b]).hypot(y[a] - y[b])
    };
    let there =
        edges.iter().zip(&factors).map(|(edge, &factor)| (length(edge) * f64::from(factor)) as u32 + 1);
    Arrays {
        there: there.collect(),
        back: None,
        from: edges.iter().map(|edge| edge.0).collect(),
        to: edges.iter().map(|edge| edge.1).collect(),
        x,
        y,
    }
}

/// Places along every edge must be inside exactly if their walk is within the limit; within a metre of the
/// outline either is right.
fn check_streets(arrays: &Arrays, walks: &[u32], limit: u32, area: &MultiPolygon<f64>, what: &str) -> usize {
    check_streets_and(arrays, walks, |_, _| f64::INFINITY, limit, area, what)
}

/// The same where a place may also be reached along its own edge: `along` of edge and share.
fn check_streets_and(
    arrays: &Arrays,
    walks: &[u32],
    along: impl Fn(usize, f64) -> f64,
    limit: u32,
    area: &MultiPolygon<f64>,
    what: &str,
) -> usize {
    let mut checked = 0;
    for edge in 0..arrays.from.len() {
        let (a, b) = (arrays.from[edge] as usize, arrays.to[edge] as usize);
        let (cost, back) =
            (arrays.there[edge], arrays.back.as_ref().map_or(arrays.there[edge], |back| back[edge]));
        for step in 0..=10 {
            let share = f64::from(step) / 10.0;
            let by =
                |walk: u32, part: f64| if walk == UNREACHED { f64::INFINITY } else { f64::from(walk) + part };
            let walk = by(walks[a], share * f64::from(back))
                .min(by(walks[b], (1.0 - share) * f64::from(cost)))
                .min(along(edge, share));
            let at = Point::new(
                arrays.x[a] + (arrays.x[b] - arrays.x[a]) * share,
                arrays.y[a] + (arrays.y[b] - arrays.y[a]) * share,
            );
            let inside = area.contains(&at);
            if inside != (walk <= f64::from(limit)) {
                let outline = area.iter().flat_map(|p| std::iter::once(p.exterior()).chain(p.interiors()));
                let off = outline.map(|ring| Euclidean.distance(&at, ring)).fold(f64::INFINITY, f64::min);
                assert!(
                    off <= 1.0,
                    "{what}: edge {edge} at {share}: walk {walk}, limit {limit}, inside {inside}, {off} m off the outline"
                );
            }
            checked += 1;
        }
    }
    checked
}

#[test]
fn streets_are_inside_exactly_up_to_the_limit() {
    for seed in 0..40 {
        let mut arrays = town(seed, 14, if seed % 2 == 0 { 0 } else { 6 });
        if seed % 3 == 0 {
            // Slopes: the way back takes up to half as long again.
            let back = |(edge, &there): (usize, &u32)| there + there * (edge as u32 % 6) / 10;
            arrays.back = Some(arrays.there.iter().enumerate().map(back).collect());
        }
        let net = arrays.build();
        let stations = [95, 20];
        let limits = [150_000, 300_000, 600_000];
        let circles = net.service_circles(&stations, &limits, CircleShare::PerStation).unwrap();
        let mut order = circles.iter();
        for station in 0..2 {
            let walks = arrays.walks_to(stations[station as usize]);
            for limit in limits {
                let circle = order.next().unwrap();
                assert_eq!((circle.station, circle.limit), (Some(station), limit));
                check_streets(
                    &arrays,
                    &walks,
                    limit,
                    &circle.area,
                    &format!("seed {seed}, station {station}"),
                );
                assert!(circle.area.is_valid(), "seed {seed}: {:?}", circle.area.validation_errors());
            }
        }
    }
}

#[test]
fn a_wider_limit_holds_a_narrower_one() {
    for seed in 0..12 {
        let arrays = town(seed, 14, if seed % 2 == 0 { 0 } else { 4 });
        let net = arrays.build();
        let limits = [200_000, 250_000, 300_000, 500_000];
        for share in [CircleShare::PerStation, CircleShare::Merged] {
            let circles = net.service_circles(&[95, 20], &limits, share).unwrap();
            for pair in circles.windows(2).filter(|pair| pair[0].limit < pair[1].limit) {
                let outside = pair[0].area.difference(&pair[1].area).unsigned_area();
                assert!(
                    outside < 0.01,
                    "seed {seed}: {outside} m² of {} lie outside {}",
                    pair[0].limit,
                    pair[1].limit
                );
            }
        }
    }
}

/// Lays a tunnel 0.4 m beside every fifth street, reached from where its number leads.
fn with_tunnels(mut arrays: Arrays, seed: u32) -> Arrays {
    for edge in (0..arrays.from.len()).filter(|edge| edge % 5 == 0) {
        let (a, b) = (arrays.from[edge] as usize, arrays.to[edge] as usize);
        let (first, other) = (arrays.x.len() as u32, (edge as u32 * 7 + seed) % 190);
        for end in [a, b] {
            arrays.x.push(arrays.x[end] + 0.3);
            arrays.y.push(arrays.y[end] + 0.25);
        }
        arrays.from.extend([first, first]);
        arrays.to.extend([first + 1, other]);
        arrays.there.extend([arrays.there[edge], 150_000]);
    }
    arrays
}

#[test]
fn the_slit_of_a_wider_limit_spares_what_a_narrower_one_covers_beside_it() {
    for seed in 0..6 {
        let net = with_tunnels(town(seed, 14, 0), seed as u32).build();
        let limits: Vec<u32> = (2..12).map(|step| step * 50_000).collect();
        let circles = net.service_circles(&[95, 20, 150], &limits, CircleShare::PerStation).unwrap();
        for pair in circles.windows(2).filter(|pair| pair[0].station == pair[1].station) {
            let outside = pair[0].area.difference(&pair[1].area).unsigned_area();
            let (narrow, wide) = (pair[0].limit, pair[1].limit);
            assert!(outside < 0.01, "seed {seed}: {outside} m² of {narrow} lie outside {wide}");
        }
    }
}

/// The corners of all outlines; a ring may start anywhere.
fn all_rings(circles: Vec<Circle>) -> Vec<Vec<[u64; 2]>> {
    let rings = |polygon: geo::Polygon| {
        let (outer, holes) = polygon.into_inner();
        std::iter::once(outer).chain(holes)
    };
    let from_lowest = |ring: geo::LineString| {
        let mut at: Vec<[u64; 2]> = ring.0[1..].iter().map(|at| [at.x.to_bits(), at.y.to_bits()]).collect();
        let lowest = (0..at.len()).min_by_key(|&i| at[i]).unwrap();
        at.rotate_left(lowest);
        at
    };
    let mut rings: Vec<_> =
        circles.into_iter().flat_map(|circle| circle.area).flat_map(rings).map(from_lowest).collect();
    rings.sort();
    rings
}

#[test]
fn no_outline_is_missed_where_the_surroundings_are_calm() {
    let mut n_rings = 0;
    for seed in 0..30 {
        let mut arrays = town(seed, 16, [0, 0, 3][seed as usize % 3]);
        if seed % 2 == 0 {
            arrays = with_tunnels(arrays, seed as u32);
        }
        if seed % 5 == 0 {
            let back = |(edge, &there): (usize, &u32)| [there * 3, UNREACHED, there][edge % 3];
            arrays.back = Some(arrays.there.iter().enumerate().map(back).collect());
        }
        let (net, mut oracle) = (arrays.build(), arrays.build());
        oracle.mesh().unwrap();
        oracle.mesh.get_mut().unwrap().as_mut().unwrap().calm_from.fill(UNREACHED);
        let stations: Vec<u32> = (0..16).map(|i| i * 16 + (i * 7 + seed as u32) % 16).collect();
        let limits: Vec<u32> = (0..10).map(|step| step * step * 20_000).collect();
        for share in [CircleShare::PerStation, CircleShare::Merged] {
            let drawn = all_rings(net.service_circles(&stations, &limits, share).unwrap());
            n_rings += drawn.len();
            assert!(
                drawn == all_rings(oracle.service_circles(&stations, &limits, share).unwrap()),
                "seed {seed} {share:?}"
            );
        }
    }
    assert!(4800 < n_rings, "{n_rings}");
}

#[test]
fn circles_in_a_window_are_those_of_the_whole_network() {
    let side = 60;
    let mut n_windows = 0;
    for seed in 0..8 {
        let arrays = town(seed, side, [0, 3][seed as usize % 2]);
        let oracle = arrays.build();
        oracle.mesh().unwrap();
        for share in [CircleShare::PerStation, CircleShare::Merged, CircleShare::Nearest] {
            let net = arrays.build();
            let station = (seed as u32 * 613 + 7) % (side * side);
            let stations = [station, station + 2];
            let limits = [150_000, 300_000];
            let drawn = net.service_circles(&stations, &limits, share).unwrap();
            let whole = oracle.service_circles(&stations, &limits, share).unwrap();
            assert!(all_rings(drawn) == all_rings(whole), "seed {seed} {share:?}");
            n_windows += u32::from(net.mesh.get().is_none());
            // A station inside an edge, also one whose limit ends before either end of it.
            let edge = (seed as usize * 613 + 7) % 5000;
            let ends = [arrays.from[edge], arrays.to[edge]];
            let (there, access) = (arrays.there[edge], 1000);
            let on_edge = OnEdge { station: 0, ends, share: 0.25, access };
            let mut sources = Sources::default();
            sources.push([(ends[0], access + there / 4), (ends[1], access + there - there / 4)]);
            for limit in [access + there / 8, 200_000] {
                let net = arrays.build();
                let drawn = net.circles(&sources, &[on_edge], &[limit], share);
                let whole = oracle.circles(&sources, &[on_edge], &[limit], share);
                assert!(
                    !whole[0].area.0.is_empty() && all_rings(drawn) == all_rings(whole),
                    "seed {seed} {share:?}"
                );
            }
            // After enough windows the whole is triangulated, whatever is asked.
            let mut n_calls = 0;
            while net.mesh.get().is_none() {
                net.service_circles(&stations[..1], &[50_000], share).unwrap();
                n_calls += 1;
                assert!(n_calls < 40, "seed {seed}");
            }
        }
    }
    assert!(16 <= n_windows, "{n_windows} of 24");
}

#[test]
fn a_station_inside_an_edge_is_walked_to_along_it_and_around() {
    for seed in 0..24_u32 {
        let mut arrays = town(u64::from(seed), 14, if seed % 2 == 0 { 0 } else { 4 });
        if seed % 3 == 0 {
            let back = |(edge, &there): (usize, &u32)| there + there * (edge as u32 % 6) / 10;
            arrays.back = Some(arrays.there.iter().enumerate().map(back).collect());
        }
        let edge = (seed as usize * 97 + 11) % 300;
        let (there, back) =
            (arrays.there[edge], arrays.back.as_ref().map_or(arrays.there[edge], |back| back[edge]));
        let (share, access) = ([0.0, 0.1, 0.5, 0.9][seed as usize % 4], 7000);
        let ends = [arrays.from[edge], arrays.to[edge]];
        // From the first end one walks there, from the second back.
        let seeds = [
            (ends[0], access + (share * f64::from(there)) as u32),
            (ends[1], access + ((1.0 - share) * f64::from(back)) as u32),
        ];
        let walks: Vec<u32> = {
            let from = ends.map(|end| arrays.walks_to(end));
            let by = |end: usize, node: usize| from[end][node].saturating_add(seeds[end].1);
            (0..arrays.x.len()).map(|node| by(0, node).min(by(1, node))).collect()
        };
        let along = |at: usize, place: f64| match at == edge {
            true if place < share => f64::from(access) + (share - place) * f64::from(there),
            true => f64::from(access) + (place - share) * f64::from(back),
            false => f64::INFINITY,
        };
        let net = arrays.build();
        let mut sources = Sources::default();
        sources.push(seeds);
        let on_edge = OnEdge { station: 0, ends, share, access };
        for limit in [3000, 12_000, 20_000, 40_000, 80_000, 300_000] {
            for sharing in [CircleShare::PerStation, CircleShare::Merged, CircleShare::Nearest] {
                let circle = &net.circles(&sources, &[on_edge], &[limit], sharing)[0];
                let what = format!("seed {seed}, limit {limit}, {sharing:?}");
                check_streets_and(&arrays, &walks, along, limit, &circle.area, &what);
                assert!(circle.area.is_valid(), "{what}: {:?}", circle.area.validation_errors());
            }
        }
    }
}

#[test]
fn a_long_street_between_near_ends_is_covered_in_stretches() {
    // A street of 1,000 m, and a short cut of 10 m between its ends; a lane crosses over it at 620 m in every other one.
    let (x, y) = (vec![0.0, 1000.0, 500.0, 620.0, 620.0], vec![0.0, 0.0, 80.0, -60.0, 60.0]);
    for over in [false, true] {
        let mut arrays = Arrays {
            x: x.clone(),
            y: y.clone(),
            from: vec![0, 0, 2],
            to: vec![1, 2, 1],
            there: vec![1_000_000, 5000, 5000],
            back: None,
        };
        if over {
            arrays.from.push(3);
            arrays.to.push(4);
            arrays.there.push(120_000);
        }
        let net = arrays.build();
        let on_edge = |station: u32, share: f64| OnEdge { station, ends: [0, 1], share, access: 0 };
        let seeds = |share: f64| [(0, (share * 1e6) as u32), (1, 1_000_000 - (share * 1e6) as u32)];
        let mut checked = 0;
        for (shares, at_node) in
            [(vec![0.1], false), (vec![0.5], true), (vec![0.4, 0.55], true), (vec![0.3, 0.7], false)]
        {
            let mut sources = Sources::default();
            let mut on_edges = Vec::new();
            let mut walks = vec![UNREACHED; x.len()];
            let mut reach = |node: u32, cost: u32| {
                let from = arrays.walks_to(node);
                walks
                    .iter_mut()
                    .zip(from)
                    .for_each(|(walk, more)| *walk = (*walk).min(more.saturating_add(cost)));
            };
            for (station, &share) in shares.iter().enumerate() {
                sources.push(seeds(share));
                on_edges.push(on_edge(station as u32, share));
                seeds(share).into_iter().for_each(|(node, cost)| reach(node, cost));
            }
            if at_node {
                sources.push([(0, 0)]);
                reach(0, 0);
            }
            let along = |edge: usize, place: f64| {
                let by = |&share: &f64| if edge == 0 { (place - share).abs() * 1e6 } else { f64::INFINITY };
                shares.iter().map(by).fold(f64::INFINITY, f64::min)
            };
            for limit in [3000, 60_000, 120_000, 200_000, 300_000, 420_000] {
                let circle = &net.circles(&sources, &on_edges, &[limit], CircleShare::Merged)[0];
                let what = format!("{shares:?} {at_node} {limit} {over}");
                checked += check_streets_and(&arrays, &walks, along, limit, &circle.area, &what);
                assert!(circle.area.is_valid(), "{what}: {:?}", circle.area.validation_errors());
            }
        }
        assert!(500 < checked);
    }
}

#[test]
fn merged_circles_follow_the_nearest_station_and_shares_do_not_overlap() {
    for seed in 0..10 {
        let arrays = town(seed, 14, 0);
        let net = arrays.build();
        let stations = [95, 20, 150];
        let limit = 400_000;
        let walks = net.nearest(&stations, None).unwrap();
        let merged = net.service_circles(&stations, &[limit], CircleShare::Merged).unwrap();
        check_streets(&arrays, &walks.cost, limit, &merged[0].area, "merged");
        let shares = net.service_circles(&stations, &[limit], CircleShare::Nearest).unwrap();
        for (index, share) in shares.iter().enumerate() {
            assert!(share.area.is_valid(), "seed {seed}: {:?}", share.area.validation_errors());
            for other in &shares[..index] {
                let common = share.area.intersection(&other.area).unsigned_area();
                assert!(common < 1.0, "seed {seed}: {common} m² belong to two stations");
            }
            for node in (0..arrays.x.len()).filter(|&node| walks.station[node] == index as i32) {
                let at = Point::new(arrays.x[node], arrays.y[node]);
                let off = Euclidean.distance(&at, &share.area);
                assert!(
                    walks.cost[node] > limit || off < 1.0,
                    "node {node} of station {index} is {off} m off"
                );
            }
        }
    }
}

#[test]
fn a_stretch_too_short_to_draw_makes_no_hole_without_an_area() {
    // From a to b a footbridge of 200 m over the street d–e, and a short way round through c. All is reached but four
    // centimetres of the bridge beside the street; both cuts are drawn five centimetres beside it.
    let flat = [(0.0, -100.0), (0.0, 100.0), (80.0, 0.0), (-50.0, 0.0), (50.0, 0.0)];
    for turn in 0..60 {
        let (sine, cosine) = f64::from(turn).sin_cos();
        let arrays = Arrays {
            x: flat.iter().map(|at| 87.3 + at.0 * cosine - at.1 * sine).collect(),
            y: flat.iter().map(|at| 199.1 + at.0 * sine + at.1 * cosine).collect(),
            from: vec![0, 0, 2, 0, 0, 3],
            to: vec![1, 2, 1, 3, 4, 4],
            there: vec![200_000, 25, 25, 10, 10, 100_000],
            back: None,
        };
        let circles = arrays.build().service_circles(&[0], &[100_010], CircleShare::PerStation).unwrap();
        let area = &circles[0].area;
        assert!(area.is_valid(), "turned by {turn}: {:?}", area.validation_errors());
        assert!(area.iter().all(|part| 1e-6 < part.unsigned_area()), "turned by {turn}: {area:?}");
        let holes = area.iter().flat_map(|part| part.interiors());
        assert_eq!(holes.count(), 0, "turned by {turn}");
    }
}

#[test]
fn directed_costs_are_cut_in_the_direction_of_the_walk() {
    // 100 m; towards the station 1 m costs 1000, away from it 3000.
    let net = WalkNetwork::new(&[0.0, 100.0], &[0.0, 0.0], &[0], &[1], &[300_000], Some(&[100_000])).unwrap();
    let circle = &net.service_circles(&[0], &[50_000], CircleShare::PerStation).unwrap()[0];
    let inside = |x: f64| circle.area.contains(&Point::new(x, 0.0));
    assert!(inside(0.01) && inside(49.9) && !inside(50.1), "{:?}", circle.area);
    let circle = &net.service_circles(&[1], &[50_000], CircleShare::PerStation).unwrap()[0];
    let inside = |x: f64| circle.area.contains(&Point::new(x, 0.0));
    assert!(inside(99.9) && inside(83.5) && !inside(83.2), "{:?}", circle.area);
}

#[test]
fn nothing_to_draw_gives_empty_areas() {
    let none = WalkNetwork::new(&[], &[], &[], &[], &[], None).unwrap();
    assert_eq!(none.service_circles(&[], &[5], CircleShare::Merged).unwrap().len(), 1);
    let one = WalkNetwork::new(&[3.0], &[4.0], &[], &[], &[], None).unwrap();
    let circles = one.service_circles(&[0], &[5, 9], CircleShare::PerStation).unwrap();
    assert_eq!(circles.len(), 2);
    assert!(circles.iter().all(|circle| circle.area.0.is_empty()));
    let stacked = WalkNetwork::new(&[3.0; 3], &[4.0; 3], &[0, 1], &[1, 2], &[1, 1], None).unwrap();
    assert_eq!(stacked.service_circles(&[0], &[5], CircleShare::Nearest).unwrap().len(), 1);
}

#[test]
fn degenerate_networks_are_drawn_without_harm() {
    let all = [CircleShare::PerStation, CircleShare::Merged, CircleShare::Nearest];
    let valid = |circles: &[Circle]| circles.iter().all(|circle| circle.area.is_valid());
    // No edges; one node; all nodes at one place; an edge of no length; an edge of no cost.
    for (x, from, to, cost) in [
        (vec![3.0, 9.0], vec![], vec![], vec![]),
        (vec![3.0], vec![], vec![], vec![]),
        (vec![3.0; 4], vec![0, 1, 2], vec![1, 2, 3], vec![5, 5, 5]),
        (vec![3.0, 3.0, 50.0], vec![0, 1], vec![1, 2], vec![0, 47]),
        (vec![0.0, 50.0], vec![0], vec![1], vec![0]),
        // Everything on one line, with nodes that stand twice and edges that lie on one another.
        (
            vec![0.0, 50.0, 50.0, 100.0, 25.0],
            vec![0, 1, 2, 0, 4],
            vec![1, 2, 3, 3, 3],
            vec![50, 0, 50, 90, 75],
        ),
    ] {
        let y = vec![4.0; x.len()];
        let net = WalkNetwork::new(&x, &y, &from, &to, &cost, None).unwrap();
        for share in all {
            for limit in [0, 1, 40, UNREACHED] {
                let circles = net.service_circles(&[0], &[limit], share).unwrap();
                assert!(circles.len() == 1 && valid(&circles), "{x:?} {share:?} {limit}: {circles:?}");
            }
        }
    }
    let none = WalkNetwork::new(&[], &[], &[], &[], &[], None).unwrap();
    assert!(none.service_circles(&[], &[5], CircleShare::PerStation).unwrap().is_empty());
    assert!(none.service_circles(&[], &[5], CircleShare::Merged).unwrap()[0].area.0.is_empty());
}

#[test]
fn a_limit_beyond_everything_holds_every_street_and_none_holds_only_the_station() {
    let arrays = town(3, 6, 0);
    let net = arrays.build();
    let walks = net.nearest(&[8], None).unwrap().cost;
    let whole = &net.service_circles(&[8], &[UNREACHED], CircleShare::PerStation).unwrap()[0].area;
    for (node, _) in walks.iter().enumerate().filter(|(_, walk)| **walk != UNREACHED) {
        assert!(whole.contains(&Point::new(arrays.x[node], arrays.y[node])), "node {node}");
    }
    let point = &net.service_circles(&[8], &[0], CircleShare::PerStation).unwrap()[0].area;
    let inside: Vec<usize> = (0..walks.len())
        .filter(|&node| point.contains(&Point::new(arrays.x[node], arrays.y[node])))
        .collect();
    assert_eq!(inside, [8]);
    assert!(point.unsigned_area() < 1.0, "{}", point.unsigned_area());
}
