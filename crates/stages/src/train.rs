//! The train stage: one fold, by one method, from one seed.

mod events;
mod fold;
mod functionals;
mod keeper;
mod live;

use ambivox_eval::{Confusion, EpochRecord, RunHistory};
use ambivox_features::{FeatureTable, Normaliser};
use ambivox_model::{Checkpoint, Network, Normalisation, compute_by, probabilities};
use ambivox_settings::{MethodParams, NetworkSettings, Splits, TrainParams, role};
use ambivox_train::{Classifier, Example, RunSpec, Trained, Waypoint, train};
use fs_err as fs;

use crate::StageError;
use crate::job::{Job, Run};
use crate::tables::{self, labels, noise, predictions};
use events::{Events, write_course};
use fold::{FoldData, Member};
use keeper::Keeper;
use live::Live;

pub(crate) fn run(params: &TrainParams, job: &Job<'_>) -> Result<(), StageError> {
    compute_by(params.arithmetic);
    let splits: Splits = job.read_json(role::SPLITS)?;
    let mut fold = FoldData::read(&splits, &params.fold, job.input(role::INDEX)?)?;
    let corrected = job.optional_input(role::CORRECTED);
    if let Some(file) = corrected.or(job.optional_input(role::NOISE)) {
        fold.exchange_labels(&noise::read(file, &splits.classes)?, params.correct_test)?;
    }
    if let MethodParams::Cyclegan(settings) = &params.method {
        functionals::run(params, settings, job, &splits.classes, fold)
    } else {
        let network = params.network.as_ref().ok_or_else(|| job.lacks("a network"))?;
        train_on_frames(params, network, job, &splits.classes, fold)
    }
}

/// The methods that train the network of frames.
fn train_on_frames(
    params: &TrainParams,
    network: &NetworkSettings,
    job: &Job<'_>,
    classes: &[String],
    mut fold: FoldData,
) -> Result<(), StageError> {
    if !params.method.method().uses_votes() {
        fold.ambiguous.clear();
    }
    let features = FeatureTable::read(job.input(role::FEATURES)?, Some(&fold.ids()))?;
    // Fitted on the clear utterances alone, so that every method sees the same values.
    let normaliser = fold.normaliser(&features)?;
    fold.training.append(&mut fold.ambiguous);
    let normalise = |frames: &mut [f32]| normaliser.apply(frames);
    let run = Prepared::new(params, job, classes, fold, &features, &normalise)?;
    drop(features);
    let trained = run.train(network)?;
    run.write_tables(&trained)?;
    run.write_checkpoint(trained, normaliser)
}

/// Utterances with their rows, which `scale` makes fit for training.
fn examples(
    members: &[Member],
    features: &FeatureTable,
    scale: &dyn Fn(&mut [f32]),
) -> Result<Vec<Example>, StageError> {
    let example = |member: &Member| {
        let mut frames = member.frames(features)?.to_vec();
        scale(&mut frames);
        Ok(Example {
            utterance_id: member.utterance_id.clone(),
            frames,
            gold: member.gold,
            votes: member.votes.clone(),
        })
    };
    members.iter().map(example).collect()
}

/// What the reporter says of an epoch.
fn course(epoch: &EpochRecord) -> String {
    format!(
        "loss {:.3}, validation {:.3}, UA {:.1} %",
        epoch.train_loss,
        epoch.validation_loss,
        100.0 * epoch.validation_ua
    )
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
    live: Live<'a>,
}

impl<'a> Prepared<'a> {
    fn new(
        params: &'a TrainParams,
        job: &'a Job<'a>,
        classes: &'a [String],
        fold: FoldData,
        features: &FeatureTable,
        scale: &dyn Fn(&mut [f32]),
    ) -> Result<Self, StageError> {
        Ok(Self {
            params,
            job,
            classes,
            training: examples(&fold.training, features, scale)?,
            validation: examples(&fold.validation, features, scale)?,
            test: examples(&fold.test, features, scale)?,
            width: features.width(),
            live: Live::new(job),
            fold,
        })
    }

    fn spec(&self) -> RunSpec<'_> {
        let TrainParams { training, method, seed, .. } = self.params;
        let (classes, width) = (self.classes, self.width);
        RunSpec { training, method, seed: *seed, classes, width }
    }

    fn train(&self, network: &NetworkSettings) -> Result<Trained<Network>, StageError> {
        let total = self.spec().most_epochs() as u64;
        let (mut keeper, from) = Keeper::open(self.job);
        let mut observer = |at: &Waypoint<'_>| {
            if let Some(epoch) = at.epochs().last() {
                self.job.reporter.progress(epoch.epoch as u64, total, "epochs", &course(epoch));
            }
            self.show(at.epochs());
            keeper.after_epoch(|| at.interim());
        };
        let (training, validation) = (&self.training, &self.validation);
        let trained = train(&self.spec(), network, training, validation, from, &mut observer)?;
        self.job.reporter.progress(total, total, "epochs", "");
        Ok(trained)
    }

    /// Shows how far the run has come to those who watch.
    fn show(&self, epochs: &[EpochRecord]) {
        let mut events = Vec::new();
        // Memory takes all that is written.
        write_course(self.classes, epochs, &mut events).ok();
        self.live.show(&events);
    }

    /// All outputs but the checkpoint.
    fn write_tables(&self, trained: &Trained<impl Classifier>) -> Result<(), StageError> {
        let history = self.history(trained);
        self.job.write_text(role::HISTORY, &history.to_json()?)?;
        let confusions = self.write_predictions(trained)?;
        self.write_labels(trained)?;
        let events = Events { history: &history, labels: &trained.labels, confusions: &confusions };
        let mut bytes = Vec::new();
        events.write(&mut bytes)?;
        self.live.show(&bytes);
        Ok(fs::write(self.job.output(role::EVENTS)?, bytes)?)
    }

    fn history(&self, trained: &Trained<impl Classifier>) -> RunHistory {
        RunHistory {
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
        }
    }

    /// Returns the confusion matrix of each part.
    fn write_predictions(
        &self,
        trained: &Trained<impl Classifier>,
    ) -> Result<[(&'static str, Confusion); 2], StageError> {
        let mut rows = Vec::new();
        for (part, members, examples) in [
            (predictions::Part::Test, &self.fold.test, &self.test),
            (predictions::Part::Validation, &self.fold.validation, &self.validation),
        ] {
            let frames: Vec<&[f32]> = examples.iter().map(|e| e.frames.as_slice()).collect();
            let predicted = trained.network.log_probabilities(&frames)?;
            rows.extend(members.iter().zip(predicted).map(|(member, log_y)| predictions::Row {
                utterance_id: &member.utterance_id,
                speaker: &member.speaker,
                part,
                gold: member.gold,
                probabilities: probabilities(&log_y),
            }));
        }
        predictions::write(&self.job.output(role::PREDICTIONS)?, self.classes, &rows)?;
        let confusion = |part| {
            let rows = rows.iter().filter(|row| row.part == part);
            let rows = rows.filter_map(|row| Some((row.gold?, row.probabilities.as_slice())));
            Confusion::from_probabilities(self.classes.len(), rows)
        };
        let (test, validation) = (predictions::Part::Test, predictions::Part::Validation);
        Ok([("test", confusion(test)?), ("validation", confusion(validation)?)])
    }

    fn write_labels<N>(&self, trained: &Trained<N>) -> Result<(), StageError> {
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

    fn write_checkpoint(
        &self,
        trained: Trained<Network>,
        fitted: Normaliser,
    ) -> Result<(), StageError> {
        let checkpoint = Checkpoint {
            network: trained.network,
            classes: self.classes.to_vec(),
            feature_set: self.params.feature_set.clone(),
            normalisation: Normalisation { mean: fitted.mean, sd: fitted.sd },
        };
        Ok(checkpoint.save(&self.job.output(role::CHECKPOINT)?)?)
    }
}
