//! Doors that no street reaches: said when the data is read, so that nobody waits for a plan to learn it.

use crate::model::{AtomId, Finding, FindingKind, Scenario, Severity, Text};
use crate::network::{self, SnapFailure, WalkProfile, WalkRules};

/// Lived-in buildings inside communities whose doors attach to no street, by the usual rules for a healthy adult.
///
/// A plan measures again with its own rules. Without any street there is one finding for the layer, made elsewhere.
///
/// - Cost: building the walk network, about 10 µs a street vertex.
pub(super) fn unsnapped(scenario: &Scenario) -> Vec<Finding> {
    if !scenario.streets.iter().any(|street| street.foot) {
        return Vec::new();
    }
    let rules = WalkRules::new(WalkProfile::adult());
    let limit = rules.max_access.value();
    let snaps = network::build(scenario, &rules).snap_atoms(&scenario.atoms);
    let lived_in =
        |(_, atom): &(usize, &crate::model::Atom)| atom.community.is_some() && 0 < atom.households.0;
    scenario
        .atoms
        .iter()
        .enumerate()
        .filter(lived_in)
        .filter_map(|(index, atom)| {
            let (message, remedy) = words(snaps.failure(index)?, limit)?;
            let finding =
                Finding::new(Severity::Warning, FindingKind::UnsnappedDoor, "buildings", message, remedy)
                    .about(&atom.source.0)
                    .at(atom.door.unwrap_or_else(|| atom.shape.anchor()))
                    .on_atom(AtomId::from_index(index));
            Some(match atom.community {
                Some(community) => finding.in_community(community),
                None => finding,
            })
        })
        .collect()
}

fn words(failure: SnapFailure, limit: f64) -> Option<(Text, Text)> {
    let (message, remedy) = match failure {
        // No street that a healthy adult may walk on is closed to one.
        SnapFailure::NoStreets | SnapFailure::Closed { .. } => return None,
        SnapFailure::TooFar { nearest } => (
            Text::from((
                format!(
                    "最近的道路在 {nearest:.0} m 外，超过 {limit:.0} m，门口接不上道路；其住户将按未覆盖计"
                ),
                format!(
                    "the nearest street is {nearest:.0} m away, more than {limit:.0} m, so the door attaches to none; its households \
                     will count as not covered"
                ),
            )),
            ("补画缺少的小路，或标出建筑的门口", "draw the missing path, or place the building's door"),
        ),
        SnapFailure::WalledIn => (
            Text::from((
                "门口与附近所有道路之间都隔着围墙等阻隔；其住户将按未覆盖计",
                "walls or other barriers stand between the door and every street near; its households will count as not covered",
            )),
            (
                "在出入口图层补上小区大门，或补画通向外面的小路",
                "add the compound's gate to the gate layer, or draw the path that leads out",
            ),
        ),
    };
    Some((message, remedy.into()))
}
