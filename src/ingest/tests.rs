//! Readers on real and on made files.
#![expect(clippy::unwrap_used, reason = "tests")]

mod bad_input;
mod counting;
mod formats;
mod real;

use std::fmt::Write as _;
use std::path::Path;

use super::*;
use crate::model::{Finding, FindingKind};

/// A folder that disappears after the test.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Writes a file and gives its path.
    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn path(&self, name: &str) -> String {
        Path::new(self.0.path()).join(name).to_string_lossy().into_owned()
    }
}

fn run(request: &ImportRequest) -> Result<Scenario, IngestError> {
    let mut last = 0.0;
    read(request, &mut |_, share| {
        assert!((last..=1.0).contains(&share), "progress went from {last} to {share}");
        last = share;
        std::ops::ControlFlow::Continue(())
    })
}

/// One source with a role.
fn one(role: Role, path: &str) -> ImportRequest {
    ImportRequest::default().with(role, path)
}

fn has(scenario: &Scenario, kind: FindingKind) -> Option<&Finding> {
    scenario.findings.iter().find(|finding| finding.kind == kind)
}

/// Longitude and latitude of a place in Yantai.
const LON: f64 = 121.39;
const LAT: f64 = 37.54;

/// A square of a side of `size` metres, `east` and `north` metres off the place in Yantai, as GeoJSON coordinates.
fn square(east: f64, north: f64, size: f64) -> String {
    let at = |e: f64, n: f64| {
        let lon = LON + e / (111_320.0 * LAT.to_radians().cos());
        format!("[{lon:.9},{:.9}]", LAT + n / 111_320.0)
    };
    let (right, top) = (east + size, north + size);
    format!(
        "[[{},{},{},{},{}]]",
        at(east, north),
        at(right, north),
        at(right, top),
        at(east, top),
        at(east, north)
    )
}

/// A feature collection of squares: (east, north, size, properties).
fn squares(features: &[(f64, f64, f64, &str)]) -> String {
    let mut text = String::from("{\"type\":\"FeatureCollection\",\"features\":[");
    for (index, (east, north, size, properties)) in features.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let coordinates = square(*east, *north, *size);
        write!(
            text,
            "{comma}{{\"type\":\"Feature\",\"properties\":{{{properties}}},\
             \"geometry\":{{\"type\":\"Polygon\",\"coordinates\":{coordinates}}}}}"
        )
        .unwrap();
    }
    text + "]}"
}
