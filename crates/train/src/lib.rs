//! Batches, methods, the alternation of network and labels, early stopping.
