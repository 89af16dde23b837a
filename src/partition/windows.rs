//! Large parts: windows of neighbouring grids are taken out, divided afresh and put back if better.
//!
//! What a window's grids have in common with the outside is cut either way, so a window is a problem of its own.
//! Windows of one pass do not overlap and run in parallel; each has its own stream of random numbers.

use rayon::prelude::*;

use super::division::{self, Ask};
use super::levels::{self, Cycle};
use super::piece::Piece;
use super::random::Random;
use super::solve::Context;

/// Grids per window, pass after pass.
const SIZES: [usize; 4] = [16, 24, 12, 20];
/// How a window is divided again.
const AGAIN: Cycle = Cycle { sweeps: (1500, 400), heat: (0.4, 0.2), end: 0.03 };

/// What a window starts from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    /// Its present division.
    Present,
    /// Its bare units.
    Nothing,
}

/// Improves `labels` (below `k`) over `passes` passes of windows.
pub(super) fn improve(context: &Context<'_>, ask: Ask<'_>, labels: &mut [u32], passes: usize, stream: u64) {
    let Ask { piece, k, .. } = ask;
    for pass in 0..passes {
        if context.stop() {
            return;
        }
        let mut random = Random::new(context.seed, stream ^ (pass as u64 + 1) << 50);
        let windows = windows(piece, labels, k, SIZES[pass % SIZES.len()], &mut random);
        let from = if pass % 4 == 3 { From::Nothing } else { From::Present };
        put_back(context, ask, labels, &windows, from, stream ^ ((pass as u64 + 1) << 50));
    }
}

/// Divides every window afresh and keeps what is better.
fn put_back(
    context: &Context<'_>,
    ask: Ask<'_>,
    labels: &mut [u32],
    windows: &[Vec<u32>],
    from: From,
    stream: u64,
) {
    let members = members(labels, ask.k);
    let redivided = windows.par_iter().enumerate().map(|(i, grids)| {
        let mut random = Random::new(context.seed, stream ^ ((i as u64 + 1) << 24));
        redivide(context, ask, labels, (grids, &members), from, &mut random)
    });
    let better: Vec<Option<Vec<(u32, u32)>>> = redivided.collect();
    for (unit, grid) in better.into_iter().flatten().flatten() {
        labels[unit as usize] = grid;
    }
}

/// Brings grids into range: only windows around those that are not, from small ones to large ones.
pub(super) fn mend(context: &Context<'_>, ask: Ask<'_>, labels: &mut [u32], stream: u64) {
    let Ask { piece, k, range } = ask;
    for (pass, size) in [4, 6, 8, 12, 16, 24, 8, 12, 16, 24].into_iter().enumerate() {
        let mut load = vec![0; k];
        for (unit, &g) in labels.iter().enumerate() {
            load[g as usize] += piece.load[unit];
        }
        let mut out: Vec<u32> = (0..k as u32).filter(|&g| 0 < range.excess(load[g as usize])).collect();
        if out.is_empty() || context.stop() {
            return;
        }
        let pass = pass as u64 + 101;
        let mut random = Random::new(context.seed, stream ^ pass << 50);
        for i in (1..out.len()).rev() {
            out.swap(i, random.below(i + 1));
        }
        let windows = windows_from(piece, labels, k, size, &out);
        let from = if pass.is_multiple_of(3) { From::Nothing } else { From::Present };
        put_back(context, ask, labels, &windows, from, stream ^ pass << 50);
    }
}

/// Units per grid.
fn members(labels: &[u32], k: usize) -> Vec<Vec<u32>> {
    let mut members = vec![Vec::new(); k];
    for (unit, &g) in labels.iter().enumerate() {
        members[g as usize].push(unit as u32);
    }
    members
}

/// Sorts all grids into connected groups of at most `size`, from random starts.
fn windows(piece: &Piece, labels: &[u32], k: usize, size: usize, random: &mut Random) -> Vec<Vec<u32>> {
    let mut order: Vec<u32> = (0..k as u32).collect();
    for i in (1..k).rev() {
        order.swap(i, random.below(i + 1));
    }
    windows_from(piece, labels, k, size, &order)
}

/// Connected groups of at most `size` grids around these, in order, each grid in one group at most.
fn windows_from(piece: &Piece, labels: &[u32], k: usize, size: usize, order: &[u32]) -> Vec<Vec<u32>> {
    let mut near: Vec<(u32, u32)> = Vec::new();
    for u in 0..piece.len() as u32 {
        for (v, _) in piece.edges_of(u) {
            let (a, b) = (labels[u as usize], labels[v as usize]);
            if a != b {
                near.push((a, b));
            }
        }
    }
    near.sort_unstable();
    near.dedup();
    let row = |g: u32| near.partition_point(|&(a, _)| a < g)..near.partition_point(|&(a, _)| a <= g);
    let mut taken = vec![false; k];
    let mut windows = Vec::new();
    for &first in order {
        if taken[first as usize] {
            continue;
        }
        taken[first as usize] = true;
        let mut window = vec![first];
        let mut head = 0;
        while head < window.len() && window.len() < size {
            for &(_, next) in &near[row(window[head])] {
                if !taken[next as usize] && window.len() < size {
                    taken[next as usize] = true;
                    window.push(next);
                }
            }
            head += 1;
        }
        if window.len() > 1 {
            windows.push(window);
        }
    }
    windows
}

/// Divides the units of some grids afresh; the new labels where that is better.
fn redivide(
    context: &Context<'_>,
    Ask { piece, range, .. }: Ask<'_>,
    labels: &[u32],
    (grids, members): (&[u32], &[Vec<u32>]),
    from: From,
    random: &mut Random,
) -> Option<Vec<(u32, u32)>> {
    let mut units: Vec<u32> = grids.iter().flat_map(|&g| members[g as usize].iter().copied()).collect();
    units.sort_unstable();
    let part = piece.induced(&units);
    let place = |g: u32| grids.iter().position(|&own| own == g).unwrap_or(0) as u32;
    let old: Vec<u32> = units.iter().map(|&u| place(labels[u as usize])).collect();
    let before = division::score(&part, range, &old, grids.len());
    let known = (from == From::Present).then_some(&old[..]);
    let (new, after) =
        levels::cycle(context, Ask { piece: &part, k: grids.len(), range }, AGAIN, known, None, random);
    (after < before).then(|| units.iter().zip(new).map(|(&u, g)| (u, grids[g as usize])).collect())
}
