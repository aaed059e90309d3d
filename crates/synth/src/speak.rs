//! From a turn to its samples.

use ambivox_settings::SynthSettings;

use crate::chance::{Chance, Purpose};
use crate::delivery::{Delivery, from_db};
use crate::plan::{Speaker, Turn};
use crate::render::{Sound, render};
use crate::score::{FRAME, compose};
use crate::voice::Voice;

/// Level of the room's noise, in dB of full scale (peak), and its spread over turns: far below the
/// speech, but never digital silence.
const FLOOR_DB: (f64, f64) = (-58.0, 3.0);

/// The voices of all speakers, by their running number.
pub(crate) fn voices(settings: &SynthSettings) -> Vec<Voice> {
    Speaker::all().map(|speaker| Voice::new(settings.seed, speaker)).collect()
}

/// Speaks a turn.
pub(crate) fn speak(settings: &SynthSettings, voices: &[Voice], turn: &Turn) -> Sound {
    let mut chance = Chance::new(settings.seed, Purpose::Sound, turn.index);
    let voice = &voices[turn.speaker.index() as usize];
    let delivery = Delivery::new(voice, turn, settings.expressiveness, &mut chance);
    let floor = from_db(FLOOR_DB.0 + FLOOR_DB.1 * chance.normal());
    let segments = compose(voice.sex, &delivery, turn.samples / FRAME, &mut chance);
    render(&segments, turn.samples, floor, &mut chance)
}

/// Samples within (-1, 1) as 16-bit integers.
pub(crate) fn quantise(samples: &[f64]) -> Vec<i16> {
    samples.iter().map(|sample| (sample * f64::from(i16::MAX)).round() as i16).collect()
}

#[cfg(test)]
mod tests;
