#![expect(clippy::unwrap_used, reason = "tests")]

use std::ops::ControlFlow;

use geo::Area;

use super::*;
use crate::model::{CoverageMethod, CoverageScope, Station, StationStatus, StationTier};
use crate::params::{Aim, Effort, TierParams};
use crate::synth::{SynthParams, city};
use crate::units::Households;

fn small_city() -> Scenario {
    city(&SynthParams { households: Households(2_500), seed: 3 }, &mut |_| ())
}

fn draft() -> Params {
    let mut params = Params::default();
    params.grid.effort = Effort::Draft;
    params
}

fn planned(scenario: &Scenario, params: &Params) -> Plan {
    plan(scenario, params, &|_, _| ControlFlow::Continue(())).unwrap()
}

fn on_threads<T: Send>(n: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap().install(work)
}

#[test]
fn every_rule_holds_on_an_invented_city() {
    let scenario = small_city();
    let plan = planned(&scenario, &draft());
    plan.partition.check(&scenario).unwrap();
    for grid in plan.partition.grids.iter().filter(|grid| !grid.is_in_range()) {
        assert!(grid.reason.is_some(), "{} has {} households and no reason", grid.code, grid.households);
    }
    for (index, community) in scenario.communities.iter().enumerate() {
        let grids = plan.partition.grids.iter().filter(|grid| grid.community.index() == index);
        let area: f64 = grids.map(|grid| grid.outline.unsigned_area()).sum();
        let whole = community.outline.unsigned_area();
        assert!((area - whole).abs() < 1.0, "{}: grids {area} m², community {whole} m²", community.name);
    }
}

#[test]
fn small_compounds_stay_whole() {
    let scenario = small_city();
    let plan = planned(&scenario, &draft());
    let high = draft().grid_size(crate::model::GridClass::Urban).unwrap().high;
    for (index, compound) in scenario.compounds.iter().enumerate() {
        let rows = || {
            (0..scenario.atoms.len())
                .filter(|&row| scenario.atoms[row].compound.is_some_and(|id| id.index() == index))
        };
        let households: Households = rows().map(|row| scenario.atoms[row].households).sum();
        let mut grids: Vec<_> = rows()
            .filter(|&row| !scenario.atoms[row].exclusive && !scenario.atoms[row].locked)
            .filter_map(|row| plan.partition.grid_of[row])
            .collect();
        grids.sort_unstable();
        grids.dedup();
        assert!(
            high < households || grids.len() <= 1,
            "{} of {households} households is divided",
            compound.source
        );
    }
}

#[test]
fn any_number_of_threads_gives_the_same_plan() {
    let scenario = small_city();
    let hash = |n| on_threads(n, || planned(&scenario, &draft()).provenance.plan_hash);
    assert_eq!(hash(1), hash(4));
}

#[test]
fn another_input_has_another_fingerprint() {
    let scenario = small_city();
    let mut other = scenario.clone();
    other.atoms[0].households += Households(1);
    assert_ne!(hash::of_scenario(&scenario), hash::of_scenario(&other));
}

#[test]
fn existing_stations_stay_and_circles_grow_with_minutes() {
    let scenario = small_city();
    let plan = planned(&scenario, &draft());
    for station in &scenario.stations {
        let kept = plan.stations.iter().find(|other| other.code == station.code).unwrap();
        assert_eq!(kept.status, StationStatus::Existing);
    }
    let share = |minutes| {
        plan.coverage.row(CoverageScope::All, None, CoverageMethod::NetworkTime, minutes).unwrap().share()
    };
    assert!(share(5) <= share(10) && share(10) <= share(15));
    assert!(!plan.circles.is_empty());
}

#[test]
fn a_redraw_of_an_unchanged_plan_keeps_codes_and_households() {
    let scenario = small_city();
    let before = planned(&scenario, &draft());
    let mut after = before.clone();
    redraw_grids(&scenario, &draft(), &RedrawParams { max_moved: 0.05 }, &mut after, &|_, _| {
        ControlFlow::Continue(())
    })
    .unwrap();
    let found = crate::compare::compare((&scenario, Some(&before)), (&scenario, Some(&after)));
    assert!(found.moved_share() <= 0.05, "{:?}", found.moved_share());
}

#[test]
fn stopping_gives_no_plan() {
    let error = plan(&small_city(), &draft(), &|_, _| ControlFlow::Break(())).unwrap_err();
    assert!(matches!(error, PlanError::Cancelled), "{error}");
}

#[test]
fn a_place_without_people_or_buildings_is_refused_with_what_to_do() {
    let mut scenario = small_city();
    scenario.atoms.iter_mut().for_each(|atom| atom.households = Households(0));
    let error = plan(&scenario, &draft(), &|_, _| ControlFlow::Continue(())).unwrap_err().to_string();
    assert!(error.contains("--column households"), "{error}");
    scenario.atoms.iter_mut().for_each(|atom| atom.community = None);
    let error = plan(&scenario, &draft(), &|_, _| ControlFlow::Continue(())).unwrap_err().to_string();
    assert!(error.contains("gridplan check"), "{error}");
}

#[test]
fn new_places_are_suggested_where_households_are_unserved() {
    let mut scenario = small_city();
    // One premise only: most households stay beyond every circle.
    scenario.premises.truncate(1);
    let mut params = draft();
    params.siting.candidate_spacing = 0.0;
    params.siting.tiers[1].goal = 1.0;
    let plan = planned(&scenario, &params);
    let kind = crate::model::FindingKind::SuggestedSite;
    let suggested: Vec<_> = plan.findings.iter().filter(|finding| finding.kind == kind).collect();
    assert!(!suggested.is_empty() && suggested.iter().all(|finding| finding.at.is_some()));
    // A candidate at the first place serves at least as many as the suggestion says.
    let gain_of =
        |text: &str| text.split("bring ").nth(1).unwrap().split(' ').next().unwrap().parse::<u64>().unwrap();
    let compound = plan.tiers.iter().find(|tier| tier.tier == crate::model::StationTier::Compound).unwrap();
    let first = suggested.iter().find(|finding| finding.message.en.contains("within 5 min")).unwrap();
    let premise = crate::model::Premise { at: first.at.unwrap(), ..scenario.premises[0].clone() };
    scenario.premises.push(premise);
    let again = planned(&scenario, &params);
    let better = again.tiers.iter().find(|tier| tier.tier == crate::model::StationTier::Compound).unwrap();
    assert!(
        compound.objective + gain_of(&first.message.en) as f64 <= better.objective,
        "{:?}",
        first.message
    );
}

#[test]
fn without_streets_stations_are_chosen_by_straight_distance_and_a_finding_says_so() {
    let mut scenario = small_city();
    scenario.streets.clear();
    let plan = planned(&scenario, &draft());
    let said = |finding: &crate::model::Finding| {
        finding.kind == crate::model::FindingKind::NoStreets && finding.layer == "stations"
    };
    assert!(plan.findings.iter().any(said));
    assert!(plan.tiers.iter().any(|tier| tier.objective > 0.0));
}

/// A city in which nothing stands yet.
fn city_without_stations() -> Scenario {
    Scenario { stations: Vec::new(), ..small_city() }
}

/// The tier of neighbourhood stations alone, with a change to its parameters.
fn compound_tier(change: impl FnOnce(&mut TierParams)) -> Params {
    let mut params = draft();
    params.siting.tiers.remove(0);
    change(&mut params.siting.tiers[0]);
    params
}

fn chosen(plan: &Plan) -> Vec<&Station> {
    plan.stations.iter().filter(|station| station.status == StationStatus::Chosen).collect()
}

#[test]
fn new_stations_keep_the_spacing_asked_for() {
    let scenario = city_without_stations();
    let places = |spacing| {
        let plan = planned(&scenario, &compound_tier(|tier| tier.spacing = spacing));
        chosen(&plan).iter().map(|station| station.at).collect::<Vec<_>>()
    };
    let closest = |places: &[geo::Coord<f64>]| {
        let pairs = places.iter().enumerate().flat_map(|(i, &a)| places[..i].iter().map(move |&b| (a, b)));
        pairs.map(|(a, b)| crate::geometry::straight_distance(a, b)).fold(f64::INFINITY, f64::min)
    };
    let free = closest(&places(None));
    assert!(free.is_finite(), "several stations are needed");
    let wanted = free + 50.0;
    assert!(wanted <= closest(&places(Some(wanted))), "{free}");
}

#[test]
fn stations_placed_for_short_walks_walk_less_and_say_how_much() {
    let scenario = city_without_stations();
    let aimed = |aim| {
        let params = compound_tier(|tier| {
            (tier.stations, tier.aim) = (Some(4), aim);
        });
        planned(&scenario, &params)
    };
    let mean = |plan: &Plan| {
        let words = &plan.tiers.iter().find(|tier| tier.tier == StationTier::Compound).unwrap().goal.en;
        words.split(": ").nth(1).unwrap().split(' ').next().unwrap().parse::<f64>().unwrap()
    };
    let (walks, farthest) = (aimed(Aim::Walks), aimed(Aim::Farthest));
    assert_eq!((chosen(&walks).len(), chosen(&farthest).len()), (4, 4));
    assert!(mean(&walks) < mean(&farthest), "the mean is below the longest");
    assert!(chosen(&walks)[0].reason.en.contains("the mean walk is"), "{}", chosen(&walks)[0].reason.en);
    // No more households within the circle than where coverage is the aim.
    let cover = aimed(Aim::Coverage);
    let objective =
        |plan: &Plan| plan.tiers.iter().find(|tier| tier.tier == StationTier::Compound).unwrap().objective;
    assert!(objective(&walks) <= objective(&cover));
}

#[test]
fn a_station_that_may_close_does_where_another_place_serves_better() {
    let mut scenario = city_without_stations();
    let before = planned(&scenario, &compound_tier(|_| {}));
    // Two stations on one spot: one of them is of no use.
    let standing =
        Station { status: StationStatus::Existing, code: "OLD-1".into(), ..chosen(&before)[0].clone() };
    scenario.stations = vec![standing.clone(), Station { code: "OLD-2".into(), ..standing }];
    let closable = |code: &str, most| {
        compound_tier(|tier| {
            tier.may_close = vec![code.to_owned()];
            tier.most_closed = most;
        })
    };
    let plan = planned(&scenario, &closable("*", Some(1)));
    let closed: Vec<&Station> =
        plan.stations.iter().filter(|station| station.status == StationStatus::Closed).collect();
    assert_eq!(closed.len(), 1);
    assert!(closed[0].reason.en.starts_with("closes; staying would cover 0"), "{}", closed[0].reason.en);
    let kept = planned(&scenario, &compound_tier(|_| {}));
    assert!(kept.stations.iter().all(|station| station.status != StationStatus::Closed));
    let error =
        super::plan(&scenario, &closable("NEW-9", None), &|_, _| ControlFlow::Continue(())).unwrap_err();
    assert!(matches!(&error, PlanError::UnknownStation { code, .. } if code == "NEW-9"), "{error}");
}

#[test]
fn whom_no_candidate_reaches_is_named_with_the_nearest_ones_walk() {
    let mut scenario = city_without_stations();
    scenario.premises.truncate(1);
    let mut params = compound_tier(|tier| tier.minutes = 2);
    params.siting.candidate_spacing = 0.0;
    let plan = planned(&scenario, &params);
    let kind = crate::model::FindingKind::NoCandidate;
    let found: Vec<_> = plan.findings.iter().filter(|finding| finding.kind == kind).collect();
    assert!(!found.is_empty() && found.iter().all(|finding| finding.at.is_some()));
    assert!(found[0].message.en.contains("min away"), "{}", found[0].message.en);
}

#[test]
fn curves_of_stations_and_of_money_rise_below_their_bounds() {
    let scenario = city_without_stations();
    let plan = planned(&scenario, &compound_tier(|_| {}));
    let answer = &plan.tiers[0];
    assert!(answer.frontier.len() > 2 && answer.money.len() > 2, "{answer:?}");
    for curve in [&answer.frontier, &answer.money] {
        assert!(curve.iter().all(|point| point.households <= point.bound));
        assert!(curve.windows(2).all(|pair| pair[0].households <= pair[1].households));
        assert!(
            curve.windows(2).all(|pair| pair[0].cost <= pair[1].cost || pair[0].stations < pair[1].stations)
        );
    }
}

#[test]
fn shops_and_venues_count_towards_a_grid_at_their_weight() {
    let scenario = small_city();
    let mut params = draft();
    params.grid.other_loads.shops = 2.0;
    params.grid.other_loads.organizations = 30.0;
    let weights = params.load_weights();
    let mut plan = planned(&scenario, &params);
    let loads = |plan: &Plan| {
        let mut loads = vec![0u32; plan.partition.grids.len()];
        for (atom, grid) in scenario.atoms.iter().zip(&plan.partition.grid_of) {
            if let Some(grid) = grid {
                loads[grid.index()] += weights.load(atom.households, atom.other_loads);
            }
        }
        loads
    };
    let of_grids = |plan: &Plan| plan.partition.grids.iter().map(|grid| grid.load).collect::<Vec<_>>();
    assert_eq!(of_grids(&plan), loads(&plan));
    assert!(plan.partition.grids.iter().any(|grid| grid.load > grid.households.0), "something counts");
    // The number of grids follows the load, and what is out of range says why.
    let plain = planned(&scenario, &draft());
    assert!(plain.partition.grids.len() < plan.partition.grids.len());
    assert!(plan.partition.grids.iter().all(|grid| grid.is_in_range() || grid.reason.is_some()));
    // An edit counts again with the same weights.
    let grids = &plan.partition.grids;
    let pair = (0..grids.len()).find_map(|from| {
        let near = |to: &usize| *to != from && grids[*to].community == grids[from].community;
        let to = (0..grids.len()).filter(near).find(|&to| grids[to].size.is_some())?;
        Some((from, to))
    });
    let (from, to) = pair.expect("a community of several grids");
    let row =
        plan.partition.grid_of.iter().position(|grid| grid.is_some_and(|id| id.index() == from)).unwrap();
    let (building, to) = (&scenario.atoms[row].source.0, &grids[to].code);
    let line = format!("{{\"op\":\"move\",\"buildings\":[\"{building}\"],\"to\":\"{to}\"}}");
    let entries = crate::edit::read_lines(&line, &crate::edit::Stamp::default()).unwrap();
    let mut edited = scenario.clone();
    super::edit(&mut edited, &mut plan, &mut None, &entries, &|_, _| ControlFlow::Continue(())).unwrap();
    assert_eq!(of_grids(&plan), loads(&plan));
}
