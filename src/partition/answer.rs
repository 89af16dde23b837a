//! Puts the zones' divisions together: numbers, loads, findings, bounds.

use super::blocking::{Split, name_blocking_units};
use super::solve::ZoneAnswer;
use super::zones::{Kind, Zone, Zones, millimetres};
use super::{GridSize, PartitionProblem};

/// The division of all communities.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionAnswer {
    /// Grid per atom, 0 to k−1 without gaps, counted community by community in ascending order; with
    /// [`PartitionProblem::current`] a grid keeps the present number it overlaps most, if that is below k.
    pub grid: Vec<u32>,
    /// Load per grid.
    pub grid_load: Vec<u64>,
    /// Community per grid.
    pub grid_community: Vec<u32>,
    /// What each community got, ascending by community.
    pub communities: Vec<CommunityResult>,
    /// What is not as wished, with its reason.
    pub findings: Vec<Finding>,
    /// Cost of all edges between grids, edges between communities included, in metres.
    pub cut_cost: f64,
    /// No division with these numbers of grids out of range costs less, in metres; edges between
    /// communities included, communities without a bound of their own counted with nothing. `None` where no
    /// community has a bound.
    pub lower_bound: Option<f64>,
    /// No division with these numbers of grids, as many of them out of range in every community and none further out,
    /// moves fewer households; communities without a bound of their own counted with nothing. `None` in a division from
    /// nothing and where no community has a bound.
    pub least_moved: Option<u64>,
}

/// What one community got. Costs count the edges inside the community only.
#[derive(Clone, Debug, PartialEq)]
pub struct CommunityResult {
    /// The community, as the caller numbers it.
    pub community: u32,
    /// Number of grids.
    pub k: usize,
    /// Grids out of range.
    pub n_out: usize,
    /// No division has fewer.
    pub least_out: usize,
    /// Boundary cost between its grids, in metres.
    pub cost: f64,
    /// No division with `n_out` grids out of range costs less, in metres; `None` where nothing is known.
    pub least_cost: Option<f64>,
    /// Households that are in no grid of their present number, where each grid takes the place of at most one present
    /// grid, the one it overlaps most, largest overlaps first; `None` in a division from nothing.
    pub moved: Option<u64>,
    /// No division into `k` grids with `n_out` of them out of range, none further out, moves fewer households; a unit above
    /// the upper limit counts there as one household too many, whatever its load. `None`
    /// where nothing is known.
    pub least_moved: Option<u64>,
}

impl CommunityResult {
    /// How far the cost may be from the best possible at this balance: (cost − bound) / cost, 0 to 1; `None`
    /// without a bound.
    #[must_use]
    pub fn gap(&self) -> Option<f64> {
        let bound = self.least_cost?;
        Some(if self.cost <= 0.0 { 0.0 } else { ((self.cost - bound) / self.cost).clamp(0.0, 1.0) })
    }
}

/// Something that is not as wished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The community, as the caller numbers it.
    pub community: u32,
    /// The grid concerned, if it is about one.
    pub grid: Option<u32>,
    /// The atom that names the blocking unit or the place, if there is one: that of the first of `splits`, else the heaviest of the grid.
    pub atom: Option<u32>,
    /// Load of the grid or community concerned.
    pub load: u64,
    /// What is the matter.
    pub reason: Reason,
    /// Whether no division at all avoids it.
    pub proven: bool,
    /// For a grid out of range, the units that block, if a few are enough: dividing them puts this grid and those beside
    /// it in range.
    pub splits: Vec<Split>,
}

/// Why something is not as wished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The grid's heaviest unit, an atom or a whole compound, alone exceeds the upper limit.
    BlockingUnit {
        /// Load of that unit.
        unit_load: u64,
    },
    /// What of one size class is to be divided in the community cannot be shared by its number of grids within the limits.
    TotalOutOfRange {
        /// Number of grids.
        k: usize,
        /// Load of them all.
        total: u64,
    },
    /// Units above the upper limit leave too little for the community's other grids.
    UnitsLeaveTooLittle {
        /// Number of such units.
        units: usize,
        /// Load of the heaviest.
        unit_load: u64,
        /// Number of other grids.
        others: usize,
        /// Load left for them.
        rest: u64,
        /// How many grids it could fill.
        fills: usize,
    },
    /// The community has fewer units than the wanted number of grids.
    TooFewUnits {
        /// Number wanted.
        wanted: usize,
        /// Number of grids made.
        made: usize,
    },
    /// The number asked for is smaller than what must stay apart: locked grids, and classes that never share a grid.
    KeptApart {
        /// Number wanted.
        wanted: usize,
        /// Number of grids made.
        made: usize,
    },
    /// The grid lies in several pieces because an island is too small, or of the wrong size, for grids of its own.
    Island,
    /// No connected set of whole units around here has a load in range together with in-range neighbours.
    NoSuchSubset,
    /// The search found no division with this grid in range; there may be one.
    NotFound,
}

/// Assembles the answer from one division per zone.
pub(super) fn assemble(
    problem: &PartitionProblem<'_>,
    zones: &Zones,
    solved: Vec<ZoneAnswer>,
) -> PartitionAnswer {
    let n = problem.households.len();
    let mut answer = PartitionAnswer {
        grid: vec![0; n],
        grid_load: Vec::new(),
        grid_community: Vec::new(),
        communities: Vec::new(),
        findings: Vec::new(),
        cut_cost: 0.0,
        lower_bound: None,
        least_moved: None,
    };
    let mut slack_mm = 0;
    add_missed_numbers(&mut answer, problem, zones, &solved);
    for (zone, mut divided) in zones.zones.iter().zip(solved) {
        let first = answer.grid_load.len();
        answer.grid_load.resize(first + divided.k, 0);
        answer.grid_community.resize(first + divided.k, zone.community);
        for (&atom, &g) in zones.atoms[zone.atoms.clone()].iter().zip(&divided.grid) {
            answer.grid[atom as usize] = first as u32 + g;
            answer.grid_load[first + g as usize] += u64::from(problem.households[atom as usize]);
        }
        divided.grid = Vec::new();
        let asked = problem.exact_k.iter().any(|&(community, _)| community == zone.community);
        add_findings(&mut answer, zone, first, &divided, asked);
        slack_mm += add_result(&mut answer, zone.community, zone.kind, first, &divided);
    }
    count_moves(problem, zones, &mut answer);
    keep_numbers(problem, &mut answer);
    name_blocking_units(problem, zones, &mut answer);
    add_islands(problem, zones, &mut answer);
    let cut_mm = cut_by_community(problem, zones, &mut answer);
    answer.cut_cost = cut_mm as f64 / 1000.0;
    let any = answer.communities.iter().any(|c| c.least_cost.is_some());
    answer.lower_bound = any.then_some((cut_mm - slack_mm) as f64 / 1000.0);
    answer
}

/// Findings about the number of grids, unless one was `asked` for, and about each grid out of range.
fn add_findings(answer: &mut PartitionAnswer, zone: &Zone, first: usize, divided: &ZoneAnswer, asked: bool) {
    let Kind::Divide { size, .. } = zone.kind else { return };
    let community = zone.community;
    let loads = first..first + divided.k;
    let total: u64 = answer.grid_load[loads.clone()].iter().sum();
    if divided.k != divided.wanted && !asked {
        let reason = Reason::TooFewUnits { wanted: divided.wanted, made: divided.k };
        answer.findings.push(Finding {
            community,
            grid: None,
            atom: heaviest(divided.heaviest.iter()),
            load: total,
            reason,
            proven: true,
            splits: Vec::new(),
        });
    }
    let out = loads.clone().filter(|&g| !size.holds(answer.grid_load[g])).count();
    let least: usize = divided.parts.iter().map(|p| p.least_out).sum();
    let k = divided.k as u64;
    let impossible = total < u64::from(size.low) * k || u64::from(size.high) * k < total;
    let left = what_large_units_leave(size, &divided.heaviest, &answer.grid_load[loads.clone()]);
    for g in loads {
        let load = answer.grid_load[g];
        if size.holds(load) {
            continue;
        }
        let (unit_load, mut atom) = divided.heaviest[g - first];
        let reason = if u64::from(size.high) < unit_load {
            Reason::BlockingUnit { unit_load }
        } else if impossible {
            Reason::TotalOutOfRange { k: divided.k, total }
        } else if let Some((reason, of)) = left.filter(|_| load < u64::from(size.low)) {
            atom = of;
            reason
        } else if out <= least {
            Reason::NoSuchSubset
        } else {
            Reason::NotFound
        };
        let proven = out <= least || matches!(reason, Reason::BlockingUnit { .. });
        answer.findings.push(Finding {
            community,
            grid: Some(g as u32),
            atom: Some(atom),
            load,
            reason,
            proven,
            splits: Vec::new(),
        });
    }
}

/// Whether units above the upper limit leave too little for the other grids, and the first atom of the heaviest.
fn what_large_units_leave(size: GridSize, heaviest: &[(u64, u32)], loads: &[u64]) -> Option<(Reason, u32)> {
    let is_large = |unit: &(u64, u32)| u64::from(size.high) < unit.0;
    let units = heaviest.iter().filter(|unit| is_large(unit)).count();
    let others = heaviest.len() - units;
    let rest = heaviest.iter().zip(loads).filter(|(unit, _)| !is_large(unit)).map(|(_, load)| load).sum();
    let (unit_load, atom) = *heaviest.iter().filter(|unit| is_large(unit)).max_by_key(|unit| unit.0)?;
    let low = u64::from(size.low);
    let fills = (rest / low.max(1)) as usize;
    (rest < low * others as u64)
        .then_some((Reason::UnitsLeaveTooLittle { units, unit_load, others, rest, fills }, atom))
}

/// Findings about exact numbers that were missed: the heaviest unit where there are too few units, every zone that has
/// to stay apart where locked grids and size classes are too many.
fn add_missed_numbers(
    answer: &mut PartitionAnswer,
    problem: &PartitionProblem<'_>,
    zones: &Zones,
    solved: &[ZoneAnswer],
) {
    for &(community, wanted) in problem.exact_k {
        let pairs = zones.zones.iter().zip(solved);
        let of_community: Vec<_> = pairs
            .filter(|(zone, _)| zone.community == community && zone.kind != Kind::Exclusive)
            .map(|(zone, divided)| (&zones.atoms[zone.atoms.clone()], divided))
            .collect();
        let (wanted, made) =
            (wanted as usize, of_community.iter().map(|(_, divided)| divided.k).sum::<usize>());
        let load =
            |atoms: &[u32]| atoms.iter().map(|&atom| u64::from(problem.households[atom as usize])).sum();
        let mut add = |atom, load, reason| {
            answer.findings.push(Finding {
                community,
                grid: None,
                atom,
                load,
                reason,
                proven: true,
                splits: Vec::new(),
            });
        };
        if made < wanted {
            let load = of_community.iter().map(|(atoms, _)| load(atoms)).sum();
            let units = of_community.iter().flat_map(|(_, divided)| &divided.heaviest);
            add(heaviest(units), load, Reason::TooFewUnits { wanted, made });
        } else if wanted < made {
            for (atoms, _) in &of_community {
                let units: Vec<(u64, u32)> =
                    atoms.iter().map(|&atom| (problem.households[atom as usize].into(), atom)).collect();
                add(heaviest(units.iter()), load(atoms), Reason::KeptApart { wanted, made });
            }
        }
    }
}

/// First atom of the heaviest unit, the one that would have to be split first.
fn heaviest<'a>(units: impl Iterator<Item = &'a (u64, u32)>) -> Option<u32> {
    units.max_by_key(|unit| (unit.0, std::cmp::Reverse(unit.1))).map(|unit| unit.1)
}

/// Adds the zone to its community's result; returns by how much its cost may exceed the bound, in mm.
fn add_result(
    answer: &mut PartitionAnswer,
    community: u32,
    kind: Kind,
    first: usize,
    divided: &ZoneAnswer,
) -> i64 {
    if answer.communities.last().is_none_or(|last| last.community != community) {
        answer.communities.push(CommunityResult {
            community,
            k: 0,
            n_out: 0,
            least_out: 0,
            cost: 0.0,
            least_cost: Some(0.0),
            moved: None,
            least_moved: Some(0),
        });
    }
    let is_bounded = divided.parts.iter().all(|p| 0 < p.least_cost || p.score.cost == 0);
    let slack: i64 = divided.parts.iter().map(|p| p.score.cost - p.least_cost).sum();
    let loads = &answer.grid_load[first..];
    let out = match kind {
        Kind::Divide { size, .. } => loads.iter().filter(|&&load| !size.holds(load)).count(),
        Kind::Exclusive | Kind::Locked => 0,
    };
    if let Some(result) = answer.communities.last_mut() {
        result.k += divided.k;
        result.n_out += out;
        result.least_out += divided.parts.iter().map(|p| p.least_out).sum::<usize>();
        let least_moved = divided.parts.iter().map(|p| p.least_moved).sum::<Option<u64>>();
        result.least_moved = result.least_moved.zip(least_moved).map(|(sum, own)| sum + own);
        result.least_cost = result.least_cost.filter(|_| is_bounded).map(|cost| cost - slack as f64 / 1000.0);
    }
    slack
}

/// Fills in how many households of each community change grid, and how many have to.
fn count_moves(problem: &PartitionProblem<'_>, zones: &Zones, answer: &mut PartitionAnswer) {
    let is_redraw = problem.current.is_some();
    let mut first = 0;
    for result in &mut answer.communities {
        let of_it = |zone: &&Zone| zone.community == result.community;
        let last = first + zones.zones[first..].iter().take_while(of_it).count();
        let atoms = zones.zones[first..last].iter().flat_map(|zone| &zones.atoms[zone.atoms.clone()]);
        let grids = atoms.map(|&atom| (atom, answer.grid[atom as usize]));
        result.moved = is_redraw.then(|| super::present::moved(problem, grids));
        // Nobody at all is as few as can be.
        let least = if result.moved == Some(0) { Some(0) } else { result.least_moved };
        result.least_moved = least.filter(|_| is_redraw);
        first = last;
    }
    let known = answer.communities.iter().filter_map(|result| result.least_moved);
    answer.least_moved = known.fold(None, |sum, own| Some(sum.unwrap_or(0) + own));
}

/// Gives grids their present numbers: largest overlap first, each number once, none at or above k.
fn keep_numbers(problem: &PartitionProblem<'_>, answer: &mut PartitionAnswer) {
    let Some(current) = problem.current else { return };
    let k = answer.grid_load.len();
    let mut overlap: Vec<(u32, u32, u64)> = Vec::new();
    for (atom, &name) in current.iter().enumerate() {
        if let Ok(name) = u32::try_from(name) {
            overlap.push((answer.grid[atom], name, u64::from(problem.households[atom]) << 24 | 1));
        }
    }
    overlap.sort_unstable();
    overlap.dedup_by(|next, kept| {
        let same = (next.0, next.1) == (kept.0, kept.1);
        if same {
            kept.2 += next.2;
        }
        same
    });
    overlap.sort_unstable_by(|a, b| b.2.cmp(&a.2).then((a.1, a.0).cmp(&(b.1, b.0))));
    let mut number = vec![u32::MAX; k];
    let mut given = vec![false; k];
    for (g, name, _) in overlap {
        if (name as usize) < k && !given[name as usize] && number[g as usize] == u32::MAX {
            number[g as usize] = name;
            given[name as usize] = true;
        }
    }
    let mut free = (0..k as u32).filter(|&name| !given[name as usize]);
    for slot in number.iter_mut().filter(|slot| **slot == u32::MAX) {
        *slot = free.next().unwrap_or(u32::MAX);
    }
    let (load, community) = (answer.grid_load.clone(), answer.grid_community.clone());
    for g in 0..k {
        answer.grid_load[number[g] as usize] = load[g];
        answer.grid_community[number[g] as usize] = community[g];
    }
    for g in &mut answer.grid {
        *g = number[*g as usize];
    }
    for finding in &mut answer.findings {
        finding.grid = finding.grid.map(|g| number[g as usize]);
    }
}

/// Findings about grids in several pieces.
fn add_islands(problem: &PartitionProblem<'_>, zones: &Zones, answer: &mut PartitionAnswer) {
    let mut sets = super::piece::Sets::new(problem.households.len());
    for (&a, &b) in problem.edge_from.iter().zip(problem.edge_to) {
        if answer.grid[a as usize] == answer.grid[b as usize] {
            sets.join(a, b);
        }
    }
    let mut piece_of = vec![u32::MAX; answer.grid_load.len()];
    let mut seen = vec![false; answer.grid_load.len()];
    for atom in 0..problem.households.len() as u32 {
        let g = answer.grid[atom as usize] as usize;
        let piece = sets.find(atom);
        if piece_of[g] == u32::MAX {
            piece_of[g] = piece;
        } else if piece_of[g] != piece && !seen[g] {
            seen[g] = true;
            let community = zones.zones[zones.zone_of(atom)].community;
            let (grid, atom, load) = (Some(g as u32), Some(atom), answer.grid_load[g]);
            answer.findings.push(Finding {
                community,
                grid,
                atom,
                load,
                reason: Reason::Island,
                proven: false,
                splits: Vec::new(),
            });
        }
    }
}

/// Fills the communities' costs; returns the cost of all edges between grids, in mm.
fn cut_by_community(problem: &PartitionProblem<'_>, zones: &Zones, answer: &mut PartitionAnswer) -> i64 {
    let mut cut_mm = 0;
    let costs = problem.edge_cost.unwrap_or(problem.edge_length);
    let mut inside = vec![0i64; answer.communities.len()];
    for (edge, (&a, &b)) in problem.edge_from.iter().zip(problem.edge_to).enumerate() {
        if answer.grid[a as usize] == answer.grid[b as usize] {
            continue;
        }
        let cost = millimetres(costs[edge]);
        cut_mm += cost;
        let community = zones.zones[zones.zone_of(a)].community;
        if community == zones.zones[zones.zone_of(b)].community {
            let at = answer.communities.partition_point(|c| c.community < community);
            inside[at] += cost;
        }
    }
    for (result, mm) in answer.communities.iter_mut().zip(inside) {
        result.cost = mm as f64 / 1000.0;
        result.least_cost = result.least_cost.map(|slack| (slack + result.cost).max(0.0));
    }
    cut_mm
}
