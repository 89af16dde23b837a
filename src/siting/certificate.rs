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
//! where the last minimum is left out for sites decided open, and the whole term for sites decided closed. In max cover `u_i` is at most `w_i / times` and the expression
//! bounds the weight that stays unserved. With capacities the sum over the points `i` of site `j` is instead the least that
//! fits: points no heavier than the capacity, of which those that save most per weight come first and the last one counts
//! in part.

use super::{Backup, Change, Model, Problem};

/// A proof of a bound: multipliers, and a tree of decisions that says which of them holds where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// Multipliers are in units of `2^-scale_bits`.
    pub scale_bits: u32,
    /// Sets of multipliers that the steps refer to.
    pub duals: Vec<Multipliers>,
    /// Inequalities that the steps, and later lemmas, may use like rules (set cover and p-center only).
    pub lemmas: Vec<Lemma>,
    /// The proof tree in prefix order; empty proves only the trivial bound.
    pub steps: Vec<Step>,
    /// Sites and points left out in this order (cover models without rules only).
    pub reductions: Vec<Reduction>,
    /// p-center: the cover limit that these multipliers prove to need more than p sites.
    pub radius: Option<u32>,
}

/// An inequality on the sites with a proof of its own: whatever its tree proves that `Σ cost_j x_j` is at least.
///
/// A region of a city is one: costs that are part of the sites' costs, multipliers on the region's points, a tree on
/// its sites. A rounded sum of rows (Chvátal and Gomory) is another, with a tree of one leaf.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lemma {
    /// Sites and their costs, scaled; other sites cost nothing.
    pub cost: Vec<(u32, u64)>,
    /// The proof tree in prefix order, as in [`Certificate::steps`].
    pub steps: Vec<Step>,
}

/// Something that need not be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// The site `by` serves all points that `site` serves, as far as they are not left out, at no higher cost.
    Site {
        /// The site left out.
        site: u32,
        /// The site that replaces it.
        by: u32,
    },
    /// Every site that serves the point `by`, as far as it is not left out, serves `point` too (set cover only).
    Point {
        /// The point left out.
        point: u32,
        /// The point that implies it.
        by: u32,
    },
}

/// One set of multipliers, not negative, scaled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Multipliers {
    /// Per demand point; empty means all zero.
    pub demand: Vec<u64>,
    /// Instead of `demand`: demand points in ascending order with their multipliers, all others zero.
    pub few: Vec<(u32, u64)>,
    /// Per rule in the order of [`rules_of`], then per lemma; missing ones are zero. A lemma's multiplier times its
    /// scaled costs counts unscaled: with 1 it enters as it is.
    pub rules: Vec<(u32, u64)>,
}

/// A step of the proof tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The multipliers `dual`, with multiplier `sites` of "at most p sites", bound everything here.
    Leaf {
        /// Index into [`Certificate::duals`].
        dual: usize,
        /// Multiplier of "at most p sites", scaled.
        sites: u64,
    },
    /// The same multipliers bound every answer in which one of these sites is not as stated; go on with all as stated.
    Fix {
        /// Index into [`Certificate::duals`].
        dual: usize,
        /// Multiplier of "at most p sites", scaled.
        sites: u64,
        /// Sites and whether they are open from here on.
        fixed: Vec<(u32, bool)>,
    },
    /// Two subtrees follow: first with `site` open if `open_first`, else closed; then the other way.
    Branch {
        /// The site.
        site: u32,
        /// Which case stands first.
        open_first: bool,
    },
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
/// For [`Model::MaxCover`] it is an upper bound, otherwise a lower one; an empty certificate proves the trivial one.
/// `u64::MAX` from a minimising model means that the certificate proves that no answer exists.
#[must_use]
pub fn check(problem: &Problem, model: Model, certificate: &Certificate) -> u64 {
    if let Model::PCenter { p } = model {
        return check_center(problem, p, certificate);
    }
    let checker = Checker::new(problem, model, certificate, None);
    let least = checker.bound(certificate).max(0);
    let bound = if model.maximizes() { (checker.coverable - least).max(0) } else { least };
    u64::try_from(bound).unwrap_or(u64::MAX)
}

/// A radius is too small if covering within it needs more than p sites; the next cost in the table is the bound.
fn check_center(problem: &Problem, p: usize, certificate: &Certificate) -> u64 {
    let Some(radius) = certificate.radius else { return least_radius(problem) };
    let checker = Checker::new(problem, Model::SetCover, certificate, Some((radius, p)));
    if checker.bound(certificate) <= p as i128 {
        return least_radius(problem);
    }
    let mut next = u64::MAX;
    for demand in (0..problem.table.n_demand()).filter(|&demand| problem.weight(demand) > 0) {
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

/// Largest cost and bound of a lemma, far from the ends of 128 bits when multiplied.
const MOST_LEMMA: i128 = 1 << 56;

fn times(problem: &Problem) -> usize {
    match problem.backup {
        Backup::None => 1,
        Backup::Second => 2,
    }
}

/// The largest multiplier that the certificate gives each point.
fn largest_multipliers(n_demand: usize, certificate: &Certificate) -> Vec<u64> {
    let mut largest = vec![0u64; n_demand];
    for dual in &certificate.duals {
        largest.iter_mut().zip(&dual.demand).for_each(|(largest, &u)| *largest = u.max(*largest));
        for &(demand, u) in &dual.few {
            if let Some(largest) = largest.get_mut(demand as usize) {
                *largest = u.max(*largest);
            }
        }
    }
    largest
}

/// The problem as the checker reads it: its own copy of the table, costs scaled.
struct Checker {
    n_sites: usize,
    times: i128,
    one: i128,
    p: Option<usize>,
    start: Vec<usize>,
    site: Vec<u32>,
    /// Scaled cost of serving the point from the site; empty if all are zero.
    cost: Vec<i128>,
    /// Largest multiplier of each point, scaled: `i128::MAX` if it must be served.
    most: Vec<i128>,
    open_cost: Vec<i128>,
    rules: Vec<LinearRule>,
    fixed: Vec<u32>,
    closed: Vec<u32>,
    coverable: i128,
    /// Weight per point and capacity per site; both empty without capacities.
    weight: Vec<i128>,
    capacity: Vec<i128>,
}

impl Checker {
    fn new(problem: &Problem, model: Model, certificate: &Certificate, radius: Option<(u32, usize)>) -> Self {
        let n_sites = problem.table.n_sites();
        let times = times(problem);
        let one = 1i128 << certificate.scale_bits.min(60);
        let open_cost = match model {
            Model::SetCover if radius.is_some() || problem.site_cost.is_empty() => vec![one; n_sites],
            Model::SetCover => problem.site_cost.iter().map(|&cost| i128::from(cost) * one).collect(),
            _ => vec![0; n_sites],
        };
        let mut checker = Self {
            n_sites,
            times: times as i128,
            one,
            p: model.p(),
            start: vec![0],
            site: Vec::new(),
            cost: Vec::new(),
            most: Vec::new(),
            open_cost,
            rules: rules_of(problem),
            fixed: problem.fixed.clone(),
            closed: Vec::new(),
            coverable: 0,
            weight: Vec::new(),
            capacity: problem.capacity.iter().map(|&capacity| i128::from(capacity)).collect(),
        };
        if !checker.capacity.is_empty() {
            let weights = (0..problem.table.n_demand()).map(|demand| i128::from(problem.weight(demand)));
            checker.weight = weights.collect();
        }
        let mut row: Vec<(u32, u32)> = Vec::new();
        let largest = largest_multipliers(problem.table.n_demand(), certificate);
        for demand in 0..problem.table.n_demand() {
            let weight = i128::from(problem.weight(demand));
            let mut n_serving = 0;
            if weight > 0 {
                row.clear();
                problem.visit_row(demand, |site, cost| {
                    if radius.is_none_or(|radius| cost <= radius.0) {
                        row.push((cost, site));
                    }
                });
                n_serving = row.len();
                if matches!(model, Model::PMedian { .. }) {
                    // Dearer than every multiplier: such an entry never counts.
                    let largest = i128::from(largest[demand]);
                    row.retain(|pair| weight * i128::from(pair.0) * one < largest);
                    // By ascending cost, so that reading a row may stop at the multiplier.
                    row.sort_unstable();
                    checker.cost.extend(row.iter().map(|pair| weight * i128::from(pair.0) * one));
                }
                checker.site.extend(row.iter().map(|pair| pair.1));
            }
            let servable = times <= n_serving;
            if model.maximizes() && servable {
                checker.coverable += weight;
            }
            checker.most.push(match (weight, model.maximizes(), servable) {
                (0, _, _) | (_, true, false) => 0,
                (_, true, true) => weight * one / times as i128,
                (_, false, _) => i128::MAX,
            });
            checker.start.push(checker.site.len());
        }
        let plain = !matches!(model, Model::PMedian { .. }) && checker.rules.is_empty() && times == 1;
        if plain && problem.capacity.is_empty() {
            checker.leave_out(&certificate.reductions, !model.maximizes());
        }
        // Elsewhere walks or missed points cost, too, of which lemmas know nothing.
        if matches!(model, Model::SetCover) {
            certificate.lemmas.iter().for_each(|lemma| checker.learn(certificate, lemma));
        }
        checker
    }

    /// Proves the lemma and adds it to the rules.
    fn learn(&mut self, certificate: &Certificate, lemma: &Lemma) {
        let mut cost = vec![0i128; self.n_sites];
        for &(site, own) in &lemma.cost {
            if let Some(cost) = cost.get_mut(site as usize) {
                *cost = (*cost + i128::from(own)).min(MOST_LEMMA);
            }
        }
        let terms = (0..).zip(&cost).filter(|term| 0 < *term.1).map(|(site, &cost)| (site, -cost as i64));
        let terms = terms.collect();
        let own = std::mem::replace(&mut self.open_cost, cost);
        let least = self.lowest(certificate, &lemma.steps).clamp(0, MOST_LEMMA);
        self.open_cost = own;
        self.rules.push(LinearRule { terms, limit: -least as i64 });
    }

    /// Accepts a reduction only if what it names as the reason is still there and holds.
    fn leave_out(&mut self, reductions: &[Reduction], points_may_go: bool) {
        if reductions.is_empty() {
            return;
        }
        let n_points = self.most.len();
        let mut points = vec![Vec::new(); self.n_sites];
        for demand in 0..n_points {
            self.site[self.start[demand]..self.start[demand + 1]].sort_unstable();
            for &site in &self.site[self.start[demand]..self.start[demand + 1]] {
                points[site as usize].push(demand as u32);
            }
        }
        let mut gone = vec![false; self.n_sites];
        let mut left_out = vec![false; n_points];
        for reduction in reductions {
            match *reduction {
                Reduction::Site { site, by } => {
                    let (site, by) = (site as usize, by as usize);
                    if site >= self.n_sites || by >= self.n_sites || site == by || gone[site] || gone[by] {
                        continue;
                    }
                    let cheaper =
                        self.open_cost[by] <= self.open_cost[site] || self.fixed.contains(&(by as u32));
                    let mut left = points[site].iter().filter(|&&demand| !left_out[demand as usize]);
                    let subset = left.all(|demand| points[by].binary_search(demand).is_ok());
                    if cheaper && subset && !self.fixed.contains(&(site as u32)) {
                        gone[site] = true;
                        self.closed.push(site as u32);
                    }
                }
                Reduction::Point { point, by } => {
                    let (point, by) = (point as usize, by as usize);
                    let both = point != by && point < n_points && by < n_points && points_may_go;
                    // A point of weight 0 has no row and asks for nothing, so that it implies nothing either.
                    if !both || left_out[by] || self.most[by] == 0 {
                        continue;
                    }
                    let row = |demand: usize| &self.site[self.start[demand]..self.start[demand + 1]];
                    let mut left = row(by).iter().filter(|&&site| !gone[site as usize]);
                    left_out[point] = left.all(|site| row(point).binary_search(site).is_ok());
                }
            }
        }
    }

    /// What the certificate's own tree proves, in whole units rounded up.
    fn bound(&self, certificate: &Certificate) -> i128 {
        let lowest = self.lowest(certificate, &certificate.steps);
        lowest.div_euclid(self.one) + i128::from(lowest.rem_euclid(self.one) != 0)
    }

    /// Walks a tree; the bound is the smallest of its leaves, scaled.
    fn lowest(&self, certificate: &Certificate, steps: &[Step]) -> i128 {
        let mut fate: Vec<Option<bool>> = vec![None; self.n_sites];
        self.fixed.iter().for_each(|&site| fate[site as usize] = Some(true));
        self.closed.iter().for_each(|&site| fate[site as usize] = Some(false));
        let mut lowest: Option<i128> = None;
        let mut pending = vec![fate];
        let lower = |value: i128, lowest: &mut Option<i128>| {
            *lowest = Some(lowest.map_or(value, |lowest| lowest.min(value)));
        };
        let mut reduced = vec![0i128; self.n_sites];
        for step in steps {
            let Some(mut fate) = pending.pop() else { return 0 };
            match step {
                Step::Leaf { dual, sites } => {
                    let Some(dual) = certificate.duals.get(*dual) else { return 0 };
                    lower(self.value(dual, *sites, &fate, &mut reduced), &mut lowest);
                }
                Step::Fix { dual, sites, fixed } => {
                    let Some(dual) = certificate.duals.get(*dual) else { return 0 };
                    let value = self.value(dual, *sites, &fate, &mut reduced);
                    for &(site, open) in fixed {
                        let Some(place) = fate.get_mut(site as usize) else { return 0 };
                        match *place {
                            // Changing the site costs what the relaxation saves by its own choice.
                            None => {
                                let reduced = reduced[site as usize];
                                let change = if open { (-reduced).max(0) } else { reduced.max(0) };
                                lower(value + change, &mut lowest);
                            }
                            Some(decided) if decided == open => {}
                            Some(_) => return 0,
                        }
                        *place = Some(open);
                    }
                    pending.push(fate);
                }
                Step::Branch { site, open_first } => {
                    let site = *site as usize;
                    if fate.get(site).is_none_or(|decided| decided.is_some()) {
                        return 0;
                    }
                    fate[site] = Some(!open_first);
                    let mut first = fate.clone();
                    first[site] = Some(*open_first);
                    pending.push(fate);
                    pending.push(first);
                }
            }
        }
        if !pending.is_empty() {
            return 0;
        }
        lowest.unwrap_or(0)
    }

    /// The relaxation at the multipliers, under the decisions; fills the reduced costs.
    fn value(&self, dual: &Multipliers, p_price: u64, fate: &[Option<bool>], reduced: &mut [i128]) -> i128 {
        let p_price = if self.p.is_some() { i128::from(p_price) } else { 0 };
        let mut value = -p_price * self.p.unwrap_or(0) as i128;
        for (reduced, cost) in reduced.iter_mut().zip(&self.open_cost) {
            *reduced = cost + p_price;
        }
        // Each point once, or a multiplier could pass what missing the point costs.
        let ascending = dual.few.windows(2).all(|pair| pair[0].0 < pair[1].0) && dual.demand.is_empty();
        let few = dual.few.iter().filter(|_| ascending).map(|&(demand, u)| (demand as usize, u));
        let dense = dual.demand.iter().copied().enumerate();
        let mut savings = vec![Vec::new(); self.capacity.len()];
        let mut save = |reduced: &mut [i128], site: u32, demand: usize, saving: i128| match savings
            .get_mut(site as usize)
        {
            None => reduced[site as usize] -= saving,
            Some(savings) => savings.push((saving, self.weight[demand])),
        };
        for (demand, u) in dense.chain(few).filter(|&(demand, u)| u > 0 && demand < self.most.len()) {
            let u = i128::from(u).min(self.most[demand]);
            let range = self.start[demand]..self.start[demand + 1];
            if 1 < self.times && self.most[demand] < i128::MAX {
                // With fewer than two sites left the point stays unserved, whatever one of them does.
                let alive =
                    self.site[range.clone()].iter().filter(|&&site| fate[site as usize] != Some(false));
                if (alive.count() as i128) < self.times {
                    value += self.most[demand] * self.times;
                    continue;
                }
            }
            value += u * self.times;
            if self.cost.is_empty() {
                self.site[range].iter().for_each(|&site| save(reduced, site, demand, u));
            } else {
                for (&site, &cost) in self.site[range.clone()].iter().zip(&self.cost[range]) {
                    if u <= cost {
                        break;
                    }
                    save(reduced, site, demand, u - cost);
                }
            }
        }
        for ((savings, &capacity), reduced) in savings.into_iter().zip(&self.capacity).zip(reduced.iter_mut())
        {
            *reduced -= most_that_fits(savings, capacity);
        }
        for &(rule, price) in &dual.rules {
            let Some(rule) = self.rules.get(rule as usize) else { continue };
            value -= i128::from(price) * i128::from(rule.limit);
            for &(site, coefficient) in &rule.terms {
                reduced[site as usize] += i128::from(price) * i128::from(coefficient);
            }
        }
        for (fate, &reduced) in fate.iter().zip(reduced.iter()) {
            value += match fate {
                Some(true) => reduced,
                Some(false) => 0,
                None => reduced.min(0),
            };
        }
        value
    }
}

/// The largest sum of savings whose weights fit in the capacity, the last one in part and rounded up.
fn most_that_fits(mut savings: Vec<(i128, i128)>, capacity: i128) -> i128 {
    savings.retain(|&(_, weight)| weight <= capacity);
    let load: i128 = savings.iter().map(|&(_, weight)| weight).sum();
    if capacity < load {
        savings.sort_unstable_by(|a, b| (b.0 * a.1).cmp(&(a.0 * b.1)));
    }
    let (mut room, mut sum) = (capacity, 0);
    for (saving, weight) in savings {
        if room <= 0 {
            break;
        }
        let part = weight.min(room);
        sum += if part == weight { saving } else { (saving * part + weight - 1) / weight };
        room -= part;
    }
    sum
}
