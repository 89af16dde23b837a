//! Cuts triangles whose corners belong to different units, and emits every stretch that has different units left and right.

use super::exact::Pt;
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
    pub tag: Tag,
}

/// All stretches between different units, and between units and the outside.
pub(super) fn cut(scene: &Scene, division: &Division) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for t in 0..scene.mesh.n_triangles() {
        cut_sides(scene, division, t, &mut pieces);
        cut_inside(scene, division, t, &mut pieces);
    }
    pieces
}

fn middle(a: Pt, b: Pt) -> Pt {
    [a[0] + (b[0] - a[0]) / 2, a[1] + (b[1] - a[1]) / 2]
}

/// Stretches along the sides of `t`, each side once.
fn cut_sides(scene: &Scene, division: &Division, t: usize, pieces: &mut Vec<Piece>) {
    let mesh = &scene.mesh;
    for side in 0..3 {
        let n = mesh.across[t][side];
        if n != NONE && (n as usize) < t {
            continue;
        }
        let (from, to) = (side, (side + 1) % 3);
        let vertices = [mesh.corners[t][from], mesh.corners[t][to]];
        let left = [division.corner[t][from], division.corner[t][to]];
        let right = vertices.map(|v| label_at(scene, division, n, v));
        if left == right {
            continue;
        }
        let [a, b] = vertices.map(|v| mesh.points[v as usize]);
        let tag = side_tag(scene, division, t, n, side);
        let mut emit = |a, b, left, right| {
            if left != right {
                pieces.push(Piece { a, b, left, right, tag });
            }
        };
        if left[0] == left[1] && right[0] == right[1] {
            emit(a, b, left[0], right[0]);
        } else {
            let m = middle(a, b);
            emit(a, m, left[0], right[0]);
            emit(m, b, left[1], right[1]);
        }
    }
}

fn label_at(scene: &Scene, division: &Division, t: u32, vertex: u32) -> u32 {
    if t == NONE {
        return OUTSIDE;
    }
    let corner = scene.mesh.corners[t as usize].iter().position(|&v| v == vertex);
    corner.map_or(OUTSIDE, |i| division.corner[t as usize][i])
}

fn side_tag(scene: &Scene, division: &Division, t: usize, n: u32, side: usize) -> Tag {
    let edge = scene.mesh.edge[t][side];
    let n_in_water = n != NONE && division.shared_water[n as usize];
    if edge == NONE {
        return if division.shared_water[t] && n_in_water { Tag::WET_CUT } else { Tag::CUT };
    }
    scene.tags[edge as usize]
}

/// Stretches inside a triangle with two or three labels.
fn cut_inside(scene: &Scene, division: &Division, t: usize, pieces: &mut Vec<Piece>) {
    let labels = division.corner[t];
    if labels[0] == labels[1] && labels[1] == labels[2] {
        return;
    }
    let p = scene.mesh.corner_points(t);
    let tag = if division.shared_water[t] { Tag::WET_CUT } else { Tag::CUT };
    let middles = [0, 1, 2].map(|i| middle(p[i], p[(i + 1) % 3]));
    let alone = (0..3).find(|&i| labels[(i + 1) % 3] == labels[(i + 2) % 3]);
    if let Some(i) = alone {
        // From the side before the lone corner to the side after it, the lone corner is on the right.
        let (a, b) = (middles[(i + 2) % 3], middles[i]);
        pieces.push(Piece { a, b, left: labels[(i + 1) % 3], right: labels[i], tag });
        return;
    }
    let lead = (0..3).min_by_key(|&i| p[i]).unwrap_or(0);
    let center = [0, 1].map(|axis| {
        let others = p[(lead + 1) % 3][axis] - p[lead][axis] + p[(lead + 2) % 3][axis] - p[lead][axis];
        p[lead][axis] + others / 4
    });
    for i in 0..3 {
        pieces.push(Piece { a: middles[i], b: center, left: labels[i], right: labels[(i + 1) % 3], tag });
    }
}
