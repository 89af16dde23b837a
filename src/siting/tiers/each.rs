//! One station in each community: exchanges within the communities, and a bound that takes each community exactly.
//!
//! The choice of one site from each of many groups such that most weight is covered. With multipliers `u_i` on the
//! points every group gives at most its best place, `max_j Σ u_i` over the points that `j` reaches, which is the bound;
//! the multipliers come from the subgradient method (Held, Wolfe, Crowder 1974), and each step's best places are a start
//! for exchanges. The bound's multipliers are a certificate like any other.

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::super::certificate::{Certificate, Multipliers, Step, rules_of};
use super::super::{Clock, Group, Problem};

/// Entries of the table read for the bound, and most steps.
const BOUND_ENTRIES: usize = 400_000_000;
const MOST_STEPS: usize = 400;
/// Every so many steps the best places are a start for exchanges.
const EVERY: usize = 20;
/// Entries read by exchanges after kicks, and most kicks.
const KICK_ENTRIES: usize = 100_000_000;
const MOST_KICKS: usize = 2_000;
/// Bits after the binary point of a multiplier.
const BITS: u32 = 16;

/// The places of the groups with the points that each reaches.
pub(super) struct Each<'a> {
    problem: &'a Problem<'a>,
    /// Per column its points, and whether each is within a nearer limit.
    points_of: Vec<Vec<(u32, bool)>>,
    weight: Vec<u64>,
    times: u32,
}

/// How often each point is reached: at all, and within the nearer limit.
type Depth = Vec<(u32, u32)>;

impl<'a> Each<'a> {
    /// Every group of `problem` asks for exactly one site, or for none; fixed sites are in none of them.
    pub fn new(problem: &'a Problem<'a>, nearer: Option<u32>) -> Self {
        let n_demand = problem.table.n_demand();
        let mut points_of = vec![Vec::new(); problem.table.n_sites()];
        let mut weight = vec![0; n_demand];
        let times = problem.backup.times();
        for (demand, weight) in weight.iter_mut().enumerate() {
            let mut n = 0;
            problem.visit_row(demand, |column, cost| {
                n += 1;
                points_of[column as usize].push((demand as u32, nearer.is_some_and(|limit| cost <= limit)));
            });
            // What too few places reach counts nowhere.
            *weight = if times <= n { problem.weight(demand) } else { 0 };
        }
        Self { problem, points_of, weight, times: times as u32 }
    }

    fn add(&self, depth: &mut Depth, column: u32) {
        for &(point, near) in &self.points_of[column as usize] {
            let depth = &mut depth[point as usize];
            *depth = (depth.0 + 1, depth.1 + u32::from(near));
        }
    }

    fn take(&self, depth: &mut Depth, column: u32) {
        for &(point, near) in &self.points_of[column as usize] {
            let depth = &mut depth[point as usize];
            *depth = (depth.0 - 1, depth.1 - u32::from(near));
        }
    }

    /// Weight that one more site at the column brings into reach, and into the nearer limit.
    fn gain(&self, depth: &Depth, column: u32) -> (u64, u64) {
        let mut gain = (0, 0);
        for &(point, near) in &self.points_of[column as usize] {
            let (all, close) = depth[point as usize];
            let weight = self.weight[point as usize];
            gain.0 += if all + 1 == self.times { weight } else { 0 };
            gain.1 += if near && close == 0 { weight } else { 0 };
        }
        gain
    }

    /// Exchanges sites for other places of their groups as long as more weight is in reach, or as much and more within
    /// the nearer limit. Returns the weight in reach.
    pub fn exchange(&self, sites: &mut [u32]) -> u64 {
        let mut depth: Depth = vec![(0, 0); self.weight.len()];
        sites.iter().for_each(|&site| self.add(&mut depth, site));
        let mut place_of = vec![usize::MAX; self.points_of.len()];
        sites.iter().enumerate().for_each(|(place, &site)| place_of[site as usize] = place);
        let mut improved = true;
        while improved {
            improved = false;
            for group in self.problem.groups.iter().filter(|group| 0 < group.at_most) {
                let open = group.sites.iter().copied().find(|&site| place_of[site as usize] != usize::MAX);
                let Some(out) = open else { continue };
                self.take(&mut depth, out);
                let key = |&site: &u32| (self.gain(&depth, site), std::cmp::Reverse(site));
                let best = group.sites.iter().copied().max_by_key(key).unwrap_or(out);
                let inn = if self.gain(&depth, out) < self.gain(&depth, best) { best } else { out };
                self.add(&mut depth, inn);
                if inn != out {
                    improved = true;
                    let place = std::mem::replace(&mut place_of[out as usize], usize::MAX);
                    place_of[inn as usize] = place;
                    sites[place] = inn;
                }
            }
        }
        sites.sort_unstable();
        let reached = depth.iter().zip(&self.weight).filter(|(depth, _)| self.times <= depth.0);
        reached.map(|(_, &weight)| weight).sum()
    }

    /// The best choice that exchanges find from `start` and from what the relaxation opens, and the multipliers of the
    /// least bound.
    pub fn solve(&self, start: Vec<u32>, clock: &Clock) -> (Vec<u32>, Certificate) {
        let mut best = start;
        let mut reached = self.exchange(&mut best);
        let entries: usize = self.points_of.iter().map(Vec::len).sum();
        let steps = (BOUND_ENTRIES / entries.max(1)).min(MOST_STEPS);
        let k = f64::from(self.times);
        let most = |point: usize| self.weight[point] as f64 / k;
        let mut u: Vec<f64> = (0..self.weight.len()).map(most).collect();
        let (mut least, mut least_u) = (f64::INFINITY, u.clone());
        let (mut pace, mut idle) = (1.0, 0);
        for step in 0..steps {
            let (opened, bound, depth) = self.relax(&u);
            if bound < least - 1e-6 {
                (least, idle) = (bound, 0);
                least_u.copy_from_slice(&u);
            } else {
                idle += 1;
                if idle % 10 == 0 {
                    pace *= 0.7;
                }
            }
            if step % EVERY == 0 {
                let mut sites = opened;
                let found = self.exchange(&mut sites);
                if reached < found {
                    (reached, best) = (found, sites);
                }
            }
            if least < reached as f64 + 1.0 || clock.is_over() {
                break;
            }
            // Towards: each point reached k times. At an end of its range a multiplier cannot go on.
            let slope = |point: usize| {
                let slope = f64::from(depth[point]) - k;
                let stuck = (slope < 0.0 && most(point) <= u[point]) || (0.0 < slope && u[point] <= 0.0);
                if stuck || self.weight[point] == 0 { 0.0 } else { slope }
            };
            let slopes: Vec<f64> = (0..u.len()).map(slope).collect();
            let norm: f64 = slopes.iter().map(|slope| slope * slope).sum();
            if norm == 0.0 {
                break;
            }
            let length = pace * (bound - reached as f64).max(1.0) / norm;
            for (point, slope) in slopes.into_iter().enumerate() {
                u[point] = (u[point] - length * slope).clamp(0.0, most(point));
            }
        }
        let kicks = (KICK_ENTRIES / entries.max(1)).min(MOST_KICKS);
        let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
        for _ in 0..kicks {
            if least < reached as f64 + 1.0 || clock.is_over() {
                break;
            }
            let mut sites = self.kicked(&best, &mut random);
            let found = self.exchange(&mut sites);
            if reached <= found {
                (reached, best) = (found, sites);
            }
        }
        (best, self.certificate(&least_u))
    }

    /// One group in twenty, two at least, takes any of its places.
    fn kicked(&self, sites: &[u32], random: &mut Xoshiro256PlusPlus) -> Vec<u32> {
        let groups: Vec<&Group> = self.problem.groups.iter().filter(|group| 1 < group.sites.len()).collect();
        let mut sites = sites.to_vec();
        for _ in 0..(groups.len() / 20).max(2).min(groups.len()) {
            let group = groups[random.random_range(0..groups.len())];
            if let Some(site) = sites.iter_mut().find(|site| group.sites.contains(site)) {
                *site = group.sites[random.random_range(0..group.sites.len())];
            }
        }
        sites
    }

    /// The best place of each group and the fixed sites, the bound, and how often each point is reached.
    fn relax(&self, u: &[f64]) -> (Vec<u32>, f64, Vec<u32>) {
        let worth = |site: u32| -> f64 {
            self.points_of[site as usize].iter().map(|&(point, _)| u[point as usize]).sum()
        };
        let mut sites = self.problem.fixed.clone();
        let mut bound: f64 = sites.iter().map(|&site| worth(site)).sum();
        for group in self.problem.groups.iter().filter(|group| 0 < group.at_most) {
            let values = group.sites.iter().map(|&site| (worth(site), site));
            let best = values.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
            if let Some((value, site)) = best {
                bound += value;
                sites.push(site);
            }
        }
        let mut depth = vec![0; u.len()];
        for &(point, _) in sites.iter().flat_map(|&site| &self.points_of[site as usize]) {
            depth[point as usize] += 1;
        }
        let k = f64::from(self.times);
        bound +=
            u.iter().zip(&self.weight).map(|(&u, &weight)| (weight as f64 - k * u).max(0.0)).sum::<f64>();
        (sites, bound, depth)
    }

    /// Whole multipliers on the points, and on every group the price that its best place is worth.
    fn certificate(&self, u: &[f64]) -> Certificate {
        let demand: Vec<u64> = u.iter().map(|u| (u * f64::from(1u32 << BITS)) as u64).collect();
        let worth = |site: u32| -> u64 {
            self.points_of[site as usize].iter().map(|&(point, _)| demand[point as usize]).sum()
        };
        let mut prices = Vec::new();
        for (index, rule) in rules_of(self.problem).iter().enumerate() {
            // Rules of "at most": each site counts once.
            if rule.terms.iter().all(|term| term.1 == 1) {
                let best = rule.terms.iter().map(|&(site, _)| worth(site)).max().unwrap_or(0);
                prices.push((index as u32, best));
            }
        }
        let dual = Multipliers { demand, few: Vec::new(), rules: prices };
        let steps = vec![Step::Leaf { dual: 0, sites: 0 }];
        Certificate { scale_bits: BITS, duals: vec![dual], steps, ..Certificate::default() }
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::super::super::certificate::check;
    use super::super::super::{Backup, Model, Options, Table, UNREACHED};
    use super::*;

    #[test]
    fn the_best_choice_lies_between_the_answer_and_its_bound() {
        let mut best_found = 0;
        for seed in 0..200 {
            let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
            let (n_demand, n_groups) = (random.random_range(2..14), random.random_range(1..5u32));
            // The last site is fixed.
            let n_sites = 3 * n_groups + 1;
            let cost = |_| if random.random_range(0..2) == 0 { UNREACHED } else { random.random_range(0..9) };
            let cost: Vec<u32> = (0..n_demand * n_sites as usize).map(cost).collect();
            let mut problem = Problem::new(Table::dense(n_demand, n_sites as usize, &cost).expect("a table"));
            problem.weights = (0..n_demand).map(|_| random.random_range(1..30)).collect();
            problem.fixed = vec![n_sites - 1];
            problem.backup = if seed % 3 == 0 { Backup::Second } else { Backup::None };
            let group = |n: u32| Group { sites: (3 * n..3 * n + 3).collect(), at_least: 1, at_most: 1 };
            problem.groups = (0..n_groups).map(group).collect();
            let each = Each::new(&problem, None);
            let mut start: Vec<u32> = (0..n_groups).map(|n| 3 * n).collect();
            start.push(n_sites - 1);
            let p = start.len();
            let options = Options::default();
            let (sites, certificate) = each.solve(start, &Clock::new(&options));
            let value = |sites: &[u32]| {
                let mut depth = vec![(0, 0); n_demand];
                sites.iter().for_each(|&site| each.add(&mut depth, site));
                let reached = depth.iter().zip(&each.weight).filter(|(depth, _)| each.times <= depth.0);
                reached.map(|(_, &weight)| weight).sum::<u64>()
            };
            let choice = |code: u32| -> Vec<u32> {
                let place = |n: u32| 3 * n + code / 3u32.pow(n) % 3;
                (0..n_groups).map(place).chain([n_sites - 1]).collect()
            };
            let best = (0..3u32.pow(n_groups)).map(|code| value(&choice(code))).max().expect("a choice");
            let bound = check(&problem, Model::MaxCover { p: Some(p) }, &certificate);
            assert!(value(&sites) <= best && best <= bound, "seed {seed}: {} {best} {bound}", value(&sites));
            best_found += usize::from(value(&sites) == best);
        }
        assert!(180 < best_found, "the best was found in {best_found} of 200");
    }
}
