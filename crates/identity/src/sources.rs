//! Files as they count: Rust by its tokens, manifests by what is built, the rest byte by byte.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::tokens::canonical;
use crate::{IdentityError, manifest};

/// Files read so far; each is read once.
pub(crate) struct Sources {
    root: PathBuf,
    read: BTreeMap<PathBuf, Source>,
}

/// What of a file counts.
pub(crate) struct Source {
    /// Its tokens, one a line; empty where it is no Rust.
    pub(crate) text: String,
    digest: blake3::Hash,
}

impl Sources {
    /// None yet, of files below `root`.
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_path_buf(), read: BTreeMap::new() }
    }

    /// What of this file counts.
    pub(crate) fn source(&mut self, file: &Path) -> Result<&Source, IdentityError> {
        if !self.read.contains_key(file) {
            self.read.insert(file.to_path_buf(), read(file)?);
        }
        Ok(&self.read[file])
    }

    /// One digest of all these files and of where they lie below the root.
    pub(crate) fn digest<'a>(
        &mut self,
        files: impl IntoIterator<Item = &'a PathBuf>,
    ) -> Result<String, IdentityError> {
        let mut hasher = blake3::Hasher::new();
        for file in files {
            let place = file.strip_prefix(&self.root).unwrap_or(file).display().to_string();
            hasher.update(&(place.len() as u64).to_le_bytes()).update(place.as_bytes());
            hasher.update(self.source(file)?.digest.as_bytes());
        }
        Ok(hasher.finalize().to_hex().to_string())
    }
}

fn read(file: &Path) -> Result<Source, IdentityError> {
    let is = |extension| file.extension().is_some_and(|own| own == extension);
    if is("rs") {
        let text = canonical(&fs::read_to_string(file)?)
            .map_err(|error| IdentityError::file(file, &error))?;
        return Ok(Source { digest: blake3::hash(text.as_bytes()), text });
    }
    let bytes = match file.file_name().and_then(|name| name.to_str()) {
        Some("Cargo.toml") => manifest::built(file)?.into_bytes(),
        _ => fs::read(file)?,
    };
    Ok(Source { text: String::new(), digest: blake3::hash(&bytes) })
}

/// All identifiers and other words of a text.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}
