//! The programs of this workspace that are built on demand; that of the stages is watched while it
//! is in use.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::SystemTime;

use anyhow::{Context as _, Result, ensure};
use fs_err as fs;

use crate::code::Codes;
use crate::toolchain::cargo;
use crate::vouch;

/// The program that runs the stages.
const STAGES: &str = "ambivox";
/// The programs that commands are handed on to.
pub(crate) const MEASURE: &str = "ambivox-measure";
pub(crate) const PREDICT: &str = "ambivox-predict";
pub(crate) const FETCH: &str = "ambivox-fetch";

/// The stage program as it was when it was built.
#[derive(Debug)]
pub(crate) struct Binary {
    path: PathBuf,
    stamp: Stamp,
}

type Stamp = (u64, Option<SystemTime>);

impl Binary {
    /// A program that is there already.
    pub(crate) fn at(path: PathBuf) -> Result<Self> {
        let stamp = stamp(&path)?;
        Ok(Self { path, stamp })
    }

    /// Builds the program from this code into the target folder and with the profile of this one.
    pub(crate) fn build(root: &Path, codes: &Codes, quiet: bool) -> Result<Self> {
        let profile = profile_folder()?;
        vouch::show_changes(&file(&profile, STAGES), codes)?;
        cargo_build(root, &profile, STAGES, quiet)?;
        Self::at(file(&profile, STAGES))
    }

    /// Whether the program has been built before, if perhaps from other code.
    pub(crate) fn exists() -> Result<bool> {
        Ok(file(&profile_folder()?, STAGES).exists())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// An error if the program was replaced since it was built: what it made is not what its key
    /// says.
    pub(crate) fn check(&self) -> Result<()> {
        let same = stamp(&self.path).is_ok_and(|now| now == self.stamp);
        ensure!(same, "{} was rebuilt during the run; run again", self.path.display());
        Ok(())
    }
}

/// Builds a program as the stage program is built; returns where it lies.
pub(crate) fn build(root: &Path, program: &str) -> Result<PathBuf> {
    let profile = profile_folder()?;
    cargo_build(root, &profile, program, false)?;
    Ok(file(&profile, program))
}

/// Builds a program into the target folder and with the profile of this one.
fn cargo_build(root: &Path, profile: &Path, program: &str, quiet: bool) -> Result<()> {
    let target = profile.parent().context("this program lies in no target folder")?;
    // All packages at all times, so that what they share is built with the same features, once.
    let status = cargo()
        .current_dir(root)
        .args(["build", "--package", "ambivox-stages", "--package", MEASURE, "--package", PREDICT])
        .args(["--package", FETCH, "--bin", program, "--profile", profile_name(profile)])
        .args(quiet.then_some("--quiet"))
        .arg("--target-dir")
        .arg(target)
        .stdin(Stdio::null())
        .status()
        .context("failed to start cargo")?;
    ensure!(status.success(), "{program} does not build ({status}); the errors are above");
    Ok(())
}

fn file(profile: &Path, program: &str) -> PathBuf {
    profile.join(format!("{program}{}", std::env::consts::EXE_SUFFIX))
}

fn stamp(path: &Path) -> Result<Stamp> {
    let meta = fs::metadata(path)?;
    Ok((meta.len(), meta.modified().ok()))
}

/// `<target>/debug`, where this program lies.
fn profile_folder() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    Ok(own.parent().context("this program lies in no folder")?.to_path_buf())
}

/// The profile of the folder's name; `debug` is that of `dev`.
fn profile_name(folder: &Path) -> &str {
    match folder.file_name().and_then(|name| name.to_str()) {
        None | Some("debug") => "dev",
        Some(name) => name,
    }
}

/// The profile that this program, and so the stage program, is built with.
pub(crate) fn profile() -> Result<String> {
    Ok(profile_name(&profile_folder()?).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_program_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ambivox");
        fs::write(&path, "one").unwrap();
        let binary = Binary::at(path.clone()).unwrap();
        binary.check().unwrap();
        fs::write(&path, "another").unwrap();
        assert!(binary.check().unwrap_err().to_string().contains("rebuilt"));
        fs::remove_file(&path).unwrap();
        assert!(binary.check().is_err());
    }

    #[test]
    fn folders_are_named_for_profiles() {
        assert_eq!(profile_name(Path::new("/target/debug")), "dev");
        assert_eq!(profile_name(Path::new("/target/release")), "release");
    }
}
