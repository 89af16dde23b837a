//! Edits of grids and of who lives in them.

use std::collections::{BTreeMap, BTreeSet};

use super::desk::{Desk, is_drawn};
use super::step::{GridRow, Step};
use super::{Problem, Tools};
use crate::model::{
    AtomId, CodeBook, CodeScheme, CommunityId, FindingKind, GridClass, GridId, HouseholdsSource,
    usual_grid_name,
};
use crate::units::Households;

/// Names of units in a line of the ledger; more are counted only.
const NAMED: usize = 5;

/// Moves units to a grid of their community.
pub(super) fn relocate(desk: &mut Desk<'_>, units: &[AtomId], to: &str) -> Result<String, Problem> {
    let target = desk.grid(to)?;
    unlocked(desk, target)?;
    let community = desk.plan.partition.grids[target.index()].community;
    let movers = from_elsewhere(desk, units, target);
    if movers.is_empty() {
        return Err(Problem::Unchanged(
            (format!("这些单元已在网格 {to}"), format!("the units are in grid {to} already")).into(),
        ));
    }
    if let Some(id) = movers.iter().find(|id| desk.scenario.atoms[id.index()].community != Some(community)) {
        let building = desk.ids_of(&[*id]).remove(0);
        return Err(Problem::OtherCommunity { building, grid: to.to_owned() });
    }
    let sources = sources(desk, &movers);
    for (source, _) in &sources {
        unlocked(desk, desk.grid(source)?)?;
    }
    let what = format!("移动 {} → {to} (move {} to {to})", named(desk, &movers), counted(desk, &movers));
    take_units(desk, &movers, to, &sources)?;
    Ok(what)
}

fn from_elsewhere(desk: &Desk<'_>, units: &[AtomId], target: GridId) -> Vec<AtomId> {
    let label = |id: &AtomId| desk.plan.partition.grid_of[id.index()];
    units.iter().copied().filter(|id| label(id) != Some(target)).collect()
}

/// Grids that units come from, most households first: (code, households).
fn sources(desk: &Desk<'_>, units: &[AtomId]) -> Vec<(String, u64)> {
    let mut sums: BTreeMap<GridId, u64> = BTreeMap::new();
    for id in units {
        if let Some(grid) = desk.plan.partition.grid_of[id.index()] {
            *sums.entry(grid).or_default() += u64::from(desk.scenario.atoms[id.index()].households.0);
        }
    }
    let mut list: Vec<(String, u64)> =
        sums.into_iter().map(|(id, n)| (desk.plan.partition.grids[id.index()].code.clone(), n)).collect();
    list.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    list
}

/// Gives units to a grid; grids that they leave empty are retired, and the grid continues them.
fn take_units(
    desk: &mut Desk<'_>,
    units: &[AtomId],
    to: &str,
    sources: &[(String, u64)],
) -> Result<(), Problem> {
    let community = desk.plan.partition.grids[desk.grid(to)?.index()].community;
    let mut concerned = BTreeSet::from([desk.grid(to)?]);
    for (source, _) in sources {
        concerned.insert(desk.grid(source)?);
    }
    desk.drop_findings(false, |finding| {
        is_drawn(finding) && finding.grid.is_some_and(|id| concerned.contains(&id))
    })?;
    desk.take(&Step::Label { grid: to.to_owned(), buildings: desk.ids_of(units) })?;
    let mut emptied = Vec::new();
    for (source, _) in sources.iter().filter(|(source, _)| source != to) {
        if !desk.plan.partition.grid_of.contains(&Some(desk.grid(source)?)) {
            emptied.push(source.clone());
        }
    }
    loosen(desk, community, if emptied.is_empty() { OutBound::Keep } else { OutBound::Drop })?;
    continue_grids(desk, to, &emptied)
}

/// `to` continues the empty grids `gone`, whose codes are retired.
fn continue_grids(desk: &mut Desk<'_>, to: &str, gone: &[String]) -> Result<(), Problem> {
    if gone.is_empty() {
        return Ok(());
    }
    let mut row = desk.grid_row(desk.grid(to)?);
    row.lineage.extend(gone.iter().filter(|code| !row.lineage.contains(code)).cloned().collect::<Vec<_>>());
    desk.take(&Step::SetGrid(row))?;
    for code in gone {
        desk.take(&Step::DropGrid { grid: code.clone() })?;
        desk.take(&Step::Retire { code: code.clone() })?;
    }
    let community = desk.plan.partition.grids[desk.grid(to)?.index()].community;
    forget_total(desk, community)
}

/// What the engine said of the number of grids of a community no longer holds.
fn forget_total(desk: &mut Desk<'_>, community: CommunityId) -> Result<(), Problem> {
    desk.drop_findings(false, |finding| {
        let is_about_number =
            matches!(finding.kind, FindingKind::GridOutOfRange | FindingKind::ImpossibleNumber);
        is_drawn(finding) && is_about_number && finding.grid.is_none() && finding.community == Some(community)
    })
}

/// Whether "no plan has fewer grids out of range" still holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OutBound {
    /// Same households, same number of grids, and no lock that the bound may rest on.
    Keep,
    Drop,
}

/// A hand-made division has no bound on its cost; the one on grids out of range may stay.
fn loosen(desk: &mut Desk<'_>, community: CommunityId, bound: OutBound) -> Result<(), Problem> {
    let quality = desk.plan.partition.quality.iter().find(|quality| quality.community == community);
    let Some(quality) = quality.cloned() else { return Ok(()) };
    let grids = desk.plan.partition.grids.iter();
    let has_lock = grids.filter(|grid| grid.community == community).any(|grid| grid.locked);
    let keeps = bound == OutBound::Keep && !has_lock;
    let out_bound = if keeps { quality.n_out_of_range_bound } else { 0 };
    if quality.cut_cost_bound.is_none() && out_bound == quality.n_out_of_range_bound {
        return Ok(());
    }
    desk.take(&Step::Quality {
        community: desk.scenario.communities[community.index()].code.clone(),
        out: quality.n_out_of_range,
        out_bound,
        cost: quality.cut_cost,
        cost_bound: None,
    })
}

/// A locked grid, or one that holds a building locked by the data, may not change.
fn unlocked(desk: &Desk<'_>, id: GridId) -> Result<(), Problem> {
    let grid = &desk.plan.partition.grids[id.index()];
    if grid.locked || desk.members(id).iter().any(|atom| desk.scenario.atoms[atom.index()].locked) {
        return Err(Problem::Locked { grid: grid.code.clone() });
    }
    Ok(())
}

/// "3 units with 120 households".
fn counted(desk: &Desk<'_>, units: &[AtomId]) -> String {
    let households: Households = units.iter().map(|id| desk.scenario.atoms[id.index()].households).sum();
    format!("{} units with {households} households", units.len())
}

/// "3 栋 120 户：b1、b2、b3".
fn named(desk: &Desk<'_>, units: &[AtomId]) -> String {
    let households: Households = units.iter().map(|id| desk.scenario.atoms[id.index()].households).sum();
    let mut names = desk.ids_of(&units[..units.len().min(NAMED)]).join("、");
    if NAMED < units.len() {
        names.push('…');
    }
    format!("{} 栋 {households} 户：{names}", units.len())
}

/// Puts grids of one community together.
pub(super) fn merge(desk: &mut Desk<'_>, grids: &[String], into: Option<&str>) -> Result<String, Problem> {
    let mut others: Vec<String> = Vec::new();
    let into = into.or(grids.first().map(String::as_str)).unwrap_or_default().to_owned();
    let target = desk.grid(&into)?;
    let community = desk.plan.partition.grids[target.index()].community;
    unlocked(desk, target)?;
    for code in grids {
        let id = desk.grid(code)?;
        unlocked(desk, id)?;
        if desk.plan.partition.grids[id.index()].community != community {
            return Err(Problem::OtherCommunityGrid { grid: code.clone(), into });
        }
        if *code != into && !others.contains(code) {
            others.push(code.clone());
        }
    }
    if others.is_empty() {
        return Err(Problem::Empty(
            (
                "`grids` 不足两个网格；请列出要合并的网格",
                "`grids` names fewer than two grids; name those to put together",
            )
                .into(),
        ));
    }
    let mut units = Vec::new();
    for code in &others {
        units.extend(desk.members(desk.grid(code)?));
    }
    units.sort_unstable();
    let sources = sources(desk, &units);
    take_units(desk, &units, &into, &sources)?;
    Ok(format!("合并 {} → {into} (merge {} into {into})", others.join("、"), others.join(", ")))
}

/// Divides a grid; the units given, or half of it, become a new one.
pub(super) fn split(
    desk: &mut Desk<'_>,
    tools: &mut Tools<'_>,
    code: &str,
    units: Vec<AtomId>,
    name: Option<&str>,
) -> Result<String, Problem> {
    let id = desk.grid(code)?;
    unlocked(desk, id)?;
    let members = desk.members(id);
    let part = if units.is_empty() {
        (tools.halve)(desk.scenario, desk.plan, id)
            .map_err(|why| Problem::CannotHalve { grid: code.to_owned(), why })?
    } else {
        units
    };
    if let Some(stranger) = part.iter().find(|unit| members.binary_search(unit).is_err()) {
        let building = desk.ids_of(&[*stranger]).remove(0);
        return Err(Problem::NotInGrid { building, grid: code.to_owned() });
    }
    if part.len() == members.len() {
        return Err(Problem::WholeGrid { grid: code.to_owned() });
    }
    let parent = desk.grid_row(id);
    let (what, count) = (named(desk, &part), counted(desk, &part));
    let row = GridRow {
        code: next_code(desk, desk.plan.partition.grids[id.index()].community),
        name: String::new(),
        locked: false,
        lineage: vec![code.to_owned()],
        note: String::new(),
        ..parent
    };
    let made = make_grid(desk, row, name, &part)?;
    Ok(format!("拆分 {code}，新网格 {made}：{what} (split {code}, new grid {made} of {count})"))
}

/// Makes a grid of units of any grids of one community.
pub(super) fn found(
    desk: &mut Desk<'_>,
    tools: &Tools<'_>,
    units: &[AtomId],
    name: Option<&str>,
) -> Result<String, Problem> {
    let Some(first) = units.first() else {
        return Err(Problem::Empty(
            (
                "新网格没有单元；请给出 `buildings` 或 `compounds`",
                "the new grid has no units; name `buildings` or `compounds`",
            )
                .into(),
        ));
    };
    let community = desk.scenario.atoms[first.index()].community;
    let sources = sources(desk, units);
    let Some(community) = community else {
        return Err(Problem::Outside { id: desk.ids_of(&[*first]).remove(0) });
    };
    for (source, _) in &sources {
        let id = desk.grid(source)?;
        unlocked(desk, id)?;
        if desk.plan.partition.grids[id.index()].community != community {
            let strange =
                units.iter().find(|unit| desk.plan.partition.grid_of[unit.index()] == Some(id)).copied();
            let building = desk.ids_of(&[strange.unwrap_or(*first)]).remove(0);
            return Err(Problem::OtherCommunity {
                building,
                grid: "the new one, which begins in another".into(),
            });
        }
    }
    if let [(only, _)] = sources.as_slice()
        && desk.members(desk.grid(only)?).len() == units.len()
    {
        return Err(Problem::WholeGrid { grid: only.clone() });
    }
    let exclusive = units.iter().all(|unit| desk.scenario.atoms[unit.index()].exclusive);
    let area = &desk.scenario.communities[community.index()];
    let class = if exclusive { GridClass::Exclusive } else { area.class };
    let row = GridRow {
        code: next_code(desk, community),
        name: String::new(),
        community: area.code.clone(),
        class,
        size: tools.sizes.of(class).map(|size| [size.target.0, size.low.0, size.high.0]),
        locked: false,
        lineage: sources.iter().map(|(code, _)| code.clone()).collect(),
        note: String::new(),
    };
    let (what, count) = (named(desk, units), counted(desk, units));
    let made = make_grid(desk, row, name, units)?;
    Ok(format!("新建网格 {made}：{what} (new grid {made} of {count})"))
}

/// The next free code of a community: never one that is in use or retired.
fn next_code(desk: &Desk<'_>, community: CommunityId) -> String {
    let partition = &desk.plan.partition;
    let used = partition.grids.iter().map(|grid| &grid.code).chain(&partition.retired_codes);
    let code = desk.scenario.communities[community.index()].code.as_str();
    let own = || partition.grids.iter().filter(|grid| grid.community == community);
    // The scheme is that of the grids that stand: 20 digits with the community's code in them are CJ/T 349.
    let class_of = |code20: &str| {
        let is_cjt349 = code20.len() == 20 && code20.get(6..18) == Some(code);
        is_cjt349.then(|| CodeScheme::Cjt349 { object_class: code20[..6].to_owned() })
    };
    let scheme = own().find_map(|grid| class_of(&grid.code)).unwrap_or_default();
    let prefix = scheme.prefixes(&[code]).ok().and_then(|mut prefixes| prefixes.pop());
    let prefix = prefix.unwrap_or_else(|| code.to_owned());
    CodeBook::new(&scheme, &prefix, own().count() + 1, used.map(String::as_str)).take()
}

/// Puts a new grid behind the others of its community and gives it its units.
fn make_grid(
    desk: &mut Desk<'_>,
    mut row: GridRow,
    name: Option<&str>,
    units: &[AtomId],
) -> Result<String, Problem> {
    let sources = sources(desk, units);
    let first = desk.plan.partition.grid_of[units[0].index()];
    let Some(community) = first.map(|id| desk.plan.partition.grids[id.index()].community) else {
        return Err(Problem::Outside { id: desk.ids_of(&units[..1]).remove(0) });
    };
    row.name = match name.map(str::trim).filter(|name| !name.is_empty()) {
        Some(name) => name.to_owned(),
        None => usual_grid_name(&desk.scenario.communities[community.index()], &row.code),
    };
    let code = row.code.clone();
    let last = desk.plan.partition.grids.iter().rposition(|grid| grid.community == community);
    let place = last.map_or(desk.plan.partition.grids.len(), |last| last + 1);
    desk.take(&Step::PutGrid { row: place, grid: row })?;
    forget_total(desk, community)?;
    take_units(desk, units, &code, &sources)?;
    loosen(desk, community, OutBound::Drop)?;
    Ok(code)
}

/// Locks or unlocks a grid.
pub(super) fn lock(desk: &mut Desk<'_>, code: &str, locked: bool) -> Result<String, Problem> {
    let id = desk.grid(code)?;
    let mut row = desk.grid_row(id);
    let by_data: Vec<AtomId> =
        desk.members(id).into_iter().filter(|atom| desk.scenario.atoms[atom.index()].locked).collect();
    if row.locked == locked && (locked || by_data.is_empty()) {
        let (zh, en) = if locked { ("已锁定", "locked") } else { ("未锁定", "unlocked") };
        return Err(Problem::Unchanged(
            (format!("网格 {code} {zh}"), format!("grid {code} is {en} already")).into(),
        ));
    }
    if !locked {
        let community = desk.plan.partition.grids[id.index()].community;
        if !by_data.is_empty() {
            desk.take(&Step::DataLock { locked: false, buildings: desk.ids_of(&by_data) })?;
        }
        desk.drop_findings(false, |finding| {
            is_drawn(finding) && finding.grid == Some(id) && finding.kind == FindingKind::GridOutOfRange
        })?;
        loosen(desk, community, OutBound::Drop)?;
    }
    row.locked = locked;
    desk.take(&Step::SetGrid(row))?;
    Ok(if locked { format!("锁定 {code} (lock {code})") } else { format!("解锁 {code} (unlock {code})") })
}

/// Names a grid.
pub(super) fn rename(desk: &mut Desk<'_>, code: &str, name: &str) -> Result<String, Problem> {
    let mut row = desk.grid_row(desk.grid(code)?);
    if name.trim().is_empty() {
        return Err(Problem::Empty(
            ("`name` 为空；请给网格命名", "`name` is empty; give the grid a name").into(),
        ));
    }
    if row.name == name {
        return Err(Problem::Unchanged(
            (format!("网格 {code} 已是该名称"), format!("grid {code} has that name already")).into(),
        ));
    }
    name.clone_into(&mut row.name);
    desk.take(&Step::SetGrid(row))?;
    Ok(format!("{code} 更名为 {name} (rename {code} to {name})"))
}

/// Writes a note on a grid.
pub(super) fn note(desk: &mut Desk<'_>, code: &str, note: &str) -> Result<String, Problem> {
    let mut row = desk.grid_row(desk.grid(code)?);
    if row.note == note {
        return Err(Problem::Unchanged(
            (format!("网格 {code} 已有该备注"), format!("grid {code} has that note already")).into(),
        ));
    }
    note.clone_into(&mut row.note);
    desk.take(&Step::SetGrid(row))?;
    Ok(format!("{code} 备注：{note} (note on {code}: {note})"))
}

/// Sets the class of a grid and the range that goes with it.
pub(super) fn classify(
    desk: &mut Desk<'_>,
    tools: &Tools<'_>,
    code: &str,
    class: GridClass,
) -> Result<String, Problem> {
    let id = desk.grid(code)?;
    unlocked(desk, id)?;
    let mut row = desk.grid_row(id);
    let size = tools.sizes.of(class).map(|size| [size.target.0, size.low.0, size.high.0]);
    if (row.class, row.size) == (class, size) {
        return Err(Problem::Unchanged(
            (
                format!("网格 {code} 已属类别 {}", class.as_str()),
                format!("grid {code} is of class {} already", class.as_str()),
            )
                .into(),
        ));
    }
    (row.class, row.size) = (class, size);
    desk.drop_findings(false, |finding| is_drawn(finding) && finding.grid == Some(id))?;
    loosen(desk, desk.plan.partition.grids[id.index()].community, OutBound::Drop)?;
    desk.take(&Step::SetGrid(row))?;
    Ok(format!("{code} 类型改为 {0} (class of {code}: {0})", class.as_str()))
}

/// Sets the count of a building.
pub(super) fn count(
    desk: &mut Desk<'_>,
    building: &str,
    households: u32,
    residents: Option<u32>,
) -> Result<String, Problem> {
    let id = desk.atom(building)?;
    let atom = &desk.scenario.atoms[id.index()];
    let before = atom.households;
    let community = atom.community;
    let residents = residents.unwrap_or_else(|| in_proportion(desk, id, households));
    let step = Step::Counts {
        building: building.to_owned(),
        households,
        residents,
        source: HouseholdsSource::Manual,
    };
    if Step::counts(atom) == step {
        return Err(Problem::Unchanged(
            (format!("建筑 {building} 已是该户数"), format!("building {building} has that count already"))
                .into(),
        ));
    }
    let is_count = |kind| {
        use FindingKind::{BadCount, EstimatedCount, MissingCount, ZeroCount};
        matches!(kind, BadCount | EstimatedCount | MissingCount | ZeroCount)
    };
    desk.drop_findings(true, |finding| finding.atom == Some(id) && is_count(finding.kind))?;
    if let Some(community) = community {
        let grid = desk.plan.partition.grid_of[id.index()];
        desk.drop_findings(false, |finding| {
            is_drawn(finding) && finding.grid.is_some() && finding.grid == grid
        })?;
        forget_total(desk, community)?;
        loosen(desk, community, OutBound::Drop)?;
    }
    desk.take(&step)?;
    super::stations::forget_siting(desk)?;
    Ok(format!(
        "{building} 户数 {before} → {households} (households of {building}: {before} to {households})"
    ))
}

/// Residents that go with a new count: as many a household as the building had, or else as the place has.
fn in_proportion(desk: &Desk<'_>, id: AtomId, households: u32) -> u32 {
    let atom = &desk.scenario.atoms[id.index()];
    let (residents, before) = if 0 < atom.households.0 && 0 < atom.residents.0 {
        (atom.residents.0, atom.households.0)
    } else {
        (desk.scenario.residents().0, desk.scenario.households().0)
    };
    (f64::from(households) * f64::from(residents) / f64::from(before.max(1))).round() as u32
}
