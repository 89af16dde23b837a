//! Communities that are not in one piece: which islands are divided alone and which share a grid.
//!
//! An island whose load divides into grids in range is divided by itself. The others are tied to the largest
//! island by edges that cost nothing; all ties of a hub end at one contracted unit, so that only the grid which
//! holds that unit can lie in several pieces.

use super::division::Range;
use super::piece::Piece;

/// Ends of ties per hub: all units of any part that is searched completely.
const TIES: usize = 256;

/// A connected graph with its number of grids.
pub(super) struct Part {
    /// The graph. A unit above the upper size counts as one household more than fits: its grid is out of range by a fixed
    /// number of households in every division, and leaving these out keeps all others within narrow limits.
    pub piece: Piece,
    pub k: usize,
    /// Unit of the zone's graph → unit of this piece, as pairs.
    pub units: Vec<(u32, u32)>,
    /// Whether bounds on this graph are bounds on the zone, given the choice below: nothing is tied, or whole islands
    /// too small for a grid of their own and at most one larger one, to every unit of the largest island.
    pub sound: bool,
    /// Units by which the larger tied island can hang; the grid that spans both holds one of them.
    pub choices: usize,
}

impl Part {
    /// Fewest grids out of range in any division into `k`: what the total says and, where units are real ones, that
    /// a unit above the upper size lies in a grid out of range while the others share what is left.
    pub(super) fn fewest_out(&self, k: usize, range: Range) -> usize {
        let total = self.piece.total();
        let by_total = fewest_out(total, k, range);
        let above: u64 = self.piece.load.iter().filter(|&&load| range.high < load).sum();
        if above == 0 || !self.sound {
            return by_total;
        }
        let in_range = (total - above).checked_div(range.low).map_or(k, |fit| fit as usize);
        by_total.max(k - in_range.min(k.saturating_sub(1)))
    }
}

/// Divides a graph into connected parts with numbers of grids that add up to `k`, or as near as units allow. A larger
/// tied island hangs by its unit number `choice`, lightest first.
pub(super) fn parts(piece: Piece, k: usize, range: Range, choice: usize) -> Vec<Part> {
    let mut parts = connected_parts(piece, k, range, choice);
    for load in parts.iter_mut().flat_map(|part| &mut part.piece.load) {
        *load = (*load).min(range.high + 1);
    }
    parts
}

fn connected_parts(piece: Piece, k: usize, range: Range, choice: usize) -> Vec<Part> {
    let islands = components(&piece);
    if islands.len() == 1 {
        let units = (0..piece.len() as u32).map(|u| (u, u)).collect();
        let k = k.min(piece.len());
        return vec![Part { piece, k, units, sound: true, choices: 1 }];
    }
    let loads: Vec<u64> = islands.iter().map(|i| i.iter().map(|&u| piece.load[u as usize]).sum()).collect();
    let main =
        (0..islands.len()).max_by_key(|&i| (loads[i], islands[i].len(), std::cmp::Reverse(i))).unwrap_or(0);
    let alone = |i: usize| divides(loads[i], range);
    let mut apart: Vec<usize> = (0..islands.len()).filter(|&i| i != main && alone(i)).collect();
    // Fewer grids than islands: the smallest ones have to share.
    apart.sort_by_key(|&i| (std::cmp::Reverse(loads[i]), i));
    let surplus = apart.split_off(apart.len().min(k.saturating_sub(1)));
    // With nothing to tie, the largest island is a part like any other.
    let mut tied = vec![main];
    tied.extend((0..islands.len()).filter(|&i| i != main && !alone(i)));
    tied.extend(surplus);
    let mut groups = vec![tied];
    groups.extend(apart.into_iter().map(|i| vec![i]));
    let group_loads: Vec<u64> = groups.iter().map(|g| g.iter().map(|&i| loads[i]).sum()).collect();
    let mut made: Vec<Part> =
        groups.iter().map(|g| tie(&piece, &islands, &loads, g, range, Hubs::Contracted, choice)).collect();
    if made.iter().map(|p| p.piece.len()).sum::<usize>() < k {
        // Contracted hubs leave fewer units than grids: more grids in several pieces are the price of the number.
        made[0] = tie(&piece, &islands, &loads, &groups[0], range, Hubs::Loose, 0);
    }
    let capacity: Vec<usize> = made.iter().map(|p| p.piece.len()).collect();
    for (part, k) in made.iter_mut().zip(share(&group_loads, &capacity, k, range)) {
        part.k = k;
    }
    made
}

/// Whether some number of grids in range adds up to `load`.
pub(super) fn divides(load: u64, range: Range) -> bool {
    let fewest = load.div_ceil(range.high.max(1));
    fewest >= 1 && fewest * range.low <= load
}

/// Fewest grids out of range when `k` connected grids share `load`; 0 if none has to be.
pub(super) fn fewest_out(load: u64, k: usize, range: Range) -> usize {
    if load > range.high * k as u64 {
        return 1;
    }
    let fit = load.checked_div(range.low).map_or(k, |fit| (fit as usize).min(k));
    k - fit
}

/// Numbers of grids per part that add up to `k`: fewest forced out of range, then closest to the target.
fn share(loads: &[u64], capacity: &[usize], k: usize, range: Range) -> Vec<usize> {
    let mut count: Vec<usize> = loads
        .iter()
        .zip(capacity)
        .map(|(&load, &most)| super::zones::number_of_grids(load, range.target as u32).min(most))
        .collect();
    let price = |i: usize, k: usize| {
        let off = (loads[i] as f64 - (k as u64 * range.target) as f64).abs() / k as f64;
        (fewest_out(loads[i], k, range), off)
    };
    loop {
        let sum: usize = count.iter().sum();
        let up = sum < k;
        let next = |count: usize| if up { count + 1 } else { count - 1 };
        let mut steps: Vec<(i64, f64, usize)> = Vec::new();
        for i in 0..count.len() {
            if (up && count[i] < capacity[i]) || (!up && count[i] > 1) {
                let (old, new) = (price(i, count[i]), price(i, next(count[i])));
                steps.push((new.0 as i64 - old.0 as i64, new.1 - old.1, i));
            }
        }
        if sum == k || steps.is_empty() {
            return count;
        }
        // The steps whose price rises least; ties go to the first part. At most one per part and round.
        steps.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
        for &(_, _, i) in steps.iter().take(sum.abs_diff(k)) {
            count[i] = next(count[i]);
        }
    }
}

/// Units per connected component, in order of the first unit.
pub(super) fn components(piece: &Piece) -> Vec<Vec<u32>> {
    let mut seen = vec![false; piece.len()];
    let mut islands = Vec::new();
    for first in 0..piece.len() as u32 {
        if seen[first as usize] {
            continue;
        }
        seen[first as usize] = true;
        let mut island = vec![first];
        let mut head = 0;
        while head < island.len() {
            for &v in &piece.neighbor[piece.row(island[head])] {
                if !seen[v as usize] {
                    seen[v as usize] = true;
                    island.push(v);
                }
            }
            head += 1;
        }
        island.sort_unstable();
        islands.push(island);
    }
    islands
}

/// What happens to the units that tie islands together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hubs {
    /// They become one unit, so that only one grid is in several pieces.
    Contracted,
    /// They stay units of their own.
    Loose,
}

/// Ties the islands of a group to its first one. Their hubs hold as much as one grid can.
fn tie(
    piece: &Piece,
    islands: &[Vec<u32>],
    loads: &[u64],
    group: &[usize],
    range: Range,
    how: Hubs,
    choice: usize,
) -> Part {
    let mut members: Vec<u32> = group.iter().flat_map(|&i| islands[i].iter().copied()).collect();
    members.sort_unstable();
    let mut place = rustc_hash::FxHashMap::default();
    let mut hubs: Vec<(u64, Option<u32>)> = Vec::new(); // load, unit of the part
    let mut hub_of = rustc_hash::FxHashMap::default();
    let mut loose: Vec<u32> = Vec::new();
    for &i in &group[1..] {
        // A small island goes whole, a larger one by its lightest unit.
        let whole = loads[i] <= range.high;
        let share = if whole { islands[i].clone() } else { vec![lightest(piece, &islands[i], choice)] };
        let load: u64 = share.iter().map(|&u| piece.load[u as usize]).sum();
        // Only the latest hubs are tried: a long list of full ones would take quadratic time.
        let latest = hubs.len().saturating_sub(16);
        let fits = hubs[latest..].iter().position(|h| h.0 + load <= range.high);
        let hub = fits.map(|at| latest + at).unwrap_or_else(|| {
            hubs.push((0, None));
            hubs.len() - 1
        });
        hubs[hub].0 += load;
        if how == Hubs::Contracted {
            hub_of.extend(share.into_iter().map(|unit| (unit, hub)));
        } else {
            loose.extend(share.first());
        }
    }
    let mut load = Vec::new();
    let mut units = Vec::with_capacity(members.len());
    for &unit in &members {
        let local = match hub_of.get(&unit) {
            Some(&hub) => *hubs[hub].1.get_or_insert_with(|| {
                load.push(0);
                load.len() as u32 - 1
            }),
            None => {
                load.push(0);
                load.len() as u32 - 1
            }
        };
        load[local as usize] += piece.load[unit as usize];
        place.insert(unit, local);
        units.push((unit, local));
    }
    let mut edges = Vec::new();
    for &unit in &members {
        for e in piece.row(unit).filter(|&e| unit < piece.neighbor[e]) {
            edges.push((place[&unit], place[&piece.neighbor[e]], piece.cost[e], piece.length[e]));
        }
    }
    let main = &islands[group[0]];
    let step = main.len().div_ceil(TIES);
    let ends = hubs.iter().filter_map(|h| h.1).chain(loose.iter().map(|u| place[u]));
    for hub in ends {
        edges.extend(main.iter().step_by(step).map(|u| (hub, place[u], 0, 0)));
    }
    let mut large = group[1..].iter().filter(|&&i| range.low <= loads[i]);
    // An island of several grids shares one of them; which of its units that grid holds is open.
    let choices = large.next().map_or(1, |&i| if range.high < loads[i] { islands[i].len() } else { 0 });
    let sound =
        0 < choices && large.next().is_none() && hubs.len() <= 1 && step == 1 && how == Hubs::Contracted;
    Part { piece: Piece::new(load, &edges), k: 0, units, sound, choices: choices.max(1) }
}

/// Unit number `choice` of an island, lightest first.
fn lightest(piece: &Piece, island: &[u32], choice: usize) -> u32 {
    let mut units = island.to_vec();
    units.sort_by_key(|&u| (piece.load[u as usize], u));
    units[choice.min(units.len() - 1)]
}
