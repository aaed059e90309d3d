//! What goes to the terminal.

use std::io::{ErrorKind, Write as _, stderr, stdout};

use ambivox_settings::printable;
use anyhow::Result;

/// Prints to standard output. A reader that has read enough is no error.
pub(crate) fn print(text: &str) -> Result<()> {
    match writeln!(stdout(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Says on standard error what is being done.
pub(crate) fn say(text: &str) {
    // Nothing is left to do where standard error is closed.
    writeln!(stderr(), "{}", printable(text)).ok();
}

/// Says on standard error what went wrong.
pub(crate) fn complain(error: &anyhow::Error) {
    say(&format!("error: {}", ambivox_settings::causes(error.as_ref()).join(": ")));
}
