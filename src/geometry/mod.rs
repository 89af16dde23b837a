//! The only place that knows coordinates: the local metric plane, datums, and what `geo` lacks.

mod datum;
mod plane;

pub use datum::{Datum, bd09_to_wgs84, gcj02_to_wgs84, wgs84_to_bd09, wgs84_to_gcj02};
pub use plane::{Plane, PlaneError};

use geo::{Centroid, Coord, Distance, Euclidean, InteriorPoint, MultiPolygon};

/// A point inside the area; the centroid or first vertex of a degenerate one; the origin of nothing at all.
#[must_use]
pub fn interior_point(area: &MultiPolygon<f64>) -> Coord<f64> {
    let first = || area.0.first().and_then(|polygon| polygon.exterior().0.first().copied());
    area.interior_point()
        .or_else(|| area.centroid())
        .map(|point| point.0)
        .or_else(first)
        .unwrap_or(Coord { x: 0.0, y: 0.0 })
}

/// Straight distance in metres.
#[must_use]
pub fn straight_distance(from: Coord<f64>, to: Coord<f64>) -> f64 {
    Euclidean.distance(from, to)
}
