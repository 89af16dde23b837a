//! Who gets the open ground: sectors of triangles around each vertex take the label of the nearest plot on their side of the street.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::exact::{double_area_to_m2, length_squared};
use super::mesh::{Mesh, NONE};
use super::outlines::{Patch, longest_neighbor};
use super::scene::{OPEN, OUTSIDE, Scene};
use super::{LandParams, VoidKind};

/// Labels after division.
#[derive(Debug)]
pub(super) struct Division {
    /// Per corner (three per triangle) the unit that holds the ground around it.
    pub corner: Vec<[u32; 3]>,
    /// Per corner of open ground the vertex from which its unit reached it; the corner itself on owned ground.
    pub seed: Vec<[u32; 3]>,
    /// Per triangle: part of water that is kept whole.
    pub still: Vec<bool>,
    /// Per triangle: part of water that is shared by the banks.
    pub shared_water: Vec<bool>,
    /// The kinds of the units after the atoms.
    pub voids: Vec<VoidKind>,
}

/// Divides the open ground of a scene among `n_atoms` atoms and the voids it finds.
pub(super) fn divide(scene: &Scene, params: &LandParams, n_atoms: u32) -> Division {
    let still = still_water(scene, params);
    let mut sectors = Sectors::new(scene, &still);
    sectors.spread(&scene.mesh);
    let voids = label_voids(scene, params, &still, &mut sectors, n_atoms);
    let corner = (0..scene.mesh.n_triangles())
        .map(|t| match scene.owner[t] {
            OPEN => [0, 1, 2].map(|i| sectors.label[sectors.of_corner[3 * t + i] as usize]),
            owner => [owner; 3],
        })
        .collect();
    let seed = (0..scene.mesh.n_triangles())
        .map(|t| match scene.owner[t] {
            OPEN => [0, 1, 2].map(|i| sectors.seed[sectors.of_corner[3 * t + i] as usize]),
            _ => scene.mesh.corners[t],
        })
        .collect();
    let shared_water = (0..still.len()).map(|t| scene.wet[t] && !still[t]).collect();
    Division { corner, seed, still, shared_water, voids }
}

/// Fills what the areas of a scene leave open: slits go to the neighbor with the longest border, the rest are voids.
///
/// Returns the slits too: who got each and its area.
pub(super) fn fill(scene: &Scene, params: &LandParams, n_atoms: u32) -> (Division, Vec<(u32, f64)>) {
    let mesh = &scene.mesh;
    let mut label = scene.owner.clone();
    let mut seen = vec![false; mesh.n_triangles()];
    let (mut voids, mut slits) = (Vec::new(), Vec::new());
    for t in 0..mesh.n_triangles() as u32 {
        if scene.owner[t as usize] != OPEN || seen[t as usize] {
            continue;
        }
        let patch = Patch::collect(mesh, t, &mut seen, |t, side| {
            scene.owner[mesh.across[t as usize][side] as usize] == OPEN
        });
        let neighbor = longest_neighbor(mesh, &patch, |t| {
            if scene.owner[t as usize] < OPEN { scene.owner[t as usize] } else { NONE }
        });
        let to = if neighbor != NONE && patch.mean_width_m() < params.slit_width_m {
            slits.push((neighbor, double_area_to_m2(patch.double_area)));
            neighbor
        } else {
            voids.push(VoidKind::Block);
            n_atoms + voids.len() as u32 - 1
        };
        patch.triangles.iter().for_each(|&t| label[t as usize] = to);
    }
    let corner = label.into_iter().map(|label| [label; 3]).collect();
    let none = vec![false; mesh.n_triangles()];
    (Division { corner, seed: mesh.corners.clone(), still: none.clone(), shared_water: none, voids }, slits)
}

/// Water wide enough to be kept whole.
fn still_water(scene: &Scene, params: &LandParams) -> Vec<bool> {
    let mesh = &scene.mesh;
    let water = |t: u32| scene.wet[t as usize] && scene.owner[t as usize] == OPEN;
    let mut seen = vec![false; mesh.n_triangles()];
    let mut still = vec![false; mesh.n_triangles()];
    for t in 0..mesh.n_triangles() as u32 {
        if !water(t) || seen[t as usize] {
            continue;
        }
        let patch = Patch::collect(mesh, t, &mut seen, |t, side| water(mesh.across[t as usize][side]));
        if patch.mean_width_m() >= params.river_width_m {
            patch.triangles.iter().for_each(|&t| still[t as usize] = true);
        }
    }
    still
}

/// Runs of open triangles around each vertex that nothing separates.
struct Sectors {
    of_corner: Vec<u32>,
    vertex: Vec<u32>,
    /// Corners of all sectors, sector by sector.
    corners: Vec<u32>,
    start: Vec<u32>,
    label: Vec<u32>,
    /// The vertex the label came from.
    seed: Vec<u32>,
}

impl Sectors {
    fn new(scene: &Scene, still: &[bool]) -> Self {
        let n_corners = 3 * scene.mesh.n_triangles();
        let mut sectors = Self {
            of_corner: vec![NONE; n_corners],
            vertex: Vec::new(),
            corners: Vec::new(),
            start: Vec::new(),
            label: Vec::new(),
            seed: Vec::new(),
        };
        let fan = Fan { scene, still };
        let mut run = Vec::new();
        for corner in 0..n_corners as u32 {
            if scene.owner[corner as usize / 3] != OPEN || sectors.of_corner[corner as usize] != NONE {
                continue;
            }
            let [first, last] = fan.run(corner, &mut run);
            let at =
                if first != NONE && last != NONE && first != last { bisector(&scene.mesh, &run) } else { 0 };
            let (head, tail) = run.split_at(at);
            sectors.push(&scene.mesh, head, first);
            sectors.push(&scene.mesh, tail, if last == NONE { first } else { last });
        }
        sectors.start.push(sectors.corners.len() as u32);
        sectors
    }

    fn push(&mut self, mesh: &Mesh, run: &[u32], label: u32) {
        let Some(&first) = run.first() else { return };
        let sector = self.vertex.len() as u32;
        let vertex = mesh.corners[first as usize / 3][first as usize % 3];
        self.vertex.push(vertex);
        self.start.push(self.corners.len() as u32);
        self.label.push(label);
        self.seed.push(vertex);
        for &corner in run {
            self.of_corner[corner as usize] = sector;
            self.corners.push(corner);
        }
    }

    fn len(&self) -> usize {
        self.vertex.len()
    }

    fn corners(&self, sector: u32) -> &[u32] {
        &self.corners[self.start[sector as usize] as usize..self.start[sector as usize + 1] as usize]
    }

    /// Spreads labels from labelled sectors over the open ground, nearest seed vertex first.
    fn spread(&mut self, mesh: &Mesh) {
        let mut queue = Queue::default();
        for sector in 0..self.len() as u32 {
            if self.label[sector as usize] != NONE {
                self.push_neighbors(mesh, sector, &mut queue);
            }
        }
        self.run(mesh, queue);
    }

    fn run(&mut self, mesh: &Mesh, mut queue: Queue) {
        while let Some(Reverse((_, sector, label, seed))) = queue.0.pop() {
            if self.label[sector as usize] == NONE {
                self.label[sector as usize] = label;
                self.seed[sector as usize] = seed;
                self.push_neighbors(mesh, sector, &mut queue);
            }
        }
    }

    fn push_neighbors(&self, mesh: &Mesh, sector: u32, queue: &mut Queue) {
        for &corner in self.corners(sector) {
            let t = corner / 3 * 3;
            for other in (t..t + 3).filter(|&other| other != corner) {
                let next = self.of_corner[other as usize];
                if self.label[next as usize] == NONE {
                    queue.push(mesh, next, self, sector);
                }
            }
        }
    }
}

/// Sectors waiting for a label: (squared distance to the seed, sector, label, seed vertex).
#[derive(Default)]
struct Queue(BinaryHeap<Reverse<(u64, u32, u32, u32)>>);

impl Queue {
    fn push(&mut self, mesh: &Mesh, to: u32, sectors: &Sectors, from: u32) {
        let (label, seed) = (sectors.label[from as usize], sectors.seed[from as usize]);
        self.push_seed(mesh, to, sectors.vertex[to as usize], label, seed);
    }

    fn push_seed(&mut self, mesh: &Mesh, to: u32, at: u32, label: u32, seed: u32) {
        let distance = length_squared(mesh.points[at as usize], mesh.points[seed as usize]);
        self.0.push(Reverse((distance.to_bits(), to, label, seed)));
    }
}

/// Walks around vertices.
struct Fan<'a> {
    scene: &'a Scene,
    still: &'a [bool],
}

impl Fan<'_> {
    /// Whether labels pass from triangle `t` across `side`.
    fn passes(&self, t: u32, side: usize) -> bool {
        let n = self.scene.mesh.across[t as usize][side];
        let edge = self.scene.mesh.edge[t as usize][side];
        n != NONE
            && self.scene.owner[n as usize] == OPEN
            && self.still[n as usize] == self.still[t as usize]
            && (edge == NONE || !self.separates(t, n, edge))
    }

    /// Streets and barriers do not divide water that is kept whole.
    fn separates(&self, t: u32, n: u32, edge: u32) -> bool {
        self.scene.separates[edge as usize] && !(self.still[t as usize] && self.still[n as usize])
    }

    /// The atom whose wall closes a run at this side of `t`, or [`NONE`].
    fn seed_across(&self, t: u32, side: usize) -> u32 {
        let n = self.scene.mesh.across[t as usize][side];
        let edge = self.scene.mesh.edge[t as usize][side];
        if n == NONE || self.still[t as usize] || (edge != NONE && self.scene.separates[edge as usize]) {
            return NONE;
        }
        match self.scene.owner[n as usize] {
            OPEN | OUTSIDE => NONE,
            atom => atom,
        }
    }

    /// Collects the run of corners that holds `corner`, turning left; returns the atoms that close it at both ends.
    fn run(&self, corner: u32, run: &mut Vec<u32>) -> [u32; 2] {
        let mesh = &self.scene.mesh;
        let vertex = mesh.corners[corner as usize / 3][corner as usize % 3];
        let corner_in = |t: u32| {
            let i = (0..3).find(|&i| mesh.corners[t as usize][i] == vertex).unwrap_or(0);
            3 * t + i as u32
        };
        run.clear();
        let mut first = corner;
        while self.passes(first / 3, first as usize % 3) {
            first = corner_in(mesh.across[first as usize / 3][first as usize % 3]);
            if first == corner {
                break;
            }
        }
        let mut last = first;
        run.push(first);
        loop {
            let side = (last as usize % 3 + 2) % 3;
            if !self.passes(last / 3, side) {
                break;
            }
            last = corner_in(mesh.across[last as usize / 3][side]);
            if last == first {
                break;
            }
            run.push(last);
        }
        [
            self.seed_across(first / 3, first as usize % 3),
            self.seed_across(last / 3, (last as usize % 3 + 2) % 3),
        ]
    }
}

/// Where to split a run that two touching walls close: after the corner nearest to half of its angle.
fn bisector(mesh: &Mesh, run: &[u32]) -> usize {
    let angles: Vec<f64> = run.iter().map(|&c| corner_angle(mesh, c)).collect();
    let half = angles.iter().sum::<f64>() / 2.0;
    let (mut sum, mut best) = (0.0, (f64::INFINITY, 1));
    for (i, angle) in angles.iter().enumerate() {
        sum += angle;
        let off = (sum - half).abs();
        if off < best.0 && (i + 1 < run.len() || run.len() == 1) {
            best = (off, i + 1);
        }
    }
    best.1
}

fn corner_angle(mesh: &Mesh, corner: u32) -> f64 {
    let (t, i) = (corner as usize / 3, corner as usize % 3);
    let p = mesh.corner_points(t);
    let (o, a, b) = (p[i], p[(i + 1) % 3], p[(i + 2) % 3]);
    let (ax, ay) = ((a[0] - o[0]) as f64, (a[1] - o[1]) as f64);
    let (bx, by) = ((b[0] - o[0]) as f64, (b[1] - o[1]) as f64);
    (ax * by - ay * bx).atan2(ax * bx + ay * by).abs()
}

/// Gives ground without plots to new units, except thin strips, which continue what is across the street.
fn label_voids(
    scene: &Scene,
    params: &LandParams,
    still: &[bool],
    sectors: &mut Sectors,
    n_atoms: u32,
) -> Vec<VoidKind> {
    let mesh = &scene.mesh;
    let fan = Fan { scene, still };
    let unlabelled: Vec<bool> = (0..mesh.n_triangles())
        .map(|t| scene.owner[t] == OPEN && sectors.label[sectors.of_corner[3 * t] as usize] == NONE)
        .collect();
    let mut seen = vec![false; mesh.n_triangles()];
    let (mut voids, mut thin) = (Vec::new(), Vec::new());
    for t in 0..mesh.n_triangles() as u32 {
        if !unlabelled[t as usize] || seen[t as usize] {
            continue;
        }
        let patch = Patch::collect(mesh, t, &mut seen, |t, side| fan.passes(t, side));
        let area_m2 = double_area_to_m2(patch.double_area);
        if patch.mean_width_m() < params.void_width_m || area_m2 < params.void_area_m2 {
            thin.push(patch);
            continue;
        }
        let label = n_atoms + voids.len() as u32;
        voids.push(if still[t as usize] { VoidKind::Water } else { VoidKind::Block });
        label_patch(sectors, &patch, label);
    }
    bridge_streets(scene, sectors);
    for patch in thin {
        let sector = sectors.of_corner[3 * patch.triangles[0] as usize];
        if sectors.label[sector as usize] == NONE {
            let label = n_atoms + voids.len() as u32;
            voids.push(if still[patch.triangles[0] as usize] { VoidKind::Water } else { VoidKind::Block });
            label_patch(sectors, &patch, label);
            bridge_streets(scene, sectors);
        }
    }
    voids
}

fn label_patch(sectors: &mut Sectors, patch: &Patch, label: u32) {
    for &t in &patch.triangles {
        for corner in 3 * t..3 * t + 3 {
            let sector = sectors.of_corner[corner as usize] as usize;
            sectors.label[sector] = label;
            sectors.seed[sector] = sectors.vertex[sector];
        }
    }
}

/// Lets labels pass from one side of a street to unlabelled ground on the other, at the vertices of the street.
fn bridge_streets(scene: &Scene, sectors: &mut Sectors) {
    let mesh = &scene.mesh;
    loop {
        let mut lowest: Vec<u32> = vec![NONE; mesh.points.len()];
        for t in 0..mesh.n_triangles() {
            for i in 0..3 {
                let label = match scene.owner[t] {
                    OUTSIDE => continue,
                    OPEN => sectors.label[sectors.of_corner[3 * t + i] as usize],
                    owner => owner,
                };
                let at = &mut lowest[mesh.corners[t][i] as usize];
                *at = label.min(*at);
            }
        }
        let mut queue = Queue::default();
        for sector in 0..sectors.len() as u32 {
            let vertex = sectors.vertex[sector as usize];
            let label = lowest[vertex as usize];
            if sectors.label[sector as usize] == NONE && label != NONE {
                queue.push_seed(mesh, sector, vertex, label, vertex);
            }
        }
        if queue.0.is_empty() {
            return;
        }
        sectors.run(mesh, queue);
    }
}
