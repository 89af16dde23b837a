//! Stations → who is served, and what is odd about it.

use std::collections::HashSet;

use super::PlanError;
use crate::coverage::{self, Walks, WhatIf};
use crate::model::{Finding, FindingKind, Plan, Scenario, StationTier};
use crate::network::{self, Snaps, StreetNetwork};
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
) -> Result<(), PlanError> {
    let walks = Walks { network, doors };
    let (bands, direction) = (params.walk_bands(), params.walk_direction()?);
    plan.coverage = coverage::measure(scenario, &plan.partition, &plan.stations, walks, &bands, direction);
    for rules in params.compared_walkers()? {
        let (network, same_doors) = network.for_walker(scenario, &rules);
        let own_doors = (!same_doors).then(|| network.snap_atoms(&scenario.atoms));
        let walks = Walks { network: &network, doors: own_doors.as_ref().unwrap_or(doors) };
        let found = coverage::profile(scenario, &plan.stations, walks, &plan.coverage);
        plan.coverage.profiles.push(found);
    }
    // That stations were chosen without streets is the siting stage's word.
    let of_siting = |finding: &crate::model::Finding| {
        finding.kind == FindingKind::NoStreets && finding.layer == "stations"
    };
    plan.findings.retain(|finding| of_siting(finding) || !OWN_KINDS.contains(&finding.kind));
    // Doors that the import found unattached are on record already.
    let known: HashSet<&str> = scenario
        .findings
        .iter()
        .filter(|finding| finding.kind == FindingKind::UnsnappedDoor)
        .map(|finding| finding.feature.as_str())
        .collect();
    let found = coverage::findings(scenario, &plan.stations, walks, &plan.coverage);
    let is_news = |finding: &Finding| {
        finding.kind != FindingKind::UnsnappedDoor || !known.contains(finding.feature.as_str())
    };
    plan.findings.extend(found.into_iter().filter(is_news));
    Ok(())
}

/// Walks as they are, ready for questions about the stations of a tier.
pub(super) fn what_if(
    scenario: &Scenario,
    params: &Params,
    plan: &Plan,
    tier: Option<StationTier>,
) -> Result<WhatIf, PlanError> {
    let network = network::build(scenario, &params.walk_rules()?);
    let doors = network.snap_atoms(&scenario.atoms);
    let (bands, direction) = (params.walk_bands(), params.walk_direction()?);
    Ok(WhatIf::new(scenario, &plan.stations, tier, network, doors, &bands, direction))
}
