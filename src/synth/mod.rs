//! Invents a believable Chinese city of any size: the input of demonstrations, tests and scale runs.
//!
//! A warped lattice of arterials, rivers and railways bounds cells of about a community each. Every cell is built
//! on its own, in parallel, from its own stream of chance: streets cut it into blocks, blocks become walled estates
//! with gates and inner paths, old quarters, villages, campuses, parks and hills. The exact number of households
//! is then spread over the dwellings, and cells are grouped into communities and street offices with codes.
//!
//! What may be relied upon: the household total is exact; streets meet only where they share a vertex and hang
//! together as one network; communities tile the district with shared vertices; every compound has an open gate on
//! its wall that a path passes; footprints stand apart and clear of streets; all coordinates are whole millimetres.
//! The same parameters give the same city on any number of threads.

mod assemble;
mod block;
mod communities;
mod crossings;
mod dice;
mod draft;
mod lattice;
mod names;
mod plot;
mod relief;
mod services;
mod shape;
#[cfg(test)]
mod tests;

use geo::Coord;
use rayon::prelude::*;

use crate::geometry::Plane;
use crate::model::Scenario;
use crate::units::Households;

use block::{CellPlan, build_cell};
use lattice::Lattice;
use relief::Relief;

/// EPSG code of the plane: CGCS2000, central meridian 120°E.
const EPSG: u32 = 4549;
/// Centre of the city on that plane: about 121.39°E, 37.54°N.
const CENTRE: Coord<f64> = Coord { x: 622_849.0, y: 4_157_350.0 };
/// Households of an ordinary cell, villages included. Measured on the generator's own dwellings.
const CELL_HOUSEHOLDS: f64 = 2500.0;
/// Distance of lattice lines in a city of ordinary cells, metres.
const SPACING: f64 = 590.0;
/// Cells built between two calls of the progress callback.
const BATCH: usize = 64;

/// What city to invent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SynthParams {
    /// Households of the whole city, met exactly. Believable from about 600 upwards.
    pub households: Households,
    /// The same seed gives the same city.
    pub seed: u64,
}

/// Invents a city. `progress` hears the share done, 0–1.
///
/// - Shape: tables sorted by source id; codes of 12 digits under the unassigned county numbers 370690–370699.
/// - Cost: linear in the households; figures in docs/methods/synth.md.
///
/// ```
/// # use gridplan::{synth, units::Households};
/// let params = synth::SynthParams { households: Households(900), seed: 1 };
/// let scenario = synth::city(&params, &mut |_share| ());
/// assert_eq!(scenario.households(), Households(900));
/// ```
#[must_use]
pub fn city(params: &SynthParams, progress: &mut dyn FnMut(f64)) -> Scenario {
    let (n_cells, spacing) = size_of_city(params.households);
    let lattice = Lattice::new(params.seed, n_cells, spacing, CENTRE);
    let relief = Relief::new(params.seed, &lattice, spacing);
    let mut plans: Vec<CellPlan> = Vec::with_capacity(lattice.cells.len());
    while plans.len() < lattice.cells.len() {
        let batch = plans.len()..(plans.len() + BATCH).min(lattice.cells.len());
        plans.par_extend(batch.into_par_iter().map(|cell| build_cell(params.seed, &lattice, &relief, cell)));
        progress(0.6 * plans.len() as f64 / lattice.cells.len() as f64);
    }
    let plane = Plane::from_epsg(EPSG).expect("the plane of EPSG:4549 is built in");
    let name = format!("示例市（{} 户，种子 {}）", params.households, params.seed);
    let mut scenario = Scenario::new(name, plane);
    scenario.terrain = relief.raster(&lattice);
    progress(0.7);
    assemble::assemble(&mut scenario, params, &lattice, plans);
    progress(1.0);
    scenario
}

/// How many cells, and how wide: a small city has fewer and smaller ones.
fn size_of_city(households: Households) -> (usize, f64) {
    let wanted = f64::from(households.0);
    let n = (wanted / CELL_HOUSEHOLDS).round().max((wanted / 1900.0).ceil().min(6.0)).max(1.0);
    let share = wanted / n / CELL_HOUSEHOLDS;
    // A few cells hold no villages and hardly a park, so they are denser.
    let share = if n < 6.0 { 0.6 * share } else { share };
    (n as usize, SPACING * share.sqrt().clamp(0.62, 1.1))
}
