//! Outlines of one circle, traced through the triangles around the streets.

use geo::Coord;
use rustc_hash::FxHashMap;

use super::circles::OnEdge;
use super::contract::NONE;
use super::mesh::{Ahead, FREE, Mesh, PIECE, SplitEdge};
use super::outline::{Crossing, Knot, Ring, is_inside};

/// Outlines of an area, and the slivers of stations that reach no vertex.
pub(super) struct Traced {
    pub rings: Vec<Ring>,
    pub bare: Vec<Vec<Coord<f64>>>,
}

/// A station in the middle of a street: which, its share of the way from the first end, and the walk to it from there.
type Midway = (u32, f64, u32);

/// Stations in the middle of streets: by half-edge, and by split edge.
#[derive(Debug, Default)]
pub(super) struct Beside {
    halves: FxHashMap<u32, Vec<Midway>>,
    splits: FxHashMap<u32, Vec<Midway>>,
}

impl Beside {
    pub fn of(mesh: &Mesh, on_edges: &[OnEdge]) -> Self {
        let mut beside = Self::default();
        for on in on_edges {
            let ends = on.ends.map(|node| mesh.vertex_of[node as usize]);
            if let Some(half) = mesh.half_edge(ends[0], ends[1]).filter(|&half| mesh.cost(half) < PIECE) {
                beside.halves.entry(half).or_default().push((on.station, on.share, on.access));
                let turned = (on.station, 1.0 - on.share, on.access);
                beside.halves.entry(mesh.twin(half)).or_default().push(turned);
            } else if let Some(index) = mesh.split_between(ends) {
                let is_turned = mesh.splits[index as usize].ends != ends;
                let share = if is_turned { 1.0 - on.share } else { on.share };
                beside.splits.entry(index).or_default().push((on.station, share, on.access));
            }
        }
        beside
    }
}

/// What of a street is covered: as far as `near` from its first end and as far as `far` from its second, below zero
/// if the end is outside, and stretches in between around stations.
struct Stretches {
    near: f64,
    far: f64,
    between: Vec<(f64, f64)>,
}

/// Width in metres of what must be thin but not nothing: points where areas only touch, and the slit along a
/// stretch of street that is not reached inside an area that is.
const THIN: f64 = 0.05;
const SLIT: f64 = 0.3;
/// A stretch that is not reached between two that are is drawn from this length in metres on.
const SHORTEST_STRETCH: f64 = 1e-5;
/// Widths on each side of a sliver, as shares of its length.
const WIDE: [f64; 4] = [0.25, 0.125, 0.0625, 0.03125];

/// Arrays of one thread, ready for the next question: fresh pages cost as much as drawing.
pub(super) struct Scratch {
    walk: Vec<u32>,
    pen: Pen,
}

impl Scratch {
    pub fn of(field: Field<'_>, pen: Pen) -> Self {
        Self { walk: field.walk, pen }
    }

    pub fn new(mesh: &Mesh) -> Self {
        Self { walk: Field::new(mesh).walk, pen: Pen::new(mesh) }
    }

    pub fn ready(self, mesh: &Mesh) -> (Field<'_>, Pen) {
        (Field { mesh, walk: self.walk, owner: Vec::new(), reached: Vec::new() }, self.pen)
    }
}

/// Walks at the vertices of the mesh.
pub(super) struct Field<'a> {
    mesh: &'a Mesh,
    walk: Vec<u32>,
    /// Empty where one station has the plane to itself.
    owner: Vec<u32>,
    pub reached: Vec<u32>,
}

impl<'a> Field<'a> {
    pub fn new(mesh: &'a Mesh) -> Self {
        Self { mesh, walk: vec![NONE; mesh.at.len()], owner: Vec::new(), reached: Vec::new() }
    }

    pub fn with_owners(mesh: &'a Mesh) -> Self {
        Self { owner: vec![NONE; mesh.at.len()], ..Self::new(mesh) }
    }

    pub fn clear(&mut self) {
        for &vertex in &self.reached {
            self.walk[vertex as usize] = NONE;
        }
        self.reached.clear();
    }

    /// Enters the walk of a node.
    pub fn reach(&mut self, node: u32, walk: u32, owner: u32) {
        let vertex = self.mesh.vertex_of[node as usize];
        let known = &mut self.walk[vertex as usize];
        if walk < *known {
            if *known == NONE {
                self.reached.push(vertex);
            }
            *known = walk;
            if let Some(known) = self.owner.get_mut(vertex as usize) {
                *known = owner;
            }
        }
    }

    pub fn reached_by_owner(&self, n: usize) -> Vec<Vec<u32>> {
        let mut by_owner = vec![Vec::new(); n];
        for &vertex in &self.reached {
            by_owner[self.owner[vertex as usize] as usize].push(vertex);
        }
        by_owner
    }
}

/// Remembers where outlines have been drawn.
pub(super) struct Pen {
    /// Number of the drawing in which a half-edge was passed last.
    passed: Vec<u32>,
    drawing: u32,
}

impl Pen {
    pub fn new(mesh: &Mesh) -> Self {
        Self { passed: vec![0; mesh.n_halves()], drawing: 0 }
    }
}

/// A field at a limit, seen by one station or by all.
///
/// The area is given by where it leaves each half-edge: from a vertex inside it covers the half-edge up to
/// [`Drawing::cut`], or all of it. Within a triangle straight lines join the cuts.
pub(super) struct Drawing<'f, 'a> {
    field: &'f Field<'a>,
    mesh: &'a Mesh,
    beside: &'f Beside,
    /// Only this station counts among those on edges; `None` counts all.
    station: Option<u32>,
    /// Only what the station owns is inside.
    owned_only: bool,
    limit: u32,
    /// Walks at crossings within the limit, by vertex.
    crossings: FxHashMap<u32, u32>,
}

impl<'f, 'a> Drawing<'f, 'a> {
    pub fn new(field: &'f Field<'a>, beside: &'f Beside, limit: u32) -> Self {
        let limit = limit.min(NONE - 1);
        let crossings = FxHashMap::default();
        Self { mesh: field.mesh, field, beside, station: None, owned_only: false, limit, crossings }
    }

    pub fn of_station(self, station: u32) -> Self {
        Self { station: Some(station), ..self }
    }

    pub fn owned_only(self) -> Self {
        Self { owned_only: true, ..self }
    }

    /// The outlines of the area around the vertices `reached`.
    pub fn trace(mut self, pen: &mut Pen, reached: &[u32]) -> Traced {
        self.reach_crossings(reached);
        pen.drawing += 1;
        let mut rings = Vec::new();
        let mut crossings: Vec<u32> = self.crossings.keys().copied().collect();
        crossings.sort_unstable();
        for &vertex in reached.iter().chain(&crossings) {
            let Some(walk) = self.walk(vertex) else { continue };
            if !self.owned_only && self.mesh.calm_from[vertex as usize] <= self.limit - walk {
                continue;
            }
            for (half, ahead) in self.mesh.around(vertex) {
                if self.may_leave(ahead, walk) && pen.passed[half as usize] != pen.drawing {
                    rings.extend(self.ring(half, pen));
                }
            }
        }
        Traced { rings, bare: self.bare_stretches() }
    }

    /// Whether the area may leave a half-edge whose origin has this walk: a quick look that settles most of
    /// them. It may not where both ends are inside and there is no street, or where the rest of the limit covers
    /// the street between.
    fn may_leave(&self, Ahead { target, cost }: Ahead, walk: u32) -> bool {
        let covers = cost == FREE || (cost < PIECE && cost <= self.limit - walk);
        !covers || self.walk(target).is_none()
    }

    /// Walk at a vertex inside, `None` outside.
    fn walk(&self, vertex: u32) -> Option<u32> {
        let walk = self.field.walk[vertex as usize];
        if walk <= self.limit {
            let owned = !self.owned_only || self.station == Some(self.field.owner[vertex as usize]);
            return owned.then_some(walk);
        }
        if vertex < self.mesh.n_places { None } else { self.crossings.get(&vertex).copied() }
    }

    /// Walks at crossings of streets that meet nobody there.
    fn reach_crossings(&mut self, reached: &[u32]) {
        if self.mesh.splits.is_empty() {
            return;
        }
        for vertex in reached.iter().filter(|vertex| self.mesh.has_splits[**vertex as usize]) {
            for &index in self.mesh.splits_at.get(vertex).into_iter().flatten() {
                let split = &self.mesh.splits[index as usize];
                let covered = self.covered(split);
                for &(share, vertex) in split.cuts.iter().filter(|cut| cut.1 >= self.mesh.n_places) {
                    if share <= covered[0] || 1.0 - covered[1] <= share {
                        let by = |end: usize, share: f64, cost: u32| {
                            let walk = self.walk(split.ends[end])?;
                            Some((f64::from(walk) + share * f64::from(cost)).min(f64::from(self.limit)) as u32)
                        };
                        let walks = [by(0, share, split.costs[1]), by(1, 1.0 - share, split.costs[0])];
                        let walk = walks.into_iter().flatten().min().unwrap_or(self.limit);
                        let known = self.crossings.entry(vertex).or_insert(walk);
                        *known = walk.min(*known);
                    }
                }
            }
        }
    }

    /// Shares of a split edge that are covered from its first and from its second end; below zero if none.
    fn covered(&self, split: &SplitEdge) -> [f64; 2] {
        let Stretches { near, far, .. } = self.stretches_of(split);
        [near, far]
    }

    fn stretches_of(&self, split: &SplitEdge) -> Stretches {
        let from = |end: usize| {
            let Some(walk) = self.walk(split.ends[end]) else { return -1.0 };
            self.rest_share(walk, split.costs[1 - end]).min(1.0)
        };
        let stations = self.beside.splits.get(&split.index).map_or(&[][..], Vec::as_slice);
        self.stretches(stations, split.costs, from(0), from(1))
    }

    /// What stations in the middle of a street with these costs there and back add to what its ends cover.
    fn stretches(&self, stations: &[Midway], costs: [u32; 2], near: f64, far: f64) -> Stretches {
        let mut all = Stretches { near, far, between: Vec::new() };
        let within = stations.iter().filter(|(station, _, access)| {
            *access <= self.limit && self.station.is_none_or(|mine| mine == *station)
        });
        let around = |&(_, at, access): &Midway| {
            let (before, after) = (self.rest_share(access, costs[0]), self.rest_share(access, costs[1]));
            ((at - before).max(0.0), (at + after).min(1.0))
        };
        let mut stretches: Vec<(f64, f64)> = within.map(around).collect();
        stretches.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        for (start, end) in stretches {
            if start <= all.near {
                all.near = all.near.max(end);
            } else if let Some(last) = all.between.last_mut().filter(|last| start <= last.1) {
                last.1 = last.1.max(end);
            } else {
                all.between.push((start, end));
            }
        }
        while let Some(&(start, _)) = all.between.last().filter(|(_, end)| 1.0 - all.far <= *end) {
            all.far = all.far.max(1.0 - start);
            all.between.pop();
        }
        all
    }

    /// The stretches of a side that is a whole street, from the half-edge's origin on.
    fn stretches_along(&self, half: u32) -> Stretches {
        let (there, back) = (self.mesh.cost(self.mesh.twin(half)), self.mesh.cost(half));
        let from = |vertex: u32, cost: u32| {
            self.walk(vertex).map_or(-1.0, |walk| self.rest_share(walk, cost).min(1.0))
        };
        let stations = self.beside.halves.get(&half).map_or(&[][..], Vec::as_slice);
        let (near, far) = (from(self.mesh.origin(half), back), from(self.mesh.target(half), there));
        self.stretches(stations, [there, back], near, far)
    }

    /// How much of a side of this cost the rest of the limit covers.
    fn rest_share(&self, walk: u32, cost: u32) -> f64 {
        if cost >= PIECE - 1 {
            return 0.0;
        }
        f64::from(self.limit - walk) / f64::from(cost.max(1))
    }

    /// Where the area leaves a half-edge whose origin is inside, as a share of its length; `None` if all of
    /// it is inside.
    fn cut(&self, half: u32) -> Option<f64> {
        let (from, to) = (self.mesh.origin(half), self.mesh.target(half));
        let walk = self.walk(from)?;
        let there = self.walk(to);
        let cost = self.mesh.cost(half);
        if cost == FREE && there.is_some() {
            return None;
        }
        let length = self.mesh.length(half);
        let thin = (THIN / length).min(0.25);
        if cost == FREE {
            // Off the streets at most half-way to what is not inside.
            let share = f64::from(self.limit - walk) / (self.mesh.cost_per_metre * length);
            return Some(share.clamp(thin, 0.5));
        }
        if cost == PIECE {
            return self.cut_piece(half, there.is_some(), thin);
        }
        let mine = self.covers(half, walk).max(thin);
        if let Some(there) = there {
            let theirs = self.covers(self.mesh.twin(half), there).max(thin);
            return if do_meet(mine, theirs, length) { None } else { Some(mine) };
        }
        let meeting = self.meeting(half, walk, to).unwrap_or(1.0);
        Some(mine.min(meeting).clamp(thin, 1.0 - thin))
    }

    /// Share of a street side covered from its origin, stations on the side included.
    fn covers(&self, half: u32, walk: u32) -> f64 {
        if self.beside.halves.contains_key(&half) {
            return self.stretches_along(half).near;
        }
        self.rest_share(walk, self.mesh.cost(half))
    }

    /// Where the way to another station becomes the shorter one.
    fn meeting(&self, half: u32, walk: u32, to: u32) -> Option<f64> {
        let there = self.field.walk[to as usize];
        let (back, forth) = (self.mesh.cost(half), self.mesh.cost(self.mesh.twin(half)));
        if there == NONE || forth >= PIECE - 1 {
            return None;
        }
        let (walk, there) = (f64::from(walk), f64::from(there));
        Some((there - walk + f64::from(forth)) / (f64::from(back) + f64::from(forth)).max(1.0))
    }

    fn cut_piece(&self, half: u32, is_target_inside: bool, thin: f64) -> Option<f64> {
        let mine = self.covers_piece(half)?.clamp(thin, 1.0);
        if is_target_inside {
            let theirs = self.covers_piece(self.mesh.twin(half))?.clamp(thin, 1.0);
            return if do_meet(mine, theirs, self.mesh.length(half)) { None } else { Some(mine) };
        }
        Some(mine.min(1.0 - thin))
    }

    /// Share of a piece of a split edge covered from its origin; `None` for a piece that the mesh has lost.
    fn covers_piece(&self, half: u32) -> Option<f64> {
        let &(index, mut start, mut end) = self.mesh.piece.get(&half)?;
        let [mut near, mut far] = self.covered(&self.mesh.splits[index as usize]);
        if end < start {
            (near, far, start, end) = (far, near, 1.0 - start, 1.0 - end);
        }
        let reach = if 1.0 - far <= near || 1.0 - far <= start { 1.0 } else { near };
        Some((reach - start) / (end - start))
    }

    /// Follows the outline from one cut, the area on the left, until it closes.
    fn ring(&self, start: u32, pen: &mut Pen) -> Option<Ring> {
        let mut ring = Ring::new();
        let (mut half, mut share) = (start, self.cut(start)?);
        while pen.passed[half as usize] != pen.drawing {
            pen.passed[half as usize] = pen.drawing;
            let (from, to) = (self.mesh.origin(half), self.mesh.target(half));
            let beside = self.mesh.turn(half);
            let crossing = match self.walk(to) {
                Some(_) => Crossing::Fixed,
                None if self.mesh.cost(half) == FREE => Crossing::Free,
                None => Crossing::Street,
            };
            let straight = self.is_others(to) || self.is_others(self.mesh.target(beside));
            let (from, to) = (self.mesh.at[from as usize], self.mesh.at[to as usize]);
            ring.push(Knot { half, at: from + (to - from) * share, crossing, straight });
            // The third corner is outside, or inside, or all sides but this one are inside.
            let beyond = self.mesh.twin(self.mesh.next(half));
            (half, share) = if let Some(share) = self.cut(beside) {
                (beside, share)
            } else if let Some(share) = self.cut(beyond) {
                (beyond, share)
            } else {
                let tip = |at| Knot { half: NONE, at, crossing: Crossing::Fixed, straight: true };
                ring.extend(self.slit(half, share).map(tip));
                let back = self.mesh.twin(half);
                (back, self.cut(back)?)
            };
        }
        (half == start && 3 <= ring.len()).then_some(ring)
    }

    /// Whether a vertex lies in the share of another station.
    fn is_others(&self, vertex: u32) -> bool {
        self.owned_only
            && self.field.walk[vertex as usize] <= self.limit
            && self.station != Some(self.field.owner[vertex as usize])
    }

    /// The notch that keeps an unreached stretch of street out of a triangle otherwise inside: one tip, or two.
    /// Its flanks rise at the same angle however long the stretch is, so that a shorter one's lies within.
    fn slit(&self, half: u32, share: f64) -> impl Iterator<Item = Coord<f64>> + use<> {
        let other = self.cut(self.mesh.twin(half)).map(|cut| 1.0 - cut);
        let [from, to, apex] = self.mesh.corners(half);
        let length = (to - from).x.hypot((to - from).y);
        let along = (to - from) / length;
        let left = Coord { x: -along.y, y: along.x };
        let apex = apex - from;
        let (foot, height) = (apex.x * along.x + apex.y * along.y, apex.x * left.x + apex.y * left.y);
        // Flat enough that the notches of two sides do not meet at their common corner.
        let slope = (height / 4.0 / length.max(foot.abs()).max((length - foot).abs())).min(0.35);
        let tips = other.map(|other| {
            let (start, end) = (share * length, other * length);
            let depth = SLIT.min(height / 3.0);
            let flank = depth / slope;
            let tip = |place: f64, depth: f64| from + along * place + left * depth;
            if 2.0 * flank < 0.99 * (end - start) {
                [Some(tip(start + flank, depth)), Some(tip(end - flank, depth))]
            } else {
                [Some(tip((start + end) / 2.0, slope * (end - start).abs() / 2.0)), None]
            }
        });
        tips.into_iter().flatten().flatten()
    }

    /// Tells the two half-edges of a side apart, whatever their numbers.
    fn goes_east(&self, half: u32) -> bool {
        let [from, to] = self.mesh.ends(half);
        (from.x, from.y) < (to.x, to.y)
    }

    /// Stretches around stations that reach neither end of their street, nor what is covered from there: slivers.
    fn bare_stretches(&self) -> Vec<Vec<Coord<f64>>> {
        let mut rings = Vec::new();
        let mut draw = |ends: [u32; 2], stretches: Stretches, half: Option<u32>| {
            let [a, b] = ends.map(|vertex| self.mesh.at[vertex as usize]);
            let is_alone = stretches.near < 0.0 && stretches.far < 0.0;
            for (start, end) in stretches.between {
                let (tail, head) = (a + (b - a) * start, a + (b - a) * end);
                let (left, middle) = (Coord { x: tail.y - head.y, y: head.x - tail.x }, (head + tail) / 2.0);
                let fits = |&wide: &f64| {
                    let is_beside = |half: u32, aside: f64| {
                        is_inside(self.mesh.corners(half), middle + left * (2.0 * aside))
                    };
                    half.is_some_and(|half| is_beside(half, wide) && is_beside(self.mesh.twin(half), -wide))
                };
                // Alone as wide as its two triangles allow, else thin enough for the notch in the area around.
                let thin = (THIN / left.x.hypot(left.y).max(THIN)).min(0.25);
                let wide = WIDE.into_iter().filter(|_| is_alone).find(fits).unwrap_or(thin);
                rings.push(vec![tail, middle - left * wide, head, middle + left * wide]);
            }
        };
        for half in sorted(&self.beside.halves).filter(|&half| self.goes_east(half)) {
            draw([self.mesh.origin(half), self.mesh.target(half)], self.stretches_along(half), Some(half));
        }
        for index in sorted(&self.beside.splits) {
            let split = &self.mesh.splits[index as usize];
            draw(split.ends, self.stretches_of(split), None);
        }
        rings
    }
}

/// Whether what is covered of a side from its two ends leaves no stretch between that could be drawn. Between cuts
/// at one place there would be a hole without an area.
fn do_meet(mine: f64, theirs: f64, length: f64) -> bool {
    (1.0 - (mine + theirs)) * length < SHORTEST_STRETCH
}

fn sorted(stations: &FxHashMap<u32, Vec<Midway>>) -> impl Iterator<Item = u32> + use<> {
    let mut keys: Vec<u32> = stations.keys().copied().collect();
    keys.sort_unstable();
    keys.into_iter()
}
