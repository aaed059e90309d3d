//! The loop of training, the same for every model and every method.
//!
//! [`train`] runs METHOD's Algorithm 1 on one fold from one seed: first what makes further utterances,
//! where the method has such a thing, then rounds of the model and of its labels by turns, until
//! validation says stop. A run that was cut short goes on from an [`Interim`]. Results are the same bits
//! for any number of threads.

mod dynamics;
mod early_stopping;
mod error;
mod evaluation;
mod interim;
mod spec;
mod training;

pub use ambivox_nn::seed_of_fold;
pub use error::{EpochPhase, TrainError};
pub use interim::Interim;
pub use spec::{Data, RunSpec};
pub use training::{EpochEnd, Trained, train};
