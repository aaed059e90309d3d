//! What a worker is asked and what it answers: JSON, a line each.

use serde::{Deserialize, Serialize};

/// Sizes of a network.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sizes {
    pub(crate) inputs: usize,
    pub(crate) linear: usize,
    /// Per direction.
    pub(crate) lstm: usize,
    pub(crate) classes: usize,
    pub(crate) dropout: f64,
}

impl Sizes {
    /// Floating-point operations of the matrix products of one frame, forward: fully connected
    /// layer, input projection and recurrence of four gates each way.
    pub(crate) fn inference_flops(&self) -> f64 {
        let gates = 2 * 4 * self.lstm;
        let inner = self.inputs * self.linear + self.linear * gates + self.lstm * gates;
        2.0 * inner as f64
    }

    /// The same of a training step: each product has two gradients, of its weights and of its
    /// inputs, except that the inputs of the network need none.
    pub(crate) fn step_flops(&self) -> f64 {
        3.0 * self.inference_flops() - 2.0 * (self.inputs * self.linear) as f64
    }

    /// Of the input projection alone, forward: the largest product.
    pub(crate) fn product_flops(&self) -> f64 {
        2.0 * (self.linear * 8 * self.lstm) as f64
    }
}

/// What is timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Task {
    /// Forward, backward, Adam, dropout.
    Step,
    /// Probabilities, without gradients.
    Inference,
    /// The input projection of all frames, one product of matrices.
    Product,
}

/// Who does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum System {
    /// This project.
    Ours,
    /// PyTorch on batches padded to their longest utterance.
    Padded,
    /// PyTorch on packed sequences.
    Packed,
}

/// Something to be done once and timed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) system: System,
    pub(crate) task: Task,
    pub(crate) sizes: Sizes,
    /// Frames of every utterance, by batch.
    pub(crate) batches: Vec<Vec<usize>>,
}

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// Wall time.
    pub(crate) seconds: f64,
    /// Memory before the job was first done, libraries and network loaded, and the most ever used;
    /// `None` where the system does not tell.
    pub(crate) memory: Option<Memory>,
}

/// Resident memory of a process, in kB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Memory {
    pub(crate) before: u64,
    pub(crate) peak: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2·(3·5 + 5·16 + 2·16) = 254 forward; 3·254 − 2·15 = 732 with the gradients.
    #[test]
    fn operations_of_a_small_network_are_known() {
        let sizes = Sizes { inputs: 3, linear: 5, lstm: 2, classes: 4, dropout: 0.5 };
        assert_eq!((sizes.inference_flops(), sizes.step_flops()), (254.0, 732.0));
        assert_eq!(sizes.product_flops(), 160.0);
    }
}
