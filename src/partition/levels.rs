//! Multilevel annealing: the same search on coarser and coarser graphs, where one move shifts a whole block.
//!
//! Units that hold tightly together are joined level by level; the coarsest graph is divided and annealed, and every
//! finer level starts from its coarser one at a lower temperature. From known labels only units of one grid are
//! joined, so that the cycle starts where it is (Walshaw 2004, iterated multilevel search).

use super::anneal::{Annealer, Keep, Schedule};
use super::coarse;
use super::division::{Ask, Division, Score};
use super::piece::Piece;
use super::random::Random;
use super::regions::Regions;
use super::seed;
use super::solve::Context;

/// How hot and how long each level is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cycle {
    /// Sweeps on the coarsest level and on each finer one.
    pub sweeps: (u32, u32),
    /// First temperature on the coarsest level and on each finer one, in mean edge costs.
    pub heat: (f64, f64),
    /// Last temperature.
    pub end: f64,
}

/// Divides a graph through its levels, from `known` labels where given; `pool` collects grids of the finest level.
pub(super) fn cycle(
    context: &Context<'_>,
    ask: Ask<'_>,
    cycle: Cycle,
    known: Option<&[u32]>,
    mut pool: Option<&mut Regions>,
    random: &mut Random,
) -> (Vec<u32>, Score) {
    let Ask { piece, k, range } = ask;
    let (levels, mut labels) = levels(ask, known, random);
    let mut depth = levels.len();
    loop {
        let level = if depth == 0 { piece } else { &levels[depth - 1].0 };
        let is_first = depth == levels.len();
        let start = labels.take().unwrap_or_else(|| seed::split(level, k, range, random));
        let (sweeps, heat) =
            if is_first { (cycle.sweeps.0, cycle.heat.0) } else { (cycle.sweeps.1, cycle.heat.1) };
        // What is still out of range on a coarse level is for the finer ones to mend.
        let keep = if depth == 0 { Keep::Best } else { Keep::Last };
        let schedule = Schedule { sweeps, start: heat, end: cycle.end, chain: 3, keep };
        let mut division = Division::new(level, start, k);
        let annealer = Annealer::new(&mut division, range, &[], pool.as_deref_mut().filter(|_| depth == 0));
        let (found, score) = annealer.run(schedule, &context.logarithms, random, &|| context.stop());
        if depth == 0 {
            return (found, score);
        }
        depth -= 1;
        labels = Some(levels[depth].1.iter().map(|&unit| found[unit as usize]).collect());
    }
}

/// Coarser and coarser graphs with the map from each to the one before, and the known labels on the coarsest.
type Levels = (Vec<(Piece, Vec<u32>)>, Option<Vec<u32>>);

fn levels(ask: Ask<'_>, known: Option<&[u32]>, random: &mut Random) -> Levels {
    let Ask { piece, k, range } = ask;
    let mut made: Levels = (Vec::new(), known.map(<[u32]>::to_vec));
    let mut blocks = coarse::blocks(piece, range.high);
    let push = |made: &mut Levels, coarse: Piece, map: Vec<u32>, blocks: &mut Vec<u32>| {
        let lift = |old: &[u32]| {
            let mut new = vec![0; coarse.len()];
            for (&unit, &name) in map.iter().zip(old.iter()) {
                new[unit as usize] = name;
            }
            new
        };
        made.1 = made.1.as_deref().map(lift);
        *blocks = lift(blocks);
        made.0.push((coarse, map));
    };
    for round in 0.. {
        let fine = made.0.last().map_or(piece, |level| &level.0);
        if fine.len() < 4 * k {
            break;
        }
        let one_grid = |u: u32, v: u32| made.1.as_ref().is_none_or(|g| g[u as usize] == g[v as usize]);
        let one_block = |u: u32, v: u32| blocks[u as usize] == blocks[v as usize] && one_grid(u, v);
        let next = match round {
            0 | 1 => coarse::one_level(fine, range.high, &one_block, random),
            2 => Some(coarse::join(fine, &one_block)).filter(|(coarse, _)| coarse.len() >= 2 * k),
            _ => coarse::one_level(fine, range.target / 3, &one_grid, random),
        };
        match next {
            Some((coarse, map)) => push(&mut made, coarse, map, &mut blocks),
            None if round > 2 => break,
            None => {}
        }
    }
    made
}
