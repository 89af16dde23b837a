//! Divides communities into grids of about equal load.
//!
//! The engine sees arrays only: loads per atom, edges between neighbouring atoms with the length of
//! their shared boundary and what cutting it costs. It knows neither maps nor files, so that Python
//! and the pipeline call the same function, [`partition`].
//!
//! What always holds: every atom is in exactly one grid; no grid lies in two communities; a compound
//! whose load fits in one grid is never cut; the number of grids is the asked or implied one, in a redraw
//! the present one where balance allows, unless a community has fewer units than that; a grid is connected
//! unless the islands of its community leave no choice. Everything else (balance, boundary cost) is optimized, and what is missed is a
//! [`Finding`]. See `docs/methods/partition.md` for the formulation.

mod anneal;
mod answer;
mod blocking;
mod budget;
mod coarse;
mod cover;
#[cfg(feature = "highs")]
mod cuts;
#[cfg(feature = "highs")]
mod diagram;
mod division;
mod exact;
#[cfg(feature = "highs")]
mod fewest;
#[cfg(feature = "highs")]
mod flow;
mod islands;
#[cfg(test)]
mod lattice;
mod levels;
#[cfg(feature = "highs")]
mod master;
#[cfg(feature = "highs")]
mod nearby;
#[cfg(feature = "highs")]
mod packing;
mod piece;
mod present;
#[cfg(feature = "highs")]
mod pricing;
mod random;
mod redraw;
mod regions;
mod regroup;
#[cfg(feature = "highs")]
mod relax;
mod seed;
mod solve;
#[cfg(feature = "highs")]
mod stay;
#[cfg(feature = "highs")]
mod sweep;
#[cfg(feature = "highs")]
mod table;
mod windows;
mod zones;

#[cfg(test)]
mod tests;

use std::ops::ControlFlow;

pub use answer::{CommunityResult, Finding, PartitionAnswer, Reason};
pub use blocking::Split;

/// One task: who lives where, who is whose neighbour. Slices are borrowed, nothing is copied.
///
/// Slices named "per atom" have the length of `households`, those "per edge" that of `edge_from`.
#[derive(Clone, Copy, Debug, Default)]
pub struct PartitionProblem<'a> {
    /// Load of each atom, normally its households; zero is allowed.
    pub households: &'a [u32],
    /// One end of each undirected edge, an atom index. Loops are ignored, parallel edges added up.
    pub edge_from: &'a [u32],
    /// The other end of each edge.
    pub edge_to: &'a [u32],
    /// Length of the shared boundary per edge, in metres, finite and not negative.
    pub edge_length: &'a [f64],
    /// Cost of a grid boundary along each edge, in metres: length times class factor. The length when absent.
    pub edge_cost: Option<&'a [f64]>,
    /// Community per atom, any numbers. One community when absent.
    pub community: Option<&'a [u32]>,
    /// Compound per atom, any numbers; negative is none.
    pub compound: Option<&'a [i32]>,
    /// Size class per atom, an index into [`PartitionParams::sizes`]. Class 0 when absent. Atoms of
    /// different classes never share a grid.
    pub class: Option<&'a [u8]>,
    /// Atoms that form a grid of their own, whatever their load; neighbouring ones of one compound share it.
    pub exclusive: Option<&'a [bool]>,
    /// Present grid per atom, any numbers; negative is none. Where every household has one, their number is kept
    /// unless the implied one is better balanced or moves fewer.
    pub current: Option<&'a [i32]>,
    /// Atoms whose present grid stays exactly as it is.
    pub locked: Option<&'a [bool]>,
    /// Exact number of grids of a community without its exclusive ones: pairs (community, k), k at least 1.
    pub exact_k: &'a [(u32, u32)],
}

/// The size rule of one class of grids. In range means `low <= load <= high`, limits included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GridSize {
    /// Smallest load of a grid that is in range.
    pub low: u32,
    /// Wanted load; the number of grids follows from it. At least 1.
    pub target: u32,
    /// Largest load in range; a compound up to this load stays whole.
    pub high: u32,
}

impl GridSize {
    /// The range `target` ± `tolerance` (0.10 is ten percent), limits included.
    ///
    /// ```
    /// let size = gridplan::partition::GridSize::around(300, 0.10);
    /// assert_eq!((size.low, size.high), (270, 330));
    /// ```
    #[must_use]
    pub fn around(target: u32, tolerance: f64) -> Self {
        let target_f = f64::from(target);
        // 300 * 1.1 is 330.00000000000006: a hair of slack keeps the limit where the reader expects it.
        let low = (target_f * (1.0 - tolerance) - 1e-6).ceil().max(0.0) as u32;
        let high = (target_f * (1.0 + tolerance) + 1e-6).floor() as u32;
        Self { low, target, high: high.max(target) }
    }

    /// Whether a grid of this load is in range.
    #[must_use]
    pub fn holds(self, load: u64) -> bool {
        u64::from(self.low) <= load && load <= u64::from(self.high)
    }
}

/// How much work to spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Seconds for a million atoms; about nine grids in ten in range.
    Draft,
    /// The best division we know how to find, with bounds.
    Full,
}

/// Parameters of [`partition`].
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionParams {
    /// Size rule per class, indexed by [`PartitionProblem::class`]; at least one.
    pub sizes: Vec<GridSize>,
    /// How much work to spend.
    pub effort: Effort,
    /// Every random choice follows from this number.
    pub seed: u64,
}

impl PartitionParams {
    /// One class of size `size` at full effort.
    #[must_use]
    pub fn new(size: GridSize, seed: u64) -> Self {
        Self { sizes: vec![size], effort: Effort::Full, seed }
    }
}

/// How far the work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Work done so far.
    pub done: u64,
    /// Work in all, in the same unit.
    pub total: u64,
}

/// Why a task cannot be started or was not finished.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartitionError {
    /// A column has the wrong number of rows.
    #[error("`{column}` has {found} rows, but {expected} are needed; give one value per {per}")]
    Length {
        /// Name of the column.
        column: &'static str,
        /// Rows it has.
        found: usize,
        /// Rows it needs.
        expected: usize,
        /// `atom` or `edge`.
        per: &'static str,
    },
    /// More atoms or edges than 32-bit indices can name.
    #[error("{found} rows of {per}s are more than the engine can number; divide the task by county")]
    TooMany {
        /// Rows found.
        found: usize,
        /// `atom` or `edge`.
        per: &'static str,
    },
    /// An edge names an atom that does not exist.
    #[error("edge {edge} names atom {atom}, but there are only {atoms} atoms; edges count atoms from 0")]
    NoSuchAtom {
        /// Index of the edge.
        edge: usize,
        /// The atom it names.
        atom: u32,
        /// Number of atoms.
        atoms: usize,
    },
    /// A length or cost is negative, infinite or not a number.
    #[error("`{column}` of edge {edge} is {value}; lengths and costs are metres from 0 to 1,000,000,000")]
    BadMetres {
        /// `edge_length` or `edge_cost`.
        column: &'static str,
        /// Index of the edge.
        edge: usize,
        /// The value as text.
        value: String,
    },
    /// A size rule contradicts itself.
    #[error(
        "size class {class}: low {low}, target {target}, high {high}; they must not decrease, and the target is at least 1"
    )]
    BadSize {
        /// Index of the class.
        class: usize,
        /// Its lower limit.
        low: u32,
        /// Its target.
        target: u32,
        /// Its upper limit.
        high: u32,
    },
    /// An atom names a size class that has no rule.
    #[error(
        "atom {atom} is of size class {class}, but only {classes} have a size rule; add the rule or correct the class"
    )]
    NoSuchClass {
        /// Index of the atom.
        atom: usize,
        /// The class it names.
        class: u8,
        /// Number of size rules.
        classes: usize,
    },
    /// `locked` without the grids that are to stay.
    #[error("`locked` names atoms to keep, but their present grid is missing at atom {atom}; give `current`")]
    LockedWithoutCurrent {
        /// First such atom.
        atom: usize,
    },
    /// The caller asked to stop.
    #[error("stopped on request before the division was complete")]
    Cancelled,
}

/// The callback of [`partition`]: told how far the work is; `Break` ends it with [`PartitionError::Cancelled`].
pub type Watch<'a> = &'a (dyn Fn(Progress) -> ControlFlow<()> + Sync);

/// Divides every community of `problem` into grids.
///
/// - Rule: the module's own list of what always holds; in range is `low <= load <= high` of the class.
/// - Order of wishes: fewest grids out of range, then the smallest boundary cost.
/// - Threads: communities run in the caller's rayon pool; the answer does not depend on its size.
/// - `watch` is called often and from several threads; return `ControlFlow::Continue(())` to go on.
/// - Cost: memory about 60 bytes per atom and 12 per edge beside the input, plus one community per thread.
/// - Source: spanning-tree splits after DeFord, Duchin and Solomon 2019 (arXiv:1911.05725); annealed boundary
///   moves, set partitioning and bounds are described in `docs/methods/partition.md`.
///
/// # Errors
/// [`PartitionError`] when a column does not fit or the caller stops; never because of a hard instance.
///
/// ```
/// use gridplan::partition::{GridSize, PartitionParams, PartitionProblem, partition};
/// use std::ops::ControlFlow;
///
/// // Six buildings of 150 households in a row.
/// let problem = PartitionProblem {
///     households: &[150; 6],
///     edge_from: &[0, 1, 2, 3, 4],
///     edge_to: &[1, 2, 3, 4, 5],
///     edge_length: &[20.0; 5],
///     ..PartitionProblem::default()
/// };
/// let params = PartitionParams::new(GridSize::around(300, 0.10), 1);
/// let answer = partition(&problem, &params, &|_| ControlFlow::Continue(()))?;
/// assert_eq!(answer.grid_load, vec![300, 300, 300]);
/// assert_eq!(answer.grid[0], answer.grid[1]);
/// # Ok::<(), gridplan::partition::PartitionError>(())
/// ```
pub fn partition(
    problem: &PartitionProblem<'_>,
    params: &PartitionParams,
    watch: Watch<'_>,
) -> Result<PartitionAnswer, PartitionError> {
    divide(problem, params, None, watch)
}

/// Like [`partition`], but of the load that has a present grid at most `max_moved` changes it, in all communities together.
///
/// - Rule: a grid keeps the number of the present one it overlaps most, largest overlaps first; who is in no grid of the
///   present number has moved. What always holds comes first: where that alone moves more, as little as possible moves.
/// - Order of wishes within the limit: fewest grids out of range, then fewest households out of range or moved. The limit is spent in
///   the communities where it brings most. Communities of at most ten units are searched completely.
///
/// # Errors
/// As [`partition`].
///
/// ```
/// use gridplan::partition::{GridSize, PartitionParams, PartitionProblem, partition_within};
/// use std::ops::ControlFlow;
///
/// // 340 and 240 households; the building of 40 would have to change grid.
/// let problem = PartitionProblem {
///     households: &[300, 40, 240],
///     edge_from: &[0, 1],
///     edge_to: &[1, 2],
///     edge_length: &[20.0; 2],
///     current: Some(&[0, 0, 1]),
///     ..PartitionProblem::default()
/// };
/// let params = PartitionParams::new(GridSize::around(300, 0.10), 1);
/// let within = |limit| partition_within(&problem, &params, limit, &|_| ControlFlow::Continue(()));
/// assert_eq!(within(39)?.grid, vec![0, 0, 1]);
/// assert_eq!(within(40)?.grid, vec![0, 1, 1]);
/// # Ok::<(), gridplan::partition::PartitionError>(())
/// ```
pub fn partition_within(
    problem: &PartitionProblem<'_>,
    params: &PartitionParams,
    max_moved: u64,
    watch: Watch<'_>,
) -> Result<PartitionAnswer, PartitionError> {
    divide(problem, params, Some(max_moved), watch)
}

fn divide(
    problem: &PartitionProblem<'_>,
    params: &PartitionParams,
    max_moved: Option<u64>,
    watch: Watch<'_>,
) -> Result<PartitionAnswer, PartitionError> {
    zones::check(problem, params)?;
    let zones = zones::Zones::new(problem, params);
    let solved = solve::all_zones(problem, params, &zones, max_moved, watch)?;
    Ok(answer::assemble(problem, &zones, solved))
}
