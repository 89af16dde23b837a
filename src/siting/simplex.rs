//! The linear relaxation of a cover form without rules, by a dual simplex of its own.
//!
//! Minimise `Σ c_j x_j + Σ_i w_i max(0, 1 − Σ_{j serves i} x_j)` with `0 <= x <= 1` and, with p, `Σ x_j <= p`: max
//! cover without rules and backup. Both
//! sides have two ends: a site stands at 0 or 1, a row's multiplier at 0 or `w_i`, but for a few sites that lie between
//! and as many rows that are just served. Only these form the kernel, whose inverse is kept as a full matrix; all else
//! is read off the table anew at every step. Kernels have some ten to some hundred rows where a general solver carries
//! thousands, and a solve of a few steps costs what the steps cost.
//!
//! Steps are those of the dual simplex with bound flips (Maros 2003, "Computational techniques of the simplex method").
//! Whatever the floating point says, its multipliers only propose a bound: see [`lp`](super::lp).

use super::Clock;
use super::build::{Core, Fate, MUST};
use super::kernel::{Kernel, Line, NOISE, NOWHERE, ZERO, add_line, entry_of};
use super::lp::Relaxed;
use super::restrict::restrict;

/// A site or a slack this far beyond its end is still within it.
const WITHIN: f64 = 1e-7;
/// Costs are moved apart by up to this much of the unit, so that ties do not go round in circles.
const APART: f64 = 5e-8;
/// Pivots between two inversions.
const FRESH: usize = 100;
/// Tight rows may be served this much too little or too much before the kernel is inverted anew.
const ASTRAY: f64 = 1e-6;
/// Steps of a trial.
const PROBE_STEPS: usize = 3;

/// A linear relaxation that is solved again and again under changing decisions, each time from where it stood.
pub(crate) struct Simplex {
    /// The core without closed sites.
    core: Core,
    /// Sites that are not closed for good.
    sites: Vec<u32>,
    /// Costs are counted in so many of the core's, so that they are near 1.
    unit: f64,
    cost: Vec<f64>,
    /// Largest multiplier per row; the last row, "at most p sites", has none.
    most: Vec<f64>,
    fate: Vec<Fate>,
    kernel: Kernel,
    /// Multipliers, and by how much a row is served beyond its need.
    u: Vec<f64>,
    slack: Vec<f64>,
    reduced: Vec<f64>,
    x: Vec<f64>,
    /// Value of the relaxation solved last.
    value: f64,
}

/// What is furthest beyond its end.
#[derive(Clone, Copy)]
enum Leaving {
    /// A basic site, by its place.
    Site(usize),
    Row(usize),
}

/// What takes its place.
#[derive(Clone, Copy)]
enum Entering {
    Site(usize),
    /// A tight row.
    Row(usize),
    /// The row's own multiplier goes to its other end.
    Itself,
}

/// How a run of steps ended.
#[derive(PartialEq, Eq)]
enum End {
    Optimal,
    /// The value passed what was asked.
    Enough,
    /// Out of steps, or the numbers no longer hold.
    Lost,
}

impl Simplex {
    /// Whether this simplex solves the core's relaxation.
    pub fn suits(core: &Core) -> bool {
        core.rules.is_empty() && core.times == 1 && core.row_cost.is_empty() && !core.miss.contains(&MUST)
    }

    /// Begins near the multipliers `u`.
    pub fn new(core: &Core, u: &[f64]) -> Self {
        let core = restrict(core, &core.fate);
        let n_rows = core.n_rows();
        let apart = |site: usize| APART * ((site as u64 * 0x9E37_79B9 % 1_000_003) as f64 / 1_000_003.0);
        let missed: i64 = core.miss.iter().sum();
        let dearest = core.open_cost.iter().copied().max().unwrap_or(0);
        let unit = (dearest as f64).max(missed as f64 / n_rows.max(1) as f64).max(1.0);
        let costs = core.open_cost.iter().enumerate();
        let cost = costs.map(|(site, &cost)| cost as f64 / unit + apart(site)).collect();
        let mut most: Vec<f64> = core.miss.iter().map(|&miss| miss as f64 / unit).collect();
        most.push(f64::INFINITY);
        let mut is_most: Vec<bool> = u.iter().zip(&most).map(|(&u, &most)| most * unit < 2.0 * u).collect();
        is_most.push(false);
        Self {
            sites: (0..core.n_sites as u32)
                .filter(|&site| core.fate[site as usize] != Fate::Closed)
                .collect(),
            unit,
            cost,
            u: vec![0.0; n_rows + 1],
            slack: vec![0.0; n_rows + 1],
            reduced: vec![0.0; core.n_sites],
            x: vec![0.0; core.n_sites],
            value: 0.0,
            kernel: Kernel::new(core.n_sites, is_most),
            most,
            fate: core.fate.clone(),
            core,
        }
    }

    /// Solves under the given decisions, or until the value passes `enough`; `None` if it gets lost.
    pub fn solve(&mut self, fate: &[Fate], enough: f64, clock: &Clock) -> Option<Relaxed> {
        self.fate.copy_from_slice(fate);
        let most_steps = 20 * (self.core.n_rows() + self.sites.len()) + 100;
        let (end, steps) = self.run(enough / self.unit, most_steps, clock);
        if end == End::Lost {
            return None;
        }
        let work = (steps.max(1) * (self.core.n_rows() + self.sites.len())) as u64;
        let u = self.u[..self.core.n_rows()].iter().map(|u| u * self.unit).collect();
        Some(Relaxed { u, price: Vec::new(), share: self.x.clone(), work })
    }

    /// By how much deciding one more site lifts the relaxation solved last, as far as a few steps show; with the work
    /// done.
    pub fn probe(&mut self, site: usize, open: bool, clock: &Clock) -> Option<(f64, u64)> {
        let (kernel, before, fate) = (self.kernel.clone(), self.value, self.fate[site]);
        self.fate[site] = if open { Fate::Open } else { Fate::Closed };
        let (_, steps) = self.run(f64::INFINITY, PROBE_STEPS, clock);
        let gain = (self.value - before) * self.unit;
        self.fate[site] = fate;
        self.kernel = kernel;
        self.value = before;
        Some((gain, (steps.max(1) * (self.core.n_rows() + self.sites.len())) as u64))
    }

    fn run(&mut self, enough: f64, most_steps: usize, clock: &Clock) -> (End, usize) {
        for step in 0..=most_steps {
            if FRESH <= self.kernel.pivots && !self.invert() {
                return (End::Lost, step);
            }
            self.price();
            self.place();
            if self.kernel.tight.iter().any(|&row| ASTRAY < self.slack[row as usize].abs()) {
                if self.kernel.pivots == 0 || !self.invert() {
                    return (End::Lost, step);
                }
                continue;
            }
            self.value = self.dual_value();
            let Some((leaving, sign, violation)) = self.furthest() else { return (End::Optimal, step) };
            if enough < self.value {
                return (End::Enough, step);
            }
            if step == most_steps || (step % 64 == 63 && clock.is_over()) {
                break;
            }
            let along = self.along(leaving);
            let Some(entering) = self.ratio(leaving, sign, violation, &along) else { break };
            if !self.pivot(leaving, entering, sign, &along) {
                break;
            }
        }
        (End::Lost, most_steps)
    }

    fn at_most_p(&self) -> usize {
        self.core.n_rows()
    }

    /// Rows of a site; with p all sites share the last one, there with coefficient −1.
    fn rows_of(&self, site: usize) -> &[u32] {
        &self.core.col_row[self.core.col(site)]
    }

    fn bounds(&self, site: usize) -> (f64, f64) {
        match self.fate[site] {
            Fate::Free => (0.0, 1.0),
            Fate::Open => (1.0, 1.0),
            Fate::Closed => (0.0, 0.0),
        }
    }

    /// Multipliers from the kernel, and the reduced costs.
    fn price(&mut self) {
        let kernel = &self.kernel;
        for (row, u) in self.u.iter_mut().enumerate() {
            *u =
                if kernel.is_most[row] && kernel.place_of_row[row] == NOWHERE { self.most[row] } else { 0.0 };
        }
        let paid = |site: usize| -> f64 { self.rows_of(site).iter().map(|&row| self.u[row as usize]).sum() };
        let rest: Vec<f64> =
            kernel.basic.iter().map(|&site| self.cost[site as usize] - paid(site as usize)).collect();
        for (line, rest) in self.kernel.inverse.iter().zip(rest) {
            line.iter().for_each(|&(row, entry)| self.u[row as usize] += rest * entry);
        }
        for &row in &self.kernel.tight {
            self.u[row as usize] = self.u[row as usize].clamp(0.0, self.most[row as usize]);
        }
        let p_price = self.u[self.at_most_p()];
        for &site in &self.sites {
            let site = site as usize;
            let paid: f64 = self.rows_of(site).iter().map(|&row| self.u[row as usize]).sum();
            self.reduced[site] = self.cost[site] + p_price - paid;
        }
    }

    /// Sites at the ends that their reduced costs ask for, basic ones where the tight rows put them, and all slacks.
    fn place(&mut self) {
        let p_row = self.at_most_p();
        self.slack.fill(-1.0);
        self.slack[p_row] = self.core.p.map_or(f64::INFINITY, |p| p as f64);
        let mut add = |slack: &mut [f64], site: usize, x: f64| {
            self.x[site] = x;
            if x != 0.0 {
                self.core.col_row[self.core.col(site)].iter().for_each(|&row| slack[row as usize] += x);
                slack[p_row] -= x;
            }
        };
        for &site in &self.sites {
            let site = site as usize;
            if self.kernel.place_of_site[site] != NOWHERE {
                continue;
            }
            if 1e-9 < self.reduced[site].abs() {
                self.kernel.is_one[site] = self.reduced[site] < 0.0;
            }
            let x = match self.fate[site] {
                Fate::Free => f64::from(u8::from(self.kernel.is_one[site])),
                Fate::Open => 1.0,
                Fate::Closed => 0.0,
            };
            add(&mut self.slack, site, x);
        }
        // The row "at most p" falls with every site, which the inverse knows.
        let needed = |&(row, entry): &(u32, f64)| -entry * self.slack[row as usize];
        let inside: Vec<f64> = self.kernel.inverse.iter().map(|line| line.iter().map(needed).sum()).collect();
        for (&site, x) in self.kernel.basic.iter().zip(inside) {
            add(&mut self.slack, site as usize, x);
        }
    }

    fn dual_value(&self) -> f64 {
        let p = self.core.p.unwrap_or(0) as f64;
        let rows: f64 = self.u[..self.at_most_p()].iter().sum::<f64>() - p * self.u[self.at_most_p()];
        let at_one = |&&site: &&u32| self.kernel.place_of_site[site as usize] == NOWHERE;
        let sites = self.sites.iter().filter(at_one);
        rows + sites.map(|&site| self.reduced[site as usize] * self.x[site as usize]).sum::<f64>()
    }

    /// The site or row that is furthest beyond its end for the length of its step (steepest edge), the way its reduced
    /// cost or multiplier must go, and how far it is.
    fn furthest(&self) -> Option<(Leaving, f64, f64)> {
        let kernel = &self.kernel;
        let mut found = None;
        let mut most = 0.0;
        let mut offer = |leaving: Leaving, sign: f64, beyond: f64, length: f64| {
            if most * length < beyond * beyond {
                most = beyond * beyond / length;
                found = Some((leaving, sign, beyond));
            }
        };
        for (place, &site) in kernel.basic.iter().enumerate() {
            let (low, high) = self.bounds(site as usize);
            let x = self.x[site as usize];
            let (sign, beyond) = if x < low { (1.0, low - x) } else { (-1.0, x - high) };
            if WITHIN < beyond {
                let length = kernel.inverse[place].iter().map(|entry| entry.1 * entry.1).sum();
                offer(Leaving::Site(place), sign, beyond, length);
            }
        }
        let mut sum = vec![0.0; self.slack.len()];
        for (row, &slack) in self.slack.iter().enumerate() {
            if kernel.place_of_row[row] != NOWHERE {
                continue;
            }
            let (sign, beyond) = if kernel.is_most[row] { (-1.0, slack) } else { (1.0, -slack) };
            if WITHIN < beyond {
                offer(Leaving::Row(row), sign, beyond, 1.0 + self.length_along(row, &mut sum));
            }
        }
        found
    }

    /// Sum of the squares of the line that [`along`](Self::along) gives for a row; `sum` is zero before and after.
    fn length_along(&self, row: usize, sum: &mut [f64]) -> f64 {
        if row == self.at_most_p() {
            return self.along(Leaving::Row(row)).iter().map(|entry| entry.1 * entry.1).sum();
        }
        let places = self.core.row_site[self.core.row(row)].iter();
        let places = places.map(|&site| self.kernel.place_of_site[site as usize]);
        let entries = || {
            places
                .clone()
                .filter(|&place| place != NOWHERE)
                .flat_map(|place| &self.kernel.inverse[place as usize])
        };
        entries().for_each(|&(row, entry)| sum[row as usize] += entry);
        let square = |&(row, _): &(u32, f64)| std::mem::take(&mut sum[row as usize]).powi(2);
        entries().map(square).sum()
    }

    /// How tight multipliers go down as the leaving one goes up.
    fn along(&self, leaving: Leaving) -> Line {
        let kernel = &self.kernel;
        let row = match leaving {
            Leaving::Site(place) => return kernel.inverse[place].clone(),
            Leaving::Row(row) => row,
        };
        if row == self.at_most_p() {
            let mut sum = vec![0.0; row + 1];
            kernel.inverse.iter().flatten().for_each(|&(row, entry)| sum[row as usize] -= entry);
            let entries = sum.into_iter().enumerate().filter(|entry| ZERO < entry.1.abs());
            return entries.map(|(row, entry)| (row as u32, entry)).collect();
        }
        let (mut along, mut spare) = (Line::new(), Line::new());
        for &site in &self.core.row_site[self.core.row(row)] {
            let place = kernel.place_of_site[site as usize];
            if place != NOWHERE {
                add_line(&mut along, 1.0, &kernel.inverse[place as usize], &mut spare);
            }
        }
        along
    }

    /// The first to reach its end, past sites that may as well stand at the other one.
    fn ratio(
        &mut self,
        leaving: Leaving,
        sign: f64,
        violation: f64,
        along: &[(u32, f64)],
    ) -> Option<Entering> {
        let kernel = &self.kernel;
        let p_row = self.at_most_p();
        let mut pivots = vec![0.0; self.core.n_sites];
        let mut shared = 0.0;
        let mut add = |row: usize, times: f64| {
            if row == p_row {
                shared -= times;
            } else {
                let sites = &self.core.row_site[self.core.row(row)];
                sites.iter().for_each(|&site| pivots[site as usize] += times);
            }
        };
        along.iter().for_each(|&(row, along)| add(row as usize, -along));
        let mut candidates: Vec<(f64, f64, Entering)> = Vec::new();
        if let Leaving::Row(row) = leaving {
            add(row, 1.0);
            if self.most[row].is_finite() {
                candidates.push((self.most[row], f64::INFINITY, Entering::Itself));
            }
        }
        for &site in &self.sites {
            let site = site as usize;
            if self.fate[site] != Fate::Free || kernel.place_of_site[site] != NOWHERE {
                continue;
            }
            let pivot = sign * (pivots[site] + shared);
            let falls = if kernel.is_one[site] { pivot < -NOISE } else { NOISE < pivot };
            if falls {
                candidates.push(((self.reduced[site] / pivot).max(0.0), pivot.abs(), Entering::Site(site)));
            }
        }
        for &(row, along) in along {
            let (row, pivot) = (row as usize, sign * along);
            let (u, most) = (self.u[row], self.most[row]);
            if NOISE < pivot {
                candidates.push((u / pivot, pivot, Entering::Row(row)));
            } else if pivot < -NOISE && most.is_finite() {
                candidates.push(((most - u) / -pivot, -pivot, Entering::Row(row)));
            }
        }
        candidates.sort_unstable_by(|one, other| one.0.total_cmp(&other.0).then(other.1.total_cmp(&one.1)));
        let mut slope = violation;
        for &(_, pivot, entering) in &candidates {
            match entering {
                Entering::Site(site) if pivot < slope => {
                    slope -= pivot;
                    self.kernel.is_one[site] = !self.kernel.is_one[site];
                }
                _ => return Some(entering),
            }
        }
        None
    }

    /// Column of a site over the tight rows, through the inverse.
    fn through(&self, site: usize) -> Vec<f64> {
        let mut column = vec![0.0; self.at_most_p() + 1];
        self.rows_of(site).iter().for_each(|&row| column[row as usize] = 1.0);
        column[self.at_most_p()] = -1.0;
        let through = |line: &Line| line.iter().map(|&(row, entry)| entry * column[row as usize]).sum();
        self.kernel.inverse.iter().map(through).collect()
    }

    /// A row's coefficient on a site that is not basic, less what the kernel makes up for.
    fn left_over(&self, row: usize, site: usize, through: &[f64]) -> f64 {
        if row == self.at_most_p() {
            return -1.0 + through.iter().sum::<f64>();
        }
        let coefficient = |&other: &u32| match self.kernel.place_of_site[other as usize] {
            NOWHERE => f64::from(u8::from(other as usize == site)),
            place => -through[place as usize],
        };
        self.core.row_site[self.core.row(row)].iter().map(coefficient).sum()
    }

    /// Changes the kernel; false if the pivot is noise.
    fn pivot(&mut self, leaving: Leaving, entering: Entering, sign: f64, along: &Line) -> bool {
        self.kernel.pivots += 1;
        match (leaving, entering) {
            (Leaving::Row(row), Entering::Itself) => {
                self.kernel.is_most[row] = !self.kernel.is_most[row];
                true
            }
            (Leaving::Site(_), Entering::Itself) => false,
            (Leaving::Row(row), Entering::Site(site)) => {
                let through = self.through(site);
                let pivot = self.left_over(row, site, &through);
                self.kernel.grow(row, site, &through, along, pivot)
            }
            (Leaving::Row(row), Entering::Row(old)) => {
                let pivot = entry_of(along, old);
                self.kernel.exchange_rows(row, old, along, pivot, sign * pivot < 0.0)
            }
            (Leaving::Site(place), Entering::Site(site)) => {
                let through = self.through(site);
                self.kernel.exchange_sites(place, site, &through, sign < 0.0)
            }
            (Leaving::Site(place), Entering::Row(row)) => {
                let pivot = entry_of(along, row);
                self.kernel.shrink(place, row, sign < 0.0, pivot, sign * pivot < 0.0)
            }
        }
    }

    /// Builds the inverse anew from the basic sites and tight rows; false if there is none.
    fn invert(&mut self) -> bool {
        let sites = std::mem::take(&mut self.kernel.basic);
        let mut rows = std::mem::take(&mut self.kernel.tight);
        self.kernel.inverse.clear();
        sites.iter().for_each(|&site| self.kernel.place_of_site[site as usize] = NOWHERE);
        rows.iter().for_each(|&row| self.kernel.place_of_row[row as usize] = NOWHERE);
        for site in sites {
            let through = self.through(site as usize);
            let pivots = rows.iter().map(|&row| self.left_over(row as usize, site as usize, &through));
            let largest = pivots.enumerate().max_by(|one, other| one.1.abs().total_cmp(&other.1.abs()));
            let Some((index, pivot)) = largest else { return false };
            let row = rows.swap_remove(index) as usize;
            let along = self.along(Leaving::Row(row));
            if !self.kernel.grow(row, site as usize, &through, &along, pivot) {
                return false;
            }
        }
        self.kernel.pivots = 0;
        true
    }
}
