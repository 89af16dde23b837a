//! Questions on arrays: nearest station, nodes within a limit, counts.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use rayon::prelude::*;

use super::NetworkError;
use super::contract::{Core, Edges, Local, NONE, Place};
use super::search::{BucketWidth, Label, Owned, Search};

/// Cost of a node that no station reaches.
pub const UNREACHED: u32 = u32::MAX;

/// A walk network of nodes and edges with whole costs (millimetres or milliseconds), ready for many
/// questions.
///
/// Nodes are named by their index in the caller's arrays, stations are nodes. Costs may differ by
/// direction; every answer is the walk **from the node to the station**. Limits are inclusive. Answers are
/// exact and do not depend on the number of threads; of stations at equal cost the lowest index wins.
///
/// Preparation folds away dead ends and chains of degree-2 nodes ([`contract`](super::contract)) and costs
/// O(n log n + m). A search then visits junctions only.
#[derive(Debug)]
pub struct WalkNetwork {
    pub(super) core: Core,
    width: BucketWidth,
    n: usize,
}

/// For each node its nearest station.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nearest {
    /// Cost of the walk from the node, [`UNREACHED`] if no station lies within the limit.
    pub cost: Vec<u32>,
    /// Index into the stations asked for, −1 if none.
    pub station: Vec<i32>,
}

/// For each station the nodes within a limit: row `s` is `offsets[s] .. offsets[s + 1]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Within {
    /// One more than there are stations.
    pub offsets: Vec<u64>,
    /// Nodes, ascending within a row.
    pub node: Vec<u32>,
    /// Cost of the walk from the node to the station.
    pub cost: Vec<u32>,
}

impl WalkNetwork {
    /// Prepares a network.
    ///
    /// - `x`, `y`: metres on a plane, finite; they order memory and draw circles, costs alone decide walks.
    /// - `edge_cost`: cost of walking from `edge_from` to `edge_to`; `edge_back_cost` of walking back,
    ///   the same if `None`. [`u32::MAX`] means that nobody can walk that way. Loops are ignored; of
    ///   parallel edges the cheapest counts in each direction.
    ///
    /// ```
    /// // Three nodes in a row, 100 m and 50 m apart.
    /// let net = gridplan::network::WalkNetwork::new(
    ///     &[0.0, 100.0, 150.0], &[0.0; 3], &[0, 1], &[1, 2], &[100_000, 50_000], None)?;
    /// assert_eq!(net.nearest(&[2], None)?.cost, [150_000, 50_000, 0]);
    /// # Ok::<(), gridplan::network::NetworkError>(())
    /// ```
    ///
    /// # Errors
    /// Arrays of different length, an end node out of range, a coordinate that is not finite.
    pub fn new(
        x: &[f64],
        y: &[f64],
        edge_from: &[u32],
        edge_to: &[u32],
        edge_cost: &[u32],
        edge_back_cost: Option<&[u32]>,
    ) -> Result<Self, NetworkError> {
        let edges =
            Edges { from: edge_from, to: edge_to, there: edge_cost, back: edge_back_cost.unwrap_or(&[]) };
        check(x, y, edges, edge_back_cost.is_some())?;
        let core = Core::build(x, y, edges);
        Ok(Self { width: BucketWidth::for_core(&core), core, n: x.len() })
    }

    /// Number of nodes.
    #[must_use]
    pub fn n_nodes(&self) -> usize {
        self.n
    }

    /// The nearest of `stations` for every node, no farther than `limit` (`None`: however far).
    ///
    /// O(junctions + nodes), with about 30 ns a node.
    ///
    /// # Errors
    /// A station that is no node.
    pub fn nearest(&self, stations: &[u32], limit: Option<u32>) -> Result<Nearest, NetworkError> {
        self.check_stations(stations)?;
        Ok(self.nearest_of(&Sources::nodes(stations), limit))
    }

    /// [`Self::nearest`] for stations that lie beside several nodes.
    pub(super) fn nearest_of(&self, sources: &Sources, limit: Option<u32>) -> Nearest {
        let limit = limit.unwrap_or(NONE).min(NONE - 1);
        let core = &self.core;
        let mut search = Search::<Owned>::new(core, self.width);
        let mut locals = Vec::new();
        for index in 0..sources.len() as u32 {
            for &(node, cost) in sources.seeds(index) {
                let at = Owned::new(cost, index);
                match core.place(node) {
                    Place::Junction(junction) => search.seed(junction, at, limit),
                    Place::Folded(folded) => {
                        let local = core.local(folded);
                        let chain = core.chain(local.chain);
                        search.seed_end(chain.a, at.farther_or_unreached(local.from_a), limit);
                        search.seed_end(chain.b, at.farther_or_unreached(local.from_b), limit);
                        locals.push((at, local));
                    }
                }
            }
        }
        search.run(core, limit);
        self.unfold_nearest(&search, &locals, limit)
    }

    /// Labels of all nodes from those of the junctions.
    fn unfold_nearest(&self, search: &Search<Owned>, locals: &[(Owned, Local)], limit: u32) -> Nearest {
        const PART: usize = 4096;
        let core = &self.core;
        let cost: Vec<AtomicU32> = (0..self.n).into_par_iter().map(|_| AtomicU32::new(NONE)).collect();
        let station: Vec<AtomicU32> = (0..self.n).into_par_iter().map(|_| AtomicU32::new(NONE)).collect();
        // Each node is written by exactly one junction or chain, so relaxed stores cannot race.
        let write = |id: u32, label: Owned| {
            if label.cost() <= limit {
                cost[id as usize].store(label.cost(), Ordering::Relaxed);
                station[id as usize].store(label.station(), Ordering::Relaxed);
            }
        };
        (0..core.n_junctions().div_ceil(PART)).into_par_iter().for_each(|part| {
            let end = core.n_junctions().min((part + 1) * PART);
            for junction in part * PART..end {
                write(core.junction_id[junction], search.label(junction as u32));
            }
        });
        (0..core.n_chains().div_ceil(PART)).into_par_iter().for_each(|part| {
            let end = core.n_chains().min((part + 1) * PART);
            for index in part * PART..end {
                let chain = core.chain(index as u32);
                let (at_a, at_b) = (search.label(chain.a), search.label_or_unreached(chain.b));
                for node in &core.folded[core.chain_nodes(index as u32)] {
                    let by_a = at_a.farther_or_unreached(node.to_a);
                    let by_b = at_b.farther_or_unreached(node.to_b);
                    write(node.id, by_a.min(by_b));
                }
            }
        });
        for (at, local) in locals {
            for (node, &walk) in core.folded[core.chain_nodes(local.chain)].iter().zip(&local.walk) {
                let id = node.id as usize;
                let known = Owned::new(cost[id].load(Ordering::Relaxed), station[id].load(Ordering::Relaxed));
                let direct = at.farther_or_unreached(walk);
                if direct < known {
                    write(node.id, direct);
                }
            }
        }
        Nearest {
            cost: cost.into_iter().map(AtomicU32::into_inner).collect(),
            station: station.into_iter().map(|station| station.into_inner() as i32).collect(),
        }
    }

    /// The nodes within `limit` of each station, and their walks to it.
    ///
    /// # Errors
    /// A station that is no node.
    pub fn within(&self, stations: &[u32], limit: u32) -> Result<Within, NetworkError> {
        self.check_stations(stations)?;
        let parts =
            self.each_within(&Sources::nodes(stations), limit, Rows::default, |rows, station, found| {
                let start = rows.found.len();
                rows.found.extend_from_slice(found);
                rows.found[start..].sort_unstable();
                rows.rows.push((station, start, rows.found.len()));
            });
        let mut rows: Vec<&[u64]> = vec![&[]; stations.len()];
        for part in &parts {
            for &(station, start, end) in &part.rows {
                rows[station as usize] = &part.found[start..end];
            }
        }
        let mut offsets = Vec::with_capacity(stations.len() + 1);
        let mut end = 0;
        offsets.push(0);
        for row in &rows {
            end += row.len() as u64;
            offsets.push(end);
        }
        let node = rows.iter().flat_map(|row| row.iter().map(|&pair| (pair >> 32) as u32)).collect();
        let cost = rows.iter().flat_map(|row| row.iter().map(|&pair| pair as u32)).collect();
        Ok(Within { offsets, node, cost })
    }

    /// Per limit and node, the number of stations within that limit. Stations on one node count each.
    ///
    /// # Errors
    /// A station that is no node.
    pub fn count_within(&self, stations: &[u32], limits: &[u32]) -> Result<Vec<Vec<u32>>, NetworkError> {
        self.check_stations(stations)?;
        let widest = limits.iter().copied().max().unwrap_or(0);
        let none = || vec![vec![0; self.n]; limits.len()];
        let parts = self.each_within(&Sources::nodes(stations), widest, none, |counts, _, found| {
            for &pair in found {
                for (count, &limit) in counts.iter_mut().zip(limits) {
                    count[(pair >> 32) as usize] += u32::from(pair as u32 <= limit);
                }
            }
        });
        let mut total = none();
        for part in parts {
            for (total, count) in total.iter_mut().zip(part) {
                for (total, count) in total.iter_mut().zip(count) {
                    *total += count;
                }
            }
        }
        Ok(total)
    }

    /// Searches from every source and hands `work` what lies within `limit` of it: `node << 32 | cost`, in
    /// no order. Each thread takes sources until none is left and keeps a state of its own; who takes which
    /// is not determined, so the states must not depend on it. Returns the states.
    pub(super) fn each_within<S: Send>(
        &self,
        sources: &Sources,
        limit: u32,
        state: impl Fn() -> S + Sync,
        work: impl Fn(&mut S, u32, &[u64]) + Sync,
    ) -> Vec<S> {
        const PORTION: usize = 8;
        let limit = limit.min(NONE - 1);
        let order = self.along_curve(sources);
        let taken = AtomicUsize::new(0);
        let workers = rayon::current_num_threads().min(order.len().div_ceil(PORTION)).max(1);
        (0..workers)
            .into_par_iter()
            .with_max_len(1)
            .map(|_| {
                let mut scratch = Scratch::new(&self.core, self.width);
                let mut state = state();
                loop {
                    let start = taken.fetch_add(PORTION, Ordering::Relaxed);
                    if order.len() <= start {
                        return state;
                    }
                    for &source in &order[start..order.len().min(start + PORTION)] {
                        scratch.reach(&self.core, sources.seeds(source), limit);
                        work(&mut state, source, &scratch.found);
                    }
                }
            })
            .collect()
    }

    /// Source indices in the order of their places in memory: neighbours share what is in the cache.
    fn along_curve(&self, sources: &Sources) -> Vec<u32> {
        let mut order: Vec<u32> = (0..sources.len() as u32).collect();
        order.sort_by_cached_key(|&index| {
            sources.seeds(index).first().map(|&(node, _)| match self.core.place(node) {
                Place::Junction(junction) => junction,
                Place::Folded(folded) => self.core.chain(self.core.chain_of(folded)).a,
            })
        });
        order
    }

    fn check_stations(&self, stations: &[u32]) -> Result<(), NetworkError> {
        if i32::try_from(stations.len()).is_err() {
            return Err(NetworkError::TooMany { what: "stations", found: stations.len() });
        }
        match stations.iter().position(|&station| station as usize >= self.n) {
            Some(index) => Err(NetworkError::NoSuchNode {
                what: "station",
                index,
                node: stations[index],
                n_nodes: self.n,
            }),
            None => Ok(()),
        }
    }
}

/// Where searches start: for each station the nodes beside it, and the walk from each to the station.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources {
    offsets: Vec<u32>,
    seeds: Vec<(u32, u32)>,
}

impl Sources {
    /// Stations that are nodes themselves.
    pub fn nodes(stations: &[u32]) -> Self {
        let seeds = stations.iter().map(|&station| (station, 0)).collect();
        Self { offsets: (0..=stations.len() as u32).collect(), seeds }
    }

    /// Appends a station.
    pub fn push(&mut self, seeds: impl IntoIterator<Item = (u32, u32)>) {
        if self.offsets.is_empty() {
            self.offsets.push(0);
        }
        self.seeds.extend(seeds);
        self.offsets.push(self.seeds.len() as u32);
    }

    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    pub fn seeds(&self, station: u32) -> &[(u32, u32)] {
        let station = station as usize;
        &self.seeds[self.offsets[station] as usize..self.offsets[station + 1] as usize]
    }
}

/// Findings of one thread: rows of `node << 32 | cost`, each with its station and its range in `found`.
#[derive(Default)]
struct Rows {
    found: Vec<u64>,
    rows: Vec<(u32, usize, usize)>,
}

/// One thread's scratch.
struct Scratch {
    search: Search<u32>,
    /// `node << 32 | cost` of the last search.
    found: Vec<u64>,
}

impl Scratch {
    fn new(core: &Core, width: BucketWidth) -> Self {
        Self { search: Search::new(core, width), found: Vec::new() }
    }

    /// Finds all nodes within `limit` of the seeds: nodes with a cost to start with.
    fn reach(&mut self, core: &Core, seeds: &[(u32, u32)], limit: u32) {
        let search = &mut self.search;
        self.found.clear();
        search.clear();
        let mut locals: Vec<(u32, Local)> = Vec::new();
        for &(node, cost) in seeds {
            match core.place(node) {
                Place::Junction(junction) => search.seed(junction, cost, limit),
                Place::Folded(folded) => {
                    let local = core.local(folded);
                    let chain = core.chain(local.chain);
                    search.seed_end(chain.a, cost.saturating_add(local.from_a), limit);
                    search.seed_end(chain.b, cost.saturating_add(local.from_b), limit);
                    locals.push((cost, local));
                }
            }
        }
        search.run(core, limit);
        for &junction in search.reached() {
            self.found.push(pair(core.junction_id[junction as usize], search.label(junction)));
            for &index in core.chains_at(junction) {
                let chain = core.chain(index);
                let seen_from_a = junction != chain.a && search.label(chain.a) != NONE;
                if !seen_from_a && locals.iter().all(|(_, local)| local.chain != index) {
                    unfold(core, search, index, limit, &mut self.found, |_| NONE);
                }
            }
        }
        // Chains that hold a seed: the walk inside the chain competes with those around.
        for (i, (_, local)) in locals.iter().enumerate() {
            if locals[..i].iter().all(|(_, other)| other.chain != local.chain) {
                let here = || locals.iter().filter(|(_, other)| other.chain == local.chain);
                unfold(core, search, local.chain, limit, &mut self.found, |position| {
                    here()
                        .map(|(cost, other)| cost.saturating_add(other.walk[position]))
                        .min()
                        .unwrap_or(NONE)
                });
            }
        }
    }
}

/// Appends the nodes of a chain within `limit`; `inside` is the walk that does not leave the chain.
fn unfold(
    core: &Core,
    search: &Search<u32>,
    index: u32,
    limit: u32,
    found: &mut Vec<u64>,
    inside: impl Fn(usize) -> u32,
) {
    let chain = core.chain(index);
    let (at_a, at_b) = (search.label(chain.a), search.label_or_unreached(chain.b));
    for (position, node) in core.folded[core.chain_nodes(index)].iter().enumerate() {
        let cost = at_a.saturating_add(node.to_a).min(at_b.saturating_add(node.to_b)).min(inside(position));
        if cost <= limit {
            found.push(pair(node.id, cost));
        }
    }
}

fn pair(node: u32, cost: u32) -> u64 {
    u64::from(node) << 32 | u64::from(cost)
}

fn check(x: &[f64], y: &[f64], edges: Edges<'_>, has_back: bool) -> Result<(), NetworkError> {
    let n = x.len();
    let m = edges.from.len();
    let lengths = [("y", y.len(), "x", n), ("edge_to", edges.to.len(), "edge_from", m)];
    let costs = [("edge_cost", edges.there.len(), "edge_from", m)];
    let back = [("edge_back_cost", edges.back.len(), "edge_from", m)];
    let back = if has_back { &back[..] } else { &[] };
    for &(what, found, like, expected) in lengths.iter().chain(&costs).chain(back) {
        if found != expected {
            return Err(NetworkError::Length { what, found, like, expected });
        }
    }
    for (what, found) in [("nodes", n), ("edges", m)] {
        if found >= i32::MAX as usize {
            return Err(NetworkError::TooMany { what, found });
        }
    }
    for (what, ends) in [("edge_from", edges.from), ("edge_to", edges.to)] {
        if let Some(index) = ends.iter().position(|&node| node as usize >= n) {
            return Err(NetworkError::NoSuchNode { what, index, node: ends[index], n_nodes: n });
        }
    }
    match (0..n).find(|&node| !x[node].is_finite() || !y[node].is_finite()) {
        Some(node) => Err(NetworkError::NotFinite { node, x: x[node], y: y[node] }),
        None => Ok(()),
    }
}
