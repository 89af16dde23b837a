//! The unit table: plots and open ground of all communities, those that stay together, and what parts the others.

use rstar::RTree;
use rstar::primitives::GeomWithData;

use crate::land::{Ground, Land, SharedBorder, Subdivision, VoidKind};
use crate::model::{AtomId, Scenario};

/// Cost of a metre of boundary by what runs along it: nothing, a lane or wall, a secondary road, an arterial, a
/// river or railway. Our choice: a boundary along an arterial costs a tenth of one through a block.
const CLASS_FACTOR: [f64; 5] = [1.0, 0.5, 0.2, 0.1, 0.1];

/// All units of all communities in one table: atoms and voids, community after community.
pub(super) struct Units {
    /// First unit of each community; one more at the end.
    pub first: Vec<usize>,
    /// Atom of each unit; `None` for ground without a building.
    pub atom: Vec<Option<AtomId>>,
    /// Row of each unit in the arrays that the partition sees: several units that stay together share one. `None`
    /// for water and cut-off ground, which are shared out afterwards.
    pub row: Vec<Option<u32>>,
    /// The unit that stands for each row.
    pub leader: Vec<usize>,
    /// Borders between rows.
    pub edges: Edges,
    /// Borders between units, those inside a row included, and between units that the partition does not see.
    pub ground: Edges,
}

#[derive(Default)]
pub(super) struct Edges {
    pub from: Vec<u32>,
    pub to: Vec<u32>,
    pub length: Vec<f64>,
    pub cost: Vec<f64>,
}

impl Edges {
    fn push(&mut self, from: usize, to: usize, length: f64, cost: f64) {
        self.from.push(from as u32);
        self.to.push(to as u32);
        self.length.push(length);
        self.cost.push(cost);
    }
}

/// Builds the table. O(n log n) in the borders.
pub(super) fn units(scenario: &Scenario, land: &Land) -> Units {
    let mut units = Units {
        first: vec![0],
        atom: Vec::new(),
        row: Vec::new(),
        leader: Vec::new(),
        edges: Edges::default(),
        ground: Edges::default(),
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
    let between = between_rows(&units);
    units.ground = std::mem::replace(&mut units.edges, between);
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
            atom.households.0 == 0 && atom.other_loads.is_none() && !atom.exclusive && !atom.locked
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
