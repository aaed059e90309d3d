//! `versions.lock`: no source that computes changes without a word on what that does to results.

use std::io::Write as _;
use std::path::Path;

use ambivox_identity::{
    AXES, BUILD, Bytes, Difference, FILE, IdentityError, STAGES, Versions, stage,
};
use anyhow::{Context as _, Result};

use super::Finding;
use crate::{Usage, cli};

/// Every unit that is not what is on record.
pub(super) fn check(root: &Path) -> Result<Vec<Finding>> {
    let versions = Versions::read(root)?;
    let differing = versions.differences(root)?;
    let differing = differing.into_iter().map(|(unit, difference)| finding(&unit, difference));
    let unknown = versions.names().filter(|name| !is_known(name));
    Ok(differing
        .chain(unknown.map(|name| Finding::new(FILE, 1, "unknown-unit", no_key(name))))
        .collect())
}

/// Whether some key has this unit in it: code that is apart from the stages and in no key would change
/// unseen.
fn is_known(name: &str) -> bool {
    name == BUILD
        || STAGES.into_iter().any(|known| stage(known) == name)
        || name.split_once('/').is_some_and(|(axis, _)| AXES.contains(&axis))
}

fn no_key(name: &str) -> String {
    format!("{name} is no stage and no kind on an axis: no key would have it")
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
    if asked.same_bytes.is_empty() && asked.new_bytes.is_empty() {
        return Err(Usage("--why goes with --same-bytes or --new-bytes".to_owned()).into());
    }
    let (names, bytes) = match &asked.same_bytes[..] {
        [] => (&asked.new_bytes, Bytes::New),
        _ => (&asked.same_bytes, Bytes::Same),
    };
    if let Some(name) = names.iter().find(|name| *name != "all" && !is_known(name)) {
        return Err(Usage(no_key(name)).into());
    }
    let recorded =
        Versions::read(root)?.record(root, names, bytes, why).map_err(|error| match error {
            IdentityError::UnknownUnit { .. } => Usage(error.to_string()).into(),
            error => anyhow::Error::from(error),
        })?;
    let text = if recorded.is_empty() { "nothing differs".to_owned() } else { recorded.join(", ") };
    Ok(writeln!(std::io::stdout(), "on record: {text}")?)
}
