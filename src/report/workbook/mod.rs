//! `tables.xlsx`: the figures of the report as tables to filter, sort and hand to platforms.

mod balance;
mod sheet;
mod summary;

use std::borrow::Cow;

use rust_xlsxwriter::{
    Chart, ChartType, ConditionalFormatDataBar, ConditionalFormatFormula, DocProperties, ExcelDateTime,
    Workbook, XlsxError,
};

use super::ReportError;
use super::closing::{all_findings, measure, verdict};
use super::facts::{Facts, LeftOut};
use super::opening::{limits, title};
use super::text;
use crate::model::{AtomId, CommunityId, CoverageRow, CoverageScope, GridId, Lang};
use sheet::{Column, Formats, Kind, Value, write_table};

/// Above this many rows the coverage sheet leaves grids out; their shares stand in the grids sheet.
const MAX_COVERAGE_ROWS: usize = 100_000;
/// Above this many communities the chart would be unreadable.
const MAX_CHART: u32 = 60;

/// The whole workbook.
pub(super) fn write(facts: &Facts<'_>, lang: Lang) -> Result<Vec<u8>, ReportError> {
    let mut workbook = Workbook::new();
    // A fixed date: the same plan gives the same bytes.
    let created = ExcelDateTime::from_ymd(2000, 1, 1)?;
    let title = title(facts, lang);
    workbook.set_properties(
        &DocProperties::new().set_title(title).set_author("gridplan").set_creation_datetime(&created),
    );
    let formats = Formats::new();
    summary::write(&mut workbook, &formats, facts, lang)?;
    communities(&mut workbook, &formats, facts, lang)?;
    offices(&mut workbook, &formats, facts, lang)?;
    grids(&mut workbook, &formats, facts, lang)?;
    stations(&mut workbook, &formats, facts, lang)?;
    coverage(&mut workbook, &formats, facts, lang)?;
    uncovered(&mut workbook, &formats, facts, lang)?;
    balance::walkers(&mut workbook, &formats, facts, lang)?;
    balance::loads(&mut workbook, &formats, facts, lang)?;
    findings(&mut workbook, &formats, facts, lang)?;
    buildings(&mut workbook, &formats, facts, lang)?;
    rules(&mut workbook, &formats, facts, lang)?;
    provenance(&mut workbook, &formats, facts, lang)?;
    Ok(workbook.save_to_buffer()?)
}

/// Column heads: Chinese, English, kind.
fn columns(lang: Lang, heads: &[(&str, &str, Kind)]) -> Vec<Column> {
    heads.iter().map(|(zh, en, kind)| Column::new(lang.pick(zh, en), *kind)).collect()
}

fn add_band_columns(columns: &mut Vec<Column>, facts: &Facts<'_>, lang: Lang) {
    for band in &facts.plan.coverage.bands {
        let minutes = band.minutes;
        columns
            .push(Column::new(say!(lang, "{minutes} 分钟覆盖率", "share within {minutes} min"), Kind::Share));
    }
}

fn share_values<'a>(facts: &Facts<'_>, scope: CoverageScope) -> Vec<Value<'a>> {
    let value =
        |row: Option<(u64, u64)>| row.map_or(Value::Empty, |(reached, all)| Value::share(reached, all));
    facts.by_time(scope).into_iter().map(value).collect()
}

fn communities(
    workbook: &mut Workbook,
    formats: &Formats,
    facts: &Facts<'_>,
    lang: Lang,
) -> Result<(), XlsxError> {
    use Kind::{Count, Decimal, Fine, Share, Text};
    let mut heads = columns(
        lang,
        &[
            ("社区编码", "code", Text),
            ("社区", "community", Text),
            ("类型", "class", Text),
            ("面积（平方千米）", "area (km²)", Fine),
            ("楼栋", "buildings", Count),
            ("户数", "households", Count),
            ("人数", "residents", Count),
            ("网格", "grids", Count),
            ("超限网格", "grids out of range", Count),
        ],
    );
    let first_share = heads.len();
    add_band_columns(&mut heads, facts, lang);
    let n_bands = facts.plan.coverage.bands.len();
    heads.extend(columns(
        lang,
        &[
            ("圈外户数", "households left out", Count),
            ("服务站", "stations", Count),
            ("新增服务站", "new stations", Count),
            ("服务面积（平方米）", "service space (m²)", Decimal),
            ("每百户面积（平方米）", "m² per 100 households", Decimal),
            ("应达到（平方米）", "asked for (m²)", Decimal),
            ("达到比例", "share of what is asked", Share),
        ],
    ));
    let least = facts.rules.rule("service-space").and_then(|rule| rule.low).unwrap_or(0.0);
    let rows = facts.communities.iter().map(|community| {
        let of = &facts.scenario.communities[community.id.index()];
        let asked = community.load.households as f64 / 100.0 * least;
        let mut row = vec![
            Value::text(of.code.as_str()),
            Value::text(of.name.as_str()),
            Value::text(text::class(of.class, lang)),
            Value::Number(community.area_m2 / 1e6),
            Value::count(community.load.buildings),
            Value::count(community.load.households),
            Value::count(community.load.residents),
            Value::count(community.sizes.grids),
            Value::count(community.sizes.out_of_range()),
        ];
        row.extend(share_values(facts, CoverageScope::Community(community.id)));
        row.extend([
            Value::count(community.left_out.households),
            Value::count(community.open_stations),
            Value::count(community.new_stations),
            Value::Number(community.service_space_m2),
            Value::maybe(community.space_per_hundred()),
            Value::Number(asked),
            Value::maybe((0.0 < asked).then(|| community.service_space_m2 / asked)),
        ]);
        row
    });
    let name = lang.pick("社区", "communities");
    write_table(workbook, formats, name, &heads, facts.communities.len(), rows)?;
    let last = facts.communities.len() as u32;
    if last == 0 {
        return Ok(());
    }
    let sheet = workbook.worksheet_from_name(name)?;
    for column in first_share..first_share + n_bands {
        let bar = ConditionalFormatDataBar::new().set_fill_color("8CCBB0").set_solid_fill(true);
        sheet.add_conditional_format(1, column as u16, last, column as u16, &bar)?;
    }
    for column in [8, first_share + n_bands] {
        let letter = column_letter(column);
        let rule = format!("=${letter}2>0");
        let bad = ConditionalFormatFormula::new().set_rule(rule.as_str()).set_format(&formats.bad);
        sheet.add_conditional_format(1, column as u16, last, column as u16, &bad)?;
    }
    let column = column_letter(first_share + n_bands + 6);
    let rule = format!("=AND(ISNUMBER(${column}2),${column}2<1)");
    let bad = ConditionalFormatFormula::new().set_rule(rule.as_str()).set_format(&formats.bad);
    sheet.add_conditional_format(
        1,
        (first_share + n_bands + 6) as u16,
        last,
        (first_share + n_bands + 6) as u16,
        &bad,
    )?;
    if 0 < n_bands && last <= MAX_CHART {
        let mut chart = Chart::new(ChartType::Bar);
        for column in first_share..first_share + n_bands {
            chart
                .add_series()
                .set_name((name, 0, column as u16))
                .set_categories((name, 1, 1, last, 1))
                .set_values((name, 1, column as u16, last, column as u16));
        }
        let chart_title =
            lang.pick("各社区住户覆盖率（路网时间）", "Households covered by community (network time)");
        chart.title().set_name(chart_title);
        chart.x_axis().set_reverse();
        chart.set_width(900).set_height((200 + 40 * last).min(1_600));
        sheet.insert_chart(last + 3, 1, &chart)?;
    }
    Ok(())
}

/// Letters of a column: A, B, …, Z, AA.
fn column_letter(index: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = index + 1;
    while 0 < rest {
        letters.push(char::from(b'A' + ((rest - 1) % 26) as u8));
        rest = (rest - 1) / 26;
    }
    letters.iter().rev().collect()
}

fn offices(
    workbook: &mut Workbook,
    formats: &Formats,
    facts: &Facts<'_>,
    lang: Lang,
) -> Result<(), XlsxError> {
    use Kind::{Count, Decimal, Text};
    if facts.offices.is_empty() {
        return Ok(());
    }
    let mut heads = columns(
        lang,
        &[
            ("街道（乡镇）编码", "street office", Text),
            ("社区", "communities", Count),
            ("户数", "households", Count),
            ("人数", "residents", Count),
            ("网格", "grids", Count),
            ("超限网格", "grids out of range", Count),
            ("服务站", "stations", Count),
            ("服务面积（平方米）", "service space (m²)", Decimal),
            ("圈外户数", "households left out", Count),
        ],
    );
    add_band_columns(&mut heads, facts, lang);
    let rows = facts.offices.iter().map(|office| {
        let mut row = vec![
            Value::text(office.code.as_str()),
            Value::count(office.communities),
            Value::count(office.load.households),
            Value::count(office.load.residents),
            Value::count(office.sizes.grids),
            Value::count(office.sizes.out_of_range()),
            Value::count(office.open_stations),
            Value::Number(office.service_space_m2),
            Value::count(office.left_out.households),
        ];
        row.extend(office.reached.iter().map(|reached| Value::share(*reached, office.load.households)));
        row
    });
    write_table(workbook, formats, lang.pick("街道", "street offices"), &heads, facts.offices.len(), rows)?;
    Ok(())
}

fn grids(workbook: &mut Workbook, formats: &Formats, facts: &Facts<'_>, lang: Lang) -> Result<(), XlsxError> {
    use Kind::{Count, Deviation, Text};
    let mut heads = columns(
        lang,
        &[
            ("网格编码", "code", Text),
            ("名称", "name", Text),
            ("社区编码", "community code", Text),
            ("社区", "community", Text),
            ("类型", "class", Text),
            ("楼栋", "buildings", Count),
            ("户数", "households", Count),
            ("下限", "low", Count),
            ("目标", "target", Count),
            ("上限", "high", Count),
            ("偏差", "deviation", Deviation),
            ("人数", "residents", Count),
        ],
    );
    add_band_columns(&mut heads, facts, lang);
    heads.extend(columns(
        lang,
        &[
            ("四至", "bounds", Text),
            ("超限原因", "why out of range", Text),
            ("锁定", "locked", Text),
            ("原网格编码", "earlier codes", Text),
        ],
    ));
    let all = &facts.plan.partition.grids;
    let rows = all.iter().enumerate().map(|(index, grid)| {
        let size = |of: fn(&crate::model::GridSize) -> u32| {
            Value::maybe(grid.size.as_ref().map(|size| f64::from(of(size))))
        };
        let code = facts.scenario.communities.get(grid.community.index()).map_or("", |of| of.code.as_str());
        let mut row = vec![
            Value::text(grid.code.as_str()),
            Value::text(grid.name.as_str()),
            Value::text(code),
            Value::text(facts.community_name(Some(grid.community))),
            Value::text(text::class(grid.class, lang)),
            Value::count(grid.n_atoms),
            Value::count(grid.households.0),
            size(|size| size.low.0),
            size(|size| size.target.0),
            size(|size| size.high.0),
            Value::maybe(grid.size.map(|_| grid.deviation())),
            Value::count(grid.residents.0),
        ];
        row.extend(share_values(facts, CoverageScope::Grid(GridId::from_index(index))));
        row.extend([
            Value::text(grid.bounds_text.get(lang)),
            Value::text(grid.reason.as_ref().map_or("", |reason| reason.get(lang))),
            Value::text(if grid.locked { lang.pick("是", "yes") } else { "" }),
            Value::text(grid.lineage.join(" ")),
        ]);
        row
    });
    let name = lang.pick("网格", "grids");
    write_table(workbook, formats, name, &heads, all.len(), rows)?;
    let last = all.len().min(1_000_000) as u32;
    if 0 < last && all.len() <= 1_000_000 {
        let bad = ConditionalFormatFormula::new()
            .set_rule("=AND(ISNUMBER($H2),OR($G2<$H2,$G2>$J2))")
            .set_format(&formats.bad);
        workbook.worksheet_from_name(name)?.add_conditional_format(1, 0, last, 11, &bad)?;
    }
    Ok(())
}

fn stations(
    workbook: &mut Workbook,
    formats: &Formats,
    facts: &Facts<'_>,
    lang: Lang,
) -> Result<(), XlsxError> {
    use Kind::{Count, Decimal, Fine, Text};
    let heads = columns(
        lang,
        &[
            ("编号", "code", Text),
            ("名称", "name", Text),
            ("层级", "tier", Text),
            ("状态", "status", Text),
            ("社区", "community", Text),
            ("面积（平方米）", "area (m²)", Decimal),
            ("容量（户）", "capacity (households)", Count),
            ("房源", "premises", Text),
            ("年费用（元）", "yearly cost (yuan)", Count),
            ("经度", "longitude", Fine),
            ("纬度", "latitude", Fine),
            ("选择理由", "why it was chosen", Text),
        ],
    );
    let all = &facts.plan.stations;
    let rows = all.iter().map(|station| {
        let premise = station.premise.and_then(|id| facts.scenario.premises.get(id.index()));
        let lonlat = facts.scenario.plane.to_lonlat(station.at);
        vec![
            Value::text(station.code.as_str()),
            Value::text(station.name.as_str()),
            Value::text(text::tier(station.tier, lang)),
            Value::text(text::station_status(station.status, lang)),
            Value::text(facts.community_name(station.community)),
            Value::maybe(station.area.map(|area| area.value())),
            Value::maybe(station.capacity.map(|limit| f64::from(limit.0))),
            Value::text(premise.map_or("", |premise| premise.source.0.as_str())),
            Value::maybe(premise.and_then(|premise| premise.cost).map(f64::from)),
            Value::maybe(Some(lonlat.x)),
            Value::maybe(Some(lonlat.y)),
            Value::text(station.reason.get(lang)),
        ]
    });
    write_table(workbook, formats, lang.pick("服务站", "stations"), &heads, all.len(), rows)?;
    Ok(())
}

fn coverage(
    workbook: &mut Workbook,
    formats: &Formats,
    facts: &Facts<'_>,
    lang: Lang,
) -> Result<(), XlsxError> {
    use Kind::{Count, Share, Text};
    let heads = columns(
        lang,
        &[
            ("范围", "scope", Text),
            ("编码", "code", Text),
            ("名称", "name", Text),
            ("层级", "tier", Text),
            ("方法", "method", Text),
            ("分钟", "minutes", Count),
            ("户数", "households", Count),
            ("覆盖户数", "households reached", Count),
            ("户数覆盖率", "share of households", Share),
            ("人数", "residents", Count),
            ("覆盖人数", "residents reached", Count),
            ("两站以上户数", "households with two or more", Count),
        ],
    );
    let many = MAX_COVERAGE_ROWS < facts.plan.coverage.rows.len();
    let is_kept = |row: &&CoverageRow| !many || !matches!(row.scope, CoverageScope::Grid(_));
    let kept = || facts.plan.coverage.rows.iter().filter(is_kept);
    let rows = kept().map(|row| {
        let (scope, code, name) = scope_words(facts, row.scope, lang);
        let tier = row.tier.map_or(lang.pick("全部", "all"), |tier| text::tier(tier, lang));
        vec![
            Value::text(scope),
            Value::text(code),
            Value::text(name),
            Value::text(tier),
            Value::text(text::method(row.method, lang)),
            Value::count(row.minutes),
            Value::count(row.households.0),
            Value::count(row.households_reached.0),
            Value::share(u64::from(row.households_reached.0), u64::from(row.households.0)),
            Value::count(row.residents.0),
            Value::count(row.residents_reached.0),
            Value::count(row.households_overlap.0),
        ]
    });
    write_table(workbook, formats, lang.pick("覆盖率", "coverage"), &heads, kept().count(), rows)?;
    Ok(())
}

fn scope_words<'a>(facts: &Facts<'a>, scope: CoverageScope, lang: Lang) -> (&'static str, String, &'a str) {
    match scope {
        CoverageScope::All => (lang.pick("全部", "all"), String::new(), facts.scenario.name.as_str()),
        CoverageScope::StreetOffice(code) => {
            (lang.pick("街道（乡镇）", "street office"), code.to_string(), "")
        }
        CoverageScope::Community(id) => {
            let code = facts.scenario.communities.get(id.index()).map_or("", |of| of.code.as_str());
            (lang.pick("社区", "community"), code.to_owned(), facts.community_name(Some(id)))
        }
        CoverageScope::Grid(id) => {
            let grid = facts.plan.partition.grids.get(id.index());
            (
                lang.pick("网格", "grid"),
                grid.map_or_else(String::new, |grid| grid.code.clone()),
                grid.map_or("", |grid| grid.name.as_str()),
            )
        }
    }
}

fn uncovered(
    workbook: &mut Workbook,
    formats: &Formats,
    facts: &Facts<'_>,
    lang: Lang,
) -> Result<(), XlsxError> {
    use Kind::{Count, Decimal, Text};
    let heads = columns(
        lang,
        &[
            ("楼栋编号", "building", Text),
            ("名称", "name", Text),
            ("社区", "community", Text),
            ("网格编码", "grid", Text),
            ("户数", "households", Count),
            ("人数", "residents", Count),
            ("最近站点", "nearest station", Text),
            ("原因", "reason", Text),
            ("步行（分钟）", "walk (min)", Decimal),
            ("超出（分钟）", "beyond the circle (min)", Decimal),
            ("路网距离（米）", "network distance (m)", Count),
            ("直线距离（米）", "straight distance (m)", Count),
            ("在直线半径内", "within the straight radius", Text),
        ],
    );
    let rows = facts.left_out.iter().map(|left| uncovered_row(facts, left, lang));
    write_table(workbook, formats, lang.pick("未覆盖", "uncovered"), &heads, facts.left_out.len(), rows)?;
    Ok(())
}

fn uncovered_row<'a>(facts: &Facts<'a>, left: &LeftOut, lang: Lang) -> Vec<Value<'a>> {
    let atom = &facts.scenario.atoms[left.atom.index()];
    let reach = &facts.plan.coverage.atoms[left.atom.index()];
    let nearest = reach.nearest.ok();
    let station = nearest.and_then(|(id, _)| facts.plan.stations.get(id.index()));
    let reason = match left.missing {
        Ok(_) => lang.pick("步行超过时限", "the walk takes too long"),
        Err(reason) => text::unreached(reason, lang),
    };
    vec![
        Value::text(atom.source.0.as_str()),
        Value::text(atom.name.as_deref().unwrap_or("")),
        Value::text(facts.community_name(atom.community)),
        Value::text(facts.grid_code(left.atom)),
        Value::count(atom.households.0),
        Value::count(atom.residents.0),
        Value::text(station.map_or("", |station| station.name.as_str())),
        Value::text(reason),
        Value::maybe(nearest.map(|(_, walk)| walk.minutes())),
        Value::maybe(left.missing.ok().map(|(_, seconds)| seconds / 60.0)),
        Value::maybe(reach.distance.map(|metres| metres.value())),
        Value::maybe(reach.straight.map(|metres| metres.value())),
        Value::text(if left.within_straight { lang.pick("是", "yes") } else { "" }),
    ]
}

fn findings(
    workbook: &mut Workbook,
    formats: &Formats,
    facts: &Facts<'_>,
    lang: Lang,
) -> Result<(), XlsxError> {
    use Kind::Text;
    let heads = columns(
        lang,
        &[
            ("程度", "severity", Text),
            ("类别", "kind", Text),
            ("图层", "layer", Text),
            ("要素", "feature", Text),
            ("社区", "community", Text),
            ("网格编码", "grid", Text),
            ("说明", "what and why", Text),
            ("建议", "remedy", Text),
            ("已证明", "proven", Text),
        ],
    );
    let all = all_findings(facts);
    let rows = all.iter().map(|finding| {
        let grid = finding.grid.and_then(|id| facts.plan.partition.grids.get(id.index()));
        let community = finding.community.map_or("", |id: CommunityId| facts.community_name(Some(id)));
        vec![
            Value::text(text::severity(finding.severity, lang)),
            Value::Text(Cow::Owned(text::finding_kind(finding.kind, lang))),
            Value::text(text::layer(&finding.layer, lang)),
            Value::text(finding.feature.as_str()),
            Value::text(community),
            Value::text(grid.map_or("", |grid| grid.code.as_str())),
            Value::text(finding.message.get(lang)),
            Value::text(finding.remedy.get(lang)),
            Value::text(if finding.proven { lang.pick("是", "yes") } else { "" }),
        ]
    });
    write_table(workbook, formats, lang.pick("问题清单", "findings"), &heads, all.len(), rows)?;
    Ok(())
}

fn buildings(
    workbook: &mut Workbook,
    formats: &Formats,
    facts: &Facts<'_>,
    lang: Lang,
) -> Result<(), XlsxError> {
    use Kind::{Count, Decimal, Text};
    let heads = columns(
        lang,
        &[
            ("楼栋编号", "building", Text),
            ("名称", "name", Text),
            ("社区编码", "community", Text),
            ("网格编码", "grid", Text),
            ("户数", "households", Count),
            ("人数", "residents", Count),
            ("户数来源", "source of the count", Text),
            ("最近站点编号", "nearest station", Text),
            ("步行（分钟）", "walk (min)", Decimal),
            ("路网距离（米）", "network distance (m)", Count),
            ("直线距离（米）", "straight distance (m)", Count),
            ("各圈站点数", "stations within each circle", Text),
            ("每千户供给（2SFCA）", "supply per 1,000 households (2SFCA)", Decimal),
            ("无余量户数", "households without room", Count),
        ],
    );
    let balance = facts.plan.coverage.balance.as_ref();
    let all = &facts.scenario.atoms;
    let rows = all.iter().enumerate().map(|(index, atom)| {
        let id = AtomId::from_index(index);
        let community = atom.community.and_then(|id| facts.scenario.communities.get(id.index()));
        let reach = facts.plan.coverage.atoms.get(index);
        let nearest = reach.and_then(|reach| reach.nearest.ok());
        let station = nearest.and_then(|(id, _)| facts.plan.stations.get(id.index()));
        let depth = reach.map_or_else(String::new, |reach| {
            reach.depth.iter().map(ToString::to_string).collect::<Vec<_>>().join("/")
        });
        vec![
            Value::text(atom.source.0.as_str()),
            Value::text(atom.name.as_deref().unwrap_or("")),
            Value::text(community.map_or("", |of| of.code.as_str())),
            Value::text(facts.grid_code(id)),
            Value::count(atom.households.0),
            Value::count(atom.residents.0),
            Value::text(text::households_source(atom.households_source, lang)),
            Value::text(station.map_or("", |station| station.code.as_str())),
            Value::maybe(nearest.map(|(_, walk)| walk.minutes())),
            Value::maybe(reach.and_then(|reach| reach.distance).map(|metres| metres.value())),
            Value::maybe(reach.and_then(|reach| reach.straight).map(|metres| metres.value())),
            Value::text(depth),
            Value::maybe(balance.and_then(|balance| balance.access.get(index)).copied()),
            Value::maybe(balance.and_then(|balance| balance.without_room.get(index)).map(|&n| f64::from(n))),
        ]
    });
    write_table(workbook, formats, lang.pick("楼栋网格码", "building to grid"), &heads, all.len(), rows)?;
    Ok(())
}

fn rules(workbook: &mut Workbook, formats: &Formats, facts: &Facts<'_>, lang: Lang) -> Result<(), XlsxError> {
    use Kind::Text;
    let heads = columns(
        lang,
        &[
            ("规则", "rule", Text),
            ("要求", "asked", Text),
            ("本方案", "this plan", Text),
            ("结论", "verdict", Text),
            ("来源", "source", Text),
            ("条款", "clause", Text),
            ("状态", "status", Text),
        ],
    );
    let all = &facts.rules.rules;
    let rows = all.iter().map(|rule| {
        let measured = measure(facts, rule, lang);
        let holds = measured.as_ref().and_then(|measured| measured.holds);
        vec![
            Value::text(rule.text(lang)),
            Value::text(limits(rule, lang)),
            Value::text(measured.map_or_else(String::new, |measured| measured.figure)),
            Value::text(verdict(holds, lang)),
            Value::text(rule.source.as_str()),
            Value::text(rule.clause.as_str()),
            Value::text(text::status(rule.status, lang)),
        ]
    });
    write_table(workbook, formats, lang.pick("规则对照", "rules"), &heads, all.len(), rows)?;
    Ok(())
}

fn provenance(
    workbook: &mut Workbook,
    formats: &Formats,
    facts: &Facts<'_>,
    lang: Lang,
) -> Result<(), XlsxError> {
    use Kind::Text;
    let heads = columns(lang, &[("项目", "item", Text), ("值", "value", Text)]);
    let of = &facts.plan.provenance;
    let mut lines: Vec<(String, String)> = vec![
        (lang.pick("程序版本", "version").into(), of.version.clone()),
        (lang.pick("随机种子", "seed").into(), of.seed.to_string()),
        (lang.pick("输入校验（SHA-256）", "input hash (SHA-256)").into(), of.input_hash.clone()),
        (lang.pick("方案校验（SHA-256）", "plan hash (SHA-256)").into(), of.plan_hash.clone()),
        (
            lang.pick("坐标系", "coordinates").into(),
            format!("{} (EPSG:{})", facts.scenario.plane.name(), facts.scenario.plane.epsg()),
        ),
    ];
    for source in &facts.scenario.sources {
        let (name, role) = (&source.name, source.role.get(lang));
        let (features, encoding) = (source.features, source.encoding.get(lang));
        let (crs, hash) = (source.crs.get(lang), &source.sha256);
        lines.push((
            say!(lang, "数据文件（{role}）", "file ({role})"),
            format!("{name}; {features}; {encoding}; {crs}; SHA-256 {hash}"),
        ));
    }
    lines.extend(of.params.lines().map(|line| (lang.pick("参数", "parameters").to_owned(), line.to_owned())));
    for entry in &facts.plan.ledger {
        let crate::model::LedgerEntry { who, when, what, why, basis, .. } = entry;
        lines.push((
            lang.pick("调整记录", "change by hand").into(),
            format!("{when}; {who}; {what}; {why}; {basis}"),
        ));
    }
    let rows =
        lines.iter().map(|(item, value)| vec![Value::text(item.as_str()), Value::text(value.as_str())]);
    write_table(workbook, formats, lang.pick("来源", "provenance"), &heads, lines.len(), rows)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_are_lettered_like_in_a_spreadsheet() {
        for (index, letter) in [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA")] {
            assert_eq!(super::column_letter(index), letter);
        }
    }
}
