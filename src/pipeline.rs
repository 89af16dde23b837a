//! The main path: which stage runs when, with progress, cancellation and provenance.
//!
//! ```text
//! scenario ─ land ─ grids ─ walk network ─ stations ─ coverage ─ circles ─▶ plan
//! ```

mod cover;
mod edits;
mod grids;
mod ground;
mod halves;
mod hash;
mod present;
mod remarks;
mod stations;
#[cfg(test)]
mod tests;
mod units;

use std::ops::ControlFlow;

use crate::coverage::{self, WhatIf};
use crate::edit::EditError;
use crate::land::{self, LandError, LandInput, LandParams};
use crate::model::{BrokenRule, Plan, Provenance, Scenario, StationTier, Tell, Text};
use crate::network::{self, Snaps, StreetNetwork};
use crate::params::{Params, ParamsError};
use crate::partition::PartitionError;
use crate::siting::SitingError;

pub use edits::{EditReport, Edited, blocks, edit, remeasure, revise, undo};
pub use grids::RedrawParams;
pub use ground::Ground;

/// A step of the main path, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Divide the land.
    Land,
    /// Draw the grids.
    Grids,
    /// Build the walk network and attach doors.
    Network,
    /// Choose stations.
    Stations,
    /// Measure who is served.
    Coverage,
    /// Draw the service circles.
    Circles,
}

impl Step {
    /// All steps, in order.
    pub const ALL: [Self; 6] =
        [Self::Land, Self::Grids, Self::Network, Self::Stations, Self::Coverage, Self::Circles];
}

/// Told which step runs and how far it is, 0 to 1; `Break` stops the work with [`PlanError::Cancelled`].
pub type Watch<'a> = &'a (dyn Fn(Step, f64) -> ControlFlow<()> + Sync);

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// There is nothing to divide.
    #[error(
        "the scenario has no building inside a community; check `gridplan check` for buildings outside every community \
         and import again with `--role communities=FILE`"
    )]
    NothingToPlan,
    /// Nobody lives there.
    #[error(
        "no building has a household; import again with `--column households=NAME`, or spread a known total with \
         `--households-total N`"
    )]
    NoHouseholds,
    /// A stage before this one was not run.
    #[error(
        "the plan file has no {missing} yet; run `gridplan {verb}` first, or `gridplan plan` for everything"
    )]
    StageMissing {
        /// What is missing.
        missing: &'static str,
        /// The verb that makes it.
        verb: &'static str,
    },
    /// A station that may close or move does not stand.
    #[error(
        "`{code}` in `may_close` or `may_move` of tier {tier} is no standing station of that tier; use a code of the \
         layer `stations`, or `*` for all"
    )]
    UnknownStation {
        /// The code given.
        code: String,
        /// The tier.
        tier: String,
    },
    /// An aim of walks in too large a place.
    #[error(
        "`aim` of walks needs the walk from every building to every place: {buildings} × {places} are too many; raise \
         `siting.candidate_spacing`, lower `siting.candidate_limit`, or plan a part of the place"
    )]
    TooManyWalks {
        /// Buildings.
        buildings: usize,
        /// Places where stations could be.
        places: usize,
    },
    /// Parameters.
    #[error(transparent)]
    Params(#[from] ParamsError),
    /// Land.
    #[error(transparent)]
    Land(#[from] LandError),
    /// Grids.
    #[error(transparent)]
    Partition(#[from] PartitionError),
    /// A tier whose conditions no choice of places was found to keep.
    #[error("tier {} was asked for {}: {error}; loosen one of these, or add candidates", tier.as_str(), asked.en)]
    NoStations {
        /// The tier.
        tier: StationTier,
        /// Goal and conditions.
        asked: Text,
        /// What the engine says.
        error: SitingError,
    },
    /// Stations.
    #[error(transparent)]
    Siting(#[from] SitingError),
    /// An edit.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// A rule that our own code broke.
    #[error(transparent)]
    Broken(#[from] BrokenRule),
    /// Stopped on request.
    #[error("stopped on request; nothing was written")]
    Cancelled,
}

impl Tell for PlanError {
    fn chinese(&self) -> String {
        match self {
            Self::NothingToPlan => "没有任何建筑位于社区之内；请用 `gridplan check` 查看社区之外的建筑，\
                                    并用 `--role communities=文件` 重新导入"
                .to_owned(),
            Self::NoHouseholds => "没有一栋建筑有户数；请用 `--column households=列名` 重新导入，\
                                   或用 `--households-total N` 分摊已知的总户数"
                .to_owned(),
            Self::StageMissing { missing, verb } => {
                let what = match *missing {
                    "grids" => "网格",
                    "stations" => "站点",
                    "plan" => "规划",
                    other => other,
                };
                format!("规划文件中还没有{what}；请先运行 `gridplan {verb}`，或用 `gridplan plan` 完成全部")
            }
            Self::UnknownStation { code, tier } => format!(
                "层级 {tier} 的 may_close 或 may_move 中的“{code}”不是该层级的现有站点；请用图层 stations 中的编号，或用 `*` 表示全部"
            ),
            Self::TooManyWalks { buildings, places } => format!(
                "以步行为目标（aim）需要每栋建筑到每处备选的步行时间：{buildings} × {places} 过多；请增大 siting.candidate_spacing、\
                 减小 siting.candidate_limit，或分片规划"
            ),
            Self::Params(error) => error.chinese(),
            Self::NoStations { tier, asked, .. } => format!(
                "{}没有找到满足全部要求的选址，要求：{}；请放宽其中一项，或增加备选用房",
                tier.chinese(),
                asked.zh
            ),
            // What the engines say is about their own inputs and names no file of the user.
            Self::Land(error) => error.to_string(),
            Self::Partition(error) => error.to_string(),
            Self::Siting(error) => error.to_string(),
            Self::Broken(rule) => {
                format!("规则“{}”被破坏：{}；请连同输入文件一起报告，这不是数据的问题", rule.rule, rule.what)
            }
            Self::Edit(error) => error.chinese(),
            Self::Cancelled => "已按要求停止；没有写入任何文件".to_owned(),
        }
    }
}

/// Plans a scenario: the whole main path.
///
/// Same scenario, parameters and seed give the same plan on any number of threads; the caller's rayon pool is used.
/// Cost: dominated by the land (about 0.1 s per 1,000 footprints on two cores) and by `grid.effort`.
///
/// # Errors
/// [`PlanError`]: nothing to plan, parameters out of range, or stopped on request.
pub fn plan(scenario: &Scenario, params: &Params, watch: Watch<'_>) -> Result<Plan, PlanError> {
    let mut plan = Plan::default();
    draw_grids(scenario, params, &mut plan, watch)?;
    let (network, doors) = walk_network(scenario, params, watch)?;
    choose_on(scenario, &network, &doors, params, &mut plan, watch)?;
    measure_on(scenario, &network, &doors, params, &mut plan, watch)?;
    Ok(plan)
}

/// Divides every community into grids: land, then partition. Replaces the plan's grids and what rests on them.
///
/// # Errors
/// As [`plan`].
pub fn draw_grids(
    scenario: &Scenario,
    params: &Params,
    plan: &mut Plan,
    watch: Watch<'_>,
) -> Result<(), PlanError> {
    draw(scenario, params, None, plan, watch)?;
    Ok(())
}

/// Divides again with as few households moved as possible: grids follow the present ones, locked ones stay. Returns a
/// number of households: no division as balanced moves fewer; `None` where nothing is known.
///
/// # Errors
/// As [`plan`].
pub fn redraw_grids(
    scenario: &Scenario,
    params: &Params,
    redraw: &RedrawParams,
    plan: &mut Plan,
    watch: Watch<'_>,
) -> Result<Option<u64>, PlanError> {
    draw(scenario, params, Some(redraw), plan, watch)
}

fn draw(
    scenario: &Scenario,
    params: &Params,
    redraw: Option<&RedrawParams>,
    plan: &mut Plan,
    watch: Watch<'_>,
) -> Result<Option<u64>, PlanError> {
    params.check()?;
    check_scenario(scenario)?;
    grids::coding(scenario, params)?;
    report(watch, Step::Land, 0.0)?;
    let input = LandInput::from_scenario(scenario);
    let land = land::divide(&input, &LandParams::default())?;
    report(watch, Step::Grids, 0.0)?;
    let least_moved = grids::draw(scenario, &land, &input.names, params, redraw, plan, watch)?;
    plan.partition.check(scenario)?;
    report(watch, Step::Grids, 1.0)?;
    seal(scenario, params, plan);
    Ok(least_moved)
}

/// Chooses stations tier by tier. Replaces the plan's stations and what rests on them.
///
/// # Errors
/// As [`plan`].
pub fn choose_stations(
    scenario: &Scenario,
    params: &Params,
    plan: &mut Plan,
    watch: Watch<'_>,
) -> Result<(), PlanError> {
    let (network, doors) = walk_network(scenario, params, watch)?;
    choose_on(scenario, &network, &doors, params, plan, watch)
}

/// The streets on foot and the buildings' doors on them: what stations and coverage share.
fn walk_network(
    scenario: &Scenario,
    params: &Params,
    watch: Watch<'_>,
) -> Result<(StreetNetwork, Snaps), PlanError> {
    params.check()?;
    report(watch, Step::Network, 0.0)?;
    let network = network::build(scenario, &params.walk_rules()?);
    let doors = network.snap_atoms(&scenario.atoms);
    report(watch, Step::Network, 1.0)?;
    Ok((network, doors))
}

fn choose_on(
    scenario: &Scenario,
    network: &StreetNetwork,
    doors: &Snaps,
    params: &Params,
    plan: &mut Plan,
    watch: Watch<'_>,
) -> Result<(), PlanError> {
    report(watch, Step::Stations, 0.0)?;
    stations::choose(scenario, network, doors, params, plan, watch)?;
    report(watch, Step::Stations, 1.0)?;
    seal(scenario, params, plan);
    Ok(())
}

/// Measures who is served by the plan's stations, and draws the circles.
///
/// # Errors
/// [`PlanError::StageMissing`] without grids; otherwise as [`plan`].
pub fn measure_coverage(
    scenario: &Scenario,
    params: &Params,
    plan: &mut Plan,
    watch: Watch<'_>,
) -> Result<(), PlanError> {
    if plan.partition.grids.is_empty() {
        return Err(PlanError::StageMissing { missing: "grids", verb: "grids" });
    }
    let (network, doors) = walk_network(scenario, params, watch)?;
    measure_on(scenario, &network, &doors, params, plan, watch)
}

/// Prepares questions about the plan's stations of a tier (`None`: of every tier): what if one opened, moved
/// or closed? Asking is then a matter of milliseconds.
///
/// # Errors
/// Parameters out of range.
pub fn what_if(
    scenario: &Scenario,
    params: &Params,
    plan: &Plan,
    tier: Option<StationTier>,
) -> Result<WhatIf, PlanError> {
    params.check()?;
    cover::what_if(scenario, params, plan, tier)
}

fn measure_on(
    scenario: &Scenario,
    network: &StreetNetwork,
    doors: &Snaps,
    params: &Params,
    plan: &mut Plan,
    watch: Watch<'_>,
) -> Result<(), PlanError> {
    report(watch, Step::Coverage, 0.0)?;
    cover::measure(scenario, network, doors, params, plan)?;
    report(watch, Step::Circles, 0.0)?;
    let (bands, direction) = (params.walk_bands(), params.walk_direction()?);
    plan.circles = coverage::circles(network, &plan.stations, &bands, direction);
    plan.service_areas = coverage::service_areas(network, &plan.stations, &bands, direction);
    report(watch, Step::Circles, 1.0)?;
    seal(scenario, params, plan);
    Ok(())
}

/// How the plan came about, with its hash.
fn seal(scenario: &Scenario, params: &Params, plan: &mut Plan) {
    plan.provenance = Provenance {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        seed: params.seed,
        params: params.to_toml(),
        input_hash: hash::of_scenario(scenario),
        plan_hash: hash::of_plan(plan),
    };
}

fn check_scenario(scenario: &Scenario) -> Result<(), PlanError> {
    scenario.check()?;
    let inside = || scenario.atoms.iter().filter(|atom| atom.community.is_some());
    if inside().next().is_none() {
        return Err(PlanError::NothingToPlan);
    }
    if inside().all(|atom| atom.households.0 == 0) {
        return Err(PlanError::NoHouseholds);
    }
    Ok(())
}

fn report(watch: Watch<'_>, step: Step, share: f64) -> Result<(), PlanError> {
    match watch(step, share) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(PlanError::Cancelled),
    }
}
