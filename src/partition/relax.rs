//! The linear relaxation of set partitioning, by column generation.

use highs::{Col, ColProblem, HighsModelStatus, Model, Row, Sense};

use super::master::{Source, Task, entries, quiet, rows};
use super::nearby;
use super::pricing::{self, Limits, Prices};

/// Charges for a unit that no region covers or too many do, in mean shares of a grid in the cut. They box the prices:
/// small ones keep the pricing search short, and any prices give a valid bound; the last one is as good as none.
const CHARGES: [f64; 4] = [2.0, 16.0, 128.0, 1e5];
/// Columns of the first program, and columns added per round.
const FIRST_COLUMNS: usize = 4000;
const COLUMNS_PER_ROUND: usize = 300;
/// Reduced costs above this many metres below zero count as zero.
const ZERO: f64 = 1e-6;
/// How far below zero pricing looks for regions, in shares of the cost per grid: coarse bounds come first.
const DEPTHS: [f64; 5] = [0.1, 0.03, 0.01, 0.003, 0.0];
/// Regions that one pricing round may add.
const ADDED: usize = 1000;
/// One root brings home this part of them.
const PER_ROOT: usize = 32;
/// Columns of least reduced cost around which a round looks for new ones before it searches everywhere.
const NEAR: usize = 400;

/// A solved relaxation.
pub(super) struct Relaxed {
    /// No division that follows the rule costs less, in metres.
    pub bound: f64,
    /// Units that could not be covered, in all.
    pub uncovered: f64,
    /// Whether no region at all has a negative reduced cost.
    pub complete: bool,
    /// Prices per row, in metres.
    pub price: Vec<f64>,
    /// Reduced cost per region, in metres.
    pub reduced: Vec<f64>,
}

impl Relaxed {
    pub(super) fn prices(&self) -> Prices<'_> {
        prices(&self.price)
    }

    /// The largest reduced cost.
    pub(super) fn largest(&self) -> f64 {
        self.reduced.iter().copied().fold(0.0, f64::max)
    }
}

fn prices(price: &[f64]) -> Prices<'_> {
    let n = price.len() - 2;
    Prices { unit: &price[..n], grid: price[n], out: price[n + 1] }
}

/// Reduced cost of every region in the list at these prices.
pub(super) fn reduced_costs(task: &Task<'_>, price: &[f64]) -> Vec<f64> {
    let prices = prices(price);
    (0..task.regions.len())
        .map(|region| {
            let covered: f64 = task.regions.units(region).iter().map(|&u| prices.unit[usize::from(u)]).sum();
            let out = if task.is_out(region) { prices.out } else { 0.0 };
            task.half_boundary(region) - covered - prices.grid - out
        })
        .collect()
}

/// Solves the relaxation; `None` if HiGHS fails.
pub(super) fn solve(task: &mut Task<'_>) -> Option<Relaxed> {
    let mut program = Program::new(task)?;
    let mut visits = if let Source::Priced(visits) = task.source { 6 * visits } else { 0 };
    let (mut charge, mut depth) = (0, 0);
    let mut bound = 0.0f64;
    for _ in 0..task.rounds {
        let solved = program.solve()?;
        let mut reduced = reduced_costs(task, &solved.price);
        let mut new = columns_below_zero(&reduced, &program.added);
        let mut complete = task.source == Source::Listed && new.is_empty();
        let mut floor = complete.then_some(0.0);
        if new.is_empty() && task.source != Source::Listed {
            let starts = least_reduced(&reduced, NEAR);
            let prices = prices(&solved.price);
            let (piece, rule, moves) = (task.piece, task.rule, task.moves);
            nearby::add_near(piece, rule, &prices, moves, -ZERO, (&starts, ADDED), task.regions);
            reduced = reduced_costs(task, &solved.price);
            program.added.resize(reduced.len(), false);
            new = columns_below_zero(&reduced, &program.added);
        }
        if new.is_empty() && task.source != Source::Listed {
            let deep = DEPTHS[depth] * solved.value / task.rule.k as f64;
            let found = if visits > 0 { ADDED } else { 0 };
            let limits = Limits { visits, found, per_root: found / PER_ROOT };
            let prices = prices(&solved.price);
            let priced = pricing::add_within(
                task.piece,
                task.rule,
                &prices,
                task.moves,
                -deep - ZERO,
                limits,
                task.regions,
            );
            visits = visits.saturating_sub(priced.visits);
            reduced = reduced_costs(task, &solved.price);
            program.added.resize(reduced.len(), false);
            new = columns_below_zero(&reduced, &program.added);
            // No region is cheaper than the least of those that are listed or were searched for.
            let listed = reduced.iter().copied().fold(-deep - ZERO, f64::min);
            floor = Some(priced.least(task.rule.k, listed));
            complete = priced.complete && deep == 0.0 && new.is_empty();
            if priced.complete && new.is_empty() && depth + 1 < DEPTHS.len() {
                bound = bound.max(solved.value + floor.unwrap_or(0.0));
                depth += 1;
                continue;
            }
        }
        if let Some(floor) = floor.filter(|floor| floor.is_finite()) {
            bound = bound.max(solved.value + floor);
        }
        if bound > task.dearest {
            return Some(Relaxed { bound, uncovered: 1.0, complete: true, price: solved.price, reduced });
        }
        let is_last = charge + 1 == CHARGES.len();
        if new.is_empty() && solved.uncovered > 1e-6 && !is_last {
            charge += 1;
            program.charge(charge);
            continue;
        }
        if new.is_empty() {
            let Solved { price, uncovered, .. } = solved;
            return Some(Relaxed { bound, uncovered, complete, price, reduced });
        }
        program.add(task, &new)?;
    }
    None
}

/// The linear program over the columns found so far.
struct Program {
    model: Option<Model>,
    rows: Vec<Row>,
    /// Columns that cover what no region covers, or uncover what too many do.
    artificial: Vec<Col>,
    /// Mean share of a grid in the cut, in metres.
    share: f64,
    added: Vec<bool>,
}

/// One solution of the program.
struct Solved {
    value: f64,
    uncovered: f64,
    price: Vec<f64>,
}

impl Program {
    fn new(task: &Task<'_>) -> Option<Self> {
        let n = task.n();
        let mut problem = ColProblem::new();
        let rows = rows(task, &mut problem);
        let mut model = problem.try_optimise(Sense::Minimise).ok()?;
        quiet(&mut model);
        let shares: f64 = (0..task.regions.len()).map(|r| task.half_boundary(r)).sum();
        let mean = shares / task.regions.len().max(1) as f64;
        let known = task.upper.map(|mm| mm as f64 / 1000.0 / task.rule.k as f64);
        let share = known.unwrap_or(mean).max(1.0);
        let mut artificial = Vec::new();
        for &row in &rows[..=n] {
            for sign in [1.0, -1.0] {
                artificial.push(model.try_add_column(0.0, 0.0.., [(row, sign)]).ok()?);
            }
        }
        let first: Vec<u32> = (0..task.regions.len().min(FIRST_COLUMNS) as u32).collect();
        let added = vec![false; task.regions.len()];
        let mut program = Self { model: Some(model), rows, artificial, share, added };
        program.add(task, &first)?;
        program.charge(0);
        Some(program)
    }

    /// Sets the charge of the artificial columns.
    fn charge(&mut self, level: usize) {
        if let Some(model) = &mut self.model {
            for &column in &self.artificial {
                model.change_column_cost(column, CHARGES[level] * self.share);
            }
        }
    }

    fn solve(&mut self) -> Option<Solved> {
        let solved = self.model.take()?.try_solve().ok()?;
        if solved.status() != HighsModelStatus::Optimal {
            return None;
        }
        let solution = solved.get_solution();
        let value = solved.objective_value();
        let uncovered = solution.columns()[..self.artificial.len()].iter().sum();
        let price = solution.dual_rows().to_vec();
        self.model = Some(Model::from(solved));
        Some(Solved { value, uncovered, price })
    }

    fn add(&mut self, task: &Task<'_>, new: &[u32]) -> Option<()> {
        let model = self.model.as_mut()?;
        for &region in new {
            self.added[region as usize] = true;
            let region = region as usize;
            model
                .try_add_column(task.half_boundary(region), 0.0.., entries(task, &self.rows, region))
                .ok()?;
        }
        Some(())
    }
}

/// The `most` regions of least reduced cost.
fn least_reduced(reduced: &[f64], most: usize) -> Vec<u32> {
    let by_cost = |a: &u32, b: &u32| reduced[*a as usize].total_cmp(&reduced[*b as usize]).then(a.cmp(b));
    let mut order: Vec<u32> = (0..reduced.len() as u32).collect();
    if most < order.len() {
        order.select_nth_unstable_by(most, by_cost);
        order.truncate(most);
    }
    order.sort_unstable_by(by_cost);
    order
}

/// The cheapest regions that are not yet columns and have a negative reduced cost.
fn columns_below_zero(reduced: &[f64], added: &[bool]) -> Vec<u32> {
    let mut new: Vec<u32> =
        (0..reduced.len() as u32).filter(|&r| reduced[r as usize] < -ZERO && !added[r as usize]).collect();
    if COLUMNS_PER_ROUND < new.len() {
        let by_cost = |a: &u32, b: &u32| reduced[*a as usize].total_cmp(&reduced[*b as usize]).then(a.cmp(b));
        new.select_nth_unstable_by(COLUMNS_PER_ROUND - 1, by_cost);
        new.truncate(COLUMNS_PER_ROUND);
        new.sort_unstable();
    }
    new
}
