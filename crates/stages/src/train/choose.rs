//! Choice of settings inside a fold's training groups, which know nothing of who is tested.

use std::collections::BTreeMap;

use ambivox_eval::Confusion;
use ambivox_features::FeatureTable;
use ambivox_models::{Model, Rows, inner_folds, model};
use ambivox_rules::{FixedLabelSettings, Rule, rule};
use ambivox_settings::{MethodParams, Section, TrainParams};
use ambivox_train::{Data, RunSpec, TrainError, seed_of_fold, train};
use rayon::prelude::*;

use super::Read;
use super::fold::{FoldData, Member};
use crate::StageError;
use crate::job::Job;

/// Inner folds, where there are as many groups.
const INNER_FOLDS: usize = 5;

/// Settings of which one was chosen, or had not to be.
pub(super) struct Chosen {
    pub(super) model: Box<dyn Model>,
    /// The layer, of features that have several to choose from.
    pub(super) layer: Option<usize>,
    /// What was chosen, by the setting's path.
    pub(super) told: BTreeMap<String, f64>,
}

/// A point of what there is to choose from.
struct Candidate {
    model: Box<dyn Model>,
    /// Value of the setting of which the model has several, where it has.
    value: Option<f64>,
    layer: Option<usize>,
}

/// The candidate that recognises most, as a mean over classes, of the inner folds' utterances that it was
/// not trained on; of equal ones the first, lower layers before higher ones.
///
/// # Errors
/// Fewer than two groups to divide; a class that every inner fold's training part lacks.
pub(super) fn choose(
    params: &TrainParams,
    job: &Job<'_>,
    classes: &[String],
    fold: &FoldData,
    vectors: bool,
    layers: &[FeatureTable],
) -> Result<Chosen, StageError> {
    let (setting, mut candidates) = candidates(params, layers.len())?;
    if candidates.len() > 1 {
        let inner = Inner::new(fold)?;
        let trial = Trial { params, classes, vectors, rule: &*plain()? };
        let rates = rates(&trial, job, &inner, layers, &candidates)?;
        let best =
            (0..rates.len()).fold(0, |best, at| if rates[at] > rates[best] { at } else { best });
        candidates.swap(0, best);
    }
    // The best, or the only one.
    let Candidate { model, value, layer } = candidates.swap_remove(0);
    let mut told = BTreeMap::new();
    if layers.len() > 1 {
        told.extend(layer.map(|layer| ("frontend.layer".to_owned(), layer as f64)));
    }
    told.extend(setting.zip(value).map(|(setting, value)| (format!("model.{setting}"), value)));
    Ok(Chosen { model, layer, told })
}

/// The name of the model's setting of which there is a choice, if there is, and the candidates.
fn candidates(
    params: &TrainParams,
    layers: usize,
) -> Result<(Option<&'static str>, Vec<Candidate>), StageError> {
    let whole = model(&params.model)?;
    let (setting, values) = match whole.choice() {
        Some((setting, choice)) if choice.only().is_none() => {
            (setting, choice.candidates().iter().copied().map(Some).collect())
        }
        _ => ("", vec![None]),
    };
    let layers: Vec<Option<usize>> =
        if params.choose_layer { (0..layers).map(Some).collect() } else { vec![None] };
    let mut candidates = Vec::new();
    for layer in layers {
        for &value in &values {
            let mut section: Section = params.model.clone();
            section.settings.extend(value.map(|value| (setting.to_owned(), value.into())));
            candidates.push(Candidate { model: model(&section)?, value, layer });
        }
    }
    Ok(((values.len() > 1).then_some(setting), candidates))
}

/// Every candidate is trained on the labels as they are, each class counting as much, whatever the run's
/// method: so that methods are compared on the same choice.
fn plain() -> Result<Box<dyn Rule>, StageError> {
    let method = MethodParams::of("baseline", &FixedLabelSettings::GOLD);
    Ok(rule(&method.map_err(StageError::Data)?)?)
}

/// What inner trainings have in common.
struct Trial<'a> {
    params: &'a TrainParams,
    classes: &'a [String],
    vectors: bool,
    rule: &'a dyn Rule,
}

/// Training utterances, and the inner fold that holds out each.
struct Inner<'a> {
    members: &'a [Member],
    folds: Vec<usize>,
    count: usize,
}

impl<'a> Inner<'a> {
    fn new(fold: &'a FoldData) -> Result<Self, StageError> {
        let members = &fold.training;
        let mut speakers: Vec<&str> = members.iter().map(|m| m.speaker.as_str()).collect();
        speakers.sort_unstable();
        speakers.dedup();
        if speakers.len() < 2 {
            return Err(StageError::Data(
                "one speaker trains, and settings are chosen between speakers; give one value to \
                 model.c and frontend.layer"
                    .to_owned(),
            ));
        }
        let number =
            |member: &Member| speakers.partition_point(|name| *name < member.speaker.as_str());
        let groups: Vec<usize> = members.iter().map(number).collect();
        let folds = inner_folds(&groups, INNER_FOLDS);
        let count = folds.iter().max().map_or(0, |last| last + 1);
        Ok(Self { members, folds, count })
    }

    /// Those that train in an inner fold, and those that are held out.
    fn parts(&self, fold: usize) -> (Vec<Member>, Vec<Member>) {
        let pairs = self.members.iter().zip(&self.folds);
        let (held, trained): (Vec<_>, Vec<_>) = pairs.partition(|(_, of)| **of == fold);
        let members = |pairs: Vec<(&Member, &usize)>| {
            pairs.into_iter().map(|(member, _)| member.clone()).collect()
        };
        (members(trained), members(held))
    }
}

/// Unweighted accuracy of every candidate, over all inner folds together.
fn rates(
    trial: &Trial<'_>,
    job: &Job<'_>,
    inner: &Inner<'_>,
    layers: &[FeatureTable],
    candidates: &[Candidate],
) -> Result<Vec<f64>, StageError> {
    let parts: Vec<_> = (0..inner.count).map(|fold| inner.parts(fold)).collect();
    let all: Vec<(usize, usize)> = (0..candidates.len())
        .flat_map(|candidate| (0..inner.count).map(move |fold| (candidate, fold)))
        .collect();
    let done = std::sync::atomic::AtomicU64::new(0);
    let said = all.par_iter().map(|&(at, fold)| {
        let candidate = &candidates[at];
        let table = &layers[candidate.layer.unwrap_or(0)];
        let said = trial.said(&*candidate.model, &parts[fold], table);
        let done = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        job.reporter.progress(done, all.len() as u64, "inner trainings", "choosing settings");
        said
    });
    let said = said.collect::<Result<Vec<_>, _>>()?;
    said.chunks(inner.count).map(|of_folds| rate(trial.classes, of_folds)).collect()
}

/// Gold label and probabilities of an utterance.
type Said = (usize, Vec<f64>);

fn rate(classes: &[String], of_folds: &[Vec<Said>]) -> Result<f64, StageError> {
    let rows = of_folds.iter().flatten().map(|(gold, said)| (*gold, said.as_slice()));
    let ua = Confusion::from_probabilities(classes.len(), rows)?.ua();
    ua.ok_or_else(|| {
        let lacks = "in no part of them that trains are utterances of all classes";
        StageError::Data(format!(
            "settings cannot be chosen between the training speakers: {lacks}"
        ))
    })
}

impl Trial<'_> {
    /// What a candidate says of those that an inner fold holds out; nothing where a class is missing among
    /// the others.
    fn said(
        &self,
        model: &dyn Model,
        (trained, held): &(Vec<Member>, Vec<Member>),
        table: &FeatureTable,
    ) -> Result<Vec<Said>, StageError> {
        let Self { params, classes, vectors, rule } = *self;
        let scaling = FoldData::scaling_of(trained, model.scaling(), table)?;
        let read = Read::new(params, vectors, table, &scaling);
        let (training, validation) = (read.examples(trained)?, read.examples(held)?);
        let spec = RunSpec {
            training: &params.training,
            rule,
            model,
            seed: seed_of_fold(params.seed, &params.fold),
            classes,
            width: scaling.width(),
            layers: read.layers,
        };
        let data = Data { training: &training, validation: &validation, pool: &[] };
        let trained = match train(&spec, &data, None, &mut |_| {}) {
            Err(TrainError::ClassWithoutExamples { .. }) => return Ok(Vec::new()),
            trained => trained?,
        };
        let frames: Vec<&Rows<'_>> = validation.iter().map(|e| &e.frames).collect();
        let said = trained.predictor.predict(&frames)?;
        let pairs = validation.iter().zip(said);
        Ok(pairs.filter_map(|(e, said)| Some((e.gold?, said.probabilities()))).collect())
    }
}
