//! What the present model says, dropout off: of the training utterances and of those to validate on.

use ambivox_eval::Confusion;
use ambivox_models::Predictor;
use ambivox_rules::Example;

use crate::{Moment, TrainError};

/// Loss and rates on the gold labels of the utterances to validate on.
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
    model: &dyn Predictor,
    examples: &[Example],
    epoch: usize,
    moment: Moment,
) -> Result<Vec<Vec<f64>>, TrainError> {
    let utterances: Vec<&[f32]> = examples.iter().map(|e| e.frames.as_slice()).collect();
    let said = model.predict(&utterances)?;
    let log_y: Vec<Vec<f64>> = said.into_iter().map(|said| said.log_probabilities).collect();
    if log_y.iter().flatten().any(|value| !value.is_finite()) {
        return Err(TrainError::Diverged { epoch, moment });
    }
    Ok(log_y)
}

/// Loss and rates of a model on the validation utterances.
pub(crate) fn validate(
    model: &dyn Predictor,
    examples: &[Example],
    epoch: usize,
) -> Result<Validation, TrainError> {
    let log_y = log_probabilities(model, examples, epoch, Moment::Validation)?;
    rates(examples, &log_y, model.classes())
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
            group: String::new(),
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
