//! Walks along the chains between junctions, parts of the curve side by side.

use std::ops::Range;

use rayon::prelude::*;

use super::contract::{Chain, Folded, Link, MAX_FOLDED, NONE};
use super::raw::{End, Raw, Role};

/// Parts of the curve that are traced side by side. What they yield one after the other does not depend on
/// their number.
const PARTS: u32 = 16;

/// The chains of one part and their folded nodes, both numbered from 0; junctions have their places on the
/// curve.
pub(super) struct Traced {
    pub folded: Vec<Folded>,
    /// Cost of the edge from a folded node to the one before it.
    pub step_up: Vec<u32>,
    /// And of the way back; empty where both directions cost the same.
    pub step_down: Vec<u32>,
    pub chains: Vec<Chain>,
    /// Per chain, cost of the edge from its last node out to `b`.
    pub close_out: Vec<u32>,
    /// And of the way back; empty where both directions cost the same.
    pub close_in: Vec<u32>,
    /// Walks along the chains that join two different junctions.
    pub walks: Vec<Link>,
    /// Edges between two junctions.
    pub links: Vec<Link>,
}

impl Traced {
    pub fn with_capacity(n_folded: usize, directed: bool) -> Self {
        Self {
            folded: Vec::with_capacity(n_folded),
            step_up: Vec::with_capacity(n_folded),
            step_down: Vec::with_capacity(if directed { n_folded } else { 0 }),
            chains: Vec::new(),
            close_out: Vec::new(),
            close_in: Vec::new(),
            walks: Vec::new(),
            links: Vec::new(),
        }
    }
}

/// All chains, in the order of the first of their junctions along the curve. Chain nodes that cut a long
/// chain become junctions.
pub(super) fn trace(raw: &Raw<'_>, order: &[u32]) -> Vec<Traced> {
    let n = order.len() as u32;
    let size = n.div_ceil(PARTS);
    let mut parts: Vec<Traced> = (0..PARTS)
        .into_par_iter()
        .map(|part| {
            let nodes = (part * size).min(n)..((part + 1) * size).min(n);
            let mut tracer = Tracer::new(raw, order, nodes.clone());
            for node in nodes {
                if raw.roles.get(node) == Role::Junction {
                    tracer.trace_from(node);
                }
            }
            tracer.traced
        })
        .collect();
    // What is still untouched are rings without a junction: any of their nodes serves as one.
    let mut rings = Tracer::new(raw, order, 0..0);
    for node in 0..n {
        if raw.roles.get(node) == Role::Inner {
            raw.roles.set(node, Role::Junction);
            rings.trace_from(node);
        }
    }
    parts.push(rings.traced);
    parts
}

struct Tracer<'a> {
    raw: &'a Raw<'a>,
    order: &'a [u32],
    /// First node of the part. Chains that reach a junction before it belong to that one's part.
    first: u32,
    traced: Traced,
    /// Tree nodes still to be unfolded: the node as seen from its parent, and the parent's folded index.
    pending: Vec<(End, u32)>,
}

impl<'a> Tracer<'a> {
    fn new(raw: &'a Raw<'a>, order: &'a [u32], nodes: Range<u32>) -> Self {
        let first = nodes.start;
        let n_folded = nodes.filter(|&node| raw.roles.get(node) != Role::Junction).count();
        let traced = Traced::with_capacity(n_folded, raw.costs.is_directed());
        Self { raw, order, first, traced, pending: Vec::new() }
    }

    fn trace_from(&mut self, junction: u32) {
        self.unfold_dead_ends(junction);
        for i in 0..self.raw.degree[junction as usize] {
            let end = self.raw.end(junction, i);
            match self.raw.roles.get(end.node()) {
                Role::Inner if self.first <= self.far_end(junction, end) => self.trace_chain(junction, end),
                Role::Junction if junction < end.node() => self.link(junction, end),
                // Traced from its other end, or a cut next to its last junction.
                _ => {}
            }
        }
    }

    /// The other junction of an untraced chain. Another part may be tracing and cutting it at this moment.
    fn far_end(&self, junction: u32, first: End) -> u32 {
        let (mut previous, mut node) = (junction, first.node());
        while self.first != 0 && self.raw.roles.get(node) != Role::Junction {
            let onward = self.onward(previous, node).node();
            (previous, node) = (node, onward);
        }
        node
    }

    /// Out of a chain node, away from the one before it.
    fn onward(&self, previous: u32, node: u32) -> End {
        let leads_on = |end: &End| end.node() != previous && self.raw.roles.get(end.node()) != Role::Tree;
        self.raw.ends(node).find(leads_on).expect("a chain node has two neighbours")
    }

    /// The trees that hang at a junction, as chains without a second junction.
    fn unfold_dead_ends(&mut self, junction: u32) {
        let mut start = self.traced.folded.len();
        for i in 0..self.raw.degree[junction as usize] {
            let end = self.raw.end(junction, i);
            if self.raw.parent[end.node() as usize] != junction {
                continue;
            }
            self.unfold_tree(end, NONE);
            if self.traced.folded.len() - start >= usize::from(MAX_FOLDED) {
                self.end_chain(start, junction, NONE, NONE, None);
                start = self.traced.folded.len();
            }
        }
        if start < self.traced.folded.len() {
            self.end_chain(start, junction, NONE, NONE, None);
        }
    }

    /// From a junction along one chain to the next junction; a chain that grows too long is cut by making
    /// one of its nodes a junction.
    fn trace_chain(&mut self, junction: u32, first: End) {
        let (mut a, mut end) = (junction, first);
        let mut start = self.traced.folded.len();
        let mut before = NONE;
        let mut previous = junction;
        loop {
            let node = end.node();
            let role = self.raw.roles.get(node);
            let too_long = self.traced.folded.len() - start >= usize::from(MAX_FOLDED);
            if too_long && role == Role::Inner {
                self.raw.roles.set(node, Role::Cut);
                self.end_chain(start, a, node, before, Some(end));
                self.unfold_dead_ends(node);
                (a, start, before) = (node, self.traced.folded.len(), NONE);
            } else if role.is_junction() {
                if start < self.traced.folded.len() {
                    self.end_chain(start, a, node, before, Some(end));
                } else {
                    self.link(a, end);
                }
                return;
            } else {
                self.raw.roles.set(node, Role::Chained);
                before = self.unfold_tree(end, before);
            }
            end = self.onward(previous, node);
            previous = node;
        }
    }

    fn link(&mut self, a: u32, end: End) {
        let (there, back) = self.raw.costs.out_and_back(end);
        self.traced.links.push(Link { a, b: end.node(), there, back });
    }

    /// Appends the node that `end` leads to, then the trees that hang at it, parents first; returns the
    /// node's folded index.
    fn unfold_tree(&mut self, end: End, before: u32) -> u32 {
        let first = self.traced.folded.len() as u32;
        self.append(end, before);
        while let Some((end, before)) = self.pending.pop() {
            self.append(end, before);
        }
        first
    }

    fn append(&mut self, end: End, before: u32) {
        let index = self.traced.folded.len() as u32;
        let node = end.node();
        let walk_before = if before == NONE { 0 } else { self.traced.folded[before as usize].to_a };
        let (out, back) = self.raw.costs.out_and_back(end);
        let id = self.order[node as usize];
        self.traced.folded.push(Folded { id, to_a: walk_before.saturating_add(back), to_b: NONE, before });
        self.traced.step_up.push(back);
        if self.raw.costs.is_directed() {
            self.traced.step_down.push(out);
        }
        // A chain node has two neighbours of its own, a tree node one; any more are branches.
        let own = if self.raw.roles.get(node) == Role::Tree { 1 } else { 2 };
        if own < self.raw.degree[node as usize] {
            let branches =
                self.raw.ends(node).filter(|branch| self.raw.parent[branch.node() as usize] == node);
            self.pending.extend(branches.map(|branch| (branch, index)));
        }
    }

    /// Closes the chain that began at folded index `start`. `last` is its node next to `b`, and `closing`
    /// the edge from there to `b`.
    fn end_chain(&mut self, start: usize, a: u32, b: u32, last: u32, closing: Option<End>) {
        self.traced.chains.push(Chain { a, b, start: start as u32, last });
        let closing = closing.map(|end| self.raw.costs.out_and_back(end));
        self.traced.close_out.push(closing.map_or(NONE, |(out, _)| out));
        if self.raw.costs.is_directed() {
            self.traced.close_in.push(closing.map_or(NONE, |(_, back)| back));
        }
        let Some((out, back)) = closing else { return };
        let (mut node, mut to_b) = (last, out);
        while node != NONE {
            self.traced.folded[node as usize].to_b = to_b;
            to_b = to_b.saturating_add(self.down(node));
            node = self.traced.folded[node as usize].before;
        }
        for index in start..self.traced.folded.len() {
            let node = self.traced.folded[index];
            if node.to_b == NONE && node.before != NONE {
                let through = self.traced.folded[node.before as usize].to_b;
                self.traced.folded[index].to_b = through.saturating_add(self.traced.step_up[index]);
            }
        }
        if a != b {
            let back = back.saturating_add(self.traced.folded[last as usize].to_a);
            self.traced.walks.push(Link { a, b, there: to_b, back });
        }
    }

    fn down(&self, folded: u32) -> u32 {
        if self.raw.costs.is_directed() {
            self.traced.step_down[folded as usize]
        } else {
            self.traced.step_up[folded as usize]
        }
    }
}
