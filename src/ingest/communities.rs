//! Which areas are the communities: given, administrative, grouped, or one around everything.

use std::collections::BTreeMap;

use geo::{BooleanOps, ConvexHull, Coord, MultiPoint, MultiPolygon, Point, unary_union};
use rayon::prelude::*;

use super::assemble::vertices;
use super::draft::{DraftAdmin, DraftAtom};
use super::lookup::AreaIndex;
use crate::model::{AtomShape, Community, Finding, FindingKind, GridClass, Severity, Text, UnitKind};

/// A finer level must hold this share of the buildings that the best level holds: extracts reach beyond the place,
/// so the share of all buildings says little. Our choice.
const COVERED_SHARE: f64 = 0.8;

/// A level that holds fewer of the buildings is not what the extract is about. Our choice.
const LEAST_SHARE: f64 = 0.2;

/// How far the outline around everything stands off the outermost building, in metres. Our choice.
const HULL_MARGIN: f64 = 30.0;

/// The communities, sorted by code, with what was found about the choice. One that nobody names is called as the place.
///
/// `others` are places with counts of their own, which stand for buildings where there are none.
pub(super) fn choose(
    given: Vec<Community>,
    admins: Vec<DraftAdmin>,
    level: Option<u8>,
    atoms: &[DraftAtom],
    others: &[&AtomShape],
    kind: UnitKind,
    place: &str,
) -> (Vec<Community>, Vec<Finding>) {
    let (mut communities, findings) = if !given.is_empty() {
        merge_parts(given)
    } else if let Some(found) = administrative(admins, level, atoms) {
        found
    } else if kind == UnitKind::Areas {
        grouped(atoms, place)
    } else {
        (vec![around(atoms, others, place)], vec![hull_finding(place)])
    };
    communities.sort_by(|a, b| a.code.cmp(&b.code).then_with(|| a.name.cmp(&b.name)));
    (communities, findings)
}

/// Rows with the same code are parts of one community.
fn merge_parts(given: Vec<Community>) -> (Vec<Community>, Vec<Finding>) {
    let mut by_code: BTreeMap<String, Vec<Community>> = BTreeMap::new();
    for community in given {
        by_code.entry(community.code.clone()).or_default().push(community);
    }
    let mut findings = Vec::new();
    let communities = by_code
        .into_values()
        .filter_map(|mut parts| {
            parts.sort_by(|a, b| a.name.cmp(&b.name));
            let outlines: Vec<_> = parts.iter().map(|part| part.outline.clone()).collect();
            let n = parts.len();
            let mut first = parts.into_iter().next()?;
            if 1 < n {
                first.outline = unary_union(&outlines);
                findings.push(
                    Finding::new(
                        Severity::Info,
                        FindingKind::Duplicate,
                        "communities",
                        (
                            format!("{n} 个面的代码都是 {}，作为同一社区的几部分", first.code),
                            format!(
                                "{n} areas have the code {} and were taken as parts of one community",
                                first.code
                            ),
                        ),
                        (
                            "若是不同的社区，请分别编码",
                            "give each its own code if they are different communities",
                        ),
                    )
                    .about(&first.name),
                );
            }
            Some(first)
        })
        .collect();
    (communities, findings)
}

/// Administrative areas of the level asked for, or of the finest that covers most buildings.
fn administrative(
    admins: Vec<DraftAdmin>,
    asked: Option<u8>,
    atoms: &[DraftAtom],
) -> Option<(Vec<Community>, Vec<Finding>)> {
    let mut by_level: BTreeMap<u8, Vec<Community>> = BTreeMap::new();
    for admin in admins {
        by_level.entry(admin.level).or_default().push(admin.community);
    }
    let anchors: Vec<Coord<f64>> = atoms.par_iter().map(|atom| atom.shape.anchor()).collect();
    let mut shares = BTreeMap::new();
    for (level, communities) in &by_level {
        let index = AreaIndex::new(communities.iter().map(|community| &community.outline));
        let inside = anchors.par_iter().filter(|at| !index.containing(**at).is_empty()).count();
        shares.insert(*level, inside as f64 / anchors.len().max(1) as f64);
    }
    let level = match asked {
        Some(level) => by_level.contains_key(&level).then_some(level)?,
        None => {
            let best = shares.values().copied().fold(0.0, f64::max);
            let wanted = (COVERED_SHARE * best).max(LEAST_SHARE);
            *shares.iter().rev().find(|(_, share)| wanted <= **share)?.0
        }
    };
    let covered = 100.0 * shares.get(&level).copied().unwrap_or(0.0);
    let communities = by_level.remove(&level)?;
    let others: Vec<String> = shares
        .iter()
        .filter(|(other, _)| **other != level)
        .map(|(other, share)| format!("{other} ({:.0} %)", share * 100.0))
        .collect();
    let others = if others.is_empty() {
        Text::from(("无", "none"))
    } else {
        Text::from((others.join("、"), others.join(", ")))
    };
    let n = communities.len();
    let finding = Finding::new(
        Severity::Info,
        FindingKind::BadValue,
        "communities",
        (
            format!(
                "以 admin_level {level} 的 {n} 个行政区作为社区，其中有 {covered:.0}% 的建筑（其他级别：{}）",
                others.zh
            ),
            format!(
                "the {n} administrative areas of admin_level {level} are taken as communities; they hold {covered:.0} % of the \
                 buildings (other levels: {})",
                others.en
            ),
        ),
        (
            "用 --admin-level 选择其他级别，或用 --role communities=文件 提供边界",
            "choose another with --admin-level, or give outlines with --role communities=FILE",
        ),
    );
    Some((communities, vec![finding]))
}

/// Areas that carry counts, grouped by what they name as their community.
fn grouped(atoms: &[DraftAtom], place: &str) -> (Vec<Community>, Vec<Finding>) {
    let mut groups: BTreeMap<String, Vec<MultiPolygon<f64>>> = BTreeMap::new();
    for atom in atoms {
        if let AtomShape::Area(area) = &atom.shape {
            groups.entry(atom.community.clone().unwrap_or_default()).or_default().push(area.clone());
        }
    }
    let single = groups.len() == 1;
    let communities = groups
        .into_par_iter()
        .map(|(name, areas)| Community {
            code: if name.is_empty() { NAMELESS_CODE.to_owned() } else { name.clone() },
            name: if name.is_empty() { named(place) } else { name },
            class: GridClass::default(),
            outline: unary_union(&areas),
        })
        .collect();
    let message = if single {
        (
            "没有社区边界：所有区域合为一个社区",
            "no community outlines were given: all areas together are one community",
        )
    } else {
        (
            "没有社区边界：社区列相同的区域合为一个社区",
            "no community outlines were given: areas that name the same community form one",
        )
    };
    let remedy = (
        "用 --role communities=文件 提供边界，或用 --column community=列名 指定分组列",
        "give outlines with --role communities=FILE, or name a grouping column with --column community=NAME",
    );
    (communities, vec![Finding::new(Severity::Info, FindingKind::BadValue, "communities", message, remedy)])
}

/// One community around everything that is counted: its convex hull with a margin.
fn around(atoms: &[DraftAtom], others: &[&AtomShape], place: &str) -> Community {
    let shapes = atoms.iter().map(|atom| &atom.shape).chain(others.iter().copied());
    let hull = vertices(shapes).convex_hull();
    let corners = hull.exterior().0.iter().flat_map(|corner| {
        (0..16).map(move |step| {
            let (sin, cos) = (f64::from(step) * std::f64::consts::TAU / 16.0).sin_cos();
            Point::new(corner.x + HULL_MARGIN * cos, corner.y + HULL_MARGIN * sin)
        })
    });
    let outline = MultiPoint::new(corners.collect()).convex_hull();
    Community {
        code: NAMELESS_CODE.to_owned(),
        name: named(place),
        class: GridClass::default(),
        outline: MultiPolygon::new(vec![outline]),
    }
}

/// Code of the community that stands for the whole place.
const NAMELESS_CODE: &str = "1";

/// Name of the community that stands for the whole place.
fn named(place: &str) -> String {
    if place.is_empty() { "全区".to_owned() } else { place.to_owned() }
}

fn hull_finding(place: &str) -> Finding {
    let name = named(place);
    Finding::new(
        Severity::Info,
        FindingKind::BadValue,
        "communities",
        (
            format!("没有社区边界：围绕所有建筑画了一个社区，名为“{name}”，代码为 {NAMELESS_CODE}"),
            format!(
                "no community outlines were given: one community is drawn around all buildings, called {name} with the code {NAMELESS_CODE}"
            ),
        ),
        (
            "用 --role communities=文件 提供边界；名称可用 --name 指定",
            "give outlines with --role communities=FILE; --name names the place",
        ),
    )
    .about(name)
}

/// Area that two outlines share, in square metres.
pub(super) fn shared_area(a: &MultiPolygon<f64>, b: &MultiPolygon<f64>) -> f64 {
    geo::Area::unsigned_area(&a.intersection(b))
}
