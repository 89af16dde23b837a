//! The command line: decode the flags, call the library, print. No planning rule lives here.
//!
//! Results go to stdout, messages and progress bars to stderr. Exit code 0: done; 1: the input or the flags; 2: a
//! fault of the program.

mod args;
mod edits;
mod outcome;
#[cfg(feature = "server")]
mod serve;
mod verbs;
mod watch;
mod what_if;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

use crate::model::Lang;
use args::{Cli, LangArg, Verb};
use outcome::{Failure, Outcome};
use watch::Screen;

/// Runs the program with the arguments that it was started with.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let is_help = !error.use_stderr();
            // Nothing better can be done when the terminal is gone.
            let _ = error.print();
            return if is_help { ExitCode::SUCCESS } else { ExitCode::from(1) };
        }
    };
    let lang = match cli.lang {
        LangArg::Zh => Lang::Zh,
        LangArg::En => Lang::En,
    };
    let screen = Screen::new(lang, cli.quiet, folders(&cli.verb));
    let session = Session { lang, screen: &screen };
    let result = match threads(cli.threads) {
        Ok(pool) => pool
            .install(|| std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(&cli.verb, &session)))),
        Err(failure) => Ok(Err(failure)),
    };
    screen.done();
    match result {
        Ok(Ok(outcome)) => outcome.print(lang, cli.json),
        Ok(Err(failure)) => failure.print(lang),
        Err(_panic) => Failure::ours((
            "程序出现意外故障，详情见上；请连同输入文件一起报告",
            "an unexpected fault, described above; please report it with the input",
        ))
        .print(lang),
    }
}

/// Folders that a verb writes into.
fn folders(verb: &Verb) -> Vec<PathBuf> {
    let beside = |file: &Path| match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    match verb {
        Verb::Import(args) => vec![beside(&args.output)],
        Verb::Synth(args) => vec![beside(&args.output)],
        Verb::Plan(args) => vec![args.output.clone()],
        Verb::Report(args) => vec![args.output.clone()],
        Verb::Export(args) => vec![args.output.clone()],
        Verb::Demo(args) => vec![args.output.clone()],
        Verb::Grids(args) | Verb::Stations(args) => vec![beside(args.output.as_ref().unwrap_or(&args.file))],
        Verb::Coverage(args) => vec![beside(args.stage.output.as_ref().unwrap_or(&args.stage.file))],
        Verb::Redraw(args) => vec![beside(args.output.as_ref().unwrap_or(&args.file))],
        _ => Vec::new(),
    }
}

/// What every verb needs.
struct Session<'a> {
    lang: Lang,
    screen: &'a Screen,
}

impl Session<'_> {
    /// Ends the verb if somebody pressed Ctrl-C; called before anything is written.
    fn stop_if_asked(&self) -> Result<(), Failure> {
        if self.screen.is_stopped() { Err(crate::pipeline::PlanError::Cancelled.into()) } else { Ok(()) }
    }
}

fn threads(n: Option<usize>) -> Result<rayon::ThreadPool, Failure> {
    if n == Some(0) {
        return Err(Failure::input(("--threads 为 0；至少为 1", "--threads is 0; give at least 1")));
    }
    let builder = rayon::ThreadPoolBuilder::new().num_threads(n.unwrap_or(0));
    builder.build().map_err(|error| {
        Failure::ours((format!("无法启动线程：{error}"), format!("cannot start threads: {error}")))
    })
}

fn run(verb: &Verb, session: &Session<'_>) -> Result<Outcome, Failure> {
    match verb {
        Verb::Import(args) => verbs::import(args, session),
        Verb::Check(args) => verbs::check(args, session),
        Verb::Plan(args) => verbs::plan(args, session),
        Verb::Grids(args) => verbs::grids(args, session),
        Verb::Stations(args) => verbs::stations(args, session),
        Verb::Coverage(args) => verbs::coverage(args, session),
        Verb::Redraw(args) => verbs::redraw(args, session),
        Verb::Compare(args) => verbs::compare(args, session),
        Verb::Edit(args) => edits::edit(args, session),
        #[cfg(feature = "server")]
        Verb::Serve(args) => serve::serve(args, session),
        Verb::Report(args) => verbs::report(args, session),
        Verb::Export(args) => verbs::export(args, session),
        Verb::Synth(args) => verbs::synth(args, session),
        Verb::Demo(args) => verbs::demo(args, session),
    }
}
