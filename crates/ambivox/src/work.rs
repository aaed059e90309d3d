//! One stale instance at work: locked, staged, run, checked, committed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use ambivox_artifacts::{Begun, KeyParts, Provenance, Record, Staging, Store};
use ambivox_settings::{Event, Request, Shard, StageParams, exit};
use anyhow::{Context as _, Result, ensure};
use fs_err as fs;

use crate::corpus;
use crate::experiment::Experiment;
use crate::failure::Failure;
use crate::graph::{Instance, Source};
use crate::host;
use crate::progress::{Progress, StageProgress};
use crate::spawn::{Program, run_stage};

/// An instance that has to run.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) instance: Instance,
    pub(crate) parts: KeyParts,
    /// Where the inputs lie, by role.
    pub(crate) inputs: BTreeMap<String, PathBuf>,
}

/// What the tasks of a wave share.
pub(crate) struct Bench<'a> {
    pub(crate) experiment: &'a Experiment,
    pub(crate) store: &'a Store,
    pub(crate) program: &'a Program,
    pub(crate) progress: &'a Progress,
    /// Threads of each task.
    pub(crate) threads: usize,
    /// Versions for the record, by tool.
    pub(crate) tools: &'a BTreeMap<String, String>,
    /// Files where trainings show their events as they go, by slot.
    pub(crate) watched: &'a BTreeMap<String, PathBuf>,
}

impl Bench<'_> {
    /// Runs a task, or takes the result of another process that is at it already.
    pub(crate) fn work(&self, task: &Task) -> Result<Record> {
        let progress = self.progress.stage(&task.instance.slot);
        let key = task.parts.key();
        let begun = self.store.begin(task.instance.stage(), &key, || progress.waiting())?;
        let result = match begun {
            Begun::Made(record) => Ok(*record),
            Begun::Staging(staging) => self.run(task, staging, &progress),
        };
        progress.end(if result.is_ok() { "done" } else { "failed" });
        result
    }

    fn run(&self, task: &Task, staging: Staging, progress: &StageProgress<'_>) -> Result<Record> {
        let (started, clock) = (SystemTime::now(), Instant::now());
        let peak = self.run_stage(task, None, &staging, progress)?;
        self.check_inputs(task)?;
        let provenance = Provenance {
            started_unix: started.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
            seconds: clock.elapsed().as_secs_f64(),
            threads: self.threads,
            host: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
            isa: Some(host::instruction_set().to_owned()),
            peak_bytes: peak,
            tools: self.tools.clone(),
        };
        let names = task.instance.work.outputs();
        Ok(self.store.commit(staging, &task.parts, names, provenance)?)
    }

    /// Runs the stage program to its end; returns the most memory that it had, where it says.
    fn run_stage(
        &self,
        task: &Task,
        shard: Option<Shard>,
        staging: &Staging,
        progress: &StageProgress<'_>,
    ) -> Result<Option<u64>> {
        let request = Request {
            work: task.instance.work.clone(),
            inputs: task.inputs.clone(),
            out: staging.out(),
            threads: self.threads,
            interim: self.interim(task, shard, staging)?,
            live: self.watched.get(&task.instance.slot).cloned(),
            shard,
        };
        let file = staging.folder().join("request.json");
        fs::write(&file, serde_json::to_vec_pretty(&request)?)?;
        let mut peak = None;
        let event = |event| match event {
            Event::Memory { peak_bytes } => peak = Some(peak_bytes),
            event => progress.event(event),
        };
        let ended = run_stage(&self.program.path()?, &file, staging.folder(), self.threads, event)?;
        if ended.code != exit::DONE {
            let said = ended.stderr.trim_end();
            return Err(Failure::stages(ended.code, said.strip_prefix("error: ").unwrap_or(said)));
        }
        Ok(peak)
    }

    /// Works a part of a task, whose result goes beside the store's under the key of the whole.
    pub(crate) fn work_part(&self, task: &Task, shard: Shard) -> Result<()> {
        let progress = self.progress.stage(&task.instance.slot);
        let (key, part) = (task.parts.key(), part(shard));
        let stage = task.instance.stage();
        let begun = self.store.begin_part(stage, &key, &part, || progress.waiting())?;
        if let Begun::Staging(staging) = begun
            && !self.store.is_part_done(stage, &key, &part)
        {
            self.run_stage(task, Some(shard), &staging, &progress)?;
            self.check_inputs(task)?;
            self.store.end_part(&staging, &part)?;
        }
        progress.end("done");
        Ok(())
    }

    /// Where the stage keeps how far it has come, if it can go on from there. A processor of another
    /// arithmetic would go on to other bits than it begins with, so each has its own file. Descriptors
    /// are the same on all, but where sounds are resampled; a part keeps them in a file of its own.
    fn interim(
        &self,
        task: &Task,
        shard: Option<Shard>,
        staging: &Staging,
    ) -> Result<Option<PathBuf>> {
        if task.instance.work.can_resume() {
            let file = host::arithmetic(self.experiment.arithmetic);
            return Ok(Some(self.store.partial(staging)?.join(file)));
        }
        if shard.is_some() {
            return Ok(Some(self.store.partial(staging)?));
        }
        let has_parts = matches!(task.instance.work, StageParams::Extract(_));
        let folder = self.store.partial_folder(task.instance.stage(), &task.parts.key());
        Ok(has_parts.then_some(folder))
    }

    /// An error if an input is no longer what the key says: nothing is then recorded. What comes from
    /// the store is read again, since a disk that forgets changes no time.
    fn check_inputs(&self, task: &Task) -> Result<()> {
        let memo = self.store.memo();
        for (role, path) in &task.inputs {
            let now = if task.instance.inputs.get(role) == Some(&Source::Corpus) {
                corpus::listing(memo, path, &self.experiment.manifest)?.digest
            } else {
                memo.forget(path);
                memo.content(path)?.digest
            };
            let then = task.parts.inputs.get(role).context("an input without a digest")?;
            ensure!(
                now == *then,
                "the input {role} changed during the run, or is damaged: {}\n\
                 hint: run again; what is damaged is made again",
                path.display()
            );
        }
        Ok(())
    }
}

/// A part's name in the store.
pub(crate) fn part(Shard { number, of }: Shard) -> String {
    format!("{number}-of-{of}")
}
