//! The subdivision of one community: units, who touches whom, and polygons for any grouping.

use geo::MultiPolygon;
use rustc_hash::FxHashMap;

use super::chains::{self, Chain};
use super::cut::Cuts;
use super::exact::{Pt, UNITS, double_area_to_m2, length};
use super::scene::{BoundaryKind, OUTSIDE, Tag};
use super::smooth::{SimplifyParams, Stage, smooth};
use crate::model::StreetClass;

/// What crossing or following a boundary means, as the partition weighs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum BoundaryClass {
    /// Nothing runs there: inside one block.
    Inside = 0,
    /// A lane, a path or a compound wall.
    Lane = 1,
    /// A secondary road.
    Secondary = 2,
    /// An arterial road.
    Arterial = 3,
    /// A river or a railway.
    RiverOrRail = 4,
}

impl BoundaryClass {
    /// The class of a boundary along a street.
    pub(super) fn of_street(class: StreetClass) -> Self {
        match class {
            StreetClass::Arterial => Self::Arterial,
            StreetClass::Secondary => Self::Secondary,
            StreetClass::Lane | StreetClass::Path | StreetClass::Steps => Self::Lane,
        }
    }
}

/// Why a unit is not an atom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VoidKind {
    /// Ground between streets without a building.
    Block,
    /// Water wide enough to be kept whole.
    Water,
}

/// What a unit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ground {
    /// The plot of an atom, by its index in the input.
    Plot(u32),
    /// Ground that no atom claims; no household lives there.
    Void(VoidKind),
}

/// One cell of the subdivision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    /// Atom or void.
    pub ground: Ground,
    /// Area, m². Zero only for an atom hidden under others.
    pub area_m2: f64,
    /// Length of its whole border, m.
    pub perimeter_m: f64,
    /// Length of its border along the community's outline, m.
    pub outer_perimeter_m: f64,
}

/// The border that two units of one community share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedBorder {
    /// The lesser unit.
    pub u: u32,
    /// The greater unit.
    pub v: u32,
    /// Length per [`BoundaryClass`], mm.
    pub length_mm: [u64; 5],
    /// Whether people can get across somewhere: a part of the border is no barrier, or is one at a crossing.
    pub passable: bool,
}

/// A community divided: every place belongs to exactly one unit.
#[derive(Clone, Debug)]
pub struct Subdivision {
    /// The community's index in the input.
    pub community: u32,
    /// Atoms in ascending order of their index, then voids.
    pub units: Vec<Unit>,
    /// Pairs of units that share a border, sorted.
    pub borders: Vec<SharedBorder>,
    pub(super) chains: Vec<Chain>,
    pub(super) tags: Vec<Tag>,
    corners: Vec<Pt>,
    simplify: SimplifyParams,
}

impl Subdivision {
    pub(super) fn new(
        community: u32,
        grounds: Vec<Ground>,
        cuts: &Cuts,
        corners: Vec<Pt>,
        simplify: SimplifyParams,
    ) -> Self {
        let mut chains = chains::join(&cuts.pieces);
        smooth(&mut chains, &cuts.tags, &corners, &simplify, Stage::Plots);
        let areas = chains::double_areas(&chains, grounds.len());
        let new_unit = |(ground, area)| Unit {
            ground,
            area_m2: double_area_to_m2(area),
            perimeter_m: 0.0,
            outer_perimeter_m: 0.0,
        };
        let mut units: Vec<Unit> = grounds.into_iter().zip(areas).map(new_unit).collect();
        for chain in &chains {
            let length_m = chain.segments().map(|(a, b, _)| length(a, b)).sum::<f64>() / UNITS;
            for (unit, other) in [(chain.left, chain.right), (chain.right, chain.left)] {
                if unit != OUTSIDE {
                    units[unit as usize].perimeter_m += length_m;
                    units[unit as usize].outer_perimeter_m += if other == OUTSIDE { length_m } else { 0.0 };
                }
            }
        }
        let borders = borders(&chains, &cuts.tags);
        Self { community, units, borders, chains, tags: cuts.tags.clone(), corners, simplify }
    }

    /// Measures the units again, after vertices were added to the outline.
    pub(super) fn refresh_areas(&mut self) {
        let areas = chains::double_areas(&self.chains, self.units.len());
        for (unit, area) in self.units.iter_mut().zip(areas) {
            unit.area_m2 = double_area_to_m2(area);
        }
    }

    /// How many of the units are atoms; they come first.
    #[must_use]
    pub fn n_atoms(&self) -> usize {
        self.units.iter().take_while(|unit| matches!(unit.ground, Ground::Plot(_))).count()
    }

    /// The community as it is divided: its outline after snapping and settling.
    #[must_use]
    pub fn outline(&self) -> MultiPolygon<f64> {
        let whole = chains::regroup(&self.chains, |unit| if unit == OUTSIDE { OUTSIDE } else { 0 });
        chains::trace(&whole, 1).pop().unwrap_or(MultiPolygon(Vec::new()))
    }

    /// The polygon of every unit.
    #[must_use]
    pub fn plots(&self) -> Vec<MultiPolygon<f64>> {
        chains::trace(&self.chains, self.units.len())
    }

    /// The polygon of every group, for one label per unit; groups are numbered from 0 to the greatest label.
    ///
    /// The polygons tile the community: neighbors share every vertex, so there is no gap and no overlap.
    ///
    /// # Errors
    /// [`super::LandError::LabelCount`] unless there is one label per unit.
    pub fn dissolve(&self, labels: &[u32]) -> Result<Vec<MultiPolygon<f64>>, super::LandError> {
        self.check_labels(labels)?;
        let n_groups = labels.iter().max().map_or(0, |&most| most as usize + 1);
        let mut grouped =
            chains::regroup(
                &self.chains,
                |unit| if unit == OUTSIDE { OUTSIDE } else { labels[unit as usize] },
            );
        smooth(&mut grouped, &self.tags, &self.corners, &self.simplify, Stage::Groups);
        Ok(chains::trace(&grouped, n_groups))
    }

    pub(super) fn check_labels(&self, labels: &[u32]) -> Result<(), super::LandError> {
        if labels.len() == self.units.len() {
            return Ok(());
        }
        Err(super::LandError::LabelCount {
            community: self.community,
            units: self.units.len(),
            labels: labels.len(),
        })
    }

    /// Adds borders; one that is there already becomes passable if the added one is.
    pub(super) fn add_borders(&mut self, more: Vec<SharedBorder>) {
        self.borders.extend(more);
        self.borders.sort_by_key(|border| (border.u, border.v));
        self.borders.dedup_by(|later, first| {
            let same = (later.u, later.v) == (first.u, first.v);
            if same {
                first.passable |= later.passable;
                for (sum, more) in first.length_mm.iter_mut().zip(later.length_mm) {
                    *sum += more;
                }
            }
            same
        });
    }

    /// Gives every unit without a label (`None`) the one of the neighbor with the longest common border, until all that can have one do.
    ///
    /// For voids that the partition left out, such as water. Ties go to the lesser label.
    pub fn absorb(&self, labels: &mut [Option<u32>]) {
        loop {
            let mut gain: FxHashMap<(u32, u32), u64> = FxHashMap::default();
            for border in &self.borders {
                let total = border.length_mm.iter().sum::<u64>().max(1);
                for (from, to) in [(border.u, border.v), (border.v, border.u)] {
                    if let (Some(Some(label)), Some(None)) =
                        (labels.get(from as usize), labels.get(to as usize))
                    {
                        *gain.entry((to, *label)).or_default() += total;
                    }
                }
            }
            let mut best: Vec<(u32, u64, u32)> =
                gain.into_iter().map(|((unit, label), mm)| (unit, mm, label)).collect();
            best.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)).then(a.2.cmp(&b.2)));
            best.dedup_by_key(|entry| entry.0);
            if best.is_empty() {
                return;
            }
            for (unit, _, label) in best {
                labels[unit as usize] = Some(label);
            }
        }
    }
}

/// Sums chains into borders.
fn borders(chains: &[Chain], tags: &[Tag]) -> Vec<SharedBorder> {
    let mut sums: FxHashMap<(u32, u32), ([f64; 5], bool)> = FxHashMap::default();
    for chain in chains {
        let (u, v) = (chain.left.min(chain.right), chain.left.max(chain.right));
        if v == OUTSIDE {
            continue;
        }
        let sum = sums.entry((u, v)).or_default();
        for (a, b, tag) in chain.segments() {
            let tag = &tags[tag as usize];
            sum.0[tag.class as usize] += length(a, b);
            sum.1 |= !tag.blocked;
        }
    }
    let to_mm = |units: f64| (units * 1000.0 / UNITS).round() as u64;
    let mut borders: Vec<SharedBorder> = sums
        .into_iter()
        .map(|((u, v), (lengths, passable))| SharedBorder { u, v, length_mm: lengths.map(to_mm), passable })
        .collect();
    borders.sort_by_key(|border| (border.u, border.v));
    borders
}

/// What runs along a stretch of boundary, for readers of [`Subdivision::stretches`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// The unit on its left, `None` outside the community.
    pub left: Option<u32>,
    /// The unit on its right, `None` outside the community.
    pub right: Option<u32>,
    /// What it is.
    pub kind: BoundaryKind,
    /// Its class.
    pub class: BoundaryClass,
    /// Whether people cannot cross it.
    pub blocked: bool,
    /// Index into the caller's names of the street or river.
    pub name: Option<u32>,
    /// Length, m.
    pub length_m: f64,
}

impl Subdivision {
    /// Every stretch of boundary with what runs along it, one per kind and place.
    #[must_use]
    pub fn stretches(&self) -> Vec<Stretch> {
        let inside = |unit: u32| (unit != OUTSIDE).then_some(unit);
        let mut found: Vec<Stretch> = Vec::new();
        for chain in &self.chains {
            let from = found.len();
            for (a, b, tag) in chain.segments() {
                let tag = &self.tags[tag as usize];
                let length_m = length(a, b) / UNITS;
                match found[from..].last_mut() {
                    Some(last)
                        if (last.kind, last.name, last.blocked) == (tag.kind, tag.name, tag.blocked) =>
                    {
                        last.length_m += length_m;
                    }
                    _ => found.push(Stretch {
                        left: inside(chain.left),
                        right: inside(chain.right),
                        kind: tag.kind,
                        class: tag.class,
                        blocked: tag.blocked,
                        name: tag.name,
                        length_m,
                    }),
                }
            }
        }
        found
    }
}
