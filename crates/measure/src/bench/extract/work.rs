//! What is measured: an extraction as a whole, and its parts alone.

use std::hint::black_box;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use ambivox_audio::{Cut, load};
use ambivox_corpus::Index;
use ambivox_features::{Outputs, Recipe, extract, plan};
use ambivox_lld::{Extractor, FeatureSet};
use ambivox_settings::{Features, OnBroken, Section};
use anyhow::Result;
use fs_err as fs;
use serde::{Deserialize, Serialize};

use super::corpus;
use crate::machine;

/// The descriptors that are extracted.
pub(super) const SET: &str = "ser32";

/// What a measuring process is told.
#[derive(Debug, clap::Args)]
pub(crate) struct WorkerArgs {
    folder: PathBuf,
    hours: u32,
    threads: usize,
}

/// An extraction as a whole.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Whole {
    pub(super) seconds: f64,
    /// Largest memory of the process, in 10⁶ bytes, where the system tells.
    pub(super) peak_mb: Option<f64>,
    /// Length of the table, in 10⁶ bytes.
    pub(super) written_mb: f64,
}

/// Seconds of the parts of an extraction, each alone on one thread.
#[derive(Debug, Serialize)]
pub(super) struct Parts {
    pub(super) decoding: f64,
    pub(super) describing: f64,
    /// Writing bytes as many as the table's to a new file, which is all that threads wait for one
    /// another with.
    pub(super) appending: f64,
}

/// Extracts, in this process.
pub(super) fn whole(args: &WorkerArgs) -> Result<Whole> {
    let index = Index::open(&corpus::index(&args.folder, args.hours))?;
    // As in a stage: a new file in a new folder. To write over a file of the last measurement would
    // wait for the disk.
    let folder = tempfile::tempdir_in(&args.folder)?;
    let outputs = Outputs {
        features: Some(folder.path().join("features.parquet")),
        vectors: None,
        pieces: None,
    };
    let set = toml::Table::from_iter([("set".to_owned(), SET.into())]);
    let section = Section::new(Features::FIRST, &set).map_err(anyhow::Error::msg)?;
    let pooling = Section::bare(Features::NO_POOLING);
    let frontend = plan(&section, &pooling, Path::new(""))?.section;
    let recipe = Recipe::open(&Features::of(frontend, pooling), true, None)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads).build()?;
    let started = Instant::now();
    pool.install(|| extract(&index, &args.folder, &recipe, OnBroken::Stop, &outputs, &|_, _| {}))?;
    Ok(Whole {
        seconds: started.elapsed().as_secs_f64(),
        peak_mb: machine::peak_memory_mb(),
        written_mb: fs::metadata(folder.path().join("features.parquet"))?.len() as f64 / 1e6,
    })
}

/// Decodes and describes so many hours, and writes so many megabytes.
pub(super) fn parts(folder: &Path, hours: u32, megabytes: f64) -> Result<Parts> {
    let mut extractor = Extractor::new(&FeatureSet::builtin(SET)?)?;
    let appending = append(folder, megabytes)?;
    let mut parts = Parts { decoding: 0.0, describing: 0.0, appending };
    for utterance in corpus::utterances(hours) {
        let started = Instant::now();
        let cut = Cut { start_s: utterance.start_s, end_s: utterance.end_s };
        let samples = load(&folder.join(&utterance.path), cut)?;
        let decoded = Instant::now();
        black_box(extractor.process(&samples));
        parts.describing += decoded.elapsed().as_secs_f64();
        parts.decoding += (decoded - started).as_secs_f64();
    }
    Ok(parts)
}

/// Seconds that it takes to write so many megabytes to a new file, a row group's worth at a time.
fn append(folder: &Path, megabytes: f64) -> Result<f64> {
    let folder = tempfile::tempdir_in(folder)?;
    let group = vec![0x5a_u8; 1_000_000];
    let mut file = fs::File::create(folder.path().join("bytes"))?;
    let started = Instant::now();
    for _ in 0..megabytes.ceil() as usize {
        file.write_all(&group)?;
    }
    Ok(started.elapsed().as_secs_f64())
}
