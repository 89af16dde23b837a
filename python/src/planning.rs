//! The whole pipeline on plan files.

use std::ops::ControlFlow;
use std::path::PathBuf;

use gridplan::edit::{self, Stamp};
use gridplan::params::Params;
use gridplan::planfile::{self, PlanFile};
use gridplan::units::Households;
use gridplan::{pipeline, synth};
use pyo3::prelude::*;

use crate::errors::PlanError;

fn failed(error: impl std::fmt::Display) -> PyErr {
    PlanError::new_err(error.to_string())
}

/// Plans the plan file at `path` with the parameters of a `gridplan.toml` and writes the answer to `output`.
#[pyfunction]
#[pyo3(signature = (path, output, params_toml="", threads=None))]
pub fn plan_file(
    py: Python<'_>,
    path: PathBuf,
    output: PathBuf,
    params_toml: &str,
    threads: Option<usize>,
) -> PyResult<()> {
    let params = Params::from_toml(params_toml).map_err(failed)?;
    let watch = |_, _| match Python::attach(|py| py.check_signals()) {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    };
    py.detach(|| {
        crate::on_threads(threads, || {
            let content = planfile::read(&path).map_err(failed)?;
            let plan = pipeline::plan(&content.scenario, &params, &watch).map_err(failed)?;
            planfile::write(&output, &PlanFile { plan: Some(plan), ..content }).map_err(failed)
        })
    })?
}

/// Applies edits (JSON, one a line), or takes the last `undo` back, and writes the plan to `output`.
#[pyfunction]
#[pyo3(signature = (path, output, lines, undo, stamp, threads=None))]
pub fn edit_file(
    py: Python<'_>,
    path: PathBuf,
    output: PathBuf,
    lines: &str,
    undo: usize,
    stamp: (String, String, String, String),
    threads: Option<usize>,
) -> PyResult<()> {
    let (who, when, why, basis) = stamp;
    let stamp = Stamp { who, when, why, basis };
    let entries = edit::read_lines(lines, &stamp).map_err(failed)?;
    let watch = |_, _| match Python::attach(|py| py.check_signals()) {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    };
    py.detach(|| {
        crate::on_threads(threads, || {
            let mut content = planfile::read(&path).map_err(failed)?;
            let mut plan = content.plan.take().unwrap_or_default();
            let scenario = &mut content.scenario;
            let mut ground = None;
            if 0 < undo {
                pipeline::undo(scenario, &mut plan, &mut ground, undo, &stamp, &watch).map_err(failed)?;
            }
            pipeline::edit(scenario, &mut plan, &mut ground, &entries, &watch).map_err(failed)?;
            content.plan = Some(plan);
            planfile::write(&output, &content).map_err(failed)
        })
    })?
}

/// Invents a city and writes it as a plan file.
#[pyfunction]
#[pyo3(signature = (path, households=12_000, seed=1))]
pub fn synth_file(py: Python<'_>, path: PathBuf, households: u32, seed: u64) -> PyResult<()> {
    py.detach(|| {
        let params = synth::SynthParams { households: Households(households), seed };
        let scenario = synth::city(&params, &mut |_| ());
        planfile::write(
            &path,
            &PlanFile { scenario, plan: None, rules: Vec::new(), lang: gridplan::model::Lang::default() },
        )
        .map_err(failed)
    })
}
