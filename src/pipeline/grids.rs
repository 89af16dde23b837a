//! Land and labels → grids: the unit table, the partition, codes in order, outlines, findings.

use std::collections::{BTreeMap, HashMap};

use geo::{Area, Coord, MultiPolygon};
use rayon::prelude::*;
use rstar::RTree;
use rstar::primitives::GeomWithData;

use super::{PlanError, Step, Watch};
use crate::geometry::interior_point;
use crate::land::{Ground, Land, Settlement, SharedBorder, Subdivision, VoidKind};
use crate::model::{
    AtomId, CodeBook, CommunityId, CommunityQuality, Finding, FindingKind, Grid, GridClass, GridId, Lang,
    Partition, Plan, Scenario, Severity, numbering_order,
};
use crate::params::{Effort, Params};
use crate::partition::{self, PartitionAnswer, PartitionError, PartitionParams, PartitionProblem, Reason};
use crate::units::{Households, Residents};

/// Cost of a metre of boundary by what runs along it: nothing, a lane or wall, a secondary road, an arterial, a
/// river or railway. Our choice: a boundary along an arterial costs a tenth of one through a block.
const CLASS_FACTOR: [f64; 5] = [1.0, 0.5, 0.2, 0.1, 0.1];

/// How a redraw treats the present grids.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RedrawParams {
    /// Largest share of households that may change grid; beyond it the plan carries a finding.
    pub max_moved: f64,
}

/// All units of all communities in one table: atoms and voids, community after community.
struct Units {
    /// First unit of each community; one more at the end.
    first: Vec<usize>,
    /// Atom of each unit; `None` for ground without a building.
    atom: Vec<Option<AtomId>>,
    /// Row of each unit in the arrays that the partition sees: several units that stay together share one. `None`
    /// for water and cut-off ground, which are shared out afterwards.
    row: Vec<Option<u32>>,
    /// The unit that stands for each row.
    leader: Vec<usize>,
    /// Borders between rows.
    edges: Edges,
}

#[derive(Default)]
struct Edges {
    from: Vec<u32>,
    to: Vec<u32>,
    length: Vec<f64>,
    cost: Vec<f64>,
}

impl Edges {
    fn push(&mut self, from: usize, to: usize, length: f64, cost: f64) {
        self.from.push(from as u32);
        self.to.push(to as u32);
        self.length.push(length);
        self.cost.push(cost);
    }
}

pub(super) fn draw(
    scenario: &Scenario,
    land: &Land,
    names: &[String],
    params: &Params,
    redraw: Option<&RedrawParams>,
    plan: &mut Plan,
    watch: Watch<'_>,
) -> Result<(), PlanError> {
    let units = units(scenario, land);
    let present = Present::of(scenario, &plan.partition, redraw.is_some());
    let answer = divide(scenario, &units, &present, params, watch)?;
    let labels = all_labels(land, &units, &answer);
    let shapes = shapes(land, names, &units, &answer, &labels)?;
    let (partition, findings) = assemble(scenario, params, &units, &present, &answer, &shapes, redraw);
    *plan = Plan { partition, findings, ledger: std::mem::take(&mut plan.ledger), ..Plan::default() };
    plan.findings.extend(land_findings(scenario, land));
    Ok(())
}

fn units(scenario: &Scenario, land: &Land) -> Units {
    let mut units = Units {
        first: vec![0],
        atom: Vec::new(),
        row: Vec::new(),
        leader: Vec::new(),
        edges: Edges::default(),
    };
    let mut is_in_play = Vec::new();
    for subdivision in &land.subdivisions {
        let base = units.atom.len();
        units.atom.extend(subdivision.units.iter().map(|unit| match unit.ground {
            Ground::Plot(atom) => Some(AtomId(atom)),
            Ground::Void(_) => None,
        }));
        for border in subdivision.borders.iter().filter(|border| border.passable) {
            let (length, cost) = weigh(border);
            units.edges.push(base + border.u as usize, base + border.v as usize, length, cost);
        }
        is_in_play.extend(in_play(subdivision));
        tie_borderless_atoms(scenario, &mut units, base);
        units.first.push(units.atom.len());
    }
    let leaders = leaders(scenario, &units, &is_in_play);
    units.row = vec![None; units.atom.len()];
    for unit in (0..units.atom.len()).filter(|&unit| is_in_play[unit] && leaders[unit] == unit) {
        units.row[unit] = Some(units.leader.len() as u32);
        units.leader.push(unit);
    }
    for unit in (0..units.atom.len()).filter(|&unit| is_in_play[unit]) {
        units.row[unit] = units.row[leaders[unit]];
    }
    units.edges = between_rows(&units);
    units
}

/// Edges between different rows; parallel ones stay apart, the partition adds them up.
fn between_rows(units: &Units) -> Edges {
    let mut kept = Edges::default();
    for index in 0..units.edges.from.len() {
        let (from, to) = (units.edges.from[index] as usize, units.edges.to[index] as usize);
        if let (Some(from), Some(to)) = (units.row[from], units.row[to])
            && from != to
        {
            kept.push(from as usize, to as usize, units.edges.length[index], units.edges.cost[index]);
        }
    }
    kept
}

/// Ground and buildings without load follow the neighbour that it costs most to part from: a maximum spanning forest
/// rooted at the loaded units, edges inside a compound first. It keeps the partition's task to units that matter, and
/// the borders that are left run where cutting is cheap. Ties break by index.
fn leaders(scenario: &Scenario, units: &Units, in_play: &[bool]) -> Vec<usize> {
    let atom = |unit: usize| units.atom[unit].map(|id| &scenario.atoms[id.index()]);
    let is_free = |unit: usize| {
        atom(unit).is_none_or(|atom| {
            atom.households.0 == 0 && atom.other_load == 0 && !atom.exclusive && !atom.locked
        })
    };
    let compound = |unit: usize| atom(unit).and_then(|atom| atom.compound);
    let edges = &units.edges;
    let mut order: Vec<usize> = (0..edges.from.len())
        .filter(|&edge| in_play[edges.from[edge] as usize] && in_play[edges.to[edge] as usize])
        .filter(|&edge| is_free(edges.from[edge] as usize) || is_free(edges.to[edge] as usize))
        .collect();
    let is_inside = |edge: usize| {
        let (from, to) = (compound(edges.from[edge] as usize), compound(edges.to[edge] as usize));
        from.is_some() && from == to
    };
    order.sort_by(|&a, &b| {
        is_inside(b).cmp(&is_inside(a)).then(edges.cost[b].total_cmp(&edges.cost[a])).then(a.cmp(&b))
    });
    let mut parent: Vec<usize> = (0..units.atom.len()).collect();
    let mut is_rooted: Vec<bool> = (0..units.atom.len()).map(|unit| !is_free(unit)).collect();
    for edge in order {
        let from = find(&mut parent, edges.from[edge] as usize);
        let to = find(&mut parent, edges.to[edge] as usize);
        if from == to || (is_rooted[from] && is_rooted[to]) {
            continue;
        }
        // The loaded unit leads; of two without load the one in front.
        let (leader, follower) = match (is_rooted[from], is_rooted[to]) {
            (true, _) => (from, to),
            (_, true) => (to, from),
            _ => (from.min(to), from.max(to)),
        };
        parent[follower] = leader;
        is_rooted[leader] |= is_rooted[follower];
    }
    (0..parent.len()).map(|unit| find(&mut parent, unit)).collect()
}

/// The root of a unit, halving the path on the way.
fn find(parent: &mut [usize], mut unit: usize) -> usize {
    while parent[unit] != unit {
        parent[unit] = parent[parent[unit]];
        unit = parent[unit];
    }
    unit
}

fn weigh(border: &SharedBorder) -> (f64, f64) {
    let metres = border.length_mm.map(|mm| mm as f64 / 1000.0);
    (metres.iter().sum(), metres.iter().zip(CLASS_FACTOR).map(|(length, factor)| length * factor).sum())
}

/// Atoms, and open ground that hangs together with some atom. Water and ground behind barriers is left out: it has
/// no household and would only look like an island.
fn in_play(subdivision: &Subdivision) -> Vec<bool> {
    let n = subdivision.units.len();
    let is_water = |unit: usize| subdivision.units[unit].ground == Ground::Void(VoidKind::Water);
    let mut neighbours = vec![Vec::new(); n];
    for border in subdivision.borders.iter().filter(|border| border.passable) {
        let (u, v) = (border.u as usize, border.v as usize);
        if !is_water(u) && !is_water(v) {
            neighbours[u].push(v);
            neighbours[v].push(u);
        }
    }
    let mut seen = vec![false; n];
    let mut stack: Vec<usize> = (0..subdivision.n_atoms()).collect();
    stack.iter().for_each(|&atom| seen[atom] = true);
    while let Some(unit) = stack.pop() {
        for &next in &neighbours[unit] {
            if !std::mem::replace(&mut seen[next], true) {
                stack.push(next);
            }
        }
    }
    seen
}

/// A building hidden under others has no border of its own; it goes with the nearest building of its community.
fn tie_borderless_atoms(scenario: &Scenario, units: &mut Units, base: usize) {
    let n = units.atom.len();
    let mut has_border = vec![false; n - base];
    for index in (0..units.edges.from.len()).rev() {
        let (from, to) = (units.edges.from[index] as usize, units.edges.to[index] as usize);
        if from < base {
            break;
        }
        has_border[from - base] = true;
        has_border[to - base] = true;
    }
    let place = |unit: usize| units.atom[unit].map(|atom| scenario.atoms[atom.index()].shape.anchor());
    let alone: Vec<usize> =
        (base..n).filter(|&unit| !has_border[unit - base] && units.atom[unit].is_some()).collect();
    if alone.is_empty() || n - base == alone.len() && alone.len() == 1 {
        return;
    }
    let others = (base..n).filter(|&unit| has_border[unit - base]);
    let tree: RTree<GeomWithData<[f64; 2], usize>> = RTree::bulk_load(
        others.filter_map(|unit| place(unit).map(|at| GeomWithData::new([at.x, at.y], unit))).collect(),
    );
    for &unit in &alone {
        let Some(at) = place(unit) else { continue };
        let nearest = tree.nearest_neighbor(&[at.x, at.y]).map(|other| other.data);
        if let Some(other) = nearest.or_else(|| alone.iter().copied().find(|&other| other != unit)) {
            units.edges.push(unit, other, 0.0, 0.0);
        }
    }
}

/// The present grids: of the plan when it is redrawn, otherwise of the scenario; only locked ones bind a new plan.
struct Present {
    /// Code of each present grid.
    codes: Vec<String>,
    /// Present grid of each atom.
    grid_of: Vec<Option<u32>>,
    locked: Vec<bool>,
    follow: bool,
    retired: Vec<String>,
}

impl Present {
    fn of(scenario: &Scenario, partition: &Partition, follow: bool) -> Self {
        let from_plan =
            follow && partition.grid_of.len() == scenario.atoms.len() && !partition.grids.is_empty();
        let code_of = |index: usize| -> Option<&str> {
            if from_plan {
                partition.grid_of[index].map(|id| partition.grids[id.index()].code.as_str())
            } else {
                scenario.atoms[index].current_grid.as_deref()
            }
        };
        let locked_in_plan = |index: usize| {
            from_plan && partition.grid_of[index].is_some_and(|id| partition.grids[id.index()].locked)
        };
        let mut ids: BTreeMap<&str, u32> =
            (0..scenario.atoms.len()).filter_map(|i| code_of(i).map(|c| (c, 0))).collect();
        let codes: Vec<String> = ids.keys().map(|code| (*code).to_owned()).collect();
        ids.values_mut().zip(0..).for_each(|(id, number)| *id = number);
        let grid_of: Vec<Option<u32>> =
            (0..scenario.atoms.len()).map(|i| code_of(i).map(|code| ids[code])).collect();
        let locked = scenario.atoms.iter().enumerate();
        let locked =
            locked.map(|(i, atom)| grid_of[i].is_some() && (atom.locked || locked_in_plan(i))).collect();
        Self { codes, grid_of, locked, follow, retired: partition.retired_codes.clone() }
    }
}

fn divide(
    scenario: &Scenario,
    units: &Units,
    present: &Present,
    params: &Params,
    watch: Watch<'_>,
) -> Result<PartitionAnswer, PlanError> {
    let rows = &units.leader;
    let atom = |unit: usize| units.atom[unit].map(|id| &scenario.atoms[id.index()]);
    let community_of_unit: Vec<u32> = (0..units.first.len() - 1)
        .flat_map(|c| std::iter::repeat_n(c as u32, units.first[c + 1] - units.first[c]))
        .collect();
    let community: Vec<u32> = rows.iter().map(|&unit| community_of_unit[unit]).collect();
    let load = |unit: usize| {
        atom(unit).map_or(0, |atom| {
            let other = f64::from(atom.other_load) * params.grid.other_load_weight;
            atom.households.0.saturating_add(other.round() as u32)
        })
    };
    let households: Vec<u32> = rows.iter().map(|&unit| load(unit)).collect();
    let compound: Vec<i32> = rows
        .iter()
        .map(|&unit| atom(unit).and_then(|atom| atom.compound).map_or(-1, |id| id.0 as i32))
        .collect();
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
    partition::partition(&problem, &engine_params(params), &progress).map_err(|error| match error {
        PartitionError::Cancelled => PlanError::Cancelled,
        error => error.into(),
    })
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
    bounds: String,
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
            let shapes = areas.into_iter().zip(bounds).zip(first..).map(|((outline, bounds), grid)| {
                (grid, Shape { outline, bounds: bounds.sentence(names, Lang::Zh) })
            });
            Ok(shapes.collect())
        })
        .collect::<Result<_, crate::land::LandError>>()?;
    let nowhere = Shape { outline: MultiPolygon::new(Vec::new()), bounds: String::new() };
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
    let codes = codes(scenario, present, answer, &order, &overlaps);
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
                residents: Residents(0),
                n_atoms: 0,
                outline: shapes[raw].outline.clone(),
                locked: false,
                reason: None,
                bounds_text: shapes[raw].bounds.clone(),
                lineage: overlaps[raw].iter().map(|&(old, _)| present.codes[old as usize].clone()).collect(),
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
        grid.residents += atom.residents;
        grid.n_atoms += 1;
        exclusive[id.index()] &= atom.exclusive;
        all_locked[id.index()] &= *locked;
    }
    for (index, grid) in grids.iter_mut().enumerate() {
        grid.name = name(scenario, grid);
        grid.locked = all_locked[index] && 0 < grid.n_atoms;
        if exclusive[index] && 0 < grid.n_atoms {
            (grid.class, grid.size) = (GridClass::Exclusive, None);
        }
    }
    let mut findings = findings(scenario, units, answer, &place, &mut grids);
    findings.extend(locked_findings(&mut grids));
    findings.extend(moved_finding(scenario, present, &grid_of, &grids, redraw));
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
    scenario: &Scenario,
    present: &Present,
    answer: &PartitionAnswer,
    order: &[usize],
    overlaps: &[Vec<(u32, u64)>],
) -> Vec<String> {
    let mut codes = vec![String::new(); order.len()];
    for (grid, old) in kept_codes(present, overlaps, answer) {
        codes[grid].clone_from(&present.codes[old as usize]);
    }
    let all = || present.codes.iter().chain(&present.retired).map(String::as_str);
    let mut books: HashMap<u32, CodeBook<'_>> = HashMap::new();
    let without: Vec<usize> = order.iter().copied().filter(|&grid| codes[grid].is_empty()).collect();
    for grid in without {
        let community = answer.grid_community[grid];
        let prefix = scenario.communities[community as usize].code.as_str();
        codes[grid] = books.entry(community).or_insert_with(|| CodeBook::new(prefix, all())).take();
    }
    codes
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

/// "幸福社区第3网格": the community and the number inside its code.
fn name(scenario: &Scenario, grid: &Grid) -> String {
    let community = &scenario.communities[grid.community.index()];
    match grid.code.strip_prefix(community.code.as_str()).and_then(|number| number.parse::<u32>().ok()) {
        Some(number) => format!("{}第{number}网格", community.name),
        None => format!("{}网格{}", community.name, grid.code),
    }
}

fn quality(answer: &PartitionAnswer) -> Vec<CommunityQuality> {
    let communities = answer.communities.iter();
    communities
        .map(|result| CommunityQuality {
            community: CommunityId(result.community),
            n_out_of_range: result.n_out as u32,
            n_out_of_range_bound: result.least_out as u32,
            cut_cost: result.cost,
            cut_cost_bound: Some(result.least_cost),
        })
        .collect()
}

/// The engine's findings in words; a grid out of range also carries its reason.
fn findings(
    scenario: &Scenario,
    units: &Units,
    answer: &PartitionAnswer,
    place: &[u32],
    grids: &mut [Grid],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for found in &answer.findings {
        let community = CommunityId(found.community);
        let atom = found.atom.and_then(|row| units.atom[units.leader[row as usize]]);
        let grid = found.grid.map(|raw| GridId(place[raw as usize]));
        let (kind, message, remedy) = words(scenario, found, atom, grid.map(|id| &grids[id.index()]));
        let mut finding =
            Finding::new(Severity::Warning, kind, "grids", message, remedy).in_community(community);
        if let Some(id) = grid {
            let grid = &mut grids[id.index()];
            finding = finding.in_grid(id).about(grid.code.clone()).at(interior_point(&grid.outline));
            if !grid.is_in_range() && grid.reason.is_none() {
                grid.reason = Some(finding.message.clone());
            }
        }
        if let Some(id) = atom {
            finding = finding.on_atom(id);
            finding.at.get_or_insert(scenario.atoms[id.index()].shape.anchor());
        }
        findings.push(if found.proven { finding.proven() } else { finding });
    }
    findings
}

fn words(
    scenario: &Scenario,
    found: &partition::Finding,
    atom: Option<AtomId>,
    grid: Option<&Grid>,
) -> (FindingKind, String, String) {
    let community = &scenario.communities[found.community as usize].name;
    let code = grid.map_or("-", |grid| grid.code.as_str());
    let unit = atom.map_or_else(String::new, |id| {
        let atom = &scenario.atoms[id.index()];
        let compound = atom.compound.and_then(|id| scenario.compounds[id.index()].name.clone());
        compound.or_else(|| atom.name.clone()).unwrap_or_else(|| atom.source.0.clone())
    });
    let load = found.load;
    match found.reason {
        Reason::BlockingUnit { unit_load } => (
            FindingKind::LargeAtom,
            format!("网格 {code} 有 {load} 户：不可拆分的单元“{unit}”有 {unit_load} 户，超过上限 (grid {code} has {load} households: the unit {unit} alone has {unit_load}, above the upper size, and is never split)"),
            "按单元入口拆分该建筑，或接受较大的网格 (list its entrances as buildings of their own, or accept the larger grid)".to_owned(),
        ),
        Reason::TotalOutOfRange { k } => (
            FindingKind::GridOutOfRange,
            format!("{community} 共 {load} 户，无法分成 {k} 个都在范围内的网格 ({load} households cannot be shared by {k} grids within the limits)"),
            "调整目标户数或容差，或合并到相邻社区统筹 (change the target or tolerance, or plan it together with a neighbouring community)".to_owned(),
        ),
        Reason::TooFewUnits { wanted, made } => (
            FindingKind::ImpossibleNumber,
            format!("{community} 要求 {wanted} 个网格，但只有 {made} 个可分单元 ({wanted} grids wanted, but there are only {made} units)"),
            "按单元入口拆分建筑，或减少网格数 (list entrances as buildings of their own, or ask for fewer grids)".to_owned(),
        ),
        Reason::Island => (
            FindingKind::DisconnectedGrid,
            format!("网格 {code} 分成多块：社区内有被河流、铁路等隔开且户数不足的片区 (grid {code} lies in several pieces: a part of the community is cut off by a barrier and too small for grids of its own)"),
            "核对桥、道口等通道数据，或接受 (check whether a bridge or crossing is missing in the data, or accept it)".to_owned(),
        ),
        Reason::NoSuchSubset => (
            FindingKind::GridOutOfRange,
            format!("网格 {code} 有 {load} 户：此处没有任何连通的整单元组合能使其与邻格都在范围内 (grid {code} has {load} households: no connected set of whole units here has a load in range together with in-range neighbours)"),
            "放宽容差，或允许拆分小区 (widen the tolerance, or list entrances as buildings of their own)".to_owned(),
        ),
        Reason::NotFound => (
            FindingKind::GridOutOfRange,
            format!("网格 {code} 有 {load} 户：搜索未找到在范围内的划法，可能存在 (grid {code} has {load} households: the search found no division with this grid in range; there may be one)"),
            "换一个种子或用 effort = full 再试，或手工调整 (try another seed or effort = full, or edit by hand)".to_owned(),
        ),
    }
}

/// Overlaps and slits between outlines, and buildings that lie under others.
fn land_findings(scenario: &Scenario, land: &Land) -> Vec<Finding> {
    let mut findings = Vec::new();
    for &atom in &land.hidden {
        let id = AtomId(atom);
        let building = &scenario.atoms[id.index()];
        let finding = Finding::new(
            Severity::Info,
            FindingKind::Stacked,
            "buildings",
            format!(
                "建筑 {0} 与其他建筑重叠，在原处旁给予一小块地 (building {0} lies under others and got a spot of land beside its place)",
                building.source
            ),
            "核对是否重复录入 (check whether it was entered twice)",
        );
        findings.push(finding.about(building.source.0.clone()).on_atom(id).at(building.shape.anchor()));
    }
    let community = |index: u32| scenario.communities[index as usize].name.as_str();
    let building = |index: u32| scenario.atoms[index as usize].source.0.as_str();
    findings.extend(land.settled.iter().map(|settled| settlement("communities", settled, &community)));
    findings.extend(land.settled_areas.iter().map(|settled| settlement("buildings", settled, &building)));
    findings
}

fn settlement<'a>(layer: &str, settled: &Settlement, name: &dyn Fn(u32) -> &'a str) -> Finding {
    let area = settled.area_m2;
    let given_to = name(settled.given_to);
    let claimants = settled.claimants.iter().map(|&index| name(index)).collect::<Vec<_>>().join("、");
    let (kind, message) = if settled.claimants.is_empty() {
        let message = format!(
            "边界之间的缝隙 {area:.1} m² 划给 {given_to} (a slit of {area:.1} m² between outlines was given to {given_to})"
        );
        (FindingKind::Gap, message)
    } else {
        let message = format!(
            "{claimants} 重叠 {area:.1} m²，划给 {given_to} ({claimants} overlap by {area:.1} m², given to {given_to})"
        );
        (FindingKind::Overlap, message)
    };
    Finding::new(Severity::Info, kind, layer, message, "核对边界数据 (check the outlines in the source)")
        .about(given_to)
}

/// A locked grid out of range stays as it is, and says so.
fn locked_findings(grids: &mut [Grid]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, grid) in grids.iter_mut().enumerate() {
        if !grid.locked || grid.is_in_range() || grid.reason.is_some() {
            continue;
        }
        let (code, households) = (&grid.code, grid.households);
        let message = format!(
            "网格 {code} 有 {households} 户：已锁定，保持现状 (grid {code} has {households} households: it is locked and stays as it is)"
        );
        let remedy = "解除锁定后重划 (unlock it and draw again)";
        let finding =
            Finding::new(Severity::Warning, FindingKind::GridOutOfRange, "grids", message.clone(), remedy);
        findings.push(
            finding
                .about(code.clone())
                .in_grid(GridId::from_index(index))
                .in_community(grid.community)
                .at(interior_point(&grid.outline)),
        );
        grid.reason = Some(message);
    }
    findings
}

/// Says how many households change grid when a redraw moves more than allowed.
fn moved_finding(
    scenario: &Scenario,
    present: &Present,
    grid_of: &[Option<GridId>],
    grids: &[Grid],
    redraw: Option<&RedrawParams>,
) -> Option<Finding> {
    let redraw = redraw?;
    let (mut moved, mut all) = (0u64, 0u64);
    for ((atom, new), old) in scenario.atoms.iter().zip(grid_of).zip(&present.grid_of) {
        if let (Some(new), Some(old)) = (new, old) {
            let households = u64::from(atom.households.0);
            all += households;
            moved += if grids[new.index()].code == present.codes[*old as usize] { 0 } else { households };
        }
    }
    let share = moved as f64 / all.max(1) as f64;
    if share <= redraw.max_moved {
        return None;
    }
    let (percent, limit) = (share * 100.0, redraw.max_moved * 100.0);
    Some(Finding::new(
        Severity::Warning,
        FindingKind::GridOutOfRange,
        "grids",
        format!(
            "{moved} 户（{percent:.1}%）变更网格，超过允许的 {limit:.1}% ({moved} households, {percent:.1} %, change grid; {limit:.1} % were allowed)"
        ),
        "锁定更多网格，放宽容差，或提高 --max-moved (lock more grids, widen the tolerance, or raise --max-moved)",
    ))
}
