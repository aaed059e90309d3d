//! How long a command with nothing to do takes: `cv` on a store of made-up results.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ambivox_artifacts::{Begun, Provenance, Store};
use ambivox_eval::Summary;
use ambivox_settings::{Exclusions, Fold, Grouping, IndexSummary, Splits, role};
use anyhow::{Context as _, Result, bail, ensure};
use fs_err as fs;
use serde_json::to_string;

use crate::answer::print;
use crate::code::Code;
use crate::experiment::Experiment;
use crate::graph::{self, Graph, Instance};
use crate::resolve::{Resolver, State};
use crate::scratch::Scratch;
use crate::spawn::Program;
use crate::{builtin, host};

const UTTERANCES: usize = 10_000;
const FOLDS: usize = 10;
const SEEDS: &str = "seeds = [0, 1, 2]";
const REPETITIONS: usize = 9;

/// A file younger than this when it is hashed is hashed again, so the store has to settle.
const SETTLE: Duration = Duration::from_millis(2_200);

const MANIFEST: &str = r#"schema = 1
name = "made-up"
title = "Made up"
synthetic = false
licence = "CC0-1.0"
source = "https://example.org"
citation = "none"
root_env = "MADE_UP_ROOT"
adapter = "csv"
files = ["labels.csv", "wav/*/*.wav"]
[labels]
happy = "happiness"
[csv]
table = "labels.csv"
delimiter = ","
[csv.columns]
file = "file"
speaker = "speaker"
emotion = "emotion"
"#;

/// Makes up the results of every method with three seeds on ten folds of ten thousand utterances,
/// times `cv` on them, and prints the times.
pub(crate) fn run() -> Result<()> {
    let scratch = Scratch::new("bench-plan")?;
    let pipeline = make_up_corpus(scratch.path())?;
    let runs = make_up_results(scratch.path(), &pipeline)?;
    std::thread::sleep(SETTLE);
    let mut seconds = Vec::new();
    for _ in 0..=REPETITIONS {
        seconds.push(time(scratch.path(), &pipeline)?);
    }
    // The first learns what the others remember.
    let first = seconds.remove(0);
    seconds.sort_by(f64::total_cmp);
    let (best, median) = (seconds[0], seconds[REPETITIONS / 2]);
    print(&format!(
        "cv with nothing to do, {UTTERANCES} utterances, {runs} runs: median {median:.3} s, \
         best {best:.3} s of {REPETITIONS}; {first:.3} s where every file is read"
    ))
}

/// A corpus of files that nobody will listen to, and the full demonstration's pipeline on it.
fn make_up_corpus(folder: &Path) -> Result<PathBuf> {
    for n in 0..UTTERANCES {
        let speaker = folder.join(format!("corpus/wav/{}", speaker(n % FOLDS)));
        fs::create_dir_all(&speaker)?;
        fs::write(speaker.join(format!("{n}.wav")), n.to_string())?;
    }
    fs::write(folder.join("corpus/labels.csv"), "file,speaker,emotion\n")?;
    fs::write(folder.join("made-up.toml"), MANIFEST)?;
    let demo = fs::read_to_string(builtin::folder(folder)?.join(builtin::FULL))?;
    let mut table: toml::Table = demo.parse()?;
    table.remove("synth");
    table.insert("corpus".to_owned(), toml::from_str(CORPUS)?);
    let text = table.to_string().replace("seeds = [0]", SEEDS);
    ensure!(text.contains(SEEDS), "the demo's seeds are not those that were to be replaced");
    let pipeline = folder.join("demo.toml");
    fs::write(&pipeline, text)?;
    Ok(pipeline)
}

const CORPUS: &str = "manifest = \"made-up.toml\"\nroot = \"corpus\"\non_broken = \"stop\"";

fn speaker(number: usize) -> String {
    format!("speaker-{number}")
}

/// Fills the store as if every stage had run; returns how many trainings that would have been.
fn make_up_results(folder: &Path, pipeline: &Path) -> Result<usize> {
    let experiment = Experiment::read(pipeline)?;
    let store = Store::open(&folder.join("store"))?;
    let mut resolver = Resolver::new(&experiment, &store, Code::own()?);
    let folds: Vec<String> = (0..FOLDS).map(speaker).collect();
    let runs = graph::runs(&experiment, &folds);
    let graph = Graph::of(&experiment, &runs);
    graph.instances().iter().try_for_each(|instance| make_up(&mut resolver, instance))?;
    store.memo().save()?;
    Ok(runs.len())
}

fn make_up(resolver: &mut Resolver<'_>, instance: &Instance) -> Result<()> {
    let State::Stale { parts, .. } = resolver.state(instance)? else {
        bail!("{} is not stale in an empty store", instance.slot)
    };
    let store = resolver.store;
    let Begun::Staging(staging) = store.begin(instance.stage(), &parts.key(), || {})? else {
        bail!("{} is there already", instance.slot)
    };
    for (role, name) in instance.work.outputs() {
        fs::write(staging.out().join(name), content(&instance.slot, role)?)?;
    }
    let record = store.commit(staging, &parts, instance.work.outputs(), provenance())?;
    let pipeline = &resolver.experiment.pipeline.name;
    store.remember(pipeline, &instance.slot, &record)?;
    resolver.add(&instance.slot, record);
    Ok(())
}

fn provenance() -> Provenance {
    Provenance {
        started_unix: 0,
        seconds: 0.0,
        threads: 1,
        host: "made up".to_owned(),
        isa: Some(host::instruction_set().to_owned()),
        peak_bytes: None,
        tools: BTreeMap::new(),
    }
}

/// What the planner reads is of the right form; the rest is only hashed.
fn content(slot: &str, role: &str) -> Result<String> {
    let none = Vec::new;
    Ok(match role {
        role::INDEX_SUMMARY => to_string(&IndexSummary {
            schema: 1,
            corpus: "made-up".to_owned(),
            utterances: UTTERANCES as u64,
            seconds: 1.0,
            votes: true,
            annotators: None,
            speakers: Vec::new(),
            files: UTTERANCES as u64,
            blake3: String::new(),
            release_differences: none(),
            corrections: None,
            warnings: Vec::new(),
        })?,
        role::EXCLUSIONS => to_string(&Exclusions { schema: 1, ..Exclusions::default() })?,
        role::SPLITS => {
            let fold = |number| Fold {
                name: speaker(number),
                tested: vec![speaker(number)],
                validating: vec![speaker((number + 1) % FOLDS)],
                test: none(),
                validation: none(),
                left_out: none(),
                ..Fold::default()
            };
            let folds = (0..FOLDS).map(fold).collect();
            to_string(&Splits {
                schema: 3,
                grouping: Grouping::Speaker,
                listed: false,
                classes: none(),
                folds,
                utterances: none(),
                ambiguous: none(),
                without_votes: none(),
                groups: BTreeMap::new(),
                notes: none(),
            })?
        }
        role::SUMMARY => to_string(&Summary {
            schema: Summary::SCHEMA,
            pipeline: "demo".to_owned(),
            synthetic: false,
            test_sets: false,
            in_turn: BTreeMap::new(),
            classes: none(),
            methods: BTreeMap::new(),
        })?,
        _ => format!("{slot} {role}"),
    })
}

/// Seconds that `cv` takes, from its start to its end.
fn time(folder: &Path, pipeline: &Path) -> Result<f64> {
    let mut command = Command::new(Program::Own.path()?);
    command.arg("cv").arg("--pipeline").arg(pipeline);
    command.arg("--store").arg(folder.join("store")).arg("--results").arg(folder.join("results"));
    command.stdin(Stdio::null());
    let started = Instant::now();
    let output = command.output().context("failed to start this program again")?;
    let seconds = started.elapsed().as_secs_f64();
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success() && said.contains("nothing to do"), "{}", said.trim_end());
    Ok(seconds)
}
