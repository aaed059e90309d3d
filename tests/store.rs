//! What a store holds: checked, shown, cleared up, and the same when it is made again.

use std::path::{Path, PathBuf};

use fs_err as fs;
use serde_json::Value;

use crate::corpora::tones;
use crate::harness::{DONE, House, Ran, USAGE, root};

const FAILED: i32 = 1;
const PIPELINE: &str = "pipelines/tiny.toml";
const ONE_RUN: [&str; 5] = ["report", "--fold", "anna", "--method", "lw"];

fn objects(house: &House, stage: &str) -> Vec<PathBuf> {
    let folder = house.path("store/objects").join(stage);
    let folders = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    folders.collect()
}

/// Changes one bit of a file in its place.
fn flip(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    fs::write(file, bytes).unwrap();
}

#[test]
fn a_flipped_bit_in_any_stage_is_found_and_mended() {
    let house = tones();
    house.run(&ONE_RUN).ended(DONE);
    house.run(&["verify"]).ended(DONE);
    let outputs = [
        ("index", "index.parquet", "index"),
        ("extract", "features.parquet", "features"),
        ("map", "features.safetensors", "features"),
        ("split", "splits.json", "splits"),
        ("train", "checkpoint.safetensors", "checkpoint"),
        ("evaluate", "summary.json", "summary"),
        ("report", "report.html", "report"),
    ];
    for (stage, name, role) in outputs {
        let file = objects(&house, stage)[0].join(name);
        let whole = fs::read(&file).unwrap();
        flip(&file);
        let ran = house.run(&["verify"]).ended(FAILED);
        let expected = format!("output {role} was altered");
        assert!(ran.stdout.contains(stage) && ran.stdout.contains(&expected), "{}", ran.stdout);
        let ran = house.run(&ONE_RUN).ended(DONE);
        assert!(ran.text().contains("1 made"), "{}", ran.text());
        assert_eq!(fs::read(&file).unwrap(), whole, "{stage} made something else");
        house.run(&["verify"]).ended(DONE);
    }
}

/// In what the key stands for, and in the outputs, on which the stages that follow build.
#[test]
fn records_that_were_altered_are_found_and_made_again() {
    let house = tones();
    house.run(&["extract"]).ended(DONE);
    let edits = [
        ("index", "Tones with labels", "Tones with lapels"),
        ("extract", "\"features\": {", "\"futures\": {"),
    ];
    for (stage, from, to) in edits {
        let records = fs::read_dir(house.path("store/records").join(stage)).unwrap();
        let record = records.map(|entry| entry.unwrap().path()).next().unwrap();
        let text = fs::read_to_string(&record).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(&record, text.replace(from, to)).unwrap();
    }
    let ran = house.run(&["verify"]).ended(FAILED);
    assert_eq!(ran.stdout.matches("no whole record").count(), 2, "{}", ran.stdout);
    let ran = house.run(&["show", "0123456789abcdef"]).ended(USAGE);
    ran.complained_of(&["2 records are damaged"]);
    let ran = house.run(&ONE_RUN).ended(DONE);
    for stage in ["index", "extract"] {
        let warning = format!("warning: {stage}: the record is damaged; it is made again");
        assert!(ran.text().contains(&warning), "{}", ran.text());
    }
    house.run(&["verify"]).ended(DONE);
}

/// From the digest in the report's footer back to the corpus.
#[test]
fn a_result_is_traced_back_to_the_audio() {
    let house = tones();
    house.run(&ONE_RUN).ended(DONE);
    let page = house.read("results/tiny/report.html");
    let (_, rest) = page.split_once("cargo xtask show ").unwrap();
    let digits: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
    let text = house.run(&["show", &digits]).ended(DONE).stdout;
    let stages = ["evaluate ", "train ", "split ", "map ", "extract ", "index "];
    let starts = |stage: &&str| text.lines().any(|line| line.starts_with(*stage));
    assert!(stages.iter().all(starts), "{text}");
    for part in ["input corpus ", ", from outside the store", " MB, on ", "rustc 1."] {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
    let document = house.run(&["show", &digits, "--json"]).ended(DONE).document();
    let records = document["records"].as_array().unwrap();
    assert_eq!(records.len(), 6);
    let isa = |record: &Value| record["provenance"]["isa"].is_string();
    assert!(records.iter().all(isa), "{document}");

    house.run(&["show", "0123456789abcdef"]).ended(USAGE).complained_of(&["0123456789abcdef"]);
}

#[test]
fn results_that_no_pipeline_reaches_go() {
    let house = tones();
    let gc = |flags: &[&str]| house.run(&[&["gc", "--keep-days", "0"], flags].concat()).ended(DONE);
    house.run(&ONE_RUN).ended(DONE);
    let nothing = gc(&[]);
    assert!(nothing.stdout.contains("0 results are gone"), "{}", nothing.stdout);

    house.edit(PIPELINE, "label_rate = 0.2", "label_rate = 0.3");
    house.run(&ONE_RUN).ended(DONE);
    assert_eq!(objects(&house, "train").len(), 2);
    let young = house.run(&["gc"]).ended(DONE);
    assert!(young.stdout.contains("0 results are gone"), "{}", young.stdout);
    let dry = gc(&["--dry-run"]);
    assert!(dry.stdout.contains("3 results would go"), "{}", dry.stdout);
    assert_eq!(objects(&house, "train").len(), 2);
    let done = gc(&[]);
    let expected = "1 of evaluate, 1 of report, 1 of train";
    assert!(done.stdout.contains(expected), "{}", done.stdout);
    assert_eq!(objects(&house, "train").len(), 1);
    assert!(house.run(&ONE_RUN).ended(DONE).text().contains("nothing to do"));
    house.run(&["verify"]).ended(DONE);

    // What is stale keeps what it had last.
    house.edit(PIPELINE, "label_rate = 0.3", "label_rate = 0.4");
    let stale = gc(&[]);
    assert!(stale.stdout.contains("0 results are gone"), "{}", stale.stdout);
}

/// Threads, jobs, order, folders, locale and time zone; the digests of this tiny pipeline are not on
/// record, and that is said.
#[test]
fn a_pipeline_made_twice_is_the_same() {
    let house = tones();
    let mut command = house.command(&["repro", "--threads", "3"]);
    command.env("TMPDIR", house.path(""));
    let ran = Ran::new(&["repro"], command.output().unwrap()).ended(DONE);
    let train = ran.stdout.lines().find(|line| line.starts_with("train ")).unwrap();
    assert_eq!(train.split_whitespace().collect::<Vec<_>>(), ["train", "40", "0"]);
    assert!(ran.stdout.contains("--bless"), "{}", ran.stdout);
    assert!(!root().join("pipelines/digests/tiny.toml").exists());
}
