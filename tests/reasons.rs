//! Each change makes stale what depends on it and nothing else, and `plan` says why.

use fs_err as fs;
use serde_json::{Value, json};

use crate::corpora::tones;
use crate::harness::{DONE, House, Ran, USAGE};

const PIPELINE: &str = "pipelines/tiny.toml";
const NOTHING: &str = "nothing to do";

/// What a plan says of every stage: slot, state and reasons.
struct Plan(Vec<Value>);

impl Plan {
    fn of(house: &House) -> Self {
        Self::from(&house.run(&["plan", "--json"]))
    }

    fn from(ran: &Ran) -> Self {
        Self(ran.document()["stages"].as_array().unwrap().clone())
    }

    fn slots(&self, state: &str) -> Vec<&str> {
        let found = self.0.iter().filter(|stage| stage["state"] == state);
        found.map(|stage| stage["slot"].as_str().unwrap()).collect()
    }

    /// The only reason for a slot.
    fn reason(&self, slot: &str) -> &Value {
        let stage = self.0.iter().find(|stage| stage["slot"] == slot).unwrap();
        let reasons = stage["reasons"].as_array().unwrap();
        assert_eq!(reasons.len(), 1, "{slot}: {reasons:?}");
        &reasons[0]
    }
}

/// A house where everything is fresh: two methods, of all four folds.
fn done() -> House {
    let house = tones();
    house.run(&["report"]).ended(DONE);
    assert_eq!(Plan::of(&house).slots("fresh").len(), 4 + 2 * 4 + 2);
    house
}

#[test]
fn a_rate_of_one_method_concerns_its_runs_alone() {
    let house = done();
    house.edit(PIPELINE, "label_rate = 0.2", "label_rate = 0.3");
    let plan = Plan::of(&house);
    let runs = ["train/lw/0/anna", "train/lw/0/bert", "train/lw/0/carl", "train/lw/0/dora"];
    assert_eq!(plan.slots("stale"), runs);
    assert_eq!(plan.slots("waits"), ["evaluate", "report"]);
    let expected =
        json!({"reason": "parameter", "name": "method.rule.label_rate", "from": 0.2, "to": 0.3});
    assert_eq!(*plan.reason(runs[0]), expected);
    let why = house.run(&["plan", "--why"]).ended(DONE).stdout;
    assert!(why.contains("parameter method.rule.label_rate changed from 0.2 to 0.3"), "{why}");
}

#[test]
fn another_seed_trains_that_seed_alone() {
    let house = done();
    house.edit(PIPELINE, "seeds = [0]", "seeds = [0, 3]");
    let plan = Plan::of(&house);
    let stale = plan.slots("stale");
    assert_eq!(stale.len(), 2 * 4);
    assert!(stale.iter().all(|slot| slot.contains("/3/")), "{stale:?}");
    assert_eq!(*plan.reason(stale[0]), json!({"reason": "never_ran"}));
    assert_eq!(plan.slots("fresh").len(), 4 + 2 * 4);
}

/// Neither the set of contents nor that of names changes; only which is which.
#[test]
fn exchanged_inputs_are_other_inputs() {
    let house = done();
    let (one, two) =
        (house.path("corpus/wav/anna-sad-0.wav"), house.path("corpus/wav/anna-happy-0.wav"));
    let between = house.path("corpus/between");
    fs::rename(&one, &between).unwrap();
    fs::rename(&two, &one).unwrap();
    fs::rename(&between, &two).unwrap();
    let plan = Plan::of(&house);
    let reason = plan.reason("index");
    assert_eq!((&reason["reason"], &reason["role"]), (&json!("input"), &json!("corpus")));
    assert_ne!(reason["from"], reason["to"]);
}

#[test]
fn a_house_that_moved_is_the_same_house() {
    let house = done();
    let moved = house.moved();
    let ran = moved.run(&["report"]).ended(DONE);
    assert!(ran.text().contains(NOTHING), "{}", ran.text());
}

/// Nothing of the environment reaches a stage.
#[test]
fn the_environment_does_not_count() {
    let house = done();
    let mut command = house.command(&["report"]);
    command.env("TZ", "Asia/Kathmandu").env("LANG", "de_DE.UTF-8").env("LC_ALL", "tr_TR.UTF-8");
    command.env("RAYON_NUM_THREADS", "3").env("POLARS_MAX_THREADS", "3");
    let ran = Ran::new(&["report"], command.output().unwrap()).ended(DONE);
    assert!(ran.text().contains(NOTHING), "{}", ran.text());
}

/// What is computed alike everywhere is never taken for what this processor computes.
#[test]
fn portable_arithmetic_concerns_training_alone() {
    let house = done();
    let with = |value: &str, arguments: &[&str]| {
        let mut command = house.command(arguments);
        Ran::new(arguments, command.env("AMBIVOX_ISA", value).output().unwrap())
    };
    let plan = Plan::from(&with("portable", &["plan", "--json"]));
    let stale = plan.slots("stale");
    assert!(
        stale.len() == 2 * 4 && stale.iter().all(|slot| slot.starts_with("train/")),
        "{stale:?}"
    );
    assert!(plan.reason(stale[0])["name"] == "arithmetic", "{:?}", plan.reason(stale[0]));
    // Rates of so small a corpus are the same; the losses in this table are not, to the last bit.
    let losses = || fs::read(house.path("results/tiny/labels.parquet")).unwrap();
    let native = losses();
    with("portable", &["cv"]).ended(DONE);
    assert!(losses() != native, "portable arithmetic gives the same bits");
    with("native", &["cv"]).ended(DONE);
    assert!(losses() == native, "native arithmetic gives other bits than before");
    with("sse9", &["cv"]).ended(USAGE).complained_of(&["AMBIVOX_ISA is \"sse9\"", "portable"]);
}
