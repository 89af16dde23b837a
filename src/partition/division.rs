//! A division under improvement: labels, loads and members, with moves that keep every grid connected.

use super::piece::Piece;

/// Lower and upper limit of a grid's load, and the wanted load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub low: u64,
    pub target: u64,
    pub high: u64,
}

impl Range {
    /// Households by which `load` is out of range; 0 inside.
    pub(super) fn excess(&self, load: u64) -> u64 {
        self.low.saturating_sub(load).max(load.saturating_sub(self.high))
    }
}

/// What is asked of a search: a connected graph and into how many grids of which size it is to be divided.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    pub piece: &'a Piece,
    pub k: usize,
    pub range: Range,
}

/// How good a division is; smaller is better: fewest grids out of range, then fewest households out of range or moved, a
/// household counting the same in either, then fewest moved, then the smallest cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Score {
    /// Grids out of range.
    pub n_out: usize,
    /// Households out of range in all.
    pub excess: u64,
    /// Load that moved away from its present grid; 0 without one.
    pub moved: u64,
    /// Boundary cost in mm.
    pub cost: i64,
}

impl Ord for Score {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let order = |score: &Self| (score.n_out, score.excess + score.moved, score.moved, score.cost);
        order(self).cmp(&order(other))
    }
}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Labels of the units of a piece and what follows from them.
pub(super) struct Division<'a> {
    pub piece: &'a Piece,
    pub grid: Vec<u32>,
    pub load: Vec<u64>,
    members: Vec<Vec<u32>>,
    position: Vec<u32>,
    // Scratch of the connectivity search.
    stamp: Vec<u32>,
    epoch: u32,
    queue: Vec<u32>,
    /// Half-edges looked at by connectivity searches: a clock that is the same on every machine.
    pub work: u64,
}

impl<'a> Division<'a> {
    /// The state of labels `grid`, which are below `k`.
    pub(super) fn new(piece: &'a Piece, grid: Vec<u32>, k: usize) -> Self {
        let mut load = vec![0; k];
        let mut members = vec![Vec::new(); k];
        let mut position = vec![0; grid.len()];
        for (unit, &g) in grid.iter().enumerate() {
            load[g as usize] += piece.load[unit];
            position[unit] = members[g as usize].len() as u32;
            members[g as usize].push(unit as u32);
        }
        let stamp = vec![0; grid.len()];
        Self { piece, grid, load, members, position, stamp, epoch: 0, queue: Vec::new(), work: 0 }
    }

    /// Units of grid `g`, in no particular order.
    pub(super) fn members(&self, g: u32) -> &[u32] {
        &self.members[g as usize]
    }

    /// Cost of the edges from `unit` into grid `a` minus into grid `b`: what the cut grows by when it moves from a to b.
    pub(super) fn cost_change(&self, unit: u32, a: u32, b: u32) -> i64 {
        let mut change = 0;
        for (v, cost) in self.piece.edges_of(unit) {
            let g = self.grid[v as usize];
            change += if g == a { cost } else { 0 };
            change -= if g == b { cost } else { 0 };
        }
        change
    }

    /// Whether the grid of `unit` stays connected and not empty without it.
    ///
    /// Searches outwards from one neighbour until all the others are found, which ends after a few steps
    /// when they are close to each other; at worst it walks the grid once.
    pub(super) fn can_leave(&mut self, unit: u32) -> bool {
        let g = self.grid[unit as usize];
        let piece = self.piece;
        self.next_epoch();
        let (seen, wanted) = (self.epoch, self.epoch - 1);
        let mut missing = 0usize;
        let mut first = u32::MAX;
        for &v in &piece.neighbor[piece.row(unit)] {
            if self.grid[v as usize] == g {
                if first == u32::MAX {
                    first = v;
                } else {
                    self.stamp[v as usize] = wanted;
                    missing += 1;
                }
            }
        }
        if first == u32::MAX {
            return false;
        }
        if missing == 0 {
            return true;
        }
        self.stamp[unit as usize] = seen;
        self.stamp[first as usize] = seen;
        self.queue.clear();
        self.queue.push(first);
        let mut head = 0;
        while head < self.queue.len() {
            let u = self.queue[head];
            head += 1;
            let row = piece.row(u);
            self.work += row.len() as u64;
            for &v in &piece.neighbor[row] {
                if self.grid[v as usize] != g || self.stamp[v as usize] == seen {
                    continue;
                }
                if self.stamp[v as usize] == wanted {
                    missing -= 1;
                    if missing == 0 {
                        return true;
                    }
                }
                self.stamp[v as usize] = seen;
                self.queue.push(v);
            }
        }
        false
    }

    /// Two fresh stamps: `epoch - 1` and `epoch`.
    fn next_epoch(&mut self) {
        if self.epoch > u32::MAX - 4 {
            self.stamp.fill(0);
            self.epoch = 0;
        }
        self.epoch += 2;
    }

    /// Moves `unit` to grid `to`.
    pub(super) fn relabel(&mut self, unit: u32, to: u32) {
        let from = self.grid[unit as usize] as usize;
        let at = self.position[unit as usize] as usize;
        let load = self.piece.load[unit as usize];
        self.members[from].swap_remove(at);
        if let Some(&other) = self.members[from].get(at) {
            self.position[other as usize] = at as u32;
        }
        self.position[unit as usize] = self.members[to as usize].len() as u32;
        self.members[to as usize].push(unit);
        self.load[from] -= load;
        self.load[to as usize] += load;
        self.grid[unit as usize] = to;
    }
}

/// The score of a labelling; `moved` is left at 0.
pub(super) fn score(piece: &Piece, range: Range, grid: &[u32], k: usize) -> Score {
    let mut load = vec![0; k];
    for (unit, &g) in grid.iter().enumerate() {
        load[g as usize] += piece.load[unit];
    }
    let excess: Vec<u64> = load.iter().map(|&l| range.excess(l)).filter(|&e| 0 < e).collect();
    Score { n_out: excess.len(), moved: 0, cost: piece.cut_cost(grid), excess: excess.iter().sum() }
}
