//! What a reader sees first: cover, key figures, summary, and how the figures came about.

use super::facts::Facts;
use super::markup::{Cell, Standing, Table, key_figure, list, note, paragraph};
use super::page::Section;
use super::rules::{Rule, Status};
use super::text::{self, count, decimal, escape, percent};
use crate::model::{
    CoverageMethod, CoverageScope, Grid, GridClass, HouseholdsSource, Lang, Severity, StationStatus,
    UnitKind, WalkBand,
};

/// Title of the report.
pub(super) fn title(facts: &Facts<'_>, lang: Lang) -> String {
    let name = &facts.scenario.name;
    say!(
        lang,
        "{name}社区网格划分与服务站覆盖分析报告",
        "{name}: community grids and service station coverage, analysis report"
    )
}

/// The cover block with blanks that an office fills in, and the key figures.
pub(super) fn cover(facts: &Facts<'_>, lang: Lang) -> String {
    let provenance = &facts.plan.provenance;
    let blank = "＿＿＿＿＿＿＿＿＿＿".to_owned();
    let hash: String = provenance.plan_hash.chars().take(16).collect();
    let plane = &facts.scenario.plane;
    let (communities, area) = (count(facts.communities.len() as u64), decimal(facts.area_km2(), 2));
    let lines = [
        (lang.pick("编制单位", "Prepared by"), blank.clone()),
        (lang.pick("坐标系", "Coordinates"), format!("{} (EPSG:{})", plane.name(), plane.epsg())),
        (lang.pick("审核", "Checked by"), blank.clone()),
        (lang.pick("方案校验码", "Plan hash"), if hash.is_empty() { "—".into() } else { hash }),
        (lang.pick("日期", "Date"), blank.clone()),
        (
            lang.pick("程序与种子", "Program, seed"),
            format!("gridplan {}, {}", provenance.version, provenance.seed),
        ),
        (lang.pick("审图号", "Map review no."), blank),
        (
            lang.pick("规模", "Extent"),
            say!(lang, "{communities} 个社区，{area} 平方千米", "{communities} communities, {area} km²"),
        ),
    ];
    let facts_html: String = lines
        .iter()
        .map(|(word, value)| {
            format!("<div><span>{}</span><span>{}</span></div>", escape(word), escape(value))
        })
        .collect();
    format!(
        "<header class=\"cover\">\n<p class=\"kind\">{}</p>\n<h1>{}</h1>\n<p class=\"lead\">{}</p>\n\
         <div class=\"facts\">{facts_html}</div>\n{}</header>\n",
        escape(lang.pick("覆盖分析报告", "COVERAGE ANALYSIS REPORT")),
        escape(&title(facts, lang)),
        escape(lang.pick(
            "社区网格、服务站选址与 5、10、15 分钟步行圈",
            "Community grids, station sites, and walking circles of 5, 10 and 15 minutes"
        )),
        key_figures(facts, lang)
    )
}

fn key_figures(facts: &Facts<'_>, lang: Lang) -> String {
    let households = lang.pick("户", " households");
    let mut keys = vec![
        key_figure(&count(facts.planned.households), households, lang.pick("规划范围内住户", "under plan")),
        key_figure(&count(facts.sizes.grids), lang.pick("个", ""), lang.pick("网格", "grids")),
        key_figure(
            &percent(facts.sizes.in_range, facts.sizes.sized),
            "",
            lang.pick("网格规模在范围内", "of grids within their size range"),
        ),
        key_figure(&count(facts.open_stations().count() as u64), lang.pick("个", ""), &{
            let new = facts.n_stations(None, StationStatus::Chosen);
            say!(lang, "服务站（其中新增 {new}）", "service stations ({new} new)")
        }),
    ];
    let bands = &facts.plan.coverage.bands;
    let (method, shares) = facts.headline();
    let is_timed = method == CoverageMethod::NetworkTime;
    let named = text::method(method, lang);
    // What a circle is called: by its minutes, or by its metres where nothing could be timed.
    let circle = |band: &WalkBand| {
        let (minutes, metres) = (band.minutes, decimal(band.metres.value(), 0));
        if is_timed {
            say!(lang, "{minutes} 分钟", "{minutes} minutes")
        } else {
            say!(lang, "{metres} 米（{minutes} 分钟圈）", "{metres} m, the {minutes}-minute circle")
        }
    };
    for (band, reached) in bands.iter().zip(&shares) {
        let share = reached.map_or_else(|| "—".into(), |(reached, all)| percent(reached, all));
        let circle = circle(band);
        let word = say!(lang, "{circle}可达住户（{named}）", "within {circle} ({named})");
        keys.push(key_figure(&share, "", &word));
    }
    if let Some(widest) = facts.widest_band() {
        let circle = circle(&widest);
        let word = say!(lang, "{circle}圈外住户（{named}）", "beyond {circle} ({named})");
        let untimed = shares.last().copied().flatten().map_or(0, |(reached, all)| all - reached);
        let left_out = if is_timed { facts.left_out_load().households } else { untimed };
        let key = key_figure(&count(left_out), households, &word);
        keys.push(if left_out == 0 { key } else { key.replacen("class=\"key\"", "class=\"key warn\"", 1) });
    }
    format!("<div class=\"keys\">{}</div>\n", keys.concat())
}

/// Section: summary.
pub(super) fn summary(facts: &Facts<'_>, lang: Lang) -> Section {
    let mut body = paragraph(&what_was_planned(facts, lang));
    body.push_str(&paragraph(&what_came_out(facts, lang)));
    body.push_str(&format!("<h3>{}</h3>", lang.pick("要点", "Main points")));
    body.push_str(&list(&main_points(facts, lang)));
    body.push_str(&methods_table(facts, lang));
    Section::new("summary", lang, "摘要", "Summary", body)
}

fn what_was_planned(facts: &Facts<'_>, lang: Lang) -> String {
    let name = &facts.scenario.name;
    let communities = count(facts.communities.len() as u64);
    let buildings = count(facts.planned.buildings);
    let households = count(facts.planned.households);
    let residents = count(facts.planned.residents);
    let units = match facts.scenario.unit_kind {
        UnitKind::Buildings => lang.pick("栋（处）建筑", "buildings"),
        UnitKind::Areas => lang.pick("个统计小区", "census areas"),
    };
    let mut text = say!(
        lang,
        "{name}规划范围内有 {communities} 个社区（村）、{buildings} {units}、{households} 户、{residents} 人。",
        "{name} has {communities} communities under plan with {buildings} {units}, {households} households and \
         {residents} residents."
    );
    let estimated = facts.estimated();
    if 0 < estimated.households {
        let share = percent(estimated.households, facts.planned.households);
        let number = count(estimated.households);
        text.push_str(&say!(
            lang,
            "其中 {number} 户（{share}）不是逐栋登记，而是分摊或估算所得。",
            " Of them {number} households ({share}) were not counted building by building but spread or estimated."
        ));
    }
    if 0 < facts.outside.buildings {
        let (number, households) = (count(facts.outside.buildings), count(facts.outside.households));
        text.push_str(&say!(
            lang,
            "另有 {number} 栋（{households} 户）不在任何社区内，未纳入规划。",
            " A further {number} buildings ({households} households) lie outside every community and are not planned."
        ));
    }
    text
}

fn what_came_out(facts: &Facts<'_>, lang: Lang) -> String {
    let sizes = facts.sizes;
    let (grids, sized, in_range) = (count(sizes.grids), count(sizes.sized), count(sizes.in_range));
    let (share, exclusive) = (percent(sizes.in_range, sizes.sized), count(sizes.exclusive));
    let open = count(facts.open_stations().count() as u64);
    let existing = count(facts.n_stations(None, StationStatus::Existing));
    let new = count(facts.n_stations(None, StationStatus::Chosen));
    let closed = count(facts.n_stations(None, StationStatus::Closed));
    let mut text = if sizes.grids == 0 {
        say!(lang, "方案没有划分网格。", "The plan draws no grids.")
    } else {
        say!(
            lang,
            "方案划分 {grids} 个网格（专属网格 {exclusive} 个）；{sized} 个有规模要求的网格中 {in_range} 个（{share}）在范围内。",
            "The plan draws {grids} grids ({exclusive} of them exclusive); of the {sized} grids with a size range \
             {in_range} ({share}) keep it."
        )
    };
    text.push_str(&say!(
        lang,
        "方案实施后有 {open} 个服务站：现有 {existing} 个、新增 {new} 个；撤并 {closed} 个。",
        " There are {open} service stations under the plan: {existing} existing and {new} new; {closed} are closed."
    ));
    let (method, reached) = facts.headline();
    let shares: Vec<String> = facts
        .plan
        .coverage
        .bands
        .iter()
        .zip(reached)
        .filter_map(|(band, reached)| {
            let (reached, all) = reached?;
            let (minutes, share) = (band.minutes, percent(reached, all));
            Some(if method == CoverageMethod::NetworkTime {
                say!(lang, "{minutes} 分钟 {share}", "{share} within {minutes} minutes")
            } else {
                let metres = decimal(band.metres.value(), 0);
                say!(lang, "{metres} 米内 {share}", "{share} within {metres} m")
            })
        })
        .collect();
    if shares.is_empty() {
        text.push_str(&say!(lang, "方案没有测算覆盖率。", " Coverage was not measured."));
        return text;
    }
    let shares = text::join(&shares, lang);
    text.push_str(&if method == CoverageMethod::NetworkTime {
        say!(
            lang,
            "按路网时间测算，步行可达任一服务站的住户：{shares}。",
            " By network time, households reach a station: {shares}."
        )
    } else {
        say!(
            lang,
            "数据中没有可步行的道路，无法测算步行时间，因此以直线半径为准（实际步行更远，覆盖率偏高）：{shares}。",
            " The data holds no street to walk on, so no walk can be timed and the straight radius stands in (real \
             walks are longer, so the shares are too high): {shares}."
        )
    });
    text
}

fn main_points(facts: &Facts<'_>, lang: Lang) -> Vec<String> {
    let mut points = Vec::new();
    let out = facts.sizes.out_of_range();
    if 0 < out {
        let proven: u32 =
            facts.plan.partition.quality.iter().map(|quality| quality.n_out_of_range_bound).sum();
        let out = count(out);
        points.push(say!(
            lang,
            "{out} 个网格规模超限，其中至少 {proven} 个已证明不可避免（同样的楼栋和边界下没有更好的划法）；原因逐一列在附表 B。",
            "{out} grids are out of range; for {proven} of them it is proven that no division does better; \
             each reason stands in annex B."
        ));
    } else if 0 < facts.sizes.sized {
        points.push(
            lang.pick("所有有规模要求的网格都在范围内。", "Every grid keeps its size range.").to_owned(),
        );
    }
    points.extend(left_out_points(facts, lang));
    let space = facts.rules.rule("service-space").and_then(|rule| rule.low);
    if let Some(least) = space.filter(|_| facts.open_stations().next().is_some()) {
        let below = facts
            .communities
            .iter()
            .filter(|community| community.space_per_hundred().is_some_and(|space| space < least))
            .count();
        let all = facts.communities.iter().filter(|community| 0 < community.load.households).count();
        let least = decimal(least, 0);
        points.push(say!(
            lang,
            "{all} 个有住户的社区中，{below} 个的服务设施面积低于每百户 {least} 平方米。",
            "Of {all} communities with households {below} have less than {least} m² of service space per hundred households."
        ));
    }
    let errors = all_findings(facts, Severity::Error);
    let warnings = all_findings(facts, Severity::Warning);
    points.push(say!(
        lang,
        "数据与结果检查：错误 {errors} 条、警告 {warnings} 条，交付前应逐条核对（见附表 E）。",
        "Checks found {errors} errors and {warnings} warnings; go through them before the plan is handed over (annex E)."
    ));
    points
}

fn left_out_points(facts: &Facts<'_>, lang: Lang) -> Vec<String> {
    let Some(widest) = facts.widest_band() else { return Vec::new() };
    // Where nothing can be timed the sentence on coverage has said so.
    if facts.plan.coverage.headline() != CoverageMethod::NetworkTime {
        return Vec::new();
    }
    let minutes = widest.minutes;
    let left_out = facts.left_out_load().households;
    if left_out == 0 {
        return vec![say!(
            lang,
            "没有住户在 {minutes} 分钟圈外（路网时间）。",
            "Nobody lives beyond the {minutes}-minute circle (network time)."
        )];
    }
    let worst: Vec<String> = facts
        .worst_first()
        .into_iter()
        .filter(|community| 0 < community.left_out.households)
        .take(3)
        .map(|community| {
            let name = facts.community_name(Some(community.id));
            let number = count(community.left_out.households);
            say!(lang, "{name} {number} 户", "{name} {number}")
        })
        .collect();
    let (number, worst) = (count(left_out), text::join(&worst, lang));
    let mut points = vec![say!(
        lang,
        "{number} 户在 {minutes} 分钟圈外（路网时间），最多的是：{worst}。",
        "{number} households live beyond the {minutes}-minute circle (network time), most of them in: {worst}."
    )];
    if 0 < facts.straight_only {
        let number = count(facts.straight_only);
        let metres = decimal(widest.metres.value(), 0);
        points.push(say!(
            lang,
            "若只按 {metres} 米直线半径画圈，会把其中 {number} 户误算为已覆盖。",
            "A straight radius of {metres} m would wrongly count {number} of them as covered."
        ));
    }
    points
}

fn all_findings(facts: &Facts<'_>, severity: Severity) -> usize {
    let all = facts.scenario.findings.iter().chain(&facts.plan.findings);
    all.filter(|finding| finding.severity == severity).count()
}

/// The three methods side by side.
pub(super) fn methods_table(facts: &Facts<'_>, lang: Lang) -> String {
    let mut table = Table::new(
        lang.pick("住户覆盖率：三种方法并列", "Share of households covered, three methods side by side"),
        &[lang.pick("方法", "method")],
    );
    for band in &facts.plan.coverage.bands {
        let (minutes, metres) = (band.minutes, decimal(band.metres.value(), 0));
        table.head(say!(lang, "#{minutes} 分钟 / {metres} 米", "#{minutes} min / {metres} m"));
        table.head(lang.pick("#户数", "#households"));
    }
    for method in CoverageMethod::ALL {
        let mut cells = vec![Cell::text(text::method(method, lang))];
        for band in &facts.plan.coverage.bands {
            match facts.row(CoverageScope::All, method, band.minutes) {
                Some(row) => {
                    let (reached, all) = (u64::from(row.households_reached.0), u64::from(row.households.0));
                    cells.push(Cell::Figure(percent(reached, all)));
                    cells.push(Cell::count(reached));
                }
                None => cells.extend([Cell::Figure("—".into()), Cell::Figure("—".into())]),
            }
        }
        table.row(cells);
    }
    table.note(lang.pick(
        "直线半径和路网距离对照米数，路网时间对照分钟数。同一时间圈的分钟与米数是标准给出的一对数值，不是同一速度换算。",
        "Straight radius and network distance are held against the metres, network time against the minutes; \
         the two are a pair given by the standard, not converted by one speed.",
    ));
    if facts.plan.coverage.bands.is_empty() {
        return note(lang.pick("本方案没有覆盖测算。", "This plan has no coverage."));
    }
    table.html()
}

/// Section: basis and method.
pub(super) fn method(facts: &Facts<'_>, lang: Lang) -> Section {
    let heading = |zh, en| format!("<h3>{}</h3>", lang.pick(zh, en));
    let mut body = heading("户数来源", "Where household counts come from");
    body.push_str(&households_table(facts, lang));
    body.push_str(&heading("网格规模", "Size of grids"));
    body.push_str(&size_table(facts, lang));
    body.push_str(&heading("步行圈：分钟与米数成对", "Walking circles: minutes and metres in pairs"));
    body.push_str(&circles_table(facts, lang));
    body.push_str(&heading("覆盖测算方法", "How coverage is measured"));
    body.push_str(&list(&[
        lang.pick(
            "直线半径：楼栋到最近站点的直线距离不超过该圈米数。不考虑道路、河流、围墙，只作对照。",
            "Straight radius: as the crow flies to the nearest station, against the metres of the circle. It ignores \
             streets, rivers and walls and stands here for comparison only.",
        )
        .to_owned(),
        lang.pick(
            "路网距离：从门口沿可步行道路到最近站点的距离不超过该圈米数。",
            "Network distance: from the door along walkable streets to the nearest station, against the metres.",
        )
        .to_owned(),
        lang.pick(
            "路网时间：沿同一路网的步行时间不超过该圈分钟数。本报告结论以此为准。",
            "Network time: walking time along the same streets, against the minutes. The conclusions rest on this one.",
        )
        .to_owned(),
    ]));
    body.push_str(&paragraph(&walking_text(facts, lang)));
    Section::new("method", lang, "依据与方法", "Basis and method", body)
}

fn walking_text(facts: &Facts<'_>, lang: Lang) -> String {
    let coverage = &facts.plan.coverage;
    let profile = text::profile(&coverage.profile, lang);
    let slopes = if coverage.with_terrain {
        lang.pick(
            "计入坡度（地形模型）与台阶，上下坡时间不同",
            "slopes (terrain model) and stairs are counted, uphill and downhill differ",
        )
    } else {
        lang.pick(
            "未计坡度（没有地形模型），山地、台阶处实际用时可能更长",
            "slopes are not counted (no terrain model), on hills the walk may take longer",
        )
    };
    let mut text = say!(
        lang,
        "步行人群：{profile}；{slopes}。覆盖率一律按户数计算，门口恰在界限上算作到达；不可达的住户计为未覆盖，不予剔除。",
        "Walking profile: {profile}; {slopes}. Shares are of households; a door exactly at the limit counts as reached; \
         households that reach no station count as not covered and are never left out of the base."
    );
    if 0 < facts.near_edge {
        let number = count(facts.near_edge);
        text.push_str(&say!(
            lang,
            "数据边缘附近有 {number} 户，范围外若有道路数据，其结果可能改变。",
            " For {number} households near the edge of the data the answer could change with streets beyond it."
        ));
    }
    text
}

fn households_table(facts: &Facts<'_>, lang: Lang) -> String {
    let heads =
        [lang.pick("来源", "source"), lang.pick("#楼栋", "#buildings"), lang.pick("#户数", "#households")];
    let mut table = Table::new("", &heads);
    table.head(lang.pick("#占比", "#share"));
    for (source, load) in HouseholdsSource::ALL.iter().zip(facts.by_source) {
        if 0 < load.buildings {
            table.row(vec![
                Cell::text(text::households_source(*source, lang)),
                Cell::count(load.buildings),
                Cell::count(load.households),
                Cell::Figure(percent(load.households, facts.planned.households)),
            ]);
        }
    }
    if table.is_empty() {
        return note(lang.pick("没有楼栋。", "There are no buildings."));
    }
    table.html()
}

fn size_table(facts: &Facts<'_>, lang: Lang) -> String {
    let heads = [
        lang.pick("类型", "class"),
        lang.pick("#目标（户）", "#target"),
        lang.pick("#范围（户）", "#range"),
        lang.pick("#网格", "#grids"),
        lang.pick("#范围内", "#in range"),
        lang.pick("#最小", "#smallest"),
        lang.pick("#平均", "#mean"),
        lang.pick("#最大", "#largest"),
    ];
    let mut table = Table::new("", &heads);
    for class in GridClass::ALL {
        let of_class = facts.plan.partition.grids.iter().filter(|grid| grid.class == class);
        let mut grids: Vec<&Grid> = of_class.collect();
        grids.sort_by_key(|grid| grid.size.map(|size| (size.target, size.low, size.high)));
        for same in grids.chunk_by(|a, b| a.size == b.size) {
            table.row(size_row(same, class, lang));
        }
    }
    if table.is_empty() {
        return note(lang.pick("本方案没有网格。", "This plan has no grids."));
    }
    table.note(lang.pick(
        "范围含上下限。专属网格（商务楼宇、市场、学校、医院）没有户数要求。",
        "Both limits count as in range. Exclusive grids (office towers, markets, schools, hospitals) have no household target.",
    ));
    table.html()
}

fn size_row(grids: &[&Grid], class: GridClass, lang: Lang) -> Vec<Cell> {
    let size = grids[0].size;
    let households = || grids.iter().map(|grid| u64::from(grid.households.0));
    let in_range = grids.iter().filter(|grid| grid.is_in_range()).count() as u64;
    let all = grids.len() as u64;
    let none = || "—".to_owned();
    vec![
        Cell::text(text::class(class, lang)),
        Cell::Figure(size.map_or_else(none, |size| size.target.to_string())),
        Cell::Figure(size.map_or_else(none, |size| format!("{}–{}", size.low, size.high))),
        Cell::count(all),
        match size {
            Some(_) => Cell::figure(
                format!("{in_range} ({})", percent(in_range, all)),
                Standing::of(in_range == all),
            ),
            None => Cell::Figure(none()),
        },
        Cell::count(households().min().unwrap_or(0)),
        Cell::Figure(decimal(households().sum::<u64>() as f64 / all as f64, 0)),
        Cell::count(households().max().unwrap_or(0)),
    ]
}

fn circles_table(facts: &Facts<'_>, lang: Lang) -> String {
    let heads = [
        lang.pick("步行圈", "circle"),
        lang.pick("#本方案", "#this plan"),
        lang.pick("#标准", "#standard"),
        lang.pick("来源", "source"),
        lang.pick("条款", "clause"),
        lang.pick("状态", "status"),
    ];
    let mut table = Table::new("", &heads);
    for band in &facts.plan.coverage.bands {
        let minutes = band.minutes;
        let metres = band.metres.value();
        let rule = facts.rules.circle(minutes);
        let ours = format!("{} {}", decimal(metres, 0), lang.pick("米", "m"));
        table.row(vec![
            Cell::text(say!(lang, "{minutes} 分钟", "{minutes} minutes")),
            Cell::figure(ours, Standing::of(rule.and_then(|rule| rule.holds(metres)))),
            Cell::Figure(rule.map_or_else(|| "—".into(), |rule| limits(rule, lang))),
            Cell::text(rule.map_or("—", |rule| rule.source.as_str())),
            Cell::text(rule.map_or("—", |rule| rule.clause.as_str())),
            rule.map_or_else(|| Cell::text("—"), |rule| Cell::Markup(status_tag(rule.status, lang))),
        ]);
    }
    if table.is_empty() {
        return note(lang.pick("本方案没有步行圈。", "This plan has no circles."));
    }
    table.html()
}

/// The figures of a rule with their unit.
pub(super) fn limits(rule: &Rule, lang: Lang) -> String {
    let unit = rule.unit.map_or("", |unit| text::unit(unit, lang));
    let figure = |value: f64| if value.fract() == 0.0 { decimal(value, 0) } else { decimal(value, 2) };
    match (rule.low, rule.high) {
        (Some(low), Some(high)) if low == high => format!("{} {unit}", figure(low)),
        (Some(low), Some(high)) => format!("{}–{} {unit}", figure(low), figure(high)),
        (Some(low), None) => format!("≥ {} {unit}", figure(low)),
        (None, Some(high)) => format!("≤ {} {unit}", figure(high)),
        (None, None) => "—".into(),
    }
}

/// The status of a rule as a tag.
pub(super) fn status_tag(status: Status, lang: Lang) -> String {
    let class = match status {
        Status::Seen => "info",
        Status::Unverified => "unverified",
    };
    format!("<span class=\"tag {class}\">{}</span>", escape(text::status(status, lang)))
}
