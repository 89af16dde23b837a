//! The ledger as a stack: which edits still stand and may be taken back.

use super::{Applied, Edit, Entry, Problem, Stamp};
use crate::model::LedgerEntry;

impl Applied {
    /// The line of the ledger for this edit.
    #[must_use]
    pub fn record(&self, entry: &Entry) -> LedgerEntry {
        let Stamp { who, when, why, basis } = entry.stamp.clone();
        let basis = match &entry.edit {
            // A count always has a source; a basis given besides stands before it.
            Edit::SetHouseholds { source, .. } if basis.is_empty() => source.clone(),
            Edit::SetHouseholds { source, .. } => format!("{basis}；{source}"),
            _ => basis,
        };
        LedgerEntry {
            who,
            when,
            what: self.what.clone(),
            why,
            basis,
            edit: Some(entry.edit.to_json()),
            inverse: Some(self.inverse.to_json()),
        }
    }
}

/// Rows of the ledger, from 0, whose edits stand and may be taken back, the oldest first. A step of the planner after
/// an edit (`plan`, `redraw`, …) makes a new plan, and what was before it cannot be taken back.
///
/// # Errors
/// [`Problem::Syntax`] if the ledger was changed by hand and cannot be read.
pub fn standing(ledger: &[LedgerEntry]) -> Result<Vec<usize>, Problem> {
    let mut stack: Vec<usize> = Vec::new();
    for (row, line) in ledger.iter().enumerate() {
        let Some(edit) = &line.edit else {
            stack.clear();
            continue;
        };
        match Edit::from_json(edit)? {
            Edit::Restore { undoes: Some(number), .. } => stack.retain(|&other| other + 1 != number),
            _ => stack.push(row),
        }
    }
    Ok(stack)
}

/// The entries that take back the last `n` standing edits, the last one first.
///
/// # Errors
/// [`Problem::TooFar`] if fewer stand.
pub fn take_back(ledger: &[LedgerEntry], n: usize, stamp: &Stamp) -> Result<Vec<Entry>, Problem> {
    let stack = standing(ledger)?;
    if stack.len() < n {
        let last = ledger.iter().rev().find(|line| line.edit.is_none()).map(|line| line.what.clone());
        return Err(Problem::TooFar { asked: n, there: stack.len(), last });
    }
    let rows = stack.into_iter().rev().take(n);
    rows.map(|row| {
        let inverse = ledger[row].inverse.as_deref().unwrap_or_default();
        let Edit::Restore { steps, .. } = Edit::from_json(inverse)? else {
            return Err(Problem::Syntax(
                (
                    format!("台账第 {} 行没有逆操作", row + 1),
                    format!("row {} of the ledger has no inverse", row + 1),
                )
                    .into(),
            ));
        };
        let edit = Edit::Restore { steps, undoes: Some(row + 1) };
        Ok(Entry { edit, stamp: stamp.clone(), line: 0 })
    })
    .collect()
}
