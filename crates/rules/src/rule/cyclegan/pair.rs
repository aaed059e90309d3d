//! One CycleGAN: generators between the pool and one emotion, and a discriminator for each end.

use ambivox_nn::{Dense, HiddenDropout, Optimiser, rng};
use candle_core::{Result, Tensor};
use rand_chacha::ChaCha8Rng;

use super::interim::{Drawn, PairInterim};
use super::losses::{classification, cycle, sigmoid_cross_entropy};
use super::shuffled::Shuffled;
use super::{CycleganSettings, chosen, mask_seeds, parameters, widths};
use crate::{Example, Fold};

/// The four networks of one emotion.
#[derive(Debug, Clone)]
pub(super) struct Networks {
    /// From the pool to the emotion.
    pub(super) g: Dense,
    /// From the emotion to the pool.
    pub(super) f: Dense,
    /// Whether a vector is a real one of the emotion.
    pub(super) d_y: Dense,
    /// Whether a vector is a real one of the pool.
    pub(super) d_x: Dense,
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
            g: network("generator to", &settings.generator, width)?,
            f: network("generator from", &settings.generator, width)?,
            d_y: network("discriminator of", &settings.discriminator, 1)?,
            d_x: network("discriminator of the pool for", &settings.discriminator, 1)?,
        })
    }

    /// Both cycles from real vectors, and the vectors half way.
    fn cycle(&self, batch: Batch<'_>, rate: f64, seeds: [u64; 4]) -> Result<Cycled> {
        let [there, and_back, away, home] = seeds.map(|seed| HiddenDropout { rate, seed });
        let emotion = self.g.training_output(batch.pool, there)?;
        let pool = self.f.training_output(batch.emotion, away)?;
        let pool_again = self.f.training_output(&emotion, and_back)?;
        let emotion_again = self.g.training_output(&pool, home)?;
        let cycle = (cycle(&pool_again, batch.pool)? + cycle(&emotion_again, batch.emotion)?)?;
        Ok(Cycled { emotion, pool, cycle })
    }

    /// What the generators minimise: to be taken for real at both ends, to be consistent over the cycle, and that the
    /// `guide` recognises the emotion in what was made.
    pub(super) fn generator_loss(
        &self,
        batch: Batch<'_>,
        guide: &Dense,
        class: usize,
        settings: &CycleganSettings,
        seeds: [u64; 4],
    ) -> Result<Tensor> {
        let made = self.cycle(batch, settings.generator_dropout, seeds)?;
        let taken_for_real = |judge: &Dense, made: &Tensor| {
            sigmoid_cross_entropy(&judge.fixed_output(made)?, settings.real_label)
        };
        let adversarial =
            (taken_for_real(&self.d_y, &made.emotion)? + taken_for_real(&self.d_x, &made.pool)?)?;
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
        let emotion = self.g.training_output(batch.pool, generators(seeds[0]))?.detach();
        let pool = self.f.training_output(batch.emotion, generators(seeds[1]))?.detach();
        let judged = |judge: &Dense, vectors: &Tensor, label: f64, seed: u64| {
            let dropout = HiddenDropout { rate: settings.discriminator_dropout, seed };
            sigmoid_cross_entropy(&judge.training_output(vectors, dropout)?, label)
        };
        let real = settings.real_label;
        let d_y = (judged(&self.d_y, batch.emotion, real, seeds[2])?
            + judged(&self.d_y, &emotion, 0.0, seeds[3])?)?;
        let d_x = (judged(&self.d_x, batch.pool, real, seeds[4])?
            + judged(&self.d_x, &pool, 0.0, seeds[5])?)?;
        d_y + d_x
    }
}

/// Real vectors of both ends, as many of each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Batch<'a> {
    pub(super) pool: &'a Tensor,
    pub(super) emotion: &'a Tensor,
}

/// What the generators make of a batch.
struct Cycled {
    /// Of the pool's vectors.
    emotion: Tensor,
    /// Of the emotion's vectors.
    pool: Tensor,
    /// The cycle loss, both ways.
    cycle: Tensor,
}

/// A CycleGAN in training. It draws from a random stream of its own, so that emotions can be trained
/// at the same time.
pub(super) struct Pair<'a> {
    settings: &'a CycleganSettings,
    training: &'a [Example<'a>],
    width: usize,
    class: usize,
    networks: Networks,
    generators: Optimiser,
    discriminators: Optimiser,
    emotion: Shuffled,
    rng: ChaCha8Rng,
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
            generators: optimiser([&networks.g, &networks.f]),
            discriminators: optimiser([&networks.d_y, &networks.d_x]),
            emotion: Shuffled::new(of_class.collect()),
            rng: rng(fold.seed, &format!("CycleGAN of {name}")),
            networks,
        })
    }

    pub(super) fn interim(&self) -> Result<PairInterim> {
        let Networks { g, f, d_y, d_x } = &self.networks;
        Ok(PairInterim {
            networks: [parameters(g)?, parameters(f)?, parameters(d_y)?, parameters(d_x)?],
            generators: self.generators.state(),
            discriminators: self.discriminators.state(),
            drawn: Drawn::of(&self.emotion, &self.rng),
        })
    }

    /// Goes on from the state of an equal one; whether it is of one.
    pub(super) fn resume(&mut self, interim: PairInterim) -> Result<bool> {
        let PairInterim { networks, generators, discriminators, drawn } = interim;
        let Networks { g, f, d_y, d_x } = &self.networks;
        for (network, parameters) in [g, f, d_y, d_x].into_iter().zip(networks) {
            if !parameters.put_into(&network.variables())? {
                return Ok(false);
            }
        }
        Ok(self.generators.resume(generators)
            && self.discriminators.resume(discriminators)
            && drawn.put_into(&mut self.emotion, &mut self.rng))
    }

    pub(super) fn set_learning_rate(&mut self, rate: f64) {
        self.generators.set_learning_rate(rate);
        self.discriminators.set_learning_rate(rate);
    }

    /// An update of the generators on the cycle loss alone; whether it is finite.
    pub(super) fn cycle_step(&mut self, pool: &Tensor) -> Result<bool> {
        let emotion = self.draw(pool)?;
        let (batch, seeds) = (Batch { pool, emotion: &emotion }, mask_seeds(&mut self.rng));
        let made = self.networks.cycle(batch, self.settings.generator_dropout, seeds)?;
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
            let seeds = mask_seeds(&mut self.rng);
            let loss = self.networks.discriminator_loss(batch, self.settings, seeds)?;
            if !self.discriminators.descend(&loss)?.is_finite() {
                return Ok(false);
            }
        }
        let seeds = mask_seeds(&mut self.rng);
        let loss = self.networks.generator_loss(batch, guide, self.class, self.settings, seeds)?;
        Ok(self.generators.descend(&loss)?.is_finite())
    }

    /// Vectors of the pool carried over to the emotion, dropout off.
    pub(super) fn carry_over(&self, pool: &Tensor) -> Result<Vec<Vec<f32>>> {
        self.networks.g.fixed_output(pool)?.to_vec2()
    }

    /// As many of the emotion's vectors as there are of the pool.
    fn draw(&mut self, pool: &Tensor) -> Result<Tensor> {
        let positions = self.emotion.draw(pool.dims()[0], &mut self.rng);
        chosen(self.training, &positions, self.width)
    }
}
