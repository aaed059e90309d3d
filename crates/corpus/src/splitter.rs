//! The axis of splits: what every kind does, and which kinds there are. A kind is a file with its settings,
//! their check and its tests, and a line in [`SPLITS`].

mod fixed;
mod group_k_fold;
mod leave_one_speaker_out;

use std::path::{Path, PathBuf};

use ambivox_settings::{Fold, Grouping, Kind, Kinds, Manifest, Section};
use serde::{Deserialize, Serialize};

use crate::CorpusError;
use crate::split::{Found, Included};

/// A way of dividing utterances into folds.
pub trait Splitter {
    /// What is never divided, or what parts are told by.
    fn grouping(&self) -> Grouping;

    /// The folds.
    ///
    /// # Errors
    /// What takes part cannot be divided so.
    fn folds(&self, included: &Included<'_>) -> Result<Found, CorpusError>;

    /// Refuses folds whose parts have in common what they should not.
    ///
    /// # Errors
    /// They have; the text names what.
    fn check(&self, _folds: &[Fold]) -> Result<(), CorpusError> {
        Ok(())
    }
}

/// What is known of a split before the corpus has been read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedSplit {
    /// Its settings without paths.
    pub section: Section,
    /// The list of parts that it reads beside, relative to the pipeline file.
    pub parts: Option<PathBuf>,
    /// Whether every speaker has a fold, by their name.
    pub fold_per_speaker: bool,
}

impl PlannedSplit {
    /// One that reads no list.
    pub fn of(section: &Section) -> Self {
        Self { section: section.clone(), parts: None, fold_per_speaker: false }
    }

    /// Names of the folds as far as they are known before the corpus has been read: of a manifest that
    /// lists its speakers. None where they are not.
    pub fn known_folds(&self, manifest: &Manifest) -> Vec<String> {
        let speakers = manifest.speakers.keys().filter(|_| self.fold_per_speaker);
        speakers.cloned().collect()
    }
}

/// A kind of split.
#[derive(Debug, Clone, Copy)]
pub struct SplitKind {
    /// Its name.
    pub name: &'static str,
    /// Checks a section as people wrote it.
    pub plan: fn(&Section) -> Result<PlannedSplit, String>,
    /// Makes one ready, from a planned section.
    pub open: fn(&Section) -> Result<Box<dyn Splitter>, String>,
}

impl Kind for SplitKind {
    const AXIS: &'static str = "split";

    fn name(&self) -> &'static str {
        self.name
    }
}

/// Every kind of split.
pub static SPLITS: Kinds<SplitKind> =
    Kinds::new(&[leave_one_speaker_out::KIND, group_k_fold::KIND, fixed::KIND]);

fn fault(message: impl std::fmt::Display) -> CorpusError {
    CorpusError::Split(format!("[split]: {message}"))
}

/// Plans the settings of a section `[split]`.
///
/// # Errors
/// There is no such kind, or its settings cannot be.
pub fn plan_split(section: &Section) -> Result<PlannedSplit, CorpusError> {
    (SPLITS.of(section).map_err(CorpusError::Split)?.plan)(section).map_err(fault)
}

/// The splitter of a planned section.
pub(crate) fn open(section: &Section) -> Result<Box<dyn Splitter>, CorpusError> {
    (SPLITS.of(section).map_err(CorpusError::Split)?.open)(section).map_err(fault)
}

/// The list of parts, where there has to be one.
fn parts_of<'a>(included: &Included<'a>) -> Result<&'a Path, CorpusError> {
    included.parts.ok_or(CorpusError::NoParts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(text: &str) -> Result<PlannedSplit, String> {
        let section: Section = toml::from_str(text).unwrap();
        plan_split(&section).map_err(|error| error.to_string())
    }

    #[test]
    fn impossible_settings_are_refused() {
        let loso = "kind = \"leave-one-speaker-out\"";
        let k_fold = "kind = \"group-k-fold\"\ngroup = \"session\"\nseed = 1\nfolds = ";
        let refused = |text: &str, expected: &str| {
            let found = planned(text).unwrap_err();
            assert!(found.contains(expected), "{found}");
        };
        assert!(planned(loso).unwrap().fold_per_speaker);
        assert!(!planned(&format!("{k_fold}5")).unwrap().fold_per_speaker);
        refused(&format!("{k_fold}2"), "folds: at least 3");
        planned(&format!("{k_fold}2\nvalidation = \"none\"")).unwrap();
        refused(&format!("{k_fold}1\nvalidation = \"none\""), "folds: at least 2");
        refused(
            &format!("{k_fold}2\nvalidation = {{ share = 0.2, seed = 1 }}"),
            "folds: at least 3",
        );
        refused(&format!("{loso}\nfolds = 5"), "unknown field `folds`");
        refused(&format!("{loso}\nscheme = \"x\""), "unknown field `scheme`");
        refused("kind = \"group-k-fold\"", "missing field `group`");
        refused(
            "kind = \"random\"",
            "there is no \"random\"; there are: leave-one-speaker-out, group-k-fold, fixed",
        );
        refused(&format!("{k_fold}5\nvalidation = \"partner\""), "no part has a partner");
        refused(&format!("{loso}\nvalidation = \"some\""), "\"partner\", \"next-group\", \"none\"");
        for share in ["0.0", "1.0", "nan"] {
            let text = format!("{loso}\nvalidation = {{ share = {share}, seed = 1 }}");
            refused(&text, "validation.share: above 0, below 1");
        }
    }
}
