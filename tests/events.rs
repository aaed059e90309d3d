//! The course of trainings, where TensorBoard looks for it while they run.

use std::thread::sleep;
use std::time::{Duration, Instant};

use fs_err as fs;

use crate::corpora::tones;
use crate::faults::{kill_group, start};
use crate::harness::{DONE, House};

const RUN: [&str; 5] = ["cv", "--method", "lw", "--fold", "anna"];
const FILE: &str = "results/tiny/tensorboard/lw/seed-0/anna/events.out.tfevents.0.ambivox";
const EPOCHS: usize = 300;

/// Records of an event file that are there whole; each stands between its length with a checksum,
/// and a checksum of its own.
fn records(bytes: &[u8]) -> Vec<&[u8]> {
    let mut records = Vec::new();
    let mut rest = bytes;
    while let Some((length, after)) = rest.split_first_chunk::<8>() {
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap();
        let Some(record) = after.get(4..4 + length) else { break };
        records.push(record);
        rest = after.get(4 + length + 4..).unwrap_or_default();
    }
    records
}

/// How many epochs these bytes tell of.
fn epochs(bytes: &[u8]) -> usize {
    let tag = b"loss/validation";
    let has = |record: &&&[u8]| record.windows(tag.len()).any(|window| window == tag);
    records(bytes).iter().filter(has).count()
}

fn shown(house: &House) -> Vec<u8> {
    fs::read(house.path(FILE)).unwrap_or_default()
}

/// Waits until more epochs are shown than these.
fn wait_for_more(house: &House, than: usize) -> Vec<u8> {
    let started = Instant::now();
    loop {
        let bytes = shown(house);
        if epochs(&bytes) > than {
            return bytes;
        }
        assert!(started.elapsed() < Duration::from_mins(2), "no more than {than} epochs shown");
        sleep(Duration::from_millis(2));
    }
}

#[test]
fn epochs_are_shown_as_they_end_and_none_twice_after_a_kill() {
    let house = tones();
    for key in ["max_epochs", "patience"] {
        house.edit("pipelines/tiny.toml", &format!("{key} = 2"), &format!("{key} = {EPOCHS}"));
    }
    let mut run = start(&house, &RUN);
    let first = wait_for_more(&house, 0);
    let second = wait_for_more(&house, epochs(&first));
    assert!(second.starts_with(&first), "what was shown stays");
    kill_group(&run);
    run.wait().unwrap();
    let left = shown(&house);
    assert!((epochs(&second)..EPOCHS).contains(&epochs(&left)), "{}", epochs(&left));

    house.run(&RUN).ended(DONE);
    let whole = shown(&house);
    assert!(whole.starts_with(&left), "it goes on where it was");
    assert_eq!(epochs(&whole), EPOCHS);
    let runs = house.path("store/objects/train");
    let run = fs::read_dir(runs).unwrap().next().unwrap().unwrap().path();
    assert!(fs::read(run.join("events.out.tfevents.0.ambivox")).unwrap() == whole);

    // The same key again, as another store makes it, leaves the file as it is.
    fs::remove_dir_all(house.path("store")).unwrap();
    house.run(&RUN).ended(DONE);
    assert!(shown(&house) == whole, "shown twice");
    let folder = house.path(FILE).parent().unwrap().to_owned();
    assert_eq!(fs::read_dir(folder).unwrap().count(), 1);
}
