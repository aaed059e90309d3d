//! `index.parquet`: the list of utterances as a table.
//!
//! Columns: `utterance_id, path, corpus, session, speaker, sex, start_s, end_s, duration_s, gold,
//! votes`, then `sentence` and `ratings` where there are such, then one column of numbers per attribute, sorted by
//! name. `sex`, the times, `gold`, sentences and the attributes may be null; `votes` is a list of label and count,
//! sorted by label, `ratings` one of annotator and label. Same utterances, same bytes.

mod lists;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use ambivox_settings::Sex;
use polars::prelude::{
    Column, DataFrame, ParquetCompression, ParquetReader, ParquetWriter, PolarsError, PolarsResult,
    SerReader, StatisticsOptions,
};

use crate::{CorpusError, Utterance, check_version, version_metadata};

/// Columns that are no attributes, in order.
const COLUMNS: [&str; 13] = [
    "utterance_id",
    "path",
    "corpus",
    "session",
    "speaker",
    "sex",
    "start_s",
    "end_s",
    "duration_s",
    "gold",
    "votes",
    SENTENCE,
    RATINGS,
];

/// The column of sentences, which most corpora do without.
const SENTENCE: &str = "sentence";

/// The column of who named what, which most corpora do not tell.
const RATINGS: &str = "ratings";

/// Rows per row group, which is what [`Index::utterances`] has in memory: some 2 MB.
const ROW_GROUP: usize = 1 << 12;

/// Writes the index, in the order given. Errors: the file cannot be written; an attribute is named
/// like one of the other columns.
pub fn write_index(path: &Path, utterances: &[Utterance]) -> Result<(), CorpusError> {
    let mut frame = frame(utterances).map_err(|source| parquet(path, source))?;
    let file = fs_err::File::create(path).map_err(CorpusError::Write)?;
    ParquetWriter::new(file)
        .with_compression(ParquetCompression::Zstd(None))
        .with_statistics(StatisticsOptions::empty())
        .with_row_group_size(Some(ROW_GROUP))
        .set_parallel(false)
        .with_key_value_metadata(version_metadata())
        .finish(&mut frame)
        .map_err(|source| parquet(path, source))?;
    Ok(())
}

/// Reads an index back, in the file's order, without who named what. Errors: as those of [`Index`].
pub fn read_index(path: &Path) -> Result<Vec<Utterance>, CorpusError> {
    Index::open(path)?.utterances().collect()
}

/// As [`read_index`], with who named what.
pub fn read_rated_index(path: &Path) -> Result<Vec<Utterance>, CorpusError> {
    Index { columns: None, ..Index::open(path)? }.utterances().collect()
}

/// An index on disk, whose utterances are read a row group at a time, so that memory does not grow
/// with the corpus; who named what, which is most of it where it is known, is not read.
#[derive(Debug, Clone)]
pub struct Index {
    path: PathBuf,
    /// First row and number of rows of every row group.
    groups: Vec<(usize, usize)>,
    /// The columns to read, where not all.
    columns: Option<Vec<String>>,
}

impl Index {
    /// Reads the file's footer. Errors: the file cannot be read, is no Parquet, or is of another
    /// version.
    pub fn open(path: &Path) -> Result<Self, CorpusError> {
        let mut reader = reader(path)?;
        let metadata = check_version(&mut reader).and_then(|()| reader.get_metadata().cloned());
        let metadata = metadata.map_err(|source| parquet(path, source))?;
        let groups = metadata.row_groups.iter().scan(0, |first, group| {
            let rows = group.num_rows();
            Some((std::mem::replace(first, *first + rows), rows))
        });
        let groups = groups.collect();
        let schema = reader.schema().map_err(|source| parquet(path, source))?;
        let names = schema.iter_names().filter(|name| name.as_str() != RATINGS);
        let columns = names.map(ToString::to_string).collect();
        Ok(Self { path: path.to_path_buf(), groups, columns: Some(columns) })
    }

    /// Number of utterances.
    pub fn len(&self) -> usize {
        self.groups.iter().map(|(_, rows)| rows).sum()
    }

    /// Whether there is no utterance.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Length of the utterances in seconds; those of unknown length count as nothing. Errors: as
    /// those of [`Index::utterances`].
    pub fn seconds(&self) -> Result<f64, CorpusError> {
        self.groups.iter().try_fold(0.0, |sum, &group| {
            let frame = self.read(group, Some(vec!["duration_s".to_owned()]))?;
            let column = frame.column("duration_s").and_then(Column::f64);
            let known = column.map_err(|source| parquet(&self.path, source))?.iter().flatten();
            Ok(known.fold(sum, |sum, seconds| sum + seconds))
        })
    }

    /// The utterances in the file's order. Errors: the file cannot be read or lacks one of the
    /// columns of an index.
    pub fn utterances(&self) -> impl Iterator<Item = Result<Utterance, CorpusError>> + Send + '_ {
        self.groups.iter().flat_map(|&group| {
            let rows = self.read(group, self.columns.clone()).and_then(|frame| {
                utterances(&frame, group.0).map_err(|source| parquet(&self.path, source))
            });
            let (rows, error) = rows.map_or_else(|e| (Vec::new(), Some(e)), |rows| (rows, None));
            rows.into_iter().map(Ok).chain(error.map(Err))
        })
    }

    fn read(
        &self,
        group: (usize, usize),
        columns: Option<Vec<String>>,
    ) -> Result<DataFrame, CorpusError> {
        let reader = reader(&self.path)?.with_slice(Some(group)).with_columns(columns);
        reader.finish().map_err(|source| parquet(&self.path, source))
    }
}

fn reader(path: &Path) -> Result<ParquetReader<File>, CorpusError> {
    let file = fs_err::File::open(path).map_err(CorpusError::Read)?;
    Ok(ParquetReader::new(file.into_parts().0))
}

fn parquet(path: &Path, source: PolarsError) -> CorpusError {
    CorpusError::Parquet { file: path.to_path_buf(), source: Box::new(source) }
}

fn frame(utterances: &[Utterance]) -> PolarsResult<DataFrame> {
    let texts = |name: &str, get: fn(&Utterance) -> &str| {
        Column::new(name.into(), utterances.iter().map(get).collect::<Vec<_>>())
    };
    let mut columns = vec![
        texts("utterance_id", |u| &u.utterance_id),
        texts("path", |u| &u.path),
        texts("corpus", |u| &u.corpus),
        texts("session", |u| &u.session),
        texts("speaker", |u| &u.speaker),
        optional("sex", utterances.iter().map(|u| u.sex.map(Sex::as_str))),
        numbers("start_s", utterances.iter().map(|u| u.start_s)),
        numbers("end_s", utterances.iter().map(|u| u.end_s)),
        numbers("duration_s", utterances.iter().map(|u| u.duration_s)),
        optional("gold", utterances.iter().map(|u| u.gold.as_deref())),
        lists::from_votes("votes", utterances.iter().map(|u| &u.votes))?,
    ];
    if utterances.iter().any(|u| u.sentence.is_some()) {
        columns.push(optional(SENTENCE, utterances.iter().map(|u| u.sentence.as_deref())));
    }
    if utterances.iter().any(|u| !u.ratings.is_empty()) {
        columns.push(lists::from_ratings(RATINGS, utterances.iter().map(|u| &u.ratings))?);
    }
    let names: BTreeSet<&String> = utterances.iter().flat_map(|u| u.attributes.keys()).collect();
    for name in names {
        columns.push(numbers(name, utterances.iter().map(|u| u.attributes.get(name).copied())));
    }
    DataFrame::new(utterances.len(), columns)
}

fn optional<'a>(name: &str, texts: impl Iterator<Item = Option<&'a str>>) -> Column {
    Column::new(name.into(), texts.collect::<Vec<_>>())
}

fn numbers(name: &str, values: impl Iterator<Item = Option<f64>>) -> Column {
    Column::new(name.into(), values.collect::<Vec<_>>())
}

/// The rows of a frame that begins with this row of the file.
fn utterances(frame: &DataFrame, first: usize) -> PolarsResult<Vec<Utterance>> {
    let text = |name: &str, row: usize| -> PolarsResult<Option<String>> {
        Ok(frame.column(name)?.str()?.get(row).map(str::to_owned))
    };
    let required = |name: &str, row: usize| -> PolarsResult<String> {
        text(name, row)?.ok_or_else(|| null(name, first + row))
    };
    let number = |name: &str, row: usize| PolarsResult::Ok(frame.column(name)?.f64()?.get(row));
    let attributes = attribute_names(frame);
    let has = |name: &str| frame.columns().iter().any(|column| column.name() == name);
    let has_sentences = has(SENTENCE);
    let sentence = |row| if has_sentences { text(SENTENCE, row) } else { Ok(None) };
    let mut votes = lists::votes(frame.column("votes")?)?.into_iter();
    let ratings = if has(RATINGS) { lists::ratings(frame.column(RATINGS)?)? } else { Vec::new() };
    let mut ratings = ratings.into_iter();
    let row = |row: usize| {
        Ok(Utterance {
            utterance_id: required("utterance_id", row)?,
            path: required("path", row)?,
            corpus: required("corpus", row)?,
            session: required("session", row)?,
            speaker: required("speaker", row)?,
            sex: text("sex", row)?.map(|word| sex(&word)).transpose()?,
            sentence: sentence(row)?,
            start_s: number("start_s", row)?,
            end_s: number("end_s", row)?,
            duration_s: number("duration_s", row)?,
            gold: text("gold", row)?,
            votes: votes.next().unwrap_or_default(),
            ratings: ratings.next().unwrap_or_default(),
            attributes: row_attributes(frame, &attributes, row)?,
        })
    };
    (0..frame.height()).map(row).collect()
}

fn attribute_names(frame: &DataFrame) -> Vec<String> {
    let names = frame.columns().iter().map(|column| column.name().as_str());
    names.filter(|name| !COLUMNS.contains(name)).map(str::to_owned).collect()
}

fn row_attributes(
    frame: &DataFrame,
    names: &[String],
    row: usize,
) -> PolarsResult<BTreeMap<String, f64>> {
    let mut attributes = BTreeMap::new();
    for name in names {
        if let Some(value) = frame.column(name)?.f64()?.get(row) {
            attributes.insert(name.clone(), value);
        }
    }
    Ok(attributes)
}

fn sex(word: &str) -> PolarsResult<Sex> {
    let known = [Sex::Female, Sex::Male].into_iter().find(|sex| sex.as_str() == word);
    known.ok_or_else(|| {
        PolarsError::ComputeError(format!("column sex holds {word:?}, not female or male").into())
    })
}

fn null(name: &str, row: usize) -> PolarsError {
    PolarsError::ComputeError(format!("column {name} is null in row {row}").into())
}

#[cfg(test)]
mod tests;
