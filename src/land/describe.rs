//! Boundary descriptions (四至): what lies along the east, south, west and north of a grid.

use super::chains::regroup;
use super::exact::{Pt, UNITS};
use super::scene::{BoundaryKind, OUTSIDE, Tag};
use super::{LandError, Subdivision};
use crate::model::{BarrierKind, Lang, StreetClass};

/// What runs along a part of a boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Along {
    /// A street, river or railway with a name: index into [`super::LandInput::names`].
    Named(u32),
    /// A street without a name.
    Street(StreetClass),
    /// A barrier without a name.
    Barrier(BarrierKind),
    /// The outline of a compound.
    Compound,
    /// The community's outline, where no named street runs along it.
    Outline,
    /// Nothing: between buildings.
    Ground,
}

/// One thing along one side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SidePart {
    /// What it is.
    pub along: Along,
    /// How much of the side it makes, 0 to 1, measured across the direction.
    pub share: f64,
}

/// What lies on the four sides of a grid, the greatest part of each side first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BoundaryDescription {
    /// To the east.
    pub east: Vec<SidePart>,
    /// To the south.
    pub south: Vec<SidePart>,
    /// To the west.
    pub west: Vec<SidePart>,
    /// To the north.
    pub north: Vec<SidePart>,
}

/// Parts of a side below this share are left out of the sentence.
const WORTH_SAYING: f64 = 0.25;

impl BoundaryDescription {
    /// The description in words, with names from [`super::LandInput::names`].
    #[must_use]
    pub fn sentence(&self, names: &[String], lang: Lang) -> String {
        let side = |parts: &[SidePart]| {
            let told = parts.iter().filter(|part| part.share >= WORTH_SAYING || part == &&parts[0]);
            let words: Vec<&str> = told.map(|part| word(part.along, names, lang)).collect();
            words.join(lang.pick("、", " and "))
        };
        let [east, south, west, north] =
            [&self.east, &self.south, &self.west, &self.north].map(|parts| side(parts));
        match lang {
            Lang::Zh => format!("东至{east}，南至{south}，西至{west}，北至{north}"),
            Lang::En => format!("east: {east}; south: {south}; west: {west}; north: {north}"),
        }
    }
}

fn word(along: Along, names: &[String], lang: Lang) -> &str {
    match along {
        Along::Named(name) => names.get(name as usize).map_or(lang.pick("道路", "a street"), String::as_str),
        Along::Street(StreetClass::Arterial) => lang.pick("主干路", "an arterial road"),
        Along::Street(StreetClass::Secondary) => lang.pick("次干路", "a secondary road"),
        Along::Street(StreetClass::Lane) => lang.pick("巷道", "a lane"),
        Along::Street(StreetClass::Path) => lang.pick("小路", "a path"),
        Along::Street(StreetClass::Steps) => lang.pick("台阶", "stairs"),
        Along::Barrier(BarrierKind::Railway) => lang.pick("铁路", "the railway"),
        Along::Barrier(BarrierKind::River) => lang.pick("河道", "the river"),
        Along::Barrier(BarrierKind::Water) => lang.pick("水面", "the water"),
        Along::Barrier(BarrierKind::Wall) => lang.pick("围墙", "a wall"),
        Along::Barrier(BarrierKind::Motorway) => lang.pick("快速路", "the motorway"),
        Along::Barrier(BarrierKind::Cliff) => lang.pick("陡坎", "the cliff"),
        Along::Compound => lang.pick("小区围墙", "a compound wall"),
        Along::Outline => lang.pick("社区界", "the community outline"),
        Along::Ground => lang.pick("楼间", "between buildings"),
    }
}

fn along(tag: &Tag) -> Along {
    match (tag.name, tag.kind) {
        (Some(name), _) => Along::Named(name),
        (None, BoundaryKind::Street(class, _)) => Along::Street(class),
        (None, BoundaryKind::Barrier(kind, _)) => Along::Barrier(kind),
        (None, BoundaryKind::Compound) => Along::Compound,
        (None, BoundaryKind::Outline) => Along::Outline,
        (None, BoundaryKind::Cut | BoundaryKind::Wall) => Along::Ground,
    }
}

impl Subdivision {
    /// Describes every group's boundary, for one label per unit; see [`Subdivision::dissolve`].
    ///
    /// A segment counts for the sides it faces, by its length across their direction.
    ///
    /// # Errors
    /// [`LandError::LabelCount`] unless there is one label per unit.
    pub fn describe(&self, labels: &[u32]) -> Result<Vec<BoundaryDescription>, LandError> {
        self.check_labels(labels)?;
        let n_groups = labels.iter().max().map_or(0, |&most| most as usize + 1);
        let mut sums: Vec<[Vec<SidePart>; 4]> = vec![Default::default(); n_groups];
        let group = |unit: u32| if unit == OUTSIDE { OUTSIDE } else { labels[unit as usize] };
        for chain in regroup(&self.chains, group) {
            for (a, b, tag) in chain.segments() {
                let along = along(&self.tags[tag as usize]);
                for (group, facing) in [(chain.left, facing(a, b)), (chain.right, facing(b, a))] {
                    if group != OUTSIDE {
                        add(&mut sums[group as usize], along, facing);
                    }
                }
            }
        }
        Ok(sums.into_iter().map(finish).collect())
    }
}

/// How much a segment with the group on its left faces east, south, west and north, m.
fn facing(a: Pt, b: Pt) -> [f64; 4] {
    let (dx, dy) = ((b[0] - a[0]) as f64 / UNITS, (b[1] - a[1]) as f64 / UNITS);
    // The outward normal is the direction turned right: (dy, -dx).
    [dy.max(0.0), dx.max(0.0), (-dy).max(0.0), (-dx).max(0.0)]
}

fn add(sides: &mut [Vec<SidePart>; 4], along: Along, facing: [f64; 4]) {
    for (parts, across) in sides.iter_mut().zip(facing).filter(|(_, across)| *across > 0.0) {
        match parts.iter_mut().find(|part| part.along == along) {
            Some(part) => part.share += across,
            None => parts.push(SidePart { along, share: across }),
        }
    }
}

fn finish(mut sides: [Vec<SidePart>; 4]) -> BoundaryDescription {
    for parts in &mut sides {
        let whole: f64 = parts.iter().map(|part| part.share).sum();
        parts.iter_mut().for_each(|part| part.share /= whole);
        parts.sort_by(|a, b| b.share.total_cmp(&a.share).then(a.along.cmp(&b.along)));
    }
    let [east, south, west, north] = sides;
    BoundaryDescription { east, south, west, north }
}
