//! Sites and rows that cannot matter.

use super::build::{Core, Fate, MUST};

/// Closes sites whose rows another, no dearer site serves as well. Returns pairs (closed, by), in order.
///
/// Only for cover forms without rules: there an exchange of one for the other never hurts. Sites already decided
/// are left alone. Cost: for every site the rows of its scarcest row's sites.
pub(crate) fn close_dominated(core: &mut Core) -> Vec<(u32, u32)> {
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

/// The core without closed sites' entries and without rows that are served whenever another row is.
///
/// Only for cover forms in which every row must be served. `row_of` is left empty.
pub(crate) fn shrink(core: &Core) -> Core {
    let needed = needed_rows(core);
    let mut small = Core {
        row_start: vec![0],
        row_site: Vec::new(),
        row_cost: Vec::new(),
        weight: Vec::new(),
        miss: Vec::new(),
        row_of: Vec::new(),
        ..core.clone()
    };
    for row in (0..core.n_rows()).filter(|&row| needed[row]) {
        let sites = core.row(row).map(|entry| core.row_site[entry]);
        small.row_site.extend(sites.filter(|&site| core.fate[site as usize] != Fate::Closed));
        small.row_start.push(small.row_site.len());
        small.weight.push(core.weight[row]);
        small.miss.push(core.miss[row]);
    }
    small.index_columns();
    small
}

/// Which rows are not implied by another row.
pub(crate) fn needed_rows(core: &Core) -> Vec<bool> {
    let n_rows = core.n_rows();
    let mut needed = vec![true; n_rows];
    let mut alive = vec![0u32; n_rows];
    for row in 0..n_rows {
        let open = core.row(row).filter(|&entry| core.fate[core.row_site[entry] as usize] != Fate::Closed);
        alive[row] = open.count() as u32;
        needed[row] = core.miss[row] == MUST;
    }
    let mut count = vec![0u32; n_rows];
    let mut touched = Vec::new();
    for small in 0..n_rows {
        if !needed[small] || alive[small] == 0 {
            continue;
        }
        touched.clear();
        for entry in core.row(small) {
            let site = core.row_site[entry] as usize;
            if core.fate[site] == Fate::Closed {
                continue;
            }
            for place in core.col(site) {
                let row = core.col_row[place] as usize;
                if count[row] == 0 {
                    touched.push(row as u32);
                }
                count[row] += 1;
            }
        }
        for &row in &touched {
            let row = row as usize;
            let larger = alive[small] < alive[row] || (alive[small] == alive[row] && small < row);
            if larger && count[row] == alive[small] {
                needed[row] = false;
            }
            count[row] = 0;
        }
    }
    needed
}
