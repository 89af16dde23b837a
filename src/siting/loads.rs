//! An assignment under capacities that follows the opening and closing of sites point by point, and can go back.

use super::Model;
use super::capacity::{Pairs, Value};

/// No site.
const NONE: u32 = u32::MAX;
/// Most points of a full site that are asked whether they can move on.
const MOST_ASKED: usize = 8;

/// Who is served by which open site. Every point is served by one site at most.
pub(super) struct Loads<'a> {
    pairs: &'a Pairs,
    model: Model,
    capacity: &'a [u64],
    /// Points that each site may serve, heaviest first.
    near: Vec<Vec<u32>>,
    open: Vec<bool>,
    left: Vec<u64>,
    pub assignment: Vec<u32>,
    points_of: Vec<Vec<u32>>,
    /// Place of each point among those of its site.
    slot: Vec<u32>,
    /// As [`super::capacity`] counts it, without the cost of sites.
    pub value: Value,
    /// What the moves since the last [`Self::keep`] changed: points with the sites they left, newest last.
    journal: Vec<(u32, u32)>,
    /// Table entries read so far.
    pub work: usize,
}

impl<'a> Loads<'a> {
    pub fn new(
        pairs: &'a Pairs,
        model: Model,
        capacity: &'a [u64],
        open: Vec<bool>,
        assignment: &[u32],
    ) -> Self {
        let mut near = vec![Vec::new(); open.len()];
        for &point in &pairs.heaviest {
            pairs.of(point as usize).for_each(|pair| near[pair.0 as usize].push(point));
        }
        let mut loads = Self {
            pairs,
            model,
            capacity,
            near,
            left: capacity.to_vec(),
            points_of: vec![Vec::new(); open.len()],
            open,
            assignment: vec![NONE; assignment.len()],
            slot: vec![0; assignment.len()],
            value: (0, 0),
            journal: Vec::new(),
            work: 0,
        };
        loads.value = pairs.heaviest.iter().fold((0, 0), |sum, &point| {
            let own = loads.worth(point, NONE);
            (sum.0 + own.0, sum.1 + own.1)
        });
        for (point, &site) in assignment.iter().enumerate().filter(|(_, site)| **site != NONE) {
            loads.set(point as u32, site);
        }
        loads.keep();
        loads
    }

    /// What a point adds to the value when this site serves it.
    fn worth(&self, point: u32, site: u32) -> Value {
        let weight = self.pairs.weight[point as usize];
        match (self.model, site) {
            (Model::MaxCover { .. }, NONE) => (0, weight),
            (_, NONE) => (1, 0),
            (Model::PMedian { .. }, _) => (0, weight * self.cost(point, site)),
            _ => (0, 0),
        }
    }

    fn cost(&self, point: u32, site: u32) -> u64 {
        let pair = self.pairs.of(point as usize).find(|pair| pair.0 == site);
        pair.map_or(0, |pair| u64::from(pair.1))
    }

    fn set(&mut self, point: u32, site: u32) {
        let (at, weight) = (point as usize, self.pairs.weight[point as usize]);
        let old = self.assignment[at];
        let (gone, new) = (self.worth(point, old), self.worth(point, site));
        self.value = (self.value.0 + new.0 - gone.0, self.value.1 + new.1 - gone.1);
        if old != NONE {
            let points = &mut self.points_of[old as usize];
            points.swap_remove(self.slot[at] as usize);
            if let Some(&moved) = points.get(self.slot[at] as usize) {
                self.slot[moved as usize] = self.slot[at];
            }
            self.left[old as usize] += weight;
        }
        if site != NONE {
            self.slot[at] = self.points_of[site as usize].len() as u32;
            self.points_of[site as usize].push(point);
            self.left[site as usize] -= weight;
        }
        self.assignment[at] = site;
        self.journal.push((point, old));
    }

    /// Opens and closes sites, and serves again who lost a site or may gain one, heaviest first.
    pub fn exchange(&mut self, inn: Option<u32>, out: Option<u32>) {
        let mut again: Vec<u32> = Vec::new();
        if let Some(out) = out {
            again.clone_from(&self.points_of[out as usize]);
            again.iter().for_each(|&point| self.set(point, NONE));
            self.open[out as usize] = false;
        }
        if let Some(inn) = inn {
            self.open[inn as usize] = true;
            let near = std::mem::take(&mut self.near[inn as usize]);
            self.work += near.len();
            again.extend(near.iter().filter(|&&point| self.assignment[point as usize] == NONE));
            self.near[inn as usize] = near;
        }
        again.sort_unstable_by_key(|&point| (std::cmp::Reverse(self.pairs.weight[point as usize]), point));
        again.dedup();
        for point in again {
            self.place(point);
        }
        if let (Model::PMedian { .. }, Some(inn)) = (self.model, inn) {
            self.come_nearer(inn);
        }
    }

    /// Serves a point at its nearest site with room, or where another point can move on.
    fn place(&mut self, point: u32) {
        let weight = self.pairs.weight[point as usize];
        let pairs = self.pairs;
        let sites = |point: u32| pairs.of(point as usize).map(|pair| pair.0);
        self.work += pairs.count(point as usize) + 1;
        let has_room =
            |site: u32, weight: u64| self.open[site as usize] && weight <= self.left[site as usize];
        if let Some(site) = sites(point).find(|&site| has_room(site, weight)) {
            self.set(point, site);
            return;
        }
        let mut found = None;
        let mut asked = 0;
        'search: for site in sites(point).filter(|&site| self.open[site as usize]) {
            for &other in self.points_of[site as usize].iter().take(MOST_ASKED) {
                let moved = pairs.weight[other as usize];
                if self.left[site as usize] + moved < weight {
                    continue;
                }
                asked += pairs.count(other as usize);
                if let Some(target) = sites(other).find(|&target| target != site && has_room(target, moved)) {
                    found = Some((site, other, target));
                    break 'search;
                }
            }
        }
        self.work += asked;
        if let Some((site, other, target)) = found {
            self.set(other, target);
            self.set(point, site);
        }
    }

    /// Points whose walk to a new site is shorter go there while it has room, those that save most first.
    fn come_nearer(&mut self, inn: u32) {
        let mut gains: Vec<(u64, u32)> = Vec::new();
        for &point in &self.near[inn as usize] {
            let now = self.assignment[point as usize];
            if now != NONE && now != inn {
                let saved = self.worth(point, now).1.saturating_sub(self.worth(point, inn).1);
                if saved > 0 {
                    gains.push((saved, point));
                }
            }
        }
        self.work += self.near[inn as usize].len();
        gains.sort_unstable_by_key(|&(saved, point)| (std::cmp::Reverse(saved), point));
        for (_, point) in gains {
            if self.pairs.weight[point as usize] <= self.left[inn as usize] {
                self.set(point, inn);
            }
        }
    }

    /// The moves so far stand.
    pub fn keep(&mut self) {
        self.journal.clear();
    }

    /// Takes back everything since the last [`Self::keep`], the one exchange among it.
    pub fn take_back(&mut self, inn: Option<u32>, out: Option<u32>) {
        inn.into_iter().for_each(|inn| self.open[inn as usize] = false);
        out.into_iter().for_each(|out| self.open[out as usize] = true);
        while let Some((point, old)) = self.journal.pop() {
            self.set(point, old);
            self.journal.pop();
        }
    }

    /// Load of a site.
    pub fn load(&self, site: u32) -> u64 {
        self.capacity[site as usize] - self.left[site as usize]
    }

    /// Whether the point is served.
    pub fn is_served(&self, point: u32) -> bool {
        self.assignment[point as usize] != NONE
    }
}
