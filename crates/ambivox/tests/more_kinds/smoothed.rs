//! A label rule: every class but the gold one has the same small share.

use ambivox_nn::Targets;
use ambivox_rules::{Example, LabelRule, Rule, RuleError, RuleKind};
use serde::{Deserialize, Serialize};

pub(crate) const KIND: RuleKind = RuleKind::new::<Smoothing>("smoothed");

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Smoothing {
    /// The share of all classes together.
    share: f64,
}

impl Rule for Smoothing {
    fn fault(&self) -> Option<&'static str> {
        (!(0.0..1.0).contains(&self.share)).then_some("share is from 0 to below 1")
    }

    fn start(
        &self,
        training: &[Example<'_>],
        classes: usize,
    ) -> Result<Box<dyn LabelRule>, RuleError> {
        let even = self.share / classes as f64;
        let target = |example: &Example<'_>| {
            let gold = |class| f64::from(u8::from(Some(class) == example.gold));
            (0..classes).map(|class| even + (1.0 - self.share) * gold(class)).collect()
        };
        let distributions = training.iter().map(target).collect();
        let weights = vec![1.0; training.len()];
        Ok(Box::new(Smoothed(Targets { distributions, weights })))
    }
}

#[derive(Debug)]
struct Smoothed(Targets);

impl LabelRule for Smoothed {
    fn targets(&self) -> &Targets {
        &self.0
    }
}
