//! From a set of sites to an answer: assignment and objective, all on the caller's table.

use super::{Model, Problem, SitingError};

/// Who serves whom, and what it is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Served {
    pub assignment: Vec<i32>,
    pub second: Vec<i32>,
    /// `None` if a point that must be served is not.
    pub objective: Option<u64>,
}

/// Assigns every point to its cheapest chosen sites (ties: lowest index) and adds up the objective.
pub(crate) fn serve(problem: &Problem, model: Model, sites: &[u32]) -> Served {
    let n_demand = problem.table.n_demand();
    let times = problem.backup.times();
    let mut open = vec![false; problem.table.n_sites()];
    sites.iter().for_each(|&site| open[site as usize] = true);
    let mut served = Served { assignment: vec![-1; n_demand], second: Vec::new(), objective: None };
    if times == 2 {
        served.second = vec![-1; n_demand];
    }
    let mut score = Score::new(problem, model, sites);
    for demand in 0..n_demand {
        let mut best = [(u32::MAX, u32::MAX); 2];
        problem.visit_row(demand, |site, cost| {
            if open[site as usize] && (cost, site) < best[1] {
                best[1] = (cost, site);
                best.sort_unstable();
            }
        });
        let found = best.iter().filter(|found| found.1 != u32::MAX).count();
        if found >= times {
            served.assignment[demand] = best[0].1 as i32;
            if times == 2 {
                served.second[demand] = best[1].1 as i32;
            }
            let sum = best[..times].iter().map(|found| u64::from(found.0)).sum();
            score.add_served(problem.weight(demand), sum, best[times - 1].0);
        } else {
            score.add_missed(problem.weight(demand));
        }
    }
    served.objective = score.total();
    served
}

/// Adds up a model's objective point by point.
pub(crate) struct Score {
    model: Model,
    sum: u64,
    broken: bool,
}

impl Score {
    pub fn new(problem: &Problem, model: Model, sites: &[u32]) -> Self {
        let cost = |site: &u32| problem.site_cost.get(*site as usize).map_or(1, |&cost| u64::from(cost));
        let sum = if model == Model::SetCover { sites.iter().map(cost).sum() } else { 0 };
        Self { model, sum, broken: false }
    }

    /// A point served at total cost `sum`, its last server at cost `last`.
    pub fn add_served(&mut self, weight: u64, sum: u64, last: u32) {
        match self.model {
            Model::SetCover => {}
            Model::MaxCover { .. } => self.sum += weight,
            Model::PMedian { .. } => self.sum += weight * sum,
            Model::PCenter { .. } if weight > 0 => self.sum = self.sum.max(u64::from(last)),
            Model::PCenter { .. } => {}
        }
    }

    /// A point left unserved.
    pub fn add_missed(&mut self, weight: u64) {
        self.broken |= weight > 0 && !self.model.maximizes();
    }

    /// The objective, or `None` if a point that must be served is not.
    pub fn total(&self) -> Option<u64> {
        (!self.broken).then_some(self.sum)
    }
}

/// Checks `sites` against everything but the service of points: p, fixed sites, rules.
pub(crate) fn check_sites(problem: &Problem, model: Model, sites: &[u32]) -> Result<(), SitingError> {
    let infeasible = |reason: String| Err(SitingError::Infeasible { reason });
    if let Some(p) = model.p()
        && sites.len() > p
    {
        return infeasible(format!("p = {p}, the search ended with {} sites", sites.len()));
    }
    let mut open = vec![false; problem.table.n_sites()];
    sites.iter().for_each(|&site| open[site as usize] = true);
    if let Some(site) = problem.fixed.iter().find(|&&site| !open[site as usize]) {
        return infeasible(format!("the fixed site {site}, which the search closed"));
    }
    for rule in super::certificate::rules_of(problem) {
        let used: i64 = rule.terms.iter().filter(|term| open[term.0 as usize]).map(|term| term.1).sum();
        if rule.limit < used {
            return infeasible(format!("a rule on sites ({used} against a limit of {})", rule.limit));
        }
    }
    Ok(())
}
