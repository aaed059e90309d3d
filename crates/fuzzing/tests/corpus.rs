//! The corpora kept in `fuzz/corpus`, and some thousand changes of them, on a stable compiler.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use ambivox_fuzzing::{TARGETS, Target};
use fs_err as fs;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Changes tried of every target's corpus.
const CHANGES: u64 = 2000;

/// Bytes that readers take for something: ends of ranges, signs, brackets, quotes.
const TELLING: &[u8] = b"\0\x01\x7f\x80\xff\n\r\t \"'[]{}(),.;:=-/\\09aE\xc3";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// The files kept for a target, by name.
fn kept(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(folder().join("corpus").join(target)).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// A few small changes, as libFuzzer makes them.
fn changed(seeds: &[(PathBuf, Vec<u8>)], random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = seeds[random.random_range(0..seeds.len())].1.clone();
    for _ in 0..random.random_range(1..5) {
        change(&mut bytes, seeds, random);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, seeds: &[(PathBuf, Vec<u8>)], random: &mut ChaCha8Rng) {
    let at = random.random_range(0..=bytes.len());
    let upto = random.random_range(at..=bytes.len().min(at + 32));
    match random.random_range(0..7) {
        0 => bytes.truncate(at),
        1 => drop(bytes.drain(at..upto)),
        2 => bytes.insert(at, TELLING[random.random_range(0..TELLING.len())]),
        3 => {
            let again = bytes[at..upto].to_vec();
            bytes.splice(at..at, again);
        }
        4 => {
            let other = &seeds[random.random_range(0..seeds.len())].1;
            let from = random.random_range(0..=other.len());
            bytes.splice(at.., other[from..].iter().copied());
        }
        5 => bytes[at..upto].fill(TELLING[random.random_range(0..TELLING.len())]),
        _ => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.random_range(0..8);
            }
        }
    }
}

/// What is left for the next who looks: the bytes that a reader did not survive.
fn reproduce(name: &str, read: Target, bytes: &[u8], what: &str) {
    if catch_unwind(|| read(bytes)).is_err() {
        let file = std::env::temp_dir().join(format!("ambivox-fuzzing-{name}"));
        fs::write(&file, bytes).unwrap();
        panic!("{name} does not survive {what}; the bytes are in {}", file.display());
    }
}

#[test]
fn what_is_kept_is_survived() {
    for (name, read) in TARGETS {
        let seeds = kept(name);
        assert!(!seeds.is_empty(), "fuzz/corpus/{name} is empty");
        for (path, bytes) in seeds {
            reproduce(name, read, &bytes, &path.display().to_string());
        }
    }
}

#[test]
fn changes_of_it_are_survived() {
    for (name, read) in TARGETS {
        let seeds = kept(name);
        for number in 0..CHANGES {
            let bytes = changed(&seeds, &mut ChaCha8Rng::seed_from_u64(number));
            reproduce(name, read, &bytes, &format!("change {number}"));
        }
    }
}

#[test]
fn every_target_is_fuzzed() {
    let known: BTreeSet<String> = TARGETS.map(|(name, _)| name.to_owned()).into();
    let sources = fs::read_dir(folder().join("fuzz_targets")).unwrap();
    let stem = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let fuzzed: BTreeSet<String> = sources.map(|entry| stem(entry.unwrap().path())).collect();
    assert_eq!(fuzzed, known);
    let manifest = fs::read_to_string(folder().join("Cargo.toml")).unwrap();
    for name in known {
        let source = fs::read_to_string(folder().join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(source.contains(&format!("ambivox_fuzzing::{name}(bytes)")), "{source}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "fuzz/Cargo.toml lacks {name}");
    }
}
