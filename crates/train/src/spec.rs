//! What a run is given beside the utterances, and whether it can do with them.

use ambivox_models::Model;
use ambivox_rules::{Example, Rule};
use ambivox_settings::TrainingSettings;

use crate::TrainError;

/// Everything beside the utterances that a run depends on.
#[derive(Debug, Clone, Copy)]
pub struct RunSpec<'a> {
    /// The optimiser and when it stops.
    pub training: &'a TrainingSettings,
    /// The label rule.
    pub rule: &'a dyn Rule,
    /// The model.
    pub model: &'a dyn Model,
    /// The run's seed, one for every fold as of [`crate::seed_of_fold`]; `training.seeds` is not looked at.
    pub seed: u64,
    /// Names of the classes, in the order of every table.
    pub classes: &'a [String],
    /// Values per row.
    pub width: usize,
    /// Layers of an encoder that a row has, for a model that weighs them; else 1.
    pub layers: usize,
}

/// The utterances of a run.
#[derive(Debug, Clone, Copy)]
pub struct Data<'a> {
    /// Those to train on.
    pub training: &'a [Example<'a>],
    /// Those that decide when to stop and which epoch is kept, and nothing else; without any, the last is.
    pub validation: &'a [Example<'a>],
    /// Those whose labels are not looked at, for methods that make further ones of them.
    pub pool: &'a [Example<'a>],
}

impl RunSpec<'_> {
    /// Epochs of the run if nothing stops it early, those of an augmenter among them.
    pub fn most_epochs(&self) -> usize {
        let before = self.rule.augmenting_epochs() + self.rule.pretraining_epochs();
        before + self.training.max_epochs
    }

    /// Checks that the utterances can be trained on and validated on: all classes are there.
    pub(crate) fn check(&self, data: &Data<'_>) -> Result<(), TrainError> {
        let Data { training, validation, pool } = *data;
        self.check_part("training", training, self.rule.uses_votes())?;
        validation.iter().try_for_each(|example| self.check_example(example, false))?;
        if self.rule.augments() {
            self.check_part("the unlabelled pool", pool, true)?;
        }
        let absent = (0..self.classes.len()).find(|&c| training.iter().all(|e| e.gold != Some(c)));
        absent.map_or(Ok(()), |class| {
            Err(TrainError::ClassWithoutExamples { class: self.classes[class].clone() })
        })
    }

    fn check_part(
        &self,
        purpose: &'static str,
        examples: &[Example<'_>],
        goldless: bool,
    ) -> Result<(), TrainError> {
        if examples.is_empty() {
            return Err(TrainError::NoExamples { purpose });
        }
        examples.iter().try_for_each(|example| self.check_example(example, goldless))
    }

    fn check_example(&self, example: &Example<'_>, goldless: bool) -> Result<(), TrainError> {
        let (values, width, classes) = (example.frames.len(), self.width, self.classes.len());
        let fault = if values == 0 || width == 0 || !values.is_multiple_of(width) {
            format!("{values} values; expected one or more frames of {width} each")
        } else if example.frames.read().iter().any(|value| !value.is_finite()) {
            "a descriptor is not finite; extract the features again".to_owned()
        } else if let Some(gold) = example.gold.filter(|&gold| gold >= classes) {
            format!("gold label {gold}; expected below {classes}")
        } else if example.gold.is_none() && !goldless {
            "no gold label; only methods that use votes train on such utterances".to_owned()
        } else if goldless && example.votes.len() != classes {
            format!("votes for {} classes; expected {classes}", example.votes.len())
        } else {
            return Ok(());
        };
        Err(TrainError::Example { utterance_id: example.utterance_id.clone(), fault })
    }
}
