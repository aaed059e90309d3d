//! What of a recording is doubtful though it can be decoded.

use std::fmt;
use std::ops::Range;

use crate::Cut;

/// Largest sample that is taken for sound of full scale 1. Float files may go beyond full scale, by a
/// mix, a filter or a lossy coder, but twice as far is hardly ever meant; samples on the scale of
/// 16-bit integers are hundreds or thousands.
const HIGHEST_PEAK: f32 = 2.0;

/// Share of its channels' energy that their mean has at least: −20 dB. Equal channels keep all of it,
/// n that have nothing in common 1/n, so that only channels which cancel lose as much.
const LEAST_SHARE: f64 = 0.01;

/// Something doubtful about a recording that could be read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Warning {
    /// Samples far beyond full scale 1, as float files have that were written on the scale of
    /// integers. Level and loudness of such a recording do not compare with those of others.
    Peak(f32),
    /// All samples have this value: digital silence.
    Constant(f32),
    /// The mean of the channels has almost nothing of the sound that is in them, as when one is the
    /// negative of another.
    Cancelling {
        /// Number of channels.
        channels: usize,
        /// Energy of the mean relative to that of the channels, which is less than 1/100; without
        /// what is constant.
        share: f64,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peak(peak) => write!(
                f,
                "its samples reach {peak:.1} where full scale is 1: float samples on the scale of \
                 integers? convert the recording again, with division by full scale"
            ),
            Self::Constant(value) => write!(
                f,
                "all its samples are {value}: digital silence; remove it from the corpus or get it \
                 again from its source"
            ),
            Self::Cancelling { channels, share } => write!(
                f,
                "its {channels} channels cancel each other: their mean has {:.2} % of their energy; \
                 turn the polarity of one, or convert the recording to one of its channels",
                100.0 * share
            ),
        }
    }
}

/// Levels of a recording between the ends of a cut.
#[derive(Debug, Default)]
pub(crate) struct Levels {
    cut: Cut,
    /// Samples per channel that have passed.
    passed: usize,
    channels: Vec<Level>,
    mean: Level,
}

impl Levels {
    pub(crate) fn new(cut: Cut) -> Self {
        Self { cut, ..Self::default() }
    }

    /// Adds interleaved samples of a number of channels, and the mean of these.
    pub(crate) fn add(&mut self, interleaved: &[f32], channels: usize, mean: &[f32], rate: u32) {
        let Range { start, end } = self.cut.nearest(rate);
        let place = |sample: usize| sample.saturating_sub(self.passed).min(mean.len());
        let wanted = place(start)..place(end).max(place(start));
        self.passed += mean.len();
        self.channels.resize(channels, Level::default());
        let frames = &interleaved[wanted.start * channels..wanted.end * channels];
        for (channel, level) in self.channels.iter_mut().enumerate() {
            frames.iter().skip(channel).step_by(channels).for_each(|&sample| level.add(sample));
        }
        mean[wanted].iter().for_each(|&sample| self.mean.add(sample));
    }

    /// What is doubtful of what was added.
    pub(crate) fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let peak = self.channels.iter().map(Level::peak).fold(0.0, f32::max);
        if peak > HIGHEST_PEAK {
            warnings.push(Warning::Peak(peak));
        }
        if self.channels.iter().all(Level::is_constant) {
            warnings.push(Warning::Constant(self.mean.low));
        } else if let Some(share) = self.share().filter(|share| *share < LEAST_SHARE) {
            warnings.push(Warning::Cancelling { channels: self.channels.len(), share });
        }
        warnings
    }

    /// Energy of the mean relative to that of the average channel, if every channel has some.
    fn share(&self) -> Option<f64> {
        let all = !self.channels.iter().any(Level::is_constant);
        let energy = self.channels.iter().map(Level::energy).sum::<f64>();
        (all && energy > 0.0).then(|| self.mean.energy() * self.channels.len() as f64 / energy)
    }
}

/// The level of a channel.
#[derive(Debug, Clone, Copy, Default)]
struct Level {
    samples: u64,
    low: f32,
    high: f32,
    sum: f64,
    squares: f64,
}

impl Level {
    fn add(&mut self, sample: f32) {
        if self.samples == 0 {
            (self.low, self.high) = (sample, sample);
        }
        self.samples += 1;
        self.low = self.low.min(sample);
        self.high = self.high.max(sample);
        self.sum += f64::from(sample);
        self.squares += f64::from(sample) * f64::from(sample);
    }

    fn peak(&self) -> f32 {
        self.high.max(-self.low)
    }

    fn is_constant(&self) -> bool {
        self.low >= self.high
    }

    /// Energy of what is not constant.
    fn energy(&self) -> f64 {
        let constant = self.sum * self.sum / self.samples.max(1) as f64;
        (self.squares - constant).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 16_000;

    fn sine(samples: usize) -> Vec<f32> {
        (0..samples).map(|n| 0.5 * (0.1 * n as f32).sin()).collect()
    }

    /// Warnings of a recording of these channels that comes in packets.
    fn warnings(channels: &[Vec<f32>], cut: Cut) -> Vec<Warning> {
        let frames: Vec<Vec<f32>> =
            (0..channels[0].len()).map(|n| channels.iter().map(|c| c[n]).collect()).collect();
        let mut levels = Levels::new(cut);
        for packet in frames.chunks(333) {
            let mean: Vec<f32> =
                packet.iter().map(|frame| frame.iter().sum::<f32>() / frame.len() as f32).collect();
            levels.add(&packet.concat(), channels.len(), &mean, RATE);
        }
        levels.warnings()
    }

    fn scaled(samples: &[f32], factor: f32) -> Vec<f32> {
        samples.iter().map(|sample| sample * factor).collect()
    }

    #[test]
    fn ordinary_recordings_give_no_warning() {
        let (a, b) = (sine(4000), (0..4000).map(|n| (n * n % 17) as f32 / 17.0).collect());
        let silent = vec![0.0; 4000];
        for channels in [
            vec![a.clone()],
            vec![a.clone(), a.clone()],
            vec![a.clone(), b],
            vec![a.clone(), silent],
            vec![a.clone(), scaled(&a, -0.5)],
            vec![scaled(&a, 3.9)],
        ] {
            assert_eq!(warnings(&channels, Cut::default()), []);
        }
    }

    #[test]
    fn integers_written_as_floats_are_doubtful() {
        let found = warnings(&[scaled(&sine(4000), 32_768.0)], Cut::default());
        assert!(
            matches!(found[..], [Warning::Peak(peak)] if (16_000.0..=16_384.0).contains(&peak))
        );
        let negative = [vec![0.0, 0.1, -2.1, 0.0]];
        assert_eq!(warnings(&negative, Cut::default()), [Warning::Peak(2.1)]);
    }

    #[test]
    fn one_value_alone_is_silence() {
        for value in [0.0, 0.25] {
            for channels in 1..=2 {
                let silence = vec![vec![value; 1000]; channels];
                assert_eq!(warnings(&silence, Cut::default()), [Warning::Constant(value)]);
            }
        }
    }

    #[test]
    fn channels_that_cancel_are_doubtful_whatever_their_constant_part() {
        let a = sine(4000);
        let shifted = |factor: f32| scaled(&a, factor).iter().map(|x| x + 0.1).collect();
        for channels in [vec![a.clone(), scaled(&a, -1.0)], vec![shifted(1.0), shifted(-0.95)]] {
            let found = warnings(&channels, Cut::default());
            let [Warning::Cancelling { channels: 2, share }] = found[..] else {
                panic!("{found:?}")
            };
            assert!(share < 0.001, "{share}");
        }
    }

    #[test]
    fn only_the_cut_counts() {
        let half = 8000;
        let sound = [vec![0.0; half], sine(half)].concat();
        let cut = |start_s, end_s| Cut { start_s, end_s };
        let of = |cut| warnings(std::slice::from_ref(&sound), cut);
        assert_eq!(of(Cut::default()), []);
        assert_eq!(of(cut(None, Some(0.5))), [Warning::Constant(0.0)]);
        assert_eq!(of(cut(Some(0.1), Some(0.2))), [Warning::Constant(0.0)]);
        assert_eq!(of(cut(Some(0.4), Some(0.6))), []);
        assert_eq!(of(cut(Some(0.5), None)), []);
    }

    #[test]
    fn the_message_says_what_to_do() {
        let texts = [
            Warning::Peak(19_661.0),
            Warning::Constant(0.0),
            Warning::Cancelling { channels: 2, share: 0.000_1 },
        ]
        .map(|warning| warning.to_string());
        assert!(texts[0].starts_with("its samples reach 19661.0"), "{}", texts[0]);
        assert!(texts[1].starts_with("all its samples are 0: digital silence"), "{}", texts[1]);
        assert!(texts[2].contains("their mean has 0.01 % of their energy"), "{}", texts[2]);
    }
}
