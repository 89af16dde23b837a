//! Nodes along a space-filling curve, so that neighbours in the street are neighbours in memory.

use rayon::prelude::*;

/// Levels of the curve: the plane is cut into 2^12 × 2^12 cells, of 15 m in a city 60 km wide. Finer ones would
/// bring no nodes together that are not already.
const LEVELS: u32 = 12;
/// Levels that one table look-up takes at once.
const STEP: u32 = 4;

/// The node indices sorted along a Hilbert curve (ties by index).
///
/// `x` and `y` have equal length and hold finite metres. O(n): one table walk a node and a radix sort.
pub(super) fn hilbert_order(x: &[f64], y: &[f64]) -> Vec<u32> {
    let (x_min, x_scale) = scale(x);
    let (y_min, y_scale) = scale(y);
    let scale = x_scale.min(y_scale);
    let table = curve_table();
    let mut keyed: Vec<u64> = (0..x.len())
        .into_par_iter()
        .map(|node| {
            let column = ((x[node] - x_min) * scale) as u32;
            let row = ((y[node] - y_min) * scale) as u32;
            u64::from(position(&table, column, row)) << 32 | node as u64
        })
        .collect();
    sort_by_high_half(&mut keyed);
    keyed.iter().map(|&pair| pair as u32).collect()
}

/// Smallest value, and the factor that maps the values' range to the cells.
fn scale(values: &[f64]) -> (f64, f64) {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let cells = f64::from((1_u32 << LEVELS) - 1);
    if low < high { (low, cells / (high - low)) } else { (low, cells) }
}

/// Place of a cell on the curve: look-ups of four levels each.
fn position(table: &[u16], column: u32, row: u32) -> u32 {
    let mut orientation = 0;
    let mut place = 0;
    for step in (0..LEVELS / STEP).rev() {
        let cell = (column >> (STEP * step) & 15) << STEP | (row >> (STEP * step) & 15);
        let entry = u32::from(table[(orientation << 8 | cell) as usize]);
        place = place << (2 * STEP) | entry & 255;
        orientation = entry >> 8;
    }
    place
}

/// For each of the curve's four orientations and each cell of a 16 × 16 block: the cell's place within
/// the block (low 8 bits) and the orientation inside the cell (high bits: bit 0 swaps the axes, bit 1
/// mirrors both).
fn curve_table() -> Vec<u16> {
    let mut table = Vec::with_capacity(4 << (2 * STEP));
    for start in 0..4_u16 {
        for cell in 0..1_u16 << (2 * STEP) {
            let (mut swap, mut mirror) = (start & 1, start >> 1);
            let mut place = 0;
            for level in (0..STEP).rev() {
                let mut column = cell >> (STEP + level) & 1;
                let mut row = cell >> level & 1;
                if swap == 1 {
                    std::mem::swap(&mut column, &mut row);
                }
                (column, row) = (column ^ mirror, row ^ mirror);
                let quadrant = match (column, row) {
                    (0, 0) => 0,
                    (0, _) => 1,
                    (_, 0) => 3,
                    (_, _) => 2,
                };
                place = place << 2 | quadrant;
                // The first quarter is the curve with its axes swapped, the last one that and mirrored.
                if quadrant == 0 {
                    swap ^= 1;
                } else if quadrant == 3 {
                    swap ^= 1;
                    mirror ^= 1;
                }
            }
            table.push((mirror << 1 | swap) << 8 | place);
        }
    }
    table
}

/// Stable radix sort by the upper 32 bits, of which 2 · [`LEVELS`] are in use.
fn sort_by_high_half(values: &mut Vec<u64>) {
    const BITS: u32 = LEVELS;
    let mut other = vec![0; values.len()];
    for pass in 0..2 {
        let shift = 32 + BITS * pass;
        let digit = |value: u64| (value >> shift) as usize & ((1 << BITS) - 1);
        let mut place = [0_u32; 1 << BITS];
        for &value in values.iter() {
            place[digit(value)] += 1;
        }
        let mut before = 0;
        for slot in &mut place {
            before += std::mem::replace(slot, before);
        }
        for &value in values.iter() {
            let slot = &mut place[digit(value)];
            other[*slot as usize] = value;
            *slot += 1;
        }
        std::mem::swap(values, &mut other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The defining property: consecutive cells of the curve share a side.
    #[test]
    fn the_curve_moves_one_cell_at_a_time() {
        let side = 32;
        let table = curve_table();
        // Offset by one corner block, so that several orientations and all four look-ups take part.
        let mut cells: Vec<(u32, u32, u32)> = (0..side * side)
            .map(|cell| (cell / side, cell % side))
            .map(|(column, row)| (position(&table, column, row), column, row))
            .collect();
        cells.sort_unstable();
        for (rank, pair) in cells.windows(2).enumerate() {
            let step = pair[0].1.abs_diff(pair[1].1) + pair[0].2.abs_diff(pair[1].2);
            assert_eq!(step, 1, "between places {rank} and {}", rank + 1);
        }
    }

    #[test]
    fn every_node_appears_once_and_ties_go_by_index() {
        let x = [5.0, 1.0, 5.0, 1.0, 3.0];
        let y = [0.0, 0.0, 0.0, 0.0, 0.0];
        let order = hilbert_order(&x, &y);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [0, 1, 2, 3, 4]);
        let place = |node: u32| order.iter().position(|&other| other == node);
        assert!(place(1) < place(3) && place(0) < place(2));
    }
}
