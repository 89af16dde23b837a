//! Community grids, service stations and walking circles.
//!
//! Read `ARCHITECTURE.md` for the map of the modules.

#[doc(hidden)]
pub mod testing;
