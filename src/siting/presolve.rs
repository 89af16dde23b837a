//! Sites and rows that cannot matter.

use rustc_hash::FxHashMap;

use super::build::{Core, Fate, MUST, NO_ROW};
use super::certificate::Reduction;

/// Closes sites whose rows another, no dearer site serves as well. Returns pairs (closed, by), in order.
///
/// Only for cover forms without rules: there an exchange of one for the other never hurts. Sites already decided
/// are left alone. Cost: for every site the rows of its scarcest row's sites.
fn close_dominated(core: &mut Core) -> Vec<(u32, u32)> {
    let mut closed = Vec::new();
    if !core.row_cost.is_empty() || !core.rules.is_empty() || core.times != 1 {
        return closed;
    }
    let mut seen = vec![u32::MAX; core.n_rows()];
    for site in 0..core.n_sites {
        if core.fate[site] != Fate::Free {
            continue;
        }
        let Some(scarcest) =
            core.col(site).map(|entry| core.col_row[entry]).min_by_key(|&row| core.row(row as usize).len())
        else {
            continue;
        };
        let mine = core.col(site).len();
        for entry in core.row(scarcest as usize) {
            let other = core.row_site[entry] as usize;
            let theirs = core.col(other).len();
            let may = other != site
                && core.fate[other] != Fate::Closed
                && core.open_cost[other] <= core.open_cost[site];
            // Among equals the lower index stays.
            let equal = theirs == mine && core.open_cost[other] == core.open_cost[site];
            if !may || theirs < mine || (equal && site < other && core.fate[other] == Fate::Free) {
                continue;
            }
            let stamp = site as u32;
            for place in core.col(site) {
                seen[core.col_row[place] as usize] = stamp;
            }
            let shared = core.col(other).filter(|&place| seen[core.col_row[place] as usize] == stamp).count();
            if shared == mine {
                core.fate[site] = Fate::Closed;
                closed.push((site as u32, other as u32));
                break;
            }
        }
    }
    closed
}

/// A smaller cover form and why it has the same optimum.
pub(crate) struct Reduced {
    pub core: Core,
    /// In order, on the caller's demand points: what the certificate needs.
    pub reductions: Vec<Reduction>,
}

/// Largest max cover whose rows are made one: annealing picks rows by their number, and on larger tables it then found
/// sites that cover 0.05 % less.
const MOST_MERGED: usize = 200_000;

/// Leaves out superfluous sites and rows in turn until nothing changes: fewer rows make more sites superfluous, and
/// rows that differ in closed sites only become one.
///
/// Some best answer lies in what is left. Where walks count or rules hold, that is everything.
pub(crate) fn reduce(core: &Core) -> Reduced {
    let mut reduced = Reduced { core: core.clone(), reductions: Vec::new() };
    loop {
        let closed = close_dominated(&mut reduced.core);
        let as_reduction = |&(site, by): &(u32, u32)| Reduction::Site { site, by };
        reduced.reductions.extend(closed.iter().map(as_reduction));
        let before = reduced.core.n_rows();
        let must = core.row_cost.is_empty() && must_serve(core);
        if must || (!closed.is_empty() && core.row_site.len() <= MOST_MERGED) {
            shrink(&mut reduced);
        }
        if closed.is_empty() && reduced.core.n_rows() == before {
            return reduced;
        }
    }
}

/// Whether every row must be served.
fn must_serve(core: &Core) -> bool {
    core.miss.iter().all(|&miss| miss == MUST)
}

/// Leaves out closed sites' entries and rows that are served whenever another row is, or makes equal rows one where
/// they may be missed.
fn shrink(reduced: &mut Reduced) {
    let core = &reduced.core;
    let must = must_serve(core);
    let implied = if must && core.times == 1 { implied_rows(core) } else { Vec::new() };
    let mut points_of = vec![Vec::new(); core.n_rows()];
    for (demand, &row) in core.row_of.iter().enumerate() {
        if let Some(points) = points_of.get_mut(row as usize) {
            points.push(demand as u32);
        }
    }
    let mut gone = vec![false; core.n_rows()];
    for &(row, by) in &implied {
        gone[row as usize] = true;
        let by = points_of[by as usize][0];
        let left_out = points_of[row as usize].iter().map(|&point| Reduction::Point { point, by });
        reduced.reductions.extend(left_out);
    }
    let mut small = Core {
        row_start: vec![0],
        row_site: Vec::new(),
        row_cost: Vec::new(),
        weight: Vec::new(),
        miss: Vec::new(),
        row_of: vec![NO_ROW; core.row_of.len()],
        ..core.clone()
    };
    let mut by_sites: FxHashMap<Vec<u32>, u32> = FxHashMap::default();
    for row in (0..core.n_rows()).filter(|&row| !gone[row]) {
        let sites = core.row_site[core.row(row)].iter().copied();
        let sites: Vec<u32> = sites.filter(|&site| core.fate[site as usize] != Fate::Closed).collect();
        let fresh = small.weight.len() as u32;
        let known = if must { fresh } else { *by_sites.entry(sites.clone()).or_insert(fresh) };
        points_of[row].iter().for_each(|&point| small.row_of[point as usize] = known);
        if known < fresh {
            small.weight[known as usize] += core.weight[row];
            small.miss[known as usize] = small.miss[known as usize].saturating_add(core.miss[row]);
            continue;
        }
        small.row_site.extend(sites);
        small.row_start.push(small.row_site.len());
        small.weight.push(core.weight[row]);
        small.miss.push(core.miss[row]);
    }
    small.index_columns();
    reduced.core = small;
}

/// Pairs (row, by): whatever serves the row `by` serves `row` too.
///
/// Such a row stands in the column of every site of `by`, so that the shortest of these columns names all candidates.
fn implied_rows(core: &Core) -> Vec<(u32, u32)> {
    let n_rows = core.n_rows();
    let mut pairs = Vec::new();
    let mut needed = vec![true; n_rows];
    // Sites that are left, ascending; the columns may still name rows that are not needed any more.
    let (mut start, mut left) = (vec![0], Vec::with_capacity(core.row_site.len()));
    for row in 0..n_rows {
        let sites = core.row_site[core.row(row)].iter().copied();
        left.extend(sites.filter(|&site| core.fate[site as usize] != Fate::Closed));
        start.push(left.len());
    }
    let sites = |row: usize| &left[start[row]..start[row + 1]];
    let mut stamp = vec![u32::MAX; core.n_sites];
    for small in 0..n_rows {
        let own = sites(small);
        let Some(&scarcest) = own.iter().min_by_key(|&&site| core.col(site as usize).len()) else { continue };
        if !needed[small] {
            continue;
        }
        own.iter().for_each(|&site| stamp[site as usize] = small as u32);
        for &row in &core.col_row[core.col(scarcest as usize)] {
            let large = row as usize;
            let others = sites(large);
            let larger = own.len() < others.len() || (own.len() == others.len() && small < large);
            if !needed[large] || !larger {
                continue;
            }
            // As soon as more foreign sites are seen than the row has to spare, one of its own must be missing.
            let mut spare = others.len() - own.len();
            let mut foreign = others.iter().filter(|&&site| stamp[site as usize] != small as u32);
            let holds = loop {
                match (foreign.next(), spare) {
                    (None, _) => break true,
                    (Some(_), 0) => break false,
                    (Some(_), _) => spare -= 1,
                }
            };
            if holds {
                needed[large] = false;
                pairs.push((row, small as u32));
            }
        }
    }
    pairs
}
