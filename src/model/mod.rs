//! Every noun of the plan and its invariants: the waist through which all stages meet.
//!
//! All geometry lies on one local metric plane ([`crate::geometry::Plane`]), x east, y north, in metres.
//! A [`Scenario`] is what was read; a [`Plan`] is the whole answer.

mod codes;
mod community;
mod coverage;
mod finding;
mod ids;
mod lang;
mod plan;
mod scenario;
mod station;
mod terrain;

pub use codes::{CodeBook, CodeScheme, numbering_order, usual_grid_name};
pub use community::{
    Atom, AtomShape, Barrier, BarrierKind, BarrierShape, Community, Compound, Gate, GridClass,
    HouseholdsSource, LoadWeights, OtherLoads, Street, StreetClass, Use,
};
pub use coverage::{
    AtomCoverage, Coverage, CoverageMethod, CoverageRow, CoverageScope, Evenness, OfficeCode,
    ProfileCoverage, ProfileLoss, ServiceBalance, StationLoad, SupplyUnit, Unreached, WalkBand,
    WalkDirection,
};
pub use finding::{BrokenRule, Finding, FindingKind, Severity};
pub use ids::{AtomId, CommunityId, CompoundId, GridId, PremiseId, SourceId, StationId, StreetId};
pub use lang::{Lang, Tell, Text};
pub use plan::{
    CommunityQuality, FrontierPoint, Grid, GridSize, LedgerEntry, Partition, Plan, Provenance, ServiceCircle,
    TierAnswer,
};
pub use scenario::{Scenario, SourceFile, UnitKind};
pub use station::{Premise, Station, StationStatus, StationTier};
pub use terrain::Terrain;
