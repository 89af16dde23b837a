//! Goals after the first: among answers of equal objective the one with the shortest walks, then the cheapest one.

use super::bound::{Volume, climb};
use super::branch::{Limits, Start, branch};
use super::build::{build_then_nearest, build_then_nearest_then_cheapest};
use super::evaluate::{check_sites, serve};
use super::swap::{Search, iterate};
use super::{Clock, Effort, Model, Options, Problem, SitingError, Then};

/// Largest table, in entries, on which a tree looks for what exchanges may miss, and the work it may do.
const MOST_ENTRIES: usize = 30_000;
const TREE_WORK: u64 = 60_000_000;

/// Sites that are as good by the model's objective, and better by [`Problem::then`] if the search finds any.
pub(crate) fn choose_between_equals(
    problem: &Problem,
    model: Model,
    sites: Vec<u32>,
    options: &Options,
    clock: &Clock,
) -> Result<Vec<u32>, SitingError> {
    if problem.then == Then::Nothing || !matches!(model, Model::MaxCover { .. } | Model::SetCover) {
        return Ok(sites);
    }
    let nearest = build_then_nearest(problem, sites.len())?;
    let shorter = better_sites(&nearest, &sites, options, clock);
    let sites = if rank(problem, model, &shorter) < rank(problem, model, &sites) { shorter } else { sites };
    let Then::NearestThenCheapest { slack } = problem.then else { return Ok(sites) };
    if problem.site_cost.is_empty() || model == Model::SetCover {
        return Ok(sites);
    }
    let cheapest = build_then_nearest_then_cheapest(problem, sites.len())?;
    let cheaper = better_sites(&cheapest, &sites, options, clock);
    let sites = if rank(problem, model, &cheaper) < rank(problem, model, &sites) { cheaper } else { sites };
    Ok(if slack == 0 { sites } else { save_money(problem, model, &nearest, sites, slack, clock) })
}

/// What decides, the smaller the better: whether rules are broken, the objective, the walks, the money.
fn rank(problem: &Problem, model: Model, sites: &[u32]) -> (bool, i128, u128, u128) {
    let served = serve(problem, model, sites);
    let objective = served.objective.map_or(i128::MAX, i128::from);
    let objective = if model.maximizes() { -objective } else { objective };
    let broken = served.objective.is_none() || check_sites(problem, model, sites).is_err();
    (broken, objective, walks(problem, sites), money(problem, sites))
}

/// Weighted sum of the costs from every served point to the sites that serve it.
fn walks(problem: &Problem, sites: &[u32]) -> u128 {
    let times = problem.backup.times();
    let mut open = vec![false; problem.table.n_sites()];
    sites.iter().for_each(|&site| open[site as usize] = true);
    let mut sum = 0;
    let mut costs = Vec::new();
    for demand in 0..problem.table.n_demand() {
        costs.clear();
        problem.visit_row(demand, |site, cost| {
            if open[site as usize] {
                costs.push(cost);
            }
        });
        if times <= costs.len() {
            costs.sort_unstable();
            let own: u128 = costs[..times].iter().map(|&cost| u128::from(cost)).sum();
            sum += u128::from(problem.weight(demand)) * own;
        }
    }
    sum
}

fn money(problem: &Problem, sites: &[u32]) -> u128 {
    let cost = |site: &u32| problem.site_cost.get(*site as usize).map_or(0, |&cost| u128::from(cost));
    sites.iter().map(cost).sum()
}

/// Exchanges from `sites` on; on small tables then a tree.
fn better_sites(core: &super::build::Core, sites: &[u32], options: &Options, clock: &Clock) -> Vec<u32> {
    let mut search = Search::new(core);
    search.become_sites(sites);
    let rounds = if options.effort == Effort::Quick { 0 } else { 20 };
    iterate(&mut search, rounds, options.seed, clock);
    let found = (search.value, search.sites());
    if options.effort < Effort::Proof || MOST_ENTRIES < core.row_site.len() || !search.is_feasible() {
        return found.1;
    }
    let guess = (search.multipliers(), vec![0.0; core.rules.len()]);
    let mut volume = Volume::new(core, &core.fate, Some(guess));
    climb(&mut volume, &core.fate, 500, found.0 as f64, clock, |_, _, _| f64::INFINITY);
    let start = Start {
        volume: &volume,
        cutoff: found.0,
        enough: i64::MIN,
        known: Some(&found.1),
        refine: None,
        warm: None,
    };
    let limits = Limits { work: TREE_WORK, duals: 10_000, margin: 0.01 };
    branch(core, start, &limits, clock).best.map_or(found.1, |best| best.1)
}

/// Closes sites, or exchanges them for cheaper ones, the largest saving first, as long as walks grow by `slack` in all
/// at most and nobody loses cover.
fn save_money(
    problem: &Problem,
    model: Model,
    core: &super::build::Core,
    sites: Vec<u32>,
    slack: u64,
    clock: &Clock,
) -> Vec<u32> {
    let (_, objective, shortest, _) = rank(problem, model, &sites);
    let keeps = |sites: &[u32]| {
        let (broken, other, walks, _) = rank(problem, model, sites);
        !broken && other == objective && walks <= shortest + u128::from(slack)
    };
    let cost = |site: u32| i64::from(problem.site_cost[site as usize]);
    let mut search = Search::new(core);
    search.become_sites(&sites);
    let mut sites = sites;
    while !clock.is_over() {
        let mut moves = Vec::new();
        for out in search.may_close() {
            moves.push((cost(out), search.loss_of(out), out, None));
            let may = |&inn: &u32| {
                !search.open[inn as usize] && core.fate[inn as usize] == super::build::Fate::Free
            };
            for inn in (0..core.n_sites as u32).filter(may).filter(|&inn| cost(inn) < cost(out)) {
                moves.push((cost(out) - cost(inn), search.exchange_change(inn, out), out, Some(inn)));
            }
        }
        // The search's value may be in coarser units: it only sorts out what cannot do.
        moves.retain(|saving| 0 < saving.0 && saving.1 <= i64::try_from(slack).unwrap_or(i64::MAX));
        moves.sort_unstable_by_key(|&(saved, change, out, inn)| (std::cmp::Reverse(saved), change, out, inn));
        let after = |out: u32, inn: Option<u32>| {
            let mut next: Vec<u32> = sites.iter().copied().filter(|&site| site != out).chain(inn).collect();
            next.sort_unstable();
            next
        };
        let found = moves.into_iter().map(|(_, _, out, inn)| after(out, inn)).find(|next| keeps(next));
        let Some(next) = found else { return sites };
        search.become_sites(&next);
        sites = next;
    }
    sites
}
