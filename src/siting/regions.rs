//! A bound on a set cover from regions, each proven by a tree of its own.
//!
//! One tree over a whole city multiplies the trees of its quarters. Here the points are split into regions and the
//! cost of every site among them, in proportion to what the region's multipliers `u` ask of it:
//!
//! `cost_j = Σ_r cost_jr`, where `cost_jr >= Σ_{i in r} u_i` over the points i that j serves
//!
//! For any set of sites the costs of the regions add up to no more than its cost, and in every region they add up to
//! at least what the cheapest cover of the region costs. The sum of these bounds is thus a bound, it begins at that of
//! the linear relaxation, and a tree a region lifts it. The price is what sites near a border could share.
//! Source: Lagrangian decomposition, Guignard and Kim (1987); here with shares read off the linear relaxation.

use super::Clock;
use super::bound::Volume;
use super::branch::{self, Limits, Start, branch};
use super::build::{Core, Fate, MUST};
use super::certificate::{Certificate, Lemma, Multipliers, Step};
use super::steps;

/// Bits after the binary point of a region's costs, at most; and bits of the dearest site with them.
const MOST_BITS: u32 = 16;
const MOST_COST_BITS: u32 = 24;
/// Steps by which the bound of a region is lifted, as a part of what its sites cost on average.
const LIFT: f64 = 0.2;

/// Open sites of a region at first, and of parts of the whole that are put together.
const MOST_OPEN: f64 = 22.0;
const MOST_OPEN_TOGETHER: f64 = 2.5;
/// Sets of multipliers in a region's tree.
const MOST_DUALS: usize = 100_000;
/// A step may take so many times the work of the one before it, or of reading its table so
/// many times.
const MOST_GROWTH: u64 = 6;
const LEAST_WORK: u64 = 60;

/// A part of a set cover.
struct Region {
    core: Core,
    /// Its sites and rows in the whole.
    site_of: Vec<u32>,
    row_of: Vec<u32>,
    u: Vec<f64>,
    /// What is proven so far, with its proof.
    value: i64,
    proof: Option<branch::Tree>,
    /// Whether no cover of the region costs less than the value, and one costs just that.
    is_exact: bool,
    warm: Option<branch::Warm>,
    /// Work of the last step, which foretells that of the next.
    last_work: u64,
    /// The certificate's unit, in units of the costs here.
    finest: f64,
    /// The next step, as a part of what its sites cost on average.
    step: f64,
}

/// What is asked of the regions.
pub(crate) struct Goal {
    /// The cost of the best cover known.
    pub known: i64,
    /// The certificate's scale, and the largest multiplier on it.
    pub bits: u32,
    pub spike: u64,
    /// Entries of the table to touch.
    pub work: u64,
}

/// A certificate from regions, the multipliers and shares of the linear relaxation given; `None` where that does not
/// serve. Regions all proven to the end give way to half as many, as long as there are two and work is left. With it
/// comes whether that is all that regions can prove although a gap is left.
pub(crate) fn certify(
    core: &Core,
    u: &[f64],
    share: &[f64],
    goal: &Goal,
    clock: &Clock,
) -> Option<(Certificate, bool)> {
    if core.times != 1 || !core.rules.is_empty() || core.p.is_some() {
        return None;
    }
    let mut best: Option<(i64, Regions)> = None;
    let mut left = goal.work;
    let mut most_open = MOST_OPEN;
    let exhausted = loop {
        let mut regions = Regions::new(core, u, share, most_open, goal.bits);
        // Less than one unit below the best cover known proves that it is the best.
        let wanted = ((goal.known - 1) << regions.bits) + 1;
        let limits = Limits { work: left, duals: MOST_DUALS, margin: 0.0 };
        regions.lift(wanted, &limits, clock);
        left = left.saturating_sub(regions.work);
        let value = regions.value();
        let exact = regions.is_exact() && value < wanted;
        let ended = !exact || regions.regions.len() <= 3 || left == 0 || clock.is_over();
        if best.as_ref().is_none_or(|best| best.0 < value) {
            best = Some((value, regions));
        }
        if ended {
            break exact;
        }
        most_open *= 2.0;
    };
    best.map(|best| (best.1.certificate(&core.first_points(), goal.bits, goal.spike), exhausted))
}

/// Regions and the scale of their costs.
struct Regions {
    regions: Vec<Region>,
    bits: u32,
    /// Work done, in entries of the table.
    work: u64,
}

impl Regions {
    /// Splits the rows by the multipliers `u` into regions where about `most_open` sites open.
    fn new(core: &Core, u: &[f64], share: &[f64], most_open: f64, most_bits: u32) -> Self {
        let dearest = core.open_cost.iter().copied().max().unwrap_or(1).max(1) as u64;
        let bits = most_bits.min(MOST_BITS).min(MOST_COST_BITS.saturating_sub(64 - dearest.leading_zeros()));
        let (parts, n) = parts(core, u, share, most_open);
        let costs = shares(core, u, &parts, n, (1u64 << bits) as f64);
        let scale = (1u64 << bits) as f64;
        let finest = 1.0 / (1u64 << (most_bits - bits)) as f64;
        let own = |row: usize, index: usize| if parts[row] == index { u[row] * scale } else { 0.0 };
        let regions = (0..n).map(|index| Region::new(core, |row| own(row, index), &costs[index], finest));
        Self { regions: regions.filter(|region| !region.row_of.is_empty()).collect(), bits, work: 0 }
    }

    /// What the regions prove together, in units of `2^-bits`.
    fn value(&self) -> i64 {
        self.regions.iter().map(|region| region.value).sum()
    }

    /// Lifts the bounds of the regions, the one that takes least work first, until they prove `goal` (in units of
    /// `2^-bits`), all are exact or the work is spent.
    fn lift(&mut self, goal: i64, limits: &Limits, clock: &Clock) {
        while self.value() < goal && self.work < limits.work && !clock.is_over() {
            let open = (0..self.regions.len()).filter(|&index| !self.regions[index].is_exact);
            let Some(next) = open.min_by_key(|&index| (self.regions[index].last_work, index)) else { return };
            let left = Limits { work: limits.work - self.work, ..*limits };
            let missing = goal - self.value();
            self.work += self.regions[next].lift(missing, &left, clock);
        }
    }

    /// The proof: a lemma a region, and a leaf that adds them up. `point_of` names one demand point of every row of the
    /// whole; `bits` is the certificate's scale, `spike` its largest multiplier.
    fn certificate(&self, point_of: &[u32], bits: u32, spike: u64) -> Certificate {
        let mut certificate = Certificate { scale_bits: bits, ..Certificate::default() };
        let scale = 1u64 << (bits - self.bits);
        for region in &self.regions {
            let cost = region.site_of.iter().zip(&region.core.open_cost);
            let cost = cost.map(|(&site, &cost)| (site, cost as u64 * scale)).collect();
            let first = certificate.duals.len();
            let point = |row: u32| point_of[region.row_of[row as usize] as usize];
            let few = |u: &[f64]| {
                let positive = (0..).zip(u).filter(|pair| 0.0 < *pair.1);
                let mut few: Vec<(u32, u64)> =
                    positive.map(|(row, u)| (point(row), (u * scale as f64) as u64)).collect();
                few.sort_unstable();
                Multipliers { few, ..Multipliers::default() }
            };
            let Some(tree) = &region.proof else {
                certificate.duals.push(few(&region.u));
                certificate.lemmas.push(Lemma { cost, steps: vec![Step::Leaf { dual: first, sites: 0 }] });
                continue;
            };
            certificate.duals.extend(tree.duals.iter().map(|dual| match dual.spike {
                Some(row) => Multipliers { few: vec![(point(row), spike)], ..Multipliers::default() },
                None => few(&dual.u),
            }));
            let steps = tree.steps.iter().map(|step| match step {
                steps::Step::Leaf { dual, .. } => Step::Leaf { dual: first + dual, sites: 0 },
                steps::Step::Fix { dual, sites, .. } => {
                    Step::Fix { dual: first + dual, sites: 0, fixed: sites.clone() }
                }
                steps::Step::Branch { site, first } => Step::Branch { site: *site, open_first: *first },
            });
            let steps = steps.map(|step| region.in_the_whole(step)).collect();
            certificate.lemmas.push(Lemma { cost, steps });
        }
        let each_once = (0..self.regions.len() as u32).map(|lemma| (lemma, 1)).collect();
        certificate.duals.push(Multipliers { rules: each_once, ..Multipliers::default() });
        certificate.steps = vec![Step::Leaf { dual: certificate.duals.len() - 1, sites: 0 }];
        certificate
    }

    /// Whether more work could lift the bound.
    fn is_exact(&self) -> bool {
        self.regions.iter().all(|region| region.is_exact)
    }
}

impl Region {
    fn new(whole: &Core, u: impl Fn(usize) -> f64, cost: &[i64], finest: f64) -> Self {
        let mut place = vec![u32::MAX; whole.n_sites];
        let site_of: Vec<u32> = (0..whole.n_sites as u32).filter(|&site| 0 < cost[site as usize]).collect();
        site_of.iter().enumerate().for_each(|(new, &old)| place[old as usize] = new as u32);
        let mut core = Core {
            n_sites: site_of.len(),
            row_start: vec![0],
            row_site: Vec::new(),
            row_cost: Vec::new(),
            weight: Vec::new(),
            miss: Vec::new(),
            open_cost: site_of.iter().map(|&site| cost[site as usize]).collect(),
            fate: site_of.iter().map(|&site| whole.fate[site as usize]).collect(),
            row_of: Vec::new(),
            ..whole.clone()
        };
        let mut row_of = Vec::new();
        for row in 0..whole.n_rows() {
            // A site that costs nothing here serves its points for nothing.
            let alive = || {
                whole
                    .row(row)
                    .map(|entry| whole.row_site[entry])
                    .filter(|&site| whole.fate[site as usize] != Fate::Closed)
            };
            if alive().any(|site| cost[site as usize] == 0) {
                continue;
            }
            core.row_site.extend(alive().map(|site| place[site as usize]));
            core.row_start.push(core.row_site.len());
            core.weight.push(whole.weight[row]);
            core.miss.push(MUST);
            row_of.push(row as u32);
        }
        core.index_columns();
        let u: Vec<f64> = row_of.iter().map(|&row| u(row as usize)).collect();
        let mut region = Self {
            core,
            site_of,
            row_of,
            u,
            value: 0,
            proof: None,
            is_exact: false,
            warm: None,
            last_work: 0,
            finest,
            step: LIFT,
        };
        region.value = region.relaxed();
        region
    }

    /// A step of the proof with the sites of the whole.
    fn in_the_whole(&self, step: Step) -> Step {
        let whole = |site: u32| self.site_of[site as usize];
        match step {
            Step::Leaf { .. } => step,
            Step::Fix { dual, sites, fixed } => {
                let fixed = fixed.into_iter().map(|(site, open)| (whole(site), open)).collect();
                Step::Fix { dual, sites, fixed }
            }
            Step::Branch { site, open_first } => Step::Branch { site: whole(site), open_first },
        }
    }

    /// What the multipliers alone prove.
    fn relaxed(&self) -> i64 {
        let volume = Volume::new(&self.core, &self.core.fate, Some((self.u.clone(), Vec::new())));
        (volume.best.value - self.margin()).floor().max(0.0) as i64
    }

    /// What rounding the multipliers to the certificate's scale may cost.
    fn margin(&self) -> f64 {
        2.0 + self.core.n_rows() as f64 * self.finest
    }

    /// Tries to prove one step more. Returns the work done.
    fn lift(&mut self, missing: i64, limits: &Limits, clock: &Clock) -> u64 {
        let core = &self.core;
        let average = core.open_cost.iter().sum::<i64>() as f64 / core.n_sites.max(1) as f64;
        let step = (self.step * average).max(1.0) as i64;
        let (rounding, slack) = (self.margin(), 2 * self.margin() as i64 + 1);
        let target = self.value + step.min(missing.max(1)) + slack;
        let volume = Volume::new(core, &core.fate, Some((self.u.clone(), Vec::new())));
        let start = Start {
            volume: &volume,
            cutoff: target,
            enough: i64::MIN,
            known: None,
            refine: None,
            warm: self.warm.take(),
        };
        // A tree that had to pass the best cover itself would list all that are as good: it stops a little below.
        let margin = -rounding;
        let mut tree = branch(
            core,
            start,
            &Limits {
                margin,
                work: limits
                    .work
                    .min(MOST_GROWTH * self.last_work.max(LEAST_WORK * core.row_site.len() as u64)),
                ..*limits
            },
            clock,
        );
        self.warm = tree.warm.take();
        let work = tree.work.max(1);
        self.last_work = work;
        if tree.complete {
            self.value = (tree.best.as_ref().map_or(target, |best| best.0) - slack).max(self.value);
            self.is_exact = tree.best.is_some();
            self.proof = Some(tree);
        } else {
            // Too much at once: less of it, once the others have caught up.
            self.step *= 0.5;
            self.last_work *= 2;
        }
        work
    }
}

/// The region of every row, and how many there are: parts that share no site are apart already, the small ones of
/// them together are the first region; the others are halved along the slowest mode of the graph of rows and sites
/// until about `most_open` sites open in each.
fn parts(core: &Core, u: &[f64], share: &[f64], most_open: f64) -> (Vec<usize>, usize) {
    let mut part = vec![0; core.n_rows()];
    let mut n = 1;
    let all: Vec<u32> = (0..core.n_rows() as u32).collect();
    for rows in components(core, &all) {
        let mut sites: Vec<u32> =
            rows.iter().flat_map(|&row| &core.row_site[core.row(row as usize)]).copied().collect();
        sites.sort_unstable();
        sites.dedup();
        let open: f64 = sites.iter().map(|&site| share[site as usize]).sum();
        if open < MOST_OPEN_TOGETHER {
            continue;
        }
        let here = (open / most_open).round().max(1.0) as usize;
        halve(core, u, share, rows, n, here, &mut part);
        n += here;
    }
    (part, n)
}

fn halve(
    core: &Core,
    u: &[f64],
    share: &[f64],
    mut rows: Vec<u32>,
    first: usize,
    n: usize,
    part: &mut [usize],
) {
    if n <= 1 {
        rows.iter().for_each(|&row| part[row as usize] = first);
        return;
    }
    let mode = slowest_mode(core, share, &rows);
    rows.sort_unstable_by(|&one, &other| {
        mode[one as usize].total_cmp(&mode[other as usize]).then(one.cmp(&other))
    });
    let total: f64 = rows.iter().map(|&row| u[row as usize]).sum();
    let lower = n / 2;
    let wanted = total * lower as f64 / n as f64;
    let mut sum = 0.0;
    let place = rows.iter().position(|&row| {
        sum += u[row as usize];
        wanted <= sum
    });
    let rest = rows.split_off(place.map_or(rows.len(), |place| place + 1));
    halve(core, u, share, rows, first, lower, part);
    halve(core, u, share, rest, first + lower, n - lower, part);
}

/// Sweeps of averaging between rows and sites.
const SWEEPS: usize = 300;

/// A number a row that changes as little as possible from row to row that share sites, but is not the same everywhere:
/// averages between rows and sites, again and again, without their mean. Sites that the relaxation opens count most.
fn slowest_mode(core: &Core, share: &[f64], rows: &[u32]) -> Vec<f64> {
    let mut mode = vec![0.0; core.n_rows()];
    // Any start that is not even will do; breadth first from the first row is near already.
    let order = components(core, rows);
    order.iter().flatten().enumerate().for_each(|(place, &row)| mode[row as usize] = place as f64);
    let weight = |site: u32| share[site as usize] + 0.02;
    let degree: Vec<f64> = (0..core.n_rows())
        .map(|row| core.row(row).map(|entry| weight(core.row_site[entry])).sum::<f64>().max(1e-9))
        .collect();
    let mut sum = vec![0.0; core.n_sites];
    let mut count = vec![0.0; core.n_sites];
    for &row in rows {
        core.row(row as usize).for_each(|entry| count[core.row_site[entry] as usize] += 1.0);
    }
    let total: f64 = rows.iter().map(|&row| degree[row as usize]).sum();
    for _ in 0..SWEEPS {
        let mean = rows.iter().map(|&row| degree[row as usize] * mode[row as usize]).sum::<f64>() / total;
        let square: f64 = rows.iter().map(|&row| (mode[row as usize] - mean).powi(2)).sum();
        let scale = 1.0 / square.sqrt().max(1e-12);
        rows.iter().for_each(|&row| mode[row as usize] = (mode[row as usize] - mean) * scale);
        sum.fill(0.0);
        for &row in rows {
            core.row(row as usize).for_each(|entry| sum[core.row_site[entry] as usize] += mode[row as usize]);
        }
        for &row in rows {
            let around = core.row(row as usize).map(|entry| core.row_site[entry]);
            let around: f64 =
                around.map(|site| weight(site) * sum[site as usize] / count[site as usize]).sum();
            mode[row as usize] = around / degree[row as usize];
        }
    }
    mode
}

/// Parts of the rows that share no site, in each of them rows that share sites near one another.
fn components(core: &Core, rows: &[u32]) -> Vec<Vec<u32>> {
    let mut wanted = vec![false; core.n_rows()];
    rows.iter().for_each(|&row| wanted[row as usize] = true);
    let mut seen_site = vec![false; core.n_sites];
    let mut components = Vec::new();
    for &first in rows {
        if !std::mem::take(&mut wanted[first as usize]) {
            continue;
        }
        let mut order = vec![first];
        let mut next = 0;
        while let Some(&row) = order.get(next) {
            next += 1;
            for &site in &core.row_site[core.row(row as usize)] {
                if std::mem::replace(&mut seen_site[site as usize], true) {
                    continue;
                }
                for &row in &core.col_row[core.col(site as usize)] {
                    if std::mem::take(&mut wanted[row as usize]) {
                        order.push(row);
                    }
                }
            }
        }
        components.push(order);
    }
    components
}

/// The scaled cost of every site in every region; together at most what it costs.
fn shares(core: &Core, u: &[f64], part: &[usize], n: usize, scale: f64) -> Vec<Vec<i64>> {
    let mut asked = vec![vec![0.0; core.n_sites]; n];
    for (row, &u) in u.iter().enumerate() {
        for &site in &core.row_site[core.row(row)] {
            asked[part[row]][site as usize] += u;
        }
    }
    let mut costs = vec![vec![0i64; core.n_sites]; n];
    for site in 0..core.n_sites {
        if core.fate[site] == Fate::Closed {
            continue;
        }
        let cost = core.open_cost[site] as f64;
        let total: f64 = asked.iter().map(|asked| asked[site]).sum();
        // What nobody asks for goes to all that ask, in proportion; and never more than the site costs.
        let factor = cost / total.max(1e-12);
        for (costs, asked) in costs.iter_mut().zip(&asked) {
            costs[site] = if total <= 1e-12 {
                0
            } else {
                (asked[site] * factor * scale * (1.0 - 1e-12)).floor() as i64
            };
        }
    }
    costs
}
