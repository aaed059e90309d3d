//! Digests of a pipeline's results on record in the repository, so that no change of a number goes
//! unnoticed.
//!
//! Some stages compute the same bits on every processor; what trains does so on processors of one
//! arithmetic: instruction set and sizes of caches. Where a processor's is not on record, its rates
//! must be near those that are.

use std::collections::BTreeMap;
use std::path::Path;

use ambivox_artifacts::{Digest, Encoder};
use anyhow::{Result, bail};
use fs_err as fs;
use serde::{Deserialize, Serialize};

use super::{Results, stage};
use crate::host::PORTABLE;

/// Stages that compute the same bits on every instruction set.
const EVERYWHERE: [&str; 5] = ["synth", "index", "extract", "map", "split"];

/// Stages that are not on record: the page changes with its words.
const LEFT_OUT: [&str; 1] = ["report"];

/// Largest difference in a pooled rate between arithmetics, as a fraction of 1.
const TOLERANCE: f64 = 0.1;

/// One digest for each stage and role, over all places of the stage.
type Digests = BTreeMap<String, Digest>;

/// What is on record for a pipeline, or to be put there.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ledger {
    schema: u32,
    /// Results that are the same on every processor.
    everywhere: Digests,
    /// Results of processors of one arithmetic.
    arithmetics: BTreeMap<String, Digests>,
    /// Pooled unweighted accuracy by method, for other processors.
    unweighted_accuracy: BTreeMap<String, f64>,
}

impl Ledger {
    /// What was measured on a processor of this arithmetic.
    pub(super) fn of(results: &Results, arithmetic: &str, rates: BTreeMap<String, f64>) -> Self {
        let mut encoders: BTreeMap<String, Encoder> = BTreeMap::new();
        let kept = results.iter().filter(|((slot, _), _)| !LEFT_OUT.contains(&stage(slot)));
        for ((slot, role), digest) in kept {
            let name = format!("{}.{role}", stage(slot));
            let encoder = encoders.remove(&name).unwrap_or(Encoder::new("ambivox ledger"));
            encoders.insert(name, encoder.text(slot).digest(digest));
        }
        let digests = encoders.into_iter().map(|(name, encoder)| (name, encoder.finish()));
        let (everywhere, own) = digests.partition(|(name, _)| {
            name.split('.').next().is_some_and(|stage| EVERYWHERE.contains(&stage))
        });
        let arithmetics = BTreeMap::from([(arithmetic.to_owned(), own)]);
        Self { schema: 1, everywhere, arithmetics, unweighted_accuracy: rates }
    }

    /// Puts this on record. What is there for other arithmetics stays if it still stands beside
    /// the same inputs and rates; says what was done.
    pub(super) fn keep(mut self, file: &Path) -> Result<String> {
        let old = Self::read(file)?;
        if let Some(old) = old.filter(|old| old.everywhere == self.everywhere)
            && self.arithmetics.iter().all(|(arithmetic, own)| {
                old.arithmetics.get(arithmetic).is_none_or(|old| old == own)
            })
        {
            for (arithmetic, digests) in old.arithmetics {
                self.arithmetics.entry(arithmetic).or_insert(digests);
            }
            self.unweighted_accuracy = old.unweighted_accuracy;
        }
        let text = toml::to_string_pretty(&self)?;
        let head =
            "# Written by `cargo xtask repro --bless`: digests of this pipeline's results.\n";
        fs::create_dir_all(file.parent().unwrap_or(Path::new(".")))?;
        fs::write(file, format!("{head}{text}"))?;
        Ok(format!("put on record in {}", file.display()))
    }

    /// Compares this with what is on record; says with what, or fails and names the stages.
    pub(super) fn check(&self, file: &Path) -> Result<String> {
        let Some(old) = Self::read(file)? else {
            return Ok("No digests of this pipeline are on record; --bless puts them there.".into());
        };
        let mut wrong = changed(&old.everywhere, &self.everywhere);
        let mut said = "The results are those on record".to_owned();
        for (arithmetic, own) in &self.arithmetics {
            if let Some(recorded) = old.arithmetics.get(arithmetic) {
                let missing = unrecorded(arithmetic, recorded, own);
                wrong.extend(changed(recorded, own).into_iter().filter(|n| !missing.contains(n)));
                let but = if missing.is_empty() { "" } else { ", but for what it lacks: " };
                let missing = missing.join(", ");
                said = format!("{said} for every processor and for {arithmetic}{but}{missing}.");
            } else if arithmetic == PORTABLE {
                wrong.push("no record of portable arithmetic".to_owned());
            } else {
                wrong.extend(self.far_rates(&old));
                said = format!(
                    "{said} for every processor; {arithmetic} is not on record, and pooled rates are \
                     within {TOLERANCE} of those that are."
                );
            }
        }
        if wrong.is_empty() {
            return Ok(said);
        }
        bail!(
            "results are not those on record in {}: {}\n\
             hint: where the change is meant, `cargo xtask repro --bless` puts the new ones there, and \
             after that the same with AMBIVOX_ISA=portable the portable ones",
            file.display(),
            wrong.join(", ")
        )
    }

    /// Methods whose rate is too far from the one on record.
    fn far_rates(&self, old: &Self) -> Vec<String> {
        let far = |(method, then): (&String, &f64)| {
            let now = self.unweighted_accuracy.get(method);
            let near = now.is_some_and(|now| (now - then).abs() <= TOLERANCE);
            (!near).then(|| format!("rate of {method}"))
        };
        old.unweighted_accuracy.iter().filter_map(far).collect()
    }

    fn read(file: &Path) -> Result<Option<Self>> {
        if !file.exists() {
            return Ok(None);
        }
        let ledger: Self = toml::from_str(&fs::read_to_string(file)?)?;
        if ledger.schema != 1 {
            bail!("{}: schema {} is not known", file.display(), ledger.schema);
        }
        Ok(Some(ledger))
    }
}

/// What the record of an arithmetic lacks: where a file's form changed while no such processor was at hand,
/// the rest of its record still holds. The portable one can be made again anywhere, and lacks nothing.
fn unrecorded(arithmetic: &str, recorded: &Digests, own: &Digests) -> Vec<String> {
    let lacks = |name: &&String| arithmetic != PORTABLE && !recorded.contains_key(*name);
    own.keys().filter(lacks).cloned().collect()
}

fn changed(old: &Digests, new: &Digests) -> Vec<String> {
    let names: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
    names.into_iter().filter(|name| old.get(*name) != new.get(*name)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(train: &str) -> Results {
        let digest = |text: &str| text.repeat(64).parse().unwrap();
        let key = |slot: &str, role: &str| (slot.to_owned(), role.to_owned());
        Results::from([
            (key("synth", "corpus"), digest("1")),
            (key("train/lw/0/a", "history"), digest("2")),
            (key("train/lw/0/b", "history"), digest(train)),
            (key("report", "report"), digest(train)),
        ])
    }

    fn measured(train: &str, arithmetic: &str, rate: f64) -> Ledger {
        Ledger::of(&results(train), arithmetic, BTreeMap::from([("lw".to_owned(), rate)]))
    }

    #[test]
    fn a_change_is_named_by_stage_and_role() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("digests/tiny.toml");
        assert!(measured("3", "avx2", 0.5).check(&file).unwrap().contains("--bless"));
        measured("3", "avx2", 0.5).keep(&file).unwrap();
        assert!(measured("3", "avx2", 0.5).check(&file).unwrap().contains("for avx2"));
        let error = measured("4", "avx2", 0.5).check(&file).unwrap_err().to_string();
        assert!(error.contains("train.history") && !error.contains("report.report"), "{error}");
    }

    #[test]
    fn another_processor_is_held_to_rates_and_to_what_is_equal_everywhere() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tiny.toml");
        measured("3", "avx2", 0.5).keep(&file).unwrap();
        assert!(measured("4", "neon", 0.55).check(&file).unwrap().contains("not on record"));
        assert!(measured("4", "neon", 0.65).check(&file).is_err());
        let mut other = measured("4", "neon", 0.5);
        other.everywhere.clear();
        let error = other.check(&file).unwrap_err().to_string();
        assert!(error.contains("synth.corpus"), "{error}");
    }

    #[test]
    fn portable_results_are_held_to_the_bit_on_every_processor() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tiny.toml");
        measured("3", "avx2", 0.5).keep(&file).unwrap();
        assert!(measured("4", PORTABLE, 0.5).check(&file).is_err());
        measured("4", PORTABLE, 0.5).keep(&file).unwrap();
        assert!(measured("4", PORTABLE, 0.5).check(&file).unwrap().contains("for portable"));
        assert!(measured("5", PORTABLE, 0.5).check(&file).is_err());
        assert!(measured("3", "avx2", 0.5).check(&file).is_ok());
    }

    #[test]
    fn what_the_record_of_a_processor_lacks_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tiny.toml");
        for arithmetic in ["avx2", PORTABLE] {
            let mut ledger = measured("3", arithmetic, 0.5);
            let own = ledger.arithmetics.get_mut(arithmetic).unwrap();
            own.remove("train.history").unwrap();
            ledger.keep(&file).unwrap();
        }
        let said = measured("3", "avx2", 0.5).check(&file).unwrap();
        assert!(said.ends_with("for avx2, but for what it lacks: train.history."), "{said}");
        let error = measured("3", PORTABLE, 0.5).check(&file).unwrap_err().to_string();
        assert!(error.contains("train.history"), "{error}");
    }

    #[test]
    fn records_of_other_processors_go_when_their_inputs_do() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tiny.toml");
        measured("3", "avx2", 0.5).keep(&file).unwrap();
        measured("4", "neon", 0.5).keep(&file).unwrap();
        let sets = |ledger: Option<Ledger>| ledger.unwrap().arithmetics.len();
        assert_eq!(sets(Ledger::read(&file).unwrap()), 2);
        measured("5", "neon", 0.5).keep(&file).unwrap();
        assert_eq!(sets(Ledger::read(&file).unwrap()), 1);
    }
}
