//! Untrusted archives: files and folders below one folder, up to a stated size, nothing else.

mod tar_gz;
mod zip;

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use ambivox_settings::{Archive, ArchiveKind, is_below};
use fs_err as fs;
use unicode_normalization::UnicodeNormalization as _;

use crate::{Refusal, plain};

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
/// Links, devices, paths that lead out of the folder, files that are there twice, names that differ in
/// capital letters or in how accents are written alone, and more bytes or entries than `archive` allows
/// are refused. No link is followed, in the folder neither. What had been written by then stays, for the
/// caller to remove. No permissions, owners or times are taken over.
pub fn unpack(file: &Path, archive: &Archive, into: &Path) -> Result<(), Refusal> {
    // The inner file, whose errors have their numbers still.
    let packed = plain::read(file).map_err(Refusal::Io)?.into_file();
    let length = packed.metadata().map_err(Refusal::Io)?.len();
    let grown = length.saturating_mul(MOST_GROWTH).max(ALWAYS_ALLOWED);
    let mut room = Room {
        into,
        folder: archive.folder.as_deref(),
        found: false,
        names: BTreeMap::new(),
        bytes: archive.bytes.min(grown),
        entries: archive.entries,
        most: (archive.bytes.min(grown), archive.entries),
    };
    match archive.kind {
        ArchiveKind::Zip => zip::unpack(&packed, &mut room)?,
        ArchiveKind::TarGz => tar_gz::unpack(&packed, &mut room)?,
    }
    match &archive.folder {
        Some(folder) if !room.found => Err(Refusal::NoFolder(folder.clone())),
        _ => Ok(()),
    }
}

/// The folder to fill, and how much more may go into it.
struct Room<'a> {
    into: &'a Path,
    /// The folder of the archive whose content alone is unpacked.
    folder: Option<&'a str>,
    /// Whether anything was there to be unpacked.
    found: bool,
    /// Every path so far, and those of the folders that it lies in, by what it is where neither case nor
    /// Unicode's normalization form counts.
    names: BTreeMap<String, String>,
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
        let Some(path) = self.place(name)? else { return Ok(()) };
        plain::folders(self.into, &path).map_err(|error| collision(error, name))
    }

    fn file(&mut self, name: &str, content: &mut dyn Read) -> Result<(), Refusal> {
        self.enter()?;
        let Some(path) = self.place(name)? else {
            return self.copy(content, &mut io::sink());
        };
        let folder = path.parent().unwrap_or(&path);
        plain::folders(self.into, folder).map_err(|error| collision(error, name))?;
        // Never over a file that is there.
        let path = self.into.join(path);
        let file = fs::OpenOptions::new().write(true).create_new(true).open(path);
        self.copy(content, &mut file.map_err(|error| collision(error, name))?)
    }

    /// Where an entry goes, below the folder, if no other's name is the same on some system; nowhere where only
    /// another folder of the archive is unpacked.
    fn place(&mut self, name: &str) -> Result<Option<PathBuf>, Refusal> {
        let path = below(name)?;
        for part in path.ancestors().filter_map(Path::to_str) {
            let before = self.names.entry(folded(part)).or_insert_with(|| part.to_owned());
            if before != part {
                return Err(Refusal::Alike(before.clone(), part.to_owned()));
            }
        }
        let kept = path.strip_prefix(self.folder.unwrap_or_default()).ok().map(Path::to_path_buf);
        self.found |= kept.is_some();
        Ok(kept)
    }

    fn copy(&mut self, content: &mut dyn Read, file: &mut impl io::Write) -> Result<(), Refusal> {
        let mut piece = vec![0; PIECE];
        loop {
            let read = content.read(&mut piece).map_err(damaged)?;
            if read == 0 {
                return Ok(());
            }
            let left = self.bytes.checked_sub(read as u64);
            self.bytes = left.ok_or(Refusal::Bytes(self.most.0))?;
            file.write_all(&piece[..read]).map_err(Refusal::Io)?;
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

/// What a Mac takes a name for: small letters, accents as one character with their letter.
fn folded(name: &str) -> String {
    name.nfc().flat_map(char::to_lowercase).nfc().collect()
}

/// A place that is taken, be it by a file where a folder belongs, is the archive's fault.
fn collision(error: io::Error, name: &str) -> Refusal {
    match error.kind() {
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory | ErrorKind::IsADirectory => {
            Refusal::Twice(name.to_owned())
        }
        _ => Refusal::Io(error),
    }
}

/// What reading the archive came to: damage, unless the system could not read it.
fn damaged(error: impl Error + 'static) -> Refusal {
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(inner) = cause {
        let io = inner.downcast_ref::<io::Error>();
        if let Some(io) = io.filter(|io| io.raw_os_error().is_some()) {
            return Refusal::Io(io::Error::new(io.kind(), format!("reading the archive: {io}")));
        }
        // A wrapped error is no source of its wrapper.
        let wrapped = io.and_then(io::Error::get_ref).map(|inner| inner as &(dyn Error + 'static));
        cause = wrapped.or_else(|| inner.source());
    }
    Refusal::Damaged(error.to_string())
}

#[cfg(test)]
mod tests;
