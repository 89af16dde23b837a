//! Vector tiles (MVT 2.1) in one PMTiles archive, for large plans.
//!
//! - Per zoom: project to the tile grid, simplify (not at the top zoom), clip to each tile with a margin, encode.
//! - Below the top zoom only the columns that colours depend on are kept, and at most [`MOST`] things of a layer:
//!   the largest ones, one threshold per zoom for all tiles, so that no seams show.
//! - Cost: O(vertices × zooms) plus O(tiles) per large area; zooms one after the other, things in parallel.
//! - Sources: Mapbox Vector Tile Specification 2.1; PMTiles 3.

use std::io::{self, Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use geo::{Area, BoundingRect, Coord, CoordsIter, Geometry, LineString, MapCoords, Polygon, Simplify};
use pmtiles::{PmTilesWriter, TileCoord, TileId, TileType};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::layers::{Layer, Value};
use crate::geometry::Plane;

/// Units along the side of a tile.
const EXTENT: f64 = 8192.0;
/// Margin around a tile in its units, so that outlines and casings join.
const MARGIN: f64 = 128.0;
/// Simplification below the top zoom in tile units.
const TOLERANCE: f64 = 3.0;
/// Most things of a layer at a zoom below the top.
const MOST: usize = 150_000;
/// Columns that colours and labels depend on: all that tiles below the top zoom keep.
const DRAWN: [&str; 14] = [
    "households",
    "band_network_time",
    "band_network_distance",
    "band_straight_radius",
    "class",
    "kind",
    "name",
    "code",
    "tier",
    "status",
    "minutes",
    "method",
    "station",
    "in_range",
];

/// An archive of the layers at all zooms of a range.
pub(super) fn archive(
    layers: &[&Layer],
    plane: &Plane,
    zooms: std::ops::RangeInclusive<u8>,
    title: &str,
) -> io::Result<Vec<u8>> {
    let world: Vec<Vec<Option<Geometry<f64>>>> = layers.iter().map(|layer| projected(layer, plane)).collect();
    let bounds = bounds(layers, plane);
    let metadata = metadata(layers, title, *zooms.start(), *zooms.end());
    let mut file = Cursor::new(Vec::new());
    let mut writer = PmTilesWriter::new(TileType::Mvt)
        .precompressed(pmtiles::Compression::Gzip)
        .min_zoom(*zooms.start())
        .max_zoom(*zooms.end())
        .bounds(bounds[0], bounds[1], bounds[2], bounds[3])
        .center((bounds[0] + bounds[2]) / 2.0, (bounds[1] + bounds[3]) / 2.0)
        .center_zoom((*zooms.start()).midpoint(*zooms.end()))
        .metadata(metadata)
        .create(&mut file)
        .map_err(io::Error::other)?;
    let top = *zooms.end();
    for zoom in zooms {
        for (id, bytes) in tiles_at(layers, &world, zoom, zoom == top)? {
            let coord = TileCoord::from(TileId::new(id).map_err(io::Error::other)?);
            writer.add_tile(coord, &bytes).map_err(io::Error::other)?;
        }
    }
    writer.finalize().map_err(io::Error::other)?;
    Ok(file.into_inner())
}

/// Column and row, gzipped bytes.
#[cfg(test)]
type TestTile = ((u32, u32), Vec<u8>);

/// The tiles of one zoom by column and row.
#[cfg(test)]
pub(super) fn tiles(layers: &[&Layer], plane: &Plane, zoom: u8, is_top: bool) -> io::Result<Vec<TestTile>> {
    let world: Vec<Vec<Option<Geometry<f64>>>> = layers.iter().map(|layer| projected(layer, plane)).collect();
    let tiles = tiles_at(layers, &world, zoom, is_top)?.into_iter();
    let place = |id| TileId::new(id).map(TileCoord::from).map_err(io::Error::other);
    tiles.map(|(id, bytes)| place(id).map(|at| ((at.x(), at.y()), bytes))).collect()
}

/// Geometry on the unit square of web Mercator, y down.
fn projected(layer: &Layer, plane: &Plane) -> Vec<Option<Geometry<f64>>> {
    let to_world = |at: Coord<f64>| {
        let Coord { x, y } = plane.to_lonlat(at);
        let sine = y.to_radians().sin().clamp(-0.9999, 0.9999);
        let north = ((1.0 + sine) / (1.0 - sine)).ln() / (4.0 * std::f64::consts::PI);
        Coord { x: x / 360.0 + 0.5, y: 0.5 - north }
    };
    layer
        .rows
        .par_iter()
        .map(|row| row.geometry.as_ref().map(|geometry| geometry.map_coords(to_world)))
        .collect()
}

/// West, south, east, north in degrees.
fn bounds(layers: &[&Layer], plane: &Plane) -> [f64; 4] {
    let corners = layers
        .iter()
        .flat_map(|layer| &layer.rows)
        .filter_map(|row| row.geometry.as_ref()?.bounding_rect())
        .flat_map(|rect| rect.to_polygon().into_inner().0.0)
        .map(|at| plane.to_lonlat(at));
    let start = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
    let found = corners.fold(start, |[west, south, east, north], Coord { x, y }| {
        [west.min(x), south.min(y), east.max(x), north.max(y)]
    });
    if found[0] <= found[2] { found } else { [-180.0, -85.0, 180.0, 85.0] }
}

fn metadata(layers: &[&Layer], title: &str, low: u8, high: u8) -> String {
    let described: Vec<serde_json::Value> = layers
        .iter()
        .map(|layer| {
            let fields: serde_json::Map<String, serde_json::Value> = layer
                .fields
                .iter()
                .map(|field| (field.name.clone(), if field.zh.is_empty() { "" } else { &field.zh }.into()))
                .collect();
            serde_json::json!({
                "id": layer.name, "description": layer.zh, "minzoom": low, "maxzoom": high, "fields": fields
            })
        })
        .collect();
    serde_json::json!({ "name": title, "format": "pbf", "vector_layers": described }).to_string()
}

/// One thing in one tile.
struct Piece {
    tile: u64,
    layer: usize,
    row: usize,
    kind: u64,
    geometry: Vec<u32>,
}

/// The tiles of a zoom, gzipped, in the order of their ids.
fn tiles_at(
    layers: &[&Layer],
    world: &[Vec<Option<Geometry<f64>>>],
    zoom: u8,
    is_top: bool,
) -> io::Result<Vec<(u64, Vec<u8>)>> {
    let mut pieces: Vec<Piece> = Vec::new();
    for (index, geometries) in world.iter().enumerate() {
        let kept = kept(geometries, is_top);
        let cut: Vec<Vec<Piece>> = kept
            .par_iter()
            .map(|&row| {
                geometries[row].as_ref().map_or_else(Vec::new, |one| cut(one, zoom, is_top, index, row))
            })
            .collect();
        pieces.extend(cut.into_iter().flatten());
    }
    pieces.sort_by_key(|piece| (piece.tile, piece.layer, piece.row));
    let by_tile: Vec<&[Piece]> = pieces.chunk_by(|a, b| a.tile == b.tile).collect();
    by_tile
        .par_iter()
        .map(|pieces| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::new(7));
            encoder.write_all(&encode_tile(layers, pieces, is_top))?;
            Ok((pieces[0].tile, encoder.finish()?))
        })
        .collect()
}

/// Rows drawn at a zoom: all at the top, the largest [`MOST`] below. Equal sizes are told apart by a scattering of
/// their numbers, so that no corner of the map empties first.
fn kept(geometries: &[Option<Geometry<f64>>], is_top: bool) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..geometries.len()).collect();
    if is_top || rows.len() <= MOST {
        return rows;
    }
    let size = |geometry: &Geometry<f64>| {
        let extent = geometry.bounding_rect().map_or(0.0, |rect| rect.width().max(rect.height()).powi(2));
        if matches!(geometry, Geometry::LineString(_)) { extent } else { geometry.unsigned_area() }
    };
    let sizes: Vec<f64> = geometries.par_iter().map(|one| one.as_ref().map_or(0.0, size)).collect();
    let scattered = |row: usize| (row as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    rows.sort_by(|&a, &b| sizes[b].total_cmp(&sizes[a]).then(scattered(a).cmp(&scattered(b))));
    rows.truncate(MOST);
    rows.sort_unstable();
    rows
}

/// A thing cut into the tiles that it touches.
fn cut(geometry: &Geometry<f64>, zoom: u8, is_top: bool, layer: usize, row: usize) -> Vec<Piece> {
    let n_tiles = f64::from(1_u32 << zoom);
    let scale = n_tiles * EXTENT;
    let mut scaled = geometry.map_coords(|at| Coord { x: at.x * scale, y: at.y * scale });
    if !is_top {
        scaled = simplified(scaled);
    }
    let Some(extent) = scaled.bounding_rect() else { return Vec::new() };
    let tile_of = |value: f64| ((value / EXTENT).floor().max(0.0)).min(n_tiles - 1.0) as u32;
    let (west, east) = (tile_of(extent.min().x - MARGIN), tile_of(extent.max().x + MARGIN));
    let (north, south) = (tile_of(extent.min().y - MARGIN), tile_of(extent.max().y + MARGIN));
    let mut pieces = Vec::new();
    for x in west..=east {
        for y in north..=south {
            let corner = Coord { x: f64::from(x) * EXTENT, y: f64::from(y) * EXTENT };
            let (kind, commands) = commands(&scaled, corner);
            if commands.is_empty() {
                continue;
            }
            if let Ok(coord) = TileCoord::new(zoom, x, y) {
                pieces.push(Piece {
                    tile: TileId::from(coord).value(),
                    layer,
                    row,
                    kind,
                    geometry: commands,
                });
            }
        }
    }
    pieces
}

fn simplified(geometry: Geometry<f64>) -> Geometry<f64> {
    match geometry {
        Geometry::LineString(line) => Geometry::LineString(line.simplify(TOLERANCE)),
        Geometry::Polygon(polygon) if 8 < polygon.coords_count() => {
            Geometry::Polygon(polygon.simplify(TOLERANCE))
        }
        Geometry::MultiPolygon(area) => Geometry::MultiPolygon(area.simplify(TOLERANCE)),
        other => other,
    }
}

/// Geometry type and drawing commands of the part of a thing inside a tile; no commands if there is none.
fn commands(geometry: &Geometry<f64>, corner: Coord<f64>) -> (u64, Vec<u32>) {
    let mut pen = Pen { commands: Vec::new(), at: (0, 0), corner };
    let kind = match geometry {
        Geometry::Point(point) => {
            // A point belongs to one tile, and to its neighbours' margins.
            if clip_box(corner).contains(point.0) {
                pen.points(&[point.0]);
            }
            1
        }
        Geometry::LineString(line) => {
            for part in clip_line(&line.0, clip_box(corner)) {
                pen.line(&part);
            }
            2
        }
        Geometry::Polygon(polygon) => {
            pen.polygon(polygon);
            3
        }
        Geometry::MultiPolygon(area) => {
            for polygon in &area.0 {
                pen.polygon(polygon);
            }
            3
        }
        _ => 0,
    };
    (kind, pen.commands)
}

#[derive(Clone, Copy)]
struct Frame {
    low: Coord<f64>,
    high: Coord<f64>,
}

impl Frame {
    fn contains(self, at: Coord<f64>) -> bool {
        self.low.x <= at.x && at.x <= self.high.x && self.low.y <= at.y && at.y <= self.high.y
    }
}

fn clip_box(corner: Coord<f64>) -> Frame {
    Frame {
        low: Coord { x: corner.x - MARGIN, y: corner.y - MARGIN },
        high: Coord { x: corner.x + EXTENT + MARGIN, y: corner.y + EXTENT + MARGIN },
    }
}

/// The parts of a line inside a frame (Liang–Barsky for each segment).
fn clip_line(line: &[Coord<f64>], frame: Frame) -> Vec<Vec<Coord<f64>>> {
    let mut parts: Vec<Vec<Coord<f64>>> = Vec::new();
    for pair in line.windows(2) {
        let Some((from, to)) = clip_segment(pair[0], pair[1], frame) else { continue };
        match parts.last_mut() {
            Some(part) if part.last() == Some(&from) => part.push(to),
            _ => parts.push(vec![from, to]),
        }
    }
    parts
}

fn clip_segment(from: Coord<f64>, to: Coord<f64>, frame: Frame) -> Option<(Coord<f64>, Coord<f64>)> {
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
    for (delta, gap) in [
        (-dx, from.x - frame.low.x),
        (dx, frame.high.x - from.x),
        (-dy, from.y - frame.low.y),
        (dy, frame.high.y - from.y),
    ] {
        if delta == 0.0 {
            if gap < 0.0 {
                return None;
            }
            continue;
        }
        let cross = gap / delta;
        if delta < 0.0 {
            enter = enter.max(cross);
        } else {
            leave = leave.min(cross);
        }
    }
    let point = |share: f64| match share {
        0.0 => from,
        1.0 => to,
        _ => Coord { x: from.x + dx * share, y: from.y + dy * share },
    };
    (enter <= leave).then(|| (point(enter), point(leave)))
}

/// The part of a ring inside a frame (Sutherland–Hodgman).
fn clip_ring(ring: &LineString<f64>, frame: Frame) -> Vec<Coord<f64>> {
    if ring.0.iter().all(|&at| frame.contains(at)) {
        return ring.0.clone();
    }
    let mut corners = ring.0.clone();
    for side in 0..4 {
        let inside = |at: Coord<f64>| match side {
            0 => frame.low.x <= at.x,
            1 => at.x <= frame.high.x,
            2 => frame.low.y <= at.y,
            _ => at.y <= frame.high.y,
        };
        let crossing = |a: Coord<f64>, b: Coord<f64>| {
            let at_x = |x: f64| Coord { x, y: a.y + (b.y - a.y) * (x - a.x) / (b.x - a.x) };
            let at_y = |y: f64| Coord { x: a.x + (b.x - a.x) * (y - a.y) / (b.y - a.y), y };
            match side {
                0 => at_x(frame.low.x),
                1 => at_x(frame.high.x),
                2 => at_y(frame.low.y),
                _ => at_y(frame.high.y),
            }
        };
        let mut kept = Vec::with_capacity(corners.len());
        for index in 0..corners.len() {
            let (before, now) = (corners[(index + corners.len() - 1) % corners.len()], corners[index]);
            if inside(now) != inside(before) {
                kept.push(crossing(before, now));
            }
            if inside(now) {
                kept.push(now);
            }
        }
        corners = kept;
        if corners.is_empty() {
            break;
        }
    }
    corners
}

/// Writes MVT drawing commands: relative moves in whole tile units.
struct Pen {
    commands: Vec<u32>,
    at: (i32, i32),
    corner: Coord<f64>,
}

impl Pen {
    fn whole(&self, at: Coord<f64>) -> (i32, i32) {
        ((at.x - self.corner.x).round() as i32, (at.y - self.corner.y).round() as i32)
    }

    fn go(&mut self, to: (i32, i32)) {
        for delta in [to.0 - self.at.0, to.1 - self.at.1] {
            self.commands.push(((delta << 1) ^ (delta >> 31)).cast_unsigned());
        }
        self.at = to;
    }

    fn command(&mut self, id: u32, count: usize) {
        self.commands.push(id | (count as u32) << 3);
    }

    fn points(&mut self, points: &[Coord<f64>]) {
        self.command(1, points.len());
        for &point in points {
            let whole = self.whole(point);
            self.go(whole);
        }
    }

    fn line(&mut self, line: &[Coord<f64>]) {
        let mut whole: Vec<(i32, i32)> = line.iter().map(|&at| self.whole(at)).collect();
        whole.dedup();
        if 2 <= whole.len() {
            self.path(&whole);
        }
    }

    fn path(&mut self, whole: &[(i32, i32)]) {
        self.command(1, 1);
        self.go(whole[0]);
        self.command(2, whole.len() - 1);
        for &to in &whole[1..] {
            self.go(to);
        }
    }

    /// Outer rings have a positive area in tile units (y down), holes a negative one. An area that shrinks to
    /// nothing becomes a speck of one unit, so that small buildings do not vanish.
    fn polygon(&mut self, polygon: &Polygon<f64>) {
        let frame = clip_box(self.corner);
        let outer = clip_ring(polygon.exterior(), frame);
        let Some(&first) = outer.first() else { return };
        if !self.ring(&outer, true) {
            let (x, y) = self.whole(first);
            self.path(&[(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)]);
            self.command(7, 1);
            return;
        }
        for hole in polygon.interiors() {
            self.ring(&clip_ring(hole, frame), false);
        }
    }

    /// Draws a ring the right way round; `false` if nothing is left of it.
    fn ring(&mut self, ring: &[Coord<f64>], is_outer: bool) -> bool {
        let mut whole: Vec<(i32, i32)> = ring.iter().map(|&at| self.whole(at)).collect();
        whole.dedup();
        if whole.len() > 1 && whole.first() == whole.last() {
            whole.pop();
        }
        let doubled: i64 = (0..whole.len())
            .map(|index| {
                let ((ax, ay), (bx, by)) = (whole[index], whole[(index + 1) % whole.len()]);
                i64::from(ax) * i64::from(by) - i64::from(bx) * i64::from(ay)
            })
            .sum();
        if whole.len() < 3 || doubled == 0 {
            return false;
        }
        if (0 < doubled) != is_outer {
            whole.reverse();
        }
        self.path(&whole);
        self.command(7, 1);
        true
    }
}

/// The protobuf bytes of a tile.
fn encode_tile(layers: &[&Layer], pieces: &[Piece], is_top: bool) -> Vec<u8> {
    let mut tile = Vec::new();
    for of_layer in pieces.chunk_by(|a, b| a.layer == b.layer) {
        let bytes = encode_layer(layers[of_layer[0].layer], of_layer, is_top);
        put_bytes(&mut tile, 3, &bytes);
    }
    tile
}

fn encode_layer(layer: &Layer, pieces: &[Piece], is_top: bool) -> Vec<u8> {
    let columns: Vec<usize> = (0..layer.fields.len())
        .filter(|&column| is_top || DRAWN.contains(&layer.fields[column].name.as_str()))
        .collect();
    let mut bytes = Vec::new();
    put_bytes(&mut bytes, 1, layer.name.as_bytes());
    let mut values: Vec<Vec<u8>> = Vec::new();
    let mut index_of: FxHashMap<Vec<u8>, u64> = FxHashMap::default();
    for piece in pieces {
        let mut tags = Vec::new();
        for (key, &column) in columns.iter().enumerate() {
            let Some(value) = encode_value(&layer.rows[piece.row].values[column]) else { continue };
            let next = values.len() as u64;
            let index = *index_of.entry(value.clone()).or_insert(next);
            if index == next {
                values.push(value);
            }
            put_varint(&mut tags, key as u64);
            put_varint(&mut tags, index);
        }
        let mut geometry = Vec::with_capacity(piece.geometry.len() * 2);
        for &command in &piece.geometry {
            put_varint(&mut geometry, u64::from(command));
        }
        let mut feature = Vec::new();
        put_number(&mut feature, 1, piece.row as u64);
        put_bytes(&mut feature, 2, &tags);
        put_number(&mut feature, 3, piece.kind);
        put_bytes(&mut feature, 4, &geometry);
        put_bytes(&mut bytes, 2, &feature);
    }
    for &column in &columns {
        put_bytes(&mut bytes, 3, layer.fields[column].name.as_bytes());
    }
    for value in &values {
        put_bytes(&mut bytes, 4, value);
    }
    put_number(&mut bytes, 5, EXTENT as u64);
    put_number(&mut bytes, 15, 2);
    bytes
}

fn encode_value(value: &Value) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    match value {
        Value::Null => return None,
        Value::Text(text) => put_bytes(&mut bytes, 1, text.as_bytes()),
        Value::Real(number) => {
            put_varint(&mut bytes, 3 << 3 | 1);
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        // A zigzag of its sign, as sint64 wants.
        Value::Int(number) => put_number(&mut bytes, 6, ((number << 1) ^ (number >> 63)).cast_unsigned()),
        Value::Bool(yes) => put_number(&mut bytes, 7, u64::from(*yes)),
    }
    Some(bytes)
}

fn put_varint(bytes: &mut Vec<u8>, mut number: u64) {
    while 0x80 <= number {
        bytes.push((number as u8 & 0x7f) | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn put_number(bytes: &mut Vec<u8>, field: u64, number: u64) {
    put_varint(bytes, field << 3);
    put_varint(bytes, number);
}

fn put_bytes(bytes: &mut Vec<u8>, field: u64, content: &[u8]) {
    put_varint(bytes, field << 3 | 2);
    put_varint(bytes, content.len() as u64);
    bytes.extend_from_slice(content);
}
