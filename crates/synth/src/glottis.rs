//! The glottal source: one pulse per period, with jitter and shimmer.

use crate::chance::Chance;
use crate::delivery::Phonation;
use crate::plan::SAMPLE_RATE;

/// Jitter and shimmer are cut at this many standard deviations.
const CUT: f64 = 2.5;

/// A pulse train: the derivative of the flow of Rosenberg's polynomial pulse, as in KLGLOTT88
/// (Klatt & Klatt 1990). The derivative stands for the flow and its radiation from the lips.
#[derive(Debug, Clone)]
pub(crate) struct Glottis {
    /// Place within the period, from 0 to 1.
    phase: f64,
    stretch: f64,
    height: f64,
}

impl Glottis {
    /// A glottis about to open.
    pub(crate) fn new() -> Self {
        Self { phase: 0.0, stretch: 1.0, height: 1.0 }
    }

    /// The next sample of the flow's derivative (peak -1 at the closure), and whether it is open.
    pub(crate) fn next(
        &mut self,
        f0_hz: f64,
        phonation: &Phonation,
        chance: &mut Chance,
    ) -> (f64, bool) {
        self.phase += f0_hz / f64::from(SAMPLE_RATE) / self.stretch;
        if self.phase >= 1.0 {
            self.phase -= 1.0;
            self.stretch = 1.0 + phonation.jitter * cut_normal(chance);
            self.height = (1.0 + phonation.shimmer * cut_normal(chance)).max(0.0);
        }
        let place = self.phase / phonation.open_quotient;
        if place >= 1.0 {
            return (0.0, false);
        }
        (self.height * (2.0 * place - 3.0 * place * place), true)
    }
}

fn cut_normal(chance: &mut Chance) -> f64 {
    chance.normal().clamp(-CUT, CUT)
}
