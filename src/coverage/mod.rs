//! Stations + walks → who is served in 5, 10 and 15 minutes, by three methods side by side.
//!
//! [`measure`](fn@measure) fills the model's [`Coverage`](crate::model::Coverage), [`circles`](fn@circles) draws
//! it, [`findings`] lists who is left out and why. [`profile`] sets another kind of walker beside the plan's own,
//! [`WhatIf`] tells at once who wins and loses by a change. Around them stand plain functions on arrays:
//! [`access`] (floating catchments, inequality), [`assign`] (capacity-limited assignment) and [`compare`]
//! (two answers side by side). Formulation, sources and limits: `docs/methods/coverage.md`.

pub mod access;
pub mod assign;
mod balance;
mod circles;
pub mod compare;
mod measure;
mod profiles;
mod straight;
#[cfg(test)]
mod tests;
mod what_if;

pub use circles::{circles, service_areas};
pub use measure::{Walks, findings, measure};
pub use profiles::profile;
pub use what_if::{BandChange, StationChange, WalkChange, WhatIf, WhatIfAnswer, WhatIfError};
