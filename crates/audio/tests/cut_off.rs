//! Files that were cut off anywhere are errors, whatever their format, and whole ones are not.

#![allow(clippy::unwrap_used, reason = "a test that cannot read its files has failed")]

use std::path::{Path, PathBuf};

use ambivox_audio::{AudioError, Cut, decode, load};
use fs_err as fs;

/// Files in the folder of fixtures that are no recording, or one that cannot be decoded.
const OTHERS: [&str; 2] = ["README.md", "tone.opus"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests-data")
}

fn fixtures() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| !file.ends_with("README.md"));
    files.sort();
    files
}

fn decoded(content: &[u8]) -> Result<usize, AudioError> {
    decode(content, Path::new("cut"), Cut::default()).map(|samples| samples.len())
}

#[test]
fn whole_files_are_accepted() {
    for file in fixtures() {
        let name = file.file_name().unwrap().to_str().unwrap();
        if !OTHERS.contains(&name) {
            let samples = load(&file, Cut::default()).unwrap();
            assert!(samples.len() >= 6400, "{name}: {} samples", samples.len());
        }
    }
}

#[test]
fn no_file_that_was_cut_off_is_a_shorter_recording() {
    for file in fixtures() {
        let content = fs::read(&file).unwrap();
        for percent in [50, 70, 95] {
            let what = format!("{} at {percent} %", file.display());
            let cut = decoded(&content[..content.len() * percent / 100]);
            let text = cut.expect_err(&what).to_string();
            // Blocks of ADPCM end before their samples are counted.
            let plain = ["truncated: ", "it ends in the middle of its data"];
            assert!(plain.iter().any(|plain| text.contains(plain)), "{what}: {text}");
        }
    }
}

/// What the documentation of the crate excepts: nothing tells that the cut was not the end.
#[test]
fn only_formats_without_a_length_may_end_between_two_frames() {
    for (name, border) in [
        ("tone-no-count.mp3", 1920),
        ("tone.aac", 1815),
        ("tone-pipe.flac", 916),
        ("tone-pipe.mka", 4096),
        ("tone-fragments.m4a", 3008),
    ] {
        let content = fs::read(folder().join(name)).unwrap();
        let cut = |length: usize| decoded(&content[..length]);
        assert!((3000..7000).contains(&cut(border).unwrap()), "{name}: {:?}", cut(border));
        for length in [border - 1, border + 1] {
            assert!(cut(length).is_err(), "{name} at byte {length}");
        }
    }
    let error = decoded(&fs::read(folder().join("tone.mp3")).unwrap()[..2108]).unwrap_err();
    assert!(error.to_string().contains("its header counts"), "{error}");
}
