//! First answers: greedy opening, repair of rules, and for set cover a search with row weights.

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::Clock;
use super::build::{Core, Fate, MUST};
use super::swap::Search;

/// Opens sites one by one: first whatever mends broken rules, then whatever saves most.
pub(crate) fn greedy<'c>(core: &'c Core, clock: &Clock) -> Search<'c> {
    let mut search = Search::new(core);
    mend_rules(&mut search);
    search.open_greedily(clock);
    search
}

/// Opens or exchanges sites until the rules hold or no single step lowers their violation.
fn mend_rules(search: &mut Search) {
    let core = search.core;
    loop {
        let broken = search.broken_after(None, None);
        if broken == 0 {
            return;
        }
        let may_open = |site: u32| !search.open[site as usize] && core.fate[site as usize] != Fate::Closed;
        let mut best: Option<(i64, i64, Option<u32>, Option<u32>)> = None;
        let mut consider = |after: i64, change: i64, inn: Option<u32>, out: Option<u32>| {
            if after < broken && best.is_none_or(|best| (after, change) < (best.0, best.1)) {
                best = Some((after, change, inn, out));
            }
        };
        let room = core.p.is_none_or(|p| search.n_open < p);
        let may_close = search.may_close();
        for inn in (0..core.n_sites as u32).filter(|&site| may_open(site)) {
            if room {
                consider(search.broken_after(Some(inn), None), -search.gain_of(inn), Some(inn), None);
            }
            for &out in &may_close {
                let change = search.exchange_change(inn, out);
                consider(search.broken_after(Some(inn), Some(out)), change, Some(inn), Some(out));
            }
        }
        for &out in &may_close {
            consider(search.broken_after(None, Some(out)), search.loss_of(out), None, Some(out));
        }
        let Some((_, _, inn, out)) = best else { return };
        out.into_iter().for_each(|out| search.remove(out));
        inn.into_iter().for_each(|inn| search.insert(inn));
    }
}

/// A set of sites that serves every row, improved until `steps` exchanges are spent or `goal` is reached.
///
/// Row weights grow while a row stays unserved, so that the search leaves local optima.
/// Source: Gao, Weise and Li (2015), "An efficient local search heuristic with row weighting for the unicost
/// set covering problem"; extended by site costs, rules and rows served twice.
pub(crate) fn cover_search(
    core: &Core,
    start: &[u32],
    steps: usize,
    goal: i64,
    seed: u64,
    clock: &Clock,
) -> Vec<u32> {
    let mut state = Weighted::new(core, start);
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut best: Vec<u32> = start.to_vec();
    let mut best_cost: i64 = start.iter().map(|&site| core.open_cost[site as usize]).sum();
    let mut fresh = u32::MAX;
    for step in 0..steps {
        if step % 256 == 0 && clock.is_over() {
            break;
        }
        while state.unserved.is_empty() && state.broken == 0 {
            if state.cost < best_cost {
                best_cost = state.cost;
                best = state.sites();
            }
            if best_cost <= goal || !state.remove_cheapest(u32::MAX, step as u64) {
                return best;
            }
        }
        state.remove_cheapest(fresh, step as u64);
        while let Some(row) = state.pick_unserved(&mut random) {
            let Some(site) = state.best_for_row(row, best_cost) else { break };
            state.insert(site, step as u64);
            fresh = site;
        }
        state.weigh_unserved();
    }
    best
}

/// State of the weighted search: how often each row is served and what each site is worth.
struct Weighted<'c> {
    core: &'c Core,
    open: Vec<bool>,
    list: Vec<u32>,
    cost: i64,
    served: Vec<u32>,
    weight: Vec<i64>,
    /// Closed site: weight of rows it would newly serve. Open site: minus the weight of rows lost without it.
    score: Vec<i64>,
    changed: Vec<u64>,
    may_enter: Vec<bool>,
    unserved: Vec<u32>,
    place: Vec<u32>,
    rules_of: Vec<Vec<(u32, i64)>>,
    slack: Vec<i64>,
    broken: i64,
}

impl<'c> Weighted<'c> {
    fn new(core: &'c Core, start: &[u32]) -> Self {
        let n_rows = core.n_rows();
        let mut state = Self {
            core,
            open: vec![false; core.n_sites],
            list: Vec::new(),
            cost: 0,
            served: vec![0; n_rows],
            weight: vec![1; n_rows],
            score: (0..core.n_sites).map(|_| 0).collect(),
            changed: vec![0; core.n_sites],
            may_enter: vec![true; core.n_sites],
            unserved: (0..n_rows as u32).collect(),
            place: (0..n_rows as u32).collect(),
            rules_of: core.rules_of_sites(),
            slack: core.rules.iter().map(|rule| rule.limit).collect(),
            broken: core.rules.iter().map(|rule| (-rule.limit).max(0)).sum(),
        };
        for site in 0..core.n_sites {
            state.score[site] = core.col(site).len() as i64;
        }
        if core.times == 2 {
            state.score.fill(0);
        }
        start.iter().for_each(|&site| state.insert(site, 0));
        state
    }

    fn sites(&self) -> Vec<u32> {
        let mut sites = self.list.clone();
        sites.sort_unstable();
        sites
    }

    fn insert(&mut self, site: u32, step: u64) {
        let core = self.core;
        self.open[site as usize] = true;
        self.list.push(site);
        self.cost += core.open_cost[site as usize];
        self.move_rules(site, 1);
        self.changed[site as usize] = step;
        self.score[site as usize] = -self.score[site as usize];
        let times = core.times as u32;
        for entry in core.col(site as usize) {
            let row = core.col_row[entry] as usize;
            self.served[row] += 1;
            let weight = self.weight[row];
            if self.served[row] == times {
                self.forget_unserved(row as u32);
                self.add_scores(row, |_| -weight, site);
            } else if self.served[row] == times + 1 {
                self.add_scores(row, |open| if open { weight } else { 0 }, site);
            } else if self.served[row] + 1 == times {
                self.add_scores(row, |open| if open { 0 } else { weight }, site);
            }
        }
        self.refresh(site);
    }

    fn remove(&mut self, site: u32, step: u64) {
        let core = self.core;
        self.open[site as usize] = false;
        self.list.retain(|&open| open != site);
        self.cost -= core.open_cost[site as usize];
        self.move_rules(site, -1);
        self.changed[site as usize] = step;
        self.may_enter[site as usize] = false;
        let times = core.times as u32;
        for entry in core.col(site as usize) {
            let row = core.col_row[entry] as usize;
            self.served[row] -= 1;
            let weight = self.weight[row];
            if self.served[row] + 1 == times {
                self.place[row] = self.unserved.len() as u32;
                self.unserved.push(row as u32);
                self.add_scores(row, |_| weight, site);
            } else if self.served[row] == times {
                self.add_scores(row, |open| if open { -weight } else { 0 }, site);
            } else if self.served[row] + 2 == times {
                self.add_scores(row, |open| if open { 0 } else { -weight }, site);
            }
        }
        self.refresh(site);
    }

    /// Adds `change(is open)` to the score of every other site of a row and lets them enter again.
    fn add_scores(&mut self, row: usize, change: impl Fn(bool) -> i64, but: u32) {
        let core = self.core;
        for entry in core.row(row) {
            let site = core.row_site[entry];
            if site != but {
                self.score[site as usize] += change(self.open[site as usize]);
                self.may_enter[site as usize] = true;
            }
        }
    }

    /// Recomputes the score of one site from its rows.
    fn refresh(&mut self, site: u32) {
        let core = self.core;
        let times = core.times as u32;
        let open = self.open[site as usize];
        let counts =
            |row: &usize| if open { self.served[*row] == times } else { self.served[*row] + 1 == times };
        let rows = core.col(site as usize).map(|entry| core.col_row[entry] as usize);
        let weight: i64 = rows.filter(counts).map(|row| self.weight[row]).sum();
        self.score[site as usize] = if open { -weight } else { weight };
    }

    fn move_rules(&mut self, site: u32, sign: i64) {
        for &(rule, coefficient) in &self.rules_of[site as usize] {
            let slack = &mut self.slack[rule as usize];
            self.broken -= (-*slack).max(0);
            *slack -= sign * coefficient;
            self.broken += (-*slack).max(0);
        }
    }

    fn breaks(&self, site: u32, sign: i64) -> i64 {
        let terms = self.rules_of[site as usize].iter();
        terms.map(|&(rule, coefficient)| (sign * coefficient - self.slack[rule as usize]).max(0)).sum()
    }

    fn forget_unserved(&mut self, row: u32) {
        let place = self.place[row as usize] as usize;
        self.unserved.swap_remove(place);
        if let Some(&moved) = self.unserved.get(place) {
            self.place[moved as usize] = place as u32;
        }
    }

    /// Closes the free site that loses least per cost, oldest first; false if there is none.
    fn remove_cheapest(&mut self, tabu: u32, step: u64) -> bool {
        let free = |&&site: &&u32| site != tabu && self.core.fate[site as usize] == Fate::Free;
        let allowed = self.list.iter().filter(free).filter(|&&site| self.breaks(site, -1) == 0);
        let key = |site: u32| {
            let cost = self.core.open_cost[site as usize].max(1) as f64;
            (-self.score[site as usize] as f64 / cost, self.changed[site as usize], site)
        };
        let best = allowed.copied().min_by(|&one, &other| key(one).partial_cmp(&key(other)).expect("finite"));
        best.inspect(|&site| self.remove(site, step)).is_some()
    }

    fn pick_unserved(&self, random: &mut Xoshiro256PlusPlus) -> Option<u32> {
        if self.unserved.is_empty() {
            return None;
        }
        Some(self.unserved[random.random_range(0..self.unserved.len())])
    }

    /// The best closed site for a row that keeps the cost below the best known.
    fn best_for_row(&self, row: u32, best_cost: i64) -> Option<u32> {
        let core = self.core;
        let sites = core.row(row as usize).map(|entry| core.row_site[entry]);
        let may = sites.filter(|&site| {
            !self.open[site as usize]
                && core.fate[site as usize] != Fate::Closed
                && self.cost + core.open_cost[site as usize] < best_cost
                && self.breaks(site, 1) == 0
        });
        let key = |site: u32| {
            let cost = core.open_cost[site as usize].max(1) as f64;
            // A site that just left comes back only if nothing near it changed and no other helps.
            (
                !self.may_enter[site as usize],
                -self.score[site as usize] as f64 / cost,
                self.changed[site as usize],
                site,
            )
        };
        may.min_by(|&one, &other| key(one).partial_cmp(&key(other)).expect("finite"))
    }

    fn weigh_unserved(&mut self) {
        let times = self.core.times as u32;
        for index in 0..self.unserved.len() {
            let row = self.unserved[index] as usize;
            self.weight[row] += 1;
            if self.served[row] + 1 != times {
                continue;
            }
            for entry in self.core.row(row) {
                let site = self.core.row_site[entry] as usize;
                if !self.open[site] {
                    self.score[site] += 1;
                }
            }
        }
    }
}

/// Greedy cover: the site that newly serves most rows per cost, until all are served; then drops idle sites.
///
/// Returns `None` if the rules keep some row unserved.
pub(crate) fn greedy_cover(core: &Core, clock: &Clock) -> Option<Vec<u32>> {
    let mut search = Search::new(core);
    mend_rules(&mut search);
    let unserved =
        |search: &Search| (0..core.n_rows()).any(|row| core.miss[row] == MUST && !search.is_served(row));
    while unserved(&search) && !clock.is_cancelled() {
        let key = |site: u32| {
            let saved = search.gain_of(site) + core.open_cost[site as usize];
            saved as f64 / core.open_cost[site as usize].max(1) as f64
        };
        let may = |site: &u32| !search.open[*site as usize] && core.fate[*site as usize] != Fate::Closed;
        let allowed =
            (0..core.n_sites as u32).filter(may).filter(|&site| search.broken_after(Some(site), None) == 0);
        let best = allowed
            .max_by(|&one, &other| key(one).partial_cmp(&key(other)).expect("finite").then(other.cmp(&one)));
        match best {
            Some(site) => search.insert(site),
            None => return None,
        }
    }
    while search.close_best() {}
    search.is_feasible().then(|| search.sites())
}
