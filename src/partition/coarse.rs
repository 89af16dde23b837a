//! Coarser graphs: units that hold tightly together are joined, so that whole blocks move at once.
//!
//! Rounds of heavy-edge matching, as in multilevel partitioners (Karypis and Kumar 1998), rated by
//! cost² / (load · load), with a cap on the joined load.

use super::piece::Piece;

/// Joins pairs of units `rounds` times as long as their load stays at or below `cap`. Returns the coarse graph and
/// the coarse unit of every unit.
pub(super) fn coarsen(piece: &Piece, cap: u64, rounds: usize) -> (Piece, Vec<u32>) {
    let mut map: Vec<u32> = (0..piece.len() as u32).collect();
    let mut coarse = piece.clone();
    for _ in 0..rounds {
        let pairs = matching(&coarse, cap);
        let mut number = vec![u32::MAX; coarse.len()];
        let mut load = Vec::new();
        for unit in 0..coarse.len() {
            let mate = pairs[unit] as usize;
            if mate < unit {
                number[unit] = number[mate];
            } else {
                number[unit] = load.len() as u32;
                load.push(0);
            }
            load[number[unit] as usize] += coarse.load[unit];
        }
        if load.len() * 20 > coarse.len() * 19 {
            break;
        }
        coarse = contracted(&coarse, &number, load);
        for unit in &mut map {
            *unit = number[*unit as usize];
        }
    }
    (coarse, map)
}

/// The graph in which unit `u` is part of `number[u]`.
fn contracted(piece: &Piece, number: &[u32], load: Vec<u64>) -> Piece {
    let mut edges = Vec::with_capacity(piece.neighbor.len() / 2);
    for u in 0..piece.len() as u32 {
        for (v, cost) in piece.edges_of(u).filter(|&(v, _)| u < v) {
            edges.push((number[u as usize], number[v as usize], cost));
        }
    }
    Piece::new(load, &edges)
}

/// The mate of every unit, itself where it has none. Best rated pairs first; ties go to the smaller numbers.
fn matching(piece: &Piece, cap: u64) -> Vec<u32> {
    let mut rated: Vec<(f64, u32, u32)> = Vec::new();
    for u in 0..piece.len() as u32 {
        for (v, cost) in piece.edges_of(u).filter(|&(v, _)| u < v) {
            let (a, b) = (piece.load[u as usize], piece.load[v as usize]);
            if a + b <= cap {
                let cost = cost as f64;
                rated.push((cost * cost / ((a + 1) as f64 * (b + 1) as f64), u, v));
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
