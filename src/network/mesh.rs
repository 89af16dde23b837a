//! The plane between the streets, cut into triangles along them.
//!
//! Every street edge is a side of triangles, so that an area drawn through the triangles can follow the
//! streets exactly. Where a bridge crosses another street both edges get a vertex, which joins nothing for
//! those on foot. Far from every street stand *voids*, vertices that nobody reaches: they keep areas from
//! spreading over open water and fields.

use std::sync::Mutex;

use geo::{Coord, Intersects, Rect};
use rustc_hash::FxHashMap;
use spade::{ConstrainedDelaunayTriangulation, LastUsedVertexHintGenerator, Point2, Triangulation};

use super::cells::{SegmentCells, crossing};
use super::contract::{Core, NONE};
use super::drawing::Scratch;
use super::joined::Joined;
use super::order::hilbert_order;

/// A side without a street.
pub(super) const FREE: u32 = NONE;
/// A side that is a piece of a street edge with crossings; see [`Mesh::piece`].
pub(super) const PIECE: u32 = NONE - 1;

/// Side of the raster in which voids are placed, in metres: an area reaches no farther than about this from
/// a street.
const VOID_SPACING: f64 = 120.0;
/// At most so many raster cells; wider places get a coarser raster.
const MAX_CELLS: f64 = 4e6;

/// A street edge that others cross without meeting it.
pub(super) struct SplitEdge {
    /// Its place in [`Mesh::splits`].
    pub index: u32,
    pub ends: [u32; 2],
    /// Cost of walking the edge from its first to its second vertex, and back.
    pub costs: [u32; 2],
    /// Crossing vertices and their share of the edge from its first vertex.
    pub cuts: Vec<(f64, u32)>,
}

/// A triangulation as half-edges. Those that leave a vertex are numbered one after another, counter-clockwise:
/// walking round a vertex or round a triangle needs no pointers.
pub(super) struct Mesh {
    pub at: Vec<Coord<f64>>,
    /// Vertex of each node of the network; nodes at the same place share one. [`NONE`] outside the window.
    pub vertex_of: Vec<u32>,
    /// Vertices below this number are places of nodes, those from it on crossings and voids.
    pub n_places: u32,
    /// First half-edge that leaves each vertex; one more at the end.
    start: Vec<u32>,
    /// What a look around a vertex reads, and what following an outline reads besides: two arrays, so that either
    /// is one line of the cache for each vertex.
    ahead: Vec<Ahead>,
    behind: Vec<Behind>,
    pub splits: Vec<SplitEdge>,
    /// Split edge of a piece, and the shares of the edge at which the half-edge starts and ends.
    pub piece: FxHashMap<u32, (u32, f64, f64)>,
    /// Split edges that begin or end at a vertex, and whether there are any.
    pub splits_at: FxHashMap<u32, Vec<u32>>,
    pub has_splits: Vec<bool>,
    /// Usual cost of a metre.
    pub cost_per_metre: f64,
    /// How much of the limit must be left at each vertex for an outline to be found without looking around it;
    /// [`NONE`]: always look. See [`Mesh::find_calm`].
    pub calm_from: Vec<u32>,
    /// What threads draw with, between questions.
    pub spare: Mutex<Vec<Scratch>>,
}

impl std::fmt::Debug for Mesh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mesh({} vertices)", self.at.len())
    }
}

/// Where a half-edge leads.
#[derive(Clone, Copy)]
pub(super) struct Ahead {
    pub target: u32,
    /// Cost of walking the half-edge backwards, to its origin; [`FREE`] or [`PIECE`].
    pub cost: u32,
}

/// Where a half-edge comes from.
#[derive(Clone, Copy)]
struct Behind {
    origin: u32,
    /// The other side of the half-edge.
    twin: u32,
}

/// A street edge between nodes, later between mesh vertices.
#[derive(Clone, Copy)]
struct Side {
    ends: [u32; 2],
    costs: [u32; 2],
}

impl Mesh {
    /// Triangulates around the network's edges, or around those that reach into a window: there the result is the same
    /// up to a few cells from its border. O(n log n), for a window O(n + m log m) with m nodes in it. `None` where
    /// fewer than two places make no area.
    pub fn build(core: &Core, x: &[f64], y: &[f64], window: Option<Rect<f64>>) -> Option<Self> {
        let place = |node: u32| Coord { x: x[node as usize], y: y[node as usize] };
        let (mut sides, cost_per_metre) = streets(core, place, x.len(), window);
        let joined = joined_on_the_spot(&sides, place);
        let mut vertices = Vertices::default();
        let mut vertex_of = vec![NONE; x.len()];
        for node in nodes_along_curve(x, y, &sides, window) {
            vertex_of[node as usize] =
                vertices.of_node(place(node), joined.get(&node).copied().unwrap_or(node));
        }
        sides.iter_mut().for_each(|side| side.ends = side.ends.map(|node| vertex_of[node as usize]));
        sides.retain(|side| side.ends[0] != side.ends[1]);
        if sides.is_empty() {
            return None;
        }
        let n_places = vertices.places.len() as u32;
        let splits = split_crossings(&sides, &mut vertices);
        let constraints = constraints(&sides, &splits);
        add_voids(&Raster::over(x, y), &sides, window, &mut vertices);
        let plane = triangulate(&vertices.places, &constraints)?;
        let mut mesh = Self::flatten(&plane, vertices.places, vertex_of);
        (mesh.n_places, mesh.cost_per_metre) = (n_places, cost_per_metre);
        let networks = mesh.take_costs(&sides, splits);
        mesh.find_calm(networks);
        Some(mesh)
    }

    fn flatten(plane: &Plane, at: Vec<Coord<f64>>, vertex_of: Vec<u32>) -> Self {
        let n_halves = plane.num_directed_edges();
        let mut number = vec![NONE; n_halves];
        let mut start = vec![0];
        let (mut ahead, mut behind) = (Vec::with_capacity(n_halves), Vec::with_capacity(n_halves));
        for vertex in plane.vertices() {
            let first = vertex.out_edge();
            let mut leaving = first;
            while let Some(edge) = leaving {
                number[edge.fix().index()] = ahead.len() as u32;
                ahead.push(Ahead { target: edge.to().fix().index() as u32, cost: FREE });
                behind.push(Behind { origin: vertex.fix().index() as u32, twin: NONE });
                leaving = Some(edge.ccw()).filter(|_| Some(edge.ccw()) != first);
            }
            start.push(ahead.len() as u32);
        }
        for edge in plane.directed_edges() {
            behind[number[edge.fix().index()] as usize].twin = number[edge.rev().fix().index()];
        }
        Self {
            vertex_of,
            start,
            ahead,
            behind,
            splits: Vec::new(),
            piece: FxHashMap::default(),
            splits_at: FxHashMap::default(),
            has_splits: vec![false; at.len()],
            calm_from: vec![NONE; at.len()],
            at,
            n_places: 0,
            cost_per_metre: 0.0,
            spare: Mutex::default(),
        }
    }

    pub fn n_halves(&self) -> usize {
        self.ahead.len()
    }

    pub fn origin(&self, half: u32) -> u32 {
        self.behind[half as usize].origin
    }

    pub fn target(&self, half: u32) -> u32 {
        self.ahead[half as usize].target
    }

    /// The other side of a half-edge.
    pub fn twin(&self, half: u32) -> u32 {
        self.behind[half as usize].twin
    }

    /// Cost of walking a half-edge backwards, to its origin; [`FREE`] or [`PIECE`].
    pub fn cost(&self, half: u32) -> u32 {
        self.ahead[half as usize].cost
    }

    /// The next half-edge that leaves the same vertex, counter-clockwise.
    pub fn turn(&self, half: u32) -> u32 {
        let vertex = self.origin(half) as usize;
        if half + 1 == self.start[vertex + 1] { self.start[vertex] } else { half + 1 }
    }

    /// The next half-edge around the triangle on the left.
    pub fn next(&self, half: u32) -> u32 {
        let twin = self.twin(half);
        let vertex = self.origin(twin) as usize;
        if twin == self.start[vertex] { self.start[vertex + 1] - 1 } else { twin - 1 }
    }

    /// Name of the triangle on the left of a half-edge: its lowest half-edge.
    pub fn triangle(&self, half: u32) -> u32 {
        let second = self.next(half);
        half.min(second).min(self.next(second))
    }

    /// Places of the origin and of the target of a half-edge.
    pub fn ends(&self, half: u32) -> [Coord<f64>; 2] {
        [self.at[self.origin(half) as usize], self.at[self.target(half) as usize]]
    }

    /// Corners of the triangle on the left of a half-edge, from its origin on.
    pub fn corners(&self, half: u32) -> [Coord<f64>; 3] {
        let [a, b] = self.ends(half);
        [a, b, self.at[self.target(self.turn(half)) as usize]]
    }

    /// Half-edges that leave a vertex, with their targets and costs.
    pub fn around(&self, vertex: u32) -> impl Iterator<Item = (u32, Ahead)> + '_ {
        let leaving = self.leaving(vertex);
        leaving.clone().zip(self.ahead[leaving.start as usize..leaving.end as usize].iter().copied())
    }

    /// Half-edges that leave a vertex.
    pub fn leaving(&self, vertex: u32) -> std::ops::Range<u32> {
        self.start[vertex as usize]..self.start[vertex as usize + 1]
    }

    pub fn length(&self, half: u32) -> f64 {
        let [from, to] = self.ends(half);
        let gap = to - from;
        (gap.x * gap.x + gap.y * gap.y).sqrt()
    }

    pub fn half_edge(&self, from: u32, to: u32) -> Option<u32> {
        self.leaving(from).find(|&half| self.target(half) == to)
    }

    /// A split edge between two vertices, in either direction.
    pub fn split_between(&self, ends: [u32; 2]) -> Option<u32> {
        let [a, b] = ends;
        let is_it = |&&index: &&u32| [[a, b], [b, a]].contains(&self.splits[index as usize].ends);
        self.splits_at.get(&a)?.iter().find(is_it).copied()
    }

    /// Finds the vertices around which no outline has to be looked for while enough of the limit is left to walk
    /// every street that leaves them: all their neighbours along streets are then inside.
    ///
    /// An outline bounds a connected area, and on its far side lies a vertex outside. If streets join that one to
    /// the area, one of them crosses the outline, and its end inside has too little left for it: the outline is found
    /// from there. Where no street need cross it a vertex is never calm: beside crossings and voids, and beside
    /// streets of another network. Nor is one that stands for several nodes, whose streets may belong to a node that
    /// is not reached.
    fn find_calm(&mut self, mut networks: Joined) {
        let mut nodes_at = vec![0_u32; self.n_places as usize];
        for &vertex in self.vertex_of.iter().filter(|&&vertex| vertex != NONE) {
            nodes_at[vertex as usize] += 1;
        }
        for vertex in (0..self.n_places).filter(|&vertex| nodes_at[vertex as usize] == 1) {
            let mine = networks.of(vertex);
            let from = self.around(vertex).try_fold(0, |most, (_, Ahead { target, cost })| match cost {
                _ if self.n_places <= target || networks.of(target) != mine => None,
                FREE => Some(most),
                _ => (cost < PIECE - 1).then_some(cost.max(most)),
            });
            self.calm_from[vertex as usize] = from.unwrap_or(NONE);
        }
    }

    /// Enters the costs of the streets. Tells which places they join; a street that is lost joins nothing.
    fn take_costs(&mut self, sides: &[Side], splits: FxHashMap<u32, SplitEdge>) -> Joined {
        let mut networks = Joined::new(self.n_places as usize);
        for (index, side) in sides.iter().enumerate() {
            if splits.contains_key(&(index as u32)) {
                continue;
            }
            if let Some(half) = self.half_edge(side.ends[0], side.ends[1]) {
                let (there, back) = (half as usize, self.twin(half) as usize);
                // Two edges between the same places: each direction takes its cheaper one.
                self.ahead[there].cost = self.ahead[there].cost.min(side.costs[1].min(PIECE - 1));
                self.ahead[back].cost = self.ahead[back].cost.min(side.costs[0].min(PIECE - 1));
                networks.join(side.ends);
            }
        }
        let mut ordered: Vec<_> = splits.into_iter().collect();
        ordered.sort_unstable_by_key(|(side, _)| *side);
        for (_, mut split) in ordered {
            let index = self.splits.len() as u32;
            split.index = index;
            let ends = [(0.0, split.ends[0])].into_iter().chain(split.cuts.iter().copied());
            let stops: Vec<(f64, u32)> = ends.chain([(1.0, split.ends[1])]).collect();
            let mut is_whole = true;
            for pair in stops.windows(2) {
                if let Some(half) = self.half_edge(pair[0].1, pair[1].1) {
                    let twin = self.twin(half);
                    self.ahead[half as usize].cost = PIECE;
                    self.ahead[twin as usize].cost = PIECE;
                    self.piece.insert(half, (index, pair[0].0, pair[1].0));
                    self.piece.insert(twin, (index, pair[1].0, pair[0].0));
                } else {
                    is_whole = false;
                }
            }
            if is_whole {
                networks.join(split.ends);
            }
            for end in split.ends {
                self.splits_at.entry(end).or_default().push(index);
                self.has_splits[end as usize] = true;
            }
            self.splits.push(split);
        }
        networks
    }
}

/// Vertices are found from the one before them, which lies beside them on the curve.
type Plane = ConstrainedDelaunayTriangulation<Point2<f64>, (), (), (), LastUsedVertexHintGenerator>;

/// The triangulation of distinct places with these sides. A side that crosses one before it is left out. Places are
/// inserted one by one: along the curve that is faster than spade's loading in bulk, which goes outwards from the
/// middle, and leaves neighbors together in memory.
fn triangulate(places: &[Coord<f64>], sides: &[[usize; 2]]) -> Option<Plane> {
    let mut plane = Plane::new();
    let vertices: Vec<_> =
        places.iter().map(|at| plane.insert(Point2::new(at.x, at.y))).collect::<Result<_, _>>().ok()?;
    for [from, to] in sides.iter().map(|side| side.map(|end| vertices[end])) {
        if plane.can_add_constraint(from, to) {
            plane.add_constraint(from, to);
        }
    }
    Some(plane)
}

/// The network's edges that reach into the window, between nodes, and the usual cost of a metre: the median over a
/// sample of all edges.
fn streets(
    core: &Core,
    place: impl Fn(u32) -> Coord<f64>,
    n_nodes: usize,
    window: Option<Rect<f64>>,
) -> (Vec<Side>, f64) {
    let (mut sides, mut costs, mut number) = (Vec::new(), Vec::new(), 0);
    core.each_edge(|from, to, there, back| {
        let (a, b) = (place(from), place(to));
        if number % (1 + n_nodes / 2000) == 0 && there != NONE && a != b {
            costs.push(f64::from(there) / (b - a).x.hypot((b - a).y));
        }
        number += 1;
        if window.is_none_or(|window| window.intersects(&Rect::new(a, b))) {
            sides.push(Side { ends: [from, to], costs: [there, back] });
        }
    });
    costs.sort_by(f64::total_cmp);
    (sides, costs.get(costs.len() / 2).copied().filter(|cost| 0.0 < *cost).unwrap_or(1000.0))
}

/// The nodes in the window and at the ends of the sides: neighbours on the plane are neighbours in memory.
fn nodes_along_curve(x: &[f64], y: &[f64], sides: &[Side], window: Option<Rect<f64>>) -> Vec<u32> {
    let Some(window) = window else { return hilbert_order(x, y) };
    let inside = (0..x.len()).filter(|&node| window.intersects(&Coord { x: x[node], y: y[node] }));
    let mut nodes: Vec<u32> = inside.map(|node| node as u32).collect();
    nodes.extend(sides.iter().flat_map(|side| side.ends));
    nodes.sort_unstable();
    nodes.dedup();
    let of = |values: &[f64]| nodes.iter().map(|&node| values[node as usize]).collect::<Vec<_>>();
    hilbert_order(&of(x), &of(y)).into_iter().map(|index| nodes[index as usize]).collect()
}

/// For nodes that edges join with others at the same place: the lowest node of each such group.
fn joined_on_the_spot(sides: &[Side], place: impl Fn(u32) -> Coord<f64>) -> FxHashMap<u32, u32> {
    let mut lowest: FxHashMap<u32, u32> = FxHashMap::default();
    fn find(lowest: &FxHashMap<u32, u32>, mut node: u32) -> u32 {
        while let Some(&below) = lowest.get(&node).filter(|&&below| below != node) {
            node = below;
        }
        node
    }
    for [from, to] in sides.iter().map(|side| side.ends) {
        if place(from) == place(to) {
            let (a, b) = (find(&lowest, from), find(&lowest, to));
            lowest.insert(a.max(b), a.min(b));
        }
    }
    let nodes: Vec<u32> = lowest.keys().copied().collect();
    nodes.into_iter().map(|node| (node, find(&lowest, node))).collect()
}

/// Distinct places, in the order of their first appearance.
#[derive(Default)]
struct Vertices {
    places: Vec<Coord<f64>>,
    /// Group of nodes at each place; crossings have none.
    group: Vec<u32>,
    known: FxHashMap<(u64, u64), u32>,
}

/// How far in metres nodes at one place are moved apart if one cannot step from one to the other.
const APART: f64 = 0.1;
/// More than so many nodes at one place share a vertex.
const MOST_APART: u32 = 8;

impl Vertices {
    /// The vertex of a group of nodes. Streets of two levels may have nodes at the same place: nobody who
    /// reaches one is at the other, so the second group gets a vertex beside it.
    fn of_node(&mut self, place: Coord<f64>, group: u32) -> u32 {
        let mut at = place;
        for step in 1..=MOST_APART {
            let vertex = self.at(at);
            let known = &mut self.group[vertex as usize];
            if *known == NONE || *known == group {
                *known = group;
                return vertex;
            }
            at = place + Coord { x: 0.8, y: 0.6 } * (APART * f64::from(step));
        }
        self.at(place)
    }

    fn at(&mut self, place: Coord<f64>) -> u32 {
        // Adding zero makes −0 and 0 one place.
        let key = ((place.x + 0.0).to_bits(), (place.y + 0.0).to_bits());
        *self.known.entry(key).or_insert_with(|| {
            self.places.push(place);
            self.group.push(NONE);
            self.places.len() as u32 - 1
        })
    }
}

/// Gives edges that cross without a common vertex one at the crossing. By index into `sides`.
fn split_crossings(sides: &[Side], vertices: &mut Vertices) -> FxHashMap<u32, SplitEdge> {
    let ends = |side: u32, places: &[Coord<f64>]| {
        let side = &sides[side as usize];
        (places[side.ends[0] as usize], places[side.ends[1] as usize])
    };
    let cells = SegmentCells::build(sides.len(), |side| Some(ends(side, &vertices.places)));
    let mut pairs = Vec::new();
    cells.each_cell(|inside| {
        for (i, &a) in inside.iter().enumerate() {
            for &b in &inside[i + 1..] {
                let (p, q) = (&sides[a as usize].ends, &sides[b as usize].ends);
                if p.iter().any(|end| q.contains(end)) {
                    continue;
                }
                let ((a0, a1), (b0, b1)) = (ends(a, &vertices.places), ends(b, &vertices.places));
                if let (Some(on_a), Some(on_b)) = (crossing(a0, a1, b0, b1), crossing(b0, b1, a0, a1)) {
                    pairs.push((a.min(b), a.max(b), if a < b { (on_a, on_b) } else { (on_b, on_a) }));
                }
            }
        }
    });
    pairs.sort_unstable_by_key(|pair| (pair.0, pair.1));
    pairs.dedup_by_key(|pair| (pair.0, pair.1));
    let mut splits: FxHashMap<u32, SplitEdge> = FxHashMap::default();
    for (a, b, (on_a, on_b)) in pairs {
        let (from, to) = ends(a, &vertices.places);
        let vertex = vertices.at(from + (to - from) * on_a);
        for (side, share) in [(a, on_a), (b, on_b)] {
            let Side { ends, costs } = sides[side as usize];
            let split = splits.entry(side).or_insert_with(|| SplitEdge {
                index: NONE,
                ends,
                costs,
                cuts: Vec::new(),
            });
            if !ends.contains(&vertex) {
                split.cuts.push((share, vertex));
            }
        }
    }
    for split in splits.values_mut() {
        split.cuts.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        split.cuts.dedup_by_key(|cut| cut.1);
    }
    splits
}

fn constraints(sides: &[Side], splits: &FxHashMap<u32, SplitEdge>) -> Vec<[usize; 2]> {
    let mut constraints = Vec::with_capacity(sides.len());
    for (index, side) in sides.iter().enumerate() {
        let cuts = splits.get(&(index as u32)).map_or(&[][..], |split| &split.cuts);
        let mut from = side.ends[0];
        for to in cuts.iter().map(|cut| cut.1).chain([side.ends[1]]) {
            if from != to {
                constraints.push([from as usize, to as usize]);
            }
            from = to;
        }
    }
    constraints
}

/// The raster over all nodes in which voids are placed.
pub(super) struct Raster {
    origin: Coord<f64>,
    /// Side of a cell in metres.
    pub cell: f64,
    columns: usize,
    rows: usize,
}

impl Raster {
    pub fn over(x: &[f64], y: &[f64]) -> Self {
        let ends = |values: &[f64]| {
            let low = values.iter().copied().fold(f64::INFINITY, f64::min);
            (low, values.iter().copied().fold(f64::NEG_INFINITY, f64::max) - low)
        };
        let ((left, width), (bottom, height)) = (ends(x), ends(y));
        let cell = VOID_SPACING.max((width * height / MAX_CELLS).sqrt());
        let cell = cell.max(width.max(height) / MAX_CELLS.sqrt() / 16.0);
        let margin = 3.0 * cell;
        Self {
            origin: Coord { x: left - margin, y: bottom - margin },
            cell,
            columns: ((width + 2.0 * margin) / cell) as usize + 1,
            rows: ((height + 2.0 * margin) / cell) as usize + 1,
        }
    }

    /// Columns and rows of the cells in the window.
    fn inside(&self, window: Option<Rect<f64>>) -> [std::ops::Range<usize>; 2] {
        let Some(window) = window else { return [0..self.columns, 0..self.rows] };
        let (low, high) = (window.min() - self.origin, window.max() - self.origin);
        let range = |low: f64, high: f64, n: usize| {
            (low / self.cell) as usize..n.min((high / self.cell) as usize + 1)
        };
        [range(low.x, high.x, self.columns), range(low.y, high.y, self.rows)]
    }
}

/// Voids in raster cells that no street touches, as far as two cells from one, and a frame around all.
fn add_voids(raster: &Raster, sides: &[Side], window: Option<Rect<f64>>, vertices: &mut Vertices) {
    let &Raster { origin, cell, .. } = raster;
    let [columns, rows] = raster.inside(window);
    let width = columns.len();
    let mut touched = vec![false; width * rows.len()];
    for side in sides {
        let (a, b) = (vertices.places[side.ends[0] as usize], vertices.places[side.ends[1] as usize]);
        // Every place of the edge lies within a quarter of a cell of a step.
        let steps = ((b - a).x.hypot((b - a).y) / (cell / 2.0)) as usize + 1;
        for step in 0..=steps {
            let at = a + (b - a) * (step as f64 / steps as f64) - origin;
            let (column, row) = ((at.x / cell) as usize, (at.y / cell) as usize);
            if columns.contains(&column) && rows.contains(&row) {
                touched[(row - rows.start) * width + column - columns.start] = true;
            }
        }
    }
    let near = |column: usize, row: usize, reach: usize| {
        (row.saturating_sub(reach)..=(row + reach).min(rows.len() - 1)).any(|row| {
            let from = row * width + column.saturating_sub(reach);
            touched[from..=row * width + (column + reach).min(width - 1)].iter().any(|&touched| touched)
        })
    };
    for row in 0..rows.len() {
        for column in 0..width {
            if near(column, row, 2) && !touched[row * width + column] {
                let (column, row) = (column + columns.start, row + rows.start);
                // Every other row is moved by half a cell: the triangles come out even.
                let shift = 0.5 + 0.25 * (row % 2) as f64 - 0.125;
                let place = Coord { x: (column as f64 + shift) * cell, y: (row as f64 + 0.5) * cell };
                vertices.at(origin + place);
            }
        }
    }
    let far = Coord { x: cell * (raster.columns + 4) as f64, y: cell * (raster.rows + 4) as f64 };
    for corner in [(-1.0, -1.0), (2.0, -1.0), (-1.0, 2.0), (2.0, 2.0)] {
        vertices.at(origin + Coord { x: far.x * corner.0, y: far.y * corner.1 });
    }
}
