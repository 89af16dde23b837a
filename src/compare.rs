//! Two plans of one place side by side: who moved, which codes follow which, what it does to coverage.

use std::collections::BTreeMap;

use crate::model::{AtomCoverage, Lang, Plan, Scenario, WalkBand};

/// What changed between two plans. Households are those of the later scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Households in both plans.
    pub households: u64,
    /// Households whose grid code differs.
    pub moved_households: u64,
    /// Who moved from where to where, most households first.
    pub moves: Vec<Move>,
    /// Codes of the earlier plan that the later one does not use.
    pub retired: Vec<String>,
    /// Codes of the later plan that the earlier one did not use.
    pub new: Vec<String>,
    /// Per circle, who wins and who loses a station.
    pub coverage: Vec<CoverageChange>,
    /// Buildings that only one of the plans knows.
    pub unmatched_buildings: u64,
}

/// Households that change from one grid to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Earlier code.
    pub from: String,
    /// Later code.
    pub to: String,
    /// Households.
    pub households: u64,
}

/// What changes within one circle, by network time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoverageChange {
    /// Circle, minutes.
    pub minutes: u32,
    /// Households reached now and not before.
    pub won: u64,
    /// Households reached before and not now.
    pub lost: u64,
    /// Buildings that lose, by source id, most households first; at most 1,000.
    pub losers: Vec<String>,
}

/// Losers named per circle.
const NAMED_LOSERS: usize = 1000;

impl Comparison {
    /// Share of households that change grid, 0 to 1.
    #[must_use]
    pub fn moved_share(&self) -> f64 {
        self.moved_households as f64 / self.households.max(1) as f64
    }

    /// The comparison as lines for people.
    #[must_use]
    pub fn lines(&self, lang: Lang) -> Vec<String> {
        let mut lines = vec![format!(
            "{} {} / {} {} ({:.2} %)",
            lang.pick("变更网格：", "change grid:"),
            self.moved_households,
            self.households,
            lang.pick("户", "households"),
            self.moved_share() * 100.0
        )];
        for step in self.moves.iter().take(20) {
            lines.push(format!(
                "  {} → {}: {} {}",
                step.from,
                step.to,
                step.households,
                lang.pick("户", "households")
            ));
        }
        if 20 < self.moves.len() {
            lines.push(format!(
                "  … {} {}",
                self.moves.len() - 20,
                lang.pick("条更多（--json 列出全部）", "more (--json lists all)")
            ));
        }
        let list = |codes: &[String]| if codes.is_empty() { "-".to_owned() } else { codes.join(" ") };
        lines.push(format!("{} {}", lang.pick("停用代码：", "retired codes:"), list(&self.retired)));
        lines.push(format!("{} {}", lang.pick("新代码：", "new codes:"), list(&self.new)));
        for change in &self.coverage {
            lines.push(format!(
                "{} {}: +{} / −{} {}",
                change.minutes,
                lang.pick("分钟覆盖变化", "minutes, won / lost"),
                change.won,
                change.lost,
                lang.pick("户", "households")
            ));
        }
        if 0 < self.unmatched_buildings {
            let words = lang.pick("栋建筑只在其中一个文件中", "buildings stand in only one of the files");
            lines.push(format!("{} {words}", self.unmatched_buildings));
        }
        lines
    }
}

/// Compares two plans of the same place; buildings are matched by their source id.
///
/// Grids of a side without a plan are those that its scenario says are present. Cost: O(n log n) in the buildings.
#[must_use]
pub fn compare(before: (&Scenario, Option<&Plan>), after: (&Scenario, Option<&Plan>)) -> Comparison {
    let earlier = Side::new(before.0, before.1);
    let later = Side::new(after.0, after.1);
    let row_before: BTreeMap<&str, usize> =
        before.0.atoms.iter().enumerate().map(|(row, atom)| (atom.source.0.as_str(), row)).collect();
    let mut found = Comparison::default();
    let mut moves: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let mut pairs = Vec::new();
    for (row, atom) in after.0.atoms.iter().enumerate() {
        let Some(&old) = row_before.get(atom.source.0.as_str()) else {
            found.unmatched_buildings += 1;
            continue;
        };
        pairs.push((old, row));
        if let (Some(from), Some(to)) = (earlier.code(old), later.code(row)) {
            let households = u64::from(atom.households.0);
            found.households += households;
            if from != to {
                found.moved_households += households;
                *moves.entry((from, to)).or_default() += households;
            }
        }
    }
    found.unmatched_buildings += (before.0.atoms.len() - pairs.len()) as u64;
    found.moves = moves
        .into_iter()
        .map(|((from, to), households)| Move { from: from.to_owned(), to: to.to_owned(), households })
        .collect();
    found.moves.sort_by(|a, b| {
        b.households.cmp(&a.households).then_with(|| (&a.from, &a.to).cmp(&(&b.from, &b.to)))
    });
    let (old_codes, new_codes) = (earlier.codes(), later.codes());
    let only = |these: &[&str], those: &[&str]| {
        these
            .iter()
            .filter(|code| those.binary_search(code).is_err())
            .map(|code| (*code).to_owned())
            .collect()
    };
    found.retired = only(&old_codes, &new_codes);
    found.new = only(&new_codes, &old_codes);
    found.coverage = coverage(&earlier, &later, &pairs);
    found
}

struct Side<'a> {
    scenario: &'a Scenario,
    plan: Option<&'a Plan>,
}

impl<'a> Side<'a> {
    fn new(scenario: &'a Scenario, plan: Option<&'a Plan>) -> Self {
        Self { scenario, plan: plan.filter(|plan| plan.partition.grid_of.len() == scenario.atoms.len()) }
    }

    fn code(&self, row: usize) -> Option<&'a str> {
        match self.plan {
            Some(plan) => {
                plan.partition.grid_of[row].map(|id| plan.partition.grids[id.index()].code.as_str())
            }
            None => self.scenario.atoms[row].current_grid.as_deref(),
        }
    }

    fn codes(&self) -> Vec<&'a str> {
        let mut codes: Vec<&str> = match self.plan {
            Some(plan) => plan.partition.grids.iter().map(|grid| grid.code.as_str()).collect(),
            None => self.scenario.atoms.iter().filter_map(|atom| atom.current_grid.as_deref()).collect(),
        };
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    fn bands(&self) -> &'a [WalkBand] {
        self.plan.map_or(&[], |plan| &plan.coverage.bands)
    }

    fn reaches(&self, row: usize, band: WalkBand) -> Option<bool> {
        let reach: &AtomCoverage = self.plan?.coverage.atoms.get(row)?;
        Some(reach.nearest.is_ok_and(|(_, walk)| band.reaches_in_time(walk)))
    }
}

fn coverage(earlier: &Side<'_>, later: &Side<'_>, pairs: &[(usize, usize)]) -> Vec<CoverageChange> {
    let both = earlier.bands().iter().filter(|band| later.bands().contains(band));
    both.map(|&band| {
        let mut change = CoverageChange { minutes: band.minutes, won: 0, lost: 0, losers: Vec::new() };
        let mut losers: Vec<(u64, &str)> = Vec::new();
        for &(old, new) in pairs {
            let atom = &later.scenario.atoms[new];
            let households = u64::from(atom.households.0);
            match (earlier.reaches(old, band), later.reaches(new, band)) {
                (Some(false), Some(true)) => change.won += households,
                (Some(true), Some(false)) if 0 < households => {
                    change.lost += households;
                    losers.push((households, atom.source.0.as_str()));
                }
                _ => (),
            }
        }
        losers.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        change.losers = losers.into_iter().take(NAMED_LOSERS).map(|(_, id)| id.to_owned()).collect();
        change
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::GridId;
    use crate::testing::{toy_plan, toy_scenario};

    #[test]
    fn a_plan_compared_with_itself_has_no_change() {
        let scenario = toy_scenario();
        let plan = toy_plan(&scenario);
        let found = compare((&scenario, Some(&plan)), (&scenario, Some(&plan)));
        assert_eq!(
            (found.moved_households, found.moves.len(), found.retired.len(), found.new.len()),
            (0, 0, 0, 0)
        );
        assert!(found.coverage.iter().all(|change| change.won == 0 && change.lost == 0));
    }

    #[test]
    fn one_building_that_moves_is_named_with_its_households() {
        let scenario = toy_scenario();
        let plan = toy_plan(&scenario);
        let mut other = plan.clone();
        let row = (0..scenario.atoms.len())
            .find(|&row| plan.partition.grid_of[row] == Some(GridId(0)))
            .expect("the first grid has a building");
        other.partition.grid_of[row] = Some(GridId(1));
        let found = compare((&scenario, Some(&plan)), (&scenario, Some(&other)));
        assert_eq!(found.moved_households, u64::from(scenario.atoms[row].households.0));
        assert_eq!(found.moves.len(), 1);
        assert_eq!(found.moves[0].from, plan.partition.grids[0].code);
    }
}
