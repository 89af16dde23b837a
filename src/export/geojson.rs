//! GeoJSON (RFC 7946): longitude and latitude in degrees with 7 digits, one feature a line.

use std::io::{self, Write};

use geo::orient::{Direction, Orient};
use geo::{Coord, Geometry, LineString, Polygon};

use super::layers::{Layer, Row, Value};
use crate::geometry::Plane;

/// Digits after the decimal point: a centimetre.
const DIGITS: f64 = 1e7;

/// Writes a layer as a feature collection. Values that are absent are left out; a feature's id is its row.
pub(super) fn write(out: &mut impl Write, layer: &Layer, plane: &Plane) -> io::Result<()> {
    write!(out, "{{\"type\":\"FeatureCollection\",\"name\":\"{}\",\"features\":[", layer.name)?;
    for (index, row) in layer.rows.iter().enumerate() {
        out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
        write_feature(out, layer, index, row, plane)?;
    }
    out.write_all(b"\n]}\n")
}

fn write_feature(out: &mut impl Write, layer: &Layer, id: usize, row: &Row, plane: &Plane) -> io::Result<()> {
    write!(out, "{{\"type\":\"Feature\",\"id\":{id},\"properties\":{{")?;
    let mut first = true;
    for (field, value) in layer.fields.iter().zip(&row.values) {
        if *value == Value::Null {
            continue;
        }
        write!(out, "{}\"{}\":", if first { "" } else { "," }, field.name)?;
        first = false;
        write_value(out, value)?;
    }
    out.write_all(b"},\"geometry\":")?;
    match &row.geometry {
        None => out.write_all(b"null")?,
        Some(geometry) => write_geometry(out, geometry, plane)?,
    }
    out.write_all(b"}")
}

fn write_value(out: &mut impl Write, value: &Value) -> io::Result<()> {
    match value {
        Value::Null => out.write_all(b"null"),
        Value::Text(text) => serde_json::to_writer(out, text).map_err(io::Error::from),
        Value::Int(number) => write!(out, "{number}"),
        Value::Real(number) => serde_json::to_writer(out, number).map_err(io::Error::from),
        Value::Bool(yes) => write!(out, "{yes}"),
    }
}

fn write_geometry(out: &mut impl Write, geometry: &Geometry<f64>, plane: &Plane) -> io::Result<()> {
    let name = match geometry {
        Geometry::Point(_) => "Point",
        Geometry::LineString(_) => "LineString",
        Geometry::Polygon(_) => "Polygon",
        Geometry::MultiPolygon(_) => "MultiPolygon",
        _ => return out.write_all(b"null"),
    };
    write!(out, "{{\"type\":\"{name}\",\"coordinates\":")?;
    match geometry {
        Geometry::Point(point) => write_place(out, point.0, plane)?,
        Geometry::LineString(line) => write_line(out, line, plane)?,
        Geometry::Polygon(polygon) => write_polygon(out, polygon, plane)?,
        Geometry::MultiPolygon(parts) => {
            for (index, part) in parts.0.iter().enumerate() {
                out.write_all(if index == 0 { b"[" } else { b"," })?;
                write_polygon(out, part, plane)?;
            }
            out.write_all(b"]")?;
        }
        _ => {}
    }
    out.write_all(b"}")
}

/// Outer rings run counter-clockwise, holes clockwise.
fn write_polygon(out: &mut impl Write, polygon: &Polygon<f64>, plane: &Plane) -> io::Result<()> {
    let polygon = polygon.orient(Direction::Default);
    out.write_all(b"[")?;
    write_line(out, polygon.exterior(), plane)?;
    for hole in polygon.interiors() {
        out.write_all(b",")?;
        write_line(out, hole, plane)?;
    }
    out.write_all(b"]")
}

fn write_line(out: &mut impl Write, line: &LineString<f64>, plane: &Plane) -> io::Result<()> {
    for (index, at) in line.0.iter().enumerate() {
        out.write_all(if index == 0 { b"[" } else { b"," })?;
        write_place(out, *at, plane)?;
    }
    out.write_all(b"]")
}

fn write_place(out: &mut impl Write, at: Coord<f64>, plane: &Plane) -> io::Result<()> {
    let Coord { x, y } = plane.to_lonlat(at);
    write!(out, "[{},{}]", (x * DIGITS).round() / DIGITS, (y * DIGITS).round() / DIGITS)
}
