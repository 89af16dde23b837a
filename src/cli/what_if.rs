//! `coverage --open --move --close`: who would win and who would lose.

use geo::Coord;
use serde_json::{Value, json};

use super::Session;
use super::args::CoverageArgs;
use super::outcome::{Failure, Outcome};
use super::verbs::params;
use crate::coverage::{StationChange, WhatIfAnswer};
use crate::model::{Plan, Scenario, StationId, StationTier, Tell};
use crate::params::{Params, WalkParams};
use crate::planfile::{self, PlanFile};
use crate::{pipeline, units::Seconds};

/// Buildings listed for people; `--json` lists all.
const LISTED: usize = 20;

/// Whether a question is asked at all.
pub(super) fn is_asked(args: &CoverageArgs) -> bool {
    !(args.open.is_empty() && args.moves.is_empty() && args.close.is_empty())
}

/// Answers without writing anything.
pub(super) fn answer(args: &CoverageArgs, session: &Session<'_>) -> Result<Outcome, Failure> {
    let content = planfile::read(&args.stage.file)?;
    let Some(plan) = content.plan.as_ref().filter(|plan| !plan.stations.is_empty()) else {
        return Err(pipeline::PlanError::StageMissing { missing: "stations", verb: "stations" }.into());
    };
    let tier = args.tier.as_ref().map(|word| {
        StationTier::parse(word).ok_or_else(|| {
            Failure::input((
                format!("--tier {word}：没有这个层级；请用 city、regional、community、compound 或 corner"),
                format!("--tier {word}; use city, regional, community, compound or corner"),
            ))
        })
    });
    let changes = changes(args, &content.scenario, plan)?;
    let question = pipeline::what_if(&content.scenario, &plan_params(args, plan)?, plan, tier.transpose()?)?;
    let answer =
        question.ask(&changes).map_err(|error| Failure::input((error.chinese(), error.to_string())))?;
    let mut outcome = Outcome::default();
    describe(&content, plan, &answer, session, &mut outcome);
    Ok(outcome)
}

/// The parameters that the plan was made with, unless others are given.
fn plan_params(args: &CoverageArgs, plan: &Plan) -> Result<Params, Failure> {
    let given = params(&args.stage.params)?;
    let Ok(own) = Params::from_toml(&plan.provenance.params) else { return Ok(given) };
    let keeps = args.stage.params.config.is_none();
    let profile = args.stage.params.profile.clone().unwrap_or_else(|| own.walk.profile.clone());
    let walk = WalkParams { profile, ..own.walk.clone() };
    Ok(if keeps { Params { walk, ..own } } else { given })
}

fn changes(args: &CoverageArgs, scenario: &Scenario, plan: &Plan) -> Result<Vec<StationChange>, Failure> {
    let station = |code: &str| {
        let row = plan.stations.iter().position(|station| station.code == code);
        row.map(StationId::from_index).ok_or_else(|| {
            Failure::input((
                format!("没有站点 `{code}`；图层 stations 列有编号"),
                format!("there is no station `{code}`; the layer `stations` lists the codes"),
            ))
        })
    };
    let mut changes = Vec::new();
    for code in &args.close {
        changes.push(StationChange::Close { station: station(code)? });
    }
    for (code, to) in &args.moves {
        changes.push(StationChange::Move { station: station(code)?, to: place(to, scenario)? });
    }
    for at in &args.open {
        changes.push(StationChange::Open { at: place(at, scenario)? });
    }
    Ok(changes)
}

/// A premise, a longitude and latitude, or metres on the plane.
fn place(text: &str, scenario: &Scenario) -> Result<Coord<f64>, Failure> {
    if let Some(premise) = scenario.premises.iter().find(|premise| premise.source.0 == text) {
        return Ok(premise.at);
    }
    let number = |part: &str| part.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    let pair = text.split_once(',').and_then(|(x, y)| Some(Coord { x: number(x)?, y: number(y)? }));
    let unknown = || {
        Failure::input((
            format!("`{text}` 不是位置；请给出以米为单位的 X,Y、经度,纬度，或备选用房的 id"),
            format!("`{text}` is no place; give X,Y in metres, longitude,latitude, or the id of a premise"),
        ))
    };
    let at = pair.ok_or_else(unknown)?;
    if at.x.abs() <= 180.0 && at.y.abs() <= 90.0 {
        return scenario.plane.to_plane(at).map_err(|error| {
            let chinese = format!("`{text}` 超出本平面可及的经纬度；请给出规划范围附近的位置");
            Failure::input((chinese, format!("{error}; give a place near the area under plan")))
        });
    }
    Ok(at)
}

fn describe(
    content: &PlanFile,
    plan: &Plan,
    answer: &WhatIfAnswer,
    session: &Session<'_>,
    outcome: &mut Outcome,
) {
    let lang = session.lang;
    for band in &answer.bands {
        outcome.line(format!(
            "{} {}: {} → {} {} (+{} / −{})",
            band.minutes,
            lang.pick("分钟覆盖", "minutes"),
            band.before,
            band.after(),
            lang.pick("户", "households"),
            band.won,
            band.lost
        ));
    }
    let minutes =
        |walk: Option<Seconds>| walk.map_or("-".to_owned(), |walk| format!("{:.2}", walk.minutes()));
    outcome.line(format!(
        "{}: {} → {} {}",
        lang.pick("平均步行", "mean walk"),
        minutes(answer.mean_walk.0),
        minutes(answer.mean_walk.1),
        lang.pick("分钟", "min")
    ));
    outcome.line(format!(
        "{} {} / {} {}",
        lang.pick("变近户数", "households with a shorter walk"),
        answer.households_shorter,
        lang.pick("变远户数", "with a longer one"),
        answer.households_longer
    ));
    if !answer.with_terrain {
        outcome
            .line(lang.pick("没有地形模型：未计坡度", "no terrain model: slopes are not counted").to_owned());
    }
    if !answer.unreachable.is_empty() {
        let words = lang.pick(
            "个新站点门口接不上道路，无人可达",
            "of the new doors are on no street, so nobody walks there",
        );
        outcome.line(format!("{} {words}", answer.unreachable.len()));
    }
    list_buildings(content, plan, answer, session, outcome);
    let bands: Vec<Value> = answer
        .bands
        .iter()
        .map(|band| {
            json!({"minutes": band.minutes, "households_before": band.before.0, "households_after": band.after().0,
                   "households_won": band.won.0, "households_lost": band.lost.0,
                   "residents_won": band.residents_won.0, "residents_lost": band.residents_lost.0})
        })
        .collect();
    outcome.value("bands", bands);
    outcome.value(
        "mean_walk_s",
        json!([answer.mean_walk.0.map(Seconds::value), answer.mean_walk.1.map(Seconds::value)]),
    );
    outcome.value("households_shorter", answer.households_shorter.0);
    outcome.value("households_longer", answer.households_longer.0);
    outcome.value("with_terrain", answer.with_terrain);
}

/// The buildings whose walk changes, most households first.
fn list_buildings(
    content: &PlanFile,
    plan: &Plan,
    answer: &WhatIfAnswer,
    session: &Session<'_>,
    outcome: &mut Outcome,
) {
    let lang = session.lang;
    let name = |station: StationId| {
        let new = lang.pick("新站", "new");
        plan.stations.get(station.index()).map_or_else(
            || format!("{new} {}", station.index() - plan.stations.len() + 1),
            |station| station.code.clone(),
        )
    };
    let mut walks: Vec<_> = answer.walks.iter().collect();
    walks.sort_by_key(|walk| {
        (std::cmp::Reverse(content.scenario.atoms[walk.atom.index()].households), walk.atom)
    });
    let minutes = |walk: Option<(StationId, Seconds)>| {
        walk.map_or("-".to_owned(), |(station, walk)| format!("{:.1} ({})", walk.minutes(), name(station)))
    };
    for walk in walks.iter().take(LISTED) {
        let atom = &content.scenario.atoms[walk.atom.index()];
        outcome.line(format!(
            "  {} ({} {}): {} → {}",
            atom.source,
            atom.households,
            lang.pick("户", "households"),
            minutes(walk.before),
            minutes(walk.after)
        ));
    }
    if LISTED < walks.len() {
        let words = lang.pick("栋更多（--json 列出全部）", "more (--json lists all)");
        outcome.line(format!("  … {} {words}", walks.len() - LISTED));
    }
    let json_walk = |walk: Option<(StationId, Seconds)>| {
        walk.map(|(station, walk)| json!({"station": name(station), "walk_s": walk.value()}))
    };
    let list: Vec<Value> = walks
        .iter()
        .map(|walk| {
            let atom = &content.scenario.atoms[walk.atom.index()];
            json!({"building": atom.source.0, "households": atom.households.0,
                   "before": json_walk(walk.before), "after": json_walk(walk.after)})
        })
        .collect();
    outcome.value("buildings", list);
}
