//! What the planner reads: why a station, what a tier was asked for, what it could not have.

use super::sites::Site;
use crate::model::{CommunityId, Finding, FindingKind, Scenario, Severity, StationTier, Text};
use crate::siting::Backup;
use crate::siting::tiers::{self, TierGoal, TierRule};

/// What the station adds, what would be lost without it, and the runner-up.
pub(super) fn reason(
    scenario: &Scenario,
    sites: &[Site],
    goal: TierGoal,
    households: u64,
    found: &tiers::TierStation,
) -> Text {
    let (adds, serves, loss) = (found.adds, found.serves, found.loss);
    if goal.is_of_walks() {
        return reason_of_walks(scenario, sites, goal, households, found);
    }
    let mut text = Text {
        zh: format!("新增覆盖 {adds} 户，服务 {serves} 户；取消则 {loss} 户失去服务圈"),
        en: format!("adds {adds} households, serves {serves}; {loss} would be lost without it"),
    };
    if let Some((site, loss)) = found.runner_up {
        let name = place_name(scenario, &sites[site as usize]);
        text.zh.push_str(&format!("；次优 {name}，少 {loss} 户"));
        text.en.push_str(&format!("; runner-up {name}, {loss} fewer"));
    }
    text
}

/// The same where walks are the aim: how much longer they would be.
fn reason_of_walks(
    scenario: &Scenario,
    sites: &[Site],
    goal: TierGoal,
    households: u64,
    found: &tiers::TierStation,
) -> Text {
    let of_all = matches!(goal, TierGoal::ShortestWalks(_));
    let (zh, en) =
        if of_all { ("户均步行", "the mean walk") } else { ("最远步行", "the longest walk") };
    let longer = |loss: u64| seconds(goal, loss, households);
    let (serves, loss) = (found.serves, longer(found.loss));
    let mut text = Text {
        zh: format!("服务 {serves} 户；取消则{zh}增加 {loss:.1} 秒"),
        en: format!("serves {serves}; without it {en} is {loss:.1} s longer"),
    };
    if let Some((site, loss)) = found.runner_up {
        let (name, loss) = (place_name(scenario, &sites[site as usize]), longer(loss));
        text.zh.push_str(&format!("；次优 {name}，增加 {loss:.1} 秒"));
        text.en.push_str(&format!("; runner-up {name}, {loss:.1} s longer"));
    }
    text
}

/// Households whose walks count: all but those whose streets lie apart.
pub(super) fn walking(answer: &tiers::TierAnswer) -> u64 {
    let apart = answer.notes.iter().map(|note| match note {
        tiers::TierNote::Apart { households, .. } => *households,
        _ => 0,
    });
    answer.total - apart.sum::<u64>()
}

/// A value of an aim of walks in seconds: the mean walk of a household, or the longest walk.
fn seconds(goal: TierGoal, value: u64, households: u64) -> f64 {
    let of = if matches!(goal, TierGoal::ShortestWalks(_)) { households.max(1) } else { 1 };
    value as f64 / of as f64 / 1000.0
}

/// Why a standing station closes or where it moves.
pub(super) fn closing(scenario: &Scenario, sites: &[Site], closed: &tiers::ClosedStation) -> Text {
    let loss = closed.loss;
    match closed.moved_to {
        Some(to) => {
            let name = place_name(scenario, &sites[to as usize]);
            Text {
                zh: format!("迁至 {name}；若留在原处可另覆盖 {loss} 户"),
                en: format!("moves to {name}; staying would cover {loss} households besides"),
            }
        }
        None => Text {
            zh: format!("撤并；若保留可另覆盖 {loss} 户"),
            en: format!("closes; staying would cover {loss} households besides"),
        },
    }
}

fn place_name(scenario: &Scenario, site: &Site) -> String {
    let premise = site.premise.map(|id| &scenario.premises[id.index()]);
    premise.map_or_else(
        || format!("{:.0}, {:.0}", site.at.x, site.at.y),
        |premise| premise.name.clone().unwrap_or_else(|| premise.source.0.clone()),
    )
}

/// What a tier is asked for: its aim and its conditions.
pub(super) fn asked_words(rule: &TierRule) -> Text {
    let words = with_conditions(aim_words(rule), rule);
    // An error's last semicolon parts it from its remedy.
    Text { zh: words.zh.replace('；', "，"), en: words.en.replace(';', ",") }
}

/// What a tier is asked for; with an aim of walks, what they came to as well.
pub(super) fn goal_words(rule: &TierRule, answer: &tiers::TierAnswer) -> Text {
    let mut words = aim_words(rule);
    if let Some((reached, bound)) = answer.walks {
        let minutes = |value: u64| seconds(rule.goal, value, walking(answer)) / 60.0;
        let (reached, bound) = (minutes(reached), minutes(bound));
        words.zh.push_str(&format!("：{reached:.2} 分钟，任何方案不低于 {bound:.2} 分钟"));
        words.en.push_str(&format!(": {reached:.2} min, no choice is below {bound:.2}"));
    }
    with_conditions(words, rule)
}

fn with_conditions(mut words: Text, rule: &TierRule) -> Text {
    for condition in condition_words(rule) {
        words.zh.push_str(&format!("；{}", condition.zh));
        words.en.push_str(&format!("; {}", condition.en));
    }
    words
}

/// The conditions beside the aim.
fn condition_words(rule: &TierRule) -> Vec<Text> {
    let mut words: Vec<(String, String)> = Vec::new();
    if rule.backup == Backup::Second {
        words.push(("每户须有两个站点可达".into(), "two stations in reach of each household".into()));
    }
    if let Some(least) = rule.least_area {
        words.push((format!("面积不小于 {least:.0} m²"), format!("at least {least:.0} m²")));
    }
    if rule.demand_share < 1.0 {
        let percent = rule.demand_share * 100.0;
        words.push((format!("{percent:.0}% 的户使用"), format!("used by {percent:.0} % of households")));
    }
    match (rule.least_per_community, rule.most_per_community) {
        (0, None) => {}
        (least, None) => {
            words.push((format!("每社区至少 {least} 个"), format!("at least {least} in each community")));
        }
        (0, Some(most)) => {
            words.push((format!("每社区至多 {most} 个"), format!("at most {most} in each community")));
        }
        (least, Some(most)) => words
            .push((format!("每社区 {least} 至 {most} 个"), format!("{least} to {most} in each community"))),
    }
    if !rule.too_close.is_empty() {
        words.push(("站点保持间距".into(), "stations keep their spacing".into()));
    }
    if let Some(most) = rule.most_closed {
        words.push((format!("至多撤并 {most} 个"), format!("at most {most} closed")));
    }
    words.into_iter().map(Text::from).collect()
}

/// The aim alone.
fn aim_words(rule: &TierRule) -> Text {
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
        TierGoal::ShortestWalks(n) => (
            format!("{minutes} 分钟；新增 {n} 个，户均步行最短"),
            format!("{minutes} min; shortest mean walk with {n} new ones"),
        )
            .into(),
        TierGoal::ShortestFarthest(n) => (
            format!("{minutes} 分钟；新增 {n} 个，最远步行最短"),
            format!("{minutes} min; shortest longest walk with {n} new ones"),
        )
            .into(),
        TierGoal::OnePerCommunity => (
            format!("每社区一个中心，{minutes} 分钟"),
            format!("one centre in each community, {minutes} min"),
        )
            .into(),
    }
}

/// Notes of the tiers as findings.
pub(super) fn findings(
    scenario: &Scenario,
    tiers: &[StationTier],
    answers: &[tiers::TierAnswer],
) -> Vec<Finding> {
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
        tiers::TierNote::FewPlaces { community, places, wanted, .. } => (
            Some(CommunityId(*community)),
            Text::from((
                format!("{0}只有 {places} 处可设{zh}，要求 {wanted} 个", name(*community)),
                format!(
                    "{0} has {places} places for tier {en}, {wanted} stations are asked for",
                    name(*community)
                ),
            )),
            Text::from(("在该社区的用房登记中补充备选", "add a candidate there to the premises register")),
        ),
        tiers::TierNote::FewPlacesInAll { places, wanted, .. } => (
            None,
            Text::from((
                format!("要求新增 {wanted} 个{zh}，只有 {places} 处备选"),
                format!("{wanted} new stations of tier {en} are asked for, there are {places} places"),
            )),
            Text::from((
                "补充备选用房，或减少数量",
                "add candidates to the premises register, or ask for fewer",
            )),
        ),
        tiers::TierNote::TooManyExisting { community, found, most, .. } => (
            Some(CommunityId(*community)),
            Text::from((
                format!("{0}已有 {found} 个{zh}，要求至多 {most} 个", name(*community)),
                format!(
                    "{0} already has {found} stations of tier {en}; at most {most} are asked for",
                    name(*community)
                ),
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
        tiers::TierNote::GoalNotMet { households, wanted, .. } => (
            None,
            Text::from((
                format!("{zh}找到的方案覆盖 {households} 户，目标需要 {wanted} 户；未能证明达不到"),
                format!(
                    "the best choice found for tier {en} covers {households} households, its goal needs {wanted}; another that meets it is not ruled out"
                ),
            )),
            Text::from((
                "增加备选用房，或放宽时限或间距",
                "add candidates, or loosen the limit or the spacing",
            )),
        ),
        tiers::TierNote::UnknownCost { count, .. } => (
            None,
            Text::from((
                format!("{zh}按预算选址，{count} 处年费用不详的用房未列入"),
                format!("{count} places of unknown yearly cost were left out of the budget of tier {en}"),
            )),
            Text::from(("在用房登记中补充年费用", "add their yearly cost to the premises register")),
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
        tiers::TierNote::Apart { households, .. } => (
            None,
            Text::from((
                format!("{zh}：{households} 户所在道路与多数备选不连通，未计入步行"),
                format!(
                    "tier {en}: {households} households on streets apart from most places were left out of the walks"
                ),
            )),
            Text::from(("检查道路是否断开", "check whether streets are broken there")),
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
