//! Simulated annealing on exchanges for max cover: many cheap steps where cached gains would be dear to keep.
//!
//! Per row only its one open site is stored, or that it has none or several; per site, what it would win alone. An open
//! site is exchanged for one that shares a row with it, or for one anywhere; better exchanges are taken, worse ones with a
//! chance that sinks as it cools. Most are refused by what the two sites share at most, without a look at their rows.
//! Source: Kirkpatrick, Gelatt and Vecchi (1983), "Optimization by simulated annealing"; for max cover see
//! Murray and Church (1996), "Applying simulated annealing to location-planning models".

use std::cmp::Reverse;

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use rustc_hash::FxHashMap;

use super::Clock;
use super::build::{Core, Fate};

/// Heat at the start, as a share of what a site covers on average.
const HEAT: f64 = 1.0 / 20.0;
/// Heat at the end, as a share of that at the start.
const COOLED: f64 = 1.0 / 30.0;
/// It is heated and cools once; twice where so much can be read per entry of the table. A second time mends what the
/// first happened to miss, but one slow cooling is better than two hasty ones.
const ENOUGH: f64 = 500.0;
/// How far it goes on before it is clear how much can be read.
const FORESIGHT: f64 = 0.02;
/// Share of exchanges that open a site anywhere; the others stay among sites that share a row.
const FAR: f64 = 0.15;
/// Of so many random open sites the one that covers least alone closes for a site elsewhere.
const RIVALS: usize = 3;
/// What a step costs beside the rows that it reads, in rows.
const STEP: u64 = 32;
/// Pairs of sites that share a row, kept at most beside those of open sites.
const MOST_PAIRS: usize = 8 << 20;
/// Share of the time left that the search may use where there is a time limit.
const PATIENCE: f64 = 0.85;

/// Better sites than `start`, or `start` itself. Needs a core without rules whose rows are served once or may stay
/// unserved.
///
/// `useful[site]` is false for sites that no better answer opens.
pub(crate) fn anneal(
    core: &Core,
    start: &[u32],
    useful: &[bool],
    work: u64,
    seed: u64,
    clock: &Clock,
) -> Vec<u32> {
    let may_open = |site: usize| useful[site] && core.fate[site] == Fate::Free;
    let mut state = State::new(core, start, may_open);
    let free =
        |&site: &u32| core.fate[site as usize] == Fate::Free && !state.columns.of(site as usize).is_empty();
    let mut movable: Vec<u32> = start.iter().copied().filter(free).collect();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let useful: Vec<u32> = (0..core.n_sites as u32)
        .filter(|&site| may_open(site as usize) && !state.columns.of(site as usize).is_empty())
        .collect();
    if movable.is_empty() || useful.is_empty() {
        return start.to_vec();
    }
    let (mut best, mut best_sites) = (0i64, start.to_vec());
    let mut change = 0i64;
    let covered: i64 = state
        .server
        .iter()
        .zip(&state.weight)
        .filter(|row| *row.0 != NOBODY)
        .map(|row| i64::from(*row.1))
        .sum();
    let hot = (covered as f64 / start.len().max(1) as f64 * HEAT).max(1.0);
    let mut heat = hot;
    let begin = clock.share_used();
    let (mut spent, mut steps) = (0u64, 0u64);
    let (mut progress, mut cycles) = (0.0f64, 1.0);
    while spent < work && progress < 1.0 {
        if steps.is_multiple_of(256) {
            if clock.is_over() {
                break;
            }
            let by_time = (clock.share_used() - begin) / (PATIENCE * (1.0 - begin)).max(1e-9);
            progress = (spent as f64 / work as f64).max(by_time);
            if progress < FORESIGHT {
                let in_all = spent as f64 / progress.max(1e-9);
                cycles = if ENOUGH * core.row_site.len() as f64 <= in_all { 2.0 } else { 1.0 };
            }
            heat = hot * COOLED.powf((cycles * progress).fract());
        }
        steps += 1;
        let mut place = random.random_range(0..movable.len());
        spent += STEP;
        let (inn, shared) = if random.random::<f64>() < FAR {
            // Anywhere, against one of the open sites that cover least alone.
            for _ in 1..RIVALS {
                let other = random.random_range(0..movable.len());
                if state.loss[movable[other] as usize] < state.loss[movable[place] as usize] {
                    place = other;
                }
            }
            (useful[random.random_range(0..useful.len())], None)
        } else {
            match state.near(movable[place], &mut spent).pick(&mut random) {
                Some((inn, shared)) => (inn, Some(shared)),
                None => continue,
            }
        };
        let out = movable[place];
        if state.open[inn as usize] {
            continue;
        }
        // A worse exchange is taken if it loses no more than this.
        let least = heat * random.random::<f64>().ln();
        let shared = match shared {
            Some(shared) => shared,
            // Sites far from each other share nothing; if they do, they also meet as neighbours.
            None if ((state.gain[inn as usize] - state.loss[out as usize]) as f64) < least => continue,
            None => state.near(out, &mut spent).shared_with(inn),
        };
        let Some(gain) = state.exchange_gain(inn, out, shared, least, &mut spent) else { continue };
        state.insert(inn, &mut spent);
        state.remove(out, &mut spent);
        movable[place] = inn;
        change += gain;
        if best < change {
            best = change;
            best_sites = (0..core.n_sites as u32).filter(|&site| state.open[site as usize]).collect();
        }
    }
    best_sites
}

/// No open site reaches the row.
const NOBODY: u32 = u32::MAX;
/// More than one does.
const SEVERAL: u32 = u32::MAX - 1;

/// A row in a column.
#[derive(Clone, Copy)]
struct Entry {
    row: u32,
    weight: u32,
}

/// Rows that are read before the rest of a column is looked at again.
const BLOCK: usize = 16;

/// Lists, one after the other.
struct Lists<T> {
    start: Vec<u32>,
    item: Vec<T>,
}

impl<T> Lists<T> {
    fn of(&self, index: usize) -> &[T] {
        &self.item[self.start[index] as usize..self.start[index + 1] as usize]
    }

    fn collect(lists: impl Iterator<Item = Vec<T>>) -> Self {
        let mut all = Self { start: vec![0], item: Vec::new() };
        for list in lists {
            all.item.extend(list);
            all.start.push(all.item.len() as u32);
        }
        all
    }
}

/// A site that shares a row with another one.
#[derive(Clone, Copy)]
struct Pair {
    site: u32,
    /// With this chance a random number that falls here means this pair, else the one at `other`.
    keep: f32,
    other: u32,
    /// Weight of the shared rows.
    shared: i64,
}

/// Sites that share a row with one site, ascending.
#[derive(Default)]
struct Near {
    pairs: Vec<Pair>,
}

impl Near {
    /// From (site, weight of shared rows, chance to be picked), ascending. A random pair takes the same time however many
    /// there are (Walker 1974, alias method, in the order of Vose 1991).
    fn new(sites: &[(u32, i64, f64)]) -> Self {
        let sum: f64 = sites.iter().map(|site| site.2).sum();
        let mut share: Vec<f64> = sites.iter().map(|site| site.2 / sum * sites.len() as f64).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) =
            (0..sites.len()).partition(|&at| share[at] < 1.0);
        let pair = |&(site, shared, _): &(u32, i64, f64)| Pair { site, keep: 1.0, other: 0, shared };
        let mut pairs: Vec<Pair> = sites.iter().map(pair).collect();
        while let (Some(at), Some(&other)) = (small.pop(), large.last()) {
            pairs[at].keep = share[at] as f32;
            pairs[at].other = other as u32;
            share[other] -= 1.0 - share[at];
            if share[other] < 1.0 {
                small.extend(large.pop());
            }
        }
        Self { pairs }
    }

    /// A site by its chance, and what it shares.
    fn pick(&self, random: &mut Xoshiro256PlusPlus) -> Option<(u32, i64)> {
        let pair = self.pairs.get(random.random_range(0..self.pairs.len().max(1)))?;
        let pair = if random.random::<f32>() < pair.keep { pair } else { &self.pairs[pair.other as usize] };
        Some((pair.site, pair.shared))
    }

    fn shared_with(&self, site: u32) -> i64 {
        self.pairs.binary_search_by_key(&site, |pair| pair.site).map_or(0, |at| self.pairs[at].shared)
    }
}

struct State {
    open: Vec<bool>,
    /// Per row: its one open site, [`NOBODY`] or [`SEVERAL`].
    server: Vec<u32>,
    weight: Vec<u32>,
    /// Per row: number of open sites, and their exclusive or, which names the last one left.
    tally: Vec<(u32, u32)>,
    /// Weight that only this open site covers.
    loss: Vec<i64>,
    /// Weight in the column that no open site covers.
    gain: Vec<i64>,
    /// Rows of every site that is or may be open, heaviest first.
    columns: Lists<Entry>,
    /// Per column and block of [`BLOCK`] rows: weight of this block and all behind it.
    rest: Lists<i64>,
    /// Sites of every row that may open.
    sites: Lists<u32>,
    /// Made when a site is first exchanged.
    near: Vec<Option<Near>>,
    n_pairs: usize,
}

impl State {
    fn new(core: &Core, start: &[u32], may_open: impl Fn(usize) -> bool) -> Self {
        let mut is_start = vec![false; core.n_sites];
        start.iter().for_each(|&site| is_start[site as usize] = true);
        // Weights above 32 bits are not households; they count as the largest.
        let weight: Vec<u32> =
            core.miss.iter().map(|&miss| u32::try_from(miss).unwrap_or(u32::MAX)).collect();
        let columns = Lists::collect((0..core.n_sites).map(|site| {
            if !is_start[site] && !may_open(site) {
                return Vec::new();
            }
            let rows = core.col_row[core.col(site)].iter();
            let mut rows: Vec<Entry> = rows.map(|&row| Entry { row, weight: weight[row as usize] }).collect();
            rows.sort_unstable_by_key(|entry| (Reverse(entry.weight), entry.row));
            rows
        }));
        let rest = Lists::collect((0..core.n_sites).map(|site| {
            let blocks = columns.of(site).chunks(BLOCK).rev();
            let sums = blocks.scan(0, |sum, block| {
                *sum += block.iter().map(|entry| i64::from(entry.weight)).sum::<i64>();
                Some(*sum)
            });
            let mut sums: Vec<i64> = sums.collect();
            sums.reverse();
            sums
        }));
        let sites = Lists::collect((0..core.n_rows()).map(|row| {
            let sites = &core.row_site[core.row(row)];
            sites.iter().copied().filter(|&site| may_open(site as usize)).collect()
        }));
        let gain = (0..core.n_sites).map(|site| rest.of(site).first().copied().unwrap_or(0)).collect();
        let mut state = Self {
            open: vec![false; core.n_sites],
            server: vec![NOBODY; core.n_rows()],
            weight,
            tally: vec![(0, 0); core.n_rows()],
            loss: vec![0; core.n_sites],
            gain,
            columns,
            rest,
            sites,
            near: (0..core.n_sites).map(|_| None).collect(),
            n_pairs: 0,
        };
        start.iter().for_each(|&site| state.insert(site, &mut 0));
        state
    }

    /// The sites that share a row with a site; adds the rows read to `spent`.
    fn near(&mut self, site: u32, spent: &mut u64) -> &Near {
        if self.near[site as usize].is_none() {
            if MOST_PAIRS < self.n_pairs {
                for (near, _) in self.near.iter_mut().zip(&self.open).filter(|(_, open)| !**open) {
                    self.n_pairs -= near.take().map_or(0, |near| near.pairs.len());
                }
            }
            let near = self.find_near(site, spent);
            self.n_pairs += near.pairs.len();
            self.near[site as usize] = Some(near);
        }
        self.near[site as usize].get_or_insert_with(Near::default)
    }

    fn find_near(&self, site: u32, spent: &mut u64) -> Near {
        let mut pairs: FxHashMap<u32, (i64, f64)> = FxHashMap::default();
        for &Entry { row, weight } in self.columns.of(site as usize) {
            let sites = self.sites.of(row as usize);
            *spent += sites.len() as u64;
            for &other in sites.iter().filter(|&&other| other != site) {
                let pair = pairs.entry(other).or_default();
                *pair = (pair.0 + i64::from(weight), pair.1 + 1.0 / sites.len() as f64);
            }
        }
        let mut pairs: Vec<(u32, i64, f64)> =
            pairs.into_iter().map(|(other, (shared, chance))| (other, shared, chance)).collect();
        pairs.sort_unstable_by_key(|pair| pair.0);
        Near::new(&pairs)
    }

    fn insert(&mut self, site: u32, spent: &mut u64) {
        self.open[site as usize] = true;
        let mut own = 0;
        for &Entry { row, weight } in self.columns.of(site as usize) {
            let row = row as usize;
            let (count, mixed) = self.tally[row];
            self.tally[row] = (count + 1, mixed ^ site);
            match self.server[row] {
                NOBODY => {
                    self.server[row] = site;
                    own += i64::from(weight);
                    let sites = self.sites.of(row);
                    *spent += sites.len() as u64;
                    sites.iter().for_each(|&other| self.gain[other as usize] -= i64::from(weight));
                }
                SEVERAL => {}
                alone => {
                    self.loss[alone as usize] -= i64::from(weight);
                    self.server[row] = SEVERAL;
                }
            }
        }
        *spent += self.columns.of(site as usize).len() as u64;
        self.loss[site as usize] = own;
    }

    fn remove(&mut self, site: u32, spent: &mut u64) {
        self.open[site as usize] = false;
        for &Entry { row, weight } in self.columns.of(site as usize) {
            let row = row as usize;
            let (count, mixed) = self.tally[row];
            self.tally[row] = (count - 1, mixed ^ site);
            match count - 1 {
                0 => {
                    self.server[row] = NOBODY;
                    let sites = self.sites.of(row);
                    *spent += sites.len() as u64;
                    sites.iter().for_each(|&other| self.gain[other as usize] += i64::from(weight));
                }
                1 => {
                    self.server[row] = mixed ^ site;
                    self.loss[(mixed ^ site) as usize] += i64::from(weight);
                }
                _ => {}
            }
        }
        *spent += self.columns.of(site as usize).len() as u64;
    }

    /// Weight won by opening `inn` and closing `out`, which share rows of this weight; `None` where that is below `least`.
    fn exchange_gain(&self, inn: u32, out: u32, shared: i64, least: f64, spent: &mut u64) -> Option<i64> {
        let (gain, loss) = (self.gain[inn as usize], self.loss[out as usize]);
        // What of the loss the new site has to make good.
        let needed = (least + (loss - gain) as f64).ceil() as i64;
        if shared.min(loss) < needed {
            return None;
        }
        let mut kept = 0;
        if 0 < shared {
            let (rows, rest) = (self.columns.of(inn as usize), self.rest.of(inn as usize));
            for (block, &rest) in rows.chunks(BLOCK).zip(rest) {
                if kept + rest < needed {
                    return None;
                }
                *spent += BLOCK as u64;
                for entry in block {
                    // Which rows count is a matter of chance: no branch.
                    let counts = self.server[entry.row as usize] == out;
                    kept += i64::from(entry.weight & u32::from(counts).wrapping_neg());
                }
            }
        }
        (needed <= kept).then_some(gain + kept - loss)
    }
}
