//! Interchange search with cached gains.
//!
//! For every row the nearest `times + 1` open sites are known. From them follow, kept up to date by each move:
//! `gain[j]`, what opening j saves; `loss[r]`, what closing r costs; and `extra[j]`, for pairs (j, r) that share
//! rows, what doing both saves beyond the two alone. One exchange is then judged in constant time.
//! Source: Resende and Werneck (2007), "A fast swap-based local search procedure for location problems"; we also
//! handle rows served twice and rows that may stay unserved.

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::Clock;
use super::build::{Core, Fate, MUST};

/// Most open sites remembered per row: two that serve and the next one.
const MOST_NEAR: usize = 3;
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Near {
    site: [u32; MOST_NEAR],
    cost: [u32; MOST_NEAR],
}

const NOTHING_NEAR: Near = Near { site: [NONE; MOST_NEAR], cost: [u32::MAX; MOST_NEAR] };

/// A set of open sites and everything needed to judge a move.
#[derive(Clone)]
pub(crate) struct Search<'c> {
    pub core: &'c Core,
    pub open: Vec<bool>,
    pub n_open: usize,
    /// Current objective, with `big` per unserved row that must be served.
    pub value: i64,
    big: i64,
    near: Vec<Near>,
    gain: Vec<i64>,
    loss: Vec<i64>,
    extra: Extras,
    /// Whether extras are kept; exchanges need them, opening one site after another does not.
    is_paired: bool,
    rules_of: Vec<Vec<(u32, i64)>>,
    slack: Vec<i64>,
    /// Sum by which rules are broken.
    broken: i64,
}

/// A move of the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exchange {
    pub inn: u32,
    pub out: u32,
    /// Change of the objective; negative is better.
    pub change: i64,
}

impl<'c> Search<'c> {
    /// Starts with the open sites of the core alone.
    pub fn new(core: &'c Core) -> Self {
        let mut served = 0i64;
        for row in 0..core.n_rows() {
            let dearest = core.row(row).next_back().map_or(0, |entry| core.row_cost_at(entry));
            served += core.weight[row] * i64::from(dearest) * core.times as i64;
        }
        let cap = (1i64 << 61) / (core.n_rows() as i64 + 1);
        let mut search = Self {
            core,
            open: vec![false; core.n_sites],
            n_open: 0,
            value: 0,
            big: (served + core.open_cost.iter().sum::<i64>() + 1).min(cap),
            near: vec![NOTHING_NEAR; core.n_rows()],
            gain: vec![0; core.n_sites],
            loss: vec![0; core.n_sites],
            extra: Extras::new(core),
            is_paired: true,
            rules_of: core.rules_of_sites(),
            slack: core.rules.iter().map(|rule| rule.limit).collect(),
            broken: core.rules.iter().map(|rule| (-rule.limit).max(0)).sum(),
        };
        for row in 0..core.n_rows() {
            search.value += search.miss(row);
            search.count_row(row, 1);
        }
        for site in 0..core.n_sites {
            if core.fate[site] == Fate::Open {
                search.insert(site as u32);
            }
        }
        search
    }

    /// Change of the objective at and above which a row that must be served is not.
    pub fn big(&self) -> i64 {
        if self.core.miss.contains(&MUST) { self.big } else { i64::MAX }
    }

    /// The open sites, ascending.
    pub fn sites(&self) -> Vec<u32> {
        (0..self.core.n_sites as u32).filter(|&site| self.open[site as usize]).collect()
    }

    /// Whether all rules, `p` and all rows that must be served are satisfied.
    pub fn is_feasible(&self) -> bool {
        self.keeps_rules()
            && (0..self.core.n_rows()).all(|row| self.core.miss[row] != MUST || self.is_served(row))
    }

    /// Whether all rules and `p` are satisfied.
    pub fn keeps_rules(&self) -> bool {
        self.core.p.is_none_or(|p| self.n_open <= p) && self.broken == 0
    }

    /// Multipliers read off the open sites: half-way between what a row pays and what it would pay next.
    pub fn multipliers(&self) -> Vec<f64> {
        let half_way = |row: usize| {
            let near = &self.near[row];
            let now = self.row_value(row, &near.cost) as f64 / self.core.times as f64;
            let next = match near.site[self.core.times] {
                NONE => now,
                _ => self.core.weight[row] as f64 * f64::from(near.cost[self.core.times]),
            };
            0.5 * (now + next)
        };
        (0..self.core.n_rows()).map(half_way).collect()
    }

    /// Whether enough open sites reach the row.
    pub fn is_served(&self, row: usize) -> bool {
        self.near[row].site[self.core.times - 1] != NONE
    }

    /// What opening a closed site saves, its own cost deducted.
    pub fn gain_of(&self, site: u32) -> i64 {
        self.gain[site as usize] - self.core.open_cost[site as usize]
    }

    /// What closing an open site costs, its own cost deducted.
    pub fn loss_of(&self, site: u32) -> i64 {
        self.loss[site as usize] - self.core.open_cost[site as usize]
    }

    /// Sum by which rules are broken after opening `inn` and closing `out`.
    pub fn broken_after(&self, inn: Option<u32>, out: Option<u32>) -> i64 {
        let terms = |site: Option<u32>| site.map_or(&[][..], |site| &self.rules_of[site as usize]);
        let (inn, out) = (terms(inn), terms(out));
        let part = |terms: &[(u32, i64)], rule: u32| {
            terms.binary_search_by_key(&rule, |term| term.0).map_or(0, |place| terms[place].1)
        };
        let more = |rule: u32, change: i64| {
            let slack = self.slack[rule as usize];
            (change - slack).max(0) - (-slack).max(0)
        };
        let opened = inn.iter().map(|&(rule, coefficient)| more(rule, coefficient - part(out, rule)));
        let only_out = out.iter().filter(|term| inn.binary_search_by_key(&term.0, |term| term.0).is_err());
        let closed = only_out.map(|&(rule, coefficient)| more(rule, -coefficient));
        self.broken + opened.sum::<i64>() + closed.sum::<i64>()
    }

    /// A site opens (`sign` 1) or closes (−1).
    fn use_rules(&mut self, site: u32, sign: i64) {
        for &(rule, coefficient) in &self.rules_of[site as usize] {
            let slack = &mut self.slack[rule as usize];
            self.broken -= (-*slack).max(0);
            *slack -= sign * coefficient;
            self.broken += (-*slack).max(0);
        }
    }

    fn miss(&self, row: usize) -> i64 {
        if self.core.miss[row] == MUST { self.big } else { self.core.miss[row] }
    }

    /// Objective of a row whose nearest open sites have these costs (`u32::MAX`: none).
    fn row_value(&self, row: usize, costs: &[u32]) -> i64 {
        let mut sum = 0i64;
        for &cost in &costs[..self.core.times] {
            if cost == u32::MAX {
                return self.miss(row);
            }
            sum += i64::from(cost);
        }
        sum * self.core.weight[row]
    }

    /// Opens a closed site.
    pub fn insert(&mut self, site: u32) {
        let core = self.core;
        debug_assert!(!self.open[site as usize], "site {site} is open already");
        self.value += core.open_cost[site as usize];
        self.n_open += 1;
        self.extra.open(site);
        self.use_rules(site, 1);
        let last = core.times;
        for entry in core.col(site as usize) {
            let (row, cost) = (core.col_row[entry] as usize, core.col_cost_at(entry));
            if self.near[row].site[last] != NONE && self.near[row].cost[last] <= cost {
                continue;
            }
            self.open[site as usize] = false;
            self.count_row(row, -1);
            self.value -= self.row_value(row, &self.near[row].cost);
            let near = &mut self.near[row];
            let mut place = last;
            while place > 0 && (near.site[place - 1] == NONE || cost < near.cost[place - 1]) {
                near.site[place] = near.site[place - 1];
                near.cost[place] = near.cost[place - 1];
                place -= 1;
            }
            near.site[place] = site;
            near.cost[place] = cost;
            self.value += self.row_value(row, &self.near[row].cost);
            self.open[site as usize] = true;
            self.count_row(row, 1);
        }
        self.open[site as usize] = true;
    }

    /// Closes an open site.
    pub fn remove(&mut self, site: u32) {
        let core = self.core;
        debug_assert!(self.open[site as usize], "site {site} is not open");
        self.value -= core.open_cost[site as usize];
        self.n_open -= 1;
        self.use_rules(site, -1);
        for entry in core.col(site as usize) {
            let row = core.col_row[entry] as usize;
            if !self.near[row].site[..=core.times].contains(&site) {
                continue;
            }
            self.open[site as usize] = true;
            self.count_row(row, -1);
            self.value -= self.row_value(row, &self.near[row].cost);
            self.open[site as usize] = false;
            self.near[row] = self.nearest(row);
            self.value += self.row_value(row, &self.near[row].cost);
            self.count_row(row, 1);
        }
        self.open[site as usize] = false;
        self.extra.close(site);
    }

    /// The nearest open sites of a row, by scanning it.
    fn nearest(&self, row: usize) -> Near {
        let mut near = NOTHING_NEAR;
        let mut found = 0;
        for entry in self.core.row(row) {
            let site = self.core.row_site[entry];
            if self.open[site as usize] {
                near.site[found] = site;
                near.cost[found] = self.core.row_cost_at(entry);
                found += 1;
                if found > self.core.times {
                    break;
                }
            }
        }
        near
    }

    /// Adds (`sign` 1) or takes back (−1) what a row contributes to gains, losses and extras.
    fn count_row(&mut self, row: usize, sign: i64) {
        if self.core.times == 1 {
            self.count_row_once(row, sign);
        } else {
            self.count_row_general(row, sign);
        }
    }

    /// `count_row` for rows served once, where gains and extras have closed forms.
    fn count_row_once(&mut self, row: usize, sign: i64) {
        let core = self.core;
        let near = self.near[row];
        let weight = sign * core.weight[row];
        let miss = sign * self.miss(row);
        let value = |cost: u32| weight * i64::from(cost);
        let range = core.row(row);
        let sites = &core.row_site[range.clone()];
        let costs = core.row_cost.get(range).unwrap_or(&[]);
        let cost_at = |index: usize| costs.get(index).copied().unwrap_or(0);
        if near.site[0] == NONE {
            for (index, &site) in sites.iter().enumerate() {
                if !self.open[site as usize] {
                    self.gain[site as usize] += miss - value(cost_at(index));
                }
            }
            return;
        }
        let server = near.site[0];
        let (now, second) =
            (value(near.cost[0]), if near.site[1] == NONE { miss } else { value(near.cost[1]) });
        self.loss[server as usize] += second - now;
        for (index, &site) in sites.iter().enumerate() {
            let cost = cost_at(index);
            if near.cost[1] <= cost || (!self.is_paired && near.cost[0] <= cost) {
                break;
            }
            if self.open[site as usize] {
                continue;
            }
            let own = value(cost);
            let extra = if cost < near.cost[0] {
                self.gain[site as usize] += now - own;
                second - now
            } else {
                second - own
            };
            if extra != 0 && self.is_paired {
                self.extra.add(site, server, extra);
            }
        }
    }

    fn count_row_general(&mut self, row: usize, sign: i64) {
        let core = self.core;
        let times = core.times;
        let near = self.near[row];
        let now = self.row_value(row, &near.cost);
        let n_serving = (0..times).take_while(|&place| near.site[place] != NONE).count();
        let mut without = [[u32::MAX; MOST_NEAR]; MOST_NEAR];
        let mut loss = [0i64; MOST_NEAR];
        for place in 0..n_serving {
            without[place] = drop_place(&near.cost, place);
            loss[place] = self.row_value(row, &without[place]) - now;
            self.loss[near.site[place] as usize] += sign * loss[place];
        }
        let full = near.site[times] != NONE;
        for entry in core.row(row) {
            let (site, cost) = (core.row_site[entry], core.row_cost_at(entry));
            if full && near.cost[times] <= cost {
                break;
            }
            if self.open[site as usize] {
                continue;
            }
            let gain = now - self.row_value(row, &add_cost(&near.cost, cost));
            self.gain[site as usize] += sign * gain;
            for place in 0..n_serving {
                let both = self.row_value(row, &add_cost(&without[place], cost)) - now;
                let extra = loss[place] - gain - both;
                if extra != 0 && self.is_paired {
                    self.extra.add(site, near.site[place], sign * extra);
                }
            }
        }
    }

    /// Best exchange, or none if no closed site may be opened or no open one closed. Ties by site.
    pub fn best_exchange(&self, may_close: &[u32], tabu: impl Fn(u32) -> bool) -> Option<Exchange> {
        // Served twice, two sites may need each other: the shortcut below holds for extras that are not negative.
        if !self.core.rules.is_empty() || self.core.times > 1 {
            return self.best_exchange_by_pairs(may_close, tabu);
        }
        let cheapest = may_close.iter().copied().min_by_key(|&out| (self.loss_of(out), out))?;
        let base = self.loss_of(cheapest);
        let mut best: Option<Exchange> = None;
        for inn in 0..self.core.n_sites as u32 {
            if self.open[inn as usize] || self.core.fate[inn as usize] == Fate::Closed || tabu(inn) {
                continue;
            }
            let gain = self.gain_of(inn);
            let mut here = Exchange { inn, out: cheapest, change: base - gain };
            self.extra.visit(inn, |out, extra| {
                let change = self.loss_of(out) - gain - extra;
                if change < here.change && self.core.fate[out as usize] == Fate::Free {
                    here = Exchange { inn, out, change };
                }
            });
            if best.is_none_or(|best| here.change < best.change) {
                best = Some(here);
            }
        }
        best
    }

    fn best_exchange_by_pairs(&self, may_close: &[u32], tabu: impl Fn(u32) -> bool) -> Option<Exchange> {
        let mut best: Option<Exchange> = None;
        for inn in 0..self.core.n_sites as u32 {
            if self.open[inn as usize] || self.core.fate[inn as usize] == Fate::Closed || tabu(inn) {
                continue;
            }
            for &out in may_close {
                let change = self.exchange_change(inn, out);
                if best.is_none_or(|best| change < best.change)
                    && self.broken_after(Some(inn), Some(out)) == 0
                {
                    best = Some(Exchange { inn, out, change });
                }
            }
        }
        best
    }

    /// Change of the objective when `inn` opens and `out` closes.
    pub fn exchange_change(&self, inn: u32, out: u32) -> i64 {
        let extra = self.extra.get(inn, out);
        self.loss_of(out) - self.gain_of(inn) - extra
    }

    /// Open sites that may close, ascending.
    pub fn may_close(&self) -> Vec<u32> {
        let free = |&site: &u32| self.open[site as usize] && self.core.fate[site as usize] == Fate::Free;
        (0..self.core.n_sites as u32).filter(free).collect()
    }

    /// Best exchanges, openings and closings until none helps.
    pub fn descend(&mut self, clock: &Clock) {
        while !clock.is_over() {
            if self.open_best() || self.close_best() {
                continue;
            }
            match self.best_exchange(&self.may_close(), |_| false) {
                Some(exchange) if exchange.change < 0 => {
                    self.remove(exchange.out);
                    self.insert(exchange.inn);
                }
                _ => return,
            }
        }
    }

    /// Opens the site that saves most, if one saves anything and the rules allow it.
    pub fn open_best(&mut self) -> bool {
        if self.core.p.is_some_and(|p| p <= self.n_open) {
            return false;
        }
        let core = self.core;
        let may = |site: u32| !self.open[site as usize] && core.fate[site as usize] != Fate::Closed;
        let useful = (0..core.n_sites as u32).filter(|&site| may(site) && 0 < self.gain_of(site));
        let allowed =
            useful.filter(|&site| core.rules.is_empty() || self.broken_after(Some(site), None) == 0);
        let best = allowed.max_by_key(|&site| (self.gain_of(site), std::cmp::Reverse(site)));
        best.inspect(|&site| self.insert(site)).is_some()
    }

    /// Closes the site whose closing saves most, if any does.
    pub fn close_best(&mut self) -> bool {
        let useful = self.may_close().into_iter().filter(|&site| self.loss_of(site) < 0);
        let allowed =
            useful.filter(|&site| self.core.rules.is_empty() || self.broken_after(None, Some(site)) == 0);
        let best = allowed.min_by_key(|&site| (self.loss_of(site), site));
        best.inspect(|&site| self.remove(site)).is_some()
    }

    /// Makes the open sites equal to `sites`.
    pub fn become_sites(&mut self, sites: &[u32]) {
        let mut wanted = vec![false; self.core.n_sites];
        sites.iter().for_each(|&site| wanted[site as usize] = true);
        let closing: Vec<u32> = self.sites().into_iter().filter(|&site| !wanted[site as usize]).collect();
        let opening: Vec<u32> = sites.iter().copied().filter(|&site| !self.open[site as usize]).collect();
        if closing.len() + opening.len() <= sites.len() / 2 {
            closing.into_iter().for_each(|site| self.remove(site));
            opening.into_iter().for_each(|site| self.insert(site));
            return;
        }
        for (changing, sign) in [(closing, -1), (opening, 1)] {
            for site in changing {
                self.open[site as usize] = 0 < sign;
                self.use_rules(site, sign);
            }
        }
        self.count_anew();
    }

    /// Opens the best site as long as one pays off.
    pub fn open_greedily(&mut self, clock: &Clock) {
        self.is_paired = false;
        while !clock.is_cancelled() && self.open_best() {}
        self.is_paired = true;
        self.count_anew();
    }

    /// Everything but the rules from the open sites alone: many changes at once cost less than one by one.
    fn count_anew(&mut self) {
        let open = self.sites();
        self.n_open = open.len();
        self.value = open.iter().map(|&site| self.core.open_cost[site as usize]).sum();
        self.gain.fill(0);
        self.loss.fill(0);
        self.extra = Extras::new(self.core);
        open.into_iter().for_each(|site| self.extra.open(site));
        for row in 0..self.core.n_rows() {
            self.near[row] = self.nearest(row);
            self.value += self.row_value(row, &self.near[row].cost);
            self.count_row(row, 1);
        }
    }
}

/// Iterated descent: `rounds` times a few random exchanges among neighbouring sites, then a descent.
///
/// Leaves the search at the best sites found. Deterministic in `seed`.
pub(crate) fn iterate(search: &mut Search, rounds: usize, seed: u64, clock: &Clock) {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    search.descend(clock);
    let mut best = (search.value, search.sites());
    let mut current = best.clone();
    for round in 0..rounds {
        if clock.is_over() {
            break;
        }
        kick(search, &mut random);
        search.descend(clock);
        // A little worse is accepted early on, so that the search leaves the valley it began in.
        let slack = (best.0 / 500) as f64 * (1.0 - (round + 1) as f64 / rounds as f64);
        if search.value <= current.0 + slack as i64 {
            current = (search.value, search.sites());
        } else {
            search.become_sites(&current.1);
        }
        if current.0 < best.0 {
            best.clone_from(&current);
        }
    }
    search.become_sites(&best.1);
}

/// Exchanges one to four open sites for random ones that share rows with them.
fn kick(search: &mut Search, random: &mut Xoshiro256PlusPlus) {
    let n_kicks = random.random_range(1..=4usize);
    let may_close = search.may_close();
    if may_close.is_empty() {
        return;
    }
    let mut out = may_close[random.random_range(0..may_close.len())];
    for _ in 0..n_kicks {
        let Some(inn) = neighbour(search, out, random) else { return };
        let may_open = !search.open[inn as usize] && search.core.fate[inn as usize] != Fate::Closed;
        if may_open && (search.core.rules.is_empty() || search.broken_after(Some(inn), Some(out)) == 0) {
            search.remove(out);
            search.insert(inn);
        }
        out = may_close[random.random_range(0..may_close.len())];
        if !search.open[out as usize] {
            return;
        }
    }
}

/// A random site that shares a row with `site`, among the first of that row.
fn neighbour(search: &Search, site: u32, random: &mut Xoshiro256PlusPlus) -> Option<u32> {
    let column = search.core.col(site as usize);
    if column.is_empty() {
        return None;
    }
    let row = search.core.col_row[random.random_range(column)] as usize;
    let reach = search.core.row(row);
    let reach = reach.start..reach.end.min(reach.start + 64);
    Some(search.core.row_site[random.random_range(reach)])
}

fn drop_place(costs: &[u32; MOST_NEAR], place: usize) -> [u32; MOST_NEAR] {
    let mut left = *costs;
    left.copy_within(place + 1.., place);
    left[MOST_NEAR - 1] = u32::MAX;
    left
}

fn add_cost(costs: &[u32; MOST_NEAR], cost: u32) -> [u32; MOST_NEAR] {
    let mut more = *costs;
    let mut place = MOST_NEAR;
    while place > 0 && cost < more[place - 1] {
        if place < MOST_NEAR {
            more[place] = more[place - 1];
        }
        place -= 1;
    }
    if place < MOST_NEAR {
        more[place] = cost;
    }
    more
}

/// What two moves save beyond the two alone, by (closed site, open site).
#[derive(Clone)]
enum Extras {
    /// Few open sites: one number for each pair, open sites by slot.
    Dense { n_slots: usize, slot: Vec<u32>, site: Vec<u32>, value: Vec<i64> },
    /// Many open sites, of which each closed one meets few.
    Sparse(Vec<Vec<(u32, i64)>>),
}

impl Extras {
    fn new(core: &Core) -> Self {
        // One slot beyond p: a site may open before another closes.
        match core.p {
            Some(p) if p < 24 => {
                let n_slots = p + 1;
                let (slot, site) = (vec![NONE; core.n_sites], vec![NONE; n_slots]);
                Self::Dense { n_slots, slot, site, value: vec![0; n_slots * core.n_sites] }
            }
            _ => Self::Sparse(vec![Vec::new(); core.n_sites]),
        }
    }

    /// Gives an opened site its slot. More sites than slots turn the table sparse.
    fn open(&mut self, opened: u32) {
        if let Self::Dense { slot, site, .. } = self {
            match site.iter().position(|&taken| taken == NONE) {
                Some(free) => {
                    site[free] = opened;
                    slot[opened as usize] = free as u32;
                }
                None => {
                    self.turn_sparse();
                }
            }
        }
    }

    /// Frees the slot of a closed site; all its extras are zero by then.
    fn close(&mut self, closed: u32) {
        if let Self::Dense { slot, site, .. } = self {
            let taken = std::mem::replace(&mut slot[closed as usize], NONE);
            if let Some(place) = site.get_mut(taken as usize) {
                *place = NONE;
            }
        }
    }

    fn turn_sparse(&mut self) {
        let Self::Dense { slot, .. } = &*self else { return };
        let mut sparse = vec![Vec::new(); slot.len()];
        for (inn, pairs) in sparse.iter_mut().enumerate() {
            self.visit(inn as u32, |out, value| pairs.push((out, value)));
        }
        *self = Self::Sparse(sparse);
    }

    #[inline]
    fn add(&mut self, inn: u32, out: u32, extra: i64) {
        match self {
            Self::Dense { n_slots, slot, value, .. } => {
                value[inn as usize * *n_slots + slot[out as usize] as usize] += extra;
            }
            Self::Sparse(pairs) => add_extra(&mut pairs[inn as usize], out, extra),
        }
    }

    fn get(&self, inn: u32, out: u32) -> i64 {
        match self {
            Self::Dense { n_slots, slot, value, .. } => {
                value[inn as usize * n_slots + slot[out as usize] as usize]
            }
            Self::Sparse(pairs) => {
                pairs[inn as usize].iter().find(|pair| pair.0 == out).map_or(0, |pair| pair.1)
            }
        }
    }

    /// Calls `visit(open site, extra)` for every extra of a closed site that is not zero.
    fn visit(&self, inn: u32, mut visit: impl FnMut(u32, i64)) {
        match self {
            Self::Dense { n_slots, site, value, .. } => {
                let row = &value[inn as usize * n_slots..][..*n_slots];
                row.iter().zip(site).filter(|pair| *pair.0 != 0).for_each(|(&extra, &out)| visit(out, extra));
            }
            Self::Sparse(pairs) => pairs[inn as usize].iter().for_each(|&(out, extra)| visit(out, extra)),
        }
    }
}

fn add_extra(extra: &mut Vec<(u32, i64)>, site: u32, value: i64) {
    match extra.iter().position(|pair| pair.0 == site) {
        Some(place) => {
            extra[place].1 += value;
            if extra[place].1 == 0 {
                extra.swap_remove(place);
            }
        }
        None => extra.push((site, value)),
    }
}
