//! A planner's change as data: applied to a plan, with its inverse, and written into the ledger.
//!
//! An [`Edit`] says what to do in the words of the plan file. [`apply`] checks it, does it as a row of small reversible
//! steps, and answers with the [`Edit`] that takes it back. Map editor, command line and Python call the same function
//! through [`crate::pipeline`]'s `edit`, which then draws outlines, counts and coverage again.
//!
//! What always holds after an edit: every unit of a community is in one grid, no grid lies in two communities, locked
//! grids are as they were, codes are unique and a retired one is not used again. What may be broken for a while, and
//! is then a finding: a grid in pieces, a grid out of range.

mod change;
mod desk;
mod grids;
mod ledger;
mod stations;
mod step;
#[cfg(test)]
mod tests;
mod told;

pub use change::{Edit, Entry, NewPremise, NewStation, Stamp, read_lines};
pub use desk::Touched;
pub use ledger::{standing, take_back};

use crate::model::{
    AtomId, BrokenRule, CompoundId, Finding, GridClass, GridId, GridSize, LoadWeights, Plan, Scenario, Text,
};
use desk::Desk;

/// Remedy of the findings that are made after an edit; it tells them from those that came with the drawing.
pub const BY_HAND: (&str, &str) =
    ("继续调整，或用 gridplan redraw 重划", "edit on, or draw again with gridplan redraw");

/// Whether a finding is about a grid that was changed by hand.
#[must_use]
pub fn is_by_hand(finding: &Finding) -> bool {
    (finding.remedy.zh.as_str(), finding.remedy.en.as_str()) == BY_HAND
}

/// Why an edit cannot be applied, and which.
#[derive(Debug)]
pub struct EditError {
    /// Line of the file, from 1; 0 if it came from no file.
    pub line: usize,
    /// Why.
    pub problem: Problem,
}

impl std::fmt::Display for EditError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => self.problem.fmt(f),
            line => write!(f, "line {line}: {}", self.problem),
        }
    }
}

impl std::error::Error for EditError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.problem)
    }
}

/// Why an edit cannot be applied.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// No edit.
    #[error("{}; write one JSON object as docs/formats.md shows, e.g. {{\"op\":\"lock\",\"grid\":\"…\"}}", .0.en)]
    Syntax(Text),
    /// No such grid.
    #[error("there is no grid `{code}`{}; take a code from the layer `grids`", .heir.as_ref().map_or_else(String::new, |heir| format!(" any more: `{heir}` continues it")))]
    NoSuchGrid {
        /// Code asked for.
        code: String,
        /// The grid that continues it.
        heir: Option<String>,
    },
    /// No such building.
    #[error("there is no building `{id}`; take an id from the layer `buildings`")]
    NoSuchBuilding {
        /// Id asked for.
        id: String,
    },
    /// No such compound.
    #[error("there is no compound `{id}`, or several have that name; take an id from the layer `compounds`")]
    NoSuchCompound {
        /// Id or name asked for.
        id: String,
    },
    /// No such station.
    #[error("there is no station `{code}`; take a code from the layer `stations`")]
    NoSuchStation {
        /// Code asked for.
        code: String,
    },
    /// No such premises.
    #[error("there are no premises `{id}`; take an id from the layer `premises`, or add them first")]
    NoSuchPremise {
        /// Id asked for.
        id: String,
    },
    /// A building that is not planned.
    #[error(
        "building `{id}` lies outside every community and is in no grid; correct the data and import again"
    )]
    Outside {
        /// Building.
        id: String,
    },
    /// A locked grid.
    #[error(
        "grid `{grid}` is locked and stays as it is; unlock it first: {{\"op\":\"unlock\",\"grid\":\"{grid}\"}}"
    )]
    Locked {
        /// Grid.
        grid: String,
    },
    /// A unit of another community.
    #[error("building `{building}` is of another community than grid `{grid}`; a grid lies in one community")]
    OtherCommunity {
        /// Building.
        building: String,
        /// Grid.
        grid: String,
    },
    /// A grid of another community.
    #[error("grid `{grid}` is of another community than `{into}`; a grid lies in one community")]
    OtherCommunityGrid {
        /// Grid.
        grid: String,
        /// Grid that should take it.
        into: String,
    },
    /// A unit of another grid.
    #[error("building `{building}` is not in grid `{grid}`; name units of that grid, or use `new_grid`")]
    NotInGrid {
        /// Building.
        building: String,
        /// Grid.
        grid: String,
    },
    /// Nothing would be left.
    #[error("the units are all of grid `{grid}`, so nothing would be left of it; leave some, or rename it")]
    WholeGrid {
        /// Grid.
        grid: String,
    },
    /// The engine cannot divide it.
    #[error("grid `{grid}` cannot be divided in two: {}; name the `buildings` of the new part", .why.en)]
    CannotHalve {
        /// Grid.
        grid: String,
        /// Why.
        why: Text,
    },
    /// Nothing would change.
    #[error("{}, so nothing changes; leave the edit out", .0.en)]
    Unchanged(Text),
    /// Something is missing.
    #[error("{}", .0.en)]
    Empty(Text),
    /// A key that is taken.
    #[error("`{key}` is in the layer `{layer}` already; choose another")]
    Taken {
        /// Layer.
        layer: &'static str,
        /// Key.
        key: String,
    },
    /// A value out of its range.
    #[error("`{key}` is {value}; {}", .rule.en)]
    BadValue {
        /// Name.
        key: &'static str,
        /// Value.
        value: String,
        /// What it must be.
        rule: Text,
    },
    /// An inverse that does not fit the plan.
    #[error("{} is not as the edit left it; the plan was changed since, so it cannot be taken back", .0.en)]
    Stale(Text),
    /// Nothing to take back.
    #[error("{asked} edits cannot be taken back, only {there} stand{}; ask for fewer", .last.as_ref().map_or_else(String::new, |last| format!(" since `{last}`")))]
    TooFar {
        /// Asked for.
        asked: usize,
        /// There are.
        there: usize,
        /// The step before which nothing can be taken back.
        last: Option<String>,
    },
    /// A rule that our own code broke.
    #[error(transparent)]
    Broken(#[from] BrokenRule),
}

/// Size range per class of grids.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sizes {
    /// Urban.
    pub urban: Option<GridSize>,
    /// Resettlement.
    pub resettlement: Option<GridSize>,
    /// Rural.
    pub rural: Option<GridSize>,
    /// What counts beside households.
    pub weights: LoadWeights,
}

impl Sizes {
    /// The range of a class; an exclusive grid has none.
    #[must_use]
    pub const fn of(&self, class: GridClass) -> Option<GridSize> {
        match class {
            GridClass::Urban => self.urban,
            GridClass::Resettlement => self.resettlement,
            GridClass::Rural => self.rural,
            GridClass::Exclusive => None,
        }
    }
}

/// Divides a grid in two: the units of the new part, or why it cannot be.
pub type Halve<'t> = &'t mut dyn FnMut(&Scenario, &Plan, GridId) -> Result<Vec<AtomId>, Text>;

/// What edits need from elsewhere.
pub struct Tools<'t> {
    /// Size ranges.
    pub sizes: Sizes,
    /// The engine.
    pub halve: Halve<'t>,
}

/// An edit that was applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// Line of the file, from 1; 0 if it came from no file.
    pub line: usize,
    /// What was done, for the ledger.
    pub what: String,
    /// What takes it back.
    pub inverse: Edit,
    /// What it touched.
    pub touched: Touched,
}

/// Applies edits one after another and writes each into the ledger with its inverse.
///
/// Outlines, bounds, coverage and the findings about edited grids are not measured again here: call
/// `pipeline::edit`, which does both. If an edit cannot be applied, none is.
///
/// Cost: O(n) in the units per edit.
///
/// # Errors
/// [`EditError`] with the line of the first edit that cannot be applied.
pub fn apply(
    scenario: &mut Scenario,
    plan: &mut Plan,
    tools: &mut Tools<'_>,
    entries: &[Entry],
) -> Result<Vec<Applied>, EditError> {
    let mut desk = Desk::new(scenario, plan, tools.sizes.weights);
    let mut done: Vec<Applied> = Vec::with_capacity(entries.len());
    for entry in entries {
        match one(&mut desk, tools, entry) {
            Ok(applied) => done.push(applied),
            Err(problem) => {
                desk.give_up();
                for applied in done.iter().rev() {
                    if let Edit::Restore { steps, .. } = &applied.inverse {
                        desk.take_back(steps);
                    }
                }
                return Err(EditError { line: entry.line, problem });
            }
        }
    }
    for (applied, entry) in done.iter().zip(entries) {
        plan.ledger.push(applied.record(entry));
    }
    Ok(done)
}

fn one(desk: &mut Desk<'_>, tools: &mut Tools<'_>, entry: &Entry) -> Result<Applied, Problem> {
    let what = act(desk, tools, &entry.edit)?;
    desk.recount();
    desk.plan.partition.check(desk.scenario)?;
    let (steps, touched) = desk.close();
    Ok(Applied { line: entry.line, what, inverse: Edit::Restore { steps, undoes: None }, touched })
}

fn act(desk: &mut Desk<'_>, tools: &mut Tools<'_>, edit: &Edit) -> Result<String, Problem> {
    match edit {
        Edit::Move { buildings, compounds, to } => {
            let units = some_units(desk, buildings, compounds)?;
            grids::relocate(desk, &units, to)
        }
        Edit::Merge { grids, into } => grids::merge(desk, grids, into.as_deref()),
        Edit::Split { grid, buildings, compounds, name } => {
            let units = units(desk, buildings, compounds)?;
            grids::split(desk, tools, grid, units, name.as_deref())
        }
        Edit::NewGrid { buildings, compounds, name } => {
            let units = some_units(desk, buildings, compounds)?;
            grids::found(desk, tools, &units, name.as_deref())
        }
        Edit::Lock { grid } => grids::lock(desk, grid, true),
        Edit::Unlock { grid } => grids::lock(desk, grid, false),
        Edit::Rename { grid, name } => grids::rename(desk, grid, name),
        Edit::Note { grid, note } => grids::note(desk, grid, note),
        Edit::SetClass { grid, class } => grids::classify(desk, tools, grid, *class),
        Edit::SetHouseholds { building, households, residents, source } => {
            if source.trim().is_empty() {
                return Err(Problem::Empty(
                    ("`source` 为空；请写明户数来源", "`source` is empty; say where the count is from")
                        .into(),
                ));
            }
            grids::count(desk, building, *households, *residents)
        }
        Edit::AddStation(new) => stations::add(desk, new),
        Edit::MoveStation { station, at, lonlat } => stations::shift(desk, station, *at, *lonlat),
        Edit::CloseStation { station } => stations::close(desk, station),
        Edit::ReopenStation { station } => stations::reopen(desk, station),
        Edit::AddPremise(new) => stations::register(desk, new),
        Edit::Restore { steps, undoes } => {
            steps.iter().try_for_each(|step| desk.take(step))?;
            let row = undoes.and_then(|number| desk.plan.ledger.get(number.checked_sub(1)?));
            Ok(row.map_or_else(|| "恢复 (restore)".to_owned(), |line| undone(&line.what)))
        }
    }
}

/// What was taken back, in both tongues.
fn undone(what: &str) -> String {
    match what.strip_suffix(')').and_then(|what| what.split_once(" (")) {
        Some((chinese, english)) => format!("撤销：{chinese} (undo: {english})"),
        None => format!("撤销：{what} (undo)"),
    }
}

/// Units named by id or by compound, ascending, each once.
fn units(desk: &Desk<'_>, buildings: &[String], compounds: &[String]) -> Result<Vec<AtomId>, Problem> {
    let mut units = buildings.iter().map(|id| desk.atom(id)).collect::<Result<Vec<_>, _>>()?;
    for name in compounds {
        let id = compound(desk, name)?;
        let atoms = desk.scenario.atoms.iter().enumerate();
        let inside = atoms.filter(|(_, atom)| atom.compound == Some(id) && atom.community.is_some());
        units.extend(inside.map(|(row, _)| AtomId::from_index(row)));
    }
    units.sort_unstable();
    units.dedup();
    match units.iter().find(|id| desk.scenario.atoms[id.index()].community.is_none()) {
        Some(id) => Err(Problem::Outside { id: desk.ids_of(&[*id]).remove(0) }),
        None => Ok(units),
    }
}

fn some_units(desk: &Desk<'_>, buildings: &[String], compounds: &[String]) -> Result<Vec<AtomId>, Problem> {
    let units = units(desk, buildings, compounds)?;
    if units.is_empty() {
        return Err(Problem::Empty(
            (
                "没有指定单元；请给出 `buildings` 或 `compounds`",
                "no units are named; give `buildings` or `compounds`",
            )
                .into(),
        ));
    }
    Ok(units)
}

/// A compound by id, or by a name that no other has.
fn compound(desk: &Desk<'_>, name: &str) -> Result<CompoundId, Problem> {
    let compounds = &desk.scenario.compounds;
    let by_id = compounds.iter().position(|compound| compound.source.0 == name);
    let by_name = || {
        let mut found = compounds.iter().enumerate().filter(|(_, one)| one.name.as_deref() == Some(name));
        found.next().filter(|_| found.next().is_none()).map(|(row, _)| row)
    };
    let row = by_id.or_else(by_name).ok_or_else(|| Problem::NoSuchCompound { id: name.to_owned() })?;
    Ok(CompoundId::from_index(row))
}
