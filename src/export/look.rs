//! How things look outside the map page: colours of KML and DXF, and what a thing is called. The page's own
//! colours are the same and stand in `web/src/style.ts`.

use super::coloring;
use super::layers::{Layer, Row, Value};

/// Fill colours of grids, neighbours differing.
const GRIDS: [&str; 8] =
    ["#7fb8c9", "#e8b07a", "#a9c47f", "#c9a3cf", "#e6a4a4", "#d9cb79", "#93a8d8", "#8fcbb3"];
const BUILDINGS: [&str; 6] = ["#cbc8c2", "#f6e3a1", "#f2bd6b", "#e58a4e", "#c4533d", "#8b2340"];
/// Upper limits of household counts for the colours of buildings, the last one open.
const HOUSEHOLDS: [i64; 5] = [0, 12, 24, 48, 96];

/// How one thing is drawn; things of one `class` in a layer look the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Look {
    pub(super) class: usize,
    pub(super) fill: &'static str,
    /// 0 is hollow, 1 opaque.
    pub(super) fill_opacity: f64,
    pub(super) line: &'static str,
    /// Line width in pixels.
    pub(super) width: f64,
    /// Size of a point symbol, 1 is usual.
    pub(super) size: f64,
}

const fn area(class: usize, fill: &'static str, fill_opacity: f64, line: &'static str, width: f64) -> Look {
    Look { class, fill, fill_opacity, line, width, size: 0.6 }
}

const fn line(class: usize, line: &'static str, width: f64) -> Look {
    Look { class, fill: line, fill_opacity: 0.5, line, width, size: 0.6 }
}

const fn point(class: usize, fill: &'static str, size: f64) -> Look {
    Look { class, fill, fill_opacity: 1.0, line: fill, width: 1.0, size }
}

/// The look of every row of a layer.
pub(super) fn looks(layer: &Layer) -> Vec<Look> {
    let word = |row: &Row, name: &str| match layer.column(name).map(|at| &row.values[at]) {
        Some(Value::Text(text)) => text.clone(),
        _ => String::new(),
    };
    let number = |row: &Row, name: &str| match layer.column(name).map(|at| &row.values[at]) {
        Some(Value::Int(number)) => *number,
        _ => 0,
    };
    if layer.name == "grids" {
        return grids(layer, word);
    }
    let rows = layer.rows.iter();
    rows.map(|row| match layer.name {
        "communities" => area(0, "#ffffff", 0.0, "#8a2c5a", 3.0),
        "compounds" => area(0, "#e9efdc", 0.4, "#8f7d6d", 1.0),
        "barriers" => barrier(&word(row, "kind")),
        "streets" => street(&word(row, "class")),
        "service_circles" | "service_areas" => circle(number(row, "minutes")),
        "buildings" => {
            let households = number(row, "households");
            let class = HOUSEHOLDS.iter().position(|&limit| households <= limit).unwrap_or(5);
            area(class, BUILDINGS[class], 0.85, "#5d564d", 0.6)
        }
        "uncovered" => point(0, "#d6246e", 0.5),
        "gates" => point(0, "#3f8f5a", 0.4),
        "premises" => point(0, "#5b6bb5", 0.6),
        "stations" => station(&word(row, "tier"), &word(row, "status")),
        _ => finding(&word(row, "severity")),
    })
    .collect()
}

fn grids(layer: &Layer, word: impl Fn(&Row, &str) -> String) -> Vec<Look> {
    let nothing = geo::Geometry::GeometryCollection(geo::GeometryCollection::default());
    let outlines: Vec<&geo::Geometry<f64>> =
        layer.rows.iter().map(|row| row.geometry.as_ref().unwrap_or(&nothing)).collect();
    let colors = coloring::colors(&outlines, GRIDS.len());
    let look = |(row, color): (&Row, usize)| {
        if word(row, "class") == "exclusive" {
            area(GRIDS.len(), "#c7bfd6", 0.5, "#36506b", 2.0)
        } else {
            area(color, GRIDS[color], 0.5, "#36506b", 2.0)
        }
    };
    layer.rows.iter().zip(colors).map(look).collect()
}

fn barrier(kind: &str) -> Look {
    match kind {
        "river" => line(0, "#5f9fcb", 4.0),
        "water" => area(1, "#b7d5e8", 0.9, "#7fb0d0", 1.0),
        "railway" => line(2, "#77736d", 2.5),
        "motorway" => line(3, "#c77d3b", 2.5),
        "wall" => line(4, "#8f7d6d", 1.2),
        _ => line(5, "#7c6a55", 1.5),
    }
}

fn street(class: &str) -> Look {
    match class {
        "arterial" => line(0, "#e0a83a", 4.0),
        "secondary" => line(1, "#e8cf7a", 3.0),
        "lane" => line(2, "#b8b2a6", 2.0),
        "path" => line(3, "#b99d7c", 1.0),
        _ => line(4, "#a5714a", 1.5),
    }
}

fn circle(minutes: i64) -> Look {
    match minutes {
        ..=5 => area(0, "#1c7c6c", 0.25, "#1c7c6c", 1.5),
        6..=10 => area(1, "#53ab7f", 0.25, "#53ab7f", 1.5),
        _ => area(2, "#c0cf68", 0.25, "#a3b348", 1.5),
    }
}

fn station(tier: &str, status: &str) -> Look {
    if status == "closed" {
        return point(10, "#8a8f98", 0.8);
    }
    let new = usize::from(status == "chosen");
    match tier {
        "city" => point(new, "#7a1f4b", 1.4),
        "regional" => point(2 + new, "#9c2f6b", 1.3),
        "community" => point(4 + new, "#c8322d", 1.1),
        "compound" => point(6 + new, "#e2711d", 1.0),
        _ => point(8 + new, "#a97b0a", 0.8),
    }
}

fn finding(severity: &str) -> Look {
    match severity {
        "error" => point(0, "#d1242f", 0.7),
        "warning" => point(1, "#e08a00", 0.6),
        _ => point(2, "#4a7fb5", 0.5),
    }
}

/// What a thing is called on a map: its name, or else its code or number.
pub(super) fn title(layer: &Layer, row: &Row) -> String {
    let order: &[&str] = match layer.name {
        "grids" => &["code"],
        "service_circles" | "service_areas" => &["station", "minutes"],
        "findings" => &["feature", "kind"],
        _ => &["name", "code", "id", "building"],
    };
    let values = order.iter().filter_map(|name| layer.column(name)).map(|at| row.values[at].to_string());
    values.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
}
