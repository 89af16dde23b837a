//! What a proof is made of inside the solver: multipliers on rows, steps, and prices of "at most p sites".

use std::rc::Rc;

use super::bound::Volume;
use super::build::{Core, Fate};

/// Multipliers on the rows of the core.
#[derive(Clone, Debug, Default)]
pub(crate) struct Multipliers {
    pub u: Rc<Vec<f64>>,
    pub price: Rc<Vec<f64>>,
    /// One row whose multiplier is as good as infinite.
    pub spike: Option<u32>,
    /// One rule whose multiplier is as good as infinite.
    pub rule_spike: Option<u32>,
}

/// A step of the proof, in prefix order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// These multipliers bound everything here.
    Leaf { dual: usize, p_price: Price },
    /// These sites cannot be otherwise: these multipliers bound everything with one of them changed.
    Fix { dual: usize, p_price: Price, sites: Vec<(u32, bool)> },
    /// Two subtrees follow: the site decided as `first`, then the other way.
    Branch { site: u32, first: bool },
}

/// The multiplier of "at most p sites".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Price {
    /// This many scaled units.
    Units(u64),
    /// As good as infinite.
    Spike,
}

/// Scaled units of a price: the certificate's scale is applied later, so keep it fine here.
pub(crate) const PRICE_BITS: u32 = 20;

pub(crate) fn units(price: f64) -> Price {
    Price::Units((price.max(0.0) * f64::from(1u32 << PRICE_BITS)) as u64)
}

/// The proof without a tree: the volume's multipliers bound everything.
pub(crate) fn leaf(core: &Core, volume: &Volume) -> (Vec<Multipliers>, Vec<Step>) {
    let u = Rc::new(volume.best.u.clone());
    let price = Rc::new(volume.best.price.clone());
    let p_price = middle_price(core, &core.fate, &volume.best.reduced);
    let dual = Multipliers { u, price, spike: None, rule_spike: None };
    (vec![dual], vec![Step::Leaf { dual: 0, p_price }])
}

/// Free reduced costs in ascending order and the room left for free sites.
pub(crate) fn ranks(core: &Core, fate: &[Fate], reduced: &[f64]) -> (Vec<f64>, usize) {
    let mut free: Vec<f64> = Vec::new();
    let mut n_open = 0;
    for (fate, &reduced) in fate.iter().zip(reduced) {
        match fate {
            Fate::Free => free.push(reduced),
            Fate::Open => n_open += 1,
            Fate::Closed => {}
        }
    }
    free.sort_unstable_by(f64::total_cmp);
    (free, core.p.map_or(usize::MAX, |p| p.saturating_sub(n_open)))
}

/// A price of "at most p sites" at which the relaxation is attained.
pub(crate) fn middle_price(core: &Core, fate: &[Fate], reduced: &[f64]) -> Price {
    let (free, room) = ranks(core, fate, reduced);
    match free.get(room) {
        Some(&next) => units(-next),
        None => Price::Units(0),
    }
}
