//! `WalkNetwork`.

use gridplan::network::{Circle, CircleShare, NetworkError as Error, WalkNetwork as Network};
use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::errors::NetworkError;

fn failed(error: Error) -> PyErr {
    let error = match error {
        Error::Length { what, found, like, expected } => {
            Error::Length { what: python_name(what), found, like, expected }
        }
        other => other,
    };
    NetworkError::new_err(error.to_string())
}

/// The library's costs are in any unit; Python's arrays are called after millimetres.
fn python_name(array: &'static str) -> &'static str {
    match array {
        "edge_cost" => "edge_mm",
        "edge_back_cost" => "edge_back_mm",
        same => same,
    }
}

/// A walk network: nodes on a metric plane, edges with whole-number costs (millimetres or milliseconds).
#[pyclass(frozen, module = "gridplan")]
pub struct WalkNetwork(Network);

type Nearest<'py> = (Bound<'py, PyArray1<u32>>, Bound<'py, PyArray1<i32>>);
type Ragged<'py> = (Bound<'py, PyArray1<f64>>, [Bound<'py, PyArray1<i64>>; 3]);
/// Station and limit of each circle, and the areas.
type Circles<'py> = (Vec<Option<u32>>, Vec<u32>, Ragged<'py>);
type Within<'py> = (Bound<'py, PyArray1<u64>>, Bound<'py, PyArray1<u32>>, Bound<'py, PyArray1<u32>>);

#[pymethods]
impl WalkNetwork {
    /// `edge_mm` is the cost from `edge_from` to `edge_to`; `edge_back_mm` the way back, the same if left out.
    #[new]
    #[pyo3(signature = (x, y, edge_from, edge_to, edge_mm, edge_back_mm=None))]
    fn new(
        py: Python<'_>,
        x: PyReadonlyArray1<'_, f64>,
        y: PyReadonlyArray1<'_, f64>,
        edge_from: PyReadonlyArray1<'_, u32>,
        edge_to: PyReadonlyArray1<'_, u32>,
        edge_mm: PyReadonlyArray1<'_, u32>,
        edge_back_mm: Option<PyReadonlyArray1<'_, u32>>,
    ) -> PyResult<Self> {
        let (x, y, from, to, there) =
            (x.as_slice()?, y.as_slice()?, edge_from.as_slice()?, edge_to.as_slice()?, edge_mm.as_slice()?);
        let back = edge_back_mm.as_ref().map(|back| back.as_slice()).transpose()?;
        py.detach(|| Network::new(x, y, from, to, there, back)).map(Self).map_err(failed)
    }

    /// Number of nodes.
    #[getter]
    fn n_nodes(&self) -> usize {
        self.0.n_nodes()
    }

    /// Cost to the nearest station per node (4294967295 = unreached) and its index (-1 = none).
    #[pyo3(signature = (stations, limit=None))]
    fn nearest<'py>(
        &self,
        py: Python<'py>,
        stations: PyReadonlyArray1<'_, u32>,
        limit: Option<u32>,
    ) -> PyResult<Nearest<'py>> {
        let stations = stations.as_slice()?;
        let found = py.detach(|| self.0.nearest(stations, limit)).map_err(failed)?;
        Ok((found.cost.into_pyarray(py), found.station.into_pyarray(py)))
    }

    /// Per station the nodes within the limit, sorted by node, as CSR: offsets, nodes, costs.
    fn within<'py>(
        &self,
        py: Python<'py>,
        stations: PyReadonlyArray1<'_, u32>,
        limit: u32,
    ) -> PyResult<Within<'py>> {
        let stations = stations.as_slice()?;
        let found = py.detach(|| self.0.within(stations, limit)).map_err(failed)?;
        Ok((found.offsets.into_pyarray(py), found.node.into_pyarray(py), found.cost.into_pyarray(py)))
    }

    /// Per limit and node the number of stations within the limit.
    fn count_within<'py>(
        &self,
        py: Python<'py>,
        stations: PyReadonlyArray1<'_, u32>,
        limits: Vec<u32>,
    ) -> PyResult<Bound<'py, PyArray2<u32>>> {
        let stations = stations.as_slice()?;
        let rows = py.detach(|| self.0.count_within(stations, &limits)).map_err(failed)?;
        if rows.is_empty() {
            return Ok(PyArray2::zeros(py, [0, self.0.n_nodes()], false));
        }
        PyArray2::from_vec2(py, &rows).map_err(|error| NetworkError::new_err(error.to_string()))
    }

    /// Service circles: station indices or None, limits, and the areas as corners (x, y, x, y …) with the starts of
    /// rings, polygons and areas; `share` is per_station, merged or nearest.
    #[pyo3(signature = (stations, limits, share="per_station"))]
    fn service_circles_ragged<'py>(
        &self,
        py: Python<'py>,
        stations: PyReadonlyArray1<'_, u32>,
        limits: Vec<u32>,
        share: &str,
    ) -> PyResult<Circles<'py>> {
        let share = match share {
            "per_station" => CircleShare::PerStation,
            "merged" => CircleShare::Merged,
            "nearest" => CircleShare::Nearest,
            other => {
                let message = format!("share is `{other}`; use per_station, merged or nearest");
                return Err(NetworkError::new_err(message));
            }
        };
        let stations = stations.as_slice()?;
        let (circles, areas) = py
            .detach(|| {
                let circles = self.0.service_circles(stations, &limits, share)?;
                let areas = RaggedAreas::of(&circles);
                Ok((circles, areas))
            })
            .map_err(failed)?;
        let station = circles.iter().map(|circle| circle.station).collect();
        let limit = circles.iter().map(|circle| circle.limit).collect();
        let starts = [areas.rings, areas.polygons, areas.areas].map(|starts| starts.into_pyarray(py));
        Ok((station, limit, (areas.corners.into_pyarray(py), starts)))
    }
}

/// Many areas in four arrays, the form in which Shapely takes them fastest.
struct RaggedAreas {
    corners: Vec<f64>,
    /// First corner of each ring, first ring of each polygon, first polygon of each area; one more at the end.
    rings: Vec<i64>,
    polygons: Vec<i64>,
    areas: Vec<i64>,
}

impl RaggedAreas {
    fn of(circles: &[Circle]) -> Self {
        let mut ragged = Self { corners: Vec::new(), rings: vec![0], polygons: vec![0], areas: vec![0] };
        for circle in circles {
            for polygon in &circle.area {
                for ring in std::iter::once(polygon.exterior()).chain(polygon.interiors()) {
                    ragged.corners.extend(ring.0.iter().flat_map(|corner| [corner.x, corner.y]));
                    ragged.rings.push(ragged.corners.len() as i64 / 2);
                }
                ragged.polygons.push(ragged.rings.len() as i64 - 1);
            }
            ragged.areas.push(ragged.polygons.len() as i64 - 1);
        }
        ragged
    }
}
