//! Where a new candidate would help most, and whom no candidate reaches.

use std::collections::BTreeMap;

use geo::Coord;

use super::sites::{Site, Spaced, corners};
use super::tier_params;
use super::walks::Walks;
use crate::model::{CommunityId, Finding, FindingKind, Severity, StationTier, Text};
use crate::params::Params;
use crate::siting::tiers::{self, TierGoal, TierTask};
use crate::siting::{Backup, Table};

/// Most new places suggested for a tier.
const SUGGESTIONS: usize = 5;

/// Buildings and street corners where a new candidate would bring most of the unserved households into reach.
pub(super) fn suggestions(
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
            let (tier, minutes) = (tiers[answer.tier], rule.walk_limit / 60_000);
            let (name, tier) = (tier.chinese(), tier.as_str());
            Finding::new(
                Severity::Info,
                FindingKind::SuggestedSite,
                "stations",
                Text::from((
                    format!("{name}：建议点位 {n}，在此增设可使未覆盖的 {gain} 户进入 {minutes} 分钟圈"),
                    format!(
                        "tier {tier}: a candidate here would bring {gain} unserved households within {minutes} min"
                    ),
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

/// Per tier and community the households that no admissible place reaches, and how far its nearest one is.
pub(super) fn unreached(
    walks: &Walks<'_>,
    sites: &[Site],
    task: &TierTask<'_>,
    tiers: &[StationTier],
    answers: &[tiers::TierAnswer],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut however_far: Option<Vec<Option<u32>>> = None;
    for answer in answers.iter().filter(|answer| task.rules[answer.tier].goal != TierGoal::KeepExisting) {
        let mut by_community: BTreeMap<Option<CommunityId>, Vec<tiers::OutOfReach>> = BTreeMap::new();
        for &far in &answer.out_of_reach {
            by_community.entry(walks.scenario.atoms[far.demand as usize].community).or_default().push(far);
        }
        for (community, beyond) in by_community {
            let nearest = |far: &tiers::OutOfReach| {
                far.nearest.or_else(|| {
                    let all = however_far.get_or_insert_with(|| walks.nearest(sites));
                    all[far.demand as usize]
                })
            };
            let households: u64 = beyond.iter().map(|far| u64::from(far.households)).sum();
            let times: Vec<Option<u32>> = beyond.iter().map(nearest).collect();
            let largest = beyond.iter().max_by_key(|far| (far.households, std::cmp::Reverse(far.demand)));
            let Some(largest) = largest else { continue };
            let atom = &walks.scenario.atoms[largest.demand as usize];
            let minutes = task.rules[answer.tier].walk_limit / 60_000;
            let (far_zh, far_en) = match sites {
                [] => ("没有任何备选点位".to_owned(), "there is no candidate at all".to_owned()),
                _ => how_far(&times),
            };
            let (one_zh, one_en) = match task.rules[answer.tier].backup {
                Backup::None => ("任何备选点位", "no candidate"),
                Backup::Second => ("两处备选点位", "fewer than two candidates"),
            };
            let (tier, buildings) = (tiers[answer.tier], beyond.len());
            let (zh, en) = (tier.chinese(), tier.as_str());
            let finding = Finding::new(
                Severity::Warning,
                FindingKind::NoCandidate,
                "stations",
                Text::from((
                    format!("{zh}：{buildings} 栋 {households} 户在 {minutes} 分钟内到不了{one_zh}，{far_zh}"),
                    format!(
                        "tier {en}: {households} households in {buildings} buildings reach {one_en} within {minutes} min; {far_en}"
                    ),
                )),
                Text::from((
                    "在附近登记用房（见建议点位），或打通步行路线",
                    "register premises near them (see the suggested places), or open a way on foot",
                )),
            )
            .at(atom.door.unwrap_or_else(|| atom.shape.anchor()));
            findings.push(match community {
                Some(id) => finding.in_community(id),
                None => finding,
            });
        }
    }
    findings
}

/// The walks to the nearest place, in words.
fn how_far(times: &[Option<u32>]) -> (String, String) {
    let known: Vec<u32> = times.iter().copied().flatten().collect();
    let without_way = times.len() - known.len();
    let minutes = |time: Option<&u32>| f64::from(*time.unwrap_or(&0)) / 60_000.0;
    let (least, most) = (minutes(known.iter().min()), minutes(known.iter().max()));
    let mut words = match known.len() {
        0 => (String::new(), String::new()),
        _ => (
            format!("最近的备选点位步行 {least:.1} 至 {most:.1} 分钟"),
            format!("the nearest is {least:.1} to {most:.1} min away"),
        ),
    };
    if 0 < without_way {
        let comma =
            |text: &str, sign: &str| if text.is_empty() { String::new() } else { format!("{text}{sign}") };
        words = (
            format!("{}{without_way} 栋没有步行路线", comma(&words.0, "，")),
            format!("{}{without_way} buildings have no way on foot at all", comma(&words.1, ", ")),
        );
    }
    words
}
