//! Grid codes and the order in which grids are numbered.
//!
//! Rule (CJ/T 349-2010 and the local standards after it): numbers run west → east, then north → south; a retired
//! code is never used again.

use std::collections::HashSet;

use geo::Coord;

use super::community::Community;

/// The order in which places are numbered: rows from north to south, each from west to east.
///
/// A row is as high as the square root of `typical_area` (m²), the height of a typical grid; ties break by index.
///
/// ```
/// # use geo::Coord;
/// # use gridplan::model::numbering_order;
/// let places = [Coord { x: 0.0, y: 0.0 }, Coord { x: 90.0, y: 205.0 }, Coord { x: 0.0, y: 200.0 }];
/// assert_eq!(numbering_order(&places, 10_000.0), vec![2, 1, 0]);
/// ```
#[must_use]
pub fn numbering_order(places: &[Coord<f64>], typical_area: f64) -> Vec<usize> {
    let north = places.iter().map(|place| place.y).fold(f64::NEG_INFINITY, f64::max);
    let height = typical_area.max(1.0).sqrt();
    let row = |place: Coord<f64>| ((north - place.y) / height) as i64;
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by(|&a, &b| {
        row(places[a])
            .cmp(&row(places[b]))
            .then(places[a].x.total_cmp(&places[b].x))
            .then(places[b].y.total_cmp(&places[a].y))
            .then(a.cmp(&b))
    });
    order
}

/// Hands out the codes of one community: its own code and three digits, none of them used before (`stat12+3`).
#[derive(Debug)]
pub struct CodeBook<'a> {
    prefix: &'a str,
    used: HashSet<String>,
    next: u32,
}

impl<'a> CodeBook<'a> {
    /// A book that continues after the largest number in `used`: codes present or retired, of any community.
    #[must_use]
    pub fn new(prefix: &'a str, used: impl IntoIterator<Item = &'a str>) -> Self {
        let used: HashSet<String> =
            used.into_iter().filter(|code| code.starts_with(prefix)).map(str::to_owned).collect();
        let numbers = used.iter().filter_map(|code| code[prefix.len()..].parse::<u32>().ok());
        let next = numbers.max().map_or(1, |largest| largest + 1);
        Self { prefix, used, next }
    }

    /// The next code.
    pub fn take(&mut self) -> String {
        loop {
            let code = format!("{}{:03}", self.prefix, self.next);
            self.next += 1;
            if self.used.insert(code.clone()) {
                return code;
            }
        }
    }
}

/// The name of a grid that nobody named: "幸福社区第3网格", from the community and the number inside its code.
#[must_use]
pub fn usual_grid_name(community: &Community, code: &str) -> String {
    match code.strip_prefix(community.code.as_str()).and_then(|number| number.parse::<u32>().ok()) {
        Some(number) => format!("{}第{number}网格", community.name),
        None => format!("{}网格{code}", community.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_used_number_is_never_given_again() {
        let mut book =
            CodeBook::new("370602001001", ["370602001001002", "370602001001007", "370602001002009"]);
        assert_eq!([book.take(), book.take()], ["370602001001008", "370602001001009"]);
    }

    #[test]
    fn numbering_starts_at_one() {
        assert_eq!(CodeBook::new("370602001001", []).take(), "370602001001001");
    }
}
