//! Emotions of any sound, by networks that were trained elsewhere.
//!
//! An [`Ensemble`] is a bundle's networks; their probabilities are averaged. [`Ensemble::analyse`]
//! takes whole recordings and cuts long ones into windows, [`Live`] takes samples as they come.
//! Networks of frames attend to moments of a window; those of functionals (the method `cyclegan`)
//! read one vector that sums up the window as if it were an utterance of its own.
//!
//! ```no_run
//! use std::path::Path;
//! use ambivox_predict::{Encoders, Ensemble};
//!
//! let ensemble = Ensemble::load(Path::new("bundle"), Encoders::default())?;
//! let samples = ambivox_audio::load(Path::new("speech.wav"), Default::default())?;
//! let analysis = ensemble.analyse(&samples, 10.0)?;
//! println!("{:?} {:?}", ensemble.classes(), analysis.probabilities);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod command;
mod encoder;
mod ensemble;
mod error;
mod live;
mod networks;
mod reader;
mod windows;

pub use command::main;
pub use encoder::Encoders;
pub use ensemble::{Analysis, Attention, Ensemble, Window};
pub use error::PredictError;
pub use live::Live;
pub use windows::windows;

#[cfg(test)]
mod tests;
