//! Why these stations: what each adds, what would be lost without it, the runner-up, what closes.

use super::setting::Setting;
use super::{ClosedStation, Origin, OutOfReach, TierAnswer, TierGoal, TierNote, TierStation, TierTask};
use crate::siting::{Change, Problem, Reason, Siting};

/// Translates a siting on the tier's columns to the task's sites, with reasons.
pub(super) fn answer(
    task: &TierTask,
    setting: &Setting,
    problem: &Problem,
    siting: &Siting,
    best_per_goal: bool,
    notes: Vec<TierNote>,
) -> TierAnswer {
    let times = problem.backup.times() as u64;
    let rule = &task.rules[setting.tier];
    let in_reach = |demand: usize| {
        let row = setting.indptr[demand] as usize..setting.indptr[demand + 1] as usize;
        setting.cost[row].iter().filter(|&&cost| cost <= rule.walk_limit).count() as u64
    };
    let serving = |(demand, &column): (usize, &i32)| {
        let mut row = setting.indptr[demand] as usize..setting.indptr[demand + 1] as usize;
        let walk =
            row.find(|&entry| setting.indices[entry] as i32 == column).map(|entry| setting.cost[entry]);
        walk.filter(|&walk| walk <= rule.walk_limit).map_or(-1, |_| setting.site_of[column as usize] as i32)
    };
    let beyond = (0..task.households.len()).filter(|&demand| in_reach(demand) < times);
    let out_of_reach = beyond.filter(|&demand| task.households[demand] > 0).map(|demand| OutOfReach {
        demand: demand as u32,
        households: task.households[demand],
        nearest: setting.nearest[demand],
    });
    let mut cover = Cover::new(task, setting, problem);
    let stations = stations(setting, &siting.reasons, &mut cover);
    let (covered, bound, walks) = if rule.goal.is_of_walks() {
        let households = |demand: usize| u64::from(task.households[demand]);
        let points = 0..task.households.len();
        let covered =
            points.clone().filter(|&demand| cover.times <= cover.depth[demand]).map(households).sum();
        let reachable = points.filter(|&demand| times <= in_reach(demand)).map(households).sum();
        (covered, reachable, Some((siting.objective, siting.bound)))
    } else {
        (siting.objective, siting.bound, None)
    };
    TierAnswer {
        tier: setting.tier,
        stations,
        closed: closed(setting, siting, &cover),
        assignment: siting.assignment.iter().enumerate().map(serving).collect(),
        covered,
        walks,
        total: task.households.iter().map(|&households| u64::from(households)).sum(),
        bound,
        gap: siting.gap,
        proven: match rule.goal {
            TierGoal::Coverage(_) => best_per_goal,
            _ => siting.proven,
        },
        certificate: siting.certificate.clone(),
        out_of_reach: out_of_reach.collect(),
        notes,
    }
}

/// Which demand points each column reaches, and how many stations of an answer reach each point.
struct Cover<'a> {
    task: &'a TierTask<'a>,
    points_of: Vec<Vec<u32>>,
    depth: Vec<u32>,
    times: u32,
}

impl<'a> Cover<'a> {
    fn new(task: &'a TierTask<'a>, setting: &Setting, problem: &Problem) -> Self {
        let limit = task.rules[setting.tier].walk_limit;
        let mut points_of = vec![Vec::new(); setting.site_of.len()];
        for demand in 0..task.households.len() {
            let household = u64::from(task.households[demand]);
            let fits =
                |column: u32| problem.capacity.get(column as usize).is_none_or(|&most| household <= most);
            problem.visit_row(demand, |column, cost| {
                if cost <= limit && fits(column) {
                    points_of[column as usize].push(demand as u32);
                }
            });
        }
        let times = problem.backup.times() as u32;
        Self { task, points_of, depth: vec![0; task.households.len()], times }
    }

    /// Households that count as covered once a station stands at the column, and did not before.
    fn gain(&self, column: u32) -> u64 {
        let new = self.points_of[column as usize].iter();
        let new = new.filter(|&&demand| self.depth[demand as usize] + 1 == self.times);
        new.map(|&demand| u64::from(self.task.households[demand as usize])).sum()
    }

    fn add(&mut self, column: u32) {
        for &demand in &self.points_of[column as usize] {
            self.depth[demand as usize] += 1;
        }
    }
}

/// Stations with what each adds: standing ones first, then the chosen ones in the order of their gain.
fn stations(setting: &Setting, reasons: &[Reason], cover: &mut Cover<'_>) -> Vec<TierStation> {
    let origin = |column: u32| match setting.stands(column) {
        true if setting.wider[column as usize] => Origin::Wider,
        true => Origin::Existing,
        false => Origin::Chosen,
    };
    let mut left: Vec<&Reason> = reasons.iter().collect();
    let mut stations = Vec::new();
    while !left.is_empty() {
        let key = |reason: &&Reason| {
            let chosen = origin(reason.site) == Origin::Chosen;
            (!chosen, cover.gain(reason.site), std::cmp::Reverse(reason.site))
        };
        let place = (0..left.len()).max_by_key(|&place| key(&left[place])).expect("not empty");
        let reason = left.swap_remove(place);
        let adds = cover.gain(reason.site);
        cover.add(reason.site);
        stations.push(TierStation {
            site: setting.site_of[reason.site as usize],
            origin: origin(reason.site),
            adds,
            serves: reason.weight,
            loss: reason.loss.unwrap_or(reason.weight),
            runner_up: reason
                .runner_up
                .map(|(column, loss)| (setting.site_of[column as usize], loss.unwrap_or(0))),
        });
    }
    stations
}

/// Standing stations that the answer does not keep; `cover` holds the whole answer.
fn closed(setting: &Setting, siting: &Siting, cover: &Cover<'_>) -> Vec<ClosedStation> {
    let chosen = |column: &u32| siting.sites.binary_search(column).is_ok();
    let gone = setting.changeable.iter().filter(|existing| !chosen(&existing.site));
    let mut taken: Vec<u32> = Vec::new();
    gone.map(|existing| {
        let moved_to = match &existing.change {
            Change::Close => None,
            Change::MoveTo(columns) => {
                let places = || columns.iter().copied().filter(chosen);
                let free = places().find(|place| !taken.contains(place)).or_else(|| places().next());
                taken.extend(free);
                free
            }
        };
        ClosedStation {
            site: setting.site_of[existing.site as usize],
            moved_to: moved_to.map(|column| setting.site_of[column as usize]),
            loss: cover.gain(existing.site),
        }
    })
    .collect()
}
