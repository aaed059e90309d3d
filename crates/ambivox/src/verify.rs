//! Every result in the store against its record.

use std::path::PathBuf;

use ambivox_artifacts::{Digest, Record, StaleReason, Store};
use ambivox_settings::counted;
use anyhow::{Result, bail};
use serde::Serialize;

use crate::answer::print;

/// What a verification found.
#[derive(Debug, Serialize)]
struct Findings {
    schema: u32,
    results: usize,
    outputs: usize,
    bytes: u64,
    damaged: Vec<Damaged>,
    broken_records: Vec<PathBuf>,
    outdated_records: usize,
}

/// A result that is not what was made.
#[derive(Debug, Serialize)]
struct Damaged {
    stage: String,
    key: Digest,
    folder: PathBuf,
    reasons: Vec<StaleReason>,
}

/// Reads every byte of every output, prints what is damaged, and fails if anything is.
pub(crate) fn run(store: &Store, json: bool) -> Result<()> {
    let findings = Findings::new(store)?;
    print(&if json { serde_json::to_string_pretty(&findings)? } else { findings.text() })?;
    let bad = findings.damaged.len() + findings.broken_records.len();
    if bad > 0 {
        let results = if bad == 1 { "result is" } else { "results are" };
        bail!("{bad} {results} damaged\nhint: the next run that needs one makes it again");
    }
    Ok(())
}

impl Damaged {
    fn new(store: &Store, record: &Record) -> Option<Self> {
        let reasons = store.verify(record);
        let (stage, key) = (record.parts.stage.clone(), record.key);
        let folder = store.outputs(&stage, &key);
        (!reasons.is_empty()).then_some(Self { stage, key, folder, reasons })
    }
}

impl Findings {
    fn new(store: &Store) -> Result<Self> {
        let records = store.records()?;
        let outputs = || records.whole.iter().flat_map(|record| record.outputs.values());
        Ok(Self {
            schema: 1,
            results: records.whole.len(),
            outputs: outputs().count(),
            bytes: outputs().map(|output| output.bytes).sum(),
            damaged: records.whole.iter().filter_map(|r| Damaged::new(store, r)).collect(),
            broken_records: records.broken,
            outdated_records: records.outdated,
        })
    }

    fn text(&self) -> String {
        let mut lines = Vec::new();
        for damaged in &self.damaged {
            lines.push(format!("{} {}", damaged.stage, damaged.key.short()));
            lines.extend(damaged.reasons.iter().map(|reason| format!("    {reason}")));
            lines.push(format!("    in {}", damaged.folder.display()));
        }
        let broken = self.broken_records.iter();
        lines.extend(broken.map(|file| format!("{}: no whole record", file.display())));
        if self.outdated_records > 0 {
            let count = self.outdated_records;
            lines.push(format!("{count} results of an earlier version do not count"));
        }
        let Self { results, outputs, .. } = self;
        let megabytes = self.bytes as f64 / 1e6;
        let (results, outputs) = (counted(*results, "result"), counted(*outputs, "output"));
        lines.push(format!("{results} with {outputs} read, {megabytes:.1} MB"));
        if self.damaged.is_empty() && self.broken_records.is_empty() {
            lines.push("All are as they were made.".to_owned());
        }
        lines.join("\n")
    }
}
