//! How one turn is spoken: a speaker's habit, the emotion, and the mood of the moment, resolved
//! into physical settings that vary over the turn.

use crate::chance::Chance;
use crate::cues::{Cue, Cues};
use crate::plan::Turn;
use crate::voice::{Voice, normal_cues};

/// Spread of a turn's cues about what its emotion asks for, in units of the cues.
const MOOD_SIGMA: f64 = 0.13;

/// An emotion is not shown all the time: this much of it remains away from the expressive stretch.
const RESTING: f64 = 0.75;

/// Part of the rival emotion in a turn of intensity 0.
const RIVAL: f64 = 0.3;

/// Half the expressive stretch, as a share of the turn.
const STRETCH: f64 = 0.35;

/// One unit of each cue, from here on: semitones of F0 level.
const LEVEL_SEMITONES: f64 = 6.0;
/// Octaves of F0 range.
const RANGE_OCTAVES: f64 = 1.3;
/// Octaves of speech rate.
const RATE_OCTAVES: f64 = 0.6;
/// Decibels of level.
const ENERGY_DB: f64 = 3.7;
/// Octaves of the corner above which the source falls by a further 6 dB per octave.
const BRIGHTNESS_OCTAVES: f64 = 2.5;
/// Decibels of aspiration.
const BREATH_DB: f64 = 9.0;
/// Change of the open quotient with breathiness.
const BREATH_OPEN: f64 = 0.08;
/// Octaves of jitter and shimmer.
const ROUGHNESS_OCTAVES: f64 = 2.0;
/// Part by which the vowel space grows.
const ARTICULATION_PART: f64 = 0.4;
/// Part by which the formants rise.
const SMILE_PART: f64 = 0.14;

/// Neutral speech: the corner of the source's extra tilt, in Hz.
const CORNER_HZ: f64 = 2200.0;
/// The corner stays within these, from a murmur to no extra tilt at all.
const CORNER_LIMITS: (f64, f64) = (500.0, 7500.0);
/// Excursion of an accent, in semitones.
const ACCENT_SEMITONES: f64 = 3.0;
/// Aspiration relative to voicing.
const BREATH: f64 = 0.02;
/// Share of a period during which the glottis is open, in modal voice (Klatt & Klatt 1990).
const OPEN_QUOTIENT: f64 = 0.6;
/// Standard deviation of successive periods, in parts: within the normal 0.5 to 1 %.
const JITTER: f64 = 0.007;
/// Standard deviation of successive pulse heights, in parts.
const SHIMMER: f64 = 0.04;

/// Size of the vowel space, relative to words spoken alone.
const ARTICULATION: f64 = 0.6;

/// Slowest speech, in syllables per second, so that the shortest turn holds a syllable.
const SLOWEST: f64 = 3.0;

/// How the glottis works.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Phonation {
    /// Corner above which the source falls by a further 6 dB per octave, in Hz.
    pub(crate) corner_hz: f64,
    /// Share of a period during which the glottis is open.
    pub(crate) open_quotient: f64,
    /// Standard deviation of periods, in parts.
    pub(crate) jitter: f64,
    /// Standard deviation of pulse heights, in parts.
    pub(crate) shimmer: f64,
}

/// Physical settings of the voice at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Setting {
    /// F0 without declination and accents, in Hz.
    pub(crate) f0_hz: f64,
    /// Height of a full accent, in semitones.
    pub(crate) accent_semitones: f64,
    /// Syllables per second.
    pub(crate) rate: f64,
    /// Factor on the level.
    pub(crate) gain: f64,
    /// Aspiration relative to voicing.
    pub(crate) breath: f64,
    /// How the glottis works.
    pub(crate) phonation: Phonation,
    /// Factor on the distance of a vowel from the neutral tube.
    pub(crate) articulation: f64,
    /// Factor on all formants.
    pub(crate) tract: f64,
}

/// The delivery of one turn.
#[derive(Debug, Clone)]
pub(crate) struct Delivery<'a> {
    voice: &'a Voice,
    base: Cues,
    emotion: Cues,
    peak: f64,
}

impl<'a> Delivery<'a> {
    /// The way `voice` speaks `turn`; `expressiveness` scales all that emotion does.
    pub(crate) fn new(
        voice: &'a Voice,
        turn: &Turn,
        expressiveness: f64,
        chance: &mut Chance,
    ) -> Self {
        let mood = normal_cues(MOOD_SIGMA, chance);
        let truth = voice.shows(turn.truth, turn.intensity);
        let rival = voice.shows(turn.rival, turn.intensity);
        let blend = RIVAL * (1.0 - turn.intensity);
        Self {
            voice,
            base: voice.habit().zip(mood, |habit, mood| habit + mood),
            emotion: truth
                .zip(rival, |truth, rival| truth + blend * (rival - truth))
                .scaled(expressiveness),
            peak: chance.unit(),
        }
    }

    /// The settings at a place in the turn from 0 to 1.
    pub(crate) fn at(&self, place: f64) -> Setting {
        let strength = self.strength(place);
        let cues = self.base.zip(self.emotion, |base, emotion| base + strength * emotion);
        resolve(self.voice, cues)
    }

    /// How much of the emotion shows: all at the peak, [`RESTING`] outside the stretch about it.
    fn strength(&self, place: f64) -> f64 {
        let distance = ((place - self.peak).abs() / STRETCH).min(1.0);
        let bump = 0.5 * (1.0 + libm::cos(std::f64::consts::PI * distance));
        RESTING + (1.0 - RESTING) * bump
    }
}

fn resolve(voice: &Voice, cues: Cues) -> Setting {
    let octaves = |cue, size: f64| libm::exp2(cues[cue] * size);
    Setting {
        f0_hz: voice.f0_hz * octaves(Cue::Level, LEVEL_SEMITONES / 12.0),
        accent_semitones: ACCENT_SEMITONES * octaves(Cue::Range, RANGE_OCTAVES),
        rate: (voice.rate * octaves(Cue::Rate, RATE_OCTAVES)).max(SLOWEST),
        gain: from_db(voice.gain_db + ENERGY_DB * cues[Cue::Energy]),
        breath: BREATH * from_db(BREATH_DB * cues[Cue::Breath]),
        phonation: phonation(cues),
        articulation: ARTICULATION
            * (1.0 + ARTICULATION_PART * cues[Cue::Articulation]).clamp(0.4, 1.6),
        tract: voice.tract * (1.0 + SMILE_PART * cues[Cue::Smile]),
    }
}

fn phonation(cues: Cues) -> Phonation {
    let roughness = libm::exp2(cues[Cue::Roughness] * ROUGHNESS_OCTAVES);
    Phonation {
        corner_hz: (CORNER_HZ * libm::exp2(cues[Cue::Brightness] * BRIGHTNESS_OCTAVES))
            .clamp(CORNER_LIMITS.0, CORNER_LIMITS.1),
        open_quotient: (OPEN_QUOTIENT + BREATH_OPEN * cues[Cue::Breath]).clamp(0.35, 0.9),
        jitter: JITTER * roughness,
        shimmer: SHIMMER * roughness,
    }
}

/// Decibels as a factor on amplitudes.
pub(crate) fn from_db(decibels: f64) -> f64 {
    libm::exp10(decibels / 20.0)
}
