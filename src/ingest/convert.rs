//! A layer of any format → a draft: refusal of personal columns, filter, coordinates, role.

use geo::{Coord, CoordsIter, Geometry, MapCoordsInPlace, Point, Polygon};

use super::columns::{Column, ColumnMap};
use super::crs::{Crs, Look, look};
use super::draft::Draft;
use super::error::IngestError;
use super::filter::Filter;
use super::roles::{self, Role};
use super::rows;
use super::source::SourceSpec;
use super::table::{Cell, Layer, ShapeKind};
use super::words::normal;
use super::{ImportRequest, privacy};
use crate::geometry::{Datum, Plane};
use crate::model::{Finding, FindingKind, Severity, Text};

/// Share of lines that must be closed before a layer of lines counts as outlines (DXF draws areas so).
const CLOSED_SHARE: f64 = 0.9;

/// Coordinates looked at to find out what they are.
const LOOKED_AT: usize = 100_000;

/// Layers with their roles. Layers whose role cannot be told are an error only if nothing else is in the file.
pub(super) fn drafts(
    spec: &SourceSpec,
    request: &ImportRequest,
    layers: Vec<Layer>,
) -> Result<Vec<Draft>, IngestError> {
    let several = 1 < layers.len();
    let mut drafts = Vec::new();
    let mut first_error = None;
    for layer in layers {
        match draft(spec, request, layer) {
            Ok(draft) => drafts.push(draft),
            Err(
                error @ (IngestError::UnknownRole { .. }
                | IngestError::EmptyLayer { .. }
                | IngestError::NoCoordinates { .. }),
            ) if several => {
                first_error.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    match (drafts.is_empty(), first_error) {
        (true, Some(error)) => Err(error),
        _ => Ok(drafts),
    }
}

fn draft(spec: &SourceSpec, request: &ImportRequest, mut layer: Layer) -> Result<Draft, IngestError> {
    privacy::check(&layer)?;
    let mut findings = Vec::new();
    let filtered = apply_filter(spec, request, &mut layer)?;
    if layer.len == 0 {
        let role = spec.role.unwrap_or(Role::Buildings);
        let reason = if filtered.is_some() {
            ("筛选后没有剩下要素", "no feature is left")
        } else {
            ("其中没有要素", "it has no features")
        };
        return Err(IngestError::EmptyLayer { file: layer.label(), role, reason: reason.into(), filtered });
    }
    let columns = ColumnMap::of(&layer, request);
    let placed = place(&mut layer, &columns, spec.role)?;
    let system = if placed {
        coordinate_system(spec, request, &mut layer, &columns)?
    } else {
        System { datum_open: false, ..System::sure(Crs::WGS84, ("没有坐标", "it has no coordinates")) }
    };
    let (role, role_guessed) = role_of(spec, &mut layer, &columns)?;
    if !placed && role != Role::Compounds {
        return Err(IngestError::NoCoordinates { file: layer.label(), available: layer.column_names() });
    }
    findings.extend(system.finding);
    let mut draft = Draft::new(layer.file.clone(), role);
    draft.layer.clone_from(&layer.layer);
    draft.role_guessed = role_guessed;
    draft.encoding.clone_from(&layer.encoding);
    draft.crs = system.crs;
    draft.crs_how = system.how;
    draft.crs_detected = system.detected;
    draft.datum_open = system.datum_open;
    draft.zone_open = system.zone_open;
    draft.columns = layer.column_names();
    draft.recognised = columns.described(&layer);
    draft.findings = findings;
    rows::fill(&mut draft, &layer, &columns)?;
    if draft.features == 0 {
        let reason = Text::from((
            format!("{} 个要素都没有可用的图形", layer.len),
            format!("none of its {} features has a usable geometry", layer.len),
        ));
        return Err(IngestError::EmptyLayer { file: layer.label(), role, reason, filtered });
    }
    Ok(draft)
}

/// Applies the filters of the source and of the request; the first must fit, the second may.
fn apply_filter(
    spec: &SourceSpec,
    request: &ImportRequest,
    layer: &mut Layer,
) -> Result<Option<String>, IngestError> {
    let mut applied = Vec::new();
    for (text, must) in [(&spec.filter, true), (&request.filter, false)] {
        let Some(text) = text else { continue };
        let filter = Filter::parse(text)?;
        match filter.rows(layer) {
            Some(keep) => {
                layer.retain(&keep);
                applied.push(filter.text().to_owned());
            }
            None if must => {
                let (label, names) = (layer.label(), layer.column_names());
                let asked: Vec<&str> = filter.columns().collect();
                let reason = Text::from((
                    format!("{label} 缺少其中的列（{}）；现有：{}", asked.join("、"), names.join("、")),
                    format!(
                        "{label} lacks one of its columns ({}); it has: {}",
                        asked.join(", "),
                        names.join(", ")
                    ),
                ));
                return Err(IngestError::BadFilter { filter: text.clone(), reason });
            }
            None => {}
        }
    }
    Ok((!applied.is_empty()).then(|| applied.join(" and ")))
}

/// Makes points from coordinate columns where the layer has no geometry. `false` if there is no place at all.
fn place(layer: &mut Layer, columns: &ColumnMap, role: Option<Role>) -> Result<bool, IngestError> {
    if layer.geometries.iter().any(Option::is_some) {
        return Ok(true);
    }
    if let Some(index) = columns.get(Column::Wkt) {
        let geometries: Vec<_> = layer.columns[index].cells.iter().map(geometry_of_wkt).collect();
        if geometries.iter().any(Option::is_some) {
            layer.geometries = geometries;
            return Ok(true);
        }
    }
    let pairs = [(Column::Longitude, Column::Latitude), (Column::X, Column::Y)];
    let found = pairs.iter().find_map(|(x, y)| Some((columns.get(*x)?, columns.get(*y)?)));
    let Some((x, y)) = found else {
        return if role == Some(Role::Compounds) {
            layer.geometries = vec![None; layer.len];
            Ok(false)
        } else {
            Err(IngestError::NoCoordinates { file: layer.label(), available: layer.column_names() })
        };
    };
    let number = |cell: &Cell| cell.number().unwrap_or(f64::NAN);
    let points = layer.columns[x].cells.iter().zip(&layer.columns[y].cells);
    layer.geometries = points.map(|(x, y)| Some(Geometry::Point(Point::new(number(x), number(y))))).collect();
    Ok(true)
}

fn geometry_of_wkt(cell: &Cell) -> Option<Geometry<f64>> {
    let Cell::Text(text) = cell else { return None };
    // EWKT carries its SRID in front.
    let text = text.split_once(';').map_or(&**text, |(_, wkt)| wkt);
    super::wkt::parse(text)
}

/// A coordinate system with how it is known and what is odd about it.
struct System {
    crs: Crs,
    how: Text,
    detected: bool,
    datum_open: bool,
    zone_open: bool,
    finding: Option<Finding>,
}

impl System {
    fn sure(crs: Crs, how: impl Into<Text>) -> Self {
        let datum_open = crs == Crs::WGS84;
        Self { crs, how: how.into(), detected: false, datum_open, zone_open: false, finding: None }
    }

    fn detected(crs: Crs, how: impl Into<Text>) -> Self {
        Self { detected: true, ..Self::sure(crs, how) }
    }
}

/// Declared by the user, stated by the file, or read off the coordinates. Swapped axes are put right.
fn coordinate_system(
    spec: &SourceSpec,
    request: &ImportRequest,
    layer: &mut Layer,
    columns: &ColumnMap,
) -> Result<System, IngestError> {
    let seen = look(&sample(layer));
    let mut system = declared(spec, request, layer, &seen)?;
    if system.is_none() {
        system = layer.crs.clone().and_then(|crs| stated(crs, &seen));
    }
    let mut system = match system {
        Some(system) => system,
        None => read_off(layer, &seen)?,
    };
    let swapped = match &seen {
        Look::Degrees { swapped } => *swapped && system.crs.is_degrees(),
        Look::Zoned { swapped, .. } | Look::Metres { swapped } => *swapped && !system.crs.is_degrees(),
        Look::Unknown => false,
    };
    if swapped {
        swap_axes(layer);
        system.finding.get_or_insert_with(|| {
            Finding::new(
                Severity::Info,
                FindingKind::BadCoordinates,
                layer.label(),
                (
                    "两个坐标列对调了，已按相反的顺序读取",
                    "the columns of the two coordinates are exchanged; they were taken the other way round",
                ),
                ("若该文件还用于别处，请在文件中对调", "exchange them in the file if it is used elsewhere"),
            )
        });
    }
    if let Crs::Degrees(_) = system.crs {
        let asked = spec.datum.or(request.datum).map(|datum| (datum, ("指定", "declared")));
        if let Some((datum, how)) = asked.or_else(|| datum_of_names(layer, columns)) {
            system.crs = Crs::Degrees(datum);
            system.how = how.into();
            system.detected = false;
            system.datum_open = false;
        }
    }
    Ok(system)
}

/// The system that the user asks for, where the coordinates can be in it.
fn declared(
    spec: &SourceSpec,
    request: &ImportRequest,
    layer: &mut Layer,
    seen: &Look,
) -> Result<Option<System>, IngestError> {
    let (text, must) = match (&spec.crs, &request.crs) {
        (Some(text), _) => (text, true),
        (None, Some(text)) if !layer.fixed_crs => (text, false),
        _ => return Ok(None),
    };
    let looks_like_degrees = matches!(seen, Look::Degrees { .. });
    let crs = match Crs::parse(text) {
        Ok(crs) => crs,
        Err(error) => return foreign(text, layer, error).map(Some),
    };
    if !must && crs.is_degrees() != looks_like_degrees {
        return Ok(None);
    }
    let datum_open = crs == Crs::WGS84 && spec.datum.is_none() && !text.to_lowercase().contains("wgs");
    Ok(Some(System { datum_open, ..System::sure(with_prefix(crs, seen), ("指定", "declared")) }))
}

/// A declared system that only GDAL knows: the coordinates become degrees at once.
#[cfg(feature = "gdal")]
fn foreign(text: &str, layer: &mut Layer, _error: IngestError) -> Result<System, IngestError> {
    super::gdal::to_degrees(layer, text)?;
    Ok(System {
        datum_open: false,
        ..System::sure(Crs::WGS84, (format!("指定为 {text}"), format!("declared as {text}")))
    })
}

#[cfg(not(feature = "gdal"))]
fn foreign(_text: &str, _layer: &mut Layer, error: IngestError) -> Result<System, IngestError> {
    Err(error)
}

/// The system that the file states, unless its coordinates cannot be in it.
fn stated(crs: Crs, seen: &Look) -> Option<System> {
    let fits = match seen {
        Look::Degrees { .. } => crs.is_degrees(),
        Look::Zoned { .. } | Look::Metres { .. } => !crs.is_degrees(),
        Look::Unknown => true,
    };
    fits.then(|| System::sure(with_prefix(crs, seen), ("文件标明", "stated by the file")))
}

/// A plane without zone number whose eastings carry one nevertheless.
fn with_prefix(crs: Crs, seen: &Look) -> Crs {
    match (crs, seen) {
        (Crs::Metres { plane, prefix: 0 }, Look::Zoned { crs: Crs::Metres { prefix, .. }, .. })
            if (4534..=4554).contains(&plane.epsg()) =>
        {
            Crs::Metres { plane, prefix: *prefix }
        }
        (crs, _) => crs,
    }
}

/// The system read off the coordinates.
fn read_off(layer: &Layer, seen: &Look) -> Result<System, IngestError> {
    let example = || {
        let at = sample(layer).into_iter().find(|at| at.x.is_finite() && at.y.is_finite());
        at.map_or_else(
            || Text::from(("没有一个坐标是数", "no coordinate is a number")),
            |at| Text::from((format!("例如 {}, {}", at.x, at.y), format!("for example {}, {}", at.x, at.y))),
        )
    };
    match seen {
        Look::Degrees { .. } => {
            Ok(System::detected(Crs::WGS84, ("由坐标范围检测", "detected from the range of the coordinates")))
        }
        Look::Zoned { crs, .. } => {
            let how = ("由横坐标前的带号检测", "detected from the zone number in the easting");
            Ok(System::detected(crs.clone(), how))
        }
        Look::Metres { .. } => Ok(System {
            zone_open: true,
            // Any plane will do until the other sources tell which: see `assemble::settle_zones`.
            crs: Crs::Metres { plane: Plane::from_epsg(4549)?, prefix: 0 },
            how: example(),
            detected: false,
            datum_open: false,
            finding: None,
        }),
        Look::Unknown => Err(IngestError::UnknownCrs { file: layer.label(), reason: example() }),
    }
}

/// A datum that the names of the coordinate columns, or of the file, give away.
fn datum_of_names(layer: &Layer, columns: &ColumnMap) -> Option<(Datum, (&'static str, &'static str))> {
    let of = |name: &str| {
        let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
        if has(&["gcj", "amap", "高德", "腾讯", "火星"]) {
            Some(Datum::Gcj02)
        } else if has(&["bd09", "baidu", "百度", "bdlng", "bdlat", "bdlon"]) {
            Some(Datum::Bd09)
        } else if has(&["wgs", "cgcs", "2000"]) {
            Some(Datum::Wgs84)
        } else {
            None
        }
    };
    let pair = [Column::Longitude, Column::X];
    let name = pair.iter().find_map(|&column| Some(&layer.columns[columns.get(column)?].name));
    name.and_then(|name| of(&normal(name)))
        .map(|datum| (datum, ("由列名得知", "from the column name")))
        .or_else(|| {
            of(&normal(&layer.label()))
                .filter(|datum| *datum != Datum::Wgs84)
                .map(|datum| (datum, ("由文件名得知", "from the file name")))
        })
}

fn sample(layer: &Layer) -> Vec<Coord<f64>> {
    let step = (layer.len / LOOKED_AT).max(1);
    layer
        .geometries
        .iter()
        .step_by(step)
        .flatten()
        .filter_map(|geometry| geometry.coords_iter().next())
        .collect()
}

fn swap_axes(layer: &mut Layer) {
    for geometry in layer.geometries.iter_mut().flatten() {
        geometry.map_coords_in_place(|at| Coord { x: at.y, y: at.x });
    }
}

/// The role that is declared and possible, or guessed.
fn role_of(
    spec: &SourceSpec,
    layer: &mut Layer,
    columns: &ColumnMap,
) -> Result<(Role, Option<Text>), IngestError> {
    let found = |layer: &Layer| match layer.shape_kind() {
        Some(kind) => {
            let (words, names) = (kind.words(), layer.column_names());
            Text::from((
                format!("{}，列为 {}", words.zh, names.join("、")),
                format!("{} with the columns {}", words.en, names.join(", ")),
            ))
        }
        None => Text::from(("没有图形", "no geometry")),
    };
    if let Some(role) = spec.role {
        if layer.shape_kind() == Some(ShapeKind::Lines) && !role.accepts(ShapeKind::Lines) {
            close_lines(layer);
        }
        let possible = layer.shape_kind().is_none_or(|kind| role.accepts(kind));
        if !possible {
            let nothing = || Text::from(("没有图形", "nothing"));
            let found = layer.shape_kind().map_or_else(nothing, ShapeKind::words);
            return Err(IngestError::WrongRole { file: layer.label(), role, found });
        }
        return Ok((role, None));
    }
    match roles::guess(layer, columns) {
        Some((role, why)) => Ok((role, Some(why))),
        None => Err(IngestError::UnknownRole { file: layer.label(), found: found(layer) }),
    }
}

/// Closed lines as areas, if nearly all are closed.
fn close_lines(layer: &mut Layer) {
    let closed = |geometry: &Geometry<f64>| matches!(geometry, Geometry::LineString(line) if line.is_closed() && 4 <= line.0.len());
    let count = layer.geometries.iter().flatten().filter(|geometry| closed(geometry)).count();
    if (count as f64) < CLOSED_SHARE * layer.geometries.iter().flatten().count() as f64 {
        return;
    }
    for slot in &mut layer.geometries {
        *slot = match slot.take() {
            Some(Geometry::LineString(line)) if line.is_closed() && 4 <= line.0.len() => {
                Some(Geometry::Polygon(Polygon::new(line, Vec::new())))
            }
            _ => None,
        };
    }
}
