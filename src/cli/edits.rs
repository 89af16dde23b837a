//! The verb `edit`: scripted edits through the same function as the map editor.

use std::io::Read as _;
use std::path::Path;

use serde_json::{Value, json};

use super::Session;
use super::args::EditArgs;
use super::outcome::{Failure, Outcome};
use super::verbs::{Done, describe_plan, now, shown, user, write_plan_file};
use crate::edit::{self, Entry, Stamp};
use crate::model::{Finding, Plan, Tell};
use crate::pipeline::{self, EditReport, Edited, Ground, PlanError};
use crate::planfile;

pub(super) fn edit(args: &EditArgs, session: &Session<'_>) -> Done {
    if args.apply.is_none() && args.undo.is_none() && !args.submit {
        return Err(Failure::input(
            "there is nothing to do; give --apply EDITS, --undo N, or --check to see whether the plan may be handed over",
        ));
    }
    let stamp = Stamp {
        who: args.who.clone().unwrap_or_else(user),
        when: now(),
        why: args.why.clone(),
        basis: args.basis.clone(),
    };
    // The edits are read first: a mistake in them costs no time.
    let entries = args.apply.as_deref().map(|path| entries(path, &stamp)).transpose()?;
    let mut content = planfile::read(&args.file)?;
    let Some(plan) = content.plan.as_mut() else {
        return Err(PlanError::StageMissing { missing: "plan", verb: "plan" }.into());
    };
    let scenario = &mut content.scenario;
    let watch = |step, share| session.screen.step(step, share);
    let mut ground: Option<Ground> = None;
    let report = match (&entries, args.undo) {
        (Some(entries), _) => pipeline::edit(scenario, plan, &mut ground, entries, &watch)
            .map_err(|error| in_file(error, args.apply.as_deref()))?,
        (None, Some(n)) => pipeline::undo(scenario, plan, &mut ground, n, &stamp, &watch)?,
        (None, None) => EditReport::default(),
    };
    let blocks = if args.submit { pipeline::blocks(scenario, plan, &mut ground)? } else { Vec::new() };
    let mut outcome = Outcome::default();
    describe(&report, plan, session, &mut outcome);
    if let Some(first) = blocks.first() {
        return Err(refused(first, blocks.len()));
    }
    if args.submit {
        outcome.line(session.lang.pick(
            "  可以提交：没有可相连而未相连的网格",
            "  may be handed over: no grid lies in pieces that could hang together",
        ));
        outcome.value("may_be_handed_over", true);
    }
    let output = args.output.as_ref().unwrap_or(&args.file);
    let is_written = !args.dry_run && (!report.applied.is_empty() || args.output.is_some());
    if is_written {
        if session.screen.is_stopped() {
            return Err(PlanError::Cancelled.into());
        }
        write_plan_file(output, &content)?;
        outcome.next(format!("gridplan report {0} -o out/   /   gridplan edit {0} --undo 1", shown(output)));
    } else if args.dry_run {
        outcome.line(session.lang.pick("  试运行，未写入文件", "  dry run, nothing was written"));
    }
    outcome.value("written", is_written);
    if is_written {
        outcome.value("file", shown(output));
    }
    describe_plan(&content, session, &mut outcome);
    Ok(outcome)
}

fn entries(path: &Path, stamp: &Stamp) -> Result<Vec<Entry>, Failure> {
    let unreadable = |error: std::io::Error| {
        let path = shown(path);
        Failure::input((
            format!("无法读取 {path}：{error}；请检查 --apply 后的文件名"),
            format!("cannot read {path}: {error}; check the name after --apply"),
        ))
    };
    let text = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(unreadable)?;
        text
    } else {
        std::fs::read_to_string(path).map_err(unreadable)?
    };
    let entries =
        edit::read_lines(&text, stamp).map_err(|error| in_file(PlanError::Edit(error), Some(path)))?;
    if entries.is_empty() {
        let path = shown(path);
        return Err(Failure::input((
            format!("{path} 中没有编辑；请每行写一个 JSON 对象"),
            format!("{path} holds no edit; write one JSON object a line"),
        )));
    }
    Ok(entries)
}

/// Names the file before the line.
fn in_file(error: PlanError, path: Option<&Path>) -> Failure {
    match (&error, path) {
        (PlanError::Edit(edit), Some(path)) if edit.line != 0 => {
            let path = shown(path);
            Failure::input((format!("{path} {}", edit.chinese()), format!("{path}, {edit}")))
        }
        _ => error.into(),
    }
}

fn refused(first: &Finding, n: usize) -> Failure {
    let (mut zh, mut en) = (String::new(), String::new());
    if 1 < n {
        (zh, en) = (format!("（另有 {} 项）", n - 1), format!(" (and {} more)", n - 1));
    }
    let (what, remedy) = (&first.message, &first.remedy);
    Failure::input((
        format!("规划不能交付：{}{zh}；{}", what.zh, remedy.zh),
        format!("the plan may not be handed over: {}{en}; {}", what.en, remedy.en),
    ))
}

fn describe(report: &EditReport, plan: &Plan, session: &Session<'_>, outcome: &mut Outcome) {
    let lang = session.lang;
    for applied in &report.applied {
        outcome.line(format!("✓ {}", applied.what));
    }
    for grid in &report.grids {
        outcome.line(grid_line(grid, plan, session));
    }
    for finding in &report.warnings {
        outcome.line(format!("  {} {}", lang.pick("注意：", "look at:"), finding.message));
    }
    outcome.value(
        "edits",
        report
            .applied
            .iter()
            .map(|applied| json!({ "line": applied.line, "what": applied.what, "inverse": applied.inverse }))
            .collect::<Vec<Value>>(),
    );
    outcome.value(
        "changed_grids",
        report
            .grids
            .iter()
            .map(
                |grid| json!({ "code": grid.code, "households_before": grid.before, "households": grid.now }),
            )
            .collect::<Vec<Value>>(),
    );
    outcome.value(
        "warnings",
        report
            .warnings
            .iter()
            .map(|finding| {
                json!({ "kind": finding.kind.as_str(), "grid": finding.feature, "message": finding.message.get(session.lang) })
            })
            .collect::<Vec<Value>>(),
    );
}

fn grid_line(grid: &Edited, plan: &Plan, session: &Session<'_>) -> String {
    let lang = session.lang;
    let unit = lang.pick("户", "households");
    match (grid.before, grid.now) {
        (Some(before), Some(now)) => {
            let found = plan.partition.grids.iter().find(|other| other.code == grid.code);
            let percent = found.map_or(0.0, |found| found.deviation() * 100.0);
            format!("  {} {before} → {now} {unit} ({percent:+.1} %)", grid.code)
        }
        (None, Some(now)) => format!("  {} {} {now} {unit}", grid.code, lang.pick("新", "new,")),
        (_, None) => format!(
            "  {} {}",
            grid.code,
            lang.pick("停用，编码不再使用", "retired; its code is not used again")
        ),
    }
}
