//! The least cost of every completion in a small diagram, by node and load.
//!
//! A node of the diagram of all connected sets and the load taken so far leave open how a set goes on. From the last
//! unit back, the cheapest way on from each of them is the cheaper of refusing and taking the next unit: one pass over
//! nodes times loads, exact at any prices.

use super::diagram::{Diagram, NEVER, WHOLE};
use super::piece::Piece;
use super::sweep::{Completions, FAR, Task};

/// Slots of the largest table, eight bytes each.
const MOST_SLOTS: usize = 12 << 20;

/// A table over the nodes of one diagram.
pub(super) struct Table {
    /// Per node, the loads with which beginnings reach it.
    loads: Vec<[u32; 2]>,
    /// First slot of every node, and the number of slots.
    first: Vec<u32>,
    /// Per node and load, the least cost of its completions in micrometres.
    rest: Vec<i64>,
    /// Load of all units before each layer.
    decided: Vec<u64>,
}

impl Table {
    /// A table without prices; `None` if it would be too large.
    pub(super) fn new(diagram: &Diagram, piece: &Piece, high: u64) -> Option<Self> {
        let high = u32::try_from(high).ok()?;
        let mut loads = vec![[u32::MAX, 0]; diagram.len()];
        loads[0] = [0, 0];
        let mut decided = vec![0];
        for (layer, &unit) in diagram.order.iter().enumerate() {
            let own = piece.load[unit as usize];
            decided.push(decided[layer] + own);
            for node in diagram.layer[layer]..diagram.layer[layer + 1] {
                let [least, most] = loads[node as usize];
                for (taken, more) in [(0, 0), (1, own)] {
                    let next = diagram.next[node as usize][taken];
                    if next < WHOLE && u64::from(least) + more <= u64::from(high) {
                        let more = more as u32;
                        let known = &mut loads[next as usize];
                        *known = [known[0].min(least + more), known[1].max((most + more).min(high))];
                    }
                }
            }
        }
        let mut first = Vec::with_capacity(loads.len() + 1);
        let mut slots = 0;
        for [least, most] in &loads {
            first.push(slots as u32);
            slots += if least <= most { (most - least) as usize + 1 } else { 0 };
            if MOST_SLOTS < slots {
                return None;
            }
        }
        first.push(slots as u32);
        Some(Self { loads, first, rest: Vec::new(), decided })
    }

    /// Number of slots.
    pub(super) fn len(&self) -> usize {
        self.first[self.loads.len()] as usize
    }

    /// Fills the table; returns the least cost of all regions.
    pub(super) fn fill(&mut self, diagram: &Diagram, task: Task<'_>) -> i64 {
        self.rest.resize(self.len(), FAR);
        for (layer, nodes) in diagram.layers_up() {
            let unit = diagram.order[layer] as usize;
            let own = [(0, 0), (task.piece.load[unit], task.price[unit])];
            for node in nodes {
                let range = self.first[node] as usize..self.first[node + 1] as usize;
                let Some(from) = self.loads.get(node).map(|loads| u64::from(loads[0])) else { continue };
                let (before, behind) = self.rest.split_at_mut(range.end);
                let here = &mut before[range.clone()];
                here.fill(FAR);
                for (taken, (more, gain)) in own.into_iter().enumerate() {
                    let cost = i64::from(diagram.cost[node][taken]) * 500 - gain;
                    match diagram.next[node][taken] {
                        NEVER => {}
                        WHOLE => {
                            for (load, slot) in (from + more..).zip(here.iter_mut()) {
                                *slot = (*slot).min(task.charge(load).map_or(FAR, |charge| charge + cost));
                            }
                        }
                        next => {
                            let next = next as usize;
                            let start = self.first[next] as usize + (from + more) as usize
                                - self.loads[next][0] as usize;
                            let end = self.first[next + 1] as usize;
                            let after = behind.get(start - range.end..end - range.end).unwrap_or(&[]);
                            for (slot, &rest) in here.iter_mut().zip(after) {
                                *slot = (*slot).min(rest + cost);
                            }
                        }
                    }
                }
                if diagram.is_sealed[node] {
                    for (load, slot) in (from..).zip(here.iter_mut()) {
                        if !task.may_stay(self.decided[layer] - load) {
                            *slot = FAR;
                        }
                    }
                }
            }
        }
        self.rest[0]
    }

    fn rest(&self, node: u32, load: u32) -> i64 {
        let node = node as usize;
        let slot = self.first[node] as usize + (load - self.loads[node][0]) as usize;
        if slot < self.first[node + 1] as usize { self.rest[slot] } else { FAR }
    }
}

impl Completions for Table {
    /// A node and a load.
    type At = (u32, u32);

    fn root(&self, diagram: &Diagram, at: usize) -> Option<(u32, u32)> {
        Some((diagram.layer[at], 0))
    }

    fn node(&self, (node, _): (u32, u32)) -> u32 {
        node
    }

    fn after(&self, diagram: &Diagram, task: Task<'_>, from: (usize, (u32, u32)), taken: usize) -> i64 {
        let (layer, (node, load)) = from;
        let unit = diagram.order[layer] as usize;
        let (more, gain) = if taken == 1 { (task.piece.load[unit], task.price[unit]) } else { (0, 0) };
        let cost = i64::from(diagram.cost[node as usize][taken]) * 500 - gain;
        let load = u64::from(load) + more;
        match diagram.next[node as usize][taken] {
            NEVER => FAR,
            WHOLE => task.charge(load).map_or(FAR, |charge| charge + cost),
            next => self.rest(next, load as u32).saturating_add(cost),
        }
    }

    fn next(
        &self,
        diagram: &Diagram,
        task: Task<'_>,
        (layer, (node, load)): (usize, (u32, u32)),
        taken: usize,
    ) -> Option<(u32, u32)> {
        let more = if taken == 1 { task.piece.load[diagram.order[layer] as usize] as u32 } else { 0 };
        let next = diagram.next[node as usize][taken];
        (next != WHOLE).then_some((next, load + more))
    }
}
