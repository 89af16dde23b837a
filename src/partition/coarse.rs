//! Coarser graphs: units that hold tightly together are joined, so that whole blocks move at once.
//!
//! Rounds of heavy-edge matching, as in multilevel partitioners (Karypis and Kumar 1998), rated by
//! cost² / (load · load), with a cap on the joined load.

use super::piece::{Piece, Sets};
use super::random::Random;

/// One round of joining units; only of units that `same` allows. `None` where hardly anything can be joined.
pub(super) fn one_level(
    piece: &Piece,
    cap: u64,
    same: &dyn Fn(u32, u32) -> bool,
    random: &mut Random,
) -> Option<(Piece, Vec<u32>)> {
    let noise: Vec<f64> = (0..piece.len()).map(|_| 0.7 + random.below(1024) as f64 / 1706.0).collect();
    let pairs = matching(piece, cap, &|u, v| {
        if same(u, v) { noise[u as usize] * noise[v as usize] } else { 0.0 }
    });
    let mut number = vec![u32::MAX; piece.len()];
    let mut load = Vec::new();
    for unit in 0..piece.len() {
        let mate = pairs[unit] as usize;
        if mate < unit {
            number[unit] = number[mate];
        } else {
            number[unit] = load.len() as u32;
            load.push(0);
        }
        load[number[unit] as usize] += piece.load[unit];
    }
    if load.len() * 20 > piece.len() * 19 {
        return None;
    }
    Some((contracted(piece, &number, load), number))
}

/// The block of every unit, named after its smallest member: units that are joined by edges of about equal cost per
/// metre, dearest class first, as long as the whole piece they form fits into one grid. A street block, a compound.
pub(super) fn blocks(piece: &Piece, most: u64) -> Vec<u32> {
    let n = piece.len();
    let density = |e: usize| piece.cost[e] as f64 / piece.length[e].max(1) as f64;
    let densest = (0..piece.cost.len()).map(density).fold(0.0, f64::max);
    let mut blocks = Sets::new(n);
    for step in [1.4, 2.8, 5.6, 11.2] {
        let mut wider = Sets::new(n);
        for u in 0..n as u32 {
            for e in piece.row(u).filter(|&e| u < piece.neighbor[e] && densest <= step * density(e)) {
                wider.join(u, piece.neighbor[e]);
            }
        }
        let mut load = vec![0u64; n];
        for u in 0..n as u32 {
            load[wider.find(u) as usize] += piece.load[u as usize];
        }
        for u in 0..n as u32 {
            let root = wider.find(u);
            if load[root as usize] <= most {
                blocks.join(u, root);
            }
        }
    }
    (0..n as u32).map(|u| blocks.find(u)).collect()
}

/// Joins neighbours that `same` says belong together, all at once.
pub(super) fn join(piece: &Piece, same: &dyn Fn(u32, u32) -> bool) -> (Piece, Vec<u32>) {
    let n = piece.len();
    let mut sets = Sets::new(n);
    for u in 0..n as u32 {
        for &v in piece.neighbor[piece.row(u)].iter().filter(|&&v| u < v) {
            if same(u, v) {
                sets.join(u, v);
            }
        }
    }
    let mut number = vec![0; n];
    let mut load = Vec::new();
    for u in 0..n as u32 {
        let root = sets.find(u);
        if root == u {
            number[u as usize] = load.len() as u32;
            load.push(0);
        } else {
            number[u as usize] = number[root as usize];
        }
        load[number[u as usize] as usize] += piece.load[u as usize];
    }
    (contracted(piece, &number, load), number)
}

/// The graph in which unit `u` is part of `number[u]`.
fn contracted(piece: &Piece, number: &[u32], load: Vec<u64>) -> Piece {
    let mut edges = Vec::with_capacity(piece.neighbor.len() / 2);
    for u in 0..piece.len() as u32 {
        for e in piece.row(u).filter(|&e| u < piece.neighbor[e]) {
            let v = piece.neighbor[e];
            edges.push((number[u as usize], number[v as usize], piece.cost[e], piece.length[e]));
        }
    }
    Piece::new(load, &edges)
}

/// The mate of every unit, itself where it has none. Best rated pairs first; ties go to the smaller numbers.
fn matching(piece: &Piece, cap: u64, liking: &dyn Fn(u32, u32) -> f64) -> Vec<u32> {
    let mut rated: Vec<(f64, u32, u32)> = Vec::new();
    for u in 0..piece.len() as u32 {
        for e in piece.row(u).filter(|&e| u < piece.neighbor[e]) {
            let (v, cost) = (piece.neighbor[e], piece.cost[e]);
            let (a, b) = (piece.load[u as usize], piece.load[v as usize]);
            let liking = liking(u, v);
            if a + b <= cap && 0.0 < liking {
                let cost = cost as f64;
                rated.push((liking * cost * cost / ((a + 1) as f64 * (b + 1) as f64), u, v));
            }
        }
    }
    rated.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let mut mate: Vec<u32> = (0..piece.len() as u32).collect();
    for (_, u, v) in rated {
        if mate[u as usize] == u && mate[v as usize] == v {
            mate[u as usize] = v;
            mate[v as usize] = u;
        }
    }
    mate
}
