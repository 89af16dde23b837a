//! A grid divided in two by the engine.

use std::ops::ControlFlow;

use super::ground::Ground;
use crate::model::{AtomId, GridId, Plan, Scenario, Text};
use crate::params::Params;
use crate::partition::{self, Effort, GridSize, PartitionParams, PartitionProblem};

/// The units of the lighter of two connected parts of a grid of about equal load, ascending; or why there are none.
pub(super) fn halve(
    scenario: &Scenario,
    plan: &Plan,
    ground: &Ground,
    params: &Params,
    id: GridId,
) -> Result<Vec<AtomId>, Text> {
    let grid = &plan.partition.grids[id.index()];
    let units = ground.units(scenario, grid.community);
    let inside = |atom: AtomId| plan.partition.grid_of[atom.index()] == Some(id);
    // Rows whose leading building is in the grid; what follows it goes along.
    let leaders: Vec<usize> =
        units.leader.iter().copied().filter(|&unit| units.atom[unit].is_some_and(inside)).collect();
    let mut new_row: Vec<Option<u32>> = vec![None; units.leader.len()];
    for (row, &unit) in leaders.iter().enumerate() {
        if let Some(old) = units.row[unit] {
            new_row[old as usize] = Some(row as u32);
        }
    }
    let atoms: Vec<AtomId> = leaders.iter().filter_map(|&unit| units.atom[unit]).collect();
    if atoms.len() < 2 {
        return Err(("只有一个单元", "it has one unit only").into());
    }
    let mut edges = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for edge in 0..units.edges.from.len() {
        let ends = (units.edges.from[edge] as usize, units.edges.to[edge] as usize);
        if let (Some(from), Some(to)) = (new_row[ends.0], new_row[ends.1]) {
            edges.0.push(from);
            edges.1.push(to);
            edges.2.push(units.edges.length[edge]);
            edges.3.push(units.edges.cost[edge]);
        }
    }
    let atom = |id: &AtomId| &scenario.atoms[id.index()];
    let households: Vec<u32> = atoms.iter().map(|id| atom(id).households.0).collect();
    let compound: Vec<i32> =
        atoms.iter().map(|id| atom(id).compound.map_or(-1, |compound| compound.0 as i32)).collect();
    let problem = PartitionProblem {
        households: &households,
        edge_from: &edges.0,
        edge_to: &edges.1,
        edge_length: &edges.2,
        edge_cost: Some(&edges.3),
        compound: Some(&compound),
        exact_k: &[(0, 2)],
        ..PartitionProblem::default()
    };
    // Half of what is there is the target, so that the two parts are about equal.
    let total: u32 = households.iter().sum();
    let tolerance = grid.size.map_or(0.1, |size| {
        f64::from(size.high.0.saturating_sub(size.target.0)) / f64::from(size.target.0.max(1))
    });
    let size = GridSize::around((total / 2).max(1), tolerance);
    let params = PartitionParams { effort: Effort::Full, ..PartitionParams::new(size, params.seed) };
    let answer = partition::partition(&problem, &params, &|_| ControlFlow::Continue(()))
        .map_err(|error| Text::same(error.to_string()))?;
    if answer.grid_load.len() < 2 {
        return Err((
            "各单元同属一个不可拆分的小区",
            "its units hang together in one compound that is never cut",
        )
            .into());
    }
    let lighter = u32::from(answer.grid_load[1] < answer.grid_load[0]);
    let of_row = |row: u32| new_row[row as usize].map(|row| answer.grid[row as usize]);
    let members = (0..units.atom.len()).filter_map(|unit| Some((units.atom[unit]?, units.row[unit])));
    let mut part: Vec<AtomId> = members
        .filter(|(atom, row)| inside(*atom) && row.and_then(of_row) == Some(lighter))
        .map(|(atom, _)| atom)
        .collect();
    part.sort_unstable();
    Ok(part)
}
