//! The linear relaxation of a cover form, solved by HiGHS: multipliers where the volume algorithm would crawl.
//!
//! HiGHS works in floating point. That does no harm: whatever multipliers it returns, the bound is computed from
//! them by [`evaluate`](super::bound::evaluate) and, for the certificate, again in integers.

use super::Clock;
use super::build::{Core, Fate};
#[cfg(feature = "highs")]
use highs::HighsModelStatus;

/// Multipliers and fractional choice at an optimum of the relaxation.
pub(crate) struct Relaxed {
    pub u: Vec<f64>,
    pub price: Vec<f64>,
    pub share: Vec<f64>,
    /// Work done, in units of table entries.
    pub work: u64,
}

/// Multipliers below this hardly count.
#[cfg(feature = "highs")]
const HARDLY: f64 = 0.01;
/// Steps of the simplex in a trial.
#[cfg(feature = "highs")]
const PROBE_STEPS: i32 = 10;

/// One relaxation that is solved again and again under changing decisions, each time from where it stood.
#[cfg(feature = "highs")]
pub(crate) struct Relaxation {
    model: Option<highs::Model>,
    /// Sites that the core has decided closed have no column.
    columns: Vec<Option<highs::Col>>,
    /// Rows of the program, in its order.
    rows: Vec<u32>,
    /// Rows that are not in the program yet, with their columns.
    waiting: Vec<(u32, Vec<highs::Col>)>,
    /// Largest multiplier of each row.
    most: Vec<f64>,
    /// Multipliers of rows that the core's decisions settle.
    settled: Vec<f64>,
    n_rules: usize,
    fate: Vec<Fate>,
    per_step: u64,
    /// Value of the last relaxation solved to the end.
    value: f64,
    is_timed: bool,
    all_must: bool,
}

#[cfg(feature = "highs")]
impl Relaxation {
    /// A row that must be served may be missed for `big`. Rows that the multipliers `u` hardly count wait outside the
    /// program until a solution leaves them unserved, where nothing else could make it fail.
    pub fn new(core: &Core, u: &[f64], big: f64) -> Self {
        use super::build::MUST;
        let mut program = highs::RowProblem::default();
        let may_fail = core.p.is_some() || !core.rules.is_empty() || core.times > 1;
        // Where every row must be served and nothing limits the sites, none is opened beyond 1 anyway; without that
        // end the multipliers ask no more of a site than it costs.
        let all_must = !may_fail && core.miss.iter().all(|&miss| miss == MUST);
        let bounds = |fate: Fate| bounds(fate, all_must);
        let columns: Vec<Option<highs::Col>> = (0..core.n_sites)
            .map(|site| {
                (core.fate[site] != Fate::Closed)
                    .then(|| program.add_column(core.open_cost[site] as f64, bounds(core.fate[site])))
            })
            .collect();
        let times = core.times as f64;
        let mut most = vec![f64::INFINITY; core.n_rows()];
        let mut settled = vec![0.0; core.n_rows()];
        let mut rows = Vec::new();
        let mut waiting = Vec::new();
        for row in 0..core.n_rows() {
            if core.miss[row] != MUST {
                most[row] = core.miss[row] as f64 / times;
            }
            let open = core.row(row).filter(|&entry| core.fate[core.row_site[entry] as usize] == Fate::Open);
            if core.times <= open.count() {
                continue;
            }
            let sites: Vec<highs::Col> =
                core.row(row).filter_map(|entry| columns[core.row_site[entry] as usize]).collect();
            if sites.len() < core.times && core.miss[row] != MUST {
                settled[row] = most[row];
                continue;
            }
            if !may_fail && core.miss[row] == MUST && u[row] < HARDLY {
                waiting.push((row as u32, sites));
                continue;
            }
            let mut terms: Vec<(highs::Col, f64)> = sites.into_iter().map(|column| (column, 1.0)).collect();
            if core.miss[row] != MUST || may_fail {
                let price = if core.miss[row] == MUST { big * times } else { core.miss[row] as f64 };
                // Without an upper end, so that no multiplier passes what missing the row costs.
                terms.push((program.add_column(price, 0.0..), times));
            }
            program.add_row(times.., terms);
            rows.push(row as u32);
        }
        for rule in &core.rules {
            let terms = rule.terms.iter().filter_map(|&(site, coefficient)| {
                columns[site as usize].map(|column| (column, coefficient as f64))
            });
            program.add_row(..=rule.limit as f64, terms.collect::<Vec<_>>());
        }
        if let Some(p) = core.p {
            program.add_row(..=p as f64, columns.iter().flatten().map(|&column| (column, 1.0)));
        }
        let mut model = program.optimise(highs::Sense::Minimise);
        set_options(&mut model);
        Self {
            model: Some(model),
            per_step: (rows.len() + columns.iter().flatten().count()) as u64,
            columns,
            rows,
            waiting,
            most,
            settled,
            n_rules: core.rules.len(),
            fate: core.fate.clone(),
            value: 0.0,
            is_timed: false,
            all_must,
        }
    }

    /// Solves under the given decisions, where every row must be served only until the value passes `enough`; `None` if
    /// HiGHS finds no optimum in time.
    pub fn solve(&mut self, fate: &[Fate], enough: f64, clock: &Clock) -> Option<Relaxed> {
        let mut model = self.model.take()?;
        for (site, (now, &wanted)) in self.fate.iter_mut().zip(fate).enumerate() {
            if *now != wanted {
                if let Some(column) = self.columns[site] {
                    model.change_column_bounds(column, bounds(wanted, self.all_must));
                }
                *now = wanted;
            }
        }
        if !self.is_timed
            && let Some(seconds) = clock.seconds_left()
        {
            // The time limit counts from the first run of the model, all its runs together.
            model.set_option("time_limit", seconds.max(0.0));
            self.is_timed = true;
        }
        if self.all_must {
            model.set_option("objective_bound", enough);
        }
        let mut work = 0;
        loop {
            let solved = model.try_solve().ok()?;
            let enough_found = solved.status() == HighsModelStatus::ObjectiveBound;
            if solved.status() != HighsModelStatus::Optimal && !enough_found {
                return None;
            }
            let solution = solved.get_solution();
            work += solved.simplex_iteration_count().max(1) as u64 * self.per_step;
            self.value = solved.objective_value();
            model = solved.into();
            // From here on it stands at a basis, from which presolve would only keep it.
            model.set_option("presolve", "off");
            if !enough_found && self.admit(&mut model, &solution) {
                continue;
            }
            self.model = Some(model);
            let dual = solution.dual_rows();
            // Rows come first, then rules, then p.
            let prices = dual[self.rows.len()..].iter().take(self.n_rules);
            let mut u = self.settled.clone();
            for (&row, dual) in self.rows.iter().zip(dual) {
                u[row as usize] = dual.clamp(0.0, self.most[row as usize]);
            }
            let share = self.columns.iter().map(|column| column.map_or(0.0, |column| solution[column]));
            return Some(Relaxed {
                u,
                price: prices.map(|dual| (-dual).max(0.0)).collect(),
                share: share.collect(),
                work,
            });
        }
    }

    /// Takes waiting rows that the solution does not serve into the program; whether there were any.
    fn admit(&mut self, model: &mut highs::Model, solution: &highs::Solution) -> bool {
        let served = |columns: &[highs::Col]| columns.iter().map(|&column| solution[column]).sum::<f64>();
        let (broken, waiting): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.waiting).into_iter().partition(|row| served(&row.1) < 1.0 - 1e-6);
        self.waiting = waiting;
        for (row, columns) in &broken {
            model.add_row(1.0.., columns.iter().map(|&column| (column, 1.0)));
            self.rows.push(*row);
            self.per_step += 1;
        }
        !broken.is_empty()
    }

    /// By how much deciding one more site lifts the relaxation solved last, as far as a few steps of the simplex show;
    /// with the work done. Infinite if that decision leaves no answer.
    pub fn probe(&mut self, site: usize, open: bool) -> Option<(f64, u64)> {
        let column = self.columns[site]?;
        let mut model = self.model.take()?;
        model.change_column_bounds(
            column,
            bounds(if open { Fate::Open } else { Fate::Closed }, self.all_must),
        );
        model.set_option("simplex_iteration_limit", PROBE_STEPS);
        let solved = model.try_solve().ok()?;
        let gain = match solved.status() {
            HighsModelStatus::Infeasible | HighsModelStatus::ObjectiveBound => f64::INFINITY,
            HighsModelStatus::ReachedTimeLimit => return None,
            _ => solved.objective_value() - self.value,
        };
        let work = solved.simplex_iteration_count().max(1) as u64 * self.per_step;
        let mut model: highs::Model = solved.into();
        model.change_column_bounds(column, bounds(self.fate[site], self.all_must));
        model.set_option("simplex_iteration_limit", i32::MAX);
        self.model = Some(model);
        Some((gain, work))
    }
}

/// Quiet, on one thread, so that the same program has the same solution everywhere.
#[cfg(feature = "highs")]
pub(crate) fn set_options(model: &mut highs::Model) {
    model.make_quiet();
    model.set_option("threads", 1);
    model.set_option("parallel", "off");
    model.set_option("solver", "simplex");
}

#[cfg(feature = "highs")]
pub(crate) fn bounds(fate: Fate, endless: bool) -> std::ops::RangeInclusive<f64> {
    match fate {
        Fate::Free if endless => 0.0..=f64::INFINITY,
        Fate::Free => 0.0..=1.0,
        Fate::Open => 1.0..=1.0,
        Fate::Closed => 0.0..=0.0,
    }
}

/// Without HiGHS the volume algorithm does all the work.
#[cfg(not(feature = "highs"))]
pub(crate) struct Relaxation;

#[cfg(not(feature = "highs"))]
impl Relaxation {
    pub fn new(_: &Core, _: &[f64], _: f64) -> Self {
        Self
    }

    pub fn solve(&mut self, _: &[Fate], _: f64, _: &Clock) -> Option<Relaxed> {
        None
    }

    pub fn probe(&mut self, _: usize, _: bool) -> Option<(f64, u64)> {
        None
    }
}
