//! What is done is not done again; what changed is; what was cut short is finished.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use fs_err as fs;

use crate::corpora::tones;
use crate::harness::{DONE, House};

const NOTHING: &str = "nothing to do";
const SUMMARY: &str = "results/tiny/summary.json";

#[test]
fn a_second_run_does_nothing_and_says_so() {
    let house = tones();
    let first = house.run(&["cv"]).ended(DONE);
    assert!(!first.text().contains(NOTHING), "{}", first.text());
    let made = fs::metadata(house.path(SUMMARY)).unwrap().modified().unwrap();
    let second = house.run(&["cv"]).ended(DONE);
    assert!(second.text().contains(NOTHING), "{}", second.text());
    assert_eq!(fs::metadata(house.path(SUMMARY)).unwrap().modified().unwrap(), made);
}

/// Names of the stages that `plan` would run.
fn planned(house: &House) -> Vec<String> {
    let document = house.run(&["plan", "--json"]).ended(DONE).document();
    let stages = document["stages"].as_array().unwrap().iter();
    let due = stages.filter(|stage| stage["state"] != "fresh");
    due.map(|stage| stage["slot"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_comment_changes_no_result() {
    let house = tones();
    house.run(&["cv"]).ended(DONE);
    house.edit("pipelines/tiny.toml", "lstm = 4", "lstm = 4 # small");
    let second = house.run(&["cv"]).ended(DONE);
    assert!(second.text().contains(NOTHING), "{}", second.text());
}

#[test]
fn a_setting_reruns_what_reads_it_and_comes_back_from_the_store() {
    let house = tones();
    house.run(&["cv"]).ended(DONE);
    let before = house.read(SUMMARY);
    house.edit("pipelines/tiny.toml", "learning_rate = 0.01", "learning_rate = 0.5");
    let stale = planned(&house);
    assert!(stale.iter().any(|stage| stage.starts_with("train")), "{stale:?}");
    assert!(!stale.iter().any(|stage| stage.starts_with("extract")), "{stale:?}");
    house.run(&["cv"]).ended(DONE);
    assert_ne!(house.read(SUMMARY), before);

    house.edit("pipelines/tiny.toml", "learning_rate = 0.5", "learning_rate = 0.01");
    house.run(&["cv"]).ended(DONE);
    assert_eq!(house.read(SUMMARY), before);
}

/// The descriptors are the same bytes with functionals beside them, so nothing is trained again.
#[test]
fn functionals_asked_for_later_run_the_extraction_alone() {
    let house = tones();
    house.run(&["cv"]).ended(DONE);
    house.edit("pipelines/tiny.toml", "set = \"ser32\"", "set = \"ser32\"\nfunctionals = true");
    assert_eq!(planned(&house)[0], "extract");
    let document = house.run(&["extract", "--json"]).ended(DONE).document();
    let table = document["outputs"]["vectors"].as_str().unwrap();
    assert!(table.ends_with("vectors.parquet") && Path::new(table).is_file(), "{document}");
    let second = house.run(&["cv"]).ended(DONE);
    assert!(second.text().contains(NOTHING), "{}", second.text());

    house.edit("pipelines/tiny.toml", "functionals = true", "functionals = false");
    // The first extraction is in the store; a page was never asked for.
    assert_eq!(planned(&house), ["report"]);
}

fn set_modified(file: &Path, time: SystemTime) {
    fs::OpenOptions::new().write(true).open(file).unwrap().file().set_modified(time).unwrap();
}

/// Neither the size nor the time of modification tells that a file is the same.
#[test]
fn an_edit_of_the_same_size_and_time_is_seen() {
    let house = tones();
    house.run(&["extract"]).ended(DONE);
    let file = house.path("corpus/wav/anna-sad-0.wav");
    let modified = fs::metadata(&file).unwrap().modified().unwrap();
    let mut bytes = fs::read(&file).unwrap();
    let last = bytes.len() - 2;
    bytes[last] ^= 1;
    fs::write(&file, bytes).unwrap();
    set_modified(&file, modified);
    let why = house.run(&["plan", "--why"]).ended(DONE);
    assert!(why.text().contains("corpus"), "{}", why.text());
    assert!(planned(&house).iter().any(|stage| stage.starts_with("extract")));
}

/// A touched file is the same file.
#[test]
fn a_touched_file_changes_nothing() {
    let house = tones();
    house.run(&["extract"]).ended(DONE);
    set_modified(&house.path("corpus/wav/anna-sad-0.wav"), SystemTime::UNIX_EPOCH);
    let second = house.run(&["extract"]).ended(DONE);
    assert!(second.text().contains(NOTHING), "{}", second.text());
}

/// An output edited by hand is not what its record says, so it is made again.
#[test]
fn an_output_edited_by_hand_is_not_trusted() {
    let house = tones();
    let document = house.run(&["index", "--json"]).ended(DONE).document();
    let index = document["outputs"]["index"].as_str().unwrap();
    let whole = fs::read(index).unwrap();
    let mut permissions = fs::metadata(index).unwrap().permissions();
    #[expect(clippy::permissions_set_readonly_false, reason = "a file of this test's own store")]
    permissions.set_readonly(false);
    fs::set_permissions(index, permissions).unwrap();
    fs::write(index, b"not what it was").unwrap();
    house.run(&["index"]).ended(DONE);
    assert_eq!(fs::read(index).unwrap(), whole);
}

/// Killed as soon as the first of eight runs is in the store.
#[test]
fn a_run_that_is_killed_is_finished_by_the_next() {
    let undisturbed = tones();
    undisturbed.run(&["cv"]).ended(DONE);

    let house = tones();
    let mut run = house.command(&["cv", "--jobs", "1"]).spawn().unwrap();
    let started = Instant::now();
    while !house.path("store/objects/train").exists() {
        assert!(started.elapsed() < Duration::from_mins(10), "nothing was trained");
        sleep(Duration::from_millis(2));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    assert!(!house.path(SUMMARY).exists(), "it was done before it could be killed");

    let second = house.run(&["cv"]).ended(DONE);
    assert!(!second.text().contains(NOTHING), "{}", second.text());
    assert_eq!(house.read(SUMMARY), undisturbed.read(SUMMARY));
}
