//! From segments to samples: targets are approached smoothly, the source is filtered by the tract.

use crate::chance::Chance;
use crate::filters::{LowPass, Resonator};
use crate::glottis::Glottis;
use crate::phones::{BANDWIDTHS, FORMANTS};
use crate::score::{Control, FRAME, Segment};

/// Share of the way to its target that a control goes in one frame of 5 ms, by kind: amplitudes get
/// there in about 10 ms, formants in 25 ms, F0 in 50 ms (time constants; articulators are that
/// sluggish, and gliding formants are what makes syllables sound joined).
const AMPLITUDE_STEP: f64 = 0.4;
const FORMANT_STEP: f64 = 0.18;
const F0_STEP: f64 = 0.1;

/// Bandwidth of friction, in Hz.
const HISS_BANDWIDTH: f64 = 1500.0;

/// Factor on voicing that puts neutral speech at about -25 dB of full scale.
const LEVEL: f64 = 0.1;

/// Amplitude of aspiration while the glottis is shut, relative to open.
const SHUT: f64 = 0.4;

/// Amplitude above which the recording is pressed towards full scale rather than clipped.
const KNEE: f64 = 0.7;

/// The samples of a turn and what is known of its voice.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sound {
    /// Samples within (-1, 1).
    pub(crate) samples: Vec<f64>,
    /// Mean F0 over the voiced frames, in Hz.
    pub(crate) f0_hz: f64,
}

/// Synthesises a row of segments into `samples` samples over a floor of white noise.
pub(crate) fn render(
    segments: &[Segment],
    samples: usize,
    floor: f64,
    chance: &mut Chance,
) -> Sound {
    let controls = glide(segments);
    let mut synthesiser = Synthesiser::new();
    let mut sound = Vec::with_capacity(controls.len() * FRAME);
    for control in &controls {
        synthesiser.frame(control, chance, &mut sound);
    }
    sound.resize(samples, 0.0);
    for sample in &mut sound {
        *sample = press(LEVEL * *sample + floor * chance.noise());
    }
    Sound { samples: sound, f0_hz: mean_f0(&controls) }
}

fn mean_f0(controls: &[Control]) -> f64 {
    let voiced: Vec<f64> = controls.iter().filter(|c| c.voiced).map(|c| c.f0_hz).collect();
    voiced.iter().sum::<f64>() / voiced.len().max(1) as f64
}

/// One control per frame, each approaching the target of its segment.
fn glide(segments: &[Segment]) -> Vec<Control> {
    let mut controls: Vec<Control> = Vec::new();
    for segment in segments {
        for _ in 0..segment.frames {
            let last = controls.last().unwrap_or(&segment.target);
            controls.push(approach(last, &segment.target));
        }
    }
    controls
}

fn approach(from: &Control, to: &Control) -> Control {
    let step = |from: f64, to: f64, share: f64| from + share * (to - from);
    Control {
        voiced: to.voiced,
        voice: step(from.voice, to.voice, AMPLITUDE_STEP),
        breath: step(from.breath, to.breath, AMPLITUDE_STEP),
        hiss: step(from.hiss, to.hiss, AMPLITUDE_STEP),
        hiss_hz: to.hiss_hz,
        f0_hz: step(from.f0_hz, to.f0_hz, F0_STEP),
        formants: std::array::from_fn(|i| step(from.formants[i], to.formants[i], FORMANT_STEP)),
        phonation: to.phonation,
    }
}

/// The state of source and filters.
struct Synthesiser {
    glottis: Glottis,
    tilt: [LowPass; 2],
    tract: [Resonator; FORMANTS],
    hiss: Resonator,
}

impl Synthesiser {
    fn new() -> Self {
        Self {
            glottis: Glottis::new(),
            tilt: Default::default(),
            tract: Default::default(),
            hiss: Resonator::default(),
        }
    }

    /// Appends the samples of one control frame.
    fn frame(&mut self, control: &Control, chance: &mut Chance, sound: &mut Vec<f64>) {
        self.tune(control);
        sound.extend((0..FRAME).map(|_| self.sample(control, chance)));
    }

    fn tune(&mut self, control: &Control) {
        self.tilt.iter_mut().for_each(|pole| pole.tune(control.phonation.corner_hz));
        self.hiss.tune(control.hiss_hz, HISS_BANDWIDTH);
        for (i, resonator) in self.tract.iter_mut().enumerate() {
            resonator.tune(control.formants[i], BANDWIDTHS[i]);
        }
    }

    fn sample(&mut self, control: &Control, chance: &mut Chance) -> f64 {
        let (pulse, open) = self.glottis.next(control.f0_hz, &control.phonation, chance);
        let aspiration = chance.noise() * if open { 1.0 } else { SHUT };
        let pulse = self.tilt.iter_mut().fold(pulse, |wave, pole| pole.next(wave));
        let source = control.voice * pulse + control.breath * aspiration;
        let mouth = self.tract.iter_mut().fold(source, |wave, resonator| resonator.next(wave));
        mouth + self.hiss.next(control.hiss * chance.noise())
    }
}

/// Leaves samples below the knee as they are and presses louder ones into what is left up to 1.
fn press(sample: f64) -> f64 {
    let over = (sample.abs() - KNEE).max(0.0) / (1.0 - KNEE);
    if over == 0.0 {
        return sample;
    }
    (KNEE + (1.0 - KNEE) * over / (1.0 + over)).copysign(sample)
}

#[cfg(test)]
mod tests;
