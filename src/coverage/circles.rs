//! Stations → the circles that maps show.

use crate::model::{ServiceCircle, Station, StationId, StationStatus, WalkBand, WalkDirection};
use crate::network::{CircleShare, StreetNetwork};

/// Draws the network-time circles of every station that is not closed, one by one and merged, for each band.
///
/// Order: merged circles first, widest first, so that narrower ones are drawn over them; then by station,
/// widest first. A circle from which nothing is reached is left out.
#[must_use]
pub fn circles(
    network: &StreetNetwork,
    stations: &[Station],
    bands: &[WalkBand],
    direction: WalkDirection,
) -> Vec<ServiceCircle> {
    draw(network, stations, bands, direction, &[CircleShare::Merged, CircleShare::PerStation])
}

/// Draws the network-time circles split by the nearest station: what each serves and no other is nearer to. By
/// station, widest first.
#[must_use]
pub fn service_areas(
    network: &StreetNetwork,
    stations: &[Station],
    bands: &[WalkBand],
    direction: WalkDirection,
) -> Vec<ServiceCircle> {
    draw(network, stations, bands, direction, &[CircleShare::Nearest])
}

fn draw(
    network: &StreetNetwork,
    stations: &[Station],
    bands: &[WalkBand],
    direction: WalkDirection,
    shares: &[CircleShare],
) -> Vec<ServiceCircle> {
    let open = || stations.iter().enumerate().filter(|(_, station)| station.status != StationStatus::Closed);
    let ids: Vec<StationId> = open().map(|(index, _)| StationId::from_index(index)).collect();
    let sites = network.snap_sites(&open().map(|(_, station)| station.at).collect::<Vec<_>>());
    let mut bands = bands.to_vec();
    bands.sort_by_key(|band| std::cmp::Reverse(band.minutes));
    let limits: Vec<u32> = bands.iter().map(|band| (band.limit().value() * 1000.0).round() as u32).collect();
    let mut circles = Vec::new();
    for &share in shares {
        let drawn = network.service_circles(&sites, direction.into(), &limits, share);
        for (index, circle) in drawn.into_iter().enumerate() {
            if !circle.area.0.is_empty() {
                let station = circle.station.map(|station| ids[station as usize]);
                let minutes = bands[index % bands.len()].minutes;
                circles.push(ServiceCircle { station, minutes, area: circle.area });
            }
        }
    }
    circles
}
