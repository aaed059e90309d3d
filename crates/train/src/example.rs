//! What a run is given: utterances and settings.

use ambivox_settings::{MethodParams, TrainingSettings};
use serde::{Deserialize, Serialize};

use crate::TrainError;

/// An utterance with its label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// The utterance.
    pub utterance_id: String,
    /// Normalised descriptors, row-major frames × width; scaled functionals are one frame.
    pub frames: Vec<f32>,
    /// Index of the gold label among the classes; `None` where the annotators agreed on none of
    /// them, which only methods that use votes can train on.
    pub gold: Option<usize>,
    /// Annotators' votes for each class; only methods that use votes look at them.
    pub votes: Vec<f64>,
}

/// Everything beside the utterances that a run depends on.
#[derive(Debug, Clone, Copy)]
pub struct RunSpec<'a> {
    /// The optimiser and when it stops.
    pub training: &'a TrainingSettings,
    /// The method and its settings.
    pub method: &'a MethodParams,
    /// The run's seed; `training.seeds` is not looked at.
    pub seed: u64,
    /// Names of the classes, in the order of every table.
    pub classes: &'a [String],
    /// Values per frame.
    pub width: usize,
}

impl RunSpec<'_> {
    /// Epochs of the run if nothing stops it early.
    pub fn most_epochs(&self) -> usize {
        self.method.pretraining_epochs() + self.training.max_epochs
    }

    /// Checks that the utterances can be trained on and validated on.
    pub(crate) fn check(
        &self,
        training: &[Example],
        validation: &[Example],
    ) -> Result<(), TrainError> {
        self.check_training(training)?;
        self.check_part("validation", validation, false)
    }

    /// Checks that the utterances can be trained on: all classes are there.
    pub(crate) fn check_training(&self, training: &[Example]) -> Result<(), TrainError> {
        self.check_part("training", training, self.method.method().uses_votes())?;
        let absent = (0..self.classes.len()).find(|&c| training.iter().all(|e| e.gold != Some(c)));
        absent.map_or(Ok(()), |class| {
            Err(TrainError::ClassWithoutExamples { class: self.classes[class].clone() })
        })
    }

    /// Checks that the utterances can be a pool, for which they need no gold label.
    pub(crate) fn check_pool(&self, pool: &[Example]) -> Result<(), TrainError> {
        self.check_part("the unlabelled pool", pool, true)
    }

    fn check_part(
        &self,
        purpose: &'static str,
        examples: &[Example],
        goldless: bool,
    ) -> Result<(), TrainError> {
        if examples.is_empty() {
            return Err(TrainError::NoExamples { purpose });
        }
        examples.iter().try_for_each(|example| self.check_example(example, goldless))
    }

    fn check_example(&self, example: &Example, goldless: bool) -> Result<(), TrainError> {
        let (values, width, classes) = (example.frames.len(), self.width, self.classes.len());
        let fault = if values == 0 || width == 0 || !values.is_multiple_of(width) {
            format!("{values} values; expected one or more frames of {width} each")
        } else if example.frames.iter().any(|value| !value.is_finite()) {
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
