//! Bridges over water that is kept whole: they join the plots at their ends.

use super::exact::Pt;
use super::mesh::NONE;
use super::scene::{OUTSIDE, Scene};
use super::sectors::Division;
use super::subdivision::SharedBorder;

/// Pairs of units that a walkable street across water joins, as borders without length.
pub(super) fn across_water(scene: &Scene, division: &Division) -> Vec<SharedBorder> {
    let mesh = &scene.mesh;
    let mut joined = Joined((0..mesh.points.len() as u32).collect());
    let mut on_bridge = vec![false; mesh.points.len()];
    for t in 0..mesh.n_triangles() {
        for side in 0..3 {
            let (n, edge) = (mesh.across[t][side], mesh.edge[t][side]);
            let over_water = division.still[t] && n != NONE && division.still[n as usize];
            if over_water && edge != NONE && scene.walkable[edge as usize] {
                let [a, b] = [mesh.corners[t][side], mesh.corners[t][(side + 1) % 3]];
                joined.join(a, b);
                on_bridge[a as usize] = true;
                on_bridge[b as usize] = true;
            }
        }
    }
    let mut landings: Vec<(u32, Pt, u32)> = Vec::new();
    for t in (0..mesh.n_triangles()).filter(|&t| !division.still[t] && scene.owner[t] != OUTSIDE) {
        for i in 0..3 {
            let v = mesh.corners[t][i];
            if on_bridge[v as usize] {
                landings.push((joined.root(v), mesh.points[v as usize], division.corner[t][i]));
            }
        }
    }
    landings.sort_unstable();
    landings.dedup();
    let mut links = Vec::new();
    for bridge in landings.chunk_by(|a, b| a.0 == b.0) {
        let (_, first_place, first) = bridge[0];
        for &(_, place, unit) in bridge {
            if place != first_place && unit != first {
                links.push(SharedBorder {
                    u: first.min(unit),
                    v: first.max(unit),
                    length_mm: [0; 5],
                    passable: true,
                });
            }
        }
    }
    links
}

/// Sets of vertices that are joined.
struct Joined(Vec<u32>);

impl Joined {
    fn root(&mut self, v: u32) -> u32 {
        let mut at = v;
        while self.0[at as usize] != at {
            let up = self.0[self.0[at as usize] as usize];
            self.0[at as usize] = up;
            at = up;
        }
        at
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b) as usize] = a.min(b);
    }
}
