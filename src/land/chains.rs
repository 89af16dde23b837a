//! Chains of boundary between junctions, and rings traced from them.

use geo::{Coord, LineString, MultiPolygon, Polygon};
use rustc_hash::FxHashMap;

use super::cut::Piece;
use super::exact::{Pt, cross, shoelace, to_metres};
use super::scene::OUTSIDE;

/// Boundary between two units from one junction to the next, or all around.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    pub left: u32,
    pub right: u32,
    /// At least two points; the last equals the first in a closed chain.
    pub points: Vec<Pt>,
    /// What runs along each segment, as an index into the tags: one fewer than points.
    pub tags: Vec<u32>,
    /// Closed, and no other chain touches it.
    pub island: bool,
}

impl Chain {
    /// Its share in twice the area of the unit on its left.
    fn double_area(&self, origin: Pt) -> i128 {
        self.points.windows(2).map(|pair| shoelace(origin, pair[0], pair[1])).sum()
    }

    /// Segments with their tags.
    pub fn segments(&self) -> impl Iterator<Item = (Pt, Pt, u32)> + '_ {
        self.points.windows(2).zip(&self.tags).map(|(pair, &tag)| (pair[0], pair[1], tag))
    }
}

/// Joins pieces into chains. The order depends only on the pieces' order.
pub(super) fn join(pieces: &[Piece]) -> Vec<Chain> {
    let mut ids: FxHashMap<Pt, u32> = FxHashMap::default();
    let mut id = |p: Pt| {
        let next = ids.len() as u32;
        *ids.entry(p).or_insert(next)
    };
    let ends: Vec<[u32; 2]> = pieces.iter().map(|piece| [id(piece.a), id(piece.b)]).collect();
    let incident = Incidence::new(ids.len(), &ends);
    let mut used = vec![false; pieces.len()];
    let mut chains = Vec::new();
    let walk = Walk { pieces, ends: &ends, incident: &incident };
    for first in 0..pieces.len() {
        if !used[first] && (walk.next(first, 0).is_none() || walk.next(first, 1).is_none()) {
            let towards = usize::from(walk.next(first, 0).is_none());
            chains.push(walk.chain(first, towards, &mut used));
        }
    }
    for first in 0..pieces.len() {
        if !used[first] {
            chains.push(Chain { island: true, ..walk.chain(first, 1, &mut used) });
        }
    }
    chains
}

/// The chains between groups of units, with groups for units; `group(unit)` is a group or [`OUTSIDE`].
pub(super) fn regroup(chains: &[Chain], group: impl Fn(u32) -> u32) -> Vec<Chain> {
    let mut pieces = Vec::new();
    for chain in chains {
        let (left, right) = (group(chain.left), group(chain.right));
        if left != right {
            pieces.extend(chain.segments().map(|(a, b, tag)| Piece { a, b, left, right, tag }));
        }
    }
    join(&pieces)
}

/// Which pieces meet at each vertex.
struct Incidence {
    start: Vec<u32>,
    pieces: Vec<u32>,
}

impl Incidence {
    fn new(n: usize, ends: &[[u32; 2]]) -> Self {
        let mut start = vec![0u32; n + 1];
        for &v in ends.iter().flatten() {
            start[v as usize + 1] += 1;
        }
        for v in 0..n {
            start[v + 1] += start[v];
        }
        let mut at = start.clone();
        let mut pieces = vec![0; 2 * ends.len()];
        for (piece, pair) in ends.iter().enumerate() {
            for &v in pair {
                pieces[at[v as usize] as usize] = piece as u32;
                at[v as usize] += 1;
            }
        }
        Self { start, pieces }
    }

    fn at(&self, v: u32) -> &[u32] {
        &self.pieces[self.start[v as usize] as usize..self.start[v as usize + 1] as usize]
    }
}

struct Walk<'a> {
    pieces: &'a [Piece],
    ends: &'a [[u32; 2]],
    incident: &'a Incidence,
}

impl Walk<'_> {
    /// The piece that continues `piece` beyond its end (0 = start, 1 = end), and the end at which it is entered.
    fn next(&self, piece: usize, end: usize) -> Option<(usize, usize)> {
        let v = self.ends[piece][end];
        let &[a, b] = self.incident.at(v) else { return None };
        let other = if a as usize == piece { b } else { a } as usize;
        if other == piece {
            return None;
        }
        let entered = usize::from(self.ends[other][1] == v);
        let same_way = entered != end;
        let (p, q) = (&self.pieces[piece], &self.pieces[other]);
        let sides = if same_way { (q.left, q.right) } else { (q.right, q.left) };
        (sides == (p.left, p.right)).then_some((other, entered))
    }

    /// The chain from `first` on beyond its end `towards`, directed as `first` is walked.
    fn chain(&self, first: usize, towards: usize, used: &mut [bool]) -> Chain {
        let at =
            |piece: usize, end: usize| if end == 0 { self.pieces[piece].a } else { self.pieces[piece].b };
        let piece = &self.pieces[first];
        let (left, right) = if towards == 1 { (piece.left, piece.right) } else { (piece.right, piece.left) };
        let mut points = vec![at(first, 1 - towards), at(first, towards)];
        let mut tags = vec![piece.tag];
        used[first] = true;
        let (mut current, mut end) = (first, towards);
        while let Some((next, entered)) = self.next(current, end) {
            if used[next] {
                break;
            }
            used[next] = true;
            (current, end) = (next, 1 - entered);
            points.push(at(current, end));
            tags.push(self.pieces[current].tag);
        }
        Chain { left, right, points, tags, island: false }
    }
}

/// A chain walked one way for a ring.
#[derive(Clone, Copy, Debug)]
struct Directed {
    chain: u32,
    forward: bool,
}

/// Traces the polygons of the units or groups 0 to `n - 1` that the chains bound.
///
/// Rings of one group that meet at a point are separate rings.
pub(super) fn trace(chains: &[Chain], n: usize) -> Vec<MultiPolygon<f64>> {
    let mut half: Vec<(Pt, Directed)> = Vec::with_capacity(2 * chains.len());
    for (id, chain) in chains.iter().enumerate() {
        let (Some(&first), Some(&last)) = (chain.points.first(), chain.points.last()) else { continue };
        let id = id as u32;
        half.push((first, Directed { chain: id, forward: true }));
        half.push((last, Directed { chain: id, forward: false }));
    }
    let tracer = Tracer::new(chains, half);
    let mut rings: Vec<Vec<Vec<Pt>>> = vec![Vec::new(); n];
    let mut used = vec![false; tracer.half.len()];
    for from in 0..tracer.half.len() {
        let label = tracer.left(from);
        if used[from] || label as usize >= n {
            continue;
        }
        split_at_repeats(tracer.trace(from, &mut used), &mut rings[label as usize]);
    }
    rings.into_iter().map(assemble).collect()
}

/// Half-chains around their start points.
struct Tracer<'a> {
    chains: &'a [Chain],
    /// Sorted by start point, then by direction turning left.
    half: Vec<(Pt, Directed)>,
    /// Per chain the places of its forward and backward half in `half`.
    place: FxHashMap<(u32, bool), u32>,
}

impl<'a> Tracer<'a> {
    fn new(chains: &'a [Chain], mut half: Vec<(Pt, Directed)>) -> Self {
        let second = |d: Directed| {
            let points = &chains[d.chain as usize].points;
            if d.forward { points[1] } else { points[points.len() - 2] }
        };
        half.sort_by(|(p, d), (q, e)| {
            p.cmp(q)
                .then_with(|| turning_left(*p, second(*d), second(*e)))
                .then((d.chain, d.forward).cmp(&(e.chain, e.forward)))
        });
        let place = half.iter().enumerate().map(|(i, (_, d))| ((d.chain, d.forward), i as u32)).collect();
        Self { chains, half, place }
    }

    fn left(&self, half: usize) -> u32 {
        let Directed { chain, forward } = self.half[half].1;
        let chain = &self.chains[chain as usize];
        if forward { chain.left } else { chain.right }
    }

    /// The half-chain that follows: from the end point the next one turning right from the way back.
    fn next(&self, half: usize) -> usize {
        let Directed { chain, forward } = self.half[half].1;
        let back = self.place[&(chain, !forward)] as usize;
        let at = self.half[back].0;
        if back > 0 && self.half[back - 1].0 == at {
            return back - 1;
        }
        let mut last = back;
        while last + 1 < self.half.len() && self.half[last + 1].0 == at {
            last += 1;
        }
        last
    }

    /// The points of the ring that starts with `from`, without repeating the first.
    fn trace(&self, from: usize, used: &mut [bool]) -> Vec<Pt> {
        let mut ring = Vec::new();
        let mut at = from;
        while !used[at] {
            used[at] = true;
            let Directed { chain, forward } = self.half[at].1;
            let points = &self.chains[chain as usize].points;
            if forward {
                ring.extend_from_slice(&points[..points.len() - 1]);
            } else {
                ring.extend(points[1..].iter().rev());
            }
            at = self.next(at);
        }
        ring
    }
}

/// Orders directions from `o`, turning left from due east.
fn turning_left(o: Pt, a: Pt, b: Pt) -> std::cmp::Ordering {
    let lower = |p: Pt| (p[1], p[0]) < (o[1], o[0]);
    lower(a).cmp(&lower(b)).then_with(|| 0.cmp(&cross(o, a, b)))
}

/// Splits a ring wherever it comes back to a point, so that every ring is simple.
fn split_at_repeats(ring: Vec<Pt>, out: &mut Vec<Vec<Pt>>) {
    let mut place: FxHashMap<Pt, usize> = FxHashMap::default();
    let mut path: Vec<Pt> = Vec::new();
    for p in ring {
        if let Some(&at) = place.get(&p) {
            let closed: Vec<Pt> = path.drain(at..).collect();
            for q in &closed {
                place.remove(q);
            }
            if closed.len() > 2 {
                out.push(closed);
            }
        }
        place.insert(p, path.len());
        path.push(p);
    }
    if path.len() > 2 {
        out.push(path);
    }
}

fn ring_double_area(ring: &[Pt]) -> i128 {
    let Some(&origin) = ring.first() else { return 0 };
    (0..ring.len()).map(|i| shoelace(origin, ring[i], ring[(i + 1) % ring.len()])).sum()
}

/// Polygons from simple rings: those that turn left are shells, each other one is a hole of the smallest shell around it.
fn assemble(rings: Vec<Vec<Pt>>) -> MultiPolygon<f64> {
    let mut shells: Vec<(i128, Vec<Pt>, Vec<Vec<Pt>>)> = Vec::new();
    let mut holes = Vec::new();
    for ring in rings {
        let area = ring_double_area(&ring);
        if area > 0 {
            shells.push((area, ring, Vec::new()));
        } else if area < 0 {
            holes.push(ring);
        }
    }
    shells.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
    for hole in holes {
        let only = shells.len() == 1;
        let around = shells.iter_mut().find(|(_, shell, _)| only || holds(shell, &hole));
        if let Some((_, _, inner)) = around {
            inner.push(hole);
        }
    }
    shells.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let to_polygon = |(_, shell, inner): (i128, Vec<Pt>, Vec<Vec<Pt>>)| {
        Polygon::new(to_line(&shell), inner.iter().map(|ring| to_line(ring)).collect())
    };
    MultiPolygon(shells.into_iter().map(to_polygon).collect())
}

/// Whether a hole lies in a shell: the middle of its first edge cannot be on the shell.
fn holds(shell: &[Pt], hole: &[Pt]) -> bool {
    let twice = |p: Pt| [2 * p[0], 2 * p[1]];
    let m = [hole[0][0] + hole[1][0], hole[0][1] + hole[1][1]];
    let mut inside = false;
    for i in 0..shell.len() {
        let (a, b) = (twice(shell[i]), twice(shell[(i + 1) % shell.len()]));
        if (a[1] > m[1]) != (b[1] > m[1]) {
            let (low, high) = if a[1] < b[1] { (a, b) } else { (b, a) };
            inside ^= cross(low, high, m) > 0;
        }
    }
    inside
}

fn to_line(ring: &[Pt]) -> LineString<f64> {
    let closed = ring.iter().chain(ring.first());
    LineString(closed.map(|&p| to_metres(p)).collect::<Vec<Coord<f64>>>())
}

/// Twice the area of every unit, square units.
pub(super) fn double_areas(chains: &[Chain], n_units: usize) -> Vec<i128> {
    let origin = chains.first().map_or([0, 0], |chain| chain.points[0]);
    let mut areas = vec![0i128; n_units];
    for chain in chains {
        let area = chain.double_area(origin);
        for (unit, sign) in [(chain.left, 1), (chain.right, -1)] {
            if unit != OUTSIDE {
                areas[unit as usize] += sign * area;
            }
        }
    }
    areas
}
