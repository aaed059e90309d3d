//! `versions.lock`: no source that computes changes without a word on what that does to results.

use std::io::Write as _;
use std::path::Path;

use ambivox_identity::{Bytes, Difference, FILE, Lock};
use anyhow::{Context as _, Result};

use super::Finding;
use crate::cli;

/// Every unit that is not what is on record.
pub(super) fn check(root: &Path) -> Result<Vec<Finding>> {
    let differing = Lock::read(root)?.differences(root)?;
    Ok(differing.into_iter().map(|(unit, difference)| finding(&unit, difference)).collect())
}

fn finding(unit: &str, difference: Difference) -> Finding {
    let remedy = format!(
        "{unit}: {difference}; say what that does to results: `cargo xtask tidy --same-bytes {unit} \
         --why …` or `--new-bytes`"
    );
    Finding::new(FILE, 1, "version-forgotten", remedy)
}

/// Puts units on record as asked, and names them.
pub(super) fn record(root: &Path, asked: &cli::Tidy) -> Result<()> {
    let why = asked.why.as_deref().context("a record needs a reason")?;
    let (names, bytes) = match &asked.same_bytes[..] {
        [] => (&asked.new_bytes, Bytes::New),
        _ => (&asked.same_bytes, Bytes::Same),
    };
    let recorded = Lock::read(root)?.record(root, names, bytes, why)?;
    let text = if recorded.is_empty() { "nothing differs".to_owned() } else { recorded.join(", ") };
    Ok(writeln!(std::io::stdout(), "on record: {text}")?)
}
