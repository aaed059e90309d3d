//! The axis of models: what every kind does, and which kinds there are. A kind is a file with its settings,
//! their check and its tests, and a line in [`MODELS`].

pub(crate) mod attention_pooling;
pub(crate) mod blstm_attention;
pub(crate) mod linear;
pub(crate) mod linear_svm;
pub(crate) mod mlp;
pub(crate) mod probabilities;

use std::collections::BTreeMap;
use std::fmt::Debug;

use ambivox_nn::{Loss, State, Targets, rng};
use ambivox_settings::{Choice, Kind, Kinds, MOST_UNITS, Section, TrainingSettings};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::checkpoint::{Fault, Metadata, NamedTensor, Tensors};
use crate::{ModelError, Prediction, Rows, Scaling, ScalingKind};

/// A kind of model with its settings, before it has seen anything.
pub trait Model: Debug + Send + Sync {
    /// What is wrong with the settings first, beginning with the setting's path, such as `model.c`.
    fn fault(&self) -> Option<String> {
        None
    }

    /// How its input is scaled; `None`: it reads the values as they are.
    fn scaling(&self) -> Option<ScalingKind>;

    /// Whether it reads one vector of an utterance, and not its frames.
    fn reads_vectors(&self) -> bool {
        true
    }

    /// Whether it weighs the layers of an encoder, where a row has several.
    fn weighs_layers(&self) -> bool {
        false
    }

    /// Whether it can learn by any loss; else by the cross-entropy alone, for which it is solved.
    fn learns_by_any_loss(&self) -> bool {
        false
    }

    /// Whether it learns from mixtures of utterances and of their targets, which a loss must be linear in: the
    /// cross-entropy alone.
    fn mixes_targets(&self) -> bool {
        false
    }

    /// Units of its layers, each under the path of its setting.
    fn sizes(&self) -> Vec<(&'static str, usize)> {
        Vec::new()
    }

    /// A setting that may have several values, by its name, of which every fold chooses one.
    fn choice(&self) -> Option<(&'static str, &Choice<f64>)> {
        None
    }

    /// What is wrong with the names of its input's values, for a model to which names say anything.
    fn fault_of_columns(&self, _columns: &[String], _classes: &[String]) -> Option<String> {
        None
    }

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

/// Reads a model of a kind for so many classes, and the scaling of its input, from a checkpoint.
pub type Reader =
    fn(&Metadata, &Tensors<'_>, usize) -> Result<(Box<dyn Predictor>, Scaling), Fault>;

/// Checks a section, and says it with every setting in its own type.
type Open = fn(&Section) -> Result<(Box<dyn Model>, Section), String>;

/// A kind of model.
#[derive(Debug, Clone, Copy)]
pub struct ModelKind {
    name: &'static str,
    open: Open,
    /// What a checkpoint's metadata call it; nothing of the paper's network, the first there was.
    pub(crate) in_checkpoints: Option<&'static str>,
    pub(crate) read: Reader,
}

impl ModelKind {
    /// A kind with settings `T`, which a checkpoint's metadata call `in_checkpoints`.
    pub const fn new<T: Model + Serialize + DeserializeOwned + 'static>(
        name: &'static str,
        in_checkpoints: &'static str,
        read: Reader,
    ) -> Self {
        Self { name, open: checked::<T>, in_checkpoints: Some(in_checkpoints), read }
    }
}

impl Kind for ModelKind {
    const AXIS: &'static str = "model";

    fn name(&self) -> &'static str {
        self.name
    }
}

/// Every kind of model.
pub static MODELS: Kinds<ModelKind> = Kinds::new(&[
    attention_pooling::KIND,
    blstm_attention::KIND,
    linear::KIND,
    linear_svm::KIND,
    mlp::KIND,
    probabilities::KIND,
]);

fn checked<T: Model + Serialize + DeserializeOwned + 'static>(
    section: &Section,
) -> Result<(Box<dyn Model>, Section), String> {
    let (model, section) = section.typed::<T>().map_err(|error| format!("[model]: {error}"))?;
    let wide = model.sizes().into_iter().find(|(_, size)| !(1..=MOST_UNITS).contains(size));
    let wide = wide.map(|(setting, size)| format!("{setting}: {size}; from 1 to {MOST_UNITS}"));
    match wide.or_else(|| model.fault()) {
        Some(fault) => Err(fault),
        None => Ok((Box::new(model), section)),
    }
}

/// The model of a section `[model]`, and the section with every setting in its own type.
///
/// # Errors
/// There is no such kind, or its settings cannot be.
pub fn plan_model(section: &Section) -> Result<(Box<dyn Model>, Section), String> {
    (MODELS.of(section)?.open)(section)
}

/// The model of a section.
///
/// # Errors
/// As of [`plan_model`].
pub fn model(section: &Section) -> Result<Box<dyn Model>, ModelError> {
    plan_model(section).map(|(model, _)| model).map_err(ModelError::Settings)
}

/// What is wrong with the first of these shares that is not from 0 to below 1.
fn fault_of_shares(shares: &[(&str, f64)]) -> Option<String> {
    let wrong = shares.iter().find(|(_, share)| !(0.0..1.0).contains(share));
    wrong.map(|(setting, _)| format!("{setting}: from 0 to below 1"))
}

/// What is wrong with `model.c`: the weight of a loss, summed over the training utterances, against half the
/// squares of the weights.
fn fault_of_c(c: &Choice<f64>) -> Option<String> {
    let good = c.candidates().iter().all(|c| (1e-9..=1e9).contains(c)) && !c.is_odd();
    let fault = "model.c: from 1e-9 to 1e9, or a list of such values, none twice";
    (!good).then(|| fault.to_owned())
}

/// The one value of a setting. Errors: there are several, of which one has to be chosen before.
fn one(setting: &Choice<f64>, kind: &'static str) -> Result<f64, ModelError> {
    let message = "a setting has several values, of which none was chosen".to_owned();
    setting.only().ok_or(ModelError::Unfit { kind, message })
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
    pub fn single(self, kind: &'static str) -> Result<usize, ModelError> {
        let message = format!("it weighs no layers, of which there are {}", self.layers);
        (self.layers == 1).then_some(self.width).ok_or(ModelError::Unfit { kind, message })
    }
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
    /// Whether it is divided by the mean of 1/w over a mini-batch, or over all that a solver is given at once.
    pub normalise_weights: bool,
}

impl Round<'_> {
    /// What the mean of CE/w over these utterances is divided by.
    pub fn divisor(&self, positions: &[usize]) -> f64 {
        if self.normalise_weights { self.targets.mean_inverse_weight(positions) } else { 1.0 }
    }

    /// The stream from which its utterances and their order are drawn.
    pub fn order(&self) -> ChaCha8Rng {
        rng(self.seed, &format!("order of epoch {}", self.number))
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

    /// A predictor whose parameters are the means of those of several of this learner's [`Predictor::state`]s;
    /// `None` of others', and of a learner whose parameters have no mean that means anything: see
    /// [`Model::learns_by_any_loss`].
    fn averaged(&self, _states: &[State]) -> Result<Option<Box<dyn Predictor>>, ModelError> {
        Ok(None)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(text: &str) -> Result<(Box<dyn Model>, Section), String> {
        plan_model(&toml::from_str(text).unwrap())
    }

    #[test]
    fn impossible_settings_are_refused_by_path() {
        let blstm = |linear: &str, lstm: &str, dropout: &str| {
            format!(
                "kind = \"blstm-attention\"\nlinear = {linear}\nlstm = {lstm}\n\
                 dropout = {dropout}\nattention_over = \"blstm\""
            )
        };
        let mlp = |hidden: &str, leak: &str| {
            format!("kind = \"mlp\"\nhidden = {hidden}\nleak = {leak}\ndropout = 0.5")
        };
        let linear = |kind: &str, c: &str| format!("kind = {kind:?}\nc = {c}");
        for (text, expected) in [
            (blstm("0", "128", "0.5"), "model.linear: 0; from 1 to 65536"),
            (blstm("512", "65537", "0.5"), "model.lstm: 65537; from 1 to 65536"),
            (blstm("512", "128", "1.0"), "model.dropout: from 0 to below 1"),
            (blstm("512", "128", "nan"), "model.dropout: from 0 to below 1"),
            (mlp("[0]", "0.1"), "model.hidden: 0; from 1 to 65536"),
            (mlp("[]", "1.0"), "model.leak: from 0 to below 1"),
            (mlp("[]", "0.1") + "\nwidth = 3", "[model]: unknown field `width`"),
            (linear("linear", "0.0"), "model.c: from 1e-9 to 1e9"),
            (linear("linear", "[]"), "model.c: from 1e-9 to 1e9"),
            (linear("linear-svm", "[0.1, 0.1]"), "model.c: from 1e-9 to 1e9"),
            (linear("linear-svm", "[1.0, -1.0]"), "model.c: from 1e-9 to 1e9"),
            (
                linear("tree", "1.0"),
                "model.kind: there is no \"tree\"; there are: attention-pooling, blstm-attention, ",
            ),
            (linear("probabilities", "1.0"), "[model]: unknown field `c`"),
        ] {
            let refused = planned(&text).err().unwrap_or_default();
            assert!(refused.contains(expected), "{text}: {refused}");
        }
        assert!(!planned(&blstm("512", "128", "0.5")).unwrap().0.reads_vectors());
        assert!(planned(&mlp("[]", "0.1")).unwrap().0.weighs_layers());
        let (several, _) = planned(&linear("linear", "[0.01, 1.0]")).unwrap();
        assert_eq!(several.choice().unwrap().1.candidates(), [0.01, 1.0]);
    }

    /// Keys of results are of planned sections: what reads the same has to be the same.
    #[test]
    fn a_planned_section_has_every_setting_in_its_own_type() {
        let whole = planned("kind = \"linear\"\nc = 1").unwrap().1;
        assert_eq!(whole, planned("c = 1.0\nkind = \"linear\"").unwrap().1);
        assert_eq!(planned("kind = \"probabilities\"").unwrap().1, Section::bare("probabilities"));
    }
}
