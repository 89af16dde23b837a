//! Small worlds drawn in text.
//!
//! ```text
//! -  |   street across, down          A B …  a junction or a street's end, with a name
//! =  !   bridge across, down          a b …  a door, on a street or beside it
//! ~  :   stairs across, down          +      a bend or crossing without a name
//! #      wall or river                @      an open gate in the wall
//! ```
//!
//! Every character is one step wide and high. The first row lies in the north.

use std::collections::BTreeMap;

use geo::{Coord, LineString};
use gridplan::geometry::Plane;
use gridplan::model::{
    Barrier, BarrierKind, BarrierShape, Gate, Scenario, SourceId, Street, StreetClass, Terrain,
};
use gridplan::network::{Measure, Snaps, StreetNetwork, UNREACHED, WalkProfile, WalkRules, build};
use gridplan::units::{Metres, MetresPerSecond};

/// One metre a second, so that seconds are metres.
pub fn steady() -> WalkRules {
    let mut rules = WalkRules::new(WalkProfile::steady(MetresPerSecond::constant(1.0)));
    rules.max_access = Metres::constant(60.0);
    rules
}

pub struct Scene {
    pub scenario: Scenario,
    pub rules: WalkRules,
    places: BTreeMap<char, Coord<f64>>,
}

/// How a character joins its right or lower neighbour.
#[derive(Clone, Copy, PartialEq)]
enum Piece {
    Plain,
    Bridge,
    Stairs,
}

impl Scene {
    pub fn draw(step: f64, picture: &str) -> Self {
        let blank = |line: &&str| line.trim().is_empty();
        let rows: Vec<Vec<char>> =
            picture.lines().skip_while(blank).map(|line| line.chars().collect()).collect();
        let margin = rows.iter().filter(|row| row.iter().any(|c| !c.is_whitespace()));
        let margin =
            margin.map(|row| row.iter().take_while(|c| c.is_whitespace()).count()).min().unwrap_or(0);
        let rows: Vec<Vec<char>> =
            rows.into_iter().map(|row| row.into_iter().skip(margin).collect()).collect();
        let cell =
            |column: usize, row: usize| rows.get(row).and_then(|r| r.get(column)).copied().unwrap_or(' ');
        let at = |column: usize, row: usize| Coord { x: column as f64 * step, y: -(row as f64) * step };
        let plane = Plane::from_epsg(4549).expect("a known plane");
        let mut scene =
            Self { scenario: Scenario::new("scene", plane), rules: steady(), places: BTreeMap::new() };
        let widest = rows.iter().map(Vec::len).max().unwrap_or(0);
        for row in 0..rows.len() {
            for column in 0..widest {
                let here = cell(column, row);
                if here.is_ascii_alphabetic() {
                    scene.places.insert(here, at(column, row));
                }
                if here == '@' {
                    scene.gate(at(column, row));
                }
                for (next, across) in [((column + 1, row), true), ((column, row + 1), false)] {
                    let there = cell(next.0, next.1);
                    if let Some(piece) = joins(here, there, across) {
                        scene.street(at(column, row), at(next.0, next.1), piece);
                    }
                    if is_wall(here) && is_wall(there) {
                        scene.wall(at(column, row), at(next.0, next.1));
                    }
                }
                // A river runs on under a bridge.
                if here == '=' && cell(column, row + 1) == '#' && 0 < row && cell(column, row - 1) == '#' {
                    scene.wall(at(column, row - 1), at(column, row + 1));
                }
                if here == '!' && cell(column + 1, row) == '#' && 0 < column && cell(column - 1, row) == '#' {
                    scene.wall(at(column - 1, row), at(column + 1, row));
                }
            }
        }
        scene
    }

    fn street(&mut self, from: Coord<f64>, to: Coord<f64>, piece: Piece) {
        self.scenario.streets.push(Street {
            source: SourceId(format!("street {}", self.scenario.streets.len())),
            name: None,
            class: if piece == Piece::Stairs { StreetClass::Steps } else { StreetClass::Path },
            line: LineString::new(vec![from, to]),
            foot: true,
            bridge: piece == Piece::Bridge,
            tunnel: false,
            incline: None,
            crossing: false,
            no_wheelchair: piece == Piece::Stairs,
        });
    }

    fn wall(&mut self, from: Coord<f64>, to: Coord<f64>) {
        self.scenario.barriers.push(Barrier {
            source: SourceId(format!("wall {}", self.scenario.barriers.len())),
            name: None,
            kind: BarrierKind::Wall,
            shape: BarrierShape::Line(LineString::new(vec![from, to])),
        });
    }

    fn gate(&mut self, at: Coord<f64>) {
        let source = SourceId(format!("gate {}", self.scenario.gates.len()));
        self.scenario.gates.push(Gate { source, compound: None, at, open: true });
    }

    pub fn with_terrain(mut self, terrain: Terrain) -> Self {
        self.scenario.terrain = Some(terrain);
        self
    }

    pub fn with_profile(mut self, profile: WalkProfile) -> Self {
        self.rules.profile = profile;
        self
    }

    pub fn place(&self, name: char) -> Coord<f64> {
        *self.places.get(&name).unwrap_or_else(|| panic!("the scene has no place {name}"))
    }

    pub fn network(&self) -> StreetNetwork {
        build(&self.scenario, &self.rules)
    }

    pub fn snap(&self, network: &StreetNetwork, names: &str) -> Snaps {
        network.snap_sites(&names.chars().map(|name| self.place(name)).collect::<Vec<_>>())
    }

    /// Seconds on foot from a door to a place; `None` if there is no way.
    pub fn walk(&self, from: char, to: char) -> Option<f64> {
        self.measure(from, to, Measure::TimeThere)
    }

    /// Seconds or metres; the table and the nearest-site search must agree on it.
    pub fn measure(&self, from: char, to: char, measure: Measure) -> Option<f64> {
        let network = self.network();
        let (doors, sites) = (self.snap(&network, &from.to_string()), self.snap(&network, &to.to_string()));
        let nearest = network.nearest(&sites, &doors, measure, None).cost[0];
        let table = network.reach(&sites, &doors, measure, UNREACHED - 1);
        let row: Vec<u32> = table.row(0).map(|(_, cost)| cost).collect();
        let found = (nearest != UNREACHED).then_some(nearest);
        assert_eq!(row.first().copied(), found, "table and nearest site disagree on {from} to {to}");
        found.map(|cost| f64::from(cost) / 1000.0)
    }
}

fn is_wall(c: char) -> bool {
    c == '#' || c == '@'
}

/// Whether two neighbouring characters are joined by a street, and of what kind.
fn joins(here: char, there: char, across: bool) -> Option<Piece> {
    let kind = |c: char| match (c, across) {
        ('-', true) | ('|', false) => Some(Piece::Plain),
        ('=', true) | ('!', false) => Some(Piece::Bridge),
        ('~', true) | (':', false) => Some(Piece::Stairs),
        _ => None,
    };
    let is_node = |c: char| c == '+' || c.is_ascii_alphabetic();
    match (kind(here), kind(there)) {
        (Some(Piece::Bridge), Some(_)) | (Some(_), Some(Piece::Bridge)) => Some(Piece::Bridge),
        (Some(a), Some(_)) => Some(a),
        (Some(a), None) if is_node(there) => Some(a),
        (None, Some(b)) if is_node(here) => Some(b),
        _ => None,
    }
}
