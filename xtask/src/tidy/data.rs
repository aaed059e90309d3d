//! Corpora stay outside of the repository: rules for the size and kind of tracked files.

use super::Finding;
use super::tree::File;

const AUDIO: [&str; 8] = [".wav", ".flac", ".mp3", ".ogg", ".m4a", ".aac", ".aiff", ".mkv"];
const AUDIO_BYTES: usize = 64 * 1024;
const FILE_BYTES: usize = 512 * 1024;
/// Of a list of digests, which is no data but tells it.
const LIST_BYTES: usize = 1024 * 1024;

/// All rules of this module on one file.
pub(crate) fn check(file: &File) -> Vec<Finding> {
    [audio(file), size(file)].into_iter().flatten().collect()
}

fn audio(file: &File) -> Option<Finding> {
    let lower = file.path.to_ascii_lowercase();
    let is_audio = AUDIO.iter().any(|extension| lower.ends_with(extension));
    let is_fixture = file.path.starts_with("crates/audio/") && file.bytes.len() <= AUDIO_BYTES;
    let remedy = "only crates/audio holds audio, as test files of at most 64 KiB";
    (is_audio && !is_fixture).then(|| Finding::new(&file.path, 1, "audio-file", remedy))
}

fn size(file: &File) -> Option<Finding> {
    let remedy = "keep files under 512 KiB; data are fetched or made, never tracked";
    let is_list = file.path.starts_with("data-manifests/") && file.path.ends_with(".sha256.tsv");
    let most = if is_list { LIST_BYTES } else { FILE_BYTES };
    (file.bytes.len() > most).then(|| Finding::new(&file.path, 1, "big-file", remedy))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, length: usize) -> Vec<&'static str> {
        let file = File { path: path.to_owned(), bytes: vec![0; length] };
        check(&file).into_iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn small_fixtures_of_the_decoder_pass() {
        assert!(rules("crates/audio/tests/tone.flac", 60_000).is_empty());
        assert!(rules("crates/lld/src/lib.rs", 10).is_empty());
    }

    #[test]
    fn audio_elsewhere_or_long_audio_is_found() {
        assert_eq!(rules("data/03a01Fa.wav", 10), ["audio-file"]);
        assert_eq!(rules("crates/audio/tests/long.WAV", 70_000), ["audio-file"]);
    }

    #[test]
    fn big_files_are_found() {
        assert_eq!(rules("crates/lld/golden.parquet", 600_000), ["big-file"]);
        assert!(rules("data-manifests/x.sha256.tsv", 600_000).is_empty());
        assert_eq!(rules("data-manifests/x.tsv", 600_000), ["big-file"]);
    }
}
