//! Questions on arrays: nearest station, nodes within a limit, counts.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use rayon::prelude::*;

use super::NetworkError;
use super::contract::{Core, Local, NONE, Place};
use super::mesh::Mesh;
use super::raw::Edges;
use super::search::{BucketWidth, Label, Owned, Search, spread};

/// Cost of a node that no station reaches.
pub const UNREACHED: u32 = u32::MAX;

/// A walk network of nodes and edges with whole costs (millimetres or milliseconds), ready for many
/// questions.
///
/// Nodes are named by their index in the caller's arrays, stations are nodes. Costs may differ by
/// direction; every answer is the walk **from the node to the station**. Limits are inclusive. Answers are
/// exact and do not depend on the number of threads; of stations at equal cost the lowest index wins.
///
/// Preparation folds away dead ends and chains of degree-2 nodes and costs O(n log n + m). A search then visits junctions only.
#[derive(Debug)]
pub struct WalkNetwork {
    pub(super) core: Core,
    width: BucketWidth,
    pub(super) n: usize,
    pub(super) x: Vec<f64>,
    pub(super) y: Vec<f64>,
    /// The plane around the streets, triangulated when circles are first asked for.
    pub(super) mesh: OnceLock<Option<Mesh>>,
    /// Nodes triangulated so far for single circles only.
    pub(super) triangulated: AtomicUsize,
    /// Scratch of [`Self::within`], ready for the next question: fresh pages cost as much as the search.
    spare: Mutex<Vec<Rows>>,
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
        let (core, (kept_x, kept_y)) = rayon::join(|| Core::build(x, y, edges), || (x.to_vec(), y.to_vec()));
        Ok(Self {
            width: BucketWidth::for_core(&core),
            core,
            n: x.len(),
            x: kept_x,
            y: kept_y,
            mesh: OnceLock::new(),
            triangulated: AtomicUsize::new(0),
            spare: Mutex::default(),
        })
    }

    /// `None` if there is no street with an extent.
    pub(super) fn mesh(&self) -> Option<&Mesh> {
        self.mesh.get_or_init(|| Mesh::build(&self.core, &self.x, &self.y, None)).as_ref()
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
        let JunctionLabels { labels, locals } = self.junction_labels(sources, limit);
        self.unfold_nearest(&labels, &locals, limit)
    }

    /// One search from all sources at once, as far as the junctions.
    pub(super) fn junction_labels(&self, sources: &Sources, limit: u32) -> JunctionLabels {
        let core = &self.core;
        let mut seeds = Vec::new();
        let mut locals = Vec::new();
        for index in 0..sources.len() as u32 {
            for &(node, cost) in sources.seeds(index) {
                let at = Owned::new(cost, index);
                match core.place(node) {
                    Place::Junction(junction) => seeds.push((junction, at)),
                    Place::Folded(folded) => {
                        let local = core.local(folded);
                        let chain = core.chain(local.chain);
                        seeds.push((chain.a, at.farther_or_unreached(local.from_a)));
                        if chain.b != NONE {
                            seeds.push((chain.b, at.farther_or_unreached(local.from_b)));
                        }
                        locals.push((at, local));
                    }
                }
            }
        }
        JunctionLabels { labels: spread(core, self.width, &seeds, limit), locals }
    }

    /// For both nodes of an edge the junctions through which they reach all that lies outside their chain, and
    /// the walks to them. The junction is [`NONE`] where there is no second one.
    pub(super) fn anchors(&self, nodes: [u32; 2]) -> [[(u32, u32); 2]; 2] {
        let core = &self.core;
        // Mostly both lie on the same chain, and looking for it costs the most.
        let mut known: Option<(u32, std::ops::Range<usize>)> = None;
        nodes.map(|node| match core.place(node) {
            Place::Junction(junction) => [(junction, 0), (NONE, NONE)],
            Place::Folded(folded) => {
                let place = folded as usize;
                let chain = match &known {
                    Some((chain, nodes)) if nodes.contains(&place) => *chain,
                    _ => core.chain_of(folded),
                };
                known = Some((chain, core.chain_nodes(chain)));
                let (chain, node) = (core.chain(chain), core.folded[place]);
                [(chain.a, node.to_a), (chain.b, node.to_b)]
            }
        })
    }

    /// Walk from a node that lies in the chain of `local` to its target without leaving the chain.
    pub(super) fn walk_inside(&self, local: &Local, node: u32) -> Option<u32> {
        let Place::Folded(folded) = self.core.place(node) else { return None };
        let nodes = self.core.chain_nodes(local.chain);
        nodes.contains(&(folded as usize)).then(|| local.walk[folded as usize - nodes.start])
    }

    /// First junction of the chain of `local`.
    pub(super) fn junction_of(&self, local: &Local) -> u32 {
        self.core.chain(local.chain).a
    }

    pub(super) fn n_junctions(&self) -> usize {
        self.core.n_junctions()
    }

    /// Labels of all nodes from those of the junctions.
    fn unfold_nearest(&self, labels: &[Owned], locals: &[(Owned, Local)], limit: u32) -> Nearest {
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
        core.junction_id.par_chunks(PART).zip(labels.par_chunks(PART)).for_each(|(ids, labels)| {
            ids.iter().zip(labels).for_each(|(&id, &label)| write(id, label));
        });
        (0..core.n_chains().div_ceil(PART)).into_par_iter().for_each(|part| {
            let end = core.n_chains().min((part + 1) * PART);
            for index in part * PART..end {
                let chain = core.chain(index as u32);
                let at_a = labels[chain.a as usize];
                let at_b = labels.get(chain.b as usize).copied().unwrap_or(Owned::UNREACHED);
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
        let spare = || self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        let state = || spare().pop().unwrap_or_else(|| Rows::new(self.n));
        let mut parts = self.each_within(&Sources::nodes(stations), limit, state, Rows::put, Rows::end_row);
        let mut place = vec![(0, 0, 0); stations.len()];
        for (index, part) in parts.iter().enumerate() {
            for &(station, start, end) in &part.rows {
                place[station as usize] = (index, start, end);
            }
        }
        let total = parts.iter().map(|part| part.node.len()).sum();
        let mut within = Within {
            offsets: Vec::with_capacity(stations.len() + 1),
            node: Vec::with_capacity(total),
            cost: Vec::with_capacity(total),
        };
        within.offsets.push(0);
        for (index, start, end) in place {
            within.node.extend_from_slice(&parts[index].node[start..end]);
            within.cost.extend_from_slice(&parts[index].cost[start..end]);
            within.offsets.push(within.node.len() as u64);
        }
        parts.iter_mut().for_each(Rows::clear);
        let mut spare = spare();
        spare.extend(parts.into_iter().filter(Rows::is_small));
        spare.truncate(rayon::current_num_threads());
        drop(spare);
        Ok(within)
    }

    /// Per limit and node, the number of stations within that limit. Stations on one node count each.
    ///
    /// # Errors
    /// A station that is no node.
    pub fn count_within(&self, stations: &[u32], limits: &[u32]) -> Result<Vec<Vec<u32>>, NetworkError> {
        self.check_stations(stations)?;
        let widest = limits.iter().copied().max().unwrap_or(0);
        let none = || vec![vec![0; self.n]; limits.len()];
        let put = |counts: &mut Vec<Vec<u32>>, node: u32, cost: u32| {
            for (count, &limit) in counts.iter_mut().zip(limits) {
                count[node as usize] += u32::from(cost <= limit);
            }
        };
        let mut parts = self.each_within(&Sources::nodes(stations), widest, none, put, |_, _| {}).into_iter();
        let mut total = parts.next().unwrap_or_else(none);
        for part in parts {
            for (total, count) in total.iter_mut().zip(part) {
                total.par_iter_mut().zip(count).for_each(|(total, count)| *total += count);
            }
        }
        Ok(total)
    }

    /// Searches from every source, hands `put` each node within `limit` of it with its cost, in no order, and
    /// then tells `end` whose row is complete. Returns the states; see [`Self::each_search`].
    pub(super) fn each_within<S: Send>(
        &self,
        sources: &Sources,
        limit: u32,
        state: impl Fn() -> S + Sync,
        put: impl Fn(&mut S, u32, u32) + Sync,
        end: impl Fn(&mut S, u32) + Sync,
    ) -> Vec<S> {
        self.each_search(sources, limit, state, |state, source, found| {
            found.each_node(|node, cost| put(state, node, cost));
            end(state, source);
        })
    }

    /// Searches from every source and hands over what was found. Each thread takes sources until none is left
    /// and keeps a state of its own; who takes which is not determined. Returns the states.
    pub(super) fn each_search<S: Send>(
        &self,
        sources: &Sources,
        limit: u32,
        state: impl Fn() -> S + Sync,
        found: impl Fn(&mut S, u32, &Found<'_>) + Sync,
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
                let mut search = Search::new(&self.core, self.width);
                let mut state = state();
                loop {
                    let start = taken.fetch_add(PORTION, Ordering::Relaxed);
                    if order.len() <= start {
                        return state;
                    }
                    for &source in &order[start..order.len().min(start + PORTION)] {
                        let here = Found::search(&self.core, &mut search, sources.seeds(source), limit);
                        found(&mut state, source, &here);
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

    pub(super) fn check_stations(&self, stations: &[u32]) -> Result<(), NetworkError> {
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

/// Rows that one thread has found. The current row waits in a bitmap over the nodes, which sorts it for
/// free: reading it out costs one step for every word of 64 nodes that holds one.
#[derive(Debug)]
struct Rows {
    node: Vec<u32>,
    cost: Vec<u32>,
    /// Station, and its range in the two columns.
    rows: Vec<(u32, usize, usize)>,
    waiting: Vec<u32>,
    n_waiting: usize,
    words: Vec<u64>,
    /// A bit for every word that is not empty.
    summary: Vec<u64>,
}

impl Rows {
    fn new(n: usize) -> Self {
        let words = n.div_ceil(64);
        Self {
            node: Vec::new(),
            cost: Vec::new(),
            rows: Vec::new(),
            waiting: vec![0; n],
            n_waiting: 0,
            words: vec![0; words],
            summary: vec![0; words.div_ceil(64)],
        }
    }

    fn put(&mut self, node: u32, cost: u32) {
        self.waiting[node as usize] = cost;
        self.n_waiting += 1;
        self.words[node as usize / 64] |= 1 << (node % 64);
        self.summary[node as usize / 4096] |= 1 << (node / 64 % 64);
    }

    fn end_row(&mut self, station: u32) {
        let start = self.node.len();
        self.node.reserve(self.n_waiting);
        for index in 0..self.summary.len() {
            let mut full = std::mem::take(&mut self.summary[index]);
            while full != 0 {
                let word = index * 64 + full.trailing_zeros() as usize;
                full &= full - 1;
                let mut bits = std::mem::take(&mut self.words[word]);
                while bits != 0 {
                    let node = word * 64 + bits.trailing_zeros() as usize;
                    bits &= bits - 1;
                    self.node.push(node as u32);
                }
            }
        }
        let (waiting, row) = (&self.waiting, &self.node[start..]);
        self.cost.extend(row.iter().map(|&node| waiting[node as usize]));
        self.rows.push((station, start, self.node.len()));
        self.n_waiting = 0;
    }

    /// Ready for other questions; what it has allocated stays.
    fn clear(&mut self) {
        self.node.clear();
        self.cost.clear();
        self.rows.clear();
    }

    fn is_small(&self) -> bool {
        self.node.capacity() <= KEPT_ROWS
    }
}

/// Most entries of rows that a network keeps room for between two questions.
const KEPT_ROWS: usize = 1 << 22;

/// What one search from all sources has found.
pub(super) struct JunctionLabels {
    pub labels: Vec<Owned>,
    /// Sources inside chains, and the walks to them from there.
    pub locals: Vec<(Owned, Local)>,
}

/// What a search from one source has found.
pub(super) struct Found<'a> {
    core: &'a Core,
    search: &'a Search<u32>,
    limit: u32,
    /// Seeds inside chains: what they start with, and the walks to them from there.
    pub locals: Vec<(u32, Local)>,
}

impl<'a> Found<'a> {
    /// Searches from nodes with a cost to start with.
    fn search(core: &'a Core, search: &'a mut Search<u32>, seeds: &[(u32, u32)], limit: u32) -> Self {
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
        Self { core, search, limit, locals }
    }

    /// Junctions within the limit and their walks, in no order.
    pub fn junctions(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.search.reached().iter().map(|&junction| (junction, self.search.label(junction)))
    }

    /// Hands over all nodes within the limit, in no order.
    fn each_node(&self, mut put: impl FnMut(u32, u32)) {
        let Self { core, search, limit, ref locals } = *self;
        for &junction in search.reached() {
            put(core.junction_id[junction as usize], search.label(junction));
            for &index in core.chains_at(junction) {
                let chain = core.chain(index);
                let seen_from_a = junction != chain.a && search.label(chain.a) != NONE;
                if !seen_from_a && locals.iter().all(|(_, local)| local.chain != index) {
                    unfold(core, search, index, limit, &mut put, |_| NONE);
                }
            }
        }
        // Chains that hold a seed: the walk inside the chain competes with those around.
        for (i, (_, local)) in locals.iter().enumerate() {
            if locals[..i].iter().all(|(_, other)| other.chain != local.chain) {
                let here = || locals.iter().filter(|(_, other)| other.chain == local.chain);
                unfold(core, search, local.chain, limit, &mut put, |position| {
                    here()
                        .map(|(cost, other)| cost.saturating_add(other.walk[position]))
                        .min()
                        .unwrap_or(NONE)
                });
            }
        }
    }
}

/// Hands over the nodes of a chain within `limit`; `inside` is the walk that does not leave the chain.
fn unfold(
    core: &Core,
    search: &Search<u32>,
    index: u32,
    limit: u32,
    put: &mut impl FnMut(u32, u32),
    inside: impl Fn(usize) -> u32,
) {
    let chain = core.chain(index);
    let (at_a, at_b) = (search.label(chain.a), search.label_or_unreached(chain.b));
    for (position, node) in core.folded[core.chain_nodes(index)].iter().enumerate() {
        let cost = at_a.saturating_add(node.to_a).min(at_b.saturating_add(node.to_b)).min(inside(position));
        if cost <= limit {
            put(node.id, cost);
        }
    }
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
