//! First divisions: recursive splits along random spanning trees.
//!
//! A spanning tree that prefers costly edges is drawn; cutting one of its edges leaves two connected sides.
//! Among the edges whose sides can hold whole numbers of grids the one with the cheapest boundary is cut,
//! and both sides go on by themselves. Source: DeFord, Duchin and Solomon, Recombination, 2019
//! (arXiv:1911.05725), from which we differ by choosing the cheapest boundary instead of a random one.

use super::division::Range;
use super::piece::{Piece, Sets};
use super::random::Random;

/// Divides a connected piece into exactly `k` connected grids; `k` is at least 1 and at most its units.
pub(super) fn split(piece: &Piece, k: usize, range: Range, random: &mut Random) -> Vec<u32> {
    let mut grid = vec![0; piece.len()];
    let mut splitter = Splitter::new(piece, range);
    let all: Vec<u32> = (0..piece.len() as u32).collect();
    let mut open = vec![(all, k, 0u32)];
    while let Some((mut units, k, first)) = open.pop() {
        if k == 1 {
            for unit in units {
                grid[unit as usize] = first;
            }
            continue;
        }
        splitter.span(&mut units, random);
        match splitter.best_cut(k) {
            Some((at, size, k_below)) => {
                // The subtree of a unit is contiguous in the order of a depth-first walk.
                let below: Vec<u32> = units.drain(at..at + size).collect();
                open.push((units, k - k_below, first));
                open.push((below, k_below, first + (k - k_below) as u32));
            }
            None => splitter.peel(&units, k, first, &mut grid),
        }
    }
    grid
}

/// Scratch for one spanning tree after another. Tree arrays are indexed by position in the walk.
struct Splitter<'a> {
    piece: &'a Piece,
    range: Range,
    /// Position in the walk per unit; valid where `member` equals `round`.
    place: Vec<u32>,
    member: Vec<u32>,
    round: u32,
    /// Parent position, subtree end, subtree load and subtree boundary cost per position.
    parent: Vec<u32>,
    end: Vec<u32>,
    load: Vec<u64>,
    cost: Vec<i64>,
}

impl<'a> Splitter<'a> {
    fn new(piece: &'a Piece, range: Range) -> Self {
        let n = piece.len();
        Self {
            piece,
            range,
            place: vec![0; n],
            member: vec![0; n],
            round: 0,
            parent: Vec::new(),
            end: Vec::new(),
            load: Vec::new(),
            cost: Vec::new(),
        }
    }

    /// Draws a spanning tree of `units`, sorts them in the order of a depth-first walk and measures subtrees.
    fn span(&mut self, units: &mut Vec<u32>, random: &mut Random) {
        let n = units.len();
        self.round += 1;
        for (i, &unit) in units.iter().enumerate() {
            self.member[unit as usize] = self.round;
            self.place[unit as usize] = i as u32;
        }
        // Kruskal on costs with up to twofold noise, dearest first.
        let mut edges: Vec<(u64, u32, u32)> = Vec::new();
        for &u in units.iter() {
            for (v, cost) in self.piece.edges_of(u) {
                if u < v && self.member[v as usize] == self.round {
                    let noise = 512 + (random.bits() >> 54); // 512..1536
                    let key = (cost as u64 + 1).saturating_mul(noise);
                    edges.push((key, self.place[u as usize], self.place[v as usize]));
                }
            }
        }
        edges.sort_unstable_by(|a, b| b.cmp(a));
        let mut sets = Sets::new(n);
        let mut degree = vec![0u32; n + 1];
        edges.retain(|&(_, a, b)| sets.join(a, b));
        for &(_, a, b) in &edges {
            degree[a as usize] += 1;
            degree[b as usize] += 1;
        }
        let mut start = vec![0u32; n + 1];
        for i in 0..n {
            start[i + 1] = start[i] + degree[i];
        }
        let mut next = start.clone();
        let mut tree = vec![0u32; 2 * edges.len()];
        for &(_, a, b) in &edges {
            tree[next[a as usize] as usize] = b;
            next[a as usize] += 1;
            tree[next[b as usize] as usize] = a;
            next[b as usize] += 1;
        }
        self.walk(units, &start, &tree, random.below(n) as u32);
        self.measure(units);
    }

    /// Depth-first walk of the tree from `root`; reorders `units` and fills `parent` and `end`.
    fn walk(&mut self, units: &mut Vec<u32>, start: &[u32], tree: &[u32], root: u32) {
        let n = units.len();
        self.parent.clear();
        let mut order = Vec::with_capacity(n);
        let mut stack = vec![(root, u32::MAX, u32::MAX)];
        while let Some((node, from, parent)) = stack.pop() {
            let at = order.len() as u32;
            order.push(units[node as usize]);
            self.parent.push(parent);
            for &next in &tree[start[node as usize] as usize..start[node as usize + 1] as usize] {
                if next != from {
                    stack.push((next, node, at));
                }
            }
        }
        *units = order;
        self.end.clear();
        self.end.extend(1..=n as u32);
        for at in (1..n).rev() {
            let up = self.parent[at] as usize;
            self.end[up] = self.end[up].max(self.end[at]);
        }
        for (i, &unit) in units.iter().enumerate() {
            self.place[unit as usize] = i as u32;
        }
    }

    /// Load of each subtree and the cost of the edges that leave it.
    fn measure(&mut self, units: &[u32]) {
        let n = units.len();
        self.load.clear();
        self.load.extend(units.iter().map(|&u| self.piece.load[u as usize]));
        self.cost.clear();
        self.cost.resize(n, 0);
        let ancestors = Ancestors::new(&self.parent, &self.end);
        for (at, &u) in units.iter().enumerate() {
            for (v, cost) in self.piece.edges_of(u) {
                if self.member[v as usize] != self.round {
                    continue;
                }
                let other = self.place[v as usize] as usize;
                self.cost[at] += cost;
                if at < other {
                    // An edge is inside every subtree from the lowest common ancestor upwards.
                    self.cost[ancestors.common(&self.parent, at, other)] -= 2 * cost;
                }
            }
        }
        for at in (1..n).rev() {
            let up = self.parent[at] as usize;
            self.load[up] += self.load[at];
            self.cost[up] += self.cost[at];
        }
    }

    /// The best tree edge to cut: position and size of the subtree below it and the grids it is to hold.
    ///
    /// `None` when only splits far from the middle exist in a large part: peeling one grid after another
    /// off a star would take quadratic time.
    fn best_cut(&self, k: usize) -> Option<(usize, usize, usize)> {
        let n = self.load.len();
        let (total, n_total) = (self.load[0], n);
        // Large parts are split near the middle, so that the depth stays logarithmic.
        let margin = if k > 12 { k / 3 } else { 1 };
        // (how bad, boundary cost) and (subtree, grids in it, load).
        type Choice = ((u64, i64), (usize, usize, usize));
        let mut best: Option<Choice> = None;
        for at in 1..n {
            let size = self.end[at] as usize - at;
            let load = self.load[at];
            let ideal = (load as f64 / total.max(1) as f64 * k as f64).round() as usize;
            for below in [ideal.saturating_sub(1), ideal, ideal + 1] {
                if below < margin || k - margin < below.min(k) || below >= k {
                    continue;
                }
                if size < below || n_total - size < k - below {
                    continue;
                }
                let lack = self.lack(load, below) + self.lack(total - load, k - below);
                let score = (lack, self.cost[at]);
                if best.is_none_or(|(old, _)| score < old) {
                    best = Some((score, (at, size, below)));
                }
            }
        }
        let (score, cut) = best?;
        // A poor middle split of a large part is still better than none, unless it is hopeless.
        (k <= 12 || score.0 <= total / 4).then_some(cut)
    }

    /// Households by which `load` misses what `k` grids can hold, with a margin that shrinks with k.
    fn lack(&self, load: u64, k: usize) -> u64 {
        let k = k as u64;
        (self.range.low * k).saturating_sub(load).max(load.saturating_sub(self.range.high * k))
    }

    /// Cuts the current tree from the leaves up into exactly `k` grids, in linear time.
    fn peel(&self, units: &[u32], k: usize, first: u32, grid: &mut [u32]) {
        let n = units.len();
        let total = self.load[0];
        let mean = (total / k as u64).max(1);
        let mut own: Vec<u64> = units.iter().map(|&u| self.piece.load[u as usize]).collect();
        let mut is_top = vec![false; n];
        is_top[0] = true;
        let mut made = 1;
        for at in (1..n).rev() {
            if made < k && own[at] * 10 >= mean * 9 {
                is_top[at] = true;
                made += 1;
            } else {
                let up = self.parent[at] as usize;
                own[up] += own[at];
            }
        }
        // Loads too small or too lumpy for k such cuts: cut anywhere, latest positions first.
        for at in (1..n).rev() {
            if made < k && !is_top[at] {
                is_top[at] = true;
                made += 1;
            }
        }
        let mut label = vec![0; n];
        let mut next = first;
        for at in 0..n {
            label[at] = if is_top[at] {
                next += 1;
                next - 1
            } else {
                label[self.parent[at] as usize]
            };
            grid[units[at] as usize] = label[at];
        }
    }
}

/// Lowest common ancestors by heavy paths; positions are those of a depth-first walk.
struct Ancestors {
    head: Vec<u32>,
}

impl Ancestors {
    fn new(parent: &[u32], end: &[u32]) -> Self {
        let n = parent.len();
        let mut heavy = vec![u32::MAX; n];
        for (at, &up) in parent.iter().enumerate().skip(1) {
            let up = up as usize;
            let size = |p: usize| end[p] - p as u32;
            if heavy[up] == u32::MAX || size(heavy[up] as usize) < size(at) {
                heavy[up] = at as u32;
            }
        }
        let mut head: Vec<u32> = (0..n as u32).collect();
        for at in 1..n {
            let up = parent[at] as usize;
            if heavy[up] == at as u32 {
                head[at] = head[up];
            }
        }
        Self { head }
    }

    fn common(&self, parent: &[u32], mut a: usize, mut b: usize) -> usize {
        while self.head[a] != self.head[b] {
            // A path's head with the later position lies deeper or aside: leave that path.
            if self.head[a] < self.head[b] {
                b = parent[self.head[b] as usize] as usize;
            } else {
                a = parent[self.head[a] as usize] as usize;
            }
        }
        a.min(b)
    }
}
