//! Towns to divide in tests, and the slow ways to look at them.

#![allow(dead_code, reason = "every test file uses what it needs")]

use std::ops::ControlFlow;

use gridplan::partition::{Effort, GridSize, PartitionAnswer, PartitionParams, PartitionProblem, partition};
use proptest::prelude::*;

pub const SIZE: GridSize = GridSize { low: 270, target: 300, high: 330 };

/// Edges of a lattice of nine atoms.
pub const LATTICE: [(u32, u32); 12] =
    [(0, 1), (1, 2), (3, 4), (4, 5), (6, 7), (7, 8), (0, 3), (1, 4), (2, 5), (3, 6), (4, 7), (5, 8)];

/// A random town: a lattice with missing edges, some compounds, one or more communities.
#[derive(Clone, Debug)]
pub struct Town {
    pub households: Vec<u32>,
    pub edges: Vec<(u32, u32)>,
    pub length: Vec<f64>,
    pub community: Vec<u32>,
    pub compound: Vec<i32>,
}

impl Town {
    pub fn problem<'a>(&'a self, ends: &'a (Vec<u32>, Vec<u32>)) -> PartitionProblem<'a> {
        PartitionProblem {
            households: &self.households,
            edge_from: &ends.0,
            edge_to: &ends.1,
            edge_length: &self.length,
            community: Some(&self.community),
            compound: Some(&self.compound),
            ..PartitionProblem::default()
        }
    }

    pub fn ends(&self) -> (Vec<u32>, Vec<u32>) {
        self.edges.iter().copied().unzip()
    }
}

pub fn town(max_side: u32) -> impl Strategy<Value = Town> {
    (1..=max_side, 1..=max_side).prop_flat_map(|(w, h)| {
        let n = (w * h) as usize;
        let mut all = Vec::new();
        for y in 0..h {
            for x in 0..w {
                if x + 1 < w {
                    all.push((y * w + x, y * w + x + 1));
                }
                if y + 1 < h {
                    all.push((y * w + x, (y + 1) * w + x));
                }
            }
        }
        let m = all.len();
        let households = prop::collection::vec(prop_oneof![Just(0u32), 1..120u32, 100..400u32], n);
        let kept = prop::collection::vec(prop::bool::weighted(0.9), m);
        let length = prop::collection::vec(1..80u32, m);
        let communities = 1..=3u32;
        let compound = prop::collection::vec(-1..4i32, n);
        (households, kept, length, communities, compound).prop_map(
            move |(households, kept, length, c, compound)| {
                let edges: Vec<(u32, u32)> =
                    all.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(e, _)| *e).collect();
                let length = length[..edges.len()].iter().map(|&l| f64::from(l)).collect();
                let community = (0..n as u32).map(|i| i * c / n as u32).collect();
                Town { households, edges, length, community, compound }
            },
        )
    })
}

pub fn divide(problem: &PartitionProblem<'_>, effort: Effort, seed: u64) -> PartitionAnswer {
    let params = PartitionParams { sizes: vec![SIZE], effort, seed };
    partition(problem, &params, &|_| ControlFlow::Continue(())).unwrap()
}

/// Label of the connected component of each atom under some edges.
pub fn components(n: usize, edges: impl Iterator<Item = (u32, u32)>) -> Vec<usize> {
    let mut label: Vec<usize> = (0..n).collect();
    let edges: Vec<(u32, u32)> = edges.collect();
    loop {
        let mut changed = false;
        for &(a, b) in &edges {
            let least = label[a as usize].min(label[b as usize]);
            changed |= label[a as usize] != least || label[b as usize] != least;
            label[a as usize] = least;
            label[b as usize] = least;
        }
        if !changed {
            return label;
        }
    }
}

/// Calls `judge` with every way to put `n` atoms into exactly `k` grids.
pub fn every_labelling(n: usize, k: usize, judge: &mut dyn FnMut(&[usize])) {
    fn assign(at: usize, used: usize, labels: &mut Vec<usize>, k: usize, judge: &mut dyn FnMut(&[usize])) {
        if at == labels.len() {
            if used == k {
                judge(labels);
            }
            return;
        }
        for g in 0..(used + 1).min(k) {
            labels[at] = g;
            assign(at + 1, used.max(g + 1), labels, k, judge);
        }
    }
    assign(0, 0, &mut vec![0; n], k, judge);
}

/// A street of `n` buildings of `load` households, 20 m of boundary between neighbours.
pub struct Street {
    pub households: Vec<u32>,
    pub from: Vec<u32>,
    pub to: Vec<u32>,
    pub length: Vec<f64>,
}

impl Street {
    pub fn new(households: Vec<u32>) -> Self {
        let n = households.len() as u32;
        Self {
            households,
            from: (1..n).map(|i| i - 1).collect(),
            to: (1..n).collect(),
            length: vec![20.0; n as usize - 1],
        }
    }

    pub fn problem(&self) -> PartitionProblem<'_> {
        PartitionProblem {
            households: &self.households,
            edge_from: &self.from,
            edge_to: &self.to,
            edge_length: &self.length,
            ..PartitionProblem::default()
        }
    }
}
