//! The network, its checkpoints and prediction.
