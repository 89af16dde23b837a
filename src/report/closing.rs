//! What backs the report up: rules compared, findings, provenance, legal notes, terms.

use std::collections::BTreeMap;

use super::facts::Facts;
use super::markup::{Cell, Standing, Table, list, note, paragraph};
use super::opening::{limits, status_tag};
use super::page::Section;
use super::rules::{Measure, Rule, Unit};
use super::text::{self, decimal, escape};
use crate::model::{Finding, FindingKind, GridClass, Lang, Severity, StationTier};

/// Lines of the ledger that are printed.
const MAX_LEDGER: usize = 20;
/// Lines of the parameters that are printed.
const MAX_PARAMS: usize = 120;

/// What a rule's figure is in this plan.
pub(super) struct Measured {
    pub figure: String,
    /// `None` where nothing was measured.
    pub holds: Option<bool>,
}

/// Section: rules beside measured figures.
pub(super) fn rules(facts: &Facts<'_>, lang: Lang) -> Section {
    let heads = [
        lang.pick("规则", "rule"),
        lang.pick("要求", "asked"),
        lang.pick("本方案", "this plan"),
        lang.pick("结论", "verdict"),
        lang.pick("来源、条款", "source, clause"),
        lang.pick("状态", "status"),
    ];
    let mut table = Table::new("", &heads);
    table.widths(&[30, 15, 15, 9, 22, 9]);
    for rule in &facts.rules.rules {
        let measured = measure(facts, rule, lang);
        let figure = measured.as_ref().map_or_else(|| "—".into(), |measured| measured.figure.clone());
        let holds = measured.and_then(|measured| measured.holds);
        table.row(vec![
            Cell::text(rule.text(lang)),
            Cell::text(limits(rule, lang)),
            Cell::plain(figure, Standing::of(holds)),
            Cell::short(verdict(holds, lang)),
            Cell::text(say_source(rule)),
            Cell::Markup(status_tag(rule.status, lang)),
        ]);
    }
    let (name, edition) = (&facts.rules.name, facts.rules.edition);
    table.note(say!(
        lang,
        "规则包：{name}，第 {edition} 版。“未核实”指尚未查到原文，引用前请核对；规则是可编辑的文件，各地数值以当地文件为准。",
        "Rule pack: {name}, edition {edition}. “Unverified (未核实)” means the text itself was not read: check it before you \
         quote it. Rules are a file that can be edited; local documents prevail."
    ));
    Section::new("rules", lang, "对照标准", "Held against the rules", table.html())
}

fn say_source(rule: &Rule) -> String {
    format!("{}，{}", rule.source, rule.clause)
}

/// The verdict in words.
pub(super) fn verdict(holds: Option<bool>, lang: Lang) -> &'static str {
    match holds {
        Some(true) => lang.pick("符合", "holds"),
        Some(false) => lang.pick("不符合", "does not hold"),
        None => lang.pick("仅列示", "listed only"),
    }
}

/// What a rule is compared with in this plan; `None` where the plan holds no such figure.
pub(super) fn measure(facts: &Facts<'_>, rule: &Rule, lang: Lang) -> Option<Measured> {
    match rule.measure? {
        Measure::BandMetres => {
            let band = facts.plan.coverage.bands.iter().find(|band| Some(band.minutes) == rule.minutes)?;
            Some(Measured {
                figure: format!("{} {}", decimal(band.metres.value(), 0), lang.pick("米", "m")),
                holds: rule.holds(band.metres.value()),
            })
        }
        Measure::GridTarget => {
            let urban = facts.plan.partition.grids.iter().filter(|grid| grid.class == GridClass::Urban);
            let mut targets: Vec<u32> =
                urban.filter_map(|grid| grid.size).map(|size| size.target.0).collect();
            targets.sort_unstable();
            targets.dedup();
            let words: Vec<String> = targets.iter().map(ToString::to_string).collect();
            (!targets.is_empty()).then(|| Measured {
                figure: words.join("/"),
                holds: Some(targets.iter().all(|target| rule.holds(f64::from(*target)) != Some(false))),
            })
        }
        Measure::ServiceSpace => {
            let least = rule.low?;
            let lived_in = facts.communities.iter().filter(|community| 0 < community.load.households);
            let (all, below) = lived_in.fold((0, 0), |(all, below), community| {
                let short = community.space_per_hundred().is_some_and(|space| space < least);
                (all + 1, below + i32::from(short))
            });
            (0 < all).then(|| Measured {
                figure: say!(lang, "{below}/{all} 个社区不足", "{below} of {all} communities below"),
                holds: Some(below == 0),
            })
        }
        Measure::CommunityCentreArea => {
            let least = rule.low?;
            let centres = || facts.open_stations().filter(|station| station.tier == StationTier::Community);
            let known: Vec<f64> =
                centres().filter_map(|station| station.area).map(|area| area.value()).collect();
            let (all, below) = (centres().count(), known.iter().filter(|area| **area < least).count());
            (!known.is_empty()).then(|| Measured {
                figure: say!(lang, "{below}/{all} 个不足", "{below} of {all} below"),
                holds: Some(below == 0),
            })
        }
        Measure::SocialWorkers => {
            let per_10_000 = rule.low?;
            let wanted = (facts.planned.residents as f64 / 10_000.0 * per_10_000).ceil();
            (0 < facts.planned.residents).then(|| Measured {
                figure: {
                    let wanted = decimal(wanted, 0);
                    say!(lang, "应配 {wanted} 人", "calls for {wanted}")
                },
                holds: None,
            })
        }
        Measure::MapArea => {
            let area = facts.area_km2();
            let unit = text::unit(Unit::Km2, lang);
            Some(Measured { figure: format!("{} {unit}", decimal(area, 2)), holds: rule.holds(area) })
        }
    }
}

/// All findings, the worst first; the order within a severity is that of the plan.
pub(super) fn all_findings<'a>(facts: &Facts<'a>) -> Vec<&'a Finding> {
    let mut all: Vec<&Finding> = facts.scenario.findings.iter().chain(&facts.plan.findings).collect();
    all.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.kind));
    all
}

/// Section: findings by kind.
pub(super) fn findings(facts: &Facts<'_>, lang: Lang) -> Section {
    let mut kinds: BTreeMap<(std::cmp::Reverse<Severity>, FindingKind), (u64, &Finding)> = BTreeMap::new();
    for finding in all_findings(facts) {
        kinds.entry((std::cmp::Reverse(finding.severity), finding.kind)).or_insert((0, finding)).0 += 1;
    }
    let heads = [
        lang.pick("程度", "severity"),
        lang.pick("类别", "kind"),
        lang.pick("#条数", "#findings"),
        lang.pick("例", "example"),
        lang.pick("建议", "remedy"),
    ];
    let mut table = Table::new("", &heads);
    table.widths(&[8, 15, 7, 38, 32]);
    for ((severity, kind), (number, example)) in kinds {
        table.row(vec![
            Cell::Markup(severity_tag(severity.0, lang)),
            Cell::text(text::finding_kind(kind, lang)),
            Cell::count(number),
            Cell::text(example.message.get(lang)),
            Cell::text(example.remedy.get(lang)),
        ]);
    }
    let body = if table.is_empty() {
        note(lang.pick("没有发现问题。", "Nothing odd was found."))
    } else {
        table.note(lang.pick(
            "“错误”处的结果在修正前不可用；“警告”应在交付前核对；“提示”供参考。逐条见附表 E。",
            "At an error the answer is wrong or missing until it is mended; a warning wants a look before the plan is \
             handed over. Each finding stands in annex E.",
        ));
        table.html()
    };
    Section::new("findings", lang, "数据与结果检查", "Findings", body)
}

/// A severity as a tag.
pub(super) fn severity_tag(severity: Severity, lang: Lang) -> String {
    format!("<span class=\"tag {}\">{}</span>", severity.as_str(), escape(text::severity(severity, lang)))
}

/// Section: where the data came from and how to get the same plan again.
pub(super) fn provenance(facts: &Facts<'_>, lang: Lang) -> Section {
    let provenance = &facts.plan.provenance;
    let heads = [lang.pick("项目", "item"), lang.pick("值", "value")];
    let mut table = Table::new("", &heads);
    let dash = |text: &str| if text.is_empty() { "—".to_owned() } else { text.to_owned() };
    for (word, value) in [
        (lang.pick("程序版本", "version"), format!("gridplan {}", provenance.version)),
        (lang.pick("随机种子", "seed"), provenance.seed.to_string()),
        (lang.pick("输入校验（SHA-256）", "input hash (SHA-256)"), dash(&provenance.input_hash)),
        (lang.pick("方案校验（SHA-256）", "plan hash (SHA-256)"), dash(&provenance.plan_hash)),
    ] {
        table.row(vec![Cell::text(word), Cell::Markup(format!("<code>{}</code>", escape(&value)))]);
    }
    let mut body = paragraph(lang.pick(
        "输入、参数和种子相同，得到的方案逐字节相同，与线程数无关；方案校验码可用来核对。",
        "The same input, parameters and seed give the same plan to the byte on any number of threads; compare the plan hash.",
    ));
    body.push_str(&table.html());
    body.push_str(&sources_table(facts, lang));
    if !provenance.params.is_empty() {
        let shown: Vec<&str> = provenance.params.lines().take(MAX_PARAMS).collect();
        let more = provenance.params.lines().count() - shown.len();
        let mut text = shown.join("\n");
        if 0 < more {
            text.push_str(&say!(lang, "\n…（另有 {more} 行）", "\n… ({more} more lines)"));
        }
        body.push_str(&format!("<h3>{}</h3><pre>{}</pre>", lang.pick("参数", "Parameters"), escape(&text)));
    }
    body.push_str(&ledger_table(facts, lang));
    Section::new("provenance", lang, "来源与复现", "Provenance", body)
}

fn sources_table(facts: &Facts<'_>, lang: Lang) -> String {
    let heads = [
        lang.pick("文件", "file"),
        lang.pick("用途", "role"),
        lang.pick("#要素", "#features"),
        lang.pick("编码", "encoding"),
        lang.pick("坐标", "coordinates"),
        "SHA-256",
    ];
    let mut table = Table::new(lang.pick("数据文件", "Files read"), &heads);
    for source in &facts.scenario.sources {
        let hash: String = source.sha256.chars().take(16).collect();
        table.row(vec![
            Cell::text(source.name.as_str()),
            Cell::text(source.role.get(lang)),
            Cell::count(source.features),
            Cell::text(source.encoding.get(lang)),
            Cell::text(source.crs.get(lang)),
            Cell::Markup(format!("<code>{}</code>", escape(&hash))),
        ]);
    }
    if table.is_empty() {
        return String::new();
    }
    table.note(lang.pick(
        "校验值为前 16 位，全文见 tables.xlsx。",
        "First 16 digits of each hash; the whole stands in tables.xlsx.",
    ));
    table.html()
}

fn ledger_table(facts: &Facts<'_>, lang: Lang) -> String {
    let heads = [
        lang.pick("时间", "when"),
        lang.pick("经手人", "who"),
        lang.pick("变更", "what"),
        lang.pick("理由", "why"),
        lang.pick("依据", "basis"),
    ];
    let all = facts.plan.ledger.len();
    let mut table = Table::new(lang.pick("人工调整记录", "Changes by hand"), &heads);
    for entry in facts.plan.ledger.iter().skip(all.saturating_sub(MAX_LEDGER)) {
        let cells = [&entry.when, &entry.who, &entry.what, &entry.why, &entry.basis];
        table.row(cells.map(|words| Cell::text(words.as_str())).into());
    }
    if MAX_LEDGER < all {
        table.note(say!(lang, "最近 {MAX_LEDGER} 条，共 {all} 条。", "The last {MAX_LEDGER} of {all}."));
    }
    if table.is_empty() { String::new() } else { table.html() }
}

/// Section: legal notes.
pub(super) fn legal(facts: &Facts<'_>, lang: Lang) -> Section {
    let area = decimal(facts.area_km2(), 2);
    let limit = facts.rules.rule("map-classified").and_then(|rule| rule.high).unwrap_or(25.0);
    let mut body = String::new();
    if limit < facts.area_km2() {
        let limit = decimal(limit, 0);
        let words = say!(
            lang,
            "注意：规划范围 {area} 平方千米。连片 1:500–1:2000 全要素数据超过 {limit} 平方千米属于涉密测绘成果。\
             若底图数据达到该精度，本报告及随附文件须按涉密载体管理，不得在互联网上传输、存储或公开。",
            "Note: the area under plan is {area} km². Contiguous 1:500 to 1:2000 full-element data above {limit} km² is \
             classified in China. If the base data is of that detail, this report and its files must be handled as classified."
        );
        body.push_str(&format!("<div class=\"legal\">{}</div>", paragraph(&words)));
    } else {
        body.push_str(&paragraph(&say!(
            lang,
            "规划范围 {area} 平方千米，未超过 {limit} 平方千米的连片大比例尺数据涉密界限。",
            "The area under plan is {area} km², within the limit of {limit} km² above which contiguous large-scale data is \
             classified in China."
        )));
    }
    body.push_str(&list(&[
        lang.pick(
            "本报告地图未经地图审核。向社会公开前须依法送审并标注审图号：＿＿＿＿＿＿＿＿。",
            "The maps in this report have not been reviewed. Before publication in China they need a review number (审图号): ＿＿＿＿＿＿＿＿.",
        )
        .to_owned(),
        lang.pick(
            "地图界线为网格管理工作用图，不作为行政区域界线的依据。",
            "Lines on these maps serve grid management and are no authority on administrative boundaries.",
        )
        .to_owned(),
        lang.pick(
            "本报告只含楼栋级户数、人数，不含任何个人信息。",
            "The report holds counts per building only and no personal data.",
        )
        .to_owned(),
        lang.pick(
            "国家与地方坐标系之间的转换参数不得随成果提供；本成果不含此类参数。",
            "Transformation parameters between national and local coordinate systems must not be handed out; none are included.",
        )
        .to_owned(),
    ]));
    Section::new("legal", lang, "法规与使用说明", "Legal notes", body)
}

/// Section: terms.
pub(super) fn glossary(lang: Lang) -> Section {
    const TERMS: [(&str, &str, &str, &str); 16] = [
        (
            "社区（村）",
            "community",
            "规划的基本单元，网格不跨社区",
            "the area under plan; no grid crosses its outline",
        ),
        (
            "网格",
            "grid",
            "社区内约 300 户、连片的一组楼栋",
            "a connected set of buildings of about 300 households",
        ),
        (
            "专属网格",
            "exclusive grid",
            "商务楼宇、市场、学校、医院等单独成格，无户数要求",
            "an office tower, market, school or hospital on its own, without a household target",
        ),
        (
            "小区",
            "compound",
            "有围墙或名称的住宅院落，尽量整体划入一个网格",
            "a walled or named residential compound, kept whole where its size allows",
        ),
        ("楼栋", "building (atom)", "最小单元，不再拆分", "the smallest unit, never split"),
        (
            "规模范围",
            "size range",
            "网格户数的下限与上限，含端点",
            "lower and upper limit of a grid, both included",
        ),
        (
            "四至",
            "bounds",
            "网格东、南、西、北的边界地物",
            "what bounds a grid on the east, south, west and north",
        ),
        (
            "服务站",
            "service station",
            "党群服务中心、驿站、服务角等各级站点",
            "centres, stations and corners of all tiers",
        ),
        (
            "步行圈",
            "walking circle",
            "步行时间在时限内可达站点的范围",
            "where a station is reached within the limit on foot",
        ),
        (
            "直线半径",
            "straight radius",
            "不考虑道路的直线距离，仅供对照",
            "distance as the crow flies, for comparison only",
        ),
        ("路网距离", "network distance", "沿可步行道路的距离", "distance along walkable streets"),
        (
            "路网时间",
            "network time",
            "沿可步行道路的时间，计台阶、过街和坡度",
            "time along walkable streets with stairs, crossings and slopes",
        ),
        ("覆盖率", "coverage", "可达站点的住户占全部住户的比例", "share of households that reach a station"),
        ("重叠", "overlap", "住户可达两个及以上站点", "two or more stations within reach"),
        ("上界、下界", "bound", "任何方案都不可能超过的数值", "the figure that no plan can beat"),
        (
            "差距",
            "gap",
            "本方案与界之间的相对差，为零即最优",
            "relative distance to the bound; zero means best",
        ),
    ];
    let terms: String = TERMS
        .iter()
        .map(|(zh, en, zh_meaning, en_meaning)| {
            let term = match lang {
                Lang::Zh => format!("{zh} <small>{en}</small>"),
                Lang::En => format!("{en} <small>{zh}</small>"),
            };
            format!("<dt>{term}</dt><dd>{}</dd>", escape(lang.pick(zh_meaning, en_meaning)))
        })
        .collect();
    Section::new("glossary", lang, "术语", "Terms", format!("<dl>{terms}</dl>"))
}
