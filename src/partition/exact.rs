//! Selection over regions: the best division that the pool, or all regions there are, can form.
//!
//! Where every connected set of units in range can be listed, the answer is the best there is, or a bound says
//! how far from it we may be. Elsewhere the grids met during annealing are recombined.

use super::cover::{self, Cover, Offer};
use super::division::{self, Range};
#[cfg(feature = "highs")]
use super::master::{self, Outcome, Source, Task};
use super::piece::Piece;
use super::regions::{self, Regions, Rule};
use super::solve::{Context, PartAnswer};

/// Largest part, in units, that is tried: unit numbers are stored in 16 bits.
pub(super) const MAX_UNITS: usize = 1000;
/// Grids of the largest part that is solved as a whole; larger ones are improved window by window.
pub(super) const MAX_GRIDS: usize = 60;
/// Sets that all enumerations of a call may visit, and the limits of one.
pub(super) const ALL_VISITS: usize = 1 << 30;
pub(super) const MIN_VISITS: usize = 1 << 16;
pub(super) const MAX_VISITS: usize = 1 << 23;
/// Columns of all integer programs of a call, and the limits of one.
pub(super) const ALL_COLUMNS: usize = 1_000_000;
pub(super) const MIN_COLUMNS: usize = 500;
pub(super) const MAX_COLUMNS: usize = 4000;
/// Steps of one exact cover search per column allowed.
const STEPS_PER_COLUMN: u64 = 20_000;
/// Nodes of one integer program.
#[cfg(feature = "highs")]
const NODES: i32 = 400;

/// One part under selection.
struct Selection<'a> {
    context: &'a Context<'a>,
    piece: &'a Piece,
    range: Range,
    k: usize,
    /// The grids met during annealing.
    pool: &'a Regions,
    labels: &'a mut Vec<u32>,
    answer: &'a mut PartAnswer,
}

/// Replaces `labels` by the best division found by selection, and raises the bounds in `answer`.
pub(super) fn improve(
    context: &Context<'_>,
    piece: &Piece,
    range: Range,
    pool: &Regions,
    labels: &mut Vec<u32>,
    answer: &mut PartAnswer,
) {
    let k = labels.iter().max().map_or(0, |&g| g as usize + 1);
    let mut selection = Selection { context, piece, range, k, pool, labels, answer };
    for out in selection.answer.least_out.. {
        if context.stop() || selection.with_out(out) || out >= selection.answer.score.n_out {
            return;
        }
    }
}

impl Selection<'_> {
    /// Looks for the best division with `out` grids out of range; true when it was found.
    fn with_out(&mut self, out: usize) -> bool {
        let known = self.answer.score.n_out == out;
        // Grids further out of range than now are not considered; without a division to compare, twice the range.
        let worst = match (out, known) {
            (0, _) => 0,
            (_, true) => self.worst(),
            (_, false) => self.range.high - self.range.low,
        };
        let wide =
            Range { low: self.range.low.saturating_sub(worst), high: self.range.high + worst, ..self.range };
        let rule = Rule { k: self.k, range: self.range, out, worst };
        let (all, complete) = regions::all_in_range(self.piece, wide, self.context.visits, self.pool);
        let mut regions = all.without_dead_ends(self.piece, rule);
        drop(all);
        let mut found = self.select(&mut regions, rule, complete, known);
        if !found && !known {
            found = self.cover(&regions, rule, complete);
            // A first division with so few out of range: now the cheapest one.
            if found {
                let rule = Rule { worst: self.worst(), ..rule };
                let mut regions = regions.without_dead_ends(self.piece, rule);
                self.select(&mut regions, rule, complete, true);
            }
        }
        found || known
    }

    /// Largest number of households by which a grid is out of range now.
    fn worst(&self) -> u64 {
        let mut load = vec![0; self.k];
        for (unit, &g) in self.labels.iter().enumerate() {
            load[g as usize] += self.piece.load[unit];
        }
        load.iter().map(|&l| self.range.excess(l)).max().unwrap_or(0)
    }

    /// Set partitioning with HiGHS; `known` says that the present division follows the rule.
    #[cfg(feature = "highs")]
    fn select(&mut self, regions: &mut Regions, rule: Rule, complete: bool, known: bool) -> bool {
        let upper = known.then_some(self.answer.score.cost);
        let columns = self.context.columns;
        let steps = STEPS_PER_COLUMN * columns as u64;
        let source = if complete {
            Source::Listed
        } else if self.piece.len() <= cover::MAX_UNITS {
            Source::Priced(self.context.visits)
        } else {
            Source::Pool
        };
        let piece = self.piece;
        let outcome =
            master::choose(&mut Task { piece, regions, source, rule, upper, steps, columns, nodes: NODES });
        match outcome {
            Outcome::Chosen { regions: chosen, bound } => {
                self.adopt(regions, &chosen);
                self.answer.least_cost = bound;
                true
            }
            Outcome::Open { bound } => {
                if known {
                    self.answer.least_cost = bound;
                }
                false
            }
            Outcome::Impossible => {
                self.impossible(rule, true);
                false
            }
        }
    }

    /// Without HiGHS only the search for any division remains; costs stay heuristic.
    #[cfg(not(feature = "highs"))]
    fn select(&mut self, _regions: &mut Regions, _rule: Rule, _complete: bool, _known: bool) -> bool {
        false
    }

    /// Searches for any division that follows the rule.
    fn cover(&mut self, regions: &Regions, rule: Rule, complete: bool) -> bool {
        if self.piece.len() > cover::MAX_UNITS || self.answer.least_out > rule.out {
            return false;
        }
        // Any division will do: everything is free, and likely regions come first.
        let mut order: Vec<u32> = (0..regions.len() as u32).collect();
        let excess = |r: u32| self.range.excess(u64::from(regions.load[r as usize]));
        order.sort_unstable_by_key(|&r| (excess(r), regions.boundary[r as usize], r));
        let offers: Vec<Offer> = order.into_iter().map(|region| Offer { region, price: 0 }).collect();
        let limit = STEPS_PER_COLUMN * self.context.columns as u64;
        let cc = cover::cheapest(self.piece, rule, regions, &offers, 0, limit);
        match cc {
            Cover::Found(chosen) | Cover::Unknown(Some(chosen)) => {
                self.adopt(regions, &chosen);
                true
            }
            Cover::Impossible => {
                self.impossible(rule, complete);
                false
            }
            Cover::Unknown(None) => false,
        }
    }

    /// No division follows the rule: with all regions at hand that is a proof.
    fn impossible(&mut self, rule: Rule, complete: bool) {
        if complete && rule.out == 0 {
            self.answer.least_out = self.answer.least_out.max(1);
        }
    }

    /// Takes over the chosen regions as the division.
    fn adopt(&mut self, regions: &Regions, chosen: &[usize]) {
        for (g, &region) in chosen.iter().enumerate() {
            for &unit in regions.units(region) {
                self.labels[usize::from(unit)] = g as u32;
            }
        }
        self.answer.score = division::score(self.piece, self.range, self.labels, chosen.len());
    }
}
