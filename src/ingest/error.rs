//! Why nothing could be read.

use super::privacy::Personal;
use super::roles::Role;
use crate::geometry::PlaneError;
use crate::model::Text;

/// What stops an import: what, where, why, and what to do next.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum IngestError {
    /// No source at all.
    #[error(
        "there is nothing to read; name at least one file, for example `gridplan import city.osm.pbf -o city.gpkg`"
    )]
    NoSources,
    /// A path where nothing is.
    #[error("{path} does not exist; check the path{}", hint_beside(beside))]
    MissingFile {
        /// Path given.
        path: String,
        /// Files in the same folder with a similar name.
        beside: Vec<String>,
    },
    /// The operating system or a library refused.
    #[error("{file} cannot be read: {reason}; check that the file is complete and that you may read it")]
    Unreadable {
        /// File.
        file: String,
        /// What was said.
        reason: Text,
    },
    /// A database that does not answer, or refuses.
    #[error(
        "the database {source_name} cannot be reached: {reason}; check that the server runs, and host, port, database name, user \
         and password"
    )]
    Database {
        /// Connection without its password.
        source_name: String,
        /// What was said.
        reason: Text,
    },
    /// A file that ends too early.
    #[error(
        "{file} is cut short: {reason}; copy or download it again and compare its size with the original"
    )]
    Truncated {
        /// File.
        file: String,
        /// Where it broke off.
        reason: Text,
    },
    /// A format that no reader knows.
    #[error(
        "{file} is in no format known here ({reason}); give OSM (.pbf, .osm), GeoJSON, CSV, XLSX, GeoTIFF or a vector \
         format of GDAL"
    )]
    UnknownFormat {
        /// File.
        file: String,
        /// What was tried.
        reason: Text,
    },
    /// A format that needs GDAL in a build without it.
    #[error(
        "{file} needs GDAL, which this build leaves out; build with `--features gdal` or convert it to GeoJSON or CSV"
    )]
    NeedsGdal {
        /// File.
        file: String,
    },
    /// A layer that the file does not have.
    #[error("{file} has no layer `{layer}`; it has: {}", listed(available))]
    NoSuchLayer {
        /// File.
        file: String,
        /// Layer asked for.
        layer: String,
        /// Layers there.
        available: Vec<String>,
    },
    /// A source that cannot be what it was said to be.
    #[error(
        "{file} cannot be read as {role}: it holds {found}, but {role} are {}; give another --role or another file",
        role.needs()
    )]
    WrongRole {
        /// File, with layer if it has several.
        file: String,
        /// Role asked for.
        role: Role,
        /// What is in it.
        found: Text,
    },
    /// A source whose content tells nothing.
    #[error(
        "it is not clear what {file} holds ({found}); say so with --role NAME={file}, where NAME is one of {}",
        Role::names()
    )]
    UnknownRole {
        /// File, with layer if it has several.
        file: String,
        /// What is in it.
        found: Text,
    },
    /// A layer without a single usable feature.
    #[error("{file} holds no usable {role}: {reason}; check the file{}", filter_hint(filtered))]
    EmptyLayer {
        /// File, with layer if it has several.
        file: String,
        /// Role.
        role: Role,
        /// Why it counts as empty.
        reason: Text,
        /// A filter took part.
        filtered: Option<String>,
    },
    /// A column asked for that no source has.
    #[error("no source has a column `{wanted}` for {column}; columns found: {}", listed(available))]
    NoSuchColumn {
        /// Meaning.
        column: &'static str,
        /// Name asked for.
        wanted: String,
        /// Names there.
        available: Vec<String>,
    },
    /// A column about persons.
    #[error(
        "column `{column}` of {file} looks like {} ({why}); only counts per building are data here: \
         delete this column from the file and import again",
        what.words()
    )]
    RefusedColumn {
        /// File, with layer if it has several.
        file: String,
        /// Column.
        column: String,
        /// What it looks like.
        what: Personal,
        /// Why it looks so; never quotes a value.
        why: Text,
    },
    /// A table without coordinates.
    #[error(
        "{file} has no coordinate columns (columns found: {}); name them with --column longitude=… --column latitude=… \
         (degrees) or --column x=… --column y=… (metres)",
        listed(available)
    )]
    NoCoordinates {
        /// File, with layer if it has several.
        file: String,
        /// Names there.
        available: Vec<String>,
    },
    /// Coordinates that say nothing about their system.
    #[error(
        "the coordinate system of {file} is unknown: {reason}; say it with --crs, for example --crs EPSG:4549"
    )]
    UnknownCrs {
        /// File, with layer if it has several.
        file: String,
        /// What was seen.
        reason: Text,
    },
    /// A coordinate system that cannot be understood.
    #[error(
        "`{text}` is no coordinate system known here: {reason}; write EPSG:4490, EPSG:4326 or a plane such as EPSG:4549"
    )]
    BadCrs {
        /// Text given.
        text: String,
        /// Why.
        reason: Text,
    },
    /// Sources that lie far apart.
    #[error(
        "{first} and {second} lie {kilometres:.0} km apart, so one of them is in another coordinate system than it says; \
         check both in a map and give the right one with --crs"
    )]
    MixedCrs {
        /// One source.
        first: String,
        /// The other.
        second: String,
        /// Distance of their extents in kilometres.
        kilometres: f64,
    },
    /// Bytes that the encoding cannot read.
    #[error(
        "{file}, line {line}: bytes that {encoding} cannot read; say the encoding with --encoding, for example gb18030"
    )]
    Encoding {
        /// File.
        file: String,
        /// Line, from 1.
        line: usize,
        /// Encoding tried.
        encoding: String,
    },
    /// An encoding label nobody knows.
    #[error(
        "`{label}` is no encoding known here; write utf-8, gb18030, gbk, big5, shift_jis or another label of the WHATWG list"
    )]
    UnknownEncoding {
        /// Label given.
        label: String,
    },
    /// A filter that cannot be read.
    #[error("the filter `{filter}` cannot be read: {reason}; write for example CITY = 201 and HCODE != 8154")]
    BadFilter {
        /// Filter given.
        filter: String,
        /// Why.
        reason: Text,
    },
    /// No building and no area to divide.
    #[error(
        "there is nothing to divide: {reason}; add buildings (--role buildings=FILE) or areas with counts (--role units=FILE)"
    )]
    NothingToPlan {
        /// What was read instead.
        reason: Text,
    },
    /// Not one household.
    #[error(
        "none of the {atoms} buildings or areas has a household: {reason}; name the column (--column households=NAME), \
         give a total (--households-total N) or let floor area decide (--floor-area-per-household 110)"
    )]
    NoHouseholds {
        /// Buildings or areas read.
        atoms: usize,
        /// What was looked at.
        reason: Text,
    },
    /// A parameter outside its range.
    #[error("{name} is {value}; it must be {needed}")]
    BadParameter {
        /// Field of the request.
        name: &'static str,
        /// Value given.
        value: String,
        /// Range.
        needed: Text,
    },
    /// Somebody pressed Ctrl-C.
    #[error("stopped on request; nothing was written")]
    Stopped,
    /// No plane fits.
    #[error(transparent)]
    Plane(#[from] PlaneError),
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn hint_beside(beside: &[String]) -> String {
    if beside.is_empty() { String::new() } else { format!(" (in the same folder: {})", beside.join(", ")) }
}

fn filter_hint(filtered: &Option<String>) -> String {
    filtered.as_ref().map_or_else(String::new, |filter| format!(" and the filter `{filter}`"))
}
