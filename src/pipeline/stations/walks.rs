//! Walks from doors to places, one table for every tier.

use std::collections::HashMap;

use geo::Coord;

use super::sites::Site;

use crate::geometry::straight_distance;
use crate::model::{Finding, FindingKind, Scenario, Severity, Text};
use crate::network::{Measure, Snaps, StreetNetwork};
use crate::params::Params;
use crate::pipeline::PlanError;
use crate::siting::UNREACHED;

/// Walks from doors to places: through the streets, or straight where the scenario has none.
pub(super) struct Walks<'a> {
    pub scenario: &'a Scenario,
    pub network: &'a StreetNetwork,
    pub doors: &'a Snaps,
    /// Speed of straight walks, m/s, where there is no street to walk on.
    pub straight: Option<f64>,
    pub measure: Measure,
}

/// Without a single walkable street nobody could be timed to anything, and every choice would look as good.
pub(super) fn straight_speed(scenario: &Scenario, params: &Params) -> Result<Option<f64>, PlanError> {
    if scenario.streets.iter().any(|street| street.foot) {
        return Ok(None);
    }
    Ok(Some(params.walk_rules()?.profile.flat_speed.value()))
}

impl Walks<'_> {
    /// Times up to `limit` (ms), one row per building, sites ascending.
    pub fn table(&self, places: &[Coord<f64>], limit: u32) -> (Vec<u64>, Vec<u32>, Vec<u32>) {
        match self.straight {
            None => {
                let snaps = self.network.snap_sites(places);
                let reach = self.network.reach(&snaps, self.doors, self.measure, limit);
                reach.by_door(self.scenario.atoms.len())
            }
            Some(speed) => self.straight_table(places, speed, limit),
        }
    }

    /// As the crow flies; places are found by squares as wide as the limit.
    fn straight_table(
        &self,
        places: &[Coord<f64>],
        speed: f64,
        limit: u32,
    ) -> (Vec<u64>, Vec<u32>, Vec<u32>) {
        let reach = (f64::from(limit) / 1000.0 * speed).max(1.0);
        let square = |at: Coord<f64>| ((at.x / reach).floor() as i64, (at.y / reach).floor() as i64);
        let mut by_square: HashMap<(i64, i64), Vec<u32>> = HashMap::new();
        for (index, &place) in places.iter().enumerate() {
            by_square.entry(square(place)).or_default().push(index as u32);
        }
        let (mut indptr, mut indices, mut costs) = (vec![0], Vec::new(), Vec::new());
        for atom in &self.scenario.atoms {
            let at = atom.door.unwrap_or_else(|| atom.shape.anchor());
            let (x, y) = square(at);
            let around = (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (x + dx, y + dy)));
            let mut row: Vec<(u32, u32)> = Vec::new();
            for &place in around.filter_map(|square| by_square.get(&square)).flatten() {
                let time = (straight_distance(at, places[place as usize]) / speed * 1000.0).round();
                if time <= f64::from(limit) {
                    row.push((place, time as u32));
                }
            }
            row.sort_unstable();
            indices.extend(row.iter().map(|pair| pair.0));
            costs.extend(row.iter().map(|pair| pair.1));
            indptr.push(indices.len() as u64);
        }
        (indptr, indices, costs)
    }

    /// Time to the nearest of the places, however far (ms); `None` where there is no way.
    pub fn nearest(&self, sites: &[Site]) -> Vec<Option<u32>> {
        let places: Vec<Coord<f64>> = sites.iter().map(|site| site.at).collect();
        match self.straight {
            None => {
                let snaps = self.network.snap_sites(&places);
                let found = self.network.nearest(&snaps, self.doors, self.measure, None);
                found.cost.iter().map(|&cost| (cost != UNREACHED).then_some(cost)).collect()
            }
            Some(speed) => {
                let doors = self.scenario.atoms.iter();
                let doors = doors.map(|atom| atom.door.unwrap_or_else(|| atom.shape.anchor()));
                let time =
                    |metres: f64| (metres / speed * 1000.0).round().min(f64::from(u32::MAX - 1)) as u32;
                let least =
                    |at: Coord<f64>| places.iter().map(|&place| time(straight_distance(at, place))).min();
                doors.map(least).collect()
            }
        }
    }

    /// Says so where walks are straight.
    pub fn remark(&self) -> Option<Finding> {
        self.straight.map(|_| {
            Finding::new(
                Severity::Warning,
                FindingKind::NoStreets,
                "stations",
                Text::from((
                    "没有可步行的街道，站点按直线距离选择，服务圈偏大",
                    "there is no walkable street: stations were chosen by straight distance, which makes circles too large",
                )),
                Text::from((
                    "导入街道数据后重新规划站点",
                    "import streets, e.g. an OSM extract, and plan the stations again",
                )),
            )
        })
    }
}
