//! The linear relaxation of forms in which costs count, by cuts, solved by HiGHS.
//!
//! One variable `t_r` per row stands for what serving the row costs. For any threshold `U` the row pays at least
//!
//! `t_r >= U − Σ_j max(0, U − w_r·c_rj)·x_j`
//!
//! and for given `x` the threshold that says most is the cost at which the sites, nearest first, add up to one. Cuts
//! are added where the solution breaks them until none does; then the program is the linear relaxation. The cuts' own
//! multipliers, `u_r = Σ U·multiplier`, are multipliers of the Lagrangian relaxation at least as good.
//! Source: Cornuejols, Fisher and Nemhauser (1977) for the cuts; Duran-Mateluna, Ales and Elloumi (2023), "An efficient
//! Benders decomposition for the p-median problem", for adding them as needed.

use super::Clock;
use super::build::{Core, Fate};
use super::lp::Relaxed;

/// Most entries that the first cuts may have on average: with longer ones the volume algorithm is quicker.
#[cfg(feature = "highs")]
const MOST_PER_CUT: usize = 8;
/// Most times that cuts are added at one node.
#[cfg(feature = "highs")]
const MOST_ROUNDS: usize = 40;

/// The relaxation under changing decisions; cuts stay, since they hold everywhere.
#[cfg(feature = "highs")]
pub(crate) struct MedianRelaxation {
    model: Option<highs::Model>,
    columns: Vec<Option<highs::Col>>,
    paid: Vec<highs::Col>,
    /// Row and threshold of every cut, in the order of the program's rows after the first `n_other`.
    cuts: Vec<(u32, i64)>,
    n_rules: usize,
    n_other: usize,
    fate: Vec<Fate>,
    /// More than any answer of interest costs.
    dear: i64,
}

#[cfg(feature = "highs")]
impl MedianRelaxation {
    /// Starts with the cuts around the multipliers `u`; `None` if that is too large or rows are served twice.
    pub fn new(core: &Core, u: &[f64], dear: i64) -> Option<Self> {
        if core.times != 1 || core.row_cost.is_empty() {
            return None;
        }
        let mut cuts = Vec::new();
        let mut entries = 0;
        for (row, &u) in u.iter().enumerate() {
            let cheaper = core.row(row).filter(|&entry| (weighted(core, row, entry) as f64) < u).count();
            let range = core.row(row);
            // The cheapest cost at or above the multiplier, and the ones around it.
            for place in cheaper.saturating_sub(1)..=cheaper + 1 {
                let entry = range.start + place;
                let threshold = if entry < range.end { weighted(core, row, entry) } else { core.miss[row] };
                let threshold = threshold.min(core.miss[row]);
                if threshold < i64::MAX && cuts.last() != Some(&(row as u32, threshold)) {
                    cuts.push((row as u32, threshold));
                    entries += place;
                }
            }
        }
        (entries <= MOST_PER_CUT * cuts.len()).then(|| Self::with_cuts(core, cuts, dear))
    }

    fn with_cuts(core: &Core, cuts: Vec<(u32, i64)>, dear: i64) -> Self {
        let mut program = highs::RowProblem::default();
        let used = |site: usize| core.fate[site] != Fate::Closed;
        let columns: Vec<Option<highs::Col>> = (0..core.n_sites)
            .map(|site| {
                used(site).then(|| {
                    program.add_column(core.open_cost[site] as f64, super::lp::bounds(core.fate[site], false))
                })
            })
            .collect();
        let paid: Vec<highs::Col> = (0..core.n_rows()).map(|_| program.add_column(1.0, 0.0..)).collect();
        let open = |site: usize| columns[site];
        for rule in &core.rules {
            let terms = rule.terms.iter().filter_map(|&(site, coefficient)| {
                open(site as usize).map(|column| (column, coefficient as f64))
            });
            program.add_row(..=rule.limit as f64, terms.collect::<Vec<_>>());
        }
        if let Some(p) = core.p {
            program.add_row(..=p as f64, columns.iter().flatten().map(|&column| (column, 1.0)));
        }
        for &(row, threshold) in &cuts {
            program.add_row(threshold as f64.., cut(core, &columns, &paid, row as usize, threshold));
        }
        let mut model = program.optimise(highs::Sense::Minimise);
        super::lp::set_options(&mut model);
        Self {
            model: Some(model),
            columns,
            paid,
            cuts,
            n_rules: core.rules.len(),
            n_other: core.rules.len() + usize::from(core.p.is_some()),
            fate: core.fate.clone(),
            dear,
        }
    }

    /// Solves under the given decisions, at most up to the value `enough`; `None` if HiGHS finds no optimum in time.
    pub fn solve(&mut self, core: &Core, fate: &[Fate], enough: f64, clock: &Clock) -> Option<Relaxed> {
        let mut model = self.model.take()?;
        for (site, (now, &wanted)) in self.fate.iter_mut().zip(fate).enumerate() {
            if *now != wanted {
                if let Some(column) = self.columns[site] {
                    model.change_column_bounds(column, super::lp::bounds(wanted, false));
                }
                *now = wanted;
            }
        }
        let mut work = 0;
        for round in 0.. {
            if let Some(seconds) = clock.seconds_left() {
                model.set_option("time_limit", seconds.max(0.0));
            }
            let solved = model.try_solve().ok()?;
            if solved.status() != highs::HighsModelStatus::Optimal {
                return None;
            }
            let solution = solved.get_solution();
            let steps = solved.simplex_iteration_count().max(1) as u64;
            work += steps * (self.cuts.len() + core.n_rows()) as u64;
            let share: Vec<f64> =
                self.columns.iter().map(|column| column.map_or(0.0, |column| solution[column])).collect();
            let value = solved.objective_value();
            let paid: Vec<f64> = self.paid.iter().map(|&column| solution[column]).collect();
            model = solved.into();
            let missing = if round < MOST_ROUNDS && value < enough {
                self.broken(core, &share, &paid)
            } else {
                Vec::new()
            };
            if missing.is_empty() || clock.is_over() {
                self.model = Some(model);
                let dual = solution.dual_rows();
                let mut u = vec![0.0; core.n_rows()];
                for (&(row, threshold), dual) in self.cuts.iter().zip(&dual[self.n_other..]) {
                    u[row as usize] += dual.max(0.0) * threshold as f64;
                }
                let price = dual[..self.n_rules].iter().map(|dual| (-dual).max(0.0)).collect();
                return Some(Relaxed { u, price, share, work });
            }
            for &(row, threshold) in &missing {
                let terms = cut(core, &self.columns, &self.paid, row as usize, threshold);
                model.add_row(threshold as f64.., terms);
            }
            self.cuts.extend(missing);
        }
        None
    }

    /// The strongest cut of every row that the solution breaks.
    fn broken(&self, core: &Core, share: &[f64], paid: &[f64]) -> Vec<(u32, i64)> {
        let mut missing = Vec::new();
        for (row, &paid) in paid.iter().enumerate() {
            let (mut opened, mut cost) = (0.0, 0.0);
            let mut threshold = None;
            for entry in core.row(row) {
                let own = weighted(core, row, entry);
                if core.miss[row] <= own {
                    break;
                }
                let part = share[core.row_site[entry] as usize];
                if part > 0.0 {
                    opened += part;
                    cost += part * own as f64;
                    if 1.0 - 1e-7 <= opened {
                        threshold = Some(own);
                        break;
                    }
                }
            }
            let Some(threshold) = threshold.or((core.miss[row] < i64::MAX).then_some(core.miss[row])) else {
                // Even the last site does not make it one: such a threshold makes missing the row dear.
                let last = core.row(row).next_back().map_or(1, |entry| weighted(core, row, entry));
                missing.push((row as u32, self.dear.max(4 * last)));
                continue;
            };
            let value = cost + (1.0 - opened) * threshold as f64;
            if paid + 1e-6 * (1.0 + value.abs()) < value {
                missing.push((row as u32, threshold));
            }
        }
        missing
    }
}

#[cfg(feature = "highs")]
fn weighted(core: &Core, row: usize, entry: usize) -> i64 {
    core.weight[row] * i64::from(core.row_cost_at(entry))
}

/// `t_r + Σ_j max(0, U − w_r·c_rj)·x_j`, which is at least `U`.
#[cfg(feature = "highs")]
fn cut(
    core: &Core,
    columns: &[Option<highs::Col>],
    paid: &[highs::Col],
    row: usize,
    threshold: i64,
) -> Vec<(highs::Col, f64)> {
    let mut terms = vec![(paid[row], 1.0)];
    for entry in core.row(row) {
        let saved = threshold - weighted(core, row, entry);
        if saved <= 0 {
            break;
        }
        if let Some(column) = columns[core.row_site[entry] as usize] {
            terms.push((column, saved as f64));
        }
    }
    terms
}

/// Without HiGHS the volume algorithm does all the work.
#[cfg(not(feature = "highs"))]
pub(crate) struct MedianRelaxation;

#[cfg(not(feature = "highs"))]
impl MedianRelaxation {
    pub fn new(_: &Core, _: &[f64], _: i64) -> Option<Self> {
        None
    }

    pub fn solve(&mut self, _: &Core, _: &[Fate], _: f64, _: &Clock) -> Option<Relaxed> {
        None
    }
}
