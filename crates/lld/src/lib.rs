//! Frame-level acoustic descriptors with openSMILE's numbers.
//!
//! Speech at 16 kHz goes in, one row of descriptors per frame comes out: MFCC, loudness or RMS
//! energy, F0, voicing probability, zero-crossing rate, and the first deltas of them all. Pure
//! arithmetic: no files, no clock, no threads; the same samples give the same bytes, on every
//! instruction set and in pieces of any size.
//!
//! Section signs (§) refer to the descriptors' specification, `features/opensmile-lld-spec.md` in
//! the shared reference folder. Values between two steps are single precision, sums and logarithms
//! are double where the specification says so: both decide the last digits, and with them F0.
//!
//! ```
//! use ambivox_lld::{Extractor, FeatureSet};
//!
//! let set = FeatureSet::builtin("ser32")?;
//! let frames = Extractor::new(&set)?.process(&vec![0.0; 16_000]);
//! assert_eq!((frames.len(), frames.width()), (98, 32));
//! assert_eq!(frames.columns()[12], "loudness");
//! # Ok::<(), ambivox_lld::LldError>(())
//! ```

#![allow(
    clippy::inline_always,
    reason = "what is not inlined into a dispatched function is not compiled for its instruction set"
)]

mod agreement;
mod contour;
mod cosine;
mod describe;
mod energy;
mod error;
mod extractor;
mod fft;
mod frames;
mod framing;
mod functionals;
mod lags;
mod lanes;
mod layout;
mod logarithm;
mod loudness;
mod mel;
mod mfcc;
mod pitch;
mod set;
mod signal;
mod spectrum;
mod stream;
mod zcr;

pub use agreement::{Agreement, ColumnAgreement, Worst};
pub use error::LldError;
pub use extractor::Extractor;
pub use frames::Frames;
pub use functionals::Functionals;
pub use layout::Layout;
pub use set::{
    ContourSettings, FeatureSet, FrameSettings, LoudnessSamples, LoudnessSettings, MelSpectrum,
    MfccSettings, PitchSettings, Window,
};
pub use stream::Stream;

/// The sampling rate of the input, in Hz.
pub const SAMPLE_RATE: u32 = 16_000;
