//! The land of a plan, kept between edits: what a labelling of buildings looks like on the ground.

use geo::MultiPolygon;

use super::PlanError;
use super::units::{Edges, Units, units};
use crate::land::{self, Land, LandInput, LandParams};
use crate::model::{AtomId, CommunityId, GridClass, GridId, Lang, Partition, Scenario, Text};

/// The divided land of every community. It depends on shapes only, so it holds however grids, counts and stations are
/// edited; make it once and edit often.
#[derive(Debug)]
pub struct Ground {
    /// Per community its land alone.
    communities: Vec<Land>,
    names: Vec<String>,
}

impl Ground {
    /// Divides the land. Cost: about 0.1 s per 1,000 footprints on two cores.
    ///
    /// # Errors
    /// [`PlanError::Land`] if the lines cannot be cut into a plane graph.
    pub fn of(scenario: &Scenario) -> Result<Self, PlanError> {
        let input = LandInput::from_scenario(scenario);
        let land = land::divide(&input, &LandParams::default())?;
        let alone = |subdivision| Land {
            subdivisions: vec![subdivision],
            outside: Vec::new(),
            hidden: Vec::new(),
            settled: Vec::new(),
            settled_areas: Vec::new(),
        };
        Ok(Self { communities: land.subdivisions.into_iter().map(alone).collect(), names: input.names })
    }

    /// The unit table of one community.
    pub(super) fn units(&self, scenario: &Scenario, community: CommunityId) -> Units {
        units(scenario, &self.communities[community.index()])
    }

    /// What the present labels look like in one community. `None` if it has no grid.
    pub(super) fn draw(
        &self,
        scenario: &Scenario,
        partition: &Partition,
        community: CommunityId,
    ) -> Result<Option<Drawn>, PlanError> {
        let grids: Vec<GridId> = grids_of(partition, community);
        if grids.is_empty() {
            return Ok(None);
        }
        let subdivision = &self.communities[community.index()].subdivisions[0];
        let units = self.units(scenario, community);
        let known = known_labels(&units, partition, &grids);
        let mut labels = known.clone();
        subdivision.absorb(&mut labels);
        let labels: Vec<u32> = labels.into_iter().map(|label| label.unwrap_or(0)).collect();
        let mut outlines = subdivision.dissolve(&labels)?;
        outlines.resize(grids.len(), MultiPolygon(Vec::new()));
        let apart = |id: &GridId| {
            let grid = &partition.grids[id.index()];
            grid.locked || grid.class == GridClass::Exclusive
        };
        let apart: Vec<bool> = grids.iter().map(apart).collect();
        let bounds = subdivision.describe(&labels)?;
        let both = |bounds: &crate::land::BoundaryDescription| {
            let sentence = |lang| bounds.sentence(&self.names, lang);
            Text::from((sentence(Lang::Zh), sentence(Lang::En)))
        };
        let mut bounds: Vec<Text> = bounds.iter().map(both).collect();
        bounds.resize(grids.len(), Text::default());
        Ok(Some(Drawn {
            pieces: pieces(&units, &known, &apart),
            cut_cost: cut_cost(&units, &known),
            grids,
            outlines,
            bounds,
        }))
    }
}

/// Grids of a community, in order.
pub(super) fn grids_of(partition: &Partition, community: CommunityId) -> Vec<GridId> {
    let all = partition.grids.iter().enumerate();
    all.filter(|(_, grid)| grid.community == community).map(|(row, _)| GridId::from_index(row)).collect()
}

/// The grids of one community on the ground.
pub(super) struct Drawn {
    pub grids: Vec<GridId>,
    pub outlines: Vec<MultiPolygon<f64>>,
    /// What bounds each (四至).
    pub bounds: Vec<Text>,
    /// Per grid the pieces in which it lies, the largest first.
    pub pieces: Vec<Vec<Piece>>,
    /// Weighted length of the boundaries between grids, m.
    pub cut_cost: f64,
}

/// A part of a grid whose units hang together.
pub(super) struct Piece {
    pub atoms: Vec<AtomId>,
    /// The part of the community that it lies in, as barriers, exclusive and locked grids divide it: pieces of different
    /// parts cannot be joined.
    pub part: usize,
}

/// Label of every unit that the drawing saw, as the place of its grid in `grids`. Ground follows the building that
/// leads its row, as it did when the grids were drawn.
fn known_labels(units: &Units, partition: &Partition, grids: &[GridId]) -> Vec<Option<u32>> {
    let of_atom = |atom: AtomId| {
        let grid = partition.grid_of.get(atom.index()).copied().flatten()?;
        grids.binary_search(&grid).ok().map(|place| place as u32)
    };
    (0..units.atom.len())
        .map(|unit| match units.atom[unit] {
            Some(atom) => of_atom(atom),
            None => units.atom[units.leader[units.row[unit]? as usize]].and_then(of_atom),
        })
        .collect()
}

fn is_in_play(units: &Units, edges: &Edges, edge: usize) -> Option<(usize, usize)> {
    let (from, to) = (edges.from[edge] as usize, edges.to[edge] as usize);
    (units.row[from].is_some() && units.row[to].is_some()).then_some((from, to))
}

/// Sums millimetres, as the engine does, so that an unchanged division costs the same to the last digit.
fn cut_cost(units: &Units, labels: &[Option<u32>]) -> f64 {
    let edges = &units.ground;
    let cut = (0..edges.from.len())
        .filter(|&edge| is_in_play(units, edges, edge).is_some_and(|(from, to)| labels[from] != labels[to]));
    let mm: i64 = cut.map(|edge| (edges.cost[edge] * 1000.0).round() as i64).sum();
    mm as f64 / 1000.0
}

/// Pieces of every grid. `apart` marks grids that others cannot pass through: exclusive and locked ones.
fn pieces(units: &Units, labels: &[Option<u32>], apart: &[bool]) -> Vec<Vec<Piece>> {
    let edges = &units.ground;
    let mut grid_parent: Vec<usize> = (0..labels.len()).collect();
    let mut part_parent = grid_parent.clone();
    for (from, to) in (0..edges.from.len()).filter_map(|edge| is_in_play(units, edges, edge)) {
        let is_one = labels[from].is_some() && labels[from] == labels[to];
        if is_one {
            join(&mut grid_parent, from, to);
        }
        let is_passable = |label: Option<u32>| label.is_none_or(|label| !apart[label as usize]);
        if is_one || (is_passable(labels[from]) && is_passable(labels[to])) {
            join(&mut part_parent, from, to);
        }
    }
    let mut place: Vec<Option<usize>> = vec![None; labels.len()];
    let mut pieces: Vec<Vec<Piece>> = apart.iter().map(|_| Vec::new()).collect();
    for (unit, (atom, label)) in units.atom.iter().zip(labels).enumerate() {
        let (&Some(atom), &Some(label)) = (atom, label) else { continue };
        let of_grid = &mut pieces[label as usize];
        let root = find(&mut grid_parent, unit);
        let at = *place[root].get_or_insert_with(|| {
            of_grid.push(Piece { atoms: Vec::new(), part: find(&mut part_parent, unit) });
            of_grid.len() - 1
        });
        of_grid[at].atoms.push(atom);
    }
    for of_grid in &mut pieces {
        of_grid.sort_by_key(|piece| (std::cmp::Reverse(piece.atoms.len()), piece.atoms[0]));
    }
    pieces
}

fn join(parent: &mut [usize], a: usize, b: usize) {
    let (a, b) = (find(parent, a), find(parent, b));
    parent[a.max(b)] = a.min(b);
}

fn find(parent: &mut [usize], mut unit: usize) -> usize {
    while parent[unit] != unit {
        parent[unit] = parent[parent[unit]];
        unit = parent[unit];
    }
    unit
}
