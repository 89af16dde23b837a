//! What is odd about a drawing, in words: grids out of range with their reasons, locks, land, moves.

use super::grids::RedrawParams;
use super::present::Present;
use super::units::Units;
use crate::geometry::interior_point;
use crate::land::{Land, Settlement};
use crate::model::{AtomId, CommunityId, Finding, FindingKind, Grid, GridId, Scenario, Severity, Text};
use crate::partition::{self, PartitionAnswer, Reason, Split};

/// The engine's findings in words; a grid out of range also carries its reason.
pub(super) fn findings(
    scenario: &Scenario,
    units: &Units,
    answer: &PartitionAnswer,
    place: &[u32],
    grids: &mut [Grid],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for found in &answer.findings {
        let community = CommunityId(found.community);
        let atom = found.atom.and_then(|row| units.atom[units.leader[row as usize]]);
        let grid = found.grid.map(|raw| GridId(place[raw as usize]));
        let (kind, mut message, mut remedy) = words(scenario, found, atom, grid.map(|id| &grids[id.index()]));
        if !found.splits.is_empty() {
            let code = |raw: u32| grids[place[raw as usize] as usize].code.as_str();
            let name = |row: u32| {
                let of = units.atom[units.leader[row as usize]];
                of.map_or_else(String::new, |id| unit_name(scenario, id))
            };
            (message, remedy) = blocked(message, &found.splits, name, code);
        }
        let mut finding =
            Finding::new(Severity::Warning, kind, "grids", message, remedy).in_community(community);
        if let Some(id) = grid {
            let grid = &mut grids[id.index()];
            finding = finding.in_grid(id).about(grid.code.clone()).at(interior_point(&grid.outline));
            if !grid.is_in_range() && grid.reason.is_none() {
                grid.reason = Some(finding.message.clone());
            }
        }
        if let Some(id) = atom {
            finding = finding.on_atom(id);
            finding.at.get_or_insert(scenario.atoms[id.index()].shape.anchor());
        }
        findings.push(if found.proven { finding.proven() } else { finding });
    }
    findings
}

/// The compound's name, else the building's.
fn unit_name(scenario: &Scenario, id: AtomId) -> String {
    let atom = &scenario.atoms[id.index()];
    let compound = atom.compound.and_then(|id| scenario.compounds[id.index()].name.clone());
    compound.or_else(|| atom.name.clone()).unwrap_or_else(|| atom.source.0.clone())
}

/// Names the units that block a grid, and what dividing them would do.
fn blocked<'a>(
    message: Text,
    splits: &[Split],
    name: impl Fn(u32) -> String,
    code: impl Fn(u32) -> &'a str,
) -> (Text, Text) {
    let each = |words: &dyn Fn(&Split, &str) -> String, and: &str| {
        let all: Vec<String> = splits.iter().map(|split| words(split, &name(split.atom))).collect();
        all.join(and)
    };
    let units = Text::from((
        each(&|split, unit| format!("“{unit}”（{} 户）", split.load), "、"),
        each(&|split, unit| format!("{unit} ({} households)", split.load), " and "),
    ));
    let moves = Text::from((
        each(
            &|split, unit| {
                format!("“{unit}”的 {} 户由网格 {} 划入 {}", split.moved, code(split.from), code(split.to))
            },
            "，",
        ),
        each(
            &|split, unit| {
                format!("{} of {unit} in {} instead of {}", split.moved, code(split.to), code(split.from))
            },
            ", ",
        ),
    ));
    let (verb, noun) =
        if splits.len() == 1 { ("blocks", "the whole unit") } else { ("block", "the whole units") };
    let message = Text::from((
        format!("{}；受整体单元{}所限", message.zh, units.zh),
        format!("{}; {noun} {} {verb} it", message.en, units.en),
    ));
    let remedy = Text::from((
        format!("若允许拆分整体单元：{}，则所涉网格都在范围内", moves.zh),
        format!("divide what is kept whole: with {}, all grids concerned are in range", moves.en),
    ));
    (message, remedy)
}

fn words(
    scenario: &Scenario,
    found: &partition::Finding,
    atom: Option<AtomId>,
    grid: Option<&Grid>,
) -> (FindingKind, Text, Text) {
    let community = &scenario.communities[found.community as usize].name;
    let code = grid.map_or("-", |grid| grid.code.as_str());
    let unit = atom.map_or_else(String::new, |id| unit_name(scenario, id));
    let load = found.load;
    match found.reason {
        Reason::BlockingUnit { unit_load } => (
            FindingKind::LargeAtom,
            Text::from((
                format!("网格 {code} 有 {load} 户：不可拆分的单元“{unit}”有 {unit_load} 户，超过上限"),
                format!(
                    "grid {code} has {load} households: the unit {unit} alone has {unit_load}, above the upper size, and is never split"
                ),
            )),
            Text::from((
                "按单元入口拆分该建筑，或接受较大的网格",
                "list its entrances as buildings of their own, or accept the larger grid",
            )),
        ),
        Reason::TotalOutOfRange { k, total } => (
            FindingKind::GridOutOfRange,
            Text::from((
                format!(
                    "网格 {code} 有 {load} 户：{community}待划分的 {total} 户无法分成 {k} 个都在范围内的网格"
                ),
                format!(
                    "grid {code} has {load} households: the {total} to be divided in {community} cannot make {k} {} within the limits",
                    if k == 1 { "grid" } else { "grids" }
                ),
            )),
            Text::from((
                "调整目标户数或容差，或与相邻社区统筹",
                "change the target or tolerance, or plan it together with a neighboring community",
            )),
        ),
        Reason::UnitsLeaveTooLittle { units, unit_load, others, rest, fills } => (
            FindingKind::GridOutOfRange,
            {
                let (zh, en) = if units == 1 {
                    (
                        format!("整体单元“{unit}”（{unit_load} 户）超上限，独占一格"),
                        format!(
                            "the whole unit {unit} with {unit_load} is above the upper size, takes a grid"
                        ),
                    )
                } else {
                    (
                        format!("{units} 个超上限的整体单元（最大为“{unit}”，{unit_load} 户）各占一格"),
                        format!(
                            "{units} whole units above the upper size, the largest {unit} with {unit_load}, take a grid each"
                        ),
                    )
                };
                let leave = if units == 1 { "leaves" } else { "leave" };
                Text::from((
                    format!("网格 {code} 有 {load} 户：{zh}，余下 {rest} 户不够分成 {others} 个网格"),
                    format!(
                        "grid {code} has {load} households: {en} and {leave} {rest}, too few for the {others} others"
                    ),
                ))
            },
            Text::from((
                format!("将{community}的网格数减少 {} 个，或按单元入口拆分“{unit}”", others - fills),
                format!(
                    "ask for {} fewer in {community}, or list the entrances of {unit} as buildings of their own",
                    others - fills
                ),
            )),
        ),
        Reason::TooFewUnits { wanted, made } => (
            FindingKind::ImpossibleNumber,
            Text::from((
                format!("{community}要求 {wanted} 个网格，但只有 {made} 个可分单元，其中最大的是“{unit}”"),
                format!(
                    "{wanted} grids are wanted in {community}, but it has only {made} units; the largest is {unit}"
                ),
            )),
            Text::from((
                "按单元入口拆分建筑，或减少网格数",
                "list entrances as buildings of their own, or ask for fewer grids",
            )),
        ),
        Reason::KeptApart { wanted, made } => (
            FindingKind::ImpossibleNumber,
            Text::from((
                format!(
                    "{community}要求 {wanted} 个网格，但锁定网格和不同类别不能合并，至少需要 {made} 个；此处一片有 {load} 户，含“{unit}”"
                ),
                format!(
                    "{wanted} grids are wanted in {community}, but locked grids and size classes stay apart and need \
                     {made}; this part with {unit} has {load} households"
                ),
            )),
            Text::from((
                "解除锁定、统一类别，或增加网格数",
                "unlock grids, give one class, or ask for more grids",
            )),
        ),
        Reason::Island => (
            FindingKind::DisconnectedGrid,
            Text::from((
                format!("网格 {code} 分成多块：社区内有被河流、铁路等隔开且户数不足的片区"),
                format!(
                    "grid {code} lies in several pieces: a part of the community is cut off by a barrier and too small for grids of its own"
                ),
            )),
            Text::from((
                "核对桥、道口等通道数据，或接受",
                "check whether a bridge or crossing is missing in the data, or accept it",
            )),
        ),
        Reason::NoSuchSubset => (
            FindingKind::GridOutOfRange,
            Text::from((
                format!("网格 {code} 有 {load} 户：此处没有任何连通的整单元组合能使其与邻格都在范围内"),
                format!(
                    "grid {code} has {load} households: no connected set of whole units here has a load in range together with in-range neighbors"
                ),
            )),
            Text::from((
                "放宽容差，或按单元入口拆分建筑",
                "widen the tolerance, or list entrances as buildings of their own",
            )),
        ),
        Reason::NotFound => (
            FindingKind::GridOutOfRange,
            Text::from((
                format!("网格 {code} 有 {load} 户：搜索未找到使其在范围内的划法，但可能存在"),
                format!(
                    "grid {code} has {load} households: the search found no division with this grid in range; there may be one"
                ),
            )),
            Text::from((
                "换一个种子或用 effort = full 再试，或手工调整",
                "try another seed or effort = full, or edit by hand",
            )),
        ),
    }
}

/// Overlaps and slits between outlines, and buildings that lie under others.
pub(super) fn land_findings(scenario: &Scenario, land: &Land) -> Vec<Finding> {
    let mut findings = Vec::new();
    for &atom in &land.hidden {
        let id = AtomId(atom);
        let building = &scenario.atoms[id.index()];
        let finding = Finding::new(
            Severity::Info,
            FindingKind::Stacked,
            "buildings",
            (
                format!("建筑 {} 与其他建筑重叠，在原处旁给予一小块地", building.source),
                format!(
                    "building {} lies under others and got a spot of land beside its place",
                    building.source
                ),
            ),
            ("核对是否重复录入", "check whether it was entered twice"),
        );
        findings.push(finding.about(building.source.0.clone()).on_atom(id).at(building.shape.anchor()));
    }
    let community = |index: u32| scenario.communities[index as usize].name.as_str();
    let building = |index: u32| scenario.atoms[index as usize].source.0.as_str();
    findings.extend(land.settled.iter().map(|settled| settlement("communities", settled, &community)));
    findings.extend(land.settled_areas.iter().map(|settled| settlement("buildings", settled, &building)));
    findings
}

fn settlement<'a>(layer: &str, settled: &Settlement, name: &dyn Fn(u32) -> &'a str) -> Finding {
    let area = settled.area_m2;
    let given_to = name(settled.given_to);
    let claimants: Vec<&str> = settled.claimants.iter().map(|&index| name(index)).collect();
    let (kind, message) = if claimants.is_empty() {
        let message = (
            format!("边界之间的缝隙 {area:.1} m² 划给{given_to}"),
            format!("a slit of {area:.1} m² between outlines was given to {given_to}"),
        );
        (FindingKind::Gap, message)
    } else {
        let message = (
            format!("{}重叠 {area:.1} m²，划给{given_to}", claimants.join("、")),
            format!("{} overlap by {area:.1} m², given to {given_to}", claimants.join(" and ")),
        );
        (FindingKind::Overlap, message)
    };
    let remedy = ("核对源数据中的边界", "check the outlines in the source");
    Finding::new(Severity::Info, kind, layer, message, remedy).about(given_to)
}

/// A locked grid out of range stays as it is, and says so.
pub(super) fn locked_findings(grids: &mut [Grid]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, grid) in grids.iter_mut().enumerate() {
        if !grid.locked || grid.is_in_range() || grid.reason.is_some() {
            continue;
        }
        let (code, households) = (&grid.code, grid.households);
        let message = Text::from((
            format!("网格 {code} 有 {households} 户：已锁定，保持现状"),
            format!("grid {code} has {households} households: it is locked and stays as it is"),
        ));
        let remedy = ("解除锁定后重划", "unlock it and draw again");
        let finding =
            Finding::new(Severity::Warning, FindingKind::GridOutOfRange, "grids", message.clone(), remedy);
        findings.push(
            finding
                .about(code.clone())
                .in_grid(GridId::from_index(index))
                .in_community(grid.community)
                .at(interior_point(&grid.outline)),
        );
        grid.reason = Some(message);
    }
    findings
}

/// Says how many households change grid where a redraw had to move more than allowed, or where the limit may have kept
/// grids out of range.
pub(super) fn moved_finding(
    scenario: &Scenario,
    present: &Present,
    grid_of: &[Option<GridId>],
    grids: &[Grid],
    redraw: Option<&RedrawParams>,
) -> Option<Finding> {
    let redraw = redraw?;
    let (mut moved, mut all) = (0u64, 0u64);
    for ((atom, new), old) in scenario.atoms.iter().zip(grid_of).zip(&present.grid_of) {
        if let (Some(new), Some(old)) = (new, old) {
            let households = u64::from(atom.households.0);
            all += households;
            moved += if grids[new.index()].code == present.codes[*old as usize] { 0 } else { households };
        }
    }
    let share = moved as f64 / all.max(1) as f64;
    let (percent, limit) = (share * 100.0, redraw.max_moved * 100.0);
    let out = grids.iter().filter(|grid| !grid.is_in_range()).count();
    if share <= redraw.max_moved {
        // Only where the limit may have cost something.
        return (redraw.max_moved < 1.0 && 0 < out).then(|| {
            Finding::new(
                Severity::Info,
                FindingKind::GridOutOfRange,
                "grids",
                (
                    format!("{moved} 户（{percent:.1}%）变更网格，不超过 {limit:.1}%；仍有 {out} 个网格规模超限"),
                    format!(
                        "{moved} households, {percent:.1} %, change grid, no more than {limit:.1} %; {out} grids stay out of range"
                    ),
                ),
                (
                    "如可接受更多变更，提高 --max-moved 后重划",
                    "if more may move, draw again with a higher --max-moved",
                ),
            )
        });
    }
    Some(Finding::new(
        Severity::Warning,
        FindingKind::GridOutOfRange,
        "grids",
        (
            format!("{moved} 户（{percent:.1}%）变更网格，超过允许的 {limit:.1}%"),
            format!("{moved} households, {percent:.1} %, change grid; {limit:.1} % were allowed"),
        ),
        (
            "小区必须完整、网格必须连通等规则需要这些变更；可提高 --max-moved",
            "whole compounds, connected grids or the number of grids ask for it; raise --max-moved",
        ),
    ))
}
