//! Puts into the program which code it is built from, and the built-in pipelines and manifests.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use ambivox_identity::{FILE, Versions, flags};
use anyhow::{Context as _, Result};
use fs_err as fs;

/// Folders whose files the program has in it.
const FOLDERS: [&str; 2] = ["pipelines", "data-manifests"];

fn main() -> Result<()> {
    let root = fs::canonicalize(Path::new(&variable("CARGO_MANIFEST_DIR")?).join("../.."))?;
    let out = PathBuf::from(variable("OUT_DIR")?);
    let watched = ["crates", "Cargo.toml", "Cargo.lock", ".cargo", FILE, ".git/logs/HEAD"];
    for name in watched.iter().chain(&FOLDERS).filter(|name| root.join(name).exists()) {
        println!("cargo::rerun-if-changed={}", root.join(name).display());
    }
    let mut versions = Versions::read(&root)?.keyed(&root)?;
    let flags = flags(|name| env::var(name).ok());
    if !flags.is_empty() {
        for version in versions.values_mut() {
            *version = format!("{version} {flags}");
        }
    }
    fs::write(out.join("versions.json"), serde_json::to_vec(&versions)?)?;
    fs::write(out.join("tools.json"), serde_json::to_vec(&tools(&root, &flags)?)?)?;
    Ok(fs::write(out.join("builtin.rs"), builtin(&root)?)?)
}

fn variable(name: &str) -> Result<String> {
    env::var(name).with_context(|| format!("Cargo does not tell {name}"))
}

/// What is told of the build with every result, and is no part of its key.
fn tools(root: &Path, flags: &str) -> Result<BTreeMap<&'static str, String>> {
    let said = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).current_dir(root).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        (output.status.success() && !text.is_empty()).then_some(text)
    };
    let mut tools = BTreeMap::from([
        ("profile", variable("PROFILE")?),
        ("target", variable("TARGET")?),
        ("rustc", said(&variable("RUSTC")?, &["-V", "-v"]).context("rustc does not tell itself")?),
    ]);
    tools.extend(
        said("git", &["describe", "--always", "--dirty", "--abbrev=40"]).map(|c| ("commit", c)),
    );
    tools.extend(Some(("flags", flags.to_owned())).filter(|_| !flags.is_empty()));
    Ok(tools)
}

/// Whether the program has use for a file: not for the lists of downloads, which only `fetch` reads.
fn is_of_use(path: &Path) -> bool {
    path.is_file() && path.extension().is_none_or(|end| end != "tsv")
}

/// Names and contents of the built-in files, as Rust.
fn builtin(root: &Path) -> Result<String> {
    let mut lines = vec!["[".to_owned()];
    for folder in FOLDERS {
        for entry in walkdir::WalkDir::new(root.join(folder)).sort_by_file_name() {
            let entry = entry?;
            if is_of_use(entry.path()) {
                let name =
                    entry.path().strip_prefix(root)?.to_str().context("a name is no text")?;
                let path = entry.path().to_str().context("the checkout's path is no text")?;
                lines.push(format!("({name:?}, include_bytes!({path:?}).as_slice()),"));
            }
        }
    }
    lines.push("]".to_owned());
    Ok(lines.join("\n"))
}
