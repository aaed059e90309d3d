//! Every result in the store against its record.

use std::path::PathBuf;

use ambivox_artifacts::{Digest, StaleReason, Store};
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
    let findings = find(store)?;
    print(&if json { serde_json::to_string_pretty(&findings)? } else { findings.text() })?;
    let bad = findings.damaged.len() + findings.broken_records.len();
    if bad > 0 {
        let results = if bad == 1 { "result is" } else { "results are" };
        bail!("{bad} {results} damaged\nhint: the next run that needs one makes it anew");
    }
    Ok(())
}

fn find(store: &Store) -> Result<Findings> {
    let records = store.records()?;
    let mut damaged = Vec::new();
    for record in &records.whole {
        let reasons = store.verify(record)?;
        if !reasons.is_empty() {
            let (stage, key) = (record.parts.stage.clone(), record.key);
            let folder = store.outputs(&stage, &key);
            damaged.push(Damaged { stage, key, folder, reasons });
        }
    }
    let outputs = || records.whole.iter().flat_map(|record| record.outputs.values());
    Ok(Findings {
        schema: 1,
        results: records.whole.len(),
        outputs: outputs().count(),
        bytes: outputs().map(|output| output.bytes).sum(),
        damaged,
        broken_records: records.broken,
    })
}

impl Findings {
    fn text(&self) -> String {
        let mut lines = Vec::new();
        for damaged in &self.damaged {
            lines.push(format!("{} {}", damaged.stage, damaged.key.short()));
            lines.extend(damaged.reasons.iter().map(|reason| format!("    {reason}")));
            lines.push(format!("    in {}", damaged.folder.display()));
        }
        let broken = self.broken_records.iter();
        lines.extend(broken.map(|file| format!("{}: no whole record", file.display())));
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
