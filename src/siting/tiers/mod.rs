//! Stations level by level: city, regional, community, compound or outdoor station, stairwell corner.
//!
//! Every tier is planned from the widest to the nearest with its own rule ([`TierRule`]): walking limit, goal,
//! capacity, floor area. Stations that stand already are kept. A wider tier may also do a nearer tier's work
//! ([`TierRule::serves_lower`]); its stations then count as fixed sites of the nearer tier. The input is one table
//! of walking times, demand points by sites, so neither streets nor geometry are needed here.

mod choose;
mod each;
mod explain;
mod note;
mod setting;
mod suggest;

use super::certificate::Certificate;
use super::frontier::{FrontierPoint, budget_frontier, frontier};
use super::{Backup, Change, Options, SitingError, Table};

pub use note::TierNote;
pub use suggest::{Suggestion, suggest};

use choose::{plan_tier, with_budget};
use setting::{Setting, Standing, Walks};

/// What stands or could stand at one place.
#[derive(Clone, Debug, PartialEq)]
pub struct TierSite {
    /// The community it lies in, any numbering.
    pub community: Option<u32>,
    /// Tier (index into the rules) of the station that stands here already.
    pub existing: Option<usize>,
    /// Tiers (indices into the rules) a new station here could have; empty means every tier.
    pub suits: Vec<usize>,
    /// Floor area in m², if known.
    pub area: Option<f64>,
    /// Cost a year in whole money units, if known.
    pub cost: Option<u32>,
    /// Households it can serve, if limited.
    pub capacity: Option<u32>,
    /// What may happen to the station that stands here; `None` if it stays. Moves name sites of the task.
    pub change: Option<Change>,
}

impl TierSite {
    /// An empty place that suits every tier.
    #[must_use]
    pub const fn new(community: Option<u32>) -> Self {
        Self {
            community,
            existing: None,
            suits: Vec::new(),
            area: None,
            cost: None,
            capacity: None,
            change: None,
        }
    }
}

/// What a tier is asked to reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TierGoal {
    /// Only what stands already.
    KeepExisting,
    /// The fewest new stations such that this share of the households (0 to 1) is within the limit.
    Coverage(f64),
    /// The best coverage with at most so many new stations.
    Count(usize),
    /// So many new stations for the shortest walks in sum, households times walk (p-median).
    ShortestWalks(usize),
    /// So many new stations for the shortest longest walk (p-center).
    ShortestFarthest(usize),
    /// The best coverage whose new stations cost at most this in sum.
    Budget(u64),
    /// Exactly one station in every community: the place that covers most of its households, then the nearest.
    OnePerCommunity,
}

impl TierGoal {
    /// Whether walks beyond the limit count as well, so that the table must hold every walk there is.
    #[must_use]
    pub const fn is_of_walks(self) -> bool {
        matches!(self, Self::ShortestWalks(_) | Self::ShortestFarthest(_))
    }
}

/// The rule of one tier.
#[derive(Clone, Debug, PartialEq)]
pub struct TierRule {
    /// Name, for messages.
    pub name: String,
    /// Longest walk in the unit of the table (ms); exactly at the limit counts as reached.
    pub walk_limit: u32,
    /// What is asked.
    pub goal: TierGoal,
    /// Least floor area of a new station in m²; places of unknown area pass, with a note.
    pub least_area: Option<f64>,
    /// Households a station can serve where the site does not say.
    pub capacity: Option<u32>,
    /// Share of the households that use this tier (0 to 1]; capacities count only these.
    pub demand_share: f64,
    /// Whether stations of this tier also do the work of the tiers after it.
    pub serves_lower: bool,
    /// At most so many stations of this tier in a community.
    pub most_per_community: Option<usize>,
    /// At least so many stations of this tier in a community, or as many as it has places.
    pub least_per_community: usize,
    /// Pairs of sites that stand too close together for two stations of this tier.
    pub too_close: Vec<(u32, u32)>,
    /// Whether a household counts only with a second station within the limit.
    pub backup: Backup,
    /// At most so many of the stations that may close do; `None` sets no limit.
    pub most_closed: Option<usize>,
}

impl TierRule {
    /// A tier whose stations serve no lower one, without further conditions.
    #[must_use]
    pub fn new(name: &str, walk_limit: u32, goal: TierGoal) -> Self {
        Self {
            name: name.to_owned(),
            walk_limit,
            goal,
            least_area: None,
            capacity: None,
            demand_share: 1.0,
            serves_lower: false,
            most_per_community: None,
            least_per_community: 0,
            too_close: Vec::new(),
            backup: Backup::None,
            most_closed: None,
        }
    }
}

/// The whole task.
#[derive(Clone, Debug)]
pub struct TierTask<'a> {
    /// Walking times, demand points by sites.
    pub reach: Table<'a>,
    /// Households per demand point.
    pub households: &'a [u32],
    /// Community per demand point.
    pub community: &'a [Option<u32>],
    /// The sites, one per column of `reach`.
    pub sites: &'a [TierSite],
    /// The rules, widest tier first.
    pub rules: &'a [TierRule],
}

/// Where a station of the answer comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Stands already at this tier.
    Existing,
    /// A station of a wider tier that serves here too.
    Wider,
    /// Chosen now.
    Chosen,
}

/// One station of a tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierStation {
    /// Site index.
    pub site: u32,
    /// Where it comes from.
    pub origin: Origin,
    /// Households it adds to those of the stations before it in the list.
    pub adds: u64,
    /// Households it serves in the assignment.
    pub serves: u64,
    /// Households no longer within the limit without it; under a goal of walks what that goal worsens by.
    pub loss: u64,
    /// The best replacement that was not chosen, and what is lost with it instead.
    pub runner_up: Option<(u32, u64)>,
}

/// A station that stands and does not stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClosedStation {
    /// Its site.
    pub site: u32,
    /// The site it moves to; `None` if it closes.
    pub moved_to: Option<u32>,
    /// Households that would count as covered besides if it stayed.
    pub loss: u64,
}

/// A demand point beyond the limit of every site that could have the tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfReach {
    /// Demand point.
    pub demand: u32,
    /// Its households.
    pub households: u32,
    /// Walk to the nearest such site; `None` beyond the table.
    pub nearest: Option<u32>,
}

/// The answer for one tier.
#[derive(Clone, Debug, PartialEq)]
pub struct TierAnswer {
    /// Index of the rule.
    pub tier: usize,
    /// Stations: existing and wider ones first, then chosen ones, each group by what it adds.
    pub stations: Vec<TierStation>,
    /// Standing stations that close or move, by site.
    pub closed: Vec<ClosedStation>,
    /// Serving site per demand point, −1 if beyond the limit or the capacities.
    pub assignment: Vec<i32>,
    /// Households within the limit of their station; with [`TierRule::backup`] of two stations.
    pub covered: u64,
    /// Under a goal of walks what was reached, in household-ms or ms, and its lower bound.
    pub walks: Option<(u64, u64)>,
    /// All households.
    pub total: u64,
    /// No choice with as many new stations (or the same budget) covers more; under a goal of walks, no choice at all.
    pub bound: u64,
    /// `|bound − covered| / covered`; under a goal of walks that of [`Self::walks`].
    pub gap: f64,
    /// The answer is proven best. For a coverage goal: no smaller number of stations meets it.
    pub proven: bool,
    /// The multipliers behind `bound`.
    pub certificate: Certificate,
    /// Demand points that no admissible place reaches.
    pub out_of_reach: Vec<OutOfReach>,
    /// Things to know.
    pub notes: Vec<TierNote>,
}

impl TierAnswer {
    /// Stations chosen now.
    #[must_use]
    pub fn n_chosen(&self) -> usize {
        self.stations.iter().filter(|station| station.origin == Origin::Chosen).count()
    }

    /// Share of the households covered, 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        if self.total == 0 { 1.0 } else { self.covered as f64 / self.total as f64 }
    }
}

/// Plans every tier, widest first.
///
/// # Errors
/// [`SitingError::BadField`] if the arrays do not fit together, otherwise what a tier's model says.
pub fn plan(task: &TierTask, options: &Options) -> Result<Vec<TierAnswer>, SitingError> {
    check_task(task)?;
    let mut answers: Vec<TierAnswer> = Vec::new();
    while answers.len() < task.rules.len() {
        let tier = answers.len();
        let wider = wider_stations(task, &answers);
        answers.push(plan_tier(task, tier, &wider, None, options)?);
        if pays_together(task, tier) {
            plan_together(task, &mut answers, &wider, options)?;
        }
    }
    Ok(answers)
}

/// Whether the choice of this tier leaves room that the next one can use: its stations serve the next tier too, and
/// which place a community's one station takes is often open, since many reach all of its households.
fn pays_together(task: &TierTask, tier: usize) -> bool {
    let next_is_planned = task.rules.get(tier + 1).is_some_and(|next| next.goal != TierGoal::KeepExisting);
    task.rules[tier].goal == TierGoal::OnePerCommunity && task.rules[tier].serves_lower && next_is_planned
}

/// Plans the last tier and the one after it a second time, the last one with an eye on the next: among places that
/// cover as many households, the one that serves most within the next tier's limit. Keeps what needs fewer new
/// stations of the next tier, or covers more with as many; the next tier's answer follows in `answers`.
fn plan_together(
    task: &TierTask,
    answers: &mut Vec<TierAnswer>,
    wider: &[u32],
    options: &Options,
) -> Result<(), SitingError> {
    let tier = answers.len() - 1;
    let next = tier + 1;
    let apart = plan_tier(task, next, &wider_stations(task, answers), None, options)?;
    let alone = answers.pop().expect("the tier was planned just now");
    let eyed = plan_tier(task, tier, wider, Some(task.rules[next].walk_limit), options)?;
    let worse = eyed.covered < alone.covered || eyed.stations.len() != alone.stations.len();
    answers.push(eyed);
    let mut together = plan_tier(task, next, &wider_stations(task, answers), None, options)?;
    let key = |answer: &TierAnswer| (answer.n_chosen(), std::cmp::Reverse(answer.covered));
    if worse || key(&apart) <= key(&together) {
        answers.pop();
        answers.push(alone);
        answers.push(apart);
        return Ok(());
    }
    together.notes.push(TierNote::Together {
        tier: task.rules[tier].name.clone(),
        lower: task.rules[next].name.clone(),
        saved: apart.n_chosen().saturating_sub(together.n_chosen()),
        gained: together.covered.saturating_sub(apart.covered),
    });
    answers.push(together);
    Ok(())
}

/// Coverage against the number of new stations of one tier, given the answers of the wider tiers. Whatever stands
/// stays, and no community is owed a station. [`FrontierPoint::sites`] are sites of the task, standing ones included,
/// [`FrontierPoint::cost`] what the new ones cost as far as it is known.
///
/// # Errors
/// As [`plan`].
pub fn tier_frontier(
    task: &TierTask,
    tier: usize,
    answers: &[TierAnswer],
    most_new: usize,
    options: &Options,
) -> Result<Vec<FrontierPoint>, SitingError> {
    let setting = frontier_setting(task, tier, answers)?;
    let n_fixed = setting.fixed.len();
    let points = frontier(&setting.problem(task), n_fixed..=n_fixed + most_new, options)?;
    Ok(points.into_iter().map(|point| on_sites(task, &setting, point)).collect())
}

/// A point told in sites of the task, new stations only counted.
fn on_sites(task: &TierTask, setting: &Setting, mut point: FrontierPoint) -> FrontierPoint {
    let new = point.sites.iter().filter(|&&column| !setting.stands(column));
    let cost = new.filter_map(|&column| task.sites[setting.site_of[column as usize] as usize].cost);
    point.cost = Some(cost.map(u64::from).sum());
    point.p -= setting.fixed.len();
    point.sites.iter_mut().for_each(|site| *site = setting.site_of[*site as usize]);
    point
}

/// Coverage against the yearly cost of new stations of one tier: [`FrontierPoint::cost`] is what the new ones cost,
/// [`FrontierPoint::p`] how many they are. Places of unknown cost have no part in it. Otherwise as [`tier_frontier`].
///
/// # Errors
/// As [`plan`].
pub fn tier_budget_frontier(
    task: &TierTask,
    tier: usize,
    answers: &[TierAnswer],
    budgets: &[u64],
    options: &Options,
) -> Result<Vec<FrontierPoint>, SitingError> {
    let setting = frontier_setting(task, tier, answers)?;
    let problem = with_budget(task, &setting, setting.problem(task), 0);
    let points = budget_frontier(&problem, budgets, options)?;
    Ok(points.into_iter().map(|point| on_sites(task, &setting, point)).collect())
}

fn frontier_setting(task: &TierTask, tier: usize, answers: &[TierAnswer]) -> Result<Setting, SitingError> {
    check_task(task)?;
    let wider = wider_stations(task, &answers[..tier.min(answers.len())]);
    let mut setting =
        Setting::new(task, tier, &wider, (Standing::Stays, Walks::WithinLimit), &mut Vec::new());
    setting.groups.iter_mut().for_each(|group| group.at_least = 0);
    Ok(setting)
}

/// Stations of wider tiers that serve the next tier too.
fn wider_stations(task: &TierTask, answers: &[TierAnswer]) -> Vec<u32> {
    let serving = answers.iter().filter(|answer| task.rules[answer.tier].serves_lower);
    let mut wider: Vec<u32> =
        serving.flat_map(|answer| answer.stations.iter().map(|station| station.site)).collect();
    wider.sort_unstable();
    wider.dedup();
    wider
}

fn check_task(task: &TierTask) -> Result<(), SitingError> {
    let lengths = [
        ("households", task.households.len(), task.reach.n_demand()),
        ("community", task.community.len(), task.reach.n_demand()),
        ("sites", task.sites.len(), task.reach.n_sites()),
    ];
    for (field, found, wanted) in lengths {
        if found != wanted {
            let reason = format!("it has {found} entries for {wanted} of the table");
            return Err(SitingError::BadField { field, reason });
        }
    }
    for rule in task.rules {
        if !(0.0 < rule.demand_share && rule.demand_share <= 1.0) {
            let reason = format!("{} of tier {} is not in (0, 1]", rule.demand_share, rule.name);
            return Err(SitingError::BadField { field: "demand_share", reason });
        }
        let too_far = |&&(one, other): &&(u32, u32)| task.sites.len() <= one.max(other) as usize;
        if let Some((one, other)) = rule.too_close.iter().find(too_far) {
            let reason = format!("sites {one} and {other} of tier {} are not both in the task", rule.name);
            return Err(SitingError::BadField { field: "too_close", reason });
        }
        if let TierGoal::Coverage(share) = rule.goal
            && !(0.0..=1.0).contains(&share)
        {
            let reason = format!("the share {share} of tier {} is not in 0 to 1", rule.name);
            return Err(SitingError::BadField { field: "goal", reason });
        }
    }
    Ok(())
}
