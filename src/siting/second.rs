//! Goals after the first: among answers of equal objective the one with the shortest walks, then the cheapest one.

use super::bound::{Volume, climb};
use super::branch::{Limits, Start, branch};
use super::build::{ThenCore, build_then_nearest, build_then_nearest_then_cheapest};
use super::evaluate::{check_sites, serve};
use super::swap::{Search, iterate};
use super::{Clock, Effort, Model, Options, Problem, SitingError, Then};

/// Largest table, in entries, on which a tree looks for what exchanges may miss, and the work it may do.
const MOST_ENTRIES: usize = 30_000;
const TREE_WORK: u64 = 60_000_000;

/// Tables on which all sets of sites are looked through: so many sets times entries.
const MOST_LISTED: u64 = 2_000_000;

/// Sites, and whether nothing is better by the later goals; `None` where none are asked for.
pub(crate) struct Equal {
    pub sites: Vec<u32>,
    pub proven: Option<bool>,
}

/// Sites that are as good by the model's objective, and better by [`Problem::then`] if the search finds any.
pub(crate) fn choose_between_equals(
    problem: &Problem,
    model: Model,
    sites: Vec<u32>,
    options: &Options,
    clock: &Clock,
) -> Result<Equal, SitingError> {
    if problem.then == Then::Nothing || !matches!(model, Model::MaxCover { .. } | Model::SetCover) {
        return Ok(Equal { sites, proven: None });
    }
    // Set cover may open any number of sites as long as they cost no more.
    let mut problem = problem.clone();
    let p = match model {
        Model::SetCover if !problem.site_cost.is_empty() => {
            let spent = money(&problem, &sites);
            problem.budget = Some(u64::try_from(spent).unwrap_or(u64::MAX));
            None
        }
        _ => Some(sites.len()),
    };
    let problem = &problem;
    if let Some(best) = best_of_all(problem, model, p, &sites) {
        return Ok(Equal { sites: best, proven: Some(true) });
    }
    by_search(problem, model, p, sites, options, clock)
}

/// Sites better by the later goals as far as exchanges, and on small tables trees, find them.
fn by_search(
    problem: &Problem,
    model: Model,
    p: Option<usize>,
    sites: Vec<u32>,
    options: &Options,
    clock: &Clock,
) -> Result<Equal, SitingError> {
    let nearest = build_then_nearest(problem, p)?;
    let (shorter, is_shortest) = better_sites(&nearest, &sites, options, clock);
    let better = |new: Vec<u32>, old: Vec<u32>| {
        if rank(problem, model, &new) < rank(problem, model, &old) { new } else { old }
    };
    let sites = better(shorter, sites);
    let money_counts = !problem.site_cost.is_empty() && model != Model::SetCover;
    let (Then::NearestThenCheapest { slack }, true) = (problem.then, money_counts) else {
        return Ok(Equal { sites, proven: Some(is_shortest) });
    };
    let cheapest = build_then_nearest_then_cheapest(problem, sites.len())?;
    let (cheaper, is_cheapest) = better_sites(&cheapest, &sites, options, clock);
    let sites = better(cheaper, sites);
    if slack == 0 {
        return Ok(Equal { sites, proven: Some(is_shortest && is_cheapest) });
    }
    let sites = save_money(problem, model, &nearest.core, sites, slack, clock);
    Ok(Equal { sites, proven: Some(false) })
}

/// The best by all goals among all sets of sites, where these are few.
fn best_of_all(problem: &Problem, model: Model, p: Option<usize>, known: &[u32]) -> Option<Vec<u32>> {
    let n_sites = problem.table.n_sites();
    let free: Vec<u32> = (0..n_sites as u32).filter(|site| !problem.fixed.contains(site)).collect();
    let most = p.map_or(free.len(), |p| p - problem.fixed.len()).min(free.len());
    let mut entries = n_sites as u64 + 1;
    (0..problem.table.n_demand()).for_each(|demand| problem.visit_row(demand, |_, _| entries += 1));
    let (mut sets, mut of_size) = (1u64, 1u64);
    for size in 0..most {
        of_size = of_size.checked_mul((free.len() - size) as u64)? / (size as u64 + 1);
        sets += of_size;
        if MOST_LISTED < sets.checked_mul(entries)? {
            return None;
        }
    }
    let (_, objective, ..) = rank(problem, model, known);
    let mut equal: Vec<(u128, u128, Vec<u32>)> = Vec::new();
    each_set(&free, most, &mut problem.fixed.clone(), &mut |sites| {
        let mut sites = sites.to_vec();
        sites.sort_unstable();
        let (broken, other, walks, money) = rank(problem, model, &sites);
        if !broken && other == objective {
            equal.push((walks, money, sites));
        }
    });
    let slack = match problem.then {
        Then::NearestThenCheapest { slack } if model != Model::SetCover => Some(u128::from(slack)),
        _ => None,
    };
    let shortest = equal.iter().map(|set| set.0).min()?;
    let equal = equal.into_iter().filter(|set| set.0 <= shortest + slack.unwrap_or(0));
    let key = |(walks, money, sites): &(u128, u128, Vec<u32>)| {
        let money = if slack.is_some() { *money } else { 0 };
        (money, *walks, sites.len(), sites.clone())
    };
    equal.min_by_key(key).map(|set| set.2)
}

/// Calls `visit` with `chosen` and every choice of at most `most` sites of `free` besides.
fn each_set(free: &[u32], most: usize, chosen: &mut Vec<u32>, visit: &mut impl FnMut(&[u32])) {
    visit(chosen);
    if most == 0 {
        return;
    }
    for (index, &site) in free.iter().enumerate() {
        chosen.push(site);
        each_set(&free[index + 1..], most - 1, chosen, visit);
        chosen.pop();
    }
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

/// Exchanges from `sites` on; on small tables then a tree. With them whether nothing better exists.
fn better_sites(then: &ThenCore, sites: &[u32], options: &Options, clock: &Clock) -> (Vec<u32>, bool) {
    let core = &then.core;
    let mut search = Search::new(core);
    search.become_sites(sites);
    let rounds = if options.effort == Effort::Quick { 0 } else { 20 };
    iterate(&mut search, rounds, options.seed, clock);
    let found = (search.value, search.sites());
    if options.effort < Effort::Proof || MOST_ENTRIES < core.row_site.len() || !search.is_feasible() {
        return (found.1, false);
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
    let tree = branch(core, start, &limits, clock);
    (tree.best.map_or(found.1, |best| best.1), tree.complete && then.exact)
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

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::super::{Table, UNREACHED};
    use super::*;

    #[test]
    fn the_search_finds_what_looking_through_all_sets_finds() {
        for seed in 0..150 {
            let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
            let (n_demand, n_sites) = (random.random_range(2..12), random.random_range(2..9usize));
            let cost = |_| if random.random_range(0..3) == 0 { UNREACHED } else { random.random_range(0..6) };
            let cost: Vec<u32> = (0..n_demand * n_sites).map(cost).collect();
            let mut problem = Problem::new(Table::dense(n_demand, n_sites, &cost).expect("a table"));
            problem.weights = (0..n_demand).map(|_| random.random_range(1..9)).collect();
            problem.site_cost = (0..n_sites).map(|_| random.random_range(0..5)).collect();
            problem.then = Then::NearestThenCheapest { slack: 0 };
            let options = Options::default();
            let clock = Clock::new(&options);
            let mut models = vec![Model::MaxCover { p: Some(random.random_range(1..=n_sites)) }];
            models.push(Model::SetCover);
            for model in models {
                let plain = Problem { then: Then::Nothing, ..problem.clone() };
                let Ok(known) = super::super::solve::solve(&plain, model, &options) else { continue };
                let mut problem = problem.clone();
                let p = match model {
                    Model::SetCover => None,
                    _ => Some(known.sites.len()),
                };
                problem.budget = (model == Model::SetCover).then_some(known.objective);
                let listed = best_of_all(&problem, model, p, &known.sites).expect("few sets");
                let found = by_search(&problem, model, p, known.sites, &options, &clock).expect("an answer");
                assert_eq!(found.proven, Some(true), "seed {seed}");
                let goals = |sites: &[u32]| {
                    let (broken, objective, walks, money) = rank(&problem, model, sites);
                    (broken, objective, walks, if model == Model::SetCover { 0 } else { money })
                };
                assert_eq!(goals(&found.sites), goals(&listed), "seed {seed}: {model:?} {problem:?}");
            }
        }
    }
}
