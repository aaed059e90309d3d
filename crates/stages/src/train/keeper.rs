//! How far a run has come, in a file from which the next process goes on if this one is killed.

use std::path::Path;
use std::time::{Duration, Instant};

use ambivox_train::{Interim, TrainError};
use fs_err as fs;

use crate::StageError;
use crate::job::Job;

/// Shortest time between two writes: less is soon done again. Only where the next process would
/// begin depends on the clock, never a result.
const INTERVAL: Duration = Duration::from_secs(1);

/// At most one part in so many of the time goes into writing.
const SHARE: u32 = 50;

/// Keeps the state of a run in a file, where there is one.
pub(super) struct Keeper<'a> {
    job: &'a Job<'a>,
    file: Option<&'a Path>,
    /// When the last write ended, and how long it took.
    last: (Instant, Duration),
}

impl<'a> Keeper<'a> {
    /// A keeper, and what an earlier process left in the file. What is not whole is passed over.
    pub(super) fn open(job: &'a Job<'a>) -> (Self, Option<Interim>) {
        let file = job.request.interim.as_deref();
        let keeper = Self { job, file, last: (Instant::now(), Duration::ZERO) };
        let interim = keeper.read();
        (keeper, interim)
    }

    fn read(&self) -> Option<Interim> {
        let file = self.file.filter(|file| file.exists())?;
        let interim = fs::read(file).ok().and_then(|bytes| Interim::from_bytes(&bytes));
        self.job.reporter.warn(match &interim {
            Some(interim) => format!("goes on after {}, where it was cut short", interim.place()),
            None => format!("starts again, since what it had done is damaged: {}", file.display()),
        });
        interim
    }

    /// Keeps the run as it is now, unless that was done not long ago. Where it cannot be kept, the
    /// run goes on without.
    pub(super) fn after_epoch(&mut self, state: impl FnOnce() -> Result<Interim, TrainError>) {
        let (ended, took) = self.last;
        let Some(file) = self.file.filter(|_| ended.elapsed() >= INTERVAL.max(SHARE * took)) else {
            return;
        };
        let started = Instant::now();
        if let Err(error) = self.write(file, state) {
            self.file = None;
            self.job.reporter.warn(format!(
                "a kill would cost all epochs since the last state that was written: {error}"
            ));
        }
        self.last = (Instant::now(), started.elapsed());
    }

    /// The old file or the new one is there at any moment. What a power failure makes of it, its
    /// digest tells, so nothing waits for the disk.
    fn write(
        &self,
        file: &Path,
        state: impl FnOnce() -> Result<Interim, TrainError>,
    ) -> Result<(), StageError> {
        let beside = self.job.request.out.with_file_name("interim");
        fs::write(&beside, state()?.to_bytes())?;
        Ok(fs::rename(beside, file)?)
    }
}
