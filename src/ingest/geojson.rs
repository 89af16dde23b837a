//! GeoJSON: collections, single features, and one feature a line.

use geojson::{Feature, FeatureReader, GeoJson, JsonObject, JsonValue};
use rustc_hash::FxHashMap;

use super::crs::Crs;
use super::encoding;
use super::error::IngestError;
use super::source::SourceSpec;
use super::table::{Cell, Layer, TableColumn};
use crate::model::Text;

/// Reads a whole file.
///
/// # Errors
/// [`IngestError::Truncated`] for a file that ends too early, [`IngestError::Unreadable`] for other damage.
pub(super) fn read(spec: &SourceSpec) -> Result<Layer, IngestError> {
    let file = spec.file_name();
    let bytes = std::fs::read(&spec.path).map_err(|error| IngestError::Unreadable {
        file: file.clone(),
        reason: Text::same(error.to_string()),
    })?;
    let (text, encoding) = encoding::decode(&file, bytes, spec.encoding.as_deref())?;
    let text = text.trim_start_matches('\u{FEFF}').trim();
    let crs = old_crs(text)?;
    let mut table =
        Table { layer: Layer { file, encoding, crs, ..Layer::default() }, at: FxHashMap::default() };
    if table.layer.crs.is_none() {
        table.layer.crs = Some(Crs::WGS84);
    }
    features(text, &mut table).map_err(|(number, error)| told(spec, number, &error))?;
    let mut layer = table.layer;
    for column in &mut layer.columns {
        column.cells.resize(layer.len, Cell::Empty);
    }
    Ok(layer)
}

/// The features of a text, into the table. Errors carry the number of features read before.
fn features(text: &str, table: &mut Table) -> Result<(), (usize, String)> {
    let head: String = text.chars().take(4096).filter(|c| !c.is_whitespace()).collect();
    // The streaming reader does not know collections without features.
    let is_empty = head.contains("\"features\":[]");
    if !is_empty && (head.contains("\"type\":\"FeatureCollection\"") || head.contains("\"features\":[")) {
        for feature in FeatureReader::from_reader(text.as_bytes()).features() {
            let feature = feature.map_err(|error| (table.layer.len, error.to_string()))?;
            table.push(feature)?;
        }
        return Ok(());
    }
    let lines =
        text.lines().map(|line| line.trim_start_matches('\u{1e}').trim()).filter(|line| !line.is_empty());
    let is_line_by_line = lines.clone().take(2).all(|line| line.starts_with('{') && line.ends_with('}'));
    if is_line_by_line {
        for line in lines {
            table.push_any(line)?;
        }
        return Ok(());
    }
    table.push_any(text)
}

struct Table {
    layer: Layer,
    at: FxHashMap<String, usize>,
}

impl Table {
    fn push_any(&mut self, text: &str) -> Result<(), (usize, String)> {
        let parsed: GeoJson =
            text.parse().map_err(|error: geojson::Error| (self.layer.len, error.to_string()))?;
        match parsed {
            GeoJson::FeatureCollection(collection) => {
                collection.features.into_iter().try_for_each(|feature| self.push(feature))
            }
            GeoJson::Feature(feature) => self.push(feature),
            GeoJson::Geometry(geometry) => self.push(Feature::from(geometry)),
        }
    }

    fn push(&mut self, feature: Feature) -> Result<(), (usize, String)> {
        let row = self.layer.len;
        let geometry = feature
            .geometry
            .map(geo::Geometry::<f64>::try_from)
            .transpose()
            .map_err(|error| (row, error.to_string()))?;
        self.layer.geometries.push(geometry);
        if let Some(properties) = &feature.properties {
            self.push_properties(row, properties);
        }
        if let Some(id) = feature.id {
            let cell = match id {
                geojson::feature::Id::String(text) => Cell::text(&text),
                geojson::feature::Id::Number(number) => Cell::text(&number.to_string()),
            };
            if !self.at.contains_key("id")
                || feature.properties.as_ref().is_none_or(|all| !all.contains_key("id"))
            {
                self.set(row, "id", cell);
            }
        }
        self.layer.len += 1;
        Ok(())
    }

    fn push_properties(&mut self, row: usize, properties: &JsonObject) {
        for (name, value) in properties {
            let cell = match value {
                JsonValue::Null => Cell::Empty,
                JsonValue::Bool(value) => Cell::text(if *value { "yes" } else { "no" }),
                JsonValue::Number(number) => number.as_f64().map_or(Cell::Empty, Cell::Number),
                JsonValue::String(text) => Cell::text(text),
                other => Cell::text(&other.to_string()),
            };
            self.set(row, name, cell);
        }
    }

    fn set(&mut self, row: usize, name: &str, cell: Cell) {
        let columns = &mut self.layer.columns;
        let index = *self.at.entry(name.to_owned()).or_insert_with(|| {
            columns.push(TableColumn { name: name.to_owned(), cells: Vec::new() });
            columns.len() - 1
        });
        let cells = &mut columns[index].cells;
        cells.resize(row, Cell::Empty);
        cells.push(cell);
    }
}

/// The `crs` member of GeoJSON 2008, which planning offices still write.
fn old_crs(text: &str) -> Result<Option<Crs>, IngestError> {
    let end = text.char_indices().nth(4096).map_or(text.len(), |(index, _)| index);
    let head = text[..end].split("\"features\"").next().unwrap_or_default();
    let Some((_, after)) = head.split_once("\"crs\"") else { return Ok(None) };
    let Some((_, after)) = after.split_once("\"name\"") else { return Ok(None) };
    // The second "name" is the one in "properties" if the first was the value of "type".
    let value = after.split_once("\"name\"").map_or(after, |(_, rest)| rest);
    value.split('"').nth(1).map(Crs::parse).transpose()
}

fn told(spec: &SourceSpec, features: usize, error: &str) -> IngestError {
    let file = spec.file_name();
    let low = error.to_lowercase();
    if low.contains("eof") || low.contains("end of") {
        IngestError::Truncated {
            file,
            reason: Text::from((
                format!("读完第 {features} 个要素后中断"),
                format!("it ends after feature {features} in the middle of another"),
            )),
        }
    } else {
        IngestError::Unreadable {
            file,
            reason: Text::from((
                format!("第 {features} 个要素之后：{error}"),
                format!("after feature {features}: {error}"),
            )),
        }
    }
}
