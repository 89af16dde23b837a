//! The long tables at the end, on wide pages, capped where they would fill a book.

use super::closing::{all_findings, severity_tag};
use super::coverage::left_out_table;
use super::facts::{CommunityFacts, Facts};
use super::markup::{Cell, Standing, Table, note};
use super::page::Section;
use super::text::{self, count, decimal, percent, signed_percent};
use crate::model::{CoverageScope, Grid, GridId, Lang, Station};

/// Rows printed of each table.
const MAX_COMMUNITIES: usize = 300;
const MAX_GRIDS: usize = 600;
const MAX_STATIONS: usize = 300;
const MAX_LEFT_OUT: usize = 150;
const MAX_FINDINGS: usize = 150;

/// All annexes.
pub(super) fn sections(facts: &Facts<'_>, lang: Lang) -> Vec<Section> {
    vec![
        Section::new("annex-a", lang, "社区一览", "Communities", communities(facts, lang)),
        Section::new("annex-b", lang, "网格一览", "Grids", grids(facts, lang)),
        Section::new("annex-c", lang, "服务站一览", "Stations", stations(facts, lang)),
        Section::new("annex-d", lang, "圈外楼栋", "Buildings left out", left_out(facts, lang)),
        Section::new("annex-e", lang, "问题清单", "Findings", findings(facts, lang)),
    ]
}

/// The table, with a word about the rows that are not printed.
fn capped(mut table: Table, shown: usize, all: usize, lang: Lang) -> String {
    if table.is_empty() {
        return note(lang.pick("无。", "None."));
    }
    if shown < all {
        let (shown, all) = (count(shown as u64), count(all as u64));
        table.note(say!(
            lang,
            "仅列 {shown} 行，共 {all} 行，全部见 tables.xlsx。",
            "{shown} of {all} rows; all of them stand in tables.xlsx."
        ));
    }
    table.html()
}

/// Shares by network time, one cell per band.
fn share_cells(facts: &Facts<'_>, scope: CoverageScope) -> Vec<Cell> {
    let cell = |row: Option<(u64, u64)>| {
        Cell::Figure(row.map_or_else(|| "—".into(), |(reached, all)| percent(reached, all)))
    };
    facts.by_time(scope).into_iter().map(cell).collect()
}

fn add_band_heads(table: &mut Table, facts: &Facts<'_>, lang: Lang) {
    for band in &facts.plan.coverage.bands {
        let minutes = band.minutes;
        table.head(say!(lang, "#{minutes} 分钟", "#{minutes} min"));
    }
}

fn communities(facts: &Facts<'_>, lang: Lang) -> String {
    let heads = [
        lang.pick("编码", "code"),
        lang.pick("社区", "community"),
        lang.pick("#面积（平方千米）", "#km²"),
        lang.pick("#楼栋", "#buildings"),
        lang.pick("#户数", "#households"),
        lang.pick("#人数", "#residents"),
        lang.pick("#网格", "#grids"),
        lang.pick("#超限", "#out of range"),
    ];
    let mut table = Table::new("", &heads);
    add_band_heads(&mut table, facts, lang);
    for head in [
        lang.pick("#圈外（户）", "#left out"),
        lang.pick("#服务站（新增）", "#stations (new)"),
        lang.pick("#服务面积（平方米）", "#space (m²)"),
        lang.pick("#每百户（平方米）", "#m² per 100"),
    ] {
        table.head(head);
    }
    let least = facts.rules.rule("service-space").and_then(|rule| rule.low);
    let order = if MAX_COMMUNITIES < facts.communities.len() {
        facts.worst_first()
    } else {
        facts.communities.iter().collect()
    };
    let shown: Vec<&CommunityFacts> = order.into_iter().take(MAX_COMMUNITIES).collect();
    for community in &shown {
        table.row(community_row(facts, community, least));
    }
    let mut html = offices(facts, lang);
    let all = facts.communities.len();
    if shown.len() == all && !table.is_empty() {
        table.note(lang.pick(
            "覆盖率为路网时间、按户数计算。红色：网格超限、存在圈外住户，或每百户服务面积低于规则包要求。",
            "Shares are of households by network time. Red: grids out of range, households left out, or less service \
             space than the rule asks.",
        ));
    }
    html.push_str(&capped(table, shown.len(), all, lang));
    html
}

fn community_row(facts: &Facts<'_>, community: &CommunityFacts, least: Option<f64>) -> Vec<Cell> {
    let of = &facts.scenario.communities[community.id.index()];
    let out = community.sizes.out_of_range();
    let left_out = community.left_out.households;
    let space = community.space_per_hundred();
    let enough = space.zip(least).map(|(space, least)| least <= space);
    let mut cells = vec![
        Cell::short(of.code.as_str()),
        Cell::text(of.name.as_str()),
        Cell::Figure(decimal(community.area_m2 / 1e6, 2)),
        Cell::count(community.load.buildings),
        Cell::count(community.load.households),
        Cell::count(community.load.residents),
        Cell::count(community.sizes.grids),
        Cell::figure(count(out), Standing::of(out == 0)),
    ];
    cells.extend(share_cells(facts, CoverageScope::Community(community.id)));
    cells.extend([
        Cell::figure(count(left_out), Standing::of(left_out == 0)),
        Cell::Figure(format!("{} ({})", community.open_stations, community.new_stations)),
        Cell::Figure(decimal(community.service_space_m2, 0)),
        Cell::figure(space.map_or_else(|| "—".into(), |space| decimal(space, 1)), Standing::of(enough)),
    ]);
    cells
}

/// Totals by street office, where the codes name more than one.
fn offices(facts: &Facts<'_>, lang: Lang) -> String {
    if facts.offices.is_empty() {
        return String::new();
    }
    let heads = [
        lang.pick("街道（乡镇）编码", "street office"),
        lang.pick("#社区", "#communities"),
        lang.pick("#户数", "#households"),
        lang.pick("#网格", "#grids"),
        lang.pick("#超限", "#out of range"),
        lang.pick("#服务站", "#stations"),
        lang.pick("#服务面积（平方米）", "#space (m²)"),
    ];
    let mut table = Table::new(lang.pick("按街道汇总", "By street office"), &heads);
    add_band_heads(&mut table, facts, lang);
    table.head(lang.pick("#圈外（户）", "#left out"));
    for office in &facts.offices {
        let out = office.sizes.out_of_range();
        let mut cells = vec![
            Cell::short(office.code.as_str()),
            Cell::count(office.communities),
            Cell::count(office.load.households),
            Cell::count(office.sizes.grids),
            Cell::figure(count(out), Standing::of(out == 0)),
            Cell::count(office.open_stations),
            Cell::Figure(decimal(office.service_space_m2, 0)),
        ];
        for reached in &office.reached {
            cells.push(Cell::Figure(percent(*reached, office.load.households)));
        }
        let left_out = office.left_out.households;
        cells.push(Cell::figure(count(left_out), Standing::of(left_out == 0)));
        table.row(cells);
    }
    table.html()
}

fn grids(facts: &Facts<'_>, lang: Lang) -> String {
    let heads = [
        lang.pick("编码", "code"),
        lang.pick("名称", "name"),
        lang.pick("社区", "community"),
        lang.pick("类型", "class"),
        lang.pick("#楼栋", "#buildings"),
        lang.pick("#户数", "#households"),
        lang.pick("#偏差", "#deviation"),
        lang.pick("#人数", "#residents"),
    ];
    let mut table = Table::new("", &heads);
    add_band_heads(&mut table, facts, lang);
    table.head(lang.pick("四至；超限原因", "bounds; why out of range"));
    let all = &facts.plan.partition.grids;
    let mut order: Vec<(GridId, &Grid)> =
        all.iter().enumerate().map(|(index, grid)| (GridId::from_index(index), grid)).collect();
    if MAX_GRIDS < all.len() {
        order.sort_by(|a, b| {
            let key = |grid: &Grid| if grid.is_in_range() { 0.0 } else { grid.deviation().abs() };
            key(b.1).total_cmp(&key(a.1)).then(a.0.cmp(&b.0))
        });
        order.truncate(MAX_GRIDS);
    }
    for (id, grid) in &order {
        table.row(grid_row(facts, *id, grid, lang));
    }
    capped(table, order.len(), all.len(), lang)
}

fn grid_row(facts: &Facts<'_>, id: GridId, grid: &Grid, lang: Lang) -> Vec<Cell> {
    let standing = Standing::of(grid.is_in_range());
    let deviation = if grid.size.is_some() { signed_percent(grid.deviation()) } else { "—".into() };
    let mut households = count(u64::from(grid.households.0));
    if grid.load != grid.households.0 {
        let load = count(u64::from(grid.load));
        households.push_str(&say!(lang, "（连同其他工作量折合 {load}）", " ({load} with other work)"));
    }
    let mut cells = vec![
        Cell::short(grid.code.as_str()),
        Cell::short(grid.name.as_str()),
        Cell::text(facts.community_name(Some(grid.community))),
        Cell::short(text::class(grid.class, lang)),
        Cell::count(u64::from(grid.n_atoms)),
        Cell::figure(households, standing),
        Cell::figure(deviation, standing),
        Cell::count(u64::from(grid.residents.0)),
    ];
    cells.extend(share_cells(facts, CoverageScope::Grid(id)));
    let words: Vec<&str> = [Some(&grid.bounds_text), grid.reason.as_ref()]
        .into_iter()
        .flatten()
        .map(|text| text.get(lang))
        .filter(|w| !w.is_empty())
        .collect();
    cells.push(Cell::text(words.join(lang.pick("；", "; "))));
    cells
}

fn stations(facts: &Facts<'_>, lang: Lang) -> String {
    let heads = [
        lang.pick("编号", "code"),
        lang.pick("名称", "name"),
        lang.pick("层级", "tier"),
        lang.pick("状态", "status"),
        lang.pick("社区", "community"),
        lang.pick("#面积（平方米）", "#area (m²)"),
        lang.pick("#容量（户）", "#capacity"),
        lang.pick("选择理由", "why it was chosen"),
    ];
    let mut table = Table::new("", &heads);
    let all = &facts.plan.stations;
    let mut order: Vec<&Station> = all.iter().collect();
    order.sort_by(|a, b| (a.tier, a.status, &a.code).cmp(&(b.tier, b.status, &b.code)));
    for station in order.iter().take(MAX_STATIONS) {
        let none = || "—".to_owned();
        table.row(vec![
            Cell::short(station.code.as_str()),
            Cell::text(station.name.as_str()),
            Cell::short(text::tier(station.tier, lang)),
            Cell::short(text::station_status(station.status, lang)),
            Cell::text(facts.community_name(station.community)),
            Cell::Figure(station.area.map_or_else(none, |area| decimal(area.value(), 0))),
            Cell::Figure(station.capacity.map_or_else(none, |limit| count(u64::from(limit.0)))),
            Cell::text(station.reason.get(lang)),
        ]);
    }
    capped(table, all.len().min(MAX_STATIONS), all.len(), lang)
}

fn left_out(facts: &Facts<'_>, lang: Lang) -> String {
    let shown: Vec<_> = facts.left_out.iter().take(MAX_LEFT_OUT).collect();
    let table = left_out_table(facts, "", &shown, lang);
    capped(table, shown.len(), facts.left_out.len(), lang)
}

fn findings(facts: &Facts<'_>, lang: Lang) -> String {
    let heads = [
        lang.pick("程度", "severity"),
        lang.pick("类别", "kind"),
        lang.pick("图层", "layer"),
        lang.pick("要素", "feature"),
        lang.pick("社区", "community"),
        lang.pick("说明", "what and why"),
        lang.pick("建议", "remedy"),
        lang.pick("已证明", "proven"),
    ];
    let mut table = Table::new("", &heads);
    let all = all_findings(facts);
    for finding in all.iter().take(MAX_FINDINGS) {
        table.row(vec![
            Cell::Markup(severity_tag(finding.severity, lang)),
            Cell::short(text::finding_kind(finding.kind, lang)),
            Cell::short(text::layer(&finding.layer, lang)),
            Cell::text(finding.feature.as_str()),
            Cell::text(facts.community_name(finding.community)),
            Cell::text(finding.message.get(lang)),
            Cell::text(finding.remedy.get(lang)),
            Cell::text(if finding.proven { lang.pick("是", "yes") } else { "" }),
        ]);
    }
    capped(table, all.len().min(MAX_FINDINGS), all.len(), lang)
}
