//! Where a new candidate would help most.

use crate::siting::Table;

/// A place where a new candidate would help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// Row of the place in the table of places.
    pub place: u32,
    /// Households it would newly cover, after the suggestions before it.
    pub gain: u64,
}

/// Where new candidates would help most: greedy over `places` (demand points by places) for what is uncovered.
///
/// `assignment` is that of a [`TierAnswer`](super::TierAnswer); `limit` the tier's walking limit.
#[must_use]
pub fn suggest(
    places: &Table,
    limit: u32,
    households: &[u32],
    assignment: &[i32],
    most: usize,
) -> Vec<Suggestion> {
    let mut points_of = vec![Vec::new(); places.n_sites()];
    let mut gain = vec![0u64; places.n_sites()];
    let uncovered = (0..places.n_demand()).filter(|&demand| assignment[demand] < 0 && households[demand] > 0);
    let uncovered: Vec<usize> = uncovered.collect();
    for &demand in &uncovered {
        places.visit_row(demand, |place, cost| {
            if cost <= limit {
                points_of[place as usize].push(demand);
                gain[place as usize] += u64::from(households[demand]);
            }
        });
    }
    let mut open = vec![false; places.n_demand()];
    uncovered.iter().for_each(|&demand| open[demand] = true);
    let mut suggestions = Vec::new();
    while suggestions.len() < most {
        let best = (0..gain.len()).max_by_key(|&place| (gain[place], std::cmp::Reverse(place)));
        let Some(place) = best.filter(|&place| gain[place] > 0) else { break };
        suggestions.push(Suggestion { place: place as u32, gain: gain[place] });
        for &demand in &points_of[place] {
            if std::mem::replace(&mut open[demand], false) {
                places.visit_row(demand, |other, cost| {
                    if cost <= limit {
                        gain[other as usize] -= u64::from(households[demand]);
                    }
                });
            }
        }
    }
    suggestions
}
