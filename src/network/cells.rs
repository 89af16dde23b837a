//! Segments in a uniform raster of cells: built by counting, asked ring by ring.
//!
//! Street segments are short and evenly spread, so a raster is built several times faster than a tree and
//! answers "nearest" in about two cells.

use geo::Coord;

/// Where each segment lies.
#[derive(Clone, Debug, Default)]
pub(super) struct SegmentCells {
    origin: Coord<f64>,
    cell: f64,
    columns: usize,
    rows: usize,
    start: Vec<u32>,
    segment: Vec<u32>,
}

/// Smallest cell in metres: below it a segment only appears in more cells.
const SMALLEST_CELL: f64 = 25.0;
/// Cells of the raster for each segment.
const CELLS_PER_SEGMENT: f64 = 1.0;

impl SegmentCells {
    /// Files the segments that `ends` gives for 0 .. n. O(n) for segments no longer than a few cells.
    pub fn build(n: usize, ends: impl Fn(u32) -> Option<(Coord<f64>, Coord<f64>)>) -> Self {
        let (mut low, mut high) = (Coord { x: f64::MAX, y: f64::MAX }, Coord { x: f64::MIN, y: f64::MIN });
        let mut count = 0_usize;
        for (a, b) in (0..n as u32).filter_map(&ends) {
            low = Coord { x: low.x.min(a.x).min(b.x), y: low.y.min(a.y).min(b.y) };
            high = Coord { x: high.x.max(a.x).max(b.x), y: high.y.max(a.y).max(b.y) };
            count += 1;
        }
        if count == 0 {
            return Self {
                origin: Coord::zero(),
                cell: 1.0,
                columns: 0,
                rows: 0,
                start: vec![0],
                segment: Vec::new(),
            };
        }
        let (width, height) = (high.x - low.x, high.y - low.y);
        let even = (width * height / (count as f64 * CELLS_PER_SEGMENT)).sqrt();
        // A long thin extent must not need more cells than there are segments either.
        let thin = width.max(height) / (count as f64 * CELLS_PER_SEGMENT + 16.0);
        let cell = even.max(thin).max(SMALLEST_CELL);
        let (columns, rows) = ((width / cell) as usize + 1, (height / cell) as usize + 1);
        let mut cells = Self {
            origin: low,
            cell,
            columns,
            rows,
            start: vec![0; columns * rows + 1],
            segment: Vec::new(),
        };
        let mut sizes = vec![0_u32; columns * rows + 1];
        for segment in 0..n as u32 {
            if let Some((a, b)) = ends(segment) {
                cells.each_cell_of(a, b, |index| sizes[index] += 1);
            }
        }
        let mut before = 0;
        for (start, size) in cells.start.iter_mut().zip(&sizes) {
            before += size;
            *start = before;
        }
        let mut filed = vec![0; before as usize];
        let mut place = cells.start.clone();
        for segment in (0..n as u32).rev() {
            if let Some((a, b)) = ends(segment) {
                cells.each_cell_of(a, b, |index| {
                    place[index] -= 1;
                    filed[place[index] as usize] = segment;
                });
            }
        }
        cells.start = place;
        cells.segment = filed;
        cells
    }

    fn column_row(&self, at: Coord<f64>) -> (usize, usize) {
        let place =
            |value: f64, size: usize| ((value / self.cell).max(0.0) as usize).min(size.saturating_sub(1));
        (place(at.x - self.origin.x, self.columns), place(at.y - self.origin.y, self.rows))
    }

    /// Every cell that the segment may touch, some of them twice: the boxes of pieces one cell long.
    fn each_cell_of(&self, a: Coord<f64>, b: Coord<f64>, mut visit: impl FnMut(usize)) {
        let pieces = ((b.x - a.x).abs().max((b.y - a.y).abs()) / self.cell).floor() as usize + 1;
        let mut done: Option<((usize, usize), (usize, usize))> = None;
        for piece in 0..pieces {
            let from = a + (b - a) * (piece as f64 / pieces as f64);
            let to = a + (b - a) * ((piece + 1) as f64 / pieces as f64);
            let (first, second) = (self.column_row(from), self.column_row(to));
            let low = (first.0.min(second.0), first.1.min(second.1));
            let high = (first.0.max(second.0), first.1.max(second.1));
            for row in low.1..=high.1 {
                for column in low.0..=high.0 {
                    let before = done.is_some_and(|(low, high)| {
                        (low.0..=high.0).contains(&column) && (low.1..=high.1).contains(&row)
                    });
                    if !before {
                        visit(row * self.columns + column);
                    }
                }
            }
            done = Some((low, high));
        }
    }

    fn in_cell(&self, index: usize) -> &[u32] {
        &self.segment[self.start[index] as usize..self.start[index + 1] as usize]
    }

    /// Visits segments ring by ring around a place, until no unseen one can lie within the distance that
    /// `visit` returned last. Cells farther off than that are left out; a segment may come several times.
    pub fn visit_outwards(&self, at: Coord<f64>, mut reach: f64, mut visit: impl FnMut(u32) -> f64) {
        if self.segment.is_empty() {
            return;
        }
        let (column, row) = self.column_row(at);
        for ring in 0..=self.columns.max(self.rows) {
            self.each_cell_of_ring(column, row, ring, |cell| {
                if self.squared_distance(at, cell) <= reach * reach {
                    for &segment in self.in_cell(cell.1 * self.columns + cell.0) {
                        reach = visit(segment);
                    }
                }
            });
            if reach < self.seen_around(at, (column, row), ring) {
                return;
            }
        }
    }

    /// Distance from a place to the border of the cells seen in the first rings around its cell. Beyond the
    /// raster there is nothing, so its own border does not count.
    fn seen_around(&self, at: Coord<f64>, (column, row): (usize, usize), ring: usize) -> f64 {
        let edge = |cells: usize| cells as f64 * self.cell;
        let at = at - self.origin;
        let mut gap = f64::INFINITY;
        if ring < column {
            gap = gap.min(at.x - edge(column - ring));
        }
        if column + ring + 1 < self.columns {
            gap = gap.min(edge(column + ring + 1) - at.x);
        }
        if ring < row {
            gap = gap.min(at.y - edge(row - ring));
        }
        if row + ring + 1 < self.rows {
            gap = gap.min(edge(row + ring + 1) - at.y);
        }
        gap
    }

    /// Square of the distance from a place to a cell, by column and row.
    fn squared_distance(&self, at: Coord<f64>, (column, row): (usize, usize)) -> f64 {
        let at = at - self.origin;
        let beyond = |value: f64, index: usize| {
            let low = index as f64 * self.cell;
            (low - value).max(value - (low + self.cell)).max(0.0)
        };
        let (x, y) = (beyond(at.x, column), beyond(at.y, row));
        x * x + y * y
    }

    fn each_cell_of_ring(
        &self,
        column: usize,
        row: usize,
        ring: usize,
        mut visit: impl FnMut((usize, usize)),
    ) {
        let (column, row, ring) = (column as isize, row as isize, ring as isize);
        let (columns, rows) = (self.columns as isize, self.rows as isize);
        for y in (row - ring).max(0)..=(row + ring).min(rows - 1) {
            let full = y == row - ring || y == row + ring;
            let step = if full || ring == 0 { 1 } else { 2 * ring };
            let mut x = column - ring;
            while x <= column + ring {
                if (0..columns).contains(&x) {
                    visit((x as usize, y as usize));
                }
                x += step;
            }
        }
    }

    /// Hands over the segments of each cell.
    pub fn each_cell(&self, mut visit: impl FnMut(&[u32])) {
        for index in 0..self.columns * self.rows {
            visit(self.in_cell(index));
        }
    }

    /// Visits segments whose cells the box of `a` and `b` touches, until `visit` says stop.
    pub fn any_near(&self, a: Coord<f64>, b: Coord<f64>, mut visit: impl FnMut(u32) -> bool) -> bool {
        if self.segment.is_empty() {
            return false;
        }
        let (first, second) = (self.column_row(a), self.column_row(b));
        for row in first.1.min(second.1)..=first.1.max(second.1) {
            for column in first.0.min(second.0)..=first.0.max(second.0) {
                if self.in_cell(row * self.columns + column).iter().any(|&segment| visit(segment)) {
                    return true;
                }
            }
        }
        false
    }
}

/// Fraction along `a → b` of the place nearest to `at`, and its distance.
pub(super) fn nearest_on(a: Coord<f64>, b: Coord<f64>, at: Coord<f64>) -> (f64, f64) {
    let along = b - a;
    let squared = along.x * along.x + along.y * along.y;
    let share = if squared == 0.0 {
        0.0
    } else {
        (((at - a).x * along.x + (at - a).y * along.y) / squared).clamp(0.0, 1.0)
    };
    let gap = at - (a + along * share);
    (share, (gap.x * gap.x + gap.y * gap.y).sqrt())
}

/// Where two segments properly cross, as the fraction along the first; touching ends do not cross.
pub(super) fn crossing(a: Coord<f64>, b: Coord<f64>, c: Coord<f64>, d: Coord<f64>) -> Option<f64> {
    let turn =
        |p: Coord<f64>, q: Coord<f64>, r: Coord<f64>| (q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x);
    let (c_side, d_side) = (turn(a, b, c), turn(a, b, d));
    let (a_side, b_side) = (turn(c, d, a), turn(c, d, b));
    // A barrier's own vertex on the leg must not open a gap: on the line counts for the left side.
    let crosses = (c_side < 0.0) != (d_side < 0.0) && (a_side < 0.0) != (b_side < 0.0);
    crosses.then(|| if a_side == b_side { 0.0 } else { a_side / (a_side - b_side) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_segment_is_found_from_inside_and_outside() {
        let at = |x: f64, y: f64| Coord { x, y };
        let segments: Vec<_> = (0..400)
            .map(|i| (f64::from(i * 37 % 400), f64::from(i * 101 % 397)))
            .map(|(x, y)| (at(x * 5.0, y * 5.0), at(x * 5.0 + 60.0, y * 5.0 - 25.0)))
            .chain([(at(-500.0, -300.0), at(3000.0, 2600.0))])
            .collect();
        let cells = SegmentCells::build(segments.len(), |i| Some(segments[i as usize]));
        for i in 0..200 {
            let place = at(f64::from(i * 53 % 211) * 20.0 - 1000.0, f64::from(i * 29 % 199) * 20.0 - 1000.0);
            let expected =
                segments.iter().map(|s| nearest_on(s.0, s.1, place).1).fold(f64::INFINITY, f64::min);
            let mut best = f64::INFINITY;
            cells.visit_outwards(place, best, |i| {
                let segment = segments[i as usize];
                best = best.min(nearest_on(segment.0, segment.1, place).1);
                best
            });
            assert!((best - expected).abs() < 1e-9, "{place:?}: {best} for {expected}");
        }
    }

    #[test]
    fn crossing_and_touching() {
        let at = |x: f64, y: f64| Coord { x, y };
        assert_eq!(crossing(at(0.0, 0.0), at(4.0, 0.0), at(1.0, -1.0), at(1.0, 1.0)), Some(0.25));
        assert_eq!(crossing(at(0.0, 0.0), at(4.0, 0.0), at(5.0, -1.0), at(5.0, 1.0)), None);
        // Through the joint of two wall pieces: exactly one of them is crossed.
        let joint = [(at(1.0, -1.0), at(1.0, 0.0)), (at(1.0, 0.0), at(1.0, 1.0))];
        let hits = joint.iter().filter(|wall| crossing(at(0.0, 0.0), at(4.0, 0.0), wall.0, wall.1).is_some());
        assert_eq!(hits.count(), 1);
    }
}
