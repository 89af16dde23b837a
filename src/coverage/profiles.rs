//! Other kinds of walkers beside the plan's own: who reaches a station as an adult but not at eighty.

use super::measure::Walks;
use crate::model::{
    AtomId, Coverage, ProfileCoverage, ProfileLoss, Scenario, Station, StationStatus, WalkBand,
};
use crate::network::UNREACHED;
use crate::units::{Households, Seconds};

/// Compares the walker whose network `walks` is with the plan's own, whose `coverage` was measured before.
///
/// Only planned buildings (inside a community) with households count; limits are inclusive. One unbounded
/// search from all open stations.
#[must_use]
pub fn profile(
    scenario: &Scenario,
    stations: &[Station],
    walks: Walks<'_>,
    coverage: &Coverage,
) -> ProfileCoverage {
    let open = stations.iter().filter(|station| station.status != StationStatus::Closed);
    let sites = walks.network.snap_sites(&open.map(|station| station.at).collect::<Vec<_>>());
    let nearest = walks.network.nearest(&sites, walks.doors, coverage.direction.into(), None);
    let n_bands = coverage.bands.len();
    let mut found = ProfileCoverage {
        profile: walks.network.rules().profile.name.clone(),
        households_reached: vec![Households(0); n_bands],
        households_lost: vec![Households(0); n_bands],
        lost: Vec::new(),
    };
    for (band_index, band) in coverage.bands.iter().enumerate() {
        for (index, (atom, own)) in scenario.atoms.iter().zip(&coverage.atoms).enumerate() {
            if atom.community.is_none() || atom.households.0 == 0 {
                continue;
            }
            let walk = seconds(nearest.cost[index]);
            if is_within(walk, band) {
                found.households_reached[band_index] += atom.households;
            } else if is_within(own.nearest.ok().map(|(_, walk)| walk), band) {
                found.households_lost[band_index] += atom.households;
                found.lost.push(ProfileLoss { atom: AtomId::from_index(index), minutes: band.minutes, walk });
            }
        }
    }
    found
}

fn seconds(ms: u32) -> Option<Seconds> {
    (ms != UNREACHED).then(|| Seconds::constant(f64::from(ms) / 1000.0))
}

fn is_within(walk: Option<Seconds>, band: &WalkBand) -> bool {
    walk.is_some_and(|walk| band.reaches_in_time(walk))
}
