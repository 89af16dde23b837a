//! Checks the columns and sorts atoms into zones: sets that are divided independently.
//!
//! A zone is the atoms of one size class in one community, or its exclusive atoms, or its locked ones.
//! Memory stays flat: one order of atoms, one of edges, and a range of each per zone.

use rustc_hash::{FxHashMap, FxHashSet};

use super::division::Range;
use super::islands;
use super::piece::{Piece, Sets};
use super::{GridSize, PartitionError, PartitionParams, PartitionProblem};

/// Largest length or cost accepted, in metres: sums of 2³² of them still fit in 64-bit millimetres.
const MAX_METRES: f64 = 1e9;
const EXCLUSIVE: u64 = 256;
const LOCKED: u64 = 257;

/// Checks every column; afterwards nothing is checked again.
pub(super) fn check(problem: &PartitionProblem<'_>, params: &PartitionParams) -> Result<(), PartitionError> {
    let (n, m) = (problem.households.len(), problem.edge_from.len());
    if n > (i32::MAX as usize) {
        return Err(PartitionError::TooMany { found: n, per: "atom" });
    }
    if m > (i32::MAX as usize) {
        return Err(PartitionError::TooMany { found: m, per: "edge" });
    }
    let columns = [
        ("edge_to", Some(problem.edge_to.len()), m, "edge"),
        ("edge_length", Some(problem.edge_length.len()), m, "edge"),
        ("edge_cost", problem.edge_cost.map(<[_]>::len), m, "edge"),
        ("community", problem.community.map(<[_]>::len), n, "atom"),
        ("compound", problem.compound.map(<[_]>::len), n, "atom"),
        ("class", problem.class.map(<[_]>::len), n, "atom"),
        ("exclusive", problem.exclusive.map(<[_]>::len), n, "atom"),
        ("current", problem.current.map(<[_]>::len), n, "atom"),
        ("locked", problem.locked.map(<[_]>::len), n, "atom"),
    ];
    for (column, found, expected, per) in columns {
        if let Some(found) = found.filter(|&found| found != expected) {
            return Err(PartitionError::Length { column, found, expected, per });
        }
    }
    check_values(problem, params)
}

fn check_values(problem: &PartitionProblem<'_>, params: &PartitionParams) -> Result<(), PartitionError> {
    let n = problem.households.len();
    for (edge, (&a, &b)) in problem.edge_from.iter().zip(problem.edge_to).enumerate() {
        if let Some(&atom) = [a, b].iter().find(|&&atom| atom as usize >= n) {
            return Err(PartitionError::NoSuchAtom { edge, atom, atoms: n });
        }
    }
    for (column, values) in [("edge_length", Some(problem.edge_length)), ("edge_cost", problem.edge_cost)] {
        for (edge, value) in values.unwrap_or(&[]).iter().enumerate() {
            if !(0.0..=MAX_METRES).contains(value) {
                return Err(PartitionError::BadMetres { column, edge, value: value.to_string() });
            }
        }
    }
    if params.sizes.is_empty() {
        return Err(PartitionError::BadSize { class: 0, low: 0, target: 0, high: 0 });
    }
    for (class, &GridSize { low, target, high }) in params.sizes.iter().enumerate() {
        if target == 0 || target < low || high < target {
            return Err(PartitionError::BadSize { class, low, target, high });
        }
    }
    let classes = params.sizes.len();
    for (atom, &class) in problem.class.unwrap_or(&[]).iter().enumerate() {
        if usize::from(class) >= classes {
            return Err(PartitionError::NoSuchClass { atom, class, classes });
        }
    }
    if let Some(locked) = problem.locked {
        let known = |atom: usize| problem.current.is_some_and(|current| current[atom] >= 0);
        if let Some(atom) = (0..n).find(|&atom| locked[atom] && !known(atom)) {
            return Err(PartitionError::LockedWithoutCurrent { atom });
        }
    }
    Ok(())
}

/// What happens in a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Divided into `k` grids of this size; in a redraw the present number and what the total says are both tried, first the
    /// one that forces fewer grids out of range, then the `other`.
    Divide { size: GridSize, k: usize, other: usize },
    /// Every unit is a grid.
    Exclusive,
    /// Every present grid stays.
    Locked,
}

/// Atoms that are divided together.
#[derive(Clone, Debug)]
pub(super) struct Zone {
    /// The community as the caller numbers it.
    pub community: u32,
    /// What happens here.
    pub kind: Kind,
    /// Range in [`Zones::atoms`].
    pub atoms: std::ops::Range<usize>,
    /// Range in [`Zones::edges`].
    pub edges: std::ops::Range<usize>,
}

/// All zones in the order community, then class, exclusive, locked.
pub(super) struct Zones {
    /// The zones.
    pub zones: Vec<Zone>,
    /// Atoms by zone, ascending within one.
    pub atoms: Vec<u32>,
    /// Edges with both ends in one zone, by zone.
    pub edges: Vec<u32>,
    /// Position of each atom within its zone.
    pub place: Vec<u32>,
    /// Smallest atom of the unit of each atom.
    pub unit: Vec<u32>,
    zone_of_atom: Vec<u32>,
}

impl Zones {
    /// Sorts a checked problem into zones.
    pub(super) fn new(problem: &PartitionProblem<'_>, params: &PartitionParams) -> Self {
        let keys = zone_keys(problem);
        let mut distinct = keys.clone();
        distinct.sort_unstable();
        distinct.dedup();
        let index: FxHashMap<u64, u32> =
            distinct.iter().enumerate().map(|(i, &key)| (key, i as u32)).collect();
        let zone_of: Vec<u32> = keys.iter().map(|key| index[key]).collect();
        drop(keys);
        let unit = units(problem, params, &zone_of, &distinct);
        let (atoms, atom_start) = bucket(zone_of.iter().copied().map(Some), distinct.len());
        let mut place = vec![0; atoms.len()];
        for zone in 0..distinct.len() {
            for (i, &atom) in atoms[atom_start[zone]..atom_start[zone + 1]].iter().enumerate() {
                place[atom as usize] = i as u32;
            }
        }
        let ends = problem.edge_from.iter().zip(problem.edge_to);
        let zone_of_edge = ends.map(|(&a, &b)| {
            let (za, zb) = (zone_of[a as usize], zone_of[b as usize]);
            (za == zb && a != b).then_some(za)
        });
        let (edges, edge_start) = bucket(zone_of_edge, distinct.len());
        let kinds = zone_kinds(problem, params, &distinct, &atoms, &atom_start);
        let zones = (0..distinct.len())
            .map(|z| Zone {
                community: (distinct[z] >> 16) as u32,
                kind: kinds[z],
                atoms: atom_start[z]..atom_start[z + 1],
                edges: edge_start[z]..edge_start[z + 1],
            })
            .collect();
        Self { zones, atoms, edges, place, unit, zone_of_atom: zone_of }
    }

    /// The zone of an atom.
    pub(super) fn zone_of(&self, atom: u32) -> usize {
        self.zone_of_atom[atom as usize] as usize
    }

    /// The graph of one zone's units and, for each of its atoms in order, the unit in that graph.
    pub(super) fn graph(&self, problem: &PartitionProblem<'_>, zone: &Zone) -> (Piece, Vec<u32>) {
        let atoms = &self.atoms[zone.atoms.clone()];
        let mut unit_of = vec![0u32; atoms.len()];
        let mut load: Vec<u64> = Vec::new();
        for (i, &atom) in atoms.iter().enumerate() {
            let root = self.unit[atom as usize];
            if root == atom {
                unit_of[i] = load.len() as u32;
                load.push(0);
            } else {
                unit_of[i] = unit_of[self.place[root as usize] as usize];
            }
            load[unit_of[i] as usize] += u64::from(problem.households[atom as usize]);
        }
        let costs = problem.edge_cost.unwrap_or(problem.edge_length);
        let mut edges = Vec::with_capacity(zone.edges.len());
        for &edge in &self.edges[zone.edges.clone()] {
            let edge = edge as usize;
            let a = unit_of[self.place[problem.edge_from[edge] as usize] as usize];
            let b = unit_of[self.place[problem.edge_to[edge] as usize] as usize];
            if a != b {
                let length = millimetres(problem.edge_length[edge]);
                edges.push((a, b, millimetres(costs[edge]), length));
            }
        }
        (Piece::new(load, &edges), unit_of)
    }
}

/// Metres to whole millimetres.
pub(super) fn millimetres(metres: f64) -> i64 {
    (metres * 1000.0).round() as i64
}

/// `total / target` rounded to the nearest number, a half to the even one, at least 1.
pub(super) fn number_of_grids(total: u64, target: u32) -> usize {
    let target = u64::from(target);
    let (whole, rest) = (total / target, total % target);
    let up = match (2 * rest).cmp(&target) {
        std::cmp::Ordering::Less => 0,
        std::cmp::Ordering::Equal => whole % 2,
        std::cmp::Ordering::Greater => 1,
    };
    ((whole + up) as usize).max(1)
}

/// Sort key of each atom's zone: community, then class, exclusive or locked.
fn zone_keys(problem: &PartitionProblem<'_>) -> Vec<u64> {
    let community = |atom: usize| problem.community.map_or(0, |c| u64::from(c[atom]));
    let mut locked_grids = FxHashSet::default();
    if let (Some(locked), Some(current)) = (problem.locked, problem.current) {
        let atoms = (0..locked.len()).filter(|&atom| locked[atom]);
        locked_grids.extend(atoms.map(|atom| (community(atom), current[atom])));
    }
    (0..problem.households.len())
        .map(|atom| {
            let held = problem.current.is_some_and(|c| locked_grids.contains(&(community(atom), c[atom])));
            let kind = if held {
                LOCKED
            } else if problem.exclusive.is_some_and(|e| e[atom]) {
                EXCLUSIVE
            } else {
                problem.class.map_or(0, |c| u64::from(c[atom]))
            };
            community(atom) << 16 | kind
        })
        .collect()
}

/// Contracts compounds: per atom the smallest atom of its unit.
fn units(
    problem: &PartitionProblem<'_>,
    params: &PartitionParams,
    zone_of: &[u32],
    keys: &[u64],
) -> Vec<u32> {
    let n = problem.households.len();
    let Some(compound) = problem.compound else {
        return (0..n as u32).collect();
    };
    let mut total: FxHashMap<i32, u64> = FxHashMap::default();
    for (&name, &households) in compound.iter().zip(problem.households).filter(|(name, _)| **name >= 0) {
        *total.entry(name).or_default() += u64::from(households);
    }
    let mut sets = Sets::new(n);
    for (&a, &b) in problem.edge_from.iter().zip(problem.edge_to) {
        let (ia, ib) = (a as usize, b as usize);
        if compound[ia] < 0 || compound[ia] != compound[ib] || zone_of[ia] != zone_of[ib] {
            continue;
        }
        let whole = match keys[zone_of[ia] as usize] & 0xFFFF {
            LOCKED => false,
            EXCLUSIVE => true,
            class => total[&compound[ia]] <= u64::from(params.sizes[class as usize].high),
        };
        if whole {
            sets.join(a, b);
        }
    }
    (0..n as u32).map(|atom| sets.find(atom)).collect()
}

/// Counting sort of 0, 1, 2, … by bucket; `None` is left out. Returns the order and the bucket starts.
fn bucket(of: impl Iterator<Item = Option<u32>> + Clone, n_buckets: usize) -> (Vec<u32>, Vec<usize>) {
    let mut start = vec![0usize; n_buckets + 1];
    for b in of.clone().flatten() {
        start[b as usize + 1] += 1;
    }
    for b in 0..n_buckets {
        start[b + 1] += start[b];
    }
    let mut next = start.clone();
    let mut order = vec![0; start[n_buckets]];
    for (i, b) in of.enumerate() {
        if let Some(b) = b {
            order[next[b as usize]] = i as u32;
            next[b as usize] += 1;
        }
    }
    (order, start)
}

/// The number of grids of every zone.
fn zone_kinds(
    problem: &PartitionProblem<'_>,
    params: &PartitionParams,
    keys: &[u64],
    atoms: &[u32],
    start: &[usize],
) -> Vec<Kind> {
    let exact: FxHashMap<u32, u32> = problem.exact_k.iter().copied().collect();
    let class_of = |atom: u32| problem.class.map_or(0, |c| usize::from(c[atom as usize]));
    let mut kinds = vec![Kind::Locked; keys.len()];
    let mut first = 0;
    while first < keys.len() {
        let community = keys[first] >> 16;
        let last = (first..keys.len()).find(|&z| keys[z] >> 16 != community).unwrap_or(keys.len());
        // Locked grids count towards the number of their class; those of exclusive atoms are beside it, as if they were open.
        let mut total = vec![0u64; params.sizes.len()];
        let mut kept = vec![FxHashSet::default(); params.sizes.len()];
        let mut rest = vec![false; params.sizes.len()];
        for z in first..last {
            let kind = keys[z] & 0xFFFF;
            kinds[z] = if kind == EXCLUSIVE { Kind::Exclusive } else { Kind::Locked };
            if kind == EXCLUSIVE {
                continue;
            }
            let is_beside = |atom: u32| problem.exclusive.is_some_and(|e| e[atom as usize]);
            for &atom in atoms[start[z]..start[z + 1]].iter().filter(|&&atom| !is_beside(atom)) {
                let class = class_of(atom);
                total[class] += u64::from(problem.households[atom as usize]);
                match problem.current.filter(|_| kind == LOCKED) {
                    Some(current) => drop(kept[class].insert(current[atom as usize])),
                    None => rest[class] = true,
                }
            }
        }
        // More grids than atoms are impossible; the bound keeps the loop below short.
        let n_atoms = (start[last] - start[first]) as u32;
        let present: Vec<bool> = (0..total.len()).map(|c| rest[c] || !kept[c].is_empty()).collect();
        let wanted =
            class_counts(params, &total, &present, exact.get(&(community as u32)).map(|&k| k.min(n_atoms)));
        for z in first..last {
            let class = (keys[z] & 0xFFFF) as usize;
            if let Some(&size) = params.sizes.get(class).filter(|_| keys[z] & 0xFFFF < EXCLUSIVE) {
                let left = wanted[class].saturating_sub(kept[class].len()).max(1);
                let asked = exact.contains_key(&(community as u32));
                let (named, load) = present_number(problem, &atoms[start[z]..start[z + 1]]);
                let range =
                    Range { low: size.low.into(), target: size.target.into(), high: size.high.into() };
                let fewest_out = |k| islands::fewest_out(load, k, range);
                // Locked grids far from the target leave a number that the rest may not be shared by.
                let own = number_of_grids(load, size.target);
                let implied = if !asked && fewest_out(own) < fewest_out(left) { own } else { left };
                let present = named.filter(|_| !asked).unwrap_or(implied);
                let stays = fewest_out(present) <= fewest_out(implied);
                let (k, other) = if stays { (present, implied) } else { (implied, present) };
                kinds[z] = Kind::Divide { size, k, other };
            }
        }
        first = last;
    }
    kinds
}

/// Number of present grids of a zone, if every household has one, and its load.
fn present_number(problem: &PartitionProblem<'_>, atoms: &[u32]) -> (Option<usize>, u64) {
    let load = |&atom: &u32| u64::from(problem.households[atom as usize]);
    let total = atoms.iter().map(load).sum();
    let Some(current) = problem.current else { return (None, total) };
    let mut names = FxHashSet::default();
    for atom in atoms {
        let name = current[*atom as usize];
        if 0 <= name {
            names.insert(name);
        } else if 0 < load(atom) {
            return (None, total);
        }
    }
    (Some(names.len()).filter(|&k| 0 < k), total)
}

/// Number of grids per class: the implied one, or the asked total shared out by largest remainder.
fn class_counts(params: &PartitionParams, total: &[u64], present: &[bool], exact: Option<u32>) -> Vec<usize> {
    let implied = |c: usize| number_of_grids(total[c], params.sizes[c].target);
    let classes: Vec<usize> = (0..total.len()).filter(|&c| present[c]).collect();
    let mut count = vec![0; total.len()];
    for &c in &classes {
        count[c] = implied(c);
    }
    let Some(exact) = exact else { return count };
    // Move one grid at a time to or from the class whose mean load is furthest from its target.
    let filling = |c: usize, k: usize| total[c] as f64 / (k as f64 * f64::from(params.sizes[c].target));
    loop {
        let sum: usize = classes.iter().map(|&c| count[c]).sum();
        let best = if sum < exact as usize {
            classes.iter().copied().max_by(|&a, &b| {
                filling(a, count[a] + 1).total_cmp(&filling(b, count[b] + 1)).then(b.cmp(&a))
            })
        } else if sum > exact as usize {
            let shrinkable = classes.iter().copied().filter(|&c| count[c] > 1);
            shrinkable.min_by(|&a, &b| {
                filling(a, count[a] - 1).total_cmp(&filling(b, count[b] - 1)).then(a.cmp(&b))
            })
        } else {
            None
        };
        match best {
            Some(c) if sum < exact as usize => count[c] += 1,
            Some(c) => count[c] -= 1,
            None => return count,
        }
    }
}
