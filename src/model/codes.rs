//! Grid codes and the order in which grids are numbered.
//!
//! Rule (CJ/T 349-2010 and the local standards after it): numbers run west → east, then north → south; a retired
//! code is never used again.

use std::collections::{BTreeMap, HashSet};

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

/// How grids are coded: one of the schemes that platforms ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CodeScheme {
    /// The community's code and three digits.
    #[default]
    Stat12Plus3,
    /// 6 county + 3 street + 3 community + 3 sequence: the same digits, and nothing but digits.
    UnitGrid15,
    /// CJ/T 349-2010: 6 object class + 6 county + 3 street + 3 community + 2 sequence. The sequence is 00 where a
    /// community is not divided; communities merged for a grid are numbered from 601.
    Cjt349 {
        /// The six digits of the object class, as the platform lists them.
        object_class: String,
    },
}

impl CodeScheme {
    /// Words of all schemes.
    pub const NAMES: [&'static str; 3] = ["stat12+3", "unitgrid-15", "cjt349-20"];

    /// The word used in files and flags.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Stat12Plus3 => Self::NAMES[0],
            Self::UnitGrid15 => Self::NAMES[1],
            Self::Cjt349 { .. } => Self::NAMES[2],
        }
    }

    /// Digits of the sequence number.
    #[must_use]
    pub const fn sequence_digits(&self) -> usize {
        match self {
            Self::Stat12Plus3 | Self::UnitGrid15 => 3,
            Self::Cjt349 { .. } => 2,
        }
    }

    /// What stands before the sequence number in each community's codes, in the order of the communities.
    ///
    /// A merged community has the codes of its parts joined by `+`; under `cjt349-20` it is numbered from 601 in the
    /// street of its first part.
    ///
    /// # Errors
    /// The position of the first community whose code is no 12-digit division code, where the scheme needs one.
    ///
    /// ```
    /// # use gridplan::model::CodeScheme;
    /// let scheme = CodeScheme::Cjt349 { object_class: "010101".into() };
    /// let prefixes = scheme.prefixes(&["370602001003", "370602001001+370602001002"]);
    /// assert_eq!(prefixes, Ok(vec!["010101370602001003".into(), "010101370602001601".into()]));
    /// ```
    pub fn prefixes(&self, communities: &[&str]) -> Result<Vec<String>, usize> {
        let mut merged: BTreeMap<String, u32> = BTreeMap::new();
        let prefix = |(index, code): (usize, &&str)| {
            if *self == Self::Stat12Plus3 {
                return Ok((*code).to_owned());
            }
            let parts: Vec<&str> = code.split('+').collect();
            let is_division =
                |part: &&str| part.len() == 12 && part.bytes().all(|byte| byte.is_ascii_digit());
            if !parts.iter().all(is_division) {
                return Err(index);
            }
            let mut community = parts[0].to_owned();
            if let (Self::Cjt349 { .. }, 2..) = (self, parts.len()) {
                let number = merged.entry(community[..9].to_owned()).or_insert(FIRST_MERGED - 1);
                *number += 1;
                community = format!("{}{number:03}", &community[..9]);
            }
            Ok(match self {
                Self::Cjt349 { object_class } => format!("{object_class}{community}"),
                _ => community,
            })
        };
        communities.iter().enumerate().map(prefix).collect()
    }
}

/// Number of the first community merged from several (CJ/T 349-2010).
const FIRST_MERGED: u32 = 601;

/// Hands out the codes of one community: its prefix and a number, none of them used before.
#[derive(Debug)]
pub struct CodeBook<'a> {
    prefix: &'a str,
    digits: usize,
    undivided: bool,
    used: HashSet<String>,
    next: u32,
}

impl<'a> CodeBook<'a> {
    /// A book that continues after the largest number in `used`: codes present or retired, of any community.
    ///
    /// `n_grids` is the number of grids in the community: a single one is numbered 00 where the scheme says so.
    #[must_use]
    pub fn new(
        scheme: &CodeScheme,
        prefix: &'a str,
        n_grids: usize,
        used: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let used: HashSet<String> =
            used.into_iter().filter(|code| code.starts_with(prefix)).map(str::to_owned).collect();
        let numbers = used.iter().filter_map(|code| code[prefix.len()..].parse::<u32>().ok());
        let next = numbers.max().map_or(1, |largest| largest + 1);
        let undivided = matches!(scheme, CodeScheme::Cjt349 { .. }) && n_grids == 1;
        Self { prefix, digits: scheme.sequence_digits(), undivided, used, next }
    }

    /// The next code. A number with more digits than the scheme has makes a longer code.
    pub fn take(&mut self) -> String {
        if std::mem::take(&mut self.undivided) {
            let code = format!("{}00", self.prefix);
            if self.used.insert(code.clone()) {
                return code;
            }
        }
        loop {
            let code = format!("{}{:0digits$}", self.prefix, self.next, digits = self.digits);
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

    fn book<'a>(scheme: &CodeScheme, prefix: &'a str, n_grids: usize, used: &[&'a str]) -> CodeBook<'a> {
        CodeBook::new(scheme, prefix, n_grids, used.iter().copied())
    }

    #[test]
    fn a_used_number_is_never_given_again() {
        let used = ["370602001001002", "370602001001007", "370602001002009"];
        let mut book = book(&CodeScheme::Stat12Plus3, "370602001001", 2, &used);
        assert_eq!([book.take(), book.take()], ["370602001001008", "370602001001009"]);
    }

    #[test]
    fn numbering_starts_at_one() {
        assert_eq!(book(&CodeScheme::Stat12Plus3, "370602001001", 1, &[]).take(), "370602001001001");
        assert_eq!(book(&CodeScheme::UnitGrid15, "370602001001", 1, &[]).take(), "370602001001001");
    }

    #[test]
    fn an_undivided_community_has_no_sequence_in_cjt349() {
        let scheme = CodeScheme::Cjt349 { object_class: "010203".to_owned() };
        let prefixes = scheme.prefixes(&["370602001001", "370602001002"]).expect("division codes");
        assert_eq!(book(&scheme, &prefixes[0], 1, &[]).take(), "01020337060200100100");
        let mut divided = book(&scheme, &prefixes[1], 2, &[]);
        assert_eq!([divided.take(), divided.take()], ["01020337060200100201", "01020337060200100202"]);
        // Divided once and whole again: 00 is retired, so the grid takes the next number.
        let used = ["01020337060200100100", "01020337060200100101", "01020337060200100102"];
        assert_eq!(book(&scheme, &prefixes[0], 1, &used).take(), "01020337060200100103");
    }

    #[test]
    fn merged_communities_are_numbered_from_601_in_their_street() {
        let scheme = CodeScheme::Cjt349 { object_class: "010203".to_owned() };
        let merged = [
            "370602001001+370602001002",
            "370602001003",
            "370602001004+370602001005",
            "370602002001+370602002002",
        ];
        let want = ["010203370602001601", "010203370602001003", "010203370602001602", "010203370602002601"];
        assert_eq!(scheme.prefixes(&merged), Ok(want.map(str::to_owned).to_vec()));
    }

    #[test]
    fn codes_that_are_no_division_codes_are_told() {
        assert_eq!(CodeScheme::UnitGrid15.prefixes(&["370602001001", "幸福"]), Err(1));
        assert_eq!(CodeScheme::Stat12Plus3.prefixes(&["幸福"]), Ok(vec!["幸福".to_owned()]));
    }
}
