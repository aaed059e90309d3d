//! The programs of Slurm that a driver calls, and what they answer.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::fate::Fate;
use super::order::JOB;
use crate::progress::Progress;

/// How long a controller that does not answer is waited for, as while it is started anew.
const PATIENCE: Duration = Duration::from_mins(10);
/// Time between two tries.
const PAUSE: Duration = Duration::from_secs(2);
/// What Slurm's programs say where the controller did not answer.
const SILENCE: [&str; 5] = [
    "Unable to contact slurm controller",
    "Connection refused",
    "Socket timed out",
    "Transport endpoint is not connected",
    "Zero Bytes were transmitted or received",
];

/// A task of a job array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Task {
    /// The array's job id.
    pub(super) job: String,
    pub(super) number: usize,
}

/// A task that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Queued {
    pub(super) task: Task,
    /// The order's name.
    pub(super) order: String,
    pub(super) runs: bool,
}

/// What a call came to.
enum Called {
    Answer(String),
    /// It said no, for this reason.
    Refused(String),
    /// The controller did not answer.
    Silence(String),
}

/// All of this user's tasks that are orders of ours.
pub(super) fn queue(progress: &Progress) -> Result<Vec<Queued>> {
    let arguments = ["--me", "--noheader", "--array", "--format=%F|%K|%T|%j"];
    let text = patiently(progress, "squeue", &arguments.map(OsStr::new))?;
    Ok(text.lines().filter_map(queued).collect())
}

/// A line such as `12|3|RUNNING|ambivox-0123456789ab`.
fn queued(line: &str) -> Option<Queued> {
    let mut fields = line.trim().splitn(4, '|');
    let (job, number) = (fields.next()?.to_owned(), fields.next()?.parse().ok()?);
    let (state, name) = (fields.next()?, fields.next()?);
    let order = name.strip_prefix(JOB)?.to_owned();
    Some(Queued { task: Task { job, number }, order, runs: state == "RUNNING" })
}

/// Submits an array; returns its job id.
///
/// Where the controller does not answer, the array may be queued all the same: its name tells.
pub(super) fn submit(
    progress: &Progress,
    arguments: &[String],
    script: &Path,
    order: &str,
) -> Result<String> {
    let words: Vec<&OsStr> = arguments.iter().map(OsStr::new).chain([script.as_os_str()]).collect();
    let started = Instant::now();
    loop {
        match call("sbatch", &words)? {
            // With several clusters the cluster's name follows.
            Called::Answer(text) => {
                return Ok(text.trim().split(';').next().unwrap_or_default().to_owned());
            }
            Called::Refused(why) => bail!("sbatch refused: {why}"),
            Called::Silence(why) if started.elapsed() > PATIENCE => bail!(silent(&why)),
            Called::Silence(why) => {
                progress.say(&format!("slurm does not answer; trying on ({why})"));
                let queue = queue(progress)?;
                if let Some(there) = queue.into_iter().find(|queued| queued.order == order) {
                    return Ok(there.task.job);
                }
            }
        }
    }
}

/// Takes jobs back. One that is over already is no error.
pub(super) fn cancel(progress: &Progress, jobs: &[String]) -> Result<()> {
    let words: Vec<&OsStr> = jobs.iter().map(OsStr::new).collect();
    patiently(progress, "scancel", &words).map(drop)
}

/// What became of a task: from the accounting where the cluster has one, else from the controller,
/// which forgets after some minutes.
pub(super) fn fate(progress: &Progress, task: &Task) -> Result<Fate> {
    let id = format!("{}_{}", task.job, task.number);
    let accounting =
        ["--allocations", "--noheader", "--parsable2", "--format=State", "--jobs", &id];
    if let Ok(Called::Answer(text)) = call("sacct", &accounting.map(OsStr::new))
        && let Some(state) = text.lines().map(str::trim).rfind(|line| !line.is_empty())
    {
        return Ok(Fate::from_state(state));
    }
    let started = Instant::now();
    loop {
        match call("scontrol", &["show", "job", "--oneliner", &id].map(OsStr::new))? {
            Called::Answer(text) => return Ok(state_of(&text)),
            // A job that it no longer knows.
            Called::Refused(_) => return Ok(Fate::Unknown),
            Called::Silence(why) => wait_on(progress, started, &why)?,
        }
    }
}

/// The state in what `scontrol show job` writes.
fn state_of(text: &str) -> Fate {
    let field = text.split_whitespace().find_map(|field| field.strip_prefix("JobState="));
    Fate::from_state(field.unwrap_or_default())
}

/// What a program answers, once the controller does.
fn patiently(progress: &Progress, program: &str, arguments: &[&OsStr]) -> Result<String> {
    let started = Instant::now();
    loop {
        match call(program, arguments)? {
            Called::Answer(text) => return Ok(text),
            Called::Refused(why) => bail!("{program} refused: {why}"),
            Called::Silence(why) => wait_on(progress, started, &why)?,
        }
    }
}

fn wait_on(progress: &Progress, started: Instant, why: &str) -> Result<()> {
    if started.elapsed() > PATIENCE {
        bail!(silent(why));
    }
    progress.say(&format!("slurm does not answer; trying on ({why})"));
    std::thread::sleep(PAUSE);
    Ok(())
}

fn silent(why: &str) -> String {
    format!(
        "slurm does not answer: {why}\n\
         hint: what is queued goes on by itself; call again later, and it is found there"
    )
}

fn call(program: &str, arguments: &[&OsStr]) -> Result<Called> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.with_context(|| {
        format!(
            "failed to run {program}\nhint: --executor slurm needs Slurm's commands in the PATH"
        )
    })?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        return Ok(Called::Answer(text(&output.stdout)));
    }
    let why = text(&output.stderr);
    let why = if why.is_empty() { output.status.to_string() } else { why.replace('\n', "; ") };
    let is_silence = SILENCE.iter().any(|words| why.contains(words));
    Ok(if is_silence { Called::Silence(why) } else { Called::Refused(why) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_arrays_of_ours_count() {
        let found = queued("12|3|RUNNING|ambivox-0123").unwrap();
        assert_eq!(found.task, Task { job: "12".to_owned(), number: 3 });
        assert_eq!((found.order.as_str(), found.runs), ("0123", true));
        assert!(!queued("12|4|PENDING|ambivox-0123").unwrap().runs);
        for other in ["12|N/A|RUNNING|ambivox-0123", "12|3|RUNNING|other|ambivox-", "", "12|3"] {
            assert_eq!(queued(other), None, "{other}");
        }
    }

    #[test]
    fn the_controller_tells_the_state() {
        let text = "JobId=7 ArrayJobId=5 JobName=x UserId=root(0) JobState=NODE_FAIL Reason=None";
        assert_eq!(state_of(text), Fate::NodeFailed);
        assert_eq!(state_of(""), Fate::Unknown);
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let Err(error) = call("no-such-squeue", &[]) else { panic!("it is there") };
        assert!(error.to_string().contains("no-such-squeue"), "{error}");
        let said = |line: &str| call("sh", &["-c", line].map(OsStr::new)).unwrap();
        assert!(matches!(said("echo 5"), Called::Answer(text) if text == "5"));
        assert!(matches!(said("echo no >&2; exit 1"), Called::Refused(text) if text == "no"));
        let silence = "echo 'x: Unable to contact slurm controller (connect failure)' >&2; exit 1";
        assert!(matches!(said(silence), Called::Silence(_)));
    }
}
