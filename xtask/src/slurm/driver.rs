//! Holds what is missing against what is queued, and submits the difference, until nothing is missing.
//!
//! Nothing is kept from call to call but what lies in the store and in Slurm's queue, so a driver can
//! end at any time and the next one goes on. Two at once may submit the same; jobs begin a moment after
//! their submission, and each driver looks at the queue in between: of two jobs for the same unit the
//! one with the lower id stays, and its driver alone sees no other before it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, Instant};

use ambivox_artifacts::{Digest, Encoder};
use ambivox_settings::exit;
use anyhow::{Context as _, Result};
use fs_err as fs;

use super::client::{self, Queued, Task};
use super::fate::{Given, Verdict, verdict};
use super::order::{Desk, Unit};
use super::settings::{Memory, SlurmSettings};
use super::worker::LATE;
use crate::execute::Executor;
use crate::failure::Failure;
use crate::graph::{Instance, Source};

mod submission;

/// Lines of a log that are shown where a task failed.
const LOG_LINES: usize = 15;

/// Runs stages as jobs of Slurm.
pub(crate) struct Slurm {
    settings: SlurmSettings,
    /// Whether scripts are shown instead of submitted.
    dry_run: bool,
    /// Units of all instances seen so far, by slot.
    units: BTreeMap<String, Unit>,
    cases: BTreeMap<Digest, Case>,
    /// Units of the orders seen so far, by name; none where the order is of another store.
    orders: BTreeMap<String, Vec<Digest>>,
}

/// What became of a unit so far.
#[derive(Debug, Default)]
struct Case {
    /// The last task that had it, and the name of its order.
    at: Option<(String, Task)>,
    given: Given,
    /// When it was first said to be made.
    said: Option<Instant>,
}

/// A unit that is not made, with its wave.
#[derive(Debug, Clone)]
struct Open {
    wave: usize,
    unit: Unit,
}

/// How a unit stands.
enum Standing {
    Made,
    /// Queued, at work, or made and not yet to be seen.
    Under,
    Wanting,
    Failed {
        code: u8,
        text: String,
    },
}

/// Scripts were shown, and nothing was done.
#[derive(Debug)]
pub(crate) struct OnlyShown;

impl fmt::Display for OnlyShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing was submitted")
    }
}

impl std::error::Error for OnlyShown {}

impl Slurm {
    pub(crate) fn new(settings: SlurmSettings, dry_run: bool) -> Self {
        let (units, cases, orders) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { settings, dry_run, units, cases, orders }
    }

    /// Brings instances up to date, wave by wave, by jobs that depend on one another.
    pub(crate) fn bring_up(
        &mut self,
        executor: &mut Executor<'_>,
        waves: &[Vec<Instance>],
    ) -> Result<()> {
        let mut open = Vec::new();
        for (wave, instances) in waves.iter().enumerate() {
            for instance in instances {
                let unit = self.unit(executor, instance)?;
                if executor.is_made(instance)? {
                    executor.tally.fresh += 1;
                } else {
                    open.push(Open { wave, unit });
                }
            }
        }
        if open.is_empty() {
            return Ok(());
        }
        if self.dry_run {
            self.show(executor, &open)?;
            return Err(OnlyShown.into());
        }
        executor.build()?;
        let missing = open.len();
        self.see_through(executor, open)?;
        executor.tally.made += missing;
        Ok(())
    }

    /// The unit of an instance, whose inputs' units are known.
    fn unit(&mut self, executor: &mut Executor<'_>, instance: &Instance) -> Result<Unit> {
        let mut inputs = BTreeMap::new();
        for (role, source) in &instance.inputs {
            let digest = match source {
                Source::Corpus => executor.resolver.corpus_digest()?,
                Source::Corrections => executor.resolver.corrections_digest()?,
                Source::Output { slot, role } => {
                    let maker = match self.units.get(slot) {
                        Some(unit) => unit.digest,
                        None => executor.resolver.record(slot)?.key,
                    };
                    Encoder::new("ambivox unit's output").digest(&maker).text(role).finish()
                }
            };
            inputs.insert(role.clone(), digest);
        }
        let digest = executor.resolver.parts(instance, inputs)?.key();
        let unit = Unit { digest, instance: instance.clone() };
        self.units.insert(instance.slot.clone(), unit.clone());
        Ok(unit)
    }

    /// Submits and waits until every unit is made, or one has failed and no other is under way.
    fn see_through(&mut self, executor: &mut Executor<'_>, mut open: Vec<Open>) -> Result<()> {
        let total = open.len();
        let mut failures: Vec<(u8, String)> = Vec::new();
        let mut told = String::new();
        loop {
            let queue = self.queue(executor)?;
            let (mut left, mut wanting) = (Vec::new(), Vec::new());
            for item in open {
                match self.standing(executor, &item.unit, &queue)? {
                    Standing::Made => continue,
                    Standing::Under => {}
                    Standing::Wanting => wanting.push(item.clone()),
                    Standing::Failed { code, text } => {
                        // All of it comes at the end, with that of others.
                        executor.progress.say(text.lines().next().unwrap_or_default());
                        failures.push((code, text));
                        continue;
                    }
                }
                left.push(item);
            }
            open = left;
            let line = line(&open, &queue, total, failures.len());
            if line != told {
                executor.progress.say(&line);
                told = line;
            }
            if failures.is_empty() && !wanting.is_empty() {
                self.submit(executor, &wanting, &queue)?;
            } else if open.len() == wanting.len() {
                break;
            }
            std::thread::sleep(Duration::from_secs_f64(self.settings.poll_seconds));
        }
        self.clear_desks(executor);
        let Some((code, _)) = failures.first() else { return Ok(()) };
        let texts: Vec<&str> = failures.iter().map(|(_, text)| text.as_str()).collect();
        Err(Failure::stages(*code, texts.join("\n")))
    }

    /// All queued tasks that make a unit of this store; of several for the same, the one that was
    /// submitted first.
    fn queue(&mut self, executor: &Executor<'_>) -> Result<BTreeMap<Digest, Queued>> {
        let mut queue = BTreeMap::new();
        let mut all = client::queue(executor.progress)?;
        all.sort_by_key(|queued| queued.task.job.parse().unwrap_or(u64::MAX));
        for queued in all {
            if let Some(unit) = self.units_of(executor, &queued.order).get(queued.task.number) {
                queue.entry(*unit).or_insert(queued);
            }
        }
        Ok(queue)
    }

    fn units_of(&mut self, executor: &Executor<'_>, order: &str) -> &[Digest] {
        let store = executor.resolver.store.root();
        if !self.orders.contains_key(order)
            && let Some(units) = Desk::new(store, order).units()
        {
            self.orders.insert(order.to_owned(), units);
        }
        self.orders.get(order).map_or(&[], Vec::as_slice)
    }

    fn standing(
        &mut self,
        executor: &mut Executor<'_>,
        unit: &Unit,
        queue: &BTreeMap<Digest, Queued>,
    ) -> Result<Standing> {
        let case = self.cases.entry(unit.digest).or_default();
        if let Some(queued) = queue.get(&unit.digest) {
            case.at = Some((queued.order.clone(), queued.task.clone()));
            case.said = None;
            return Ok(Standing::Under);
        }
        if executor.is_made(&unit.instance)? {
            return Ok(Standing::Made);
        }
        let Some((order, task)) = case.at.clone() else { return Ok(Standing::Wanting) };
        self.judge(executor, unit, &order, &task)
    }

    /// How a unit stands whose last task is over.
    fn judge(
        &mut self,
        executor: &mut Executor<'_>,
        unit: &Unit,
        order: &str,
        task: &Task,
    ) -> Result<Standing> {
        let (slot, stage) = (&unit.instance.slot, unit.instance.stage());
        let desk = Desk::new(executor.resolver.store.root(), order);
        let fate = client::fate(executor.progress, task)?;
        let case = self.cases.entry(unit.digest).or_default();
        let memory = case.given.memory.or(self.settings.of_stage(stage).memory);
        let given = Given { memory, ..case.given };
        let (retries, limit) = (self.settings.retries, self.settings.memory_limit);
        let judged = verdict(fate, desk.ended(task.number).as_ref(), given, retries, limit);
        Ok(match judged {
            Verdict::Well if case.is_late() && case.given.lost >= retries => {
                let why = "it ended well, and made nothing that can be seen from here";
                Standing::Failed { code: exit::FAILED, text: complaint(slot, why, task, &desk) }
            }
            Verdict::Well if case.is_late() => {
                case.begin_again(None);
                executor.progress.say(&format!("{slot}: made, but not to be seen; once again"));
                Standing::Wanting
            }
            Verdict::Wait | Verdict::Well => Standing::Under,
            Verdict::Again { why, memory } => {
                case.begin_again(memory);
                let with = memory.map_or(String::new(), |memory| format!(" with {memory}"));
                executor.progress.say(&format!("{slot}: {why}; once again{with}"));
                Standing::Wanting
            }
            // What it needs was not there, through no fault of its own.
            Verdict::Never { .. } if !has_inputs(executor, &unit.instance) => {
                case.at = None;
                Standing::Wanting
            }
            Verdict::Never { code, why } => {
                Standing::Failed { code, text: complaint(slot, &why, task, &desk) }
            }
        })
    }

    /// Removes the orders all of whose units are made: what ended well leaves nothing behind.
    fn clear_desks(&mut self, executor: &Executor<'_>) {
        let made: BTreeSet<Digest> = self
            .units
            .values()
            .filter(|unit| executor.resolver.record(&unit.instance.slot).is_ok())
            .map(|unit| unit.digest)
            .collect();
        let store = executor.resolver.store.root();
        let done = |units: &Vec<Digest>| units.iter().all(|unit| made.contains(unit));
        for (order, _) in self.orders.extract_if(.., |_, units| done(units)) {
            // Another driver may be at it too.
            fs::remove_dir_all(Desk::new(store, &order).folder()).ok();
        }
    }
}

impl Case {
    fn begin_again(&mut self, memory: Option<Memory>) {
        (self.at, self.said) = (None, None);
        match memory {
            Some(_) => self.given.memory = memory,
            None => self.given.lost += 1,
        }
    }

    /// Whether it was said to be made so long ago that it should be seen by now.
    fn is_late(&mut self) -> bool {
        self.said.get_or_insert_with(Instant::now).elapsed() > LATE
    }
}

/// Whether all that an instance needs is made.
fn has_inputs(executor: &Executor<'_>, instance: &Instance) -> bool {
    let mut sources = instance.inputs.values();
    sources.all(|source| match source {
        Source::Corpus | Source::Corrections => true,
        Source::Output { slot, .. } => executor.resolver.record(slot).is_ok(),
    })
}

/// How far it is.
fn line(open: &[Open], queue: &BTreeMap<Digest, Queued>, total: usize, failed: usize) -> String {
    let queued = || open.iter().filter_map(|item| queue.get(&item.unit.digest));
    let running = queued().filter(|queued| queued.runs).count();
    let made = total - open.len() - failed;
    let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
    let waiting = queued().count() - running;
    format!("slurm: {made} of {total} made, {running} running, {waiting} waiting{failed}")
}

/// What is said of a task that failed: with the last lines of its log, where it has not said itself
/// what went wrong.
fn complaint(slot: &str, why: &str, task: &Task, desk: &Desk) -> String {
    let Task { job, number } = task;
    let log = desk.log(*number);
    let lines = match desk.ended(*number) {
        Some(_) => String::new(),
        None => desk.last_lines(*number, LOG_LINES),
    };
    let text = format!("{slot} failed: {why}\n  job {job}_{number}, its log {}", log.display());
    if lines.is_empty() { text } else { format!("{text}:\n{lines}") }
}
