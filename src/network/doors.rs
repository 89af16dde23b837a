//! Doors as the searches see them, and the walks between them and sites.
//!
//! A search works on junctions only. Whatever hangs between two junctions, a door too, is reached through
//! them: its walk is the shorter of two sums. So a table of doors keeps for each way out of a door the junctions
//! at its ends and the walks there, along a space-filling curve like the junctions themselves, and no node in
//! between is looked at. What lies inside a chain, between a door and a site on the same one, is added directly.

use rayon::prelude::*;

use super::contract::{Local, NONE};
use super::engine::{Found, JunctionLabels, Sources, UNREACHED};
use super::reach::{Measure, NearestSite, Reach, Side, StreetNetwork};
use super::search::{Label, Owned};
use super::snap::{Attachment, Snaps};

/// Doors ready for searches by one measure. Made by [`StreetNetwork::door_walks`], good for that network and
/// those doors.
#[derive(Clone, Debug)]
pub struct DoorWalks {
    pub(super) measure: Measure,
    /// The other way as well, where both count.
    pub(super) back: Option<Box<DoorWalks>>,
    /// For each attachment in the order of [`Snaps::along_curve`]: up to two junctions and the walks to them.
    ways: Vec<[(u32, u32); 2]>,
    /// The ways from each junction to doors: `start[j] .. start[j + 1]` in `at_junction`.
    start: Vec<u32>,
    /// Place of the door on the curve, and the walk.
    at_junction: Vec<(u32, u32)>,
}

impl DoorWalks {
    pub(super) fn of(network: &StreetNetwork, doors: &Snaps, measure: Measure) -> Self {
        let walks = network.walks(measure);
        let way = |at: &Attachment| {
            let mut ways = [(NONE, NONE); 2];
            let legs = network.legs(at, measure, Side::Door);
            for (anchors, (_, leg)) in walks.anchors(legs.map(|leg| leg.0)).into_iter().zip(legs) {
                for (junction, walk) in anchors.into_iter().filter(|way| way.0 != NONE) {
                    // Both ends of an edge hang between the same two junctions.
                    let slot = ways.iter_mut().find(|way| way.0 == junction || way.0 == NONE);
                    let slot = slot.expect("an edge hangs between two junctions");
                    *slot = (junction, slot.1.min(leg.saturating_add(walk)));
                }
            }
            ways
        };
        let ways: Vec<_> = doors.along_curve_attachments().par_iter().with_min_len(1024).map(way).collect();
        let mut start = vec![0_u32; walks.n_junctions() + 1];
        let known = || ways.iter().flatten().filter(|way| way.0 != NONE);
        known().for_each(|&(junction, _)| start[junction as usize] += 1);
        let mut before = 0;
        for slot in &mut start {
            before += *slot;
            *slot = before;
        }
        let mut at_junction = vec![(0, 0); before as usize];
        for place in (0..doors.len()).rev() {
            for &(junction, walk) in ways[doors.at_place(place)].iter().flatten().rev() {
                if junction != NONE {
                    let slot = &mut start[junction as usize];
                    *slot -= 1;
                    at_junction[*slot as usize] = (place as u32, walk);
                }
            }
        }
        Self { measure, back: None, ways, start, at_junction }
    }

    /// Doors that hang at a junction.
    fn at(&self, junction: u32) -> &[(u32, u32)] {
        let junction = junction as usize;
        &self.at_junction[self.start[junction] as usize..self.start[junction + 1] as usize]
    }
}

/// A table of doors, with what it was made from.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    pub network: &'a StreetNetwork,
    pub doors: &'a Snaps,
    pub walks: &'a DoorWalks,
}

impl Table<'_> {
    fn measure(&self) -> Measure {
        self.walks.measure
    }

    /// Doors within `limit` of each site.
    pub fn reach(&self, sites: &Snaps, limit: u32) -> Reach {
        let sources = self.sources(sites);
        let state = || Collected { best: vec![UNREACHED; self.doors.len()], limit, ..Collected::default() };
        let found = |collected: &mut Collected, site: u32, found: &Found<'_>| {
            for (junction, cost) in found.junctions() {
                for &(place, walk) in self.walks.at(junction) {
                    collected.offer(place, cost.saturating_add(walk));
                }
            }
            for (cost, local) in &found.locals {
                self.inside(local, |place, walk| collected.offer(place, cost.saturating_add(walk)));
            }
            for at in sites.attachments(site as usize) {
                self.on_edge(at, |place, walk| collected.offer(place, walk));
            }
            collected.end_row(site, self.doors.along_curve());
        };
        let parts = self.network.walks(self.measure()).each_search(&sources, limit, state, found);
        Collected::table(&parts, sites.len())
    }

    /// The nearest site of each door.
    pub fn nearest(&self, sites: &Snaps, limit: Option<u32>) -> NearestSite {
        let limit = limit.unwrap_or(UNREACHED).min(UNREACHED - 1);
        let sources = self.sources(sites);
        let JunctionLabels { labels, locals } =
            self.network.walks(self.measure()).junction_labels(&sources, limit);
        let of_way = |&(junction, walk): &(u32, u32)| match labels.get(junction as usize) {
            Some(label) => label.farther_or_unreached(walk),
            None => Owned::UNREACHED,
        };
        let of_place = |place: usize| {
            let ways = &self.walks.ways[self.doors.at_place(place)];
            ways.iter().flatten().map(of_way).min().unwrap_or(Owned::UNREACHED)
        };
        let mut best: Vec<Owned> = Vec::new();
        (0..self.doors.len()).into_par_iter().with_min_len(4096).map(of_place).collect_into_vec(&mut best);
        let mut offer = |place: u32, label: Owned| {
            let known = &mut best[place as usize];
            *known = label.min(*known);
        };
        for (at, local) in &locals {
            self.inside(local, |place, walk| offer(place, at.farther_or_unreached(walk)));
        }
        for site in 0..sites.len() {
            for at in sites.attachments(site) {
                self.on_edge(at, |place, walk| offer(place, Owned::new(walk, site as u32)));
            }
        }
        let mut nearest = NearestSite { cost: vec![UNREACHED; best.len()], site: vec![-1; best.len()] };
        for (&door, label) in self.doors.along_curve().iter().zip(&best) {
            if label.cost() <= limit {
                nearest.cost[door as usize] = label.cost();
                nearest.site[door as usize] = label.station() as i32;
            }
        }
        nearest
    }

    fn sources(&self, sites: &Snaps) -> Sources {
        self.network.sources(sites, self.measure())
    }

    /// Doors in the chain of a site, by walks that do not leave it.
    fn inside(&self, local: &Local, mut offer: impl FnMut(u32, u32)) {
        let walks = self.network.walks(self.measure());
        for &(place, _) in self.walks.at(walks.junction_of(local)) {
            for at in &self.doors.along_curve_attachments()[self.doors.at_place(place as usize)] {
                for (node, leg) in self.network.legs(at, self.measure(), Side::Door) {
                    if let Some(walk) = walks.walk_inside(local, node) {
                        offer(place, leg.saturating_add(walk));
                    }
                }
            }
        }
    }

    /// Doors on the same edge as a site, by walks that touch neither end.
    fn on_edge(&self, site: &Attachment, mut offer: impl FnMut(u32, u32)) {
        let [[first, _], _] = self.network.walks(self.measure()).anchors(self.network.edge_nodes(site.edge));
        for &(place, _) in self.walks.at(first.0) {
            let attachments = &self.doors.along_curve_attachments()[self.doors.at_place(place as usize)];
            for at in attachments.iter().filter(|at| at.edge == site.edge) {
                offer(place, self.network.along_edge(at, site, self.measure()));
            }
        }
    }
}

/// The site whose longer way is the shortest: bounded searches both ways, the limit doubled until every
/// door that can go and return has an answer.
pub(super) fn nearest_both_ways(
    there: Table<'_>,
    back: Table<'_>,
    sites: &Snaps,
    limit: Option<u32>,
) -> NearestSite {
    const FIRST_LIMIT_MS: u32 = 1_800_000;
    let n = there.doors.len();
    let (way, way_back) = (there.nearest(sites, limit), back.nearest(sites, limit));
    // No station's longer way is shorter than these.
    let least = |door: usize| way.cost[door].max(way_back.cost[door]);
    let last = limit.unwrap_or(UNREACHED).min(UNREACHED - 1);
    let mut found = NearestSite { cost: vec![UNREACHED; n], site: vec![-1; n] };
    let mut bound = last.min(FIRST_LIMIT_MS);
    loop {
        let reach = there.reach(sites, bound).longer(&back.reach(sites, bound));
        for site in 0..reach.n_sites() {
            for (door, cost) in reach.row(site) {
                let known = &mut found.cost[door as usize];
                if cost < *known {
                    *known = cost;
                    found.site[door as usize] = site as i32;
                }
            }
        }
        let is_open = |door: usize| found.cost[door] == UNREACHED && least(door) != UNREACHED;
        if bound == last || !(0..n).any(is_open) {
            return found;
        }
        bound = bound.saturating_mul(2).min(last);
    }
}

/// What one thread has collected of a [`Reach`].
#[derive(Default)]
struct Collected {
    limit: u32,
    /// Best cost of each place in the current row, and the places that have one.
    best: Vec<u32>,
    places: Vec<u32>,
    row: Vec<(u32, u32)>,
    row_door: Vec<u32>,
    row_cost: Vec<u32>,
    /// Site, and its range in the two columns.
    rows: Vec<(u32, usize, usize)>,
}

impl Collected {
    /// A walk to a door; the shortest counts.
    fn offer(&mut self, place: u32, cost: u32) {
        let best = &mut self.best[place as usize];
        if cost <= self.limit && cost < *best {
            if *best == UNREACHED {
                self.places.push(place);
            }
            *best = cost;
        }
    }

    fn end_row(&mut self, site: u32, door_at: &[u32]) {
        self.row.clear();
        for place in self.places.drain(..) {
            let cost = std::mem::replace(&mut self.best[place as usize], UNREACHED);
            self.row.push((door_at[place as usize], cost));
        }
        self.row.sort_unstable();
        let start = self.row_door.len();
        self.row_door.extend(self.row.iter().map(|entry| entry.0));
        self.row_cost.extend(self.row.iter().map(|entry| entry.1));
        self.rows.push((site, start, self.row_door.len()));
    }

    fn table(parts: &[Self], n_sites: usize) -> Reach {
        let mut place = vec![(0, 0, 0); n_sites];
        for (index, part) in parts.iter().enumerate() {
            for &(site, start, end) in &part.rows {
                place[site as usize] = (index, start, end);
            }
        }
        let mut reach = Reach { offsets: vec![0], ..Reach::default() };
        for (index, start, end) in place {
            reach.door.extend_from_slice(&parts[index].row_door[start..end]);
            reach.cost.extend_from_slice(&parts[index].row_cost[start..end]);
            reach.offsets.push(reach.door.len() as u64);
        }
        reach
    }
}

impl StreetNetwork {
    /// Makes doors ready for searches by one measure. Whoever asks more than once about the same doors makes
    /// this once and asks [`StreetNetwork::reach_of`] and [`StreetNetwork::nearest_to`].
    #[must_use]
    pub fn door_walks(&self, doors: &Snaps, measure: Measure) -> DoorWalks {
        if self.has_two_ways(measure) {
            let back = Box::new(DoorWalks::of(self, doors, Measure::TimeBack));
            return DoorWalks { back: Some(back), ..DoorWalks::of(self, doors, Measure::TimeThere) };
        }
        DoorWalks::of(self, doors, measure)
    }

    /// [`StreetNetwork::reach`] for doors made ready.
    #[must_use]
    pub fn reach_of(&self, sites: &Snaps, doors: &Snaps, walks: &DoorWalks, limit: u32) -> Reach {
        let table = |walks| Table { network: self, doors, walks };
        let there = table(walks).reach(sites, limit);
        match &walks.back {
            Some(back) => there.longer(&table(back).reach(sites, limit)),
            None => there,
        }
    }

    /// [`StreetNetwork::nearest`] for doors made ready.
    #[must_use]
    pub fn nearest_to(
        &self,
        sites: &Snaps,
        doors: &Snaps,
        walks: &DoorWalks,
        limit: Option<u32>,
    ) -> NearestSite {
        let table = |walks| Table { network: self, doors, walks };
        match &walks.back {
            Some(back) => nearest_both_ways(table(walks), table(back), sites, limit),
            None => table(walks).nearest(sites, limit),
        }
    }
}
