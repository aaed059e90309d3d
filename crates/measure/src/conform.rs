//! Descriptors against a reference table, column by column.

mod reference;
mod table;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ambivox_lld::{Agreement, ColumnAgreement, Extractor, FeatureSet, Frames};
use anyhow::{Context as _, Result};

use crate::failure::Failure;
use crate::sound::{files, read};
use reference::Reference;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Parquet file with a row per frame: `file` (name without folders) and the set's columns
    #[arg(long, value_name = "FILE")]
    reference: PathBuf,
    /// A built-in feature set, or a TOML file
    #[arg(long, value_name = "SET", default_value = "ser32")]
    set: String,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    /// Audio files, and folders of .wav files
    #[arg(required = true, value_name = "WAVS|DIR")]
    paths: Vec<PathBuf>,
}

/// What a comparison found.
struct Findings {
    set: String,
    /// Files compared, in order.
    compared: Vec<String>,
    columns: Vec<ColumnAgreement>,
    /// Frames that are voiced in one table alone.
    voicing_differs: usize,
    /// Files of the reference that were not given.
    not_given: Vec<String>,
    /// Files given that the reference does not have, but for those shorter than a frame.
    not_in_reference: Vec<String>,
}

impl Findings {
    fn frames(&self) -> usize {
        self.columns.first().map_or(0, |column| column.frames)
    }

    fn falls_short(&self) -> Vec<&str> {
        let short = self.columns.iter().filter(|column| !column.holds());
        short.map(|column| column.name.as_str()).collect()
    }
}

/// The comparison as text or JSON, and whether every column conforms.
pub(crate) fn run(args: &Args) -> Result<(String, bool)> {
    let set = feature_set(&args.set)?;
    let given = by_name(files(&args.paths)?)?;
    let reference = Reference::read(&args.reference, &set.columns())?;
    let findings = compare(&set, &given, &reference)?;
    let text = if args.json { table::json(&findings) } else { table::text(&findings) };
    Ok((text, findings.falls_short().is_empty()))
}

fn feature_set(name: &str) -> Result<FeatureSet> {
    let usage = |error: ambivox_lld::LldError| Failure::Usage(format!("{name}: {error}"));
    let is_file = Path::new(name).extension().is_some_and(|extension| extension == "toml");
    let set = if is_file {
        let text = fs_err::read_to_string(name).map_err(|e| Failure::Usage(e.to_string()))?;
        FeatureSet::from_toml(&text).map_err(usage)
    } else {
        FeatureSet::builtin(name).map_err(usage)
    };
    Ok(set?)
}

/// The reference knows files by their names, so these must be distinct.
fn by_name(files: Vec<PathBuf>) -> Result<BTreeMap<String, PathBuf>> {
    let mut named: BTreeMap<String, PathBuf> = BTreeMap::new();
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(other) = named.get(&name) {
            let (file, other) = (file.display(), other.display());
            let problem = format!(
                "{file} and {other} have the same name, by which the reference knows them\nhint: \
                 compare them in two runs"
            );
            return Err(Failure::Usage(problem).into());
        }
        named.insert(name, file);
    }
    Ok(named)
}

fn compare(
    set: &FeatureSet,
    given: &BTreeMap<String, PathBuf>,
    reference: &Reference,
) -> Result<Findings> {
    let mut extractor = Extractor::new(set)?;
    let mut agreement = Agreement::new(set);
    let (mut compared, mut not_in_reference, mut voicing_differs) = (Vec::new(), Vec::new(), 0);
    for (name, file) in given {
        let frames = extractor.process(&read(file)?);
        match reference.files.get(name) {
            Some(expected) => {
                check_length(name, &frames, expected)?;
                agreement.add(frames.data(), expected);
                voicing_differs += differing_voicing(&frames, expected);
                compared.push(name.clone());
            }
            None if frames.is_empty() => {}
            None => not_in_reference.push(name.clone()),
        }
    }
    if agreement.columns()[0].frames == 0 {
        let problem = "no frame to compare: no file given is in the reference";
        return Err(Failure::Data(problem.to_owned())).context("cannot compare");
    }
    let not_given = reference.files.keys().filter(|name| !given.contains_key(*name));
    Ok(Findings {
        set: set.name.clone(),
        columns: agreement.columns(),
        compared,
        voicing_differs,
        not_given: not_given.cloned().collect(),
        not_in_reference,
    })
}

fn check_length(name: &str, frames: &Frames, expected: &[f32]) -> Result<()> {
    let (ours, theirs) = (frames.len(), expected.len() / frames.width());
    if ours == theirs {
        return Ok(());
    }
    let problem = format!(
        "{name}: {ours} frames here, {theirs} in the reference\nhint: the reference is of another \
         recording, or of a set with other steps or smoothing"
    );
    Err(Failure::Data(problem).into())
}

/// Frames whose F0 is 0 in one of the tables alone.
fn differing_voicing(frames: &Frames, expected: &[f32]) -> usize {
    let f0 = frames.columns().iter().position(|name| name.starts_with("F0"));
    let voiced = |row: &[f32]| f0.is_some_and(|column| row[column] > 0.0);
    let rows = frames.rows().zip(expected.chunks_exact(frames.width()));
    rows.filter(|(row, expected)| voiced(row) != voiced(expected)).count()
}

#[cfg(test)]
mod tests;
