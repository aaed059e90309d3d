//! What is uttered when: syllables, phrases, pauses and breaths as a row of segments, each with the
//! target that the articulators move to while it lasts.

use crate::chance::Chance;
use crate::delivery::{Delivery, Phonation, Setting};
use crate::phones::{self, FORMANTS, Place, VOWELS, Vowel};
use crate::plan::{SAMPLE_RATE, Sex};

/// Samples of a control frame: 5 ms.
pub(crate) const FRAME: usize = 80;

/// Control frames per second.
const FRAMES_PER_SECOND: f64 = SAMPLE_RATE as f64 / FRAME as f64;

/// What the synthesiser is set to, as a target or at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Control {
    /// Whether the glottis vibrates.
    pub(crate) voiced: bool,
    /// Amplitude of voicing.
    pub(crate) voice: f64,
    /// Amplitude of aspiration, which passes through the tract.
    pub(crate) breath: f64,
    /// Amplitude of friction in the mouth.
    pub(crate) hiss: f64,
    /// Centre of the friction's band, in Hz.
    pub(crate) hiss_hz: f64,
    /// F0 in Hz.
    pub(crate) f0_hz: f64,
    /// Formants in Hz.
    pub(crate) formants: [f64; FORMANTS],
    /// How the glottis works.
    pub(crate) phonation: Phonation,
}

/// A target and for how many control frames it holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Segment {
    pub(crate) frames: usize,
    pub(crate) target: Control,
}

/// The onset of a syllable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Onset {
    None,
    /// /p t k/: a gap, then a burst.
    Tense,
    /// /b d g/: a short, softly voiced gap.
    Lax,
    /// /f s ʃ/.
    Fricative,
    /// /m n ŋ/.
    Nasal,
}

/// Onsets of syllables, the frequent ones twice.
const ONSETS: [Onset; 7] = [
    Onset::None,
    Onset::Tense,
    Onset::Tense,
    Onset::Lax,
    Onset::Fricative,
    Onset::Nasal,
    Onset::Nasal,
];

/// Syllables of a phrase, from and to.
const PHRASE: (f64, f64) = (3.0, 8.0);

/// Pause between phrases, in seconds.
const PAUSE: (f64, f64) = (0.12, 0.35);

/// Silence before the first syllable, in seconds, and at least after the last.
const LEAD: (f64, f64) = (0.05, 0.13);
const TAIL: f64 = 0.06;

/// Chance that a pause is heard as an intake of breath, and its level.
const INTAKE: f64 = 0.4;
const INTAKE_LEVEL: f64 = 0.02;

/// Level of friction in a fricative and in a burst, relative to the vowel.
const FRICATIVE_LEVEL: f64 = 0.25;
const BURST_LEVEL: f64 = 0.35;

/// The tract's shape before the first sound: the vowel of "hud".
const RESTING_VOWEL: Vowel = 8;

/// Share of syllables with an accent.
const ACCENTED: f64 = 0.45;

/// Fall of F0 from a phrase's first to its last syllable, in accents.
const DECLINATION: f64 = 1.0;

/// Share of phrases that end in a rise.
const RISING: f64 = 0.25;

/// F0 never leaves this band, in Hz; it lies within what pitch trackers search.
pub(crate) const F0_LIMITS: (f64, f64) = (65.0, 480.0);

/// Position of a syllable within its phrase.
#[derive(Debug, Clone, Copy)]
struct Position {
    syllable: usize,
    of: usize,
}

impl Position {
    fn is_last(self) -> bool {
        self.syllable + 1 == self.of
    }

    /// 0 at the start of the phrase, 1 at its end.
    fn share(self) -> f64 {
        self.syllable as f64 / self.of as f64
    }
}

/// Composes a turn of `frames` control frames.
pub(crate) fn compose(
    sex: Sex,
    delivery: &Delivery<'_>,
    frames: usize,
    chance: &mut Chance,
) -> Vec<Segment> {
    let mut score =
        Score { sex, delivery, frames, chance, segments: vec![], vowels: vec![], used: 0 };
    score.pause(LEAD);
    while score.phrase() {
        score.pause(PAUSE);
    }
    score.rest();
    score.segments
}

struct Score<'a> {
    sex: Sex,
    delivery: &'a Delivery<'a>,
    frames: usize,
    chance: &'a mut Chance,
    segments: Vec<Segment>,
    vowels: Vec<Vowel>,
    used: usize,
}

impl Score<'_> {
    /// Appends a phrase; false if the turn has no room for all of it.
    fn phrase(&mut self) -> bool {
        let of = self.chance.between(PHRASE.0, PHRASE.1) as usize;
        (0..of).all(|syllable| self.syllable(Position { syllable, of }))
    }

    /// Appends a syllable; false if the turn has no room for it.
    fn syllable(&mut self, position: Position) -> bool {
        let setting = self.setting();
        let stretch = if position.is_last() { 1.3 } else { 1.0 };
        let seconds = stretch * self.chance.between(0.75, 1.25) / setting.rate;
        let length = to_frames(seconds);
        if self.used + length + to_frames(TAIL) > self.frames {
            return false;
        }
        let vowel = self.nucleus(&setting, position);
        let onset = self.onset(&setting, vowel, length);
        self.push(length - onset, vowel);
        true
    }

    fn setting(&self) -> Setting {
        self.delivery.at(self.used as f64 / self.frames as f64)
    }

    fn accent(&mut self) -> f64 {
        if self.chance.happens(ACCENTED) {
            self.chance.between(0.6, 1.4)
        } else {
            self.chance.between(-0.2, 0.2)
        }
    }

    /// The target of a syllable's vowel.
    fn nucleus(&mut self, setting: &Setting, position: Position) -> Control {
        let accent = self.accent();
        let voice = setting.gain * (1.0 + 0.25 * accent) * self.chance.between(0.85, 1.15);
        let f0_hz = self.pitch(setting, position, accent);
        let vowel = self.vowel();
        Control {
            voiced: true,
            voice,
            breath: voice * setting.breath,
            f0_hz,
            ..self.still(setting, vowel)
        }
    }

    /// The next vowel: each comes once before any comes again, so that turns of a few syllables
    /// differ less by their vowels than by how they are spoken.
    fn vowel(&mut self) -> Vowel {
        if self.vowels.is_empty() {
            self.vowels = VOWELS.to_vec();
            self.chance.shuffle(&mut self.vowels);
        }
        self.vowels.pop().unwrap_or(RESTING_VOWEL)
    }

    /// The tract in a vowel's shape, without sound.
    fn still(&self, setting: &Setting, vowel: Vowel) -> Control {
        Control {
            voiced: false,
            voice: 0.0,
            breath: 0.0,
            hiss: 0.0,
            hiss_hz: Place::Teeth.hiss().0,
            f0_hz: setting.f0_hz.clamp(F0_LIMITS.0, F0_LIMITS.1),
            formants: phones::vowel(self.sex, vowel, setting.articulation, setting.tract),
            phonation: setting.phonation,
        }
    }

    fn pitch(&mut self, setting: &Setting, position: Position, accent: f64) -> f64 {
        let fall = DECLINATION * (0.5 - position.share());
        let end = match position.is_last() {
            true if self.chance.happens(RISING) => 0.8,
            true => -0.6,
            false => 0.0,
        };
        let semitones = setting.accent_semitones * (accent + fall + end);
        (setting.f0_hz * libm::exp2(semitones / 12.0)).clamp(F0_LIMITS.0, F0_LIMITS.1)
    }

    /// Appends the onset of a syllable of `length` frames; returns how many frames it takes.
    fn onset(&mut self, setting: &Setting, vowel: Control, length: usize) -> usize {
        let onset = self.chance.pick(&ONSETS);
        let place = self.chance.pick(&Place::ALL);
        let closed =
            Control { formants: phones::consonant(self.sex, place, setting.tract), ..vowel };
        let frames = (length as f64 * self.chance.between(0.25, 0.4)) as usize;
        match onset {
            Onset::None => 0,
            Onset::Tense => self.tense(closed, place, frames),
            Onset::Lax => self.push(frames, Control { voice: 0.1 * vowel.voice, ..closed }),
            Onset::Nasal => self.push(frames, Control { voice: 0.4 * vowel.voice, ..closed }),
            Onset::Fricative => self.push(frames, friction(closed, place, FRICATIVE_LEVEL)),
        }
    }

    /// Appends a silent gap and a burst with aspiration, a third of it all.
    fn tense(&mut self, closed: Control, place: Place, frames: usize) -> usize {
        let burst = Control { breath: 0.2 * closed.voice, ..friction(closed, place, BURST_LEVEL) };
        self.push(frames - frames / 3, silence(closed));
        self.push(frames / 3, burst);
        frames
    }

    /// Appends a pause, which may be heard as an intake of breath.
    fn pause(&mut self, seconds: (f64, f64)) {
        let frames = to_frames(self.chance.between(seconds.0, seconds.1));
        let breath =
            if self.chance.happens(INTAKE) { INTAKE_LEVEL * self.setting().gain } else { 0.0 };
        self.push(frames.min(self.frames - self.used), Control { breath, ..self.quiet() });
    }

    /// Fills the turn with silence.
    fn rest(&mut self) {
        self.push(self.frames - self.used, self.quiet());
    }

    /// Silence with the tract as it was last, or in the shape of the vowel in "hud".
    fn quiet(&self) -> Control {
        match self.segments.last() {
            Some(last) => silence(last.target),
            None => self.still(&self.setting(), RESTING_VOWEL),
        }
    }

    /// Appends a segment; returns its frames.
    fn push(&mut self, frames: usize, target: Control) -> usize {
        self.segments.push(Segment { frames, target });
        self.used += frames;
        frames
    }
}

fn silence(control: Control) -> Control {
    Control { voiced: false, voice: 0.0, breath: 0.0, hiss: 0.0, ..control }
}

/// Unvoiced friction at a place, as loud as `level` times the vowel.
fn friction(closed: Control, place: Place, level: f64) -> Control {
    let (hiss_hz, strength) = place.hiss();
    Control { hiss: level * strength * closed.voice, hiss_hz, ..silence(closed) }
}

fn to_frames(seconds: f64) -> usize {
    (seconds * FRAMES_PER_SECOND).round() as usize
}
