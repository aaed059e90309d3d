//! Folds: section `[split]` of a pipeline, and the splits file, which says fold by fold who is tested,
//! who validates, who trains.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use toml::Table;

use crate::Section;

/// Section `[split]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SplitSettings {
    /// How utterances are divided: the kind, with settings that it reads itself.
    #[serde(flatten, deserialize_with = "kind_or_scheme")]
    pub section: Section,
    /// The classes, in the order of every table.
    pub classes: Vec<String>,
    /// Cuts every class of a speaker to that speaker's smallest; where left out, nothing is cut.
    pub balance: Option<BalanceSettings>,
}

/// What utterances have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grouping {
    /// Who speaks.
    Speaker,
    /// The session it was recorded in.
    Session,
    /// What is said.
    Sentence,
    /// The utterance itself: nothing but the utterance is kept together.
    Utterance,
}

impl Grouping {
    /// The word for one group.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Speaker => "speaker",
            Self::Session => "session",
            Self::Sentence => "sentence",
            Self::Utterance => "utterance",
        }
    }
}

/// Section `[split.balance]` (METHOD, "Data"; Table 4 of the paper).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BalanceSettings {
    /// Seed of the choice of utterances that stay.
    pub seed: u64,
}

impl SplitSettings {
    /// What is wrong with it first.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let repeated =
            (1..self.classes.len()).any(|at| self.classes[..at].contains(&self.classes[at]));
        let faults = [
            (self.classes.len() < 2, "split.classes: name at least two"),
            (repeated, "split.classes: a class is named twice"),
        ];
        faults.into_iter().find_map(|(bad, message)| bad.then_some(message))
    }
}

/// A section with a kind, or with what that was called while there was but one.
fn kind_or_scheme<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Section, D::Error> {
    let mut section = Table::deserialize(deserializer)?;
    if !section.contains_key("kind")
        && let Some(scheme) = section.remove("scheme")
    {
        section.insert("kind".to_owned(), scheme);
    }
    section.try_into().map_err(|error: toml::de::Error| D::Error::custom(error.message()))
}

/// One fold of the cross-validation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fold {
    /// The fold's name: that of its test group, or a number where there are several in one.
    pub name: String,
    /// The groups tested, sorted.
    pub tested: Vec<String>,
    /// The groups whose loss stops training, sorted.
    pub validating: Vec<String>,
    /// Ids of the tested groups' utterances, sorted; the ambiguous among them are not tested, nor
    /// trained on.
    pub test: Vec<String>,
    /// Ids of the validating groups' utterances, likewise.
    pub validation: Vec<String>,
    /// Ids of utterances, ambiguous ones too, that are in no part of this fold, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// Speakers who are tested or validate and are in another part of the fold too, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_two_parts: Vec<String>,
    /// Utterances that are tested or validate and whose very recording is in another part too, under
    /// another id, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub same_recordings: Vec<String>,
    /// How many sentences are tested or validate and are said in another part too; of corpora whose
    /// sentences are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentences_in_two_parts: Option<usize>,
    /// The test set, where several folds test the same, each validated by others, so that their models are
    /// one ensemble.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_set: Option<String>,
}

impl Fold {
    /// Ids of the utterances that do not train in it: of all that take part, the others do.
    pub fn elsewhere(&self) -> BTreeSet<&str> {
        let parts = [&self.test, &self.validation, &self.left_out];
        parts.into_iter().flatten().map(String::as_str).collect()
    }

    /// What it tests: the fold itself, where no other tests the same.
    pub fn test_set(&self) -> &str {
        self.test_set.as_deref().unwrap_or(&self.name)
    }
}

/// Contents of `splits.json`, written by the split stage. Who trains in a fold is not written, since a
/// fold for each of a thousand speakers would name all others: all that take part and are neither
/// tested nor validate, nor left out of the fold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Splits {
    /// Version of this file's form; 3.
    pub schema: u32,
    /// What is divided; of parts that are listed, what they are told by.
    pub grouping: Grouping,
    /// Whether the parts are listed by somebody.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub listed: bool,
    /// The classes, in the pipeline's order; every matrix and distribution keeps this order.
    pub classes: Vec<String>,
    /// The folds, sorted by name.
    pub folds: Vec<Fold>,
    /// Utterances that take part, sorted by id: those whose gold label is one of the classes and
    /// whose audio gave frames.
    pub utterances: Vec<String>,
    /// Ambiguous utterances, sorted by id: of the folds' groups, without a gold label among the
    /// classes but with votes for some of them. Methods that use votes train on them; nothing is
    /// validated or tested on them.
    pub ambiguous: Vec<String>,
    /// What is worth a word: of a list of parts, what it has and the corpus has not, and the reverse.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Utterances that take part and have no vote for any class, sorted by id, where others have: methods
    /// that learn from votes cannot train on them; of those that train in some fold. Absent where there are none, or no votes at all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without_votes: Vec<String>,
    /// Ids of those who take part by group, sorted; of groups that are neither speakers nor single utterances.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, Vec<String>>,
}

impl Splits {
    /// Whether the folds are test sets of one published split, behind the same training and validation
    /// parts each, and no cross-validation: their rates are of different data by the same models, of
    /// which a mean or a test over folds says nothing. Models that parts validate in turn are those of one
    /// training part.
    pub fn are_test_sets(&self) -> bool {
        let Some((first, others)) = self.folds.split_first() else { return false };
        let (validation, training) = (validated_by_one(first), self.training(first));
        let same =
            |fold: &Fold| validated_by_one(fold) == validation && self.training(fold) == training;
        self.listed && !others.is_empty() && others.iter().all(same)
    }

    /// Ids of those who train in a fold or validate it in turn, the ambiguous aside.
    fn training(&self, fold: &Fold) -> BTreeSet<&String> {
        let mut elsewhere = fold.elsewhere();
        if fold.test_set.is_some() {
            fold.validation.iter().for_each(|id| _ = elsewhere.remove(id.as_str()));
        }
        self.utterances.iter().filter(|id| !elsewhere.contains(id.as_str())).collect()
    }
}

/// The validation part of a fold that no other part validates in turn.
fn validated_by_one(fold: &Fold) -> Option<&[String]> {
    fold.test_set.is_none().then_some(&fold.validation)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(names: &str) -> Vec<String> {
        names.split_whitespace().map(str::to_owned).collect()
    }

    fn splits(listed: bool, folds: &[[&str; 3]]) -> Splits {
        let fold = |[test, validation, left_out]: &[&str; 3]| Fold {
            name: (*test).to_owned(),
            tested: Vec::new(),
            validating: Vec::new(),
            test: ids(test),
            validation: ids(validation),
            left_out: ids(left_out),
            ..Fold::default()
        };
        Splits {
            schema: 3,
            grouping: Grouping::Speaker,
            listed,
            classes: Vec::new(),
            folds: folds.iter().map(fold).collect(),
            utterances: ids("a b c d e"),
            ambiguous: Vec::new(),
            notes: Vec::new(),
            without_votes: Vec::new(),
            groups: BTreeMap::new(),
        }
    }

    #[test]
    fn test_sets_of_one_list_have_one_training_and_one_validation_part() {
        let test_sets = [["a", "b", "c"], ["c", "b", "a"]];
        assert!(splits(true, &test_sets).are_test_sets());
        assert!(!splits(false, &test_sets).are_test_sets(), "drawn, not listed");
        assert!(!splits(true, &test_sets[..1]).are_test_sets(), "one alone");
        assert!(!splits(true, &[["a", "b", ""], ["c", "b", ""]]).are_test_sets(), "c trains for a");
        assert!(!splits(true, &[["a", "b", "c"], ["c", "e", "a b"]]).are_test_sets());
        assert!(!splits(true, &[]).are_test_sets());
        let mut in_turn = splits(true, &[["a", "b", "e"], ["a", "c", "e"], ["e", "b", "a"]]);
        assert!(!in_turn.are_test_sets(), "three lists");
        in_turn.folds.iter_mut().for_each(|fold| fold.test_set = fold.test.first().cloned());
        assert!(in_turn.are_test_sets(), "one training part, which two parts validate in turn");
    }
}
