//! Smaller cores for the tree: without what is decided, and without the far ends of long rows.

use super::build::{Core, Fate};

/// So many times the sites cheaper than a row's multiplier, and its square more, are kept of a row.
const MARGIN: usize = 4;

/// The core without the far ends of long rows: missing what is left costs what the first site left out would.
///
/// A relaxation, and as good as the whole as long as multipliers stay below that cost. It has rows alone, no columns,
/// unless all costs are zero.
pub(crate) fn trim(core: &Core, u: &[f64]) -> Core {
    let mut small = restrict(core, &core.fate);
    if core.row_cost.is_empty() {
        return small;
    }
    let (mut start, mut site, mut cost) = (vec![0], Vec::new(), Vec::new());
    for (row, &u) in u.iter().enumerate() {
        let range = small.row(row);
        let weight = small.weight[row];
        let dear = |entry: usize| (weight * i64::from(small.row_cost[entry])) as f64;
        let cheaper = range.clone().take_while(|&entry| dear(entry) < u).count();
        let kept = (MARGIN * cheaper + MARGIN * MARGIN).min(range.len());
        if kept < range.len() {
            let next = weight * i64::from(small.row_cost[range.start + kept]) * small.times as i64;
            small.miss[row] = small.miss[row].min(next);
        }
        site.extend_from_slice(&small.row_site[range.start..range.start + kept]);
        cost.extend_from_slice(&small.row_cost[range.start..range.start + kept]);
        start.push(site.len());
    }
    (small.row_start, small.row_site, small.row_cost) = (start, site, cost);
    small
}

/// The core without the entries of closed sites. Where costs count it has rows alone, no columns, and where one site
/// serves a row, the nearest open site and all behind it are left out: missing the row costs what that site would.
pub(crate) fn restrict(core: &Core, fate: &[Fate]) -> Core {
    let mut small = Core {
        row_start: Vec::with_capacity(core.n_rows() + 1),
        row_site: Vec::new(),
        row_cost: Vec::new(),
        col_start: Vec::new(),
        col_row: Vec::new(),
        col_cost: Vec::new(),
        row_of: Vec::new(),
        weight: core.weight.clone(),
        miss: core.miss.clone(),
        open_cost: core.open_cost.clone(),
        fate: fate.to_vec(),
        rules: core.rules.clone(),
        ..*core
    };
    small.row_start.push(0);
    let once = !core.row_cost.is_empty() && core.times == 1;
    for row in 0..core.n_rows() {
        let is_alive = |&entry: &usize| fate[core.row_site[entry] as usize] != Fate::Closed;
        let hopeless = core.times > 1 && core.row(row).filter(is_alive).take(core.times).count() < core.times;
        for entry in core.row(row).filter(is_alive).take_while(|_| !hopeless) {
            let site = core.row_site[entry];
            if once && fate[site as usize] == Fate::Open {
                small.miss[row] = small.miss[row].min(core.weight[row] * i64::from(core.row_cost[entry]));
                break;
            }
            small.row_site.push(site);
            if !core.row_cost.is_empty() {
                small.row_cost.push(core.row_cost[entry]);
            }
        }
        small.row_start.push(small.row_site.len());
    }
    if small.row_cost.is_empty() {
        small.index_columns();
    }
    small
}
