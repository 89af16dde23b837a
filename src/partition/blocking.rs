//! Names the units that block a grid out of range: those that stay whole by rule, and whose division between neighbouring
//! grids would put them all in range.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use super::answer::{Finding, PartitionAnswer, Reason};
use super::piece::{Edge, Piece};
use super::zones::{Kind, Zone, Zones};
use super::{GridSize, PartitionProblem};

/// Longest row of grids along which load is passed on.
const LONGEST: usize = 4;

/// One unit that would be divided: `moved` of its load in grid `to` instead of `from`.
///
/// Of a unit of several atoms a connected set that leaves grid `from` in as many pieces as it has could move; a unit
/// of one atom is taken to touch both grids with both parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    /// Smallest atom of the unit.
    pub atom: u32,
    /// Load of the unit.
    pub load: u64,
    /// The grid it lies in.
    pub from: u32,
    /// The neighbouring grid.
    pub to: u32,
    /// Load that would change grid.
    pub moved: u64,
}

/// Adds to the findings about grids out of range the fewest units whose division would put the grid and those beside it in
/// range, if a few are enough, and names the first.
///
/// Load is passed on from grid to grid, one divided unit between each two; every grid is reached once, by the fewest
/// divisions and then by the least load, so that a longer way round is not found. O(grids · border) per finding.
pub(super) fn name_blocking_units(
    problem: &PartitionProblem<'_>,
    zones: &Zones,
    answer: &mut PartitionAnswer,
) {
    let mut findings = std::mem::take(&mut answer.findings);
    let mut known: Option<(usize, Ground<'_>)> = None;
    for finding in findings.iter_mut().filter(|f| matches!(f.reason, Reason::NoSuchSubset | Reason::NotFound))
    {
        let Finding { grid: Some(grid), atom: Some(atom), .. } = *finding else { continue };
        let index = zones.zone_of(atom);
        let zone = &zones.zones[index];
        let Kind::Divide { size, .. } = zone.kind else { continue };
        if known.as_ref().is_none_or(|(of, _)| *of != index) {
            known = Some((index, Ground::new(problem, zones, zone, answer)));
        }
        finding.splits =
            known.as_ref().map_or_else(Vec::new, |(_, ground)| ground.splits(grid, size, answer));
        finding.atom = finding.splits.first().map(|split| split.atom).or(finding.atom);
    }
    answer.findings = findings;
}

/// The atoms of one zone, numbered by place.
struct Ground<'a> {
    atoms: &'a [u32],
    graph: Piece,
    /// Grid per atom.
    grid: Vec<u32>,
    /// Atoms per grid, ascending.
    members: FxHashMap<u32, Vec<u32>>,
    /// Place of the smallest atom of each atom's unit.
    unit: Vec<u32>,
}

/// Load passed on so far, from or to the grid `at`, which is out of range now.
#[derive(Clone)]
struct Way {
    at: u32,
    /// Load of `at` after the last division.
    load: u64,
    /// Atoms that have changed grid, and the new one.
    changed: Vec<(u32, u32)>,
    splits: Vec<Split>,
}

/// What one unit may pass on, limits included.
#[derive(Clone, Copy)]
struct Window {
    least: u64,
    most: u64,
}

impl<'a> Ground<'a> {
    fn new(problem: &PartitionProblem<'_>, zones: &'a Zones, zone: &Zone, answer: &PartitionAnswer) -> Self {
        let atoms = &zones.atoms[zone.atoms.clone()];
        let place = |atom: u32| zones.place[atom as usize];
        let end = |edge: u32| {
            let edge = edge as usize;
            (place(problem.edge_from[edge]), place(problem.edge_to[edge]), 0, 0)
        };
        let edges: Vec<Edge> = zones.edges[zone.edges.clone()].iter().map(|&edge| end(edge)).collect();
        let load = atoms.iter().map(|&atom| u64::from(problem.households[atom as usize])).collect();
        let grid: Vec<u32> = atoms.iter().map(|&atom| answer.grid[atom as usize]).collect();
        let mut members: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
        for (place, &grid) in grid.iter().enumerate() {
            members.entry(grid).or_default().push(place as u32);
        }
        Self {
            atoms,
            graph: Piece::new(load, &edges),
            grid,
            members,
            unit: atoms.iter().map(|&atom| place(zones.unit[atom as usize])).collect(),
        }
    }

    fn neighbors(&self, place: u32) -> &[u32] {
        let row = self.graph.offset[place as usize] as usize..self.graph.offset[place as usize + 1] as usize;
        &self.graph.neighbor[row]
    }

    fn grid(&self, way: &Way, place: u32) -> u32 {
        let changed = way.changed.iter().find(|change| change.0 == place);
        changed.map_or(self.grid[place as usize], |change| change.1)
    }

    /// Atoms of a grid at the end of a way.
    fn members(&self, way: &Way, grid: u32) -> Vec<u32> {
        let new = way.changed.iter().filter(|change| change.1 == grid).map(|change| change.0);
        let old = self.members[&grid].iter().copied().filter(|&place| self.grid(way, place) == grid);
        old.chain(new).collect()
    }

    /// The fewest divisions that leave `grid` and all grids they touch in range; of as few, those that move least.
    fn splits(&self, grid: u32, size: GridSize, answer: &PartitionAnswer) -> Vec<Split> {
        let start =
            Way { at: grid, load: answer.grid_load[grid as usize], changed: Vec::new(), splits: Vec::new() };
        let mut ways = vec![start];
        let mut reached = FxHashSet::from_iter([grid]);
        let moved = |way: &Way| way.splits.iter().map(|split| split.moved).sum::<u64>();
        for _ in 0..LONGEST {
            // The best way to each new grid, and the best one that ends: grids in order, so that ties do too.
            let mut next: BTreeMap<u32, Way> = BTreeMap::new();
            let mut done: Option<Way> = None;
            for way in &ways {
                for (unit, other) in self.border(way) {
                    let atom = self.atoms[unit as usize];
                    if reached.contains(&other) || way.splits.iter().any(|split| split.atom == atom) {
                        continue;
                    }
                    let Some(longer) = self.pass_on(way, unit, other, size, answer.grid_load[other as usize])
                    else {
                        continue;
                    };
                    if size.holds(longer.load) {
                        if done.as_ref().is_none_or(|best| moved(&longer) < moved(best)) {
                            done = Some(longer);
                        }
                    } else if next.get(&other).is_none_or(|best| moved(&longer) < moved(best)) {
                        next.insert(other, longer);
                    }
                }
            }
            if let Some(done) = done {
                return done.splits;
            }
            ways = next.into_values().collect();
            reached.extend(ways.iter().map(|way| way.at));
        }
        Vec::new()
    }

    /// Units on both sides of the border of the grid where a way ends, each with the grid beyond.
    fn border(&self, way: &Way) -> BTreeSet<(u32, u32)> {
        let mut pairs = BTreeSet::new();
        for place in self.members(way, way.at) {
            for &other in self.neighbors(place) {
                let beyond = self.grid(way, other);
                if beyond != way.at {
                    pairs.extend([(self.unit[place as usize], beyond), (self.unit[other as usize], beyond)]);
                }
            }
        }
        pairs
    }

    /// The way one division longer: `unit` is divided so that the grid where it ended is in range, and the `other` too
    /// if that can be.
    fn pass_on(&self, way: &Way, unit: u32, other: u32, size: GridSize, other_load: u64) -> Option<Way> {
        let gives = u64::from(size.high) < way.load;
        let (from, to) = if gives { (way.at, other) } else { (other, way.at) };
        let (ends, passes) = windows(size, way.load, other_load);
        let mut longer =
            self.divide(way, unit, from, to, ends).or_else(|| self.divide(way, unit, from, to, passes))?;
        let moved = longer.splits.last().map_or(0, |split| split.moved);
        longer.load = if gives { other_load + moved } else { other_load - moved };
        longer.at = other;
        Some(longer)
    }

    /// The least load of `unit` within the window changes from one grid to the other.
    fn divide(&self, way: &Way, unit: u32, from: u32, to: u32, window: Window) -> Option<Way> {
        if window.most < window.least || self.grid(way, unit) != from {
            return None;
        }
        let members: Vec<u32> = self.members[&self.grid[unit as usize]]
            .iter()
            .copied()
            .filter(|&place| self.unit[place as usize] == unit)
            .collect();
        let load = members.iter().map(|&place| self.graph.load[place as usize]).sum();
        let (moved, taken) = match members[..] {
            [_] => (Some(window.least).filter(|&least| least < load)?, Vec::new()),
            _ => self.part_of(way, &members, to, window)?,
        };
        let mut longer = way.clone();
        longer.changed.extend(taken.iter().map(|&place| (place, to)));
        // What the division before gave to this grid has to go on touching it.
        if let Some(last) = way.splits.last().filter(|last| last.to == from) {
            let is_left = |place: u32| self.grid(&longer, place) == from;
            let of_last = |&place: &u32| self.atoms[self.unit[place as usize] as usize] == last.atom;
            let given = self.members[&last.from].iter().filter(|place| of_last(place));
            let touches = |&place: &u32| is_left(place) || self.neighbors(place).iter().any(|&p| is_left(p));
            if !given.into_iter().any(touches) {
                return None;
            }
        }
        longer.splits.push(Split { atom: self.atoms[unit as usize], load, from, to, moved });
        Some(longer)
    }

    /// Grows a set of a unit's atoms from the border of grid `to` until its load is in the window and the rest of
    /// its grid hangs together as before: its load and the atoms.
    fn part_of(&self, way: &Way, members: &[u32], to: u32, window: Window) -> Option<(u64, Vec<u32>)> {
        let touches = |place: u32| self.neighbors(place).iter().any(|&other| self.grid(way, other) == to);
        let rest = self.members(way, self.grid(way, members[0]));
        let pieces = self.pieces(&rest);
        let mut taken: Vec<u32> = Vec::new();
        let mut load = 0;
        while taken.len() + 1 < members.len() {
            let reached = |place: u32| {
                touches(place) || self.neighbors(place).iter().any(|other| taken.contains(other))
            };
            let fits = |place: u32| load + self.graph.load[place as usize] <= window.most;
            let next = members.iter().copied().find(|&p| !taken.contains(&p) && reached(p) && fits(p))?;
            taken.push(next);
            load += self.graph.load[next as usize];
            let left: Vec<u32> = rest.iter().copied().filter(|place| !taken.contains(place)).collect();
            if window.least <= load && self.pieces(&left) <= pieces {
                return Some((load, taken));
            }
        }
        None
    }

    /// Into how many pieces a set of atoms falls.
    fn pieces(&self, set: &[u32]) -> usize {
        let mut open: FxHashSet<u32> = set.iter().copied().collect();
        let mut pieces = 0;
        let mut stack = Vec::new();
        for &place in set {
            if !open.remove(&place) {
                continue;
            }
            pieces += 1;
            stack.push(place);
            while let Some(at) = stack.pop() {
                stack.extend(self.neighbors(at).iter().filter(|&next| open.remove(next)));
            }
        }
        pieces
    }
}

/// What has to pass between a grid that is out of range and one beside it: so that both are in range, and so that the
/// first one is.
fn windows(size: GridSize, load: u64, other: u64) -> (Window, Window) {
    let (low, high) = (u64::from(size.low), u64::from(size.high));
    if high < load {
        let (least, most) = (load - high, load - low);
        let ends = Window {
            least: least.max(low.saturating_sub(other)),
            most: most.min(high.saturating_sub(other)),
        };
        (ends, Window { least, most })
    } else {
        let (least, most) = (low.saturating_sub(load).max(1), high - load);
        let ends = Window {
            least: least.max(other.saturating_sub(high)),
            most: most.min(other.saturating_sub(low)),
        };
        (ends, Window { least, most: most.min(other) })
    }
}
