//! DXF R12 in GBK for CAD: a CAD layer per layer, labels as text, attributes as extended data, plane coordinates.
//!
//! R12 is the dialect that every CAD program of the last thirty years reads. Characters outside GBK are written
//! as `\U+XXXX`, which AutoCAD understands.

use std::io::{self, Write};

use geo::{BoundingRect, Coord, CoordsIter, Geometry, LineString, Polygon};

use super::layers::{Layer, Row, Value};
use super::{gbk, look};
use crate::geometry::interior_point;

/// Colour number of the AutoCAD index per layer.
const COLORS: [(&str, u8); 13] = [
    ("communities", 6),
    ("compounds", 94),
    ("barriers", 140),
    ("streets", 40),
    ("service_circles", 112),
    ("service_areas", 114),
    ("grids", 5),
    ("buildings", 8),
    ("uncovered", 230),
    ("gates", 84),
    ("premises", 170),
    ("stations", 1),
    ("findings", 30),
];
/// Name under which extended data is registered.
const APPLICATION: &str = "GRIDPLAN";
/// Bytes that one string of extended data may have.
const LONGEST: usize = 250;

/// Height of a layer's labels in metres; layers without labels are absent.
fn text_height(layer: &str) -> Option<f64> {
    match layer {
        "communities" => Some(24.0),
        "grids" => Some(10.0),
        "stations" => Some(7.0),
        "compounds" => Some(5.0),
        "streets" | "premises" => Some(4.0),
        "buildings" => Some(3.0),
        _ => None,
    }
}

/// Writes all layers as one drawing.
pub(super) fn write(out: &mut impl Write, layers: &[Layer]) -> io::Result<()> {
    let mut dxf = Dxf { out };
    dxf.header(layers)?;
    dxf.tables(layers)?;
    dxf.pair(0, "SECTION")?;
    dxf.pair(2, "ENTITIES")?;
    for layer in layers {
        for row in &layer.rows {
            dxf.row(layer, row)?;
        }
    }
    dxf.pair(0, "ENDSEC")?;
    dxf.pair(0, "EOF")
}

struct Dxf<'a, W: Write> {
    out: &'a mut W,
}

impl<W: Write> Dxf<'_, W> {
    fn pair(&mut self, code: u16, text: &str) -> io::Result<()> {
        write!(self.out, "{code:>3}\r\n")?;
        self.out.write_all(&encoded(text))?;
        self.out.write_all(b"\r\n")
    }

    fn number(&mut self, code: u16, number: f64) -> io::Result<()> {
        write!(self.out, "{code:>3}\r\n{number:.4}\r\n")
    }

    fn place(&mut self, code: u16, at: Coord<f64>) -> io::Result<()> {
        self.number(code, at.x)?;
        self.number(code + 10, at.y)?;
        self.number(code + 20, 0.0)
    }

    fn header(&mut self, layers: &[Layer]) -> io::Result<()> {
        self.pair(0, "SECTION")?;
        self.pair(2, "HEADER")?;
        for (name, code, value) in
            [("$ACADVER", 1, "AC1009"), ("$DWGCODEPAGE", 3, "ANSI_936"), ("$PDMODE", 70, "34")]
        {
            self.pair(9, name)?;
            self.pair(code, value)?;
        }
        self.pair(9, "$PDSIZE")?;
        self.number(40, 5.0)?;
        let boxes = layers
            .iter()
            .flat_map(|layer| &layer.rows)
            .filter_map(|row| row.geometry.as_ref()?.bounding_rect());
        let whole = boxes.reduce(|a, b| {
            let low = Coord { x: a.min().x.min(b.min().x), y: a.min().y.min(b.min().y) };
            let high = Coord { x: a.max().x.max(b.max().x), y: a.max().y.max(b.max().y) };
            geo::Rect::new(low, high)
        });
        if let Some(whole) = whole {
            self.pair(9, "$EXTMIN")?;
            self.place(10, whole.min())?;
            self.pair(9, "$EXTMAX")?;
            self.place(10, whole.max())?;
        }
        self.pair(0, "ENDSEC")
    }

    fn tables(&mut self, layers: &[Layer]) -> io::Result<()> {
        self.pair(0, "SECTION")?;
        self.pair(2, "TABLES")?;
        self.table("LTYPE", 1)?;
        for (code, text) in [
            (0, "LTYPE"),
            (2, "CONTINUOUS"),
            (70, "0"),
            (3, "Solid line"),
            (72, "65"),
            (73, "0"),
            (40, "0.0"),
        ] {
            self.pair(code, text)?;
        }
        self.pair(0, "ENDTAB")?;
        let labelled = layers.iter().filter(|layer| text_height(layer.name).is_some()).count();
        self.table("LAYER", layers.len() + labelled)?;
        for layer in layers {
            let color = COLORS.iter().find(|(name, _)| *name == layer.name).map_or(7, |(_, color)| *color);
            self.layer_entry(layer.name, color)?;
            if text_height(layer.name).is_some() {
                self.layer_entry(&label_layer(layer.name), color)?;
            }
        }
        self.pair(0, "ENDTAB")?;
        self.table("STYLE", 1)?;
        for (code, text) in [
            (0, "STYLE"),
            (2, "STANDARD"),
            (70, "0"),
            (40, "0.0"),
            (41, "1.0"),
            (50, "0.0"),
            (71, "0"),
            (42, "2.5"),
            (3, "simsun.ttc"),
            (4, ""),
        ] {
            self.pair(code, text)?;
        }
        self.pair(0, "ENDTAB")?;
        self.table("APPID", 1)?;
        for (code, text) in [(0, "APPID"), (2, APPLICATION), (70, "0")] {
            self.pair(code, text)?;
        }
        self.pair(0, "ENDTAB")?;
        self.pair(0, "ENDSEC")
    }

    fn table(&mut self, name: &str, n_entries: usize) -> io::Result<()> {
        self.pair(0, "TABLE")?;
        self.pair(2, name)?;
        self.pair(70, &n_entries.to_string())
    }

    fn layer_entry(&mut self, name: &str, color: u8) -> io::Result<()> {
        self.pair(0, "LAYER")?;
        self.pair(2, name)?;
        self.pair(70, "0")?;
        self.pair(62, &color.to_string())?;
        self.pair(6, "CONTINUOUS")
    }

    fn row(&mut self, layer: &Layer, row: &Row) -> io::Result<()> {
        match &row.geometry {
            Some(Geometry::Point(point)) => {
                self.pair(0, "POINT")?;
                self.pair(8, layer.name)?;
                self.place(10, point.0)?;
                self.facts(layer, row)?;
            }
            Some(Geometry::LineString(line)) => self.polyline(layer, row, line, false)?,
            Some(Geometry::Polygon(polygon)) => self.polygon(layer, row, polygon)?,
            Some(Geometry::MultiPolygon(parts)) => {
                for part in &parts.0 {
                    self.polygon(layer, row, part)?;
                }
            }
            _ => return Ok(()),
        }
        self.label(layer, row)
    }

    fn polygon(&mut self, layer: &Layer, row: &Row, polygon: &Polygon<f64>) -> io::Result<()> {
        self.polyline(layer, row, polygon.exterior(), true)?;
        polygon.interiors().iter().try_for_each(|hole| self.polyline(layer, row, hole, true))
    }

    fn polyline(&mut self, layer: &Layer, row: &Row, line: &LineString<f64>, closed: bool) -> io::Result<()> {
        self.pair(0, "POLYLINE")?;
        self.pair(8, layer.name)?;
        self.pair(66, "1")?;
        self.place(10, Coord { x: 0.0, y: 0.0 })?;
        self.pair(70, if closed { "1" } else { "0" })?;
        self.facts(layer, row)?;
        // A closed polyline does not repeat its first vertex.
        let n_vertices = line.0.len().saturating_sub(usize::from(closed && line.is_closed()));
        for at in &line.0[..n_vertices] {
            self.pair(0, "VERTEX")?;
            self.pair(8, layer.name)?;
            self.place(10, *at)?;
        }
        self.pair(0, "SEQEND")?;
        self.pair(8, layer.name)
    }

    /// Attributes as `name=value` strings of extended data.
    fn facts(&mut self, layer: &Layer, row: &Row) -> io::Result<()> {
        self.pair(1001, APPLICATION)?;
        for (field, value) in layer.fields.iter().zip(&row.values) {
            if *value == Value::Null {
                continue;
            }
            let mut text = format!("{}={value}", field.name).replace(['\r', '\n'], " ");
            while LONGEST < encoded(&text).len() {
                text.pop();
            }
            self.pair(1000, &text)?;
        }
        Ok(())
    }

    fn label(&mut self, layer: &Layer, row: &Row) -> io::Result<()> {
        let Some(height) = text_height(layer.name) else { return Ok(()) };
        let text = match layer.name {
            "buildings" => layer.column("households").map_or(String::new(), |at| row.values[at].to_string()),
            "streets" | "compounds" => {
                layer.column("name").map_or(String::new(), |at| row.values[at].to_string())
            }
            _ => look::title(layer, row),
        };
        let Some((at, degrees)) = row.geometry.as_ref().and_then(anchor) else { return Ok(()) };
        if text.is_empty() {
            return Ok(());
        }
        let beside = if matches!(layer.name, "stations" | "premises") { height } else { 0.0 };
        let at = Coord { x: at.x, y: at.y + beside };
        self.pair(0, "TEXT")?;
        self.pair(8, &label_layer(layer.name))?;
        self.place(10, at)?;
        self.number(40, height)?;
        self.pair(1, &text.replace(['\r', '\n'], " "))?;
        self.number(50, degrees)?;
        self.pair(72, "1")?;
        self.place(11, at)?;
        self.pair(73, "2")
    }
}

fn label_layer(layer: &str) -> String {
    format!("{layer}_label")
}

/// Where a label stands and its direction in degrees, never upside down.
fn anchor(geometry: &Geometry<f64>) -> Option<(Coord<f64>, f64)> {
    match geometry {
        Geometry::Point(point) => Some((point.0, 0.0)),
        Geometry::Polygon(polygon) => Some((interior_point(&geo::MultiPolygon(vec![polygon.clone()])), 0.0)),
        Geometry::MultiPolygon(area) => (0 < area.coords_count()).then(|| (interior_point(area), 0.0)),
        Geometry::LineString(line) => {
            let middle = line.lines().nth(line.lines().count() / 2)?;
            let mut degrees = middle.dy().atan2(middle.dx()).to_degrees();
            if !(-90.0..=90.0).contains(&degrees) {
                degrees -= 180.0 * degrees.signum();
            }
            Some((middle.start + middle.delta() / 2.0, degrees))
        }
        _ => None,
    }
}

/// Text in GBK; what GBK lacks as `\U+XXXX`, a pair of them beyond the basic plane.
fn encoded(text: &str) -> Vec<u8> {
    gbk::encode(text, |letter| {
        let mut units = [0_u16; 2];
        letter.encode_utf16(&mut units).iter().map(|unit| format!("\\U+{unit:04X}")).collect()
    })
}
