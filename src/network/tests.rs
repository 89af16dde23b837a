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
