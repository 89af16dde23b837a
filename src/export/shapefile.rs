//! ESRI shapefiles in GBK: `.shp`, `.shx`, `.dbf`, `.prj`, `.cpg`, on the metric plane.
//!
//! Written here rather than through GDAL, whose GBK tables carry no language id (old readers then show mojibake)
//! and cut long texts in the middle of a character. A shapefile holds one kind of geometry: a layer of two kinds
//! becomes two files, the second with the kind in its name.
//! Source: ESRI Shapefile Technical Description, July 1998; dBASE III table layout.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use geo::orient::{Direction, Orient};
use geo::{BoundingRect, Coord, Geometry, LineString, Rect};

use super::layers::{Field, Kind, Layer, Row, Value};
use super::{gbk, write_file};
use crate::geometry::Plane;
use crate::model::Lang;

/// The dBASE language id of GBK (code page 936).
const GBK_LANGUAGE_ID: u8 = 0x4d;
/// Longest text of a dBASE column in bytes.
const WIDEST: usize = 254;
/// Fraction digits of numbers.
const DECIMALS: usize = 4;

/// What a shapefile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Shape {
    Point = 1,
    Line = 3,
    Area = 5,
}

impl Shape {
    fn of(geometry: &Geometry<f64>) -> Option<Self> {
        match geometry {
            Geometry::Point(_) => Some(Self::Point),
            Geometry::LineString(_) => Some(Self::Line),
            Geometry::Polygon(_) | Geometry::MultiPolygon(_) => Some(Self::Area),
            _ => None,
        }
    }

    const fn suffix(self) -> &'static str {
        match self {
            Self::Point => "_point",
            Self::Line => "_line",
            Self::Area => "_area",
        }
    }
}

/// Writes a layer as one shapefile, or one per kind of geometry; the commonest kind has the layer's plain name.
pub(super) fn write(folder: &Path, layer: &Layer, plane: &Plane, lang: Lang) -> io::Result<()> {
    let shape_of = |row: &Row| row.geometry.as_ref().and_then(Shape::of);
    let kinds: BTreeSet<Shape> = layer.rows.iter().filter_map(shape_of).collect();
    let count = |shape| layer.rows.iter().filter(|row| shape_of(row) == Some(shape)).count();
    let Some(main) = kinds.iter().copied().max_by_key(|&shape| (count(shape), std::cmp::Reverse(shape)))
    else {
        return Ok(());
    };
    for shape in kinds {
        let rows: Vec<&Row> =
            layer.rows.iter().filter(|row| shape_of(row).unwrap_or(main) == shape).collect();
        let suffix = if shape == main { "" } else { shape.suffix() };
        let path = |ending: &str| folder.join(format!("{}{suffix}.{ending}", layer.name));
        let (shp, shx) = geometry_files(shape, &rows)?;
        write_file(&path("shp"), |out| out.write_all(&shp))?;
        write_file(&path("shx"), |out| out.write_all(&shx))?;
        write_file(&path("dbf"), |out| write_table(out, &layer.fields, &rows, lang))?;
        write_file(&path("prj"), |out| out.write_all(projection(plane.epsg()).as_bytes()))?;
        write_file(&path("cpg"), |out| out.write_all(b"GBK"))?;
    }
    Ok(())
}

/// The bytes of `.shp` and `.shx`.
fn geometry_files(shape: Shape, rows: &[&Row]) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let mut records = Vec::new();
    let mut index = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let content = row.geometry.as_ref().map_or_else(|| 0_i32.to_le_bytes().to_vec(), record);
        let offset = words(100 + records.len())?;
        let length = words(content.len())?;
        index.extend_from_slice(&offset.to_be_bytes());
        index.extend_from_slice(&length.to_be_bytes());
        let number = i32::try_from(number + 1).map_err(io::Error::other)?;
        records.extend_from_slice(&number.to_be_bytes());
        records.extend_from_slice(&length.to_be_bytes());
        records.extend_from_slice(&content);
    }
    let boxes = rows.iter().filter_map(|row| row.geometry.as_ref()?.bounding_rect());
    let whole = boxes.reduce(joined);
    let file = |body: &[u8]| -> io::Result<Vec<u8>> {
        let mut file = header(shape, words(100 + body.len())?, whole);
        file.extend_from_slice(body);
        Ok(file)
    };
    Ok((file(&records)?, file(&index)?))
}

/// A length in 16-bit words, in which shapefiles count.
fn words(bytes: usize) -> io::Result<i32> {
    i32::try_from(bytes / 2)
        .map_err(|_| io::Error::other("a shapefile holds at most 4 GB; export to fgb or gpkg"))
}

fn joined(a: Rect<f64>, b: Rect<f64>) -> Rect<f64> {
    let low = Coord { x: a.min().x.min(b.min().x), y: a.min().y.min(b.min().y) };
    let high = Coord { x: a.max().x.max(b.max().x), y: a.max().y.max(b.max().y) };
    Rect::new(low, high)
}

fn header(shape: Shape, length: i32, whole: Option<Rect<f64>>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(100);
    bytes.extend_from_slice(&9994_i32.to_be_bytes());
    bytes.extend_from_slice(&[0; 20]);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&1000_i32.to_le_bytes());
    bytes.extend_from_slice(&(shape as i32).to_le_bytes());
    push_box(&mut bytes, whole);
    bytes.extend_from_slice(&[0; 32]);
    bytes
}

fn push_box(bytes: &mut Vec<u8>, whole: Option<Rect<f64>>) {
    let corners = whole.map_or([0.0; 4], |one| [one.min().x, one.min().y, one.max().x, one.max().y]);
    for corner in corners {
        bytes.extend_from_slice(&corner.to_le_bytes());
    }
}

/// The content of one record.
fn record(geometry: &Geometry<f64>) -> Vec<u8> {
    let mut bytes = Vec::new();
    match geometry {
        Geometry::Point(point) => {
            bytes.extend_from_slice(&(Shape::Point as i32).to_le_bytes());
            push_place(&mut bytes, point.0);
        }
        Geometry::LineString(line) => push_parts(&mut bytes, Shape::Line, geometry, &[line]),
        Geometry::Polygon(polygon) => {
            // Outer rings run clockwise here, the reverse of GeoJSON.
            let polygon = polygon.orient(Direction::Reversed);
            push_parts(&mut bytes, Shape::Area, geometry, &rings(&polygon));
        }
        Geometry::MultiPolygon(area) => {
            let area = area.orient(Direction::Reversed);
            let parts: Vec<&LineString<f64>> = area.0.iter().flat_map(rings).collect();
            push_parts(&mut bytes, Shape::Area, geometry, &parts);
        }
        _ => bytes.extend_from_slice(&0_i32.to_le_bytes()),
    }
    bytes
}

fn rings(polygon: &geo::Polygon<f64>) -> Vec<&LineString<f64>> {
    std::iter::once(polygon.exterior()).chain(polygon.interiors()).collect()
}

fn push_parts(bytes: &mut Vec<u8>, shape: Shape, geometry: &Geometry<f64>, parts: &[&LineString<f64>]) {
    bytes.extend_from_slice(&(shape as i32).to_le_bytes());
    push_box(bytes, geometry.bounding_rect());
    let n_points: usize = parts.iter().map(|part| part.0.len()).sum();
    bytes.extend_from_slice(&(parts.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&(n_points as u32).to_le_bytes());
    let mut start = 0_u32;
    for part in parts {
        bytes.extend_from_slice(&start.to_le_bytes());
        start += part.0.len() as u32;
    }
    for at in parts.iter().flat_map(|part| &part.0) {
        push_place(bytes, *at);
    }
}

fn push_place(bytes: &mut Vec<u8>, at: Coord<f64>) {
    bytes.extend_from_slice(&at.x.to_le_bytes());
    bytes.extend_from_slice(&at.y.to_le_bytes());
}

/// Column name in the table: at most 10 bytes of GBK.
pub(super) fn column_name(field: &Field, lang: Lang) -> &str {
    lang.pick(&field.zh, &field.short)
}

fn write_table(out: &mut impl Write, fields: &[Field], rows: &[&Row], lang: Lang) -> io::Result<()> {
    let widths: Vec<usize> =
        (0..fields.len()).map(|column| width(fields[column].kind, column, rows)).collect();
    let record_length = 1 + widths.iter().sum::<usize>();
    let header_length = 32 + 32 * fields.len() + 1;
    let too_large =
        |_| io::Error::other("the attribute table is too wide for a shapefile; export to fgb or gpkg");
    // dBASE III without memo; the date of the last change is always the same, so that equal plans give equal files.
    out.write_all(&[0x03, 95, 7, 26])?;
    out.write_all(&u32::try_from(rows.len()).map_err(too_large)?.to_le_bytes())?;
    out.write_all(&u16::try_from(header_length).map_err(too_large)?.to_le_bytes())?;
    out.write_all(&u16::try_from(record_length).map_err(too_large)?.to_le_bytes())?;
    out.write_all(&[0; 17])?;
    out.write_all(&[GBK_LANGUAGE_ID, 0, 0])?;
    for (field, &width) in fields.iter().zip(&widths) {
        write_column(out, field, width, lang)?;
    }
    out.write_all(&[0x0d])?;
    for row in rows {
        out.write_all(b" ")?;
        for ((field, value), &width) in fields.iter().zip(&row.values).zip(&widths) {
            out.write_all(&cell(field.kind, value, width))?;
        }
    }
    out.write_all(&[0x1a])
}

fn write_column(out: &mut impl Write, field: &Field, width: usize, lang: Lang) -> io::Result<()> {
    let mut name = encoded(column_name(field, lang));
    name.resize(11, 0);
    out.write_all(&name)?;
    out.write_all(if field.kind == Kind::Text { b"C" } else { b"N" })?;
    out.write_all(&[0; 4])?;
    let decimals = if field.kind == Kind::Real { DECIMALS as u8 } else { 0 };
    out.write_all(&[width as u8, decimals])?;
    out.write_all(&[0; 14])
}

/// Width of a column: what its longest value needs, between 1 and 254 bytes.
fn width(kind: Kind, column: usize, rows: &[&Row]) -> usize {
    let longest = rows.iter().map(|row| plain(kind, &row.values[column]).len()).max().unwrap_or(0);
    longest.clamp(1, WIDEST)
}

fn plain(kind: Kind, value: &Value) -> Vec<u8> {
    match (kind, value) {
        (_, Value::Null) => Vec::new(),
        (Kind::Text, value) => encoded(&value.to_string()),
        (_, Value::Bool(yes)) => vec![if *yes { b'1' } else { b'0' }],
        (Kind::Real, Value::Real(number)) => format!("{number:.DECIMALS$}").into_bytes(),
        (_, value) => value.to_string().into_bytes(),
    }
}

/// A value at the column's width: text to the left, numbers to the right. Long text ends with a whole character.
fn cell(kind: Kind, value: &Value, width: usize) -> Vec<u8> {
    let mut bytes = plain(kind, value);
    if width < bytes.len() {
        bytes = cut(&value.to_string(), width);
    }
    let missing = width - bytes.len();
    if kind == Kind::Text {
        bytes.resize(width, b' ');
        return bytes;
    }
    let mut padded = vec![b' '; missing];
    padded.append(&mut bytes);
    padded
}

fn cut(text: &str, width: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(width);
    let mut letters = [0_u8; 4];
    for letter in text.chars() {
        let next = encoded(letter.encode_utf8(&mut letters));
        if width < bytes.len() + next.len() {
            break;
        }
        bytes.extend_from_slice(&next);
    }
    bytes
}

/// Text in GBK; what GBK lacks becomes `?`.
fn encoded(text: &str) -> Vec<u8> {
    gbk::encode(text, |_| "?".to_owned())
}

/// The plane as ESRI writes it.
fn projection(epsg: u32) -> String {
    let china = "GEOGCS[\"GCS_China_Geodetic_Coordinate_System_2000\",DATUM[\"D_China_2000\",\
                 SPHEROID[\"CGCS2000\",6378137.0,298.257222101]],PRIMEM[\"Greenwich\",0.0],\
                 UNIT[\"Degree\",0.0174532925199433]]";
    let world = "GEOGCS[\"GCS_WGS_1984\",DATUM[\"D_WGS_1984\",SPHEROID[\"WGS_1984\",6378137.0,298.257223563]],\
                 PRIMEM[\"Greenwich\",0.0],UNIT[\"Degree\",0.0174532925199433]]";
    let (name, datum, method, easting, northing, meridian, scale) = match epsg {
        4513..=4533 => {
            let zone = epsg - 4513 + 25;
            let name = format!("CGCS2000_3_Degree_GK_Zone_{zone}");
            (name, china, "Gauss_Kruger", f64::from(zone) * 1e6 + 5e5, 0.0, f64::from(zone * 3), 1.0)
        }
        4534..=4554 => {
            let meridian = 75 + (epsg - 4534) * 3;
            let name = format!("CGCS2000_3_Degree_GK_CM_{meridian}E");
            (name, china, "Gauss_Kruger", 5e5, 0.0, f64::from(meridian), 1.0)
        }
        _ => {
            let south = 32_700 < epsg;
            let zone = epsg - if south { 32_700 } else { 32_600 };
            let name = format!("WGS_1984_UTM_Zone_{zone}{}", if south { 'S' } else { 'N' });
            let northing = if south { 1e7 } else { 0.0 };
            (name, world, "Transverse_Mercator", 5e5, northing, f64::from(zone) * 6.0 - 183.0, 0.9996)
        }
    };
    format!(
        "PROJCS[\"{name}\",{datum},PROJECTION[\"{method}\"],PARAMETER[\"False_Easting\",{easting:.1}],\
         PARAMETER[\"False_Northing\",{northing:.1}],PARAMETER[\"Central_Meridian\",{meridian:.1}],\
         PARAMETER[\"Scale_Factor\",{scale:?}],PARAMETER[\"Latitude_Of_Origin\",0.0],UNIT[\"Meter\",1.0]]"
    )
}
