//! Community outlines made into one arrangement: every place inside belongs to exactly one community.

use geo::Area;
use geo::{MultiPolygon, Polygon};
use rustc_hash::FxHashMap;

use super::exact::{Pt, double_area_to_m2, length, snap, units};
use super::mesh::{Cover, Mesh, NONE};
use super::noding::Noder;

/// An overlap or a slit between outlines, and who got it.
#[derive(Clone, Debug, PartialEq)]
pub struct Settlement {
    /// The outlines that claimed the place, ascending; none for a slit.
    pub claimants: Vec<u32>,
    /// The outline that it was given to.
    pub given_to: u32,
    /// Its area, m².
    pub area_m2: f64,
}

/// Outlines after settling.
#[derive(Debug)]
pub(super) struct Settled {
    /// Per outline its boundary, directed with the outline on the left.
    pub edges: Vec<Vec<[Pt; 2]>>,
    pub settlements: Vec<Settlement>,
}

/// All rings of a polygon.
pub(super) fn rings(polygon: &Polygon<f64>) -> impl Iterator<Item = &geo::LineString<f64>> {
    std::iter::once(polygon.exterior()).chain(polygon.interiors())
}

/// The segments of a line string as snapped points; places that cannot be snapped are skipped.
pub(super) fn snapped(line: &geo::LineString<f64>) -> Vec<Pt> {
    let mut points: Vec<Pt> = line.coords().filter_map(|&c| snap(c)).collect();
    points.dedup();
    points
}

/// Lays a closed ring, closing it if the input did not.
pub(super) fn lay_ring(noder: &mut Noder, ring: &geo::LineString<f64>, source: u32) {
    let points = snapped(ring);
    for pair in points.windows(2) {
        noder.lay(pair[0], pair[1], source);
    }
    if let (Some(&first), Some(&last)) = (points.first(), points.last()) {
        noder.lay(last, first, source);
    }
}

/// Settles overlaps and slits: the smaller outline wins an overlap (ties: the first); an enclosed slit of mean width under `slit_width_m`
/// goes to the neighbor with the longest border.
///
/// `None` if the arrangement could not be built.
pub(super) fn settle(outlines: &[&MultiPolygon<f64>], slit_width_m: f64) -> Option<Settled> {
    let mut noder = Noder::default();
    let mut outline_of_region = Vec::new();
    for (outline, shape) in outlines.iter().enumerate() {
        for polygon in shape.iter() {
            for ring in rings(polygon) {
                lay_ring(&mut noder, ring, outline_of_region.len() as u32);
            }
            outline_of_region.push(outline as u32);
        }
    }
    let noded = noder.node(|_| f64::INFINITY)?;
    let mesh = Mesh::new(&noded)?;
    let cover = Cover::flood(&mesh, |edge, out| out.extend_from_slice(noded.sources(edge as usize)));
    let sizes: Vec<f64> = outlines.iter().map(|shape| shape.unsigned_area()).collect();
    let claims: Vec<Vec<u32>> = cover.sets().iter().map(|set| claimants(set, &outline_of_region)).collect();
    let winners: Vec<u32> = claims.iter().map(|c| smallest(c, &sizes)).collect();
    let mut owner: Vec<u32> = (0..mesh.n_triangles()).map(|t| winners[cover.set_id(t) as usize]).collect();
    let mut settlements = overlaps(&mesh, &cover, &claims, &winners);
    settlements.extend(fill_slits(&mesh, &mut owner, slit_width_m));
    Some(Settled { edges: boundaries(&mesh, &owner, outlines.len()), settlements })
}

fn claimants(regions: &[u32], outline_of_region: &[u32]) -> Vec<u32> {
    let mut found: Vec<u32> = regions.iter().map(|&r| outline_of_region[r as usize]).collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn smallest(claimants: &[u32], sizes: &[f64]) -> u32 {
    let by_size = |a: &&u32, b: &&u32| sizes[**a as usize].total_cmp(&sizes[**b as usize]).then(a.cmp(b));
    claimants.iter().min_by(by_size).copied().unwrap_or(NONE)
}

fn overlaps(mesh: &Mesh, cover: &Cover, claims: &[Vec<u32>], winners: &[u32]) -> Vec<Settlement> {
    let mut areas = vec![0i128; claims.len()];
    for t in 0..mesh.n_triangles() {
        areas[cover.set_id(t) as usize] += mesh.double_area(t);
    }
    let mut found: Vec<Settlement> = (0..claims.len())
        .filter(|&set| claims[set].len() > 1)
        .map(|set| Settlement {
            claimants: claims[set].clone(),
            given_to: winners[set],
            area_m2: double_area_to_m2(areas[set]),
        })
        .collect();
    found.sort_by(|a, b| a.claimants.cmp(&b.claimants));
    found
}

/// A connected set of triangles with its size.
#[derive(Debug, Default)]
pub(super) struct Patch {
    pub triangles: Vec<u32>,
    pub double_area: i128,
    /// Length of its border, units.
    pub perimeter: f64,
    /// Whether it reaches the hull of the mesh.
    pub on_hull: bool,
}

impl Patch {
    /// Twice the area over the perimeter, metres: the width of a long strip.
    pub fn mean_width_m(&self) -> f64 {
        if self.perimeter > 0.0 {
            self.double_area as f64 / self.perimeter / super::exact::UNITS
        } else {
            0.0
        }
    }

    /// The patch that holds triangle `from`, through sides that `joins(triangle, side)` lets pass; marks what it visits.
    pub fn collect(mesh: &Mesh, from: u32, seen: &mut [bool], joins: impl Fn(u32, usize) -> bool) -> Self {
        let mut patch = Self { triangles: vec![from], ..Self::default() };
        seen[from as usize] = true;
        let mut at = 0;
        while at < patch.triangles.len() {
            let t = patch.triangles[at];
            at += 1;
            patch.double_area += mesh.double_area(t as usize);
            for side in 0..3 {
                let n = mesh.across[t as usize][side];
                patch.on_hull |= n == NONE;
                if n == NONE || !joins(t, side) {
                    let [a, b] =
                        [side, (side + 1) % 3].map(|i| mesh.points[mesh.corners[t as usize][i] as usize]);
                    patch.perimeter += length(a, b);
                } else if !seen[n as usize] {
                    seen[n as usize] = true;
                    patch.triangles.push(n);
                }
            }
        }
        patch
    }
}

fn fill_slits(mesh: &Mesh, owner: &mut [u32], slit_width_m: f64) -> Vec<Settlement> {
    let mut seen = vec![false; mesh.n_triangles()];
    let mut found = Vec::new();
    let before = owner.to_vec();
    for t in 0..mesh.n_triangles() as u32 {
        if before[t as usize] != NONE || seen[t as usize] {
            continue;
        }
        let patch = Patch::collect(mesh, t, &mut seen, |t, side| {
            before[mesh.across[t as usize][side] as usize] == NONE
        });
        if patch.on_hull || patch.mean_width_m() >= slit_width_m {
            continue;
        }
        let given_to = longest_neighbor(mesh, &patch, |t| before[t as usize]);
        if given_to == NONE {
            continue;
        }
        for &t in &patch.triangles {
            owner[t as usize] = given_to;
        }
        found.push(Settlement {
            claimants: Vec::new(),
            given_to,
            area_m2: double_area_to_m2(patch.double_area),
        });
    }
    found
}

/// The label outside the patch that shares the longest border with it; ties go to the least, none is [`NONE`].
pub(super) fn longest_neighbor(mesh: &Mesh, patch: &Patch, label: impl Fn(u32) -> u32) -> u32 {
    let mut shared: FxHashMap<u32, f64> = FxHashMap::default();
    for &t in &patch.triangles {
        for side in 0..3 {
            let n = mesh.across[t as usize][side];
            if n != NONE && label(n) != NONE && label(n) != label(t) {
                let [a, b] =
                    [side, (side + 1) % 3].map(|i| mesh.points[mesh.corners[t as usize][i] as usize]);
                *shared.entry(label(n)).or_default() += length(a, b);
            }
        }
    }
    let best = shared.into_iter().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
    best.map_or(NONE, |(label, _)| label)
}

fn boundaries(mesh: &Mesh, owner: &[u32], n: usize) -> Vec<Vec<[Pt; 2]>> {
    let mut edges = vec![Vec::new(); n];
    for t in 0..mesh.n_triangles() {
        if owner[t] == NONE {
            continue;
        }
        for side in 0..3 {
            let n = mesh.across[t][side];
            if n == NONE || owner[n as usize] != owner[t] {
                let [a, b] = [side, (side + 1) % 3].map(|i| mesh.points[mesh.corners[t][i] as usize]);
                edges[owner[t] as usize].push([a, b]);
            }
        }
    }
    edges
}

/// A box in units that holds all snapped places of a shape, grown by `margin_m`; `None` if there are none.
pub(super) fn bounds(edges: &[[Pt; 2]], margin_m: f64) -> Option<[Pt; 2]> {
    let margin = units(margin_m) as i64;
    let mut points = edges.iter().flatten();
    let first = *points.next()?;
    let (low, high) = points.fold((first, first), |(l, h), p| {
        ([l[0].min(p[0]), l[1].min(p[1])], [h[0].max(p[0]), h[1].max(p[1])])
    });
    Some([[low[0] - margin, low[1] - margin], [high[0] + margin, high[1] + margin]])
}
