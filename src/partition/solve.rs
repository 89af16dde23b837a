//! Divides every zone: parts of connected units, several starts each, the best division kept.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rayon::prelude::*;

use super::anneal::Logarithms;
use super::division::{Ask, Division, Range, Score};
use super::exact;
use super::islands::{self, Part};
use super::levels::{self, Cycle};
use super::piece::Piece;
use super::present::Present;
use super::random::Random;
use super::redraw;
use super::regions::Regions;
use super::regroup::Around;
use super::zones::{Kind, Zone, Zones};
use super::{Effort, PartitionError, PartitionParams, PartitionProblem, Progress, Watch};
use super::{budget, regroup, windows};

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
    /// No division of this part with `score.n_out` grids out of range costs less, in mm; 0 where nothing is known.
    pub least_cost: i64,
    /// No division of this part with `score.n_out` grids out of range, none further out, moves fewer households.
    pub least_moved: Option<u64>,
}

impl PartAnswer {
    /// Joins what is known about two ways to tie a part: bounds hold for both, the better score counts.
    fn weaken(&mut self, other: &Self, cap: Option<i64>) {
        let score = self.score.min(other.score);
        // A way that cannot reach the balance of the other has no say in the cost at that balance.
        let cost_of = |way: &Self| match way.score.n_out.cmp(&score.n_out) {
            std::cmp::Ordering::Equal => way.least_cost,
            _ if score.n_out < way.least_out => i64::MAX,
            _ => 0,
        };
        let least = cost_of(self).min(if cap.is_some() { other.least_cost } else { cost_of(other) });
        // Bounds out of range hold for divisions that are no further out than their own.
        self.least_cost = if score.n_out == 0 { least.min(score.cost) } else { 0 };
        self.least_out = self.least_out.min(other.least_out);
        self.score = score;
    }
}

/// Shared by all threads of one call.
pub(super) struct Context<'a> {
    pub effort: Effort,
    pub seed: u64,
    /// What one selection over regions may spend.
    pub budget: exact::Budget,
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
    max_moved: Option<u64>,
    watch: Watch<'_>,
) -> Result<Vec<ZoneAnswer>, PartitionError> {
    let context = Context {
        effort: params.effort,
        seed: params.seed,
        budget: exact::Budget::of(zones.zones.len()),
        logarithms: Logarithms::new(),
        watch,
        total: problem.households.len() as u64,
        done: AtomicU64::new(0),
        cancelled: AtomicBool::new(false),
    };
    // One zone may take as long as all others: none waits behind it.
    let answers = zones.zones.par_iter().enumerate().with_max_len(1).map(|(index, zone)| {
        let answer = match zone.kind {
            Kind::Locked => locked(problem, zones, zone),
            Kind::Exclusive | Kind::Divide { .. } => divide(&context, problem, zones, index, zone),
        };
        context.advance(zone.atoms.len() as u64);
        answer
    });
    let mut answers: Vec<ZoneAnswer> = answers.collect();
    if let Some(limit) = max_moved.filter(|_| problem.current.is_some()) {
        budget::obey(&context, problem, zones, &mut answers, limit);
    }
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
    let present = Present::of(problem, zones, zone, &unit_of);
    let unit_load = piece.load.clone();
    let mut divided = Divided { grid: (0..piece.len() as u32).collect(), parts: Vec::new() };
    let mut wanted = piece.len();
    if let Kind::Divide { size, k, other } = zone.kind {
        let range = Range { low: size.low.into(), target: size.target.into(), high: size.high.into() };
        (divided, wanted) = (into(context, &piece, k, range, present.as_ref(), index), k);
        if let Some(present) = &present {
            if divided.balance_and_moves() != (0, 0) && other != k {
                // Another number counts only if it is better balanced or moves fewer.
                let again = into(context, &piece, other, range, Some(present), index);
                if again.balance_and_moves() < divided.balance_and_moves() {
                    (divided, wanted) = (again, other);
                }
            }
            // What neither number brings into range is worth a division from nothing.
            afresh(context, (&piece, wanted, range), present, index, &mut divided);
        }
    }
    numbered(zones, zone, &unit_load, &unit_of, divided, wanted)
}

/// The answer of a zone from the division of its graph, grids numbered in order of their first atom.
pub(super) fn numbered(
    zones: &Zones,
    zone: &Zone,
    unit_load: &[u64],
    unit_of: &[u32],
    divided: Divided,
    wanted: usize,
) -> ZoneAnswer {
    let Divided { grid, parts: answers } = divided;
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

/// The division of a zone's graph: grid per unit and what is known about its parts.
pub(super) struct Divided {
    pub grid: Vec<u32>,
    pub parts: Vec<PartAnswer>,
}

impl Divided {
    /// Takes over the grids of a part, numbered from `first`.
    fn take_over(&mut self, part: &Part, first: u32, labels: &[u32]) {
        for &(unit, local) in &part.units {
            self.grid[unit as usize] = first + labels[local as usize];
        }
    }

    /// Grids out of range, then load out of range or in another grid than now.
    fn balance_and_moves(&self) -> (usize, u64) {
        let scores = self.parts.iter().map(|part| part.score);
        scores.fold((0, 0), |sum, s| (sum.0 + s.n_out, sum.1 + s.excess + s.moved))
    }
}

/// The parts of the graph of a zone that are divided into `k` grids.
fn parts_of(piece: &Piece, k: usize, range: Range, present: Option<&Present>) -> Vec<Part> {
    let mut parts = islands::parts(piece.clone(), k, range, 0);
    if let Some(present) = present {
        redraw::tie_as_present(piece, k, range, present, &mut parts);
    }
    parts
}

/// Divides the graph of a zone into `k` grids, from the present grid per unit where there is one.
fn into(
    context: &Context<'_>,
    piece: &Piece,
    k: usize,
    range: Range,
    present: Option<&Present>,
    index: usize,
) -> Divided {
    let mut divided = Divided { grid: vec![0; piece.len()], parts: Vec::new() };
    let mut next = 0;
    for (i, mut part) in parts_of(piece, k, range, present).into_iter().enumerate() {
        let stream = (index as u64) << 20 | i as u64;
        let (mut labels, mut answer) = match present {
            Some(present) => redraw::part(context, &part, range, present, stream),
            None => divide_part(context, &part, range, stream, (None, false)),
        };
        let all_choices = context.effort == Effort::Full && present.is_none() && context.budget.is_whole();
        if 1 < part.choices && part.sound && all_choices {
            for choice in 1..part.choices {
                let other = islands::parts(piece.clone(), k, range, choice).swap_remove(i);
                let cap = (answer.score.n_out == 0).then_some(answer.score.cost);
                let (found, known) = divide_part(context, &other, range, stream, (cap, false));
                let is_better = known.score < answer.score;
                answer.weaken(&known, cap);
                if is_better {
                    (part, labels) = (other, found);
                }
            }
        } else if 1 < part.choices {
            (answer.least_out, answer.least_cost) = (part.fewest_out(part.k, range), 0);
        }
        divided.take_over(&part, next, &labels);
        next += part.k as u32;
        divided.parts.push(answer);
    }
    divided
}

/// Looks again at the parts that a redraw left with grids out of range.
fn afresh(
    context: &Context<'_>,
    (piece, k, range): (&Piece, usize, Range),
    present: &Present,
    index: usize,
    divided: &mut Divided,
) {
    let is_open = |part: &PartAnswer| part.least_out < part.score.n_out;
    if !divided.parts.iter().any(is_open) {
        return;
    }
    let mut next = 0;
    for (i, part) in parts_of(piece, k, range, Some(present)).into_iter().enumerate() {
        let mut labels = vec![0; part.piece.len()];
        for &(unit, local) in &part.units {
            labels[local as usize] = divided.grid[unit as usize] - next;
        }
        let stream = (index as u64) << 20 | i as u64;
        let known = (labels, divided.parts[i].clone());
        let (labels, mut answer) = redraw::afresh(context, &part, range, present, known, stream);
        if 1 < part.choices {
            answer.least_out = part.fewest_out(part.k, range);
        }
        divided.take_over(&part, next, &labels);
        next += part.k as u32;
        divided.parts[i] = answer;
    }
}

/// Divides one connected part. With a `cap` only divisions in range that cost less matter, in mm, and the bound on cost
/// is for these.
pub(super) fn divide_part(
    context: &Context<'_>,
    part: &Part,
    range: Range,
    stream: u64,
    (cap, is_redraw): (Option<i64>, bool),
) -> (Vec<u32>, PartAnswer) {
    let mut random = Random::new(context.seed, stream);
    let n = part.piece.len();
    let k = part.k.max(1);
    let least_by_load = part.fewest_out(k, range);
    let score = super::division::score(&part.piece, range, &vec![0; n], k);
    let mut answer = PartAnswer { score, least_out: least_by_load, least_cost: 0, least_moved: None };
    if k == 1 {
        return (vec![0; n], answer);
    }
    let full = context.effort == Effort::Full;
    // Many small units a grid: no selection over regions comes close to what moves on blocks reach.
    let is_small = n <= exact::MAX_UNITS && k <= exact::MAX_GRIDS && (n <= 60 || n < 16 * k);
    let mut pool = (full && is_small).then(Regions::default);
    let (starts, cycle) = effort_of_starts(context.effort, n, is_small);
    let ask = Ask { piece: &part.piece, k, range };
    let mut labels = vec![0; n];
    for start in 0..starts {
        let found = levels::cycle(context, ask, cycle, None, pool.as_mut(), &mut random);
        if start == 0 || found.1 < answer.score {
            (labels, answer.score) = found;
        }
    }
    if full && cap.is_none() {
        windows::improve(context, ask, &mut labels, window_passes(n), stream);
        answer.score = super::division::score(&part.piece, range, &labels, k);
        if pool.is_none() && least_by_load < answer.score.n_out {
            windows::mend(context, ask, &mut labels, stream);
            regroup::improve(context, ask, &mut labels, Around::OutOfRange);
            // Balance was dear: shorter boundaries again.
            windows::improve(context, ask, &mut labels, 2, stream ^ 1 << 49);
            answer.score = super::division::score(&part.piece, range, &labels, k);
        }
    }
    if let Some(mut pool) = pool.filter(|_| !context.stop()) {
        if cap.is_none()
            && least_by_load < answer.score.n_out
            && regroup::improve(context, ask, &mut labels, Around::All)
        {
            answer.score = super::division::score(&part.piece, range, &labels, k);
        }
        pool.add_division(&Division::new(&part.piece, labels.clone(), k), 0..=u64::MAX);
        exact::improve((context, context.budget), ask, &pool, cap, &mut labels, &mut answer);
        if cap.is_none() && !is_redraw {
            regroup_open(context, ask, &mut pool, &mut labels, &mut answer);
        }
    }
    if !part.sound {
        answer.least_out = least_by_load;
        answer.least_cost = 0;
    }
    (labels, answer)
}

/// Improves a division that the selection over the whole part could not prove the best.
fn regroup_open(
    context: &Context<'_>,
    ask: Ask<'_>,
    pool: &mut Regions,
    labels: &mut Vec<u32>,
    answer: &mut PartAnswer,
) {
    let is_settled = answer.score.n_out == answer.least_out && answer.score.cost <= answer.least_cost;
    if is_settled || !regroup::improve(context, ask, labels, Around::All) {
        return;
    }
    let before = answer.score;
    answer.score = super::division::score(ask.piece, ask.range, labels, ask.k);
    if answer.score.n_out < before.n_out {
        // Another balance: bounds of its own.
        pool.add_division(&Division::new(ask.piece, labels.clone(), ask.k), 0..=u64::MAX);
        answer.least_cost = 0;
        exact::improve((context, context.budget), ask, pool, None, labels, answer);
    }
}

/// Number of independent starts and what each does.
fn effort_of_starts(effort: Effort, n: usize, is_small: bool) -> (usize, Cycle) {
    let (starts, sweeps) = match effort {
        Effort::Draft if n <= 2000 => (2, (120, 60)),
        Effort::Draft => (1, (120, 40)),
        Effort::Full if is_small => (6, (700, 400)),
        Effort::Full => (if n <= 2000 { 3 } else { 1 }, (2000, 300)),
    };
    let end = if effort == Effort::Draft { 0.05 } else { 0.03 };
    (starts, Cycle { sweeps, heat: (0.6, 0.2), end })
}

/// Passes of windows over a part of `n` units: what a city of a million buildings leaves time for.
fn window_passes(n: usize) -> usize {
    match n {
        0..=2000 => 8,
        2001..=50_000 => 20,
        50_001..=300_000 => 10,
        _ => 5,
    }
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
