//! The lie of the land: a gentle fall, slow waves and a few hills.

use geo::Coord;

use super::dice::{Dice, Stream};
use super::lattice::Lattice;
use crate::model::Terrain;

/// Nodes of the terrain raster at most; a larger city gets wider cells.
const MOST_NODES: f64 = 3.0e6;
/// Smallest distance of raster nodes, metres.
const FINEST_CELL: f64 = 10.0;
/// Land beyond the district that the raster covers, metres.
const MARGIN: f64 = 400.0;

struct Hill {
    top: Coord<f64>,
    height: f64,
    radius: f64,
}

/// Heights as a formula.
pub(super) struct Relief {
    hills: Vec<Hill>,
    centre: Coord<f64>,
    fall: Coord<f64>,
    phase: [f64; 4],
}

impl Relief {
    pub(super) fn new(seed: u64, lattice: &Lattice, spacing: f64) -> Self {
        let mut dice = Dice::new(seed, Stream::Relief, 0);
        let n_hills = 1 + lattice.cells.len() / 45;
        let mut hills = Vec::with_capacity(n_hills);
        for _ in 0..n_hills {
            let cell = &lattice.cells[dice.whole(0, lattice.cells.len() as u32 - 1) as usize];
            let (south, north) =
                (&lattice.borders[cell.sides[0].border], &lattice.borders[cell.sides[2].border]);
            let share = dice.between(0.3, 0.7);
            let top = super::shape::lerp(south.at(south.middle), north.at(north.middle), share);
            let size = dice.between(0.75, 1.25);
            // In a single quarter a real hill would leave no level street.
            let height = if lattice.cells.len() < 4 { 12.0 } else { 70.0 };
            hills.push(Hill {
                top,
                height: height * size * (spacing / 600.0),
                radius: 0.36 * spacing * size,
            });
        }
        let centre = lattice.borders[lattice.cells[0].sides[0].border].line[0];
        let fall = Coord { x: dice.between(-0.004, 0.004), y: dice.between(-0.007, -0.002) };
        let phase = [0; 4].map(|_| dice.between(0.0, std::f64::consts::TAU));
        Self { hills, centre, fall, phase }
    }

    /// Height in metres.
    pub(super) fn height(&self, at: Coord<f64>) -> f64 {
        let wave = |value: f64, metres: f64, phase: f64| (value / metres + phase).sin();
        let from = at - self.centre;
        // The fall levels off far out, so that a large city stays above the sea.
        let fall = 900.0 * ((self.fall.x * from.x + self.fall.y * from.y) / 900.0).tanh();
        let waves = 4.0 * wave(from.x + 0.3 * from.y, 310.0, self.phase[0])
            + 5.0 * wave(from.y - 0.2 * from.x, 420.0, self.phase[1])
            + 9.0 * wave(from.x, 1500.0, self.phase[2]) * wave(from.y, 1900.0, self.phase[3]);
        30.0 + fall.max(-10.0) + waves.max(-15.0) + self.hills.iter().map(|hill| hill.rise(at)).sum::<f64>()
    }

    /// How much of the height is hill, metres.
    pub(super) fn rise(&self, at: Coord<f64>) -> f64 {
        self.hills.iter().map(|hill| hill.rise(at)).sum()
    }

    /// Steepness of a straight walk, rise over run.
    pub(super) fn slope(&self, from: Coord<f64>, to: Coord<f64>) -> f64 {
        (self.height(to) - self.height(from)).abs() / super::shape::length(to - from).max(1.0)
    }

    /// The raster over everything, a margin included.
    pub(super) fn raster(&self, lattice: &Lattice) -> Option<Terrain> {
        let lines = lattice.borders.iter().filter(|border| border.cells != [None, None]);
        let (mut low, mut high) = (Coord { x: f64::MAX, y: f64::MAX }, Coord { x: f64::MIN, y: f64::MIN });
        for at in lines.flat_map(|border| &border.line) {
            low = Coord { x: low.x.min(at.x), y: low.y.min(at.y) };
            high = Coord { x: high.x.max(at.x), y: high.y.max(at.y) };
        }
        let origin = Coord { x: (low.x - MARGIN).floor(), y: (low.y - MARGIN).floor() };
        let (width, height) = (high.x + MARGIN - origin.x, high.y + MARGIN - origin.y);
        let cell = (width * height / MOST_NODES).sqrt().max(FINEST_CELL).ceil();
        let (columns, rows) = ((width / cell).ceil() as usize + 1, (height / cell).ceil() as usize + 1);
        let at =
            |index: usize| origin + Coord { x: (index % columns) as f64, y: (index / columns) as f64 } * cell;
        use rayon::prelude::*;
        let heights = (0..columns * rows).into_par_iter().map(|index| self.height(at(index)) as f32);
        Terrain::new(origin, cell, columns, heights.collect())
    }
}

impl Hill {
    fn rise(&self, at: Coord<f64>) -> f64 {
        let from = at - self.top;
        let far = (from.x * from.x + from.y * from.y) / (self.radius * self.radius);
        if 16.0 < far { 0.0 } else { self.height * (-far).exp() }
    }
}
