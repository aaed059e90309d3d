//! Batches, methods, the alternation of network and labels, early stopping.
//!
//! [`train`] runs METHOD's Algorithm 1 on one fold from one seed. A method decides what every
//! training utterance's target and weight are and how they change between epochs of the network; each
//! has a file of its own in `methods`. The method `cyclegan` is not of this loop: [`synthesise`] and
//! [`train_classifier`] run it on vectors of one utterance each. A run that was cut short goes on
//! from an [`Interim`], or a [`CycleganInterim`]. Results are the same bits for any number of threads.

mod cyclegan;
mod early_stopping;
mod error;
mod evaluation;
mod example;
mod interim;
mod labels;
mod learner;
mod loss;
mod methods;
mod optimiser;
mod training;

pub use cyclegan::{
    ClassifierInterim, ClassifierWaypoint, CycleganInterim, Gans, GansInterim, synthesise,
    train_classifier,
};
pub use error::{Moment, TrainError};
pub use evaluation::Classifier;
pub use example::{Example, RunSpec};
pub use interim::{Interim, State};
pub use labels::LabelState;
pub use learner::Learner;
pub use training::{Trained, Waypoint, train};
