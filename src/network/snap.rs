//! Doors to streets: a position on an edge, the leg to it, and what stands between.

use geo::{BoundingRect, Contains, Coord, MultiPolygon, Point};
use rayon::prelude::*;
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};

use super::cells::{SegmentCells, crossing, nearest_on};
use super::joined::Joined;
use super::order::hilbert_order;
use super::streets::StreetEdges;
use super::walking::WalkRules;
use crate::model::{Barrier, BarrierShape, Compound, CompoundId, Gate};

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
    fn radius(&self) -> f64 {
        let corners = self.footprint.into_iter().flatten().flat_map(|polygon| &polygon.exterior().0);
        corners.map(|&corner| (corner - self.at).x.hypot((corner - self.at).y)).fold(0.0, f64::max)
    }

    /// Shortest leg to the segment `a → b`: where it starts, its share of the segment, its length.
    fn leg_to(&self, a: Coord<f64>, b: Coord<f64>) -> (Coord<f64>, f64, f64) {
        let (share, gap) = nearest_on(a, b, self.at);
        let mut best = (self.at, share, gap);
        let Some(footprint) = self.footprint else { return best };
        // From a wall the leg can only be shorter; walls and segment come nearest at a corner or an end.
        best.2 = f64::INFINITY;
        for polygon in footprint {
            for wall in polygon.exterior().0.windows(2) {
                let (share, gap) = nearest_on(a, b, wall[0]);
                if gap < best.2 {
                    best = (wall[0], share, gap);
                }
                for (end, share) in [(a, 0.0), (b, 1.0)] {
                    let (along, gap) = nearest_on(wall[0], wall[1], end);
                    if gap < best.2 {
                        best = (wall[0] + (wall[1] - wall[0]) * along, share, gap);
                    }
                }
                if let Some(along) = crossing(wall[0], wall[1], a, b) {
                    let at = wall[0] + (wall[1] - wall[0]) * along;
                    best = (at, nearest_on(a, b, at).0, 0.0);
                }
            }
        }
        if best.2.is_finite() { best } else { (self.at, share, gap) }
    }
}

/// Edges in sight of a door.
struct Direct {
    found: Result<Vec<Attachment>, SnapFailure>,
    /// Leg to the nearest edge that a wall hides; infinite if none is nearer than what was found.
    hidden: f64,
}

type WalledArea = GeomWithData<Rectangle<[f64; 2]>, u32>;

/// Everything that decides where a door leads to.
#[derive(Debug)]
pub(super) struct Surroundings {
    open_edges: SegmentCells,
    /// Pieces of barriers and of compound walls.
    walls: Vec<(Coord<f64>, Coord<f64>)>,
    wall_cells: SegmentCells,
    /// Open gates, and their raster.
    gates: Vec<Coord<f64>>,
    gate_compound: Vec<Option<usize>>,
    gate_cells: SegmentCells,
    /// Per compound its open gates; `None` for compounds without a wall.
    gates_of: Vec<Option<Vec<u32>>>,
    /// Where each gate leads on the street side.
    gate_attachments: Vec<Vec<Attachment>>,
    walled_areas: RTree<WalledArea>,
    outlines: Vec<MultiPolygon<f64>>,
    max_access: f64,
    max_inside: f64,
    /// Per gate how far from it a leg may pass a wall.
    gate_gap: Vec<f64>,
    widest_gap: f64,
}

/// A component below this share of the largest one's length is a fragment: its doors also use a street of the
/// main network within reach.
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

    fn is_fragment(&self, edges: &StreetEdges, edge: u32) -> bool {
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
        let walled = |compound: &Compound| compound.walled && !compound.outline.0.is_empty();
        let mut walls = Vec::new();
        for barrier in barriers {
            match &barrier.shape {
                BarrierShape::Line(line) => add_pieces(&mut walls, &line.0),
                BarrierShape::Area(area) => add_rings(&mut walls, area),
            }
        }
        compounds.iter().filter(|compound| walled(compound)).for_each(|c| add_rings(&mut walls, &c.outline));
        let mut gates_of: Vec<Option<Vec<u32>>> =
            compounds.iter().map(|compound| walled(compound).then(Vec::new)).collect();
        let (mut gates, mut gate_compound) = (Vec::new(), Vec::new());
        for gate in all_gates.iter().filter(|gate| gate.open) {
            if let Some(Some(of)) = gate.compound.map(|id| &mut gates_of[id.index()]) {
                of.push(gates.len() as u32);
            }
            gates.push(gate.at);
            gate_compound.push(gate.compound.map(CompoundId::index));
        }
        // A gate may be drawn a little beside the outline that it opens.
        let beside = |gate: usize| {
            use geo::{Distance, Euclidean};
            let outline = &compounds[gate_compound[gate]?].outline;
            let rings = outline
                .iter()
                .flat_map(|polygon| std::iter::once(polygon.exterior()).chain(polygon.interiors()));
            rings.map(|ring| Euclidean.distance(&Point(gates[gate]), ring)).min_by(f64::total_cmp)
        };
        let gate_gap: Vec<f64> =
            (0..gates.len()).map(|gate| rules.gate_gap.value() + beside(gate).unwrap_or(0.0)).collect();
        let boxes = compounds.iter().enumerate().filter(|(_, compound)| walled(compound));
        let boxes = boxes.filter_map(|(index, compound)| {
            let bounds = compound.outline.bounding_rect()?;
            let (low, high) = (bounds.min(), bounds.max());
            Some(GeomWithData::new(Rectangle::from_corners([low.x, low.y], [high.x, high.y]), index as u32))
        });
        let mut surroundings = Self {
            open_edges: SegmentCells::build(edges.from.len(), |edge| {
                edges.open_to_doors[edge as usize].then(|| edges.ends(edge))
            }),
            wall_cells: SegmentCells::build(walls.len(), |wall| Some(walls[wall as usize])),
            walls,
            gate_cells: SegmentCells::build(gates.len(), |gate| {
                Some((gates[gate as usize], gates[gate as usize]))
            }),
            gates,
            gate_compound,
            gates_of,
            gate_attachments: Vec::new(),
            walled_areas: RTree::bulk_load(boxes.collect()),
            outlines: compounds.iter().map(|compound| compound.outline.clone()).collect(),
            max_access: rules.max_access.value(),
            max_inside: rules.max_inside.value(),
            widest_gap: gate_gap.iter().copied().fold(0.0, f64::max),
            gate_gap,
        };
        let gates = surroundings.gates.clone();
        surroundings.gate_attachments = gates
            .iter()
            .map(|&gate| {
                surroundings.direct(edges, components, &DoorPlace::at(gate), None).found.unwrap_or_default()
            })
            .collect();
        surroundings
    }

    /// Attaches doors, in parallel; the order of the result is that of `doors`.
    pub fn snap(&self, edges: &StreetEdges, components: &Components, doors: &[DoorPlace<'_>]) -> Snaps {
        // Neighbours one after another, so that they find the same streets still in the cache.
        let places =
            |pick: fn(&Coord<f64>) -> f64| doors.iter().map(|door| pick(&door.at)).collect::<Vec<_>>();
        let order = hilbert_order(&places(|at| at.x), &places(|at| at.y));
        const PART: usize = 1024;
        let part = |order: &[u32]| {
            let mut part = SnapPart::default();
            for (place, &door) in order.iter().enumerate() {
                match self.attach(edges, components, &doors[door as usize]) {
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

    fn attach(
        &self,
        edges: &StreetEdges,
        components: &Components,
        door: &DoorPlace<'_>,
    ) -> Result<Vec<Attachment>, SnapFailure> {
        let around = self.walled_compound(door);
        let Direct { found: direct, hidden } = self.direct(edges, components, door, around);
        let main = direct.iter().flatten().filter(|at| !components.is_fragment(edges, at.edge));
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
        let reach = self.max_access + door.radius();
        let reach = Coord { x: reach, y: reach };
        self.gate_cells.any_near(door.at - reach, door.at + reach, |gate| {
            let is_own = around.is_some() && self.gate_compound[gate as usize] == around;
            if !is_own {
                let most = access.unwrap_or(f64::INFINITY).min(self.max_access);
                self.leave_through(gate, door, self.max_access, most, &mut found);
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
        let at = self.gates[gate as usize];
        let (start, _, leg) = door.leg_to(at, at);
        if farthest < leg || self.is_blocked(start, at, None) {
            return;
        }
        for onward in &self.gate_attachments[gate as usize] {
            let through = Attachment { access: leg + onward.access, ..*onward };
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

    /// The nearest edge that no barrier hides. If that is on a fragment of the network, the nearest one of
    /// the main network as well.
    fn direct(
        &self,
        edges: &StreetEdges,
        components: &Components,
        door: &DoorPlace<'_>,
        around: Option<usize>,
    ) -> Direct {
        let radius = door.radius();
        let mut nearest: Option<Attachment> = None;
        let mut main: Option<Attachment> = None;
        let mut hidden = f64::INFINITY;
        let length = |found: Option<Attachment>| found.map_or(self.max_access, |found| found.access);
        self.open_edges.visit_outwards(door.at, self.max_access + radius, |edge| {
            let (a, b) = edges.ends(edge);
            // The distance from the middle bounds that from the wall.
            if nearest_on(a, b, door.at).1 <= length(main) + radius {
                let fragment = components.is_fragment(edges, edge);
                let (start, share, access) = door.leg_to(a, b);
                let closer = |than: Option<Attachment>| {
                    access <= self.max_access
                        && than.is_none_or(|than| (access, edge) < (than.access, than.edge))
                };
                let better = closer(nearest) || (!fragment && closer(main));
                if better && self.is_blocked(start, a + (b - a) * share, around) {
                    hidden = hidden.min(access);
                } else if better {
                    let found = Some(Attachment { edge, share, access });
                    if closer(nearest) {
                        nearest = found;
                    }
                    if !fragment && closer(main) {
                        main = found;
                    }
                }
            }
            length(main) + radius
        });
        let found = match (nearest, main) {
            (Some(nearest), Some(main)) if nearest == main => Ok(vec![nearest]),
            (Some(nearest), main) => Ok(std::iter::once(nearest).chain(main).collect()),
            (None, _) if hidden.is_finite() => Err(SnapFailure::WalledIn),
            (None, _) => Err(self.too_far(edges, door)),
        };
        Direct { found, hidden }
    }

    fn too_far(&self, edges: &StreetEdges, door: &DoorPlace<'_>) -> SnapFailure {
        let mut nearest = f64::INFINITY;
        self.open_edges.visit_outwards(door.at, f64::INFINITY, |edge| {
            let (a, b) = edges.ends(edge);
            nearest = nearest.min(door.leg_to(a, b).2);
            nearest + door.radius()
        });
        if nearest.is_finite() { SnapFailure::TooFar { nearest } } else { SnapFailure::NoStreets }
    }

    /// Whether a wall crosses the leg where no open gate is at hand.
    /// Gates of the compound `around` do not count: through them leads a leg of its own.
    fn is_blocked(&self, from: Coord<f64>, to: Coord<f64>, around: Option<usize>) -> bool {
        // A door in the wall and a street along the barrier touch it without crossing.
        const TOUCH: f64 = 0.25;
        let length = (to - from).x.hypot((to - from).y);
        if length <= 2.0 * TOUCH {
            return false;
        }
        let trim = (to - from) * (TOUCH / length);
        let (from, to) = (from + trim, to - trim);
        self.wall_cells.any_near(from, to, |wall| {
            let (a, b) = self.walls[wall as usize];
            crossing(from, to, a, b).is_some_and(|along| !self.gate_near(from + (to - from) * along, around))
        })
    }

    fn gate_near(&self, at: Coord<f64>, around: Option<usize>) -> bool {
        let reach = Coord { x: self.widest_gap, y: self.widest_gap };
        self.gate_cells.any_near(at - reach, at + reach, |gate| {
            let gap = self.gates[gate as usize] - at;
            let is_own = around.is_some() && self.gate_compound[gate as usize] == around;
            !is_own && gap.x.hypot(gap.y) <= self.gate_gap[gate as usize]
        })
    }
}

fn add_rings(walls: &mut Vec<(Coord<f64>, Coord<f64>)>, area: &MultiPolygon<f64>) {
    for polygon in area {
        add_pieces(walls, &polygon.exterior().0);
        polygon.interiors().iter().for_each(|ring| add_pieces(walls, &ring.0));
    }
}

fn add_pieces(walls: &mut Vec<(Coord<f64>, Coord<f64>)>, line: &[Coord<f64>]) {
    let finite = |at: Coord<f64>| at.x.is_finite() && at.y.is_finite();
    walls.extend(line.windows(2).map(|pair| (pair[0], pair[1])).filter(|&(a, b)| finite(a) && finite(b)));
}
