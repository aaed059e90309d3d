//! Fuzzing of every reader of untrusted bytes, where a nightly compiler and cargo-fuzz are.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use fs_err as fs;

use super::target;
use crate::Usage;
use crate::cli;

/// What libFuzzer takes for a fault besides a crash: an input that takes this long, or this much
/// memory. The sanitizer makes both several times what they are without it.
const LIMITS: [&str; 3] = ["-timeout=20", "-rss_limit_mb=2048", "-malloc_limit_mb=1024"];

/// Fuzzes the targets asked for, or all; the first that is not survived is an error. Says what is
/// missing, and is no error, where this machine cannot.
pub(crate) fn run(root: &Path, asked: &cli::Fuzz) -> Result<()> {
    let all = targets(root)?;
    if let Some(unknown) = asked.targets.iter().find(|target| !all.contains(target)) {
        return Err(Usage(format!("no target {unknown}; there are {}", all.join(", "))).into());
    }
    if let Some(lack) = lacking() {
        return Ok(writeln!(std::io::stderr(), "fuzz: skipped, since {lack}")?);
    }
    // The versions that everything else is built with; libFuzzer's own comes beside them.
    fs::copy(root.join("Cargo.lock"), root.join("fuzz/Cargo.lock"))?;
    let chosen = if asked.targets.is_empty() { &all } else { &asked.targets };
    chosen.iter().try_for_each(|target| fuzz(root, target, asked.seconds))
}

/// Names of all targets, which are those of their sources.
fn targets(root: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root.join("fuzz/fuzz_targets"))? {
        let path = entry?.path();
        let name = path.file_stem().and_then(|name| name.to_str());
        names.push(name.context("a target whose name is no text")?.to_owned());
    }
    names.sort();
    Ok(names)
}

/// What fuzzing needs and is not here.
fn lacking() -> Option<&'static str> {
    if !succeeds(nightly().args(["cargo", "--version"])) {
        return Some("there is no nightly compiler: `rustup toolchain install nightly`");
    }
    let there = succeeds(nightly().args(["cargo", "fuzz", "--version"]));
    (!there).then_some("there is no cargo-fuzz: `cargo install cargo-fuzz`")
}

fn nightly() -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly"]).stdin(Stdio::null());
    command
}

fn succeeds(command: &mut Command) -> bool {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// What is kept is tried first. What libFuzzer finds of interest goes to the target folder, from
/// where the next run takes it up.
fn fuzz(root: &Path, name: &str, seconds: u64) -> Result<()> {
    let builds = target(root).join("fuzz");
    let found = builds.join("corpus").join(name);
    fs::create_dir_all(&found)?;
    let status = nightly()
        .current_dir(root)
        .args(["cargo", "fuzz", "run", "--release", "--target-dir"])
        .arg(&builds)
        .arg(name)
        .arg(found)
        .arg(root.join("fuzz/corpus").join(name))
        .arg("--")
        .args(LIMITS)
        .args([format!("-max_total_time={seconds}"), "-print_final_stats=1".to_owned()])
        .status()
        .context("failed to start rustup")?;
    ensure!(
        status.success(),
        "{name} does not survive the bytes named above ({status})\n\
         hint: mend it, and keep them in fuzz/corpus/{name}"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_target_is_answered_with_the_known_ones() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let asked = cli::Fuzz { targets: vec!["vidoe".to_owned()], seconds: 1 };
        let error = run(&root, &asked).unwrap_err();
        assert!(error.is::<Usage>());
        assert!(
            error.to_string().contains("no target vidoe; there are annotators, archive, "),
            "{error}"
        );
    }
}
