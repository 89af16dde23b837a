//! Regions near known ones: exchanges of one or two units that lower the reduced cost.
//!
//! A search that proves nothing, but finds in a millisecond what the exact one (`pricing.rs`) takes long for while the
//! prices still move; the exact one is left with the last regions and the proof.

use super::piece::Piece;
use super::pricing::Prices;
use super::regions::{Keeper, Regions, Rule};
use super::stay::Stay;

/// Exchanges in a row from one known region.
const STEPS: usize = 12;
/// Regions kept of one exchange.
const KEPT: usize = 8;

/// Adds regions with a reduced cost below `threshold` metres that are a few exchanges away from `starts`, at most about
/// `most`.
pub(super) fn add_near(
    piece: &Piece,
    rule: Rule,
    prices: &Prices<'_>,
    stay: Option<&Stay>,
    threshold: f64,
    (starts, most): (&[u32], usize),
    regions: &mut Regions,
) {
    let n = piece.len();
    let around = (0..n as u32).map(|u| piece.edges_of(u).map(|(_, cost)| cost).sum()).collect();
    let mut walk = Walk {
        piece,
        rule,
        prices,
        stay,
        threshold,
        around,
        link: vec![0; n],
        inside: vec![false; n],
        set: Vec::new(),
        load: 0,
        boundary: 0,
        paid: 0.0,
        grid: prices.grid,
        price: prices.unit.to_vec(),
        mark: vec![0; n],
        stamp: 0,
        queue: Vec::new(),
    };
    let end = regions.len() + most;
    let mut keeper = Keeper::new(piece, rule, regions);
    for &start in starts {
        let start = start as usize;
        let units: Vec<u32> = keeper.regions.units(start).iter().map(|&u| u32::from(u)).collect();
        let heir = keeper.regions.heir[start];
        if let Some(stay) = stay {
            keeper.in_place_of(heir, stay.cost(heir));
        }
        walk.start(&units, heir);
        for _ in 0..STEPS {
            if end <= keeper.regions.len() || !walk.step(&mut keeper) {
                break;
            }
        }
    }
}

/// A connected set and what changes of it cost.
struct Walk<'a> {
    piece: &'a Piece,
    rule: Rule,
    prices: &'a Prices<'a>,
    stay: Option<&'a Stay>,
    threshold: f64,
    /// Cost of all edges of a unit, and of those into the set.
    around: Vec<i64>,
    link: Vec<i64>,
    inside: Vec<bool>,
    set: Vec<u32>,
    load: u64,
    /// Cost of the edges that leave the set, in mm, and what its units pay.
    boundary: i64,
    paid: f64,
    /// Price of the grid and of its place, in metres.
    grid: f64,
    /// Price per unit less what it costs to bring it here from its present grid, in metres.
    price: Vec<f64>,
    mark: Vec<u32>,
    stamp: u32,
    queue: Vec<u32>,
}

/// Units to take in and to give away; either may be missing.
#[derive(Clone, Copy)]
struct Exchange {
    add: Option<u32>,
    drop: Option<u32>,
}

impl Walk<'_> {
    fn start(&mut self, units: &[u32], heir: u16) {
        self.inside.fill(false);
        self.link.fill(0);
        self.set.clear();
        (self.load, self.boundary, self.paid) = (0, 0, 0.0);
        if let Some(stay) = self.stay {
            self.grid = self.prices.of_place(heir);
            for (unit, &brought) in stay.cost(heir).iter().enumerate() {
                self.price[unit] = self.prices.unit[unit] - brought as f64 / 1000.0;
            }
        }
        for &u in units {
            self.toggle(u);
        }
    }

    /// Takes a unit in or gives it away.
    fn toggle(&mut self, unit: u32) {
        let (piece, u) = (self.piece, unit as usize);
        let sign = if self.inside[u] { -1 } else { 1 };
        self.boundary += sign * (self.around[u] - 2 * self.link[u]);
        self.paid += sign as f64 * self.price[u];
        if self.inside[u] {
            self.set.retain(|&own| own != unit);
            self.load -= piece.load[u];
        } else {
            self.set.push(unit);
            self.load += piece.load[u];
        }
        self.inside[u] = !self.inside[u];
        for (v, cost) in piece.edges_of(unit) {
            self.link[v as usize] += sign * cost;
        }
    }

    /// Makes the best exchange that lowers the reduced cost, and keeps every region met that is below the threshold.
    fn step(&mut self, keeper: &mut Keeper<'_>) -> bool {
        let mut adds: Vec<Option<u32>> = vec![None];
        let mut near: Vec<u32> = Vec::new();
        for &u in &self.set {
            near.extend(self.piece.neighbor[self.piece.row(u)].iter().filter(|&&v| !self.inside[v as usize]));
        }
        near.sort_unstable();
        near.dedup();
        adds.extend(near.into_iter().map(Some));
        let mut drops: Vec<Option<u32>> = vec![None];
        let mut own = self.set.clone();
        own.sort_unstable();
        drops.extend(own.into_iter().map(Some));
        let Some(now) = self.after(Exchange { add: None, drop: None }) else { return false };
        let mut found: Vec<(f64, Exchange)> = Vec::new();
        for &add in &adds {
            for &drop in &drops {
                let exchange = Exchange { add, drop };
                if let Some(cost) = self.after(exchange).filter(|&cost| cost < now - 1e-6) {
                    found.push((cost, exchange));
                }
            }
        }
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut best = None;
        let mut kept = 0;
        for (cost, exchange) in found {
            if self.threshold <= cost && best.is_some() || KEPT <= kept {
                break;
            }
            if self.stays_connected(exchange) {
                best = best.or(Some(exchange));
                kept += usize::from(cost < self.threshold && self.keep(exchange, keeper));
            }
        }
        let Some(Exchange { add, drop }) = best else { return false };
        add.into_iter().chain(drop).for_each(|unit| self.toggle(unit));
        true
    }

    /// Reduced cost after an exchange; `None` if no grid may have that load.
    fn after(&self, Exchange { add, drop }: Exchange) -> Option<f64> {
        let (mut load, mut boundary, mut paid) = (self.load, self.boundary, self.paid);
        if let Some(v) = add {
            load += self.piece.load[v as usize];
            boundary += self.around[v as usize] - 2 * self.link[v as usize];
            paid += self.price[v as usize];
        }
        if let Some(u) = drop {
            load -= self.piece.load[u as usize];
            boundary -= self.around[u as usize] - 2 * self.link[u as usize];
            boundary += 2 * add.map_or(0, |v| self.between(u, v));
            paid += -self.price[u as usize];
        }
        let is_out = self.rule.is_out(load)?;
        Some(boundary as f64 / 2000.0 - paid - self.grid - if is_out { self.prices.out } else { 0.0 })
    }

    /// Cost of the edge between two units.
    fn between(&self, u: u32, v: u32) -> i64 {
        self.piece.edges_of(u).find(|&(w, _)| w == v).map_or(0, |(_, cost)| cost)
    }

    /// Whether the set is connected, and not empty, after an exchange.
    fn stays_connected(&mut self, Exchange { add, drop }: Exchange) -> bool {
        let Some(drop) = drop else { return true };
        let size = self.set.len() - 1 + usize::from(add.is_some());
        let Some(first) = self.set.iter().copied().find(|&u| u != drop) else { return false };
        self.stamp += 1;
        self.mark[first as usize] = self.stamp;
        self.queue.clear();
        self.queue.push(first);
        let mut head = 0;
        while head < self.queue.len() {
            for &v in &self.piece.neighbor[self.piece.row(self.queue[head])] {
                let is_in = self.inside[v as usize] && v != drop || add == Some(v);
                if is_in && self.mark[v as usize] != self.stamp {
                    self.mark[v as usize] = self.stamp;
                    self.queue.push(v);
                }
            }
            head += 1;
        }
        self.queue.len() == size
    }

    /// Adds the set after an exchange to the list, unless it is known or its rest cannot be divided.
    fn keep(&self, Exchange { add, drop }: Exchange, keeper: &mut Keeper<'_>) -> bool {
        keeper.offer(self.set.iter().copied().filter(|&u| drop != Some(u)).chain(add).collect())
    }
}
