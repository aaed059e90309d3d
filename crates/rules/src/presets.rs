//! The methods of Table 2, each a label rule with a sampler and, where it has one, an augmenter.

use ambivox_settings::{FixedLabelSettings, FixedTarget, MethodParams};

use crate::cyclegan::CycleGans;
use crate::fixed::{Fixed, Weighting};
use crate::l::L;
use crate::lw::Lw;
use crate::lw_pretrained::LwPretrained;
use crate::samplers::{Balanced, Each, Size};
use crate::soft_target::SoftTarget;
use crate::w::W;
use crate::{Augmenter, Example, Fold, LabelRule, RuleError, Sampler};

/// A label rule and who takes part in its rounds.
pub struct Method {
    /// What targets and weights are.
    pub rule: Box<dyn LabelRule>,
    /// Who takes part in a round.
    pub sampler: Box<dyn Sampler>,
}

/// The gold labels to the letter.
const GOLD: FixedLabelSettings =
    FixedLabelSettings { fixed_target: FixedTarget::OneHot, label_scale: 1.0 };

/// The method for these training utterances, which all have a gold label unless the method uses
/// votes. Fails where a method cannot do with them.
pub fn method(
    params: &MethodParams,
    training: &[Example<'_>],
    classes: usize,
) -> Result<Method, RuleError> {
    let gold: Vec<usize> = training.iter().filter_map(|example| example.gold).collect();
    let fixed = |settings, weighting| -> Box<dyn LabelRule> {
        Box::new(Fixed::new(settings, weighting, &gold, classes))
    };
    let rule = match params {
        MethodParams::Baseline(settings) => fixed(settings, Weighting::ByClass),
        MethodParams::Oversampling(settings) | MethodParams::Undersampling(settings) => {
            fixed(settings, Weighting::Equal)
        }
        MethodParams::SoftTarget(settings) => Box::new(SoftTarget::new(settings, training)?),
        MethodParams::Cyclegan(_) => fixed(&GOLD, Weighting::Equal),
        MethodParams::L(settings) => Box::new(L::new(settings, &gold, classes)),
        MethodParams::W(settings) => Box::new(W::new(settings, &gold, classes)),
        MethodParams::LwPretrained(settings) => {
            Box::new(LwPretrained::new(settings, &gold, classes))
        }
        MethodParams::Lw(settings) => Box::new(Lw::new(settings, &gold, classes)),
    };
    let sampler: Box<dyn Sampler> = match params {
        MethodParams::Oversampling(_) => Box::new(Balanced::new(Size::Largest, &gold, classes)),
        MethodParams::Undersampling(_) => Box::new(Balanced::new(Size::Smallest, &gold, classes)),
        _ => Box::new(Each(training.len())),
    };
    Ok(Method { rule, sampler })
}

/// The method's augmenter before its first epoch; `None` for a method without one.
pub fn augmenter<'a>(
    params: &'a MethodParams,
    fold: Fold<'a>,
) -> Result<Option<Box<dyn Augmenter + 'a>>, RuleError> {
    let MethodParams::Cyclegan(settings) = params else { return Ok(None) };
    Ok(Some(Box::new(CycleGans::new(fold, settings)?)))
}
