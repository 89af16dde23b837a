//! Streets to nodes and edges: joined where they share a vertex, timed in both directions.

use geo::Coord;
use rustc_hash::FxHashMap;

use super::walking::{KerbResponse, StairsResponse, WalkRules};
use crate::model::{Street, StreetClass, Terrain};

/// Nodes, and straight edges between them; lengths in millimetres, times in milliseconds.
#[derive(Clone, Debug, Default)]
pub(super) struct StreetEdges {
    pub x: Vec<f64>,
    pub y: Vec<f64>,
    pub from: Vec<u32>,
    pub to: Vec<u32>,
    /// Length, [`u32::MAX`] where the profile cannot pass at all.
    pub mm: Vec<u32>,
    /// Walk from `from` to `to`, [`u32::MAX`] where nobody of the profile passes.
    pub there_ms: Vec<u32>,
    /// And back.
    pub back_ms: Vec<u32>,
    /// Doors may stand beside it: not on a bridge, not in a tunnel.
    pub on_ground: Vec<bool>,
    /// Row of the street it belongs to.
    pub street: Vec<u32>,
    /// Edges whose slope could not be read from the terrain.
    pub without_height: usize,
}

impl StreetEdges {
    pub fn ends(&self, edge: u32) -> (Coord<f64>, Coord<f64>) {
        let (from, to) = (self.from[edge as usize] as usize, self.to[edge as usize] as usize);
        (Coord { x: self.x[from], y: self.y[from] }, Coord { x: self.x[to], y: self.y[to] })
    }
}

/// Level of a street: two streets that only pass over one another at a shared vertex do not meet.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Level {
    Ground,
    Bridge,
    Tunnel,
}

fn level(street: &Street) -> Level {
    match (street.bridge, street.tunnel) {
        (true, _) => Level::Bridge,
        (_, true) => Level::Tunnel,
        _ => Level::Ground,
    }
}

/// A vertex to the millimetre.
type Spot = (i64, i64);

fn spot(at: Coord<f64>) -> Spot {
    ((at.x * 1000.0).round() as i64, (at.y * 1000.0).round() as i64)
}

/// Joins the walkable streets and times their edges.
pub(super) fn street_edges(streets: &[Street], terrain: Option<&Terrain>, rules: &WalkRules) -> StreetEdges {
    let walkable = || streets.iter().enumerate().filter(|(_, street)| street.foot);
    let joins = Joins::of(walkable().map(|(_, street)| street));
    let mut edges = StreetEdges::default();
    let mut node_at: FxHashMap<(Spot, Level), u32> = FxHashMap::default();
    for (row, street) in walkable() {
        let timing = Timing::of(street, terrain, rules);
        let mut previous: Option<(u32, Coord<f64>)> = None;
        for &at in &street.line.0 {
            if !at.x.is_finite() || !at.y.is_finite() {
                previous = None;
                continue;
            }
            let key = joins.key(spot(at), level(street));
            let node = *node_at.entry(key).or_insert_with(|| {
                edges.x.push(at.x);
                edges.y.push(at.y);
                edges.x.len() as u32 - 1
            });
            if let Some((before, start)) = previous
                && before != node
            {
                let length = (at - start).x.hypot((at - start).y);
                timing.add(&mut edges, (before, start), (node, at), length);
                edges.street.push(row as u32);
            }
            previous = Some((node, at));
        }
    }
    edges
}

/// Which levels meet at spots where streets of several levels have a vertex.
struct Joins {
    /// Only spots touched by a bridge or tunnel: per level whether a street ends there or passes.
    mixed: FxHashMap<Spot, [Touch; 3]>,
}

#[derive(Clone, Copy, Default)]
struct Touch {
    ends: bool,
    passes: bool,
}

impl Joins {
    fn of<'a>(streets: impl Iterator<Item = &'a Street> + Clone) -> Self {
        let mut mixed: FxHashMap<Spot, [Touch; 3]> = FxHashMap::default();
        for street in streets.clone().filter(|street| level(street) != Level::Ground) {
            for &at in &street.line.0 {
                mixed.entry(spot(at)).or_default();
            }
        }
        if !mixed.is_empty() {
            for street in streets {
                let last = street.line.0.len().saturating_sub(1);
                for (i, &at) in street.line.0.iter().enumerate() {
                    if let Some(touches) = mixed.get_mut(&spot(at)) {
                        let touch = &mut touches[level(street) as usize];
                        touch.ends |= i == 0 || i == last;
                        touch.passes |= i != 0 && i != last;
                    }
                }
            }
        }
        Self { mixed }
    }

    /// The node that a vertex belongs to. A bridge or tunnel meets the ground where it ends, or where a
    /// street of the ground ends and none passes; two that merely pass do not meet.
    fn key(&self, at: Spot, level: Level) -> (Spot, Level) {
        let Some(touches) = self.mixed.get(&at) else { return (at, Level::Ground) };
        let ground = touches[Level::Ground as usize];
        let meets_ground = touches[level as usize].ends || (ground.ends && !ground.passes);
        (at, if meets_ground { Level::Ground } else { level })
    }
}

/// How one street is timed.
struct Timing<'a> {
    street: &'a Street,
    terrain: Option<&'a Terrain>,
    rules: &'a WalkRules,
    /// Length of the whole line in metres.
    length: f64,
    /// Rise over the whole line, where the terrain does not carry the street.
    even_slope: Option<f64>,
}

impl<'a> Timing<'a> {
    fn of(street: &'a Street, terrain: Option<&'a Terrain>, rules: &'a WalkRules) -> Self {
        let points = &street.line.0;
        let length = points.windows(2).map(|pair| (pair[1] - pair[0]).x.hypot((pair[1] - pair[0]).y)).sum();
        let ends = || {
            let height = |at: Option<&Coord<f64>>| terrain?.height(*at?);
            Some((height(points.last())? - height(points.first())?) / f64::max(length, 1.0))
        };
        // Above and below ground the terrain says nothing but the heights of the two ends.
        let even_slope = street.incline.or_else(|| {
            let leaves_ground = street.bridge || street.tunnel || street.class == StreetClass::Steps;
            if leaves_ground { ends() } else { None }
        });
        Self { street, terrain, rules, length, even_slope }
    }

    /// Appends one straight edge between two nodes.
    fn add(&self, edges: &mut StreetEdges, from: (u32, Coord<f64>), to: (u32, Coord<f64>), length: f64) {
        let passable = !self.street.no_wheelchair
            || self.rules.profile.kerbs == KerbResponse::Passed
            || (self.street.class == StreetClass::Steps
                && matches!(self.rules.profile.stairs, StairsResponse::Walked { .. }));
        let seconds =
            if passable { self.seconds(from.1, to.1, length, &mut edges.without_height) } else { None };
        let wait = if self.street.crossing && 0.0 < self.length {
            // Spread along the crossing, so that it does not matter where the line has vertices.
            self.rules.profile.crossing_wait.value() * length / self.length
        } else {
            0.0
        };
        edges.from.push(from.0);
        edges.to.push(to.0);
        let whole = |thousands: f64| (thousands.round() as u32).clamp(1, u32::MAX - 1);
        let ms = |seconds: f64| whole((seconds + wait) * 1000.0);
        edges.there_ms.push(seconds.map_or(u32::MAX, |(there, _)| ms(there)));
        edges.back_ms.push(seconds.map_or(u32::MAX, |(_, back)| ms(back)));
        edges.mm.push(if seconds.is_some() { whole(length * 1000.0) } else { u32::MAX });
        edges.on_ground.push(level(self.street) == Level::Ground);
    }

    /// Seconds there and back without waiting; `None` if the profile cannot pass.
    fn seconds(
        &self,
        from: Coord<f64>,
        to: Coord<f64>,
        length: f64,
        without_height: &mut usize,
    ) -> Option<(f64, f64)> {
        let profile = &self.rules.profile;
        if self.street.class == StreetClass::Steps {
            let rise = self.even_slope.unwrap_or(0.0);
            return Some((profile.stairs_pace(rise)? * length, profile.stairs_pace(-rise)? * length));
        }
        if let Some(slope) = self.even_slope {
            return Some((profile.pace(slope)? * length, profile.pace(-slope)? * length));
        }
        let Some(terrain) = self.terrain else {
            let seconds = profile.pace(0.0)? * length;
            return Some((seconds, seconds));
        };
        // A long edge over a hill is timed piece by piece; a short one takes the slope of its surroundings.
        let base = self.rules.slope_base.value().max(1.0);
        let pieces = (length / base).floor().max(1.0);
        let piece = length / pieces;
        let reach = piece.max(base) / 2.0;
        let along = (to - from) / length.max(1e-9);
        let (mut there, mut back) = (0.0, 0.0);
        let mut all_known = true;
        for i in 0..pieces as usize {
            let middle = from + along * (piece * (i as f64 + 0.5));
            let slope = rise(terrain, middle, along * reach).map(|rise| rise / (2.0 * reach));
            all_known &= slope.is_some();
            let slope = slope.unwrap_or(0.0);
            there += profile.pace(slope)? * piece;
            back += profile.pace(-slope)? * piece;
        }
        *without_height += usize::from(!all_known);
        Some((there, back))
    }
}

/// Rise from `middle − half` to `middle + half`, on one side only where the terrain ends.
fn rise(terrain: &Terrain, middle: Coord<f64>, half: Coord<f64>) -> Option<f64> {
    let height = |at| terrain.height(at);
    match (height(middle - half), height(middle), height(middle + half)) {
        (Some(low), _, Some(high)) => Some(high - low),
        (Some(low), Some(here), None) => Some(2.0 * (here - low)),
        (None, Some(here), Some(high)) => Some(2.0 * (high - here)),
        _ => None,
    }
}
