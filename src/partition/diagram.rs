//! All connected sets of units up to a load, as one decision diagram.
//!
//! Units are decided in a fixed order, taken or refused. What matters of the past is which units of the frontier (decided,
//! with a neighbour that is not) are taken and which of these hang together: sets that agree in that share a node
//! (frontier method, Kawahara and others 2017). A path from the first node to `WHOLE` is one set, and every set
//! is one path. A community of 150 units has 10⁹ sets and more, but a million nodes, so that the cheapest set at any prices
//! takes one sweep over the nodes.

use rustc_hash::FxHashMap;

use super::piece::Piece;

/// No set goes on here.
pub(super) const NEVER: u32 = u32::MAX;
/// The set is complete.
pub(super) const WHOLE: u32 = u32::MAX - 1;
/// Units of the widest frontier: five bits each in a key.
const WIDEST: usize = 25;

/// The diagram of a piece and a largest load.
pub(super) struct Diagram {
    /// Units in the order in which they are decided: one layer of nodes each.
    pub order: Vec<u32>,
    /// First node of every layer, and the number of nodes. The first node of a layer is the one with nothing taken.
    pub layer: Vec<u32>,
    /// Per node the one that follows when the unit is refused and when it is taken.
    pub next: Vec<[u32; 2]>,
    /// Cost of the edges between taken and refused units that this decides, in mm.
    pub cost: Vec<[u32; 2]>,
    /// Whether the whole frontier is taken: the units refused so far then have no way out.
    pub is_sealed: Vec<bool>,
}

/// A node under construction: its key and the least load that leads to it.
#[derive(Clone, Copy)]
struct Node {
    key: u128,
    load: u64,
}

impl Diagram {
    /// The diagram of all connected sets with a load of at most `high`; `None` if it needs more than `most` nodes,
    /// or if an edge costs thousands of kilometres.
    pub(super) fn new(piece: &Piece, high: u64, most: usize) -> Option<Self> {
        let order = order(piece)?;
        let mut frontier = Frontier::new(piece, high, &order);
        let mut diagram =
            Self { order, layer: vec![0], next: Vec::new(), cost: Vec::new(), is_sealed: Vec::new() };
        let mut nodes = vec![Node { key: 0, load: 0 }];
        for at in 0..piece.len() {
            frontier.decide(at);
            let first = diagram.next.len() + nodes.len();
            if most < first {
                return None;
            }
            let mut following: Vec<Node> = Vec::new();
            let mut number: FxHashMap<u128, u32> = FxHashMap::default();
            if at + 1 < piece.len() {
                number.insert(0, 0);
                following.push(Node { key: 0, load: 0 });
            }
            for node in &nodes {
                let mut next = [NEVER; 2];
                let mut cost = [0; 2];
                for taken in [0, 1] {
                    let (to, mm) = frontier.step(*node, taken == 1);
                    cost[taken] = u32::try_from(mm).ok()?;
                    next[taken] = match to {
                        Step::Never => NEVER,
                        Step::Whole => WHOLE,
                        Step::To(to) if to.key == 0 && at + 1 == piece.len() => NEVER,
                        Step::To(to) => {
                            let place = *number.entry(to.key).or_insert_with(|| {
                                following.push(to);
                                following.len() as u32 - 1
                            });
                            let known = &mut following[place as usize];
                            known.load = known.load.min(to.load);
                            first as u32 + place
                        }
                    };
                }
                diagram.next.push(next);
                diagram.cost.push(cost);
                diagram.is_sealed.push(frontier.is_sealed(node.key, at));
            }
            diagram.layer.push(first as u32);
            nodes = following;
        }
        Some(diagram)
    }

    /// Number of nodes.
    pub(super) fn len(&self) -> usize {
        self.next.len()
    }

    /// Every layer with its nodes, from the last one up.
    pub(super) fn layers_up(&self) -> impl Iterator<Item = (usize, std::ops::Range<usize>)> + '_ {
        let range = |at: usize| self.layer[at] as usize..self.layer[at + 1] as usize;
        (0..self.order.len()).rev().map(move |at| (at, range(at)))
    }
}

/// An order of units with narrow frontiers: from each start the unit next that widens the frontier least, of those the one
/// beside the oldest frontier unit; the best start counts. `None` if every frontier is too wide for a key.
fn order(piece: &Piece) -> Option<Vec<u32>> {
    let n = piece.len();
    let mut best: Option<(f64, Vec<u32>)> = None;
    for start in 0..n as u32 {
        let most = best.as_ref().map_or(f64::INFINITY, |best| best.0);
        if let Some(found) = order_from(piece, start, most) {
            best = Some(found);
        }
    }
    best.map(|best| best.1)
}

/// The order from one start with its sum of 2^width; `None` if that is not below `most`.
fn order_from(piece: &Piece, start: u32, most: f64) -> Option<(f64, Vec<u32>)> {
    let n = piece.len();
    // Neighbours that are not decided; when a unit was decided.
    let mut open: Vec<u32> = (0..n as u32).map(|u| piece.row(u).len() as u32).collect();
    let mut when = vec![u32::MAX; n];
    let mut order = Vec::with_capacity(n);
    let (mut next, mut width, mut sum) = (start, 0usize, 0.0);
    loop {
        when[next as usize] = order.len() as u32;
        order.push(next);
        for &v in &piece.neighbor[piece.row(next)] {
            open[v as usize] -= 1;
            width -= usize::from(open[v as usize] == 0 && when[v as usize] != u32::MAX);
        }
        width += usize::from(open[next as usize] > 0);
        sum += (width as f64).exp2();
        if most <= sum || WIDEST < width + 1 {
            return None;
        }
        if order.len() == n {
            return Some((sum, order));
        }
        let mut choice: Option<(i32, u32, u32)> = None;
        for &u in order.iter().filter(|&&u| open[u as usize] > 0) {
            for &v in piece.neighbor[piece.row(u)].iter().filter(|&&v| when[v as usize] == u32::MAX) {
                let decided = piece.neighbor[piece.row(v)].iter().filter(|&&w| when[w as usize] != u32::MAX);
                let closed = decided.filter(|&&w| open[w as usize] == 1).count() as i32;
                let wider = i32::from(open[v as usize] > 0) - closed;
                if choice.is_none_or(|best| (wider, when[u as usize], v) < best) {
                    choice = Some((wider, when[u as usize], v));
                }
            }
        }
        next = choice?.2;
    }
}

/// Where a decision leads.
enum Step {
    Never,
    Whole,
    To(Node),
}

/// The frontier before and after the present decision.
struct Frontier<'a> {
    piece: &'a Piece,
    high: u64,
    order: Vec<u32>,
    /// Place in the order of every unit, and of its last neighbour.
    place: Vec<usize>,
    last: Vec<usize>,
    /// Frontier units before the decision, then the unit decided.
    units: Vec<u32>,
    /// Which of these stay.
    stays: Vec<bool>,
    /// Neighbours of the unit in the frontier, with the cost of the edge.
    beside: Vec<(usize, i64)>,
    /// Least load of undecided units between two that stay.
    between: Vec<Vec<u64>>,
}

impl<'a> Frontier<'a> {
    fn new(piece: &'a Piece, high: u64, order: &[u32]) -> Self {
        let mut place = vec![0; piece.len()];
        for (at, &unit) in order.iter().enumerate() {
            place[unit as usize] = at;
        }
        let latest = |u: u32| piece.neighbor[piece.row(u)].iter().map(|&v| place[v as usize]).max();
        let last = (0..piece.len() as u32).map(|u| latest(u).unwrap_or(0)).collect();
        let (units, stays, beside, between) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { piece, high, order: order.to_vec(), place, last, units, stays, beside, between }
    }

    /// Goes on to the unit at this place of the order.
    fn decide(&mut self, at: usize) {
        if at > 0 {
            let kept = self.units.iter().zip(&self.stays).filter(|(_, stays)| **stays);
            self.units = kept.map(|(&unit, _)| unit).collect();
        }
        let unit = self.order[at];
        let edges = self.piece.edges_of(unit);
        let slot = |v: u32| self.units.iter().position(|&u| u == v);
        self.beside = edges.filter_map(|(v, cost)| Some((slot(v)?, cost))).collect();
        self.units.push(unit);
        self.stays = self.units.iter().map(|&u| at < self.last[u as usize]).collect();
        let staying: Vec<u32> =
            self.units.iter().zip(&self.stays).filter(|(_, stays)| **stays).map(|(&unit, _)| unit).collect();
        self.between = staying.iter().map(|&from| self.loads_between(from, &staying, at)).collect();
    }

    /// Whether every frontier unit before the present decision is taken.
    fn is_sealed(&self, key: u128, at: usize) -> bool {
        0 < at && (0..self.units.len() - 1).all(|slot| key >> (5 * slot) & 31 > 0)
    }

    /// Least load of undecided units on a way from one unit to each of the others (Dijkstra).
    fn loads_between(&self, from: u32, to: &[u32], at: usize) -> Vec<u64> {
        let mut least = vec![u64::MAX; self.piece.len()];
        let mut heap = std::collections::BinaryHeap::from([std::cmp::Reverse((0, from))]);
        while let Some(std::cmp::Reverse((reached, u))) = heap.pop() {
            if u != from && least[u as usize] < reached {
                continue;
            }
            for &v in &self.piece.neighbor[self.piece.row(u)] {
                let next = reached + self.piece.load[v as usize];
                if at < self.place[v as usize] && next <= self.high && next < least[v as usize] {
                    least[v as usize] = next;
                    heap.push(std::cmp::Reverse((next, v)));
                }
            }
        }
        let nearest = |&u: &u32| {
            let around = self.piece.neighbor[self.piece.row(u)].iter();
            around.map(|&v| least[v as usize]).min().unwrap_or(u64::MAX)
        };
        to.iter().map(nearest).collect()
    }

    /// What follows when the unit is taken or refused, and the cost of the edges that this cuts.
    fn step(&self, node: Node, is_taken: bool) -> (Step, i64) {
        let unit = self.units.len() - 1;
        let mut label = [0u8; WIDEST + 1];
        for (slot, own) in label[..unit].iter_mut().enumerate() {
            *own = (node.key >> (5 * slot) & 31) as u8;
        }
        let cut = self.beside.iter().filter(|&&(slot, _)| (label[slot] > 0) != is_taken);
        let cost = cut.map(|&(_, cost)| cost).sum();
        let mut load = node.load;
        if is_taken {
            load += self.piece.load[self.units[unit] as usize];
            if self.high < load {
                return (Step::Never, cost);
            }
            label[unit] = 31;
            for &(slot, _) in &self.beside {
                let old = label[slot];
                let joined = label[..unit].iter_mut().filter(|own| 0 < old && **own == old);
                joined.for_each(|own| *own = 31);
            }
        }
        (self.after(&label[..=unit], load), cost)
    }

    /// The node of these labels, once units without undecided neighbours are forgotten.
    fn after(&self, label: &[u8], load: u64) -> Step {
        let (mut name, mut n_parts) = ([0u8; 32], 0u8);
        let mut key = 0u128;
        let mut kept = [0u8; WIDEST + 1];
        let mut width = 0;
        for (&own, _) in label.iter().zip(&self.stays).filter(|(_, stays)| **stays) {
            if own > 0 && name[usize::from(own)] == 0 {
                n_parts += 1;
                name[usize::from(own)] = n_parts;
            }
            kept[width] = name[usize::from(own)];
            key |= u128::from(kept[width]) << (5 * width);
            width += 1;
        }
        let is_lost = |own: u8| own > 0 && name[usize::from(own)] == 0;
        if label.iter().any(|&own| is_lost(own)) {
            // A part that no other unit can join is the whole set.
            let first = label.iter().copied().find(|&own| own > 0);
            let is_one = n_parts == 0 && label.iter().all(|&own| own == 0 || Some(own) == first);
            return if is_one { Step::Whole } else { Step::Never };
        }
        if n_parts > 1 && self.high < load.saturating_add(self.load_to_join(&kept[..width], n_parts)) {
            return Step::Never;
        }
        Step::To(Node { key, load })
    }

    /// Undecided load that it takes at least to join all parts: the longest step of a shortest tree between them (Prim), for
    /// whatever joins them leads from those inside to those outside at every step.
    fn load_to_join(&self, kept: &[u8], n_parts: u8) -> u64 {
        let mut is_inside = [false; WIDEST + 1];
        let mut inside = 1u8;
        let mut most = 0;
        for _ in 1..n_parts {
            for (slot, _) in kept.iter().enumerate().filter(|(_, own)| **own == inside) {
                is_inside[slot] = true;
            }
            let (mut least, mut nearest) = (u64::MAX, 0);
            for (_, row) in self.between.iter().enumerate().filter(|&(from, _)| is_inside[from]) {
                for (to, &load) in row.iter().enumerate() {
                    if 0 < kept[to] && !is_inside[to] && load <= least {
                        (least, nearest) = (load, kept[to]);
                    }
                }
            }
            most = most.max(least);
            inside = nearest;
        }
        most
    }
}
