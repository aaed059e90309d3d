//! Whole results are found, and nothing else is.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::*;
use crate::Provenance;

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
    let code = CodeParts::default().digest();
    KeyParts {
        stage: "index".to_owned(),
        code,
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
    assert_eq!(lookup(&store, &parts(1)), Lookup::Absent);
}

#[test]
fn a_record_does_not_count_under_another_key() {
    let (_place, store) = Place::new();
    let record = make(&store, &parts(1));
    let other = store.record_file("index", &parts(2).key());
    fs::copy(store.record_file("index", &record.key), other).unwrap();
    assert_eq!(lookup(&store, &parts(2)), Lookup::Absent);
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
    let left = store.root().join(format!("staging/index-{}-1-1", parts(1).key()));
    fs::create_dir_all(left.join("out")).unwrap();
    fs::write(left.join("out/index.parquet"), "half").unwrap();
    make(&store, &parts(1));
    assert!(!left.exists());
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
    let code = CodeParts::default();
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
    assert_eq!(store.explain(&record, &parts(2), &code).unwrap(), [seed]);
}

#[test]
fn a_change_of_code_is_explained_as_far_as_known() {
    let (_place, store) = Place::new();
    let old = make(&store, &parts(1));
    let source = Digest::from(blake3::hash(b"source"));
    let code =
        CodeParts { sources: BTreeMap::from([("toy".to_owned(), source)]), ..CodeParts::default() };
    let new = KeyParts { code: code.digest(), ..parts(1) };
    assert_eq!(store.explain(&old, &new, &code).unwrap(), [StaleReason::Code]);
    store.keep_code(&CodeParts::default()).unwrap();
    let named = StaleReason::Source { name: "toy".to_owned(), from: None, to: Some(source) };
    assert_eq!(store.explain(&old, &new, &code).unwrap(), [named]);
}
