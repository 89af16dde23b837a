//! Pricing by sweeps over the diagram of all connected sets (`diagram.rs`).
//!
//! Where nodes times loads are few, the least cost of the completions of every node and load is a table (`table.rs`). In a
//! larger diagram one sweep for a multiplier on loads gives the least cost of every completion, whatever its load. With a
//! few of those as bounds, sets are followed layer by layer with their loads, those of one node and load together, and a
//! sweep back over what is left gives the exact least cost. Either way every region within the threshold is a way along
//! which the search never turns back. Costs are whole micrometres, as in `pricing.rs`.

use rustc_hash::FxHashMap;

use super::diagram::{Diagram, NEVER, WHOLE};
use super::piece::Piece;
use super::pricing::{Floor, Limits, MICRO, Priced, Prices};
use super::regions::{Keeper, Regions, Rule};
use super::table::Table;

/// Sweeps in search of the best multiplier, for the first prices and for later ones.
const TRIES: (usize, usize) = (12, 6);
/// Multipliers in use: the best one, and others as many parts of it above and below.
const BESIDE: [i64; 5] = [0, -1, 1, -2, 2];
const PART: i64 = 14;
/// Nodes of a sweep and beginnings of sets that take as long as a visit.
const NODES_PER_VISIT: usize = 128;
const ENTRIES_PER_VISIT: usize = 8;
/// Slots of a table that take as long as a visit.
const SLOTS_PER_VISIT: usize = 64;
/// Beginnings of sets that are held at once.
const MOST_ENTRIES: usize = 4 << 20;
/// Thresholds of a search for some regions, in 32nds of the way from the bound to the one asked for.
const STAGES: [i64; 3] = [16, 26, 30];
/// Regions with which such a search is content, and the steps it may take for each.
const ENOUGH: usize = 30;
const STEPS_PER_REGION: usize = 300;
/// Micrometres per unit of a stored completion: so fine that boundaries count, so coarse that households fit in 32 bits.
const COARSE: [i64; 2] = [100, 100_000];
pub(super) const FAR: i64 = i64::MAX / 8;

/// A diagram and what one search hands on to the next.
pub(super) struct Sweeper {
    diagram: Diagram,
    table: Option<Table>,
    lines: Vec<Line>,
    multiplier: Option<i64>,
    coarse: i64,
    /// Load beyond which beginnings of sets are given up at once.
    most_load: u64,
}

/// A bound on all completions.
#[derive(Default)]
struct Line {
    multiplier: i64,
    /// Largest worth of a load that a region may have.
    worth: i64,
    /// Least cost of the completions of every node, each household costing the multiplier, in `coarse` micrometres rounded
    /// down.
    rest: Vec<i32>,
    coarse: i64,
}

/// What is asked of one search.
#[derive(Clone, Copy)]
pub(super) struct Task<'a> {
    pub piece: &'a Piece,
    pub rule: Rule,
    /// Per unit, in micrometres.
    pub price: &'a [i64],
    pub out: i64,
    /// Price of a grid, in metres.
    pub grid: f64,
    /// The units of the piece in a larger one, whose other units are out of reach; empty if it is the whole one.
    pub names: &'a [u32],
}

/// What is known of the completions of the beginnings of sets.
pub(super) trait Completions {
    /// A beginning.
    type At: Copy;

    /// The beginning with none of the first `at` units of the order; `None` if no set within the threshold has it.
    fn root(&self, diagram: &Diagram, at: usize) -> Option<Self::At>;

    fn node(&self, at: Self::At) -> u32;

    /// Least cost of the completions of a beginning of `layer` units that go on by refusing (0) or taking (1) the next.
    fn after(&self, diagram: &Diagram, task: Task<'_>, from: (usize, Self::At), taken: usize) -> i64;

    /// The beginning that this decision leads to; `None` if the set is complete.
    fn next(
        &self,
        diagram: &Diagram,
        task: Task<'_>,
        from: (usize, Self::At),
        taken: usize,
    ) -> Option<Self::At>;
}

impl Sweeper {
    /// A sweeper over the connected sets of at most `high`; `None` if they need more than `most` nodes.
    pub(super) fn new(piece: &Piece, high: u64, most: usize) -> Option<Self> {
        let diagram = Diagram::new(piece, high, most)?;
        let table = Table::new(&diagram, piece, high);
        let (coarse, most_load) = (COARSE[0], u64::MAX);
        Some(Self { diagram, table, lines: Vec::new(), multiplier: None, coarse, most_load })
    }

    /// The same as if the table were too large.
    #[cfg(test)]
    pub(super) fn without_table(self) -> Self {
        Self { table: None, ..self }
    }

    /// The same for prices in households, and for sets of at most this load only.
    pub(super) fn of_households(self, most_load: u64) -> Self {
        Self { coarse: COARSE[1], most_load, ..self }
    }

    /// Number of nodes of the diagram.
    pub(super) fn len(&self) -> usize {
        self.diagram.len()
    }

    /// As [`super::pricing::add_within`]; roots are the units that come first in the order of the diagram.
    pub(super) fn add_within(
        &mut self,
        (piece, rule): (&Piece, Rule),
        prices: &Prices<'_>,
        threshold: f64,
        limits: Limits,
        regions: &mut Regions,
    ) -> Priced {
        let price: Vec<i64> = prices.unit.iter().map(|price| (price * MICRO).round() as i64).collect();
        let out = (prices.out * MICRO).round() as i64;
        let task = Task { piece, rule, price: &price, out, grid: prices.grid, names: &[] };
        self.add_of(task, threshold, limits, &mut Keeper::new(piece, rule, regions))
    }

    /// The same where units have other names.
    pub(super) fn add_of(
        &mut self,
        task: Task<'_>,
        threshold: f64,
        limits: Limits,
        keeper: &mut Keeper<'_>,
    ) -> Priced {
        let grid = task.grid;
        let goal = ((threshold + grid) * MICRO).floor() as i64 + 1;
        let metres = |micro: i64| micro as f64 / MICRO - grid;
        let mut visits = limits.visits;
        let least = match &mut self.table {
            Some(table) => {
                visits = visits.saturating_sub(table.len() / SLOTS_PER_VISIT);
                table.fill(&self.diagram, task)
            }
            None => {
                self.draw_lines(task, &mut visits);
                self.lines.iter().map(Line::least).max().unwrap_or(-FAR)
            }
        };
        let least = least.min(goal);
        let mut floors = vec![Floor { bound: metres(least), within: f64::NEG_INFINITY }; task.piece.len()];
        let is_sample = limits.per_root < limits.found;
        let (first, mut too_many) = (keeper.regions.len(), false);
        let stages = STAGES.into_iter().filter(|_| is_sample).map(|part| least + (goal - least) / 32 * part);
        for stage_goal in stages.chain([goal]) {
            let is_last = stage_goal == goal;
            let limits = Limits {
                visits,
                found: (first + limits.found).saturating_sub(keeper.regions.len()),
                ..limits
            };
            let stage = Stage { threshold: stage_goal, limits, is_sample, is_last };
            let bounds = match &self.table {
                Some(table) => stage.walk(&self.diagram, task, table, keeper, &mut visits),
                None => match self.paths(task, stage_goal, &mut visits) {
                    Some(paths) => stage.walk(&self.diagram, task, &paths, keeper, &mut visits),
                    None => {
                        too_many = true;
                        break;
                    }
                },
            };
            for (floor, (least, is_done)) in floors.iter_mut().zip(bounds) {
                floor.bound = metres(least);
                if is_done && is_last {
                    floor.within = threshold;
                }
            }
            if is_sample && first + ENOUGH <= keeper.regions.len() {
                break;
            }
        }
        let complete = floors.iter().all(|floor| floor.within >= threshold);
        Priced { complete, too_many, floors, visits: limits.visits - visits }
    }

    /// Chooses multipliers whose bounds together keep the search short: the one with the best bound of all and some
    /// beside it.
    fn draw_lines(&mut self, task: Task<'_>, visits: &mut usize) {
        let mean = task.price.iter().map(|p| p.unsigned_abs()).sum::<u64>() / task.piece.total().max(1);
        let mut step = (mean as i64).max(16) / if self.multiplier.is_some() { 16 } else { 2 };
        let tries = if self.multiplier.is_some() { TRIES.1 } else { TRIES.0 };
        let mut at = self.multiplier.unwrap_or(mean as i64);
        let mut best = (i64::MIN, at);
        let mut direction = 1;
        for _ in 0..tries {
            let bound = sweep(&self.diagram, task, at, None) - task.worth(at);
            if best.0 < bound {
                best = (bound, at);
            } else if direction == 1 {
                direction = -1;
            } else {
                (direction, step) = (1, (step / 3).max(1));
            }
            at = best.1 + direction * step;
        }
        self.multiplier = Some(best.1);
        self.lines.resize_with(BESIDE.len(), Line::default);
        for (line, part) in self.lines.iter_mut().zip(BESIDE) {
            line.multiplier = best.1 + part * (best.1.abs() / PART).max(1);
            line.worth = task.worth(line.multiplier);
            line.coarse = self.coarse;
            sweep(&self.diagram, task, line.multiplier, Some((&mut line.rest, self.coarse)));
        }
        *visits = visits.saturating_sub((tries + BESIDE.len()) * self.diagram.len() / NODES_PER_VISIT);
    }

    /// The beginnings of all regions within a threshold; `None` if they are too many.
    fn paths(&self, task: Task<'_>, threshold: i64, visits: &mut usize) -> Option<Paths> {
        let most = MOST_ENTRIES.min(*visits * ENTRIES_PER_VISIT);
        let (paths, size) = Paths::new(&self.diagram, task, threshold, &self.lines, (most, self.most_load));
        *visits = visits.saturating_sub(size / ENTRIES_PER_VISIT);
        paths
    }
}

impl Line {
    /// No region costs less.
    fn least(&self) -> i64 {
        i64::from(self.rest[0]) * self.coarse - self.worth
    }

    /// No region costs less that begins with these decisions and goes on from this node.
    fn at_least(&self, cost: i64, load: u64, next: u32) -> i64 {
        cost + self.multiplier * load as i64 + i64::from(self.rest[next as usize]) * self.coarse - self.worth
    }
}

impl Task<'_> {
    /// What a load costs beside units and boundary; `None` if no region may have it.
    pub(super) fn charge(self, load: u64) -> Option<i64> {
        self.rule.is_out(load).map(|is_out| if is_out { -self.out } else { 0 })
    }

    /// What the piece's unit is called outside.
    fn name(self, unit: u32) -> u32 {
        self.names.get(unit as usize).copied().unwrap_or(unit)
    }

    /// Whether grids can share this load without any unit of the piece beyond it.
    pub(super) fn may_stay(self, load: u64) -> bool {
        load == 0 || !self.names.is_empty() || self.rule.counts(load, usize::MAX, self.rule.out).is_some()
    }

    /// Largest value of `multiplier` × load less what the load costs.
    fn worth(self, multiplier: i64) -> i64 {
        let (range, loads) = (self.rule.range, self.rule.loads());
        let ends = [range.low, range.high, loads.low, loads.high];
        let value = |load: u64| self.charge(load).map(|charge| multiplier * load as i64 - charge);
        ends.into_iter().filter_map(value).max().unwrap_or(0)
    }
}

/// The least cost of all sets, each household costing `multiplier`; fills `kept` with that of the completions of every node.
fn sweep(diagram: &Diagram, task: Task<'_>, multiplier: i64, mut kept: Option<(&mut Vec<i32>, i64)>) -> i64 {
    if let Some((kept, _)) = &mut kept {
        kept.resize(diagram.len(), 0);
    }
    // Completions of one layer and of the layer below it.
    let (mut below, mut here): (Vec<i64>, Vec<i64>) = (Vec::new(), Vec::new());
    let mut first_below = 0;
    for (layer, nodes) in diagram.layers_up() {
        let unit = diagram.order[layer] as usize;
        let own = multiplier * task.piece.load[unit] as i64 - task.price[unit];
        here.clear();
        for node in nodes.clone() {
            let after = |taken: usize| match diagram.next[node][taken] {
                NEVER => FAR,
                WHOLE => i64::from(diagram.cost[node][taken]) * 500,
                next => below[next as usize - first_below] + i64::from(diagram.cost[node][taken]) * 500,
            };
            here.push(after(0).min(after(1).saturating_add(own)).min(FAR));
        }
        if let Some((kept, coarse)) = &mut kept {
            for (slot, cost) in kept[nodes.clone()].iter_mut().zip(&here) {
                *slot = cost.div_euclid(*coarse).clamp(i32::MIN.into(), i32::MAX.into()) as i32;
            }
        }
        first_below = nodes.start;
        std::mem::swap(&mut below, &mut here);
    }
    below.first().copied().unwrap_or(FAR)
}

/// Beginnings of sets, those with one node and one load together.
struct Paths {
    entry: Vec<Entry>,
    /// First entry of every layer.
    first: Vec<u32>,
    /// Entry with nothing taken of the first layers.
    root: Vec<u32>,
}

#[derive(Clone, Copy)]
struct Entry {
    node: u32,
    load: u32,
    /// Least cost of a beginning; once all are known, of a completion.
    cost: i64,
    next: [u32; 2],
}

impl Paths {
    /// Follows all sets that the bounds allow a cost of at most `threshold`, as long as they are not more than `most`.
    fn new(
        diagram: &Diagram,
        task: Task<'_>,
        threshold: i64,
        lines: &[Line],
        (most, most_load): (usize, u64),
    ) -> (Option<Self>, usize) {
        let start = Entry { node: 0, load: 0, cost: 0, next: [NEVER; 2] };
        let mut paths = Self { entry: vec![start], first: Vec::new(), root: Vec::new() };
        let (mut first, mut decided) = (0, 0);
        // Entries of the next layer by node and load.
        let mut number: FxHashMap<u64, u32> = FxHashMap::default();
        for (at, &unit) in diagram.order.iter().enumerate() {
            let end = paths.entry.len();
            number.clear();
            decided += task.piece.load[unit as usize];
            let own = [(0, 0), (task.piece.load[unit as usize], task.price[unit as usize])];
            paths.first.push(first as u32);
            for from in first..end {
                let Entry { node, load, cost, .. } = paths.entry[from];
                if node == diagram.layer[at] {
                    paths.root.push(from as u32);
                }
                for (taken, (more, gain)) in own.into_iter().enumerate() {
                    let next = diagram.next[node as usize][taken];
                    let load = u64::from(load) + more;
                    let cost = cost + i64::from(diagram.cost[node as usize][taken]) * 500 - gain;
                    let fits = match next {
                        NEVER => false,
                        WHOLE => task.charge(load).is_some_and(|charge| cost + charge <= threshold),
                        next => {
                            load <= most_load
                                && (!diagram.is_sealed[next as usize] || task.may_stay(decided - load))
                                && lines.iter().all(|line| line.at_least(cost, load, next) <= threshold)
                        }
                    };
                    if !fits {
                        continue;
                    }
                    paths.entry[from].next[taken] = next;
                    if next != WHOLE {
                        let load = load as u32;
                        let place =
                            *number.entry(u64::from(next) << 32 | u64::from(load)).or_insert_with(|| {
                                paths.entry.push(Entry { node: next, load, cost, next: [NEVER; 2] });
                                paths.entry.len() as u32 - 1
                            });
                        paths.entry[from].next[taken] = place;
                        let known = &mut paths.entry[place as usize];
                        known.cost = known.cost.min(cost);
                    }
                }
            }
            if most < paths.entry.len() {
                return (None, paths.entry.len());
            }
            first = end;
        }
        paths.turn_back(diagram, task);
        let size = paths.entry.len();
        (Some(paths), size)
    }

    /// Replaces the least cost of the beginnings by that of the completions.
    fn turn_back(&mut self, diagram: &Diagram, task: Task<'_>) {
        let mut end = self.entry.len();
        for (at, &first) in self.first.clone().iter().enumerate().rev() {
            for entry in (first as usize..end).rev() {
                let refused = self.after(diagram, task, (at, entry as u32), 0);
                self.entry[entry].cost = self.after(diagram, task, (at, entry as u32), 1).min(refused);
            }
            end = first as usize;
        }
    }
}

impl Completions for Paths {
    type At = u32;

    fn root(&self, _: &Diagram, at: usize) -> Option<u32> {
        self.root.get(at).copied()
    }

    fn node(&self, at: u32) -> u32 {
        self.entry[at as usize].node
    }

    fn after(&self, diagram: &Diagram, task: Task<'_>, (layer, at): (usize, u32), taken: usize) -> i64 {
        let Entry { node, load, next, .. } = self.entry[at as usize];
        let unit = diagram.order[layer] as usize;
        let (more, gain) = if taken == 1 { (task.piece.load[unit], task.price[unit]) } else { (0, 0) };
        let rest = match next[taken] {
            NEVER => return FAR,
            WHOLE => task.charge(u64::from(load) + more).unwrap_or(FAR),
            next => self.entry[next as usize].cost,
        };
        rest + i64::from(diagram.cost[node as usize][taken]) * 500 - gain
    }

    fn next(&self, _: &Diagram, _: Task<'_>, (_, at): (usize, u32), taken: usize) -> Option<u32> {
        let next = self.entry[at as usize].next[taken];
        (next != WHOLE).then_some(next)
    }
}

/// The regions up to one threshold.
struct Stage {
    threshold: i64,
    limits: Limits,
    is_sample: bool,
    is_last: bool,
}

impl Stage {
    /// Adds the regions root after root. Says of each root what its regions cost at least and whether all of them
    /// within the threshold are known.
    fn walk<C: Completions>(
        &self,
        diagram: &Diagram,
        task: Task<'_>,
        completions: &C,
        keeper: &mut Keeper<'_>,
        visits: &mut usize,
    ) -> Vec<(i64, bool)> {
        let Limits { per_root, found: most, .. } = self.limits;
        let most = keeper.regions.len() + most;
        let mut walk = Walk {
            diagram,
            task,
            completions,
            threshold: self.threshold,
            keeper,
            set: Vec::new(),
            visits: 0,
            most: 0,
        };
        let of_root = |at: usize| {
            // Sets whose rest cannot be divided are many; a sample need not wade through all of them.
            let share = match (self.is_sample, self.is_last) {
                (true, true) => *visits / 4,
                (true, false) => (*visits).min(per_root * STEPS_PER_REGION),
                (false, _) => *visits,
            };
            *visits -= share;
            walk.visits = share;
            walk.most = (walk.keeper.regions.len() + per_root).min(most);
            let state = walk.all_of(at);
            *visits += walk.visits;
            state
        };
        (0..task.piece.len()).map(of_root).collect()
    }
}

/// A walk over all regions within the threshold.
struct Walk<'a, 'f, C> {
    diagram: &'a Diagram,
    task: Task<'a>,
    completions: &'a C,
    threshold: i64,
    keeper: &'a mut Keeper<'f>,
    set: Vec<u32>,
    visits: usize,
    /// Regions in the list at which the walk stops.
    most: usize,
}

impl<C: Completions> Walk<'_, '_, C> {
    /// Adds the regions whose first unit is number `at` of the order. What they cost at least, or the threshold if
    /// that is less; and whether all are known.
    fn all_of(&mut self, at: usize) -> (i64, bool) {
        let Some(root) = self.completions.root(self.diagram, at) else { return (self.threshold, true) };
        self.set.clear();
        let least = self.completions.after(self.diagram, self.task, (at, root), 1);
        (least.min(self.threshold), self.go(at, root, 1, 0).is_some())
    }

    /// Takes or refuses a unit after decisions of this cost, and goes on; `None` if it stopped on the way.
    fn go(&mut self, layer: usize, at: C::At, taken: usize, cost: i64) -> Option<()> {
        let least = self.completions.after(self.diagram, self.task, (layer, at), taken);
        if self.threshold < cost.saturating_add(least) {
            return Some(());
        }
        self.visits = self.visits.checked_sub(1).filter(|_| self.keeper.regions.len() < self.most)?;
        let unit = self.diagram.order[layer];
        let node = self.completions.node(at);
        let mut cost = cost + i64::from(self.diagram.cost[node as usize][taken]) * 500;
        if taken == 1 {
            cost -= self.task.price[unit as usize];
            self.set.push(unit);
        }
        let mut going_on = Some(());
        match self.completions.next(self.diagram, self.task, (layer, at), taken) {
            None => {
                self.keeper.offer(self.set.iter().map(|&u| self.task.name(u)).collect());
            }
            Some(next) => {
                let after = |taken| self.completions.after(self.diagram, self.task, (layer + 1, next), taken);
                let first = usize::from(after(1) < after(0));
                for taken in [first, 1 - first] {
                    going_on = going_on.and_then(|()| self.go(layer + 1, next, taken, cost));
                }
            }
        }
        if taken == 1 {
            self.set.pop();
        }
        going_on
    }
}
