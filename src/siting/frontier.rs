//! Coverage against the number of sites (or money) for a whole range in one call.

use std::ops::RangeInclusive;

use super::bound::{Volume, climb, evaluate};
use super::build::{build, check_fields};
use super::capacity;
use super::certificate::{Certificate, check};
use super::construct::greedy;
use super::room;
use super::swap::{Search, iterate};
use super::{Clock, Effort, Model, Options, Problem, SitingError};

/// One point of the curve.
#[derive(Clone, Debug, PartialEq)]
pub struct FrontierPoint {
    /// Number of sites allowed, fixed ones included.
    pub p: usize,
    /// Sites of the answer.
    pub sites: Vec<u32>,
    /// Weight they serve.
    pub objective: u64,
    /// No p sites serve more (floating point rounded up; [`super::max_cover`] gives a checkable certificate).
    pub bound: u64,
    /// Sum of the sites' costs, if costs are given.
    pub cost: Option<u64>,
}

/// Largest table, in entries, on which rules make every point a max cover of its own.
const EACH_ENTRIES: usize = 30_000;

/// Max cover for every number of sites in `range`, each improved from its neighbour.
///
/// Cost: about one exchange descent per point; bounds come from a few sets of multipliers used for all points. Where
/// rules ask for open sites (groups, closings, moves), and in small tables under any rule, every number is a
/// [`super::max_cover`] of its own; numbers too small for the rules have no point.
///
/// With capacities the sites start from those chosen without, and from those of the point before; sites are opened for
/// what they leave unserved. The bound holds for any choice: it knows the capacities.
///
/// # Errors
/// As [`super::max_cover`]; under rules only if no number in `range` keeps them.
pub fn frontier(
    problem: &Problem,
    range: RangeInclusive<usize>,
    options: &Options,
) -> Result<Vec<FrontierPoint>, SitingError> {
    check_fields(problem)?;
    let clock = Clock::new(options);
    let (first, last) = (*range.start(), (*range.end()).min(problem.table.n_sites()));
    let loaded = problem;
    let mut problem = problem.clone();
    problem.capacity.clear();
    let mut core = build(&problem, Model::MaxCover { p: Some(first.max(problem.fixed.len())) })?;
    // Rules that only forbid are kept by growing; what they leave stuck is found where a search of its own is quick.
    let asks = core.rules.iter().any(|rule| rule.limit < 0);
    if asks || (!core.rules.is_empty() && core.row_site.len() <= EACH_ENTRIES) {
        return frontier_under_rules(loaded, core.p.unwrap_or(first)..=last, options);
    }
    let coverable: i64 = core.weight.iter().sum();
    let rounds = if options.effort == Effort::Quick { 0 } else { 20 };
    let mut points = Vec::new();
    let mut sites: Option<Vec<u32>> = None;
    for p in first.max(problem.fixed.len())..=last {
        core.p = Some(p);
        let mut search = match &sites {
            None => greedy(&core, &clock),
            Some(sites) => {
                let mut search = Search::new(&core);
                search.become_sites(sites);
                search
            }
        };
        while search.open_best() {}
        iterate(&mut search, rounds, options.seed, &clock);
        let chosen = search.sites();
        let cost = (!problem.site_cost.is_empty())
            .then(|| chosen.iter().map(|&site| u64::from(problem.site_cost[site as usize])).sum());
        let objective = (coverable - search.value) as u64;
        points.push(FrontierPoint { p, sites: chosen.clone(), objective, bound: coverable as u64, cost });
        sites = Some(chosen);
        if search.value == 0 && loaded.capacity.is_empty() || clock.is_over() {
            break;
        }
    }
    bound_points(&mut core, coverable, &mut points, options, &clock);
    if !loaded.capacity.is_empty() {
        serve_under_capacities(loaded, &mut points, options, &clock)?;
    }
    Ok(points)
}

/// One max cover after the other, from the first number of sites that keeps the rules.
fn frontier_under_rules(
    problem: &Problem,
    range: RangeInclusive<usize>,
    options: &Options,
) -> Result<Vec<FrontierPoint>, SitingError> {
    let numbers: Vec<u64> = range.map(|p| p as u64).collect();
    let points = solve_each(&numbers, |p| {
        let answer = super::max_cover(problem, Some(p as usize), options)?;
        let cost = |&site: &u32| u64::from(problem.site_cost[site as usize]);
        Ok(FrontierPoint {
            p: p as usize,
            cost: (!problem.site_cost.is_empty()).then(|| answer.sites.iter().map(cost).sum()),
            objective: answer.objective,
            bound: answer.bound,
            sites: answer.sites,
        })
    })?;
    Ok(points.into_iter().map(|(p, point)| FrontierPoint { p: p as usize, ..point }).collect())
}

/// The points of all values that have an answer, with their values; the error of the last one if none has.
fn solve_each(
    values: &[u64],
    solve: impl Fn(u64) -> Result<FrontierPoint, SitingError>,
) -> Result<Vec<(u64, FrontierPoint)>, SitingError> {
    let (mut points, mut failed) = (Vec::new(), None);
    for &value in values {
        match solve(value) {
            Ok(point) => points.push((value, point)),
            Err(error @ (SitingError::Infeasible { .. } | SitingError::Stopped)) => failed = Some(error),
            Err(error) => return Err(error),
        }
    }
    if let (Some(error), true) = (failed, points.is_empty()) {
        return Err(error);
    }
    more_never_hurts(&mut points);
    Ok(points)
}

/// Weight served where every site has its limit.
fn serve_under_capacities(
    problem: &Problem,
    points: &mut [FrontierPoint],
    options: &Options,
    clock: &Clock,
) -> Result<(), SitingError> {
    // Multipliers for one number of sites are a start for the next.
    let mut known = Certificate::default();
    let sets: Vec<(usize, Vec<u32>)> = points.iter().map(|point| (point.p, point.sites.clone())).collect();
    for (point, (sites, weight)) in points.iter_mut().zip(capacity::fill_growing(problem, &sets)?) {
        let model = Model::MaxCover { p: Some(point.p) };
        if let Some(relaxed) = room::relax(problem, model, &known, options, clock) {
            point.bound = point.bound.min(check(problem, model, &relaxed.certificate)).max(weight);
            known = relaxed.certificate;
        }
        point.cost = (!problem.site_cost.is_empty())
            .then(|| sites.iter().map(|&site| u64::from(problem.site_cost[site as usize])).sum());
        (point.sites, point.objective) = (sites, weight);
    }
    for index in (1..points.len()).rev() {
        points[index - 1].bound = points[index - 1].bound.min(points[index].bound);
    }
    Ok(())
}

/// Max cover for every budget in `budgets`: the curve of coverage against money.
///
/// [`FrontierPoint::p`] is the number of sites opened, [`FrontierPoint::cost`] what they cost. Budgets too small for the
/// fixed sites and the rules have no point.
///
/// # Errors
/// As [`super::max_cover`], if no budget has an answer; `site_cost` is needed.
pub fn budget_frontier(
    problem: &Problem,
    budgets: &[u64],
    options: &Options,
) -> Result<Vec<FrontierPoint>, SitingError> {
    let points = solve_each(budgets, |budget| {
        let mut problem = problem.clone();
        problem.budget = Some(budget);
        let answer = super::max_cover(&problem, None, options)?;
        let cost = answer.sites.iter().map(|&site| u64::from(problem.site_cost[site as usize])).sum();
        Ok(FrontierPoint {
            p: answer.sites.len(),
            sites: answer.sites,
            objective: answer.objective,
            bound: answer.bound,
            cost: Some(cost),
        })
    })?;
    Ok(points.into_iter().map(|(_, point)| point).collect())
}

/// What a smaller number or budget allows a larger one allows too, and what a larger one cannot reach a smaller one
/// cannot.
fn more_never_hurts(points: &mut [(u64, FrontierPoint)]) {
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by_key(|&index| (points[index].0, index));
    for pair in order.windows(2) {
        let (less, more) = (&points[pair[0]].1, &points[pair[1]].1);
        if more.objective < less.objective {
            points[pair[1]].1 = FrontierPoint { bound: more.bound, ..less.clone() };
        }
    }
    for pair in order.windows(2).rev() {
        points[pair[0]].1.bound = points[pair[0]].1.bound.min(points[pair[1]].1.bound);
    }
}

/// Multipliers fitted at about twelve points bound all points.
fn bound_points(
    core: &mut super::build::Core,
    coverable: i64,
    points: &mut [FrontierPoint],
    options: &Options,
    clock: &Clock,
) {
    let steps = if options.effort == Effort::Quick { 150 } else { 600 };
    let stride = points.len().div_ceil(12).max(1);
    let fate = core.fate.clone();
    let mut start = None;
    for index in (0..points.len()).step_by(stride) {
        core.p = Some(points[index].p);
        let target = (coverable as u64 - points[index].objective) as f64;
        let mut volume = Volume::new(core, &fate, start.take());
        climb(&mut volume, &fate, steps, target, clock, |_, _, _| target);
        let (u, price) = (volume.best.u.clone(), volume.best.price.clone());
        let mut reduced = vec![0.0; core.n_sites];
        for point in points.iter_mut() {
            core.p = Some(point.p);
            let missed = evaluate(core, &fate, &u, &price, &mut reduced).value;
            let bound = coverable - (missed - 1e-6).ceil().max(0.0) as i64;
            point.bound = point.bound.min(bound.max(point.objective as i64) as u64);
        }
        start = Some((u, price));
    }
}
