//! Archives from strangers: files and folders below one folder, up to a stated size, nothing else.

mod tar_gz;
mod zip;

use std::io::{ErrorKind, Read, Write as _};
use std::path::{Path, PathBuf};

use ambivox_settings::{Archive, ArchiveKind, is_below};
use fs_err as fs;

use crate::Refusal;

/// Speech becomes a few times smaller when it is packed. What grows more than this is a bomb,
/// whatever a manifest allows.
const MOST_GROWTH: u64 = 100;

/// Small archives of nothing but names may grow more.
const ALWAYS_ALLOWED: u64 = 1 << 20;

/// Folders within folders; no corpus is this deep.
const DEEPEST: usize = 32;

/// Bytes copied at a time.
const PIECE: usize = 1 << 16;

/// Unpacks the archive at `file` into the folder `into`, which must be there and empty of what the
/// archive holds.
///
/// Links, devices, paths that lead out of the folder, entries that are there twice, and more bytes
/// or entries than `archive` allows are refused. What had been written by then stays, for the caller
/// to remove. No permissions, owners or times are taken over.
pub fn unpack(file: &Path, archive: &Archive, into: &Path) -> Result<(), Refusal> {
    let length = fs::metadata(file).map_err(damaged)?.len();
    let grown = length.saturating_mul(MOST_GROWTH).max(ALWAYS_ALLOWED);
    let mut room = Room {
        into,
        bytes: archive.bytes.min(grown),
        entries: archive.entries,
        most: (archive.bytes.min(grown), archive.entries),
    };
    match archive.kind {
        ArchiveKind::Zip => zip::unpack(file, &mut room),
        ArchiveKind::TarGz => tar_gz::unpack(file, &mut room),
    }
}

/// The folder to fill, and how much more may go into it.
struct Room<'a> {
    into: &'a Path,
    bytes: u64,
    entries: u64,
    /// Bytes and entries that were allowed at first.
    most: (u64, u64),
}

impl Room<'_> {
    fn enter(&mut self) -> Result<(), Refusal> {
        self.entries = self.entries.checked_sub(1).ok_or(Refusal::Entries(self.most.1))?;
        Ok(())
    }

    fn folder(&mut self, name: &str) -> Result<(), Refusal> {
        self.enter()?;
        let path = self.into.join(below(name)?);
        fs::create_dir_all(path).map_err(|error| collision(&error, name))
    }

    fn file(&mut self, name: &str, content: &mut dyn Read) -> Result<(), Refusal> {
        self.enter()?;
        let path = self.into.join(below(name)?);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| collision(&error, name))?;
        }
        // Never over a file that is there.
        let file = fs::OpenOptions::new().write(true).create_new(true).open(path);
        self.copy(content, &mut file.map_err(|error| collision(&error, name))?)
    }

    fn copy(&mut self, content: &mut dyn Read, file: &mut fs::File) -> Result<(), Refusal> {
        let mut piece = vec![0; PIECE];
        loop {
            let read = content.read(&mut piece).map_err(damaged)?;
            if read == 0 {
                return Ok(());
            }
            let left = self.bytes.checked_sub(read as u64);
            self.bytes = left.ok_or(Refusal::Bytes(self.most.0))?;
            file.write_all(&piece[..read]).map_err(damaged)?;
        }
    }
}

/// The path that an entry's name stands for, if it leads below the folder on every system.
fn below(name: &str) -> Result<PathBuf, Refusal> {
    let inner = name.strip_prefix("./").unwrap_or(name);
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    let fits = inner.is_empty() || (is_below(inner) && inner.split('/').count() <= DEEPEST);
    fits.then(|| inner.split('/').collect()).ok_or_else(|| Refusal::Path(name.to_owned()))
}

/// A place that is taken, be it by a file where a folder belongs, is the archive's fault.
fn collision(error: &std::io::Error, name: &str) -> Refusal {
    match error.kind() {
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory | ErrorKind::IsADirectory => {
            Refusal::Twice(name.to_owned())
        }
        _ => damaged(error),
    }
}

fn damaged(error: impl std::fmt::Display) -> Refusal {
    Refusal::Damaged(error.to_string())
}

#[cfg(test)]
mod tests;
