//! Whole results are found, and nothing else is.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use serde_json::json;

use super::*;
use crate::Provenance;
use crate::{KeyParts, explain};

mod network;

const NAMES: &[(&str, &str)] = &[("index", "index.parquet"), ("corpus", "corpus")];

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> (Self, Store) {
        let place = Self(tempfile::tempdir().unwrap());
        let store = place.store();
        (place, store)
    }

    fn store(&self) -> Store {
        Store::open(&self.0.path().join("store")).unwrap()
    }
}

fn parts(seed: u64) -> KeyParts {
    KeyParts {
        stage: "index".to_owned(),
        code: BTreeMap::new(),
        params: json!({"seed": seed}),
        inputs: BTreeMap::new(),
    }
}

fn provenance() -> Provenance {
    Provenance {
        started_unix: 0,
        seconds: 0.5,
        threads: 1,
        host: "test".to_owned(),
        isa: None,
        peak_bytes: None,
        tools: BTreeMap::new(),
    }
}

fn begin(store: &Store, parts: &KeyParts) -> Staging {
    match store.begin("index", &parts.key(), || {}).unwrap() {
        Begun::Staging(staging) => staging,
        Begun::Made(record) => panic!("made already: {record:?}"),
    }
}

fn write_outputs(staging: &Staging) {
    fs::write(staging.out().join("index.parquet"), "rows").unwrap();
    fs::create_dir(staging.out().join("corpus")).unwrap();
    fs::write(staging.out().join("corpus/a.wav"), "sound").unwrap();
}

fn make(store: &Store, parts: &KeyParts) -> Record {
    let staging = begin(store, parts);
    write_outputs(&staging);
    store.commit(staging, parts, NAMES, provenance()).unwrap()
}

fn record_damaged() -> Lookup {
    Lookup::Damaged(vec![StaleReason::RecordDamaged])
}

fn lookup(store: &Store, parts: &KeyParts) -> Lookup {
    store.lookup("index", &parts.key()).unwrap()
}

#[test]
fn what_is_committed_is_found() {
    let (place, store) = Place::new();
    let record = make(&store, &parts(1));
    assert_eq!(lookup(&place.store(), &parts(1)), Lookup::Fresh(Box::new(record.clone())));
    assert_eq!(record.outputs["index"].bytes, 4);
    let file = store.output(&record, "index").unwrap();
    assert_eq!(fs::read_to_string(file).unwrap(), "rows");
    assert_eq!(store.output(&record, "truth"), None);
    assert_eq!(lookup(&store, &parts(2)), Lookup::Absent);
}

#[test]
fn what_is_staged_is_not_found() {
    let (_place, store) = Place::new();
    let staging = begin(&store, &parts(1));
    write_outputs(&staging);
    assert_eq!(lookup(&store, &parts(1)), Lookup::Absent);
    let folder = staging.folder().to_path_buf();
    drop(staging);
    assert!(!folder.exists());
    assert_eq!(lookup(&store, &parts(1)), Lookup::Absent);
}

#[test]
fn outputs_without_a_record_do_not_count() {
    let (_place, store) = Place::new();
    let record = make(&store, &parts(1));
    fs::remove_file(store.record_file("index", &record.key)).unwrap();
    assert_eq!(lookup(&store, &parts(1)), Lookup::Absent);
    make(&store, &parts(1));
    assert!(matches!(lookup(&store, &parts(1)), Lookup::Fresh(_)));
}

#[test]
fn a_record_that_is_cut_short_does_not_count() {
    let (_place, store) = Place::new();
    let record = make(&store, &parts(1));
    let file = store.record_file("index", &record.key);
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(lookup(&store, &parts(1)), record_damaged());
}

#[test]
fn a_record_does_not_count_under_another_key() {
    let (_place, store) = Place::new();
    let record = make(&store, &parts(1));
    let other = store.record_file("index", &parts(2).key());
    fs::copy(store.record_file("index", &record.key), other).unwrap();
    assert_eq!(lookup(&store, &parts(2)), record_damaged());
}

/// One bit anywhere, the names and digests of the outputs included. What reads the same is the same:
/// digits of a digest may be capital letters.
#[test]
fn a_record_with_any_bit_flipped_does_not_count() {
    let (_place, store) = Place::new();
    let record = make(&store, &parts(1));
    let whole = fs::read(store.record_file("index", &record.key)).unwrap();
    for at in 0..8 * whole.len() {
        let mut flipped = whole.clone();
        flipped[at / 8] ^= 1 << (at % 8);
        if let Found::Whole(found) = Record::read(&flipped, &record.key) {
            assert_eq!(*found, record, "bit {at}");
        }
    }
}

/// Damage to the outputs on record would mislead whatever builds on them, at every run.
#[test]
fn a_result_whose_record_is_damaged_is_made_again() {
    let (_place, store) = Place::new();
    let record = make(&store, &parts(1));
    let file = store.record_file("index", &record.key);
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("\"corpus\": {", "\"copus\": {")).unwrap();
    assert_eq!(lookup(&store, &parts(1)), record_damaged());
    assert_eq!(make(&store, &parts(1)).outputs, record.outputs);
    assert!(matches!(lookup(&store, &parts(1)), Lookup::Fresh(_)));
}

#[test]
fn a_record_of_an_earlier_version_is_not_there() {
    let (_place, store) = Place::new();
    let record = make(&store, &parts(1));
    let file = store.record_file("index", &record.key);
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("\"schema\": 3", "\"schema\": 2")).unwrap();
    assert_eq!(lookup(&store, &parts(1)), Lookup::Absent);
    let records = store.records().unwrap();
    assert_eq!((records.whole.len(), records.broken.len(), records.outdated), (0, 0, 1));
    assert_eq!(make(&store, &parts(1)).outputs, record.outputs);
}

#[test]
fn altered_and_missing_outputs_are_named() {
    let (_place, store) = Place::new();
    let record = make(&store, &parts(1));
    let altered = StaleReason::OutputAltered { role: "corpus".to_owned() };
    let missing = StaleReason::OutputMissing { role: "index".to_owned() };
    let folder = store.output(&record, "corpus").unwrap();
    fs::write(folder.join("b.wav"), "more").unwrap();
    assert_eq!(lookup(&store, &parts(1)), Lookup::Damaged(vec![altered.clone()]));
    fs::remove_file(store.output(&record, "index").unwrap()).unwrap();
    assert_eq!(lookup(&store, &parts(1)), Lookup::Damaged(vec![altered, missing]));
}

#[test]
fn a_damaged_result_is_made_again() {
    let (_place, store) = Place::new();
    let record = make(&store, &parts(1));
    fs::write(store.output(&record, "index").unwrap(), "edit").unwrap();
    assert_eq!(make(&store, &parts(1)), record);
    assert_eq!(lookup(&store, &parts(1)), Lookup::Fresh(Box::new(record)));
    assert_eq!(fs::read_dir(store.root().join("staging")).unwrap().count(), 0);
}

#[test]
fn leftovers_of_a_dead_process_are_cleared() {
    let (_place, store) = Place::new();
    let leftover = |host: &str| {
        let left = store.root().join(format!("staging/index-{}-{host}-1-1", parts(1).key()));
        fs::create_dir_all(left.join("out")).unwrap();
        fs::write(left.join("out/index.parquet"), "half").unwrap();
        left
    };
    let (here, elsewhere) = (leftover(crate::atomic::host()), leftover("elsewhere"));
    make(&store, &parts(1));
    assert!(!here.exists());
    assert!(elsewhere.exists(), "a process of another machine may be alive");
}

#[test]
fn outputs_must_be_those_named() {
    let (_place, store) = Place::new();
    let staging = begin(&store, &parts(1));
    fs::write(staging.out().join("index.parquet"), "rows").unwrap();
    let error = store.commit(staging, &parts(1), NAMES, provenance()).unwrap_err();
    assert_eq!(error.to_string(), "the stage ended without its output `corpus` (corpus)");
    let staging = begin(&store, &parts(1));
    write_outputs(&staging);
    fs::write(staging.out().join("notes"), "more").unwrap();
    let error = store.commit(staging, &parts(1), NAMES, provenance()).unwrap_err();
    assert_eq!(error.to_string(), "the stage wrote `notes`, which is none of its outputs");
    assert_eq!(lookup(&store, &parts(1)), Lookup::Absent);
}

/// Locks belong to open files, so threads with a store each stand for processes.
#[test]
fn the_work_is_done_once() {
    let (place, _) = Place::new();
    let (made, waited) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        let store = place.store();
        let waiting = || {
            waited.fetch_add(1, Ordering::Relaxed);
        };
        match store.begin("index", &parts(1).key(), waiting).unwrap() {
            Begun::Made(_) => {}
            Begun::Staging(staging) => {
                made.fetch_add(1, Ordering::Relaxed);
                write_outputs(&staging);
                std::thread::sleep(std::time::Duration::from_millis(50));
                store.commit(staging, &parts(1), NAMES, provenance()).unwrap();
            }
        }
    };
    std::thread::scope(|scope| {
        (0..4).for_each(|_| drop(scope.spawn(work)));
    });
    assert_eq!(made.into_inner(), 1);
    assert!(waited.into_inner() >= 1);
    assert!(matches!(lookup(&place.store(), &parts(1)), Lookup::Fresh(_)));
}

#[test]
fn a_lock_goes_with_its_holder() {
    let (place, store) = Place::new();
    drop(begin(&store, &parts(1)));
    make(&place.store(), &parts(1));
}

#[test]
fn a_slot_explains_what_changed() {
    let (_place, store) = Place::new();
    let record = make(&store, &parts(1));
    assert_eq!(store.last("demo", "index").unwrap(), None);
    store.remember("demo", "index", &record).unwrap();
    assert_eq!(store.last("demo", "index").unwrap(), Some(record.clone()));
    assert_eq!(store.last("other", "index").unwrap(), None);
    let seed = StaleReason::Parameter {
        name: "seed".to_owned(),
        from: Some(json!(1)),
        to: Some(json!(2)),
    };
    assert_eq!(explain(&record.parts, &parts(2)), [seed]);
}

#[test]
fn records_are_listed_and_broken_ones_named() {
    let (_place, store) = Place::new();
    assert!(store.records().unwrap().whole.is_empty());
    let (one, two) = (make(&store, &parts(1)), make(&store, &parts(2)));
    assert_eq!(store.records().unwrap().whole.len(), 2);
    let file = store.record_file("index", &two.key);
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("\"seed\": 2", "\"seed\": 3")).unwrap();
    let records = store.records().unwrap();
    assert_eq!((records.whole, records.broken), (vec![one], vec![file.clone()]));
    // What cannot even be read is one of them.
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert_eq!(store.records().unwrap().broken, [file]);
}

#[test]
fn outputs_that_cannot_be_read_are_named() {
    let (_place, store) = Place::new();
    let record = make(&store, &parts(1));
    let folder = store.output(&record, "corpus").unwrap();
    std::os::unix::fs::symlink("itself", folder.join("itself")).unwrap();
    let damage = store.verify(&record);
    let [StaleReason::OutputUnreadable { role, error }] = &damage[..] else {
        panic!("{damage:?}");
    };
    assert!(role == "corpus" && error.contains("itself"), "{error}");
}

/// A disk that forgets tells no time at which it did, so the memo cannot know.
#[test]
fn verification_reads_what_the_memo_believes_in() {
    let (_place, store) = Place::new();
    let record = make(&store, &parts(1));
    assert_eq!(store.verify(&record), []);
    let folder = store.output(&record, "corpus").unwrap();
    fs::write(folder.join("a.wav"), "sounD").unwrap();
    if store.memo().believe(&folder.join("a.wav"), blake3::hash(b"sound").into()) {
        assert!(matches!(lookup(&store, &parts(1)), Lookup::Fresh(_)), "the memo was to be fooled");
    }
    let altered = vec![StaleReason::OutputAltered { role: "corpus".to_owned() }];
    assert_eq!(store.verify(&record), altered);
    assert_eq!(lookup(&store, &parts(1)), Lookup::Damaged(altered));
}

#[test]
fn garbage_is_what_is_old_and_not_kept() {
    let (_place, store) = Place::new();
    let records: Vec<Record> = (1..=3).map(|seed| make(&store, &parts(seed))).collect();
    store.remember("demo", "index", &records[0]).unwrap();
    store.remember("demo", "gone", &records[1]).unwrap();
    let keep = store.last_keys("demo", |place| place == "index").unwrap();
    assert_eq!(keep.iter().collect::<Vec<_>>(), [&records[0].key]);
    assert_eq!(store.places("demo").unwrap()["gone"], records[1]);
    let later = SystemTime::now() + Duration::from_secs(1);
    let earlier = SystemTime::now() - Duration::from_hours(1);
    assert_eq!(store.garbage(&keep, earlier).unwrap(), []);
    let garbage = store.garbage(&keep, later).unwrap();
    assert_eq!(garbage.len(), 2);
    assert_eq!(garbage[0].bytes, 9);

    let user = store.hold().unwrap();
    assert!(store.hold_alone().unwrap().is_none(), "somebody uses the store");
    drop(user);
    let alone = store.hold_alone().unwrap().unwrap();
    for garbage in &garbage {
        store.discard(garbage, &alone).unwrap();
    }
    store.sweep(SystemTime::now(), &alone).unwrap();
    assert_eq!(store.records().unwrap().whole, [records[0].clone()]);
    assert!(matches!(lookup(&store, &parts(1)), Lookup::Fresh(_)));
    assert_eq!(lookup(&store, &parts(2)), Lookup::Absent);
    assert_eq!(store.last("demo", "index").unwrap().as_ref(), Some(&records[0]));
    assert_eq!(fs::read_dir(store.root().join("slots")).unwrap().count(), 1);
    assert_eq!(fs::read_dir(store.root().join("staging")).unwrap().count(), 0);
}

#[test]
fn a_store_without_locks_is_not_cleared_up() {
    let (_place, store) = Place::new();
    fs::write(store.root().join("without-locks"), "").unwrap();
    assert!(store.hold().unwrap().is_none());
    let error = store.hold_alone().unwrap_err();
    assert!(error.to_string().contains("no locks"), "{error}");
}

/// What a killed stage left for the next is found under its key alone, until there is a result.
#[test]
fn what_a_stage_goes_on_from_outlasts_it() {
    let (_place, store) = Place::new();
    let staging = begin(&store, &parts(1));
    let file = store.partial(&staging).unwrap().join("state");
    fs::write(&file, "epoch 3").unwrap();
    drop(staging);

    let other = begin(&store, &parts(2));
    assert!(!store.partial(&other).unwrap().join("state").exists());
    drop(other);

    let staging = begin(&store, &parts(1));
    assert_eq!(store.partial(&staging).unwrap().join("state"), file);
    assert_eq!(fs::read_to_string(&file).unwrap(), "epoch 3");
    write_outputs(&staging);
    store.commit(staging, &parts(1), NAMES, provenance()).unwrap();
    assert!(!file.parent().unwrap().exists());
}

/// Parts of a key are worked beside one another and beside the whole, and none clears another away.
#[test]
fn parts_are_worked_at_once_and_noted_when_they_are_done() {
    let (place, store) = Place::new();
    let (key, whole) = (parts(1).key(), begin(&store, &parts(1)));
    let part = |name: &str| match place.store().begin_part("index", &key, name, || {}).unwrap() {
        Begun::Staging(staging) => staging,
        Begun::Made(record) => panic!("made already: {record:?}"),
    };
    let (one, two) = (part("0-of-1"), part("0-of-10"));
    assert!([&one, &two, &whole].iter().all(|staging| staging.out().is_dir()));
    assert!(!store.is_part_done("index", &key, "0-of-1"));
    store.end_part(&one, "0-of-1").unwrap();
    assert!(store.is_part_done("index", &key, "0-of-1"));
    assert!(!store.is_part_done("index", &key, "0-of-10"));
    let kept = store.partial_folder("index", &key).join("kept");
    fs::write(&kept, "").unwrap();
    store.forget_parts("index", &key).unwrap();
    assert!(!store.is_part_done("index", &key, "0-of-1") && kept.exists());
    drop((one, two));
    write_outputs(&whole);
    store.commit(whole, &parts(1), NAMES, provenance()).unwrap();
    assert!(!store.partial_folder("index", &key).exists());
    let begun = store.begin_part("index", &key, "1-of-10", || {}).unwrap();
    assert!(matches!(begun, Begun::Made(_)), "the whole is made");
}

#[test]
fn what_no_stage_went_on_from_goes_when_it_is_old() {
    let (_place, store) = Place::new();
    let folder = store.partial(&begin(&store, &parts(1))).unwrap();
    let alone = store.hold_alone().unwrap().unwrap();
    let now = SystemTime::now();
    store.sweep(now - Duration::from_hours(1), &alone).unwrap();
    assert!(folder.exists());
    store.sweep(now + Duration::from_hours(1), &alone).unwrap();
    assert!(!folder.exists());
}
