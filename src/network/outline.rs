//! Outlines of circles as curves that cross every street where the polygon through the cuts does.
//!
//! An outline runs from side to side through triangles. Streets lie on sides only, so inside a triangle any
//! curve between the same two places is as right as the straight line, and on a side without a street the
//! crossing may slide. Both are used to print a smooth line: crossings off the streets move towards the line
//! between their neighbors, then each stretch becomes a cubic curve whose control points lie in its triangle.

use geo::Coord;
use rustc_hash::{FxHashMap, FxHashSet};

use super::contract::NONE;
use super::mesh::Mesh;

/// How often crossings off the streets are moved.
const PASSES: usize = 3;
/// Part of a side, from its vertex inside, in which a crossing off the streets stays.
const SLIDE: (f64, f64) = (0.08, 0.75);
/// How far in metres a drawn line may be from the curve.
const FLATNESS: f64 = 0.25;
/// What is shorter stays a straight line.
const SHORTEST: f64 = 3.0;
/// Most lines for one curve.
const MOST_LINES: f64 = 8.0;

/// How an outline crosses a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crossing {
    /// On a street: here and nowhere else.
    Street,
    /// Off the streets, with only the origin of the half-edge inside.
    Free,
    /// In a slit: everything around stays as it is.
    Fixed,
}

/// A corner of an outline.
#[derive(Clone, Copy, Debug)]
pub(super) struct Knot {
    /// The half-edge crossed, its origin inside; the outline goes on in the triangle on its left. [`NONE`] at
    /// the tip of a slit.
    pub half: u32,
    pub at: Coord<f64>,
    pub crossing: Crossing,
    /// Whether the way to the next knot must be straight.
    pub straight: bool,
}

/// A closed outline with the area on its left.
pub(super) type Ring = Vec<Knot>;

/// Marks what must stay straight so that areas drawn together hold one another as exactly as before: the
/// stretches in triangles that outlines of more than one of the areas pass. Outlines that are the same in
/// several areas stay the same, so they may all be smooth.
pub(super) fn straighten_shared<'a>(mesh: &Mesh, areas: impl IntoIterator<Item = &'a mut Vec<Ring>>) {
    let mut areas: Vec<&mut Vec<Ring>> = areas.into_iter().collect();
    if areas.len() < 2 {
        return;
    }
    let mut first: FxHashMap<u32, (usize, u64)> = FxHashMap::default();
    let mut shared: FxHashSet<u32> = FxHashSet::default();
    for (index, rings) in areas.iter().enumerate() {
        for ring in rings.iter() {
            let print = fingerprint(ring);
            for knot in ring.iter().filter(|knot| knot.half != NONE) {
                let triangle = mesh.triangle(knot.half);
                let known = *first.entry(triangle).or_insert((index, print));
                if known.0 != index && known.1 != print {
                    shared.insert(triangle);
                }
            }
        }
    }
    if shared.is_empty() {
        return;
    }
    for knot in areas.iter_mut().flat_map(|rings| rings.iter_mut().flatten()) {
        knot.straight |= knot.half != NONE && shared.contains(&mesh.triangle(knot.half));
    }
}

/// Makes the slits of wider areas shallower until they spare all that narrower areas drawn with them cover. Next to
/// a street that runs within half a metre of another, a slit as deep as usual could reach the narrower area on the
/// far side of its triangle.
pub(super) fn shorten_slits(mesh: &Mesh, areas: &mut [(u32, &mut Vec<Ring>)]) {
    areas.sort_by_key(|(limit, _)| *limit);
    let mut slit: FxHashSet<u32> = FxHashSet::default();
    for ring in areas.iter().skip(1).flat_map(|(_, rings)| rings.iter()) {
        let bases = ring.windows(2).filter(|pair| pair[0].half != NONE && pair[1].half == NONE);
        slit.extend(bases.map(|pair| mesh.triangle(pair[0].half)));
    }
    let mut lines: FxHashMap<u32, Vec<Line>> = FxHashMap::default();
    for ring in areas.iter_mut().filter(|_| !slit.is_empty()).flat_map(|(_, rings)| rings.iter_mut()) {
        let mut base = NONE;
        for knot in ring.iter_mut() {
            if knot.half != NONE {
                base = knot.half;
                continue;
            }
            // A line that is the side of another slit says nothing here.
            let near = lines.get(&mesh.triangle(base)).into_iter().flatten();
            for line in near.filter(|line| line.slit.is_none_or(|slit| slit == base)) {
                knot.at = line.pushed_out(mesh, base, knot.at);
            }
        }
        for (i, knot) in ring.iter().enumerate() {
            let next = ring[(i + 1) % ring.len()];
            let is_side = knot.half == NONE || next.half == NONE;
            if knot.half != NONE {
                base = knot.half;
            }
            let triangle = mesh.triangle(base);
            if slit.contains(&triangle) {
                let slit = is_side.then_some(base);
                lines.entry(triangle).or_default().push(Line { slit, from: knot.at, to: next.at });
            }
        }
    }
}

/// A stretch of an outline inside a triangle, the area on its left.
struct Line {
    /// The half-edge of the slit whose side it is.
    slit: Option<u32>,
    from: Coord<f64>,
    to: Coord<f64>,
}

impl Line {
    /// The tip of a slit over the half-edge `base`, pulled back towards it so far that it is not left of the line.
    fn pushed_out(&self, mesh: &Mesh, base: u32, tip: Coord<f64>) -> Coord<f64> {
        let left_of = |at: Coord<f64>| cross(self.to - self.from, at - self.from);
        if left_of(tip) <= 0.0 {
            return tip;
        }
        let [a, b, _] = mesh.corners(base);
        let foot = a + (b - a) * (dot(tip - a, b - a) / dot(b - a, b - a));
        let (high, low) = (left_of(tip), left_of(foot).min(0.0));
        foot + (tip - foot) * (0.98 * low / (low - high))
    }
}

/// The same for rings with the same knots, wherever they start.
fn fingerprint(ring: &Ring) -> u64 {
    use std::hash::{Hash, Hasher};
    let knot = |knot: &Knot| {
        let mut hasher = rustc_hash::FxHasher::default();
        (knot.half, knot.at.x.to_bits(), knot.at.y.to_bits(), knot.straight).hash(&mut hasher);
        hasher.finish()
    };
    ring.iter().map(knot).fold(0, u64::wrapping_add)
}

/// The ring as a smooth line.
pub(super) fn smooth(mesh: &Mesh, ring: &Ring) -> Vec<Coord<f64>> {
    let n = ring.len();
    let is_straight: Vec<bool> = (0..n)
        .map(|i| {
            let fixed = |knot: &Knot| knot.crossing == Crossing::Fixed;
            ring[i].straight || fixed(&ring[i]) || fixed(&ring[(i + 1) % n])
        })
        .collect();
    let places = slide(mesh, ring, &is_straight);
    let before = |i: usize| if i == 0 { n - 1 } else { i - 1 };
    let after = |i: usize| if i + 1 == n { 0 } else { i + 1 };
    let tangent = |i: usize| {
        let (into, out) = (places[i] - places[before(i)], places[after(i)] - places[i]);
        match (is_straight[before(i)], is_straight[i]) {
            (false, false) => circle_tangent(into, out),
            (true, _) => unit(into),
            (false, true) => unit(out),
        }
    };
    let mut line = Vec::with_capacity(3 * n);
    let mut leaving = tangent(0);
    for i in 0..n {
        let (from, to) = (places[i], places[after(i)]);
        let arriving = tangent(after(i));
        line.push(from);
        if !is_straight[i] && SHORTEST * SHORTEST <= dot(to - from, to - from) {
            add_curve(&mut line, mesh.corners(ring[i].half), (from, leaving), (to, arriving));
        }
        leaving = arriving;
    }
    line
}

/// Moves the crossings off the streets along their sides, towards the line between their neighbors.
fn slide(mesh: &Mesh, ring: &Ring, is_straight: &[bool]) -> Vec<Coord<f64>> {
    let n = ring.len();
    let mut places: Vec<Coord<f64>> = ring.iter().map(|knot| knot.at).collect();
    let before = |i: usize| if i == 0 { n - 1 } else { i - 1 };
    let slides = |i: usize| ring[i].crossing == Crossing::Free && !is_straight[before(i)] && !is_straight[i];
    let mut sliding: Vec<Sliding> = (0..n)
        .filter(|&i| slides(i))
        .map(|i| {
            let [from, to] = mesh.ends(ring[i].half);
            let (side, at) = (to - from, places[i]);
            let length_squared = dot(side, side);
            Sliding { index: i, from, side, length_squared, share: dot(at - from, side) / length_squared, at }
        })
        .collect();
    for _ in 0..PASSES {
        for knot in &mut sliding {
            let i = knot.index;
            let before = places[before(i)];
            let chord = places[if i + 1 == n { 0 } else { i + 1 }] - before;
            let sine = cross(knot.side, chord);
            if sine * sine < 1e-6 * knot.length_squared * dot(chord, chord) {
                continue;
            }
            let aim = cross(before - knot.from, chord) / sine;
            let share = (knot.share + aim.clamp(-1.0, 2.0)) / 2.0;
            // What is cut nearer to its vertex than the crossings that slide is held by its limit there.
            knot.share = share.clamp(SLIDE.0.min(knot.share), SLIDE.1);
            knot.at = knot.from + knot.side * knot.share;
        }
        sliding.iter().for_each(|knot| places[knot.index] = knot.at);
    }
    places
}

/// A crossing on its way along a side.
struct Sliding {
    index: usize,
    from: Coord<f64>,
    side: Coord<f64>,
    length_squared: f64,
    /// Where it is now, as a share of the side.
    share: f64,
    at: Coord<f64>,
}

/// Adds the places between two knots on a cubic curve inside the triangle.
fn add_curve(
    line: &mut Vec<Coord<f64>>,
    corners: [Coord<f64>; 3],
    (from, leaving): (Coord<f64>, Coord<f64>),
    (to, arriving): (Coord<f64>, Coord<f64>),
) {
    let chord = to - from;
    let length = dot(chord, chord).sqrt();
    let handle = |at: Coord<f64>, along: Coord<f64>, towards: Coord<f64>| {
        // Backwards would make a loop.
        if dot(along, towards) <= 0.0 {
            return at + towards / 3.0;
        }
        let handles = [1.0 / 3.0, 1.0 / 6.0, 1.0 / 12.0].map(|part| at + along * (length * part));
        handles.into_iter().find(|&place| is_inside(corners, place)).unwrap_or(at + towards / 3.0)
    };
    let (first, second) = (handle(from, leaving, chord), handle(to, arriving * -1.0, chord * -1.0));
    let aside = |place: Coord<f64>| cross(chord, place - from).abs() / length.max(1e-9);
    let bulge = aside(first).max(aside(second)) * 0.75;
    let lines = (bulge / FLATNESS).sqrt().ceil().min(MOST_LINES) as u32;
    for step in 1..lines {
        let t = f64::from(step) / f64::from(lines);
        let s = 1.0 - t;
        line.push(
            from * (s * s * s) + first * (3.0 * s * s * t) + second * (3.0 * s * t * t) + to * (t * t * t),
        );
    }
}

/// Direction at the middle of three places of the circle through them.
fn circle_tangent(into: Coord<f64>, out: Coord<f64>) -> Coord<f64> {
    unit(into / dot(into, into).max(1e-12) + out / dot(out, out).max(1e-12))
}

pub(super) fn is_inside([a, b, c]: [Coord<f64>; 3], at: Coord<f64>) -> bool {
    0.0 <= cross(b - a, at - a) && 0.0 <= cross(c - b, at - b) && 0.0 <= cross(a - c, at - c)
}

fn unit(along: Coord<f64>) -> Coord<f64> {
    along / dot(along, along).sqrt().max(1e-9)
}

fn dot(a: Coord<f64>, b: Coord<f64>) -> f64 {
    a.x * b.x + a.y * b.y
}

fn cross(a: Coord<f64>, b: Coord<f64>) -> f64 {
    a.x * b.y - a.y * b.x
}
