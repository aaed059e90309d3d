//! The normalise stage: every value less its mean, in units of its standard deviation, over all that a
//! speaker has said, or over all of the corpus.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use ambivox_corpus::{Utterance, read_index};
use ambivox_features::FeatureTable;
use ambivox_models::MeanVariance;
use ambivox_settings::{Normalisation, NormaliseParams, counted, role, some_listed};

use crate::StageError;
use crate::job::Job;

pub(crate) fn run(params: &NormaliseParams, job: &Job<'_>) -> Result<(), StageError> {
    let index = read_index(job.input(role::INDEX)?)?;
    let groups = groups(&index, params.over)?;
    for role in [role::FEATURES, role::VECTORS] {
        let Some(file) = job.optional_input(role) else { continue };
        let single = normalise(&FeatureTable::open(file)?, &groups, &job.output(role)?)?;
        if !single.is_empty() {
            let (count, some) = (counted(single.len(), params.over.as_str()), some_listed(&single));
            job.reporter.warn(format!(
                "{count} with one row alone, which is all zeros now: {some}; normalise over the corpus"
            ));
        }
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

/// Writes a table normalised group by group; returns the groups that have one row.
fn normalise(
    table: &FeatureTable,
    groups: &Groups<'_>,
    out: &Path,
) -> Result<Vec<String>, StageError> {
    let (mut single, mut scalings) = (Vec::new(), BTreeMap::new());
    for (group, ids) in groups {
        let rows = || ids.iter().filter_map(|id| table.get(id));
        if rows().map(|rows| rows.len()).sum::<usize>() == table.width() {
            single.push((*group).to_owned());
        }
        let scaling = Rc::new(MeanVariance::fit(rows(), table.width()));
        scalings.extend(ids.iter().map(|id| (*id, Rc::clone(&scaling))));
    }
    table.write_changed(out, |id, rows| {
        if let Some(scaling) = scalings.get(id) {
            scaling.apply(rows);
        }
    })?;
    Ok(single)
}

#[cfg(test)]
mod tests {
    use ambivox_features::{Precision, RowWriter};

    use super::*;

    fn utterance(id: &str, speaker: &str) -> Utterance {
        Utterance::of("toy", id, &format!("{id}.wav"), speaker)
    }

    /// What becomes of a table, and the groups that have one row.
    fn normalised(rows: &[(&str, &[f32])], groups: &Groups<'_>) -> (FeatureTable, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let [before, after] = ["before", "after"].map(|name| folder.path().join(name));
        let mut writer =
            RowWriter::create(&before, ["a", "b"].map(str::to_owned).to_vec(), Precision::F32)
                .unwrap();
        for (id, values) in rows {
            writer.push(id, values).unwrap();
        }
        writer.finish().unwrap();
        let single = normalise(&FeatureTable::open(&before).unwrap(), groups, &after).unwrap();
        (FeatureTable::open(&after).unwrap(), single)
    }

    #[test]
    fn every_speaker_has_mean_0_and_deviation_1() {
        let index = [utterance("x1", "x"), utterance("x2", "x"), utterance("y1", "y")];
        let rows: [(&str, &[f32]); 3] =
            [("x1", &[1.0, 10.0, 3.0, 10.0]), ("x2", &[5.0, 10.0]), ("y1", &[100.0, -4.0])];
        let groups = groups(&index, Normalisation::Speaker).unwrap();
        let (by_speaker, single) = normalised(&rows, &groups);
        assert_eq!(single, ["y"]);
        let sd = (8.0_f32 / 3.0).sqrt();
        assert_eq!(*by_speaker.get("x1").unwrap(), [-2.0 / sd, 0.0, 0.0, 0.0]);
        assert_eq!(*by_speaker.get("x2").unwrap(), [2.0 / sd, 0.0]);
        assert_eq!(*by_speaker.get("y1").unwrap(), [0.0, 0.0]);
        assert_eq!(by_speaker.columns(), ["a", "b"]);

        let groups = super::groups(&index, Normalisation::Corpus).unwrap();
        let (over_all, single) = normalised(&rows, &groups);
        assert!(single.is_empty());
        let all: Vec<f32> = ["x1", "x2", "y1"]
            .iter()
            .flat_map(|id| {
                over_all.get(id).unwrap().chunks(2).map(|row| row[0]).collect::<Vec<_>>()
            })
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
