//! Present grids: which one each unit belongs to, and who would change grid.

use rustc_hash::FxHashMap;

use super::PartitionProblem;
use super::islands::Part;
use super::zones::{Zone, Zones};

/// The present grids of the units of a zone.
pub(super) struct Present {
    /// Present grid of every unit: that of most of its load, by atoms where the load is equal; −1 for none.
    pub name: Vec<i32>,
    /// Per unit its present grids with their weights: one household outweighs any number of empty buildings.
    weight: Vec<Vec<(i32, u64)>>,
}

impl Present {
    /// Present grids of every unit of a zone, if any has one.
    pub(super) fn of(
        problem: &PartitionProblem<'_>,
        zones: &Zones,
        zone: &Zone,
        unit_of: &[u32],
    ) -> Option<Self> {
        let current = problem.current?;
        let n = unit_of.iter().max().map_or(0, |&u| u as usize + 1);
        let mut weight: Vec<Vec<(i32, u64)>> = vec![Vec::new(); n];
        for (&unit, &atom) in unit_of.iter().zip(&zones.atoms[zone.atoms.clone()]) {
            let load = u64::from(problem.households[atom as usize]) << 24 | 1;
            weight[unit as usize].push((current[atom as usize].max(-1), load));
        }
        weight.iter_mut().for_each(merge);
        let name: Vec<i32> = weight.iter().map(|own| heaviest(own)).collect();
        name.iter().any(|&name| name >= 0).then_some(Self { name, weight })
    }

    /// Present grid of the units of a part.
    pub(super) fn names_in(&self, part: &Part) -> Vec<i32> {
        self.weights_in(part).iter().map(|own| heaviest(own)).collect()
    }

    /// Who lives in which present grid in a part, and the names of these grids, ascending.
    pub(super) fn shares_in(&self, part: &Part) -> (Shares, Vec<i32>) {
        let weights = self.weights_in(part);
        let mut names: Vec<i32> =
            weights.iter().flatten().map(|own| own.0).filter(|&name| 0 <= name).collect();
        names.sort_unstable();
        names.dedup();
        let place = |name: i32| names.partition_point(|&other| other < name) as u32;
        let named = |own: &Vec<(i32, u64)>| {
            own.iter().filter(|own| 0 <= own.0).map(|&(name, weight)| (place(name), weight >> 24)).collect()
        };
        let of_unit = weights.iter().map(named).collect();
        (Shares { of_unit, n_places: names.len() }, names)
    }

    fn weights_in(&self, part: &Part) -> Vec<Vec<(i32, u64)>> {
        let mut weights = vec![Vec::new(); part.piece.len()];
        for &(unit, local) in &part.units {
            weights[local as usize].extend_from_slice(&self.weight[unit as usize]);
        }
        weights.iter_mut().for_each(merge);
        weights
    }
}

/// Households of some atoms that are not in the grid that keeps their present one. A grid keeps the present one it overlaps
/// most, largest overlaps first, as the answer numbers them.
pub(super) fn moved(problem: &PartitionProblem<'_>, grids: impl Iterator<Item = (u32, u32)>) -> u64 {
    let Some(current) = problem.current else { return 0 };
    let mut overlap: FxHashMap<(u32, i32), (u64, u64)> = FxHashMap::default();
    let mut total = 0;
    for (atom, g) in grids {
        let (name, load) = (current[atom as usize], u64::from(problem.households[atom as usize]));
        if name >= 0 {
            let pair = overlap.entry((g, name)).or_default();
            *pair = (pair.0 + load, pair.1 + 1);
            total += load;
        }
    }
    let mut pairs: Vec<((u64, u64), i32, u32)> =
        overlap.into_iter().map(|((g, name), weight)| (weight, name, g)).collect();
    pairs.sort_unstable_by(|a, b| b.0.cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let (mut named, mut given) = (FxHashMap::default(), FxHashMap::default());
    for ((load, _), name, g) in pairs {
        if !named.contains_key(&g) && !given.contains_key(&name) {
            named.insert(g, name);
            given.insert(name, g);
            total -= load;
        }
    }
    total
}

/// Adds up the weights of one name.
fn merge(weights: &mut Vec<(i32, u64)>) {
    weights.sort_unstable();
    weights.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
}

fn heaviest(weights: &[(i32, u64)]) -> i32 {
    weights
        .iter()
        .copied()
        .max_by_key(|&(name, weight)| (weight, std::cmp::Reverse(name)))
        .map_or(-1, |own| own.0)
}

/// Households of each unit by the present grid they live in.
#[derive(Clone, Debug, Default)]
pub(super) struct Shares {
    /// Pairs of present grid, numbered from 0, and households, by unit.
    pub of_unit: Vec<Vec<(u32, u64)>>,
    /// Number of present grids.
    pub n_places: usize,
}

impl Shares {
    /// Households of a unit that have a present grid.
    #[cfg(feature = "highs")]
    pub(super) fn present(&self, unit: usize) -> u64 {
        self.of_unit[unit].iter().map(|share| share.1).sum()
    }

    /// Households that move if all units become one grid.
    pub(super) fn outside_the_largest(&self) -> u64 {
        let mut present = vec![0; self.n_places];
        for &(place, load) in self.of_unit.iter().flatten() {
            present[place as usize] += load;
        }
        present.iter().sum::<u64>() - present.iter().max().unwrap_or(&0)
    }

    /// Households of a unit that change grid if it comes to this place.
    #[cfg(feature = "highs")]
    pub(super) fn brought(&self, unit: usize, place: Option<u32>) -> u64 {
        let at_home = self.of_unit[unit].iter().find(|share| Some(share.0) == place);
        self.present(unit) - at_home.map_or(0, |share| share.1)
    }

    /// The present grid that most households of some units live in.
    #[cfg(feature = "highs")]
    pub(super) fn most_of(&self, units: &[u32]) -> Option<u32> {
        let mut present = vec![0; self.n_places];
        for &(place, load) in units.iter().flat_map(|&u| &self.of_unit[u as usize]) {
            present[place as usize] += load;
        }
        let most = (0..self.n_places).max_by_key(|&place| (present[place], std::cmp::Reverse(place)));
        most.filter(|&place| 0 < present[place]).map(|place| place as u32)
    }
}

/// A division with the present grid whose place each of its grids takes.
#[cfg(feature = "highs")]
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub labels: Vec<u32>,
    pub place: Vec<Option<u32>>,
}

#[cfg(feature = "highs")]
impl Placed {
    /// Households that are not in the grid that takes the place of their own.
    pub(super) fn moved(&self, shares: &Shares) -> u64 {
        let brought = |(unit, &g): (usize, &u32)| shares.brought(unit, self.place[g as usize]);
        self.labels.iter().enumerate().map(brought).sum()
    }
}
