//! The utterances of one fold, by part.

use std::collections::BTreeSet;
use std::path::Path;

use ambivox_corpus::{CorpusError, Index, Utterance};
use ambivox_features::FeatureTable;
use ambivox_models::{Scaling, ScalingKind, Values};
use ambivox_settings::{Fold, Splits};

use crate::StageError;
use crate::tables::noise::NoisyLabels;

/// An utterance that takes part in a fold.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Member {
    pub(super) utterance_id: String,
    pub(super) speaker: String,
    /// Index of the gold label among the classes; only ambiguous utterances have none.
    pub(super) gold: Option<usize>,
    /// Annotators' votes for each class.
    pub(super) votes: Vec<f64>,
    /// Row in the index.
    pub(super) index_row: usize,
}

impl Member {
    fn new(splits: &Splits, index_row: usize, utterance: &Utterance) -> Self {
        let gold = utterance.gold.as_ref();
        let votes = |class| utterance.votes.get(class).copied().map_or(0.0, f64::from);
        Self {
            utterance_id: utterance.utterance_id.clone(),
            // Of an unknown speaker nothing is known but that the utterance is theirs.
            speaker: utterance.known_speaker().unwrap_or(&utterance.utterance_id).to_owned(),
            gold: gold.and_then(|gold| splits.classes.iter().position(|class| class == gold)),
            votes: splits.classes.iter().map(votes).collect(),
            index_row,
        }
    }

    /// The utterance's descriptors as extracted.
    pub(super) fn frames<'a>(&self, features: &'a FeatureTable) -> Result<Values<'a>, StageError> {
        features.values(&self.utterance_id).ok_or_else(|| {
            StageError::Data(format!(
                "{} has no frames in the feature table, although it is in the splits; extract \
                 and split again",
                self.utterance_id
            ))
        })
    }
}

/// A fold's utterances; each part is sorted as the index is, by id.
#[derive(Debug, PartialEq, Default)]
pub(super) struct FoldData {
    pub(super) training: Vec<Member>,
    /// Utterances of the training groups that the annotators did not agree on.
    pub(super) ambiguous: Vec<Member>,
    pub(super) validation: Vec<Member>,
    pub(super) test: Vec<Member>,
}

impl FoldData {
    /// Finds the fold of this name and, in the index, its utterances.
    pub(super) fn read(splits: &Splits, name: &str, index: &Path) -> Result<Self, StageError> {
        // A row group at a time: of an utterance less is needed than its row has.
        Self::choose(splits, find(splits, name)?, Index::open(index)?.utterances())
    }

    fn choose(
        splits: &Splits,
        fold: &Fold,
        index: impl Iterator<Item = Result<Utterance, CorpusError>>,
    ) -> Result<Self, StageError> {
        let [clear, ambiguous] = [&splits.utterances, &splits.ambiguous]
            .map(|ids| ids.iter().map(String::as_str).collect::<BTreeSet<_>>());
        let [test, validation, left_out] = [&fold.test, &fold.validation, &fold.left_out]
            .map(|ids| ids.iter().map(String::as_str).collect::<BTreeSet<_>>());
        let mut data = Self::default();
        for (row, utterance) in index.enumerate() {
            let utterance = utterance?;
            let id = utterance.utterance_id.as_str();
            if left_out.contains(id) {
                continue;
            }
            if ambiguous.contains(id) && !test.contains(id) && !validation.contains(id) {
                data.ambiguous.push(Member::new(splits, row, &utterance));
            } else if clear.contains(id) {
                let member = labelled(Member::new(splits, row, &utterance), &utterance)?;
                if test.contains(id) {
                    data.test.push(member);
                } else if validation.contains(id) {
                    data.validation.push(member);
                } else {
                    data.training.push(member);
                }
            }
        }
        Ok(data)
    }

    /// Gives the utterances to train and to validate on the labels of a table of exchanged or
    /// corrected ones; those to test keep theirs unless asked for.
    pub(super) fn exchange_labels(
        &mut self,
        labels: &NoisyLabels,
        test: bool,
    ) -> Result<(), StageError> {
        let test = self.test.iter_mut().filter(|_| test);
        for member in self.training.iter_mut().chain(&mut self.validation).chain(test) {
            let label = labels.get(&member.utterance_id).ok_or_else(|| {
                StageError::Data(format!(
                    "{} is not in the table of labels, although it is in the splits; make it again",
                    member.utterance_id
                ))
            })?;
            member.gold = Some(label.given);
        }
        Ok(())
    }

    /// A scaling fitted on what these utterances have in the table, no others; of no kind one that changes
    /// nothing.
    pub(super) fn scaling_of(
        training: &[Member],
        kind: Option<ScalingKind>,
        features: &FeatureTable,
    ) -> Result<Scaling, StageError> {
        let Some(kind) = kind else {
            return Ok(Scaling::fit(
                ScalingKind::MeanVariance,
                [[0.0_f32; 0]; 0],
                features.width(),
            ));
        };
        let frames = training.iter().map(|member| member.frames(features));
        let frames = frames.collect::<Result<Vec<_>, _>>()?.into_iter();
        Ok(Scaling::fit(kind, frames.map(Values::widened), features.width()))
    }
}

fn find<'a>(splits: &'a Splits, name: &str) -> Result<&'a Fold, StageError> {
    splits.folds.iter().find(|fold| fold.name == name).ok_or_else(|| {
        let known: Vec<&str> = splits.folds.iter().map(|fold| fold.name.as_str()).collect();
        StageError::Usage(format!("there is no fold {name}; the folds are {}", known.join(", ")))
    })
}

/// The member, if it has a gold label.
fn labelled(member: Member, utterance: &Utterance) -> Result<Member, StageError> {
    if member.gold.is_some() {
        return Ok(member);
    }
    Err(StageError::Data(format!(
        "{}: its gold label {:?} is none of the classes, although it is in the splits; split again",
        utterance.utterance_id, utterance.gold
    )))
}
