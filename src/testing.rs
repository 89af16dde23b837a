//! What tests share: where the real inputs and benchmark instances are, and a small invented place.

mod toy;
mod toy_plan;

pub use toy::toy_scenario;
pub use toy_plan::toy_plan;

use std::path::PathBuf;

/// The folder `shared` beside the project with real data and benchmark instances.
///
/// `None` when it is absent on a developer's machine, so that a test may say so and stop early.
///
/// # Panics
/// When the folder is missing and `CI` is `true`: a check that silently skips proves nothing.
#[must_use]
pub fn shared_dir() -> Option<PathBuf> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    if dir.join("data").is_dir() {
        return Some(dir);
    }
    let in_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    assert!(!in_ci, "the shared data folder is missing beside the project ({}); CI needs it", dir.display());
    eprintln!("no shared data beside the project; this test ends early");
    None
}
