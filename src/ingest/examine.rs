//! What is odd about a scenario, whatever it was read from.

use std::collections::BTreeMap;

use geo::{Area, BoundingRect, Coord};
use rayon::prelude::*;
use rstar::primitives::Line;
use rstar::{AABB, RTree};
use rustc_hash::FxHashMap;

use super::communities::shared_area;
use super::lookup::AreaIndex;
use super::shapes;
use crate::model::{
    Atom, AtomId, AtomShape, CommunityId, Finding, FindingKind, HouseholdsSource, Scenario, Severity, Text,
    UnitKind,
};

/// More findings of one kind in one layer than this become one. Our choice.
const MOST_OF_A_KIND: usize = 200;

/// Features named in a finding that stands for many.
const NAMED: usize = 5;

/// A building with more households than this exceeds every usual grid (500 is the upper end of common targets).
const LARGE_ATOM: u32 = 500;

/// Areas of two communities that overlap by less are drawing noise, in square metres. Our choice.
const OVERLAP_NOISE: f64 = 10.0;

/// Network parts shorter than this are not worth a finding of their own, in metres. Our choice.
const SHORTEST_PART: f64 = 50.0;

/// All findings about the data of a scenario, recomputed from the scenario alone.
///
/// Works on any scenario, also one read back from a plan file; what readers found while reading is not repeated here.
///
/// - Cost: O(n log n) in buildings and streets; the walk network and the validity of outlines dominate.
///
/// ```
/// # use gridplan::{geometry::Plane, ingest, model::Scenario};
/// let empty = Scenario::new("nowhere", Plane::around(121.4, 37.5).expect("Yantai"));
/// assert!(ingest::examine(&empty).iter().any(|finding| finding.layer == "buildings"));
/// ```
#[must_use]
pub fn examine(scenario: &Scenario) -> Vec<Finding> {
    grouped(found(scenario))
}

/// The scenario with the findings of its readers and of [`examine`], each once, many alike as one.
pub(super) fn with_findings(mut scenario: Scenario) -> Scenario {
    let mut findings = std::mem::take(&mut scenario.findings);
    findings.extend(found(&scenario));
    scenario.findings = grouped(findings);
    scenario
}

fn found(scenario: &Scenario) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(counts(scenario));
    findings.extend(places(scenario));
    findings.extend(stacked(scenario));
    findings.extend(outlines(scenario));
    findings.extend(overlaps(scenario));
    findings.extend(per_community(scenario));
    findings.extend(streets(scenario));
    findings.extend(super::doors::unsnapped(scenario));
    findings
}

/// Missing, zero and very large counts.
fn counts(scenario: &Scenario) -> Vec<Finding> {
    if scenario.atoms.is_empty() {
        let message = ("没有建筑，也没有带户数的区域", "there are no buildings and no areas with counts");
        let remedy = (
            "导入建筑（--role buildings=文件）或区域（--role units=文件）",
            "import buildings (--role buildings=FILE) or areas (--role units=FILE)",
        );
        return vec![Finding::new(Severity::Error, FindingKind::EmptyLayer, "buildings", message, remedy)];
    }
    let about = |index: usize, atom: &Atom, severity, kind, message: Text, remedy: (&str, &str)| {
        let finding = Finding::new(severity, kind, "buildings", message, remedy)
            .about(&atom.source.0)
            .at(atom.shape.anchor())
            .on_atom(AtomId::from_index(index));
        match atom.community {
            Some(community) => finding.in_community(community),
            None => finding,
        }
    };
    let mut findings = Vec::new();
    // Outside every community nothing is planned, so nothing is missed.
    let planned = scenario.atoms.iter().enumerate().filter(|(_, atom)| atom.community.is_some());
    for (index, atom) in planned {
        let count = atom.households.0;
        if atom.usage.is_lived_in() && atom.households_source == HouseholdsSource::Missing {
            let message = Text::from(("没有户数，按零户计", "no household count; counted as zero"));
            let remedy = (
                "补上户数，或用 --households-total 分摊总户数",
                "add the count, or spread a total with --households-total",
            );
            findings.push(about(index, atom, Severity::Warning, FindingKind::MissingCount, message, remedy));
        } else if atom.usage.is_lived_in() && count == 0 && atom.households_source == HouseholdsSource::Column
        {
            let message = Text::from(("住宅建筑的户数为零", "zero households where people should live"));
            let remedy =
                ("核对户数，或把该建筑标为非住宅", "check the count, or mark the building as not lived in");
            findings.push(about(index, atom, Severity::Info, FindingKind::ZeroCount, message, remedy));
        } else if LARGE_ATOM < count {
            let message = Text::from((
                format!("一个单元就有 {count} 户，超过通常的网格规模"),
                format!("{count} households in one unit, more than any usual grid holds"),
            ));
            let remedy = (
                "把各单元门或楼梯间作为单独的建筑录入，或单独成格",
                "enter its stairwells or entrances as separate buildings, or plan it as a grid of its own",
            );
            findings.push(about(index, atom, Severity::Warning, FindingKind::LargeAtom, message, remedy));
        }
    }
    findings
}

/// Buildings outside every community.
fn places(scenario: &Scenario) -> Vec<Finding> {
    let outside = scenario.atoms.iter().enumerate().filter(|(_, atom)| atom.community.is_none());
    outside
        .map(|(index, atom)| {
            let counted = 0 < atom.households.0;
            let severity = if counted { Severity::Warning } else { Severity::Info };
            let households = atom.households;
            let message = (
                format!("不在任何社区内，其 {households} 户未纳入规划"),
                format!("outside every community; its {households} households are not planned"),
            );
            let remedy = (
                "把社区边界扩到该处；若属于别处，则从数据中去掉",
                "extend a community outline to it, or leave it out if it belongs to another place",
            );
            Finding::new(severity, FindingKind::OutsideCommunities, "buildings", message, remedy)
                .about(&atom.source.0)
                .at(atom.shape.anchor())
                .on_atom(AtomId::from_index(index))
        })
        .collect()
}

/// Buildings on one spot: points that coincide, footprints with the same middle and area.
fn stacked(scenario: &Scenario) -> Vec<Finding> {
    let millimetres = |value: f64| (value * 1000.0).round() as i64;
    let mut spots: FxHashMap<(i64, i64, i64), Vec<usize>> = FxHashMap::default();
    for (index, atom) in scenario.atoms.iter().enumerate() {
        let middle = match &atom.shape {
            AtomShape::Point(point) => point.0,
            AtomShape::Area(area) => {
                area.bounding_rect().map_or(Coord { x: 0.0, y: 0.0 }, |bounds| bounds.center())
            }
        };
        let key = (millimetres(middle.x), millimetres(middle.y), (atom.shape.area() * 10.0).round() as i64);
        spots.entry(key).or_default().push(index);
    }
    let mut piles: Vec<Vec<usize>> = spots.into_values().filter(|pile| 1 < pile.len()).collect();
    piles.sort_unstable();
    piles
        .into_iter()
        .map(|pile| {
            let first = &scenario.atoms[pile[0]];
            let names: Vec<&str> =
                pile.iter().take(NAMED).map(|&index| scenario.atoms[index].source.0.as_str()).collect();
            let households: u32 = pile.iter().map(|&index| scenario.atoms[index].households.0).sum();
            let n = pile.len();
            let message = (
                format!("{n} 栋建筑叠在同一处（{}），共 {households} 户", names.join("、")),
                format!(
                    "{n} buildings lie on one spot ({}), {households} households together",
                    names.join(", ")
                ),
            );
            let remedy =
                ("把它们移开；若是同一栋，则合并", "move them apart, or merge them if they are one building");
            Finding::new(Severity::Warning, FindingKind::Stacked, "buildings", message, remedy)
                .about(&first.source.0)
                .at(first.shape.anchor())
                .on_atom(AtomId::from_index(pile[0]))
        })
        .collect()
}

/// Outlines that are still invalid; readers repair, but a plan file may have been edited elsewhere.
fn outlines(scenario: &Scenario) -> Vec<Finding> {
    let invalid = |layer: &str, name: &str, area: &geo::MultiPolygon<f64>| match shapes::look(area) {
        shapes::Looked::Valid => None,
        shapes::Looked::Repaired(_, why) | shapes::Looked::Hopeless(why) => {
            let message = (format!("边界无效：{}", why.zh), format!("the outline is invalid: {}", why.en));
            let remedy = (
                "重新绘制，或重新导入源文件以便修复",
                "draw it again, or import the source once more so that it is repaired",
            );
            Some(
                Finding::new(Severity::Error, FindingKind::InvalidGeometry, layer, message, remedy)
                    .about(name),
            )
        }
    };
    let mut findings: Vec<Finding> = scenario
        .atoms
        .par_iter()
        .filter_map(|atom| match &atom.shape {
            AtomShape::Area(area) => invalid("buildings", &atom.source.0, area),
            AtomShape::Point(_) => None,
        })
        .collect();
    for community in &scenario.communities {
        findings.extend(invalid("communities", &community.name, &community.outline));
        let parts = community.outline.0.iter().filter(|part| OVERLAP_NOISE < part.unsigned_area()).count();
        if 1 < parts {
            let message = (
                format!("社区由 {parts} 块组成，每块需单独划分网格"),
                format!("the community lies in {parts} pieces; every piece needs its own grids"),
            );
            let remedy = (
                "若是飞地或岛屿，不必处理；否则修正边界",
                "nothing to do if it is an exclave or island; otherwise mend the outline",
            );
            let kind = FindingKind::ScatteredCommunity;
            findings.push(
                Finding::new(Severity::Info, kind, "communities", message, remedy).about(&community.name),
            );
        }
    }
    findings
}

/// Communities that lie over one another.
fn overlaps(scenario: &Scenario) -> Vec<Finding> {
    let index = AreaIndex::new(scenario.communities.iter().map(|community| &community.outline));
    let pairs: Vec<(usize, usize)> = scenario
        .communities
        .iter()
        .enumerate()
        .flat_map(|(a, community)| index.touching(&community.outline).into_iter().map(move |b| (a, b)))
        .filter(|(a, b)| a < b)
        .collect();
    let shared: Vec<((usize, usize), f64)> = pairs
        .into_par_iter()
        .map(|(a, b)| {
            ((a, b), shared_area(&scenario.communities[a].outline, &scenario.communities[b].outline))
        })
        .filter(|(_, area)| OVERLAP_NOISE < *area)
        .collect();
    shared
        .into_iter()
        .map(|((a, b), area)| {
            let (first, second) = (&scenario.communities[a], &scenario.communities[b]);
            let message = (
                format!("{}与{}重叠 {area:.0} m²", first.name, second.name),
                format!("{} and {} overlap by {area:.0} m²", first.name, second.name),
            );
            let remedy = (
                "修正其中一个边界；在此之前，重叠处的建筑归前者",
                "mend one of the outlines; until then buildings there go to the first",
            );
            Finding::new(Severity::Warning, FindingKind::Overlap, "communities", message, remedy)
                .about(&first.name)
                .in_community(CommunityId::from_index(a))
        })
        .collect()
}

/// Communities without households or without streets.
fn per_community(scenario: &Scenario) -> Vec<Finding> {
    let mut households = vec![0_u64; scenario.communities.len()];
    for atom in &scenario.atoms {
        if let Some(id) = atom.community {
            households[id.index()] += u64::from(atom.households.0);
        }
    }
    let lines = scenario.streets.iter().filter(|street| street.foot);
    let lines = lines
        .flat_map(|street| street.line.lines().map(|line| Line::new(line.start.into(), line.end.into())));
    let walkable = RTree::bulk_load(lines.collect());
    let mut findings = Vec::new();
    for (index, community) in scenario.communities.iter().enumerate() {
        let id = CommunityId::from_index(index);
        let add = |severity, kind, message: (String, String), remedy: (&str, &str)| {
            Finding::new(severity, kind, "communities", message, remedy)
                .about(&community.name)
                .in_community(id)
        };
        if households[index] == 0 {
            let message = (
                format!("{}没有一户居民", community.name),
                format!("{} has not one household", community.name),
            );
            let remedy = ("核对户数，或不纳入该社区", "check the counts, or leave the community out");
            findings.push(add(Severity::Warning, FindingKind::EmptyCommunity, message, remedy));
        }
        if !scenario.streets.is_empty() && !has_street(&walkable, &community.outline) {
            let message = (
                format!("{}没有可步行的道路：那里的住户都算未覆盖", community.name),
                format!("{} has no walkable street: nobody there is covered", community.name),
            );
            let remedy = (
                "用 --role streets=文件 补充道路，或取范围更大的数据",
                "add its streets with --role streets=FILE or take a larger extract",
            );
            findings.push(add(Severity::Error, FindingKind::NoStreets, message, remedy));
        }
    }
    if scenario.streets.is_empty() && !scenario.atoms.is_empty() {
        let severity = if scenario.unit_kind == UnitKind::Areas { Severity::Info } else { Severity::Warning };
        let message = (
            "没有道路：无法计算步行时间，边界也无法沿道路",
            "there are no streets: walking times cannot be computed, boundaries cannot follow streets",
        );
        let remedy = (
            "用 --role streets=文件 或 OpenStreetMap 数据补充道路",
            "add streets with --role streets=FILE or an OpenStreetMap extract",
        );
        findings.push(Finding::new(severity, FindingKind::NoStreets, "streets", message, remedy));
    }
    if scenario.terrain.is_none() && !scenario.streets.is_empty() {
        let message = (
            "没有地形模型：步行时间未计坡度",
            "there is no terrain model: slopes are not counted in walking times",
        );
        let remedy =
            ("若地势起伏，用 --role dem=文件 补充", "add one with --role dem=FILE if the place is hilly");
        findings.push(Finding::new(Severity::Info, FindingKind::NoTerrain, "streets", message, remedy));
    }
    findings
}

fn has_street(walkable: &RTree<Line<[f64; 2]>>, outline: &geo::MultiPolygon<f64>) -> bool {
    let Some(bounds) = outline.bounding_rect() else { return false };
    let envelope = AABB::from_corners(bounds.min().into(), bounds.max().into());
    walkable.locate_in_envelope_intersecting(&envelope).any(|line| {
        let middle = Coord { x: (line.from[0] + line.to[0]) / 2.0, y: (line.from[1] + line.to[1]) / 2.0 };
        [line.from.into(), line.to.into(), middle].into_iter().any(|at| super::lookup::contains(outline, at))
    })
}

/// Parts of the walking network that hang together with nothing else.
fn streets(scenario: &Scenario) -> Vec<Finding> {
    let millimetres = |at: &Coord<f64>| ((at.x * 1000.0).round() as i64, (at.y * 1000.0).round() as i64);
    let mut nodes: FxHashMap<(i64, i64), usize> = FxHashMap::default();
    let mut parent: Vec<usize> = Vec::new();
    let mut first_node: Vec<Option<usize>> = Vec::with_capacity(scenario.streets.len());
    for street in &scenario.streets {
        let mut last: Option<usize> = None;
        let walked = street.line.0.iter().filter(|_| street.foot);
        for at in walked {
            let fresh = parent.len();
            let node = *nodes.entry(millimetres(at)).or_insert(fresh);
            if node == fresh {
                parent.push(fresh);
            }
            if let Some(last) = last {
                let (a, b) = (root(&mut parent, last), root(&mut parent, node));
                parent[a.max(b)] = a.min(b);
            }
            last = Some(node);
        }
        first_node.push(last);
    }
    let mut parts: BTreeMap<usize, (f64, usize, usize)> = BTreeMap::new();
    for (index, street) in scenario.streets.iter().enumerate() {
        let Some(node) = first_node[index] else { continue };
        let length: f64 =
            street.line.lines().map(|line| crate::geometry::straight_distance(line.start, line.end)).sum();
        let part = parts.entry(root(&mut parent, node)).or_insert((0.0, 0, index));
        part.0 += length;
        part.1 += 1;
    }
    let main = parts.iter().max_by(|a, b| a.1.0.total_cmp(&b.1.0).then(b.0.cmp(a.0))).map(|(root, _)| *root);
    let stray = parts.iter().filter(|(root, part)| Some(**root) != main && SHORTEST_PART <= part.0);
    stray
        .map(|(_, &(length, count, first))| {
            let street = &scenario.streets[first];
            let message = (
                format!("{count} 条道路（共 {length:.0} m）与其他道路都不相连"),
                format!("{count} ways of {length:.0} m together meet no other street"),
            );
            let remedy = (
                "在实际相接处连上；若不处理，那里的住户算未覆盖",
                "join them where they meet in reality, or leave them: people there count as not covered",
            );
            let finding =
                Finding::new(Severity::Info, FindingKind::DisconnectedStreets, "streets", message, remedy);
            finding.about(&street.source.0).at(street.line.0[0])
        })
        .collect()
}

fn root(parent: &mut [usize], mut node: usize) -> usize {
    while parent[node] != node {
        parent[node] = parent[parent[node]];
        node = parent[node];
    }
    node
}

/// Severe ones first, then by kind, layer and feature; more than [`MOST_OF_A_KIND`] alike become one.
fn grouped(findings: Vec<Finding>) -> Vec<Finding> {
    let mut groups: BTreeMap<(std::cmp::Reverse<Severity>, FindingKind, String), Vec<Finding>> =
        BTreeMap::new();
    for finding in findings {
        let key = (std::cmp::Reverse(finding.severity), finding.kind, finding.layer.clone());
        groups.entry(key).or_default().push(finding);
    }
    let mut result = Vec::new();
    for (_, mut group) in groups {
        group.sort_by(|a, b| a.feature.cmp(&b.feature).then_with(|| a.message.cmp(&b.message)));
        group.dedup_by(|a, b| a.feature == b.feature && a.message == b.message);
        if group.len() <= MOST_OF_A_KIND {
            result.append(&mut group);
        } else {
            result.push(many(&group));
        }
    }
    result
}

/// One finding that stands for many alike.
fn many(group: &[Finding]) -> Finding {
    let first = &group[0];
    let names: Vec<&str> = group.iter().take(NAMED).map(|finding| finding.feature.as_str()).collect();
    let n = group.len();
    let message = (
        format!("同类共 {n} 条，前几条（{}）：{}", names.join("、"), first.message.zh),
        format!("{n} of these; the first ({}): {}", names.join(", "), first.message.en),
    );
    let mut finding =
        Finding::new(first.severity, first.kind, first.layer.clone(), message, first.remedy.clone());
    finding.at = first.at;
    finding
}
