//! Solves one siting instance of the benchmark folder and prints what it found.
//!
//! ```text
//! cargo run --release --example siting_instance -- p_median pmed1.txt 5
//! cargo run --release --example siting_instance -- p_median rl1304.tsp 100 --seconds 60
//! cargo run --release --example siting_instance -- max_cover poa_10000_2000.10.bin 100
//! cargo run --release --example siting_instance -- set_cover poa_10000_2000.10.bin
//! cargo run --release --example siting_instance -- relaxation poa_10000_2000.10.bin 100 --seconds 60
//! ```
//!
//! `.txt` is an OR-Library p-median file, `.tsp` a TSPLIB coordinate file (cost = floor of the Euclidean distance),
//! `.bin` a cover table in little-endian words: u32 demand points, u32 sites, u64 row starts, u32 sites per row,
//! u32 weights. `relaxation` encloses the optimum of max cover's linear relaxation. `--effort quick|full|proof`, `--seed N`, `--seconds N` (wall clock stop),
//! `--capacity N` (weight that every site can serve).

use std::time::{Duration, Instant};

use gridplan::siting::{
    Effort, Options, Problem, Siting, SitingError, Table, UNREACHED, linear_range, max_cover, p_center,
    p_median, set_cover,
};

fn main() {
    let mut words = std::env::args().skip(1);
    let mut plain = Vec::new();
    let mut options = Options::default();
    let mut capacity: Option<u64> = None;
    while let Some(word) = words.next() {
        let mut value = || words.next().expect("a value after the flag");
        match word.as_str() {
            "--seed" => options.seed = value().parse().expect("a whole number"),
            "--seconds" => {
                options.time_limit = Some(Duration::from_secs_f64(value().parse().expect("a number")));
            }
            "--capacity" => capacity = Some(value().parse().expect("a whole number")),
            "--effort" => {
                options.effort = match value().as_str() {
                    "quick" => Effort::Quick,
                    "full" => Effort::Full,
                    _ => Effort::Proof,
                }
            }
            _ => plain.push(word),
        }
    }
    let [model, path, rest @ ..] = plain.as_slice() else {
        eprintln!(
            "usage: siting_instance MODEL FILE [P] [--seed N] [--seconds N] [--effort quick|full|proof] [--capacity N]"
        );
        std::process::exit(1);
    };
    let p = rest.first().map(|p| p.parse().expect("p is a whole number"));
    let instance = read(path);
    let mut problem = Problem::new(instance.table());
    problem.weights.clone_from(&instance.weights);
    problem.capacity = capacity.map_or_else(Vec::new, |most| vec![most; instance.n_sites]);
    if model == "relaxation" {
        let range = linear_range(&problem, p.expect("p"), &options).expect("max cover with p alone");
        println!("the optimum of the linear relaxation lies between {} and {}", range.attained, range.bound);
        return;
    }
    let (wall, cpu) = (Instant::now(), cpu_seconds());
    let answer = run(&mut problem, model, p, &options);
    let (wall, cpu) = (wall.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let name = std::path::Path::new(path).file_name().unwrap_or_default().to_string_lossy().into_owned();
    match answer {
        Ok(answer) => println!(
            "{name} {model} p={} objective={} bound={} gap={:.4}% proven={} sites={} cpu={cpu:.2}s wall={wall:.2}s peak={}MB",
            p.map_or("-".to_owned(), |p| p.to_string()),
            answer.objective,
            answer.bound,
            answer.gap * 100.0,
            answer.proven,
            answer.sites.len(),
            peak_megabytes(),
        ),
        Err(error) => {
            eprintln!("error: {error}");
            std::process::exit(1);
        }
    }
}

fn run(
    problem: &mut Problem,
    model: &str,
    p: Option<usize>,
    options: &Options,
) -> Result<Siting, SitingError> {
    match model {
        "p_median" => p_median(problem, p.expect("p"), options),
        "p_center" => p_center(problem, p.expect("p"), options),
        "max_cover" => max_cover(problem, p, options),
        "set_cover" => {
            leave_out_unreached(problem);
            set_cover(problem, options)
        }
        _ => panic!("the models are p_median, p_center, max_cover and set_cover"),
    }
}

/// Points that no site reaches get weight 0, as in the published comparison.
fn leave_out_unreached(problem: &mut Problem) {
    let n_demand = problem.table.n_demand();
    if problem.weights.is_empty() {
        problem.weights = vec![1; n_demand];
    }
    for demand in 0..n_demand {
        let mut reached = false;
        problem.table.visit_row(demand, |_, _| reached = true);
        problem.weights[demand] *= u32::from(reached);
    }
}

struct Instance {
    n_demand: usize,
    n_sites: usize,
    dense: Vec<u32>,
    indptr: Vec<u64>,
    indices: Vec<u32>,
    weights: Vec<u32>,
}

impl Instance {
    fn table(&self) -> Table<'_> {
        let table = if self.indptr.is_empty() {
            Table::dense(self.n_demand, self.n_sites, &self.dense)
        } else {
            Table::sparse(self.n_sites, &self.indptr, &self.indices, None)
        };
        table.expect("the file holds a whole table")
    }

    fn square(n: usize, dense: Vec<u32>) -> Self {
        Self { n_demand: n, n_sites: n, dense, indptr: Vec::new(), indices: Vec::new(), weights: Vec::new() }
    }
}

fn read(path: &str) -> Instance {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    if path.ends_with(".bin") {
        return read_cover(&bytes);
    }
    let text = String::from_utf8(bytes).expect("text");
    if path.ends_with(".tsp") { read_tsplib(&text) } else { read_pmed(&text) }
}

fn read_cover(bytes: &[u8]) -> Instance {
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    let (n_demand, n_sites) = (word(0) as usize, word(4) as usize);
    let long = |row: usize| u64::from(word(8 + 8 * row)) | u64::from(word(12 + 8 * row)) << 32;
    let indptr: Vec<u64> = (0..=n_demand).map(long).collect();
    let first = 8 + 8 * (n_demand + 1);
    let n_entries = indptr[n_demand] as usize;
    let indices = (0..n_entries).map(|entry| word(first + 4 * entry)).collect();
    let weights = (0..n_demand).map(|row| word(first + 4 * (n_entries + row))).collect();
    Instance { n_demand, n_sites, dense: Vec::new(), indptr, indices, weights }
}

/// All-pairs shortest paths by Floyd and Warshall; of a repeated edge the last length counts.
fn read_pmed(text: &str) -> Instance {
    let mut numbers = text.split_whitespace().map(|word| word.parse::<usize>().expect("a number"));
    let mut next = || numbers.next().expect("a complete file");
    let (n, m, _) = (next(), next(), next());
    let mut cost = vec![UNREACHED; n * n];
    for _ in 0..m {
        let (u, v, length) = (next() - 1, next() - 1, next() as u32);
        cost[u * n + v] = length;
        cost[v * n + u] = length;
    }
    (0..n).for_each(|node| cost[node * n + node] = 0);
    for middle in 0..n {
        let through = cost[middle * n..(middle + 1) * n].to_vec();
        for from in 0..n {
            let first = cost[from * n + middle];
            if first == UNREACHED {
                continue;
            }
            for (direct, &second) in cost[from * n..(from + 1) * n].iter_mut().zip(&through) {
                *direct = (*direct).min(first.saturating_add(second));
            }
        }
    }
    Instance::square(n, cost)
}

fn read_tsplib(text: &str) -> Instance {
    let mut points = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let [id, x, y] = words[..]
            && id.chars().all(|letter| letter.is_ascii_digit())
        {
            points.push((x.parse::<f64>().expect("a number"), y.parse::<f64>().expect("a number")));
        }
    }
    let distance = |one: &(f64, f64), other: &(f64, f64)| {
        let (dx, dy) = (one.0 - other.0, one.1 - other.1);
        (dx * dx + dy * dy).sqrt().floor() as u32
    };
    let cost = points.iter().flat_map(|one| points.iter().map(move |other| distance(one, other))).collect();
    Instance::square(points.len(), cost)
}

/// User and system seconds of all threads so far, from the operating system (Linux; 0 elsewhere).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok())
        .map_or(0, |kilobytes| kilobytes / 1024)
}
