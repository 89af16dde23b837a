//! Coverage analysis: floating catchments, full stations, inequality, and what a change of stations does.

use std::path::PathBuf;

use geo_types::Coord;
use gridplan::coverage::access::{self, WalkTable, Worst, Zone};
use gridplan::coverage::assign;
use gridplan::coverage::{StationChange, WhatIf as Question};
use gridplan::model::{StationId, StationTier};
use gridplan::params::Params;
use gridplan::{pipeline, planfile};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::{NetworkError, PlanError};

type Floats<'py> = Bound<'py, PyArray1<f64>>;
type Words<'py> = Bound<'py, PyArray1<u32>>;

/// A table with one row per demand point whose columns are below `n_sites`.
fn table<'a>(
    offsets: &'a [u64],
    site: &'a [u32],
    cost: &'a [u32],
    n_demand: usize,
    n_sites: usize,
) -> PyResult<WalkTable<'a>> {
    let wrong = |why: String| Err(NetworkError::new_err(format!("the walk table is none: {why}")));
    if offsets.len() != n_demand + 1 {
        return wrong(format!("`indptr` has {} values, {} are needed", offsets.len(), n_demand + 1));
    }
    if offsets[0] != 0 {
        return wrong(format!("`indptr` starts at {}; it starts at 0", offsets[0]));
    }
    if let Some(row) = offsets.windows(2).position(|pair| pair[1] < pair[0]) {
        return wrong(format!("`indptr` falls at row {row}; it never falls"));
    }
    if site.len() != cost.len() || offsets[n_demand] as usize != site.len() {
        return wrong(format!(
            "{} indices, {} costs, `indptr` ends at {}",
            site.len(),
            cost.len(),
            offsets[n_demand]
        ));
    }
    if let Some(row) = site.iter().position(|&site| n_sites <= site as usize) {
        return wrong(format!("index {row} names site {}, there are {n_sites}", site[row]));
    }
    Ok(WalkTable { offsets, site, cost })
}

/// Supply per person by two-step floating catchments; zones are (limit, weight).
#[pyfunction]
pub fn two_step_floating<'py>(
    py: Python<'py>,
    offsets: PyReadonlyArray1<'_, u64>,
    site: PyReadonlyArray1<'_, u32>,
    cost: PyReadonlyArray1<'_, u32>,
    demand: PyReadonlyArray1<'_, f64>,
    supply: PyReadonlyArray1<'_, f64>,
    zones: Vec<(u32, f64)>,
) -> PyResult<Floats<'py>> {
    let (demand, supply) = (demand.as_slice()?, supply.as_slice()?);
    let table = table(offsets.as_slice()?, site.as_slice()?, cost.as_slice()?, demand.len(), supply.len())?;
    let zones: Vec<Zone> = zones.into_iter().map(|(limit, weight)| Zone { limit, weight }).collect();
    Ok(py.detach(|| access::two_step_floating(table, demand, supply, &zones)).into_pyarray(py))
}

/// Shortest walks first until stations are full: load per site, left out per demand point, and the parts as
/// demand point, site, households, cost.
#[pyfunction]
pub fn assign_by_walk<'py>(
    py: Python<'py>,
    offsets: PyReadonlyArray1<'_, u64>,
    site: PyReadonlyArray1<'_, u32>,
    cost: PyReadonlyArray1<'_, u32>,
    households: PyReadonlyArray1<'_, u32>,
    capacity: Vec<Option<u32>>,
    limit: u32,
) -> PyResult<(Words<'py>, Words<'py>, [Words<'py>; 4])> {
    let households = households.as_slice()?;
    let table =
        table(offsets.as_slice()?, site.as_slice()?, cost.as_slice()?, households.len(), capacity.len())?;
    let found = py.detach(|| assign::assign_by_walk(table, households, &capacity, limit));
    let column = |pick: fn(&assign::Served) -> u32| {
        found.parts.iter().map(pick).collect::<Vec<u32>>().into_pyarray(py)
    };
    let parts = [
        column(|part| part.building),
        column(|part| part.site),
        column(|part| part.households),
        column(|part| part.cost),
    ];
    Ok((found.load.clone().into_pyarray(py), found.left_out.clone().into_pyarray(py), parts))
}

/// Gini coefficient of values over a population.
#[pyfunction]
pub fn gini(values: PyReadonlyArray1<'_, f64>, population: PyReadonlyArray1<'_, f64>) -> PyResult<f64> {
    Ok(access::gini(values.as_slice()?, population.as_slice()?))
}

/// Mean of values over the worst-served tenth of a population; `None` without population.
#[pyfunction]
pub fn worst_decile(
    values: PyReadonlyArray1<'_, f64>,
    population: PyReadonlyArray1<'_, f64>,
    high_is_bad: bool,
) -> PyResult<Option<f64>> {
    let worst = if high_is_bad { Worst::High } else { Worst::Low };
    Ok(access::worst_decile(values.as_slice()?, population.as_slice()?, worst))
}

/// Walks of a plan file as they are, ready to be asked what a change of stations does.
#[pyclass(frozen, module = "gridplan")]
pub struct WhatIf {
    question: Question,
    stations: Vec<String>,
    buildings: Vec<String>,
}

#[pymethods]
impl WhatIf {
    #[new]
    #[pyo3(signature = (path, tier=None, params_toml=None))]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        tier: Option<String>,
        params_toml: Option<String>,
    ) -> PyResult<Self> {
        let failed = |error: &dyn std::fmt::Display| PlanError::new_err(error.to_string());
        let tier = match tier {
            None => None,
            Some(word) => Some(StationTier::parse(&word).ok_or_else(|| {
                failed(&format!("tier is `{word}`; use city, regional, community, compound or corner"))
            })?),
        };
        py.detach(|| {
            let content = planfile::read(&path).map_err(|error| failed(&error))?;
            let plan = content.plan.ok_or_else(|| {
                failed(&format!("{} holds no plan; make one with gridplan.plan first", path.display()))
            })?;
            let text = params_toml.as_ref().unwrap_or(&plan.provenance.params);
            let params = Params::from_toml(text).map_err(|error| failed(&error))?;
            let question = pipeline::what_if(&content.scenario, &params, &plan, tier);
            Ok(Self {
                question: question.map_err(|error| failed(&error))?,
                stations: plan.stations.into_iter().map(|station| station.code).collect(),
                buildings: content.scenario.atoms.into_iter().map(|atom| atom.source.0).collect(),
            })
        })
    }

    /// Answers for all changes together: opened places, moved stations by code, closed codes.
    fn ask<'py>(
        &self,
        py: Python<'py>,
        open: Vec<(f64, f64)>,
        moved: Vec<(String, (f64, f64))>,
        close: Vec<String>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let station = |code: &String| {
            let row = self.stations.iter().position(|known| known == code);
            row.map(StationId::from_index).ok_or_else(|| {
                PlanError::new_err(format!("there is no station `{code}`; `plan.stations.code` lists them"))
            })
        };
        let at = |(x, y)| Coord { x, y };
        let mut changes = Vec::new();
        for code in &close {
            changes.push(StationChange::Close { station: station(code)? });
        }
        for (code, to) in &moved {
            changes.push(StationChange::Move { station: station(code)?, to: at(*to) });
        }
        changes.extend(open.into_iter().map(|place| StationChange::Open { at: at(place) }));
        let answer = py.detach(|| self.question.ask(&changes));
        let answer = answer.map_err(|error| PlanError::new_err(error.to_string()))?;
        let found = PyDict::new(py);
        let bands = answer.bands.iter().map(|band| {
            let row = PyDict::new(py);
            row.set_item("minutes", band.minutes)?;
            row.set_item("households_before", band.before.0)?;
            row.set_item("households_after", band.after().0)?;
            row.set_item("households_won", band.won.0)?;
            row.set_item("households_lost", band.lost.0)?;
            row.set_item("residents_won", band.residents_won.0)?;
            row.set_item("residents_lost", band.residents_lost.0)?;
            Ok(row)
        });
        found.set_item("bands", bands.collect::<PyResult<Vec<_>>>()?)?;
        let name = |id: StationId| {
            let new = || format!("new {}", id.index() - self.stations.len() + 1);
            self.stations.get(id.index()).cloned().unwrap_or_else(new)
        };
        let walks = answer.walks.iter();
        let building = walks.clone().map(|walk| self.buildings[walk.atom.index()].as_str());
        found.set_item("building", building.collect::<Vec<_>>())?;
        for (key, pick) in [("before", 0), ("after", 1)] {
            let side =
                |walk: &gridplan::coverage::WalkChange| if pick == 0 { walk.before } else { walk.after };
            let stations: Vec<Option<String>> =
                walks.clone().map(|walk| side(walk).map(|(id, _)| name(id))).collect();
            let seconds = walks.clone().map(|walk| side(walk).map_or(f64::NAN, |(_, walk)| walk.value()));
            found.set_item(format!("station_{key}"), stations)?;
            found.set_item(format!("walk_s_{key}"), seconds.collect::<Vec<f64>>().into_pyarray(py))?;
        }
        let (before, after) = answer.mean_walk;
        found.set_item("mean_walk_s", (before.map(|walk| walk.value()), after.map(|walk| walk.value())))?;
        found.set_item("households_shorter", answer.households_shorter.0)?;
        found.set_item("households_longer", answer.households_longer.0)?;
        found.set_item("unreachable", answer.unreachable)?;
        found.set_item("with_terrain", answer.with_terrain)?;
        Ok(found)
    }
}
