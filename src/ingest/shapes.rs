//! Validity of areas and lines, and their repair.

use geo::algorithm::validation::{InvalidMultiPolygon, InvalidPolygon};
use geo::{
    Area, LineString, MakeValid, MultiPolygon, Orient, RemoveRepeatedPoints, Validation, orient::Direction,
};

use crate::model::Text;

/// What came of looking at an area.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Looked {
    /// Nothing to do.
    Valid,
    /// It was invalid; this is the repaired one and what was wrong.
    Repaired(MultiPolygon<f64>, Text),
    /// Nothing of it is left.
    Hopeless(Text),
}

/// Looks whether an area on the metric plane is valid and repairs it by the even-odd rule if not.
///
/// Cost: O(n log n) in the vertices. Source: Ledoux, Arroyo Ohori, Meijers 2014, through `geo`.
pub(super) fn look(area: &MultiPolygon<f64>) -> Looked {
    let clean = area.remove_repeated_points();
    if clean.0.is_empty() || clean.0.iter().all(|polygon| polygon.exterior().0.len() < 4) {
        return Looked::Hopeless(Text::from((
            "不同的顶点少于三个",
            "it has fewer than three different corners",
        )));
    }
    let Err(error) = clean.check_validation() else {
        return if clean.unsigned_area() < 1e-6 {
            Looked::Hopeless(Text::from(("面积为零", "it has no area")))
        } else {
            Looked::Valid
        };
    };
    match clean.make_valid() {
        Ok(repaired) if 1e-6 < repaired.unsigned_area() => Looked::Repaired(repaired, words(&error)),
        _ => Looked::Hopeless(words(&error)),
    }
}

/// What is wrong, in the words of somebody who draws.
fn words(error: &InvalidMultiPolygon) -> Text {
    let (zh, en) = match error {
        InvalidMultiPolygon::InvalidPolygon(_, part) => match part {
            InvalidPolygon::TooFewPointsInRing(_) => {
                ("某一环的不同顶点少于三个", "a ring has fewer than three different corners")
            }
            InvalidPolygon::SelfIntersection(_) => ("自相交", "it crosses itself"),
            InvalidPolygon::NonFiniteCoord(..) => ("有坐标不是数", "a coordinate is no number"),
            InvalidPolygon::InteriorRingNotContainedInExteriorRing(_) => {
                ("内环（洞）伸出外环", "a hole reaches out of the outline")
            }
            InvalidPolygon::IntersectingRingsOnALine(..) => {
                ("内环与其他环共边", "a hole shares a side with another ring")
            }
            InvalidPolygon::IntersectingRingsOnAnArea(..) => ("内环相互重叠", "holes overlap"),
        },
        InvalidMultiPolygon::ElementsOverlaps(..) => ("各部分相互重叠", "its parts overlap"),
        InvalidMultiPolygon::ElementsTouchOnALine(..) => ("各部分共边", "its parts share a side"),
    };
    Text::from((zh, en))
}

/// Exterior rings counter-clockwise, holes clockwise.
pub(super) fn oriented(area: &MultiPolygon<f64>) -> MultiPolygon<f64> {
    area.orient(Direction::Default)
}

/// A line without repeated vertices; `None` if nothing is left of it.
pub(super) fn line(line: &LineString<f64>) -> Option<LineString<f64>> {
    let clean = line.remove_repeated_points();
    (2 <= clean.0.len()).then_some(clean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::polygon;

    #[test]
    fn a_bow_tie_becomes_two_triangles() {
        let bow_tie = polygon![(x: 0.0, y: 0.0), (x: 10.0, y: 10.0), (x: 10.0, y: 0.0), (x: 0.0, y: 10.0)];
        match look(&MultiPolygon::new(vec![bow_tie])) {
            Looked::Repaired(area, _) => {
                assert_eq!(area.0.len(), 2);
                assert!((area.unsigned_area() - 50.0).abs() < 1e-9);
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_needle_is_hopeless_and_a_square_is_valid() {
        let needle = polygon![(x: 0.0, y: 0.0), (x: 10.0, y: 0.0), (x: 5.0, y: 0.0)];
        assert!(matches!(look(&MultiPolygon::new(vec![needle])), Looked::Hopeless(_)));
        let square = polygon![(x: 0.0, y: 0.0), (x: 1.0, y: 0.0), (x: 1.0, y: 1.0), (x: 0.0, y: 1.0)];
        assert_eq!(look(&MultiPolygon::new(vec![square])), Looked::Valid);
    }
}
