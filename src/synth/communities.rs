//! Cells into communities and street offices: outlines, codes, names.

use std::collections::{BTreeMap, HashSet};

use geo::{Coord, LineString, MultiPolygon, Polygon};

use super::block::CellPlan;
use super::crossings::Noded;
use super::dice::{Dice, Stream};
use super::draft::Division;
use super::lattice::{BorderKind, Lattice};
use super::names;
use super::shape::{Ring, area, centroid};
use crate::model::{Community, GridClass};

/// Households above which a cell becomes two communities.
const LARGE: u32 = 4500;
/// Households below which an urban cell joins a neighbour.
const SMALL: u32 = 800;
/// Communities of a street office.
const OFFICE: usize = 9;
/// Street offices of a county-level district.
const OFFICES: usize = 70;

/// County numbers that the national table leaves free: 370690–370699.
const COUNTIES: usize = 10;
/// From this size a city has the odd communities that a planner meets.
const ODD_FROM: usize = 5;

/// A cell, or one half of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) cell: usize,
    pub(super) half: Option<usize>,
}

/// A community and what it is made of.
pub(super) struct Made {
    pub(super) community: Community,
    pub(super) parts: Vec<Part>,
    /// First of its street office.
    pub(super) heads_office: bool,
    /// First of its district.
    pub(super) heads_district: bool,
}

/// Groups cells into communities, sorted by code. `households` are those of the halves of each cell.
pub(super) fn make(
    seed: u64,
    lattice: &Lattice,
    plans: &[CellPlan],
    noded: &[Noded],
    households: &[[u32; 2]],
) -> Vec<Made> {
    let groups = group(lattice, plans, households);
    let mut placed: Vec<(Vec<Part>, MultiPolygon<f64>, Coord<f64>)> = groups
        .into_iter()
        .map(|parts| {
            let rings: Vec<Ring> = parts.iter().map(|&part| ring_of(lattice, plans, noded, part)).collect();
            let outline = dissolve(&rings);
            let centre = outline.0.first().map_or_else(Coord::default, |shape| {
                let ring: Ring = shape.exterior().0[1..].to_vec();
                centroid(&ring)
            });
            (parts, outline, centre)
        })
        .collect();
    // Offices are squares of neighbouring cells, in rows from the south-west.
    let side = (OFFICE as f64).sqrt().round() as usize;
    let district_rows = side * 3;
    placed.sort_by_key(|(parts, _, centre)| {
        let cell = &lattice.cells[parts[0].cell];
        (
            cell.row / district_rows,
            cell.column / side,
            cell.row / side,
            plans[parts[0].cell].rural,
            cell.row,
            cell.column,
            centre.y as i64,
        )
    });
    let mut dice = Dice::new(seed, Stream::Names, 0);
    let mut used = HashSet::new();
    let n_offices = placed.len().div_ceil(OFFICE);
    let per_office = placed.len().div_ceil(n_offices);
    // Ten county numbers are free; beyond 700 offices the districts grow.
    let n_districts = n_offices.div_ceil(OFFICES).min(COUNTIES);
    let offices_each = n_offices.div_ceil(n_districts);
    let first_county = if n_districts == 1 { 370_698 } else { 370_690 };
    let mut made = Vec::with_capacity(placed.len());
    for (number, members) in placed.chunks(per_office).enumerate() {
        let (district, office) = (number / offices_each, number % offices_each + 1);
        let mut sequence = [0_usize, 200];
        let mut ordered: Vec<_> = members.iter().collect();
        ordered.sort_by(|a, b| a.2.x.total_cmp(&b.2.x));
        ordered.sort_by_key(|member| is_rural(plans, &member.0));
        for (index, (parts, outline, _)) in ordered.into_iter().enumerate() {
            let rural = is_rural(plans, parts);
            let counter = &mut sequence[usize::from(rural)];
            *counter += 1;
            let code = format!("{}{office:03}{:03}", first_county + district, *counter);
            let name = unused(&mut used, || {
                if rural { names::village(&mut dice) } else { format!("{}社区", names::pair(&mut dice)) }
            });
            let class = class_of(plans, parts, households);
            made.push(Made {
                community: Community { code, name, class, outline: outline.clone() },
                parts: parts.clone(),
                heads_office: index == 0,
                heads_district: index == 0 && office == 1,
            });
        }
    }
    made
}

fn is_rural(plans: &[CellPlan], parts: &[Part]) -> bool {
    parts.iter().all(|part| plans[part.cell].rural)
}

fn class_of(plans: &[CellPlan], parts: &[Part], households: &[[u32; 2]]) -> GridClass {
    if is_rural(plans, parts) {
        return GridClass::Rural;
    }
    let over = |part: &Part, counts: &[u32; 2]| part.half.map_or(counts[0] + counts[1], |half| counts[half]);
    let resettled: u32 = parts.iter().map(|part| over(part, &plans[part.cell].resettled)).sum();
    let all: u32 = parts.iter().map(|part| over(part, &households[part.cell])).sum();
    if all < 2 * resettled { GridClass::Resettlement } else { GridClass::Urban }
}

fn unused(used: &mut HashSet<String>, mut draw: impl FnMut() -> String) -> String {
    for _ in 0..40 {
        let name = draw();
        if used.insert(name.clone()) {
            return name;
        }
    }
    let base = draw();
    let mut number = 2;
    while !used.insert(format!("{base}第{number}")) {
        number += 1;
    }
    format!("{base}第{number}")
}

/// Which parts belong together: large cells divided, small ones joined, and a few odd ones.
fn group(lattice: &Lattice, plans: &[CellPlan], households: &[[u32; 2]]) -> Vec<Vec<Part>> {
    let total = |cell: usize| households[cell][0] + households[cell][1];
    let n = lattice.cells.len();
    let may_divide =
        |cell: usize| plans[cell].division.is_some() && 0 < households[cell][0].min(households[cell][1]);
    let mut divided: Vec<bool> = (0..n)
        .map(|cell| {
            may_divide(cell) && LARGE < total(cell) && 700 < households[cell][0].min(households[cell][1])
        })
        .collect();
    let mut joined: Vec<Option<usize>> = vec![None; n];
    let mut taken: Vec<bool> = divided.clone();
    if ODD_FROM <= n {
        // A tiny community.
        let smaller = |cell: usize| households[cell][0].min(households[cell][1]);
        let tiny = (0..n)
            .filter(|&cell| may_divide(cell) && !taken[cell] && !plans[cell].rural && 20 < smaller(cell));
        if let Some(tiny) = tiny.min_by_key(|&cell| (smaller(cell), cell)) {
            divided[tiny] = true;
            taken[tiny] = true;
        }
        // A community on both sides of the river.
        let rivers = lattice.borders.iter().filter(|border| border.kind == BorderKind::River);
        let pairs = rivers.filter_map(|border| Some((border.cells[0]?, border.cells[1]?)));
        let free = pairs.filter(|&(a, b)| !taken[a] && !taken[b] && plans[a].rural == plans[b].rural);
        if let Some((a, b)) = free.min_by_key(|&(a, b)| (total(a) + total(b), a, b)) {
            joined[a.max(b)] = Some(a.min(b));
            taken[a] = true;
            taken[b] = true;
        }
    }
    for cell in 0..n {
        if taken[cell] || plans[cell].rural || SMALL <= total(cell) || n < ODD_FROM {
            continue;
        }
        let beside = lattice.cells[cell].sides.map(|side| &lattice.borders[side.border]);
        let roads = beside.into_iter().filter(|border| matches!(border.kind, BorderKind::Road(_)));
        let others =
            roads.flat_map(|border| border.cells.into_iter().flatten()).filter(|&other| other != cell);
        let fits = others
            .filter(|&other| !taken[other] && !plans[other].rural && total(cell) + total(other) <= LARGE);
        if let Some(other) = fits.min_by_key(|&other| (total(other), other)) {
            joined[cell.max(other)] = Some(cell.min(other));
            taken[cell] = true;
            taken[other] = true;
        }
    }
    let mut groups: BTreeMap<(usize, usize), Vec<Part>> = BTreeMap::new();
    for cell in 0..n {
        if divided[cell] {
            for half in [0, 1] {
                groups.insert((cell, half), vec![Part { cell, half: Some(half) }]);
            }
        } else {
            groups.entry((joined[cell].unwrap_or(cell), 0)).or_default().push(Part { cell, half: None });
        }
    }
    groups.into_values().collect()
}

/// The outline of a part, with every vertex that anything shares with it.
fn ring_of(lattice: &Lattice, plans: &[CellPlan], noded: &[Noded], part: Part) -> Ring {
    let sides = &lattice.cells[part.cell].sides;
    let walk = |side: usize, from: f64, to: f64| {
        let side = sides[side % 4];
        let mut stops: Vec<Coord<f64>> = noded[side.border]
            .iter()
            .filter(|stop| from.min(to) - 1e-6 <= stop.0 && stop.0 <= from.max(to) + 1e-6)
            .map(|stop| stop.1)
            .collect();
        if side.reversed {
            stops.reverse();
        }
        stops
    };
    let whole = |side: usize| walk(side, 0.0, lattice.borders[sides[side % 4].border].length());
    let mut ring: Ring = Vec::new();
    match (part.half, &plans[part.cell].division) {
        (Some(half), Some(Division { ends, line })) => {
            let axis = sides.iter().position(|side| side.border == ends[0].border).unwrap_or(0);
            let (leave, arrive, first) =
                if half == 0 { (ends[0], ends[1], axis) } else { (ends[1], ends[0], axis + 2) };
            let far = |side: usize, at_end: bool| {
                let side = sides[side % 4];
                if side.reversed == at_end { 0.0 } else { lattice.borders[side.border].length() }
            };
            ring.extend(walk(first, leave.along, far(first, true)));
            ring.extend(whole(first + 1));
            ring.extend(walk(first + 2, far(first + 2, false), arrive.along));
            if half == 0 { ring.extend(line.iter().rev()) } else { ring.extend(line) }
        }
        _ => (0..4).for_each(|side| ring.extend(whole(side))),
    }
    ring.dedup();
    if ring.first() == ring.last() {
        ring.pop();
    }
    ring
}

/// One outline from rings that share vertices: edges that two rings walk in opposite directions vanish.
fn dissolve(rings: &[Ring]) -> MultiPolygon<f64> {
    let key = |at: Coord<f64>| ((at.x * 1000.0).round() as i64, (at.y * 1000.0).round() as i64);
    let mut next: BTreeMap<(i64, i64), Vec<Coord<f64>>> = BTreeMap::new();
    let mut forward = HashSet::new();
    for (a, b) in rings.iter().flat_map(|ring| super::shape::edges(ring)) {
        forward.insert((key(a), key(b)));
    }
    for (a, b) in rings.iter().flat_map(|ring| super::shape::edges(ring)) {
        if !forward.contains(&(key(b), key(a))) {
            next.entry(key(a)).or_default().push(b);
        }
    }
    let mut polygons = Vec::new();
    while let Some((&start, _)) = next.iter().next() {
        let mut ring: Ring = Vec::new();
        let mut at = start;
        while let Some(ways) = next.get_mut(&at) {
            let Some(to) = ways.pop() else { break };
            if ways.is_empty() {
                next.remove(&at);
            }
            ring.push(to);
            at = key(to);
        }
        if 0.0 < area(&ring) {
            polygons.push(Polygon::new(LineString::new(ring), Vec::new()));
        }
    }
    MultiPolygon::new(polygons)
}
