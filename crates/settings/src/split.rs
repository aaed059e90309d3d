//! Folds: section `[split]` of a pipeline, and the splits file, which says fold by fold who is tested,
//! who validates, who trains.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::Table;

use crate::Manifest;

/// Section `[split]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SplitSettings {
    /// How utterances are divided, with the kind's own settings.
    #[serde(flatten)]
    pub kind: SplitKind,
    /// The classes, in the order of every table.
    pub classes: Vec<String>,
    /// Cuts every class of a speaker to that speaker's smallest; where left out, nothing is cut.
    pub balance: Option<BalanceSettings>,
}

/// How utterances are divided into folds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", tag = "kind", rename_all = "kebab-case")]
pub enum SplitKind {
    /// One fold per speaker: that speaker is tested, their partner validates, the others train.
    LeaveOneSpeakerOut(LeaveOneSpeakerOutSettings),
    /// Groups of utterances in some parts: each is tested once, and the next part validates.
    GroupKFold(GroupKFoldSettings),
    /// Parts that somebody has published or written down.
    Fixed(FixedSettings),
}

impl<'de> Deserialize<'de> for SplitKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut section = Table::deserialize(deserializer)?;
        // What the kind was called while there was but one.
        if !section.contains_key("kind")
            && let Some(scheme) = section.remove("scheme")
        {
            section.insert("kind".to_owned(), scheme);
        }
        Self::deserialize(section).map_err(|error| D::Error::custom(error.message()))
    }
}

impl Serialize for SplitKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

/// Section `[split]` with `kind = "leave-one-speaker-out"`, which has no settings of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaveOneSpeakerOutSettings {}

/// Section `[split]` with `kind = "group-k-fold"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupKFoldSettings {
    /// What is never divided.
    pub group: Grouping,
    /// k, the number of parts, and so of folds.
    pub folds: usize,
    /// Seed of the choice of groups for each part.
    pub seed: u64,
}

/// Section `[split]` with `kind = "fixed"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixedSettings {
    /// The list of parts, relative to the pipeline file: a table, or a folder of folds. Empty for the stage,
    /// whose input it is.
    pub file: PathBuf,
    /// A table's column of utterances: ids, paths or names of files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// A table's column of parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// The words of that column for what trains.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub train: Vec<String>,
    /// Those for what validates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub validation: Vec<String>,
    /// Those for what is tested, each in a fold of that name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub test: Vec<String>,
    /// Where no part validates: the share of those who train that does in their place, by whole speakers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_share: Option<f64>,
    /// Seed of the choice of these speakers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Whether speakers may be in two parts of a fold. Not where left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_overlap: bool,
}

impl FixedSettings {
    fn fault(&self) -> Option<&'static str> {
        let words: Vec<&String> =
            self.train.iter().chain(&self.validation).chain(&self.test).collect();
        let repeated = (1..words.len()).any(|at| words[..at].contains(&words[at]));
        let of_table = [self.id.is_some(), self.part.is_some(), !words.is_empty()];
        let whole = !self.train.is_empty() && !self.test.is_empty();
        let share = self.validation_share;
        let faults = [
            (
                of_table.contains(&true) && (of_table.contains(&false) || !whole),
                "split: a table needs id, part, train and test; a folder of folds none of them",
            ),
            (repeated, "split: a part is named twice in train, validation and test"),
            (
                share.is_some_and(|share| !(share > 0.0 && share < 1.0)),
                "split.validation_share: above 0, below 1",
            ),
            (
                share.is_some() != self.seed.is_some(),
                "split: validation_share and seed go together",
            ),
            (
                share.is_some() && !self.validation.is_empty(),
                "split: validation names what validates; leave validation_share out",
            ),
            (
                whole && share.is_none() && self.validation.is_empty(),
                "split: name what validates, or set validation_share and seed",
            ),
        ];
        faults.into_iter().find_map(|(bad, message)| bad.then_some(message))
    }
}

/// What utterances have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grouping {
    /// Who speaks.
    Speaker,
    /// The session it was recorded in.
    Session,
}

impl Grouping {
    /// The word for one group.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Speaker => "speaker",
            Self::Session => "session",
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

impl SplitKind {
    /// All kinds.
    pub const NAMES: [&'static str; 3] = ["leave-one-speaker-out", "group-k-fold", "fixed"];

    /// The kind, in the word of the pipeline file.
    pub fn name(&self) -> &'static str {
        match self {
            Self::LeaveOneSpeakerOut(_) => "leave-one-speaker-out",
            Self::GroupKFold(_) => "group-k-fold",
            Self::Fixed(_) => "fixed",
        }
    }

    /// Names of the folds as far as they are known before the corpus has been read: of a manifest that
    /// lists its speakers. None where they are not.
    pub fn known_folds(&self, manifest: &Manifest) -> Vec<String> {
        match self {
            Self::LeaveOneSpeakerOut(_) => manifest.speakers.keys().cloned().collect(),
            Self::GroupKFold(_) | Self::Fixed(_) => Vec::new(),
        }
    }

    /// The list of parts that it reads, relative to the pipeline file.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::LeaveOneSpeakerOut(_) | Self::GroupKFold(_) => None,
            Self::Fixed(settings) => Some(&settings.file),
        }
    }
}

impl SplitSettings {
    /// What is wrong with it first.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let repeated =
            (1..self.classes.len()).any(|at| self.classes[..at].contains(&self.classes[at]));
        let few = "split.folds: at least 3, so that one part is tested, one validates, one trains";
        let of_kind = match &self.kind {
            SplitKind::LeaveOneSpeakerOut(_) => None,
            SplitKind::GroupKFold(settings) => (settings.folds < 3).then_some(few),
            SplitKind::Fixed(settings) => settings.fault(),
        };
        let faults = [
            (self.classes.len() < 2, "split.classes: name at least two"),
            (repeated, "split.classes: a class is named twice"),
        ];
        faults.into_iter().find_map(|(bad, message)| bad.then_some(message)).or(of_kind)
    }

    /// The same without the place of the list of parts, which for the stage is an input.
    #[must_use]
    pub fn without_file(&self) -> Self {
        let mut settings = self.clone();
        if let SplitKind::Fixed(kind) = &mut settings.kind {
            kind.file = PathBuf::new();
        }
        settings
    }
}

/// One fold of the cross-validation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
}

impl Splits {
    /// Whether the folds are test sets of one published split, behind the same training and validation
    /// parts each, and no cross-validation: their rates are of different data by the same models, of
    /// which a mean or a test over folds says nothing.
    pub fn are_test_sets(&self) -> bool {
        let Some((first, others)) = self.folds.split_first() else { return false };
        let (validation, training) = (&first.validation, self.training(first));
        let same = |fold: &Fold| fold.validation == *validation && self.training(fold) == training;
        self.listed && !others.is_empty() && others.iter().all(same)
    }

    /// Ids of those who train in a fold, the ambiguous aside.
    fn training(&self, fold: &Fold) -> BTreeSet<&String> {
        let elsewhere = [&fold.test, &fold.validation, &fold.left_out];
        let elsewhere: BTreeSet<&String> = elsewhere.into_iter().flatten().collect();
        self.utterances.iter().filter(|id| !elsewhere.contains(id)).collect()
    }
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
            in_two_parts: Vec::new(),
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
    }
}
