//! Divides one benchmark instance and writes one grid number a line.
//!
//! `partition_instance INSTANCE MODE EFFORT OUT [SEED [CURRENT [CHANGE]]]`: MODE F, N or C; EFFORT draft or full. CURRENT
//! is a plan written before: counts change and the city is redrawn from that plan. CHANGE says how: `other`, every
//! fiftieth building gets the count of the one 25 further on; `half`, every fiftieth loses or gains half; `jitter`, every
//! building loses or gains 2 %, odd parts of a household by chance; `none`.
//! Prints wall seconds, peak memory and what the answer says about itself, community by community.

use std::error::Error;
use std::fs;
use std::io::{BufRead, Write};
use std::ops::ControlFlow;
use std::time::Instant;

use gridplan::partition::{Effort, GridSize, PartitionParams, PartitionProblem, partition};

const CLASS_FACTOR: [f64; 5] = [1.0, 0.5, 0.2, 0.1, 0.1];

#[derive(Default)]
struct Instance {
    households: Vec<u32>,
    compound: Vec<i32>,
    community: Vec<u32>,
    edge_from: Vec<u32>,
    edge_to: Vec<u32>,
    edge_length: Vec<f64>,
    edge_cost: Vec<f64>,
}

fn read(path: &str) -> Result<Instance, Box<dyn Error>> {
    let mut instance = Instance::default();
    for line in std::io::BufReader::new(fs::File::open(path)?).lines() {
        let line = line?;
        let mut words = line.split_ascii_whitespace();
        let kind = words.next();
        let words: Vec<&str> = words.collect();
        match kind {
            Some("node") => {
                instance.households.push(words[1].parse()?);
                instance.compound.push(words[4].parse()?);
                instance.community.push(words[5].parse()?);
            }
            Some("edge") => {
                let length: f64 = words[2].parse()?;
                let class: usize = words[3].parse()?;
                instance.edge_from.push(words[0].parse()?);
                instance.edge_to.push(words[1].parse()?);
                instance.edge_length.push(length);
                instance.edge_cost.push(length * CLASS_FACTOR[class]);
            }
            _ => {}
        }
    }
    Ok(instance)
}

/// Changes counts as the module's text says.
fn change_counts(households: &mut [u32], how: &str) -> Result<(), String> {
    let step = if how == "jitter" { 1 } else { 50 };
    for at in (0..households.len().saturating_sub(25)).step_by(step) {
        // A fixed scramble: chance that is the same everywhere.
        let chance = (at as u32 + 1).wrapping_mul(2_654_435_761);
        let up = chance >> 31 == 1;
        let by = |share: f64| {
            let exact = f64::from(households[at]) * share;
            let rest = f64::from(chance & 0xFFFF) / 65536.0;
            (exact + rest).floor() as u32
        };
        let change = |by: u32| if up { households[at] + by } else { households[at].saturating_sub(by) };
        households[at] = match how {
            "other" => households[at + 25],
            "half" => change(by(0.5)),
            "jitter" => change(by(0.02)),
            "none" => households[at],
            _ => return Err(format!("change `{how}`; use other, half, jitter or none")),
        };
    }
    Ok(())
}

/// Peak memory of this process in MB, from the kernel's own account.
fn peak_mb() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("");
    line.split_ascii_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, path, mode, effort, out, rest @ ..] = arguments.as_slice() else {
        return Err(
            "usage: partition_instance INSTANCE F|N|C draft|full OUT [SEED [CURRENT [CHANGE]]]".into()
        );
    };
    let mut instance = read(path)?;
    let current = match rest.get(1) {
        Some(plan) => {
            Some(fs::read_to_string(plan)?.lines().map(str::parse).collect::<Result<Vec<i32>, _>>()?)
        }
        None => None,
    };
    if current.is_some() {
        change_counts(&mut instance.households, rest.get(2).map_or("other", String::as_str))?;
    }
    let before = peak_mb();
    let problem = PartitionProblem {
        households: &instance.households,
        edge_from: &instance.edge_from,
        edge_to: &instance.edge_to,
        edge_length: &instance.edge_length,
        edge_cost: Some(&instance.edge_cost),
        community: (mode != "F").then_some(&instance.community),
        compound: (mode == "C").then_some(&instance.compound),
        current: current.as_deref(),
        ..PartitionProblem::default()
    };
    let mut params = PartitionParams::new(GridSize::around(300, 0.10), 1);
    params.effort = if effort == "draft" { Effort::Draft } else { Effort::Full };
    if let Some(seed) = rest.first() {
        params.seed = seed.parse()?;
    }
    let begin = Instant::now();
    let answer = partition(&problem, &params, &|_| ControlFlow::Continue(()))?;
    let wall = begin.elapsed().as_secs_f64();
    let out_of_range: usize = answer.communities.iter().map(|c| c.n_out).sum();
    let least_out: usize = answer.communities.iter().map(|c| c.least_out).sum();
    let mut gaps: Vec<f64> = answer.communities.iter().map(|c| 100.0 * c.gap().unwrap_or(1.0)).collect();
    gaps.sort_by(f64::total_cmp);
    println!("wall_s        {wall:.2}");
    println!("peak_mb_input {before:.0}");
    println!("peak_mb_extra {:.0}", peak_mb() - before);
    println!("k             {}", answer.grid_load.len());
    println!("out, at least {out_of_range} {least_out}");
    let bound = answer.lower_bound.map_or("none".to_string(), |bound| format!("{:.3}", bound / 1000.0));
    println!("cost_km       {:.3}, bound {bound}", answer.cut_cost / 1000.0);
    let bounded = gaps.iter().filter(|gap| **gap < 100.0).count();
    println!("communities   {}, with a bound {bounded}", gaps.len());
    println!(
        "gap median    {:.2} %, p95 {:.2} %",
        gaps[gaps.len() / 2],
        gaps[(gaps.len() * 95 / 100).min(gaps.len() - 1)]
    );
    if current.is_some() {
        // By heirs: a grid takes the place of the present one that it overlaps most, whatever its number is now.
        let total: u64 = instance.households.iter().map(|&h| u64::from(h)).sum();
        let moved: u64 = answer.communities.iter().filter_map(|c| c.moved).sum();
        let share = |moved: u64| 100.0 * moved as f64 / total as f64;
        let unknown = answer.communities.iter().filter(|c| c.least_moved.is_none()).count();
        let least = answer.least_moved.unwrap_or(0);
        println!("moved         {moved} of {total} households, {:.2} %", share(moved));
        println!("least moved   {least}, {:.2} %; {unknown} communities without a bound", share(least));
    }
    println!("findings      {}", answer.findings.len());
    for finding in &answer.findings {
        println!("finding       {finding:?}");
    }
    println!("community     k out least_out cost_m least_cost_m gap_% moved least_moved");
    for c in &answer.communities {
        let least = c.least_cost.map_or("none".to_string(), |least| format!("{least:.2}"));
        let gap = c.gap().map_or("none".to_string(), |gap| format!("{:.2}", 100.0 * gap));
        let count = |n: Option<u64>| n.map_or("none".to_string(), |n| n.to_string());
        let (moved, least_moved) = (count(c.moved), count(c.least_moved));
        println!(
            "{:13} {} {} {} {:.2} {least} {gap} {moved} {least_moved}",
            c.community, c.k, c.n_out, c.least_out, c.cost
        );
    }
    let mut file = std::io::BufWriter::new(fs::File::create(out)?);
    for grid in &answer.grid {
        writeln!(file, "{grid}")?;
    }
    Ok(())
}
