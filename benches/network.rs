//! Cost of the walk network per node, from 10,000 to 3 million nodes, beside what the memory could do.
//!
//! ```text
//! cargo bench --bench network
//! ```
//!
//! The networks are invented towns: blocks of 80 m whose streets bend at shape nodes, with missing streets
//! and cul-de-sacs, about four nodes in five on chains or dead ends, as in OpenStreetMap extracts. Ids are
//! shuffled, so that nothing is owed to the order of the input. The last column is the time to read every
//! byte of the answer and of the folded network once at the speed of a plain copy: no search can be faster.

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
    let (seconds, ()) = best(|| target.copy_from_slice(&source));
    2.0 * source.len() as f64 / seconds
}

fn main() {
    // `cargo test --benches` runs every bench once; then the small towns are enough.
    let is_trial = !std::env::args().any(|argument| argument == "--bench");
    let sizes: &[usize] =
        if is_trial { &[10_000] } else { &[10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000] };
    let bandwidth = memory_bandwidth();
    println!("threads {}, copy {:.1} GB/s", rayon::current_num_threads(), bandwidth / 1e9);
    println!(
        "   nodes | prepare ns/node | nearest of n/2600 ns/node | within 1200 m ns/settled | 3 counts ns/settled | 20 circles µs each | memory limit of nearest ns/node"
    );
    for &size in sizes {
        let town = town(size, 1);
        let n = town.x.len();
        let build = || {
            WalkNetwork::new(&town.x, &town.y, &town.from, &town.to, &town.mm, None).expect("a sound town")
        };
        let (prepare, net) = best(build);
        let stations: Vec<u32> = (0..(n / 2600).max(4)).map(|i| (i * 2600 % n) as u32).collect();
        let (nearest, _) = best(|| net.nearest(&stations, None).expect("sound stations"));
        let few: Vec<u32> = stations.iter().copied().take(200).collect();
        let (within, found) = best(|| net.within(&few, 1_200_000).expect("sound stations"));
        let limits = [400_000, 800_000, 1_200_000];
        let (count, _) = best(|| net.count_within(&few, &limits).expect("sound stations"));
        let some: Vec<u32> = stations.iter().copied().take(20).collect();
        let (circles, _) =
            best(|| net.service_circles(&some, &limits, CircleShare::PerStation).expect("sound stations"));
        // Per node: its folded record and its two answers; the junctions' arcs and labels are far fewer.
        let limit = 24.0 / bandwidth;
        let settled = found.node.len() as f64;
        println!(
            "{n:8} | {:15.0} | {:25.1} | {:24.1} | {:19.1} | {:18.0} | {:.1}",
            prepare * 1e9 / n as f64,
            nearest * 1e9 / n as f64,
            within * 1e9 / settled,
            count * 1e9 / settled,
            circles * 1e6 / (some.len() * limits.len()) as f64,
            limit * 1e9,
        );
    }
}
