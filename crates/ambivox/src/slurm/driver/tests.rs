//! Drivers against a cluster that is made up, with a shell script for the stages.

use std::collections::VecDeque;
use std::path::PathBuf;

use ambivox_artifacts::Store;
use ambivox_settings::role;
use proptest::prelude::*;

use super::*;
use crate::code::Code;
use crate::execute::Tally;
use crate::experiment::Experiment;
use crate::experiment::tests::Toy;
use crate::failure::exit_code;
use crate::graph::Graph;
use crate::progress::Progress;
use crate::resolve::Resolver;
use crate::slurm::order::Order;
use crate::spawn::Program;
use crate::spawn::tests::script;
use made_up::{MadeUp, Reply};

mod made_up;

/// Writes the outputs of a stage, and a line for every time; a part leaves a file for the whole.
const STAGES: &str = r#"
here=$(dirname "$0")
stage=$(grep -o '"stage": "[a-z_]*"' request.json | cut -d'"' -f4)
title=$(grep -o '"title": "[^"]*"' request.json | cut -d'"' -f4)
if grep -q '"shard": {' request.json; then
    number=$(grep -o '"number": [0-9]*' request.json | cut -d' ' -f2)
    echo "part $number" >> "$here/runs"
    touch "$(grep -o '"interim": "[^"]*"' request.json | cut -d'"' -f4)/$number.piece"
    exit 0
fi
case $stage in
index) echo "index $title" >> "$here/runs"; echo "$title" > out/index.parquet; echo '{}' > out/index.json ;;
extract)
    ls "$(grep -o '"interim": "[^"]*"' request.json | cut -d'"' -f4)" 2>/dev/null |
        grep -c piece > out/features.parquet
    echo extract >> "$here/runs"; echo f > out/vectors.parquet; echo '{}' > out/exclusions.json ;;
split) echo split >> "$here/runs"; echo '{}' > out/splits.json ;;
map) touch out/features.safetensors ;;
esac
"#;

struct House {
    toy: Toy,
    cluster: MadeUp,
    program: PathBuf,
}

impl House {
    fn new() -> Self {
        let toy = Toy::new();
        let program = script(toy.folder.path(), STAGES);
        Self { toy, cluster: MadeUp::default(), program }
    }

    /// Brings instances up to date by a driver of this number.
    fn drive(
        &self,
        number: usize,
        settings: &SlurmSettings,
        instances: &dyn Fn(&Experiment) -> Vec<Instance>,
    ) -> Result<Tally> {
        let store = Store::open(&self.toy.path("store"))?;
        let (experiment, progress) = (self.toy.read()?, Progress::new(true));
        let resolver = Resolver::new(&experiment, &store, Code::own()?);
        let program = Program::At(self.program.clone());
        let mut executor = Executor::new(resolver, &progress, program, 1);
        let cluster = self.cluster.seen_by(number);
        let client = Client {
            programs: Box::new(cluster.clone()),
            pause: Duration::from_millis(1),
            turn: Duration::from_millis(200),
        };
        let mut slurm = Slurm::with(settings.clone(), None, client);
        // Where it lies: tasks are worked here.
        slurm.program = Some(self.program.clone());
        let done = slurm.bring_up(&mut executor, &Graph::from(instances(&experiment)));
        cluster.leave();
        done.map(|()| executor.tally)
    }

    /// What the stages were run for, sorted.
    fn runs(&self) -> Vec<String> {
        let runs = fs::read_to_string(self.toy.path("runs")).unwrap_or_default();
        let mut runs: Vec<String> = runs.lines().map(str::to_owned).collect();
        runs.sort();
        runs
    }

    fn end_so(&self, unit: &str, states: &[&'static str]) {
        self.cluster.state().mishaps.insert(unit.to_owned(), states.iter().copied().collect());
    }

    /// What was submitted: units and what they wait for, in order.
    fn submitted(&self) -> Vec<(String, String)> {
        let state = self.cluster.state();
        state.jobs.values().map(|job| (job.units.join(" "), job.after.join(" "))).collect()
    }

    fn orders(&self) -> usize {
        fs::read_dir(self.toy.path("store/slurm/orders")).map_or(0, Iterator::count)
    }
}

fn settings() -> SlurmSettings {
    SlurmSettings { poll_seconds: 0.001, ..SlurmSettings::default() }
}

/// So many instances of index.
fn indexes(experiment: &Experiment, numbers: impl Iterator<Item = usize>) -> Vec<Instance> {
    let variant = |number: usize| {
        let mut instance = Graph::before_training(experiment).instances()[0].clone();
        instance.slot = format!("index/{number}");
        if let StageParams::Index(params) = &mut instance.work {
            params.manifest.title = number.to_string();
        }
        instance
    };
    numbers.map(variant).collect()
}

/// An instance that reads both outputs of all of these.
fn conclusion(experiment: &Experiment, of: &[Instance]) -> Instance {
    let mut instance = Graph::before_training(experiment).instances()[2].clone();
    let source = |instance: &Instance| {
        let (slot, role) = (instance.slot.clone(), role::INDEX.to_owned());
        (slot.clone(), Source::Output { slot, role })
    };
    instance.inputs = of.iter().map(source).collect();
    instance
}

/// Three of index, one that reads them, one that reads that.
fn pyramid(experiment: &Experiment) -> Vec<Instance> {
    let base = indexes(experiment, 0..3);
    let middle = conclusion(experiment, &base);
    let mut top = middle.clone();
    top.slot = "top".to_owned();
    let (slot, role) = (middle.slot.clone(), role::SPLITS.to_owned());
    top.inputs = [("splits".to_owned(), Source::Output { slot, role })].into();
    [base, vec![middle, top]].concat()
}

const PYRAMID: [&str; 5] = ["index 0", "index 1", "index 2", "split", "split"];

#[test]
fn what_is_missing_is_submitted_once_and_nothing_is_left() {
    let house = House::new();
    let made = house.drive(0, &settings(), &pyramid).unwrap();
    assert_eq!((made.made, house.runs()), (5, PYRAMID.map(str::to_owned).to_vec()));
    let pair = |units: &str, after: &str| (units.to_owned(), after.to_owned());
    let expected = [pair("index/0 index/1 index/2", ""), pair("split", "1"), pair("top", "2")];
    assert_eq!(house.submitted(), expected);
    assert_eq!(house.orders(), 0);
    assert_eq!(house.drive(1, &settings(), &pyramid).unwrap().fresh, 5);
}

/// The array as a whole never turns good after that: what waits for it is cancelled, and is submitted
/// again after the new job, though the retry may be over before anybody looks.
#[test]
fn what_waits_for_a_task_that_is_begun_again_is_submitted_again() {
    for mishaps in [&["NODE_FAIL"][..], &["NODE_FAIL", "PREEMPTED"]] {
        let house = House::new();
        house.end_so("index/1", mishaps);
        let retries = u32::try_from(mishaps.len()).unwrap();
        let settings = SlurmSettings { retries, ..settings() };
        house.drive(0, &settings, &pyramid).unwrap();
        assert_eq!(house.runs(), PYRAMID);
        assert_eq!(house.orders(), 0);
    }
}

/// Others of the array are still at work when one is begun again: what waits for it all must then wait
/// for those tasks, not for the array, which can only end badly.
#[test]
fn what_waits_for_a_broken_array_waits_for_its_sound_tasks() {
    let house = House::new();
    house.end_so("index/1", &["NODE_FAIL"]);
    house.cluster.state().stuck.push("index/0".to_owned());
    // Slurm gives up what can no longer be met while the rest still runs.
    let freed = std::thread::scope(|scope| {
        let driver = scope.spawn(|| house.drive(0, &settings(), &pyramid));
        std::thread::sleep(Duration::from_millis(300));
        for job in house.cluster.state().jobs.values_mut().filter(|job| job.units == ["split"]) {
            job.tasks[0] = ("CANCELLED", "DependencyNeverSatisfied");
        }
        std::thread::sleep(Duration::from_millis(300));
        house.cluster.state().stuck.clear();
        driver.join().unwrap()
    });
    freed.unwrap();
    assert_eq!(house.runs(), PYRAMID);
    let submitted = house.submitted();
    let again = submitted.iter().filter(|(units, _)| units == "split").nth(1).unwrap();
    assert!(again.1.split(' ').any(|after| after == "1_0"), "{submitted:?}");
    assert!(submitted.len() < 10, "submitted again and again: {submitted:?}");
}

#[test]
fn what_waits_for_a_task_that_failed_is_no_failure_of_its_own() {
    let house = House::new();
    house.end_so("index/1", &["TIMEOUT"]);
    let error = house.drive(0, &settings(), &pyramid).unwrap_err();
    let text = error.to_string();
    assert_eq!((exit_code(&error), text.matches(" failed: ").count()), (1, 1), "{text}");
    assert!(text.starts_with("index/1 failed: it ran out of time"), "{text}");
    assert!(text.contains("begun"), "the log's last lines: {text}");
    house.drive(1, &settings(), &pyramid).unwrap();
    assert_eq!(house.runs(), PYRAMID);
}

/// As where a site cancels whatever waits: nothing that it waits for has come to harm.
#[test]
fn what_is_cancelled_for_no_reason_of_ours_is_not_submitted_for_ever() {
    let house = House::new();
    house.cluster.state().stuck.push("index/0".to_owned());
    let error = std::thread::scope(|scope| {
        let driver = scope.spawn(|| house.drive(0, &settings(), &pyramid));
        std::thread::sleep(Duration::from_millis(300));
        let jobs = house.cluster.state().jobs.clone();
        let split = jobs.iter().find(|(_, job)| job.units == ["split"]).unwrap();
        house.cluster.state().cancel(*split.0);
        std::thread::sleep(Duration::from_millis(100));
        house.cluster.state().stuck.clear();
        driver.join().unwrap().unwrap_err()
    });
    assert!(error.to_string().starts_with("split failed: it was cancelled"), "{error}");
}

#[test]
fn memory_is_doubled_where_it_ran_out() {
    let house = House::new();
    house.end_so("index/2", &["OUT_OF_MEMORY", "OUT_OF_MEMORY"]);
    let memory = |text: &str| Memory::try_from(text.to_owned()).unwrap();
    let mut settings = SlurmSettings { memory_limit: Some(memory("3G")), ..settings() };
    settings.resources.memory = Some(memory("1G"));
    house.drive(0, &settings, &pyramid).unwrap();
    let state = house.cluster.state();
    let again = state.jobs.values().filter(|job| job.units == ["index/2"]);
    let given: Vec<&str> = again.filter_map(|job| job.memory.as_deref()).collect();
    assert_eq!(given, ["2G", "3G"]);
}

#[test]
fn what_the_controller_took_without_a_word_is_not_sent_again() {
    for replies in [
        &[Reply::Taken][..],
        &[Reply::Lost],
        &[Reply::Lost, Reply::Taken, Reply::Taken],
        &[Reply::Answer, Reply::Lost, Reply::Lost, Reply::Taken],
        &[Reply::TakenAfter(2)],
        &[Reply::TakenAfter(3)],
        &[Reply::Answer, Reply::TakenAfter(4)],
    ] {
        let house = House::new();
        house.cluster.state().replies = replies.iter().copied().collect::<VecDeque<_>>();
        house.drive(0, &settings(), &pyramid).unwrap();
        assert_eq!(house.runs(), PYRAMID, "{replies:?}");
        assert_eq!(house.orders(), 0, "{replies:?}");
        let state = house.cluster.state();
        let worked = |job: &&made_up::Job| job.tasks.iter().all(|task| task.0 == "COMPLETED");
        assert_eq!(state.jobs.values().filter(worked).count(), 3, "{replies:?}");
        for (number, (name, looks)) in state.sent.iter().enumerate() {
            let again = state.sent[number + 1..].iter().find(|(other, _)| other == name);
            assert!(again.is_none_or(|(_, later)| later > looks), "sent blindly: {replies:?}");
        }
    }
}

/// The claim of a driver that has died is waited for, and begins by itself.
#[test]
fn a_dead_drivers_claim_is_not_waited_for_for_ever() {
    let house = House::new();
    let one = |experiment: &Experiment| indexes(experiment, 0..1);
    house.cluster.state().stuck.push("index/0".to_owned());
    std::thread::scope(|scope| {
        let driver = scope.spawn(|| house.drive(0, &settings(), &one));
        std::thread::sleep(Duration::from_millis(200));
        // As it was before it was let begin.
        for job in house.cluster.state().jobs.values_mut() {
            job.claim();
        }
        let other = |experiment: &Experiment| indexes(experiment, 1..2);
        house.drive(1, &settings(), &other).unwrap();
        house.cluster.state().stuck.clear();
        for job in house.cluster.state().jobs.values_mut() {
            job.let_begin();
        }
        driver.join().unwrap().unwrap();
    });
    assert_eq!(house.runs(), ["index 0", "index 1"]);
}

#[test]
fn an_extraction_in_parts_is_put_together_after_them() {
    let house = House::new();
    let of = NonZeroUsize::new(3);
    let settings = SlurmSettings { extract_shards: of, ..settings() };
    let all = |experiment: &Experiment| Graph::before_training(experiment).instances().to_vec();
    house.end_so("extract, part 2 of 3", &["NODE_FAIL"]);
    let made = house.drive(0, &settings, &all).unwrap();
    assert_eq!(made.made, 4);
    assert_eq!(
        house.runs(),
        ["extract", "index Toy corpus", "part 0", "part 1", "part 2", "split"]
    );
    let objects = walkdir::WalkDir::new(house.toy.path("store/objects"));
    let features =
        objects.into_iter().flatten().find(|e| e.file_name() == "features.parquet").unwrap();
    assert_eq!(fs::read_to_string(features.path()).unwrap(), "3\n");
    let partial = house.toy.path("store/partial");
    assert_eq!(fs::read_dir(partial).unwrap().count(), 0, "parts are left over");
    assert_eq!(house.orders(), 0);
}

/// What is queued stays, and the rest follows in the order of its dependence.
#[test]
fn what_finds_no_room_waits_for_it() {
    for limit in 1..=5 {
        let house = House::new();
        house.cluster.state().limit = Some(limit);
        house.end_so("index/1", &["NODE_FAIL"]);
        let made = house.drive(0, &settings(), &pyramid).unwrap();
        assert_eq!((made.made, house.runs()), (5, PYRAMID.map(str::to_owned).to_vec()), "{limit}");
        assert_eq!(house.orders(), 0, "{limit}");
        let state = house.cluster.state();
        assert!(!state.calls.iter().any(|(_, program)| program == "scancel"), "{limit}");
    }
}

#[test]
fn an_array_that_is_too_long_is_divided() {
    let house = House::new();
    house.cluster.state().longest = Some(2);
    house.drive(0, &settings(), &pyramid).unwrap();
    assert_eq!(house.runs(), PYRAMID);
    let submitted = house.submitted();
    let units: Vec<&str> = submitted.iter().map(|(units, _)| units.as_str()).collect();
    assert_eq!(units, ["index/0", "index/1", "index/2", "split", "top"]);
    assert_eq!(submitted[3].1, "1 2 3");
    let house = House::new();
    house.cluster.state().longest = Some(0);
    let error = house.drive(0, &settings(), &pyramid).unwrap_err().to_string();
    assert!(error.contains("Invalid job array specification"), "{error}");
}

#[test]
fn room_that_nobody_makes_is_not_waited_for_for_ever() {
    let house = House::new();
    house.cluster.state().limit = Some(0);
    let error = house.drive(0, &settings(), &pyramid).unwrap_err();
    assert_eq!(exit_code(&error), 1);
    let text = error.to_string();
    assert!(text.contains("QOSMaxSubmitJobPerUserLimit\nhint: "), "{text}");
    assert_eq!(house.orders(), 0);
    house.cluster.state().limit = None;
    house.drive(1, &settings(), &pyramid).unwrap();
    assert_eq!(house.runs(), PYRAMID);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Arrays of one task each, in opposite orders: whatever is called when, each is made once.
    #[test]
    fn two_drivers_never_submit_the_same(
        turns in prop::collection::vec(0..2_usize, 0..60),
        limit in prop::option::of(2..6_usize),
    ) {
        let house = House::new();
        house.cluster.state().limit = limit;
        let settings = SlurmSettings { array_limit: NonZeroUsize::MIN, ..settings() };
        let up = |experiment: &Experiment| indexes(experiment, 0..4);
        let down = |experiment: &Experiment| indexes(experiment, (1..5).rev());
        house.cluster.take_turns(&turns);
        let [one, two] = std::thread::scope(|scope| {
            let one = scope.spawn(|| house.drive(0, &settings, &up));
            let two = scope.spawn(|| house.drive(1, &settings, &down));
            [one.join().unwrap(), two.join().unwrap()]
        });
        prop_assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
        let state = house.cluster.state();
        let mut worked: Vec<&str> = Vec::new();
        for job in state.jobs.values().filter(|job| job.tasks[0].0 == "COMPLETED") {
            worked.extend(job.units.iter().map(String::as_str));
        }
        worked.sort_unstable();
        prop_assert_eq!(worked, ["index/0", "index/1", "index/2", "index/3", "index/4"]);
        prop_assert_eq!(house.runs().len(), 5);
        prop_assert_eq!(house.orders(), 0);
    }
}
