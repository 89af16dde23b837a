//! Invented towns on a lattice, for the tests and, by path, for the bench.

/// Atoms in rows of `w`, each an edge of the same length apart from those beside, above and below it.
pub struct Lattice {
    pub households: Vec<u32>,
    pub edge_from: Vec<u32>,
    pub edge_to: Vec<u32>,
    pub edge_length: Vec<f64>,
}

impl Lattice {
    /// `w` × `h` atoms with loads from `load(x, y)` and edges of `length` metres.
    pub fn new(w: u32, h: u32, length: f64, load: impl Fn(u32, u32) -> u32) -> Self {
        let mut made = Self { households: vec![], edge_from: vec![], edge_to: vec![], edge_length: vec![] };
        for y in 0..h {
            for x in 0..w {
                made.households.push(load(x, y));
                for (dx, dy) in [(1, 0), (0, 1)] {
                    if x + dx < w && y + dy < h {
                        made.edge_from.push(y * w + x);
                        made.edge_to.push((y + dy) * w + x + dx);
                        made.edge_length.push(length);
                    }
                }
            }
        }
        made
    }
}
