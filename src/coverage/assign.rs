//! Who is served when stations hold only so many.

use rayon::prelude::*;

use super::access::WalkTable;

/// Households of one building that one station serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served {
    /// Building.
    pub building: u32,
    /// Station.
    pub site: u32,
    /// Households.
    pub households: u32,
    /// Their walk.
    pub cost: u32,
}

/// A capacity-limited assignment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assignment {
    /// Parts, ordered by walk, then building, then station.
    pub parts: Vec<Served>,
    /// Households that each station serves.
    pub load: Vec<u32>,
    /// Households of each building that no station within the limit has room for.
    pub left_out: Vec<u32>,
}

/// Assigns households to stations within `limit`, the shortest walks first, until stations are full.
///
/// Both sides prefer the shorter walk, so the result is stable: no household and station would both rather
/// have one another than what they got. Households of one building may go to several stations. Ties go to
/// the lower building, then the lower station. `capacity` `None` is unlimited. O(entries log entries).
///
/// ```
/// use gridplan::coverage::{access::WalkTable, assign::assign_by_walk};
/// // Two buildings of 60 households, one station of 100: the nearer building is served whole.
/// let table = WalkTable { offsets: &[0, 1, 2], site: &[0, 0], cost: &[200, 100] };
/// let assignment = assign_by_walk(table, &[60, 60], &[Some(100)], 900);
/// assert_eq!((assignment.load, assignment.left_out), (vec![100], vec![20, 0]));
/// ```
#[must_use]
pub fn assign_by_walk(
    table: WalkTable<'_>,
    households: &[u32],
    capacity: &[Option<u32>],
    limit: u32,
) -> Assignment {
    let entries = (0..table.n_demand()).flat_map(|building| {
        table.row(building).map(move |(site, cost)| (cost, building as u32, site as u32))
    });
    let mut entries: Vec<(u32, u32, u32)> = entries.filter(|&(cost, _, _)| cost <= limit).collect();
    entries.par_sort_unstable();
    let mut assignment =
        Assignment { parts: Vec::new(), load: vec![0; capacity.len()], left_out: households.to_vec() };
    for (cost, building, site) in entries {
        let waiting = &mut assignment.left_out[building as usize];
        let load = &mut assignment.load[site as usize];
        let room = capacity[site as usize].map_or(u32::MAX, |capacity| capacity.saturating_sub(*load));
        let served = room.min(*waiting);
        if 0 < served {
            *waiting -= served;
            *load = load.saturating_add(served);
            assignment.parts.push(Served { building, site, households: served, cost });
        }
    }
    assignment
}
