//! The sea: coastlines have land on their left and water on their right, and end at the edge of the extract.

use geo::{BoundingRect, Coord, LineString, MultiPolygon, Polygon, Rect};
use rustc_hash::FxHashMap;

use super::super::lookup::contains;
use super::super::shapes;
use super::Elements;

/// How far the frame stands off the coast, in degrees (about 2 km), so that no ring runs along the data itself.
const MARGIN: f64 = 0.02;

/// Areas of sea in degrees: the frame around the extract, cut along the coastlines.
///
/// A chain that ends inside the frame is drawn on to the nearest side. Islands become holes.
/// Source: the rules of <https://wiki.openstreetmap.org/wiki/Tag:natural%3Dcoastline>.
pub(super) fn areas(elements: &Elements) -> Vec<MultiPolygon<f64>> {
    let chains = chains(elements);
    let (islands, coasts): (Vec<_>, Vec<_>) =
        chains.into_iter().partition(|chain| chain.first() == chain.last());
    if coasts.is_empty() {
        return Vec::new();
    }
    let Some(frame) = frame(elements) else { return Vec::new() };
    let mut seas: Vec<Polygon<f64>> = rings(coasts, &frame)
        .into_iter()
        .map(|ring| Polygon::new(LineString::new(ring), Vec::new()))
        .collect();
    for island in islands.into_iter().filter(|island| 4 <= island.len()) {
        let shell =
            |sea: &Polygon<f64>| MultiPolygon::new(vec![Polygon::new(sea.exterior().clone(), Vec::new())]);
        if let Some(sea) = seas.iter_mut().find(|sea| contains(&shell(sea), island[0])) {
            sea.interiors_push(LineString::new(island));
        }
    }
    // Rings along the frame touch themselves at its corners and where coasts end; that is no fault of the data.
    let mended =
        seas.into_iter().map(|sea| MultiPolygon::new(vec![sea])).filter_map(|sea| match shapes::look(&sea) {
            shapes::Looked::Valid => Some(sea),
            shapes::Looked::Repaired(mended, _) => Some(mended),
            shapes::Looked::Hopeless(_) => None,
        });
    mended.collect()
}

/// The extent of what people build and walk on, with a margin.
fn frame(elements: &Elements) -> Option<Rect<f64>> {
    let ways = elements.ways.iter().filter(|way| {
        way.tags.get("highway").is_some()
            || way.tags.get("building").is_some()
            || way.tags.is("natural", &["coastline"])
    });
    let coords: Vec<Coord<f64>> = ways.flat_map(|way| elements.line(&way.nodes)).collect();
    let bounds = LineString::new(coords).bounding_rect()?;
    let margin = Coord { x: MARGIN, y: MARGIN };
    Some(Rect::new(bounds.min() - margin, bounds.max() + margin))
}

/// Coastline ways joined end to start; closed chains are islands or, the other way round, seas of their own.
fn chains(elements: &Elements) -> Vec<Vec<Coord<f64>>> {
    let mut lines: Vec<Option<&[i64]>> = elements
        .ways
        .iter()
        .filter(|way| way.tags.is("natural", &["coastline"]) && 2 <= way.nodes.len())
        .map(|way| Some(way.nodes.as_slice()))
        .collect();
    let starts: FxHashMap<i64, usize> = lines
        .iter()
        .enumerate()
        .filter_map(|(index, line)| Some((*line.as_ref()?.first()?, index)))
        .collect();
    let ends: FxHashMap<i64, usize> =
        lines.iter().enumerate().filter_map(|(index, line)| Some((*line.as_ref()?.last()?, index))).collect();
    // A chain begins where no other line ends; what is left afterwards are loops.
    let heads: Vec<usize> = (0..lines.len())
        .filter(|&index| lines[index].and_then(<[i64]>::first).is_some_and(|node| !ends.contains_key(node)))
        .collect();
    let mut chains = Vec::new();
    for start in heads.into_iter().chain(0..lines.len()) {
        let Some(first) = lines[start].take() else { continue };
        let mut nodes = first.to_vec();
        while nodes.first() != nodes.last() {
            let next = nodes.last().and_then(|end| starts.get(end)).copied();
            let Some(line) = next.and_then(|index| lines[index].take()) else { break };
            nodes.extend(&line[1..]);
        }
        let coords = elements.line(&nodes);
        if 2 <= coords.len() {
            chains.push(coords);
        }
    }
    chains
}

/// Position along the frame, clockwise from its south-west corner, 0 to 4.
fn along(frame: &Rect<f64>, at: Coord<f64>) -> f64 {
    let x = ((at.x - frame.min().x) / frame.width()).clamp(0.0, 1.0);
    let y = ((at.y - frame.min().y) / frame.height()).clamp(0.0, 1.0);
    let sides = [(x, y), (1.0 - y, 1.0 + x), (1.0 - x, 3.0 - y), (y, 4.0 - x)];
    let nearest = sides.iter().min_by(|a, b| a.0.total_cmp(&b.0));
    nearest.map_or(0.0, |(_, position)| position.rem_euclid(4.0))
}

/// The place at a position along the frame.
fn on_frame(frame: &Rect<f64>, position: f64) -> Coord<f64> {
    let (west, south, east, north) = (frame.min().x, frame.min().y, frame.max().x, frame.max().y);
    let share = position.fract();
    match position as u32 % 4 {
        0 => Coord { x: west, y: south + share * frame.height() },
        1 => Coord { x: west + share * frame.width(), y: north },
        2 => Coord { x: east, y: north - share * frame.height() },
        _ => Coord { x: east - share * frame.width(), y: south },
    }
}

/// Joins coasts to rings with the sea inside: along a coast, then clockwise along the frame to the next coast.
///
/// With the water on the right of every coast, walking on clockwise keeps it on the right.
fn rings(coasts: Vec<Vec<Coord<f64>>>, frame: &Rect<f64>) -> Vec<Vec<Coord<f64>>> {
    let starts: Vec<f64> = coasts.iter().map(|coast| along(frame, coast[0])).collect();
    let stops: Vec<f64> = coasts.iter().map(|coast| along(frame, coast[coast.len() - 1])).collect();
    let mut used = vec![false; coasts.len()];
    let mut rings = Vec::new();
    for first in 0..coasts.len() {
        if used[first] {
            continue;
        }
        let mut ring = Vec::new();
        let mut current = first;
        loop {
            used[current] = true;
            ring.push(on_frame(frame, starts[current]));
            ring.extend(&coasts[current]);
            let from = stops[current];
            ring.push(on_frame(frame, from));
            let ahead = |index: usize| (starts[index] - from).rem_euclid(4.0);
            let next = (0..coasts.len())
                .filter(|&index| !used[index] || index == first)
                .min_by(|&a, &b| ahead(a).total_cmp(&ahead(b)))
                .unwrap_or(first);
            let end = from + ahead(next);
            let mut corner = from.floor() + 1.0;
            while corner < end {
                ring.push(on_frame(frame, corner % 4.0));
                corner += 1.0;
            }
            if next == first {
                break;
            }
            current = next;
        }
        ring.push(ring[0]);
        rings.push(ring);
    }
    rings
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::Area;

    #[test]
    fn the_sea_is_on_the_right_of_the_coast() {
        let frame = Rect::new(Coord { x: 0.0, y: 0.0 }, Coord { x: 10.0, y: 10.0 });
        // Eastwards through the middle: the water is the southern half.
        let coast = vec![Coord { x: 1.0, y: 5.0 }, Coord { x: 9.0, y: 5.0 }];
        let rings = rings(vec![coast], &frame);
        assert_eq!(rings.len(), 1);
        let sea = MultiPolygon::new(vec![Polygon::new(LineString::new(rings[0].clone()), Vec::new())]);
        assert!((sea.unsigned_area() - 50.0).abs() < 1e-9, "{}", sea.unsigned_area());
        assert!(contains(&sea, Coord { x: 5.0, y: 2.0 }));
        assert!(!contains(&sea, Coord { x: 5.0, y: 8.0 }));
    }

    #[test]
    fn two_coasts_make_a_strait() {
        let frame = Rect::new(Coord { x: 0.0, y: 0.0 }, Coord { x: 10.0, y: 10.0 });
        let north = vec![Coord { x: 0.5, y: 7.0 }, Coord { x: 9.5, y: 7.0 }];
        let south = vec![Coord { x: 9.5, y: 3.0 }, Coord { x: 0.5, y: 3.0 }];
        let rings = rings(vec![north, south], &frame);
        assert_eq!(rings.len(), 1);
        let sea = MultiPolygon::new(vec![Polygon::new(LineString::new(rings[0].clone()), Vec::new())]);
        assert!((sea.unsigned_area() - 40.0).abs() < 1e-9, "{}", sea.unsigned_area());
    }
}
