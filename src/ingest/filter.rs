//! Attribute filters: `CITY = 201 and HCODE != 8154`.

use super::error::IngestError;
use super::table::{Cell, Layer};
use super::words::normal;
use crate::model::Text;

/// Conditions that all have to hold.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Filter {
    text: String,
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug, PartialEq)]
struct Condition {
    column: String,
    test: Test,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Is,
    IsNot,
    Below,
    AtMost,
    Above,
    AtLeast,
}

/// Longest first, so that `<=` is not read as `<`.
const SIGNS: &[(&str, Test)] = &[
    ("<=", Test::AtMost),
    (">=", Test::AtLeast),
    ("!=", Test::IsNot),
    ("<>", Test::IsNot),
    ("==", Test::Is),
    ("=", Test::Is),
    ("<", Test::Below),
    (">", Test::Above),
];

impl Filter {
    /// Reads `COLUMN = VALUE`, `!=`, `<`, `<=`, `>`, `>=`, `COLUMN in (A, B)`, joined by `and`.
    pub(super) fn parse(text: &str) -> Result<Self, IngestError> {
        let bad = |reason: Text| IngestError::BadFilter { filter: text.to_owned(), reason };
        let mut conditions = Vec::new();
        for part in split_and(text) {
            let part = part.trim();
            let unknown =
                || bad(Text::from((format!("“{part}”不是条件"), format!("`{part}` is no condition"))));
            conditions.push(condition(part).ok_or_else(unknown)?);
        }
        if conditions.is_empty() {
            return Err(bad(Text::from(("条件为空", "it is empty"))));
        }
        Ok(Self { text: text.to_owned(), conditions })
    }

    /// Columns that it looks at.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        self.conditions.iter().map(|condition| condition.column.as_str())
    }

    /// Which rows of a layer hold; `None` if the layer lacks a column.
    pub(super) fn rows(&self, layer: &Layer) -> Option<Vec<bool>> {
        let mut keep = vec![true; layer.len];
        for condition in &self.conditions {
            let column =
                layer.columns.iter().find(|column| column.name == condition.column).or_else(|| {
                    layer.columns.iter().find(|column| normal(&column.name) == normal(&condition.column))
                })?;
            for (keep, cell) in keep.iter_mut().zip(&column.cells) {
                *keep = *keep && condition.holds(cell);
            }
        }
        Some(keep)
    }

    /// As written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

impl Condition {
    fn holds(&self, cell: &Cell) -> bool {
        let is = |value: &String| match (cell.number(), value.parse::<f64>()) {
            (Some(a), Ok(b)) => a == b,
            _ => cell.to_text().unwrap_or_default() == *value,
        };
        let order = || {
            let value = self.values.first()?.parse::<f64>().ok()?;
            cell.number()?.partial_cmp(&value)
        };
        match self.test {
            Test::Is => self.values.iter().any(is),
            Test::IsNot => !self.values.iter().any(is),
            Test::Below => order().is_some_and(std::cmp::Ordering::is_lt),
            Test::AtMost => order().is_some_and(std::cmp::Ordering::is_le),
            Test::Above => order().is_some_and(std::cmp::Ordering::is_gt),
            Test::AtLeast => order().is_some_and(std::cmp::Ordering::is_ge),
        }
    }
}

/// Splits at the word `and` outside quotes.
fn split_and(text: &str) -> Vec<&str> {
    let lower = text.to_ascii_lowercase();
    let (mut parts, mut start, mut quote) = (Vec::new(), 0, None);
    for (index, c) in lower.char_indices() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None, ' ') if lower[index..].starts_with(" and ") => {
                parts.push(&text[start..index]);
                start = index + 5;
            }
            _ => {}
        }
    }
    parts.push(&text[start.min(text.len())..]);
    parts
}

fn condition(text: &str) -> Option<Condition> {
    let lower = text.to_ascii_lowercase();
    if let Some(at) = lower.find(" in (") {
        let inside = text[at + 5..].trim_end().strip_suffix(')')?;
        let values: Vec<String> = inside.split(',').map(unquoted).collect();
        return Some(Condition { column: unquoted(&text[..at]), test: Test::Is, values });
    }
    let (at, sign, test) = SIGNS
        .iter()
        .filter_map(|(sign, test)| Some((text.find(sign)?, *sign, *test)))
        .min_by_key(|(at, sign, _)| (*at, std::cmp::Reverse(sign.len())))?;
    let column = unquoted(&text[..at]);
    (!column.is_empty()).then(|| Condition { column, test, values: vec![unquoted(&text[at + sign.len()..])] })
}

fn unquoted(text: &str) -> String {
    text.trim().trim_matches(['\'', '"', '`']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::table::TableColumn;
    use super::*;

    #[test]
    fn conditions_select_rows() {
        let column = |name: &str, cells: &[&str]| TableColumn {
            name: name.to_owned(),
            cells: cells.iter().map(|text| Cell::text(text)).collect(),
        };
        let layer = Layer {
            columns: vec![column("CITY", &["201", "202", "201"]), column("町 名", &["和 and 平", "x", "y"])],
            len: 3,
            ..Layer::default()
        };
        for (text, want) in [
            ("CITY = 201", Some(vec![true, false, true])),
            ("city=201 and 町名 != 'y'", Some(vec![true, false, false])),
            ("町名 = '和 and 平'", Some(vec![true, false, false])),
            ("CITY in (202, 203)", Some(vec![false, true, false])),
            ("CITY >= 202", Some(vec![false, true, false])),
            ("TOWN = 1", None),
        ] {
            assert_eq!(Filter::parse(text).map(|filter| filter.rows(&layer)), Ok(want), "{text}");
        }
        assert!(Filter::parse("CITY").is_err());
    }
}
