//! The local metric plane on which everything is computed.

use std::sync::Arc;

use geo::Coord;
use proj4rs::Proj;
use proj4rs::transform::transform;

use super::datum::is_in_mainland_china;

/// Why there is no such plane, or no place on it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PlaneError {
    /// An EPSG code that is no local plane of ours.
    #[error(
        "EPSG:{0} is no local metric plane known here; use a CGCS2000 3-degree Gauss-Kruger zone \
         (EPSG:4534 to 4554, or 4513 to 4533 with zone prefix) or a UTM zone (EPSG:32601 to 32660, 32701 to 32760)"
    )]
    UnknownCode(u32),
    /// A place that cannot be projected.
    #[error("{lon}, {lat} is no longitude and latitude in degrees that this plane reaches")]
    OutOfRange {
        /// Longitude in degrees.
        lon: f64,
        /// Latitude in degrees.
        lat: f64,
    },
}

/// A transverse Mercator plane in metres, x east and y north, named by its EPSG code.
///
/// CGCS2000 3° Gauss–Krüger in mainland China, UTM elsewhere.
#[derive(Clone)]
pub struct Plane {
    epsg: u32,
    projection: Arc<(Proj, Proj)>,
}

impl std::fmt::Debug for Plane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Plane(EPSG:{})", self.epsg)
    }
}

impl PartialEq for Plane {
    fn eq(&self, other: &Self) -> bool {
        self.epsg == other.epsg
    }
}

impl Plane {
    /// The usual plane around a place: longitude and latitude in degrees, WGS 84.
    ///
    /// ```
    /// # use gridplan::geometry::Plane;
    /// assert_eq!(Plane::around(121.39, 37.54).expect("Yantai").epsg(), 4549);
    /// assert_eq!(Plane::around(7.42, 43.73).expect("Monaco").epsg(), 32632);
    /// ```
    ///
    /// # Errors
    /// [`PlaneError::OutOfRange`] unless −180 ≤ lon ≤ 180 and −80 ≤ lat ≤ 84.
    pub fn around(lon: f64, lat: f64) -> Result<Self, PlaneError> {
        if !(-180.0..=180.0).contains(&lon) || !(-80.0..=84.0).contains(&lat) {
            return Err(PlaneError::OutOfRange { lon, lat });
        }
        if is_in_mainland_china(Coord { x: lon, y: lat }) {
            let meridian = ((lon / 3.0).round() as u32 * 3).clamp(75, 135);
            return Self::from_epsg(4534 + (meridian - 75) / 3);
        }
        let zone = (((lon + 180.0) / 6.0) as u32 + 1).min(60);
        Self::from_epsg(if lat < 0.0 { 32700 + zone } else { 32600 + zone })
    }

    /// The plane of an EPSG code.
    ///
    /// # Errors
    /// [`PlaneError::UnknownCode`] for a code that is neither CGCS2000 3° Gauss–Krüger nor UTM on WGS 84.
    pub fn from_epsg(epsg: u32) -> Result<Self, PlaneError> {
        let (definition, ellipsoid) = match epsg {
            4513..=4533 => {
                let zone = epsg - 4513 + 25;
                (gauss_kruger(zone * 3, f64::from(zone) * 1e6 + 5e5), "+ellps=GRS80")
            }
            4534..=4554 => (gauss_kruger(75 + (epsg - 4534) * 3, 5e5), "+ellps=GRS80"),
            32601..=32660 => (format!("+proj=utm +zone={}", epsg - 32600), "+ellps=WGS84"),
            32701..=32760 => (format!("+proj=utm +zone={} +south", epsg - 32700), "+ellps=WGS84"),
            _ => return Err(PlaneError::UnknownCode(epsg)),
        };
        // Datum words are left out on purpose: CGCS2000 and WGS 84 agree to centimetres.
        let plane = Proj::from_proj_string(&format!("{definition} {ellipsoid} +units=m +no_defs"));
        let geographic = Proj::from_proj_string(&format!("+proj=longlat {ellipsoid} +no_defs"));
        match (plane, geographic) {
            (Ok(plane), Ok(geographic)) => Ok(Self { epsg, projection: Arc::new((plane, geographic)) }),
            _ => Err(PlaneError::UnknownCode(epsg)),
        }
    }

    /// EPSG code.
    #[must_use]
    pub fn epsg(&self) -> u32 {
        self.epsg
    }

    /// A name that people recognise.
    #[must_use]
    pub fn name(&self) -> String {
        match self.epsg {
            4513..=4533 => format!("CGCS2000 / 3-degree Gauss-Kruger zone {}", self.epsg - 4513 + 25),
            4534..=4554 => format!("CGCS2000 / 3-degree Gauss-Kruger CM {}E", 75 + (self.epsg - 4534) * 3),
            32601..=32660 => format!("WGS 84 / UTM zone {}N", self.epsg - 32600),
            _ => format!("WGS 84 / UTM zone {}S", self.epsg.saturating_sub(32700)),
        }
    }

    /// The plane as well-known text, version 1, for files that carry one.
    #[must_use]
    pub fn wkt(&self) -> String {
        let (meridian, scale, false_easting, false_northing) = match self.epsg {
            4513..=4533 => {
                ((self.epsg - 4513 + 25) * 3, 1.0, f64::from(self.epsg - 4513 + 25) * 1e6 + 5e5, 0.0)
            }
            4534..=4554 => (75 + (self.epsg - 4534) * 3, 1.0, 5e5, 0.0),
            _ => return self.utm_wkt(),
        };
        format!(
            "PROJCS[\"{}\",GEOGCS[\"China Geodetic Coordinate System 2000\",DATUM[\"China_2000\",\
             SPHEROID[\"CGCS2000\",6378137,298.257222101,AUTHORITY[\"EPSG\",\"1024\"]],AUTHORITY[\"EPSG\",\"1043\"]],\
             PRIMEM[\"Greenwich\",0],UNIT[\"degree\",0.0174532925199433],AUTHORITY[\"EPSG\",\"4490\"]],\
             PROJECTION[\"Transverse_Mercator\"],PARAMETER[\"latitude_of_origin\",0],\
             PARAMETER[\"central_meridian\",{meridian}],PARAMETER[\"scale_factor\",{scale}],\
             PARAMETER[\"false_easting\",{false_easting}],PARAMETER[\"false_northing\",{false_northing}],\
             UNIT[\"metre\",1],AUTHORITY[\"EPSG\",\"{}\"]]",
            self.name(),
            self.epsg
        )
    }

    fn utm_wkt(&self) -> String {
        let south = 32700 < self.epsg;
        let zone = self.epsg % 100;
        format!(
            "PROJCS[\"{}\",GEOGCS[\"WGS 84\",DATUM[\"WGS_1984\",SPHEROID[\"WGS 84\",6378137,298.257223563,\
             AUTHORITY[\"EPSG\",\"7030\"]],AUTHORITY[\"EPSG\",\"6326\"]],PRIMEM[\"Greenwich\",0],\
             UNIT[\"degree\",0.0174532925199433],AUTHORITY[\"EPSG\",\"4326\"]],PROJECTION[\"Transverse_Mercator\"],\
             PARAMETER[\"latitude_of_origin\",0],PARAMETER[\"central_meridian\",{}],\
             PARAMETER[\"scale_factor\",0.9996],PARAMETER[\"false_easting\",500000],\
             PARAMETER[\"false_northing\",{}],UNIT[\"metre\",1],AUTHORITY[\"EPSG\",\"{}\"]]",
            self.name(),
            i64::from(zone) * 6 - 183,
            if south { 10_000_000 } else { 0 },
            self.epsg
        )
    }

    /// Longitude and latitude in degrees (WGS 84) to metres.
    ///
    /// # Errors
    /// [`PlaneError::OutOfRange`] where the projection does not reach.
    pub fn to_plane(&self, lonlat: Coord<f64>) -> Result<Coord<f64>, PlaneError> {
        let out_of_range = PlaneError::OutOfRange { lon: lonlat.x, lat: lonlat.y };
        if !(-180.0..=180.0).contains(&lonlat.x) || !(-90.0..=90.0).contains(&lonlat.y) {
            return Err(out_of_range);
        }
        let mut point = (lonlat.x.to_radians(), lonlat.y.to_radians(), 0.0);
        let (plane, geographic) = &*self.projection;
        match transform(geographic, plane, &mut point) {
            Ok(()) if point.0.is_finite() && point.1.is_finite() => Ok(Coord { x: point.0, y: point.1 }),
            _ => Err(out_of_range),
        }
    }

    /// Metres to longitude and latitude in degrees (WGS 84).
    ///
    /// A place so far off that the projection has no inverse gives not-a-number; no scenario holds such a place.
    #[must_use]
    pub fn to_lonlat(&self, at: Coord<f64>) -> Coord<f64> {
        let mut point = (at.x, at.y, 0.0);
        let (plane, geographic) = &*self.projection;
        match transform(plane, geographic, &mut point) {
            Ok(()) => Coord { x: point.0.to_degrees(), y: point.1.to_degrees() },
            Err(_) => Coord { x: f64::NAN, y: f64::NAN },
        }
    }
}

fn gauss_kruger(meridian: u32, false_easting: f64) -> String {
    format!("+proj=tmerc +lat_0=0 +lon_0={meridian} +k=1 +x_0={false_easting} +y_0=0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_places_agree_with_proj() {
        // echo LON LAT | gdaltransform -s_srs OGC:CRS84 -t_srs EPSG:CODE, GDAL 3.6.2, PROJ 9.1.
        for (epsg, lon, lat, x, y) in [
            (32632, 7.4246, 43.7384, 373_139.336_673, 4_844_024.124_663),
            (4549, 121.39, 37.54, 622_848.906_307, 4_157_349.718_684),
        ] {
            let at = Plane::from_epsg(epsg)
                .and_then(|plane| plane.to_plane(Coord { x: lon, y: lat }))
                .expect("on it");
            assert!((at.x - x).abs() < 1e-3 && (at.y - y).abs() < 1e-3, "EPSG:{epsg}: {at:?}");
        }
    }

    #[test]
    fn there_and_back_is_the_same_place() {
        for (lon, lat) in [(116.4, 39.9), (121.4, 37.5), (134.2, 35.5), (7.4, 43.7), (-51.2, -30.0)] {
            let plane = Plane::around(lon, lat).expect("a plane");
            let back = plane.to_lonlat(plane.to_plane(Coord { x: lon, y: lat }).expect("on it"));
            assert!((back.x - lon).abs() < 1e-9 && (back.y - lat).abs() < 1e-9, "{back:?}");
        }
    }

    #[test]
    fn places_that_are_none_are_refused() {
        assert!(Plane::around(f64::NAN, 0.0).is_err());
        assert!(Plane::around(0.0, 91.0).is_err());
        assert!(Plane::from_epsg(3857).is_err());
    }
}
