//! Times coverage of an invented city, step by step: streets, doors, walks, table, circles, and questions "what if".
//!
//! ```text
//! cargo run --release --example coverage_city -- [NODES [BUILDINGS [STATIONS]]] [--threads N]
//! ```
//!
//! Default: 2.6 million street nodes, 1 million buildings, 2,000 stations in three tiers, as many threads as there
//! are cores. Blocks of about 80 m whose streets bend at shape nodes; buildings stand up to 35 m beside them.

use std::error::Error;
use std::time::Instant;

use geo::{Coord, LineString, MultiPolygon, Point, Rect};
use gridplan::coverage::{self, StationChange, Walks, WhatIf};
use gridplan::geometry::Plane;
use gridplan::model::{
    Atom, AtomShape, Community, CommunityId, CoverageMethod, CoverageScope, GridClass, HouseholdsSource,
    Partition, Scenario, SourceId, Station, StationId, StationStatus, StationTier, Street, StreetClass, Use,
    WalkBand, WalkDirection,
};
use gridplan::network::{self, WalkProfile, WalkRules};
use gridplan::units::{Households, Metres, Residents};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

const BLOCK: f64 = 80.0;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--threads") {
        let threads = arguments.remove(at + 1).parse()?;
        arguments.remove(at);
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    }
    let number = |at: usize, usual: usize| arguments.get(at).map_or(Ok(usual), |word| word.parse());
    let (nodes, buildings, n_stations) = (number(0, 2_600_000)?, number(1, 1_000_000)?, number(2, 2_000)?);
    let (scenario, side) = city(nodes, buildings)?;
    let stations = stations(&scenario, n_stations);
    let bands = [(5, 300.0), (10, 500.0), (15, 1000.0)]
        .map(|(minutes, metres)| WalkBand { minutes, metres: Metres::constant(metres) });
    println!(
        "{side} × {side} blocks, {} threads, {:.0} MB before",
        rayon::current_num_threads(),
        memory_mb("VmRSS")
    );

    let clock = Clock::start();
    let network = network::build(&scenario, &WalkRules::new(WalkProfile::adult()));
    let (n, m) = network.size();
    clock.stop(&format!("load: streets joined and timed, {n} nodes, {m} edges"));
    let clock = Clock::start();
    // Prepares time and distance.
    let first = network.snap_sites(&[stations[0].at]);
    for measure in [network::Measure::TimeThere, network::Measure::Distance] {
        let _ = network.nearest(&first, &first, measure, Some(0));
    }
    clock.stop("load: networks of time and of distance");

    let all = Clock::start();
    let clock = Clock::start();
    let doors = network.snap_atoms(&scenario.atoms);
    clock.stop("doors attached");
    let clock = Clock::start();
    let walks = Walks { network: &network, doors: &doors };
    let partition = Partition { grid_of: vec![None; scenario.atoms.len()], ..Partition::default() };
    let answer = coverage::measure(&scenario, &partition, &stations, walks, &bands, WalkDirection::There);
    clock.stop("walks, three methods, tiers, overlap, table, shares of supply");
    all.stop("doors to table");
    for band in &bands {
        let row = |method| {
            answer.row(CoverageScope::All, None, method, band.minutes).map(|row| row.share() * 100.0)
        };
        println!(
            "  {} min: {:?} %",
            band.minutes,
            CoverageMethod::ALL.map(|method| row(method).unwrap_or(0.0).round())
        );
    }
    println!("peak memory {:.0} MB", memory_mb("VmHWM"));

    let ask = WhatIf::new(&scenario, &stations, None, network, doors, &bands, WalkDirection::There);
    let at = Coord { x: BLOCK * side as f64 / 2.0, y: BLOCK * side as f64 / 2.0 };
    for (what, change) in [
        ("a station opens", StationChange::Open { at }),
        ("a station moves", StationChange::Move { station: StationId(3), to: at }),
        ("a station closes", StationChange::Close { station: StationId(3) }),
    ] {
        let clock = Clock::start();
        let found = ask.ask(&[change])?;
        clock.stop(&format!("what if {what}: {} buildings walk differently", found.walks.len()));
    }
    Ok(())
}

/// Wall and CPU time of a step.
struct Clock(Instant, f64);

impl Clock {
    fn start() -> Self {
        Self(Instant::now(), cpu_seconds())
    }

    fn stop(&self, what: &str) {
        let cpu = cpu_seconds() - self.1;
        println!("{:8.3} s, CPU {cpu:7.3} s: {what}", self.0.elapsed().as_secs_f64());
    }
}

/// CPU seconds of all threads, from the kernel's nanosecond counters; NaN where there are none.
fn cpu_seconds() -> f64 {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return f64::NAN };
    let read = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("schedstat")).ok();
    let nanoseconds = |text: String| text.split(' ').next().and_then(|word| word.parse::<f64>().ok());
    tasks.flatten().filter_map(read).filter_map(nanoseconds).sum::<f64>() / 1e9
}

fn memory_mb(field: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).map_or(f64::NAN, |kb| kb / 1024.0)
}

/// Streets of about `nodes` nodes and `buildings` beside them, in square communities of 24 blocks.
fn city(nodes: usize, buildings: usize) -> Result<(Scenario, usize), Box<dyn Error>> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut below = |bound: u32| f64::from(random.next_u32() % bound);
    // A junction brings 1.7 streets with two bends each.
    let side = ((nodes as f64 / 4.4).sqrt() as usize).max(2);
    let mut scenario = Scenario::new("invented", Plane::from_epsg(4549)?);
    let corners: Vec<Coord<f64>> = (0..side * side)
        .map(|i| Coord { x: (i % side) as f64 * BLOCK + below(40), y: (i / side) as f64 * BLOCK + below(40) })
        .collect();
    for i in 0..side * side {
        for other in
            [(i % side != 0).then(|| i - 1), (side <= i).then(|| i.wrapping_sub(side))].into_iter().flatten()
        {
            if below(100) < 85.0 {
                let (a, b, bend) = (corners[i], corners[other], Coord { x: below(8), y: -below(8) });
                let along = |share: f64| a + (b - a) * share + bend;
                scenario.streets.push(street(vec![a, along(0.35), along(0.7), b]));
            }
        }
    }
    let per_row = side.div_ceil(24);
    let size = 24.0 * BLOCK;
    for i in 0..per_row * per_row {
        let low = Coord { x: (i % per_row) as f64 * size, y: (i / per_row) as f64 * size };
        scenario.communities.push(Community {
            code: format!("3706{:02}{:03}{:03}", i / 250 % 100, i / 25 % 10, i % 25),
            name: format!("community {i}"),
            class: GridClass::Urban,
            outline: MultiPolygon(vec![Rect::new(low, low + Coord { x: size, y: size }).to_polygon()]),
        });
    }
    for index in 0..buildings {
        let street = &scenario.streets[below(scenario.streets.len() as u32) as usize].line.0;
        let (a, b) = (street[1], street[2]);
        let aside = Coord { x: (b - a).y, y: -(b - a).x } * ((below(70) - 35.0) / 40.0);
        let at = a + (b - a) * (below(100) / 100.0) + aside;
        let place = |value: f64| ((value / size).max(0.0) as usize).min(per_row - 1);
        let community = CommunityId::from_index(place(at.y) * per_row + place(at.x));
        scenario.atoms.push(building(index, at, community, 4 + below(60) as u32));
    }
    Ok((scenario, side))
}

fn street(line: Vec<Coord<f64>>) -> Street {
    Street {
        source: SourceId(String::new()),
        name: None,
        class: StreetClass::Lane,
        line: LineString(line),
        foot: true,
        bridge: false,
        tunnel: false,
        incline: None,
        crossing: false,
        no_wheelchair: false,
    }
}

fn building(index: usize, at: Coord<f64>, community: CommunityId, households: u32) -> Atom {
    Atom {
        source: SourceId(format!("b{index}")),
        name: None,
        shape: AtomShape::Point(Point(at)),
        households: Households(households),
        residents: Residents(households * 5 / 2),
        households_source: HouseholdsSource::Column,
        other_loads: gridplan::model::OtherLoads::default(),
        community: Some(community),
        compound: None,
        floors: 6,
        usage: Use::Residential,
        exclusive: false,
        door: None,
        current_grid: None,
        locked: false,
    }
}

/// One regional centre for nine community centres and thirty compound stations.
fn stations(scenario: &Scenario, n: usize) -> Vec<Station> {
    let step = (scenario.atoms.len() / n.max(1)).max(1);
    let at = |index: usize| scenario.atoms[(index * step + 17) % scenario.atoms.len()].shape.anchor();
    let station = |index: usize| Station {
        code: format!("s{index}"),
        name: String::new(),
        tier: match index % 40 {
            0 => StationTier::Regional,
            1..10 => StationTier::Community,
            _ => StationTier::Compound,
        },
        status: StationStatus::Existing,
        at: at(index),
        community: None,
        area: None,
        capacity: Some(Households(20_000)),
        premise: None,
        reason: gridplan::model::Text::default(),
    };
    (0..n).map(station).collect()
}
