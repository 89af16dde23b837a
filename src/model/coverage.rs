//! Who reaches a station, by which method, within which limit.

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

/// What a row of the coverage table is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CoverageScope {
    /// The whole plan.
    All,
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
