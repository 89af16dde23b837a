//! Lattice roads, and where people cross rivers and railways: bridges, underpasses and footbridges.

use geo::Coord;

use super::dice::{Dice, Stream};
use super::draft::Port;
use super::lattice::{BorderKind, Lattice};
use super::shape::{Ring, lerp, mm};
use crate::model::StreetClass;

/// How a street passes a barrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Ground,
    Bridge,
    Tunnel,
}

/// A lattice street or a crossing.
pub(super) struct Road {
    pub(super) class: StreetClass,
    pub(super) name: Option<String>,
    pub(super) line: Ring,
    pub(super) level: Level,
}

/// A border's own vertices with the ports of both cells, by distance.
pub(super) type Noded = Vec<(f64, Coord<f64>)>;

/// Adds ports to the borders.
pub(super) fn node_borders<'p>(lattice: &Lattice, ports: impl Iterator<Item = &'p Port>) -> Vec<Noded> {
    let own =
        lattice.borders.iter().map(|border| border.along.iter().copied().zip(border.line.iter().copied()));
    let mut noded: Vec<Noded> = own.map(Iterator::collect).collect();
    for port in ports {
        noded[port.border].push((port.along, port.at));
    }
    for border in &mut noded {
        border
            .sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.x.total_cmp(&b.1.x)).then(a.1.y.total_cmp(&b.1.y)));
        border.dedup_by(|next, kept| next.1 == kept.1);
    }
    noded
}

/// All lattice roads, and crossings enough that the streets hang together.
pub(super) fn roads(seed: u64, lattice: &Lattice, noded: &[Noded]) -> Vec<Road> {
    let mut dice = Dice::new(seed, Stream::Lattice, 1);
    let mut roads = lattice_roads(lattice, noded);
    let mut together = Together::new(lattice);
    for row in 0..=lattice.rows {
        for column in 0..=lattice.columns {
            for (road, cells) in at_node(lattice, noded, column, row) {
                if dice.chance(0.78) {
                    together.join(cells[0], cells[1]);
                    roads.push(road);
                }
            }
        }
    }
    for (index, border) in lattice.borders.iter().enumerate() {
        let ([Some(first), Some(second)], BorderKind::Rail | BorderKind::River) = (border.cells, border.kind)
        else {
            continue;
        };
        let rare = if border.kind == BorderKind::Rail { 0.3 } else { 0.12 };
        if dice.chance(rare) || together.root(first) != together.root(second) {
            together.join(first, second);
            roads.extend(on_foot(&mut dice, lattice, index));
        }
    }
    roads
}

/// Cells that the streets join.
struct Together(Vec<usize>);

impl Together {
    fn new(lattice: &Lattice) -> Self {
        let mut together = Self((0..lattice.cells.len()).collect());
        for border in &lattice.borders {
            if let ([Some(first), Some(second)], BorderKind::Road(_)) = (border.cells, border.kind) {
                together.join(first, second);
            }
        }
        together
    }

    fn root(&self, cell: usize) -> usize {
        let mut cell = cell;
        while self.0[cell] != cell {
            cell = self.0[cell];
        }
        cell
    }

    fn join(&mut self, first: usize, second: usize) {
        let (first, second) = (self.root(first), self.root(second));
        self.0[first.max(second)] = first.min(second);
    }
}

/// Borders across a border's first and last node.
fn across(lattice: &Lattice, border: usize) -> [[Option<usize>; 2]; 2] {
    let n_eastward = (lattice.rows + 1) * lattice.columns;
    if border < n_eastward {
        let (row, column) = (border / lattice.columns, border % lattice.columns);
        let at = |column: usize| {
            [
                (0 < row).then(|| lattice.northward(column, row - 1)),
                (row < lattice.rows).then(|| lattice.northward(column, row)),
            ]
        };
        return [at(column), at(column + 1)];
    }
    let (row, column) =
        ((border - n_eastward) / (lattice.columns + 1), (border - n_eastward) % (lattice.columns + 1));
    let at = |row: usize| {
        [
            (0 < column).then(|| lattice.eastward(column - 1, row)),
            (column < lattice.columns).then(|| lattice.eastward(column, row)),
        ]
    };
    [at(row), at(row + 1)]
}

/// How far a road stops short of its first and last node, because a barrier passes there.
fn trims(lattice: &Lattice, border: usize) -> [f64; 2] {
    across(lattice, border).map(|beside| {
        let depths = beside.into_iter().flatten().map(|border| lattice.setback(border));
        let least = depths.fold(f64::MAX, f64::min);
        if least == f64::MAX { 0.0 } else { least }
    })
}

fn lattice_roads(lattice: &Lattice, noded: &[Noded]) -> Vec<Road> {
    let mut roads = Vec::new();
    for (index, border) in lattice.borders.iter().enumerate() {
        let BorderKind::Road(class) = border.kind else { continue };
        let [first, last] = trims(lattice, index);
        let (low, high) = (first - 1e-6, border.length() - last + 1e-6);
        let inner = noded[index].iter().filter(|stop| low <= stop.0 && stop.0 <= high);
        let line: Ring = inner.map(|stop| stop.1).collect();
        roads.push(Road { class, name: Some(border.name.clone()), line, level: Level::Ground });
    }
    roads
}

/// Streets that pass a barrier at a node, with one cell on each side.
fn at_node(lattice: &Lattice, noded: &[Noded], column: usize, row: usize) -> Vec<(Road, [usize; 2])> {
    let west = (0 < column).then(|| lattice.eastward(column - 1, row));
    let east = (column < lattice.columns).then(|| lattice.eastward(column, row));
    let south = (0 < row).then(|| lattice.northward(column, row - 1));
    let north = (row < lattice.rows).then(|| lattice.northward(column, row));
    let kind =
        |border: Option<usize>| border.map_or(BorderKind::Absent, |border| lattice.borders[border].kind);
    let mut found = Vec::new();
    let is_road = |border: Option<usize>| matches!(kind(border), BorderKind::Road(_));
    if let (Some(from), Some(to)) = (west, east)
        && is_road(west)
        && is_road(east)
        && (kind(north) == BorderKind::Rail || kind(south) == BorderKind::Rail)
    {
        found.extend(straight_on(lattice, noded, (from, to), Level::Tunnel));
    }
    if let (Some(from), Some(to)) = (south, north)
        && is_road(south)
        && is_road(north)
        && (kind(east) == BorderKind::River || kind(west) == BorderKind::River)
    {
        found.extend(straight_on(lattice, noded, (from, to), Level::Bridge));
    }
    // Beside a river or the district's edge, the roads on both sides of a railway meet below it.
    if !is_road(west) && !is_road(east) {
        for (rail, reversed) in [(north, false), (south, true)] {
            let Some(rail) = rail.filter(|_| kind(rail) == BorderKind::Rail) else { continue };
            let [Some(left), Some(right)] = lattice.borders[rail].cells else { continue };
            // Corner of the left cell: its south-east or north-east one; of the right cell the mirror image.
            let ends = if reversed { [(left, 2), (right, 3)] } else { [(left, 1), (right, 0)] };
            let line = ends.map(|(cell, side)| lattice.corner(cell, side).at()).to_vec();
            let name = Some("铁路下穿通道".to_owned());
            found.push((Road { class: StreetClass::Lane, name, line, level: Level::Tunnel }, [left, right]));
        }
    }
    found
}

/// A road that runs on across the barrier between two borders that meet at a node.
fn straight_on(
    lattice: &Lattice,
    noded: &[Noded],
    (from, to): (usize, usize),
    level: Level,
) -> Option<(Road, [usize; 2])> {
    let (first, second) = (&lattice.borders[from], &lattice.borders[to]);
    let (BorderKind::Road(class), BorderKind::Road(other)) = (first.kind, second.kind) else { return None };
    let (short, late) = (trims(lattice, from)[1], trims(lattice, to)[0]);
    if short == 0.0 || late == 0.0 {
        return None;
    }
    let before = noded[from].iter().filter(|stop| first.length() - short - 1e-6 <= stop.0);
    let after = noded[to].iter().filter(|stop| stop.0 <= late + 1e-6);
    let mut line: Ring = before.chain(after).map(|stop| stop.1).collect();
    line.dedup();
    let name = Some(match level {
        Level::Bridge => format!("{}大桥", first.name.trim_end_matches(['路', '街'])),
        _ => first.name.clone(),
    });
    let cells = [first.cells[0]?, second.cells[0]?];
    Some((Road { class: class.min(other), name, line, level }, cells))
}

/// A footbridge with stairs over a railway, or a level one over a river, between the streets beside it.
fn on_foot(dice: &mut Dice, lattice: &Lattice, border: usize) -> Vec<Road> {
    let (from, to) = (lattice.middle_beside(border, true), lattice.middle_beside(border, false));
    let road = |class, line, level, name: &str| Road { class, name: Some(name.to_owned()), line, level };
    if lattice.borders[border].kind == BorderKind::River {
        return vec![road(StreetClass::Path, vec![from, to], Level::Bridge, "人行桥")];
    }
    if dice.chance(0.4) {
        return vec![road(StreetClass::Path, vec![from, to], Level::Tunnel, "人行地道")];
    }
    let (up, down) = (mm(lerp(from, to, 0.25)), mm(lerp(from, to, 0.75)));
    vec![
        road(StreetClass::Steps, vec![from, up], Level::Bridge, "人行天桥"),
        road(StreetClass::Path, vec![up, down], Level::Bridge, "人行天桥"),
        road(StreetClass::Steps, vec![down, to], Level::Bridge, "人行天桥"),
    ]
}
