//! The events of a run while it trains, where people watch: one file that grows by every epoch.
//!
//! What it holds is at any moment the beginning of the events that the run will end with, whoever
//! wrote it; or, of a run that begins as another did, the events of that one until they part. So a run
//! that goes on after a kill adds what is missing, nothing is there twice, and a program that reads
//! the file as it grows need not begin again.

use std::cell::Cell;
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use fs_err as fs;

use crate::job::Job;

/// Shows a run's events in a file, where the request names one.
pub(super) struct Live<'a> {
    job: &'a Job<'a>,
    file: Cell<Option<&'a Path>>,
}

impl<'a> Live<'a> {
    pub(super) fn new(job: &'a Job<'a>) -> Self {
        Self { job, file: Cell::new(job.request.live.as_deref()) }
    }

    /// Lets the file hold these events, all from the start of the run. Where it cannot be written the
    /// run goes on without.
    pub(super) fn show(&self, events: &[u8]) {
        let Some(file) = self.file.get() else { return };
        if let Err(error) = grow(file, events) {
            self.file.set(None);
            self.job.reporter.warn(format!("the course is not shown while it runs: {error}"));
        }
    }
}

/// Adds to a file what it lacks of `content`; one that holds this and more is further already, and
/// one that began otherwise is of another run, whose place this one takes.
fn grow(file: &Path, content: &[u8]) -> io::Result<()> {
    let there = match fs::read(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        there => there?,
    };
    if there.starts_with(content) {
        return Ok(());
    }
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    match content.strip_prefix(there.as_slice()) {
        Some(rest) => fs::OpenOptions::new().create(true).append(true).open(file)?.write_all(rest),
        None => replace(file, content),
    }
}

/// Readers find the old file or the new one.
fn replace(file: &Path, content: &[u8]) -> io::Result<()> {
    let beside = file.with_file_name(".part");
    fs::write(&beside, content)?;
    fs::rename(beside, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grown(before: Option<&str>, content: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("lw/seed-0/events");
        if let Some(before) = before {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, before).unwrap();
        }
        grow(&file, content.as_bytes()).unwrap();
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "nothing else");
        fs::read_to_string(file).unwrap()
    }

    #[test]
    fn what_is_missing_is_added_and_nothing_twice() {
        assert_eq!(grown(None, "one"), "one");
        assert_eq!(grown(Some("one"), "one two"), "one two");
        assert_eq!(grown(Some("one"), "one"), "one");
        assert_eq!(grown(Some("one two thr"), "one two"), "one two thr", "it is further already");
        assert_eq!(grown(Some("one t"), "one two"), "one two", "a write cut short");
    }

    #[test]
    fn another_run_gives_way() {
        assert_eq!(grown(Some("two one"), "one"), "one");
    }

    /// A reader that has the file open sees it grow.
    #[test]
    fn what_grows_stays_the_same_file() {
        use std::os::unix::fs::MetadataExt as _;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("events");
        grow(&file, b"one").unwrap();
        let before = fs::metadata(&file).unwrap().ino();
        grow(&file, b"one two").unwrap();
        assert_eq!(fs::metadata(&file).unwrap().ino(), before);
    }
}
