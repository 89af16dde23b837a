//! Speed, memory and quality of the partition engine from 1,000 to a million buildings, beside its peers.
//!
//! ```text
//! cargo bench --bench partition [-- --plot docs/methods/partition_scaling.svg] [--python PATH]
//! ```
//!
//! The cities are invented lattices: compounds of 2 × 2 buildings, communities of 20 × 20, streets between compounds
//! where a boundary costs a fifth. The peers get the same lattice as one graph without communities and compounds, which
//! they do not know, and so does the engine beside them: METIS by pymetis (recursive; k-way with contiguous parts) and,
//! up to 1,000 buildings, GerryChain's `recursive_tree_part`. They run through PATH (`python3` if not given); one that
//! is not installed is named and left out.

use std::fs;
use std::ops::ControlFlow;
use std::process::{Command, ExitCode};
use std::time::Instant;

use gridplan::partition::{Effort, GridSize, PartitionParams, PartitionProblem, partition};
use lattice::Lattice;

#[path = "../src/partition/lattice.rs"]
mod lattice;

/// Buildings of the largest city that is divided at full effort: that takes about three CPU milliseconds a building.
const FULL_UP_TO: u32 = 10_000;

const SIZE: GridSize = GridSize { low: 270, target: 300, high: 330 };

/// A square lattice of about `n` buildings.
struct City {
    lattice: Lattice,
    community: Vec<u32>,
    compound: Vec<i32>,
    edge_cost: Vec<f64>,
}

fn city(n: u32) -> City {
    let side = n.isqrt();
    // A fixed scramble instead of a generator: the same city for every version of it.
    let scramble = |x: u32, y: u32| ((y * side + x).wrapping_mul(2_654_435_761) >> 24) % 40;
    let lattice = Lattice::new(side, side, 30.0, scramble);
    let place = |atom: u32| (atom % side, atom / side);
    let block = |atom: u32, size: u32| place(atom).1 / size * side.div_ceil(size) + place(atom).0 / size;
    let ends = lattice.edge_from.iter().zip(&lattice.edge_to);
    let cost = |(&a, &b): (&u32, &u32)| if block(a, 2) == block(b, 2) { 30.0 } else { 6.0 };
    City {
        community: (0..side * side).map(|atom| block(atom, 20)).collect(),
        compound: (0..side * side).map(|atom| block(atom, 2) as i32).collect(),
        edge_cost: ends.map(cost).collect(),
        lattice,
    }
}

impl City {
    fn problem(&self) -> PartitionProblem<'_> {
        PartitionProblem {
            households: &self.lattice.households,
            edge_from: &self.lattice.edge_from,
            edge_to: &self.lattice.edge_to,
            edge_length: &self.lattice.edge_length,
            edge_cost: Some(&self.edge_cost),
            ..PartitionProblem::default()
        }
    }

    fn with_communities(&self) -> PartitionProblem<'_> {
        PartitionProblem {
            community: Some(&self.community),
            compound: Some(&self.compound),
            ..self.problem()
        }
    }

    /// Share of grids in range, grids in several pieces, and cost of the edges between grids in km.
    fn judge(&self, grid: &[u32]) -> (f64, usize, f64) {
        let k = grid.iter().max().map_or(0, |&most| most as usize + 1);
        let mut load = vec![0u64; k];
        for (&g, &h) in grid.iter().zip(&self.lattice.households) {
            load[g as usize] += u64::from(h);
        }
        let fit = load.iter().filter(|&&load| SIZE.holds(load)).count();
        let mut parent: Vec<u32> = (0..grid.len() as u32).collect();
        let mut cost = 0.0;
        let ends = self.lattice.edge_from.iter().zip(&self.lattice.edge_to).zip(&self.edge_cost);
        for ((&a, &b), c) in ends {
            if grid[a as usize] == grid[b as usize] {
                let (a, b) = (root(&mut parent, a), root(&mut parent, b));
                parent[a as usize] = b;
            } else {
                cost += c;
            }
        }
        let mut pieces = vec![0usize; k];
        for atom in 0..grid.len() as u32 {
            pieces[grid[atom as usize] as usize] += usize::from(root(&mut parent, atom) == atom);
        }
        let split = pieces.iter().filter(|&&n| 1 < n).count();
        (100.0 * fit as f64 / k as f64, split, cost / 1000.0)
    }
}

fn root(parent: &mut [u32], mut i: u32) -> u32 {
    while parent[i as usize] != i {
        let up = parent[parent[i as usize] as usize];
        parent[i as usize] = up;
        i = up;
    }
    i
}

/// User and system time of this process so far, in seconds; hundredths on Linux, 0 elsewhere.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or("");
    let ticks =
        after_name.split_ascii_whitespace().skip(11).take(2).filter_map(|word| word.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

/// Largest resident memory since the last [`forget_peak`], in MB.
fn peak_mb() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("");
    line.split_ascii_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

fn forget_peak() {
    // Where the kernel refuses, the peak is that of all runs so far.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// One run of the engine.
struct Row {
    n: usize,
    effort: Effort,
    cpu: f64,
    wall: f64,
    extra_mb: f64,
    in_range: f64,
}

fn run(city: &City, problem: &PartitionProblem<'_>, effort: Effort) -> (Row, Vec<u32>) {
    let params = PartitionParams { sizes: vec![SIZE], effort, seed: 1 };
    forget_peak();
    let (before, cpu, start) = (peak_mb(), cpu_seconds(), Instant::now());
    let answer = partition(problem, &params, &|_| ControlFlow::Continue(())).expect("a sound city");
    let (wall, cpu, extra_mb) = (start.elapsed().as_secs_f64(), cpu_seconds() - cpu, peak_mb() - before);
    let in_range = city.judge(&answer.grid).0;
    (Row { n: city.lattice.households.len(), effort, cpu, wall, extra_mb, in_range }, answer.grid)
}

fn name(effort: Effort) -> &'static str {
    match effort {
        Effort::Draft => "draft",
        Effort::Full => "full",
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |flag: &str| {
        arguments.iter().position(|word| word == flag).and_then(|at| arguments.get(at + 1)).cloned()
    };
    // `cargo test --benches` runs every bench once; then the smallest city is enough.
    let is_trial = !arguments.iter().any(|argument| argument == "--bench");
    let sizes: &[u32] = if is_trial { &[1_000] } else { &[1_000, 10_000, 100_000, 1_000_000] };
    println!("communities of 400 buildings, compounds kept whole");
    println!("| buildings | effort | CPU s | wall s | MB above the input | in range |");
    println!("|---|---|---|---|---|---|");
    let mut rows = Vec::new();
    for &n in sizes {
        let city = city(n);
        for effort in [Effort::Draft, Effort::Full] {
            if effort == Effort::Full && FULL_UP_TO < n {
                continue;
            }
            let (row, _) = run(&city, &city.with_communities(), effort);
            let Row { n, cpu, wall, extra_mb, in_range, .. } = row;
            println!("| {n} | {} | {cpu:.2} | {wall:.2} | {extra_mb:.0} | {in_range:.1} % |", name(effort));
            rows.push(row);
        }
    }
    if !is_trial {
        let python = value("--python").unwrap_or_else(|| "python3".into());
        for n in [1_000, 10_000] {
            beside_peers(n, &python);
        }
    }
    if let Some(path) = value("--plot") {
        if let Err(error) = fs::write(&path, svg(&rows)) {
            eprintln!("{path} was not written: {error}");
            return ExitCode::FAILURE;
        }
        println!("plot: {path}");
    }
    ExitCode::SUCCESS
}

/// Reads a graph from `argv[1]`, divides it by the method `argv[2]`, prints CPU seconds and one part a line.
const PEER: &str = r#"
import sys, time
path, method = sys.argv[1], sys.argv[2]
lines = open(path).read().split("\n")
k = int(lines[0])
load = [int(w) for w in lines[1].split()]
edges = [tuple(int(w) for w in line.split()) for line in lines[2:] if line]
if method == "gerrychain":
    import random
    import networkx
    from functools import partial
    from gerrychain.tree import bipartition_tree, recursive_tree_part
    graph = networkx.Graph((a, b) for a, b, _ in edges)
    networkx.set_node_attributes(graph, {i: {"load": h} for i, h in enumerate(load)})
    try:
        from gerrychain import Graph
        graph = Graph.from_networkx(graph)
    except (ImportError, AttributeError):
        pass
    random.seed(1)
    begin = time.process_time()
    parts = recursive_tree_part(graph, range(k), sum(load) / k, "load", 0.1, method=partial(bipartition_tree, max_attempts=10000))
    seconds = time.process_time() - begin
    labels = [parts[i] for i in range(len(load))]
else:
    import pymetis
    near = [[] for _ in load]
    for a, b, cost in edges:
        near[a].append((b, cost))
        near[b].append((a, cost))
    xadj, adjncy, weights = [0], [], []
    for row in near:
        adjncy += [b for b, _ in row]
        weights += [c for _, c in row]
        xadj.append(len(adjncy))
    recursive = method == "metis-recursive"
    options = pymetis.Options(ufactor=1 if recursive else 30, seed=1, contig=int(not recursive), niter=10, ncuts=1)
    begin = time.process_time()
    labels = pymetis.part_graph(k, xadj=xadj, adjncy=adjncy, vweights=load, eweights=weights, recursive=recursive, options=options)[1]
    seconds = time.process_time() - begin
print(seconds)
print("\n".join(str(label) for label in labels))
"#;

/// One table: the engine and its peers on one graph, CPU seconds also as multiples of the engine's draft.
fn beside_peers(n: u32, python: &str) {
    let city = city(n);
    println!("\n{n} buildings as one graph");
    println!("| method | CPU s | times draft | in range | grids in pieces | cost km |");
    println!("|---|---|---|---|---|---|");
    let mut draft = 0.0;
    let mut k = 0;
    let line = |method: &str, cpu: f64, draft: f64, grid: &[u32]| {
        let (in_range, split, cost) = city.judge(grid);
        println!("| {method} | {cpu:.2} | {:.2} | {in_range:.1} % | {split} | {cost:.2} |", cpu / draft);
    };
    for effort in [Effort::Draft, Effort::Full] {
        let (row, grid) = run(&city, &city.problem(), effort);
        if effort == Effort::Draft {
            draft = row.cpu.max(0.01);
        }
        k = grid.iter().max().map_or(1, |&most| most as usize + 1);
        line(&format!("gridplan {}", name(effort)), row.cpu, draft, &grid);
    }
    let file = std::env::temp_dir().join(format!("gridplan-bench-{}.txt", std::process::id()));
    let mut text = format!("{k}\n");
    text += &city.lattice.households.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
    for ((a, b), cost) in city.lattice.edge_from.iter().zip(&city.lattice.edge_to).zip(&city.edge_cost) {
        text += &format!("\n{a} {b} {cost:.0}");
    }
    if let Err(error) = fs::write(&file, text) {
        println!("the peers are left out: {} was not written: {error}", file.display());
        return;
    }
    for method in ["metis-recursive", "metis-kway", "gerrychain"] {
        if method == "gerrychain" && 1_000 < n {
            continue;
        }
        match peer(python, &file, method) {
            Ok((cpu, grid)) if grid.len() == city.lattice.households.len() => line(method, cpu, draft, &grid),
            Ok(_) => println!("{method} is left out: it gave a wrong number of labels"),
            Err(reason) => println!("{method} is left out: {reason}"),
        }
    }
    let _ = fs::remove_file(&file);
}

fn peer(python: &str, file: &std::path::Path, method: &str) -> Result<(f64, Vec<u32>), String> {
    let run = Command::new(python).args(["-c", PEER]).arg(file).arg(method).output();
    let output = run.map_err(|error| format!("`{python}` does not start: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(said.lines().last().unwrap_or("it failed without a word").to_string());
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let mut lines = said.lines();
    let cpu = lines.next().and_then(|line| line.parse().ok()).ok_or("no time was printed")?;
    let grid = lines.map(str::parse).collect::<Result<Vec<u32>, _>>().map_err(|error| error.to_string())?;
    Ok((cpu, grid))
}

/// Both axes logarithmic: buildings to the right, CPU seconds upwards.
fn svg(rows: &[Row]) -> String {
    const WIDTH: f64 = 720.0;
    const HEIGHT: f64 = 420.0;
    const LEFT: f64 = 64.0;
    const BOTTOM: f64 = 372.0;
    const RIGHT: f64 = 200.0;
    let across = |n: f64| LEFT + (n.log10() - 2.9) / 3.2 * (WIDTH - LEFT - RIGHT);
    let up = |s: f64| BOTTOM - (s.max(0.01).log10() + 2.5) / 5.6 * (BOTTOM - 44.0);
    let mut page = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"22\" font-size=\"14\">Partition: CPU seconds, memory and grids in range</text>\n"
    );
    let mut add = |line: String| page.push_str(&line);
    for (s, word) in
        [(0.01, "0.01 s"), (0.1, "0.1 s"), (1.0, "1 s"), (10.0, "10 s"), (100.0, "100 s"), (1000.0, "1000 s")]
    {
        let y = up(s);
        add(format!("<path d=\"M{LEFT} {y:.1}H{}\" stroke=\"#ddd\"/>", WIDTH - RIGHT));
        add(format!("<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{word}</text>\n", LEFT - 8.0, y + 4.0));
    }
    for (n, word) in [(1e3, "1,000"), (1e4, "10,000"), (1e5, "100,000"), (1e6, "1 million")] {
        let x = across(n);
        add(format!("<path d=\"M{x:.1} 44V{BOTTOM}\" stroke=\"#eee\"/>"));
        add(format!("<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{word}</text>\n", BOTTOM + 18.0));
    }
    for (effort, color) in [(Effort::Draft, "#14507d"), (Effort::Full, "#b5482a")] {
        let own: Vec<&Row> = rows.iter().filter(|row| row.effort == effort).collect();
        let points: Vec<String> =
            own.iter().map(|row| format!("{:.1},{:.1}", across(row.n as f64), up(row.cpu))).collect();
        add(format!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>\n",
            points.join(" ")
        ));
        for row in &own {
            let (x, y) = (across(row.n as f64), up(row.cpu));
            add(format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{color}\"/>"));
            // Draft is the lower line: its words stand below it, those of the other above.
            let y = if effort == Effort::Draft { y + 20.0 } else { y - 16.0 };
            add(format!(
                "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\" fill=\"{color}\">{:.1} %</text>\n",
                row.in_range
            ));
        }
        if let Some(last) = own.last() {
            add(format!(
                "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{color}\">{}: {:.1} s, {:.0} MB</text>\n",
                across(last.n as f64) + 10.0,
                up(last.cpu) + 4.0,
                name(effort),
                last.cpu,
                last.extra_mb
            ));
        }
    }
    page + "</svg>\n"
}
