//! Every vector format of GDAL.

use gdal::errors::GdalError;
use gdal::spatial_ref::{AxisMappingStrategy, CoordTransform, SpatialRef};
use gdal::vector::{Defn, FieldValue, LayerAccess, OGRFieldType};
use gdal::{Dataset, DatasetOptions, GdalOpenFlags};
use geo::{Coord, CoordsIter, Geometry, MapCoordsInPlace};

use super::crs::Crs;
use super::encoding::{How, TextEncoding};
use super::error::IngestError;
use super::source::SourceSpec;
use super::table::{Cell, Layer, TableColumn};
use super::{ImportRequest, dbf, encoding};
use crate::model::Text;

/// Reads the layer asked for, or all layers that hold features.
///
/// # Errors
/// When GDAL knows no such format or layer, or the file is damaged.
pub(super) fn read(spec: &SourceSpec, request: &ImportRequest) -> Result<Vec<Layer>, IngestError> {
    let file = spec.file_name();
    be_quiet();
    let (options, encoding) = open_options(spec, request)?;
    let option_refs: Vec<&str> = options.iter().map(String::as_str).collect();
    let path = if spec.path.to_lowercase().ends_with(".zip") {
        format!("/vsizip/{}", spec.path)
    } else {
        spec.path.clone()
    };
    let dataset = Dataset::open_ex(
        &path,
        DatasetOptions {
            open_flags: GdalOpenFlags::GDAL_OF_VECTOR | GdalOpenFlags::GDAL_OF_READONLY,
            open_options: Some(&option_refs),
            ..DatasetOptions::default()
        },
    )
    .map_err(|error| unopened(spec, &error))?;
    let names: Vec<String> = dataset.layers().map(|layer| layer.name()).collect();
    let wanted: Vec<String> = match &spec.layer {
        None => names.iter().filter(|name| !is_system_table(name)).cloned().collect(),
        Some(layer) if names.contains(layer) => vec![layer.clone()],
        Some(layer) => {
            return Err(IngestError::NoSuchLayer { file, layer: layer.clone(), available: names });
        }
    };
    let single = wanted.len() == 1 && spec.layer.is_none();
    let mut layers = Vec::new();
    for name in &wanted {
        let source = dataset.layer_by_name(name).map_err(|error| damaged(spec, &error))?;
        let mut layer = read_layer(spec, source)?;
        layer.layer = if single { String::new() } else { name.clone() };
        layer.encoding.clone_from(&encoding);
        let driver = dataset.driver().short_name();
        layer.fixed_crs = matches!(driver.as_str(), "KML" | "LIBKML" | "GPX");
        layer.short_names = driver == "ESRI Shapefile";
        layers.push(layer);
    }
    Ok(layers)
}

/// Keeps GDAL from writing to the terminal; its errors come back as values.
pub(super) fn be_quiet() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| gdal::config::set_error_handler(|_, _, message| tracing::debug!("GDAL: {message}")));
}

/// Tables that programs keep for themselves.
fn is_system_table(name: &str) -> bool {
    // The last two are answers in our own plan file, not data.
    matches!(name, "layer_styles" | "uncovered" | "service_circles" | "service_areas")
        || name.starts_with("gpkg_")
        || name.starts_with("sqlite_")
}

/// `ENCODING` for shapefiles, and how the encoding is known.
fn open_options(
    spec: &SourceSpec,
    request: &ImportRequest,
) -> Result<(Vec<String>, TextEncoding), IngestError> {
    let declared = spec.encoding.as_deref().or(request.encoding.as_deref());
    let is_shapefile = spec.path.to_lowercase().ends_with(".shp");
    if !is_shapefile {
        let words = Text::from(("依格式（GDAL）", "as the format says (GDAL)"));
        return Ok((Vec::new(), TextEncoding { words, guessed: false }));
    }
    let sample = dbf::text_sample(&spec.path);
    let (used, how) = match (declared, dbf::code_page(&spec.path)) {
        (Some(label), _) => (encoding::by_label(label)?, How::Declared),
        (None, Some(encoding)) if encoding.decode_without_bom_handling(&sample).1 => {
            (encoding::detect(&sample), How::Overruled)
        }
        (None, Some(encoding)) => (encoding, How::Stated),
        (None, None) => (encoding::detect(&sample), How::Detected),
    };
    let (text, _) = used.decode_without_bom_handling(&sample);
    let shown = TextEncoding::of(used, how, &text);
    Ok((vec![format!("ENCODING={}", encoding::gdal_name(used))], shown))
}

fn unopened(spec: &SourceSpec, error: &GdalError) -> IngestError {
    let text = last_words(error);
    let file = spec.file_name();
    if spec.is_database() {
        return IngestError::Database { source_name: file, reason: Text::same(text) };
    }
    let lower = spec.path.to_lowercase();
    let known = [".shp", ".gpkg", ".kml", ".kmz", ".dxf", ".gdb", ".fgb", ".gml", ".tab", ".mif", ".zip"];
    if known.iter().any(|ending| lower.ends_with(ending)) {
        IngestError::Unreadable { file, reason: Text::same(text) }
    } else {
        IngestError::UnknownFormat { file, reason: Text::same(text) }
    }
}

fn damaged(spec: &SourceSpec, error: &GdalError) -> IngestError {
    IngestError::Unreadable { file: spec.file_name(), reason: Text::same(last_words(error)) }
}

/// What GDAL itself said, without the names of its functions.
fn last_words(error: &GdalError) -> String {
    match error {
        GdalError::CplError { msg, .. } | GdalError::NullPointer { msg, .. } if !msg.is_empty() => {
            // A database speaks in several lines.
            msg.split_whitespace().collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}

fn read_layer(spec: &SourceSpec, mut source: gdal::vector::Layer<'_>) -> Result<Layer, IngestError> {
    let (crs, transform) = system_of(source.spatial_ref());
    let fields: Vec<String> = Defn::from_layer(&source).fields().map(|field| field.name()).collect();
    let is_date: Vec<bool> = Defn::from_layer(&source)
        .fields()
        .map(|field| {
            matches!(
                field.field_type(),
                OGRFieldType::OFTDate | OGRFieldType::OFTDateTime | OGRFieldType::OFTTime
            )
        })
        .collect();
    let mut columns: Vec<TableColumn> =
        fields.into_iter().map(|name| TableColumn { name, cells: Vec::new() }).collect();
    let mut geometries = Vec::new();
    let expected = source.feature_count();
    for feature in source.features() {
        geometries.push(feature.geometry().filter(|shape| !shape.is_empty()).and_then(flat));
        for (index, column) in columns.iter_mut().enumerate() {
            // Dates have nothing to say here, and reading them may fail.
            let value = if is_date[index] { None } else { feature.field(index).ok().flatten() };
            column.cells.push(value.map_or(Cell::Empty, cell_of));
        }
    }
    let len = geometries.len();
    if (len as u64) < expected && len == 0 {
        return Err(IngestError::Truncated {
            file: spec.file_name(),
            reason: Text::from((
                format!("文件称有 {expected} 个要素，却一个也读不出"),
                format!("{expected} features are announced, none can be read"),
            )),
        });
    }
    let mut layer = Layer { file: spec.file_name(), columns, geometries, len, crs, ..Layer::default() };
    if let Some(transform) = transform {
        transform_all(&mut layer, &transform);
    }
    Ok(layer)
}

/// A geometry without height and measure; curves are not drawn as such in planning data and count as missing.
fn flat(shape: &gdal::vector::Geometry) -> Option<Geometry<f64>> {
    let mut shape = shape.clone();
    shape.flatten_to_2d();
    shape.to_geo().ok()
}

fn cell_of(value: FieldValue) -> Cell {
    match value {
        FieldValue::IntegerValue(value) => Cell::Number(f64::from(value)),
        FieldValue::Integer64Value(value) => Cell::Number(value as f64),
        FieldValue::RealValue(value) => Cell::Number(value),
        FieldValue::StringValue(text) => Cell::text(&text),
        _ => Cell::Empty,
    }
}

/// A system known without GDAL, or WGS 84 with the way to get there.
fn system_of(reference: Option<SpatialRef>) -> (Option<Crs>, Option<CoordTransform>) {
    let Some(mut reference) = reference else { return (None, None) };
    let _ = reference.auto_identify_epsg();
    let code = reference.auth_code().ok().and_then(|code| u32::try_from(code).ok());
    let is_epsg = reference.auth_name().is_some_and(|name| name == "EPSG");
    if let Some(crs) = code.filter(|_| is_epsg).and_then(Crs::from_epsg) {
        return (Some(crs), None);
    }
    if let Some(crs) = gauss_kruger(&reference) {
        return (Some(crs), None);
    }
    if reference.is_local() {
        return (None, None);
    }
    match transform_from(reference) {
        Some(transform) => (Some(Crs::WGS84), Some(transform)),
        None => (None, None),
    }
}

/// A Gauss–Krüger system on CGCS2000 that ArcGIS wrote without a code.
fn gauss_kruger(reference: &SpatialRef) -> Option<Crs> {
    let text = reference.to_proj4().ok()?;
    let value = |key: &str| {
        let word = text.split_whitespace().find_map(|word| word.strip_prefix(key))?;
        word.parse::<f64>().ok()
    };
    let is_plain = text.contains("+proj=tmerc")
        && (text.contains("+ellps=GRS80") || text.contains("+ellps=WGS84") || text.contains("+datum=WGS84"))
        && value("+k=").or(value("+k_0=")).is_none_or(|scale| scale == 1.0)
        && value("+lat_0=").is_none_or(|latitude| latitude == 0.0);
    let (meridian, east) = (value("+lon_0=")?, value("+x_0=")?);
    if !is_plain || meridian.fract() != 0.0 || !(75.0..=135.0).contains(&meridian) || meridian % 3.0 != 0.0 {
        return None;
    }
    let code = 4534 + (meridian as u32 - 75) / 3;
    let prefix = ((east - 5e5) / 1e6).round();
    if prefix * 1e6 + 5e5 != east || !(0.0..=45.0).contains(&prefix) {
        return None;
    }
    match Crs::from_epsg(code)? {
        Crs::Metres { plane, .. } => Some(Crs::Metres { plane, prefix: prefix as u32 }),
        Crs::Degrees(_) => None,
    }
}

fn transform_from(mut reference: SpatialRef) -> Option<CoordTransform> {
    reference.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
    let mut target = SpatialRef::from_epsg(4326).ok()?;
    target.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
    CoordTransform::new(&reference, &target).ok()
}

fn transform_all(layer: &mut Layer, transform: &CoordTransform) {
    for geometry in layer.geometries.iter_mut().flatten() {
        to_target(geometry, transform);
    }
}

fn to_target(geometry: &mut Geometry<f64>, transform: &CoordTransform) {
    let mut x: Vec<f64> = geometry.coords_iter().map(|at| at.x).collect();
    let mut y: Vec<f64> = geometry.coords_iter().map(|at| at.y).collect();
    let fine = transform.transform_coords(&mut x, &mut y, &mut []).is_ok();
    let mut next = 0;
    let mut moved = std::collections::VecDeque::from_iter(x.into_iter().zip(y));
    let nowhere = Coord { x: f64::NAN, y: f64::NAN };
    let cell = std::cell::RefCell::new((&mut moved, &mut next));
    geometry.map_coords_in_place(|_| {
        let mut state = cell.borrow_mut();
        *state.1 += 1;
        match state.0.pop_front() {
            Some((x, y)) if fine => Coord { x, y },
            _ => nowhere,
        }
    });
}

/// Turns the coordinates of a layer from a system that GDAL knows into degrees on WGS 84.
///
/// # Errors
/// [`IngestError::BadCrs`] for a text that GDAL does not understand.
pub(super) fn to_degrees(layer: &mut Layer, definition: &str) -> Result<(), IngestError> {
    be_quiet();
    let bad =
        |reason: String| IngestError::BadCrs { text: definition.to_owned(), reason: Text::same(reason) };
    let plain = if definition.chars().all(|c| c.is_ascii_digit()) {
        format!("EPSG:{definition}")
    } else {
        definition.to_owned()
    };
    let reference = SpatialRef::from_definition(&plain).map_err(|error| bad(last_words(&error)))?;
    let transform = transform_from(reference).ok_or_else(|| bad("GDAL knows no way to WGS 84".to_owned()))?;
    transform_all(layer, &transform);
    Ok(())
}
