//! Corpus manifests, `data-manifests/*.toml`: what a corpus is, as data.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{parse_toml, read_toml};
use crate::{Download, DownloadList, SettingsError};

const HINT: &str = "the keys of a manifest are listed in data-manifests/README.md";

/// Which reader understands the corpus's layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Adapter {
    /// IEMOCAP's release tree, with `EmoEvaluation` files; the synthetic corpus has it too.
    Iemocap,
    /// EmoDB: everything is in the file name, recognition rates in `erkennung.txt`.
    Emodb,
    /// RAVDESS: seven numbers in the file name.
    Ravdess,
    /// CREMA-D: file names and the table of crowd votes.
    CremaD,
    /// MSP-Podcast: a table of labels, parts and speakers, and what every annotator chose.
    MspPodcast,
    /// Any folder of audio with a table of labels.
    Csv,
}

/// Sex of a speaker as the corpus states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sex {
    /// Female.
    Female,
    /// Male.
    Male,
}

impl Sex {
    /// The word used in manifests, tables and Parquet files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Female => "female",
            Self::Male => "male",
        }
    }
}

/// One speaker of a corpus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Speaker {
    /// Sex, where the corpus states it.
    pub sex: Option<Sex>,
    /// Recording session; the speaker's own name where left out.
    pub session: Option<String>,
    /// The speaker who validates where this one is tested. Where left out: the other speaker of
    /// the session if there is just one, else the next speaker in sorted order.
    pub validation: Option<String>,
}

/// Names of a table's columns, for [`Adapter::Csv`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CsvColumns {
    /// Path of the audio file, relative to the root; left out where there are no recordings, and `id`
    /// names the utterances.
    pub file: Option<String>,
    /// Id of the utterance; where left out, the path without its extension, with the limits of a cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Speaker; left out where nobody knows, which the splits that divide speakers refuse.
    pub speaker: Option<String>,
    /// Emotion, in the corpus's own words; the manifest's `labels` map them. Where left out, the label is
    /// what most votes or ratings name.
    pub emotion: Option<String>,
    /// Recording session.
    pub session: Option<String>,
    /// What is said, where all speakers say the same few sentences: its code, or the words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sentence: Option<String>,
    /// Sex: `female`/`male`, or the first letter of it; any other word states none.
    pub sex: Option<String>,
    /// Start of the cut within the file: seconds, or a duration such as `0 days 00:00:01.5`.
    pub start: Option<String>,
    /// End of the cut within the file, likewise.
    pub end: Option<String>,
    /// Votes, as `label:count` pairs separated by `;`, such as `happy:3;neutral:1`.
    pub votes: Option<String>,
}

/// A table of ratings beside that of the labels, for [`Adapter::Csv`]: a row for each label that an annotator
/// gave an utterance, written as that table is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CsvRatings {
    /// The table's path, relative to the root.
    pub table: String,
    /// Column with the utterance: its id, or the path of its file.
    pub utterance: String,
    /// Column with the annotator's name.
    pub annotator: String,
    /// Column with the label, in the corpus's own words; empty where the annotator abstains.
    pub label: String,
}

/// Where and how the table of a [`Adapter::Csv`] corpus is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CsvLayout {
    /// The table's path, relative to the root.
    pub table: String,
    /// One character between fields: `,`, `;` or a tab.
    pub delimiter: String,
    /// The character around cells that hold the delimiter, `"` where left out; `""` for a table in
    /// which quotes are characters like any other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
    /// A reviewer's corrections of the table's labels, as `audit.html` saves them; its path,
    /// relative to the root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrections: Option<String>,
    /// Who gave which label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratings: Option<CsvRatings>,
    /// The columns to read; others are passed over.
    pub columns: CsvColumns,
}

/// What the release is known to hold, to tell a whole copy from a part or an altered one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// A file, relative to the root, that this release has and the others have not; left out in `[release]`.
    pub file: Option<PathBuf>,
    /// Files that match the manifest's `files` patterns.
    pub files: Option<u64>,
    /// Utterances that the adapter finds.
    pub utterances: Option<u64>,
    /// BLAKE3 of the sorted listing (relative path, length, BLAKE3) of those files, in hex, as
    /// `cargo xtask index` prints it.
    pub blake3: Option<String>,
}

/// A corpus, as data: layout, labels, speakers, provenance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of the manifest's form; 1.
    pub schema: u32,
    /// Short name, as in the index's column `corpus`.
    pub name: String,
    /// Full name.
    pub title: String,
    /// Whether the speech is synthetic; every place that shows results says so.
    pub synthetic: bool,
    /// SPDX identifier or the name of the licence.
    pub licence: String,
    /// Address the corpus comes from; for people, and for `fetch` where it can be downloaded.
    pub source: String,
    /// How to cite it.
    pub citation: String,
    /// Environment variable that names the corpus's root folder.
    pub root_env: String,
    /// Which reader understands it.
    pub adapter: Adapter,
    /// Glob patterns, relative to the root, of all files that belong to the corpus; `*` does not
    /// cross a `/`. What matches is hashed; what does not is not seen.
    pub files: Vec<String>,
    /// The corpus's emotion codes or words → names used throughout (`happiness`, `sadness`, …).
    /// A code that is not listed is an error; one that maps to `""` is no emotion (no consensus).
    pub labels: BTreeMap<String, String>,
    /// Speakers; may be empty for the csv adapter, where the table names them.
    #[serde(default)]
    pub speakers: BTreeMap<String, Speaker>,
    /// Layout of the table, for the csv adapter alone.
    pub csv: Option<CsvLayout>,
    /// What the release is known to hold.
    pub release: Option<Release>,
    /// What other releases of the same recordings are known to hold, each told by its `file`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_releases: Vec<Release>,
    /// What `cargo xtask fetch` downloads; nothing where no digests are known. No stage reads it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fetch: Vec<Download>,
    /// Lists of more that it downloads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fetch_lists: Vec<DownloadList>,
}

impl Manifest {
    /// Reads and checks a manifest.
    pub fn read(file: &Path) -> Result<Self, SettingsError> {
        read_toml::<Self>(file, HINT)?.checked(file)
    }

    /// Parses and checks a manifest's text; `file` is for messages.
    pub fn parse(file: &Path, text: &str) -> Result<Self, SettingsError> {
        parse_toml::<Self>(file, text, HINT)?.checked(file)
    }

    /// Whether the utterances have recordings.
    pub fn has_recordings(&self) -> bool {
        self.csv.as_ref().is_none_or(|layout| layout.columns.file.is_some())
    }

    /// All that `cargo xtask fetch` downloads; `folder` is the one in which the manifest lies, with its lists.
    pub fn downloads(&self, folder: &Path) -> Result<Vec<Download>, SettingsError> {
        let mut downloads = self.fetch.clone();
        for list in &self.fetch_lists {
            downloads.extend(list.downloads(folder)?);
        }
        Ok(downloads)
    }

    /// The release that a copy with these files, relative to its root, is one of: the one whose `file` is among
    /// them, else `[release]`.
    pub fn release_of(&self, files: &[PathBuf]) -> Option<&Release> {
        let is_there = |file: &PathBuf| files.contains(file);
        let other = self.other_releases.iter().find(|one| one.file.as_ref().is_some_and(is_there));
        other.or(self.release.as_ref())
    }

    fn checked(self, file: &Path) -> Result<Self, SettingsError> {
        match self.fault() {
            None => Ok(self),
            Some(message) => Err(SettingsError::Invalid { file: file.to_path_buf(), message }),
        }
    }

    fn fault(&self) -> Option<String> {
        if self.schema != 1 {
            return Some(format!("schema = {} is not known; this version reads 1", self.schema));
        }
        if (self.adapter == Adapter::Csv) != self.csv.is_some() {
            return Some("a [csv] table goes with adapter = \"csv\", and with no other".to_owned());
        }
        if self.files.is_empty() {
            return Some("files is empty; name the corpus's files by patterns".to_owned());
        }
        if self.other_releases.iter().any(|release| release.file.is_none()) {
            let message = "other_releases: name a file that this release has and [release] has not";
            return Some(message.to_owned());
        }
        let fetch_fault = || self.fetch.iter().find_map(Download::fault);
        self.csv_fault().or_else(|| self.partner_fault()).or_else(fetch_fault)
    }

    fn csv_fault(&self) -> Option<String> {
        let CsvLayout { delimiter, quote, columns, ratings, .. } = self.csv.as_ref()?;
        let quote = quote.as_deref().unwrap_or("\"");
        if columns.file.is_none() && columns.id.is_none() {
            let message =
                "csv.columns: name file, the column of recordings, or id, that of utterances";
            return Some(message.to_owned());
        }
        if columns.emotion.is_none() && columns.votes.is_none() && ratings.is_none() {
            let message =
                "csv.columns: name emotion, the column of labels, or votes, or have [csv.ratings]";
            return Some(message.to_owned());
        }
        if delimiter.len() != 1 || !delimiter.is_ascii() {
            return Some(format!("csv.delimiter = {delimiter:?}: name one ASCII character"));
        }
        let fits = quote.is_empty() || (quote.len() == 1 && quote.is_ascii() && quote != delimiter);
        (!fits).then(|| {
            format!(
                "csv.quote = {quote:?}: name one ASCII character that is not the delimiter, or none"
            )
        })
    }

    fn partner_fault(&self) -> Option<String> {
        self.speakers.iter().find_map(|(name, speaker)| {
            let partner = speaker.validation.as_ref()?;
            if partner == name {
                Some(format!("speaker {name} cannot validate their own fold"))
            } else if !self.speakers.contains_key(partner) {
                Some(format!("speaker {name}: validation = \"{partner}\" is no listed speaker"))
            } else {
                None
            }
        })
    }
}
