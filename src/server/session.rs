//! The plan on the table: what was opened, what was changed since, what can be taken back or done again.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::{Value, json};

use super::ServeError;
use crate::edit::{self, Edit, Entry, Stamp, Touched};
use crate::export;
use crate::model::{GridId, Lang, Plan, Tell};
use crate::pipeline::{self, EditReport, Ground, PlanError};
use crate::planfile::{self, PlanFile};

/// Why a request is refused, with what to do.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The edit does not fit.
    #[error("{0}")]
    Edit(String),
    /// The file was changed by somebody else.
    #[error("{0}")]
    Changed(String),
    /// The program's fault.
    #[error("{0}")]
    Fault(String),
}

/// What tells that a file was written by somebody else.
type Mark = (u64, Option<SystemTime>);

/// One plan file under edit.
#[derive(Debug)]
pub struct Session {
    path: PathBuf,
    mark: Mark,
    content: PlanFile,
    plan: Plan,
    ground: Option<Ground>,
    lang: Lang,
    who: String,
    clock: fn() -> String,
    /// What was edited since coverage was measured last.
    pending: Touched,
    /// Rows of the ledger that are in the file.
    saved_rows: usize,
    /// Edits that were taken back, the last one last.
    undone: Vec<Entry>,
}

impl Session {
    /// Opens a plan file and divides its land. `clock` tells the time for the ledger, RFC 3339.
    ///
    /// # Errors
    /// [`ServeError`] if there is no such file or it has no grids yet.
    pub fn open(path: &Path, lang: Lang, who: String, clock: fn() -> String) -> Result<Self, ServeError> {
        let mark = mark(path).map_err(|source| ServeError::Look { path: path.to_owned(), source })?;
        let mut content = planfile::read(path)?;
        let plan = content.plan.take().unwrap_or_default();
        if plan.partition.grids.is_empty() {
            return Err(PlanError::StageMissing { missing: "grids", verb: "plan" }.into());
        }
        let ground = Some(Ground::of(&content.scenario)?);
        let saved_rows = plan.ledger.len();
        Ok(Self {
            path: path.to_owned(),
            mark,
            content,
            plan,
            ground,
            lang,
            who,
            clock,
            pending: Touched::default(),
            saved_rows,
            undone: Vec::new(),
        })
    }

    /// Edits that are not in the file yet.
    #[must_use]
    pub fn unsaved(&self) -> usize {
        self.plan.ledger.len() - self.saved_rows
    }

    pub(super) fn page(&self) -> Result<String, Refused> {
        export::editor_page(&self.content.scenario, &self.plan, self.lang).map_err(fault)
    }

    /// All data of the page, as JSON.
    pub(super) fn data(&self) -> Result<Vec<u8>, Refused> {
        export::page_json(&self.content.scenario, &self.plan, self.lang).map_err(fault)
    }

    /// Applies one edit, written as a line of `edits.jsonl`.
    pub(super) fn edit(&mut self, line: &str) -> Result<Value, Refused> {
        let mut entries =
            edit::read_lines(line, &self.stamp()).map_err(|error| self.refused(&error.problem))?;
        let (Some(mut entry), true) = (entries.pop(), entries.is_empty()) else {
            return Err(self.no_edit(
                "一次只能提交一个编辑；请发送一个 JSON 对象",
                "the request holds not one edit; send one JSON object",
            ));
        };
        if matches!(entry.edit, Edit::Restore { .. }) {
            return Err(self.no_edit("逆操作由撤销执行；请用撤销", "an inverse is applied by undo; use that"));
        }
        entry.line = 0;
        let answer = self.revise(&entry)?;
        self.undone.clear();
        Ok(self.with_state(answer))
    }

    /// Takes back the last edit that stands. One that was never saved leaves no trace in the ledger.
    pub(super) fn undo(&mut self) -> Result<Value, Refused> {
        let taken =
            edit::take_back(&self.plan.ledger, 1, &self.stamp()).map_err(|error| self.refused(&error))?;
        let standing = edit::standing(&self.plan.ledger).map_err(|error| self.refused(&error))?;
        let (Some(entry), Some(&row)) = (taken.first(), standing.last()) else {
            return Err(self.no_edit("没有可撤销的编辑", "there is nothing to take back"));
        };
        let line = self.plan.ledger[row].clone();
        let again = Edit::from_json(line.edit.as_deref().unwrap_or_default())
            .map_err(|error| self.refused(&error))?;
        let answer = self.revise(entry)?;
        if self.saved_rows <= row {
            self.plan.ledger.truncate(row);
        }
        let stamp = Stamp { who: line.who, when: line.when, why: line.why, basis: line.basis };
        self.undone.push(Entry { edit: again, stamp, line: 0 });
        Ok(self.with_state(answer))
    }

    /// Does again what was taken back last.
    pub(super) fn redo(&mut self) -> Result<Value, Refused> {
        let Some(mut entry) = self.undone.last().cloned() else {
            return Err(self.no_edit("没有可重做的编辑", "there is nothing to do again"));
        };
        entry.stamp.when = (self.clock)();
        let answer = self.revise(&entry)?;
        self.undone.pop();
        Ok(self.with_state(answer))
    }

    /// Measures coverage again and writes the file, unless somebody else wrote it since.
    pub(super) fn save(&mut self) -> Result<Value, Refused> {
        let now = mark(&self.path).map_err(fault)?;
        if now != self.mark {
            let path = self.path.display();
            return Err(Refused::Changed(match self.lang {
                Lang::Zh => format!("{path} 打开之后被其他程序改动；请停止编辑器后重新启动"),
                Lang::En => format!(
                    "{path} was changed by another program since it was opened; stop the editor and start it again"
                ),
            }));
        }
        self.measure()?;
        self.content.plan = Some(std::mem::take(&mut self.plan));
        let written = planfile::write(&self.path, &self.content);
        self.plan = self.content.plan.take().unwrap_or_default();
        written.map_err(|error| Refused::Changed(error.tell(self.lang)))?;
        self.mark = mark(&self.path).map_err(fault)?;
        self.saved_rows = self.plan.ledger.len();
        Ok(self.with_state(json!({ "what": "", "saved": true })))
    }

    fn measure(&mut self) -> Result<(), Refused> {
        let pending = std::mem::take(&mut self.pending);
        let measured = pipeline::remeasure(&self.content.scenario, &mut self.plan, &pending, &|_, _| {
            ControlFlow::Continue(())
        });
        measured.map_err(|error| Refused::Fault(error.tell(self.lang)))
    }

    fn refused(&self, problem: &edit::Problem) -> Refused {
        Refused::Edit(problem.tell(self.lang))
    }

    fn no_edit(&self, chinese: &str, english: &str) -> Refused {
        Refused::Edit(self.lang.pick(chinese, english).to_owned())
    }

    fn stamp(&self) -> Stamp {
        Stamp { who: self.who.clone(), when: (self.clock)(), why: String::new(), basis: String::new() }
    }

    /// Applies an entry and tells what changed on the map.
    fn revise(&mut self, entry: &Entry) -> Result<Value, Refused> {
        let before = self.plan.partition.grid_of.clone();
        let codes: Vec<String> = self.plan.partition.grids.iter().map(|grid| grid.code.clone()).collect();
        let scenario = &mut self.content.scenario;
        let plan = &mut self.plan;
        let report =
            pipeline::revise(scenario, plan, &mut self.ground, std::slice::from_ref(entry), &|_, _| {
                ControlFlow::Continue(())
            })
            .map_err(|error| Refused::Edit(error.tell(self.lang)))?;
        let stations = report.touched.stations;
        self.pending.merge(report.touched.clone());
        if stations {
            // The map shows who walks to which station.
            self.measure()?;
        }
        self.tell(&report, &before, &codes)
    }

    fn tell(
        &self,
        report: &EditReport,
        before: &[Option<GridId>],
        codes: &[String],
    ) -> Result<Value, Refused> {
        let scenario = &self.content.scenario;
        let grids = export::grids_json(scenario, &self.plan, self.content.lang).map_err(fault)?;
        let grids: Value = serde_json::from_slice(&grids).map_err(fault)?;
        let code = |id: Option<GridId>| id.map(|id| self.plan.partition.grids[id.index()].code.as_str());
        let was = |id: Option<GridId>| id.map(|id| codes[id.index()].as_str());
        let labels = scenario.atoms.iter().zip(before).zip(&self.plan.partition.grid_of);
        let moved: serde_json::Map<String, Value> = labels
            .filter(|((_, old), new)| was(**old) != code(**new))
            .map(|((atom, _), new)| (atom.source.0.clone(), code(*new).into()))
            .collect();
        let what: Vec<&str> = report.applied.iter().map(|applied| applied.what.as_str()).collect();
        let warnings: Vec<&str> =
            report.warnings.iter().map(|finding| finding.message.get(self.content.lang)).collect();
        let changed = report.grids.iter().map(|grid| grid.code.as_str()).collect::<Vec<_>>();
        Ok(json!({
            "what": what.join("; "),
            "warnings": warnings,
            "changed": changed,
            "moved": moved,
            "grids": grids,
            "stations_changed": report.touched.stations,
        }))
    }

    /// Adds what the buttons need to know.
    fn with_state(&self, mut answer: Value) -> Value {
        let standing = edit::standing(&self.plan.ledger).map_or(0, |rows| rows.len());
        if let Some(object) = answer.as_object_mut() {
            object.insert("undo".to_owned(), standing.into());
            object.insert("redo".to_owned(), self.undone.len().into());
            object.insert("unsaved".to_owned(), self.unsaved().into());
            object.insert("plan_hash".to_owned(), self.plan.provenance.plan_hash.clone().into());
        }
        answer
    }

    /// What the page must know when it opens.
    pub(super) fn state(&self) -> Value {
        self.with_state(json!({ "file": self.path.display().to_string() }))
    }
}

fn mark(path: &Path) -> std::io::Result<Mark> {
    let facts = std::fs::metadata(path)?;
    Ok((facts.len(), facts.modified().ok()))
}

fn fault(error: impl std::fmt::Display) -> Refused {
    Refused::Fault(error.to_string())
}
