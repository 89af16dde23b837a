//! Checks a [`Problem`] and brings every model to one normal form.
//!
//! Minimise `Σ open_cost_j x_j + Σ_r (weight_r × cost of its nearest open sites, or miss_r)` subject to linear
//! rules on `x`. Demand points with identical rows are one row of the normal form; points of weight 0 are none.

use rustc_hash::FxHashMap;

use super::{Change, Model, Problem, SitingError};

/// "No row": the demand point has weight 0 or can never be served.
pub(crate) const NO_ROW: u32 = u32::MAX;
/// The row must be served.
pub(crate) const MUST: i64 = i64::MAX;

/// What is already decided about a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Free,
    Open,
    Closed,
}

/// A rule `Σ coefficient × x_site <= limit`.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub terms: Vec<(u32, i64)>,
    pub limit: i64,
    /// What the rule means, for messages.
    pub text: String,
}

/// The normal form.
#[derive(Clone, Debug)]
pub(crate) struct Core {
    pub n_sites: usize,
    /// Rows: sites by ascending (cost, site).
    pub row_start: Vec<usize>,
    pub row_site: Vec<u32>,
    /// Unweighted costs; empty when all are zero.
    pub row_cost: Vec<u32>,
    /// Columns: rows ascending.
    pub col_start: Vec<usize>,
    pub col_row: Vec<u32>,
    pub col_cost: Vec<u32>,
    /// Multiplies the cost of a row.
    pub weight: Vec<i64>,
    /// Penalty of leaving the row unserved, or [`MUST`].
    pub miss: Vec<i64>,
    pub open_cost: Vec<i64>,
    pub fate: Vec<Fate>,
    /// At most so many open sites.
    pub p: Option<usize>,
    pub rules: Vec<Rule>,
    /// How many open sites serve a row.
    pub times: usize,
    /// Demand point → row, or [`NO_ROW`].
    pub row_of: Vec<u32>,
}

impl Core {
    pub fn n_rows(&self) -> usize {
        self.weight.len()
    }

    pub fn row(&self, row: usize) -> std::ops::Range<usize> {
        self.row_start[row]..self.row_start[row + 1]
    }

    pub fn col(&self, site: usize) -> std::ops::Range<usize> {
        self.col_start[site]..self.col_start[site + 1]
    }

    pub fn row_cost_at(&self, entry: usize) -> u32 {
        self.row_cost.get(entry).copied().unwrap_or(0)
    }

    pub fn col_cost_at(&self, entry: usize) -> u32 {
        self.col_cost.get(entry).copied().unwrap_or(0)
    }

    /// Rules of each site: (rule, coefficient).
    pub fn rules_of_sites(&self) -> Vec<Vec<(u32, i64)>> {
        let mut of_site = vec![Vec::new(); self.n_sites];
        for (index, rule) in self.rules.iter().enumerate() {
            for &(site, coefficient) in &rule.terms {
                of_site[site as usize].push((index as u32, coefficient));
            }
        }
        of_site
    }

    /// The first demand point of every row.
    pub fn first_points(&self) -> Vec<u32> {
        let mut first_of = vec![u32::MAX; self.n_rows()];
        for (demand, &row) in self.row_of.iter().enumerate().rev() {
            if let Some(first) = first_of.get_mut(row as usize) {
                *first = demand as u32;
            }
        }
        first_of
    }

    /// Builds the column form from the row form.
    pub fn index_columns(&mut self) {
        let mut start = vec![0usize; self.n_sites + 1];
        for &site in &self.row_site {
            start[site as usize + 1] += 1;
        }
        for site in 0..self.n_sites {
            start[site + 1] += start[site];
        }
        let mut next = start.clone();
        self.col_row = vec![0; self.row_site.len()];
        self.col_cost = vec![0; self.row_cost.len()];
        for row in 0..self.n_rows() {
            for entry in self.row(row) {
                let place = &mut next[self.row_site[entry] as usize];
                self.col_row[*place] = row as u32;
                if !self.row_cost.is_empty() {
                    self.col_cost[*place] = self.row_cost[entry];
                }
                *place += 1;
            }
        }
        self.col_start = start;
    }
}

/// How costs enter the normal form.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Weighted,
    Ignored,
}

/// Checks the problem and builds the normal form of `model`; p-center gives the cover form of its limit.
pub(crate) fn build(problem: &Problem, model: Model) -> Result<Core, SitingError> {
    check_fields(problem)?;
    let costs = match model {
        Model::PMedian { .. } => Use::Weighted,
        _ => Use::Ignored,
    };
    let mut core = build_rows(problem, costs, model.maximizes())?;
    core.index_columns();
    if matches!(model, Model::SetCover) {
        core.open_cost = match problem.site_cost.as_slice() {
            [] => vec![1; core.n_sites],
            costs => costs.iter().map(|&cost| i64::from(cost)).collect(),
        };
    }
    core.p = model.p();
    for &site in &problem.fixed {
        core.fate[site as usize] = Fate::Open;
    }
    core.rules = rules(problem);
    check_fixed(&core)?;
    Ok(core)
}

/// The second goal of the cover models: coverage first, then the weighted sum of costs, with at most `p` sites.
///
/// One unit of weight left unserved costs more than all walks together.
pub(crate) fn build_then_nearest(problem: &Problem, p: Option<usize>) -> Result<ThenCore, SitingError> {
    build_then(problem, p, 1)
}

/// The normal form of a later goal.
pub(crate) struct ThenCore {
    pub core: Core,
    /// Whether costs are whole; where 64 bits ask for it they are divided by a power of two.
    pub exact: bool,
}

/// The same with a third goal, the cost of the sites: one unit of walks costs more than all sites together.
pub(crate) fn build_then_nearest_then_cheapest(problem: &Problem, p: usize) -> Result<ThenCore, SitingError> {
    let total: u64 = problem.site_cost.iter().map(|&cost| u64::from(cost)).sum();
    let times = i64::try_from(total).unwrap_or(i64::MAX).min(1 << 40) + 1;
    let mut then = build_then(problem, Some(p), times)?;
    then.exact &= total < times as u64;
    then.core.open_cost = problem.site_cost.iter().map(|&cost| i64::from(cost)).collect();
    Ok(then)
}

/// The core of the second goal, everything `times` as dear.
fn build_then(problem: &Problem, p: Option<usize>, times: i64) -> Result<ThenCore, SitingError> {
    let mut core = build_rows(problem, Use::Weighted, true)?;
    // Only the weights' proportions matter.
    let unit = core.weight.iter().fold(0, |unit, &weight| greatest_common_divisor(unit, weight)).max(1);
    core.weight.iter_mut().for_each(|weight| *weight = *weight / unit * times);
    let total: i128 = core.weight.iter().map(|&weight| i128::from(weight / times)).sum();
    // With backup both walks count.
    let dearest = i128::from(core.row_cost.iter().copied().max().unwrap_or(0)) * core.times as i128;
    let mut unit = 1u32;
    while total * (dearest / i128::from(unit) + 1) * total * i128::from(times) >= 1 << 56 && unit < 1 << 30 {
        unit *= 2;
    }
    core.row_cost.iter_mut().for_each(|cost| *cost /= unit);
    let walks = (total * (dearest / i128::from(unit)) + 1) as i64;
    for (miss, &weight) in core.miss.iter_mut().zip(&core.weight) {
        *miss = weight.saturating_mul(walks);
    }
    core.index_columns();
    core.p = p;
    for &site in &problem.fixed {
        core.fate[site as usize] = Fate::Open;
    }
    core.rules = rules(problem);
    Ok(ThenCore { core, exact: unit == 1 })
}

fn greatest_common_divisor(mut a: i64, mut b: i64) -> i64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn build_rows(problem: &Problem, costs: Use, may_miss: bool) -> Result<Core, SitingError> {
    let n_sites = problem.table.n_sites();
    let n_demand = problem.table.n_demand();
    let times = problem.backup.times();
    let merge = problem.capacity.is_empty();
    let mut core = Core {
        n_sites,
        row_start: vec![0],
        row_site: Vec::new(),
        row_cost: Vec::new(),
        col_start: Vec::new(),
        col_row: Vec::new(),
        col_cost: Vec::new(),
        weight: Vec::new(),
        miss: Vec::new(),
        open_cost: vec![0; n_sites],
        fate: vec![Fate::Free; n_sites],
        p: None,
        rules: Vec::new(),
        times,
        row_of: vec![NO_ROW; n_demand],
    };
    let mut by_hash: FxHashMap<u64, Vec<u32>> = FxHashMap::default();
    let mut row: Vec<(u32, u32)> = Vec::new();
    let mut spare = Vec::new();
    let mut unreachable = Vec::new();
    for demand in 0..n_demand {
        let weight = problem.weight(demand) as i64;
        if weight == 0 {
            continue;
        }
        row.clear();
        let ignored = costs == Use::Ignored;
        problem.visit_row(demand, |site, cost| row.push((if ignored { 0 } else { cost }, site)));
        if row.len() < times {
            unreachable.push(demand as u32);
            continue;
        }
        sort_row(&mut row, &mut spare);
        let same = if merge { by_hash.entry(hash(&row)).or_default() } else { &mut Vec::new() };
        let found = same.iter().copied().find(|&known| equal_row(&core, known as usize, &row));
        let index = found.unwrap_or_else(|| {
            let index = core.weight.len() as u32;
            core.row_site.extend(row.iter().map(|&(_, site)| site));
            if !ignored {
                core.row_cost.extend(row.iter().map(|&(cost, _)| cost));
            }
            core.row_start.push(core.row_site.len());
            core.weight.push(0);
            same.push(index);
            index
        });
        core.weight[index as usize] += weight;
        core.row_of[demand] = index;
    }
    if !may_miss && !unreachable.is_empty() {
        return Err(problem.unreachable(unreachable));
    }
    core.miss = if may_miss { core.weight.clone() } else { vec![MUST; core.weight.len()] };
    check_magnitude(&core)?;
    Ok(core)
}

/// Shortest row for which counting its costs is quicker than comparing them.
const LONG_ROW: usize = 48;

/// Sorts pairs of cost and site. Long rows whose sites ascend already are sorted by the bytes of their costs, the least
/// byte first, which leaves equal costs in the order of their sites.
pub(crate) fn sort_row(row: &mut Vec<(u32, u32)>, spare: &mut Vec<(u32, u32)>) {
    if row.is_sorted() {
        return;
    }
    if row.len() < LONG_ROW || !row.is_sorted_by_key(|pair| pair.1) {
        row.sort_unstable_by_key(|&(cost, site)| u64::from(cost) << 32 | u64::from(site));
        return;
    }
    let dearest = row.iter().map(|pair| pair.0).max().unwrap_or(0);
    spare.clear();
    spare.resize(row.len(), (0, 0));
    let n_bytes = (39 - dearest.leading_zeros()) / 8;
    for shift in (0..n_bytes).map(|byte| 8 * byte) {
        let mut place = [0u32; 257];
        row.iter().for_each(|pair| place[(pair.0 >> shift & 255) as usize + 1] += 1);
        (0..256).for_each(|byte| place[byte + 1] += place[byte]);
        for &pair in row.iter() {
            let place = &mut place[(pair.0 >> shift & 255) as usize];
            spare[*place as usize] = pair;
            *place += 1;
        }
        std::mem::swap(row, spare);
    }
}

/// The objective and its multipliers must stay far from the ends of 64 bits.
fn check_magnitude(core: &Core) -> Result<(), SitingError> {
    let mut total = 0i128;
    for row in 0..core.n_rows() {
        let dearest = core.row(row).next_back().map_or(0, |entry| core.row_cost_at(entry));
        total += i128::from(core.weight[row]) * i128::from(dearest.max(1)) * core.times as i128;
    }
    if total >= 1 << 56 {
        let reason = format!("the largest possible objective {total} passes 2^56; use coarser units");
        return Err(SitingError::BadField { field: "weights", reason });
    }
    Ok(())
}

fn hash(row: &[(u32, u32)]) -> u64 {
    use std::hash::Hasher;
    let mut hasher = rustc_hash::FxHasher::default();
    for &(cost, site) in row {
        hasher.write_u64(u64::from(cost) << 32 | u64::from(site));
    }
    hasher.finish()
}

fn equal_row(core: &Core, index: usize, row: &[(u32, u32)]) -> bool {
    let range = core.row(index);
    range.len() == row.len()
        && range.zip(row).all(|(entry, &(cost, site))| {
            core.row_site[entry] == site && (core.row_cost.is_empty() || core.row_cost[entry] == cost)
        })
}

pub(crate) fn check_fields(problem: &Problem) -> Result<(), SitingError> {
    let n_sites = problem.table.n_sites();
    let n_demand = problem.table.n_demand();
    let length = |field, found: usize, wanted: usize| {
        if found == 0 || found == wanted {
            return Ok(());
        }
        let reason = format!("it has {found} entries for {wanted}");
        Err(SitingError::BadField { field, reason })
    };
    length("weights", problem.weights.len(), n_demand)?;
    length("site_cost", problem.site_cost.len(), n_sites)?;
    length("capacity", problem.capacity.len(), n_sites)?;
    let each_once = |field, sites: &[u32]| {
        let mut sorted = sites.to_vec();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            let reason = format!("site {} stands twice", pair[0]);
            return Err(SitingError::BadField { field, reason });
        }
        match sorted.last() {
            Some(&site) if site as usize >= n_sites => {
                let reason = format!("site {site} is out of range, there are {n_sites}");
                Err(SitingError::BadField { field, reason })
            }
            _ => Ok(()),
        }
    };
    each_once("fixed", &problem.fixed)?;
    let mut existing: Vec<u32> = problem.existing.iter().map(|existing| existing.site).collect();
    existing.extend(&problem.fixed);
    each_once("existing", &existing)?;
    for existing in &problem.existing {
        if let Change::MoveTo(sites) = &existing.change {
            let mut all = sites.clone();
            all.push(existing.site);
            each_once("existing", &all)?;
        }
    }
    for &(one, other) in &problem.too_close {
        each_once("too_close", &[one, other])?;
    }
    problem.groups.iter().try_for_each(|group| each_once("groups", &group.sites))?;
    if problem.budget.is_some() && problem.site_cost.is_empty() {
        let reason = "a budget needs `site_cost`".to_owned();
        return Err(SitingError::BadField { field: "budget", reason });
    }
    Ok(())
}

/// Budget, closings, moves, groups and spacing as linear rules.
fn rules(problem: &Problem) -> Vec<Rule> {
    let mut rules = Vec::new();
    if let Some(budget) = problem.budget {
        let costs = problem.site_cost.iter().enumerate();
        rules.push(Rule {
            terms: costs
                .filter(|(_, cost)| **cost > 0)
                .map(|(site, &cost)| (site as u32, i64::from(cost)))
                .collect(),
            limit: i64::try_from(budget).unwrap_or(i64::MAX).min(1 << 60),
            text: format!("the budget of {budget}"),
        });
    }
    let closable = problem.existing.iter().filter(|existing| existing.change == Change::Close);
    let closable: Vec<(u32, i64)> = closable.map(|existing| (existing.site, -1)).collect();
    if let Some(most) = problem.max_closed
        && most < closable.len()
    {
        let text = format!("at most {most} of {} closable stations closed", closable.len());
        rules.push(Rule { limit: most as i64 - closable.len() as i64, terms: closable, text });
    }
    for existing in &problem.existing {
        if let Change::MoveTo(sites) = &existing.change {
            let sites: Vec<u32> = std::iter::once(existing.site).chain(sites.iter().copied()).collect();
            let text = format!("exactly one place for the movable station {}", existing.site);
            push_group(&mut rules, &sites, 1, 1, &text);
        }
    }
    for (index, group) in problem.groups.iter().enumerate() {
        let text =
            format!("group {index} ({} to {} of {})", group.at_least, group.at_most, group.sites.len());
        push_group(&mut rules, &group.sites, group.at_least, group.at_most, &text);
    }
    for &(one, other) in &problem.too_close {
        let text = format!("the spacing between sites {one} and {other}");
        push_group(&mut rules, &[one, other], 0, 1, &text);
    }
    rules
}

fn push_group(rules: &mut Vec<Rule>, sites: &[u32], at_least: usize, at_most: usize, text: &str) {
    if at_most < sites.len() {
        let terms = sites.iter().map(|&site| (site, 1)).collect();
        rules.push(Rule { terms, limit: at_most as i64, text: text.to_owned() });
    }
    if at_least > 0 {
        let terms = sites.iter().map(|&site| (site, -1)).collect();
        rules.push(Rule { terms, limit: -(at_least as i64), text: text.to_owned() });
    }
}

/// Contradictions that need no search.
fn check_fixed(core: &Core) -> Result<(), SitingError> {
    let n_fixed = core.fate.iter().filter(|&&fate| fate == Fate::Open).count();
    if let Some(p) = core.p
        && p < n_fixed
    {
        let reason = format!("p = {p} with {n_fixed} fixed sites; raise p or fix fewer");
        return Err(SitingError::Infeasible { reason });
    }
    for rule in &core.rules {
        let mut least = 0i64;
        for &(site, coefficient) in &rule.terms {
            let open = core.fate[site as usize] == Fate::Open;
            least += if open { coefficient } else { coefficient.min(0) };
        }
        if rule.limit < least {
            let reason = format!("{} together with the fixed sites", rule.text);
            return Err(SitingError::Infeasible { reason });
        }
    }
    Ok(())
}
