//! The compiler and those of its settings that are not in the workspace's files.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use ambivox_artifacts::write_atomically;
use anyhow::{Context as _, Result, ensure};
use fs_err as fs;
use serde::{Deserialize, Serialize};

/// What `rustc -V -v` said, and of which file.
#[derive(Debug, Serialize, Deserialize)]
struct Seen {
    path: PathBuf,
    bytes: u64,
    modified_ns: u128,
    version: String,
}

/// Compiler, flags and profile, by name. `cache` keeps the compiler's answer from run to run, since
/// asking takes longer than all else that a command with nothing to do does.
pub(crate) fn tools(cache: &Path, profile: &str) -> Result<BTreeMap<String, String>> {
    let mut tools = BTreeMap::from([
        ("profile in use".to_owned(), profile.to_owned()),
        ("rustc".to_owned(), version(cache, &rustc())?),
    ]);
    for (name, value) in std::env::vars() {
        if changes_builds(&name) {
            tools.insert(name, value);
        }
    }
    Ok(tools)
}

/// Variables by which Cargo builds otherwise from the same files.
fn changes_builds(name: &str) -> bool {
    let names = [
        "RUSTFLAGS",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "CARGO_BUILD_RUSTC_WRAPPER",
        "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
        "CARGO_BUILD_RUSTFLAGS",
        "CARGO_BUILD_TARGET",
        "CARGO_ENCODED_RUSTFLAGS",
    ];
    let of_target = name.starts_with("CARGO_TARGET_") && name.ends_with("_RUSTFLAGS");
    of_target || name.starts_with("CARGO_PROFILE_") || names.contains(&name)
}

/// The compiler that Cargo uses: beside the Cargo that runs this program, unless named.
fn rustc() -> PathBuf {
    let named = std::env::var_os("RUSTC").map(PathBuf::from);
    let cargo = std::env::var_os("CARGO").map(PathBuf::from);
    let beside = cargo.map(|cargo| cargo.with_file_name("rustc")).filter(|path| path.exists());
    named.or(beside).unwrap_or_else(|| "rustc".into())
}

fn version(cache: &Path, rustc: &Path) -> Result<String> {
    let stat = stat(rustc);
    if let Some((bytes, modified_ns)) = stat {
        let seen = fs::read(cache).ok().and_then(|json| serde_json::from_slice::<Seen>(&json).ok());
        let same =
            |s: &Seen| (s.path.as_path(), s.bytes, s.modified_ns) == (rustc, bytes, modified_ns);
        if let Some(seen) = seen.filter(same) {
            return Ok(seen.version);
        }
    }
    let version = ask(rustc)?;
    if let Some((bytes, modified_ns)) = stat {
        let seen = Seen { path: rustc.to_path_buf(), bytes, modified_ns, version };
        // A store that cannot be written costs the time to ask again.
        write_atomically(cache, &serde_json::to_vec(&seen)?).ok();
        return Ok(seen.version);
    }
    Ok(version)
}

fn stat(rustc: &Path) -> Option<(u64, u128)> {
    let meta = fs::metadata(rustc).ok()?;
    let modified = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    Some((meta.len(), modified.duration_since(UNIX_EPOCH).ok()?.as_nanos()))
}

fn ask(rustc: &Path) -> Result<String> {
    let output = Command::new(rustc).args(["-V", "-v"]).output();
    let output = output.with_context(|| format!("failed to run {}", rustc.display()))?;
    ensure!(output.status.success(), "{} -V -v failed: {}", rustc.display(), output.status);
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// A call of Cargo itself, without what Cargo says of this package to the program it runs: build
/// scripts of dependencies watch those variables, and half the tree would be built anew each time
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
    fn the_answer_is_kept_until_the_compiler_changes() {
        let folder = tempfile::tempdir().unwrap();
        let (cache, rustc) = (folder.path().join("cache"), folder.path().join("rustc"));
        fs::write(&rustc, "").unwrap();
        let (bytes, modified_ns) = stat(&rustc).unwrap();
        let seen = Seen { path: rustc.clone(), bytes, modified_ns, version: "kept".to_owned() };
        fs::write(&cache, serde_json::to_vec(&seen).unwrap()).unwrap();
        assert_eq!(version(&cache, &rustc).unwrap(), "kept");
        fs::write(&rustc, "grown").unwrap();
        assert!(version(&cache, &rustc).is_err(), "what is no program cannot be asked");
    }

    #[test]
    fn the_compiler_of_the_house_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let tools = tools(&folder.path().join("cache"), "debug").unwrap();
        assert!(tools["rustc"].starts_with("rustc 1."), "{tools:?}");
        assert!(tools["rustc"].contains("host: "), "{tools:?}");
    }

    #[test]
    fn cargo_is_called_as_from_a_shell() {
        let cargo = cargo();
        let removed = |name: &str| cargo.get_envs().any(|(n, value)| n == name && value.is_none());
        assert!(removed("CARGO_MANIFEST_DIR") && removed("CARGO_PKG_NAME"));
        for name in ["CARGO_TARGET_DIR", "CARGO_HOME", "PATH"] {
            assert!(!describes_package(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn only_what_changes_builds_counts() {
        let target = "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS";
        let wrappers = ["RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"];
        for name in ["RUSTFLAGS", "CARGO_PROFILE_DEV_OPT_LEVEL", "CARGO_BUILD_TARGET", target]
            .into_iter()
            .chain(wrappers)
        {
            assert!(changes_builds(name), "{name}");
        }
        for name in ["CARGO_TARGET_DIR", "CARGO_BUILD_JOBS", "PATH", "CARGO_PKG_NAME"] {
            assert!(!changes_builds(name), "{name}");
        }
    }
}
