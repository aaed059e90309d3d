//! One stage as a process: nothing reaches it but its request, and what it says comes back as events.

use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ambivox_settings::{Event, exit};
use ambivox_stages::RUN;
use anyhow::{Context as _, Result};

/// The program that runs the stages.
#[derive(Debug, Clone)]
pub(crate) enum Program {
    /// This one, as it was when it was started.
    Own,
    /// Another.
    At(PathBuf),
}

impl Program {
    /// Where it lies. Where this one was replaced since it was started, Linux still has it as it was: what
    /// it makes is what its keys say.
    pub(crate) fn path(&self) -> Result<PathBuf> {
        let own = match self {
            Self::At(path) => return Ok(path.clone()),
            Self::Own => std::env::current_exe()?,
        };
        let started = PathBuf::from("/proc/self/exe");
        Ok(if !own.exists() && started.exists() { started } else { own })
    }
}

/// How a stage ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Exit code; a stage that a signal or a panic ended has failed.
    pub(crate) code: u8,
    /// What it wrote to standard error.
    pub(crate) stderr: String,
}

/// Runs the stage of a request in `folder` and passes on its events.
///
/// The environment is empty but for the number of threads, on which results do not depend, and the
/// locale and time zone, which are the same for all.
pub(crate) fn run_stage(
    program: &Path,
    request: &Path,
    folder: &Path,
    threads: usize,
    mut on_event: impl FnMut(Event),
) -> Result<Ended> {
    let mut command = Command::new(program);
    command.args([RUN, "--request"]).arg(request).arg("--with-caller").current_dir(folder);
    command.env_clear().env("LC_ALL", "C").env("TZ", "UTC");
    for name in ["RAYON_NUM_THREADS", "POLARS_MAX_THREADS", "CANDLE_NUM_THREADS"] {
        command.env(name, threads.to_string());
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child =
        command.spawn().with_context(|| format!("failed to start {}", program.display()))?;
    // Never written to: when this process ends, however it does, the pipe ends, and the stage with it.
    let lifeline = child.stdin.take();
    let stderr = child.stderr.take().map(|pipe| std::thread::spawn(move || drain(pipe)));
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout).lines().map_while(Result::ok).for_each(|line| on_event(event(line)));
    }
    let status = child.wait()?;
    drop(lifeline);
    let stderr = stderr.and_then(|thread| thread.join().ok()).unwrap_or_default();
    let code = status.code().and_then(known);
    let stderr = if code.is_none() { format!("{stderr}({status})") } else { stderr };
    Ok(Ended { code: code.unwrap_or(exit::FAILED), stderr })
}

/// An exit code that a stage gives of its own will; a panic's is none.
fn known(code: i32) -> Option<u8> {
    let code = u8::try_from(code).ok()?;
    [exit::DONE, exit::FAILED, exit::USAGE, exit::DATA].contains(&code).then_some(code)
}

/// A line that is no event is worth the user's attention.
fn event(line: String) -> Event {
    serde_json::from_str(&line).unwrap_or(Event::Warning { message: line })
}

fn drain(mut pipe: impl Read) -> String {
    let mut bytes = Vec::new();
    // What came before a read error is still worth showing.
    pipe.read_to_end(&mut bytes).ok();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    use fs_err as fs;

    use super::*;

    /// Writes a shell script that stands for the stage program.
    pub(crate) fn script(folder: &Path, body: &str) -> PathBuf {
        let path = folder.join("stage.sh");
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        let mode = std::fs::Permissions::from_mode(0o755);
        fs::set_permissions(&path, mode).unwrap();
        path
    }

    fn run(body: &str) -> (Ended, Vec<Event>) {
        let folder = tempfile::tempdir().unwrap();
        let program = script(folder.path(), body);
        let mut events = Vec::new();
        let request = Path::new("/request.json");
        let ended = run_stage(&program, request, folder.path(), 3, |event| events.push(event));
        (ended.unwrap(), events)
    }

    #[test]
    fn events_and_errors_come_back() {
        let progress = r#"{"event":"progress","done":1,"total":2,"unit":"files","message":""}"#;
        let body = format!("echo '{progress}'\necho stray\necho \"$1 $2 $3\" >&2\nexit 3");
        let (ended, events) = run(&body);
        assert_eq!((ended.code, ended.stderr.as_str()), (3, "run --request /request.json\n"));
        assert!(matches!(&events[0], Event::Progress { done: 1, total: 2, .. }));
        assert_eq!(events[1], Event::Warning { message: "stray".to_owned() });
    }

    #[test]
    fn the_environment_is_the_whitelist() {
        let (ended, _) = run("/usr/bin/env >&2");
        let mut lines: Vec<&str> = ended.stderr.lines().collect();
        // The shell's own.
        lines.retain(|line| {
            !["PWD=", "SHLVL=", "_=", "OLDPWD="].iter().any(|own| line.starts_with(own))
        });
        lines.sort_unstable();
        let threads = ["CANDLE_NUM_THREADS=3", "LC_ALL=C", "POLARS_MAX_THREADS=3"];
        assert_eq!(lines, [&threads[..], &["RAYON_NUM_THREADS=3", "TZ=UTC"]].concat());
    }

    #[test]
    fn a_stage_that_panicked_has_failed() {
        let (ended, _) = run("exit 101");
        assert_eq!(ended.code, exit::FAILED);
        assert!(ended.stderr.contains("101"), "{}", ended.stderr);
    }

    #[test]
    fn a_killed_stage_has_failed() {
        let (ended, _) = run("kill -9 $$");
        assert_eq!(ended.code, exit::FAILED);
        assert!(ended.stderr.contains("signal"), "{}", ended.stderr);
    }
}
