//! Land: from outlines, streets and footprints to plots that tile each community exactly.
//!
//! [`divide`] builds one planar subdivision per community on whole-number coordinates: segments are cut where they meet, triangulated with
//! constraints, every triangle gets an owner, and only the stretches with different owners on both sides are kept, each once. A shared
//! border is stored once, so grids dissolved from it can neither gap nor overlap. The method and its limits: `docs/methods/land.md`.

mod chains;
mod cut;
mod describe;
mod exact;
mod homes;
mod input;
mod links;
mod mesh;
mod noding;
mod outlines;
mod scene;
mod seams;
mod sectors;
mod smooth;
mod subdivision;
#[cfg(test)]
mod tests;

use geo::{LineString, MultiPolygon};
use rayon::prelude::*;
use rstar::{AABB, PointDistance, RTree, primitives::GeomWithData, primitives::Rectangle};
use rustc_hash::FxHashMap;

pub use describe::{Along, BoundaryDescription, SidePart};
pub use input::{LandAtom, LandBarrier, LandInput, LandStreet, StreetLevel};
pub use outlines::Settlement;
pub use scene::BoundaryKind;
pub use smooth::SimplifyParams;
pub use subdivision::{BoundaryClass, Ground, SharedBorder, Stretch, Subdivision, Unit, VoidKind};

use crate::model::{BarrierShape, UnitKind};
use exact::{Pt, snap, to_metres, units};
use scene::{Contents, OPEN, OUTSIDE, Scene};

/// How the land is divided. Lengths in metres, areas in square metres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LandParams {
    /// Enclosed slits between outlines (and between areas) narrower than this on average are given to a neighbor.
    pub slit_width_m: f64,
    /// Walls are cut into pieces no longer than this, so that plots keep their distance.
    pub wall_step_m: f64,
    /// Streets, barriers and outlines are cut into pieces no longer than this.
    pub line_step_m: f64,
    /// Side of the square that stands for an atom without a footprint.
    pub spot_m: f64,
    /// Ground without buildings and narrower than this on average continues the plots across the street.
    pub void_width_m: f64,
    /// Ground without buildings and smaller than this continues the plots across the street.
    pub void_area_m2: f64,
    /// Water narrower than this on average is shared by its banks, as a river is; wider water is kept whole.
    pub river_width_m: f64,
    /// Barriers are open this far around a crossing.
    pub crossing_m: f64,
    /// How boundaries are smoothed.
    pub simplify: SimplifyParams,
}

impl Default for LandParams {
    /// Our choices; the reasons stand in `docs/methods/land.md`.
    fn default() -> Self {
        Self {
            slit_width_m: 2.0,
            wall_step_m: 4.0,
            line_step_m: 8.0,
            spot_m: 0.5,
            void_width_m: 8.0,
            void_area_m2: 400.0,
            river_width_m: 40.0,
            crossing_m: 12.0,
            simplify: SimplifyParams { rounds: 4, cut_m2: 8.0, path_m2: 4.0, street_m2: 1.0 },
        }
    }
}

/// Why land could not be divided.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LandError {
    /// Segments could not be cut into a plane graph.
    #[error(
        "the lines of community {community} could not be cut where they meet; look for lines drawn many times over the same place and remove the copies"
    )]
    Tangled {
        /// The community's index in the input.
        community: u32,
    },
    /// Outlines could not be cut into a plane graph.
    #[error(
        "the community outlines could not be cut where they meet; look for outlines drawn many times over the same place and remove the copies"
    )]
    TangledOutlines,
    /// A labelling does not fit the subdivision.
    #[error(
        "community {community} has {units} units but {labels} labels were given; give one label per unit, atoms first, then voids"
    )]
    LabelCount {
        /// The community's index in the input.
        community: u32,
        /// Its number of units.
        units: usize,
        /// How many labels were given.
        labels: usize,
    },
}

/// The land of all communities.
#[derive(Clone, Debug)]
pub struct Land {
    /// One per community, in input order.
    pub subdivisions: Vec<Subdivision>,
    /// Atoms outside every community, ascending.
    pub outside: Vec<u32>,
    /// Atoms hidden under others (same place or footprint), which got a spot beside their place, ascending.
    pub hidden: Vec<u32>,
    /// Overlaps and slits between community outlines and who got them.
    pub settled: Vec<Settlement>,
    /// Where atoms are areas: overlaps and slits between them and who got them.
    pub settled_areas: Vec<Settlement>,
}

/// Divides the land of every community among its atoms.
///
/// - Rule: streets, barriers and outlines separate plots; between them ground goes to the nearest building; where footprints overlap the
///   smaller wins. Ground without buildings becomes units of its own, unless it is thin.
/// - Cost: O(n log n) in the number of wall and street pieces; communities run in parallel and never depend on each other.
/// - Same input, same answer on any number of threads.
///
/// # Errors
/// [`LandError::Tangled`] or [`LandError::TangledOutlines`] if lines cannot be cut into a plane graph; no input is known to cause it.
pub fn divide(input: &LandInput, params: &LandParams) -> Result<Land, LandError> {
    let shapes: Vec<&MultiPolygon<f64>> = input.communities.iter().collect();
    let mut settled = outlines::settle(&shapes, params.slit_width_m).ok_or(LandError::TangledOutlines)?;
    let homes = homes::find(&input.atoms, &shapes, &settled.edges);
    let contents = contents(input, &settled.edges, &homes);
    let parts: Vec<Part> = (0..shapes.len())
        .into_par_iter()
        .map(|community| {
            divide_one(input, params, community as u32, &settled.edges[community], &contents[community])
                .ok_or(LandError::Tangled { community: community as u32 })
        })
        .collect::<Result<_, _>>()?;
    let outside = (0..homes.len() as u32).filter(|&atom| homes[atom as usize].is_none()).collect();
    let mut land = Land {
        subdivisions: Vec::new(),
        outside,
        hidden: Vec::new(),
        settled: std::mem::take(&mut settled.settlements),
        settled_areas: Vec::new(),
    };
    for part in parts {
        land.subdivisions.push(part.subdivision);
        land.hidden.extend(part.hidden);
        land.settled_areas.extend(part.settled);
    }
    land.hidden.sort_unstable();
    seams::sew(&mut land.subdivisions, &settled.edges);
    Ok(land)
}

/// What may touch each community, found by boxes.
fn contents(input: &LandInput, outlines: &[Vec<[Pt; 2]>], homes: &[Option<u32>]) -> Vec<Contents> {
    let streets = box_tree(input.streets.iter().map(|street| line_box(&street.line)));
    let barriers = box_tree(input.barriers.iter().map(|barrier| match &barrier.shape {
        BarrierShape::Line(line) => line_box(line),
        BarrierShape::Area(shape) => area_box(shape),
    }));
    let compounds = box_tree(input.compounds.iter().map(area_box));
    let mut all: Vec<Contents> = outlines
        .par_iter()
        .map(|edges| {
            let Some(bounds) = outlines::bounds(edges, 1.0) else { return Contents::default() };
            let [low, high] = bounds.map(|p| {
                let c = to_metres(p);
                [c.x, c.y]
            });
            let around = AABB::from_corners(low, high);
            let find = |tree: &Boxes| {
                let mut found: Vec<u32> =
                    tree.locate_in_envelope_intersecting(&around).map(|b| b.data).collect();
                found.sort_unstable();
                found
            };
            Contents {
                atoms: Vec::new(),
                streets: find(&streets),
                barriers: find(&barriers),
                compounds: find(&compounds),
            }
        })
        .collect();
    for (atom, home) in homes.iter().enumerate() {
        if let Some(home) = home {
            all[*home as usize].atoms.push(atom as u32);
        }
    }
    all
}

type Boxes = RTree<GeomWithData<Rectangle<[f64; 2]>, u32>>;

fn box_tree(boxes: impl Iterator<Item = Option<[[f64; 2]; 2]>>) -> Boxes {
    let entries = boxes.enumerate().filter_map(|(i, corners)| {
        corners.map(|[low, high]| GeomWithData::new(Rectangle::from_corners(low, high), i as u32))
    });
    RTree::bulk_load(entries.collect())
}

fn line_box(line: &LineString<f64>) -> Option<[[f64; 2]; 2]> {
    let mut places = line.coords().filter(|&&c| snap(c).is_some());
    let first = places.next().map(|c| [c.x, c.y])?;
    Some(places.fold([first, first], |[low, high], c| {
        [[low[0].min(c.x), low[1].min(c.y)], [high[0].max(c.x), high[1].max(c.y)]]
    }))
}

fn area_box(shape: &MultiPolygon<f64>) -> Option<[[f64; 2]; 2]> {
    shape.iter().filter_map(|polygon| line_box(polygon.exterior())).reduce(|[low, high], [l, h]| {
        [[low[0].min(l[0]), low[1].min(l[1])], [high[0].max(h[0]), high[1].max(h[1])]]
    })
}

/// The land of one community.
struct Part {
    subdivision: Subdivision,
    hidden: Vec<u32>,
    settled: Vec<Settlement>,
}

/// Overlaps and slits of areas, in the input's numbers.
fn settled_areas(contents: &Contents, scene: &Scene, slits: Vec<(u32, f64)>) -> Vec<Settlement> {
    let atom = |place: u32| contents.atoms[place as usize];
    let overlaps = scene.overlaps.iter().map(|overlap| Settlement {
        claimants: overlap.claimants.iter().map(|&place| atom(place)).collect(),
        given_to: atom(overlap.given_to),
        area_m2: overlap.area_m2,
    });
    let slits = slits.into_iter().map(|(place, area_m2)| Settlement {
        claimants: Vec::new(),
        given_to: atom(place),
        area_m2,
    });
    overlaps.chain(slits).collect()
}

/// Rounds in which hidden atoms look for a spot.
const SPOT_ROUNDS: usize = 4;

fn divide_one(
    input: &LandInput,
    params: &LandParams,
    community: u32,
    outline: &[[Pt; 2]],
    contents: &Contents,
) -> Option<Part> {
    let n_atoms = contents.atoms.len();
    let names = outline_names(input, contents, outline);
    let mut spots: FxHashMap<u32, Pt> = FxHashMap::default();
    let mut scene = scene::build(input, params, outline, contents, &names, &spots)?;
    for round in 0..SPOT_ROUNDS {
        let unseen = unseen(&scene, n_atoms);
        if unseen.is_empty() {
            break;
        }
        place_spots(input, params, contents, &unseen, round, &mut spots);
        scene = scene::build(input, params, outline, contents, &names, &spots)?;
    }
    let mut settled = Vec::new();
    let division = if input.unit_kind == UnitKind::Areas {
        let (division, slits) = sectors::fill(&scene, params, n_atoms as u32);
        settled = settled_areas(contents, &scene, slits);
        division
    } else {
        sectors::divide(&scene, params, n_atoms as u32)
    };
    let cuts = cut::cut(&scene, &division);
    let atoms = contents.atoms.iter().map(|&atom| Ground::Plot(atom));
    let kinds: Vec<Ground> = atoms.chain(division.voids.iter().map(|&kind| Ground::Void(kind))).collect();
    let corners = std::mem::take(&mut scene.corners);
    let mut subdivision = Subdivision::new(community, kinds, &cuts, corners, params.simplify);
    subdivision.add_borders(links::across_water(&scene, &division));
    attach_unseen(input, contents, &scene, &division, &mut subdivision);
    let mut hidden: Vec<u32> = spots.keys().map(|&place| contents.atoms[place as usize]).collect();
    hidden.sort_unstable();
    Some(Part { subdivision, hidden, settled })
}

/// Names of the streets and barriers that run along outline edges: within 25 m of an edge's middle and 30° of its direction.
fn outline_names(input: &LandInput, contents: &Contents, outline: &[[Pt; 2]]) -> Vec<Option<u32>> {
    let mut segments = Vec::new();
    let mut lay = |line: &LineString<f64>, name: Option<u32>| {
        if let Some(name) = name {
            let ok = line.lines().filter(|l| snap(l.start).is_some() && snap(l.end).is_some());
            segments.extend(ok.map(|l| {
                GeomWithData::new(
                    rstar::primitives::Line::new([l.start.x, l.start.y], [l.end.x, l.end.y]),
                    name,
                )
            }));
        }
    };
    for &street in &contents.streets {
        lay(&input.streets[street as usize].line, input.streets[street as usize].name);
    }
    for &barrier in &contents.barriers {
        if let BarrierShape::Line(line) = &input.barriers[barrier as usize].shape {
            lay(line, input.barriers[barrier as usize].name);
        }
    }
    let tree = RTree::bulk_load(segments);
    let name_of = |&[a, b]: &[Pt; 2]| {
        let (a, b) = (to_metres(a), to_metres(b));
        let middle = [(a.x + b.x) / 2.0, (a.y + b.y) / 2.0];
        let near = tree.locate_within_distance(middle, 25.0 * 25.0).filter(|segment| {
            let (from, to) = (segment.geom().from, segment.geom().to);
            let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
            let lengths = dx.hypot(dy) * (b.x - a.x).hypot(b.y - a.y);
            (dx * (b.x - a.x) + dy * (b.y - a.y)).abs() > 0.866 * lengths
        });
        let distance = |segment: &&Named| segment.geom().distance_2(&middle);
        let nearest = near.min_by(|s, t| distance(s).total_cmp(&distance(t)).then(s.data.cmp(&t.data)));
        nearest.map(|segment| segment.data)
    };
    outline.iter().map(name_of).collect()
}

/// A segment of a street or barrier with its name.
type Named = GeomWithData<rstar::primitives::Line<[f64; 2]>, u32>;

/// Places of atoms that own no triangle.
fn unseen(scene: &Scene, n_atoms: usize) -> Vec<u32> {
    let mut seen = vec![false; n_atoms];
    for &owner in &scene.owner {
        if owner < OPEN {
            seen[owner as usize] = true;
        }
    }
    (0..n_atoms as u32).filter(|&place| !seen[place as usize]).collect()
}

/// Puts hidden atoms on a sunflower spiral around where they should be; stacked ones take successive places.
fn place_spots(
    input: &LandInput,
    params: &LandParams,
    contents: &Contents,
    unseen: &[u32],
    round: usize,
    spots: &mut FxHashMap<u32, Pt>,
) {
    const GOLDEN: [f64; 2] = [-0.737_368_878_078_319_7, 0.675_490_294_261_523_8]; // cosine and sine of the golden angle
    let mut taken: FxHashMap<Pt, (usize, [f64; 2])> = FxHashMap::default();
    for &place in unseen {
        let Some(base) = base(input, contents, place) else { continue };
        let (count, direction) = taken.entry(base).or_insert((round * 5, [1.0, 0.0]));
        let radius = units(1.5 * params.spot_m) * (*count as f64).sqrt();
        spots.insert(
            place,
            exact::snap_units(base[0] as f64 + radius * direction[0], base[1] as f64 + radius * direction[1]),
        );
        *count += 1;
        *direction = [
            direction[0] * GOLDEN[0] - direction[1] * GOLDEN[1],
            direction[0] * GOLDEN[1] + direction[1] * GOLDEN[0],
        ];
    }
}

/// Where an atom should be: its point, or the middle of its corners' box.
fn base(input: &LandInput, contents: &Contents, place: u32) -> Option<Pt> {
    let places = homes::places(&input.atoms[contents.atoms[place as usize] as usize].shape);
    let [low, high] = line_box(&LineString(places))?;
    snap(geo::Coord { x: (low[0] + high[0]) / 2.0, y: (low[1] + high[1]) / 2.0 })
}

/// An atom that found no spot at all borders the unit nearest to it, so that no partition loses it.
fn attach_unseen(
    input: &LandInput,
    contents: &Contents,
    scene: &Scene,
    division: &sectors::Division,
    subdivision: &mut Subdivision,
) {
    for place in unseen(scene, contents.atoms.len()) {
        let at = base(input, contents, place).unwrap_or([0, 0]);
        let inside = (0..scene.mesh.n_triangles()).filter(|&t| scene.owner[t] != OUTSIDE);
        let corners = inside.flat_map(|t| (0..3).map(move |i| (t, i)));
        let distance = |&(t, i): &(usize, usize)| exact::length_squared(scene.mesh.corner_points(t)[i], at);
        let nearest = corners.min_by(|a, b| distance(a).total_cmp(&distance(b)).then(a.cmp(b)));
        let Some(host) = nearest.map(|(t, i)| division.corner[t][i]).filter(|&host| host != place) else {
            continue;
        };
        let (u, v) = (place.min(host), place.max(host));
        subdivision.borders.push(SharedBorder { u, v, length_mm: [0; 5], passable: true });
    }
    subdivision.borders.sort_by_key(|border| (border.u, border.v));
}
