//! Every method by its name, and label noise at known rates, through the real commands.

use crate::corpora::{synthetic, tones};
use crate::harness::House;

pub(crate) const OTHER_METHODS: &str = r#"
[methods.oversampling]
fixed_target = "one-hot"
label_scale = 1.0

[methods.undersampling]
fixed_target = "one-hot"
label_scale = 1.0

[methods.soft-target]
smoothing = 0.5

[methods.l]
label_scale = 1.0
label_rate = 0.2

[methods.w]
fixed_target = "one-hot"
label_scale = 1.0
weight_rate = 0.05
rescale_initial_weights = false

[methods.lw-pretrained]
pretraining_epochs = 1
label_scale = 1.0
label_rate = 0.2
weight_rate = 0.05
rescale_initial_weights = false
"#;

pub(crate) const CYCLEGAN: &str = r#"
[methods.cyclegan]
pool = "training"
generator = [8]
discriminator = [8]
classifier = [8]
leak = 0.2
generator_dropout = 0.2
discriminator_dropout = 0.2
classifier_dropout = 0.5
real_label = 0.9
cycle_weight = 5.0
class_weight = 2.0
pretraining_epochs = 1
epochs = 1
batch_size = 16
generator_steps = 2
learning_rate = 1e-3
decay = 0.8
decay_epochs = 50
synthetic_share = 1.0
"#;

pub(crate) const NOISE: &str = r#"
[label_noise]
rates = [0.0, 0.34]
kind = "symmetric"
seed = 1
"#;

pub(crate) fn add(house: &House, text: &str) {
    let pipeline = house.read("pipelines/tiny.toml");
    house.write("pipelines/tiny.toml", format!("{pipeline}{text}"));
}

#[test]
fn every_method_runs_and_stands_in_the_papers_order() {
    let house = synthetic();
    house.edit("pipelines/tiny.toml", "set = \"ser32\"", "set = \"ser32\"\nfunctionals = true");
    add(&house, &[OTHER_METHODS, CYCLEGAN].concat());
    let table = house.run(&["cv", "--fold", "Ses01F"]).ended(0).text();
    let ids = "baseline oversampling undersampling soft-target cyclegan l w lw-pretrained lw";
    let row = |id: &str| table.find(&format!("| {id} "));
    let places: Vec<Option<usize>> = ids.split(' ').map(row).collect();
    assert!(places.is_sorted() && places.iter().all(Option::is_some), "{places:?}\n{table}");
    let summary = house.json("results/tiny/summary.json");
    assert_eq!(summary["methods"].as_object().unwrap().len(), places.len());
}

#[test]
fn soft_targets_need_votes_and_the_planner_knows_before_training() {
    let house = tones();
    add(&house, "\n[methods.soft-target]\nsmoothing = 0.5\n");
    house.run(&["cv"]).ended(3).complained_of(&["soft-target", "votes", "Tones", "hint"]);
    house.run(&["cv", "--method", "lw", "--fold", "anna"]).ended(0);
}

#[test]
fn cyclegan_without_functionals_is_refused_with_the_remedy() {
    let house = synthetic();
    add(&house, &[OTHER_METHODS, CYCLEGAN].concat());
    house.run(&["plan"]).ended(2).complained_of(&["cyclegan", "add a section [pooling]"]);
}

#[test]
fn runs_under_noise_stand_beside_those_without() {
    let house = tones();
    house.run(&["cv"]).ended(0);
    add(&house, NOISE);
    let text = house.run(&["report"]).ended(0).text();
    // Eight runs without noise were there; eight with it, their noise, an evaluation, the comparison
    // and the page are new.
    assert!(text.contains("25 stages: 12 made, 13 fresh"), "{text}");
    let noise = house.json("results/tiny/noise.json");
    for method in ["baseline", "lw"] {
        let points = noise["methods"][method].as_array().unwrap();
        assert_eq!(points.len(), 2);
        assert_eq!(points[1]["rate"], 0.34);
    }
    let repair = &noise["methods"]["lw"][1]["repair"];
    // Four of twelve labels in each class are exchanged; two of four folds train on each of 24.
    assert_eq!((repair["wrong"].as_u64(), repair["right"].as_u64()), (Some(16), Some(32)));
    let scores: Vec<&str> = noise["detection"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| found["score"].as_str().unwrap())
        .collect();
    let baseline = ["loss", "self-confidence", "confident-learning", "together"];
    let lw =
        ["weight", "label", "loss", "audit", "self-confidence", "confident-learning", "together"];
    let expected = [&baseline[..], &lw].concat();
    assert_eq!(scores, expected);
    // Every network by itself, where a detector asks those that trained on an utterance and nothing else.
    let alone = noise["detection"].as_array().unwrap().iter().filter(|d| d["alone"].is_object());
    let alone: Vec<&str> = alone.map(|found| found["score"].as_str().unwrap()).collect();
    assert_eq!(alone, ["loss", "weight", "label", "loss", "audit"]);
    let loss = &noise["detection"][0];
    assert_ne!(loss["alone"]["auroc"]["mean"], loss["auroc"]["mean"], "{loss}");
    assert!(house.read("results/tiny/report.html").contains("Label noise"));
    house.run(&["cv"]).ended(0).text().find("nothing to do").unwrap();
}
