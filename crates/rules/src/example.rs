//! An utterance as a method sees it.

use ambivox_nn::Rows;
use serde::{Deserialize, Serialize};

/// An utterance with its label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Example<'a> {
    /// The utterance.
    pub utterance_id: String,
    /// The group that it is of, such as its speaker; empty where there is none.
    pub group: String,
    /// Its values, row-major frames × width; a vector is one frame.
    pub frames: Rows<'a>,
    /// Index of the gold label among the classes; `None` where the annotators agreed on none of
    /// them, which only methods that use votes can train on.
    pub gold: Option<usize>,
    /// Annotators' votes for each class; only methods that use votes look at them.
    pub votes: Vec<f64>,
}
