//! Smooths and thins chains without ever letting two boundaries touch or a building change sides.
//!
//! A vertex `b` between `a` and `c` may be dropped, or moved within the triangle `a b c`, if that triangle holds no other vertex of any
//! chain and no corner of a footprint: no other edge can then pass through it, because it would have to cross `a b` or `b c` to leave.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::FxHashMap;

use super::chains::Chain;
use super::exact::{Pt, UNITS, cross, length};
use super::mesh::NONE;
use super::scene::{BoundaryKind, Tag};
use crate::model::StreetClass;

/// How far a boundary may be simplified: triangles up to these areas are dropped, m².
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SimplifyParams {
    /// Rounds of smoothing of boundaries that follow nothing.
    pub rounds: u32,
    /// Boundaries half-way between plots.
    pub cut_m2: f64,
    /// Boundaries along paths and stairs.
    pub path_m2: f64,
    /// Boundaries along streets, railways, rivers and compounds.
    pub street_m2: f64,
}

/// Which chains are at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Straight from cutting: vertices that only served the triangulation go.
    Plots,
    /// Between groups of plots that were smoothed before: outlines keep every vertex.
    Groups,
}

/// Smooths and thins `chains` in place.
pub(super) fn smooth(
    chains: &mut [Chain],
    tags: &[Tag],
    corners: &[Pt],
    params: &SimplifyParams,
    stage: Stage,
) {
    let mut net = Net::new(chains, corners);
    let rules = Rules { tags, params, stage };
    for _ in 0..params.rounds {
        net.relax(&rules);
    }
    net.thin(&rules);
    net.write(chains);
}

/// What may be done at a vertex.
struct Rules<'a> {
    tags: &'a [Tag],
    params: &'a SimplifyParams,
    stage: Stage,
}

impl Rules<'_> {
    fn is_cut(&self, tag: u32) -> bool {
        self.tags[tag as usize].kind == BoundaryKind::Cut
    }

    /// The area below which a vertex between two segments may be dropped, m².
    fn tolerance(&self, before: u32, after: u32) -> f64 {
        let (p, q) = (&self.tags[before as usize], &self.tags[after as usize]);
        if p.kind == BoundaryKind::Outline || q.kind == BoundaryKind::Outline {
            let same_side = p.kind == q.kind && p.side == q.side && self.stage == Stage::Plots;
            return if same_side { f64::INFINITY } else { 0.0 };
        }
        if p.blocked == q.blocked { self.one(p).min(self.one(q)) } else { 0.0 }
    }

    fn one(&self, tag: &Tag) -> f64 {
        match tag.kind {
            BoundaryKind::Cut => self.params.cut_m2,
            BoundaryKind::Street(StreetClass::Path | StreetClass::Steps, _) => self.params.path_m2,
            BoundaryKind::Street(..) | BoundaryKind::Barrier(..) | BoundaryKind::Compound => {
                self.params.street_m2
            }
            BoundaryKind::Wall | BoundaryKind::Outline => 0.0,
        }
    }
}

/// Along walls, a vertex nearer than this to the line between its neighbors only served the triangulation, m.
const STRAIGHT_M: f64 = 0.002;

/// How much larger the triangle of a spike may be than that of another vertex.
const SPIKE: f64 = 8.0;

/// Whether the chain turns back sharply at `b`, within 8 m of one of its neighbors: the hook at the tip of a dead end.
fn is_spike(a: Pt, b: Pt, c: Pt) -> bool {
    let (ax, ay) = ((a[0] - b[0]) as f64, (a[1] - b[1]) as f64);
    let (cx, cy) = ((c[0] - b[0]) as f64, (c[1] - b[1]) as f64);
    let (one, other) = (ax.hypot(ay), cx.hypot(cy));
    one.min(other) < 8.0 * UNITS && ax * cx + ay * cy > 0.7 * one * other
}

/// All vertices of all chains, linked, and the corners of footprints.
struct Net {
    points: Vec<Pt>,
    /// Neighbors along the chain, or [`NONE`]; junctions and corners have no `before` or `after`.
    before: Vec<u32>,
    after: Vec<u32>,
    alive: Vec<bool>,
    chain: Vec<u32>,
    /// Tag of the segment to `after`.
    tag: Vec<u32>,
    /// Per chain its first vertex and how many are alive.
    first: Vec<u32>,
    n_alive: Vec<u32>,
    island: Vec<bool>,
    /// How many chains are a single segment between two points.
    single: FxHashMap<(Pt, Pt), u32>,
    cells: Cells,
}

impl Net {
    fn new(chains: &[Chain], corners: &[Pt]) -> Self {
        let n: usize = chains.iter().map(|chain| chain.points.len()).sum::<usize>() + corners.len();
        let mut net = Self {
            points: Vec::with_capacity(n),
            before: vec![NONE; n],
            after: vec![NONE; n],
            alive: vec![true; n],
            chain: vec![NONE; n],
            tag: vec![NONE; n],
            first: Vec::with_capacity(chains.len()),
            n_alive: Vec::with_capacity(chains.len()),
            island: chains.iter().map(|chain| chain.island).collect(),
            single: FxHashMap::default(),
            cells: Cells::default(),
        };
        for (id, chain) in chains.iter().enumerate() {
            net.add(id as u32, chain);
        }
        net.points.extend_from_slice(corners);
        net.cells = Cells::new(&net.points);
        let n_used = net.points.len();
        net.alive.truncate(n_used);
        for v in 0..n_used {
            net.cells.insert(net.points[v], v as u32);
        }
        net
    }

    fn add(&mut self, id: u32, chain: &Chain) {
        let from = self.points.len();
        let n = chain.points.len() - usize::from(chain.island);
        self.points.extend_from_slice(&chain.points[..n]);
        self.first.push(from as u32);
        self.n_alive.push(n as u32);
        for i in 0..n {
            let v = from + i;
            self.chain[v] = id;
            let next = if i + 1 < n {
                v + 1
            } else if chain.island {
                from
            } else {
                continue;
            };
            self.after[v] = next as u32;
            self.before[next] = v as u32;
            self.tag[v] = chain.tags[i];
        }
        if n == 2 && !chain.island {
            *self.single.entry(ordered(chain.points[0], chain.points[1])).or_default() += 1;
        }
    }

    /// The vertices before and after one that is inside a chain.
    fn around(&self, v: u32) -> Option<[u32; 2]> {
        let pair = [self.before[v as usize], self.after[v as usize]];
        (self.alive[v as usize] && !pair.contains(&NONE)).then_some(pair)
    }

    /// One round of smoothing: every vertex between two cuts moves half-way to the middle of its neighbors.
    fn relax(&mut self, rules: &Rules) {
        for v in 0..self.points.len() as u32 {
            let Some([before, after]) = self.around(v) else { continue };
            if !rules.is_cut(self.tag[before as usize]) || !rules.is_cut(self.tag[v as usize]) {
                continue;
            }
            let [a, b, c] = [before, v, after].map(|u| self.points[u as usize]);
            let moved = [0, 1].map(|i| (a[i] + 2 * b[i] + c[i]).div_euclid(4));
            if moved != b && in_triangle(a, b, c, moved) && moved != a && moved != c && self.is_free(a, b, c)
            {
                self.cells.remove(b, v);
                self.cells.insert(moved, v);
                self.points[v as usize] = moved;
            }
        }
    }

    /// Drops vertices, the least first, while their triangles are within tolerance.
    fn thin(&mut self, rules: &Rules) {
        let mut queue: BinaryHeap<Reverse<(u64, u32)>> = BinaryHeap::new();
        let rank = |net: &Self, v: u32| net.rank(v, rules).map(|rank| Reverse((rank.to_bits(), v)));
        queue.extend((0..self.points.len() as u32).filter_map(|v| rank(self, v)));
        while let Some(Reverse((bits, v))) = queue.pop() {
            let Some([before, after]) = self.around(v) else { continue };
            if rank(self, v) != Some(Reverse((bits, v))) || !self.may_drop(v, before, after) {
                continue;
            }
            self.drop_vertex(v, before, after);
            queue.extend([before, after].into_iter().filter_map(|u| rank(self, u)));
        }
    }

    /// The area of a vertex's triangle over its tolerance, if that is less than 1.
    fn rank(&self, v: u32, rules: &Rules) -> Option<f64> {
        let [before, after] = self.around(v)?;
        let [a, b, c] = [before, v, after].map(|u| self.points[u as usize]);
        let area = super::exact::double_area_to_m2(cross(a, b, c).abs());
        let tolerance = rules.tolerance(self.tag[before as usize], self.tag[v as usize]);
        if tolerance.is_infinite() {
            return Some(0.0);
        }
        let rank = area / tolerance / if is_spike(a, b, c) { SPIKE } else { 1.0 };
        if rank < 1.0 {
            return Some(rank);
        }
        let is_wall = |tag: u32| rules.tags[tag as usize].kind == BoundaryKind::Wall;
        let straight = 2.0 * area < STRAIGHT_M * length(a, c) / UNITS;
        let along_wall = is_wall(self.tag[before as usize]) && is_wall(self.tag[v as usize]);
        (straight && along_wall).then_some(0.0)
    }

    fn may_drop(&self, v: u32, before: u32, after: u32) -> bool {
        let chain = self.chain[v as usize] as usize;
        let [a, b, c] = [before, v, after].map(|u| self.points[u as usize]);
        if self.island[chain] {
            return self.n_alive[chain] > 3 && self.is_free(a, b, c);
        }
        if a == c || (self.n_alive[chain] == 3 && self.single.contains_key(&ordered(a, c))) {
            return false;
        }
        let is_loop = self.n_alive[chain] == 4 && self.ends_meet(before, after);
        !is_loop && self.is_free(a, b, c)
    }

    /// Whether a chain of four vertices, of which these are two, begins and ends at one place.
    fn ends_meet(&self, before: u32, after: u32) -> bool {
        let (mut from, mut to) = (before, after);
        while self.before[from as usize] != NONE {
            from = self.before[from as usize];
        }
        while self.after[to as usize] != NONE {
            to = self.after[to as usize];
        }
        self.points[from as usize] == self.points[to as usize]
    }

    fn drop_vertex(&mut self, v: u32, before: u32, after: u32) {
        let [a, b, c] = [before, v, after].map(|u| self.points[u as usize]);
        self.alive[v as usize] = false;
        self.cells.remove(b, v);
        self.after[before as usize] = after;
        self.before[after as usize] = before;
        if length(b, c) > length(a, b) {
            self.tag[before as usize] = self.tag[v as usize];
        }
        let chain = self.chain[v as usize] as usize;
        if self.first[chain] == v {
            self.first[chain] = after;
        }
        self.n_alive[chain] -= 1;
        if self.n_alive[chain] == 2 {
            *self.single.entry(ordered(a, c)).or_default() += 1;
        }
    }

    /// Whether the closed triangle holds no vertex but its own.
    fn is_free(&self, a: Pt, b: Pt, c: Pt) -> bool {
        self.cells.all_near(a, b, c, |v| {
            let p = self.points[v as usize];
            p == a || p == b || p == c || !in_triangle(a, b, c, p)
        })
    }

    fn write(&self, chains: &mut [Chain]) {
        for (id, chain) in chains.iter_mut().enumerate() {
            chain.points.clear();
            chain.tags.clear();
            let mut v = self.first[id];
            loop {
                chain.points.push(self.points[v as usize]);
                let next = self.after[v as usize];
                if next == NONE {
                    break;
                }
                chain.tags.push(self.tag[v as usize]);
                if next == self.first[id] {
                    chain.points.push(self.points[next as usize]);
                    break;
                }
                v = next;
            }
        }
    }
}

fn ordered(a: Pt, b: Pt) -> (Pt, Pt) {
    if a <= b { (a, b) } else { (b, a) }
}

/// Whether `p` is in the closed triangle, which may be flat.
fn in_triangle(a: Pt, b: Pt, c: Pt, p: Pt) -> bool {
    for axis in 0..2 {
        let low = a[axis].min(b[axis]).min(c[axis]);
        let high = a[axis].max(b[axis]).max(c[axis]);
        if p[axis] < low || high < p[axis] {
            return false;
        }
    }
    let signs = [cross(a, b, p).signum(), cross(b, c, p).signum(), cross(c, a, p).signum()];
    !(signs.contains(&1) && signs.contains(&-1))
}

/// Vertices by square cell.
#[derive(Default)]
struct Cells {
    origin: Pt,
    size: i64,
    columns: i64,
    rows: i64,
    lists: Vec<Vec<u32>>,
}

impl Cells {
    /// Cells of 8 m, or wider where that would make many more cells than vertices.
    fn new(points: &[Pt]) -> Self {
        let Some(&first) = points.first() else { return Self::default() };
        let (low, high) = points.iter().fold((first, first), |(l, h), p| {
            ([l[0].min(p[0]), l[1].min(p[1])], [h[0].max(p[0]), h[1].max(p[1])])
        });
        let mut size = (8.0 * UNITS) as i64;
        let span = [high[0] - low[0], high[1] - low[1]];
        let limit = 4 * points.len() as i64 + 64;
        while (span[0] / size + 1).saturating_mul(span[1] / size + 1) > limit {
            size *= 2;
        }
        let (columns, rows) = (span[0] / size + 1, span[1] / size + 1);
        Self { origin: low, size, columns, rows, lists: vec![Vec::new(); (columns * rows) as usize] }
    }

    fn place(&self, p: Pt) -> usize {
        let [column, row] = self.cell(p);
        (row * self.columns + column) as usize
    }

    fn cell(&self, p: Pt) -> [i64; 2] {
        let column = ((p[0] - self.origin[0]) / self.size).clamp(0, self.columns - 1);
        [column, ((p[1] - self.origin[1]) / self.size).clamp(0, self.rows - 1)]
    }

    fn insert(&mut self, p: Pt, v: u32) {
        let place = self.place(p);
        self.lists[place].push(v);
    }

    fn remove(&mut self, p: Pt, v: u32) {
        let place = self.place(p);
        self.lists[place].retain(|&u| u != v);
    }

    /// Whether `test` holds for all vertices in the cells around a triangle.
    fn all_near(&self, a: Pt, b: Pt, c: Pt, test: impl Fn(u32) -> bool) -> bool {
        let low = self.cell([a[0].min(b[0]).min(c[0]), a[1].min(b[1]).min(c[1])]);
        let high = self.cell([a[0].max(b[0]).max(c[0]), a[1].max(b[1]).max(c[1])]);
        (low[1]..=high[1]).all(|row| {
            (low[0]..=high[0])
                .all(|column| self.lists[(row * self.columns + column) as usize].iter().all(|&v| test(v)))
        })
    }
}
