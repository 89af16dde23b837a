//! Fewest moves: the division that follows a rule and moves fewest households, by the selection of `master.rs`.

use super::cover;
use super::division::Ask;
use super::exact::{MOST_NODES, NODES, ROUNDS};
use super::master::{self, Outcome, Source, Task};
use super::piece::Piece;
use super::present::{Placed, Shares};
use super::regions::{Regions, Rule};
use super::solve::Context;
use super::stay::{EDGES_MM, HOUSEHOLD_MM, Stay, heir_of, place_of};

/// How far units are brought at first, in households: near searches are short, and what they find says how far others
/// have to reach.
const NEAR: u64 = 45;
/// Share of the budget of a selection that each reach gets, as a shift.
const SHARE: u32 = 2;

/// Replaces a division by one with as many grids out of range, none further out, that moves fewer, if there is one; `pool`
/// holds grids to begin with. Returns the fewest households that any such division moves, as far as is known.
pub(super) fn improve(
    context: &Context<'_>,
    ask: Ask<'_>,
    shares: &Shares,
    pool: &Regions,
    known: &mut Placed,
) -> Option<u64> {
    let Ask { piece, range, k } = ask;
    if cover::MAX_UNITS < piece.len() + shares.n_places {
        return None;
    }
    let mut load = vec![0; k];
    for (unit, &g) in known.labels.iter().enumerate() {
        load[g as usize] += piece.load[unit];
    }
    let excess = load.iter().map(|&load| range.excess(load)).filter(|&excess| 0 < excess);
    let rule = Rule::with_out(ask, excess.clone().count(), excess.clone().max().unwrap_or(0))?;
    let mut search = Search {
        context,
        piece: with_cheap_edges(piece),
        shares,
        rule,
        excess: excess.sum(),
        regions: Regions::default(),
    };
    let mut least = None;
    let mut reach = NEAR;
    while !context.stop() {
        let moved = known.moved(shares);
        // A reach that is nearly enough is worth no search of its own.
        reach = if moved <= reach + reach / 2 { moved } else { reach };
        search.begin(pool, known);
        let Some(found) = search.within(reach, known) else { break };
        // What reaches further moves more.
        let here = found.min(if reach < moved { reach + 1 } else { moved });
        least = least.max(Some(here.min(known.moved(shares))));
        if least == Some(known.moved(shares)) || moved <= reach {
            break;
        }
        reach *= 2;
    }
    least
}

/// Looks for a division that follows a rule and moves few: within each of `reaches` in turn.
pub(super) fn reach_balance(
    context: &Context<'_>,
    piece: &Piece,
    shares: &Shares,
    pool: &Regions,
    rule: Rule,
    reaches: &[u64],
) -> Option<Placed> {
    if cover::MAX_UNITS < piece.len() + shares.n_places {
        return None;
    }
    let nobody = Regions::default();
    let piece = with_cheap_edges(piece);
    let mut search = Search { context, piece, shares, rule, excess: u64::MAX, regions: nobody };
    let mut found = Placed { labels: vec![0; search.piece.len()], place: Vec::new() };
    for &reach in reaches {
        search.begin(pool, &found);
        search.within(reach, &mut found)?;
        if !found.place.is_empty() {
            return Some(found);
        }
        if context.stop() {
            break;
        }
    }
    None
}

/// A part, what its divisions have to look like, and the regions met so far.
struct Search<'a> {
    context: &'a Context<'a>,
    piece: Piece,
    shares: &'a Shares,
    rule: Rule,
    /// Households out of range in all.
    excess: u64,
    regions: Regions,
}

impl Search<'_> {
    /// Looks for a division that brings at most `reach` households to any one place and moves fewer than the known one, if
    /// there is one, and makes it the known one. Returns the fewest households that any of this reach moves; `None` if the
    /// diagrams are too large.
    fn within(&mut self, reach: u64, known: &mut Placed) -> Option<u64> {
        let Self { context, piece, shares, rule, .. } = self;
        let shift = SHARE + 3 * rule.hopelessness();
        let nodes = context.budget.sweeps.min(MOST_NODES);
        let mut stay = Stay::new(piece, *rule, shares, reach, nodes)?;
        let value = || piece.cut_cost(&known.labels) + known.moved(shares) as i64 * HOUSEHOLD_MM;
        let upper = (!known.place.is_empty()).then(value);
        let outcome = master::choose(&mut Task {
            piece,
            regions: &mut self.regions,
            source: Source::Priced(context.budget.sweeps >> shift),
            stay: Some(&mut stay),
            sweeper: None,
            rule: *rule,
            upper,
            dearest: (piece.total() + 1) as f64 * HOUSEHOLD_MM as f64 / 1000.0,
            steps: context.budget.steps >> shift,
            columns: context.budget.columns,
            nodes: (NODES >> (3 * rule.hopelessness())).max(10),
            // Without a division to beat, one that takes long to find would move many.
            rounds: if upper.is_some() { ROUNDS } else { ROUNDS >> (2 * rule.hopelessness()) },
            cuts: false,
        });
        let bound = match outcome {
            Outcome::Chosen { regions: chosen, bound } => {
                let excess = |&region: &usize| rule.range.excess(u64::from(self.regions.load[region]));
                // Of several grids out of range one may come nearer while another goes further out.
                if chosen.iter().map(excess).sum::<u64>() <= self.excess {
                    take_over(&self.regions, &chosen, known);
                }
                bound
            }
            Outcome::Open { bound } => bound,
            Outcome::Impossible => i64::MAX,
        };
        // All edges together cost less than a household.
        let least = (bound - EDGES_MM).max(0) as u64;
        Some(least.div_ceil(HOUSEHOLD_MM as u64))
    }

    /// Begins with the grids of the known division, then those of the pool in the place where they bring fewest.
    fn begin(&mut self, pool: &Regions, known: &Placed) {
        self.regions = Regions::default();
        for (g, &place) in known.place.iter().enumerate() {
            let members = (0..self.piece.len()).filter(|&u| known.labels[u] == g as u32);
            self.add(&members.map(|u| u as u32).collect::<Vec<_>>(), place);
        }
        let pool = pool.without_dead_ends(&self.piece, self.rule);
        for region in 0..pool.len() {
            let units: Vec<u32> = pool.units(region).iter().map(|&u| u32::from(u)).collect();
            self.add(&units, self.shares.most_of(&units));
        }
    }

    fn add(&mut self, units: &[u32], place: Option<u32>) {
        if !self.regions.knows(units, heir_of(place)) {
            let load = units.iter().map(|&u| self.piece.load[u as usize]).sum();
            let brought: u64 = units.iter().map(|&u| self.shares.brought(u as usize, place)).sum();
            let mm = brought as i64 * HOUSEHOLD_MM;
            self.regions.add(units, heir_of(place), load, self.piece.boundary(units) + 2 * mm);
        }
    }
}

/// Makes the chosen regions the known division.
fn take_over(regions: &Regions, chosen: &[usize], known: &mut Placed) {
    known.place.resize(chosen.len(), None);
    for (g, &region) in chosen.iter().enumerate() {
        known.place[g] = place_of(regions.heir[region]);
        for &unit in regions.units(region) {
            known.labels[usize::from(unit)] = g as u32;
        }
    }
}

/// The piece with edges so cheap that all of them together cost less than a household that moves.
fn with_cheap_edges(piece: &Piece) -> Piece {
    let all = (piece.cost.iter().sum::<i64>() / 2).max(1);
    let mut cheap = piece.clone();
    for cost in &mut cheap.cost {
        *cost = (i128::from(*cost) * i128::from(EDGES_MM) / i128::from(all)) as i64;
    }
    cheap
}
