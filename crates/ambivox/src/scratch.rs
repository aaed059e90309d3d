//! A temporary folder.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use fs_err as fs;

/// How often its removal is tried, with pauses between.
const TRIES: usize = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// A folder that goes with this value.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// A new one among the system's temporary files.
    pub(crate) fn new(purpose: &str) -> Result<Self> {
        let name = format!("ambivox-{purpose}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        ensure!(!folder.exists(), "{} is there already\nhint: remove it", folder.display());
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Processes that were ended a moment ago may still write there; what cannot be removed in the
        // end lies among other temporary files.
        for _ in 0..TRIES {
            if fs::remove_dir_all(&self.0).is_ok() {
                break;
            }
            std::thread::sleep(PAUSE);
        }
    }
}
