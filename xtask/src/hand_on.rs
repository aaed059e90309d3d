//! The commands that another program does, built when one is asked for.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::binary::{self, AMBIVOX, FETCH, MEASURE, PREDICT};

/// A command line to be handed on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Handed {
    program: &'static str,
    arguments: Vec<OsString>,
}

/// What another program is asked for; `None` where the command is a chore.
pub(crate) fn asked(arguments: impl IntoIterator<Item = OsString>, root: &Path) -> Option<Handed> {
    let mut arguments: Vec<_> = arguments.into_iter().skip(1).collect();
    let words: Vec<&str> = arguments.iter().take(2).map_while(|word| word.to_str()).collect();
    match words[..] {
        ["tidy" | "ci" | "fuzz", ..] => None,
        ["bench", "plan"] => {
            let rest = arguments.split_off(2).into_iter();
            Some(planned(root, [OsString::from("bench-plan")].into_iter().chain(rest).collect()))
        }
        ["conform" | "bench", ..] => Some(Handed { program: MEASURE, arguments }),
        // Those programs have one command each, and are of use without this one.
        ["predict", ..] => Some(Handed { program: PREDICT, arguments: arguments.split_off(1) }),
        ["fetch", ..] => {
            let manifests = root.join("data-manifests").into_os_string();
            let told = ["--manifests".into(), manifests].into_iter();
            Some(Handed { program: FETCH, arguments: told.chain(arguments.split_off(1)).collect() })
        }
        _ => Some(planned(root, arguments)),
    }
}

/// A command of the program itself, called for this checkout.
pub(crate) fn planned(root: &Path, arguments: Vec<OsString>) -> Handed {
    let told = ["--checkout".into(), root.as_os_str().to_owned()].into_iter();
    Handed { program: AMBIVOX, arguments: told.chain(arguments).collect() }
}

/// Builds the program and lets it take this one's place: signals reach it, and its exit code is the
/// command's.
pub(crate) fn run(root: &Path, handed: &Handed) -> Result<u8> {
    let mut command = command(root, handed)?;
    become_program(&mut command)
        .with_context(|| format!("failed to run {}", command.get_program().display()))
}

/// Builds the program, to be run with what is handed on.
pub(crate) fn command(root: &Path, handed: &Handed) -> Result<Command> {
    let mut command = Command::new(binary::build(root, handed.program)?);
    command.args(&handed.arguments);
    Ok(command)
}

/// Returns where the program could not be run.
#[cfg(unix)]
fn become_program(command: &mut Command) -> std::io::Result<u8> {
    use std::os::unix::process::CommandExt as _;
    Err(command.exec())
}

/// Returns the program's exit code, since it cannot take this one's place here.
#[cfg(not(unix))]
fn become_program(command: &mut Command) -> std::io::Result<u8> {
    let code = command.status()?.code();
    Ok(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(ambivox_settings::exit::FAILED))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked_by(line: &str) -> Option<Handed> {
        asked(line.split_whitespace().map(OsString::from), Path::new("/house"))
    }

    fn handed(program: &'static str, line: &str) -> Handed {
        Handed { program, arguments: line.split_whitespace().map(OsString::from).collect() }
    }

    #[test]
    fn commands_of_other_programs_keep_all_of_their_flags() {
        let bench = "bench extract --threads 1,2 --json";
        assert_eq!(asked_by(&format!("xtask {bench}")), Some(handed(MEASURE, bench)));
        let flags = "--model m --json a.wav";
        assert_eq!(asked_by(&format!("xtask predict {flags}")), Some(handed(PREDICT, flags)));
        let fetch = "--manifests /house/data-manifests emodb --to x";
        assert_eq!(asked_by("xtask fetch emodb --to x"), Some(handed(FETCH, fetch)));
        for line in ["", "cv --fold x", "--json bench", "help bench", "--help"] {
            let expected = handed(AMBIVOX, &format!("--checkout /house {line}"));
            assert_eq!(asked_by(&format!("xtask {line}")), Some(expected), "{line}");
        }
        let plan = handed(AMBIVOX, "--checkout /house bench-plan");
        assert_eq!(asked_by("xtask bench plan"), Some(plan));
        for line in ["xtask tidy", "xtask ci", "xtask fuzz csv"] {
            assert_eq!(asked_by(line), None, "{line}");
        }
    }
}
