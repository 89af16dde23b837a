//! Elements → buildings, streets, barriers and gates.

use geo::{Area, Coord, LineString, MultiPolygon, Polygon};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::super::draft::{Draft, DraftAtom};
use super::super::roles::Role;
use super::{Elements, Tags, Way, places, rings, sea, tags};
use crate::geometry::interior_point;
use crate::model::{
    AtomShape, Barrier, BarrierKind, BarrierShape, Finding, FindingKind, Gate, Severity, SourceId, Street,
    StreetClass, Use,
};

/// Metres of one degree of latitude, for thresholds that need no precision.
const METRES_PER_DEGREE: f64 = 111_320.0;

/// A building below this ground area in square metres, without tags of its own, is a hut. Our choice.
const SMALLEST_DWELLING: f64 = 15.0;

/// A way over a crossing has at most this many nodes; longer ones only pass the crossing.
const CROSSING_NODES: usize = 5;

/// Everything that an extract holds for planning, in degrees.
pub(super) fn draft(file: String, elements: &Elements) -> Draft {
    let mut draft = Draft::new(file, Role::Osm);
    draft.atoms = buildings(elements, &mut draft.findings);
    draft.streets = streets(elements);
    draft.barriers = barriers(elements, &mut draft.findings);
    draft.gates = gates(elements);
    draft.compounds = places::compounds(elements);
    draft.admins = places::admins(elements, &mut draft.findings);
    let counts = [
        draft.atoms.len(),
        draft.streets.len(),
        draft.barriers.len(),
        draft.gates.len(),
        draft.compounds.len(),
        draft.admins.len(),
    ];
    draft.features = counts.iter().map(|&count| count as u64).sum();
    draft
}

/// The closed outline of a way in degrees.
pub(super) fn outline(elements: &Elements, way: &Way) -> Option<MultiPolygon<f64>> {
    if !way.is_closed() {
        return None;
    }
    let line = elements.line(&way.nodes);
    let whole = 4 <= line.len() && line.first() == line.last();
    whole.then(|| MultiPolygon::new(vec![Polygon::new(LineString::new(line), Vec::new())]))
}

/// Ground area in square metres of an area in degrees, roughly.
pub(super) fn rough_area(area: &MultiPolygon<f64>) -> f64 {
    let latitude = area.0.first().and_then(|polygon| polygon.exterior().0.first()).map_or(0.0, |at| at.y);
    area.unsigned_area() * METRES_PER_DEGREE.powi(2) * latitude.to_radians().cos()
}

fn is_building(tags: &Tags) -> bool {
    tags.yes("building") && !tags.is("building", &["entrance"])
}

/// What buildings are read against: their doors and what surrounds them.
struct Context<'a> {
    doors: FxHashMap<i64, (u8, Coord<f64>)>,
    surroundings: places::SurroundingsLookup<'a>,
}

fn buildings(elements: &Elements, findings: &mut Vec<Finding>) -> Vec<DraftAtom> {
    let surroundings = places::Surroundings::new(elements);
    let context = Context { doors: doors(elements), surroundings: surroundings.lookup() };
    let relations: Vec<_> =
        elements.relations.iter().filter(|relation| is_building(&relation.tags)).collect();
    let parts: FxHashSet<i64> = relations
        .iter()
        .flat_map(|relation| relation.ways.iter().filter(|(_, role)| &**role != "inner").map(|(id, _)| *id))
        .collect();
    let mut atoms: Vec<DraftAtom> = elements
        .ways
        .par_iter()
        .filter(|way| is_building(&way.tags) && !parts.contains(&way.id))
        .filter_map(|way| {
            let area = outline(elements, way)?;
            Some(building(&context, format!("way/{}", way.id), &way.tags, area, &way.nodes))
        })
        .collect();
    for relation in relations {
        let (area, complete) = rings::area(elements, relation);
        let id = format!("relation/{}", relation.id);
        if !complete {
            findings.push(broken_area(&id, "buildings", &area));
        }
        if !area.0.is_empty() {
            let ways = relation.ways.iter().filter_map(|(id, _)| elements.way(*id));
            let nodes: Vec<i64> = ways.flat_map(|way| way.nodes.iter().copied()).collect();
            atoms.push(building(&context, id, &relation.tags, area, &nodes));
        }
    }
    atoms
}

/// The finding for an area whose rings do not close.
pub(super) fn broken_area(id: &str, layer: &str, area: &MultiPolygon<f64>) -> Finding {
    let finding = Finding::new(
        Severity::Info,
        FindingKind::InvalidGeometry,
        layer,
        ("边界在数据范围内没有闭合", "the outline is not closed inside the extract"),
        ("若此处重要，请取范围更大的数据", "take a larger extract if this place matters"),
    )
    .about(id);
    match area.0.first().and_then(|polygon| polygon.exterior().0.first()) {
        Some(&at) => finding.at(at),
        None => finding,
    }
}

fn building(
    context: &Context<'_>,
    id: String,
    tags: &Tags,
    area: MultiPolygon<f64>,
    nodes: &[i64],
) -> DraftAtom {
    let usage = tags::building_use(tags).unwrap_or_else(|| {
        if rough_area(&area) < SMALLEST_DWELLING {
            Use::Other
        } else {
            context.surroundings.usage(interior_point(&area)).unwrap_or_default()
        }
    });
    let door = nodes.iter().filter_map(|node| context.doors.get(node)).min_by_key(|(rank, _)| *rank);
    DraftAtom {
        name: tags::name(tags),
        households: tags::flats(tags),
        floors: tags::floors(tags),
        usage,
        door: door.map(|(_, at)| *at),
        ..DraftAtom::new(id, AtomShape::Area(area))
    }
}

/// Entrances by node, with their rank.
fn doors(elements: &Elements) -> FxHashMap<i64, (u8, Coord<f64>)> {
    let ranked = elements.nodes.iter().filter_map(|node| Some((node, tags::entrance_rank(&node.tags)?)));
    ranked.map(|(node, rank)| (node.id, (rank, node.at))).collect()
}

fn streets(elements: &Elements) -> Vec<Street> {
    let crossings: FxHashSet<i64> = elements
        .nodes
        .iter()
        .filter(|node| node.tags.is("highway", &["crossing"]) || node.tags.yes("crossing"))
        .map(|node| node.id)
        .collect();
    let streets = elements.ways.par_iter().filter_map(|way| {
        let class = tags::street_class(&way.tags)?;
        let mut line = elements.line(&way.nodes);
        line.dedup();
        if line.len() < 2 {
            return None;
        }
        let passes = class == StreetClass::Path
            && way.nodes.len() <= CROSSING_NODES
            && way.nodes.iter().any(|node| crossings.contains(node));
        Some(Street {
            source: SourceId(format!("way/{}", way.id)),
            name: way.tags.get("name").map(str::to_owned),
            class,
            line: LineString::new(line),
            foot: tags::is_walkable(&way.tags),
            bridge: tags::is_bridge(&way.tags),
            tunnel: tags::is_tunnel(&way.tags),
            incline: tags::incline(&way.tags),
            crossing: way.tags.is("footway", &["crossing"])
                || (passes && !way.tags.is("footway", &["sidewalk"])),
            no_wheelchair: class == StreetClass::Steps || way.tags.is("wheelchair", &["no"]),
        })
    });
    streets.collect()
}

fn barriers(elements: &Elements, findings: &mut Vec<Finding>) -> Vec<Barrier> {
    let of = |id: String, tags: &Tags, kind, shape| Barrier {
        source: SourceId(id),
        name: tags.get("name").map(str::to_owned),
        kind,
        shape,
    };
    let area_kind = |tags: &Tags| {
        tags::is_water(tags)
            .then(|| if tags::is_river_area(tags) { BarrierKind::River } else { BarrierKind::Water })
    };
    let mut barriers: Vec<Barrier> = elements
        .ways
        .par_iter()
        .filter_map(|way| {
            let id = format!("way/{}", way.id);
            if let Some(kind) = area_kind(&way.tags) {
                let area = outline(elements, way)?;
                return Some(of(id, &way.tags, kind, BarrierShape::Area(area)));
            }
            let kind = tags::barrier_line(&way.tags)?;
            let mut line = elements.line(&way.nodes);
            line.dedup();
            (2 <= line.len()).then(|| of(id, &way.tags, kind, BarrierShape::Line(LineString::new(line))))
        })
        .collect();
    for relation in &elements.relations {
        if let Some(kind) = area_kind(&relation.tags) {
            let (area, complete) = rings::area(elements, relation);
            let id = format!("relation/{}", relation.id);
            if !complete {
                findings.push(broken_area(&id, "barriers", &area));
            }
            if !area.0.is_empty() {
                barriers.push(of(id, &relation.tags, kind, BarrierShape::Area(area)));
            }
        }
    }
    barriers.extend(sea::areas(elements).into_iter().enumerate().map(|(index, area)| Barrier {
        source: SourceId(format!("sea/{}", index + 1)),
        name: None,
        kind: BarrierKind::Water,
        shape: BarrierShape::Area(area),
    }));
    barriers
}

fn gates(elements: &Elements) -> Vec<Gate> {
    let gates = elements.nodes.iter().filter_map(|node| Some((node, tags::gate(&node.tags)?)));
    gates
        .map(|(node, open)| Gate {
            source: SourceId(format!("node/{}", node.id)),
            compound: None,
            at: node.at,
            open,
        })
        .collect()
}
