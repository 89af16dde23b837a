//! An edit as data: what it may say, and its form as one line of `edits.jsonl`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::step::Step;
use super::{EditError, Problem};
use crate::model::{GridClass, StationStatus, StationTier, Text};

/// What a planner changes. Things are named as in the plan file: grids and stations by code, buildings, compounds and
/// premises by id; a compound also by its name where no other has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Edit {
    /// Moves units to a grid of their community. A grid that loses its last unit is retired.
    Move {
        /// Buildings or other units.
        #[serde(default, alias = "units", skip_serializing_if = "Vec::is_empty")]
        buildings: Vec<String>,
        /// Compounds, with all their buildings.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        compounds: Vec<String>,
        /// Grid that takes them.
        to: String,
    },
    /// Puts grids of one community together.
    Merge {
        /// Grids, at least two.
        grids: Vec<String>,
        /// The one of them that goes on; the first of the list if left out. The others' codes are retired.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        into: Option<String>,
    },
    /// Divides a grid. The new part gets the next free code; the rest keeps its own.
    Split {
        /// Grid.
        grid: String,
        /// Units of the new part; without any, the engine divides the grid into two of about equal load.
        #[serde(default, alias = "units", skip_serializing_if = "Vec::is_empty")]
        buildings: Vec<String>,
        /// Compounds of the new part.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        compounds: Vec<String>,
        /// Name of the new part; from community and number if left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// Makes a grid of units of any grids of one community.
    NewGrid {
        /// Buildings or other units.
        #[serde(default, alias = "units", skip_serializing_if = "Vec::is_empty")]
        buildings: Vec<String>,
        /// Compounds, with all their buildings.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        compounds: Vec<String>,
        /// Name; from community and number if left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// The grid stays as it is, by hand and in a redraw.
    Lock {
        /// Grid.
        grid: String,
    },
    /// The grid may change again. Locks that the data put on its buildings go too.
    Unlock {
        /// Grid.
        grid: String,
    },
    /// Names a grid.
    Rename {
        /// Grid.
        grid: String,
        /// New name.
        name: String,
    },
    /// Writes a note on a grid; an empty one takes it away.
    Note {
        /// Grid.
        grid: String,
        /// Text.
        note: String,
    },
    /// Sets the size class of a grid, and with it the range it should keep.
    SetClass {
        /// Grid.
        grid: String,
        /// Class.
        #[serde(with = "class")]
        class: GridClass,
    },
    /// Sets the count of a building.
    SetHouseholds {
        /// Building.
        building: String,
        /// Households.
        households: u32,
        /// Residents; in proportion if left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        residents: Option<u32>,
        /// Where the count is from: a visit, a register, a date.
        source: String,
    },
    /// Adds a station.
    AddStation(NewStation),
    /// Moves a station's door.
    MoveStation {
        /// Station.
        station: String,
        /// Place on the plan's plane, metres.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<[f64; 2]>,
        /// Place as longitude and latitude (WGS 84), instead of `at`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lonlat: Option<[f64; 2]>,
    },
    /// Closes a station. One that the plan had chosen disappears; its premises stay in the register.
    CloseStation {
        /// Station.
        station: String,
    },
    /// Opens a closed station again.
    ReopenStation {
        /// Station.
        station: String,
    },
    /// Adds a row to the register of premises.
    AddPremise(NewPremise),
    /// Takes an edit back, step by step. The inverse of every edit has this form.
    Restore {
        /// Steps, in order.
        steps: Vec<Step>,
        /// Row of the ledger, from 1, that it takes back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        undoes: Option<usize>,
    },
}

/// A station to add.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewStation {
    /// Number on the plate; the next free one of community and tier if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Name; from premises, community and tier if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Tier.
    #[serde(with = "tier")]
    pub tier: StationTier,
    /// Premises of the register that it opens in; they give place, area and capacity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub premise: Option<String>,
    /// Place on the plan's plane, metres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<[f64; 2]>,
    /// Place as longitude and latitude (WGS 84), instead of `at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lonlat: Option<[f64; 2]>,
    /// `chosen` for one to open (the default), `existing` for one that stands and was missing in the data.
    #[serde(default = "chosen", with = "status")]
    pub status: StationStatus,
    /// Floor area, m².
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area_m2: Option<f64>,
    /// Households it can serve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// Why here.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

const fn chosen() -> StationStatus {
    StationStatus::Chosen
}

/// Premises to add to the register.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPremise {
    /// Identifier, unique in the register.
    pub id: String,
    /// Name or address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Place on the plan's plane, metres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<[f64; 2]>,
    /// Place as longitude and latitude (WGS 84), instead of `at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lonlat: Option<[f64; 2]>,
    /// Floor area, m².
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area_m2: Option<f64>,
    /// Who owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenure: Option<String>,
    /// Storey, 1 = ground floor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<i16>,
    /// Has its own entrance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_entrance: Option<bool>,
    /// Yearly cost, yuan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_yuan: Option<u32>,
    /// Households it could serve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
}

/// An edit with who, when, why and on what basis: a line of `edits.jsonl`, and of the ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What.
    pub edit: Edit,
    /// Who, when, why.
    pub stamp: Stamp,
    /// Line of the file, from 1; 0 if it came from no file.
    pub line: usize,
}

/// Who did it, when, why and on what basis.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Who.
    pub who: String,
    /// When, RFC 3339.
    pub when: String,
    /// Why.
    pub why: String,
    /// On what basis (document, meeting, rule).
    pub basis: String,
}

/// Reads `edits.jsonl`: one JSON object a line; empty lines are skipped. What a line does not say of who, when, why
/// and basis is taken from `usual`.
///
/// # Errors
/// [`EditError`] with the line that is no edit.
///
/// ```
/// use gridplan::edit::{Edit, Stamp, read_lines};
/// let text = r#"{"op": "lock", "grid": "370602001001003", "who": "王芳", "why": "已公示"}"#;
/// let entries = read_lines(text, &Stamp::default())?;
/// assert_eq!(entries[0].edit, Edit::Lock { grid: "370602001001003".to_owned() });
/// assert_eq!(entries[0].stamp.who, "王芳");
/// # Ok::<(), gridplan::edit::EditError>(())
/// ```
pub fn read_lines(text: &str, usual: &Stamp) -> Result<Vec<Entry>, EditError> {
    let lines = text.trim_start_matches('\u{feff}').lines().zip(1..);
    lines
        .filter(|(line, _)| !line.trim().is_empty())
        .map(|(line, number)| {
            read_line(line, usual, number).map_err(|problem| EditError { line: number, problem })
        })
        .collect()
}

fn read_line(text: &str, usual: &Stamp, line: usize) -> Result<Entry, Problem> {
    let syntax = |error: serde_json::Error| Problem::Syntax(Text::same(without_place(&error)));
    let mut object: Map<String, Value> = serde_json::from_str(text).map_err(syntax)?;
    let mut stamp = usual.clone();
    for (key, slot) in [
        ("who", &mut stamp.who),
        ("when", &mut stamp.when),
        ("why", &mut stamp.why),
        ("basis", &mut stamp.basis),
    ] {
        match object.shift_remove(key) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => *slot = text,
            Some(other) => {
                let told =
                    (format!("`{key}` 为 {other}，不是文本"), format!("`{key}` is {other}, not a text"));
                return Err(Problem::Syntax(told.into()));
            }
        }
    }
    let edit = serde_json::from_value(Value::Object(object)).map_err(syntax)?;
    Ok(Entry { edit, stamp, line })
}

/// The message without "at line 1 column 20": the line is ours to tell.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(at) if error.column() != 0 => format!("{} at column {}", &text[..at], error.column()),
        _ => text,
    }
}

impl Edit {
    /// The edit as one line of JSON, without who, when and why.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("an edit is texts and finite numbers")
    }

    /// Reads what [`Edit::to_json`] wrote.
    ///
    /// # Errors
    /// [`Problem::Syntax`] if it is no edit.
    pub fn from_json(text: &str) -> Result<Self, Problem> {
        serde_json::from_str(text).map_err(|error| Problem::Syntax(Text::same(error.to_string())))
    }
}

macro_rules! word {
    ($name:ident, $type:ty, $list:literal) => {
        pub(super) mod $name {
            use serde::{Deserialize as _, Deserializer, Serializer};

            pub fn serialize<S: Serializer>(value: &$type, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(value.as_str())
            }

            pub fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<$type, D::Error> {
                let word = String::deserialize(from)?;
                <$type>::parse(&word)
                    .ok_or_else(|| serde::de::Error::custom(format!("`{word}` is none of {}", $list)))
            }
        }
    };
}

word!(class, crate::model::GridClass, "urban, resettlement, rural, exclusive");
word!(tier, crate::model::StationTier, "city, regional, community, compound, corner");
word!(status, crate::model::StationStatus, "existing, chosen, closed");
word!(source, crate::model::HouseholdsSource, "column, compound, zone, floor_area, missing, manual");
word!(severity, crate::model::Severity, "info, warning, error");
word!(kind, crate::model::FindingKind, "the words of the findings table");
