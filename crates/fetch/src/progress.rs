//! What is said on standard error while files come: bars on a terminal, lines where there is none.

use ambivox_fetch::Event;
use ambivox_settings::printable;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A line that shows how far the transfer is.
const BAR: &str = "{wide_bar} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec}";

/// The bar of the present file.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template(BAR);
        Self(style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style)))
    }

    pub(crate) fn hear(&self, event: &Event<'_>) {
        match *event {
            Event::Download { url, held, bytes } => {
                self.say(&format!("{url}: {held} of {bytes} bytes are here"));
                self.0.set_length(bytes);
                self.0.set_position(held);
            }
            Event::Received(bytes) => self.0.inc(bytes),
            Event::Again(reason) => self.say(&format!("trying again: {reason}")),
            Event::Unpack { url } => self.say(&format!("{url}: unpacking")),
        }
    }

    pub(crate) fn end(&self) {
        self.0.finish_and_clear();
    }

    /// A line above the bar, or where there is no terminal, a line.
    fn say(&self, line: &str) {
        use std::io::Write as _;
        // Nothing is left to do where standard error is closed.
        self.0.suspend(|| writeln!(std::io::stderr(), "{}", printable(line)).ok());
    }
}
