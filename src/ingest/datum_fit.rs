//! Shifted datums found out by overlap: do the buildings fit the streets and outlines of the other sources?

use geo::{BoundingRect, Coord, MapCoords};
use rayon::prelude::*;
use rstar::primitives::Line;
use rstar::{AABB, RTree};

use super::crs::Crs;
use super::draft::Draft;
use super::lookup::AreaIndex;
use super::roles::Role;
use crate::geometry::Datum;
use crate::model::{AtomShape, Finding, FindingKind, Severity, Text};

/// Buildings looked at.
const SAMPLE: usize = 3000;
/// Fewer buildings than this prove nothing. Our choice.
const FEWEST: usize = 50;
/// The best datum must cut at most this share of the buildings that the next best cuts. Our choice.
const CLEAR: f64 = 0.4;
/// A building known by its point counts as cut by a street within this many degrees (about 4 m). Our choice.
const NEAR: f64 = 0.000_04;

/// Finds out shifted datums of sources that state none, and warns about those that state another.
///
/// - Rule: under the right datum hardly any building lies on a street; under a wrong one many do. The answer is
///   taken only where the best datum cuts at most [`CLEAR`] of what every other cuts.
pub(super) fn settle(drafts: &mut [Draft]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(reference) = Reference::of(drafts) else { return findings };
    for draft in drafts.iter_mut() {
        let is_open = draft.datum_open && draft.role != Role::Osm && draft.label() != reference.label;
        if !is_open || draft.atoms.len() < FEWEST {
            continue;
        }
        let Some((datum, shares)) = reference.best(draft) else { continue };
        if datum == Datum::Wgs84 {
            draft.crs_how.zh.push_str("；建筑与道路相合");
            draft.crs_how.en.push_str("; the buildings fit the streets");
            continue;
        }
        let (label, reference, name) = (draft.label(), &reference.label, datum.as_str());
        let (under, under_wgs84) = (100.0 * shares.1, 100.0 * shares.0);
        let evidence = Text::from((
            format!(
                "按 {name} 有 {under:.1}% 的建筑压在 {reference} 的道路上，按 WGS 84 有 {under_wgs84:.1}%"
            ),
            format!(
                "{under:.1} % of its buildings lie on streets of {reference} under {name}, {under_wgs84:.1} % under WGS 84"
            ),
        ));
        draft.crs = Crs::Degrees(datum);
        draft.crs_how = Text::from((
            format!("叠合检测：{}", evidence.zh),
            format!("detected by overlap: {}", evidence.en),
        ));
        draft.crs_detected = false;
        draft.datum_open = false;
        let finding = Finding::new(
            Severity::Warning,
            FindingKind::Datum,
            draft.role.as_str(),
            (
                format!("{label} 按 {name} 处理并已转换：{}", evidence.zh),
                format!("{label} is taken as {name} and converted: {}", evidence.en),
            ),
            ("若不对，用 --datum 指明基准", "say the datum with --datum if that is wrong"),
        );
        findings.push(finding);
    }
    findings
}

/// Streets whose datum is certain.
struct Reference {
    label: String,
    streets: RTree<Line<[f64; 2]>>,
}

impl Reference {
    fn of(drafts: &[Draft]) -> Option<Self> {
        let draft = drafts
            .iter()
            .filter(|draft| !draft.streets.is_empty() && (draft.role == Role::Osm || !draft.datum_open))
            .max_by_key(|draft| draft.streets.len())?;
        let lines =
            draft.streets.iter().filter(|street| !street.tunnel && !street.bridge).flat_map(|street| {
                let line = street.line.map_coords(|at| draft.crs.to_lonlat(at));
                line.lines().map(|line| Line::new(line.start.into(), line.end.into())).collect::<Vec<_>>()
            });
        Some(Self { label: draft.label(), streets: RTree::bulk_load(lines.collect()) })
    }

    /// The datum that fits clearly best, with the shares cut under WGS 84 and under it.
    fn best(&self, draft: &Draft) -> Option<(Datum, (f64, f64))> {
        let step = (draft.atoms.len() / SAMPLE).max(1);
        let shapes: Vec<&AtomShape> = draft.atoms.iter().step_by(step).map(|atom| &atom.shape).collect();
        let mut shares: Vec<(f64, Datum)> = [Datum::Wgs84, Datum::Gcj02, Datum::Bd09]
            .into_iter()
            .filter_map(|datum| Some((self.share(&shapes, datum)?, datum)))
            .collect();
        let wgs84 = shares.first().filter(|(_, datum)| *datum == Datum::Wgs84)?.0;
        shares.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (best, datum) = *shares.first()?;
        let next = shares.get(1)?.0;
        (best <= CLEAR * next && 0.02 < next).then_some((datum, (wgs84, best)))
    }

    /// Share of the buildings near streets that a street cuts; `None` if too few are near any.
    fn share(&self, shapes: &[&AtomShape], datum: Datum) -> Option<f64> {
        let cut: Vec<bool> = shapes.par_iter().filter_map(|shape| self.is_cut(shape, datum)).collect();
        (FEWEST <= cut.len()).then(|| cut.iter().filter(|cut| **cut).count() as f64 / cut.len() as f64)
    }

    /// Whether a street runs through a building; `None` far from every street.
    fn is_cut(&self, shape: &AtomShape, datum: Datum) -> Option<bool> {
        let at = datum.to_wgs84(shape.anchor());
        let (_, distance) = self.streets.nearest_neighbor_iter_with_distance_2(&[at.x, at.y]).next()?;
        // Two hundred metres: beyond, the streets are not those of the place.
        if 0.002 < distance.sqrt() {
            return None;
        }
        let AtomShape::Area(area) = shape else { return Some(distance.sqrt() < NEAR) };
        let moved = area.map_coords(|at| datum.to_wgs84(at));
        let bounds = moved.bounding_rect()?;
        let index = AreaIndex::new(std::iter::once(&moved));
        let envelope = AABB::from_corners(bounds.min().into(), bounds.max().into());
        let inside = |line: &Line<[f64; 2]>| {
            (0..=8).any(|step| {
                let share = f64::from(step) / 8.0;
                let between = |a: f64, b: f64| a + (b - a) * share;
                let at = Coord { x: between(line.from[0], line.to[0]), y: between(line.from[1], line.to[1]) };
                !index.containing(at).is_empty()
            })
        };
        Some(self.streets.locate_in_envelope_intersecting(&envelope).any(inside))
    }
}
