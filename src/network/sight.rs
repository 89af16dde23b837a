//! Walls between doors and streets, the gates in them, and the nearest place of a street in sight.

use std::ops::Range;

use geo::{Coord, LineString, MultiPolygon};

use super::cells::{SegmentCells, crossing, nearest_on};
use super::snap::{DoorPlace, Leg};
use crate::model::{Barrier, BarrierShape, Compound, Gate};

/// Walls, and the open gates in them.
#[derive(Debug, Default)]
pub(super) struct Walls {
    /// Pieces of barriers and of compound walls, and their raster.
    pieces: Vec<(Coord<f64>, Coord<f64>)>,
    piece_cells: SegmentCells,
    /// The closed line that each piece belongs to, or [`OPEN`], and the pieces of each.
    ring_of: Vec<u32>,
    rings: Vec<Range<usize>>,
    pub gates: Vec<OpenGate>,
    gate_cells: SegmentCells,
    widest_gap: f64,
}

#[derive(Debug)]
pub(super) struct OpenGate {
    pub at: Coord<f64>,
    /// Row of the compound that it opens.
    pub compound: Option<usize>,
    /// How far from it a leg may pass a wall.
    gap: f64,
}

/// What a door has met of the walls around it.
#[derive(Debug, Default)]
pub(super) struct Met {
    /// Walls that hid something: tried first on the next leg.
    walls: Vec<u32>,
    /// Closed lines among them, and whether the door lies inside.
    rings: Vec<(u32, bool)>,
}

/// The ring of a piece of a line that is not closed.
const OPEN: u32 = u32::MAX;

/// A street as a straight piece.
type Piece = (Coord<f64>, Coord<f64>);

/// Metres at both ends of a leg in which walls do not count: a door in the wall and a street along the barrier touch
/// it without crossing.
const TOUCH: f64 = 0.25;
/// How exactly the end of what a wall hides is found, in metres along the street.
const STEP: f64 = 0.01;

impl Walls {
    pub fn of(barriers: &[Barrier], compounds: &[Compound], gates: &[Gate], gate_gap: f64) -> Self {
        let mut walls = Self::default();
        for barrier in barriers {
            match &barrier.shape {
                BarrierShape::Line(line) => walls.add_line(line),
                BarrierShape::Area(area) => walls.add_area(area),
            }
        }
        compounds
            .iter()
            .filter(|compound| is_walled(compound))
            .for_each(|compound| walls.add_area(&compound.outline));
        let open = gates.iter().filter(|gate| gate.open);
        let gates: Vec<OpenGate> = open
            .map(|gate| {
                let compound = gate.compound.map(|id| id.index());
                let beside = compound.and_then(|row| gap_beside(&compounds[row].outline, gate.at));
                OpenGate { at: gate.at, compound, gap: gate_gap + beside.unwrap_or(0.0) }
            })
            .collect();
        let pieces = &walls.pieces;
        walls.piece_cells = SegmentCells::build(pieces.len(), |piece| Some(pieces[piece as usize]));
        walls.gate_cells = SegmentCells::build(gates.len(), |gate| {
            let at = gates[gate as usize].at;
            Some((at, at))
        });
        walls.widest_gap = gates.iter().map(|gate| gate.gap).fold(0.0, f64::max);
        walls.gates = gates;
        walls
    }

    fn add_area(&mut self, area: &MultiPolygon<f64>) {
        for part in area {
            std::iter::once(part.exterior()).chain(part.interiors()).for_each(|ring| self.add_line(ring));
        }
    }

    fn add_line(&mut self, line: &LineString<f64>) {
        let finite = |at: &Coord<f64>| at.x.is_finite() && at.y.is_finite();
        let first = self.pieces.len();
        let pairs = line.0.windows(2).filter(|pair| pair.iter().all(finite));
        self.pieces.extend(pairs.map(|pair| (pair[0], pair[1])));
        let is_ring = line.is_closed() && line.0.iter().all(finite);
        let ring = if is_ring { self.rings.len() as u32 } else { OPEN };
        self.ring_of.resize(self.pieces.len(), ring);
        if is_ring {
            self.rings.push(first..self.pieces.len());
        }
    }

    /// Visits gates that may lie within a distance, until `visit` says stop.
    pub fn any_gate_near(&self, at: Coord<f64>, reach: f64, visit: impl FnMut(u32) -> bool) -> bool {
        let reach = Coord { x: reach, y: reach };
        self.gate_cells.any_near(at - reach, at + reach, visit)
    }

    /// Whether a wall crosses the leg where no open gate is at hand.
    /// Gates of the compound `around` do not count: through them leads a leg of its own.
    pub fn is_blocked(&self, from: Coord<f64>, to: Coord<f64>, around: Option<usize>, met: &mut Met) -> bool {
        self.wall_across(from, to, met, |at| self.gate_near(at, around)).is_some()
    }

    /// The shortest leg in sight from a door to a street whose nearest place a wall hides, if it is no longer than
    /// `most`; to [`STEP`].
    ///
    /// Seen from a door a wall hides one stretch of a straight street. So we go along the street to either side, past
    /// one wall after another, until nothing stands between. Walls have no gates here: to a gate in sight and on to
    /// the street leads a leg of its own, and it must not hide a street on this side of the wall.
    pub fn nearest_in_sight(
        &self,
        door: &DoorPlace<'_>,
        street: Piece,
        hidden: Leg,
        most: f64,
        met: &mut Met,
    ) -> Option<Leg> {
        let length = (street.1 - street.0).x.hypot((street.1 - street.0).y);
        let room = (most + 2.0 * door.radius()) / length.max(STEP);
        let before = self.in_sight_towards((hidden.share - room).max(0.0), door, street, hidden, most, met);
        // Of two that are equally long the one nearer to the street's first end, whatever the last centimetre says.
        let most = before.map_or(most, |leg| leg.length - STEP);
        self.in_sight_towards((hidden.share + room).min(1.0), door, street, hidden, most, met).or(before)
    }

    /// The first leg in sight on the way along the street from a hidden place to the share `last`.
    fn in_sight_towards(
        &self,
        last: f64,
        door: &DoorPlace<'_>,
        street: Piece,
        hidden: Leg,
        most: f64,
        met: &mut Met,
    ) -> Option<Leg> {
        let mut leg = hidden;
        let last = door.leg_at(street, last);
        while leg.length <= most {
            let Some(wall) = self.wall_across(leg.start, leg.end(street), met, |_| false) else {
                return Some(leg);
            };
            if self.is_locked_in(wall, door, street, met) {
                return None;
            }
            leg = self.past_wall(wall, door, street, leg, last)?;
        }
        None
    }

    /// Whether a wall belongs to a closed line around the door that the street does not cross: then it hides all of it.
    fn is_locked_in(&self, wall: u32, door: &DoorPlace<'_>, street: Piece, met: &mut Met) -> bool {
        let ring = self.ring_of[wall as usize];
        if ring == OPEN {
            return false;
        }
        let pieces = &self.pieces[self.rings[ring as usize].clone()];
        let known = met.rings.iter().find(|known| known.0 == ring).map(|known| known.1);
        let is_inside = known.unwrap_or_else(|| {
            let is_inside = door.corners().all(|corner| surrounds(pieces, corner));
            let is_inside = is_inside && pieces.iter().all(|&(a, b)| TOUCH < nearest_on(a, b, door.at).1);
            met.rings.push((ring, is_inside));
            is_inside
        });
        is_inside && !pieces.iter().any(|&(a, b)| crossing(a, b, street.0, street.1).is_some())
    }

    /// The first leg past what a wall hides between `hidden` and `last`.
    fn past_wall(
        &self,
        wall: u32,
        door: &DoorPlace<'_>,
        street: Piece,
        hidden: Leg,
        last: Leg,
    ) -> Option<Leg> {
        let hides = |leg: Leg| {
            trimmed(leg.start, leg.end(street))
                .is_some_and(|(from, to)| self.crossed(wall, from, to).is_some())
        };
        if hides(last) {
            return None;
        }
        let length = (street.1 - street.0).x.hypot((street.1 - street.0).y);
        let (mut hidden, mut clear) = (hidden.share, last);
        while STEP < (clear.share - hidden).abs() * length {
            let middle = door.leg_at(street, (hidden + clear.share) / 2.0);
            if hides(middle) {
                hidden = middle.share;
            } else {
                clear = middle;
            }
        }
        Some(clear)
    }

    /// A wall that crosses the leg at a place that `is_open` does not open.
    fn wall_across(
        &self,
        from: Coord<f64>,
        to: Coord<f64>,
        met: &mut Met,
        is_open: impl Fn(Coord<f64>) -> bool,
    ) -> Option<u32> {
        let (from, to) = trimmed(from, to)?;
        let stops = |wall: u32| self.crossed(wall, from, to).is_some_and(|at| !is_open(at));
        if let Some(&known) = met.walls.iter().rev().find(|&&wall| stops(wall)) {
            return Some(known);
        }
        let mut found = None;
        self.piece_cells.any_near(from, to, |wall| {
            found = stops(wall).then_some(wall);
            found.is_some()
        });
        met.walls.extend(found);
        found
    }

    /// Where a wall crosses a leg.
    fn crossed(&self, wall: u32, from: Coord<f64>, to: Coord<f64>) -> Option<Coord<f64>> {
        let (a, b) = self.pieces[wall as usize];
        Some(from + (to - from) * crossing(from, to, a, b)?)
    }

    fn gate_near(&self, at: Coord<f64>, around: Option<usize>) -> bool {
        self.any_gate_near(at, self.widest_gap, |gate| {
            let gate = &self.gates[gate as usize];
            let is_own = around.is_some() && gate.compound == around;
            let gap = gate.at - at;
            !is_own && gap.x.hypot(gap.y) <= gate.gap
        })
    }
}

/// Whether a closed line surrounds a place.
fn surrounds(ring: &[Piece], at: Coord<f64>) -> bool {
    let crosses = |&&(a, b): &&Piece| {
        (a.y <= at.y) != (b.y <= at.y) && at.x < a.x + (b.x - a.x) * (at.y - a.y) / (b.y - a.y)
    };
    ring.iter().filter(crosses).count() % 2 == 1
}

pub(super) fn is_walled(compound: &Compound) -> bool {
    compound.walled && !compound.outline.0.is_empty()
}

/// The part of a leg in which walls count. `None` for a leg too short to cross any.
fn trimmed(from: Coord<f64>, to: Coord<f64>) -> Option<(Coord<f64>, Coord<f64>)> {
    let length = (to - from).x.hypot((to - from).y);
    let trim = (to - from) * (TOUCH / length);
    (2.0 * TOUCH < length).then(|| (from + trim, to - trim))
}

/// How far beside an outline a gate is drawn.
fn gap_beside(outline: &MultiPolygon<f64>, gate: Coord<f64>) -> Option<f64> {
    use geo::{Distance, Euclidean};
    let rings = outline.iter().flat_map(|part| std::iter::once(part.exterior()).chain(part.interiors()));
    rings.map(|ring| Euclidean.distance(&geo::Point(gate), ring)).min_by(f64::total_cmp)
}
