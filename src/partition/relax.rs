//! The linear relaxation of set partitioning, by column generation.

use highs::{ColProblem, HighsModelStatus, Model, Sense};

use super::master::{Source, Task, entries, quiet, rows};
use super::pricing::{self, Limits, Prices};

/// Charge for a unit that no region covers, in largest boundaries.
const UNCOVERED: f64 = 1000.0;
/// Columns of the first program, and columns added per round.
const FIRST_COLUMNS: usize = 4000;
const COLUMNS_PER_ROUND: usize = 300;
const ROUNDS: usize = 100;
/// Reduced costs above this many metres below zero count as zero.
const ZERO: f64 = 1e-6;
/// Regions that one pricing round may add.
const ADDED: usize = 1000;

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
    let n = task.piece.len();
    let mut problem = ColProblem::new();
    let rows = rows(task, &mut problem);
    let longest = task.regions.boundary.iter().copied().max().unwrap_or(0) as f64 / 2000.0;
    let uncovered = UNCOVERED * longest.max(1.0);
    for &row in &rows[..n] {
        problem.add_column(uncovered, 0.0.., [(row, 1.0)]);
    }
    problem.add_column(uncovered, 0.0.., [(rows[n], 1.0)]);
    problem.add_column(uncovered, 0.0.., [(rows[n], -1.0)]);
    let mut added = vec![false; task.regions.len()];
    for (region, added) in added.iter_mut().enumerate().take(FIRST_COLUMNS) {
        problem.add_column(task.half_boundary(region), 0.0.., entries(task, &rows, region));
        *added = true;
    }
    let mut model = problem.try_optimise(Sense::Minimise).ok()?;
    quiet(&mut model);
    let mut visits = if let Source::Priced(visits) = task.source { 4 * visits } else { 0 };
    for round in 1..=ROUNDS {
        let solved = model.try_solve().ok()?;
        if solved.status() != HighsModelStatus::Optimal {
            return None;
        }
        let solution = solved.get_solution();
        let price = solution.dual_rows().to_vec();
        let mut reduced = reduced_costs(task, &price);
        let mut new = columns_below_zero(&reduced, &added);
        let mut floor = reduced.iter().copied().fold(0.0, f64::min);
        let mut complete = task.source == Source::Listed && new.is_empty();
        if new.is_empty() && task.source != Source::Listed {
            let limits = Limits { visits, found: if visits > 0 { ADDED } else { 0 } };
            let priced =
                pricing::add_within(task.piece, task.rule, &prices(&price), -ZERO, limits, task.regions);
            visits = visits.saturating_sub(priced.visits);
            complete = priced.complete && priced.added == 0;
            floor = if complete { 0.0 } else { priced.floor.min(0.0) };
            if 0 < priced.added {
                reduced = reduced_costs(task, &price);
                added.resize(reduced.len(), false);
                new = columns_below_zero(&reduced, &added);
            }
        }
        if new.is_empty() || round == ROUNDS {
            // Any division has k regions, none with a reduced cost below `floor`.
            let floor = if new.is_empty() { floor } else { floor.min(priced_floor(task, &price)) };
            let bound = solved.objective_value() + task.rule.k as f64 * floor;
            let uncovered = solution.columns()[..n + 2].iter().sum();
            return Some(Relaxed { bound: bound.max(0.0), uncovered, complete, price, reduced });
        }
        model = Model::from(solved);
        for region in new {
            added[region as usize] = true;
            let region = region as usize;
            model.try_add_column(task.half_boundary(region), 0.0.., entries(task, &rows, region)).ok()?;
        }
    }
    None
}

/// A bound on all reduced costs where the rounds ran out.
fn priced_floor(task: &mut Task<'_>, price: &[f64]) -> f64 {
    if task.source == Source::Listed {
        return 0.0; // The list's own minimum is known to the caller.
    }
    let limits = Limits { visits: 0, found: 0 };
    pricing::add_within(task.piece, task.rule, &prices(price), -ZERO, limits, task.regions).floor
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
