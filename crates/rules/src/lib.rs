//! What a model is to learn from: one axis of an experiment, a file per kind.
//!
//! A [`LabelRule`] says what every training utterance's target and weight are, and changes them
//! between the rounds of a model. A [`Sampler`] chooses the utterances of a round; an [`Augmenter`]
//! makes further ones before the first. A [`Method`] is a rule with its sampler: [`method`] and
//! [`augmenter`] have a line for each row of Table 2. None of them knows what the model is.

mod augmenter;
mod cyclegan;
mod error;
mod example;
mod fixed;
mod l;
mod labels;
mod lw;
mod lw_pretrained;
mod presets;
mod rule;
mod samplers;
mod second_step;
mod soft_target;
mod w;

pub use augmenter::{Augmenter, Fold};
pub use error::RuleError;
pub use example::Example;
pub use labels::{LabelState, mean_weights, share_moved, states};
pub use presets::{Method, augmenter, method};
pub use rule::LabelRule;
pub use samplers::Sampler;
