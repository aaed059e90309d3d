//! What is said on standard error while files come: bars on a terminal, lines where there is none.

use std::cell::Cell;

use ambivox_fetch::Event;
use ambivox_settings::{Download, printable};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A line that shows how far the transfers are.
const BAR: &str = "{wide_bar} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec}";

/// Of more files than these, each has no line of its own.
const MOST_LINES: usize = 20;

/// The bar of all files together.
pub(crate) struct Progress {
    bar: ProgressBar,
    files: usize,
    /// Bytes of the files before the present one, and of that.
    before: Cell<u64>,
    present: Cell<u64>,
}

impl Progress {
    pub(crate) fn new(files: &[Download]) -> Self {
        let bytes = files.iter().fold(0_u64, |sum, file| sum.saturating_add(file.bytes));
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template(BAR);
        let bar = style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style));
        Self { bar, files: files.len(), before: Cell::new(0), present: Cell::new(0) }
    }

    pub(crate) fn hear(&self, event: &Event<'_>) {
        match *event {
            Event::Download { url, held, bytes } => {
                if self.files <= MOST_LINES {
                    self.say(&format!("{url}: {held} of {bytes} bytes are here"));
                } else if self.present.get() == 0 {
                    let all = self.bar.length().unwrap_or_default();
                    self.say(&format!("{} files, {all} bytes", self.files));
                }
                self.before.set(self.before.get().saturating_add(self.present.replace(bytes)));
                self.bar.set_position(self.before.get().saturating_add(held));
            }
            Event::Received(bytes) => self.bar.inc(bytes),
            Event::Again { url, held, reason } => {
                self.say(&format!("{url}: trying again: {reason}"));
                self.bar.set_position(self.before.get().saturating_add(held));
            }
            Event::Unpack { url } => self.say(&format!("{url}: unpacking")),
        }
    }

    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }

    /// A line above the bar, or where there is no terminal, a line.
    fn say(&self, line: &str) {
        use std::io::Write as _;
        // Nothing is left to do where standard error is closed.
        self.bar.suspend(|| writeln!(std::io::stderr(), "{}", printable(line)).ok());
    }
}
