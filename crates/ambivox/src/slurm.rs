//! Stages as jobs of Slurm: what is missing becomes job arrays with dependencies, one task for each
//! stage, against a store that every node sees.
//!
//! ```text
//! store/slurm/programs/<digest>/          this program as it was at submission
//!             orders/<id>/order.json      what the tasks of one array make, and from what
//!                         <task>.log      what a task said
//!                         <task>.exit     how it ended, by its own word
//! ```
//!
//! Slurm decides where and when, and nothing else. A key is made of the *content* of inputs, which
//! nobody knows before these are made; so a task does not carry its key, but the instance itself, and
//! [`worker`] resolves it on the node once its inputs lie in the store, and makes it by the path by
//! which a local run does. [`driver`] holds what is missing against what is queued, again and again, so
//! that it can be interrupted at any time; it knows its jobs by their names, which name the order.
//!
//! An extraction can be made in parts, a task each: these keep what they have made beside the store's
//! results under the key of the whole, and the task of the whole puts it together, making what is
//! missing itself.

mod client;
mod driver;
mod order;
mod outcome;
mod programs;
mod script;
mod settings;
pub(crate) mod sweep;
pub(crate) mod worker;

pub(crate) use driver::{OnlyShown, Shown, Slurm};
pub(crate) use settings::{cut, settings};
