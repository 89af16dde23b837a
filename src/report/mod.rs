//! Plan → the coverage analysis report (one HTML file that prints on A4) and the workbook of tables.
//!
//! Both read the same facts, worked out once; nothing is computed while text is written. Every coverage
//! figure names its method, every rule its source, and unverified rules carry 未核实.

/// Text in the language asked for, with values in it.
macro_rules! say {
    ($lang:expr, $zh:literal, $en:literal $(,)?) => {
        match $lang {
            crate::model::Lang::Zh => format!($zh),
            crate::model::Lang::En => format!($en),
        }
    };
}

mod annex;
mod balance;
mod canvas;
mod chart;
mod closing;
mod coverage;
mod facts;
mod grids;
mod map;
mod markup;
mod opening;
mod page;
mod rules;
mod stations;
#[cfg(test)]
mod tests;
mod text;
mod workbook;

pub use rules::{Measure, Rule, RulePack, RulePackError, Status, Theme, Unit};

use crate::model::{Lang, Plan, Scenario};
use facts::Facts;

/// Why there is no workbook.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The workbook could not be written.
    #[error(
        "the workbook could not be written: {0}; check that the disk and the folder for temporary files have room"
    )]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
}

/// The coverage analysis report: one HTML file without any outside request, made to be printed on A4.
///
/// Long tables are capped and say that the rest stands in the workbook; maps of large places gather what is too
/// small to see, so that a city of a million buildings stays at a few megabytes.
///
/// ```
/// # use gridplan::{model::Lang, report, testing};
/// let scenario = testing::toy_scenario();
/// let page = report::html(&scenario, &testing::toy_plan(&scenario), Lang::Zh);
/// assert!(page.starts_with("<!DOCTYPE html>") && page.contains("路网时间"));
/// ```
#[must_use]
pub fn html(scenario: &Scenario, plan: &Plan, lang: Lang) -> String {
    page::write(&Facts::new(scenario, plan), lang)
}

/// The workbook `tables.xlsx`: summary, communities, grids, stations, coverage, uncovered buildings, findings,
/// the building to grid code table, rules and provenance. Numbers are numbers, shares are percentages.
///
/// ```
/// # use gridplan::{model::Lang, report, testing};
/// let scenario = testing::toy_scenario();
/// let bytes = report::workbook(&scenario, &testing::toy_plan(&scenario), Lang::Zh).expect("a workbook");
/// assert!(bytes.starts_with(b"PK"));
/// ```
///
/// # Errors
/// [`ReportError::Workbook`] when temporary files for large sheets cannot be written.
pub fn workbook(scenario: &Scenario, plan: &Plan, lang: Lang) -> Result<Vec<u8>, ReportError> {
    workbook::write(&Facts::new(scenario, plan), lang)
}
