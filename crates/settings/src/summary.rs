//! Small JSON files beside the tables: what the index holds, which utterances are left out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Sex;

/// One speaker's share of the corpus: a row of the paper's Table 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpeakerSummary {
    /// Speaker.
    pub speaker: String,
    /// Recording session.
    pub session: String,
    /// Sex, where known.
    pub sex: Option<Sex>,
    /// Utterances, with and without a gold label.
    pub utterances: u64,
    /// Seconds of audio, as far as durations are known.
    pub seconds: f64,
    /// Utterances per gold label; those without one are not counted here.
    pub gold: BTreeMap<String, u64>,
}

/// Contents of `index.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexSummary {
    /// Version of this file's form; 1.
    pub schema: u32,
    /// The corpus's short name.
    pub corpus: String,
    /// Utterances in all.
    pub utterances: u64,
    /// Seconds of audio in all.
    pub seconds: f64,
    /// Whether any utterance carries annotators' votes.
    pub votes: bool,
    /// Who rated, and how far they agree. Absent where the corpus does not tell who gave which label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotators: Option<AnnotatorsSummary>,
    /// Per speaker, sorted by name.
    pub speakers: Vec<SpeakerSummary>,
    /// Files that matched the manifest's patterns.
    pub files: u64,
    /// Digest of their listing; compare [`crate::Release::blake3`].
    pub blake3: String,
    /// Ways in which this copy differs from the manifest's `release`; empty where it does not, or
    /// where the manifest states nothing.
    pub release_differences: Vec<String>,
    /// What `csv.corrections` did to the labels counted here. Absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrections: Option<CorrectionCounts>,
    /// What is no error and yet worth a look, a sentence each. Absent where there is nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// The ratings of a corpus whose annotators are known. Every label that somebody named is a class here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnnotatorsSummary {
    /// Ratings in all.
    pub ratings: u64,
    /// Utterances with a rating, and those with two annotators or more, of which agreement is counted.
    pub rated: [u64; 2],
    /// Fleiss' κ; none where nothing can be compared.
    pub fleiss_kappa: Option<f64>,
    /// Krippendorff's α of names, likewise.
    pub krippendorff_alpha: Option<f64>,
    /// Of each, sorted by name.
    pub annotators: Vec<AnnotatorSummary>,
}

/// One annotator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnnotatorSummary {
    /// Name, as the corpus has it.
    pub annotator: String,
    /// Ratings.
    pub ratings: u64,
    /// The share of the others who rated the same utterances that names the same label; none where there are none.
    pub agreement: Option<f64>,
    /// How many of the ratings name the true label, as Dawid and Skene (1979) estimate it, as a share.
    pub accuracy: Option<f64>,
}

/// What a reviewer's file did to labels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorrectionCounts {
    /// The file, as the manifest or the pipeline names it.
    pub file: String,
    /// Labels changed.
    pub changed: u64,
    /// Labels reviewed and kept.
    pub kept: u64,
}

/// An utterance left out of everything after extraction, or one in doubt, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exclusion {
    /// The utterance.
    pub utterance_id: String,
    /// Its file, relative to the corpus's root.
    pub path: String,
    /// Why, in one line.
    pub reason: String,
}

/// Contents of `exclusions.json`, sorted by utterance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exclusions {
    /// Version of this file's form; 1.
    pub schema: u32,
    /// The utterances left out.
    pub excluded: Vec<Exclusion>,
    /// Utterances that are not excluded though their recordings are doubtful, and why; one for each
    /// reason. Absent where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Exclusion>,
    /// Utterances, two and more, of which what is computed is the same to the last bit, since their
    /// recordings are. Absent where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identical: Vec<Vec<String>>,
}
