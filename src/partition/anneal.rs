//! Improvement by simulated annealing over boundary flips, swaps and ejection chains.
//!
//! A unit on a boundary moves to the neighbouring grid; where that alone is refused, the receiving grid may
//! pass one of its own units on, back (a swap) or further (a chain). Every grid stays connected after every
//! accepted move. All arithmetic is on whole numbers, so a run is the same on every machine.

use super::budget::{self, Front};
use super::division::{Division, Range, Score};
use super::random::Random;
use super::regions::Regions;

/// Resolution of the table of logarithms.
const LOG_BITS: u32 = 12;

/// How long and how hot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    /// Proposed moves per unit.
    pub sweeps: u32,
    /// First and last temperature, in mean edge costs.
    pub start: f64,
    /// Last temperature, in mean edge costs.
    pub end: f64,
    /// Longest chain: 1 is flips only, 2 adds swaps.
    pub chain: u32,
    /// Which division to return.
    pub keep: Keep,
}

/// Which division of a run is its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// The best one met.
    Best,
    /// The last one: where the search was heading, for a finer graph to go on with.
    Last,
}

/// What the search minimizes: boundary cost plus fines for grids out of range and for moved load.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fines {
    /// mm per household out of range.
    pub household: i64,
    /// mm per grid out of range.
    pub grid: i64,
    /// mm per household that leaves its present grid.
    pub moved: i64,
}

/// Table of −ln of numbers evenly spread over 0..1, times 65536.
pub(super) struct Logarithms(Vec<i64>);

impl Logarithms {
    pub(super) fn new() -> Self {
        let n = 1u32 << LOG_BITS;
        Self((0..n).map(|i| (-((f64::from(i) + 0.5) / f64::from(n)).ln() * 65536.0).round() as i64).collect())
    }
}

/// One annealing run over a division. `home` is the present grid of each unit, `u32::MAX` where there is none.
pub(super) struct Annealer<'a, 'p> {
    division: &'a mut Division<'p>,
    range: Range,
    home: &'a [u32],
    fines: Fines,
    score: Score,
    best: Score,
    best_grid: Vec<u32>,
    undo: Vec<(u32, u32)>,
    /// Collects the grids met on the way, where wanted.
    pool: Option<&'a mut Regions>,
    /// Collects the best divisions for every number of moves, where wanted.
    front: Option<&'a mut Front<Vec<u32>>>,
    /// How dear a move is, in usual fines.
    move_weight: i64,
}

/// Mean cost of an edge between units, in mm, at least 1.
pub(super) fn mean_edge_cost(piece: &super::piece::Piece) -> f64 {
    let sum: f64 = piece.cost.iter().map(|&c| c as f64).sum();
    (sum / piece.cost.len().max(1) as f64).max(1.0)
}

impl<'a, 'p> Annealer<'a, 'p> {
    pub(super) fn new(
        division: &'a mut Division<'p>,
        range: Range,
        home: &'a [u32],
        pool: Option<&'a mut Regions>,
    ) -> Self {
        let k = division.load.len();
        let mut score = super::division::score(division.piece, range, &division.grid, k);
        score.moved = super::redraw::moved_from(division.piece, home, &division.grid);
        let best_grid = division.grid.clone();
        let fines = Fines { household: 0, grid: 0, moved: 0 };
        Self {
            division,
            range,
            home,
            fines,
            score,
            best: score,
            best_grid,
            undo: Vec::new(),
            pool,
            front: None,
            move_weight: 1,
        }
    }

    /// Collects in `front` what every number of moves can reach; a move costs `weight` times the usual fine.
    pub(super) fn along(mut self, front: &'a mut Front<Vec<u32>>, weight: i64) -> Self {
        self.front = Some(front);
        self.move_weight = weight;
        self
    }

    /// Runs the schedule and returns the best labels seen with their score. `stop` is asked now and then.
    pub(super) fn run(
        mut self,
        schedule: Schedule,
        logarithms: &Logarithms,
        random: &mut Random,
        stop: &dyn Fn() -> bool,
    ) -> (Vec<u32>, Score) {
        let n = self.division.piece.len();
        if self.division.load.len() < 2 {
            return (self.best_grid, self.best);
        }
        let edge = mean_edge_cost(self.division.piece);
        let unit_load = (self.division.piece.total() as f64 / n as f64).max(1.0);
        let rounds = (schedule.sweeps as usize).clamp(1, 64);
        let proposals = (n * schedule.sweeps as usize / rounds).max(1);
        let cooling = (schedule.end / schedule.start).powf(1.0 / rounds.max(2) as f64);
        let mut heat = schedule.start;
        let work_limit =
            self.division.work + 600 * (n as u64) * u64::from(schedule.sweeps) / rounds as u64 + 10_000;
        let work_step = work_limit - self.division.work;
        for round in 0..rounds {
            let late = (round + 1) as f64 / rounds as f64;
            self.fines.household = (edge / unit_load * (2.0 + 18.0 * late * late)).ceil() as i64;
            self.fines.grid = (edge * (1.0 + 19.0 * late * late)).ceil() as i64;
            self.fines.moved = (edge / unit_load * 4.0).ceil() as i64 * self.move_weight;
            let temperature = (edge * heat) as i64;
            let limit = self.division.work + work_step;
            for proposal in 0..proposals {
                if proposal % (2 * n) == n {
                    self.collect();
                }
                let bits = random.bits();
                let allowance = (temperature * logarithms.0[(bits >> (64 - LOG_BITS)) as usize]) >> 16;
                self.propose(schedule.chain, allowance, random);
                if proposal % 256 == 255 && (self.division.work > limit || stop()) {
                    break;
                }
            }
            if n > 2000 {
                self.remember();
            }
            self.collect();
            heat *= cooling;
        }
        if schedule.keep == Keep::Last {
            return (self.division.grid.clone(), self.score);
        }
        self.remember();
        (self.best_grid, self.best)
    }

    /// Keeps the present labels if they are the best so far.
    fn remember(&mut self) {
        if let Some(front) = &mut self.front {
            let grid = &self.division.grid;
            front.offer(self.score.moved, budget::as_balance(self.score), || grid.clone());
        }
        if self.score < self.best {
            self.best = self.score;
            self.best_grid.clone_from(&self.division.grid);
        }
    }

    /// Adds the present grids to the pool, unless they are far out of range.
    fn collect(&mut self) {
        if let Some(pool) = &mut self.pool {
            pool.add_division(self.division, self.range.low / 2..=2 * self.range.high);
        }
    }

    /// Proposes one flip and, where it is refused, a chain that begins with it.
    fn propose(&mut self, chain: u32, allowance: i64, random: &mut Random) {
        let n = self.division.piece.len();
        let mut unit = random.below(n) as u32;
        let mut sum = 0;
        self.undo.clear();
        let before = self.score;
        // Where the next link has to go: after the unit before it, or wherever a neighbor of its own leads.
        let mut after_it = None;
        for link in 0..chain {
            let row = self.division.piece.row(unit);
            if row.is_empty() {
                break;
            }
            let from = self.division.grid[unit as usize];
            let to = after_it.unwrap_or_else(|| {
                let neighbor = self.division.piece.neighbor[row.start + random.below(row.len())];
                self.division.grid[neighbor as usize]
            });
            if from == to {
                break;
            }
            let (energy, after) = self.change(unit, from, to);
            let last = link + 1 == chain;
            if (sum + energy > allowance && last) || !self.division.can_leave(unit) {
                break;
            }
            sum += energy;
            self.division.relabel(unit, to);
            self.score = after;
            if sum <= allowance {
                if n <= 2000 {
                    self.remember();
                }
                return;
            }
            self.undo.push((unit, from));
            let piece = self.division.piece;
            let bits = random.below(4);
            if bits == 0 {
                // A neighbor it leaves behind follows.
                let next = piece.neighbor[piece.row(unit).start + random.below(piece.row(unit).len())];
                if self.division.grid[next as usize] != from {
                    break;
                }
                (unit, after_it) = (next, Some(to));
            } else {
                let members = self.division.members(to);
                let next = members[random.below(members.len())];
                if next == unit {
                    break;
                }
                (unit, after_it) = (next, None);
            }
        }
        while let Some((unit, from)) = self.undo.pop() {
            self.division.relabel(unit, from);
        }
        self.score = before;
    }

    /// Energy change and new score if `unit` moved.
    fn change(&self, unit: u32, from: u32, to: u32) -> (i64, Score) {
        let division = &self.division;
        let load = division.piece.load[unit as usize];
        let (a, b) = (division.load[from as usize], division.load[to as usize]);
        let before = [self.range.excess(a), self.range.excess(b)];
        let after = [self.range.excess(a - load), self.range.excess(b + load)];
        let out = |e: [u64; 2]| usize::from(0 < e[0]) + usize::from(0 < e[1]);
        let cost = division.cost_change(unit, from, to);
        let mut score = self.score;
        score.cost += cost;
        score.n_out = score.n_out + out(after) - out(before);
        score.excess = score.excess + after[0] + after[1] - before[0] - before[1];
        if !self.home.is_empty() {
            score.moved =
                score.moved + moved(division, self.home, unit, to) - moved(division, self.home, unit, from);
        }
        let delta = |new: u64, old: u64| new as i64 - old as i64;
        let energy = cost
            + self.fines.household * delta(score.excess, self.score.excess)
            + self.fines.grid * delta(score.n_out as u64, self.score.n_out as u64)
            + self.fines.moved * delta(score.moved, self.score.moved);
        (energy, score)
    }
}

/// Load of `unit` if grid `g` is not its present one.
fn moved(division: &Division<'_>, home: &[u32], unit: u32, g: u32) -> u64 {
    let at_home = home[unit as usize] == u32::MAX || home[unit as usize] == g;
    if at_home { 0 } else { division.piece.load[unit as usize] }
}
