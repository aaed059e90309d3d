//! BLSTM + ATT: the labels as they are, each class counting as much.

use serde::{Deserialize, Serialize};

use super::{LABEL_SCALE, first_negative, gold};
use crate::fixed::{Fixed, FixedLabelSettings, Weighting};
use crate::{Example, LabelRule, Rule, RuleError, RuleKind};

pub(super) const KIND: RuleKind = RuleKind::new::<Baseline>("baseline");

/// Section `[methods.baseline]`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Baseline(FixedLabelSettings);

impl Rule for Baseline {
    fn fault(&self) -> Option<&'static str> {
        first_negative(&[(self.0.label_scale, LABEL_SCALE)])
    }

    fn start(
        &self,
        training: &[Example<'_>],
        classes: usize,
    ) -> Result<Box<dyn LabelRule>, RuleError> {
        Ok(Box::new(Fixed::new(&self.0, Weighting::ByClass, &gold(training), classes)))
    }
}
