//! Places: what stands, the register, and what the program proposes where the register is silent.

use std::collections::{BTreeMap, HashMap, HashSet};

use geo::Coord;

use crate::geometry::straight_distance;
use crate::model::{CommunityId, PremiseId, Scenario, StationStatus};
use crate::params::Params;
use crate::units::{Households, SquareMetres};

/// A place where a station stands or may open.
pub(super) struct Site {
    pub at: Coord<f64>,
    pub community: Option<CommunityId>,
    /// Row of [`Scenario::stations`] of one that stands already.
    pub existing: Option<usize>,
    pub premise: Option<PremiseId>,
    pub area: Option<SquareMetres>,
    /// Yuan a year, if known.
    pub cost: Option<u32>,
    pub capacity: Option<Households>,
}

/// Existing stations, then the register, then places proposed by the program where the register is silent.
pub(super) fn sites(scenario: &Scenario, params: &Params) -> Vec<Site> {
    let standing =
        scenario.stations.iter().enumerate().filter(|(_, station)| station.status != StationStatus::Closed);
    let mut sites: Vec<Site> = standing
        .map(|(row, station)| Site {
            at: station.at,
            community: station.community,
            existing: Some(row),
            premise: None,
            area: station.area,
            cost: None,
            capacity: station.capacity,
        })
        .collect();
    sites.extend(scenario.premises.iter().enumerate().map(|(row, premise)| Site {
        at: premise.at,
        community: premise.community,
        existing: None,
        premise: Some(PremiseId::from_index(row)),
        area: premise.area,
        cost: premise.cost,
        capacity: premise.capacity,
    }));
    sites.extend(proposed(scenario, params));
    sites
}

/// Buildings and street corners in communities without a single row in the register, spaced out.
fn proposed(scenario: &Scenario, params: &Params) -> Vec<Site> {
    let spacing = params.siting.candidate_spacing;
    if spacing <= 0.0 {
        return Vec::new();
    }
    let registered: HashSet<CommunityId> =
        scenario.premises.iter().filter_map(|premise| premise.community).collect();
    let needs_some = |community: Option<CommunityId>| community.is_some_and(|id| !registered.contains(&id));
    let buildings = scenario.atoms.iter().filter(|atom| needs_some(atom.community));
    let buildings = buildings.map(|atom| (atom.door.unwrap_or_else(|| atom.shape.anchor()), atom.community));
    let corners = corners(scenario).into_iter().map(|at| (at, None));
    let mut spaced = Spaced::new(spacing);
    let mut sites = Vec::new();
    for (at, community) in buildings.chain(corners.filter(|_| registered.is_empty())) {
        if params.siting.candidate_limit as usize <= sites.len() {
            break;
        }
        if spaced.keep(at) {
            sites.push(Site {
                at,
                community,
                existing: None,
                premise: None,
                area: None,
                cost: None,
                capacity: None,
            });
        }
    }
    sites
}

/// Where at least three walkable street ends or middles meet, in the order of the streets.
pub(super) fn corners(scenario: &Scenario) -> Vec<Coord<f64>> {
    let mut arms: BTreeMap<(i64, i64), (u32, Coord<f64>)> = BTreeMap::new();
    for street in scenario.streets.iter().filter(|street| street.foot && !street.bridge && !street.tunnel) {
        let last = street.line.0.len().saturating_sub(1);
        for (index, &at) in street.line.0.iter().enumerate() {
            let key = ((at.x * 1000.0).round() as i64, (at.y * 1000.0).round() as i64);
            arms.entry(key).or_insert((0, at)).0 += if index == 0 || index == last { 1 } else { 2 };
        }
    }
    arms.into_values().filter(|(n, _)| 3 <= *n).map(|(_, at)| at).collect()
}

/// Pairs of places nearer than `spacing` metres, as the crow flies; exactly at it is far enough.
pub(super) fn pairs_within(sites: &[Site], spacing: f64) -> Vec<(u32, u32)> {
    let cell = |at: Coord<f64>| ((at.x / spacing).floor() as i64, (at.y / spacing).floor() as i64);
    let mut by_cell: HashMap<(i64, i64), Vec<u32>> = HashMap::new();
    let mut pairs = Vec::new();
    for (index, site) in sites.iter().enumerate() {
        let (x, y) = cell(site.at);
        let around = (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (x + dx, y + dy)));
        for &other in around.filter_map(|cell| by_cell.get(&cell)).flatten() {
            if straight_distance(site.at, sites[other as usize].at) < spacing {
                pairs.push((other, index as u32));
            }
        }
        by_cell.entry((x, y)).or_default().push(index as u32);
    }
    pairs.sort_unstable();
    pairs
}

/// Places at least so far apart.
#[derive(Clone)]
pub(super) struct Spaced {
    spacing: f64,
    kept: HashMap<(i64, i64), Vec<Coord<f64>>>,
}

impl Spaced {
    pub fn new(spacing: f64) -> Self {
        Self { spacing, kept: HashMap::new() }
    }

    fn cell(&self, at: Coord<f64>) -> (i64, i64) {
        ((at.x / self.spacing).floor() as i64, (at.y / self.spacing).floor() as i64)
    }

    /// Whether a kept place lies nearer than `distance`.
    pub fn is_near(&self, at: Coord<f64>, distance: f64) -> bool {
        let (x, y) = self.cell(at);
        let cells = (distance / self.spacing).ceil() as i64;
        let around = (-cells..=cells).flat_map(|dx| (-cells..=cells).map(move |dy| (x + dx, y + dy)));
        let mut kept = around.filter_map(|cell| self.kept.get(&cell)).flatten();
        kept.any(|other| straight_distance(at, *other) < distance)
    }

    /// Keeps the place if no kept one is too near.
    pub fn keep(&mut self, at: Coord<f64>) -> bool {
        let new = !self.is_near(at, self.spacing);
        if new {
            self.kept.entry(self.cell(at)).or_default().push(at);
        }
        new
    }
}
