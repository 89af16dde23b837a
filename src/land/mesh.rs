//! The constrained Delaunay triangulation of noded edges, as flat arrays, and floods over it.

use rustc_hash::FxHashMap;
use spade::{ConstrainedDelaunayTriangulation, Point2, Triangulation};

use super::exact::{Pt, cross};
use super::noding::Noded;

/// No triangle, no edge.
pub(super) const NONE: u32 = u32::MAX;

/// Triangles with their neighbors.
///
/// Side `i` of a triangle runs from its corner `i` to corner `i + 1`; corners turn left.
#[derive(Debug, Default)]
pub(super) struct Mesh {
    pub points: Vec<Pt>,
    pub corners: Vec<[u32; 3]>,
    /// The triangle across each side, or [`NONE`] on the hull.
    pub across: Vec<[u32; 3]>,
    /// The noded edge that each side is, or [`NONE`].
    pub edge: Vec<[u32; 3]>,
}

impl Mesh {
    /// Triangulates. `None` if the triangulation does not hold every edge, which noded input rules out.
    pub fn new(noded: &Noded) -> Option<Self> {
        let points = noded.points.clone();
        if points.len() < 3 || noded.edges.is_empty() {
            return Some(Self { points, ..Self::default() });
        }
        let center = {
            let low = points.iter().fold([i64::MAX; 2], |m, p| [m[0].min(p[0]), m[1].min(p[1])]);
            let high = points.iter().fold([i64::MIN; 2], |m, p| [m[0].max(p[0]), m[1].max(p[1])]);
            [low[0] + (high[0] - low[0]) / 2, low[1] + (high[1] - low[1]) / 2]
        };
        let places: Vec<Point2<f64>> = points
            .iter()
            .map(|p| Point2::new((p[0] - center[0]) as f64, (p[1] - center[1]) as f64))
            .collect();
        let constraints = noded.edges.iter().map(|e| e.map(|v| v as usize)).collect();
        let mut n_conflicts = 0;
        let cdt: ConstrainedDelaunayTriangulation<Point2<f64>> =
            ConstrainedDelaunayTriangulation::try_bulk_load_cdt(places, constraints, |_| n_conflicts += 1)
                .ok()?;
        if n_conflicts > 0 || cdt.num_vertices() != points.len() || cdt.num_constraints() != noded.edges.len()
        {
            return None;
        }
        let first_edge = first_edges(points.len(), &noded.edges);
        let n = cdt.num_inner_faces();
        let mut mesh =
            Self { points, corners: vec![[0; 3]; n], across: vec![[NONE; 3]; n], edge: vec![[NONE; 3]; n] };
        for face in cdt.inner_faces() {
            let t = face.index() - 1;
            for (i, side) in face.adjacent_edges().into_iter().enumerate() {
                let (a, b) = (side.from().index() as u32, side.to().index() as u32);
                mesh.corners[t][i] = a;
                mesh.across[t][i] =
                    side.rev().face().as_inner().map_or(NONE, |other| other.index() as u32 - 1);
                if side.is_constraint_edge() {
                    mesh.edge[t][i] = find_edge(&noded.edges, &first_edge, a, b)?;
                }
            }
        }
        Some(mesh)
    }

    pub fn n_triangles(&self) -> usize {
        self.corners.len()
    }

    pub fn corner_points(&self, t: usize) -> [Pt; 3] {
        self.corners[t].map(|v| self.points[v as usize])
    }

    /// Twice the area of a triangle, square units.
    pub fn double_area(&self, t: usize) -> i128 {
        let [a, b, c] = self.corner_points(t);
        cross(a, b, c)
    }
}

/// Where the edges of each lower vertex begin in the sorted list.
fn first_edges(n_vertices: usize, edges: &[[u32; 2]]) -> Vec<u32> {
    let mut first = vec![0; n_vertices + 1];
    for e in edges {
        first[e[0] as usize + 1] += 1;
    }
    for v in 0..n_vertices {
        first[v + 1] += first[v];
    }
    first
}

fn find_edge(edges: &[[u32; 2]], first: &[u32], a: u32, b: u32) -> Option<u32> {
    let (low, high) = (a.min(b), a.max(b));
    let range = first[low as usize]..first[low as usize + 1];
    range.clone().find(|&e| edges[e as usize][1] == high)
}

/// Which regions cover each triangle, by crossing their boundaries from outside.
#[derive(Debug)]
pub(super) struct Cover {
    set_of: Vec<u32>,
    sets: Vec<Vec<u32>>,
}

impl Cover {
    /// Floods the mesh. `toggles(edge)` lists the regions whose boundary runs along a noded edge; one listed twice cancels.
    pub fn flood(mesh: &Mesh, toggles: impl Fn(u32, &mut Vec<u32>)) -> Self {
        let mut sets: Vec<Vec<u32>> = vec![Vec::new()];
        let mut known: FxHashMap<Vec<u32>, u32> = FxHashMap::default();
        known.insert(Vec::new(), 0);
        let mut set_of = vec![NONE; mesh.n_triangles()];
        let mut changed = Vec::new();
        let mut step = |set: u32, edge: u32| -> u32 {
            changed.clear();
            if edge != NONE {
                toggles(edge, &mut changed);
            }
            if changed.is_empty() {
                return set;
            }
            let mut next = sets[set as usize].clone();
            for &region in &changed {
                match next.binary_search(&region) {
                    Ok(at) => drop(next.remove(at)),
                    Err(at) => next.insert(at, region),
                }
            }
            if let Some(&id) = known.get(&next) {
                return id;
            }
            sets.push(next.clone());
            known.insert(next, sets.len() as u32 - 1);
            sets.len() as u32 - 1
        };
        let on_hull = (0..mesh.n_triangles())
            .find_map(|t| mesh.across[t].iter().position(|&n| n == NONE).map(|i| (t, i)));
        let Some((first, side)) = on_hull else { return Self { set_of, sets } };
        set_of[first] = step(0, mesh.edge[first][side]);
        let mut stack = vec![first as u32];
        while let Some(t) = stack.pop() {
            let here = set_of[t as usize];
            for i in 0..3 {
                let n = mesh.across[t as usize][i];
                if n != NONE && set_of[n as usize] == NONE {
                    set_of[n as usize] = step(here, mesh.edge[t as usize][i]);
                    stack.push(n);
                }
            }
        }
        Self { set_of, sets }
    }

    /// The regions over triangle `t`, sorted.
    pub fn regions(&self, t: usize) -> &[u32] {
        &self.sets[self.set_of[t] as usize]
    }

    /// The number of the set over triangle `t`: equal numbers, equal sets.
    pub fn set_id(&self, t: usize) -> u32 {
        self.set_of[t]
    }

    /// All sets that occur.
    pub fn sets(&self) -> &[Vec<u32>] {
        &self.sets
    }
}
