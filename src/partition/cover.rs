//! Exact cover by depth-first search: the cheapest division into given regions, within a budget.
//!
//! The unit with the fewest regions left is covered first; a rest whose pieces cannot hold the remaining grids is
//! given up at once, and a rest that failed before is not tried again.

use rustc_hash::FxHashMap;

use super::piece::Piece;
use super::regions::{NO_HEIR, Regions, Rule};

/// Largest part: units are bits of a mask, in a redraw followed by the places of present grids.
pub(super) const MAX_UNITS: usize = 256;

/// A set of units and places.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Mask([u128; 2]);

impl Mask {
    pub(super) const EMPTY: Self = Self([0; 2]);

    pub(super) fn with(mut self, u: usize) -> Self {
        self.0[u / 128] |= 1 << (u % 128);
        self
    }

    pub(super) fn has(self, u: usize) -> bool {
        self.0[u / 128] >> (u % 128) & 1 == 1
    }

    /// The set of these units.
    pub(super) fn of(units: &[u16]) -> Self {
        units.iter().fold(Self::EMPTY, |set, &u| set.with(usize::from(u)))
    }

    /// Number of members.
    #[cfg(feature = "highs")]
    pub(super) fn len(self) -> usize {
        (self.0[0].count_ones() + self.0[1].count_ones()) as usize
    }

    pub(super) fn is_empty(self) -> bool {
        self.0[0] | self.0[1] == 0
    }

    pub(super) fn meets(self, other: Self) -> bool {
        self.0[0] & other.0[0] | self.0[1] & other.0[1] != 0
    }

    pub(super) fn without(self, other: Self) -> Self {
        Self([self.0[0] & !other.0[0], self.0[1] & !other.0[1]])
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self([self.0[0] & other.0[0], self.0[1] & other.0[1]])
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self([self.0[0] | other.0[0], self.0[1] | other.0[1]])
    }

    /// Takes the smallest unit out.
    pub(super) fn pop(&mut self) -> Option<usize> {
        let half = if self.0[0] != 0 { 0 } else { 1 };
        let word = &mut self.0[half];
        if *word == 0 {
            return None;
        }
        let u = word.trailing_zeros() as usize;
        *word &= *word - 1;
        Some(half * 128 + u)
    }
}

/// What the search says.
pub(super) enum Cover {
    /// The cheapest choice of regions that covers every unit once.
    Found(Vec<usize>),
    /// There is none within the budget.
    Impossible,
    /// The limit was reached first; a choice may have been found before.
    Unknown(Option<Vec<usize>>),
}

/// A region on offer with a price that is not negative.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer {
    pub region: u32,
    pub price: i64,
}

/// What a choice costs beside its regions, never negative: what it leaves undone.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Idle<'a> {
    /// Per place of a present grid that no region takes.
    pub place: &'a [i64],
    /// Per region fewer out of range than may be.
    pub out: i64,
}

/// Looks for the cheapest `rule.k` regions that cover all units, at most `rule.out` of them out of range, whose
/// prices add up to at most `budget`, no two in the place of one present grid. Earlier offers are tried first. `limit` bounds the offers looked at.
pub(super) fn cheapest(
    piece: &Piece,
    rule: Rule,
    regions: &Regions,
    (offers, idle): (&[Offer], Idle<'_>),
    budget: i64,
    limit: u64,
) -> Cover {
    let n = piece.len();
    let candidates: Vec<Candidate> = offers
        .iter()
        .map(|offer| {
            let region = offer.region as usize;
            let mut mask = Mask::of(regions.units(region));
            if regions.heir[region] != NO_HEIR {
                mask = mask.with(n + usize::from(regions.heir[region]));
            }
            let is_out = 0 < rule.range.excess(u64::from(regions.load[region]));
            Candidate { mask, region: offer.region, price: offer.price, is_out }
        })
        .collect();
    let near = (0..n as u32)
        .map(|u| piece.neighbor[piece.row(u)].iter().fold(Mask::EMPTY, |set, &v| set.with(v as usize)))
        .collect();
    let mut search = Search {
        piece,
        rule,
        near,
        idle,
        units: (0..n).fold(Mask::EMPTY, Mask::with),
        failed: FxHashMap::default(),
        chosen: Vec::new(),
        best: None,
        budget,
        left: limit,
    };
    let all = (n..n + idle.place.len()).fold(search.units, Mask::with);
    let finished = search.cover(all, rule.k, rule.out, 0, &candidates).is_some();
    match (finished, search.best) {
        (true, Some(best)) => Cover::Found(best),
        (true, None) => Cover::Impossible,
        (false, best) => Cover::Unknown(best),
    }
}

#[derive(Clone, Copy)]
struct Candidate {
    mask: Mask,
    price: i64,
    region: u32,
    is_out: bool,
}

struct Search<'a> {
    piece: &'a Piece,
    rule: Rule,
    near: Vec<Mask>,
    idle: Idle<'a>,
    /// All units; the other bits are places.
    units: Mask,
    /// Rests that cannot be covered with this much left to spend.
    failed: FxHashMap<(Mask, u32), i64>,
    chosen: Vec<usize>,
    best: Option<Vec<usize>>,
    /// What a better choice may cost.
    budget: i64,
    left: u64,
}

impl Search<'_> {
    /// Covers the units of `rest`, in places that it holds, with `k` of the candidates after spending `spent`; `None` when the limit is reached.
    fn cover(
        &mut self,
        rest: Mask,
        k: usize,
        out: usize,
        spent: i64,
        candidates: &[Candidate],
    ) -> Option<()> {
        let open_units = rest.and(self.units);
        if open_units.is_empty() {
            let spent = spent + self.left_undone(rest, out);
            if k == 0 && spent <= self.budget {
                self.best = Some(self.chosen.clone());
                self.budget = spent - 1;
            }
            return Some(());
        }
        let name = (rest, (k * 64 + out) as u32);
        let left = self.budget - spent;
        if k == 0 || left < 0 || self.failed.get(&name).is_some_and(|&tried| left <= tried) {
            return Some(());
        }
        if !self.divides(open_units, k, out) {
            self.failed.insert(name, i64::MAX);
            return Some(());
        }
        self.left = self.left.checked_sub(candidates.len() as u64 + 10)?;
        let scarcest = scarcest(open_units, candidates);
        for (i, candidate) in candidates.iter().enumerate() {
            let spent = spent + candidate.price;
            if !candidate.mask.has(scarcest) || self.budget < spent || (candidate.is_out && out == 0) {
                continue;
            }
            let (left, mask) = (self.budget - spent, candidate.mask);
            let open: Vec<Candidate> = candidates
                .iter()
                .copied()
                .filter(|other| !other.mask.meets(mask) && other.price <= left)
                .collect();
            self.chosen.push(candidates[i].region as usize);
            self.cover(rest.without(mask), k - 1, out - usize::from(candidate.is_out), spent, &open)?;
            self.chosen.pop();
        }
        // Every way of spending up to the budget that is left now was tried.
        self.failed.insert(name, self.budget - spent);
        Some(())
    }

    /// What it costs to leave these places empty, and so many grids in range that need not be.
    fn left_undone(&self, places: Mask, out: usize) -> i64 {
        let n = self.piece.len();
        let empty = self.idle.place.iter().enumerate().filter(|&(place, _)| places.has(n + place));
        empty.map(|(_, cost)| cost).sum::<i64>() + self.idle.out * out as i64
    }

    /// Whether the pieces of `rest` can hold `k` grids, judged by their loads.
    fn divides(&self, rest: Mask, k: usize, out: usize) -> bool {
        let (mut fewest, mut most) = (0, 0);
        let mut rest = rest;
        while let Some(first) = rest.pop() {
            let mut island = Mask::EMPTY.with(first);
            let mut edge = island;
            let (mut load, mut size) = (0, 0);
            while let Some(u) = edge.pop() {
                load += self.piece.load[u];
                size += 1;
                let new = self.near[u].and(rest).without(island);
                island = island.or(new);
                edge = edge.or(new);
            }
            rest = rest.without(island);
            let Some((least, largest)) = self.rule.counts(load, size, out) else { return false };
            fewest += least;
            most += largest;
        }
        fewest <= k && k <= most
    }
}

/// The unit of `rest` that the fewest candidates cover.
fn scarcest(rest: Mask, candidates: &[Candidate]) -> usize {
    let mut times = [0u32; MAX_UNITS];
    for candidate in candidates {
        let mut units = candidate.mask;
        while let Some(u) = units.pop() {
            times[u] += 1;
        }
    }
    let mut best = (u32::MAX, 0);
    let mut units = rest;
    while let Some(u) = units.pop() {
        best = best.min((times[u], u));
    }
    best.1
}
