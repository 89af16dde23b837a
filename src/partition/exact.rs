//! Selection over regions: the best division that the pool, or all regions there are, can form.
//!
//! Where every connected set of units in range can be listed, the answer is the best there is, or a bound says
//! how far from it we may be. Elsewhere the grids met during annealing are recombined.

use super::cover::{self, Cover, Idle, Offer};
use super::division::{self, Ask, Range};
#[cfg(feature = "highs")]
use super::master::{self, Outcome, Source, Task};
#[cfg(feature = "highs")]
use super::packing::{Packer, Packing};
use super::piece::Piece;
#[cfg(feature = "highs")]
use super::random::Random;
use super::regions::{self, Regions, Rule};
use super::solve::{Context, PartAnswer};
#[cfg(feature = "highs")]
use super::sweep::Sweeper;

/// Largest part, in units, that is tried: unit numbers are stored in 16 bits.
pub(super) const MAX_UNITS: usize = 1000;
/// Grids of the largest part that is solved as a whole; larger ones are improved window by window.
pub(super) const MAX_GRIDS: usize = 60;
/// What one selection may spend: it shrinks with the number of zones, so that a country takes minutes, not days.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    /// Sets that one enumeration may visit; pricing may visit six times as many.
    pub visits: usize,
    /// Visits of one search over the diagram of all connected sets; pricing may do twice as many. Most searches need few.
    pub sweeps: usize,
    /// Columns of the largest integer program.
    #[cfg(feature = "highs")]
    pub columns: usize,
    /// Offers that one exact cover search may look at.
    pub steps: u64,
    is_whole: bool,
    is_group: bool,
}

impl Budget {
    /// What a group of a few grids may spend.
    pub(super) fn of_group(self) -> Self {
        Self {
            visits: self.visits.min(1 << 17),
            sweeps: self.sweeps.min(1 << 17),
            steps: self.steps.min(300_000),
            is_group: true,
            ..self
        }
    }

    /// Whether there are few enough zones for everything that may be tried.
    pub(super) fn is_whole(self) -> bool {
        self.is_whole
    }

    /// The budget of each of `zones` zones: whole up to 150 of them.
    pub(super) fn of(zones: usize) -> Self {
        let share = (FULL_ZONES as f64 / zones.max(1) as f64).min(1.0);
        let steep = share * share.sqrt();
        Self {
            visits: (f64::from(1u32 << 23) * steep) as usize + (1 << 14),
            sweeps: (f64::from(1u32 << 23) * share) as usize + (1 << 14),
            #[cfg(feature = "highs")]
            columns: (1500.0 * share) as usize + 100,
            steps: (8e7 * share) as u64 + 100_000,
            is_whole: zones <= FULL_ZONES,
            is_group: false,
        }
    }
}

/// Nodes of the largest diagram, where the visits of a search over it are not fewer: 40 bytes each.
#[cfg(feature = "highs")]
pub(super) const MOST_NODES: usize = 3 << 20;
/// The part of the visits of a list that is spent where there is a diagram.
#[cfg(feature = "highs")]
const LISTING_PART: usize = 64;
/// The part of the steps of a search that one for a packing may take.
#[cfg(feature = "highs")]
const PACKING_PART: u64 = 128;
/// Units of the largest part that is searched with its whole budget however heavy grids out of range may be.
const SMALL: usize = 64;
/// Zones up to which the budget of each is whole.
const FULL_ZONES: usize = 150;
/// Nodes of one integer program.
#[cfg(feature = "highs")]
pub(super) const NODES: i32 = 400;
/// Rounds of one relaxation.
#[cfg(feature = "highs")]
pub(super) const ROUNDS: usize = 200;
#[cfg(feature = "highs")]
const GROUP_ROUNDS: usize = 30;

/// How a selection ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// With a division.
    Found,
    /// With a proof that there is none.
    #[cfg_attr(not(feature = "highs"), expect(dead_code, reason = "only the relaxation proves it"))]
    Impossible,
    Open,
}

/// One part under selection.
struct Selection<'a> {
    budget: Budget,
    piece: &'a Piece,
    range: Range,
    k: usize,
    /// The grids met during annealing.
    pool: &'a Regions,
    /// Cost of a division in range that another way to tie the part reached, in mm: only cheaper ones matter.
    #[cfg_attr(not(feature = "highs"), expect(dead_code, reason = "only the relaxation can look below it"))]
    cap: Option<i64>,
    labels: &'a mut Vec<u32>,
    answer: &'a mut PartAnswer,
    /// All connected sets up to a load, if they have a diagram within the budget.
    #[cfg(feature = "highs")]
    sweeper: Option<(u64, Option<Sweeper>)>,
    /// The packing of sets in range, once it was asked for; nothing if it is too large.
    #[cfg(feature = "highs")]
    packer: Option<Option<Box<Packer<'a>>>>,
    /// Whether the present division is one that packing brought.
    is_packed: bool,
    /// Searches that ended at their budget without an answer.
    cut_short: u32,
    /// How far the present search is from being settled: 0 for all that may be.
    hopeless: u32,
    /// Whether the present search looks at all loads that grids out of range may have.
    is_every_load: bool,
}

/// Replaces `labels` by the best division found by selection, and raises the bounds in `answer`.
pub(super) fn improve(
    (context, budget): (&Context<'_>, Budget),
    Ask { piece, k, range }: Ask<'_>,
    pool: &Regions,
    cap: Option<i64>,
    labels: &mut Vec<u32>,
    answer: &mut PartAnswer,
) {
    let mut selection = Selection {
        budget,
        piece,
        range,
        k,
        pool,
        cap,
        labels,
        answer,
        #[cfg(feature = "highs")]
        sweeper: None,
        #[cfg(feature = "highs")]
        packer: None,
        is_packed: false,
        cut_short: 0,
        hopeless: 0,
        is_every_load: false,
    };
    if cap.is_some() {
        if selection.answer.least_out == 0 {
            selection.below_cap();
        } else {
            selection.answer.least_cost = i64::MAX;
        }
        return;
    }
    for out in selection.answer.least_out.. {
        selection.pack(out);
        if selection.answer.least_out > out {
            continue;
        }
        if context.stop() || selection.with_out(out) || out >= selection.answer.score.n_out {
            return;
        }
    }
}

#[cfg(feature = "highs")]
fn packer_of(budget: Budget, ask: Ask<'_>) -> Option<Packer<'_>> {
    Packer::new(ask, (budget.sweeps, budget.steps / PACKING_PART), budget.sweeps.min(MOST_NODES))
}

/// The first number within `numbers`, or the one beyond, that packing does not refute as the number of grids out of range.
#[cfg(feature = "highs")]
pub(super) fn fewest_out(context: &Context<'_>, ask: Ask<'_>, numbers: std::ops::Range<usize>) -> usize {
    let mut packer = None;
    for out in numbers.clone() {
        let packer = packer.get_or_insert_with(|| packer_of(context.budget, ask));
        let found = packer.as_mut().map(|packer| packer.with_out(out, &mut Random::new(0, out as u64)));
        if !matches!(found, Some(Packing::Impossible)) {
            return out;
        }
    }
    numbers.end.max(numbers.start)
}

/// Without HiGHS there are no prices to pack by.
#[cfg(not(feature = "highs"))]
pub(super) fn fewest_out(_: &Context<'_>, _: Ask<'_>, numbers: std::ops::Range<usize>) -> usize {
    numbers.start
}

impl<'a> Selection<'a> {
    /// What the next search may spend. One that was cut short leaves an eighth to those that follow, so that a part in
    /// which nothing can be settled ends soon, however many grids may be out of range.
    fn budget(&self) -> Budget {
        let whole = self.budget;
        let shift = (3 * (self.cut_short + self.hopeless)).min(30);
        Budget {
            visits: (whole.visits >> shift).max(1 << 10),
            sweeps: (whole.sweeps >> shift).max(1 << 10),
            steps: (whole.steps >> shift).max(10_000),
            ..whole
        }
    }

    fn ask(&self) -> Ask<'a> {
        Ask { piece: self.piece, k: self.k, range: self.range }
    }

    /// Looks for a division in range that costs less than the cap.
    fn below_cap(&mut self) {
        let rule = Rule::in_range(self.k, self.range);
        let known = self.answer.score.n_out == 0;
        let listing = self.budget().visits / self.listing_part(self.range.high).max(8);
        let (all, complete) = regions::all_in_range(self.piece, self.range, listing, self.pool);
        let mut regions = all.without_dead_ends(self.piece, rule);
        self.select(&mut regions, rule, complete, known);
    }

    /// Looks for any division with `out` grids out of range where none is known: raises the bound where there is none.
    #[cfg(feature = "highs")]
    fn pack(&mut self, out: usize) {
        if out == 0 || out >= self.answer.score.n_out || self.budget.is_group {
            return;
        }
        let ask = self.ask();
        let packer = self.packer.get_or_insert_with(|| packer_of(self.budget, ask).map(Box::new));
        match packer.as_mut().map(|packer| packer.with_out(out, &mut Random::new(0, out as u64))) {
            Some(Packing::Impossible) => self.answer.least_out = out + 1,
            Some(Packing::Found(labels)) => {
                self.is_packed = true;
                *self.labels = labels;
                self.answer.score = division::score(self.piece, self.range, self.labels, self.k);
            }
            Some(Packing::Open) | None => {}
        }
    }

    /// Without HiGHS there are no prices to pack by.
    #[cfg(not(feature = "highs"))]
    fn pack(&mut self, _out: usize) {}

    /// Looks for the best division with `out` grids out of range; true when it was found.
    fn with_out(&mut self, out: usize) -> bool {
        let known = self.answer.score.n_out == out;
        // A unit above the upper size makes one grid that far out in any case.
        let heaviest = self.piece.load.iter().copied().max().unwrap_or(0);
        let little = heaviest.saturating_sub(self.range.high) + self.range.high - self.range.low;
        let now = self.worst();
        // Grids further out of range than now are not considered; without a division to compare, a little first.
        let worst = match (out, known) {
            (0, _) => vec![0],
            // What packing brought may be far out.
            (_, true) if little < now && self.is_packed => vec![little, now],
            (_, true) => vec![now],
            // In a group one grid may take what the others lack.
            _ if self.budget.is_group => {
                vec![self.answer.score.excess.clamp(self.range.high - self.range.low, self.range.high)]
            }
            (_, false) => vec![little, 2 * self.range.high],
        };
        worst.into_iter().any(|worst| self.within(out, worst, known && now <= worst))
    }

    /// Looks for the best division with `out` grids out of range by at most `worst` each; true when it was found or
    /// `known` before.
    fn within(&mut self, out: usize, worst: u64, known: bool) -> bool {
        let Some(rule) = Rule::with_out(self.ask(), out, worst) else { return false };
        // A group is worth little time where grids may be further out than the range is wide.
        let is_wide = self.budget.is_group && self.range.high - self.range.low + 1 < worst;
        let is_small = self.piece.len() <= SMALL && !self.budget.is_group;
        self.hopeless = if is_small { 0 } else { rule.hopelessness() + u32::from(is_wide) };
        self.is_every_load = out == 0 || rule.least == 0 && rule.most < self.range.high + worst;
        let found = self.within_budget(rule, known);
        self.hopeless = 0;
        found
    }

    /// The part of its visits that a list of all regions up to a load is worth: a small one where they have a diagram.
    #[cfg(feature = "highs")]
    fn listing_part(&mut self, high: u64) -> usize {
        if self.sweeper.as_ref().is_none_or(|(known, _)| *known != high) {
            let fits = self.piece.len() <= cover::MAX_UNITS;
            let nodes = self.budget.sweeps.min(MOST_NODES);
            let sweeper = fits.then(|| Sweeper::new(self.piece, high, nodes)).flatten();
            self.sweeper = Some((high, sweeper));
        }
        if matches!(self.sweeper, Some((_, Some(_)))) { LISTING_PART } else { 1 }
    }

    /// Without HiGHS the list is all there is.
    #[cfg(not(feature = "highs"))]
    fn listing_part(&mut self, _high: u64) -> usize {
        1
    }

    fn within_budget(&mut self, rule: Rule, known: bool) -> bool {
        let wide = rule.loads();
        let listing = self.budget().visits / self.listing_part(wide.high);
        let (all, complete) = regions::all_in_range(self.piece, wide, listing, self.pool);
        let mut regions = all.without_dead_ends(self.piece, rule);
        drop(all);
        let end = self.select(&mut regions, rule, complete, known);
        let mut found = end == End::Found;
        if end == End::Open && !known {
            found = self.cover(&regions, rule, complete);
            // A first division with so few out of range: now the cheapest one.
            if let Some(rule) = Rule::with_out(self.ask(), rule.out, self.worst()).filter(|_| found) {
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
    fn select(&mut self, regions: &mut Regions, rule: Rule, complete: bool, known: bool) -> End {
        let piece = self.piece;
        let upper = known.then_some(self.answer.score.cost).into_iter().chain(self.cap).min();
        let Budget { visits, sweeps, columns, steps, .. } = self.budget();
        let sweeper = self.sweeper.as_mut().and_then(|(_, sweeper)| sweeper.as_mut());
        let source = if complete {
            Source::Listed
        } else if piece.len() <= cover::MAX_UNITS {
            Source::Priced(if sweeper.is_some() { sweeps } else { visits })
        } else {
            Source::Pool
        };
        // Every edge cut.
        let all = piece.cost.iter().sum::<i64>() / 2;
        let dearest = self.cap.unwrap_or(all).min(all) as f64 / 1000.0 + 1.0;
        let outcome = master::choose(&mut Task {
            piece,
            regions,
            source,
            stay: None,
            sweeper: sweeper.filter(|_| matches!(source, Source::Priced(_))),
            rule,
            upper,
            dearest,
            steps,
            columns,
            nodes: (NODES >> (3 * self.hopeless)).max(10),
            rounds: if self.budget.is_group { GROUP_ROUNDS } else { ROUNDS } >> (2 * self.hopeless),
            cuts: !self.budget.is_group && self.hopeless == 0,
        });
        match outcome {
            Outcome::Chosen { regions: chosen, bound } => {
                self.adopt(regions, &chosen);
                self.answer.least_cost = bound;
                End::Found
            }
            Outcome::Open { bound } => {
                if known || self.cap.is_some() {
                    self.answer.least_cost = bound;
                }
                self.cut_short += 1;
                End::Open
            }
            Outcome::Impossible => {
                match self.cap {
                    Some(cap) => self.answer.least_cost = cap,
                    None => self.impossible(rule, true),
                }
                End::Impossible
            }
        }
    }

    /// Without HiGHS only the search for any division remains; costs stay heuristic.
    #[cfg(not(feature = "highs"))]
    fn select(&mut self, _regions: &mut Regions, _rule: Rule, _complete: bool, _known: bool) -> End {
        End::Open
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
        let limit = self.budget().steps;
        let cc = cover::cheapest(self.piece, rule, regions, (&offers, Idle::default()), 0, limit);
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
        if complete && self.is_every_load && self.answer.least_out == rule.out {
            self.answer.least_out += 1;
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
