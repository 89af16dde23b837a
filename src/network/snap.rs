//! Doors to streets: a position on an edge, the leg to it, and what stands between.

use geo::{BoundingRect, Contains, Coord, MultiPolygon, Point};
use rayon::prelude::*;
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};

use super::cells::{SegmentCells, crossing, nearest_on};
use super::joined::Joined;
use super::order::hilbert_order;
use super::sight::{Met, OpenGate, Walls, is_walled};
use super::streets::StreetEdges;
use super::walking::WalkRules;
use crate::model::{Barrier, Compound, CompoundId, Gate};

/// A position on an edge of the network and the leg that leads there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attachment {
    /// Edge of the street network.
    pub edge: u32,
    /// Fraction of the edge from its first node, 0 to 1.
    pub share: f64,
    /// Length of the leg between door and edge in metres.
    pub access: f64,
}

/// Why a door is on no street.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SnapFailure {
    /// There is no street to walk on.
    NoStreets,
    /// The nearest street lies farther off than allowed.
    TooFar {
        /// Metres to the nearest street.
        nearest: f64,
    },
    /// Streets are near, but walls or other barriers stand before all of them.
    WalledIn,
    /// The nearest street is closed to this walker, and no other is about as near.
    Closed {
        /// Metres to the nearest street.
        nearest: f64,
    },
}

/// Where doors are attached. A door behind several gates has one attachment for each.
///
/// Kept along a space-filling curve, so that neighbors on the ground are neighbors in memory.
#[derive(Clone, Debug, Default)]
pub struct Snaps {
    /// Place of each door on the curve, and the door at each place.
    place: Vec<u32>,
    along_curve: Vec<u32>,
    /// Attachments of the door at each place: `start[place] .. start[place + 1]`.
    start: Vec<u32>,
    attachments: Vec<Attachment>,
    /// Places of doors that failed, ascending, and why.
    failures: Vec<(u32, SnapFailure)>,
}

impl Snaps {
    /// Number of doors.
    #[must_use]
    pub fn len(&self) -> usize {
        self.place.len()
    }

    /// Whether there are no doors.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.place.is_empty()
    }

    /// Attachments of a door; none where it failed.
    #[must_use]
    pub fn attachments(&self, door: usize) -> &[Attachment] {
        &self.attachments[self.at_place(self.place[door] as usize)]
    }

    /// Why the door is not attached, if so.
    #[must_use]
    pub fn failure(&self, door: usize) -> Option<SnapFailure> {
        let row = self.failures.binary_search_by_key(&self.place[door], |failure| failure.0).ok()?;
        Some(self.failures[row].1)
    }

    /// Puts together the parts of doors that follow one another in `order`.
    fn collect(order: Vec<u32>, parts: Vec<SnapPart>) -> Self {
        let mut snaps = Self { place: vec![0; order.len()], start: vec![0], ..Self::default() };
        snaps.start.reserve_exact(order.len());
        snaps.attachments.reserve_exact(parts.iter().map(|part| part.attachments.len()).sum());
        for (place, &door) in order.iter().enumerate() {
            snaps.place[door as usize] = place as u32;
        }
        for part in parts {
            let (before, first) = (snaps.attachments.len() as u32, snaps.start.len() as u32 - 1);
            snaps.start.extend(part.ends.iter().map(|end| before + end));
            snaps.attachments.extend_from_slice(&part.attachments);
            snaps.failures.extend(part.failures.iter().map(|&(place, failure)| (first + place, failure)));
        }
        snaps.along_curve = order;
        snaps
    }

    /// The doors along a space-filling curve.
    pub(super) fn along_curve(&self) -> &[u32] {
        &self.along_curve
    }

    /// The attachments of all doors along the curve.
    pub(super) fn along_curve_attachments(&self) -> &[Attachment] {
        &self.attachments
    }

    /// Those of the door at a place on the curve, as rows of [`Self::along_curve_attachments`].
    pub(super) fn at_place(&self, place: usize) -> std::ops::Range<usize> {
        self.start[place] as usize..self.start[place + 1] as usize
    }
}

/// Attachments of some doors one after another.
#[derive(Default)]
struct SnapPart {
    /// Where each door's attachments end.
    ends: Vec<u32>,
    attachments: Vec<Attachment>,
    failures: Vec<(u32, SnapFailure)>,
}

/// A door to attach.
#[derive(Clone, Copy, Debug)]
pub struct DoorPlace<'a> {
    /// Where people step out, or the middle of the building.
    pub at: Coord<f64>,
    /// Footprint; with it the leg starts at the wall nearest to the street instead of at `at`.
    pub footprint: Option<&'a MultiPolygon<f64>>,
    /// Compound that the building stands in, if known; otherwise it is looked up.
    pub compound: Option<CompoundId>,
}

impl DoorPlace<'_> {
    /// A door at a known position.
    #[must_use]
    pub fn at(at: Coord<f64>) -> Self {
        Self { at, footprint: None, compound: None }
    }

    /// How far the walls may be nearer to something than `at` is.
    pub(super) fn radius(&self) -> f64 {
        self.corners().map(|corner| (corner - self.at).x.hypot((corner - self.at).y)).fold(0.0, f64::max)
    }

    /// The place itself and the corners of its walls.
    pub(super) fn corners(&self) -> impl Iterator<Item = Coord<f64>> + '_ {
        let walls = self.footprint.into_iter().flatten().flat_map(|polygon| &polygon.exterior().0);
        std::iter::once(self.at).chain(walls.copied())
    }

    /// The leg to a share of a street.
    pub(super) fn leg_at(&self, (a, b): (Coord<f64>, Coord<f64>), share: f64) -> Leg {
        let at = a + (b - a) * share;
        Leg { share, ..self.leg_to(at, at) }
    }

    /// Shortest leg to the segment `a → b`.
    fn leg_to(&self, a: Coord<f64>, b: Coord<f64>) -> Leg {
        let (share, length) = nearest_on(a, b, self.at);
        let from_middle = Leg { start: self.at, share, length };
        let Some(footprint) = self.footprint else { return from_middle };
        // From a wall the leg can only be shorter; walls and segment come nearest at a corner or an end.
        let mut best = Leg { length: f64::INFINITY, ..from_middle };
        for polygon in footprint {
            for wall in polygon.exterior().0.windows(2) {
                let (share, length) = nearest_on(a, b, wall[0]);
                if length < best.length {
                    best = Leg { start: wall[0], share, length };
                }
                for (end, share) in [(a, 0.0), (b, 1.0)] {
                    let (along, length) = nearest_on(wall[0], wall[1], end);
                    if length < best.length {
                        best = Leg { start: wall[0] + (wall[1] - wall[0]) * along, share, length };
                    }
                }
                if let Some(along) = crossing(wall[0], wall[1], a, b) {
                    let start = wall[0] + (wall[1] - wall[0]) * along;
                    best = Leg { start, share: nearest_on(a, b, start).0, length: 0.0 };
                }
            }
        }
        if best.length.is_finite() { best } else { from_middle }
    }
}

/// A straight way from a door to a place on a segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leg {
    pub start: Coord<f64>,
    /// Share of the segment from its first end.
    pub share: f64,
    /// Metres.
    pub length: f64,
}

impl Leg {
    /// Where it meets the segment.
    pub fn end(self, (a, b): (Coord<f64>, Coord<f64>)) -> Coord<f64> {
        a + (b - a) * self.share
    }
}

/// What an edge is to doors beside it; the later the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Closed to this walker.
    Closed,
    /// Open, on a fragment of the network.
    Fragment,
    /// Open, on the main network.
    Main,
}

/// Edges in sight of a door.
struct Direct {
    found: Result<Vec<Attachment>, SnapFailure>,
    /// Leg to the nearest edge that a wall hides; infinite if none is nearer than what was found.
    hidden: f64,
    /// Legs to edges of the main network are at most so long.
    farthest: f64,
}

type WalledArea = GeomWithData<Rectangle<[f64; 2]>, u32>;

/// Everything that decides where a door leads to.
#[derive(Debug)]
pub(super) struct Surroundings {
    /// Edges on the ground, and the standing of every edge.
    edge_cells: SegmentCells,
    standing: Vec<Standing>,
    walls: Walls,
    /// Per compound its open gates; `None` for compounds without a wall.
    gates_of: Vec<Option<Vec<u32>>>,
    /// Where each gate leads on the street side.
    gate_attachments: Vec<Vec<Attachment>>,
    walled_areas: RTree<WalledArea>,
    outlines: Vec<MultiPolygon<f64>>,
    max_access: f64,
    max_inside: f64,
    max_farther: f64,
}

/// A component below this share of the largest one's length is a fragment: its doors also use a street of the
/// main network that is hardly farther, see [`WalkRules::max_farther`].
const FRAGMENT_SHARE: f64 = 0.1;

/// Which streets hang together.
#[derive(Debug)]
pub(super) struct Components {
    /// Component of each node.
    pub of_node: Vec<u32>,
    /// Whether each component is only a fragment beside the largest.
    is_fragment: Vec<bool>,
}

impl Components {
    pub fn of(edges: &StreetEdges) -> Self {
        let mut joined = Joined::new(edges.x.len());
        let passable = |edge: usize| edges.there_ms[edge] != u32::MAX || edges.back_ms[edge] != u32::MAX;
        for edge in (0..edges.from.len()).filter(|&edge| passable(edge)) {
            joined.join([edges.from[edge], edges.to[edge]]);
        }
        let of_node: Vec<u32> = (0..edges.x.len() as u32).map(|node| joined.of(node)).collect();
        let mut length = vec![0_u64; of_node.len()];
        for edge in (0..edges.from.len()).filter(|&edge| passable(edge)) {
            length[of_node[edges.from[edge] as usize] as usize] += u64::from(edges.mm[edge]);
        }
        let longest = length.iter().copied().max().unwrap_or(0) as f64;
        let is_fragment = length.iter().map(|&length| (length as f64) < longest * FRAGMENT_SHARE).collect();
        Self { of_node, is_fragment }
    }

    pub fn is_fragment(&self, edges: &StreetEdges, edge: u32) -> bool {
        self.is_fragment[self.of_node[edges.from[edge as usize] as usize] as usize]
    }

    /// Components that are fragments, by number of their nodes: for findings.
    pub fn fragments(&self) -> usize {
        let mut seen: Vec<u32> =
            self.of_node.iter().copied().filter(|&component| self.is_fragment[component as usize]).collect();
        seen.sort_unstable();
        seen.dedup();
        seen.len()
    }
}

impl Surroundings {
    pub fn of(
        edges: &StreetEdges,
        components: &Components,
        barriers: &[Barrier],
        compounds: &[Compound],
        all_gates: &[Gate],
        rules: &WalkRules,
    ) -> Self {
        let walls = Walls::of(barriers, compounds, all_gates, rules.gate_gap.value());
        let mut gates_of: Vec<Option<Vec<u32>>> =
            compounds.iter().map(|compound| is_walled(compound).then(Vec::new)).collect();
        for (row, gate) in walls.gates.iter().enumerate() {
            if let Some(Some(of)) = gate.compound.map(|compound| &mut gates_of[compound]) {
                of.push(row as u32);
            }
        }
        let boxes = compounds.iter().enumerate().filter(|(_, compound)| is_walled(compound));
        let boxes = boxes.filter_map(|(index, compound)| {
            let bounds = compound.outline.bounding_rect()?;
            let (low, high) = (bounds.min(), bounds.max());
            Some(GeomWithData::new(Rectangle::from_corners([low.x, low.y], [high.x, high.y]), index as u32))
        });
        let standing = |edge: u32| match () {
            () if edges.mm[edge as usize] == u32::MAX => Standing::Closed,
            () if components.is_fragment(edges, edge) => Standing::Fragment,
            () => Standing::Main,
        };
        let mut surroundings = Self {
            edge_cells: SegmentCells::build(edges.from.len(), |edge| {
                edges.on_ground[edge as usize].then(|| edges.ends(edge))
            }),
            standing: (0..edges.from.len() as u32).map(standing).collect(),
            walls,
            gates_of,
            gate_attachments: Vec::new(),
            walled_areas: RTree::bulk_load(boxes.collect()),
            outlines: compounds.iter().map(|compound| compound.outline.clone()).collect(),
            max_access: rules.max_access.value(),
            max_inside: rules.max_inside.value(),
            max_farther: rules.max_farther.value(),
        };
        let onward = |gate: &OpenGate| surroundings.direct(edges, &DoorPlace::at(gate.at), None).found;
        surroundings.gate_attachments =
            surroundings.walls.gates.iter().map(|gate| onward(gate).unwrap_or_default()).collect();
        surroundings
    }

    /// Attaches doors, in parallel; the order of the result is that of `doors`.
    pub fn snap(&self, edges: &StreetEdges, doors: &[DoorPlace<'_>]) -> Snaps {
        // Neighbours one after another, so that they find the same streets still in the cache.
        let places =
            |pick: fn(&Coord<f64>) -> f64| doors.iter().map(|door| pick(&door.at)).collect::<Vec<_>>();
        let order = hilbert_order(&places(|at| at.x), &places(|at| at.y));
        const PART: usize = 1024;
        let part = |order: &[u32]| {
            let mut part = SnapPart::default();
            for (place, &door) in order.iter().enumerate() {
                match self.attach(edges, &doors[door as usize]) {
                    Ok(found) => part.attachments.extend(found),
                    Err(failure) => part.failures.push((place as u32, failure)),
                }
                part.ends.push(part.attachments.len() as u32);
            }
            part
        };
        let parts = order.par_chunks(PART).map(part).collect();
        Snaps::collect(order, parts)
    }

    fn attach(&self, edges: &StreetEdges, door: &DoorPlace<'_>) -> Result<Vec<Attachment>, SnapFailure> {
        let around = self.walled_compound(door);
        let Direct { found: direct, hidden, farthest } = self.direct(edges, door, around);
        let main = direct.iter().flatten().filter(|at| self.standing[at.edge as usize] == Standing::Main);
        let access = main.map(|at| at.access).min_by(f64::total_cmp);
        if access.is_some_and(|access| around.is_some() || access <= hidden) {
            return direct;
        }
        let mut found = direct.as_ref().cloned().unwrap_or_default();
        if let Some(gates) = around.and_then(|compound| self.gates_of[compound].as_deref()) {
            for &gate in gates {
                self.leave_through(gate, door, self.max_inside, f64::INFINITY, &mut found);
            }
        }
        // A wall that is no compound's outline hides the nearest street: its gates in sight compete.
        self.walls.any_gate_near(door.at, self.max_access + door.radius(), |gate| {
            let is_own = around.is_some() && self.walls.gates[gate as usize].compound == around;
            if !is_own {
                self.leave_through(gate, door, self.max_access, farthest, &mut found);
            }
            false
        });
        if found.is_empty() { direct } else { Ok(found) }
    }

    /// The way from a door through a gate in sight, if the leg to the gate is no longer than `farthest` and
    /// that to the street no longer than `most`.
    fn leave_through(
        &self,
        gate: u32,
        door: &DoorPlace<'_>,
        farthest: f64,
        most: f64,
        found: &mut Vec<Attachment>,
    ) {
        let at = self.walls.gates[gate as usize].at;
        let leg = door.leg_to(at, at);
        if farthest < leg.length || self.walls.is_blocked(leg.start, at, None, &mut Met::default()) {
            return;
        }
        for onward in &self.gate_attachments[gate as usize] {
            let through = Attachment { access: leg.length + onward.access, ..*onward };
            if through.access <= most && !found.contains(&through) {
                found.push(through);
            }
        }
    }

    /// The walled compound that the door lies in.
    fn walled_compound(&self, door: &DoorPlace<'_>) -> Option<usize> {
        let compound = door.compound.map(CompoundId::index).or_else(|| self.compound_at(door.at))?;
        self.gates_of[compound].is_some().then_some(compound)
    }

    fn compound_at(&self, at: Coord<f64>) -> Option<usize> {
        // Most cities have no walled compounds, and every building asks.
        if self.walled_areas.size() == 0 {
            return None;
        }
        let boxes = self.walled_areas.locate_in_envelope_intersecting(&AABB::from_point([at.x, at.y]));
        boxes.map(|area| area.data as usize).filter(|&area| self.outlines[area].contains(&Point(at))).min()
    }

    /// The nearest edge in sight. If that is on a fragment of the network or closed, also the nearest open one and
    /// the nearest one of the main network, as far as they are hardly farther.
    fn direct(&self, edges: &StreetEdges, door: &DoorPlace<'_>, around: Option<usize>) -> Direct {
        let radius = door.radius();
        // The nearest edges of this standing or a better one.
        let mut nearest: [Option<Attachment>; 3] = [None; 3];
        let farthest = |nearest: &[Option<Attachment>; 3]| {
            let hardly_farther = nearest[0].map_or(f64::INFINITY, |first| first.access + self.max_farther);
            let main = nearest[Standing::Main as usize].map_or(f64::INFINITY, |main| main.access);
            self.max_access.min(hardly_farther).min(main)
        };
        let mut hidden = f64::INFINITY;
        // An edge comes once for each of its cells; where walls are met once is enough.
        let (mut met, mut seen) = (Met::default(), Vec::new());
        self.edge_cells.visit_outwards(door.at, self.max_access + radius, |edge| {
            let street = edges.ends(edge);
            let most = farthest(&nearest);
            // The distance from the middle bounds that from the wall.
            if most + radius < nearest_on(street.0, street.1, door.at).1 || seen.contains(&edge) {
                return most + radius;
            }
            let standing = self.standing[edge as usize];
            let known = nearest[standing as usize];
            let is_closer = |leg: Leg, than: Option<Attachment>| {
                leg.length <= most && than.is_none_or(|than| (leg.length, edge) < (than.access, than.edge))
            };
            let mut leg = Some(door.leg_to(street.0, street.1)).filter(|&leg| is_closer(leg, known));
            if let Some(first) = leg
                && self.walls.is_blocked(first.start, first.end(street), around, &mut met)
            {
                seen.push(edge);
                if standing != Standing::Closed {
                    hidden = hidden.min(first.length);
                }
                let most = known.map_or(most, |known| most.min(known.access));
                leg = self.walls.nearest_in_sight(door, street, first, most, &mut met);
            }
            if let Some(leg) = leg {
                let found = Attachment { edge, share: leg.share, access: leg.length };
                let rivals = nearest[..=standing as usize].iter_mut();
                rivals.filter(|than| is_closer(leg, **than)).for_each(|than| *than = Some(found));
            }
            farthest(&nearest) + radius
        });
        let farthest = farthest(&nearest);
        let [first, open, main] = nearest;
        let mut found: Vec<Attachment> = open.into_iter().chain(main).collect();
        found.retain(|at| first.is_some_and(|first| at.access <= first.access + self.max_farther));
        found.dedup();
        let found = match first {
            _ if !found.is_empty() => Ok(found),
            Some(first) => Err(SnapFailure::Closed { nearest: first.access }),
            None if hidden.is_finite() => Err(SnapFailure::WalledIn),
            None => Err(self.too_far(edges, door)),
        };
        Direct { found, hidden, farthest }
    }

    fn too_far(&self, edges: &StreetEdges, door: &DoorPlace<'_>) -> SnapFailure {
        let mut nearest = f64::INFINITY;
        self.edge_cells.visit_outwards(door.at, f64::INFINITY, |edge| {
            if self.standing[edge as usize] != Standing::Closed {
                let (a, b) = edges.ends(edge);
                nearest = nearest.min(door.leg_to(a, b).length);
            }
            nearest + door.radius()
        });
        if nearest.is_finite() { SnapFailure::TooFar { nearest } } else { SnapFailure::NoStreets }
    }
}
