//! What the subdivision is built from: shapes in metres on one local plane.

use geo::{Coord, LineString, MultiPolygon, Polygon};

/// Everything that shapes the land of a set of communities, in metres on one local plane.
///
/// Coordinates may be any finite `f64` within ±1.3 · 10⁸ m; vertices that are not are dropped.
/// Ids are indices: an atom is its place in `atoms`, a community its place in `communities`.
#[derive(Clone, Debug, Default)]
pub struct LandInput {
    /// Outlines of the communities. They may overlap or leave slits; both are settled by rule and reported.
    pub communities: Vec<MultiPolygon<f64>>,
    /// The smallest units: buildings, entrance groups, or whole census areas.
    pub atoms: Vec<AtomShape>,
    /// Street centre-lines.
    pub streets: Vec<StreetLine>,
    /// Lines and areas that people do not cross except at crossings, and walls.
    pub barriers: Vec<BarrierShape>,
}

/// An atom on the ground.
#[derive(Clone, Debug)]
pub struct AtomShape {
    /// Where it stands.
    pub footprint: Footprint,
    /// Its community, if known; otherwise the one that holds the largest share of the footprint.
    pub home: Option<u32>,
}

/// The shape of an atom.
#[derive(Clone, Debug)]
pub enum Footprint {
    /// One or more parts, each with courtyards. Self-crossing rings count by the even-odd rule.
    Polygons(MultiPolygon<f64>),
    /// Only a place is known.
    Point(Coord<f64>),
}

impl From<Polygon<f64>> for Footprint {
    fn from(polygon: Polygon<f64>) -> Self {
        Self::Polygons(MultiPolygon(vec![polygon]))
    }
}

/// One street: a centre-line with its class.
#[derive(Clone, Debug)]
pub struct StreetLine {
    /// The centre-line.
    pub line: LineString<f64>,
    /// What kind of street it is.
    pub class: StreetClass,
    /// Whether its centre-line can be seen on the ground and walked across.
    pub level: StreetLevel,
    /// Index into the caller's own table of names.
    pub name: Option<u32>,
}

/// Street classes, from the widest to the narrowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StreetClass {
    /// Primary and trunk roads.
    Arterial,
    /// Secondary and tertiary roads.
    Secondary,
    /// Residential streets and lanes.
    Lane,
    /// Drives and access ways inside blocks.
    Service,
    /// Footpaths.
    Footway,
    /// Stairs.
    Steps,
}

/// How a street relates to the ground it runs over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StreetLevel {
    /// On the ground or on a bridge: a boundary may follow it, and where it meets a barrier it crosses it.
    Ground,
    /// In a tunnel: never a boundary; still crosses barriers.
    Tunnel,
    /// Closed to people on foot, such as a motorway: a boundary may follow it, but it opens no barrier.
    NotOnFoot,
}

/// A barrier with the places where people cross it.
#[derive(Clone, Debug)]
pub struct BarrierShape {
    /// Where it runs.
    pub geometry: BarrierGeometry,
    /// What it is.
    pub kind: BarrierKind,
    /// Index into the caller's own table of names.
    pub name: Option<u32>,
    /// Bridges, level crossings, gates: places on or near the barrier where people cross.
    /// Streets open to people on foot that meet the barrier are found without being listed.
    pub crossings: Vec<Coord<f64>>,
}

/// The shape of a barrier.
#[derive(Clone, Debug)]
pub enum BarrierGeometry {
    /// A centre-line.
    Line(LineString<f64>),
    /// An area; its edge is the barrier.
    Area(MultiPolygon<f64>),
}

/// What a barrier is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BarrierKind {
    /// A railway.
    Rail,
    /// A river, canal, lake or sea. As an area it belongs to no plot.
    Water,
    /// A wall or fence that nobody passes except at its crossings.
    Wall,
    /// The wall or outline of a compound: a natural boundary, passable for planning.
    Compound,
}

/// Which areas become plots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtomsAre {
    /// Atoms are buildings on open ground: the ground between them is divided.
    Buildings,
    /// Atoms are areas that carry counts, such as census blocks: they are kept as they are, and only slits between them are filled.
    Areas,
}
