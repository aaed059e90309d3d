//! F0 and voicing probability (§9).

use crate::SAMPLE_RATE;
use crate::lags::Lags;
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
    voicing_cutoff: f64,
    /// Length of one lag in seconds.
    lag_seconds: f32,
    /// Lags below this are shorter than a period of the highest pitch.
    skip: usize,
}

/// What one frame by itself says about its pitch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct FramePitch {
    /// F0 in Hz; 0 where the frame is unvoiced.
    pub(crate) hz: f32,
    /// Voicing probability, 0 to 1.
    pub(crate) voicing: f32,
}

impl PitchFinder {
    /// For the lags of a transform of `points` points.
    pub(crate) fn new(settings: &PitchSettings, points: usize) -> Self {
        // §9: the transform's duration is held in single precision, which makes a lag slightly
        // longer than a sample; `skip` depends on it.
        let duration = (points as f64 / f64::from(SAMPLE_RATE)) as f32;
        let lag = f64::from(duration) / points as f64;
        Self {
            voicing_cutoff: settings.voicing_cutoff,
            lag_seconds: lag as f32,
            skip: (1.0 / (settings.max_hz * lag)) as usize,
        }
    }

    /// The pitch of the frame whose lags these are.
    pub(crate) fn find(&self, lags: &Lags) -> FramePitch {
        let voicing = self.voicing(lags.autocorrelation());
        let lag = if voicing < self.voicing_cutoff { 0 } else { self.lag(lags.cepstrum()) };
        let hz = if lag == 0 { 0.0 } else { 1.0 / (lag as f32 * self.lag_seconds) };
        FramePitch { hz, voicing: voicing as f32 }
    }

    /// §9: highest rising or last value of the autocorrelation relative to its value at lag 0.
    fn voicing(&self, autocorrelation: &[f32]) -> f64 {
        let (Some(&energy), Some(&last)) = (autocorrelation.first(), autocorrelation.last()) else {
            return 0.0;
        };
        if energy <= 0.0 {
            return 0.0;
        }
        let peak = autocorrelation[self.skip - 1..]
            .windows(2)
            .fold(last, |peak, w| if w[1] > w[0] { peak.max(w[1]) } else { peak });
        f64::from(peak) / f64::from(energy)
    }

    /// §9: the first high peak of the cepstrum; 0 where there is none.
    fn lag(&self, cepstrum: &[f32]) -> usize {
        let from = self.skip + 1;
        let top = cepstrum[from..].iter().fold(f32::NEG_INFINITY, |top, &c| top.max(c));
        let sum: f64 = cepstrum.iter().map(|&c| f64::from(c.abs())).sum();
        let threshold = PEAK_SHARE * (f64::from(top) + sum / cepstrum.len() as f64);
        cepstrum[from..]
            .windows(3)
            .position(|w| f64::from(w[1]) > threshold && w[0] < w[1] && w[1] > w[2])
            .map_or(0, |index| from + 1 + index)
    }
}

/// Makes the F0 contour of an utterance out of its frames' pitches (§9).
#[derive(Debug, Default)]
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
        let mut lags = Lags::new(512);
        lags.take(&[0.0; 257]);
        let pitch = PitchFinder::new(&settings, 512).find(&lags);
        assert_eq!(pitch, FramePitch { hz: 0.0, voicing: 0.0 });
    }
}
