//! BLSTM + ATT + Undersampling: every class drawn as often as the smallest.

use serde::{Deserialize, Serialize};

use super::{LABEL_SCALE, first_negative, gold};
use crate::fixed::{Fixed, FixedLabelSettings, Weighting};
use crate::samplers::{Balanced, Size};
use crate::{Example, LabelRule, Rule, RuleError, RuleKind, Sampler};

pub(super) const KIND: RuleKind = RuleKind::new::<Undersampling>("undersampling");

/// Section `[methods.undersampling]`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Undersampling(FixedLabelSettings);

impl Rule for Undersampling {
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
        Box::new(Balanced::new(Size::Smallest, &gold(training), classes))
    }
}
