//! Sections about coverage: the circles, the methods, the overlap, the communities, and who is left out.

use super::chart::{Bar, Bin, Series, bars, grouped, histogram, lines};
use super::facts::{Facts, LeftOut};
use super::map::{self, band_colour};
use super::markup::{Cell, Key, Table, figure, note, paragraph};
use super::page::Section;
use super::text::{self, count, decimal, percent};
use crate::model::{CoverageMethod, CoverageScope, Lang, Unreached};

/// Above this many communities the chart shows only the worst.
const MAX_BARS: usize = 45;
const REST: &str = "#d9dee3";
const METHODS: [&str; 3] = ["#b9c2ca", "#7fa8c9", "#2b8a66"];

/// Section: coverage.
pub(super) fn section(facts: &Facts<'_>, lang: Lang) -> Section {
    let mut body = String::new();
    if facts.plan.coverage.bands.is_empty() {
        body.push_str(&note(lang.pick("本方案没有覆盖测算。", "This plan has no coverage.")));
        return Section::new("coverage", lang, "步行圈覆盖", "Coverage", body);
    }
    if let Some(map) = map::circles(facts, lang) {
        let caption = lang.pick(
            "步行圈与圈外住户。步行圈为路网时间等时圈；圆点面积与户数成正比。",
            "Walking circles and households left out. Circles are isochrones of network time; dots grow with the households.",
        );
        body.push_str(&figure(&map.svg, caption, &map.legend).replacen(
            "<figure>",
            "<figure class=\"map\">",
            1,
        ));
    }
    body.push_str("<div class=\"two\">");
    body.push_str(&methods_chart(facts, lang));
    body.push_str(&walk_curve(facts, lang));
    body.push_str("</div>");
    body.push_str(&overlap(facts, lang));
    body.push_str(&by_community(facts, lang));
    body.push_str(&super::balance::parts(facts, lang));
    Section::new("coverage", lang, "步行圈覆盖", "Coverage", body)
}

fn methods_chart(facts: &Facts<'_>, lang: Lang) -> String {
    let groups: Vec<(String, Vec<Option<f64>>)> = facts
        .plan
        .coverage
        .bands
        .iter()
        .map(|band| {
            let minutes = band.minutes;
            let share =
                |method| facts.row(CoverageScope::All, method, minutes).map(|row| row.share() * 100.0);
            (say!(lang, "{minutes} 分钟", "{minutes} minutes"), CoverageMethod::ALL.map(share).to_vec())
        })
        .collect();
    let title = lang.pick("三种方法的住户覆盖率", "Coverage by three methods");
    let svg = grouped(title, lang.pick("住户覆盖率（%）", "households covered (%)"), &groups, &METHODS);
    let legend: Vec<Key> = CoverageMethod::ALL
        .iter()
        .zip(METHODS)
        .map(|(method, colour)| Key::fill(colour, text::method(*method, lang)))
        .collect();
    figure(&svg, title, &legend)
}

/// How many households reach a station within so many minutes.
fn walk_curve(facts: &Facts<'_>, lang: Lang) -> String {
    let mut by_minute = [0_u64; 31];
    for (reach, atom) in facts.plan.coverage.atoms.iter().zip(&facts.scenario.atoms) {
        if let (Ok((_, walk)), Some(_)) = (reach.nearest, atom.community) {
            let minute = walk.minutes().ceil().min(31.0) as usize;
            if let Some(sum) = by_minute.get_mut(minute) {
                *sum += u64::from(atom.households.0);
            }
        }
    }
    let all = facts.planned.households.max(1) as f64;
    let mut sum = 0;
    let points: Vec<(f64, f64)> = by_minute
        .iter()
        .enumerate()
        .map(|(minute, households)| {
            sum += households;
            (minute as f64, sum as f64 / all * 100.0)
        })
        .collect();
    let marks: Vec<(f64, String)> = facts
        .plan
        .coverage
        .bands
        .iter()
        .map(|band| (f64::from(band.minutes), format!("{}′", band.minutes)))
        .collect();
    let title = lang.pick(
        "到最近服务站的步行时间（路网时间，累计）",
        "Walk to the nearest station (network time, cumulative)",
    );
    // Thirty small dots would hide the line.
    let series = [Series { name: String::new(), colour: "#14507d", dash: "", points }];
    let svg = lines(
        title,
        lang.pick("分钟", "minutes"),
        lang.pick("累计住户（%）", "households (%)"),
        &series,
        &marks,
    );
    figure(&svg, title, &[])
}

/// Reached by nobody, by one station, by two or more.
fn overlap(facts: &Facts<'_>, lang: Lang) -> String {
    let colours = [REST, "#7cc4a4", "#2b8a66"];
    let mut rows = Vec::new();
    for band in &facts.plan.coverage.bands {
        let Some(row) = facts.row(CoverageScope::All, CoverageMethod::NetworkTime, band.minutes) else {
            continue;
        };
        let (all, reached, two) = (row.households.0, row.households_reached.0, row.households_overlap.0);
        let parts = [two, reached.saturating_sub(two), all.saturating_sub(reached)];
        let minutes = band.minutes;
        let figure = percent(u64::from(two), u64::from(all));
        rows.push(Bar {
            label: say!(lang, "{minutes} 分钟", "{minutes} min"),
            parts: parts
                .iter()
                .zip([colours[2], colours[1], colours[0]])
                .map(|(n, c)| (f64::from(*n), c))
                .collect(),
            figure: say!(lang, "两站以上 {figure}", "two or more {figure}"),
        });
    }
    if rows.is_empty() {
        return String::new();
    }
    let title =
        lang.pick("重叠服务：住户可达的站点数（路网时间）", "Overlap: stations within reach (network time)");
    let legend = [
        Key::fill(colours[2], lang.pick("两个及以上", "two or more")),
        Key::fill(colours[1], lang.pick("一个", "one")),
        Key::fill(colours[0], lang.pick("没有", "none")),
    ];
    figure(&bars(title, 1_800.0, &rows), title, &legend)
}

fn by_community(facts: &Facts<'_>, lang: Lang) -> String {
    let bands = &facts.plan.coverage.bands;
    let many = MAX_BARS < facts.communities.len();
    let order = if many { facts.worst_first() } else { facts.communities.iter().collect() };
    let mut rows = Vec::new();
    for community in order.into_iter().take(MAX_BARS) {
        let by_time = facts.by_time(CoverageScope::Community(community.id));
        let Some(last) = by_time.last().copied().flatten() else { continue };
        if last.1 == 0 {
            continue;
        }
        let mut parts = Vec::new();
        let mut before = 0;
        for (index, reached) in by_time.iter().enumerate() {
            let reached = reached.map_or(before, |(reached, _)| reached);
            parts.push((reached.saturating_sub(before) as f64, band_colour(index, bands.len())));
            before = reached.max(before);
        }
        parts.push((last.1.saturating_sub(before) as f64, "#c62828"));
        let name = facts.community_name(Some(community.id)).to_owned();
        rows.push(Bar { label: name, parts, figure: percent(last.0, last.1) });
    }
    if rows.is_empty() {
        return String::new();
    }
    let widest = bands.last().map_or(0, |band| band.minutes);
    let mut caption = say!(
        lang,
        "各社区住户覆盖（路网时间）；右侧数字为 {widest} 分钟覆盖率",
        "Households covered by community (network time); the figure is the share within {widest} minutes"
    );
    if many {
        let (drawn, all) = (rows.len(), count(facts.communities.len() as u64));
        caption.push_str(&say!(
            lang,
            "。{all} 个社区中最需要关注的 {drawn} 个，其余见附表 A。",
            ". The {drawn} of {all} communities that most need a look; the rest is in annex A."
        ));
    }
    let mut legend: Vec<Key> = bands
        .iter()
        .enumerate()
        .map(|(index, band)| {
            let minutes = band.minutes;
            Key::fill(
                band_colour(index, bands.len()),
                say!(lang, "{minutes} 分钟内", "within {minutes} minutes"),
            )
        })
        .collect();
    legend.push(Key::fill("#c62828", lang.pick("圈外", "beyond")));
    figure(&bars(&caption, 1_800.0, &rows), &caption, &legend)
}

/// Section: who is left out, why, and how far they are.
pub(super) fn left_out(facts: &Facts<'_>, lang: Lang) -> Section {
    let section = |body| Section::new("left-out", lang, "未覆盖住户", "Who is left out", body);
    let Some(widest) = facts.widest_band() else {
        return section(note(lang.pick("本方案没有覆盖测算。", "This plan has no coverage.")));
    };
    let minutes = widest.minutes;
    let load = facts.left_out_load();
    if load.households == 0 {
        return section(paragraph(&say!(
            lang,
            "所有住户都在 {minutes} 分钟圈内（路网时间）。",
            "Every household is within the {minutes}-minute circle (network time)."
        )));
    }
    let (households, residents, buildings) =
        (count(load.households), count(load.residents), count(load.buildings));
    let share = percent(load.households, facts.planned.households);
    let mut body = paragraph(&say!(
        lang,
        "按路网时间，{buildings} 栋楼的 {households} 户、{residents} 人在 {minutes} 分钟圈外，占 {share}。",
        "By network time {households} households with {residents} residents in {buildings} buildings are beyond \
         {minutes} minutes, {share} of all."
    ));
    body.push_str("<div class=\"two\">");
    body.push_str(&missing_chart(facts, minutes, lang));
    body.push_str(&format!("<div>{}</div>", reasons_table(facts, lang)));
    body.push_str("</div>");
    let shown: Vec<&LeftOut> = facts.left_out.iter().take(10).collect();
    let first = shown.len();
    let caption = say!(
        lang,
        "离 {minutes} 分钟圈最远的楼栋（前 {first} 栋，更多见附表 D）",
        "Buildings furthest from the {minutes}-minute circle (first {first}, more in annex D)"
    );
    body.push_str(&left_out_table(facts, &caption, &shown, lang).html());
    section(body)
}

/// Buildings left out, as the section and the annex list them.
pub(super) fn left_out_table(facts: &Facts<'_>, caption: &str, shown: &[&LeftOut], lang: Lang) -> Table {
    let heads = [
        lang.pick("楼栋", "building"),
        lang.pick("社区", "community"),
        lang.pick("网格", "grid"),
        lang.pick("#户数", "#households"),
        lang.pick("#人数", "#residents"),
        lang.pick("最近站点", "nearest station"),
        lang.pick("#步行（分）", "#walk (min)"),
        lang.pick("#超出（分）", "#beyond (min)"),
        lang.pick("#路网（米）", "#walk (m)"),
        lang.pick("#直线（米）", "#straight (m)"),
    ];
    let mut table = Table::new(caption, &heads);
    let metres = |metres: Option<crate::units::Metres>| {
        Cell::Figure(metres.map_or_else(|| "—".into(), |metres| decimal(metres.value(), 0)))
    };
    for left in shown {
        let atom = &facts.scenario.atoms[left.atom.index()];
        let reach = &facts.plan.coverage.atoms[left.atom.index()];
        let widest = facts.widest_band().map_or(0.0, |band| band.limit().value());
        let (nearest, walk, beyond) = match left.missing {
            Ok((station, beyond)) => (
                facts.plan.stations.get(station.index()).map_or("—", |station| station.name.as_str()),
                text::minutes(beyond + widest),
                text::minutes(beyond),
            ),
            Err(reason) => (text::unreached(reason, lang), "—".into(), "—".into()),
        };
        table.row(vec![
            Cell::text(
                atom.name
                    .as_ref()
                    .map_or_else(|| atom.source.0.clone(), |name| format!("{name} ({})", atom.source)),
            ),
            Cell::text(facts.community_name(atom.community)),
            Cell::short(facts.grid_code(left.atom)),
            Cell::count(u64::from(atom.households.0)),
            Cell::count(u64::from(atom.residents.0)),
            Cell::text(nearest),
            Cell::Figure(walk),
            Cell::Figure(beyond),
            metres(reach.distance),
            metres(reach.straight),
        ]);
    }
    table
}

/// Households by how many minutes they miss the widest circle.
fn missing_chart(facts: &Facts<'_>, minutes: u32, lang: Lang) -> String {
    const STEPS: [(f64, &str); 6] =
        [(1.0, "≤1"), (2.0, "1–2"), (5.0, "2–5"), (10.0, "5–10"), (20.0, "10–20"), (f64::INFINITY, ">20")];
    let mut sums = [0_u64; 7];
    for left in &facts.left_out {
        let households = u64::from(facts.scenario.atoms[left.atom.index()].households.0);
        let step = match left.missing {
            Ok((_, seconds)) => STEPS.iter().position(|step| seconds / 60.0 <= step.0).unwrap_or(5),
            Err(_) => 6,
        };
        sums[step] += households;
    }
    let bins: Vec<Bin> = STEPS
        .iter()
        .map(|step| step.1)
        .chain([lang.pick("到不了", "no way")])
        .zip(sums)
        .map(|(label, value)| Bin { label: label.into(), value, colour: "#c62828" })
        .collect();
    let title = say!(
        lang,
        "距 {minutes} 分钟圈还差多少分钟（路网时间）",
        "Minutes missing to the {minutes}-minute circle (network time)"
    );
    let svg = histogram(
        &title,
        lang.pick("超出分钟数", "minutes beyond"),
        lang.pick("户数", "households"),
        &bins,
        None,
    );
    figure(&svg, &title, &[])
}

fn reasons_table(facts: &Facts<'_>, lang: Lang) -> String {
    let heads =
        [lang.pick("原因", "reason"), lang.pick("#楼栋", "#buildings"), lang.pick("#户数", "#households")];
    let mut table = Table::new(lang.pick("未覆盖的原因", "Why they are left out"), &heads);
    let reasons = std::iter::once(None).chain(Unreached::ALL.map(Some));
    for reason in reasons {
        let of_reason = || facts.left_out.iter().filter(move |left| left.missing.err() == reason);
        let households: u64 =
            of_reason().map(|left| u64::from(facts.scenario.atoms[left.atom.index()].households.0)).sum();
        let word = match reason {
            None => lang.pick("步行超过时限", "the walk takes too long"),
            Some(reason) => text::unreached(reason, lang),
        };
        if 0 < of_reason().count() {
            table.row(vec![
                Cell::text(word),
                Cell::count(of_reason().count() as u64),
                Cell::count(households),
            ]);
        }
    }
    if 0 < facts.straight_only {
        table.note(lang.pick(
            "地图上橙色圆点为直线半径以内、但步行到不了的住户：直线画圈会漏掉他们。",
            "Orange dots on the map lie within the straight radius, yet too far on foot: a drawn radius would miss them.",
        ));
    }
    table.html()
}
