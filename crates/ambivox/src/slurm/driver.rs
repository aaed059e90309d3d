//! Holds what is missing against what is queued, and submits the difference, until nothing is missing.
//!
//! Nothing is kept from call to call but what lies in the store and in Slurm's queue, so a driver can
//! end at any time and the next one goes on. Two at once submit one after the other, as [`submission`]
//! says, and so never the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ambivox_artifacts::{Digest, Encoder};
use ambivox_settings::{Shard, StageParams};
use anyhow::{Context as _, Result};
use fs_err as fs;

use super::client::{Client, Queued, Task};
use super::order::{OrderFolder, Unit};
use super::programs;
use super::settings::{Memory, SlurmSettings};
use crate::execute::Executor;
use crate::failure::Failure;
use crate::graph::{Graph, Instance, Source};
use case::Case;
use room::Room;
use unit_state::UnitState;

mod case;
mod plan;
mod room;
mod submission;
#[cfg(test)]
mod tests;
mod unit_state;

/// Runs stages as jobs of Slurm.
pub(crate) struct Slurm {
    settings: SlurmSettings,
    client: Client,
    /// How what would be submitted is shown, where that is all.
    dry_run: Option<Shown>,
    /// The program of tasks, once something was submitted.
    program: Option<PathBuf>,
    /// Units of all instances seen so far, by slot.
    units: BTreeMap<String, Unit>,
    cases: BTreeMap<Digest, Case>,
    /// Units of the orders seen so far, by name.
    orders: BTreeMap<String, Vec<Digest>>,
    /// Jobs of the orders submitted here, by name.
    own: BTreeMap<String, String>,
    /// Jobs some of whose tasks came to nothing: what waits for all of one waits in vain.
    broken: BTreeSet<String>,
    /// How much the cluster takes.
    room: Room,
}

/// How that is shown which would be submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    Text,
    Json,
}

/// What is queued, by the unit that it makes.
type Queue = BTreeMap<Digest, Queued>;

/// A unit that is not made, with its wave.
#[derive(Debug, Clone)]
struct Open {
    wave: usize,
    unit: Unit,
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
    pub(crate) fn new(settings: SlurmSettings, dry_run: Option<Shown>) -> Self {
        Self::with(settings, dry_run, Client::installed())
    }

    fn with(settings: SlurmSettings, dry_run: Option<Shown>, client: Client) -> Self {
        let room = Room::new(settings.array_limit.get());
        Self {
            room,
            settings,
            client,
            dry_run,
            program: None,
            units: BTreeMap::new(),
            cases: BTreeMap::new(),
            orders: BTreeMap::new(),
            own: BTreeMap::new(),
            broken: BTreeSet::new(),
        }
    }

    /// Brings a graph up to date by jobs that depend on one another.
    pub(crate) fn bring_up(&mut self, executor: &mut Executor<'_>, graph: &Graph) -> Result<()> {
        let (mut open, mut missing) = (Vec::new(), Vec::new());
        for (wave, instances) in graph.waves().into_iter().enumerate() {
            for instance in instances {
                let unit = self.unit(executor, instance)?;
                if executor.is_up_to_date(instance) || executor.is_made(instance)? {
                    executor.count(&instance.slot, false);
                    continue;
                }
                missing.push(instance.slot.clone());
                let shards = self.shards(&unit);
                open.extend(shards.into_iter().chain([unit]).map(|unit| Open { wave, unit }));
            }
        }
        if open.is_empty() {
            return Ok(());
        }
        if let Some(shown) = self.dry_run {
            self.show(executor, &open, shown)?;
            return Err(OnlyShown.into());
        }
        self.see_through(executor, open)?;
        for slot in &missing {
            executor.count(slot, true);
        }
        Ok(())
    }

    /// The unit of an instance, whose inputs' units are known.
    fn unit(&mut self, executor: &mut Executor<'_>, instance: &Instance) -> Result<Unit> {
        let mut inputs = BTreeMap::new();
        for (role, source) in &instance.inputs {
            let digest = match source {
                Source::Corpus => executor.resolver.corpus_digest()?,
                Source::Corrections | Source::Table | Source::Parts => {
                    executor.resolver.outside_digest(source)?
                }
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
        let unit = Unit { digest, instance: instance.clone(), shard: None };
        self.units.insert(instance.slot.clone(), unit.clone());
        Ok(unit)
    }

    /// The parts of a unit, where it is made in parts.
    fn shards(&self, unit: &Unit) -> Vec<Unit> {
        let Some(of) = self.shards_of(&unit.instance) else { return Vec::new() };
        if unit.shard.is_some() {
            return Vec::new();
        }
        let shard = |number: usize| {
            let start = Encoder::new("ambivox unit's part").digest(&unit.digest);
            let digest = start.count(number as u64).count(of.get() as u64).finish();
            Unit { digest, instance: unit.instance.clone(), shard: Some(Shard { number, of }) }
        };
        (0..of.get()).map(shard).collect()
    }

    /// In how many parts an instance is made before it is put together.
    fn shards_of(&self, instance: &Instance) -> Option<NonZeroUsize> {
        let can = matches!(instance.work, StageParams::Extract(_));
        self.settings.extract_shards.filter(|_| can)
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
                match self.state_of(executor, &item.unit, &queue)? {
                    UnitState::Made => continue,
                    UnitState::Under => {}
                    UnitState::Wanting => wanting.push(item.clone()),
                    UnitState::Failed { code, text } => {
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
                self.submit(executor, &wanting)?;
                self.room.check(queue.is_empty())?;
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

    /// What is queued for this store; of several tasks for the same unit, one whose submission is
    /// complete, and of those the first.
    fn queue(&mut self, executor: &Executor<'_>) -> Result<Queue> {
        let mut all = self.look(executor)?;
        all.sort_by_key(|(_, queued)| (queued.is_claim, queued.task.rank()));
        let mut queue = Queue::new();
        for (unit, queued) in all {
            queue.entry(unit).or_insert(queued);
        }
        Ok(queue)
    }

    /// All tasks queued for this store, with what they make. Takes back what was submitted twice, since
    /// the controller did not answer the first time.
    fn look(&mut self, executor: &Executor<'_>) -> Result<Vec<(Digest, Queued)>> {
        let all = self.client.queue(executor.resolver.store.root(), executor.progress)?;
        let is_double = |queued: &Queued| {
            self.own.get(&queued.order).is_some_and(|job| *job != queued.task.job)
        };
        let (doubles, all): (Vec<Queued>, Vec<_>) = all.into_iter().partition(is_double);
        let doubles: BTreeSet<String> = doubles.into_iter().map(|queued| queued.task.job).collect();
        self.client.cancel(executor.progress, &doubles)?;
        let mut found = Vec::new();
        for queued in all {
            if let Some(unit) = self.units_of(executor, &queued.order).get(queued.task.number) {
                found.push((*unit, queued));
            }
        }
        Ok(found)
    }

    /// What an order is about; nothing where it does not show yet.
    fn units_of(&mut self, executor: &Executor<'_>, order: &str) -> &[Digest] {
        let store = executor.resolver.store.root();
        if !self.orders.contains_key(order)
            && let Some(units) = OrderFolder::new(store, order).units()
        {
            self.orders.insert(order.to_owned(), units);
        }
        self.orders.get(order).map_or(&[], Vec::as_slice)
    }

    /// Removes the orders all of whose units are made: what ended well leaves nothing behind.
    fn clear_desks(&mut self, executor: &Executor<'_>) {
        let is_made = |unit: &&Unit| executor.resolver.record(&unit.instance.slot).is_ok();
        let made = self.units.values().filter(is_made);
        let with_parts = |unit: &Unit| {
            let parts = self.shards(unit).into_iter().map(|part| part.digest);
            parts.chain([unit.digest]).collect::<Vec<_>>()
        };
        let made: BTreeSet<Digest> = made.flat_map(with_parts).collect();
        let store = executor.resolver.store.root();
        let done = |units: &Vec<Digest>| units.iter().all(|unit| made.contains(unit));
        for (order, _) in self.orders.extract_if(.., |_, units| done(units)) {
            // Another driver may be at it too.
            fs::remove_dir_all(OrderFolder::new(store, &order).path()).ok();
        }
    }
}

/// How far it is.
fn line(open: &[Open], queue: &Queue, total: usize, failed: usize) -> String {
    let queued = || open.iter().filter_map(|item| queue.get(&item.unit.digest));
    let running = queued().filter(|queued| queued.runs).count();
    let made = total - open.len() - failed;
    let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
    let waiting = queued().count() - running;
    format!("slurm: {made} of {total} made, {running} running, {waiting} waiting{failed}")
}
