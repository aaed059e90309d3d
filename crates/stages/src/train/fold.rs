//! The utterances of one fold, by part.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ambivox_corpus::{CorpusError, Index, Utterance, read_rated_index};
use ambivox_eval::DawidSkene;
use ambivox_features::FeatureTable;
use ambivox_models::{Scaling, ScalingKind, Values};
use ambivox_settings::{Fold, Splits};

use crate::StageError;
use crate::annotators::Rated;
use crate::tables::noise::NoisyLabels;

/// An utterance that takes part in a fold.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Member {
    pub(super) utterance_id: String,
    pub(super) speaker: String,
    /// Index of the gold label among the classes; only ambiguous utterances have none.
    pub(super) gold: Option<usize>,
    /// Annotators' votes for each class, or one vote divided by how probable each is.
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

    /// Puts one vote, divided by how probable each class is, in the place of the votes of utterances that train or
    /// validate; of one without ratings it is divided as its votes are. Those tested have no part in what is
    /// estimated of the annotators.
    pub(super) fn weigh_annotators(
        &mut self,
        index: &Path,
        classes: &[String],
    ) -> Result<(), StageError> {
        let parts = [&mut self.training, &mut self.ambiguous, &mut self.validation];
        let mut members: Vec<&mut Member> = parts.into_iter().flatten().collect();
        let ids: BTreeSet<&str> = members.iter().map(|one| one.utterance_id.as_str()).collect();
        let index = read_rated_index(index)?;
        let rated = index.iter().filter(|one| ids.contains(one.utterance_id.as_str()));
        let probable = probable(rated, classes)?;
        for member in &mut members {
            let votes: f64 = member.votes.iter().sum();
            let shares = || member.votes.iter().map(|vote| vote / votes.max(1.0)).collect();
            member.votes = probable.get(&member.utterance_id).cloned().unwrap_or_else(shares);
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

/// How probable each class is, by utterance that has ratings (Dawid and Skene 1979).
fn probable<'a>(
    rated: impl Iterator<Item = &'a Utterance>,
    classes: &[String],
) -> Result<BTreeMap<String, Vec<f64>>, StageError> {
    let Some(rated) = Rated::of(rated, classes)? else { return Ok(BTreeMap::new()) };
    let probabilities = DawidSkene::of(&rated.ratings).probabilities;
    Ok(rated.utterances.into_iter().zip(probabilities).collect())
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

#[cfg(test)]
mod tests {
    use ambivox_corpus::write_index;

    use super::*;

    const CLASSES: [&str; 2] = ["calm", "angry"];

    /// Two who agree and one who says the same of everything; votes are two to one or three to none.
    fn rated(n: usize, heard: [usize; 2]) -> Utterance {
        let mut utterance = Utterance::of("toy", &format!("u{n:02}"), "u.wav", "anna");
        let named = [("e1", heard[n % 2]), ("e2", heard[n % 2]), ("e3", 0)];
        let label = |place: usize| BTreeSet::from([CLASSES[place].to_owned()]);
        utterance.ratings = named.map(|(who, place)| (who.to_owned(), label(place))).into();
        utterance
    }

    fn member(n: usize, votes: [f64; 2]) -> Member {
        let (utterance_id, speaker) = (format!("u{n:02}"), "anna".to_owned());
        Member { utterance_id, speaker, gold: None, votes: votes.to_vec(), index_row: n }
    }

    #[test]
    fn an_annotator_who_does_not_listen_counts_for_nothing() {
        let classes = CLASSES.map(str::to_owned);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("index.parquet");
        // Of those tested, e1 and e2 say the opposite of what there is; the last has votes alone.
        let opposite = |n| rated(n, if n < 20 { [0, 1] } else { [1, 0] });
        let mut index: Vec<Utterance> = (0..30).map(opposite).collect();
        index.push(Utterance { ratings: BTreeMap::new(), ..rated(30, [0, 1]) });
        write_index(&file, &index).unwrap();
        let mut fold = FoldData {
            training: (0..16).map(|n| member(n, [2.0, 1.0])).collect(),
            ambiguous: vec![member(30, [3.0, 1.0])],
            validation: (16..20).map(|n| member(n, [2.0, 1.0])).collect(),
            test: (20..30).map(|n| member(n, [2.0, 1.0])).collect(),
        };
        fold.weigh_annotators(&file, &classes).unwrap();
        let angry = |member: &Member| member.votes[1];
        assert!(angry(&fold.training[0]) < 1e-6 && angry(&fold.training[1]) > 1.0 - 1e-6);
        assert!(angry(&fold.validation[1]) > 1.0 - 1e-6, "{:?}", fold.validation);
        assert_eq!(fold.ambiguous[0].votes, [0.75, 0.25], "as its votes are");
        assert!(fold.test.iter().all(|member| member.votes == [2.0, 1.0]), "not looked at");
    }
}
