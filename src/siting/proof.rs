//! Closes the gap by branch and bound, and turns what it found into a certificate.

use super::bound::Volume;
use super::branch::{self, Limits, Refine, Start, branch};
use super::build::{Core, MUST};
use super::certificate::{self, Certificate, Reduction};
use super::steps::{self, Price};
use super::{Clock, Effort, Options, Problem, SitingError};

/// What branch and bound, or the root bound alone, came to.
pub(crate) struct Proof {
    pub best: Option<(i64, Vec<u32>)>,
    pub duals: Vec<steps::Multipliers>,
    pub steps: Vec<steps::Step>,
    pub complete: bool,
    /// Instead of the tree: a certificate ready made.
    certificate: Option<Certificate>,
}

impl Proof {
    /// A certificate made without a tree of the whole.
    pub fn ready(best: Option<(i64, Vec<u32>)>, certificate: Certificate) -> Self {
        Self { best, duals: Vec::new(), steps: Vec::new(), complete: false, certificate: Some(certificate) }
    }

    pub fn into_found(
        self,
        problem: &Problem,
        core: &Core,
        reductions: Vec<Reduction>,
    ) -> Result<Found, SitingError> {
        match self.best {
            Some((_, sites)) => {
                let made = self.certificate;
                let mut certificate =
                    made.unwrap_or_else(|| certify(problem, core, &self.duals, &self.steps));
                certificate.reductions = reductions;
                Ok(Found { sites, certificate })
            }
            None if self.complete => Err(infeasible(core)),
            None => Err(SitingError::Stopped),
        }
    }
}

fn infeasible(core: &Core) -> SitingError {
    let rules = if core.rules.is_empty() { "" } else { " under the given rules" };
    let must_serve = core.miss.contains(&MUST);
    let reason = match core.p {
        Some(p) if !must_serve => format!("the given rules with {p} sites"),
        None if !must_serve => "the given rules".to_owned(),
        Some(p) => format!("service of every demand point by {p} sites{rules}"),
        None => format!("service of every demand point{rules}"),
    };
    SitingError::Infeasible { reason }
}

/// What is known before branching.
pub(crate) struct Root<'a, 'c> {
    pub volume: &'a Volume<'c>,
    pub best: Option<(i64, Vec<u32>)>,
    pub limit: i64,
    pub refine: Option<Refine>,
    /// Most work of the tree, beside what the effort allows.
    pub most: u64,
    /// The linear relaxation, if it is solved already.
    pub warm: Option<branch::Warm>,
}

/// Closes the gap to answers below `limit` by branch and bound where the effort allows it, else keeps the root's bound.
pub(crate) fn prove(problem: &Problem, core: &Core, root: Root, options: &Options, clock: &Clock) -> Proof {
    let Root { volume, best, limit, refine, most, mut warm } = root;
    // Any answer below the limit will do where there is one.
    let enough = if limit == i64::MAX { i64::MIN } else { limit - 1 };
    let n_demand = problem.table.n_demand();
    let scale = (1u64 << scale_bits(core)) as f64;
    let margin = 0.01 + 2.0 * (n_demand + core.n_sites) as f64 / scale;
    let cutoff = best.as_ref().map_or(ceiling(core), |best| best.0).min(limit);
    let open = volume.best.value <= cutoff as f64 - 1.0 + margin && enough < cutoff;
    let work = match options.effort {
        Effort::Proof if open => most.min(20_000_000_000),
        Effort::Full if open => most.min(200_000_000),
        // Where it takes a moment a tree also finds what keeps the rules.
        Effort::Quick if open && core.row_site.len() <= SMALL_TREE_ENTRIES => most.min(SMALL_TREE),
        _ => 0,
    };
    if work == 0 {
        let (duals, steps) = steps::leaf(core, volume);
        return Proof { best, duals, steps, complete: !open, certificate: None };
    }
    let limits = Limits { work, duals: (50_000_000 / (n_demand + core.n_rows() + 1)).max(64), margin };
    let known = best.as_ref().map(|best| best.1.as_slice());
    // A wide gap is rarely closed in one go, and a tree that is not finished proves no more than its root:
    // first show that nothing costs less than one unit above the bound, then two, as far as the work goes.
    let step_by_step = enough == i64::MIN && core.p.is_none() && core.miss.first() == Some(&MUST);
    let mut target = if step_by_step { (volume.best.value - margin).ceil() as i64 + 1 } else { cutoff };
    let mut settled: Option<branch::Tree> = None;
    let (mut refine, mut work_left) = (refine, limits.work);
    loop {
        let cutoff = target.clamp(i64::MIN, cutoff);
        let start = Start { volume, cutoff, enough, known, refine: refine.take(), warm };
        let mut tree = branch(core, start, &Limits { work: work_left, ..limits }, clock);
        work_left = work_left.saturating_sub(tree.work);
        warm = tree.warm.take();
        let last = cutoff == best.as_ref().map_or(cutoff, |best| best.0) || tree.best.is_some();
        if tree.complete && !last && open {
            settled = Some(tree);
            target += 1;
            continue;
        }
        // An unfinished tree proves less than the finished one before it.
        let better = tree.best.clone().filter(|found| best.as_ref().is_none_or(|best| found.0 < best.0));
        let complete = tree.complete || !open;
        let tree = if complete { tree } else { settled.unwrap_or(tree) };
        return Proof {
            best: better.or(best),
            duals: tree.duals,
            steps: tree.steps,
            complete,
            certificate: None,
        };
    }
}

/// Largest table, in entries, that even the quickest search ends with a tree for, and the tree's work.
const SMALL_TREE_ENTRIES: usize = 4_000;
const SMALL_TREE: u64 = 5_000_000;

/// No answer costs as much as this.
pub(crate) fn ceiling(core: &Core) -> i64 {
    let mut total = core.open_cost.iter().sum::<i64>() + 1;
    for row in 0..core.n_rows() {
        let dearest = core.row(row).next_back().map_or(0, |entry| core.row_cost_at(entry));
        let served = core.weight[row] * i64::from(dearest) * core.times as i64;
        total += if core.miss[row] == MUST { served } else { served.max(core.miss[row]) };
    }
    total
}

/// Sites with the certificate of a bound.
pub(crate) struct Found {
    pub sites: Vec<u32>,
    pub certificate: Certificate,
}

/// Bits after the binary point such that even prohibitive multipliers fit 63 bits.
pub(crate) fn scale_bits(core: &Core) -> u32 {
    let whole = 64 - (ceiling(core) as u64 + 1).leading_zeros();
    20u32.min(61u32.saturating_sub(whole))
}

/// A multiplier as good as infinite, scaled.
pub(crate) fn spike(core: &Core, bits: u32) -> u64 {
    (ceiling(core) as u64 + 1) << bits
}

/// The proof in integers on the caller's demand points.
pub(crate) fn certify(
    problem: &Problem,
    core: &Core,
    duals: &[steps::Multipliers],
    steps: &[steps::Step],
) -> Certificate {
    let bits = scale_bits(core);
    let spike = spike(core, bits);
    let price = |price: Price| match price {
        Price::Spike => spike,
        Price::Units(units) if bits <= steps::PRICE_BITS => units >> (steps::PRICE_BITS - bits),
        Price::Units(units) => units << (bits - steps::PRICE_BITS),
    };
    let first_of = core.first_points();
    let translate = |dual: &steps::Multipliers| certificate::Multipliers {
        demand: spread(problem, core, &dual.u, &first_of, (1u64 << bits) as f64),
        few: dual.spike.iter().map(|&row| (first_of[row as usize], spike)).collect(),
        rules: match dual.rule_spike {
            Some(rule) => vec![(rule, spike)],
            None => {
                let positive = dual.price.iter().enumerate().filter(|(_, price)| **price > 0.0);
                positive.map(|(rule, &price)| (rule as u32, (price * (1u64 << bits) as f64) as u64)).collect()
            }
        },
    };
    let step = |step: &steps::Step| match step {
        steps::Step::Leaf { dual, p_price } => {
            certificate::Step::Leaf { dual: *dual, sites: price(*p_price) }
        }
        steps::Step::Fix { dual, p_price, sites } => {
            certificate::Step::Fix { dual: *dual, sites: price(*p_price), fixed: sites.clone() }
        }
        steps::Step::Branch { site, first } => certificate::Step::Branch { site: *site, open_first: *first },
    };
    Certificate {
        scale_bits: bits,
        duals: duals.iter().map(translate).collect(),
        steps: steps.iter().map(step).collect(),
        ..Certificate::default()
    }
}

/// Row multipliers on demand points: by weight where cost or penalty grows with it, else on one point of the row.
fn spread(problem: &Problem, core: &Core, u: &[f64], first_of: &[u32], scale: f64) -> Vec<u64> {
    if u.is_empty() {
        return Vec::new();
    }
    let by_weight = !core.row_cost.is_empty() || core.miss.first().is_some_and(|&miss| miss != MUST);
    let share = |demand: usize, row: usize| match by_weight {
        true => problem.weight(demand) as f64 / core.weight[row] as f64,
        false if first_of[row] == demand as u32 => 1.0,
        false => 0.0,
    };
    let multiplier = |(demand, &row): (usize, &u32)| {
        u.get(row as usize).map_or(0, |u| (u * share(demand, row as usize) * scale) as u64)
    };
    core.row_of.iter().enumerate().map(multiplier).collect()
}
