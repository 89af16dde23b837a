//! Siting: speed of the four models on invented towns of fixed seed, and the gap each answer keeps.
//!
//! `cargo bench --bench siting` prints the quality first (objective, bound, gap), then the times.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use gridplan::siting::{
    Effort, Options, Problem, Siting, Table, UNREACHED, max_cover, p_center, p_median, set_cover,
};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// A town on a square of 6 km: demand points gathered around centres, sites spread likewise, walks along both axes.
struct Town {
    n_sites: usize,
    cost: Vec<u32>,
    weights: Vec<u32>,
}

impl Town {
    fn new(n_demand: usize, n_sites: usize, limit: u32) -> Self {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
        let centres: Vec<(i64, i64)> =
            (0..12).map(|_| (random.random_range(0..6_000i64), random.random_range(0..6_000i64))).collect();
        let mut place = || {
            let (x, y) = centres[random.random_range(0..centres.len())];
            (x + random.random_range(-900..900i64), y + random.random_range(-900..900i64))
        };
        let demand: Vec<(i64, i64)> = (0..n_demand).map(|_| place()).collect();
        let sites: Vec<(i64, i64)> = (0..n_sites).map(|_| place()).collect();
        let walk = |from: &(i64, i64), to: &(i64, i64)| {
            let metres = (from.0.abs_diff(to.0) + from.1.abs_diff(to.1)) as u32;
            if metres <= limit { metres } else { UNREACHED }
        };
        let cost = demand.iter().flat_map(|from| sites.iter().map(move |to| walk(from, to))).collect();
        let weights = (0..n_demand).map(|_| random.random_range(1..60u32)).collect();
        Self { n_sites, cost, weights }
    }

    fn problem(&self) -> Problem<'_> {
        let table = Table::dense(self.weights.len(), self.n_sites, &self.cost).expect("demand by sites");
        let mut problem = Problem::new(table);
        problem.weights.clone_from(&self.weights);
        problem
    }

    /// The problem without the points that no site reaches.
    fn reached(&self) -> Problem<'_> {
        let mut problem = self.problem();
        for demand in 0..self.weights.len() {
            let row = &self.cost[demand * self.n_sites..(demand + 1) * self.n_sites];
            if row.iter().all(|&cost| cost == UNREACHED) {
                problem.weights[demand] = 0;
            }
        }
        problem
    }
}

fn report(name: &str, answer: &Siting) {
    let gap = answer.gap * 100.0;
    println!(
        "{name}: objective {} bound {} gap {gap:.3} % proven {}",
        answer.objective, answer.bound, answer.proven
    );
}

fn benches(criterion: &mut Criterion) {
    let options = Options { effort: Effort::Full, ..Options::default() };
    let near = Town::new(2_000, 300, 500);
    let far = Town::new(1_000, 200, UNREACHED - 1);
    let (cover, reached, whole) = (near.problem(), near.reached(), far.problem());
    let solve_max = || max_cover(&cover, Some(20), &options).expect("an answer");
    let solve_set = || set_cover(&reached, &options).expect("an answer");
    let solve_median = || p_median(&whole, 12, &options).expect("an answer");
    let solve_center = || p_center(&whole, 12, &options).expect("an answer");
    report("max_cover 2000 x 300, p = 20, 500 m", &solve_max());
    report("set_cover 2000 x 300, 500 m", &solve_set());
    report("p_median 1000 x 200, p = 12", &solve_median());
    report("p_center 1000 x 200, p = 12", &solve_center());
    let mut group = criterion.benchmark_group("siting");
    group.sample_size(10);
    group.bench_function("max_cover_2000_300", |bench| bench.iter(|| black_box(solve_max())));
    group.bench_function("set_cover_2000_300", |bench| bench.iter(|| black_box(solve_set())));
    group.bench_function("p_median_1000_200", |bench| bench.iter(|| black_box(solve_median())));
    group.bench_function("p_center_1000_200", |bench| bench.iter(|| black_box(solve_center())));
    group.finish();
}

criterion_group!(siting, benches);
criterion_main!(siting);
