//! Edits of a planned city: whatever is done can be taken back to the last byte, at once or one by one.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use gridplan::edit::{Edit, EditError, Entry, NewPremise, NewStation, Stamp, read_lines};
use gridplan::model::{FindingKind, GridClass, GridId, HouseholdsSource, StationStatus, StationTier};
use gridplan::params::{Effort, Params};
use gridplan::pipeline::{self, EditReport, Ground, PlanError};
use gridplan::planfile::{self, PlanFile};
use gridplan::synth::{SynthParams, city};
use gridplan::units::Households;
use proptest::prelude::*;

/// A planned city of 2,500 households, as it is read from its file.
static CITY: LazyLock<PlanFile> = LazyLock::new(|| {
    let scenario = city(&SynthParams { households: Households(2_500), seed: 5 }, &mut |_| ());
    let mut params = Params::default();
    params.grid.effort = Effort::Draft;
    let plan = pipeline::plan(&scenario, &params, &|_, _| ControlFlow::Continue(())).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.gpkg");
    planfile::write(
        &path,
        &PlanFile { scenario, plan: Some(plan), rules: Vec::new(), lang: gridplan::model::Lang::Zh },
    )
    .unwrap();
    let mut read = planfile::read(&path).unwrap();
    // The invented city locks some grids; edits of all grids are tried here.
    for atom in &mut read.scenario.atoms {
        atom.locked = false;
    }
    let plan = read.plan.as_mut().unwrap();
    plan.partition.grids.iter_mut().for_each(|grid| grid.locked = false);
    plan.findings.retain(|finding| !finding.message.zh.contains("已锁定"));
    let mut ground = None;
    let note = entry(Edit::Note { grid: plan.partition.grids[0].code.clone(), note: "x".into() });
    run(&mut read, &mut ground, std::slice::from_ref(&note)).unwrap();
    undo(&mut read, &mut ground, 1).unwrap();
    read.plan.as_mut().unwrap().ledger.clear();
    read
});

fn entry(edit: Edit) -> Entry {
    let stamp = Stamp { who: "规划员甲".into(), when: "2026-03-02T09:30:00Z".into(), ..Stamp::default() };
    Entry { edit, stamp, line: 1 }
}

fn run(file: &mut PlanFile, ground: &mut Option<Ground>, entries: &[Entry]) -> Result<EditReport, PlanError> {
    let plan = file.plan.as_mut().unwrap();
    pipeline::edit(&mut file.scenario, plan, ground, entries, &|_, _| ControlFlow::Continue(()))
}

fn undo(file: &mut PlanFile, ground: &mut Option<Ground>, n: usize) -> Result<EditReport, PlanError> {
    let plan = file.plan.as_mut().unwrap();
    let stamp = Stamp::default();
    pipeline::undo(&mut file.scenario, plan, ground, n, &stamp, &|_, _| ControlFlow::Continue(()))
}

fn grids(file: &PlanFile) -> &[gridplan::model::Grid] {
    &file.plan.as_ref().unwrap().partition.grids
}

fn members(file: &PlanFile, code: &str) -> Vec<String> {
    let plan = file.plan.as_ref().unwrap();
    let id = grids(file).iter().position(|grid| grid.code == code).map(GridId::from_index);
    let labels = file.scenario.atoms.iter().zip(&plan.partition.grid_of);
    labels.filter(|(_, grid)| **grid == id).map(|(atom, _)| atom.source.0.clone()).collect()
}

/// The two grids of one community that have the most units.
fn neighbours(file: &PlanFile) -> (String, String) {
    let size = |grid: &gridplan::model::Grid| grid.n_atoms;
    let pairs = grids(file).iter().flat_map(|one| grids(file).iter().map(move |other| (one, other)));
    let sisters = pairs.filter(|(one, other)| one.community == other.community && one.code < other.code);
    let (one, other) = sisters.max_by_key(|(one, other)| size(one).min(size(other))).unwrap();
    assert!(3 < size(one) && 3 < size(other), "{} and {}", size(one), size(other));
    (one.code.clone(), other.code.clone())
}

/// Every row of every layer of a plan file as bytes, without the ledger.
fn layers(file: &PlanFile) -> Vec<(String, Vec<String>)> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.gpkg");
    planfile::write(&path, file).unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    let mut names = connection.prepare("SELECT table_name FROM gpkg_contents ORDER BY 1").unwrap();
    let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let rows = |name: &str| {
        let mut all = connection.prepare(&format!("SELECT * FROM \"{name}\"")).unwrap();
        let n = all.column_count();
        let text = |row: &rusqlite::Row<'_>| {
            let values = (0..n).map(|i| format!("{:?}", row.get_unwrap::<_, rusqlite::types::Value>(i)));
            Ok(values.collect::<Vec<_>>().join("|"))
        };
        all.query_map([], text).unwrap().map(Result::unwrap).collect()
    };
    let wanted = names.iter().filter(|name| !matches!(name.as_str(), "ledger" | "layer_styles"));
    wanted.map(|name| (name.clone(), rows(name))).collect()
}

fn assert_same(one: &PlanFile, other: &PlanFile, what: &str) {
    for ((name, rows), (_, others)) in layers(one).iter().zip(&layers(other)) {
        for (row, (a, b)) in rows.iter().zip(others).enumerate() {
            assert!(a == b, "{what}: {name} row {row}\n  {}\n  {}", shortened(a), shortened(b));
        }
        assert_eq!(rows.len(), others.len(), "{what}: rows of {name}");
    }
}

/// The part of a row that people can read.
fn shortened(row: &str) -> String {
    row.split('|').map(|value| value.chars().take(400).collect::<String>()).collect::<Vec<_>>().join(" | ")
}

/// Draws an edit that fits the plan as it is now.
fn invent(file: &PlanFile, kind: u8, a: usize, b: usize, c: usize) -> Edit {
    let plan = file.plan.as_ref().unwrap();
    let all = grids(file);
    let grid = all[a % all.len()].code.clone();
    let pick = |list: &[String], n: usize, from: usize| -> Vec<String> {
        (0..n.min(list.len())).map(|i| list[(from + i) % list.len()].clone()).collect()
    };
    let sisters: Vec<String> = all
        .iter()
        .filter(|other| other.community == all[a % all.len()].community && other.code != grid)
        .map(|other| other.code.clone())
        .collect();
    let inside = members(file, &grid);
    let sister = sisters.get(b % sisters.len().max(1)).cloned().unwrap_or_else(|| grid.clone());
    let station = plan.stations[b % plan.stations.len()].code.clone();
    let corner = plan.stations[c % plan.stations.len()].at;
    let at = Some([corner.x + (a % 97) as f64 * 0.37, corner.y - (b % 89) as f64 * 0.41]);
    match kind % 15 {
        0 | 1 => Edit::Move { buildings: pick(&inside, 1 + c % 4, b), compounds: Vec::new(), to: sister },
        2 => Edit::Merge { grids: vec![grid, sister], into: None },
        3 => Edit::Split { grid, buildings: Vec::new(), compounds: Vec::new(), name: None },
        4 => Edit::Split {
            grid,
            buildings: pick(&inside, 1 + c % 3, b),
            compounds: Vec::new(),
            name: Some("新".into()),
        },
        5 => {
            let mut buildings = pick(&inside, 2, b);
            buildings.extend(pick(&members(file, &sister), 2, c));
            Edit::NewGrid { buildings, compounds: Vec::new(), name: None }
        }
        6 => Edit::Lock { grid },
        7 => Edit::Unlock { grid },
        8 => Edit::Rename { grid, name: format!("第{c}号") },
        9 => Edit::SetClass { grid, class: GridClass::ALL[c % 4] },
        10 => {
            let building = file.scenario.atoms[b % file.scenario.atoms.len()].source.0.clone();
            let households = (c % 60) as u32;
            Edit::SetHouseholds { building, households, residents: None, source: "入户核查".into() }
        }
        11 => Edit::AddStation(NewStation {
            code: None,
            name: None,
            tier: StationTier::ALL[c % 5],
            premise: None,
            at,
            lonlat: None,
            status: if b.is_multiple_of(2) { StationStatus::Chosen } else { StationStatus::Existing },
            area_m2: None,
            capacity: None,
            reason: String::new(),
        }),
        12 => Edit::MoveStation { station, at, lonlat: None },
        13 => Edit::CloseStation { station },
        _ => Edit::AddPremise(NewPremise {
            id: format!("新-{a}-{c}"),
            name: None,
            at,
            lonlat: None,
            area_m2: Some(80.5),
            tenure: None,
            floor: Some(1),
            own_entrance: None,
            cost_yuan: None,
            capacity: None,
        }),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn apply_then_undo_is_the_same_plan_and_at_once_is_one_by_one(
        wishes in prop::collection::vec((any::<u8>(), any::<usize>(), any::<usize>(), any::<usize>()), 1..7)
    ) {
        let mut ground = Some(Ground::of(&CITY.scenario).unwrap());
        let mut stepwise = CITY.clone();
        let mut taken = Vec::new();
        for (kind, a, b, c) in wishes {
            let wish = entry(invent(&stepwise, kind, a, b, c));
            let before = stepwise.clone();
            match run(&mut stepwise, &mut ground, std::slice::from_ref(&wish)) {
                Ok(_) => taken.push(wish),
                // What is refused changes nothing.
                Err(PlanError::Edit(_)) => prop_assert!(before == stepwise),
                Err(error) => panic!("{error}"),
            }
            stepwise.plan.as_ref().unwrap().partition.check(&stepwise.scenario).unwrap();
        }
        prop_assume!(!taken.is_empty());
        let mut at_once = CITY.clone();
        run(&mut at_once, &mut ground, &taken).unwrap();
        assert_same(&stepwise, &at_once, "one by one, at once");
        // One is taken back and done again, then all.
        undo(&mut at_once, &mut ground, 1).unwrap();
        run(&mut at_once, &mut ground, &taken[taken.len() - 1..]).unwrap();
        assert_same(&stepwise, &at_once, "done again");
        for (name, file) in [("one by one", &mut stepwise), ("at once", &mut at_once)] {
            undo(file, &mut ground, taken.len()).unwrap();
            assert_same(file, &CITY, name);
        }
        prop_assert_eq!(
            &stepwise.plan.as_ref().unwrap().provenance,
            &CITY.plan.as_ref().unwrap().provenance
        );
    }
}

#[test]
fn a_drawing_that_nobody_edited_is_drawn_the_same_again() {
    // A move there and its undo draws every community from its plots once more.
    let mut file = CITY.clone();
    let mut ground = None;
    let mut done = 0;
    for pair in grids(&CITY.clone()).windows(2).filter(|pair| pair[0].community == pair[1].community) {
        let units = members(&file, &pair[0].code);
        if units.len() < 2 {
            continue;
        }
        let there =
            Edit::Move { buildings: units[..1].to_vec(), compounds: vec![], to: pair[1].code.clone() };
        run(&mut file, &mut ground, &[entry(there)]).unwrap();
        undo(&mut file, &mut ground, 1).unwrap();
        assert_same(&file, &CITY, &pair[0].code);
        done += 1;
    }
    assert!(2 < done, "{done} grids were tried");
}

#[test]
fn grids_still_tile_their_community_after_edits() {
    use geo::Area;
    let mut file = CITY.clone();
    let (from, to) = neighbours(&file);
    let units = members(&file, &from);
    let there = Edit::Move { buildings: units[..2].to_vec(), compounds: vec![], to: to.clone() };
    let half = Edit::Split { grid: to.clone(), buildings: vec![], compounds: vec![], name: None };
    run(&mut file, &mut None, &[entry(there), entry(half)]).unwrap();
    for (index, community) in file.scenario.communities.iter().enumerate() {
        let of_it = grids(&file).iter().filter(|grid| grid.community.index() == index);
        let area: f64 = of_it.map(|grid| grid.outline.unsigned_area()).sum();
        let whole = community.outline.unsigned_area();
        assert!((area - whole).abs() < 1.0, "{}: grids {area} m², community {whole} m²", community.name);
    }
    let overlap = |a: &geo::MultiPolygon<f64>, b: &geo::MultiPolygon<f64>| {
        geo::BooleanOps::intersection(a, b).unsigned_area()
    };
    let all = grids(&file);
    for (i, one) in all.iter().enumerate() {
        for other in all[i + 1..].iter().filter(|other| other.community == one.community) {
            let shared = overlap(&one.outline, &other.outline);
            assert!(shared < 0.01, "{} and {} share {shared} m²", one.code, other.code);
        }
    }
}

#[test]
fn a_move_changes_counts_coverage_and_hash() {
    let mut file = CITY.clone();
    let (from, to) = neighbours(&file);
    let unit = members(&file, &from)
        .into_iter()
        .find(|id| file.scenario.atoms.iter().any(|atom| atom.source.0 == *id && 0 < atom.households.0))
        .unwrap();
    let households =
        |file: &PlanFile, code: &str| grids(file).iter().find(|grid| grid.code == code).unwrap().households.0;
    let (a, b) = (households(&file, &from), households(&file, &to));
    let moved = file.scenario.atoms.iter().find(|atom| atom.source.0 == unit).unwrap().households.0;
    let edit = Edit::Move { buildings: vec![unit.clone()], compounds: vec![], to: to.clone() };
    let report = run(&mut file, &mut None, &[entry(edit)]).unwrap();
    assert_eq!((households(&file, &from), households(&file, &to)), (a - moved, b + moved));
    assert!(report.grids.iter().any(|grid| grid.before == Some(a) && grid.now == Some(a - moved)));
    let (plan, before) = (file.plan.as_ref().unwrap(), CITY.plan.as_ref().unwrap());
    assert_ne!(plan.provenance.plan_hash, before.provenance.plan_hash);
    assert_ne!(plan.coverage.rows, before.coverage.rows);
    let line = plan.ledger.last().unwrap();
    assert!(line.who == "规划员甲" && line.what.contains(&unit) && line.what.contains(&to), "{line:?}");
    assert!(line.edit.as_ref().unwrap().contains("\"op\":\"move\""));
    assert!(line.inverse.as_ref().unwrap().contains("\"op\":\"restore\""));
}

#[test]
fn codes_are_retired_once_and_for_all_and_lineage_is_kept() {
    let mut file = CITY.clone();
    let mut ground = None;
    let (a, b) = neighbours(&file);
    run(&mut file, &mut ground, &[entry(Edit::Merge { grids: vec![a.clone(), b.clone()], into: None })])
        .unwrap();
    let kept = grids(&file).iter().find(|grid| grid.code == a).unwrap();
    assert!(kept.lineage.contains(&b), "{:?}", kept.lineage);
    assert!(file.plan.as_ref().unwrap().partition.retired_codes.contains(&b));
    // The grid that is split off gets a number that nobody had.
    let half = Edit::Split { grid: a.clone(), buildings: vec![], compounds: vec![], name: None };
    run(&mut file, &mut ground, &[entry(half)]).unwrap();
    let known: Vec<&str> = grids(&CITY).iter().map(|grid| grid.code.as_str()).collect();
    let new = grids(&file).iter().find(|grid| !known.contains(&grid.code.as_str())).unwrap();
    assert_ne!(new.code, b);
    assert_eq!(new.lineage, vec![a.clone()]);
    // Who asks for the retired one is told where it went.
    let message =
        run(&mut file, &mut ground, &[entry(Edit::Lock { grid: b.clone() })]).unwrap_err().to_string();
    assert!(message.contains(&b) && message.contains(&format!("`{a}` continues it")), "{message}");
}

#[test]
fn a_grid_that_loses_its_last_unit_is_retired() {
    let mut file = CITY.clone();
    let (a, b) = neighbours(&file);
    let all = members(&file, &b);
    let edit = Edit::Move { buildings: all, compounds: vec![], to: a.clone() };
    let report = run(&mut file, &mut None, &[entry(edit)]).unwrap();
    assert!(grids(&file).iter().all(|grid| grid.code != b));
    assert!(report.grids.iter().any(|grid| grid.code == b && grid.now.is_none()));
    let kept = grids(&file).iter().find(|grid| grid.code == a).unwrap();
    assert!(kept.lineage.contains(&b) && file.plan.as_ref().unwrap().partition.retired_codes.contains(&b));
}

#[test]
fn locked_grids_stay_as_they_are() {
    let mut file = CITY.clone();
    let mut ground = None;
    let (a, b) = neighbours(&file);
    run(&mut file, &mut ground, &[entry(Edit::Lock { grid: a.clone() })]).unwrap();
    let unit = members(&file, &a)[..1].to_vec();
    for edit in [
        Edit::Move { buildings: unit.clone(), compounds: vec![], to: b.clone() },
        Edit::Move { buildings: members(&file, &b)[..1].to_vec(), compounds: vec![], to: a.clone() },
        Edit::Merge { grids: vec![b.clone(), a.clone()], into: None },
        Edit::Split { grid: a.clone(), buildings: unit.clone(), compounds: vec![], name: None },
        Edit::NewGrid { buildings: unit.clone(), compounds: vec![], name: None },
        Edit::SetClass { grid: a.clone(), class: GridClass::Exclusive },
    ] {
        let before = file.clone();
        let message = run(&mut file, &mut ground, &[entry(edit.clone())]).unwrap_err().to_string();
        assert!(message.contains(&format!("`{a}` is locked")) && message.contains("unlock"), "{message}");
        assert!(before == file, "{edit:?} left a trace");
    }
    let both =
        [entry(Edit::Unlock { grid: a }), entry(Edit::Move { buildings: unit, compounds: vec![], to: b })];
    run(&mut file, &mut ground, &both).unwrap();
}

#[test]
fn a_grid_in_pieces_is_a_warning_and_blocks_only_submission() {
    let mut file = CITY.clone();
    let mut ground = None;
    assert_eq!(pipeline::blocks(&file.scenario, file.plan.as_ref().unwrap(), &mut ground).unwrap(), vec![]);
    // Some building of a grid that does not touch another grid of its community leaves that one in pieces.
    let pairs: Vec<(String, String)> = grids(&CITY)
        .iter()
        .flat_map(|one| grids(&CITY).iter().map(move |other| (one, other)))
        .filter(|(one, other)| one.community == other.community && one.code != other.code)
        .map(|(one, other)| (one.code.clone(), other.code.clone()))
        .collect();
    let mut seen = false;
    for (from, to) in pairs {
        for unit in members(&file, &from) {
            let edit = Edit::Move { buildings: vec![unit.clone()], compounds: vec![], to: to.clone() };
            let Ok(report) = run(&mut file, &mut ground, &[entry(edit)]) else { continue };
            let loose = |kind| kind == FindingKind::DisconnectedGrid;
            let blocks = pipeline::blocks(&file.scenario, file.plan.as_ref().unwrap(), &mut ground).unwrap();
            if let Some(warning) = report
                .warnings
                .iter()
                .find(|finding| loose(finding.kind) && finding.message.zh.contains(&unit))
            {
                assert!(
                    warning.message.zh.contains("2 块") || warning.message.zh.contains("3 块"),
                    "{}",
                    warning.message
                );
                seen |= blocks.iter().any(|block| block.message == warning.message);
            }
            undo(&mut file, &mut ground, 1).unwrap();
            if seen {
                return;
            }
        }
    }
    panic!("no building could be cut off");
}

#[test]
fn a_count_set_by_hand_keeps_its_source() {
    let mut file = CITY.clone();
    let unit =
        file.scenario.atoms.iter().find(|atom| 10 < atom.households.0 && atom.residents.0 != 0).unwrap();
    let (id, ratio) = (unit.source.0.clone(), f64::from(unit.residents.0) / f64::from(unit.households.0));
    let text = format!(
        r#"{{"op":"set_households","building":"{id}","households":100,"source":"2026-03 入户核查","basis":"纪要3号"}}"#
    );
    run(&mut file, &mut None, &read_lines(&text, &Stamp::default()).unwrap()).unwrap();
    let unit = file.scenario.atoms.iter().find(|atom| atom.source.0 == id).unwrap();
    assert_eq!((unit.households, unit.households_source), (Households(100), HouseholdsSource::Manual));
    assert!((f64::from(unit.residents.0) - 100.0 * ratio).abs() <= 0.5, "{} residents", unit.residents);
    let plan = file.plan.as_ref().unwrap();
    assert_eq!(plan.ledger.last().unwrap().basis, "纪要3号；2026-03 入户核查");
    assert_ne!(plan.provenance.input_hash, CITY.plan.as_ref().unwrap().provenance.input_hash);
    assert!(plan.tiers.is_empty(), "bounds of other counts are kept");
}

#[test]
fn a_closed_station_serves_nobody_until_it_is_reopened() {
    let mut file = CITY.clone();
    let mut ground = None;
    let station = CITY.plan.as_ref().unwrap().stations.iter().find(|s| s.status == StationStatus::Existing);
    let code = station.unwrap().code.clone();
    let served = |file: &PlanFile| {
        let plan = file.plan.as_ref().unwrap();
        let near = |atom: &gridplan::model::AtomCoverage| {
            atom.nearest.is_ok_and(|(id, _)| plan.stations[id.index()].code == code)
        };
        plan.coverage.atoms.iter().filter(|atom| near(atom)).count()
    };
    assert!(0 < served(&file));
    run(&mut file, &mut ground, &[entry(Edit::CloseStation { station: code.clone() })]).unwrap();
    assert_eq!(served(&file), 0);
    assert!(file.scenario.stations.iter().any(|s| s.code == code && s.status == StationStatus::Closed));
    run(&mut file, &mut ground, &[entry(Edit::ReopenStation { station: code.clone() })]).unwrap();
    assert_eq!(served(&file), served(&CITY));
}

#[test]
fn a_redraw_ends_what_can_be_taken_back() {
    let mut file = CITY.clone();
    let mut ground = None;
    let code = grids(&file)[0].code.clone();
    run(&mut file, &mut ground, &[entry(Edit::Rename { grid: code, name: "甲".into() })]).unwrap();
    let mut line = file.plan.as_ref().unwrap().ledger[0].clone();
    (line.edit, line.inverse, line.what) = (None, None, "gridplan redraw".into());
    file.plan.as_mut().unwrap().ledger.push(line);
    let message = undo(&mut file, &mut ground, 1).unwrap_err().to_string();
    assert!(message.contains("only 0 stand since `gridplan redraw`"), "{message}");
}

fn problem(file: &PlanFile, text: &str) -> String {
    let tried = read_lines(text, &Stamp::default()).map_err(PlanError::Edit);
    let mut copy = file.clone();
    let error = tried.and_then(|entries| run(&mut copy, &mut None, &entries)).unwrap_err();
    assert!(copy == *file, "{text} left a trace");
    assert!(matches!(error, PlanError::Edit(EditError { .. })), "{error}");
    error.to_string()
}

#[test]
fn every_mistake_is_named_with_its_line_and_what_to_do() {
    let (a, b) = neighbours(&CITY);
    let unit = members(&CITY, &a).remove(0);
    let stranger = grids(&CITY).iter().find(|grid| !grid.code.starts_with(&a[..12])).unwrap().code.clone();
    let rows = [
        ("{}".to_owned(), "missing field `op`"),
        ("[1]".to_owned(), "write one JSON object"),
        (r#"{"op":"fly"}"#.to_owned(), "unknown variant `fly`"),
        (r#"{"op":"lock","grid":"1","who":7}"#.to_owned(), "`who` is 7"),
        (format!(r#"{{"op":"lock","grid":"{a}","colour":"red"}}"#), "unknown field `colour`"),
        (r#"{"op":"lock","grid":"77"}"#.to_owned(), "no grid `77`"),
        (format!(r#"{{"op":"move","buildings":["nobody"],"to":"{a}"}}"#), "no building `nobody`"),
        (format!(r#"{{"op":"move","compounds":["none"],"to":"{a}"}}"#), "no compound `none`"),
        (format!(r#"{{"op":"move","to":"{a}"}}"#), "no units are named"),
        (format!(r#"{{"op":"move","buildings":["{unit}"],"to":"{a}"}}"#), "in grid"),
        (format!(r#"{{"op":"move","buildings":["{unit}"],"to":"{stranger}"}}"#), "another community"),
        (format!(r#"{{"op":"merge","grids":["{a}"]}}"#), "fewer than two grids"),
        (format!(r#"{{"op":"split","grid":"{b}","buildings":["{unit}"]}}"#), "is not in grid"),
        (format!(r#"{{"op":"set_class","grid":"{a}","class":"huge"}}"#), "`huge` is none of urban"),
        (format!(r#"{{"op":"set_households","building":"{unit}","households":-3,"source":"x"}}"#), "-3"),
        (
            format!(r#"{{"op":"set_households","building":"{unit}","households":3,"source":" "}}"#),
            "`source` is empty",
        ),
        (r#"{"op":"close_station","station":"nowhere"}"#.to_owned(), "no station `nowhere`"),
        (r#"{"op":"add_station","tier":"corner"}"#.to_owned(), "there is no place"),
        (
            r#"{"op":"add_station","tier":"corner","lonlat":[37.5,121.4]}"#.to_owned(),
            "longitude, then latitude",
        ),
        (r#"{"op":"add_premise","id":"p","at":[1e300,0]}"#.to_owned(), "easting and northing"),
    ];
    for (line, expected) in rows {
        let text = format!("{{\"op\":\"rename\",\"grid\":\"{a}\",\"name\":\"一\"}}\n\n{line}\n");
        let message = problem(&CITY, &text);
        assert!(message.starts_with("line 3: ") && message.contains(expected), "{line}\n  {message}");
        assert!(message.contains("; "), "what to do is missing: {message}");
    }
}

#[test]
fn an_inverse_is_not_forced_on_a_plan_that_changed_since() {
    let mut file = CITY.clone();
    let mut ground = None;
    let (a, b) = neighbours(&file);
    run(&mut file, &mut ground, &[entry(Edit::Merge { grids: vec![a, b.clone()], into: None })]).unwrap();
    let line = file.plan.as_mut().unwrap().ledger.pop().unwrap();
    let inverse = Edit::from_json(line.inverse.as_ref().unwrap()).unwrap();
    run(&mut file, &mut ground, &[entry(inverse.clone())]).unwrap();
    let before = file.clone();
    let message = run(&mut file, &mut ground, &[entry(inverse)]).unwrap_err().to_string();
    assert!(message.contains(&b) && message.contains("is not as the edit left it"), "{message}");
    assert!(before == file);
}

// ---- the program ----

fn gridplan(arguments: &[&str]) -> Output {
    gridplan_in("en", arguments)
}

fn gridplan_in(lang: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gridplan"))
        .args(arguments)
        .args(["--quiet", "--lang", lang])
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

struct Folder {
    _folder: tempfile::TempDir,
    plan: PathBuf,
    edits: PathBuf,
}

fn folder(lines: &str) -> Folder {
    let folder = tempfile::tempdir().unwrap();
    let (plan, edits) = (folder.path().join("plan.gpkg"), folder.path().join("edits.jsonl"));
    planfile::write(&plan, &CITY).unwrap();
    fs::write(&edits, lines).unwrap();
    Folder { plan, edits, _folder: folder }
}

impl Folder {
    fn edit(&self, more: &[&str]) -> Output {
        let plan = self.plan.to_str().unwrap();
        gridplan(&[&["edit", plan], more].concat())
    }

    fn apply(&self, more: &[&str]) -> Output {
        self.edit(&[&["--apply", self.edits.to_str().unwrap()], more].concat())
    }
}

fn moves() -> String {
    let (a, b) = neighbours(&CITY);
    let units = members(&CITY, &a);
    let line = |unit: &str| {
        format!("{{\"op\":\"move\",\"buildings\":[\"{unit}\"],\"to\":\"{b}\",\"why\":\"按道路划界\"}}\n")
    };
    line(&units[0]) + &line(&units[1])
}

#[test]
fn the_program_applies_shows_and_takes_back() {
    let place = folder(&moves());
    let bytes = fs::read(&place.plan).unwrap();
    let dry = place.apply(&["--dry-run", "--json"]);
    assert!(dry.status.success(), "{}", text(&dry.stderr));
    let dry: serde_json::Value = serde_json::from_slice(&dry.stdout).unwrap();
    assert_eq!(
        (dry["edits"].as_array().unwrap().len(), &dry["written"]),
        (2, &serde_json::Value::Bool(false))
    );
    assert_eq!(fs::read(&place.plan).unwrap(), bytes, "a dry run wrote");
    let done = place.apply(&["--json", "--who", "李四"]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let done: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(done["plan_hash"], dry["plan_hash"]);
    let file = planfile::read(&place.plan).unwrap();
    let ledger = &file.plan.as_ref().unwrap().ledger;
    assert_eq!((ledger.len(), ledger[1].who.as_str(), ledger[1].why.as_str()), (2, "李四", "按道路划界"));
    let back = place.edit(&["--undo", "2"]);
    assert!(back.status.success(), "{}", text(&back.stderr));
    let file = planfile::read(&place.plan).unwrap();
    assert_same(&file, &CITY, "after --undo 2");
    assert_eq!(file.plan.as_ref().unwrap().ledger.len(), 4, "what was taken back stays on record");
    let more = place.edit(&["--undo", "1"]);
    assert_eq!(more.status.code(), Some(1));
    assert!(text(&more.stderr).contains("only 0 stand"), "{}", text(&more.stderr));
}

#[test]
fn the_program_names_file_line_and_remedy() {
    let place = folder(&(moves() + "{\"op\":\"lock\",\"grid\":\"77\"}\n"));
    let bytes = fs::read(&place.plan).unwrap();
    let output = place.apply(&[]);
    assert_eq!(output.status.code(), Some(1));
    let message = text(&output.stderr);
    assert!(message.contains("edits.jsonl, line 3: there is no grid `77`"), "{message}");
    assert!(message.contains("hint: take a code"), "{message}");
    assert_eq!(fs::read(&place.plan).unwrap(), bytes, "a refused file of edits wrote");
    let (plan, edits) = (place.plan.to_str().unwrap(), place.edits.to_str().unwrap());
    let chinese = gridplan_in("zh", &["edit", plan, "--apply", edits]);
    let message = text(&chinese.stderr);
    assert!(message.contains("edits.jsonl 第 3 行：没有网格 `77`"), "{message}");
    assert!(message.contains("建议： 请用图层 grids"), "{message}");
    let nothing = place.edit(&[]);
    assert_eq!(nothing.status.code(), Some(1));
    assert!(text(&nothing.stderr).contains("--apply"), "{}", text(&nothing.stderr));
    let check = place.edit(&["--check"]);
    assert!(check.status.success(), "{}", text(&check.stderr));
}

#[test]
fn the_program_reads_edits_from_a_pipe() {
    let place = folder("");
    let code = &grids(&CITY)[0].code;
    let plan = place.plan.to_str().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_gridplan"))
        .args(["edit", plan, "--apply", "-", "--quiet"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    use std::io::Write as _;
    let line = format!("{{\"op\":\"rename\",\"grid\":\"{code}\",\"name\":\"东片\"}}");
    child.stdin.take().unwrap().write_all(line.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(grids(&planfile::read(&place.plan).unwrap())[0].name, "东片");
}

#[test]
fn who_kills_the_program_finds_the_old_file_or_the_new_one() {
    let place = folder(&moves());
    let old = CITY.plan.as_ref().unwrap().provenance.plan_hash.clone();
    let whole = |path: &Path| planfile::read(path).unwrap().plan.unwrap().provenance.plan_hash;
    let mut after = None;
    for wait in (0..40).map(|step| Duration::from_millis(step * 25)) {
        planfile::write(&place.plan, &CITY).unwrap();
        let (plan, edits) = (place.plan.to_str().unwrap(), place.edits.to_str().unwrap());
        let mut child = Command::new(env!("CARGO_BIN_EXE_gridplan"))
            .args(["edit", plan, "--apply", edits, "--quiet"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(wait);
        let is_done = child.try_wait().unwrap().is_some();
        child.kill().unwrap();
        child.wait().unwrap();
        let hash = whole(&place.plan);
        assert!(
            hash == old || after.as_ref().is_none_or(|after| *after == hash),
            "half a plan after {wait:?}"
        );
        if hash != old {
            after = Some(hash);
        }
        if is_done {
            break;
        }
    }
}
