//! From a checked problem to an answer with a bound: which search and which bound run when.

use rustc_hash::FxHashSet;

use super::anneal::anneal;
use super::bound::{Volume, climb};
use super::branch::{self, Refine};
use super::build::{Core, Fate, MUST, build, check_fields};
use super::capacity;
use super::center::{self, Within};
use super::certificate::{Certificate, check};
use super::construct::{cover_search, greedy, greedy_cover};
use super::evaluate::{Served, check_sites, serve};
use super::explain::explain;
use super::presolve::{Reduced, reduce};
use super::proof::{Found, Proof, Root, ceiling, certify, prove, scale_bits, spike};
use super::regions;
use super::restrict::trim;
use super::room;
use super::second;
use super::swap::{Search, iterate};
use super::{Clock, Effort, Model, Options, Problem, Siting, SitingError, Then};

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
    /// Entries of the table read by simulated annealing, other work counted as so many.
    cooling: u64,
    /// Entries of the table touched by the trees of regions.
    regions: u64,
}

impl Work {
    fn of(effort: Effort) -> Self {
        match effort {
            Effort::Quick => {
                Self { rounds: 0, steps: 150, every: 50, exchanges: 2_000, cooling: 0, regions: 0 }
            }
            Effort::Full => Self {
                rounds: 100,
                steps: 1_000,
                every: 25,
                exchanges: 50_000,
                cooling: 1_500_000_000,
                regions: 25_000_000,
            },
            Effort::Proof => Self {
                rounds: 200,
                steps: 2_000,
                every: 20,
                exchanges: 200_000,
                cooling: 2_500_000_000,
                regions: 300_000_000,
            },
        }
    }
}

/// Solves one problem.
pub(crate) fn solve(problem: &Problem, model: Model, options: &Options) -> Result<Siting, SitingError> {
    let clock = Clock::new(options);
    check_fields(problem)?;
    // More sites than there are cannot be opened.
    let model = model.with_p_at_most(problem.table.n_sites());
    if !problem.capacity.is_empty() {
        return solve_loaded(problem, model, options, &clock);
    }
    let found = find(problem, model, options, &clock)?;
    let equal = second::choose_between_equals(problem, model, found.sites, options, &clock)?;
    let served = serve(problem, model, &equal.sites);
    let answer = Answer { sites: equal.sites, served, certificate: found.certificate, core: found.core };
    Ok(Siting { then_proven: equal.proven, ..finish(problem, model, answer, None, &clock)? })
}

/// Sites and the certificate of a bound, with the normal form they were found in where that is the model's own.
struct Outcome {
    sites: Vec<u32>,
    certificate: Certificate,
    core: Option<Core>,
}

/// Solves with capacities left aside.
fn find(problem: &Problem, model: Model, options: &Options, clock: &Clock) -> Result<Outcome, SitingError> {
    if let Model::PCenter { p } = model {
        let answer = center::solve(problem, p, options, clock, cover_within)?;
        let sites = fill_up(problem, model, answer.sites);
        return Ok(Outcome { sites, certificate: answer.certificate, core: None });
    }
    let core = build(problem, model)?;
    let found = match model {
        Model::SetCover => best_cover(problem, &core, options, clock)?,
        _ => best_assignment(problem, &core, options, clock)?,
    };
    let full = matches!(model, Model::PMedian { .. });
    let sites = if full { fill_up(problem, model, found.sites) } else { found.sites };
    Ok(Outcome { sites, certificate: found.certificate, core: Some(core) })
}

/// With capacities: the answer without them gives a start and a certified bound.
fn solve_loaded(
    problem: &Problem,
    model: Model,
    options: &Options,
    clock: &Clock,
) -> Result<Siting, SitingError> {
    let mut free = problem.clone();
    free.capacity.clear();
    let with = |effort| find(&free, model, &Options { effort, ..*options }, clock);
    let start = match with(Effort::Quick) {
        // Rules may be hard to keep.
        Err(SitingError::Stopped) if options.effort > Effort::Quick => with(options.effort),
        start => start,
    };
    let (mut starts, mut certificate) = match start {
        Ok(found) => (vec![found.sites], found.certificate),
        // The search under capacities may still find what this one did not.
        Err(SitingError::Stopped) => (Vec::new(), Certificate::default()),
        Err(error) => return Err(error),
    };
    if let Some(relaxed) = room::relax(problem, model, &certificate, options, clock) {
        let (old, new) = (check(problem, model, &certificate), check(problem, model, &relaxed.certificate));
        let is_sharper = if model.maximizes() { new < old } else { old < new };
        certificate = if is_sharper { relaxed.certificate } else { certificate };
        starts.push(relaxed.sites);
    }
    let mut loaded = capacity::solve(problem, model, &starts, options, clock)?;
    if model.maximizes() {
        close_idle(problem, model, &mut loaded);
    }
    let answer = Answer { sites: loaded.sites, served: loaded.served, certificate, core: None };
    finish(problem, model, answer, loaded.solver_bound, clock)
}

/// Closes sites that serve nobody, as far as the rules allow.
fn close_idle(problem: &Problem, model: Model, loaded: &mut capacity::Loaded) {
    let mut serves = vec![false; problem.table.n_sites()];
    let served = loaded.served.assignment.iter().chain(&loaded.served.second);
    served.filter_map(|&site| usize::try_from(site).ok()).for_each(|site| serves[site] = true);
    let idle = loaded.sites.iter().copied().filter(|&site| !serves[site as usize]);
    for site in idle.collect::<Vec<u32>>() {
        let rest: Vec<u32> = loaded.sites.iter().copied().filter(|&other| other != site).collect();
        if check_sites(problem, model, &rest).is_ok() {
            loaded.sites = rest;
        }
    }
}

/// What is left to be checked.
struct Answer {
    sites: Vec<u32>,
    served: Served,
    certificate: Certificate,
    core: Option<Core>,
}

/// Recomputes everything on the caller's table.
fn finish(
    problem: &Problem,
    model: Model,
    answer: Answer,
    solver_bound: Option<u64>,
    clock: &Clock,
) -> Result<Siting, SitingError> {
    let Answer { sites, served, certificate, core } = answer;
    check_sites(problem, model, &sites)?;
    let Some(objective) = served.objective else {
        let reason = format!("service of every demand point by {} sites", sites.len());
        return Err(SitingError::Infeasible { reason });
    };
    let reasons = explain(problem, model, &sites, &served, objective, core.as_ref());
    drop(core);
    let certified = check(problem, model, &certificate);
    // A bound never passes an answer; the exact solver's bound counts where it is the sharper one.
    let sharper = solver_bound.unwrap_or(certified);
    let bound = if model.maximizes() {
        certified.min(sharper).max(objective)
    } else {
        certified.max(sharper).min(objective)
    };
    let gap = match (bound.abs_diff(objective), objective) {
        (0, _) => 0.0,
        (_, 0) => f64::INFINITY,
        (difference, objective) => difference as f64 / objective as f64,
    };
    Ok(Siting {
        model,
        sites,
        assignment: served.assignment,
        second: served.second,
        objective,
        bound,
        gap,
        proven: bound == objective,
        certified: bound == certified,
        certificate,
        stopped: clock.is_over(),
        then_proven: (problem.then != Then::Nothing).then_some(false),
        reasons,
    })
}

/// p-median and max cover: greedy, exchanges, volume bound with rounding, branch and bound.
fn best_assignment(
    problem: &Problem,
    core: &Core,
    options: &Options,
    clock: &Clock,
) -> Result<Found, SitingError> {
    let work = Work::of(options.effort);
    let Reduced { core, reductions } = reduce(core);
    let core = &core;
    let start = greedy(core, clock);
    let mut search = if start.is_feasible() { start } else { repaired(core, options, clock) };
    let mut best = None;
    if search.is_feasible() {
        search.descend(clock);
        best = Some((search.value, search.sites()));
    }
    let fate = core.fate.clone();
    // Where walks count, the sites in hand say roughly what serving each row is worth.
    let guess = (!core.row_cost.is_empty() && best.is_some())
        .then(|| (search.multipliers(), vec![0.0; core.rules.len()]));
    let trimmed = guess.as_ref().map(|guess| trim(core, &guess.0));
    let mut volume = Volume::new(trimmed.as_ref().unwrap_or(core), &fate, guess);
    let cutoff = best.as_ref().map_or(search.value, |best| best.0);
    let mut tried = FxHashSet::default();
    let small = is_small(core) && options.effort > Effort::Quick;
    let mut visit = |step: usize, chosen: &[u32], volume: &Volume| {
        // Descents are cheap in cover tables and dear in dense ones.
        let try_now = if core.row_cost.is_empty() {
            let every = if step > 200 { work.every / 4 + 1 } else { work.every };
            step % every == every - 1
        } else {
            step % 40 == 39
        };
        // The average choice says more than a single one where sites overlap.
        let average = if try_now { volume.likeliest() } else { None };
        let chosen = average.as_deref().unwrap_or(chosen);
        if try_now && tried.insert(chosen.to_vec()) {
            let near = if core.row_cost.is_empty() { 2.0 } else { 1.5 };
            let worth = best.as_ref().map_or(f64::INFINITY, |best| best.0 as f64 * near);
            if plain_value(core, chosen) as f64 <= worth {
                search.become_sites(chosen);
                if search.keeps_rules() {
                    search.descend(clock);
                }
                keep_better(&search, &mut best);
            }
        }
        best.as_ref().map_or(f64::INFINITY, |best| best.0 as f64)
    };
    let first = if small { FIRST_STEPS } else { work.steps };
    climb(&mut volume, &fate, first, cutoff as f64, clock, &mut visit);
    let warm =
        if small && TINY < core.row_site.len() { branch::warm_up(core, &mut volume, clock) } else { None };
    if warm.is_some() {
        if let Some(sites) = volume.likeliest() {
            search.become_sites(&sites);
            search.descend(clock);
        }
        keep_better(&search, &mut best);
    } else {
        climb(&mut volume, &fate, work.steps - first, cutoff as f64, clock, &mut visit);
    }
    let cools =
        core.row_cost.is_empty() && core.rules.is_empty() && core.times == 1 && !core.miss.contains(&MUST);
    let cool = |search: &mut Search, volume: &Volume, best: &(i64, Vec<u32>), entries: u64| {
        let useful = useful_sites(volume, &fate, core.p, best.0 as f64);
        let cooled = anneal(core, &best.1, &useful, entries, options.seed, clock);
        search.become_sites(&cooled);
        search.descend(clock);
    };
    if small {
        // Many end in a short tree, given fair sites.
        let root = Root {
            volume: &volume,
            best: best.clone(),
            limit: i64::MAX,
            refine: None,
            most: FIRST_TREE,
            warm,
        };
        let proof = prove(problem, core, root, options, clock);
        if proof.complete {
            return proof.into_found(problem, core, reductions);
        }
        best = proof.best;
    }
    let open = |best: &(i64, Vec<u32>)| volume.best.value <= best.0 as f64 - 1.0;
    let mut most = u64::MAX;
    if best.as_ref().is_some_and(open) && options.effort > Effort::Quick {
        if let Some((_, sites)) = &best {
            search.become_sites(sites);
        }
        let far = best.as_ref().is_some_and(|best| volume.best.value < 0.97 * best.0 as f64);
        let rounds = match options.effort {
            // So wide a gap is not closed by branching: better sites first.
            Effort::Proof if far => 20 * work.rounds,
            Effort::Proof => 5,
            _ => work.rounds,
        };
        if let (true, Some(known)) = (far && cools, &best) {
            let entries = work.cooling.min(30_000 * core.row_site.len() as u64);
            cool(&mut search, &volume, known, entries);
            // A tree does not close so wide a gap.
            most = FAR_TREE;
            // Better sites are a better target for the bound.
            let target = search.value.min(known.0) as f64;
            climb(&mut volume, &fate, work.steps / 6, target, clock, |_, _, _| target);
        } else {
            iterate(&mut search, rounds, options.seed, clock);
        }
        keep_better(&search, &mut best);
    }
    // Most instances end in a short tree; the long search is for those that do not.
    // With few sites an exchange touches every row, and little is left to find.
    let dear = !core.row_cost.is_empty() && core.p.is_some_and(|p| p < FEW_SITES);
    let rounds = if dear { work.rounds / 10 } else { work.rounds };
    let refine = Refine { after: 800 * core.row_site.len() as u64, rounds, seed: options.seed };
    let proof = prove(
        problem,
        core,
        Root { volume: &volume, best, limit: i64::MAX, refine: Some(refine), most, warm: None },
        options,
        clock,
    );
    proof.into_found(problem, core, reductions)
}

/// Entries up to which a tree takes less time than annealing.
const TINY: usize = 4_000;
/// Sites fewer than this are few: the search for better ones need not be long.
const FEW_SITES: usize = 24;
/// Steps of the volume algorithm before the linear relaxation of a small table is solved.
const FIRST_STEPS: usize = 250;
/// Work of the tree where the gap is wide.
const FAR_TREE: u64 = 300_000_000;
/// Work of the tree that is tried before any long search.
const FIRST_TREE: u64 = 60_000_000;

/// Whether a cover form is so small that its linear relaxation is solved in a moment.
fn is_small(core: &Core) -> bool {
    core.row_cost.is_empty() && core.row_site.len() <= 30_000
}

/// Sites that some answer better than `value` may open, by the reduced costs of the relaxation.
fn useful_sites(volume: &Volume, fate: &[Fate], p: Option<usize>, value: f64) -> Vec<bool> {
    let reduced = &volume.best.reduced;
    let n_open = fate.iter().filter(|&&fate| fate == Fate::Open).count();
    let free = fate.iter().zip(reduced).filter(|pair| *pair.0 == Fate::Free);
    let mut ranked: Vec<f64> = free.map(|pair| *pair.1).collect();
    ranked.sort_unstable_by(f64::total_cmp);
    let room = p.map_or(usize::MAX, |p| p.saturating_sub(n_open));
    let last = if room == 0 { 0.0 } else { ranked.get(room - 1).map_or(0.0, |&last| last.min(0.0)) };
    let missing = value - volume.best.value;
    reduced.iter().map(|reduced| reduced - last < missing).collect()
}

/// Objective of a set of sites by scanning each row for its first ones; unserved rows that must be served count 0.
fn plain_value(core: &Core, sites: &[u32]) -> i64 {
    let mut open = vec![false; core.n_sites];
    sites.iter().for_each(|&site| open[site as usize] = true);
    let row_value = |row: usize| {
        let serving = core.row(row).filter(|&entry| open[core.row_site[entry] as usize]).take(core.times);
        let (found, sum) =
            serving.fold((0, 0), |(found, sum), entry| (found + 1, sum + i64::from(core.row_cost_at(entry))));
        match core.miss[row] {
            _ if found == core.times => sum * core.weight[row],
            MUST => 0,
            miss => miss,
        }
    };
    (0..core.n_rows()).map(row_value).sum()
}

fn keep_better(search: &Search, best: &mut Option<(i64, Vec<u32>)>) {
    if best.as_ref().is_none_or(|best| search.value < best.0) && search.is_feasible() {
        *best = Some((search.value, search.sites()));
    }
}

/// A first answer when greedy opening leaves rows unserved: cover first. It may still be infeasible.
fn repaired<'c>(core: &'c Core, options: &Options, clock: &Clock) -> Search<'c> {
    let mut search = Search::new(core);
    if core.miss.contains(&MUST) {
        let cover = Core { open_cost: vec![1; core.n_sites], p: None, ..core.clone() };
        if let Some(start) = greedy_cover(&cover, clock) {
            let goal = core.p.map_or(i64::MIN, |p| p as i64);
            let steps = Work::of(options.effort).exchanges;
            search.become_sites(&cover_search(&cover, &start, steps, goal, options.seed, clock));
        }
    }
    search
}

/// Set cover: greedy, volume bound, weighted search, branch and bound.
fn best_cover(
    problem: &Problem,
    core: &Core,
    options: &Options,
    clock: &Clock,
) -> Result<Found, SitingError> {
    let Reduced { core, reductions } = reduce(core);
    prove_cover(problem, &core, i64::MAX, options, clock).into_found(problem, &core, reductions)
}

/// Looks for a cover that costs less than `limit`, and proves that none does.
fn prove_cover(problem: &Problem, core: &Core, limit: i64, options: &Options, clock: &Clock) -> Proof {
    let work = Work::of(options.effort);
    let cost = |sites: &[u32]| sites.iter().map(|&site| core.open_cost[site as usize]).sum::<i64>();
    let start = greedy_cover(core, clock);
    let fate = core.fate.clone();
    let mut volume = Volume::new(core, &fate, None);
    let target = start.as_ref().map_or(ceiling(core), |start| cost(start)).min(limit) as f64;
    climb(&mut volume, &fate, work.steps, target, clock, |_, _, _| target);
    let least = (volume.best.value - 1e-6).ceil() as i64;
    let goal = if limit == i64::MAX { least } else { least.max(limit - 1) };
    // Asked only for a cover below a limit, the tree settles what a short search does not find.
    let most = if limit == i64::MAX { work.exchanges } else { work.exchanges.min(10_000) };
    let exchanges = most.min(50 * core.n_sites * core.n_sites).min(60 * core.row_site.len());
    let search =
        |start: Vec<u32>, exchanges: usize| cover_search(core, &start, exchanges, goal, options.seed, clock);
    let worth = |sites: &Vec<u32>| (cost(sites) < limit).then(|| (cost(sites), sites.clone()));
    let mut found = start.map(|start| search(start, exchanges.min(FIRST_EXCHANGES)));
    let best = found.as_ref().and_then(worth);
    let near_by = NEAR * core.open_cost.iter().sum::<i64>() / core.n_sites.max(1) as i64;
    let near = limit < i64::MAX || best.as_ref().is_some_and(|best| best.0 <= goal + near_by);
    let tree = options.effort > Effort::Quick && FIRST_EXCHANGES < exchanges;
    if near && is_small(core) && tree {
        let root = Root { volume: &volume, best, limit, refine: None, most: FIRST_TREE, warm: None };
        let proof = prove(problem, core, root, options, clock);
        if proof.complete || proof.best.as_ref().is_some_and(|best| best.0 <= goal) {
            return proof;
        }
        found = proof.best.map(|best| best.1).or(found);
    }
    if FIRST_EXCHANGES < exchanges {
        found = found.map(|sites| search(sites, exchanges));
    }
    let best = found.as_ref().and_then(worth);
    let far = best.as_ref().filter(|best| limit == i64::MAX && goal + near_by < best.0);
    let (mut regional, mut warm) = (None, None);
    if let (Some(known), true) = (far, 0 < work.regions) {
        // So wide a gap is too much for one tree.
        let bits = scale_bits(core);
        let asked = regions::Goal { known: known.0, bits, spike: spike(core, bits), work: work.regions };
        warm = branch::warm_up(core, &mut volume, clock);
        regional = regions::certify(core, &volume.best.u, &volume.share, &asked, clock);
    }
    let root = Root { volume: &volume, best, limit, refine: None, most: u64::MAX, warm };
    match regional {
        Some((certificate, false)) => Proof::ready(root.best, certificate),
        Some((certificate, true)) => {
            let proof = prove(problem, core, root, options, clock);
            if proof.complete { proof } else { Proof::ready(proof.best, certificate) }
        }
        None => prove(problem, core, root, options, clock),
    }
}

/// A tree before the long search is worth its time where the cost is at most so many sites above the bound.
const NEAR: i64 = 2;
/// Exchanges of the weighted search before a first tree is tried.
const FIRST_EXCHANGES: usize = 3_000;

/// The cover step of p-center.
fn cover_within(problem: &Problem, core: &Core, p: usize, options: &Options, clock: &Clock) -> Within {
    let Reduced { core, reductions } = reduce(core);
    let proof = prove_cover(problem, &core, p as i64 + 1, options, clock);
    match proof.best {
        Some((_, sites)) => Within::Yes(sites),
        None if proof.complete => {
            let mut certificate = certify(problem, &core, &proof.duals, &proof.steps);
            certificate.reductions = reductions;
            Within::No(certificate)
        }
        None => Within::Unknown,
    }
}

/// Opens further sites until there are p, those that help most first; p-median and p-center want exactly p.
pub(crate) fn fill_up(problem: &Problem, model: Model, mut sites: Vec<u32>) -> Vec<u32> {
    let Some(p) = model.p().filter(|&p| sites.len() < p) else { return sites };
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
