//! One stale instance at work: locked, staged, run, checked, committed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use ambivox_artifacts::{Begun, KeyParts, Provenance, Record, Staging, Store};
use ambivox_settings::{Event, Request, exit};
use anyhow::{Context as _, Result, ensure};
use fs_err as fs;

use crate::binary::Binary;
use crate::corpus;
use crate::experiment::Experiment;
use crate::failure::Failure;
use crate::graph::{Instance, Source};
use crate::host;
use crate::progress::{Progress, StageProgress};
use crate::spawn::run_stage;

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
    pub(crate) binary: &'a Binary,
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
        let request = Request {
            work: task.instance.work.clone(),
            inputs: task.inputs.clone(),
            out: staging.out(),
            threads: self.threads,
            interim: self.interim(task, &staging)?,
            live: self.watched.get(&task.instance.slot).cloned(),
        };
        let file = staging.folder().join("request.json");
        fs::write(&file, serde_json::to_vec_pretty(&request)?)?;
        let (started, clock) = (SystemTime::now(), Instant::now());
        let mut peak = None;
        let event = |event| match event {
            Event::Memory { peak_bytes } => peak = Some(peak_bytes),
            event => progress.event(event),
        };
        let ended = run_stage(self.binary.path(), &file, staging.folder(), self.threads, event)?;
        if ended.code != exit::DONE {
            return Err(Failure::stages(ended.code, ended.stderr.trim_end()));
        }
        self.binary.check()?;
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

    /// Where the stage keeps how far it has come, if it can go on from there. A processor of another
    /// arithmetic would go on to other bits than it begins with, so each has its own file.
    fn interim(&self, task: &Task, staging: &Staging) -> Result<Option<PathBuf>> {
        if !task.instance.work.can_resume() {
            return Ok(None);
        }
        Ok(Some(self.store.partial(staging)?.join(host::arithmetic(self.experiment.arithmetic))))
    }

    /// An error if an input is no longer what the key says: nothing is then recorded. What comes from
    /// the store is read again, since a disk that forgets changes no time.
    fn check_inputs(&self, task: &Task) -> Result<()> {
        let memo = self.store.memo();
        for (role, path) in &task.inputs {
            let now = if task.instance.inputs.get(role) == Some(&Source::Corpus) {
                corpus::listing(memo, path, &self.experiment.manifest)?.digest
            } else {
                memo.forget(path)?;
                memo.content(path)?.digest
            };
            let then = task.parts.inputs.get(role).context("an input without a digest")?;
            ensure!(
                now == *then,
                "the input {role} changed during the run, or is damaged: {}\n\
                 hint: run again; what is damaged is made anew",
                path.display()
            );
        }
        Ok(())
    }
}
