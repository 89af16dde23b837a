//! Two answers side by side: before and after a change, or two kinds of walkers.

use crate::network::UNREACHED;

/// Who wins and who loses between two sets of walks to the nearest station.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Buildings whose walk became shorter, ascending.
    pub shorter: Vec<u32>,
    /// Buildings whose walk became longer or that lost their only way, ascending.
    pub longer: Vec<u32>,
    /// Per limit: buildings that are newly within it.
    pub won: Vec<Vec<u32>>,
    /// Per limit: buildings that are no longer within it.
    pub lost: Vec<Vec<u32>>,
    /// Per limit: households newly within it.
    pub households_won: Vec<u64>,
    /// Per limit: households no longer within it.
    pub households_lost: Vec<u64>,
}

/// Compares walks before and after a change: a station added, moved or closed, or another walking profile
/// (`before` as an adult, `after` at eighty: `lost` are those who reach it as the first but not as the second).
///
/// Walks are costs as [`crate::network::NearestSite`] gives them, one per building and in the unit of
/// `limits`; [`UNREACHED`] is within no limit. O(buildings · limits).
///
/// ```
/// use gridplan::coverage::compare::compare;
/// let change = compare(&[100, 500, u32::MAX], &[100, 300, 250], &[30, 40, 5], &[300]);
/// assert_eq!(change.shorter, [1, 2]);
/// assert_eq!((change.won, change.households_won), (vec![vec![1, 2]], vec![45]));
/// assert_eq!(change.households_lost, [0]);
/// ```
#[must_use]
pub fn compare(before: &[u32], after: &[u32], households: &[u32], limits: &[u32]) -> Change {
    let mut change = Change {
        won: vec![Vec::new(); limits.len()],
        lost: vec![Vec::new(); limits.len()],
        households_won: vec![0; limits.len()],
        households_lost: vec![0; limits.len()],
        ..Change::default()
    };
    let within = |cost: u32, limit: u32| cost <= limit && cost != UNREACHED;
    for (index, (&old, &new)) in before.iter().zip(after).enumerate() {
        let building = index as u32;
        if new < old {
            change.shorter.push(building);
        } else if old < new {
            change.longer.push(building);
        } else {
            continue;
        }
        let here = u64::from(households.get(index).copied().unwrap_or(0));
        for (band, &limit) in limits.iter().enumerate() {
            match (within(old, limit), within(new, limit)) {
                (false, true) => {
                    change.won[band].push(building);
                    change.households_won[band] += here;
                }
                (true, false) => {
                    change.lost[band].push(building);
                    change.households_lost[band] += here;
                }
                _ => {}
            }
        }
    }
    change
}
