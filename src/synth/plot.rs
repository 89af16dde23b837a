//! One plot: rows of buildings that face south, paths between them, a wall with gates around.

use geo::Coord;

use super::block::{Court, GatePlan, House, Site};
use super::dice::Dice;
use super::draft::{Face, Walk, is_steep_enough};
use super::shape::{
    Frame, Ring, contains, distance_to_segment, edges, inset, left, length, ray_hit, segments_cross, unit,
};
use crate::model::{OtherLoads, StreetClass, Use};

/// Slope above which a path becomes a flight of stairs, rise over run.
const STAIRS_ABOVE: f64 = 0.17;
/// Distance from a wall to the path that runs along it, metres.
const WALL_TO_PATH: f64 = 3.5;
/// Distance from that path to the end walls of buildings, metres.
const PATH_TO_HOUSE: f64 = 5.0;
/// A building may be this share of its style's least width where the plot is narrow.
const NARROWEST: f64 = 0.72;
/// Depth of the strip for shops outside a wall, metres.
const SHOP_STRIP: f64 = 10.5;
/// Widest strip between a wall and the street outside, metres.
const FAR_STREET: f64 = 48.0;

/// The outline of a building.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Slab,
    Tower,
    Angle,
    Courtyard,
    Box,
}

/// How a plot is built. Pairs are the least and the most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub(super) form: Form,
    pub(super) width: (f64, f64),
    pub(super) depth: (f64, f64),
    pub(super) gap: (f64, f64),
    /// From a path to the fronts of the next row.
    pub(super) yard: (f64, f64),
    /// From the backs of a row to its path.
    pub(super) apron: f64,
    pub(super) floors: (u32, u32),
    /// Households per floor of a building and per 14 m of its width.
    pub(super) per_floor: f64,
    /// Share of places left empty.
    pub(super) empty: f64,
    pub(super) usage: Use,
    pub(super) exclusive: f64,
    /// Buildings at most.
    pub(super) most: usize,
    /// Gates, least and most; none without a wall.
    pub(super) gates: (u32, u32),
    /// Class of the paths between rows.
    pub(super) paths: StreetClass,
}

/// A row: its path from west to east, and the height of the path.
struct Row {
    ends: [Coord<f64>; 2],
    height: f64,
}

impl Row {
    /// Whether the row's path, and the paths to the row before, stay inside the plot.
    fn joins(&self, before: Option<&Row>, plot: &Ring) -> bool {
        let own = std::iter::once((self.ends[0], self.ends[1]));
        let back =
            before.into_iter().flat_map(|row| [(row.ends[0], self.ends[0]), (row.ends[1], self.ends[1])]);
        own.chain(back).all(|(a, b)| edges(plot).all(|(c, d)| !segments_cross(a, b, c, d)))
    }
}

impl Site<'_, '_> {
    /// Fills a plot. `name` makes it a compound; without one its buildings stand for themselves.
    pub(super) fn fill_plot(
        &mut self,
        face: &Face,
        plot: &Ring,
        style: &Style,
        angle: f64,
        name: Option<String>,
    ) {
        let frame = Frame::new(plot[0], angle);
        let court = name.as_ref().map(|_| self.plan.courts.len());
        let first = self.plan.houses.len();
        let rows = self.rows(face, plot, style, frame, court);
        let built = self.plan.houses.len() - first;
        if built == 0 || rows.is_empty() {
            self.plan.houses.truncate(first);
            return;
        }
        let walled = 0 < style.gates.1 && name.is_some();
        let ways = self.ways_out(face, plot, &rows, style, (walled, first));
        if ways.is_empty() {
            // Nobody could get in: the plot stays empty.
            self.plan.houses.truncate(first);
            return;
        }
        self.lay_paths(&rows, style);
        if walled {
            self.line_with_shops(face, plot, &ways);
        }
        let mut ring = plot.clone();
        for (index, way) in ways.into_iter().enumerate() {
            if walled {
                insert_on_ring(&mut ring, way[1]);
                // A second or later gate is sometimes kept shut.
                let open = index == 0 || self.dice.chance(0.88);
                self.plan.gates.push(GatePlan { court, at: way[1], open });
            }
            self.path(StreetClass::Path, way.to_vec());
        }
        if let Some(name) = name {
            self.plan.courts.push(Court { ring, name, walled, half: face.half });
        }
    }

    /// Rows of buildings from south to north.
    fn rows(
        &mut self,
        face: &Face,
        plot: &Ring,
        style: &Style,
        frame: Frame,
        court: Option<usize>,
    ) -> Vec<Row> {
        let heights = plot.iter().map(|&at| frame.to_local(at).1);
        let (low, high) = heights.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
        let width = self.dice.between(style.width.0, style.width.1);
        let depth = self.dice.between(style.depth.0, style.depth.1);
        let floors = self.dice.whole(style.floors.0, style.floors.1);
        let occupied = self.dice.between(0.72, 1.0);
        let side = WALL_TO_PATH + PATH_TO_HOUSE;
        let least = style.width.0 * NARROWEST;
        let mut rows: Vec<Row> = Vec::new();
        let mut front = low + self.dice.between(4.0, 7.0);
        let mut number = 0;
        while front + depth + style.apron + WALL_TO_PATH <= high && self.built(court) < style.most {
            let height = front + depth + style.apron;
            let from = rows.last().map_or(front - 1.0, |row| row.height);
            let room = frame.span_of_band(plot, from, height).map(|(west, east)| (west + side, east - side));
            let path =
                frame.span(plot, height).map(|(west, east)| (west + WALL_TO_PATH, east - WALL_TO_PATH));
            let fits = room.is_some_and(|room| least <= room.1 - room.0);
            let (Some(room), Some(path)) = (room, path.filter(|path| fits && 12.0 < path.1 - path.0)) else {
                // A corner too narrow for a building: try a little further north.
                front += 3.0;
                continue;
            };
            let width = width.min(room.1 - room.0);
            let lane = Lane { frame, front, width, depth, floors, occupied, court };
            let before = self.plan.houses.len();
            if 0 < self.row(face, plot, style, &lane, room, &mut number) {
                let ends = [frame.to_plane(path.0, height), frame.to_plane(path.1, height)];
                let row = Row { ends, height };
                if row.joins(rows.last(), plot) {
                    rows.push(row);
                } else {
                    self.plan.houses.truncate(before);
                }
            }
            front = height + self.dice.between(style.yard.0, style.yard.1);
        }
        rows
    }

    fn built(&self, court: Option<usize>) -> usize {
        self.plan.houses.iter().rev().take_while(|house| court.is_some() && house.court == court).count()
    }

    /// One row of buildings; how many were placed.
    fn row(
        &mut self,
        face: &Face,
        plot: &Ring,
        style: &Style,
        lane: &Lane,
        room: (f64, f64),
        number: &mut u32,
    ) -> usize {
        let gap = self.dice.between(style.gap.0, style.gap.1);
        let long = room.1 - room.0;
        let n = (((long + gap) / (lane.width + gap)) as usize).max(1);
        let pitch = if n == 1 { long } else { (long - lane.width) / (n - 1) as f64 };
        let mut placed = 0;
        for index in 0..n {
            if self.dice.chance(style.empty) || style.most <= placed {
                continue;
            }
            let width = lane.width * self.dice.between(0.93, 1.0);
            let centre =
                if n == 1 { room.0 + long / 2.0 } else { room.0 + lane.width / 2.0 + pitch * index as f64 };
            let tilt = if style.form == Form::Box { self.dice.between(-0.035, 0.035) } else { 0.0 };
            let house_frame = Frame::new(
                lane.frame.to_plane(centre, lane.front + lane.depth / 2.0),
                lane.frame.u.y.atan2(lane.frame.u.x) + tilt,
            );
            let ring: Ring = outline(self.dice, style.form, width, lane.depth)
                .into_iter()
                .map(|(u, v)| house_frame.to_plane(u, v))
                .collect();
            if !ring.iter().all(|&at| contains(plot, at)) {
                continue;
            }
            *number += 1;
            placed += 1;
            let house = self.house(face, style, lane, (width, *number), ring, house_frame);
            self.plan.houses.push(house);
        }
        placed
    }

    fn house(
        &mut self,
        face: &Face,
        style: &Style,
        lane: &Lane,
        (width, number): (f64, u32),
        ring: Ring,
        frame: Frame,
    ) -> House {
        let floors = if style.floors.1 < 4 {
            self.dice.whole(style.floors.0, style.floors.1)
        } else if self.dice.chance(0.2) {
            self.dice.whole(style.floors.0, lane.floors)
        } else {
            lane.floors
        };
        let stairwells = (width / 14.0).round().max(1.0);
        let dwellings = f64::from(floors) * style.per_floor * stairwells;
        let raw = (dwellings * lane.occupied * self.dice.between(0.9, 1.1)).round();
        let lived_in = style.usage.is_lived_in();
        let mixed = lived_in && 0.0 < style.per_floor && 3 < floors && self.dice.chance(0.09);
        let usage = if mixed { Use::Mixed } else { style.usage };
        let none = OtherLoads::default();
        let loads = match usage {
            Use::Mixed => OtherLoads { shops: self.dice.whole(3, 14), ..none },
            Use::Commercial => OtherLoads { shops: self.dice.whole(2, 60), ..none },
            _ => OtherLoads { organizations: u32::from(self.dice.chance(0.02)), ..none },
        };
        House {
            door: frame.to_plane(0.0, lane.depth / 2.0),
            ring,
            floors: floors as u16,
            raw: if lived_in { (raw as u32).max(1) } else { 0 },
            fixed: false,
            usage,
            exclusive: self.dice.chance(style.exclusive),
            court: lane.court,
            half: face.half,
            block: self.block,
            number,
            loads,
        }
    }

    /// Paths along the rows and along both ends of them.
    fn lay_paths(&mut self, rows: &[Row], style: &Style) {
        for row in rows {
            self.path(style.paths, vec![row.ends[0], row.ends[1]]);
        }
        for end in [0, 1] {
            for pair in rows.windows(2) {
                self.path(StreetClass::Path, vec![pair[0].ends[end], pair[1].ends[end]]);
            }
        }
    }

    /// A path, as stairs where it is too steep to be anything else.
    pub(super) fn path(&mut self, class: StreetClass, line: Ring) {
        let steep = line.windows(2).any(|pair| STAIRS_ABOVE < self.relief.slope(pair[0], pair[1]));
        let class = if steep && class <= StreetClass::Lane { StreetClass::Steps } else { class };
        self.plan.walks.push(Walk { class, name: None, line });
    }

    /// Ways out of the plot: from a path, through the plot's edge, to a vertex of the street outside.
    fn ways_out(
        &mut self,
        face: &Face,
        plot: &Ring,
        rows: &[Row],
        style: &Style,
        (walled, first_house): (bool, usize),
    ) -> Vec<[Coord<f64>; 3]> {
        let mut candidates = straight_ways(rows);
        let wanted =
            if walled { self.dice.whole(style.gates.0, style.gates.1) as usize } else { candidates.len() };
        let apart = if walled { 45.0 } else { 30.0 };
        let mut ways: Vec<[Coord<f64>; 3]> = Vec::new();
        while ways.len() < wanted && !candidates.is_empty() {
            let next = self.dice.whole(0, candidates.len() as u32 - 1) as usize;
            let (from, toward) = candidates.swap_remove(next);
            let Some(exit) = leave(plot, from, toward) else { continue };
            if ways.iter().any(|way| length(way[1] - exit) < apart) || self.is_next_door(exit, toward) {
                continue;
            }
            let far = self.reach.max(FAR_STREET);
            if let Some(street) = self.draft.reach_street(face, exit, unit(toward), far)
                && self.is_clear(plot, rows, &ways, [from, exit, street])
            {
                ways.push([from, exit, street]);
            }
        }
        if ways.is_empty() {
            ways.extend(self.oblique_way(face, plot, rows, first_house));
        }
        ways
    }

    /// Shops between the wall and a larger street, doors on the street.
    fn line_with_shops(&mut self, face: &Face, plot: &Ring, ways: &[[Coord<f64>; 3]]) {
        for (a, b) in edges(plot) {
            let (long, along) = (length(b - a), unit(b - a));
            let out = -left(along);
            let middle = (a + b) / 2.0;
            let Some((class, gap)) = self.draft.street_beyond(face, middle, out) else { continue };
            let is_strip = StreetClass::Secondary <= class && verge(class) + SHOP_STRIP - 0.5 <= gap;
            if !is_strip || self.is_next_door(middle, out) {
                continue;
            }
            let mut from = 5.0;
            loop {
                let front = self.dice.between(8.0, 19.0);
                if long < from + front + 5.0 {
                    break;
                }
                let at = |u: f64, v: f64| super::shape::mm(a + along * u + out * v);
                let room = [
                    at(from - 2.0, 0.0),
                    at(from + front + 2.0, 0.0),
                    at(from + front + 2.0, SHOP_STRIP),
                    at(from - 2.0, SHOP_STRIP),
                ];
                let blocked = ways.iter().any(|way| {
                    contains(&room, way[1] + out * 0.1)
                        || edges(&room).any(|edge| segments_cross(way[1], way[2], edge.0, edge.1))
                });
                if !blocked && !self.dice.chance(0.15) {
                    // Counter-clockwise: the wall side runs against the edge.
                    let ring =
                        vec![at(from, 9.0), at(from, 1.2), at(from + front, 1.2), at(from + front, 9.0)];
                    let ring =
                        if super::shape::area(&ring) < 0.0 { ring.into_iter().rev().collect() } else { ring };
                    self.plan.houses.push(House {
                        door: at(from + front / 2.0, 9.0),
                        ring,
                        floors: self.dice.whole(1, 2) as u16,
                        raw: 0,
                        fixed: false,
                        usage: Use::Commercial,
                        exclusive: false,
                        court: None,
                        half: face.half,
                        block: self.block,
                        number: 0,
                        loads: OtherLoads { venues: self.dice.whole(1, 4), ..OtherLoads::default() },
                    });
                }
                from += front + if self.dice.chance(0.2) { 4.0 } else { 0.4 };
            }
        }
    }

    /// Whether a walk that leaves the plot enters the other half of the block.
    fn is_next_door(&self, exit: Coord<f64>, toward: Coord<f64>) -> bool {
        self.next_door.as_ref().is_some_and(|other| contains(other, exit + unit(toward)))
    }

    /// Whether a way out crosses nothing: neither the plot's edge elsewhere nor any path of the block.
    fn is_clear(&self, plot: &Ring, rows: &[Row], ways: &[[Coord<f64>; 3]], way: [Coord<f64>; 3]) -> bool {
        let paths = rows.iter().map(|row| (row.ends[0], row.ends[1]));
        let ends = rows.windows(2).flat_map(|pair| [0, 1].map(|end| (pair[0].ends[end], pair[1].ends[end])));
        let others = ways.iter().flat_map(|other| [(other[0], other[1]), (other[1], other[2])]);
        let walks = self.plan.walks[self.first_walk..].iter();
        let drawn = walks.flat_map(|walk| walk.line.windows(2).map(|pair| (pair[0], pair[1])));
        let apart = |(a, b)| !segments_cross(way[0], way[1], a, b) && !segments_cross(way[1], way[2], a, b);
        let away =
            |(a, b): (Coord<f64>, Coord<f64>)| distance_to_segment(way[1], a, b) < 0.01 || apart((a, b));
        paths.chain(ends).chain(others).chain(drawn).all(apart) && edges(plot).all(away)
    }

    /// Where every straight way out is too oblique or too long: the shortest one, if nothing stands in it.
    fn oblique_way(
        &mut self,
        face: &Face,
        plot: &Ring,
        rows: &[Row],
        first_house: usize,
    ) -> Option<[Coord<f64>; 3]> {
        for from in rows.iter().flat_map(|row| row.ends) {
            let street = self.draft.nearest_street(face, from);
            let Some((exit, wall)) = first_hit(plot, from, street - from) else { continue };
            let exit = super::shape::mm(exit);
            let at_corner = length(exit - wall.0).min(length(exit - wall.1)) < 0.5;
            let mut houses = self.plan.houses[first_house..].iter().flat_map(|house| edges(&house.ring));
            let blocked = houses.any(|(a, b)| segments_cross(from, exit, a, b));
            let way = [from, exit, street];
            let next_door = self.is_next_door(exit, street - from);
            if !at_corner && !blocked && !next_door && self.is_clear(plot, rows, &[], way) {
                return Some(way);
            }
        }
        None
    }
}

/// From each end of each row straight on, and from the outermost rows straight across.
fn straight_ways(rows: &[Row]) -> Vec<(Coord<f64>, Coord<f64>)> {
    let along = rows[0].ends[1] - rows[0].ends[0];
    let last = rows.len() - 1;
    let sideways = rows.iter().flat_map(|row| [(row.ends[0], -along), (row.ends[1], along)]);
    let across = [0, 1]
        .into_iter()
        .flat_map(|end| [(rows[0].ends[end], -left(along)), (rows[last].ends[end], left(along))]);
    sideways.chain(across).collect()
}

/// What the buildings of one row share.
struct Lane {
    frame: Frame,
    front: f64,
    width: f64,
    depth: f64,
    floors: u32,
    /// Share of dwellings in use: new estates fill slowly.
    occupied: f64,
    court: Option<usize>,
}

/// Where a walk from inside leaves the ring, if not too obliquely and not at a corner.
fn leave(plot: &Ring, from: Coord<f64>, toward: Coord<f64>) -> Option<Coord<f64>> {
    let (exit, wall) = first_hit(plot, from, toward)?;
    let at_corner = length(exit - wall.0).min(length(exit - wall.1)) < 3.0;
    (!at_corner && is_steep_enough(toward, wall)).then(|| super::shape::mm(exit))
}

/// Two ends of a piece of a ring.
type Edge = (Coord<f64>, Coord<f64>);

/// The first place where a walk meets the ring, and the edge there.
fn first_hit(ring: &[Coord<f64>], from: Coord<f64>, toward: Coord<f64>) -> Option<(Coord<f64>, Edge)> {
    let hits = edges(ring).filter_map(|edge| ray_hit(from, toward, edge.0, edge.1).map(|hit| (hit.0, edge)));
    let first = hits.filter(|hit| 0.0 < hit.0).min_by(|a, b| a.0.total_cmp(&b.0))?;
    Some((from + toward * first.0, first.1))
}

/// Adds a vertex to the edge of the ring that it lies on.
fn insert_on_ring(ring: &mut Ring, at: Coord<f64>) {
    let distance = |index: usize| distance_to_segment(at, ring[index], ring[(index + 1) % ring.len()]);
    let nearest = (0..ring.len()).min_by(|&a, &b| distance(a).total_cmp(&distance(b)));
    if let Some(nearest) = nearest
        && !ring.contains(&at)
    {
        ring.insert(nearest + 1, at);
    }
}

/// The outline around its centre, `u` along the front, the door in the middle of the back.
fn outline(dice: &mut Dice, form: Form, width: f64, depth: f64) -> Vec<(f64, f64)> {
    let (w, d) = (width / 2.0, depth / 2.0);
    match form {
        Form::Tower => {
            let (a, b) = (w * dice.between(0.3, 0.5), d * dice.between(0.5, 0.7));
            vec![
                (-w, -b),
                (-a, -b),
                (-a, -d),
                (a, -d),
                (a, -b),
                (w, -b),
                (w, b),
                (a, b),
                (a, d),
                (-a, d),
                (-a, b),
                (-w, b),
            ]
        }
        Form::Angle if 30.0 < depth => {
            let wing = 14.0;
            vec![(-w, -d), (wing - w, -d), (wing - w, d - wing), (w, d - wing), (w, d), (-w, d)]
        }
        Form::Courtyard if 13.0 < width && 10.0 < depth => {
            let wing = 3.8;
            vec![
                (-w, -d),
                (wing - w, -d),
                (wing - w, d - wing),
                (w - wing, d - wing),
                (w - wing, -d),
                (w, -d),
                (w, d),
                (-w, d),
            ]
        }
        Form::Slab if 40.0 < width && dice.chance(0.4) => {
            let step = 1.6;
            vec![(-w, -d), (0.0, -d), (0.0, step - d), (w, step - d), (w, d), (-w, d)]
        }
        _ => vec![(-w, -d), (w, -d), (w, d), (-w, d)],
    }
}

/// Cuts a plot in two by a wall, across its longer extent.
pub(super) fn halve(dice: &mut Dice, plot: &Ring, angle: f64) -> Option<[Ring; 2]> {
    let frame = Frame::new(plot[0], angle);
    let local: Vec<(f64, f64)> = plot.iter().map(|&at| frame.to_local(at)).collect();
    let (low, high) =
        local.iter().fold((f64::MAX, f64::MIN), |(low, high), at| (low.min(at.0), high.max(at.0)));
    let cut = low + (high - low) * dice.between(0.42, 0.58);
    let (mut west, mut east): (Ring, Ring) = (Vec::new(), Vec::new());
    for (index, &(u, _)) in local.iter().enumerate() {
        let (a, b) = (plot[index], plot[(index + 1) % plot.len()]);
        let next = local[(index + 1) % plot.len()].0;
        if u < cut { &mut west } else { &mut east }.push(a);
        if (u < cut) != (next < cut) {
            let at = super::shape::mm(super::shape::lerp(a, b, (cut - u) / (next - u)));
            west.push(at);
            east.push(at);
        }
    }
    let whole = super::shape::area(&west) + super::shape::area(&east);
    let sound = [&west, &east].iter().all(|ring| 4 <= ring.len() && 0.3 * whole < super::shape::area(ring));
    sound.then_some([west, east])
}

/// Metres from the centre-line of a street to the plots beside it.
fn verge(class: StreetClass) -> f64 {
    match class {
        StreetClass::Arterial => 20.0,
        StreetClass::Secondary => 13.0,
        StreetClass::Lane => 7.5,
        StreetClass::Path | StreetClass::Steps => 4.0,
    }
}

/// The plot that a block leaves free of streets, and of a row of shops along the larger ones.
pub(super) fn plot_of(ring: &Ring, classes: &[StreetClass], shops: bool) -> Option<Ring> {
    let strip = |class: StreetClass| if shops && StreetClass::Secondary <= class { SHOP_STRIP } else { 0.0 };
    let distances: Vec<f64> = classes.iter().map(|&class| verge(class) + strip(class)).collect();
    let plot = inset(ring, &distances)?;
    Some(plot.into_iter().map(super::shape::mm).collect())
}
