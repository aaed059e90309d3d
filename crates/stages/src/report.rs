//! The report stage: the records of a pipeline to one page.

use ambivox_artifacts::StatMemo;
use ambivox_corpus::Corrections;
use ambivox_eval::{NoiseSummary, RunHistory, Summary};
use ambivox_report::ReportInput;
use ambivox_settings::{Exclusions, IndexSummary, ReportParams, Splits, role};
use fs_err as fs;

use crate::job::Job;
use crate::{StageError, run_histories};

pub(crate) fn run(params: &ReportParams, job: &Job<'_>) -> Result<(), StageError> {
    let summary = Summary::from_json(&fs::read_to_string(job.input(role::SUMMARY)?)?)?;
    let index: IndexSummary = job.read_json(role::INDEX_SUMMARY)?;
    let exclusions: Exclusions = job.read_json(role::EXCLUSIONS)?;
    let splits: Splits = job.read_json(role::SPLITS)?;
    let histories: Vec<RunHistory> = run_histories::read(job)?.into_values().collect();
    let noise = job.optional_input(role::NOISE_SUMMARY);
    let noise = noise.map(|file| Ok::<_, StageError>(fs::read_to_string(file)?)).transpose()?;
    let noise = noise.map(|text| NoiseSummary::from_json(&text)).transpose()?;
    let corrections = params.corrections.as_ref().map(|section| {
        let read = Corrections::read(job.input(role::CORRECTIONS)?)?;
        Ok::<_, StageError>(read.counts(&section.file.display().to_string()))
    });
    let corrections = corrections.transpose()?;
    let corrections = corrections.as_ref().zip(params.corrections.as_ref());
    let made_of = StatMemo::in_memory().file(job.input(role::SUMMARY)?)?;
    let provenance = [
        ("Ambivox".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("Corpus files (BLAKE3)".to_owned(), index.blake3.clone()),
        ("Rates (BLAKE3 of summary.json)".to_owned(), made_of.digest.to_string()),
        (
            "Lineage of these rates".to_owned(),
            format!("cargo xtask show {}", made_of.digest.short()),
        ),
    ];
    let input = ReportInput {
        title: &params.title,
        manifest: &params.manifest,
        model: &params.model,
        own_models: &params.own_models,
        pipeline_toml: &params.pipeline_toml,
        summary: &summary,
        index: &index,
        exclusions: &exclusions,
        splits: &splits,
        histories: &histories,
        noise: noise.as_ref(),
        balanced: params.balanced,
        corrections: corrections.map(|(counts, section)| (counts, section.test)),
        provenance: &provenance,
    };
    Ok(ambivox_report::write(&job.output(role::REPORT)?, &input)?)
}
