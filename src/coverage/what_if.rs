//! What if a station opened, moved or closed: who wins and who loses, at once.

use geo::Coord;

use crate::model::{
    AtomId, Scenario, Station, StationId, StationStatus, StationTier, Tell, WalkBand, WalkDirection,
};
use crate::network::{DoorWalks, NearestSite, Snaps, StreetNetwork, UNREACHED};
use crate::units::{Households, Residents, Seconds};

/// A change to the stations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StationChange {
    /// A new station opens.
    Open {
        /// Its door.
        at: Coord<f64>,
    },
    /// A station moves.
    Move {
        /// Which.
        station: StationId,
        /// Its new door.
        to: Coord<f64>,
    },
    /// A station closes.
    Close {
        /// Which.
        station: StationId,
    },
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum WhatIfError {
    /// A station that does not take part.
    #[error(
        "station `{code}` is not asked about: it is closed, or of another tier than the question; ask about another \
         station, or about all tiers"
    )]
    NotAskedAbout {
        /// Its code.
        code: String,
    },
    /// An id beyond the plan's stations.
    #[error("there is no station {station}, the plan has {n_stations} (0 to n - 1); ask about one of these")]
    NoSuchStation {
        /// Position among the plan's stations.
        station: StationId,
        /// Number of the plan's stations.
        n_stations: usize,
    },
    /// Two changes of one station.
    #[error("station `{code}` is changed twice; give one change for each station")]
    ChangedTwice {
        /// Its code.
        code: String,
    },
    /// A place that is none.
    #[error("({x}, {y}) is no place; coordinates are finite metres on the plan's plane")]
    NotFinite {
        /// Coordinates.
        x: f64,
        /// Coordinates.
        y: f64,
    },
}

impl Tell for WhatIfError {
    fn chinese(&self) -> String {
        match self {
            Self::NotAskedAbout { code } => {
                format!("站点 `{code}` 不在所问之列：它已关闭，或不属所问的层级；请改问其他站点，或不限层级")
            }
            Self::NoSuchStation { station, n_stations } => {
                format!("没有第 {station} 号站点，方案共有 {n_stations} 个（从 0 编起）；请改问其中之一")
            }
            Self::ChangedTwice { code } => format!("站点 `{code}` 被改动两次；每个站点请只给一项改动"),
            Self::NotFinite { x, y } => format!("({x}, {y}) 不是位置；坐标须为方案平面上以米为单位的有限数"),
        }
    }
}

/// A question that can be asked again and again: walks as they are now, ready to be compared.
#[derive(Debug)]
pub struct WhatIf {
    network: StreetNetwork,
    doors: Snaps,
    walks: DoorWalks,
    people: Vec<(Households, Residents)>,
    /// Open stations of the tier: their id and door.
    stations: Vec<(StationId, Coord<f64>)>,
    /// Codes of all stations of the plan, by id.
    codes: Vec<String>,
    bands: Vec<WalkBand>,
    before: NearestSite,
}

/// Who wins and who loses.
#[derive(Clone, Debug, PartialEq)]
pub struct WhatIfAnswer {
    /// Buildings with people whose walk changes, in table order.
    pub walks: Vec<WalkChange>,
    /// Per circle, narrowest first.
    pub bands: Vec<BandChange>,
    /// Mean walk of the households that reach a station, before and after.
    pub mean_walk: (Option<Seconds>, Option<Seconds>),
    /// Households with a shorter walk, and with a longer one or none at all any more.
    pub households_shorter: Households,
    /// Households with a longer walk or none at all any more.
    pub households_longer: Households,
    /// Doors of new and moved stations that are on no street, by position in the changes: nobody walks there.
    pub unreachable: Vec<usize>,
    /// Whether slopes were counted.
    pub with_terrain: bool,
}

/// A building whose walk changes. New stations are numbered on from the plan's, in the order of the changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WalkChange {
    /// Building.
    pub atom: AtomId,
    /// Nearest station and the walk there before, `None` without a way.
    pub before: Option<(StationId, Seconds)>,
    /// And after.
    pub after: Option<(StationId, Seconds)>,
}

/// What changes within one circle, by network time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BandChange {
    /// Circle, minutes.
    pub minutes: u32,
    /// Households within it before.
    pub before: Households,
    /// Households newly within it.
    pub won: Households,
    /// Households no longer within it.
    pub lost: Households,
    /// Residents newly within it.
    pub residents_won: Residents,
    /// Residents no longer within it.
    pub residents_lost: Residents,
}

impl BandChange {
    /// Households within it after.
    #[must_use]
    pub fn after(&self) -> Households {
        Households((self.before.0 + self.won.0).saturating_sub(self.lost.0))
    }
}

impl WhatIf {
    /// Prepares questions about the stations of `tier` (`None`: of every tier) that are not closed. Only
    /// planned buildings (inside a community) count. `doors` are those of the scenario's atoms on `network`.
    #[must_use]
    pub fn new(
        scenario: &Scenario,
        stations: &[Station],
        tier: Option<StationTier>,
        network: StreetNetwork,
        doors: Snaps,
        bands: &[WalkBand],
        direction: WalkDirection,
    ) -> Self {
        let takes_part = |station: &Station| {
            station.status != StationStatus::Closed && tier.is_none_or(|tier| tier == station.tier)
        };
        let open: Vec<(StationId, Coord<f64>)> = stations
            .iter()
            .enumerate()
            .filter(|(_, station)| takes_part(station))
            .map(|(index, station)| (StationId::from_index(index), station.at))
            .collect();
        let people = scenario.atoms.iter().map(|atom| match atom.community {
            Some(_) => (atom.households, atom.residents),
            None => (Households(0), Residents(0)),
        });
        let mut bands = bands.to_vec();
        bands.sort_by_key(|band| band.minutes);
        let people = people.collect();
        let places: Vec<Coord<f64>> = open.iter().map(|station| station.1).collect();
        let walks = network.door_walks(&doors, direction.into());
        let before = network.nearest_to(&network.snap_sites(&places), &doors, &walks, None);
        let codes = stations.iter().map(|station| station.code.clone()).collect();
        Self { network, doors, walks, people, stations: open, codes, bands, before }
    }

    /// Answers for all `changes` made together.
    ///
    /// Cost: one unbounded search from all stations, about 30 ns a street node, and one look at every building.
    ///
    /// # Errors
    /// A station that does not take part, or twice; a place that is none.
    pub fn ask(&self, changes: &[StationChange]) -> Result<WhatIfAnswer, WhatIfError> {
        let after_stations = self.changed(changes)?;
        let places: Vec<Coord<f64>> = after_stations.iter().map(|station| station.1).collect();
        let sites = self.network.snap_sites(&places);
        let after = self.network.nearest_to(&sites, &self.doors, &self.walks, None);
        let mut answer = self.compare(&after, &after_stations);
        answer.unreachable = (0..after_stations.len())
            .filter(|&site| sites.failure(site).is_some())
            .filter_map(|site| changes.iter().position(|change| is_at(change, &after_stations[site])))
            .collect();
        Ok(answer)
    }

    /// The stations after the changes: those that stay in place and those that move, then new ones.
    fn changed(&self, changes: &[StationChange]) -> Result<Vec<(StationId, Coord<f64>)>, WhatIfError> {
        let mut stations: Vec<(StationId, Option<Coord<f64>>)> =
            self.stations.iter().map(|&(id, at)| (id, Some(at))).collect();
        let mut touched = vec![false; stations.len()];
        for change in changes {
            let (station, at) = match *change {
                StationChange::Open { at } => (None, Some(at)),
                StationChange::Move { station, to } => (Some(station), Some(to)),
                StationChange::Close { station } => (Some(station), None),
            };
            if let Some(at) = at.filter(|at| !(at.x.is_finite() && at.y.is_finite())) {
                return Err(WhatIfError::NotFinite { x: at.x, y: at.y });
            }
            let Some(station) = station else {
                let new = self.codes.len() + stations.len() - self.stations.len();
                stations.push((StationId::from_index(new), at));
                continue;
            };
            let row = self.stations.binary_search_by_key(&station, |known| known.0);
            let row = row.map_err(|_| self.takes_no_part(station))?;
            if std::mem::replace(&mut touched[row], true) {
                return Err(WhatIfError::ChangedTwice { code: self.codes[station.index()].clone() });
            }
            stations[row].1 = at;
        }
        Ok(stations.into_iter().filter_map(|(id, at)| Some((id, at?))).collect())
    }

    fn takes_no_part(&self, station: StationId) -> WhatIfError {
        match self.codes.get(station.index()) {
            Some(code) => WhatIfError::NotAskedAbout { code: code.clone() },
            None => WhatIfError::NoSuchStation { station, n_stations: self.codes.len() },
        }
    }

    fn compare(&self, after: &NearestSite, stations: &[(StationId, Coord<f64>)]) -> WhatIfAnswer {
        let mut answer = WhatIfAnswer {
            walks: Vec::new(),
            bands: self
                .bands
                .iter()
                .map(|band| BandChange { minutes: band.minutes, ..Default::default() })
                .collect(),
            mean_walk: (mean(&self.before, &self.people), mean(after, &self.people)),
            households_shorter: Households(0),
            households_longer: Households(0),
            unreachable: Vec::new(),
            with_terrain: self.network.with_terrain(),
        };
        let limits: Vec<u32> = self.bands.iter().map(|band| band.minutes * 60_000).collect();
        for (index, &(households, residents)) in self.people.iter().enumerate() {
            if households.0 == 0 && residents.0 == 0 {
                continue;
            }
            let (old, new) = (self.before.cost[index], after.cost[index]);
            for (band, &limit) in answer.bands.iter_mut().zip(&limits) {
                let (was, is) = (old <= limit, new <= limit);
                if was {
                    band.before += households;
                }
                if is && !was {
                    band.won += households;
                    band.residents_won += residents;
                } else if was && !is {
                    band.lost += households;
                    band.residents_lost += residents;
                }
            }
            if old == new {
                continue;
            }
            let changed =
                if new < old { &mut answer.households_shorter } else { &mut answer.households_longer };
            *changed += households;
            let walk = |cost: u32, site: i32, stations: &[(StationId, Coord<f64>)]| {
                let site = usize::try_from(site).ok()?;
                (cost != UNREACHED).then(|| (stations[site].0, Seconds::constant(f64::from(cost) / 1000.0)))
            };
            answer.walks.push(WalkChange {
                atom: AtomId::from_index(index),
                before: walk(old, self.before.site[index], &self.stations),
                after: walk(new, after.site[index], stations),
            });
        }
        answer
    }
}

fn is_at(change: &StationChange, station: &(StationId, Coord<f64>)) -> bool {
    match *change {
        StationChange::Open { at } => at == station.1,
        StationChange::Move { station: moved, .. } => moved == station.0,
        StationChange::Close { .. } => false,
    }
}

fn mean(nearest: &NearestSite, people: &[(Households, Residents)]) -> Option<Seconds> {
    let (mut sum, mut all) = (0.0, 0.0);
    for (&cost, (households, _)) in nearest.cost.iter().zip(people) {
        if cost != UNREACHED {
            sum += f64::from(cost) / 1000.0 * f64::from(households.0);
            all += f64::from(households.0);
        }
    }
    if 0.0 < all { Seconds::new(sum / all).ok() } else { None }
}
