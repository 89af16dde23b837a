//! Stations level by level: city, regional, community, compound or outdoor station, stairwell corner.
//!
//! Every tier is planned from the widest to the nearest with its own rule ([`TierRule`]): walking limit, goal,
//! capacity, floor area. Stations that stand already are kept. A wider tier may also do a nearer tier's work
//! ([`TierRule::serves_lower`]); its stations then count as fixed sites of the nearer tier. The input is one table
//! of walking times, demand points by sites, so neither streets nor geometry are needed here.

use super::certificate::Certificate;
use super::frontier::{FrontierPoint, frontier};
use super::{
    Effort, Group, Model, Options, Problem, Reason, Siting, SitingError, Table, Then, max_cover, p_median,
};

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
    /// Cost a year in whole money units.
    pub cost: u32,
    /// Households it can serve, if limited.
    pub capacity: Option<u32>,
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
    /// The best coverage whose new stations cost at most this in sum.
    Budget(u64),
    /// Exactly one station in every community: the place that covers most of its households, then the nearest.
    OnePerCommunity,
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
    /// Households no longer within the limit without it.
    pub loss: u64,
    /// The best replacement that was not chosen, and the households lost with it instead.
    pub runner_up: Option<(u32, u64)>,
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

/// Something the planner should know about a tier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TierNote {
    /// No place for the community's one station.
    #[error("community {community} has no place for a station of tier {tier}")]
    NoPlace {
        /// The community.
        community: u32,
        /// The tier's name.
        tier: String,
    },
    /// More than one station of a one-per-community tier stands already.
    #[error("community {community} already has {found} stations of tier {tier}, one is asked for")]
    TooManyExisting {
        /// The community.
        community: u32,
        /// How many stand there.
        found: usize,
        /// The tier's name.
        tier: String,
    },
    /// The coverage goal cannot be met with these candidates.
    #[error("{households} households can be covered at most, the goal of tier {tier} needs {wanted}")]
    GoalOutOfReach {
        /// The tier's name.
        tier: String,
        /// Households that some choice covers.
        households: u64,
        /// Households the goal asks for.
        wanted: u64,
    },
    /// Two tiers were chosen together, which the lower one gains by.
    #[error(
        "tiers {tier} and {lower} were chosen together: {saved} fewer stations of tier {lower}, {gained} households more in reach"
    )]
    Together {
        /// The wider tier's name.
        tier: String,
        /// The lower tier's name.
        lower: String,
        /// New stations of the lower tier that are not needed.
        saved: usize,
        /// Households that the lower tier covers besides.
        gained: u64,
    },
    /// Places whose floor area is unknown were admitted.
    #[error("{count} places of unknown area were admitted for tier {tier}, which asks for {least} m²")]
    UnknownArea {
        /// The tier's name.
        tier: String,
        /// How many.
        count: usize,
        /// Asked area, rounded.
        least: u64,
    },
}

impl TierNote {
    /// What the planner can do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::NoPlace { .. } => "add premises of the community to the register",
            Self::TooManyExisting { .. } => "close or merge stations, or plan the tier by coverage instead",
            Self::GoalOutOfReach { .. } => {
                "add premises near the households out of reach, or raise the minutes"
            }
            Self::Together { .. } => "nothing to do",
            Self::UnknownArea { .. } => "measure these premises before one of them is taken",
        }
    }
}

/// The answer for one tier.
#[derive(Clone, Debug, PartialEq)]
pub struct TierAnswer {
    /// Index of the rule.
    pub tier: usize,
    /// Stations: existing and wider ones first, then chosen ones, each group by what it adds.
    pub stations: Vec<TierStation>,
    /// Serving site per demand point, −1 if beyond the limit or the capacities.
    pub assignment: Vec<i32>,
    /// Households within the limit of their station.
    pub covered: u64,
    /// All households.
    pub total: u64,
    /// No choice with as many new stations (or the same budget) covers more.
    pub bound: u64,
    /// `|bound − covered| / covered`.
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

/// Coverage against the number of new stations of one tier, given the answers of the wider tiers.
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
    check_task(task)?;
    let wider = wider_stations(task, &answers[..tier.min(answers.len())]);
    let mut notes = Vec::new();
    let setting = Setting::new(task, tier, &wider, &mut notes);
    let n_fixed = setting.fixed.len();
    let mut points = frontier(&setting.problem(task), n_fixed..=n_fixed + most_new, options)?;
    points.iter_mut().for_each(|point| point.p -= n_fixed);
    Ok(points)
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
        if let TierGoal::Coverage(share) = rule.goal
            && !(0.0..=1.0).contains(&share)
        {
            let reason = format!("the share {share} of tier {} is not in 0 to 1", rule.name);
            return Err(SitingError::BadField { field: "goal", reason });
        }
    }
    Ok(())
}

/// One tier's table: columns are the admissible sites only.
struct Setting {
    tier: usize,
    /// Column → site of the task.
    site_of: Vec<u32>,
    /// Columns of existing and wider stations.
    fixed: Vec<u32>,
    wider: Vec<bool>,
    indptr: Vec<u64>,
    indices: Vec<u32>,
    cost: Vec<u32>,
    /// Nearest admissible site beyond the limit, per demand point.
    nearest: Vec<Option<u32>>,
    capacity: Vec<u64>,
    groups: Vec<Group>,
}

impl Setting {
    fn new(task: &TierTask, tier: usize, wider: &[u32], notes: &mut Vec<TierNote>) -> Self {
        let rule = &task.rules[tier];
        let is_wider = |site: u32| wider.binary_search(&site).is_ok();
        let stands = |site: u32| task.sites[site as usize].existing == Some(tier);
        let mut unknown_area = 0;
        let mut admissible = |site: u32| {
            let place = &task.sites[site as usize];
            if is_wider(site) || stands(site) {
                return true;
            }
            let suits = place.existing.is_none() && (place.suits.is_empty() || place.suits.contains(&tier));
            let large = match (rule.least_area, place.area) {
                (Some(least), Some(area)) => least <= area,
                (Some(_), None) => {
                    unknown_area += usize::from(suits);
                    true
                }
                (None, _) => true,
            };
            suits && large
        };
        let site_of: Vec<u32> = (0..task.sites.len() as u32).filter(|&site| admissible(site)).collect();
        if let (Some(least), 1..) = (rule.least_area, unknown_area) {
            let (tier, count) = (rule.name.clone(), unknown_area);
            notes.push(TierNote::UnknownArea { tier, count, least: least.round() as u64 });
        }
        let mut column_of = vec![u32::MAX; task.sites.len()];
        site_of.iter().enumerate().for_each(|(column, &site)| column_of[site as usize] = column as u32);
        let mut setting = Self {
            tier,
            fixed: Vec::new(),
            wider: site_of.iter().map(|&site| is_wider(site)).collect(),
            indptr: vec![0],
            indices: Vec::new(),
            cost: Vec::new(),
            nearest: Vec::new(),
            capacity: Vec::new(),
            groups: Vec::new(),
            site_of,
        };
        for (column, &site) in setting.site_of.iter().enumerate() {
            if is_wider(site) || stands(site) {
                setting.fixed.push(column as u32);
            }
        }
        for demand in 0..task.reach.n_demand() {
            let mut nearest: Option<u32> = None;
            task.reach.visit_row(demand, |site, cost| {
                let column = column_of[site as usize];
                if column != u32::MAX {
                    nearest = Some(nearest.map_or(cost, |nearest| nearest.min(cost)));
                    if cost <= rule.walk_limit {
                        setting.indices.push(column);
                        setting.cost.push(cost);
                    }
                }
            });
            setting.indptr.push(setting.indices.len() as u64);
            setting.nearest.push(nearest);
        }
        setting.set_capacity(task);
        setting.set_groups(task);
        setting
    }

    /// Capacities in households, blown up by the share that uses the tier.
    fn set_capacity(&mut self, task: &TierTask) {
        let rule = &task.rules[self.tier];
        let capacity = |&site: &u32| task.sites[site as usize].capacity.or(rule.capacity);
        if self.site_of.iter().any(|site| capacity(site).is_some()) {
            let scaled = |site: &u32| {
                capacity(site)
                    .map_or(u64::from(u32::MAX), |most| (f64::from(most) / rule.demand_share) as u64)
            };
            self.capacity = self.site_of.iter().map(scaled).collect();
        }
    }

    fn set_groups(&mut self, task: &TierTask) {
        let Some(most) = task.rules[self.tier].most_per_community else { return };
        for (_, columns) in self.by_community(task) {
            let own: Vec<u32> = columns.into_iter().filter(|&column| !self.wider[column as usize]).collect();
            let standing = own.iter().filter(|column| self.fixed.contains(column)).count();
            self.groups.push(Group { sites: own, at_least: 0, at_most: most.max(standing) });
        }
    }

    fn by_community(&self, task: &TierTask) -> std::collections::BTreeMap<u32, Vec<u32>> {
        let mut columns = std::collections::BTreeMap::<u32, Vec<u32>>::new();
        for (column, &site) in self.site_of.iter().enumerate() {
            if let Some(community) = task.sites[site as usize].community {
                columns.entry(community).or_default().push(column as u32);
            }
        }
        columns
    }

    fn problem<'a>(&'a self, task: &TierTask) -> Problem<'a> {
        let table = Table::sparse(self.site_of.len(), &self.indptr, &self.indices, Some(&self.cost));
        let mut problem = Problem::new(table.expect("built row by row from a checked table"));
        problem.weights = task.households.to_vec();
        problem.fixed.clone_from(&self.fixed);
        problem.capacity.clone_from(&self.capacity);
        problem.groups.clone_from(&self.groups);
        problem.then = Then::Nearest;
        problem
    }
}

fn plan_tier(
    task: &TierTask,
    tier: usize,
    wider: &[u32],
    eye_on: Option<u32>,
    options: &Options,
) -> Result<TierAnswer, SitingError> {
    let mut notes = Vec::new();
    let setting = Setting::new(task, tier, wider, &mut notes);
    let problem = setting.problem(task);
    let n_fixed = setting.fixed.len();
    let mut best_per_goal = true;
    let siting = match task.rules[tier].goal {
        TierGoal::KeepExisting => max_cover(&problem, Some(n_fixed), options)?,
        TierGoal::Count(new) => {
            max_cover(&problem, Some((n_fixed + new).min(setting.site_of.len())), options)?
        }
        TierGoal::Budget(budget) => {
            max_cover(&with_budget(task, &setting, problem.clone(), budget), None, options)?
        }
        TierGoal::Coverage(share) => {
            let (siting, fewest) = fewest_for(task, &setting, &problem, share, options, &mut notes)?;
            best_per_goal = fewest;
            siting
        }
        TierGoal::OnePerCommunity => {
            let sites = one_per_community(task, &setting, eye_on, &mut notes);
            let mut only = problem.clone();
            only.fixed = sites;
            only.groups.clear();
            max_cover(&only, Some(only.fixed.len()), options)?
        }
    };
    Ok(answer(task, &setting, &problem, &siting, best_per_goal, notes))
}

/// New stations pay, standing ones do not.
fn with_budget<'a>(task: &TierTask, setting: &Setting, mut problem: Problem<'a>, budget: u64) -> Problem<'a> {
    problem.site_cost = setting.site_of.iter().map(|&site| task.sites[site as usize].cost).collect();
    setting.fixed.iter().for_each(|&column| problem.site_cost[column as usize] = 0);
    problem.budget = Some(budget);
    problem
}

/// The fewest new stations for a share, by bisection over the number; and whether fewer are proven too few.
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
    let n_fixed = setting.fixed.len();
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
    let (mut low, mut high) = (n_fixed, all.sites.len());
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
    let mut fewest = high == n_fixed;
    while n_fixed < high {
        let siting = max_cover(problem, Some(high - 1), options)?;
        if siting.objective < wanted {
            fewest = siting.bound < wanted;
            break;
        }
        high = siting.sites.len().min(high - 1);
        best = siting;
        fewest = high == n_fixed;
    }
    // Among choices of that many stations, the one that covers most.
    if quick.effort < options.effort {
        let siting = max_cover(problem, Some(high.max(n_fixed)), options)?;
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

/// Translates a siting on the tier's columns to the task's sites, with reasons.
fn answer(
    task: &TierTask,
    setting: &Setting,
    problem: &Problem,
    siting: &Siting,
    best_per_goal: bool,
    notes: Vec<TierNote>,
) -> TierAnswer {
    let to_site = |column: i32| if column < 0 { -1 } else { setting.site_of[column as usize] as i32 };
    let beyond =
        (0..task.households.len()).filter(|&demand| setting.indptr[demand] == setting.indptr[demand + 1]);
    let out_of_reach = beyond.filter(|&demand| task.households[demand] > 0).map(|demand| OutOfReach {
        demand: demand as u32,
        households: task.households[demand],
        nearest: setting.nearest[demand],
    });
    TierAnswer {
        tier: setting.tier,
        stations: stations(task, setting, problem, &siting.reasons),
        assignment: siting.assignment.iter().map(|&column| to_site(column)).collect(),
        covered: siting.objective,
        total: task.households.iter().map(|&households| u64::from(households)).sum(),
        bound: siting.bound,
        gap: siting.gap,
        proven: match task.rules[setting.tier].goal {
            TierGoal::Coverage(_) => best_per_goal,
            _ => siting.proven,
        },
        certificate: siting.certificate.clone(),
        out_of_reach: out_of_reach.collect(),
        notes,
    }
}

/// Stations with what each adds: standing ones first, then the chosen ones in the order of their gain.
fn stations(task: &TierTask, setting: &Setting, problem: &Problem, reasons: &[Reason]) -> Vec<TierStation> {
    let origin = |column: u32| match setting.fixed.binary_search(&column) {
        Ok(_) if setting.wider[column as usize] => Origin::Wider,
        Ok(_) => Origin::Existing,
        Err(_) => Origin::Chosen,
    };
    let mut points_of = vec![Vec::new(); setting.site_of.len()];
    for demand in 0..task.households.len() {
        problem.visit_row(demand, |column, _| points_of[column as usize].push(demand as u32));
    }
    let mut covered = vec![false; task.households.len()];
    let gain = |column: u32, covered: &[bool]| -> u64 {
        let new = points_of[column as usize].iter().filter(|&&demand| !covered[demand as usize]);
        new.map(|&demand| u64::from(task.households[demand as usize])).sum()
    };
    let mut left: Vec<&Reason> = reasons.iter().collect();
    let mut stations = Vec::new();
    while !left.is_empty() {
        let key = |reason: &&Reason| {
            let chosen = origin(reason.site) == Origin::Chosen;
            (!chosen, gain(reason.site, &covered), std::cmp::Reverse(reason.site))
        };
        let place = (0..left.len()).max_by_key(|&place| key(&left[place])).expect("not empty");
        let reason = left.swap_remove(place);
        let adds = gain(reason.site, &covered);
        points_of[reason.site as usize].iter().for_each(|&demand| covered[demand as usize] = true);
        stations.push(TierStation {
            site: setting.site_of[reason.site as usize],
            origin: origin(reason.site),
            adds,
            serves: reason.weight,
            loss: reason.loss.unwrap_or(reason.weight),
            runner_up: reason
                .runner_up
                .map(|(column, loss)| (setting.site_of[column as usize], loss.unwrap_or(0))),
        });
    }
    stations
}

/// A place where a new candidate would help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// Row of the place in the table of places.
    pub place: u32,
    /// Households it would newly cover, after the suggestions before it.
    pub gain: u64,
}

/// Where new candidates would help most: greedy over `places` (demand points by places) for what is uncovered.
///
/// `assignment` is that of a [`TierAnswer`]; `limit` the tier's walking limit.
#[must_use]
pub fn suggest(
    places: &Table,
    limit: u32,
    households: &[u32],
    assignment: &[i32],
    most: usize,
) -> Vec<Suggestion> {
    let mut points_of = vec![Vec::new(); places.n_sites()];
    let mut gain = vec![0u64; places.n_sites()];
    let uncovered = (0..places.n_demand()).filter(|&demand| assignment[demand] < 0 && households[demand] > 0);
    let uncovered: Vec<usize> = uncovered.collect();
    for &demand in &uncovered {
        places.visit_row(demand, |place, cost| {
            if cost <= limit {
                points_of[place as usize].push(demand);
                gain[place as usize] += u64::from(households[demand]);
            }
        });
    }
    let mut open = vec![false; places.n_demand()];
    uncovered.iter().for_each(|&demand| open[demand] = true);
    let mut suggestions = Vec::new();
    while suggestions.len() < most {
        let best = (0..gain.len()).max_by_key(|&place| (gain[place], std::cmp::Reverse(place)));
        let Some(place) = best.filter(|&place| gain[place] > 0) else { break };
        suggestions.push(Suggestion { place: place as u32, gain: gain[place] });
        for &demand in &points_of[place] {
            if std::mem::replace(&mut open[demand], false) {
                places.visit_row(demand, |other, cost| {
                    if cost <= limit {
                        gain[other as usize] -= u64::from(households[demand]);
                    }
                });
            }
        }
    }
    suggestions
}

/// The tier's stations as p-median: for a fixed number of new stations the shortest walks instead of most coverage.
///
/// # Errors
/// [`SitingError::Unreachable`] where no admissible place is within the limit.
pub fn nearest_instead(
    task: &TierTask,
    tier: usize,
    answers: &[TierAnswer],
    new: usize,
    options: &Options,
) -> Result<Vec<u32>, SitingError> {
    check_task(task)?;
    let setting = Setting::new(task, tier, &wider_stations(task, answers), &mut Vec::new());
    let siting = p_median(&setting.problem(task), setting.fixed.len() + new, options)?;
    debug_assert!(matches!(siting.model, Model::PMedian { .. }));
    Ok(siting.sites.iter().map(|&column| setting.site_of[column as usize]).collect())
}
