#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};

use super::facts::Facts;
use super::rules::{RulePack, RulePackError, Status};
use super::{html, text, workbook};
use crate::geometry::Plane;
use crate::model::{
    AtomId, CoverageMethod, CoverageScope, FindingKind, Lang, Plan, Scenario, StationStatus, StationTier,
    Text,
};
use crate::testing::{toy_plan, toy_scenario};
use crate::units::SquareMetres;

const SECTIONS: [&str; 17] = [
    "summary",
    "method",
    "grids",
    "stations",
    "coverage",
    "left-out",
    "communities",
    "rules",
    "findings",
    "provenance",
    "legal",
    "glossary",
    "annex-a",
    "annex-b",
    "annex-c",
    "annex-d",
    "annex-e",
];

fn toy() -> (Scenario, Plan) {
    let scenario = toy_scenario();
    let plan = toy_plan(&scenario);
    (scenario, plan)
}

fn empty() -> (Scenario, Plan) {
    (Scenario::new("空", Plane::from_epsg(4549).unwrap()), Plan::default())
}

/// The part of a page that belongs to a section.
fn section<'a>(page: &'a str, id: &str) -> &'a str {
    let start = page.find(&format!("<section id=\"{id}\"")).unwrap_or_else(|| panic!("no section {id}"));
    let end = page[start..].find("</section>").unwrap();
    &page[start..start + end]
}

#[test]
fn every_section_is_there_and_in_the_contents() {
    for lang in [Lang::Zh, Lang::En] {
        for (scenario, plan) in [toy(), empty()] {
            let page = html(&scenario, &plan, lang);
            for id in SECTIONS {
                assert!(page.contains(&format!("href=\"#{id}\"")), "{id} is not in the contents");
                assert!(section(&page, id).len() > 60, "{id} is empty");
            }
            for tag in
                ["section", "table", "figure", "div", "svg", "g", "p", "ul", "tr", "td", "main", "header"]
            {
                let opened =
                    page.matches(&format!("<{tag} ")).count() + page.matches(&format!("<{tag}>")).count();
                assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "<{tag}> is not balanced");
            }
        }
    }
}

#[test]
fn key_figures_are_those_of_the_plan() {
    let (scenario, plan) = toy();
    let page = html(&scenario, &plan, Lang::Zh);
    let cover = &page[..page.find("<section").unwrap()];
    // 8 · 38 + 8 · 36 + 8 · 40 + 2 · (35 + 36 + 37 + 38) in the west, 8 · 37 + 8 · 34 + 466 in the east, 80 in the village.
    assert_eq!(304 + 288 + 320 + 292 + 296 + 272 + 466 + 80, 2_318);
    let households =
        scenario.atoms.iter().filter(|atom| atom.community.is_some()).map(|atom| atom.households.0);
    assert_eq!(households.sum::<u32>(), 2_318);
    assert!(cover.contains("<b>2,318<small>户</small></b>"), "{cover}");
    // 8 grids have a range, all but the one with the tower keep it.
    assert!(cover.contains("<b>87.5%<small></small></b>"));
    for minutes in [5, 10, 15] {
        let row = plan.coverage.row(CoverageScope::All, None, CoverageMethod::NetworkTime, minutes).unwrap();
        let share = text::percent(u64::from(row.households_reached.0), u64::from(row.households.0));
        let wanted = format!("<b>{share}<small></small></b><span>{minutes} 分钟可达住户（路网时间）</span>");
        assert!(cover.contains(&wanted), "{wanted} is missing in {cover}");
    }
    let open = plan.stations.iter().filter(|station| station.status != StationStatus::Closed).count();
    assert!(cover.contains(&format!("<b>{open}<small>个</small></b><span>服务站（其中新增 3）")));
}

#[test]
fn the_three_methods_stand_side_by_side() {
    let (scenario, plan) = toy();
    let page = html(&scenario, &plan, Lang::Zh);
    let summary = section(&page, "summary");
    for method in CoverageMethod::ALL {
        let mut row = format!("<tr><td>{}</td>", text::method(method, Lang::Zh));
        for minutes in [5, 10, 15] {
            let of = plan.coverage.row(CoverageScope::All, None, method, minutes).unwrap();
            let (reached, all) = (u64::from(of.households_reached.0), u64::from(of.households.0));
            let (share, reached) = (text::percent(reached, all), text::count(reached));
            row.push_str(&format!("<td class=\"n\">{share}</td><td class=\"n\">{reached}</td>"));
        }
        assert!(summary.contains(&row), "{row} is missing");
    }
}

#[test]
fn those_left_out_are_the_rest_of_the_coverage_table() {
    let (scenario, plan) = toy();
    let facts = Facts::new(&scenario, &plan);
    let rest = |scope| {
        let row = plan.coverage.row(scope, None, CoverageMethod::NetworkTime, 15).unwrap();
        u64::from(row.households.0 - row.households_reached.0)
    };
    assert_eq!(facts.left_out_load().households, rest(CoverageScope::All));
    for community in &facts.communities {
        assert_eq!(community.left_out.households, rest(CoverageScope::Community(community.id)));
    }
    // Only b0059 behind the lake is left out: 16 households, on no street, 15 minutes' metres away as the crow flies.
    let left: Vec<AtomId> = facts.left_out.iter().map(|left| left.atom).collect();
    assert_eq!(left, [AtomId(58)]);
    assert_eq!(facts.straight_only, 16);
    let page = html(&scenario, &plan, Lang::Zh);
    assert!(section(&page, "left-out").contains("b0059") && section(&page, "annex-d").contains("b0059"));
}

#[test]
fn tables_hold_every_community_grid_station_and_finding() {
    let (scenario, plan) = toy();
    for lang in [Lang::Zh, Lang::En] {
        let page = html(&scenario, &plan, lang);
        for community in &scenario.communities {
            assert!(section(&page, "annex-a").contains(&community.code), "{}", community.code);
            assert!(section(&page, "communities").contains(&community.name), "{}", community.name);
        }
        for grid in &plan.partition.grids {
            let row = format!("<tr><td class=\"short\">{}</td>", grid.code);
            assert!(section(&page, "annex-b").contains(&row), "{}", grid.code);
        }
        for station in &plan.stations {
            let annex = section(&page, "annex-c");
            assert!(
                annex.contains(&station.name) && annex.contains(station.reason.get(lang)),
                "{}",
                station.code
            );
        }
        for finding in scenario.findings.iter().chain(&plan.findings) {
            let annex = section(&page, "annex-e");
            assert!(annex.contains(&text::escape(finding.message.get(lang))), "{:?}", finding.message);
            assert!(annex.contains(&text::escape(finding.remedy.get(lang))), "{:?}", finding.remedy);
        }
        assert!(section(&page, "provenance").contains(&plan.provenance.plan_hash));
    }
}

#[test]
fn a_share_always_names_its_method() {
    let (scenario, plan) = toy();
    for (lang, share, methods) in [
        (Lang::Zh, "覆盖", ["直线半径", "路网距离", "路网时间", "三种方法"]),
        (Lang::En, "covered", ["straight radius", "network distance", "network time", "three methods"]),
    ] {
        let page = html(&scenario, &plan, lang);
        for tag in ["figcaption", "caption"] {
            for caption in page.split(&format!("<{tag}>")).skip(1) {
                let caption = &caption[..caption.find('<').unwrap()];
                let named = methods.iter().any(|method| caption.contains(method));
                assert!(
                    !caption.contains(share) || caption.contains("原因") || named,
                    "{caption} names no method"
                );
            }
        }
    }
}

#[test]
fn unverified_rules_say_so_in_both_languages() {
    let (scenario, plan) = toy();
    let pack = RulePack::default();
    let unverified = pack.rules.iter().filter(|rule| rule.status == Status::Unverified).count();
    assert!(0 < unverified);
    for lang in [Lang::Zh, Lang::En] {
        let page = html(&scenario, &plan, lang);
        let tags = section(&page, "rules").matches("class=\"tag unverified\"").count();
        assert_eq!(tags, unverified);
        assert!(section(&page, "rules").contains("未核实"));
        // The metres of the 5-minute circle are not verified, and the method section says that too.
        assert_eq!(section(&page, "method").matches("class=\"tag unverified\"").count(), 1);
    }
}

#[test]
fn rules_are_measured_on_the_plan() {
    let (mut scenario, plan) = toy();
    let page = html(&scenario, &plan, Lang::Zh);
    // 730 m² in the west (needs 361), 1,985 in the east (needs 310), none in the village (needs 24).
    assert!(section(&page, "rules").contains("1/3 个社区不足"));
    // Two community centres: 640 m² and 160 m².
    assert!(section(&page, "rules").contains("1/2 个不足"));
    assert!(!section(&page, "legal").contains("class=\"legal\""), "1 km² is not classified");
    for community in &mut scenario.communities {
        for polygon in &mut community.outline.0 {
            polygon.exterior_mut(|ring| {
                ring.0.iter_mut().for_each(|at| at.x = 622_000.0 + (at.x - 622_000.0) * 40.0)
            });
        }
    }
    let page = html(&scenario, &plan, Lang::Zh);
    assert!(section(&page, "legal").contains("class=\"legal\"") && section(&page, "legal").contains("涉密"));
}

#[test]
fn names_cannot_become_markup() {
    let (mut scenario, _) = toy();
    let evil = "<script>alert('x')</script>\"&\u{1}";
    scenario.name = evil.into();
    scenario.communities[0].name = evil.into();
    scenario.communities[2].name = evil.into();
    scenario.atoms[58].name = Some(evil.into());
    scenario.premises[0].name = Some(evil.into());
    scenario.sources[0].name = evil.into();
    scenario.findings[0].message = Text::same(evil);
    let mut plan = toy_plan(&scenario);
    plan.provenance.params = evil.into();
    plan.stations[0].name = evil.into();
    plan.tiers[0].goal = Text::same(evil);
    plan.ledger[0].what = evil.into();
    plan.partition.grids[0].code = evil.into();
    plan.coverage.profile = evil.into();
    for lang in [Lang::Zh, Lang::En] {
        let page = html(&scenario, &plan, lang);
        assert!(!page.contains("<script") && !page.contains('\u{1}'));
        assert!(10 < page.matches("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;").count());
        assert!(workbook(&scenario, &plan, lang).unwrap().starts_with(b"PK"));
    }
}

#[test]
fn the_page_asks_nothing_of_the_outside() {
    let (scenario, plan) = toy();
    let page = html(&scenario, &plan, Lang::Zh);
    for word in ["http:", "https:", "src=", "@import", "<link", "<script", "<iframe"] {
        assert!(!page.contains(word), "{word}");
    }
    assert_eq!(page.matches("url(").count(), page.matches("url(#").count());
}

#[test]
fn nothing_at_all_still_makes_a_report() {
    let (scenario, plan) = empty();
    for lang in [Lang::Zh, Lang::En] {
        let page = html(&scenario, &plan, lang);
        let body = &page[page.find("<body>").unwrap()..];
        for word in ["NaN", "inf%", "100%"] {
            assert!(!body.contains(word), "{word}");
        }
        let sheets = read(&workbook(&scenario, &plan, lang).unwrap());
        assert_eq!(sheets.len(), 10);
    }
    // Stations and coverage taken away one by one.
    let (scenario, full) = toy();
    for keep in 0..3 {
        let mut plan = full.clone();
        if keep != 0 {
            plan.stations.clear();
            plan.coverage
                .atoms
                .iter_mut()
                .for_each(|atom| atom.nearest = Err(crate::model::Unreached::NoStation));
        }
        if keep != 1 {
            plan.circles.clear();
            plan.tiers.clear();
        }
        if keep == 2 {
            plan.coverage = Default::default();
            plan.partition = Default::default();
        }
        let page = html(&scenario, &plan, Lang::Zh);
        assert!(!page.contains("NaN"));
        workbook(&scenario, &plan, Lang::Zh).unwrap();
    }
}

#[test]
fn the_same_plan_gives_the_same_bytes() {
    let (scenario, plan) = toy();
    assert_eq!(html(&scenario, &plan, Lang::Zh), html(&scenario, &plan, Lang::Zh));
    assert_eq!(workbook(&scenario, &plan, Lang::En).unwrap(), workbook(&scenario, &plan, Lang::En).unwrap());
}

#[test]
fn a_large_place_stays_a_small_file() {
    let (mut scenario, _) = toy();
    let models: Vec<_> = scenario.atoms.clone();
    for copy in 0..2_000 {
        for (index, model) in models.iter().enumerate().take(59) {
            let mut atom = model.clone();
            atom.source.0 = format!("x{copy:05}-{index:02}");
            scenario.atoms.push(atom);
        }
    }
    let mut plan = toy_plan(&toy_scenario());
    let reach = plan.coverage.atoms[58].clone();
    plan.coverage.atoms.resize(scenario.atoms.len(), reach);
    let page = html(&scenario, &plan, Lang::Zh);
    assert!(page.len() < 6_000_000, "{} bytes for {} buildings", page.len(), scenario.atoms.len());
    let circles = page.matches("<circle").count();
    assert!(circles < 6_000, "{circles} dots");
}

#[test]
fn shares_never_round_to_all_or_none() {
    for (part, whole, wanted) in [
        (0, 0, "—"),
        (0, 10, "0%"),
        (10, 10, "100%"),
        (1, 3, "33.3%"),
        (9_999, 10_000, "99.9%"),
        (1, 100_000, "<0.1%"),
        (1, 1_000, "0.1%"),
    ] {
        assert_eq!(text::percent(part, whole), wanted, "{part} of {whole}");
    }
    assert_eq!(text::count(1_234_567), "1,234,567");
    assert_eq!(text::decimal(-1_234.56, 1), "−1,234.6");
    assert_eq!(text::decimal(-0.01, 1), "0.0");
    assert_eq!(text::decimal(f64::NAN, 1), "—");
}

#[test]
fn every_kind_of_finding_has_a_chinese_name() {
    for kind in FindingKind::ALL {
        let name = text::finding_kind(*kind, Lang::Zh);
        assert!(name.chars().all(|letter| !letter.is_ascii()), "{name}");
    }
}

#[test]
fn the_shipped_rules_hold_the_figures_of_the_field() {
    let pack = RulePack::default();
    for (minutes, low, high, status) in [
        (5, None, 300.0, Status::Unverified),
        (10, None, 500.0, Status::Seen),
        (15, Some(800.0), 1_000.0, Status::Seen),
    ] {
        let rule = pack.circle(minutes).unwrap();
        assert_eq!((rule.low, rule.high, rule.status), (low, Some(high), status));
    }
    assert_eq!(pack.rule("grid-size-national").unwrap().status, Status::Unverified);
    assert_eq!(pack.rule("service-space").unwrap().holds(30.0), Some(true));
    assert_eq!(pack.rule("service-space").unwrap().holds(29.9), Some(false));
    assert_eq!(pack.rule("code-order").unwrap().holds(1.0), None);
}

#[test]
fn a_contradictory_rule_pack_is_refused_by_name() {
    let rule = "[[rule]]\nid = \"a\"\ntheme = \"area\"\nzh = \"甲\"\nen = \"a\"\nsource = \"s\"\nclause = \"c\"\nstatus = \"seen\"\n";
    let pack = |more: &str| RulePack::parse(&format!("name = \"x\"\nedition = 1\n{rule}{more}"));
    assert_eq!(pack("").unwrap().rules.len(), 1);
    for more in ["low = 2\nhigh = 1\nunit = \"m\"\n", "low = 2\n", "low = nan\nunit = \"m\"\n", rule] {
        let error = pack(more).unwrap_err();
        assert!(matches!(&error, RulePackError::Rule { id, .. } if id == "a"), "{more}: {error}");
    }
    assert!(matches!(pack("status = 3\n").unwrap_err(), RulePackError::Form(_)));
}

/// Sheets with their cells.
fn read(bytes: &[u8]) -> Vec<(String, calamine::Range<Data>)> {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes.to_vec())).unwrap();
    let names = book.sheet_names();
    names.into_iter().map(|name| (name.clone(), book.worksheet_range(&name).unwrap())).collect()
}

fn column(range: &calamine::Range<Data>, head: &str) -> Vec<Data> {
    let heads: Vec<String> = range.rows().next().unwrap().iter().map(ToString::to_string).collect();
    let index =
        heads.iter().position(|word| word == head).unwrap_or_else(|| panic!("no column {head} in {heads:?}"));
    range.rows().skip(1).map(|row| row[index].clone()).collect()
}

fn sum(cells: &[Data]) -> f64 {
    cells.iter().map(|cell| if let Data::Float(number) = cell { *number } else { 0.0 }).sum()
}

#[test]
fn the_workbook_reads_back_with_numbers_as_numbers() {
    let (scenario, plan) = toy();
    let sheets = read(&workbook(&scenario, &plan, Lang::Zh).unwrap());
    let names: Vec<&str> = sheets.iter().map(|sheet| sheet.0.as_str()).collect();
    let wanted = [
        "说明",
        "社区",
        "网格",
        "服务站",
        "覆盖率",
        "未覆盖",
        "不同人群",
        "站点负荷",
        "问题清单",
        "楼栋网格码",
        "规则对照",
        "来源",
    ];
    assert_eq!(names, wanted);
    let sheet = |name: &str| &sheets.iter().find(|sheet| sheet.0 == name).unwrap().1;
    assert_eq!(sum(&column(sheet("网格"), "户数")), 2_318.0);
    assert_eq!(sum(&column(sheet("社区"), "户数")), 2_318.0);
    assert_eq!(sum(&column(sheet("社区"), "圈外户数")), 16.0);
    let codes: Vec<String> = column(sheet("网格"), "网格编码").iter().map(ToString::to_string).collect();
    assert!(
        codes.iter().eq(plan.partition.grids.iter().map(|grid| &grid.code)),
        "codes stay text: {codes:?}"
    );
    let share = &column(sheet("网格"), "15 分钟覆盖率")[8];
    assert_eq!(*share, Data::Float(64.0 / 80.0));
    assert_eq!(column(sheet("覆盖率"), "户数").len(), plan.coverage.rows.len());
    assert_eq!(column(sheet("问题清单"), "说明").len(), scenario.findings.len() + plan.findings.len());
}

#[test]
fn every_building_has_its_grid_code() {
    let (scenario, plan) = toy();
    let sheets = read(&workbook(&scenario, &plan, Lang::En).unwrap());
    let sheet = &sheets.iter().find(|sheet| sheet.0 == "building to grid").unwrap().1;
    let buildings = column(sheet, "building");
    let grids = column(sheet, "grid");
    assert_eq!(buildings.len(), scenario.atoms.len());
    for ((atom, grid), (building, code)) in
        scenario.atoms.iter().zip(&plan.partition.grid_of).zip(buildings.iter().zip(&grids))
    {
        assert_eq!(building.to_string(), atom.source.0);
        let wanted = grid.map_or(String::new(), |id| plan.partition.grids[id.index()].code.clone());
        assert_eq!(code.to_string(), wanted);
    }
}

#[test]
fn several_street_offices_are_added_up() {
    let (mut scenario, _) = toy();
    scenario.communities[2].code = "370602002201".into();
    let plan = toy_plan(&scenario);
    let facts = Facts::new(&scenario, &plan);
    let offices: Vec<(&str, u64, u64)> = facts
        .offices
        .iter()
        .map(|office| (office.code.as_str(), office.communities, office.load.households))
        .collect();
    assert_eq!(offices, [("370602001", 2, 2_238), ("370602002", 1, 80)]);
    assert!(section(&html(&scenario, &plan, Lang::Zh), "annex-a").contains("按街道汇总"));
    assert_eq!(read(&workbook(&scenario, &plan, Lang::Zh).unwrap())[2].0, "街道");
}

#[test]
fn a_station_without_area_is_not_counted_as_large_or_small() {
    let (mut scenario, _) = toy();
    scenario.stations[1].area = None;
    scenario.premises[1].area = Some(SquareMetres::constant(900.0));
    let plan = toy_plan(&scenario);
    let centres = plan.stations.iter().filter(|station| station.tier == StationTier::Community);
    assert_eq!(centres.filter(|station| station.area.is_none()).count(), 1);
    let page = html(&scenario, &plan, Lang::Zh);
    assert!(section(&page, "rules").contains("0/2 个不足"));
    assert!(section(&page, "stations").contains("900，1 个未知"));
}

#[test]
fn where_nothing_can_be_timed_the_headline_is_the_straight_radius() {
    let scenario = toy_scenario();
    let mut plan = toy_plan(&scenario);
    assert_eq!(plan.coverage.headline(), CoverageMethod::NetworkTime);
    for atom in &mut plan.coverage.atoms {
        atom.nearest = Err(crate::model::Unreached::NoStreets);
    }
    assert_eq!(plan.coverage.headline(), CoverageMethod::StraightRadius);
}
