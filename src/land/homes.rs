//! Which community each atom is at home in: the one that holds the largest share of its footprint.

use geo::{Coord, LineString, MultiPolygon};
use rayon::prelude::*;
use rstar::{AABB, RTree, primitives::GeomWithData, primitives::Rectangle};

use super::exact::{Pt, inside_edges, snap, to_metres};
use super::input::LandAtom;
use super::outlines::{bounds, rings};
use crate::model::AtomShape;

/// Homes of all atoms; `None` where no community holds any part of it.
pub(super) fn find(
    atoms: &[LandAtom],
    outlines: &[&MultiPolygon<f64>],
    settled: &[Vec<[Pt; 2]>],
) -> Vec<Option<u32>> {
    let locators: Vec<Option<Locator>> = settled.iter().map(|edges| Locator::new(edges)).collect();
    let boxes = locators.iter().enumerate().filter_map(|(community, locator)| {
        let [low, high] = locator.as_ref()?.bounds;
        let corners = [to_metres(low), to_metres(high)].map(|c| [c.x, c.y]);
        Some(GeomWithData::new(Rectangle::from_corners(corners[0], corners[1]), community as u32))
    });
    let tree = RTree::bulk_load(boxes.collect());
    atoms.par_iter().map(|atom| home(atom, outlines, &locators, &tree)).collect()
}

type Boxes = RTree<GeomWithData<Rectangle<[f64; 2]>, u32>>;

fn home(
    atom: &LandAtom,
    outlines: &[&MultiPolygon<f64>],
    locators: &[Option<Locator>],
    tree: &Boxes,
) -> Option<u32> {
    if let Some(given) = atom.home {
        return locators.get(given as usize)?.as_ref().map(|_| given);
    }
    let places = places(&atom.shape);
    let (low, high) = places.iter().fold((*places.first()?, *places.first()?), |(l, h), c| {
        (Coord { x: l.x.min(c.x), y: l.y.min(c.y) }, Coord { x: h.x.max(c.x), y: h.y.max(c.y) })
    });
    let around = AABB::from_corners([low.x, low.y], [high.x, high.y]);
    let mut candidates: Vec<u32> = tree.locate_in_envelope_intersecting(&around).map(|b| b.data).collect();
    candidates.sort_unstable();
    let holder = |place: &Coord<f64>| {
        let p = snap(*place)?;
        candidates.iter().copied().find(|&c| locators[c as usize].as_ref().is_some_and(|l| l.holds(p)))
    };
    let first = holder(&places[0]);
    if let AtomShape::Point(_) = atom.shape {
        return first;
    }
    if first.is_some() && places[1..].iter().all(|place| holder(place) == first) {
        return first;
    }
    let AtomShape::Area(shape) = &atom.shape else { return first };
    let shares = candidates
        .iter()
        .map(|&c| (shared_area(shape, outlines[c as usize]), c))
        .filter(|&(area, _)| area > 0.0);
    let best = shares.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
    best.map(|(_, c)| c).or(first)
}

/// The places of a footprint that can be snapped.
pub(super) fn places(shape: &AtomShape) -> Vec<Coord<f64>> {
    let ok = |c: &Coord<f64>| snap(*c).is_some();
    match shape {
        AtomShape::Point(at) => Some(at.0).filter(ok).into_iter().collect(),
        AtomShape::Area(shape) => {
            shape.iter().flat_map(|p| p.exterior().coords()).copied().filter(ok).collect()
        }
    }
}

/// Point location in one outline by rows.
struct Locator {
    bounds: [Pt; 2],
    row_height: i64,
    rows: Vec<Vec<[Pt; 2]>>,
}

impl Locator {
    fn new(edges: &[[Pt; 2]]) -> Option<Self> {
        let bounds = bounds(edges, 0.0)?;
        let n_rows = edges.len().clamp(1, 4096) as i64;
        let row_height = (bounds[1][1] - bounds[0][1]) / n_rows + 1;
        let mut rows = vec![Vec::new(); n_rows as usize + 1];
        for edge in edges {
            let row = |y: i64| ((y - bounds[0][1]) / row_height) as usize;
            let (from, to) = (row(edge[0][1].min(edge[1][1])), row(edge[0][1].max(edge[1][1])));
            rows[from..=to].iter_mut().for_each(|list| list.push(*edge));
        }
        Some(Self { bounds, row_height, rows })
    }

    fn holds(&self, p: Pt) -> bool {
        let [low, high] = self.bounds;
        let in_box = (0..2).all(|i| low[i] <= p[i] && p[i] <= high[i]);
        in_box && inside_edges(&self.rows[((p[1] - low[1]) / self.row_height) as usize], p)
    }
}

/// The area that a footprint and an outline share, m²: the outline clipped by the footprint's signed fan of triangles.
fn shared_area(shape: &MultiPolygon<f64>, outline: &MultiPolygon<f64>) -> f64 {
    let Some(origin) = shape.iter().find_map(|p| p.exterior().0.first()).copied() else { return 0.0 };
    let mut total = 0.0;
    for polygon in shape {
        let mut area = 0.0;
        for (i, ring) in rings(polygon).enumerate() {
            let sign = if i == 0 { 1.0 } else { -1.0 };
            area += sign * ring_share(ring, origin, outline).abs();
        }
        total += area.max(0.0);
    }
    total
}

fn ring_share(ring: &LineString<f64>, origin: Coord<f64>, outline: &MultiPolygon<f64>) -> f64 {
    let at = |c: &Coord<f64>| [c.x - origin.x, c.y - origin.y];
    let Some(apex) = ring.0.first().map(at) else { return 0.0 };
    let mut sum = 0.0;
    for pair in ring.0.windows(2) {
        let (p, q) = (at(&pair[0]), at(&pair[1]));
        let double = turn(apex, p, q);
        if double == 0.0 || !double.is_finite() {
            continue;
        }
        let triangle = if double > 0.0 { [apex, p, q] } else { [apex, q, p] };
        sum += double.signum() * outline_in_triangle(outline, origin, triangle);
    }
    sum
}

fn turn(o: [f64; 2], a: [f64; 2], b: [f64; 2]) -> f64 {
    (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0])
}

fn outline_in_triangle(outline: &MultiPolygon<f64>, origin: Coord<f64>, triangle: [[f64; 2]; 3]) -> f64 {
    let mut total = 0.0;
    for polygon in outline {
        for (i, ring) in rings(polygon).enumerate() {
            let mut path: Vec<[f64; 2]> = ring.coords().map(|c| [c.x - origin.x, c.y - origin.y]).collect();
            for side in 0..3 {
                path = clip(&path, triangle[side], triangle[(side + 1) % 3]);
            }
            let area = (1..path.len().max(1) - usize::from(path.len() > 1))
                .map(|k| turn(path[0], path[k], path[k + 1]))
                .sum::<f64>()
                .abs()
                / 2.0;
            total += if i == 0 { area } else { -area };
        }
    }
    total
}

/// The part of a closed path left of the line `a`→`b`.
fn clip(path: &[[f64; 2]], a: [f64; 2], b: [f64; 2]) -> Vec<[f64; 2]> {
    let mut out = Vec::with_capacity(path.len() + 4);
    for i in 0..path.len() {
        let (p, q) = (path[i], path[(i + 1) % path.len()]);
        let (from, to) = (turn(a, b, p), turn(a, b, q));
        if from >= 0.0 {
            out.push(p);
        }
        if (from > 0.0 && to < 0.0) || (from < 0.0 && to > 0.0) {
            let t = from / (from - to);
            out.push([p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])]);
        }
    }
    out
}
