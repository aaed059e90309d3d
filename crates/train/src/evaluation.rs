//! What the present network says, dropout off: of the training utterances and of the validation
//! speaker's.

use ambivox_eval::Confusion;
use ambivox_model::{Dense, ModelError, Network};

use crate::{Example, Moment, TrainError};

/// What a run trains: it says how probable each class is.
pub trait Classifier {
    /// Number of classes.
    fn classes(&self) -> usize;

    /// Number of parameters.
    fn parameters(&self) -> usize;

    /// log y of every utterance, dropout off.
    fn log_probabilities(&self, utterances: &[&[f32]]) -> Result<Vec<Vec<f64>>, ModelError>;
}

impl Classifier for Network {
    fn classes(&self) -> usize {
        self.classes()
    }

    fn parameters(&self) -> usize {
        self.parameters()
    }

    fn log_probabilities(&self, utterances: &[&[f32]]) -> Result<Vec<Vec<f64>>, ModelError> {
        Ok(self.predict(utterances)?.into_iter().map(|p| p.log_probabilities).collect())
    }
}

impl Classifier for Dense {
    fn classes(&self) -> usize {
        self.outputs()
    }

    fn parameters(&self) -> usize {
        self.parameters()
    }

    fn log_probabilities(&self, utterances: &[&[f32]]) -> Result<Vec<Vec<f64>>, ModelError> {
        self.log_probabilities(utterances)
    }
}

/// Loss and rates on the validation speaker's gold labels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Validation {
    /// Unweighted mean of −log y of the gold label.
    pub(crate) loss: f64,
    /// Weighted accuracy.
    pub(crate) wa: f64,
    /// Unweighted accuracy, over the classes that occur.
    pub(crate) ua: f64,
}

/// log y of every utterance, in their order. A value that is not finite is an error.
pub(crate) fn log_probabilities(
    network: &impl Classifier,
    examples: &[Example],
    epoch: usize,
    moment: Moment,
) -> Result<Vec<Vec<f64>>, TrainError> {
    let utterances: Vec<&[f32]> = examples.iter().map(|e| e.frames.as_slice()).collect();
    let log_y = network.log_probabilities(&utterances)?;
    if log_y.iter().flatten().any(|value| !value.is_finite()) {
        return Err(TrainError::Diverged { epoch, moment });
    }
    Ok(log_y)
}

/// Loss and rates of a network on the validation utterances.
pub(crate) fn validate(
    network: &impl Classifier,
    examples: &[Example],
    epoch: usize,
) -> Result<Validation, TrainError> {
    let log_y = log_probabilities(network, examples, epoch, Moment::Validation)?;
    rates(examples, &log_y, network.classes())
}

fn rates(
    examples: &[Example],
    log_y: &[Vec<f64>],
    classes: usize,
) -> Result<Validation, TrainError> {
    // A run with validation utterances that have no gold label is refused at its start.
    let pairs = || examples.iter().zip(log_y).filter_map(|(e, log_y)| Some((e.gold?, log_y)));
    let loss = pairs().map(|(gold, log_y)| -log_y[gold]).sum::<f64>() / examples.len() as f64;
    let scored = pairs().map(|(gold, log_y)| (gold, log_y.as_slice()));
    let confusion = Confusion::from_probabilities(classes, scored)?;
    // Both rates are defined: a run without validation utterances is refused at its start.
    let (wa, ua) = (confusion.wa().unwrap_or(0.0), confusion.ua().unwrap_or(0.0));
    Ok(Validation { loss, wa, ua })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_is_the_mean_over_utterances_and_ua_over_the_classes_that_occur() {
        let example = |gold| Example {
            utterance_id: String::new(),
            frames: vec![0.0],
            gold: Some(gold),
            votes: vec![],
        };
        let examples = [example(0), example(0), example(1)];
        let log_y: Vec<Vec<f64>> =
            [0.8_f64, 0.3, 0.4].iter().map(|p| vec![p.ln(), (1.0 - p).ln(), -50.0]).collect();
        let found = rates(&examples, &log_y, 3).unwrap();
        let expected = -(0.8_f64.ln() + 0.3_f64.ln() + 0.6_f64.ln()) / 3.0;
        assert!((found.loss - expected).abs() < 1e-15);
        assert_eq!((found.wa, found.ua), (2.0 / 3.0, 0.75));
    }
}
