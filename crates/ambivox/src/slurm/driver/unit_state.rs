//! How a unit stands: made, under way, wanting, or failed for good.

use ambivox_artifacts::Digest;
use ambivox_settings::exit;
use anyhow::Result;

use super::case::{Case, Ground};
use super::{Queue, Slurm};
use crate::execute::Executor;
use crate::graph::{Instance, Source};
use crate::slurm::client::{Queued, Task};
use crate::slurm::order::{OrderFolder, Unit};
use crate::slurm::outcome::{Given, Outcome, Verdict, verdict};

/// Lines of a log that are shown where a task failed.
const LOG_LINES: usize = 15;

/// How a unit stands.
pub(super) enum UnitState {
    Made,
    /// Queued, at work, or made and not yet to be seen.
    Under,
    Wanting,
    Failed {
        code: u8,
        text: String,
    },
}

impl Slurm {
    /// How a unit stands, given what is queued.
    pub(super) fn state_of(
        &mut self,
        executor: &mut Executor<'_>,
        unit: &Unit,
        queue: &Queue,
    ) -> Result<UnitState> {
        if let Some(queued) = queue.get(&unit.digest) {
            self.note(unit, queued);
            return Ok(UnitState::Under);
        }
        if is_made(executor, unit)? {
            return Ok(UnitState::Made);
        }
        let case = self.cases.entry(unit.digest).or_default();
        let Some((order, task)) = case.at.clone() else { return Ok(UnitState::Wanting) };
        let judged = self.judge(executor, unit, &order, &task)?;
        if !matches!(judged, UnitState::Under) {
            self.broken.insert(task.job);
            self.cases.entry(unit.digest).or_default().set_back();
        }
        Ok(judged)
    }

    /// Takes note of the task that has a unit. Another driver may still take its claim back.
    fn note(&mut self, unit: &Unit, queued: &Queued) {
        let is_given = !queued.is_claim || self.own.contains_key(&queued.order);
        let ground = self.ground(unit);
        let case = self.cases.entry(unit.digest).or_default();
        if is_given && !case.is_with(&queued.task) {
            case.give(&queued.order, &queued.task, ground);
        }
    }

    /// How those stand that a unit waits for.
    pub(super) fn ground(&self, unit: &Unit) -> Ground {
        let attempt = |unit| self.cases.get(unit).map(Case::attempt).unwrap_or_default();
        self.before(unit).iter().map(attempt).collect()
    }

    /// The units that make what a unit needs.
    pub(super) fn before(&self, unit: &Unit) -> Vec<Digest> {
        self.makers(unit).map(|maker| maker.digest).collect()
    }

    /// The same, as they are.
    pub(super) fn makers(&self, unit: &Unit) -> impl Iterator<Item = Unit> {
        let slots = unit.instance.slots().into_iter();
        let makers = slots.filter_map(|slot| self.units.get(slot)).cloned();
        makers.chain(self.shards(unit))
    }

    /// How a unit stands whose last task is over.
    fn judge(
        &mut self,
        executor: &mut Executor<'_>,
        unit: &Unit,
        order: &str,
        task: &Task,
    ) -> Result<UnitState> {
        let (name, stage) = (unit.name(), unit.instance.stage());
        let folder = OrderFolder::new(executor.resolver.store.root(), order);
        let outcome = self.client.outcome(executor.progress, task)?;
        let ground = self.ground(unit);
        let case = self.cases.entry(unit.digest).or_default();
        let was_not_begun = outcome == Outcome::Cancelled && !folder.has_begun(task.number);
        if (outcome == Outcome::Unmet || was_not_begun) && case.has_lost_ground(&ground) {
            // What it waited for is begun again, and so it is, as if it had never been submitted.
            return Ok(UnitState::Wanting);
        }
        let memory = case.given.memory.or(self.settings.of_stage(stage).memory);
        let given = Given { memory, ..case.given };
        let (retries, limit) = (self.settings.retries, self.settings.memory_limit);
        let judged = verdict(outcome, folder.ended(task.number).as_ref(), given, retries, limit);
        let failed = |code, why: &str| UnitState::Failed {
            code,
            text: complaint(&name, why, task, &folder),
        };
        Ok(match judged {
            Verdict::Well if case.is_late() && case.given.lost >= retries => {
                failed(exit::FAILED, "it ended well, and made nothing that can be seen from here")
            }
            Verdict::Well if case.is_late() => {
                case.begin_again(None);
                executor.progress.say(&format!("{name}: made, but not to be seen; once again"));
                UnitState::Wanting
            }
            Verdict::Wait | Verdict::Well => UnitState::Under,
            Verdict::Again { why, memory } => {
                case.begin_again(memory);
                let with = memory.map_or(String::new(), |memory| format!(" with {memory}"));
                executor.progress.say(&format!("{name}: {why}; once again{with}"));
                UnitState::Wanting
            }
            // What it needs was not there, through no fault of its own.
            Verdict::Never { .. }
                if outcome != Outcome::Cancelled && !has_inputs(executor, &unit.instance) =>
            {
                UnitState::Wanting
            }
            Verdict::Never { code, why } => {
                if unit.shard.is_none() {
                    executor.forget_shards(&unit.instance)?;
                }
                failed(code, &why)
            }
        })
    }
}

/// Whether a unit is made, as far as can be seen from here.
pub(super) fn is_made(executor: &mut Executor<'_>, unit: &Unit) -> Result<bool> {
    match unit.shard {
        Some(shard) => executor.is_shard_made(&unit.instance, shard),
        None => executor.is_made(&unit.instance),
    }
}

/// Whether all that an instance needs is made.
fn has_inputs(executor: &Executor<'_>, instance: &Instance) -> bool {
    let mut sources = instance.inputs.values();
    sources.all(|source| match source {
        Source::Corpus | Source::Corrections | Source::Table | Source::Parts => true,
        Source::Output { slot, .. } => executor.resolver.record(slot).is_ok(),
    })
}

/// What is said of a task that failed: with the last lines of its log, where it has not said itself
/// what went wrong.
fn complaint(name: &str, why: &str, task: &Task, folder: &OrderFolder) -> String {
    let Task { job, number } = task;
    let log = folder.log_file(*number);
    // A worker says of its stage that it failed, too.
    let why = why.strip_prefix(&format!("{name} failed: ")).unwrap_or(why);
    let lines = match folder.ended(*number) {
        Some(_) => String::new(),
        None => folder.last_lines(*number, LOG_LINES),
    };
    let text = format!("{name} failed: {why}\n  job {job}_{number}, its log {}", log.display());
    if lines.is_empty() { text } else { format!("{text}:\n{lines}") }
}
