//! Single circles in a large network: only their surroundings are triangulated.

use std::sync::atomic::Ordering;

use geo::{BoundingRect, Coord, Intersects, MultiPoint, Point, Rect};

use super::circles::OnEdge;
use super::contract::NONE;
use super::engine::{Sources, WalkNetwork};
use super::mesh::{Mesh, Raster};

/// Width of the rim around what is reached, in cells of the raster of voids: what lies farther away hardly touches a
/// triangle that an outline passes.
const RIM: f64 = 6.0;

impl WalkNetwork {
    /// A window around what the sources reach, and the triangulation in it. `None` where the whole network is
    /// triangulated already, or should be: because the window holds a quarter of it, or because the windows before
    /// cost as much together.
    pub(super) fn window(
        &self,
        sources: &Sources,
        on_edges: &[OnEdge],
        limit: u32,
    ) -> Option<(Rect<f64>, Mesh)> {
        if self.mesh.get().is_some() {
            return None;
        }
        let nearest = self.nearest_of(sources, Some(limit));
        let reached = (0..self.n).filter(|&node| nearest.cost[node] != NONE);
        let places = reached.chain(on_edges.iter().flat_map(|on| on.ends.map(|end| end as usize)));
        let places: MultiPoint<f64> = places.map(|node| Point::new(self.x[node], self.y[node])).collect();
        let around = places.bounding_rect()?;
        let rim = RIM * Raster::over(&self.x, &self.y).cell;
        let rim = Coord { x: rim, y: rim };
        let window = Rect::new(around.min() - rim, around.max() + rim);
        let inside = |&node: &usize| window.intersects(&Coord { x: self.x[node], y: self.y[node] });
        let n_inside = (0..self.n).filter(inside).count();
        if self.n <= 4 * n_inside {
            return None;
        }
        // Finding the window reads every node; that counts, too.
        let before = self.triangulated.fetch_add(n_inside + self.n / 32, Ordering::Relaxed);
        if self.n <= before {
            return None;
        }
        Some((window, Mesh::build(&self.core, &self.x, &self.y, Some(window))?))
    }
}
