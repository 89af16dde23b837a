//! The Python interface: decode arrays, call the library without the interpreter lock, encode arrays.
//!
//! No planning rule lives here. `python/gridplan` refuses what would have to be rounded or guessed, by the names its
//! callers know, and adds what needs GeoPandas.

mod analysis;
mod partitioning;
mod planning;
mod siting;
mod walking;

use pyo3::prelude::*;

/// Arrays in, arrays out.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("GridplanError", py.get_type::<errors::GridplanError>())?;
    module.add("PartitionError", py.get_type::<errors::PartitionError>())?;
    module.add("NetworkError", py.get_type::<errors::NetworkError>())?;
    module.add("SitingError", py.get_type::<errors::SitingError>())?;
    module.add("InfeasibleError", py.get_type::<errors::InfeasibleError>())?;
    module.add("PlanError", py.get_type::<errors::PlanError>())?;
    module.add_class::<walking::WalkNetwork>()?;
    module.add_class::<analysis::WhatIf>()?;
    module.add_function(wrap_pyfunction!(analysis::two_step_floating, module)?)?;
    module.add_function(wrap_pyfunction!(analysis::assign_by_walk, module)?)?;
    module.add_function(wrap_pyfunction!(analysis::gini, module)?)?;
    module.add_function(wrap_pyfunction!(analysis::worst_decile, module)?)?;
    module.add_class::<partitioning::Partition>()?;
    module.add_class::<siting::Siting>()?;
    module.add_function(wrap_pyfunction!(partitioning::partition, module)?)?;
    module.add_function(wrap_pyfunction!(siting::site, module)?)?;
    module.add_function(wrap_pyfunction!(siting::frontier, module)?)?;
    module.add_function(wrap_pyfunction!(siting::budget_frontier, module)?)?;
    module.add_function(wrap_pyfunction!(siting::suggest, module)?)?;
    module.add_function(wrap_pyfunction!(planning::edit_file, module)?)?;
    module.add_function(wrap_pyfunction!(planning::plan_file, module)?)?;
    module.add_function(wrap_pyfunction!(planning::synth_file, module)?)?;
    Ok(())
}

/// One exception type per error enum of the library.
mod errors {
    use pyo3::create_exception;
    use pyo3::exceptions::PyValueError;

    create_exception!(gridplan, GridplanError, PyValueError, "Base of all errors of gridplan.");
    create_exception!(gridplan, PartitionError, GridplanError, "A partition task that cannot be started.");
    create_exception!(gridplan, NetworkError, GridplanError, "Arrays that are no walk network.");
    create_exception!(gridplan, SitingError, GridplanError, "A siting task that cannot be solved as given.");
    create_exception!(gridplan, InfeasibleError, SitingError, "No choice of sites satisfies the conditions.");
    create_exception!(
        gridplan,
        PlanError,
        GridplanError,
        "A plan file that cannot be read, planned or written."
    );
}

/// Runs `work` on a pool of its own when a number of threads is asked for.
fn on_threads<T: Send>(threads: Option<usize>, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    match threads {
        None => Ok(work()),
        Some(n) => {
            let builder = rayon::ThreadPoolBuilder::new().num_threads(n.max(1));
            let pool = builder.build().map_err(|error| errors::GridplanError::new_err(error.to_string()))?;
            Ok(pool.install(work))
        }
    }
}
