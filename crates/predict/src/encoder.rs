//! Where the encoder is whose hidden states a bundle's networks read: by its path, or, by the digests that the
//! bundle has of its files, in a folder of encoders.

use std::path::{Path, PathBuf};

use ambivox_frontends::ENCODER_FILES;
use ambivox_settings::{Bundle, BundledEncoder};
use fs_err as fs;
use walkdir::WalkDir;

use crate::PredictError;

/// The environment variable that names a folder of encoders.
pub(crate) const VARIABLE: &str = "AMBIVOX_ENCODERS";

/// Levels below that folder: `models--OWNER--NAME/snapshots/COMMIT` of Hugging Face's cache has as many.
const DEPTH: usize = 3;

/// Where to look for an encoder that a bundle's networks need and that is not in the bundle.
#[derive(Debug, Clone, Copy, Default)]
pub struct Encoders<'a> {
    /// The encoder's own folder; where it is named, nothing else is looked at.
    pub named: Option<&'a Path>,
    /// A folder that has encoders' folders up to three levels below it.
    pub cache: Option<&'a Path>,
}

impl Encoders<'_> {
    /// The folder of the encoder that a bundle asks for, all of whose files are those that the networks were
    /// trained with; none where the bundle asks for none.
    ///
    /// # Errors
    /// It is not there, or is another; or one is named, and the bundle asks for none.
    pub(crate) fn find(self, bundle: &Bundle) -> Result<Option<PathBuf>, PredictError> {
        match (&bundle.encoder, self.named) {
            (None, None) => Ok(None),
            (None, Some(_)) => Err(PredictError::NeedlessEncoder),
            (Some(encoder), Some(folder)) => {
                check(encoder, folder).map(|()| Some(folder.to_owned()))
            }
            (Some(encoder), None) => self.search(encoder).map(Some),
        }
    }

    fn search(self, encoder: &BundledEncoder) -> Result<PathBuf, PredictError> {
        let mut others = Vec::new();
        for folder in self.cache.into_iter().flat_map(candidates) {
            match check(encoder, &folder) {
                Ok(()) => return Ok(folder),
                Err(PredictError::OtherEncoder { file, found, .. }) => {
                    others.push(format!("\n  {}: its digest is {found}", file.display()));
                }
                Err(error) => others.push(format!("\n  {error}")),
            }
        }
        let searched = self.cache.map_or_else(String::new, |cache| searched(cache, &others));
        Err(PredictError::NoEncoder(asked(encoder) + &searched))
    }
}

/// The folders of encoders in a folder, sorted by their paths, and that folder itself if it is one.
fn candidates(cache: &Path) -> impl Iterator<Item = PathBuf> {
    // What cannot be entered is no encoder that could be read.
    let found = WalkDir::new(cache).max_depth(DEPTH).follow_links(true).sort_by_file_name();
    let folders = found.into_iter().filter_map(Result::ok).map(walkdir::DirEntry::into_path);
    folders.filter(|folder| folder.join(ENCODER_FILES[0]).is_file())
}

/// What a bundle asks for.
fn asked(encoder: &BundledEncoder) -> String {
    let files = encoder.files.iter().map(|(name, digest)| format!("\n  {name}, BLAKE3 {digest}"));
    format!("{} with{}", encoder.name, files.collect::<String>())
}

/// What a folder of encoders has in place of the one that is asked for.
fn searched(cache: &Path, others: &[String]) -> String {
    let cache = cache.display();
    match others {
        [] => format!("\nthere is no encoder in {cache}, the folder in {VARIABLE}"),
        _ => format!("\n{cache}, the folder in {VARIABLE}, has others alone:{}", others.concat()),
    }
}

/// That a folder has the files of an encoder and no further ones.
fn check(encoder: &BundledEncoder, folder: &Path) -> Result<(), PredictError> {
    let mut files: Vec<(PathBuf, &str)> =
        encoder.files.iter().map(|(name, digest)| (folder.join(name), digest.as_str())).collect();
    // The smallest first: settings tell most encoders apart, and to read weights takes long.
    files.sort_by_key(|(file, _)| fs::metadata(file).map_or(0, |found| found.len()));
    files.iter().try_for_each(|(file, digest)| check_file(file, digest))?;
    let further = ENCODER_FILES.into_iter().filter(|name| !encoder.files.contains_key(*name));
    let further = further.map(|name| folder.join(name)).find(|file| file.exists());
    let Some(file) = further else { return Ok(()) };
    let (found, expected) = ("that of a file".to_owned(), "none such".to_owned());
    Err(PredictError::OtherEncoder { file, found, expected })
}

fn check_file(file: &Path, expected: &str) -> Result<(), PredictError> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(fs::File::open(file)?)?;
    let found = hasher.finalize().to_string();
    if found == expected {
        return Ok(());
    }
    let (file, expected) = (file.to_owned(), expected.to_owned());
    Err(PredictError::OtherEncoder { file, found, expected })
}
