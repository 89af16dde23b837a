//! Straight distances between stations and buildings, by a raster of cells.

use geo::Coord;
use rayon::prelude::*;

use super::measure::{door_of, whole};
use crate::geometry::straight_distance;
use crate::model::Atom;
use crate::network::Reach;

/// The straight distances between stations and buildings within the widest limit, as a table like the
/// network's. Distances run from door to door, or to the middle of a building without a known door.
pub(super) fn straight_reach(atoms: &[Atom], stations: &[Coord<f64>], limits_mm: &[u32]) -> Reach {
    let widest = limits_mm.iter().copied().max().unwrap_or(0);
    let raster = Raster::of(atoms, f64::from(widest) / 1000.0);
    let row = |&at: &Coord<f64>| {
        let mut row = Vec::new();
        raster.each_near(at, |atom, place| {
            let distance = whole(straight_distance(at, place) * 1000.0);
            if distance <= widest {
                row.push((atom, distance));
            }
        });
        row.sort_unstable();
        row
    };
    let rows: Vec<Vec<(u32, u32)>> = stations.par_iter().map(row).collect();
    let mut reach = Reach { offsets: vec![0], ..Reach::default() };
    for row in rows {
        reach.door.extend(row.iter().map(|pair| pair.0));
        reach.cost.extend(row.iter().map(|pair| pair.1));
        reach.offsets.push(reach.door.len() as u64);
    }
    reach
}

/// Doors of atoms in square cells at least as wide as the distance asked for.
struct Raster {
    low: Coord<f64>,
    cell: f64,
    columns: usize,
    rows: usize,
    start: Vec<u32>,
    doors: Vec<(u32, Coord<f64>)>,
}

impl Raster {
    fn of(atoms: &[Atom], reach: f64) -> Self {
        let doors: Vec<Coord<f64>> = atoms.par_iter().map(door_of).collect();
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
}
