//! Colours for areas such that neighbours differ.

use std::collections::BTreeSet;

use geo::CoordsIter;
use rustc_hash::FxHashMap;

/// A colour number per area, below `n_colors` where that is enough; areas that share a corner differ.
///
/// - Method: DSATUR (Brélaz 1979); among the free colours the one used least so far, so that all appear.
/// - Cost: O(n² + corners) for n areas, which are a community's or a district's grids.
pub(super) fn colors<A: CoordsIter<Scalar = f64>>(areas: &[&A], n_colors: usize) -> Vec<usize> {
    let neighbours = neighbours(areas);
    let mut color: Vec<Option<usize>> = vec![None; areas.len()];
    let mut taken: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); areas.len()];
    let mut uses = vec![0_usize; n_colors.max(1)];
    for _ in 0..areas.len() {
        let open = (0..areas.len()).filter(|&index| color[index].is_none());
        let most =
            open.max_by_key(|&index| (taken[index].len(), neighbours[index].len(), std::cmp::Reverse(index)));
        let Some(index) = most else { break };
        let free = (0..uses.len()).filter(|one| !taken[index].contains(one));
        let chosen = free.min_by_key(|&one| (uses[one], one)).unwrap_or(index % uses.len());
        uses[chosen] += 1;
        color[index] = Some(chosen);
        for &other in &neighbours[index] {
            taken[other].insert(chosen);
        }
    }
    color.into_iter().map(Option::unwrap_or_default).collect()
}

/// Areas that share a corner, to the centimetre.
fn neighbours<A: CoordsIter<Scalar = f64>>(areas: &[&A]) -> Vec<BTreeSet<usize>> {
    let mut at_corner: FxHashMap<(i64, i64), Vec<usize>> = FxHashMap::default();
    for (index, area) in areas.iter().enumerate() {
        for corner in area.coords_iter() {
            let key = ((corner.x * 100.0).round() as i64, (corner.y * 100.0).round() as i64);
            let there = at_corner.entry(key).or_default();
            if there.last() != Some(&index) {
                there.push(index);
            }
        }
    }
    let mut neighbours = vec![BTreeSet::new(); areas.len()];
    for there in at_corner.values() {
        for &one in there {
            neighbours[one].extend(there.iter().copied().filter(|&other| other != one));
        }
    }
    neighbours
}
