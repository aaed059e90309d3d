//! Whatever happens to a run, the store stays sound and the next run ends with the same bytes.
//!
//! `AMBIVOX_KILLS=0..200 cargo test -p ambivox-tests faults` kills that often.

use std::collections::BTreeMap;
use std::ops::Range;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use fs_err as fs;

use crate::corpora::tones;
use crate::harness::{DONE, House, Ran, xtask};

const EVERYTHING: [&str; 3] = ["report", "--jobs", "2"];

/// Kills, by number, where nobody asks for others; the number decides the moment.
const KILLS: Range<u64> = 0..6;

fn kills() -> Range<u64> {
    let Ok(asked) = std::env::var("AMBIVOX_KILLS") else { return KILLS };
    let (from, to) = asked.split_once("..").unwrap();
    from.parse().unwrap()..to.parse().unwrap()
}

#[expect(clippy::print_stderr, reason = "shown with --nocapture, and where a test fails")]
fn say(line: &str) {
    eprintln!("{line}");
}

/// Every file of every result, by its path in the store.
pub(crate) fn objects(house: &House) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    collect(&house.path("store/objects"), Path::new(""), &mut files);
    files
}

fn collect(folder: &Path, name: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = name.join(entry.file_name());
        if entry.path().is_dir() {
            collect(&entry.path(), &name, files);
        } else {
            files.insert(name, fs::read(entry.path()).unwrap());
        }
    }
}

/// A run in a process group of its own, so that it and its stages can be killed together.
pub(crate) fn start(house: &House, arguments: &[&str]) -> Child {
    let mut command = house.command(arguments);
    command.process_group(0).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

pub(crate) fn kill_group(run: &Child) {
    let group = format!("-{}", run.id());
    // It may have ended already.
    Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status().unwrap();
}

/// A number from 0 to below 1 for each kill (a step of the golden ratio: even over all moments).
fn share(kill: u64) -> f64 {
    (kill as f64 * 0.618_033_988_749_895).fract()
}

/// How many results have a record.
fn recorded(house: &House) -> usize {
    let stages = fs::read_dir(house.path("store/records")).into_iter().flatten().flatten();
    let files = stages.filter_map(|stage| fs::read_dir(stage.path()).ok()).flatten().flatten();
    files.filter(|file| file.path().extension().is_some_and(|e| e == "json")).count()
}

/// Waits until so many results are recorded, and a part of the time that one takes.
fn wait_for_moment(house: &House, run: &mut Child, results: f64, each: Duration) {
    while recorded(house) < results as usize && run.try_wait().unwrap().is_none() {
        sleep(Duration::from_millis(1));
    }
    sleep(each.mul_f64(results.fract()));
}

#[test]
fn killed_at_any_moment_the_next_run_ends_with_the_same_bytes() {
    let house = tones();
    house.run(&EVERYTHING).ended(DONE);
    let expected = objects(&house);
    fs::remove_dir_all(house.path("store")).unwrap();
    let started = Instant::now();
    house.run(&EVERYTHING).ended(DONE);
    let results = recorded(&house);
    let each = started.elapsed().div_f64(results as f64);
    assert!(objects(&house) == expected, "two undisturbed runs differ");

    let mut interrupted: BTreeMap<u64, u32> = BTreeMap::new();
    for kill in kills() {
        fs::remove_dir_all(house.path("store")).unwrap();
        let mut run = start(&house, &EVERYTHING);
        wait_for_moment(&house, &mut run, share(kill) * results as f64, each);
        kill_group(&run);
        run.wait().unwrap();
        if house.path("store").exists() {
            let ran = house.run(&["verify", "--json"]).ended(DONE);
            let results = ran.document()["results"].as_u64().unwrap();
            *interrupted.entry(results).or_default() += 1;
        }
        house.run(&EVERYTHING).ended(DONE);
        assert!(objects(&house) == expected, "kill {kill} left something behind");
        house.run(&["verify"]).ended(DONE);
    }
    say(&format!("kills by the number of results then in the store: {interrupted:?}"));
}

/// Processes whose command line names this folder.
fn processes(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if line.contains(folder.to_str().unwrap()) {
            found.push(line);
        }
    }
    found
}

fn wait_for(what: &str, happened: impl Fn() -> bool) {
    let started = Instant::now();
    while !happened() {
        assert!(started.elapsed() < Duration::from_mins(2), "{what}: waited in vain");
        sleep(Duration::from_millis(2));
    }
}

/// The runner alone is killed, in the middle of trainings that would take minutes.
#[test]
fn no_stage_outlives_its_run() {
    let house = tones();
    house.run(&["extract"]).ended(DONE);
    house.edit("pipelines/tiny.toml", "max_epochs = 2", "max_epochs = 100000");
    house.edit("pipelines/tiny.toml", "patience = 2", "patience = 100000");
    let mut run = start(&house, &EVERYTHING);
    let staging = house.path("store/staging");
    let trains = || processes(&staging).iter().any(|line| line.contains("train-"));
    wait_for("a training", trains);
    run.kill().unwrap();
    run.wait().unwrap();
    wait_for("the end of the stages", || processes(&staging).is_empty());
    house.run(&["verify"]).ended(DONE);
}

/// The files in which trainings keep how far they have come, for the next to go on from.
fn interims(house: &House) -> Vec<PathBuf> {
    let folders = fs::read_dir(house.path("store/partial")).into_iter().flatten().flatten();
    let files = folders.filter_map(|folder| fs::read_dir(folder.path()).ok()).flatten().flatten();
    files.map(|file| file.path()).collect()
}

/// A training of seconds is killed together with its runner; the next goes on where it was, unless
/// what it left is damaged, and ends with the same bytes.
#[test]
fn a_training_that_is_killed_goes_on() {
    let house = tones();
    house.edit("pipelines/tiny.toml", "max_epochs = 2", "max_epochs = 800");
    house.edit("pipelines/tiny.toml", "patience = 2", "patience = 800");
    let one_run = ["cv", "--fold", "anna", "--method", "lw"];
    house.run(&one_run).ended(DONE);
    let expected = objects(&house);
    for damaged in [false, true] {
        fs::remove_dir_all(house.path("store")).unwrap();
        let mut run = start(&house, &one_run);
        wait_for("a state to go on from", || !interims(&house).is_empty());
        kill_group(&run);
        run.wait().unwrap();
        assert!(!house.path("store/objects/train").exists(), "it was done before it was killed");
        if damaged {
            let file = &interims(&house)[0];
            let bytes = fs::read(file).unwrap();
            fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
        }
        let said = if damaged { "starts again, since" } else { "goes on after epoch" };
        house.run(&one_run).ended(DONE).complained_of(&["train/lw/0/anna: ", said]);
        assert!(objects(&house) == expected, "other bytes than undisturbed; damaged: {damaged}");
        assert!(interims(&house).is_empty());
    }
}

/// Runs a shell line in a mount namespace of its own, with `$TMPFS` a file system of two megabytes.
/// `None` where the machine permits no such thing.
fn with_small_disk(house: &House, line: &str) -> Option<Ran> {
    let disk = house.path("disk");
    fs::create_dir_all(&disk).unwrap();
    let mount = format!("mount -t tmpfs -o size=2m none '{0}'", disk.display());
    let permitted = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", script]).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if !permitted(&mount) {
        say("skipped: this machine permits no mounts");
        return None;
    }
    let script = format!("{mount} && {line}");
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", &script]).stdin(Stdio::null());
    command.env("TMPFS", &disk).env("XTASK", xtask());
    command.env("PIPELINE", house.path("pipelines/tiny.toml")).env("HOUSE", house.path(""));
    Some(Ran::new(&[line], command.output().unwrap()))
}

const ON_DISK: &str = "\"$XTASK\" index --pipeline \"$PIPELINE\" --store \"$TMPFS/store\" --results \"$HOUSE/results\"";

#[test]
fn a_full_disk_is_said_and_harms_nothing() {
    let house = tones();
    house.run(&["index"]).ended(DONE);
    // All but a few pages are taken; then they are given back.
    let fill = "dd if=/dev/zero of=\"$TMPFS/filler\" bs=4k 2>/dev/null";
    let line = format!(
        "mkdir \"$TMPFS/store\"; {fill}; {ON_DISK}; first=$?; rm \"$TMPFS/filler\"; {ON_DISK} && \
         \"$XTASK\" verify --store \"$TMPFS/store\" && [ $first = 1 ]"
    );
    let Some(ran) = with_small_disk(&house, &line) else { return };
    let ran = ran.ended(DONE).complained_of(&["No space left on device", "disk/store/"]);
    assert!(ran.stdout.contains("All are as they were made"), "{}", ran.stdout);
}

#[test]
fn a_read_only_store_serves_what_it_has_and_says_what_it_cannot_take() {
    let house = tones();
    house.run(&["index"]).ended(DONE);
    let line = format!(
        "{ON_DISK} && mount -o remount,ro \"$TMPFS\" && {ON_DISK} && \
         ! \"$XTASK\" extract --pipeline \"$PIPELINE\" --store \"$TMPFS/store\""
    );
    let Some(ran) = with_small_disk(&house, &line) else { return };
    let complaint = ["nothing to do", "Read-only file system", "disk/store/"];
    ran.ended(DONE).complained_of(&complaint);
}

/// Several runs at once on one store: each ends well, and there is one result of each stage.
#[test]
fn runs_at_once_share_the_work() {
    for runs in [2, 8] {
        let house = tones();
        house.run(&["index"]).ended(DONE);
        fs::remove_dir_all(house.path("store")).unwrap();
        let start = || {
            let mut command = house.command(&["cv", "--jobs", "2"]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let at_once: Vec<Child> = (0..runs).map(|_| start()).collect();
        for run in at_once {
            Ran::new(&["cv"], run.wait_with_output().unwrap()).ended(DONE);
        }
        let objects = ["index", "extract", "map", "split", "train", "evaluate"]
            .map(|stage| fs::read_dir(house.path("store/objects").join(stage)).unwrap().count());
        assert_eq!(objects, [1, 1, 1, 1, 2 * 4, 1], "{runs} at once");
        house.run(&["verify"]).ended(DONE);
    }
}
