//! Layout, bytes and refusals.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use ambivox_settings::SynthSettings;
use ambivox_synth::{SynthError, generate};

use crate::support::{Made, settings};

/// Every file below a folder by its path in it, with its content.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs_err::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            let below = files(&entry.path());
            found.extend(below.into_iter().map(|(path, bytes)| (format!("{name}/{path}"), bytes)));
        } else {
            found.insert(name, fs_err::read(entry.path()).unwrap());
        }
    }
    found
}

#[test]
fn one_thread_and_two_make_the_same_bytes() {
    let on_threads = |count| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(count).build().unwrap();
        let made = pool.install(|| Made::new(&settings()));
        files(made.folder())
    };
    let (one, two) = (on_threads(1), on_threads(2));
    assert_eq!(one.keys().collect::<Vec<_>>(), two.keys().collect::<Vec<_>>());
    assert!(one == two, "contents differ");
    // 300 turns, 8 dialogues in 5 sessions of five files each, the notice, the truth.
    assert_eq!(one.len(), 300 + 5 * 8 * 5 + 2);
}

#[test]
fn another_seed_makes_other_sound_and_other_labels() {
    let other = SynthSettings { seed: 2021, ..settings() };
    let (one, two) = (Made::new(&settings()), Made::new(&other));
    let labels =
        |made: &Made| -> Vec<String> { made.rows().into_iter().map(|row| row.truth).collect() };
    assert_ne!(labels(&one), labels(&two));
    assert_ne!(one.audio("Ses01F_impro01_F000"), two.audio("Ses01F_impro01_F000"));
}

#[test]
fn the_tree_is_laid_out_as_iemocap_and_says_what_it_is() {
    let made = Made::new(&settings());
    let evaluations = made.corpus().join("Session5/dialog/EmoEvaluation");
    let notice = fs_err::read_to_string(made.corpus().join("SYNTHETIC.txt")).unwrap();
    assert!(notice.contains("no human speech") && notice.contains("nothing about real speech"));
    for path in [
        "Ses05M_script01_1b.txt",
        "Ses05F_impro05a.txt",
        "._Ses05F_impro05a.txt",
        "Categorical/Ses05F_impro05a.txt",
        "Attribute/Ses05F_impro05a.txt",
        "Self-evaluation/Ses05F_impro05a.txt",
    ] {
        assert!(evaluations.join(path).is_file(), "{path}");
    }
}

/// Start and end by turn, of every header of a session's evaluation files.
fn headers(made: &Made, session: usize) -> BTreeMap<String, (f64, f64)> {
    let folder = made.corpus().join(format!("Session{session}/dialog/EmoEvaluation"));
    let texts = files(&folder).into_iter().filter(|(path, _)| path.starts_with("Ses"));
    let texts = texts.map(|(_, bytes)| bytes.iter().map(|b| char::from(*b)).collect::<String>());
    let lines = texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>());
    lines.filter(|line| line.starts_with('[')).map(|line| header(&line)).collect()
}

fn header(line: &str) -> (String, (f64, f64)) {
    let fields: Vec<&str> = line.split('\t').collect();
    let (start, end) = fields[0].trim_matches(['[', ']']).split_once(" - ").unwrap();
    (fields[1].to_owned(), (start.parse().unwrap(), end.parse().unwrap()))
}

#[test]
fn every_header_has_its_audio_of_the_length_it_says() {
    let made = Made::new(&settings());
    let headers: BTreeMap<_, _> = (1..=5).flat_map(|session| headers(&made, session)).collect();
    assert_eq!(headers.len(), 300);
    for (id, (start, end)) in headers {
        let seconds = made.audio(&id).len() as f64 / 16_000.0;
        assert!((end - start - seconds).abs() < 2e-4, "{id}: {start} - {end}, {seconds} s");
        assert!((0.8..=4.0).contains(&seconds), "{id}: {seconds} s");
    }
}

#[test]
fn progress_reaches_the_number_of_turns() {
    let folder = tempfile::tempdir().unwrap();
    let (calls, furthest) = (AtomicU64::new(0), AtomicU64::new(0));
    let progress = |done, total| {
        assert_eq!(total, 120);
        calls.fetch_add(1, Ordering::Relaxed);
        furthest.fetch_max(done, Ordering::Relaxed);
    };
    let settings = SynthSettings { turns_per_speaker: 12, ..settings() };
    let (corpus, truth) = (folder.path().join("corpus"), folder.path().join("truth"));
    generate(&settings, &corpus, &truth, &progress).unwrap();
    assert_eq!((calls.into_inner(), furthest.into_inner()), (120, 120));
}

#[test]
fn a_folder_with_something_in_it_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs_err::write(folder.path().join("mine.txt"), "mine").unwrap();
    let truth = folder.path().join("truth.parquet");
    let error = generate(&settings(), folder.path(), &truth, &|_, _| ()).unwrap_err();
    assert!(matches!(&error, SynthError::NotEmpty(path) if path == folder.path()));
    assert!(error.to_string().contains("is not empty; give a new or empty folder"));
    assert_eq!(files(folder.path()).len(), 1);
}

#[test]
fn settings_that_cannot_be_are_refused_by_name() {
    let refused = |settings: SynthSettings| {
        let nowhere = Path::new("/nonexistent/corpus");
        generate(&settings, nowhere, nowhere, &|_, _| ()).unwrap_err().to_string()
    };
    let s = settings();
    for (key, bad) in [
        ("turns_per_speaker", SynthSettings { turns_per_speaker: 11, ..s.clone() }),
        ("min_seconds", SynthSettings { min_seconds: 0.5, ..s.clone() }),
        ("min_seconds", SynthSettings { mean_seconds: f64::NAN, ..s.clone() }),
        ("min_seconds", SynthSettings { mean_seconds: 5.0, ..s.clone() }),
        ("annotators", SynthSettings { annotators: 2, ..s.clone() }),
        ("annotator_error", SynthSettings { annotator_error: 0.5, ..s.clone() }),
        ("expressiveness", SynthSettings { expressiveness: -1.0, ..s.clone() }),
    ] {
        let message = refused(bad);
        assert!(message.starts_with(&format!("[synth] {key}")), "{key}: {message}");
    }
}
