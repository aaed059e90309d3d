//! Signals that end a command, held back until what it leaves behind is cleared up.

use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Result, bail};
use signal_hook::consts::{SIGINT, SIGTERM};

/// Time between two looks for a signal.
const PAUSE: Duration = Duration::from_millis(20);

/// Holds back the signals of Ctrl-C and `kill`.
pub(crate) struct Interrupt {
    /// The last one's number, or 0.
    signal: Arc<AtomicUsize>,
}

impl Interrupt {
    /// From now on.
    pub(crate) fn hold_back() -> Result<Self> {
        let signal = Arc::new(AtomicUsize::new(0));
        for number in [SIGINT, SIGTERM] {
            signal_hook::flag::register_usize(number, Arc::clone(&signal), number as usize)?;
        }
        Ok(Self { signal })
    }

    /// Runs a program to its end, or ends it with an error when there is a signal.
    pub(crate) fn run(&self, command: &mut Command) -> Result<ExitStatus> {
        let mut child = command.spawn()?;
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            if self.number() != 0 {
                // It has nothing to clear up, and its stages end with it.
                child.kill()?;
                child.wait()?;
                bail!("interrupted");
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Ends this process as the signal that was held back would have, if there was one.
    pub(crate) fn obey(&self) {
        let number = self.number();
        if number != 0 {
            // Where it cannot be obeyed the error that came of it ends the command.
            signal_hook::low_level::emulate_default_handler(number as i32).ok();
        }
    }

    fn number(&self) -> usize {
        self.signal.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_ends_what_runs() {
        let interrupt = Interrupt::hold_back().unwrap();
        assert!(interrupt.run(&mut Command::new("true")).unwrap().success());
        interrupt.signal.store(SIGTERM as usize, Ordering::Relaxed);
        let error = interrupt.run(Command::new("sleep").arg("1000")).unwrap_err();
        assert_eq!(error.to_string(), "interrupted");
    }
}
