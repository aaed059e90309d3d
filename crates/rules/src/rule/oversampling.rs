//! BLSTM + ATT + Oversampling: every class drawn as often as the largest.

use serde::{Deserialize, Serialize};

use super::{LABEL_SCALE, first_negative, gold};
use crate::fixed::{Fixed, FixedLabelSettings, Weighting};
use crate::samplers::{Balanced, Size};
use crate::{Example, LabelRule, Rule, RuleError, RuleKind, Sampler};

pub(super) const KIND: RuleKind = RuleKind::new::<Oversampling>("oversampling");

/// Section `[methods.oversampling]`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Oversampling(FixedLabelSettings);

impl Rule for Oversampling {
    fn fault(&self) -> Option<&'static str> {
        first_negative(&[(self.0.label_scale, LABEL_SCALE)])
    }

    fn start(
        &self,
        training: &[Example<'_>],
        classes: usize,
    ) -> Result<Box<dyn LabelRule>, RuleError> {
        Ok(Box::new(Fixed::new(&self.0, Weighting::Equal, &gold(training), classes)))
    }

    fn sampler(&self, training: &[Example<'_>], classes: usize) -> Box<dyn Sampler> {
        Box::new(Balanced::new(Size::Largest, &gold(training), classes))
    }
}
