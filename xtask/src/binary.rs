//! The programs of this workspace, built on demand, and the Cargo that builds them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::sources::Sources;

/// The program that plans and runs.
pub(crate) const AMBIVOX: &str = "ambivox";
/// Programs of one kind of command each.
pub(crate) const MEASURE: &str = "ambivox-measure";
pub(crate) const PREDICT: &str = "ambivox-predict";
pub(crate) const FETCH: &str = "ambivox-fetch";

/// Builds a program into the target folder and with the profile of this one; returns where it lies.
pub(crate) fn build(root: &Path, program: &str) -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.parent().context("this program lies in no folder")?;
    let target = folder.parent().context("this program lies in no target folder")?;
    let path = folder.join(format!("{program}{}", std::env::consts::EXE_SUFFIX));
    let sources = Sources::show_changes(root, &path)?;
    let is_quiet = path.exists();
    // All packages at all times, so that what they share is built with the same features, once.
    let status = cargo()
        .current_dir(root)
        .arg("build")
        .args([AMBIVOX, MEASURE, PREDICT, FETCH].map(|package| format!("--package={package}")))
        .args(["--bin", program, "--profile", profile_name(folder)])
        .args(is_quiet.then_some("--quiet"))
        .arg("--target-dir")
        .arg(target)
        .stdin(Stdio::null())
        .status()
        .context("failed to start cargo")?;
    ensure!(status.success(), "{program} does not build ({status}); the errors are above");
    sources.keep()?;
    Ok(path)
}

/// The profile of the folder's name; `debug` is that of `dev`.
fn profile_name(folder: &Path) -> &str {
    match folder.file_name().and_then(|name| name.to_str()) {
        None | Some("debug") => "dev",
        Some(name) => name,
    }
}

/// A call of Cargo itself, without what Cargo says of this package to the program it runs: build
/// scripts of dependencies watch those variables, and half the tree would be built again each time
/// that the caller changes.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os().filter(|(name, _)| describes_package(name)) {
        cargo.env_remove(name);
    }
    cargo
}

fn describes_package(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    let whole: [&[u8]; 3] = [b"CARGO_BIN_NAME", b"CARGO_CRATE_NAME", b"CARGO_PRIMARY_PACKAGE"];
    name.starts_with(b"CARGO_PKG_") || name.starts_with(b"CARGO_MANIFEST_") || whole.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_named_for_profiles() {
        assert_eq!(profile_name(Path::new("/target/debug")), "dev");
        assert_eq!(profile_name(Path::new("/target/release")), "release");
    }

    #[test]
    fn what_describes_this_package_is_kept_from_cargo() {
        let removed = |name: &str| describes_package(OsStr::new(name));
        assert!(removed("CARGO_MANIFEST_DIR") && removed("CARGO_PKG_NAME"));
        for name in ["CARGO_TARGET_DIR", "CARGO_HOME", "PATH"] {
            assert!(!removed(name), "{name}");
        }
    }
}
