//! A corpus in a temporary folder, and its truth as rows.

use std::path::{Path, PathBuf};

use ambivox_settings::SynthSettings;
use polars::prelude::{DataFrame, ParquetReader, SerReader};
use tempfile::TempDir;

pub(crate) const CLASSES: [&str; 4] = ["happiness", "sadness", "neutral", "anger"];

/// Settings of a small corpus.
pub(crate) fn settings() -> SynthSettings {
    SynthSettings {
        seed: 2020,
        turns_per_speaker: 30,
        min_seconds: 0.8,
        mean_seconds: 1.5,
        max_seconds: 4.0,
        annotators: 3,
        annotator_error: 0.25,
        expressiveness: 1.0,
    }
}

/// A corpus that is deleted at the end.
pub(crate) struct Made {
    folder: TempDir,
}

/// One row of the truth.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) speaker: String,
    pub(crate) truth: String,
    pub(crate) consensus: Option<String>,
    pub(crate) votes: u32,
    pub(crate) votes_for_truth: u32,
    pub(crate) f0_hz: f64,
}

impl Row {
    /// Whether the true emotion is one of the four classes.
    pub(crate) fn is_of_a_class(&self) -> bool {
        CLASSES.contains(&self.truth.as_str())
    }

    /// The consensus, where it is one of the four classes.
    pub(crate) fn gold(&self) -> Option<&str> {
        self.consensus.as_deref().filter(|label| CLASSES.contains(label))
    }
}

impl Made {
    pub(crate) fn new(settings: &SynthSettings) -> Self {
        let made = Self { folder: tempfile::tempdir().unwrap() };
        ambivox_synth::generate(settings, &made.corpus(), &made.truth(), &|_, _| ()).unwrap();
        made
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn corpus(&self) -> PathBuf {
        self.folder().join("corpus")
    }

    pub(crate) fn truth(&self) -> PathBuf {
        self.folder().join("truth.parquet")
    }

    /// The audio of one turn.
    pub(crate) fn audio(&self, id: &str) -> Vec<f64> {
        let (dialogue, _) = id.rsplit_once('_').unwrap();
        let session = id[3..5].trim_start_matches('0');
        let path = format!("Session{session}/sentences/wav/{dialogue}/{id}.wav");
        let mut reader = hound::WavReader::open(self.corpus().join(path)).unwrap();
        reader.samples::<i16>().map(|sample| f64::from(sample.unwrap()) / 32768.0).collect()
    }

    pub(crate) fn rows(&self) -> Vec<Row> {
        let file = fs_err::File::open(self.truth()).unwrap().into_file();
        let table = ParquetReader::new(file).finish().unwrap();
        (0..table.height()).map(|row| read_row(&table, row)).collect()
    }
}

fn read_row(table: &DataFrame, row: usize) -> Row {
    let column = |name: &str| table.column(name).unwrap();
    let text = |name: &str| column(name).str().unwrap().get(row).map(str::to_owned);
    let count = |name: &str| column(name).u32().unwrap().get(row).unwrap();
    Row {
        id: text("utterance_id").unwrap(),
        speaker: text("speaker").unwrap(),
        truth: text("truth").unwrap(),
        consensus: text("consensus"),
        votes: count("votes"),
        votes_for_truth: count("votes_for_truth"),
        f0_hz: column("f0_hz").f64().unwrap().get(row).unwrap(),
    }
}
