//! The self-contained map page: `web/dist/page.html` with the plan's data put into its gaps.
//!
//! The data is one JSON object, gzipped and base64-coded; `web/src/data.ts` describes it from the other side.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use geo::{Coord, CoordsIter, Geometry};
use serde::Serialize;

use super::layers::{self, Kind, Layer, Row, Value};
use super::{ExportError, coloring, geojson, tiles};
use crate::geometry::{Plane, interior_point};
use crate::model::{
    Coverage, CoverageMethod, CoverageScope, Grid, Lang, Plan, Scenario, Severity, StationStatus, UnitKind,
};

/// Colours that the page has for grids; `GRID_COLORS` in `web/src/style.ts`.
const N_GRID_COLORS: usize = 8;
/// Corners of a drawn straight-line circle.
const CIRCLE_CORNERS: u32 = 72;

/// Buildings above which the layers in [`TILED`] go into tiles: about 3 MB of JSON, which a browser opens in 2 s.
pub(super) const TILED_ABOVE: usize = 20_000;
/// Layers that grow with the number of buildings.
const TILED: [&str; 2] = ["buildings", "streets"];
/// Zooms of the inline tiles; the page draws closer views from the last one.
const TILE_ZOOMS: std::ops::RangeInclusive<u8> = 11..=14;

const TEMPLATE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/web/dist/page.html"));

#[derive(Serialize)]
struct Head<'a> {
    lang: &'static str,
    name: &'a str,
    version: &'a str,
    plan_hash: &'a str,
    plane: String,
    profile: &'a str,
    with_terrain: bool,
    attribution: &'static str,
    notice: &'static str,
    bounds: [f64; 4],
    bands: Vec<Band>,
    unit_kind: &'static str,
    figures: Figures,
    shares: Vec<Share>,
    uncovered_households: serde_json::Map<String, serde_json::Value>,
    household_breaks: Vec<u32>,
    tiled: Vec<&'static str>,
    tile_zooms: [u8; 2],
}

#[derive(Serialize)]
struct Band {
    minutes: u32,
    metres: f64,
}

#[derive(Serialize)]
struct Share {
    method: &'static str,
    minutes: u32,
    share: f64,
    households: u32,
}

#[derive(Default, Serialize)]
struct Figures {
    households: u32,
    residents: u32,
    buildings: usize,
    communities: usize,
    grids: usize,
    grids_in_range: usize,
    target: Option<u32>,
    low: Option<u32>,
    high: Option<u32>,
    stations_existing: usize,
    stations_chosen: usize,
    stations_closed: usize,
    findings_error: usize,
    findings_warning: usize,
    findings_info: usize,
}

/// What the page is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A file that asks nobody.
    Read,
    /// The editor, which asks the server that it came from.
    Edit,
}

/// The whole page as text.
pub(super) fn page(
    scenario: &Scenario,
    plan: &Plan,
    lang: Lang,
    purpose: Purpose,
) -> Result<String, ExportError> {
    let (json, tiles) = page_data(scenario, plan, lang, TILED_ABOVE).map_err(ExportError::page)?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(7));
    encoder.write_all(&json).map_err(ExportError::page)?;
    let zipped = STANDARD.encode(encoder.finish().map_err(ExportError::page)?);
    let title = format!(
        "{} · {}",
        escaped(&scenario.name),
        lang.pick("网格与步行圈地图", "grids and walking circles")
    );
    Ok(filled(&[
        ("@@LANG@@", lang.tag()),
        ("@@CONNECT@@", if purpose == Purpose::Edit { " 'self'" } else { "" }),
        ("@@EDITOR@@", if purpose == Purpose::Edit { "true" } else { "false" }),
        ("@@TITLE@@", &title),
        ("@@DATA@@", &zipped),
        ("@@TILES@@", &STANDARD.encode(tiles)),
    ]))
}

/// The template with its gaps filled, in one pass, so that filled text is never searched again.
fn filled(gaps: &[(&str, &str)]) -> String {
    let mut page = String::with_capacity(TEMPLATE.len() + gaps.iter().map(|gap| gap.1.len()).sum::<usize>());
    let mut rest = TEMPLATE;
    while let Some((at, gap, text)) =
        gaps.iter().filter_map(|(gap, text)| rest.find(gap).map(|at| (at, *gap, *text))).min()
    {
        page.push_str(&rest[..at]);
        page.push_str(text);
        rest = &rest[at + gap.len()..];
    }
    page.push_str(rest);
    page
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The data of the page before it is packed: JSON, and an archive of tiles for what is too much for JSON.
pub(super) fn page_data(
    scenario: &Scenario,
    plan: &Plan,
    lang: Lang,
    tiled_above: usize,
) -> std::io::Result<(Vec<u8>, Vec<u8>)> {
    let layers = page_layers(scenario, plan, lang);
    let is_tiled = |layer: &Layer| tiled_above < scenario.atoms.len() && TILED.contains(&layer.name);
    let (tiled, layers): (Vec<Layer>, Vec<Layer>) = layers.into_iter().partition(is_tiled);
    let mut head = head(scenario, plan, lang, &layers);
    let mut tiles = Vec::new();
    if !tiled.is_empty() {
        head.tiled = tiled.iter().map(|layer| layer.name).collect();
        let of_tiles: Vec<&Layer> = tiled.iter().collect();
        tiles = tiles::archive(&of_tiles, &scenario.plane, TILE_ZOOMS, &scenario.name)?;
    }
    let mut out = serde_json::to_vec(&head)?;
    out.pop();
    out.extend_from_slice(b",\"layers\":{");
    for (index, layer) in layers.iter().enumerate() {
        write!(out, "{}\"{}\":", if index == 0 { "" } else { "," }, layer.name)?;
        geojson::write(&mut out, layer, &scenario.plane)?;
    }
    out.extend_from_slice(b"}}");
    Ok((out, tiles))
}

fn head<'a>(scenario: &'a Scenario, plan: &'a Plan, lang: Lang, layers: &[Layer]) -> Head<'a> {
    let from_osm = |name: &str| name.ends_with(".pbf") || name.ends_with(".osm");
    let is_china = (4513..=4554).contains(&scenario.plane.epsg());
    let coverage = &plan.coverage;
    let widest = coverage.bands.iter().map(|band| band.minutes).max();
    let row = |method, minutes| coverage.row(CoverageScope::All, None, method, minutes);
    let mut shares = Vec::new();
    let mut uncovered = serde_json::Map::new();
    for method in CoverageMethod::ALL {
        for band in &coverage.bands {
            shares.extend(row(method, band.minutes).map(|row| Share {
                method: method.as_str(),
                minutes: band.minutes,
                share: row.share(),
                households: row.households_reached.0,
            }));
        }
        if let Some(row) = widest.and_then(|minutes| row(method, minutes)) {
            uncovered.insert(method.as_str().into(), (row.households - row.households_reached).0.into());
        }
    }
    Head {
        lang: lang.pick("zh", "en"),
        name: &scenario.name,
        version: env!("CARGO_PKG_VERSION"),
        plan_hash: &plan.provenance.plan_hash,
        plane: scenario.plane.name(),
        profile: &coverage.profile,
        with_terrain: coverage.with_terrain,
        attribution: if scenario.sources.iter().any(|file| from_osm(&file.name)) {
            "© OpenStreetMap contributors"
        } else {
            ""
        },
        notice: if is_china {
            lang.pick(
                "规划工作图；公开使用前须送审并标注审图号。",
                "Working map; in China a published map needs a review number (审图号).",
            )
        } else {
            ""
        },
        bounds: bounds(layers, &scenario.plane),
        bands: coverage
            .bands
            .iter()
            .map(|band| Band { minutes: band.minutes, metres: band.metres.value() })
            .collect(),
        unit_kind: if scenario.unit_kind == UnitKind::Areas { "areas" } else { "buildings" },
        figures: figures(scenario, plan),
        shares,
        uncovered_households: uncovered,
        household_breaks: household_breaks(scenario),
        tiled: Vec::new(),
        tile_zooms: [*TILE_ZOOMS.start(), *TILE_ZOOMS.end()],
    }
}

fn figures(scenario: &Scenario, plan: &Plan) -> Figures {
    let grids = &plan.partition.grids;
    let size = most_common_size(grids);
    let stations = layers::stations_of(scenario, plan);
    let n_stations = |status| stations.iter().filter(|station| station.status == status).count();
    let findings = || scenario.findings.iter().chain(&plan.findings);
    let n_findings = |severity| findings().filter(|finding| finding.severity == severity).count();
    let planned = || scenario.atoms.iter().filter(|atom| atom.community.is_some());
    Figures {
        households: planned().map(|atom| atom.households.0).sum(),
        residents: planned().map(|atom| atom.residents.0).sum(),
        buildings: planned().count(),
        communities: scenario.communities.len(),
        grids: grids.len(),
        grids_in_range: grids.iter().filter(|grid| grid.is_in_range()).count(),
        target: size.map(|size| size.target.0),
        low: size.map(|size| size.low.0),
        high: size.map(|size| size.high.0),
        stations_existing: n_stations(StationStatus::Existing),
        stations_chosen: n_stations(StationStatus::Chosen),
        stations_closed: n_stations(StationStatus::Closed),
        findings_error: n_findings(Severity::Error),
        findings_warning: n_findings(Severity::Warning),
        findings_info: n_findings(Severity::Info),
    }
}

/// The size that most grids were asked to keep, for the legend.
fn most_common_size(grids: &[Grid]) -> Option<crate::model::GridSize> {
    let mut counts: Vec<(crate::model::GridSize, usize)> = Vec::new();
    for size in grids.iter().filter_map(|grid| grid.size) {
        match counts.iter_mut().find(|(one, _)| *one == size) {
            Some((_, count)) => *count += 1,
            None => counts.push((size, 1)),
        }
    }
    counts.into_iter().max_by_key(|(size, count)| (*count, size.target)).map(|(size, _)| size)
}

/// Where the colours of household counts change: the fifths of the buildings with households.
fn household_breaks(scenario: &Scenario) -> Vec<u32> {
    let mut counts: Vec<u32> =
        scenario.atoms.iter().map(|atom| atom.households.0).filter(|&n| 0 < n).collect();
    counts.sort_unstable();
    let Some(&least) = counts.first() else { return Vec::new() };
    let mut breaks: Vec<u32> = (1..5).map(|fifth| counts[counts.len() * fifth / 5]).collect();
    breaks.dedup();
    breaks.retain(|&at| least < at);
    breaks
}

/// The box of what is planned: communities, or else everything. West, south, east, north in degrees.
fn bounds(layers: &[Layer], plane: &Plane) -> [f64; 4] {
    let of = |wanted: &[&str]| {
        let rows = layers.iter().filter(|layer| wanted.contains(&layer.name)).flat_map(|layer| &layer.rows);
        let corners = rows.filter_map(|row| row.geometry.as_ref()).flat_map(CoordsIter::coords_iter);
        corners.map(|at| plane.to_lonlat(at)).filter(|at| at.x.is_finite() && at.y.is_finite()).fold(
            None,
            |found: Option<[f64; 4]>, Coord { x, y }| {
                let [west, south, east, north] = found.unwrap_or([x, y, x, y]);
                Some([west.min(x), south.min(y), east.max(x), north.max(y)])
            },
        )
    };
    of(&["communities"])
        .or_else(|| of(&["buildings", "streets", "stations"]))
        .unwrap_or([73.0, 18.0, 135.0, 54.0])
}

fn page_layers(scenario: &Scenario, plan: &Plan, lang: Lang) -> Vec<Layer> {
    let all = layers::layers(scenario, plan, lang);
    let uncovered = layers::left_out(scenario, plan, &CoverageMethod::ALL);
    // The page cuts by the nearest station on its own account: its buildings say theirs.
    let made_here = ["uncovered", "service_circles", "service_areas"];
    let mut ready: Vec<Layer> = all.into_iter().filter(|layer| !made_here.contains(&layer.name)).collect();
    ready.extend([layers::service_circles(plan), uncovered]);
    for layer in &mut ready {
        match layer.name {
            "grids" => complete_grids(layer, scenario, plan),
            "communities" => {
                let outlines: Vec<_> = scenario.communities.iter().map(|one| &one.outline).collect();
                add_label_points(layer, &outlines, &scenario.plane);
                let scopes = (0..outlines.len())
                    .map(|i| CoverageScope::Community(crate::model::CommunityId::from_index(i)));
                add_shares(layer, &plan.coverage, scopes.collect());
            }
            "compounds" => {
                let outlines: Vec<_> = scenario.compounds.iter().map(|one| &one.outline).collect();
                add_label_points(layer, &outlines, &scenario.plane);
            }
            "service_circles" => complete_circles(layer, scenario, plan),
            _ => {}
        }
        if !matches!(layer.name, "compounds" | "findings") {
            continue;
        }
        layer.rows.retain(|row| row.geometry.is_some());
    }
    ready.retain(|layer| !layer.rows.is_empty());
    ready
}

/// The layer `grids` alone, as the page has it.
pub(super) fn grids_json(scenario: &Scenario, plan: &Plan, lang: Lang) -> std::io::Result<Vec<u8>> {
    let mut grids = layers::grids(scenario, plan, lang);
    complete_grids(&mut grids, scenario, plan);
    let mut out = Vec::new();
    geojson::write(&mut out, &grids, &scenario.plane)?;
    Ok(out)
}

fn complete_grids(layer: &mut Layer, scenario: &Scenario, plan: &Plan) {
    let grids = &plan.partition.grids;
    let outlines: Vec<_> = grids.iter().map(|grid| &grid.outline).collect();
    let colors = coloring::colors(&outlines, N_GRID_COLORS);
    layer.add("color", Kind::Int, colors.into_iter().map(|color| Value::Int(color as i64)));
    layer.add("label", Kind::Text, grids.iter().map(|grid| label(scenario, grid).into()));
    add_label_points(layer, &outlines, &scenario.plane);
    let scopes = (0..grids.len()).map(|i| CoverageScope::Grid(crate::model::GridId::from_index(i)));
    add_shares(layer, &plan.coverage, scopes.collect());
}

/// The part of a code that tells grids of one community apart.
fn label<'a>(scenario: &Scenario, grid: &'a Grid) -> &'a str {
    let community = scenario.communities[grid.community.index()].code.as_str();
    let tail = grid.code.strip_prefix(community).map(|tail| tail.trim_start_matches(['-', '.', '/', '_']));
    tail.filter(|tail| !tail.is_empty()).unwrap_or(&grid.code)
}

fn add_label_points(layer: &mut Layer, outlines: &[&geo::MultiPolygon<f64>], plane: &Plane) {
    let points: Vec<Option<Coord<f64>>> = outlines
        .iter()
        .map(|outline| (!outline.0.is_empty()).then(|| plane.to_lonlat(interior_point(outline))))
        .collect();
    let rounded = |degrees: f64| (degrees * 1e6).round() / 1e6;
    layer.add("label_x", Kind::Real, points.iter().map(|at| at.map(|at| rounded(at.x)).into()));
    layer.add("label_y", Kind::Real, points.iter().map(|at| at.map(|at| rounded(at.y)).into()));
}

/// Columns `network_time_5` and so on: the share by every method.
fn add_shares(layer: &mut Layer, coverage: &Coverage, scopes: Vec<CoverageScope>) {
    for method in CoverageMethod::ALL {
        for band in &coverage.bands {
            let share = |&scope: &CoverageScope| {
                coverage.row(scope, None, method, band.minutes).map(layers::rounded_share).into()
            };
            let name = format!("{}_{}", method.as_str(), band.minutes);
            let values: Vec<Value> = scopes.iter().map(share).collect();
            layer.add(&name, Kind::Real, values);
        }
    }
}

/// Adds straight-line circles beside those by walking time; a station that is all stations is an empty text.
fn complete_circles(layer: &mut Layer, scenario: &Scenario, plan: &Plan) {
    if let Some(station) = layer.column("station") {
        for row in &mut layer.rows {
            if row.values[station] == Value::Null {
                row.values[station] = "".into();
            }
        }
    }
    let open = || {
        layers::stations_of(scenario, plan).iter().filter(|station| station.status != StationStatus::Closed)
    };
    for band in &plan.coverage.bands {
        let discs: Vec<geo::Polygon<f64>> =
            open().map(|station| disc(station.at, band.metres.value())).collect();
        let merged = geo::algorithm::bool_ops::unary_union(&discs);
        let mut push = |geometry: Geometry<f64>, code: &str| {
            let method = CoverageMethod::StraightRadius.as_str();
            let values = vec![code.into(), band.minutes.into(), method.into()];
            layer.rows.push(Row { geometry: Some(geometry), values });
        };
        if !merged.0.is_empty() {
            push(Geometry::MultiPolygon(merged), "");
        }
        for (station, disc) in open().zip(discs) {
            push(Geometry::Polygon(disc), &station.code);
        }
    }
}

fn disc(at: Coord<f64>, radius: f64) -> geo::Polygon<f64> {
    let corner = |index: u32| {
        let angle = f64::from(index) * std::f64::consts::TAU / f64::from(CIRCLE_CORNERS);
        Coord { x: at.x + radius * angle.cos(), y: at.y + radius * angle.sin() }
    };
    geo::Polygon::new((0..CIRCLE_CORNERS).map(corner).collect(), Vec::new())
}
