//! Regions: connected sets of units that could be a grid, and the list of all of them.

use rustc_hash::FxHashSet;

use super::division::{Division, Range};
use super::piece::Piece;

/// A growing list of regions without duplicates; units are ascending within one.
#[derive(Clone, Default)]
pub(super) struct Regions {
    end: Vec<u32>,
    units: Vec<u16>,
    /// Cost of the edges that leave each region, in mm: twice its share of the cut.
    pub boundary: Vec<i64>,
    /// Load of each region.
    pub load: Vec<u32>,
    seen: FxHashSet<u64>,
}

impl Regions {
    /// Number of regions.
    pub(super) fn len(&self) -> usize {
        self.load.len()
    }

    /// Units of region `r`, ascending.
    pub(super) fn units(&self, r: usize) -> &[u16] {
        let from = if r == 0 { 0 } else { self.end[r - 1] as usize };
        &self.units[from..self.end[r] as usize]
    }

    /// Whether the set of these units was added before, by [`Self::add`] or [`Self::add_division`].
    #[cfg(feature = "highs")]
    pub(super) fn knows(&self, units: &[u32]) -> bool {
        self.seen.contains(&name(units))
    }

    /// Adds a region that is not known; `units` are ascending.
    pub(super) fn add(&mut self, units: &[u32], load: u64, boundary: i64) {
        self.seen.insert(name(units));
        self.push(units, load, boundary);
    }

    /// Adds every grid of a division whose load is within `keep`.
    pub(super) fn add_division(&mut self, division: &Division<'_>, keep: std::ops::RangeInclusive<u64>) {
        for g in 0..division.load.len() as u32 {
            if !keep.contains(&division.load[g as usize]) {
                continue;
            }
            if !self.seen.insert(name(division.members(g))) {
                continue;
            }
            let mut units = division.members(g).to_vec();
            units.sort_unstable();
            let mut boundary = 0;
            for &u in &units {
                let outside = division.piece.edges_of(u).filter(|&(v, _)| division.grid[v as usize] != g);
                boundary += outside.map(|(_, cost)| cost).sum::<i64>();
            }
            self.push(&units, division.load[g as usize], boundary);
        }
    }

    /// The regions after which the rest may still be divided: its pieces must be able to hold `rule.k` − 1 grids,
    /// judged by their loads. One piece that cannot, or too few or too many grids in all, rules a region out.
    pub(super) fn without_dead_ends(&self, piece: &Piece, rule: Rule) -> Self {
        let mut kept = Self::default();
        let mut mark = vec![0u32; piece.len()];
        let mut queue = Vec::new();
        for region in 0..self.len() {
            let excess = rule.range.excess(u64::from(self.load[region]));
            let is_out = usize::from(0 < excess);
            if rule.out < is_out || rule.worst < excess {
                continue;
            }
            let rest = Rule { k: rule.k - 1, out: rule.out - is_out, ..rule };
            let stamp = region as u32 + 1;
            for &u in self.units(region) {
                mark[usize::from(u)] = stamp;
            }
            if rest_divides(
                piece,
                rest,
                self.units(region).iter().map(|&u| u32::from(u)),
                stamp,
                &mut mark,
                &mut queue,
            ) {
                let units: Vec<u32> = self.units(region).iter().map(|&u| u32::from(u)).collect();
                kept.add(&units, u64::from(self.load[region]), self.boundary[region]);
            }
        }
        kept
    }

    fn push(&mut self, units: &[u32], load: u64, boundary: i64) {
        self.units.extend(units.iter().map(|&u| u as u16));
        self.end.push(self.units.len() as u32);
        self.load.push(load as u32);
        self.boundary.push(boundary);
    }
}

/// What a division has to look like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// Number of grids.
    pub k: usize,
    /// Loads in range.
    pub range: Range,
    /// Grids that may be out of range.
    pub out: usize,
    /// Households by which each of these may be out of range.
    pub worst: u64,
}

impl Rule {
    /// Fewest and most grids that a connected set of `size` units with this load can hold if `out` of them are out of
    /// range; `None` if no number will do.
    pub(super) fn counts(self, load: u64, size: usize, out: usize) -> Option<(usize, usize)> {
        let slack = out as u64 * self.worst;
        let fewest = load.saturating_sub(slack).div_ceil(self.range.high.max(1)).max(1) as usize;
        let most = (load + slack).checked_div(self.range.low).map_or(size, |fit| (fit as usize).min(size));
        (fewest <= most).then_some((fewest, most))
    }
}

/// Whether the pieces around a marked region can hold `rule.k` grids.
pub(super) fn rest_divides(
    piece: &Piece,
    rule: Rule,
    region: impl Iterator<Item = u32>,
    stamp: u32,
    mark: &mut [u32],
    queue: &mut Vec<u32>,
) -> bool {
    let (mut fewest, mut most) = (0, 0);
    for inside in region {
        for (first, _) in piece.edges_of(inside) {
            if mark[first as usize] == stamp {
                continue;
            }
            mark[first as usize] = stamp;
            queue.clear();
            queue.push(first);
            let (mut load, mut size) = (0, 0);
            while let Some(u) = queue.pop() {
                load += piece.load[u as usize];
                size += 1;
                for &v in &piece.neighbor[piece.row(u)] {
                    if mark[v as usize] != stamp {
                        mark[v as usize] = stamp;
                        queue.push(v);
                    }
                }
            }
            let Some((least, largest)) = rule.counts(load, size, rule.out) else { return false };
            fewest += least;
            most += largest;
        }
    }
    fewest <= rule.k && rule.k <= most
}

/// The name of a set: a sum of mixed unit numbers. Two sets share one with a chance of 2⁻⁶⁴.
fn name(units: &[u32]) -> u64 {
    units.iter().fold(0, |name: u64, &u| name.wrapping_add(mix(u)))
}

/// Spreads unit numbers over 64 bits (the finalizer of SplitMix64).
fn mix(unit: u32) -> u64 {
    let mut z = (u64::from(unit) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Adds to `known` every connected set of units with a load in range that it lacks, and says whether it got them all.
///
/// A search that would visit more than `limit` sets is cut short, evenly over the units it starts from. Sets are visited
/// once each: by their smallest unit, then by which neighbours were taken or refused (Wernicke's ESU, 2006).
pub(super) fn all_in_range(piece: &Piece, range: Range, limit: usize, known: &Regions) -> (Regions, bool) {
    for per_root in [limit, limit / 4 / piece.len()] {
        let mut search = Search {
            piece,
            range,
            left: limit,
            found: known.clone(),
            inside: vec![false; piece.len()],
            refused: vec![false; piece.len()],
            set: Vec::new(),
        };
        let mut complete = true;
        for root in 0..piece.len() as u32 {
            search.refused[root as usize] = true;
            if per_root < limit {
                search.left = per_root;
            }
            complete &= search.take(root, Vec::new(), 0, 0, 0).is_some();
            if !complete && per_root == limit {
                break;
            }
        }
        if complete || per_root < limit {
            return (search.found, complete);
        }
    }
    (known.clone(), false)
}

struct Search<'a> {
    piece: &'a Piece,
    range: Range,
    /// Sets that may still be visited.
    left: usize,
    found: Regions,
    inside: Vec<bool>,
    /// Units that may not be taken (again) on this branch: smaller roots, and those decided above.
    refused: Vec<bool>,
    set: Vec<u32>,
}

impl Search<'_> {
    /// Visits all sets that contain `unit`, the present set, and any of `frontier` and what lies behind it.
    fn take(&mut self, unit: u32, mut frontier: Vec<u32>, load: u64, boundary: i64, name: u64) -> Option<()> {
        let name = name.wrapping_add(mix(unit));
        let load = load + self.piece.load[unit as usize];
        if load > self.range.high {
            return Some(());
        }
        self.left = self.left.checked_sub(1)?;
        let mut boundary = boundary;
        let first_new = frontier.len();
        for (v, cost) in self.piece.edges_of(unit) {
            boundary += if self.inside[v as usize] { -cost } else { cost };
            if !self.refused[v as usize] {
                self.refused[v as usize] = true;
                frontier.push(v);
            }
        }
        let new: Vec<u32> = frontier[first_new..].to_vec();
        self.inside[unit as usize] = true;
        self.set.push(unit);
        if self.range.low <= load && !self.found.seen.contains(&name) {
            let mut units = self.set.clone();
            units.sort_unstable();
            self.found.push(&units, load, boundary);
        }
        let mut going_on = Some(());
        while let Some(next) = frontier.pop() {
            going_on = self.take(next, frontier.clone(), load, boundary, name);
            if going_on.is_none() {
                break;
            }
        }
        self.set.pop();
        self.inside[unit as usize] = false;
        for v in new {
            self.refused[v as usize] = false;
        }
        going_on
    }
}
