//! Where a result came from: its record, and the records of all that went into it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use ambivox_artifacts::{Digest, Record, Records, Store};
use ambivox_settings::counted;
use anyhow::Result;
use serde::Serialize;

use crate::answer::print;
use crate::failure::Failure;

/// Results of one stage that are told one by one; of more, the first and their number.
const TOLD: usize = 3;

/// A record and what went into it, newest first.
#[derive(Debug, Serialize)]
struct Lineage<'a> {
    schema: u32,
    records: Vec<&'a Record>,
    /// Files of records that are damaged, any of which may be missing above.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    damaged_records: &'a [PathBuf],
}

/// Prints the lineage of the result whose key, or one of whose outputs, begins with these digits.
pub(crate) fn run(store: &Store, digits: &str, json: bool) -> Result<()> {
    let records = store.records()?;
    let producers = Producers::new(&records.whole);
    let lineage = producers.lineage(find(&records, digits)?);
    let document = Lineage { schema: 1, records: lineage, damaged_records: &records.broken };
    print(&if json { serde_json::to_string_pretty(&document)? } else { producers.text(&document) })
}

fn find<'a>(
    Records { whole: records, broken, .. }: &'a Records,
    digits: &str,
) -> Result<&'a Record> {
    let begins = |digest: &Digest| digest.to_string().starts_with(digits);
    let meant = |record: &&Record| {
        begins(&record.key) || record.outputs.values().any(|output| begins(&output.digest))
    };
    let found: Vec<&Record> = records.iter().filter(meant).collect();
    let newest = found.iter().max_by_key(|record| record.provenance.started_unix);
    let stages: BTreeSet<&str> = found.iter().map(|record| record.parts.stage.as_str()).collect();
    match newest {
        Some(record) if stages.len() == 1 => Ok(record),
        Some(_) => Err(Failure::usage(format!(
            "{digits} begins {} digests; give more digits of one: {}",
            found.len(),
            found.iter().map(|r| name(r)).collect::<Vec<_>>().join(", ")
        ))),
        None => Err(Failure::usage(format!(
            "no result in this store has a key or an output that begins with {digits}{}",
            damage(broken)
        ))),
    }
}

/// What to know where results may be missing.
fn damage(broken: &[PathBuf]) -> String {
    match broken.len() {
        0 => String::new(),
        1 => format!("\nthe record {} is damaged and not shown", broken[0].display()),
        n => format!("\n{n} records are damaged and not shown; `cargo xtask verify` names them"),
    }
}

/// Which record made an output, by the output's digest; of several the newest.
struct Producers<'a>(BTreeMap<Digest, &'a Record>);

impl<'a> Producers<'a> {
    fn new(records: &'a [Record]) -> Self {
        let mut sorted: Vec<&Record> = records.iter().collect();
        sorted.sort_by_key(|record| record.provenance.started_unix);
        let made = |record: &'a Record| record.outputs.values().map(move |o| (o.digest, record));
        Self(sorted.into_iter().flat_map(made).collect())
    }

    /// The record, and all that went into it, each once and after all that it went into.
    fn lineage(&self, record: &'a Record) -> Vec<&'a Record> {
        let (mut seen, mut all) = (BTreeSet::new(), Vec::new());
        self.visit(record, &mut seen, &mut all);
        all.reverse();
        all
    }

    fn visit(&self, record: &'a Record, seen: &mut BTreeSet<Digest>, all: &mut Vec<&'a Record>) {
        if seen.insert(record.key) {
            for producer in record.parts.inputs.values().filter_map(|digest| self.0.get(digest)) {
                self.visit(producer, seen, all);
            }
            all.push(record);
        }
    }

    fn text(&self, Lineage { records, damaged_records, .. }: &Lineage<'_>) -> String {
        let mut told: BTreeMap<&str, usize> = BTreeMap::new();
        let mut lines = Vec::new();
        for record in records {
            let count = told.entry(&record.parts.stage).or_default();
            *count += 1;
            if *count <= TOLD {
                lines.push(self.describe(record));
            }
        }
        let more = told.iter().filter(|(_, count)| **count > TOLD);
        lines.extend(more.map(|(stage, count)| format!("and {} more of {stage}", count - TOLD)));
        lines.join("\n") + &damage(damaged_records)
    }

    fn describe(&self, record: &Record) -> String {
        let mut lines = vec![name(record), format!("  made {}", made(record))];
        let code = record.parts.code.iter().map(|(name, version)| format!("{name} {version}"));
        lines.push(format!("  code {}", code.collect::<Vec<_>>().join(", ")));
        lines.push(format!("  parameters {}", cut(&record.parts.params.to_string(), 100)));
        for (role, output) in &record.outputs {
            let digest = output.digest.short();
            let bytes = counted(output.bytes as usize, "byte");
            lines.push(format!("  output {role} {digest}, {bytes}"));
        }
        let inputs = record.parts.inputs.iter().map(|(role, digest)| {
            let from = self.0.get(digest).map_or("from outside the store".to_owned(), |record| {
                format!("by {}", name(record))
            });
            format!("  input {role} {}, {from}", digest.short())
        });
        let inputs: Vec<String> = inputs.collect();
        lines.extend(inputs.iter().take(2 * TOLD).cloned());
        if inputs.len() > 2 * TOLD {
            lines.push(format!("  and {} more inputs", inputs.len() - 2 * TOLD));
        }
        lines.join("\n")
    }
}

fn name(record: &Record) -> String {
    format!("{} {}", record.parts.stage, record.key.short())
}

/// When, how long, on what.
fn made(record: &Record) -> String {
    let provenance = &record.provenance;
    let started = UNIX_EPOCH + Duration::from_secs(provenance.started_unix);
    let ago = started.elapsed().map_or(0, |since| since.as_secs());
    let ago = match ago {
        0..60 => format!("{ago} s ago"),
        60..3600 => format!("{} min ago", ago / 60),
        3600..172_800 => format!("{} h ago", ago / 3600),
        _ => format!("{} days ago", ago / 86_400),
    };
    let memory = provenance.peak_bytes.map(|bytes| format!(", {:.0} MB", bytes as f64 / 1e6));
    let isa = provenance.isa.as_ref().map(|isa| format!(" with {isa}"));
    let rustc = provenance.tools.get("rustc").and_then(|text| text.lines().next());
    format!(
        "{ago} in {:.1} s by {} threads{}, on {}{}, {}",
        provenance.seconds,
        provenance.threads,
        memory.unwrap_or_default(),
        provenance.host,
        isa.unwrap_or_default(),
        rustc.unwrap_or("unknown compiler"),
    )
}

fn cut(text: &str, length: usize) -> String {
    if text.chars().count() <= length {
        text.to_owned()
    } else {
        text.chars().take(length - 1).chain(['…']).collect()
    }
}
