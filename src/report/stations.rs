//! Section about stations: tiers, what was asked and reached, how coverage grows with their number.

use super::chart::{Series, lines};
use super::facts::Facts;
use super::markup::{Cell, Standing, Table, figure, note};
use super::page::Section;
use super::text::{self, count, decimal, percent};
use crate::model::{
    CoverageMethod, CoverageScope, FrontierPoint, Lang, StationStatus, StationTier, TierAnswer,
};

/// A tier's colour in charts.
const COLOURS: [&str; 5] = ["#6a3d9a", "#14507d", "#2b8a66", "#d9480f", "#8a5a00"];

/// Section: stations.
pub(super) fn section(facts: &Facts<'_>, lang: Lang) -> Section {
    let mut body = tier_table(facts, lang);
    body.push_str(&answers_table(facts, lang));
    let mut charts = frontier(facts, lang);
    let table = tier_coverage(facts, lang);
    if charts.len().is_multiple_of(2) {
        body.push_str(&table);
    } else {
        charts.push(format!("<div>{table}</div>"));
    }
    for pair in charts.chunks(2) {
        body.push_str(&format!("<div class=\"two\">{}</div>", pair.concat()));
    }
    Section::new("stations", lang, "服务站", "Service stations", body)
}

fn tier_table(facts: &Facts<'_>, lang: Lang) -> String {
    let heads = [
        lang.pick("层级", "tier"),
        lang.pick("#现有", "#existing"),
        lang.pick("#新增", "#new"),
        lang.pick("#撤并", "#closed"),
        lang.pick("#实施后", "#under the plan"),
        lang.pick("#面积（平方米）", "#area (m²)"),
        lang.pick("#服务容量（户）", "#capacity (households)"),
    ];
    let mut table = Table::new(lang.pick("各级服务站", "Stations by tier"), &heads);
    for tier in StationTier::ALL {
        let all = facts.plan.stations.iter().filter(|station| station.tier == tier).count();
        if all == 0 {
            continue;
        }
        let number = |status| facts.n_stations(Some(tier), status);
        let open = || facts.open_stations().filter(move |station| station.tier == tier);
        let area: f64 = open().filter_map(|station| station.area).map(|area| area.value()).sum();
        let unknown = open().filter(|station| station.area.is_none()).count();
        let mut area = decimal(area, 0);
        if 0 < unknown {
            area = say!(lang, "{area}，{unknown} 个未知", "{area}, {unknown} unknown");
        }
        let capacity: u64 =
            open().filter_map(|station| station.capacity).map(|limit| u64::from(limit.0)).sum();
        let unlimited = open().any(|station| station.capacity.is_none());
        table.row(vec![
            Cell::text(text::tier(tier, lang)),
            Cell::count(number(StationStatus::Existing)),
            Cell::count(number(StationStatus::Chosen)),
            Cell::count(number(StationStatus::Closed)),
            Cell::count(open().count() as u64),
            Cell::Figure(area),
            Cell::Figure(if unlimited { lang.pick("不限", "unlimited").into() } else { count(capacity) }),
        ]);
    }
    if table.is_empty() {
        return note(lang.pick("本方案没有服务站。", "This plan has no stations."));
    }
    table.note(lang.pick(
        "“新增”由方案从房源登记或候选地点中选出，选择理由见附表 C。",
        "New ones were chosen by the plan from the register of premises or from candidate places; each reason stands in annex C.",
    ));
    table.html()
}

/// What was asked of each tier, what was reached, and what no choice can beat.
fn answers_table(facts: &Facts<'_>, lang: Lang) -> String {
    let heads = [
        lang.pick("层级", "tier"),
        lang.pick("要求", "asked"),
        lang.pick("#圈内户数", "#households in reach"),
        lang.pick("#上界", "#upper bound"),
        lang.pick("#差距", "#gap"),
        lang.pick("结论", "verdict"),
    ];
    let mut table = Table::new(lang.pick("选址结果与上界", "Siting: answer and bound"), &heads);
    for answer in &facts.plan.tiers {
        let verdict = match (answer.proven, answer.gap) {
            (true, _) => lang.pick("已证明最优", "proven best"),
            (false, Some(_)) => lang.pick("未证明最优，差距如左", "not proven; the gap says how far at most"),
            (false, None) => lang.pick("没有上界", "no bound known"),
        };
        table.row(vec![
            Cell::text(text::tier(answer.tier, lang)),
            Cell::text(answer.goal.get(lang)),
            Cell::Figure(decimal(answer.objective, 0)),
            Cell::Figure(answer.bound.map_or_else(|| "—".into(), |bound| decimal(bound, 0))),
            Cell::figure(
                answer.gap.map_or_else(|| "—".into(), |gap| format!("{}%", decimal(gap * 100.0, 2))),
                Standing::of(answer.gap.map(|gap| gap <= 0.05)),
            ),
            Cell::text(verdict),
        ]);
    }
    if table.is_empty() { String::new() } else { table.html() }
}

/// Charts of every tier whose number of stations, or money, was varied.
fn frontier(facts: &Facts<'_>, lang: Lang) -> Vec<String> {
    let mut charts = Vec::new();
    for answer in &facts.plan.tiers {
        let title = text::tier(answer.tier, lang);
        if 2 <= answer.frontier.len() {
            let caption = say!(
                lang,
                "{title}：新增站点数与圈内户数（路网时间）",
                "{title}: new stations and households in reach (network time)"
            );
            let x_of = |point: &FrontierPoint| f64::from(point.stations);
            let axis = lang.pick("新增站点数", "new stations");
            let chart = curve(answer, &answer.frontier, x_of, axis, &caption, lang);
            charts.push(format!("<div>{chart}{}</div>", returns(answer, lang)));
        }
        if 2 <= answer.money.len() {
            let caption = say!(
                lang,
                "{title}：新增站点年费用与圈内户数（路网时间）",
                "{title}: yearly cost of new stations and households in reach (network time)"
            );
            let x_of = |point: &FrontierPoint| point.cost as f64 / YUAN_A_TICK;
            let axis = lang.pick("年费用（万元）", "10,000 yuan a year");
            let chart = curve(answer, &answer.money, x_of, axis, &caption, lang);
            charts.push(format!("<div>{chart}{}</div>", spending(answer, lang)));
        }
    }
    charts
}

/// Money is counted in units of ten thousand yuan (万元).
const YUAN_A_TICK: f64 = 10_000.0;

/// What is reached and what cannot be passed, over stations or money; the choice of the plan is marked.
fn curve(
    answer: &TierAnswer,
    points: &[FrontierPoint],
    x_of: impl Fn(&FrontierPoint) -> f64,
    axis: &str,
    caption: &str,
    lang: Lang,
) -> String {
    let colour = COLOURS[StationTier::ALL.iter().position(|tier| *tier == answer.tier).unwrap_or(0)];
    let title = text::tier(answer.tier, lang);
    let line = |y_of: fn(&FrontierPoint) -> u64| -> Vec<(f64, f64)> {
        points.iter().map(|point| (x_of(point), y_of(point) as f64)).collect()
    };
    let series = [
        Series {
            name: lang.pick("上界", "bound").into(),
            colour: "#7a828a",
            dash: "10 7",
            points: line(|point| point.bound),
        },
        Series { name: title.into(), colour, dash: "", points: line(|point| point.households) },
    ];
    // Stations placed for short walks lie on no point of a curve of coverage.
    let is_of_coverage = answer.bound.is_some();
    let chosen = points.iter().find(|point| is_of_coverage && answer.objective <= point.households as f64);
    let marks: Vec<(f64, String)> =
        chosen.map(|point| (x_of(point), lang.pick("本方案", "this plan").to_owned())).into_iter().collect();
    let svg = lines(title, axis, lang.pick("圈内户数", "households in reach"), &series, &marks);
    let dash = |line: &Series| if line.dash.is_empty() { "" } else { "4 2" };
    let legend: Vec<_> = series
        .iter()
        .map(|line| super::markup::Key::line(line.colour, 2.0, dash(line), line.name.as_str()))
        .collect();
    figure(&svg, caption, &legend)
}

/// What each budget buys.
fn spending(answer: &TierAnswer, lang: Lang) -> String {
    let mut table = Table::new(
        lang.pick("预算与效果", "What a budget buys"),
        &[
            lang.pick("#年预算（元）", "#budget (yuan a year)"),
            lang.pick("#新增站点", "#new stations"),
            lang.pick("#圈内户数", "#households in reach"),
            lang.pick("#每增一户（元）", "#yuan for one more household"),
        ],
    );
    let mut before: Option<&FrontierPoint> = None;
    for (index, point) in answer.money.iter().enumerate() {
        // Money that reaches nobody more gets no line of its own.
        let reaches_more = before.is_none_or(|before| before.households < point.households);
        if !reaches_more && index + 1 < answer.money.len() {
            continue;
        }
        let more = before
            .map(|before| (point.cost - before.cost, point.households.saturating_sub(before.households)));
        table.row(vec![
            Cell::count(point.cost),
            Cell::count(u64::from(point.stations)),
            Cell::count(point.households),
            Cell::Figure(match more {
                Some((money, households)) if 0 < households => decimal(money as f64 / households as f64, 0),
                _ => "—".into(),
            }),
        ]);
        before = Some(point);
    }
    table.html()
}

/// What each further station adds, and from which on it is little.
fn returns(answer: &TierAnswer, lang: Lang) -> String {
    let gains: Vec<(u32, u64)> = answer
        .frontier
        .windows(2)
        .map(|pair| (pair[1].stations, pair[1].households.saturating_sub(pair[0].households)))
        .collect();
    let Some(&(_, most)) = gains.iter().max_by_key(|gain| gain.1) else { return String::new() };
    // A tenth of the best station's gain is our choice of "little".
    let little = gains.iter().rposition(|gain| most <= gain.1 * 10).map_or(0, |last| last + 1);
    let mut table = Table::new(
        lang.pick("逐站新增户数", "What each further station adds"),
        &[
            lang.pick("#站点数", "#stations"),
            lang.pick("#圈内户数", "#households in reach"),
            lang.pick("#新增户数", "#added"),
        ],
    );
    let step = (little + 1).min(gains.len()).div_ceil(LONGEST_RETURNS).max(1);
    for (index, &(stations, gain)) in gains.iter().enumerate() {
        let goes_on = index <= little && index % step == 0;
        if goes_on || index + 1 == gains.len() || index + 1 == little {
            table.row(vec![
                Cell::count(u64::from(stations)),
                Cell::count(answer.frontier[index + 1].households),
                Cell::count(gain),
            ]);
        }
    }
    table.note(match gains.get(little) {
        Some(&(stations, gain)) => say!(
            lang,
            "自第 {stations} 个站点起收益递减：每站新增不足最高一站的十分之一（该站新增 {gain} 户）。",
            "Returns diminish: from station {stations} on each adds less than a tenth of what the best one adds (this one {gain} households)."
        ),
        None => lang.pick("尚未出现明显的收益递减。", "Every further station still adds a good deal.").into(),
    });
    table.html()
}

/// Most rows of the table of further stations.
const LONGEST_RETURNS: usize = 15;

fn tier_coverage(facts: &Facts<'_>, lang: Lang) -> String {
    let caption =
        lang.pick("分层级住户覆盖率（路网时间）", "Share of households covered, by tier (network time)");
    let mut table = Table::new(caption, &[lang.pick("层级", "tier")]);
    for band in &facts.plan.coverage.bands {
        let minutes = band.minutes;
        table.head(say!(lang, "#{minutes} 分钟", "#{minutes} minutes"));
    }
    for tier in StationTier::ALL {
        if facts.open_stations().all(|station| station.tier != tier) {
            continue;
        }
        let row_of = |minutes| {
            facts.plan.coverage.row(CoverageScope::All, Some(tier), CoverageMethod::NetworkTime, minutes)
        };
        let mut cells = vec![Cell::text(text::tier(tier, lang))];
        for band in &facts.plan.coverage.bands {
            cells.push(Cell::Figure(row_of(band.minutes).map_or_else(
                || "—".into(),
                |row| percent(u64::from(row.households_reached.0), u64::from(row.households.0)),
            )));
        }
        table.row(cells);
    }
    if table.is_empty() || facts.plan.coverage.bands.is_empty() { String::new() } else { table.html() }
}
