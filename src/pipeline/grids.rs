//! Land and labels → grids: the partition, codes in order, outlines.

use std::collections::{BTreeMap, HashMap};

use geo::{Area, Coord, MultiPolygon};
use rayon::prelude::*;

use super::present::{Coding, Present};
use super::units::{Units, units};
use super::{PlanError, Step, Watch, remarks};
use crate::geometry::interior_point;
use crate::land::Land;
use crate::model::{
    Atom, AtomId, CodeBook, CodeScheme, Community, CommunityId, CommunityQuality, Finding, FindingKind, Grid,
    GridClass, GridId, Lang, Partition, Plan, Scenario, Severity, Text, numbering_order, usual_grid_name,
};
use crate::params::{Effort, Params, ParamsError};
use crate::partition::{self, PartitionAnswer, PartitionError, PartitionParams, PartitionProblem};
use crate::units::{Households, Residents};

/// How a redraw treats the present grids.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RedrawParams {
    /// Largest share of the load that may change grid, 0 to 1; 1 sets no limit. Where what always holds, such as whole
    /// compounds, moves more, the plan carries a finding.
    pub max_moved: f64,
}

pub(super) fn draw(
    scenario: &Scenario,
    land: &Land,
    names: &[String],
    params: &Params,
    redraw: Option<&RedrawParams>,
    plan: &mut Plan,
    watch: Watch<'_>,
) -> Result<Option<u64>, PlanError> {
    let units = units(scenario, land);
    let present = Present::of(scenario, &plan.partition, redraw.is_some(), coding(scenario, params)?);
    let answer = divide(scenario, &units, &present, params, redraw, watch)?;
    let labels = all_labels(land, &units, &answer);
    let shapes = shapes(land, names, &units, &answer, &labels)?;
    let (partition, findings) = assemble(scenario, params, &units, &present, &answer, &shapes, redraw);
    let old = std::mem::take(plan);
    *plan = Plan { partition, findings, ledger: old.ledger, ..Plan::default() };
    if redraw.is_some() {
        // Other borders close no station.
        (plan.stations, plan.tiers) = (old.stations, old.tiers);
    }
    plan.findings.extend(overflowing_codes(scenario, &present.coding.scheme, &plan.partition.grids));
    plan.findings.extend(remarks::land_findings(scenario, land));
    Ok(answer.least_moved)
}

fn divide(
    scenario: &Scenario,
    units: &Units,
    present: &Present,
    params: &Params,
    redraw: Option<&RedrawParams>,
    watch: Watch<'_>,
) -> Result<PartitionAnswer, PlanError> {
    let rows = &units.leader;
    let atom = |unit: usize| units.atom[unit].map(|id| &scenario.atoms[id.index()]);
    let community_of_unit: Vec<u32> = (0..units.first.len() - 1)
        .flat_map(|c| std::iter::repeat_n(c as u32, units.first[c + 1] - units.first[c]))
        .collect();
    let community: Vec<u32> = rows.iter().map(|&unit| community_of_unit[unit]).collect();
    let load = |unit: usize| {
        atom(unit).map_or(0, |atom| params.load_weights().load(atom.households, atom.other_loads))
    };
    let households: Vec<u32> = rows.iter().map(|&unit| load(unit)).collect();
    let compound = compounds(scenario, rows.iter().map(|&unit| atom(unit)));
    let class: Vec<u8> = community
        .iter()
        .map(|&c| match scenario.communities[c as usize].class {
            GridClass::Urban | GridClass::Exclusive => 0,
            GridClass::Resettlement => 1,
            GridClass::Rural => 2,
        })
        .collect();
    let exclusive: Vec<bool> =
        rows.iter().map(|&unit| atom(unit).is_some_and(|atom| atom.exclusive)).collect();
    let of_atom = |unit: usize| units.atom[unit].map(AtomId::index);
    let locked: Vec<bool> =
        rows.iter().map(|&unit| of_atom(unit).is_some_and(|i| present.locked[i])).collect();
    let current: Vec<i32> = rows
        .iter()
        .zip(&locked)
        .map(|(&unit, &locked)| {
            let grid = of_atom(unit).filter(|_| locked || present.follow).and_then(|i| present.grid_of[i]);
            grid.map_or(-1, |grid| grid as i32)
        })
        .collect();
    let has_current = current.iter().any(|&grid| 0 <= grid);
    let exact_k = exact_numbers(scenario, params);
    let problem = PartitionProblem {
        households: &households,
        edge_from: &units.edges.from,
        edge_to: &units.edges.to,
        edge_length: &units.edges.length,
        edge_cost: Some(&units.edges.cost),
        community: Some(&community),
        compound: Some(&compound),
        class: Some(&class),
        exclusive: Some(&exclusive),
        current: has_current.then_some(&current[..]),
        locked: (has_current && locked.iter().any(|&locked| locked)).then_some(&locked[..]),
        exact_k: &exact_k,
    };
    let progress = |progress: partition::Progress| {
        let share = progress.done as f64 / progress.total.max(1) as f64;
        watch(Step::Grids, share)
    };
    let engine = engine_params(params);
    let answer = match redraw.filter(|redraw| has_current && redraw.max_moved < 1.0) {
        Some(redraw) => {
            let present = households.iter().zip(&current).filter(|(_, grid)| 0 <= **grid);
            let load: u64 = present.map(|(&load, _)| u64::from(load)).sum();
            let most = (redraw.max_moved * load as f64) as u64;
            partition::partition_within(&problem, &engine, most, &progress)
        }
        None => partition::partition(&problem, &engine, &progress),
    };
    answer.map_err(|error| match error {
        PartitionError::Cancelled => PlanError::Cancelled,
        error => error.into(),
    })
}

/// Compound per row, negative for none. Exclusive buildings without one that carry the same name in one community,
/// the halls of a school, count as a compound of their own.
fn compounds<'a>(scenario: &Scenario, atoms: impl Iterator<Item = Option<&'a Atom>>) -> Vec<i32> {
    let mut premises: HashMap<(Option<CommunityId>, &str), usize> = HashMap::new();
    let first = scenario.compounds.len();
    let mut of_atom = |atom: &'a Atom| match (atom.compound, atom.name.as_deref()) {
        (Some(compound), _) => compound.0 as i32,
        (None, Some(name)) if atom.exclusive && !name.is_empty() => {
            let next = first + premises.len();
            *premises.entry((atom.community, name)).or_insert(next) as i32
        }
        (None, _) => -1,
    };
    atoms.map(|atom| atom.map_or(-1, &mut of_atom)).collect()
}

fn exact_numbers(scenario: &Scenario, params: &Params) -> Vec<(u32, u32)> {
    let communities = scenario.communities.iter().zip(0u32..);
    communities
        .filter_map(|(community, index)| params.grid.exact.get(&community.code).map(|&k| (index, k)))
        .collect()
}

fn engine_params(params: &Params) -> PartitionParams {
    let classes = [GridClass::Urban, GridClass::Resettlement, GridClass::Rural];
    let sizes = classes
        .into_iter()
        .filter_map(|class| params.grid_size(class))
        .map(|size| partition::GridSize { low: size.low.0, target: size.target.0, high: size.high.0 });
    PartitionParams {
        sizes: sizes.collect(),
        effort: match params.grid.effort {
            Effort::Draft => partition::Effort::Draft,
            Effort::Full => partition::Effort::Full,
        },
        seed: params.seed,
    }
}

/// A grid for every unit: the partition's, and for the units it did not see that of the longest common border.
fn all_labels(land: &Land, units: &Units, answer: &PartitionAnswer) -> Vec<Vec<u32>> {
    land.subdivisions
        .par_iter()
        .enumerate()
        .map(|(community, subdivision)| {
            let range = units.first[community]..units.first[community + 1];
            let mut labels: Vec<Option<u32>> =
                range.map(|unit| units.row[unit].map(|row| answer.grid[row as usize])).collect();
            subdivision.absorb(&mut labels);
            let fallback = labels.iter().flatten().copied().min().unwrap_or(0);
            labels.into_iter().map(|label| label.unwrap_or(fallback)).collect()
        })
        .collect()
}

/// A grid on the ground.
#[derive(Clone)]
struct Shape {
    outline: MultiPolygon<f64>,
    /// What bounds it on the four sides (四至).
    bounds: Text,
}

/// Outline and bounds of every grid.
fn shapes(
    land: &Land,
    names: &[String],
    units: &Units,
    answer: &PartitionAnswer,
    labels: &[Vec<u32>],
) -> Result<Vec<Shape>, PlanError> {
    debug_assert_eq!(labels.len() + 1, units.first.len(), "a community has its labels");
    let parts: Vec<Vec<(u32, Shape)>> = land
        .subdivisions
        .par_iter()
        .zip(labels)
        .map(|(subdivision, labels)| {
            let Some(&first) = labels.iter().min() else { return Ok(Vec::new()) };
            let local: Vec<u32> = labels.iter().map(|label| label - first).collect();
            let areas = subdivision.dissolve(&local)?;
            let bounds = subdivision.describe(&local)?;
            let both = |bounds: crate::land::BoundaryDescription| {
                Text::from((bounds.sentence(names, Lang::Zh), bounds.sentence(names, Lang::En)))
            };
            let shapes = areas
                .into_iter()
                .zip(bounds)
                .zip(first..)
                .map(|((outline, bounds), grid)| (grid, Shape { outline, bounds: both(bounds) }));
            Ok(shapes.collect())
        })
        .collect::<Result<_, crate::land::LandError>>()?;
    let nowhere = Shape { outline: MultiPolygon::new(Vec::new()), bounds: Text::default() };
    let mut shapes = vec![nowhere; answer.grid_load.len()];
    for (grid, shape) in parts.into_iter().flatten() {
        if let Some(place) = shapes.get_mut(grid as usize) {
            *place = shape;
        }
    }
    Ok(shapes)
}

fn assemble(
    scenario: &Scenario,
    params: &Params,
    units: &Units,
    present: &Present,
    answer: &PartitionAnswer,
    shapes: &[Shape],
    redraw: Option<&RedrawParams>,
) -> (Partition, Vec<Finding>) {
    let raw = raw_labels(scenario, units, answer);
    let overlaps = overlaps(scenario, present, &raw, answer.grid_load.len());
    let order = order(scenario, answer, shapes);
    let codes = codes(present, answer, &order, &overlaps);
    let mut place = vec![0u32; order.len()];
    order.iter().zip(0u32..).for_each(|(&raw, id)| place[raw] = id);
    let mut grids: Vec<Grid> = order
        .iter()
        .map(|&raw| {
            let community = CommunityId(answer.grid_community[raw]);
            let area = &scenario.communities[community.index()];
            Grid {
                code: codes[raw].clone(),
                name: String::new(),
                community,
                class: area.class,
                size: params.grid_size(area.class),
                households: Households(0),
                load: 0,
                residents: Residents(0),
                n_atoms: 0,
                outline: shapes[raw].outline.clone(),
                locked: false,
                reason: None,
                bounds_text: shapes[raw].bounds.clone(),
                lineage: overlaps[raw].iter().map(|&(old, _)| present.codes[old as usize].clone()).collect(),
                note: String::new(),
            }
        })
        .collect();
    let grid_of: Vec<Option<GridId>> =
        raw.iter().map(|raw| raw.map(|raw| GridId(place[raw as usize]))).collect();
    let mut exclusive = vec![true; grids.len()];
    let mut all_locked = vec![true; grids.len()];
    for ((atom, id), locked) in scenario.atoms.iter().zip(&grid_of).zip(&present.locked) {
        let Some(id) = id else { continue };
        let grid = &mut grids[id.index()];
        grid.households += atom.households;
        grid.load += params.load_weights().load(atom.households, atom.other_loads);
        grid.residents += atom.residents;
        grid.n_atoms += 1;
        exclusive[id.index()] &= atom.exclusive;
        all_locked[id.index()] &= *locked;
    }
    for (index, grid) in grids.iter_mut().enumerate() {
        grid.name = usual_grid_name(&scenario.communities[grid.community.index()], &grid.code);
        grid.locked = all_locked[index] && 0 < grid.n_atoms;
        if exclusive[index] && 0 < grid.n_atoms {
            (grid.class, grid.size) = (GridClass::Exclusive, None);
        }
    }
    let mut findings = remarks::findings(scenario, units, answer, &place, &mut grids);
    findings.extend(remarks::locked_findings(&mut grids));
    findings.extend(remarks::moved_finding(scenario, present, &grid_of, &grids, redraw));
    let retired_codes = retired(present, &grids);
    (Partition { grids, grid_of, quality: quality(answer), retired_codes }, findings)
}

/// Grid of each atom as the engine numbers them.
fn raw_labels(scenario: &Scenario, units: &Units, answer: &PartitionAnswer) -> Vec<Option<u32>> {
    let mut raw = vec![None; scenario.atoms.len()];
    for (unit, row) in units.row.iter().enumerate() {
        let Some(grid) = row.map(|row| answer.grid[row as usize]) else { continue };
        // Land may find a home for a building that the scenario leaves out; it stays left out.
        if let Some(atom) = units.atom[unit].filter(|atom| scenario.atoms[atom.index()].community.is_some()) {
            raw[atom.index()] = Some(grid);
        }
    }
    raw
}

/// Per new grid the present grids that it takes households from: (present grid, households), most first.
fn overlaps(
    scenario: &Scenario,
    present: &Present,
    raw: &[Option<u32>],
    n_grids: usize,
) -> Vec<Vec<(u32, u64)>> {
    let mut shared: BTreeMap<(u32, u32), u64> = BTreeMap::new();
    for ((atom, new), old) in scenario.atoms.iter().zip(raw).zip(&present.grid_of) {
        if let (Some(new), Some(old)) = (new, old) {
            *shared.entry((*new, *old)).or_default() += u64::from(atom.households.0);
        }
    }
    let mut overlaps = vec![Vec::new(); n_grids];
    for ((new, old), households) in shared {
        overlaps[new as usize].push((old, households));
    }
    for list in &mut overlaps {
        list.sort_by_key(|&(old, households)| (std::cmp::Reverse(households), old));
    }
    overlaps
}

/// Grids by community, and inside it in the order of numbering.
fn order(scenario: &Scenario, answer: &PartitionAnswer, shapes: &[Shape]) -> Vec<usize> {
    let mut of_community: Vec<Vec<usize>> = vec![Vec::new(); scenario.communities.len()];
    for (grid, &community) in answer.grid_community.iter().enumerate() {
        of_community[community as usize].push(grid);
    }
    let mut order = Vec::with_capacity(shapes.len());
    for grids in of_community {
        let area: f64 = grids.iter().map(|&grid| shapes[grid].outline.unsigned_area()).sum();
        let places: Vec<Coord<f64>> =
            grids.iter().map(|&grid| interior_point(&shapes[grid].outline)).collect();
        let in_order = numbering_order(&places, area / grids.len().max(1) as f64);
        order.extend(in_order.into_iter().map(|index| grids[index]));
    }
    order
}

/// A redraw keeps the code of the largest overlap; a locked grid keeps its own; all others get new numbers in order.
fn codes(
    present: &Present,
    answer: &PartitionAnswer,
    order: &[usize],
    overlaps: &[Vec<(u32, u64)>],
) -> Vec<String> {
    let Coding { scheme, prefixes } = &present.coding;
    let mut n_grids = vec![0_usize; prefixes.len()];
    answer.grid_community.iter().for_each(|&community| n_grids[community as usize] += 1);
    let mut codes = vec![String::new(); order.len()];
    for (grid, old) in kept_codes(present, overlaps, answer) {
        let community = answer.grid_community[grid] as usize;
        let code = &present.codes[old as usize];
        // 00 says that the community is not divided, so it does not outlive a division.
        let says_undivided = matches!(scheme, CodeScheme::Cjt349 { .. })
            && code.strip_prefix(prefixes[community].as_str()) == Some("00");
        if !(says_undivided && 1 < n_grids[community]) {
            codes[grid].clone_from(code);
        }
    }
    let all = || present.codes.iter().chain(&present.retired).map(String::as_str);
    let mut books: HashMap<u32, CodeBook<'_>> = HashMap::new();
    let without: Vec<usize> = order.iter().copied().filter(|&grid| codes[grid].is_empty()).collect();
    for grid in without {
        let community = answer.grid_community[grid];
        let index = community as usize;
        let book = || CodeBook::new(scheme, &prefixes[index], n_grids[index], all());
        codes[grid] = books.entry(community).or_insert_with(book).take();
    }
    codes
}

/// How the grids of a scenario are coded, or why they cannot be.
pub(super) fn coding(scenario: &Scenario, params: &Params) -> Result<Coding, PlanError> {
    let scheme = params.code_scheme()?;
    let communities: Vec<&str> =
        scenario.communities.iter().map(|community| community.code.as_str()).collect();
    let prefixes = scheme.prefixes(&communities).map_err(|index| {
        let Community { code, name, .. } = &scenario.communities[index];
        PlanError::Params(ParamsError::OutOfRange {
            key: "grid.code_scheme",
            value: scheme.as_str().to_owned(),
            rule: Text::from((
                format!("需要 12 位区划代码，而社区“{name}”的代码是“{code}”，请在社区的 code 列补上，或改用 stat12+3"),
                format!(
                    "it needs 12-digit division codes, but community {name} has the code `{code}`: give it in the column `code` or use stat12+3"
                ),
            )),
        })
    })?;
    Ok(Coding { scheme, prefixes })
}

/// Communities with more grids than their codes have numbers for.
fn overflowing_codes(scenario: &Scenario, scheme: &CodeScheme, grids: &[Grid]) -> Vec<Finding> {
    let most = 10_usize.pow(scheme.sequence_digits() as u32) - 1;
    let mut counts = vec![0_usize; scenario.communities.len()];
    grids.iter().for_each(|grid| counts[grid.community.index()] += 1);
    let full = counts.into_iter().enumerate().filter(|(_, count)| most < *count);
    full.map(|(index, count)| {
        let (name, scheme) = (&scenario.communities[index].name, scheme.as_str());
        let message = (
            format!("{name}有 {count} 个网格，而 {scheme} 每个社区只能编 {most} 个：其后的编码多出一位"),
            format!("{name} has {count} grids, but {scheme} numbers {most} a community: codes beyond have a digit too many"),
        );
        let remedy = ("换用其他编码方案，或提高目标户数", "use another scheme, or a larger target");
        Finding::new(Severity::Warning, FindingKind::BadValue, "grids", message, remedy)
            .in_community(CommunityId::from_index(index))
    })
    .collect()
}

/// Pairs (new grid, present grid) that keep the present code, largest overlap first, each used once.
fn kept_codes(
    present: &Present,
    overlaps: &[Vec<(u32, u64)>],
    answer: &PartitionAnswer,
) -> Vec<(usize, u32)> {
    let mut locked = vec![false; present.codes.len()];
    for (grid, is_locked) in present.grid_of.iter().zip(&present.locked) {
        if let (Some(grid), true) = (grid, is_locked) {
            locked[*grid as usize] = true;
        }
    }
    let mut pairs: Vec<(bool, u64, u32, usize)> = Vec::new();
    for (new, list) in overlaps.iter().enumerate() {
        let claims = list.iter().filter(|(old, _)| present.follow || locked[*old as usize]);
        pairs.extend(claims.map(|&(old, households)| (locked[old as usize], households, old, new)));
    }
    pairs.sort_by_key(|&(locked, households, old, new)| (!locked, std::cmp::Reverse(households), old, new));
    let (mut old_taken, mut new_taken) =
        (vec![false; present.codes.len()], vec![false; answer.grid_load.len()]);
    let mut kept = Vec::new();
    for (_, _, old, new) in pairs {
        if !old_taken[old as usize] && !new_taken[new] {
            (old_taken[old as usize], new_taken[new]) = (true, true);
            kept.push((new, old));
        }
    }
    kept
}

fn retired(present: &Present, grids: &[Grid]) -> Vec<String> {
    let alive: std::collections::HashSet<&str> = grids.iter().map(|grid| grid.code.as_str()).collect();
    let mut retired: Vec<String> = present
        .codes
        .iter()
        .chain(&present.retired)
        .filter(|code| !alive.contains(code.as_str()))
        .cloned()
        .collect();
    retired.sort_unstable();
    retired.dedup();
    retired
}

fn quality(answer: &PartitionAnswer) -> Vec<CommunityQuality> {
    let communities = answer.communities.iter();
    communities
        .map(|result| CommunityQuality {
            community: CommunityId(result.community),
            n_out_of_range: result.n_out as u32,
            n_out_of_range_bound: result.least_out as u32,
            cut_cost: result.cost,
            cut_cost_bound: result.least_cost,
        })
        .collect()
}
