//! Dropout without stored masks: a unit is dropped or kept by a hash of its place.

use crate::real::Real;

/// Dropout of one training step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dropout {
    /// Share of activations dropped, from 0 to below 1; the others are scaled by 1/(1 − rate).
    pub rate: f64,
    /// Seed of this step's masks; every step needs its own.
    pub seed: u64,
    /// Whether all frames of an utterance have one mask. Masks of single frames are averaged away where frames
    /// are pooled.
    pub by_utterance: bool,
}

/// Which activations a mask is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Layer {
    /// After the fully connected layer.
    Linear,
    /// After the forward direction of the LSTM.
    Forward,
    /// After the backward direction.
    Backward,
}

/// The mask of one layer in one step: a pure function of row, or its utterance, and unit, so that any thread
/// can compute any part of it, twice if need be, and get the same bits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mask {
    key: u64,
    threshold: u32,
    scale: f64,
    by_utterance: bool,
}

impl Mask {
    /// The mask of a layer; keeps everything where there is no dropout.
    pub(crate) fn new(dropout: Option<Dropout>, layer: Layer) -> Self {
        let none = Dropout { rate: 0.0, seed: 0, by_utterance: false };
        let Dropout { rate, seed, by_utterance } = dropout.unwrap_or(none);
        let key = mix64(seed ^ mix64(layer as u64 + 1));
        let (threshold, scale) = ((rate * 2f64.powi(32)) as u32, 1.0 / (1.0 - rate));
        Self { key, threshold, scale, by_utterance }
    }

    /// Factor of the activations that are kept.
    pub(crate) fn scale(&self) -> f64 {
        self.scale
    }

    /// What seeds the hash of every row.
    #[cfg(any(test, feature = "cuda"))]
    pub(crate) fn key(&self) -> u64 {
        self.key
    }

    /// The least hash that is kept.
    #[cfg(any(test, feature = "cuda"))]
    pub(crate) fn threshold(&self) -> u32 {
        self.threshold
    }

    /// The part of the hash that a row has, which holds a frame of the utterance of this rank.
    #[inline(always)]
    pub(crate) fn row(&self, row: usize, rank: u32) -> Row {
        let place = if self.by_utterance { u64::from(rank) } else { row as u64 };
        Row { key: mix64(self.key.wrapping_add(place)) as u32, threshold: self.threshold }
    }
}

/// A mask's row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    key: u32,
    threshold: u32,
}

impl Row {
    /// Whether a unit is kept. Integer arithmetic alone: it vectorises everywhere.
    #[inline(always)]
    pub(crate) fn keeps(self, unit: usize) -> bool {
        mix32(self.key ^ (unit as u32).wrapping_mul(0x9E37_79B9)) >= self.threshold
    }

    /// The values of a row that are kept, 0 for the others.
    #[inline(always)]
    pub(crate) fn apply<T: Real>(self, values: &[T], kept: &mut [T]) {
        for (unit, (kept, &x)) in kept.iter_mut().zip(values).enumerate() {
            *kept = if self.keeps(unit) { x } else { T::ZERO };
        }
    }
}

/// Finaliser of `SplitMix64` (Steele, Lea and Flood 2014).
fn mix64(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// Finaliser of `MurmurHash3` (32 bit).
#[inline(always)]
fn mix32(x: u32) -> u32 {
    let x = (x ^ (x >> 16)).wrapping_mul(0x85EB_CA6B);
    let x = (x ^ (x >> 13)).wrapping_mul(0xC2B2_AE35);
    x ^ (x >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(rate: f64, seed: u64, layer: Layer) -> Vec<bool> {
        let mask = Mask::new(Some(Dropout { rate, seed, by_utterance: false }), layer);
        (0..200).flat_map(|row| (0..500).map(move |unit| mask.row(row, 0).keeps(unit))).collect()
    }

    fn share(mask: &[bool]) -> f64 {
        mask.iter().filter(|&&k| k).count() as f64 / mask.len() as f64
    }

    #[test]
    fn the_rate_is_kept() {
        for rate in [0.1, 0.5, 0.8] {
            // Four standard errors of 100,000 draws.
            assert!((share(&kept(rate, 7, Layer::Linear)) - (1.0 - rate)).abs() < 0.0064);
        }
        assert_eq!(share(&kept(0.0, 7, Layer::Linear)), 1.0);
    }

    #[test]
    fn frames_of_an_utterance_have_one_mask_where_asked() {
        let of = |by_utterance| {
            let mask = Mask::new(Some(Dropout { rate: 0.5, seed: 1, by_utterance }), Layer::Linear);
            move |row, rank| -> Vec<bool> {
                (0..64).map(|u| mask.row(row, rank).keeps(u)).collect()
            }
        };
        let (frame, utterance) = (of(false), of(true));
        assert_eq!(utterance(0, 3), utterance(7, 3));
        assert_ne!(utterance(0, 3), utterance(0, 4));
        assert_ne!(frame(0, 3), frame(7, 3));
        assert_eq!(frame(7, 3), frame(7, 4));
    }

    #[test]
    fn masks_of_seeds_layers_and_rows_are_independent() {
        let a = kept(0.5, 1, Layer::Linear);
        let agree = |b: &[bool]| share(&a.iter().zip(b).map(|(x, y)| x == y).collect::<Vec<_>>());
        assert_eq!(agree(&kept(0.5, 1, Layer::Linear)), 1.0);
        assert!((agree(&kept(0.5, 2, Layer::Linear)) - 0.5).abs() < 0.0064);
        assert!((agree(&kept(0.5, 1, Layer::Forward)) - 0.5).abs() < 0.0064);
        let next_row: Vec<bool> = a.iter().cycle().skip(500).take(a.len()).copied().collect();
        assert!((agree(&next_row) - 0.5).abs() < 0.0064);
        let next_unit: Vec<bool> = a.iter().cycle().skip(1).take(a.len()).copied().collect();
        assert!((agree(&next_unit) - 0.5).abs() < 0.0064);
    }
}
