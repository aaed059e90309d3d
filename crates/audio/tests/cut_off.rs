//! Files that were cut off anywhere are errors, whatever their format, and whole ones are not.

#![allow(clippy::unwrap_used, reason = "a test that cannot read its files has failed")]

use std::path::{Path, PathBuf};

use ambivox_audio::{AudioError, Cut, decode, load};
use fs_err as fs;

/// Files in the folder of fixtures that hold no recording, or one that cannot be decoded.
const OTHERS: [&str; 5] =
    ["no-audio.mp4", "tone-ac3.mka", "tone-gsm.wav", "tone-six-channels.m4a", "tone.opus"];

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
        let samples = load(&file, Cut::default());
        let is_whole = samples.as_ref().is_ok_and(|samples| samples.len() >= 6400);
        assert_ne!(is_whole, OTHERS.contains(&name), "{name}: {:?}", samples.map(|s| s.len()));
    }
}

#[test]
fn no_file_that_was_cut_off_is_a_shorter_recording() {
    // Blocks of ADPCM end before their samples are counted, and CAF before the table of its packets.
    let plain = [
        "truncated: ",
        "it ends in the middle of its data",
        "headers of CAF in it cannot be read",
        "cannot be decoded",
    ];
    let mut others = Vec::new();
    for file in fixtures() {
        let content = fs::read(&file).unwrap();
        for percent in [50, 70, 95] {
            // The middle of MP2 is a border between two frames.
            let cut = decoded(&content[..=content.len() * percent / 100]);
            let found = cut.map_or_else(|error| error.to_string(), |samples| samples.to_string());
            if !plain.iter().any(|plain| found.contains(plain)) {
                others.push(format!("{} at {percent} %: {found}", file.display()));
            }
        }
    }
    assert!(others.is_empty(), "{}", others.join("\n"));
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
