//! Stations → circles to draw.

use crate::model::Plan;
use crate::network::StreetNetwork;
use crate::params::Params;

pub(super) fn draw(_network: &StreetNetwork, _params: &Params, _plan: &mut Plan) {}
