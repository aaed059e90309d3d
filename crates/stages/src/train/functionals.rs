//! The method `cyclegan`, which learns from functionals.

use ambivox_eval::EpochRecord;
use ambivox_features::FeatureTable;
use ambivox_model::{Dense, FunctionalsCheckpoint, MinMax};
use ambivox_settings::{CycleganSettings, Pool, TrainParams, role};
use ambivox_train::{Example, Trained, synthesise, train_classifier};

use super::fold::FoldData;
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

/// The CycleGANs, then the classifier.
fn train(
    run: &Prepared<'_>,
    settings: &CycleganSettings,
    pool: &[Example],
) -> Result<Trained<Dense>, StageError> {
    let before = (settings.pretraining_epochs + settings.epochs) as u64;
    let total = before + run.params.training.max_epochs as u64;
    let progress = |done, message: &str| {
        run.job.reporter.progress(done, total, "epochs", message);
    };
    let mut seen = |epoch| progress(epoch as u64, "CycleGANs");
    let synthetic = synthesise(&run.spec(), settings, &run.training, pool, &mut seen)?;
    let mut seen =
        |epoch: &EpochRecord| progress(before + epoch.epoch as u64, course(epoch).as_str());
    let (training, validation) = (&run.training, &run.validation);
    let trained =
        train_classifier(&run.spec(), settings, training, &synthetic, validation, &mut seen)?;
    progress(total, "");
    Ok(trained)
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
