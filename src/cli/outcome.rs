//! What a verb came to: lines for people, one object for machines, and the next step.

use std::process::ExitCode;

use serde_json::{Map, Value};

use crate::model::Lang;

/// A result that is printed.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    lines: Vec<String>,
    json: Map<String, Value>,
    next: Option<String>,
}

impl Outcome {
    /// Adds a line for people.
    pub(super) fn line(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// Adds a value for machines.
    pub(super) fn value(&mut self, key: &str, value: impl Into<Value>) {
        self.json.insert(key.to_owned(), value.into());
    }

    /// Names the obvious next step.
    pub(super) fn next(&mut self, command: impl Into<String>) {
        self.next = Some(command.into());
    }

    pub(super) fn print(self, lang: Lang, json: bool) -> ExitCode {
        if json {
            println!("{}", Value::Object(self.json));
        } else {
            self.lines.iter().for_each(|line| println!("{line}"));
        }
        if let Some(next) = self.next {
            eprintln!("{} {next}", lang.pick("下一步：", "next:"));
        }
        ExitCode::SUCCESS
    }
}

/// Why a verb failed, and whose fault it is.
#[derive(Debug)]
pub(super) struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// The input's or the flags' fault.
    pub(super) fn input(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 1 }
    }

    /// The program's fault.
    pub(super) fn ours(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 2 }
    }

    pub(super) fn print(&self, lang: Lang) -> ExitCode {
        // Messages read "what and why; what to do".
        let (what, remedy) = self.message.rsplit_once("; ").unwrap_or((&self.message, ""));
        eprintln!("{} {what}", lang.pick("错误：", "error:"));
        if !remedy.is_empty() {
            eprintln!("{} {remedy}", lang.pick("建议：", "hint:"));
        }
        ExitCode::from(self.code)
    }
}

macro_rules! input_failure {
    ($($error:ty),*) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::input(error.to_string())
            }
        })*
    };
}

input_failure!(
    crate::planfile::PlanFileError,
    crate::ingest::IngestError,
    crate::params::ParamsError,
    crate::files::WriteError,
    crate::export::ExportError
);

#[cfg(feature = "server")]
input_failure!(crate::server::ServeError);

impl From<crate::report::ReportError> for Failure {
    fn from(error: crate::report::ReportError) -> Self {
        Self::ours(error.to_string())
    }
}

impl From<crate::pipeline::PlanError> for Failure {
    fn from(error: crate::pipeline::PlanError) -> Self {
        use crate::pipeline::PlanError;
        match error {
            PlanError::Broken(_) => Self::ours(error.to_string()),
            _ => Self::input(error.to_string()),
        }
    }
}
