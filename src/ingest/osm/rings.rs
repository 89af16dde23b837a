//! Member ways → closed rings → areas with holes.

use geo::{Area, Contains, LineString, MultiPolygon, Point, Polygon};
use rustc_hash::FxHashMap;

use super::{Elements, Relation};

/// The area of a multipolygon or boundary relation in degrees, and whether every ring is closed.
pub(super) fn area(elements: &Elements, relation: &Relation) -> (MultiPolygon<f64>, bool) {
    let chains = |is_inner: bool| -> Vec<Vec<i64>> {
        relation
            .ways
            .iter()
            .filter(|(_, role)| (&**role == "inner") == is_inner && matches!(&**role, "" | "outer" | "inner"))
            .filter_map(|(id, _)| elements.way(*id))
            .map(|way| way.nodes.clone())
            .collect()
    };
    let missing = relation
        .ways
        .iter()
        .any(|(id, role)| matches!(&**role, "" | "outer" | "inner") && elements.way(*id).is_none());
    let (outer, outer_closed) = rings(elements, chains(false));
    let (inner, inner_closed) = rings(elements, chains(true));
    (with_holes(outer, inner), outer_closed && inner_closed && !missing)
}

/// Joins chains of nodes end to end. `false` if some end was left over or a node is unknown.
fn rings(elements: &Elements, chains: Vec<Vec<i64>>) -> (Vec<LineString<f64>>, bool) {
    let (closed, all_closed) = join(chains);
    let mut complete = all_closed;
    let rings = closed
        .into_iter()
        .filter_map(|nodes| {
            let line = elements.line(&nodes);
            complete &= line.len() == nodes.len();
            (line.len() == nodes.len() && 4 <= line.len()).then(|| LineString::new(line))
        })
        .collect();
    (rings, complete)
}

/// Joins chains into closed rings; chains that close nowhere are dropped and reported.
fn join(chains: Vec<Vec<i64>>) -> (Vec<Vec<i64>>, bool) {
    let mut closed = Vec::new();
    let mut open: Vec<Option<Vec<i64>>> = Vec::new();
    for chain in chains {
        match (chain.first(), chain.last()) {
            (Some(first), Some(last)) if first == last && 4 <= chain.len() => closed.push(chain),
            (Some(_), Some(_)) if 2 <= chain.len() => open.push(Some(chain)),
            _ => {}
        }
    }
    let mut at_end: FxHashMap<i64, Vec<usize>> = FxHashMap::default();
    for (index, chain) in open.iter().enumerate() {
        for node in chain.iter().flat_map(|chain| [chain.first(), chain.last()]).flatten() {
            at_end.entry(*node).or_default().push(index);
        }
    }
    let mut all_closed = true;
    for start in 0..open.len() {
        let Some(mut ring) = open[start].take() else { continue };
        while ring.first() != ring.last() {
            let Some(&end) = ring.last() else { break };
            let next =
                at_end.get(&end).and_then(|list| list.iter().copied().find(|&index| open[index].is_some()));
            let Some(chain) = next.and_then(|index| open[index].take()) else { break };
            if chain.first() == Some(&end) {
                ring.extend(&chain[1..]);
            } else {
                ring.extend(chain.iter().rev().skip(1));
            }
        }
        if ring.first() == ring.last() && 4 <= ring.len() {
            closed.push(ring);
        } else {
            all_closed = false;
        }
    }
    (closed, all_closed)
}

/// Gives each hole to the smallest ring around it.
fn with_holes(outer: Vec<LineString<f64>>, inner: Vec<LineString<f64>>) -> MultiPolygon<f64> {
    let mut polygons: Vec<Polygon<f64>> =
        outer.into_iter().map(|ring| Polygon::new(ring, Vec::new())).collect();
    for hole in inner {
        let Some(&first) = hole.0.first() else { continue };
        let around = polygons
            .iter()
            .enumerate()
            .filter(|(_, polygon)| {
                let shell = Polygon::new(polygon.exterior().clone(), Vec::new());
                shell.contains(&Point(first)) || hole.0.iter().any(|at| shell.contains(&Point(*at)))
            })
            .min_by(|a, b| a.1.unsigned_area().total_cmp(&b.1.unsigned_area()))
            .map(|(index, _)| index);
        if let Some(index) = around {
            polygons[index].interiors_push(hole);
        }
    }
    MultiPolygon::new(polygons)
}
