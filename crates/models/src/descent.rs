//! Learning by mini-batches, down the gradient: for every model that candle can differentiate.

use std::thread::scope;

use ambivox_nn::{Optimiser, OptimiserState, Parameters, State, read, rng};
use ambivox_settings::TrainingSettings;
use candle_core::{Tensor, Var};
use rand::seq::SliceRandom;
use rand::{Rng, RngExt as _};
use rand_chacha::ChaCha8Rng;

use crate::{Learner, ModelError, Predictor, Round, Rows};

/// Draws after which chance is taken to be broken.
const MOST_DRAWS: usize = 100_000;

/// A model with variables and gradients.
pub(crate) trait Differentiable: Predictor + Sized + 'static {
    /// The variables to optimise, always in the same order.
    fn variables(&self) -> Vec<Var>;

    /// An independent copy.
    fn copy(&self) -> candle_core::Result<Self>;

    /// Logits `[utterances, classes]` of a mini-batch, with gradients for every variable; the dropout
    /// masks are drawn from `dropout_seed`.
    fn logits(&self, utterances: &[&Rows<'_>], dropout_seed: u64) -> Result<Tensor, ModelError>;

    /// α of mixup, where vectors are mixed.
    fn mixup(&self) -> Option<f64> {
        None
    }

    /// The stream from which a round's utterances and their order are drawn.
    fn order(round: &Round<'_>) -> ChaCha8Rng {
        round.order()
    }

    /// The seed of a mini-batch's dropout masks; `order` has given the utterances.
    fn dropout_seed(_order: &mut ChaCha8Rng, seed: u64, round: usize, batch: usize) -> u64 {
        rng(seed, &format!("dropout of epoch {round}, batch {batch}")).next_u64()
    }
}

/// A model that learns by Adam.
pub(crate) struct Descent<M> {
    model: M,
    optimiser: Optimiser,
    batch_size: usize,
}

impl<M: Differentiable> Descent<M> {
    pub(crate) fn new(model: M, settings: &TrainingSettings) -> Self {
        let TrainingSettings { learning_rate, gradient_clip, batch_size, .. } = *settings;
        let optimiser = Optimiser::new(model.variables(), learning_rate, gradient_clip);
        Self { model, optimiser, batch_size }
    }

    /// The model with other parameters, where they fit.
    fn with(
        &self,
        parameters: Option<Parameters>,
    ) -> Result<Option<Box<dyn Predictor>>, ModelError> {
        let Some(parameters) = parameters else { return Ok(None) };
        let copy = self.model.copy()?;
        let fits = parameters.put_into(&copy.variables())?;
        Ok(fits.then(|| Box::new(copy) as Box<dyn Predictor>))
    }

    /// One update; the loss before it. Where that is not finite the model is left as it is.
    fn step(
        &mut self,
        round: &Round<'_>,
        positions: &[usize],
        dropout_seed: u64,
    ) -> Result<f64, ModelError> {
        let utterances: Vec<&Rows<'_>> = positions.iter().map(|&n| round.utterances[n]).collect();
        let mut targets = round.targets.scaled(positions);
        let logits = match self.model.mixup() {
            None => self.model.logits(&utterances, dropout_seed)?,
            Some(alpha) => {
                let mixture = Mixture::drawn(alpha, positions.len(), dropout_seed);
                targets = mixture.of(targets.chunks_exact(self.model.classes())).concat();
                let vectors = read(&utterances);
                let mixed = mixture.of(vectors.iter().map(|vector| &**vector));
                let mixed: Vec<Rows<'_>> = mixed.into_iter().map(Rows::from).collect();
                self.model.logits(&mixed.iter().collect::<Vec<_>>(), dropout_seed)?
            }
        };
        if round.normalise_weights {
            let divisor = round.divisor(positions);
            for share in &mut targets {
                *share = (f64::from(*share) / divisor) as f32;
            }
        }
        let loss = round.loss.of(&logits, targets, positions)?;
        Ok(self.optimiser.descend(&loss)?)
    }
}

/// How the utterances of a mini-batch are mixed, each with another or itself.
struct Mixture {
    /// Share of the utterance itself.
    share: f64,
    /// Which other one, of every utterance.
    others: Vec<usize>,
}

impl Mixture {
    /// One share for the whole mini-batch, from the beta distribution of α and α, as the authors' program has it.
    fn drawn(alpha: f64, utterances: usize, seed: u64) -> Self {
        let mut rng = rng(seed, "mixup");
        let mut others: Vec<usize> = (0..utterances).collect();
        others.shuffle(&mut rng);
        Self { share: beta(alpha, &mut rng), others }
    }

    /// Rows, each mixed with its other.
    fn of<'a>(&self, rows: impl Iterator<Item = &'a [f32]>) -> Vec<Vec<f32>> {
        let rows: Vec<&[f32]> = rows.collect();
        let mixed = |(&own, &other): (&f32, &f32)| {
            (self.share * f64::from(own) + (1.0 - self.share) * f64::from(other)) as f32
        };
        let row =
            |(own, &other): (&&[f32], &usize)| own.iter().zip(rows[other]).map(mixed).collect();
        rows.iter().zip(&self.others).map(row).collect()
    }
}

/// A draw from the beta distribution of α and α (Jöhnk 1964), of which one in seventy is taken at α = 4.
fn beta(alpha: f64, rng: &mut ChaCha8Rng) -> f64 {
    for _ in 0..MOST_DRAWS {
        let [x, y] = [(); 2].map(|()| libm::pow(rng.random::<f64>(), 1.0 / alpha));
        if x + y > 0.0 && x + y <= 1.0 {
            return x / (x + y);
        }
    }
    0.5
}

impl<M: Differentiable> Learner for Descent<M> {
    /// The utterances are in a random order of the round's own. Batches of like length would not be
    /// worth their bias: nothing is padded, and `cargo xtask bench train` times both orders alike.
    fn round(&mut self, round: &Round<'_>) -> Result<f64, ModelError> {
        let mut chance = M::order(round);
        let mut order = (round.sample)(&mut chance);
        order.shuffle(&mut chance);
        let mut total = 0.0;
        let batches: Vec<&[usize]> = order.chunks(self.batch_size).collect();
        for (batch, positions) in (1..).zip(&batches) {
            let seed = M::dropout_seed(&mut chance, round.seed, round.number, batch);
            // Vectors are in memory; frames lie in a file.
            let next = batches.get(batch).filter(|_| !self.model.reads_vectors());
            let loss = scope(|threads| {
                if let Some(next) = next {
                    // By a thread that waits for the disk, while the others compute.
                    let utterances = round.utterances;
                    threads.spawn(move || next.iter().for_each(|&n| utterances[n].fetch()));
                }
                self.step(round, positions, seed)
            })?;
            if !loss.is_finite() {
                return Err(ModelError::NotFinite { batch });
            }
            total += loss * positions.len() as f64;
        }
        Ok(total / order.len() as f64)
    }

    fn predictor(&self) -> &dyn Predictor {
        &self.model
    }

    fn fitted(&self) -> Result<Box<dyn Predictor>, ModelError> {
        Ok(Box::new(self.model.copy()?))
    }

    fn state(&self) -> Result<State, ModelError> {
        let parameters = Parameters::of(&self.model.variables())?;
        Ok(State::of(&(parameters, self.optimiser.state())))
    }

    fn restore(&mut self, state: &State) -> Result<bool, ModelError> {
        let Some((parameters, optimiser)) = state.read::<(Parameters, OptimiserState)>() else {
            return Ok(false);
        };
        Ok(parameters.put_into(&self.model.variables())? && self.optimiser.resume(optimiser))
    }

    fn revive(&self, state: &State) -> Result<Option<Box<dyn Predictor>>, ModelError> {
        self.with(state.read())
    }

    fn averaged(&self, states: &[State]) -> Result<Option<Box<dyn Predictor>>, ModelError> {
        let all: Option<Vec<Parameters>> = states.iter().map(State::read).collect();
        self.with(all.and_then(|all| Parameters::mean(&all)))
    }
}

/// The values of a model's parameters.
pub(crate) fn state(model: &impl Differentiable) -> Result<State, ModelError> {
    Ok(State::of(&Parameters::of(&model.variables())?))
}

#[cfg(test)]
mod tests {
    use ambivox_nn::{CrossEntropy, Targets};

    use super::*;
    use crate::{
        AttentionOver, AttentionPoolingSettings, MlpSettings, Model, NetworkSettings, Shape,
    };

    const TRAINING: TrainingSettings = TrainingSettings {
        seeds: Vec::new(),
        batch_size: 1,
        learning_rate: 0.01,
        gradient_clip: 0.0,
        max_epochs: 1,
        patience: 1,
        criterion: ambivox_settings::Criterion::Loss,
        keep: ambivox_settings::Keep::Best,
        normalise_weights: false,
        dynamics: false,
    };

    type Case = (Box<dyn Learner>, [Rows<'static>; 2]);

    /// A learner of every kind, and utterances for it.
    fn learners() -> Vec<Case> {
        let attention_over = AttentionOver::Blstm;
        let blstm = NetworkSettings::plain([4, 2], 0.0, attention_over);
        let mlp = MlpSettings { hidden: vec![4], leak: 0.1, dropout: 0.0, mixup: None };
        let hidden = vec![4];
        let pooling = AttentionPoolingSettings { hidden, leak: 0.1, dropout: 0.0 };
        [&blstm as &dyn Model, &mlp, &pooling]
            .map(|model| {
                let learner = model.start(Shape::of(3), 2, &TRAINING, 1).unwrap();
                let rows = if learner.predictor().reads_vectors() { 1 } else { 2 };
                (learner, [vec![0.5; 3 * rows], vec![-1.0; 3]].map(Rows::from))
            })
            .into()
    }

    fn round(
        learner: &mut dyn Learner,
        utterances: &[Rows<'_>; 2],
        gold: f64,
    ) -> Result<f64, ModelError> {
        nth_round(learner, utterances, gold, 1)
    }

    fn nth_round(
        learner: &mut dyn Learner,
        utterances: &[Rows<'_>; 2],
        gold: f64,
        number: usize,
    ) -> Result<f64, ModelError> {
        let distributions = vec![vec![gold, 0.0], vec![0.0, 1.0]];
        learner.round(&Round {
            number,
            seed: 0,
            utterances: &utterances.each_ref(),
            groups: &[0; 2],
            targets: &Targets { distributions, weights: vec![1.0; 2] },
            sample: &|_| vec![0, 1],
            loss: &CrossEntropy,
            normalise_weights: false,
        })
    }

    fn said(learner: &dyn Learner, utterances: &[Rows<'_>; 2]) -> Vec<Vec<f64>> {
        let said = learner.predictor().predict(&utterances.each_ref()).unwrap();
        said.into_iter().map(|prediction| prediction.log_probabilities).collect()
    }

    #[test]
    fn rounds_lower_the_loss_and_what_was_kept_stays() {
        for (mut learner, utterances) in learners() {
            let before = said(&*learner, &utterances);
            let kept = learner.fitted().unwrap();
            let first = round(&mut *learner, &utterances, 1.0).unwrap();
            let second = round(&mut *learner, &utterances, 1.0).unwrap();
            assert!(second < first, "{first} {second}");
            let first = kept.predict(&[&utterances[0]]).unwrap().remove(0);
            assert_eq!(first.log_probabilities, before[0]);
            assert_ne!(said(&*learner, &utterances), before);
        }
    }

    #[test]
    fn an_average_is_of_parameters() {
        let [(mut learner, utterances), (mlp, _), _] = learners().try_into().ok().unwrap();
        let mut states = vec![learner.predictor().state().unwrap()];
        round(&mut *learner, &utterances, 1.0).unwrap();
        states.push(learner.predictor().state().unwrap());
        let [first, last] = [0, 1].map(|n| states[n].read::<Parameters>().unwrap());
        let average = learner.averaged(&states).unwrap().unwrap().state().unwrap();
        let expected = Parameters::mean(&[first.clone(), last]).unwrap();
        assert_eq!(average.read::<Parameters>().unwrap(), expected);
        assert_ne!(expected, first);
        assert!(mlp.averaged(&states).unwrap().is_none());
    }

    #[test]
    fn the_share_of_a_mixture_is_beta_distributed() {
        for alpha in [0.2, 1.0, 4.0] {
            let mut rng = rng(7, "test");
            let draws: Vec<f64> = (0..20_000).map(|_| beta(alpha, &mut rng)).collect();
            let mean = draws.iter().sum::<f64>() / draws.len() as f64;
            let variance =
                draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / draws.len() as f64;
            let expected = 1.0 / (4.0 * (2.0 * alpha + 1.0));
            assert!((mean - 0.5).abs() < 0.01, "{alpha}: {mean}");
            assert!((variance / expected - 1.0).abs() < 0.03, "{alpha}: {variance} {expected}");
        }
    }

    /// The loss is that of a learner which is given vectors and targets as they are mixed by hand.
    #[test]
    fn utterances_and_targets_are_mixed_alike() {
        let mut swapped = 0;
        for number in 1..20 {
            let (mixup, training) = (Some(0.4), TrainingSettings { batch_size: 2, ..TRAINING });
            let mlp = |mixup| MlpSettings { hidden: vec![4], leak: 0.1, dropout: 0.0, mixup };
            let start = |mixup| mlp(mixup).start(Shape::of(3), 2, &training, 1).unwrap();
            let utterances = [vec![0.5, 1.0, -2.0], vec![-1.0; 3]].map(Rows::from);
            let found = nth_round(&mut *start(mixup), &utterances, 1.0, number).unwrap();
            let mut order = [0, 1];
            let mut rng = rng(0, &format!("classifier in epoch {number}"));
            order.shuffle(&mut rng);
            let Mixture { share, others } = Mixture::drawn(0.4, 2, rng.next_u64());
            swapped += others[0];
            let mix = |values: [Vec<f32>; 2]| {
                let of = |at: usize, value: usize| {
                    let (own, other) = (values[order[at]][value], values[order[others[at]]][value]);
                    share as f32 * own + (1.0 - share as f32) * other
                };
                [0, 1].map(|at| (0..values[0].len()).map(|value| of(at, value)).collect::<Vec<_>>())
            };
            let rows = mix([vec![0.5, 1.0, -2.0], vec![-1.0; 3]]).map(Rows::from);
            let targets = mix([vec![1.0, 0.0], vec![0.0, 1.0]]);
            let distributions =
                targets.iter().map(|row| row.iter().map(|&s| f64::from(s)).collect()).collect();
            let round = Round {
                number,
                seed: 0,
                utterances: &rows.each_ref(),
                groups: &[0; 2],
                targets: &Targets { distributions, weights: vec![1.0; 2] },
                sample: &|_| vec![0, 1],
                loss: &CrossEntropy,
                normalise_weights: false,
            };
            let expected = start(None).round(&round).unwrap();
            assert!((found - expected).abs() < 1e-5, "{number}: {found} {expected}");
        }
        assert!((1..19).contains(&swapped), "{swapped}");
    }

    #[test]
    fn mixtures_are_learned_from_and_hang_on_the_seed_alone() {
        let mlp = |mixup| MlpSettings { hidden: vec![4], leak: 0.1, dropout: 0.0, mixup };
        let utterances = [vec![0.5; 3], vec![-1.0; 3]].map(Rows::from);
        let training = TrainingSettings { batch_size: 2, ..TRAINING };
        let learned = |mixup| {
            let mut learner = mlp(mixup).start(Shape::of(3), 2, &training, 1).unwrap();
            for number in 0..300 {
                nth_round(&mut *learner, &utterances, 1.0, number).unwrap();
            }
            said(&*learner, &utterances)
        };
        let (mixed, plain) = (learned(Some(0.4)), learned(None));
        assert_eq!(mixed, learned(Some(0.4)));
        assert!(mixed[0][0] > mixed[0][1] && mixed[1][1] > mixed[1][0], "{mixed:?}");
        assert!(mixed[0][0] < plain[0][0], "mixtures make it less sure: {mixed:?} {plain:?}");
    }

    #[test]
    fn a_loss_that_is_not_finite_is_told_and_moves_nothing() {
        for (mut learner, utterances) in learners() {
            let before = said(&*learner, &utterances);
            // The order of the two decides whether the second batch is reached.
            let error = round(&mut *learner, &utterances, f64::INFINITY).unwrap_err();
            let ModelError::NotFinite { batch } = error else { panic!("{error}") };
            assert_eq!(said(&*learner, &utterances) == before, batch == 1);
        }
    }

    #[test]
    fn a_state_of_another_model_is_refused() {
        let [(mut blstm, _), (mut mlp, _), _] = learners().try_into().ok().unwrap();
        assert!(blstm.restore(&blstm.state().unwrap()).unwrap());
        assert!(!blstm.restore(&mlp.state().unwrap()).unwrap());
        assert!(!mlp.restore(&blstm.state().unwrap()).unwrap());
        let best = blstm.predictor().state().unwrap();
        assert!(blstm.revive(&best).unwrap().is_some() && mlp.revive(&best).unwrap().is_none());
        assert!(!blstm.restore(&best).unwrap());
    }
}
