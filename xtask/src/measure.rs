//! The commands that measure: a program of their own does the work, built when one is asked for.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use ambivox_settings::exit;
use anyhow::{Context as _, Result};

use crate::binary;

/// Commands whose flags are their own.
const COMMANDS: [&str; 2] = ["conform", "bench"];

/// The command line of a measuring command, to be handed on as it is; `None` where another command
/// is asked for.
pub(crate) fn asked(arguments: impl IntoIterator<Item = OsString>) -> Option<Vec<OsString>> {
    let arguments: Vec<_> = arguments.into_iter().skip(1).collect();
    let first = arguments.first()?.to_str()?;
    COMMANDS.contains(&first).then_some(arguments)
}

/// Builds the measuring program and runs it; returns its exit code.
pub(crate) fn run(root: &Path, arguments: &[OsString]) -> Result<u8> {
    let program = binary::build_measure(root)?;
    let status = Command::new(&program)
        .args(arguments)
        .status()
        .with_context(|| format!("failed to run {}", program.display()))?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(exit::FAILED))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked_by(line: &str) -> Option<Vec<OsString>> {
        asked(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn measuring_commands_keep_all_of_their_flags() {
        let arguments = asked_by("xtask bench extract --threads 1,2 --json").unwrap();
        assert_eq!(arguments, ["bench", "extract", "--threads", "1,2", "--json"]);
        for line in ["xtask", "xtask cv", "xtask --json bench", "xtask help bench"] {
            assert_eq!(asked_by(line), None, "{line}");
        }
    }
}
