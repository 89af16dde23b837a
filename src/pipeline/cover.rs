//! Stations → who is served, and what is odd about it.

use crate::coverage::{self, Walks};
use crate::model::{FindingKind, Plan, Scenario};
use crate::network::{Snaps, StreetNetwork};
use crate::params::Params;

/// Kinds of findings that the coverage stage makes; measuring again replaces them.
const OWN_KINDS: [FindingKind; 7] = [
    FindingKind::NoTerrain,
    FindingKind::UnsnappedDoor,
    FindingKind::Uncovered,
    FindingKind::UnreachableStation,
    FindingKind::EdgeEffect,
    FindingKind::DisconnectedStreets,
    FindingKind::NoStreets,
];

pub(super) fn measure(
    scenario: &Scenario,
    network: &StreetNetwork,
    doors: &Snaps,
    params: &Params,
    plan: &mut Plan,
) {
    let walks = Walks { network, doors };
    plan.coverage = coverage::measure(scenario, &plan.partition, &plan.stations, walks, &params.walk_bands());
    plan.findings.retain(|finding| !OWN_KINDS.contains(&finding.kind));
    plan.findings.extend(coverage::findings(scenario, &plan.stations, walks, &plan.coverage));
}
