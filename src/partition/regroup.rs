//! Groups of a few neighbouring grids, each divided in the best way there is.
//!
//! Where the selection over a whole part ends with a gap, its smaller problems can still be solved to the end: some
//! neighbouring grids are taken out and divided by the same selection, until no group gets any better (very large
//! neighbourhood search, Shaw 1998).

use rustc_hash::FxHashSet;

use super::division::{self, Ask, Division};
use super::exact;
use super::islands;
use super::piece::Piece;
use super::regions::Regions;
use super::solve::{Context, PartAnswer};

/// Grids per group, smallest first.
const SIZES: [usize; 3] = [3, 4, 5];
/// Units of the largest group.
const MOST_UNITS: usize = 70;
/// Groups that may be tried, times the number of grids.
const TRIES: usize = 12;

/// Which grids groups begin with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Around {
    All,
    OutOfRange,
}

/// Improves `labels` group by group; true if they got better.
pub(super) fn improve(context: &Context<'_>, ask: Ask<'_>, labels: &mut [u32], around: Around) -> bool {
    let mut tried: FxHashSet<Vec<u32>> = FxHashSet::default();
    let mut left = TRIES * ask.k;
    let mut is_better = false;
    let mut size = 0;
    while size < SIZES.len() {
        let mut found = false;
        for first in 0..ask.k as u32 {
            if around == Around::OutOfRange && ask.range.excess(load_of(ask.piece, labels, first)) == 0 {
                continue;
            }
            let units = group(ask.piece, (labels, ask.k), first, SIZES[size]);
            if left == 0 || context.stop() {
                return is_better;
            }
            if (2..=MOST_UNITS).contains(&units.len()) && !tried.contains(&units) {
                left -= 1;
                found |= redivide(context, ask, labels, &units);
                tried.insert(units);
            }
        }
        is_better |= found;
        // Small groups first again: they are quick.
        size = if found { 0 } else { size + 1 };
    }
    is_better
}

fn load_of(piece: &Piece, labels: &[u32], grid: u32) -> u64 {
    piece.load.iter().zip(labels).filter(|(_, g)| **g == grid).map(|(load, _)| load).sum()
}

/// Units of a grid and of those beside it that share most boundary with the group so far, ascending.
fn group(piece: &Piece, (labels, k): (&[u32], usize), first: u32, size: usize) -> Vec<u32> {
    let mut grids = vec![first];
    let mut shared: Vec<i64> = vec![0; k];
    while grids.len() < size {
        let last = grids[grids.len() - 1];
        for unit in (0..labels.len() as u32).filter(|&u| labels[u as usize] == last) {
            for edge in piece.row(unit) {
                shared[labels[piece.neighbor[edge] as usize] as usize] += piece.length[edge] + 1;
            }
        }
        grids.iter().for_each(|&g| shared[g as usize] = 0);
        let next = (0..k).max_by_key(|&g| (shared[g], std::cmp::Reverse(g)));
        match next.filter(|&g| 0 < shared[g]) {
            Some(next) => grids.push(next as u32),
            None => break,
        }
    }
    (0..labels.len() as u32).filter(|&u| grids.contains(&labels[u as usize])).collect()
}

/// Divides the units of some grids in the best way there is; true if that is better.
fn redivide(
    context: &Context<'_>,
    Ask { piece, range, .. }: Ask<'_>,
    labels: &mut [u32],
    units: &[u32],
) -> bool {
    let part = piece.induced(units);
    let mut grids: Vec<u32> = units.iter().map(|&u| labels[u as usize]).collect();
    grids.sort_unstable();
    grids.dedup();
    let k = grids.len();
    let place = |g: u32| grids.partition_point(|&own| own < g) as u32;
    let mut new: Vec<u32> = units.iter().map(|&u| place(labels[u as usize])).collect();
    let before = division::score(&part, range, &new, k);
    let least_out = islands::fewest_out(part.total(), k, range);
    let mut answer = PartAnswer { score: before, least_out, least_cost: 0, least_moved: None };
    let mut pool = Regions::default();
    pool.add_division(&Division::new(&part, new.clone(), k), 0..=u64::MAX);
    let small = Ask { piece: &part, k, range };
    let spend = context.budget.of_group();
    exact::improve((context, spend), small, &pool, None, &mut new, &mut answer);
    let is_better = answer.score < before;
    if is_better {
        for (&unit, &g) in units.iter().zip(&new) {
            labels[unit as usize] = grids[g as usize];
        }
    }
    is_better
}
