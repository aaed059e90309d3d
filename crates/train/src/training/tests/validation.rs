//! Which epoch is kept: by the criterion, or the last where nothing validates.

use ambivox_nn::Parameters;
use ambivox_settings::Criterion;

use super::*;

/// Where nothing validates, all epochs are run and the last is kept; cut short, the same.
#[test]
fn without_validation_the_last_epoch_is_kept() {
    for method in [lw(), lw_pretrained(2)] {
        let mut setup = setup(method);
        (setup.training.max_epochs, setup.training.patience) = (4, 1);
        let training = toy("train", 24);
        let mut cut = None;
        let observer = &mut |at: &EpochEnd<'_>| {
            if at.epochs().len() == 3 {
                cut = Some(at.interim().unwrap());
            }
        };
        let whole = setup.run_from(&training, &[], None, observer).unwrap();
        let last = setup.spec().most_epochs();
        assert_eq!((whole.best_epoch, whole.epochs.len()), (last, last));
        assert!(whole.epochs.iter().all(|epoch| epoch.validation_loss.is_none()));
        let rest = setup.run_from(&training, &[], cut, &mut |_| {}).unwrap();
        assert_eq!(rest.epochs, whole.epochs);
        assert_eq!(rest.predictor.state().unwrap(), whole.predictor.state().unwrap());
    }
}

/// The criterion chooses the epoch, and nothing else of a run hangs on it.
#[test]
fn the_best_epoch_is_that_of_the_criterion() {
    let (training, mut validation) = (toy("train", 48), toy("validation", 16));
    turn_labels(&mut validation[..6]);
    let mut records = Vec::new();
    for criterion in [Criterion::Loss, Criterion::SoftLoss, Criterion::Ua, Criterion::MacroF1] {
        let mut setup = setup(lw());
        (setup.training.max_epochs, setup.training.patience) = (8, 8);
        setup.training.criterion = criterion;
        let trained = setup.run(&training, &validation).unwrap();
        let cost = |epoch: &EpochRecord| epoch.criterion.or(epoch.validation_loss).unwrap();
        let least = trained.epochs.iter().map(cost).fold(f64::INFINITY, f64::min);
        let first = trained.epochs.iter().position(|epoch| cost(epoch) == least).unwrap();
        assert_eq!(trained.best_epoch, first + 1, "{criterion:?}");
        assert_eq!(trained.epochs[0].criterion.is_none(), criterion == Criterion::Loss);
        records.push(trained.epochs.iter().map(|e| (e.train_loss, e.validation_loss)).collect());
    }
    let records: Vec<Vec<(f64, Option<f64>)>> = records;
    assert!(records.iter().all(|of_one| *of_one == records[0]));
}

/// All epochs are run, whatever the criterion says, and what is said is the mean of the last ones; cut short in
/// the midst of them, the same.
#[test]
fn the_last_epochs_are_kept_together_where_asked_for() {
    for method in [lw(), lw_pretrained(2)] {
        let (training, validation) = (toy("train", 24), toy("validation", 8));
        let run = |max_epochs, keep| {
            let mut setup = setup(method.clone());
            (setup.training.max_epochs, setup.training.patience) = (max_epochs, 1);
            setup.training.keep = keep;
            setup
        };
        let said = |trained: &Trained| {
            let rows: Vec<&Rows<'_>> = validation.iter().map(|one| &one.frames).collect();
            let said = trained.predictor.predict(&rows).unwrap();
            said.iter().map(ambivox_models::Prediction::probabilities).collect::<Vec<_>>()
        };
        let last =
            [3, 4].map(|epochs| run(epochs, Keep::Last).run(&training, &validation).unwrap());
        let [mean, average] = [Keep::MeanOfLast(2), Keep::AverageOfLast(2)].map(|keep| {
            let setup = run(4, keep);
            let mut cut = None;
            let observer = &mut |at: &EpochEnd<'_>| {
                if at.epochs().len() + 1 == setup.spec().most_epochs() {
                    cut = Some(at.interim().unwrap());
                }
            };
            let whole = setup.run_from(&training, &validation, None, observer).unwrap();
            assert_eq!(whole.epochs, last[1].epochs);
            assert_eq!(whole.best_epoch, setup.spec().most_epochs());
            let rest = setup.run_from(&training, &validation, cut, &mut |_| {}).unwrap();
            assert_eq!(rest.predictor.state().unwrap(), whole.predictor.state().unwrap());
            assert_eq!((rest.epochs, &rest.labels), (whole.epochs.clone(), &whole.labels));
            whole
        });
        let [third, fourth] = last.each_ref().map(said);
        for (n, found) in said(&mean).iter().enumerate() {
            for (class, found) in found.iter().enumerate() {
                let expected = f64::midpoint(third[n][class], fourth[n][class]);
                assert!((found - expected).abs() < 1e-12, "{found} {expected}");
            }
        }
        let parameters =
            |trained: &Trained| trained.predictor.state().unwrap().read::<Parameters>().unwrap();
        let expected = Parameters::mean(&last.each_ref().map(parameters)).unwrap();
        assert_eq!(parameters(&average), expected);
        assert_ne!(said(&average), said(&mean));
    }
}
