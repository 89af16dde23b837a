//! Times the walk network on a `.gpnet` file and prints digests of its answers.
//!
//! ```text
//! cargo run --release --example network_bench -- NAME.gpnet[.gz] NAME.stations.txt [--threads N] [--expect digests.json]
//! ```
//!
//! The files are those of `bench/network`: see `network_io.py` there for the format. With `--expect` the
//! SHA-256 of every answer is compared with the one listed for NAME; exit code 1 if one differs.

use std::error::Error;
use std::io::Read;
use std::path::Path;
use std::time::Instant;

use gridplan::network::{CircleShare, WalkNetwork};
use sha2::Digest;

const REPEAT: usize = 3;
const LIMIT_MM: u32 = 1_200_000;

struct Columns {
    x: Vec<f64>,
    y: Vec<f64>,
    from: Vec<u32>,
    to: Vec<u32>,
    mm: Vec<u32>,
}

fn read_network(path: &Path) -> Result<Columns, Box<dyn Error>> {
    let mut data = std::fs::read(path)?;
    if path.extension().is_some_and(|extension| extension == "gz") {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&data[..]).read_to_end(&mut plain)?;
        data = plain;
    }
    if data.get(..8) != Some(b"GPNET1\0\0") {
        return Err(format!("{} is no GPNET1 file", path.display()).into());
    }
    let size = |at: usize| -> Result<usize, Box<dyn Error>> {
        Ok(u64::from_le_bytes(data[at..at + 8].try_into()?) as usize)
    };
    let (n, m) = (size(8)?, size(16)?);
    let floats = |at: usize| {
        data[at..at + 8 * n].chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().expect("8")))
    };
    let words = |at: usize| {
        data[at..at + 4 * m].chunks_exact(4).map(|b| u32::from_le_bytes(b.try_into().expect("4")))
    };
    let edges = 24 + 33 * n;
    Ok(Columns {
        x: floats(24).collect(),
        y: floats(24 + 8 * n).collect(),
        from: words(edges).collect(),
        to: words(edges + 4 * m).collect(),
        mm: words(edges + 8 * m).collect(),
    })
}

fn digest(values: impl IntoIterator<Item = u32>) -> String {
    let bytes: Vec<u8> = values.into_iter().flat_map(u32::to_le_bytes).collect();
    sha2::Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Best wall and CPU seconds over a few calls, and the last result.
fn best<T>(mut run: impl FnMut() -> T) -> (f64, f64, T) {
    let (mut wall, mut cpu) = (f64::INFINITY, f64::INFINITY);
    let mut result = None;
    for _ in 0..REPEAT {
        drop(result.take());
        let (start, start_cpu) = (Instant::now(), cpu_seconds());
        result = Some(run());
        wall = wall.min(start.elapsed().as_secs_f64());
        cpu = cpu.min(cpu_seconds() - start_cpu);
    }
    (wall, cpu, result.expect("at least one call"))
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

struct Judge {
    expected: Option<serde_json::Value>,
    wrong: usize,
}

impl Judge {
    fn verdict(&mut self, key: &str, values: impl IntoIterator<Item = u32>) -> &'static str {
        let Some(known) = self.expected.as_ref().and_then(|known| known.get(key)?.as_str()) else {
            return "";
        };
        if digest(values) == known {
            return "equal";
        }
        self.wrong += 1;
        "DIFFERENT"
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut option = |flag: &str| {
        let at = arguments.iter().position(|argument| argument == flag)?;
        arguments.remove(at);
        (at < arguments.len()).then(|| arguments.remove(at))
    };
    let threads = option("--threads").map_or(Ok(1), |threads| threads.parse())?;
    let expect = option("--expect");
    let [network, stations] = &arguments[..] else {
        return Err("two files: the network and its stations".into());
    };
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    let name = Path::new(network).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let name = name.split('.').next().unwrap_or_default();
    let expected = match expect {
        Some(path) => serde_json::from_slice::<serde_json::Value>(&std::fs::read(path)?)?.get(name).cloned(),
        None => None,
    };
    let mut judge = Judge { expected, wrong: 0 };

    let columns = read_network(Path::new(network))?;
    let stations: Vec<u32> =
        std::fs::read_to_string(stations)?.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let before = memory_mb("VmRSS");
    let (start, start_cpu) = (Instant::now(), cpu_seconds());
    let net = WalkNetwork::new(&columns.x, &columns.y, &columns.from, &columns.to, &columns.mm, None)?;
    let (wall, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds() - start_cpu);
    println!("{name}: {} nodes, {} edges, {threads} threads", columns.x.len(), columns.from.len());
    println!(
        "prepare      wall {wall:.4} s, CPU {cpu:.4} s, peak +{:.0} MB, kept +{:.0} MB",
        memory_mb("VmHWM") - before,
        memory_mb("VmRSS") - before
    );
    for count in [10, 100, 1000] {
        let (wall, cpu, found) = best(|| net.nearest(&stations[..count], None));
        let verdict = judge.verdict(&format!("t1_s{count}"), found?.cost);
        let per_node = cpu * 1e9 / columns.x.len() as f64;
        println!("nearest {count:4} wall {wall:.4} s, CPU {cpu:.4} s, {per_node:.1} ns/node {verdict}");
    }
    let (wall, cpu, found) = best(|| net.within(&stations, LIMIT_MM));
    let found = found?;
    let per_node = cpu * 1e9 / found.node.len() as f64;
    let settled = found.node.len();
    let verdict = [
        judge.verdict("t2_start", found.offsets.iter().map(|&offset| offset as u32)),
        judge.verdict("t2_node", found.node),
        judge.verdict("t2_cost", found.cost),
    ]
    .join(" ");
    println!(
        "within       wall {wall:.4} s, CPU {cpu:.4} s, {settled} settled, {per_node:.1} ns each {verdict}"
    );
    let (wall, cpu, one) = best(|| net.count_within(&stations, &[LIMIT_MM]));
    println!("count 1200   wall {wall:.4} s, CPU {cpu:.4} s {}", judge.verdict("t3_1200", one?.remove(0)));
    let (wall, cpu, three) = best(|| net.count_within(&stations, &[400_000, 800_000, 1_200_000]));
    let three = three?;
    let verdict: Vec<_> = ["t3_400", "t3_800", "t3_1200"]
        .iter()
        .zip(three)
        .map(|(key, counts)| judge.verdict(key, counts))
        .collect();
    println!("count 3      wall {wall:.4} s, CPU {cpu:.4} s {}", verdict.join(" "));
    let draw = || net.service_circles(&stations[..100], &[LIMIT_MM], CircleShare::PerStation);
    let (start, start_cpu) = (Instant::now(), cpu_seconds());
    draw()?;
    println!(
        "circles 1st  wall {:.4} s, CPU {:.4} s",
        start.elapsed().as_secs_f64(),
        cpu_seconds() - start_cpu
    );
    let (wall, cpu, circles) = best(draw);
    println!("100 circles  wall {wall:.4} s, CPU {cpu:.4} s, {} areas", circles?.len());
    if 0 < judge.wrong { Err(format!("{} answers differ", judge.wrong).into()) } else { Ok(()) }
}
