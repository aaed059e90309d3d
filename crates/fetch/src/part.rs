//! A file on its way: what has come of it, on disk.

use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use ambivox_settings::Checksum;
use fs_err as fs;
use md5::{Digest as _, Md5};
use ring::digest::{Context, SHA256};

use crate::plain;

/// Bytes read at a time.
const PIECE: usize = 1 << 16;
/// Longest name of a version.
const LONGEST_VERSION: u64 = 1 << 13;

/// The first bytes of a file, their digest, and which version of it they are.
pub(crate) struct Part {
    path: PathBuf,
    file: fs::File,
    digest: Hasher,
    length: u64,
    /// The server's name for this version of the file, where it gave a reliable one.
    version: Option<String>,
    /// Whether the bytes came in more than one transfer.
    pub(crate) resumed: bool,
}

impl Part {
    /// What there is of the file so far: nothing, or the bytes of an earlier process.
    pub(crate) fn open(path: &Path, expected: Checksum<'_>) -> std::io::Result<Self> {
        let mut options = fs::OpenOptions::new();
        let file = plain::open(path, options.read(true).append(true).create(true))?;
        let version = read_version(&version_file(path))?;
        let (digest, length) = (Hasher::of(expected), 0);
        let mut part =
            Self { path: path.to_owned(), file, digest, length, version, resumed: false };
        part.digest_what_is_there()?;
        part.resumed = part.length > 0;
        Ok(part)
    }

    fn digest_what_is_there(&mut self) -> std::io::Result<()> {
        let mut piece = vec![0; PIECE];
        loop {
            let read = self.file.read(&mut piece)?;
            if read == 0 {
                return Ok(());
            }
            self.digest.update(&piece[..read]);
            self.length += read as u64;
        }
    }

    /// Throws away what has come, for another version of the file.
    pub(crate) fn restart(&mut self, version: Option<&str>) -> std::io::Result<()> {
        self.file.set_len(0)?;
        let mut options = fs::OpenOptions::new();
        let options = options.write(true).create(true).truncate(false);
        let mut file = plain::open(&version_file(&self.path), options)?;
        file.set_len(0)?;
        file.write_all(version.unwrap_or_default().as_bytes())?;
        self.digest = self.digest.fresh();
        self.length = 0;
        self.version = version.map(str::to_owned);
        self.resumed = false;
        Ok(())
    }

    pub(crate) fn add(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.file.write_all(bytes)?;
        self.digest.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    pub(crate) fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// Digest of all that has come, in hexadecimal.
    pub(crate) fn digest(&self) -> String {
        let digest = self.digest.clone().finish();
        let halves = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        halves.filter_map(|half| char::from_digit(half.into(), 16)).collect()
    }

    /// The bytes are right; they stay, on disk even after a loss of power.
    pub(crate) fn keep(self) -> std::io::Result<()> {
        self.file.sync_all()
    }

    /// The bytes are wrong; nothing stays.
    pub(crate) fn discard(self) -> std::io::Result<()> {
        fs::remove_file(&self.path)?;
        match fs::remove_file(version_file(&self.path)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// What computes the digest that is on record.
#[derive(Clone)]
enum Hasher {
    Sha256(Context),
    Md5(Md5),
}

impl Hasher {
    fn of(expected: Checksum<'_>) -> Self {
        match expected {
            Checksum::Sha256(_) => Self::Sha256(Context::new(&SHA256)),
            Checksum::Md5(_) => Self::Md5(Md5::new()),
        }
    }

    /// One of the same kind that has seen nothing.
    fn fresh(&self) -> Self {
        Self::of(match self {
            Self::Sha256(_) => Checksum::Sha256(""),
            Self::Md5(_) => Checksum::Md5(""),
        })
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Md5(hasher) => hasher.update(bytes),
        }
    }

    fn finish(self) -> Vec<u8> {
        match self {
            Self::Sha256(hasher) => hasher.finish().as_ref().to_vec(),
            Self::Md5(hasher) => hasher.finalize().to_vec(),
        }
    }
}

fn read_version(file: &Path) -> std::io::Result<Option<String>> {
    let mut version = String::new();
    match plain::read(file) {
        Ok(file) => file.take(LONGEST_VERSION).read_to_string(&mut version)?,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(Some(version).filter(|version| !version.is_empty()))
}

fn version_file(path: &Path) -> PathBuf {
    path.with_extension("version")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_costs_nothing_of_what_has_come() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.part");
        let mut part = Part::open(&path, Checksum::Md5("")).unwrap();
        part.restart(Some("one")).unwrap();
        part.add(b"abc").unwrap();
        part.file = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let error = part.add(b"def").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
        drop(part);
        let again = Part::open(&path, Checksum::Md5("")).unwrap();
        assert_eq!((again.length(), again.version()), (3, Some("one")));
    }
}
