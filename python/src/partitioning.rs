//! `partition`.

use std::ops::ControlFlow;

use gridplan::partition::{Effort, GridSize, PartitionError as Error, PartitionParams, PartitionProblem};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::PartitionError;

/// A division into grids.
#[pyclass(frozen, get_all, module = "gridplan")]
pub struct Partition {
    /// Grid per atom, int32, 0 to k - 1.
    grid: Py<PyArray1<i32>>,
    /// What is not as wished: dicts with community, grid, atom, load, reason, proven, and splits: the
    /// units whose division would put a grid out of range in it, as dicts with atom, load, from, to, moved.
    findings: Vec<Py<PyDict>>,
    /// Cost of all edges between grids, metres.
    cut_cost: f64,
    /// No division with these numbers of grids out of range costs less, metres; None where nothing is known.
    lower_bound: Option<f64>,
    /// In a redraw: no division with these numbers of grids and of grids out of range moves fewer; None where nothing is
    /// known.
    least_moved: Option<u64>,
    /// Per community: dicts with community, k, n_out, least_out, cost, least_cost, gap, moved, least_moved; None where there is
    /// no bound or nothing to move from.
    communities: Vec<Py<PyDict>>,
}

/// Divides communities into connected grids of about `target` households.
#[pyfunction]
#[pyo3(signature = (households, edge_from, edge_to, edge_length, *, edge_cost=None, community=None, compound=None,
    target=300, tolerance=0.10, current=None, locked=None, seed=1, threads=None, effort="full", exact_k=None,
    exclusive=None, size_class=None, sizes=None, max_moved=None))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of the Python contract")]
pub fn partition(
    py: Python<'_>,
    households: PyReadonlyArray1<'_, u32>,
    edge_from: PyReadonlyArray1<'_, u32>,
    edge_to: PyReadonlyArray1<'_, u32>,
    edge_length: PyReadonlyArray1<'_, f64>,
    edge_cost: Option<PyReadonlyArray1<'_, f64>>,
    community: Option<PyReadonlyArray1<'_, u32>>,
    compound: Option<PyReadonlyArray1<'_, i32>>,
    target: u32,
    tolerance: f64,
    current: Option<PyReadonlyArray1<'_, i32>>,
    locked: Option<PyReadonlyArray1<'_, bool>>,
    seed: u64,
    threads: Option<usize>,
    effort: &str,
    exact_k: Option<Vec<(u32, u32)>>,
    exclusive: Option<PyReadonlyArray1<'_, bool>>,
    size_class: Option<PyReadonlyArray1<'_, u8>>,
    sizes: Option<Vec<(u32, u32, u32)>>,
    max_moved: Option<f64>,
) -> PyResult<Partition> {
    if target == 0 || !(0.0..1.0).contains(&tolerance) {
        let message =
            format!("target {target}, tolerance {tolerance}; give at least 1 household and a share below 1");
        return Err(PartitionError::new_err(message));
    }
    let effort = match effort {
        "draft" => Effort::Draft,
        "full" => Effort::Full,
        other => return Err(PartitionError::new_err(format!("effort is `{other}`; use draft or full"))),
    };
    let exact_k = exact_k.unwrap_or_default();
    let problem = PartitionProblem {
        households: households.as_slice()?,
        edge_from: edge_from.as_slice()?,
        edge_to: edge_to.as_slice()?,
        edge_length: edge_length.as_slice()?,
        edge_cost: edge_cost.as_ref().map(|column| column.as_slice()).transpose()?,
        community: community.as_ref().map(|column| column.as_slice()).transpose()?,
        compound: compound.as_ref().map(|column| column.as_slice()).transpose()?,
        exclusive: exclusive.as_ref().map(|column| column.as_slice()).transpose()?,
        current: current.as_ref().map(|column| column.as_slice()).transpose()?,
        locked: locked.as_ref().map(|column| column.as_slice()).transpose()?,
        exact_k: &exact_k,
        class: size_class.as_ref().map(|column| column.as_slice()).transpose()?,
    };
    let max_moved = max_moved.map(|share| most_moved(&problem, share)).transpose()?;
    let sizes = match sizes {
        Some(sizes) => sizes.into_iter().map(|(low, target, high)| GridSize { low, target, high }).collect(),
        None => vec![GridSize::around(target, tolerance)],
    };
    let params = PartitionParams { sizes, effort, seed };
    let watch = |_| match Python::attach(|py| py.check_signals()) {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    };
    let divide = || match max_moved {
        Some(most) => gridplan::partition::partition_within(&problem, &params, most, &watch),
        None => gridplan::partition::partition(&problem, &params, &watch),
    };
    let answer = py.detach(|| crate::on_threads(threads, divide))?;
    let answer = answer.map_err(failed)?;
    let findings = answer.findings.iter().map(|finding| {
        let dict = PyDict::new(py);
        dict.set_item("community", finding.community)?;
        dict.set_item("grid", finding.grid)?;
        dict.set_item("atom", finding.atom)?;
        dict.set_item("load", finding.load)?;
        dict.set_item("reason", format!("{:?}", finding.reason))?;
        dict.set_item("proven", finding.proven)?;
        let splits = finding.splits.iter().map(|split| {
            let dict = PyDict::new(py);
            dict.set_item("atom", split.atom)?;
            dict.set_item("load", split.load)?;
            dict.set_item("from", split.from)?;
            dict.set_item("to", split.to)?;
            dict.set_item("moved", split.moved)?;
            Ok(dict)
        });
        dict.set_item("splits", splits.collect::<PyResult<Vec<_>>>()?)?;
        Ok(dict.unbind())
    });
    let communities = answer.communities.iter().map(|result| {
        let dict = PyDict::new(py);
        dict.set_item("community", result.community)?;
        dict.set_item("k", result.k)?;
        dict.set_item("n_out", result.n_out)?;
        dict.set_item("least_out", result.least_out)?;
        dict.set_item("cost", result.cost)?;
        dict.set_item("least_cost", result.least_cost)?;
        dict.set_item("gap", result.gap())?;
        dict.set_item("moved", result.moved)?;
        dict.set_item("least_moved", result.least_moved)?;
        Ok(dict.unbind())
    });
    Ok(Partition {
        findings: findings.collect::<PyResult<_>>()?,
        communities: communities.collect::<PyResult<_>>()?,
        grid: answer.grid.iter().map(|&grid| grid as i32).collect::<Vec<_>>().into_pyarray(py).unbind(),
        cut_cost: answer.cut_cost,
        lower_bound: answer.lower_bound,
        least_moved: answer.least_moved,
    })
}

/// The library's `class` is Python's `size_class`.
fn failed(error: Error) -> PyErr {
    let error = match error {
        Error::Length { column: "class", found, expected, per } => {
            Error::Length { column: "size_class", found, expected, per }
        }
        other => other,
    };
    PartitionError::new_err(error.to_string())
}

/// The households that a share of those with a present grid amounts to.
fn most_moved(problem: &PartitionProblem<'_>, share: f64) -> PyResult<u64> {
    if !(0.0..=1.0).contains(&share) {
        let message =
            format!("max_moved is {share}; give a share of the households from 0 to 1, such as 0.03");
        return Err(PartitionError::new_err(message));
    }
    let Some(current) = problem.current else {
        let message =
            "max_moved limits moves between grids, but `current` is missing; give the present grid per atom";
        return Err(PartitionError::new_err(message));
    };
    let present = problem.households.iter().zip(current).filter(|(_, grid)| 0 <= **grid);
    let load: u64 = present.map(|(&load, _)| u64::from(load)).sum();
    // 0.29 of 100 is 28.999999999999996: a hair of slack keeps the limit where the reader expects it.
    Ok((share * load as f64 + 1e-6).floor() as u64)
}
