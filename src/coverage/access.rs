//! How much service there is for each building, and how evenly it is spread. Plain numbers in, plain out.

use rayon::prelude::*;

/// A walk table: one row per demand point, columns are sites. `offsets[i] .. offsets[i + 1]` are row `i`'s
/// entries in `site` and `cost`.
#[derive(Clone, Copy, Debug)]
pub struct WalkTable<'a> {
    /// One more than there are demand points.
    pub offsets: &'a [u64],
    /// Site of each entry.
    pub site: &'a [u32],
    /// Walk of each entry, in the unit of the limits (ms or mm).
    pub cost: &'a [u32],
}

impl WalkTable<'_> {
    /// Number of demand points.
    #[must_use]
    pub fn n_demand(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Sites and walks of one demand point.
    pub fn row(&self, demand: usize) -> impl Iterator<Item = (usize, u32)> + '_ {
        let row = self.offsets[demand] as usize..self.offsets[demand + 1] as usize;
        self.site[row.clone()].iter().map(|&site| site as usize).zip(self.cost[row].iter().copied())
    }
}

/// A catchment zone: walks up to `limit` (inclusive) count with `weight`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Zone {
    /// Outer limit, in the unit of the table.
    pub limit: u32,
    /// Weight, not negative.
    pub weight: f64,
}

/// Weight of a walk: that of the narrowest zone that holds it, zero beyond all. Zones are sorted by limit.
fn weight(zones: &[Zone], cost: u32) -> f64 {
    zones.iter().find(|zone| cost <= zone.limit).map_or(0.0, |zone| zone.weight)
}

/// The two-step floating catchment area (2SFCA): service per person for each demand point.
///
/// 1. For each site `j` the ratio `R_j = S_j / Σ_k w(d_kj) P_k` over the demand points `k` in its catchment.
/// 2. For each demand point `i` the sum `A_i = Σ_j w(d_ij) R_j` over the sites in its catchment.
///
/// With one zone of weight 1 it is the plain form (Luo & Wang 2003, doi:10.1068/b29120); with several zones
/// of falling weight the enhanced one, E2SFCA (Luo & Qi 2009, doi:10.1016/j.healthplace.2009.06.002). A site
/// without demand in its catchment has the ratio 0. O(entries · zones).
///
/// ```
/// use gridplan::coverage::access::{two_step_floating, WalkTable, Zone};
/// // Two blocks of 100 and 300 people; one site of 40 places that both reach, one of 10 for the second only.
/// let table = WalkTable { offsets: &[0, 1, 3], site: &[0, 0, 1], cost: &[200, 300, 100] };
/// let zone = [Zone { limit: 300, weight: 1.0 }];
/// let access = two_step_floating(table, &[100.0, 300.0], &[40.0, 10.0], &zone);
/// assert_eq!(access, [40.0 / 400.0, 40.0 / 400.0 + 10.0 / 300.0]);
/// ```
#[must_use]
pub fn two_step_floating(table: WalkTable<'_>, demand: &[f64], supply: &[f64], zones: &[Zone]) -> Vec<f64> {
    let mut zones = zones.to_vec();
    zones.sort_by_key(|zone| zone.limit);
    let mut catchment = vec![0.0; supply.len()];
    for (i, &people) in demand.iter().enumerate().take(table.n_demand()) {
        for (site, cost) in table.row(i) {
            catchment[site] += weight(&zones, cost) * people;
        }
    }
    let ratio = |site: usize| if 0.0 < catchment[site] { supply[site] / catchment[site] } else { 0.0 };
    let ratios: Vec<f64> = (0..supply.len()).map(ratio).collect();
    let of_point = |i: usize| table.row(i).map(|(site, cost)| weight(&zones, cost) * ratios[site]).sum();
    (0..table.n_demand()).into_par_iter().with_min_len(1024).map(of_point).collect()
}

/// The Gini coefficient of `values` over a population: 0 if everybody has the same, towards 1 if one has all.
///
/// Values are not negative; without population or without anything to share it is 0.
/// `G = 1 − Σ_i p_i (L_i + L_{i−1})` with population shares `p` in ascending order of value and the Lorenz
/// curve `L`. O(n log n).
///
/// ```
/// use gridplan::coverage::access::gini;
/// assert_eq!(gini(&[5.0, 5.0, 5.0], &[1.0, 9.0, 2.0]), 0.0);
/// // One of four has everything: 1 − 1/4.
/// assert!((gini(&[0.0, 0.0, 0.0, 8.0], &[1.0; 4]) - 0.75).abs() < 1e-12);
/// ```
#[must_use]
pub fn gini(values: &[f64], population: &[f64]) -> f64 {
    Ranked::of(values, population).gini()
}

/// Mean of `values` over the worst-served tenth of the population. `worst` says which end is bad: for walking
/// times the high one, for access the low one. The person at the border counts in part. `None` without
/// population.
///
/// ```
/// use gridplan::coverage::access::{worst_decile, Worst};
/// // Ten people; the one with the longest walk is the worst tenth.
/// assert_eq!(worst_decile(&[300.0, 900.0], &[9.0, 1.0], Worst::High), Some(900.0));
/// // Of twenty, two: one walks 900, one of the others 300.
/// assert_eq!(worst_decile(&[300.0, 900.0], &[19.0, 1.0], Worst::High), Some(600.0));
/// ```
#[must_use]
pub fn worst_decile(values: &[f64], population: &[f64], worst: Worst) -> Option<f64> {
    Ranked::of(values, population).worst_decile(worst)
}

/// Values from low to high, each with the people who have it: what [`gini`] and [`worst_decile`] start from.
#[derive(Clone, Debug)]
pub(super) struct Ranked(Vec<(f64, f64)>);

impl Ranked {
    pub fn of(values: &[f64], population: &[f64]) -> Self {
        let mut ranked: Vec<(f64, f64)> = values.iter().copied().zip(population.iter().copied()).collect();
        // Equal pairs are the same, so their order does not matter.
        ranked.par_sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        Self(ranked)
    }

    /// Those whose value is a number.
    pub fn finite(mut self) -> Self {
        self.0.truncate(self.0.partition_point(|(value, _)| value.is_finite()));
        self
    }

    pub fn gini(&self) -> f64 {
        let people: f64 = self.0.iter().map(|&(_, people)| people).sum();
        let total: f64 = self.0.iter().map(|&(value, people)| people * value).sum();
        if people <= 0.0 || total <= 0.0 {
            return 0.0;
        }
        let mut below = 0.0;
        let mut area = 0.0;
        for &(value, here) in &self.0 {
            let above = below + here * value / total;
            area += here / people * (below + above);
            below = above;
        }
        (1.0 - area).max(0.0)
    }

    pub fn worst_decile(&self, worst: Worst) -> Option<f64> {
        let tenth = self.0.iter().map(|&(_, people)| people).sum::<f64>() / 10.0;
        if tenth <= 0.0 {
            return None;
        }
        let (mut left, mut sum) = (tenth, 0.0);
        let mut take = |&(value, people): &(f64, f64)| {
            let people = people.min(left);
            // Nobody lives there, so not even an unreached point counts (0 · ∞ is no number).
            if 0.0 < people {
                sum += people * value;
                left -= people;
            }
        };
        match worst {
            Worst::High => self.0.iter().rev().for_each(&mut take),
            Worst::Low => self.0.iter().for_each(&mut take),
        }
        Some(sum / tenth)
    }
}

/// Which end of a scale is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worst {
    /// Long walks.
    High,
    /// Little service.
    Low,
}
