//! Re-division from the present grids: start where they are, move as little load as balance allows.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use super::anneal::{Annealer, Keep, Schedule};
use super::division::{self, Ask, Division, Range, Score};
#[cfg(feature = "highs")]
use super::fewest;
use super::islands::{self, Part};
use super::piece::Piece;
#[cfg(feature = "highs")]
use super::present::Placed;
use super::present::Present;
use super::random::Random;
use super::regions::Regions;
#[cfg(feature = "highs")]
use super::regions::Rule;
use super::solve::{self, Context, PartAnswer};
use super::{Effort, budget, exact, seed, windows};

/// No present grid.
const NOWHERE: u32 = u32::MAX;

/// The present grid is given up: whoever lives there moves.
const GIVEN_UP: u32 = u32::MAX - 1;

/// Where a redraw begins.
pub(super) struct Start {
    /// A connected division.
    pub labels: Vec<u32>,
    /// The grid each unit should stay in.
    pub home: Vec<u32>,
    /// The present grids that are kept, ascending: grid `i` takes the place of number `i`.
    pub kept: Vec<i32>,
}

/// Divides one connected part anew with as little change from its present grids as balance allows.
pub(super) fn part(
    context: &Context<'_>,
    part: &Part,
    range: Range,
    present: &Present,
    stream: u64,
) -> (Vec<u32>, PartAnswer) {
    let mut random = Random::new(context.seed, stream);
    let k = part.k.max(1);
    let ask = Ask { piece: &part.piece, k, range };
    let least_out = part.fewest_out(k, range);
    let Start { labels, home, kept } = start(part, range, present, &mut random);
    let score = score_of(ask, &home, &labels);
    let mut answer = PartAnswer { score, least_out, least_cost: 0, least_moved: None };
    if score.excess == 0 && score.moved == 0 || k == 1 {
        let moved = if k == 1 { present.shares_in(part).0.outside_the_largest() } else { 0 };
        answer.least_moved = Some(moved).filter(|_| part.sound);
        return (labels, answer);
    }
    let is_full = context.effort == Effort::Full;
    let mut pool = is_selected(context, part).then(Regions::default);
    let mut best = Best { context, ask, home: &home, labels, score };
    if let Some(labels) = budget::best_of_all(part, range, &home) {
        best.score = score_of(ask, &home, &labels);
        best.labels = labels;
        answer.least_out = if part.sound { best.score.n_out } else { least_out };
        pool = Some(Regions::default());
    } else {
        best.anneal(pool.as_mut(), &mut random);
        if pool.is_some() {
            let least_out = exact::fewest_out(context, ask, least_out..best.score.n_out);
            if part.sound && part.choices == 1 {
                answer.least_out = least_out;
            }
            near_home(&mut best, part, present, pool.as_mut(), (least_out, &[90]), &mut random);
        }
        if is_full && least_out < best.score.n_out {
            let mut mended = best.labels.clone();
            windows::mend(context, ask, &mut mended, stream);
            best.consider(mended, pool.as_mut(), &mut random);
        }
    }
    let mut labels = best.labels;
    answer.score = best.score;
    if let Some(mut pool) = pool.filter(|_| !context.stop()) {
        pool.add_division(&Division::new(&part.piece, labels.clone(), k), 0..=u64::MAX);
        move_fewest(context, (part, range, present), kept, &pool, (&mut labels, &mut answer), &mut random);
    }
    (labels, answer)
}

/// Whether grids of a part are chosen by selection.
fn is_selected(context: &Context<'_>, part: &Part) -> bool {
    let (n, k) = (part.piece.len(), part.k.max(1));
    context.effort == Effort::Full && n <= exact::MAX_UNITS && k <= exact::MAX_GRIDS && n < 16 * k
}

/// Where what the present grids led to leaves grids out of range that need not be: balance counts first, so that the part
/// is divided from nothing too, and if that is better balanced, again from the present grids, but further from home.
pub(super) fn afresh(
    context: &Context<'_>,
    part: &Part,
    range: Range,
    present: &Present,
    (labels, mut answer): (Vec<u32>, PartAnswer),
    stream: u64,
) -> (Vec<u32>, PartAnswer) {
    if answer.score.n_out <= answer.least_out || !is_selected(context, part) {
        return (labels, answer);
    }
    let (other, known) = solve::divide_part(context, part, range, stream, (None, true));
    answer.least_out = known.least_out;
    if answer.score.n_out <= known.score.n_out {
        return (labels, answer);
    }
    let mut random = Random::new(context.seed, stream ^ 1 << 50);
    let ask = Ask { piece: &part.piece, k: part.k.max(1), range };
    let Start { home, kept, .. } = start(part, range, present, &mut random);
    let score = score_of(ask, &home, &labels);
    let mut best = Best { context, ask, home: &home, labels, score };
    let mut pool = Regions::default();
    if known.score.n_out < answer.score.n_out {
        near_home(&mut best, part, present, Some(&mut pool), (known.score.n_out, &[180, 360]), &mut random);
    }
    best.consider(other, Some(&mut pool), &mut random);
    let mut labels = best.labels;
    answer.score = best.score;
    pool.add_division(&Division::new(&part.piece, labels.clone(), ask.k), 0..=u64::MAX);
    move_fewest(context, (part, range, present), kept, &pool, (&mut labels, &mut answer), &mut random);
    (labels, answer)
}

/// The best division of a part so far.
struct Best<'a> {
    context: &'a Context<'a>,
    ask: Ask<'a>,
    home: &'a [u32],
    labels: Vec<u32>,
    score: Score,
}

impl Best<'_> {
    /// Anneals from the present grids at rising temperatures.
    fn anneal(&mut self, mut pool: Option<&mut Regions>, random: &mut Random) {
        let begin = self.labels.clone();
        let sweeps = if self.context.effort == Effort::Full { 1000 } else { 60 };
        for (i, heat) in HEATS.into_iter().enumerate() {
            let schedule = Schedule { sweeps, start: heat, end: 0.01, chain: 3, keep: Keep::Best };
            let mut division = Division::new(self.ask.piece, begin.clone(), self.ask.k);
            let annealer = Annealer::new(&mut division, self.ask.range, self.home, pool.as_deref_mut());
            let stop = || self.context.stop();
            let found = annealer.run(schedule, &self.context.logarithms, random, &stop);
            if i == 0 || found.1 < self.score {
                (self.labels, self.score) = found;
            }
        }
    }

    /// Names another division after the present grids, lets it come as near to these as it can, and keeps it if it is better.
    fn consider(&mut self, mut other: Vec<u32>, pool: Option<&mut Regions>, random: &mut Random) {
        name_by_home(self.ask.piece, self.home, &mut other, self.ask.k);
        let settled = settle(self.context, self.ask, self.home, other, pool, random);
        if settled.1 < self.score {
            (self.labels, self.score) = settled;
        }
    }
}

/// Looks for a division with fewer grids out of range, but at least `least_out`, that brings few households far: within
/// each of `reaches` in turn.
#[cfg(feature = "highs")]
fn near_home(
    best: &mut Best<'_>,
    part: &Part,
    present: &Present,
    pool: Option<&mut Regions>,
    (least_out, reaches): (usize, &[u64]),
    random: &mut Random,
) {
    let Some(pool) = pool else { return };
    let (shares, _) = present.shares_in(part);
    for out in least_out..best.score.n_out {
        let worst = if out == 0 { 0 } else { best.score.excess };
        let Some(rule) = Rule::with_out(best.ask, out, worst) else { continue };
        if let Some(found) = fewest::reach_balance(best.context, best.ask.piece, &shares, pool, rule, reaches)
        {
            best.consider(found.labels, Some(pool), random);
            return;
        }
    }
}

/// Without HiGHS there is no selection.
#[cfg(not(feature = "highs"))]
fn near_home(
    _best: &mut Best<'_>,
    _part: &Part,
    _present: &Present,
    _pool: Option<&mut Regions>,
    _how: (usize, &[u64]),
    _random: &mut Random,
) {
}

/// Ties islands as the present grids do: of all ways, the one in which these are balanced best.
pub(super) fn tie_as_present(whole: &Piece, k: usize, range: Range, present: &Present, parts: &mut [Part]) {
    for (at, part) in parts.iter_mut().enumerate() {
        let balance = |part: &Part| {
            let begin = start(part, range, present, &mut Random::new(0, 0));
            let ask = Ask { piece: &part.piece, k: part.k.max(1), range };
            let score = score_of(ask, &begin.home, &begin.labels);
            (score.n_out, score.excess, score.moved)
        };
        let mut best = balance(part);
        for choice in 1..part.choices {
            let other = islands::parts(whole.clone(), k, range, choice).swap_remove(at);
            let found = balance(&other);
            if found < best {
                (*part, best) = (other, found);
            }
        }
    }
}

/// First temperatures of the runs from the present grids.
const HEATS: [f64; 5] = [0.02, 0.05, 0.1, 0.2, 0.4];

/// Looks for the division as well balanced that moves fewest, and for the fewest that any moves.
#[cfg(feature = "highs")]
fn move_fewest(
    context: &Context<'_>,
    (part, range, present): (&Part, Range, &Present),
    kept: Vec<i32>,
    pool: &Regions,
    (labels, answer): (&mut Vec<u32>, &mut PartAnswer),
    random: &mut Random,
) {
    let ask = Ask { piece: &part.piece, k: part.k.max(1), range };
    let (shares, names) = present.shares_in(part);
    let place_of = |name: &i32| names.binary_search(name).ok().map(|place| place as u32);
    let place = (0..ask.k).map(|g| kept.get(g).and_then(place_of)).collect();
    let mut placed = Placed { labels: std::mem::take(labels), place };
    let least = fewest::improve(context, ask, &shares, pool, &mut placed);
    let is_least = least == Some(placed.moved(&shares));
    // Grids in order of the places that they take.
    let mut order: Vec<usize> = (0..ask.k).collect();
    order.sort_by_key(|&g| (placed.place[g].is_none(), placed.place[g], g));
    let kept: Vec<i32> = order.iter().filter_map(|&g| Some(names[placed.place[g]? as usize])).collect();
    let mut rank = vec![0; ask.k];
    order.iter().enumerate().for_each(|(at, &g)| rank[g] = at as u32);
    *labels = placed.labels.iter().map(|&g| rank[g as usize]).collect();
    let home = homes(&present.names_in(part), &kept);
    answer.score = score_of(ask, &home, labels);
    let worst = furthest_out(ask, labels);
    if !is_least {
        // What the selection brought into range may have moved more than needed.
        let settled = settle(context, ask, &home, labels.clone(), None, random);
        if furthest_out(ask, &settled.0) <= worst {
            (*labels, answer.score) = settled;
        }
    }
    answer.least_moved = least.filter(|_| part.sound && part.choices == 1);
}

/// Without HiGHS there is no selection.
#[cfg(not(feature = "highs"))]
fn move_fewest(
    _context: &Context<'_>,
    _part: (&Part, Range, &Present),
    _kept: Vec<i32>,
    _pool: &Regions,
    _known: (&mut Vec<u32>, &mut PartAnswer),
    _random: &mut Random,
) {
}

/// Households by which the worst grid is out of range.
#[cfg(feature = "highs")]
fn furthest_out(ask: Ask<'_>, labels: &[u32]) -> u64 {
    let mut load = vec![0; ask.k];
    for (unit, &g) in labels.iter().enumerate() {
        load[g as usize] += ask.piece.load[unit];
    }
    load.into_iter().map(|load| ask.range.excess(load)).max().unwrap_or(0)
}

fn score_of(ask: Ask<'_>, home: &[u32], labels: &[u32]) -> Score {
    let moved = moved_from(ask.piece, home, labels);
    Score { moved, ..division::score(ask.piece, ask.range, labels, ask.k) }
}

/// Moves what need not have moved back home.
fn settle(
    context: &Context<'_>,
    ask: Ask<'_>,
    home: &[u32],
    labels: Vec<u32>,
    pool: Option<&mut Regions>,
    random: &mut Random,
) -> (Vec<u32>, Score) {
    let schedule = Schedule { sweeps: 1000, start: 0.1, end: 0.01, chain: 3, keep: Keep::Best };
    let mut division = Division::new(ask.piece, labels, ask.k);
    let annealer = Annealer::new(&mut division, ask.range, home, pool);
    annealer.run(schedule, &context.logarithms, random, &|| context.stop())
}

/// A connected division of a part that follows the present one as far as that goes.
pub(super) fn start(part: &Part, range: Range, present: &Present, random: &mut Random) -> Start {
    let (piece, k) = (&part.piece, part.k.max(1));
    let names = present.names_in(part);
    let kept = largest(piece, &names, k);
    let home = homes(&names, &kept);
    let mut labels = main_pieces(piece, &home);
    let mut k_now = kept.len() as u32;
    if k_now == 0 {
        return Start { labels: seed::split(piece, k, range, random), home, kept };
    }
    spread(piece, &mut labels, k_now);
    while (k_now as usize) < k {
        divide_heaviest(piece, &mut labels, k_now, range, random);
        k_now += 1;
    }
    Start { labels, home, kept }
}

/// The grid each unit should stay in, by its present grid and those that are kept.
fn homes(names: &[i32], kept: &[i32]) -> Vec<u32> {
    let home = |name: &i32| match kept.binary_search(name) {
        Ok(at) => at as u32,
        Err(_) if 0 <= *name => GIVEN_UP,
        Err(_) => NOWHERE,
    };
    names.iter().map(home).collect()
}

/// Load of the units that are not in their present grid; 0 without one.
pub(super) fn moved_from(piece: &Piece, home: &[u32], labels: &[u32]) -> u64 {
    let away = home.iter().zip(labels).enumerate().filter(|(_, (home, g))| **home != NOWHERE && home != g);
    away.map(|(unit, _)| piece.load[unit]).sum()
}

/// Renames the grids of a division after the present grids they overlap most, largest overlap first.
pub(super) fn name_by_home(piece: &Piece, home: &[u32], labels: &mut [u32], k: usize) {
    let mut overlap: FxHashMap<(u32, u32), u64> = FxHashMap::default();
    for (unit, &g) in labels.iter().enumerate().filter(|&(unit, _)| home[unit] < GIVEN_UP) {
        // As the answer numbers its grids: by load, then by number of units, then by name.
        *overlap.entry((home[unit], g)).or_default() += piece.load[unit] << 24 | 1;
    }
    let mut pairs: Vec<((u32, u32), u64)> = overlap.into_iter().collect();
    pairs.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut name = vec![NOWHERE; k];
    let mut taken = vec![false; k];
    for ((old, g), _) in pairs {
        if name[g as usize] == NOWHERE && !taken[old as usize] {
            name[g as usize] = old;
            taken[old as usize] = true;
        }
    }
    let mut free = (0..k as u32).filter(|&old| !taken[old as usize]);
    for slot in name.iter_mut().filter(|slot| **slot == NOWHERE) {
        *slot = free.next().unwrap_or(0);
    }
    for g in labels {
        *g = name[*g as usize];
    }
}

/// The `k` present grids of the largest load, in order of name.
fn largest(piece: &Piece, current: &[i32], k: usize) -> Vec<i32> {
    let mut load: FxHashMap<i32, u64> = FxHashMap::default();
    for (unit, &name) in current.iter().enumerate().filter(|(_, name)| **name >= 0) {
        *load.entry(name).or_default() += piece.load[unit];
    }
    let mut names: Vec<(u64, i32)> = load.into_iter().map(|(name, load)| (load, name)).collect();
    names.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    names.truncate(k);
    let mut kept: Vec<i32> = names.into_iter().map(|(_, name)| name).collect();
    kept.sort_unstable();
    kept
}

/// Keeps of every grid its heaviest connected piece; the other units become nobody's.
fn main_pieces(piece: &Piece, home: &[u32]) -> Vec<u32> {
    let mut seen = vec![false; piece.len()];
    let mut best: FxHashMap<u32, (u64, Vec<u32>)> = FxHashMap::default();
    for first in 0..piece.len() as u32 {
        let g = home[first as usize];
        if GIVEN_UP <= g || seen[first as usize] {
            continue;
        }
        seen[first as usize] = true;
        let mut units = vec![first];
        let mut head = 0;
        while head < units.len() {
            for &v in &piece.neighbor[piece.row(units[head])] {
                if home[v as usize] == g && !seen[v as usize] {
                    seen[v as usize] = true;
                    units.push(v);
                }
            }
            head += 1;
        }
        let load = units.iter().map(|&u| piece.load[u as usize]).sum();
        let slot = best.entry(g).or_insert((0, Vec::new()));
        if slot.1.is_empty() || slot.0 < load {
            *slot = (load, units);
        }
    }
    let mut labels = vec![NOWHERE; piece.len()];
    for (g, (_, units)) in best {
        for unit in units {
            labels[unit as usize] = g;
        }
    }
    labels
}

/// Gives every unit without a grid to a neighbouring one, the lightest first. The piece is connected.
fn spread(piece: &Piece, labels: &mut [u32], k: u32) {
    let mut load = vec![0u64; k as usize];
    for (unit, &g) in labels.iter().enumerate().filter(|(_, g)| **g != NOWHERE) {
        load[g as usize] += piece.load[unit];
    }
    let mut open = BTreeSet::new();
    for u in 0..piece.len() as u32 {
        if labels[u as usize] != NOWHERE {
            offer(piece, labels, &load, u, &mut open);
        }
    }
    while let Some((_, unit, g)) = open.pop_first() {
        if labels[unit as usize] == NOWHERE {
            labels[unit as usize] = g;
            load[g as usize] += piece.load[unit as usize];
            offer(piece, labels, &load, unit, &mut open);
        }
    }
}

/// Offers the neighbours of `unit` that have no grid to its grid.
fn offer(piece: &Piece, labels: &[u32], load: &[u64], unit: u32, open: &mut BTreeSet<(u64, u32, u32)>) {
    let g = labels[unit as usize];
    for &v in &piece.neighbor[piece.row(unit)] {
        if labels[v as usize] == NOWHERE {
            open.insert((load[g as usize], v, g));
        }
    }
}

/// Splits the heaviest grid that has two units; its second part becomes grid `new`.
fn divide_heaviest(piece: &Piece, labels: &mut [u32], new: u32, range: Range, random: &mut Random) {
    let mut load = vec![(0u64, 0usize); new as usize];
    for (unit, &g) in labels.iter().enumerate() {
        load[g as usize].0 += piece.load[unit];
        load[g as usize].1 += 1;
    }
    let divisible = (0..new).filter(|&g| load[g as usize].1 > 1);
    let Some(heaviest) = divisible.max_by_key(|&g| (load[g as usize].0, std::cmp::Reverse(g))) else {
        return;
    };
    let units: Vec<u32> = (0..piece.len() as u32).filter(|&u| labels[u as usize] == heaviest).collect();
    let halves = seed::split(&piece.induced(&units), 2, range, random);
    for (&unit, half) in units.iter().zip(halves) {
        if half == 1 {
            labels[unit as usize] = new;
        }
    }
}
