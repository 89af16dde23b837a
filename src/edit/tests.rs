#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::model::{LedgerEntry, StationStatus};
use crate::testing::{toy_plan, toy_scenario};

const A: &str = "370602001001001";
const B: &str = "370602001001002";
const LOCKED: &str = "370602001001004";

fn toy() -> (Scenario, Plan) {
    let scenario = toy_scenario();
    let mut plan = toy_plan(&scenario);
    plan.ledger.clear();
    (scenario, plan)
}

fn try_line(scenario: &mut Scenario, plan: &mut Plan, line: &str) -> Result<Applied, EditError> {
    let entries = read_lines(line, &Stamp::default())?;
    let mut halve = |_: &Scenario, _: &Plan, _: GridId| Ok(vec![AtomId(0), AtomId(1)]);
    let size = GridSize::around(crate::units::Households(300), 0.1);
    let sizes = Sizes { urban: Some(size), resettlement: Some(size), rural: None, ..Sizes::default() };
    let mut done = apply(scenario, plan, &mut Tools { sizes, halve: &mut halve }, &entries)?;
    Ok(done.remove(0))
}

/// What a restored plan must be equal in; outlines and bounds are drawn again by the pipeline.
fn bare((scenario, plan): &(Scenario, Plan)) -> (Scenario, Plan) {
    let (scenario, mut plan) = (scenario.clone(), plan.clone());
    plan.ledger.clear();
    for grid in &mut plan.partition.grids {
        grid.outline = geo::MultiPolygon(Vec::new());
        grid.bounds_text = crate::model::Text::default();
        grid.reason = None;
    }
    plan.coverage.rows.clear();
    (scenario, plan)
}

#[test]
fn every_kind_of_edit_is_undone_by_its_inverse_and_done_again_by_the_inverse_of_that() {
    let lines = [
        format!(r#"{{"op":"move","buildings":["b0001","b0002"],"to":"{B}"}}"#),
        format!(r#"{{"op":"move","compounds":["河西花园"],"to":"{B}"}}"#),
        format!(r#"{{"op":"merge","grids":["{A}","{B}"],"into":"{B}"}}"#),
        format!(r#"{{"op":"split","grid":"{A}"}}"#),
        format!(r#"{{"op":"split","grid":"{A}","units":["b0003"],"name":"东片"}}"#),
        r#"{"op":"new_grid","buildings":["b0001","b0009"]}"#.to_owned(),
        format!(r#"{{"op":"lock","grid":"{A}"}}"#),
        format!(r#"{{"op":"unlock","grid":"{LOCKED}"}}"#),
        format!(r#"{{"op":"rename","grid":"{LOCKED}","name":"西片"}}"#),
        format!(r#"{{"op":"note","grid":"{LOCKED}","note":"待复核"}}"#),
        format!(r#"{{"op":"set_class","grid":"{A}","class":"exclusive"}}"#),
        r#"{"op":"set_households","building":"b0001","households":41,"source":"x"}"#.to_owned(),
        r#"{"op":"set_households","building":"b0055","households":7,"residents":20,"source":"x"}"#.to_owned(),
        r#"{"op":"add_station","tier":"corner","premise":"p4"}"#.to_owned(),
        r#"{"op":"add_station","tier":"compound","at":[622100.1,4157100.7],"status":"existing"}"#.to_owned(),
        r#"{"op":"move_station","station":"YT-0005","at":[622100.1,4157100.7]}"#.to_owned(),
        r#"{"op":"close_station","station":"YT-0001"}"#.to_owned(),
        r#"{"op":"close_station","station":"YT-0005"}"#.to_owned(),
        r#"{"op":"reopen_station","station":"YT-0003"}"#.to_owned(),
        r#"{"op":"add_premise","id":"p2b","at":[622100.1,4157100.7],"area_m2":33.3}"#.to_owned(),
    ];
    for line in lines {
        let before = toy();
        let mut now = before.clone();
        let done = try_line(&mut now.0, &mut now.1, &line).unwrap();
        let after = bare(&now);
        assert!(after != bare(&before), "{line} changed nothing");
        // The inverse goes through its text form, as in the ledger.
        let inverse = Edit::from_json(&done.inverse.to_json()).unwrap();
        assert_eq!(inverse, done.inverse, "{line}");
        let back = try_line(&mut now.0, &mut now.1, &inverse.to_json()).unwrap();
        assert!(bare(&now) == bare(&before), "{line} is not undone");
        try_line(&mut now.0, &mut now.1, &back.inverse.to_json()).unwrap();
        assert!(bare(&now) == after, "{line} is not done again");
    }
}

#[test]
fn numbers_go_on_after_the_largest_that_was_ever_used() {
    let (mut scenario, mut plan) = toy();
    // 005 is retired in the toy plan.
    try_line(&mut scenario, &mut plan, &format!(r#"{{"op":"split","grid":"{A}"}}"#)).unwrap();
    let new = plan.partition.grids.iter().find(|grid| grid.lineage == [A]).unwrap();
    assert_eq!((new.code.as_str(), new.name.as_str()), ("370602001001006", "河西社区第6网格"));
    let community = |code: &str| plan.partition.grids.iter().position(|grid| grid.code == code).unwrap();
    assert_eq!(community("370602001001006"), community(LOCKED) + 1, "grids stand by community, then number");
}

#[test]
fn closing_keeps_what_stands_and_drops_what_was_only_planned() {
    let (mut scenario, mut plan) = toy();
    try_line(&mut scenario, &mut plan, r#"{"op":"close_station","station":"YT-0001"}"#).unwrap();
    try_line(&mut scenario, &mut plan, r#"{"op":"close_station","station":"YT-0005"}"#).unwrap();
    let status = |code: &str| plan.stations.iter().find(|one| one.code == code).map(|one| one.status);
    assert_eq!((status("YT-0001"), status("YT-0005")), (Some(StationStatus::Closed), None));
    assert!(scenario.stations.iter().all(|station| station.status != StationStatus::Chosen));
    assert!(plan.tiers.is_empty(), "what siting proved was about other stations");
}

#[test]
fn bounds_that_an_edit_makes_untrue_are_dropped() {
    let (mut scenario, mut plan) = toy();
    let bounds = |plan: &Plan, i: usize| {
        (plan.partition.quality[i].n_out_of_range_bound, plan.partition.quality[i].cut_cost_bound)
    };
    // 河东 has no lock: as many grids and households as before, so the number out of range stays proven.
    try_line(&mut scenario, &mut plan, r#"{"op":"move","buildings":["b0033"],"to":"370602001002002"}"#)
        .unwrap();
    assert_eq!(bounds(&plan, 1), (1, None));
    try_line(&mut scenario, &mut plan, r#"{"op":"merge","grids":["370602001002001","370602001002002"]}"#)
        .unwrap();
    assert_eq!(bounds(&plan, 1), (0, None));
    assert_eq!(bounds(&plan, 0).1, Some(1_320.0), "nobody touched the other community");
}

#[test]
fn the_ledger_tells_what_stands() {
    let edit = |undoes: Option<usize>| {
        let edit = undoes.map_or(Edit::Lock { grid: "1".to_owned() }, |undoes| Edit::Restore {
            steps: Vec::new(),
            undoes: Some(undoes),
        });
        let inverse = Edit::Restore { steps: Vec::new(), undoes: None };
        let (edit, inverse) = (Some(edit.to_json()), Some(inverse.to_json()));
        let text = String::new;
        LedgerEntry { who: text(), when: text(), what: text(), why: text(), basis: text(), edit, inverse }
    };
    let step = || LedgerEntry { edit: None, inverse: None, what: "gridplan redraw".to_owned(), ..edit(None) };
    assert_eq!(standing(&[edit(None), edit(None)]).unwrap(), [0, 1]);
    assert_eq!(standing(&[edit(None), edit(None), edit(Some(2))]).unwrap(), [0]);
    assert_eq!(standing(&[edit(None), edit(None), edit(Some(2)), edit(None), edit(Some(1))]).unwrap(), [3]);
    assert_eq!(standing(&[edit(None), step(), edit(None)]).unwrap(), [2]);
    let error = take_back(&[edit(None), step()], 1, &Stamp::default()).unwrap_err().to_string();
    assert!(error.contains("only 0 stand since `gridplan redraw`"), "{error}");
    let undo = take_back(&[edit(None), edit(None)], 2, &Stamp::default()).unwrap();
    let rows = undo.iter().map(|entry| match &entry.edit {
        Edit::Restore { undoes, .. } => *undoes,
        _ => None,
    });
    assert_eq!(rows.collect::<Vec<_>>(), [Some(2), Some(1)], "the last one first");
}

#[test]
fn a_line_may_say_who_when_why_and_on_what_basis() {
    let usual = Stamp { who: "甲".into(), when: "2026".into(), why: "w".into(), basis: String::new() };
    let text = "\u{feff}\n{\"op\":\"lock\",\"grid\":\"1\",\"who\":\"乙\",\"basis\":\"纪要\"}\r\n\n{\"op\":\"lock\",\"grid\":\"2\"}";
    let entries = read_lines(text, &usual).unwrap();
    assert_eq!(entries.iter().map(|entry| entry.line).collect::<Vec<_>>(), [2, 4]);
    assert_eq!(entries[0].stamp, Stamp { who: "乙".into(), basis: "纪要".into(), ..usual.clone() });
    assert_eq!(entries[1].stamp, usual);
}
