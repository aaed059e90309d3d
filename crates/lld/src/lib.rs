//! Frame-level acoustic descriptors with openSMILE's numbers.
//!
//! Speech at 16 kHz goes in, one row of descriptors per frame comes out: MFCC, loudness or
//! RMS energy, F0, voicing probability, zero-crossing rate, and the first deltas of them all. Pure arithmetic: no
//! files, no clock, no threads; the same samples give the same bytes.
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

mod agreement;
mod contour;
mod energy;
mod error;
mod extractor;
mod frames;
mod framing;
mod functionals;
mod lags;
mod layout;
mod loudness;
mod mel;
mod mfcc;
mod pitch;
mod set;
mod spectrum;
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

/// The sampling rate of the input, in Hz.
pub const SAMPLE_RATE: u32 = 16_000;
