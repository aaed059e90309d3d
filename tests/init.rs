//! A corpus brought by `init`, and what `doctor` tells of the machine.

use crate::corpora::{SPEAKERS, tones};
use crate::harness::{DATA, DONE, House, Ran, USAGE, shared, xtask};

/// Runs `init` on a folder, to write into the house's own.
fn init(house: &House, folder: &str, arguments: &[&str]) -> Ran {
    let into = house.path(".").display().to_string();
    let arguments = [&["init", folder, "--into", &into][..], arguments].concat();
    Ran::new(&arguments, house.without_pipeline(xtask(), &arguments).output().unwrap())
}

/// Runs a command on what was written under this name.
fn run(house: &House, name: &str, arguments: &[&str]) -> Ran {
    let pipeline = house.path(&format!("pipelines/{name}.toml")).display().to_string();
    let arguments = [arguments, &["--pipeline", &pipeline]].concat();
    Ran::new(&arguments, house.without_pipeline(xtask(), &arguments).output().unwrap())
}

#[test]
fn a_folder_with_a_table_is_trained_and_audited_at_once() {
    let house = tones();
    let corpus = house.path("corpus").display().to_string();
    let ran = init(&house, &corpus, &["--name", "talks"]).ended(DONE);
    for told in
        [r#"file: "file", label: "emotion", speaker: "speaker""#, "happy (12), sad (12)", "Next:"]
    {
        assert!(ran.stdout.contains(told), "no {told:?} in\n{}", ran.stdout);
    }
    let rates = run(&house, "talks", &["cv"]).ended(DONE).stdout;
    for told in ["baseline", "lw", SPEAKERS[3]] {
        assert!(rates.contains(told), "{rates}");
    }
    run(&house, "talks", &["audit"]).ended(DONE);
    assert!(house.path("results/talks/audit.html").is_file());

    let again = init(&house, &corpus, &["--name", "talks"]).ended(USAGE);
    again.complained_of(&["talks.toml is there already", "--name"]);
    let other = init(&house, &corpus, &["--name", "others", "--json"]).ended(DONE).document();
    assert_eq!((&other["layout"], &other["speakers"]), (&"csv".into(), &4.into()));
    assert_eq!(other["classes"]["happy"], 12);
    assert!(other["next"][0].as_str().unwrap().starts_with("cargo xtask cv --pipeline "));
}

#[test]
fn a_folder_without_a_table_is_told_what_one_looks_like() {
    let house = tones();
    let sounds = house.path("corpus/wav").display().to_string();
    init(&house, &sounds, &[]).ended(DATA).complained_of(&["file,speaker,emotion"]);
    let table = house.path("corpus/labels.csv").display().to_string();
    let ran = init(&house, &sounds, &["--table", &table]).ended(DATA);
    ran.complained_of(&[r#""anna-happy-0.wav" in place of "wav/anna-happy-0.wav""#]);
}

#[test]
fn emodb_is_recognised() {
    let Some(emodb) = shared("data/emodb") else { return };
    let house = House::new();
    let ran = init(&house, &emodb.display().to_string(), &[]).ended(DONE);
    for told in ["EmoDB", "anger (127)", "pipelines/my-emodb.toml"] {
        assert!(ran.stdout.contains(told), "no {told:?} in\n{}", ran.stdout);
    }
    let plan = run(&house, "my-emodb", &["plan"]).ended(DONE).stdout;
    assert!(plan.contains("train"), "{plan}");
}

#[test]
fn the_doctor_tells_facts_and_fails_without_a_store() {
    let house = House::new();
    let doctor = |arguments: &[&str]| {
        let arguments = [&["doctor"][..], arguments].concat();
        Ran::new(&arguments, house.without_pipeline(xtask(), &arguments).output().unwrap())
    };
    let text = doctor(&[]).ended(DONE).stdout;
    let names = ["program", "processor", "memory", "store", "locks", "results", "GPU", "Slurm"];
    for name in names.into_iter().chain(["corpus emodb", "fetch", "predict"]) {
        assert!(text.contains(&format!("  {name} ")), "no {name:?} in\n{text}");
    }
    assert!(!house.path("store").exists(), "it made a store");
    let document = doctor(&["--json"]).ended(DONE).document();
    let facts = document["facts"].as_array().unwrap();
    for name in names {
        assert!(facts.iter().any(|fact| fact["name"] == name), "no {name:?} in {document}");
    }
    house.write("store", "a file in the way");
    let ran = doctor(&[]);
    assert_eq!(ran.code(), Some(1), "{}", ran.text());
    ran.complained_of(&["results cannot be kept there", "--store"]);
}
