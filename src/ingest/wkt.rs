//! Well-known text in table cells.

use geo::{Coord, Geometry, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon};

/// Reads a geometry; extra dimensions are dropped. `None` if it is none.
pub(super) fn parse(text: &str) -> Option<Geometry<f64>> {
    let text = text.trim();
    let open = text.find('(')?;
    let word = text[..open].split_whitespace().next()?.to_ascii_uppercase();
    let mut rest = text[open..].trim();
    let geometry = match word.as_str() {
        "POINT" => Geometry::Point(Point(coords(&mut rest)?.into_iter().next()?)),
        "MULTIPOINT" => {
            let flat = rest.replace(['(', ')'], " ");
            let points = coords_of(&flat)?.into_iter().map(Point).collect();
            return Some(Geometry::MultiPoint(MultiPoint::new(points)));
        }
        "LINESTRING" => Geometry::LineString(LineString::new(coords(&mut rest)?)),
        "MULTILINESTRING" => Geometry::MultiLineString(MultiLineString::new(rings(&mut rest)?)),
        "POLYGON" => Geometry::Polygon(polygon(&mut rest)?),
        "MULTIPOLYGON" => Geometry::MultiPolygon(MultiPolygon::new(list(&mut rest, polygon)?)),
        _ => return None,
    };
    rest.trim().is_empty().then_some(geometry)
}

fn polygon(rest: &mut &str) -> Option<Polygon<f64>> {
    let mut rings = rings(rest)?.into_iter();
    Some(Polygon::new(rings.next()?, rings.collect()))
}

fn rings(rest: &mut &str) -> Option<Vec<LineString<f64>>> {
    list(rest, |rest| coords(rest).map(LineString::new))
}

/// `(item, item, …)`.
fn list<T>(rest: &mut &str, item: impl Fn(&mut &str) -> Option<T>) -> Option<Vec<T>> {
    *rest = rest.trim_start().strip_prefix('(')?;
    let mut items = Vec::new();
    loop {
        items.push(item(rest)?);
        *rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix(',') {
            *rest = after;
        } else {
            *rest = rest.strip_prefix(')')?;
            return Some(items);
        }
    }
}

/// `(x y, x y, …)`.
fn coords(rest: &mut &str) -> Option<Vec<Coord<f64>>> {
    let inside = rest.trim_start().strip_prefix('(')?;
    let (inside, after) = inside.split_once(')')?;
    *rest = after;
    coords_of(inside)
}

fn coords_of(text: &str) -> Option<Vec<Coord<f64>>> {
    let pair = |text: &str| {
        let mut numbers = text.split_whitespace();
        Some(Coord { x: numbers.next()?.parse().ok()?, y: numbers.next()?.parse().ok()? })
    };
    text.split(',').map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::Area;

    #[test]
    fn areas_with_holes_and_broken_text() {
        let area = |text| parse(text).map(|geometry| geometry.unsigned_area());
        assert_eq!(area("POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (1 1, 2 1, 2 2, 1 2, 1 1))"), Some(15.0));
        assert_eq!(
            area("MULTIPOLYGON Z (((0 0 5, 1 0 5, 1 1 5, 0 0 5)), ((5 5 1, 6 5 1, 6 6 1, 5 5 1)))"),
            Some(1.0)
        );
        assert_eq!(parse("POINT(1 2)"), Some(Geometry::Point(Point::new(1.0, 2.0))));
        for broken in ["POLYGON ((0 0, 1 0", "POINT", "CIRCLE (1 2)", "POINT (a b)", ""] {
            assert_eq!(parse(broken), None, "{broken}");
        }
    }
}
