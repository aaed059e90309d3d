//! The digital filters of the synthesiser.

use std::f64::consts::{PI, TAU};

use crate::plan::SAMPLE_RATE;

const RATE: f64 = SAMPLE_RATE as f64;

/// A second-order resonator with gain 1 at 0 Hz: Klatt (1980), eqs. 1–2.
#[derive(Debug, Clone, Default)]
pub(crate) struct Resonator {
    a: f64,
    b: f64,
    c: f64,
    last: f64,
    before: f64,
}

impl Resonator {
    /// Sets centre and bandwidth in Hz; the state is kept.
    pub(crate) fn tune(&mut self, hz: f64, bandwidth: f64) {
        let radius = libm::exp(-PI * bandwidth / RATE);
        self.c = -radius * radius;
        self.b = 2.0 * radius * libm::cos(TAU * hz / RATE);
        self.a = 1.0 - self.b - self.c;
    }

    /// The next output sample.
    pub(crate) fn next(&mut self, input: f64) -> f64 {
        let output = self.a * input + self.b * self.last + self.c * self.before;
        self.before = self.last;
        self.last = output;
        output
    }
}

/// A first-order low-pass with gain 1 at 0 Hz.
#[derive(Debug, Clone, Default)]
pub(crate) struct LowPass {
    keep: f64,
    last: f64,
}

impl LowPass {
    /// Sets the corner in Hz; the state is kept.
    pub(crate) fn tune(&mut self, corner_hz: f64) {
        self.keep = libm::exp(-TAU * corner_hz / RATE);
    }

    /// The next output sample.
    pub(crate) fn next(&mut self, input: f64) -> f64 {
        self.last = input + self.keep * (self.last - input);
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Amplitude of the response to a long sine.
    fn gain(mut next: impl FnMut(f64) -> f64, hz: f64) -> f64 {
        let output: Vec<f64> =
            (0..16_000).map(|i| next((TAU * hz * f64::from(i) / RATE).sin())).collect();
        output[8_000..].iter().fold(0.0, |peak, x| x.abs().max(peak))
    }

    #[test]
    fn a_resonator_rings_at_its_centre() {
        let at = |hz| {
            let mut resonator = Resonator::default();
            resonator.tune(1_000.0, 100.0);
            gain(|x| resonator.next(x), hz)
        };
        // An analogue resonator's gain is F/B at its centre and 1 far below.
        assert!((at(1_000.0) - 10.0).abs() < 0.5, "{}", at(1_000.0));
        assert!((at(50.0) - 1.0).abs() < 0.01, "{}", at(50.0));
        assert!(at(4_000.0) < 0.15, "{}", at(4_000.0));
    }

    #[test]
    fn a_low_pass_passes_low_and_halves_power_at_its_corner() {
        let at = |hz| {
            let mut filter = LowPass::default();
            filter.tune(500.0);
            gain(|x| filter.next(x), hz)
        };
        assert!((at(5.0) - 1.0).abs() < 0.01);
        assert!((at(500.0) - 0.707).abs() < 0.03, "{}", at(500.0));
    }
}
