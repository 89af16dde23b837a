//! Regions that could still pay: all connected sets in range whose reduced cost is within a threshold.
//!
//! For prices π per unit, a region S costs half its boundary less the prices of its units. With a multiplier λ on
//! loads this is a minimum cut; the residual capacities of a maximum flow rewrite the cost as a constant plus terms
//! that are never negative, one per unit taken, one per unit refused and one per edge between them. A depth-first
//! search over connected sets adds up the terms already decided and turns back as soon as they exceed the threshold.
//! Costs are whole micrometres, so that nothing is lost to rounding but the prices themselves.

use super::flow::Flow;
use super::piece::Piece;
use super::regions::{Keeper, Regions, Rule};

const FOREVER: i64 = i64::MAX / 16;
pub(super) const MICRO: f64 = 1e6;
/// How far a root is searched, from its bound to the threshold, stage after stage.
const STAGES: [i64; 4] = [5, 8, 10, 11];
/// Sets visited below one set that make it worth a flow of its own.
const HEAVY: usize = 100;
/// Visits that such a flow costs.
const FLOW_VISITS: usize = 20;

/// Prices in metres: per unit covered, per grid, per grid out of range and, in a redraw, per place of a present grid.
pub(super) struct Prices<'a> {
    pub unit: &'a [f64],
    pub grid: f64,
    pub out: f64,
    pub heir: &'a [f64],
}

impl Prices<'_> {
    /// Price of a grid in the place of a present one.
    pub(super) fn of_place(&self, heir: u16) -> f64 {
        self.grid + self.heir.get(usize::from(heir)).copied().unwrap_or(0.0)
    }
}

/// How much to look at and how much to bring home.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub visits: usize,
    pub found: usize,
    /// Of these from one root.
    pub per_root: usize,
}

/// What a search says.
pub(super) struct Priced {
    /// Whether every region within the threshold is now known.
    pub complete: bool,
    /// Whether there were more within the threshold than could be looked at.
    pub too_many: bool,
    /// Per root what is known about its regions. Empty where the search stopped with enough found.
    pub floors: Vec<Floor>,
    /// Sets visited.
    pub visits: usize,
}

impl Priced {
    /// No `k` regions without a common unit have reduced costs that add up to less than this, in metres, if known regions
    /// and those beyond the threshold cost at least `known`.
    pub(super) fn least(&self, k: usize, known: f64) -> f64 {
        if self.floors.is_empty() {
            return f64::NEG_INFINITY;
        }
        // Regions without a common unit have different roots.
        let floor = |floor: &Floor| floor.bound.max(floor.within.min(known)).min(0.0);
        let mut floors: Vec<f64> = self.floors.iter().map(floor).collect();
        floors.sort_unstable_by(f64::total_cmp);
        floors.iter().take(k).sum()
    }
}

/// What is known about the regions of one root, in metres.
#[derive(Clone, Copy)]
pub(super) struct Floor {
    /// None has a reduced cost below this.
    pub bound: f64,
    /// All with a reduced cost up to this are listed.
    pub within: f64,
}

/// Adds to `regions` those with a reduced cost of at most `threshold` metres that it lacks.
///
/// A region starts from one root unit and holds no earlier root.
pub(super) fn add_within(
    piece: &Piece,
    rule: Rule,
    prices: &Prices<'_>,
    threshold: f64,
    limits: Limits,
    regions: &mut Regions,
) -> Priced {
    let mut search = Search::new(piece, rule, prices, regions);
    search.threshold = ((threshold + prices.grid) * MICRO).floor() as i64 + 1;
    let roots = search.easiest_first();
    let first = search.keeper.regions.len();
    let mut floors = vec![Floor { bound: f64::NEG_INFINITY, within: f64::NEG_INFINITY }; roots.len()];
    let is_open = |floor: &Floor| floor.within < threshold;
    let mut left = limits.visits;
    // At first no root may use up what the others need; then the hard ones share what is left.
    for pass in 0..3 {
        let mut n_open = floors.iter().filter(|floor| is_open(floor)).count();
        search.free_all();
        for (at, &root) in roots.iter().enumerate() {
            if is_open(&floors[at]) {
                let share = if pass == 0 { (left / n_open * 8).min(left) } else { left / n_open };
                n_open -= 1;
                search.visits = share;
                // Some from every root instead of all from the first ones.
                search.most = search.keeper.regions.len() + limits.per_root;
                floors[at] = search.stages(root, floors[at], threshold, prices.grid);
                left -= share - search.visits;
            }
            search.ban(root);
            if limits.found > 0 && search.keeper.regions.len() >= first + limits.found {
                // Enough to go on with; the bound over the other roots is not needed.
                return Priced {
                    complete: false,
                    too_many: false,
                    floors: Vec::new(),
                    visits: limits.visits - left,
                };
            }
        }
        let is_sample = limits.per_root < limits.found && first < search.keeper.regions.len();
        if is_sample || !floors.iter().any(is_open) || left == 0 {
            break;
        }
    }
    let complete = !floors.iter().any(is_open);
    Priced { complete, too_many: false, floors, visits: limits.visits - left }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Free,
    Taken,
    Refused,
}

struct Search<'a> {
    piece: &'a Piece,
    rule: Rule,
    price: Vec<i64>,
    out_price: i64,
    /// Threshold plus the price of a grid: costs below are compared without the latter.
    threshold: i64,
    low: i64,
    high: i64,
    flow: Flow,
    multiplier: i64,
    /// Where the search for the next root's multiplier begins, and how far its first step goes.
    last_multiplier: i64,
    step: i64,
    /// Value of the minimum cut.
    base: i64,
    /// Earlier roots.
    banned: Vec<bool>,
    /// Units too far from the root for any region to hold both, by load.
    far: Vec<bool>,
    distance: Vec<i64>,
    heap: std::collections::BinaryHeap<std::cmp::Reverse<(i64, u32)>>,
    state: Vec<State>,
    /// Units that are taken, refused or wait on some frontier.
    met: Vec<bool>,
    set: Vec<u32>,
    keeper: Keeper<'a>,
    visits: usize,
    most: usize,
    /// Whether the next set is worth a flow of its own.
    is_heavy: bool,
}

impl<'a> Search<'a> {
    /// A search without a threshold.
    fn new(piece: &'a Piece, rule: Rule, prices: &Prices<'_>, regions: &'a mut Regions) -> Self {
        let n = piece.len();
        let price: Vec<i64> = prices.unit.iter().map(|p| (p * MICRO).round() as i64).collect();
        let step = price.iter().map(|p| p.abs()).sum::<i64>() / (piece.total() as i64).max(1);
        Self {
            piece,
            rule,
            price,
            out_price: (prices.out * MICRO).round() as i64,
            threshold: 0,
            low: rule.loads().low as i64,
            high: rule.loads().high as i64,
            flow: Flow::new(piece),
            multiplier: 0,
            last_multiplier: 0,
            step: step.max(16),
            is_heavy: false,
            base: 0,
            banned: vec![false; n],
            far: vec![false; n],
            distance: vec![0; n],
            heap: std::collections::BinaryHeap::new(),
            state: vec![State::Free; n],
            met: vec![false; n],
            set: Vec::new(),
            keeper: Keeper::new(piece, rule, regions),
            visits: 0,
            most: 0,
        }
    }

    /// All units, those first that hardly fit in any region: what they are banned from makes the others easier.
    fn easiest_first(&mut self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.piece.len() as u32).collect();
        let bounds: Vec<i64> = order.iter().map(|&root| self.start_root(root).0).collect();
        order.sort_by_key(|&root| (std::cmp::Reverse(bounds[root as usize]), root));
        order
    }

    /// The best bound on the regions of a root, with its multiplier.
    fn start_root(&mut self, root: u32) -> (i64, i64) {
        self.reach(root);
        let (bound, best) = self.best_multiplier(root, self.last_multiplier, self.step);
        // Where no region fits at all the multiplier runs away; the next root starts from a sound one.
        if bound <= self.threshold {
            self.last_multiplier = best;
        }
        (bound, best)
    }

    /// Visits the regions of a root, deep ones first: a search that is cut short then still says how deep there are none.
    fn stages(&mut self, root: u32, known: Floor, threshold: f64, grid: f64) -> Floor {
        let goal = self.threshold;
        let metres = |micro: i64| micro as f64 / MICRO - grid;
        let (bound, multiplier) = self.start_root(root);
        let mut floor = Floor { bound: known.bound.max(metres(bound)), ..known };
        if goal < bound {
            return Floor { within: threshold, ..floor };
        }
        for part in STAGES {
            let is_last = part == STAGES[STAGES.len() - 1];
            self.threshold =
                if is_last { goal } else { bound + (goal - bound) / STAGES[STAGES.len() - 1] * part };
            let within = if is_last { threshold } else { metres(self.threshold - 1) };
            if floor.within < within {
                if !self.all_of(root, multiplier) {
                    break;
                }
                floor.within = within;
            }
        }
        self.threshold = goal;
        floor
    }

    /// The multiplier that gives about the best bound on regions whose smallest unit is `root`, and that bound.
    fn best_multiplier(&mut self, root: u32, start: i64, step: i64) -> (i64, i64) {
        let mut best = (self.bound(root, start), start);
        let mut step = step;
        let mut direction = 1;
        for _ in 0..9 {
            let at = best.1 + direction * step;
            let bound = self.bound(root, at);
            if best.0 < bound {
                best = (bound, at);
            } else if direction == 1 {
                direction = -1;
            } else {
                direction = 1;
                step = (step / 3).max(1);
            }
        }
        best
    }

    /// Begins with the first root again: no unit is banned.
    fn free_all(&mut self) {
        self.banned.fill(false);
        self.state.fill(State::Free);
        self.met.fill(false);
    }

    /// Lets no further region hold this root.
    fn ban(&mut self, root: u32) {
        self.met[root as usize] = true;
        self.state[root as usize] = State::Refused;
        self.banned[root as usize] = true;
    }

    /// Visits all regions of a root; false if the visits did not suffice.
    fn all_of(&mut self, root: u32, multiplier: i64) -> bool {
        self.prepare(root, multiplier);
        let banned = (0..self.piece.len()).filter(|&u| self.banned[u]);
        let refused: i64 = banned.map(|u| self.flow.from_source[u]).sum();
        self.met[root as usize] = true;
        let is_done = self.take(root, Vec::new(), 0, 0, refused, 0).is_some();
        // A search that was cut short leaves its marks behind; earlier roots stay refused.
        for u in 0..self.state.len() {
            self.met[u] = self.banned[u];
            self.state[u] = if self.banned[u] { State::Refused } else { State::Free };
        }
        self.set.clear();
        is_done
    }

    /// Finds the units that are too far away for a region with this root.
    fn reach(&mut self, root: u32) {
        self.state[root as usize] = State::Taken;
        self.spread(std::iter::once(root), 0);
        self.state[root as usize] = State::Free;
        for u in 0..self.piece.len() {
            self.far[u] = self.distance[u] > self.high;
        }
    }

    /// Least load of a connected set that holds some taken units of `load` in all and each other unit, that unit included
    /// (Dijkstra over units that are not refused).
    fn spread(&mut self, from: impl Iterator<Item = u32>, load: i64) {
        self.distance.fill(i64::MAX);
        self.heap.clear();
        for u in from {
            let own = if load == 0 { self.piece.load[u as usize] as i64 } else { load };
            self.distance[u as usize] = own;
            self.heap.push(std::cmp::Reverse((own, u)));
        }
        while let Some(std::cmp::Reverse((reached, u))) = self.heap.pop() {
            if self.distance[u as usize] < reached {
                continue;
            }
            for &v in &self.piece.neighbor[self.piece.row(u)] {
                let next = reached + self.piece.load[v as usize] as i64;
                if self.state[v as usize] == State::Free
                    && next <= self.high
                    && next < self.distance[v as usize]
                {
                    self.distance[v as usize] = next;
                    self.heap.push(std::cmp::Reverse((next, v)));
                }
            }
        }
    }

    /// Sends what flow the present decisions add; the terms decided so far are then part of the base.
    fn solve_here(&mut self, load: i64) -> Solved {
        self.visits = self.visits.saturating_sub(FLOW_VISITS);
        let before = Solved {
            from_source: self.flow.from_source.clone(),
            to_sink: self.flow.to_sink.clone(),
            residual: self.flow.residual.clone(),
            base: self.base,
        };
        let set = std::mem::take(&mut self.set);
        // A set without load reaches as far as its units do.
        self.spread(set.iter().copied(), load);
        self.set = set;
        for u in 0..self.piece.len() {
            match self.state[u] {
                State::Taken => self.flow.from_source[u] = FOREVER,
                State::Refused => self.flow.to_sink[u] = FOREVER,
                State::Free if self.distance[u] > self.high => self.flow.to_sink[u] = FOREVER,
                State::Free => {}
            }
        }
        self.base += self.flow.augment(self.piece);
        before
    }

    /// Goes back to an earlier flow.
    fn restore(&mut self, before: Solved) {
        self.flow.from_source = before.from_source;
        self.flow.to_sink = before.to_sink;
        self.flow.residual = before.residual;
        self.base = before.base;
    }

    fn bound(&mut self, root: u32, multiplier: i64) -> i64 {
        self.prepare(root, multiplier);
        self.base - (multiplier * self.low).max(multiplier * self.high)
    }

    /// Solves the minimum cut for one root and multiplier.
    fn prepare(&mut self, root: u32, multiplier: i64) {
        self.multiplier = multiplier;
        let mut constant = 0;
        for u in 0..self.piece.len() {
            let gain = self.price[u] - multiplier * self.piece.load[u] as i64;
            let (mut source, mut sink) = (gain.max(0), (-gain).max(0));
            constant -= source;
            if u == root as usize {
                source = FOREVER; // It is in, and pays its sink arc.
            } else if self.banned[u] || self.far[u] {
                sink = FOREVER;
            }
            self.flow.from_source[u] = source;
            self.flow.to_sink[u] = sink;
        }
        self.base = constant + self.flow.run(self.piece);
    }

    /// Visits all sets that contain the present ones, `unit`, and any of `frontier` and what lies behind it.
    fn take(
        &mut self,
        unit: u32,
        mut frontier: Vec<u32>,
        load: i64,
        boundary: i64,
        decided: i64,
        cost: i64,
    ) -> Option<()> {
        let is_heavy = std::mem::take(&mut self.is_heavy);
        let piece = self.piece;
        let load = load + piece.load[unit as usize] as i64;
        if load > self.high {
            return Some(());
        }
        let mut decided = decided + self.flow.to_sink[unit as usize];
        let mut boundary = boundary;
        for e in piece.row(unit) {
            let v = piece.neighbor[e] as usize;
            boundary += if self.state[v] == State::Taken { -piece.cost[e] } else { piece.cost[e] };
            if self.state[v] == State::Refused {
                decided += self.flow.residual[e];
            }
        }
        if self.exceeds(decided, load) {
            return Some(());
        }
        self.visits = self.visits.checked_sub(1)?;
        let cost = cost - self.price[unit as usize];
        self.state[unit as usize] = State::Taken;
        self.set.push(unit);
        self.emit(load, boundary, cost);
        let first_new = frontier.len();
        for e in piece.row(unit) {
            let v = piece.neighbor[e];
            if !self.met[v as usize] {
                self.met[v as usize] = true;
                frontier.push(v);
            }
        }
        let new: Vec<u32> = frontier[first_new..].to_vec();
        let mut refused = Vec::new();
        let mut going_on = (self.keeper.regions.len() < self.most).then_some(());
        let mut before = None;
        if is_heavy {
            before = Some(self.solve_here(load));
            decided = 0;
            if self.exceeds(decided, load) {
                frontier.clear();
            }
        }
        let mut is_heavy = false;
        while going_on.is_some() {
            let Some(next) = frontier.pop() else { break };
            let visits = self.visits;
            self.is_heavy = is_heavy;
            going_on = self.take(next, frontier.clone(), load, boundary, decided, cost);
            self.state[next as usize] = State::Refused;
            refused.push(next);
            decided += self.flow.from_source[next as usize];
            for e in piece.row(next) {
                if self.state[piece.neighbor[e] as usize] == State::Taken {
                    decided += self.flow.residual[self.flow.reverse[e] as usize];
                }
            }
            if self.exceeds(decided, load) {
                break;
            }
            if HEAVY < visits - self.visits && going_on.is_some() {
                is_heavy = true;
                let earlier = self.solve_here(load);
                before = before.or(Some(earlier));
                decided = 0;
                if self.exceeds(decided, load) {
                    break;
                }
            }
        }
        if let Some(before) = before {
            self.restore(before);
        }
        for v in refused {
            self.state[v as usize] = State::Free;
        }
        for v in new {
            self.met[v as usize] = false;
        }
        self.set.pop();
        self.state[unit as usize] = State::Free;
        going_on
    }

    /// Whether no set that agrees with the decisions so far can be within the threshold.
    fn exceeds(&self, decided: i64, load: i64) -> bool {
        let most = (self.multiplier * load.max(self.low)).max(self.multiplier * self.high);
        self.base + decided - most > self.threshold
    }

    /// Keeps the present set if it is a region, cheap enough and new.
    fn emit(&mut self, load: i64, boundary: i64, cost: i64) {
        if load < self.low {
            return;
        }
        let is_out = 0 < self.rule.range.excess(load as u64);
        let cost = cost + boundary * 500 - if is_out { self.out_price } else { 0 };
        if cost <= self.threshold && (!is_out || 0 < self.rule.out) {
            self.keeper.offer(self.set.clone());
        }
    }
}

/// A flow to go back to.
struct Solved {
    from_source: Vec<i64>,
    to_sink: Vec<i64>,
    residual: Vec<i64>,
    base: i64,
}
