//! A shell script stands for the stage program: it writes what the request names.

use ambivox_artifacts::{StaleReason, Store};
use ambivox_settings::{IndexParams, StageParams};
use fs_err as fs;

use super::*;
use crate::code::Code;
use crate::experiment::Experiment;
use crate::experiment::tests::Toy;
use crate::graph::{Graph, Instance};
use crate::spawn::tests::script;

/// Writes both outputs of the index stage into the request's folder, which is the script's own.
const INDEX: &str = "echo run >> \"$(dirname \"$0\")/runs\"\n\
                     echo rows > out/index.parquet\n\
                     echo '{}' > out/index.json";

struct House {
    toy: Toy,
    store: Store,
}

impl House {
    fn new() -> Self {
        let toy = Toy::new();
        let store = Store::open(&toy.path("store")).unwrap();
        Self { toy, store }
    }

    /// Runs the index stage of the toy pipeline by a script.
    fn index(&self, body: &str) -> Result<Tally> {
        self.bring_up(body, |experiment| {
            Graph::before_training(experiment).upto(["index"]).instances().to_vec()
        })
    }

    fn bring_up(
        &self,
        body: &str,
        instances: impl FnOnce(&Experiment) -> Vec<Instance>,
    ) -> Result<Tally> {
        let experiment = self.toy.read()?;
        let progress = Progress::new(false);
        let mut executor = self.executor(&experiment, &progress, body);
        let instances = instances(&experiment);
        executor.bring_up(&Graph::from(instances), 2)?;
        Ok(executor.tally)
    }

    fn executor<'a>(
        &'a self,
        experiment: &'a Experiment,
        progress: &'a Progress,
        body: &str,
    ) -> Executor<'a> {
        let program = script(self.toy.folder.path(), body);
        Executor::new(
            Resolver::new(experiment, &self.store, Code::own().unwrap()),
            progress,
            Program::At(program),
            2,
        )
    }

    fn reasons(&self) -> Vec<StaleReason> {
        let experiment = self.toy.read().unwrap();
        let progress = Progress::new(false);
        let mut executor = self.executor(&experiment, &progress, INDEX);
        let graph = Graph::before_training(&experiment);
        let index = &graph.instances()[0];
        match executor.resolver.state(index).unwrap() {
            State::Stale { reasons, .. } => reasons,
            other => panic!("{other:?}"),
        }
    }

    fn runs(&self) -> usize {
        fs::read_to_string(self.toy.path("runs")).unwrap_or_default().lines().count()
    }
}

const MADE: Tally = Tally { fresh: 0, made: 1 };
const FRESH: Tally = Tally { fresh: 1, made: 0 };

#[test]
fn the_second_time_nothing_runs() {
    let house = House::new();
    assert_eq!(house.index(INDEX).unwrap(), MADE);
    assert_eq!(house.index(INDEX).unwrap(), FRESH);
    assert_eq!(house.runs(), 1);
}

#[test]
fn a_changed_corpus_runs_it_again_and_its_return_does_not() {
    let house = House::new();
    assert_eq!(house.reasons(), [StaleReason::NeverRan]);
    house.index(INDEX).unwrap();
    house.toy.write("corpus/wav/a.wav", "eno");
    let reasons = house.reasons();
    assert!(matches!(&reasons[..], [StaleReason::Input { role, .. }] if role == "corpus"));
    assert_eq!(house.index(INDEX).unwrap(), MADE);
    house.toy.write("corpus/wav/a.wav", "one");
    assert_eq!(house.index(INDEX).unwrap(), FRESH);
    assert_eq!(house.runs(), 2);
}

#[test]
fn what_the_stage_does_not_read_does_not_matter() {
    let house = House::new();
    house.index(INDEX).unwrap();
    house.toy.edit("title = ", "# a remark\ntitle = ");
    house.toy.edit("patience = 8", "patience = 9");
    house.toy.write("corpus/notes.txt", "mine");
    assert_eq!(house.index(INDEX).unwrap(), FRESH);
}

#[test]
fn an_edited_output_is_made_again() {
    let house = House::new();
    house.index(INDEX).unwrap();
    let objects = walkdir::WalkDir::new(house.store.root().join("objects"));
    let index = objects.into_iter().flatten().find(|e| e.file_name() == "index.parquet").unwrap();
    fs::write(index.path(), "edit").unwrap();
    assert_eq!(house.reasons(), [StaleReason::OutputAltered { role: "index".to_owned() }]);
    assert_eq!(house.index(INDEX).unwrap(), MADE);
    assert_eq!(fs::read_to_string(index.path()).unwrap(), "rows\n");
}

#[test]
fn a_failing_stage_passes_on_its_code_and_words() {
    let house = House::new();
    let body = "echo rows > out/index.parquet\necho 'row 3: no speaker' >&2\nexit 3";
    let error = house.index(body).unwrap_err();
    assert_eq!(exit_code(&error), 3);
    assert_eq!(error.to_string(), "index failed: row 3: no speaker");
    assert_eq!(house.index(INDEX).unwrap(), MADE);
}

#[test]
fn an_input_that_changes_meanwhile_is_not_recorded() {
    let house = House::new();
    let body = format!("{INDEX}\necho more > \"$(dirname \"$0\")/corpus/wav/c.wav\"");
    let error = house.index(&body).unwrap_err();
    assert!(error.to_string().contains("the input corpus changed during the run"), "{error}");
    assert_eq!(house.index(INDEX).unwrap(), MADE);
}

/// Instances that differ in one parameter, as runs do.
fn several(experiment: &Experiment) -> Vec<Instance> {
    let graph = Graph::before_training(experiment);
    let index = &graph.instances()[0];
    let variant = |i: usize| {
        let mut instance = index.clone();
        instance.slot = format!("index/{i}");
        let mut manifest = experiment.manifest.clone();
        manifest.title = format!("Toy {i}");
        instance.work = StageParams::Index(Box::new(IndexParams { manifest }));
        instance
    };
    (0..5).map(variant).collect()
}

#[test]
fn a_wave_runs_in_parallel_and_each_once() {
    let house = House::new();
    assert_eq!(house.bring_up(INDEX, several).unwrap(), Tally { fresh: 0, made: 5 });
    assert_eq!(house.bring_up(INDEX, several).unwrap(), Tally { fresh: 5, made: 0 });
    assert_eq!(house.runs(), 5);
}

#[test]
fn after_a_failure_what_succeeded_stays() {
    let house = House::new();
    let body = format!("{INDEX}\nif grep -q 'Toy 2' request.json; then echo 'no' >&2; exit 3; fi");
    let error = house.bring_up(&body, several).unwrap_err();
    assert_eq!((exit_code(&error), error.to_string()), (3, "index/2 failed: no".to_owned()));
    let again = house.bring_up(INDEX, several).unwrap();
    assert!(again.fresh >= 2 && again.fresh + again.made == 5, "{again:?}");
}

#[test]
fn two_at_once_do_the_work_once() {
    let house = House::new();
    let slow = format!("sleep 0.3\n{INDEX}");
    let program = script(house.toy.folder.path(), &slow);
    let run = || {
        let store = Store::open(house.store.root()).unwrap();
        let experiment = house.toy.read().unwrap();
        let progress = Progress::new(false);
        let mut executor = Executor::new(
            Resolver::new(&experiment, &store, Code::own().unwrap()),
            &progress,
            Program::At(program.clone()),
            1,
        );
        executor.shuffle = Some(1);
        executor.bring_up(&Graph::before_training(&experiment).upto(["index"]), 1).unwrap();
    };
    std::thread::scope(|scope| {
        scope.spawn(run);
        scope.spawn(run);
    });
    assert_eq!(house.runs(), 1);
}
