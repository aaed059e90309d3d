//! What CI runs, cheapest first, each step timed: `cargo xtask ci`, and `.ci/run` by way of it.

pub(crate) mod fuzz;
mod gpu;

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};

use crate::binary::cargo;
use crate::{cli, hand_on, tidy};

/// A step that is a cargo command.
struct Step {
    /// Its name in the log.
    name: &'static str,
    /// Arguments of cargo.
    arguments: &'static [&'static str],
}

const FORMAT: Step = Step { name: "format", arguments: &["fmt", "--all", "--check"] };

/// What compiles. Clippy and rustdoc share one check of all dependencies; the build is a step of
/// its own so that its time is seen apart from that of the tests.
const COMPILED: [Step; 4] = [
    Step {
        name: "clippy",
        arguments: &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"],
    },
    Step { name: "rustdoc", arguments: &["doc", "--workspace", "--no-deps"] },
    Step { name: "build", arguments: &["test", "--workspace", "--no-run"] },
    Step { name: "test", arguments: &["test", "--workspace"] },
];

/// Runs every step at `root` and stops at the first that fails.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    timed(FORMAT.name, || FORMAT.run(root))?;
    timed("tidy", || tidy::run(root))?;
    timed("slurm's packages", || install_slurm(root))?;
    timed("kernels", || gpu::compile(root))?;
    timed("clippy with the feature cuda", || gpu::lint(root))?;
    let (tests, before) = COMPILED.split_last().context("no steps")?;
    before.iter().try_for_each(|step| timed(step.name, || step.run(root)))?;
    timed("repro", || reproduce(root, "native"))?;
    timed("repro, portable", || reproduce(root, "portable"))?;
    timed("browser", || script(root, ".ci/browser"))?;
    timed("python", || script(root, ".ci/python"))?;
    timed("wheel", || script(root, ".ci/wheel"))?;
    timed("fuzz", || fuzz::run(root, &cli::Fuzz { targets: Vec::new(), seconds: FUZZED }))?;
    timed("test, arithmetic checked", || test_checked(root))?;
    timed(tests.name, || tests.run(root))
}

/// What the profile leaves unchecked for speed.
fn unchecked(root: &Path) -> anyhow::Result<Vec<String>> {
    let manifest: toml::Table = fs_err::read_to_string(root.join("Cargo.toml"))?.parse()?;
    let packages = ["profile", "dev", "package"]
        .into_iter()
        .try_fold(&manifest, |table, key| table.get(key)?.as_table());
    let is_unchecked = |(name, profile): &(&String, &toml::Value)| {
        let off = profile.get("overflow-checks").and_then(toml::Value::as_bool) == Some(false);
        off && name.starts_with("ambivox-")
    };
    Ok(packages.into_iter().flatten().filter(is_unchecked).map(|(name, _)| name.clone()).collect())
}

/// The tests of libraries with overflow checks and debug assertions in what else goes without. All of
/// them are named, since another choice of packages would have the dependencies compiled again.
fn test_checked(root: &Path) -> anyhow::Result<()> {
    let mut command = cargo();
    command.current_dir(root).args(["test", "--workspace", "--lib"]);
    let packages = unchecked(root)?;
    ensure!(!packages.is_empty(), "Cargo.toml leaves nothing unchecked; take this step away");
    for (name, check) in packages.iter().flat_map(|name| CHECKS.map(|check| (name, check))) {
        command.args(["--config", &format!("profile.dev.package.{name}.{check}=true")]);
    }
    let status = command.status().context("failed to start cargo")?;
    ensure!(status.success(), "tests with overflow checks failed: {status}");
    Ok(())
}

const CHECKS: [&str; 2] = ["overflow-checks", "debug-assertions"];

/// How long each reader of untrusted bytes is fuzzed, in seconds: enough for what is kept and a
/// look beyond. To look further, `cargo xtask fuzz --seconds N`.
const FUZZED: u64 = 5;

const SMALL: &str = "pipelines/demo-small.toml";

/// What the tests on Slurm need, where it can be had.
fn install_slurm(root: &Path) -> anyhow::Result<()> {
    let status = Command::new(root.join("tests/slurm/install.sh")).stdin(Stdio::null()).status();
    let status = status.context("failed to start tests/slurm/install.sh")?;
    ensure!(status.success(), "tests/slurm/install.sh failed: {status}");
    Ok(())
}

/// The small demonstration twice, held to the digests on record: by this processor's instructions, or by
/// such as every processor has, so that none has digests of its own.
fn reproduce(root: &Path, instructions: &str) -> anyhow::Result<()> {
    let arguments = ["repro", "--threads", "2", "--pipeline", SMALL].map(OsString::from);
    let repro = hand_on::planned(root, arguments.to_vec());
    let status = hand_on::command(root, &repro)?
        .current_dir(root)
        .env("AMBIVOX_ISA", instructions)
        .status()
        .context("failed to start the program")?;
    ensure!(status.success(), "the {instructions} results are not those on record");
    Ok(())
}

/// A step that is a program of its own.
fn script(root: &Path, name: &str) -> anyhow::Result<()> {
    let status = Command::new("bash")
        .current_dir(root)
        .arg(name)
        .status()
        .context("failed to start bash")?;
    ensure!(status.success(), "{name} failed: {status}");
    Ok(())
}

/// Where builds go.
fn target(root: &Path) -> PathBuf {
    let named = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    root.join(named.unwrap_or_else(|| "target".into()))
}

impl Step {
    fn run(&self, root: &Path) -> anyhow::Result<()> {
        let status = cargo()
            .current_dir(root)
            .args(self.arguments)
            .env("RUSTDOCFLAGS", "-D warnings")
            .status()
            .context("failed to start cargo")?;
        ensure!(status.success(), "cargo {} failed: {status}", self.arguments.join(" "));
        Ok(())
    }
}

/// Runs a step and tells its name before, its time after.
fn timed(name: &str, step: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut log = std::io::stderr();
    writeln!(log, "ci: {name} …")?;
    let started = Instant::now();
    step()?;
    writeln!(log, "ci: {name}: {:.1} s", started.elapsed().as_secs_f64())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_fails_names_its_command() {
        let step = Step { name: "none", arguments: &["no-such-command", "--flag"] };
        let error = timed(step.name, || step.run(Path::new("."))).unwrap_err();
        assert!(error.to_string().starts_with("cargo no-such-command --flag failed"), "{error}");
    }

    #[test]
    fn the_tests_come_last_so_that_their_summary_does() {
        assert_eq!(COMPILED.last().map(|step| step.arguments), Some(&["test", "--workspace"][..]));
    }
}
