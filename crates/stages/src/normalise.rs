//! The normalise stage: every value less its mean, in units of its standard deviation, over all that a
//! speaker has said, or over all of the corpus.

use std::collections::BTreeMap;
use std::path::Path;

use ambivox_corpus::{Utterance, read_index};
use ambivox_features::FeatureTable;
use ambivox_models::MeanVariance;
use ambivox_settings::{Normalisation, NormaliseParams, counted, role, some_listed};

use crate::StageError;
use crate::job::Job;

/// Reads or writes a table of one of the two forms.
type Read = fn(&Path) -> Result<FeatureTable, ambivox_features::FeatureError>;
type Write = fn(&FeatureTable, &Path) -> Result<(), ambivox_features::FeatureError>;

const TABLES: [(&str, Read, Write); 2] = [
    (role::FEATURES, |file| FeatureTable::read(file, None), FeatureTable::write),
    (role::VECTORS, |file| FeatureTable::read_vectors(file, None), FeatureTable::write_vectors),
];

pub(crate) fn run(params: &NormaliseParams, job: &Job<'_>) -> Result<(), StageError> {
    let index = read_index(job.input(role::INDEX)?)?;
    let groups = groups(&index, params.over)?;
    for (role, read, write) in TABLES {
        let Some(file) = job.optional_input(role) else { continue };
        let mut table = read(file)?;
        let single = normalise(&mut table, &groups);
        if !single.is_empty() {
            let (count, some) = (counted(single.len(), params.over.as_str()), some_listed(&single));
            job.reporter.warn(format!(
                "{count} with one row alone, which is all zeros now: {some}; normalise over the corpus"
            ));
        }
        write(&table, &job.output(role)?)?;
    }
    Ok(())
}

/// The ids of every group.
type Groups<'a> = BTreeMap<&'a str, Vec<&'a str>>;

fn groups(index: &[Utterance], over: Normalisation) -> Result<Groups<'_>, StageError> {
    let mut groups = Groups::new();
    for utterance in index {
        let group = match over {
            Normalisation::Speaker => utterance.known_speaker().ok_or_else(|| {
                StageError::Data(format!(
                    "{}: nobody knows its speaker, and values are normalised over each speaker; set \
                     normalisation.over = \"corpus\", or name csv.columns.speaker in the manifest",
                    utterance.utterance_id
                ))
            })?,
            Normalisation::Training | Normalisation::Corpus => "",
        };
        groups.entry(group).or_default().push(&utterance.utterance_id);
    }
    Ok(groups)
}

/// Normalises a table group by group; returns the groups that have one row.
fn normalise(table: &mut FeatureTable, groups: &Groups<'_>) -> Vec<String> {
    let width = table.width();
    let mut single = Vec::new();
    for (group, ids) in groups {
        let rows: Vec<&[f32]> = ids.iter().filter_map(|id| table.get(id)).collect();
        if rows.iter().map(|rows| rows.len()).sum::<usize>() == width {
            single.push((*group).to_owned());
        }
        let scaling = MeanVariance::fit(rows, width);
        for id in ids {
            if let Some(rows) = table.get_mut(id) {
                scaling.apply(rows);
            }
        }
    }
    single
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utterance(id: &str, speaker: &str) -> Utterance {
        Utterance::of("toy", id, &format!("{id}.wav"), speaker)
    }

    fn table(rows: &[(&str, &[f32])]) -> FeatureTable {
        FeatureTable::of(
            ["a", "b"].map(str::to_owned).to_vec(),
            rows.iter().map(|(id, values)| ((*id).to_owned(), values.to_vec())),
        )
    }

    #[test]
    fn every_speaker_has_mean_0_and_deviation_1_and_the_file_says_the_same() {
        let index = [utterance("x1", "x"), utterance("x2", "x"), utterance("y1", "y")];
        let rows: [(&str, &[f32]); 3] =
            [("x1", &[1.0, 10.0, 3.0, 10.0]), ("x2", &[5.0, 10.0]), ("y1", &[100.0, -4.0])];
        let mut by_speaker = table(&rows);
        let groups = groups(&index, Normalisation::Speaker).unwrap();
        assert_eq!(normalise(&mut by_speaker, &groups), ["y"]);
        let sd = (8.0_f32 / 3.0).sqrt();
        assert_eq!(by_speaker.get("x1").unwrap(), [-2.0 / sd, 0.0, 0.0, 0.0]);
        assert_eq!(by_speaker.get("x2").unwrap(), [2.0 / sd, 0.0]);
        assert_eq!(by_speaker.get("y1").unwrap(), [0.0, 0.0]);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("features.parquet");
        by_speaker.write(&file).unwrap();
        let read = FeatureTable::read(&file, None).unwrap();
        assert_eq!(read.get("x1"), by_speaker.get("x1"));
        assert_eq!(read.columns(), by_speaker.columns());

        let mut over_all = table(&rows);
        let groups = super::groups(&index, Normalisation::Corpus).unwrap();
        assert!(normalise(&mut over_all, &groups).is_empty());
        let all: Vec<f32> = ["x1", "x2", "y1"]
            .iter()
            .flat_map(|id| over_all.get(id).unwrap().chunks(2).map(|row| row[0]))
            .collect();
        assert!(all.iter().sum::<f32>().abs() < 1e-5, "{all:?}");
    }

    #[test]
    fn unknown_speakers_are_refused_with_the_remedy() {
        let index = [utterance("x1", "x"), utterance("y1", "")];
        let text = groups(&index, Normalisation::Speaker).unwrap_err().to_string();
        assert!(text.contains("y1: nobody knows its speaker"), "{text}");
        assert!(groups(&index, Normalisation::Corpus).is_ok());
    }
}
