//! The course of one training run: `history.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::EvalError;

/// One epoch of a run, after both halves of the alternation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochRecord {
    /// Number of the epoch; the first is 1.
    pub epoch: usize,
    /// Mean training loss over the epoch's batches, as minimised (eq. 4; with dropout).
    pub train_loss: f64,
    /// Unweighted mean cross-entropy of the gold labels to validate on; `None`, as of the two rates, where
    /// nothing validates.
    pub validation_loss: Option<f64>,
    /// Weighted accuracy on the validation part, a fraction of 1.
    pub validation_wa: Option<f64>,
    /// Unweighted accuracy on the validation part, a fraction of 1.
    pub validation_ua: Option<f64>,
    /// What chose the best epoch, the lower the better; absent where it was the validation loss, or where
    /// nothing validates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criterion: Option<f64>,
    /// Share of the training utterances whose argmax l is not the gold label; `None` where the
    /// method learns no labels.
    pub labels_moved: Option<f64>,
    /// Mean weight w of the training utterances of each gold class; `None` where the method
    /// learns no weights.
    pub mean_weight: Option<Vec<f64>>,
}

/// Contents of `history.json`: one method, seed and fold. It holds no clock values, so that equal
/// runs give equal bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunHistory {
    /// Version of this file's form; 1.
    pub schema: u32,
    /// The method's id, as in Table 2's list (`baseline`, `lw`, …).
    pub method: String,
    /// The run's seed.
    pub seed: u64,
    /// The fold's name.
    pub fold: String,
    /// The classes, in the order of every table.
    pub classes: Vec<String>,
    /// Utterances trained on.
    pub train_utterances: usize,
    /// Utterances that validate.
    pub validation_utterances: usize,
    /// Utterances tested.
    pub test_utterances: usize,
    /// Parameters of the network, θ alone.
    pub parameters: usize,
    /// The epoch whose parameters were kept: the best by the criterion, or the last where nothing validates.
    pub best_epoch: usize,
    /// What was chosen inside the training groups, by the setting's path; absent where nothing was.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub chosen: BTreeMap<String, f64>,
    /// Mean weight w of each gold class before the first epoch; `None` where the method learns no
    /// weights.
    pub initial_mean_weight: Option<Vec<f64>>,
    /// Every epoch, in order.
    pub epochs: Vec<EpochRecord>,
}

impl RunHistory {
    /// Reads and checks a `history.json`.
    pub fn from_json(text: &str) -> Result<Self, EvalError> {
        let json = |error: serde_json::Error| EvalError::Json {
            document: "history.json",
            message: error.to_string(),
        };
        let history: Self = serde_json::from_str(text).map_err(json)?;
        history.check()?;
        Ok(history)
    }

    /// Checks and writes a `history.json`; a history with a NaN in it is an error.
    pub fn to_json(&self) -> Result<String, EvalError> {
        self.check()?;
        crate::summary::pretty("history.json", self)
    }

    /// Method, seed and fold, for messages.
    pub fn run(&self) -> String {
        format!("method {}, seed {}, fold {}", self.method, self.seed, self.fold)
    }

    /// The record of the epoch that was kept; `None` in a history that [`Self::check`] rejects.
    pub fn best(&self) -> Option<&EpochRecord> {
        self.epochs.get(self.best_epoch.checked_sub(1)?)
    }

    /// Checks schema, numbering, lengths and that every number is finite.
    pub fn check(&self) -> Result<(), EvalError> {
        let fault = self.fault();
        fault.map_or(Ok(()), |message| Err(EvalError::History { run: self.run(), message }))
    }

    fn fault(&self) -> Option<String> {
        if self.schema != 1 {
            return Some(format!("schema = {} is not known; this version reads 1", self.schema));
        }
        if self.best().is_none() {
            let epochs = self.epochs.len();
            return Some(format!(
                "best_epoch {} is not among its {epochs} epochs",
                self.best_epoch
            ));
        }
        if self.weight_fault(self.initial_mean_weight.as_ref()) {
            return Some("initial_mean_weight: one finite number per class".to_owned());
        }
        self.epochs.iter().enumerate().find_map(|(index, record)| self.epoch_fault(index, record))
    }

    fn epoch_fault(&self, index: usize, record: &EpochRecord) -> Option<String> {
        let numbers = [
            Some(record.train_loss),
            record.validation_loss,
            record.validation_wa,
            record.validation_ua,
            record.criterion,
            record.labels_moved,
        ];
        let number = index + 1;
        if record.epoch != number {
            Some(format!("epoch {} where {number} was due", record.epoch))
        } else if numbers.iter().flatten().any(|value| !value.is_finite()) {
            Some(format!("epoch {number}: a number is not finite"))
        } else if self.weight_fault(record.mean_weight.as_ref()) {
            Some(format!("epoch {number}: mean_weight: one finite number per class"))
        } else {
            None
        }
    }

    fn weight_fault(&self, weights: Option<&Vec<f64>>) -> bool {
        weights.is_some_and(|weights| {
            weights.len() != self.classes.len() || weights.iter().any(|w| !w.is_finite())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::tests::history;

    fn faulty(spoil: impl Fn(&mut RunHistory)) -> String {
        let mut history = history("lw", 0, "B", 2);
        spoil(&mut history);
        history.check().unwrap_err().to_string()
    }

    #[test]
    fn reads_back_what_it_wrote() {
        let history = history("lw", 3, "B", 2);
        assert_eq!(RunHistory::from_json(&history.to_json().unwrap()).unwrap(), history);
    }

    #[test]
    fn rejects_unknown_keys() {
        let text = history("lw", 3, "B", 2).to_json().unwrap();
        let text = text.replacen("\"seed\"", "\"clock\": 1, \"seed\"", 1);
        assert!(RunHistory::from_json(&text).unwrap_err().to_string().contains("clock"));
    }

    #[test]
    fn rejects_what_cannot_be() {
        assert!(faulty(|h| h.schema = 2).contains("schema = 2"));
        assert!(faulty(|h| h.best_epoch = 0).contains("best_epoch 0"));
        assert!(faulty(|h| h.best_epoch = 4).contains("best_epoch 4"));
        assert!(faulty(|h| h.epochs[1].epoch = 3).contains("epoch 3 where 2"));
        assert!(faulty(|h| h.epochs[1].train_loss = f64::NAN).contains("epoch 2: a number"));
        assert!(faulty(|h| h.epochs[0].labels_moved = Some(f64::INFINITY)).contains("epoch 1"));
        assert!(faulty(|h| h.epochs[0].mean_weight = Some(vec![1.0])).contains("mean_weight"));
        assert!(faulty(|h| h.initial_mean_weight = Some(vec![])).contains("initial_mean_weight"));
    }
}
