//! Epoch after epoch, and when to stop: after some in which the criterion was no lower; never, where nothing
//! validates or the last epochs are to be kept.

use ambivox_eval::EpochRecord;
use ambivox_settings::TrainingSettings;

use crate::TrainError;

/// Training that goes on epoch by epoch.
pub(crate) trait Trainer {
    /// All that is kept of an epoch.
    type Snapshot;

    /// The next epoch, of this number.
    fn epoch(&mut self, epoch: usize) -> Result<EpochRecord, TrainError>;

    /// What there is after this epoch.
    fn snapshot(&self, epoch: usize) -> Result<Self::Snapshot, TrainError>;
}

/// How far training has come.
#[derive(Debug)]
pub(crate) struct TrainState<S> {
    /// What is kept: the best epoch after the pretraining, or the last ones; before there is one, the start.
    pub(crate) kept: Vec<S>,
    /// Every epoch, in order.
    pub(crate) epochs: Vec<EpochRecord>,
}

impl<S> TrainState<S> {
    /// Before the first epoch.
    pub(crate) fn start(trainer: &impl Trainer<Snapshot = S>) -> Result<Self, TrainError> {
        Ok(Self { kept: vec![trainer.snapshot(0)?], epochs: Vec::new() })
    }
}

/// Runs the epochs that are left, those of `pretraining` first, until the criterion says stop. Without one,
/// which is for all epochs or for none, the last is kept; where the last are asked for, they are, and nothing
/// stops early. `observer` sees it after every epoch.
pub(crate) fn fit<C: Trainer>(
    trainer: &mut C,
    mut so_far: TrainState<C::Snapshot>,
    limits: &TrainingSettings,
    pretraining: usize,
    observer: &mut dyn FnMut(&C, &TrainState<C::Snapshot>),
) -> Result<TrainState<C::Snapshot>, TrainError> {
    let mut stopping = EarlyStopping::new(limits.patience);
    for record in so_far.epochs.iter().skip(pretraining) {
        cost(record).map(|cost| stopping.improves(cost));
    }
    let last = pretraining + limits.max_epochs;
    let first_of_last = limits.keep.last().map(|count| last + 1 - count);
    for epoch in so_far.epochs.len() + 1..=last {
        if first_of_last.is_none() && stopping.is_exhausted() {
            break;
        }
        let record = trainer.epoch(epoch)?;
        if let Some(first) = first_of_last {
            if epoch == first {
                so_far.kept.clear();
            }
            if epoch >= first {
                so_far.kept.push(trainer.snapshot(epoch)?);
            }
        } else {
            let is_best = |cost| epoch > pretraining && stopping.improves(cost);
            if cost(&record).map_or(epoch == last, is_best) {
                so_far.kept = vec![trainer.snapshot(epoch)?];
            }
        }
        so_far.epochs.push(record);
        observer(trainer, &so_far);
    }
    Ok(so_far)
}

/// What is to be low.
fn cost(record: &EpochRecord) -> Option<f64> {
    record.criterion.or(record.validation_loss)
}

/// Follows what is to be low.
#[derive(Debug)]
struct EarlyStopping {
    patience: usize,
    lowest: f64,
    epochs_since: usize,
}

impl EarlyStopping {
    fn new(patience: usize) -> Self {
        Self { patience, lowest: f64::INFINITY, epochs_since: 0 }
    }

    /// Takes the next epoch's cost; true where it is lower than all before. A tie is not: the
    /// earlier epoch stays the best.
    fn improves(&mut self, loss: f64) -> bool {
        let improves = loss < self.lowest;
        if improves {
            self.lowest = loss;
            self.epochs_since = 0;
        } else {
            self.epochs_since += 1;
        }
        improves
    }

    /// Whether `patience` epochs in a row have not improved.
    fn is_exhausted(&self) -> bool {
        self.epochs_since >= self.patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Epochs (from 1) that improve, and the epoch after which training stops.
    fn fit(patience: usize, losses: &[f64]) -> (Vec<usize>, Option<usize>) {
        let mut stopping = EarlyStopping::new(patience);
        let mut improving = Vec::new();
        for (epoch, &loss) in (1..).zip(losses) {
            if stopping.improves(loss) {
                improving.push(epoch);
            }
            if stopping.is_exhausted() {
                return (improving, Some(epoch));
            }
        }
        (improving, None)
    }

    #[test]
    fn stops_after_patience_epochs_without_improvement() {
        assert_eq!(fit(2, &[1.0, 0.9, 0.95, 0.91, 0.1]), (vec![1, 2], Some(4)));
        assert_eq!(fit(1, &[1.0, 1.1, 0.1]), (vec![1], Some(2)));
    }

    #[test]
    fn an_improvement_starts_the_count_again() {
        assert_eq!(fit(2, &[1.0, 1.1, 0.9, 1.0, 0.8]), (vec![1, 3, 5], None));
    }

    #[test]
    fn of_equal_losses_the_earlier_epoch_is_the_best() {
        assert_eq!(fit(2, &[1.0, 1.0, 1.0]), (vec![1], Some(3)));
    }
}
