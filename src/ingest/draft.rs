//! What one source contributes: nouns of the model, still in the source's own coordinates.

use geo::{Coord, MapCoordsInPlace, MultiPolygon};

use super::crs::Crs;
use super::encoding::TextEncoding;
use super::roles::Role;
use crate::geometry::Plane;
use crate::model::{
    AtomShape, Barrier, BarrierShape, Community, Compound, Finding, Gate, OtherLoads, Premise, Station,
    Street, Text, Use,
};

/// A building or area before it is linked and counted.
#[derive(Clone, Debug)]
pub(super) struct DraftAtom {
    pub source: String,
    pub name: Option<String>,
    pub shape: AtomShape,
    pub households: Option<u32>,
    pub residents: Option<u32>,
    /// Its source has a column of counts, so a blank means that someone forgot.
    pub counts_expected: bool,
    pub other_loads: OtherLoads,
    pub floors: Option<u16>,
    pub floor_area: Option<f64>,
    pub usage: Use,
    pub exclusive: bool,
    pub door: Option<Coord<f64>>,
    pub community: Option<String>,
    pub compound: Option<String>,
    pub current_grid: Option<String>,
    pub locked: bool,
}

impl DraftAtom {
    /// A building of which nothing is known but its shape.
    pub(super) fn new(source: String, shape: AtomShape) -> Self {
        Self {
            source,
            name: None,
            shape,
            households: None,
            residents: None,
            counts_expected: false,
            other_loads: OtherLoads::default(),
            floors: None,
            floor_area: None,
            usage: Use::Residential,
            exclusive: false,
            door: None,
            community: None,
            compound: None,
            current_grid: None,
            locked: false,
        }
    }
}

/// A population cell, or a present grid: an area or point with a name and counts.
#[derive(Clone, Debug)]
pub(super) struct DraftZone {
    pub source: String,
    pub shape: AtomShape,
    /// Cells of population models are fractional.
    pub households: Option<f64>,
    pub residents: Option<f64>,
    pub locked: bool,
}

/// An administrative area of OSM with its level.
#[derive(Clone, Debug)]
pub(super) struct DraftAdmin {
    pub level: u8,
    pub community: Community,
}

/// What one layer of a source contributes.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub file: String,
    pub layer: String,
    pub role: Role,
    /// From what the role was guessed; `None` if it was declared.
    pub role_guessed: Option<Text>,
    pub sha256: String,
    pub encoding: TextEncoding,
    pub crs: Crs,
    /// How the coordinate system is known.
    pub crs_how: Text,
    /// It was read off the coordinates or found out by comparison: say so.
    pub crs_detected: bool,
    /// The datum was neither declared by the file nor by the user.
    pub datum_open: bool,
    /// The plane is not known yet: eastings say nothing about the meridian.
    pub zone_open: bool,
    /// Columns with their meaning, for messages.
    pub recognised: String,
    /// Names of the columns, for messages.
    pub columns: Vec<String>,
    pub features: u64,
    pub communities: Vec<Community>,
    pub admins: Vec<DraftAdmin>,
    pub atoms: Vec<DraftAtom>,
    pub compounds: Vec<Compound>,
    /// Compounds known by their position only; source as in `compounds`.
    pub compound_places: Vec<DraftAtom>,
    pub streets: Vec<Street>,
    pub barriers: Vec<Barrier>,
    pub gates: Vec<Gate>,
    pub grids: Vec<DraftZone>,
    pub zones: Vec<DraftZone>,
    pub stations: Vec<Station>,
    pub premises: Vec<Premise>,
    /// Path of a terrain raster.
    pub raster: Option<String>,
    pub findings: Vec<Finding>,
}

impl Draft {
    /// Nothing yet.
    pub(super) fn new(file: String, role: Role) -> Self {
        Self {
            file,
            layer: String::new(),
            role,
            role_guessed: None,
            sha256: String::new(),
            encoding: TextEncoding::default(),
            crs: Crs::WGS84,
            crs_how: Text::default(),
            crs_detected: false,
            datum_open: false,
            zone_open: false,
            recognised: String::new(),
            columns: Vec::new(),
            features: 0,
            communities: Vec::new(),
            admins: Vec::new(),
            atoms: Vec::new(),
            compounds: Vec::new(),
            compound_places: Vec::new(),
            streets: Vec::new(),
            barriers: Vec::new(),
            gates: Vec::new(),
            grids: Vec::new(),
            zones: Vec::new(),
            stations: Vec::new(),
            premises: Vec::new(),
            raster: None,
            findings: Vec::new(),
        }
    }

    /// File with layer, for messages.
    pub(super) fn label(&self) -> String {
        if self.layer.is_empty() { self.file.clone() } else { format!("{}:{}", self.file, self.layer) }
    }

    /// Calls `f` on every coordinate, in place and in parallel where it pays.
    pub(super) fn map_coords(&mut self, f: impl Fn(Coord<f64>) -> Coord<f64> + Sync + Copy) {
        use rayon::prelude::*;
        let area = |area: &mut MultiPolygon<f64>| area.map_coords_in_place(f);
        let shape = |shape: &mut AtomShape| match shape {
            AtomShape::Point(point) => point.0 = f(point.0),
            AtomShape::Area(outline) => outline.map_coords_in_place(f),
        };
        self.communities.iter_mut().for_each(|community| area(&mut community.outline));
        self.admins.iter_mut().for_each(|admin| area(&mut admin.community.outline));
        self.compounds.iter_mut().for_each(|compound| area(&mut compound.outline));
        self.atoms.par_iter_mut().chain(&mut self.compound_places).for_each(|atom| {
            shape(&mut atom.shape);
            atom.door = atom.door.map(f);
        });
        self.streets.par_iter_mut().for_each(|street| street.line.map_coords_in_place(f));
        self.barriers.par_iter_mut().for_each(|barrier| match &mut barrier.shape {
            BarrierShape::Line(line) => line.map_coords_in_place(f),
            BarrierShape::Area(outline) => outline.map_coords_in_place(f),
        });
        self.gates.iter_mut().for_each(|gate| gate.at = f(gate.at));
        self.grids.iter_mut().chain(&mut self.zones).for_each(|zone| shape(&mut zone.shape));
        self.stations.iter_mut().for_each(|station| station.at = f(station.at));
        self.premises.iter_mut().for_each(|premise| premise.at = f(premise.at));
        for place in self.findings.iter_mut().filter_map(|finding| finding.at.as_mut()) {
            *place = f(*place);
        }
    }

    /// Brings every coordinate onto the plane.
    pub(super) fn project(&mut self, plane: &Plane) {
        let crs = self.crs.clone();
        self.map_coords(|at| crs.to_plane(plane, at));
    }
}
