//! A small invented place, written by hand: two urban communities on either side of a river, and a village.
//!
//! ```text
//!  800 +---------+---------+-------------------------+
//!      |   001   |   002   |   Beishan village  001  |
//!  500 |         |         +------+------+-----------+
//!  400 +---------+---------B 001  |      |  004 (ex.)|   B = the only bridge
//!      |   003   |   004   | Hedong 002  +-----------+
//!    0 +---------+---------+------+------+---- 003 --+
//!      0        300       600    800   1000        1240   metres east of the origin
//! ```
//!
//! Everybody walks along the compass directions at 1 m/s and crosses the river at the bridge only, so every
//! figure of the coverage can be checked with a pencil.

use geo::{Coord, LineString, MultiPolygon, Point, Polygon, Rect};

use crate::geometry::Plane;
use crate::model::{
    Atom, AtomId, AtomShape, Barrier, BarrierKind, BarrierShape, Community, CommunityId, Compound,
    CompoundId, Finding, FindingKind, Gate, GridClass, HouseholdsSource, OtherLoads, Premise, Scenario,
    Severity, SourceFile, SourceId, Station, StationStatus, StationTier, Street, StreetClass, Text, Use,
};
use crate::units::{Households, Residents, SquareMetres};

/// South-west corner of the toy place on CGCS2000 / 3-degree Gauss-Kruger CM 120E, near Yantai.
const ORIGIN: Coord<f64> = Coord { x: 622_000.0, y: 4_157_000.0 };
/// The river runs along this easting; the bridge crosses it at [`BRIDGE_Y`].
pub(super) const RIVER_X: f64 = 600.0;
pub(super) const BRIDGE_Y: f64 = 400.0;

/// What a toy grid is made of.
pub(super) struct Cell {
    pub(super) code: &'static str,
    pub(super) community: u32,
    pub(super) class: GridClass,
    pub(super) compound: Option<u32>,
    /// West, south, east, north.
    pub(super) extent: [f64; 4],
    /// Households of its buildings, placed row by row, four a row.
    pub(super) households: &'static [u32],
}

pub(super) const CELLS: [Cell; 9] = [
    cell("370602001001001", 0, GridClass::Urban, Some(0), [0.0, 400.0, 300.0, 800.0], &[38; 8]),
    cell("370602001001002", 0, GridClass::Urban, Some(1), [300.0, 400.0, 600.0, 800.0], &[36; 8]),
    cell("370602001001003", 0, GridClass::Urban, None, [0.0, 0.0, 300.0, 400.0], &[40; 8]),
    cell(
        "370602001001004",
        0,
        GridClass::Urban,
        None,
        [300.0, 0.0, 600.0, 400.0],
        &[35, 35, 36, 36, 37, 37, 38, 38],
    ),
    cell("370602001002001", 1, GridClass::Urban, Some(2), [600.0, 0.0, 800.0, 500.0], &[37; 8]),
    cell("370602001002002", 1, GridClass::Urban, None, [800.0, 0.0, 1000.0, 500.0], &[34; 8]),
    cell("370602001002003", 1, GridClass::Urban, None, [1000.0, 0.0, 1240.0, 300.0], &[420, 46]),
    cell("370602001002004", 1, GridClass::Exclusive, None, [1000.0, 300.0, 1240.0, 500.0], &[0]),
    cell(
        "370602001201001",
        2,
        GridClass::Rural,
        None,
        [600.0, 500.0, 1240.0, 800.0],
        &[12, 9, 14, 0, 11, 8, 10, 16],
    ),
];

const fn cell(
    code: &'static str,
    community: u32,
    class: GridClass,
    compound: Option<u32>,
    extent: [f64; 4],
    households: &'static [u32],
) -> Cell {
    Cell { code, community, class, compound, extent, households }
}

/// The toy place: 3 communities, 60 buildings, 3 compounds, a river with one bridge, a lake, 4 premises.
///
/// # Panics
/// Never: the plane is a known one.
#[must_use]
pub fn toy_scenario() -> Scenario {
    let plane = Plane::from_epsg(4549).expect("CGCS2000 / CM 120E is a known plane");
    let mut scenario = Scenario::new("河畔街道", plane);
    scenario.communities = vec![
        community("370602001001", "河西社区", GridClass::Urban, [0.0, 0.0, 600.0, 800.0]),
        community("370602001002", "河东社区", GridClass::Urban, [600.0, 0.0, 1240.0, 500.0]),
        community("370602001201", "北山村", GridClass::Rural, [600.0, 500.0, 1240.0, 800.0]),
    ];
    scenario.compounds = vec![
        compound("c1", "河西花园", [20.0, 420.0, 280.0, 780.0], true),
        compound("c2", "滨河小区", [320.0, 420.0, 570.0, 780.0], false),
        compound("c3", "东岸新村", [630.0, 20.0, 780.0, 380.0], true),
    ];
    scenario.gates = vec![
        gate("g1", 0, 150.0, 420.0, true),
        gate("g2", 0, 280.0, 600.0, false),
        gate("g3", 2, 780.0, 200.0, true),
    ];
    scenario.atoms = atoms();
    scenario.streets = streets();
    scenario.barriers = vec![
        barrier(
            "w1",
            "清水河",
            BarrierKind::River,
            BarrierShape::Line(line(&[(RIVER_X, -50.0), (RIVER_X, 850.0)])),
        ),
        barrier(
            "w2",
            "月牙湖",
            BarrierKind::Water,
            BarrierShape::Area(MultiPolygon(vec![rectangle([1130.0, 680.0, 1230.0, 790.0])])),
        ),
    ];
    scenario.premises = premises();
    scenario.stations = existing_stations();
    scenario.findings = input_findings();
    scenario.sources = vec![
        source("buildings.shp", "buildings", "GBK (detected)", 60),
        source("communities.geojson", "communities", "UTF-8 (declared)", 3),
        source("roads.osm.pbf", "streets", "UTF-8 (declared)", 16),
    ];
    scenario
}

pub(super) fn place(x: f64, y: f64) -> Coord<f64> {
    Coord { x: ORIGIN.x + x, y: ORIGIN.y + y }
}

pub(super) fn rectangle([west, south, east, north]: [f64; 4]) -> Polygon<f64> {
    Rect::new(place(west, south), place(east, north)).to_polygon()
}

fn line(points: &[(f64, f64)]) -> LineString<f64> {
    LineString(points.iter().map(|&(x, y)| place(x, y)).collect())
}

fn community(code: &str, name: &str, class: GridClass, extent: [f64; 4]) -> Community {
    let outline = MultiPolygon(vec![rectangle(extent)]);
    Community { code: code.into(), name: name.into(), class, outline }
}

fn compound(source: &str, name: &str, extent: [f64; 4], walled: bool) -> Compound {
    Compound {
        source: SourceId(source.into()),
        name: Some(name.into()),
        outline: MultiPolygon(vec![rectangle(extent)]),
        walled,
        households: None,
    }
}

fn gate(source: &str, compound: u32, x: f64, y: f64, open: bool) -> Gate {
    Gate { source: SourceId(source.into()), compound: Some(CompoundId(compound)), at: place(x, y), open }
}

fn barrier(source: &str, name: &str, kind: BarrierKind, shape: BarrierShape) -> Barrier {
    Barrier { source: SourceId(source.into()), name: Some(name.into()), kind, shape }
}

fn source(name: &str, role: &str, encoding: &str, features: u64) -> SourceFile {
    SourceFile {
        name: name.into(),
        role: Text::same(role),
        sha256: format!("{:064x}", features * 7919),
        encoding: Text::same(encoding),
        crs: ("EPSG:4549（指定）", "EPSG:4549 (declared)").into(),
        features,
    }
}

fn atoms() -> Vec<Atom> {
    let mut atoms = Vec::new();
    for cell in &CELLS {
        for (index, &households) in cell.households.iter().enumerate() {
            atoms.push(atom(atoms.len(), cell, index, households));
        }
    }
    // The last one stands west of everything, outside every community.
    let mut stray = atom(atoms.len(), &CELLS[0], 0, 5);
    stray.shape = AtomShape::Point(Point(place(-120.0, 300.0)));
    (stray.community, stray.compound, stray.current_grid) = (None, None, None);
    atoms.push(stray);
    atoms
}

fn atom(number: usize, cell: &Cell, index: usize, households: u32) -> Atom {
    let [west, south, east, north] = cell.extent;
    let (column, row) = ((index % 4) as f64, (index / 4) as f64);
    let x = west + (east - west) * (column + 0.5) / 4.0;
    let y = north - (north - south) * (row + 0.5) / 2.0;
    let rural = cell.class == GridClass::Rural;
    let exclusive = cell.class == GridClass::Exclusive;
    let shape = if rural {
        AtomShape::Point(Point(place(x, y)))
    } else {
        AtomShape::Area(MultiPolygon(vec![rectangle([x - 18.0, y - 7.0, x + 18.0, y + 7.0])]))
    };
    let households_source = match (rural, households) {
        (true, 0) => HouseholdsSource::Missing,
        (true, _) => HouseholdsSource::FloorArea,
        (false, _) if cell.compound == Some(1) => HouseholdsSource::Compound,
        (false, _) => HouseholdsSource::Column,
    };
    Atom {
        source: SourceId(format!("b{:04}", number + 1)),
        name: exclusive.then(|| "河东市场".to_owned()),
        shape,
        households: Households(households),
        residents: Residents(households * 5 / 2),
        households_source,
        other_loads: OtherLoads { shops: if exclusive { 120 } else { 0 }, ..OtherLoads::default() },
        community: Some(CommunityId(cell.community)),
        compound: cell.compound.map(CompoundId),
        floors: if households > 100 { 33 } else { 6 },
        usage: if exclusive { Use::Commercial } else { Use::Residential },
        exclusive,
        door: None,
        current_grid: Some(format!("旧{:02}", cell.community + 1)),
        locked: false,
    }
}

fn streets() -> Vec<Street> {
    use StreetClass::{Arterial, Lane, Secondary, Steps};
    type Row = (&'static str, StreetClass, &'static [(f64, f64)]);
    let rows: [Row; 14] = [
        ("解放路", Secondary, &[(0.0, 0.0), (300.0, 0.0), (590.0, 0.0)]),
        ("人民路", Arterial, &[(0.0, 400.0), (300.0, 400.0), (590.0, 400.0)]),
        ("人民桥", Arterial, &[(590.0, 400.0), (610.0, 400.0)]),
        ("人民路", Arterial, &[(610.0, 400.0), (800.0, 400.0), (1000.0, 400.0), (1240.0, 400.0)]),
        ("北环路", Secondary, &[(0.0, 800.0), (300.0, 800.0), (590.0, 800.0)]),
        ("西关街", Lane, &[(0.0, 0.0), (0.0, 400.0), (0.0, 800.0)]),
        ("文化街", Secondary, &[(300.0, 0.0), (300.0, 400.0), (300.0, 800.0)]),
        ("滨河西路", Lane, &[(590.0, 0.0), (590.0, 400.0), (590.0, 800.0)]),
        ("滨河东路", Lane, &[(610.0, 0.0), (610.0, 400.0), (610.0, 500.0), (610.0, 800.0)]),
        ("东岸街", Lane, &[(800.0, 0.0), (800.0, 400.0), (800.0, 500.0)]),
        ("市场街", Secondary, &[(1000.0, 0.0), (1000.0, 400.0), (1000.0, 500.0)]),
        ("解放东路", Secondary, &[(610.0, 0.0), (800.0, 0.0), (1000.0, 0.0), (1240.0, 0.0)]),
        ("村南路", Lane, &[(610.0, 500.0), (800.0, 500.0), (1000.0, 500.0), (1240.0, 500.0)]),
        ("登山阶", Steps, &[(1000.0, 500.0), (1000.0, 650.0), (1100.0, 740.0)]),
    ];
    rows.iter()
        .enumerate()
        .map(|(index, &(name, class, points))| street(index, name, class, points))
        .collect()
}

fn street(index: usize, name: &str, class: StreetClass, points: &[(f64, f64)]) -> Street {
    Street {
        source: SourceId(format!("s{:02}", index + 1)),
        name: Some(name.into()),
        class,
        line: line(points),
        foot: true,
        bridge: name.ends_with('桥'),
        tunnel: false,
        incline: (class == StreetClass::Steps).then_some(0.3),
        crossing: false,
        no_wheelchair: class == StreetClass::Steps,
    }
}

fn premises() -> Vec<Premise> {
    let rows = [
        ("p1", "滨河小区物业用房", 480.0, 640.0, 0, 90.0, 24_000, 700),
        ("p2", "东岸新村闲置用房", 790.0, 120.0, 1, 160.0, 40_000, 1_200),
        ("p3", "文化街 12 号楼道", 120.0, 180.0, 0, 25.0, 3_000, 200),
        ("p4", "北山村旧村委会", 700.0, 640.0, 2, 210.0, 0, 400),
    ];
    rows.iter()
        .map(|&(id, name, x, y, community, area, cost, capacity)| Premise {
            source: SourceId(id.into()),
            name: Some(name.into()),
            at: place(x, y),
            community: Some(CommunityId(community)),
            area: Some(SquareMetres::constant(area)),
            tenure: Some("集体".into()),
            floor: Some(1),
            own_entrance: Some(true),
            cost: Some(cost),
            capacity: Some(Households(capacity)),
        })
        .collect()
}

fn existing_stations() -> Vec<Station> {
    let rows = [
        ("YT-0001", "河畔片区中心", StationTier::Regional, StationStatus::Existing, 620.0, 40.0, 1, 1_800.0),
        (
            "YT-0002",
            "河西社区党群服务中心",
            StationTier::Community,
            StationStatus::Existing,
            310.0,
            380.0,
            0,
            640.0,
        ),
        ("YT-0003", "北环旧驿站", StationTier::Compound, StationStatus::Closed, 60.0, 780.0, 0, 40.0),
    ];
    rows.iter()
        .map(|&(code, name, tier, status, x, y, community, area)| Station {
            code: code.into(),
            name: name.into(),
            tier,
            status,
            at: place(x, y),
            community: Some(CommunityId(community)),
            area: Some(SquareMetres::constant(area)),
            capacity: None,
            premise: None,
            reason: Text::default(),
        })
        .collect()
}

fn input_findings() -> Vec<Finding> {
    use FindingKind::{EstimatedCount, InvalidGeometry, MissingCount, OutsideCommunities};
    vec![
        Finding::new(
            Severity::Info,
            EstimatedCount,
            "buildings",
            ("7 栋建筑的户数按建筑面积估算", "households of 7 buildings were estimated from floor area"),
            ("为北山村提供户数列", "give a household column for Beishan village"),
        )
        .in_community(CommunityId(2)),
        Finding::new(
            Severity::Warning,
            InvalidGeometry,
            "communities",
            (
                "边界自相交，已修复，面积变化 0.4 m²",
                "the outline crossed itself and was repaired; its area changed by 0.4 m²",
            ),
            ("在地图上核对边界", "check the outline on the map"),
        )
        .about("370602001002")
        .in_community(CommunityId(1)),
        Finding::new(
            Severity::Warning,
            MissingCount,
            "buildings",
            ("没有户数，按零户计", "no household count; counted as zero"),
            ("补上户数，或标为非住宅", "add the count or mark the building as not lived in"),
        )
        .about("b0055")
        .on_atom(AtomId(54))
        .in_community(CommunityId(2)),
        Finding::new(
            Severity::Error,
            OutsideCommunities,
            "buildings",
            (
                "该建筑有 5 户，不在任何社区内，未纳入规划",
                "the building with 5 households lies outside every community and is not planned",
            ),
            ("调整社区边界或建筑位置", "move the community outline or the building"),
        )
        .about("b0060")
        .on_atom(AtomId(59))
        .at(place(-120.0, 300.0)),
    ]
}
