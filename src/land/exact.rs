//! Whole-number coordinates, and the predicates that cannot be wrong.
//!
//! One unit is 2⁻²² m, a quarter of a grain. Input is snapped to grains of 2⁻²⁰ m (about one micrometre), so that midpoints of edges
//! and inner points of triangles are whole numbers of units, and every unit is exact as an `f64` number of metres again.

use geo::Coord;

/// A point, in units of 2⁻²² m.
pub(super) type Pt = [i64; 2];

/// Units per metre.
pub(super) const UNITS: f64 = 4_194_304.0;
/// Units per grain: vertices made from input are multiples of it.
const GRAIN: i64 = 4;
/// Beyond this many metres a coordinate is refused: products of differences stay far within 128 bits, and units are exact in `f64`.
const LIMIT_M: f64 = 134_217_728.0;

/// The nearest grain to a place in metres; `None` if it is not finite or out of range.
pub(super) fn snap(place: Coord<f64>) -> Option<Pt> {
    let inside = |v: f64| v.is_finite() && v.abs() <= LIMIT_M;
    (inside(place.x) && inside(place.y)).then(|| [snap_metres(place.x), snap_metres(place.y)])
}

fn snap_metres(v: f64) -> i64 {
    (v * (UNITS / GRAIN as f64)).round() as i64 * GRAIN
}

/// The nearest grain to a place given in units.
pub(super) fn snap_units(x: f64, y: f64) -> Pt {
    let grain = GRAIN as f64;
    [(x / grain).round() as i64 * GRAIN, (y / grain).round() as i64 * GRAIN]
}

/// Units to metres; exact.
pub(super) fn to_metres(p: Pt) -> Coord<f64> {
    Coord { x: p[0] as f64 / UNITS, y: p[1] as f64 / UNITS }
}

/// Metres to units, for lengths.
pub(super) fn units(metres: f64) -> f64 {
    metres * UNITS
}

/// Twice the signed area of the triangle `o`, `a`, `b`; positive when it turns left.
#[inline]
pub(super) fn cross(o: Pt, a: Pt, b: Pt) -> i128 {
    let (ax, ay) = (a[0] - o[0], a[1] - o[1]);
    let (bx, by) = (b[0] - o[0], b[1] - o[1]);
    i128::from(ax) * i128::from(by) - i128::from(ay) * i128::from(bx)
}

/// The term of edge `a`→`b` in the shoelace formula about `origin`: summed over a ring it is twice the signed area.
#[inline]
pub(super) fn shoelace(origin: Pt, a: Pt, b: Pt) -> i128 {
    cross(origin, a, b)
}

/// Twice an area in square units, to square metres.
pub(super) fn double_area_to_m2(double_area: i128) -> f64 {
    double_area as f64 / (2.0 * UNITS * UNITS)
}

/// Length of `a`→`b`, units.
#[inline]
pub(super) fn length(a: Pt, b: Pt) -> f64 {
    let (dx, dy) = ((b[0] - a[0]) as f64, (b[1] - a[1]) as f64);
    dx.hypot(dy)
}

/// Squared length of `a`→`b`, square units, as a float: used only to rank.
#[inline]
pub(super) fn length_squared(a: Pt, b: Pt) -> f64 {
    let (dx, dy) = ((b[0] - a[0]) as f64, (b[1] - a[1]) as f64);
    dx * dx + dy * dy
}

/// Whether `p`, known to be on the line through `a` and `b`, lies strictly between them.
pub(super) fn strictly_between(a: Pt, b: Pt, p: Pt) -> bool {
    let axis = usize::from((a[0] - b[0]).abs() < (a[1] - b[1]).abs());
    (a[axis] < p[axis] && p[axis] < b[axis]) || (b[axis] < p[axis] && p[axis] < a[axis])
}

/// Where segments `a`–`b` and `c`–`d` meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meeting {
    /// Not at all, or only at shared end points.
    Apart,
    /// They cross inside both; the nearest grain to the place.
    Cross(Pt),
    /// End points lie inside the other segment: those of the first inside the second, those of the second inside the first.
    Touch { on_second: [Option<Pt>; 2], on_first: [Option<Pt>; 2] },
}

/// How two segments meet, by exact signs.
pub(super) fn meeting(a: Pt, b: Pt, c: Pt, d: Pt) -> Meeting {
    let (abc, abd) = (cross(a, b, c).signum(), cross(a, b, d).signum());
    if abc * abd > 0 {
        return Meeting::Apart;
    }
    let (cda, cdb) = (cross(c, d, a).signum(), cross(c, d, b).signum());
    if cda * cdb > 0 {
        return Meeting::Apart;
    }
    if abc != 0 && abd != 0 && cda != 0 && cdb != 0 {
        return Meeting::Cross(crossing_point(a, b, c, d));
    }
    let inside = |on_line: bool, p: Pt, s: Pt, t: Pt| (on_line && strictly_between(s, t, p)).then_some(p);
    let on_second = [inside(cda == 0, a, c, d), inside(cdb == 0, b, c, d)];
    let on_first = [inside(abc == 0, c, a, b), inside(abd == 0, d, a, b)];
    if on_second == [None; 2] && on_first == [None; 2] {
        return Meeting::Apart;
    }
    Meeting::Touch { on_second, on_first }
}

fn crossing_point(a: Pt, b: Pt, c: Pt, d: Pt) -> Pt {
    let (from_c, whole) = (cross(c, d, a) as f64, cross(c, d, a) as f64 - cross(c, d, b) as f64);
    let t = from_c / whole;
    let (dx, dy) = ((b[0] - a[0]) as f64, (b[1] - a[1]) as f64);
    let moved = snap_units(t * dx, t * dy);
    let base = [a[0].rem_euclid(GRAIN), a[1].rem_euclid(GRAIN)];
    [a[0] - base[0] + moved[0], a[1] - base[1] + moved[1]]
}

/// Whether `p` is inside the rings made by `edges`, by the even-odd rule; on an edge the answer is one of the two, always the same.
pub(super) fn inside_edges(edges: &[[Pt; 2]], p: Pt) -> bool {
    let mut inside = false;
    for &[a, b] in edges {
        if (a[1] > p[1]) == (b[1] > p[1]) {
            continue;
        }
        let (low, high) = if a[1] < b[1] { (a, b) } else { (b, a) };
        inside ^= cross(low, high, p) > 0;
    }
    inside
}
