//! Community grids, service stations and walking circles.
//!
//! Read `ARCHITECTURE.md` for the map of the modules.

#[cfg(feature = "cli")]
pub mod cli;
pub mod compare;
pub mod coverage;
pub mod edit;
pub mod export;
pub mod files;
pub mod geometry;
pub mod ingest;
pub mod land;
pub mod model;
pub mod network;
pub mod params;
pub mod partition;
pub mod pipeline;
pub mod planfile;
pub mod report;
#[cfg(feature = "server")]
pub mod server;
pub mod siting;
pub mod synth;
#[doc(hidden)]
pub mod testing;
pub mod units;
