//! The linear relaxation of set partitioning, by column generation.

use highs::{Col, ColProblem, HighsModelStatus, Model, Row, Sense};

use super::master::{Source, Task, entries, quiet, rows};
use super::nearby;
use super::pricing::{Limits, Prices};
use super::stay::HOUSEHOLD_MM;

/// Charges for a unit that no region covers or too many do, in mean shares of a grid in the cut. They box the prices around
/// the expected ones: small ones keep the pricing search short, and any prices give a valid bound; the last one is as
/// good as none.
const CHARGES: [f64; 6] = [0.3, 0.6, 1.2, 5.0, 128.0, 1e5];
/// Columns of the first program, and columns added per round.
const FIRST_COLUMNS: usize = 4000;
const COLUMNS_PER_ROUND: usize = 300;
/// What stands for the share of a grid in a redraw, in metres: 30 households.
const SHARE_OF_MOVES: f64 = 3000.0;
/// Reduced costs above this many metres below zero count as zero.
const ZERO: f64 = 1e-6;
/// How far below zero pricing looks for regions, in shares of the cost per grid: coarse bounds come first.
const DEPTHS: [f64; 5] = [0.1, 0.03, 0.01, 0.003, 0.0];
/// Regions that one pricing round may add.
const ADDED: usize = 1000;
/// One root brings home this part of them.
const PER_ROOT: usize = 32;
/// Columns of least reduced cost around which a round looks for new ones before it searches everywhere.
const NEAR: usize = 400;
/// How near pricing stays to the best prices at first.
const NEAR_CENTER: f64 = 0.8;
/// Searches in a row that end with too many regions, after which pricing is given up.
const MOST_FAILURES: usize = 4;
/// How near the bound comes to the value before dearer charges are tried, as a share.
const CLOSE: f64 = 0.01;

/// A solved relaxation.
pub(super) struct Relaxed {
    /// No division that follows the rule costs less, in metres.
    pub bound: f64,
    /// Units that could not be covered, in all.
    pub uncovered: f64,
    /// Whether no region at all has a negative reduced cost.
    pub complete: bool,
    /// Prices per row, in metres.
    pub price: Vec<f64>,
    /// Reduced cost per region, in metres.
    pub reduced: Vec<f64>,
}

impl Relaxed {
    pub(super) fn prices(&self, task: &Task<'_>) -> Prices<'_> {
        prices(task, &self.price)
    }

    /// The largest reduced cost.
    pub(super) fn largest(&self) -> f64 {
        self.reduced.iter().copied().fold(0.0, f64::max)
    }
}

fn prices<'p>(task: &Task<'_>, price: &'p [f64]) -> Prices<'p> {
    let n = task.n();
    Prices { unit: &price[..n], grid: price[n], out: price[n + 1], heir: &price[n + 2..] }
}

/// Reduced cost of every region in the list at these prices.
pub(super) fn reduced_costs(task: &Task<'_>, price: &[f64]) -> Vec<f64> {
    let prices = prices(task, price);
    (0..task.regions.len())
        .map(|region| {
            let covered: f64 = task.regions.units(region).iter().map(|&u| prices.unit[usize::from(u)]).sum();
            let out = if task.is_out(region) { prices.out } else { 0.0 };
            task.half_boundary(region) - covered - prices.of_place(task.regions.heir[region]) - out
        })
        .collect()
}

/// Solves the relaxation; `None` if HiGHS fails.
pub(super) fn solve(task: &mut Task<'_>) -> Option<Relaxed> {
    let mut program = Program::new(task)?;
    let mut search = Search::new(task, program.share);
    for _ in 0..task.rounds {
        let solved = program.solve()?;
        let mut new = program.below_zero(task, &solved.price);
        let mut complete = task.source == Source::Listed && new.is_empty();
        if new.is_empty() && task.source != Source::Listed {
            search.near(task, &solved.price);
            new = program.below_zero(task, &solved.price);
        }
        if new.is_empty() && task.source != Source::Listed {
            let is_charged = 1e-6 < solved.uncovered && !program.is_at_last_charge();
            let next = search.everywhere(task, &mut program, &solved, is_charged);
            new = next.new;
            complete = next.complete;
            if next.is_open {
                continue;
            }
        }
        if complete && solved.is_optimal {
            search.bound = search.bound.max(solved.value);
        }
        let is_dear = search.bound > task.dearest;
        if new.is_empty() && 1e-6 < solved.uncovered && !program.is_at_last_charge() && !is_dear {
            program.charge(program.level + 1);
            search.center.release();
        } else if new.is_empty() || is_dear {
            let Solved { price, uncovered, .. } = solved;
            let uncovered = if is_dear { 1.0 } else { uncovered };
            let reduced = reduced_costs(task, &price);
            return Some(Relaxed {
                bound: search.bound,
                uncovered,
                complete: complete || is_dear,
                price,
                reduced,
            });
        } else {
            program.add(task, &new)?;
        }
    }
    let Solved { price, uncovered, .. } = program.solve()?;
    let reduced = reduced_costs(task, &price);
    Some(Relaxed { bound: search.bound, uncovered, complete: false, price, reduced })
}

/// The search for columns.
struct Search {
    visits: usize,
    /// Which of [`DEPTHS`].
    depth: usize,
    center: Center,
    /// No division costs less, in metres.
    bound: f64,
}

/// What a search everywhere says.
struct Next {
    new: Vec<u32>,
    /// Whether no region has a negative reduced cost.
    complete: bool,
    /// Whether another search has to follow at the same charges.
    is_open: bool,
}

impl Search {
    fn new(task: &Task<'_>, share: f64) -> Self {
        let visits = if let Source::Priced(visits) = task.source { visits } else { 0 };
        // A sweep gives the least of all reduced costs however deep it is told to look.
        let (visits, depth) = if task.is_swept() { (2 * visits, DEPTHS.len() - 1) } else { (6 * visits, 0) };
        Self { visits, depth, center: Center::new(task, share), bound: 0.0 }
    }

    /// Adds regions near the cheapest ones to the list.
    fn near(&self, task: &mut Task<'_>, price: &[f64]) {
        let starts = least_reduced(&reduced_costs(task, price), NEAR);
        let (piece, rule, prices) = (task.piece, task.rule, prices(task, price));
        nearby::add_near(piece, rule, &prices, task.stay.as_deref(), -ZERO, (&starts, ADDED), task.regions);
    }

    /// Searches all regions at prices near those of the program, whose columns cover everything unless it `is_charged`.
    fn everywhere(
        &mut self,
        task: &mut Task<'_>,
        program: &mut Program,
        solved: &Solved,
        is_charged: bool,
    ) -> Next {
        let deep = DEPTHS[self.depth] * solved.value / task.rule.k as f64;
        let found = if self.visits > 0 { ADDED } else { 0 };
        let limits = Limits { visits: self.visits, found, per_root: found / PER_ROOT };
        let is_exact = self.center.share == 0.0;
        let price = self.center.between(&solved.price);
        let priced = task.price(&prices(task, &price), -deep - ZERO, limits);
        self.visits = self.visits.saturating_sub(priced.visits);
        // No region is cheaper than the least of those that are listed or were searched for.
        let listed = reduced_costs(task, &price).into_iter().fold(-deep - ZERO, f64::min);
        let bound = worth(task, &price) + priced.least(task.rule.k, listed);
        self.bound = self.bound.max(bound);
        let new = program.below_zero(task, &solved.price);
        self.center.learn(price, bound, new.is_empty(), priced.too_many);
        let complete = priced.complete && deep == 0.0 && new.is_empty() && is_exact;
        let is_vain = self.visits == 0
            || self.center.gives_up()
            || is_charged && solved.value * (1.0 - CLOSE) <= self.bound;
        let mut is_open = new.is_empty() && (!is_exact || priced.too_many) && !is_vain;
        if new.is_empty() && priced.complete && self.depth + 1 < DEPTHS.len() {
            self.depth += 1;
            is_open = true;
        }
        Next { new, complete, is_open }
    }
}

/// What prices are worth: the value of the relaxation if no region has a negative reduced cost at them.
pub(super) fn worth(task: &Task<'_>, price: &[f64]) -> f64 {
    let Prices { unit, grid, out, heir } = prices(task, price);
    let units: f64 = unit.iter().sum();
    // A limit that is not reached has no price, and none of a limit is above zero.
    let places: f64 = heir.iter().map(|price| price.min(0.0)).sum();
    units + task.rule.k as f64 * grid + task.rule.out as f64 * out.min(0.0) + places
}

/// Prices at which a household is worth its part of the cost, if a grid costs `share` metres.
fn expected(task: &Task<'_>, share: f64) -> Vec<f64> {
    if task.stay.is_some() {
        // Who stays costs nothing.
        return vec![0.0; task.n()];
    }
    let mean = share * task.rule.k as f64 / (task.piece.total() as f64).max(1.0);
    task.piece.load.iter().map(|&load| load as f64 * mean).collect()
}

/// Prices that pricing stays near: those with the best bound so far. Prices of the program over few columns are wild, and
/// so are the regions that they call for (Wentges 1997).
struct Center {
    price: Vec<f64>,
    bound: f64,
    /// How near, from 0 for not at all to 1.
    share: f64,
    /// Searches in a row that ended with too many regions and brought none.
    failures: usize,
}

impl Center {
    /// At first a household is worth its share of the cost, and a grid nothing.
    fn new(task: &Task<'_>, share: f64) -> Self {
        let mut price = expected(task, share);
        price.resize(price.len() + 2 + task.n_places(), 0.0);
        let share = if task.is_swept() { NEAR_CENTER } else { 0.0 };
        Self { price, bound: f64::NEG_INFINITY, share, failures: 0 }
    }

    /// Prices between the center and these.
    fn between(&self, price: &[f64]) -> Vec<f64> {
        let pairs = self.price.iter().zip(price);
        pairs.map(|(center, own)| self.share * center + (1.0 - self.share) * own).collect()
    }

    /// Moves to prices with a better bound. The next prices are further away where these brought no region, and nearer where
    /// the regions that are missing were too many to be looked at.
    fn learn(&mut self, price: Vec<f64>, bound: f64, is_fruitless: bool, too_many: bool) {
        if self.bound < bound {
            (self.price, self.bound) = (price, bound);
        }
        if !is_fruitless {
            self.failures = 0;
        } else if too_many {
            self.failures += 1;
            self.share = if self.share < NEAR_CENTER { NEAR_CENTER } else { 0.5 + self.share / 2.0 };
        } else {
            self.share = if self.share < 0.1 { 0.0 } else { self.share / 4.0 };
        }
    }

    /// Goes all the way to the prices of the program again.
    fn release(&mut self) {
        (self.failures, self.share) = (0, 0.0);
    }

    /// Whether going on is in vain.
    fn gives_up(&self) -> bool {
        MOST_FAILURES <= self.failures
    }
}

/// The linear program over the columns found so far.
struct Program {
    model: Option<Model>,
    rows: Vec<Row>,
    /// Columns that cover what no region covers, or uncover what too many do.
    artificial: Vec<Col>,
    /// Metres that count as one in the program: HiGHS wants numbers of moderate size.
    money: f64,
    /// Mean share of a grid in the cut, in metres.
    share: f64,
    /// Price of every unit around which the charges box it; the one of a grid is free.
    expected: Vec<f64>,
    /// Which of [`CHARGES`].
    level: usize,
    added: Vec<bool>,
}

/// One solution of the program.
struct Solved {
    value: f64,
    uncovered: f64,
    price: Vec<f64>,
    is_optimal: bool,
}

impl Program {
    fn new(task: &Task<'_>) -> Option<Self> {
        let n = task.n();
        let mut problem = ColProblem::new();
        let rows = rows(task, &mut problem);
        let mut model = problem.try_optimise(Sense::Minimise).ok()?;
        quiet(&mut model);
        let shares: f64 = (0..task.regions.len()).map(|r| task.half_boundary(r)).sum();
        let mean = shares / task.regions.len().max(1) as f64;
        let known = task.upper.map(|mm| mm as f64 / 1000.0 / task.rule.k as f64);
        let share = if task.stay.is_some() { SHARE_OF_MOVES } else { known.unwrap_or(mean).max(1.0) };
        let mut artificial = Vec::new();
        for &row in &rows[..=n] {
            for sign in [1.0, -1.0] {
                artificial.push(model.try_add_column(0.0, 0.0.., [(row, sign)]).ok()?);
            }
        }
        let first: Vec<u32> = (0..task.regions.len().min(FIRST_COLUMNS) as u32).collect();
        let added = vec![false; task.regions.len()];
        let expected = expected(task, share);
        let money = if task.stay.is_some() { HOUSEHOLD_MM as f64 / 1000.0 } else { 1.0 };
        let mut program =
            Self { model: Some(model), rows, artificial, money, share, expected, level: 0, added };
        program.add(task, &first)?;
        // The other search is short at wider boxes, and each box costs it as much as the last.
        program.charge(if task.is_swept() { 0 } else { CHARGES.len() - 4 });
        Some(program)
    }

    fn is_at_last_charge(&self) -> bool {
        self.level + 1 == CHARGES.len()
    }

    /// The cheapest regions of the list that are not yet columns and have a negative reduced cost.
    fn below_zero(&mut self, task: &Task<'_>, price: &[f64]) -> Vec<u32> {
        let reduced = reduced_costs(task, price);
        self.added.resize(reduced.len(), false);
        columns_below_zero(&reduced, &self.added)
    }

    /// Sets the charge of the artificial columns.
    fn charge(&mut self, level: usize) {
        self.level = level;
        if let Some(model) = &mut self.model {
            let dearest = CHARGES[CHARGES.len() - 1] * self.share;
            for (unit, pair) in self.artificial.chunks(2).enumerate() {
                let (expected, charge) = match self.expected.get(unit) {
                    Some(&expected) => (expected, CHARGES[level] * self.share),
                    None => (0.0, dearest),
                };
                model.change_column_cost(pair[0], (charge + expected) / self.money);
                model.change_column_cost(pair[1], (charge - expected) / self.money);
            }
        }
    }

    fn solve(&mut self) -> Option<Solved> {
        let solved = self.model.take()?.try_solve().ok()?;
        let is_optimal = solved.status() == HighsModelStatus::Optimal;
        // Moves make numbers large: a last check may fail by a hair, and prices from there still give a valid bound.
        let is_near = self.money > 1.0 && solved.status() == HighsModelStatus::Unknown;
        if !is_optimal && !is_near {
            return None;
        }
        let solution = solved.get_solution();
        let value = solved.objective_value() * self.money;
        let uncovered = solution.columns()[..self.artificial.len()].iter().sum();
        let price: Vec<f64> = solution.dual_rows().iter().map(|price| price * self.money).collect();
        if !price.iter().all(|price: &f64| price.is_finite()) {
            return None;
        }
        self.model = Some(Model::from(solved));
        Some(Solved { value, uncovered, price, is_optimal })
    }

    fn add(&mut self, task: &Task<'_>, new: &[u32]) -> Option<()> {
        let model = self.model.as_mut()?;
        for &region in new {
            self.added[region as usize] = true;
            let region = region as usize;
            model
                .try_add_column(
                    task.half_boundary(region) / self.money,
                    0.0..,
                    entries(task, &self.rows, region),
                )
                .ok()?;
        }
        Some(())
    }
}

/// The `most` regions of least reduced cost.
fn least_reduced(reduced: &[f64], most: usize) -> Vec<u32> {
    let by_cost = |a: &u32, b: &u32| reduced[*a as usize].total_cmp(&reduced[*b as usize]).then(a.cmp(b));
    let mut order: Vec<u32> = (0..reduced.len() as u32).collect();
    if most < order.len() {
        order.select_nth_unstable_by(most, by_cost);
        order.truncate(most);
    }
    order.sort_unstable_by(by_cost);
    order
}

/// The cheapest regions that are not yet columns and have a negative reduced cost.
fn columns_below_zero(reduced: &[f64], added: &[bool]) -> Vec<u32> {
    let mut new: Vec<u32> =
        (0..reduced.len() as u32).filter(|&r| reduced[r as usize] < -ZERO && !added[r as usize]).collect();
    if COLUMNS_PER_ROUND < new.len() {
        let by_cost = |a: &u32, b: &u32| reduced[*a as usize].total_cmp(&reduced[*b as usize]).then(a.cmp(b));
        new.select_nth_unstable_by(COLUMNS_PER_ROUND - 1, by_cost);
        new.truncate(COLUMNS_PER_ROUND);
        new.sort_unstable();
    }
    new
}
