//! Elements → compounds, administrative areas, and what surrounds a building.

use geo::{Coord, MultiPolygon};

use super::super::draft::DraftAdmin;
use super::super::lookup::AreaIndex;
use super::features::{broken_area, outline, rough_area};
use super::{Elements, Tags, rings, tags};
use crate::model::{Community, Compound, Finding, GridClass, SourceId, Use};

/// Areas that say what the buildings inside are used for.
pub(super) struct Surroundings {
    areas: Vec<(MultiPolygon<f64>, Use, f64)>,
}

impl Surroundings {
    /// Land use and the grounds of schools, hospitals and the like.
    pub(super) fn new(elements: &Elements) -> Self {
        let mut areas: Vec<_> =
            every_area(elements, |tags| tags::surroundings(tags).filter(|_| !tags.yes("building")))
                .into_iter()
                .filter(|found| !found.area.0.is_empty())
                .map(|found| {
                    let size = rough_area(&found.area);
                    (found.area, found.what, size)
                })
                .collect();
        // Smallest first: the nearest surroundings speak.
        areas.sort_by(|a, b| a.2.total_cmp(&b.2));
        Self { areas }
    }

    /// The areas with an index over them.
    pub(super) fn lookup(&self) -> SurroundingsLookup<'_> {
        SurroundingsLookup { index: AreaIndex::new(self.areas.iter().map(|(area, ..)| area)), of: self }
    }
}

/// [`Surroundings`] with their index.
pub(super) struct SurroundingsLookup<'a> {
    index: AreaIndex<'a>,
    of: &'a Surroundings,
}

impl SurroundingsLookup<'_> {
    /// Use suggested by the smallest area around a place.
    pub(super) fn usage(&self, at: Coord<f64>) -> Option<Use> {
        self.index.containing(at).first().map(|&index| self.of.areas[index].1)
    }
}

/// An area found among ways and relations.
struct Found<'a, T> {
    id: String,
    number: i64,
    tags: &'a Tags,
    area: MultiPolygon<f64>,
    complete: bool,
    what: T,
}

/// Closed ways and relations whose tags mean something.
fn every_area<'a, T>(elements: &'a Elements, meaning: impl Fn(&Tags) -> Option<T>) -> Vec<Found<'a, T>> {
    let mut found = Vec::new();
    for way in &elements.ways {
        if let Some(what) = meaning(&way.tags)
            && let Some(area) = outline(elements, way)
        {
            let id = format!("way/{}", way.id);
            found.push(Found { id, number: way.id, tags: &way.tags, area, complete: true, what });
        }
    }
    for relation in &elements.relations {
        if let Some(what) = meaning(&relation.tags) {
            let (area, complete) = rings::area(elements, relation);
            let id = format!("relation/{}", relation.id);
            found.push(Found { id, number: relation.id, tags: &relation.tags, area, complete, what });
        }
    }
    found
}

/// Residential areas with a name or a wall.
pub(super) fn compounds(elements: &Elements) -> Vec<Compound> {
    every_area(elements, tags::compound)
        .into_iter()
        .filter(|found| !found.area.0.is_empty())
        .map(|found| Compound {
            source: SourceId(found.id),
            name: found.tags.get("name").map(str::to_owned),
            outline: found.area,
            walled: found.what,
            households: None,
        })
        .collect()
}

/// Administrative areas whose outline is closed inside the extract.
pub(super) fn admins(elements: &Elements, findings: &mut Vec<Finding>) -> Vec<DraftAdmin> {
    let mut admins = Vec::new();
    for found in every_area(elements, tags::admin_level) {
        // Low levels are countries and provinces: never whole in an extract, never a community.
        if found.what < 6 {
            continue;
        }
        if !found.complete {
            findings.push(broken_area(&found.id, "communities", &found.area));
            continue;
        }
        let code = found.tags.get("ref").map_or_else(|| found.number.to_string(), str::to_owned);
        let name = found.tags.get("name").map_or_else(|| found.id.clone(), str::to_owned);
        let community = Community { code, name, class: GridClass::default(), outline: found.area };
        admins.push(DraftAdmin { level: found.what, community });
    }
    admins
}
