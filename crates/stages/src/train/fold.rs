//! The utterances of one fold, by part.

use std::collections::BTreeSet;
use std::path::Path;

use ambivox_corpus::{Utterance, read_index};
use ambivox_features::{FeatureTable, Normaliser};
use ambivox_settings::{Fold, Splits};

use crate::StageError;

/// An utterance that takes part in a fold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) utterance_id: String,
    pub(super) speaker: String,
    /// Index of the gold label among the classes.
    pub(super) gold: usize,
    /// Row in the index.
    pub(super) index_row: usize,
}

impl Member {
    /// The utterance's descriptors as extracted.
    pub(super) fn frames<'a>(&self, features: &'a FeatureTable) -> Result<&'a [f32], StageError> {
        features.get(&self.utterance_id).ok_or_else(|| {
            StageError::Data(format!(
                "{} has no frames in the feature table, although it is in the splits; extract \
                 and split anew",
                self.utterance_id
            ))
        })
    }
}

/// A fold's utterances; each part is sorted as the index is, by id.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FoldData {
    pub(super) training: Vec<Member>,
    pub(super) validation: Vec<Member>,
    pub(super) test: Vec<Member>,
}

impl FoldData {
    /// Finds the fold of this name and, in the index, its utterances.
    pub(super) fn read(splits: &Splits, name: &str, index: &Path) -> Result<Self, StageError> {
        Self::choose(splits, find(splits, name)?, &read_index(index)?)
    }

    fn choose(splits: &Splits, fold: &Fold, index: &[Utterance]) -> Result<Self, StageError> {
        let chosen: BTreeSet<&str> = splits.utterances.iter().map(String::as_str).collect();
        let mut data = Self { training: Vec::new(), validation: Vec::new(), test: Vec::new() };
        for (row, utterance) in index.iter().enumerate() {
            if !chosen.contains(utterance.utterance_id.as_str()) {
                continue;
            }
            let member = member(splits, row, utterance)?;
            if member.speaker == fold.test {
                data.test.push(member);
            } else if member.speaker == fold.validation {
                data.validation.push(member);
            } else if fold.training.contains(&member.speaker) {
                data.training.push(member);
            }
        }
        Ok(data)
    }

    /// Ids of all utterances of the fold.
    pub(super) fn ids(&self) -> BTreeSet<String> {
        let parts = [&self.training, &self.validation, &self.test];
        parts.into_iter().flatten().map(|member| member.utterance_id.clone()).collect()
    }

    /// Mean and standard deviation over the training utterances' frames, no others.
    pub(super) fn normaliser(&self, features: &FeatureTable) -> Result<Normaliser, StageError> {
        let frames = self.training.iter().map(|member| member.frames(features));
        let frames = frames.collect::<Result<Vec<_>, _>>()?;
        Ok(Normaliser::fit(frames, features.width()))
    }
}

fn find<'a>(splits: &'a Splits, name: &str) -> Result<&'a Fold, StageError> {
    splits.folds.iter().find(|fold| fold.name == name).ok_or_else(|| {
        let known: Vec<&str> = splits.folds.iter().map(|fold| fold.name.as_str()).collect();
        StageError::Usage(format!("there is no fold {name}; the folds are {}", known.join(", ")))
    })
}

fn member(splits: &Splits, index_row: usize, utterance: &Utterance) -> Result<Member, StageError> {
    let gold = utterance.gold.as_ref();
    let gold = gold.and_then(|gold| splits.classes.iter().position(|class| class == gold));
    let gold = gold.ok_or_else(|| {
        StageError::Data(format!(
            "{}: its gold label {:?} is none of the classes, although it is in the splits; \
             split anew",
            utterance.utterance_id, utterance.gold
        ))
    })?;
    Ok(Member {
        utterance_id: utterance.utterance_id.clone(),
        speaker: utterance.speaker.clone(),
        gold,
        index_row,
    })
}
