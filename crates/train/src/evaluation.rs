//! What the present model says, dropout off: of the training utterances and of those to validate on.

use ambivox_eval::Confusion;
use ambivox_models::{Predictor, Rows};
use ambivox_rules::{Example, Rule};
use ambivox_settings::Criterion;

use crate::{EpochPhase, TrainError};

/// Loss and rates on the gold labels of the utterances to validate on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Validation {
    /// Unweighted mean of −log y of the gold label.
    pub(crate) loss: f64,
    /// Weighted accuracy.
    pub(crate) wa: f64,
    /// Unweighted accuracy, over the classes that occur.
    pub(crate) ua: f64,
    /// What chooses the best epoch, where it is not the loss: the lower the better.
    pub(crate) criterion: Option<f64>,
}

/// log y of every utterance, in their order. A value that is not finite is an error.
pub(crate) fn log_probabilities(
    model: &dyn Predictor,
    examples: &[Example<'_>],
    epoch: usize,
    phase: EpochPhase,
) -> Result<Vec<Vec<f64>>, TrainError> {
    let utterances: Vec<&Rows<'_>> = examples.iter().map(|e| &e.frames).collect();
    let said = model.predict(&utterances)?;
    let log_y: Vec<Vec<f64>> = said.into_iter().map(|said| said.log_probabilities).collect();
    if log_y.iter().flatten().any(|value| !value.is_finite()) {
        return Err(TrainError::Diverged { epoch, phase });
    }
    Ok(log_y)
}

/// The targets that a rule gives utterances before it has learned anything of them.
pub(crate) fn own_targets(
    rule: &dyn Rule,
    examples: &[Example<'_>],
    classes: usize,
) -> Result<Vec<Vec<f64>>, TrainError> {
    let examples: Vec<Example<'static>> = examples.iter().map(|one| voted(one, classes)).collect();
    Ok(rule.own_targets(&examples, classes)?.distributions)
}

/// The utterance without its frames, and with a vote for its gold label where it has none at all.
fn voted(example: &Example<'_>, classes: usize) -> Example<'static> {
    let (gold, mut votes) = (example.gold, example.votes.clone());
    if votes.iter().all(|votes| *votes == 0.0) {
        votes = (0..classes).map(|class| f64::from(Some(class) == gold)).collect();
    }
    let (utterance_id, group) = (example.utterance_id.clone(), example.group.clone());
    Example { utterance_id, group, frames: Vec::new().into(), gold, votes }
}

/// Loss and rates of a model on the validation utterances; nothing where there are none. `targets` are the
/// method's own, where the criterion asks for them.
pub(crate) fn validate(
    model: &dyn Predictor,
    examples: &[Example<'_>],
    criterion: Criterion,
    targets: &[Vec<f64>],
    epoch: usize,
) -> Result<Option<Validation>, TrainError> {
    if examples.is_empty() {
        return Ok(None);
    }
    let log_y = log_probabilities(model, examples, epoch, EpochPhase::Validation)?;
    rates(examples, &log_y, model.classes(), criterion, targets).map(Some)
}

/// Mean over utterances of the cross-entropy of targets.
fn soft_loss(targets: &[Vec<f64>], log_y: &[Vec<f64>]) -> f64 {
    let of_one = |(s, log_y): (&Vec<f64>, &Vec<f64>)| {
        s.iter().zip(log_y).map(|(s, log_y)| -s * log_y).sum::<f64>()
    };
    targets.iter().zip(log_y).map(of_one).sum::<f64>() / log_y.len() as f64
}

fn rates(
    examples: &[Example<'_>],
    log_y: &[Vec<f64>],
    classes: usize,
    criterion: Criterion,
    targets: &[Vec<f64>],
) -> Result<Validation, TrainError> {
    // A run with validation utterances that have no gold label is refused at its start.
    let pairs = || examples.iter().zip(log_y).filter_map(|(e, log_y)| Some((e.gold?, log_y)));
    let loss = pairs().map(|(gold, log_y)| -log_y[gold]).sum::<f64>() / examples.len() as f64;
    let scored = pairs().map(|(gold, log_y)| (gold, log_y.as_slice()));
    let confusion = Confusion::from_probabilities(classes, scored)?;
    // All rates are defined, since there are utterances.
    let (wa, ua) = (confusion.wa().unwrap_or(0.0), confusion.ua().unwrap_or(0.0));
    let criterion = match criterion {
        Criterion::Loss => None,
        Criterion::SoftLoss => Some(soft_loss(targets, log_y)),
        Criterion::Ua => Some(1.0 - ua),
        Criterion::MacroF1 => Some(1.0 - confusion.macro_f1().unwrap_or(0.0)),
    };
    Ok(Validation { loss, wa, ua, criterion })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_is_the_mean_over_utterances_and_ua_over_the_classes_that_occur() {
        let example = |gold| Example {
            utterance_id: String::new(),
            group: String::new(),
            frames: vec![0.0].into(),
            gold: Some(gold),
            votes: vec![],
        };
        let examples = [example(0), example(0), example(1)];
        let log_y: Vec<Vec<f64>> =
            [0.8_f64, 0.3, 0.4].iter().map(|p| vec![p.ln(), (1.0 - p).ln(), -50.0]).collect();
        let of = |criterion, targets: &[Vec<f64>]| {
            rates(&examples, &log_y, 3, criterion, targets).unwrap()
        };
        let found = of(Criterion::Loss, &[]);
        assert_eq!(found.criterion, None);
        let expected = -(0.8_f64.ln() + 0.3_f64.ln() + 0.6_f64.ln()) / 3.0;
        assert!((found.loss - expected).abs() < 1e-15);
        assert_eq!((found.wa, found.ua), (2.0 / 3.0, 0.75));
        assert_eq!(of(Criterion::Ua, &[]).criterion, Some(0.25));
        // F1 of the first class is 2/3, of the second too.
        assert!((of(Criterion::MacroF1, &[]).criterion.unwrap() - 1.0 / 3.0).abs() < 1e-15);
        let targets = [[0.75, 0.25, 0.0], [0.75, 0.25, 0.0], [0.25, 0.75, 0.0]].map(Vec::from);
        let soft = |own: f64| -(0.75 * own.ln() + 0.25 * (1.0 - own).ln());
        let expected = (soft(0.8) + soft(0.3) + soft(0.6)) / 3.0;
        assert!((of(Criterion::SoftLoss, &targets).criterion.unwrap() - expected).abs() < 1e-15);
    }
}
