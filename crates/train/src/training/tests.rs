//! Whole runs on a toy task.

use std::collections::BTreeSet;
use std::sync::Arc;

use ambivox_models::{AttentionOver, Model, model};
use ambivox_nn::{State, rng};
use ambivox_rules::CycleganSettings;
use ambivox_settings::{Criterion, Keep, TrainingSettings};
use rand::RngExt;

use super::*;

mod kinds;
mod validation;

use kinds::*;

const WIDTH: usize = 3;

/// Settings of a run small enough for a test; each test changes what it is about.
#[derive(Clone)]
struct Setup {
    model: Arc<dyn Model>,
    training: TrainingSettings,
    method: Method,
    seed: u64,
    classes: Vec<String>,
}

fn setup(method: Method) -> Setup {
    Setup {
        model: method.1.model().map_or_else(
            || blstm(8, AttentionOver::Blstm),
            |(section, _)| model(&section).unwrap().into(),
        ),
        training: TrainingSettings {
            seeds: vec![],
            batch_size: 8,
            learning_rate: 0.01,
            gradient_clip: 1.0,
            max_epochs: 12,
            patience: 12,
            criterion: Criterion::Loss,
            keep: Keep::Best,
            normalise_weights: false,
            dynamics: false,
        },
        method,
        seed: 1,
        classes: ["rising", "falling", "flat"].map(str::to_owned).to_vec(),
    }
}

/// Every method on every model, and the one that brings its own.
fn everything() -> Vec<Setup> {
    let on = |model: Arc<dyn Model>| {
        let setup = move |method| Setup { model: model.clone(), ..setup(method) };
        all_methods().into_iter().map(setup)
    };
    let others = methods_of_other_losses().into_iter().flat_map(|method| {
        [blstm(8, AttentionOver::Blstm), mlp()]
            .map(|model| Setup { model, ..setup(method.clone()) })
    });
    let frames = on(blstm(8, AttentionOver::Blstm)).chain(others);
    let vectors = on(mlp()).chain(on(linear())).chain(on(linear_svm()));
    frames.chain(vectors).chain([setup(cyclegan())]).collect()
}

impl Setup {
    fn spec(&self) -> RunSpec<'_> {
        let Self { model, training, method, seed, classes } = self;
        let (rule, model) = (&*method.1, &**model);
        RunSpec { training, rule, model, seed: *seed, classes, width: WIDTH, layers: 1 }
    }

    /// Utterances that the model can read.
    fn toy(&self, purpose: &str, count: usize) -> Vec<Example<'static>> {
        if self.model.reads_vectors() { vectors(purpose, count) } else { toy(purpose, count) }
    }

    fn run(
        &self,
        training: &[Example<'_>],
        validation: &[Example<'_>],
    ) -> Result<Trained, TrainError> {
        self.run_from(training, validation, None, &mut |_| {})
    }

    fn run_from(
        &self,
        training: &[Example<'_>],
        validation: &[Example<'_>],
        from: Option<Interim>,
        observer: &mut dyn FnMut(&EpochEnd<'_>),
    ) -> Result<Trained, TrainError> {
        let data = Data { training, validation, pool: training };
        train(&self.spec(), &data, from, observer)
    }

    /// A run that goes on from `from`, and the states after each of its epochs, as bytes.
    fn go_on(&self, from: Option<&[u8]>) -> (Trained, Vec<Vec<u8>>) {
        let mut states = Vec::new();
        let observer = &mut |at: &EpochEnd<'_>| states.push(at.interim().unwrap().to_bytes());
        let from = from.map(|bytes| Interim::from_bytes(bytes).unwrap());
        let (training, validation) = (self.toy("train", 24), self.toy("validation", 8));
        let trained = self.run_from(&training, &validation, from, observer).unwrap();
        (trained, states)
    }
}

/// Vectors whose class is the column that is high.
fn vectors(purpose: &str, count: usize) -> Vec<Example<'static>> {
    let mut noise = rng(77, purpose);
    let mut vector = |example: Example<'static>| {
        let centre = |column| if example.gold == Some(column) { 0.8 } else { 0.2 };
        let values = (0..WIDTH).map(|c| centre(c) + noise.random_range(-0.2..0.2));
        Example { frames: values.collect::<Vec<f32>>().into(), ..example }
    };
    toy(purpose, count).into_iter().map(&mut vector).collect()
}

/// Utterances whose class is the course of their first column over time: it cannot be told from any
/// single frame or from the mean alone.
fn toy(purpose: &str, count: usize) -> Vec<Example<'static>> {
    let mut noise = rng(99, purpose);
    let mut example = |n: usize| {
        let gold = [0, 0, 1, 2][n % 4];
        let frames = noise.random_range(6..15);
        let slope = [1.0, -1.0, 0.0][gold];
        let row = |t: usize| {
            let course = slope * (2.0 * t as f32 / (frames - 1) as f32 - 1.0);
            [course + noise.random_range(-0.3..0.3), noise.random_range(-1.0..1.0), 1.0]
        };
        let frames = (0..frames).flat_map(row).collect::<Vec<f32>>().into();
        let votes = (0..3).map(|class| f64::from(u8::from(class == gold))).collect();
        let (utterance_id, group) = (format!("{purpose}{n:03}"), format!("{}", n % 5));
        Example { utterance_id, group, frames, gold: Some(gold), votes }
    };
    (0..count).map(&mut example).collect()
}

/// Changes an example's values.
fn spoil(example: &mut Example<'static>, change: impl Fn(&mut Vec<f32>)) {
    let mut values = Vec::from(example.frames.clone());
    change(&mut values);
    example.frames = values.into();
}

/// Gives every example the next class's label.
fn turn_labels(examples: &mut [Example<'_>]) {
    for example in examples {
        example.gold = example.gold.map(|gold| (gold + 1) % 3);
    }
}

fn parameters(trained: &Trained) -> State {
    trained.predictor.state().unwrap()
}

#[test]
fn every_method_learns_a_toy_task_on_every_model() {
    let tested: BTreeSet<_> = everything().iter().map(|setup| setup.method.0).collect();
    let all = ambivox_rules::RULES.all().map(ambivox_settings::Kind::name);
    assert_eq!(tested, all.collect());
    for mut setup in everything() {
        setup.training.max_epochs = if setup.model.reads_vectors() { 60 } else { 30 };
        setup.training.patience = setup.training.max_epochs;
        let (training, validation) = (setup.toy("train", 64), setup.toy("validation", 32));
        let trained = setup.run(&training, &validation).unwrap();
        let best = &trained.epochs[trained.best_epoch - 1];
        assert!(best.validation_ua.unwrap() > 0.9, "{:?}: {best:?}", setup.method.0);
        if setup.model.choice().is_some() {
            // Its first round ends at the optimum.
            continue;
        }
        assert!(
            best.validation_loss.unwrap() < 0.6 * trained.epochs[0].validation_loss.unwrap(),
            "{best:?}"
        );
        assert!(trained.epochs.last().unwrap().train_loss < trained.epochs[0].train_loss);
    }
}

#[test]
fn attention_over_logits_learns_it_too() {
    let mut setup = setup(baseline());
    setup.model = blstm(8, AttentionOver::Logits);
    setup.training.max_epochs = 30;
    let trained = setup.run(&toy("train", 64), &toy("validation", 32)).unwrap();
    assert!(trained.epochs[trained.best_epoch - 1].validation_ua.unwrap() > 0.9);
}

#[test]
fn a_wrong_label_is_moved_and_has_the_highest_loss() {
    let mut setup = setup(lw());
    setup.training.max_epochs = 30;
    let mut training = toy("train", 64);
    training[2].gold = Some(0);
    let trained = setup.run(&training, &toy("validation", 32)).unwrap();
    let wrong = &trained.labels[2];
    assert_eq!(wrong.moved_to, Some(1), "{wrong:?}");
    let moved = trained.labels.iter().filter(|label| label.moved_to.is_some()).count();
    assert!(moved <= 3, "{moved} labels moved");
    let highest = trained.labels.iter().map(|label| label.loss.unwrap()).fold(0.0, f64::max);
    assert_eq!(wrong.loss, Some(highest));
}

/// Of every method, whether its labels are learned or not; the training itself is the same.
#[test]
fn the_course_of_labels_is_kept_where_it_is_asked_for_and_changes_nothing_else() {
    for method in [baseline(), lw()] {
        let plain = setup(method);
        let mut kept = plain.clone();
        kept.training.dynamics = true;
        let mut training = toy("train", 64);
        training[2].gold = Some(0);
        let validation = toy("validation", 32);
        let mut trained = kept.run(&training, &validation).unwrap();
        let margins: Vec<f64> =
            trained.labels.iter_mut().map(|label| label.course.take().unwrap().margin).collect();
        assert!(margins[2] < 0.0, "the wrong label: {}", margins[2]);
        assert!(margins.iter().filter(|margin| **margin > 0.0).count() > 40, "{margins:?}");
        let without = plain.run(&training, &validation).unwrap();
        assert_eq!(all_of(&kept, &trained), all_of(&plain, &without));
    }
}

#[test]
fn the_seed_decides_every_bit() {
    let mut setup = setup(lw());
    setup.training.max_epochs = 2;
    let (training, validation) = (toy("train", 24), toy("validation", 8));
    let run = |setup: &Setup| {
        let trained = setup.run(&training, &validation).unwrap();
        (parameters(&trained), trained.epochs, trained.labels)
    };
    let first = run(&setup);
    assert_eq!(first, run(&setup));
    setup.seed = 2;
    let other = run(&setup);
    assert!(first.0 != other.0 && first.1 != other.1 && first.2 != other.2);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let mut setup = setup(lw());
    setup.training.max_epochs = 2;
    let (training, validation) = (toy("train", 24), toy("validation", 8));
    let [one, three] = [1, 3].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let trained = pool.install(|| setup.run(&training, &validation).unwrap());
        (parameters(&trained), trained.labels)
    });
    assert_eq!(one, three);
}

/// Whatever the validation speaker says, epochs of training are the same; only their end and the
/// choice among them are not.
#[test]
fn validation_never_reaches_training() {
    for mut setup in everything() {
        setup.training.max_epochs = 4;
        let training = setup.toy("train", 24);
        let mut other = setup.toy("other", 11);
        turn_labels(&mut other);
        let epochs = |validation: &[Example<'_>]| setup.run(&training, validation).unwrap().epochs;
        let (ours, theirs) = (epochs(&setup.toy("validation", 8)), epochs(&other));
        let seen = |epochs: &[EpochRecord]| -> Vec<_> {
            let of = |e: &EpochRecord| (e.train_loss, e.labels_moved, e.mean_weight.clone());
            epochs.iter().map(of).collect()
        };
        assert_eq!(seen(&ours), seen(&theirs));
        assert_ne!(ours[3].validation_loss, theirs[3].validation_loss);
    }
}

/// The validation labels are turned, so that what is learned makes validation worse.
#[test]
fn the_best_epoch_is_kept_and_patience_ends_the_run() {
    let mut setup = setup(lw());
    setup.training.patience = 3;
    let training = toy("train", 32);
    let mut validation = toy("validation", 16);
    turn_labels(&mut validation);
    let stopped = setup.run(&training, &validation).unwrap();
    assert!(stopped.epochs.len() < setup.training.max_epochs);
    assert_eq!(stopped.epochs.len(), stopped.best_epoch + 3);

    setup.training.max_epochs = stopped.best_epoch;
    let exact = setup.run(&training, &validation).unwrap();
    assert_eq!(exact.best_epoch, stopped.best_epoch);
    assert_eq!(parameters(&exact), parameters(&stopped));
    // Where the last epoch is the one kept, labels after it are those kept; where it is not, those that keeping
    // the last would keep.
    assert!(exact.labels.iter().all(|label| label.moved_to_at_last == label.moved_to));
    setup.training.max_epochs = stopped.epochs.len();
    setup.training.keep = Keep::Last;
    let last = setup.run(&training, &validation).unwrap();
    let moved = |trained: &Trained| trained.labels.iter().map(|l| l.moved_to).collect::<Vec<_>>();
    let at_last: Vec<_> = stopped.labels.iter().map(|label| label.moved_to_at_last).collect();
    assert_eq!(at_last, moved(&last));
    let but_for_the_last = |trained: &Trained| {
        let mut labels = trained.labels.clone();
        for label in &mut labels {
            label.moved_to_at_last = None;
        }
        labels
    };
    assert_eq!(but_for_the_last(&exact), but_for_the_last(&stopped));
}

/// Pretraining comes on top of the epochs of the method, and none of its epochs is kept: not even
/// where the best would be among them.
#[test]
fn pretraining_is_never_kept() {
    let mut setup = setup(lw_pretrained(5));
    setup.training.max_epochs = 2;
    let mut validation = toy("validation", 16);
    turn_labels(&mut validation);
    let trained = setup.run(&toy("train", 32), &validation).unwrap();
    assert_eq!(trained.epochs.len(), 7);
    let loss = |epoch: usize| trained.epochs[epoch - 1].validation_loss.unwrap();
    let best = (1..=7).min_by(|&a, &b| loss(a).total_cmp(&loss(b))).unwrap();
    assert!(best <= 5 && trained.best_epoch > 5, "{best} {}", trained.best_epoch);
}

/// While it is pretrained, the network is the baseline's to the last bit.
#[test]
fn pretraining_is_the_baseline() {
    let (training, validation) = (toy("train", 24), toy("validation", 8));
    let losses = |method| {
        let mut setup = setup(method);
        setup.training.max_epochs = 3;
        let epochs = setup.run(&training, &validation).unwrap().epochs;
        epochs.iter().map(|epoch| epoch.validation_loss).take(3).collect::<Vec<_>>()
    };
    assert_eq!(losses(lw_pretrained(3)), losses(baseline()));
}

/// Utterances without a gold label teach where their votes count, and nowhere else.
#[test]
fn ambiguous_utterances_train_soft_targets_alone() {
    let mut training = toy("train", 24);
    let split = Example { gold: None, votes: vec![1.0, 2.0, 0.0], ..toy("split", 1).remove(0) };
    training.push(split);
    let validation = toy("validation", 8);
    for method in all_methods() {
        let soft = method.1.uses_votes();
        let mut setup = setup(method);
        setup.training.max_epochs = 1;
        match setup.run(&training, &validation) {
            Ok(trained) => {
                let label = &trained.labels[24];
                assert!(soft && (label.gold, label.loss, label.moved_to) == (None, None, None));
                assert!((label.s[1] - 2.1 / 3.3).abs() < 1e-12, "{:?}", label.s);
            }
            Err(error) => assert!(!soft && error.to_string().contains("no gold label"), "{error}"),
        }
        let error = setup.run(&toy("train", 24), &training[24..]).unwrap_err().to_string();
        assert!(error.contains("split000: no gold label"), "{error}");
    }
}

#[test]
fn records_tell_what_a_method_learns() {
    let (training, validation) = (toy("train", 24), toy("validation", 8));
    let run = |method| {
        let mut setup = setup(method);
        setup.training.max_epochs = 1;
        setup.run(&training, &validation).unwrap()
    };
    let fixed = run(baseline());
    let record = &fixed.epochs[0];
    assert_eq!((record.labels_moved, &record.mean_weight), (None, &None));
    assert_eq!(fixed.initial_mean_weight, None);
    assert!(fixed.labels.iter().all(|label| label.weight == label.weight_initial));

    let learned = run(lw());
    // 24 utterances, 12 + 6 + 6 of three classes.
    assert_eq!(learned.initial_mean_weight, Some(vec![1.5, 0.75, 0.75]));
    assert_eq!(learned.epochs[0].labels_moved, Some(0.0));
    let mean = learned.labels.iter().map(|label| label.weight).sum::<f64>() / 24.0;
    assert!((mean - 1.0).abs() < 1e-12);
    assert_eq!(learned.labels[5].utterance_id, "train005");
}

#[test]
fn every_epoch_is_observed_and_their_number_is_known_before() {
    let mut setup = setup(lw_pretrained(2));
    setup.training.max_epochs = 3;
    let mut seen = Vec::new();
    let observer = &mut |at: &EpochEnd<'_>| seen.extend(at.epochs().last().cloned());
    let (training, validation) = (toy("train", 16), toy("validation", 8));
    let trained = setup.run_from(&training, &validation, None, observer).unwrap();
    assert_eq!(seen, trained.epochs);
    assert_eq!((seen.len(), setup.spec().most_epochs()), (5, 5));
}

/// Epochs of the CycleGANs come before those of the classifier, and on top of them.
#[test]
fn epochs_of_an_augmenter_are_observed_too() {
    let mut setup = setup(cyclegan());
    setup.training.max_epochs = 2;
    let mut seen = Vec::new();
    let observer = &mut |at: &EpochEnd<'_>| {
        seen.push((at.done(), at.augmenter(), at.epochs().len(), at.interim().unwrap().place()));
    };
    let (training, validation) = (setup.toy("train", 16), setup.toy("validation", 8));
    let trained = setup.run_from(&training, &validation, None, observer).unwrap();
    assert_eq!((trained.labels.len(), trained.epochs.len()), (16, 2));
    assert_eq!(setup.spec().most_epochs(), 6);
    let gans = |done: usize| (done, Some("CycleGANs"), 0, format!("epoch {done} of the CycleGANs"));
    let own = |epoch: usize| (4 + epoch, None, epoch, format!("epoch {epoch}"));
    assert_eq!(seen, [gans(1), gans(2), gans(3), gans(4), own(1), own(2)]);
}

/// Generators that were not trained carry the pool over too.
#[test]
fn an_augmenter_without_epochs_makes_utterances() {
    let settings = CycleganSettings { pretraining_epochs: 0, epochs: 0, ..gans() };
    let mut setup = setup(named("cyclegan", &settings));
    setup.training.max_epochs = 1;
    let (training, validation) = (setup.toy("train", 16), setup.toy("validation", 8));
    let mut made = 0;
    let observer = &mut |at: &EpochEnd<'_>| {
        let Interim(Phase::Learning(learning)) = at.interim().unwrap() else { panic!("no epochs") };
        made = learning.made.len();
    };
    setup.run_from(&training, &validation, None, observer).unwrap();
    assert_eq!(made, 3 * 16);
}

#[test]
fn a_pool_that_cannot_be_used_is_refused() {
    let setup = setup(cyclegan());
    let (training, validation) = (setup.toy("train", 16), setup.toy("validation", 8));
    let refused = |pool: &[Example<'_>]| {
        let data = Data { training: &training, validation: &validation, pool };
        train(&setup.spec(), &data, None, &mut |_| {}).unwrap_err().to_string()
    };
    assert!(refused(&[]).contains("no utterance for the unlabelled pool"));
    let mut pool = setup.toy("pool", 4);
    spoil(&mut pool[2], |values| values[1] = f32::NAN);
    assert!(refused(&pool).contains("pool002: a descriptor is not finite"));
}

#[test]
fn divergence_names_the_epoch_and_the_remedy() {
    let mut setup = setup(baseline());
    setup.training.learning_rate = 1e38;
    setup.training.gradient_clip = 0.0;
    let error = setup.run(&toy("train", 24), &toy("validation", 8)).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("not finite in epoch 1, batch 2"), "{message}");
    assert!(message.contains("lower training.learning_rate"), "{message}");
}

#[test]
fn unusable_utterances_are_named() {
    let (training, validation) = (toy("train", 8), toy("validation", 8));
    let fault = |change: fn(&mut Example<'static>)| {
        let mut training = training.clone();
        change(&mut training[3]);
        setup(lw()).run(&training, &validation).unwrap_err().to_string()
    };
    let ragged = fault(|example| spoil(example, |values| values.truncate(4)));
    assert_eq!(ragged, "utterance train003: 4 values; expected one or more frames of 3 each");
    assert!(fault(|example| spoil(example, Vec::clear)).contains("train003: 0 values"));
    let no_number = fault(|example| spoil(example, |values| values[1] = f32::NAN));
    assert!(no_number.contains("train003: a descriptor"));
    assert!(
        fault(|example| example.gold = Some(3))
            .contains("train003: gold label 3; expected below 3")
    );
}

#[test]
fn folds_that_cannot_be_trained_on_are_refused() {
    let (training, validation) = (toy("train", 8), toy("validation", 8));
    let message = |training: &[Example<'_>], validation: &[Example<'_>]| {
        setup(lw()).run(training, validation).unwrap_err().to_string()
    };
    assert!(message(&[], &validation).contains("no utterance for training"));
    let without: Vec<Example<'static>> =
        training.iter().filter(|e| e.gold != Some(2)).cloned().collect();
    assert!(message(&without, &validation).contains("class \"flat\" has no training utterance"));
}

/// Everything that a stage writes of a run.
fn all_of(setup: &Setup, trained: &Trained) -> impl PartialEq + std::fmt::Debug + use<> {
    let examples = setup.toy("test", 5);
    let frames: Vec<&Rows<'_>> = examples.iter().map(|example| &example.frames).collect();
    let predicted = trained.predictor.predict(&frames).unwrap();
    let Trained { best_epoch, epochs, initial_mean_weight, labels, .. } = trained;
    let (epochs, weight, labels) = (epochs.clone(), initial_mean_weight.clone(), labels.clone());
    (parameters(trained), *best_epoch, epochs, weight, labels, predicted)
}

/// From every epoch, also from those of an augmenter, of the pretraining and from the last, and
/// whether the best one lies before or after it.
#[test]
fn a_run_goes_on_to_the_same_bits() {
    let mut observed = setup(lw());
    observed.training.dynamics = true;
    let pooling = Setup { model: attention_pooling(), ..setup(lw()) };
    for mut setup in everything().into_iter().chain([observed, pooling]) {
        (setup.training.max_epochs, setup.training.patience) = (5, 2);
        setup.training.learning_rate = 0.05;
        let (undisturbed, states) = setup.go_on(None);
        assert_eq!(states.len(), setup.method.1.augmenting_epochs() + undisturbed.epochs.len());
        for (done, state) in (1..).zip(&states) {
            let (trained, later) = setup.go_on(Some(state));
            let (found, expected) = (all_of(&setup, &trained), all_of(&setup, &undisturbed));
            assert_eq!(found, expected, "{:?}: {done}", setup.method);
            assert!(later == states[done..], "{:?}: {done}", setup.method);
        }
    }
}

#[test]
fn a_run_does_not_go_on_from_another_ones_state() {
    let state = |setup: &Setup| Interim::from_bytes(&setup.go_on(None).1[0]).unwrap();
    let mut own = setup(lw());
    own.training.max_epochs = 1;
    let narrow = Setup { model: blstm(4, AttentionOver::Blstm), ..own.clone() };
    let unlearned = Setup { method: baseline(), ..own.clone() };
    let vectors = Setup { model: mlp(), ..own.clone() };
    for (other, utterances) in [(&narrow, 24), (&unlearned, 24), (&vectors, 24), (&own, 28)] {
        let (training, validation) = (toy("train", utterances), toy("validation", 8));
        let error = own.run_from(&training, &validation, Some(state(other)), &mut |_| {});
        assert!(matches!(error, Err(TrainError::OtherRun)), "{error:?}");
    }
}

#[test]
fn a_state_that_is_not_whole_is_none() {
    let mut setup = setup(lw());
    setup.training.max_epochs = 1;
    let whole = setup.go_on(None).1.remove(0);
    assert_eq!(Interim::from_bytes(&whole).unwrap().place(), "epoch 1");
    for kept in [0, 31, 32, whole.len() / 2, whole.len() - 1] {
        assert_eq!(Interim::from_bytes(&whole[..kept]), None, "{kept}");
    }
    for at in (0..whole.len()).step_by(997) {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        assert_eq!(Interim::from_bytes(&damaged), None, "{at}");
    }
}
