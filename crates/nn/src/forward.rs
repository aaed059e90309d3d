//! The encoder forward: from packed frames to pooled vectors, keeping what the gradient needs.

use std::sync::Arc;

use crate::arena::{Arena, Buffer};
use crate::arithmetic::dispatch;
use crate::attention::Outputs;
use crate::dense::linear;
use crate::dropout::{Dropout, Layer, Mask};
use crate::matmul::{Matrix, multiply_rows};
use crate::packing::Packing;
use crate::panel::Panels;
use crate::real::Real;
use crate::recurrence::{Ahead, Walk};
use crate::{Dims, op::Call};

/// One direction's weights and states.
pub(crate) struct Direction<T> {
    pub(crate) panels: Panels<T>,
    /// Activated gates, `[frames, 4·padded]`.
    pub(crate) gates: Buffer<T>,
    /// `[frames, padded]`.
    pub(crate) cells: Buffer<T>,
    /// `[frames, padded]`.
    pub(crate) hidden: Buffer<T>,
}

/// Everything the pass forward computed.
pub(crate) struct Forward<T> {
    pub(crate) arena: Arc<Arena<T>>,
    pub(crate) dims: Dims,
    pub(crate) packing: Arc<Packing>,
    /// After the fully connected layer, `[frames, linear]`.
    pub(crate) activations: Buffer<T>,
    pub(crate) linear_scale: f64,
    pub(crate) directions: [Direction<T>; 2],
    pub(crate) masks: [Mask; 2],
    /// Attention vector, padded: `[2, padded]`.
    pub(crate) attention: Vec<T>,
    /// Attention weights of every row.
    pub(crate) weights: Vec<T>,
}

/// The way of direction 0 (forward) or 1 (backward) through a batch.
pub(crate) fn walk(packing: &Packing, dims: Dims, direction: usize) -> Walk<'_> {
    Walk { packing, reverse: direction == 1, width: dims.padded() }
}

/// Threads of which each of two directions gets half.
pub(crate) fn threads_per_direction() -> usize {
    rayon::current_num_threads().div_ceil(2)
}

/// A vector over both directions' units, `[2, lstm]`, with zeros for the padded units.
pub(crate) fn pad_outputs<T: Real>(dims: Dims, values: &[T]) -> Vec<T> {
    let mut padded = vec![T::ZERO; 2 * dims.padded()];
    for (padded, values) in padded.chunks_mut(dims.padded()).zip(values.chunks(dims.lstm)) {
        padded[..dims.lstm].copy_from_slice(values);
    }
    padded
}

/// A vector over both directions' padded units, without the padding: appended to `values`.
pub(crate) fn unpad_outputs<T: Real>(dims: Dims, padded: &[T], values: &mut Vec<T>) {
    for half in padded.chunks(dims.padded()) {
        values.extend_from_slice(&half[..dims.lstm]);
    }
}

impl<T: Real> Forward<T> {
    /// Runs the encoder; returns what the gradient needs, and the pooled vectors
    /// `[utterances, 2·lstm]` in the caller's order.
    pub(crate) fn run(
        arena: &Arc<Arena<T>>,
        call: &Call,
        frames: &[T],
        theta: &[T],
        attention: &[T],
    ) -> (Self, Vec<T>) {
        let dims = call.dims;
        let mask = Mask::new(call.dropout, Layer::Linear);
        let (weight, bias) = dims.linear_slots();
        let mut activations = arena.take(call.packing.frames() * dims.linear);
        let ranks = call.packing.ranks();
        linear(&mut activations, frames, [&theta[weight], &theta[bias]], mask, ranks);
        let run = |d| direction(arena, call, &activations, theta, d);
        let (ahead, back) = rayon::join(|| run(0), || run(1));
        let mut forward = Self {
            arena: Arc::clone(arena),
            dims,
            packing: Arc::clone(&call.packing),
            linear_scale: mask.scale(),
            activations,
            directions: [ahead, back],
            masks: output_masks(call.dropout),
            attention: pad_outputs(dims, attention),
            weights: Vec::new(),
        };
        forward.weights = forward.outputs().weights(&forward.attention);
        let pooled = forward.outputs().pool(&forward.weights);
        let pooled = forward.in_callers_order(&pooled);
        (forward, pooled)
    }

    /// What attention pools.
    pub(crate) fn outputs(&self) -> Outputs<'_, T> {
        Outputs {
            packing: &self.packing,
            width: self.dims.padded(),
            hidden: [&self.directions[0].hidden, &self.directions[1].hidden],
            masks: self.masks,
        }
    }

    fn in_callers_order(&self, pooled: &[T]) -> Vec<T> {
        let width = 2 * self.dims.padded();
        let mut ranks = vec![0; self.packing.utterances()];
        for (rank, &index) in self.packing.order().iter().enumerate() {
            ranks[index] = rank;
        }
        let mut values = Vec::with_capacity(ranks.len() * self.dims.outputs());
        for rank in ranks {
            unpad_outputs(self.dims, &pooled[rank * width..][..width], &mut values);
        }
        values
    }

    /// Attention weights of every utterance over its frames, in the caller's order.
    pub(crate) fn attention_weights(&self) -> Vec<Vec<T>> {
        self.packing.by_utterance(&self.weights)
    }
}

fn output_masks(dropout: Option<Dropout>) -> [Mask; 2] {
    [Layer::Forward, Layer::Backward].map(|layer| Mask::new(dropout, layer))
}

/// One direction of the LSTM: the input projection of all frames as one product, then the
/// recurrence.
fn direction<T: Real>(
    arena: &Arc<Arena<T>>,
    call: &Call,
    activations: &[T],
    theta: &[T],
    direction: usize,
) -> Direction<T> {
    let (dims, frames) = (call.dims, call.packing.frames());
    let panels = Panels::new(arena, dims, theta, direction);
    let mut gates = arena.take(frames * 4 * dims.padded());
    let mut cells = arena.take(frames * dims.padded());
    let mut hidden = arena.take(frames * dims.padded());
    let inputs = Matrix::new(activations, dims.linear);
    let weights = Matrix::new(&panels.input, dims.linear).transposed();
    multiply_rows(&mut gates, inputs, weights, threads_per_direction());
    dispatch(Ahead {
        walk: walk(&call.packing, dims, direction),
        panels: &panels.ahead,
        bias: &panels.bias,
        gates: &mut gates,
        cells: &mut cells,
        hidden: &mut hidden,
    });
    Direction { panels, gates, cells, hidden }
}
