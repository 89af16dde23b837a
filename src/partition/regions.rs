//! Regions: connected sets of units that could be a grid, and the list of all of them.

use rustc_hash::FxHashSet;

use super::division::{Ask, Division, Range};
use super::piece::Piece;

/// The heir of a region that takes nobody's place.
pub(super) const NO_HEIR: u16 = u16::MAX;

/// A growing list of regions without duplicates; units are ascending within one.
#[derive(Clone, Default)]
pub(super) struct Regions {
    end: Vec<u32>,
    units: Vec<u16>,
    /// The present grid whose place each region takes; [`NO_HEIR`] outside redraws.
    pub heir: Vec<u16>,
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

    /// Whether the set of these units was added before in this place, by [`Self::add`] or [`Self::add_division`].
    #[cfg(feature = "highs")]
    pub(super) fn knows(&self, units: &[u32], heir: u16) -> bool {
        self.seen.contains(&name_with(units, heir))
    }

    /// Adds a region that is not known; `units` are ascending.
    pub(super) fn add(&mut self, units: &[u32], heir: u16, load: u64, boundary: i64) {
        self.seen.insert(name_with(units, heir));
        self.push(units, heir, load, boundary);
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
            self.push(&units, NO_HEIR, division.load[g as usize], boundary);
        }
    }

    /// The regions after which the rest may still be divided: its pieces must be able to hold `rule.k` − 1 grids,
    /// judged by their loads. One piece that cannot, or too few or too many grids in all, rules a region out.
    pub(super) fn without_dead_ends(&self, piece: &Piece, rule: Rule) -> Self {
        let mut kept = Self::default();
        let mut mark = vec![0u32; piece.len()];
        let mut queue = Vec::new();
        for region in 0..self.len() {
            let Some(is_out) = rule.is_out(self.load[region].into()) else { continue };
            let rest = Rule { k: rule.k - 1, out: rule.out - usize::from(is_out), ..rule };
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
                kept.add(&units, self.heir[region], u64::from(self.load[region]), self.boundary[region]);
            }
        }
        kept
    }

    fn push(&mut self, units: &[u32], heir: u16, load: u64, boundary: i64) {
        self.units.extend(units.iter().map(|&u| u as u16));
        self.heir.push(heir);
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
    /// Least load of these.
    pub least: u64,
    /// Most load of these.
    pub most: u64,
}

impl Rule {
    /// Every grid in range.
    pub(super) fn in_range(k: usize, range: Range) -> Self {
        Self { k, range, out: 0, least: range.low, most: range.high }
    }

    /// Of the grids that a piece is divided into, `out` may be out of range by `worst` households each; `None` where the
    /// loads alone say that this cannot be.
    pub(super) fn with_out(ask: Ask<'_>, out: usize, worst: u64) -> Option<Self> {
        let Ask { piece, k, range } = ask;
        let least = range.low.saturating_sub(worst);
        let heavy = piece.load.iter().filter(|&&load| range.high < load);
        let above = heavy.clone().count();
        let heavy: u64 = heavy.sum();
        // Units above the upper size lie in grids out of range; the other grids have at least so much.
        let light = out.saturating_sub(above) as u64 * least;
        let needed = heavy + light + range.low * k.saturating_sub(out) as u64;
        let spare = piece.total().checked_sub(needed)?;
        let most = if above == 0 { least } else { heavy } + spare;
        Some(Self { k, range, out, least, most: most.clamp(range.high, range.high + worst) })
    }

    /// Whether a grid of this load is out of range; `None` if no grid may have it.
    pub(super) fn is_out(self, load: u64) -> Option<bool> {
        let is_out = 0 < self.range.excess(load);
        let is_allowed = !is_out || 0 < self.out && (self.least..=self.most).contains(&load);
        is_allowed.then_some(is_out)
    }

    /// Loads that some grid may have, in range or not.
    pub(super) fn loads(self) -> Range {
        if self.out == 0 { self.range } else { Range { low: self.least, high: self.most, ..self.range } }
    }

    /// Fewest and most grids that a connected set of `size` units with this load can hold if `out` of them are out of
    /// range; `None` if no number will do.
    pub(super) fn counts(self, load: u64, size: usize, out: usize) -> Option<(usize, usize)> {
        let out = out as u64;
        let (more, less) = (out * (self.most - self.range.high), out * (self.range.low - self.least));
        let fewest = load.saturating_sub(more).div_ceil(self.range.high.max(1)).max(1) as usize;
        let most = (load + less).checked_div(self.range.low).map_or(size, |fit| (fit as usize).min(size));
        (fewest <= most).then_some((fewest, most))
    }

    /// How far a search under this rule is from being settled: 0 for all that may be, 1 where a grid out of range may hold
    /// one and a half times the upper limit, 2 where it may hold twice that. So many sets are regions then that a small
    /// part of a budget says as much as the whole.
    pub(super) fn hopelessness(self) -> u32 {
        let high = self.range.high;
        u32::from(high + high / 2 < self.most) + u32::from(2 * high < self.most)
    }
}

/// Where a search puts the regions it meets: new ones whose rest can be divided.
#[cfg(feature = "highs")]
pub(super) struct Keeper<'a> {
    piece: &'a Piece,
    rule: Rule,
    /// The present grid whose place regions take, and what each unit costs there in mm.
    place: Option<(u16, &'a [i64])>,
    pub regions: &'a mut Regions,
    /// How often a region may still be refused because its rest cannot be divided. Such regions are of no use, but where
    /// they are many it is cheaper to let the program have some than to wade through all of them.
    patience: usize,
    mark: Vec<u32>,
    stamp: u32,
    queue: Vec<u32>,
}

#[cfg(feature = "highs")]
impl<'a> Keeper<'a> {
    pub(super) fn new(piece: &'a Piece, rule: Rule, regions: &'a mut Regions) -> Self {
        let mark = vec![0; piece.len()];
        Self { piece, rule, place: None, regions, patience: usize::MAX, mark, stamp: 0, queue: Vec::new() }
    }

    /// From now on regions take the place of this present grid, where each unit costs so much, in mm.
    pub(super) fn in_place_of(&mut self, heir: u16, cost: &'a [i64]) {
        self.place = Some((heir, cost));
    }

    /// From now on regions whose rest cannot be divided are refused so many times only.
    pub(super) fn with_patience(self, patience: usize) -> Self {
        Self { patience, ..self }
    }

    /// Keeps a region of these units if it is new and its rest can be divided; true if it was kept.
    pub(super) fn offer(&mut self, mut units: Vec<u32>) -> bool {
        let heir = self.place.map_or(NO_HEIR, |place| place.0);
        if self.regions.knows(&units, heir) {
            return false;
        }
        units.sort_unstable();
        let load = units.iter().map(|&u| self.piece.load[u as usize]).sum();
        let is_out = 0 < self.rule.range.excess(load);
        let rest = Rule { k: self.rule.k - 1, out: self.rule.out - usize::from(is_out), ..self.rule };
        self.stamp += 1;
        for &u in &units {
            self.mark[u as usize] = self.stamp;
        }
        let members = units.iter().copied();
        let divides = rest_divides(self.piece, rest, members, self.stamp, &mut self.mark, &mut self.queue);
        if !divides && 0 < self.patience {
            self.patience -= 1;
            return false;
        }
        let brought: i64 = self.place.map_or(0, |(_, cost)| units.iter().map(|&u| cost[u as usize]).sum());
        self.regions.add(&units, heir, load, self.piece.boundary(&units) + 2 * brought);
        true
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

/// The name of a set in the place of a present grid.
fn name_with(units: &[u32], heir: u16) -> u64 {
    let place = if heir == NO_HEIR { 0 } else { mix(u32::from(heir) | 1 << 16) };
    name(units).wrapping_add(place)
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
            self.found.push(&units, NO_HEIR, load, boundary);
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
