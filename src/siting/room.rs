//! A bound that knows the capacities: with multipliers on the demand points, what a site can gain is a knapsack.
//!
//! The relaxation of [`super::certificate`] with capacities separates by site: the points that gain most per weight are
//! taken until the site is full, the last one in part. Multipliers come from the volume algorithm (Barahona and Anbil 2000,
//! see [`super::bound`]) and start from those found without capacities; steps are weighted by point. The best possible
//! value is that of the linear relaxation of the compact model.
//! Source of the relaxation: Pirkul (1987), "Efficient algorithms for the capacitated concentrator location problem".

use super::certificate::{Certificate, LinearRule, Multipliers, Step, rules_of};
use super::{Clock, Effort, Model, Options, Problem};

/// A site's points and what it may take.
struct Site {
    cost: f64,
    capacity: f64,
    fixed: bool,
    /// Point, its weight, weight times walk; points heavier than the capacity are left out.
    points: Vec<(u32, f64, f64)>,
}

impl Site {
    /// The largest gain that fits, and how much of each point it takes: the point's place and the share.
    fn fill(&self, u: &[f64], taken: &mut Vec<(u32, f64)>) -> f64 {
        taken.clear();
        // Gain per weight, weight, point.
        let mut items: Vec<(f64, f64, u32)> = Vec::new();
        let mut load = 0.0;
        for &(point, weight, walk) in &self.points {
            let gain = u[point as usize] - walk;
            if gain > 0.0 {
                items.push((gain / weight, weight, point));
                load += weight;
            }
        }
        if self.capacity < load {
            items.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.2.cmp(&b.2)));
        }
        let (mut room, mut sum) = (self.capacity, 0.0);
        for (rate, weight, point) in items {
            let share = (room / weight).min(1.0);
            if share <= 0.0 {
                break;
            }
            sum += rate * weight * share;
            room -= weight * share;
            taken.push((point, share));
        }
        sum
    }
}

/// The relaxation of one problem.
struct Room {
    times: f64,
    weight: Vec<f64>,
    /// Largest multiplier of each point: what missing it costs.
    most: Vec<f64>,
    sites: Vec<Site>,
    rules: Vec<LinearRule>,
    p: Option<usize>,
    /// Points with their sites, in all.
    pairs: usize,
}

/// A point in the space of multipliers.
#[derive(Clone)]
struct Dual {
    u: Vec<f64>,
    price: Vec<f64>,
}

/// What the relaxation says there.
struct Value {
    value: f64,
    p_price: f64,
    open: Vec<bool>,
    /// How far each point's service falls short, and each rule is passed: the subgradient.
    missing: Vec<f64>,
    passed: Vec<f64>,
}

/// Work in pairs, and steps at most.
fn work(effort: Effort) -> (usize, usize) {
    match effort {
        Effort::Quick => (10_000_000, 80),
        Effort::Full => (200_000_000, 1000),
        Effort::Proof => (400_000_000, 2000),
    }
}

/// What the relaxation yields: a certificate that knows the capacities, and the sites it would rather open.
pub(super) struct Relaxed {
    pub certificate: Certificate,
    pub sites: Vec<u32>,
}

/// Relaxes a problem with capacities. `start` is a certificate found without them, or for another number of sites.
///
/// O(pairs · log pairs) a step; the steps are limited by the effort. `None` for p-center and without capacities.
pub(super) fn relax(
    problem: &Problem,
    model: Model,
    start: &Certificate,
    options: &Options,
    clock: &Clock,
) -> Option<Relaxed> {
    if problem.capacity.is_empty() || matches!(model, Model::PCenter { .. }) {
        return None;
    }
    let room = Room::new(problem, model);
    let first = room.first(start);
    Some(room.climb(first, options, clock))
}

/// How far above the best value the first steps aim, as a share of the value or of all weight.
const LEVEL: f64 = 0.05;
/// How much a step counts in the averages at first.
const FRESH: f64 = 0.1;
/// Steps without a gain before they get shorter.
const PATIENCE: usize = 12;

impl Room {
    fn new(problem: &Problem, model: Model) -> Self {
        let times = problem.backup.times();
        let (n_demand, n_sites) = (problem.table.n_demand(), problem.table.n_sites());
        let own_cost = |site: usize| match model {
            Model::SetCover => problem.site_cost.get(site).map_or(1.0, |&cost| f64::from(cost)),
            _ => 0.0,
        };
        let mut sites: Vec<Site> = (0..n_sites)
            .map(|site| Site {
                cost: own_cost(site),
                capacity: problem.capacity[site] as f64,
                fixed: problem.fixed.contains(&(site as u32)),
                points: Vec::new(),
            })
            .collect();
        let is_median = matches!(model, Model::PMedian { .. });
        let (mut weights, mut most, mut pairs) = (Vec::new(), Vec::new(), 0);
        for demand in 0..n_demand {
            let weight = problem.weight(demand);
            let mut serving = 0;
            if weight > 0 {
                problem.visit_row(demand, |site, cost| {
                    serving += 1;
                    if weight <= problem.capacity[site as usize] {
                        let walk = if is_median { weight as f64 * f64::from(cost) } else { 0.0 };
                        sites[site as usize].points.push((demand as u32, weight as f64, walk));
                        pairs += 1;
                    }
                });
            }
            weights.push(weight as f64);
            most.push(match (weight, model.maximizes()) {
                (0, _) => 0.0,
                (_, true) if serving < times => 0.0,
                (_, true) => weight as f64 / times as f64,
                (_, false) => f64::INFINITY,
            });
        }
        Self {
            times: times as f64,
            weight: weights,
            most,
            sites,
            rules: rules_of(problem),
            p: model.p(),
            pairs,
        }
    }

    /// The first multipliers of a certificate.
    fn first(&self, certificate: &Certificate) -> Dual {
        let unit = 1.0 / (1u64 << certificate.scale_bits.min(60)) as f64;
        let dual = certificate.duals.first();
        let mut u = vec![0.0; self.weight.len()];
        let mut price = vec![0.0; self.rules.len()];
        if let Some(dual) = dual {
            u.iter_mut().zip(&dual.demand).for_each(|(u, &own)| *u = own as f64 * unit);
            for &(rule, own) in &dual.rules {
                if let Some(price) = price.get_mut(rule as usize) {
                    *price = own as f64 * unit;
                }
            }
        }
        u.iter_mut().zip(&self.most).for_each(|(u, &most)| *u = u.clamp(0.0, most));
        Dual { u, price }
    }

    fn evaluate(&self, dual: &Dual) -> Value {
        let mut value: f64 = dual.u.iter().sum::<f64>() * self.times;
        let mut taken = Vec::new();
        let mut reduced: Vec<f64> =
            self.sites.iter().map(|site| site.cost - site.fill(&dual.u, &mut taken)).collect();
        for (rule, &price) in self.rules.iter().zip(&dual.price) {
            value -= price * rule.limit as f64;
            for &(site, coefficient) in &rule.terms {
                reduced[site as usize] += price * coefficient as f64;
            }
        }
        let mut open: Vec<usize> = (0..self.sites.len()).filter(|&site| self.sites[site].fixed).collect();
        let mut free: Vec<usize> =
            (0..self.sites.len()).filter(|&site| !self.sites[site].fixed && reduced[site] < 0.0).collect();
        let mut p_price = 0.0;
        if let Some(p) = self.p {
            let places = p.saturating_sub(open.len());
            free.sort_unstable_by(|&a, &b| reduced[a].total_cmp(&reduced[b]).then(a.cmp(&b)));
            p_price = free.get(places).map_or(0.0, |&next| -reduced[next]);
            free.truncate(places);
        }
        open.extend(free);
        let mut missing: Vec<f64> =
            self.most.iter().map(|&most| if most > 0.0 { self.times } else { 0.0 }).collect();
        let mut is_open = vec![false; self.sites.len()];
        for &site in &open {
            value += reduced[site];
            is_open[site] = true;
            self.sites[site].fill(&dual.u, &mut taken);
            taken.iter().for_each(|&(point, share)| missing[point as usize] -= share);
        }
        let passed = |rule: &LinearRule| {
            let terms = rule.terms.iter().filter(|term| is_open[term.0 as usize]);
            terms.map(|term| term.1 as f64).sum::<f64>() - rule.limit as f64
        };
        let passed = self.rules.iter().map(passed).collect();
        Value { value, p_price, open: is_open, missing, passed }
    }

    /// The volume algorithm: steps from the best multipliers along an average of what earlier steps found missing.
    fn climb(&self, first: Dual, options: &Options, clock: &Clock) -> Relaxed {
        let (work, most_steps) = work(options.effort);
        let steps = (work / (self.pairs + 1)).clamp(20, most_steps);
        let total: f64 = self.weight.iter().sum();
        let mut best = first;
        let mut found = self.evaluate(&best);
        let reach = self.reach(&found, total);
        let (mut best_value, mut best_price) = (found.value, found.p_price);
        let mut missing = found.missing.clone();
        let mut passed = found.passed.clone();
        let mut share: Vec<f64> = found.open.iter().map(|&open| f64::from(u8::from(open))).collect();
        let (mut length, mut alpha, mut idle) = (0.1, FRESH, 0);
        let (mut level, mut last) = (LEVEL * found.value.abs().max(total), found.value);
        for step in 0..steps {
            if length < 1e-5 || clock.is_over() {
                break;
            }
            let mut square = 0.0;
            for (point, &missing) in missing.iter().enumerate() {
                let u = best.u[point];
                let blocked = (u <= 0.0 && missing < 0.0) || (self.most[point] <= u && 0.0 < missing);
                square += if blocked { 0.0 } else { missing * missing * self.weight[point] };
            }
            for (rule, &passed) in passed.iter().enumerate() {
                let blocked = best.price[rule] <= 0.0 && passed < 0.0;
                square += if blocked { 0.0 } else { passed * passed * reach[rule] };
            }
            let far = length * level / square.max(1e-12);
            let along = |(point, &u): (usize, &f64)| {
                (u + far * self.weight[point] * missing[point]).clamp(0.0, self.most[point])
            };
            let price = |(rule, &price): (usize, &f64)| (price + far * reach[rule] * passed[rule]).max(0.0);
            let trial = Dual {
                u: best.u.iter().enumerate().map(along).collect(),
                price: best.price.iter().enumerate().map(price).collect(),
            };
            found = self.evaluate(&trial);
            let mix = |old: &mut f64, new: f64| *old += alpha * (new - *old);
            missing.iter_mut().zip(&found.missing).for_each(|(old, &new)| mix(old, new));
            passed.iter_mut().zip(&found.passed).for_each(|(old, &new)| mix(old, new));
            share.iter_mut().zip(&found.open).for_each(|(old, &new)| mix(old, f64::from(u8::from(new))));
            if best_value < found.value {
                (best, best_value, best_price, idle) = (trial, found.value, found.p_price, 0);
                length = (length * 1.1).min(2.0);
            } else {
                idle += 1;
                if idle == PATIENCE {
                    (length, idle) = (length * 0.66, 0);
                }
            }
            if step % 100 == 99 {
                if best_value < last + 0.2 * level {
                    (alpha, level) = ((alpha * 0.5).max(1e-3), level * 0.5);
                }
                last = best_value;
            }
        }
        Relaxed { certificate: certificate(&best, best_price), sites: self.likeliest(&share) }
    }

    /// How far each rule's multiplier moves: by what a site is worth to the rule, as those of points move by weight.
    fn reach(&self, found: &Value, total: f64) -> Vec<f64> {
        let n_open = found.open.iter().filter(|&&open| open).count().max(1);
        let of_rule = |rule: &LinearRule| {
            let largest = rule.terms.iter().map(|term| term.1.abs()).max().unwrap_or(1).max(1) as f64;
            total / n_open as f64 / (largest * largest)
        };
        self.rules.iter().map(of_rule).collect()
    }

    /// Fixed sites, and as many as p allows of those open most often; without p those open more often than not.
    fn likeliest(&self, share: &[f64]) -> Vec<u32> {
        let is_fixed = |site: &u32| self.sites[*site as usize].fixed;
        let all = 0..self.sites.len() as u32;
        let mut sites: Vec<u32> = all.clone().filter(is_fixed).collect();
        let mut free: Vec<u32> = all.filter(|site| !is_fixed(site) && share[*site as usize] > 0.0).collect();
        free.sort_unstable_by(|&a, &b| share[b as usize].total_cmp(&share[a as usize]).then(a.cmp(&b)));
        match self.p {
            Some(p) => free.truncate(p.saturating_sub(sites.len())),
            None => free.retain(|&site| share[site as usize] > 0.5),
        }
        sites.extend(free);
        sites.sort_unstable();
        sites
    }
}

/// One leaf with these multipliers, rounded down.
fn certificate(dual: &Dual, p_price: f64) -> Certificate {
    let largest = dual.u.iter().chain(&dual.price).fold(p_price, |largest, &own| largest.max(own));
    // A finer unit costs nothing; sums of four billion multipliers stay within 128 bits.
    let scale_bits = (52.0 - largest.max(1.0).log2().ceil()).clamp(0.0, 32.0) as u32;
    let scaled = |own: f64| (own * (1u64 << scale_bits) as f64) as u64;
    let rules = dual.price.iter().enumerate().filter(|(_, price)| **price > 0.0);
    Certificate {
        scale_bits,
        duals: vec![Multipliers {
            demand: dual.u.iter().map(|&own| scaled(own)).collect(),
            few: Vec::new(),
            rules: rules.map(|(rule, &price)| (rule as u32, scaled(price))).collect(),
        }],
        steps: vec![Step::Leaf { dual: 0, sites: scaled(p_price) }],
        ..Certificate::default()
    }
}
