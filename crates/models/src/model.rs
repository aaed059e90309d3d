//! What every model does, and which kinds there are.

use std::collections::BTreeMap;
use std::fmt::Debug;

use ambivox_nn::{Loss, State, Targets, generator};
use ambivox_settings::{Choice, ModelSettings, TrainingSettings};
use rand_chacha::ChaCha8Rng;

use crate::checkpoint::NamedTensor;
use crate::{ModelError, Prediction, Rows, ScalingKind};

/// A kind of model with its settings, before it has seen anything.
pub trait Model {
    /// How its input is scaled; `None`: it reads the values as they are.
    fn scaling(&self) -> Option<ScalingKind>;

    /// A learner of utterances with rows of this shape, for `classes` classes; all its chance is drawn
    /// from `seed`.
    ///
    /// # Errors
    /// Rows of several layers, for a model that weighs none.
    fn start(
        &self,
        shape: Shape,
        classes: usize,
        training: &TrainingSettings,
        seed: u64,
    ) -> Result<Box<dyn Learner>, ModelError>;
}

/// What a row has: layers of an encoder, or the one that all is, each of so many values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// How many layers.
    pub layers: usize,
    /// Values of each.
    pub width: usize,
}

impl Shape {
    /// Rows of one layer.
    pub fn of(width: usize) -> Self {
        Self { layers: 1, width }
    }

    /// Values in all.
    pub fn values(self) -> usize {
        self.layers * self.width
    }

    /// Values of the one layer there is. Errors: there are several.
    pub(crate) fn single(self, kind: &'static str) -> Result<usize, ModelError> {
        let message = format!("it weighs no layers, of which there are {}", self.layers);
        (self.layers == 1).then_some(self.width).ok_or(ModelError::Unfit { kind, message })
    }
}

/// The registry: the kind that a pipeline's section `[model]` names.
pub fn model(settings: &ModelSettings) -> &dyn Model {
    match settings {
        ModelSettings::BlstmAttention(settings) => settings,
        ModelSettings::Linear(settings) => settings,
        ModelSettings::LinearSvm(settings) => settings,
        ModelSettings::Mlp(settings) => settings,
        ModelSettings::Probabilities(settings) => settings,
    }
}

/// The one value of a setting. Errors: there are several, of which one has to be chosen before.
pub(crate) fn one(setting: &Choice<f64>, kind: &'static str) -> Result<f64, ModelError> {
    let message = "a setting has several values, of which none was chosen".to_owned();
    setting.only().ok_or(ModelError::Unfit { kind, message })
}

/// What a learner is given for one round.
pub struct Round<'a> {
    /// The round's number, from 1.
    pub number: usize,
    /// The run's seed.
    pub seed: u64,
    /// All utterances, each row-major rows × inputs.
    pub utterances: &'a [&'a Rows<'a>],
    /// The group of each, such as its speaker, by number: what a model holds out to judge itself by, it
    /// holds out whole.
    pub groups: &'a [usize],
    /// What they are to be classified as.
    pub targets: &'a Targets,
    /// Positions of the utterances of this round, drawn from the given stream.
    pub sample: &'a dyn Fn(&mut ChaCha8Rng) -> Vec<usize>,
    /// What to make small.
    pub loss: &'a dyn Loss,
}

impl Round<'_> {
    /// The stream from which its utterances and their order are drawn.
    pub(crate) fn order(&self) -> ChaCha8Rng {
        generator(self.seed, &format!("order of epoch {}", self.number))
    }
}

/// A model in training.
pub trait Learner {
    /// Learns from the utterances of one round with targets and weights fixed; the mean loss over
    /// them. Whether it is finite is for the caller to look at: [`ModelError::NotFinite`] says where it
    /// ceased to be.
    fn round(&mut self, round: &Round<'_>) -> Result<f64, ModelError>;

    /// What it has learned so far, to ask.
    fn predictor(&self) -> &dyn Predictor;

    /// What it has learned so far, to keep: later rounds leave it alone.
    fn fitted(&self) -> Result<Box<dyn Predictor>, ModelError>;

    /// All that later rounds depend on.
    fn state(&self) -> Result<State, ModelError>;

    /// Goes on from the state of another learner; whether that was of an equal one.
    fn restore(&mut self, state: &State) -> Result<bool, ModelError>;

    /// A predictor of this learner's from its [`Predictor::state`]; `None` where it was of another's.
    fn revive(&self, state: &State) -> Result<Option<Box<dyn Predictor>>, ModelError>;
}

/// A trained model: it says how probable each class is.
pub trait Predictor: Debug + Send + Sync {
    /// Values per row that it reads.
    fn inputs(&self) -> usize;

    /// Number of classes.
    fn classes(&self) -> usize;

    /// Number of parameters.
    fn parameters(&self) -> usize;

    /// Whether it reads one vector of an utterance, and not its frames.
    fn reads_vectors(&self) -> bool;

    /// Units of its layers, each under the name of its setting.
    fn sizes(&self) -> Vec<(&'static str, usize)>;

    /// Predictions for any number of utterances, each row-major rows × [`Self::inputs`], in their
    /// order, without dropout.
    fn predict(&self, utterances: &[&Rows<'_>]) -> Result<Vec<Prediction>, ModelError>;

    /// The values of its parameters.
    fn state(&self) -> Result<State, ModelError>;

    /// What a checkpoint says of it beside its tensors, as JSON by name.
    fn metadata(&self) -> serde_json::Result<BTreeMap<&'static str, String>>;

    /// Its tensors, as a checkpoint has them.
    fn tensors(&self) -> candle_core::Result<Vec<NamedTensor>>;
}
