//! Straight distances between stations and buildings, by a raster of cells.

use geo::Coord;
use rayon::prelude::*;

use super::measure::{door_of, whole};
use crate::geometry::straight_distance;
use crate::model::Atom;
use crate::units::Metres;

/// For each station the buildings within the widest limit and the straight distances between, in no order.
/// Distances run from door to door, or to the middle of a building without a known door.
pub(super) fn straight_reach(
    atoms: &[Atom],
    stations: &[Coord<f64>],
    limits_mm: &[u32],
) -> Vec<Vec<(u32, u32)>> {
    let widest = limits_mm.iter().copied().max().unwrap_or(0);
    let metres = f64::from(widest) / 1000.0;
    let raster = Raster::of(atoms.par_iter().map(door_of).collect(), metres);
    let row = |&at: &Coord<f64>| {
        let mut row = Vec::new();
        raster.each_near(at, |atom, place| {
            // Cheap and a little too wide: the limit itself is held against whole millimetres.
            if squared(at, place) <= (metres + 0.01) * (metres + 0.01) {
                let distance = whole(straight_distance(at, place) * 1000.0);
                if distance <= widest {
                    row.push((atom, distance));
                }
            }
        });
        row
    };
    stations.par_iter().map(row).collect()
}

fn squared(from: Coord<f64>, to: Coord<f64>) -> f64 {
    let gap = to - from;
    gap.x * gap.x + gap.y * gap.y
}

/// Straight distance from each building to its nearest station, door to door.
pub(super) fn straight_nearest(atoms: &[Atom], stations: &[Coord<f64>]) -> Vec<Option<Metres>> {
    let finite = |at: &Coord<f64>| at.x.is_finite() && at.y.is_finite();
    let raster = Raster::of(stations.iter().copied().filter(finite).collect(), 0.0);
    let nearest = |atom: &Atom| Metres::new(raster.nearest(door_of(atom))?).ok();
    atoms.par_iter().with_min_len(1024).map(nearest).collect()
}

/// Doors in square cells at least as wide as the distance asked for, about one in each.
struct Raster {
    low: Coord<f64>,
    cell: f64,
    columns: usize,
    rows: usize,
    start: Vec<u32>,
    doors: Vec<(u32, Coord<f64>)>,
}

impl Raster {
    fn of(doors: Vec<Coord<f64>>, reach: f64) -> Self {
        let bound = |pick: fn(&Coord<f64>) -> f64, better: fn(f64, f64) -> f64, start: f64| {
            doors.iter().map(pick).filter(|value| value.is_finite()).fold(start, better)
        };
        let low = Coord { x: bound(|at| at.x, f64::min, f64::MAX), y: bound(|at| at.y, f64::min, f64::MAX) };
        let (right, top) = (bound(|at| at.x, f64::max, low.x), bound(|at| at.y, f64::max, low.y));
        // No more cells than doors, whatever the extent.
        let widest = (right - low.x).max(top - low.y);
        let cell = reach.max(50.0).max(widest / (doors.len() as f64).sqrt().max(1.0));
        let size = |span: f64| (span / cell).max(0.0) as usize + 1;
        let (columns, rows) = (size(right - low.x), size(top - low.y));
        let mut raster =
            Self { low, cell, columns, rows, start: vec![0; columns * rows + 1], doors: Vec::new() };
        let cells: Vec<usize> = doors.iter().map(|&at| raster.cell_of(at)).collect();
        cells.iter().for_each(|&cell| raster.start[cell + 1] += 1);
        for cell in 0..columns * rows {
            raster.start[cell + 1] += raster.start[cell];
        }
        let mut place = raster.start.clone();
        raster.doors = vec![(0, Coord::zero()); doors.len()];
        for (atom, (&at, &cell)) in doors.iter().zip(&cells).enumerate() {
            raster.doors[place[cell] as usize] = (atom as u32, at);
            place[cell] += 1;
        }
        raster
    }

    fn column_row(&self, at: Coord<f64>) -> (usize, usize) {
        let place = |value: f64, size: usize| ((value / self.cell).max(0.0) as usize).min(size - 1);
        (place(at.x - self.low.x, self.columns), place(at.y - self.low.y, self.rows))
    }

    fn cell_of(&self, at: Coord<f64>) -> usize {
        let (column, row) = self.column_row(at);
        row * self.columns + column
    }

    /// Visits every door within a cell's width of a place, and others near.
    fn each_near(&self, at: Coord<f64>, mut visit: impl FnMut(u32, Coord<f64>)) {
        let reach = Coord { x: self.cell, y: self.cell };
        let (first, last) = (self.column_row(at - reach), self.column_row(at + reach));
        for row in first.1..=last.1 {
            let cells = row * self.columns + first.0..row * self.columns + last.0 + 1;
            let doors = self.start[cells.start] as usize..self.start[cells.end] as usize;
            self.doors[doors].iter().for_each(|&(atom, place)| visit(atom, place));
        }
    }
    /// Distance to the nearest door; `None` if there is none.
    fn nearest(&self, at: Coord<f64>) -> Option<f64> {
        if self.doors.is_empty() {
            return None;
        }
        let (column, row) = self.column_row(at);
        let mut nearest = None;
        let mut best = f64::INFINITY;
        let mut look = |cells: std::ops::Range<usize>| {
            let doors = self.start[cells.start] as usize..self.start[cells.end] as usize;
            for &(_, place) in &self.doors[doors] {
                let distance = squared(at, place);
                if distance < best {
                    (best, nearest) = (distance, Some(place));
                }
            }
            best
        };
        for ring in 0..self.columns.max(self.rows) {
            let columns = column.saturating_sub(ring)..(column + ring + 1).min(self.columns);
            let rows = row.saturating_sub(ring)..(row + ring + 1).min(self.rows);
            let mut seen = f64::INFINITY;
            for y in rows.clone() {
                let line = y * self.columns;
                if y + ring == row || y == row + ring {
                    seen = look(line + columns.start..line + columns.end);
                    continue;
                }
                if ring <= column {
                    seen = look(line + column - ring..line + column - ring + 1);
                }
                if column + ring < self.columns {
                    seen = look(line + column + ring..line + column + ring + 1);
                }
            }
            // Whatever is nearer than the border of the cells seen has been seen; beyond the raster is nothing.
            let border = |is_last: bool, gap: f64| if is_last { f64::INFINITY } else { gap };
            let edge = |cells: usize| cells as f64 * self.cell;
            let here = at - self.low;
            let gaps = [
                border(columns.start == 0, here.x - edge(columns.start)),
                border(columns.end == self.columns, edge(columns.end) - here.x),
                border(rows.start == 0, here.y - edge(rows.start)),
                border(rows.end == self.rows, edge(rows.end) - here.y),
            ];
            if gaps.into_iter().all(|gap| seen <= gap * gap) {
                break;
            }
        }
        nearest.map(|place| straight_distance(at, place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_door_is_the_nearest_of_all() {
        let place = |i: u32, spread: f64| Coord {
            x: f64::from(i * 37 % 211) / 211.0 * spread,
            y: f64::from(i * 101 % 197) / 197.0 * spread,
        };
        for (n, spread) in [(1, 0.0), (2, 900.0), (60, 5_000.0), (400, 2_000.0)] {
            let doors: Vec<Coord<f64>> = (0..n).map(|i| place(i, spread)).collect();
            let raster = Raster::of(doors.clone(), 0.0);
            for i in 0..300 {
                let at = place(i * 7 + 3, spread * 1.6) - Coord { x: spread * 0.3, y: spread * 0.3 };
                let expected = doors.iter().map(|&door| straight_distance(at, door)).fold(f64::MAX, f64::min);
                assert_eq!(raster.nearest(at), Some(expected), "{n} doors, {at:?}");
            }
        }
        assert_eq!(Raster::of(Vec::new(), 0.0).nearest(Coord::zero()), None);
    }
}
