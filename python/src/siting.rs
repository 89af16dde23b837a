//! The four siting models, the frontier and the suggestion of new places: one decoder for all their conditions.

use std::time::Duration;

use gridplan::siting::{
    self, Backup, Change, Effort, Existing, Group, Options, Problem, SitingError as Error, Table, Then, tiers,
};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::errors::{InfeasibleError, SitingError};

/// A choice of sites.
#[pyclass(frozen, get_all, module = "gridplan")]
pub struct Siting {
    /// Chosen sites, ascending, fixed ones included.
    sites: Py<PyArray1<u32>>,
    /// Serving site per demand point, -1 if unserved.
    assignment: Py<PyArray1<i32>>,
    /// Second serving site per demand point with backup cover; empty otherwise.
    second: Py<PyArray1<i32>>,
    /// Recomputed from the sites.
    objective: u64,
    /// No answer is better.
    bound: u64,
    /// |bound - objective| / objective.
    gap: f64,
    /// bound == objective.
    proven: bool,
    /// Whether the certificate in integers proves the bound by itself.
    certified: bool,
    /// A time limit cut the work short.
    stopped: bool,
    /// Whether no other answer of this objective is better by the later goals; None without such goals.
    then_proven: Option<bool>,
    /// Per chosen site: site, serves, weight, loss, runner_up, runner_up_loss.
    reasons: Py<PyAny>,
}

/// Side conditions, as Python gives them.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Conditions {
    n_sites: Option<usize>,
    weights: Option<Vec<u32>>,
    limit: Option<u32>,
    fixed: Option<Vec<u32>>,
    closable: Option<Vec<u32>>,
    max_closed: Option<usize>,
    movable: Option<Vec<(u32, Vec<u32>)>>,
    site_cost: Option<Vec<u32>>,
    budget: Option<u64>,
    capacity: Option<Vec<u64>>,
    backup: bool,
    too_close: Option<Vec<(u32, u32)>>,
    groups: Option<Vec<(Vec<u32>, usize, usize)>>,
    then_nearest: bool,
    /// Slack of the walks in weight times cost; with it the cheapest of what `then_nearest` cannot tell apart.
    #[pyo3(default)]
    then_cheapest: Option<u64>,
    effort: String,
    time_limit: Option<f64>,
    seed: u64,
}

impl Conditions {
    fn problem<'a>(&self, table: Table<'a>) -> Problem<'a> {
        let mut problem = Problem::new(table);
        problem.weights = self.weights.clone().unwrap_or_default();
        problem.limit = self.limit;
        problem.fixed = self.fixed.clone().unwrap_or_default();
        let close = |&site: &u32| Existing { site, change: Change::Close };
        problem.existing = self.closable.iter().flatten().map(close).collect();
        let moves = self.movable.iter().flatten();
        problem.existing.extend(
            moves.map(|(site, places)| Existing { site: *site, change: Change::MoveTo(places.clone()) }),
        );
        problem.max_closed = self.max_closed;
        problem.site_cost = self.site_cost.clone().unwrap_or_default();
        problem.budget = self.budget;
        problem.capacity = self.capacity.clone().unwrap_or_default();
        problem.backup = if self.backup { Backup::Second } else { Backup::None };
        problem.too_close = self.too_close.clone().unwrap_or_default();
        let groups = self.groups.iter().flatten().cloned();
        problem.groups =
            groups.map(|(sites, at_least, at_most)| Group { sites, at_least, at_most }).collect();
        problem.then = match (self.then_cheapest, self.then_nearest) {
            (Some(slack), _) => Then::NearestThenCheapest { slack },
            (None, true) => Then::Nearest,
            (None, false) => Then::Nothing,
        };
        problem
    }

    fn options<'a>(&self, cancel: &'a (dyn Fn() -> bool + Sync)) -> PyResult<Options<'a>> {
        let limit = self.time_limit.map(Duration::try_from_secs_f64).transpose();
        let effort = match self.effort.as_str() {
            "quick" => Effort::Quick,
            "full" => Effort::Full,
            "proof" => Effort::Proof,
            other => {
                let text = format!("`effort` is \"{other}\"; it is one of \"quick\", \"full\" and \"proof\"");
                return Err(SitingError::new_err(text));
            }
        };
        Ok(Options {
            seed: self.seed,
            effort,
            time_limit: limit.map_err(|error| SitingError::new_err(format!("`time_limit`: {error}")))?,
            cancel: Some(cancel),
        })
    }
}

/// The typed exception; where points are out of reach it carries them as `demand` and how far they are as `nearest`.
fn failed(py: Python<'_>, error: Error) -> PyErr {
    let text = error.to_string();
    match error {
        Error::Unreachable { demand, nearest } => {
            let raised = InfeasibleError::new_err(text);
            let value = raised.value(py);
            let attributes = value.setattr("demand", demand).and_then(|()| value.setattr("nearest", nearest));
            attributes.err().unwrap_or(raised)
        }
        Error::Infeasible { .. } => InfeasibleError::new_err(text),
        _ => SitingError::new_err(text),
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

    fn table(&self, py: Python<'_>, n_sites: Option<usize>) -> PyResult<Table<'_>> {
        let table = match self {
            Self::Dense(cost) => {
                let [n_demand, n_sites] = [cost.shape()[0], cost.shape()[1]];
                Table::dense(n_demand, n_sites, cost.as_slice()?)
            }
            Self::Sparse { indptr, indices, cost } => {
                let indices = indices.as_slice()?;
                let implied = indices.iter().max().map_or(0, |&last| last as usize + 1);
                let cost = cost.as_ref().map(|cost| cost.as_slice()).transpose()?;
                Table::sparse(n_sites.unwrap_or(implied), indptr.as_slice()?, indices, cost)
            }
        };
        table.map_err(|error| failed(py, error))
    }
}

/// Solves `model` ("p_median", "p_center", "max_cover" or "set_cover") under `conditions`.
#[pyfunction]
pub fn site(
    py: Python<'_>,
    model: &str,
    table: &Bound<'_, PyAny>,
    p: Option<usize>,
    conditions: Conditions,
) -> PyResult<Siting> {
    let arrays = Arrays::of(table)?;
    let problem = conditions.problem(arrays.table(py, conditions.n_sites)?);
    let cancel = || Python::attach(|py| py.check_signals()).is_err();
    let options = conditions.options(&cancel)?;
    let count = || p.ok_or_else(|| SitingError::new_err(format!("{model} needs `p`, the number of sites")));
    let answer = match model {
        "p_median" => {
            let p = count()?;
            py.detach(|| siting::p_median(&problem, p, &options))
        }
        "p_center" => {
            let p = count()?;
            py.detach(|| siting::p_center(&problem, p, &options))
        }
        "max_cover" => py.detach(|| siting::max_cover(&problem, p, &options)),
        "set_cover" => py.detach(|| siting::set_cover(&problem, &options)),
        other => return Err(SitingError::new_err(format!("there is no model \"{other}\""))),
    };
    encode(py, answer.map_err(|error| failed(py, error))?)
}

fn encode(py: Python<'_>, answer: siting::Siting) -> PyResult<Siting> {
    let reason = |reason: &siting::Reason| {
        let row = PyDict::new(py);
        row.set_item("site", reason.site)?;
        row.set_item("serves", reason.serves)?;
        row.set_item("weight", reason.weight)?;
        row.set_item("loss", reason.loss)?;
        row.set_item("runner_up", reason.runner_up.map(|(site, _)| site))?;
        row.set_item("runner_up_loss", reason.runner_up.and_then(|(_, loss)| loss))?;
        Ok(row)
    };
    let reasons: Vec<Bound<'_, PyDict>> = answer.reasons.iter().map(reason).collect::<PyResult<_>>()?;
    Ok(Siting {
        sites: answer.sites.into_pyarray(py).unbind(),
        assignment: answer.assignment.into_pyarray(py).unbind(),
        second: answer.second.into_pyarray(py).unbind(),
        objective: answer.objective,
        bound: answer.bound,
        gap: answer.gap,
        proven: answer.proven,
        certified: answer.certified,
        stopped: answer.stopped,
        then_proven: answer.then_proven,
        reasons: reasons.into_pyobject(py)?.into_any().unbind(),
    })
}

/// Max cover for every number of sites from `first` to `last`: dictionaries with p, sites, objective, bound, cost.
#[pyfunction]
pub fn frontier<'py>(
    py: Python<'py>,
    table: &Bound<'py, PyAny>,
    first: usize,
    last: usize,
    conditions: Conditions,
) -> PyResult<Vec<Bound<'py, PyDict>>> {
    let arrays = Arrays::of(table)?;
    let problem = conditions.problem(arrays.table(py, conditions.n_sites)?);
    let cancel = || Python::attach(|py| py.check_signals()).is_err();
    let options = conditions.options(&cancel)?;
    let points = py.detach(|| siting::frontier(&problem, first..=last, &options));
    curve(py, points)
}

/// Max cover for every budget: dictionaries as those of `frontier`.
#[pyfunction]
pub fn budget_frontier<'py>(
    py: Python<'py>,
    table: &Bound<'py, PyAny>,
    budgets: Vec<u64>,
    conditions: Conditions,
) -> PyResult<Vec<Bound<'py, PyDict>>> {
    let arrays = Arrays::of(table)?;
    let problem = conditions.problem(arrays.table(py, conditions.n_sites)?);
    let cancel = || Python::attach(|py| py.check_signals()).is_err();
    let options = conditions.options(&cancel)?;
    let points = py.detach(|| siting::budget_frontier(&problem, &budgets, &options));
    curve(py, points)
}

fn curve<'py>(
    py: Python<'py>,
    points: Result<Vec<siting::FrontierPoint>, Error>,
) -> PyResult<Vec<Bound<'py, PyDict>>> {
    let row = |point: siting::FrontierPoint| {
        let row = PyDict::new(py);
        row.set_item("p", point.p)?;
        row.set_item("sites", point.sites.into_pyarray(py))?;
        row.set_item("objective", point.objective)?;
        row.set_item("bound", point.bound)?;
        row.set_item("cost", point.cost)?;
        Ok(row)
    };
    points.map_err(|error| failed(py, error))?.into_iter().map(row).collect()
}

/// Where new candidates would cover most of what `assignment` leaves out: (place, gain) in the order to add them.
#[pyfunction]
pub fn suggest(
    py: Python<'_>,
    places: &Bound<'_, PyAny>,
    assignment: Vec<i32>,
    most: usize,
    conditions: Conditions,
) -> PyResult<Vec<(u32, u64)>> {
    let arrays = Arrays::of(places)?;
    let table = arrays.table(py, conditions.n_sites)?;
    let weights = conditions.weights.unwrap_or_else(|| vec![1; table.n_demand()]);
    if [weights.len(), assignment.len()] != [table.n_demand(); 2] {
        let text = format!(
            "{} weights and {} assignments for {} demand points; give one each per row of `places`",
            weights.len(),
            assignment.len(),
            table.n_demand()
        );
        return Err(SitingError::new_err(text));
    }
    let limit = conditions.limit.unwrap_or(siting::UNREACHED - 1);
    let found = py.detach(|| tiers::suggest(&table, limit, &weights, &assignment, most));
    Ok(found.into_iter().map(|found| (found.place, found.gain)).collect())
}
