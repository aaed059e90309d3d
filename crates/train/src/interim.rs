//! The state of a run between two epochs, from which another process goes on to the same bits.
//!
//! All random numbers of an epoch come from the seed and the epoch's number, and when to stop follows
//! from the records; so the state is what has been learned, and the records.

use ambivox_eval::EpochRecord;
use ambivox_nn::{State, Targets};
use ambivox_rules::Example;
use serde::{Deserialize, Serialize};

use crate::dynamics::Dynamics;

/// A run after some epoch: all that the rest of it depends on, beside what it was given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interim(pub(crate) Phase);

/// What is in training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Phase {
    /// What makes further utterances.
    Augmenting {
        /// Its name.
        name: String,
        epochs: usize,
        augmenter: State,
    },
    /// The model.
    Learning(Learning),
}

/// The model and its labels after some epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Learning {
    /// Utterances that were made.
    pub(crate) made: Vec<Example<'static>>,
    pub(crate) epochs: Vec<EpochRecord>,
    pub(crate) learner: State,
    pub(crate) rule: State,
    pub(crate) kept: Vec<Kept>,
    /// Absent where the run keeps none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) dynamics: Option<Dynamics>,
}

/// An epoch that is kept, so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) epoch: usize,
    pub(crate) predictor: State,
    pub(crate) targets: Targets,
}

impl Interim {
    /// Where the run has come to, such as "epoch 3".
    pub fn place(&self) -> String {
        match &self.0 {
            Phase::Augmenting { name, epochs, .. } => format!("epoch {epochs} of the {name}"),
            Phase::Learning(learning) => format!("epoch {}", learning.epochs.len()),
        }
    }

    /// A BLAKE3 digest of the rest, and the rest as `MessagePack`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; blake3::OUT_LEN];
        // Memory takes all that is written, and there are no types here that the form lacks.
        rmp_serde::encode::write_named(&mut bytes, self).ok();
        let digest = blake3::hash(&bytes[blake3::OUT_LEN..]);
        bytes[..blake3::OUT_LEN].copy_from_slice(digest.as_bytes());
        bytes
    }

    /// From the bytes of [`Self::to_bytes`]; `None` where they are not whole, or are others.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (digest, rest) = bytes.split_first_chunk()?;
        let whole = blake3::hash(rest) == blake3::Hash::from_bytes(*digest);
        whole.then(|| rmp_serde::from_slice(rest).ok())?
    }
}
