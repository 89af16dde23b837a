//! Certificates: multipliers that prove a bound, and a checker that verifies them in integers.
//!
//! The checker shares no code with the solver beyond the caller's [`Problem`]. It reads the table itself, adds up in
//! 128-bit integers and trusts nothing it is told: any multipliers whatever give a valid bound, bad ones a weak one.
//!
//! For the minimising models with multipliers `u_i >= 0` per demand point, `price_k >= 0` per rule and `price_p >= 0`
//! for "at most p sites", every answer costs at least
//!
//! `Σ_i times·u_i − p·price_p − Σ_k limit_k·price_k + Σ_j min(0, cost_j + price_p + Σ_k a_kj·price_k + Σ_i min(0, w_i·c_ij − u_i))`
//!
//! where the last minimum is left out for fixed sites. In max cover `u_i` is at most `w_i / times` and the expression
//! bounds the weight that stays unserved.

use super::{Backup, Change, Model, Problem};

/// Multipliers in units of `2^-SCALE_BITS`.
pub const SCALE_BITS: u32 = 20;

/// A proof of a bound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// Multiplier per demand point, scaled; empty means all zero.
    pub demand: Vec<u64>,
    /// Multiplier of "at most p sites", scaled.
    pub sites: u64,
    /// Multipliers of the rules, scaled, in the order of [`rules_of`].
    pub rules: Vec<u64>,
    /// p-center: the cover limit that these multipliers prove to need more than p sites.
    pub radius: Option<u32>,
}

/// A rule `Σ coefficient × x_site <= limit` as the checker reads it from the problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinearRule {
    /// Sites and their coefficients.
    pub terms: Vec<(u32, i64)>,
    /// The right-hand side.
    pub limit: i64,
}

/// The rules of a problem: budget, closings, moves, groups, spacing, in this order.
#[must_use]
pub fn rules_of(problem: &Problem) -> Vec<LinearRule> {
    let mut rules = Vec::new();
    if let Some(budget) = problem.budget {
        let costs = problem.site_cost.iter().enumerate();
        let terms = costs.map(|(site, &cost)| (site as u32, i64::from(cost))).filter(|term| term.1 > 0);
        let limit = i64::try_from(budget).unwrap_or(i64::MAX).min(1 << 60);
        rules.push(LinearRule { terms: terms.collect(), limit });
    }
    let closable = problem.existing.iter().filter(|existing| existing.change == Change::Close);
    let closable: Vec<(u32, i64)> = closable.map(|existing| (existing.site, -1)).collect();
    if let Some(most) = problem.max_closed
        && most < closable.len()
    {
        rules.push(LinearRule { limit: most as i64 - closable.len() as i64, terms: closable });
    }
    let mut between = |sites: &[u32], low: usize, high: usize| {
        if high < sites.len() {
            rules.push(LinearRule {
                terms: sites.iter().map(|&site| (site, 1)).collect(),
                limit: high as i64,
            });
        }
        if low > 0 {
            rules.push(LinearRule {
                terms: sites.iter().map(|&site| (site, -1)).collect(),
                limit: -(low as i64),
            });
        }
    };
    for existing in &problem.existing {
        if let Change::MoveTo(sites) = &existing.change {
            let all: Vec<u32> = std::iter::once(existing.site).chain(sites.iter().copied()).collect();
            between(&all, 1, 1);
        }
    }
    for group in &problem.groups {
        between(&group.sites, group.at_least, group.at_most);
    }
    for &(one, other) in &problem.too_close {
        between(&[one, other], 0, 1);
    }
    rules
}

/// The bound that `certificate` proves for `model` on `problem`, in the units of the objective.
///
/// For [`Model::MaxCover`] it is an upper bound, otherwise a lower one. 0 multipliers prove the trivial bound.
#[must_use]
pub fn check(problem: &Problem, model: Model, certificate: &Certificate) -> u64 {
    match model {
        Model::PCenter { p } => check_center(problem, p, certificate),
        Model::MaxCover { .. } => {
            let mut coverable = 0i128;
            for demand in 0..problem.table.n_demand() {
                let mut reaching = 0;
                problem.visit_row(demand, |_, _| reaching += 1);
                if times(problem) <= reaching {
                    coverable += i128::from(problem.weight(demand));
                }
            }
            let missed = relaxation(problem, model, certificate, None).max(0);
            u64::try_from((coverable - missed).max(0)).unwrap_or(u64::MAX)
        }
        _ => u64::try_from(relaxation(problem, model, certificate, None).max(0)).unwrap_or(u64::MAX),
    }
}

/// A radius is too small if covering within it needs more than p sites; the next cost in the table is the bound.
fn check_center(problem: &Problem, p: usize, certificate: &Certificate) -> u64 {
    let Some(radius) = certificate.radius else { return least_radius(problem) };
    let needed = relaxation(problem, Model::SetCover, certificate, Some(radius));
    if needed <= p as i128 {
        return least_radius(problem);
    }
    let mut next = u64::MAX;
    for demand in 0..problem.table.n_demand() {
        problem.visit_row(demand, |_, cost| {
            if radius < cost {
                next = next.min(u64::from(cost));
            }
        });
    }
    next
}

/// Every point needs its own `times`-th cheapest site at least.
fn least_radius(problem: &Problem) -> u64 {
    let mut radius = 0;
    for demand in (0..problem.table.n_demand()).filter(|&demand| problem.weight(demand) > 0) {
        let mut costs = Vec::new();
        problem.visit_row(demand, |_, cost| costs.push(cost));
        costs.sort_unstable();
        radius = radius.max(costs.get(times(problem) - 1).map_or(u64::MAX, |&cost| u64::from(cost)));
    }
    radius
}

fn times(problem: &Problem) -> usize {
    match problem.backup {
        Backup::None => 1,
        Backup::Second => 2,
    }
}

/// The Lagrangian value rounded up to whole units: a lower bound on the minimising form.
fn relaxation(problem: &Problem, model: Model, certificate: &Certificate, radius: Option<u32>) -> i128 {
    let one = 1i128 << SCALE_BITS;
    let times = times(problem);
    let n_sites = problem.table.n_sites();
    let unit_cost = matches!(model, Model::SetCover) && (radius.is_some() || problem.site_cost.is_empty());
    let mut reduced: Vec<i128> = match model {
        Model::SetCover if unit_cost => vec![one; n_sites],
        Model::SetCover => problem.site_cost.iter().map(|&cost| i128::from(cost) * one).collect(),
        _ => vec![0; n_sites],
    };
    let weighted = matches!(model, Model::PMedian { .. });
    let mut value = 0i128;
    let mut row = Vec::new();
    for demand in 0..problem.table.n_demand() {
        let weight = i128::from(problem.weight(demand));
        row.clear();
        problem.visit_row(demand, |site, cost| {
            if radius.is_none_or(|radius| cost <= radius) {
                row.push((site, cost));
            }
        });
        if weight == 0 || (row.len() < times && model.maximizes()) {
            continue;
        }
        let mut u = i128::from(certificate.demand.get(demand).copied().unwrap_or(0));
        if model.maximizes() {
            u = u.min(weight * one / times as i128);
        }
        value += u * times as i128;
        for &(site, cost) in &row {
            let cost = if weighted { weight * i128::from(cost) * one } else { 0 };
            reduced[site as usize] += (cost - u).min(0);
        }
    }
    for (rule, &price) in rules_of(problem).iter().zip(&certificate.rules) {
        value -= i128::from(price) * i128::from(rule.limit);
        for &(site, coefficient) in &rule.terms {
            reduced[site as usize] += i128::from(price) * i128::from(coefficient);
        }
    }
    if let (Some(p), None) = (model.p(), radius) {
        value -= i128::from(certificate.sites) * p as i128;
        reduced.iter_mut().for_each(|reduced| *reduced += i128::from(certificate.sites));
    }
    let mut fixed = vec![false; n_sites];
    problem.fixed.iter().for_each(|&site| fixed[site as usize] = true);
    for (site, &reduced) in reduced.iter().enumerate() {
        value += if fixed[site] { reduced } else { reduced.min(0) };
    }
    value.div_euclid(one) + i128::from(value.rem_euclid(one) != 0)
}
