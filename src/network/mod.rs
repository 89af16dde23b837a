//! The walk network: who reaches what on foot, and how long it takes.
//!
//! Two layers. [`WalkNetwork`] works on plain arrays of nodes, edges and whole costs, and answers exactly
//! and fast. [`StreetNetwork`] stands on top: [`build`] joins a scenario's streets and times them for a
//! [`WalkProfile`] (slope, stairs, crossings), doors attach to positions on edges through gates and never
//! through walls, and [`StreetNetwork::reach`] gives the table of walks between sites and doors that siting
//! and coverage share. The method and its limits: `docs/methods/coverage.md`.

mod cells;
#[cfg(test)]
mod circle_tests;
mod circles;
mod contract;
#[cfg(test)]
mod door_tests;
mod doors;
mod drawing;
mod engine;
mod joined;
mod mesh;
mod order;
mod outline;
mod raw;
mod reach;
mod search;
mod sight;
#[cfg(test)]
mod sight_tests;
mod snap;
mod streets;
#[cfg(test)]
mod tests;
mod trace;
mod walking;
mod window;

pub use circles::{Circle, CircleShare};
pub use doors::DoorWalks;
pub use engine::{Nearest, UNREACHED, WalkNetwork, Within};
pub use reach::{Measure, NearestSite, Reach, StreetNetwork, build};
pub use snap::{Attachment, DoorPlace, SnapFailure, Snaps};
pub use walking::{KerbResponse, SlopeResponse, StairsResponse, WalkProfile, WalkRules};

/// Why a network cannot be built or asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NetworkError {
    /// Two arrays that belong together differ in length.
    #[error(
        "`{what}` has {found} values and `{like}` has {expected}; both describe the same rows, so pass arrays of equal length"
    )]
    Length {
        /// The array.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The array it belongs to.
        like: &'static str,
        /// That array's length.
        expected: usize,
    },
    /// An index beyond the nodes.
    #[error(
        "{what} {index} names node {node}, but the network has {n_nodes} nodes (0 to n - 1); check that ids are positions in the node arrays"
    )]
    NoSuchNode {
        /// What names the node.
        what: &'static str,
        /// Its position.
        index: usize,
        /// The node it names.
        node: u32,
        /// Number of nodes.
        n_nodes: usize,
    },
    /// A coordinate that is no place.
    #[error(
        "node {node} lies at ({x}, {y}); coordinates are finite metres on a plane, so drop or repair the node"
    )]
    NotFinite {
        /// The node.
        node: usize,
        /// Its coordinates.
        x: f64,
        /// Its coordinates.
        y: f64,
    },
    /// More than the index type holds.
    #[error("{found} {what} are more than 2,147,483,646; split the area")]
    TooMany {
        /// Nodes, edges or stations.
        what: &'static str,
        /// How many.
        found: usize,
    },
}
