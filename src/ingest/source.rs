//! One source: how it is named, which reader opens it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::draft::Draft;
use super::error::IngestError;
use super::roles::Role;
use super::{ImportRequest, convert, csv, geojson, osm, workbook};
use crate::geometry::Datum;
use crate::model::Text;

/// A file or database layer to read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceSpec {
    /// Path, or a connection string that starts with `PG:`.
    pub path: String,
    /// Layer or sheet; `None` takes all layers.
    pub layer: Option<String>,
    /// What it holds; `None` finds out.
    pub role: Option<Role>,
    /// Encoding label; `None` detects it.
    pub encoding: Option<String>,
    /// Coordinate system of this source, whatever it says itself.
    pub crs: Option<String>,
    /// Datum of its longitudes and latitudes.
    pub datum: Option<Datum>,
    /// Only features for which this holds.
    pub filter: Option<String>,
}

impl SourceSpec {
    /// Reads `FILE`, `FILE:LAYER`, `PG:…`, each with `|key=value` parts: `layer`, `encoding`, `crs`, `datum`, `where`.
    ///
    /// An unknown key stays part of the path, so that a strange file name still opens.
    ///
    /// ```
    /// # use gridplan::ingest::SourceSpec;
    /// let spec = SourceSpec::parse("city.gpkg:楼栋|datum=gcj02");
    /// assert_eq!((spec.path.as_str(), spec.layer.as_deref()), ("city.gpkg", Some("楼栋")));
    /// assert_eq!(spec.datum, Some(gridplan::geometry::Datum::Gcj02));
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut parts = text.split('|');
        let mut spec = Self { path: parts.next().unwrap_or_default().to_owned(), ..Self::default() };
        for part in parts {
            let known = part.split_once('=').is_some_and(|(key, value)| spec.set(key.trim(), value.trim()));
            if !known {
                spec.path = format!("{}|{part}", spec.path);
            }
        }
        let may_name_layer = spec.layer.is_none() && !spec.is_database() && !Path::new(&spec.path).exists();
        // A single letter before the colon is a drive, not a file.
        if may_name_layer
            && let Some((path, layer)) = spec.path.rsplit_once(':')
            && 1 < path.len()
            && !layer.is_empty()
            && !layer.contains(['/', '\\'])
        {
            (spec.layer, spec.path) = (Some(layer.to_owned()), path.to_owned());
        }
        spec
    }

    fn set(&mut self, key: &str, value: &str) -> bool {
        match key {
            "layer" | "layername" => self.layer = Some(value.to_owned()),
            "encoding" => self.encoding = Some(value.to_owned()),
            "crs" => self.crs = Some(value.to_owned()),
            "where" | "subset" => self.filter = Some(value.to_owned()),
            "datum" => match Datum::parse(value) {
                Some(datum) => self.datum = Some(datum),
                None => return false,
            },
            _ => return false,
        }
        true
    }

    /// File name without folder; a database shows no password.
    #[must_use]
    pub fn file_name(&self) -> String {
        if self.is_database() {
            let shown: Vec<&str> =
                self.path.split_whitespace().filter(|word| !word.starts_with("password=")).collect();
            return shown.join(" ");
        }
        let path = Path::new(self.path.trim_end_matches('/'));
        path.file_name().map_or_else(|| self.path.clone(), |name| name.to_string_lossy().into_owned())
    }

    /// Whether it is a database connection and not a file.
    #[must_use]
    pub fn is_database(&self) -> bool {
        self.path.to_ascii_uppercase().starts_with("PG:")
    }
}

/// The formats that readers know, by what the file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    OsmPbf,
    OsmXml,
    GeoJson,
    Csv,
    Workbook,
    Raster,
    Vector,
}

/// Reads one source into drafts, one per layer.
pub(super) fn read_source(spec: &SourceSpec, request: &ImportRequest) -> Result<Vec<Draft>, IngestError> {
    if !spec.is_database() {
        check_exists(spec)?;
    }
    let format = format_of(spec)?;
    check_role_of_format(spec, format)?;
    let sha256 = hash_of(spec)?;
    let mut drafts = match format {
        Format::OsmPbf => vec![osm::read_pbf(spec)?],
        Format::OsmXml => vec![osm::read_xml(spec)?],
        Format::GeoJson => convert::drafts(spec, request, vec![geojson::read(spec)?])?,
        Format::Csv => convert::drafts(spec, request, vec![csv::read(spec, request)?])?,
        Format::Workbook => convert::drafts(spec, request, workbook::read(spec)?)?,
        Format::Raster => vec![raster(spec)?],
        Format::Vector => convert::drafts(spec, request, vector(spec, request)?)?,
    };
    for draft in &mut drafts {
        draft.sha256.clone_from(&sha256);
    }
    Ok(drafts)
}

#[cfg(feature = "gdal")]
fn vector(spec: &SourceSpec, request: &ImportRequest) -> Result<Vec<super::table::Layer>, IngestError> {
    super::gdal::read(spec, request)
}

#[cfg(not(feature = "gdal"))]
fn vector(spec: &SourceSpec, _request: &ImportRequest) -> Result<Vec<super::table::Layer>, IngestError> {
    Err(IngestError::NeedsGdal { file: spec.file_name() })
}

/// A terrain draft holds the path only: it is read when the plane and the extent are known.
fn raster(spec: &SourceSpec) -> Result<Draft, IngestError> {
    if cfg!(not(feature = "gdal")) {
        return Err(IngestError::NeedsGdal { file: spec.file_name() });
    }
    let mut draft = Draft::new(spec.file_name(), Role::Dem);
    draft.role_guessed = spec.role.is_none().then(|| Text::from(("栅格文件", "it is a raster")));
    draft.raster = Some(spec.path.clone());
    Ok(draft)
}

fn check_exists(spec: &SourceSpec) -> Result<(), IngestError> {
    let path = Path::new(&spec.path);
    match path.metadata() {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(IngestError::MissingFile { path: spec.path.clone(), beside: similar_files(path) })
        }
        Err(error) => {
            Err(IngestError::Unreadable { file: spec.file_name(), reason: Text::same(error.to_string()) })
        }
    }
}

/// Up to five files in the same folder that share the ending or the first letters.
fn similar_files(path: &Path) -> Vec<String> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let wanted = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let start: String = wanted.chars().take(4).collect();
    let ending = wanted.rsplit_once('.').map(|(_, ending)| format!(".{ending}"));
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| {
            let name = name.to_lowercase();
            name.starts_with(&start) || ending.as_ref().is_some_and(|ending| name.ends_with(ending))
        })
        .collect();
    names.sort_unstable();
    names.truncate(5);
    names
}

fn format_of(spec: &SourceSpec) -> Result<Format, IngestError> {
    if spec.is_database() {
        return Ok(Format::Vector);
    }
    let name = spec.path.to_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    if Path::new(&spec.path).is_dir() {
        return Ok(Format::Vector);
    }
    Ok(if ends(&[".pbf"]) {
        Format::OsmPbf
    } else if ends(&[".osm", ".osm.xml", ".osm.gz"]) {
        Format::OsmXml
    } else if ends(&[".geojson", ".json", ".geojsonl", ".geojsons"]) {
        Format::GeoJson
    } else if ends(&[".csv", ".tsv", ".txt"]) {
        Format::Csv
    } else if ends(&[".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"]) {
        Format::Workbook
    } else if ends(&[".tif", ".tiff", ".asc", ".hgt", ".vrt", ".img", ".dem"]) || spec.role == Some(Role::Dem)
    {
        Format::Raster
    } else {
        sniff(spec)?
    })
}

/// Looks into a file whose name says nothing.
fn sniff(spec: &SourceSpec) -> Result<Format, IngestError> {
    let unreadable = |error: std::io::Error| IngestError::Unreadable {
        file: spec.file_name(),
        reason: Text::same(error.to_string()),
    };
    let mut head = Vec::new();
    File::open(&spec.path).map_err(unreadable)?.take(512).read_to_end(&mut head).map_err(unreadable)?;
    let text = String::from_utf8_lossy(&head);
    Ok(if text.contains("OSMHeader") {
        Format::OsmPbf
    } else if text.contains("<osm ") || text.contains("<osm>") {
        Format::OsmXml
    } else if head.starts_with(b"II*\0") || head.starts_with(b"MM\0*") {
        Format::Raster
    } else {
        Format::Vector
    })
}

/// A raster is no building list and an OSM extract is no terrain.
fn check_role_of_format(spec: &SourceSpec, format: Format) -> Result<(), IngestError> {
    let Some(role) = spec.role else { return Ok(()) };
    let wrong = |zh: &str, en: &str| {
        let found = Text::from((zh, en));
        Err(IngestError::WrongRole { file: spec.file_name(), role, found })
    };
    match (format, role) {
        (Format::Raster, Role::Dem) | (Format::OsmPbf | Format::OsmXml, Role::Osm) => Ok(()),
        (Format::Raster, _) => wrong("栅格", "a raster"),
        (Format::OsmPbf | Format::OsmXml, _) => {
            wrong("包含多种要素的 OpenStreetMap 数据", "an OpenStreetMap extract with many kinds of things")
        }
        (_, Role::Dem | Role::Osm) => wrong("要素表", "a table of features"),
        _ => Ok(()),
    }
}

/// SHA-256 of the bytes of a file; of a folder or database, of its name.
fn hash_of(spec: &SourceSpec) -> Result<String, IngestError> {
    let mut hasher = Sha256::new();
    if spec.is_database() || Path::new(&spec.path).is_dir() {
        hasher.update(spec.file_name().as_bytes());
    } else {
        let unreadable = |error: std::io::Error| IngestError::Unreadable {
            file: spec.file_name(),
            reason: Text::same(error.to_string()),
        };
        let mut file = File::open(&spec.path).map_err(unreadable)?;
        let mut buffer = vec![0_u8; 1 << 16];
        loop {
            let count = file.read(&mut buffer).map_err(unreadable)?;
            if count == 0 {
                break;
            }
            hasher.update(&buffer[..count]);
        }
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
