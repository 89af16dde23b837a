//! Speed and quality of the partition engine on a synthetic lattice of compounds, 1,000 to 100,000 atoms.
//!
//! `cargo bench --bench partition`; instances of the benchmark kit run through `examples/partition_instance.rs`.

use std::hint::black_box;
use std::ops::ControlFlow;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use gridplan::partition::{Effort, GridSize, PartitionParams, PartitionProblem, partition};

/// A square lattice of about `n` buildings in compounds of 2 × 2 and communities of 20 × 20.
struct City {
    households: Vec<u32>,
    community: Vec<u32>,
    compound: Vec<i32>,
    edge_from: Vec<u32>,
    edge_to: Vec<u32>,
    edge_length: Vec<f64>,
    edge_cost: Vec<f64>,
}

fn city(n: u32) -> City {
    let side = n.isqrt();
    let mut city = City {
        households: Vec::new(),
        community: Vec::new(),
        compound: Vec::new(),
        edge_from: Vec::new(),
        edge_to: Vec::new(),
        edge_length: Vec::new(),
        edge_cost: Vec::new(),
    };
    for y in 0..side {
        for x in 0..side {
            // A fixed scramble instead of a generator: the same city for every version of it.
            let mixed = (y * side + x).wrapping_mul(2_654_435_761) >> 24;
            city.households.push(mixed % 40);
            city.community.push(y / 20 * side.div_ceil(20) + x / 20);
            city.compound.push((y / 2 * side.div_ceil(2) + x / 2) as i32);
            for (dx, dy) in [(1, 0), (0, 1)] {
                if x + dx < side && y + dy < side {
                    let inside = x / 2 == (x + dx) / 2 && y / 2 == (y + dy) / 2;
                    city.edge_from.push(y * side + x);
                    city.edge_to.push((y + dy) * side + x + dx);
                    city.edge_length.push(30.0);
                    city.edge_cost.push(if inside { 30.0 } else { 6.0 });
                }
            }
        }
    }
    city
}

fn draft(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("partition draft");
    group.sample_size(10);
    for n in [1_000, 10_000, 100_000] {
        let city = city(n);
        let problem = PartitionProblem {
            households: &city.households,
            edge_from: &city.edge_from,
            edge_to: &city.edge_to,
            edge_length: &city.edge_length,
            edge_cost: Some(&city.edge_cost),
            community: Some(&city.community),
            compound: Some(&city.compound),
            ..PartitionProblem::default()
        };
        let mut params = PartitionParams::new(GridSize::around(300, 0.10), 1);
        params.effort = Effort::Draft;
        let run = || partition(black_box(&problem), &params, &|_| ControlFlow::Continue(()));
        if let Ok(answer) = run() {
            let out: usize = answer.communities.iter().map(|c| c.n_out).sum();
            let k = answer.grid_load.len();
            eprintln!("{n} atoms: {out} of {k} grids out of range, cost {:.0} m", answer.cut_cost);
        }
        group.bench_function(BenchmarkId::from_parameter(n), |b| b.iter(run));
    }
    group.finish();
}

criterion_group!(benches, draft);
criterion_main!(benches);
