//! One function per verb.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::Session;
use super::args::{
    CompareArgs, CoverageArgs, DemoArgs, EffortArg, ExportArgs, FileArgs, ImportArgs, ParamArgs, PlanArgs,
    RedrawArgs, ReportArgs, StageArgs, SynthArgs,
};
use super::outcome::{Failure, Outcome};
use super::what_if;
use crate::geometry::Datum;
use crate::ingest::{self, Column, ImportRequest, Role, SourceSpec};
use crate::model::{
    Coverage, CoverageMethod, CoverageScope, Finding, Lang, LedgerEntry, Plan, Scenario, Severity,
    StationStatus,
};
use crate::params::{Effort, Params};
use crate::pipeline::{self, RedrawParams, Step};
use crate::planfile::{self, PlanFile};
use crate::units::Households;
use crate::{compare as comparison, export as exports, files, report as reports, synth as inventor};

pub(super) type Done = Result<Outcome, Failure>;

pub(super) fn import(args: &ImportArgs, session: &Session<'_>) -> Done {
    let request = import_request(args)?;
    let scenario =
        ingest::read(&request, &mut |what, share| session.screen.watch(what.get(session.lang), share))?;
    session.stop_if_asked()?;
    session.screen.at(session.lang.pick("写入", "writing"), 0.0);
    let content = PlanFile { scenario, plan: None, rules: rules(), lang: session.lang };
    write_plan_file(&args.output, &content)?;
    let mut outcome = Outcome::default();
    describe_scenario(&content.scenario, session, &mut outcome);
    outcome.value("file", shown(&args.output));
    outcome.next(format!("gridplan check {0}   /   gridplan plan {0} -o out/", shown(&args.output)));
    Ok(outcome)
}

fn import_request(args: &ImportArgs) -> Result<ImportRequest, Failure> {
    let mut request = ImportRequest::of(args.sources.iter().map(String::as_str));
    for (word, file) in &args.roles {
        if word.is_empty() {
            request.sources.push(SourceSpec::parse(file));
            continue;
        }
        let role = Role::parse(word).ok_or_else(|| {
            let names = Role::names();
            Failure::input((
                format!("--role {word}={file}：“{word}”不是用途；请用其中之一：{names}"),
                format!("--role {word}={file}: `{word}` is no role; use one of {names}"),
            ))
        })?;
        request = request.with(role, file);
    }
    for (word, name) in &args.columns {
        if word.is_empty() {
            request.sources.push(SourceSpec::parse(name));
            continue;
        }
        let column = Column::parse(word).ok_or_else(|| {
            let words = column_words();
            Failure::input((
                format!("--column {word}={name}：“{word}”不是列的含义；请用其中之一：{words}"),
                format!("--column {word}={name}: `{word}` is no meaning; use one of {words}"),
            ))
        })?;
        request = request.column(column, name);
    }
    if let Some(word) = &args.datum {
        let datum = Datum::parse(word);
        request.datum = Some(datum.ok_or_else(|| {
            Failure::input((
                format!("--datum {word}：没有这种基准；请用 wgs84、gcj02 或 bd09"),
                format!("--datum {word}: there is no such datum; use wgs84, gcj02 or bd09"),
            ))
        })?);
    }
    if let Some(area) = args.floor_area_per_household {
        if !(area.is_finite() && 0.0 < area) {
            return Err(Failure::input((
                format!("--floor-area-per-household {area}；应大于 0 m²"),
                format!("--floor-area-per-household {area}; it must be above 0 m²"),
            )));
        }
        request.floor_area_per_household = Some(area);
    }
    if let Some(residents) = args.residents_per_household {
        if !(residents.is_finite() && 0.0 < residents) {
            return Err(Failure::input((
                format!("--residents-per-household {residents}；应大于 0"),
                format!("--residents-per-household {residents}; it must be above 0"),
            )));
        }
        request.residents_per_household = residents;
    }
    request.name = args.name.clone().unwrap_or_default();
    request.encoding.clone_from(&args.encoding);
    request.crs.clone_from(&args.crs);
    request.filter.clone_from(&args.filter);
    request.households_total = args.households_total;
    request.plane = args.plane;
    request.admin_level = args.admin_level;
    debug_assert!(
        request.sources.iter().all(|source: &SourceSpec| !source.path.is_empty()),
        "paths come from the shell"
    );
    Ok(request)
}

fn column_words() -> String {
    let words: Vec<&str> = Column::ALL.iter().map(|column| column.as_str()).collect();
    words.join(", ")
}

fn describe_scenario(scenario: &Scenario, session: &Session<'_>, outcome: &mut Outcome) {
    let lang = session.lang;
    outcome.line(format!(
        "{}: {} {}, {} {}, {} {}, {} {}",
        scenario.name,
        scenario.communities.len(),
        lang.pick("个社区", "communities"),
        scenario.atoms.len(),
        lang.pick("栋建筑（单元）", "buildings or areas"),
        scenario.households(),
        lang.pick("户", "households"),
        scenario.streets.len(),
        lang.pick("条道路", "streets"),
    ));
    for source in &scenario.sources {
        outcome.line(format!(
            "  {} → {} ({} {}; {}; {})",
            source.name,
            source.role.get(lang),
            source.features,
            lang.pick("个要素", "features"),
            source.encoding.get(lang),
            source.crs.get(lang)
        ));
    }
    outcome.line(format!(
        "  {}: EPSG:{} {}",
        lang.pick("平面", "plane"),
        scenario.plane.epsg(),
        scenario.plane.name()
    ));
    count_findings(&scenario.findings, session, outcome);
    for (key, number) in [
        ("communities", scenario.communities.len()),
        ("buildings", scenario.atoms.len()),
        ("streets", scenario.streets.len()),
        ("premises", scenario.premises.len()),
        ("stations", scenario.stations.len()),
        ("findings", scenario.findings.len()),
    ] {
        outcome.value(key, number);
    }
    outcome.value("households", scenario.households().0);
    outcome.value("residents", scenario.residents().0);
    outcome.value("plane", format!("EPSG:{}", scenario.plane.epsg()));
}

fn count_findings(findings: &[Finding], session: &Session<'_>, outcome: &mut Outcome) {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    outcome.line(format!(
        "  {}: {} {}, {} {}, {} {}",
        session.lang.pick("问题", "findings"),
        count(Severity::Error),
        session.lang.pick("错误", "errors"),
        count(Severity::Warning),
        session.lang.pick("警告", "warnings"),
        count(Severity::Info),
        session.lang.pick("提示", "notes"),
    ));
}

pub(super) fn check(args: &FileArgs, session: &Session<'_>) -> Done {
    let content = planfile::read(&args.file)?;
    let mut findings = ingest::examine(&content.scenario);
    // What only the import could see stays on record in the file.
    findings.extend(
        content.scenario.findings.iter().filter(|old| !findings.contains(old)).cloned().collect::<Vec<_>>(),
    );
    if let Some(plan) = &content.plan {
        findings.extend(plan.findings.iter().cloned());
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let mut outcome = Outcome::default();
    describe_scenario(&content.scenario, session, &mut outcome);
    for finding in &findings {
        outcome.line(format!(
            "{:<7} {} {} {}\n        {}\n        → {}",
            finding.severity.as_str(),
            finding.kind.as_str(),
            finding.layer,
            finding.feature,
            finding.message.get(session.lang),
            finding.remedy.get(session.lang)
        ));
    }
    outcome.value(
        "list",
        findings
            .iter()
            .map(|finding| finding_json(finding, &content.scenario, session.lang))
            .collect::<Vec<Value>>(),
    );
    outcome.next(format!("gridplan plan {} -o out/", shown(&args.file)));
    Ok(outcome)
}

fn finding_json(finding: &Finding, scenario: &Scenario, lang: Lang) -> Value {
    json!({
        "severity": finding.severity.as_str(),
        "kind": finding.kind.as_str(),
        "layer": finding.layer,
        "feature": finding.feature,
        "community": finding.community.map(|id| scenario.communities[id.index()].code.clone()),
        "x": finding.at.map(|at| at.x),
        "y": finding.at.map(|at| at.y),
        "message": finding.message.get(lang),
        "remedy": finding.remedy.get(lang),
        "proven": finding.proven,
    })
}

pub(super) fn plan(args: &PlanArgs, session: &Session<'_>) -> Done {
    let mut content = planfile::read(&args.file)?;
    let params = params(&args.params)?;
    make_folder(&args.output)?;
    let plan = pipeline::plan(&content.scenario, &params, &|step, share| session.screen.step(step, share))?;
    content.plan = Some(plan);
    content.rules = rules();
    content.lang = session.lang;
    record(&mut content, "plan");
    let paths = write_all(&args.output, &content, session)?;
    let mut outcome = Outcome::default();
    describe_plan(&content, session, &mut outcome);
    list_files(&paths, session, &mut outcome);
    outcome.next(format!(
        "{} {}   /   gridplan export {} --to geojson,kml,shp -o {}",
        session.lang.pick("用浏览器打开", "open"),
        shown(&args.output.join("map.html")),
        shown(&args.output.join("plan.gpkg")),
        shown(&args.output.join("files"))
    ));
    Ok(outcome)
}

/// Report, map and tables are made before anything is written, so that a failure leaves the folder as it was.
fn write_all(folder: &Path, content: &PlanFile, session: &Session<'_>) -> Result<Vec<PathBuf>, Failure> {
    let documents = documents(folder, content, session)?;
    session.stop_if_asked()?;
    let plan_path = folder.join("plan.gpkg");
    write_plan_file(&plan_path, content)?;
    let mut paths = vec![plan_path];
    for (path, bytes) in documents {
        files::replace(&path, &bytes)?;
        paths.push(path);
    }
    Ok(paths)
}

fn documents(
    folder: &Path,
    content: &PlanFile,
    session: &Session<'_>,
) -> Result<Vec<(PathBuf, Vec<u8>)>, Failure> {
    let lang = session.lang;
    let Some(plan) = &content.plan else {
        return Err(pipeline::PlanError::StageMissing { missing: "plan", verb: "plan" }.into());
    };
    let scenario = &content.scenario;
    session.screen.at(lang.pick("撰写报告", "writing the report"), 0.0);
    let report = reports::html(scenario, plan, lang).into_bytes();
    session.screen.at(lang.pick("制作表格", "making the tables"), 0.0);
    let tables = reports::workbook(scenario, plan, lang)?;
    let mut documents = Vec::new();
    #[cfg(feature = "web")]
    {
        session.screen.at(lang.pick("制作地图", "making the map"), 0.0);
        documents.push((folder.join("map.html"), exports::map_page(scenario, plan, lang)?.into_bytes()));
    }
    documents.push((folder.join("report.html"), report));
    documents.push((folder.join("tables.xlsx"), tables));
    Ok(documents)
}

fn list_files(paths: &[PathBuf], session: &Session<'_>, outcome: &mut Outcome) {
    for path in paths {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let what = match name.as_str() {
            "plan.gpkg" => session.lang.pick("规划文件（QGIS 直接打开）", "plan file (opens in QGIS)"),
            "map.html" => session.lang.pick("地图（浏览器打开）", "map (any browser)"),
            "report.html" => session.lang.pick("覆盖分析报告（可打印 A4）", "report (prints on A4)"),
            "tables.xlsx" => session.lang.pick("表格", "tables"),
            _ => session.lang.pick("文件", "file"),
        };
        outcome.line(format!("  {what}: {}", shown(path)));
    }
    outcome.value("files", paths.iter().map(|path| shown(path)).collect::<Vec<_>>());
}

pub(super) fn describe_plan(content: &PlanFile, session: &Session<'_>, outcome: &mut Outcome) {
    let Some(plan) = &content.plan else { return };
    let lang = session.lang;
    let grids = &plan.partition.grids;
    let in_range = grids.iter().filter(|grid| grid.is_in_range()).count();
    outcome.line(format!(
        "{}: {} {}, {in_range} {}",
        content.scenario.name,
        grids.len(),
        lang.pick("个网格", "grids"),
        lang.pick("个在范围内", "in range"),
    ));
    let open = |status| plan.stations.iter().filter(|station| station.status == status).count();
    outcome.line(format!(
        "  {}: {} {}, {} {}",
        lang.pick("站点", "stations"),
        open(StationStatus::Existing),
        lang.pick("个现有", "existing"),
        open(StationStatus::Chosen),
        lang.pick("个新选", "chosen"),
    ));
    describe_coverage(&plan.coverage, lang, outcome);
    count_findings(&plan.findings, session, outcome);
    outcome.line(format!("  {}: {}", lang.pick("规划哈希", "plan hash"), plan.provenance.plan_hash));
    outcome.value("grids", grids.len());
    outcome.value("in_range", in_range);
    outcome.value("stations", plan.stations.len());
    outcome.value("findings", plan.findings.len());
    outcome.value("plan_hash", plan.provenance.plan_hash.clone());
}

fn describe_coverage(coverage: &Coverage, lang: Lang, outcome: &mut Outcome) {
    let method = coverage.headline();
    let mut shares = serde_json::Map::new();
    for band in &coverage.bands {
        let (minutes, metres) = (band.minutes, band.metres.value());
        if let Some(row) = coverage.row(CoverageScope::All, None, method, minutes) {
            let what = match (method, lang) {
                (CoverageMethod::NetworkTime, Lang::Zh) => format!("{minutes} 分钟步行覆盖"),
                (CoverageMethod::NetworkTime, Lang::En) => format!("{minutes} minutes on foot"),
                (_, Lang::Zh) => format!("{metres:.0} 米直线半径（没有道路，无法计时）"),
                (_, Lang::En) => format!("{metres:.0} m straight radius (no streets, nothing can be timed)"),
            };
            outcome.line(format!(
                "  {what}: {:.1} % ({} / {} {})",
                row.share() * 100.0,
                row.households_reached,
                row.households,
                lang.pick("户", "households")
            ));
        }
        // The column is network time whatever the headline says.
        if let Some(row) = coverage.row(CoverageScope::All, None, CoverageMethod::NetworkTime, minutes) {
            shares.insert(format!("share_{minutes}"), json!(row.share()));
        }
    }
    if !coverage.bands.is_empty() {
        if !coverage.with_terrain {
            outcome.line(format!(
                "  {}",
                lang.pick("没有地形模型：未计坡度", "no terrain model: slopes are not counted")
            ));
        }
        outcome.value("headline_method", method.as_str());
        outcome.value("with_terrain", coverage.with_terrain);
    }
    outcome.value("coverage", Value::Object(shares));
}

pub(super) fn grids(args: &StageArgs, session: &Session<'_>) -> Done {
    stage(args, session, "grids", |scenario, params, plan, session| {
        pipeline::draw_grids(scenario, params, plan, &|step, share| session.screen.step(step, share))
    })
}

pub(super) fn stations(args: &StageArgs, session: &Session<'_>) -> Done {
    stage(args, session, "stations", |scenario, params, plan, session| {
        pipeline::choose_stations(scenario, params, plan, &|step, share| session.screen.step(step, share))
    })
}

pub(super) fn coverage(args: &CoverageArgs, session: &Session<'_>) -> Done {
    if what_if::is_asked(args) {
        return what_if::answer(args, session);
    }
    stage(&args.stage, session, "coverage", |scenario, params, plan, session| {
        pipeline::measure_coverage(scenario, params, plan, &|step, share| session.screen.step(step, share))
    })
}

/// One stage on the plan file: read, run, write back.
fn stage(
    args: &StageArgs,
    session: &Session<'_>,
    verb: &'static str,
    run: impl FnOnce(&Scenario, &Params, &mut Plan, &Session<'_>) -> Result<(), pipeline::PlanError>,
) -> Done {
    let mut content = planfile::read(&args.file)?;
    let params = params(&args.params)?;
    let mut plan = content.plan.take().unwrap_or_default();
    run(&content.scenario, &params, &mut plan, session)?;
    session.stop_if_asked()?;
    content.plan = Some(plan);
    content.rules = rules();
    content.lang = session.lang;
    record(&mut content, verb);
    let output = args.output.as_ref().unwrap_or(&args.file);
    write_plan_file(output, &content)?;
    let mut outcome = Outcome::default();
    describe_plan(&content, session, &mut outcome);
    outcome.value("file", shown(output));
    let next = match verb {
        "grids" => "stations",
        "stations" => "coverage",
        _ => "report",
    };
    outcome.next(format!("gridplan {next} {}", shown(output)));
    Ok(outcome)
}

pub(super) fn redraw(args: &RedrawArgs, session: &Session<'_>) -> Done {
    if !(0.0..=1.0).contains(&args.max_moved) {
        let share = args.max_moved;
        return Err(Failure::input((
            format!("--max-moved {share}；应为 0 到 1 之间的户数比例"),
            format!("--max-moved {share}; it is a share of households from 0 to 1"),
        )));
    }
    let before = planfile::read(&args.file)?;
    let params = params(&args.params)?;
    let mut plan = before.plan.clone().unwrap_or_default();
    let redraw = RedrawParams { max_moved: args.max_moved };
    let watch = |step: Step, share: f64| session.screen.step(step, share);
    let least_moved = pipeline::redraw_grids(&before.scenario, &params, &redraw, &mut plan, &watch)?;
    if !plan.stations.is_empty() {
        pipeline::measure_coverage(&before.scenario, &params, &mut plan, &watch)?;
    }
    let mut after =
        PlanFile { scenario: before.scenario.clone(), plan: Some(plan), rules: rules(), lang: session.lang };
    record(&mut after, "redraw");
    let output = args.output.as_ref().unwrap_or(&args.file);
    write_plan_file(output, &after)?;
    let mut outcome = Outcome::default();
    describe_plan(&after, session, &mut outcome);
    describe_comparison(&before, &after, session, &mut outcome);
    if let Some(least) = least_moved {
        outcome.line(match session.lang {
            Lang::Zh => format!("  规模同样达标时，至少 {least} 户须变更网格"),
            Lang::En => format!("  no division as balanced moves fewer than {least} households"),
        });
    }
    outcome.value("least_moved", least_moved);
    outcome.value("file", shown(output));
    outcome.next(format!("gridplan compare {} {}", shown(&args.file), shown(output)));
    Ok(outcome)
}

pub(super) fn compare(args: &CompareArgs, session: &Session<'_>) -> Done {
    let before = planfile::read(&args.before)?;
    let after = planfile::read(&args.after)?;
    let mut outcome = Outcome::default();
    describe_comparison(&before, &after, session, &mut outcome);
    outcome.next(format!("gridplan report {} -o out/", shown(&args.after)));
    Ok(outcome)
}

fn describe_comparison(before: &PlanFile, after: &PlanFile, session: &Session<'_>, outcome: &mut Outcome) {
    let found =
        comparison::compare((&before.scenario, before.plan.as_ref()), (&after.scenario, after.plan.as_ref()));
    found.lines(session.lang).into_iter().for_each(|line| outcome.line(line));
    outcome.value("moved_households", found.moved_households);
    outcome.value("households", found.households);
    outcome.value("moved_share", found.moved_share());
    let moves: Vec<Value> = found
        .moves
        .iter()
        .map(|step| json!({"from": step.from, "to": step.to, "households": step.households}))
        .collect();
    outcome.value("moves", moves);
    outcome.value("retired_codes", found.retired.clone());
    outcome.value("new_codes", found.new.clone());
    let coverage: Vec<Value> = found
        .coverage
        .iter()
        .map(|change| {
            json!({"minutes": change.minutes, "won_households": change.won, "lost_households": change.lost,
                   "losers": change.losers})
        })
        .collect();
    outcome.value("coverage", coverage);
}

pub(super) fn report(args: &ReportArgs, session: &Session<'_>) -> Done {
    let content = planfile::read(&args.file)?;
    make_folder(&args.output)?;
    let mut paths = Vec::new();
    let documents = documents(&args.output, &content, session)?;
    session.stop_if_asked()?;
    for (path, bytes) in documents {
        files::replace(&path, &bytes)?;
        paths.push(path);
    }
    let mut outcome = Outcome::default();
    list_files(&paths, session, &mut outcome);
    outcome.next(format!(
        "{} {}",
        session.lang.pick("打开", "open"),
        shown(&args.output.join("report.html"))
    ));
    Ok(outcome)
}

pub(super) fn export(args: &ExportArgs, session: &Session<'_>) -> Done {
    let content = PlanFile { lang: session.lang, ..planfile::read(&args.file)? };
    let Some(plan) = &content.plan else {
        return Err(pipeline::PlanError::StageMissing { missing: "plan", verb: "plan" }.into());
    };
    make_folder(&args.output)?;
    let mut paths = Vec::new();
    for word in &args.to {
        session.stop_if_asked()?;
        session.screen.at(&format!("{} {word}", session.lang.pick("导出", "exporting")), 0.0);
        match word.as_str() {
            "gpkg" => {
                let path = args.output.join("plan.gpkg");
                write_plan_file(&path, &content)?;
                paths.push(path);
            }
            "xlsx" => {
                let path = args.output.join("tables.xlsx");
                files::replace(&path, &reports::workbook(&content.scenario, plan, session.lang)?)?;
                paths.push(path);
            }
            #[cfg(feature = "web")]
            "html" => {
                let path = args.output.join("map.html");
                files::replace(&path, exports::map_page(&content.scenario, plan, session.lang)?.as_bytes())?;
                paths.push(path);
            }
            _ => {
                let format = exports::Format::parse(word).ok_or_else(|| {
                    let known = "geojson, gpkg, kml, shp, dxf, fgb, pmtiles, xlsx, html";
                    Failure::input((
                        format!("--to {word}：未知格式；请用其中之一：{known}"),
                        format!("--to {word}: unknown format; use one of {known}"),
                    ))
                })?;
                paths.extend(exports::write(&content.scenario, plan, format, &args.output, session.lang)?);
            }
        }
    }
    let mut outcome = Outcome::default();
    list_files(&paths, session, &mut outcome);
    Ok(outcome)
}

pub(super) fn synth(args: &SynthArgs, session: &Session<'_>) -> Done {
    let scenario = invent(args.households, args.seed, session)?;
    let content = PlanFile { scenario, plan: None, rules: rules(), lang: session.lang };
    session.stop_if_asked()?;
    session.screen.at(session.lang.pick("写入", "writing"), 0.0);
    write_plan_file(&args.output, &content)?;
    let mut outcome = Outcome::default();
    describe_scenario(&content.scenario, session, &mut outcome);
    outcome.value("file", shown(&args.output));
    outcome.next(format!("gridplan plan {} -o out/", shown(&args.output)));
    Ok(outcome)
}

fn invent(households: u32, seed: u64, session: &Session<'_>) -> Result<Scenario, Failure> {
    if !(600..=20_000_000).contains(&households) {
        return Err(Failure::input((
            format!("--households {households}；请给出 600 到 20,000,000 之间的数"),
            format!("--households {households}; give a number from 600 to 20,000,000"),
        )));
    }
    let params = inventor::SynthParams { households: Households(households), seed };
    let what = session.lang.pick("生成城市", "inventing a city");
    Ok(inventor::city(&params, &mut |share| session.screen.at(what, share)))
}

pub(super) fn demo(args: &DemoArgs, session: &Session<'_>) -> Done {
    make_folder(&args.output)?;
    let scenario = invent(args.households, args.seed, session)?;
    let city = args.output.join("city.gpkg");
    write_plan_file(&city, &PlanFile { scenario, plan: None, rules: rules(), lang: session.lang })?;
    let params = ParamArgs {
        config: None,
        target: None,
        tolerance: None,
        seed: Some(args.seed),
        effort: None,
        code_scheme: None,
        object_class: None,
        profile: None,
    };
    plan(&PlanArgs { file: city, output: args.output.clone(), params }, session)
}

/// Defaults, then `gridplan.toml`, then flags.
pub(super) fn params(args: &ParamArgs) -> Result<Params, Failure> {
    let beside = PathBuf::from("gridplan.toml");
    let file = args.config.clone().or_else(|| beside.is_file().then_some(beside));
    let mut params = match &file {
        None => Params::default(),
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| {
                let path = shown(path);
                Failure::input((
                    format!("无法读取 {path}：{error}；请检查 --config"),
                    format!("cannot read {path}: {error}; check --config"),
                ))
            })?;
            Params::from_toml(&text)?
        }
    };
    params.seed = args.seed.unwrap_or(params.seed);
    params.grid.target = args.target.unwrap_or(params.grid.target);
    params.grid.tolerance = args.tolerance.unwrap_or(params.grid.tolerance);
    params.grid.effort = match args.effort {
        Some(EffortArg::Draft) => Effort::Draft,
        Some(EffortArg::Full) => Effort::Full,
        None => params.grid.effort,
    };
    if let Some(scheme) = &args.code_scheme {
        params.grid.code_scheme.clone_from(scheme);
    }
    if let Some(digits) = &args.object_class {
        params.grid.object_class.clone_from(digits);
    }
    if let Some(profile) = &args.profile {
        params.walk.profile.clone_from(profile);
    }
    params.check()?;
    Ok(params)
}

/// The rule pack that figures are printed from, as the plan file keeps it.
fn rules() -> Vec<planfile::Rule> {
    let pack = reports::RulePack::default();
    let figure = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    pack.rules
        .iter()
        .map(|rule| planfile::Rule {
            key: rule.id.clone(),
            value: match (rule.low, rule.high) {
                (Some(low), Some(high)) if low != high => format!("{low}–{high}"),
                (low, high) => figure(low.or(high)),
            },
            unit: rule.unit.map(unit_word).unwrap_or_default().to_owned(),
            source: rule.source.clone(),
            clause: rule.clause.clone(),
            status: match rule.status {
                reports::Status::Seen => "seen",
                reports::Status::Unverified => "unverified",
            }
            .to_owned(),
        })
        .collect()
}

fn unit_word(unit: reports::Unit) -> &'static str {
    match unit {
        reports::Unit::M => "m",
        reports::Unit::M2 => "m²",
        reports::Unit::Km2 => "km²",
        reports::Unit::Households => "households",
        reports::Unit::Residents => "residents",
        reports::Unit::M2Per100Households => "m² per 100 households",
        reports::Unit::Functions => "functions",
        reports::Unit::Percent => "%",
        reports::Unit::Per10000Residents => "per 10,000 residents",
    }
}

/// A line in the ledger.
fn record(content: &mut PlanFile, verb: &str) {
    let Some(plan) = &mut content.plan else { return };
    plan.ledger.push(LedgerEntry {
        who: user(),
        when: now(),
        what: format!("gridplan {verb}"),
        why: String::new(),
        basis: plan.provenance.plan_hash.clone(),
        edit: None,
        inverse: None,
    });
}

/// Who sits at this computer.
pub(super) fn user() -> String {
    std::env::var("USER").unwrap_or_else(|_| "gridplan".to_owned())
}

/// The present time, RFC 3339 in UTC.
pub(super) fn now() -> String {
    humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string()
}

pub(super) fn write_plan_file(path: &Path, content: &PlanFile) -> Result<(), Failure> {
    planfile::write(path, content)?;
    Ok(())
}

fn make_folder(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|error| {
        let folder = shown(folder);
        Failure::input((
            format!("无法创建文件夹 {folder}：{error}；请用 -o 另选"),
            format!("cannot make the folder {folder}: {error}; choose another with -o"),
        ))
    })
}

pub(super) fn shown(path: &Path) -> String {
    path.display().to_string()
}
