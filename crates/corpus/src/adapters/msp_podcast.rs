//! MSP-Podcast: `labels_consensus.csv` has an utterance a row, `labels.txt` what every annotator chose.
//!
//! Both are read as they are described, not from a copy of the release, which needs a licence. A block of
//! `labels.txt` is a line `FILE.wav; CLASS; …;` and a line `WORKER…; PRIMARY; SECONDARY,…; …;` for each
//! annotator. An annotator's primary emotion is one vote; `Other-…` is `Other`. Who speaks is unknown of some
//! utterances.

use std::collections::BTreeMap;

use ambivox_settings::Sex;

use super::Layout;
use crate::table::{Delimited, Row, Table};
use crate::tree::{Ratings, Tree, stem};
use crate::{CorpusError, Place, Utterance};

/// The table of labels.
const CONSENSUS: &str = "labels_consensus.csv";
/// What annotators chose; some copies lack it.
const ANNOTATORS: &str = "labels.txt";
/// What stands where nobody knows the speaker.
const UNKNOWN: &str = "unknown";
/// Columns of numbers: arousal, valence, dominance.
const NUMBERS: [&str; 3] = ["EmoAct", "EmoVal", "EmoDom"];

/// The layout of MSP-Podcast.
pub(super) struct MspPodcast;

/// What annotators said of one recording.
#[derive(Default)]
struct Heard {
    votes: BTreeMap<String, u32>,
    ratings: Ratings,
}

/// What annotators said, by recording.
type Annotations = BTreeMap<String, Heard>;

impl Layout for MspPodcast {
    fn utterances(
        &self,
        tree: &Tree<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<Vec<Utterance>, CorpusError> {
        let file = tree.file_named(CONSENSUS).ok_or_else(|| CorpusError::FileMissing {
            file: tree.root.join(CONSENSUS),
            key: "files",
            root_env: tree.manifest.root_env.clone(),
        })?;
        let table = Table::read(tree, file, Delimited::COMMA)?;
        let columns = Columns::find(&table)?;
        let wavs: BTreeMap<&str, &str> = tree.wavs().map(|path| (stem(path), path)).collect();
        let mut heard = match tree.file_named(ANNOTATORS) {
            Some(file) => annotators(tree, file)?,
            None => Annotations::new(),
        };
        let mut utterances = Vec::new();
        for row in table.rows() {
            let mut utterance = columns.utterance(tree, row, &wavs)?;
            let Heard { votes, ratings } =
                heard.remove(&utterance.utterance_id).unwrap_or_default();
            (utterance.votes, utterance.ratings) = (votes, ratings);
            utterances.push(utterance);
        }
        if !heard.is_empty() {
            warnings
                .push(format!("{ANNOTATORS}: {} recordings that {CONSENSUS} lacks", heard.len()));
        }
        Ok(utterances)
    }
}

/// Where the columns are in the table of labels.
struct Columns {
    file: usize,
    class: usize,
    speaker: usize,
    sex: Option<usize>,
    numbers: Vec<(&'static str, usize)>,
}

impl Columns {
    fn find(table: &Table) -> Result<Self, CorpusError> {
        let mut numbers = Vec::new();
        for name in NUMBERS {
            numbers.extend(table.find(name)?.map(|column| (name, column)));
        }
        Ok(Self {
            file: table.column("FileName")?,
            class: table.column("EmoClass")?,
            speaker: table.column("SpkrID")?,
            sex: table.find("Gender")?,
            numbers,
        })
    }

    fn utterance(
        &self,
        tree: &Tree<'_>,
        row: &Row,
        wavs: &BTreeMap<&str, &str>,
    ) -> Result<Utterance, CorpusError> {
        let id = stem(row.cell(self.file)?);
        // Where there is no such file, the extraction says so by this path.
        let path =
            wavs.get(id).map_or_else(|| format!("Audios/{id}.wav"), |path| (*path).to_owned());
        let speaker = row.name(self.speaker)?.filter(|name| !name.eq_ignore_ascii_case(UNKNOWN));
        let mut utterance = tree.utterance(id, &path, &speaker.unwrap_or_default(), &row.place)?;
        utterance.gold = tree.label(row.cell(self.class)?, &row.place)?;
        utterance.sex = self.sex.map_or(Ok(None), |column| row.cell(column).map(sex))?;
        for (name, column) in &self.numbers {
            let number = row.cell(*column)?.parse().ok().filter(|number: &f64| number.is_finite());
            utterance.attributes.extend(number.map(|number| ((*name).to_owned(), number)));
        }
        Ok(utterance)
    }
}

fn sex(word: &str) -> Option<Sex> {
    match word {
        "Female" => Some(Sex::Female),
        "Male" => Some(Sex::Male),
        _ => None,
    }
}

/// Votes and ratings of all recordings, by their names without extension.
fn annotators(tree: &Tree<'_>, file: &str) -> Result<Annotations, CorpusError> {
    let bytes = tree.bytes(file)?;
    let text = String::from_utf8_lossy(&bytes);
    let (mut all, mut current) = (Annotations::new(), None);
    for (line, number) in text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty()) {
        let place = Place::line(file, number);
        let mut fields = line.split(';').map(str::trim);
        let (Some(head), Some(choice)) = (fields.next(), fields.next()) else {
            return Err(malformed(place, line));
        };
        if !head.starts_with("WORKER") {
            current = Some(stem(head).to_owned());
            continue;
        }
        let Some(recording) = &current else { return Err(malformed(place, line)) };
        let word = choice.split_once('-').map_or(choice, |(word, _)| word.trim());
        let heard: &mut Heard = all.entry(recording.clone()).or_default();
        tree.rate(&mut heard.ratings, head, [word], &place)?;
        for (label, count) in tree.votes([(word, 1)], &place)? {
            *heard.votes.entry(label).or_default() += count;
        }
    }
    Ok(all)
}

fn malformed(place: Place, line: &str) -> CorpusError {
    CorpusError::Malformed {
        place,
        found: line.to_owned(),
        expected: "a recording as FILE.wav; N; … or, below one, WORKER…; Neutral; …".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{folder, manifest, put, utterances_of};

    const TABLE: &str = "FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set\n\
        MSP-PODCAST_0001_0008.wav,N,2.2,4.0,3.8,127,Male,Test1\n\
        MSP-PODCAST_0002_0033.wav,X,4.8,3.8,5.6,Unknown,Unknown,Train\n\
        MSP-PODCAST_0003_0001.wav,A,5.0,,5.5,8,Female,Development\n";
    const RATERS: &str = "MSP-PODCAST_0001_0008.wav; N; A:2.2; V:4.0; D:3.8;\n\
        WORKER00000001; Neutral; Neutral,Concerned; A:3.000; V:4.000; D:4.000;\n\
        WORKER00000002; Other-bored; Neutral; A:1.000; V:4.000; D:4.000;\n\n\
        MSP-PODCAST_0002_0033.wav; X; A:4.8; V:3.8; D:5.6;\n\
        WORKER00000001; Angry; ; A:3.000; V:4.000; D:4.000;\n\
        WORKER00000003; Happy; Happy; A:3.000; V:4.000; D:4.000;\n";

    fn release(table: &str, raters: &str) -> tempfile::TempDir {
        let root =
            folder(&["Audios/MSP-PODCAST_0001_0008.wav", "Audios/MSP-PODCAST_0003_0001.wav"]);
        put(root.path(), "Labels/labels_consensus.csv", table);
        put(root.path(), "Labels/labels.txt", raters);
        root
    }

    #[test]
    fn labels_speakers_and_every_annotator_are_read() {
        let root = release(TABLE, RATERS);
        let found = utterances_of(root.path(), &manifest("msp-podcast")).unwrap();
        let [clear, split, unvoted] = &found[..] else { panic!("{found:?}") };
        assert_eq!(
            (clear.utterance_id.as_str(), clear.speaker.as_str()),
            ("MSP-PODCAST_0001_0008", "127")
        );
        assert_eq!((clear.gold.as_deref(), clear.sex), (Some("neutral"), Some(Sex::Male)));
        assert_eq!(clear.path, "Audios/MSP-PODCAST_0001_0008.wav");
        assert_eq!(clear.votes, [("neutral".to_owned(), 1), ("other".to_owned(), 1)].into());
        let named = |label: &str| [label.to_owned()].into();
        assert_eq!(clear.ratings["WORKER00000001"], named("neutral"));
        assert_eq!(clear.ratings["WORKER00000002"], named("other"));
        assert_eq!(split.ratings["WORKER00000003"], named("happiness"));
        assert_eq!(clear.attributes["EmoDom"], 3.8);
        assert_eq!((split.gold.as_deref(), split.known_speaker(), split.sex), (None, None, None));
        assert_eq!(split.path, "Audios/MSP-PODCAST_0002_0033.wav", "which is not there");
        assert_eq!(split.votes, [("anger".to_owned(), 1), ("happiness".to_owned(), 1)].into());
        assert!(unvoted.votes.is_empty() && !unvoted.attributes.contains_key("EmoVal"));
    }

    #[test]
    fn what_cannot_be_read_names_file_and_line() {
        let refused = |table: &str, raters: &str| {
            let root = release(table, raters);
            utterances_of(root.path(), &manifest("msp-podcast")).unwrap_err().to_string()
        };
        let text = refused(TABLE, "WORKER1; Neutral; ;\n");
        assert!(text.contains("labels.txt:1") && text.contains("FILE.wav; N; …"), "{text}");
        let text = refused(TABLE, &RATERS.replace("Happy; Happy", "Cheery; Happy"));
        assert!(text.contains("labels.txt:7") && text.contains("Cheery"), "{text}");
        let text = refused(&TABLE.replace("SpkrID", "Speaker"), RATERS);
        assert!(text.contains("SpkrID"), "{text}");
        let root = folder(&["Audios/a.wav"]);
        let error = utterances_of(root.path(), &manifest("msp-podcast")).unwrap_err();
        assert!(error.to_string().contains("labels_consensus.csv"), "{error}");
    }
}
