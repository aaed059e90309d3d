//! The statics of a block of frames.

use pulp::{Simd, WithSimd};

use crate::energy::RmsEnergy;
use crate::framing::samples;
use crate::lanes::{BLOCK, Lanes};
use crate::layout::{Layout, Others};
use crate::loudness::Loudness;
use crate::mfcc::Mfcc;
use crate::pitch::{FramePitch, PitchContour, PitchFinder};
use crate::set::FeatureSet;
use crate::signal::Signal;
use crate::spectrum::{Spectrum, transform_points};
use crate::zcr::zero_crossing_rate;

/// Computes what each frame has by itself; holds the last block's.
#[derive(Clone)]
pub(crate) struct Descriptors {
    spectrum: Spectrum,
    mfcc: Mfcc,
    energy: Energy,
    /// Spectra of pitch frames; `None` where they are those of the other descriptors.
    pitch_spectrum: Option<Spectrum>,
    pitch_finder: PitchFinder,
    layout: Layout,
    block: Block,
}

/// The set's measure of energy.
#[derive(Clone)]
enum Energy {
    Loudness(Loudness),
    Rms(RmsEnergy),
}

impl Energy {
    fn new(set: &FeatureSet) -> Self {
        match &set.loudness {
            Some(settings) => {
                Self::Loudness(Loudness::new(settings.samples, samples(set.frame.length_ms)))
            }
            None => Self::Rms(RmsEnergy::new(&set.frame)),
        }
    }

    /// Of raw frames, whose samples are the rows of `frames`.
    #[inline(always)]
    fn of<S: Simd>(&mut self, simd: S, frames: &[S::f32s]) -> Lanes<S> {
        match self {
            Self::Loudness(loudness) => loudness.of(simd, frames),
            Self::Rms(energy) => energy.of(simd, frames),
        }
    }
}

/// What was found about the frames of a block.
#[derive(Clone)]
struct Block {
    energies: [f32; BLOCK],
    pitches: [FramePitch; BLOCK],
    crossings: [f32; BLOCK],
    /// Frames × coefficients.
    mfcc: Vec<f32>,
    /// Frames × statics.
    rows: Vec<f32>,
}

impl Block {
    fn new(coefficients: usize) -> Self {
        Self {
            energies: [0.0; BLOCK],
            pitches: [FramePitch::default(); BLOCK],
            crossings: [0.0; BLOCK],
            mfcc: vec![0.0; BLOCK * coefficients],
            rows: vec![0.0; BLOCK * (coefficients + Others::COUNT)],
        }
    }

    /// Takes the coefficients of frames `first` and following, one row per coefficient.
    #[inline(always)]
    fn set_mfcc<S: Simd>(&mut self, simd: S, first: usize, coefficients: &[S::f32s]) {
        let width = coefficients.len();
        for (index, &values) in coefficients.iter().enumerate() {
            let mut lanes = [0.0; BLOCK];
            Lanes::of(simd, values).write(&mut lanes[..S::F32_LANES]);
            for (lane, &value) in lanes[..S::F32_LANES].iter().enumerate() {
                self.mfcc[(first + lane) * width + index] = value;
            }
        }
    }
}

/// Zeros before and after the utterance, where pitch frames are the longer ones.
pub(crate) fn margin(set: &FeatureSet) -> usize {
    samples(set.pitch.frame.length_ms).saturating_sub(samples(set.frame.length_ms)) / 2
}

/// Number of samples that a row depends on.
pub(crate) fn span(set: &FeatureSet) -> usize {
    samples(set.frame.length_ms.max(set.pitch.frame.length_ms))
}

impl Descriptors {
    /// For frames out of `signal`.
    pub(crate) fn new(set: &FeatureSet, signal: &Signal) -> Self {
        let length = samples(set.frame.length_ms);
        let centred = margin(set) + length / 2 - samples(set.pitch.frame.length_ms) / 2;
        let own = set.pitch.frame != set.frame;
        let mfcc = Mfcc::new(&set.mfcc, transform_points(&set.frame));
        Self {
            spectrum: Spectrum::new(&set.frame, signal, margin(set)),
            energy: Energy::new(set),
            pitch_spectrum: own.then(|| Spectrum::new(&set.pitch.frame, signal, centred)),
            pitch_finder: PitchFinder::new(&set.pitch, transform_points(&set.pitch.frame)),
            layout: set.layout,
            block: Block::new(mfcc.width()),
            mfcc,
        }
    }

    /// Number of statics.
    pub(crate) fn width(&self) -> usize {
        self.block.rows.len() / BLOCK
    }

    /// Rows of statics of the block's first `count` frames, F0 as `contour` goes on.
    pub(crate) fn rows(&mut self, count: usize, contour: &mut PitchContour) -> &[f32] {
        let (width, coefficients) = (self.width(), self.mfcc.width());
        let Block { energies, pitches, crossings, mfcc, rows } = &mut self.block;
        for (frame, row) in rows.chunks_exact_mut(width).take(count).enumerate() {
            let others = Others {
                energy: energies[frame],
                f0: contour.next(pitches[frame].hz),
                voicing: pitches[frame].voicing,
                zcr: crossings[frame],
            };
            let mfcc = &mfcc[frame * coefficients..][..coefficients];
            self.layout.place(row, &others).copy_from_slice(mfcc);
        }
        &rows[..count * width]
    }

    /// Describes frames `first` and following of `signal`, one for each lane.
    #[inline(always)]
    fn describe<S: Simd>(&mut self, simd: S, signal: &Signal, first: usize) {
        let Self { spectrum, block, .. } = self;
        let lanes = first..first + S::F32_LANES;
        spectrum.take(simd, signal, first);
        let (frames, power) = (spectrum.frames::<S>(), spectrum.power::<S>());
        block.set_mfcc(simd, first, self.mfcc.of(simd, power));
        self.energy.of(simd, frames).write(&mut block.energies[lanes.clone()]);
        zero_crossing_rate(simd, frames).write(&mut block.crossings[lanes.clone()]);
        let power = match &mut self.pitch_spectrum {
            Some(own) => {
                own.take(simd, signal, first);
                own.power::<S>()
            }
            None => power,
        };
        self.pitch_finder.find(simd, power, &mut block.pitches[lanes]);
    }
}

/// Describes the first `count` frames of `signal`.
pub(crate) struct Describe<'a> {
    pub(crate) descriptors: &'a mut Descriptors,
    pub(crate) signal: &'a Signal,
    pub(crate) count: usize,
}

impl WithSimd for Describe<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for first in (0..self.count).step_by(S::F32_LANES) {
            self.descriptors.describe(simd, self.signal, first);
        }
    }
}
