//! From a checked problem to an answer with a bound: which search and which bound run when.

use super::bound::{Volume, climb};
use super::build::{Core, Fate, MUST, build};
use super::center::{self, Within};
use super::certificate::{Certificate, SCALE_BITS, check};
use super::construct::{cover_search, greedy, greedy_cover};
use super::evaluate::{check_sites, explain, serve};
use super::presolve::{close_dominated, shrink};
use super::swap::{Search, iterate};
use super::{Clock, Effort, Model, Options, Problem, Siting, SitingError};

/// Work per effort level, in counted steps so that the answer does not depend on the machine.
struct Work {
    /// Rounds of the iterated exchange search.
    rounds: usize,
    /// Steps of the volume algorithm.
    steps: usize,
    /// Every so many steps its choice is tried as a start of the exchange search.
    every: usize,
    /// Exchanges of the weighted cover search.
    exchanges: usize,
}

impl Work {
    fn of(effort: Effort) -> Self {
        match effort {
            Effort::Quick => Self { rounds: 0, steps: 150, every: 50, exchanges: 2_000 },
            Effort::Full => Self { rounds: 100, steps: 1_000, every: 25, exchanges: 50_000 },
            Effort::Proof => Self { rounds: 200, steps: 2_000, every: 20, exchanges: 200_000 },
        }
    }
}

/// Solves one problem.
pub(crate) fn solve(problem: &Problem, model: Model, options: &Options) -> Result<Siting, SitingError> {
    let clock = Clock::new(options);
    let (sites, certificate) = match model {
        Model::PCenter { p } => {
            let answer = center::solve(problem, p, options, &clock, cover_within)?;
            (fill_up(problem, model, answer.sites), answer.certificate)
        }
        Model::SetCover => {
            let core = build(problem, model)?;
            let found = best_cover(problem, &core, i64::MIN, options, &clock)?;
            (found.sites, found.certificate)
        }
        Model::MaxCover { .. } | Model::PMedian { .. } => {
            let core = build(problem, model)?;
            let found = best_assignment(problem, &core, options, &clock)?;
            let sites = if model.maximizes() { found.sites } else { fill_up(problem, model, found.sites) };
            (sites, found.certificate)
        }
    };
    finish(problem, model, sites, certificate, &clock)
}

/// Recomputes everything on the caller's table.
fn finish(
    problem: &Problem,
    model: Model,
    sites: Vec<u32>,
    certificate: Certificate,
    clock: &Clock,
) -> Result<Siting, SitingError> {
    check_sites(problem, model, &sites)?;
    let served = serve(problem, model, &sites);
    let Some(objective) = served.objective else {
        let reason = format!("service of every demand point by {} sites", sites.len());
        return Err(SitingError::Infeasible { reason });
    };
    let proven_bound = check(problem, model, &certificate);
    // An answer is itself a bound on the optimum from the other side; a certificate never passes it.
    let bound = if model.maximizes() { proven_bound.max(objective) } else { proven_bound.min(objective) };
    debug_assert_eq!(bound, proven_bound, "a certificate excluded the answer");
    let gap = match (bound.abs_diff(objective), objective) {
        (0, _) => 0.0,
        (_, 0) => f64::INFINITY,
        (difference, objective) => difference as f64 / objective as f64,
    };
    let reasons = explain(problem, model, &sites, &served);
    Ok(Siting {
        model,
        sites,
        assignment: served.assignment,
        second: served.second,
        objective,
        bound,
        gap,
        proven: bound == objective,
        certificate,
        stopped: clock.is_over(),
        reasons,
    })
}

/// Sites with the certificate of a bound.
struct Found {
    sites: Vec<u32>,
    certificate: Certificate,
}

/// p-median and max cover: greedy, exchanges, volume bound with rounding.
fn best_assignment(
    problem: &Problem,
    core: &Core,
    options: &Options,
    clock: &Clock,
) -> Result<Found, SitingError> {
    let work = Work::of(options.effort);
    let start = greedy(core, clock);
    let mut search = if start.is_feasible() { start } else { repaired(core, options, clock)? };
    iterate(&mut search, work.rounds, options.seed, clock);
    let mut best = (search.value, search.sites());
    let fate = core.fate.clone();
    let mut volume = Volume::new(core, &fate, None);
    climb(&mut volume, &fate, work.steps, best.0 as f64, clock, |step, chosen, _| {
        if step % work.every == work.every - 1 {
            search.become_sites(chosen);
            if !search.keeps_rules() {
                search.become_sites(&best.1);
                return best.0 as f64;
            }
            search.descend(clock);
            if search.value < best.0 && search.is_feasible() {
                best = (search.value, search.sites());
            }
        }
        best.0 as f64
    });
    let certificate = certify(problem, core, &volume.best.u, &volume.best.price, &volume.best.reduced);
    Ok(Found { sites: best.1, certificate })
}

/// A first feasible answer when greedy opening for distance leaves rows unserved: cover first, then exchange.
fn repaired<'c>(core: &'c Core, options: &Options, clock: &Clock) -> Result<Search<'c>, SitingError> {
    let mut cover = core.clone();
    cover.open_cost = vec![1; core.n_sites];
    let infeasible = || {
        let reason = match core.p {
            Some(p) => format!("service of every demand point by {p} sites under the given rules"),
            None => "service of every demand point under the given rules".to_owned(),
        };
        SitingError::Infeasible { reason }
    };
    let mut search = Search::new(core);
    let needs_all = core.miss.contains(&MUST);
    if needs_all {
        let start = greedy_cover(&Core { p: None, ..cover.clone() }, clock).ok_or_else(infeasible)?;
        let goal = core.p.map_or(i64::MIN, |p| p as i64);
        let steps = Work::of(options.effort).exchanges;
        search.become_sites(&cover_search(&cover, &start, steps, goal, options.seed, clock));
    }
    if search.is_feasible() { Ok(search) } else { Err(infeasible()) }
}

/// Set cover: greedy, weighted search, volume bound.
fn best_cover(
    problem: &Problem,
    core: &Core,
    goal: i64,
    options: &Options,
    clock: &Clock,
) -> Result<Found, SitingError> {
    let work = Work::of(options.effort);
    let mut reduced = core.clone();
    close_dominated(&mut reduced);
    let reduced = shrink(&reduced);
    let start = greedy_cover(&reduced, clock).ok_or_else(|| {
        let reason = "service of every demand point under the given rules".to_owned();
        SitingError::Infeasible { reason }
    })?;
    let cost = |sites: &[u32]| sites.iter().map(|&site| core.open_cost[site as usize]).sum::<i64>();
    let fate = core.fate.clone();
    let mut volume = Volume::new(core, &fate, None);
    let target = cost(&start) as f64;
    climb(&mut volume, &fate, work.steps, target, clock, |_, _, _| target);
    let goal = goal.max((volume.best.value - 1e-6).ceil() as i64);
    let sites = cover_search(&reduced, &start, work.exchanges, goal, options.seed, clock);
    let certificate = certify(problem, core, &volume.best.u, &volume.best.price, &volume.best.reduced);
    Ok(Found { sites, certificate })
}

/// The cover step of p-center.
fn cover_within(problem: &Problem, core: &Core, p: usize, options: &Options, clock: &Clock) -> Within {
    match best_cover(problem, core, p as i64, options, clock) {
        Ok(found) if found.sites.len() <= p => Within::Yes(found.sites),
        Ok(found) if check(problem, Model::SetCover, &found.certificate) > p as u64 => {
            Within::No(found.certificate)
        }
        _ => Within::Unknown,
    }
}

/// Integer multipliers on the caller's demand points.
fn certify(problem: &Problem, core: &Core, u: &[f64], price: &[f64], reduced: &[f64]) -> Certificate {
    let scale = f64::from(1u32 << SCALE_BITS);
    let mut certificate = Certificate::default();
    for (demand, &row) in core.row_of.iter().enumerate() {
        let Some(&multiplier) = u.get(row as usize) else {
            certificate.demand.push(0);
            continue;
        };
        let share = if core.miss[row as usize] == MUST && core.row_cost.is_empty() {
            1.0 / core.row_of.len() as f64
        } else {
            problem.weight(demand) as f64 / core.weight[row as usize] as f64
        };
        certificate.demand.push((multiplier * share * scale).floor() as u64);
    }
    if core.miss.first() == Some(&MUST) && core.row_cost.is_empty() {
        give_to_first(core, u, scale, &mut certificate);
    }
    certificate.rules = price.iter().map(|&price| (price * scale).floor() as u64).collect();
    certificate.sites = site_price(core, &core.fate, reduced, scale);
    certificate
}

/// In set cover identical points need one multiplier only: the first of them carries it all.
fn give_to_first(core: &Core, u: &[f64], scale: f64, certificate: &mut Certificate) {
    let mut given = vec![false; u.len()];
    for (demand, &row) in core.row_of.iter().enumerate() {
        let Some(given) = given.get_mut(row as usize) else { continue };
        certificate.demand[demand] = if *given { 0 } else { (u[row as usize] * scale).floor() as u64 };
        *given = true;
    }
}

/// The multiplier of "at most p sites": minus the reduced cost of the last site that fits.
fn site_price(core: &Core, fate: &[Fate], reduced: &[f64], scale: f64) -> u64 {
    let Some(p) = core.p else { return 0 };
    let n_open = fate.iter().filter(|&&fate| fate == Fate::Open).count();
    let free = fate.iter().zip(reduced).filter(|(fate, reduced)| **fate == Fate::Free && **reduced < 0.0);
    let mut free: Vec<f64> = free.map(|(_, &reduced)| reduced).collect();
    let room = p.saturating_sub(n_open);
    if free.len() <= room {
        return 0;
    }
    // Any price between the last site that fits and the first that does not is best.
    let (_, &mut next, _) = free.select_nth_unstable_by(room, f64::total_cmp);
    (-next * scale).floor() as u64
}

/// Opens further sites until there are p, those that help most first; p-median and p-center want exactly p.
fn fill_up(problem: &Problem, model: Model, mut sites: Vec<u32>) -> Vec<u32> {
    let Some(p) = model.p() else { return sites };
    let Ok(core) = build(problem, Model::SetCover) else { return sites };
    let mut search = Search::new(&core);
    search.become_sites(&sites);
    for site in 0..core.n_sites as u32 {
        if search.n_open >= p {
            break;
        }
        if !search.open[site as usize] && search.broken_after(Some(site), None) == 0 {
            search.insert(site);
            sites.push(site);
        }
    }
    sites.sort_unstable();
    sites
}

type Swap = (Option<u64>, Option<(u32, Option<u64>)>);

/// Per chosen site: the loss without it and the best replacement with its loss.
pub(crate) fn swap_reasons(problem: &Problem, model: Model, sites: &[u32]) -> Option<Vec<Swap>> {
    if matches!(model, Model::PCenter { .. }) {
        return None;
    }
    let core = build(problem, model).ok()?;
    let mut search = Search::new(&core);
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
    let finite = |change: i64| u64::try_from(change.max(0)).ok().filter(|_| change < search.big());
    let reason = |(index, &site): (usize, &u32)| {
        let loss = finite(search.loss_of(site));
        (loss, best[index].map(|(change, inn)| (inn, finite(change))))
    };
    Some(sites.iter().enumerate().map(reason).collect())
}
