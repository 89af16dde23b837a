//! Premises and goals → stations: the candidate sites, one table of walks, tier by tier, each choice explained.

use std::collections::{BTreeMap, HashMap, HashSet};

use geo::Coord;

use super::{PlanError, Step, Watch};
use crate::geometry::straight_distance;
use crate::model::{
    CommunityId, Finding, FindingKind, Plan, PremiseId, Scenario, Severity, Station, StationStatus,
    StationTier, Text, TierAnswer, numbering_order,
};
use crate::network::{Measure, Snaps, StreetNetwork};
use crate::params::{Params, TierParams};
use crate::siting::tiers::{self, TierGoal, TierRule, TierSite, TierTask};
use crate::siting::{Options, SitingError, Table};
use crate::units::{Households, SquareMetres};

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

/// A place where a station stands or may open.
struct Site {
    at: Coord<f64>,
    community: Option<CommunityId>,
    /// Row of [`Scenario::stations`] of one that stands already.
    existing: Option<usize>,
    premise: Option<PremiseId>,
    area: Option<SquareMetres>,
    cost: u32,
    capacity: Option<Households>,
}

pub(super) fn choose(
    scenario: &Scenario,
    network: &StreetNetwork,
    doors: &Snaps,
    params: &Params,
    plan: &mut Plan,
    watch: Watch<'_>,
) -> Result<(), PlanError> {
    let tiers_in_use = tiers_in_use(scenario, params);
    let rules = rules(scenario, params, &tiers_in_use);
    let sites = sites(scenario, params);
    let limit = rules.iter().map(|rule| rule.walk_limit).max().unwrap_or(0);
    let walks = Walks {
        scenario,
        network,
        doors,
        straight: straight_speed(scenario, params)?,
        measure: params.walk_direction()?.into(),
    };
    let (indptr, indices, cost) = walks.table(&sites.iter().map(|site| site.at).collect::<Vec<_>>(), limit);
    let tier_sites: Vec<TierSite> =
        sites.iter().map(|site| tier_site(scenario, site, &tiers_in_use)).collect();
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
    let options = Options {
        seed: params.seed,
        effort: crate::siting::Effort::Full,
        time_limit: None,
        cancel: Some(&cancel),
    };
    let answers = tiers::plan(&task, &options).map_err(|error| stopped(error, watch))?;
    plan.stations = stations(scenario, &sites, &tiers_in_use, &answers);
    plan.tiers = tier_answers(params, &task, &tiers_in_use, &answers, &options)?;
    plan.findings.retain(|finding| finding.layer != "stations");
    plan.findings.extend(findings(scenario, &tiers_in_use, &answers));
    plan.findings.extend(suggestions(&walks, params, &task, &tiers_in_use, &answers));
    plan.findings.extend(walks.remark());
    plan.coverage = crate::model::Coverage::default();
    plan.circles.clear();
    plan.service_areas.clear();
    Ok(())
}

/// Walks from doors to places: through the streets, or straight where the scenario has none.
struct Walks<'a> {
    scenario: &'a Scenario,
    network: &'a StreetNetwork,
    doors: &'a Snaps,
    /// Speed of straight walks, m/s, where there is no street to walk on.
    straight: Option<f64>,
    measure: Measure,
}

/// Without a single walkable street nobody could be timed to anything, and every choice would look as good.
fn straight_speed(scenario: &Scenario, params: &Params) -> Result<Option<f64>, PlanError> {
    if scenario.streets.iter().any(|street| street.foot) {
        return Ok(None);
    }
    Ok(Some(params.walk_rules()?.profile.flat_speed.value()))
}

impl Walks<'_> {
    /// Times up to `limit` (ms), one row per building, sites ascending.
    fn table(&self, places: &[Coord<f64>], limit: u32) -> (Vec<u64>, Vec<u32>, Vec<u32>) {
        match self.straight {
            None => {
                let snaps = self.network.snap_sites(places);
                let reach = self.network.reach(&snaps, self.doors, self.measure, limit);
                reach.by_door(self.scenario.atoms.len())
            }
            Some(speed) => self.straight_table(places, speed, limit),
        }
    }

    /// As the crow flies; places are found by squares as wide as the limit.
    fn straight_table(
        &self,
        places: &[Coord<f64>],
        speed: f64,
        limit: u32,
    ) -> (Vec<u64>, Vec<u32>, Vec<u32>) {
        let reach = (f64::from(limit) / 1000.0 * speed).max(1.0);
        let square = |at: Coord<f64>| ((at.x / reach).floor() as i64, (at.y / reach).floor() as i64);
        let mut by_square: HashMap<(i64, i64), Vec<u32>> = HashMap::new();
        for (index, &place) in places.iter().enumerate() {
            by_square.entry(square(place)).or_default().push(index as u32);
        }
        let (mut indptr, mut indices, mut costs) = (vec![0], Vec::new(), Vec::new());
        for atom in &self.scenario.atoms {
            let at = atom.door.unwrap_or_else(|| atom.shape.anchor());
            let (x, y) = square(at);
            let around = (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (x + dx, y + dy)));
            let mut row: Vec<(u32, u32)> = Vec::new();
            for &place in around.filter_map(|square| by_square.get(&square)).flatten() {
                let time = (straight_distance(at, places[place as usize]) / speed * 1000.0).round();
                if time <= f64::from(limit) {
                    row.push((place, time as u32));
                }
            }
            row.sort_unstable();
            indices.extend(row.iter().map(|pair| pair.0));
            costs.extend(row.iter().map(|pair| pair.1));
            indptr.push(indices.len() as u64);
        }
        (indptr, indices, costs)
    }

    /// Says so where walks are straight.
    fn remark(&self) -> Option<Finding> {
        self.straight.map(|_| {
            Finding::new(
                Severity::Warning,
                FindingKind::NoStreets,
                "stations",
                Text::from((
                    "没有可步行的街道，站点按直线距离选择，服务圈偏大",
                    "there is no walkable street: stations were chosen by straight distance, which makes circles too large",
                )),
                Text::from((
                    "导入街道数据后重新规划站点",
                    "import streets, e.g. an OSM extract, and plan the stations again",
                )),
            )
        })
    }
}

/// Most new places suggested for a tier.
const SUGGESTIONS: usize = 5;

/// Buildings and street corners where a new candidate would bring most of the unserved households into reach.
fn suggestions(
    walks: &Walks<'_>,
    params: &Params,
    task: &TierTask<'_>,
    tiers: &[StationTier],
    answers: &[tiers::TierAnswer],
) -> Vec<Finding> {
    let scenario = walks.scenario;
    let mut findings = Vec::new();
    for answer in answers.iter().filter(|answer| tier_params(params, tiers[answer.tier]).is_some()) {
        let rule = &task.rules[answer.tier];
        let unserved = |demand: &usize| answer.assignment[*demand] < 0 && 0 < task.households[*demand];
        let unserved: Vec<usize> = (0..task.households.len()).filter(unserved).collect();
        let doors = unserved.iter().map(|&demand| {
            let atom = &scenario.atoms[demand];
            atom.door.unwrap_or_else(|| atom.shape.anchor())
        });
        let spacing =
            if params.siting.candidate_spacing > 0.0 { params.siting.candidate_spacing } else { 60.0 };
        let mut spaced = Spaced::new(spacing);
        let mut places: Vec<Coord<f64>> = doors.filter(|&at| spaced.keep(at)).take(MOST_PLACES).collect();
        let near = spaced.clone();
        let corners = corners(scenario).into_iter().filter(|&at| near.is_near(at, 5.0 * spacing));
        places.extend(corners.filter(|&at| spaced.keep(at)).take(MOST_PLACES));
        let (indptr, indices, cost) = walks.table(&places, rule.walk_limit);
        let Ok(table) = Table::sparse(places.len(), &indptr, &indices, Some(&cost)) else { continue };
        let found = tiers::suggest(&table, rule.walk_limit, task.households, &answer.assignment, SUGGESTIONS);
        findings.extend(found.iter().enumerate().map(|(rank, found)| {
            let (n, gain) = (rank + 1, found.gain);
            let (name, minutes) = (tiers[answer.tier].chinese(), rule.walk_limit / 60_000);
            Finding::new(
                Severity::Info,
                FindingKind::SuggestedSite,
                "stations",
                Text::from((
                    format!("{name}：建议点位 {n}，在此增设可使未覆盖的 {gain} 户进入 {minutes} 分钟圈"),
                    format!("a candidate here would bring {gain} unserved households within {minutes} min"),
                )),
                Text::from((
                    "在此处寻找用房并登记，再重新规划站点",
                    "look for premises here, add them to the register and plan the stations again",
                )),
            )
            .at(places[found.place as usize])
        }));
    }
    findings
}

/// Most buildings, and as many corners, looked at for one tier's suggestions.
const MOST_PLACES: usize = 3_000;

/// Places at least so far apart.
#[derive(Clone)]
struct Spaced {
    spacing: f64,
    kept: HashMap<(i64, i64), Vec<Coord<f64>>>,
}

impl Spaced {
    fn new(spacing: f64) -> Self {
        Self { spacing, kept: HashMap::new() }
    }

    fn cell(&self, at: Coord<f64>) -> (i64, i64) {
        ((at.x / self.spacing).floor() as i64, (at.y / self.spacing).floor() as i64)
    }

    /// Whether a kept place lies nearer than `distance`.
    fn is_near(&self, at: Coord<f64>, distance: f64) -> bool {
        let (x, y) = self.cell(at);
        let cells = (distance / self.spacing).ceil() as i64;
        let around = (-cells..=cells).flat_map(|dx| (-cells..=cells).map(move |dy| (x + dx, y + dy)));
        let mut kept = around.filter_map(|cell| self.kept.get(&cell)).flatten();
        kept.any(|other| straight_distance(at, *other) < distance)
    }

    /// Keeps the place if no kept one is too near.
    fn keep(&mut self, at: Coord<f64>) -> bool {
        let new = !self.is_near(at, self.spacing);
        if new {
            self.kept.entry(self.cell(at)).or_default().push(at);
        }
        new
    }
}

fn stopped(error: SitingError, watch: Watch<'_>) -> PlanError {
    match error {
        SitingError::Stopped if watch(Step::Stations, 0.5).is_break() => PlanError::Cancelled,
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

fn rules(scenario: &Scenario, params: &Params, tiers: &[StationTier]) -> Vec<TierRule> {
    let rule = |&tier: &StationTier| {
        let planned = tier_params(params, tier);
        let standing = scenario
            .stations
            .iter()
            .filter(|station| station.tier == tier && station.status != StationStatus::Closed);
        let goal = match planned {
            None => TierGoal::KeepExisting,
            Some(TierParams { one_per_community: true, .. }) => TierGoal::OnePerCommunity,
            Some(TierParams { stations: Some(n), .. }) => {
                TierGoal::Count((*n as usize).saturating_sub(standing.count()))
            }
            Some(TierParams { budget: Some(budget), .. }) => TierGoal::Budget(u64::from(*budget)),
            Some(TierParams { goal, .. }) => TierGoal::Coverage(*goal),
        };
        TierRule {
            name: tier.as_str().to_owned(),
            walk_limit: planned.map_or(usual_minutes(tier), |planned| planned.minutes) * 60_000,
            goal,
            least_area: None,
            capacity: planned.and_then(|planned| planned.capacity),
            demand_share: 1.0,
            serves_lower: planned.is_none_or(|planned| planned.serves_lower),
            most_per_community: None,
        }
    };
    tiers.iter().map(rule).collect()
}

/// Existing stations, then the register, then places proposed by the program where the register is silent.
fn sites(scenario: &Scenario, params: &Params) -> Vec<Site> {
    let standing =
        scenario.stations.iter().enumerate().filter(|(_, station)| station.status != StationStatus::Closed);
    let mut sites: Vec<Site> = standing
        .map(|(row, station)| Site {
            at: station.at,
            community: station.community,
            existing: Some(row),
            premise: None,
            area: station.area,
            cost: 0,
            capacity: station.capacity,
        })
        .collect();
    sites.extend(scenario.premises.iter().enumerate().map(|(row, premise)| Site {
        at: premise.at,
        community: premise.community,
        existing: None,
        premise: Some(PremiseId::from_index(row)),
        area: premise.area,
        cost: premise.cost.unwrap_or(0),
        capacity: premise.capacity,
    }));
    sites.extend(proposed(scenario, params));
    sites
}

/// Buildings and street corners in communities without a single row in the register, spaced out.
fn proposed(scenario: &Scenario, params: &Params) -> Vec<Site> {
    let spacing = params.siting.candidate_spacing;
    if spacing <= 0.0 {
        return Vec::new();
    }
    let registered: HashSet<CommunityId> =
        scenario.premises.iter().filter_map(|premise| premise.community).collect();
    let needs_some = |community: Option<CommunityId>| community.is_some_and(|id| !registered.contains(&id));
    let buildings = scenario.atoms.iter().filter(|atom| needs_some(atom.community));
    let buildings = buildings.map(|atom| (atom.door.unwrap_or_else(|| atom.shape.anchor()), atom.community));
    let corners = corners(scenario).into_iter().map(|at| (at, None));
    let mut spaced = Spaced::new(spacing);
    let mut sites = Vec::new();
    for (at, community) in buildings.chain(corners.filter(|_| registered.is_empty())) {
        if params.siting.candidate_limit as usize <= sites.len() {
            break;
        }
        if spaced.keep(at) {
            sites.push(Site {
                at,
                community,
                existing: None,
                premise: None,
                area: None,
                cost: 0,
                capacity: None,
            });
        }
    }
    sites
}

/// Where at least three walkable street ends or middles meet, in the order of the streets.
fn corners(scenario: &Scenario) -> Vec<Coord<f64>> {
    let mut arms: BTreeMap<(i64, i64), (u32, Coord<f64>)> = BTreeMap::new();
    for street in scenario.streets.iter().filter(|street| street.foot && !street.bridge && !street.tunnel) {
        let last = street.line.0.len().saturating_sub(1);
        for (index, &at) in street.line.0.iter().enumerate() {
            let key = ((at.x * 1000.0).round() as i64, (at.y * 1000.0).round() as i64);
            arms.entry(key).or_insert((0, at)).0 += if index == 0 || index == last { 1 } else { 2 };
        }
    }
    arms.into_values().filter(|(n, _)| 3 <= *n).map(|(_, at)| at).collect()
}

fn tier_site(scenario: &Scenario, site: &Site, tiers: &[StationTier]) -> TierSite {
    let existing =
        site.existing.and_then(|row| tiers.iter().position(|&tier| tier == scenario.stations[row].tier));
    TierSite {
        community: site.community.map(|id| id.0),
        existing,
        suits: Vec::new(),
        area: site.area.map(SquareMetres::value),
        cost: site.cost,
        capacity: site.capacity.map(|capacity| capacity.0),
    }
}

/// Existing stations as they stand, then the chosen ones, numbered west → east, north → south.
fn stations(
    scenario: &Scenario,
    sites: &[Site],
    tiers: &[StationTier],
    answers: &[tiers::TierAnswer],
) -> Vec<Station> {
    let mut stations = scenario.stations.clone();
    let mut used: HashSet<String> = stations.iter().map(|station| station.code.clone()).collect();
    for answer in answers {
        let tier = tiers[answer.tier];
        let chosen: Vec<&tiers::TierStation> =
            answer.stations.iter().filter(|station| station.origin == tiers::Origin::Chosen).collect();
        let places: Vec<Coord<f64>> = chosen.iter().map(|station| sites[station.site as usize].at).collect();
        let mut counts: HashMap<String, u32> = HashMap::new();
        for index in numbering_order(&places, 250_000.0) {
            let (found, site) = (chosen[index], &sites[chosen[index].site as usize]);
            let community = site.community.map(|id| &scenario.communities[id.index()]);
            let prefix = format!("{}-{}", community.map_or("", |community| &community.code), tier.letter());
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
                reason: reason(scenario, sites, found),
            });
        }
    }
    stations
}

/// What the station adds, what would be lost without it, and the runner-up.
fn reason(scenario: &Scenario, sites: &[Site], found: &tiers::TierStation) -> Text {
    let (adds, serves, loss) = (found.adds, found.serves, found.loss);
    let mut text = Text {
        zh: format!("新增覆盖 {adds} 户，服务 {serves} 户；取消则 {loss} 户失去服务圈"),
        en: format!("adds {adds} households, serves {serves}; {loss} would be lost without it"),
    };
    if let Some((site, loss)) = found.runner_up {
        let site = &sites[site as usize];
        let premise = site.premise.map(|id| &scenario.premises[id.index()]);
        let name = premise.map_or_else(
            || format!("{:.0}, {:.0}", site.at.x, site.at.y),
            |premise| premise.name.clone().unwrap_or_else(|| premise.source.0.clone()),
        );
        text.zh.push_str(&format!("；次优 {name}，少 {loss} 户"));
        text.en.push_str(&format!("; runner-up {name}, {loss} fewer"));
    }
    text
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
        let is_planned = tier_params(params, tier).is_some_and(|planned| !planned.one_per_community);
        let frontier = if is_planned {
            let most = (chosen + FRONTIER_BEYOND).min(FRONTIER_LIMIT.max(chosen));
            let quick = Options { effort: crate::siting::Effort::Quick, ..*options };
            let points = tiers::tier_frontier(task, answer.tier, answers, most, &quick)?;
            points.into_iter().map(|point| (point.p as u32, point.objective)).collect()
        } else {
            Vec::new()
        };
        list.push(TierAnswer {
            tier,
            goal: goal_words(&task.rules[answer.tier]),
            objective: answer.covered as f64,
            bound: Some(answer.bound as f64),
            gap: Some(answer.gap),
            proven: answer.proven,
            frontier,
        });
    }
    Ok(list)
}

fn goal_words(rule: &TierRule) -> Text {
    let minutes = rule.walk_limit / 60_000;
    match rule.goal {
        TierGoal::KeepExisting => {
            (format!("{minutes} 分钟；保留现有"), format!("{minutes} min; existing ones kept")).into()
        }
        TierGoal::Coverage(share) => {
            let percent = share * 100.0;
            (
                format!("{minutes} 分钟覆盖 {percent:.0}% 户，站点最少"),
                format!("{percent:.0} % of households in {minutes} min with the fewest"),
            )
                .into()
        }
        TierGoal::Count(n) => (
            format!("{minutes} 分钟；新增 {n} 个，覆盖最多"),
            format!("{minutes} min; best coverage with {n} new ones"),
        )
            .into(),
        TierGoal::Budget(yuan) => (
            format!("{minutes} 分钟；预算 {yuan} 元，覆盖最多"),
            format!("{minutes} min; best coverage for {yuan} yuan a year"),
        )
            .into(),
        TierGoal::OnePerCommunity => (
            format!("每社区一个中心，{minutes} 分钟"),
            format!("one centre in each community, {minutes} min"),
        )
            .into(),
    }
}

fn findings(scenario: &Scenario, tiers: &[StationTier], answers: &[tiers::TierAnswer]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for answer in answers {
        let tier = tiers[answer.tier];
        for note in &answer.notes {
            let (place, message, remedy) = note_words(scenario, tier, note);
            let severity = match note {
                tiers::TierNote::Together { .. } => Severity::Info,
                _ => Severity::Warning,
            };
            let finding = Finding::new(severity, FindingKind::GoalNotReached, "stations", message, remedy);
            findings.push(match place {
                Some(id) => finding.in_community(id),
                None => finding,
            });
        }
    }
    findings
}

/// Where a note applies, what it says and what to do about it.
fn note_words(
    scenario: &Scenario,
    tier: StationTier,
    note: &tiers::TierNote,
) -> (Option<CommunityId>, Text, Text) {
    let (zh, en) = (tier.chinese(), tier.as_str());
    let name = |community: u32| scenario.communities[community as usize].name.as_str();
    match note {
        tiers::TierNote::NoPlace { community, .. } => (
            Some(CommunityId(*community)),
            Text::from((
                format!("{0}没有可设{zh}的地方", name(*community)),
                format!("{0} has no place for a station of tier {en}", name(*community)),
            )),
            Text::from(("在该社区的用房登记中补充备选", "add a candidate there to the premises register")),
        ),
        tiers::TierNote::TooManyExisting { community, found, .. } => (
            Some(CommunityId(*community)),
            Text::from((
                format!("{0}已有 {found} 个{zh}，要求为一个", name(*community)),
                format!("{0} already has {found} stations of tier {en}; one is asked for", name(*community)),
            )),
            Text::from((
                "核对站点的层级，或关闭多余的",
                "check the tiers of the stations, or close those that are too many",
            )),
        ),
        tiers::TierNote::GoalOutOfReach { households, wanted, .. } => (
            None,
            Text::from((
                format!("{zh}最多能覆盖 {households} 户，目标需要 {wanted} 户"),
                format!("tier {en} can cover {households} households at most, its goal needs {wanted}"),
            )),
            Text::from(("增加备选用房，或放宽步行时限", "add candidates or raise the limit")),
        ),
        tiers::TierNote::Together { lower, saved, gained, .. } => (
            None,
            Text::from((
                format!("{zh}与上一层级一并选择：少设 {saved} 个，多覆盖 {gained} 户"),
                format!(
                    "tier {lower} was chosen together with the wider one: {saved} fewer stations, {gained} households more in reach"
                ),
            )),
            Text::from(("无需处理", "nothing to do")),
        ),
        tiers::TierNote::UnknownArea { count, least, .. } => (
            None,
            Text::from((
                format!("{zh}要求 {least} m²，有 {count} 处面积不详的用房也列为备选"),
                format!(
                    "{count} places of unknown area were admitted for tier {en}, which asks for {least} m²"
                ),
            )),
            Text::from(("在用房登记中补充面积", "add their area to the premises register")),
        ),
    }
}
