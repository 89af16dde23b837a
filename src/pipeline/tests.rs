#![expect(clippy::unwrap_used, reason = "tests")]

use std::ops::ControlFlow;

use geo::Area;

use super::*;
use crate::model::{CoverageMethod, CoverageScope, StationStatus};
use crate::params::Effort;
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
