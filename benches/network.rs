//! Cost of the walk network per node, from 10,000 to 3 million nodes, beside what the memory could do.
//!
//! ```text
//! cargo bench --bench network [-- --plot docs/methods/network_cost.svg]
//! ```
//!
//! The networks are invented towns: blocks of 80 m whose streets bend at shape nodes, with missing streets
//! and cul-de-sacs, about four nodes in five on chains or dead ends, as in OpenStreetMap extracts. Ids are
//! shuffled, so that nothing is owed to the order of the input. One thread; the last columns say how many times
//! faster two are.
//!
//! Limits measured in the same run: *stream* is the time to read and write the 24 bytes that any answer moves for
//! a node (its folded record, cost and station) at the speed of a plain copy; *gather* the time to fetch one number
//! for each node from an array of that many in random order. No search on arrays with shuffled ids can be faster
//! than the first, and hardly than the second.

use std::time::Instant;

use gridplan::network::{CircleShare, WalkNetwork};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

const REPEAT: usize = 5;

struct Town {
    x: Vec<f64>,
    y: Vec<f64>,
    from: Vec<u32>,
    to: Vec<u32>,
    mm: Vec<u32>,
}

/// A town of about `n` nodes.
fn town(n: usize, seed: u64) -> Town {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut below = |bound: u32| random.next_u32() % bound;
    // Every junction brings about 1.7 streets of two bends and half a cul-de-sac.
    let side = ((n as f64 / 4.9).sqrt() as u32).max(2);
    let (mut x, mut y, mut edges) = (Vec::new(), Vec::new(), Vec::new());
    for junction in 0..side * side {
        x.push(f64::from(junction % side) * 80.0 + f64::from(below(40)));
        y.push(f64::from(junction / side) * 80.0 + f64::from(below(40)));
    }
    let mut street = |a: u32, b: u32, x: &mut Vec<f64>, y: &mut Vec<f64>, bend: f64| {
        let mut before = a;
        for share in [0.35, 0.7] {
            x.push(x[a as usize] + (x[b as usize] - x[a as usize]) * share + bend);
            y.push(y[a as usize] + (y[b as usize] - y[a as usize]) * share - bend);
            edges.push((before, x.len() as u32 - 1));
            before = x.len() as u32 - 1;
        }
        edges.push((before, b));
    };
    for junction in 0..side * side {
        if junction % side != 0 && below(100) < 85 {
            street(junction, junction - 1, &mut x, &mut y, f64::from(below(8)));
        }
        if side <= junction && below(100) < 85 {
            street(junction, junction - side, &mut x, &mut y, f64::from(below(8)));
        }
        if below(2) == 0 {
            x.push(x[junction as usize] + 25.0);
            y.push(y[junction as usize] + 30.0);
            let end = x.len() as u32 - 1;
            street(junction, end, &mut x, &mut y, 0.0);
        }
    }
    let mut name: Vec<u32> = (0..x.len() as u32).collect();
    for i in (1..name.len()).rev() {
        name.swap(i, below(i as u32 + 1) as usize);
    }
    let mut town =
        Town { x: vec![0.0; x.len()], y: vec![0.0; x.len()], from: vec![], to: vec![], mm: vec![] };
    for (&name, (&x, &y)) in name.iter().zip(x.iter().zip(&y)) {
        town.x[name as usize] = x;
        town.y[name as usize] = y;
    }
    for (a, b) in edges {
        let (a, b) = (a as usize, b as usize);
        town.from.push(name[a]);
        town.to.push(name[b]);
        town.mm.push(((x[a] - x[b]).hypot(y[a] - y[b]) * 1000.0) as u32 + 1);
    }
    town
}

/// Shortest of a few runs, in seconds.
fn best<T>(mut run: impl FnMut() -> T) -> (f64, T) {
    let mut shortest = f64::INFINITY;
    let mut result = None;
    for _ in 0..REPEAT {
        drop(result.take());
        let start = Instant::now();
        result = Some(run());
        shortest = shortest.min(start.elapsed().as_secs_f64());
    }
    (shortest, result.expect("at least one run"))
}

/// Bytes a second that a plain copy moves (read and write together), far beyond the caches.
fn memory_bandwidth() -> f64 {
    let source = vec![1_u8; 256 << 20];
    let mut target = vec![0_u8; source.len()];
    let (seconds, _) = best(|| {
        target.copy_from_slice(std::hint::black_box(&source));
        std::hint::black_box(&target).len()
    });
    2.0 * source.len() as f64 / seconds
}

/// Nanoseconds to fetch a number from a random place in an array of `n`.
fn gather(n: usize) -> f64 {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(7);
    let places: Vec<u32> = (0..n).map(|_| random.next_u32() % n as u32).collect();
    let values: Vec<u32> = (0..n as u32).collect();
    let fetch = || places.iter().fold(0_u32, |sum, &place| sum.wrapping_add(values[place as usize]));
    best(|| std::hint::black_box(fetch())).0 * 1e9 / n as f64
}

/// Nanoseconds per node, or settled node, in the order of [`COLUMNS`], and what two threads gain.
struct Row {
    n: usize,
    cost: [f64; 6],
    circle_us: f64,
    gain: [f64; 3],
}

const COLUMNS: [&str; 6] = ["prepare", "nearest", "within", "3 counts", "stream", "gather"];

fn measure(size: usize, bandwidth: f64, pools: &[rayon::ThreadPool; 2]) -> Row {
    let town = town(size, 1);
    let n = town.x.len();
    let build =
        || WalkNetwork::new(&town.x, &town.y, &town.from, &town.to, &town.mm, None).expect("a sound town");
    let [one, two] = pools;
    let (prepare, net) = one.install(|| best(build));
    let stations: Vec<u32> = (0..(n / 2600).max(4)).map(|i| (i * 2600 % n) as u32).collect();
    let few: Vec<u32> = stations.iter().copied().take(200).collect();
    let limits = [400_000, 800_000, 1_200_000];
    let nearest = || best(|| net.nearest(&stations, None).expect("sound stations")).0;
    let within = || best(|| net.within(&few, 1_200_000).expect("sound stations"));
    let count = || best(|| net.count_within(&few, &limits).expect("sound stations")).0;
    let (by_nearest, (by_within, found), by_count) =
        (one.install(nearest), one.install(within), one.install(count));
    let gain =
        [by_nearest / two.install(nearest), by_within / two.install(within).0, by_count / two.install(count)];
    let some: Vec<u32> = stations.iter().copied().take(20).collect();
    let circles = || net.service_circles(&some, &limits, CircleShare::PerStation).expect("sound stations");
    let circle_us = one.install(|| best(circles)).0 * 1e6 / (some.len() * limits.len()) as f64;
    let (per_node, per_settled) = (1e9 / n as f64, 1e9 / found.node.len() as f64);
    let limits = [24.0 / bandwidth * 1e9, gather(n)];
    let cost = [prepare * per_node, by_nearest * per_node, by_within * per_settled, by_count * per_settled];
    Row { n, cost: [cost[0], cost[1], cost[2], cost[3], limits[0], limits[1]], circle_us, gain }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let plot = arguments.iter().position(|word| word == "--plot").map(|at| arguments[at + 1].clone());
    // `cargo test --benches` runs every bench once; then the small towns are enough.
    let is_trial = !arguments.iter().any(|argument| argument == "--bench");
    let sizes: &[usize] =
        if is_trial { &[10_000] } else { &[10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000] };
    let bandwidth = memory_bandwidth();
    let pool = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().expect("threads");
    let pools = [pool(1), pool(2)];
    println!(
        "copy {:.1} GB/s; ns per node, within and counts per settled node; circles of 20 stations",
        bandwidth / 1e9
    );
    println!(
        "| nodes | prepare | nearest of n/2600 | within 1,200 m | 3 counts | µs a circle | stream | gather | 2 threads: nearest | within | counts |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    let rows: Vec<Row> = sizes.iter().map(|&size| measure(size, bandwidth, &pools)).collect();
    for Row { n, cost: [prepare, nearest, within, count, stream, gather], circle_us, gain } in &rows {
        println!(
            "| {n} | {prepare:.0} | {nearest:.1} | {within:.1} | {count:.1} | {circle_us:.0} | {stream:.1} | {gather:.1} | {:.2} | {:.2} | {:.2} |",
            gain[0], gain[1], gain[2]
        );
    }
    if let Some(path) = plot {
        std::fs::write(&path, svg(&rows)).expect("the plot is written");
        println!("plot: {path}");
    }
}

/// Both axes logarithmic: nodes to the right, nanoseconds upwards.
fn svg(rows: &[Row]) -> String {
    const WIDTH: f64 = 720.0;
    const HEIGHT: f64 = 420.0;
    const LEFT: f64 = 64.0;
    const BOTTOM: f64 = 372.0;
    const COLORS: [&str; 6] = ["#8a6d3b", "#14507d", "#2b8a66", "#b5482a", "#888888", "#bbbbbb"];
    let across = |n: f64| LEFT + (n.log10() - 4.0) / 2.5 * (WIDTH - LEFT - 150.0);
    let up = |ns: f64| BOTTOM - (ns.log10() + 0.5) / 3.3 * (BOTTOM - 44.0);
    let mut page = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"22\" font-size=\"14\">Walk network: nanoseconds a node, one thread</text>\n"
    );
    let mut add = |line: String| page.push_str(&line);
    for (ns, word) in [(1.0, "1 ns"), (10.0, "10 ns"), (100.0, "100 ns")] {
        let y = up(ns);
        add(format!("<path d=\"M{LEFT} {y:.1}H{}\" stroke=\"#ddd\"/>", WIDTH - 150.0));
        add(format!("<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{word}</text>\n", LEFT - 8.0, y + 4.0));
    }
    for (n, word) in [(1e4, "10,000"), (1e5, "100,000"), (1e6, "1 million"), (3e6, "3 million")] {
        let x = across(n);
        add(format!("<path d=\"M{x:.1} 44V{BOTTOM}\" stroke=\"#eee\"/>"));
        add(format!("<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{word}</text>\n", BOTTOM + 18.0));
    }
    let mut label = f64::INFINITY;
    let mut order: Vec<usize> = (0..COLUMNS.len()).collect();
    let last = |column: usize| rows.last().map_or(1.0, |row| row.cost[column]);
    order.sort_by(|&a, &b| last(a).total_cmp(&last(b)));
    for column in order {
        let places =
            rows.iter().map(|row| format!("{:.1},{:.1}", across(row.n as f64), up(row.cost[column])));
        let dash = if 4 <= column { " stroke-dasharray=\"5 4\"" } else { "" };
        let (color, points) = (COLORS[column], places.collect::<Vec<_>>().join(" "));
        add(format!(
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"{dash}/>"
        ));
        label = (up(last(column)) + 4.0).min(label - 15.0);
        add(format!(
            "<text x=\"{}\" y=\"{label:.1}\" fill=\"{color}\">{}: {:.1} ns</text>\n",
            WIDTH - 134.0,
            COLUMNS[column],
            last(column)
        ));
    }
    page + "</svg>\n"
}
