#![expect(clippy::unwrap_used, reason = "tests")]

use std::ops::ControlFlow;

use super::lattice::Lattice;
use super::*;

fn lattice(w: u32, h: u32, load: impl Fn(u32, u32) -> u32) -> Lattice {
    Lattice::new(w, h, 20.0, load)
}

impl Lattice {
    fn problem(&self) -> PartitionProblem<'_> {
        PartitionProblem {
            households: &self.households,
            edge_from: &self.edge_from,
            edge_to: &self.edge_to,
            edge_length: &self.edge_length,
            ..PartitionProblem::default()
        }
    }
}

fn run(problem: &PartitionProblem<'_>, effort: Effort) -> PartitionAnswer {
    let mut params = PartitionParams::new(GridSize::around(300, 0.10), 1);
    params.effort = effort;
    partition(problem, &params, &|_| ControlFlow::Continue(())).unwrap()
}

#[test]
fn limits_of_ten_percent_are_whole_and_included() {
    let size = GridSize::around(300, 0.10);
    assert!(size.holds(270) && size.holds(330));
    assert!(!size.holds(269) && !size.holds(331));
    assert_eq!(GridSize::around(46, 0.10), GridSize { low: 42, target: 46, high: 50 });
}

#[test]
fn the_number_of_grids_rounds_halves_to_even() {
    for (total, k) in [(0, 1), (149, 1), (450, 2), (750, 2), (751, 3), (1050, 4), (300, 1)] {
        assert_eq!(zones::number_of_grids(total, 300), k, "{total}");
    }
}

#[test]
fn an_even_lattice_is_divided_evenly_at_either_effort() {
    let town = lattice(10, 9, |_, _| 30);
    for effort in [Effort::Draft, Effort::Full] {
        let answer = run(&town.problem(), effort);
        assert_eq!(answer.grid_load.len(), 9);
        assert!(answer.grid_load.iter().all(|&load| (270..=330).contains(&load)), "{:?}", answer.grid_load);
        assert!(answer.findings.is_empty(), "{:?}", answer.findings);
    }
}

#[test]
fn a_tower_above_the_limit_is_named_as_the_blocking_unit() {
    let town = lattice(5, 2, |x, y| if (x, y) == (2, 0) { 700 } else { 100 });
    let answer = run(&town.problem(), Effort::Full);
    let is_tower = |f: &&Finding| f.reason == Reason::BlockingUnit { unit_load: 700 };
    let tower = answer.findings.iter().find(is_tower).unwrap();
    assert_eq!(tower.atom, Some(2));
    assert!(tower.proven);
}

#[test]
fn fewer_units_than_grids_is_said() {
    let town = lattice(1, 1, |_, _| 900);
    let answer = run(&town.problem(), Effort::Full);
    assert_eq!(answer.grid, vec![0]);
    assert!(answer.findings.iter().any(|f| f.reason == Reason::TooFewUnits { wanted: 3, made: 1 }));
}

#[test]
fn nobody_at_all_is_one_grid() {
    let answer = run(&PartitionProblem::default(), Effort::Full);
    assert!(answer.grid.is_empty() && answer.grid_load.is_empty());
    let town = lattice(3, 1, |_, _| 0);
    assert_eq!(run(&town.problem(), Effort::Full).grid, vec![0, 0, 0]);
}

#[test]
fn atoms_without_neighbors_still_get_a_grid() {
    let households = [100, 100, 100, 100, 100, 100];
    let problem = PartitionProblem { households: &households, ..PartitionProblem::default() };
    let answer = run(&problem, Effort::Full);
    assert_eq!(answer.grid_load, vec![300, 300]);
    assert_eq!(answer.findings.iter().filter(|f| f.reason == Reason::Island).count(), 2);
}

#[test]
fn a_wrong_column_is_named() {
    let problem = PartitionProblem {
        households: &[1, 2],
        edge_from: &[0],
        edge_to: &[2],
        edge_length: &[1.0],
        ..PartitionProblem::default()
    };
    let params = PartitionParams::new(GridSize::around(300, 0.10), 1);
    let error = partition(&problem, &params, &|_| ControlFlow::Continue(())).unwrap_err();
    assert_eq!(error, PartitionError::NoSuchAtom { edge: 0, atom: 2, atoms: 2 });
}

#[test]
fn break_stops_the_work() {
    let town = lattice(30, 30, |_, _| 10);
    let params = PartitionParams::new(GridSize::around(300, 0.10), 1);
    let error = partition(&town.problem(), &params, &|_| ControlFlow::Break(())).unwrap_err();
    assert_eq!(error, PartitionError::Cancelled);
}

#[test]
fn a_unit_above_the_upper_size_counts_in_the_bound() {
    // 4,165 in all, 700 of them in one unit: thirteen grids share 3,465, of which twelve reach 270.
    let town = lattice(10, 10, |x, y| if (x, y) == (5, 5) { 700 } else { 35 });
    let params = PartitionParams::new(GridSize::around(300, 0.10), 1);
    let answer = partition(&town.problem(), &params, &|_| ControlFlow::Continue(())).unwrap();
    let result = &answer.communities[0];
    assert_eq!((result.k, result.least_out), (14, 2));
    assert!(result.least_out <= result.n_out);
}

/// A lattice of `side` × `side` units with random loads and edges of random cost, and the generator it came from.
#[cfg(feature = "highs")]
fn random_piece(
    side: u32,
    seed: u64,
    load: impl Fn(&mut super::random::Random) -> u64,
) -> (super::piece::Piece, super::random::Random) {
    let mut random = super::random::Random::new(seed, 0);
    let load: Vec<u64> = (0..side * side).map(|_| load(&mut random)).collect();
    let mut edges = Vec::new();
    for u in 0..side * side {
        for (v, fits) in [(u + 1, (u + 1) % side != 0), (u + side, u + side < side * side)] {
            if fits {
                let cost = 1000 * (1 + random.below(90) as i64);
                edges.push((u, v, cost, cost));
            }
        }
    }
    (super::piece::Piece::new(load, &edges), random)
}

/// All three ways of pricing against the list of all regions: they find every one within the threshold, and what they say when
/// they are cut short is never above the truth.
#[cfg(feature = "highs")]
#[test]
fn pricing_misses_no_region_and_its_bound_holds() {
    use super::division::Range;
    use super::pricing::{Limits, Prices, add_within};
    use super::regions::{Regions, Rule, all_in_range};
    use super::sweep::Sweeper;

    let (side, k) = (5u32, 5);
    for seed in 0..12 {
        let (piece, mut random) = random_piece(side, seed, |random| 30 + random.below(60) as u64);
        let unit: Vec<f64> = (0..side * side).map(|_| random.below(70) as f64 - 15.0).collect();
        let prices = Prices { unit: &unit, grid: random.below(80) as f64 - 40.0, out: -5.0, heir: &[] };
        let mean = piece.total() / k as u64;
        let range = Range { low: mean * 9 / 10, target: mean, high: mean * 11 / 10 };
        let worst = [0, 20][seed as usize % 2];
        let (least, most) = (range.low - worst, range.high + worst);
        let rule = Rule { k, range, out: usize::from(0 < worst), least, most };
        let wide = rule.loads();
        let (all, complete) = all_in_range(&piece, wide, 1 << 24, &Regions::default());
        assert!(complete);
        let all = all.without_dead_ends(&piece, rule);
        let reduced = |regions: &Regions, r: usize| {
            let paid: f64 = regions.units(r).iter().map(|&u| unit[usize::from(u)]).sum();
            let out = if 0 < range.excess(u64::from(regions.load[r])) { prices.out } else { 0.0 };
            regions.boundary[r] as f64 / 2000.0 - paid - prices.grid - out
        };
        let mut costs: Vec<f64> = (0..all.len()).map(|r| reduced(&all, r)).collect();
        costs.sort_by(f64::total_cmp);
        let threshold = costs[costs.len() / 10] + 1e-4;
        let expected = costs.iter().filter(|&&cost| cost <= threshold).count();
        for visits in [100, 1000, 5000, 20_000, 10_000_000] {
            for way in ["flow", "table", "sweeps"] {
                let mut found = Regions::default();
                let limits = Limits { visits, found: 1_000_000, per_root: 1_000_000 };
                let priced = if way != "flow" {
                    let sweeper = Sweeper::new(&piece, wide.high, 1_000_000).unwrap();
                    let mut sweeper = if way == "table" { sweeper } else { sweeper.without_table() };
                    sweeper.add_within((&piece, rule), &prices, threshold, limits, &mut found)
                } else {
                    add_within(&piece, rule, &prices, threshold, limits, &mut found)
                };
                let within = (0..found.len()).filter(|&r| reduced(&found, r) <= threshold).count();
                assert!(within == expected || !priced.complete, "seed {seed}, {way}: {within} of {expected}");
                assert!(visits < 10_000_000 || priced.complete);
                let listed = (0..found.len()).map(|r| reduced(&found, r)).fold(threshold, f64::min);
                let bound = priced.least(1, listed);
                assert!(
                    bound <= costs[0].min(0.0) + 1e-4,
                    "seed {seed}, {way}, {visits}: {bound} above {}",
                    costs[0]
                );
            }
        }
    }
}

/// The diagram of a lattice of 3 × 3 units of load 1 holds its connected sets, one path each: 9 of one unit, 12 of two, and
/// 22 of three.
#[cfg(feature = "highs")]
#[test]
fn every_connected_set_is_one_path_of_the_diagram() {
    use super::diagram::{Diagram, NEVER, WHOLE};
    use super::piece::Piece;

    let edges: Vec<(u32, u32, i64, i64)> = (0..9u32)
        .flat_map(|u| [(u + 1, u % 3 < 2), (u + 3, u < 6)].map(|(v, fits)| fits.then_some((u, v, 1, 1))))
        .flatten()
        .collect();
    let piece = Piece::new(vec![1; 9], &edges);
    let diagram = Diagram::new(&piece, 3, 10_000).unwrap();
    // Paths from every node by the units they take.
    let mut paths = vec![[0u64; 10]; diagram.next.len()];
    for (_, nodes) in diagram.layers_up() {
        for node in nodes {
            for taken in [0, 1] {
                let mut rest = [0; 10];
                match diagram.next[node][taken] {
                    NEVER => {}
                    WHOLE => rest[0] = 1,
                    next => rest = paths[next as usize],
                }
                for size in 0..10 - taken {
                    paths[node][size + taken] += rest[size];
                }
            }
        }
    }
    assert_eq!(paths[0][..4], [0, 9, 12, 22]);
    assert!(Diagram::new(&piece, 9, 10).is_none());
}

/// Against all ways to put seven units into two, three and four grids, towers among them.
#[test]
fn what_the_totals_leave_to_grids_out_of_range_is_enough() {
    use super::division::{Ask, Range};
    use super::piece::Piece;
    use super::random::Random;
    use super::regions::Rule;

    let range = Range { low: 27, target: 30, high: 33 };
    let mut tight = 0;
    for seed in 0..60 {
        let mut random = Random::new(seed, 0);
        let load: Vec<u64> = (0..7)
            .map(|_| if random.below(5) == 0 { range.high + 1 } else { random.below(25) as u64 })
            .collect();
        let piece = Piece::new(load.clone(), &[]);
        for k in 2..=4usize {
            for labels in 0..k.pow(7) {
                let mut grids = vec![0; k];
                (0..7).for_each(|u| grids[labels / k.pow(u) % k] += load[u as usize]);
                let excess: Vec<u64> = grids.iter().map(|&load| range.excess(load)).collect();
                let out = excess.iter().filter(|&&excess| 0 < excess).count();
                let worst = excess.iter().copied().max().unwrap();
                let rule = Rule::with_out(Ask { piece: &piece, k, range }, out, worst);
                let rule = rule.expect("there is such a division");
                assert!(grids.iter().all(|&load| rule.is_out(load).is_some()), "{grids:?} {rule:?}");
                tight += usize::from(0 < out && rule.most < range.high + worst);
            }
        }
    }
    assert!(0 < tight, "the totals never said more than the worst grid");
}

/// Against all connected divisions of nine units into three and four grids.
#[cfg(feature = "highs")]
#[test]
fn packing_knows_the_fewest_grids_out_of_range() {
    use super::division::{Ask, Range, score};
    use super::packing::{Packer, Packing};
    use super::piece::{Piece, Sets};

    let is_connected = |piece: &Piece, labels: &[u32], k: usize| {
        let mut sets = Sets::new(9);
        let mut pieces = 9;
        for u in 0..9u32 {
            for (v, _) in piece.edges_of(u).filter(|&(v, _)| labels[u as usize] == labels[v as usize]) {
                pieces -= usize::from(sets.join(u, v));
            }
        }
        pieces == k && (0..k as u32).all(|g| labels.contains(&g))
    };
    let mut met = [0; 5];
    for seed in 0..40 {
        let (piece, mut random) =
            random_piece(
                3,
                seed,
                |random| {
                    if random.below(9) == 0 { 80 } else { 1 + random.below(40) as u64 }
                },
            );
        for k in [3usize, 4] {
            let mean = piece.total() / k as u64;
            let range = Range { low: mean * 9 / 10, target: mean, high: mean * 11 / 10 };
            let all = (0..k.pow(9))
                .map(|code| -> Vec<u32> { (0..9).map(|u| (code / k.pow(u) % k) as u32).collect() });
            let divisions = all.filter(|labels| is_connected(&piece, labels, k));
            let fewest = divisions.map(|labels| score(&piece, range, &labels, k).n_out).min().unwrap();
            met[fewest] += 1;
            let ask = Ask { piece: &piece, k, range };
            let mut packer = Packer::new(ask, (1 << 20, 1 << 20), 1 << 20).unwrap();
            for out in 1..k {
                match packer.with_out(out, &mut random) {
                    Packing::Impossible => assert!(out < fewest, "seed {seed}: {fewest} of {k}, not {out}"),
                    Packing::Found(labels) => {
                        assert!(is_connected(&piece, &labels, k), "{labels:?}");
                        assert!(score(&piece, range, &labels, k).n_out <= out, "{labels:?}");
                    }
                    Packing::Open => panic!("nine units are few"),
                }
            }
        }
    }
    assert!(met.iter().filter(|&&met| 3 < met).count() >= 3, "{met:?} of each number out of range");
}

/// Against the cheapest of all divisions of 25 units: bounds stay below it and keep its regions.
#[cfg(feature = "highs")]
#[test]
fn cuts_raise_the_bound_and_not_above_the_best_division() {
    use super::cover::{self, Cover, Idle, Offer};
    use super::cuts::{self, Strength};
    use super::division::Range;
    use super::master::{self, Below, Source, Task};
    use super::regions::{Regions, Rule, all_in_range};
    use super::relax;

    let (mut raised, mut closed) = (0, 0);
    for seed in 0..30 {
        let (piece, _) = random_piece(5, seed, |random| 10 + random.below(50) as u64);
        let k = 6;
        let mean = piece.total() / k as u64;
        let range = Range { low: mean * 9 / 10, target: mean, high: mean * 11 / 10 };
        let rule = Rule::in_range(k, range);
        let (all, complete) = all_in_range(&piece, range, 1 << 24, &Regions::default());
        assert!(complete);
        let mut regions = all.without_dead_ends(&piece, rule);
        let offer = |region: u32| Offer { region, price: regions.boundary[region as usize] };
        let offers: Vec<Offer> = (0..regions.len() as u32).map(offer).collect();
        let found =
            cover::cheapest(&piece, rule, &regions, (&offers, Idle::default()), i64::MAX / 4, 1 << 40);
        let Cover::Found(best) = found else { continue };
        let cost = best.iter().map(|&region| regions.boundary[region]).sum::<i64>() as f64 / 2000.0;
        let task = &mut Task {
            piece: &piece,
            regions: &mut regions,
            source: Source::Listed,
            stay: None,
            sweeper: None,
            rule,
            upper: None,
            dearest: f64::INFINITY,
            steps: 0,
            columns: 0,
            nodes: 0,
            rounds: 200,
            cuts: true,
        };
        task.steps = 1 << 30;
        let relaxed = relax::solve(task).unwrap();
        assert!(relaxed.complete && relaxed.bound <= cost + 1e-3);
        let before = relaxed.bound;
        let known = Strength { bound: relaxed.bound, price: relaxed.price, reduced: relaxed.reduced };
        let Strength { bound, reduced, .. } = cuts::strengthen(task, known, cost + 1.0).unwrap();
        assert!(bound <= cost + 1e-3, "seed {seed}: {bound} above {cost}");
        let paid: f64 = best.iter().map(|&region| reduced[region]).sum();
        assert!(paid <= cost - bound + 1e-3, "seed {seed}: {paid}");
        raised += usize::from(before + 1e-3 < bound);
        // A search with cut prices may meet a dearer division first.
        let mut again = relax::solve(task).unwrap();
        match master::with_cuts(task, &mut again, cost + 40.0) {
            Below::Found(chosen, None) => {
                let value: f64 = chosen.iter().map(|&region| task.half_boundary(region)).sum();
                assert!((value - cost).abs() < 1e-3, "seed {seed}: {value} is not {cost}");
            }
            _ => panic!("seed {seed}: there is a division, and the search is short"),
        }
        closed += usize::from(before + 1e-3 < cost && cost - 1e-3 <= bound);
    }
    assert!(5 < raised && 2 < closed, "{raised} bounds raised, {closed} to the best division");
}

#[test]
fn the_unit_that_blocks_a_grid_is_named_with_what_dividing_it_would_do() {
    // 460 and 200: with 130 of the tower's 260 in the other grid both have 330.
    let row = lattice(3, 1, |x, _| if x == 1 { 260 } else { 200 });
    let answer = run(&row.problem(), Effort::Full);
    assert_eq!(answer.findings.len(), 2);
    for finding in &answer.findings {
        let [split] = finding.splits[..] else { panic!("{finding:?}") };
        assert_eq!((finding.atom, split.atom, split.load, split.moved), (Some(1), 1, 260, 130));
        assert_eq!((split.from, split.to), (answer.grid[1], 1 - answer.grid[1]));
    }
    // The same load in a compound of four buildings: two of them move.
    let row = lattice(6, 1, |x, _| if (1..5).contains(&x) { 65 } else { 200 });
    let problem = PartitionProblem { compound: Some(&[-1, 7, 7, 7, 7, -1]), ..row.problem() };
    for finding in &run(&problem, Effort::Full).findings {
        let [split] = finding.splits[..] else { panic!("{finding:?}") };
        assert_eq!((split.atom, split.load, split.moved), (1, 260, 130));
    }
    // Of three buildings 87 or 174 can move, never 130, so nothing is promised.
    let row = lattice(5, 1, |x, _| [200, 87, 87, 86, 200][x as usize]);
    let problem = PartitionProblem { compound: Some(&[-1, 7, 7, 7, -1]), ..row.problem() };
    let answer = run(&problem, Effort::Full);
    assert!(answer.findings.iter().all(|finding| finding.splits.is_empty()), "{:?}", answer.findings);
}

/// Done in turn, with the best of all connected sets of a unit's atoms, the divisions put all grids that they touch in range.
#[test]
fn dividing_the_blocking_units_puts_the_grids_in_range() {
    let size = GridSize::around(300, 0.10);
    let (mut named, mut longer) = (0, 0);
    for seed in 0..60_u32 {
        let load = |x: u32, y: u32| 20 + (x * 7919 + y * 104_729 + seed * 7877 + x * y * seed) % 130;
        let town = lattice(6, 5, load);
        let compound: Vec<i32> =
            (0..30).map(|atom| if atom % 6 < 4 { atom / 2 % 3 + 3 * (atom / 12) } else { -1 }).collect();
        let problem = PartitionProblem { compound: Some(&compound), ..town.problem() };
        let answer = run(&problem, Effort::Full);
        let joined = |a: u32, b: u32| {
            let mut edges = town.edge_from.iter().zip(&town.edge_to);
            edges.any(|(&p, &q)| (p, q) == (a, b) || (q, p) == (a, b))
        };
        let hangs_together = |atoms: &[u32]| {
            let mut reached = vec![atoms[0]];
            let next = |reached: &[u32]| {
                let is_next =
                    |atom: &&u32| !reached.contains(atom) && reached.iter().any(|&at| joined(at, **atom));
                atoms.iter().find(is_next).copied()
            };
            while let Some(next) = next(&reached) {
                reached.push(next);
            }
            reached.len() == atoms.len()
        };
        for finding in answer.findings.iter().filter(|finding| !finding.splits.is_empty()) {
            named += 1;
            longer += usize::from(finding.splits.len() > 1);
            let (mut grid, mut grid_load) = (answer.grid.clone(), answer.grid_load.clone());
            for split in &finding.splits {
                grid_load[split.from as usize] -= split.moved;
                grid_load[split.to as usize] += split.moved;
                let name = compound[split.atom as usize];
                let of_compound = |&atom: &u32| 0 <= name && compound[atom as usize] == name;
                let households = |atom: u32| u64::from(town.households[atom as usize]);
                let is_whole =
                    (0..30).filter(of_compound).map(households).sum::<u64>() <= u64::from(size.high);
                let unit: Vec<u32> =
                    (0..30).filter(|atom| *atom == split.atom || is_whole && of_compound(atom)).collect();
                assert!(unit.iter().all(|&atom| grid[atom as usize] == split.from), "{finding:?}");
                assert_eq!(unit.iter().map(|&atom| households(atom)).sum::<u64>(), split.load);
                if let [atom] = unit[..] {
                    assert!(split.moved < split.load);
                    assert!((0..30).any(|other| grid[other as usize] == split.to && joined(atom, other)));
                    continue;
                }
                let divided = (1..(1_u32 << unit.len()) - 1).find_map(|set| {
                    let mut grid = grid.clone();
                    let chosen: Vec<u32> =
                        (0..unit.len()).filter(|i| set >> i & 1 == 1).map(|i| unit[i]).collect();
                    chosen.iter().for_each(|&atom| grid[atom as usize] = split.to);
                    let of =
                        |wanted: u32| (0..30).filter(|&a| grid[a as usize] == wanted).collect::<Vec<u32>>();
                    let load: u64 = chosen.iter().map(|&atom| households(atom)).sum();
                    let fits = load == split.moved
                        && hangs_together(&of(split.from))
                        && hangs_together(&of(split.to));
                    fits.then_some(grid)
                });
                grid = divided.unwrap_or_else(|| panic!("seed {seed}: {finding:?} in {:?}", answer.grid));
            }
            let touched = finding.splits.iter().flat_map(|split| [split.from, split.to]).chain(finding.grid);
            assert!(touched.into_iter().all(|grid| size.holds(grid_load[grid as usize])), "{finding:?}");
        }
    }
    assert!(named >= 20 && longer >= 3, "only {named}, {longer} of them longer");
}

#[test]
fn a_tower_that_leaves_too_little_for_the_other_grids_is_named() {
    // 700 in the corner and 47 times 50: 3,050 make ten grids, but 2,350 fill eight others, not nine.
    let town = lattice(8, 6, |x, y| if (x, y) == (0, 0) { 700 } else { 50 });
    let answer = run(&town.problem(), Effort::Full);
    assert_eq!(answer.grid_load.len(), 10);
    let light: Vec<_> = answer.findings.iter().filter(|finding| finding.load < 270).collect();
    assert!(!light.is_empty());
    for finding in light {
        let reason =
            Reason::UnitsLeaveTooLittle { units: 1, unit_load: 700, others: 9, rest: 2350, fills: 8 };
        assert_eq!((finding.reason, finding.atom), (reason, Some(0)));
    }
}
