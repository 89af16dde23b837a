//! A redraw that may move only so many households: for every zone a ladder of divisions, the better balanced the more
//! they move, and of each ladder one rung, so that the whole is balanced best within the limit.

use rayon::prelude::*;

use super::anneal::{Annealer, Keep, Schedule};
use super::division::{self, Division, Range, Score};
use super::islands::{self, Part};
use super::piece::{Piece, Sets};
use super::present::{self, Present};
use super::random::Random;
use super::redraw::{self, Start};
use super::solve::{self, Context, Divided, PartAnswer, ZoneAnswer};
use super::zones::{Kind, Zone, Zones};
use super::{Effort, PartitionProblem, seed};

/// Rungs of one ladder.
const RUNGS: usize = 48;
/// Combinations kept while ladders are joined; beyond that every other one is let go.
const COMBINATIONS: usize = 4096;
/// How dear a move is compared with a usual redraw, run after run: dear ones bring the low rungs.
const WEIGHTS: [i64; 5] = [1, 3, 10, 40, 160];

/// Units of the largest part whose divisions are all looked at.
const TINY: usize = 10;

/// Grids out of range, households out of range or moved, then boundary cost in mm.
type Balance = (usize, u64, i64);

/// Divisions of which each is better balanced than all that move less.
pub(super) struct Front<T> {
    /// Households moved, what that gives, and the division; both ascend and improve.
    rungs: Vec<(u64, Balance, T)>,
    most: usize,
}

impl<T> Front<T> {
    fn new(most: usize) -> Self {
        Self { rungs: Vec::new(), most }
    }

    /// Adds a division unless another moves no more and is at least as good. Cost counts between equals only.
    pub(super) fn offer(&mut self, moved: u64, balance: Balance, make: impl FnOnce() -> T) {
        let order = |balance: Balance| (balance.0, balance.1);
        let at = self.rungs.partition_point(|rung| rung.0 <= moved);
        if let Some(below) = at.checked_sub(1).map(|at| &self.rungs[at]) {
            let is_equal = below.0 == moved && order(below.1) == order(balance);
            if order(below.1) <= order(balance) && !(is_equal && balance.2 < below.1.2) {
                return;
            }
        }
        let from = self.rungs.partition_point(|rung| rung.0 < moved);
        let beaten = self.rungs[from..].iter().take_while(|rung| order(balance) <= order(rung.1)).count();
        self.rungs.splice(from..from + beaten, [(moved, balance, make())]);
        if self.most < self.rungs.len() {
            self.thin();
        }
    }

    /// Lets the rung go without which the ladder has the smallest hole; the first and the last stay.
    fn thin(&mut self) {
        let hole = |at: usize| {
            let (below, own, above) = (&self.rungs[at - 1], &self.rungs[at], &self.rungs[at + 1]);
            // Rungs that bring a grid into range are the ones that matter.
            (own.1.0 != below.1.0, above.0 - below.0, at)
        };
        if let Some(at) = (1..self.rungs.len() - 1).min_by_key(|&at| hole(at)) {
            self.rungs.remove(at);
        }
    }
}

/// Replaces answers by ones that move less, where the whole moves more than `limit` households.
pub(super) fn obey(
    context: &Context<'_>,
    problem: &PartitionProblem<'_>,
    zones: &Zones,
    answers: &mut Vec<ZoneAnswer>,
    limit: u64,
) {
    let moved = |zone: &Zone, answer: &ZoneAnswer| moved(problem, zones, zone, &answer.grid);
    let free: Vec<u64> =
        zones.zones.par_iter().zip(&*answers).map(|(zone, answer)| moved(zone, answer)).collect();
    if free.iter().sum::<u64>() <= limit {
        return;
    }
    let drawn = std::mem::take(answers);
    let ladders =
        zones.zones.par_iter().enumerate().zip(drawn).with_max_len(1).map(|((index, zone), answer)| {
            let mut front = Front::new(RUNGS);
            if free[index] > 0 {
                climb(context, problem, zones, index, zone, &answer, &mut front);
            }
            front.offer(free[index], balance(&answer.parts), || answer);
            front
        });
    let mut ladders: Vec<Front<ZoneAnswer>> = ladders.collect();
    let chosen = choose_rungs(&ladders_of(&ladders), limit);
    for (ladder, rung) in ladders.iter_mut().zip(chosen) {
        answers.push(ladder.rungs.swap_remove(rung).2);
    }
}

fn ladders_of<T>(fronts: &[Front<T>]) -> Vec<Vec<(u64, Balance)>> {
    fronts.iter().map(|front| front.rungs.iter().map(|rung| (rung.0, rung.1)).collect()).collect()
}

/// One rung per ladder: the best sum of balances whose moves add up to at most `limit`; the lowest rungs if none does.
fn choose_rungs(ladders: &[Vec<(u64, Balance)>], limit: u64) -> Vec<usize> {
    // What the ladders after each one move at least.
    let mut least_after = vec![0u64; ladders.len() + 1];
    for (i, ladder) in ladders.iter().enumerate().rev() {
        least_after[i] = least_after[i + 1] + ladder.first().map_or(0, |rung| rung.0);
    }
    let mut joined: Front<usize> = Front::new(usize::MAX);
    joined.offer(0, (0, 0, 0), || 0);
    // Per ladder and combination: the combination before and the rung.
    let mut steps: Vec<Vec<(usize, usize)>> = Vec::new();
    for (i, ladder) in ladders.iter().enumerate() {
        let mut all: Vec<(u64, Balance, usize, usize)> = Vec::new();
        for (before, &(moved, sum, _)) in joined.rungs.iter().enumerate() {
            for (rung, &(more, add)) in ladder.iter().enumerate() {
                if rung == 0 || moved + more + least_after[i + 1] <= limit {
                    let sum = (sum.0 + add.0, sum.1 + add.1, sum.2 + add.2);
                    all.push((moved + more, sum, before, rung));
                }
            }
        }
        all.sort_unstable();
        let mut step = Vec::new();
        joined = Front::new(usize::MAX);
        for (moved, sum, before, rung) in all {
            if joined.rungs.last().is_none_or(|last| (sum.0, sum.1) < (last.1.0, last.1.1)) {
                joined.rungs.push((moved, sum, 0));
                step.push((before, rung));
            }
        }
        if COMBINATIONS < step.len() {
            let last = step.len() - 1;
            let stays = |at: usize| at.is_multiple_of(2) || at == last;
            step = (0..=last).filter(|&at| stays(at)).map(|at| step[at]).collect();
            joined.rungs = (0..=last).filter(|&at| stays(at)).map(|at| joined.rungs[at]).collect();
        }
        steps.push(step);
    }
    let within = joined.rungs.partition_point(|rung| rung.0 <= limit);
    let mut at = within.saturating_sub(1);
    let mut chosen = vec![0; ladders.len()];
    for (i, step) in steps.iter().enumerate().rev() {
        let (before, rung) = step[at];
        chosen[i] = rung;
        at = before;
    }
    chosen
}

fn balance(parts: &[PartAnswer]) -> Balance {
    parts.iter().fold((0, 0, 0), |sum, part| {
        (sum.0 + part.score.n_out, sum.1 + part.score.excess + part.score.moved, sum.2 + part.score.cost)
    })
}

/// Households of a zone that are not in the grid that keeps their present one.
fn moved(problem: &PartitionProblem<'_>, zones: &Zones, zone: &Zone, grid: &[u32]) -> u64 {
    let atoms = zones.atoms[zone.atoms.clone()].iter().copied();
    present::moved(problem, atoms.zip(grid.iter().copied()))
}

/// Offers divisions of a zone that move less than `free` does.
fn climb(
    context: &Context<'_>,
    problem: &PartitionProblem<'_>,
    zones: &Zones,
    index: usize,
    zone: &Zone,
    free: &ZoneAnswer,
    front: &mut Front<ZoneAnswer>,
) {
    let Kind::Divide { size, k, other } = zone.kind else { return };
    let range = Range { low: size.low.into(), target: size.target.into(), high: size.high.into() };
    let (piece, unit_of) = zones.graph(problem, zone);
    let Some(current) = Present::of(problem, zones, zone, &unit_of) else { return };
    // The present number moves fewest, even where balance asks for another.
    let asked = problem.exact_k.iter().any(|&(community, _)| community == zone.community);
    let mut names: Vec<i32> = current.name.iter().copied().filter(|&name| 0 <= name).collect();
    names.sort_unstable();
    names.dedup();
    let mut numbers = if asked { vec![k] } else { vec![k, other, names.len()] };
    numbers.sort_unstable();
    numbers.dedup();
    for k in numbers {
        let parts = islands::parts(piece.clone(), k, range, 0);
        let fronts: Vec<Front<Vec<u32>>> = parts
            .iter()
            .enumerate()
            .map(|(i, part)| {
                let stream = (index as u64) << 20 | 1 << 19 | i as u64;
                let known = (free.wanted == k && parts.len() == 1).then_some(&free.grid[..]);
                part_front(context, part, range, &current, known.map(|grid| (grid, &unit_of[..])), stream)
            })
            .collect();
        let ladders = ladders_of(&fronts);
        // Every sum of moves that the parts can reach, each with its best balance.
        let mut sums: Vec<u64> = vec![0];
        for ladder in &ladders {
            sums = sums.iter().flat_map(|sum| ladder.iter().map(move |rung| sum + rung.0)).collect();
            sums.sort_unstable();
            sums.dedup();
            sums.truncate(RUNGS * 4);
        }
        for limit in sums {
            let rungs = choose_rungs(&ladders, limit);
            let divided = put_together(&piece, &parts, &fronts, &rungs, range);
            let answer = solve::numbered(zones, zone, &piece.load, &unit_of, divided, k);
            let moved = moved(problem, zones, zone, &answer.grid);
            front.offer(moved, balance(&answer.parts), || answer);
        }
    }
}

/// The division of a zone's graph with the chosen rung of every part.
fn put_together(
    piece: &Piece,
    parts: &[Part],
    fronts: &[Front<Vec<u32>>],
    rungs: &[usize],
    range: Range,
) -> Divided {
    let mut divided = Divided { grid: vec![0; piece.len()], parts: Vec::new() };
    let mut next = 0;
    for ((part, front), &rung) in parts.iter().zip(fronts).zip(rungs) {
        let k = part.k.max(1);
        let labels = &front.rungs[rung].2;
        for &(unit, local) in &part.units {
            divided.grid[unit as usize] = next + labels[local as usize];
        }
        next += part.k as u32;
        let score = Score { moved: front.rungs[rung].0, ..division::score(&part.piece, range, labels, k) };
        divided.parts.push(PartAnswer {
            score,
            least_out: part.fewest_out(k, range),
            least_cost: 0,
            least_moved: None,
        });
    }
    divided
}

/// Divisions of one part from its present one up: by ever cheaper moves, and down from the division that moves freely.
fn part_front(
    context: &Context<'_>,
    part: &Part,
    range: Range,
    present: &Present,
    free: Option<(&[u32], &[u32])>,
    stream: u64,
) -> Front<Vec<u32>> {
    let mut random = Random::new(context.seed, stream);
    let k = part.k.max(1);
    let Start { labels: start, home, .. } = redraw::start(part, range, present, &mut random);
    let mut starts = vec![start];
    if let Some((grid, unit_of)) = free {
        let mut of_unit = vec![0; present.name.len()];
        for (&unit, &g) in unit_of.iter().zip(grid) {
            of_unit[unit as usize] = g;
        }
        let mut labels = vec![0; part.piece.len()];
        for &(unit, local) in &part.units {
            labels[local as usize] = of_unit[unit as usize];
        }
        redraw::name_by_home(&part.piece, &home, &mut labels, k);
        starts.push(labels);
    }
    let mut afresh = seed::split(&part.piece, k, range, &mut random);
    redraw::name_by_home(&part.piece, &home, &mut afresh, k);
    starts.push(afresh);
    let mut front = Front::new(RUNGS);
    if part.piece.len() <= TINY {
        every_division(part, range, &home, &mut front);
        return front;
    }
    // Small parts wander over most of what there is.
    let full = if context.effort == Effort::Full { 10 } else { 1 };
    let sweeps = (4000 / part.piece.len() as u32).clamp(40, 400) * full;
    let heats: &[f64] = if part.piece.len() <= 100 { &[0.05, 0.3, 1.5] } else { &[0.05, 0.3] };
    for start in &starts {
        let mut score = division::score(&part.piece, range, start, k);
        score.moved = redraw::moved_from(&part.piece, &home, start);
        front.offer(score.moved, as_balance(score), || start.clone());
        for weight in WEIGHTS {
            for &heat in heats {
                let schedule = Schedule { sweeps, start: heat, end: 0.01, chain: 3, keep: Keep::Best };
                let mut division = Division::new(&part.piece, start.clone(), k);
                let annealer = Annealer::new(&mut division, range, &home, None);
                let annealer = annealer.along(&mut front, weight);
                annealer.run(schedule, &context.logarithms, &mut random, &|| context.stop());
            }
        }
    }
    front
}

/// The best balanced division of a part of few units that moves fewest, then costs least; `None` if it has more than
/// [`TINY`] or too few for its grids.
pub(super) fn best_of_all(part: &Part, range: Range, home: &[u32]) -> Option<Vec<u32>> {
    let mut front = Front::new(RUNGS);
    if part.piece.len() <= TINY {
        every_division(part, range, home, &mut front);
    }
    front.rungs.pop().map(|rung| rung.2)
}

/// Offers every division of a part of few units.
fn every_division(part: &Part, range: Range, home: &[u32], front: &mut Front<Vec<u32>>) {
    let (piece, k) = (&part.piece, part.k.max(1));
    // Labels in order of first use: 0, then at most one more than before, like the digits of an odometer.
    let mut labels = vec![0u32; piece.len()];
    loop {
        let used = labels.iter().max().map_or(0, |&most| most as usize + 1);
        if used == k && is_connected(piece, &labels, k) {
            let mut named = labels.clone();
            redraw::name_by_home(piece, home, &mut named, k);
            let moved = redraw::moved_from(piece, home, &named);
            let score = Score { moved, ..division::score(piece, range, &named, k) };
            front.offer(moved, as_balance(score), || named);
        }
        let first_of = |at: usize| labels[..at].iter().max().map_or(0, |&most| most + 1).min(k as u32 - 1);
        let Some(at) = (0..labels.len()).rev().find(|&at| labels[at] < first_of(at)) else { return };
        labels[at] += 1;
        labels[at + 1..].fill(0);
    }
}

/// Whether each of the `k` grids is in one piece.
fn is_connected(piece: &Piece, labels: &[u32], k: usize) -> bool {
    let mut sets = Sets::new(piece.len());
    let mut pieces = piece.len();
    for u in 0..piece.len() as u32 {
        for (v, _) in piece.edges_of(u).filter(|&(v, _)| labels[u as usize] == labels[v as usize]) {
            pieces -= usize::from(sets.join(u, v));
        }
    }
    pieces == k
}

/// What a rung of a ladder is judged by.
pub(super) fn as_balance(score: Score) -> Balance {
    (score.n_out, score.excess + score.moved, score.cost)
}
