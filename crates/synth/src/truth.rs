//! `truth.parquet`: what every turn really is, for evaluation alone.

use std::path::Path;

use polars::prelude::{
    Column, DataFrame, NamedFrom, ParquetCompression, ParquetWriter, PolarsResult, Series,
};

use crate::SynthError;
use crate::annotate::{Judgement, consensus, votes};
use crate::emotion::Emotion;
use crate::plan::Turn;

/// What is known of a turn once it is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'a> {
    /// The turn.
    pub(crate) turn: &'a Turn,
    /// What the annotators said.
    pub(crate) judgement: &'a Judgement,
    /// Mean F0 over the voiced parts, in Hz.
    pub(crate) f0_hz: f64,
}

/// Writes one row per turn, sorted by `utterance_id`. The columns are in the crate's docs.
pub(crate) fn write(path: &Path, mut turns: Vec<Known<'_>>) -> Result<(), SynthError> {
    turns.sort_by(|a, b| a.turn.name.cmp(&b.turn.name));
    let file = fs_err::File::create(path)?.into_file();
    let writer = ParquetWriter::new(file)
        .with_compression(ParquetCompression::Zstd(None))
        .set_parallel(false);
    table(&turns)
        .and_then(|mut table| writer.finish(&mut table))
        .map_err(|source| SynthError::Truth { path: path.to_path_buf(), source })?;
    Ok(())
}

fn table(turns: &[Known<'_>]) -> PolarsResult<DataFrame> {
    let texts = |name: &str, value: fn(&Known<'_>) -> Option<String>| -> Column {
        Series::new(name.into(), turns.iter().map(value).collect::<Vec<_>>()).into()
    };
    let reals = |name: &str, value: fn(&Known<'_>) -> f64| -> Column {
        Series::new(name.into(), turns.iter().map(value).collect::<Vec<_>>()).into()
    };
    let counts = |name: &str, value: fn(&Known<'_>) -> u32| -> Column {
        Series::new(name.into(), turns.iter().map(value).collect::<Vec<_>>()).into()
    };
    let columns = vec![
        texts("utterance_id", |known| Some(known.turn.name.clone())),
        texts("speaker", |known| Some(known.turn.speaker.name())),
        texts("truth", |known| Some(known.turn.truth.name())),
        texts("rival", |known| Some(known.turn.rival.name())),
        reals("intensity", |known| known.turn.intensity),
        texts("consensus", |known| agreed(known).map(Emotion::name)),
        counts("votes", all_votes),
        counts("votes_for_truth", votes_for_truth),
        reals("f0_hz", |known| known.f0_hz),
    ];
    DataFrame::new(turns.len(), columns)
}

fn agreed(known: &Known<'_>) -> Option<Emotion> {
    consensus(&votes(&known.judgement.labels))
}

fn all_votes(known: &Known<'_>) -> u32 {
    votes(&known.judgement.labels).values().sum()
}

fn votes_for_truth(known: &Known<'_>) -> u32 {
    votes(&known.judgement.labels).get(&known.turn.truth).copied().unwrap_or(0)
}
