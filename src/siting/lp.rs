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
    columns: Vec<highs::Col>,
    /// Largest multiplier of each row.
    most: Vec<f64>,
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
        let columns: Vec<highs::Col> = (0..core.n_sites)
            .map(|site| program.add_column(core.open_cost[site] as f64, bounds(core.fate[site])))
            .collect();
        let times = core.times as f64;
        let mut ceiling = vec![f64::INFINITY; core.n_rows()];
        for (row, ceiling) in ceiling.iter_mut().enumerate() {
            let most = if core.miss[row] == MUST { big * times } else { core.miss[row] as f64 };
            // Without an upper end, so that no multiplier passes what missing the row costs.
            let missed = program.add_column(most, 0.0..);
            let sites = core.row(row).map(|entry| (columns[core.row_site[entry] as usize], 1.0));
            program.add_row(times.., sites.chain([(missed, times)]));
            if core.miss[row] != MUST {
                *ceiling = core.miss[row] as f64 / times;
            }
        }
        for rule in &core.rules {
            let terms =
                rule.terms.iter().map(|&(site, coefficient)| (columns[site as usize], coefficient as f64));
            program.add_row(..=rule.limit as f64, terms);
        }
        if let Some(p) = core.p {
            program.add_row(..=p as f64, columns.iter().map(|&column| (column, 1.0)));
        }
        let mut model = program.optimise(highs::Sense::Minimise);
        set_options(&mut model);
        Self {
            model: Some(model),
            columns,
            most: ceiling,
            n_rules: core.rules.len(),
            fate: core.fate.clone(),
            per_step: (core.n_rows() + core.n_sites) as u64,
        }
    }

    /// Solves under the given decisions; `None` if HiGHS finds no optimum in time.
    pub fn solve(&mut self, fate: &[Fate], clock: &Clock) -> Option<Relaxed> {
        let mut model = self.model.take()?;
        for (site, (now, &wanted)) in self.fate.iter_mut().zip(fate).enumerate() {
            if *now != wanted {
                model.change_column_bounds(self.columns[site], bounds(wanted));
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
            let first_rule = self.most.len();
            let prices = dual[first_rule..].iter().take(self.n_rules);
            Relaxed {
                u: dual.iter().zip(&self.most).map(|(dual, &most)| dual.clamp(0.0, most)).collect(),
                price: prices.map(|dual| (-dual).max(0.0)).collect(),
                share: self.columns.iter().map(|column| solution[*column]).collect(),
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
