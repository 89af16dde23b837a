//! Sites with limited capacity: every demand point is served whole by one site (or by each of two).
//!
//! A greedy assignment with one-step ejections judges a set of sites; exchanges of sites improve it. Instances of
//! moderate size go on to HiGHS on the compact model, whose bound is then the answer's; it has no certificate in
//! integers, so the certificate keeps the bound without capacities.

use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::build::{Core, Fate, build};
use super::chains::Chains;
use super::evaluate::{Score, Served};
use super::explain::{Exchanges, Swap};
use super::swap::Search;
use super::walk::Walk;
use super::{Clock, Effort, Model, Options, Problem, SitingError};

/// Largest number of point–site pairs handed to the exact solver, and the work it may do.
fn exact_limits(effort: Effort) -> (usize, i32) {
    match effort {
        Effort::Quick => (0, 0),
        Effort::Full => (2_000, 2_000_000),
        Effort::Proof => (30_000, 20_000_000),
    }
}

/// Sites, who serves whom, and a bound if the exact solver gave one.
pub(crate) struct Loaded {
    pub sites: Vec<u32>,
    pub served: Served,
    pub solver_bound: Option<u64>,
}

/// Points, their usable sites and loads; costs above `radius` are left out.
pub(super) struct Pairs {
    pub start: Vec<usize>,
    pub site: Vec<u32>,
    cost: Vec<u32>,
    pub weight: Vec<u64>,
    /// Points with weight, heaviest first.
    pub heaviest: Vec<u32>,
    times: usize,
}

impl Pairs {
    fn new(problem: &Problem, radius: Option<u32>) -> Self {
        let n_demand = problem.table.n_demand();
        let mut pairs = Self {
            start: vec![0],
            site: Vec::new(),
            cost: Vec::new(),
            weight: (0..n_demand).map(|demand| problem.weight(demand)).collect(),
            heaviest: Vec::new(),
            times: problem.backup.times(),
        };
        let mut row: Vec<(u32, u32)> = Vec::new();
        for demand in 0..n_demand {
            row.clear();
            if pairs.weight[demand] > 0 {
                problem.visit_row(demand, |site, cost| {
                    let fits = pairs.weight[demand] <= problem.capacity[site as usize];
                    if fits && radius.is_none_or(|radius| cost <= radius) {
                        row.push((cost, site));
                    }
                });
            }
            row.sort_unstable();
            pairs.site.extend(row.iter().map(|pair| pair.1));
            pairs.cost.extend(row.iter().map(|pair| pair.0));
            pairs.start.push(pairs.site.len());
        }
        let weight = &pairs.weight;
        pairs.heaviest = (0..n_demand as u32).filter(|&demand| weight[demand as usize] > 0).collect();
        pairs.heaviest.sort_by_key(|&demand| std::cmp::Reverse(weight[demand as usize]));
        pairs
    }

    /// Points with weight: those with least choice among the open sites first, of these the heaviest first (counting sort).
    fn least_choice_first(&self, open: &[bool]) -> Vec<usize> {
        let choices = |&demand: &u32| {
            let sites = &self.site[self.start[demand as usize]..self.start[demand as usize + 1]];
            sites.iter().filter(|&&site| open[site as usize]).count()
        };
        let keys: Vec<usize> = self.heaviest.iter().map(choices).collect();
        let mut place = vec![0; keys.iter().max().map_or(0, |most| most + 2)];
        keys.iter().for_each(|key| place[key + 1] += 1);
        for key in 1..place.len() {
            place[key] += place[key - 1];
        }
        let mut order = vec![0; keys.len()];
        for (&demand, key) in self.heaviest.iter().zip(keys) {
            order[place[key]] = demand as usize;
            place[key] += 1;
        }
        order
    }

    pub fn of(&self, demand: usize) -> impl Iterator<Item = (u32, u32)> {
        let range = self.start[demand]..self.start[demand + 1];
        self.site[range.clone()].iter().copied().zip(self.cost[range].iter().copied())
    }

    pub fn count(&self, demand: usize) -> usize {
        self.start[demand + 1] - self.start[demand]
    }

    /// Points with weight that even all sites together cannot serve often enough.
    fn unreachable(&self) -> Vec<u32> {
        let short = |&demand: &usize| self.weight[demand] > 0 && self.count(demand) < self.times;
        (0..self.weight.len()).filter(short).map(|demand| demand as u32).collect()
    }
}

/// Serving sites per point (`times` entries each, `u32::MAX` if unserved).
pub(super) type Assignment = Vec<u32>;

/// Solves any model with capacities; p-center by bisection over `radii` (all costs of the table, ascending).
pub(crate) fn solve(
    problem: &Problem,
    model: Model,
    starts: &[Vec<u32>],
    options: &Options,
    clock: &Clock,
) -> Result<Loaded, SitingError> {
    let pairs = Pairs::new(problem, None);
    if !model.maximizes() {
        let demand = pairs.unreachable();
        if let Some(&first) = demand.first() {
            // The start would have failed if they were out of reach.
            let (n, weight) = (demand.len(), pairs.weight[first as usize]);
            let reason = format!(
                "the capacities: {n} demand points weigh more than the sites in reach of them take (first: {first}, weight {weight})"
            );
            return Err(SitingError::Infeasible { reason });
        }
    }
    let Model::PCenter { p } = model else {
        return solve_within(problem, model, &pairs, starts, options, clock);
    };
    let mut radii: Vec<u32> = pairs.cost.clone();
    radii.sort_unstable();
    radii.dedup();
    let (mut low, mut high) = (0, radii.len());
    let mut proven = 0;
    let mut best: Option<Loaded> = None;
    while low < high {
        let middle = low + (high - low) / 2;
        let within = Pairs::new(problem, Some(radii[middle]));
        let found = if within.unreachable().is_empty() {
            solve_within(problem, model, &within, starts, options, clock)
        } else {
            Err(problem.unreachable(within.unreachable()))
        };
        match found {
            Ok(loaded) => {
                let reached = loaded.served.objective.unwrap_or(u64::MAX);
                high = radii.partition_point(|&radius| u64::from(radius) < reached).min(middle);
                best = Some(loaded);
            }
            Err(SitingError::Stopped) => low = middle + 1,
            Err(_) => {
                low = middle + 1;
                proven = low;
            }
        }
    }
    match best {
        Some(mut loaded) => {
            loaded.solver_bound = radii.get(proven).map(|&radius| u64::from(radius));
            Ok(loaded)
        }
        None if radii.is_empty() => {
            // Nobody needs service: sites that keep the rules will do.
            let sites = starts.first().ok_or(SitingError::Stopped)?;
            Ok(finish(problem, model, &pairs, sites.clone(), Vec::new(), Some(0)))
        }
        None if proven < radii.len() => Err(SitingError::Stopped),
        None => Err(infeasible(Some(p))),
    }
}

fn infeasible(p: Option<usize>) -> SitingError {
    let reason = match p {
        Some(p) => format!("service of every demand point by {p} sites within their capacities"),
        None => "service of every demand point within the capacities".to_owned(),
    };
    SitingError::Infeasible { reason }
}

fn solve_within(
    problem: &Problem,
    model: Model,
    pairs: &Pairs,
    starts: &[Vec<u32>],
    options: &Options,
    clock: &Clock,
) -> Result<Loaded, SitingError> {
    let mut plain = problem.clone();
    plain.capacity.clear();
    let core = build(&plain, if model.maximizes() { model } else { Model::SetCover })?;
    let core = Core { p: model.p(), ..core };
    let heuristic = local_search(problem, model, pairs, &core, starts, options, clock);
    let (most_pairs, work) = exact_limits(options.effort);
    let exact = if pairs.site.len() <= most_pairs && !clock.is_over() {
        exact(problem, model, pairs, &core, work, clock)
    } else {
        Exact::Unsettled(None)
    };
    match exact {
        Exact::Infeasible => Err(infeasible(model.p())),
        Exact::Found(sites, assignment, bound) => Ok(finish(problem, model, pairs, sites, assignment, bound)),
        Exact::Unsettled(bound) => match heuristic {
            Some((sites, assignment)) => Ok(finish(problem, model, pairs, sites, assignment, bound)),
            None => Err(SitingError::Stopped),
        },
    }
}

/// Scores an assignment on the caller's table.
fn finish(
    problem: &Problem,
    model: Model,
    pairs: &Pairs,
    mut sites: Vec<u32>,
    mut assignment: Assignment,
    solver_bound: Option<u64>,
) -> Loaded {
    sites.sort_unstable();
    let times = pairs.times;
    assignment.resize(pairs.weight.len() * times, u32::MAX);
    let mut score = Score::new(problem, model, &sites);
    let mut served = Served { assignment: Vec::new(), second: Vec::new(), objective: None };
    for demand in 0..pairs.weight.len() {
        let mut servers: Vec<(u32, u32)> = Vec::new();
        for &site in &assignment[demand * times..(demand + 1) * times] {
            if let Some(pair) = pairs.of(demand).find(|pair| pair.0 == site) {
                servers.push((pair.1, site));
            }
        }
        servers.sort_unstable();
        let complete = servers.len() == times;
        match servers.last() {
            Some(last) if complete => {
                let sum = servers.iter().map(|server| u64::from(server.0)).sum();
                score.add_served(pairs.weight[demand], sum, last.0);
            }
            _ => score.add_missed(pairs.weight[demand]),
        }
        let server =
            |place: usize| servers.get(place).filter(|_| complete).map_or(-1, |server| server.1 as i32);
        served.assignment.push(server(0));
        if times == 2 {
            served.second.push(server(1));
        }
    }
    served.objective = score.total();
    Loaded { sites, served, solver_bound }
}

/// For every set of sites what it serves under the capacities, after as many sites as `p` allows were opened for what
/// it leaves unserved; each set is tried beside what the one before it came to. The sets belong to growing `p`.
pub(crate) fn fill_growing(
    problem: &Problem,
    sets: &[(usize, Vec<u32>)],
) -> Result<Vec<(Vec<u32>, u64)>, SitingError> {
    let pairs = Pairs::new(problem, problem.limit);
    let total: u64 = pairs.weight.iter().sum();
    let model = Model::MaxCover { p: None };
    let mut plain = problem.clone();
    plain.capacity.clear();
    let mut core = build(&plain, model)?;
    let mut found: Vec<(Vec<u32>, u64)> = Vec::new();
    for (p, sites) in sets {
        core.p = Some(*p);
        let starts = [Some(sites), found.last().map(|found| &found.0)];
        let filled = starts.into_iter().flatten().map(|start| {
            let mut search = Search::new(&core);
            search.become_sites(start);
            let ((_, missed), _) = fill(problem, model, &pairs, &mut search);
            (missed, search.sites())
        });
        let (missed, sites) = filled.min().expect("the set itself is a start");
        found.push((sites, total - missed));
    }
    Ok(found)
}

/// Opens sites for what is left unserved, as far as `p` and the rules allow: each time the one that could take most
/// of it, or with a budget most for its cost. Returns the value and the assignment it ends with.
fn fill(problem: &Problem, model: Model, pairs: &Pairs, search: &mut Search) -> (Value, Assignment) {
    let core = search.core;
    let mut best = assign(problem, model, pairs, &search.open);
    let mut of_no_use = vec![false; core.n_sites];
    while core.p.is_none_or(|p| search.n_open < p) {
        let mut room = vec![0u64; core.n_sites];
        for demand in 0..pairs.weight.len() {
            if best.1[demand * pairs.times] == u32::MAX {
                pairs.of(demand).for_each(|pair| room[pair.0 as usize] += pairs.weight[demand]);
            }
        }
        let broken = search.broken_after(None, None);
        let may_open = |&site: &u32| {
            let at = site as usize;
            room[at] > 0
                && !search.open[at]
                && !of_no_use[at]
                && core.fate[at] == Fate::Free
                && search.broken_after(Some(site), None) <= broken
        };
        let worth = |site: u32| {
            let taken = room[site as usize].min(problem.capacity[site as usize]);
            let cost = problem
                .budget
                .and_then(|_| problem.site_cost.get(site as usize))
                .map_or(1, |&cost| cost.max(1));
            (u128::from(taken) << 40) / u128::from(cost)
        };
        let places = (0..core.n_sites as u32).filter(may_open);
        let Some(site) = places.max_by_key(|&site| (worth(site), std::cmp::Reverse(site))) else { break };
        search.insert(site);
        let filled = assign(problem, model, pairs, &search.open);
        if filled.0 < best.0 {
            best = filled;
        } else {
            search.remove(site);
            of_no_use[site as usize] = true;
        }
    }
    best
}

/// Most table entries read to explain an answer; beyond, runners-up are looked for among fewer sites or not at all.
const EXPLAIN_ENTRIES: usize = 50_000_000;
/// Most replacements tried for a site.
const MOST_REPLACEMENTS: usize = 12;

/// Per chosen site: the loss without it, and the best replacement among sites that share most weight with it.
///
/// Both are what the greedy assignment makes of the sites that are left, hence no less than the true loss.
pub(crate) fn swaps(problem: &Problem, model: Model, sites: &[u32], objective: u64) -> Vec<Swap> {
    let pairs = Pairs::new(problem, None);
    let mut open = vec![false; problem.table.n_sites()];
    sites.iter().for_each(|&site| open[site as usize] = true);
    let total: u64 = pairs.weight.iter().sum();
    let cost = |site: usize| problem.site_cost.get(site).map_or(1, |&cost| u64::from(cost));
    let loss = |open: &[bool]| {
        let ((unserved, value), _) = assign(problem, model, &pairs, open);
        let own = if model == Model::SetCover {
            (0..open.len()).filter(|&site| open[site]).map(cost).sum()
        } else {
            0
        };
        let worse = if model.maximizes() {
            objective.saturating_sub(total - value)
        } else {
            (value + own).saturating_sub(objective)
        };
        (unserved == 0).then_some(worse)
    };
    let each = sites.len() * (pairs.site.len() + pairs.weight.len() + 1);
    let most = (EXPLAIN_ENTRIES / each.max(1)).saturating_sub(1).min(MOST_REPLACEMENTS);
    let exchanges = Exchanges::new(problem, sites);
    let swap = |&out: &u32| {
        open[out as usize] = false;
        let without = loss(&open);
        let mut best: Option<(u32, Option<u64>)> = None;
        for inn in exchanges.nearest(out, most) {
            open[inn as usize] = true;
            let left = loss(&open);
            open[inn as usize] = false;
            let key = |loss: Option<u64>| loss.unwrap_or(u64::MAX);
            if best.is_none_or(|best| key(left) < key(best.1)) {
                best = Some((inn, left));
            }
        }
        open[out as usize] = true;
        (without, best)
    };
    sites.iter().map(swap).collect()
}

/// Lower is better: (points that must be served but are not, objective).
pub(super) type Value = (u64, u64);

/// Assigns points to open sites: those with least choice first, each to its cheapest site with room.
fn assign(problem: &Problem, model: Model, pairs: &Pairs, open: &[bool]) -> (Value, Assignment) {
    let times = pairs.times;
    let n_demand = pairs.weight.len();
    let mut left = problem.capacity.clone();
    let order = pairs.least_choice_first(open);
    let mut assignment = vec![u32::MAX; n_demand * times];
    for &demand in &order {
        let weight = pairs.weight[demand];
        let mut picked = 0;
        for (site, _) in pairs.of(demand).filter(|pair| open[pair.0 as usize]) {
            if picked < times && weight <= left[site as usize] {
                assignment[demand * times + picked] = site;
                picked += 1;
            }
        }
        if picked == times {
            let servers = &assignment[demand * times..(demand + 1) * times];
            servers.iter().for_each(|&site| left[site as usize] -= weight);
        } else {
            assignment[demand * times..(demand + 1) * times].fill(u32::MAX);
        }
    }
    if times == 1 {
        eject(pairs, open, &order, &mut left, &mut assignment);
    }
    (value_of(model, pairs, &assignment), assignment)
}

fn value_of(model: Model, pairs: &Pairs, assignment: &[u32]) -> Value {
    let times = pairs.times;
    let (mut missed, mut sum, mut unserved) = (0u64, 0u64, 0u64);
    for demand in (0..pairs.weight.len()).filter(|&demand| pairs.weight[demand] > 0) {
        let servers = &assignment[demand * times..(demand + 1) * times];
        if servers[0] == u32::MAX {
            missed += pairs.weight[demand];
            unserved += 1;
            continue;
        }
        let cost =
            |site: &u32| pairs.of(demand).find(|pair| pair.0 == *site).map_or(0, |pair| u64::from(pair.1));
        match model {
            Model::PMedian { .. } => sum += pairs.weight[demand] * servers.iter().map(cost).sum::<u64>(),
            Model::PCenter { .. } => sum = sum.max(servers.iter().map(cost).max().unwrap_or(0)),
            _ => {}
        }
    }
    if model.maximizes() { (0, missed) } else { (unserved, sum) }
}

/// Work of the chains that follow one greedy assignment.
const CHAIN_WORK: usize = 20_000_000;

/// What chains of moves make of an assignment; its value.
fn chained(
    problem: &Problem,
    model: Model,
    pairs: &Pairs,
    open: &[bool],
    mut assignment: Assignment,
) -> (Value, Assignment) {
    if pairs.times == 1 {
        let mut left = problem.capacity.clone();
        for (demand, &site) in assignment.iter().enumerate() {
            if let Some(left) = left.get_mut(site as usize) {
                *left -= pairs.weight[demand];
            }
        }
        let (weight, start, site) = (&pairs.weight, &pairs.start, &pairs.site);
        let (left, assignment) = (&mut left, &mut assignment);
        Chains { weight, start, site, open, left, assignment }.serve_more(CHAIN_WORK);
    }
    (value_of(model, pairs, &assignment), assignment)
}

/// Serves points left out by moving one other point elsewhere; then moves points to cheaper sites with room.
fn eject(pairs: &Pairs, open: &[bool], order: &[usize], left: &mut [u64], assignment: &mut [u32]) {
    let mut points_of = vec![Vec::new(); open.len()];
    for &demand in order {
        if let Some(points) = points_of.get_mut(assignment[demand] as usize) {
            points.push(demand);
        }
    }
    let left_out: Vec<usize> =
        order.iter().copied().filter(|&demand| assignment[demand] == u32::MAX).collect();
    for demand in left_out {
        let weight = pairs.weight[demand];
        let mut found = None;
        'sites: for (site, _) in pairs.of(demand).filter(|pair| open[pair.0 as usize]) {
            for &other in points_of[site as usize].iter().take(200) {
                let freed = left[site as usize] + pairs.weight[other];
                if assignment[other] != site || freed < weight {
                    continue;
                }
                let room = |pair: &(u32, u32)| {
                    open[pair.0 as usize] && pair.0 != site && pairs.weight[other] <= left[pair.0 as usize]
                };
                if let Some((target, _)) = pairs.of(other).find(room) {
                    found = Some((site, other, target));
                    break 'sites;
                }
            }
        }
        if let Some((site, other, target)) = found {
            left[target as usize] -= pairs.weight[other];
            left[site as usize] = left[site as usize] + pairs.weight[other] - weight;
            assignment[other] = target;
            assignment[demand] = site;
            points_of[target as usize].push(other);
            points_of[site as usize].push(demand);
        }
    }
    for &demand in order.iter().filter(|&&demand| assignment[demand] != u32::MAX).collect::<Vec<_>>() {
        let (weight, now) = (pairs.weight[demand], assignment[demand]);
        let mut better = pairs.of(demand).take_while(|pair| pair.0 != now);
        let target = better.find(|pair| open[pair.0 as usize] && weight <= left[pair.0 as usize]);
        if let Some((target, _)) = target {
            left[now as usize] += weight;
            left[target as usize] -= weight;
            assignment[demand] = target;
        }
    }
}

/// Exchanges, openings and closings of sites judged by the greedy assignment, within a fixed amount of work.
fn local_search(
    problem: &Problem,
    model: Model,
    pairs: &Pairs,
    core: &Core,
    starts: &[Vec<u32>],
    options: &Options,
    clock: &Clock,
) -> Option<(Vec<u32>, Assignment)> {
    let random = Xoshiro256PlusPlus::seed_from_u64(options.seed);
    let mut search = Search::new(core);
    if let Some(start) = starts.first() {
        search.become_sites(start);
    }
    let cost = |site: u32| problem.site_cost.get(site as usize).map_or(1, |&cost| u64::from(cost));
    let judge = |search: &Search| {
        let (value, assignment) = assign(problem, model, pairs, &search.open);
        let own =
            if model == Model::SetCover { search.sites().iter().map(|&site| cost(site)).sum() } else { 0 };
        ((value.0, value.1 + own), assignment)
    };
    let thorough = |search: &Search| {
        let ((_, greedy), assignment) = judge(search);
        let (value, assignment) = chained(problem, model, pairs, &search.open, assignment);
        let own = if model == Model::SetCover { greedy } else { value.1 };
        ((value.0, own), assignment)
    };
    // What is best without capacities may be a poor start with them, and the other way round.
    fill(problem, model, pairs, &mut search);
    let (mut value, mut assignment) = thorough(&search);
    for start in starts.iter().skip(1).map(Some).chain([None]) {
        let mut other = Search::new(core);
        if let Some(start) = start {
            other.become_sites(start);
        }
        fill(problem, model, pairs, &mut other);
        let (found, served) = thorough(&other);
        if found < value && (other.keeps_rules() || !search.keeps_rules()) {
            (value, assignment, search) = (found, served, other);
        }
    }
    let mut sites = search.sites();
    let mut kept = search.keeps_rules();
    let mut walk = Walk { problem, model, pairs, core, options, clock, random };
    if pairs.times == 1 && !matches!(model, Model::PCenter { .. }) {
        let served = walk.point_by_point(&mut search, &assignment);
        let served = chained(problem, model, pairs, &search.open, served);
        let own =
            if model == Model::SetCover { search.sites().iter().map(|&site| cost(site)).sum() } else { 0 };
        let found = (served.0.0, served.0.1 + own);
        if search.keeps_rules() && (!kept || found < value) {
            (value, assignment, sites, kept) = (found, served.1, search.sites(), true);
        }
        return (value.0 == 0 && kept).then_some((sites, assignment));
    }
    walk.set_by_set(&mut search, &judge);
    let (found, served) = thorough(&search);
    if search.keeps_rules() && (!kept || found < value) {
        (value, assignment, sites, kept) = (found, served, search.sites(), true);
    }
    (value.0 == 0 && kept).then_some((sites, assignment))
}

/// What the exact solver says.
#[cfg_attr(not(feature = "highs"), expect(dead_code, reason = "only HiGHS settles a task exactly"))]
enum Exact {
    /// Sites, assignment and a bound on the objective.
    Found(Vec<u32>, Assignment, Option<u64>),
    Infeasible,
    /// No answer in time; perhaps a bound.
    Unsettled(Option<u64>),
}

#[cfg(not(feature = "highs"))]
fn exact(_: &Problem, _: Model, _: &Pairs, _: &Core, _: i32, _: &Clock) -> Exact {
    Exact::Unsettled(None)
}

/// The compact model: `x_j` open, `z_ij` point i served by site j, `y_i` point i served at all.
#[cfg(feature = "highs")]
fn exact(problem: &Problem, model: Model, pairs: &Pairs, core: &Core, work: i32, clock: &Clock) -> Exact {
    use highs::{HighsModelStatus, HighsSolutionStatus, RowProblem, Sense};
    let times = pairs.times as f64;
    let mut program = RowProblem::default();
    let cost = |site: usize| problem.site_cost.get(site).map_or(1.0, |&cost| f64::from(cost));
    let open: Vec<highs::Col> = (0..core.n_sites)
        .map(|site| {
            let own = if model == Model::SetCover { cost(site) } else { 0.0 };
            match core.fate[site] {
                Fate::Free => program.add_integer_column(own, 0.0..=1.0),
                Fate::Open => program.add_integer_column(own, 1.0..=1.0),
                Fate::Closed => program.add_integer_column(own, 0.0..=0.0),
            }
        })
        .collect();
    let mut load: Vec<Vec<(highs::Col, f64)>> =
        open.iter().zip(&problem.capacity).map(|(&open, &most)| vec![(open, -(most as f64))]).collect();
    let mut serve = Vec::new();
    for demand in (0..pairs.weight.len()).filter(|&demand| pairs.weight[demand] > 0) {
        let weight = pairs.weight[demand] as f64;
        let mut sum = Vec::new();
        for (site, cost) in pairs.of(demand) {
            let distance =
                if matches!(model, Model::PMedian { .. }) { weight * f64::from(cost) } else { 0.0 };
            let column = program.add_integer_column(distance, 0.0..=1.0);
            program.add_row(..=0.0, [(column, 1.0), (open[site as usize], -1.0)]);
            load[site as usize].push((column, weight));
            serve.push((demand, site, column));
            sum.push((column, 1.0));
        }
        if model.maximizes() {
            let served = program.add_integer_column(-weight, 0.0..=1.0);
            sum.push((served, -times));
            program.add_row(0.0..=0.0, sum);
        } else {
            program.add_row(times..=times, sum);
        }
    }
    load.into_iter().for_each(|load| {
        program.add_row(..=0.0, load);
    });
    if let Some(p) = core.p {
        program.add_row(..=p as f64, open.iter().map(|&open| (open, 1.0)));
    }
    for rule in &core.rules {
        let terms = rule.terms.iter().map(|&(site, coefficient)| (open[site as usize], coefficient as f64));
        program.add_row(..=rule.limit as f64, terms);
    }
    let mut solver = program.optimise(Sense::Minimise);
    solver.make_quiet();
    solver.set_option("threads", 1);
    solver.set_option("mip_rel_gap", 0.0);
    solver.set_option("mip_abs_gap", 0.5);
    solver.set_option("mip_max_nodes", work / (pairs.site.len() as i32 + 1000));
    if let Some(seconds) = clock.seconds_left() {
        solver.set_option("time_limit", seconds);
    }
    let Ok(solved) = solver.try_solve() else { return Exact::Unsettled(None) };
    if matches!(solved.status(), HighsModelStatus::Infeasible | HighsModelStatus::UnboundedOrInfeasible) {
        return Exact::Infeasible;
    }
    let total: u64 = {
        let servable = |&demand: &usize| pairs.times <= pairs.count(demand);
        (0..pairs.weight.len()).filter(servable).map(|demand| pairs.weight[demand]).sum()
    };
    let bound = solved.double_info_value(c"mip_dual_bound").ok().filter(|bound| bound.is_finite());
    let bound = bound.map(|bound| {
        let least = (bound - 1e-5).ceil();
        if model.maximizes() { (-least).clamp(0.0, total as f64) as u64 } else { least.max(0.0) as u64 }
    });
    if solved.primal_solution_status() != HighsSolutionStatus::Feasible {
        return Exact::Unsettled(bound);
    }
    let solution = solved.get_solution();
    let is_one = |column: highs::Col| solution.columns()[column.index()] > 0.5;
    let sites: Vec<u32> = (0..core.n_sites as u32).filter(|&site| is_one(open[site as usize])).collect();
    let mut assignment = vec![u32::MAX; pairs.weight.len() * pairs.times];
    let mut used = vec![0u64; core.n_sites];
    for (demand, site, column) in serve {
        let places = &mut assignment[demand * pairs.times..(demand + 1) * pairs.times];
        if is_one(column)
            && let Some(place) = places.iter_mut().find(|place| **place == u32::MAX)
        {
            *place = site;
            used[site as usize] += pairs.weight[demand];
        }
    }
    // The solver works with tolerances; the answer must hold exactly.
    let holds = used.iter().zip(&problem.capacity).all(|(used, most)| used <= most);
    if holds { Exact::Found(sites, assignment, bound) } else { Exact::Unsettled(bound) }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::{Model, Pairs, Problem, value_of};
    use crate::siting::loads::Loads;
    use crate::siting::{Table, UNREACHED};

    /// Whatever is opened, closed and taken back: loads stay within capacity, the value is what it says.
    #[test]
    fn loads_follow_every_exchange_and_go_back() {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(3);
        let walks: Vec<u32> = (0..40 * 8)
            .map(|_| if random.random::<bool>() { random.random_range(1..50) } else { UNREACHED })
            .collect();
        let mut problem = Problem::new(Table::dense(40, 8, &walks).expect("40 by 8"));
        problem.weights = (0..40).map(|_| random.random_range(0..9)).collect();
        problem.capacity = (0..8).map(|_| random.random_range(5..30)).collect();
        let pairs = Pairs::new(&problem, None);
        for model in [Model::SetCover, Model::MaxCover { p: Some(4) }, Model::PMedian { p: 4 }] {
            let mut open = vec![true, true, true, true, false, false, false, false];
            let nobody = vec![u32::MAX; 40];
            let mut loads = Loads::new(&pairs, model, &problem.capacity, open.clone(), &nobody);
            for _ in 0..500 {
                let one_of = |is_open: bool, random: &mut Xoshiro256PlusPlus| {
                    let of_them: Vec<u32> = (0..8).filter(|&site| open[site as usize] == is_open).collect();
                    of_them[random.random_range(0..of_them.len())]
                };
                let (inn, out) = (one_of(false, &mut random), one_of(true, &mut random));
                let before = (loads.assignment.clone(), loads.value);
                loads.exchange(Some(inn), Some(out));
                if random.random::<bool>() {
                    loads.take_back(Some(inn), Some(out));
                    assert_eq!((loads.assignment.clone(), loads.value), before);
                } else {
                    loads.keep();
                    (open[inn as usize], open[out as usize]) = (true, false);
                }
                assert_eq!(loads.value, value_of(model, &pairs, &loads.assignment));
                for site in 0..8_u32 {
                    let served = (0..40).filter(|&point| loads.assignment[point] == site);
                    let load = served.map(|point| pairs.weight[point]).sum::<u64>();
                    assert!(load <= problem.capacity[site as usize] && (load == 0 || open[site as usize]));
                    assert_eq!(load, loads.load(site));
                }
            }
        }
    }
}
