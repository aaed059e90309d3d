//! Progress on standard error: bars with rate and time left on a terminal, plain lines elsewhere.
//! Nothing is coloured, whatever `NO_COLOR` says; asked to be quiet, warnings alone are said.

use std::fmt;
use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use ambivox_settings::{Event, printable};
use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use crate::called::said;

/// Shortest time between two plain lines of one stage.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// Where the log and the bars go.
pub(crate) struct Progress {
    /// `None` where standard error is no terminal.
    bars: Option<MultiProgress>,
    quiet: bool,
}

impl Progress {
    /// Bars if standard error is a terminal that can draw them; warnings alone if `quiet`.
    pub(crate) fn new(quiet: bool) -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let bars = (std::io::stderr().is_terminal() && !dumb && !quiet).then(MultiProgress::new);
        Self { bars, quiet }
    }

    /// Says a line of the log.
    pub(crate) fn say(&self, line: &str) {
        if !self.quiet {
            self.warn(line);
        }
    }

    /// Says a line that someone ought to read, above the bars where there are any.
    pub(crate) fn warn(&self, line: &str) {
        match &self.bars {
            Some(bars) => bars.suspend(|| write_line(line)),
            None => write_line(line),
        }
    }

    /// The bar of many stages together; of a single one there is nothing to add.
    pub(crate) fn wave(&self, total: usize) -> ProgressBar {
        let Some(bars) = self.bars.as_ref().filter(|_| total > 1) else {
            return ProgressBar::hidden();
        };
        let bar = bars.add(ProgressBar::new(total as u64));
        bar.set_style(style("{prefix:28!} {bar:20} {pos}/{len} {elapsed} (left {eta})"));
        bar.set_prefix("all");
        bar.enable_steady_tick(Duration::from_secs(1));
        bar
    }

    /// The bar of one stage.
    pub(crate) fn stage(&self, slot: &str) -> StageProgress<'_> {
        let bar = self.bars.as_ref().map(|bars| {
            let bar = bars.add(ProgressBar::no_length()).with_prefix(printable(slot).into_owned());
            bar.set_style(style("{prefix:28!} {spinner} {elapsed}"));
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        let started = Instant::now();
        StageProgress { log: self, slot: slot.to_owned(), bar, started, said: Mutex::new(started) }
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template);
    style.unwrap_or_else(|_| ProgressStyle::default_bar()).with_key("rate", write_rate)
}

/// Per second, or per minute where that is less than one.
fn write_rate(state: &ProgressState, line: &mut dyn fmt::Write) {
    let rate = state.per_sec();
    let written = if rate < 1.0 {
        write!(line, "{:.1}/min", 60.0 * rate)
    } else {
        write!(line, "{rate:.0}/s")
    };
    // Nothing but memory is written to.
    written.ok();
}

/// A log that cannot be written is no reason to stop the work.
fn write_line(line: &str) {
    writeln!(std::io::stderr(), "{}", said(line)).ok();
}

/// Progress of one stage.
pub(crate) struct StageProgress<'a> {
    log: &'a Progress,
    slot: String,
    bar: Option<ProgressBar>,
    started: Instant,
    /// When the last plain line was said.
    said: Mutex<Instant>,
}

impl StageProgress<'_> {
    /// Shows what the stage said.
    pub(crate) fn event(&self, event: Event) {
        match event {
            Event::Warning { message } => self.log.warn(&format!("{}: {message}", self.slot)),
            Event::Memory { .. } => {}
            Event::Progress { done, total, unit, message } => match &self.bar {
                Some(bar) => draw(bar, done, total, &unit, &message),
                None => self.line(&format!("{done}/{total} {unit} {message}")),
            },
        }
    }

    /// Says that another process is at this stage.
    pub(crate) fn waiting(&self) {
        self.log.say(&format!("{}: another run is making it; waiting for that", self.slot));
    }

    /// Takes the bar away; where there is none, says the time.
    pub(crate) fn end(&self, how: &str) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        } else {
            let seconds = self.started.elapsed().as_secs_f64();
            self.log.say(&format!("{}: {how} in {seconds:.1} s", self.slot));
        }
    }

    fn line(&self, text: &str) {
        let now = Instant::now();
        let Ok(mut said) = self.said.lock() else { return };
        if now.duration_since(*said) >= LINE_INTERVAL {
            *said = now;
            self.log.say(&format!("{}: {}", self.slot, text.trim_end()));
        }
    }
}

fn draw(bar: &ProgressBar, done: u64, total: u64, unit: &str, message: &str) {
    if bar.length().is_none() {
        let counts = format!("{{pos}}/{{len}} {unit}");
        bar.set_style(style(&format!(
            "{{prefix:28!}} {{bar:20}} {counts} {{rate}} (left {{eta}}) {{wide_msg}}"
        )));
    }
    bar.set_length(total);
    bar.set_position(done);
    bar.set_message(printable(message).into_owned());
}
