//! What a stage says while it works: [`Event`]s as JSON lines.

use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ambivox_settings::Event;

/// Shortest time between two reports of progress. Only how often progress is shown depends on the
/// clock, never a result.
const INTERVAL: Duration = Duration::from_millis(100);

/// Writes events, at most ten reports of progress a second.
pub struct Reporter {
    sink: Mutex<Sink>,
}

struct Sink {
    out: Box<dyn Write + Send>,
    last: Option<Instant>,
}

impl Reporter {
    /// A reporter that writes its lines to `out`.
    pub fn new(out: Box<dyn Write + Send>) -> Self {
        Self { sink: Mutex::new(Sink { out, last: None }) }
    }

    /// Reports that `done` of `total` units are done; passed over shortly after another report,
    /// unless it is the last one.
    pub fn progress(&self, done: u64, total: u64, unit: &str, message: &str) {
        let mut sink = self.sink();
        let now = Instant::now();
        let soon = sink.last.is_some_and(|last| now.duration_since(last) < INTERVAL);
        if soon && done != total {
            return;
        }
        sink.last = Some(now);
        sink.emit(&Event::Progress {
            done,
            total,
            unit: unit.to_owned(),
            message: message.to_owned(),
        });
    }

    /// Reports something the user should read although the stage goes on.
    pub fn warn(&self, message: String) {
        self.sink().emit(&Event::Warning { message });
    }

    /// Reports the most memory that this process has had, where the system tells.
    pub fn memory(&self) {
        if let Some(peak_bytes) = peak_bytes() {
            self.sink().emit(&Event::Memory { peak_bytes });
        }
    }

    fn sink(&self) -> MutexGuard<'_, Sink> {
        self.sink.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The field `VmHWM` of Linux, which counts in kibibytes.
fn peak_bytes() -> Option<u64> {
    let status = fs_err::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(1024 * peak.split_whitespace().next()?.parse::<u64>().ok()?)
}

impl Sink {
    /// Nobody listening any more is no reason to give up the work.
    fn emit(&mut self, event: &Event) {
        if let Ok(line) = serde_json::to_string(event) {
            let _ = writeln!(self.out, "{line}").and_then(|()| self.out.flush());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_burst_shows_first_last_and_every_warning() {
        let lines = Lines::default();
        let reporter = Reporter::new(Box::new(lines.clone()));
        (1..=5000).for_each(|done| reporter.progress(done, 5000, "utterances", ""));
        reporter.warn("left out".to_owned());
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let events: Vec<Event> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert!(events.len() < 100, "{}", events.len());
        let done = |event: &Event| match event {
            Event::Progress { done, .. } => Some(*done),
            Event::Warning { .. } | Event::Memory { .. } => None,
        };
        assert_eq!(done(&events[0]), Some(1));
        assert_eq!(done(&events[events.len() - 2]), Some(5000));
        assert_eq!(events.last(), Some(&Event::Warning { message: "left out".to_owned() }));
    }
}
