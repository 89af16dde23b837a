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
        let limit = limit.unwrap_or(NONE).min(NONE - 1);
        let core = &self.core;
        let mut search = Search::<Owned>::new(core, self.width);
        let mut locals = Vec::new();
        for (index, &station) in stations.iter().enumerate() {
            let at = Owned::new(0, index as u32);
            match core.place(station) {
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
        search.run(core, limit);
        Ok(self.unfold_nearest(&search, &locals, limit))
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
        let limit = limit.min(NONE - 1);
        let order = self.stations_along_curve(stations);
        let parts = self.share_out(&order, |scratch: &mut Rows, station| {
            let start = scratch.found.len();
            scratch.reach(&self.core, &[(stations[station as usize], 0)], limit);
            scratch.found[start..].sort_unstable();
            scratch.rows.push((station, start, scratch.found.len()));
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
        let widest = limits.iter().copied().max().unwrap_or(0).min(NONE - 1);
        let order = self.stations_along_curve(stations);
        let parts = self.share_out(&order, |scratch: &mut Rows, station| {
            scratch.counts.resize_with(limits.len(), || vec![0; self.n]);
            scratch.found.clear();
            scratch.reach(&self.core, &[(stations[station as usize], 0)], widest);
            for &pair in &scratch.found {
                for (count, &limit) in scratch.counts.iter_mut().zip(limits) {
                    count[(pair >> 32) as usize] += u32::from(pair as u32 <= limit);
                }
            }
        });
        let mut total = vec![vec![0; self.n]; limits.len()];
        for part in parts {
            for (total, count) in total.iter_mut().zip(part.counts) {
                for (total, count) in total.iter_mut().zip(count) {
                    *total += count;
                }
            }
        }
        Ok(total)
    }

    /// Station indices in the order of their places in memory: neighbours share what is in the cache.
    fn stations_along_curve(&self, stations: &[u32]) -> Vec<u32> {
        let mut order: Vec<u32> = (0..stations.len() as u32).collect();
        order.sort_by_key(|&index| match self.core.place(stations[index as usize]) {
            Place::Junction(junction) => junction,
            Place::Folded(folded) => self.core.chain(self.core.chain_of(folded)).a,
        });
        order
    }

    /// Lets each thread take stations until none is left, every thread with its own scratch. Who takes
    /// which is not determined, so `work` must write by station.
    fn share_out(&self, order: &[u32], work: impl Fn(&mut Rows, u32) + Sync) -> Vec<Rows> {
        const PORTION: usize = 8;
        let taken = AtomicUsize::new(0);
        let workers = rayon::current_num_threads().min(order.len().div_ceil(PORTION)).max(1);
        (0..workers)
            .into_par_iter()
            .with_max_len(1)
            .map(|_| {
                let mut scratch = Rows::new(&self.core, self.width);
                loop {
                    let start = taken.fetch_add(PORTION, Ordering::Relaxed);
                    let Some(rest) = order.get(start..) else { break };
                    if rest.is_empty() {
                        break;
                    }
                    for &station in &rest[..rest.len().min(PORTION)] {
                        work(&mut scratch, station);
                    }
                }
                scratch
            })
            .collect()
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

/// One thread's scratch and findings.
struct Rows {
    search: Search<u32>,
    /// `node << 32 | cost`.
    found: Vec<u64>,
    /// Station, and its range in `found`.
    rows: Vec<(u32, usize, usize)>,
    counts: Vec<Vec<u32>>,
}

impl Rows {
    fn new(core: &Core, width: BucketWidth) -> Self {
        Self { search: Search::new(core, width), found: Vec::new(), rows: Vec::new(), counts: Vec::new() }
    }

    /// Appends all nodes within `limit` of the nearest of `seeds`: nodes with a cost to start with.
    fn reach(&mut self, core: &Core, seeds: &[(u32, u32)], limit: u32) {
        let search = &mut self.search;
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
            let label = search.label(junction);
            self.found.push(pair(core.junction_id[junction as usize], label));
            for &index in core.chains_at(junction) {
                let chain = core.chain(index);
                let (at_a, at_b) = (search.label(chain.a), search.label_or_unreached(chain.b));
                let seen_from_a = junction != chain.a && at_a != NONE;
                if seen_from_a || locals.iter().any(|(_, local)| local.chain == index) {
                    continue;
                }
                for node in &core.folded[core.chain_nodes(index)] {
                    let cost = at_a.saturating_add(node.to_a).min(at_b.saturating_add(node.to_b));
                    if cost <= limit {
                        self.found.push(pair(node.id, cost));
                    }
                }
            }
        }
        for (i, (_, local)) in locals.iter().enumerate() {
            if locals[..i].iter().any(|(_, other)| other.chain == local.chain) {
                continue;
            }
            let chain = core.chain(local.chain);
            let (at_a, at_b) = (search.label(chain.a), search.label_or_unreached(chain.b));
            for (position, node) in core.folded[core.chain_nodes(local.chain)].iter().enumerate() {
                let mut cost = at_a.saturating_add(node.to_a).min(at_b.saturating_add(node.to_b));
                for (seed, other) in locals.iter().filter(|(_, other)| other.chain == local.chain) {
                    cost = cost.min(seed.saturating_add(other.walk[position]));
                }
                if cost <= limit {
                    self.found.push(pair(node.id, cost));
                }
            }
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
