//! One tier as a problem of its own: admissible places, what stands, what the rule adds.

use std::collections::BTreeMap;

use super::{TierNote, TierTask};
use crate::siting::{Change, Existing, Group, Problem, Table, Then};

/// Whether what stands may close or move where the planner allows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Everything stays.
    Stays,
    /// As [`TierSite::change`](super::TierSite::change) says.
    MayChange,
}

/// Which walks a tier's table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Walks {
    /// Those within the tier's limit.
    WithinLimit,
    /// All, of the households that most places can be reached from.
    All,
}

/// One tier's table: columns are the admissible sites only.
pub(super) struct Setting {
    pub tier: usize,
    /// Column → site of the task.
    pub site_of: Vec<u32>,
    /// Columns of wider stations and of standing ones that stay.
    pub fixed: Vec<u32>,
    /// Columns of standing stations that may close or move.
    pub changeable: Vec<Existing>,
    pub wider: Vec<bool>,
    pub indptr: Vec<u64>,
    pub indices: Vec<u32>,
    pub cost: Vec<u32>,
    /// Nearest admissible site beyond the limit, per demand point.
    pub nearest: Vec<Option<u32>>,
    capacity: Vec<u64>,
    pub groups: Vec<Group>,
    too_close: Vec<(u32, u32)>,
}

impl Setting {
    pub fn new(
        task: &TierTask,
        tier: usize,
        wider: &[u32],
        (standing, walks): (Standing, Walks),
        notes: &mut Vec<TierNote>,
    ) -> Self {
        let rule = &task.rules[tier];
        let furthest = if walks == Walks::All { u32::MAX - 1 } else { rule.walk_limit };
        let is_wider = |site: u32| wider.binary_search(&site).is_ok();
        let stands = |site: u32| task.sites[site as usize].existing == Some(tier);
        let mut unknown_area = 0;
        let mut admissible = |site: u32| {
            let place = &task.sites[site as usize];
            if is_wider(site) || stands(site) {
                return true;
            }
            let suits = place.existing.is_none() && (place.suits.is_empty() || place.suits.contains(&tier));
            let large = match (rule.least_area, place.area) {
                (Some(least), Some(area)) => least <= area,
                (Some(_), None) => {
                    unknown_area += usize::from(suits);
                    true
                }
                (None, _) => true,
            };
            suits && large
        };
        let site_of: Vec<u32> = (0..task.sites.len() as u32).filter(|&site| admissible(site)).collect();
        if let (Some(least), 1..) = (rule.least_area, unknown_area) {
            let (tier, count) = (rule.name.clone(), unknown_area);
            notes.push(TierNote::UnknownArea { tier, count, least: least.round() as u64 });
        }
        let mut column_of = vec![u32::MAX; task.sites.len()];
        site_of.iter().enumerate().for_each(|(column, &site)| column_of[site as usize] = column as u32);
        let mut setting = Self {
            tier,
            fixed: Vec::new(),
            changeable: Vec::new(),
            wider: site_of.iter().map(|&site| is_wider(site)).collect(),
            indptr: vec![0],
            indices: Vec::new(),
            cost: Vec::new(),
            nearest: Vec::new(),
            capacity: Vec::new(),
            groups: Vec::new(),
            too_close: Vec::new(),
            site_of,
        };
        for (column, &site) in setting.site_of.iter().enumerate() {
            let change =
                task.sites[site as usize].change.as_ref().filter(|_| standing == Standing::MayChange);
            match change.filter(|_| stands(site) && !is_wider(site)) {
                Some(change) => {
                    let change = on_columns(change, &column_of);
                    setting.changeable.push(Existing { site: column as u32, change });
                }
                None if is_wider(site) || stands(site) => setting.fixed.push(column as u32),
                None => {}
            }
        }
        for demand in 0..task.reach.n_demand() {
            let mut nearest: Option<u32> = None;
            task.reach.visit_row(demand, |site, cost| {
                let column = column_of[site as usize];
                if column != u32::MAX {
                    nearest = Some(nearest.map_or(cost, |nearest| nearest.min(cost)));
                    if cost <= furthest {
                        setting.indices.push(column);
                        setting.cost.push(cost);
                    }
                }
            });
            setting.indptr.push(setting.indices.len() as u64);
            setting.nearest.push(nearest);
        }
        if walks == Walks::All {
            setting.leave_out_islands(task, notes);
        }
        setting.set_capacity(task);
        setting.set_groups(task, notes);
        setting.set_spacing(task, &column_of);
        setting
    }

    /// Empties the rows from which fewer than half of the places are reached that the best connected row reaches:
    /// one household on streets of its own must not need a station there, nor decide how far the farthest walks.
    fn leave_out_islands(&mut self, task: &TierTask, notes: &mut Vec<TierNote>) {
        let most = self.indptr.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
        let (mut indptr, mut indices, mut cost) = (vec![0], Vec::new(), Vec::new());
        let mut households = 0;
        for (demand, pair) in self.indptr.windows(2).enumerate() {
            let row = pair[0] as usize..pair[1] as usize;
            if most <= 2 * row.len() as u64 {
                indices.extend_from_slice(&self.indices[row.clone()]);
                cost.extend_from_slice(&self.cost[row]);
            } else {
                households += u64::from(task.households[demand]);
            }
            indptr.push(indices.len() as u64);
        }
        (self.indptr, self.indices, self.cost) = (indptr, indices, cost);
        if 0 < households {
            notes.push(TierNote::Apart { tier: task.rules[self.tier].name.clone(), households });
        }
    }

    /// Columns where a station stands now.
    pub fn stands(&self, column: u32) -> bool {
        self.fixed.binary_search(&column).is_ok() || self.may_change(column).is_some()
    }

    /// What may happen to the station standing at a column.
    pub fn may_change(&self, column: u32) -> Option<&Existing> {
        let found = self.changeable.binary_search_by_key(&column, |existing| existing.site).ok()?;
        Some(&self.changeable[found])
    }

    /// Fewest stations that any answer has: what stays, what can only move, what may not all close, and what the
    /// communities are owed.
    pub fn least_stations(&self, task: &TierTask) -> usize {
        let closable = self.changeable.iter().filter(|existing| existing.change == Change::Close).count();
        // Two that may move to the same place could share it.
        let mut seen = vec![false; self.site_of.len()];
        let apart = |group: &&Group| {
            let is_apart = group.sites.iter().all(|&column| !seen[column as usize]);
            group.sites.iter().for_each(|&column| seen[column as usize] = true);
            is_apart
        };
        let moving = self.places_of_movable().iter().filter(apart).count();
        let most_closed = task.rules[self.tier].most_closed.unwrap_or(closable).min(closable);
        let staying = self.fixed.len() + moving + closable - most_closed;
        let owed = |group: &Group| {
            let fixed = group.sites.iter().filter(|column| self.fixed.binary_search(column).is_ok()).count();
            group.at_least.saturating_sub(fixed)
        };
        let owed: usize = self.groups.iter().map(owed).sum();
        staying.max(self.fixed.len() + owed)
    }

    /// A station that may move keeps one of its places at least; others of them are free for new stations.
    fn places_of_movable(&self) -> Vec<Group> {
        let group = |existing: &Existing| match &existing.change {
            Change::Close => None,
            Change::MoveTo(columns) => {
                let sites: Vec<u32> = std::iter::once(existing.site).chain(columns.iter().copied()).collect();
                Some(Group { at_least: 1, at_most: sites.len(), sites })
            }
        };
        self.changeable.iter().filter_map(group).collect()
    }

    /// Capacities in households, blown up by the share that uses the tier.
    fn set_capacity(&mut self, task: &TierTask) {
        let rule = &task.rules[self.tier];
        let capacity = |&site: &u32| task.sites[site as usize].capacity.or(rule.capacity);
        if self.site_of.iter().any(|site| capacity(site).is_some()) {
            let scaled = |site: &u32| {
                capacity(site)
                    .map_or(u64::from(u32::MAX), |most| (f64::from(most) / rule.demand_share) as u64)
            };
            self.capacity = self.site_of.iter().map(scaled).collect();
        }
    }

    fn set_groups(&mut self, task: &TierTask, notes: &mut Vec<TierNote>) {
        let rule = &task.rules[self.tier];
        let (least, most) = (rule.least_per_community, rule.most_per_community);
        if least == 0 && most.is_none() {
            return;
        }
        let mut columns = self.by_community(task);
        if least > 0 {
            // A community without a single place is owed a note as well.
            task.community.iter().flatten().for_each(|&community| {
                columns.entry(community).or_default();
            });
        }
        for (community, columns) in columns {
            let own: Vec<u32> = columns.into_iter().filter(|&column| !self.wider[column as usize]).collect();
            let fixed = own.iter().filter(|column| self.fixed.binary_search(column).is_ok()).count();
            if own.len() < least {
                let (tier, places) = (rule.name.clone(), own.len());
                notes.push(TierNote::FewPlaces { community, tier, places, wanted: least });
            }
            if let Some(most) = most.filter(|&most| most < fixed) {
                let tier = rule.name.clone();
                notes.push(TierNote::TooManyExisting { community, found: fixed, most, tier });
            }
            let at_least = least.min(own.len());
            let at_most = most.unwrap_or(own.len()).max(fixed).max(at_least);
            self.groups.push(Group { sites: own, at_least, at_most });
        }
    }

    /// Each community keeps the number of new stations that these columns give it; nothing opens elsewhere.
    pub fn as_many_in_each(&self, task: &TierTask, columns: &[u32]) -> Vec<Group> {
        let free = |column: &u32| !self.stands(*column);
        let group = |sites: Vec<u32>| {
            let n = sites.iter().filter(|column| columns.binary_search(column).is_ok()).count();
            Group { sites, at_least: n, at_most: n }
        };
        let nowhere = |column: &u32| task.sites[self.site_of[*column as usize] as usize].community.is_none();
        let elsewhere: Vec<u32> = (0..self.site_of.len() as u32).filter(free).filter(nowhere).collect();
        let places = self.by_community(task).into_values();
        let groups = places.map(|places| group(places.into_iter().filter(free).collect()));
        groups.chain([group(elsewhere)]).filter(|group| !group.sites.is_empty()).collect()
    }

    /// Pairs that matter: a place too close to a station that stays is no place, so that its pair is with itself.
    fn set_spacing(&mut self, task: &TierTask, column_of: &[u32]) {
        let mut blocked = Vec::new();
        for &(one, other) in &task.rules[self.tier].too_close {
            let (one, other) = (column_of[one as usize], column_of[other as usize]);
            if one == u32::MAX || other == u32::MAX || self.wider[one as usize] || self.wider[other as usize]
            {
                continue;
            }
            match (self.stands(one), self.stands(other)) {
                (true, true) => {}
                (true, false) if self.may_change(one).is_none() => blocked.push(other),
                (false, true) if self.may_change(other).is_none() => blocked.push(one),
                _ => self.too_close.push((one, other)),
            }
        }
        blocked.sort_unstable();
        blocked.dedup();
        self.groups.extend(blocked.into_iter().map(|column| Group {
            sites: vec![column],
            at_least: 0,
            at_most: 0,
        }));
    }

    pub fn by_community(&self, task: &TierTask) -> BTreeMap<u32, Vec<u32>> {
        let mut columns = BTreeMap::<u32, Vec<u32>>::new();
        for (column, &site) in self.site_of.iter().enumerate() {
            if let Some(community) = task.sites[site as usize].community {
                columns.entry(community).or_default().push(column as u32);
            }
        }
        columns
    }

    pub fn problem<'a>(&'a self, task: &TierTask) -> Problem<'a> {
        let table = Table::sparse(self.site_of.len(), &self.indptr, &self.indices, Some(&self.cost));
        let mut problem = Problem::new(table.expect("built row by row from a checked table"));
        problem.weights = task.households.to_vec();
        if task.rules[self.tier].goal.is_of_walks() {
            // Models of walks must serve everyone who counts.
            let rows = problem.weights.iter_mut().zip(self.indptr.windows(2));
            rows.filter(|(_, row)| row[0] == row[1]).for_each(|(weight, _)| *weight = 0);
        }
        problem.fixed.clone_from(&self.fixed);
        problem.capacity.clone_from(&self.capacity);
        problem.groups.clone_from(&self.groups);
        problem.groups.extend(self.places_of_movable());
        let closable = self.changeable.iter().filter(|existing| existing.change == Change::Close);
        problem.existing = closable.cloned().collect();
        problem.max_closed = task.rules[self.tier].most_closed;
        problem.too_close.clone_from(&self.too_close);
        problem.backup = task.rules[self.tier].backup;
        problem.then = Then::Nearest;
        problem
    }
}

/// A change told in columns; places that the tier does not admit fall out.
fn on_columns(change: &Change, column_of: &[u32]) -> Change {
    match change {
        Change::Close => Change::Close,
        Change::MoveTo(sites) => {
            let columns = sites.iter().map(|&site| column_of[site as usize]);
            Change::MoveTo(columns.filter(|&column| column != u32::MAX).collect())
        }
    }
}
