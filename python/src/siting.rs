//! `p_median`, `p_center`, `max_cover`, `set_cover`.

use std::time::Duration;

use gridplan::siting::{self, Effort, Options, Problem, SitingError as Error, Table};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::errors::{InfeasibleError, SitingError};

/// A choice of sites.
#[pyclass(frozen, get_all, module = "gridplan")]
pub struct Siting {
    /// Chosen sites, ascending, fixed ones included.
    sites: Py<PyArray1<u32>>,
    /// Serving site per demand point, -1 if unserved.
    assignment: Py<PyArray1<i32>>,
    /// Recomputed from the sites.
    objective: u64,
    /// No answer is better.
    bound: u64,
    /// |bound - objective| / objective.
    gap: f64,
    /// bound == objective.
    proven: bool,
    /// A time limit cut the work short.
    stopped: bool,
}

/// Side conditions, as Python gives them.
struct Conditions {
    weights: Option<Vec<u32>>,
    fixed: Option<Vec<u32>>,
    capacity: Option<Vec<u64>>,
    site_cost: Option<Vec<u32>>,
    budget: Option<u64>,
    time_limit: Option<f64>,
    seed: u64,
}

fn failed(error: Error) -> PyErr {
    match error {
        Error::Infeasible { .. } | Error::Unreachable { .. } => InfeasibleError::new_err(error.to_string()),
        error => SitingError::new_err(error.to_string()),
    }
}

/// The arrays behind a table; they live as long as the call.
enum Arrays<'py> {
    Dense(PyReadonlyArray2<'py, u32>),
    Sparse {
        indptr: PyReadonlyArray1<'py, u64>,
        indices: PyReadonlyArray1<'py, u32>,
        cost: Option<PyReadonlyArray1<'py, u32>>,
    },
}

impl<'py> Arrays<'py> {
    /// A dense uint32[demand, site] array, or (indptr uint64, indices uint32[, cost uint32]) with one row per demand.
    fn of(table: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(tuple) = table.cast::<PyTuple>() {
            let cost = if 2 < tuple.len() { Some(tuple.get_item(2)?.extract()?) } else { None };
            let (indptr, indices) = (tuple.get_item(0)?.extract()?, tuple.get_item(1)?.extract()?);
            return Ok(Self::Sparse { indptr, indices, cost });
        }
        Ok(Self::Dense(table.extract()?))
    }

    fn table(&self, n_sites: Option<usize>) -> PyResult<Table<'_>> {
        match self {
            Self::Dense(cost) => {
                let [n_demand, n_sites] = [cost.shape()[0], cost.shape()[1]];
                Table::dense(n_demand, n_sites, cost.as_slice()?).map_err(failed)
            }
            Self::Sparse { indptr, indices, cost } => {
                let indices = indices.as_slice()?;
                let implied = indices.iter().max().map_or(0, |&last| last as usize + 1);
                let cost = cost.as_ref().map(|cost| cost.as_slice()).transpose()?;
                Table::sparse(n_sites.unwrap_or(implied), indptr.as_slice()?, indices, cost).map_err(failed)
            }
        }
    }
}

fn solve(
    py: Python<'_>,
    table: &Bound<'_, PyAny>,
    n_sites: Option<usize>,
    conditions: Conditions,
    model: impl Fn(&Problem<'_>, &Options<'_>) -> Result<siting::Siting, Error> + Send + Sync,
) -> PyResult<Siting> {
    let arrays = Arrays::of(table)?;
    let mut problem = Problem::new(arrays.table(n_sites)?);
    problem.weights = conditions.weights.unwrap_or_default();
    problem.fixed = conditions.fixed.unwrap_or_default();
    problem.capacity = conditions.capacity.unwrap_or_default();
    problem.site_cost = conditions.site_cost.unwrap_or_default();
    problem.budget = conditions.budget;
    let time_limit = match conditions.time_limit {
        None => None,
        Some(seconds) => Some(
            Duration::try_from_secs_f64(seconds).map_err(|error| SitingError::new_err(error.to_string()))?,
        ),
    };
    let cancel = || Python::attach(|py| py.check_signals()).is_err();
    let options = Options { seed: conditions.seed, effort: Effort::Proof, time_limit, cancel: Some(&cancel) };
    let answer = py.detach(|| model(&problem, &options)).map_err(failed)?;
    Ok(Siting {
        sites: answer.sites.into_pyarray(py).unbind(),
        assignment: answer.assignment.into_pyarray(py).unbind(),
        objective: answer.objective,
        bound: answer.bound,
        gap: answer.gap,
        proven: answer.proven,
        stopped: answer.stopped,
    })
}

/// At most `p` sites with the least weighted sum of costs.
#[pyfunction]
#[pyo3(signature = (cost, p, *, weights=None, fixed=None, capacity=None, time_limit=None, n_sites=None, seed=1))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of the Python contract")]
pub fn p_median(
    py: Python<'_>,
    cost: &Bound<'_, PyAny>,
    p: usize,
    weights: Option<Vec<u32>>,
    fixed: Option<Vec<u32>>,
    capacity: Option<Vec<u64>>,
    time_limit: Option<f64>,
    n_sites: Option<usize>,
    seed: u64,
) -> PyResult<Siting> {
    let conditions = Conditions { weights, fixed, capacity, site_cost: None, budget: None, time_limit, seed };
    solve(py, cost, n_sites, conditions, |problem, options| siting::p_median(problem, p, options))
}

/// At most `p` sites with the least largest cost.
#[pyfunction]
#[pyo3(signature = (cost, p, *, weights=None, fixed=None, capacity=None, time_limit=None, n_sites=None, seed=1))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of the Python contract")]
pub fn p_center(
    py: Python<'_>,
    cost: &Bound<'_, PyAny>,
    p: usize,
    weights: Option<Vec<u32>>,
    fixed: Option<Vec<u32>>,
    capacity: Option<Vec<u64>>,
    time_limit: Option<f64>,
    n_sites: Option<usize>,
    seed: u64,
) -> PyResult<Siting> {
    let conditions = Conditions { weights, fixed, capacity, site_cost: None, budget: None, time_limit, seed };
    solve(py, cost, n_sites, conditions, |problem, options| siting::p_center(problem, p, options))
}

/// At most `p` sites (or what the budget pays for) that cover most weight.
#[pyfunction]
#[pyo3(signature = (cover, p=None, weights=None, *, fixed=None, capacity=None, site_cost=None, budget=None,
    time_limit=None, n_sites=None, seed=1))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of the Python contract")]
pub fn max_cover(
    py: Python<'_>,
    cover: &Bound<'_, PyAny>,
    p: Option<usize>,
    weights: Option<Vec<u32>>,
    fixed: Option<Vec<u32>>,
    capacity: Option<Vec<u64>>,
    site_cost: Option<Vec<u32>>,
    budget: Option<u64>,
    time_limit: Option<f64>,
    n_sites: Option<usize>,
    seed: u64,
) -> PyResult<Siting> {
    let conditions = Conditions { weights, fixed, capacity, site_cost, budget, time_limit, seed };
    solve(py, cover, n_sites, conditions, |problem, options| siting::max_cover(problem, p, options))
}

/// The fewest (or cheapest) sites that cover every demand point.
#[pyfunction]
#[pyo3(signature = (cover, *, weights=None, fixed=None, capacity=None, site_cost=None, time_limit=None, n_sites=None,
    seed=1))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of the Python contract")]
pub fn set_cover(
    py: Python<'_>,
    cover: &Bound<'_, PyAny>,
    weights: Option<Vec<u32>>,
    fixed: Option<Vec<u32>>,
    capacity: Option<Vec<u64>>,
    site_cost: Option<Vec<u32>>,
    time_limit: Option<f64>,
    n_sites: Option<usize>,
    seed: u64,
) -> PyResult<Siting> {
    let conditions = Conditions { weights, fixed, capacity, site_cost, budget: None, time_limit, seed };
    solve(py, cover, n_sites, conditions, siting::set_cover)
}
