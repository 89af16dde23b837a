//! The best set of regions: set partitioning by column generation and HiGHS.
//!
//! Minimize the sum of half boundaries over chosen regions so that every unit is covered once and the number
//! of regions is the number of grids. The linear relaxation is solved over a growing choice of columns; its
//! prices give a bound over all regions, and only regions whose reduced cost is within the gap can be part of
//! a better division, so that the integer program stays small.

use std::num::NonZeroU32;

use highs::{ColProblem, HighsModelStatus, Model, Row, Sense};

use super::cover::{self, Cover, Offer};
use super::piece::Piece;
use super::regions::{Regions, Rule};

/// Charge for a unit that no region covers, in largest boundaries.
const UNCOVERED: f64 = 1000.0;
/// Columns added per round of pricing.
const COLUMNS_PER_ROUND: usize = 300;
const ROUNDS: usize = 80;
/// Reduced costs and values within this many metres are equal.
const SAME: f64 = 1e-5;

/// What is asked.
pub(super) struct Task<'a> {
    /// The graph.
    pub piece: &'a Piece,
    /// Number of units.
    pub n: usize,
    /// Columns to choose from.
    pub regions: &'a Regions,
    /// Number of regions to choose and how many of them may be out of range.
    pub rule: Rule,
    /// Cost of the best division known of this kind, in mm.
    pub upper: Option<i64>,
    /// Limit of one exact cover search, in offers looked at.
    pub steps: u64,
    /// Largest integer program, in columns.
    pub columns: usize,
    /// Nodes of the integer search.
    pub nodes: i32,
}

/// What came out. Costs in mm.
pub(super) enum Outcome {
    /// Chosen regions; no choice costs less than `bound`.
    Chosen { regions: Vec<usize>, bound: i64 },
    /// No choice of these regions is possible.
    Impossible,
    /// Nothing better than `upper` was found within the limits; no choice costs less than `bound`.
    Open { bound: i64 },
}

/// Solves the task. The bound is over the given regions only.
pub(super) fn choose(task: &Task<'_>) -> Outcome {
    let Some(relaxed) = relax(task) else { return Outcome::Open { bound: 0 } };
    if relaxed.uncovered > 1e-6 {
        return Outcome::Impossible;
    }
    let mut order: Vec<u32> = (0..task.regions.len() as u32).collect();
    order.sort_unstable_by(|&a, &b| {
        relaxed.reduced[a as usize].total_cmp(&relaxed.reduced[b as usize]).then(a.cmp(&b))
    });
    let upper = task.upper.map(|mm| mm as f64 / 1000.0);
    let gap = upper.map(|upper| upper - relaxed.bound);
    if gap.is_some_and(|gap| gap <= SAME) {
        return Outcome::Open { bound: bound_mm(relaxed.bound) };
    }
    let mut margin = (relaxed.bound * 0.005).max(1.0).min(gap.unwrap_or(f64::INFINITY));
    let mut floor = relaxed.bound;
    // Any division costs the bound plus the reduced costs of its regions: search within growing margins.
    while task.n <= cover::MAX_UNITS {
        let within = order.partition_point(|&r| relaxed.reduced[r as usize] <= margin + SAME);
        let price = |r: u32| (relaxed.reduced[r as usize].max(0.0) * 1e6) as i64;
        let offers: Vec<Offer> =
            order[..within].iter().map(|&region| Offer { region, price: price(region) }).collect();
        let cc =
            cover::cheapest(task.piece, task.rule, task.regions, &offers, (margin * 1e6) as i64, task.steps);
        match cc {
            Cover::Found(chosen) => {
                let value: f64 = chosen.iter().map(|&r| half_boundary(task, r)).sum();
                let bound = bound_mm(value.min(upper.unwrap_or(value)));
                let better = upper.is_none_or(|upper| value < upper - SAME);
                return if better {
                    Outcome::Chosen { regions: chosen, bound }
                } else {
                    Outcome::Open { bound }
                };
            }
            Cover::Impossible => floor = relaxed.bound + margin,
            Cover::Unknown(_) => break,
        }
        if gap.is_some_and(|gap| gap <= margin) {
            // Everything that could beat the known division was tried.
            return Outcome::Open { bound: bound_mm(upper.unwrap_or(floor)) };
        }
        if within == order.len() && margin > relaxed.largest * task.rule.k as f64 {
            return Outcome::Impossible;
        }
        margin = (2.0 * margin).min(gap.unwrap_or(f64::INFINITY));
    }
    integer_stage(task, &relaxed, &order, upper, floor)
}

/// The last resort: an integer program over the most promising columns.
fn integer_stage(
    task: &Task<'_>,
    relaxed: &Relaxed,
    order: &[u32],
    upper: Option<f64>,
    floor: f64,
) -> Outcome {
    let gap = upper.map_or(f64::INFINITY, |upper| upper - relaxed.bound);
    let within = order.partition_point(|&r| relaxed.reduced[r as usize] <= gap + SAME);
    let n_columns = within.min(task.columns);
    // Everything left out has at least this reduced cost.
    let outside = order.get(n_columns).map_or(f64::INFINITY, |&r| relaxed.reduced[r as usize]);
    let beyond = (relaxed.bound + outside).min(upper.unwrap_or(f64::INFINITY));
    let ii = integer(task, &order[..n_columns]);
    match ii {
        Integer::Found { chosen, value, bound } => {
            let bound = bound_mm(bound.min(beyond).max(floor));
            let better = upper.is_none_or(|upper| value < upper - SAME);
            if better { Outcome::Chosen { regions: chosen, bound } } else { Outcome::Open { bound } }
        }
        Integer::Impossible if n_columns == order.len() => Outcome::Impossible,
        Integer::Impossible if beyond.is_finite() => Outcome::Open { bound: bound_mm(beyond.max(floor)) },
        Integer::Impossible => Outcome::Open { bound: bound_mm(floor) },
        Integer::Unknown { bound } => Outcome::Open { bound: bound_mm(bound.min(beyond).max(floor)) },
    }
}

/// Metres as whole millimetres, safely rounded down to a bound.
fn bound_mm(metres: f64) -> i64 {
    ((metres - SAME) * 1000.0).ceil().max(0.0) as i64
}

struct Relaxed {
    /// Lower bound in metres.
    bound: f64,
    /// Units that could not be covered, in all.
    uncovered: f64,
    /// Reduced cost per region, in metres.
    reduced: Vec<f64>,
    /// The largest of them.
    largest: f64,
}

fn relaxed(bound: f64, uncovered: f64, reduced: Vec<f64>) -> Relaxed {
    let largest = reduced.iter().copied().fold(0.0, f64::max);
    Relaxed { bound, uncovered, reduced, largest }
}

fn is_out(task: &Task<'_>, region: usize) -> bool {
    0 < task.rule.range.excess(u64::from(task.regions.load[region]))
}

fn half_boundary(task: &Task<'_>, region: usize) -> f64 {
    task.regions.boundary[region] as f64 / 2000.0
}

/// Rows of the program: one per unit, then the count, then the limit on regions out of range.
fn rows(task: &Task<'_>, problem: &mut ColProblem) -> Vec<Row> {
    let mut rows: Vec<Row> = (0..task.n).map(|_| problem.add_row(1.0..=1.0)).collect();
    let count = task.rule.k as f64;
    rows.push(problem.add_row(count..=count));
    rows.push(problem.add_row(0.0..=task.rule.out as f64));
    rows
}

fn entries(task: &Task<'_>, rows: &[Row], region: usize) -> Vec<(Row, f64)> {
    let mut entries: Vec<(Row, f64)> =
        task.regions.units(region).iter().map(|&u| (rows[usize::from(u)], 1.0)).collect();
    entries.push((rows[task.n], 1.0));
    if is_out(task, region) {
        entries.push((rows[task.n + 1], 1.0));
    }
    entries
}

fn quiet(model: &mut Model) {
    model.make_quiet();
    if let Some(one) = NonZeroU32::new(1) {
        model.set_threads(one);
    }
    model.set_option("parallel", "off");
    model.set_option("random_seed", 1);
}

/// Solves the linear relaxation by pricing all regions again and again.
fn relax(task: &Task<'_>) -> Option<Relaxed> {
    let mut problem = ColProblem::new();
    let rows = rows(task, &mut problem);
    let longest = task.regions.boundary.iter().copied().max().unwrap_or(0) as f64 / 2000.0;
    let uncovered = UNCOVERED * longest.max(1.0);
    for &row in &rows[..task.n] {
        problem.add_column(uncovered, 0.0.., [(row, 1.0)]);
    }
    problem.add_column(uncovered, 0.0.., [(rows[task.n], 1.0)]);
    problem.add_column(uncovered, 0.0.., [(rows[task.n], -1.0)]);
    let n_regions = task.regions.len();
    let first = n_regions.min(4000);
    let mut added = vec![false; n_regions];
    for region in 0..first {
        problem.add_column(half_boundary(task, region), 0.0.., entries(task, &rows, region));
        added[region] = true;
    }
    let mut model = problem.try_optimise(Sense::Minimise).ok()?;
    quiet(&mut model);
    let mut reduced = vec![0.0; n_regions];
    let mut best_bound = f64::NEG_INFINITY;
    for round in 0..ROUNDS {
        let solved = model.try_solve().ok()?;
        if solved.status() != HighsModelStatus::Optimal {
            return None;
        }
        let solution = solved.get_solution();
        let price = solution.dual_rows();
        let mut candidates: Vec<(f64, u32)> = Vec::new();
        let mut least: f64 = 0.0;
        for region in 0..n_regions {
            let covered: f64 = task.regions.units(region).iter().map(|&u| price[usize::from(u)]).sum();
            let mut cost = half_boundary(task, region) - covered - price[task.n];
            if is_out(task, region) {
                cost -= price[task.n + 1];
            }
            reduced[region] = cost;
            least = least.min(cost);
            if cost < -1e-7 && !added[region] {
                candidates.push((cost, region as u32));
            }
        }
        // Any choice has `count` regions, none cheaper than `least` at these prices.
        let bound = solved.objective_value() + task.rule.k as f64 * least;
        best_bound = best_bound.max(bound);
        if candidates.is_empty() || round + 1 == ROUNDS {
            let uncovered = solution.columns()[..task.n + 2].iter().sum();
            if least < -1e-6 {
                // Not finished: shift reduced costs so that they fit the weaker bound.
                for cost in &mut reduced {
                    *cost -= least;
                }
                return Some(relaxed(bound, 0.0, reduced));
            }
            return Some(relaxed(solved.objective_value(), uncovered, reduced));
        }
        let n_new = candidates.len().min(COLUMNS_PER_ROUND);
        if n_new < candidates.len() {
            candidates.select_nth_unstable_by(n_new - 1, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            candidates.truncate(n_new);
        }
        model = Model::from(solved);
        for (_, region) in candidates {
            let region = region as usize;
            added[region] = true;
            model.try_add_column(half_boundary(task, region), 0.0.., entries(task, &rows, region)).ok()?;
        }
    }
    None
}

enum Integer {
    Found { chosen: Vec<usize>, value: f64, bound: f64 },
    Impossible,
    Unknown { bound: f64 },
}

/// Solves the integer program over some regions.
fn integer(task: &Task<'_>, regions: &[u32]) -> Integer {
    let mut problem = ColProblem::new();
    let rows = rows(task, &mut problem);
    for &region in regions {
        let region = region as usize;
        problem.add_integer_column(half_boundary(task, region), 0.0..=1.0, entries(task, &rows, region));
    }
    let unknown = Integer::Unknown { bound: f64::NEG_INFINITY };
    let Ok(mut model) = problem.try_optimise(Sense::Minimise) else { return unknown };
    quiet(&mut model);
    model.set_option("mip_rel_gap", 0.0);
    model.set_option("mip_abs_gap", SAME / 2.0);
    model.set_option("mip_max_nodes", task.nodes);
    let Ok(solved) = model.try_solve() else { return unknown };
    let bound = solved.double_info_value(c"mip_dual_bound").unwrap_or(f64::NEG_INFINITY);
    if solved.status() == HighsModelStatus::Infeasible {
        return Integer::Impossible;
    }
    let solution = solved.get_solution();
    let chosen: Vec<usize> = (0..regions.len())
        .filter(|&i| solution.columns().get(i).is_some_and(|&x| 0.5 < x))
        .map(|i| regions[i] as usize)
        .collect();
    if chosen.len() != task.rule.k || !covers(task, &chosen) {
        return Integer::Unknown { bound };
    }
    let value = chosen.iter().map(|&r| half_boundary(task, r)).sum();
    Integer::Found { chosen, value, bound: bound.min(value) }
}

/// Whether the chosen regions cover every unit once.
fn covers(task: &Task<'_>, chosen: &[usize]) -> bool {
    let mut times = vec![0; task.n];
    for &region in chosen {
        for &u in task.regions.units(region) {
            times[usize::from(u)] += 1;
        }
    }
    times.iter().all(|&t| t == 1)
}
