//! The skeleton: a warped lattice of arterials, rivers and railways, and which of its cells are city.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use geo::Coord;

use super::dice::{Dice, Stream};
use super::names;
use super::shape::{Ring, dot, left, length, lerp, mm, unit};
use crate::model::StreetClass;

/// Distance from a railway's centre-line to the lane beside it, metres.
const RAIL_SETBACK: f64 = 20.0;
/// Distance from the district's edge to the last street, metres.
const OUTER_SETBACK: f64 = 34.0;
/// Distance from the water's edge to the embankment road, metres.
const EMBANKMENT: f64 = 12.0;
/// Lattice lines between two rivers or two railways.
const BARRIER_EVERY: usize = 15;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BorderKind {
    /// No cell on either side.
    Absent,
    Road(StreetClass),
    River,
    Rail,
    /// The edge of the district.
    Outer,
}

/// A lattice edge: what two cells meet at.
#[derive(Debug)]
pub(super) struct Border {
    pub(super) kind: BorderKind,
    pub(super) line: Ring,
    /// Distance of each vertex from the first, metres.
    pub(super) along: Vec<f64>,
    /// Where secondary streets of both cells meet, metres from the first vertex.
    pub(super) middle: f64,
    /// Cell to the left and to the right of the line.
    pub(super) cells: [Option<usize>; 2],
    pub(super) name: String,
}

impl Border {
    pub(super) fn length(&self) -> f64 {
        self.along[self.along.len() - 1]
    }

    /// The place `along` metres from the first vertex.
    pub(super) fn at(&self, along: f64) -> Coord<f64> {
        let leg = self.leg(along);
        let share = (along - self.along[leg]) / (self.along[leg + 1] - self.along[leg]);
        mm(lerp(self.line[leg], self.line[leg + 1], share.clamp(0.0, 1.0)))
    }

    /// Unit direction at a place.
    pub(super) fn direction(&self, along: f64) -> Coord<f64> {
        let leg = self.leg(along);
        unit(self.line[leg + 1] - self.line[leg])
    }

    fn leg(&self, along: f64) -> usize {
        self.along.partition_point(|&at| at <= along).clamp(1, self.along.len() - 1) - 1
    }
}

/// One side of a cell, seen walking counter-clockwise.
#[derive(Clone, Copy, Debug)]
pub(super) struct Side {
    pub(super) border: usize,
    /// The walk runs against the border's line.
    pub(super) reversed: bool,
}

/// The lattice with its borders.
pub(super) struct Lattice {
    pub(super) columns: usize,
    pub(super) rows: usize,
    nodes: Ring,
    pub(super) borders: Vec<Border>,
    /// Cells of the city, in rows from the south-west.
    pub(super) cells: Vec<Cell>,
    pub(super) river_half_width: f64,
    /// Rivers and railways as whole lines, with their names.
    pub(super) waters: Vec<(String, Ring)>,
    pub(super) rails: Vec<(String, Ring)>,
}

/// A cell of the city.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) sides: [Side; 4],
    /// 0 in the centre, 1 at the far edge.
    pub(super) remoteness: f64,
    pub(super) row: usize,
    pub(super) column: usize,
}

impl Lattice {
    /// A lattice whose city has exactly `n_cells` cells of about `spacing` metres, around `centre`.
    pub(super) fn new(seed: u64, n_cells: usize, spacing: f64, centre: Coord<f64>) -> Self {
        let mut dice = Dice::new(seed, Stream::Lattice, 0);
        let spare = usize::from(10 <= n_cells);
        let columns = ((n_cells as f64 * 1.3).sqrt().ceil() as usize).max(1) + spare;
        let rows = n_cells.div_ceil(columns - spare) + spare;
        let river_rows = barrier_lines(&mut dice, rows, 2);
        let rail_columns = barrier_lines(&mut dice, columns, 3);
        let river_half_width = (9.0 + 2.2 * (n_cells as f64).sqrt()).min(70.0);
        let nodes = place_nodes(&mut dice, (columns, rows), spacing, centre, &river_rows);
        let inside = grow_city(&mut dice, (columns, rows), n_cells);
        let mut lattice = Self {
            columns,
            rows,
            nodes,
            borders: Vec::new(),
            cells: Vec::new(),
            river_half_width,
            waters: Vec::new(),
            rails: Vec::new(),
        };
        lattice.add_cells(&inside);
        lattice.add_borders(&mut dice, &river_rows, &rail_columns);
        lattice.add_barrier_lines(&river_rows, &rail_columns);
        lattice
    }

    fn node(&self, column: usize, row: usize) -> Coord<f64> {
        self.nodes[row * (self.columns + 1) + column]
    }

    /// Border to the east of a node.
    pub(super) fn eastward(&self, column: usize, row: usize) -> usize {
        row * self.columns + column
    }

    /// Border to the north of a node.
    pub(super) fn northward(&self, column: usize, row: usize) -> usize {
        (self.rows + 1) * self.columns + row * (self.columns + 1) + column
    }

    fn add_cells(&mut self, inside: &[Option<f64>]) {
        for row in 0..self.rows {
            for column in 0..self.columns {
                let Some(remoteness) = inside[row * self.columns + column] else { continue };
                let side = |border, reversed| Side { border, reversed };
                let sides = [
                    side(self.eastward(column, row), false),
                    side(self.northward(column + 1, row), false),
                    side(self.eastward(column, row + 1), true),
                    side(self.northward(column, row), true),
                ];
                self.cells.push(Cell { sides, remoteness, row, column });
            }
        }
    }

    fn add_borders(&mut self, dice: &mut Dice, river_rows: &[usize], rail_columns: &[usize]) {
        for row in 0..=self.rows {
            let class = line_class(dice, row);
            for column in 0..self.columns {
                let kind = if river_rows.contains(&row) { BorderKind::River } else { road(dice, class) };
                let line = [-1, 0, 1, 2].map(|step| self.node_clamped(column as isize + step, row as isize));
                self.borders.push(border(dice, line, kind, names::street(row, "街")));
            }
        }
        for row in 0..self.rows {
            for column in 0..=self.columns {
                let class = line_class(&mut Dice::new(column as u64, Stream::Names, self.columns), column);
                let kind = if rail_columns.contains(&column) { BorderKind::Rail } else { road(dice, class) };
                let line = [-1, 0, 1, 2].map(|step| self.node_clamped(column as isize, row as isize + step));
                self.borders.push(border(dice, line, kind, names::street(column + 7, "路")));
            }
        }
        for index in 0..self.cells.len() {
            for side in self.cells[index].sides {
                self.borders[side.border].cells[usize::from(side.reversed)] = Some(index);
            }
        }
        for border in &mut self.borders {
            border.kind = match (border.kind, border.cells) {
                (_, [None, None]) => BorderKind::Absent,
                (BorderKind::Road(_), [None, _] | [_, None]) => BorderKind::Outer,
                (kind, _) => kind,
            };
        }
    }

    fn node_clamped(&self, column: isize, row: isize) -> Coord<f64> {
        let clamp = |value: isize, last: usize| value.clamp(0, last as isize) as usize;
        self.node(clamp(column, self.columns), clamp(row, self.rows))
    }

    /// Rivers and railways run on beyond the city.
    fn add_barrier_lines(&mut self, river_rows: &[usize], rail_columns: &[usize]) {
        let whole = |borders: Vec<usize>, lattice: &Self| {
            let mut line: Ring = Vec::new();
            for border in borders {
                let vertices = &lattice.borders[border].line;
                line.extend(&vertices[usize::from(!line.is_empty())..]);
            }
            let n = line.len();
            line.insert(0, mm(line[0] + unit(line[0] - line[1]) * 250.0));
            line.push(mm(line[n] + unit(line[n] - line[n - 1]) * 250.0));
            line
        };
        for (index, &row) in river_rows.iter().enumerate() {
            let line = whole((0..self.columns).map(|column| self.eastward(column, row)).collect(), self);
            self.waters.push((names::river(index), line));
        }
        for (index, &column) in rail_columns.iter().enumerate() {
            let line = whole((0..self.rows).map(|row| self.northward(column, row)).collect(), self);
            self.rails.push((names::railway(index), line));
        }
    }

    /// Metres from a border to the street beside it: none on a road, which is that street.
    pub(super) fn setback(&self, border: usize) -> f64 {
        match self.borders[border].kind {
            BorderKind::Road(_) | BorderKind::Absent => 0.0,
            BorderKind::River => self.river_half_width + EMBANKMENT,
            BorderKind::Rail => RAIL_SETBACK,
            BorderKind::Outer => OUTER_SETBACK,
        }
    }

    /// The first corner of a side of a cell: on which border it lies and how far along, or free in the plane.
    pub(super) fn corner(&self, cell: usize, side: usize) -> Corner {
        let sides = &self.cells[cell].sides;
        let (this, before) = (sides[side], sides[(side + 3) % 4]);
        let (deep, deep_before) = (self.setback(this.border), self.setback(before.border));
        let on = |side: Side, from_start: f64| {
            let border = &self.borders[side.border];
            let along = if side.reversed { border.length() - from_start } else { from_start };
            Corner::OnBorder { border: side.border, along, at: border.at(along) }
        };
        if deep == 0.0 {
            return on(this, deep_before);
        }
        let border_before = &self.borders[before.border];
        if deep_before == 0.0 {
            return on(before, border_before.length() - deep);
        }
        // Both sides stand back: move in along both normals, so that each distance is kept.
        let walk = |side: Side, along: f64| {
            let direction = self.borders[side.border].direction(along);
            if side.reversed { -direction } else { direction }
        };
        let length_of = |side: Side| self.borders[side.border].length();
        let outward = walk(this, if this.reversed { length_of(this) } else { 0.0 });
        let inward = walk(before, if before.reversed { 0.0 } else { length_of(before) });
        let node = if this.reversed {
            self.borders[this.border].line[self.borders[this.border].line.len() - 1]
        } else {
            self.borders[this.border].line[0]
        };
        let (n1, n2) = (left(outward), left(inward));
        let slant = dot(n1, n2);
        let scale = 1.0 - slant * slant;
        let at =
            node + n1 * ((deep - deep_before * slant) / scale) + n2 * ((deep_before - deep * slant) / scale);
        Corner::Free { at: mm(at) }
    }

    /// The middle of the street that runs beside a barrier, on one of its two sides.
    pub(super) fn middle_beside(&self, border: usize, on_the_left: bool) -> Coord<f64> {
        let line = &self.borders[border];
        self.beside(border, line.middle, on_the_left)
    }

    /// A place of the street that runs beside a barrier.
    pub(super) fn beside(&self, border: usize, along: f64, on_the_left: bool) -> Coord<f64> {
        let line = &self.borders[border];
        let normal = left(line.direction(along));
        let normal = if on_the_left { normal } else { -normal };
        mm(line.at(along) + normal * self.setback(border))
    }
}

/// Where two sides of a cell's ring of streets meet.
#[derive(Clone, Copy, Debug)]
pub(super) enum Corner {
    OnBorder { border: usize, along: f64, at: Coord<f64> },
    Free { at: Coord<f64> },
}

impl Corner {
    pub(super) fn at(self) -> Coord<f64> {
        match self {
            Self::OnBorder { at, .. } | Self::Free { at } => at,
        }
    }
}

fn barrier_lines(dice: &mut Dice, n_cells: usize, least: usize) -> Vec<usize> {
    if n_cells < least {
        return Vec::new();
    }
    let n = n_cells.div_ceil(BARRIER_EVERY);
    let each = n_cells as f64 / n as f64;
    (0..n)
        .map(|index| ((index as f64 + dice.between(0.35, 0.65)) * each).round() as usize)
        .map(|line| line.clamp(1, n_cells - 1))
        .collect()
}

/// Steps of varying width, bent by slow waves and turned a little.
fn place_nodes(
    dice: &mut Dice,
    (columns, rows): (usize, usize),
    spacing: f64,
    centre: Coord<f64>,
    river_rows: &[usize],
) -> Ring {
    let mut steps = |n: usize, wide: &[usize]| {
        let mut at = vec![0.0];
        for index in 0..n {
            let beside = wide.contains(&index) || wide.contains(&(index + 1));
            let step = spacing * (dice.between(0.74, 1.28) + if beside { 0.12 } else { 0.0 });
            at.push(at[index] + step);
        }
        let half = at[n] / 2.0;
        at.into_iter().map(|value| value - half).collect::<Vec<_>>()
    };
    let (xs, ys) = (steps(columns, &[]), steps(rows, river_rows));
    let phase: Vec<f64> = (0..6).map(|_| dice.between(0.0, std::f64::consts::TAU)).collect();
    let turn = dice.between(-0.16, 0.16);
    let mut nodes = Vec::with_capacity((columns + 1) * (rows + 1));
    for (row, &y) in ys.iter().enumerate() {
        for &x in &xs {
            let wave = |value: f64, cells: f64, shift: f64| {
                (value / spacing / cells * std::f64::consts::TAU + shift).sin() * spacing
            };
            let mut bent = Coord {
                x: x + 0.26 * wave(y, 7.3, phase[0]) + 0.55 * wave(y + 0.4 * x, 17.0, phase[1]),
                y: y + 0.24 * wave(x, 6.1, phase[2]) + 0.50 * wave(x - 0.3 * y, 15.0, phase[3]),
            };
            if river_rows.contains(&row) {
                bent.y += 0.13 * wave(x, 3.7, phase[4]);
            }
            bent.x += spacing * dice.between(-0.07, 0.07);
            bent.y += spacing * dice.between(-0.07, 0.07);
            let turned = Coord {
                x: bent.x * turn.cos() - bent.y * turn.sin(),
                y: bent.x * turn.sin() + bent.y * turn.cos(),
            };
            nodes.push(mm(centre + turned));
        }
    }
    nodes
}

/// The cells nearest to the centre by an irregular measure, grown so that they hang together; with their remoteness.
fn grow_city(dice: &mut Dice, (columns, rows): (usize, usize), n_cells: usize) -> Vec<Option<f64>> {
    let phase: Vec<f64> = (0..3).map(|_| dice.between(0.0, std::f64::consts::TAU)).collect();
    let score = |cell: usize, dice: &mut Dice| {
        let x = ((cell % columns) as f64 + 0.5) / columns as f64 - 0.5;
        let y = ((cell / columns) as f64 + 0.5) / rows as f64 - 0.5;
        let angle = y.atan2(x);
        let bumps = 0.10 * (2.0 * angle + phase[0]).sin() + 0.07 * (3.0 * angle + phase[1]).sin();
        x.hypot(y) * (1.0 + bumps) + dice.between(0.0, 0.02)
    };
    let scores: Vec<f64> = (0..columns * rows).map(|cell| score(cell, dice)).collect();
    let key = |cell: usize| ((scores[cell] * 1e9) as u64, cell);
    let first = (0..scores.len()).min_by_key(|&cell| key(cell)).unwrap_or(0);
    let mut inside = vec![None; scores.len()];
    let mut waiting = BinaryHeap::from([Reverse(key(first))]);
    let mut seen = vec![false; scores.len()];
    seen[first] = true;
    for _ in 0..n_cells {
        let Some(Reverse((_, cell))) = waiting.pop() else { break };
        inside[cell] = Some(scores[cell]);
        let (x, y) = (cell % columns, cell / columns);
        let around = [
            (0 < x).then(|| cell - 1),
            (x + 1 < columns).then(|| cell + 1),
            (0 < y).then(|| cell - columns),
            (y + 1 < rows).then(|| cell + columns),
        ];
        for next in around.into_iter().flatten().filter(|&next| !std::mem::replace(&mut seen[next], true)) {
            waiting.push(Reverse(key(next)));
        }
    }
    let farthest = inside.iter().flatten().fold(1e-9_f64, |most, &score| most.max(score));
    inside.into_iter().map(|score| score.map(|score: f64| score / farthest)).collect()
}

fn line_class(dice: &mut Dice, line: usize) -> StreetClass {
    if line % 2 == 1 || dice.chance(0.35) { StreetClass::Arterial } else { StreetClass::Secondary }
}

fn road(dice: &mut Dice, class: StreetClass) -> BorderKind {
    BorderKind::Road(if dice.chance(0.08) { StreetClass::Secondary } else { class })
}

/// A border between the two inner ones of four nodes, bent smoothly (Catmull–Rom).
fn border(dice: &mut Dice, nodes: [Coord<f64>; 4], kind: BorderKind, name: String) -> Border {
    let [before, from, to, after] = nodes;
    let (start, end) = ((to - before) * 0.5, (after - from) * 0.5);
    let legs = (length(to - from) / 105.0).ceil().max(2.0) as usize;
    let line: Ring = (0..=legs)
        .map(|leg| {
            let t = leg as f64 / legs as f64;
            let (t2, t3) = (t * t, t * t * t);
            let ends = from * (2.0 * t3 - 3.0 * t2 + 1.0) + to * (3.0 * t2 - 2.0 * t3);
            mm(ends + start * (t3 - 2.0 * t2 + t) + end * (t3 - t2))
        })
        .collect();
    let mut along = vec![0.0];
    for (index, pair) in line.windows(2).enumerate() {
        along.push(along[index] + length(pair[1] - pair[0]));
    }
    let middle = along[legs] * dice.between(0.41, 0.59);
    Border { kind, line, along, middle, cells: [None, None], name }
}
