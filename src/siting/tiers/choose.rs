//! A tier's goal → its stations.

use super::each::Each;
use super::explain::answer;
use super::setting::{Setting, Standing, Walks};
use super::{TierAnswer, TierGoal, TierNote, TierTask};
use crate::siting::certificate::check;
use crate::siting::{
    Clock, Effort, Group, Model, Options, Problem, Siting, SitingError, max_cover, p_center, p_median,
    runners_up,
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
            if p < n_standing + new {
                let (tier, places) = (rule.name.clone(), p - n_standing);
                notes.push(TierNote::FewPlacesInAll { tier, places, wanted: new });
            }
            enough_for_communities(task, &setting, p).and_then(|()| match rule.goal {
                TierGoal::ShortestWalks(_) => p_median(&problem, p, options),
                TierGoal::ShortestFarthest(_) => p_center(&problem, p, options),
                _ => max_cover(&problem, Some(p), options),
            })
        }
        TierGoal::Budget(budget) => {
            let count = of_unknown_cost(task, &setting).count();
            if 0 < count {
                notes.push(TierNote::UnknownCost { tier: rule.name.clone(), count });
            }
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
            let own = best_for_own(task, &setting, &mut notes);
            one_per_community(task, &setting, &problem, own, eye_on, options)
        }
    };
    let siting = siting.map_err(|error| {
        let name = rule.name.clone();
        SitingError::OfTier { tier, name, error: Box::new(error) }
    })?;
    Ok(answer(task, &setting, &problem, &siting, best_per_goal, notes))
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

/// New stations pay, standing ones do not; a place of unknown cost stays closed.
pub(super) fn with_budget<'a>(
    task: &TierTask,
    setting: &Setting,
    mut problem: Problem<'a>,
    budget: u64,
) -> Problem<'a> {
    let costs = setting.site_of.iter().enumerate();
    let cost = |(column, &site): (usize, &u32)| match task.sites[site as usize].cost {
        Some(cost) if !setting.stands(column as u32) => cost,
        _ => 0,
    };
    problem.site_cost = costs.map(cost).collect();
    problem.budget = Some(budget);
    let closed = |column| Group { sites: vec![column], at_least: 0, at_most: 0 };
    problem.groups.extend(of_unknown_cost(task, setting).map(closed));
    problem
}

/// Columns of new places that nobody knows the cost of.
fn of_unknown_cost(task: &TierTask, setting: &Setting) -> impl Iterator<Item = u32> {
    let columns = 0..setting.site_of.len() as u32;
    columns.filter(|&column| {
        let site = &task.sites[setting.site_of[column as usize] as usize];
        site.cost.is_none() && !setting.stands(column)
    })
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
    let mut all = max_cover(problem, Some(setting.site_of.len()), &quick)?;
    if all.objective < wanted && wanted <= all.bound {
        all = max_cover(problem, Some(setting.site_of.len()), options)?;
    }
    if all.objective < wanted {
        let tier = task.rules[setting.tier].name.clone();
        notes.push(match all.bound {
            households if households < wanted => TierNote::GoalOutOfReach { tier, households, wanted },
            _ => TierNote::GoalNotMet { tier, households: all.objective, wanted },
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

/// Entries of the table up to which the best choice is proven by the general search.
const EXACT_ENTRIES: usize = 2_000;

/// One station in each community such that all together cover most households, whichever community these live in,
/// then with the shortest walks.
///
/// `own` are columns that keep the rule, a start. With an eye on a nearer limit places are exchanged within their
/// communities, as long as nobody loses cover, for more households within that limit. Spacing does not count: it could
/// leave a community without its station.
fn one_per_community(
    task: &TierTask,
    setting: &Setting,
    problem: &Problem,
    own: Vec<u32>,
    eye_on: Option<u32>,
    options: &Options,
) -> Result<Siting, SitingError> {
    let p = own.len();
    let mut open = problem.clone();
    open.groups = setting.as_many_in_each(task, &own);
    open.too_close.clear();
    let given = |sites: Vec<u32>| {
        let mut only = open.clone();
        only.fixed = sites;
        only.groups.clear();
        max_cover(&only, Some(p), options)
    };
    let (together, bound, certificate) = if setting.indices.len() <= EXACT_ENTRIES {
        let found = max_cover(&open, Some(p), options)?;
        (found.sites, found.bound, found.certificate)
    } else {
        let (sites, certificate) = Each::new(&open, None).solve(own.clone(), &Clock::new(options));
        let bound = check(&open, Model::MaxCover { p: Some(p) }, &certificate);
        (sites, bound, certificate)
    };
    let mut best = given(together)?;
    let mut others = Vec::new();
    if eye_on.is_some() {
        let mut sites = best.sites.clone();
        Each::new(&open, eye_on).exchange(&mut sites);
        others.push(sites);
    }
    if !open.capacity.is_empty() {
        // What is best without capacities need not be so with them.
        others.push(own);
    }
    for sites in others {
        let other = given(sites)?;
        if best.objective < other.objective || (eye_on.is_some() && best.objective == other.objective) {
            best = other;
        }
    }
    best.certificate = certificate;
    best.bound = bound.max(best.objective);
    best.proven = best.bound == best.objective;
    best.gap = (best.bound - best.objective) as f64 / best.objective.max(1) as f64;
    // What may take the place of a station is another place of its community.
    let runners_up = runners_up(&open, p, &best);
    for (reason, runner_up) in best.reasons.iter_mut().zip(runners_up) {
        reason.runner_up = runner_up;
    }
    Ok(best)
}

/// Per community the place that covers most of its own households, then with the shortest walks, then the cheapest; with
/// the stations that stay.
fn best_for_own(task: &TierTask, setting: &Setting, notes: &mut Vec<TierNote>) -> Vec<u32> {
    let rule = &task.rules[setting.tier];
    let mut sites = setting.fixed.clone();
    let columns = setting.by_community(task);
    // Households and household-walks of each column within its own community.
    let mut covered = vec![0u64; setting.site_of.len()];
    let mut walked = vec![0u64; setting.site_of.len()];
    for demand in 0..task.households.len() {
        let range = setting.indptr[demand] as usize..setting.indptr[demand + 1] as usize;
        for entry in range {
            let column = setting.indices[entry] as usize;
            let own = task.sites[setting.site_of[column] as usize].community;
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
            notes.push(TierNote::TooManyExisting {
                community,
                found: standing,
                most: 1,
                tier: rule.name.clone(),
            });
        }
        if standing > 0 {
            continue;
        }
        let free = places.iter().copied().filter(|&column| !setting.wider[column as usize]);
        let key = |&column: &u32| {
            let at = column as usize;
            (
                std::cmp::Reverse(covered[at]),
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
