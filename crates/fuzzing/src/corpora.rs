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
