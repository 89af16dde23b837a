//! Tables of one scenario: unique ids, stable order, who lies in what, counts.

use std::collections::BTreeMap;

use geo::{BoundingRect, Coord, MultiPolygon};
use rayon::prelude::*;
use rstar::primitives::{GeomWithData, Line};
use rstar::{AABB, RTree};
use rustc_hash::{FxHashMap, FxHashSet};

use super::ImportRequest;
use super::communities::{self, shared_area};
use super::draft::{Draft, DraftAtom, DraftZone};
use super::error::IngestError;
use super::households::{Counting, blank_atom, floor_areas};
use super::lookup::AreaIndex;
use super::roles::Role;
use super::words::normal;
use crate::model::{
    Atom, AtomShape, Barrier, BarrierKind, BarrierShape, Community, CommunityId, Compound, CompoundId,
    Finding, FindingKind, Gate, Scenario, Severity, SourceId, Text, UnitKind,
};

/// A gate opens the compound whose outline is nearest and no further than this, in metres. Our choice.
const GATE_REACH: f64 = 10.0;
/// Share of an outline that walls within [`GATE_REACH`] must follow for the compound to be walled. Our choice.
const WALLED_SHARE: f64 = 0.8;

/// Fills the tables of a scenario from drafts on its plane.
pub(super) fn fill(
    request: &ImportRequest,
    scenario: &mut Scenario,
    drafts: Vec<Draft>,
) -> Result<(), IngestError> {
    let mut tables = Tables::gather(drafts);
    if tables.atoms.is_empty() {
        tables.stand_in(&mut scenario.findings);
    }
    if tables.atoms.is_empty() {
        return Err(IngestError::NothingToPlan { reason: tables.describe() });
    }
    let kind = if tables.units { UnitKind::Areas } else { UnitKind::Buildings };
    scenario.unit_kind = kind;
    tables.atoms = unique(std::mem::take(&mut tables.atoms), &mut scenario.findings);
    let zones = tables.zones.iter().map(|zone| &zone.shape);
    let places = tables.compound_places.iter().map(|place| &place.shape);
    let others: Vec<&AtomShape> = zones.chain(places).collect();
    let (given, admins) = (std::mem::take(&mut tables.communities), std::mem::take(&mut tables.admins));
    let (communities, mut found) =
        communities::choose(given, admins, request.admin_level, &tables.atoms, &others, kind, &scenario.name);
    scenario.findings.append(&mut found);
    scenario.communities = communities;
    let places: FxHashMap<String, AtomShape> =
        tables.compound_places.iter().map(|place| (place.source.clone(), place.shape.clone())).collect();
    let compounds = std::mem::take(&mut tables.compounds);
    let areas = CommunityIndex::new(&scenario.communities);
    let homes: Vec<Option<CommunityId>> = tables.atoms.par_iter().map(|atom| areas.of(&atom.shape)).collect();
    scenario.compounds = all_compounds(compounds, &places, &tables.atoms, &homes);
    let mut atoms: Vec<Atom> = tables.atoms.iter().map(atom_of).collect();
    link_atoms(&mut atoms, &tables, &homes, &scenario.compounds);
    let (mut known, mut found) = floor_areas(&mut atoms, &tables.atoms);
    scenario.findings.append(&mut found);
    // The ground of a census block says nothing about its households.
    let estimate = request.floor_area_per_household.filter(|_| kind == UnitKind::Buildings);
    let request = &ImportRequest { floor_area_per_household: estimate, ..request.clone() };
    let mut counting = Counting {
        atoms: &mut atoms,
        known: &mut known,
        compound_places: &places,
        findings: &mut scenario.findings,
    };
    counting.count(request, &scenario.compounds, &tables.zones)?;
    // What stands alone was added at the end and has no community yet.
    let added = tables.atoms.len();
    atoms[added..].par_iter_mut().for_each(|atom| atom.community = areas.of(&atom.shape));
    atoms.sort_by(|a, b| a.source.cmp(&b.source));
    finish(scenario, tables, atoms);
    Ok(())
}

/// The remaining tables, sorted by source id.
fn finish(scenario: &mut Scenario, mut tables: Tables, atoms: Vec<Atom>) {
    let areas = CommunityIndex::new(&scenario.communities);
    tables.streets.sort_by(|a, b| a.source.cmp(&b.source));
    tables.barriers.sort_by(|a, b| a.source.cmp(&b.source));
    tables.stations.sort_by(|a, b| a.code.cmp(&b.code));
    tables.premises.sort_by(|a, b| a.source.cmp(&b.source));
    tables.stations.iter_mut().for_each(|station| station.community = areas.at(station.at));
    tables.premises.iter_mut().for_each(|premise| premise.community = areas.at(premise.at));
    wall_in(&mut scenario.compounds, &tables.barriers);
    let gates = link_gates(tables.gates, &scenario.compounds);
    drop(areas);
    scenario.atoms = atoms;
    scenario.streets = tables.streets;
    scenario.barriers = tables.barriers;
    scenario.stations = tables.stations;
    scenario.premises = tables.premises;
    scenario.gates = gates;
}

/// Everything of all drafts, side by side.
#[derive(Default)]
struct Tables {
    units: bool,
    communities: Vec<Community>,
    admins: Vec<super::draft::DraftAdmin>,
    atoms: Vec<DraftAtom>,
    compounds: Vec<Compound>,
    compound_places: Vec<DraftAtom>,
    streets: Vec<crate::model::Street>,
    barriers: Vec<crate::model::Barrier>,
    gates: Vec<Gate>,
    grids: Vec<DraftZone>,
    zones: Vec<DraftZone>,
    stations: Vec<crate::model::Station>,
    premises: Vec<crate::model::Premise>,
}

impl Tables {
    fn gather(drafts: Vec<Draft>) -> Self {
        let mut tables = Self::default();
        for mut draft in drafts {
            tables.units |= draft.role == Role::Units;
            tables.communities.append(&mut draft.communities);
            tables.admins.append(&mut draft.admins);
            tables.atoms.append(&mut draft.atoms);
            tables.compounds.append(&mut draft.compounds);
            tables.compound_places.append(&mut draft.compound_places);
            tables.streets.append(&mut draft.streets);
            tables.barriers.append(&mut draft.barriers);
            tables.gates.append(&mut draft.gates);
            tables.grids.append(&mut draft.grids);
            tables.zones.append(&mut draft.zones);
            tables.stations.append(&mut draft.stations);
            tables.premises.append(&mut draft.premises);
        }
        tables.zones.sort_by(|a, b| a.source.cmp(&b.source));
        tables.grids.sort_by(|a, b| a.source.cmp(&b.source));
        tables
    }

    /// Without buildings, compounds with counts or zones are what is divided.
    fn stand_in(&mut self, findings: &mut Vec<Finding>) {
        let counted = self.compounds.iter().any(|compound| compound.households.is_some());
        let what = if counted {
            let outlined = self.compounds.iter().filter(|compound| !compound.outline.0.is_empty());
            self.atoms.extend(outlined.map(|compound| DraftAtom {
                name: compound.name.clone(),
                households: compound.households.map(|count| count.0),
                ..DraftAtom::new(compound.source.0.clone(), AtomShape::Area(compound.outline.clone()))
            }));
            self.atoms.append(&mut self.compound_places);
            self.compounds.clear();
            ("小区", "compounds")
        } else if !self.zones.is_empty() {
            let whole = |count: Option<f64>| count.map(|count| count.round() as u32);
            self.atoms.extend(self.zones.drain(..).map(|zone| DraftAtom {
                households: whole(zone.households),
                residents: whole(zone.residents),
                ..DraftAtom::new(zone.source, zone.shape)
            }));
            ("分区", "zones")
        } else {
            return;
        };
        let n = self.atoms.len();
        findings.push(Finding::new(
            Severity::Warning,
            FindingKind::EmptyLayer,
            "buildings",
            (
                format!("没有建筑：{n} 个{}各作为一个单元", what.0),
                format!("there are no buildings: each of the {n} {} is taken as one unit", what.1),
            ),
            ("补充建筑后才能在其内部划分", "add buildings to divide within them"),
        ));
    }

    fn describe(&self) -> Text {
        let counts = [
            (self.communities.len() + self.admins.len(), Role::Communities),
            (self.compounds.len(), Role::Compounds),
            (self.streets.len(), Role::Streets),
            (self.barriers.len(), Role::Barriers),
            (self.stations.len(), Role::Stations),
            (self.premises.len(), Role::Premises),
            (self.grids.len(), Role::Grids),
        ];
        let there: Vec<_> = counts.into_iter().filter(|(n, _)| 0 < *n).collect();
        if there.is_empty() {
            return Text::from(("没有读到可用的内容", "nothing usable was read"));
        }
        let zh: Vec<String> = there.iter().map(|(n, role)| format!("{n} 个{}", role.chinese())).collect();
        let en: Vec<String> = there.iter().map(|(n, role)| format!("{n} {role}")).collect();
        Text::from((format!("只读到{}", zh.join("、")), format!("only {} were read", en.join(", "))))
    }
}

/// Sorts by source id; drops exact repetitions, renames other features with the same id.
fn unique(mut atoms: Vec<DraftAtom>, findings: &mut Vec<Finding>) -> Vec<DraftAtom> {
    let key = |atom: &DraftAtom| {
        let at = first_place(&atom.shape);
        (at.x, at.y, atom.shape.area(), atom.households)
    };
    let by_shape = |a: &DraftAtom, b: &DraftAtom| {
        let (a, b) = (key(a), key(b));
        a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2)).then(a.3.cmp(&b.3))
    };
    // Shapes are compared only where identifiers are equal: it is slow and rare.
    atoms.par_sort_by(|a, b| a.source.cmp(&b.source).then_with(|| by_shape(a, b)));
    let mut kept: Vec<DraftAtom> = Vec::with_capacity(atoms.len());
    let (mut base, mut repeats) = (String::new(), 0);
    for mut atom in atoms {
        if kept.is_empty() || atom.source != base {
            base.clone_from(&atom.source);
            repeats = 0;
            kept.push(atom);
            continue;
        }
        let same =
            kept.last().is_some_and(|last| last.shape == atom.shape && last.households == atom.households);
        let finding = |message: Text, remedy: (&str, &str)| {
            Finding::new(Severity::Warning, FindingKind::Duplicate, "buildings", message, remedy)
                .about(&base)
                .at(first_place(&atom.shape))
        };
        if same {
            let message = ("同一要素出现两次，已舍去一个", "the same feature twice; one was left out");
            findings.push(finding(message.into(), ("删除其中一个", "delete one of them")));
            continue;
        }
        repeats += 1;
        let renamed = format!("{base}#{}", repeats + 1);
        findings.push(finding(
            Text::from((
                format!("另一要素也用了这个编号，此处改称 {renamed}"),
                format!("another feature has this identifier too; it is called {renamed} here"),
            )),
            (
                "为每个要素编不同的号；若是同一个的几部分，则合并",
                "give each its own identifier, or merge them if they are parts of one",
            ),
        ));
        atom.source = renamed;
        kept.push(atom);
    }
    // A new name may stand elsewhere in the order.
    kept.par_sort_by(|a, b| a.source.cmp(&b.source));
    kept
}

fn first_place(shape: &AtomShape) -> Coord<f64> {
    match shape {
        AtomShape::Point(point) => point.0,
        AtomShape::Area(area) => {
            let low = area.bounding_rect().map(|bounds| bounds.min());
            low.unwrap_or(Coord { x: 0.0, y: 0.0 })
        }
    }
}

fn atom_of(draft: &DraftAtom) -> Atom {
    Atom {
        name: draft.name.clone(),
        other_loads: draft.other_loads,
        usage: draft.usage,
        exclusive: draft.exclusive,
        door: draft.door,
        current_grid: draft.current_grid.clone(),
        locked: draft.locked,
        ..blank_atom(SourceId(draft.source.clone()), draft.shape.clone())
    }
}

/// Sorted compounds. One without outline gives its count to the outline with its name, or around its place;
/// names that only buildings know become compounds of their own, one a community.
fn all_compounds(
    mut compounds: Vec<Compound>,
    places: &FxHashMap<String, AtomShape>,
    atoms: &[DraftAtom],
    homes: &[Option<CommunityId>],
) -> Vec<Compound> {
    compounds.sort_by(|a, b| a.source.cmp(&b.source).then_with(|| a.name.cmp(&b.name)));
    let mut compounds = merge_counts(compounds, places);
    let known: FxHashSet<String> = compounds.iter().flat_map(names_of).collect();
    let mut named: BTreeMap<(Option<CommunityId>, String), String> = BTreeMap::new();
    for (atom, home) in atoms.iter().zip(homes) {
        if let Some(name) = atom.compound.as_ref().filter(|name| !known.contains(&normal(name))) {
            named.entry((*home, normal(name))).or_insert_with(|| name.clone());
        }
    }
    compounds.extend(named.into_iter().map(|((home, _), name)| Compound {
        source: SourceId(home.map_or_else(|| name.clone(), |home| format!("{name}@{home}"))),
        name: Some(name),
        outline: MultiPolygon::new(Vec::new()),
        walled: false,
        households: None,
    }));
    compounds.sort_by(|a, b| a.source.cmp(&b.source));
    compounds
}

/// What buildings may call a compound, in normal form.
fn names_of(compound: &Compound) -> Vec<String> {
    [Some(compound.source.0.as_str()), compound.name.as_deref()].into_iter().flatten().map(normal).collect()
}

fn merge_counts(compounds: Vec<Compound>, places: &FxHashMap<String, AtomShape>) -> Vec<Compound> {
    let (mut outlined, named): (Vec<_>, Vec<_>) =
        compounds.into_iter().partition(|compound| !compound.outline.0.is_empty());
    let outlines: Vec<MultiPolygon<f64>> = outlined.iter().map(|compound| compound.outline.clone()).collect();
    let around = AreaIndex::new(outlines.iter());
    let mut by_name: FxHashMap<String, usize> = FxHashMap::default();
    for (index, compound) in outlined.iter().enumerate() {
        if let Some(name) = &compound.name {
            by_name.entry(normal(name)).or_insert(index);
        }
    }
    let mut left = Vec::new();
    for compound in named {
        let by_place = || {
            let place = places.get(&compound.source.0)?;
            around.containing(place.anchor()).first().copied()
        };
        let home =
            compound.name.as_ref().and_then(|name| by_name.get(&normal(name)).copied()).or_else(by_place);
        match home {
            Some(index) if outlined[index].households.is_none() => {
                outlined[index].households = compound.households
            }
            _ => left.push(compound),
        }
    }
    outlined.append(&mut left);
    outlined
}

/// Communities with an index of their areas and of their boundaries.
struct CommunityIndex<'a> {
    communities: &'a [Community],
    areas: AreaIndex<'a>,
    boundary: RTree<Line<[f64; 2]>>,
}

impl<'a> CommunityIndex<'a> {
    fn new(communities: &'a [Community]) -> Self {
        let lines = communities.iter().flat_map(|community| geo::LinesIter::lines_iter(&community.outline));
        let boundary = lines.map(|line| Line::new(line.start.into(), line.end.into())).collect();
        Self {
            communities,
            areas: AreaIndex::new(communities.iter().map(|community| &community.outline)),
            boundary: RTree::bulk_load(boundary),
        }
    }

    /// The community at a place: of several the first.
    fn at(&self, at: Coord<f64>) -> Option<CommunityId> {
        self.areas.containing(at).first().map(|&index| CommunityId::from_index(index))
    }

    /// The community of a shape: by its anchor, or by the largest overlap where it touches a boundary.
    fn of(&self, shape: &AtomShape) -> Option<CommunityId> {
        let AtomShape::Area(area) = shape else { return self.at(shape.anchor()) };
        let bounds = area.bounding_rect()?;
        let envelope = AABB::from_corners(bounds.min().into(), bounds.max().into());
        if self.boundary.locate_in_envelope_intersecting(&envelope).next().is_none() {
            return self.at(shape.anchor());
        }
        let touching = self.areas.touching(area);
        if touching.len() < 2 {
            return self.at(shape.anchor());
        }
        let mut best: Option<(usize, f64)> = None;
        for index in touching {
            let shared = shared_area(&self.communities[index].outline, area);
            if 0.0 < shared && best.is_none_or(|(_, most)| most < shared) {
                best = Some((index, shared));
            }
        }
        // An area mostly outside every community is outside.
        let half = 0.5 * shape.area();
        let total: f64 = best.map_or(0.0, |(_, most)| most);
        let inside_by_anchor = || self.at(shape.anchor());
        match best {
            Some((index, _)) if half <= total => Some(CommunityId::from_index(index)),
            Some((index, _)) => inside_by_anchor().map(|_| CommunityId::from_index(index)),
            None => inside_by_anchor(),
        }
    }
}

fn link_atoms(atoms: &mut [Atom], tables: &Tables, homes: &[Option<CommunityId>], compounds: &[Compound]) {
    let compounds = CompoundIndex::new(compounds);
    let grid_areas: Vec<(&MultiPolygon<f64>, &DraftZone)> = tables
        .grids
        .iter()
        .filter_map(|grid| match &grid.shape {
            AtomShape::Area(area) => Some((area, grid)),
            AtomShape::Point(_) => None,
        })
        .collect();
    let grids = AreaIndex::new(grid_areas.iter().map(|(area, _)| *area));
    atoms.par_iter_mut().zip(&tables.atoms).zip(homes).for_each(|((atom, draft), home)| {
        atom.community = *home;
        let at = atom.shape.anchor();
        atom.compound = compounds.of(draft.compound.as_deref(), *home, at);
        if atom.current_grid.is_none()
            && let Some(&index) = grids.containing(at).first()
        {
            atom.current_grid = Some(grid_areas[index].1.source.clone());
            atom.locked |= grid_areas[index].1.locked;
        }
    });
}

/// Compounds by name and by place.
struct CompoundIndex<'a> {
    by_name: FxHashMap<String, usize>,
    compounds: &'a [Compound],
    areas: AreaIndex<'a>,
}

impl<'a> CompoundIndex<'a> {
    fn new(compounds: &'a [Compound]) -> Self {
        let mut by_name = FxHashMap::default();
        for (index, compound) in compounds.iter().enumerate() {
            for name in names_of(compound) {
                by_name.entry(name).or_insert(index);
            }
            if let Some((name, home)) = compound.source.0.rsplit_once('@') {
                by_name.insert(format!("{}@{home}", normal(name)), index);
            }
        }
        Self { by_name, compounds, areas: AreaIndex::new(compounds.iter().map(|compound| &compound.outline)) }
    }

    /// The compound that a building names, or the smallest around it.
    fn of(&self, name: Option<&str>, home: Option<CommunityId>, at: Coord<f64>) -> Option<CompoundId> {
        let named = name.and_then(|name| {
            let here = home.and_then(|home| self.by_name.get(&format!("{}@{home}", normal(name))));
            here.or_else(|| self.by_name.get(&normal(name))).copied()
        });
        let around = || {
            let size = |index: &usize| geo::Area::unsigned_area(&self.compounds[*index].outline);
            self.areas.containing(at).into_iter().min_by(|a, b| size(a).total_cmp(&size(b)).then(a.cmp(b)))
        };
        named.or_else(around).map(CompoundId::from_index)
    }
}

/// A compound is walled if walls drawn on their own follow most of its outline.
fn wall_in(compounds: &mut [Compound], barriers: &[Barrier]) {
    let walls = barriers.iter().filter(|barrier| barrier.kind == BarrierKind::Wall);
    let lines = walls.flat_map(|barrier| match &barrier.shape {
        BarrierShape::Line(line) => line.lines().collect::<Vec<_>>(),
        BarrierShape::Area(area) => geo::LinesIter::lines_iter(area).collect(),
    });
    let walls: Vec<_> = lines.map(|line| Line::new(line.start.into(), line.end.into())).collect();
    if walls.is_empty() {
        return;
    }
    let walls: RTree<Line<[f64; 2]>> = RTree::bulk_load(walls);
    let near = |at: Coord<f64>| {
        let found = walls.nearest_neighbor_iter_with_distance_2(&[at.x, at.y]).next();
        found.is_some_and(|(_, distance)| distance <= GATE_REACH * GATE_REACH)
    };
    for compound in compounds.iter_mut().filter(|compound| !compound.walled) {
        let (mut steps, mut followed) = (0_usize, 0_usize);
        for side in geo::LinesIter::lines_iter(&compound.outline) {
            let pieces = (side.delta().x.hypot(side.delta().y) / GATE_REACH).ceil().max(1.0);
            for piece in 0..pieces as usize {
                let at = side.start + side.delta() * ((piece as f64 + 0.5) / pieces);
                steps += 1;
                followed += usize::from(near(at));
            }
        }
        compound.walled = 0 < steps && WALLED_SHARE * steps as f64 <= followed as f64;
    }
}

/// Sorted gates, each with the compound whose outline it stands on.
fn link_gates(mut gates: Vec<Gate>, compounds: &[Compound]) -> Vec<Gate> {
    let walls = compounds.iter().enumerate().flat_map(|(index, compound)| {
        geo::LinesIter::lines_iter(&compound.outline)
            .map(move |line| GeomWithData::new(Line::new(line.start.into(), line.end.into()), index))
    });
    let walls = RTree::bulk_load(walls.collect());
    for gate in &mut gates {
        let at = [gate.at.x, gate.at.y];
        let nearest = walls.nearest_neighbor_iter_with_distance_2(&at).next();
        if let Some((wall, distance)) = nearest
            && gate.compound.is_none()
            && distance.sqrt() <= GATE_REACH
        {
            gate.compound = Some(CompoundId::from_index(wall.data));
        }
    }
    gates.sort_by(|a, b| a.source.cmp(&b.source));
    gates
}
