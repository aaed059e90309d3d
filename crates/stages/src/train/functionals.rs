//! The method `cyclegan`, which learns from functionals.

use ambivox_features::FeatureTable;
use ambivox_model::{Dense, FunctionalsCheckpoint, MinMax};
use ambivox_settings::{CycleganSettings, Pool, TrainParams, role};
use ambivox_train::{
    ClassifierWaypoint, CycleganInterim, Example, Gans, GansInterim, Trained, synthesise,
    train_classifier,
};

use super::fold::FoldData;
use super::keeper::Keeper;
use super::{Prepared, course, examples};
use crate::StageError;
use crate::job::Job;

pub(super) fn run(
    params: &TrainParams,
    settings: &CycleganSettings,
    job: &Job<'_>,
    classes: &[String],
    mut fold: FoldData,
) -> Result<(), StageError> {
    if settings.pool == Pool::Training {
        fold.ambiguous.clear();
    }
    let table = FeatureTable::read_functionals(job.input(role::FUNCTIONALS)?, Some(&fold.ids()))?;
    let training = fold.training.iter().map(|member| member.frames(&table));
    let scaling = MinMax::fit(training.collect::<Result<Vec<_>, _>>()?, table.width());
    let scale = |values: &mut [f32]| scaling.apply(values);
    let ambiguous = examples(&fold.ambiguous, &table, &scale)?;
    let run = Prepared::new(params, job, classes, fold, &table, &scale)?;
    let pool = [run.training.as_slice(), &ambiguous].concat();
    let trained = train(&run, settings, &pool)?;
    run.write_tables(&trained)?;
    write_checkpoint(&run, trained.network, scaling)
}

/// The CycleGANs, then the classifier; or what is left of them to do.
fn train(
    run: &Prepared<'_>,
    settings: &CycleganSettings,
    pool: &[Example],
) -> Result<Trained<Dense>, StageError> {
    let (mut keeper, from) = Keeper::open(run.job);
    let (synthetic, from) = match from {
        Some(CycleganInterim::Classifier { synthetic, classifier }) => {
            (synthetic, Some(classifier))
        }
        Some(CycleganInterim::Gans(gans)) => {
            (train_gans(run, settings, pool, &mut keeper, Some(gans))?, None)
        }
        None => (train_gans(run, settings, pool, &mut keeper, None)?, None),
    };
    let (before, total) = epochs(run, settings);
    let mut observer = |at: &ClassifierWaypoint<'_>| {
        if let Some(epoch) = at.epochs().last() {
            run.job.reporter.progress(before + epoch.epoch as u64, total, "epochs", &course(epoch));
        }
        run.show(at.epochs());
        keeper.after_epoch(|| {
            let (synthetic, classifier) = (synthetic.clone(), at.interim()?);
            Ok(CycleganInterim::Classifier { synthetic, classifier })
        });
    };
    let (spec, validation) = (run.spec(), &run.validation);
    let trained = train_classifier(
        &spec,
        settings,
        &run.training,
        &synthetic,
        validation,
        from,
        &mut observer,
    )?;
    run.job.reporter.progress(total, total, "epochs", "");
    Ok(trained)
}

/// The synthetic vectors.
fn train_gans(
    run: &Prepared<'_>,
    settings: &CycleganSettings,
    pool: &[Example],
    keeper: &mut Keeper<'_>,
    from: Option<GansInterim>,
) -> Result<Vec<Example>, StageError> {
    let (_, total) = epochs(run, settings);
    let mut observer = |gans: &Gans<'_>| {
        run.job.reporter.progress(gans.epochs_done() as u64, total, "epochs", "CycleGANs");
        keeper.after_epoch(|| Ok(CycleganInterim::Gans(gans.interim()?)));
    };
    Ok(synthesise(&run.spec(), settings, &run.training, pool, from, &mut observer)?)
}

/// Epochs of the CycleGANs, and of all.
fn epochs(run: &Prepared<'_>, settings: &CycleganSettings) -> (u64, u64) {
    let gans = (settings.pretraining_epochs + settings.epochs) as u64;
    (gans, gans + run.params.training.max_epochs as u64)
}

fn write_checkpoint(
    run: &Prepared<'_>,
    classifier: Dense,
    scaling: MinMax,
) -> Result<(), StageError> {
    let checkpoint = FunctionalsCheckpoint {
        classifier,
        classes: run.classes.to_vec(),
        feature_set: run.params.feature_set.clone(),
        scaling,
    };
    Ok(checkpoint.save(&run.job.output(role::CHECKPOINT)?)?)
}
