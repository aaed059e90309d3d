//! Copies of results where people and other programs look for them: `results/<pipeline>/`.
//!
//! A list beside them names every file that was written there, with its digest. What is on the list and
//! has that content may be replaced and removed; anything else, links to files and folders among it,
//! belongs to somebody else: it is never removed, nothing is done through it, and where it is in the
//! way it gets another name.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use ambivox_artifacts::{Digest, StatMemo, write_atomically};
use anyhow::{Context as _, Result};
use fs_err as fs;

use crate::progress::Progress;

/// The list's name.
const LIST: &str = ".published.json";

/// A results folder, held against other processes that publish there for as long as this lives.
pub(crate) struct Published<'a> {
    folder: PathBuf,
    memo: &'a StatMemo,
    progress: &'a Progress,
    /// Digests of the files written here, by their paths below the folder; none while they are being
    /// written, as by a training that shows its course.
    list: BTreeMap<PathBuf, Option<Digest>>,
    _lock: fs::File,
}

impl<'a> Published<'a> {
    /// Makes the folder where there is none, and reads its list.
    pub(crate) fn open(folder: &Path, memo: &'a StatMemo, progress: &'a Progress) -> Result<Self> {
        let lock = lock(folder)?;
        let file = folder.join(LIST);
        let list = match fs::read(&file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            json => serde_json::from_slice(&json?).with_context(|| {
                let file = file.display();
                format!("{file}: no list of published files\nhint: remove it; what it named is then kept")
            })?,
        };
        Ok(Self { folder: folder.to_owned(), memo, progress, list, _lock: lock })
    }

    /// The place of this name.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Makes room for files that are about to be written here, and puts them on the list.
    pub(crate) fn expect<'b>(&mut self, names: impl IntoIterator<Item = &'b Path>) -> Result<()> {
        for name in names {
            self.make_room(name)?;
            self.list.insert(name.to_owned(), None);
        }
        self.save()
    }

    /// Copies `from` to the place of this name, unless it is there already; a reader finds the old file
    /// or the new one. The list is to be saved.
    pub(crate) fn publish(&mut self, from: &Path, name: &Path) -> Result<PathBuf> {
        let (to, digest) = (self.folder.join(name), self.memo.file(from)?.digest);
        if !self.is_plain(name) || self.memo.file(&to)?.digest != digest {
            self.make_room(name)?;
            write_atomically(&to, &fs::read(from)?)?;
        }
        self.list.insert(name.to_owned(), Some(digest));
        Ok(fs::canonicalize(to)?)
    }

    /// Whether the place of this name holds this very output.
    pub(crate) fn holds(&self, output: &Path, name: &Path) -> Result<bool> {
        let digest = |file: &Path| Ok::<_, anyhow::Error>(self.memo.file(file)?.digest);
        Ok(self.is_plain(name) && digest(&self.folder.join(name))? == digest(output)?)
    }

    /// Removes a file that was written here, and the folders that are empty without it; returns whether
    /// it did. The list is to be saved.
    pub(crate) fn remove(&mut self, name: &Path) -> Result<bool> {
        let file = self.folder.join(name);
        let (is_there, is_own) = (file.symlink_metadata().is_ok(), self.is_own(name)?);
        self.list.remove(name);
        if is_own {
            fs::remove_file(&file)?;
            let above = name.ancestors().skip(1).take_while(|name| !name.as_os_str().is_empty());
            // The first that is not empty stays, with all that are above it.
            let left = above.map(|name| fs::remove_dir(self.folder.join(name)));
            left.take_while(Result::is_ok).for_each(drop);
        } else if is_there {
            let why = "stays, though of other results than those beside it, since it is not as it was \
                       published here";
            self.progress.warn(&format!("{}: {why}", file.display()));
        }
        Ok(is_own)
    }

    /// Paths of all files on the list that are below this folder.
    pub(crate) fn below(&self, folder: &Path) -> Vec<PathBuf> {
        self.list.keys().filter(|name| name.starts_with(folder)).cloned().collect()
    }

    /// Writes the list.
    pub(crate) fn save(&self) -> Result<()> {
        let json = serde_json::to_vec_pretty(&self.list)?;
        Ok(write_atomically(&self.folder.join(LIST), &json)?)
    }

    /// Whether a file lies here that was written here, as it was then.
    fn is_own(&self, name: &Path) -> Result<bool> {
        let Some(listed) = self.list.get(name) else { return Ok(false) };
        Ok(self.is_plain(name)
            && match listed {
                None => true,
                Some(digest) => self.memo.file(&self.folder.join(name))?.digest == *digest,
            })
    }

    /// Whether there is a file of this name here, without any link on the way to it.
    fn is_plain(&self, name: &Path) -> bool {
        let is_below = name.components().all(|part| matches!(part, Component::Normal(_)));
        let about = self.folder.join(name).symlink_metadata();
        is_below && self.obstacle(name).is_none() && about.is_ok_and(|about| about.is_file())
    }

    /// The first part of a path, the last aside, that is there and no folder, or a link to one.
    fn obstacle(&self, name: &Path) -> Option<PathBuf> {
        let mut above: Vec<&Path> = name.ancestors().skip(1).collect();
        above.reverse();
        let is_folder = |path: &PathBuf| {
            path.symlink_metadata().map_or(true, |about| about.file_type().is_dir())
        };
        let paths = above.into_iter().skip(1).map(|part| self.folder.join(part));
        paths.into_iter().find(|path| !is_folder(path))
    }

    /// Gives what is not ours another name where it is in the way.
    fn make_room(&self, name: &Path) -> Result<()> {
        while let Some(path) = self.obstacle(name) {
            self.set_aside(&path)?;
        }
        let file = self.folder.join(name);
        if file.symlink_metadata().is_ok() && !self.is_own(name)? {
            self.set_aside(&file)?;
        }
        Ok(())
    }

    fn set_aside(&self, path: &Path) -> Result<()> {
        let aside = |number: usize| {
            let mut name = path.file_name().unwrap_or_default().to_owned();
            name.push(format!(".kept-{number}"));
            path.with_file_name(name)
        };
        let is_free = |path: &PathBuf| path.symlink_metadata().is_err();
        let to = (1..=usize::MAX).map(aside).find(is_free).context("no name is free")?;
        fs::rename(path, &to)?;
        let (path, to) = (path.display(), to.display());
        self.progress.warn(&format!("{path}: not as it was published here; it is kept as {to}"));
        Ok(())
    }
}

/// Makes a results folder and keeps other processes from publishing there while the file lives.
fn lock(folder: &Path) -> Result<fs::File> {
    fs::create_dir_all(folder)?;
    let mut options = fs::OpenOptions::new();
    let file = options.create(true).truncate(false).write(true).open(folder.join(".lock"))?;
    // Where a network file system has no locks, two may publish by turns, every file of it whole.
    file.lock().ok();
    Ok(file)
}

#[cfg(test)]
pub(crate) mod tests;
