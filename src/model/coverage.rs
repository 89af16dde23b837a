//! Who reaches a station, by which method, within which limit.

use std::fmt;

use super::ids::{AtomId, CommunityId, GridId, StationId};
use super::scenario::Scenario;
use super::station::StationTier;
use crate::units::{Households, Metres, Residents, Seconds};

/// A circle of the rules: a pair of minutes and metres, not one speed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WalkBand {
    /// Minutes, the name of the circle.
    pub minutes: u32,
    /// Metres that go with them.
    pub metres: Metres,
}

impl WalkBand {
    /// Time limit.
    #[must_use]
    pub const fn limit(self) -> Seconds {
        Seconds::from_minutes(self.minutes)
    }

    /// A door exactly at the limit counts as reached.
    #[must_use]
    pub fn reaches_in_time(self, walk: Seconds) -> bool {
        walk <= self.limit()
    }

    /// A door exactly at the limit counts as reached.
    #[must_use]
    pub fn reaches_in_distance(self, distance: Metres) -> bool {
        distance <= self.metres
    }
}

/// How reach is judged. A report always names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CoverageMethod {
    /// As the crow flies, against the metres.
    StraightRadius,
    /// Along streets, against the metres.
    NetworkDistance,
    /// Along streets with slope, stairs and waiting, against the minutes.
    NetworkTime,
}

impl CoverageMethod {
    /// All methods.
    pub const ALL: [Self; 3] = [Self::StraightRadius, Self::NetworkDistance, Self::NetworkTime];

    /// The word used in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StraightRadius => "straight_radius",
            Self::NetworkDistance => "network_distance",
            Self::NetworkTime => "network_time",
        }
    }

    /// Reads the word used in files.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == word)
    }
}

/// Why nobody can walk from a building to any station.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unreached {
    /// Too far from any street, or walled in.
    Unsnapped,
    /// On streets that do not hang together with any station's.
    Island,
    /// There is no station.
    NoStation,
    /// There is no walk network.
    NoStreets,
}

impl Unreached {
    /// All reasons.
    pub const ALL: [Self; 4] = [Self::Unsnapped, Self::Island, Self::NoStation, Self::NoStreets];

    /// The word used in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unsnapped => "unsnapped",
            Self::Island => "island",
            Self::NoStation => "no_station",
            Self::NoStreets => "no_streets",
        }
    }

    /// Reads the word used in files.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

/// What a building reaches.
#[derive(Clone, Debug, PartialEq)]
pub struct AtomCoverage {
    /// Nearest station by walking time and the time there, however long; or why there is none.
    pub nearest: Result<(StationId, Seconds), Unreached>,
    /// Walking distance to the station nearest by distance.
    pub distance: Option<Metres>,
    /// Straight distance to the station nearest as the crow flies.
    pub straight: Option<Metres>,
    /// Stations within each band's minutes, in the order of [`Coverage::bands`].
    pub depth: Vec<u16>,
    /// Within each tier: walking time to its nearest station, in the order of [`StationTier::ALL`].
    pub tier_walk: [Option<Seconds>; 5],
    /// Streets beyond the data's edge could change the answer.
    pub near_edge: bool,
}

/// Code of a street office (街道) or town: nine digits, the first of a 12-digit division code.
///
/// ```
/// # use gridplan::model::OfficeCode;
/// assert_eq!(OfficeCode::parse("010602001").map(|code| code.to_string()).as_deref(), Some("010602001"));
/// assert_eq!(OfficeCode::parse("west"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OfficeCode(u32);

impl OfficeCode {
    /// Reads nine digits.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        let is_code = code.len() == 9 && code.bytes().all(|byte| byte.is_ascii_digit());
        code.parse().ok().filter(|_| is_code).map(Self)
    }
}

impl fmt::Display for OfficeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:09}", self.0)
    }
}

/// What a row of the coverage table is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CoverageScope {
    /// The whole plan.
    All,
    /// The communities of one street office, by the front of their codes.
    StreetOffice(OfficeCode),
    /// One community.
    Community(CommunityId),
    /// One grid.
    Grid(GridId),
}

/// One figure of the coverage table. Shares are of households.
#[derive(Clone, Debug, PartialEq)]
pub struct CoverageRow {
    /// What it is about.
    pub scope: CoverageScope,
    /// Stations of this tier only; `None` counts every tier.
    pub tier: Option<StationTier>,
    /// Method.
    pub method: CoverageMethod,
    /// Circle, in minutes.
    pub minutes: u32,
    /// Households in scope.
    pub households: Households,
    /// Of them reached.
    pub households_reached: Households,
    /// Residents in scope.
    pub residents: Residents,
    /// Of them reached.
    pub residents_reached: Residents,
    /// Households reached by two or more stations.
    pub households_overlap: Households,
}

impl CoverageRow {
    /// Share of households reached, 0 to 1; a scope without households counts as fully reached.
    #[must_use]
    pub fn share(&self) -> f64 {
        if self.households.0 == 0 {
            return 1.0;
        }
        f64::from(self.households_reached.0) / f64::from(self.households.0)
    }
}

/// Who is served.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Coverage {
    /// Circles, narrowest first.
    pub bands: Vec<WalkBand>,
    /// Whether slopes were counted.
    pub with_terrain: bool,
    /// Name of the walking profile.
    pub profile: String,
    /// Per atom.
    pub atoms: Vec<AtomCoverage>,
    /// The table, sorted by scope, tier, method, minutes.
    pub rows: Vec<CoverageRow>,
    /// Which way the walks are judged: there, back, or the worse of the two.
    pub direction: WalkDirection,
    /// Other kinds of walkers beside the plan's own.
    pub profiles: Vec<ProfileCoverage>,
    /// How what the stations offer is shared out; `None` if no station is open.
    pub balance: Option<ServiceBalance>,
}

/// Which way of a walk counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum WalkDirection {
    /// From home to the station.
    #[default]
    There,
    /// From the station back home.
    Back,
    /// The longer of the two.
    Worse,
}

impl WalkDirection {
    /// All directions.
    pub const ALL: [Self; 3] = [Self::There, Self::Back, Self::Worse];

    /// The word used in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::There => "there",
            Self::Back => "back",
            Self::Worse => "worse",
        }
    }

    /// Reads the word used in files.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|direction| direction.as_str() == word)
    }
}

/// How another kind of walker fares, by network time: who reaches a station as the plan's own walker and not
/// as this one. Buildings outside every community do not count.
#[derive(Clone, Debug, PartialEq)]
pub struct ProfileCoverage {
    /// Name of the walking profile.
    pub profile: String,
    /// Per band: households within it.
    pub households_reached: Vec<Households>,
    /// Per band: households within it for the plan's own walker and not for this one.
    pub households_lost: Vec<Households>,
    /// The buildings of those, by band, then building. Only buildings with households.
    pub lost: Vec<ProfileLoss>,
}

/// A building that one walker reaches a station from and another does not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProfileLoss {
    /// Building.
    pub atom: AtomId,
    /// Circle that is missed, minutes.
    pub minutes: u32,
    /// This walker's way to the nearest station, `None` if there is none.
    pub walk: Option<Seconds>,
}

/// What a station's supply is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SupplyUnit {
    /// Households that stations may serve: their capacity, or what their area suffices for.
    Households,
    /// Stations, each alike: the capacity and the area of at least one are unknown.
    Stations,
}

impl SupplyUnit {
    /// The word used in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Households => "households",
            Self::Stations => "stations",
        }
    }

    /// Reads the word used in files.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Households, Self::Stations].into_iter().find(|unit| unit.as_str() == word)
    }
}

/// How evenly service is spread: floating catchments, capacity-limited assignment, inequality. Catchments end
/// at the widest band, by network time; the people are households.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceBalance {
    /// What supply is counted in.
    pub unit: SupplyUnit,
    /// Per atom: supply per 1,000 households by 2SFCA.
    pub access: Vec<f64>,
    /// Per atom: the same with nearer stations weighing more, by E2SFCA.
    pub access_enhanced: Vec<f64>,
    /// Per atom: households that no station within the widest band has room for.
    pub without_room: Vec<u32>,
    /// Per open station, in the order of the plan's stations.
    pub loads: Vec<StationLoad>,
    /// Inequality figures.
    pub evenness: Evenness,
}

/// What one station has to serve when everybody goes to the nearest one that has room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StationLoad {
    /// Station.
    pub station: StationId,
    /// Households it may serve, `None` without a known limit.
    pub capacity: Option<Households>,
    /// Households that it serves.
    pub served: Households,
}

/// How evenly walks and supply are spread over households.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evenness {
    /// Gini coefficient of the walks of those who reach a station: 0 alike, towards 1 uneven.
    pub gini_walk: f64,
    /// Gini coefficient of the 2SFCA supply.
    pub gini_access: f64,
    /// Mean walk of those who reach a station.
    pub mean_walk: Option<Seconds>,
    /// Mean walk of the tenth of all households with the longest way, `None` if one of them has none.
    pub worst_decile_walk: Option<Seconds>,
    /// Mean 2SFCA supply per 1,000 households.
    pub mean_access: f64,
    /// That of the tenth of all households with the least.
    pub worst_decile_access: f64,
}

impl Coverage {
    /// Buildings with households that no station reaches within the widest circle's minutes, in table order.
    #[must_use]
    pub fn uncovered(&self, scenario: &Scenario) -> Vec<AtomId> {
        let Some(widest) = self.bands.last() else { return Vec::new() };
        let is_left_out =
            |reach: &AtomCoverage| !reach.nearest.is_ok_and(|(_, walk)| widest.reaches_in_time(walk));
        let pairs = scenario.atoms.iter().zip(&self.atoms).enumerate();
        pairs
            .filter(|(_, (atom, reach))| 0 < atom.households.0 && is_left_out(reach))
            .map(|(index, _)| AtomId::from_index(index))
            .collect()
    }

    /// The method that a headline names: network time, or the straight radius where there are no streets, so
    /// that no walk can be timed.
    #[must_use]
    pub fn headline(&self) -> CoverageMethod {
        let is_untimed = |atom: &AtomCoverage| atom.nearest == Err(Unreached::NoStreets);
        if !self.atoms.is_empty() && self.atoms.iter().all(is_untimed) {
            CoverageMethod::StraightRadius
        } else {
            CoverageMethod::NetworkTime
        }
    }

    /// The row asked for.
    #[must_use]
    pub fn row(
        &self,
        scope: CoverageScope,
        tier: Option<StationTier>,
        method: CoverageMethod,
        minutes: u32,
    ) -> Option<&CoverageRow> {
        let key = (scope, tier, method, minutes);
        let found =
            self.rows.binary_search_by_key(&key, |row| (row.scope, row.tier, row.method, row.minutes));
        found.ok().map(|index| &self.rows[index])
    }
}
