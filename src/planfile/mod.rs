//! Scenario and plan ↔ one GeoPackage: the plan file. The only place that knows its tables.
//!
//! A file is always written whole, beside the old one, and renamed when complete: whoever stops the program at
//! whatever moment finds the old file or the new one.

mod balance;
mod gpkg;
mod read;
mod rtree;
mod schema;
mod styles;
#[cfg(test)]
mod tests;
mod write;

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::files;
use crate::model::{Lang, Plan, Scenario, Tell};

/// A rule of the pack that a plan was made with, as it is printed beside every figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Name.
    pub key: String,
    /// Value.
    pub value: String,
    /// Unit.
    pub unit: String,
    /// Document it comes from.
    pub source: String,
    /// Clause.
    pub clause: String,
    /// `seen` or `unverified`.
    pub status: String,
}

/// Why a plan file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    /// There is no such file.
    #[error("there is no plan file {path}; make one with `gridplan import` or `gridplan synth`")]
    Missing {
        /// File asked for.
        path: PathBuf,
    },
    /// The file is something else.
    #[error(
        "{path} is no plan file of gridplan ({why}); import it with `gridplan import {path} -o city.gpkg`"
    )]
    NotAPlanFile {
        /// File asked for.
        path: PathBuf,
        /// What is missing.
        why: String,
    },
    /// A value that the layer cannot hold.
    #[error("{path}: layer `{layer}`, row {row}: {why}; correct it in QGIS or import the source again")]
    BadRow {
        /// File.
        path: PathBuf,
        /// Layer or table.
        layer: String,
        /// Row number (`fid`).
        row: i64,
        /// What is wrong.
        why: String,
    },
    /// SQLite says no.
    #[error("{path}: {source}; check that the file is complete and not open in another program")]
    Sqlite {
        /// File.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
    /// The folder or disk says no.
    #[error("cannot write {path}: {source}; check that the folder exists, may be written to and has room")]
    Write {
        /// File.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
}

impl Tell for PlanFileError {
    fn chinese(&self) -> String {
        match self {
            Self::Missing { path } => {
                format!("没有规划文件 {}；请先用 `gridplan import` 或 `gridplan synth` 生成", path.display())
            }
            Self::NotAPlanFile { path, why } => {
                let path = path.display();
                format!(
                    "{path} 不是 gridplan 的规划文件（{why}）；请用 `gridplan import {path} -o city.gpkg` 导入"
                )
            }
            Self::BadRow { path, layer, row, why } => format!(
                "{}：图层“{layer}”第 {row} 行：{why}；请在 QGIS 中改正，或重新导入源文件",
                path.display()
            ),
            Self::Sqlite { path, source } => {
                format!("{}：{source}；请检查文件是否完整、是否被其他程序打开", path.display())
            }
            Self::Write { path, source } => format!(
                "无法写入 {}：{source}；请检查文件夹是否存在、是否可写、磁盘是否有空间",
                path.display()
            ),
        }
    }
}

/// What a plan file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanFile {
    /// What was read.
    pub scenario: Scenario,
    /// The answer, if it was planned already.
    pub plan: Option<Plan>,
    /// Rules that go with it.
    pub rules: Vec<Rule>,
    /// Language of `message`, `remedy`, `reason`, `bounds` and `goal`; the columns `…_zh` and `…_en` hold both.
    pub lang: Lang,
}

/// Reads a plan file. Cost: about 3 µs a building.
///
/// # Errors
/// [`PlanFileError`]: no such file, no plan file, or a row that cannot be understood, with its layer and number.
pub fn read(path: &Path) -> Result<PlanFile, PlanFileError> {
    if !path.is_file() {
        return Err(PlanFileError::Missing { path: path.to_owned() });
    }
    let connection = Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)
        .map_err(|source| PlanFileError::Sqlite { path: path.to_owned(), source })?;
    read::Reader::new(&connection, path)?.plan_file()
}

/// Writes a plan file, replacing an old one of that name only when the new one is complete.
///
/// Cost: about 10 µs a building with its spatial index.
///
/// # Errors
/// [`PlanFileError::Write`] if the folder cannot be written to or is full; the old file is then untouched.
pub fn write(path: &Path, content: &PlanFile) -> Result<(), PlanFileError> {
    let as_write = |source| PlanFileError::Write { path: path.to_owned(), source };
    let temporary = files::temporary(path).map_err(as_write)?;
    let written = Connection::open(temporary.path()).and_then(|mut connection| {
        write::everything(&mut connection, content)?;
        connection.close().map_err(|(_, error)| error)
    });
    written.map_err(|source| classify(path, source))?;
    files::keep(temporary, path).map_err(as_write)
}

fn classify(path: &Path, source: rusqlite::Error) -> PlanFileError {
    use rusqlite::ErrorCode::{CannotOpen, DiskFull, ReadOnly, SystemIoFailure};
    match source.sqlite_error_code() {
        Some(DiskFull | ReadOnly | CannotOpen | SystemIoFailure) => {
            PlanFileError::Write { path: path.to_owned(), source: std::io::Error::other(source) }
        }
        _ => PlanFileError::Sqlite { path: path.to_owned(), source },
    }
}
