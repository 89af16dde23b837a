//! Stations + walks → who is served in 5, 10 and 15 minutes, by three methods side by side.
//!
//! [`measure`](fn@measure) fills the model's [`Coverage`](crate::model::Coverage), [`circles`](fn@circles) draws it, [`findings`] lists who is left out and
//! why. Around them stand plain functions on arrays: [`access`] (two-step floating catchments, inequality),
//! [`assign`] (capacity-limited assignment) and [`compare`] (profiles side by side, what a change wins and
//! loses). Formulation, sources and limits: `docs/methods/coverage.md`.

pub mod access;
pub mod assign;
mod circles;
pub mod compare;
mod measure;
#[cfg(test)]
mod tests;

pub use circles::circles;
pub use measure::{Walks, findings, measure};
