//! Points of a space, and what is said of spaces that do not fit the pipeline.

use super::*;
use crate::experiment::tests::Toy;
use crate::failure::exit_code;

const RANDOM: &str = "search = \"random\"\ntrials = 50\nseed = 3\n";
const GRID: &str = "search = \"grid\"\n";

/// The studies of the toy pipeline, which has the methods `baseline` and `lw`.
fn tried(search: &str, settings: &str, asked: &[&str]) -> Result<Vec<Study>> {
    let toy = Toy::new();
    toy.write("space.toml", &format!("schema = 1\n{search}[settings]\n{settings}"));
    let space = Space::read(&toy.path("space.toml"))?;
    let asked: Vec<String> = asked.iter().map(|id| (*id).to_owned()).collect();
    studies(Path::new("space.toml"), &space, &toy.read()?, &asked)
}

fn lines(study: &Study) -> Vec<String> {
    study.trials.iter().map(ToString::to_string).collect()
}

#[test]
fn a_grid_has_every_combination() {
    let rates = "\"methods.lw.label_rate\" = [0.1, 1]\n\"training.patience\" = [3, 5, 5]\n";
    let studies = tried(GRID, rates, &[]).unwrap();
    assert_eq!(studies.len(), 1, "the space names lw alone");
    assert_eq!(
        lines(&studies[0]),
        [
            "tune/1: methods.lw.label_rate = 0.1, training.patience = 3",
            "tune/2: methods.lw.label_rate = 0.1, training.patience = 5",
            "tune/3: methods.lw.label_rate = 1, training.patience = 3",
            "tune/4: methods.lw.label_rate = 1, training.patience = 5",
        ]
    );
}

#[test]
fn a_method_tries_what_concerns_it() {
    let both = "\"methods.lw.label_rate\" = [0.1, 1.0]\n\"training.patience\" = [3, 5]\n";
    let studies = tried(GRID, both, &["baseline", "lw"]).unwrap();
    let counts: Vec<_> = studies.iter().map(|s| (s.method.id(), s.trials.len())).collect();
    assert_eq!(counts, [("baseline", 2), ("lw", 4)]);
    let general = tried(GRID, "\"training.patience\" = [3, 5]\n", &[]).unwrap();
    assert_eq!(general.len(), 2, "all methods");
}

/// The pipeline's has no effect on it, and every trial would be the same run.
#[test]
fn a_setting_that_a_method_has_of_its_own_is_not_tried_on_it_but_by_its_own_path() {
    let toy = Toy::new();
    let own = "[methods.lw]\ntraining = { patience = 4 }\nmodel = { lstm = 4 }\n";
    toy.edit("[methods.lw]\n", own);
    let tried = |path: &str| {
        toy.write("space.toml", &format!("schema = 1\n{GRID}[settings]\n\"{path}\" = [3, 5]\n"));
        let space = Space::read(&toy.path("space.toml")).unwrap();
        let asked = ["lw".to_owned()];
        studies(Path::new("space.toml"), &space, &toy.read().unwrap(), &asked)
    };
    for path in ["training.patience", "model.lstm"] {
        let refused = tried(path).unwrap_err().to_string();
        assert!(refused.contains("no setting here concerns lw"), "{refused}");
        assert_eq!(tried(&format!("methods.lw.{path}")).unwrap()[0].trials.len(), 2);
    }
    assert_eq!(tried("model.linear").unwrap()[0].trials.len(), 2);
}

#[test]
fn the_trials_pipeline_has_its_settings_and_the_runs_follow() {
    let settings = "\"methods.lw.label_rate\" = [0.7]\n\"model.attention_over\" = [\"logits\"]\n";
    let studies = tried(GRID, settings, &[]).unwrap();
    let experiment = Toy::new().read().unwrap();
    let mut runs = graph::runs(&experiment, &["s1".to_owned()]);
    runs.retain(|run| run.method.name().id() == "lw");
    let instances = studies[0].trials[0].instances(&runs);
    assert_eq!(instances.len(), 3);
    assert_eq!(instances[1].slot, "tune/1/train/lw/1/s1");
    let params = serde_json::to_value(&instances[1].work).unwrap();
    assert_eq!(params["params"]["method"]["rule"]["label_rate"], 0.7);
    assert_eq!(params["params"]["model"]["attention_over"], "logits");
    let own = graph::training(&experiment, &runs[1]);
    assert_eq!(instances[1].inputs, own.inputs);
}

/// So that its result is that of the pipeline's own run.
#[test]
fn a_trial_of_the_pipelines_own_settings_is_its_own_run() {
    let experiment = Toy::new().read().unwrap();
    let rate = &experiment.pipeline.training_settings()["training.learning_rate"];
    let studies = tried(GRID, &format!("\"training.learning_rate\" = [{rate}]\n"), &[]).unwrap();
    let runs = graph::runs(&experiment, &["s1".to_owned()]);
    let instance = &studies[0].trials[0].instances(&runs[..1])[0];
    assert_eq!(instance.work, graph::training(&experiment, &runs[0]).work);
}

#[test]
fn the_seed_decides_what_is_drawn_and_the_limits_hold() {
    let space = "\"methods.lw.label_rate\" = { log_uniform = [1e-3, 1.0] }\n\
        \"methods.lw.label_scale\" = { choice = [1.0, 10.0] }\n\
        \"model.dropout\" = { uniform = [0.2, 0.6] }\n\
        \"training.patience\" = { integer = [3, 5] }\n";
    let trials = |search: &str| tried(search, space, &[]).unwrap().remove(0).trials;
    let first = trials(RANDOM);
    assert_eq!(first.len(), 50);
    let settings = |trials: &[Trial]| trials.iter().map(|t| t.settings.clone()).collect::<Vec<_>>();
    assert_eq!(settings(&first), settings(&trials(RANDOM)));
    assert_ne!(settings(&first), settings(&trials(&RANDOM.replace("seed = 3", "seed = 4"))));
    let values = |path: &str| -> Vec<f64> {
        let number = |value: &Value| value.as_float().or(value.as_integer().map(|n| n as f64));
        first.iter().map(|trial| number(&trial.settings[path]).unwrap()).collect()
    };
    let rates = values("methods.lw.label_rate");
    assert!(rates.iter().all(|rate| (1e-3..=1.0).contains(rate)));
    let low = rates.iter().filter(|rate| **rate < 0.0316).count();
    assert!((15..=35).contains(&low), "half of the decades have half of the draws: {low}");
    assert!(values("model.dropout").iter().all(|share| (0.2..=0.6).contains(share)));
    for (path, all) in
        [("training.patience", &[3.0, 4.0, 5.0][..]), ("methods.lw.label_scale", &[1.0, 10.0])]
    {
        let found = values(path);
        assert!(all.iter().all(|value| found.contains(value)), "{path}: {found:?}");
        assert!(found.iter().all(|value| all.contains(value)), "{path}: {found:?}");
    }
}

#[test]
fn drawn_numbers_have_three_digits_within_the_limits() {
    assert_eq!(rounded(0.012_345, 0.0, 1.0), 0.0123);
    assert_eq!(rounded(0.012_341, 0.012_34, 1.0), 0.012_34);
}

#[test]
fn what_does_not_fit_the_pipeline_is_refused_before_anything_runs() {
    let refused = |search: &str, settings: &str, asked: &[&str]| {
        let error = tried(search, settings, asked).unwrap_err();
        assert_eq!(exit_code(&error), 2);
        error.to_string()
    };
    let messages = [
        refused(GRID, "\"training.pateince\" = [3]", &[]),
        refused(GRID, "\"training.seeds\" = [3]", &[]),
        refused(GRID, "\"features.set\" = [\"is09\"]", &[]),
        refused(GRID, "\"methods.l.label_rate\" = [0.1]", &[]),
        refused(GRID, "\"training.patience\" = [3, 2.5]", &[]),
        refused(GRID, "\"model.attention_over\" = [true]", &[]),
        refused(GRID, "\"model.attention_over\" = [\"frames\"]", &[]),
        refused(GRID, "\"model.dropout\" = [0.5, 1.5]", &[]),
        refused(RANDOM, "\"training.patience\" = { uniform = [1, 5] }", &[]),
        refused(RANDOM, "\"model.attention_over\" = { integer = [1, 5] }", &[]),
        refused(GRID, "\"methods.lw.label_rate\" = [0.1]", &["baseline"]),
    ];
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn a_grid_beyond_all_patience_is_refused() {
    let many: Vec<String> = (1..=101).map(|n| n.to_string()).collect();
    let list = many.join(", ");
    let space = format!("\"training.patience\" = [{list}]\n\"training.max_epochs\" = [{list}]\n");
    let error = tried(GRID, &space, &[]).unwrap_err().to_string();
    assert!(error.contains("10201 trials"), "{error}");
}
