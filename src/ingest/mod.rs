//! Files → [`Scenario`] and findings: the only reader of outside formats.
//!
//! [`read`] takes any mix of sources, finds out what each one is (or is told, by [`Role`]), brings all of them
//! onto one metric plane and links them: building → community, compound and present grid. What is odd becomes
//! a [`Finding`](crate::model::Finding); only what makes planning impossible is an [`IngestError`].
//!
//! A source passes through three shapes: a table layer (columns of text and native coordinates) or a set of
//! OSM elements; a draft (nouns of the model, still in native coordinates); the [`Scenario`].
//! What is recognised is written down in `docs/formats.md`.

mod assemble;
mod columns;
mod communities;
mod convert;
mod crs;
mod csv;
mod datum_fit;
#[cfg(feature = "gdal")]
mod dbf;
mod doors;
mod draft;
mod encoding;
mod error;
mod examine;
mod filter;
#[cfg(feature = "gdal")]
mod gdal;
mod geojson;
mod households;
mod link;
mod lookup;
mod osm;
mod privacy;
mod roles;
mod rows;
mod shapes;
mod source;
mod table;
#[cfg(feature = "gdal")]
mod terrain;
#[cfg(test)]
mod tests;
mod told;
mod values;
mod wkt;
mod words;
mod workbook;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

pub use columns::Column;
pub use error::IngestError;
pub use examine::examine;
pub use privacy::Personal;
pub use roles::Role;
pub use source::SourceSpec;

use crate::geometry::Datum;
use crate::model::{Scenario, Text};

/// Square metres of gross floor area for one household, where nothing better is known.
///
/// Our choice: the 2020 census of China counts 41.76 m² of dwelling a person and 2.62 persons a household, so
/// 109 m² a household. Stairs and empty flats would raise it; shops on the ground floor would lower it.
pub const FLOOR_AREA_PER_HOUSEHOLD: f64 = 110.0;

/// Residents of a household, where the source does not say: the mean of the 2020 census of China.
pub const RESIDENTS_PER_HOUSEHOLD: f64 = 2.62;

/// What to read and how. `..ImportRequest::default()` fills in the usual choices.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportRequest {
    /// Name of the place, for titles; empty takes the file name of the first source.
    pub name: String,
    /// Files, database layers.
    pub sources: Vec<SourceSpec>,
    /// Columns by meaning; others are recognised by their names.
    pub columns: BTreeMap<Column, String>,
    /// Encoding label (`gbk`, `gb18030`, `shift_jis`, `utf-8`, …) of every source that does not say its own.
    pub encoding: Option<String>,
    /// Datum of longitudes and latitudes of every source except OSM and terrain; `None` detects it.
    pub datum: Option<Datum>,
    /// Coordinate system (`EPSG:4549` or a definition that GDAL reads) of every source whose coordinates can be in it.
    pub crs: Option<String>,
    /// Only features for which this holds, in sources that have the columns, such as `CITY = 201`.
    pub filter: Option<String>,
    /// Households of the whole place; what no column counts is spread over lived-in buildings.
    pub households_total: Option<u32>,
    /// Gross floor area of one household in square metres, for the last resort: estimating; `None` never estimates.
    pub floor_area_per_household: Option<f64>,
    /// Residents of one household, where only one of the two is known.
    pub residents_per_household: f64,
    /// EPSG code of the metric plane; `None` chooses the usual one around the data.
    pub plane: Option<u32>,
    /// `admin_level` of the OSM areas taken as communities; `None` takes the finest that covers the buildings.
    pub admin_level: Option<u8>,
}

impl Default for ImportRequest {
    fn default() -> Self {
        Self {
            name: String::new(),
            sources: Vec::new(),
            columns: BTreeMap::new(),
            encoding: None,
            datum: None,
            crs: None,
            filter: None,
            households_total: None,
            floor_area_per_household: Some(FLOOR_AREA_PER_HOUSEHOLD),
            residents_per_household: RESIDENTS_PER_HOUSEHOLD,
            plane: None,
            admin_level: None,
        }
    }
}

impl ImportRequest {
    /// A request for some files whose roles are found out.
    ///
    /// ```
    /// # use gridplan::ingest::ImportRequest;
    /// let request = ImportRequest::of(["city.osm.pbf", "dem.tif"]);
    /// assert_eq!(request.sources.len(), 2);
    /// ```
    #[must_use]
    pub fn of<'a>(sources: impl IntoIterator<Item = &'a str>) -> Self {
        Self { sources: sources.into_iter().map(SourceSpec::parse).collect(), ..Self::default() }
    }

    /// Adds a source with a role.
    #[must_use]
    pub fn with(mut self, role: Role, source: &str) -> Self {
        self.sources.push(SourceSpec { role: Some(role), ..SourceSpec::parse(source) });
        self
    }

    /// Names the column that holds something.
    #[must_use]
    pub fn column(mut self, column: Column, name: &str) -> Self {
        self.columns.insert(column, name.to_owned());
        self
    }
}

/// Reads all sources into one scenario on one metric plane.
///
/// `progress` hears what is being done and the share that is done, 0 to 1; calls come from the calling thread.
/// `Break` ends the import with [`IngestError::Stopped`].
///
/// - Rule: tables are sorted by source id, so reordering files or rows changes nothing; given totals are
///   preserved exactly (largest remainder); everything odd is in `scenario.findings`.
/// - Cost: linear in the input apart from sorting and R-tree lookups.
/// - Fails: see [`IngestError`]; each says what, where, why and what to do.
///
/// # Errors
/// When a source cannot be read, is refused, or nothing could be planned with it.
pub fn read(request: &ImportRequest, progress: Progress<'_>) -> Result<Scenario, IngestError> {
    let count = request.sources.len().max(1) as f64;
    let mut drafts = Vec::new();
    for (index, spec) in request.sources.iter().enumerate() {
        let name = spec.file_name();
        let what = (format!("读取 {name}"), format!("reading {name}"));
        tell(progress, what, 0.7 * index as f64 / count)?;
        drafts.extend(source::read_source(spec, request)?);
    }
    if request.sources.is_empty() {
        return Err(IngestError::NoSources);
    }
    columns::check_overrides(request, &drafts)?;
    let scenario = assemble::assemble(request, drafts, progress)?;
    tell(progress, ("检查", "checking"), 0.98)?;
    Ok(examine::with_findings(scenario))
}

/// Hears what is being done and the share that is done, 0 to 1; `Break` stops.
pub type Progress<'a> = &'a mut dyn FnMut(&Text, f64) -> ControlFlow<()>;

fn tell(progress: Progress<'_>, what: impl Into<Text>, share: f64) -> Result<(), IngestError> {
    match progress(&what.into(), share) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(IngestError::Stopped),
    }
}
