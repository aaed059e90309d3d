//! The train stage: one fold, by one method, from one seed.

mod choose;
mod events;
mod fold;
mod keeper;
mod live;

use ambivox_eval::{Confusion, EpochRecord, RunHistory};
use ambivox_features::FeatureTable;
use ambivox_models::{Checkpoint, Rows, Scaling, compute_by, model};
use ambivox_rules::{Example, Rule, rule};
use ambivox_settings::{Splits, TrainParams, role};
use ambivox_train::{Data, EpochEnd, RunSpec, Trained, seed_of_fold, train};
use fs_err as fs;

use crate::StageError;
use crate::job::{Job, Run};
use crate::tables::{self, labels, noise, predictions};
use choose::{Chosen, choose};
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
    let rule = rule(&params.method)?;
    if rule.weighs_annotators() {
        fold.weigh_annotators(job.input(role::INDEX)?, &splits.classes)?;
    }
    if !rule.uses_ambiguous() {
        fold.ambiguous.clear();
    }
    // All that is left to know of the others.
    let Splits { classes, .. } = splits;
    let Features { vectors, layers } = Features::read(params, job)?;
    let chosen = choose(params, job, &classes, &fold, vectors, &layers)?;
    let features = &layers[chosen.layer.unwrap_or(0)];
    let fault = chosen.model.fault_of_columns(features.columns(), &classes);
    fault.map_or(Ok(()), |fault| Err(StageError::Data(fault)))?;
    // Fitted on the clear utterances alone, so that every method sees the same values.
    let scaling = FoldData::scaling_of(&fold.training, chosen.model.scaling(), features)?;
    let read = Read::new(params, vectors, features, &scaling);
    let run = Prepared::new(params, job, &*rule, &classes, fold, chosen, read)?;
    let trained = run.train()?;
    run.write_tables(&trained)?;
    run.write_checkpoint(trained)
}

/// What the model reads.
struct Features {
    /// Whether it is one vector of an utterance.
    vectors: bool,
    /// A table, or one for each layer that there is to choose from.
    layers: Vec<FeatureTable>,
}

impl Features {
    fn read(params: &TrainParams, job: &Job<'_>) -> Result<Self, StageError> {
        let vectors = model(&params.model)?.reads_vectors();
        let table = job.input(if vectors { role::VECTORS } else { role::FEATURES })?;
        let table = FeatureTable::open(table)?;
        Ok(Self { vectors, layers: if params.choose_layer { table.layers() } else { vec![table] } })
    }
}

/// How a model reads utterances.
#[derive(Clone, Copy)]
struct Read<'a> {
    features: &'a FeatureTable,
    scaling: &'a Scaling,
    /// Whether it reads one vector of each, which is scaled once; frames stay where they are.
    vectors: bool,
    /// Layers of an encoder that the model weighs; else 1.
    layers: usize,
}

impl<'a> Read<'a> {
    fn new(
        params: &TrainParams,
        vectors: bool,
        features: &'a FeatureTable,
        scaling: &'a Scaling,
    ) -> Self {
        let layers = if params.mix_layers { features.layers().len() } else { 1 };
        Self { features, scaling, vectors, layers }
    }

    fn rows(self, member: &Member) -> Result<Rows<'a>, StageError> {
        let values = member.frames(self.features)?;
        Ok(if self.vectors {
            self.scaling.applied(&values.widened()).into()
        } else {
            Rows::of(values, self.scaling)
        })
    }

    /// Utterances with their rows.
    fn examples(self, members: &[Member]) -> Result<Vec<Example<'a>>, StageError> {
        let example = |member: &Member| {
            Ok(Example {
                utterance_id: member.utterance_id.clone(),
                group: member.speaker.clone(),
                frames: self.rows(member)?,
                gold: member.gold,
                votes: member.votes.clone(),
            })
        };
        members.iter().map(example).collect()
    }
}

/// What the reporter says of an epoch.
fn course(epoch: &EpochRecord) -> String {
    let loss = format!("loss {:.3}", epoch.train_loss);
    match (epoch.validation_loss, epoch.validation_ua) {
        (Some(validation), Some(ua)) => {
            format!("{loss}, validation {validation:.3}, UA {:.1} %", 100.0 * ua)
        }
        _ => loss,
    }
}

/// All that a run and its outputs need.
struct Prepared<'a> {
    params: &'a TrainParams,
    rule: &'a dyn Rule,
    chosen: Chosen,
    job: &'a Job<'a>,
    classes: &'a [String],
    fold: FoldData,
    training: Vec<Example<'a>>,
    validation: Vec<Example<'a>>,
    test: Vec<Example<'a>>,
    /// Of utterances whose labels are not looked at; empty where the method has no use for them.
    pool: Vec<Example<'a>>,
    read: Read<'a>,
    live: Live<'a>,
}

impl<'a> Prepared<'a> {
    fn new(
        params: &'a TrainParams,
        job: &'a Job<'a>,
        rule: &'a dyn Rule,
        classes: &'a [String],
        mut fold: FoldData,
        chosen: Chosen,
        read: Read<'a>,
    ) -> Result<Self, StageError> {
        let examples = |members: &[Member]| read.examples(members);
        let ambiguous = examples(&fold.ambiguous)?;
        let mut training = examples(&fold.training)?;
        let mut pool = Vec::new();
        if rule.augments() {
            pool = [training.as_slice(), &ambiguous].concat();
        } else {
            training.extend(ambiguous);
            fold.training.append(&mut fold.ambiguous);
        }
        let (validation, test) = (examples(&fold.validation)?, examples(&fold.test)?);
        let live = Live::new(job);
        let run = Self {
            params,
            rule,
            chosen,
            job,
            classes,
            fold,
            training,
            validation,
            test,
            pool,
            read,
            live,
        };
        Ok(run)
    }

    fn train(&self) -> Result<Trained, StageError> {
        let TrainParams { training, seed, fold, .. } = self.params;
        let (rule, model) = (self.rule, &*self.chosen.model);
        let (classes, width) = (self.classes, self.read.scaling.width());
        let spec = RunSpec {
            training,
            rule,
            model,
            seed: seed_of_fold(*seed, fold),
            classes,
            width,
            layers: self.read.layers,
        };
        let Self { training, validation, pool, .. } = self;
        let total = spec.most_epochs() as u64;
        let (mut keeper, from) = Keeper::open(self.job);
        let mut observer = |at: &EpochEnd<'_>| {
            let text = at.augmenter().map(str::to_owned);
            let text = text.or_else(|| at.epochs().last().map(course)).unwrap_or_default();
            self.job.reporter.progress(at.done() as u64, total, "epochs", &text);
            self.show(at.epochs());
            keeper.after_epoch(|| at.interim());
        };
        let trained = train(&spec, &Data { training, validation, pool }, from, &mut observer)?;
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
    fn write_tables(&self, trained: &Trained) -> Result<(), StageError> {
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

    fn history(&self, trained: &Trained) -> RunHistory {
        RunHistory {
            schema: 1,
            method: self.params.method.name.to_string(),
            seed: self.params.seed,
            fold: self.params.fold.clone(),
            classes: self.classes.to_vec(),
            train_utterances: self.training.len(),
            validation_utterances: self.validation.len(),
            test_utterances: self.test.len(),
            parameters: trained.predictor.parameters(),
            best_epoch: trained.best_epoch,
            chosen: self.chosen.told.clone(),
            initial_mean_weight: trained.initial_mean_weight.clone(),
            epochs: trained.epochs.clone(),
        }
    }

    /// Returns the confusion matrix of each part.
    fn write_predictions(
        &self,
        trained: &Trained,
    ) -> Result<[(&'static str, Confusion); 2], StageError> {
        let mut rows = Vec::new();
        for (part, members, examples) in [
            (predictions::Part::Test, &self.fold.test, &self.test),
            (predictions::Part::Validation, &self.fold.validation, &self.validation),
        ] {
            let frames: Vec<&Rows<'_>> = examples.iter().map(|e| &e.frames).collect();
            let predicted = trained.predictor.predict(&frames)?;
            rows.extend(members.iter().zip(predicted).map(|(member, said)| predictions::Row {
                utterance_id: &member.utterance_id,
                speaker: &member.speaker,
                part,
                gold: member.gold,
                probabilities: said.probabilities(),
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

    fn write_labels(&self, trained: &Trained) -> Result<(), StageError> {
        let run = Run {
            method: self.params.method.name.clone(),
            seed: self.params.seed,
            fold: self.params.fold.clone(),
        };
        let rows: Vec<usize> = self.fold.training.iter().map(|m| m.index_row).collect();
        let votes = tables::take(self.job.input(role::INDEX)?, "votes", &rows)?;
        let file = self.job.output(role::LABELS)?;
        labels::write(&file, &run, self.classes, votes, &trained.labels)
    }

    fn write_checkpoint(&self, trained: Trained) -> Result<(), StageError> {
        let mut features = self.params.features.clone();
        if let Some(layer) = self.chosen.layer {
            features.frontend.settings.insert("layer".to_owned(), (layer as i64).into());
        }
        let checkpoint = Checkpoint {
            predictor: trained.predictor,
            classes: self.classes.to_vec(),
            features,
            scaling: self.read.scaling.clone(),
        };
        Ok(checkpoint.save(&self.job.output(role::CHECKPOINT)?)?)
    }
}
