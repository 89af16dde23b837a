//! What stands on the ground: communities, buildings, compounds, streets, barriers, gates.

use geo::{Coord, LineString, MultiPolygon, Point};

use super::ids::{CommunityId, CompoundId, SourceId};
use crate::units::{Households, Residents};

/// A community (社区, 村): the area that grids tile exactly.
#[derive(Clone, Debug, PartialEq)]
pub struct Community {
    /// 12-digit statistical division code, or the source's own code.
    pub code: String,
    /// Name as written in the source.
    pub name: String,
    /// Size class of its ordinary grids.
    pub class: GridClass,
    /// Outline on the metric plane.
    pub outline: MultiPolygon<f64>,
}

impl Community {
    /// The street office (街道) or town: the first nine digits of a 12-digit code, if it is one.
    #[must_use]
    pub fn street_office(&self) -> Option<&str> {
        let is_code = self.code.len() == 12 && self.code.bytes().all(|byte| byte.is_ascii_digit());
        is_code.then(|| &self.code[..9])
    }
}

/// Size class of a grid (城市型、安置型、农村型、专属网格).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GridClass {
    /// 城市型.
    #[default]
    Urban,
    /// 安置型.
    Resettlement,
    /// 农村型.
    Rural,
    /// 专属网格: an office tower, market, school or hospital; no household target.
    Exclusive,
}

impl GridClass {
    /// All classes.
    pub const ALL: [Self; 4] = [Self::Urban, Self::Resettlement, Self::Rural, Self::Exclusive];

    /// The word used in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Urban => "urban",
            Self::Resettlement => "resettlement",
            Self::Rural => "rural",
            Self::Exclusive => "exclusive",
        }
    }

    /// Reads the word used in files, or the Chinese term.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word.trim() {
            "urban" | "城市型" => Some(Self::Urban),
            "resettlement" | "安置型" => Some(Self::Resettlement),
            "rural" | "农村型" => Some(Self::Rural),
            "exclusive" | "专属" | "专属网格" => Some(Self::Exclusive),
            _ => None,
        }
    }
}

/// What an atom looks like on the ground.
#[derive(Clone, Debug, PartialEq)]
pub enum AtomShape {
    /// A building known by its position only.
    Point(Point<f64>),
    /// A footprint, or a census block where areas carry the counts.
    Area(MultiPolygon<f64>),
}

impl AtomShape {
    /// A point that stands for the shape: the position itself, or a point inside the area.
    #[must_use]
    pub fn anchor(&self) -> Coord<f64> {
        match self {
            Self::Point(point) => point.0,
            Self::Area(area) => crate::geometry::interior_point(area),
        }
    }

    /// Area of the footprint in square metres; a point has none.
    #[must_use]
    pub fn area(&self) -> f64 {
        match self {
            Self::Point(_) => 0.0,
            Self::Area(area) => geo::Area::unsigned_area(area),
        }
    }
}

/// Where an atom's household count comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HouseholdsSource {
    /// A column of the source.
    Column,
    /// Spread from the count of its compound, by floor area.
    Compound,
    /// Spread from a zone, population cell or given total, by floor area.
    Zone,
    /// Estimated from floor area alone.
    FloorArea,
    /// Unknown, counted as zero.
    #[default]
    Missing,
    /// Set by hand; the ledger says by whom and on what basis.
    Manual,
}

impl HouseholdsSource {
    /// All sources.
    pub const ALL: [Self; 6] =
        [Self::Column, Self::Compound, Self::Zone, Self::FloorArea, Self::Missing, Self::Manual];

    /// The word used in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Column => "column",
            Self::Compound => "compound",
            Self::Zone => "zone",
            Self::FloorArea => "floor_area",
            Self::Missing => "missing",
        }
    }

    /// Reads the word used in files.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == word)
    }
}

/// What a building is used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Use {
    /// People live here.
    #[default]
    Residential,
    /// Dwellings above shops.
    Mixed,
    /// Shops, offices, factories.
    Commercial,
    /// Schools, hospitals, government, worship.
    Public,
    /// Sheds, garages and the like: nobody lives here.
    Other,
}

impl Use {
    /// All uses.
    pub const ALL: [Self; 5] = [Self::Residential, Self::Mixed, Self::Commercial, Self::Public, Self::Other];

    /// The word used in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Residential => "residential",
            Self::Mixed => "mixed",
            Self::Commercial => "commercial",
            Self::Public => "public",
            Self::Other => "other",
        }
    }

    /// Reads the word used in files.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether households may be spread here.
    #[must_use]
    pub const fn is_lived_in(self) -> bool {
        matches!(self, Self::Residential | Self::Mixed)
    }
}

/// Work that a building brings beside households, as counts of places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OtherLoads {
    /// Shops (商铺).
    pub shops: u32,
    /// Small venues (九小场所).
    pub venues: u32,
    /// Social organizations (社会组织).
    pub organizations: u32,
    /// Whatever else the planner counts.
    pub other: u32,
}

impl OtherLoads {
    /// Whether there is none.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.shops == 0 && self.venues == 0 && self.organizations == 0 && self.other == 0
    }
}

/// Households that one of each of [`OtherLoads`] counts for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LoadWeights {
    /// A shop.
    pub shops: f64,
    /// A small venue.
    pub venues: f64,
    /// A social organization.
    pub organizations: f64,
    /// One of the rest.
    pub other: f64,
}

impl LoadWeights {
    /// What a building counts for in the size of its grid: its households and the rest at its weight, rounded.
    ///
    /// ```
    /// # use gridplan::model::{LoadWeights, OtherLoads};
    /// # use gridplan::units::Households;
    /// let weights = LoadWeights { shops: 0.5, venues: 2.0, ..LoadWeights::default() };
    /// let loads = OtherLoads { shops: 3, venues: 1, ..OtherLoads::default() };
    /// assert_eq!(weights.load(Households(20), loads), 24);
    /// ```
    #[must_use]
    pub fn load(self, households: Households, loads: OtherLoads) -> u32 {
        let other = f64::from(loads.shops) * self.shops
            + f64::from(loads.venues) * self.venues
            + f64::from(loads.organizations) * self.organizations
            + f64::from(loads.other) * self.other;
        households.0.saturating_add(other.round() as u32)
    }
}

/// The smallest unit that is never split: a building, an entrance group, or a census block.
#[derive(Clone, Debug, PartialEq)]
pub struct Atom {
    /// Identifier in the source, unique within the scenario.
    pub source: SourceId,
    /// Name or address, if the source has one.
    pub name: Option<String>,
    /// Footprint or position.
    pub shape: AtomShape,
    /// Households, a count.
    pub households: Households,
    /// Residents, a count.
    pub residents: Residents,
    /// Where `households` comes from.
    pub households_source: HouseholdsSource,
    /// Work beside households.
    pub other_loads: OtherLoads,
    /// Community that it belongs to; `None` lies outside every community and is not planned.
    pub community: Option<CommunityId>,
    /// Compound (小区) that it stands in.
    pub compound: Option<CompoundId>,
    /// Floors above ground, at least 1.
    pub floors: u16,
    /// What it is used for.
    pub usage: Use,
    /// Asks for a grid of its own (专属网格).
    pub exclusive: bool,
    /// Where people step out, if the source says; otherwise the nearest wall is taken.
    pub door: Option<Coord<f64>>,
    /// Code of its present grid, if there is one.
    pub current_grid: Option<String>,
    /// The present grid must stay as it is.
    pub locked: bool,
}

/// A walled or named residential compound (小区): kept in one grid where its size allows.
#[derive(Clone, Debug, PartialEq)]
pub struct Compound {
    /// Identifier in the source.
    pub source: SourceId,
    /// Name.
    pub name: Option<String>,
    /// Outline on the metric plane; empty when only the buildings name it.
    pub outline: MultiPolygon<f64>,
    /// People pass the outline only at gates.
    pub walled: bool,
    /// Households counted for the whole compound, before they are spread over buildings.
    pub households: Option<Households>,
}

/// What runs along a boundary, from the weakest to the strongest divider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StreetClass {
    /// Stairs.
    Steps,
    /// A footway, path or service way.
    Path,
    /// A lane or residential street.
    Lane,
    /// A secondary or tertiary road.
    Secondary,
    /// An arterial road.
    Arterial,
}

impl StreetClass {
    /// All classes.
    pub const ALL: [Self; 5] = [Self::Steps, Self::Path, Self::Lane, Self::Secondary, Self::Arterial];

    /// The word used in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Steps => "steps",
            Self::Path => "path",
            Self::Lane => "lane",
            Self::Secondary => "secondary",
            Self::Arterial => "arterial",
        }
    }

    /// Reads the word used in files.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == word)
    }
}

/// A street, way or flight of stairs. Streets meet only where they share a vertex.
#[derive(Clone, Debug, PartialEq)]
pub struct Street {
    /// Identifier in the source.
    pub source: SourceId,
    /// Name, used in boundary descriptions.
    pub name: Option<String>,
    /// Class.
    pub class: StreetClass,
    /// Centre-line on the metric plane.
    pub line: LineString<f64>,
    /// People may walk here.
    pub foot: bool,
    /// On a bridge: crosses barriers below without touching them.
    pub bridge: bool,
    /// In a tunnel or underpass: no boundary above ground, crosses barriers.
    pub tunnel: bool,
    /// Rise per length from the first vertex to the last where the source tags it, as a fraction.
    pub incline: Option<f64>,
    /// A signalled or marked crossing: waiting time is added.
    pub crossing: bool,
    /// Closed to wheelchairs (steps, a kerb or a tag that says so).
    pub no_wheelchair: bool,
}

/// What kind of thing stops people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BarrierKind {
    /// A railway.
    Railway,
    /// A river or canal.
    River,
    /// A lake, harbour or the sea.
    Water,
    /// A wall or fence.
    Wall,
    /// A motorway or other road that is crossed only at crossings.
    Motorway,
    /// A cliff, embankment or retaining wall.
    Cliff,
}

impl BarrierKind {
    /// All kinds.
    pub const ALL: [Self; 6] =
        [Self::Railway, Self::River, Self::Water, Self::Wall, Self::Motorway, Self::Cliff];

    /// The word used in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Railway => "railway",
            Self::River => "river",
            Self::Water => "water",
            Self::Wall => "wall",
            Self::Motorway => "motorway",
            Self::Cliff => "cliff",
        }
    }

    /// Reads the word used in files.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A line or area that people do not cross, except at streets on bridges, in tunnels, or at gates on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Barrier {
    /// Identifier in the source.
    pub source: SourceId,
    /// Name, used in boundary descriptions.
    pub name: Option<String>,
    /// Kind.
    pub kind: BarrierKind,
    /// A line, or the closed rings of an area, on the metric plane.
    pub shape: BarrierShape,
}

/// A barrier's geometry.
#[derive(Clone, Debug, PartialEq)]
pub enum BarrierShape {
    /// A line.
    Line(LineString<f64>),
    /// An area such as a lake.
    Area(MultiPolygon<f64>),
}

/// A gate: the gap in a wall or compound outline where people pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    /// Identifier in the source.
    pub source: SourceId,
    /// Compound that it opens; `None` is a gap in a free-standing wall.
    pub compound: Option<CompoundId>,
    /// Position on the metric plane.
    pub at: Coord<f64>,
    /// People on foot may pass.
    pub open: bool,
}
