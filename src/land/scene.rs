//! One community on the mesh: what is laid where, which triangles belong to whom before the open ground is divided.

use rustc_hash::FxHashMap;

use super::exact::{Pt, double_area_to_m2, length_squared, snap, units};
use super::input::{LandBarrier, LandInput, StreetLevel};
use super::mesh::{Cover, Mesh, NONE};
use super::noding::{Noded, Noder};
use super::outlines::{Settlement, lay_ring, rings, snapped};
use super::{BoundaryClass, LandParams};
use crate::model::{AtomShape, BarrierKind, BarrierShape, StreetClass, UnitKind};

/// Label of ground outside the community.
pub(super) const OUTSIDE: u32 = u32::MAX;
/// Label of open ground that has no owner yet.
pub(super) const OPEN: u32 = u32::MAX - 1;

/// What laid a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// Outline: the number of its settled edge.
    Outline(u32),
    /// Wall of an atom's part: the region it bounds.
    Wall(u32),
    Street(u32),
    /// A street below ground: it only opens barriers.
    Tunnel(u32),
    Barrier(u32),
    /// Edge of a barrier area: the barrier and the region it bounds.
    Bank(u32, u32),
    /// Outline of a compound.
    Compound,
}

/// What a stretch of boundary is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BoundaryKind {
    /// A line drawn half-way between two plots.
    Cut,
    /// The wall of a building.
    Wall,
    /// A street: its class and index in the input.
    Street(StreetClass, u32),
    /// The outline of a compound.
    Compound,
    /// A barrier: its kind and index in the input.
    Barrier(BarrierKind, u32),
    /// The community's outline.
    Outline,
}

/// Everything known about a stretch of boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Tag {
    pub kind: BoundaryKind,
    pub class: BoundaryClass,
    /// Whether people cannot cross it here.
    pub blocked: bool,
    /// Index into the caller's names.
    pub name: Option<u32>,
    /// Of an outline, the number of its settled edge.
    pub side: u32,
}

impl Tag {
    pub const CUT: Self =
        Self { kind: BoundaryKind::Cut, class: BoundaryClass::Inside, blocked: false, name: None, side: 0 };
    pub const WET_CUT: Self = Self { class: BoundaryClass::RiverOrRail, blocked: true, ..Self::CUT };
}

/// The indices of what may touch a community.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// Atoms at home here, ascending.
    pub atoms: Vec<u32>,
    pub streets: Vec<u32>,
    pub barriers: Vec<u32>,
    pub compounds: Vec<u32>,
}

/// A community's mesh with owners.
#[derive(Debug)]
pub(super) struct Scene {
    pub mesh: Mesh,
    /// Per triangle: [`OUTSIDE`], [`OPEN`] or the place of the owning atom in [`Contents::atoms`].
    pub owner: Vec<u32>,
    /// Per triangle: under water or another barrier area.
    pub wet: Vec<bool>,
    /// Per noded edge: whether labels stop at it on dry ground.
    pub separates: Vec<bool>,
    /// Per noded edge its tag; edges that bound nothing have [`Tag::CUT`].
    pub tags: Vec<Tag>,
    /// Per noded edge: whether a street open to people on foot runs along it.
    pub walkable: Vec<bool>,
    /// Ground that several atoms claimed, by their places.
    pub overlaps: Vec<Settlement>,
    /// Corners of footprints: simplified boundaries keep them on their side.
    pub corners: Vec<Pt>,
}

/// Lays and triangulates. `None` if noding or triangulation failed.
pub(super) fn build(
    input: &LandInput,
    params: &LandParams,
    outline: &[[Pt; 2]],
    contents: &Contents,
    outline_names: &[Option<u32>],
    extra: &FxHashMap<u32, Pt>,
) -> Option<Scene> {
    let mut builder = Builder {
        noder: Noder::default(),
        sources: Vec::new(),
        region_atom: vec![NONE],
        corners: Vec::new(),
    };
    for (side, &[a, b]) in outline.iter().enumerate() {
        let source = builder.source(Source::Outline(side as u32));
        builder.noder.lay(a, b, source);
    }
    builder.lay_atoms(input, params, contents, extra);
    if input.unit_kind == UnitKind::Buildings {
        builder.lay_lines(input, contents, outline);
    }
    let Builder { noder, sources, region_atom, corners } = builder;
    let longest = |source: u32| match (input.unit_kind, sources[source as usize]) {
        (UnitKind::Areas, _) => f64::INFINITY,
        (_, Source::Wall(_)) => units(params.wall_step_m),
        _ => units(params.line_step_m),
    };
    let noded = noder.node(longest)?;
    let mesh = Mesh::new(&noded)?;
    let cover = Cover::flood(&mesh, |edge, out| {
        for &source in noded.sources(edge as usize) {
            match sources[source as usize] {
                Source::Outline(_) => out.push(0),
                Source::Wall(region) | Source::Bank(_, region) => out.push(region),
                Source::Street(_) | Source::Tunnel(_) | Source::Barrier(_) | Source::Compound => {}
            }
        }
    });
    let (owner, wet, overlaps) = own(&mesh, &cover, &region_atom);
    let (separates, tags) = classify(input, params, &noded, &sources, outline_names);
    let on_foot = |&source: &u32| match sources[source as usize] {
        Source::Street(street) => input.streets[street as usize].level == StreetLevel::Open,
        Source::Tunnel(_) => true,
        _ => false,
    };
    let walkable = (0..noded.edges.len()).map(|edge| noded.sources(edge).iter().any(on_foot)).collect();
    Some(Scene { mesh, owner, wet, separates, tags, walkable, overlaps, corners })
}

struct Builder {
    noder: Noder,
    sources: Vec<Source>,
    /// Per region the place of its atom, or [`NONE`] for the community and barrier areas.
    region_atom: Vec<u32>,
    corners: Vec<Pt>,
}

impl Builder {
    fn source(&mut self, source: Source) -> u32 {
        self.sources.push(source);
        self.sources.len() as u32 - 1
    }

    fn region(&mut self, atom: u32) -> u32 {
        self.region_atom.push(atom);
        self.region_atom.len() as u32 - 1
    }

    fn lay_atoms(
        &mut self,
        input: &LandInput,
        params: &LandParams,
        contents: &Contents,
        extra: &FxHashMap<u32, Pt>,
    ) {
        for (place, &atom) in contents.atoms.iter().enumerate() {
            let place = place as u32;
            if let Some(&center) = extra.get(&place) {
                self.lay_spot(center, place, params);
                continue;
            }
            match &input.atoms[atom as usize].shape {
                AtomShape::Point(at) => {
                    if let Some(center) = snap(at.0) {
                        self.lay_spot(center, place, params);
                    }
                }
                AtomShape::Area(shape) => {
                    for polygon in shape.iter() {
                        let region = self.region(place);
                        let source = self.source(Source::Wall(region));
                        for ring in rings(polygon) {
                            lay_ring(&mut self.noder, ring, source);
                            self.corners.extend(snapped(ring));
                        }
                    }
                }
            }
        }
    }

    /// A small square that stands for an atom without a footprint of its own.
    fn lay_spot(&mut self, center: Pt, place: u32, params: &LandParams) {
        let half = (units(params.spot_m / 2.0) as i64).max(16) / 4 * 4;
        let region = self.region(place);
        let source = self.source(Source::Wall(region));
        let corner = |dx: i64, dy: i64| [center[0] + dx * half, center[1] + dy * half];
        let corners = [corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)];
        self.corners.extend(corners);
        for i in 0..4 {
            self.noder.lay(corners[i], corners[(i + 1) % 4], source);
        }
    }

    fn lay_lines(&mut self, input: &LandInput, contents: &Contents, outline: &[[Pt; 2]]) {
        let Some([low, high]) = super::outlines::bounds(outline, 1.0) else { return };
        let near = |a: Pt, b: Pt| (0..2).all(|i| a[i].max(b[i]) >= low[i] && a[i].min(b[i]) <= high[i]);
        for &street in &contents.streets {
            let line = &input.streets[street as usize];
            let below = line.level == StreetLevel::Tunnel;
            let source = self.source(if below { Source::Tunnel(street) } else { Source::Street(street) });
            for pair in snapped(&line.line).windows(2).filter(|pair| near(pair[0], pair[1])) {
                self.noder.lay(pair[0], pair[1], source);
            }
        }
        for &barrier in &contents.barriers {
            match &input.barriers[barrier as usize].shape {
                BarrierShape::Line(line) => {
                    let source = self.source(Source::Barrier(barrier));
                    for pair in snapped(line).windows(2).filter(|pair| near(pair[0], pair[1])) {
                        self.noder.lay(pair[0], pair[1], source);
                    }
                }
                BarrierShape::Area(shape) => {
                    for polygon in shape.iter() {
                        let region = self.region(NONE);
                        let source = self.source(Source::Bank(barrier, region));
                        rings(polygon).for_each(|ring| lay_ring(&mut self.noder, ring, source));
                    }
                }
            }
        }
        for &compound in &contents.compounds {
            let source = self.source(Source::Compound);
            for polygon in input.compounds[compound as usize].iter() {
                rings(polygon).for_each(|ring| lay_ring(&mut self.noder, ring, source));
            }
        }
    }
}

/// Owners: where footprints overlap the smaller one wins, ties by place.
fn own(mesh: &Mesh, cover: &Cover, region_atom: &[u32]) -> (Vec<u32>, Vec<bool>, Vec<Settlement>) {
    let mut sizes = vec![0i128; region_atom.len()];
    let mut areas = vec![0i128; cover.sets().len()];
    for t in 0..mesh.n_triangles() {
        let area = mesh.double_area(t);
        areas[cover.set_id(t) as usize] += area;
        for &region in cover.regions(t) {
            sizes[region as usize] += area;
        }
    }
    let per_set: Vec<(u32, bool)> = cover
        .sets()
        .iter()
        .map(|set| {
            if set.first() != Some(&0) {
                return (OUTSIDE, false);
            }
            let built = set.iter().filter(|&&r| region_atom[r as usize] != NONE);
            let winner = built.min_by_key(|&&r| (sizes[r as usize], region_atom[r as usize]));
            let wet = set.iter().any(|&r| r != 0 && region_atom[r as usize] == NONE);
            (winner.map_or(OPEN, |&r| region_atom[r as usize]), wet)
        })
        .collect();
    let overlaps = (0..areas.len()).filter(|&set| per_set[set].0 < OPEN).filter_map(|set| {
        let atoms = cover.sets()[set].iter().map(|&r| region_atom[r as usize]).filter(|&atom| atom != NONE);
        let mut claimants: Vec<u32> = atoms.collect();
        claimants.sort_unstable();
        claimants.dedup();
        (claimants.len() > 1).then(|| Settlement {
            claimants,
            given_to: per_set[set].0,
            area_m2: double_area_to_m2(areas[set]),
        })
    });
    let overlaps = overlaps.collect();
    let (owner, wet) = (0..mesh.n_triangles()).map(|t| per_set[cover.set_id(t) as usize]).unzip();
    (owner, wet, overlaps)
}

/// Which edges stop labels, and what each edge is when it becomes a boundary.
fn classify(
    input: &LandInput,
    params: &LandParams,
    noded: &Noded,
    sources: &[Source],
    outline_names: &[Option<u32>],
) -> (Vec<bool>, Vec<Tag>) {
    let gaps = Crossings::new(input, params, noded, sources);
    let mut separates = vec![false; noded.edges.len()];
    let mut tags = vec![Tag::CUT; noded.edges.len()];
    for edge in 0..noded.edges.len() {
        for &source in noded.sources(edge) {
            let tag = tag_of(input, sources[source as usize], outline_names);
            separates[edge] |= matches!(
                sources[source as usize],
                Source::Outline(_) | Source::Street(_) | Source::Barrier(_) | Source::Compound
            );
            tags[edge] = stronger(tags[edge], tag);
        }
        if tags[edge].blocked && noded.edges[edge].iter().any(|&v| gaps.near(noded.points[v as usize])) {
            tags[edge].blocked = false;
        }
    }
    (separates, tags)
}

fn stronger(a: Tag, b: Tag) -> Tag {
    let rank =
        |t: &Tag| (t.kind == BoundaryKind::Outline, t.blocked, t.class, t.kind, std::cmp::Reverse(t.name));
    let mut best = if rank(&b) > rank(&a) { b } else { a };
    best.blocked = a.blocked || b.blocked;
    best
}

fn tag_of(input: &LandInput, source: Source, outline_names: &[Option<u32>]) -> Tag {
    match source {
        Source::Outline(side) => {
            let name = outline_names.get(side as usize).copied().flatten();
            Tag { kind: BoundaryKind::Outline, side, name, ..Tag::CUT }
        }
        Source::Wall(_) => Tag { kind: BoundaryKind::Wall, ..Tag::CUT },
        Source::Tunnel(_) => Tag::CUT,
        Source::Compound => Tag { kind: BoundaryKind::Compound, class: BoundaryClass::Lane, ..Tag::CUT },
        Source::Street(street) => {
            let line = &input.streets[street as usize];
            let kind = BoundaryKind::Street(line.class, street);
            Tag { kind, class: BoundaryClass::of_street(line.class), name: line.name, ..Tag::CUT }
        }
        Source::Barrier(barrier) | Source::Bank(barrier, _) => {
            barrier_tag(&input.barriers[barrier as usize], barrier)
        }
    }
}

fn barrier_tag(shape: &LandBarrier, barrier: u32) -> Tag {
    let class = match shape.kind {
        BarrierKind::Railway | BarrierKind::River | BarrierKind::Water => BoundaryClass::RiverOrRail,
        BarrierKind::Motorway => BoundaryClass::Arterial,
        BarrierKind::Wall | BarrierKind::Cliff => BoundaryClass::Lane,
    };
    Tag { kind: BoundaryKind::Barrier(shape.kind, barrier), class, blocked: true, name: shape.name, side: 0 }
}

/// Places where barriers may be crossed, in square cells.
struct Crossings {
    cells: FxHashMap<Pt, Vec<Pt>>,
    radius: f64,
}

impl Crossings {
    fn new(input: &LandInput, params: &LandParams, noded: &Noded, sources: &[Source]) -> Self {
        let mut found = Self { cells: FxHashMap::default(), radius: units(params.crossing_m).max(1.0) };
        let mut on_foot = vec![false; noded.points.len()];
        let mut on_barrier = vec![false; noded.points.len()];
        for (edge, ends) in noded.edges.iter().enumerate() {
            for &source in noded.sources(edge) {
                let marks = match sources[source as usize] {
                    Source::Street(s) if input.streets[s as usize].level == StreetLevel::Open => &mut on_foot,
                    Source::Tunnel(_) => &mut on_foot,
                    Source::Barrier(_) => &mut on_barrier,
                    _ => continue,
                };
                ends.iter().for_each(|&v| marks[v as usize] = true);
            }
        }
        for v in (0..noded.points.len()).filter(|&v| on_foot[v] && on_barrier[v]) {
            found.add(noded.points[v]);
        }
        input.crossings.iter().filter_map(|&at| snap(at)).for_each(|p| found.add(p));
        found
    }

    fn cell(&self, p: Pt) -> Pt {
        let size = self.radius.ceil() as i64;
        [p[0].div_euclid(size), p[1].div_euclid(size)]
    }

    fn add(&mut self, p: Pt) {
        let cell = self.cell(p);
        self.cells.entry(cell).or_default().push(p);
    }

    fn near(&self, p: Pt) -> bool {
        let [column, row] = self.cell(p);
        let around = (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| [column + dx, row + dy]));
        let mut candidates = around.filter_map(|cell| self.cells.get(&cell)).flatten();
        candidates.any(|&c| length_squared(c, p) <= self.radius * self.radius)
    }
}
