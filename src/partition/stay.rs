//! What regions cost in a redraw, and the search for cheap ones.
//!
//! Every region takes the place of one present grid, or of none: households that live elsewhere now are brought, and no
//! two regions take one place. For each place there is a diagram (`diagram.rs`) of the units that can be brought there at
//! all within the reach, so that far from home nothing is searched.

use super::piece::Piece;
use super::present::Shares;
use super::pricing::{Floor, Limits, MICRO, Priced, Prices};
use super::regions::{Keeper, NO_HEIR, Regions, Rule};
use super::sweep::{self, Sweeper};

/// What a household that changes grid costs during selection, in mm: more than all boundaries together.
pub(super) const HOUSEHOLD_MM: i64 = 100_000;
/// What all edges of a part cost together in a redraw, in mm.
pub(super) const EDGES_MM: i64 = 99_000;

/// Regions without a rest that one search refuses.
const PATIENCE: usize = 2000;

/// The places that regions can take.
pub(super) struct Stay {
    /// What each unit costs in every place, then in none, in mm.
    cost: Vec<Vec<i64>>,
    places: Vec<Place>,
    n_places: usize,
}

/// Units that can be brought to one place, connected.
struct Place {
    heir: u16,
    /// Their names in the whole piece; empty for all of them.
    names: Vec<u32>,
    piece: Piece,
    /// What each costs here beside its price: move and edges to units out of reach, in micrometres.
    cost: Vec<i64>,
    sweeper: Sweeper,
}

impl Stay {
    /// The places of a piece for divisions in which at most `reach` households move; `None` if their diagrams take more
    /// than `nodes`.
    pub(super) fn new(
        piece: &Piece,
        rule: Rule,
        shares: &Shares,
        reach: u64,
        mut nodes: usize,
    ) -> Option<Self> {
        let heirs: Vec<u16> = (0..shares.n_places as u16).chain([NO_HEIR]).collect();
        let mm = |heir, unit| shares.brought(unit, place_of(heir)) as i64 * HOUSEHOLD_MM;
        let cost_at = |heir| (0..piece.len()).map(|unit| mm(heir, unit)).collect();
        let cost: Vec<Vec<i64>> = heirs.iter().map(|&heir| cost_at(heir)).collect();
        let high = rule.loads().high;
        let mut places = Vec::new();
        for (&heir, cost) in heirs.iter().zip(&cost) {
            for names in within_reach(piece, rule, shares, heir, reach) {
                let place = Place::new(piece, heir, names, cost, high, nodes)?;
                nodes -= place.sweeper.len();
                places.push(place);
            }
        }
        Some(Self { cost, places, n_places: shares.n_places })
    }

    /// Number of present grids.
    pub(super) fn len(&self) -> usize {
        self.n_places
    }

    /// What each unit costs in a place, in mm.
    pub(super) fn cost(&self, heir: u16) -> &[i64] {
        &self.cost[usize::from(heir).min(self.n_places)]
    }

    /// Adds to `regions` those with a reduced cost of at most `threshold` metres that it lacks. There is one floor per
    /// present grid, and one for each region that may be in the place of none.
    pub(super) fn add_within(
        &mut self,
        (piece, rule): (&Piece, Rule),
        prices: &Prices<'_>,
        threshold: f64,
        limits: Limits,
        regions: &mut Regions,
    ) -> Priced {
        let never = Floor { bound: f64::INFINITY, within: threshold };
        let mut floors = vec![never; self.n_places + 1];
        let (mut visits, mut too_many) = (0, false);
        let out = (prices.out * MICRO).round() as i64;
        let mut keeper = Keeper::new(piece, rule, regions).with_patience(PATIENCE);
        let end = keeper.regions.len() + limits.found;
        for place in &mut self.places {
            let at = usize::from(place.heir).min(self.n_places);
            keeper.in_place_of(place.heir, &self.cost[at]);
            let unit = |local: usize| place.names.get(local).map_or(local, |&unit| unit as usize);
            let price =
                |(local, cost): (usize, &i64)| (prices.unit[unit(local)] * MICRO).round() as i64 - cost;
            let price: Vec<i64> = place.cost.iter().enumerate().map(price).collect();
            let task = sweep::Task {
                piece: &place.piece,
                rule,
                price: &price,
                out,
                grid: prices.of_place(place.heir),
                names: &place.names,
            };
            let found = end.saturating_sub(keeper.regions.len());
            let limits = Limits { visits: limits.visits - visits, found, ..limits };
            let here = place.sweeper.add_of(task, threshold, limits, &mut keeper);
            visits += here.visits;
            too_many |= here.too_many;
            for floor in here.floors {
                floors[at].bound = floors[at].bound.min(floor.bound);
                floors[at].within = floors[at].within.min(floor.within);
            }
        }
        let complete = floors.iter().all(|floor| floor.within >= threshold);
        let none = floors[self.n_places];
        floors.extend((1..rule.k).map(|_| none));
        Priced { complete, too_many, floors, visits }
    }
}

impl Place {
    fn new(
        whole: &Piece,
        heir: u16,
        mut names: Vec<u32>,
        cost: &[i64],
        high: u64,
        nodes: usize,
    ) -> Option<Self> {
        let piece = whole.induced(&names);
        let beyond = |&unit: &u32| {
            let edges = whole.edges_of(unit).filter(|(v, _)| names.binary_search(v).is_err());
            edges.map(|(_, mm)| mm).sum::<i64>()
        };
        let cost = names.iter().map(|unit| cost[*unit as usize] * 1000 + beyond(unit) * 500).collect();
        let sweeper = Sweeper::new(&piece, high, nodes)?.of_households(high);
        if piece.len() == whole.len() {
            names.clear();
        }
        Some(Self { heir, names, piece, cost, sweeper })
    }
}

/// The present grid that an heir stands for.
pub(super) fn place_of(heir: u16) -> Option<u32> {
    (heir != NO_HEIR).then_some(heir.into())
}

/// The heir that stands for a present grid.
pub(super) fn heir_of(place: Option<u32>) -> u16 {
    place.map_or(NO_HEIR, |place| place as u16)
}

/// The units that a region in this place can hold if it brings at most `reach` households, in connected sets, ascending.
fn within_reach(piece: &Piece, rule: Rule, shares: &Shares, heir: u16, reach: u64) -> Vec<Vec<u32>> {
    let high = rule.loads().high;
    let mut least = vec![u64::MAX; piece.len()];
    let mut heap = std::collections::BinaryHeap::new();
    let at_home = |u: usize| shares.of_unit[u].iter().any(|share| Some(share.0) == place_of(heir));
    if heir == NO_HEIR {
        // Too few households without a present grid for one more.
        let free: u64 = (0..piece.len()).map(|u| piece.load[u] - shares.present(u)).sum();
        if free + reach < rule.loads().low {
            return Vec::new();
        }
    }
    for u in (0..piece.len()).filter(|&u| heir == NO_HEIR || at_home(u)) {
        least[u] = shares.brought(u, place_of(heir));
        heap.push(std::cmp::Reverse((least[u], u as u32)));
    }
    while let Some(std::cmp::Reverse((moved, u))) = heap.pop() {
        if least[u as usize] < moved {
            continue;
        }
        for &v in &piece.neighbor[piece.row(u)] {
            let next = moved + shares.brought(v as usize, place_of(heir));
            if next <= reach && next < least[v as usize] {
                least[v as usize] = next;
                heap.push(std::cmp::Reverse((next, v)));
            }
        }
    }
    let fits = |u: usize| least[u] <= reach && piece.load[u] <= high;
    let units: Vec<u32> = (0..piece.len()).filter(|&u| fits(u)).map(|u| u as u32).collect();
    let islands = super::islands::components(&piece.induced(&units));
    islands.into_iter().map(|island| island.iter().map(|&at| units[at as usize]).collect()).collect()
}
