//! What stations offer against who is there: floating catchments, full stations, inequality.

use rayon::prelude::*;

use super::access::{Ranked, WalkTable, Worst, Zone, two_step_floating};
use super::assign::assign_by_walk;
use crate::model::{
    Atom, AtomCoverage, Evenness, Scenario, ServiceBalance, Station, StationId, StationLoad, SupplyUnit,
    WalkBand,
};
use crate::network::Reach;
use crate::units::{Households, Seconds};

/// Square metres of service space for one household: 30 m² per hundred households (seen, see the rule pack).
const SPACE_PER_HOUSEHOLD: f64 = 0.30;
/// Weight of the outermost zone of E2SFCA, the Gaussian of Luo and Qi (2009).
const OUTER_WEIGHT: f64 = 0.22;

/// Shares out what the open stations offer, by network time within the widest band; `None` if none is open.
///
/// - Supply of a station: its capacity; without one the households that its area suffices for. If neither is
///   known of some station every one counts the same ([`SupplyUnit::Stations`]).
/// - Assignment: shortest walks first until stations are full; unknown capacity is no limit.
/// - Only planned buildings (inside a community) take part; their atoms' other values are zero.
/// - `open` are the stations that are not closed, `reach` their walks by time within the widest band.
/// - Cost: O(entries log entries).
pub(super) fn balance(
    scenario: &Scenario,
    stations: &[Station],
    open: &[StationId],
    reach: Reach,
    bands: &[WalkBand],
    atoms: &[AtomCoverage],
) -> Option<ServiceBalance> {
    if open.is_empty() {
        return None;
    }
    let limit = bands.iter().map(|band| band.minutes * 60_000).max().unwrap_or(0);
    let (offsets, site, cost) = reach.by_door(scenario.atoms.len());
    drop(reach);
    let table = WalkTable { offsets: &offsets, site: &site, cost: &cost };

    let planned = |atom: &Atom| if atom.community.is_some() { atom.households.0 } else { 0 };
    let households: Vec<u32> = scenario.atoms.par_iter().with_min_len(1024).map(planned).collect();
    let people: Vec<f64> = households.iter().map(|&n| f64::from(n)).collect();
    let of = |id: &StationId| supply(&stations[id.index()]);
    let known: Option<Vec<f64>> = open.iter().map(of).collect();
    let unit = if known.is_some() { SupplyUnit::Households } else { SupplyUnit::Stations };
    let supply = known.unwrap_or_else(|| vec![1.0; open.len()]);
    let per_thousand =
        |values: Vec<f64>| -> Vec<f64> { values.into_iter().map(|value| value * 1000.0).collect() };
    let plain = [Zone { limit, weight: 1.0 }];
    let access = |zones: &[Zone]| per_thousand(two_step_floating(table, &people, &supply, zones));
    let capacity: Vec<Option<u32>> =
        open.iter().map(|id| stations[id.index()].capacity.map(|capacity| capacity.0)).collect();
    let (assigned, (access, access_enhanced)) = rayon::join(
        || assign_by_walk(table, &households, &capacity, limit),
        || rayon::join(|| access(&plain), || access(&zones(bands))),
    );
    let loads = open.iter().zip(&capacity).zip(&assigned.load);
    Some(ServiceBalance {
        unit,
        evenness: evenness(atoms, &people, &access),
        access,
        access_enhanced,
        without_room: assigned.left_out,
        loads: loads
            .map(|((&station, capacity), &served)| StationLoad {
                station,
                capacity: capacity.map(Households),
                served: Households(served),
            })
            .collect(),
    })
}

/// Households that a station may serve, if its capacity or its area says so.
fn supply(station: &Station) -> Option<f64> {
    let by_capacity = station.capacity.map(|capacity| f64::from(capacity.0));
    by_capacity.or_else(|| station.area.map(|area| area.value() / SPACE_PER_HOUSEHOLD))
}

/// Zones of E2SFCA: weights fall along a Gaussian from 1 in the first band to 0.22 in the last. Three bands
/// give 1, 0.685 and 0.22; Luo and Qi round to 0.68.
fn zones(bands: &[WalkBand]) -> Vec<Zone> {
    let last = bands.len().saturating_sub(1).max(1) as f64;
    let weight = |index: usize| OUTER_WEIGHT.powf((index as f64 / last).powi(2));
    let zone =
        |(index, band): (usize, &WalkBand)| Zone { limit: band.minutes * 60_000, weight: weight(index) };
    bands.iter().enumerate().map(zone).collect()
}

fn evenness(atoms: &[AtomCoverage], people: &[f64], access: &[f64]) -> Evenness {
    let walk_of = |atom: &AtomCoverage| atom.nearest.map_or(f64::INFINITY, |(_, walk)| walk.value());
    let walks: Vec<f64> = atoms.par_iter().with_min_len(1024).map(walk_of).collect();
    let mean = |values: &[f64]| {
        let pairs = || values.iter().zip(people).filter(|(value, _)| value.is_finite());
        let all: f64 = pairs().map(|(_, n)| n).sum();
        (0.0 < all).then(|| pairs().map(|(value, n)| value * n).sum::<f64>() / all)
    };
    let seconds = |value: Option<f64>| value.and_then(|value| Seconds::new(value).ok());
    let (by_walk, by_access) = rayon::join(|| Ranked::of(&walks, people), || Ranked::of(access, people));
    Evenness {
        mean_walk: seconds(mean(&walks)),
        worst_decile_walk: seconds(by_walk.worst_decile(Worst::High)),
        gini_walk: by_walk.finite().gini(),
        mean_access: mean(access).unwrap_or(0.0),
        worst_decile_access: by_access.worst_decile(Worst::Low).unwrap_or(0.0),
        gini_access: by_access.gini(),
    }
}
