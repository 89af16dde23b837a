//! What a verb came to: lines for people, one object for machines, and the next step.

use std::process::ExitCode;

use serde_json::{Map, Value};

use crate::model::{Lang, Tell, Text};

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
    message: Text,
    code: u8,
}

/// A message for the terminal: in both languages, or in the one it was written in.
pub(super) struct Words(Text);

impl<Zh: Into<String>, En: Into<String>> From<(Zh, En)> for Words {
    fn from(pair: (Zh, En)) -> Self {
        Self(pair.into())
    }
}

impl From<String> for Words {
    fn from(text: String) -> Self {
        Self(Text::same(text))
    }
}

impl From<&str> for Words {
    fn from(text: &str) -> Self {
        Self(Text::same(text))
    }
}

impl Failure {
    /// The input's or the flags' fault.
    pub(super) fn input(message: impl Into<Words>) -> Self {
        Self { message: message.into().0, code: 1 }
    }

    /// The program's fault.
    pub(super) fn ours(message: impl Into<Words>) -> Self {
        Self { message: message.into().0, code: 2 }
    }

    pub(super) fn print(&self, lang: Lang) -> ExitCode {
        // Messages read "what and why; what to do".
        let message = self.message.get(lang);
        let split = message.rsplit_once('；').filter(|_| lang == Lang::Zh);
        let (what, remedy) = split.or_else(|| message.rsplit_once("; ")).unwrap_or((message, ""));
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
                Self::input((error.chinese(), error.to_string()))
            }
        })*
    };
}

input_failure!(crate::planfile::PlanFileError, crate::ingest::IngestError, crate::params::ParamsError);

impl From<crate::files::WriteError> for Failure {
    fn from(error: crate::files::WriteError) -> Self {
        let chinese = format!(
            "无法写入 {}：{}；请检查文件夹是否存在、是否可写、磁盘是否有空间",
            error.path.display(),
            error.source
        );
        Self::input((chinese, error.to_string()))
    }
}

impl From<crate::export::ExportError> for Failure {
    fn from(error: crate::export::ExportError) -> Self {
        use crate::export::ExportError;
        let chinese = match &error {
            ExportError::Write { path, source } => {
                format!("无法写入 {}：{source}；请选择可写且磁盘有空间的文件夹", path.display())
            }
            ExportError::NotBuilt { format } => format!(
                "本程序编译时未包含 {} 的写出；请用 `--features gdal` 编译，或改为导出 geojson",
                format.as_str()
            ),
            ExportError::Gdal { format, path, why } => format!(
                "GDAL 无法在 {} 写出 {}：{why}；请检查磁盘空间，或改为导出 geojson 或 shp",
                path.display(),
                format.as_str()
            ),
            ExportError::Page(why) => format!("地图页面的数据无法打包：{why}；请释放一些内存后重试"),
        };
        Self::input((chinese, error.to_string()))
    }
}

#[cfg(feature = "server")]
input_failure!(crate::server::ServeError);

impl From<crate::report::ReportError> for Failure {
    fn from(error: crate::report::ReportError) -> Self {
        let crate::report::ReportError::Workbook(why) = &error;
        let chinese = format!("无法写出表格：{why}；请检查磁盘和临时文件夹是否有空间");
        Self::ours((chinese, error.to_string()))
    }
}

impl From<crate::pipeline::PlanError> for Failure {
    fn from(error: crate::pipeline::PlanError) -> Self {
        use crate::pipeline::PlanError;
        let words = (error.chinese(), error.to_string());
        match error {
            PlanError::Broken(_) => Self::ours(words),
            _ => Self::input(words),
        }
    }
}
