//! One CycleGAN: generators between the pool and one emotion, and a discriminator for each end.

use ambivox_nn::{Dense, HiddenDropout, Optimiser, generator};
use candle_core::{Result, Tensor};
use rand_chacha::ChaCha8Rng;

use super::deck::Deck;
use super::interim::{Drawn, PairInterim};
use super::losses::{classification, cycle, sigmoid_cross_entropy};
use super::{CycleganSettings, chosen, mask_seeds, parameters, widths};
use crate::{Example, Fold};

/// The four networks of one emotion.
#[derive(Debug, Clone)]
pub(super) struct Networks {
    /// From the pool to the emotion.
    pub(super) forth: Dense,
    /// From the emotion to the pool.
    pub(super) back: Dense,
    /// Whether a vector is a real one of the emotion.
    pub(super) of_emotion: Dense,
    /// Whether a vector is a real one of the pool.
    pub(super) of_pool: Dense,
}

impl Networks {
    pub(super) fn new(
        settings: &CycleganSettings,
        width: usize,
        class: &str,
        seed: u64,
    ) -> Result<Self> {
        let network = |name: &str, hidden: &[usize], outputs| {
            let name = format!("{name} {class}");
            Dense::new(&name, &widths(width, hidden, outputs), settings.leak, seed)
        };
        Ok(Self {
            forth: network("generator to", &settings.generator, width)?,
            back: network("generator from", &settings.generator, width)?,
            of_emotion: network("discriminator of", &settings.discriminator, 1)?,
            of_pool: network("discriminator of the pool for", &settings.discriminator, 1)?,
        })
    }

    /// Both ways there and back from real vectors, and what was there.
    fn travel(&self, batch: Batch<'_>, rate: f64, seeds: [u64; 4]) -> Result<Travelled> {
        let [there, and_back, away, home] = seeds.map(|seed| HiddenDropout { rate, seed });
        let emotion = self.forth.training_output(batch.pool, there)?;
        let pool = self.back.training_output(batch.emotion, away)?;
        let pool_again = self.back.training_output(&emotion, and_back)?;
        let emotion_again = self.forth.training_output(&pool, home)?;
        let cycle = (cycle(&pool_again, batch.pool)? + cycle(&emotion_again, batch.emotion)?)?;
        Ok(Travelled { emotion, pool, cycle })
    }

    /// What the generators minimise: to be taken for real at both ends, to come back, and that the
    /// `guide` recognises the emotion in what was made.
    pub(super) fn generator_loss(
        &self,
        batch: Batch<'_>,
        guide: &Dense,
        class: usize,
        settings: &CycleganSettings,
        seeds: [u64; 4],
    ) -> Result<Tensor> {
        let made = self.travel(batch, settings.generator_dropout, seeds)?;
        let taken_for_real = |judge: &Dense, made: &Tensor| {
            sigmoid_cross_entropy(&judge.fixed_output(made)?, settings.real_label)
        };
        let adversarial = (taken_for_real(&self.of_emotion, &made.emotion)?
            + taken_for_real(&self.of_pool, &made.pool)?)?;
        let recognised = classification(&guide.fixed_output(&made.emotion)?, class)?;
        adversarial + (made.cycle * settings.cycle_weight)? + (recognised * settings.class_weight)?
    }

    /// What the discriminators minimise: to tell real vectors from those that were made.
    pub(super) fn discriminator_loss(
        &self,
        batch: Batch<'_>,
        settings: &CycleganSettings,
        seeds: [u64; 6],
    ) -> Result<Tensor> {
        let generators = |seed| HiddenDropout { rate: settings.generator_dropout, seed };
        let emotion = self.forth.training_output(batch.pool, generators(seeds[0]))?.detach();
        let pool = self.back.training_output(batch.emotion, generators(seeds[1]))?.detach();
        let judged = |judge: &Dense, vectors: &Tensor, label: f64, seed: u64| {
            let dropout = HiddenDropout { rate: settings.discriminator_dropout, seed };
            sigmoid_cross_entropy(&judge.training_output(vectors, dropout)?, label)
        };
        let real = settings.real_label;
        let of_emotion = (judged(&self.of_emotion, batch.emotion, real, seeds[2])?
            + judged(&self.of_emotion, &emotion, 0.0, seeds[3])?)?;
        let of_pool = (judged(&self.of_pool, batch.pool, real, seeds[4])?
            + judged(&self.of_pool, &pool, 0.0, seeds[5])?)?;
        of_emotion + of_pool
    }
}

/// Real vectors of both ends, as many of each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Batch<'a> {
    pub(super) pool: &'a Tensor,
    pub(super) emotion: &'a Tensor,
}

/// What the generators make of a batch.
struct Travelled {
    /// Of the pool's vectors.
    emotion: Tensor,
    /// Of the emotion's vectors.
    pool: Tensor,
    /// The cycle loss, both ways.
    cycle: Tensor,
}

/// A CycleGAN in training. All its chance is in a stream of its own, so that emotions can be trained
/// at the same time.
pub(super) struct Pair<'a> {
    settings: &'a CycleganSettings,
    training: &'a [Example<'a>],
    width: usize,
    class: usize,
    networks: Networks,
    generators: Optimiser,
    discriminators: Optimiser,
    emotion: Deck,
    chance: ChaCha8Rng,
}

impl<'a> Pair<'a> {
    pub(super) fn new(
        fold: Fold<'a>,
        settings: &'a CycleganSettings,
        class: usize,
    ) -> Result<Self> {
        let (name, training) = (&fold.classes[class], fold.training);
        let networks = Networks::new(settings, fold.width, name, fold.seed)?;
        let optimiser = |pair: [&Dense; 2]| {
            let variables = pair.into_iter().flat_map(Dense::variables).collect();
            Optimiser::new(variables, settings.learning_rate, 0.0)
        };
        let of_class = (0..training.len()).filter(|&n| training[n].gold == Some(class));
        Ok(Self {
            settings,
            training,
            width: fold.width,
            class,
            generators: optimiser([&networks.forth, &networks.back]),
            discriminators: optimiser([&networks.of_emotion, &networks.of_pool]),
            emotion: Deck::new(of_class.collect()),
            chance: generator(fold.seed, &format!("CycleGAN of {name}")),
            networks,
        })
    }

    pub(super) fn interim(&self) -> Result<PairInterim> {
        let Networks { forth, back, of_emotion, of_pool } = &self.networks;
        Ok(PairInterim {
            networks: [
                parameters(forth)?,
                parameters(back)?,
                parameters(of_emotion)?,
                parameters(of_pool)?,
            ],
            generators: self.generators.memory(),
            discriminators: self.discriminators.memory(),
            drawn: Drawn::of(&self.emotion, &self.chance),
        })
    }

    /// Goes on from the state of an equal one; whether it is of one.
    pub(super) fn resume(&mut self, interim: PairInterim) -> Result<bool> {
        let PairInterim { networks, generators, discriminators, drawn } = interim;
        let Networks { forth, back, of_emotion, of_pool } = &self.networks;
        for (network, parameters) in [forth, back, of_emotion, of_pool].into_iter().zip(networks) {
            if !parameters.put_into(&network.variables())? {
                return Ok(false);
            }
        }
        Ok(self.generators.resume(generators)
            && self.discriminators.resume(discriminators)
            && drawn.put_into(&mut self.emotion, &mut self.chance))
    }

    pub(super) fn set_learning_rate(&mut self, rate: f64) {
        self.generators.set_learning_rate(rate);
        self.discriminators.set_learning_rate(rate);
    }

    /// An update of the generators on the cycle loss alone; whether it is finite.
    pub(super) fn cycle_step(&mut self, pool: &Tensor) -> Result<bool> {
        let emotion = self.draw(pool)?;
        let (batch, seeds) = (Batch { pool, emotion: &emotion }, mask_seeds(&mut self.chance));
        let made = self.networks.travel(batch, self.settings.generator_dropout, seeds)?;
        Ok(self.generators.descend(&made.cycle)?.is_finite())
    }

    /// An update of the discriminators, where it is their turn, and then of the generators; whether
    /// their losses are finite.
    pub(super) fn adversarial_step(
        &mut self,
        pool: &Tensor,
        guide: &Dense,
        turn: bool,
    ) -> Result<bool> {
        let emotion = self.draw(pool)?;
        let batch = Batch { pool, emotion: &emotion };
        if turn {
            let seeds = mask_seeds(&mut self.chance);
            let loss = self.networks.discriminator_loss(batch, self.settings, seeds)?;
            if !self.discriminators.descend(&loss)?.is_finite() {
                return Ok(false);
            }
        }
        let seeds = mask_seeds(&mut self.chance);
        let loss = self.networks.generator_loss(batch, guide, self.class, self.settings, seeds)?;
        Ok(self.generators.descend(&loss)?.is_finite())
    }

    /// Vectors of the pool carried over to the emotion, dropout off.
    pub(super) fn carry_over(&self, pool: &Tensor) -> Result<Vec<Vec<f32>>> {
        self.networks.forth.fixed_output(pool)?.to_vec2()
    }

    /// As many of the emotion's vectors as there are of the pool.
    fn draw(&mut self, pool: &Tensor) -> Result<Tensor> {
        let positions = self.emotion.draw(pool.dims()[0], &mut self.chance);
        chosen(self.training, &positions, self.width)
    }
}
