//! Hand-worked tiers and suggestions. Models against brute force stand in `tests/siting.rs`.

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::tiers::{
    ClosedStation, Origin, TierGoal, TierNote, TierRule, TierSite, TierTask, plan, suggest,
    tier_budget_frontier, tier_frontier,
};
use super::{Backup, Change, Options, SitingError, Table, UNREACHED};

const NO: u32 = UNREACHED;

fn site(community: u32) -> TierSite {
    TierSite { cost: Some(10), ..TierSite::new(Some(community)) }
}

fn rule(name: &str, walk_limit: u32, goal: TierGoal) -> TierRule {
    TierRule::new(name, walk_limit, goal)
}

/// Six buildings in a row, sites at 0, 2, 3 and 5, one minute between neighbours; community 0 left, 1 right.
const WALKS: [u32; 24] = [0, 2, 3, 5, 1, 1, 2, 4, 2, 0, 1, 3, 3, 1, 0, 2, 4, 2, 1, 1, 5, 3, 2, 0];
const HOUSEHOLDS: [u32; 6] = [10, 20, 30, 40, 50, 60];
const COMMUNITY: [Option<u32>; 6] = [Some(0), Some(0), Some(0), Some(1), Some(1), Some(1)];

fn check(rules: &[TierRule], sites: &[TierSite]) -> Vec<super::tiers::TierAnswer> {
    let task = TierTask {
        reach: Table::dense(6, 4, &WALKS).expect("6 by 4"),
        households: &HOUSEHOLDS,
        community: &COMMUNITY,
        sites,
        rules,
    };
    plan(&task, &Options::default()).expect("a plan")
}

fn four_sites() -> Vec<TierSite> {
    vec![site(0), site(0), site(1), site(1)]
}

#[test]
fn a_coverage_goal_takes_the_fewest_stations() {
    // Within 1 minute: site 0 → 10+20, site 1 → 20+30+40, site 2 → 30+40+50, site 3 → 50+60.
    let answers = check(&[rule("corner", 1, TierGoal::Coverage(0.95))], &four_sites());
    // 95 % of 210 is 199.5: sites 1 and 3 give 200.
    let chosen: Vec<u32> = answers[0].stations.iter().map(|station| station.site).collect();
    assert_eq!((chosen, answers[0].covered, answers[0].proven), (vec![3, 1], 200, true));
    let [first, second] = &answers[0].stations[..] else { panic!("two stations") };
    assert_eq!((first.adds, second.adds), (110, 90));
    // Without site 3 the households at 4 and 5 are lost; site 2 would keep those at 4.
    assert_eq!((first.loss, first.runner_up), (110, Some((2, 60))));
}

#[test]
fn an_unreachable_goal_says_how_far_it_gets() {
    let answers = check(&[rule("corner", 0, TierGoal::Coverage(1.0))], &four_sites());
    assert_eq!(answers[0].covered, 10 + 30 + 40 + 60);
    assert!(matches!(answers[0].notes[..], [TierNote::GoalOutOfReach { households: 140, wanted: 210, .. }]));
    let far: Vec<(u32, Option<u32>)> =
        answers[0].out_of_reach.iter().map(|far| (far.demand, far.nearest)).collect();
    assert_eq!(far, [(1, Some(1)), (4, Some(1))]);
}

#[test]
fn wider_stations_serve_the_nearer_tier_if_the_rule_says_so() {
    for serves_lower in [false, true] {
        let mut sites = four_sites();
        sites[1].existing = Some(0);
        let wide = TierRule { serves_lower, ..rule("community", 3, TierGoal::KeepExisting) };
        let answers = check(&[wide, rule("corner", 1, TierGoal::Count(1))], &sites);
        assert_eq!(answers[0].covered, 10 + 20 + 30 + 40 + 50 + 60);
        let corner: Vec<(u32, Origin)> = answers[1].stations.iter().map(|at| (at.site, at.origin)).collect();
        if serves_lower {
            assert_eq!(corner, [(1, Origin::Wider), (3, Origin::Chosen)]);
            assert_eq!(answers[1].covered, 200);
        } else {
            assert_eq!(corner, [(2, Origin::Chosen)]);
            assert_eq!(answers[1].covered, 120);
        }
    }
}

#[test]
fn stations_may_be_placed_for_the_shortest_walks() {
    // Two of four sites, households times minutes: sites 1 and 3 give 20 + 20 + 40 + 50 = 130 (the first
    // building walks 2, the second 1, the fourth 1, the fifth 1).
    let answers = check(&[rule("corner", 1, TierGoal::ShortestWalks(2))], &four_sites());
    let [answer] = &answers[..] else { panic!("one tier") };
    let mut chosen: Vec<u32> = answer.stations.iter().map(|station| station.site).collect();
    chosen.sort_unstable();
    assert_eq!((chosen, answer.walks, answer.proven), (vec![1, 3], Some((130, 130)), true));
    // Within the circle all but the first building; the walk beyond it serves nobody.
    assert_eq!((answer.covered, answer.bound, answer.assignment[0]), (200, 210, -1));
    // Without site 3 the last two buildings walk 2 and 3 to site 1.
    let loss = answer.stations.iter().find(|station| station.site == 3).map(|station| station.loss);
    assert_eq!(loss, Some(50 + 60 * 3));
    // The longest walk: 2 with one at each end, since the first building is 2 from site 1 and 0 from site 0.
    let answers = check(&[rule("corner", 1, TierGoal::ShortestFarthest(2))], &four_sites());
    assert_eq!((answers[0].walks, answers[0].proven), (Some((2, 2)), true));
}

#[test]
fn a_house_on_streets_of_its_own_does_not_need_a_station_there() {
    let mut walks = WALKS;
    walks[20..].copy_from_slice(&[NO, NO, NO, 1]);
    let sites = four_sites();
    let task = TierTask {
        reach: Table::dense(6, 4, &walks).expect("6 by 4"),
        households: &HOUSEHOLDS,
        community: &COMMUNITY,
        sites: &sites,
        rules: &[rule("corner", 9, TierGoal::ShortestWalks(1))],
    };
    let answers = plan(&task, &Options::default()).expect("a plan");
    assert_eq!(answers[0].notes, [TierNote::Apart { tier: "corner".into(), households: 60 }]);
    // Site 2 alone: 10·3 + 20·2 + 30 + 0 + 50 = 150.
    assert_eq!(answers[0].walks, Some((150, 150)));
    assert_eq!(answers[0].covered, 150);
}

#[test]
fn every_community_gets_its_one_centre() {
    let answers = check(&[rule("community", 2, TierGoal::OnePerCommunity)], &four_sites());
    let mut chosen: Vec<u32> = answers[0].stations.iter().map(|station| station.site).collect();
    chosen.sort_unstable();
    // Own households within two minutes: sites 0 and 1 cover all of community 0; walks 10·0+20·1+30·2 = 80 against
    // 10·2+20·1 = 40. In community 1: site 2 walks 50·1+60·2 = 170, site 3 walks 40·2+50·1 = 130.
    assert_eq!(chosen, [1, 3]);
    // The other place of each community would cover as many.
    let mut runners: Vec<_> =
        answers[0].stations.iter().map(|station| (station.site, station.runner_up)).collect();
    runners.sort_unstable();
    assert_eq!(runners, [(1, Some((0, 0))), (3, Some((2, 0)))]);
    let mut sites = four_sites();
    sites[0].community = None;
    sites[1].community = Some(1);
    let answers = check(&[rule("community", 2, TierGoal::OnePerCommunity)], &sites);
    let missing = TierNote::NoPlace { community: 0, tier: "community".to_owned() };
    assert_eq!(answers[0].notes, [missing]);
}

#[test]
fn small_places_and_dear_places_are_left_out() {
    let mut sites = four_sites();
    sites[3].area = Some(599.0);
    sites[2].area = Some(600.0);
    let large = TierRule { least_area: Some(600.0), ..rule("community", 1, TierGoal::Count(1)) };
    let answers = check(&[large], &sites);
    assert_eq!(answers[0].stations[0].site, 2);
    assert!(matches!(answers[0].notes[..], [TierNote::UnknownArea { count: 2, least: 600, .. }]));
    sites[3].cost = Some(25);
    let answers = check(&[rule("compound", 1, TierGoal::Budget(20))], &sites);
    // 20 buys two of the sites 0, 1, 2: 0 and 2 cover 10+20+30+40+50.
    assert_eq!((answers[0].covered, answers[0].proven), (150, true));
}

#[test]
fn the_frontier_rises_with_falling_gains() {
    let sites = four_sites();
    let rules = [rule("corner", 1, TierGoal::Count(1))];
    let task = TierTask {
        reach: Table::dense(6, 4, &WALKS).expect("6 by 4"),
        households: &HOUSEHOLDS,
        community: &COMMUNITY,
        sites: &sites,
        rules: &rules,
    };
    let points = tier_frontier(&task, 0, &[], 4, &Options::default()).expect("a frontier");
    let curve: Vec<(usize, u64, u64)> =
        points.iter().map(|point| (point.p, point.objective, point.bound)).collect();
    assert_eq!(curve[..2], [(0, 0, 0), (1, 120, 120)]);
    assert_eq!(curve[3], (3, 210, 210));
    assert_eq!(curve.len(), 4);
}

#[test]
fn suggestions_go_where_most_are_left_out() {
    // Three places; building 2 is served already.
    let walks = [1, NO, NO, 1, 1, NO, NO, 1, NO, NO, NO, 1];
    let places = Table::dense(4, 3, &walks).expect("4 by 3");
    let suggestions = suggest(&places, 1, &[5, 7, 90, 6], &[-1, -1, 0, -1], 5);
    let found: Vec<(u32, u64)> =
        suggestions.iter().map(|suggestion| (suggestion.place, suggestion.gain)).collect();
    assert_eq!(found, [(0, 12), (2, 6)]);
}

#[test]
fn two_tiers_are_chosen_together_where_the_lower_one_gains() {
    // Site 0 is one minute from two buildings, site 1 two minutes from all three, site 2 as site 0.
    let walks = [1, 2, 1, 1, 2, 1, 9, 2, 9];
    let sites: Vec<TierSite> = vec![site(0), site(0), TierSite { suits: vec![1], ..site(0) }];
    let wide = TierRule { serves_lower: true, ..rule("community", 10, TierGoal::OnePerCommunity) };
    let rules = [wide, rule("corner", 1, TierGoal::Coverage(0.65))];
    let task = TierTask {
        reach: Table::dense(3, 3, &walks).expect("3 by 3"),
        households: &[10, 10, 9],
        community: &[Some(0); 3],
        sites: &sites,
        rules: &rules,
    };
    let answers = plan(&task, &Options::default()).expect("a plan");
    // Alone, the community's station would stand at site 1 (walks 58 against 101) and a corner station were needed.
    assert_eq!(answers[0].stations[0].site, 0);
    assert_eq!((answers[1].n_chosen(), answers[1].covered), (0, 20));
    let note = TierNote::Together { tier: "community".into(), lower: "corner".into(), saved: 1, gained: 0 };
    assert!(answers[1].notes.contains(&note), "{:?}", answers[1].notes);
    // Where nothing is gained the tiers stay as they are apart: sites 1 and 3 cover 200 of 210 by themselves.
    let wide = TierRule { serves_lower: true, ..rule("community", 5, TierGoal::OnePerCommunity) };
    let answers = check(&[wide, rule("corner", 1, TierGoal::Coverage(0.95))], &four_sites());
    assert_eq!((answers[1].n_chosen(), answers[1].covered), (0, 200));
}

/// Chosen and kept sites, ascending.
fn sites_of(answer: &super::tiers::TierAnswer) -> Vec<u32> {
    let mut sites: Vec<u32> = answer.stations.iter().map(|station| station.site).collect();
    sites.sort_unstable();
    sites
}

#[test]
fn with_backup_a_household_needs_two_stations() {
    // Within a minute sites 1 and 2 share the buildings of 30 and 40, sites 0 and 1 that of 20, sites 2 and 3 that of 50.
    let backup = TierRule { backup: Backup::Second, ..rule("corner", 1, TierGoal::Count(2)) };
    let answers = check(&[backup], &four_sites());
    assert_eq!((sites_of(&answers[0]), answers[0].covered, answers[0].proven), (vec![1, 2], 70, true));
    let adds: Vec<u64> = answers[0].stations.iter().map(|station| station.adds).collect();
    assert_eq!(adds, [0, 70], "one station alone covers nobody twice");
}

#[test]
fn stations_of_a_tier_keep_their_spacing() {
    // Without spacing sites 1 and 3 cover 200; the next best pair is 2 and 3 with 30+40+50+60.
    let spaced = TierRule { too_close: vec![(1, 3)], ..rule("corner", 1, TierGoal::Count(2)) };
    let answers = check(std::slice::from_ref(&spaced), &four_sites());
    assert_eq!((sites_of(&answers[0]), answers[0].covered, answers[0].proven), (vec![2, 3], 180, true));
    // Where site 1 stands and stays, site 3 is no place at all.
    let mut sites = four_sites();
    sites[1].existing = Some(0);
    let answers = check(&[TierRule { goal: TierGoal::Count(1), ..spaced }], &sites);
    assert_eq!((sites_of(&answers[0]), answers[0].covered), (vec![1, 2], 140));
}

#[test]
fn standing_stations_close_or_move_where_they_may() {
    let mut sites = four_sites();
    for site in [0, 2] {
        sites[site].existing = Some(0);
        sites[site].change = Some(Change::Close);
    }
    let answers = check(&[rule("corner", 1, TierGoal::Count(0))], &sites);
    assert_eq!((sites_of(&answers[0]), answers[0].covered), (vec![1, 3], 200));
    // One may close: site 0, and what it alone reached besides sites 2 and 3 is lost.
    let one = TierRule { most_closed: Some(1), ..rule("corner", 1, TierGoal::Count(0)) };
    let answers = check(&[one], &sites);
    assert_eq!((sites_of(&answers[0]), answers[0].covered), (vec![2, 3], 180));
    assert_eq!(answers[0].closed, [ClosedStation { site: 0, moved_to: None, loss: 30 }]);
    let origins: Vec<Origin> = answers[0].stations.iter().map(|station| station.origin).collect();
    assert_eq!(origins, [Origin::Existing, Origin::Chosen]);

    let mut sites = four_sites();
    sites[0].existing = Some(0);
    sites[0].change = Some(Change::MoveTo(vec![1]));
    let answers = check(&[rule("corner", 1, TierGoal::Count(0))], &sites);
    assert_eq!((sites_of(&answers[0]), answers[0].covered), (vec![1], 90));
    assert_eq!(answers[0].closed, [ClosedStation { site: 0, moved_to: Some(1), loss: 10 }]);
    // Where the tier only keeps what stands, nothing moves.
    let answers = check(&[rule("corner", 1, TierGoal::KeepExisting)], &sites);
    assert_eq!((sites_of(&answers[0]), answers[0].closed.len()), (vec![0], 0));
}

#[test]
fn each_community_has_its_least_number_or_a_note() {
    let least = TierRule { least_per_community: 1, ..rule("corner", 1, TierGoal::Coverage(0.5)) };
    // Half of 210 needs site 2 alone, but each community is owed one: 1 and 3 cover most.
    let answers = check(std::slice::from_ref(&least), &four_sites());
    assert_eq!((sites_of(&answers[0]), answers[0].covered, answers[0].proven), (vec![1, 3], 200, true));
    let task_sites = four_sites();
    let one = [TierRule { goal: TierGoal::Count(1), ..least.clone() }];
    let task = TierTask {
        reach: Table::dense(6, 4, &WALKS).expect("6 by 4"),
        households: &HOUSEHOLDS,
        community: &COMMUNITY,
        sites: &task_sites,
        rules: &one,
    };
    let error = plan(&task, &Options::default()).expect_err("one station for two communities");
    assert!(
        matches!(&error, SitingError::OfTier { tier: 0, name, error }
        if name == "corner" && matches!(**error, SitingError::Infeasible { .. })),
        "{error}"
    );
    let sites = vec![site(0); 4];
    let answers = check(&[least], &sites);
    let note = TierNote::FewPlaces { community: 1, tier: "corner".into(), places: 0, wanted: 1 };
    assert_eq!(answers[0].notes, [note]);
}

#[test]
fn money_has_its_own_frontier() {
    let sites = four_sites();
    let rules = [rule("corner", 1, TierGoal::Count(1))];
    let task = TierTask {
        reach: Table::dense(6, 4, &WALKS).expect("6 by 4"),
        households: &HOUSEHOLDS,
        community: &COMMUNITY,
        sites: &sites,
        rules: &rules,
    };
    let budgets = [0, 10, 19, 20];
    let points = tier_budget_frontier(&task, 0, &[], &budgets, &Options::default()).expect("a frontier");
    let curve: Vec<(usize, u64, Option<u64>)> =
        points.iter().map(|point| (point.p, point.objective, point.cost)).collect();
    assert_eq!(curve, [(0, 0, Some(0)), (1, 120, Some(10)), (1, 120, Some(10)), (2, 200, Some(20))]);
}

#[test]
fn with_capacities_more_sites_serve_more_even_where_one_reaches_all() {
    let table = Table::dense(4, 4, &[0; 16]).expect("4 by 4");
    let mut problem = super::Problem::new(table);
    problem.weights = vec![10; 4];
    problem.capacity = vec![10; 4];
    let quick = Options { effort: super::Effort::Quick, ..Options::default() };
    let points = super::frontier(&problem, 0..=4, &quick).expect("a frontier");
    let curve: Vec<(u64, u64)> = points.iter().map(|point| (point.objective, point.bound)).collect();
    assert_eq!(curve, [(0, 0), (10, 10), (20, 20), (30, 30), (40, 40)]);
    let full = Options { effort: super::Effort::Full, ..quick };
    let answer = super::max_cover(&problem, Some(3), &full).expect("an answer");
    assert_eq!((answer.objective, answer.bound, answer.certified), (30, 30, true));
    // Whoever checks the same multipliers without capacities learns less.
    let mut endless = problem.clone();
    endless.capacity.clear();
    let model = super::Model::MaxCover { p: Some(3) };
    assert_eq!(super::certificate::check(&endless, model, &answer.certificate), 40);
    // A point heavier than what a site can serve is not served in part.
    problem.weights = vec![10, 10, 10, 11];
    let answer = super::max_cover(&problem, Some(4), &full).expect("an answer");
    assert_eq!((answer.objective, answer.bound, answer.certified), (30, 30, true));
}

/// Points spread over a square of 1,000 by 1,000, each of them a site, too; walks as the crow flies.
#[cfg(feature = "highs")]
fn town(n: usize) -> Vec<u32> {
    let mut state = 7u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from((state >> 40) as u32 % 1000)
    };
    let points: Vec<(f64, f64)> = (0..n).map(|_| (next(), next())).collect();
    let walk = |one: &(f64, f64), other: &(f64, f64)| (one.0 - other.0).hypot(one.1 - other.1) as u32;
    points.iter().flat_map(|one| points.iter().map(move |other| walk(one, other))).collect()
}

#[test]
#[cfg(feature = "highs")]
fn regions_prove_no_more_than_is_true_and_the_same_every_time() {
    use super::bound::{Volume, climb};
    use super::{Clock, Model, Problem, branch, build, certificate, presolve, regions};
    let walks = town(400);
    for (limit, costs) in [(85, false), (85, true)] {
        let mut problem = Problem::new(Table::dense(400, 400, &walks).expect("400 by 400"));
        problem.limit = Some(limit);
        if costs {
            problem.site_cost = (0..400).map(|site| 20 + site * 7 % 11).collect();
        }
        let options = Options { effort: super::Effort::Full, ..Options::default() };
        let best = super::set_cover(&problem, &options).expect("an answer");
        let clock = Clock::new(&options);
        let core = build::build(&problem, Model::SetCover).expect("a core");
        let presolve::Reduced { core, reductions } = presolve::reduce(&core);
        let mut volume = Volume::new(&core, &core.fate, None);
        climb(&mut volume, &core.fate, 500, best.objective as f64, &clock, |_, _, _| f64::INFINITY);
        branch::warm_up(&core, &mut volume, &clock).expect("an optimum");
        let (u, share) = (volume.best.u.clone(), volume.share.clone());
        let goal =
            regions::Goal { known: best.objective as i64 + 5, bits: 20, spike: 1 << 40, work: 200_000 };
        let made = || {
            let made = regions::certify(&core, &u, &share, &goal, &clock).expect("regions").0;
            certificate::Certificate { reductions: reductions.clone(), ..made }
        };
        let certificate = made();
        assert!(1 < certificate.lemmas.len(), "{} lemmas", certificate.lemmas.len());
        let bound = certificate::check(&problem, Model::SetCover, &certificate);
        let linear = u.iter().sum::<f64>();
        assert!(
            bound <= best.objective && linear - 0.1 <= bound as f64,
            "{linear} {bound} {}",
            best.objective
        );
        for threads in [2, 8] {
            let all: Vec<_> = std::thread::scope(|scope| {
                let runs: Vec<_> = (0..threads)
                    .map(|_| {
                        scope.spawn(|| {
                            let clock = Clock::new(&options);
                            let made = regions::certify(&core, &u, &share, &goal, &clock).expect("regions").0;
                            certificate::Certificate { reductions: reductions.clone(), ..made }
                        })
                    })
                    .collect();
                runs.into_iter().map(|run| run.join().expect("it ends")).collect()
            });
            assert!(all.iter().all(|other| *other == certificate));
        }
    }
}

#[test]
#[cfg(feature = "highs")]
fn our_simplex_and_highs_prove_the_same_under_any_decisions() {
    use super::bound::Volume;
    use super::build::Fate;
    use super::{Clock, Model, Problem, build, lp, presolve, simplex};
    let walks = town(300);
    let clock = Clock::new(&Options::default());
    for (limit, p) in [(60, 5), (85, 12), (110, 40)] {
        let mut problem = Problem::new(Table::dense(300, 300, &walks).expect("300 by 300"));
        problem.limit = Some(limit);
        problem.weights = (0..300).map(|point| 1 + point * 37 % 23).collect();
        let core = build::build(&problem, Model::MaxCover { p: Some(p) }).expect("a core");
        let core = presolve::reduce(&core).core;
        assert!(simplex::Simplex::suits(&core));
        let nothing = vec![0.0; core.n_rows()];
        let mut ours = simplex::Simplex::new(&core, &nothing);
        let mut theirs = lp::Relaxation::new(&core, &nothing, 1.0);
        let free: Vec<usize> = (0..300).filter(|&site| core.fate[site] == Fate::Free).collect();
        for round in 0..30 {
            let mut fate = core.fate.clone();
            for decision in 0..round % 7 {
                let site = free[(round * 31 + decision * 17) % free.len()];
                fate[site] = if decision % 3 == 0 { Fate::Open } else { Fate::Closed };
            }
            let proven =
                |found: lp::Relaxed| Volume::new(&core, &fate, Some((found.u, found.price))).best.value;
            let our = proven(ours.solve(&fate, f64::INFINITY, &clock).expect("an optimum"));
            let their = proven(theirs.solve(&fate, f64::INFINITY, &clock).expect("an optimum"));
            assert!((our - their).abs() < 0.01, "{limit} {p} {round}: {our} {their}");
        }
    }
}

#[test]
fn rows_that_differ_in_superfluous_sites_only_become_one() {
    use super::{Model, Problem, build, presolve};
    // Site 2 reaches nothing that site 1 does not.
    let table = Table::sparse(3, &[0, 1, 3, 5], &[0, 0, 1, 1, 2], None).expect("three points");
    let table_again = Table::sparse(3, &[0, 1, 2, 4], &[0, 1, 1, 2], None).expect("three points");
    for (table, rows) in [(table, 3), (table_again, 2)] {
        let core = build::build(&Problem::new(table), Model::MaxCover { p: Some(1) }).expect("a core");
        let reduced = presolve::reduce(&core);
        assert_eq!(reduced.core.n_rows(), rows);
        assert_eq!(reduced.core.miss.iter().sum::<i64>(), 3);
    }
}

#[test]
#[cfg(feature = "highs")]
fn the_linear_range_holds_the_optimum_of_the_relaxation() {
    use super::bound::Volume;
    use super::{Backup, Clock, Model, Problem, branch, build, linear_range};
    let walks = town(300);
    for (limit, p) in [(60, 5), (85, 12), (110, 40)] {
        let mut problem = Problem::new(Table::dense(300, 300, &walks).expect("300 by 300"));
        problem.limit = Some(limit);
        problem.weights = (0..300).map(|point| 1 + point * 37 % 23).collect();
        let core = build::build(&problem, Model::MaxCover { p: Some(p) }).expect("a core");
        let mut volume = Volume::new(&core, &core.fate, None);
        branch::warm_up(&core, &mut volume, &Clock::new(&Options::default())).expect("an optimum");
        let optimum = core.miss.iter().sum::<i64>() as f64 - volume.best.value;
        let range = linear_range(&problem, p, &Options::default()).expect("a range");
        let (attained, bound) = (range.attained as f64, range.bound as f64);
        assert!(attained <= optimum + 1e-3 && optimum < bound + 1.0, "{attained} {optimum} {bound}");
        assert!(bound - attained <= 0.01 * optimum, "{attained} {optimum} {bound}");
        problem.backup = Backup::Second;
        assert!(linear_range(&problem, p, &Options::default()).is_err());
    }
}

#[test]
fn long_rows_are_sorted_by_cost_then_site() {
    use super::build::sort_row;
    for dearest in [1, 9, 300, 70_000, u32::MAX - 1] {
        for n in [3u32, 47, 48, 200] {
            let cost = |site: u32| site.wrapping_mul(2_654_435_761) % dearest;
            let mut row: Vec<(u32, u32)> = (0..n).map(|site| (cost(site), site)).collect();
            let mut expected = row.clone();
            expected.sort_unstable();
            for reversed in [false, true] {
                if reversed {
                    row.reverse();
                }
                sort_row(&mut row, &mut Vec::new());
                assert_eq!(row, expected, "{dearest} {n} {reversed}");
            }
        }
    }
}

#[test]
fn rows_that_end_at_an_open_site_prove_the_same_or_more() {
    use super::bound::{Volume, evaluate};
    use super::build::{Fate, build};
    use super::restrict::restrict;
    use super::{Model, Problem};
    let walks = town(90);
    let problem = Problem::new(Table::dense(90, 90, &walks).expect("90 by 90"));
    let core = build(&problem, Model::PMedian { p: 9 }).expect("a core");
    for round in 0..40usize {
        let mut fate = vec![Fate::Free; 90];
        for decision in 0..round % 9 {
            let site = (round * 31 + decision * 17) % 90;
            fate[site] = if decision % 3 == 0 { Fate::Closed } else { Fate::Open };
        }
        let u: Vec<f64> = (0..90).map(|row| ((row * 37 + round * 53) % 400) as f64).collect();
        let small = restrict(&core, &fate);
        let volume = Volume::new(&small, &fate, Some((u.clone(), Vec::new())));
        let mut reduced = vec![0.0; 90];
        let whole = evaluate(&core, &fate, &u, &[], &mut reduced).value;
        let capped = evaluate(&core, &fate, &volume.best.u, &[], &mut reduced).value;
        assert!((capped - volume.best.value).abs() < 1e-6, "{round}: {capped} {}", volume.best.value);
        assert!(whole <= capped + 1e-6, "{round}: {whole} {capped}");
    }
}

/// A few places and buildings in a square, walks as the crow flies in minutes.
struct Town {
    n_sites: usize,
    walks: Vec<u32>,
    households: Vec<u32>,
    community: Vec<Option<u32>>,
    sites: Vec<TierSite>,
}

impl Town {
    fn new(seed: u64) -> Self {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let (n_demand, n_sites) = (random.random_range(6..16usize), random.random_range(4..9usize));
        let n_communities = random.random_range(2..4u32);
        let mut place = || (random.random_range(0..12i32), random.random_range(0..12i32));
        let doors: Vec<(i32, i32)> = (0..n_demand).map(|_| place()).collect();
        let places: Vec<(i32, i32)> = (0..n_sites).map(|_| place()).collect();
        let walk = |door: &(i32, i32), place: &(i32, i32)| {
            (door.0.abs_diff(place.0) + door.1.abs_diff(place.1)).min(40)
        };
        let community = |at: &(i32, i32)| at.0 as u32 * n_communities / 12;
        Self {
            n_sites,
            walks: doors.iter().flat_map(|door| places.iter().map(move |place| walk(door, place))).collect(),
            community: doors.iter().map(|door| Some(community(door))).collect(),
            sites: places.iter().map(|place| site(community(place))).collect(),
            households: doors.iter().map(|_| random.random_range(1..30)).collect(),
        }
    }

    fn plan(&self, rule: &TierRule) -> super::tiers::TierAnswer {
        let task = TierTask {
            reach: Table::dense(self.households.len(), self.n_sites, &self.walks).expect("a full table"),
            households: &self.households,
            community: &self.community,
            sites: &self.sites,
            rules: std::slice::from_ref(rule),
        };
        let options = Options { effort: super::Effort::Full, ..Options::default() };
        plan(&task, &options).expect("a plan").remove(0)
    }

    /// Households within the limit of the chosen sites.
    fn covered(&self, chosen: u32, limit: u32) -> u64 {
        let rows = self.walks.chunks(self.n_sites).zip(&self.households);
        let near = |row: &[u32]| (0..row.len()).any(|site| chosen >> site & 1 == 1 && row[site] <= limit);
        rows.filter(|(row, _)| near(row)).map(|(_, &households)| u64::from(households)).sum()
    }

    fn sets(&self) -> impl Iterator<Item = u32> {
        0..1 << self.n_sites
    }
}

#[test]
fn one_centre_each_covers_as_many_as_any_choice_of_one_each() {
    for seed in 0..120 {
        let town = Town::new(seed);
        let answer = town.plan(&rule("community", 4, TierGoal::OnePerCommunity));
        let inhabited = |community: u32| town.community.contains(&Some(community));
        let one_each = |chosen: &u32| {
            (0..3).all(|community| {
                let places = (0..town.n_sites).filter(|&site| town.sites[site].community == Some(community));
                let (mut n, mut open) = (0, 0);
                for site in places {
                    n += 1;
                    open += chosen >> site & 1;
                }
                open == u32::from(0 < n && inhabited(community))
            })
        };
        let best =
            town.sets().filter(one_each).map(|chosen| town.covered(chosen, 4)).max().expect("a choice");
        assert_eq!((answer.covered, answer.bound, answer.proven), (best, best, true), "seed {seed}");
        for station in &answer.stations {
            let Some((place, fewer)) = station.runner_up else { continue };
            let others = answer.stations.iter().filter(|other| other.site != station.site);
            let chosen = others.fold(1 << place, |chosen, other| chosen | 1 << other.site);
            assert_eq!(town.covered(chosen, 4) + fewer, best, "seed {seed}: {station:?}");
        }
    }
}

#[test]
fn a_goal_under_spacing_takes_the_fewest_or_says_what_is_the_most() {
    let (mut met, mut missed) = (0, 0);
    for seed in 0..120 {
        let town = Town::new(seed);
        let mut goal = rule("corner", 4, TierGoal::Coverage(0.8));
        let n = town.n_sites as u32;
        goal.too_close = (0..n).flat_map(|one| (one + 1..n).map(move |other| (one, other))).collect();
        goal.too_close.retain(|pair| (pair.0 * 7 + pair.1 * 5 + seed as u32).is_multiple_of(3));
        let keeps =
            |chosen: &u32| goal.too_close.iter().all(|pair| chosen >> pair.0 & chosen >> pair.1 & 1 == 0);
        let total: u32 = town.households.iter().sum();
        let wanted = (0.8 * f64::from(total) - 1e-9).ceil() as u64;
        let answer = town.plan(&goal);
        let enough = town.sets().filter(keeps).filter(|&chosen| wanted <= town.covered(chosen, 4));
        match enough.map(u32::count_ones).min() {
            Some(fewest) => {
                met += 1;
                assert_eq!((answer.stations.len(), answer.proven), (fewest as usize, true), "seed {seed}");
                assert!(wanted <= answer.covered, "seed {seed}");
            }
            None => {
                missed += 1;
                let most = town.sets().filter(keeps).map(|chosen| town.covered(chosen, 4)).max();
                let [TierNote::GoalOutOfReach { households, .. }] = answer.notes[..] else {
                    panic!("seed {seed}: {:?}", answer.notes)
                };
                assert_eq!(Some(households), most, "seed {seed}");
            }
        }
    }
    assert!(10 < met && 10 < missed, "{met} met, {missed} missed");
}

#[test]
fn a_station_that_may_move_never_makes_a_plan_worse() {
    for seed in 0..120 {
        let mut town = Town::new(seed);
        town.sites[0].existing = Some(0);
        let count = rule("corner", 3, TierGoal::Count(1));
        let stays = town.plan(&count);
        let places: Vec<u32> = (1..town.n_sites as u32).step_by(2).collect();
        let keeps = |chosen: &u32| {
            chosen.count_ones() <= 2
                && (chosen & 1 == 1 || places.iter().any(|place| chosen >> place & 1 == 1))
        };
        let best = town.sets().filter(keeps).map(|chosen| town.covered(chosen, 3)).max().expect("a choice");
        town.sites[0].change = Some(Change::MoveTo(places.clone()));
        let moves = town.plan(&count);
        assert_eq!((moves.covered, moves.proven), (best, true), "seed {seed}");
        assert!(stays.covered <= moves.covered, "seed {seed}");
        if let [closed] = &moves.closed[..] {
            let to = closed.moved_to.expect("it moves");
            assert!(places.contains(&to) && moves.stations.iter().any(|station| station.site == to));
        }
    }
}

#[test]
fn a_budget_does_not_pay_for_places_of_unknown_cost() {
    let mut sites = four_sites();
    sites[1].cost = None;
    let answers = check(&[rule("corner", 1, TierGoal::Budget(10))], &sites);
    let chosen: Vec<u32> = answers[0].stations.iter().map(|station| station.site).collect();
    // Of those of known cost site 2 serves most: 30+40+50.
    assert_eq!((chosen, answers[0].covered), (vec![2], 120));
    assert_eq!(answers[0].notes, [TierNote::UnknownCost { tier: "corner".into(), count: 1 }]);
}
