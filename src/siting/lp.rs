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

/// Multipliers nearer than this to an end of their range, as a share of it, are taken for that end.
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
    /// Rows that are not in the program yet.
    waiting: Vec<Waiting>,
    /// Largest multiplier of each row.
    most: Vec<f64>,
    /// Multipliers of rows outside the program; what the program says of a row comes on top.
    settled: Vec<f64>,
    times: f64,
    n_rules: usize,
    fate: Vec<Fate>,
    per_step: u64,
    /// Value of the last relaxation solved to the end.
    value: f64,
    is_timed: bool,
    all_must: bool,
}

/// A row whose multiplier is taken for an end of its range, with its columns.
#[cfg(feature = "highs")]
struct Waiting {
    row: u32,
    end: End,
    columns: Vec<highs::Col>,
}

#[cfg(feature = "highs")]
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// The row counts for nothing, which is right while it is served.
    Nothing,
    /// Every site of the row is paid as if it alone served it, which is right while they are not more than needed.
    Most,
}

#[cfg(feature = "highs")]
impl Relaxation {
    /// A row that must be served may be missed for `big`. Rows whose multiplier `u` stands at an end of its range wait
    /// outside the program until a solution contradicts that; those that must be served only where nothing else could
    /// make the program fail.
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
        for rule in &core.rules {
            let terms = rule.terms.iter().filter_map(|&(site, coefficient)| {
                columns[site as usize].map(|column| (column, coefficient as f64))
            });
            program.add_row(..=rule.limit as f64, terms.collect::<Vec<_>>());
        }
        // Without p a row that says nothing keeps the order: rules, p, rows.
        let p = core.p.map_or(f64::INFINITY, |p| p as f64);
        program.add_row(..=p, columns.iter().flatten().map(|&column| (column, 1.0)));
        let times = core.times as f64;
        let mut most = vec![f64::INFINITY; core.n_rows()];
        let mut settled = vec![0.0; core.n_rows()];
        let mut rows = Vec::new();
        let mut waiting = Vec::new();
        let mut paid = vec![0.0; core.n_sites];
        for row in 0..core.n_rows() {
            let must = core.miss[row] == MUST;
            if !must {
                most[row] = core.miss[row] as f64 / times;
            }
            let open = core.row(row).filter(|&entry| core.fate[core.row_site[entry] as usize] == Fate::Open);
            if core.times <= open.count() {
                continue;
            }
            let sites: Vec<highs::Col> =
                core.row(row).filter_map(|entry| columns[core.row_site[entry] as usize]).collect();
            if sites.len() < core.times && !must {
                settled[row] = most[row];
                continue;
            }
            let range = if must { 1.0 } else { most[row] };
            let may_wait = !must || !may_fail;
            if may_wait && u[row] < HARDLY * range {
                waiting.push(Waiting { row: row as u32, end: End::Nothing, columns: sites });
                continue;
            }
            if !must && (1.0 - HARDLY) * range < u[row] {
                settled[row] = most[row];
                core.row(row).for_each(|entry| paid[core.row_site[entry] as usize] += most[row]);
                waiting.push(Waiting { row: row as u32, end: End::Most, columns: sites });
                continue;
            }
            let mut terms: Vec<(highs::Col, f64)> = sites.into_iter().map(|column| (column, 1.0)).collect();
            if !must || may_fail {
                let price = if must { big * times } else { core.miss[row] as f64 };
                // Without an upper end, so that no multiplier passes what missing the row costs.
                terms.push((program.add_column(price, 0.0..), times));
            }
            program.add_row(times.., terms);
            rows.push(row as u32);
        }
        for (site, column) in columns.iter().enumerate() {
            if let (Some(column), true) = (*column, 0.0 < paid[site]) {
                program.change_column_cost(column, core.open_cost[site] as f64 - paid[site]);
            }
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
            times,
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
            let (prices, rows) = dual.split_at(self.n_rules + 1);
            let mut u = self.settled.clone();
            for (&row, dual) in self.rows.iter().zip(rows) {
                let row = row as usize;
                u[row] = (u[row] + dual).clamp(0.0, self.most[row]);
            }
            let share = self.columns.iter().map(|column| column.map_or(0.0, |column| solution[column]));
            return Some(Relaxed {
                u,
                price: prices[..self.n_rules].iter().map(|dual| (-dual).max(0.0)).collect(),
                share: share.collect(),
                work,
            });
        }
    }

    /// Takes waiting rows that the solution contradicts into the program; whether there were any.
    fn admit(&mut self, model: &mut highs::Model, solution: &highs::Solution) -> bool {
        let times = self.times;
        let holds = |row: &Waiting| {
            let served = row.columns.iter().map(|&column| solution[column]).sum::<f64>();
            match row.end {
                End::Nothing => times - 1e-6 <= served,
                End::Most => served <= times + 1e-6,
            }
        };
        let (waiting, broken): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.waiting).into_iter().partition(holds);
        self.waiting = waiting;
        for Waiting { row, end, columns } in &broken {
            let terms = columns.iter().map(|&column| (column, 1.0));
            let most = self.most[*row as usize];
            match end {
                End::Nothing => {
                    let added = model.add_row(times.., terms);
                    if most.is_finite() {
                        model.add_col(most, 0.0.., [(added, 1.0)]);
                    }
                }
                End::Most => {
                    // What more sites than needed were paid too much is taken back.
                    let added = model.add_row(..=times, terms);
                    model.add_col(most, 0.0.., [(added, -1.0)]);
                }
            }
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
