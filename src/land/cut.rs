//! Cuts triangles whose corners belong to different units, and emits every stretch that has different units left and right.

use rustc_hash::FxHashMap;

use super::exact::{Pt, length, units};
use super::mesh::NONE;
use super::scene::{OUTSIDE, Scene, Tag};
use super::sectors::Division;

/// A directed stretch of boundary.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub a: Pt,
    pub b: Pt,
    pub left: u32,
    pub right: u32,
    /// Index into [`Cuts::tags`].
    pub tag: u32,
}

/// All stretches between different units, and between units and the outside.
#[derive(Debug, Default)]
pub(super) struct Cuts {
    pub pieces: Vec<Piece>,
    pub tags: Vec<Tag>,
}

/// Triangles flatter than this are cut at the middles of their sides, which are exact, m.
const FLAT_M: f64 = 0.001;
/// Cuts on both sides of a street that are nearer than this to each other are made at one place, m.
const MERGE_M: f64 = 3.0;

/// Cuts a divided scene.
pub(super) fn cut(scene: &Scene, division: &Division) -> Cuts {
    let n = scene.mesh.n_triangles();
    let flat = (0..n).map(|t| is_flat(scene, t)).collect();
    let mut cutter = Cutter { scene, division, flat, cuts: Cuts::default(), known: FxHashMap::default() };
    for t in 0..n {
        cutter.cut_sides(t);
        cutter.cut_inside(t);
    }
    cutter.cuts
}

fn is_flat(scene: &Scene, t: usize) -> bool {
    let p = scene.mesh.corner_points(t);
    let longest = (0..3).map(|i| length(p[i], p[(i + 1) % 3])).fold(0.0, f64::max);
    (scene.mesh.double_area(t) as f64) < units(FLAT_M) * longest
}

struct Cutter<'a> {
    scene: &'a Scene,
    division: &'a Division,
    flat: Vec<bool>,
    cuts: Cuts,
    known: FxHashMap<Tag, u32>,
}

impl Cutter<'_> {
    fn push(&mut self, a: Pt, b: Pt, sides: [u32; 2], tag: Tag) {
        let [left, right] = sides;
        if left == right || a == b {
            return;
        }
        let tags = &mut self.cuts.tags;
        let tag = *self.known.entry(tag).or_insert_with(|| {
            tags.push(tag);
            tags.len() as u32 - 1
        });
        self.cuts.pieces.push(Piece { a, b, left, right, tag });
    }

    /// Stretches along the sides of `t`, each side once.
    fn cut_sides(&mut self, t: usize) {
        for side in 0..3 {
            let n = self.scene.mesh.across[t][side];
            if n != NONE && (n as usize) < t {
                continue;
            }
            let left = self.labels(t, side);
            let back = self.back(t, side);
            let right = back.map_or([OUTSIDE; 2], |(n, i)| {
                let [b, a] = self.labels(n, i);
                [a, b]
            });
            let uncut = left[0] == left[1] || self.scene.mesh.edge[t][side] == NONE;
            if left == right && uncut {
                continue;
            }
            let [a, b] = self.ends(t, side);
            let tag = self.side_tag(t, side);
            let on_left = self.cut_point(t, side);
            let on_right = back.map_or(on_left, |(n, i)| self.cut_point(n, i));
            let left_first = length(a, on_left) <= length(a, on_right);
            let [m, k] = if left_first { [on_left, on_right] } else { [on_right, on_left] };
            let between = if left_first { [left[1], right[0]] } else { [left[0], right[1]] };
            let [from, to] = [[left[0], right[0]], [left[1], right[1]]];
            self.push_run(&[a, m, k, b], &[from, between, to], tag);
        }
    }

    /// Pushes consecutive stretches, joining those with the same sides and leaving out empty ones.
    fn push_run(&mut self, points: &[Pt; 4], sides: &[[u32; 2]; 3], tag: Tag) {
        let mut run: Option<(Pt, Pt, [u32; 2])> = None;
        for i in (0..3).filter(|&i| points[i] != points[i + 1]) {
            match &mut run {
                Some((_, end, last)) if *last == sides[i] => *end = points[i + 1],
                _ => {
                    if let Some((a, b, sides)) = run.replace((points[i], points[i + 1], sides[i])) {
                        self.push(a, b, sides, tag);
                    }
                }
            }
        }
        if let Some((a, b, sides)) = run {
            self.push(a, b, sides, tag);
        }
    }

    fn ends(&self, t: usize, side: usize) -> [Pt; 2] {
        let corners = self.scene.mesh.corners[t];
        [corners[side], corners[(side + 1) % 3]].map(|v| self.scene.mesh.points[v as usize])
    }

    fn labels(&self, t: usize, side: usize) -> [u32; 2] {
        [self.division.corner[t][side], self.division.corner[t][(side + 1) % 3]]
    }

    /// The same side seen from the triangle across.
    fn back(&self, t: usize, side: usize) -> Option<(usize, usize)> {
        let n = self.scene.mesh.across[t][side];
        let to = self.scene.mesh.corners[t][(side + 1) % 3];
        let corners = self.scene.mesh.corners.get(n as usize)?;
        corners.iter().position(|&v| v == to).map(|i| (n as usize, i))
    }

    fn side_tag(&self, t: usize, side: usize) -> Tag {
        let edge = self.scene.mesh.edge[t][side];
        if edge != NONE {
            return self.scene.tags[edge as usize];
        }
        let n = self.scene.mesh.across[t][side];
        let in_water = |t: usize| self.division.shared_water[t];
        if in_water(t) && n != NONE && in_water(n as usize) { Tag::WET_CUT } else { Tag::CUT }
    }

    /// Where the two labels of a side meet, from its first corner on; cuts from both triangles that are near each other are one.
    fn cut_point(&self, t: usize, side: usize) -> Pt {
        let back = self.back(t, side);
        let [a, b] = self.ends(t, side);
        if self.flat[t] || back.is_some_and(|(n, _)| self.flat[n]) {
            return [a[0] + (b[0] - a[0]) / 2, a[1] + (b[1] - a[1]) / 2];
        }
        let here = self.share(t, side);
        let there = back.filter(|&(n, i)| {
            let [q, p] = self.labels(n, i);
            p != q
        });
        let (low, high) = if a <= b { (a, b) } else { (b, a) };
        let share = match there.map(|(n, i)| self.share(n, i)) {
            Some(other) if (here - other).abs() * length(low, high) < units(MERGE_M) => (here + other) / 2.0,
            _ => here,
        };
        [0, 1].map(|i| low[i] + ((high[i] - low[i]) as f64 * share).round() as i64)
    }

    /// How far along a side, from its lesser end, the ends are equally far from where their labels came from; 0.1 to 0.9.
    fn share(&self, t: usize, side: usize) -> f64 {
        let mesh = &self.scene.mesh;
        let reach = |i: usize| {
            let seed = self.division.seed[t][i];
            length(mesh.points[mesh.corners[t][i] as usize], mesh.points[seed as usize])
        };
        let [a, b] = self.ends(t, side);
        let next = (side + 1) % 3;
        let (low, high) = if a <= b { (side, next) } else { (next, side) };
        let whole = length(a, b);
        ((whole + reach(high) - reach(low)) / (2.0 * whole)).clamp(0.1, 0.9)
    }

    /// Stretches inside a triangle with two or three labels.
    fn cut_inside(&mut self, t: usize) {
        let labels = self.division.corner[t];
        if labels[0] == labels[1] && labels[1] == labels[2] {
            return;
        }
        let tag = if self.division.shared_water[t] { Tag::WET_CUT } else { Tag::CUT };
        let alone = (0..3).find(|&i| labels[(i + 1) % 3] == labels[(i + 2) % 3]);
        if let Some(i) = alone {
            // From the side before the lone corner to the side after it, the lone corner is on the right.
            let (a, b) = (self.cut_point(t, (i + 2) % 3), self.cut_point(t, i));
            self.push(a, b, [labels[(i + 1) % 3], labels[i]], tag);
            return;
        }
        let cuts = [0, 1, 2].map(|i| self.cut_point(t, i));
        let center = if self.flat[t] {
            self.exact_center(t)
        } else {
            [0, 1].map(|axis| cuts.iter().map(|p| p[axis]).sum::<i64>().div_euclid(3))
        };
        for i in 0..3 {
            self.push(cuts[i], center, [labels[i], labels[(i + 1) % 3]], tag);
        }
    }

    /// A point inside a flat triangle: a quarter of the way, a whole number of units.
    fn exact_center(&self, t: usize) -> Pt {
        let p = self.scene.mesh.corner_points(t);
        let lead = (0..3).min_by_key(|&i| p[i]).unwrap_or(0);
        [0, 1].map(|axis| {
            let others = p[(lead + 1) % 3][axis] - p[lead][axis] + p[(lead + 2) % 3][axis] - p[lead][axis];
            p[lead][axis] + others / 4
        })
    }
}
