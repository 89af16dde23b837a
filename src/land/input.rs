//! What the subdivision is built from: shapes in metres on one local plane.

use geo::{Coord, LineString, MultiPolygon};
use rustc_hash::FxHashMap;

use crate::model::{AtomShape, BarrierKind, BarrierShape, Scenario, StreetClass, UnitKind};

/// Everything that shapes the land of a set of communities, in metres on one local plane.
///
/// Coordinates may be any finite `f64` within ±1.3 · 10⁸ m; vertices that are not are dropped.
/// Ids are indices: an atom is its place in `atoms`, a community its place in `communities`.
#[derive(Clone, Debug, Default)]
pub struct LandInput {
    /// Buildings on open ground, or areas such as census blocks that are kept as they are.
    pub unit_kind: UnitKind,
    /// Outlines of the communities. They may overlap or leave slits; both are settled by rule and reported.
    pub communities: Vec<MultiPolygon<f64>>,
    /// The smallest units: buildings, entrance groups, or whole census areas.
    pub atoms: Vec<LandAtom>,
    /// Street centre-lines.
    pub streets: Vec<LandStreet>,
    /// Lines and areas that people do not cross except at crossings.
    pub barriers: Vec<LandBarrier>,
    /// Outlines of compounds: natural boundaries, passable for planning.
    pub compounds: Vec<MultiPolygon<f64>>,
    /// Gates, level crossings, bridges: barriers are open around them. Streets on foot that meet a barrier open it without being listed.
    pub crossings: Vec<Coord<f64>>,
    /// Names that streets and barriers refer to.
    pub names: Vec<String>,
}

/// An atom on the ground.
#[derive(Clone, Debug)]
pub struct LandAtom {
    /// Footprint (self-crossing rings count by the even-odd rule) or position.
    pub shape: AtomShape,
    /// Its community, if known; otherwise the one that holds the largest share of the footprint.
    pub home: Option<u32>,
}

/// One street: a centre-line with its class.
#[derive(Clone, Debug)]
pub struct LandStreet {
    /// The centre-line.
    pub line: LineString<f64>,
    /// What kind of street it is.
    pub class: StreetClass,
    /// How it relates to the ground it runs over.
    pub level: StreetLevel,
    /// Index into [`LandInput::names`].
    pub name: Option<u32>,
}

/// How a street relates to the ground it runs over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StreetLevel {
    /// On the ground or on a bridge: a boundary may follow it, and where it meets a barrier it crosses it.
    Open,
    /// In a tunnel: never a boundary; still crosses barriers.
    Tunnel,
    /// Closed to people on foot: a boundary may follow it, but it opens no barrier.
    NotOnFoot,
}

/// A barrier.
#[derive(Clone, Debug)]
pub struct LandBarrier {
    /// Where it runs; of an area the edge is the barrier, and the inside belongs to no plot.
    pub shape: BarrierShape,
    /// What it is.
    pub kind: BarrierKind,
    /// Index into [`LandInput::names`].
    pub name: Option<u32>,
}

impl LandInput {
    /// The land of a scenario: its communities, atoms, compounds, streets, barriers and open gates.
    #[must_use]
    pub fn from_scenario(scenario: &Scenario) -> Self {
        let mut names = Names::default();
        let above_or_walked = scenario.streets.iter().filter(|street| street.foot || !street.tunnel);
        let streets = above_or_walked.map(|street| LandStreet {
            line: street.line.clone(),
            class: street.class,
            level: match (street.tunnel, street.foot) {
                (true, _) => StreetLevel::Tunnel,
                (false, true) => StreetLevel::Open,
                (false, false) => StreetLevel::NotOnFoot,
            },
            name: names.id(street.name.as_deref()),
        });
        let streets = streets.collect();
        let barriers = scenario.barriers.iter().map(|barrier| LandBarrier {
            shape: barrier.shape.clone(),
            kind: barrier.kind,
            name: names.id(barrier.name.as_deref()),
        });
        let barriers = barriers.collect();
        let atoms = scenario.atoms.iter().map(|atom| LandAtom {
            shape: atom.shape.clone(),
            home: atom.community.map(|community| community.0),
        });
        Self {
            unit_kind: scenario.unit_kind,
            communities: scenario.communities.iter().map(|community| community.outline.clone()).collect(),
            atoms: atoms.collect(),
            streets,
            barriers,
            compounds: scenario.compounds.iter().map(|compound| compound.outline.clone()).collect(),
            crossings: scenario.gates.iter().filter(|gate| gate.open).map(|gate| gate.at).collect(),
            names: names.all,
        }
    }
}

/// Distinct names in order of appearance.
#[derive(Default)]
struct Names {
    all: Vec<String>,
    index: FxHashMap<String, u32>,
}

impl Names {
    fn id(&mut self, name: Option<&str>) -> Option<u32> {
        let name = name.map(str::trim).filter(|name| !name.is_empty())?;
        if let Some(&id) = self.index.get(name) {
            return Some(id);
        }
        let id = self.all.len() as u32;
        self.all.push(name.to_owned());
        self.index.insert(name.to_owned(), id);
        Some(id)
    }
}
