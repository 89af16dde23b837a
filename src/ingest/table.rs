//! One layer of a source: columns of cells, and geometry in the source's own coordinates.

use geo::Geometry;

use super::crs::Crs;
use super::encoding::TextEncoding;
use super::words;
use crate::model::Text;

/// A value of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Cell {
    /// Nothing.
    #[default]
    Empty,
    /// A number.
    Number(f64),
    /// Text, trimmed, not empty.
    Text(Box<str>),
}

impl Cell {
    /// Text as a cell: trimmed, nothing if empty.
    pub(super) fn text(text: &str) -> Self {
        let text = text.trim();
        if text.is_empty() { Self::Empty } else { Self::Text(text.into()) }
    }

    /// The number that stands here, however it is written.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Empty => None,
            Self::Number(value) => Some(*value),
            // The quick way reads nearly all; the slow one knows commas, full-width digits and units.
            Self::Text(text) => text.parse().ok().or_else(|| words::number(text)),
        }
    }

    /// The text that stands here; whole numbers without a decimal point.
    pub(super) fn to_text(&self) -> Option<String> {
        match self {
            Self::Empty => None,
            Self::Number(value) if value.fract() == 0.0 && value.abs() < 1e15 => Some(format!("{value:.0}")),
            Self::Number(value) => Some(value.to_string()),
            Self::Text(text) => Some(text.to_string()),
        }
    }

    /// Whether nothing stands here.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }
}

/// A named column.
#[derive(Clone, Debug, Default)]
pub(super) struct TableColumn {
    /// Name as written.
    pub name: String,
    /// One cell a feature.
    pub cells: Vec<Cell>,
}

/// What shapes a layer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ShapeKind {
    /// Points.
    Points,
    /// Lines.
    Lines,
    /// Areas.
    Areas,
}

impl ShapeKind {
    /// The word for messages.
    pub(super) fn words(self) -> Text {
        Text::from(match self {
            Self::Points => ("点", "points"),
            Self::Lines => ("线", "lines"),
            Self::Areas => ("面", "areas"),
        })
    }

    /// Kind of one geometry.
    pub(super) fn of(geometry: &Geometry<f64>) -> Option<Self> {
        match geometry {
            Geometry::Point(_) | Geometry::MultiPoint(_) => Some(Self::Points),
            Geometry::Line(_) | Geometry::LineString(_) | Geometry::MultiLineString(_) => Some(Self::Lines),
            Geometry::Polygon(_) | Geometry::MultiPolygon(_) | Geometry::Rect(_) | Geometry::Triangle(_) => {
                Some(Self::Areas)
            }
            Geometry::GeometryCollection(collection) => collection.0.iter().find_map(Self::of),
        }
    }
}

/// One layer of a source.
#[derive(Clone, Debug, Default)]
pub(super) struct Layer {
    /// File name without folder.
    pub file: String,
    /// Layer or sheet; empty if the file has only one.
    pub layer: String,
    /// Columns.
    pub columns: Vec<TableColumn>,
    /// One geometry a feature; empty for a table whose coordinates are in columns.
    pub geometries: Vec<Option<Geometry<f64>>>,
    /// Number of features.
    pub len: usize,
    /// Number of the first feature in messages: 2 for a table with a header line, 0 for feature ids.
    pub first: usize,
    /// Coordinate system that the source states.
    pub crs: Option<Crs>,
    /// Encoding of its text and how it is known.
    pub encoding: TextEncoding,
    /// The format keeps only the first ten bytes of a column name (shapefiles).
    pub short_names: bool,
    /// The format fixes the coordinate system (KML, OSM): an override is not for it.
    pub fixed_crs: bool,
}

impl Layer {
    /// File with layer, for messages.
    pub(super) fn label(&self) -> String {
        if self.layer.is_empty() { self.file.clone() } else { format!("{}:{}", self.file, self.layer) }
    }

    /// File name without ending.
    pub(super) fn stem(&self) -> &str {
        self.file.split('.').next().unwrap_or(&self.file)
    }

    /// What shapes it holds: those of the first feature that has any; points for a table of coordinates.
    pub(super) fn shape_kind(&self) -> Option<ShapeKind> {
        if self.geometries.is_empty() {
            return (0 < self.len).then_some(ShapeKind::Points);
        }
        self.geometries.iter().flatten().find_map(ShapeKind::of)
    }

    /// Name of a row in messages.
    pub(super) fn row_name(&self, index: usize) -> Text {
        let number = index + self.first;
        if self.first == 2 {
            Text::from((format!("第 {number} 行"), format!("line {number}")))
        } else {
            Text::from((format!("要素 {number}"), format!("feature {number}")))
        }
    }

    /// Names of all columns.
    pub(super) fn column_names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }

    /// Keeps only the rows for which `keep` holds.
    pub(super) fn retain(&mut self, keep: &[bool]) {
        let mut rows = keep.iter();
        let mut next = || rows.next().copied().unwrap_or(false);
        for column in &mut self.columns {
            let mut rows = keep.iter();
            column.cells.retain(|_| rows.next().copied().unwrap_or(false));
        }
        if !self.geometries.is_empty() {
            self.geometries.retain(|_| next());
        }
        self.len = keep.iter().filter(|keep| **keep).count();
    }
}
