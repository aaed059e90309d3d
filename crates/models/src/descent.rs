//! Learning by mini-batches, down the gradient: for every model that candle can differentiate.

use std::thread::scope;

use ambivox_nn::{Memory, Optimiser, Parameters, State, generator};
use ambivox_settings::TrainingSettings;
use candle_core::{Tensor, Var};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::{Learner, ModelError, Predictor, Round, Rows};

/// A model with variables and gradients.
pub(crate) trait Differentiable: Predictor + Sized + 'static {
    /// The variables to optimise, always in the same order.
    fn variables(&self) -> Vec<Var>;

    /// An independent copy.
    fn copy(&self) -> candle_core::Result<Self>;

    /// Logits `[utterances, classes]` of a mini-batch, with gradients for every variable; the dropout
    /// masks are drawn from `dropout_seed`.
    fn logits(&self, utterances: &[&Rows<'_>], dropout_seed: u64) -> Result<Tensor, ModelError>;

    /// The stream from which a round's utterances and their order are drawn.
    fn order(round: &Round<'_>) -> ChaCha8Rng {
        round.order()
    }

    /// The seed of a mini-batch's dropout masks; `order` has given the utterances.
    fn dropout_seed(_order: &mut ChaCha8Rng, seed: u64, round: usize, batch: usize) -> u64 {
        generator(seed, &format!("dropout of epoch {round}, batch {batch}")).next_u64()
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
        let logits = self.model.logits(&utterances, dropout_seed)?;
        let mut targets = round.targets.scaled(positions);
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
        Ok(State::of(&(parameters, self.optimiser.memory())))
    }

    fn restore(&mut self, state: &State) -> Result<bool, ModelError> {
        let Some((parameters, memory)) = state.read::<(Parameters, Memory)>() else {
            return Ok(false);
        };
        Ok(parameters.put_into(&self.model.variables())? && self.optimiser.resume(memory))
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
        let mlp = MlpSettings { hidden: vec![4], leak: 0.1, dropout: 0.0 };
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
        let distributions = vec![vec![gold, 0.0], vec![0.0, 1.0]];
        learner.round(&Round {
            number: 1,
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
