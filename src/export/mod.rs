//! Plan → files for viewers: the map page, GeoJSON, KML, shapefiles, DXF, FlatGeobuf, PMTiles.
//!
//! The plan is turned into plain tables once (`layers`); every format writes the same tables. Files appear
//! complete or not at all: they are written in a temporary folder beside their place and then moved.

mod coloring;
mod dxf;
#[cfg(feature = "gdal")]
mod flatgeobuf;
mod gbk;
mod geojson;
mod kml;
mod layers;
mod look;
#[cfg(feature = "web")]
mod page;
mod shapefile;
#[cfg(test)]
mod tests;
mod tiles;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::model::{Lang, Plan, Scenario};

/// Zooms of the tile archive: from a district at a glance to a doorstep.
const TILE_ZOOMS: std::ops::RangeInclusive<u8> = 10..=16;

/// Writes every layer of the plan into a folder, which is made if it is missing; answers the files written.
///
/// - Text: names and codes are data; sentences, headings, descriptions and shapefile columns follow `lang`.
/// - Cost: linear in the number of vertices.
/// - Fails: [`ExportError`]; nothing half-written stays behind.
///
/// # Errors
/// [`ExportError::Write`] for a folder that cannot be written to or is full.
pub fn write(
    scenario: &Scenario,
    plan: &Plan,
    format: Format,
    folder: &Path,
    lang: Lang,
) -> Result<Vec<PathBuf>, ExportError> {
    let fails = |source| ExportError::Write { path: folder.to_owned(), source };
    std::fs::create_dir_all(folder).map_err(fails)?;
    let staging =
        tempfile::Builder::new().prefix(&crate::files::unfinished()).tempdir_in(folder).map_err(fails)?;
    let layers = layers::layers(scenario, plan, lang);
    write_layers(&layers, scenario, format, staging.path(), lang)
        .map_err(|why| why.into_error(format, folder))?;
    publish(staging.path(), folder).map_err(fails)
}

/// The self-contained map page as HTML text: opens by double-click, without network.
///
/// # Errors
/// [`ExportError::Page`] if memory for the packed data runs out.
#[cfg(feature = "web")]
pub fn map_page(scenario: &Scenario, plan: &Plan, lang: Lang) -> Result<String, ExportError> {
    page::page(scenario, plan, lang, page::Purpose::Read)
}

/// The map page with the editor's panel, which asks the server that it came from.
///
/// # Errors
/// [`ExportError::Page`] if memory for the packed data runs out.
#[cfg(feature = "web")]
pub fn editor_page(scenario: &Scenario, plan: &Plan, lang: Lang) -> Result<String, ExportError> {
    page::page(scenario, plan, lang, page::Purpose::Edit)
}

/// The data of the map page as JSON, without the layers that are in its tiles.
///
/// # Errors
/// [`ExportError::Page`] if memory for it runs out.
#[cfg(feature = "web")]
pub fn page_json(scenario: &Scenario, plan: &Plan, lang: Lang) -> Result<Vec<u8>, ExportError> {
    page::page_data(scenario, plan, lang, page::TILED_ABOVE).map(|(json, _)| json).map_err(ExportError::page)
}

/// The layer `grids` of the map page as GeoJSON.
///
/// # Errors
/// [`ExportError::Page`] if memory for it runs out.
#[cfg(feature = "web")]
pub fn grids_json(scenario: &Scenario, plan: &Plan, lang: Lang) -> Result<Vec<u8>, ExportError> {
    page::grids_json(scenario, plan, lang).map_err(ExportError::page)
}

/// A format for [`write`](fn@write). The plan file itself is a GeoPackage and the tables are the report's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// GeoJSON, one file a layer, WGS 84.
    GeoJson,
    /// One styled KML for Google Earth and its kin, WGS 84.
    Kml,
    /// Shapefiles in GBK with `.cpg`, on the metric plane.
    Shapefile,
    /// One DXF, a CAD layer per layer, on the metric plane.
    Dxf,
    /// FlatGeobuf, one file a layer, on the metric plane.
    FlatGeobuf,
    /// One archive of vector tiles.
    PmTiles,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 6] =
        [Self::GeoJson, Self::Kml, Self::Shapefile, Self::Dxf, Self::FlatGeobuf, Self::PmTiles];

    /// The word used in flags.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GeoJson => "geojson",
            Self::Kml => "kml",
            Self::Shapefile => "shp",
            Self::Dxf => "dxf",
            Self::FlatGeobuf => "fgb",
            Self::PmTiles => "pmtiles",
        }
    }

    /// Reads the word used in flags.
    ///
    /// ```
    /// # use gridplan::export::Format;
    /// assert_eq!(Format::parse("shp"), Some(Format::Shapefile));
    /// ```
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == word)
    }
}

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The folder or disk refuses.
    #[error("cannot write into {}: {source}; choose a folder that you may write to, on a disk with free space", path.display())]
    Write {
        /// Folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// This program was built without the part that writes the format.
    #[error("this build cannot write {}; build it with `--features gdal`, or export to geojson instead", format.as_str())]
    NotBuilt {
        /// Format.
        format: Format,
    },
    /// GDAL refuses.
    #[error("GDAL could not write {} into {}: {why}; check the free space, or export to geojson or shp instead", format.as_str(), path.display())]
    Gdal {
        /// Format.
        format: Format,
        /// Folder.
        path: PathBuf,
        /// What GDAL said.
        why: String,
    },
    /// The map page could not be packed.
    #[error("the data of the map page could not be packed: {0}; free some memory and try again")]
    Page(io::Error),
}

impl ExportError {
    #[cfg(feature = "web")]
    fn page(source: io::Error) -> Self {
        Self::Page(source)
    }
}

/// What can go wrong inside a format, before it is known which folder was meant.
enum Cause {
    Io(io::Error),
    #[cfg(feature = "gdal")]
    Gdal(gdal::errors::GdalError),
    #[cfg(not(feature = "gdal"))]
    NotBuilt,
}

impl From<io::Error> for Cause {
    fn from(source: io::Error) -> Self {
        Self::Io(source)
    }
}

impl Cause {
    fn into_error(self, format: Format, folder: &Path) -> ExportError {
        match self {
            Self::Io(source) => ExportError::Write { path: folder.to_owned(), source },
            #[cfg(feature = "gdal")]
            Self::Gdal(source) => {
                ExportError::Gdal { format, path: folder.to_owned(), why: source.to_string() }
            }
            #[cfg(not(feature = "gdal"))]
            Self::NotBuilt => ExportError::NotBuilt { format },
        }
    }
}

fn write_layers(
    layers: &[layers::Layer],
    scenario: &Scenario,
    format: Format,
    folder: &Path,
    lang: Lang,
) -> Result<(), Cause> {
    let plane = &scenario.plane;
    match format {
        Format::GeoJson => {
            for layer in layers {
                let path = folder.join(format!("{}.geojson", layer.name));
                write_file(&path, |out| geojson::write(out, layer, plane))?;
            }
        }
        Format::Kml => {
            let path = folder.join("plan.kml");
            write_file(&path, |out| kml::write(out, layers, plane, &scenario.name, lang))?;
        }
        Format::Shapefile => {
            for layer in layers {
                shapefile::write(folder, layer, plane, lang)?;
            }
        }
        Format::Dxf => write_file(&folder.join("plan.dxf"), |out| dxf::write(out, layers))?,
        Format::PmTiles => {
            let all: Vec<&layers::Layer> = layers.iter().collect();
            let archive = tiles::archive(&all, plane, TILE_ZOOMS, &scenario.name)?;
            write_file(&folder.join("plan.pmtiles"), |out| out.write_all(&archive))?;
        }
        #[cfg(feature = "gdal")]
        Format::FlatGeobuf => {
            for layer in layers {
                flatgeobuf::write(folder, layer, plane).map_err(Cause::Gdal)?;
            }
        }
        #[cfg(not(feature = "gdal"))]
        Format::FlatGeobuf => return Err(Cause::NotBuilt),
    }
    Ok(())
}

/// Writes one file through a buffer and makes sure that it reached the disk.
fn write_file(
    path: &Path,
    write: impl FnOnce(&mut io::BufWriter<std::fs::File>) -> io::Result<()>,
) -> io::Result<()> {
    let mut out = io::BufWriter::new(std::fs::File::create(path)?);
    write(&mut out)?;
    out.flush()?;
    out.get_ref().sync_all()
}

/// Moves complete files from the staging folder to their place, in the order of their names.
fn publish(staging: &Path, folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> =
        staging.read_dir()?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
    files.sort();
    let mut published = Vec::with_capacity(files.len());
    for file in files {
        let Some(name) = file.file_name() else { continue };
        let target = folder.join(name);
        std::fs::rename(&file, &target)?;
        published.push(target);
    }
    Ok(published)
}
