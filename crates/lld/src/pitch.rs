//! F0 and voicing probability (§9).

use pulp::Simd;

use crate::SAMPLE_RATE;
use crate::lags::Lags;
use crate::lanes::{BLOCK, Lanes, Wide};
use crate::set::PitchSettings;

/// §9: a cepstral peak must rise above this share of the cepstrum's maximum and mean together.
const PEAK_SHARE: f64 = 0.6;
/// §9: pitches farther than this share from the running mean are replaced by the mean.
const TOLERANCE: f32 = 0.4;
/// §9: weight of a new pitch in the running mean.
const FOLLOW: f32 = 0.3;
/// §9: the same for a pitch that was replaced.
const FOLLOW_OUTLIER: f32 = FOLLOW / 3.0;

/// Finds the pitch of single frames.
#[derive(Clone)]
pub(crate) struct PitchFinder {
    lags: Lags,
    voicing_cutoff: f64,
    /// Length of one lag in seconds.
    lag_seconds: f32,
    /// Lags below this are shorter than a period of the highest pitch.
    skip: usize,
}

/// What one frame by itself says about its pitch.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct FramePitch {
    /// F0 in Hz; 0 where the frame is unvoiced.
    pub(crate) hz: f32,
    /// Voicing probability, 0 to 1.
    pub(crate) voicing: f32,
}

impl PitchFinder {
    /// For the power spectra of a transform of `points` points.
    pub(crate) fn new(settings: &PitchSettings, points: usize) -> Self {
        // §9: the transform's duration is held in single precision, which makes a lag slightly
        // longer than a sample; `skip` depends on it.
        let duration = (points as f64 / f64::from(SAMPLE_RATE)) as f32;
        let lag = f64::from(duration) / points as f64;
        Self {
            lags: Lags::new(points),
            voicing_cutoff: settings.voicing_cutoff,
            lag_seconds: lag as f32,
            skip: (1.0 / (settings.max_hz * lag)) as usize,
        }
    }

    /// The pitches of the frames with this power spectrum.
    #[inline(always)]
    pub(crate) fn find<S: Simd>(&mut self, simd: S, power: &[S::f32s], pitches: &mut [FramePitch]) {
        let voicing = voicing(simd, self.lags.autocorrelation(simd, power), self.skip);
        // Most pauses end here: no frame of the block is voiced.
        let voiced = voicing[..S::F32_LANES].iter().any(|&v| v >= self.voicing_cutoff);
        let lags = if voiced {
            first_peak(simd, self.lags.cepstrum(simd, power), self.skip + 1)
        } else {
            [0.0; BLOCK]
        };
        for ((pitch, voicing), lag) in pitches.iter_mut().zip(voicing).zip(lags) {
            let found = lag > 0.0 && voicing >= self.voicing_cutoff;
            let hz = if found { 1.0 / (lag * self.lag_seconds) } else { 0.0 };
            *pitch = FramePitch { hz, voicing: voicing as f32 };
        }
    }
}

/// §9: highest rising or last value of the autocorrelation relative to its value at lag 0.
#[inline(always)]
fn voicing<S: Simd>(simd: S, autocorrelation: &[S::f32s], skip: usize) -> [f64; BLOCK] {
    let lanes = |lag: usize| Lanes::of(simd, autocorrelation[lag]);
    let none = Lanes::splat(simd, 0.0);
    let mut peak = lanes(autocorrelation.len() - 1);
    let mut before = lanes(skip - 1);
    for &register in &autocorrelation[skip..] {
        let now = Lanes::of(simd, register);
        peak = peak.max(now.where_set(before.below(now), none));
        before = now;
    }
    let (mut ratios, energies) = (peak.widen().values(), lanes(0).widen().values());
    for (ratio, energy) in ratios.iter_mut().zip(energies) {
        *ratio = if energy > 0.0 { *ratio / energy } else { 0.0 };
    }
    ratios
}

/// §9: the lag of the first high peak of the cepstrum above lag `from`; 0 where there is none.
#[inline(always)]
fn first_peak<S: Simd>(simd: S, cepstrum: &[S::f32s], from: usize) -> [f32; BLOCK] {
    let threshold = threshold(simd, cepstrum, from);
    let mut first = Lanes::splat(simd, 0.0);
    for lag in (from + 1..cepstrum.len() - 1).rev() {
        let [before, now, after] = [lag - 1, lag, lag + 1].map(|n| Lanes::of(simd, cepstrum[n]));
        let top = simd.and_m32s(before.below(now), after.below(now));
        let high = simd.and_m32s(top, threshold.below(now));
        first = Lanes::splat(simd, lag as f32).where_set(high, first);
    }
    let mut lags = [0.0; BLOCK];
    first.write(&mut lags[..S::F32_LANES]);
    lags
}

/// §9: what a peak must exceed. The comparison is between a single-precision value and a double, so
/// the double is rounded downwards, which leaves the outcome as it is.
#[inline(always)]
fn threshold<S: Simd>(simd: S, cepstrum: &[S::f32s], from: usize) -> Lanes<S> {
    let mut top = Lanes::of(simd, cepstrum[from]);
    for &c in &cepstrum[from + 1..] {
        top = top.max(Lanes::of(simd, c));
    }
    let mut sum = Wide::zero(simd);
    for &c in cepstrum {
        sum = sum + Lanes::of(simd, c).abs().widen();
    }
    let mean = sum * (1.0 / cepstrum.len() as f64);
    ((top.widen() + mean) * PEAK_SHARE).map(round_down)
}

/// The largest single-precision value that does not exceed `x`.
fn round_down(x: f64) -> f64 {
    let nearest = x as f32;
    f64::from(if f64::from(nearest) > x { nearest.next_down() } else { nearest })
}

/// Makes the F0 contour of an utterance out of its frames' pitches (§9).
#[derive(Debug, Clone, Default)]
pub(crate) struct PitchContour {
    /// Running mean of the pitch; 0 before the first voiced frame.
    mean: f32,
    /// Pitches of the last frame and of the one before it, outliers replaced; 0 where unvoiced.
    last: [f32; 2],
}

impl PitchContour {
    /// Takes the next frame's pitch in Hz and gives F0 for its row, which is about the frame
    /// before: the mean of two voiced frames in a row, nothing for a voiced frame standing alone.
    pub(crate) fn next(&mut self, hz: f32) -> f32 {
        let [before, earlier] = self.last;
        self.last = [self.replace_outlier(hz), before];
        if before > 0.0 && earlier > 0.0 {
            0.5 * (earlier + before)
        } else if before > 0.0 && hz > 0.0 {
            before
        } else {
            0.0
        }
    }

    fn replace_outlier(&mut self, hz: f32) -> f32 {
        if hz == 0.0 {
            return 0.0;
        }
        if self.mean == 0.0 {
            self.mean = hz;
        }
        let mean = self.mean;
        let near = (1.0 - TOLERANCE) * mean < hz && hz < (1.0 + TOLERANCE) * mean;
        let follow = if near { FOLLOW } else { FOLLOW_OUTLIER };
        self.mean = (1.0 - follow) * mean + follow * hz;
        if near { hz } else { mean }
    }
}

#[cfg(test)]
mod tests {
    use pulp::Scalar;

    use super::*;
    use crate::set::FeatureSet;

    fn contour(pitches: &[f32]) -> Vec<f32> {
        let mut contour = PitchContour::default();
        pitches.iter().map(|&p| contour.next(p)).collect()
    }

    #[test]
    fn single_precision_makes_the_highest_pitch_lag_31() {
        let settings = FeatureSet::builtin("ser32").unwrap().pitch;
        assert_eq!(PitchFinder::new(&settings, 512).skip, 31);
        assert_eq!(PitchFinder::new(&PitchSettings { max_hz: 400.0, ..settings }, 512).skip, 39);
    }

    #[test]
    fn f0_comes_a_frame_late_as_the_mean_of_two() {
        assert_eq!(contour(&[100.0, 110.0, 120.0, 0.0, 0.0]), [0.0, 100.0, 105.0, 115.0, 0.0]);
    }

    #[test]
    fn a_voiced_frame_standing_alone_is_dropped() {
        assert_eq!(contour(&[0.0, 100.0, 0.0, 0.0]), [0.0; 4]);
    }

    #[test]
    fn an_octave_jump_is_replaced_by_the_running_mean() {
        let f0 = contour(&[100.0, 100.0, 200.0, 100.0, 100.0]);
        assert_eq!(f0[..4], [0.0, 100.0, 100.0, 100.0]);
    }

    #[test]
    fn without_energy_there_is_no_voicing() {
        let settings = FeatureSet::builtin("ser32").unwrap().pitch;
        let mut pitch = [FramePitch { hz: 1.0, voicing: 1.0 }];
        PitchFinder::new(&settings, 512).find(Scalar, &[0.0; 257], &mut pitch);
        assert_eq!(pitch, [FramePitch::default()]);
    }

    #[test]
    fn rounding_downwards_keeps_comparisons_as_they_are() {
        for x in [0.1f64, 1.0, -0.1, 1.0 + 1e-12, 1.0 - 1e-12] {
            let down = round_down(x);
            assert!(down <= x && f64::from((down as f32).next_up()) > x, "{x} {down}");
        }
    }
}
