//! The best set of regions: set partitioning by column generation, exact cover search and HiGHS.
//!
//! Minimize the sum of half boundaries over chosen regions so that every unit is covered once and the number
//! of regions is the number of grids. The linear relaxation (`relax.rs`) gives prices and a bound. Any division
//! costs the bound plus the reduced costs of its regions, so that the cheapest one is found by searching within a
//! small margin, and the margin itself is a proof when nothing is found.

use std::num::NonZeroU32;

use highs::{ColProblem, HighsModelStatus, Model, Row, Sense};

use super::cover::{self, Cover, Idle, Mask, Offer};
use super::cuts::{self, Listing, Strength};
use super::piece::Piece;
use super::pricing::{self, Limits, Priced, Prices};
use super::regions::{NO_HEIR, Regions, Rule};
use super::relax::{self, Relaxed};
use super::stay::{HOUSEHOLD_MM, Stay};
use super::sweep::Sweeper;

/// Reduced costs and values within this many metres are equal.
pub(super) const SAME: f64 = 1e-5;
/// Metres that whole micrometres and the arithmetic of the program may add to a bound.
const LOST: f64 = 2e-4;
/// Regions that one widening of the margin may add.
const ADDED: usize = 60_000;
/// The same where cuts are to follow.
const LISTED: usize = 300_000;
/// The parts of what may be gained for which they are listed, until they are few enough.
const PARTS: [f64; 2] = [1.0, 0.4];
/// Margins beyond this share of the bound are hopeless where regions have to be searched for.
const WIDEST: f64 = 0.4;

/// Where further regions come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Nowhere: the list holds all there are.
    Listed,
    /// From pricing, within this many visited sets in all.
    Priced(usize),
    /// Nowhere, though there are more; pricing only gives a bound.
    Pool,
}

/// What is asked.
pub(super) struct Task<'a> {
    /// The graph.
    pub piece: &'a Piece,
    /// Columns to choose from; grows by pricing.
    pub regions: &'a mut Regions,
    /// Where more of them come from.
    pub source: Source,
    /// In a redraw the places that regions take; what they bring there is part of their boundary.
    pub stay: Option<&'a mut Stay>,
    /// The connected sets as a diagram, where it is small enough.
    pub sweeper: Option<&'a mut Sweeper>,
    /// Number of regions to choose and how many of them may be out of range.
    pub rule: Rule,
    /// Cost of the best division known of this kind, in mm.
    pub upper: Option<i64>,
    /// No division costs more, in metres: a bound above it says that there is none.
    pub dearest: f64,
    /// Limit of one exact cover search, in offers looked at.
    pub steps: u64,
    /// Largest integer program, in columns.
    pub columns: usize,
    /// Nodes of the integer search.
    pub nodes: i32,
    /// Rounds of column generation.
    pub rounds: usize,
    /// Whether cuts are worth their time.
    pub cuts: bool,
}

impl Task<'_> {
    /// Number of units.
    pub(super) fn n(&self) -> usize {
        self.piece.len()
    }

    pub(super) fn is_out(&self, region: usize) -> bool {
        0 < self.rule.range.excess(u64::from(self.regions.load[region]))
    }

    /// Number of places of present grids that regions can take.
    pub(super) fn n_places(&self) -> usize {
        self.stay.as_ref().map_or(0, |stay| stay.len())
    }

    /// Whether pricing goes through all connected sets at once.
    pub(super) fn is_swept(&self) -> bool {
        self.sweeper.is_some() || self.stay.is_some()
    }

    /// Adds regions with a reduced cost of at most `threshold` metres at these prices.
    pub(super) fn price(&mut self, prices: &Prices<'_>, threshold: f64, limits: Limits) -> Priced {
        let (piece, rule) = (self.piece, self.rule);
        if let Some(stay) = &mut self.stay {
            return stay.add_within((piece, rule), prices, threshold, limits, self.regions);
        }
        match &mut self.sweeper {
            Some(sweeper) => sweeper.add_within((piece, rule), prices, threshold, limits, self.regions),
            None => pricing::add_within(piece, rule, prices, threshold, limits, self.regions),
        }
    }

    /// Share of a region in the cut, in metres.
    pub(super) fn half_boundary(&self, region: usize) -> f64 {
        self.regions.boundary[region] as f64 / 2000.0
    }
}

impl Listing for Task<'_> {
    fn n(&self) -> usize {
        self.piece.len()
    }

    fn masks(&self) -> Vec<Mask> {
        (0..self.regions.len()).map(|region| Mask::of(self.regions.units(region))).collect()
    }

    fn rows(&self, problem: &mut ColProblem) -> Vec<Row> {
        rows(self, problem)
    }

    fn column(&self, rows: &[Row], region: usize) -> (f64, Vec<(Row, f64)>) {
        (self.half_boundary(region), entries(self, rows, region))
    }

    fn reduced_costs(&self, price: &[f64]) -> Vec<f64> {
        relax::reduced_costs(self, price)
    }

    fn worth(&self, price: &[f64]) -> f64 {
        relax::worth(self, price)
    }

    fn most(&self) -> usize {
        self.rule.k
    }
}

/// What came out. Costs in mm.
pub(super) enum Outcome {
    /// Chosen regions; no division that follows the rule costs less than `bound`.
    Chosen { regions: Vec<usize>, bound: i64 },
    /// No division follows the rule.
    Impossible,
    /// Nothing better than `upper` was found within the limits; no division costs less than `bound`.
    Open { bound: i64 },
}

/// Solves the task.
pub(super) fn choose(task: &mut Task<'_>) -> Outcome {
    let Some(mut relaxed) = relax::solve(task) else { return Outcome::Open { bound: 0 } };
    if relaxed.uncovered > 1e-6 {
        // What is not covered is charged: less than any division costs.
        let bound = bound_mm(relaxed.bound);
        return if relaxed.complete { Outcome::Impossible } else { Outcome::Open { bound } };
    }
    let upper = task.upper.map(|mm| mm as f64 / 1000.0);
    // Whatever divisions there are cost no more than the dearest.
    let gap = upper.unwrap_or(task.dearest) - relaxed.bound;
    if gap <= SAME && upper.is_some() {
        return Outcome::Open { bound: bound_mm(relaxed.bound) };
    }
    // In a redraw a few households are a small margin.
    let (first, wider) =
        if task.stay.is_some() { (2.0 * HOUSEHOLD_MM as f64 / 1000.0, 3.0) } else { (1.0, 2.0) };
    let mut margin = (relaxed.bound * 0.005).max(first).min(gap.max(SAME));
    let mut floor = relaxed.bound;
    let searchable = task.n() + task.n_places() <= cover::MAX_UNITS && relaxed.complete;
    while searchable && widen(task, &mut relaxed, (margin, ADDED)) {
        match search(task, &relaxed, margin) {
            Cover::Found(chosen) => return settle(task, chosen, upper, None),
            Cover::Impossible => floor = relaxed.bound + margin,
            Cover::Unknown(_) => break,
        }
        if gap <= margin {
            // Everything that could beat the known division, or be one, was tried.
            return upper.map_or(Outcome::Impossible, |upper| Outcome::Open { bound: bound_mm(upper) });
        }
        match task.source {
            Source::Listed if margin > relaxed.largest() * task.rule.k as f64 => return Outcome::Impossible,
            Source::Priced(_) | Source::Pool if upper.is_some() && margin > WIDEST * relaxed.bound => break,
            _ => margin = (wider * margin).min(gap),
        }
    }
    if searchable && task.cuts {
        let least = relaxed.bound;
        // Without a division to beat, only all there are say anything.
        for part in PARTS.into_iter().take(if upper.is_some() { PARTS.len() } else { 1 }) {
            let above = least + part * gap;
            match with_cuts(task, &mut relaxed, above) {
                Below::Found(chosen, least) => return settle(task, chosen, upper, least),
                Below::Nothing if part == 1.0 => {
                    return upper
                        .map_or(Outcome::Impossible, |upper| Outcome::Open { bound: bound_mm(upper) });
                }
                Below::Nothing => {
                    floor = floor.max(above);
                    break;
                }
                Below::Open => {
                    floor = floor.max(relaxed.bound);
                    break;
                }
                Below::TooLong => {}
            }
        }
    }
    integer_stage(task, &relaxed, upper, floor)
}

/// What is known about divisions below some cost.
pub(super) enum Below {
    /// One, and what none costs less than, in metres; without that it is the cheapest.
    Found(Vec<usize>, Option<f64>),
    /// There is none.
    Nothing,
    /// The bound was raised, and the search was too long.
    Open,
    /// They have too many regions.
    TooLong,
}

/// Lists every region that a division below `above` metres may have, raises the bound by cuts and searches what is left.
pub(super) fn with_cuts(task: &mut Task<'_>, relaxed: &mut Relaxed, above: f64) -> Below {
    let gap = above - relaxed.bound;
    if !widen(task, relaxed, (gap, LISTED)) {
        return Below::TooLong;
    }
    let before = relaxed.bound;
    let uncut = (relaxed.price.clone(), relaxed.reduced.clone());
    let (bound, price, reduced) = (relaxed.bound, relaxed.price.clone(), relaxed.reduced.clone());
    let Some(Strength { bound, price, reduced }) =
        cuts::strengthen(task, Strength { bound, price, reduced }, above)
    else {
        return Below::TooLong;
    };
    (relaxed.bound, relaxed.price, relaxed.reduced) = (bound, price, reduced);
    let gap = above - relaxed.bound;
    let mut margin = (before * 0.01).min(gap);
    loop {
        match search(task, relaxed, margin) {
            Cover::Found(chosen) => return cheapest_below(task, relaxed, (before, uncut), chosen),
            Cover::Impossible if gap <= margin => return Below::Nothing,
            Cover::Impossible => margin = (2.0 * margin).min(gap),
            Cover::Unknown(_) => return Below::Open,
        }
    }
}

/// The cheapest of the divisions of which one was found. With cuts reduced costs do not add up to the cost, because a cut
/// may be left slack; without them they do, and regions that cuts have dropped stay dropped.
fn cheapest_below(
    task: &Task<'_>,
    relaxed: &Relaxed,
    (bound, (price, mut reduced)): (f64, (Vec<f64>, Vec<f64>)),
    chosen: Vec<usize>,
) -> Below {
    let paid: f64 = chosen.iter().map(|&region| relaxed.reduced[region].max(0.0)).sum();
    let value: f64 = chosen.iter().map(|&region| task.half_boundary(region)).sum();
    for (cost, with_cuts) in reduced.iter_mut().zip(&relaxed.reduced) {
        if !with_cuts.is_finite() {
            *cost = f64::INFINITY;
        }
    }
    let uncut = Relaxed { bound, uncovered: 0.0, complete: true, price, reduced };
    match search(task, &uncut, value - bound + SAME) {
        Cover::Found(best) => Below::Found(best, None),
        _ => Below::Found(chosen, Some(relaxed.bound + paid)),
    }
}

/// Makes sure that every region within the margin is in the list, at most `most` new ones; false if that is too much work.
fn widen(task: &mut Task<'_>, relaxed: &mut Relaxed, (margin, most): (f64, usize)) -> bool {
    let Source::Priced(visits) = task.source else { return task.source == Source::Listed };
    let limits = Limits { visits, found: most, per_root: most };
    let priced = task.price(&relaxed.prices(task), margin, limits);
    relaxed.reduced = relax::reduced_costs(task, &relaxed.price);
    priced.complete
}

/// Exact cover within the margin.
fn search(task: &Task<'_>, relaxed: &Relaxed, margin: f64) -> Cover {
    let price = |r: u32| (relaxed.reduced[r as usize].max(0.0) * 1e6) as i64;
    let order = by_reduced_cost(relaxed, margin);
    let offers: Vec<Offer> = order.into_iter().map(|region| Offer { region, price: price(region) }).collect();
    let prices = relaxed.prices(task);
    let micro = |price: f64| ((-price).max(0.0) * 1e6) as i64;
    let place: Vec<i64> = prices.heir.iter().map(|&price| micro(price)).collect();
    let idle = Idle { place: &place, out: micro(prices.out) };
    let budget = (margin * 1e6) as i64;
    cover::cheapest(task.piece, task.rule, task.regions, (&offers, idle), budget, task.steps)
}

/// Regions within the margin, cheapest first.
fn by_reduced_cost(relaxed: &Relaxed, margin: f64) -> Vec<u32> {
    let cost = |r: u32| relaxed.reduced[r as usize];
    let mut order: Vec<u32> =
        (0..relaxed.reduced.len() as u32).filter(|&r| cost(r) <= margin + SAME).collect();
    order.sort_unstable_by(|&a, &b| cost(a).total_cmp(&cost(b)).then(a.cmp(&b)));
    order
}

/// The outcome of a found division; without a bound of its own it is the best there is.
fn settle(task: &Task<'_>, chosen: Vec<usize>, upper: Option<f64>, bound: Option<f64>) -> Outcome {
    let value: f64 = chosen.iter().map(|&r| task.half_boundary(r)).sum();
    let bound = bound_mm(bound.unwrap_or(value).min(upper.unwrap_or(value)));
    let better = upper.is_none_or(|upper| value < upper - SAME);
    if better { Outcome::Chosen { regions: chosen, bound } } else { Outcome::Open { bound } }
}

/// The last resort: an integer program over the most promising columns.
fn integer_stage(task: &Task<'_>, relaxed: &Relaxed, upper: Option<f64>, floor: f64) -> Outcome {
    let gap = upper.map_or(f64::INFINITY, |upper| upper - relaxed.bound);
    let mut order = by_reduced_cost(relaxed, gap);
    order.truncate(task.columns);
    // What the integer program proves holds for its columns only; `floor` holds for all.
    match integer(task, &order) {
        Integer::Found { chosen } => settle(task, chosen, upper, Some(floor)),
        Integer::Impossible if order.len() == relaxed.reduced.len() && task.source == Source::Listed => {
            Outcome::Impossible
        }
        Integer::Impossible | Integer::Unknown => Outcome::Open { bound: bound_mm(floor) },
    }
}

/// A bound in metres as whole millimetres: costs are whole, and what prices lost to rounding is below a fifth of one.
fn bound_mm(metres: f64) -> i64 {
    ((metres - LOST) * 1000.0).ceil().max(0.0) as i64
}

/// Rows of the program: one per unit, then the count, the limit on regions out of range, and in a redraw the places, each of
/// which one region may take. Limits have no lower end: a price for being at 0 would be worth nothing.
pub(super) fn rows(task: &Task<'_>, problem: &mut ColProblem) -> Vec<Row> {
    let mut rows: Vec<Row> = (0..task.n()).map(|_| problem.add_row(1.0..=1.0)).collect();
    let count = task.rule.k as f64;
    rows.push(problem.add_row(count..=count));
    rows.push(problem.add_row(..=task.rule.out as f64));
    rows.extend((0..task.n_places()).map(|_| problem.add_row(..=1.0)));
    rows
}

/// Entries of a region's column.
pub(super) fn entries(task: &Task<'_>, rows: &[Row], region: usize) -> Vec<(Row, f64)> {
    let n = task.n();
    let mut entries: Vec<(Row, f64)> =
        task.regions.units(region).iter().map(|&u| (rows[usize::from(u)], 1.0)).collect();
    entries.push((rows[n], 1.0));
    if task.is_out(region) {
        entries.push((rows[n + 1], 1.0));
    }
    if task.regions.heir[region] != NO_HEIR {
        entries.push((rows[n + 2 + usize::from(task.regions.heir[region])], 1.0));
    }
    entries
}

/// One thread and no output: the same answer everywhere.
pub(super) fn quiet(model: &mut Model) {
    model.make_quiet();
    if let Some(one) = NonZeroU32::new(1) {
        model.set_threads(one);
    }
    model.set_option("parallel", "off");
    model.set_option("random_seed", 1);
}

enum Integer {
    Found { chosen: Vec<usize> },
    Impossible,
    Unknown,
}

/// Solves the integer program over some regions.
fn integer(task: &Task<'_>, regions: &[u32]) -> Integer {
    let mut problem = ColProblem::new();
    let rows = rows(task, &mut problem);
    for &region in regions {
        let region = region as usize;
        problem.add_integer_column(task.half_boundary(region), 0.0..=1.0, entries(task, &rows, region));
    }
    let Ok(mut model) = problem.try_optimise(Sense::Minimise) else { return Integer::Unknown };
    quiet(&mut model);
    model.set_option("mip_rel_gap", 1e-3);
    model.set_option("mip_max_nodes", task.nodes);
    let Ok(solved) = model.try_solve() else { return Integer::Unknown };
    if solved.status() == HighsModelStatus::Infeasible {
        return Integer::Impossible;
    }
    let solution = solved.get_solution();
    let chosen: Vec<usize> = (0..regions.len())
        .filter(|&i| solution.columns().get(i).is_some_and(|&x| 0.5 < x))
        .map(|i| regions[i] as usize)
        .collect();
    if chosen.len() == task.rule.k && covers(task, &chosen) {
        Integer::Found { chosen }
    } else {
        Integer::Unknown
    }
}

/// Whether the chosen regions cover every unit once.
fn covers(task: &Task<'_>, chosen: &[usize]) -> bool {
    let mut times = vec![0; task.n()];
    for &region in chosen {
        for &u in task.regions.units(region) {
            times[usize::from(u)] += 1;
        }
    }
    times.iter().all(|&t| t == 1)
}
