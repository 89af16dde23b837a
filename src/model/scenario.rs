//! What was read: everything a planning office holds about the place.

use super::community::{Atom, Barrier, Community, Compound, Gate, Street};
use super::finding::{BrokenRule, Finding};
use super::lang::Text;
use super::station::{Premise, Station};
use super::terrain::Terrain;
use crate::geometry::Plane;
use crate::units::{Households, Residents};

/// What the atoms are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnitKind {
    /// Buildings; land between them is divided among them.
    #[default]
    Buildings,
    /// Areas such as census blocks, taken as they are.
    Areas,
}

/// A file that went into a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// File name without folder.
    pub name: String,
    /// What it was read as.
    pub role: Text,
    /// SHA-256 of its bytes, hex.
    pub sha256: String,
    /// Encoding of its text, and how it is known.
    pub encoding: Text,
    /// Coordinate system or datum, and how it is known.
    pub crs: Text,
    /// Features taken from it.
    pub features: u64,
}

/// Everything that was read. Tables are sorted by source id, so that the order of input rows changes nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Name of the place, for titles.
    pub name: String,
    /// The plane that all coordinates are on.
    pub plane: Plane,
    /// What the atoms are.
    pub unit_kind: UnitKind,
    /// Communities.
    pub communities: Vec<Community>,
    /// Buildings or areas.
    pub atoms: Vec<Atom>,
    /// Compounds.
    pub compounds: Vec<Compound>,
    /// Streets and ways.
    pub streets: Vec<Street>,
    /// Barriers.
    pub barriers: Vec<Barrier>,
    /// Gates.
    pub gates: Vec<Gate>,
    /// Premises register.
    pub premises: Vec<Premise>,
    /// Existing stations.
    pub stations: Vec<Station>,
    /// Terrain model.
    pub terrain: Option<Terrain>,
    /// What is odd about the data.
    pub findings: Vec<Finding>,
    /// Where it came from.
    pub sources: Vec<SourceFile>,
}

impl Scenario {
    /// An empty scenario on a plane.
    #[must_use]
    pub fn new(name: impl Into<String>, plane: Plane) -> Self {
        Self {
            name: name.into(),
            plane,
            unit_kind: UnitKind::Buildings,
            communities: Vec::new(),
            atoms: Vec::new(),
            compounds: Vec::new(),
            streets: Vec::new(),
            barriers: Vec::new(),
            gates: Vec::new(),
            premises: Vec::new(),
            stations: Vec::new(),
            terrain: None,
            findings: Vec::new(),
            sources: Vec::new(),
        }
    }

    /// Households of all atoms.
    #[must_use]
    pub fn households(&self) -> Households {
        self.atoms.iter().map(|atom| atom.households).sum()
    }

    /// Residents of all atoms.
    #[must_use]
    pub fn residents(&self) -> Residents {
        self.atoms.iter().map(|atom| atom.residents).sum()
    }

    /// Every id points into its table and every coordinate is finite.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn check(&self) -> Result<(), BrokenRule> {
        for atom in &self.atoms {
            let community_ok = atom.community.is_none_or(|id| id.index() < self.communities.len());
            let compound_ok = atom.compound.is_none_or(|id| id.index() < self.compounds.len());
            let anchor = atom.shape.anchor();
            if !community_ok || !compound_ok || !anchor.x.is_finite() || !anchor.y.is_finite() {
                return Err(BrokenRule {
                    rule: "ids point into their tables",
                    what: format!("building {}", atom.source),
                });
            }
        }
        for gate in &self.gates {
            if gate.compound.is_some_and(|id| self.compounds.len() <= id.index()) {
                return Err(BrokenRule {
                    rule: "ids point into their tables",
                    what: format!("gate {}", gate.source),
                });
            }
        }
        Ok(())
    }
}
