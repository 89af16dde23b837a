//! Simulated annealing on exchanges for max cover: many cheap steps where cached gains would be dear to keep.
//!
//! Per row only its one open site is stored, or that it has none or several. Judging the exchange of an open site for
//! one that shares a row with it, or for one anywhere, reads one column; better ones are taken, worse ones with a chance
//! that sinks as it cools. Rows are renumbered so that a column's rows lie together in memory.
//! Source: Kirkpatrick, Gelatt and Vecchi (1983), "Optimization by simulated annealing"; for max cover see
//! Murray and Church (1996), "Applying simulated annealing to location-planning models".

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::Clock;
use super::build::{Core, Fate};

/// Heat at the start, as a share of what a site covers on average.
const HEAT: f64 = 1.0 / 20.0;
/// Heat at the end, as a share of that at the start.
const COOLED: f64 = 1.0 / 15.0;
/// So many times it is heated and cools: a second time mends what the first happened to miss.
const CYCLES: f64 = 2.0;
/// Share of exchanges that open a site anywhere; the others stay among sites that share a row.
const FAR: f64 = 0.3;
/// Of so many random open sites the one that covers least alone closes for a site elsewhere.
const RIVALS: usize = 3;
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
    let covered: i64 =
        state.rows.iter().filter(|row| row.server != NOBODY).map(|row| i64::from(row.weight)).sum();
    let hot = (covered as f64 / start.len().max(1) as f64 * HEAT).max(1.0);
    let mut heat = hot;
    let begin = clock.share_used();
    let (mut spent, mut steps) = (0u64, 0u64);
    let mut progress = 0.0;
    while spent < work && progress < 1.0 {
        if steps.is_multiple_of(256) {
            if clock.is_over() {
                break;
            }
            let by_time = (clock.share_used() - begin) / (PATIENCE * (1.0 - begin)).max(1e-9);
            progress = (spent as f64 / work as f64).max(by_time);
            heat = hot * COOLED.powf((CYCLES * progress).fract());
        }
        steps += 1;
        let mut place = random.random_range(0..movable.len());
        spent += 4;
        let inn = if random.random::<f64>() < FAR {
            // Anywhere, against one of the open sites that cover least alone.
            for _ in 1..RIVALS {
                let other = random.random_range(0..movable.len());
                if state.loss[movable[other] as usize] < state.loss[movable[place] as usize] {
                    place = other;
                }
            }
            useful[random.random_range(0..useful.len())]
        } else {
            let column = state.columns.of(movable[place] as usize);
            let row = column[random.random_range(0..column.len())] as usize;
            let sites = state.sites.of(row);
            if sites.is_empty() {
                continue;
            }
            sites[random.random_range(0..sites.len())]
        };
        let out = movable[place];
        if state.open[inn as usize] {
            continue;
        }
        spent += state.columns.of(inn as usize).len() as u64;
        let gain = state.exchange_gain(inn, out);
        let chance = random.random::<f64>();
        if gain < 0 && (gain as f64 / heat).exp() <= chance {
            continue;
        }
        state.remove(out);
        state.insert(inn);
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

/// A row as the search sees it; kept together because it is read together.
#[derive(Clone, Copy)]
struct Row {
    /// Its one open site, [`NOBODY`] or [`SEVERAL`].
    server: u32,
    weight: u32,
}

/// Lists of numbers, one after the other.
struct Lists {
    start: Vec<u32>,
    item: Vec<u32>,
}

impl Lists {
    fn of(&self, index: usize) -> &[u32] {
        &self.item[self.start[index] as usize..self.start[index + 1] as usize]
    }

    fn collect(lists: impl Iterator<Item = Vec<u32>>) -> Self {
        let mut all = Self { start: vec![0], item: Vec::new() };
        for list in lists {
            all.item.extend(list);
            all.start.push(all.item.len() as u32);
        }
        all
    }
}

struct State {
    open: Vec<bool>,
    rows: Vec<Row>,
    /// Per row: number of open sites, and their exclusive or, which names the last one left.
    count: Vec<u32>,
    mixed: Vec<u32>,
    /// Weight that only this open site covers.
    loss: Vec<i64>,
    /// Rows of every site that is or may be open, ascending.
    columns: Lists,
    /// Sites of every row that may open.
    sites: Lists,
}

impl State {
    fn new(core: &Core, start: &[u32], may_open: impl Fn(usize) -> bool) -> Self {
        let mut is_start = vec![false; core.n_sites];
        start.iter().for_each(|&site| is_start[site as usize] = true);
        let order = neighbours_together(core);
        let mut number = vec![0u32; core.n_rows()];
        order.iter().enumerate().for_each(|(new, &old)| number[old as usize] = new as u32);
        let columns = Lists::collect((0..core.n_sites).map(|site| {
            if !is_start[site] && !may_open(site) {
                return Vec::new();
            }
            let rows = &core.col_row[core.col(site)];
            let mut rows: Vec<u32> = rows.iter().map(|&row| number[row as usize]).collect();
            rows.sort_unstable();
            rows
        }));
        let sites = Lists::collect(order.iter().map(|&row| {
            let sites = &core.row_site[core.row(row as usize)];
            sites.iter().copied().filter(|&site| may_open(site as usize)).collect()
        }));
        // Weights above 32 bits are not households; they count as the largest.
        let weight = |row: u32| u32::try_from(core.miss[row as usize]).unwrap_or(u32::MAX);
        let mut state = Self {
            open: vec![false; core.n_sites],
            rows: order.iter().map(|&row| Row { server: NOBODY, weight: weight(row) }).collect(),
            count: vec![0; core.n_rows()],
            mixed: vec![0; core.n_rows()],
            loss: vec![0; core.n_sites],
            columns,
            sites,
        };
        start.iter().for_each(|&site| state.insert(site));
        state
    }

    fn insert(&mut self, site: u32) {
        self.open[site as usize] = true;
        let mut own = 0;
        for &row in self.columns.of(site as usize) {
            let index = row as usize;
            self.count[index] += 1;
            self.mixed[index] ^= site;
            let row = &mut self.rows[index];
            match row.server {
                NOBODY => {
                    row.server = site;
                    own += i64::from(row.weight);
                }
                SEVERAL => {}
                alone => {
                    self.loss[alone as usize] -= i64::from(row.weight);
                    row.server = SEVERAL;
                }
            }
        }
        self.loss[site as usize] = own;
    }

    fn remove(&mut self, site: u32) {
        self.open[site as usize] = false;
        for &row in self.columns.of(site as usize) {
            let index = row as usize;
            self.count[index] -= 1;
            self.mixed[index] ^= site;
            let row = &mut self.rows[index];
            match self.count[index] {
                0 => row.server = NOBODY,
                1 => {
                    row.server = self.mixed[index];
                    self.loss[row.server as usize] += i64::from(row.weight);
                }
                _ => {}
            }
        }
    }

    /// Weight won by opening `inn` and closing `out`.
    fn exchange_gain(&self, inn: u32, out: u32) -> i64 {
        let mut won = 0;
        for &row in self.columns.of(inn as usize) {
            let row = self.rows[row as usize];
            let counts = row.server == NOBODY || row.server == out;
            won += if counts { u64::from(row.weight) } else { 0 };
        }
        won as i64 - self.loss[out as usize]
    }
}

/// Rows in an order in which those that share sites stand near one another: sites by breadth from the first one, rows
/// by the first of their sites.
fn neighbours_together(core: &Core) -> Vec<u32> {
    let mut order = Vec::with_capacity(core.n_rows());
    let mut seen_row = vec![false; core.n_rows()];
    let mut seen_site = vec![false; core.n_sites];
    let mut queue = std::collections::VecDeque::new();
    for first in 0..core.n_sites {
        if std::mem::replace(&mut seen_site[first], true) {
            continue;
        }
        queue.push_back(first);
        while let Some(site) = queue.pop_front() {
            for &row in &core.col_row[core.col(site)] {
                if std::mem::replace(&mut seen_row[row as usize], true) {
                    continue;
                }
                order.push(row);
                for &site in &core.row_site[core.row(row as usize)] {
                    if !std::mem::replace(&mut seen_site[site as usize], true) {
                        queue.push_back(site as usize);
                    }
                }
            }
        }
    }
    order.extend((0..core.n_rows() as u32).filter(|&row| !seen_row[row as usize]));
    order
}
