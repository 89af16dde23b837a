//! A terrain raster of any system → heights on the plane, clipped to the data.

use gdal::Dataset;
use gdal::spatial_ref::{AxisMappingStrategy, CoordTransform, SpatialRef};
use geo::{BoundingRect, Coord, Rect};

use super::assemble::vertices;
use super::error::IngestError;
use crate::model::{AtomShape, Finding, FindingKind, Scenario, Severity, Terrain, Text};

/// How far terrain reaches beyond the data, in metres: as far as a 15-minute walk from its edge. Our choice.
const MARGIN: f64 = 1500.0;
/// Finest and coarsest distance of nodes, in metres. Our choice.
const CELL: std::ops::RangeInclusive<f64> = 10.0..=30.0;
/// Nodes at most: 400 MB of heights would help nobody.
const MOST_NODES: f64 = 25e6;
/// Heights outside this are no heights on land, in metres.
const HEIGHTS: std::ops::RangeInclusive<f64> = -500.0..=9000.0;

/// Adds a terrain model to a scenario; one that does not reach the data becomes a finding.
///
/// # Errors
/// When GDAL cannot read the raster.
pub(super) fn add(scenario: &mut Scenario, path: &str) -> Result<(), IngestError> {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path).to_owned();
    let told = |error: gdal::errors::GdalError| IngestError::Unreadable {
        file: file.clone(),
        reason: Text::same(error.to_string()),
    };
    super::gdal::be_quiet();
    let dataset = Dataset::open(path).map_err(told)?;
    let Some(frame) = frame(scenario) else { return Ok(()) };
    let raster = Raster::of(&dataset).map_err(told)?;
    let Some(terrain) = resample(scenario, &raster, frame) else {
        return Ok(());
    };
    let known = terrain.heights().iter().filter(|height| height.is_finite()).count();
    let share = known as f64 / terrain.heights().len() as f64;
    if known == 0 {
        scenario.findings.push(Finding::new(
            Severity::Warning,
            FindingKind::NoTerrain,
            "streets",
            (
                format!("{file} 在数据范围内没有高程，未采用"),
                format!("{file} holds no height within the data; it was left out"),
            ),
            (
                "核对它的坐标系，或换用本地的图幅",
                "check its coordinate system, or take the tile of this place",
            ),
        ));
        return Ok(());
    }
    if share < 0.95 {
        let percent = share * 100.0;
        scenario.findings.push(Finding::new(
            Severity::Info,
            FindingKind::NoTerrain,
            "streets",
            (
                format!("{file} 覆盖数据及其周边的 {percent:.0}%，其余处未计坡度"),
                format!(
                    "{file} covers {percent:.0} % of the data and its surroundings; elsewhere slopes are not counted"
                ),
            ),
            ("换用范围更大的地形模型", "take a larger terrain model"),
        ));
    }
    let crs = raster.described.clone();
    if let Some(source) = scenario.sources.iter_mut().find(|source| source.name == file) {
        source.crs = Text::from((format!("{crs}（文件标明）"), format!("{crs} (stated by the file)")));
        source.features = known as u64;
    }
    scenario.terrain = Some(terrain);
    Ok(())
}

/// The extent of buildings and communities with a margin.
fn frame(scenario: &Scenario) -> Option<Rect<f64>> {
    let communities = scenario.communities.iter().map(|community| AtomShape::Area(community.outline.clone()));
    let communities: Vec<AtomShape> = communities.collect();
    let shapes = scenario.atoms.iter().map(|atom| &atom.shape).chain(&communities);
    let bounds = vertices(shapes).bounding_rect()?;
    let margin = Coord { x: MARGIN, y: MARGIN };
    Some(Rect::new(bounds.min() - margin, bounds.max() + margin))
}

/// One band in memory, with the way from degrees to its pixels.
struct Raster {
    size: (usize, usize),
    values: Vec<f64>,
    no_data: Option<f64>,
    inverse: [f64; 6],
    from_degrees: Option<CoordTransform>,
    /// Width of a pixel in metres, roughly.
    pixel: f64,
    described: String,
}

impl Raster {
    fn of(dataset: &Dataset) -> gdal::errors::Result<Self> {
        let geo_transform = dataset.geo_transform()?;
        let mut reference = dataset.spatial_ref()?;
        reference.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
        let mut degrees = SpatialRef::from_epsg(4326)?;
        degrees.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
        let is_geographic = reference.is_geographic();
        let from_degrees = (reference.auth_code().ok() != Some(4326))
            .then(|| CoordTransform::new(&degrees, &reference))
            .transpose()?;
        let band = dataset.rasterband(1)?;
        let buffer = band.read_band_as::<f64>()?;
        let [_, a, b, _, d, e] = geo_transform;
        let determinant = a * e - b * d;
        let scale = if is_geographic { 111_320.0 } else { 1.0 };
        Ok(Self {
            size: band.size(),
            values: buffer.data().to_vec(),
            no_data: band.no_data_value(),
            inverse: [
                geo_transform[0],
                geo_transform[3],
                e / determinant,
                -b / determinant,
                -d / determinant,
                a / determinant,
            ],
            from_degrees,
            pixel: determinant.abs().sqrt() * scale,
            described: reference.name().unwrap_or_else(|| "unknown".to_owned()),
        })
    }

    fn value(&self, column: usize, row: usize) -> f64 {
        let value = self.values[row * self.size.0 + column];
        let missing = self.no_data.is_some_and(|no_data| value == no_data) || !HEIGHTS.contains(&value);
        if missing { f64::NAN } else { value }
    }

    /// Bilinear height between pixel centres; within half a pixel of the rim the rim counts.
    fn height(&self, at: Coord<f64>) -> f64 {
        let [x0, y0, xx, xy, yx, yy] = self.inverse;
        let (dx, dy) = (at.x - x0, at.y - y0);
        let (column, row) = (dx * xx + dy * xy - 0.5, dx * yx + dy * yy - 0.5);
        let (last_column, last_row) = ((self.size.0 - 1) as f64, (self.size.1 - 1) as f64);
        let inside = (-0.5..=last_column + 0.5).contains(&column) && (-0.5..=last_row + 0.5).contains(&row);
        if !inside {
            return f64::NAN;
        }
        let (column, row) = (column.clamp(0.0, last_column), row.clamp(0.0, last_row));
        let (left, top) = (column.floor() as usize, row.floor() as usize);
        let (right, bottom) = ((left + 1).min(self.size.0 - 1), (top + 1).min(self.size.1 - 1));
        let (fx, fy) = (column.fract(), row.fract());
        let north = mix(self.value(left, top), self.value(right, top), fx);
        let south = mix(self.value(left, bottom), self.value(right, bottom), fx);
        mix(north, south, fy)
    }
}

/// Between two heights; a missing one leaves the other alone.
fn mix(a: f64, b: f64, share: f64) -> f64 {
    match (a.is_nan(), b.is_nan()) {
        (false, false) => a + (b - a) * share,
        (true, _) => b,
        (false, true) => a,
    }
}

/// Heights at the nodes of a square raster on the plane.
fn resample(scenario: &Scenario, raster: &Raster, frame: Rect<f64>) -> Option<Terrain> {
    let mut cell = raster.pixel.clamp(*CELL.start(), *CELL.end());
    while MOST_NODES < (frame.width() / cell) * (frame.height() / cell) {
        cell *= 2.0;
    }
    let origin = Coord { x: (frame.min().x / cell).floor() * cell, y: (frame.min().y / cell).floor() * cell };
    let columns = ((frame.max().x - origin.x) / cell).ceil() as usize + 1;
    let rows = ((frame.max().y - origin.y) / cell).ceil() as usize + 1;
    let mut heights = Vec::with_capacity(columns * rows);
    for row in 0..rows {
        let places = (0..columns).map(|column| {
            scenario
                .plane
                .to_lonlat(Coord { x: origin.x + column as f64 * cell, y: origin.y + row as f64 * cell })
        });
        let (mut x, mut y): (Vec<f64>, Vec<f64>) = places.map(|at| (at.x, at.y)).unzip();
        let fine = raster
            .from_degrees
            .as_ref()
            .is_none_or(|way| way.transform_coords(&mut x, &mut y, &mut []).is_ok());
        heights.extend(x.into_iter().zip(y).map(|(x, y)| {
            let height = if fine { raster.height(Coord { x, y }) } else { f64::NAN };
            height as f32
        }));
    }
    Terrain::new(origin, cell, columns, heights)
}
