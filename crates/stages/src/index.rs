//! The index stage: a corpus's utterances to `index.parquet` and their counts.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use ambivox_artifacts::{Listing, listing_digest};
use ambivox_audio::probe;
use ambivox_corpus::{Corpus, Corrections, Utterance, read_corpus, summarise, write_index};
use ambivox_settings::{CorrectionCounts, IndexParams, Manifest, role};
use rayon::prelude::*;

use crate::StageError;
use crate::annotators;
use crate::job::Job;

pub(crate) fn run(params: &IndexParams, job: &Job<'_>) -> Result<(), StageError> {
    let root = job.input(role::CORPUS)?;
    let Corpus { mut utterances, warnings, files, dangling } = read_corpus(root, &params.manifest)?;
    if let Some(first) = dangling.first() {
        warn_of_dangling_links(&params.manifest.name, dangling.len(), first, job);
    }
    measure(&mut utterances, &files, root, &|done, total| {
        job.reporter.progress(done, total, "utterances", "");
    })?;
    write_index(&job.output(role::INDEX)?, &utterances)?;
    let files: Vec<PathBuf> = files.into_iter().map(PathBuf::from).collect();
    let (manifest, release) = (&params.manifest, params.manifest.release_of(&files));
    let Listing { files, digest, .. } = listing_digest(root, &files)?;
    let mut summary = summarise(&utterances, manifest, release, files, &digest.to_string());
    summary.corrections = corrections(root, &params.manifest)?;
    summary.annotators = annotators::summarise(&utterances)?;
    summary.warnings = warnings;
    for warning in summary.release_differences.iter().chain(&summary.warnings) {
        job.reporter.warn(format!("corpus {}: {warning}", summary.corpus));
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
fn warn_of_dangling_links(corpus: &str, count: usize, first: &str, job: &Job<'_>) {
    job.reporter.warn(format!(
        "corpus {corpus}: links to nothing, taken as missing files: {count}, {first} first; \
         `git annex get` fetches those of git-annex"
    ));
}

/// Fills in the durations, in parallel. What has no audio of a known format, or no file at all among
/// `files`, stays without one: whether it matters is for extraction to say.
///
/// # Errors
/// One of the files, which are sorted, cannot be read.
fn measure(
    utterances: &mut [Utterance],
    files: &[String],
    root: &Path,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<(), StageError> {
    let total = utterances.len() as u64;
    let done = AtomicU64::new(0);
    utterances.par_iter_mut().try_for_each(|utterance| {
        if files.binary_search(&utterance.path).is_ok() {
            utterance.duration_s = duration(utterance, root)?;
        }
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        progress(done, total);
        Ok(())
    })
}

/// Seconds of the utterance within its file.
fn duration(utterance: &Utterance, root: &Path) -> Result<Option<f64>, StageError> {
    let file = match probe(&root.join(&utterance.path)).map_err(StageError::recording) {
        Ok(info) => info.duration_s,
        Err(StageError::Data(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let end = utterance.end_s.map_or(file, |end| end.min(file));
    Ok(Some((end - utterance.start_s.unwrap_or(0.0)).max(0.0)))
}

#[cfg(test)]
mod tests {
    use ambivox_settings::exit;
    use fs_err as fs;

    use super::*;

    #[test]
    fn a_listed_file_that_cannot_be_read_is_no_missing_duration() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("text.wav"), "no sound at all").unwrap();
        let mut utterances =
            ["gone.wav", "never.wav", "text.wav"].map(|path| Utterance::of("toy", path, path, "s"));
        let mut measured = |files: &[&str]| {
            let files: Vec<String> = files.iter().map(|&file| file.to_owned()).collect();
            measure(&mut utterances, &files, folder.path(), &|_, _| {})?;
            Ok(utterances.iter().map(|u| u.duration_s).collect::<Vec<_>>())
        };
        assert_eq!(measured(&["text.wav"]).unwrap(), [None; 3]);
        let error: StageError = measured(&["gone.wav", "text.wav"]).unwrap_err();
        assert_eq!(error.exit_code(), exit::FAILED);
        let text = error.to_string();
        assert!(text.contains("gone.wav: cannot be read: No such file or directory"), "{text}");
        assert!(text.contains("run this again when the file can be read"), "{text}");
    }
}
