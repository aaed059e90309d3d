//! Errors of operators and layers.

/// A call that cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NnError {
    /// A batch without utterances.
    #[error("a batch needs at least one utterance")]
    EmptyBatch,
    /// An utterance without frames.
    #[error("utterance {index} of the batch has no frames; leave it out before batching")]
    EmptyUtterance {
        /// Position in the batch, from 0.
        index: usize,
    },
    /// Utterances and lengths that do not fit together.
    #[error("utterance {index} of the batch: {got} values, expected {expected} (frames × width)")]
    WrongSize {
        /// Position in the batch, from 0.
        index: usize,
        /// Values expected.
        expected: usize,
        /// Values given.
        got: usize,
    },
    /// More or fewer utterances than lengths.
    #[error("{got} utterances given to a packing of {expected}")]
    WrongCount {
        /// Utterances the packing was made for.
        expected: usize,
        /// Utterances given.
        got: usize,
    },
    /// A tensor whose shape does not fit the network.
    #[error("{tensor}: shape {got:?}, expected {expected:?}")]
    WrongShape {
        /// Which tensor.
        tensor: &'static str,
        /// Shape expected.
        expected: Vec<usize>,
        /// Shape given.
        got: Vec<usize>,
    },
    /// A tensor that is not contiguous, of another type, or on another device.
    #[error(
        "{tensor}: expected a contiguous f32 or f64 tensor on the CPU, or f32 on a GPU where this is \
         built with the feature `cuda`; all of one type and on one device"
    )]
    WrongStorage {
        /// Which tensor.
        tensor: &'static str,
    },
    /// Dropout masks of whole utterances, which the kernels have not.
    #[error("dropout masks by utterance are computed on the CPU alone; use it, or masks by frame")]
    MaskByUtteranceOnGpu,
    /// More units than a block's shared memory holds on a GPU.
    #[error("{units} units per direction: the GPU kernels hold up to {limit}; use the CPU")]
    TooWideForGpu {
        /// Units given.
        units: usize,
        /// Most units.
        limit: usize,
    },
    /// A vector is of another length than the others.
    #[error("vector {position} has {values} values; expected {width}")]
    Vector {
        /// Place among the vectors, from 0.
        position: usize,
        /// Values it has.
        values: usize,
        /// Values expected.
        width: usize,
    },
    /// A gradient was asked for twice, or of a value that was computed without keeping what the
    /// gradient needs.
    #[error("the gradient of this batch has been taken already; compute the batch again")]
    Spent,
}
