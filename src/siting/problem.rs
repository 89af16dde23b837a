//! What goes in and what comes out: problem, options, answer, error.

use std::time::Duration;

use super::certificate::Certificate;
use super::table::{Table, UNREACHED};

/// What is to be placed: the table, the demand and the side conditions.
///
/// Build one with [`Problem::new`] and set the fields that matter.
#[derive(Clone, Debug)]
pub struct Problem<'a> {
    /// Walking costs, demand points by sites; any unit, whole numbers.
    pub table: Table<'a>,
    /// Weight (households) per demand point; empty means 1 each. A point of weight 0 needs no service.
    pub weights: Vec<u32>,
    /// Costs above this limit cannot serve; a cost exactly at the limit can.
    pub limit: Option<u32>,
    /// Sites that are chosen in every answer.
    pub fixed: Vec<u32>,
    /// Existing stations that may close or move, see [`Existing`].
    pub existing: Vec<Existing>,
    /// At most so many of the closable stations are closed; `None` sets no limit.
    pub max_closed: Option<usize>,
    /// Cost per site, whole money units; empty means 1 each in [`set_cover`](super::set_cover) and no cost elsewhere.
    pub site_cost: Vec<u32>,
    /// The costs of the chosen sites, fixed ones included, sum to at most this.
    pub budget: Option<u64>,
    /// Sum of weights each site can serve; empty means without limit. Each point is then served by one site.
    pub capacity: Vec<u64>,
    /// One or two sites for every served point.
    pub backup: Backup,
    /// Pairs of sites of which at most one is chosen (minimum spacing).
    pub too_close: Vec<(u32, u32)>,
    /// At least and at most so many sites out of given sets (communities, tiers, owners).
    pub groups: Vec<Group>,
    /// What decides between answers of equal objective in the cover models.
    pub then: Then,
}

/// A second goal, after the objective of [`max_cover`](super::max_cover) and [`set_cover`](super::set_cover).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Then {
    /// None.
    #[default]
    Nothing,
    /// The smallest weighted sum of costs (of walks) with as many sites at most, or in set cover with `site_cost` at the
    /// same cost; the objective never gets worse. Small tables are searched to the end: all sets of sites where there are
    /// few, a tree up to 30,000 entries with [`Effort::Proof`]. Beyond, exchanges of sites find what they find;
    /// [`Siting::then_proven`] says which it was. With capacities only the objective counts.
    Nearest,
    /// As [`Then::Nearest`], and then the smallest sum of [`Problem::site_cost`] (max cover only; in set cover that is
    /// the objective).
    NearestThenCheapest {
        /// By so much may the weighted sum of walks pass the smallest one found, in weight times cost of the table;
        /// with 0 money decides between equal walks only. Savings that use the slack are found by single exchanges and
        /// closings where the sets of sites are too many to look through.
        slack: u64,
    },
}

/// How many chosen sites must be able to serve a point before it counts as served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backup {
    /// One site.
    #[default]
    None,
    /// Two different sites (backup cover, Hogan and `ReVelle` 1986).
    Second,
}

impl Backup {
    pub(crate) fn times(self) -> usize {
        match self {
            Backup::None => 1,
            Backup::Second => 2,
        }
    }
}

/// An existing station that need not stay as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Existing {
    /// Its site index.
    pub site: u32,
    /// What may happen to it.
    pub change: Change,
}

/// What may happen to an existing station.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It may be given up; [`Problem::max_closed`] limits how many are.
    Close,
    /// It stays or moves to exactly one of these sites.
    MoveTo(Vec<u32>),
}

/// A rule on how many of a set of sites are chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The sites of the set, each once.
    pub sites: Vec<u32>,
    /// At least so many are chosen.
    pub at_least: usize,
    /// At most so many are chosen.
    pub at_most: usize,
}

impl<'a> Problem<'a> {
    /// A problem on `table` without side conditions, every demand point of weight 1.
    #[must_use]
    pub fn new(table: Table<'a>) -> Self {
        Self {
            table,
            weights: Vec::new(),
            limit: None,
            fixed: Vec::new(),
            existing: Vec::new(),
            max_closed: None,
            site_cost: Vec::new(),
            budget: None,
            capacity: Vec::new(),
            backup: Backup::None,
            too_close: Vec::new(),
            groups: Vec::new(),
            then: Then::Nothing,
        }
    }

    /// The weight of a demand point.
    #[must_use]
    pub fn weight(&self, demand: usize) -> u64 {
        self.weights.get(demand).map_or(1, |&weight| u64::from(weight))
    }

    /// The error that names these points and how far their nearest site is.
    pub(crate) fn unreachable(&self, demand: Vec<u32>) -> SitingError {
        let nearest = |&demand: &u32| {
            let mut least: Option<u32> = None;
            self.table.visit_row(demand as usize, |_, cost| {
                least = Some(least.map_or(cost, |least| least.min(cost)))
            });
            least
        };
        SitingError::Unreachable { nearest: demand.iter().map(nearest).collect(), demand }
    }

    /// Calls `visit(site, cost)` for every site that may serve `demand` within the limit.
    pub(crate) fn visit_row(&self, demand: usize, mut visit: impl FnMut(u32, u32)) {
        let limit = self.limit.unwrap_or(UNREACHED - 1);
        self.table.visit_row(demand, |site, cost| {
            if cost <= limit {
                visit(site, cost);
            }
        });
    }
}

/// The four models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// [`set_cover`](super::set_cover)
    SetCover,
    /// [`max_cover`](super::max_cover)
    MaxCover {
        /// Largest number of sites, fixed ones included; `None` leaves it to the budget.
        p: Option<usize>,
    },
    /// [`p_median`](super::p_median)
    PMedian {
        /// Number of sites, fixed ones included.
        p: usize,
    },
    /// [`p_center`](super::p_center)
    PCenter {
        /// Number of sites, fixed ones included.
        p: usize,
    },
}

impl Model {
    /// The largest number of sites the model allows, if it limits them.
    #[must_use]
    pub fn p(self) -> Option<usize> {
        match self {
            Model::SetCover => None,
            Model::MaxCover { p } => p,
            Model::PMedian { p } | Model::PCenter { p } => Some(p),
        }
    }

    pub(crate) fn with_p_at_most(self, most: usize) -> Self {
        match self {
            Model::SetCover => self,
            Model::MaxCover { p } => Model::MaxCover { p: p.map(|p| p.min(most)) },
            Model::PMedian { p } => Model::PMedian { p: p.min(most) },
            Model::PCenter { p } => Model::PCenter { p: p.min(most) },
        }
    }

    /// Whether a larger objective is the better one.
    #[must_use]
    pub fn maximizes(self) -> bool {
        matches!(self, Model::MaxCover { .. })
    }
}

/// How long to try, and with which random numbers.
///
/// The answer depends on `seed` and `effort` alone unless the search is stopped from outside; then
/// [`Siting::stopped`] says so.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Seed of the random search.
    pub seed: u64,
    /// How much work to spend before accepting a gap.
    pub effort: Effort,
    /// A wall-clock stop; the best answer and bound so far come back.
    pub time_limit: Option<Duration>,
    /// Polled often; when it returns true the best answer and bound so far come back.
    pub cancel: Option<&'a (dyn Fn() -> bool + Sync)>,
}

/// Work spent on closing the gap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// Construction, one descent, a short bound: for frontiers and interactive maps.
    Quick,
    /// Good answers with a tight bound.
    #[default]
    Full,
    /// As `Full`, then branch and bound until proven or stopped.
    Proof,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { seed: 1, effort: Effort::Proof, time_limit: None, cancel: None }
    }
}

impl std::fmt::Debug for Options<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Options")
            .field("seed", &self.seed)
            .field("effort", &self.effort)
            .field("time_limit", &self.time_limit)
            .field("cancel", &self.cancel.is_some())
            .finish()
    }
}

/// A choice of sites, what it achieves and how good it provably is.
#[derive(Clone, Debug, PartialEq)]
pub struct Siting {
    /// The model that was solved.
    pub model: Model,
    /// Chosen sites, ascending, fixed ones included.
    pub sites: Vec<u32>,
    /// Serving site per demand point (the cheapest chosen one unless capacities say otherwise), −1 if unserved.
    pub assignment: Vec<i32>,
    /// Second serving site per demand point with [`Backup::Second`]; empty otherwise.
    pub second: Vec<i32>,
    /// The model's objective, recomputed from `sites` and `assignment` on the caller's table.
    pub objective: u64,
    /// No answer has an objective below this (above it for [`max_cover`](super::max_cover)).
    pub bound: u64,
    /// `|bound - objective| / objective`; 0 when both are 0, infinite when only the objective is 0.
    pub gap: f64,
    /// Whether `bound == objective`.
    pub proven: bool,
    /// Whether [`check`](super::certificate::check) proves `bound` from `certificate` alone. With capacities the
    /// bound may be that of the exact solver, within its tolerances, instead.
    pub certified: bool,
    /// The multipliers behind the certified bound.
    pub certificate: Certificate,
    /// Whether the time limit or the cancellation cut the work short.
    pub stopped: bool,
    /// Whether no other answer of this objective is better by [`Problem::then`]; `None` if that asks for nothing.
    pub then_proven: Option<bool>,
    /// Per chosen site, in the order of `sites`: what it does for the answer.
    pub reasons: Vec<Reason>,
}

/// Why a site was chosen, in the units of the objective.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The site.
    pub site: u32,
    /// Demand points it serves in the answer.
    pub serves: usize,
    /// Their weight.
    pub weight: u64,
    /// How much worse the objective becomes without it, the others staying: `None` if the answer would break.
    pub loss: Option<u64>,
    /// Best replacement among sites not chosen that keeps every condition, and how much worse the objective is with it;
    /// `None` for a fixed site, which has none.
    pub runner_up: Option<(u32, Option<u64>)>,
}

fn how_far(nearest: Option<u32>) -> String {
    nearest.map_or_else(|| ", no site in the table".to_owned(), |cost| format!(", nearest site at {cost}"))
}

/// Why no answer exists.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SitingError {
    /// The table's arrays contradict each other.
    #[error("the cost table is not usable: {reason}; check its shape and indices")]
    BadTable {
        /// What is wrong, with numbers.
        reason: String,
    },
    /// An array of the problem has the wrong length or an index out of range.
    #[error("`{field}` is not usable: {reason}")]
    BadField {
        /// Name of the field.
        field: &'static str,
        /// What is wrong, with numbers.
        reason: String,
    },
    /// Demand points that no candidate can serve.
    #[error("{} demand points are reached by too few sites (first: {}{}); raise the limit, add candidates near them or leave them out", demand.len(), demand[0], how_far(nearest[0]))]
    Unreachable {
        /// The points, ascending, at least one.
        demand: Vec<u32>,
        /// Cost from each of them to its nearest site, however far; `None` where the table knows none.
        nearest: Vec<Option<u32>>,
    },
    /// The side conditions exclude every choice of sites.
    #[error("no choice of sites satisfies {reason}")]
    Infeasible {
        /// Which conditions contradict each other, with numbers.
        reason: String,
    },
    /// The search ended without a first answer, and without proof that there is none.
    #[error(
        "no answer that keeps all side conditions was found, though none is ruled out; allow more time or effort, or \
         loosen them"
    )]
    Stopped,
    /// One of several tiers has no answer.
    #[error("tier {name}: {error}")]
    OfTier {
        /// Index of its rule.
        tier: usize,
        /// Its name.
        name: String,
        /// Why not.
        error: Box<SitingError>,
    },
}
