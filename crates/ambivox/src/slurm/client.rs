//! The programs of Slurm that a driver calls, and what they answer.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::order::{CLAIM, JOB, OrderFolder};
use super::outcome::Outcome;
use super::script::CLAIMED;
use crate::progress::Progress;

/// How long a controller that does not answer is waited for, as while it is started again.
const PATIENCE: Duration = Duration::from_mins(10);
/// Time between two tries.
const PAUSE: Duration = Duration::from_secs(2);
/// Half the time after which a claim begins by itself.
const TURN: Duration = Duration::from_secs(CLAIMED / 2);
/// What Slurm's programs say where the controller did not answer.
const SILENCE: [&str; 5] = [
    "Unable to contact slurm controller",
    "Connection refused",
    "Socket timed out",
    "Transport endpoint is not connected",
    "Zero Bytes were transmitted or received",
];

/// What they say where as many jobs are queued as may be: of a user, an account or a quality of service
/// by the limit's name, such as `QOSMaxSubmitJobPerUserLimit`, in older versions in these words; of the
/// whole cluster in the last two.
const FULL: [&str; 3] =
    ["job submit limit", "Resource temporarily unavailable", "temporarily unable to accept job"];
/// What they say of an array with more tasks than any may have.
const TOO_LONG: &str = "Invalid job array specification";

/// A task of a job array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Task {
    /// The array's job id.
    pub(super) job: String,
    pub(super) number: usize,
}

impl Task {
    /// Place of its job among all jobs of the cluster, whoever submitted them.
    pub(super) fn rank(&self) -> u64 {
        self.job.parse().unwrap_or(u64::MAX)
    }
}

/// A task that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Queued {
    pub(super) task: Task,
    /// The order's name.
    pub(super) order: String,
    /// Whether its submission is still under way.
    pub(super) is_claim: bool,
    pub(super) runs: bool,
}

/// What a call came to.
pub(super) enum Called {
    Answer(String),
    /// It said no, for this reason.
    Refused(String),
    /// There is no room for it now.
    Full(String),
    /// An array with more tasks than any may have.
    TooLong(String),
    /// The controller did not answer.
    Silence(String),
}

/// What a submission came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Submitted {
    /// Its job id.
    Job(String),
    /// There is no room for so many tasks now.
    Full(String),
    /// No array may have so many tasks.
    TooLong(String),
}

/// Runs programs of Slurm.
pub(super) trait Call {
    fn call(&self, program: &str, arguments: &[&OsStr]) -> Result<Called>;
}

/// Those that are installed here.
struct Installed;

/// Slurm, as a driver speaks to it.
pub(super) struct Client {
    pub(super) programs: Box<dyn Call>,
    /// Time between two tries.
    pub(super) pause: Duration,
    /// How long another driver's claim is waited for: where that is alive, it is soon done.
    pub(super) turn: Duration,
}

impl Client {
    pub(super) fn installed() -> Self {
        Self { programs: Box::new(Installed), pause: PAUSE, turn: TURN }
    }

    /// All of this user's tasks that are orders of this store.
    pub(super) fn queue(&self, store: &Path, progress: &Progress) -> Result<Vec<Queued>> {
        let arguments = ["--me", "--noheader", "--array", "--format=%F|%K|%T|%j|%Z"];
        let text = self.patiently(progress, "squeue", &arguments.map(OsStr::new))?;
        Ok(text.lines().filter_map(|line| queued(line, store)).collect())
    }

    /// Submits an array, where there is room for it.
    ///
    /// Where the controller does not answer, the array may be queued all the same. So it is looked up by
    /// its name before it is sent again.
    pub(super) fn submit(
        &self,
        progress: &Progress,
        arguments: &[String],
        script: &Path,
        order: &str,
    ) -> Result<Submitted> {
        let words: Vec<&OsStr> =
            arguments.iter().map(OsStr::new).chain([script.as_os_str()]).collect();
        let started = Instant::now();
        loop {
            match self.programs.call("sbatch", &words)? {
                // With several clusters the cluster's name follows.
                Called::Answer(text) => {
                    let job = text.trim().split(';').next().unwrap_or_default();
                    return Ok(Submitted::Job(job.to_owned()));
                }
                Called::Refused(why) => bail!("sbatch refused: {why}"),
                Called::Full(why) => return Ok(Submitted::Full(why)),
                Called::TooLong(why) => return Ok(Submitted::TooLong(why)),
                Called::Silence(why) => self.wait_on(progress, started, &why)?,
            }
            if let Some(job) = self.jobs_of(progress, order)?.into_iter().next() {
                return Ok(Submitted::Job(job));
            }
        }
    }

    /// Jobs of an order, over or not, by their ids.
    fn jobs_of(&self, progress: &Progress, order: &str) -> Result<Vec<String>> {
        let names = format!("--name={JOB}{order},{JOB}{order}{CLAIM}");
        let arguments = ["--me", "--noheader", "--states=all", "--format=%F", &names];
        let text = self.patiently(progress, "squeue", &arguments.map(OsStr::new))?;
        let jobs: BTreeSet<&str> = text.lines().map(str::trim).collect();
        let mut jobs: Vec<String> =
            jobs.into_iter().filter(|job| !job.is_empty()).map(str::to_owned).collect();
        jobs.sort_by_key(|job| job.parse().unwrap_or(u64::MAX));
        Ok(jobs)
    }

    /// Lets an array begin that was submitted as a claim.
    pub(super) fn begin(&self, progress: &Progress, job: &str, order: &str) -> Result<()> {
        let (job, name) = (format!("jobid={job}"), format!("jobname={JOB}{order}"));
        let words = ["update", &job, &name, "starttime=now"];
        self.patiently(progress, "scontrol", &words.map(OsStr::new)).map(drop)
    }

    /// Takes jobs back. One that is over already is no error.
    pub(super) fn cancel(&self, progress: &Progress, jobs: &BTreeSet<String>) -> Result<()> {
        let words: Vec<&OsStr> = jobs.iter().map(OsStr::new).collect();
        if words.is_empty() {
            Ok(())
        } else {
            self.patiently(progress, "scancel", &words).map(drop)
        }
    }

    /// What became of a task: from the accounting where the cluster has one, else from the controller,
    /// which forgets after some minutes.
    pub(super) fn outcome(&self, progress: &Progress, task: &Task) -> Result<Outcome> {
        let id = format!("{}_{}", task.job, task.number);
        let accounting =
            ["--allocations", "--noheader", "--parsable2", "--format=State,Reason", "--jobs", &id];
        if let Ok(Called::Answer(text)) = self.programs.call("sacct", &accounting.map(OsStr::new))
            && let Some(outcome) = accounted(&text)
            // Accounts can miss an end; the controller knows.
            && outcome != Outcome::Queued
        {
            return Ok(outcome);
        }
        let started = Instant::now();
        loop {
            let words = ["show", "job", "--oneliner", &id].map(OsStr::new);
            match self.programs.call("scontrol", &words)? {
                Called::Answer(text) => return Ok(shown(&text)),
                Called::Silence(why) => self.wait_on(progress, started, &why)?,
                // A job that it no longer knows.
                _ => return Ok(Outcome::Unknown),
            }
        }
    }

    /// What a program answers, once the controller does.
    fn patiently(
        &self,
        progress: &Progress,
        program: &str,
        arguments: &[&OsStr],
    ) -> Result<String> {
        let started = Instant::now();
        loop {
            match self.programs.call(program, arguments)? {
                Called::Answer(text) => return Ok(text),
                Called::Refused(why) | Called::TooLong(why) => bail!("{program} refused: {why}"),
                // Only a submission finds no room; of anything else the controller is busy.
                Called::Full(why) | Called::Silence(why) => {
                    self.wait_on(progress, started, &why)?;
                }
            }
        }
    }

    fn wait_on(&self, progress: &Progress, started: Instant, why: &str) -> Result<()> {
        if started.elapsed() > PATIENCE {
            bail!(
                "slurm does not answer: {why}\n\
                 hint: what is queued goes on by itself; call again later, and it is found there"
            );
        }
        progress.say(&format!("slurm does not answer; trying on ({why})"));
        std::thread::sleep(self.pause);
        Ok(())
    }
}

/// A line such as `12|3|RUNNING|ambivox-0123456789ab|/store/slurm/orders/0123456789ab`; `None` where it
/// is no order of this store.
fn queued(line: &str, store: &Path) -> Option<Queued> {
    let mut fields = line.trim().splitn(5, '|');
    let (job, number) = (fields.next()?.to_owned(), fields.next()?.parse().ok()?);
    let (state, name, works_in) = (fields.next()?, fields.next()?, fields.next()?);
    let name = name.strip_prefix(JOB)?;
    let order = name.strip_suffix(CLAIM).unwrap_or(name);
    // Of a path of several lines there is the first here.
    let folder = OrderFolder::new(store, order).path().display().to_string();
    (folder.lines().next() == Some(works_in)).then(|| Queued {
        task: Task { job, number },
        order: order.to_owned(),
        is_claim: name.ends_with(CLAIM) && state == "PENDING",
        runs: state == "RUNNING",
    })
}

/// The state in what `sacct` writes: one line `state|reason` for every time that the task was queued,
/// the last one last.
fn accounted(text: &str) -> Option<Outcome> {
    let last = text.lines().map(str::trim).rfind(|line| !line.is_empty())?;
    let (state, reason) = last.split_once('|').unwrap_or((last, ""));
    Some(Outcome::from_state(state, reason))
}

/// The state in what `scontrol show job` writes.
fn shown(text: &str) -> Outcome {
    let field = |name: &str| {
        let value = text.split_whitespace().find_map(|field| field.strip_prefix(name));
        value.unwrap_or_default()
    };
    Outcome::from_state(field("JobState="), field("Reason="))
}

impl Call for Installed {
    fn call(&self, program: &str, arguments: &[&OsStr]) -> Result<Called> {
        let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
        let output = output.with_context(|| {
            format!(
                "failed to run {program}\n\
                 hint: --executor slurm needs Slurm's commands in the PATH"
            )
        })?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() {
            return Ok(Called::Answer(text(&output.stdout)));
        }
        let why = text(&output.stderr);
        let why = if why.is_empty() { output.status.to_string() } else { why.replace('\n', "; ") };
        Ok(refusal(why))
    }
}

/// What it means that a program ended with these words.
fn refusal(why: String) -> Called {
    let says = |words: &str| why.contains(words);
    if SILENCE.into_iter().any(says) {
        Called::Silence(why)
    } else if is_full(&why) {
        Called::Full(why)
    } else if says(TOO_LONG) {
        Called::TooLong(why)
    } else {
        Called::Refused(why)
    }
}

/// Whether these words say that there is no room. Of other limits, as of time or size, the controller
/// says that "job submit limit, user's size and/or time limits" are violated too: where a limit is
/// named, its name decides.
fn is_full(why: &str) -> bool {
    let mut words = why.split(|c: char| !c.is_alphanumeric());
    let is_limit = |word: &&str| {
        word.ends_with("Limit") && (word.starts_with("QOS") || word.starts_with("Assoc"))
    };
    match words.rfind(is_limit) {
        Some(limit) => limit.contains("Submit"),
        None => FULL.iter().any(|words| why.contains(words)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_arrays_of_this_store_count() {
        let store = Path::new("/s t/a");
        let queued = |line: &str| queued(line, store);
        let folder = "/s t/a/slurm/orders/0123";
        let found = queued(&format!("12|3|RUNNING|ambivox-0123|{folder}")).unwrap();
        assert_eq!(found.task, Task { job: "12".to_owned(), number: 3 });
        assert_eq!((found.order.as_str(), found.runs, found.is_claim), ("0123", true, false));
        let claim = queued(&format!("12|4|PENDING|ambivox-0123+|{folder}")).unwrap();
        assert_eq!((claim.order.as_str(), claim.runs, claim.is_claim), ("0123", false, true));
        // Nobody let it begin, and it has begun.
        let begun = queued(&format!("12|4|RUNNING|ambivox-0123+|{folder}")).unwrap();
        assert!(begun.runs && !begun.is_claim);
        for other in [
            format!("12|N/A|RUNNING|ambivox-0123|{folder}"),
            format!("12|3|RUNNING|other|ambivox-|{folder}"),
            "12|3|RUNNING|ambivox-0123|/another/slurm/orders/0123".to_owned(),
            "12|3".to_owned(),
            String::new(),
        ] {
            assert_eq!(queued(&other), None, "{other}");
        }
    }

    /// Words of Slurm 22.05.
    #[test]
    fn the_controller_tells_the_state() {
        let node =
            "JobId=7 ArrayJobId=5 UserId=root(0) JobState=NODE_FAIL Reason=NodeDown Dep=(null)";
        let memory =
            "JobId=3 ArrayJobId=3 JobState=OUT_OF_MEMORY Reason=OutOfMemory ExitCode=0:125";
        let unmet = "JobId=4 JobState=CANCELLED Reason=DependencyNeverSatisfied \
                     Dependency=afterok:3_*(failed)";
        assert_eq!(shown(node), Outcome::NodeFailed);
        assert_eq!(shown(memory), Outcome::OutOfMemory);
        assert_eq!(shown("JobId=1 JobState=TIMEOUT Reason=TimeLimit"), Outcome::TimedOut);
        assert_eq!(shown("JobId=12 JobState=PREEMPTED Reason=None"), Outcome::Preempted);
        assert_eq!(shown(unmet), Outcome::Unmet);
        assert_eq!(shown("JobId=4 JobState=CANCELLED Reason=JobHeldUser"), Outcome::Cancelled);
        assert_eq!(shown(""), Outcome::Unknown);
    }

    /// As `sacct --parsable2 --format=State,Reason` writes it, one line for every time queued.
    #[test]
    fn the_accounting_tells_the_state() {
        let cases = [
            ("COMPLETED|None\n", Some(Outcome::Completed)),
            ("NODE_FAIL|None\nPREEMPTED|None\nTIMEOUT|TimeLimit\n", Some(Outcome::TimedOut)),
            ("CANCELLED by 1000|None\n", Some(Outcome::Cancelled)),
            ("CANCELLED|DependencyNeverSatisfied\n", Some(Outcome::Unmet)),
            ("OUT_OF_MEMORY|None\n\n", Some(Outcome::OutOfMemory)),
            ("REQUEUED|None\nPENDING|BeginTime\n", Some(Outcome::Queued)),
            ("\n", None),
        ];
        for (text, outcome) in cases {
            assert_eq!(accounted(text), outcome, "{text}");
        }
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let Err(error) = Installed.call("no-such-squeue", &[]) else { panic!("it is there") };
        assert!(error.to_string().contains("no-such-squeue"), "{error}");
        let said = |line: &str| Installed.call("sh", &["-c", line].map(OsStr::new)).unwrap();
        assert!(matches!(said("echo 5"), Called::Answer(text) if text == "5"));
        assert!(matches!(said("echo no >&2; exit 1"), Called::Refused(text) if text == "no"));
        let silence = "echo 'x: Unable to contact slurm controller (connect failure)' >&2; exit 1";
        assert!(matches!(said(silence), Called::Silence(_)));
    }

    /// Words of `sbatch` where a limit is reached, a line of the limit's name first in most versions.
    #[test]
    fn a_full_queue_is_no_refusal() {
        let violates = "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy \
                        (job submit limit, user's size and/or time limits)";
        let failed = |why: &str| format!("sbatch: error: Batch job submission failed: {why}");
        let named = |limit: &str| format!("sbatch: error: {limit}; {violates}");
        let full = [
            named("QOSMaxSubmitJobPerUserLimit"),
            named("AssocMaxSubmitJobLimit"),
            named("AssocGrpSubmitJobsLimit"),
            violates.to_owned(),
            failed("Resource temporarily unavailable"),
            "sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying"
                .to_owned(),
        ];
        for why in full {
            assert!(matches!(refusal(why.clone()), Called::Full(_)), "{why}");
        }
        let refused = [
            named("QOSMaxWallDurationPerJobLimit"),
            named("AssocMaxCpuPerJobLimit"),
            failed("Invalid account or account/partition combination specified"),
            "sbatch: error: invalid partition specified: gpu".to_owned(),
        ];
        for why in refused {
            assert!(matches!(refusal(why.clone()), Called::Refused(_)), "{why}");
        }
        assert!(matches!(refusal(failed(TOO_LONG)), Called::TooLong(_)));
    }
}
