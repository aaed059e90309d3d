//! Gradients by finite differences, and CycleGANs of two Gaussians.

use ambivox_nn::{Dense, rng};
use candle_core::{Device, Tensor, Var};
use rand::RngExt;

use super::pair::{Batch, Networks};
use super::*;

const WIDTH: usize = 3;

fn settings() -> CycleganSettings {
    CycleganSettings {
        pool: Pool::Training,
        generator: vec![16, 8, 16],
        discriminator: vec![16],
        classifier: vec![12],
        leak: 0.2,
        generator_dropout: 0.1,
        discriminator_dropout: 0.1,
        classifier_dropout: 0.2,
        real_label: 0.9,
        cycle_weight: 5.0,
        class_weight: 2.0,
        pretraining_epochs: 5,
        epochs: 60,
        batch_size: 16,
        generator_steps: 2,
        learning_rate: 1e-2,
        decay: 0.8,
        decay_epochs: 20,
        synthetic_share: 1.0,
    }
}

/// CycleGANs of two classes, to be trained to their end.
struct Setup {
    method: CycleganSettings,
    seed: u64,
    classes: [String; 2],
}

fn setup() -> Setup {
    Setup { method: settings(), seed: 1, classes: ["left", "right"].map(str::to_owned) }
}

impl Setup {
    fn fold<'a>(&'a self, training: &'a [Example<'_>], pool: &'a [Example<'_>]) -> Fold<'a> {
        Fold { training, pool, classes: &self.classes, width: WIDTH, seed: self.seed }
    }

    fn synthesise(
        &self,
        training: &[Example<'_>],
        pool: &[Example<'_>],
    ) -> std::result::Result<Vec<Example<'static>>, RuleError> {
        self.go_on(training, pool, None, &mut |_| {})
    }

    /// From a state, with a look at what is there after every epoch.
    fn go_on(
        &self,
        training: &[Example<'_>],
        pool: &[Example<'_>],
        from: Option<&State>,
        observer: &mut dyn FnMut(&CycleGans<'_>),
    ) -> std::result::Result<Vec<Example<'static>>, RuleError> {
        let mut gans = CycleGans::new(self.fold(training, pool), &self.method)?;
        assert!(from.is_none_or(|state| gans.restore(state).unwrap()));
        while gans.epochs() < self.method.pretraining_epochs + self.method.epochs {
            gans.epoch()?;
            observer(&gans);
        }
        gans.examples()
    }
}

/// Where the two classes lie in the first column; the others are noise.
const CENTRES: [f32; 2] = [0.25, 0.75];

/// A sum of uniform draws, near a Gaussian of deviation 0.07.
fn gaussian(noise: &mut ChaCha8Rng, centre: f32) -> f32 {
    centre + (0..12).map(|_| noise.random_range(-0.07..0.07)).sum::<f32>() / 2.0
}

/// Two Gaussians, by turns.
fn toy(purpose: &str, count: usize) -> Vec<Example<'static>> {
    let mut noise = rng(77, purpose);
    let mut example = |n: usize| Example {
        utterance_id: format!("{purpose}{n:02}"),
        group: String::new(),
        frames: [CENTRES[n % 2], 0.5, 0.5]
            .map(|centre| gaussian(&mut noise, centre))
            .to_vec()
            .into(),
        gold: Some(n % 2),
        votes: vec![0.0; 2],
    };
    (0..count).map(&mut example).collect()
}

/// Mean and standard deviation of a column of the vectors of a class.
fn moments(examples: &[Example<'_>], class: usize, column: usize) -> (f64, f64) {
    let values = || {
        let of_class = examples.iter().filter(|example| example.gold == Some(class));
        of_class.map(|example| f64::from(example.frames.read()[column]))
    };
    let count = values().count() as f64;
    let mean = values().sum::<f64>() / count;
    (mean, (values().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt())
}

#[test]
fn synthetic_vectors_move_to_their_emotion() {
    let training = toy("train", 80);
    let made = setup().synthesise(&training, &training).unwrap();
    assert_eq!(made.len(), 2 * training.len());
    let pool_mean = f64::midpoint(moments(&training, 0, 0).0, moments(&training, 1, 0).0);
    for class in 0..2 {
        let ((real, real_sd), (mean, sd)) =
            (moments(&training, class, 0), moments(&made, class, 0));
        let (distance, before) = ((mean - real).abs(), (pool_mean - real).abs());
        assert!(distance < 0.3 * before, "class {class}: {mean} {real}");
        // Those of the pool's other half would keep it as wide as the pool.
        assert!(sd < 2.0 * real_sd, "class {class}: {sd} {real_sd}");
    }
}

#[test]
fn synthetic_vectors_are_named_after_the_pools_in_their_order() {
    let mut setup = setup();
    setup.method.epochs = 1;
    setup.method.synthetic_share = 0.3;
    let (training, pool) = (toy("train", 20), toy("pool", 10));
    let made = setup.synthesise(&training, &pool).unwrap();
    let ids = |class| {
        let of_class = made.iter().filter(move |example| example.gold == Some(class));
        of_class.map(|example| example.utterance_id.as_str()).collect::<Vec<_>>()
    };
    for class in 0..2 {
        assert_eq!(ids(class).len(), 3);
        assert!(ids(class).is_sorted() && ids(class).iter().all(|id| id.starts_with("pool")));
    }
    assert_ne!(ids(0), ids(1));
    setup.method.synthetic_share = 0.0;
    assert!(setup.synthesise(&training, &pool).unwrap().is_empty());
}

/// The pool's labels are not looked at.
#[test]
fn a_pool_needs_no_labels() {
    let mut setup = setup();
    setup.method.epochs = 2;
    let training = toy("train", 20);
    let mut unlabelled = training.clone();
    for example in &mut unlabelled {
        example.gold = None;
    }
    let made = |pool: &[Example<'_>]| setup.synthesise(&training, pool).unwrap();
    assert_eq!(made(&training), made(&unlabelled));
}

fn made(setup: &Setup) -> Vec<Example<'static>> {
    let training = toy("train", 24);
    setup.synthesise(&training, &training).unwrap()
}

#[test]
fn the_seed_decides_every_bit() {
    let mut setup = setup();
    setup.method.epochs = 2;
    let first = made(&setup);
    assert_eq!(first, made(&setup));
    setup.seed = 2;
    assert_ne!(first, made(&setup));
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let mut setup = setup();
    setup.method.epochs = 2;
    let [one, three] = [1, 3].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| made(&setup))
    });
    assert_eq!(one, three);
}

/// Wherever they are cut short, they go on to the same bits.
#[test]
fn the_cyclegans_go_on_from_every_epoch() {
    let mut setup = setup();
    (setup.method.pretraining_epochs, setup.method.epochs) = (1, 3);
    let training = toy("train", 25);
    let run = |from: Option<&State>| {
        let mut states = Vec::new();
        let made =
            setup.go_on(&training, &training, from, &mut |gans| states.push(gans.state().unwrap()));
        (made.unwrap(), states)
    };
    let (whole, states) = run(None);
    assert_eq!(states.len(), 4);
    for (done, state) in states.iter().enumerate() {
        let (found, later) = run(Some(state));
        assert_eq!(found, whole, "cut after {done}");
        assert_eq!(later, states[done + 1..], "cut after {done}");
    }
}

#[test]
fn the_state_of_another_run_is_refused() {
    let mut setup = setup();
    (setup.method.pretraining_epochs, setup.method.epochs) = (0, 1);
    let training = toy("train", 20);
    let mut state = None;
    let seen = &mut |gans: &CycleGans<'_>| state = Some(gans.state().unwrap());
    setup.go_on(&training, &training, None, seen).unwrap();
    let fits = |setup: &Setup, training: &[Example<'_>]| {
        let mut gans = CycleGans::new(setup.fold(training, training), &setup.method).unwrap();
        gans.restore(state.as_ref().unwrap()).unwrap()
    };
    assert!(fits(&setup, &training));
    assert!(!fits(&setup, &toy("train", 22)));
    setup.method.generator = vec![8];
    assert!(!fits(&setup, &training));
}

#[test]
fn divergence_names_the_class_and_the_remedy() {
    let mut setup = setup();
    setup.method.learning_rate = 1e38;
    let message = setup.synthesise(&toy("train", 24), &toy("pool", 40)).unwrap_err().to_string();
    assert!(message.contains("CycleGAN of \"left\" is not finite in its epoch 1"), "{message}");
    assert!(message.contains("lower methods.cyclegan.learning_rate"), "{message}");
}

/// The four networks of a tiny CycleGAN, a batch, and a guide.
struct Tiny {
    settings: CycleganSettings,
    networks: Networks,
    guide: Dense,
    pool: Tensor,
    emotion: Tensor,
}

impl Tiny {
    fn new() -> Self {
        let settings = CycleganSettings {
            generator: vec![4],
            discriminator: vec![4],
            generator_dropout: 0.3,
            discriminator_dropout: 0.3,
            ..settings()
        };
        let all: Vec<f32> = toy("tiny", 10).into_iter().flat_map(|e| Vec::from(e.frames)).collect();
        let rows = |values: &[f32]| Tensor::from_slice(values, (5, WIDTH), &Device::Cpu).unwrap();
        Self {
            networks: Networks::new(&settings, WIDTH, "left", 4).unwrap(),
            guide: Dense::new("guide", &[WIDTH, 4, 2], settings.leak, 3).unwrap(),
            pool: rows(&all[..15]),
            emotion: rows(&all[15..]),
            settings,
        }
    }

    fn generators(&self) -> Vec<Var> {
        [&self.networks.g, &self.networks.f].into_iter().flat_map(Dense::variables).collect()
    }

    fn discriminators(&self) -> Vec<Var> {
        let judges = [&self.networks.d_y, &self.networks.d_x];
        judges.into_iter().flat_map(Dense::variables).collect()
    }

    fn generator_loss(&self) -> Tensor {
        let Self { settings, networks, guide, pool, emotion } = self;
        networks.generator_loss(Batch { pool, emotion }, guide, 1, settings, [1, 2, 3, 4]).unwrap()
    }

    fn discriminator_loss(&self) -> Tensor {
        let Self { settings, networks, pool, emotion, .. } = self;
        let batch = Batch { pool, emotion };
        networks.discriminator_loss(batch, settings, [1, 2, 3, 4, 5, 6]).unwrap()
    }
}

fn value(loss: &Tensor) -> f64 {
    loss.to_scalar().unwrap()
}

/// Slope of the loss in every entry of a variable, from both sides.
fn slopes(variable: &Var, loss: &dyn Fn() -> Tensor) -> Vec<f64> {
    const STEP: f32 = 5e-4;
    let values: Vec<f32> = variable.flatten_all().unwrap().to_vec1().unwrap();
    let at = |n: usize, shift: f32| {
        let mut values = values.clone();
        values[n] += shift;
        let moved = Tensor::from_vec(values, variable.shape(), &Device::Cpu).unwrap();
        variable.set(&moved).unwrap();
        value(&loss())
    };
    let slope = |n| (at(n, STEP) - at(n, -STEP)) / (2.0 * f64::from(STEP));
    let slopes = (0..values.len()).map(slope).collect();
    at(0, 0.0);
    slopes
}

/// The gradients of a loss agree with its slopes in all of `moved`, and it has none in `fixed`. Of a
/// corner of the leaky ReLU within a step no slope could say anything; the seeds have none.
fn check_gradients(loss: &dyn Fn() -> Tensor, moved: &[Var], fixed: &[Var]) {
    let gradients = loss().backward().unwrap();
    assert!(fixed.iter().all(|variable| gradients.get(variable).is_none()));
    for variable in moved {
        let gradient = gradients.get(variable).unwrap().flatten_all().unwrap();
        let gradient: Vec<f32> = gradient.to_vec1().unwrap();
        let slopes = slopes(variable, loss);
        let pairs = || gradient.iter().map(|&g| f64::from(g)).zip(&slopes);
        let error = pairs().map(|(g, slope)| (g - slope).powi(2)).sum::<f64>().sqrt();
        let length = pairs().map(|(g, _)| g.powi(2)).sum::<f64>().sqrt();
        assert!(error < 0.01 * length, "{error} of {length}: {gradient:?} {slopes:?}");
    }
}

#[test]
fn gradients_of_the_generators_agree_with_finite_differences() {
    let tiny = Tiny::new();
    let fixed = [tiny.discriminators(), tiny.guide.variables()].concat();
    check_gradients(&|| tiny.generator_loss(), &tiny.generators(), &fixed);
}

#[test]
fn gradients_of_the_discriminators_agree_with_finite_differences() {
    let tiny = Tiny::new();
    let fixed = [tiny.generators(), tiny.guide.variables()].concat();
    check_gradients(&|| tiny.discriminator_loss(), &tiny.discriminators(), &fixed);
}

/// Each term weighs what the settings say, and the guide looks at the class.
#[test]
fn the_generators_loss_is_the_weighted_sum_of_its_terms() {
    let mut tiny = Tiny::new();
    let mut loss = |cycle_weight, class_weight| {
        (tiny.settings.cycle_weight, tiny.settings.class_weight) = (cycle_weight, class_weight);
        value(&tiny.generator_loss())
    };
    let adversarial = loss(0.0, 0.0);
    let (cycle, class) = (loss(1.0, 0.0) - adversarial, loss(0.0, 1.0) - adversarial);
    assert!(adversarial > 0.0 && cycle > 0.0 && class > 0.0);
    assert!((loss(5.0, 2.0) - (adversarial + 5.0 * cycle + 2.0 * class)).abs() < 1e-5);
}
