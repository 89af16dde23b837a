//! A tier's goal → its stations.

use super::explain::answer;
use super::setting::{Setting, Standing, Walks};
use super::{TierAnswer, TierGoal, TierNote, TierTask};
use crate::siting::{
    Effort, Options, Problem, Siting, SitingError, max_cover, p_center, p_median, runners_up,
};

/// Plans one tier with the stations of wider ones that serve it too. Where a community gets its one station, `eye_on`
/// is the nearer limit that decides between places that serve as many.
pub(super) fn plan_tier(
    task: &TierTask,
    tier: usize,
    wider: &[u32],
    eye_on: Option<u32>,
    options: &Options,
) -> Result<TierAnswer, SitingError> {
    let rule = &task.rules[tier];
    let standing = match rule.goal {
        TierGoal::KeepExisting | TierGoal::OnePerCommunity => Standing::Stays,
        _ => Standing::MayChange,
    };
    let mut notes = Vec::new();
    let walks = if rule.goal.is_of_walks() { Walks::All } else { Walks::WithinLimit };
    let setting = Setting::new(task, tier, wider, (standing, walks), &mut notes);
    let problem = setting.problem(task);
    let n_standing = setting.fixed.len() + setting.changeable.len();
    let mut best_per_goal = true;
    let siting = match rule.goal {
        TierGoal::KeepExisting => {
            let mut only = problem.clone();
            only.groups.clear();
            max_cover(&only, Some(n_standing), options)
        }
        TierGoal::Count(new) | TierGoal::ShortestWalks(new) | TierGoal::ShortestFarthest(new) => {
            let p = (n_standing + new).min(setting.site_of.len());
            enough_for_communities(task, &setting, p).and_then(|()| match rule.goal {
                TierGoal::ShortestWalks(_) => p_median(&problem, p, options),
                TierGoal::ShortestFarthest(_) => p_center(&problem, p, options),
                _ => max_cover(&problem, Some(p), options),
            })
        }
        TierGoal::Budget(budget) => {
            max_cover(&with_budget(task, &setting, problem.clone(), budget), None, options)
        }
        TierGoal::Coverage(share) => {
            let found = fewest_for(task, &setting, &problem, share, options, &mut notes);
            found.map(|(siting, fewest)| {
                best_per_goal = fewest;
                siting
            })
        }
        TierGoal::OnePerCommunity => {
            let sites = one_per_community(task, &setting, eye_on, &mut notes);
            let mut only = problem.clone();
            only.fixed = sites;
            only.groups.clear();
            only.too_close.clear();
            let p = only.fixed.len();
            let found = max_cover(&only, Some(p), options);
            found.map(|mut siting| {
                // The sites were given; what may take the place of one is another place of its community.
                let mut open = problem.clone();
                open.groups = setting.as_many_in_each(task, &siting.sites);
                let runners_up = runners_up(&open, p, &siting);
                for (reason, runner_up) in siting.reasons.iter_mut().zip(runners_up) {
                    reason.runner_up = runner_up;
                }
                siting
            })
        }
    };
    let siting = siting.map_err(|error| of_tier(&rule.name, error))?;
    Ok(answer(task, &setting, &problem, &siting, best_per_goal, notes))
}

/// A contradiction names its tier.
fn of_tier(tier: &str, error: SitingError) -> SitingError {
    match error {
        SitingError::Infeasible { reason } => {
            SitingError::Infeasible { reason: format!("{reason}, in tier {tier}") }
        }
        other => other,
    }
}

/// Whether `p` stations suffice for what stays and for what the communities are owed.
fn enough_for_communities(task: &TierTask, setting: &Setting, p: usize) -> Result<(), SitingError> {
    let least = setting.least_stations(task);
    if least <= p {
        return Ok(());
    }
    let reason = format!(
        "{} stations in each community: {least} stations are needed and {p} allowed; allow more or ask for fewer",
        task.rules[setting.tier].least_per_community
    );
    Err(SitingError::Infeasible { reason })
}

/// New stations pay, standing ones do not.
pub(super) fn with_budget<'a>(
    task: &TierTask,
    setting: &Setting,
    mut problem: Problem<'a>,
    budget: u64,
) -> Problem<'a> {
    let costs = setting.site_of.iter().enumerate();
    let cost = |(column, &site): (usize, &u32)| {
        if setting.stands(column as u32) { 0 } else { task.sites[site as usize].cost }
    };
    problem.site_cost = costs.map(cost).collect();
    problem.budget = Some(budget);
    problem
}

/// The fewest stations for a share, by bisection over the number; and whether fewer are proven too few.
fn fewest_for(
    task: &TierTask,
    setting: &Setting,
    problem: &Problem,
    share: f64,
    options: &Options,
    notes: &mut Vec<TierNote>,
) -> Result<(Siting, bool), SitingError> {
    let total: u64 = task.households.iter().map(|&households| u64::from(households)).sum();
    let wanted = (share * total as f64 - 1e-9).ceil() as u64;
    let least = setting.least_stations(task);
    let quick = Options { effort: options.effort.min(Effort::Quick), ..*options };
    let all = max_cover(problem, Some(setting.site_of.len()), &quick)?;
    if all.objective < wanted {
        notes.push(TierNote::GoalOutOfReach {
            tier: task.rules[setting.tier].name.clone(),
            households: all.objective,
            wanted,
        });
        return Ok((all, false));
    }
    // Greedy opening says about how many are needed; the exact number is settled around it.
    let (mut low, mut high) = (least, all.sites.len().max(least));
    let mut best = all;
    while low < high {
        let middle = low + (high - low) / 2;
        let siting = max_cover(problem, Some(middle), &quick)?;
        if wanted <= siting.objective {
            high = siting.sites.len().min(middle);
            best = siting;
        } else {
            low = middle + 1;
        }
    }
    let mut fewest = high == least;
    while least < high {
        let siting = max_cover(problem, Some(high - 1), options)?;
        if siting.objective < wanted {
            fewest = siting.bound < wanted;
            break;
        }
        high = siting.sites.len().min(high - 1);
        best = siting;
        fewest = high == least;
    }
    // Among choices of that many stations, the one that covers most.
    if quick.effort < options.effort {
        let siting = max_cover(problem, Some(high.max(least)), options)?;
        if best.objective <= siting.objective {
            best = siting;
        }
    }
    Ok((best, fewest))
}

/// Per community its one station: the place that covers most of its households, then, with an eye on a nearer limit,
/// most within that, then the shortest walks, then cost.
fn one_per_community(
    task: &TierTask,
    setting: &Setting,
    eye_on: Option<u32>,
    notes: &mut Vec<TierNote>,
) -> Vec<u32> {
    let rule = &task.rules[setting.tier];
    let mut sites = setting.fixed.clone();
    let columns = setting.by_community(task);
    // Households and household-walks of each column within its own community.
    let mut covered = vec![0u64; setting.site_of.len()];
    let mut walked = vec![0u64; setting.site_of.len()];
    let mut close_by = vec![0u64; setting.site_of.len()];
    for demand in 0..task.households.len() {
        let range = setting.indptr[demand] as usize..setting.indptr[demand + 1] as usize;
        for entry in range {
            let column = setting.indices[entry] as usize;
            let own = task.sites[setting.site_of[column] as usize].community;
            if eye_on.is_some_and(|limit| setting.cost[entry] <= limit) {
                close_by[column] += u64::from(task.households[demand]);
            }
            if own.is_some() && own == task.community[demand] {
                let households = u64::from(task.households[demand]);
                covered[column] += households;
                walked[column] += households * u64::from(setting.cost[entry]);
            }
        }
    }
    let mut communities: Vec<u32> = task.community.iter().flatten().copied().collect();
    communities.sort_unstable();
    communities.dedup();
    for community in communities {
        let places = columns.get(&community).map_or(&[][..], Vec::as_slice);
        let stands = |column: &&u32| {
            task.sites[setting.site_of[**column as usize] as usize].existing == Some(setting.tier)
        };
        let standing = places.iter().filter(stands).count();
        if standing > 1 {
            notes.push(TierNote::TooManyExisting { community, found: standing, tier: rule.name.clone() });
        }
        if standing > 0 {
            continue;
        }
        let free = places.iter().copied().filter(|&column| !setting.wider[column as usize]);
        let key = |&column: &u32| {
            let at = column as usize;
            (
                std::cmp::Reverse((covered[at], close_by[at])),
                walked[at],
                task.sites[setting.site_of[at] as usize].cost,
                column,
            )
        };
        match free.min_by_key(key) {
            Some(column) => sites.push(column),
            None => notes.push(TierNote::NoPlace { community, tier: rule.name.clone() }),
        }
    }
    sites.sort_unstable();
    sites
}
