//! A corpus on disk together with its manifest: what adapters ask and what they build with.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ambivox_settings::{Manifest, Patterns, Speaker};

use crate::error::listed;
use crate::files::{self, Listed};
use crate::name::{identity, is_filled, nfc};
use crate::{CorpusError, Place, Utterance};

/// Labels that annotators named, by annotator.
pub(crate) type Ratings = BTreeMap<String, BTreeSet<String>>;

/// The files of a corpus and the manifest that explains them.
pub(crate) struct Tree<'a> {
    pub(crate) root: &'a Path,
    pub(crate) manifest: &'a Manifest,
    /// Files that match the manifest's patterns, sorted, relative to the root.
    pub(crate) files: Vec<String>,
    /// Links that match the patterns and lead to nothing, likewise.
    pub(crate) dangling: Vec<String>,
    patterns: Patterns,
    /// The files by their paths in normalization form C; speakers and labels of the manifest likewise.
    by_nfc: BTreeMap<String, usize>,
    speakers: BTreeMap<String, &'a Speaker>,
    labels: BTreeMap<String, &'a String>,
}

impl<'a> Tree<'a> {
    /// Lists the corpus's files. What is not in this list is not looked for on the disk by anybody, since
    /// it is no input that a stage would run again for.
    pub(crate) fn open(root: &'a Path, manifest: &'a Manifest) -> Result<Self, CorpusError> {
        if !root.is_dir() {
            return Err(CorpusError::RootMissing {
                corpus: manifest.name.clone(),
                root: root.to_path_buf(),
                root_env: manifest.root_env.clone(),
                origin: manifest.source.clone(),
            });
        }
        let Listed { files, dangling } = files::list(root, &manifest.files)?;
        let patterns = Patterns::new(&manifest.files)?;
        let by_nfc = files.iter().enumerate().map(|(at, file)| (nfc(file), at)).collect();
        let speakers = manifest.speakers.iter().map(|(name, entry)| (nfc(name), entry)).collect();
        let labels = manifest.labels.iter().map(|(code, label)| (nfc(code), label)).collect();
        Ok(Self { root, manifest, files, dangling, patterns, by_nfc, speakers, labels })
    }

    /// The listed file that a table means by `path`, in whichever normalization form either is written.
    pub(crate) fn meant(&self, path: &str) -> Option<&str> {
        let at = self.place(path).or_else(|| self.by_nfc.get(&nfc(path)).copied())?;
        Some(&self.files[at])
    }

    /// The listed files by their paths with other slashes and capitals forgiven.
    pub(crate) fn forgiving(&self) -> BTreeMap<String, &str> {
        self.files.iter().map(|file| (forgiven(file), file.as_str())).collect()
    }

    /// Whether the manifest's patterns name the file, be it there or not.
    pub(crate) fn covers(&self, path: &str) -> bool {
        self.patterns.cover(Path::new(path))
    }

    /// Sound files, for layouts whose label is in the file's name.
    pub(crate) fn wavs(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(String::as_str).filter(|file| {
            Path::new(file)
                .extension()
                .is_some_and(|extension| extension.eq_ignore_ascii_case("wav"))
        })
    }

    /// The first file of that name, in whatever folder.
    pub(crate) fn file_named(&self, name: &str) -> Option<&str> {
        self.files.iter().map(String::as_str).find(|file| file.rsplit('/').next() == Some(name))
    }

    /// Whether the manifest's patterns name the file and it exists.
    pub(crate) fn lists(&self, path: &str) -> bool {
        self.place(path).is_some()
    }

    fn place(&self, path: &str) -> Option<usize> {
        self.files.binary_search_by(|file| file.as_str().cmp(path)).ok()
    }

    /// Content of one of the files.
    pub(crate) fn bytes(&self, path: &str) -> Result<Vec<u8>, CorpusError> {
        fs_err::read(self.root.join(path)).map_err(CorpusError::Read)
    }

    /// The manifest's name for an emotion code; `None` for a code that is no emotion.
    pub(crate) fn label(&self, code: &str, place: &Place) -> Result<Option<String>, CorpusError> {
        match self.labels.get(&nfc(code)) {
            Some(label) => Ok((!label.is_empty()).then(|| (*label).clone())),
            None => Err(CorpusError::UnknownCode {
                place: place.clone(),
                code: code.to_owned(),
                known: listed(self.manifest.labels.keys()),
            }),
        }
    }

    /// Votes by the manifest's names. Codes of one name are pooled, codes of none left out.
    pub(crate) fn votes<'v>(
        &self,
        codes: impl IntoIterator<Item = (&'v str, u32)>,
        place: &Place,
    ) -> Result<BTreeMap<String, u32>, CorpusError> {
        let mut votes = BTreeMap::new();
        for (code, count) in codes {
            if let Some(label) = self.label(code, place)?.filter(|_| count > 0) {
                let sum: &mut u32 = votes.entry(label).or_default();
                *sum = sum.saturating_add(count);
            }
        }
        Ok(votes)
    }

    /// What an annotator named, by the manifest's names, is added to an utterance's ratings; of no code nothing.
    pub(crate) fn rate<'c>(
        &self,
        ratings: &mut Ratings,
        annotator: &str,
        codes: impl IntoIterator<Item = &'c str>,
        place: &Place,
    ) -> Result<(), CorpusError> {
        let name = identity(annotator);
        for code in codes.into_iter().filter(|code| is_filled(code)) {
            if let Some(label) = self.label(code, place)? {
                if !is_filled(&name) {
                    return Err(CorpusError::Malformed {
                        place: place.clone(),
                        found: annotator.to_owned(),
                        expected: "an annotator's name".to_owned(),
                    });
                }
                ratings.entry(name.clone()).or_default().insert(label);
            }
        }
        Ok(())
    }

    /// An utterance without label or votes, of a speaker whom the manifest knows or, where it
    /// lists none, of any.
    pub(crate) fn utterance(
        &self,
        utterance_id: &str,
        path: &str,
        speaker: &str,
        place: &Place,
    ) -> Result<Utterance, CorpusError> {
        let entry = self.speakers.get(&nfc(speaker));
        if entry.is_none() && !self.speakers.is_empty() {
            return Err(CorpusError::UnknownSpeaker {
                place: place.clone(),
                speaker: speaker.to_owned(),
                known: listed(self.manifest.speakers.keys()),
            });
        }
        let mut utterance = Utterance::of(&self.manifest.name, utterance_id, path, speaker);
        utterance.sex = entry.and_then(|entry| entry.sex);
        if let Some(session) = entry.and_then(|entry| entry.session.as_ref()) {
            utterance.session.clone_from(session);
        }
        Ok(utterance)
    }
}

/// A path as one would compare it who does not mind slashes, capitals and normalization forms.
pub(crate) fn forgiven(path: &str) -> String {
    nfc(path).replace('\\', "/").to_lowercase()
}

/// A path's file name without folders and extension.
pub(crate) fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}
