//! What the linear relaxation of max cover allows: the range in which its optimum lies.
//!
//! No bound by multipliers alone falls below that optimum, so that a gap to it is not the search's to close. Large
//! relaxations are not solved to the end; the volume algorithm encloses their optimum from both sides instead. Its
//! running average of choices of p sites is a fractional choice of p sites, and what that covers is a plain sum.

use super::bound::Volume;
use super::build::{Core, build};
use super::certificate::check;
use super::presolve::{Reduced, reduce};
use super::proof::{Root, certify, prove};
use super::{Clock, Effort, Model, Options, Problem, SitingError};

/// The range in which the optimum of a linear relaxation lies, in units of weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinearRange {
    /// Covered by a fractional choice of sites, rounded down.
    pub attained: u64,
    /// What the best multipliers prove, checked in integers.
    pub bound: u64,
}

/// Steps of the volume algorithm at most.
const STEPS: usize = 20_000;
/// Steps between two looks at what the average choice covers.
const STRIDE: usize = 20;
/// Parts of a site in which the average choice is counted.
const PARTS: f64 = (1u32 << 20) as f64;

/// Encloses the optimum of the linear relaxation of max cover with `p` sites, until the range is closed to one unit,
/// beginning anew brings nothing more, or the time limit ends it.
///
/// # Errors
/// [`SitingError::BadField`] with rules, backup or capacities, whose relaxation is another one; else as in
/// [`max_cover`](super::max_cover).
///
/// ```
/// use gridplan::siting::{LinearRange, Options, Problem, Table, linear_range};
/// // Three points, three sites, each site reaches two points; a third of every site covers as much.
/// let table = Table::sparse(3, &[0, 2, 4, 6], &[0, 1, 1, 2, 0, 2], None)?;
/// let range = linear_range(&Problem::new(table), 1, &Options::default())?;
/// assert_eq!(range, LinearRange { attained: 2, bound: 2 });
/// # Ok::<(), gridplan::siting::SitingError>(())
/// ```
pub fn linear_range(problem: &Problem, p: usize, options: &Options) -> Result<LinearRange, SitingError> {
    let clock = Clock::new(options);
    let model = Model::MaxCover { p: Some(p) };
    let whole = build(problem, model)?;
    if !whole.rules.is_empty() || whole.times != 1 || !problem.capacity.is_empty() {
        let reason =
            "the linear range is that of max cover with p alone, without rules, backup and capacities";
        return Err(SitingError::BadField { field: "p", reason: reason.to_owned() });
    }
    let Reduced { core, reductions } = reduce(&whole);
    let total: i64 = core.miss.iter().sum();
    let mut volume = Volume::new(&core, &core.fate, None);
    let (mut attained, mut before) = (0, i64::MAX);
    for step in 0..STEPS {
        if step % STRIDE == 0 {
            attained = attained.max(covered(&core, &volume.share));
        }
        let missed = (total - attained) as f64;
        let open = missed - volume.best.value;
        if open < 1.0 || clock.is_over() {
            break;
        }
        if volume.is_exhausted() {
            // Its steps are too short to matter; a fresh start from its multipliers may still narrow the range.
            if before <= open as i64 {
                break;
            }
            before = open as i64;
            volume = Volume::new(&core, &core.fate, Some((volume.best.u.clone(), Vec::new())));
        }
        volume.step(&core.fate, missed);
    }
    let root = Root { volume: &volume, best: None, limit: i64::MAX, refine: None, most: 0, warm: None };
    let proof = prove(problem, &core, root, &Options { effort: Effort::Quick, ..*options }, &clock);
    let mut certificate = certify(problem, &core, &proof.duals, &proof.steps);
    certificate.reductions = reductions;
    Ok(LinearRange { attained: attained as u64, bound: check(problem, model, &certificate) })
}

/// Weight that a fractional choice of sites covers, rounded down.
fn covered(core: &Core, share: &[f64]) -> i64 {
    let parts: Vec<u64> = share.iter().map(|share| (share.clamp(0.0, 1.0) * PARTS) as u64).collect();
    let whole = PARTS as u64;
    let row_value = |row: usize| {
        let served: u64 = core.row_site[core.row(row)].iter().map(|&site| parts[site as usize]).sum();
        i128::from(core.miss[row]) * i128::from(served.min(whole))
    };
    ((0..core.n_rows()).map(row_value).sum::<i128>() >> whole.trailing_zeros()) as i64
}
