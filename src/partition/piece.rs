//! One connected graph of units that is to be divided, with its edges in compressed rows.

/// A graph of units. Edge costs are whole millimetres of boundary, parallel edges already added up.
#[derive(Clone, Debug, Default)]
pub(super) struct Piece {
    /// Load per unit.
    pub load: Vec<u64>,
    /// Row starts, one more than units.
    pub offset: Vec<u32>,
    /// Neighbour per half-edge, ascending within a row.
    pub neighbor: Vec<u32>,
    /// Cost per half-edge, in mm.
    pub cost: Vec<i64>,
    /// Length of the shared boundary per half-edge, in mm; with the cost it says what runs along it.
    pub length: Vec<i64>,
}

/// An undirected edge: two units, cost and length in mm.
pub(super) type Edge = (u32, u32, i64, i64);

impl Piece {
    /// Builds rows from undirected edges; loops are dropped, parallel edges added up.
    pub(super) fn new(load: Vec<u64>, edges: &[Edge]) -> Self {
        let n = load.len();
        let mut half: Vec<Edge> = Vec::with_capacity(2 * edges.len());
        for &(a, b, cost, length) in edges.iter().filter(|(a, b, _, _)| a != b) {
            half.push((a, b, cost, length));
            half.push((b, a, cost, length));
        }
        half.sort_unstable();
        half.dedup_by(|next, kept| {
            let same = next.0 == kept.0 && next.1 == kept.1;
            if same {
                kept.2 += next.2;
                kept.3 += next.3;
            }
            same
        });
        let mut offset = vec![0u32; n + 1];
        for &(a, _, _, _) in &half {
            offset[a as usize + 1] += 1;
        }
        for i in 0..n {
            offset[i + 1] += offset[i];
        }
        let neighbor = half.iter().map(|h| h.1).collect();
        let cost = half.iter().map(|h| h.2).collect();
        let length = half.iter().map(|h| h.3).collect();
        Self { load, offset, neighbor, cost, length }
    }

    /// Number of units.
    pub(super) fn len(&self) -> usize {
        self.load.len()
    }

    /// Sum of all loads.
    pub(super) fn total(&self) -> u64 {
        self.load.iter().sum()
    }

    /// Positions of the half-edges of `unit`.
    pub(super) fn row(&self, unit: u32) -> std::ops::Range<usize> {
        self.offset[unit as usize] as usize..self.offset[unit as usize + 1] as usize
    }

    /// Neighbours of `unit` with edge costs.
    pub(super) fn edges_of(&self, unit: u32) -> impl Iterator<Item = (u32, i64)> + '_ {
        let row = self.row(unit);
        self.neighbor[row.clone()].iter().copied().zip(self.cost[row].iter().copied())
    }

    /// The part of the graph on `units`, which are ascending; unit `i` of the result is `units[i]`.
    pub(super) fn induced(&self, units: &[u32]) -> Self {
        let mut part = Self { offset: vec![0], ..Self::default() };
        for &unit in units {
            part.load.push(self.load[unit as usize]);
            for edge in self.row(unit) {
                if let Ok(place) = units.binary_search(&self.neighbor[edge]) {
                    part.neighbor.push(place as u32);
                    part.cost.push(self.cost[edge]);
                    part.length.push(self.length[edge]);
                }
            }
            part.offset.push(part.neighbor.len() as u32);
        }
        part
    }

    /// Cost of the edges that leave a set of units, in mm; the units are ascending.
    #[cfg(feature = "highs")]
    pub(super) fn boundary(&self, units: &[u32]) -> i64 {
        let out =
            units.iter().flat_map(|&u| self.edges_of(u)).filter(|(v, _)| units.binary_search(v).is_err());
        out.map(|(_, cost)| cost).sum()
    }

    /// Boundary cost of a labelling, in mm.
    pub(super) fn cut_cost(&self, grid: &[u32]) -> i64 {
        let mut twice = 0;
        for unit in 0..self.len() as u32 {
            for (v, cost) in self.edges_of(unit) {
                if grid[unit as usize] != grid[v as usize] {
                    twice += cost;
                }
            }
        }
        twice / 2
    }
}

/// Union-find with path halving.
pub(super) struct Sets {
    parent: Vec<u32>,
}

impl Sets {
    /// `n` sets of one.
    pub(super) fn new(n: usize) -> Self {
        Self { parent: (0..n as u32).collect() }
    }

    /// The name of the set of `i`: its smallest member.
    pub(super) fn find(&mut self, mut i: u32) -> u32 {
        while self.parent[i as usize] != i {
            let up = self.parent[self.parent[i as usize] as usize];
            self.parent[i as usize] = up;
            i = up;
        }
        i
    }

    /// Joins the sets of `a` and `b`; true if they were two. The smaller name stays.
    pub(super) fn join(&mut self, a: u32, b: u32) -> bool {
        let (a, b) = (self.find(a), self.find(b));
        self.parent[a.max(b) as usize] = a.min(b);
        a != b
    }
}
