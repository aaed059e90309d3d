//! Frame-level acoustic descriptors with openSMILE's numbers.
//!
//! Speech at 16 kHz goes in, one row of descriptors per frame comes out. Pure arithmetic: no files,
//! no clock, no threads; the same samples give the same bytes, on every instruction set and in
//! pieces of any size.
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
//!
//! [`Extractor`] takes whole utterances. [`Stream`] takes samples as they come and writes into a
//! buffer of the caller's. Both give the same rows: an extractor is a stream that is run once.
//! [`Functionals`] sum up the rows of an utterance.
//!
//! # Descriptors
//!
//! Section signs (§) refer to the descriptors' specification, `features/opensmile-lld-spec.md` in
//! the shared reference folder. Frames are 25 ms long and 10 ms apart (§2), if the set does not say
//! otherwise. Column names are those of [`FeatureSet::columns`]; smoothed columns end in `_sma`.
//!
//! | Column | What it is | Unit and range | § |
//! |---|---|---|---|
//! | `mfcc1` … `mfcc12` | cosine transform of the logarithm of 26 mel bands, liftered | about ±100; all 0 in silence | 3–7 |
//! | `loudness` | (mean square under a Hamming window / 10⁻⁶)^0.3 | 0 to 63 | 10 |
//! | `pcm_RMSenergy` | root mean square of the windowed frame, in `is09` | 0 to 1 | 14 |
//! | `F0` | pitch from the cepstrum, smoothed over two frames, one frame late | Hz; 0 where unvoiced, else 63 to 485 | 8, 9 |
//! | `voiceProb` | highest peak of the autocorrelation relative to lag 0 | 0 to 1; voiced from 0.55 | 8, 9 |
//! | `zcr` | share of samples at which the signal changes sign | 0 to 0.995 | 11 |
//! | `…_de` | slope over two frames to both sides | per frame | 12 |
//!
//! # Arithmetic
//!
//! As in openSMILE, values between two steps are single precision; sums of squares, the mean of the
//! cepstrum and the comparisons of pitches are double (§8 to §10), since F0 hangs on them. Any
//! transform gives F0, loudness and zero crossings exactly and the other columns to the last digits
//! (§13).
//!
//! Sixteen frames are computed at once, each in a lane of its own:
//!
//! ```text
//! samples     x[0] x[1] x[2] …                                  as they come
//!                │ scaled (§1) and laid out in columns of one step (§2)
//!                ▼
//! signal      row n of step:  x[n]  x[160+n]  x[320+n]  …       160 × 18 values
//!                │ sample n of frames 0, 1, … are neighbours
//!                ▼
//! frames      row n:          frame 0 │ frame 1 │ … │ frame 15  400 rows of a register each
//!                │ every stage from §3 to §11 goes down the rows
//!                ▼
//! statics     row of a frame: mfcc1 … mfcc12 loudness F0 voiceProb zcr
//!                │ smoothed, deltas appended (§12)
//!                ▼
//! columns     row of a frame: statics, then their deltas
//! ```
//!
//! AVX-512 has sixteen lanes and takes a row in one register; AVX2, NEON and scalar code take two,
//! four or sixteen turns. No stage moves values between lanes and none uses fused multiply-add, so
//! a frame goes through the same roundings in all of them. What a block works on fits into the
//! caches next to the core, and nothing is allocated per frame.

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
