//! Why each site was chosen: what it serves, what would be lost without it, and the runner-up.

use super::build::{Core, build};
use super::capacity;
use super::evaluate::Served;
use super::swap::Search;
use super::{Model, Problem, Reason};

/// Loss without a site, and its best replacement with the loss that is left; `None` where the answer would break.
pub(crate) type Swap = (Option<u64>, Option<(u32, Option<u64>)>);

/// Reasons for every chosen site of an answer worth `objective`; `core` is the model's normal form, if it is at hand.
pub(crate) fn explain(
    problem: &Problem,
    model: Model,
    sites: &[u32],
    served: &Served,
    objective: u64,
    core: Option<&Core>,
) -> Vec<Reason> {
    let n_sites = problem.table.n_sites();
    let mut serves = vec![(0usize, 0u64); n_sites];
    for (demand, &site) in served.assignment.iter().enumerate() {
        if site >= 0 {
            serves[site as usize].0 += 1;
            serves[site as usize].1 += problem.weight(demand);
        }
    }
    let swaps = match model {
        _ if !problem.capacity.is_empty() => capacity::swaps(problem, model, sites, objective),
        Model::PCenter { .. } => center_swaps(problem, sites),
        _ => match core {
            Some(core) => cached_swaps(core, sites),
            None => build(problem, model).map_or_else(|_| Vec::new(), |core| cached_swaps(&core, sites)),
        },
    };
    let reason = |(index, &site): (usize, &u32)| {
        let (loss, runner_up) = swaps.get(index).copied().unwrap_or((None, None));
        // Nothing may take the place of a site that every answer has; what else would hold there, spacing for one, may
        // be missing from the problem just because the site is given.
        let runner_up = runner_up.filter(|_| !problem.fixed.contains(&site));
        let (serves, weight) = serves[site as usize];
        Reason { site, serves, weight, loss, runner_up }
    };
    sites.iter().enumerate().map(reason).collect()
}

/// By the gains that the exchange search keeps.
fn cached_swaps(core: &Core, sites: &[u32]) -> Vec<Swap> {
    let mut search = Search::new(core);
    search.become_sites(sites);
    let mut best: Vec<Option<(i64, u32)>> = vec![None; sites.len()];
    for inn in (0..core.n_sites as u32).filter(|&inn| !search.open[inn as usize]) {
        for (index, &out) in sites.iter().enumerate() {
            let change = search.exchange_change(inn, out);
            let better = best[index].is_none_or(|best| change < best.0);
            if better && (core.rules.is_empty() || search.broken_after(Some(inn), Some(out)) == 0) {
                best[index] = Some((change, inn));
            }
        }
    }
    // A row that must be served and is not lifts the value to `big` and beyond.
    let finite = |change: i64| {
        u64::try_from(change.max(0)).ok().filter(|_| change < search.big().saturating_sub(search.value))
    };
    let reason = |(index, &site): (usize, &u32)| {
        let loss = finite(search.loss_of(site));
        (loss, best[index].map(|(change, inn)| (inn, finite(change))))
    };
    sites.iter().enumerate().map(reason).collect()
}

/// Points times sites above which p-center names no runner-up.
const MOST_QUESTIONS: usize = 500_000_000;

/// p-center: by how much the largest cost grows without each site, and with another in its place.
///
/// A site's absence is felt only by the points that it serves. Cost: their number times the number of sites.
fn center_swaps(problem: &Problem, sites: &[u32]) -> Vec<Swap> {
    let times = problem.backup.times();
    let n_sites = problem.table.n_sites();
    let mut place = vec![usize::MAX; n_sites];
    sites.iter().enumerate().for_each(|(index, &site)| place[site as usize] = index);
    let mut radius = 0;
    let mut without = vec![0u32; sites.len()];
    // Largest cost among the points of each chosen site with each other site in its place.
    let worth = problem.table.n_demand() * n_sites <= MOST_QUESTIONS;
    let mut instead = vec![0u32; if worth { sites.len() * n_sites } else { 0 }];
    let mut costs = vec![u32::MAX; n_sites];
    let mut near: Vec<(u32, u32)> = Vec::new();
    for demand in (0..problem.table.n_demand()).filter(|&demand| problem.weight(demand) > 0) {
        near.clear();
        costs.fill(u32::MAX);
        problem.visit_row(demand, |site, cost| {
            costs[site as usize] = cost;
            if place[site as usize] != usize::MAX {
                near.push((cost, site));
            }
        });
        near.sort_unstable();
        radius = radius.max(near.get(times - 1).map_or(u32::MAX, |near| near.0));
        let next = near.get(times).map_or(u32::MAX, |near| near.0);
        for (rank, &(_, site)) in near.iter().take(times).enumerate() {
            let index = place[site as usize];
            without[index] = without[index].max(next);
            // With backup the other of the two still counts.
            let other = near[..times].iter().enumerate().filter(|near| near.0 != rank);
            let other = other.map(|near| near.1.0).max().unwrap_or(0);
            let Some(row) = instead.get_mut(index * n_sites..(index + 1) * n_sites) else { continue };
            for (worst, &cost) in row.iter_mut().zip(&costs) {
                *worst = (*worst).max(other.max(cost.min(next)));
            }
        }
    }
    let loss = |reached: u32| (reached < u32::MAX).then(|| u64::from(reached.saturating_sub(radius)));
    let allowed = Exchanges::new(problem, sites);
    let swap = |(index, &out): (usize, &u32)| {
        let Some(row) = instead.get(index * n_sites..(index + 1) * n_sites) else {
            return (loss(without[index]), None);
        };
        let others = (0..n_sites as u32).filter(|&inn| allowed.may(inn, out));
        let best = others.min_by_key(|&inn| (row[inn as usize], inn));
        (loss(without[index]), best.map(|inn| (inn, loss(row[inn as usize]))))
    };
    sites.iter().enumerate().map(swap).collect()
}

/// Which exchanges the rules allow.
pub(crate) struct Exchanges {
    core: Option<Core>,
    sites: Vec<u32>,
    open: Vec<bool>,
}

impl Exchanges {
    pub fn new(problem: &Problem, sites: &[u32]) -> Self {
        let mut plain = problem.clone();
        plain.capacity.clear();
        let core = build(&plain, Model::MaxCover { p: None }).ok();
        let mut open = vec![false; problem.table.n_sites()];
        sites.iter().for_each(|&site| open[site as usize] = true);
        Self { core, sites: sites.to_vec(), open }
    }

    /// Whether `inn` is closed and may take the place of `out`.
    pub fn may(&self, inn: u32, out: u32) -> bool {
        let Some(core) = &self.core else { return false };
        let keeps = |rule: &super::build::Rule| {
            let counts = |site: u32| (self.open[site as usize] && site != out) || site == inn;
            let used: i64 = rule.terms.iter().filter(|term| counts(term.0)).map(|term| term.1).sum();
            used <= rule.limit
        };
        !self.open[inn as usize] && core.rules.iter().all(keeps)
    }

    /// Closed sites that may replace `out`, those that share most weight with it first, at most `most`.
    pub fn nearest(&self, out: u32, most: usize) -> Vec<u32> {
        let Some(core) = &self.core else { return Vec::new() };
        debug_assert!(self.sites.contains(&out), "site {out} is not open");
        let mut shared = vec![0i64; core.n_sites];
        for entry in core.col(out as usize) {
            let row = core.col_row[entry] as usize;
            core.row(row).for_each(|entry| shared[core.row_site[entry] as usize] += core.weight[row]);
        }
        let mut others: Vec<u32> =
            (0..core.n_sites as u32).filter(|&inn| 0 < shared[inn as usize] && self.may(inn, out)).collect();
        others.sort_unstable_by_key(|&inn| (std::cmp::Reverse(shared[inn as usize]), inn));
        others.truncate(most);
        others
    }
}
