//! What something in training goes on from, in a form that only itself knows.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The state of a learner, a label rule or an augmenter between two epochs, as `MessagePack`.
#[derive(Debug, Clone, PartialEq)]
pub struct State(Vec<u8>);

impl State {
    /// Of all that the rest of the training depends on.
    pub fn of(content: &impl Serialize) -> Self {
        // Memory takes all that is written, and there are no types here that the form lacks.
        Self(rmp_serde::to_vec(content).unwrap_or_default())
    }

    /// What it is of; `None` where it is of something else.
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        rmp_serde::from_slice(&self.0).ok()
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for State {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(serde_bytes::deserialize(deserializer)?))
    }
}
