//! The index stage: a corpus's utterances to `index.parquet` and their counts.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use ambivox_artifacts::{Listing, listing_digest};
use ambivox_corpus::{
    Corrections, Utterance, corpus_files, dangling_files, read_corpus, summarise, write_index,
};
use ambivox_settings::{CorrectionCounts, IndexParams, Manifest, role};
use rayon::prelude::*;

use crate::StageError;
use crate::job::Job;

pub(crate) fn run(params: &IndexParams, job: &Job<'_>) -> Result<(), StageError> {
    let root = job.input(role::CORPUS)?;
    let mut utterances = read_corpus(root, &params.manifest)?;
    measure(&mut utterances, root, job);
    write_index(&job.output(role::INDEX)?, &utterances)?;
    warn_of_dangling_links(root, &params.manifest, job)?;
    let files = corpus_files(root, &params.manifest.files)?;
    let files: Vec<PathBuf> = files.into_iter().map(PathBuf::from).collect();
    let Listing { files, digest, .. } = listing_digest(root, &files)?;
    let mut summary = summarise(&utterances, &params.manifest, files, &digest.to_string());
    summary.corrections = corrections(root, &params.manifest)?;
    for difference in &summary.release_differences {
        job.reporter.warn(format!("corpus {}: {difference}", summary.corpus));
    }
    job.write_json(role::INDEX_SUMMARY, &summary)
}

/// What the manifest's own file of corrections did.
fn corrections(root: &Path, manifest: &Manifest) -> Result<Option<CorrectionCounts>, StageError> {
    let file = manifest.csv.as_ref().and_then(|layout| layout.corrections.as_deref());
    let read = Corrections::of_corpus(root, manifest)?;
    Ok(read.zip(file).map(|(corrections, file)| corrections.counts(file)))
}

/// Where labels are in the names of files, a file that was not fetched is an utterance that nobody
/// will miss.
fn warn_of_dangling_links(
    root: &Path,
    manifest: &Manifest,
    job: &Job<'_>,
) -> Result<(), StageError> {
    let dangling = dangling_files(root, &manifest.files)?;
    if let Some(first) = dangling.first() {
        job.reporter.warn(format!(
            "corpus {}: {} of its files are links to nothing and are taken as missing, {first} first; \
             `git annex get` fetches those of git-annex",
            manifest.name,
            dangling.len()
        ));
    }
    Ok(())
}

/// Fills in the durations, in parallel. Audio that cannot be opened stays without one: whether it
/// matters is for extraction to say.
fn measure(utterances: &mut [Utterance], root: &Path, job: &Job<'_>) {
    let total = utterances.len() as u64;
    let done = AtomicU64::new(0);
    utterances.par_iter_mut().for_each(|utterance| {
        utterance.duration_s = duration(utterance, root);
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        job.reporter.progress(done, total, "utterances", "");
    });
}

/// Seconds of the utterance within its file.
fn duration(utterance: &Utterance, root: &Path) -> Option<f64> {
    let file = ambivox_audio::probe(&root.join(&utterance.path)).ok()?.duration_s;
    let end = utterance.end_s.map_or(file, |end| end.min(file));
    Some((end - utterance.start_s.unwrap_or(0.0)).max(0.0))
}
