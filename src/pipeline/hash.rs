//! Fingerprints: the same input and the same answer give the same hash on every machine and number of threads.

use geo::{CoordsIter, MultiPolygon};
use sha2::{Digest, Sha256};

use crate::model::{AtomShape, BarrierShape, Plan, Scenario};

/// Numbers as little-endian bytes, texts with their length before them, lists with their length before them.
struct Fingerprint(Sha256);

impl Fingerprint {
    fn new(version: &str) -> Self {
        let mut print = Self(Sha256::new());
        print.text(version);
        print
    }

    fn number(&mut self, value: u64) {
        self.0.update(value.to_le_bytes());
    }

    fn real(&mut self, value: f64) {
        self.number(value.to_bits());
    }

    fn text(&mut self, value: &str) {
        self.number(value.len() as u64);
        self.0.update(value.as_bytes());
    }

    fn places(&mut self, shape: &impl CoordsIter<Scalar = f64>) {
        self.number(shape.coords_count() as u64);
        for place in shape.coords_iter() {
            self.real(place.x);
            self.real(place.y);
        }
    }

    fn area(&mut self, area: &MultiPolygon<f64>) {
        self.number(area.0.len() as u64);
        for polygon in area {
            self.number(polygon.interiors().len() as u64);
            self.places(polygon);
        }
    }

    fn hex(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// SHA-256 of everything in a scenario that a plan may depend on, hex.
pub(super) fn of_scenario(scenario: &Scenario) -> String {
    let mut print = Fingerprint::new("scenario 1");
    print.number(u64::from(scenario.plane.epsg()));
    for community in &scenario.communities {
        print.text(&community.code);
        print.text(community.class.as_str());
        print.area(&community.outline);
    }
    for atom in &scenario.atoms {
        print.text(&atom.source.0);
        match &atom.shape {
            AtomShape::Point(point) => print.places(point),
            AtomShape::Area(area) => print.area(area),
        }
        let optional = |id: Option<u32>| id.map_or(u64::MAX, u64::from);
        for number in [
            u64::from(atom.households.0),
            u64::from(atom.residents.0),
            u64::from(atom.other_loads.shops),
            u64::from(atom.other_loads.venues),
            u64::from(atom.other_loads.organizations),
            u64::from(atom.other_loads.other),
            optional(atom.community.map(|id| id.0)),
            optional(atom.compound.map(|id| id.0)),
            u64::from(atom.exclusive) + 2 * u64::from(atom.locked),
        ] {
            print.number(number);
        }
        print.text(atom.current_grid.as_deref().unwrap_or(""));
    }
    for street in &scenario.streets {
        print.places(&street.line);
        print.text(street.class.as_str());
        let flags = [street.foot, street.bridge, street.tunnel, street.crossing, street.no_wheelchair];
        print.number(flags.iter().fold(0, |bits, &flag| bits * 2 + u64::from(flag)));
        print.real(street.incline.unwrap_or(f64::INFINITY));
    }
    for compound in &scenario.compounds {
        print.number(u64::from(compound.walled));
        print.area(&compound.outline);
    }
    of_obstacles(&mut print, scenario);
    print.hex()
}

fn of_obstacles(print: &mut Fingerprint, scenario: &Scenario) {
    for barrier in &scenario.barriers {
        print.text(barrier.kind.as_str());
        match &barrier.shape {
            BarrierShape::Line(line) => print.places(line),
            BarrierShape::Area(area) => print.area(area),
        }
    }
    for gate in &scenario.gates {
        print.places(&geo::Point(gate.at));
        print.number(u64::from(gate.open));
    }
    for premise in &scenario.premises {
        print.text(&premise.source.0);
        print.places(&geo::Point(premise.at));
        print.number(u64::from(premise.cost.unwrap_or(u32::MAX)));
        print.number(u64::from(premise.capacity.map_or(u32::MAX, |capacity| capacity.0)));
    }
    for station in &scenario.stations {
        print.text(&station.code);
        print.text(station.tier.as_str());
        print.places(&geo::Point(station.at));
    }
    if let Some(terrain) = &scenario.terrain {
        print.number(terrain.columns() as u64);
        terrain.heights().iter().for_each(|height| print.number(u64::from(height.to_bits())));
    }
}

/// SHA-256 of the answer, hex: grids with their outlines, stations, coverage.
pub(super) fn of_plan(plan: &Plan) -> String {
    let mut print = Fingerprint::new("plan 1");
    for grid in &plan.partition.grids {
        print.text(&grid.code);
        print.number(u64::from(grid.households.0));
        print.area(&grid.outline);
    }
    for grid in &plan.partition.grid_of {
        print.number(grid.map_or(u64::MAX, |id| u64::from(id.0)));
    }
    for station in &plan.stations {
        print.text(&station.code);
        print.text(station.tier.as_str());
        print.text(station.status.as_str());
        print.places(&geo::Point(station.at));
    }
    for row in &plan.coverage.rows {
        print.number(u64::from(row.minutes));
        print.number(u64::from(row.households_reached.0));
        print.number(u64::from(row.residents_reached.0));
    }
    for profile in &plan.coverage.profiles {
        print.text(&profile.profile);
        profile.households_reached.iter().for_each(|reached| print.number(u64::from(reached.0)));
    }
    for load in plan.coverage.balance.iter().flat_map(|balance| &balance.loads) {
        print.number(u64::from(load.served.0));
    }
    for circle in plan.circles.iter().chain(&plan.service_areas) {
        print.number(u64::from(circle.minutes));
        print.area(&circle.area);
    }
    print.hex()
}
