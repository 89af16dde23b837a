//! Progress bars on stderr, and Ctrl-C as a flag that the work polls.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::model::Lang;
use crate::pipeline::Step;

/// Steps of the bar; 0.1 % each.
const TICKS: u64 = 1000;

/// What a person sees while the program works.
pub(super) struct Screen {
    lang: Lang,
    quiet: bool,
    stopped: Arc<AtomicBool>,
    current: Mutex<Option<(String, ProgressBar, Instant)>>,
}

impl Screen {
    /// Listens to Ctrl-C and to requests to end from now on: the first asks the work to stop, a second ends the program
    /// at once, and takes what is half-written in `folders` with it.
    pub(super) fn new(lang: Lang, quiet: bool, folders: Vec<PathBuf>) -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stopped);
        let handler = ctrlc::set_handler(move || {
            if flag.swap(true, Ordering::SeqCst) {
                folders.iter().for_each(|folder| crate::files::sweep(folder));
                std::process::exit(1);
            }
        });
        if let Err(error) = handler {
            tracing::warn!("Ctrl-C will end the program without a message: {error}");
        }
        Self { lang, quiet, stopped, current: Mutex::new(None) }
    }

    /// Whether somebody pressed Ctrl-C.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// Set when somebody presses Ctrl-C.
    #[cfg(feature = "server")]
    pub(super) fn stop_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stopped)
    }

    /// A step of the pipeline is `share` done.
    pub(super) fn step(&self, step: Step, share: f64) -> ControlFlow<()> {
        let (zh, en) = match step {
            Step::Land => ("划分用地", "dividing the land"),
            Step::Grids => ("划分网格", "drawing grids"),
            Step::Network => ("构建步行网络", "building the walk network"),
            Step::Stations => ("选址", "choosing stations"),
            Step::Coverage => ("分析覆盖", "measuring coverage"),
            Step::Circles => ("绘制服务圈", "drawing service circles"),
        };
        self.watch(self.lang.pick(zh, en), share)
    }

    /// As [`Screen::at`]; `Break` once somebody pressed Ctrl-C.
    pub(super) fn watch(&self, name: &str, share: f64) -> ControlFlow<()> {
        self.at(name, share);
        if self.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Something is `share` done; a new name closes the step before.
    pub(super) fn at(&self, name: &str, share: f64) {
        if self.quiet {
            return;
        }
        let Ok(mut current) = self.current.lock() else { return };
        let is_same = current.as_ref().is_some_and(|(shown, _, _)| shown == name);
        if !is_same {
            Self::close(current.take());
            *current = Some((name.to_owned(), bar(name), Instant::now()));
        }
        if let Some((_, bar, _)) = &*current {
            bar.set_position((share.clamp(0.0, 1.0) * TICKS as f64) as u64);
        }
    }

    /// Closes the last step.
    pub(super) fn done(&self) {
        if let Ok(mut current) = self.current.lock() {
            Self::close(current.take());
        }
    }

    fn close(current: Option<(String, ProgressBar, Instant)>) {
        let Some((name, bar, started)) = current else { return };
        bar.finish_and_clear();
        let seconds = started.elapsed().as_secs_f64();
        if 0.05 <= seconds {
            eprintln!("✓ {name} {seconds:.1} s");
        }
    }
}

fn bar(name: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(TICKS), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{msg} {bar:30} {percent:>3} % {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(name.to_owned());
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
