//! Epochs of one fold of EmoDB: real utterances through the training loop as it is.

use std::path::{Path, PathBuf};
use std::time::Instant;

use ambivox_corpus::{Utterance, read_corpus};
use ambivox_features::plan;
use ambivox_frontends::lld_set;
use ambivox_lld::{Extractor, FeatureSet};
use ambivox_models::{MeanVariance, Model, NetworkSettings};
use ambivox_rules::{Example, Rule, rule};
use ambivox_settings::{Manifest, Pipeline, TrainingSettings};
use ambivox_train::{Data, RunSpec, train};
use anyhow::{Context as _, Error, Result};
use rayon::ThreadPoolBuilder;

use super::cases::Case;
use super::job::{Job, Sizes, System, Task};
use super::results::Timing;
use super::{Answer, TORCH};
use crate::bench::worker::Worker;
use crate::sound::read;

/// Utterances of a batch of PyTorch's where no gradient is needed.
const INFERENCE_BATCH: usize = 32;

/// A fold whose descriptors are in memory.
pub(crate) struct Fold {
    pipeline: Pipeline,
    network: NetworkSettings,
    rule: Box<dyn Rule>,
    width: usize,
    training: Vec<Example<'static>>,
    validation: Vec<Example<'static>>,
}

/// Where EmoDB is, if it is at hand: `EMODB_ROOT`, else in the folder `AMBIVOX_SHARED`.
pub(crate) fn root() -> Option<PathBuf> {
    let named = std::env::var_os("EMODB_ROOT").map(PathBuf::from);
    let shared = || Some(PathBuf::from(std::env::var_os("AMBIVOX_SHARED")?).join("data/emodb"));
    named.or_else(shared).filter(|root| root.is_dir())
}

impl Fold {
    /// Reads the fold of the pipeline `emodb` in which the first speaker is tested and the second
    /// validates.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let pipeline = Pipeline::read(&workspace.join("pipelines/emodb.toml"))?;
        let manifest = Manifest::read(&workspace.join("data-manifests/emodb.toml"))?;
        let method = pipeline.methods.get("lw");
        let rule = rule(&method.context("pipelines/emodb.toml has no [methods.lw]")?)?;
        let network: NetworkSettings = pipeline.model.read().map_err(Error::msg)?;
        let folder = Path::new("");
        let set = lld_set(&plan(&pipeline.frontend, &pipeline.pooling, folder)?.section)?;
        let width = set.columns().len();
        let utterances = read_corpus(root, &manifest)?.utterances;
        let mut speakers: Vec<&str> = utterances.iter().map(|u| u.speaker.as_str()).collect();
        speakers.sort_unstable();
        speakers.dedup();
        let examples = |speakers: &[&str]| {
            let spoken = utterances.iter().filter(|u| speakers.contains(&u.speaker.as_str()));
            examples(root, spoken, &pipeline, &set)
        };
        let (mut training, mut validation) =
            (examples(&speakers[2..])?, examples(&speakers[1..2])?);
        let values: Vec<_> = training.iter().map(|e| e.frames.read()).collect();
        let normaliser = MeanVariance::fit(values.iter().map(|values| &**values), width);
        for example in training.iter_mut().chain(&mut validation) {
            let mut values = Vec::from(example.frames.clone());
            normaliser.apply(&mut values);
            example.frames = values.into();
        }
        Ok(Self { pipeline, network, rule, width, training, validation })
    }

    /// Times epochs of ours and, where it is at hand, of PyTorch on padded batches, by turns.
    pub(crate) fn time(
        &self,
        threads: usize,
        python: Option<&Path>,
        runs: usize,
    ) -> Result<Vec<Timing>> {
        let mut torch = python.map(|python| Worker::torch(python, TORCH, threads)).transpose()?;
        let pool = ThreadPoolBuilder::new().num_threads(threads).build()?;
        let seconds = pool.install(|| self.alternate(torch.as_mut(), runs))?;
        let case = self.case();
        let systems = [System::Ours, System::Padded].into_iter().zip(&seconds);
        let measured = systems.filter(|(_, seconds)| !seconds.is_empty());
        let timing = |(system, seconds): (_, &Vec<f64>)| {
            Timing::new(&case, threads, (system, Task::Step), seconds)
        };
        Ok(measured.map(timing).collect())
    }

    /// Seconds of ours and of PyTorch's epochs. The first of ours, which finds everything cold, is
    /// not counted; PyTorch's jobs leave out theirs.
    fn alternate(&self, mut torch: Option<&mut Worker>, runs: usize) -> Result<[Vec<f64>; 2]> {
        let training =
            TrainingSettings { max_epochs: runs + 1, patience: runs + 1, ..self.settings() };
        let spec = RunSpec {
            training: &training,
            rule: &*self.rule,
            model: &self.network as &dyn Model,
            seed: 0,
            classes: &self.pipeline.split.classes,
            width: self.width,
            layers: 1,
        };
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let mut started = Instant::now();
        let Self { training, validation, .. } = self;
        train(&spec, &Data { training, validation, pool: &[] }, None, &mut |_| {
            ours.push(started.elapsed().as_secs_f64());
            theirs.extend(torch.as_mut().map(|torch| self.torch_epoch(torch)));
            started = Instant::now();
        })?;
        let theirs = theirs.into_iter().skip(1).collect::<Result<_>>()?;
        Ok([ours.split_off(1), theirs])
    }

    /// Seconds that PyTorch takes for the steps of an epoch and for the outputs that an epoch ends
    /// with: of the training utterances, for the second step, and of the validation speaker's.
    fn torch_epoch(&self, torch: &mut Worker) -> Result<f64> {
        let mut outputs: Vec<usize> =
            self.training.iter().chain(&self.validation).map(|e| self.length(e)).collect();
        outputs.sort_unstable();
        let outputs = outputs.chunks(INFERENCE_BATCH).map(<[usize]>::to_vec).collect();
        let jobs = [(Task::Step, self.case().batches), (Task::Inference, outputs)];
        let mut seconds = 0.0;
        for (task, batches) in jobs {
            let job = Job { system: System::Padded, task, sizes: self.sizes(), batches };
            let answer: Answer = torch.ask(&job)?;
            seconds += answer.seconds;
        }
        Ok(seconds)
    }

    fn case(&self) -> Case {
        let lengths: Vec<usize> = self.training.iter().map(|e| self.length(e)).collect();
        let batches = lengths.chunks(self.settings().batch_size).map(<[usize]>::to_vec).collect();
        Case { name: "EmoDB".to_owned(), sizes: self.sizes(), batches }
    }

    fn settings(&self) -> TrainingSettings {
        self.pipeline.training.clone()
    }

    fn sizes(&self) -> Sizes {
        Sizes {
            inputs: self.width,
            linear: self.network.linear,
            lstm: self.network.lstm,
            classes: self.pipeline.split.classes.len(),
            dropout: self.network.dropout,
        }
    }

    fn length(&self, example: &Example<'_>) -> usize {
        example.frames.len() / self.width
    }
}

/// Utterances of the pipeline's classes, with their descriptors.
fn examples<'a>(
    root: &Path,
    utterances: impl Iterator<Item = &'a Utterance>,
    pipeline: &Pipeline,
    set: &FeatureSet,
) -> Result<Vec<Example<'static>>> {
    let mut extractor = Extractor::new(set)?;
    let mut examples = Vec::new();
    for utterance in utterances {
        let classes = &pipeline.split.classes;
        let gold = utterance.gold.as_ref();
        if let Some(gold) = gold.and_then(|gold| classes.iter().position(|class| class == gold)) {
            let frames = extractor.process(&read(&root.join(&utterance.path))?).into_data().into();
            let utterance_id = utterance.utterance_id.clone();
            let group = utterance.speaker.clone();
            examples.push(Example { utterance_id, group, frames, gold: Some(gold), votes: vec![] });
        }
    }
    Ok(examples)
}
