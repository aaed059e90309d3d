//! When to stop: after some epochs without a lower validation loss.

/// Follows the validation loss.
#[derive(Debug)]
pub(crate) struct EarlyStopping {
    patience: usize,
    lowest: f64,
    epochs_since: usize,
}

impl EarlyStopping {
    pub(crate) fn new(patience: usize) -> Self {
        Self { patience, lowest: f64::INFINITY, epochs_since: 0 }
    }

    /// Takes the next epoch's loss; true where it is lower than all before. A tie is not: the
    /// earlier epoch stays the best.
    pub(crate) fn improves(&mut self, loss: f64) -> bool {
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
    pub(crate) fn is_exhausted(&self) -> bool {
        self.epochs_since >= self.patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Epochs (from 1) that improve, and the epoch after which training stops.
    fn follow(patience: usize, losses: &[f64]) -> (Vec<usize>, Option<usize>) {
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
        assert_eq!(follow(2, &[1.0, 0.9, 0.95, 0.91, 0.1]), (vec![1, 2], Some(4)));
        assert_eq!(follow(1, &[1.0, 1.1, 0.1]), (vec![1], Some(2)));
    }

    #[test]
    fn an_improvement_starts_the_count_anew() {
        assert_eq!(follow(2, &[1.0, 1.1, 0.9, 1.0, 0.8]), (vec![1, 3, 5], None));
    }

    #[test]
    fn of_equal_losses_the_earlier_epoch_is_the_best() {
        assert_eq!(follow(2, &[1.0, 1.0, 1.0]), (vec![1], Some(3)));
    }
}
