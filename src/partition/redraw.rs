//! Re-division from the present grids: start where they are, move as little load as balance allows.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use super::division::Range;
use super::islands::Part;
use super::piece::Piece;
use super::random::Random;
use super::seed;

/// No present grid.
const NOWHERE: u32 = u32::MAX;

/// What a household that changes grid costs in a redraw, in mm: more than any boundary it may save.
pub(super) const MOVE_MM: i64 = 100_000;

/// Present grid per unit, which is to change as little as possible; empty where there is none.
#[derive(Clone, Copy)]
pub(super) struct Moves<'a> {
    pub home: &'a [u32],
}

impl Moves<'_> {
    /// All units in this order, but those of one present grid after another.
    #[cfg(feature = "highs")]
    pub(super) fn roots(self, order: &[u32]) -> Vec<u32> {
        let mut roots = order.to_vec();
        if !self.home.is_empty() {
            roots.sort_by_key(|&u| self.home[u as usize]);
        }
        roots
    }

    /// The present grids there are; one nameless one in a division from nothing.
    #[cfg(feature = "highs")]
    pub(super) fn homes(self) -> Vec<Option<u32>> {
        let mut homes: Vec<Option<u32>> = self.home.iter().copied().map(Some).collect();
        homes.sort_unstable();
        homes.dedup();
        if homes.is_empty() {
            homes.push(None);
        }
        homes
    }

    /// The present grid of a unit.
    #[cfg(feature = "highs")]
    pub(super) fn home_of(self, unit: u32) -> Option<u32> {
        self.home.get(unit as usize).copied()
    }

    /// The present grid that most of a set comes from.
    #[cfg(feature = "highs")]
    pub(super) fn main_home(self, piece: &Piece, units: &[u32]) -> Option<u32> {
        let first = self.home_of(*units.first()?)?;
        let mut homes: Vec<u32> = units.iter().map(|&u| self.home[u as usize]).collect();
        homes.sort_unstable();
        homes.dedup();
        let load = |home: u32| -> u64 {
            units.iter().filter(|&&u| self.home[u as usize] == home).map(|&u| piece.load[u as usize]).sum()
        };
        let kept = homes.into_iter().filter(|&home| home != NOWHERE);
        Some(kept.max_by_key(|&home| (load(home), std::cmp::Reverse(home))).unwrap_or(first))
    }

    /// What a unit costs that joins grid `home`, in micrometres. A grid without a present one has nobody to keep.
    #[cfg(feature = "highs")]
    pub(super) fn micro(self, piece: &Piece, unit: u32, home: u32) -> i64 {
        let own = self.home[unit as usize];
        if own == home {
            0
        } else if home == NOWHERE {
            i64::MAX / 1024
        } else if own == NOWHERE {
            0
        } else {
            MOVE_MM * 1000 * piece.load[unit as usize] as i64
        }
    }

    /// Load of a set outside the present grid that most of it comes from.
    pub(super) fn moved(self, piece: &Piece, units: impl Iterator<Item = usize>) -> i64 {
        if self.home.is_empty() {
            return 0;
        }
        let mut from: Vec<(u32, u64)> = Vec::new();
        let mut total = 0;
        for unit in units.filter(|&unit| self.home[unit] != NOWHERE) {
            let load = piece.load[unit];
            total += load;
            match from.iter_mut().find(|(grid, _)| *grid == self.home[unit]) {
                Some((_, sum)) => *sum += load,
                None => from.push((self.home[unit], load)),
            }
        }
        (total - from.iter().map(|&(_, sum)| sum).max().unwrap_or(0)) as i64
    }
}

/// A connected division into `k` grids that follows the present one as far as that goes, and the grid each unit should
/// stay in (`u32::MAX` where it has none or its grid is given up). `current` is the present grid per unit, negative
/// for none.
fn start(
    piece: &Piece,
    k: usize,
    range: Range,
    current: &[i32],
    random: &mut Random,
) -> (Vec<u32>, Vec<u32>) {
    let kept = largest(piece, current, k);
    let home: Vec<u32> = current.iter().map(|name| kept.get(name).copied().unwrap_or(NOWHERE)).collect();
    let mut labels = main_pieces(piece, &home);
    let mut k_now = kept.len() as u32;
    if k_now == 0 {
        return (seed::split(piece, k, range, random), home);
    }
    spread(piece, &mut labels, k_now);
    while (k_now as usize) < k {
        divide_heaviest(piece, &mut labels, k_now, range, random);
        k_now += 1;
    }
    (labels, home)
}

/// As [`start`] for a part of a zone, whose units have these present grids.
pub(super) fn start_of(
    part: &Part,
    range: Range,
    current: &[i32],
    random: &mut Random,
) -> (Vec<u32>, Vec<u32>) {
    let mut own = vec![-1; part.piece.len()];
    for &(unit, local) in &part.units {
        own[local as usize] = current[unit as usize];
    }
    start(&part.piece, part.k.max(1), range, &own, random)
}

/// Load of the units that are not in their present grid; 0 without one.
pub(super) fn moved_from(piece: &Piece, home: &[u32], labels: &[u32]) -> u64 {
    let away = home.iter().zip(labels).enumerate().filter(|(_, (home, g))| **home != NOWHERE && home != g);
    away.map(|(unit, _)| piece.load[unit]).sum()
}

/// Renames the grids of a division after the present grids they overlap most, largest overlap first.
pub(super) fn name_by_home(piece: &Piece, home: &[u32], labels: &mut [u32], k: usize) {
    let mut overlap: FxHashMap<(u32, u32), u64> = FxHashMap::default();
    for (unit, &g) in labels.iter().enumerate().filter(|&(unit, _)| home[unit] != NOWHERE) {
        // As the answer numbers its grids: by load, then by number of units, then by name.
        *overlap.entry((home[unit], g)).or_default() += piece.load[unit] << 24 | 1;
    }
    let mut pairs: Vec<((u32, u32), u64)> = overlap.into_iter().collect();
    pairs.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut name = vec![NOWHERE; k];
    let mut taken = vec![false; k];
    for ((old, g), _) in pairs {
        if name[g as usize] == NOWHERE && !taken[old as usize] {
            name[g as usize] = old;
            taken[old as usize] = true;
        }
    }
    let mut free = (0..k as u32).filter(|&old| !taken[old as usize]);
    for slot in name.iter_mut().filter(|slot| **slot == NOWHERE) {
        *slot = free.next().unwrap_or(0);
    }
    for g in labels {
        *g = name[*g as usize];
    }
}

/// The `k` present grids of the largest load, numbered in order of name.
fn largest(piece: &Piece, current: &[i32], k: usize) -> FxHashMap<i32, u32> {
    let mut load: FxHashMap<i32, u64> = FxHashMap::default();
    for (unit, &name) in current.iter().enumerate().filter(|(_, name)| **name >= 0) {
        *load.entry(name).or_default() += piece.load[unit];
    }
    let mut names: Vec<(u64, i32)> = load.into_iter().map(|(name, load)| (load, name)).collect();
    names.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    names.truncate(k);
    names.sort_unstable_by_key(|&(_, name)| name);
    names.iter().enumerate().map(|(i, &(_, name))| (name, i as u32)).collect()
}

/// Keeps of every grid its heaviest connected piece; the other units become nobody's.
fn main_pieces(piece: &Piece, home: &[u32]) -> Vec<u32> {
    let mut seen = vec![false; piece.len()];
    let mut best: FxHashMap<u32, (u64, Vec<u32>)> = FxHashMap::default();
    for first in 0..piece.len() as u32 {
        let g = home[first as usize];
        if g == NOWHERE || seen[first as usize] {
            continue;
        }
        seen[first as usize] = true;
        let mut units = vec![first];
        let mut head = 0;
        while head < units.len() {
            for &v in &piece.neighbor[piece.row(units[head])] {
                if home[v as usize] == g && !seen[v as usize] {
                    seen[v as usize] = true;
                    units.push(v);
                }
            }
            head += 1;
        }
        let load = units.iter().map(|&u| piece.load[u as usize]).sum();
        let slot = best.entry(g).or_insert((0, Vec::new()));
        if slot.1.is_empty() || slot.0 < load {
            *slot = (load, units);
        }
    }
    let mut labels = vec![NOWHERE; piece.len()];
    for (g, (_, units)) in best {
        for unit in units {
            labels[unit as usize] = g;
        }
    }
    labels
}

/// Gives every unit without a grid to a neighbouring one, the lightest first. The piece is connected.
fn spread(piece: &Piece, labels: &mut [u32], k: u32) {
    let mut load = vec![0u64; k as usize];
    for (unit, &g) in labels.iter().enumerate().filter(|(_, g)| **g != NOWHERE) {
        load[g as usize] += piece.load[unit];
    }
    let mut open = BTreeSet::new();
    for u in 0..piece.len() as u32 {
        if labels[u as usize] != NOWHERE {
            offer(piece, labels, &load, u, &mut open);
        }
    }
    while let Some((_, unit, g)) = open.pop_first() {
        if labels[unit as usize] == NOWHERE {
            labels[unit as usize] = g;
            load[g as usize] += piece.load[unit as usize];
            offer(piece, labels, &load, unit, &mut open);
        }
    }
}

/// Offers the neighbours of `unit` that have no grid to its grid.
fn offer(piece: &Piece, labels: &[u32], load: &[u64], unit: u32, open: &mut BTreeSet<(u64, u32, u32)>) {
    let g = labels[unit as usize];
    for &v in &piece.neighbor[piece.row(unit)] {
        if labels[v as usize] == NOWHERE {
            open.insert((load[g as usize], v, g));
        }
    }
}

/// Splits the heaviest grid that has two units; its second part becomes grid `new`.
fn divide_heaviest(piece: &Piece, labels: &mut [u32], new: u32, range: Range, random: &mut Random) {
    let mut load = vec![(0u64, 0usize); new as usize];
    for (unit, &g) in labels.iter().enumerate() {
        load[g as usize].0 += piece.load[unit];
        load[g as usize].1 += 1;
    }
    let divisible = (0..new).filter(|&g| load[g as usize].1 > 1);
    let Some(heaviest) = divisible.max_by_key(|&g| (load[g as usize].0, std::cmp::Reverse(g))) else {
        return;
    };
    let units: Vec<u32> = (0..piece.len() as u32).filter(|&u| labels[u as usize] == heaviest).collect();
    let halves = seed::split(&piece.induced(&units), 2, range, random);
    for (&unit, half) in units.iter().zip(halves) {
        if half == 1 {
            labels[unit as usize] = new;
        }
    }
}
