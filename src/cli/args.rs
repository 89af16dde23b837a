//! What may be typed: verbs, flags and the help that teaches them.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Plans community grids (网格), service stations (驿站) and walking circles (服务圈).
///
/// A first run: `gridplan demo` invents a district of 12,000 households, plans it and tells where the map is.
/// With your own files: `gridplan import … -o city.gpkg`, `gridplan check city.gpkg`, `gridplan plan city.gpkg -o out/`.
#[derive(Debug, Parser)]
#[command(name = "gridplan", version, max_term_width = 100, arg_required_else_help = true)]
pub(super) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
    /// Language of reports and messages.
    #[arg(long, global = true, value_enum, default_value_t = LangArg::Zh)]
    pub lang: LangArg,
    /// Threads to use; results are the same with any number [default: all cores].
    #[arg(long, global = true, value_name = "N")]
    pub threads: Option<usize>,
    /// Print results as one JSON object for machines.
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress bars.
    #[arg(long, global = true)]
    pub quiet: bool,
}

/// Language of reports and messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LangArg {
    /// 中文.
    Zh,
    /// English.
    En,
}

/// Verbs.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Read files of any mix into one plan file, e.g. `import city.osm.pbf --role dem=dem.tif -o city.gpkg`.
    Import(ImportArgs),
    /// List what is odd in the data: severity, place, what, remedy.
    Check(FileArgs),
    /// The whole plan: grids, stations, coverage, report, map and tables.
    Plan(PlanArgs),
    /// Draw the grids only.
    Grids(StageArgs),
    /// Choose the stations only.
    Stations(StageArgs),
    /// Measure coverage only; with --open, --move or --close: who would win and who would lose, nothing written.
    Coverage(CoverageArgs),
    /// Divide again from the present grids, moving as few households as possible; locked grids stay.
    Redraw(RedrawArgs),
    /// Compare two plan files: who moved, which codes follow which, who wins and who loses a station.
    Compare(CompareArgs),
    /// Change a plan by a list of edits, or take edits back; every change goes into the ledger.
    Edit(EditArgs),
    /// Edit a plan on a map in the browser; listens on this computer only.
    #[cfg(feature = "server")]
    Serve(ServeArgs),
    /// Write the report and the tables again from a plan file.
    Report(ReportArgs),
    /// Write files for other programs, e.g. `export out/plan.gpkg --to geojson,kml,shp -o files/`.
    Export(ExportArgs),
    /// Invent a realistic Chinese city, e.g. `synth --households 120000 --seed 1 -o city.gpkg`.
    Synth(SynthArgs),
    /// Invent a district, plan it and write everything into a folder.
    Demo(DemoArgs),
}

/// `import`.
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// Files to read, roles found out: OSM (.pbf, .osm), GIS files, CSV, XLSX, GeoTIFF, `PG:` connections. A layer is
    /// named as FILE:LAYER; options follow as `|encoding=gbk|crs=EPSG:4549|datum=gcj02|where=CITY='201'`.
    #[arg(value_name = "SOURCE")]
    pub sources: Vec<String>,
    /// Files with their roles: ROLE=FILE, where ROLE is buildings, units, communities, compounds, streets, barriers,
    /// gates, grids, stations, premises, zones, dem or osm.
    #[arg(long = "role", value_name = "ROLE=FILE", num_args = 1.., value_parser = pair_or_source)]
    pub roles: Vec<(String, String)>,
    /// Columns by meaning: MEANING=NAME, e.g. `--column households=SETAI`.
    #[arg(long = "column", value_name = "MEANING=NAME", num_args = 1.., value_parser = pair_or_source)]
    pub columns: Vec<(String, String)>,
    /// Plan file to write.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Name of the place for titles [default: from the first file].
    #[arg(long)]
    pub name: Option<String>,
    /// Text encoding of the sources: utf-8, gbk, gb18030, shift_jis, … [default: detected].
    #[arg(long)]
    pub encoding: Option<String>,
    /// Datum of longitudes and latitudes: wgs84, gcj02 (Amap, Tencent) or bd09 (Baidu) [default: detected].
    #[arg(long)]
    pub datum: Option<String>,
    /// Coordinate system of the sources, e.g. EPSG:4549 [default: as the files say].
    #[arg(long)]
    pub crs: Option<String>,
    /// Only features for which this holds, e.g. `CITY='201'`.
    #[arg(long = "where", value_name = "CONDITION")]
    pub filter: Option<String>,
    /// Households of the whole place, spread by floor area over buildings that have no count.
    #[arg(long, value_name = "N")]
    pub households_total: Option<u32>,
    /// Floor area of one household in m², where households are estimated [default: 110].
    #[arg(long, value_name = "M2")]
    pub floor_area_per_household: Option<f64>,
    /// Residents of one household, where only one of the two is counted [default: 2.62].
    #[arg(long, value_name = "N")]
    pub residents_per_household: Option<f64>,
    /// EPSG code of the metric plane [default: CGCS2000 Gauss-Kruger in China, UTM elsewhere].
    #[arg(long, value_name = "EPSG")]
    pub plane: Option<u32>,
    /// OSM admin_level taken as communities [default: the finest that covers the buildings].
    #[arg(long, value_name = "LEVEL")]
    pub admin_level: Option<u8>,
}

/// `KEY=VALUE`. Without a sign, or as a connection, it is a source that stands behind the flag's last value.
fn pair_or_source(text: &str) -> Result<(String, String), String> {
    let is_source = !text.contains('=') || text.to_ascii_uppercase().starts_with("PG:");
    if is_source { Ok((String::new(), text.to_owned())) } else { pair(text) }
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && !value.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write it as KEY=VALUE, without spaces around the sign".to_owned()),
    }
}

/// A plan file.
#[derive(Debug, Args)]
pub(super) struct FileArgs {
    /// Plan file.
    pub file: PathBuf,
}

/// Parameters of a plan: a `gridplan.toml` and flags that override it.
#[derive(Debug, Args)]
pub(super) struct ParamArgs {
    /// Parameter file; `gridplan.toml` in the present folder is taken by itself.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Wanted households of a grid [default: 300].
    #[arg(long, value_name = "N")]
    pub target: Option<u32>,
    /// Allowed deviation as a fraction [default: 0.10].
    #[arg(long, value_name = "SHARE")]
    pub tolerance: Option<f64>,
    /// Seed of every random choice [default: 1].
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Effort: draft for a first look, full for the plan that is handed over [default: full].
    #[arg(long, value_enum)]
    pub effort: Option<EffortArg>,
    /// How grids are coded: stat12+3, unitgrid-15 or cjt349-20 [default: stat12+3].
    #[arg(long, value_name = "SCHEME")]
    pub code_scheme: Option<String>,
    /// Six digits of the object class that cjt349-20 puts in front, as your platform lists them.
    #[arg(long, value_name = "DIGITS")]
    pub object_class: Option<String>,
    /// Who walks: adult, age-60, age-70, age-80, frail, wheelchair, pushchair, steady [default: adult].
    #[arg(long, value_name = "PROFILE")]
    pub profile: Option<String>,
}

/// Effort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum EffortArg {
    /// A first look.
    Draft,
    /// The plan that is handed over.
    Full,
}

/// `plan`.
#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    /// Plan file with the data, made by `import` or `synth`.
    pub file: PathBuf,
    /// Folder for plan.gpkg, map.html, report.html and tables.xlsx; made if it does not exist.
    #[arg(short, long, default_value = "out", value_name = "FOLDER")]
    pub output: PathBuf,
    /// Parameters.
    #[command(flatten)]
    pub params: ParamArgs,
}

/// `grids`, `stations`, `coverage`.
#[derive(Debug, Args)]
pub(super) struct StageArgs {
    /// Plan file.
    pub file: PathBuf,
    /// Plan file to write [default: the same file].
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Parameters.
    #[command(flatten)]
    pub params: ParamArgs,
}

/// `coverage`.
#[derive(Debug, Args)]
pub(super) struct CoverageArgs {
    /// File and parameters.
    #[command(flatten)]
    pub stage: StageArgs,
    /// What if a station opened there? X,Y on the plan's plane in metres, longitude,latitude, or the id of a premise.
    #[arg(long, value_name = "PLACE", allow_hyphen_values = true)]
    pub open: Vec<String>,
    /// What if a station moved? CODE=PLACE, PLACE as in --open.
    #[arg(long = "move", value_name = "CODE=PLACE", value_parser = pair)]
    pub moves: Vec<(String, String)>,
    /// What if a station closed?
    #[arg(long, value_name = "CODE")]
    pub close: Vec<String>,
    /// Ask about the stations of one tier only: city, regional, community, compound or corner.
    #[arg(long, value_name = "TIER")]
    pub tier: Option<String>,
}

/// `redraw`.
#[derive(Debug, Args)]
pub(super) struct RedrawArgs {
    /// Plan file with present grids.
    pub file: PathBuf,
    /// Plan file to write [default: the same file].
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Largest share of households that may change grid; 1 for no limit. A lower limit leaves more grids out of range.
    #[arg(long, default_value_t = 0.05, value_name = "SHARE")]
    pub max_moved: f64,
    /// Parameters.
    #[command(flatten)]
    pub params: ParamArgs,
}

/// `compare`.
#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// Plan file before.
    pub before: PathBuf,
    /// Plan file after.
    pub after: PathBuf,
}

/// `edit`.
#[derive(Debug, Args)]
pub(super) struct EditArgs {
    /// Plan file with grids.
    pub file: PathBuf,
    /// Edits, one JSON object a line (docs/formats.md); `-` reads them from the standard input.
    #[arg(long, value_name = "EDITS", conflicts_with = "undo")]
    pub apply: Option<PathBuf>,
    /// Take back the last N edits that stand.
    #[arg(long, value_name = "N")]
    pub undo: Option<usize>,
    /// Say what would change and write nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Write only if the plan may be handed over: no grid lies in pieces that could hang together. Without `--apply`
    /// and `--undo` the plan is only checked.
    #[arg(long, visible_alias = "check")]
    pub submit: bool,
    /// Plan file to write [default: the same file].
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Who edits, where a line does not say it [default: the user of this computer].
    #[arg(long)]
    pub who: Option<String>,
    /// Why, where a line does not say it.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub why: String,
    /// On what basis (document, meeting, rule), where a line does not say it.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub basis: String,
}

/// `serve`.
#[cfg(feature = "server")]
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Plan file with grids.
    pub file: PathBuf,
    /// Port on 127.0.0.1 [default: a free one].
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// Who edits, for the ledger [default: the user of this computer].
    #[arg(long)]
    pub who: Option<String>,
}

/// `report`.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// Plan file with a plan.
    pub file: PathBuf,
    /// Folder for map.html, report.html and tables.xlsx.
    #[arg(short, long, default_value = "out", value_name = "FOLDER")]
    pub output: PathBuf,
}

/// `export`.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Plan file with a plan.
    pub file: PathBuf,
    /// Formats, separated by commas: geojson, gpkg, kml, shp, dxf, fgb, pmtiles, xlsx, html.
    #[arg(long, value_name = "FORMATS", value_delimiter = ',', required = true)]
    pub to: Vec<String>,
    /// Folder to write into; made if it does not exist.
    #[arg(short, long, default_value = "out", value_name = "FOLDER")]
    pub output: PathBuf,
}

/// `synth`.
#[derive(Debug, Args)]
pub(super) struct SynthArgs {
    /// Households of the city, from 600 to 20,000,000.
    #[arg(long, default_value_t = 12_000, value_name = "N")]
    pub households: u32,
    /// The same seed gives the same city.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// Plan file to write.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

/// `demo`.
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Folder for everything; made if it does not exist.
    #[arg(short, long, default_value = "out/demo", value_name = "FOLDER")]
    pub output: PathBuf,
    /// Households of the invented district.
    #[arg(long, default_value_t = 12_000, value_name = "N")]
    pub households: u32,
    /// Seed of the district and the plan.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
}
