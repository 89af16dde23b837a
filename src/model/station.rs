//! Stations, their tiers, and the premises where one may open.

use geo::Coord;

use super::ids::{CommunityId, PremiseId, SourceId};
use super::lang::Text;
use crate::units::{Households, SquareMetres};

/// Service level of a station, from the widest to the nearest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StationTier {
    /// 市级中心.
    City,
    /// 片区中心.
    Regional,
    /// 社区党群服务中心.
    Community,
    /// 小区驿站、户外驿站.
    Compound,
    /// 楼道、楼栋服务角.
    Corner,
}

impl StationTier {
    /// All tiers, widest first.
    pub const ALL: [Self; 5] = [Self::City, Self::Regional, Self::Community, Self::Compound, Self::Corner];

    /// The word used in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::City => "city",
            Self::Regional => "regional",
            Self::Community => "community",
            Self::Compound => "compound",
            Self::Corner => "corner",
        }
    }

    /// The planning term.
    #[must_use]
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::City => "市级中心",
            Self::Regional => "片区中心",
            Self::Community => "社区党群服务中心",
            Self::Compound => "小区驿站",
            Self::Corner => "楼道服务角",
        }
    }

    const fn letter(self) -> char {
        match self {
            Self::City => 'A',
            Self::Regional => 'B',
            Self::Community => 'C',
            Self::Compound => 'D',
            Self::Corner => 'E',
        }
    }

    /// What the numbers of new stations begin with: the code of the community that holds them, if one does, and the
    /// tier's letter.
    #[must_use]
    pub fn number_prefix(self, community: Option<&str>) -> String {
        match community.filter(|code| !code.is_empty()) {
            Some(code) => format!("{code}-{}", self.letter()),
            None => self.letter().to_string(),
        }
    }

    /// Reads the word used in files, or the Chinese term.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let word = word.trim();
        Self::ALL.into_iter().find(|tier| tier.as_str() == word || tier.chinese() == word)
    }
}

/// How a station came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StationStatus {
    /// Stands already and stays.
    Existing,
    /// Chosen by the plan.
    Chosen,
    /// Stands already, closed by the plan.
    Closed,
}

impl StationStatus {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Existing, Self::Chosen, Self::Closed];

    /// The word used in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Existing => "existing",
            Self::Chosen => "chosen",
            Self::Closed => "closed",
        }
    }

    /// Reads the word used in files.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// A service station (党群服务中心、驿站).
#[derive(Clone, Debug, PartialEq)]
pub struct Station {
    /// Unique number, as on the plate.
    pub code: String,
    /// Name.
    pub name: String,
    /// Service level.
    pub tier: StationTier,
    /// How it came about.
    pub status: StationStatus,
    /// Door on the metric plane.
    pub at: Coord<f64>,
    /// Community it stands in.
    pub community: Option<CommunityId>,
    /// Floor area, if known.
    pub area: Option<SquareMetres>,
    /// Households it can serve, if limited.
    pub capacity: Option<Households>,
    /// Premises it opens in, for a chosen one.
    pub premise: Option<PremiseId>,
    /// Why it was chosen: what it adds, what would be lost without it, the runner-up. Empty for existing ones.
    pub reason: Text,
}

/// Premises where a station may open: a row of the vacant premises register, or a place proposed by the program.
#[derive(Clone, Debug, PartialEq)]
pub struct Premise {
    /// Identifier in the register.
    pub source: SourceId,
    /// Name or address.
    pub name: Option<String>,
    /// Door on the metric plane.
    pub at: Coord<f64>,
    /// Community it stands in.
    pub community: Option<CommunityId>,
    /// Floor area.
    pub area: Option<SquareMetres>,
    /// Who owns it (产权).
    pub tenure: Option<String>,
    /// Storey, 1 = ground floor.
    pub floor: Option<i16>,
    /// Has its own entrance.
    pub own_entrance: Option<bool>,
    /// Yearly cost in yuan.
    pub cost: Option<u32>,
    /// Households it could serve.
    pub capacity: Option<Households>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_station_outside_every_community_has_a_number_of_its_own() {
        assert_eq!(StationTier::Compound.number_prefix(Some("110105001001")), "110105001001-D");
        assert_eq!(StationTier::Compound.number_prefix(None), "D");
        assert_eq!(StationTier::City.number_prefix(Some("")), "A");
    }
}
