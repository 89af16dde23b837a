//! From edges to a small core: dead-end trees and chains of degree-2 nodes are folded away, exactly.
//!
//! What remains is a graph of junctions. Every other node belongs to one *chain*, which hangs between two
//! junctions `a` and `b` (or at `a` alone), and knows its walk to both. Whatever lies outside its chain it
//! reaches through them, so its walk to a station is `min(up_a + walk(a), up_b + walk(b))`; stations inside
//! the chain are handled by [`Core::local`]. Nothing is approximated.

use super::order::hilbert_order;
use super::raw::{Edges, End, Raw, Role, degrees};

/// No node, no edge, no walk.
pub(super) const NONE: u32 = u32::MAX;
/// A dead-end tree or a chain longer than this is cut by a junction, so that unfolding one that is only
/// touched stays cheap.
pub(super) const MAX_FOLDED: u8 = 48;
/// The chain of every so many folded nodes is noted, to find that of the others nearby.
const CHAIN_STEP: usize = 64;

/// One way to walk onto a junction: from `node`, at `cost`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arc {
    pub node: u32,
    pub cost: u32,
}

/// A node that is not a junction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Folded {
    /// The caller's index.
    pub id: u32,
    /// Walk to junction `a` of its chain.
    pub to_a: u32,
    /// Walk to junction `b`, [`NONE`] if there is none.
    pub to_b: u32,
    /// The folded node before it on the way to `a`; [`NONE`] if that is `a` itself.
    pub before: u32,
}

/// Folded nodes `start ..` (up to the next chain's start) between junctions `a` and `b`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chain {
    pub a: u32,
    /// [`NONE`] for dead ends.
    pub b: u32,
    pub start: u32,
    /// The folded node next to `b`.
    pub last: u32,
}

/// An edge between two junctions with nothing in between.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub a: u32,
    pub b: u32,
    pub there: u32,
    pub back: u32,
}

/// The folded network. Junctions are numbered along the Hilbert curve, folded nodes chain by chain.
#[derive(Debug)]
pub(super) struct Core {
    /// Caller's index of each junction.
    pub junction_id: Vec<u32>,
    arc_start: Vec<u32>,
    arcs: Vec<Arc>,
    pub folded: Vec<Folded>,
    /// One more than there are chains: the last one ends the last chain.
    chains: Vec<Chain>,
    chain_start: Vec<u32>,
    chains_at: Vec<u32>,
    /// Chain of every [`CHAIN_STEP`]-th folded node.
    chain_at: Vec<u32>,
    /// Place of each of the caller's nodes: a junction, or `junctions + folded index`.
    place: Vec<u32>,
    /// Cost of the edge from a folded node to the one before it, and of the way back.
    step_up: Vec<u32>,
    step_down: Vec<u32>,
    /// Per chain, cost of the edge from `b` to `last`, and of the way back.
    close_in: Vec<u32>,
    close_out: Vec<u32>,
    pub links: Vec<Link>,
}

/// Where one of the caller's nodes stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Junction(u32),
    Folded(u32),
}

/// Walks inside one chain to one of its nodes.
pub(super) struct Local {
    pub chain: u32,
    /// Walk from each folded node of the chain to the target without leaving the chain.
    pub walk: Vec<u32>,
    /// Walk from the chain's junctions to the target, [`NONE`] if there is no such way.
    pub from_a: u32,
    pub from_b: u32,
}

impl Core {
    /// Folds a checked network: indices in range, coordinates finite. O(n log n + m).
    pub fn build(x: &[f64], y: &[f64], edges: Edges<'_>) -> Self {
        let (order, degree) = rayon::join(|| hilbert_order(x, y), || degrees(x.len(), edges));
        let mut raw = Raw::build(&order, &degree, edges);
        raw.fold_trees();
        Tracer::new(raw, order).trace()
    }

    pub fn n_junctions(&self) -> usize {
        self.junction_id.len()
    }

    pub fn n_chains(&self) -> usize {
        self.chains.len() - 1
    }

    pub fn place(&self, node: u32) -> Place {
        let place = self.place[node as usize];
        let n_junctions = self.junction_id.len() as u32;
        if place < n_junctions { Place::Junction(place) } else { Place::Folded(place - n_junctions) }
    }

    /// Ways onto a junction, one per neighbour.
    pub fn arcs(&self, junction: u32) -> &[Arc] {
        let junction = junction as usize;
        &self.arcs[self.arc_start[junction] as usize..self.arc_start[junction + 1] as usize]
    }

    /// Ways onto a range of junctions.
    pub fn arcs_of(&self, junctions: std::ops::Range<u32>) -> &[Arc] {
        let start = |junction: u32| self.arc_start[junction as usize] as usize;
        &self.arcs[start(junctions.start)..start(junctions.end)]
    }

    pub fn all_arcs(&self) -> &[Arc] {
        &self.arcs
    }

    pub fn chains_at(&self, junction: u32) -> &[u32] {
        let junction = junction as usize;
        &self.chains_at[self.chain_start[junction] as usize..self.chain_start[junction + 1] as usize]
    }

    pub fn chain(&self, chain: u32) -> Chain {
        self.chains[chain as usize]
    }

    pub fn chain_nodes(&self, chain: u32) -> std::ops::Range<usize> {
        let chain = chain as usize;
        self.chains[chain].start as usize..self.chains[chain + 1].start as usize
    }

    /// Cost from a folded node to the one before it, and from there down to the node.
    pub fn step(&self, folded: u32) -> (u32, u32) {
        let folded = folded as usize;
        let up = self.step_up[folded];
        (up, self.step_down.get(folded).copied().unwrap_or(up))
    }

    /// Cost from a chain's last node out to junction `b`, and from `b` in.
    pub fn close(&self, chain: u32) -> (u32, u32) {
        let chain = chain as usize;
        let out = self.close_out[chain];
        (out, self.close_in.get(chain).copied().unwrap_or(out))
    }

    /// Visits every edge once: its two nodes in the caller's numbers, cost there and back.
    pub fn each_edge(&self, mut visit: impl FnMut(u32, u32, u32, u32)) {
        for link in &self.links {
            visit(
                self.junction_id[link.a as usize],
                self.junction_id[link.b as usize],
                link.there,
                link.back,
            );
        }
        for index in 0..self.n_chains() as u32 {
            let chain = self.chain(index);
            for folded in self.chain_nodes(index) {
                let node = self.folded[folded];
                let before = match node.before {
                    NONE => self.junction_id[chain.a as usize],
                    before => self.folded[before as usize].id,
                };
                let (up, down) = self.step(folded as u32);
                visit(node.id, before, up, down);
            }
            if chain.b != NONE {
                let (out, back) = self.close(index);
                visit(self.folded[chain.last as usize].id, self.junction_id[chain.b as usize], out, back);
            }
        }
    }

    /// Chain of a folded node.
    pub fn chain_of(&self, folded: u32) -> u32 {
        let step = folded as usize / CHAIN_STEP;
        let first = self.chain_at[step] as usize;
        let last = self.chain_at.get(step + 1).map_or(self.n_chains(), |&chain| chain as usize + 1);
        (first + self.chains[first..last].partition_point(|chain| chain.start <= folded)) as u32 - 1
    }

    /// Walks to `target`, a folded node, inside its own chain: the chain is a tree, so they are unique.
    pub fn local(&self, target: u32) -> Local {
        let chain = self.chain_of(target);
        let nodes = self.chain_nodes(chain);
        let mut walk = vec![NONE; nodes.len()];
        let mut from_a = 0;
        let mut node = target;
        loop {
            walk[node as usize - nodes.start] = from_a;
            from_a = from_a.saturating_add(self.step(node).1);
            match self.folded[node as usize].before {
                NONE => break,
                before => node = before,
            }
        }
        for node in nodes.clone() {
            let before = self.folded[node].before;
            if before != NONE {
                let through = walk[before as usize - nodes.start].saturating_add(self.step(node as u32).0);
                walk[node - nodes.start] = walk[node - nodes.start].min(through);
            }
        }
        let from_b = match self.chain(chain).b {
            NONE => NONE,
            _ => {
                let last = self.chain(chain).last as usize - nodes.start;
                walk[last].saturating_add(self.close(chain).1)
            }
        };
        Local { chain, walk, from_a, from_b }
    }
}

/// Walks along the chains and writes the core.
struct Tracer<'a> {
    raw: Raw<'a>,
    order: Vec<u32>,
    folded: Vec<Folded>,
    step_up: Vec<u32>,
    step_down: Vec<u32>,
    /// Junctions as raw indices until [`Tracer::finish`].
    chains: Vec<Chain>,
    close_in: Vec<u32>,
    close_out: Vec<u32>,
    /// Tree nodes still to be unfolded: the node as seen from its parent, and the parent's folded index.
    pending: Vec<(End, u32)>,
}

impl<'a> Tracer<'a> {
    fn new(raw: Raw<'a>, order: Vec<u32>) -> Self {
        let n_folded = raw.role.iter().filter(|&&role| role != Role::Junction).count();
        Self {
            step_up: Vec::with_capacity(n_folded),
            step_down: Vec::with_capacity(if raw.costs.is_directed() { n_folded } else { 0 }),
            folded: Vec::with_capacity(n_folded),
            chains: Vec::new(),
            close_in: Vec::new(),
            close_out: Vec::new(),
            pending: Vec::new(),
            raw,
            order,
        }
    }

    fn trace(mut self) -> Core {
        let n = self.order.len() as u32;
        for node in 0..n {
            if self.raw.role[node as usize] == Role::Junction {
                self.trace_from(node);
            }
        }
        // What is still untouched are rings without a junction: any of their nodes serves as one.
        for node in 0..n {
            if self.raw.role[node as usize] == Role::Inner {
                self.raw.role[node as usize] = Role::Junction;
                self.trace_from(node);
            }
        }
        self.finish()
    }

    fn trace_from(&mut self, junction: u32) {
        self.unfold_dead_ends(junction);
        for i in 0..self.raw.degree[junction as usize] {
            let end = self.raw.end(junction, i);
            if self.raw.role(end.node()) == Role::Inner {
                self.trace_chain(junction, end);
            }
        }
    }

    /// The trees that hang at a junction, as chains without a second junction.
    fn unfold_dead_ends(&mut self, junction: u32) {
        let mut start = self.folded.len();
        for i in 0..self.raw.degree[junction as usize] {
            let end = self.raw.end(junction, i);
            if self.raw.parent[end.node() as usize] != junction {
                continue;
            }
            self.unfold_tree(end, NONE);
            if self.folded.len() - start >= usize::from(MAX_FOLDED) {
                self.end_chain(start, junction, NONE, NONE, None);
                start = self.folded.len();
            }
        }
        if start < self.folded.len() {
            self.end_chain(start, junction, NONE, NONE, None);
        }
    }

    /// From a junction along one chain to the next junction; a chain that grows too long is cut by making
    /// one of its nodes a junction.
    fn trace_chain(&mut self, junction: u32, first: End) {
        let (mut a, mut end) = (junction, first);
        let mut start = self.folded.len();
        let mut before = NONE;
        let mut previous = junction;
        loop {
            let node = end.node();
            let too_long = self.folded.len() - start >= usize::from(MAX_FOLDED);
            if too_long && self.raw.role[node as usize] == Role::Inner {
                self.raw.role[node as usize] = Role::Cut;
                self.end_chain(start, a, node, before, Some(end));
                self.unfold_dead_ends(node);
                (a, start, before) = (node, self.folded.len(), NONE);
            } else if self.raw.role[node as usize].is_junction() {
                if start < self.folded.len() {
                    self.end_chain(start, a, node, before, Some(end));
                }
                return;
            } else {
                self.raw.role[node as usize] = Role::Chained;
                before = self.unfold_tree(end, before);
            }
            let onward = self
                .raw
                .ends(node)
                .find(|onward| onward.node() != previous && self.raw.role(onward.node()) != Role::Tree);
            end = onward.expect("a chain node has two neighbours");
            previous = node;
        }
    }

    /// Appends the node that `end` leads to, then the trees that hang at it, parents first; returns the
    /// node's folded index.
    fn unfold_tree(&mut self, end: End, before: u32) -> u32 {
        let first = self.folded.len() as u32;
        self.append(end, before);
        while let Some((end, before)) = self.pending.pop() {
            self.append(end, before);
        }
        first
    }

    fn append(&mut self, end: End, before: u32) {
        let index = self.folded.len() as u32;
        let node = end.node();
        let walk_before = if before == NONE { 0 } else { self.folded[before as usize].to_a };
        let (out, back) = self.raw.costs.out_and_back(end);
        let id = self.order[node as usize];
        self.folded.push(Folded { id, to_a: walk_before.saturating_add(back), to_b: NONE, before });
        self.step_up.push(back);
        if self.raw.costs.is_directed() {
            self.step_down.push(out);
        }
        // A chain node has two neighbours of its own, a tree node one; any more are branches.
        let own = if self.raw.role(node) == Role::Tree { 1 } else { 2 };
        if own < self.raw.degree[node as usize] {
            let branches =
                self.raw.ends(node).filter(|branch| self.raw.parent[branch.node() as usize] == node);
            self.pending.extend(branches.map(|branch| (branch, index)));
        }
    }

    /// Closes the chain that began at folded index `start`. `last` is its node next to `b`, and `closing`
    /// the edge from there to `b`.
    fn end_chain(&mut self, start: usize, a: u32, b: u32, last: u32, closing: Option<End>) {
        self.chains.push(Chain { a, b, start: start as u32, last });
        let closing = closing.map(|end| self.raw.costs.out_and_back(end));
        self.close_out.push(closing.map_or(NONE, |(out, _)| out));
        if self.raw.costs.is_directed() {
            self.close_in.push(closing.map_or(NONE, |(_, back)| back));
        }
        let Some((mut to_b, _)) = closing else { return };
        let mut node = last;
        while node != NONE {
            self.folded[node as usize].to_b = to_b;
            to_b = to_b.saturating_add(self.down(node));
            node = self.folded[node as usize].before;
        }
        for index in start..self.folded.len() {
            let node = self.folded[index];
            if node.to_b == NONE && node.before != NONE {
                let through = self.folded[node.before as usize].to_b;
                self.folded[index].to_b = through.saturating_add(self.step_up[index]);
            }
        }
    }

    fn down(&self, folded: u32) -> u32 {
        if self.raw.costs.is_directed() {
            self.step_down[folded as usize]
        } else {
            self.step_up[folded as usize]
        }
    }

    /// Numbers the junctions and lays out what leads onto them.
    fn finish(mut self) -> Core {
        let mut junction_id = Vec::new();
        let mut number = std::mem::take(&mut self.raw.parent);
        for (node, &role) in self.raw.role.iter().enumerate() {
            if role.is_junction() {
                number[node] = junction_id.len() as u32;
                junction_id.push(self.order[node]);
            }
        }
        let links = self.links(&number);
        drop(std::mem::take(&mut self.raw.ends));
        for chain in &mut self.chains {
            chain.a = number[chain.a as usize];
            chain.b = if chain.b == NONE { NONE } else { number[chain.b as usize] };
        }
        let mut place = number;
        let lay_places = || {
            for (junction, &id) in junction_id.iter().enumerate() {
                place[id as usize] = junction as u32;
            }
            for (index, node) in self.folded.iter().enumerate() {
                place[node.id as usize] = (junction_id.len() + index) as u32;
            }
        };
        let lay_arcs = || {
            let (arc_start, arcs) = self.arcs(junction_id.len(), &links);
            let (chain_start, chains_at) = chains_at(junction_id.len(), &self.chains);
            (arc_start, arcs, chain_start, chains_at)
        };
        let ((), (arc_start, arcs, chain_start, chains_at)) = rayon::join(lay_places, lay_arcs);
        let chain_at = chain_of_every(CHAIN_STEP, &self.chains, self.folded.len());
        self.chains.push(Chain { a: NONE, b: NONE, start: self.folded.len() as u32, last: NONE });
        self.folded.shrink_to_fit();
        Core {
            junction_id,
            arc_start,
            arcs,
            folded: self.folded,
            chains: self.chains,
            chain_start,
            chains_at,
            chain_at,
            place,
            step_up: self.step_up,
            step_down: self.step_down,
            close_in: self.close_in,
            close_out: self.close_out,
            links,
        }
    }

    fn links(&self, number: &[u32]) -> Vec<Link> {
        let mut links = Vec::new();
        for node in 0..self.order.len() as u32 {
            if !self.raw.role[node as usize].is_junction() {
                continue;
            }
            for end in self.raw.ends(node) {
                if node < end.node() && self.raw.role(end.node()).is_junction() {
                    let (a, b) = (number[node as usize], number[end.node() as usize]);
                    let (there, back) = self.raw.costs.out_and_back(end);
                    links.push(Link { a, b, there, back });
                }
            }
        }
        links
    }

    /// Walks between neighbouring junctions, grouped by the junction walked to, the cheapest for each pair.
    fn arcs(&self, n_junctions: usize, links: &[Link]) -> (Vec<u32>, Vec<Arc>) {
        let along_chains =
            self.chains.iter().enumerate().filter(|(_, chain)| chain.b != NONE && chain.a != chain.b);
        let along_chains = along_chains.map(|(index, chain)| {
            let there = self.folded[chain.start as usize].to_b.saturating_add(self.down(chain.start));
            let close_in = self.close_in.get(index).unwrap_or(&self.close_out[index]);
            let back = close_in.saturating_add(self.folded[chain.last as usize].to_a);
            Link { a: chain.a, b: chain.b, there, back }
        });
        let all: Vec<Link> = links.iter().copied().chain(along_chains).collect();
        let mut start = vec![0_u32; n_junctions + 1];
        for link in &all {
            start[link.a as usize] += 1;
            start[link.b as usize] += 1;
        }
        let mut before = 0;
        for slot in &mut start {
            before += *slot;
            *slot = before;
        }
        let mut arcs = vec![Arc { node: NONE, cost: NONE }; before as usize];
        let mut put = |junction: u32, arc| {
            let slot = &mut start[junction as usize];
            *slot -= 1;
            arcs[*slot as usize] = arc;
        };
        for link in all.iter().rev() {
            put(link.a, Arc { node: link.b, cost: link.back });
            put(link.b, Arc { node: link.a, cost: link.there });
        }
        keep_cheapest(start, arcs)
    }
}

/// Drops walks that nobody can take and, of several from one neighbour, all but the cheapest.
fn keep_cheapest(mut start: Vec<u32>, mut arcs: Vec<Arc>) -> (Vec<u32>, Vec<Arc>) {
    let mut kept = 0;
    for junction in 0..start.len() - 1 {
        let (from, to) = (start[junction] as usize, start[junction + 1] as usize);
        start[junction] = kept as u32;
        arcs[from..to].sort_unstable_by_key(|arc| (arc.node, arc.cost));
        let mut previous = NONE;
        for i in from..to {
            let arc = arcs[i];
            if arc.cost != NONE && arc.node != previous {
                arcs[kept] = arc;
                kept += 1;
                previous = arc.node;
            }
        }
    }
    *start.last_mut().expect("one more than junctions") = kept as u32;
    arcs.truncate(kept);
    arcs.shrink_to_fit();
    (start, arcs)
}

/// The chains that end at each junction; a loop counts once.
fn chains_at(n_junctions: usize, chains: &[Chain]) -> (Vec<u32>, Vec<u32>) {
    let ends = |chain: &Chain| [Some(chain.a), Some(chain.b).filter(|&b| b != NONE && b != chain.a)];
    let mut start = vec![0_u32; n_junctions + 1];
    for junction in chains.iter().flat_map(|chain| ends(chain).into_iter().flatten()) {
        start[junction as usize] += 1;
    }
    let mut before = 0;
    for slot in &mut start {
        before += *slot;
        *slot = before;
    }
    let mut at = vec![0; before as usize];
    for (index, chain) in chains.iter().enumerate().rev() {
        for junction in ends(chain).into_iter().flatten() {
            start[junction as usize] -= 1;
            at[start[junction as usize] as usize] = index as u32;
        }
    }
    (start, at)
}

/// The chain of folded nodes 0, `step`, 2 · `step` and so on.
fn chain_of_every(step: usize, chains: &[Chain], n_folded: usize) -> Vec<u32> {
    let mut chain = 0;
    let of = |folded: usize| {
        while chains.get(chain + 1).is_some_and(|next| next.start as usize <= folded) {
            chain += 1;
        }
        chain as u32
    };
    (0..n_folded).step_by(step).map(of).collect()
}
