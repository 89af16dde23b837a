//! Small plane geometry on open rings (the first vertex is not repeated), counter-clockwise.

use geo::Coord;

pub(super) type Ring = Vec<Coord<f64>>;

/// To whole millimetres, so that nothing moves when land is noded on that grid.
pub(super) fn mm(at: Coord<f64>) -> Coord<f64> {
    Coord { x: (at.x * 1000.0).round() / 1000.0, y: (at.y * 1000.0).round() / 1000.0 }
}

pub(super) fn dot(a: Coord<f64>, b: Coord<f64>) -> f64 {
    a.x * b.x + a.y * b.y
}

pub(super) fn cross(a: Coord<f64>, b: Coord<f64>) -> f64 {
    a.x * b.y - a.y * b.x
}

pub(super) fn length(a: Coord<f64>) -> f64 {
    a.x.hypot(a.y)
}

pub(super) fn unit(a: Coord<f64>) -> Coord<f64> {
    a / length(a).max(1e-9)
}

/// A quarter turn to the left.
pub(super) fn left(a: Coord<f64>) -> Coord<f64> {
    Coord { x: -a.y, y: a.x }
}

pub(super) fn lerp(a: Coord<f64>, b: Coord<f64>, share: f64) -> Coord<f64> {
    a + (b - a) * share
}

/// Signed area, positive counter-clockwise.
pub(super) fn area(ring: &[Coord<f64>]) -> f64 {
    let first = ring.first().copied().unwrap_or_default();
    edges(ring).map(|(a, b)| cross(a - first, b - first)).sum::<f64>() / 2.0
}

/// Edges of a ring with the closing one.
pub(super) fn edges(ring: &[Coord<f64>]) -> impl Iterator<Item = (Coord<f64>, Coord<f64>)> + '_ {
    (0..ring.len()).map(|index| (ring[index], ring[(index + 1) % ring.len()]))
}

/// Centre of mass; the mean vertex of a ring without area.
pub(super) fn centroid(ring: &[Coord<f64>]) -> Coord<f64> {
    let first = ring.first().copied().unwrap_or_default();
    let (mut sum, mut total) = (Coord::default(), 0.0);
    for (a, b) in edges(ring) {
        let twice = cross(a - first, b - first);
        total += twice;
        sum = sum + ((a - first) + (b - first)) * (twice / 3.0);
    }
    if total.abs() < 1e-6 { first } else { first + sum / total }
}

/// Whether a place is inside the ring (boundary either way).
pub(super) fn contains(ring: &[Coord<f64>], at: Coord<f64>) -> bool {
    edges(ring).fold(false, |inside, (a, b)| {
        let crosses = (at.y < a.y) != (at.y < b.y) && at.x < (b.x - a.x) * (at.y - a.y) / (b.y - a.y) + a.x;
        inside != crosses
    })
}

/// Distance from a place to a segment.
pub(super) fn distance_to_segment(at: Coord<f64>, a: Coord<f64>, b: Coord<f64>) -> f64 {
    length(at - lerp(a, b, share_on_segment(at, a, b)))
}

/// Where on the segment the nearest point lies, 0 at `a`, 1 at `b`.
pub(super) fn share_on_segment(at: Coord<f64>, a: Coord<f64>, b: Coord<f64>) -> f64 {
    (dot(at - a, b - a) / dot(b - a, b - a).max(1e-12)).clamp(0.0, 1.0)
}

/// Distance along the ray and share along the segment where they meet.
pub(super) fn ray_hit(
    from: Coord<f64>,
    direction: Coord<f64>,
    a: Coord<f64>,
    b: Coord<f64>,
) -> Option<(f64, f64)> {
    let denominator = cross(direction, b - a);
    if denominator.abs() < 1e-9 {
        return None;
    }
    let along = cross(a - from, b - a) / denominator;
    let share = cross(a - from, direction) / denominator;
    (0.0..=1.0).contains(&share).then_some((along, share))
}

/// Whether two segments share an inner point.
pub(super) fn segments_cross(a: Coord<f64>, b: Coord<f64>, c: Coord<f64>, d: Coord<f64>) -> bool {
    let side = |p, q, r| cross(q - p, r - p);
    side(a, b, c) * side(a, b, d) < 0.0 && side(c, d, a) * side(c, d, b) < 0.0
}

/// Moves every edge inwards by its own distance. `None` when nothing useful is left.
pub(super) fn inset(ring: &[Coord<f64>], distances: &[f64]) -> Option<Ring> {
    let mut lines: Vec<(Coord<f64>, Coord<f64>)> = Vec::new(); // a point on the moved edge, its direction
    for (index, (a, b)) in edges(ring).enumerate() {
        let direction = unit(b - a);
        let on = a + left(direction) * distances[index];
        match lines.last_mut() {
            // Nearly straight on: one line, the deeper of the two.
            Some(last) if cross(last.1, direction).abs() < 0.04 && 0.0 < dot(last.1, direction) => {
                if 0.0 < cross(last.1, on - last.0) {
                    last.0 = on;
                }
            }
            _ => lines.push((on, direction)),
        }
    }
    while 3 <= lines.len() {
        let meets = corners(&lines);
        let turned = (0..lines.len())
            .find(|&index| dot(meets[(index + 1) % lines.len()] - meets[index], lines[index].1) < 4.0);
        match turned {
            Some(index) => drop(lines.remove(index)),
            None => return (0.0 < area(&meets) && is_simple(&meets)).then_some(meets),
        }
    }
    None
}

/// Where each line meets the one before it.
fn corners(lines: &[(Coord<f64>, Coord<f64>)]) -> Ring {
    (0..lines.len())
        .map(|index| {
            let (p, d) = lines[(index + lines.len() - 1) % lines.len()];
            let (q, e) = lines[index];
            let denominator = cross(d, e);
            if denominator.abs() < 0.02 { q } else { p + d * (cross(q - p, e) / denominator) }
        })
        .collect()
}

fn is_simple(ring: &[Coord<f64>]) -> bool {
    let sides: Vec<_> = edges(ring).collect();
    sides.iter().enumerate().all(|(index, first)| {
        sides[index + 1..].iter().all(|second| !segments_cross(first.0, first.1, second.0, second.1))
    })
}

/// A local frame: `u` along the building rows, `v` towards their backs.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    pub(super) origin: Coord<f64>,
    pub(super) u: Coord<f64>,
}

impl Frame {
    pub(super) fn new(origin: Coord<f64>, angle: f64) -> Self {
        Self { origin, u: Coord { x: angle.cos(), y: angle.sin() } }
    }

    pub(super) fn to_plane(self, u: f64, v: f64) -> Coord<f64> {
        mm(self.origin + self.u * u + left(self.u) * v)
    }

    pub(super) fn to_local(self, at: Coord<f64>) -> (f64, f64) {
        (dot(at - self.origin, self.u), dot(at - self.origin, left(self.u)))
    }

    /// Leftmost and rightmost place of the ring at height `v`.
    pub(super) fn span(self, ring: &[Coord<f64>], v: f64) -> Option<(f64, f64)> {
        let mut span: Option<(f64, f64)> = None;
        for (a, b) in edges(ring) {
            let (ua, va) = self.to_local(a);
            let (ub, vb) = self.to_local(b);
            if (va <= v) != (vb <= v) {
                let u = ua + (ub - ua) * (v - va) / (vb - va);
                span = Some(span.map_or((u, u), |(low, high)| (low.min(u), high.max(u))));
            }
        }
        span
    }

    /// The part that is inside the ring at every height of the band.
    pub(super) fn span_of_band(self, ring: &[Coord<f64>], low: f64, high: f64) -> Option<(f64, f64)> {
        let vertices = ring.iter().map(|&at| self.to_local(at).1).filter(|v| low < *v && *v < high);
        let heights = (0..=4).map(|step| low + (high - low) * f64::from(step) / 4.0);
        let heights = heights.chain(vertices.flat_map(|v| [v - 0.01, v + 0.01]));
        let mut span = (f64::NEG_INFINITY, f64::INFINITY);
        for v in heights {
            let at_v = self.span(ring, v)?;
            span = (span.0.max(at_v.0), span.1.min(at_v.1));
        }
        Some(span)
    }
}
