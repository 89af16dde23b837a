//! Which linear relaxation the tree solves at its nodes.

use super::Clock;
use super::build::{Core, Fate};
use super::lp::{Relaxation, Relaxed};
use super::lp_median::MedianRelaxation;
use super::simplex::Simplex;

/// Largest max cover whose linear relaxation our own simplex solves.
const MOST_SIMPLEX: usize = 8_000;
/// As [`Program::patience`] at the root, whose experience all other nodes share.
pub(crate) const PATIENCE_AT_ROOT: usize = 8;

/// The linear relaxation in the form that suits the core.
pub(crate) enum Program {
    /// Small max cover without rules.
    Simplex(Box<Simplex>),
    /// Other cover forms.
    Cover(Relaxation),
    Median(MedianRelaxation),
}

impl Program {
    /// That of a cover form, from multipliers `u` that are near; a row that must be served may be missed for `big`.
    pub fn of_cover(core: &Core, u: &[f64], big: f64) -> Self {
        if core.row_site.len() <= MOST_SIMPLEX && Simplex::suits(core) {
            Self::Simplex(Box::new(Simplex::new(core, u)))
        } else {
            Self::Cover(Relaxation::new(core, u, big))
        }
    }

    /// Multipliers and choice under the given decisions, or once the value passes `enough`; `None` if it fails.
    pub fn solve(&mut self, core: &Core, fate: &[Fate], enough: f64, clock: &Clock) -> Option<Relaxed> {
        match self {
            Self::Simplex(simplex) => simplex.solve(fate, enough, clock),
            Self::Cover(relaxation) => relaxation.solve(fate, enough, clock),
            Self::Median(relaxation) => relaxation.solve(core, fate, enough, clock),
        }
    }

    /// By how much deciding one more site lifts the relaxation solved last, and the work that took.
    pub fn probe(&mut self, site: usize, open: bool, clock: &Clock) -> Option<(f64, u64)> {
        match self {
            Self::Simplex(simplex) => simplex.probe(site, open, clock),
            Self::Cover(relaxation) => relaxation.probe(site, open),
            Self::Median(_) => None,
        }
    }

    /// Trials for a site to branch on go on until so many in a row found nothing better.
    pub fn patience(&self) -> usize {
        if matches!(self, Self::Simplex(_)) { 2 } else { 4 }
    }
}
