//! Premises and goals → stations: the candidate sites, one table of walks, tier by tier, each choice explained.

mod sites;
mod suggestions;
mod walks;
mod words;

use std::collections::{HashMap, HashSet};

use geo::Coord;

use self::sites::{Site, pairs_within, sites};
use self::suggestions::{suggestions, unreached};
use self::walks::{Walks, straight_speed};
use self::words::{asked_words, closing, findings, goal_words, reason, walking};
use super::{PlanError, Step, Watch};
use crate::model::{
    FrontierPoint, Plan, Scenario, Station, StationStatus, StationTier, TierAnswer, numbering_order,
};
use crate::network::{Snaps, StreetNetwork};
use crate::params::{Aim, Params, TierParams};
use crate::siting::tiers::{self, TierGoal, TierRule, TierSite, TierTask};
use crate::siting::{Backup, Change, Effort, Options, SitingError, Table, UNREACHED};
use crate::units::SquareMetres;

/// Minutes of a tier that the parameters do not list. Community and above: 15 (seen); below: 5 (seen).
fn usual_minutes(tier: StationTier) -> u32 {
    match tier {
        StationTier::City | StationTier::Regional | StationTier::Community => 15,
        StationTier::Compound | StationTier::Corner => 5,
    }
}

/// Points of the frontier beyond the number chosen.
const FRONTIER_BEYOND: usize = 10;
/// Longest frontier, in new stations.
const FRONTIER_LIMIT: usize = 60;
/// Budgets of the frontier of money.
const BUDGETS: u64 = 12;
/// How far the frontier of money goes beyond what the chosen stations cost: half as much again.
const BEYOND_COST: (u64, u64) = (3, 2);

/// An aim of walks needs the walk from every building to every place: at most so many, 8 bytes each.
const MOST_WALKS: usize = 100_000_000;

pub(super) fn choose(
    scenario: &Scenario,
    network: &StreetNetwork,
    doors: &Snaps,
    params: &Params,
    plan: &mut Plan,
    watch: Watch<'_>,
) -> Result<(), PlanError> {
    let tiers_in_use = tiers_in_use(scenario, params);
    let sites = sites(scenario, params);
    let rules = rules(scenario, params, &tiers_in_use, &sites);
    let mut limit = rules.iter().map(|rule| rule.walk_limit).max().unwrap_or(0);
    if rules.iter().any(|rule| rule.goal.is_of_walks()) {
        limit = UNREACHED - 1;
        if MOST_WALKS < scenario.atoms.len() * sites.len() {
            return Err(PlanError::TooManyWalks { buildings: scenario.atoms.len(), places: sites.len() });
        }
    }
    let walks = Walks {
        scenario,
        network,
        doors,
        straight: straight_speed(scenario, params)?,
        measure: params.walk_direction()?.into(),
    };
    let (indptr, indices, cost) = walks.table(&sites.iter().map(|site| site.at).collect::<Vec<_>>(), limit);
    let tier_sites = tier_sites(scenario, params, &tiers_in_use, &sites)?;
    // Buildings outside every community are not planned.
    let households: Vec<u32> = scenario
        .atoms
        .iter()
        .map(|atom| if atom.community.is_some() { atom.households.0 } else { 0 })
        .collect();
    let community: Vec<Option<u32>> =
        scenario.atoms.iter().map(|atom| atom.community.map(|id| id.0)).collect();
    let task = TierTask {
        reach: Table::sparse(sites.len(), &indptr, &indices, Some(&cost))?,
        households: &households,
        community: &community,
        sites: &tier_sites,
        rules: &rules,
    };
    let cancel = || watch(Step::Stations, 0.5).is_break();
    let options =
        Options { seed: params.seed, effort: Effort::Full, time_limit: None, cancel: Some(&cancel) };
    let answers =
        tiers::plan(&task, &options).map_err(|error| no_stations(error, &tiers_in_use, &rules, watch))?;
    plan.stations = stations(scenario, &sites, &tiers_in_use, &rules, &answers);
    plan.tiers = tier_answers(params, &task, &tiers_in_use, &answers, &options)?;
    plan.findings.retain(|finding| finding.layer != "stations");
    plan.findings.extend(findings(scenario, &tiers_in_use, &answers));
    plan.findings.extend(unreached(&walks, &sites, &task, &tiers_in_use, &answers));
    plan.findings.extend(suggestions(&walks, params, &task, &tiers_in_use, &answers));
    plan.findings.extend(walks.remark());
    plan.coverage = crate::model::Coverage::default();
    plan.circles.clear();
    plan.service_areas.clear();
    Ok(())
}

fn no_stations(error: SitingError, tiers: &[StationTier], rules: &[TierRule], watch: Watch<'_>) -> PlanError {
    match error {
        SitingError::OfTier { error, .. }
            if *error == SitingError::Stopped && watch(Step::Stations, 0.5).is_break() =>
        {
            PlanError::Cancelled
        }
        SitingError::OfTier { tier, error, .. } => {
            PlanError::NoStations { tier: tiers[tier], asked: asked_words(&rules[tier]), error: *error }
        }
        error => error.into(),
    }
}

/// Tiers that are planned or have a station already, widest first.
fn tiers_in_use(scenario: &Scenario, params: &Params) -> Vec<StationTier> {
    let planned = params.siting.tiers.iter().filter_map(|tier| StationTier::parse(&tier.tier));
    let standing = scenario.stations.iter().map(|station| station.tier);
    let mut tiers: Vec<StationTier> = planned.chain(standing).collect();
    tiers.sort_unstable();
    tiers.dedup();
    tiers
}

fn tier_params(params: &Params, tier: StationTier) -> Option<&TierParams> {
    params.siting.tiers.iter().find(|planned| StationTier::parse(&planned.tier) == Some(tier))
}

fn rules(scenario: &Scenario, params: &Params, tiers: &[StationTier], sites: &[Site]) -> Vec<TierRule> {
    let rule = |&tier: &StationTier| {
        let planned = tier_params(params, tier);
        let standing = scenario
            .stations
            .iter()
            .filter(|station| station.tier == tier && station.status != StationStatus::Closed);
        let goal = match planned {
            None => TierGoal::KeepExisting,
            Some(TierParams { one_per_community: true, .. }) => TierGoal::OnePerCommunity,
            Some(TierParams { stations: Some(n), aim, .. }) => {
                let new = (*n as usize).saturating_sub(standing.count());
                match aim {
                    Aim::Coverage => TierGoal::Count(new),
                    Aim::Walks => TierGoal::ShortestWalks(new),
                    Aim::Farthest => TierGoal::ShortestFarthest(new),
                }
            }
            Some(TierParams { budget: Some(budget), .. }) => TierGoal::Budget(u64::from(*budget)),
            Some(TierParams { goal, .. }) => TierGoal::Coverage(*goal),
        };
        let walk_limit = planned.map_or(usual_minutes(tier), |planned| planned.minutes) * 60_000;
        let rule = TierRule::new(tier.as_str(), walk_limit, goal);
        let Some(planned) = planned else { return TierRule { serves_lower: true, ..rule } };
        TierRule {
            least_area: planned.least_area,
            capacity: planned.capacity,
            demand_share: planned.demand_share,
            serves_lower: planned.serves_lower,
            least_per_community: planned.least_per_community as usize,
            most_per_community: planned.most_per_community.map(|most| most as usize),
            too_close: planned.spacing.map_or_else(Vec::new, |spacing| pairs_within(sites, spacing)),
            backup: if planned.backup { Backup::Second } else { Backup::None },
            most_closed: planned.most_closed.map(|most| most as usize),
            ..rule
        }
    };
    tiers.iter().map(rule).collect()
}

/// The places as the tiers see them, with what may happen to what stands there.
fn tier_sites(
    scenario: &Scenario,
    params: &Params,
    tiers: &[StationTier],
    sites: &[Site],
) -> Result<Vec<TierSite>, PlanError> {
    for planned in &params.siting.tiers {
        known_stations(scenario, planned)?;
    }
    let tier_site = |site: &Site| {
        let station = site.existing.map(|row| &scenario.stations[row]);
        let planned = station.and_then(|station| tier_params(params, station.tier));
        TierSite {
            community: site.community.map(|id| id.0),
            existing: station.and_then(|station| tiers.iter().position(|&tier| tier == station.tier)),
            suits: Vec::new(),
            area: site.area.map(SquareMetres::value),
            cost: site.cost,
            capacity: site.capacity.map(|capacity| capacity.0),
            change: station.zip(planned).and_then(|(station, planned)| change(station, planned, sites)),
        }
    };
    Ok(sites.iter().map(tier_site).collect())
}

/// Every code that may close or move is that of a standing station of the tier.
fn known_stations(scenario: &Scenario, planned: &TierParams) -> Result<(), PlanError> {
    let stands = |code: &str| {
        code == EVERY
            || scenario.stations.iter().any(|station| {
                station.code == code
                    && station.tier.as_str() == planned.tier
                    && station.status != StationStatus::Closed
            })
    };
    let named = planned.may_close.iter().chain(&planned.may_move);
    match named.into_iter().find(|code| !stands(code)) {
        Some(code) => Err(PlanError::UnknownStation { code: code.clone(), tier: planned.tier.clone() }),
        None => Ok(()),
    }
}

/// Stands for every station of a tier.
const EVERY: &str = "*";

/// Moving wins where a station is named for both: it includes staying, and nobody loses a station.
fn change(station: &Station, planned: &TierParams, sites: &[Site]) -> Option<Change> {
    let named = |codes: &[String]| codes.iter().any(|code| code == EVERY || *code == station.code);
    if named(&planned.may_move) {
        let near = sites.iter().enumerate().filter(|(_, site)| {
            site.existing.is_none()
                && crate::geometry::straight_distance(site.at, station.at) <= planned.move_within
        });
        return Some(Change::MoveTo(near.map(|(index, _)| index as u32).collect()));
    }
    named(&planned.may_close).then_some(Change::Close)
}

/// Existing stations as they stand or close, then the chosen ones, numbered west → east, north → south.
fn stations(
    scenario: &Scenario,
    sites: &[Site],
    tiers: &[StationTier],
    rules: &[TierRule],
    answers: &[tiers::TierAnswer],
) -> Vec<Station> {
    let mut stations = scenario.stations.clone();
    let mut used: HashSet<String> = stations.iter().map(|station| station.code.clone()).collect();
    let gone: HashMap<usize, &tiers::ClosedStation> = answers
        .iter()
        .flat_map(|answer| &answer.closed)
        .filter_map(|closed| Some((sites[closed.site as usize].existing?, closed)))
        .collect();
    for (row, closed) in &gone {
        stations[*row].status = StationStatus::Closed;
        stations[*row].reason = closing(scenario, sites, closed);
    }
    for answer in answers {
        let tier = tiers[answer.tier];
        let chosen: Vec<&tiers::TierStation> =
            answer.stations.iter().filter(|station| station.origin == tiers::Origin::Chosen).collect();
        let places: Vec<Coord<f64>> = chosen.iter().map(|station| sites[station.site as usize].at).collect();
        let mut counts: HashMap<String, u32> = HashMap::new();
        for index in numbering_order(&places, 250_000.0) {
            let (found, site) = (chosen[index], &sites[chosen[index].site as usize]);
            let community = site.community.map(|id| &scenario.communities[id.index()]);
            let prefix = tier.number_prefix(community.map(|community| community.code.as_str()));
            let number = counts.entry(prefix.clone()).or_default();
            let code = loop {
                *number += 1;
                let code = format!("{prefix}{number:02}");
                if used.insert(code.clone()) {
                    break code;
                }
            };
            let premise = site.premise.map(|id| &scenario.premises[id.index()]);
            let name = premise.and_then(|premise| premise.name.clone()).unwrap_or_else(|| {
                let place = community.map_or("", |community| community.name.as_str());
                format!("{place}{}{number}", tier.chinese())
            });
            stations.push(Station {
                code,
                name,
                tier,
                status: StationStatus::Chosen,
                at: site.at,
                community: site.community,
                area: site.area,
                capacity: site.capacity,
                premise: site.premise,
                reason: reason(scenario, sites, rules[answer.tier].goal, walking(answer), found),
            });
        }
    }
    stations
}

fn tier_answers(
    params: &Params,
    task: &TierTask<'_>,
    tiers: &[StationTier],
    answers: &[tiers::TierAnswer],
    options: &Options<'_>,
) -> Result<Vec<TierAnswer>, SitingError> {
    let mut list = Vec::new();
    for answer in answers {
        let tier = tiers[answer.tier];
        let chosen = answer.stations.iter().filter(|station| station.origin == tiers::Origin::Chosen).count();
        let new = answer.stations.iter().filter(|station| station.origin == tiers::Origin::Chosen);
        let costs: Vec<Option<u32>> = new.map(|station| task.sites[station.site as usize].cost).collect();
        let spent: u64 = costs.iter().flatten().map(|&cost| u64::from(cost)).sum();
        let is_planned = tier_params(params, tier).is_some_and(|planned| !planned.one_per_community);
        let (mut frontier, mut money) = (Vec::new(), Vec::new());
        if is_planned {
            let quick = Options { effort: Effort::Quick, ..*options };
            let most = (chosen + FRONTIER_BEYOND).min(FRONTIER_LIMIT.max(chosen));
            let points = tiers::tier_frontier(task, answer.tier, answers, most, &quick)?;
            frontier = points.iter().map(|point| frontier_point(point, point.cost.unwrap_or(0))).collect();
            if spent > 0 {
                let furthest = spent * BEYOND_COST.0 / BEYOND_COST.1;
                let budgets: Vec<u64> = (0..=BUDGETS).map(|step| furthest * step / BUDGETS).collect();
                let points = tiers::tier_budget_frontier(task, answer.tier, answers, &budgets, &quick)?;
                // Where all that stands stays, every budget has an answer.
                money = points.iter().zip(budgets).map(|(point, yuan)| frontier_point(point, yuan)).collect();
            }
        }
        if answer.closed.is_empty() {
            hold_answer(&mut frontier, answer.covered, |point| chosen as u32 <= point.stations);
            if costs.iter().all(Option::is_some) {
                hold_answer(&mut money, answer.covered, |point| spent <= point.cost);
            }
        }
        list.push(TierAnswer {
            tier,
            goal: goal_words(&task.rules[answer.tier], answer),
            objective: answer.covered as f64,
            bound: answer.walks.is_none().then_some(answer.bound as f64),
            gap: Some(answer.gap),
            proven: answer.proven,
            frontier,
            money,
        });
    }
    Ok(list)
}

fn frontier_point(point: &crate::siting::FrontierPoint, cost: u64) -> FrontierPoint {
    FrontierPoint { stations: point.p as u32, households: point.objective, bound: point.bound, cost }
}

/// What the plan reaches its curve reaches too; the curve is drawn with less work than the plan.
fn hold_answer(curve: &mut [FrontierPoint], covered: u64, holds: impl Fn(&FrontierPoint) -> bool) {
    for point in curve.iter_mut().filter(|point| holds(point)) {
        point.households = point.households.max(covered);
        point.bound = point.bound.max(covered);
    }
}
