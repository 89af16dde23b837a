//! Exact cover by depth-first search: the cheapest division into given regions, within a budget.
//!
//! The unit with the fewest regions left is covered first; a rest whose pieces cannot hold the remaining grids is
//! given up at once, and a rest that failed before is not tried again.

use rustc_hash::FxHashMap;

use super::piece::Piece;
use super::regions::{Regions, Rule};

/// Largest part: units are bits of one word.
pub(super) const MAX_UNITS: usize = 128;

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

/// Looks for the cheapest `rule.k` regions that cover all units, at most `rule.out` of them out of range, whose
/// prices add up to at most `budget`. Earlier offers are tried first. `limit` bounds the offers looked at.
pub(super) fn cheapest(
    piece: &Piece,
    rule: Rule,
    regions: &Regions,
    offers: &[Offer],
    budget: i64,
    limit: u64,
) -> Cover {
    let candidates: Vec<Candidate> = offers
        .iter()
        .map(|offer| {
            let region = offer.region as usize;
            let mask = regions.units(region).iter().fold(0u128, |set, &u| set | 1 << u);
            let is_out = 0 < rule.range.excess(u64::from(regions.load[region]));
            Candidate { mask, region: offer.region, price: offer.price, is_out }
        })
        .collect();
    let near = (0..piece.len() as u32)
        .map(|u| piece.neighbor[piece.row(u)].iter().fold(0u128, |set, &v| set | 1 << v))
        .collect();
    let mut search = Search {
        piece,
        rule,
        near,
        failed: FxHashMap::default(),
        chosen: Vec::new(),
        best: None,
        budget,
        left: limit,
    };
    let all = if piece.len() == MAX_UNITS { u128::MAX } else { (1 << piece.len()) - 1 };
    let finished = search.cover(all, rule.k, rule.out, 0, &candidates).is_some();
    match (finished, search.best) {
        (true, Some(best)) => Cover::Found(best),
        (true, None) => Cover::Impossible,
        (false, best) => Cover::Unknown(best),
    }
}

#[derive(Clone, Copy)]
struct Candidate {
    mask: u128,
    price: i64,
    region: u32,
    is_out: bool,
}

struct Search<'a> {
    piece: &'a Piece,
    rule: Rule,
    near: Vec<u128>,
    /// Rests that cannot be covered with this much left to spend.
    failed: FxHashMap<(u128, u32), i64>,
    chosen: Vec<usize>,
    best: Option<Vec<usize>>,
    /// What a better choice may cost.
    budget: i64,
    left: u64,
}

impl Search<'_> {
    /// Covers `rest` with `k` of the candidates after spending `spent`; `None` when the limit is reached.
    fn cover(
        &mut self,
        rest: u128,
        k: usize,
        out: usize,
        spent: i64,
        candidates: &[Candidate],
    ) -> Option<()> {
        if rest == 0 {
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
        if !self.divides(rest, k, out) {
            self.failed.insert(name, i64::MAX);
            return Some(());
        }
        self.left = self.left.checked_sub(candidates.len() as u64 + 10)?;
        let scarcest = scarcest(rest, candidates);
        for (i, candidate) in candidates.iter().enumerate() {
            let spent = spent + candidate.price;
            if candidate.mask >> scarcest & 1 == 0 || self.budget < spent || (candidate.is_out && out == 0) {
                continue;
            }
            let (left, mask) = (self.budget - spent, candidate.mask);
            let open: Vec<Candidate> = candidates
                .iter()
                .copied()
                .filter(|other| other.mask & mask == 0 && other.price <= left)
                .collect();
            self.chosen.push(candidates[i].region as usize);
            self.cover(rest & !mask, k - 1, out - usize::from(candidate.is_out), spent, &open)?;
            self.chosen.pop();
        }
        // Every way of spending up to the budget that is left now was tried.
        self.failed.insert(name, self.budget - spent);
        Some(())
    }

    /// Whether the pieces of `rest` can hold `k` grids, judged by their loads.
    fn divides(&self, rest: u128, k: usize, out: usize) -> bool {
        let (mut fewest, mut most) = (0, 0);
        let mut rest = rest;
        while rest != 0 {
            let mut island = 1u128 << rest.trailing_zeros();
            let mut edge = island;
            let (mut load, mut size) = (0, 0);
            while edge != 0 {
                let u = edge.trailing_zeros() as usize;
                edge &= edge - 1;
                load += self.piece.load[u];
                size += 1;
                let new = self.near[u] & rest & !island;
                island |= new;
                edge |= new;
            }
            rest &= !island;
            let Some((least, largest)) = self.rule.counts(load, size, out) else { return false };
            fewest += least;
            most += largest;
        }
        fewest <= k && k <= most
    }
}

/// The unit of `rest` that the fewest candidates cover.
fn scarcest(rest: u128, candidates: &[Candidate]) -> u32 {
    let mut times = [0u32; MAX_UNITS];
    for candidate in candidates {
        let mut bits = candidate.mask;
        while bits != 0 {
            times[bits.trailing_zeros() as usize] += 1;
            bits &= bits - 1;
        }
    }
    let mut best = (u32::MAX, 0);
    let mut bits = rest;
    while bits != 0 {
        let u = bits.trailing_zeros();
        best = best.min((times[u as usize], u));
        bits &= bits - 1;
    }
    best.1
}
