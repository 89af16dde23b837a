//! The streets of one cell: a ring along its borders, cut again and again into blocks.
//!
//! A street is a chain of straight legs. Whatever meets it adds a vertex to the leg, so streets meet only where
//! they share one; borders get theirs as ports, which the two cells of a border exchange afterwards.

use geo::Coord;

use super::dice::Dice;
use super::lattice::{BorderKind, Corner, Lattice};
use super::names;
use super::shape::{
    Ring, area, centroid, cross, distance_to_segment, dot, left, length, lerp, mm, ray_hit, share_on_segment,
    unit,
};
use crate::model::StreetClass;

/// A cut ends at an existing corner when one is this near, metres.
const CUT_SNAP: f64 = 16.0;
/// A path ends at an existing vertex when one is this near, metres.
const PATH_SNAP: f64 = 2.5;

/// What a leg belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Owner {
    /// A lattice border, between two distances along it.
    Border {
        border: usize,
        from: f64,
        to: f64,
    },
    Way(usize),
}

struct Leg {
    from: usize,
    to: usize,
    owner: Owner,
    /// Vertices between the ends, by share of the length.
    between: Vec<(f64, usize)>,
}

struct Way {
    class: StreetClass,
    name: Option<String>,
    legs: Vec<usize>,
}

/// A block face: corners counter-clockwise, and the leg from each corner to the next.
#[derive(Clone, Debug)]
pub(super) struct Face {
    corners: Vec<usize>,
    legs: Vec<usize>,
    /// Which half of the cell it belongs to.
    pub(super) half: usize,
}

/// A vertex on a border, for the other side and the border itself to know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Port {
    pub(super) border: usize,
    pub(super) along: f64,
    pub(super) at: Coord<f64>,
}

/// A finished street or path.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    pub(super) class: StreetClass,
    pub(super) name: Option<String>,
    pub(super) line: Ring,
}

/// How the first street divides a cell: its ends on the borders and its line.
#[derive(Clone, Debug)]
pub(super) struct Division {
    /// Side and distance along its border where the line starts and ends; the border's own vertex is among the ports.
    pub(super) ends: [Port; 2],
    pub(super) line: Ring,
}

/// The streets of a cell while they are drawn.
pub(super) struct Draft<'a> {
    lattice: &'a Lattice,
    cell: usize,
    at: Ring,
    legs: Vec<Leg>,
    ways: Vec<Way>,
    ports: Vec<Port>,
    /// Middle of each side: its vertex, and the port on the border.
    middles: Vec<(usize, Port)>,
    divider: Option<(usize, [Port; 2])>,
}

impl<'a> Draft<'a> {
    /// The ring of streets around a cell, and its face.
    pub(super) fn new(lattice: &'a Lattice, cell: usize) -> (Self, Face) {
        let mut draft = Self {
            lattice,
            cell,
            at: Vec::new(),
            legs: Vec::new(),
            ways: Vec::new(),
            ports: Vec::new(),
            middles: Vec::new(),
            divider: None,
        };
        let corners: Vec<Corner> = (0..4).map(|side| lattice.corner(cell, side)).collect();
        let first: Vec<usize> = corners.iter().map(|corner| draft.vertex(corner.at())).collect();
        for corner in &corners {
            if let Corner::OnBorder { border, along, at } = *corner {
                draft.ports.push(Port { border, along, at });
            }
        }
        let mut face = Face { corners: Vec::new(), legs: Vec::new(), half: 0 };
        for side in 0..4 {
            let ends = (first[side], first[(side + 1) % 4]);
            if lattice.setback(lattice.cells[cell].sides[side].border) == 0.0 {
                draft.side_on_border(&mut face, side, ends);
            } else {
                draft.side_beside_border(&mut face, side, ends);
            }
        }
        (draft, face)
    }

    fn vertex(&mut self, at: Coord<f64>) -> usize {
        self.at.push(mm(at));
        self.at.len() - 1
    }

    fn leg(&mut self, from: usize, to: usize, owner: Owner) -> usize {
        self.legs.push(Leg { from, to, owner, between: Vec::new() });
        self.legs.len() - 1
    }

    /// Distance along the border of a side's own corners.
    fn stretch(&self, side: usize) -> (f64, f64) {
        let this = self.lattice.cells[self.cell].sides[side];
        let border = &self.lattice.borders[this.border];
        let depth_of =
            |side: usize| self.lattice.setback(self.lattice.cells[self.cell].sides[side % 4].border);
        let (before, after) = (depth_of(side + 3), depth_of(side + 1));
        if this.reversed { (border.length() - before, after) } else { (before, border.length() - after) }
    }

    fn side_on_border(&mut self, face: &mut Face, side: usize, (start, end): (usize, usize)) {
        let this = self.lattice.cells[self.cell].sides[side];
        let border = &self.lattice.borders[this.border];
        let (from, to) = self.stretch(side);
        let mut stops: Vec<(f64, Option<Coord<f64>>)> =
            border.along.iter().zip(&border.line).map(|(&along, &at)| (along, Some(at))).collect();
        stops.push((border.middle, Some(border.at(border.middle))));
        stops.retain(|stop| from.min(to) + 1.0 < stop.0 && stop.0 < from.max(to) - 1.0);
        stops.sort_by(|a, b| a.0.total_cmp(&b.0));
        if this.reversed {
            stops.reverse();
        }
        let mut last = (start, from);
        for (along, at) in stops {
            let Some(at) = at else { continue };
            let vertex = self.vertex(at);
            if along == border.middle {
                let port = Port { border: this.border, along, at };
                self.ports.push(port);
                self.middles.push((vertex, port));
            }
            let owner = Owner::Border { border: this.border, from: last.1, to: along };
            face.corners.push(last.0);
            let leg = self.leg(last.0, vertex, owner);
            face.legs.push(leg);
            last = (vertex, along);
        }
        face.corners.push(last.0);
        let leg = self.leg(last.0, end, Owner::Border { border: this.border, from: last.1, to });
        face.legs.push(leg);
    }

    fn side_beside_border(&mut self, face: &mut Face, side: usize, (start, end): (usize, usize)) {
        let this = self.lattice.cells[self.cell].sides[side];
        let border = &self.lattice.borders[this.border];
        let (from, to) = self.stretch(side);
        let deep = self.lattice.setback(this.border);
        let (low, high) = (from.min(to) + deep + 20.0, from.max(to) - deep - 20.0);
        let mut stops: Vec<f64> =
            border.along.iter().copied().filter(|&along| low < along && along < high).collect();
        stops.retain(|&along| 25.0 < (along - border.middle).abs());
        stops.push(border.middle);
        stops.sort_by(f64::total_cmp);
        if this.reversed {
            stops.reverse();
        }
        let (class, name) = match border.kind {
            BorderKind::River => {
                (StreetClass::Secondary, Some(format!("滨河{}", if this.reversed { "南路" } else { "北路" })))
            }
            BorderKind::Rail => (StreetClass::Lane, Some("铁路巷".to_owned())),
            _ => (StreetClass::Lane, Some("环城路".to_owned())),
        };
        self.ways.push(Way { class, name, legs: Vec::new() });
        let way = self.ways.len() - 1;
        let mut last = start;
        for along in stops {
            let vertex = self.vertex(self.lattice.beside(this.border, along, !this.reversed));
            if along == border.middle {
                self.middles.push((vertex, Port { border: this.border, along, at: border.at(along) }));
            }
            self.add_way_leg(face, way, last, vertex);
            last = vertex;
        }
        self.add_way_leg(face, way, last, end);
    }

    fn add_way_leg(&mut self, face: &mut Face, way: usize, from: usize, to: usize) {
        let leg = self.leg(from, to, Owner::Way(way));
        self.ways[way].legs.push(leg);
        face.corners.push(from);
        face.legs.push(leg);
    }

    /// The first street: from the middle of one side to the middle of the opposite one, so that it runs on next door.
    pub(super) fn divide(&mut self, dice: &mut Dice, face: Face) -> Vec<Face> {
        let axis = usize::from(dice.chance(0.5));
        let (first, second) = (self.middles[axis], self.middles[axis + 2]);
        let name = format!("{}{}", names::pair(dice), if axis == 0 { "路" } else { "街" });
        let Some(halves) = self.connect(dice, &face, (first.0, second.0), StreetClass::Secondary, Some(name))
        else {
            return vec![face];
        };
        self.divider = Some((self.ways.len() - 1, [first.1, second.1]));
        let mut done = Vec::new();
        for (index, mut half) in halves.into_iter().enumerate() {
            half.half = index;
            // From the middle of the half's own side across to the first street.
            let own = (axis + if index == 0 { 1 } else { 3 }) % 4;
            let own = self.middles[own].0;
            if dice.chance(0.75) && 60_000.0 < area(&self.ring(&half)) && half.corners.contains(&own) {
                let name = Some(format!("{}{}", names::pair(dice), if axis == 0 { "街" } else { "路" }));
                let toward = unit(centroid(&self.ring(&half)) - self.at[own]);
                let class = if dice.chance(0.5) { StreetClass::Secondary } else { StreetClass::Lane };
                if let Some(parts) = self.cut_from(dice, &half, own, toward, (class, name)) {
                    done.extend(parts);
                    continue;
                }
            }
            done.push(half);
        }
        done
    }

    /// Cuts a face until every part is at most `largest` square metres, lane by lane.
    pub(super) fn cut_into_blocks(&mut self, dice: &mut Dice, face: Face, largest: f64) -> Vec<Face> {
        let mut waiting = vec![face];
        let mut done = Vec::new();
        while let Some(face) = waiting.pop() {
            let limit = largest * dice.between(0.55, 1.25);
            if area(&self.ring(&face)) <= limit {
                done.push(face);
                continue;
            }
            match self.cut_across(dice, &face) {
                Some(parts) => waiting.extend(parts),
                None => done.push(face),
            }
        }
        done
    }

    /// One lane across the longer extent of a face.
    fn cut_across(&mut self, dice: &mut Dice, face: &Face) -> Option<[Face; 2]> {
        let ring = self.ring(face);
        let longest =
            super::shape::edges(&ring).max_by(|a, b| length(a.1 - a.0).total_cmp(&length(b.1 - b.0)))?;
        let u = unit(longest.1 - longest.0);
        let extent = |axis: Coord<f64>| {
            let values = ring.iter().map(|&at| dot(at, axis));
            values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)))
        };
        let (along, across) = (extent(u), extent(left(u)));
        let axis = if across.1 - across.0 <= along.1 - along.0 { u } else { left(u) };
        let (low, high) = extent(axis);
        let centre = centroid(&ring);
        let share = dice.between(0.38, 0.62);
        let origin = centre + axis * (low + (high - low) * share - dot(centre, axis));
        let angle = dice.between(-0.07, 0.07);
        let across = left(axis) + axis * angle;
        let first = self.meet(face, origin, across)?;
        let name = dice
            .chance(0.8)
            .then(|| format!("{}{}", names::pair(dice), dice.pick(&["巷", "里", "胡同", "路", "街"])));
        let (first, face) = self.end_of_cut(face, first);
        let second = self.meet(&face, origin, -across)?;
        let (second, face) = self.end_of_cut(&face, second);
        self.connect(dice, &face, (first, second), StreetClass::Lane, name)
    }

    /// A street from a corner of the face straight across it.
    fn cut_from(
        &mut self,
        dice: &mut Dice,
        face: &Face,
        from: usize,
        toward: Coord<f64>,
        (class, name): (StreetClass, Option<String>),
    ) -> Option<[Face; 2]> {
        let hit = self.meet(face, self.at[from] + toward * 5.0, toward)?;
        let (to, face) = self.end_of_cut(face, hit);
        self.connect(dice, &face, (from, to), class, name)
    }

    /// The first edge of the face that a ray meets: its index and the place.
    fn meet(&self, face: &Face, from: Coord<f64>, toward: Coord<f64>) -> Option<(usize, Coord<f64>)> {
        let mut best: Option<(f64, usize)> = None;
        for index in 0..face.corners.len() {
            let (a, b) = self.edge(face, index);
            if let Some((along, _)) = ray_hit(from, toward, a, b)
                && 0.5 < along
                && best.is_none_or(|(least, _)| along < least)
            {
                best = Some((along, index));
            }
        }
        best.map(|(along, index)| (index, from + toward * along))
    }

    fn edge(&self, face: &Face, index: usize) -> (Coord<f64>, Coord<f64>) {
        (self.at[face.corners[index]], self.at[face.corners[(index + 1) % face.corners.len()]])
    }

    /// The vertex where a cut ends, made if no corner is near; the face with that corner.
    fn end_of_cut(&mut self, face: &Face, (index, at): (usize, Coord<f64>)) -> (usize, Face) {
        let next = (index + 1) % face.corners.len();
        let (a, b) = self.edge(face, index);
        if length(at - a).min(length(at - b)) < CUT_SNAP {
            let nearer = if length(at - a) < length(at - b) { index } else { next };
            return (face.corners[nearer], face.clone());
        }
        let vertex = self.vertex_on_leg(face.legs[index], at, CUT_SNAP / 2.0);
        let mut face = face.clone();
        face.corners.insert(index + 1, vertex);
        face.legs.insert(index + 1, face.legs[index]);
        (vertex, face)
    }

    /// A vertex of the leg at a place, an existing one within `snap` metres.
    fn vertex_on_leg(&mut self, leg: usize, at: Coord<f64>, snap: f64) -> usize {
        let (from, to) = (self.legs[leg].from, self.legs[leg].to);
        let ends = [from, to];
        let between = self.legs[leg].between.iter().map(|stop| stop.1);
        let near = ends.into_iter().chain(between).map(|vertex| (length(self.at[vertex] - at), vertex));
        if let Some((distance, vertex)) = near.min_by(|a, b| a.0.total_cmp(&b.0))
            && distance < snap
        {
            return vertex;
        }
        let share = share_on_segment(at, self.at[from], self.at[to]);
        let vertex = self.vertex(lerp(self.at[from], self.at[to], share));
        self.legs[leg].between.push((share, vertex));
        if let Owner::Border { border, from, to } = self.legs[leg].owner {
            self.ports.push(Port { border, along: from + (to - from) * share, at: self.at[vertex] });
        }
        vertex
    }

    /// Joins two corners of a face by a new street and gives the two parts, the one left of `from → to` second.
    fn connect(
        &mut self,
        dice: &mut Dice,
        face: &Face,
        (from, to): (usize, usize),
        class: StreetClass,
        name: Option<String>,
    ) -> Option<[Face; 2]> {
        let n = face.corners.len();
        let start = face.corners.iter().position(|&corner| corner == from)?;
        let end = face.corners.iter().position(|&corner| corner == to)?;
        if start == end || (start + 1) % n == end || (end + 1) % n == start {
            return None;
        }
        let (a, b) = (self.at[from], self.at[to]);
        let run = length(b - a);
        if run < 50.0 {
            return None;
        }
        let bend = if 110.0 < run { run * dice.between(-0.035, 0.035) } else { 0.0 };
        let middle = lerp(a, b, dice.between(0.35, 0.65)) + left(unit(b - a)) * bend;
        let middle = self.vertex(middle);
        let way = self.ways.len();
        let first = self.leg(from, middle, Owner::Way(way));
        let second = self.leg(middle, to, Owner::Way(way));
        self.ways.push(Way { class, name, legs: vec![first, second] });
        let part = |begin: usize, finish: usize, back: [usize; 2]| {
            let steps = (finish + n - begin) % n;
            let mut corners: Vec<usize> = (0..=steps).map(|step| face.corners[(begin + step) % n]).collect();
            let mut legs: Vec<usize> = (0..steps).map(|step| face.legs[(begin + step) % n]).collect();
            corners.push(middle);
            legs.extend(back);
            Face { corners, legs, half: face.half }
        };
        Some([part(start, end, [second, first]), part(end, start, [first, second])])
    }

    /// The corners of a face in the plane.
    pub(super) fn ring(&self, face: &Face) -> Ring {
        face.corners.iter().map(|&corner| self.at[corner]).collect()
    }

    /// The street class along each edge of a face.
    pub(super) fn classes(&self, face: &Face) -> Vec<StreetClass> {
        face.legs.iter().map(|&leg| self.class_of(leg)).collect()
    }

    fn class_of(&self, leg: usize) -> StreetClass {
        match self.legs[leg].owner {
            Owner::Way(way) => self.ways[way].class,
            Owner::Border { border, .. } => match self.lattice.borders[border].kind {
                BorderKind::Road(class) => class,
                _ => StreetClass::Lane,
            },
        }
    }

    /// Where a path that leaves a block meets the street around it, at most `far` metres on: a vertex of the street.
    pub(super) fn reach_street(
        &mut self,
        face: &Face,
        from: Coord<f64>,
        toward: Coord<f64>,
        far: f64,
    ) -> Option<Coord<f64>> {
        let (index, at) = self.meet(face, from, toward)?;
        if far < length(at - from) {
            return None;
        }
        let vertex = self.vertex_on_leg(face.legs[index], at, PATH_SNAP);
        Some(self.at[vertex])
    }

    /// Class and distance of the street that a walk out of the block meets.
    pub(super) fn street_beyond(
        &self,
        face: &Face,
        from: Coord<f64>,
        toward: Coord<f64>,
    ) -> Option<(StreetClass, f64)> {
        let (index, at) = self.meet(face, from, toward)?;
        Some((self.class_of(face.legs[index]), length(at - from)))
    }

    /// The nearest place on the streets around a block.
    pub(super) fn nearest_street(&mut self, face: &Face, from: Coord<f64>) -> Coord<f64> {
        let distance = |index: usize| {
            let (a, b) = self.edge(face, index);
            distance_to_segment(from, a, b)
        };
        let nearest =
            (0..face.corners.len()).min_by(|&a, &b| distance(a).total_cmp(&distance(b))).unwrap_or(0);
        let (a, b) = self.edge(face, nearest);
        let at = lerp(a, b, share_on_segment(from, a, b));
        let vertex = self.vertex_on_leg(face.legs[nearest], at, PATH_SNAP);
        self.at[vertex]
    }

    /// Everything drawn: streets with all their vertices, ports, and how the first street divides the cell.
    pub(super) fn finish(mut self) -> (Vec<Walk>, Vec<Port>, Option<Division>) {
        for leg in &mut self.legs {
            leg.between.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
        let line = |way: &Way| {
            let mut line: Ring = Vec::new();
            for &leg in &way.legs {
                let leg = &self.legs[leg];
                line.push(self.at[leg.from]);
                line.extend(leg.between.iter().map(|stop| self.at[stop.1]));
            }
            line.extend(way.legs.last().map(|&leg| self.at[self.legs[leg].to]));
            line.dedup();
            line
        };
        let walks = self
            .ways
            .iter()
            .map(|way| Walk { class: way.class, name: way.name.clone(), line: line(way) })
            .collect();
        let division = self.divider.map(|(way, ends)| Division { ends, line: line(&self.ways[way]) });
        (walks, self.ports, division)
    }
}

/// Whether a turn from one direction into another is at most about 55 degrees.
pub(super) fn is_steep_enough(direction: Coord<f64>, wall: (Coord<f64>, Coord<f64>)) -> bool {
    0.57 < cross(unit(direction), unit(wall.1 - wall.0)).abs()
}
