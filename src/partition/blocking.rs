//! Names the unit that blocks a grid out of range: one that stays whole by rule, and whose division between two
//! neighbouring grids would put both in range.

use super::answer::{Finding, PartitionAnswer, Reason};
use super::piece::{Edge, Piece};
use super::zones::{Kind, Zone, Zones};
use super::{GridSize, PartitionProblem};

/// What the division of one unit would do: `moved` of its load in grid `to` instead of `from` puts both in range.
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

/// Adds to the findings about grids out of range the division of a unit that moves least, if there is one, and names
/// that unit.
///
/// O(atoms · edges of a unit's surroundings) in communities with such a finding, nothing elsewhere.
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
        finding.split = known.as_ref().and_then(|(_, ground)| ground.least_split(grid, size, answer));
        finding.atom = finding.split.map(|split| split.atom).or(finding.atom);
    }
    answer.findings = findings;
}

/// The atoms of one zone, numbered by place, with the grids they lie in.
struct Ground<'a> {
    atoms: &'a [u32],
    graph: Piece,
    grid: Vec<u32>,
    /// Place of the smallest atom of each atom's unit.
    unit: Vec<u32>,
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
        Self {
            atoms,
            graph: Piece::new(load, &edges),
            grid: atoms.iter().map(|&atom| answer.grid[atom as usize]).collect(),
            unit: atoms.iter().map(|&atom| place(zones.unit[atom as usize])).collect(),
        }
    }

    fn neighbors(&self, place: u32) -> &[u32] {
        let row = self.graph.offset[place as usize] as usize..self.graph.offset[place as usize + 1] as usize;
        &self.graph.neighbor[row]
    }

    fn grid(&self, place: u32) -> u32 {
        self.grid[place as usize]
    }

    fn least_split(&self, grid: u32, size: GridSize, answer: &PartitionAnswer) -> Option<Split> {
        let too_heavy = u64::from(size.high) < answer.grid_load[grid as usize];
        // Pairs of an atom's unit and the grid it touches across the border of `grid`.
        let mut pairs: Vec<(u32, u32)> = Vec::new();
        for place in (0..self.atoms.len() as u32).filter(|&place| self.grid(place) == grid) {
            for &other in self.neighbors(place).iter().filter(|&&other| self.grid(other) != grid) {
                pairs.push(if too_heavy {
                    (self.unit[place as usize], self.grid(other))
                } else {
                    (self.unit[other as usize], grid)
                });
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        let splits = pairs.into_iter().filter_map(|(unit, to)| self.split(unit, to, size, answer));
        splits.min_by_key(|split| (split.moved, split.atom, split.to))
    }

    /// The least load of `unit` that can change to grid `to` and leaves both grids in range.
    fn split(&self, unit: u32, to: u32, size: GridSize, answer: &PartitionAnswer) -> Option<Split> {
        let from = self.grid(unit);
        let (low, high) = (u64::from(size.low), u64::from(size.high));
        let (giving, taking) = (answer.grid_load[from as usize], answer.grid_load[to as usize]);
        let least = giving.saturating_sub(high).max(low.saturating_sub(taking)).max(1);
        let most = giving.saturating_sub(low).min(high.saturating_sub(taking));
        if most < least {
            return None;
        }
        let members: Vec<u32> =
            (unit..self.atoms.len() as u32).filter(|&place| self.unit[place as usize] == unit).collect();
        let load = members.iter().map(|&place| self.graph.load[place as usize]).sum();
        let moved = match members[..] {
            [_] => (least < load).then_some(least),
            _ => self.part_of(&members, to, least, most),
        };
        moved.map(|moved| Split { atom: self.atoms[unit as usize], load, from, to, moved })
    }

    /// Grows a set of a unit's atoms from the border of grid `to` until its load is at least `least`, at most `most`,
    /// and the rest of its grid hangs together as before.
    fn part_of(&self, members: &[u32], to: u32, least: u64, most: u64) -> Option<u64> {
        let touches = |place: u32| self.neighbors(place).iter().any(|&other| self.grid(other) == to);
        let mut taken: Vec<u32> = Vec::new();
        let mut load = 0;
        let pieces = self.pieces_without(members[0], &taken);
        while taken.len() + 1 < members.len() {
            let reached = |place: u32| {
                touches(place) || self.neighbors(place).iter().any(|other| taken.contains(other))
            };
            let fits = |place: u32| load + self.graph.load[place as usize] <= most;
            let next = members.iter().copied().find(|&p| !taken.contains(&p) && reached(p) && fits(p))?;
            taken.push(next);
            load += self.graph.load[next as usize];
            if least <= load && self.pieces_without(members[0], &taken) <= pieces {
                return Some(load);
            }
        }
        None
    }

    /// Into how many pieces the grid of atom `of` falls without the atoms `gone`.
    fn pieces_without(&self, of: u32, gone: &[u32]) -> usize {
        let mut open = vec![false; self.atoms.len()];
        for place in 0..self.atoms.len() as u32 {
            open[place as usize] = self.grid(place) == self.grid(of) && !gone.contains(&place);
        }
        let mut pieces = 0;
        let mut stack = Vec::new();
        for place in 0..self.atoms.len() as u32 {
            if !std::mem::take(&mut open[place as usize]) {
                continue;
            }
            pieces += 1;
            stack.push(place);
            while let Some(at) = stack.pop() {
                let next =
                    self.neighbors(at).iter().filter(|&&next| std::mem::take(&mut open[next as usize]));
                stack.extend(next);
            }
        }
        pieces
    }
}
