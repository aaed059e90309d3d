//! A speaker's voice: sex, vocal tract, habits, and how they show emotion.

use crate::chance::{Chance, Purpose};
use crate::cues::{CUES, Cues};
use crate::emotion::{EMOTIONS, Emotion};
use crate::plan::{Sex, Speaker};

/// Mean F0 of women and of men in Peterson & Barney (1952, table II), rounded, in Hz.
const F0_HZ: [f64; 2] = [223.0, 132.0];

/// Spread of speakers about these means, in parts; smaller than people's, for actors of one age.
const F0_SIGMA: f64 = 0.08;

/// Spread of vocal tract lengths within a sex, in parts.
const TRACT_SIGMA: f64 = 0.03;

/// Ordinary speech, in syllables per second, and its spread over speakers.
const RATE: (f64, f64) = (4.6, 0.08);

/// Spread of the recorded level over speakers (voice and microphone), in dB.
const GAIN_SIGMA_DB: f64 = 1.2;

/// Spread of a speaker's habitual cues about the common ones, in units of the cues.
const HABIT_SIGMA: f64 = 0.1;

/// Spread of how far a speaker uses each cue to show emotion, as a log-normal's sigma.
const USE_SIGMA: f64 = 0.25;

/// Spread of a speaker's way to show one emotion, in units of the cues.
const MANNER_SIGMA: f64 = 0.12;

/// All that is constant in how one person speaks.
#[derive(Debug, Clone)]
pub(crate) struct Voice {
    /// Whose vowels it has.
    pub(crate) sex: Sex,
    /// F0 in neutral speech, in Hz.
    pub(crate) f0_hz: f64,
    /// Factor on the formants of the speaker's sex.
    pub(crate) tract: f64,
    /// Syllables per second in neutral speech.
    pub(crate) rate: f64,
    /// Level of the recording about the common one, in dB.
    pub(crate) gain_db: f64,
    habit: Cues,
    uses: Cues,
    manners: [Cues; EMOTIONS],
}

impl Voice {
    /// The voice of one speaker.
    pub(crate) fn new(seed: u64, speaker: Speaker) -> Self {
        let mut chance = Chance::new(seed, Purpose::Voice, speaker.index());
        Self {
            sex: speaker.sex,
            f0_hz: F0_HZ[speaker.sex as usize] * chance.log_normal(F0_SIGMA),
            tract: chance.log_normal(TRACT_SIGMA),
            rate: RATE.0 * chance.log_normal(RATE.1),
            gain_db: GAIN_SIGMA_DB * chance.normal(),
            habit: normal_cues(HABIT_SIGMA, &mut chance),
            uses: Cues([0.0; CUES].map(|_| chance.log_normal(USE_SIGMA))),
            manners: Emotion::ALL.map(|_| normal_cues(MANNER_SIGMA, &mut chance)),
        }
    }

    /// The cues this speaker has without any emotion.
    pub(crate) fn habit(&self) -> Cues {
        self.habit
    }

    /// The cues by which this speaker shows an emotion, on top of their habit.
    pub(crate) fn shows(&self, emotion: Emotion, intensity: f64) -> Cues {
        let common = crate::cues::of(emotion, intensity).zip(self.uses, |cue, uses| cue * uses);
        common.zip(self.manners[emotion as usize], |cue, own| cue + own)
    }
}

/// Independent normal draws for every cue.
pub(crate) fn normal_cues(sigma: f64, chance: &mut Chance) -> Cues {
    Cues([0.0; CUES].map(|_| sigma * chance.normal()))
}
