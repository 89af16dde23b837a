//! Coordinate systems of sources: declared, or read off the coordinates themselves.

use geo::Coord;

use super::error::IngestError;
use crate::geometry::{Datum, Plane};
use crate::model::Text;

/// How the coordinates of a source are meant.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Crs {
    /// Longitude and latitude in degrees.
    Degrees(Datum),
    /// Metres on a plane; the easting carries the zone number in front (in millions) if `prefix` is not zero.
    Metres {
        /// Plane.
        plane: Plane,
        /// Zone number in front of the easting.
        prefix: u32,
    },
}

impl Crs {
    /// WGS 84 degrees.
    pub(super) const WGS84: Self = Self::Degrees(Datum::Wgs84);

    /// Reads `EPSG:4549`, `4549`, `CGCS2000`, `wgs84`, an OGC URN.
    pub(super) fn parse(text: &str) -> Result<Self, IngestError> {
        let plain = text.trim().to_ascii_uppercase();
        if let Some(datum) = Datum::parse(&plain) {
            return Ok(Self::Degrees(datum));
        }
        if plain.ends_with("CRS84") {
            return Ok(Self::WGS84);
        }
        let digits = plain.rsplit(':').next().unwrap_or(&plain);
        let bad = |reason: Text| IngestError::BadCrs { text: text.to_owned(), reason };
        let code: u32 = digits
            .parse()
            .map_err(|_| bad(Text::from(("其中没有 EPSG 编号", "there is no EPSG number in it"))))?;
        Self::from_epsg(code).ok_or_else(|| {
            bad(Text::from((
                format!("EPSG:{code} 既不是 WGS 84 或 CGCS2000 经纬度，也不是不借助 GDAL 就认识的平面"),
                format!(
                    "EPSG:{code} is neither degrees on WGS 84 or CGCS2000 nor a plane known without GDAL"
                ),
            )))
        })
    }

    /// A system that needs no library.
    pub(super) fn from_epsg(code: u32) -> Option<Self> {
        match code {
            // WGS 84, CGCS2000, JGD2000, JGD2011, ETRS89, NAD83, GDA94, RGF93, SIRGAS 2000: within metres of one another.
            4326 | 4490 | 4612 | 6668 | 4258 | 4269 | 4283 | 4171 | 4674 => Some(Self::WGS84),
            // CGCS2000 6° zones share their meridians with 3° zones: with prefix, and by meridian.
            4491..=4501 => {
                let zone = code - 4491 + 13;
                Plane::from_epsg(4534 + (zone * 6 - 3 - 75) / 3)
                    .ok()
                    .map(|plane| Self::Metres { plane, prefix: zone })
            }
            4502..=4512 => {
                let meridian = 75 + (code - 4502) * 6;
                Plane::from_epsg(4534 + (meridian - 75) / 3)
                    .ok()
                    .map(|plane| Self::Metres { plane, prefix: 0 })
            }
            _ => Plane::from_epsg(code).ok().map(|plane| Self::Metres { plane, prefix: 0 }),
        }
    }

    /// The words shown to people.
    pub(super) fn describe(&self) -> Text {
        match self {
            Self::Degrees(Datum::Wgs84) => {
                Text::from(("WGS 84 / CGCS2000 经纬度", "WGS 84 / CGCS2000 degrees"))
            }
            Self::Degrees(Datum::Gcj02) => {
                Text::from(("GCJ-02 经纬度（高德、腾讯）", "GCJ-02 degrees (Amap, Tencent)"))
            }
            Self::Degrees(Datum::Bd09) => Text::from(("BD-09 经纬度（百度）", "BD-09 degrees (Baidu)")),
            Self::Metres { plane, prefix: 0 } => {
                Text::same(format!("EPSG:{} {}", plane.epsg(), plane.name()))
            }
            Self::Metres { plane, prefix } => {
                let plane = format!("EPSG:{} {}", plane.epsg(), plane.name());
                Text::from((
                    format!("{plane}，横坐标前带带号 {prefix}"),
                    format!("{plane} with zone {prefix} before the easting"),
                ))
            }
        }
    }

    /// Degrees on WGS 84; not-a-number where there is no such place.
    pub(super) fn to_lonlat(&self, at: Coord<f64>) -> Coord<f64> {
        match self {
            Self::Degrees(datum) => datum.to_wgs84(at),
            Self::Metres { plane, prefix } => {
                plane.to_lonlat(Coord { x: at.x - f64::from(*prefix) * 1e6, y: at.y })
            }
        }
    }

    /// Metres on another plane; not-a-number where there is no such place.
    pub(super) fn to_plane(&self, target: &Plane, at: Coord<f64>) -> Coord<f64> {
        match self {
            Self::Metres { plane, prefix } if plane == target => {
                Coord { x: at.x - f64::from(*prefix) * 1e6, y: at.y }
            }
            _ => target.to_plane(self.to_lonlat(at)).unwrap_or(Coord { x: f64::NAN, y: f64::NAN }),
        }
    }

    /// Whether coordinates are in degrees.
    pub(super) fn is_degrees(&self) -> bool {
        matches!(self, Self::Degrees(_))
    }
}

/// What coordinates look like, where nothing declares them.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Look {
    /// Longitude and latitude; `swapped` if the first number is the latitude.
    Degrees { swapped: bool },
    /// Gauss–Krüger metres with the zone number in front of the easting.
    Zoned { crs: Crs, swapped: bool },
    /// Metres, but of which plane nobody can say. Range of the easting and the northing.
    Metres { swapped: bool },
    /// None of these.
    Unknown,
}

/// Looks at coordinates. The middle nine tenths decide, so that a few broken ones do not.
pub(super) fn look(coords: &[Coord<f64>]) -> Look {
    let finite: Vec<Coord<f64>> = coords
        .iter()
        .copied()
        .filter(|at| at.x.is_finite() && at.y.is_finite() && (at.x != 0.0 || at.y != 0.0))
        .collect();
    let Some((x, y)) = middle(&finite) else { return Look::Unknown };
    let within = |range: (f64, f64), low: f64, high: f64| low <= range.0 && range.1 <= high;
    if within(x, -180.0, 180.0) && within(y, -90.0, 90.0) {
        return Look::Degrees { swapped: false };
    }
    if within(y, -180.0, 180.0) && within(x, -90.0, 90.0) {
        return Look::Degrees { swapped: true };
    }
    for (east, north, swapped) in [(x, y, false), (y, x, true)] {
        if !within(north, 1.6e6, 6.2e6) {
            continue;
        }
        let zone = (east.0 / 1e6).floor();
        if zone == (east.1 / 1e6).floor() && within((zone, zone), 13.0, 45.0) {
            let zone = zone as u32;
            // 13–23 are 6° zones, 25–45 are 3° zones.
            let code = match zone {
                13..=23 => 4491 + zone - 13,
                25..=45 => 4534 + zone - 25,
                _ => continue,
            };
            if let Some(Crs::Metres { plane, .. }) = Crs::from_epsg(code) {
                return Look::Zoned { crs: Crs::Metres { plane, prefix: zone }, swapped };
            }
        }
        if within(east, 1e5, 1e6) {
            return Look::Metres { swapped };
        }
    }
    // The southern hemisphere and the far north: UTM northings up to 10,000 km.
    if within(x, 1e5, 1e6) && within(y, 0.0, 1e7) { Look::Metres { swapped: false } } else { Look::Unknown }
}

/// Ranges of x and y of the middle nine tenths.
fn middle(coords: &[Coord<f64>]) -> Option<((f64, f64), (f64, f64))> {
    if coords.is_empty() {
        return None;
    }
    let range = |mut values: Vec<f64>| {
        values.sort_unstable_by(f64::total_cmp);
        let cut = values.len() / 20;
        (values[cut], values[values.len() - 1 - cut])
    };
    Some((range(coords.iter().map(|at| at.x).collect()), range(coords.iter().map(|at| at.y).collect())))
}
