//! The linear relaxation of a cover form, solved by HiGHS: multipliers where the volume algorithm would crawl.
//!
//! HiGHS works in floating point. That does no harm: whatever multipliers it returns, the bound is computed from
//! them by [`evaluate`](super::bound::evaluate) and, for the certificate, again in integers.

use super::Clock;
use super::build::{Core, Fate};

/// Multipliers and fractional choice at an optimum of the relaxation.
pub(crate) struct Relaxed {
    pub u: Vec<f64>,
    pub price: Vec<f64>,
    pub share: Vec<f64>,
    /// Work done, in units of table entries.
    pub work: u64,
}

/// One relaxation that is solved again and again under changing decisions, each time from where it stood.
#[cfg(feature = "highs")]
pub(crate) struct Relaxation {
    model: Option<highs::Model>,
    /// Sites that the core has decided closed have no column.
    columns: Vec<Option<highs::Col>>,
    /// Rows of the program, in its order.
    rows: Vec<u32>,
    /// Largest multiplier of each row.
    most: Vec<f64>,
    /// Multipliers of rows that the core's decisions settle.
    settled: Vec<f64>,
    n_rules: usize,
    fate: Vec<Fate>,
    per_step: u64,
}

#[cfg(feature = "highs")]
impl Relaxation {
    /// A row that must be served may be missed for `big`.
    pub fn new(core: &Core, big: f64) -> Self {
        use super::build::MUST;
        let mut program = highs::RowProblem::default();
        let columns: Vec<Option<highs::Col>> = (0..core.n_sites)
            .map(|site| {
                (core.fate[site] != Fate::Closed)
                    .then(|| program.add_column(core.open_cost[site] as f64, bounds(core.fate[site])))
            })
            .collect();
        let times = core.times as f64;
        // Without rules and p some choice serves all rows that have a site left.
        let may_fail = core.p.is_some() || !core.rules.is_empty() || core.times > 1;
        let mut most = vec![f64::INFINITY; core.n_rows()];
        let mut settled = vec![0.0; core.n_rows()];
        let mut rows = Vec::new();
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
            most,
            settled,
            n_rules: core.rules.len(),
            fate: core.fate.clone(),
        }
    }

    /// Solves under the given decisions; `None` if HiGHS finds no optimum in time.
    pub fn solve(&mut self, fate: &[Fate], clock: &Clock) -> Option<Relaxed> {
        let mut model = self.model.take()?;
        for (site, (now, &wanted)) in self.fate.iter_mut().zip(fate).enumerate() {
            if *now != wanted {
                if let Some(column) = self.columns[site] {
                    model.change_column_bounds(column, bounds(wanted));
                }
                *now = wanted;
            }
        }
        if let Some(seconds) = clock.seconds_left() {
            // The time limit counts from the first run of the model.
            model.set_option("time_limit", seconds.max(0.0));
        }
        let solved = model.try_solve().ok()?;
        let found = (solved.status() == highs::HighsModelStatus::Optimal).then(|| {
            let solution = solved.get_solution();
            let dual = solution.dual_rows();
            // Rows come first, then rules, then p.
            let prices = dual[self.rows.len()..].iter().take(self.n_rules);
            let mut u = self.settled.clone();
            for (&row, dual) in self.rows.iter().zip(dual) {
                u[row as usize] = dual.clamp(0.0, self.most[row as usize]);
            }
            let share = self.columns.iter().map(|column| column.map_or(0.0, |column| solution[column]));
            Relaxed {
                u,
                price: prices.map(|dual| (-dual).max(0.0)).collect(),
                share: share.collect(),
                work: solved.simplex_iteration_count().max(1) as u64 * self.per_step,
            }
        });
        if found.is_some() {
            self.model = Some(solved.into());
        }
        found
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
pub(crate) fn bounds(fate: Fate) -> std::ops::RangeInclusive<f64> {
    match fate {
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
    pub fn new(_: &Core, _: f64) -> Self {
        Self
    }

    pub fn solve(&mut self, _: &[Fate], _: &Clock) -> Option<Relaxed> {
        None
    }
}
