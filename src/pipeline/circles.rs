//! Stations → circles to draw: each station's own, and all of them merged.

use geo::Coord;

use crate::model::{Plan, ServiceCircle, StationId, StationStatus};
use crate::network::{CircleShare, Measure, StreetNetwork};
use crate::params::Params;

/// Circles by walking time, per station and merged, for every band.
pub(super) fn draw(network: &StreetNetwork, params: &Params, plan: &mut Plan) {
    let open =
        plan.stations.iter().enumerate().filter(|(_, station)| station.status != StationStatus::Closed);
    let (ids, places): (Vec<StationId>, Vec<Coord<f64>>) =
        open.map(|(row, station)| (StationId::from_index(row), station.at)).unzip();
    let snaps = network.snap_sites(&places);
    let bands = params.walk_bands();
    let limits: Vec<u32> = bands.iter().map(|band| band.minutes * 60_000).collect();
    let minutes = |limit: u32| limit / 60_000;
    plan.circles.clear();
    for share in [CircleShare::Merged, CircleShare::PerStation] {
        let circles = network.service_circles(&snaps, Measure::TimeThere, &limits, share);
        plan.circles.extend(circles.into_iter().filter(|circle| !circle.area.0.is_empty()).map(|circle| {
            ServiceCircle {
                station: circle.station.map(|station| ids[station as usize]),
                minutes: minutes(circle.limit),
                area: circle.area,
            }
        }));
    }
}
