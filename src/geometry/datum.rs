//! GCJ-02 and BD-09: the shifted datums of Chinese web maps.
//!
//! Source: the public reverse-engineered formulas (Krasovsky 1940 ellipsoid, a series in longitude − 105°
//! and latitude − 35°). The inverse is a fixed-point iteration, below a millimetre after six rounds.

use geo::Coord;

/// How longitudes and latitudes are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Datum {
    /// WGS 84; CGCS2000 differs by centimetres and counts as the same.
    #[default]
    Wgs84,
    /// GCJ-02 (Amap, Tencent): 300–700 m off inside mainland China.
    Gcj02,
    /// BD-09 (Baidu): about 1 km off.
    Bd09,
}

impl Datum {
    /// Longitude and latitude in degrees on this datum, as WGS 84. Outside mainland China nothing moves.
    #[must_use]
    pub fn to_wgs84(self, at: Coord<f64>) -> Coord<f64> {
        match self {
            Self::Wgs84 => at,
            Self::Gcj02 => gcj02_to_wgs84(at),
            Self::Bd09 => bd09_to_wgs84(at),
        }
    }

    /// The word used in files and flags.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wgs84 => "wgs84",
            Self::Gcj02 => "gcj02",
            Self::Bd09 => "bd09",
        }
    }

    /// Reads the word used in files and flags.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().replace(['-', '_', ' '], "").as_str() {
            "wgs84" | "cgcs2000" => Some(Self::Wgs84),
            "gcj02" | "amap" | "tencent" => Some(Self::Gcj02),
            "bd09" | "bd09ll" | "baidu" => Some(Self::Bd09),
            _ => None,
        }
    }
}

const SEMI_MAJOR: f64 = 6_378_245.0;
const ECCENTRICITY_SQUARED: f64 = 0.006_693_421_622_965_943;
const BAIDU_PI: f64 = std::f64::consts::PI * 3000.0 / 180.0;

/// Coarse outline of mainland China in degrees, some 30 km outside the border; Hong Kong, Macau and Taiwan are
/// outside it. It decides only which projection is the default and whether a datum shift applies.
const MAINLAND: &[(f64, f64)] = &[
    (73.3, 39.6),
    (74.8, 40.6),
    (76.5, 40.6),
    (79.8, 42.3),
    (80.0, 45.2),
    (82.3, 45.5),
    (82.8, 47.4),
    (85.5, 47.4),
    (85.6, 48.6),
    (87.6, 49.4),
    (91.2, 46.9),
    (91.0, 45.4),
    (95.5, 44.5),
    (96.5, 42.9),
    (101.5, 42.8),
    (105.0, 41.8),
    (109.5, 42.7),
    (111.8, 43.9),
    (112.0, 45.3),
    (114.5, 45.6),
    (116.2, 46.5),
    (119.7, 47.0),
    (118.5, 47.9),
    (115.6, 47.6),
    (116.5, 50.0),
    (119.2, 50.3),
    (120.0, 52.5),
    (120.6, 53.6),
    (123.6, 53.8),
    (126.2, 53.1),
    (127.9, 50.0),
    (130.8, 49.1),
    (131.1, 47.9),
    (135.3, 48.6),
    (133.3, 45.0),
    (131.2, 44.6),
    (131.5, 42.9),
    (130.3, 42.3),
    (129.5, 42.2),
    (128.2, 41.8),
    (126.9, 41.5),
    (126.0, 40.8),
    (124.5, 39.9),
    (123.5, 39.3),
    (122.3, 38.0),
    (123.0, 37.0),
    (121.0, 35.5),
    (121.2, 33.0),
    (122.6, 31.5),
    (123.2, 30.2),
    (122.3, 28.2),
    (120.8, 26.6),
    (119.95, 25.4),
    (118.6, 24.3),
    (117.4, 23.1),
    (115.0, 22.2),
    (114.5, 22.58),
    (114.05, 22.51),
    (113.9, 22.3),
    (113.6, 22.23),
    (113.5, 22.22),
    (113.4, 21.6),
    (111.3, 20.9),
    (111.4, 19.4),
    (109.9, 17.8),
    (108.3, 18.3),
    (108.2, 20.9),
    (107.9, 21.5),
    (106.5, 21.8),
    (105.3, 23.0),
    (102.3, 22.3),
    (101.0, 21.0),
    (99.0, 22.0),
    (97.4, 23.9),
    (98.4, 27.6),
    (95.0, 28.7),
    (92.0, 27.7),
    (89.0, 27.2),
    (86.0, 27.8),
    (81.0, 30.0),
    (78.3, 31.5),
    (78.5, 34.5),
    (75.3, 36.9),
];

/// Whether a place in degrees lies in mainland China, coarsely.
#[must_use]
pub fn is_in_mainland_china(at: Coord<f64>) -> bool {
    let mut inside = false;
    for (index, &(x1, y1)) in MAINLAND.iter().enumerate() {
        let (x2, y2) = MAINLAND[(index + 1) % MAINLAND.len()];
        if (at.y < y1) != (at.y < y2) && at.x < (x2 - x1) * (at.y - y1) / (y2 - y1) + x1 {
            inside = !inside;
        }
    }
    inside
}

/// WGS 84 to GCJ-02, degrees. Outside mainland China nothing moves.
#[must_use]
pub fn wgs84_to_gcj02(at: Coord<f64>) -> Coord<f64> {
    if is_in_mainland_china(at) { at + gcj02_shift(at) } else { at }
}

/// GCJ-02 to WGS 84, degrees; inverse of [`wgs84_to_gcj02`] to better than a millimetre.
#[must_use]
pub fn gcj02_to_wgs84(at: Coord<f64>) -> Coord<f64> {
    if !is_in_mainland_china(at) {
        return at;
    }
    let mut guess = at;
    for _ in 0..6 {
        guess = at - gcj02_shift(guess);
    }
    guess
}

/// WGS 84 to BD-09, degrees. Outside mainland China nothing moves.
#[must_use]
pub fn wgs84_to_bd09(at: Coord<f64>) -> Coord<f64> {
    if is_in_mainland_china(at) { gcj02_to_bd09(wgs84_to_gcj02(at)) } else { at }
}

/// BD-09 to WGS 84, degrees; inverse of [`wgs84_to_bd09`] to better than a millimetre.
#[must_use]
pub fn bd09_to_wgs84(at: Coord<f64>) -> Coord<f64> {
    if !is_in_mainland_china(at) {
        return at;
    }
    let mut gcj = Coord { x: at.x - 0.0065, y: at.y - 0.006 };
    for _ in 0..8 {
        gcj = gcj + (at - gcj02_to_bd09(gcj));
    }
    gcj02_to_wgs84(gcj)
}

fn gcj02_to_bd09(at: Coord<f64>) -> Coord<f64> {
    let radius = at.x.hypot(at.y) + 0.000_02 * (at.y * BAIDU_PI).sin();
    let angle = at.y.atan2(at.x) + 0.000_003 * (at.x * BAIDU_PI).cos();
    Coord { x: radius * angle.cos() + 0.0065, y: radius * angle.sin() + 0.006 }
}

fn gcj02_shift(at: Coord<f64>) -> Coord<f64> {
    let (x, y) = (at.x - 105.0, at.y - 35.0);
    let latitude = at.y.to_radians();
    let root = (1.0 - ECCENTRICITY_SQUARED * latitude.sin().powi(2)).sqrt();
    let per_degree_north = SEMI_MAJOR * (1.0 - ECCENTRICITY_SQUARED) / root.powi(3);
    let per_degree_east = SEMI_MAJOR / root * latitude.cos();
    Coord {
        x: (shift_east(x, y) / per_degree_east).to_degrees(),
        y: (shift_north(x, y) / per_degree_north).to_degrees(),
    }
}

fn ripple(x: f64) -> f64 {
    let pi = std::f64::consts::PI;
    (20.0 * (6.0 * x * pi).sin() + 20.0 * (2.0 * x * pi).sin()) * 2.0 / 3.0
}

fn shift_north(x: f64, y: f64) -> f64 {
    let pi = std::f64::consts::PI;
    -100.0
        + 2.0 * x
        + 3.0 * y
        + 0.2 * y * y
        + 0.1 * x * y
        + 0.2 * x.abs().sqrt()
        + ripple(x)
        + (20.0 * (y * pi).sin() + 40.0 * (y / 3.0 * pi).sin()) * 2.0 / 3.0
        + (160.0 * (y / 12.0 * pi).sin() + 320.0 * (y * pi / 30.0).sin()) * 2.0 / 3.0
}

fn shift_east(x: f64, y: f64) -> f64 {
    let pi = std::f64::consts::PI;
    300.0
        + x
        + 2.0 * y
        + 0.1 * x * x
        + 0.1 * x * y
        + 0.1 * x.abs().sqrt()
        + ripple(x)
        + (20.0 * (x * pi).sin() + 40.0 * (x / 3.0 * pi).sin()) * 2.0 / 3.0
        + (150.0 * (x / 12.0 * pi).sin() + 300.0 * (x / 30.0 * pi).sin()) * 2.0 / 3.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIANANMEN: Coord<f64> = Coord { x: 116.397_4, y: 39.909_1 };

    #[test]
    fn the_shift_is_of_the_published_size() {
        let metres = |a: Coord<f64>, b: Coord<f64>| ((a.x - b.x) * 85_300.0).hypot((a.y - b.y) * 111_000.0);
        let gcj = metres(TIANANMEN, wgs84_to_gcj02(TIANANMEN));
        let bd = metres(TIANANMEN, wgs84_to_bd09(TIANANMEN));
        assert!((300.0..=700.0).contains(&gcj), "GCJ-02 moved by {gcj} m");
        assert!((700.0..=1500.0).contains(&bd), "BD-09 moved by {bd} m");
    }

    #[test]
    fn there_and_back_is_the_same_place() {
        for at in [
            TIANANMEN,
            Coord { x: 121.47, y: 31.23 },
            Coord { x: 119.3, y: 26.08 },
            Coord { x: 87.6, y: 43.8 },
        ] {
            let gcj = gcj02_to_wgs84(wgs84_to_gcj02(at));
            let bd = bd09_to_wgs84(wgs84_to_bd09(at));
            assert!((gcj.x - at.x).abs() + (gcj.y - at.y).abs() < 1e-8, "GCJ-02 {gcj:?}");
            assert!((bd.x - at.x).abs() + (bd.y - at.y).abs() < 1e-8, "BD-09 {bd:?}");
        }
    }

    #[test]
    fn nothing_moves_outside_the_mainland() {
        let hong_kong = Coord { x: 114.17, y: 22.30 };
        let tottori = Coord { x: 134.24, y: 35.50 };
        let monaco = Coord { x: 7.42, y: 43.74 };
        let taipei = Coord { x: 121.56, y: 25.04 };
        for place in [hong_kong, tottori, monaco, taipei] {
            assert_eq!(wgs84_to_gcj02(place), place);
        }
        for place in [(114.06, 22.55), (118.09, 24.48), (121.39, 37.54), (110.35, 20.02), (126.6, 45.8)] {
            assert!(is_in_mainland_china(Coord { x: place.0, y: place.1 }), "{place:?}");
        }
    }
}
