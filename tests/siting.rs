//! Siting against brute force on tiny random instances, for every model and option, and general properties.

use gridplan::siting::{
    Backup, Change, Effort, Existing, Group, Model, Options, Problem, Siting, SitingError, Table, Then,
    UNREACHED, budget_frontier, certificate, frontier, max_cover, p_center, p_median, set_cover,
};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// A random dense table with holes, weights and site costs.
struct Tiny {
    n_demand: usize,
    n_sites: usize,
    cost: Vec<u32>,
    weights: Vec<u32>,
    site_cost: Vec<u32>,
}

impl Tiny {
    fn new(seed: u64, most_demand: usize, most_sites: usize) -> Self {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let n_demand = random.random_range(1..=most_demand);
        let n_sites = random.random_range(1..=most_sites);
        let holes = random.random_range(0..60u32);
        let cost = (0..n_demand * n_sites)
            .map(|_| {
                if random.random_range(0..100u32) < holes { UNREACHED } else { random.random_range(0..30u32) }
            })
            .collect();
        let weights = (0..n_demand).map(|_| random.random_range(0..9u32)).collect();
        let site_cost = (0..n_sites).map(|_| random.random_range(1..7u32)).collect();
        Self { n_demand, n_sites, cost, weights, site_cost }
    }

    fn problem(&self) -> Problem<'_> {
        let mut problem =
            Problem::new(Table::dense(self.n_demand, self.n_sites, &self.cost).expect("sizes agree"));
        problem.weights = self.weights.clone();
        problem
    }
}

/// The best objective over all choices of sites, or none if no choice keeps every condition.
fn brute_force(problem: &Problem, model: Model) -> Option<u64> {
    let n_sites = problem.table.n_sites();
    let values = (0u32..1 << n_sites).filter_map(|chosen| value_of(problem, model, chosen));
    if model.maximizes() { values.max() } else { values.min() }
}

fn value_of(problem: &Problem, model: Model, chosen: u32) -> Option<u64> {
    let open = |site: u32| chosen >> site & 1 == 1;
    let count = chosen.count_ones() as usize;
    let wanted = match model {
        Model::PMedian { p } | Model::PCenter { p } | Model::MaxCover { p: Some(p) } => p,
        _ => usize::MAX,
    };
    let of = |sites: &[u32]| sites.iter().filter(|&&site| open(site)).count();
    let closed =
        problem.existing.iter().filter(|existing| existing.change == Change::Close && !open(existing.site));
    let moved = |existing: &Existing| match &existing.change {
        Change::Close => true,
        Change::MoveTo(places) => of(places) + usize::from(open(existing.site)) == 1,
    };
    let cost = |site: u32| problem.site_cost.get(site as usize).map_or(1, |&cost| u64::from(cost));
    let spent: u64 = (0..problem.table.n_sites() as u32).filter(|&site| open(site)).map(cost).sum();
    let allowed = count <= wanted
        && problem.fixed.iter().all(|&site| open(site))
        && problem.max_closed.is_none_or(|most| closed.count() <= most)
        && problem.existing.iter().all(moved)
        && problem.groups.iter().all(|group| (group.at_least..=group.at_most).contains(&of(&group.sites)))
        && problem.too_close.iter().all(|&(one, other)| !(open(one) && open(other)))
        && problem.budget.is_none_or(|budget| spent <= budget);
    if !allowed {
        return None;
    }
    if !problem.capacity.is_empty() {
        let mut left = problem.capacity.clone();
        let base = if model == Model::SetCover { spent } else { 0 };
        return with_capacity(problem, model, chosen, 0, &mut left).map(|value| base + value);
    }
    let times = if problem.backup == Backup::Second { 2 } else { 1 };
    let mut value = if model == Model::SetCover { spent } else { 0 };
    for demand in 0..problem.table.n_demand() {
        let weight = problem.weight(demand);
        let mut costs = costs_of(problem, demand, chosen);
        costs.sort_unstable();
        if costs.len() < times {
            if weight > 0 && !model.maximizes() {
                return None;
            }
            continue;
        }
        match model {
            Model::SetCover => {}
            Model::MaxCover { .. } => value += weight,
            Model::PMedian { .. } => {
                value += weight * costs[..times].iter().map(|&cost| u64::from(cost)).sum::<u64>()
            }
            Model::PCenter { .. } => {
                value = value.max(if weight > 0 { u64::from(costs[times - 1]) } else { 0 })
            }
        }
    }
    Some(value)
}

fn costs_of(problem: &Problem, demand: usize, chosen: u32) -> Vec<u32> {
    let mut costs = Vec::new();
    problem.table.visit_row(demand, |site, cost| {
        if chosen >> site & 1 == 1 && cost <= problem.limit.unwrap_or(UNREACHED - 1) {
            costs.push(cost);
        }
    });
    costs
}

/// Best value of serving the points from `demand` on, each by one site with capacity left.
fn with_capacity(
    problem: &Problem,
    model: Model,
    chosen: u32,
    demand: usize,
    left: &mut [u64],
) -> Option<u64> {
    if demand == problem.table.n_demand() {
        return Some(0);
    }
    let weight = problem.weight(demand);
    let mut options = Vec::new();
    if weight == 0 || model.maximizes() {
        options.push(with_capacity(problem, model, chosen, demand + 1, left));
    }
    let mut row = Vec::new();
    problem.table.visit_row(demand, |site, cost| row.push((site, cost)));
    for (site, cost) in row {
        let usable = chosen >> site & 1 == 1 && cost <= problem.limit.unwrap_or(UNREACHED - 1);
        if weight == 0 || !usable || left[site as usize] < weight {
            continue;
        }
        left[site as usize] -= weight;
        let rest = with_capacity(problem, model, chosen, demand + 1, left);
        left[site as usize] += weight;
        options.push(rest.map(|rest| match model {
            Model::SetCover => rest,
            Model::MaxCover { .. } => rest + weight,
            Model::PMedian { .. } => rest + weight * u64::from(cost),
            Model::PCenter { .. } => rest.max(u64::from(cost)),
        }));
    }
    let found = options.into_iter().flatten();
    if model.maximizes() { found.max() } else { found.min() }
}

fn solve(problem: &Problem, model: Model, options: &Options) -> Result<Siting, SitingError> {
    match model {
        Model::SetCover => set_cover(problem, options),
        Model::MaxCover { p } => max_cover(problem, p, options),
        Model::PMedian { p } => p_median(problem, p, options),
        Model::PCenter { p } => p_center(problem, p, options),
    }
}

/// With less effort the answer keeps every condition, and the optimum lies between it and its bound.
fn check_with_less_effort(problem: &Problem, model: Model, expected: Option<u64>, label: &str) {
    for effort in [Effort::Quick, Effort::Full] {
        match (expected, solve(problem, model, &Options { effort, ..Options::default() })) {
            (_, Err(SitingError::Stopped))
            | (None, Err(SitingError::Infeasible { .. } | SitingError::Unreachable { .. })) => {}
            (Some(expected), Ok(answer)) => {
                check_loads(problem, &answer, label);
                let chosen = answer.sites.iter().fold(0u32, |chosen, &site| chosen | 1 << site);
                let value = value_of(problem, model, chosen).unwrap_or_else(|| panic!("{label}: {answer:?}"));
                let certified = certificate::check(problem, model, &answer.certificate);
                let order = if model.maximizes() {
                    [answer.objective, value, expected, answer.bound, certified]
                } else {
                    [certified, answer.bound, expected, value, answer.objective]
                };
                assert!(
                    order.is_sorted(),
                    "{label}: {effort:?} {model:?} {problem:?} gave {answer:?}, {order:?}"
                );
            }
            (expected, found) => {
                panic!("{label}: {effort:?} {model:?} {problem:?}: expected {expected:?}, found {found:?}")
            }
        }
    }
}

/// The answer is optimal, proven, consistent in itself, and its certificate proves the bound.
fn check(problem: &Problem, model: Model, label: &str) {
    let expected = brute_force(problem, model);
    check_with_less_effort(problem, model, expected, label);
    match (expected, solve(problem, model, &Options::default())) {
        (None, Err(SitingError::Infeasible { .. } | SitingError::Unreachable { .. })) => {}
        (Some(expected), Ok(answer)) => {
            assert_eq!(answer.objective, expected, "{label}: {model:?} {problem:?} gave {answer:?}");
            assert!(answer.proven, "{label}: not proven: {model:?} {problem:?} gave {answer:?}");
            assert_eq!(answer.bound, expected, "{label}");
            check_loads(problem, &answer, label);
            let chosen = answer.sites.iter().fold(0u32, |chosen, &site| chosen | 1 << site);
            let value = value_of(problem, model, chosen);
            assert_eq!(value, Some(expected), "{label}: the sites {:?} are not worth it", answer.sites);
            let certified = certificate::check(problem, model, &answer.certificate);
            assert_eq!(answer.certified, certified == expected, "{label}");
            assert!(answer.certified || !problem.capacity.is_empty(), "{label}: no certificate");
        }
        (expected, found) => panic!("{label}: {model:?} {problem:?}: expected {expected:?}, found {found:?}"),
    }
}

/// The loads of the assignment keep the capacities, and every assignment is to an open site within the limit.
fn check_loads(problem: &Problem, answer: &Siting, label: &str) {
    let mut load = vec![0u64; problem.table.n_sites()];
    for (demand, &site) in answer.assignment.iter().enumerate().filter(|(_, site)| **site >= 0) {
        load[site as usize] += problem.weight(demand);
        let mut listed = false;
        problem.table.visit_row(demand, |other, _| listed |= other == site as u32);
        assert!(listed && answer.sites.contains(&(site as u32)), "{label}: point {demand} at {site}");
    }
    if !problem.capacity.is_empty() {
        assert!(load.iter().zip(&problem.capacity).all(|(load, most)| load <= most), "{label}: {load:?}");
    }
}

fn models(random: &mut Xoshiro256PlusPlus, n_sites: usize) -> [Model; 4] {
    let p = random.random_range(1..=n_sites);
    [Model::SetCover, Model::MaxCover { p: Some(p) }, Model::PMedian { p }, Model::PCenter { p }]
}

/// Runs `prepare` on many tiny instances and checks all four models on each.
fn check_all(label: &str, n: u64, prepare: impl Fn(&mut Problem, &Tiny, &mut Xoshiro256PlusPlus)) {
    for seed in 0..n {
        let tiny = Tiny::new(seed, 9, 7);
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed ^ 0x9e37);
        let mut problem = tiny.problem();
        prepare(&mut problem, &tiny, &mut random);
        for model in models(&mut random, tiny.n_sites) {
            check(&problem, model, &format!("{label}, seed {seed}"));
        }
    }
}

#[test]
fn plain_models_are_optimal() {
    check_all("plain", 300, |_, _, _| {});
}

#[test]
fn a_limit_excludes_costs_above_it() {
    check_all("limit", 200, |problem, _, random| problem.limit = Some(random.random_range(0..30u32)));
}

#[test]
fn fixed_sites_stay_and_count() {
    check_all("fixed", 200, |problem, tiny, random| {
        problem.fixed = (0..tiny.n_sites as u32).filter(|_| random.random_range(0..4u32) == 0).collect();
    });
}

#[test]
fn site_costs_and_budgets_hold() {
    check_all("budget", 200, |problem, tiny, random| {
        problem.site_cost.clone_from(&tiny.site_cost);
        if random.random_range(0..3u32) > 0 {
            problem.budget = Some(random.random_range(1..20u64));
        }
    });
}

#[test]
fn groups_hold() {
    check_all("groups", 200, |problem, tiny, random| {
        for _ in 0..random.random_range(1..3u32) {
            let sites: Vec<u32> =
                (0..tiny.n_sites as u32).filter(|_| random.random_range(0..2u32) == 0).collect();
            let at_least = random.random_range(0..2usize);
            problem.groups.push(Group {
                sites,
                at_least,
                at_most: at_least + random.random_range(0..2usize),
            });
        }
    });
}

#[test]
fn spacing_holds() {
    check_all("spacing", 200, |problem, tiny, random| {
        for one in 0..tiny.n_sites as u32 {
            for other in one + 1..tiny.n_sites as u32 {
                if random.random_range(0..4u32) == 0 {
                    problem.too_close.push((one, other));
                }
            }
        }
    });
}

#[test]
fn existing_stations_close_and_move() {
    check_all("existing", 200, |problem, tiny, random| {
        let (mut places, mut left) = (Vec::new(), Vec::new());
        for site in 0..tiny.n_sites as u32 {
            match random.random_range(0..4u32) {
                0 => left.push(site),
                1 => places.push(site),
                _ => {}
            }
        }
        for (index, &site) in left.iter().enumerate() {
            let moves = index % 2 == 0;
            let change = if moves { Change::MoveTo(places.clone()) } else { Change::Close };
            problem.existing.push(Existing { site, change });
        }
        problem.max_closed = Some(random.random_range(0..2usize));
    });
}

#[test]
fn backup_cover_needs_two_sites() {
    check_all("backup", 200, |problem, _, _| problem.backup = Backup::Second);
}

/// Weight covered, walks and money of a choice of sites; `None` if it breaks a condition.
fn goals_of(problem: &Problem, p: usize, chosen: u32) -> Option<(u64, u64, u64)> {
    let covered = value_of(problem, Model::MaxCover { p: Some(p) }, chosen)?;
    let times = if problem.backup == Backup::Second { 2 } else { 1 };
    let mut walks = 0;
    for demand in 0..problem.table.n_demand() {
        let mut costs = costs_of(problem, demand, chosen);
        costs.sort_unstable();
        if times <= costs.len() {
            walks += problem.weight(demand) * costs[..times].iter().map(|&cost| u64::from(cost)).sum::<u64>();
        }
    }
    let money = (0..problem.table.n_sites()).filter(|&site| chosen >> site & 1 == 1);
    Some((covered, walks, money.map(|site| u64::from(problem.site_cost[site])).sum()))
}

#[test]
fn cover_comes_first_then_walks_then_money() {
    let mut cheaper = 0;
    for seed in 0..300u64 {
        let mut tiny = Tiny::new(seed, 9, 8);
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed ^ 0x7e);
        // Few different walks, so that there are ties for money to decide.
        let few = random.random_range(1..5u32);
        tiny.cost.iter_mut().filter(|cost| **cost != UNREACHED).for_each(|cost| *cost = 1 + *cost % few);
        let mut problem = tiny.problem();
        problem.site_cost.clone_from(&tiny.site_cost);
        if seed % 3 == 1 {
            problem.backup = Backup::Second;
        }
        if seed % 3 == 2 && 1 < tiny.n_sites {
            problem.too_close.push((0, 1));
        }
        let p = random.random_range(1..=tiny.n_sites);
        let plain = max_cover(&problem, Some(p), &Options::default()).expect("an answer");
        // Walks and money may not ask for more sites than cover needs.
        let most = plain.sites.len();
        let all = (0u32..1 << tiny.n_sites).filter(|chosen| chosen.count_ones() as usize <= most);
        let all: Vec<(u64, u64, u64)> = all.filter_map(|chosen| goals_of(&problem, p, chosen)).collect();
        let best =
            all.iter().min_by_key(|goals| (std::cmp::Reverse(goals.0), goals.1, goals.2)).expect("one");
        let goals = |problem: &Problem, then: Then| {
            let problem = Problem { then, ..problem.clone() };
            let answer = max_cover(&problem, Some(p), &Options::default()).expect("an answer");
            let chosen = answer.sites.iter().fold(0u32, |chosen, &site| chosen | 1 << site);
            assert_eq!(answer.then_proven, Some(true), "seed {seed}");
            goals_of(&problem, p, chosen).expect("conditions hold")
        };
        let nearest = goals(&problem, Then::Nearest);
        assert_eq!((nearest.0, nearest.1), (best.0, best.1), "seed {seed}");
        let cheapest = goals(&problem, Then::NearestThenCheapest { slack: 0 });
        assert_eq!(cheapest, *best, "seed {seed}");
        cheaper += usize::from(cheapest.2 < nearest.2);
        let slack = random.random_range(1..40u64);
        let loose = goals(&problem, Then::NearestThenCheapest { slack });
        assert!(loose.0 == best.0 && loose.1 <= best.1 + slack, "seed {seed}: {loose:?}");
        let least = all.iter().filter(|goals| goals.0 == best.0 && goals.1 <= best.1 + slack);
        assert_eq!(least.map(|goals| goals.2).min().expect("one"), loose.2, "seed {seed}");
    }
    assert!(10 < cheaper, "money decided in {cheaper} of 300 only");
}

#[test]
fn a_cover_of_least_cost_has_the_shortest_walks_of_all_such_covers() {
    let mut shorter = 0;
    for seed in 0..200u64 {
        let mut tiny = Tiny::new(seed, 9, 8);
        // Some sites are free, and many cost the same.
        tiny.site_cost.iter_mut().for_each(|cost| *cost %= 3);
        let mut problem = tiny.problem();
        problem.site_cost.clone_from(&tiny.site_cost);
        let Some(cost) = brute_force(&problem, Model::SetCover) else { continue };
        let all = (0u32..1 << tiny.n_sites).filter_map(|chosen| {
            let goals = goals_of(&problem, tiny.n_sites, chosen)?;
            (value_of(&problem, Model::SetCover, chosen) == Some(cost)).then_some(goals.1)
        });
        let least = all.min().expect("the best cover is one");
        let walks = |then: Then| {
            let problem = Problem { then, ..problem.clone() };
            let answer = set_cover(&problem, &Options::default()).expect("a cover");
            assert_eq!(answer.objective, cost, "seed {seed}");
            let chosen = answer.sites.iter().fold(0u32, |chosen, &site| chosen | 1 << site);
            goals_of(&problem, tiny.n_sites, chosen).expect("conditions hold").1
        };
        assert_eq!(walks(Then::Nearest), least, "seed {seed}");
        shorter += usize::from(least < walks(Then::Nothing));
    }
    assert!(10 < shorter, "walks decided in {shorter} of 200 only");
}

#[test]
fn heavy_weights_leave_the_second_goal_as_it_is() {
    let cost = [5, 9, 1, 9, 5, 1];
    let mut problem = Problem::new(Table::dense(2, 3, &cost).expect("2 by 3"));
    problem.weights = vec![250_000_000; 2];
    problem.then = Then::Nearest;
    let answer = max_cover(&problem, Some(1), &Options::default()).expect("an answer");
    assert_eq!((answer.sites, answer.then_proven), (vec![2], Some(true)));
}

#[test]
fn a_center_under_capacities_and_rules_is_found_where_there_is_one() {
    // Site 2 serves the first point, site 1 the second, both at cost 0.
    let cost = [UNREACHED, UNREACHED, 0, 2, 0, UNREACHED];
    let mut problem = Problem::new(Table::dense(2, 3, &cost).expect("2 by 3"));
    problem.capacity = vec![84, 39, 146];
    problem.groups.push(Group { sites: vec![0, 2], at_least: 0, at_most: 1 });
    for effort in [Effort::Quick, Effort::Full, Effort::Proof] {
        let answer = p_center(&problem, 2, &Options { effort, ..Options::default() }).expect("an answer");
        assert_eq!((answer.sites, answer.objective), (vec![1, 2], 0), "{effort:?}");
    }
    // Nobody needs service, but two sites must be open.
    problem.weights = vec![0, 0];
    problem.groups = vec![Group { sites: vec![0, 1, 2], at_least: 2, at_most: 3 }];
    let answer = p_center(&problem, 2, &Options::default()).expect("an answer");
    assert_eq!((answer.sites.len(), answer.objective), (2, 0));
}

#[test]
#[cfg(feature = "highs")]
fn capacities_hold() {
    for seed in 0..120 {
        let tiny = Tiny::new(seed, 6, 5);
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed ^ 0x51);
        let mut problem = tiny.problem();
        problem.capacity = (0..tiny.n_sites).map(|_| random.random_range(4..25u64)).collect();
        for model in models(&mut random, tiny.n_sites) {
            check(&problem, model, &format!("capacity, seed {seed}"));
        }
    }
}

/// What the objective loses (is worse by) with other sites; none if they are no answer.
fn loss_of(problem: &Problem, model: Model, objective: u64, chosen: u32) -> Option<u64> {
    let value = value_of(problem, model, chosen)?;
    Some(if model.maximizes() { objective.saturating_sub(value) } else { value.saturating_sub(objective) })
}

#[test]
fn every_site_says_what_is_lost_without_it_and_who_comes_next() {
    for seed in 0..200 {
        let tiny = Tiny::new(seed, 8, 6);
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed ^ 0x77);
        let mut problem = tiny.problem();
        if seed % 4 == 1 {
            problem.backup = Backup::Second;
        }
        if seed % 4 == 2 {
            problem.too_close = (1..tiny.n_sites as u32).map(|site| (site - 1, site)).collect();
        }
        let limited = cfg!(feature = "highs") && seed % 4 == 3;
        if limited {
            problem.capacity = (0..tiny.n_sites).map(|_| random.random_range(8..40u64)).collect();
        }
        for model in models(&mut random, tiny.n_sites) {
            let Ok(answer) = solve(&problem, model, &Options::default()) else { continue };
            let chosen = answer.sites.iter().fold(0u32, |chosen, &site| chosen | 1 << site);
            let loss = |chosen: u32| loss_of(&problem, model, answer.objective, chosen);
            for reason in &answer.reasons {
                let label = format!("seed {seed}, {model:?}, site {} of {:?}", reason.site, answer.sites);
                let without = chosen & !(1 << reason.site);
                let closed = (0..tiny.n_sites as u32).filter(|site| chosen >> site & 1 == 0);
                let others: Vec<Option<u64>> = closed.map(|site| loss(without | 1 << site)).collect();
                let best = others.iter().flatten().min().copied();
                if limited {
                    // The greedy assignment may lose more than it must, never less.
                    assert!(reason.loss.is_none_or(|found| loss(without) <= Some(found)), "{label}");
                    let named = reason.runner_up.and_then(|runner_up| runner_up.1);
                    assert!(named.is_none_or(|named| best <= Some(named)), "{label}");
                } else {
                    assert_eq!(reason.loss, loss(without), "{label}");
                    assert_eq!(reason.runner_up.and_then(|runner_up| runner_up.1), best, "{label}");
                }
            }
        }
    }
}

#[test]
fn a_runner_up_keeps_every_condition() {
    let mut named = 0;
    for seed in 0..300u64 {
        let tiny = Tiny::new(seed, 8, 7);
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed ^ 0x2e);
        let mut problem = tiny.problem();
        let n_sites = tiny.n_sites as u32;
        problem.too_close = (1..n_sites).filter(|site| site % 2 == 0).map(|site| (site - 1, site)).collect();
        problem.groups.push(Group { sites: (0..n_sites / 2).collect(), at_least: 0, at_most: 1 });
        if seed % 2 == 0 {
            problem.fixed = vec![n_sites - 1];
        }
        if cfg!(feature = "highs") && seed % 3 == 0 {
            problem.capacity = (0..n_sites).map(|_| random.random_range(8..40u64)).collect();
        }
        for model in models(&mut random, tiny.n_sites) {
            let Ok(answer) = solve(&problem, model, &Options::default()) else { continue };
            let chosen = answer.sites.iter().fold(0u32, |chosen, &site| chosen | 1 << site);
            for reason in &answer.reasons {
                let Some((site, loss)) = reason.runner_up else { continue };
                let label =
                    format!("seed {seed}, {model:?}: {site} for {} of {:?}", reason.site, answer.sites);
                assert!(!problem.fixed.contains(&reason.site), "{label}");
                let instead = chosen & !(1 << reason.site) | 1 << site;
                // Cover aside, which a runner-up may lose: rules alone, as in a problem without demand.
                let rules = Problem { weights: vec![0; tiny.n_demand], ..problem.clone() };
                assert!(value_of(&rules, model, instead).is_some(), "{label}");
                assert!(loss.is_none() || value_of(&problem, model, instead).is_some(), "{label}");
                named += 1;
            }
        }
    }
    assert!(100 < named, "{named} runners-up only");
}

/// Points scattered over a square, walks as the crow flies, whole numbers.
fn scattered(seed: u64, n: usize, across: u32) -> Vec<u32> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let points: Vec<(f64, f64)> = (0..n)
        .map(|_| (f64::from(random.random_range(0..across)), f64::from(random.random_range(0..across))))
        .collect();
    let walk = |one: &(f64, f64), other: &(f64, f64)| (one.0 - other.0).hypot(one.1 - other.1) as u32;
    points.iter().flat_map(|one| points.iter().map(move |other| walk(one, other))).collect()
}

#[test]
#[cfg(feature = "highs")]
fn p_medians_of_a_few_hundred_points_are_proven() {
    // Coarse costs have many ties, hence larger trees, in which the linear relaxation takes over.
    for (seed, n, p, across) in [(1, 220, 22, 40), (2, 200, 8, 1_000), (3, 240, 60, 30)] {
        let cost = scattered(seed, n, across);
        let mut problem = Problem::new(Table::dense(n, n, &cost).expect("square"));
        problem.weights = (0..n as u32).map(|point| 1 + point % 5).collect();
        let answer = p_median(&problem, p, &Options::default()).expect("an answer");
        assert!(answer.proven && answer.certified, "seed {seed}: {} {}", answer.objective, answer.bound);
        let model = Model::PMedian { p };
        assert_eq!(certificate::check(&problem, model, &answer.certificate), answer.objective);
    }
}

#[test]
fn threads_and_repeats_change_nothing() {
    let tiny = Tiny::new(77, 60, 25);
    let problem = tiny.problem();
    let options = Options { seed: 5, ..Options::default() };
    let first = max_cover(&problem, Some(4), &options).expect("an answer");
    let other = std::thread::scope(|scope| {
        let run = || max_cover(&problem, Some(4), &options).expect("an answer");
        scope.spawn(run).join().expect("no panic")
    });
    assert_eq!(first, other);
}

#[test]
fn a_forged_certificate_proves_no_more_than_is_true() {
    for seed in 0..50 {
        let tiny = Tiny::new(seed, 9, 7);
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let problem = tiny.problem();
        for model in models(&mut random, tiny.n_sites) {
            let Ok(mut answer) = solve(&problem, model, &Options::default()) else { continue };
            for dual in &mut answer.certificate.duals {
                dual.demand.iter_mut().for_each(|u| *u = random.random_range(0..1u64 << 26));
            }
            let last = tiny.n_sites as u32 - 1;
            let point = random.random_range(0..tiny.n_demand as u32);
            answer.certificate.reductions.extend([
                certificate::Reduction::Site { site: 0, by: last },
                certificate::Reduction::Point { point, by: tiny.n_demand as u32 - 1 },
                certificate::Reduction::Site { site: last, by: 0 },
            ]);
            let bound = certificate::check(&problem, model, &answer.certificate);
            let honest =
                if model.maximizes() { answer.objective <= bound } else { bound <= answer.objective };
            assert!(honest, "seed {seed}, {model:?}: {bound} against {}", answer.objective);
        }
    }
}

/// Three points, each pair of them sharing a site: half of every site serves all, whole ones need two.
fn triangle() -> Vec<u32> {
    vec![0, 0, UNREACHED, UNREACHED, 0, 0, 0, UNREACHED, 0]
}

#[test]
fn a_lemma_rounds_what_rows_add_up_to() {
    use certificate::{Certificate, Lemma, Multipliers, Step};
    let cost = triangle();
    let problem = Problem::new(Table::dense(3, 3, &cost).expect("sizes agree"));
    // Half of every row: each site once, at least 1.5, in whole sites 2.
    let half = Multipliers { demand: vec![512; 3], ..Multipliers::default() };
    let rows = Certificate {
        scale_bits: 10,
        duals: vec![half.clone()],
        steps: vec![Step::Leaf { dual: 0, sites: 0 }],
        ..Certificate::default()
    };
    assert_eq!(certificate::check(&problem, Model::SetCover, &rows), 2);
    // Costs of 1 unit of 2^-10 as a lemma: the sum of half the rows proves 1.5 units only, which rounds to nothing here;
    // used 1,024 times it is the bound of the rows.
    let unit = Multipliers { demand: vec![512 * 1024; 3], ..Multipliers::default() };
    let lemma = Lemma { cost: vec![(0, 1 << 20), (1, 1 << 20), (2, 1 << 20)], steps: rows.steps.clone() };
    let joined = Certificate {
        scale_bits: 20,
        duals: vec![unit, Multipliers { rules: vec![(0, 1)], ..Multipliers::default() }],
        lemmas: vec![lemma.clone()],
        steps: vec![Step::Leaf { dual: 1, sites: 0 }],
        ..Certificate::default()
    };
    assert_eq!(certificate::check(&problem, Model::SetCover, &joined), 2);
    // Counted three times the sites cost less than the lemma asks for, which the bound pays back.
    let mut greedy = joined.clone();
    greedy.duals[1].rules = vec![(0, 3)];
    assert!(certificate::check(&problem, Model::SetCover, &greedy) <= 2);
    // A lemma on sites that are not there, or with a tree cut short, proves nothing.
    let mut broken = joined.clone();
    broken.lemmas[0].steps = vec![Step::Branch { site: 0, open_first: true }];
    assert_eq!(certificate::check(&problem, Model::SetCover, &broken), 0);
    // Other models know nothing of lemmas.
    assert_eq!(certificate::check(&problem, Model::PMedian { p: 1 }, &joined), 0);
}

#[test]
fn forged_lemmas_prove_no_more_than_is_true() {
    use certificate::{Certificate, Lemma, Multipliers, Step};
    for seed in 0..400u64 {
        let tiny = Tiny::new(seed, 9, 7);
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed ^ 0x1e);
        let mut problem = tiny.problem();
        if seed % 2 == 0 {
            problem.site_cost.clone_from(&tiny.site_cost);
        }
        let model = if seed % 5 == 0 { Model::MaxCover { p: Some(2) } } else { Model::SetCover };
        let Ok(answer) = solve(&problem, model, &Options::default()) else { continue };
        let mut any = |most: u64| random.random_range(0..most);
        let (n_demand, n_sites) = (tiny.n_demand as u64, tiny.n_sites as u64);
        let duals = (0..6).map(|_| Multipliers {
            demand: if any(2) == 0 { Vec::new() } else { (0..n_demand).map(|_| any(3 << 10)).collect() },
            few: (0..any(4)).map(|_| (any(n_demand + 1) as u32, any(3 << 10))).collect(),
            rules: (0..any(3)).map(|_| (any(4) as u32, any(3))).collect(),
        });
        let duals = duals.collect();
        let mut tree = || match any(3) {
            0 => vec![Step::Leaf { dual: any(7) as usize, sites: 0 }],
            1 => vec![
                Step::Branch { site: any(n_sites) as u32, open_first: any(2) == 0 },
                Step::Leaf { dual: any(6) as usize, sites: 0 },
                Step::Leaf { dual: any(6) as usize, sites: any(9) },
            ],
            _ => vec![
                Step::Fix {
                    dual: any(6) as usize,
                    sites: 0,
                    fixed: vec![(any(n_sites) as u32, any(2) == 0)],
                },
                Step::Leaf { dual: any(6) as usize, sites: 0 },
            ],
        };
        let (first, second, steps) = (tree(), tree(), tree());
        let mut cost = || (0..any(n_sites + 2)).map(|_| (any(n_sites + 1) as u32, any(3 << 10))).collect();
        let lemmas = vec![Lemma { cost: cost(), steps: first }, Lemma { cost: cost(), steps: second }];
        let forged = Certificate { scale_bits: 10, duals, lemmas, steps, ..Certificate::default() };
        let bound = certificate::check(&problem, model, &forged);
        let honest = if model.maximizes() { answer.objective <= bound } else { bound <= answer.objective };
        assert!(honest, "seed {seed}, {model:?}: {bound} against {}", answer.objective);
    }
}

#[test]
fn the_clock_stops_the_search_with_an_honest_answer() {
    let tiny = Tiny::new(3, 200, 80);
    let problem = tiny.problem();
    let options = Options { time_limit: Some(std::time::Duration::ZERO), ..Options::default() };
    let answer = max_cover(&problem, Some(9), &options).expect("an answer");
    assert!(answer.stopped && answer.objective <= answer.bound);
    let cancel = || true;
    let options = Options { cancel: Some(&cancel), ..Options::default() };
    assert!(max_cover(&problem, Some(9), &options).expect("an answer").stopped);
}

#[test]
fn all_conditions_hold_together() {
    check_all("together", 150, |problem, tiny, random| {
        problem.site_cost.clone_from(&tiny.site_cost);
        problem.budget = Some(random.random_range(4..25u64));
        problem.limit = Some(random.random_range(10..30u32));
        if random.random_range(0..2u32) == 0 {
            problem.backup = Backup::Second;
        }
        let n_sites = tiny.n_sites as u32;
        problem.fixed = (0..n_sites).filter(|site| site % 5 == 3).collect();
        if n_sites > 2 {
            problem.too_close.push((0, n_sites - 1));
            problem.existing.push(Existing { site: 0, change: Change::Close });
            problem.existing.push(Existing { site: 1, change: Change::MoveTo(vec![2]) });
            problem.max_closed = Some(random.random_range(0..2usize));
            problem.groups.push(Group { sites: (0..n_sites).step_by(2).collect(), at_least: 1, at_most: 3 });
        }
    });
}

#[test]
#[cfg(feature = "highs")]
fn capacities_hold_under_every_other_condition() {
    for seed in 0..60 {
        let tiny = Tiny::new(seed, 6, 5);
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed ^ 0xa7);
        let mut problem = tiny.problem();
        problem.capacity = (0..tiny.n_sites).map(|_| random.random_range(6..30u64)).collect();
        problem.site_cost.clone_from(&tiny.site_cost);
        problem.budget = Some(random.random_range(6..25u64));
        problem.fixed = (0..tiny.n_sites as u32).filter(|_| random.random_range(0..5u32) == 0).collect();
        if tiny.n_sites > 2 {
            problem.too_close.push((0, 2));
            problem.groups.push(Group { sites: vec![0, 1], at_least: 1, at_most: 2 });
        }
        for model in models(&mut random, tiny.n_sites) {
            check(&problem, model, &format!("capacity and rules, seed {seed}"));
        }
    }
}

#[test]
fn frontiers_lie_between_what_is_possible_and_their_bounds() {
    for seed in 0..60 {
        let tiny = Tiny::new(seed, 9, 7);
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed ^ 0x33);
        let mut problem = tiny.problem();
        problem.site_cost.clone_from(&tiny.site_cost);
        if seed % 2 == 0 {
            problem.capacity = (0..tiny.n_sites).map(|_| random.random_range(4..25u64)).collect();
        }
        let points = frontier(&problem, 0..=tiny.n_sites, &Options::default()).expect("a curve");
        assert!(points.windows(2).all(|pair| pair[0].objective <= pair[1].objective), "seed {seed}");
        for point in &points {
            let best = brute_force(&problem, Model::MaxCover { p: Some(point.p) }).expect("an answer");
            assert!(point.objective <= best && best <= point.bound, "seed {seed}: {point:?} against {best}");
            assert!(point.sites.len() <= point.p);
        }
        problem.capacity.clear();
        let budgets: Vec<u64> = (0..20).step_by(4).collect();
        for (point, &budget) in
            budget_frontier(&problem, &budgets, &Options::default()).expect("a curve").iter().zip(&budgets)
        {
            let paid = Problem { budget: Some(budget), ..problem.clone() };
            let best = brute_force(&paid, Model::MaxCover { p: None }).expect("an answer");
            assert_eq!((point.objective, point.bound), (best, best), "seed {seed}, budget {budget}");
            assert!(point.cost.is_some_and(|cost| cost <= budget));
        }
    }
}

#[test]
fn frontiers_keep_the_rules() {
    for seed in 0..60 {
        let tiny = Tiny::new(seed, 8, 6);
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed ^ 0x2f);
        let n_sites = tiny.n_sites as u32;
        let mut problem = tiny.problem();
        problem.fixed = (0..n_sites).filter(|site| site % 5 == 4).collect();
        match seed % 3 {
            0 => problem.groups.push(Group {
                sites: (0..n_sites).collect(),
                at_least: tiny.n_sites.min(2),
                at_most: 4,
            }),
            1 if 1 < n_sites => {
                let to = (2..n_sites.min(4)).collect();
                problem.existing.push(Existing { site: 0, change: Change::MoveTo(to) });
            }
            _ => problem.too_close.extend((1..n_sites).map(|site| (0, site)).filter(|pair| pair.1 % 5 != 4)),
        }
        if seed % 2 == 1 {
            problem.capacity = (0..n_sites).map(|_| random.random_range(4..25u64)).collect();
        }
        let best = |p: usize| brute_force(&problem, Model::MaxCover { p: Some(p) });
        let points = frontier(&problem, 0..=tiny.n_sites, &Options::default()).expect("a curve");
        let expected: Vec<(usize, u64)> =
            (0..=tiny.n_sites).filter_map(|p| best(p).map(|best| (p, best))).collect();
        let found: Vec<(usize, u64)> = points.iter().map(|point| (point.p, point.objective)).collect();
        assert_eq!(found, expected, "seed {seed}: {problem:?}");
        for point in &points {
            let chosen = point.sites.iter().fold(0u32, |chosen, &site| chosen | 1 << site);
            let value = value_of(&problem, Model::MaxCover { p: Some(point.p) }, chosen);
            assert_eq!(value, Some(point.objective), "seed {seed}: {point:?}");
        }
        problem.site_cost.clone_from(&tiny.site_cost);
        let budgets: Vec<u64> = (0..30).step_by(3).collect();
        let best = |&budget: &u64| {
            let paid = Problem { budget: Some(budget), ..problem.clone() };
            brute_force(&paid, Model::MaxCover { p: None })
        };
        let expected: Vec<u64> = budgets.iter().filter_map(best).collect();
        match budget_frontier(&problem, &budgets, &Options::default()) {
            Ok(points) => {
                let found: Vec<u64> = points.iter().map(|point| point.objective).collect();
                assert_eq!(found, expected, "seed {seed}: {problem:?}");
            }
            Err(error) => assert!(expected.is_empty(), "seed {seed}: {error}"),
        }
    }
}

#[test]
fn answers_are_no_worse_than_greedy_and_no_better_than_the_bound() {
    for seed in 0..20 {
        let tiny = Tiny::new(seed, 120, 40);
        let mut problem = tiny.problem();
        problem.limit = Some(8);
        let p = 1 + tiny.n_sites / 6;
        let answer = max_cover(&problem, Some(p), &Options::default()).expect("an answer");
        assert!(answer.objective <= answer.bound);
        assert!(greedy_cover(&problem, p) <= answer.objective, "seed {seed}");
        // One more site never covers less.
        let more =
            max_cover(&problem, Some((p + 1).min(tiny.n_sites)), &Options::default()).expect("an answer");
        assert!(answer.objective <= more.bound && answer.objective <= more.objective, "seed {seed}");
    }
}

/// Weight covered by adding the site that adds most, p times.
fn greedy_cover(problem: &Problem, p: usize) -> u64 {
    let mut covered = vec![false; problem.table.n_demand()];
    let mut total = 0;
    for _ in 0..p {
        let mut gain = vec![0u64; problem.table.n_sites()];
        let each = |demand: usize, visit: &mut dyn FnMut(u32)| {
            problem.table.visit_row(demand, |site, cost| {
                if problem.limit.is_none_or(|limit| cost <= limit) {
                    visit(site);
                }
            });
        };
        for demand in (0..covered.len()).filter(|&demand| !covered[demand]) {
            each(demand, &mut |site| gain[site as usize] += problem.weight(demand));
        }
        let Some(best) = (0..gain.len()).max_by_key(|&site| (gain[site], std::cmp::Reverse(site))) else {
            break;
        };
        total += gain[best];
        for (demand, is_covered) in covered.iter_mut().enumerate() {
            each(demand, &mut |site| *is_covered |= site as usize == best);
        }
    }
    total
}

#[test]
fn arrays_of_the_wrong_length_are_named() {
    let tiny = Tiny::new(1, 9, 7);
    type Spoil = fn(&mut Problem);
    let wrong: [(&str, Spoil); 4] = [
        ("capacity", |problem| problem.capacity = vec![1; 99]),
        ("weights", |problem| problem.weights = vec![1; 99]),
        ("site_cost", |problem| problem.site_cost = vec![1; 99]),
        ("fixed", |problem| problem.fixed = vec![99]),
    ];
    for (name, spoil) in wrong {
        let mut problem = tiny.problem();
        spoil(&mut problem);
        for model in [
            Model::SetCover,
            Model::MaxCover { p: Some(1) },
            Model::PMedian { p: 1 },
            Model::PCenter { p: 1 },
        ] {
            match solve(&problem, model, &Options::default()) {
                Err(SitingError::BadField { field, .. }) => assert_eq!(field, name),
                other => panic!("{name}, {model:?}: {other:?}"),
            }
        }
    }
}
