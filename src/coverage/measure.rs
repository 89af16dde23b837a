//! The coverage table: per building, grid, community and tier, by three methods.

use geo::{Area, ConvexHull, Coord, MultiPoint};
use rayon::prelude::*;

use super::balance::balance;
use super::straight::{straight_nearest, straight_reach};
use crate::model::{
    Atom, AtomCoverage, AtomId, Community, CommunityId, Coverage, CoverageMethod, CoverageRow, CoverageScope,
    Finding, FindingKind, GridId, OfficeCode, Partition, Scenario, Severity, Station, StationId,
    StationStatus, StationTier, Text, Unreached, WalkBand, WalkDirection,
};
use crate::network::{DoorWalks, Measure, NearestSite, Reach, SnapFailure, Snaps, StreetNetwork, UNREACHED};
use crate::units::{Households, Metres, Residents, Seconds};

/// The street network and where the scenario's buildings are attached to it: what siting and coverage share.
#[derive(Clone, Copy, Debug)]
pub struct Walks<'a> {
    /// Streets on foot.
    pub network: &'a StreetNetwork,
    /// One door per atom, from [`StreetNetwork::snap_atoms`].
    pub doors: &'a Snaps,
}

/// Measures who reaches a station.
///
/// - Rule: a circle is a pair. Network time is held against its minutes, network distance and the straight
///   radius against its metres; limits are inclusive. Walks run from the building's door to the station's.
/// - Counted: every station that is not closed; shares are of households. Rows exist for the whole plan, each
///   street office that community codes name, each community and each grid; for all stations together and for each tier that has one. Buildings
///   outside every community count in no row.
/// - Cost: one bounded search per station and measure, one unbounded search per tier.
///
/// `bands` are sorted by minutes in the answer.
#[must_use]
pub fn measure(
    scenario: &Scenario,
    partition: &Partition,
    stations: &[Station],
    walks: Walks<'_>,
    bands: &[WalkBand],
    direction: WalkDirection,
) -> Coverage {
    let mut bands = bands.to_vec();
    bands.sort_by_key(|band| band.minutes);
    let open = OpenStations::of(stations, walks.network);
    let ready = Ready::of(walks, direction);
    let (depths, time_reach) = MethodDepths::of(scenario, &open, &ready, &bands);
    let atoms = atom_coverage(scenario, &open, &ready, &bands, &depths);
    drop(ready);
    let (balance, rows) = rayon::join(
        || balance(scenario, stations, &open.ids, time_reach, &bands, &atoms),
        || rows(scenario, partition, &open, &bands, &depths),
    );
    Coverage {
        bands,
        with_terrain: walks.network.with_terrain(),
        profile: walks.network.rules().profile.name.clone(),
        atoms,
        rows,
        direction,
        profiles: Vec::new(),
        balance,
    }
}

/// The buildings' doors made ready for both searches: by time and by distance.
struct Ready<'a> {
    network: &'a StreetNetwork,
    doors: &'a Snaps,
    time: DoorWalks,
    distance: DoorWalks,
}

impl<'a> Ready<'a> {
    fn of(walks: Walks<'a>, direction: WalkDirection) -> Self {
        let Walks { network, doors } = walks;
        let (time, distance) = rayon::join(
            || network.door_walks(doors, direction.into()),
            || network.door_walks(doors, Measure::Distance),
        );
        Self { network, doors, time, distance }
    }
}

/// The stations that count: not closed.
struct OpenStations {
    ids: Vec<StationId>,
    tiers: Vec<StationTier>,
    at: Vec<Coord<f64>>,
    snaps: Snaps,
    /// Tiers that have a station, widest first.
    tiers_present: Vec<StationTier>,
}

impl OpenStations {
    fn of(stations: &[Station], network: &StreetNetwork) -> Self {
        let open =
            || stations.iter().enumerate().filter(|(_, station)| station.status != StationStatus::Closed);
        let at: Vec<Coord<f64>> = open().map(|(_, station)| station.at).collect();
        let tiers: Vec<StationTier> = open().map(|(_, station)| station.tier).collect();
        Self {
            ids: open().map(|(index, _)| StationId::from_index(index)).collect(),
            snaps: network.snap_sites(&at),
            tiers_present: StationTier::ALL.into_iter().filter(|tier| tiers.contains(tier)).collect(),
            at,
            tiers,
        }
    }

    /// Positions of one tier's stations among the open ones, and their doors.
    fn of_tier(&self, tier: StationTier, network: &StreetNetwork) -> (Vec<u32>, Snaps) {
        let of_tier: Vec<u32> =
            (0..self.tiers.len() as u32).filter(|&row| self.tiers[row as usize] == tier).collect();
        let at: Vec<Coord<f64>> = of_tier.iter().map(|&row| self.at[row as usize]).collect();
        (of_tier, network.snap_sites(&at))
    }
}

/// Per atom the number of stations within each band, `atom · bands + band`, for all stations and per tier.
struct Depths {
    all: Vec<u16>,
    by_tier: Vec<Vec<u16>>,
}

struct MethodDepths {
    /// In the order of [`CoverageMethod::ALL`].
    methods: Vec<Depths>,
}

impl MethodDepths {
    fn of(scenario: &Scenario, open: &OpenStations, ready: &Ready<'_>, bands: &[WalkBand]) -> (Self, Reach) {
        let ms: Vec<u32> = bands.iter().map(|band| whole(band.limit().value() * 1000.0)).collect();
        let mm: Vec<u32> = bands.iter().map(|band| whole(band.metres.value() * 1000.0)).collect();
        let reach = |walks, limits: &[u32]| {
            let widest = limits.iter().copied().max().unwrap_or(0);
            ready.network.reach_of(&open.snaps, ready.doors, walks, widest)
        };
        let n_atoms = scenario.atoms.len();
        let straight = || {
            let rows = straight_reach(&scenario.atoms, &open.at, &mm);
            Depths::of(rows.iter().map(|row| row.iter().copied()), open, &mm, n_atoms)
        };
        let walked = |walks, limits: &[u32]| {
            let reach = reach(walks, limits);
            let rows = (0..reach.n_sites()).map(|station| reach.row(station));
            (Depths::of(rows, open, limits, n_atoms), reach)
        };
        let ((straight, (distance, _)), (time, time_reach)) = rayon::join(
            || rayon::join(straight, || walked(&ready.distance, &mm)),
            || walked(&ready.time, &ms),
        );
        // In the order of `CoverageMethod::ALL`.
        (Self { methods: vec![straight, distance, time] }, time_reach)
    }

    fn by(&self, method: CoverageMethod) -> &Depths {
        &self.methods[method as usize]
    }
}

impl Depths {
    /// `rows` are the stations' doors and walks.
    fn of<R: Iterator<Item = (u32, u32)>>(
        rows: impl Iterator<Item = R>,
        open: &OpenStations,
        limits: &[u32],
        n_atoms: usize,
    ) -> Self {
        let none = || vec![0_u16; n_atoms * limits.len()];
        let mut depths = Self { all: none(), by_tier: open.tiers_present.iter().map(|_| none()).collect() };
        // Each walk counts once, in the narrowest band that holds it.
        let mut order: Vec<usize> = (0..limits.len()).collect();
        order.sort_by_key(|&band| limits[band]);
        for (station, row) in rows.enumerate() {
            let tier = open.tiers_present.iter().position(|&tier| tier == open.tiers[station]);
            let of_tier = &mut depths.by_tier[tier.expect("the station's tier is present")];
            for (door, cost) in row {
                if let Some(&band) = order.iter().find(|&&band| cost <= limits[band]) {
                    let slot = &mut of_tier[door as usize * limits.len() + band];
                    *slot = slot.saturating_add(1);
                }
            }
        }
        // What a narrow band holds the wider ones hold too, and all tiers together what each of them holds.
        let n_bands = limits.len().max(1);
        for of_tier in &mut depths.by_tier {
            for (of_tier, all) in of_tier.chunks_exact_mut(n_bands).zip(depths.all.chunks_exact_mut(n_bands))
            {
                let mut sum = 0_u16;
                for &band in &order {
                    sum = sum.saturating_add(of_tier[band]);
                    of_tier[band] = sum;
                    all[band] = all[band].saturating_add(sum);
                }
            }
        }
        depths
    }
}

/// Whole milliseconds or millimetres.
pub(super) fn whole(value: f64) -> u32 {
    value.round().clamp(0.0, f64::from(UNREACHED - 1)) as u32
}

pub(super) fn door_of(atom: &Atom) -> Coord<f64> {
    atom.door.unwrap_or_else(|| atom.shape.anchor())
}

/// The nearest station of each building by time: of every tier, and within each.
struct NearestByTier {
    /// Walk, and position among the open stations.
    all: Vec<(u32, u32)>,
    /// In the order of [`StationTier::ALL`]; none where a tier has no station.
    of_tier: [Option<NearestSite>; 5],
}

impl NearestByTier {
    /// One search a tier; the nearest of all is the nearest of the tiers' nearest.
    fn of(open: &OpenStations, ready: &Ready<'_>) -> Self {
        let mut all = vec![(UNREACHED, u32::MAX); ready.doors.len()];
        let of_tier = StationTier::ALL.map(|tier| {
            if !open.tiers_present.contains(&tier) {
                return None;
            }
            let (rows, sites) = open.of_tier(tier, ready.network);
            let nearest = ready.network.nearest_to(&sites, ready.doors, &ready.time, None);
            all.par_iter_mut().with_min_len(4096).enumerate().for_each(|(door, best)| {
                if let Ok(site) = usize::try_from(nearest.site[door]) {
                    *best = (*best).min((nearest.cost[door], rows[site]));
                }
            });
            Some(nearest)
        });
        Self { all, of_tier }
    }
}

fn atom_coverage(
    scenario: &Scenario,
    open: &OpenStations,
    ready: &Ready<'_>,
    bands: &[WalkBand],
    depths: &MethodDepths,
) -> Vec<AtomCoverage> {
    let &Ready { network, doors, .. } = ready;
    let by_distance = || network.nearest_to(&open.snaps, doors, &ready.distance, None);
    let in_the_plane = || (straight_nearest(&scenario.atoms, &open.at), StudyEdge::of(scenario));
    let (nearest, (distance, (straight, edge))) =
        rayon::join(|| NearestByTier::of(open, ready), || rayon::join(by_distance, in_the_plane));
    let seconds = |ms: u32| (ms != UNREACHED).then(|| Seconds::constant(f64::from(ms) / 1000.0));
    let depth = &depths.by(CoverageMethod::NetworkTime).all;
    let cover = |index: usize| {
        let (ms, station) = nearest.all[index];
        let walk = seconds(ms);
        let found = walk.map(|walk| (open.ids[station as usize], walk));
        let reason = || why_unreached(network, doors.failure(index), open.ids.len());
        let edge_walk = edge.distance(door_of(&scenario.atoms[index])) / network.rules().profile.top_speed();
        AtomCoverage {
            nearest: found.ok_or_else(reason),
            distance: (distance.cost[index] != UNREACHED)
                .then(|| Metres::constant(f64::from(distance.cost[index]) / 1000.0)),
            straight: straight[index],
            depth: depth[index * bands.len()..(index + 1) * bands.len()].to_vec(),
            tier_walk: std::array::from_fn(|tier| seconds(nearest.of_tier[tier].as_ref()?.cost[index])),
            near_edge: bands.iter().any(|band| {
                let missed = walk.is_none_or(|walk| !band.reaches_in_time(walk));
                missed && edge_walk <= band.limit().value()
            }),
        }
    };
    (0..scenario.atoms.len()).into_par_iter().with_min_len(1024).map(cover).collect()
}

fn why_unreached(network: &StreetNetwork, failure: Option<SnapFailure>, n_stations: usize) -> Unreached {
    match failure {
        _ if n_stations == 0 => Unreached::NoStation,
        _ if network.size().1 == 0 => Unreached::NoStreets,
        Some(SnapFailure::NoStreets) => Unreached::NoStreets,
        Some(_) => Unreached::Unsnapped,
        None => Unreached::Island,
    }
}

/// The edge of the study area: the convex hull of all communities, or of all buildings where there are none.
/// Beyond it there may be streets and stations that the data does not hold.
struct StudyEdge {
    /// Per side of the hull a place on it and the unit vector inwards; none if the hull has no area.
    sides: Vec<(Coord<f64>, Coord<f64>)>,
}

impl StudyEdge {
    fn of(scenario: &Scenario) -> Self {
        let outlines = scenario.communities.iter().flat_map(|community| &community.outline);
        let mut corners: Vec<_> =
            outlines.flat_map(|polygon| polygon.exterior().points()).filter(|p| p.0.x.is_finite()).collect();
        if corners.is_empty() {
            corners = scenario.atoms.iter().map(|atom| door_of(atom).into()).collect();
        }
        let hull = MultiPoint(corners).convex_hull();
        if hull.exterior().0.len() < 4 || hull.unsigned_area() <= 0.0 {
            return Self { sides: Vec::new() };
        }
        // The hull runs counter-clockwise: its inside is on the left.
        let side = |pair: &[Coord<f64>]| {
            let along = pair[1] - pair[0];
            let length = along.x.hypot(along.y);
            (0.0 < length).then(|| (pair[0], Coord { x: -along.y / length, y: along.x / length }))
        };
        Self { sides: hull.exterior().0.windows(2).filter_map(side).collect() }
    }

    /// Straight metres to the edge; zero outside. Inside a convex outline the nearest side's line is the edge.
    fn distance(&self, at: Coord<f64>) -> f64 {
        let to =
            |&(on, inwards): &(Coord<f64>, Coord<f64>)| (at.x - on.x) * inwards.x + (at.y - on.y) * inwards.y;
        let nearest = self.sides.iter().map(to).fold(f64::INFINITY, f64::min);
        if nearest.is_finite() { nearest.max(0.0) } else { 0.0 }
    }
}

/// A scope that an atom does not count in.
const NO_ROW: u32 = u32::MAX;

fn rows(
    scenario: &Scenario,
    partition: &Partition,
    open: &OpenStations,
    bands: &[WalkBand],
    depths: &MethodDepths,
) -> Vec<CoverageRow> {
    let n_communities = scenario.communities.len();
    let office_of = |community: &Community| community.street_office().and_then(OfficeCode::parse);
    let mut offices: Vec<OfficeCode> = scenario.communities.iter().filter_map(office_of).collect();
    offices.sort_unstable();
    offices.dedup();
    let place = |office: OfficeCode| offices.binary_search(&office).ok();
    let office_row: Vec<Option<usize>> =
        scenario.communities.iter().map(|community| office_of(community).and_then(place)).collect();
    let scopes: Vec<CoverageScope> = std::iter::once(CoverageScope::All)
        .chain(offices.iter().map(|&office| CoverageScope::StreetOffice(office)))
        .chain((0..n_communities).map(|index| CoverageScope::Community(CommunityId::from_index(index))))
        .chain((0..partition.grids.len()).map(|index| CoverageScope::Grid(GridId::from_index(index))))
        .collect();
    // Each planned atom counts in up to four scopes.
    let n_offices = offices.len();
    let people_and_scopes = |index: usize| {
        let atom = &scenario.atoms[index];
        let community = atom.community;
        let grid = partition.grid_of.get(index).copied().flatten();
        let row = |row: Option<usize>| row.map_or(NO_ROW, |row| row as u32);
        let scopes = [
            row(community.map(|_| 0)),
            row(community.and_then(|id| office_row[id.index()]).map(|row| 1 + row)),
            row(community.map(|id| 1 + n_offices + id.index())),
            row(grid.map(|id| 1 + n_offices + n_communities + id.index())),
        ];
        ((atom.households, atom.residents), scopes)
    };
    let atoms = (0..scenario.atoms.len()).into_par_iter().with_min_len(1024);
    let (people, scopes_of): (Vec<(Households, Residents)>, Vec<[u32; 4]>) =
        atoms.map(people_and_scopes).unzip();
    let mut there = vec![(Households(0), Residents(0)); scopes.len()];
    for (&(households, residents), scopes) in people.iter().zip(&scopes_of) {
        for &scope in scopes.iter().filter(|&&scope| scope != NO_ROW) {
            there[scope as usize].0 += households;
            there[scope as usize].1 += residents;
        }
    }
    let tiers = std::iter::once(None).chain(open.tiers_present.iter().copied().map(Some));
    let parts: Vec<_> = tiers
        .enumerate()
        .flat_map(|tier| CoverageMethod::ALL.into_iter().map(move |method| (tier, method)))
        .collect();
    let part = |&((tier_index, tier), method): &((usize, Option<StationTier>), CoverageMethod)| {
        let depths = depths.by(method);
        let depths = if tier_index == 0 { &depths.all } else { &depths.by_tier[tier_index - 1] };
        let reached = Reached::of(&people, &scopes_of, depths, scopes.len(), bands.len());
        let row = |(index, reached): (usize, Reached)| {
            let (scope, band) = (index / bands.len(), index % bands.len());
            CoverageRow {
                scope: scopes[scope],
                tier,
                method,
                minutes: bands[band].minutes,
                households: there[scope].0,
                households_reached: reached.households,
                residents: there[scope].1,
                residents_reached: reached.residents,
                households_overlap: reached.overlap,
            }
        };
        reached.into_iter().enumerate().map(row).collect::<Vec<_>>()
    };
    let mut rows: Vec<CoverageRow> = parts.par_iter().map(part).flatten_iter().collect();
    rows.sort_by_key(|row| (row.scope, row.tier, row.method, row.minutes));
    rows
}

/// Who is reached in one scope within one band.
#[derive(Clone, Copy, Default)]
struct Reached {
    households: Households,
    residents: Residents,
    overlap: Households,
}

impl Reached {
    /// `scope · bands + band`, from the depths `atom · bands + band`.
    fn of(
        people: &[(Households, Residents)],
        scopes_of: &[[u32; 4]],
        depths: &[u16],
        n_scopes: usize,
        n_bands: usize,
    ) -> Vec<Self> {
        let mut reached = vec![Self::default(); n_scopes * n_bands];
        let depths = depths.chunks_exact(n_bands.max(1));
        for ((&(households, residents), depths), scopes) in people.iter().zip(depths).zip(scopes_of) {
            if depths.iter().all(|&depth| depth == 0) {
                continue;
            }
            for &scope in scopes.iter().filter(|&&scope| scope != NO_ROW) {
                let rows = &mut reached[scope as usize * n_bands..][..n_bands];
                for (row, &depth) in rows.iter_mut().zip(depths) {
                    if 1 <= depth {
                        row.households += households;
                        row.residents += residents;
                    }
                    if 2 <= depth {
                        row.overlap += households;
                    }
                }
            }
        }
        reached
    }
}

/// What is odd about a coverage: doors on no street, islands, stations nobody reaches, slopes not counted,
/// edge effects, and per community who is beyond every circle and how far.
#[must_use]
pub fn findings(
    scenario: &Scenario,
    stations: &[Station],
    walks: Walks<'_>,
    coverage: &Coverage,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !coverage.with_terrain {
        findings.push(Finding::new(
            Severity::Info,
            FindingKind::NoTerrain,
            "terrain",
            (
                "没有地形模型：未计坡度，上坡实际要走得更久",
                "no terrain model: slopes are not counted, so walks uphill are longer than shown",
            ),
            ("用 --role dem=FILE 导入地形模型", "import a terrain model with --role dem=FILE"),
        ));
    }
    let without_height = walks.network.n_edges_without_height();
    if coverage.with_terrain && 0 < without_height {
        let message = (
            format!("{without_height} 段道路在地形模型范围之外，按平地计"),
            format!("{without_height} street pieces lie outside the terrain model and count as flat"),
        );
        let remedy = ("导入覆盖全区的地形模型", "import a terrain model that covers the whole area");
        findings.push(Finding::new(Severity::Warning, FindingKind::NoTerrain, "terrain", message, remedy));
    }
    findings.extend(unreached_atoms(scenario, walks, coverage));
    findings.extend(unreachable_stations(stations, walks.network));
    findings.extend(uncovered_communities(scenario, coverage));
    let near_edge = scenario
        .atoms
        .iter()
        .zip(&coverage.atoms)
        .filter(|(atom, reach)| atom.community.is_some() && 0 < atom.households.0 && reach.near_edge);
    let households: u32 = near_edge.map(|(atom, _)| atom.households.0).sum();
    if 0 < households {
        findings.push(Finding::new(
            Severity::Info,
            FindingKind::EdgeEffect,
            "buildings",
            (
                format!("{households} 户离数据边缘很近，边缘之外的站点也可能服务到他们"),
                format!("{households} households live so near the edge of the data that a station beyond it could serve them"),
            ),
            (
                "补充周边地区的道路和站点，或把这些住户的结果看作下限",
                "add streets and stations of the neighboring areas, or read these households' answer as a lower bound",
            ),
        ));
    }
    findings
}

fn unreached_atoms(scenario: &Scenario, walks: Walks<'_>, coverage: &Coverage) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, (atom, reach)) in scenario.atoms.iter().zip(&coverage.atoms).enumerate() {
        let Err(reason) = reach.nearest else { continue };
        if atom.households.0 == 0 {
            continue;
        }
        let limit = walks.network.rules().max_access.value();
        let (message, remedy) = match (reason, walks.doors.failure(index)) {
            (Unreached::Unsnapped, Some(SnapFailure::TooFar { nearest })) => (
                Text::from((
                    format!("最近的道路在 {nearest:.0} m 外，超过允许的 {limit:.0} m"),
                    format!("the nearest street is {nearest:.0} m away, more than the {limit:.0} m allowed"),
                )),
                ("补画缺少的小路，或标出建筑的门口", "draw the missing path, or place the building's door"),
            ),
            (Unreached::Unsnapped, Some(SnapFailure::Closed { nearest })) => (
                Text::from((
                    format!(
                        "最近的道路在 {nearest:.0} m 外，但此类行人不能通行（台阶、路缘或坡度过陡），附近没有其他道路"
                    ),
                    format!(
                        "the nearest street, {nearest:.0} m away, is closed to this walker (stairs, a kerb or too steep), and no other is about as near"
                    ),
                )),
                (
                    "补画坡道等可通行的小路，或核对道路的台阶、无障碍和坡度属性",
                    "draw the ramp or path that this walker can use, or check the street's stairs, wheelchair and incline attributes",
                ),
            ),
            (Unreached::Unsnapped, _) => (
                Text::from((
                    "门口与附近所有道路之间都隔着围墙等阻隔",
                    "walls or other barriers stand between the door and every street near",
                )),
                (
                    "在出入口图层补上小区大门，或补画通向外面的小路",
                    "add the compound's gate to the gate layer, or draw the path that leads out",
                ),
            ),
            (Unreached::Island, _) => (
                Text::from((
                    "门口的道路与任何站点所在的道路都不连通",
                    "the street at the door hangs together with no station's street",
                )),
                (
                    "补画缺少的桥、大门或小路，或检查道路在交点处是否共用顶点",
                    "draw the missing bridge, gate or path, or check that streets share their vertices",
                ),
            ),
            // One finding for the whole layer says it.
            (Unreached::NoStation | Unreached::NoStreets, _) => continue,
        };
        let households = atom.households;
        let message = (
            format!("{}；其 {households} 户按未覆盖计", message.zh),
            format!("{}; its {households} households count as not covered", message.en),
        );
        let finding =
            Finding::new(Severity::Warning, FindingKind::UnsnappedDoor, "buildings", message, remedy)
                .about(atom.source.0.clone())
                .at(door_of(atom))
                .on_atom(AtomId::from_index(index));
        findings.push(match atom.community {
            Some(community) => finding.in_community(community),
            None => finding,
        });
    }
    if walks.network.size().1 == 0 && !scenario.atoms.is_empty() {
        findings.push(Finding::new(
            Severity::Error,
            FindingKind::NoStreets,
            "streets",
            (
                "没有可步行的道路：无法计算路网时间和距离，只有直线半径",
                "no street that people may walk on: network time and distance cannot be measured, only the straight radius",
            ),
            ("导入道路，例如该地区的 OSM 数据", "import streets, for example an OSM extract of the area"),
        ));
    }
    findings
}

fn unreachable_stations(stations: &[Station], network: &StreetNetwork) -> Vec<Finding> {
    if network.size().1 == 0 {
        return Vec::new();
    }
    let open: Vec<&Station> =
        stations.iter().filter(|station| station.status != StationStatus::Closed).collect();
    let snaps = network.snap_sites(&open.iter().map(|station| station.at).collect::<Vec<_>>());
    let finding = |(index, station): (usize, &&Station)| {
        let (severity, message) = if snaps.failure(index).is_some() {
            let message = (
                "站点门口附近没有可达的道路，因此没有住户算作能步行到达",
                "the station's door is on no street within reach, so nobody is counted as reaching it on foot",
            );
            (Severity::Error, message)
        } else if network.is_on_fragment(index, &snaps) {
            let message = (
                "站点门口的道路与主路网不连通，只有该段道路旁的住户算作能步行到达",
                "the street at the station's door is not joined to the main network: only households beside it are counted as reaching it on foot",
            );
            (Severity::Warning, message)
        } else {
            return None;
        };
        let remedy = (
            "把点移到站点门口，或补画通向那里的小路或大门",
            "move the point to the station's door, or draw the path or gate that leads there",
        );
        let finding = Finding::new(severity, FindingKind::UnreachableStation, "stations", message, remedy);
        Some(finding.about(station.code.clone()).at(station.at))
    };
    open.iter().enumerate().filter_map(finding).collect()
}

fn uncovered_communities(scenario: &Scenario, coverage: &Coverage) -> Vec<Finding> {
    let Some(widest) = coverage.bands.last() else { return Vec::new() };
    let mut left_out = vec![(0_u32, None::<f64>); scenario.communities.len()];
    for id in coverage.uncovered(scenario) {
        let atom = &scenario.atoms[id.index()];
        let Some(community) = atom.community else { continue };
        let (households, farthest) = &mut left_out[community.index()];
        *households = households.saturating_add(atom.households.0);
        if let Ok((_, walk)) = coverage.atoms[id.index()].nearest {
            *farthest = Some(farthest.unwrap_or(0.0).max(walk.minutes()));
        }
    }
    let communities = left_out.iter().enumerate().filter(|(_, (households, _))| 0 < *households);
    communities
        .map(|(index, (households, farthest))| {
            let how_far = farthest.map_or_else(
                || Text::from(("他们步行都到不了任何站点", "none of them reaches a station on foot at all")),
                |minutes| {
                    Text::from((
                        format!("能到达站点的最远要走 {minutes:.0} 分钟"),
                        format!("the farthest that reach one walk {minutes:.0} minutes"),
                    ))
                },
            );
            let band = widest.minutes;
            let message = (
                format!("{households} 户在所有 {band} 分钟圈之外；{}", how_far.zh),
                format!("{households} households are beyond every {band}-minute circle; {}", how_far.en),
            );
            let remedy = (
                "在更近处设站，或在图层 uncovered 查看这些建筑和路程",
                "open a station nearer, or see the layer `uncovered` for the buildings and their way",
            );
            Finding::new(Severity::Warning, FindingKind::Uncovered, "uncovered", message, remedy)
                .about(scenario.communities[index].code.clone())
                .in_community(CommunityId::from_index(index))
        })
        .collect()
}
