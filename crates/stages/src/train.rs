//! The train stage: one fold, by one method, from one seed.

mod fold;

use ambivox_eval::{EpochRecord, RunHistory};
use ambivox_features::{FeatureTable, Normaliser};
use ambivox_model::{Checkpoint, Normalisation};
use ambivox_settings::{Splits, TrainParams, role};
use ambivox_train::{Example, RunSpec, Trained, train};

use crate::StageError;
use crate::job::{Job, Run};
use crate::tables::{self, labels, noise, predictions};
use fold::{FoldData, Member};

pub(crate) fn run(params: &TrainParams, job: &Job<'_>) -> Result<(), StageError> {
    let splits: Splits = job.read_json(role::SPLITS)?;
    let mut fold = FoldData::read(&splits, &params.fold, job.input(role::INDEX)?)?;
    if let Some(file) = job.optional_input(role::NOISE) {
        fold.exchange_labels(&noise::read(file, &splits.classes)?)?;
    }
    if !params.method.method().uses_votes() {
        fold.ambiguous.clear();
    }
    let features = FeatureTable::read(job.input(role::FEATURES)?, Some(&fold.ids()))?;
    // Fitted on the clear utterances alone, so that every method sees the same values.
    let normaliser = fold.normaliser(&features)?;
    fold.training.append(&mut fold.ambiguous);
    let run = Prepared {
        params,
        job,
        classes: &splits.classes,
        training: examples(&fold.training, &features, &normaliser)?,
        validation: examples(&fold.validation, &features, &normaliser)?,
        test: examples(&fold.test, &features, &normaliser)?,
        width: features.width(),
        fold,
    };
    drop(features);
    let trained = run.train()?;
    run.write_history(&trained)?;
    run.write_predictions(&trained)?;
    run.write_labels(&trained)?;
    run.write_checkpoint(trained, normaliser)
}

fn examples(
    members: &[Member],
    features: &FeatureTable,
    normaliser: &Normaliser,
) -> Result<Vec<Example>, StageError> {
    let example = |member: &Member| {
        let mut frames = member.frames(features)?.to_vec();
        normaliser.apply(&mut frames);
        Ok(Example {
            utterance_id: member.utterance_id.clone(),
            frames,
            gold: member.gold,
            votes: member.votes.clone(),
        })
    };
    members.iter().map(example).collect()
}

/// All that a run and its outputs need.
struct Prepared<'a> {
    params: &'a TrainParams,
    job: &'a Job<'a>,
    classes: &'a [String],
    fold: FoldData,
    training: Vec<Example>,
    validation: Vec<Example>,
    test: Vec<Example>,
    width: usize,
}

impl Prepared<'_> {
    fn train(&self) -> Result<Trained, StageError> {
        let TrainParams { network, training, method, seed, .. } = self.params;
        let (classes, width) = (self.classes, self.width);
        let spec = RunSpec { network, training, method, seed: *seed, classes, width };
        let total = spec.most_epochs() as u64;
        let mut observer = |epoch: &EpochRecord| {
            let message = format!(
                "loss {:.3}, validation {:.3}, UA {:.1} %",
                epoch.train_loss,
                epoch.validation_loss,
                100.0 * epoch.validation_ua
            );
            self.job.reporter.progress(epoch.epoch as u64, total, "epochs", &message);
        };
        let trained = train(&spec, &self.training, &self.validation, &mut observer)?;
        self.job.reporter.progress(total, total, "epochs", "");
        Ok(trained)
    }

    fn write_history(&self, trained: &Trained) -> Result<(), StageError> {
        let history = RunHistory {
            schema: 1,
            method: self.params.method.method().id().to_owned(),
            seed: self.params.seed,
            fold: self.params.fold.clone(),
            classes: self.classes.to_vec(),
            train_utterances: self.training.len(),
            validation_utterances: self.validation.len(),
            test_utterances: self.test.len(),
            parameters: trained.network.parameters(),
            best_epoch: trained.best_epoch,
            initial_mean_weight: trained.initial_mean_weight.clone(),
            epochs: trained.epochs.clone(),
        };
        self.job.write_text(role::HISTORY, &history.to_json()?)
    }

    fn write_predictions(&self, trained: &Trained) -> Result<(), StageError> {
        let mut rows = Vec::new();
        for (part, members, examples) in [
            (predictions::Part::Test, &self.fold.test, &self.test),
            (predictions::Part::Validation, &self.fold.validation, &self.validation),
        ] {
            let frames: Vec<&[f32]> = examples.iter().map(|e| e.frames.as_slice()).collect();
            let predicted = trained.network.predict(&frames)?;
            rows.extend(members.iter().zip(predicted).map(|(member, predicted)| {
                predictions::Row {
                    utterance_id: &member.utterance_id,
                    speaker: &member.speaker,
                    part,
                    gold: member.gold,
                    probabilities: predicted.probabilities(),
                }
            }));
        }
        predictions::write(&self.job.output(role::PREDICTIONS)?, self.classes, &rows)
    }

    fn write_labels(&self, trained: &Trained) -> Result<(), StageError> {
        let run = Run {
            method: self.params.method.method(),
            seed: self.params.seed,
            fold: self.params.fold.clone(),
        };
        let rows: Vec<usize> = self.fold.training.iter().map(|m| m.index_row).collect();
        let votes = tables::take(self.job.input(role::INDEX)?, "votes", &rows)?;
        let file = self.job.output(role::LABELS)?;
        labels::write(&file, &run, self.classes, votes, &trained.labels)
    }

    fn write_checkpoint(&self, trained: Trained, fitted: Normaliser) -> Result<(), StageError> {
        let checkpoint = Checkpoint {
            network: trained.network,
            classes: self.classes.to_vec(),
            feature_set: self.params.feature_set.clone(),
            normalisation: Normalisation { mean: fitted.mean, sd: fitted.sd },
        };
        Ok(checkpoint.save(&self.job.output(role::CHECKPOINT)?)?)
    }
}
