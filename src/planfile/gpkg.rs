//! A GeoPackage 1.3 as SQLite sees it: required tables, geometry blobs, spatial index.
//!
//! Source: OGC 12-128r17, GeoPackage Encoding Standard 1.3.1. Requirements 1–18 (base), 19–33 (features),
//! extension `gpkg_schema` (aliases) and `gpkg_rtree_index`.

use geo::{BoundingRect, Coord, Geometry, LineString, MultiPolygon, Rect};
use geo_traits::to_geo::ToGeoGeometry;
use rusqlite::types::Value;
use rusqlite::{Connection, params};

use super::rtree::{self, Entry};
use crate::geometry::Plane;

/// "GPKG" as a big-endian number: marks the SQLite file.
const APPLICATION_ID: i64 = 0x4750_4B47;
/// Version 1.3: older readers open it without a warning.
const USER_VERSION: i64 = 10_300;

/// One column of a layer or table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub name: &'static str,
    pub sql: &'static str,
    pub alias: &'static str,
}

/// One layer (with geometry) or table (without).
#[derive(Clone, Copy, Debug)]
pub(super) struct Table {
    pub name: &'static str,
    pub alias: &'static str,
    /// Geometry type name of the standard, `None` for a plain table.
    pub geometry: Option<&'static str>,
    pub columns: &'static [Column],
}

/// Creates the tables that every GeoPackage has.
pub(super) fn create(connection: &Connection, plane: &Plane) -> rusqlite::Result<()> {
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", USER_VERSION)?;
    connection.execute_batch(
        "CREATE TABLE gpkg_spatial_ref_sys (
            srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY, organization TEXT NOT NULL,
            organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
        CREATE TABLE gpkg_contents (
            table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
            description TEXT DEFAULT '',
            last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
            min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
            CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
        CREATE TABLE gpkg_geometry_columns (
            table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL,
            srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL,
            CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
            CONSTRAINT uk_gc_table_name UNIQUE (table_name),
            CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
            CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id));
        CREATE TABLE gpkg_extensions (
            table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL,
            scope TEXT NOT NULL, CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name));
        CREATE TABLE gpkg_data_columns (
            table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT, description TEXT,
            mime_type TEXT, constraint_name TEXT,
            CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name));
        CREATE TABLE gpkg_data_column_constraints (
            constraint_name TEXT NOT NULL, constraint_type TEXT NOT NULL, value TEXT, min NUMERIC,
            min_is_inclusive BOOLEAN, max NUMERIC, max_is_inclusive BOOLEAN, description TEXT,
            CONSTRAINT gdcc_ntv UNIQUE (constraint_name, constraint_type, value));
        INSERT INTO gpkg_extensions VALUES
            ('gpkg_data_columns', NULL, 'gpkg_schema',
             'http://www.geopackage.org/spec121/#extension_schema', 'read-write'),
            ('gpkg_data_column_constraints', NULL, 'gpkg_schema',
             'http://www.geopackage.org/spec121/#extension_schema', 'read-write');",
    )?;
    let mut insert =
        connection.prepare("INSERT INTO gpkg_spatial_ref_sys VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    insert.execute(params!["Undefined Cartesian", -1, "NONE", -1, "undefined", "undefined Cartesian"])?;
    insert.execute(params!["Undefined geographic", 0, "NONE", 0, "undefined", "undefined geographic"])?;
    insert.execute(params!["WGS 84 geodetic", 4326, "EPSG", 4326, WGS84_WKT, "longitude, latitude"])?;
    insert.execute(params![plane.name(), plane.epsg(), "EPSG", plane.epsg(), plane.wkt(), "metres"])?;
    Ok(())
}

const WGS84_WKT: &str = "GEOGCS[\"WGS 84\",DATUM[\"WGS_1984\",SPHEROID[\"WGS 84\",6378137,298.257223563,\
    AUTHORITY[\"EPSG\",\"7030\"]],AUTHORITY[\"EPSG\",\"6326\"]],PRIMEM[\"Greenwich\",0,AUTHORITY[\"EPSG\",\"8901\"]],\
    UNIT[\"degree\",0.0174532925199433,AUTHORITY[\"EPSG\",\"9122\"]],AUTHORITY[\"EPSG\",\"4326\"]]";

/// Creates a layer or table and registers it.
pub(super) fn create_table(connection: &Connection, table: &Table, plane: &Plane) -> rusqlite::Result<()> {
    let mut columns = vec!["fid INTEGER PRIMARY KEY NOT NULL".to_owned()];
    if let Some(kind) = table.geometry {
        columns.push(format!("geom {kind}"));
    }
    columns.extend(table.columns.iter().map(|column| format!("\"{}\" {}", column.name, column.sql)));
    connection.execute_batch(&format!("CREATE TABLE \"{}\" ({})", table.name, columns.join(", ")))?;
    let data_type = if table.geometry.is_some() { "features" } else { "attributes" };
    connection.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, srs_id) VALUES (?1, ?2, ?1, ?3, ?4)",
        params![table.name, data_type, table.alias, table.geometry.map_or(0, |_| plane.epsg())],
    )?;
    if let Some(kind) = table.geometry {
        connection.execute(
            "INSERT INTO gpkg_geometry_columns VALUES (?1, 'geom', ?2, ?3, 0, 0)",
            params![table.name, kind, plane.epsg()],
        )?;
    }
    let mut alias = connection.prepare_cached(
        "INSERT INTO gpkg_data_columns (table_name, column_name, title) VALUES (?1, ?2, ?3)",
    )?;
    for column in table.columns.iter().filter(|column| !column.alias.is_empty()) {
        alias.execute(params![table.name, column.name, column.alias])?;
    }
    Ok(())
}

/// Fills one layer row by row, keeping its extent and its spatial index.
pub(super) struct LayerWriter<'c> {
    connection: &'c Connection,
    table: &'static Table,
    statement: rusqlite::Statement<'c>,
    srs: u32,
    extent: Option<Rect<f64>>,
    boxes: Vec<Entry>,
    bytes: Vec<u8>,
    n_rows: i64,
}

impl<'c> LayerWriter<'c> {
    pub(super) fn new(
        connection: &'c Connection,
        table: &'static Table,
        plane: &Plane,
    ) -> rusqlite::Result<Self> {
        create_table(connection, table, plane)?;
        let mut names = vec!["fid".to_owned()];
        names.extend(table.geometry.map(|_| "geom".to_owned()));
        names.extend(table.columns.iter().map(|column| format!("\"{}\"", column.name)));
        let marks = vec!["?"; names.len()].join(", ");
        let sql = format!("INSERT INTO \"{}\" ({}) VALUES ({marks})", table.name, names.join(", "));
        let statement = connection.prepare(&sql)?;
        Ok(Self {
            connection,
            table,
            statement,
            srs: plane.epsg(),
            extent: None,
            boxes: Vec::new(),
            bytes: Vec::new(),
            n_rows: 0,
        })
    }

    /// Adds a row: the geometry (ignored by a plain table) and the values in the order of the table's columns.
    pub(super) fn row(&mut self, shape: Option<Shape<'_>>, values: Vec<Value>) -> rusqlite::Result<()> {
        debug_assert_eq!(
            values.len(),
            self.table.columns.len(),
            "a value for each column of {}",
            self.table.name
        );
        self.n_rows += 1;
        self.statement.raw_bind_parameter(1, self.n_rows)?;
        let mut next = 2;
        if self.table.geometry.is_some() {
            match shape.and_then(|shape| Some((shape.bounds()?, shape))) {
                Some((rect, shape)) => {
                    self.boxes.push(Entry::new(self.n_rows, rect));
                    self.extent = Some(self.extent.map_or(rect, |extent| union(extent, rect)));
                    blob(shape, rect, self.srs, &mut self.bytes);
                    self.statement.raw_bind_parameter(next, &self.bytes)?;
                }
                None => self.statement.raw_bind_parameter(next, Value::Null)?,
            }
            next += 1;
        }
        for value in values {
            self.statement.raw_bind_parameter(next, value)?;
            next += 1;
        }
        self.statement.raw_execute()?;
        Ok(())
    }

    /// Writes the extent and the spatial index.
    pub(super) fn finish(self) -> rusqlite::Result<()> {
        if self.table.geometry.is_none() {
            return Ok(());
        }
        if let Some(extent) = self.extent {
            self.connection.execute(
                "UPDATE gpkg_contents SET min_x = ?2, min_y = ?3, max_x = ?4, max_y = ?5 WHERE table_name = ?1",
                params![self.table.name, extent.min().x, extent.min().y, extent.max().x, extent.max().y],
            )?;
        }
        write_spatial_index(self.connection, self.table.name, self.boxes)
    }
}

fn union(a: Rect<f64>, b: Rect<f64>) -> Rect<f64> {
    Rect::new(
        Coord { x: a.min().x.min(b.min().x), y: a.min().y.min(b.min().y) },
        Coord { x: a.max().x.max(b.max().x), y: a.max().y.max(b.max().y) },
    )
}

/// The index and its triggers. The triggers call `ST_…` functions that our SQLite lacks, so they come last:
/// only other programs that edit the file fire them, and those have the functions.
fn write_spatial_index(connection: &Connection, table: &str, boxes: Vec<Entry>) -> rusqlite::Result<()> {
    connection.execute_batch(&format!(
        "CREATE VIRTUAL TABLE \"rtree_{table}_geom\" USING rtree(id, minx, maxx, miny, maxy)"
    ))?;
    rtree::fill(connection, &format!("rtree_{table}_geom"), boxes)?;
    connection.execute(
        "INSERT INTO gpkg_extensions VALUES (?1, 'geom', 'gpkg_rtree_index',
         'http://www.geopackage.org/spec121/#extension_rtree', 'write-only')",
        params![table],
    )?;
    connection.execute_batch(&rtree_triggers(table))
}

fn rtree_triggers(table: &str) -> String {
    let (rtree, stored) = (
        format!("\"rtree_{table}_geom\""),
        "NEW.fid, ST_MinX(NEW.geom), ST_MaxX(NEW.geom), ST_MinY(NEW.geom), ST_MaxY(NEW.geom)",
    );
    format!(
        "CREATE TRIGGER \"rtree_{table}_geom_insert\" AFTER INSERT ON \"{table}\"
            WHEN (NEW.geom NOT NULL AND NOT ST_IsEmpty(NEW.geom))
            BEGIN INSERT OR REPLACE INTO {rtree} VALUES ({stored}); END;
        CREATE TRIGGER \"rtree_{table}_geom_update1\" AFTER UPDATE OF geom ON \"{table}\"
            WHEN OLD.fid = NEW.fid AND (NEW.geom NOTNULL AND NOT ST_IsEmpty(NEW.geom))
            BEGIN INSERT OR REPLACE INTO {rtree} VALUES ({stored}); END;
        CREATE TRIGGER \"rtree_{table}_geom_update2\" AFTER UPDATE OF geom ON \"{table}\"
            WHEN OLD.fid = NEW.fid AND (NEW.geom ISNULL OR ST_IsEmpty(NEW.geom))
            BEGIN DELETE FROM {rtree} WHERE id = OLD.fid; END;
        CREATE TRIGGER \"rtree_{table}_geom_update3\" AFTER UPDATE ON \"{table}\"
            WHEN OLD.fid != NEW.fid AND (NEW.geom NOTNULL AND NOT ST_IsEmpty(NEW.geom))
            BEGIN DELETE FROM {rtree} WHERE id = OLD.fid; INSERT OR REPLACE INTO {rtree} VALUES ({stored}); END;
        CREATE TRIGGER \"rtree_{table}_geom_update4\" AFTER UPDATE ON \"{table}\"
            WHEN OLD.fid != NEW.fid AND (NEW.geom ISNULL OR ST_IsEmpty(NEW.geom))
            BEGIN DELETE FROM {rtree} WHERE id IN (OLD.fid, NEW.fid); END;
        CREATE TRIGGER \"rtree_{table}_geom_delete\" AFTER DELETE ON \"{table}\" WHEN OLD.geom NOT NULL
            BEGIN DELETE FROM {rtree} WHERE id = OLD.fid; END;"
    )
}

/// A shape of the model, borrowed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape<'a> {
    Point(Coord<f64>),
    Line(&'a LineString<f64>),
    Area(&'a MultiPolygon<f64>),
}

impl Shape<'_> {
    /// Its extent; `None` if it is empty.
    fn bounds(self) -> Option<Rect<f64>> {
        match self {
            Self::Point(at) => Some(Rect::new(at, at)),
            Self::Line(line) => line.bounding_rect(),
            Self::Area(area) => area.bounding_rect(),
        }
    }
}

/// A shape as a GeoPackage blob: header with envelope, then little-endian WKB.
fn blob(shape: Shape<'_>, rect: Rect<f64>, srs: u32, bytes: &mut Vec<u8>) {
    let is_point = matches!(shape, Shape::Point(_));
    bytes.clear();
    bytes.extend_from_slice(b"GP");
    // Version 0; flags: little endian, envelope [minx, maxx, miny, maxy] except for points.
    bytes.extend_from_slice(&[0, if is_point { 0b0001 } else { 0b0011 }]);
    bytes.extend_from_slice(&srs.to_le_bytes());
    if !is_point {
        for value in [rect.min().x, rect.max().x, rect.min().y, rect.max().y] {
            bytes.extend_from_slice(&value.to_le_bytes());
        }
    }
    match shape {
        Shape::Point(at) => {
            wkb_head(bytes, 1);
            wkb_places(bytes, &[at]);
        }
        Shape::Line(line) => {
            wkb_head(bytes, 2);
            wkb_count(bytes, line.0.len());
            wkb_places(bytes, &line.0);
        }
        Shape::Area(area) => {
            wkb_head(bytes, 6);
            wkb_count(bytes, area.0.len());
            for polygon in &area.0 {
                wkb_head(bytes, 3);
                wkb_count(bytes, 1 + polygon.interiors().len());
                for ring in std::iter::once(polygon.exterior()).chain(polygon.interiors()) {
                    wkb_count(bytes, ring.0.len());
                    wkb_places(bytes, &ring.0);
                }
            }
        }
    }
}

/// Byte order (little endian) and type number.
fn wkb_head(bytes: &mut Vec<u8>, kind: u32) {
    bytes.push(1);
    bytes.extend_from_slice(&kind.to_le_bytes());
}

fn wkb_count(bytes: &mut Vec<u8>, count: usize) {
    bytes.extend_from_slice(&(count as u32).to_le_bytes());
}

fn wkb_places(bytes: &mut Vec<u8>, places: &[Coord<f64>]) {
    for at in places {
        bytes.extend_from_slice(&at.x.to_le_bytes());
        bytes.extend_from_slice(&at.y.to_le_bytes());
    }
}

/// The geometry inside a GeoPackage blob; `None` for an empty or damaged one.
pub(super) fn geometry(bytes: &[u8]) -> Option<Geometry<f64>> {
    if bytes.len() < 8 || !bytes.starts_with(b"GP") {
        return None;
    }
    let envelope = match (bytes[3] >> 1) & 0b111 {
        0 => 0,
        1 => 32,
        2 | 3 => 48,
        4 => 64,
        _ => return None,
    };
    let parsed = wkb::reader::read_wkb(bytes.get(8 + envelope..)?).ok()?;
    parsed.try_to_geometry()
}
