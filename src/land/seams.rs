//! Seams between communities: both sides of a shared outline get the same vertices.

use rustc_hash::FxHashMap;

use super::exact::Pt;
use super::scene::{BoundaryKind, OUTSIDE};
use super::subdivision::Subdivision;

/// Where plots of either side end on an outline edge, from its lesser end on.
type Junctions = FxHashMap<(Pt, Pt), Vec<Pt>>;

fn key(edge: [Pt; 2]) -> (Pt, Pt) {
    (edge[0].min(edge[1]), edge[0].max(edge[1]))
}

/// How far `p` is along an edge, from its lesser end on; only to compare.
fn along(edge: (Pt, Pt), p: Pt) -> i128 {
    let (low, high) = edge;
    (0..2).map(|i| i128::from(high[i] - low[i]) * i128::from(p[i] - low[i])).sum()
}

/// Gives every community the junctions that its neighbors have on the outlines they share; `outlines` are the settled edges.
pub(super) fn sew(subdivisions: &mut [Subdivision], outlines: &[Vec<[Pt; 2]>]) {
    let mut junctions = Junctions::default();
    for subdivision in subdivisions.iter() {
        collect(subdivision, &outlines[subdivision.community as usize], &mut junctions);
    }
    for (&edge, points) in &mut junctions {
        points.sort_by_key(|&p| (along(edge, p), p));
        points.dedup();
    }
    for subdivision in subdivisions {
        let edges = &outlines[subdivision.community as usize];
        insert(subdivision, edges, &junctions);
        subdivision.refresh_areas();
    }
}

fn collect(subdivision: &Subdivision, edges: &[[Pt; 2]], junctions: &mut Junctions) {
    for chain in subdivision.chains.iter().filter(|chain| chain.left == OUTSIDE || chain.right == OUTSIDE) {
        for (a, b, tag) in chain.segments() {
            let tag = &subdivision.tags[tag as usize];
            let Some(&edge) = edges.get(tag.side as usize).filter(|_| tag.kind == BoundaryKind::Outline)
            else {
                continue;
            };
            for p in [a, b].into_iter().filter(|p| !edge.contains(p)) {
                junctions.entry(key(edge)).or_default().push(p);
            }
        }
    }
}

fn insert(subdivision: &mut Subdivision, edges: &[[Pt; 2]], junctions: &Junctions) {
    for chain in subdivision.chains.iter_mut().filter(|chain| chain.left == OUTSIDE || chain.right == OUTSIDE)
    {
        let (mut points, mut tags) = (vec![chain.points[0]], Vec::with_capacity(chain.tags.len()));
        for (a, b, tag_id) in chain.segments() {
            let tag = &subdivision.tags[tag_id as usize];
            let edge = edges.get(tag.side as usize).filter(|_| tag.kind == BoundaryKind::Outline);
            if let Some((edge, list)) = edge.and_then(|&edge| Some((key(edge), junctions.get(&key(edge))?))) {
                let (from, to) = (along(edge, a), along(edge, b));
                let (low, high) = (from.min(to), from.max(to));
                let mut between: Vec<Pt> =
                    list.iter().copied().filter(|&p| low < along(edge, p) && along(edge, p) < high).collect();
                if to < from {
                    between.reverse();
                }
                for p in between {
                    points.push(p);
                    tags.push(tag_id);
                }
            }
            points.push(b);
            tags.push(tag_id);
        }
        (chain.points, chain.tags) = (points, tags);
    }
}
