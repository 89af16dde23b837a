//! Divides every zone: parts of connected units, several starts each, the best division kept.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rayon::prelude::*;

use super::anneal::{Annealer, Logarithms, Schedule};
use super::division::{Division, Range, Score};
use super::exact;
use super::islands::{self, Part};
use super::random::Random;
use super::regions::Regions;
use super::seed;
use super::zones::{Kind, Zone, Zones};
use super::{Effort, PartitionError, PartitionParams, PartitionProblem, Progress, Watch};

/// The division of one zone, grids numbered from 0 in order of their first atom.
pub(super) struct ZoneAnswer {
    /// Grid per atom of the zone, in the zone's order.
    pub grid: Vec<u32>,
    /// Number of grids.
    pub k: usize,
    /// Number of grids wanted.
    pub wanted: usize,
    /// The connected parts that were divided separately; empty where nothing was divided.
    pub parts: Vec<PartAnswer>,
    /// Load of the heaviest unit of each grid with its first atom, to name what blocks a grid.
    pub heaviest: Vec<(u64, u32)>,
}

/// What is known about one part.
#[derive(Clone, Debug)]
pub(super) struct PartAnswer {
    /// Score of the division found.
    pub score: Score,
    /// No division of this part has fewer grids out of range.
    pub least_out: usize,
    /// No division of this part with `score.n_out` grids out of range costs less, in mm.
    pub least_cost: i64,
}

/// Shared by all threads of one call.
pub(super) struct Context<'a> {
    pub effort: Effort,
    pub seed: u64,
    /// Sets that one enumeration may visit: shared out so that a country takes minutes, not days.
    pub visits: usize,
    /// Columns of the largest integer program.
    pub columns: usize,
    pub logarithms: Logarithms,
    watch: Watch<'a>,
    total: u64,
    done: AtomicU64,
    cancelled: AtomicBool,
}

impl Context<'_> {
    /// Tells the caller that `work` more is done.
    fn advance(&self, work: u64) {
        let done = self.done.fetch_add(work, Ordering::Relaxed) + work;
        self.report(done);
    }

    /// Whether the caller wants to stop. Asks it.
    pub(super) fn stop(&self) -> bool {
        self.report(self.done.load(Ordering::Relaxed))
    }

    fn report(&self, done: u64) -> bool {
        if (self.watch)(Progress { done, total: self.total }) == ControlFlow::Break(()) {
            self.cancelled.store(true, Ordering::Relaxed);
        }
        self.cancelled.load(Ordering::Relaxed)
    }
}

/// Divides every zone, in parallel.
pub(super) fn all_zones(
    problem: &PartitionProblem<'_>,
    params: &PartitionParams,
    zones: &Zones,
    watch: Watch<'_>,
) -> Result<Vec<ZoneAnswer>, PartitionError> {
    let context = Context {
        effort: params.effort,
        seed: params.seed,
        visits: (exact::ALL_VISITS / zones.zones.len().max(1)).clamp(exact::MIN_VISITS, exact::MAX_VISITS),
        columns: (exact::ALL_COLUMNS / zones.zones.len().max(1))
            .clamp(exact::MIN_COLUMNS, exact::MAX_COLUMNS),
        logarithms: Logarithms::new(),
        watch,
        total: problem.households.len() as u64,
        done: AtomicU64::new(0),
        cancelled: AtomicBool::new(false),
    };
    let answers = zones.zones.par_iter().enumerate().map(|(index, zone)| {
        let answer = match zone.kind {
            Kind::Locked => locked(problem, zones, zone),
            Kind::Exclusive | Kind::Divide { .. } => divide(&context, problem, zones, index, zone),
        };
        context.advance(zone.atoms.len() as u64);
        answer
    });
    let answers: Vec<ZoneAnswer> = answers.collect();
    if context.stop() { Err(PartitionError::Cancelled) } else { Ok(answers) }
}

/// Keeps the present grids of a zone.
fn locked(problem: &PartitionProblem<'_>, zones: &Zones, zone: &Zone) -> ZoneAnswer {
    let atoms = &zones.atoms[zone.atoms.clone()];
    let current = problem.current.unwrap_or(&[]);
    let labels = atoms.iter().map(|&atom| current[atom as usize] as u32).collect();
    let (grid, k) = number_by_first(labels);
    let heaviest = vec![(0, 0); k];
    ZoneAnswer { grid, k, wanted: k, parts: Vec::new(), heaviest }
}

fn divide(
    context: &Context<'_>,
    problem: &PartitionProblem<'_>,
    zones: &Zones,
    index: usize,
    zone: &Zone,
) -> ZoneAnswer {
    let (piece, unit_of) = zones.graph(problem, zone);
    let unit_load = piece.load.clone();
    let mut grid = vec![0u32; piece.len()];
    let mut answers = Vec::new();
    let mut wanted = piece.len();
    match zone.kind {
        Kind::Divide { size, k } => {
            wanted = k;
            let range = Range { low: size.low.into(), target: size.target.into(), high: size.high.into() };
            let mut next = 0;
            for (i, part) in islands::parts(piece, k, range).into_iter().enumerate() {
                let stream = (index as u64) << 20 | i as u64;
                let (labels, answer) = divide_part(context, &part, range, stream);
                for &(unit, local) in &part.units {
                    grid[unit as usize] = next + labels[local as usize];
                }
                next += part.k as u32;
                answers.push(answer);
            }
        }
        Kind::Exclusive | Kind::Locked => grid = (0..piece.len() as u32).collect(),
    }
    let labels = unit_of.iter().map(|&unit| grid[unit as usize]).collect();
    let (numbered, k) = number_by_first(labels);
    let mut heaviest = vec![(0, u32::MAX); k];
    for (i, &g) in numbered.iter().enumerate() {
        let load = unit_load[unit_of[i] as usize];
        let slot = &mut heaviest[g as usize];
        if slot.1 == u32::MAX || slot.0 < load {
            *slot = (load, zones.atoms[zone.atoms.start + i]);
        }
    }
    ZoneAnswer { grid: numbered, k, wanted, parts: answers, heaviest }
}

/// Divides one connected part.
fn divide_part(context: &Context<'_>, part: &Part, range: Range, stream: u64) -> (Vec<u32>, PartAnswer) {
    let mut random = Random::new(context.seed, stream);
    let n = part.piece.len();
    let k = part.k.max(1);
    let mut answer = PartAnswer {
        score: super::division::score(&part.piece, range, &vec![0; n], k),
        least_out: islands::fewest_out(part.piece.total(), k, range),
        least_cost: 0,
    };
    if k == 1 {
        return (vec![0; n], answer);
    }
    let stop = || context.stop();
    let (starts, schedule) = match context.effort {
        Effort::Draft => (2, Schedule { sweeps: 120, start: 0.6, end: 0.05, chain: 3 }),
        Effort::Full if n <= 1000 => (6, Schedule { sweeps: 700, start: 0.6, end: 0.03, chain: 3 }),
        Effort::Full => (1, Schedule { sweeps: 1000, start: 0.6, end: 0.03, chain: 3 }),
    };
    let mut pool = (context.effort == Effort::Full && n <= exact::MAX_UNITS).then(Regions::default);
    let mut best: Option<(Score, Vec<u32>)> = None;
    for _ in 0..starts {
        let labels = seed::split(&part.piece, k, range, &mut random);
        let mut division = Division::new(&part.piece, labels, k);
        let annealer = Annealer::new(&mut division, range, &[], pool.as_mut());
        let (labels, score) = annealer.run(schedule, &context.logarithms, &mut random, &stop);
        if best.as_ref().is_none_or(|(old, _)| score < *old) {
            best = Some((score, labels));
        }
    }
    let Some((score, mut labels)) = best else { return (vec![0; n], answer) };
    answer.score = score;
    if let Some(pool) = pool.filter(|_| !context.stop()) {
        exact::improve(context, &part.piece, range, &pool, &mut labels, &mut answer);
    }
    (labels, answer)
}

/// Renumbers labels 0, 1, 2, … in order of first appearance.
fn number_by_first(labels: Vec<u32>) -> (Vec<u32>, usize) {
    let mut number = rustc_hash::FxHashMap::default();
    let mut grid = labels;
    for label in &mut grid {
        let next = number.len() as u32;
        *label = *number.entry(*label).or_insert(next);
    }
    let k = number.len();
    (grid, k)
}
