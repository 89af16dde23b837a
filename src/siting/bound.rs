//! Lagrangian bounds by the volume algorithm.
//!
//! Relaxing "every row is served" with multipliers `u` and the rules with multipliers `price >= 0` leaves one
//! number per site, its reduced cost; the cheapest choice of at most p sites is then read off. The running average
//! of these choices approaches an optimal fractional answer.
//! Source: Barahona and Anbil (2000), "The volume algorithm: producing primal solutions with a subgradient method".

use super::Clock;
use super::build::{Core, Fate, MUST};

/// Multipliers and what they prove.
#[derive(Clone, Debug)]
pub(crate) struct Dual {
    /// Per row, weighted.
    pub u: Vec<f64>,
    /// Per rule of the core, not negative.
    pub price: Vec<f64>,
    /// Value of the relaxation (floating point; the certificate recomputes it in integers).
    pub value: f64,
    /// Reduced cost per site, rule prices included.
    pub reduced: Vec<f64>,
}

/// Result of one evaluation: value, and the sites the relaxation opens.
pub(crate) struct Relaxed {
    pub value: f64,
    pub chosen: Vec<u32>,
}

/// Evaluates the relaxation at (`u`, `price`), writing reduced costs to `reduced`.
pub(crate) fn evaluate(core: &Core, fate: &[Fate], u: &[f64], price: &[f64], reduced: &mut [f64]) -> Relaxed {
    evaluate_with_fronts(core, fate, u, price, reduced, &mut vec![0; core.n_rows()])
}

/// The same; where costs count, `front` becomes the number of sites of each row that are cheaper than its multiplier.
fn evaluate_with_fronts(
    core: &Core,
    fate: &[Fate],
    u: &[f64],
    price: &[f64],
    reduced: &mut [f64],
    front: &mut [u32],
) -> Relaxed {
    let mut value = 0.0;
    for (site, &cost) in core.open_cost.iter().enumerate() {
        reduced[site] = cost as f64;
    }
    for (rule, &price) in core.rules.iter().zip(price) {
        value -= price * rule.limit as f64;
        if price != 0.0 {
            for &(site, coefficient) in &rule.terms {
                reduced[site as usize] += price * coefficient as f64;
            }
        }
    }
    let times = core.times as f64;
    if core.row_cost.is_empty() {
        for (row, &u) in u.iter().enumerate() {
            value += times * u;
            if u != 0.0 {
                for &site in &core.row_site[core.row(row)] {
                    reduced[site as usize] -= u;
                }
            }
        }
    } else {
        for ((row, &u), front) in u.iter().enumerate().zip(front) {
            value += times * u;
            let weight = core.weight[row] as f64;
            let range = core.row(row);
            *front = 0;
            // Costs ascend, so that the sites that save something stand in front.
            for (&site, &cost) in core.row_site[range.clone()].iter().zip(&core.row_cost[range]) {
                let saved = u - weight * f64::from(cost);
                if saved <= 0.0 {
                    break;
                }
                reduced[site as usize] -= saved;
                *front += 1;
            }
        }
    }
    let mut chosen = Vec::new();
    let mut free = Vec::new();
    for (site, fate) in fate.iter().enumerate() {
        match fate {
            Fate::Open => {
                value += reduced[site];
                chosen.push(site as u32);
            }
            Fate::Free if reduced[site] < 0.0 => free.push(site as u32),
            _ => {}
        }
    }
    let room = core.p.map_or(usize::MAX, |p| p.saturating_sub(chosen.len()));
    let order = |one: &u32, other: &u32| {
        reduced[*one as usize].total_cmp(&reduced[*other as usize]).then(one.cmp(other))
    };
    if room < free.len() {
        if room > 0 {
            free.select_nth_unstable_by(room - 1, order);
        }
        free.truncate(room);
        free.sort_unstable();
    }
    for &site in &free {
        value += reduced[site as usize];
    }
    chosen.extend(free);
    Relaxed { value, chosen }
}

/// The volume algorithm, resumable.
pub(crate) struct Volume<'c> {
    core: &'c Core,
    pub best: Dual,
    /// Average fraction by which each site is open.
    pub share: Vec<f64>,
    direction: Vec<f64>,
    rule_direction: Vec<f64>,
    theta: f64,
    most_alpha: f64,
    reds: u32,
    since: u32,
    last_value: f64,
    trial_u: Vec<f64>,
    trial_price: Vec<f64>,
    trial_reduced: Vec<f64>,
    gradient: Vec<f64>,
    rule_gradient: Vec<f64>,
    front: Vec<u32>,
    /// Largest useful multiplier per row.
    ceiling: Vec<f64>,
}

impl<'c> Volume<'c> {
    /// Starts from given multipliers, or from a simple guess.
    pub fn new(core: &'c Core, fate: &[Fate], start: Option<(Vec<f64>, Vec<f64>)>) -> Self {
        let (mut u, price) = start.unwrap_or_else(|| (first_guess(core), vec![0.0; core.rules.len()]));
        let ceiling: Vec<f64> = (0..core.n_rows()).map(|row| ceiling(core, row)).collect();
        u.iter_mut().zip(&ceiling).for_each(|(u, &ceiling)| *u = u.min(ceiling));
        let mut reduced = vec![0.0; core.n_sites];
        let mut front = vec![0; u.len()];
        let relaxed = evaluate_with_fronts(core, fate, &u, &price, &mut reduced, &mut front);
        let mut volume = Self {
            core,
            share: vec![0.0; core.n_sites],
            direction: vec![0.0; u.len()],
            rule_direction: vec![0.0; price.len()],
            theta: 0.1,
            most_alpha: if core.row_cost.is_empty() { 0.1 } else { 0.3 },
            reds: 0,
            since: 0,
            last_value: relaxed.value,
            trial_u: u.clone(),
            trial_price: price.clone(),
            trial_reduced: reduced.clone(),
            gradient: vec![0.0; u.len()],
            rule_gradient: vec![0.0; price.len()],
            front,
            ceiling,
            best: Dual { u, price, value: relaxed.value, reduced },
        };
        volume.set_gradient(&relaxed.chosen);
        volume.direction.copy_from_slice(&volume.gradient);
        volume.rule_direction.copy_from_slice(&volume.rule_gradient);
        relaxed.chosen.iter().for_each(|&site| volume.share[site as usize] = 1.0);
        volume
    }

    /// Subgradient at the trial point, whose relaxation opened `chosen`.
    fn set_gradient(&mut self, chosen: &[u32]) {
        let core = self.core;
        self.gradient.fill(core.times as f64);
        if core.row_cost.is_empty() {
            for &site in chosen {
                for &row in &core.col_row[core.col(site as usize)] {
                    self.gradient[row as usize] -= 1.0;
                }
            }
        } else {
            // Only sites cheaper than the multiplier count.
            let mut open = vec![0u8; core.n_sites];
            chosen.iter().for_each(|&site| open[site as usize] = 1);
            for (row, gradient) in self.gradient.iter_mut().enumerate() {
                let start = core.row_start[row];
                let front = &core.row_site[start..start + self.front[row] as usize];
                let n_open: u32 = front.iter().map(|&site| u32::from(open[site as usize])).sum();
                *gradient -= f64::from(n_open);
            }
        }
        for (index, rule) in core.rules.iter().enumerate() {
            self.rule_gradient[index] = -rule.limit as f64;
        }
        if !core.rules.is_empty() {
            let mut open = vec![false; core.n_sites];
            chosen.iter().for_each(|&site| open[site as usize] = true);
            for (index, rule) in core.rules.iter().enumerate() {
                let used: i64 =
                    rule.terms.iter().filter(|term| open[term.0 as usize]).map(|term| term.1).sum();
                self.rule_gradient[index] += used as f64;
            }
        }
    }

    /// One step towards `target`, an upper limit on the bound. Returns the sites the relaxation opened.
    pub fn step(&mut self, fate: &[Fate], target: f64) -> Vec<u32> {
        let mut norm = 0.0;
        for ((&u, &direction), &ceiling) in self.best.u.iter().zip(&self.direction).zip(&self.ceiling) {
            let blocked = (direction < 0.0 && u <= 0.0) || (0.0 < direction && ceiling <= u);
            norm += if blocked { 0.0 } else { direction * direction };
        }
        for (price, direction) in self.best.price.iter().zip(&self.rule_direction) {
            if 0.0 < *price || 0.0 < *direction {
                norm += direction * direction;
            }
        }
        let length =
            self.theta * (target - self.best.value).max(1e-6 * target.abs()).max(1e-9) / norm.max(1e-12);
        let at = self.best.u.iter().zip(&self.direction).zip(&self.ceiling);
        for (trial, ((&u, &direction), &ceiling)) in self.trial_u.iter_mut().zip(at) {
            *trial = (u + length * direction).max(0.0).min(ceiling);
        }
        for index in 0..self.rule_direction.len() {
            self.trial_price[index] = (self.best.price[index] + length * self.rule_direction[index]).max(0.0);
        }
        let (u, price) = (&self.trial_u, &self.trial_price);
        let relaxed =
            evaluate_with_fronts(self.core, fate, u, price, &mut self.trial_reduced, &mut self.front);
        self.set_gradient(&relaxed.chosen);
        self.learn(&relaxed);
        relaxed.chosen
    }

    /// Averages the direction and adapts the step to what the trial point gave.
    fn learn(&mut self, relaxed: &Relaxed) {
        let rows = products(&self.gradient, &self.direction);
        let rules = products(&self.rule_gradient, &self.rule_direction);
        let [along, own, old] = [rows[0] + rules[0], rows[1] + rules[1], rows[2] + rules[2]];
        // The alpha that makes the averaged direction shortest, kept within limits.
        let denominator = own - 2.0 * along + old;
        let shortest = if denominator > 0.0 { (old - along) / denominator } else { self.most_alpha };
        let alpha = shortest.clamp(self.most_alpha / 10.0, self.most_alpha);
        let mix = |direction: &mut f64, gradient: f64| *direction += alpha * (gradient - *direction);
        self.direction
            .iter_mut()
            .zip(&self.gradient)
            .for_each(|(direction, &gradient)| mix(direction, gradient));
        let rules = self.rule_direction.iter_mut().zip(&self.rule_gradient);
        rules.for_each(|(direction, &gradient)| mix(direction, gradient));
        self.share.iter_mut().for_each(|share| *share *= 1.0 - alpha);
        relaxed.chosen.iter().for_each(|&site| self.share[site as usize] += alpha);
        if self.best.value < relaxed.value {
            self.best.value = relaxed.value;
            self.best.u.copy_from_slice(&self.trial_u);
            self.best.price.copy_from_slice(&self.trial_price);
            self.best.reduced.copy_from_slice(&self.trial_reduced);
            self.reds = 0;
            if along > 0.0 {
                self.theta = (self.theta * 1.1).min(2.0);
            }
        } else {
            self.reds += 1;
            if self.reds >= if self.core.row_cost.is_empty() { 10 } else { 6 } {
                self.reds = 0;
                self.theta *= 0.66;
            }
        }
        self.since += 1;
        if self.since == 100 {
            if self.best.value < self.last_value + 0.01 * self.last_value.abs() && self.most_alpha > 1e-4 {
                self.most_alpha *= 0.5;
            }
            self.last_value = self.best.value;
            self.since = 0;
        }
    }

    /// The p sites that the relaxation opens most often; `None` without p.
    pub fn likeliest(&self) -> Option<Vec<u32>> {
        let core = self.core;
        let mut sites: Vec<u32> =
            (0..core.n_sites as u32).filter(|&site| core.fate[site as usize] != Fate::Closed).collect();
        let share =
            |site: u32| if core.fate[site as usize] == Fate::Open { 2.0 } else { self.share[site as usize] };
        sites.sort_unstable_by(|&one, &other| share(other).total_cmp(&share(one)).then(one.cmp(&other)));
        sites.truncate(core.p?);
        sites.sort_unstable();
        Some(sites)
    }

    /// Whether further steps are too short to matter.
    pub fn is_exhausted(&self) -> bool {
        self.theta < 1e-5
    }
}

/// Inner products of a with b, a with a and b with b.
fn products(a: &[f64], b: &[f64]) -> [f64; 3] {
    a.iter().zip(b).fold([0.0; 3], |sum, (a, b)| [sum[0] + a * b, sum[1] + a * a, sum[2] + b * b])
}

/// Every so many steps [`climb`] looks whether it still rises.
const STRIDE: usize = 40;

/// Up to `steps` steps; `visit` sees every choice of the relaxation and may lower the target.
pub(crate) fn climb(
    volume: &mut Volume,
    fate: &[Fate],
    steps: usize,
    mut target: f64,
    clock: &Clock,
    mut visit: impl FnMut(usize, &[u32], &Volume) -> f64,
) {
    let mut last = volume.best.value;
    for step in 0..steps {
        if clock.is_over() || volume.is_exhausted() || target <= (volume.best.value - 0.01).ceil() {
            return;
        }
        if step % STRIDE == STRIDE - 1 {
            // Crawling: what is left of the gap needs branching, not more of the same.
            let left = target - volume.best.value;
            let (least, from) = if volume.core.row_cost.is_empty() { (0.003, 300) } else { (0.1, 160) };
            if volume.best.value - last < least * left.min(1e18) && step > from {
                return;
            }
            last = volume.best.value;
        }
        let chosen = volume.step(fate, target);
        target = visit(step, &chosen, volume).min(target);
    }
}

/// Largest useful multiplier of a row.
fn ceiling(core: &Core, row: usize) -> f64 {
    if core.miss[row] == MUST { f64::INFINITY } else { core.miss[row] as f64 / core.times as f64 }
}

/// Multipliers to begin with: what serving the row costs by its second-cheapest site, or its share of a site.
fn first_guess(core: &Core) -> Vec<f64> {
    (0..core.n_rows())
        .map(|row| {
            let range = core.row(row);
            if core.row_cost.is_empty() {
                let share =
                    |site: u32| core.open_cost[site as usize] as f64 / core.col(site as usize).len() as f64;
                let shares = core.row_site[range].iter().map(|&site| share(site));
                let least = shares.fold(f64::INFINITY, f64::min);
                if core.miss[row] == MUST { least } else { 0.1 * core.miss[row] as f64 / core.times as f64 }
            } else {
                // The p of n sites lie so that about n/p sites are nearer than the second open one.
                let ahead = core.p.map_or(1, |p| (core.n_sites / p.max(1)).min(range.len() - 1));
                core.weight[row] as f64 * f64::from(core.row_cost_at(range.start + ahead))
            }
        })
        .collect()
}
