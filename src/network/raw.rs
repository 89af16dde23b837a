//! The network before folding: nodes along the curve, edges at each node, parallel edges made one.

use std::sync::atomic::{AtomicU8, Ordering};

use rayon::prelude::*;

use super::contract::{MAX_FOLDED, NONE};

/// Edges as the caller lists them. `back` is empty when both directions cost the same.
#[derive(Clone, Copy)]
pub(super) struct Edges<'a> {
    pub from: &'a [u32],
    pub to: &'a [u32],
    pub there: &'a [u32],
    pub back: &'a [u32],
}

impl Edges<'_> {
    /// Whether an edge is no loop and somebody can walk it.
    pub fn counts(self, edge: usize) -> bool {
        let passable = self.there[edge] != NONE || self.back.get(edge).is_some_and(|&back| back != NONE);
        passable && self.from[edge] != self.to[edge]
    }
}

/// What the folding has decided about a node.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Role {
    /// On a chain, or not yet decided.
    Inner = 0,
    /// On a chain that has been traced.
    Chained,
    /// In a dead-end tree.
    Tree,
    Junction,
    /// A chain node made a junction because its chain grew too long.
    Cut,
}

impl Role {
    pub fn is_junction(self) -> bool {
        matches!(self, Self::Junction | Self::Cut)
    }
}

/// The role of every node. Parts of the network are traced side by side, each writing to chains of its own;
/// a role read while another part writes it is one that both parts agree to leave alone.
pub(super) struct Roles(Vec<AtomicU8>);

impl Roles {
    fn all_inner(n: usize) -> Self {
        Self((0..n).map(|_| AtomicU8::new(Role::Inner as u8)).collect())
    }

    pub fn get(&self, node: u32) -> Role {
        const ROLES: [Role; 5] = [Role::Inner, Role::Chained, Role::Tree, Role::Junction, Role::Cut];
        ROLES[usize::from(self.0[node as usize].load(Ordering::Relaxed))]
    }

    pub fn set(&self, node: u32, role: Role) {
        self.0[node as usize].store(role as u8, Ordering::Relaxed);
    }
}

/// One end of an edge in the network before folding: the neighbour, and where the costs stand. Packed, so
/// that the largest array of the preparation is small and starts as zeroed pages.
#[derive(Clone, Copy, Default)]
pub(super) struct End(u64);

impl End {
    fn new(node: u32, edge: u32) -> Self {
        Self(u64::from(node) << 32 | u64::from(edge))
    }

    pub fn node(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Twice the edge, plus one where the edge is left against its direction. From twice the number of edges
    /// on: entries of [`Costs::merged`].
    pub fn edge(self) -> u32 {
        self.0 as u32
    }
}

/// Costs of the edges.
pub(super) struct Costs<'a> {
    edges: Edges<'a>,
    /// Parallel edges made one: cost of leaving, and of coming back.
    merged: Vec<(u32, u32)>,
}

impl Costs<'_> {
    pub fn is_directed(&self) -> bool {
        !self.edges.back.is_empty()
    }

    /// Cost of leaving through an end, and of coming back in.
    pub fn out_and_back(&self, end: End) -> (u32, u32) {
        let edge = end.edge() as usize / 2;
        if self.edges.there.len() <= edge {
            return self.merged[end.edge() as usize - 2 * self.edges.there.len()];
        }
        let there = self.edges.there[edge];
        let back = self.edges.back.get(edge).copied().unwrap_or(there);
        if end.edge().is_multiple_of(2) { (there, back) } else { (back, there) }
    }
}

/// Edges at each of the caller's nodes.
pub(super) fn degrees(n: usize, edges: Edges<'_>) -> Vec<u32> {
    let mut degree = vec![0; n];
    for edge in (0..edges.from.len()).filter(|&edge| edges.counts(edge)) {
        degree[edges.from[edge] as usize] += 1;
        degree[edges.to[edge] as usize] += 1;
    }
    degree
}

/// The network before folding, nodes numbered along the curve.
pub(super) struct Raw<'a> {
    start: Vec<u32>,
    /// Neighbours of `node` are `ends[start[node] ..][.. degree[node]]`.
    pub degree: Vec<u32>,
    pub ends: Vec<u64>,
    pub costs: Costs<'a>,
    pub roles: Roles,
    pub parent: Vec<u32>,
}

impl<'a> Raw<'a> {
    /// `degree`: see [`degrees`].
    pub fn build(order: &[u32], degree: &[u32], edges: Edges<'a>) -> Self {
        let n = order.len();
        let mut rank = vec![0; n];
        for (place, &node) in order.iter().enumerate() {
            rank[node as usize] = place as u32;
        }
        let mut before = 0;
        let end = |&node: &u32| {
            before += degree[node as usize];
            before
        };
        let mut start: Vec<u32> = order.iter().map(end).collect();
        start.push(before);
        let mut ends = vec![0_u64; before as usize];
        // Filled from each node's end downwards, so that `start` is right when all are in.
        for edge in (0..edges.from.len()).rev().filter(|&edge| edges.counts(edge)) {
            let (from, to) = (rank[edges.from[edge] as usize], rank[edges.to[edge] as usize]);
            let name = 2 * edge as u32;
            start[from as usize] -= 1;
            ends[start[from as usize] as usize] = End::new(to, name).0;
            start[to as usize] -= 1;
            ends[start[to as usize] as usize] = End::new(from, name + 1).0;
        }
        let mut raw = Self {
            degree: start.windows(2).map(|pair| pair[1] - pair[0]).collect(),
            start,
            ends,
            costs: Costs { edges, merged: Vec::new() },
            roles: Roles::all_inner(n),
            parent: Vec::new(),
        };
        raw.merge_parallel_edges();
        raw
    }

    pub fn ends(&self, node: u32) -> impl Iterator<Item = End> + '_ {
        let start = self.start[node as usize] as usize;
        self.ends[start..start + self.degree[node as usize] as usize].iter().map(|&end| End(end))
    }

    pub fn end(&self, node: u32, index: u32) -> End {
        End(self.ends[(self.start[node as usize] + index) as usize])
    }

    /// Of several edges between two nodes the cheapest counts, each direction for itself.
    fn merge_parallel_edges(&mut self) {
        let with_repeats: Vec<u32> =
            (0..self.degree.len() as u32).into_par_iter().filter(|&node| self.may_repeat(node)).collect();
        let neighbour = |end: u64| End(end).node();
        for node in with_repeats {
            let start = self.start[node as usize] as usize;
            let ends = &mut self.ends[start..start + self.degree[node as usize] as usize];
            ends.sort_unstable();
            let mut kept = 0;
            for i in 1..ends.len() {
                if neighbour(ends[i]) != neighbour(ends[kept]) {
                    kept += 1;
                    ends[kept] = ends[i];
                    continue;
                }
                let (one, other) =
                    (self.costs.out_and_back(End(ends[kept])), self.costs.out_and_back(End(ends[i])));
                let name = 2 * self.costs.edges.there.len() + self.costs.merged.len();
                self.costs.merged.push((one.0.min(other.0), one.1.min(other.1)));
                ends[kept] = End::new(neighbour(ends[i]), name as u32).0;
            }
            self.degree[node as usize] = kept as u32 + 1;
        }
    }

    /// Whether two edges lead to the same neighbour; of more than eight nobody counts.
    fn may_repeat(&self, node: u32) -> bool {
        let start = self.start[node as usize] as usize;
        let ends = &self.ends[start..start + self.degree[node as usize] as usize];
        let neighbour = |end: u64| End(end).node();
        match ends.len() {
            0 | 1 => false,
            2 => neighbour(ends[0]) == neighbour(ends[1]),
            3..=8 => {
                (1..ends.len()).any(|i| ends[..i].iter().any(|&end| neighbour(end) == neighbour(ends[i])))
            }
            _ => true,
        }
    }

    /// Peels dead ends, leaf by leaf, into trees of at most [`MAX_FOLDED`] nodes, then marks what has not
    /// exactly two neighbours left.
    pub fn fold_trees(&mut self) {
        let n = self.degree.len();
        self.parent = vec![NONE; n];
        let mut left = self.degree.clone();
        let mut size = vec![1_u8; n];
        for first in 0..n as u32 {
            let mut leaf = first;
            while left[leaf as usize] == 1
                && self.roles.get(leaf) == Role::Inner
                && size[leaf as usize] < MAX_FOLDED
            {
                self.roles.set(leaf, Role::Tree);
                let remaining = self.ends(leaf).find(|end| self.roles.get(end.node()) == Role::Inner);
                let parent = remaining.expect("a leaf has one neighbour left").node();
                self.parent[leaf as usize] = parent;
                left[parent as usize] -= 1;
                size[parent as usize] = size[parent as usize].saturating_add(size[leaf as usize]);
                leaf = parent;
            }
        }
        for (node, left) in left.into_iter().enumerate() {
            if left != 2 && self.roles.get(node as u32) == Role::Inner {
                self.roles.set(node as u32, Role::Junction);
            }
        }
    }
}
