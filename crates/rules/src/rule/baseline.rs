//! BLSTM + ATT: the labels as they are, each class counting as much.

use serde::{Deserialize, Serialize};

use super::{LABEL_SCALE, first_negative, gold};
use crate::fixed::{Fixed, FixedLabelSettings, FixedTarget, Weighting};
use crate::second_step::is_default;
use crate::{Example, LabelRule, Rule, RuleError, RuleKind};

pub(super) const KIND: RuleKind = RuleKind::new::<Baseline>("baseline");

/// Section `[methods.baseline]`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Baseline {
    /// What stands for the label distribution.
    fixed_target: FixedTarget,
    /// K of the softmax target; not used with `one-hot`.
    label_scale: f64,
    /// What the weights are; by class where left out, and 1 for all as the paper's "normally" has it.
    #[serde(default, skip_serializing_if = "is_default")]
    weights: Weighting,
}

impl Rule for Baseline {
    fn fault(&self) -> Option<&'static str> {
        first_negative(&[(self.label_scale, LABEL_SCALE)])
    }

    fn start(
        &self,
        training: &[Example<'_>],
        classes: usize,
    ) -> Result<Box<dyn LabelRule>, RuleError> {
        let Self { fixed_target, label_scale, weights } = *self;
        let settings = FixedLabelSettings { fixed_target, label_scale };
        Ok(Box::new(Fixed::new(&settings, weights, &gold(training), classes)))
    }
}
