//! How an emotion moves the voice: nine cues, in abstract units, for every emotion.

use std::ops::Index;

use crate::emotion::Emotion;

/// One way in which a voice can change. [`crate::delivery`] says how much one unit of it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cue {
    /// Mean of F0.
    Level,
    /// Size of F0's movements.
    Range,
    /// Speed of speech.
    Rate,
    /// Loudness.
    Energy,
    /// Strength of the upper harmonics: how fast the glottis closes.
    Brightness,
    /// Aspiration noise, and how long the glottis stays open.
    Breath,
    /// Jitter and shimmer.
    Roughness,
    /// Size of the vowel space: how clearly the vowels are formed.
    Articulation,
    /// Shortening of the vocal tract by spread lips, which raises every formant.
    Smile,
}

/// Number of cues.
pub(crate) const CUES: usize = 9;

/// A value for every cue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cues(pub(crate) [f64; CUES]);

impl Cues {
    /// Combines two sets cue by cue.
    pub(crate) fn zip(self, other: Self, combine: impl Fn(f64, f64) -> f64) -> Self {
        Self(std::array::from_fn(|i| combine(self.0[i], other.0[i])))
    }

    /// Every cue times a factor.
    pub(crate) fn scaled(self, factor: f64) -> Self {
        Self(self.0.map(|value| value * factor))
    }
}

impl Index<Cue> for Cues {
    type Output = f64;

    fn index(&self, cue: Cue) -> &f64 {
        &self.0[cue as usize]
    }
}

/// What of an emotion is left at intensity 0.
const WEAKEST: f64 = 0.6;

/// Quiet contentment: what happiness is at intensity 0. It lies between neutral and sadness, while
/// joy at full intensity lies beside anger, so happiness is the hardest of the four to tell.
const CONTENT: [f64; CUES] = [0.5, 0.4, -0.1, -0.3, -0.2, 0.5, 0.0, 0.0, 1.0];

/// The cues of an emotion at an intensity from 0 to 1, as a common speaker shows them.
pub(crate) fn of(emotion: Emotion, intensity: f64) -> Cues {
    let full = Cues(full(emotion));
    let weak = match emotion {
        Emotion::Happiness => Cues(CONTENT),
        _ => full.scaled(WEAKEST),
    };
    weak.zip(full, |weak, full| weak + (full - weak) * intensity)
}

/// Cues at full intensity. Their signs follow the reviews of Juslin & Laukka (2003, table 11) and
/// Scherer (2003): anger and joy high, wide, fast, loud and bright, sadness the reverse of it and
/// breathy; smiles raise formants (Tartter 1980). Their sizes are chosen.
fn full(emotion: Emotion) -> [f64; CUES] {
    match emotion {
        //                     level range rate energy bright breath rough artic smile
        Emotion::Neutral => [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        Emotion::Happiness => [1.2, 1.1, 0.5, 0.5, 0.3, 0.4, -0.2, 0.4, 1.4],
        Emotion::Sadness => [-0.6, -1.1, -1.0, -1.0, -1.1, 1.0, 0.3, -1.0, -0.3],
        Emotion::Anger => [0.6, 0.8, 0.5, 1.2, 1.3, -0.7, 0.9, 0.9, -0.5],
        Emotion::Excited => [1.3, 1.2, 0.9, 1.1, 0.9, 0.0, 0.1, 0.6, 0.9],
        Emotion::Frustration => [0.2, 0.3, -0.1, 0.6, 0.7, -0.2, 0.6, 0.4, -0.4],
        Emotion::Fear => [1.2, -0.2, 0.9, 0.0, 0.2, 0.7, 0.7, -0.2, -0.2],
        Emotion::Surprise => [1.2, 1.4, 0.1, 0.5, 0.4, 0.2, 0.0, 0.3, 0.2],
        Emotion::Disgust => [-0.4, 0.0, -0.5, 0.1, 0.2, -0.1, 0.9, 0.3, -0.5],
        Emotion::Other => [0.1, 0.3, 0.2, 0.1, 0.0, 0.2, 0.2, 0.0, 0.1],
    }
}
