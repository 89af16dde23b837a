#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use super::*;

/// A network as arrays, and what a plain label-correcting search finds on it.
#[derive(Clone, Debug)]
pub(super) struct Arrays {
    pub x: Vec<f64>,
    pub y: Vec<f64>,
    pub from: Vec<u32>,
    pub to: Vec<u32>,
    pub there: Vec<u32>,
    pub back: Option<Vec<u32>>,
}

impl Arrays {
    pub fn build(&self) -> WalkNetwork {
        let back = self.back.as_deref();
        WalkNetwork::new(&self.x, &self.y, &self.from, &self.to, &self.there, back).unwrap()
    }

    /// Walk from every node to `station`, by Bellman and Ford: no order, no queue, nothing folded.
    pub fn walks_to(&self, station: u32) -> Vec<u32> {
        let mut walk = vec![u64::from(UNREACHED); self.x.len()];
        walk[station as usize] = 0;
        loop {
            let before = walk.clone();
            for edge in 0..self.from.len() {
                let (from, to) = (self.from[edge] as usize, self.to[edge] as usize);
                let there = self.there[edge];
                let back = self.back.as_ref().map_or(there, |back| back[edge]);
                if there != UNREACHED {
                    walk[from] = walk[from].min(walk[to] + u64::from(there));
                }
                if back != UNREACHED {
                    walk[to] = walk[to].min(walk[from] + u64::from(back));
                }
            }
            if walk == before {
                return walk.iter().map(|&walk| walk.min(u64::from(UNREACHED)) as u32).collect();
            }
        }
    }
}

/// All walks at once, by Floyd and Warshall: `walks[from][to]`.
fn floyd_warshall(arrays: &Arrays) -> Vec<Vec<u64>> {
    let n = arrays.x.len();
    let mut walk = vec![vec![u64::from(UNREACHED); n]; n];
    (0..n).for_each(|node| walk[node][node] = 0);
    for edge in 0..arrays.from.len() {
        let (from, to) = (arrays.from[edge] as usize, arrays.to[edge] as usize);
        let there = arrays.there[edge];
        let back = arrays.back.as_ref().map_or(there, |back| back[edge]);
        walk[from][to] = walk[from][to].min(u64::from(there));
        walk[to][from] = walk[to][from].min(u64::from(back));
    }
    for by in 0..n {
        for from in 0..n {
            for to in 0..n {
                walk[from][to] = walk[from][to].min(walk[from][by] + walk[by][to]);
            }
        }
    }
    walk
}

/// Walks to a station by Dijkstra with a plain heap.
fn dijkstra(arrays: &Arrays, station: u32) -> Vec<u32> {
    let mut into: Vec<Vec<(usize, u32)>> = vec![Vec::new(); arrays.x.len()];
    for edge in 0..arrays.from.len() {
        let (from, to) = (arrays.from[edge] as usize, arrays.to[edge] as usize);
        let there = arrays.there[edge];
        into[to].push((from, there));
        into[from].push((to, arrays.back.as_ref().map_or(there, |back| back[edge])));
    }
    let mut walk = vec![u64::from(UNREACHED); arrays.x.len()];
    let mut queue = std::collections::BinaryHeap::from([std::cmp::Reverse((0_u64, station as usize))]);
    walk[station as usize] = 0;
    while let Some(std::cmp::Reverse((cost, node))) = queue.pop() {
        if walk[node] < cost {
            continue;
        }
        for &(before, step) in &into[node] {
            let longer = cost + u64::from(step);
            if step != UNREACHED && longer < walk[before] {
                walk[before] = longer;
                queue.push(std::cmp::Reverse((longer, before)));
            }
        }
    }
    walk.into_iter().map(|walk| walk as u32).collect()
}

/// Shapes that folding must survive: chains, rings, combs of dead ends, parallel edges, loops, islands.
pub(super) fn random_network(seed: u64, n: u32, directed: bool) -> Arrays {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut below = |bound: u32| random.next_u32() % bound;
    let shape = below(5);
    let mut edges = Vec::new();
    for node in 1..n {
        match shape {
            // A tree with short branches, a path, a comb.
            0 => edges.push((node, below(node))),
            1 => edges.push((node, node - 1)),
            2 => edges.push((node, if node % 4 == 1 { node.saturating_sub(4) } else { node - 1 })),
            // Rings of seven, linked now and then.
            3 if node % 7 == 0 => edges.push((node - 1, node - 7)),
            3 => edges.push((node, node - 1)),
            _ if below(4) > 0 => edges.push((node, node - 1 - below(node.min(3)))),
            _ => {}
        }
    }
    for _ in 0..below(n / 2 + 2) {
        edges.push((below(n), below(n)));
    }
    // Arbitrary ids: memory order must not matter.
    let mut name: Vec<u32> = (0..n).collect();
    for i in (1..n).rev() {
        name.swap(i as usize, below(i + 1) as usize);
    }
    let widest = [1, 3, 1000, 3_000_000_000][below(4) as usize];
    let mut costs = || match below(20) {
        0 => UNREACHED,
        1 => 0,
        _ => below(widest),
    };
    let there: Vec<u32> = edges.iter().map(|_| costs()).collect();
    let back = directed.then(|| edges.iter().map(|_| costs()).collect());
    Arrays {
        x: (0..n).map(|_| f64::from(below(50))).collect(),
        y: (0..n).map(|_| f64::from(below(50))).collect(),
        from: edges.iter().map(|edge| name[edge.0 as usize]).collect(),
        to: edges.iter().map(|edge| name[edge.1 as usize]).collect(),
        there,
        back,
    }
}

fn check_against_plain_search(arrays: &Arrays, stations: &[u32], limit: u32) {
    let net = arrays.build();
    let n = arrays.x.len();
    let walks: Vec<Vec<u32>> = stations.iter().map(|&station| arrays.walks_to(station)).collect();

    for limit in [None, Some(limit)] {
        let bound = limit.unwrap_or(UNREACHED - 1);
        let found = net.nearest(stations, limit).unwrap();
        for (node, answer) in found.cost.iter().copied().zip(found.station.iter().copied()).enumerate() {
            let best = (0..stations.len()).map(|s| (walks[s][node], s as i32)).min();
            let best = best.filter(|&(walk, _)| walk <= bound).unwrap_or((UNREACHED, -1));
            assert_eq!(answer, best, "node {node}, limit {limit:?}");
        }
    }
    let found = net.within(stations, limit).unwrap();
    for (s, walks) in walks.iter().enumerate() {
        let row = found.offsets[s] as usize..found.offsets[s + 1] as usize;
        let row: Vec<(u32, u32)> =
            found.node[row.clone()].iter().copied().zip(found.cost[row].iter().copied()).collect();
        let all = (0..n as u32).zip(walks.iter().copied());
        let expected: Vec<(u32, u32)> = all.filter(|&(_, walk)| walk <= limit && walk != UNREACHED).collect();
        assert_eq!(row, expected, "station {s} at node {}", stations[s]);
    }
    let limits = [limit / 2, limit, 0];
    let counts = net.count_within(stations, &limits).unwrap();
    for (counts, limit) in counts.iter().zip(limits) {
        for (node, &count) in counts.iter().enumerate() {
            let reaches = |walks: &&Vec<u32>| walks[node] <= limit && walks[node] != UNREACHED;
            assert_eq!(count as usize, walks.iter().filter(reaches).count(), "node {node}, limit {limit}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn answers_equal_a_plain_search(seed: u64, n in 1_u32..160, directed: bool, limit in 0_u32..4000) {
        let arrays = random_network(seed, n, directed);
        let mut random = Xoshiro256PlusPlus::seed_from_u64(!seed);
        let stations: Vec<u32> = (0..random.next_u32() % 9).map(|_| random.next_u32() % n).collect();
        let limit = if seed % 5 == 0 { limit * 1_000_000 } else { limit };
        check_against_plain_search(&arrays, &stations, limit);
    }

    /// Chains that run through several parts of the curve are traced once, on however many threads.
    #[test]
    fn folding_keeps_every_edge_once(seed: u64, n in 1_u32..500, directed: bool, threads in 1_usize..5) {
        let arrays = random_network(seed, n, directed);
        let mut expected = std::collections::BTreeMap::new();
        for edge in 0..arrays.from.len() {
            let (from, to) = (arrays.from[edge], arrays.to[edge]);
            let there = arrays.there[edge];
            let back = arrays.back.as_ref().map_or(there, |back| back[edge]);
            if from == to || (there, back) == (UNREACHED, UNREACHED) {
                continue;
            }
            let (there, back) = if from < to { (there, back) } else { (back, there) };
            let kept = expected.entry((from.min(to), from.max(to))).or_insert((UNREACHED, UNREACHED));
            *kept = (kept.0.min(there), kept.1.min(back));
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut found = Vec::new();
        pool.install(|| arrays.build()).core.each_edge(|from, to, there, back| {
            let (there, back) = if from < to { (there, back) } else { (back, there) };
            found.push(((from.min(to), from.max(to)), (there, back)));
        });
        found.sort_unstable();
        prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn all_walks_equal_floyd_and_warshall_and_dijkstra(seed: u64, n in 1_u32..40, directed: bool) {
        let arrays = random_network(seed, n, directed);
        let net = arrays.build();
        let expected = floyd_warshall(&arrays);
        for station in 0..n {
            let found = net.nearest(&[station], None).unwrap().cost;
            let column = |node: usize| expected[node][station as usize].min(u64::from(UNREACHED)) as u32;
            let by_matrix: Vec<u32> = (0..n as usize).map(column).collect();
            prop_assert_eq!(&found, &by_matrix);
            prop_assert_eq!(&found, &dijkstra(&arrays, station));
        }
    }

    #[test]
    fn walks_are_symmetric_and_keep_the_triangle_inequality(seed: u64, n in 2_u32..60, directed: bool) {
        let arrays = random_network(seed, n, directed);
        let net = arrays.build();
        // To each node from all others.
        let to: Vec<Vec<u32>> = (0..n).map(|node| net.nearest(&[node], None).unwrap().cost).collect();
        for a in 0..n as usize {
            prop_assert_eq!(to[a][a], 0);
            for b in 0..n as usize {
                if !directed {
                    prop_assert_eq!(to[a][b], to[b][a]);
                }
                for c in 0..n as usize {
                    // From a to c by way of b; nobody walks farther than the type holds.
                    let by_b = u64::from(to[b][a]) + u64::from(to[c][b]);
                    let broken = by_b < u64::from(to[c][a]) && by_b < u64::from(UNREACHED);
                    prop_assert!(!broken, "{} to {} by {}", a, c, b);
                }
            }
        }
    }

    #[test]
    fn one_more_station_never_hurts(seed: u64, n in 1_u32..120, directed: bool, limit in 0_u32..4000) {
        let net = random_network(seed, n, directed).build();
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed ^ 0xA5A5);
        let stations: Vec<u32> = (0..6).map(|_| random.next_u32() % n).collect();
        let mut before = (vec![UNREACHED; n as usize], vec![0; n as usize]);
        for count in 1..=stations.len() {
            let nearest = net.nearest(&stations[..count], Some(limit)).unwrap();
            let within = net.count_within(&stations[..count], &[limit]).unwrap().remove(0);
            prop_assert!(nearest.cost.iter().zip(&before.0).all(|(now, then)| now <= then));
            prop_assert!(within.iter().zip(&before.1).all(|(now, then)| now >= then));
            // Who is newly served is served by the new one.
            for node in 0..n as usize {
                if nearest.cost[node] < before.0[node] {
                    prop_assert_eq!(nearest.station[node], count as i32 - 1);
                }
            }
            before = (nearest.cost, within);
        }
    }
}

#[test]
fn an_empty_network_and_no_stations_are_answered() {
    let none = WalkNetwork::new(&[], &[], &[], &[], &[], None).unwrap();
    assert!(none.nearest(&[], None).unwrap().cost.is_empty());
    assert_eq!(none.within(&[], 5).unwrap().offsets, [0]);
    let one = WalkNetwork::new(&[1.0], &[2.0], &[0], &[0], &[7], None).unwrap();
    assert_eq!(one.nearest(&[], None).unwrap().station, [-1]);
    assert_eq!(one.nearest(&[0], Some(0)).unwrap().cost, [0]);
    assert_eq!(one.count_within(&[0, 0], &[0]).unwrap(), [[2]]);
}

#[test]
fn bad_arrays_are_refused_with_their_place() {
    let new = |x: &[f64], from: &[u32], to: &[u32], mm: &[u32]| {
        WalkNetwork::new(x, &vec![0.0; x.len()], from, to, mm, None).map(|_| ()).unwrap_err().to_string()
    };
    let text = new(&[0.0, 1.0], &[0], &[2], &[5]);
    assert!(text.starts_with("edge_to 0 names node 2, but the network has 2 nodes"), "{text}");
    let text = new(&[0.0, f64::NAN], &[0], &[1], &[5]);
    assert!(text.starts_with("node 1 lies at (NaN, 0)"), "{text}");
    let text = new(&[0.0, 1.0], &[0], &[1], &[]);
    assert!(text.starts_with("`edge_cost` has 0 values and `edge_from` has 1"), "{text}");
    let net = WalkNetwork::new(&[0.0], &[0.0], &[], &[], &[], None).unwrap();
    let text = net.nearest(&[0, 9], None).unwrap_err().to_string();
    assert!(text.starts_with("station 1 names node 9"), "{text}");
}

#[test]
fn one_thread_and_eight_give_the_same() {
    let arrays = random_network(5, 5000, true);
    let net = arrays.build();
    let stations: Vec<u32> = (0..200).map(|i| i * 23).collect();
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let nearest = net.nearest(&stations, None).unwrap();
            let within = net.within(&stations, 2_000_000).unwrap();
            (nearest, within, net.count_within(&stations, &[1_000_000, 2_000_000]).unwrap())
        })
    };
    assert_eq!(on(1), on(8));
}
