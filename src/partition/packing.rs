//! The most grids in range side by side: which number of grids out of range no division can do without.
//!
//! A division with `out` grids out of range has all others in range, and what these leave over falls into no more pieces
//! than `out`: pieces can be cut up further at will. So only connected sets in range matter, however heavy the grids out
//! of range are. The linear relaxation of packing such sets says how many fit at most; the dual prices of units make a
//! search short, because what a unit left over and a set at more than its worth cost together is the distance to it.

use highs::{ColProblem, Model, Row, Sense};
use rustc_hash::FxHashMap;

use super::cover::{MAX_UNITS, Mask};
use super::cuts::{self, Listing, Strength};
use super::division::{Ask, Range};
use super::master::quiet;
use super::piece::Piece;
use super::pricing::{Limits, MICRO};
use super::random::Random;
use super::regions::{Keeper, Regions, Rule};
use super::seed;
use super::sweep::{Sweeper, Task};

/// What may be lost to rounding, in sets.
const LOST: f64 = 1e-4;
/// The same in a search, in millionths of a set.
const SLACK: i64 = 100;
/// Reduced costs above this many sets below zero count as zero.
const ZERO: f64 = 1e-6;
/// Sets that one round of pricing may add, and the part of them that one root may bring.
const ADDED: usize = 1000;
const PER_ROOT: usize = 32;
/// Sets of the largest search. One that has more would not end.
const MOST_SETS: usize = 200_000;
/// How near pricing stays to the best prices at first (Wentges 1997).
const NEAR_CENTER: f64 = 0.6;

/// What is known about divisions with so many grids out of range.
pub(super) enum Packing {
    /// There is none.
    Impossible,
    /// Here is one: grid per unit.
    Found(Vec<u32>),
    Open,
}

/// The sets in range of one piece and their packing, for ever more grids out of range.
pub(super) struct Packer<'a> {
    ask: Ask<'a>,
    /// The piece with free boundaries.
    free: Piece,
    sweeper: Sweeper,
    visits: usize,
    steps: u64,
    sets: Regions,
    /// Sets that are columns of the program.
    added: usize,
    rows: Vec<Row>,
    model: Option<Model>,
    /// Dual prices of the program, none above 0.
    price: Vec<f64>,
}

impl<'a> Packer<'a> {
    /// A packer that may visit and look at so much for each number of grids out of range; `None` if the connected sets have
    /// no diagram of at most `nodes`.
    pub(super) fn new(ask: Ask<'a>, (visits, steps): (usize, u64), nodes: usize) -> Option<Self> {
        let mut free = ask.piece.clone();
        free.cost.fill(0);
        let sweeper = Sweeper::new(&free, ask.range.high, nodes)?;
        let mut problem = ColProblem::new();
        let rows = free.load.iter().map(|_| problem.add_row(..=1.0)).collect();
        let mut model = problem.try_optimise(Sense::Minimise).ok()?;
        quiet(&mut model);
        // A set in range is worth no more than the units that it has at least.
        let price = free.load.iter().map(|&load| -(load as f64) / ask.range.low.max(1) as f64).collect();
        let sets = Regions::default();
        Some(Self { ask, free, sweeper, visits, steps, sets, added: 0, rows, model: Some(model), price })
    }

    /// Looks for a division with `out` grids out of range, whatever they hold. `out` must not fall from call to call.
    pub(super) fn with_out(&mut self, out: usize, random: &mut Random) -> Packing {
        let Ask { k, range, .. } = self.ask;
        let Some(rule) = Rule::with_out(self.ask, out, u64::MAX / 4) else { return Packing::Impossible };
        let wanted = k - out;
        let Some(worth) = self.most_in_range(rule, wanted) else { return Packing::Open };
        let most = worth.iter().sum::<i64>() as f64 / MICRO;
        if ((most + LOST).floor() as usize) < wanted {
            return Packing::Impossible;
        }
        let upper = LOST - wanted as f64;
        if MAX_UNITS < self.free.len() || !self.widen(rule, &worth, upper + most) {
            return Packing::Open;
        }
        let price: Vec<f64> = worth.iter().map(|&worth| -worth as f64 / MICRO).collect();
        let reduced = self.reduced_costs(&price);
        let Some(Strength { bound, price, reduced }) =
            cuts::strengthen(self, Strength { bound: -most, price, reduced }, upper)
        else {
            return Packing::Open;
        };
        if upper <= bound {
            return Packing::Impossible;
        }
        let micro = |sets: f64| (sets.max(0.0) * MICRO) as i64;
        let worth: Vec<i64> = price.iter().map(|price| micro(-price)).collect();
        let candidates = (0..self.sets.len())
            .filter(|&set| reduced[set].is_finite())
            .map(|set| Candidate {
                mask: Mask::of(self.sets.units(set)),
                price: micro(reduced[set]),
                set: set as u32,
            })
            .collect();
        let mut search = Search::new(&self.free, range, out, &worth, self.steps);
        match search.run(candidates, wanted, micro(upper - bound) + SLACK) {
            Some(true) => Packing::Found(self.labels(&search.chosen, out, random)),
            Some(false) => Packing::Impossible,
            None => Packing::Open,
        }
    }

    /// What each unit is worth, in millionths of a set, so that every set in range whose rest can be divided is worth at
    /// least one: no more fit than all units are worth. As near to the truth as need be to refute `wanted`; `None` if the
    /// program fails or nothing is known within the limits.
    fn most_in_range(&mut self, rule: Rule, wanted: usize) -> Option<Vec<i64>> {
        let mut visits = self.visits;
        let mut best = (f64::INFINITY, Vec::new());
        let mut center = self.price.clone();
        let mut share = NEAR_CENTER;
        while 0 < visits {
            let price: Vec<f64> = self
                .price
                .iter()
                .zip(&center)
                .map(|(own, center)| share * center + (1.0 - share) * own)
                .collect();
            let micro: Vec<i64> = price.iter().map(|price| (price * MICRO).round() as i64).collect();
            let limits = Limits { visits, found: ADDED, per_root: ADDED / PER_ROOT };
            let (least, used) = self.price_sets(rule, &micro, ZERO, limits);
            visits = visits.saturating_sub(used.max(1));
            // Scaled up, the prices are worth one for every set.
            let worth: Vec<i64> =
                micro.iter().map(|&price| (-price as f64 / (1.0 + least)).ceil() as i64).collect();
            let bound = worth.iter().sum::<i64>() as f64 / MICRO;
            if -1.0 < least && bound < best.0 {
                best = (bound, worth);
                center = price;
            }
            if (best.0 + LOST).floor() < wanted as f64 {
                break;
            }
            let new = self.sets.len() - self.added;
            if new == 0 {
                if share == 0.0 {
                    break;
                }
                share = if share < 0.1 { 0.0 } else { share / 3.0 };
                continue;
            }
            let value = self.solve()?;
            if best.0 <= value + LOST {
                break;
            }
        }
        Some(best.1).filter(|worth| !worth.is_empty())
    }

    /// Adds sets whose worth is below one by more than `threshold`; returns the least of what any lacks, negative, and the
    /// visits.
    fn price_sets(&mut self, rule: Rule, micro: &[i64], threshold: f64, limits: Limits) -> (f64, usize) {
        let everything: Vec<u32> = (0..self.free.len() as u32).collect();
        let in_range = Rule::in_range(rule.k, rule.range);
        // Names of all units: what a set cuts off may be out of range.
        let task =
            Task { piece: &self.free, rule: in_range, price: micro, out: 0, grid: 1.0, names: &everything };
        let mut keeper = Keeper::new(&self.free, rule, &mut self.sets);
        let priced = self.sweeper.add_of(task, -threshold, limits, &mut keeper);
        // Sets whose rest cannot be divided are not listed and count for nothing.
        let lacks = |set: usize| {
            let worth: i64 = self.sets.units(set).iter().map(|&u| micro[usize::from(u)]).sum();
            -worth as f64 / MICRO - 1.0
        };
        let listed = (0..self.sets.len()).map(lacks).fold(-threshold, f64::min);
        (priced.least(1, listed), priced.visits)
    }

    /// Makes sure that all sets are listed which are worth no more than one and the budget; false if they are too many.
    fn widen(&mut self, rule: Rule, worth: &[i64], budget: f64) -> bool {
        let everything: Vec<u32> = (0..self.free.len() as u32).collect();
        let micro: Vec<i64> = worth.iter().map(|worth| -worth).collect();
        let in_range = Rule::in_range(rule.k, rule.range);
        let task =
            Task { piece: &self.free, rule: in_range, price: &micro, out: 0, grid: 1.0, names: &everything };
        let limits = Limits { visits: self.visits, found: MOST_SETS, per_root: MOST_SETS };
        let mut keeper = Keeper::new(&self.free, rule, &mut self.sets);
        self.sweeper.add_of(task, budget, limits, &mut keeper).complete
    }

    /// Solves the program over the sets found so far; returns how many fit, in parts of sets.
    fn solve(&mut self) -> Option<f64> {
        let mut model = self.model.take()?;
        for set in self.added..self.sets.len() {
            let (cost, entries) = self.column(&self.rows, set);
            model.try_add_column(cost, 0.0.., entries).ok()?;
        }
        self.added = self.sets.len();
        let solved = model.try_solve().ok()?;
        let value = -solved.objective_value();
        self.price = solved.get_solution().dual_rows().iter().map(|price| price.min(0.0)).collect();
        self.model = Some(Model::from(solved));
        self.price.iter().all(|price| price.is_finite()).then_some(value)
    }

    /// A division of the chosen sets and `out` pieces of what they leave over.
    fn labels(&self, chosen: &[u32], out: usize, random: &mut Random) -> Vec<u32> {
        let n = self.free.len();
        let mut labels = vec![u32::MAX; n];
        for (g, &set) in chosen.iter().enumerate() {
            self.sets.units(set as usize).iter().for_each(|&unit| labels[usize::from(unit)] = g as u32);
        }
        let mut next = chosen.len() as u32;
        let mut pieces: Vec<Vec<u32>> = Vec::new();
        for first in 0..n as u32 {
            if labels[first as usize] != u32::MAX {
                continue;
            }
            labels[first as usize] = next;
            let mut units = vec![first];
            let mut head = 0;
            while head < units.len() {
                for &v in &self.free.neighbor[self.free.row(units[head])] {
                    if labels[v as usize] == u32::MAX {
                        labels[v as usize] = next;
                        units.push(v);
                    }
                }
                head += 1;
            }
            units.sort_unstable();
            pieces.push(units);
            next += 1;
        }
        while pieces.len() < out {
            let load = |units: &Vec<u32>| units.iter().map(|&u| self.free.load[u as usize]).sum::<u64>();
            let heaviest =
                (0..pieces.len()).filter(|&p| 1 < pieces[p].len()).max_by_key(|&p| load(&pieces[p]));
            let Some(units) = heaviest.map(|p| pieces.swap_remove(p)) else { break };
            let halves = seed::split(&self.ask.piece.induced(&units), 2, self.ask.range, random);
            let side = |half: u32| {
                units.iter().zip(&halves).filter(|(_, h)| **h == half).map(|(&u, _)| u).collect::<Vec<u32>>()
            };
            let (one, other) = (side(0), side(1));
            other.iter().for_each(|&u| labels[u as usize] = next);
            next += 1;
            pieces.extend([one, other]);
        }
        labels
    }
}

/// The packing program: no unit twice, as many sets as fit.
impl Listing for Packer<'_> {
    fn n(&self) -> usize {
        self.free.len()
    }

    fn masks(&self) -> Vec<Mask> {
        (0..self.sets.len()).map(|set| Mask::of(self.sets.units(set))).collect()
    }

    fn rows(&self, problem: &mut ColProblem) -> Vec<Row> {
        self.free.load.iter().map(|_| problem.add_row(..=1.0)).collect()
    }

    fn column(&self, rows: &[Row], set: usize) -> (f64, Vec<(Row, f64)>) {
        (-1.0, self.sets.units(set).iter().map(|&unit| (rows[usize::from(unit)], 1.0)).collect())
    }

    fn reduced_costs(&self, price: &[f64]) -> Vec<f64> {
        let worth =
            |set| -> f64 { self.sets.units(set).iter().map(|&unit| price[usize::from(unit)].min(0.0)).sum() };
        (0..self.sets.len()).map(|set| -1.0 - worth(set)).collect()
    }

    fn worth(&self, price: &[f64]) -> f64 {
        price.iter().map(|price| price.min(0.0)).sum()
    }

    fn most(&self) -> usize {
        self.ask.k
    }
}

#[derive(Clone, Copy)]
struct Candidate {
    mask: Mask,
    /// What its units, and the cuts that it takes part in, are worth beyond one set.
    price: i64,
    set: u32,
}

/// Depth-first search for a packing.
struct Search<'a> {
    piece: &'a Piece,
    near: Vec<Mask>,
    low: u64,
    /// Pieces into which what is left over may fall.
    out: usize,
    /// What each unit is worth; who leaves it over pays that.
    worth: &'a [i64],
    /// Open units that cannot hold so many sets with so much left to pay.
    failed: FxHashMap<(Mask, usize), i64>,
    chosen: Vec<u32>,
    left: u64,
}

/// How a branch ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Branch {
    Found,
    /// So many sets do not fit.
    Full,
    /// Sets would fit, but what they leave over falls into too many pieces.
    Scattered,
}

impl<'a> Search<'a> {
    fn new(piece: &'a Piece, range: Range, out: usize, worth: &'a [i64], left: u64) -> Self {
        let near =
            |u: u32| piece.neighbor[piece.row(u)].iter().fold(Mask::EMPTY, |set, &v| set.with(v as usize));
        let near = (0..piece.len() as u32).map(near).collect();
        let failed = FxHashMap::default();
        Self { piece, near, low: range.low, out, worth, failed, chosen: Vec::new(), left }
    }

    /// Whether `wanted` of the sets fit within the budget; `None` if the limit was reached first.
    fn run(&mut self, mut candidates: Vec<Candidate>, wanted: usize, budget: i64) -> Option<bool> {
        candidates.sort_by_key(|candidate| (candidate.price, candidate.set));
        let all = (0..self.piece.len()).fold(Mask::EMPTY, Mask::with);
        self.pack(all, Mask::EMPTY, wanted, budget, &candidates).map(|branch| branch == Branch::Found)
    }

    /// Packs `wanted` of the candidates into the open units with `left` to pay, beside units left over before.
    fn pack(
        &mut self,
        mut open: Mask,
        mut over: Mask,
        wanted: usize,
        mut left: i64,
        candidates: &[Candidate],
    ) -> Option<Branch> {
        let times = times(candidates);
        let mut units = open;
        // What no candidate holds is left over.
        while let Some(u) = units.pop() {
            if times[u] == 0 {
                open = open.without(Mask::EMPTY.with(u));
                over = over.with(u);
                left -= self.worth[u];
            }
        }
        if wanted == 0 {
            let over = over.or(open);
            let is_whole = self.pieces(over, Mask::EMPTY) <= self.out && self.out <= over.len();
            return Some(if is_whole { Branch::Found } else { Branch::Scattered });
        }
        let name = (open, wanted);
        if left < 0 || self.failed.get(&name).is_some_and(|&tried| left <= tried) {
            return Some(Branch::Full);
        }
        if self.room(open) < wanted {
            self.failed.insert(name, i64::MAX);
            return Some(Branch::Full);
        }
        if self.out < self.pieces(over, open) {
            return Some(Branch::Scattered);
        }
        self.left = self.left.checked_sub(candidates.len() as u64 + 10)?;
        let mut units = open;
        let mut scarcest = (u32::MAX, 0);
        while let Some(u) = units.pop() {
            scarcest = scarcest.min((times[u], u));
        }
        let unit = scarcest.1;
        let mut end = Branch::Full;
        let mut is_left_over = false;
        for candidate in candidates.iter().filter(|candidate| candidate.mask.has(unit)) {
            // The cheapest way first, and leaving the unit over is one of them.
            if !is_left_over && self.worth[unit] < candidate.price {
                is_left_over = true;
                end = worse(end, self.leave(unit, (open, over), wanted, left, candidates)?);
            }
            if end == Branch::Found || left < candidate.price {
                break;
            }
            let (mask, left) = (candidate.mask, left - candidate.price);
            let rest: Vec<Candidate> = candidates
                .iter()
                .copied()
                .filter(|other| !other.mask.meets(mask) && other.price <= left)
                .collect();
            self.chosen.push(candidate.set);
            end = worse(end, self.pack(open.without(mask), over, wanted - 1, left, &rest)?);
            if end == Branch::Found {
                return Some(end);
            }
            self.chosen.pop();
        }
        if !is_left_over && end != Branch::Found {
            end = worse(end, self.leave(unit, (open, over), wanted, left, candidates)?);
        }
        if end == Branch::Full {
            self.failed.insert(name, left);
        }
        Some(end)
    }

    fn leave(
        &mut self,
        unit: usize,
        (open, over): (Mask, Mask),
        wanted: usize,
        left: i64,
        candidates: &[Candidate],
    ) -> Option<Branch> {
        let left = left - self.worth[unit];
        let rest: Vec<Candidate> =
            candidates.iter().copied().filter(|other| !other.mask.has(unit) && other.price <= left).collect();
        let open = open.without(Mask::EMPTY.with(unit));
        self.pack(open, over.with(unit), wanted, left, &rest)
    }

    /// Most sets that the pieces of the open units can hold, judged by their loads.
    fn room(&self, open: Mask) -> usize {
        let mut rest = open;
        let mut room = 0;
        while let Some(first) = rest.pop() {
            let piece = self.piece_around(first, rest);
            rest = rest.without(piece);
            let (mut load, mut units) = (0, piece);
            while let Some(u) = units.pop() {
                load += self.piece.load[u];
            }
            room += load.checked_div(self.low).unwrap_or(u64::MAX) as usize;
        }
        room
    }

    /// Pieces of `over` with no unit beside one that is `open`.
    fn pieces(&self, over: Mask, open: Mask) -> usize {
        let mut rest = over;
        let mut pieces = 0;
        while let Some(first) = rest.pop() {
            let piece = self.piece_around(first, rest);
            rest = rest.without(piece);
            let (mut is_closed, mut units) = (true, piece);
            while let Some(u) = units.pop() {
                is_closed &= !self.near[u].meets(open);
            }
            pieces += usize::from(is_closed);
        }
        pieces
    }

    /// The connected units of `rest` around `first`, with it.
    fn piece_around(&self, first: usize, rest: Mask) -> Mask {
        let mut piece = Mask::EMPTY.with(first);
        let mut edge = piece;
        while let Some(u) = edge.pop() {
            let new = self.near[u].and(rest).without(piece);
            piece = piece.or(new);
            edge = edge.or(new);
        }
        piece
    }
}

/// How two branches ended together.
fn worse(one: Branch, other: Branch) -> Branch {
    match (one, other) {
        (Branch::Found, _) | (_, Branch::Found) => Branch::Found,
        (Branch::Scattered, _) | (_, Branch::Scattered) => Branch::Scattered,
        _ => Branch::Full,
    }
}

/// Candidates per unit.
fn times(candidates: &[Candidate]) -> [u32; MAX_UNITS] {
    let mut times = [0u32; MAX_UNITS];
    for candidate in candidates {
        let mut units = candidate.mask;
        while let Some(u) = units.pop() {
            times[u] += 1;
        }
    }
    times
}
