//! A process that answers jobs.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// How long a worker is left alone before the next: threads of the one before still spin, waiting
/// for more.
const PAUSE: Duration = Duration::from_millis(50);

/// A worker at the other end of two pipes; it ends when this is dropped.
pub(crate) struct Worker {
    child: Child,
    jobs: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Worker {
    /// One that runs this project's code, by a hidden command.
    pub(crate) fn ours(command: &str, threads: usize) -> Result<Self> {
        Self::start(Command::new(std::env::current_exe()?).arg(command), threads)
    }

    /// One that runs a script by PyTorch.
    pub(crate) fn torch(python: &Path, script: &str, threads: usize) -> Result<Self> {
        let mut command = Command::new(python);
        Self::start(command.args(["-c", script, &threads.to_string()]), threads)
    }

    fn start(command: &mut Command, threads: usize) -> Result<Self> {
        for name in ["RAYON_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"] {
            command.env(name, threads.to_string());
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let answers = child.stdout.take().context("a worker without output")?;
        let jobs = child.stdin.take();
        Ok(Self { child, jobs, answers: BufReader::new(answers).lines() })
    }

    /// Has a job done: the first time it is prepared and done once before it is timed.
    pub(crate) fn ask<J: Serialize, A: DeserializeOwned>(&mut self, job: &J) -> Result<A> {
        sleep(PAUSE);
        let jobs = self.jobs.as_mut().context("a worker without input")?;
        writeln!(jobs, "{}", serde_json::to_string(job)?)?;
        let answer = self.answers.next().context("a worker ended early; its error is above")??;
        Ok(serde_json::from_str(&answer)?)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.jobs = None;
        // It has nothing left to do; how it ends is of no interest.
        self.child.wait().ok();
    }
}

/// PyTorch's version, where this Python has it.
pub(crate) fn torch_version(python: &Path) -> Option<String> {
    let print = "import torch; print(torch.__version__)";
    let output = Command::new(python).args(["-c", print]).output().ok()?;
    let version = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| version.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_python_that_is_not_there_has_no_torch() {
        assert_eq!(torch_version(Path::new("/nowhere/python")), None);
    }
}
