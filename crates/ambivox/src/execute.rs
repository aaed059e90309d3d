//! Brings stages up to date, wave by wave: what is fresh stays, what is stale runs in parallel.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ambivox_artifacts::{Digest, Encoder, Record, StaleReason};
use ambivox_settings::{Shard, counted};
use anyhow::{Result, bail};
use serde::Serialize;

use crate::failure::{Failure, exit_code, told};
use crate::graph::{Graph, Instance};
use crate::progress::Progress;
use crate::resolve::{Resolver, State};
use crate::slurm::Slurm;
use crate::spawn::Program;
use crate::work::{Bench, Task, part};

/// How many stages were found fresh and how many were made.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Tally {
    pub(crate) fresh: usize,
    pub(crate) made: usize,
}

impl Tally {
    /// What was done, for the log.
    pub(crate) fn done(self) -> String {
        let Self { fresh, made } = self;
        let stages = counted(fresh + made, "stage");
        match made {
            0 => format!("nothing to do: {stages} fresh"),
            _ => format!("{stages}: {made} made, {fresh} fresh"),
        }
    }
}

/// Runs what is stale.
pub(crate) struct Executor<'a> {
    pub(crate) resolver: Resolver<'a>,
    pub(crate) progress: &'a Progress,
    pub(crate) program: Program,
    /// Threads in all.
    pub(crate) threads: usize,
    /// Draws the order in which stages of a wave begin; the pipeline's own where there is none.
    pub(crate) shuffle: Option<u64>,
    pub(crate) tally: Tally,
    /// Slots that are in the tally.
    counted: BTreeSet<String>,
    /// Files where trainings show their events as they go, by slot.
    pub(crate) watched: BTreeMap<String, PathBuf>,
    /// Where stages run that do not run here.
    pub(crate) slurm: Option<Slurm>,
}

impl<'a> Executor<'a> {
    /// Of stages that run here, in the pipeline's own order, with so many threads in all.
    pub(crate) fn new(
        resolver: Resolver<'a>,
        progress: &'a Progress,
        program: Program,
        threads: usize,
    ) -> Self {
        Self {
            resolver,
            progress,
            program,
            threads,
            shuffle: None,
            tally: Tally::default(),
            counted: BTreeSet::new(),
            watched: BTreeMap::new(),
            slurm: None,
        }
    }
}

impl Executor<'_> {
    /// Brings a graph up to date, wave by wave; the instances of one run `jobs` at a time.
    pub(crate) fn bring_up(&mut self, graph: &Graph, jobs: usize) -> Result<()> {
        if let Some(mut slurm) = self.slurm.take() {
            let done = slurm.bring_up(self, graph);
            self.slurm = Some(slurm);
            return done;
        }
        graph.waves().iter().try_for_each(|wave| self.bring_up_here(wave, jobs))
    }

    /// Whether an instance was brought up to date before.
    pub(crate) fn is_up_to_date(&self, instance: &Instance) -> bool {
        self.counted.contains(&instance.slot)
    }

    /// Counts an instance that is up to date.
    pub(crate) fn count(&mut self, slot: &str, was_made: bool) {
        if self.counted.insert(slot.to_owned()) {
            *(if was_made { &mut self.tally.made } else { &mut self.tally.fresh }) += 1;
        }
    }

    fn bring_up_here(&mut self, instances: &[&Instance], jobs: usize) -> Result<()> {
        let mut tasks = self.stale(instances)?;
        if let Some(seed) = self.shuffle {
            tasks.sort_by_key(|task| place_in_order(seed, &task.instance.slot));
        }
        if tasks.is_empty() {
            return Ok(());
        }
        let jobs = jobs.clamp(1, tasks.len());
        let results = self.run(&tasks, jobs);
        self.keep(&tasks, results)
    }

    /// The instances that have to run; notes those that do not.
    fn stale(&mut self, instances: &[&Instance]) -> Result<Vec<Task>> {
        let mut tasks = Vec::new();
        for &instance in instances {
            if self.is_up_to_date(instance) {
                continue;
            }
            match self.resolver.state(instance)? {
                State::Fresh { .. } => {
                    self.count(&instance.slot, false);
                    self.remember(&instance.slot)?;
                }
                State::Stale { parts, reasons } => {
                    self.warn_of_damage(&instance.slot, &reasons);
                    let input =
                        |(role, source)| Ok((String::clone(role), self.resolver.input(source)?));
                    let inputs = instance.inputs.iter().map(input).collect::<Result<_>>()?;
                    tasks.push(Task { instance: instance.clone(), parts, inputs });
                }
                State::Waits { on } => bail!("{} is planned before {on}", instance.slot),
            }
        }
        Ok(tasks)
    }

    /// What is damaged is made again like what is missing, but disks and people who lose results are
    /// worth a look.
    fn warn_of_damage(&self, slot: &str, reasons: &[StaleReason]) {
        for reason in reasons.iter().filter(|reason| reason.is_damage()) {
            self.progress.warn(&format!("warning: {slot}: {reason}; it is made again"));
        }
    }

    /// Whether an instance is in the store, whole; if so it can be built upon from now on.
    pub(crate) fn is_made(&mut self, instance: &Instance) -> Result<bool> {
        let made = matches!(self.resolver.state(instance)?, State::Fresh { .. });
        if made {
            self.remember(&instance.slot)?;
        }
        Ok(made)
    }

    /// Whether a part of an instance is made, or all of it. One that was made from other inputs than
    /// there are now is none.
    pub(crate) fn is_shard_made(&mut self, instance: &Instance, shard: Shard) -> Result<bool> {
        match self.resolver.state(instance)? {
            State::Fresh { .. } => self.remember(&instance.slot).map(|()| true),
            State::Stale { parts, .. } => {
                Ok(self.resolver.store.is_part_done(&parts.stage, &parts.key(), &part(shard)))
            }
            State::Waits { .. } => Ok(false),
        }
    }

    /// Has the parts of an instance looked at again, since all of it could not be made of them.
    pub(crate) fn forget_shards(&mut self, instance: &Instance) -> Result<()> {
        if let State::Stale { parts, .. } = self.resolver.state(instance)? {
            self.resolver.store.forget_parts(&parts.stage, &parts.key())?;
        }
        Ok(())
    }

    /// Makes a part of an instance, unless all of it is made.
    pub(crate) fn make_shard(&mut self, instance: &Instance, shard: Shard) -> Result<()> {
        let tasks = self.stale(&[instance])?;
        let Some(task) = tasks.first() else { return Ok(()) };
        self.bench(1).work_part(task, shard)
    }

    /// Notes which record the slot has now.
    fn remember(&mut self, slot: &str) -> Result<()> {
        let record = self.resolver.record(slot)?;
        let places = self.resolver.experiment.places();
        Ok(self.resolver.store.remember(&places, slot, record)?)
    }

    /// Runs tasks on `jobs` workers. After a failure none is begun; those at work come to their end.
    fn run(&self, tasks: &[Task], jobs: usize) -> Vec<Option<Result<Record>>> {
        let bench = self.bench(jobs);
        let total = self.progress.wave(tasks.len());
        let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
        let results: Vec<Mutex<Option<Result<Record>>>> =
            tasks.iter().map(|_| Mutex::new(None)).collect();
        let worker = || {
            while !failed.load(Ordering::Relaxed) {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(task) = tasks.get(at) else { break };
                let result = bench.work(task);
                failed.fetch_or(result.is_err(), Ordering::Relaxed);
                total.inc(1);
                if let Ok(mut place) = results[at].lock() {
                    *place = Some(result);
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..jobs {
                scope.spawn(worker);
            }
        });
        total.finish_and_clear();
        results.into_iter().map(|place| place.into_inner().unwrap_or_default()).collect()
    }

    /// What each of so many tasks at a time works with.
    fn bench(&self, jobs: usize) -> Bench<'_> {
        Bench {
            experiment: self.resolver.experiment,
            store: self.resolver.store,
            program: &self.program,
            progress: self.progress,
            threads: (self.threads / jobs).max(1),
            tools: &self.resolver.code.tools,
            watched: &self.watched,
        }
    }

    /// Notes what was made, and reports every failure.
    fn keep(&mut self, tasks: &[Task], results: Vec<Option<Result<Record>>>) -> Result<()> {
        let mut failures = Vec::new();
        for (task, result) in tasks.iter().zip(results) {
            let slot = &task.instance.slot;
            match result {
                Some(Ok(record)) => {
                    self.count(slot, true);
                    self.resolver.add(slot, record);
                    self.remember(slot)?;
                }
                Some(Err(error)) => failures.push((slot, error)),
                None => {}
            }
        }
        let Some((_, first)) = failures.first() else { return Ok(()) };
        let texts = failures.iter().map(|(slot, error)| format!("{slot} failed: {}", told(error)));
        Err(Failure::stages(exit_code(first), texts.collect::<Vec<_>>().join("\n")))
    }
}

/// A place among others that nothing but the number and the slot decides.
fn place_in_order(seed: u64, slot: &str) -> Digest {
    Encoder::new("ambivox order of runs").count(seed).text(slot).finish()
}

#[cfg(test)]
mod tests;
