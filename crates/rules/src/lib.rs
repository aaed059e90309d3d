//! What a model is to learn from: one axis of an experiment, a file per kind.
//!
//! A [`Rule`] is a kind with its settings; at work it is a [`LabelRule`], which says what every training
//! utterance's target and weight are, and changes them between the rounds of a model. A [`Sampler`] chooses
//! the utterances of a round; an [`Augmenter`] makes further ones before the first. A kind is a file of its
//! own and a line of [`RULES`]. None of them knows what the model is.

mod augmenter;
mod error;
mod example;
mod fixed;
mod labels;
mod rule;
mod samplers;
mod second_step;

pub use augmenter::{Augmenter, Fold};
pub use error::RuleError;
pub use example::Example;
pub use fixed::{FixedLabelSettings, FixedTarget};
pub use labels::{CourseOfLabel, LabelState, mean_weights, share_moved, states};
pub use rule::cyclegan::{CycleganSettings, Pool};
pub use rule::l::LSettings;
pub use rule::lw::LwSettings;
pub use rule::lw_pretrained::LwPretrainedSettings;
pub use rule::soft_target::{SoftTargetSettings, Votes};
pub use rule::w::WSettings;
pub use rule::{LabelRule, RULES, Rule, RuleKind, plan_method, rule};
pub use samplers::Sampler;
pub use second_step::{LabelStep, Projection, StepBy, WeightStep};
