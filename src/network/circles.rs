//! Service circles: the area from which a station is reached, cut exactly at the limit along the streets.

use std::sync::PoisonError;

use geo::{BoundingRect, Contains, Coord, LineString, MultiPolygon, Polygon};
use rayon::prelude::*;

use super::NetworkError;
use super::contract::NONE;
use super::drawing::{Beside, Drawing, Field, Pen, Scratch, Traced};
use super::engine::{Sources, WalkNetwork};
use super::mesh::Mesh;
use super::outline::{shorten_slits, smooth, straighten_shared};

/// How several stations share the plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CircleShare {
    /// One area per station and limit; areas of neighbours overlap.
    PerStation,
    /// One area per limit: what any station serves.
    Merged,
    /// One area per station and limit: what it serves and no other station is nearer to.
    Nearest,
}

/// The area from which a station is reached within a limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Circle {
    /// Index of the station; `None` merges all.
    pub station: Option<u32>,
    /// Limit, in the network's costs.
    pub limit: u32,
    /// Area on the plane; empty if nothing is reached.
    pub area: MultiPolygon<f64>,
}

/// A station in the middle of an edge: the edge's end nodes, the share of the edge from the first, and the
/// walk from there to the station.
#[derive(Clone, Copy, Debug)]
pub(super) struct OnEdge {
    pub station: u32,
    pub ends: [u32; 2],
    pub share: f64,
    pub access: u32,
}

impl WalkNetwork {
    /// Draws service circles, by station, then limit, in the order given.
    ///
    /// - Rule: a place on a street is inside exactly if its walk is within the limit (to 0.3 m where a street
    ///   that is reached crosses over one that is not). Off the streets the area fills the blocks between
    ///   reached streets and ends at most half-way to what is not reached. A wider limit holds a narrower one.
    /// - Method: the plane is triangulated along the streets once; a circle's outline runs through the
    ///   triangles and crosses each street where the walk equals the limit.
    /// - Cost: O(nodes reached) a circle after the first call, which triangulates the network, O(n log n). Calls whose
    ///   circles lie in a small part of the network triangulate that part alone, until together they cost as much as
    ///   the whole; the outlines are the same.
    ///
    /// # Errors
    /// A station that is no node.
    pub fn service_circles(
        &self,
        stations: &[u32],
        limits: &[u32],
        share: CircleShare,
    ) -> Result<Vec<Circle>, NetworkError> {
        self.check_stations(stations)?;
        Ok(self.circles(&Sources::nodes(stations), &[], limits, share))
    }

    pub(super) fn circles(
        &self,
        sources: &Sources,
        on_edges: &[OnEdge],
        limits: &[u32],
        share: CircleShare,
    ) -> Vec<Circle> {
        let widest = limits.iter().copied().max().unwrap_or(0);
        if let Some((window, mesh)) = self.window(sources, on_edges, widest) {
            let circles = self.circles_on(&mesh, sources, on_edges, limits, share);
            // Every street in the window is in the triangulation; beyond it one might be missed.
            if circles
                .iter()
                .filter_map(|circle| circle.area.bounding_rect())
                .all(|area| window.contains(&area))
            {
                return circles;
            }
        }
        match self.mesh() {
            Some(mesh) => self.circles_on(mesh, sources, on_edges, limits, share),
            None => empty_circles(sources.len(), limits, share),
        }
    }

    fn circles_on(
        &self,
        mesh: &Mesh,
        sources: &Sources,
        on_edges: &[OnEdge],
        limits: &[u32],
        share: CircleShare,
    ) -> Vec<Circle> {
        let beside = Beside::of(mesh, on_edges);
        let widest = limits.iter().copied().max().unwrap_or(0).min(NONE - 1);
        if share == CircleShare::PerStation {
            let spare = || mesh.spare.lock().unwrap_or_else(PoisonError::into_inner);
            let state = || {
                let (field, pen) = spare().pop().unwrap_or_else(|| Scratch::new(mesh)).ready(mesh);
                (field, pen, Vec::new())
            };
            let put = |(field, _, _): &mut Studio<'_>, node: u32, walk: u32| field.reach(node, walk, 0);
            let end = |(field, pen, circles): &mut Studio<'_>, station: u32| {
                let trace = |&limit: &u32| {
                    let drawing = Drawing::new(field, &beside, limit).of_station(station);
                    drawing.trace(pen, &field.reached)
                };
                let areas = drawn(mesh, limits, limits.iter().map(trace).collect());
                for (order, (area, &limit)) in areas.into_iter().zip(limits).enumerate() {
                    circles.push((station, order, Circle { station: Some(station), limit, area }));
                }
                field.clear();
            };
            let parts = self.each_within(sources, widest, state, put, end);
            let mut circles = Vec::new();
            for (field, pen, drawn) in parts {
                circles.extend(drawn);
                let mut spare = spare();
                if mesh.n_halves() <= KEPT_SIDES && spare.len() < rayon::current_num_threads() {
                    spare.push(Scratch::of(field, pen));
                }
            }
            circles.sort_unstable_by_key(|&(station, order, _)| (station, order));
            return circles.into_iter().map(|(_, _, circle)| circle).collect();
        }
        let nearest = self.nearest_of(sources, Some(widest));
        let mut field = Field::with_owners(mesh);
        for node in (0..nearest.cost.len()).filter(|&node| nearest.cost[node] != NONE) {
            field.reach(node as u32, nearest.cost[node], nearest.station[node] as u32);
        }
        if share == CircleShare::Merged {
            let trace = |&limit: &u32| {
                Drawing::new(&field, &beside, limit).trace(&mut Pen::new(mesh), &field.reached)
            };
            let areas = drawn(mesh, limits, limits.par_iter().map(trace).collect());
            let circle = |(area, &limit): (_, &u32)| Circle { station: None, limit, area };
            return areas.into_iter().zip(limits).map(circle).collect();
        }
        let of_station = field.reached_by_owner(sources.len());
        let draw = |pen: &mut Pen, (station, reached): (usize, &Vec<u32>)| -> Vec<Circle> {
            let station = station as u32;
            let trace = |&limit: &u32| {
                Drawing::new(&field, &beside, limit).of_station(station).owned_only().trace(pen, reached)
            };
            let areas = drawn(mesh, limits, limits.iter().map(trace).collect());
            let circle = |(area, &limit): (_, &u32)| Circle { station: Some(station), limit, area };
            areas.into_iter().zip(limits).map(circle).collect()
        };
        let each = of_station.par_iter().enumerate().with_min_len(16);
        each.map_init(|| Pen::new(mesh), draw).flatten_iter().collect()
    }
}

/// What one thread draws with, and what it has drawn: by station and order of the limit.
type Studio<'a> = (Field<'a>, Pen, Vec<(u32, usize, Circle)>);

/// A network with more sides than this keeps no scratch between two questions.
const KEPT_SIDES: usize = 1 << 23;

/// The areas of one station, or of all: smooth, with those of narrower limits still inside the wider ones.
fn drawn(mesh: &Mesh, limits: &[u32], mut traced: Vec<Traced>) -> Vec<MultiPolygon<f64>> {
    if let [_, _, ..] = limits {
        let mut areas: Vec<_> =
            limits.iter().copied().zip(traced.iter_mut().map(|traced| &mut traced.rings)).collect();
        shorten_slits(mesh, &mut areas);
    }
    straighten_shared(mesh, traced.iter_mut().map(|traced| &mut traced.rings));
    let area = |Traced { rings, bare }: Traced| {
        polygons(rings.iter().map(|ring| smooth(mesh, ring)).chain(bare).collect())
    };
    traced.into_iter().map(area).collect()
}

fn empty_circles(n_stations: usize, limits: &[u32], share: CircleShare) -> Vec<Circle> {
    let of = |station: Option<u32>| {
        limits.iter().map(move |&limit| Circle { station, limit, area: MultiPolygon(Vec::new()) })
    };
    match share {
        CircleShare::Merged => of(None).collect(),
        CircleShare::PerStation | CircleShare::Nearest => {
            (0..n_stations as u32).flat_map(|station| of(Some(station))).collect()
        }
    }
}

/// Rings with the area on their left to polygons with holes.
fn polygons(rings: Vec<Vec<Coord<f64>>>) -> MultiPolygon<f64> {
    // Relative to the first corner, so that large coordinates do not eat the digits.
    let doubled_area = |ring: &[Coord<f64>]| -> f64 {
        let corner = |i: usize| ring[i % ring.len()] - ring[0];
        (0..ring.len()).map(|i| corner(i).x * corner(i + 1).y - corner(i).y * corner(i + 1).x).sum()
    };
    let mut outer: Vec<(f64, LineString<f64>, Vec<LineString<f64>>)> = Vec::new();
    let mut holes = Vec::new();
    for mut ring in rings {
        let area = doubled_area(&ring);
        ring.push(ring[0]);
        if 0.0 < area {
            outer.push((area, LineString(ring), Vec::new()));
        } else if area < 0.0 {
            holes.push(LineString(ring));
        }
    }
    // The smallest outline around a hole is the one that it is in.
    outer.sort_by(|a, b| a.0.total_cmp(&b.0));
    for hole in holes {
        let around = match &mut outer[..] {
            [single] => Some(single),
            several => several.iter_mut().find(|(_, ring, _)| surrounds(ring, hole.0[0])),
        };
        if let Some((_, _, holes)) = around {
            holes.push(hole);
        }
    }
    outer.reverse();
    MultiPolygon(outer.into_iter().map(|(_, ring, holes)| Polygon::new(ring, holes)).collect())
}

fn surrounds(ring: &LineString<f64>, at: Coord<f64>) -> bool {
    let crosses = |a: Coord<f64>, b: Coord<f64>| {
        (a.y <= at.y) != (b.y <= at.y) && at.x < a.x + (b.x - a.x) * (at.y - a.y) / (b.y - a.y)
    };
    ring.0.windows(2).filter(|pair| crosses(pair[0], pair[1])).count() % 2 == 1
}
