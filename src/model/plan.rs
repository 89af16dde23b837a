//! The whole answer: grids, stations, coverage, and how it came about.

use geo::MultiPolygon;

use super::community::GridClass;
use super::coverage::Coverage;
use super::finding::{BrokenRule, Finding};
use super::ids::{CommunityId, GridId, StationId};
use super::lang::Text;
use super::scenario::Scenario;
use super::station::{Station, StationTier};
use crate::units::{Households, Residents};

/// Size of a grid in households. In range means `low <= n <= high`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GridSize {
    /// Wanted.
    pub target: Households,
    /// Smallest in range.
    pub low: Households,
    /// Largest in range.
    pub high: Households,
}

impl GridSize {
    /// `target` ± `tolerance` (a fraction), rounded inwards so that the limits are whole households.
    ///
    /// ```
    /// # use gridplan::{model::GridSize, units::Households};
    /// let size = GridSize::around(Households(300), 0.10);
    /// assert_eq!((size.low, size.high), (Households(270), Households(330)));
    /// ```
    #[must_use]
    pub fn around(target: Households, tolerance: f64) -> Self {
        let (centre, reach) = (f64::from(target.0), f64::from(target.0) * tolerance);
        // A millionth of a household absorbs the rounding of decimal tolerances.
        let low = (centre - reach - 1e-6).ceil().max(0.0) as u32;
        let high = (centre + reach + 1e-6).floor() as u32;
        Self { target, low: Households(low), high: Households(high) }
    }

    /// Whether `n` is in range; both limits count as in range.
    #[must_use]
    pub fn contains(self, n: Households) -> bool {
        self.low <= n && n <= self.high
    }
}

/// A grid (网格): a connected set of atoms of about 300 households.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// Unique code: 12-digit division code + 3 digits by default.
    pub code: String,
    /// Name.
    pub name: String,
    /// Community that it lies in.
    pub community: CommunityId,
    /// Size class.
    pub class: GridClass,
    /// The range it was asked to keep; `None` for an exclusive grid.
    pub size: Option<GridSize>,
    /// Households.
    pub households: Households,
    /// What its size is judged by: households, and other work at its weight
    /// ([`LoadWeights`](super::LoadWeights)). As many as the households where nothing else counts.
    pub load: u32,
    /// Residents.
    pub residents: Residents,
    /// Atoms in it.
    pub n_atoms: u32,
    /// Outline on the metric plane; grids tile their community exactly.
    pub outline: MultiPolygon<f64>,
    /// Stays as it is when the plan is drawn again.
    pub locked: bool,
    /// Why it is out of range, if it is.
    pub reason: Option<Text>,
    /// What bounds it on the east, south, west and north (四至), from street and river names.
    pub bounds_text: Text,
    /// Codes of earlier grids that it continues, largest overlap first.
    pub lineage: Vec<String>,
    /// What a person wrote on it; empty for nothing.
    pub note: String,
}

impl Grid {
    /// Deviation from the target as a fraction, signed; zero for an exclusive grid.
    #[must_use]
    pub fn deviation(&self) -> f64 {
        self.size.map_or(0.0, |size| {
            if size.target.0 == 0 {
                return 0.0;
            }
            (f64::from(self.load) - f64::from(size.target.0)) / f64::from(size.target.0)
        })
    }

    /// Whether it keeps its range.
    #[must_use]
    pub fn is_in_range(&self) -> bool {
        self.size.is_none_or(|size| size.contains(Households(self.load)))
    }
}

/// How good the division of one community is.
#[derive(Clone, Debug, PartialEq)]
pub struct CommunityQuality {
    /// Community.
    pub community: CommunityId,
    /// Grids out of range.
    pub n_out_of_range: u32,
    /// No plan has fewer out of range than this.
    pub n_out_of_range_bound: u32,
    /// Length of the boundaries between grids, weighted by what runs along them, in metres.
    pub cut_cost: f64,
    /// No plan with as few grids out of range costs less; `None` where no bound is known.
    pub cut_cost_bound: Option<f64>,
}

impl CommunityQuality {
    /// Share of the cost that a better division could save at most, 0 to 1; `None` where no bound is known.
    #[must_use]
    pub fn gap(&self) -> Option<f64> {
        let bound = self.cut_cost_bound?;
        Some(if 0.0 < self.cut_cost { ((self.cut_cost - bound) / self.cut_cost).max(0.0) } else { 0.0 })
    }
}

/// Every atom of a community in exactly one grid; no empty grid.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Partition {
    /// Grids, ordered by community, then number.
    pub grids: Vec<Grid>,
    /// Grid of each atom; `None` for atoms outside every community.
    pub grid_of: Vec<Option<GridId>>,
    /// Per community.
    pub quality: Vec<CommunityQuality>,
    /// Codes that were used once and are not used again.
    pub retired_codes: Vec<String>,
}

impl Partition {
    /// All rules of a valid partition.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn check(&self, scenario: &Scenario) -> Result<(), BrokenRule> {
        self.every_atom_in_one_grid(scenario)?;
        self.no_grid_in_two_communities(scenario)?;
        self.counts_add_up(scenario)?;
        self.codes_are_unique()
    }

    fn every_atom_in_one_grid(&self, scenario: &Scenario) -> Result<(), BrokenRule> {
        let broken = |what| Err(BrokenRule { rule: "every atom is in one grid", what });
        if self.grid_of.len() != scenario.atoms.len() {
            return broken(format!("{} labels for {} atoms", self.grid_of.len(), scenario.atoms.len()));
        }
        for (atom, grid) in scenario.atoms.iter().zip(&self.grid_of) {
            let in_table = grid.is_none_or(|id| id.index() < self.grids.len());
            if !in_table || atom.community.is_some() != grid.is_some() {
                return broken(format!("building {}", atom.source));
            }
        }
        Ok(())
    }

    fn no_grid_in_two_communities(&self, scenario: &Scenario) -> Result<(), BrokenRule> {
        for (atom, grid) in scenario.atoms.iter().zip(&self.grid_of) {
            if grid.is_some_and(|id| Some(self.grids[id.index()].community) != atom.community) {
                return Err(BrokenRule {
                    rule: "a grid lies in one community",
                    what: format!("building {}", atom.source),
                });
            }
        }
        Ok(())
    }

    fn counts_add_up(&self, scenario: &Scenario) -> Result<(), BrokenRule> {
        let mut households = vec![Households(0); self.grids.len()];
        for (atom, grid) in scenario.atoms.iter().zip(&self.grid_of) {
            if let Some(id) = grid {
                households[id.index()] += atom.households;
            }
        }
        match self.grids.iter().zip(&households).find(|(grid, sum)| grid.households != **sum) {
            None => Ok(()),
            Some((grid, sum)) => Err(BrokenRule {
                rule: "a grid's households are those of its atoms",
                what: format!("grid {} says {}, its atoms have {sum}", grid.code, grid.households),
            }),
        }
    }

    fn codes_are_unique(&self) -> Result<(), BrokenRule> {
        let mut codes: Vec<&str> = self.grids.iter().map(|grid| grid.code.as_str()).collect();
        codes.sort_unstable();
        match codes.windows(2).find(|pair| pair[0] == pair[1]) {
            None => Ok(()),
            Some(pair) => Err(BrokenRule { rule: "grid codes are unique", what: pair[0].to_owned() }),
        }
    }
}

/// What the siting of one tier came to.
#[derive(Clone, Debug, PartialEq)]
pub struct TierAnswer {
    /// Tier.
    pub tier: StationTier,
    /// What was asked, in words.
    pub goal: Text,
    /// Households within the tier's circle.
    pub objective: f64,
    /// No choice does better than this; `None` where no bound is known.
    pub bound: Option<f64>,
    /// |bound − objective| / objective.
    pub gap: Option<f64>,
    /// The answer is proven best.
    pub proven: bool,
    /// Coverage reached as the number of new stations grows.
    pub frontier: Vec<FrontierPoint>,
    /// Coverage reached as the yearly money for new stations grows; empty where no place has a cost.
    pub money: Vec<FrontierPoint>,
}

/// What so many new stations, or so much money, could reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrontierPoint {
    /// New stations.
    pub stations: u32,
    /// Households within the tier's circle.
    pub households: u64,
    /// No choice of as many stations, or for the same money, reaches more.
    pub bound: u64,
    /// Yuan a year: what the new stations cost, or in [`TierAnswer::money`] what may be spent.
    pub cost: u64,
}

/// The area from which a station is reached within a band.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceCircle {
    /// Station; `None` merges all stations.
    pub station: Option<StationId>,
    /// Band.
    pub minutes: u32,
    /// Area on the metric plane.
    pub area: MultiPolygon<f64>,
}

/// A line of the ledger: who changed what, when, why, on what basis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEntry {
    /// Who.
    pub who: String,
    /// When, RFC 3339.
    pub when: String,
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
    /// On what basis (document, meeting, rule).
    pub basis: String,
    /// The change as data, one JSON object, if it was an edit.
    pub edit: Option<String>,
    /// What takes it back, one JSON object, if it was an edit.
    pub inverse: Option<String>,
}

/// How a plan came about. Everything that could change the answer is in here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// Version of the program.
    pub version: String,
    /// Seed.
    pub seed: u64,
    /// Parameters as a `gridplan.toml`.
    pub params: String,
    /// SHA-256 of the scenario, hex.
    pub input_hash: String,
    /// SHA-256 of the answer, hex: the same on any number of threads.
    pub plan_hash: String,
}

/// The whole answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Grids.
    pub partition: Partition,
    /// Existing, chosen and closed stations.
    pub stations: Vec<Station>,
    /// What each tier came to.
    pub tiers: Vec<TierAnswer>,
    /// Who is served.
    pub coverage: Coverage,
    /// Circles to draw.
    pub circles: Vec<ServiceCircle>,
    /// The merged circles split by the nearest station: areas of different stations do not overlap.
    pub service_areas: Vec<ServiceCircle>,
    /// What is odd about the answer; the scenario's own findings stand there.
    pub findings: Vec<Finding>,
    /// Changes.
    pub ledger: Vec<LedgerEntry>,
    /// How it came about.
    pub provenance: Provenance,
}
