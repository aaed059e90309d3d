//! The methods and their settings: section `[methods]` of a pipeline.
//!
//! A method is one row of [`methods!`]: its section, its settings, its names. The rest of its
//! plumbing follows from that row.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::pipeline::negative;
use crate::{CycleganSettings, MlpSettings, ModelSettings, Pool};

/// What stands for the label distribution where it is not learned (METHOD, "Loss and alternation").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FixedTarget {
    /// 1 for the gold label.
    OneHot,
    /// softmax(K · one-hot).
    Softmax,
}

/// Sections `[methods.baseline]`, `[methods.oversampling]` and `[methods.undersampling]`: labels
/// that are not learned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixedLabelSettings {
    /// What stands for the label distribution.
    pub fixed_target: FixedTarget,
    /// K of the softmax target; not used with `one-hot`.
    pub label_scale: f64,
}

/// Section `[methods.soft-target]`: targets from the annotators' votes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SoftTargetSettings {
    /// α: added to the votes of every class; 0 for none.
    pub smoothing: f64,
}

/// Section `[methods.l]`: l learned, w fixed at its initial value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LSettings {
    /// K: initial l = K · one-hot(gold).
    pub label_scale: f64,
    /// Step size of l, in units of one utterance's gradient.
    pub label_rate: f64,
}

/// Section `[methods.w]`: w learned, the target fixed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WSettings {
    /// What stands for the label distribution.
    pub fixed_target: FixedTarget,
    /// K of the softmax target; not used with `one-hot`.
    pub label_scale: f64,
    /// Step size of w, in units of one utterance's gradient.
    pub weight_rate: f64,
    /// Whether initial weights are scaled to mean 1 before the first epoch.
    pub rescale_initial_weights: bool,
}

/// Section `[methods.lw]`: l and w learned in alternation with θ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LwSettings {
    /// K: initial l = K · one-hot(gold).
    pub label_scale: f64,
    /// Step size of l, in units of one utterance's gradient.
    pub label_rate: f64,
    /// Step size of w, in units of one utterance's gradient.
    pub weight_rate: f64,
    /// Whether initial weights are scaled to mean 1 before the first epoch.
    pub rescale_initial_weights: bool,
}

/// Section `[methods.lw-pretrained]`: as `lw`, after some epochs of θ on the gold labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LwPretrainedSettings {
    /// Epochs on the gold labels, before and beside `training.max_epochs`.
    pub pretraining_epochs: usize,
    /// K: initial l = K · one-hot(gold).
    pub label_scale: f64,
    /// Step size of l, in units of one utterance's gradient.
    pub label_rate: f64,
    /// Step size of w, in units of one utterance's gradient.
    pub weight_rate: f64,
    /// Whether initial weights are scaled to mean 1 before the first epoch of `lw`.
    pub rescale_initial_weights: bool,
}

impl LwPretrainedSettings {
    /// What `lw` does after the pretraining.
    pub fn lw(&self) -> LwSettings {
        LwSettings {
            label_scale: self.label_scale,
            label_rate: self.label_rate,
            weight_rate: self.weight_rate,
            rescale_initial_weights: self.rescale_initial_weights,
        }
    }
}

/// Defines [`Method`], [`MethodParams`] and [`Methods`] from one row per method, in the order of
/// Table 2.
macro_rules! methods {
    ($($(#[$doc:meta])* $section:ident: $method:ident($settings:ty), $id:literal, $title:literal;)+) => {
        /// A method's name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Method {
            $($(#[$doc])* $method,)+
        }

        impl Method {
            /// Every method, in the order of Table 2.
            pub const ALL: &[Self] = &[$(Self::$method),+];

            /// The name used in files and on the command line.
            pub fn id(self) -> &'static str {
                match self {
                    $(Self::$method => $id,)+
                }
            }

            /// The row's name in Table 2 of the paper.
            pub fn title(self) -> &'static str {
                match self {
                    $(Self::$method => $title,)+
                }
            }
        }

        /// A method with its settings.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum MethodParams {
            $($(#[$doc])* $method($settings),)+
        }

        impl MethodParams {
            /// The method's name.
            pub fn method(&self) -> Method {
                match self {
                    $(Self::$method(_) => Method::$method,)+
                }
            }

            /// What is wrong with the settings.
            pub(crate) fn fault(&self) -> Option<&'static str> {
                match self {
                    $(Self::$method(settings) => settings.fault(),)+
                }
            }
        }

        /// Section `[methods]`: the methods to run, each with its settings.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        pub struct Methods {
            $($(#[$doc])* pub $section: Option<$settings>,)+
        }

        impl Methods {
            /// Methods and settings in the order of Table 2.
            pub fn list(&self) -> Vec<(Method, MethodParams)> {
                let params = [$(self.$section.clone().map(MethodParams::$method)),+];
                params.into_iter().flatten().map(|params| (params.method(), params)).collect()
            }
        }
    };
}

methods! {
    /// BLSTM + ATT.
    baseline: Baseline(FixedLabelSettings), "baseline", "BLSTM + ATT";
    /// BLSTM + ATT, every class drawn as often as the largest.
    oversampling: Oversampling(FixedLabelSettings), "oversampling", "BLSTM + ATT + Oversampling";
    /// BLSTM + ATT, every class drawn as often as the smallest.
    undersampling: Undersampling(FixedLabelSettings), "undersampling", "BLSTM + ATT + Undersampling";
    /// Targets from the annotators' votes (Ando et al. 2018).
    soft_target: SoftTarget(SoftTargetSettings), "soft-target", "Soft-target";
    /// Synthetic utterances beside the real ones (Bao et al. 2019).
    cyclegan: Cyclegan(CycleganSettings), "cyclegan", "Cycle-GAN";
    /// BLSTM + ATT + L.
    l: L(LSettings), "l", "BLSTM + ATT + L";
    /// BLSTM + ATT + w.
    w: W(WSettings), "w", "BLSTM + ATT + w";
    /// BLSTM + ATT + L + w, pretrained.
    lw_pretrained: LwPretrained(LwPretrainedSettings), "lw-pretrained",
        "BLSTM + ATT + L + w pretrained";
    /// BLSTM + ATT + L + w.
    lw: Lw(LwSettings), "lw", "BLSTM + ATT + L + w";
}

impl Method {
    /// Whether the targets come from the annotators' votes, so that utterances without a gold label
    /// can train too.
    pub fn uses_votes(self) -> bool {
        self == Self::SoftTarget
    }
}

impl MethodParams {
    /// The model that the method has of its own.
    pub fn model(&self) -> Option<ModelSettings> {
        let Self::Cyclegan(CycleganSettings { classifier, leak, classifier_dropout, .. }) = self
        else {
            return None;
        };
        let (hidden, leak, dropout) = (classifier.clone(), *leak, *classifier_dropout);
        Some(ModelSettings::Mlp(MlpSettings { hidden, leak, dropout }))
    }

    /// Whether it has a use for utterances that the annotators did not agree on.
    pub fn uses_ambiguous(&self) -> bool {
        match self {
            Self::Cyclegan(settings) => settings.pool == Pool::TrainingAndAmbiguous,
            _ => self.method().uses_votes(),
        }
    }

    /// Whether it makes further utterances, of a pool whose labels are not looked at.
    pub fn augments(&self) -> bool {
        matches!(self, Self::Cyclegan(_))
    }

    /// Epochs of what makes further utterances, before all others.
    pub fn augmenting_epochs(&self) -> usize {
        match self {
            Self::Cyclegan(settings) => settings.pretraining_epochs + settings.epochs,
            _ => 0,
        }
    }

    /// Epochs before the method's own begin. They come on top of `training.max_epochs`, and none of
    /// them is kept as the best.
    pub fn pretraining_epochs(&self) -> usize {
        match self {
            Self::LwPretrained(settings) => settings.pretraining_epochs,
            _ => 0,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

const LABEL_SCALE: &str = "label_scale is 0 or above";
const LABEL_RATE: &str = "label_rate is 0 or above";
const WEIGHT_RATE: &str = "weight_rate is 0 or above";

/// The text of the first value that is not 0 or above.
fn first_negative(values: &[(f64, &'static str)]) -> Option<&'static str> {
    values.iter().find_map(|&(value, text)| negative(value).then_some(text))
}

impl FixedLabelSettings {
    fn fault(&self) -> Option<&'static str> {
        first_negative(&[(self.label_scale, LABEL_SCALE)])
    }
}

impl SoftTargetSettings {
    fn fault(&self) -> Option<&'static str> {
        first_negative(&[(self.smoothing, "smoothing is 0 or above")])
    }
}

impl LSettings {
    fn fault(&self) -> Option<&'static str> {
        first_negative(&[(self.label_scale, LABEL_SCALE), (self.label_rate, LABEL_RATE)])
    }
}

impl WSettings {
    fn fault(&self) -> Option<&'static str> {
        first_negative(&[(self.label_scale, LABEL_SCALE), (self.weight_rate, WEIGHT_RATE)])
    }
}

impl LwSettings {
    fn fault(&self) -> Option<&'static str> {
        let Self { label_scale, label_rate, weight_rate, .. } = *self;
        first_negative(&[
            (label_scale, LABEL_SCALE),
            (label_rate, LABEL_RATE),
            (weight_rate, WEIGHT_RATE),
        ])
    }
}

impl LwPretrainedSettings {
    fn fault(&self) -> Option<&'static str> {
        let none = (self.pretraining_epochs == 0).then_some("pretraining_epochs is at least 1");
        none.or_else(|| self.lw().fault())
    }
}
