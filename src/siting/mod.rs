//! Siting: which candidate sites become stations, with a proof of how good the choice is.
//!
//! Four models of the location literature work on one table of walking costs (demand points by sites):
//! [`set_cover`] (LSCP, Toregas et al. 1971), [`max_cover`] (MCLP, Church and `ReVelle` 1974), [`p_median`]
//! (Hakimi 1964) and [`p_center`] (Hakimi 1965). Each takes weights, fixed stations, capacities, budgets, groups,
//! minimum spacing and backup cover, as plain data in [`Problem`]. Every [`Siting`] carries its objective,
//! recomputed from the chosen sites alone, and a bound that [`certificate::check`] can verify in integers.
//! [`tiers`] plans several levels of stations on top of these models.
//!
//! The formulation with all symbols and sources stands in `docs/methods/siting.md`.

mod anneal;
mod bound;
mod branch;
mod build;
mod capacity;
mod center;
pub mod certificate;
mod chains;
mod construct;
mod evaluate;
mod explain;
mod frontier;
mod kernel;
mod linear;
mod loads;
mod lp;
mod lp_median;
mod presolve;
mod problem;
mod program;
mod proof;
mod pseudo;
mod regions;
mod restrict;
mod room;
mod second;
mod simplex;
mod solve;
mod steps;
mod swap;
mod table;
pub mod tiers;
mod walk;

#[cfg(test)]
mod tests;

use std::time::Instant;

pub use certificate::Certificate;
pub use frontier::{FrontierPoint, budget_frontier, frontier};
pub use linear::{LinearRange, linear_range};
pub use problem::{
    Backup, Change, Effort, Existing, Group, Model, Options, Problem, Reason, Siting, SitingError, Then,
};
pub use table::{Table, UNREACHED};

/// Fewest (or cheapest) sites such that every demand point with weight is served.
///
/// - Cost of a site: [`Problem::site_cost`], or 1 each. The objective is their sum over chosen sites, fixed ones included.
/// - A demand point is served by any chosen site of its table row (cost at most [`Problem::limit`]), or by two
///   with [`Problem::backup`].
/// - Fails: [`SitingError::Unreachable`] lists every point that no candidate reaches.
///
/// ```
/// use gridplan::siting::{Options, Problem, Table, set_cover};
/// // Three demand points; site 1 reaches all of them.
/// let table = Table::sparse(2, &[0, 2, 3, 4], &[0, 1, 1, 1], None)?;
/// let answer = set_cover(&Problem::new(table), &Options::default())?;
/// assert_eq!((answer.sites, answer.proven), (vec![1], true));
/// # Ok::<(), gridplan::siting::SitingError>(())
/// ```
///
/// # Errors
/// See [`SitingError`].
pub fn set_cover(problem: &Problem, options: &Options) -> Result<Siting, SitingError> {
    solve::solve(problem, Model::SetCover, options)
}

/// At most `p` sites (or what [`Problem::budget`] pays for) such that the weight served is largest.
///
/// `p` counts the fixed sites; `None` leaves the number to the budget. Fewer than `p` sites come back when
/// one more would add nothing. Points that stay unserved have assignment −1.
///
/// # Errors
/// See [`SitingError`].
pub fn max_cover(problem: &Problem, p: Option<usize>, options: &Options) -> Result<Siting, SitingError> {
    solve::solve(problem, Model::MaxCover { p }, options)
}

/// Runners-up of a max cover answer's sites under other conditions than it was found with, in the answer's order.
pub(crate) fn runners_up(problem: &Problem, p: usize, siting: &Siting) -> Vec<Option<(u32, Option<u64>)>> {
    let model = Model::MaxCover { p: Some(p) };
    let served = evaluate::serve(problem, model, &siting.sites);
    let reasons = explain::explain(problem, model, &siting.sites, &served, siting.objective, None);
    reasons.into_iter().map(|reason| reason.runner_up).collect()
}

/// `p` sites such that the weighted sum of costs from each demand point to its nearest site is smallest.
///
/// `p` counts the fixed sites. With [`Problem::backup`] the costs of the two nearest sites add up.
///
/// # Errors
/// See [`SitingError`].
pub fn p_median(problem: &Problem, p: usize, options: &Options) -> Result<Siting, SitingError> {
    solve::solve(problem, Model::PMedian { p }, options)
}

/// `p` sites such that the largest cost from any demand point to its nearest site is smallest.
///
/// Weights do not multiply the cost; they only load capacities, and points of weight 0 need no service.
/// With [`Problem::backup`] the second nearest site counts.
///
/// # Errors
/// See [`SitingError`].
pub fn p_center(problem: &Problem, p: usize, options: &Options) -> Result<Siting, SitingError> {
    solve::solve(problem, Model::PCenter { p }, options)
}

/// When to stop: polled between pieces of work.
pub(crate) struct Clock<'a> {
    deadline: Option<Instant>,
    limit: Option<std::time::Duration>,
    cancel: Option<&'a (dyn Fn() -> bool + Sync)>,
    stopped: std::cell::Cell<bool>,
}

impl<'a> Clock<'a> {
    fn new(options: &Options<'a>) -> Self {
        let deadline = options.time_limit.map(|limit| Instant::now() + limit);
        Self {
            deadline,
            limit: options.time_limit,
            cancel: options.cancel,
            stopped: std::cell::Cell::new(false),
        }
    }

    /// Seconds until the deadline, if there is one.
    #[cfg(feature = "highs")]
    pub(crate) fn seconds_left(&self) -> Option<f64> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()).as_secs_f64())
    }

    /// Share of the time limit that is used up, 0 to 1; 0 without a limit.
    pub(crate) fn share_used(&self) -> f64 {
        let (Some(deadline), Some(limit)) = (self.deadline, self.limit) else { return 0.0 };
        let left = deadline.saturating_duration_since(Instant::now()).as_secs_f64();
        1.0 - left / limit.as_secs_f64().max(1e-9)
    }

    /// Whether the caller wants no answer any more. A first answer is worth more than a deadline kept without one.
    pub(crate) fn is_cancelled(&self) -> bool {
        let cancelled = self.cancel.is_some_and(|cancel| cancel());
        if cancelled {
            self.stopped.set(true);
        }
        cancelled
    }

    /// Whether the search must end now; once true it stays true.
    pub(crate) fn is_over(&self) -> bool {
        if !self.stopped.get() {
            let late = self.deadline.is_some_and(|deadline| deadline <= Instant::now());
            self.stopped.set(late || self.cancel.is_some_and(|cancel| cancel()));
        }
        self.stopped.get()
    }
}
