//! Label files of corpora.

use std::path::Path;
use std::sync::LazyLock;

use ambivox_corpus::{Corpus, parse_evaluation, read_corpus};
use ambivox_settings::Manifest;

use crate::with_file;

/// Every column that the adapter knows, so that each of its readers is reached.
const MANIFEST: &str = r#"
schema = 1
name = "toy"
title = "Toy"
synthetic = false
licence = "CC0-1.0"
source = "https://example.org"
citation = "none"
root_env = "TOY_ROOT"
adapter = "csv"
files = ["labels.csv", "wav/*.wav"]

[labels]
happy = "happiness"
sad = "sadness"
unclear = ""

[csv]
table = "labels.csv"
delimiter = ","

[csv.columns]
file = "file"
speaker = "speaker"
emotion = "emotion"
session = "session"
sex = "gender"
start = "start"
end = "end"
votes = "raters"
"#;

/// An utterance of MSP-Podcast.
const CONSENSUS: &str = "FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set\n\
    MSP-PODCAST_0001_0008.wav,N,2.2,4.0,3.8,127,Male,Test1\n";

static MSP: LazyLock<Manifest> = LazyLock::new(|| {
    let text = include_str!("../../../data-manifests/msp-podcast.toml");
    let files = "files = [\"*.wav\", \"labels_consensus.csv\", \"labels.txt\"]";
    let text = text.replace(text.lines().find(|line| line.starts_with("files")).unwrap(), files);
    Manifest::parse(Path::new("msp-podcast.toml"), &text).unwrap()
});

static TOY: LazyLock<Manifest> =
    LazyLock::new(|| Manifest::parse(Path::new("toy.toml"), MANIFEST).unwrap());

/// IEMOCAP's evaluation files: times are finite, lines are lines of the file.
pub fn evaluation(bytes: &[u8]) {
    let lines = bytes.split(|&byte| byte == b'\n').count() as u64;
    for turn in parse_evaluation(bytes).unwrap_or_default() {
        assert!(turn.start_s.is_finite() && turn.end_s.is_finite(), "{turn:?}");
        assert!((1..=lines).contains(&turn.line), "{turn:?}");
        assert!(turn.attributes.iter().flatten().all(|mean| mean.is_finite()), "{turn:?}");
    }
}

/// Tables of the csv adapter: every line but the first is an utterance, cuts are in order, paths stay below
/// the root, and whoever speaks has a name.
pub fn csv(bytes: &[u8]) {
    with_file("labels.csv", bytes, |root| {
        let Ok(Corpus { utterances, .. }) = read_corpus(root, &TOY) else { return };
        let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let lines = text.split(|&byte| matches!(byte, b'\n' | b'\r'));
        assert_eq!(utterances.len() + 1, lines.filter(|line| !line.is_empty()).count());
        for utterance in utterances {
            let leaves = utterance.path.split('/').any(|part| matches!(part, "" | "." | ".."));
            assert!(!leaves, "{utterance:?}");
            let start = utterance.start_s.unwrap_or(0.0);
            assert!(start >= 0.0 && utterance.end_s.is_none_or(|end| end > start), "{utterance:?}");
            assert!(!utterance.speaker.trim().is_empty(), "{utterance:?}");
        }
    });
}

/// What MSP-Podcast's annotators chose, beside a table of one utterance: every vote is for a class of the
/// manifest.
pub fn annotators(bytes: &[u8]) {
    with_file("labels.txt", bytes, |root| {
        fs_err::write(root.join("labels_consensus.csv"), CONSENSUS).unwrap();
        let Ok(Corpus { utterances, .. }) = read_corpus(root, &MSP) else { return };
        assert_eq!(utterances.len(), 1);
        for class in utterances[0].votes.keys() {
            assert!(MSP.labels.values().any(|named| named == class), "{class}");
        }
    });
}
