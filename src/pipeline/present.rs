//! What stands before a drawing: present grids, locks, codes that were used.

use std::collections::BTreeMap;

use crate::model::{CodeScheme, Partition, Scenario};

/// The present grids: of the plan when it is redrawn, otherwise of the scenario; only locked ones bind a new plan.
pub(super) struct Present {
    /// Code of each present grid.
    pub codes: Vec<String>,
    /// Present grid of each atom.
    pub grid_of: Vec<Option<u32>>,
    pub locked: Vec<bool>,
    pub follow: bool,
    pub retired: Vec<String>,
    pub coding: Coding,
}

/// How new grids are coded.
pub(super) struct Coding {
    pub scheme: CodeScheme,
    /// What stands before the numbers, for each community.
    pub prefixes: Vec<String>,
}

impl Present {
    pub fn of(scenario: &Scenario, partition: &Partition, follow: bool, coding: Coding) -> Self {
        let from_plan =
            follow && partition.grid_of.len() == scenario.atoms.len() && !partition.grids.is_empty();
        let code_of = |index: usize| -> Option<&str> {
            if from_plan {
                partition.grid_of[index].map(|id| partition.grids[id.index()].code.as_str())
            } else {
                scenario.atoms[index].current_grid.as_deref()
            }
        };
        let locked_in_plan = |index: usize| {
            from_plan && partition.grid_of[index].is_some_and(|id| partition.grids[id.index()].locked)
        };
        let mut ids: BTreeMap<&str, u32> =
            (0..scenario.atoms.len()).filter_map(|i| code_of(i).map(|c| (c, 0))).collect();
        let codes: Vec<String> = ids.keys().map(|code| (*code).to_owned()).collect();
        ids.values_mut().zip(0..).for_each(|(id, number)| *id = number);
        let grid_of: Vec<Option<u32>> =
            (0..scenario.atoms.len()).map(|i| code_of(i).map(|code| ids[code])).collect();
        let locked = scenario.atoms.iter().enumerate();
        let locked =
            locked.map(|(i, atom)| grid_of[i].is_some() && (atom.locked || locked_in_plan(i))).collect();
        Self { codes, grid_of, locked, follow, retired: partition.retired_codes.clone(), coding }
    }
}
