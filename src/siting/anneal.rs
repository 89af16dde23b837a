//! Simulated annealing on exchanges for max cover: many cheap steps where cached gains would be dear to keep.
//!
//! Only the number of open sites at each row is stored. Judging the exchange of an open site for one that shares a
//! row with it reads two columns; better ones are taken, worse ones with a chance that sinks as it cools.
//! Source: Kirkpatrick, Gelatt and Vecchi (1983), "Optimization by simulated annealing"; for max cover see
//! Murray and Church (1996), "Applying simulated annealing to location-planning models".

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::Clock;
use super::build::{Core, Fate};

/// Heat at the start, as a share of what a site covers on average; at the end it is a hundred times cooler.
const HEAT: f64 = 1.0 / 30.0;
/// Share of the time left that the search may use where there is a time limit.
const PATIENCE: f64 = 0.6;

/// Better sites than `start`, or `start` itself. Needs a core without rules whose rows may all stay unserved.
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
    let mut state = State::new(core, start);
    let free = |&site: &u32| core.fate[site as usize] == Fate::Free && !core.col(site as usize).is_empty();
    let mut movable: Vec<u32> = start.iter().copied().filter(free).collect();
    if movable.is_empty() {
        return start.to_vec();
    }
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let (mut best, mut best_sites) = (0i64, start.to_vec());
    let mut change = 0i64;
    let covered: i64 = state.rows.iter().filter(|row| row.count > 0).map(|row| row.weight).sum();
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
            heat = hot * 0.01f64.powf(progress);
        }
        steps += 1;
        let place = random.random_range(0..movable.len());
        let out = movable[place];
        let column = core.col(out as usize);
        let row = core.col_row[random.random_range(column.clone())] as usize;
        let inn = core.row_site[random.random_range(core.row(row))];
        spent += 4;
        let closed = core.fate[inn as usize] == Fate::Closed || !useful[inn as usize];
        if state.open[inn as usize] || closed {
            continue;
        }
        spent += (column.len() + core.col(inn as usize).len()) as u64;
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

/// A row as the search sees it; kept together because it is read together.
#[derive(Clone, Copy)]
struct Row {
    weight: i64,
    /// Open sites that reach it.
    count: u32,
    /// Number of the last question in which the closing site reaches it.
    mark: u32,
}

struct State<'c> {
    core: &'c Core,
    open: Vec<bool>,
    rows: Vec<Row>,
    question: u32,
}

impl<'c> State<'c> {
    fn new(core: &'c Core, start: &[u32]) -> Self {
        let rows = core.miss.iter().map(|&weight| Row { weight, count: 0, mark: 0 }).collect();
        let mut state = Self { core, open: vec![false; core.n_sites], rows, question: 0 };
        start.iter().for_each(|&site| state.insert(site));
        state
    }

    fn insert(&mut self, site: u32) {
        self.open[site as usize] = true;
        let rows = &self.core.col_row[self.core.col(site as usize)];
        rows.iter().for_each(|&row| self.rows[row as usize].count += 1);
    }

    fn remove(&mut self, site: u32) {
        self.open[site as usize] = false;
        let rows = &self.core.col_row[self.core.col(site as usize)];
        rows.iter().for_each(|&row| self.rows[row as usize].count -= 1);
    }

    /// Weight won by opening `inn` and closing `out`.
    fn exchange_gain(&mut self, inn: u32, out: u32) -> i64 {
        let core = self.core;
        let times = core.times as u32;
        self.question = self.question.wrapping_add(1);
        let mut gain = 0;
        for &row in &core.col_row[core.col(out as usize)] {
            let row = &mut self.rows[row as usize];
            row.mark = self.question;
            if row.count == times {
                gain -= row.weight;
            }
        }
        for &row in &core.col_row[core.col(inn as usize)] {
            let row = &self.rows[row as usize];
            let without = row.count - u32::from(row.mark == self.question);
            if without + 1 == times {
                gain += row.weight;
            }
        }
        gain
    }
}
