//! Better sites under capacities: a random walk that opens, closes and exchanges sites.

use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::build::{Core, Fate};
use super::capacity::{Assignment, Pairs, Value};
use super::loads::Loads;
use super::swap::Search;
use super::{Clock, Effort, Model, Options, Problem};

/// How much worse the first steps of a walk may be, as a share of what a site is worth.
const FIRST_HEAT: f64 = 0.1;

/// A random walk over sets of sites.
pub(super) struct Walk<'a> {
    pub problem: &'a Problem<'a>,
    pub model: Model,
    pub pairs: &'a Pairs,
    pub core: &'a Core,
    pub options: &'a Options<'a>,
    pub clock: &'a Clock<'a>,
    pub random: Xoshiro256PlusPlus,
}

impl Walk<'_> {
    /// Table entries read by a walk point by point.
    fn work(&self) -> usize {
        match self.options.effort {
            Effort::Quick => 30_000_000,
            _ => 600_000_000,
        }
    }

    fn free(&self) -> Vec<u32> {
        let is_free = |&site: &u32| self.core.fate[site as usize] == Fate::Free;
        (0..self.core.n_sites as u32).filter(is_free).collect()
    }

    /// A site to open and one to close, or one of them; `None` where nothing may change or the rules would suffer.
    fn exchange(
        &mut self,
        search: &Search,
        free: &[u32],
        may_close: &[u32],
    ) -> Option<(Option<u32>, Option<u32>)> {
        let core = self.core;
        let site = free[self.random.random_range(0..free.len())];
        let (inn, out) = if search.open[site as usize] {
            // Close it alone, or for another site near it.
            let near = self.random.random_range(0..3u32) > 0;
            let near = if near { self.near(site) } else { None };
            (near.filter(|&near| !search.open[near as usize]), Some(site))
        } else if core.p.is_none_or(|p| search.n_open < p) {
            (Some(site), None)
        } else {
            if may_close.is_empty() {
                return None;
            }
            (Some(site), Some(may_close[self.random.random_range(0..may_close.len())]))
        };
        self.allowed(search, inn, out)
    }

    fn allowed(
        &self,
        search: &Search,
        inn: Option<u32>,
        out: Option<u32>,
    ) -> Option<(Option<u32>, Option<u32>)> {
        let closed = |site: u32| self.core.fate[site as usize] == Fate::Closed;
        let breaks = search.broken_after(None, None) < search.broken_after(inn, out);
        (!inn.is_some_and(closed) && !breaks).then_some((inn, out))
    }

    /// A site that serves a point which this one serves too.
    fn near(&mut self, site: u32) -> Option<u32> {
        let column = self.core.col(site as usize);
        if column.is_empty() {
            return None;
        }
        let row = self.core.col_row[self.random.random_range(column)] as usize;
        Some(self.core.row_site[self.random.random_range(self.core.row(row))])
    }

    /// Every set of sites is judged by an assignment of its own; the walk never gets worse.
    pub fn set_by_set(&mut self, search: &mut Search, judge: &dyn Fn(&Search) -> (Value, Assignment)) {
        let free = self.free();
        let work = match self.options.effort {
            Effort::Quick => 20_000_000,
            _ => 200_000_000,
        };
        let steps = work / (self.pairs.site.len() + self.pairs.weight.len() + 1);
        let mut best = judge(search).0;
        let mut may_close = search.may_close();
        for step in 0..steps.min(400 * free.len()) {
            if step % 16 == 0 && self.clock.is_over() {
                break;
            }
            let Some((inn, out)) = self.exchange(search, &free, &may_close) else { continue };
            out.into_iter().for_each(|out| search.remove(out));
            inn.into_iter().for_each(|inn| search.insert(inn));
            let (value, _) = judge(search);
            if value <= best {
                best = value;
                may_close = search.may_close();
            } else {
                inn.into_iter().for_each(|inn| search.remove(inn));
                out.into_iter().for_each(|out| search.insert(out));
            }
        }
    }

    /// The assignment follows every change of sites, cooling down; returns the best one and leaves its sites open.
    pub fn point_by_point(&mut self, search: &mut Search, assignment: &[u32]) -> Assignment {
        let free = self.free();
        let (problem, model) = (self.problem, self.model);
        let mut loads = Loads::new(self.pairs, model, &problem.capacity, search.open.clone(), assignment);
        let own = |site: Option<u32>| match (model, site) {
            (Model::SetCover, Some(site)) => {
                problem.site_cost.get(site as usize).map_or(1, |&cost| u64::from(cost))
            }
            _ => 0,
        };
        let opened = search.sites();
        let n_open = opened.len().max(1) as f64;
        // Worse by a little is accepted at first: by a share of what a site is worth.
        let first_heat = match model {
            Model::MaxCover { .. } => opened.iter().map(|&site| loads.load(site)).sum::<u64>() as f64,
            Model::PMedian { .. } => loads.value.1 as f64,
            _ => 0.0,
        } * FIRST_HEAT
            / n_open;
        let mut of_sites: u64 = opened.iter().map(|&site| own(Some(site))).sum();
        let mut best = (search.broken_after(None, None), (loads.value.0, loads.value.1 + of_sites));
        let mut kept = (opened, loads.assignment.clone());
        let mut may_close = search.may_close();
        let nothing_to_do = free.is_empty() || self.pairs.heaviest.is_empty();
        let (most_work, most_steps) = (self.work() as f64, (1000 * free.len()) as f64);
        for step in 1_usize.. {
            let left = 1.0 - (loads.work as f64 / most_work).max(step as f64 / most_steps);
            if nothing_to_do || left <= 0.0 {
                break;
            }
            if step % 64 == 0 && self.clock.is_over() {
                break;
            }
            loads.work += 10;
            let exchange = if self.random.random_range(0..3u32) == 0 {
                self.exchange(search, &free, &may_close)
            } else {
                self.exchange_for_someone(search, &loads, &may_close)
            };
            let Some((inn, out)) = exchange else { continue };
            let before = loads.value;
            loads.exchange(inn, out);
            let heat = -first_heat * left * left * (1.0 - self.random.random::<f64>()).ln();
            let limit = before.1 + own(out) + heat as u64;
            if (before.0, limit) < (loads.value.0, loads.value.1 + own(inn)) {
                loads.take_back(inn, out);
                continue;
            }
            loads.keep();
            out.into_iter().for_each(|out| search.remove(out));
            inn.into_iter().for_each(|inn| search.insert(inn));
            may_close = search.may_close();
            of_sites = of_sites + own(inn) - own(out);
            let now = (search.broken_after(None, None), (loads.value.0, loads.value.1 + of_sites));
            if now < best {
                best = now;
                kept = (search.sites(), loads.assignment.clone());
            }
        }
        search.become_sites(&kept.0);
        kept.1
    }

    /// A site near somebody who is not served opens for one near it, or for the one with least load of a few.
    fn exchange_for_someone(
        &mut self,
        search: &Search,
        loads: &Loads<'_>,
        may_close: &[u32],
    ) -> Option<(Option<u32>, Option<u32>)> {
        let heaviest = &self.pairs.heaviest;
        let point = heaviest[self.random.random_range(0..heaviest.len())];
        if loads.is_served(point) && !matches!(self.model, Model::PMedian { .. }) {
            return None;
        }
        let row = self.pairs.start[point as usize]..self.pairs.start[point as usize + 1];
        if row.is_empty() {
            return None;
        }
        let inn = self.pairs.site[self.random.random_range(row)];
        if search.open[inn as usize] || self.core.fate[inn as usize] != Fate::Free {
            return None;
        }
        if self.core.p.is_none_or(|p| search.n_open < p) && self.random.random_range(0..2u32) == 0 {
            return self.allowed(search, Some(inn), None);
        }
        let is_open =
            |site: &u32| search.open[*site as usize] && self.core.fate[*site as usize] == Fate::Free;
        let out = if self.random.random_range(0..2u32) == 0 {
            self.near(inn).filter(is_open)
        } else {
            let some =
                (0..4.min(may_close.len())).map(|_| may_close[self.random.random_range(0..may_close.len())]);
            some.min_by_key(|&site| (loads.load(site), site))
        };
        self.allowed(search, Some(inn), Some(out?))
    }
}
