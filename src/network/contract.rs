//! From edges to a small core: dead-end trees and chains of degree-2 nodes are folded away, exactly.
//!
//! What remains is a graph of junctions. Every other node belongs to one *chain*, which hangs between two
//! junctions `a` and `b` (or at `a` alone), and knows its walk to both. Whatever lies outside its chain it
//! reaches through them, so its walk to a station is `min(up_a + walk(a), up_b + walk(b))`; stations inside
//! the chain are handled by [`Core::local`]. Nothing is approximated.

use super::order::hilbert_order;
use super::raw::{Edges, Raw, degrees};
use super::trace::{Traced, trace};

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
        let traced = trace(&raw, &order);
        lay_out(raw, &order, traced)
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

/// Numbers the junctions and lays out the chains and what leads onto each junction.
fn lay_out(mut raw: Raw<'_>, order: &[u32], mut traced: Vec<Traced>) -> Core {
    let mut junction_id = Vec::new();
    let mut number = std::mem::take(&mut raw.parent);
    for node in 0..order.len() as u32 {
        if raw.roles.get(node).is_junction() {
            number[node as usize] = junction_id.len() as u32;
            junction_id.push(order[node as usize]);
        }
    }
    drop(raw);
    let (links, walks): (Vec<_>, Vec<_>) = traced
        .iter_mut()
        .map(|part| (std::mem::take(&mut part.links), std::mem::take(&mut part.walks)))
        .unzip();
    let numbered = |link: &Link| Link { a: number[link.a as usize], b: number[link.b as usize], ..*link };
    let lay_arcs = || {
        let mut all: Vec<Link> = links.iter().chain(&walks).flatten().map(numbered).collect();
        let arcs = arcs(junction_id.len(), &all);
        all.truncate(links.iter().map(Vec::len).sum());
        all.shrink_to_fit();
        (all, arcs)
    };
    let lay_chains = || {
        let (all, place) = join_parts(traced, &number, &junction_id);
        let at = chains_at(junction_id.len(), &all.chains);
        (all, place, at)
    };
    let ((links, (arc_start, arcs)), (mut all, place, (chain_start, chains_at))) =
        rayon::join(lay_arcs, lay_chains);
    let chain_at = chain_of_every(CHAIN_STEP, &all.chains, all.folded.len());
    all.chains.push(Chain { a: NONE, b: NONE, start: all.folded.len() as u32, last: NONE });
    Core {
        junction_id,
        arc_start,
        arcs,
        folded: all.folded,
        chains: all.chains,
        chain_start,
        chains_at,
        chain_at,
        place,
        step_up: all.step_up,
        step_down: all.step_down,
        close_in: all.close_in,
        close_out: all.close_out,
        links,
    }
}

/// The parts one after the other, their junctions numbered, and the place of each of the caller's nodes.
fn join_parts(parts: Vec<Traced>, number: &[u32], junction_id: &[u32]) -> (Traced, Vec<u32>) {
    let mut place = vec![0; number.len()];
    for (junction, &id) in junction_id.iter().enumerate() {
        place[id as usize] = junction as u32;
    }
    let n_folded = number.len() - junction_id.len();
    let directed = parts.iter().any(|part| !part.step_down.is_empty());
    let mut all = Traced::with_capacity(n_folded, directed);
    for mut part in parts {
        let offset = all.folded.len() as u32;
        let shifted = |folded: u32| if folded == NONE { NONE } else { folded + offset };
        for (index, node) in part.folded.iter().enumerate() {
            place[node.id as usize] = (junction_id.len() + index) as u32 + offset;
            all.folded.push(Folded { before: shifted(node.before), ..*node });
        }
        all.chains.extend(part.chains.iter().map(|chain| Chain {
            a: number[chain.a as usize],
            b: if chain.b == NONE { NONE } else { number[chain.b as usize] },
            start: chain.start + offset,
            last: shifted(chain.last),
        }));
        all.step_up.append(&mut part.step_up);
        all.step_down.append(&mut part.step_down);
        all.close_in.append(&mut part.close_in);
        all.close_out.append(&mut part.close_out);
    }
    (all, place)
}

/// Walks between neighbouring junctions, by edge and by chain, grouped by the junction walked to, the
/// cheapest for each pair.
fn arcs(n_junctions: usize, links: &[Link]) -> (Vec<u32>, Vec<Arc>) {
    let mut start = vec![0_u32; n_junctions + 1];
    for link in links {
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
    for link in links.iter().rev() {
        put(link.a, Arc { node: link.b, cost: link.back });
        put(link.b, Arc { node: link.a, cost: link.there });
    }
    keep_cheapest(start, arcs)
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
