//! Which area is a place in: an R-tree over areas and a plain crossing test.

use geo::{BoundingRect, Coord, MultiPolygon};
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};

/// Whether a place lies in an area; a place on the outline may count as either.
pub(super) fn contains(area: &MultiPolygon<f64>, at: Coord<f64>) -> bool {
    let mut inside = false;
    for polygon in &area.0 {
        for ring in std::iter::once(polygon.exterior()).chain(polygon.interiors()) {
            for pair in ring.0.windows(2) {
                let (a, b) = (pair[0], pair[1]);
                if (a.y <= at.y) != (b.y <= at.y) && at.x < (b.x - a.x) * (at.y - a.y) / (b.y - a.y) + a.x {
                    inside = !inside;
                }
            }
        }
    }
    inside
}

/// Areas that can be asked which of them hold a place.
pub(super) struct AreaIndex<'a> {
    areas: Vec<&'a MultiPolygon<f64>>,
    tree: RTree<GeomWithData<Rectangle<[f64; 2]>, usize>>,
}

impl<'a> AreaIndex<'a> {
    /// An index over areas; empty ones are never found.
    pub(super) fn new(areas: impl Iterator<Item = &'a MultiPolygon<f64>>) -> Self {
        let areas: Vec<_> = areas.collect();
        let boxes = areas
            .iter()
            .enumerate()
            .filter_map(|(index, area)| {
                let bounds = area.bounding_rect()?;
                let corners = Rectangle::from_corners(bounds.min().into(), bounds.max().into());
                Some(GeomWithData::new(corners, index))
            })
            .collect();
        Self { areas, tree: RTree::bulk_load(boxes) }
    }

    /// Positions of the areas that hold a place, smallest position first.
    pub(super) fn containing(&self, at: Coord<f64>) -> Vec<usize> {
        let mut found: Vec<usize> = self
            .tree
            .locate_in_envelope_intersecting(&AABB::from_point([at.x, at.y]))
            .map(|entry| entry.data)
            .filter(|&index| contains(self.areas[index], at))
            .collect();
        found.sort_unstable();
        found
    }

    /// Positions of the areas whose bounds touch those of another, smallest position first.
    pub(super) fn touching(&self, area: &MultiPolygon<f64>) -> Vec<usize> {
        let Some(bounds) = area.bounding_rect() else { return Vec::new() };
        let envelope = AABB::from_corners(bounds.min().into(), bounds.max().into());
        let mut found: Vec<usize> =
            self.tree.locate_in_envelope_intersecting(&envelope).map(|entry| entry.data).collect();
        found.sort_unstable();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::polygon;

    #[test]
    fn a_hole_is_outside() {
        let area = MultiPolygon::new(vec![polygon!(
            exterior: [(x: 0.0, y: 0.0), (x: 4.0, y: 0.0), (x: 4.0, y: 4.0), (x: 0.0, y: 4.0)],
            interiors: [[(x: 1.0, y: 1.0), (x: 3.0, y: 1.0), (x: 3.0, y: 3.0), (x: 1.0, y: 3.0)]],
        )]);
        let index = AreaIndex::new([&area].into_iter());
        assert_eq!(index.containing(Coord { x: 0.5, y: 2.0 }), [0]);
        assert!(index.containing(Coord { x: 2.0, y: 2.0 }).is_empty());
        assert!(index.containing(Coord { x: 5.0, y: 2.0 }).is_empty());
    }
}
