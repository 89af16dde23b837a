//! Minimum cuts between units that are in and units that are out, as a residual network to go on from.

use super::piece::Piece;

/// Maximum flow between two terminals and the units, by Dinic's method; leaves the residual capacities.
pub(super) struct Flow {
    pub from_source: Vec<i64>,
    pub to_sink: Vec<i64>,
    /// Residual capacity per half-edge.
    pub residual: Vec<i64>,
    /// The half-edge in the other direction.
    pub reverse: Vec<u32>,
    level: Vec<u32>,
    next: Vec<u32>,
    queue: Vec<u32>,
}

impl Flow {
    pub(super) fn new(piece: &Piece) -> Self {
        let n = piece.len();
        let mut reverse = vec![0; piece.neighbor.len()];
        for u in 0..n as u32 {
            for e in piece.row(u) {
                let back = piece.row(piece.neighbor[e]);
                let at = piece.neighbor[back.clone()].partition_point(|&v| v < u);
                reverse[e] = (back.start + at) as u32;
            }
        }
        Self {
            from_source: vec![0; n],
            to_sink: vec![0; n],
            residual: vec![0; piece.cost.len()],
            reverse,
            level: vec![0; n],
            next: vec![0; n],
            queue: Vec::new(),
        }
    }

    /// Sends as much as possible from the source to the sink; returns how much.
    pub(super) fn run(&mut self, piece: &Piece) -> i64 {
        for (residual, cost) in self.residual.iter_mut().zip(&piece.cost) {
            *residual = cost * 500;
        }
        self.augment(piece)
    }

    /// Sends as much more as possible.
    pub(super) fn augment(&mut self, piece: &Piece) -> i64 {
        let mut sent = 0;
        for u in 0..piece.len() {
            let straight = self.from_source[u].min(self.to_sink[u]);
            self.from_source[u] -= straight;
            self.to_sink[u] -= straight;
            sent += straight;
        }
        while self.levels(piece) {
            for u in 0..piece.len() as u32 {
                self.next[u as usize] = piece.row(u).start as u32;
            }
            for u in 0..piece.len() as u32 {
                while self.from_source[u as usize] > 0 {
                    let some = self.push(piece, u, self.from_source[u as usize]);
                    if some == 0 {
                        break;
                    }
                    self.from_source[u as usize] -= some;
                    sent += some;
                }
            }
        }
        sent
    }

    /// Distances from the source; true if the sink can be reached.
    fn levels(&mut self, piece: &Piece) -> bool {
        self.level.fill(u32::MAX);
        self.queue.clear();
        for u in 0..piece.len() as u32 {
            if self.from_source[u as usize] > 0 {
                self.level[u as usize] = 0;
                self.queue.push(u);
            }
        }
        let mut reached = false;
        let mut head = 0;
        while head < self.queue.len() {
            let u = self.queue[head];
            head += 1;
            reached |= self.to_sink[u as usize] > 0;
            for e in piece.row(u) {
                let v = piece.neighbor[e];
                if self.residual[e] > 0 && self.level[v as usize] == u32::MAX {
                    self.level[v as usize] = self.level[u as usize] + 1;
                    self.queue.push(v);
                }
            }
        }
        reached
    }

    /// Sends up to `most` from `unit` towards the sink along rising levels. Depth is at most the number of units.
    fn push(&mut self, piece: &Piece, unit: u32, most: i64) -> i64 {
        let u = unit as usize;
        if self.to_sink[u] > 0 {
            let some = most.min(self.to_sink[u]);
            self.to_sink[u] -= some;
            return some;
        }
        while (self.next[u] as usize) < piece.row(unit).end {
            let e = self.next[u] as usize;
            let v = piece.neighbor[e];
            if self.residual[e] > 0 && self.level[v as usize] == self.level[u] + 1 {
                let some = self.push(piece, v, most.min(self.residual[e]));
                if some > 0 {
                    self.residual[e] -= some;
                    self.residual[self.reverse[e] as usize] += some;
                    return some;
                }
            }
            self.next[u] += 1;
        }
        0
    }
}
