//! Choice of settings inside a fold's training groups, which know nothing of who is tested.

use std::collections::BTreeMap;

use ambivox_eval::Confusion;
use ambivox_features::FeatureTable;
use ambivox_models::{Rows, inner_folds, model};
use ambivox_settings::{FixedLabelSettings, FixedTarget, MethodParams, ModelSettings, TrainParams};
use ambivox_train::{Data, RunSpec, TrainError, train};
use rayon::prelude::*;

use super::Read;
use super::fold::{FoldData, Member};
use crate::StageError;
use crate::job::Job;

/// Inner folds, where there are as many groups.
const INNER_FOLDS: usize = 5;

/// Every candidate is trained on the labels as they are, each class counting as much, whatever the run's
/// method: so that methods are compared on the same choice.
const PLAIN: FixedLabelSettings =
    FixedLabelSettings { fixed_target: FixedTarget::OneHot, label_scale: 1.0 };

/// Settings of which one was chosen, or had not to be.
pub(super) struct Chosen {
    pub(super) model: ModelSettings,
    /// The layer, of features that have several to choose from.
    pub(super) layer: Option<usize>,
    /// What was chosen, by the setting's path.
    pub(super) told: BTreeMap<String, f64>,
}

/// A point of what there is to choose from.
struct Candidate {
    model: ModelSettings,
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
    layers: &[FeatureTable],
) -> Result<Chosen, StageError> {
    let mut candidates = candidates(params, layers.len());
    if candidates.len() > 1 {
        let inner = Inner::new(fold)?;
        let rates = rates(params, job, classes, &inner, layers, &candidates)?;
        let best =
            (0..rates.len()).fold(0, |best, at| if rates[at] > rates[best] { at } else { best });
        candidates.swap(0, best);
    }
    // The best, or the only one.
    let Candidate { model, layer } = candidates.swap_remove(0);
    let mut told = BTreeMap::new();
    if layers.len() > 1 {
        told.extend(layer.map(|layer| ("frontend.layer".to_owned(), layer as f64)));
    }
    if params.model.candidates().len() > 1 {
        told.extend(model.c().map(|c| ("model.c".to_owned(), c)));
    }
    Ok(Chosen { model, layer, told })
}

fn candidates(params: &TrainParams, layers: usize) -> Vec<Candidate> {
    let layers: Vec<Option<usize>> =
        if params.choose_layer { (0..layers).map(Some).collect() } else { vec![None] };
    let models = params.model.candidates();
    let of_layer = |layer: Option<usize>| {
        models.iter().map(move |model| Candidate { model: model.clone(), layer })
    };
    layers.into_iter().flat_map(of_layer).collect()
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
    params: &TrainParams,
    job: &Job<'_>,
    classes: &[String],
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
        let said =
            said(params, classes, candidate, &parts[fold], &layers[candidate.layer.unwrap_or(0)]);
        let done = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        job.reporter.progress(done, all.len() as u64, "inner trainings", "choosing settings");
        said
    });
    let said = said.collect::<Result<Vec<_>, _>>()?;
    said.chunks(inner.count).map(|of_folds| rate(classes, of_folds)).collect()
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

/// What a candidate says of those that an inner fold holds out; nothing where a class is missing among the
/// others.
fn said(
    params: &TrainParams,
    classes: &[String],
    candidate: &Candidate,
    (trained, held): &(Vec<Member>, Vec<Member>),
    table: &FeatureTable,
) -> Result<Vec<Said>, StageError> {
    let scaling = FoldData::scaling_of(trained, model(&candidate.model).scaling(), table)?;
    let read = Read::new(params, table, &scaling);
    let (training, validation) = (read.examples(trained)?, read.examples(held)?);
    let method = MethodParams::Baseline(PLAIN);
    let (seed, width) = (params.seed, scaling.width());
    let (training_settings, model) = (&params.training, &candidate.model);
    let layers = read.layers;
    let spec = RunSpec {
        training: training_settings,
        method: &method,
        model,
        seed,
        classes,
        width,
        layers,
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
