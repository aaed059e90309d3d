//! The models and their settings: section `[model]` of a pipeline.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::Table;

use crate::Choice;
use crate::pipeline::MOST_UNITS;

/// Section `[model]`: what is trained, by its `kind`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", tag = "kind", rename_all = "kebab-case")]
pub enum ModelSettings {
    /// The paper's network, over an utterance's frames.
    BlstmAttention(NetworkSettings),
    /// Multinomial logistic regression, over one vector of an utterance.
    Linear(LinearSettings),
    /// Linear support vector machines, over one vector of an utterance.
    LinearSvm(LinearSvmSettings),
    /// Fully connected layers, over one vector of an utterance.
    Mlp(MlpSettings),
    /// No learning: the vector of an utterance has the probability of every class.
    Probabilities(ProbabilitiesSettings),
}

impl<'de> Deserialize<'de> for ModelSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut section = Table::deserialize(deserializer)?;
        section.entry("kind").or_insert_with(|| Self::PAPERS.into());
        Self::deserialize(section).map_err(|error| D::Error::custom(error.message()))
    }
}

impl Serialize for ModelSettings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

/// Where attention looks (METHOD, "Network").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttentionOver {
    /// Over the BLSTM's outputs; `u` has one entry per output, the class layer follows.
    Blstm,
    /// Over the class layer's outputs per frame; `u` has one entry per class (eqs. 1–3 to the letter).
    Logits,
}

/// Section `[model]` with `kind = "blstm-attention"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSettings {
    /// Units of the first, fully connected layer (512 in the paper).
    pub linear: usize,
    /// Units of the LSTM in each direction (128 in the paper).
    pub lstm: usize,
    /// Share of activations dropped after the first layer and after the BLSTM (0.5 in the paper).
    pub dropout: f64,
    /// Where attention looks.
    pub attention_over: AttentionOver,
}

/// Section `[model]` with `kind = "linear"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinearSettings {
    /// C: the weight of the loss, summed over the training utterances, against half the squares of the
    /// weights. The lower, the smoother.
    pub c: Choice<f64>,
}

/// Section `[model]` with `kind = "linear-svm"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinearSvmSettings {
    /// C: the weight of the hinge loss, summed over the training utterances, against half the squares of the
    /// weights. The lower, the wider the margin.
    pub c: Choice<f64>,
}

/// Section `[model]` with `kind = "mlp"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MlpSettings {
    /// Units of the hidden layers; none make it multinomial logistic regression.
    pub hidden: Vec<usize>,
    /// Slope of the leaky ReLU below 0.
    pub leak: f64,
    /// Share of the hidden activations dropped.
    pub dropout: f64,
}

/// Section `[model]` with `kind = "probabilities"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbabilitiesSettings {}

impl ProbabilitiesSettings {
    /// How far the sum of an utterance's probabilities may be from 1.
    const TOLERANCE: f64 = 1e-3;

    /// Why these values are not the probabilities of all classes, if they are not.
    pub fn fault_of(values: &[f32]) -> Option<String> {
        if let Some(value) = values.iter().find(|value| **value < 0.0) {
            return Some(format!("{value} is below 0"));
        }
        let sum: f64 = values.iter().copied().map(f64::from).sum();
        // A sum that is no number is wrong as well.
        let is_one = (sum - 1.0).abs() <= Self::TOLERANCE;
        (!is_one).then(|| format!("the sum is {sum:.4}"))
    }
}

impl ModelSettings {
    /// The kind of the paper's network; also of a section without a kind, which was called `[network]`
    /// while there was no other.
    pub const PAPERS: &'static str = "blstm-attention";

    /// All kinds.
    pub const KINDS: [&'static str; 5] =
        [Self::PAPERS, "linear", "linear-svm", "mlp", "probabilities"];

    /// The kind, in the word of the pipeline file.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::BlstmAttention(_) => Self::PAPERS,
            Self::Linear(_) => "linear",
            Self::LinearSvm(_) => "linear-svm",
            Self::Mlp(_) => "mlp",
            Self::Probabilities(_) => "probabilities",
        }
    }

    /// Whether it reads one vector of an utterance, and not its frames.
    pub fn reads_vectors(&self) -> bool {
        !matches!(self, Self::BlstmAttention(_))
    }

    /// C, of the kinds that have it, where it is one value.
    pub fn c(&self) -> Option<f64> {
        match self {
            Self::Linear(LinearSettings { c }) | Self::LinearSvm(LinearSvmSettings { c }) => {
                c.only()
            }
            Self::BlstmAttention(_) | Self::Mlp(_) | Self::Probabilities(_) => None,
        }
    }

    /// The models that there are to choose from, each with one value for every setting.
    pub fn candidates(&self) -> Vec<Self> {
        let with = |c: &Choice<f64>, model: fn(Choice<f64>) -> Self| {
            c.candidates().iter().map(|&c| model(Choice::One(c))).collect()
        };
        match self {
            Self::Linear(LinearSettings { c }) => with(c, |c| Self::Linear(LinearSettings { c })),
            Self::LinearSvm(LinearSvmSettings { c }) => {
                with(c, |c| Self::LinearSvm(LinearSvmSettings { c }))
            }
            other => vec![other.clone()],
        }
    }

    /// Units of its layers, each under the name of its setting.
    pub fn sizes(&self) -> Vec<(&'static str, usize)> {
        match self {
            Self::BlstmAttention(NetworkSettings { linear, lstm, .. }) => {
                vec![("model.linear", *linear), ("model.lstm", *lstm)]
            }
            Self::Linear(_) | Self::LinearSvm(_) | Self::Probabilities(_) => Vec::new(),
            Self::Mlp(settings) => settings.hidden.iter().map(|&n| ("model.hidden", n)).collect(),
        }
    }

    /// What is wrong with it first.
    pub(crate) fn fault(&self) -> Option<String> {
        let wide = self.sizes().into_iter().find(|(_, size)| !(1..=MOST_UNITS).contains(size));
        if let Some((setting, size)) = wide {
            return Some(format!("{setting}: {size}; from 1 to {MOST_UNITS}"));
        }
        let shares = match self {
            Self::Linear(LinearSettings { c }) | Self::LinearSvm(LinearSvmSettings { c }) => {
                let good = c.candidates().iter().all(|c| (1e-9..=1e9).contains(c)) && !c.is_odd();
                let fault = "model.c: from 1e-9 to 1e9, or a list of such values, none twice";
                return (!good).then(|| fault.to_owned());
            }
            Self::BlstmAttention(settings) => vec![("model.dropout", settings.dropout)],
            Self::Mlp(MlpSettings { leak, dropout, .. }) => {
                vec![("model.leak", *leak), ("model.dropout", *dropout)]
            }
            Self::Probabilities(_) => Vec::new(),
        };
        let wrong = shares.into_iter().find(|(_, share)| !(0.0..1.0).contains(share));
        wrong.map(|(setting, _)| format!("{setting}: from 0 to below 1"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_not_negative_and_their_sum_is_1() {
        let fault = |values: &[f32]| ProbabilitiesSettings::fault_of(values).unwrap_or_default();
        assert_eq!(fault(&[0.25, 0.75, 0.0]), "");
        assert_eq!(fault(&[0.2501, 0.7504]), "", "within 0.001");
        assert_eq!(fault(&[0.5, 0.502]), "the sum is 1.0020");
        assert_eq!(fault(&[1.5, -0.5]), "-0.5 is below 0");
        assert_eq!(fault(&[f32::NAN, 1.0]), "the sum is NaN");
    }

    #[test]
    fn probabilities_have_no_setting() {
        let read = |text: &str| toml::from_str::<ModelSettings>(text);
        let model = read("kind = \"probabilities\"").unwrap();
        assert_eq!((model.kind(), model.reads_vectors()), ("probabilities", true));
        assert!(read("kind = \"probabilities\"\nc = 1.0").is_err());
    }
}
