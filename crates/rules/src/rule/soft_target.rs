//! Soft targets (Ando et al. 2018): the annotators' votes in place of the gold label, also of
//! utterances that have none; votes as they are counted, or by how often each annotator is right.

use ambivox_nn::Targets;
use serde::{Deserialize, Serialize};

use super::first_negative;
use crate::second_step::is_default;
use crate::{Example, LabelRule, Rule, RuleError, RuleKind};

pub(super) const KIND: RuleKind = RuleKind::new::<SoftTargetSettings>("soft-target");

/// Section `[methods.soft-target]`: targets from the annotators' votes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SoftTargetSettings {
    /// α: added to the votes of every class; 0 for none.
    pub smoothing: f64,
    /// How votes count.
    #[serde(default, skip_serializing_if = "is_default")]
    pub votes: Votes,
}

/// How annotators' votes count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Votes {
    /// Each as much as any other.
    #[default]
    Counted,
    /// By the annotator's confusions, estimated beside the true classes (Dawid and Skene 1979): an utterance has
    /// one vote, divided among the classes by their probabilities.
    DawidSkene,
}

impl Rule for SoftTargetSettings {
    fn fault(&self) -> Option<&'static str> {
        first_negative(&[(self.smoothing, "smoothing is 0 or above")])
    }

    fn uses_votes(&self) -> bool {
        true
    }

    fn weighs_annotators(&self) -> bool {
        self.votes == Votes::DawidSkene
    }

    fn start(
        &self,
        training: &[Example<'_>],
        _classes: usize,
    ) -> Result<Box<dyn LabelRule>, RuleError> {
        Ok(Box::new(SoftTarget::new(self, training)?))
    }
}

/// The method `soft-target`.
#[derive(Debug)]
pub(crate) struct SoftTarget {
    labels: Targets,
}

impl SoftTarget {
    /// Fails where an utterance has no vote for any of the classes.
    pub(crate) fn new(
        settings: &SoftTargetSettings,
        examples: &[Example<'_>],
    ) -> Result<Self, RuleError> {
        let target = |example: &Example| {
            let voted = example.votes.iter().any(|&votes| votes > 0.0);
            let unvoted = || RuleError::NoVotes { utterance_id: example.utterance_id.clone() };
            voted.then(|| smoothed(&example.votes, settings.smoothing)).ok_or_else(unvoted)
        };
        let distributions = examples.iter().map(target).collect::<Result<Vec<_>, _>>()?;
        let weights = vec![1.0; examples.len()];
        Ok(Self { labels: Targets { distributions, weights } })
    }
}

/// `q_k = (α + votes_k) / (α·K + Σ votes)` over the K classes.
fn smoothed(votes: &[f64], alpha: f64) -> Vec<f64> {
    let total = alpha * votes.len() as f64 + votes.iter().sum::<f64>();
    votes.iter().map(|v| (alpha + v) / total).collect()
}

impl LabelRule for SoftTarget {
    fn targets(&self) -> &Targets {
        &self.labels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(votes: &[f64]) -> Example<'static> {
        let (utterance_id, frames) = ("turn7".to_owned(), vec![0.0].into());
        let (group, votes) = (String::new(), votes.to_vec());
        Example { utterance_id, group, frames, gold: None, votes }
    }

    fn settings(smoothing: f64) -> SoftTargetSettings {
        SoftTargetSettings { smoothing, votes: Votes::Counted }
    }

    fn targets(smoothing: f64, votes: &[f64]) -> Result<Vec<f64>, RuleError> {
        let method = SoftTarget::new(&settings(smoothing), &[example(votes)])?;
        assert_eq!(method.labels.weights, [1.0]);
        Ok(method.labels.distributions[0].clone())
    }

    #[test]
    fn targets_are_shares_of_the_votes() {
        assert_eq!(targets(0.0, &[2.0, 1.0, 0.0, 1.0]).unwrap(), [0.5, 0.25, 0.0, 0.25]);
        assert_eq!(targets(1.0, &[2.0, 1.0, 0.0, 1.0]).unwrap(), [0.375, 0.25, 0.125, 0.25]);
    }

    #[test]
    fn an_utterance_without_votes_is_named() {
        let message = targets(1.0, &[0.0; 4]).unwrap_err().to_string();
        assert!(message.contains("turn7") && message.contains("soft-target"), "{message}");
    }
}
