//! Subset-row cuts: a relaxation that comes nearer to whole regions.
//!
//! Of three units at most one chosen region holds two or more: otherwise two regions would share a unit. The linear
//! relaxation chooses halves of three regions that hold two each; a row per such triple forbids it (Jepsen, Petersen,
//! Spoorendonk and Pisinger 2008). Here all regions that can lie in a better division are listed first, so that the price of
//! a cut is looked up and not priced, and regions whose reduced cost is beyond what is left to gain are dropped on the way.

use highs::{Col, ColProblem, HighsModelStatus, Model, Row, Sense};

use super::cover::Mask;
use super::master::quiet;

/// Columns of the first program, and columns added per round.
const FIRST_COLUMNS: usize = 2000;
const COLUMNS_PER_ROUND: usize = 500;
/// Rounds of cuts, cuts per round, and the smallest violation that is worth one.
const ROUNDS: usize = 60;
const CUTS_PER_ROUND: usize = 60;
const CUTS_PER_UNIT: u32 = 8;
const VIOLATED: f64 = 0.03;
/// Reduced costs above this many metres below zero count as zero.
const ZERO: f64 = 1e-6;
/// Rounds in a row that may bring less than a hundredth of what is left, before cutting ends.
const SLOW: usize = 4;

/// Three units of which at most one region holds two.
struct Cut {
    units: Mask,
    row: Row,
    /// What the row is worth, never above 0.
    price: f64,
}

/// A program that chooses among listed regions, no two of which share a unit, at least cost.
pub(super) trait Listing {
    /// Number of units.
    fn n(&self) -> usize;
    /// Units of every region.
    fn masks(&self) -> Vec<Mask>;
    /// Adds the rows of the program without cuts.
    fn rows(&self, problem: &mut ColProblem) -> Vec<Row>;
    /// Cost and entries of a region's column.
    fn column(&self, rows: &[Row], region: usize) -> (f64, Vec<(Row, f64)>);
    /// Reduced cost of every region at these prices of the rows.
    fn reduced_costs(&self, price: &[f64]) -> Vec<f64>;
    /// What the prices are worth: the value of the relaxation if no region has a negative reduced cost at them.
    fn worth(&self, price: &[f64]) -> f64;
    /// Most regions that are chosen.
    fn most(&self) -> usize;
}

/// A bound on the value of a listing, the prices of its rows behind it and the reduced cost of every region.
pub(super) struct Strength {
    pub bound: f64,
    pub price: Vec<f64>,
    pub reduced: Vec<f64>,
}

/// The program over listed regions.
struct Program<'l, L> {
    listing: &'l L,
    mask: Vec<Mask>,
    model: Option<Model>,
    rows: Vec<Row>,
    cuts: Vec<Cut>,
    /// The column of each region in the program.
    column: Vec<Option<Col>>,
    /// Regions in the order of their columns.
    order: Vec<u32>,
    /// Value of every column in the last solution.
    value: Vec<f64>,
}

/// Raises a bound by cuts; all regions with a reduced cost of up to `upper` less the bound are listed. Reduced costs become
/// those with cuts, infinite where a region is in no choice below `upper`. `None` if the program fails.
pub(super) fn strengthen(listing: &impl Listing, known: Strength, upper: f64) -> Option<Strength> {
    let gap = upper - known.bound;
    let mut alive: Vec<u32> =
        (0..known.reduced.len() as u32).filter(|&region| known.reduced[region as usize] <= gap).collect();
    let mut program = Program::new(listing, &known.reduced, &alive)?;
    let mut best = known;
    let mut slow = 0;
    for _ in 0..ROUNDS {
        let Some((price, reduced)) = program.solve(&alive)? else {
            // Not even parts of regions that are left will do: nothing is below the upper value.
            best.bound = upper;
            break;
        };
        let cuts: f64 = program.cuts.iter().map(|cut| cut.price).sum();
        let least = alive.iter().map(|&r| reduced[r as usize]).fold(0.0, f64::min);
        let bound = listing.worth(&price) + cuts + listing.most() as f64 * least;
        let gained = bound - best.bound;
        slow = if gained < (upper - best.bound) / 100.0 { slow + 1 } else { 0 };
        if best.bound < bound {
            best = Strength { bound, price, reduced };
            alive.retain(|&region| best.reduced[region as usize] <= upper - best.bound);
        }
        if upper <= best.bound || slow == SLOW || !program.cut()? {
            break;
        }
    }
    let mut reduced = vec![f64::INFINITY; best.reduced.len()];
    alive.iter().for_each(|&region| reduced[region as usize] = best.reduced[region as usize]);
    Some(Strength { reduced, ..best })
}

impl<'l, L: Listing> Program<'l, L> {
    /// The program without cuts over the regions of least reduced cost.
    fn new(listing: &'l L, reduced: &[f64], alive: &[u32]) -> Option<Self> {
        let mut problem = ColProblem::new();
        let rows = listing.rows(&mut problem);
        let mut model = problem.try_optimise(Sense::Minimise).ok()?;
        quiet(&mut model);
        let mask = listing.masks();
        let column = vec![None; mask.len()];
        let (cuts, order, value) = (Vec::new(), Vec::new(), Vec::new());
        let mut program = Self { listing, mask, model: Some(model), rows, cuts, column, order, value };
        let mut first = alive.to_vec();
        let cost = |region: &u32| reduced[*region as usize];
        first.sort_unstable_by(|a, b| cost(a).total_cmp(&cost(b)).then(a.cmp(b)));
        first.truncate(FIRST_COLUMNS);
        program.add(&first)?;
        Some(program)
    }

    /// Solves the program over the regions that are alive: prices of its first rows and reduced costs of all regions. The
    /// inner nothing says that it has no solution, the outer one that it fails.
    fn solve(&mut self, alive: &[u32]) -> Option<Option<(Vec<f64>, Vec<f64>)>> {
        let n_rows = self.rows.len();
        loop {
            let solved = self.model.take()?.try_solve().ok()?;
            let status = solved.status();
            let solution = solved.get_solution();
            if status == HighsModelStatus::Infeasible {
                // All that is alive has to be in before that says anything.
                self.model = Some(Model::from(solved));
                let new: Vec<u32> =
                    alive.iter().copied().filter(|&r| self.column[r as usize].is_none()).collect();
                if new.is_empty() {
                    return Some(None);
                }
                self.add(&new)?;
                continue;
            }
            if status != HighsModelStatus::Optimal {
                return None;
            }
            let duals = solution.dual_rows();
            if !duals.iter().all(|price| price.is_finite()) {
                return None;
            }
            let price = duals[..n_rows].to_vec();
            for (cut, &price) in self.cuts.iter_mut().zip(&duals[n_rows..]) {
                cut.price = price.min(0.0);
            }
            self.value = solution.columns().to_vec();
            self.model = Some(Model::from(solved));
            let reduced = self.reduced(&price);
            let mut new: Vec<u32> = alive
                .iter()
                .copied()
                .filter(|&r| reduced[r as usize] < -ZERO && self.column[r as usize].is_none())
                .collect();
            if new.is_empty() {
                return Some(Some((price, reduced)));
            }
            new.sort_unstable_by(|&a, &b| {
                reduced[a as usize].total_cmp(&reduced[b as usize]).then(a.cmp(&b))
            });
            new.truncate(COLUMNS_PER_ROUND);
            self.add(&new)?;
        }
    }

    /// Reduced cost of every region with cuts.
    fn reduced(&self, price: &[f64]) -> Vec<f64> {
        let mut reduced = self.listing.reduced_costs(price);
        let priced: Vec<&Cut> = self.cuts.iter().filter(|cut| cut.price < 0.0).collect();
        for (cost, mask) in reduced.iter_mut().zip(&self.mask) {
            *cost -=
                priced.iter().filter(|cut| 2 <= mask.and(cut.units).len()).map(|cut| cut.price).sum::<f64>();
        }
        reduced
    }

    /// Adds columns.
    fn add(&mut self, new: &[u32]) -> Option<()> {
        let model = self.model.as_mut()?;
        for &region in new {
            let at = region as usize;
            let (cost, mut column) = self.listing.column(&self.rows, at);
            let cut = self.cuts.iter().filter(|cut| 2 <= self.mask[at].and(cut.units).len());
            column.extend(cut.map(|cut| (cut.row, 1.0)));
            self.column[at] = Some(model.try_add_column(cost, 0.0.., column).ok()?);
            self.order.push(region);
        }
        Some(())
    }

    /// Adds the triples that the last solution violates most; false if there are none.
    fn cut(&mut self) -> Option<bool> {
        let n = self.listing.n();
        let parts: Vec<(Mask, f64)> = self
            .value
            .iter()
            .zip(&self.order)
            .filter(|(value, _)| 1e-6 < **value && **value < 1.0 - 1e-6)
            .map(|(&value, &region)| (self.mask[region as usize], value))
            .collect();
        // How much of the regions that hold both of two units.
        let mut both = vec![0.0; n * n];
        for &(mask, value) in &parts {
            let mut units = mask;
            while let Some(u) = units.pop() {
                let mut others = units;
                while let Some(v) = others.pop() {
                    both[u * n + v] += value;
                }
            }
        }
        let mut violated: Vec<(f64, [usize; 3])> = Vec::new();
        for u in 0..n {
            for v in u + 1..n {
                let one = both[u * n + v];
                for w in v + 1..n {
                    let pairs = one + both[u * n + w] + both[v * n + w];
                    if pairs <= 1.0 + VIOLATED {
                        continue;
                    }
                    let triple = Mask::EMPTY.with(u).with(v).with(w);
                    let all: f64 =
                        parts.iter().filter(|part| part.0.and(triple) == triple).map(|part| part.1).sum();
                    // A region that holds all three was counted three times.
                    let beyond = pairs - 2.0 * all - 1.0;
                    if VIOLATED < beyond {
                        violated.push((beyond, [u, v, w]));
                    }
                }
            }
        }
        violated.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut times = vec![0; n];
        let before = self.cuts.len();
        let model = self.model.as_mut()?;
        for (_, triple) in violated {
            if self.cuts.len() == before + CUTS_PER_ROUND {
                break;
            }
            if triple.iter().any(|&unit| times[unit] == CUTS_PER_UNIT) {
                continue;
            }
            triple.iter().for_each(|&unit| times[unit] += 1);
            let units = triple.iter().fold(Mask::EMPTY, |mask, &unit| mask.with(unit));
            let held = self.order.iter().filter(|region| 2 <= self.mask[**region as usize].and(units).len());
            let row: Vec<(Col, f64)> =
                held.filter_map(|&region| Some((self.column[region as usize]?, 1.0))).collect();
            let row = model.try_add_row(..=1.0, row).ok()?;
            self.cuts.push(Cut { units, row, price: 0.0 });
        }
        Some(before < self.cuts.len())
    }
}
