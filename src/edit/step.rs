//! The small reversible steps that every edit is made of, and the rows that they carry.

use serde::{Deserialize, Serialize};

use super::change::{class, kind, severity, source, status, tier};
use crate::model::{
    CommunityQuality, Finding, FindingKind, FrontierPoint, Grid, GridClass, GridSize, HouseholdsSource,
    Premise, Scenario, Severity, SourceId, Station, StationStatus, StationTier, Text, TierAnswer,
};
use crate::units::{Households, Residents, SquareMetres};

/// One reversible change of one table. Numbers named `row` count from 0 in the table as it stands at that step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// Puts units into a grid.
    Label {
        /// Grid.
        grid: String,
        /// Units.
        buildings: Vec<String>,
    },
    /// Puts a grid without units into its place.
    PutGrid {
        /// Place.
        row: usize,
        /// Grid.
        grid: GridRow,
    },
    /// Takes a grid without units away.
    DropGrid {
        /// Grid.
        grid: String,
    },
    /// Gives a grid other attributes.
    SetGrid(GridRow),
    /// A code was used and is not used again.
    Retire {
        /// Code.
        code: String,
    },
    /// A code counts as never used.
    Forget {
        /// Code.
        code: String,
    },
    /// Puts a finding into its place.
    PutFinding {
        /// Whether it is about the data, not the plan.
        data: bool,
        /// Place.
        row: usize,
        /// Finding.
        finding: FindingRow,
    },
    /// Takes a finding away.
    DropFinding {
        /// Whether it is about the data, not the plan.
        data: bool,
        /// Place.
        row: usize,
    },
    /// What is known about the division of a community.
    Quality {
        /// Community code.
        community: String,
        /// Grids out of range.
        out: u32,
        /// No plan has fewer.
        out_bound: u32,
        /// Boundary cost, metres.
        cost: f64,
        /// No plan as good in range costs less.
        cost_bound: Option<f64>,
    },
    /// What the tiers came to.
    Tiers {
        /// All rows.
        tiers: Vec<TierRow>,
    },
    /// Counts of a building.
    Counts {
        /// Building.
        building: String,
        /// Households.
        households: u32,
        /// Residents.
        residents: u32,
        /// Where they are from.
        #[serde(with = "source")]
        source: HouseholdsSource,
    },
    /// Locks that the data put on buildings.
    DataLock {
        /// Whether they are locked.
        locked: bool,
        /// Buildings.
        buildings: Vec<String>,
    },
    /// Puts a station into its place.
    PutStation {
        /// Place.
        row: usize,
        /// Station.
        station: StationRow,
    },
    /// Takes a station away.
    DropStation {
        /// Station.
        station: String,
    },
    /// Gives a station other attributes.
    SetStation(StationRow),
    /// Puts premises into their place.
    PutPremise {
        /// Place.
        row: usize,
        /// Premises.
        premise: PremiseRow,
    },
    /// Takes premises away.
    DropPremise {
        /// Premises.
        premise: String,
    },
}

/// What a person may change about a grid; counts and outline follow from its units.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GridRow {
    pub code: String,
    pub name: String,
    pub community: String,
    #[serde(with = "class")]
    pub class: GridClass,
    /// Target, low and high.
    pub size: Option<[u32; 3]>,
    pub locked: bool,
    pub lineage: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

impl GridRow {
    pub fn of(grid: &Grid, scenario: &Scenario) -> Self {
        Self {
            code: grid.code.clone(),
            name: grid.name.clone(),
            community: scenario.communities[grid.community.index()].code.clone(),
            class: grid.class,
            size: grid.size.map(|size| [size.target.0, size.low.0, size.high.0]),
            locked: grid.locked,
            lineage: grid.lineage.clone(),
            note: grid.note.clone(),
        }
    }

    /// Gives `grid` these attributes.
    pub fn write(&self, grid: &mut Grid) {
        grid.name.clone_from(&self.name);
        grid.class = self.class;
        grid.size = self.size.map(|[target, low, high]| GridSize {
            target: Households(target),
            low: Households(low),
            high: Households(high),
        });
        grid.locked = self.locked;
        grid.lineage.clone_from(&self.lineage);
        grid.note.clone_from(&self.note);
    }
}

/// A finding with codes for ids.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingRow {
    #[serde(with = "severity")]
    pub severity: Severity,
    #[serde(with = "kind")]
    pub kind: FindingKind,
    pub layer: String,
    pub feature: String,
    pub at: Option<[f64; 2]>,
    pub community: Option<String>,
    pub grid: Option<String>,
    pub building: Option<String>,
    #[serde(with = "both")]
    pub message: Text,
    #[serde(with = "both")]
    pub remedy: Text,
    pub proven: bool,
}

impl FindingRow {
    pub fn of(finding: &Finding, scenario: &Scenario, grids: &[Grid]) -> Self {
        Self {
            severity: finding.severity,
            kind: finding.kind,
            layer: finding.layer.clone(),
            feature: finding.feature.clone(),
            at: finding.at.map(|at| [at.x, at.y]),
            community: finding.community.map(|id| scenario.communities[id.index()].code.clone()),
            grid: finding.grid.map(|id| grids[id.index()].code.clone()),
            building: finding.atom.map(|id| scenario.atoms[id.index()].source.0.clone()),
            message: finding.message.clone(),
            remedy: finding.remedy.clone(),
            proven: finding.proven,
        }
    }
}

/// A station with codes for ids.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StationRow {
    pub code: String,
    pub name: String,
    #[serde(with = "tier")]
    pub tier: StationTier,
    #[serde(with = "status")]
    pub status: StationStatus,
    pub at: [f64; 2],
    pub community: Option<String>,
    pub area_m2: Option<f64>,
    pub capacity: Option<u32>,
    pub premise: Option<String>,
    #[serde(with = "both")]
    pub reason: Text,
}

impl StationRow {
    pub fn of(station: &Station, scenario: &Scenario) -> Self {
        Self {
            code: station.code.clone(),
            name: station.name.clone(),
            tier: station.tier,
            status: station.status,
            at: [station.at.x, station.at.y],
            community: station.community.map(|id| scenario.communities[id.index()].code.clone()),
            area_m2: station.area.map(SquareMetres::value),
            capacity: station.capacity.map(|n| n.0),
            premise: station.premise.map(|id| scenario.premises[id.index()].source.0.clone()),
            reason: station.reason.clone(),
        }
    }
}

/// Premises with codes for ids.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PremiseRow {
    pub id: String,
    pub name: Option<String>,
    pub at: [f64; 2],
    pub community: Option<String>,
    pub area_m2: Option<f64>,
    pub tenure: Option<String>,
    pub floor: Option<i16>,
    pub own_entrance: Option<bool>,
    pub cost_yuan: Option<u32>,
    pub capacity: Option<u32>,
}

impl PremiseRow {
    pub fn of(premise: &Premise, scenario: &Scenario) -> Self {
        Self {
            id: premise.source.0.clone(),
            name: premise.name.clone(),
            at: [premise.at.x, premise.at.y],
            community: premise.community.map(|id| scenario.communities[id.index()].code.clone()),
            area_m2: premise.area.map(SquareMetres::value),
            tenure: premise.tenure.clone(),
            floor: premise.floor,
            own_entrance: premise.own_entrance,
            cost_yuan: premise.cost,
            capacity: premise.capacity.map(|n| n.0),
        }
    }
}

/// What a tier came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierRow {
    #[serde(with = "tier")]
    tier: StationTier,
    #[serde(with = "both")]
    goal: Text,
    objective: f64,
    bound: Option<f64>,
    gap: Option<f64>,
    proven: bool,
    frontier: Vec<Point>,
    money: Vec<Point>,
}

/// New stations, households in reach, bound, yuan a year.
type Point = (u32, u64, u64, u64);

fn point(point: &FrontierPoint) -> Point {
    (point.stations, point.households, point.bound, point.cost)
}

fn frontier_point(&(stations, households, bound, cost): &Point) -> FrontierPoint {
    FrontierPoint { stations, households, bound, cost }
}

impl From<&TierAnswer> for TierRow {
    fn from(answer: &TierAnswer) -> Self {
        Self {
            tier: answer.tier,
            goal: answer.goal.clone(),
            objective: answer.objective,
            bound: answer.bound,
            gap: answer.gap,
            proven: answer.proven,
            frontier: answer.frontier.iter().map(point).collect(),
            money: answer.money.iter().map(point).collect(),
        }
    }
}

impl From<&TierRow> for TierAnswer {
    fn from(row: &TierRow) -> Self {
        Self {
            tier: row.tier,
            goal: row.goal.clone(),
            objective: row.objective,
            bound: row.bound,
            gap: row.gap,
            proven: row.proven,
            frontier: row.frontier.iter().map(frontier_point).collect(),
            money: row.money.iter().map(frontier_point).collect(),
        }
    }
}

impl Step {
    pub(super) fn quality(quality: &CommunityQuality, scenario: &Scenario) -> Self {
        Self::Quality {
            community: scenario.communities[quality.community.index()].code.clone(),
            out: quality.n_out_of_range,
            out_bound: quality.n_out_of_range_bound,
            cost: quality.cut_cost,
            cost_bound: quality.cut_cost_bound,
        }
    }

    pub(super) fn counts(atom: &crate::model::Atom) -> Self {
        let (Households(households), Residents(residents)) = (atom.households, atom.residents);
        Self::Counts {
            building: atom.source.0.clone(),
            households,
            residents,
            source: atom.households_source,
        }
    }
}

/// The id that a row names, as the model holds it.
pub(super) fn source_id(id: &str) -> SourceId {
    SourceId(id.to_owned())
}

/// A text as `[中文, English]`.
mod both {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::model::Text;

    pub(super) fn serialize<S: Serializer>(text: &Text, to: S) -> Result<S::Ok, S::Error> {
        [&text.zh, &text.en].serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Text, D::Error> {
        let [zh, en] = <[String; 2]>::deserialize(from)?;
        Ok(Text { zh, en })
    }
}
