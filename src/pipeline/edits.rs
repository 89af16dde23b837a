//! Edits and what follows from them: outlines, counts, findings, coverage, the plan hash.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::ground::{Drawn, Ground, grids_of};
use super::{PlanError, Step, Watch, cover, halves, report, seal, walk_network};
use crate::coverage;
use crate::edit::{self, Applied, EditError, Entry, Sizes, Stamp, Tools, Touched, is_by_hand};
use crate::geometry::interior_point;
use crate::model::{CommunityId, Finding, FindingKind, GridClass, GridId, Plan, Scenario, Severity, Text};
use crate::params::Params;

/// What edits came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EditReport {
    /// The edits, in order.
    pub applied: Vec<Applied>,
    /// Grids that they concerned, as they are now, in order.
    pub grids: Vec<Edited>,
    /// What to look at in those grids' communities: grids out of range or in pieces by hand.
    pub warnings: Vec<Finding>,
    /// What must be measured again.
    pub touched: Touched,
}

/// A grid that edits concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    /// Code.
    pub code: String,
    /// Households before; `None` if it is new.
    pub before: Option<u32>,
    /// Households now; `None` if it is retired.
    pub now: Option<u32>,
}

/// Applies edits to a plan and measures again what they changed: outlines exactly from the plots, counts, deviations,
/// coverage, findings, plan hash. Parameters are those that the plan was made with.
///
/// One call with many edits gives the same plan as one call per edit. `ground` is made when it is first needed.
/// If an edit cannot be applied, none is.
///
/// Cost: as [`revise`] and [`remeasure`].
///
/// # Errors
/// [`PlanError::Edit`] with the line of an edit that cannot be applied; [`PlanError::StageMissing`] without grids;
/// [`PlanError::Cancelled`], and then the plan is half measured and must be dropped.
pub fn edit(
    scenario: &mut Scenario,
    plan: &mut Plan,
    ground: &mut Option<Ground>,
    entries: &[Entry],
    watch: Watch<'_>,
) -> Result<EditReport, PlanError> {
    let report = revise(scenario, plan, ground, entries, watch)?;
    remeasure(scenario, plan, &report.touched, watch)?;
    Ok(report)
}

/// The quick part of [`edit`](fn@edit): grids, counts, outlines and findings about them. Coverage, circles and the plan hash are
/// those of before until [`remeasure`] is called with all that was touched; a map editor does that when it saves.
///
/// Cost: the land once (see [`Ground::of`]), then O(n) in the units, O(n log n) in those of the communities concerned.
///
/// # Errors
/// As [`edit`](fn@edit).
pub fn revise(
    scenario: &mut Scenario,
    plan: &mut Plan,
    ground: &mut Option<Ground>,
    entries: &[Entry],
    watch: Watch<'_>,
) -> Result<EditReport, PlanError> {
    if plan.partition.grids.is_empty() {
        return Err(PlanError::StageMissing { missing: "grids", verb: "grids" });
    }
    let params = Params::from_toml(&plan.provenance.params)?;
    // The engine and the outlines need the land, and it must be there before anything is changed.
    if ground.is_none() && entries.iter().any(needs_land) {
        report(watch, Step::Land, 0.0)?;
        *ground = Some(Ground::of(scenario)?);
    }
    let before: Vec<(String, u32)> =
        plan.partition.grids.iter().map(|grid| (grid.code.clone(), grid.households.0)).collect();
    let mut no_ground =
        |_: &Scenario, _: &Plan, _: GridId| Err(("其土地未曾划分", "its land was not divided").into());
    let mut with_ground;
    let halve: edit::Halve<'_> = match ground.as_ref() {
        None => &mut no_ground,
        Some(ground) => {
            with_ground =
                |scenario: &Scenario, plan: &Plan, id| halves::halve(scenario, plan, ground, &params, id);
            &mut with_ground
        }
    };
    let applied = edit::apply(scenario, plan, &mut Tools { sizes: sizes(&params), halve }, entries)?;
    let mut touched = Touched::default();
    applied.iter().for_each(|one| touched.merge(one.touched.clone()));
    if !touched.communities.is_empty() {
        report(watch, Step::Grids, 0.5)?;
        redraw(scenario, plan, made(scenario, ground)?, &touched.communities)?;
    }
    plan.partition.check(scenario)?;
    let warnings = plan.findings.iter().filter(|finding| {
        is_by_hand(finding) && finding.community.is_some_and(|id| touched.communities.contains(&id))
    });
    let warnings = warnings.cloned().collect();
    Ok(EditReport { warnings, grids: concerned(plan, &before, &touched), applied, touched })
}

/// Takes back the last `n` edits that stand, and measures again as [`edit`](fn@edit) does.
///
/// # Errors
/// [`PlanError::Edit`] if fewer stand, or the plan was made anew since.
pub fn undo(
    scenario: &mut Scenario,
    plan: &mut Plan,
    ground: &mut Option<Ground>,
    n: usize,
    stamp: &Stamp,
    watch: Watch<'_>,
) -> Result<EditReport, PlanError> {
    let entries =
        edit::take_back(&plan.ledger, n, stamp).map_err(|problem| EditError { line: 0, problem })?;
    edit(scenario, plan, ground, &entries, watch)
}

/// Edits of names, notes, locks, stations and premises leave the land alone.
fn needs_land(entry: &Entry) -> bool {
    use edit::Edit;
    !matches!(
        entry.edit,
        Edit::Lock { .. }
            | Edit::Rename { .. }
            | Edit::Note { .. }
            | Edit::AddStation(_)
            | Edit::MoveStation { .. }
            | Edit::CloseStation { .. }
            | Edit::ReopenStation { .. }
            | Edit::AddPremise(_)
    )
}

fn sizes(params: &Params) -> Sizes {
    Sizes {
        urban: params.grid_size(GridClass::Urban),
        resettlement: params.grid_size(GridClass::Resettlement),
        rural: params.grid_size(GridClass::Rural),
        weights: params.load_weights(),
    }
}

fn concerned(plan: &Plan, before: &[(String, u32)], touched: &Touched) -> Vec<Edited> {
    let was = |code: &str| before.iter().find(|(other, _)| other == code).map(|(_, n)| *n);
    let is = |code: &str| {
        let found = plan.partition.grids.iter().find(|grid| grid.code == code);
        found.map(|grid| grid.households.0)
    };
    let all =
        touched.grids.iter().map(|code| Edited { code: code.clone(), before: was(code), now: is(code) });
    // A grid that was made and retired within one file of edits is nobody's concern.
    all.filter(|grid| grid.before.is_some() || grid.now.is_some()).collect()
}

/// The divided land, made when it is first asked for.
fn made<'g>(scenario: &Scenario, ground: &'g mut Option<Ground>) -> Result<&'g Ground, PlanError> {
    match ground {
        Some(ground) => Ok(ground),
        None => Ok(ground.insert(Ground::of(scenario)?)),
    }
}

/// The slow part of [`edit`](fn@edit): coverage and circles, where what was touched changes them, and the plan hash.
///
/// Cost: as `measure_coverage`.
///
/// # Errors
/// [`PlanError::Cancelled`], and then the plan is half measured and must be dropped.
pub fn remeasure(
    scenario: &Scenario,
    plan: &mut Plan,
    touched: &Touched,
    watch: Watch<'_>,
) -> Result<(), PlanError> {
    let params = Params::from_toml(&plan.provenance.params)?;
    let is_measured = !plan.coverage.bands.is_empty();
    // Findings of the coverage stand behind those of the grids, so whatever moves the one measures the other.
    if is_measured && (touched.households || touched.stations || !touched.communities.is_empty()) {
        let (network, doors) = walk_network(scenario, &params, watch)?;
        report(watch, Step::Coverage, 0.0)?;
        cover::measure(scenario, &network, &doors, &params, plan)?;
        if touched.stations {
            report(watch, Step::Circles, 0.0)?;
            let (bands, direction) = (params.walk_bands(), params.walk_direction()?);
            plan.circles = coverage::circles(&network, &plan.stations, &bands, direction);
            plan.service_areas = coverage::service_areas(&network, &plan.stations, &bands, direction);
        }
    }
    seal(scenario, &params, plan);
    Ok(())
}

/// Draws the touched communities again.
fn redraw(
    scenario: &Scenario,
    plan: &mut Plan,
    ground: &Ground,
    communities: &BTreeSet<CommunityId>,
) -> Result<(), PlanError> {
    let list: Vec<CommunityId> = communities.iter().copied().collect();
    let partition = &plan.partition;
    let drawn: Vec<Option<Drawn>> = list
        .par_iter()
        .map(|&community| ground.draw(scenario, partition, community))
        .collect::<Result<_, _>>()?;
    let is_touched =
        |finding: &Finding| finding.community.is_some_and(|community| communities.contains(&community));
    let mut by_hand: Vec<Finding> = Vec::new();
    plan.findings.retain(|finding| {
        let stays = !is_by_hand(finding);
        if !stays && !is_touched(finding) {
            by_hand.push(finding.clone());
        }
        stays
    });
    for (community, drawn) in list.iter().zip(drawn) {
        let Some(drawn) = drawn else { continue };
        let grids = &mut plan.partition.grids;
        for ((id, outline), bounds) in drawn.grids.iter().zip(&drawn.outlines).zip(&drawn.bounds) {
            grids[id.index()].outline.clone_from(outline);
            grids[id.index()].bounds_text.clone_from(bounds);
        }
        if let Some(quality) = plan.partition.quality.iter_mut().find(|one| one.community == *community) {
            // The engine's own figures have a bound; they come back when the last edit is taken back.
            if quality.cut_cost_bound.is_some() {
                continue;
            }
            quality.cut_cost = drawn.cut_cost;
            let out = drawn.grids.iter().filter(|id| !plan.partition.grids[id.index()].is_in_range());
            quality.n_out_of_range = out.count() as u32;
        }
        by_hand.extend(remarks(scenario, plan, &drawn));
    }
    by_hand.sort_by_key(|finding| (finding.grid, finding.kind));
    plan.findings.extend(by_hand);
    give_reasons(plan, communities);
    Ok(())
}

/// A grid out of range carries the first thing that was found about it.
fn give_reasons(plan: &mut Plan, communities: &BTreeSet<CommunityId>) {
    for (index, grid) in plan.partition.grids.iter_mut().enumerate() {
        if !communities.contains(&grid.community) {
            continue;
        }
        let id = Some(GridId::from_index(index));
        let found = plan.findings.iter().find(|finding| finding.layer == "grids" && finding.grid == id);
        grid.reason = if grid.is_in_range() { None } else { found.map(|finding| finding.message.clone()) };
    }
}

/// What is odd about the grids of a community that was edited, where the drawing did not say it already.
fn remarks(scenario: &Scenario, plan: &Plan, drawn: &Drawn) -> Vec<Finding> {
    let mut found = Vec::new();
    for (place, &id) in drawn.grids.iter().enumerate() {
        let grid = &plan.partition.grids[id.index()];
        let told = |is_kind: &dyn Fn(FindingKind) -> bool| {
            plan.findings.iter().any(|finding| finding.grid == Some(id) && is_kind(finding.kind))
        };
        let mut say = |kind, message: Text| {
            let finding = Finding::new(Severity::Warning, kind, "grids", message, edit::BY_HAND);
            let at = interior_point(&grid.outline);
            found.push(finding.about(grid.code.clone()).in_grid(id).in_community(grid.community).at(at));
        };
        let is_size = |kind| matches!(kind, FindingKind::GridOutOfRange | FindingKind::LargeAtom);
        if let (false, Some(size), false) = (grid.is_in_range(), grid.size, told(&is_size)) {
            let (code, n, low, high) = (&grid.code, grid.households, size.low, size.high);
            say(
                FindingKind::GridOutOfRange,
                Text::from((
                    format!("网格 {code} 经人工调整后有 {n} 户，不在 {low}–{high} 户之内"),
                    format!("grid {code} has {n} households after an edit, outside {low} to {high}"),
                )),
            );
        }
        let pieces = &drawn.pieces[place];
        if 1 < pieces.len() && !told(&|kind| kind == FindingKind::DisconnectedGrid) {
            say(FindingKind::DisconnectedGrid, in_pieces(scenario, drawn, place, &grid.code));
        }
    }
    found
}

/// Units named in a message; more are counted only.
const NAMED: usize = 5;

fn in_pieces(scenario: &Scenario, drawn: &Drawn, place: usize, code: &str) -> Text {
    let pieces = &drawn.pieces[place];
    let loose: Vec<&str> = pieces[1..]
        .iter()
        .flat_map(|piece| &piece.atoms)
        .map(|id| scenario.atoms[id.index()].source.0.as_str())
        .collect();
    let more = if NAMED < loose.len() { "…" } else { "" };
    let (n, loose) = (pieces.len(), &loose[..loose.len().min(NAMED)]);
    Text::from((
        format!("网格 {code} 分成 {n} 块：{}{more} 与其余部分不相连", loose.join("、")),
        format!("grid {code} lies in {n} pieces: {}{more} do not touch the rest", loose.join(", ")),
    ))
}

/// What stands against handing the plan over: grids in pieces that could hang together. A locked grid is taken as it is.
///
/// # Errors
/// [`PlanError::Land`] if the land cannot be divided; [`PlanError::Broken`] if a rule of a valid partition is broken.
pub fn blocks(
    scenario: &Scenario,
    plan: &Plan,
    ground: &mut Option<Ground>,
) -> Result<Vec<Finding>, PlanError> {
    if plan.partition.grids.is_empty() {
        return Err(PlanError::StageMissing { missing: "grids", verb: "grids" });
    }
    plan.partition.check(scenario)?;
    let ground = made(scenario, ground)?;
    let all = (0..scenario.communities.len()).map(CommunityId::from_index);
    let with_grids: Vec<CommunityId> =
        all.filter(|&community| !grids_of(&plan.partition, community).is_empty()).collect();
    let drawn: Vec<Option<Drawn>> = with_grids
        .par_iter()
        .map(|&community| ground.draw(scenario, &plan.partition, community))
        .collect::<Result<_, _>>()?;
    let mut found = Vec::new();
    for drawn in drawn.iter().flatten() {
        for (place, &id) in drawn.grids.iter().enumerate() {
            let grid = &plan.partition.grids[id.index()];
            let mut parts: Vec<usize> = drawn.pieces[place].iter().map(|piece| piece.part).collect();
            parts.sort_unstable();
            // What the drawing itself could not avoid passes; an edit of the grid takes that finding away.
            let is_drawn_so = plan.findings.iter().any(|finding| {
                finding.grid == Some(id)
                    && finding.kind == FindingKind::DisconnectedGrid
                    && !is_by_hand(finding)
            });
            if grid.locked || is_drawn_so || parts.windows(2).all(|pair| pair[0] != pair[1]) {
                continue;
            }
            let message = in_pieces(scenario, drawn, place, &grid.code);
            let finding = Finding::new(
                Severity::Error,
                FindingKind::DisconnectedGrid,
                "grids",
                message,
                (
                    "把孤立部分移到相邻网格，或锁定该网格表示认可",
                    "move the loose part to a neighboring grid, or lock the grid to accept it",
                ),
            );
            let at = interior_point(&grid.outline);
            found.push(finding.about(grid.code.clone()).in_grid(id).in_community(grid.community).at(at));
        }
    }
    Ok(found)
}
