//! The kernel of the [simplex](super::simplex): basic sites, tight rows, and the inverse of their part of the table.

/// Pivots smaller than this are noise.
pub(crate) const NOISE: f64 = 1e-7;
/// Entries of the inverse smaller than this are zero.
pub(crate) const ZERO: f64 = 1e-9;
/// The place of what is not in the kernel.
pub(crate) const NOWHERE: u32 = u32::MAX;

/// Entries that are not zero, by ascending row.
pub(crate) type Line = Vec<(u32, f64)>;

/// Where everything stands.
#[derive(Clone)]
pub(crate) struct Kernel {
    /// Sites between their ends, and the rows that decide how far.
    pub basic: Vec<u32>,
    pub tight: Vec<u32>,
    pub place_of_site: Vec<u32>,
    pub place_of_row: Vec<u32>,
    /// Per basic site a line over the tight rows.
    pub inverse: Vec<Line>,
    /// Sites outside that stand at 1, rows outside whose multiplier is the largest.
    pub is_one: Vec<bool>,
    pub is_most: Vec<bool>,
    pub pivots: usize,
}

impl Kernel {
    /// An empty kernel; `is_most` as in [`Kernel::is_most`], with a place for every row.
    pub fn new(n_sites: usize, is_most: Vec<bool>) -> Self {
        Self {
            basic: Vec::new(),
            tight: Vec::new(),
            place_of_site: vec![NOWHERE; n_sites],
            place_of_row: vec![NOWHERE; is_most.len()],
            inverse: Vec::new(),
            is_one: vec![false; n_sites],
            is_most,
            pivots: 0,
        }
    }

    /// A row and a site join.
    pub fn grow(&mut self, row: usize, site: usize, through: &[f64], along: &Line, pivot: f64) -> bool {
        if pivot.abs() < NOISE {
            return false;
        }
        // What the new site's own line takes from the others.
        let mut own: Line = along.iter().map(|&(row, along)| (row, -along / pivot)).collect();
        let at = own.partition_point(|entry| entry.0 < row as u32);
        own.insert(at, (row as u32, 1.0 / pivot));
        let mut spare = Line::new();
        for (line, &through) in self.inverse.iter_mut().zip(through) {
            if ZERO < through.abs() {
                add_line(line, -through, &own, &mut spare);
            }
        }
        self.inverse.push(own);
        self.place_of_site[site] = self.basic.len() as u32;
        self.basic.push(site as u32);
        self.enter_row(row);
        true
    }

    /// A row takes the place of another, whose multiplier went to 0 or to its most.
    pub fn exchange_rows(&mut self, row: usize, old: usize, along: &Line, pivot: f64, most: bool) -> bool {
        if pivot.abs() < NOISE {
            return false;
        }
        let mut spare = Line::new();
        for line in &mut self.inverse {
            let own = entry_of(line, old) / pivot;
            if own != 0.0 {
                add_line(line, -own, along, &mut spare);
                line.retain(|entry| entry.0 != old as u32);
                let at = line.partition_point(|entry| entry.0 < row as u32);
                line.insert(at, (row as u32, own));
            }
        }
        self.leave_row(old, most);
        self.enter_row(row);
        true
    }

    /// A site takes the place of another, which went to 0 or to 1.
    pub fn exchange_sites(&mut self, place: usize, site: usize, through: &[f64], one: bool) -> bool {
        let pivot = through[place];
        if pivot.abs() < NOISE {
            return false;
        }
        let mut own = std::mem::take(&mut self.inverse[place]);
        own.iter_mut().for_each(|entry| entry.1 /= pivot);
        let mut spare = Line::new();
        for (index, (line, &times)) in self.inverse.iter_mut().zip(through).enumerate() {
            if index != place && ZERO < times.abs() {
                add_line(line, -times, &own, &mut spare);
            }
        }
        self.inverse[place] = own;
        let old = std::mem::replace(&mut self.basic[place], site as u32) as usize;
        self.place_of_site[old] = NOWHERE;
        self.is_one[old] = one;
        self.place_of_site[site] = place as u32;
        true
    }

    /// A site and a row leave.
    pub fn shrink(&mut self, place: usize, row: usize, one: bool, pivot: f64, most: bool) -> bool {
        if pivot.abs() < NOISE {
            return false;
        }
        let own = self.inverse.swap_remove(place);
        let mut spare = Line::new();
        for line in &mut self.inverse {
            let times = entry_of(line, row) / pivot;
            if times != 0.0 {
                add_line(line, -times, &own, &mut spare);
                line.retain(|entry| entry.0 != row as u32);
            }
        }
        let site = self.basic.swap_remove(place) as usize;
        self.place_of_site[site] = NOWHERE;
        self.is_one[site] = one;
        if let Some(&moved) = self.basic.get(place) {
            self.place_of_site[moved as usize] = place as u32;
        }
        self.leave_row(row, most);
        true
    }

    fn enter_row(&mut self, row: usize) {
        self.place_of_row[row] = self.tight.len() as u32;
        self.tight.push(row as u32);
    }

    fn leave_row(&mut self, row: usize, most: bool) {
        let place = self.place_of_row[row] as usize;
        self.tight.swap_remove(place);
        if let Some(&moved) = self.tight.get(place) {
            self.place_of_row[moved as usize] = place as u32;
        }
        self.place_of_row[row] = NOWHERE;
        self.is_most[row] = most;
    }
}

/// Adds `times` a line to another; `spare` only lends its memory.
pub(crate) fn add_line(line: &mut Line, times: f64, other: &[(u32, f64)], spare: &mut Line) {
    spare.clear();
    let mut rest = other;
    for &(row, entry) in line.iter() {
        while let [own, after @ ..] = rest
            && own.0 < row
        {
            spare.push((own.0, times * own.1));
            rest = after;
        }
        let mut entry = entry;
        if let [own, after @ ..] = rest
            && own.0 == row
        {
            entry += times * own.1;
            rest = after;
        }
        if ZERO < entry.abs() {
            spare.push((row, entry));
        }
    }
    spare.extend(rest.iter().map(|own| (own.0, times * own.1)));
    std::mem::swap(line, spare);
}

/// A line's entry in a row.
pub(crate) fn entry_of(line: &[(u32, f64)], row: usize) -> f64 {
    line.binary_search_by_key(&(row as u32), |entry| entry.0).map_or(0.0, |index| line[index].1)
}
