//! Every figure of the report and the workbook, worked out once from the plan, so that the two never disagree.

use geo::Area;

use super::rules::RulePack;
use crate::model::{
    AtomCoverage, AtomId, CommunityId, CoverageMethod, CoverageRow, CoverageScope, Grid, GridId,
    HouseholdsSource, Plan, Scenario, Station, StationId, StationStatus, StationTier, Unreached, WalkBand,
};

/// What the report and the workbook say.
pub(super) struct Facts<'a> {
    pub scenario: &'a Scenario,
    pub plan: &'a Plan,
    pub rules: RulePack,
    /// Buildings inside communities.
    pub planned: Load,
    /// Buildings outside every community: not planned.
    pub outside: Load,
    /// Buildings and households by where the count comes from, in the order of [`HouseholdsSource::ALL`].
    pub by_source: [Load; 6],
    pub communities: Vec<CommunityFacts>,
    /// Street offices, when the codes name more than one.
    pub offices: Vec<OfficeFacts>,
    pub sizes: SizeFacts,
    /// Buildings with households beyond the widest circle by network time: unreachable ones first, then the furthest.
    pub left_out: Vec<LeftOut>,
    /// Households within the metres of the widest circle as the crow flies, yet beyond its minutes on foot.
    pub straight_only: u64,
    /// Households near the edge of the data, whose answer could change.
    pub near_edge: u64,
    /// Atoms by community.
    pub atoms_of: Vec<Vec<AtomId>>,
}

/// A number of buildings and the people in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Load {
    pub buildings: u64,
    pub households: u64,
    pub residents: u64,
}

/// How grids keep their range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SizeFacts {
    pub grids: u64,
    /// Grids with a range.
    pub sized: u64,
    /// Of them in range.
    pub in_range: u64,
    /// Grids without a range (专属网格).
    pub exclusive: u64,
}

/// One community.
pub(super) struct CommunityFacts {
    pub id: CommunityId,
    pub load: Load,
    pub area_m2: f64,
    pub grids: Vec<GridId>,
    pub sizes: SizeFacts,
    pub open_stations: u64,
    pub new_stations: u64,
    pub service_space_m2: f64,
    /// Open stations whose floor area is unknown.
    pub stations_without_area: u64,
    pub left_out: Load,
}

/// One street office.
pub(super) struct OfficeFacts {
    pub code: String,
    pub communities: u64,
    pub load: Load,
    pub sizes: SizeFacts,
    pub open_stations: u64,
    pub service_space_m2: f64,
    /// Households reached by network time, per band.
    pub reached: Vec<u64>,
    pub left_out: Load,
}

/// A building beyond the widest circle.
pub(super) struct LeftOut {
    pub atom: AtomId,
    /// Seconds beyond the widest circle and the station, or why there is none.
    pub missing: Result<(StationId, f64), Unreached>,
    pub within_straight: bool,
}

impl Load {
    fn add(&mut self, households: u32, residents: u32) {
        self.buildings += 1;
        self.households += u64::from(households);
        self.residents += u64::from(residents);
    }

    fn merge(&mut self, other: Self) {
        self.buildings += other.buildings;
        self.households += other.households;
        self.residents += other.residents;
    }
}

impl SizeFacts {
    fn add(&mut self, grid: &Grid) {
        self.grids += 1;
        if grid.size.is_none() {
            self.exclusive += 1;
        } else {
            self.sized += 1;
            self.in_range += u64::from(grid.is_in_range());
        }
    }

    fn merge(&mut self, other: Self) {
        self.grids += other.grids;
        self.sized += other.sized;
        self.in_range += other.in_range;
        self.exclusive += other.exclusive;
    }

    pub fn out_of_range(self) -> u64 {
        self.sized - self.in_range
    }
}

impl CommunityFacts {
    /// Square metres of open stations per hundred households; `None` where nobody lives.
    pub fn space_per_hundred(&self) -> Option<f64> {
        (0 < self.load.households).then(|| self.service_space_m2 / (self.load.households as f64 / 100.0))
    }
}

impl<'a> Facts<'a> {
    /// Works out everything. O(atoms + grids + stations).
    pub fn new(scenario: &'a Scenario, plan: &'a Plan) -> Self {
        let mut facts = Self {
            scenario,
            plan,
            rules: RulePack::default(),
            planned: Load::default(),
            outside: Load::default(),
            by_source: [Load::default(); 6],
            communities: communities(scenario, plan),
            offices: Vec::new(),
            sizes: SizeFacts::default(),
            left_out: Vec::new(),
            straight_only: 0,
            near_edge: 0,
            atoms_of: vec![Vec::new(); scenario.communities.len()],
        };
        facts.count_atoms();
        facts.list_left_out();
        for community in &facts.communities {
            facts.sizes.merge(community.sizes);
        }
        facts.offices = offices(&facts);
        facts
    }

    fn count_atoms(&mut self) {
        for (index, atom) in self.scenario.atoms.iter().enumerate() {
            let (households, residents) = (atom.households.0, atom.residents.0);
            let Some(community) = atom.community else {
                self.outside.add(households, residents);
                continue;
            };
            self.planned.add(households, residents);
            self.communities[community.index()].load.add(households, residents);
            self.atoms_of[community.index()].push(AtomId::from_index(index));
            let source = HouseholdsSource::ALL.iter().position(|source| *source == atom.households_source);
            self.by_source[source.unwrap_or(4)].add(households, residents);
        }
    }

    fn list_left_out(&mut self) {
        let Some(widest) = self.widest_band() else { return };
        for (index, reach) in self.plan.coverage.atoms.iter().enumerate() {
            let Some(atom) = self.scenario.atoms.get(index) else { break };
            let Some(community) = atom.community else { continue };
            let (households, residents) = (atom.households.0, atom.residents.0);
            if reach.near_edge {
                self.near_edge += u64::from(households);
            }
            if households == 0 || is_within(reach, widest) {
                continue;
            }
            let within_straight = reach.straight.is_some_and(|straight| widest.reaches_in_distance(straight));
            if within_straight {
                self.straight_only += u64::from(households);
            }
            self.communities[community.index()].left_out.add(households, residents);
            let beyond = |walk: crate::units::Seconds| walk.value() - widest.limit().value();
            let missing = reach.nearest.map(|(station, walk)| (station, beyond(walk)));
            self.left_out.push(LeftOut { atom: AtomId::from_index(index), missing, within_straight });
        }
        self.left_out.sort_by(|a, b| {
            let key = |left: &LeftOut| left.missing.map_or(f64::INFINITY, |(_, seconds)| seconds);
            let households = |left: &LeftOut| self.scenario.atoms[left.atom.index()].households;
            key(b).total_cmp(&key(a)).then(households(b).cmp(&households(a))).then(a.atom.cmp(&b.atom))
        });
    }

    /// The widest circle, if any was measured.
    pub fn widest_band(&self) -> Option<WalkBand> {
        self.plan.coverage.bands.last().copied()
    }

    /// Households left out in all communities.
    pub fn left_out_load(&self) -> Load {
        let mut all = Load::default();
        for community in &self.communities {
            all.merge(community.left_out);
        }
        all
    }

    /// The coverage row of every tier together.
    pub fn row(&self, scope: CoverageScope, method: CoverageMethod, minutes: u32) -> Option<&'a CoverageRow> {
        self.plan.coverage.row(scope, None, method, minutes)
    }

    /// Households reached and in scope by network time, per band; `None` where the table has no such row.
    pub fn by_time(&self, scope: CoverageScope) -> Vec<Option<(u64, u64)>> {
        let bands = self.plan.coverage.bands.iter();
        bands
            .map(|band| {
                let row = self.row(scope, CoverageMethod::NetworkTime, band.minutes)?;
                Some((u64::from(row.households_reached.0), u64::from(row.households.0)))
            })
            .collect()
    }

    /// The method of the headline, and its households reached and in scope for the whole plan, per band.
    pub fn headline(&self) -> (CoverageMethod, Vec<Option<(u64, u64)>>) {
        let method = self.plan.coverage.headline();
        let bands = self.plan.coverage.bands.iter().map(|band| {
            let row = self.row(CoverageScope::All, method, band.minutes)?;
            Some((u64::from(row.households_reached.0), u64::from(row.households.0)))
        });
        (method, bands.collect())
    }

    /// Stations that are open under the plan.
    pub fn open_stations(&self) -> impl Iterator<Item = &'a Station> {
        self.plan.stations.iter().filter(|station| station.status != StationStatus::Closed)
    }

    /// How many stations of a tier came about in a way.
    pub fn n_stations(&self, tier: Option<StationTier>, status: StationStatus) -> u64 {
        let is_asked =
            |station: &&Station| station.status == status && tier.is_none_or(|tier| tier == station.tier);
        self.plan.stations.iter().filter(is_asked).count() as u64
    }

    /// Buildings whose households were not counted one by one.
    pub fn estimated(&self) -> Load {
        let mut all = Load::default();
        for (source, load) in HouseholdsSource::ALL.iter().zip(self.by_source) {
            if !matches!(source, HouseholdsSource::Column | HouseholdsSource::Manual) {
                all.merge(load);
            }
        }
        all
    }

    /// The area under plan in km².
    pub fn area_km2(&self) -> f64 {
        self.communities.iter().map(|community| community.area_m2).sum::<f64>() / 1e6
    }

    /// Name of a community, or a dash.
    pub fn community_name(&self, id: Option<CommunityId>) -> &'a str {
        id.and_then(|id| self.scenario.communities.get(id.index()))
            .map_or("—", |community| community.name.as_str())
    }

    /// Code of the grid of an atom, or nothing.
    pub fn grid_code(&self, atom: AtomId) -> &'a str {
        let partition = &self.plan.partition;
        let grid = partition.grid_of.get(atom.index()).copied().flatten();
        grid.and_then(|id| partition.grids.get(id.index())).map_or("", |grid| grid.code.as_str())
    }

    /// Communities, the one that most needs a look first: left out, then out of range, then id.
    pub fn worst_first(&self) -> Vec<&CommunityFacts> {
        let mut order: Vec<&CommunityFacts> = self.communities.iter().collect();
        order.sort_by(|a, b| {
            let key = |c: &CommunityFacts| (c.left_out.households, c.sizes.out_of_range());
            key(b).cmp(&key(a)).then(a.id.cmp(&b.id))
        });
        order
    }
}

/// Whether a building is within a circle by network time.
pub(super) fn is_within(reach: &AtomCoverage, band: WalkBand) -> bool {
    reach.nearest.is_ok_and(|(_, walk)| band.reaches_in_time(walk))
}

fn communities(scenario: &Scenario, plan: &Plan) -> Vec<CommunityFacts> {
    let mut communities: Vec<CommunityFacts> = scenario
        .communities
        .iter()
        .enumerate()
        .map(|(index, community)| CommunityFacts {
            id: CommunityId::from_index(index),
            load: Load::default(),
            area_m2: community.outline.unsigned_area(),
            grids: Vec::new(),
            sizes: SizeFacts::default(),
            open_stations: 0,
            new_stations: 0,
            service_space_m2: 0.0,
            stations_without_area: 0,
            left_out: Load::default(),
        })
        .collect();
    for (index, grid) in plan.partition.grids.iter().enumerate() {
        if let Some(community) = communities.get_mut(grid.community.index()) {
            community.grids.push(GridId::from_index(index));
            community.sizes.add(grid);
        }
    }
    for station in plan.stations.iter().filter(|station| station.status != StationStatus::Closed) {
        let Some(community) = station.community.and_then(|id| communities.get_mut(id.index())) else {
            continue;
        };
        community.open_stations += 1;
        community.new_stations += u64::from(station.status == StationStatus::Chosen);
        match station.area {
            Some(area) => community.service_space_m2 += area.value(),
            None => community.stations_without_area += 1,
        }
    }
    communities
}

fn offices(facts: &Facts<'_>) -> Vec<OfficeFacts> {
    let mut offices: Vec<OfficeFacts> = Vec::new();
    for community in &facts.communities {
        let Some(code) = facts.scenario.communities[community.id.index()].street_office() else { continue };
        let by_time = facts.by_time(CoverageScope::Community(community.id));
        let index = offices.iter().position(|office| office.code == code).unwrap_or_else(|| {
            offices.push(OfficeFacts {
                code: code.to_owned(),
                communities: 0,
                load: Load::default(),
                sizes: SizeFacts::default(),
                open_stations: 0,
                service_space_m2: 0.0,
                reached: vec![0; by_time.len()],
                left_out: Load::default(),
            });
            offices.len() - 1
        });
        let office = &mut offices[index];
        office.communities += 1;
        office.load.merge(community.load);
        office.sizes.merge(community.sizes);
        office.open_stations += community.open_stations;
        office.service_space_m2 += community.service_space_m2;
        office.left_out.merge(community.left_out);
        for (sum, band) in office.reached.iter_mut().zip(&by_time) {
            *sum += band.map_or(0, |(reached, _)| reached);
        }
    }
    if offices.len() < 2 { Vec::new() } else { offices }
}
