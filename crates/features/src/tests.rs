//! Extraction on small trees of sound, good and broken.

use std::f32::consts::TAU;
use std::path::Path;
use std::sync::Mutex;

use ambivox_audio::{Audio, Cut};
use ambivox_corpus::{Index, Utterance, write_index};
use ambivox_lld::{Extractor, FeatureSet, Functionals};
use ambivox_settings::{Exclusion, Features, OnBroken, Section, exit};
use fs_err as fs;
use hound::{SampleFormat, WavSpec, WavWriter};
use polars::prelude::{ParquetReader, SerReader as _};
use tempfile::TempDir;

use crate::{FeatureError, FeatureTable, Outputs, Recipe, extract, map_frames, plan};

mod shards;
mod whisper;

const FLOAT: WavSpec = WavSpec {
    channels: 1,
    sample_rate: 16_000,
    bits_per_sample: 32,
    sample_format: SampleFormat::Float,
};

fn wav(file: &Path, samples: impl IntoIterator<Item = f32>) {
    let mut writer = WavWriter::create(file, FLOAT).unwrap();
    samples.into_iter().for_each(|sample| writer.write_sample(sample).unwrap());
    writer.finalize().unwrap();
}

fn tone(hz: f32, samples: usize) -> impl Iterator<Item = f32> {
    (0..samples).map(move |n| 0.3 * (TAU * hz * n as f32 / 16_000.0).sin())
}

fn utterance(id: &str) -> Utterance {
    Utterance::of("toy", id, &format!("{id}.wav"), "s")
}

/// Good utterances `u00`, `u01`, … of growing length.
fn good(folder: &Path, count: usize) -> Vec<Utterance> {
    let make = |i: usize| {
        let id = format!("u{i:02}");
        wav(&folder.join(format!("{id}.wav")), tone(100.0 + 7.0 * i as f32, 1600 + 320 * i));
        utterance(&id)
    };
    (0..count).map(make).collect()
}

/// One utterance for every way in which audio can be broken, sorted by id.
fn broken(folder: &Path) -> Vec<Utterance> {
    let file = |name: &str| folder.join(format!("{name}.wav"));
    wav(&file("b-nan"), tone(100.0, 4000).map(|x| if x > 0.29 { f32::NAN } else { x }));
    wav(&file("b-huge"), tone(100.0, 4000).map(|x| x * 1e20));
    wav(&file("b-short"), tone(100.0, 399));
    wav(&file("b-zero-length"), []);
    fs::write(file("b-empty"), "").unwrap();
    fs::write(file("b-text"), "this was never a sound file\n".repeat(100)).unwrap();
    wav(&file("b-truncated"), tone(100.0, 4000));
    let whole = fs::read(file("b-truncated")).unwrap();
    fs::write(file("b-truncated"), &whole[..whole.len() / 2]).unwrap();
    ["b-empty", "b-huge", "b-missing", "b-nan", "b-short", "b-text", "b-truncated", "b-zero-length"]
        .map(utterance)
        .to_vec()
}

/// `ser32` with a pooling of this kind.
fn recipe_with(pooling: &str) -> Recipe {
    let set = toml::Table::from_iter([("set".to_owned(), "ser32".into())]);
    let frontend = Section::new("lld", &set).unwrap();
    let pooling = Section::bare(pooling);
    let planned = plan(&frontend, &pooling, Path::new("")).unwrap();
    assert_eq!(planned.frame_times_s, Some([0.01, 0.025]));
    Recipe::open(&Features::of(planned.section, pooling), true, None).unwrap()
}

fn recipe() -> Recipe {
    recipe_with("functionals")
}

fn run(
    folder: &TempDir,
    utterances: &[Utterance],
    on_broken: OnBroken,
) -> Result<Vec<Exclusion>, FeatureError> {
    let index = index(folder, utterances);
    let found = extract(&index, folder.path(), &recipe(), on_broken, &outputs(folder), &|_, _| {})?;
    assert_eq!(found.warnings, []);
    Ok(found.excluded)
}

/// The index of these utterances, sorted.
fn index(folder: &TempDir, utterances: &[Utterance]) -> Index {
    let mut sorted = utterances.to_vec();
    sorted.sort_by(|a, b| a.utterance_id.cmp(&b.utterance_id));
    let file = folder.path().join("index.parquet");
    write_index(&file, &sorted).unwrap();
    Index::open(&file).unwrap()
}

/// Both tables.
fn outputs(folder: &TempDir) -> Outputs {
    Outputs {
        features: Some(folder.path().join("features.parquet")),
        vectors: Some(folder.path().join("vectors.parquet")),
        pieces: None,
    }
}

fn table(folder: &TempDir) -> FeatureTable {
    let rows = folder.path().join("rows");
    map_frames(&folder.path().join("features.parquet"), &rows).unwrap();
    FeatureTable::open(&rows).unwrap()
}

#[test]
fn every_frame_of_every_utterance_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let utterances = good(folder.path(), 5);
    assert_eq!(run(&folder, &utterances, OnBroken::Stop).unwrap(), []);
    let table = table(&folder);
    assert_eq!(table.columns(), FeatureSet::builtin("ser32").unwrap().columns());
    assert_eq!(table.width(), 32);
    for (i, utterance) in utterances.iter().enumerate() {
        let frames = (1600 + 320 * i - 400) / 160 + 1;
        assert_eq!(table.get(&utterance.utterance_id).unwrap().len(), frames * 32);
    }
}

#[test]
fn functionals_have_a_row_for_every_usable_utterance() {
    let folder = tempfile::tempdir().unwrap();
    let usable = good(folder.path(), 5);
    let utterances = [usable.clone(), broken(folder.path())].concat();
    run(&folder, &utterances, OnBroken::Skip).unwrap();
    let file = fs::File::open(outputs(&folder).vectors.unwrap()).unwrap();
    let rows = ParquetReader::new(file.into_file()).finish().unwrap();

    let set = FeatureSet::builtin("ser32").unwrap();
    let functionals = Functionals::new(&set);
    let names: Vec<&str> = rows.columns().iter().map(|column| column.name().as_str()).collect();
    assert_eq!(names[0], "utterance_id");
    assert_eq!(names[1..], *functionals.columns());
    let ids: Vec<&str> =
        rows.column("utterance_id").unwrap().str().unwrap().iter().flatten().collect();
    assert_eq!(ids, usable.iter().map(|u| u.utterance_id.as_str()).collect::<Vec<_>>());

    let samples = ambivox_audio::load(&folder.path().join("u03.wav"), Cut::default()).unwrap();
    let expected = functionals.of(&Extractor::new(&set).unwrap().process(&samples)).unwrap();
    let values = rows.columns()[1..].iter().map(|column| column.f32().unwrap().get(3).unwrap());
    assert_eq!(values.collect::<Vec<_>>(), expected);
}

#[test]
fn functionals_are_written_only_where_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let index = index(&folder, &good(folder.path(), 2));
    let with = outputs(&folder);
    let alone = Some(folder.path().join("alone.parquet"));
    let without = Outputs { features: alone, vectors: None, pieces: None };
    for (outputs, recipe) in [(&with, recipe()), (&without, recipe_with("none"))] {
        let stop = OnBroken::Stop;
        extract(&index, folder.path(), &recipe, stop, outputs, &|_, _| {}).unwrap();
    }
    let bytes = |outputs: Outputs| fs::read(outputs.features.unwrap()).unwrap();
    assert_eq!(bytes(with), bytes(without));
}

#[test]
fn row_groups_are_read_back_and_their_bytes_do_not_depend_on_threads() {
    let folder = tempfile::tempdir().unwrap();
    let mut utterances = good(folder.path(), 30);
    // Lengths that close a row group after every second utterance.
    for utterance in &mut utterances {
        utterance.duration_s = Some(35.0);
    }
    let bytes = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(&folder, &utterances, OnBroken::Stop)).unwrap();
        ["features.parquet", "vectors.parquet"]
            .map(|name| fs::read(folder.path().join(name)).unwrap())
    };
    let one = bytes(1);
    // With hundreds, one reads the index while all others wait for it.
    for threads in [2, 256] {
        assert!(one == bytes(threads), "{threads} threads give other bytes");
    }
    assert!(one == bytes(1), "a second run gives other bytes");
    let table = table(&folder);
    let mut extractor = Extractor::new(&FeatureSet::builtin("ser32").unwrap()).unwrap();
    for utterance in &utterances {
        let file = folder.path().join(&utterance.path);
        let frames = extractor.process(&ambivox_audio::load(&file, Cut::default()).unwrap());
        assert_eq!(*table.get(&utterance.utterance_id).unwrap(), *frames.into_data());
    }
}

#[test]
fn an_index_that_is_not_sorted_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut utterances = good(folder.path(), 3);
    utterances.swap(1, 2);
    let file = folder.path().join("index.parquet");
    write_index(&file, &utterances).unwrap();
    let (recipe, out) = (recipe(), outputs(&folder));
    let index = Index::open(&file).unwrap();
    let error =
        extract(&index, folder.path(), &recipe, OnBroken::Skip, &out, &|_, _| {}).unwrap_err();
    let text = error.to_string();
    assert_eq!(text, "the index has u01 after u02; make it again, sorted by utterance_id");
}

#[test]
fn row_groups_close_by_length_and_by_number() {
    let lengths = |utterances: &[Utterance]| -> Vec<usize> {
        let seconds = utterances.iter().filter_map(|u| u.duration_s).sum();
        let each = utterances.iter().cloned().map(Ok);
        crate::extract::groups(each, seconds).map(|group| group.unwrap().len()).collect()
    };
    let mut utterances = vec![utterance("u"); 300];
    assert_eq!(lengths(&utterances), [256, 44]);
    utterances[1].duration_s = Some(2000.0);
    assert_eq!(lengths(&utterances), [2, 256, 42]);
    assert_eq!(lengths(&[]), [0; 0]);
    // 48 of an hour, 900 s each of many hours.
    let of_hours = |hours: usize| {
        lengths(&vec![Utterance { duration_s: Some(15.0), ..utterance("u") }; 240 * hours])
    };
    assert_eq!(of_hours(1), [5; 48]);
    assert_eq!(of_hours(100), [60; 400]);
}

#[test]
fn skip_leaves_every_kind_of_broken_audio_out_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let faults = broken(folder.path());
    let utterances = [faults.clone(), good(folder.path(), 2)].concat();
    let excluded = run(&folder, &utterances, OnBroken::Skip).unwrap();
    let ids = |utterances: &[Utterance]| -> Vec<String> {
        utterances.iter().map(|u| u.utterance_id.clone()).collect()
    };
    let named: Vec<String> = excluded.iter().map(|e| e.utterance_id.clone()).collect();
    assert_eq!(named, ids(&faults));
    // A reason that named the folder would make the list depend on where the corpus lies.
    let place = folder.path().to_str().unwrap();
    let fit = |reason: &str| !reason.contains(place) && !reason.contains('\n');
    assert!(excluded.iter().all(|e| !e.reason.is_empty() && fit(&e.reason)), "{excluded:?}");
    let table = table(&folder);
    assert!(faults.iter().all(|u| table.get(&u.utterance_id).is_none()));
    assert!(table.get("u00").is_some() && table.get("u01").is_some());
}

#[test]
fn samples_far_beyond_full_scale_are_broken_audio() {
    let folder = tempfile::tempdir().unwrap();
    let quiet_then_huge = tone(100.0, 4000).enumerate();
    let samples = quiet_then_huge.map(|(n, x)| if n < 560 { x } else { x * 1e20 });
    wav(&folder.path().join("huge.wav"), samples);
    let utterances = [good(folder.path(), 1), vec![utterance("huge")]].concat();
    let excluded = run(&folder, &utterances, OnBroken::Skip).unwrap();
    let [huge] = &excluded[..] else { panic!("one utterance, not {excluded:?}") };
    assert_eq!(huge.utterance_id, "huge");
    assert!(huge.reason.contains("expected numbers of full scale"), "{}", huge.reason);
    assert!(huge.reason.contains("convert the recording again"), "{}", huge.reason);
}

#[test]
fn doubtful_recordings_stay_in_with_a_warning_each() {
    let folder = tempfile::tempdir().unwrap();
    let mut utterances = good(folder.path(), 2);
    wav(&folder.path().join("d-loud.wav"), tone(100.0, 4000).map(|x| x * 32_768.0));
    wav(&folder.path().join("d-silent.wav"), [0.0; 4000]);
    let stereo = WavSpec { channels: 2, ..FLOAT };
    let mut writer = WavWriter::create(folder.path().join("d-opposed.wav"), stereo).unwrap();
    tone(100.0, 4000).flat_map(|x| [x, -x]).for_each(|x| writer.write_sample(x).unwrap());
    writer.finalize().unwrap();
    utterances.extend(["d-loud", "d-opposed", "d-silent"].map(utterance));
    // The first half of what is not silent to its end.
    wav(&folder.path().join("d-part.wav"), [vec![0.0; 4000], tone(100.0, 4000).collect()].concat());
    let part = |id: &str, start_s, end_s| Utterance {
        path: "d-part.wav".to_owned(),
        start_s: Some(start_s),
        end_s: Some(end_s),
        ..utterance(id)
    };
    utterances.extend([part("d-part-1", 0.0, 0.2), part("d-part-2", 0.2, 0.5)]);
    let recipe = recipe();
    let index = index(&folder, &utterances);
    let (stop, outputs) = (OnBroken::Stop, outputs(&folder));
    let found = extract(&index, folder.path(), &recipe, stop, &outputs, &|_, _| {}).unwrap();
    assert_eq!(found.excluded, []);
    let texts: Vec<(&str, &str)> =
        found.warnings.iter().map(|w| (w.utterance_id.as_str(), w.reason.as_str())).collect();
    let expected = [
        ("d-loud", "its samples reach"),
        ("d-opposed", "its 2 channels cancel"),
        ("d-part-1", "all its samples are 0"),
        ("d-silent", "all its samples are 0"),
    ];
    assert_eq!(texts.len(), expected.len(), "{texts:?}");
    for ((id, text), (expected_id, start)) in texts.into_iter().zip(expected) {
        assert!(id == expected_id && text.starts_with(start), "{id}: {text}");
    }
    assert!(utterances.iter().all(|u| table(&folder).get(&u.utterance_id).is_some()));
}

#[test]
fn a_recording_that_cannot_be_read_is_no_exclusion() {
    let folder = tempfile::tempdir().unwrap();
    let mut utterances = good(folder.path(), 3);
    let (file, away) = (folder.path().join("u01.wav"), folder.path().join("away"));
    let fails = |utterances: &[Utterance]| {
        for on_broken in [OnBroken::Stop, OnBroken::Skip] {
            let error = run(&folder, utterances, on_broken).unwrap_err();
            assert_eq!(error.exit_code(), exit::FAILED);
            let text = error.to_string();
            assert!(text.contains("u01.wav: cannot be read: "), "{text}");
            assert!(text.contains("run this again when the file can be read"), "{text}");
        }
    };
    // No file can be opened through a link to itself, whether the index saw one or not.
    fs::rename(&file, &away).unwrap();
    fs::os::unix::fs::symlink(&file, &file).unwrap();
    fails(&utterances);
    fs::remove_file(&file).unwrap();
    assert_eq!(run(&folder, &utterances, OnBroken::Skip).unwrap().len(), 1);
    // The index saw it.
    utterances[1].duration_s = Some(0.1);
    fails(&utterances);
    fs::create_dir(&file).unwrap();
    fails(&utterances);
    fs::remove_dir(&file).unwrap();
    fs::rename(&away, &file).unwrap();
    assert_eq!(run(&folder, &utterances, OnBroken::Stop).unwrap(), []);
}

#[test]
fn stop_lists_all_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let faults = broken(folder.path());
    let utterances = [good(folder.path(), 2), faults.clone()].concat();
    let error = run(&folder, &utterances, OnBroken::Stop).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("8 of 10 utterances cannot be used:"), "{text}");
    assert!(faults.iter().all(|u| text.contains(&format!("{} ({})", u.utterance_id, u.path))));
    assert!(text.contains("on_broken = \"skip\""), "{text}");
    assert_eq!(error.exit_code(), exit::DATA);
}

#[test]
fn nothing_usable_is_an_error_either_way() {
    let folder = tempfile::tempdir().unwrap();
    let faults = broken(folder.path());
    for on_broken in [OnBroken::Stop, OnBroken::Skip] {
        let error = run(&folder, &faults, on_broken).unwrap_err();
        assert!(matches!(&error, FeatureError::AllBroken { broken } if broken.len() == 8));
        let error = run(&folder, &[], on_broken).unwrap_err();
        assert!(matches!(error, FeatureError::NoUtterances));
    }
}

#[test]
fn progress_counts_every_utterance() {
    let folder = tempfile::tempdir().unwrap();
    let utterances = [good(folder.path(), 3), vec![utterance("missing")]].concat();
    let heard = Mutex::new(Vec::new());
    let recipe = recipe();
    let (index, out) = (index(&folder, &utterances), outputs(&folder));
    let progress = |done, total| heard.lock().unwrap().push((done, total));
    extract(&index, folder.path(), &recipe, OnBroken::Skip, &out, &progress).unwrap();
    let mut heard = heard.into_inner().unwrap();
    heard.sort_unstable();
    assert_eq!(heard, [(1, 4), (2, 4), (3, 4), (4, 4)]);
}

/// Before anything is decoded: the recordings are not there.
#[test]
fn frames_for_which_the_disk_has_no_room_are_refused_before_they_are_made() {
    let folder = tempfile::tempdir().unwrap();
    let long = Utterance { duration_s: Some(1e12), ..utterance("a-long") };
    let text = run(&folder, &[long], OnBroken::Stop).unwrap_err().to_string();
    assert!(
        text.starts_with("a table takes 12800000.0 GB, and ") && text.contains("[pooling]"),
        "{text}"
    );
}

/// One of them is not in it.
#[test]
fn cuts_of_one_recording_are_as_recordings_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let samples: Vec<f32> = tone(200.0, 16_000).collect();
    wav(&folder.path().join("long.wav"), samples.iter().copied());
    let mut utterances = Vec::new();
    for (number, start) in [0.0, 0.25, 0.5, 3.0].into_iter().enumerate() {
        let (path, start_s) = ("long.wav".to_owned(), Some(start));
        let end_s = Some(start + 0.25);
        utterances.push(Utterance { path, start_s, end_s, ..utterance(&format!("cut{number}")) });
        let from = (16_000.0 * start) as usize;
        let own = utterance(&format!("own{number}"));
        wav(&folder.path().join(&own.path), samples.iter().skip(from).take(4000).copied());
        utterances.push(own);
    }
    let left_out = run(&folder, &utterances, OnBroken::Skip).unwrap();
    let reasons: Vec<(&str, bool)> =
        left_out.iter().map(|one| (&*one.utterance_id, one.reason.contains("from 3 s"))).collect();
    assert_eq!(reasons, [("cut3", true), ("own3", false)]);
    let table = table(&folder);
    for number in 0..3 {
        let [cut, own] = ["cut", "own"].map(|name| table.get(&format!("{name}{number}")));
        assert!(cut.is_some() && cut == own, "{number}");
    }
}
