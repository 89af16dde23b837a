//! KML 2.2 for Google Earth and its kin: a folder a layer, shared styles, a table of facts in each balloon.

use std::io::{self, Write};

use geo::{Coord, Geometry, LineString, Polygon};

use super::layers::{Layer, Row, Value};
use super::look;
use crate::geometry::Plane;
use crate::model::Lang;

/// Layers that are folded away at first: they are there to be looked up, or hide what matters.
const HIDDEN: [&str; 5] = ["streets", "premises", "gates", "findings", "compounds"];
/// Above so many placemarks a folder is hidden at first, or viewers crawl.
const MANY: usize = 4_000;

/// Writes all layers as one document.
pub(super) fn write(
    out: &mut impl Write,
    layers: &[Layer],
    plane: &Plane,
    title: &str,
    lang: Lang,
) -> io::Result<()> {
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<kml xmlns=\"http://www.opengis.net/kml/2.2\"><Document><name>{}</name>", escaped(title))?;
    let looks: Vec<Vec<look::Look>> = layers.iter().map(look::looks).collect();
    for (layer, looks) in layers.iter().zip(&looks) {
        write_styles(out, layer, looks)?;
    }
    // The last folder is drawn on top and listed first by most viewers when the order is kept.
    for (layer, looks) in layers.iter().zip(&looks) {
        let open = !HIDDEN.contains(&layer.name) && layer.rows.len() <= MANY;
        let name = lang.pick(layer.zh, layer.name);
        writeln!(out, "<Folder id=\"{}\"><name>{}</name><open>0</open>", layer.name, escaped(name))?;
        for (row, look) in layer.rows.iter().zip(looks) {
            write_placemark(out, layer, row, look, plane, lang, open && is_for_all(layer, row))?;
        }
        writeln!(out, "</Folder>")?;
    }
    writeln!(out, "</Document></kml>")
}

/// The circles of single stations lie on top of one another: only those of all stations together are shown at first.
fn is_for_all(layer: &Layer, row: &Row) -> bool {
    if layer.name == "service_areas" {
        return false;
    }
    layer.name != "service_circles" || layer.column("station").is_none_or(|at| row.values[at] == Value::Null)
}

fn write_styles(out: &mut impl Write, layer: &Layer, looks: &[look::Look]) -> io::Result<()> {
    let mut written: Vec<usize> = Vec::new();
    for look in looks {
        if written.contains(&look.class) {
            continue;
        }
        written.push(look.class);
        let id = format!("{}-{}", layer.name, look.class);
        let line = kml_color(look.line, 1.0);
        let fill = kml_color(look.fill, look.fill_opacity);
        writeln!(
            out,
            "<Style id=\"{id}\"><LineStyle><color>{line}</color><width>{}</width></LineStyle>\
             <PolyStyle><color>{fill}</color><fill>{}</fill></PolyStyle>\
             <IconStyle><color>{}</color><scale>{}</scale></IconStyle>\
             <LabelStyle><scale>{}</scale></LabelStyle></Style>",
            look.width,
            u8::from(0.0 < look.fill_opacity),
            kml_color(look.fill, 1.0),
            look.size,
            if matches!(layer.name, "stations" | "premises") { 0.9 } else { 0.0 },
        )?;
    }
    Ok(())
}

/// `#rrggbb` and an opacity as KML's `aabbggrr`.
fn kml_color(hex: &str, opacity: f64) -> String {
    let alpha = (opacity * 255.0).round() as u8;
    format!("{alpha:02x}{}{}{}", &hex[5..7], &hex[3..5], &hex[1..3])
}

fn write_placemark(
    out: &mut impl Write,
    layer: &Layer,
    row: &Row,
    look: &look::Look,
    plane: &Plane,
    lang: Lang,
    visible: bool,
) -> io::Result<()> {
    let facts = || layer.fields.iter().zip(&row.values).filter(|(_, value)| **value != Value::Null);
    let alias = |field: &super::layers::Field| lang.pick(&field.zh, &field.name).to_owned();
    write!(
        out,
        "<Placemark><name>{}</name><visibility>{}</visibility><styleUrl>#{}-{}</styleUrl><description><![CDATA[<table>",
        escaped(&look::title(layer, row)),
        u8::from(visible),
        layer.name,
        look.class
    )?;
    for (field, value) in facts() {
        let text = escaped(&value.to_string()).replace("]]>", "]]&gt;");
        write!(out, "<tr><td>{}</td><td>{text}</td></tr>", escaped(&alias(field)))?;
    }
    write!(out, "</table>]]></description><ExtendedData>")?;
    for (field, value) in facts() {
        write!(
            out,
            "<Data name=\"{}\"><displayName>{}</displayName><value>{}</value></Data>",
            field.name,
            escaped(&alias(field)),
            escaped(&value.to_string())
        )?;
    }
    write!(out, "</ExtendedData>")?;
    if let Some(geometry) = &row.geometry {
        write_geometry(out, geometry, plane)?;
    }
    writeln!(out, "</Placemark>")
}

fn write_geometry(out: &mut impl Write, geometry: &Geometry<f64>, plane: &Plane) -> io::Result<()> {
    match geometry {
        Geometry::Point(point) => {
            write!(out, "<Point><coordinates>")?;
            write_place(out, point.0, plane)?;
            write!(out, "</coordinates></Point>")
        }
        Geometry::LineString(line) => {
            write!(out, "<LineString><tessellate>1</tessellate>")?;
            write_ring(out, line, plane)?;
            write!(out, "</LineString>")
        }
        Geometry::Polygon(polygon) => write_polygon(out, polygon, plane),
        Geometry::MultiPolygon(parts) => {
            write!(out, "<MultiGeometry>")?;
            for part in &parts.0 {
                write_polygon(out, part, plane)?;
            }
            write!(out, "</MultiGeometry>")
        }
        _ => Ok(()),
    }
}

fn write_polygon(out: &mut impl Write, polygon: &Polygon<f64>, plane: &Plane) -> io::Result<()> {
    write!(out, "<Polygon><outerBoundaryIs><LinearRing>")?;
    write_ring(out, polygon.exterior(), plane)?;
    write!(out, "</LinearRing></outerBoundaryIs>")?;
    for hole in polygon.interiors() {
        write!(out, "<innerBoundaryIs><LinearRing>")?;
        write_ring(out, hole, plane)?;
        write!(out, "</LinearRing></innerBoundaryIs>")?;
    }
    write!(out, "</Polygon>")
}

fn write_ring(out: &mut impl Write, line: &LineString<f64>, plane: &Plane) -> io::Result<()> {
    write!(out, "<coordinates>")?;
    for (index, at) in line.0.iter().enumerate() {
        if 0 < index {
            write!(out, " ")?;
        }
        write_place(out, *at, plane)?;
    }
    write!(out, "</coordinates>")
}

fn write_place(out: &mut impl Write, at: Coord<f64>, plane: &Plane) -> io::Result<()> {
    let Coord { x, y } = plane.to_lonlat(at);
    write!(out, "{},{}", (x * 1e7).round() / 1e7, (y * 1e7).round() / 1e7)
}

/// Text for XML: markup escaped, and characters that XML 1.0 cannot hold left out.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\t' | '\n' | '\r' => safe.push(letter),
            _ if letter < ' ' || letter == '\u{fffe}' || letter == '\u{ffff}' => {}
            _ => safe.push(letter),
        }
    }
    safe
}
