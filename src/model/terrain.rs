//! A terrain model: heights on a regular raster of the metric plane.

use geo::Coord;

/// Heights in metres above the datum at the nodes of a square raster, row by row from the south-west corner.
#[derive(Clone, Debug, PartialEq)]
pub struct Terrain {
    origin: Coord<f64>,
    cell: f64,
    columns: usize,
    heights: Vec<f32>,
}

impl Terrain {
    /// A raster of `columns` nodes a row, `cell` metres apart, the first node at `origin`.
    /// Not-a-number marks nodes without data. `None` if the sizes do not fit.
    #[must_use]
    pub fn new(origin: Coord<f64>, cell: f64, columns: usize, heights: Vec<f32>) -> Option<Self> {
        let fits = 2 <= columns && columns * 2 <= heights.len() && heights.len().is_multiple_of(columns);
        (fits && cell.is_finite() && 0.0 < cell).then_some(Self { origin, cell, columns, heights })
    }

    /// Position of the first node.
    #[must_use]
    pub fn origin(&self) -> Coord<f64> {
        self.origin
    }

    /// Distance of neighbouring nodes in metres.
    #[must_use]
    pub fn cell(&self) -> f64 {
        self.cell
    }

    /// Nodes a row.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.heights.len() / self.columns
    }

    /// All heights, row by row from the south.
    #[must_use]
    pub fn heights(&self) -> &[f32] {
        &self.heights
    }

    /// Bilinear height at a place in metres; `None` outside the raster or where a node has no data.
    #[must_use]
    pub fn height(&self, at: Coord<f64>) -> Option<f64> {
        let x = (at.x - self.origin.x) / self.cell;
        let y = (at.y - self.origin.y) / self.cell;
        let (columns, rows) = (self.columns, self.rows());
        if !(0.0..=(columns - 1) as f64).contains(&x) || !(0.0..=(rows - 1) as f64).contains(&y) {
            return None;
        }
        let (column, row) = ((x as usize).min(columns - 2), (y as usize).min(rows - 2));
        let (fx, fy) = (x - column as f64, y - row as f64);
        let node = |dx: usize, dy: usize| f64::from(self.heights[(row + dy) * columns + column + dx]);
        let south = node(0, 0) * (1.0 - fx) + node(1, 0) * fx;
        let north = node(0, 1) * (1.0 - fx) + node(1, 1) * fx;
        let height = south * (1.0 - fy) + north * fy;
        height.is_finite().then_some(height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn height_is_bilinear_between_nodes_and_absent_outside() {
        let terrain = Terrain::new(Coord { x: 0.0, y: 0.0 }, 10.0, 2, vec![0.0, 10.0, 20.0, 30.0])
            .expect("2 × 2 nodes");
        assert_eq!(terrain.height(Coord { x: 5.0, y: 5.0 }), Some(15.0));
        assert_eq!(terrain.height(Coord { x: 10.0, y: 10.0 }), Some(30.0));
        assert_eq!(terrain.height(Coord { x: 10.1, y: 0.0 }), None);
    }
}
