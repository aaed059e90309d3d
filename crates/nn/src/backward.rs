//! The encoder's gradient: from that of the pooled vectors to those of all parameters.

use crate::arena::Buffer;
use crate::arithmetic::dispatch;
use crate::attention::OutputGradients;
use crate::dense::{LinearBack, sum_rows};
use crate::forward::{Direction, Forward, pad_outputs, threads_per_direction, unpad_outputs, walk};
use crate::matmul::{Matrix, multiply};
use crate::panel::PanelGradients;
use crate::real::Real;
use crate::recurrence::Back;

/// Gradients of the parameters.
pub(crate) struct Gradients<T> {
    /// Of the flat tensor.
    pub(crate) theta: Vec<T>,
    /// Of the attention vector, `[2·lstm]`.
    pub(crate) attention: Vec<T>,
}

/// One direction's gradients before they are put in place.
struct DirectionGradients<T> {
    input: Buffer<T>,
    recurrent: Buffer<T>,
    bias: Vec<T>,
}

impl<T: Real> Forward<T> {
    /// Gradients of all parameters; `frames` are the inputs of the pass forward, `pooled` the
    /// gradient of its result, `[utterances, 2·lstm]` in the caller's order.
    pub(crate) fn back(mut self, frames: &[T], pooled: &[T]) -> Gradients<T> {
        let dims = self.dims;
        let pooled = self.by_rank(pooled);
        let (vector, weights) =
            (std::mem::take(&mut self.attention), std::mem::take(&mut self.weights));
        let (outputs, padded) = self.outputs().back(&vector, &weights, &pooled);
        let mut attention = Vec::with_capacity(dims.outputs());
        unpad_outputs(dims, &padded, &mut attention);
        let directions = self.directions_back(&outputs);
        let theta = self.collect(frames, &directions);
        Gradients { theta, attention }
    }

    /// Padded, and in the order of the ranks.
    fn by_rank(&self, pooled: &[T]) -> Vec<T> {
        let width = self.dims.outputs();
        let row = |&index: &usize| pad_outputs(self.dims, &pooled[index * width..][..width]);
        self.packing.order().iter().flat_map(row).collect()
    }

    fn directions_back(&mut self, outputs: &OutputGradients<T>) -> [DirectionGradients<T>; 2] {
        let Self { arena, dims, packing, activations, directions, .. } = self;
        let [ahead, back] = directions;
        let run = |direction: &mut Direction<T>, index: usize| {
            let padded = dims.padded();
            let walk = walk(packing, *dims, index);
            dispatch(Back {
                walk,
                panels: &direction.panels.back,
                gates: &mut direction.gates,
                cells: &direction.cells,
                outputs,
                output: &mut arena.take(padded),
                flow: &mut arena.zeros(packing.utterances() * padded),
                state_flow: &mut arena.zeros(packing.utterances() * padded),
            });
            let mut before = arena.take(packing.frames() * padded);
            walk.shift(&direction.hidden, &mut before);
            let gates = Matrix::new(&direction.gates, 4 * padded);
            let product = |right: Matrix<T>| {
                let mut out = arena.take(4 * padded * right.columns());
                multiply(&mut out, gates.transposed(), right, false, threads_per_direction());
                out
            };
            DirectionGradients {
                input: product(Matrix::new(activations, dims.linear)),
                recurrent: product(Matrix::new(&before, padded)),
                bias: sum_rows(&direction.gates, 4 * padded),
            }
        };
        let (ahead, back) = rayon::join(|| run(ahead, 0), || run(back, 1));
        [ahead, back]
    }

    /// The flat gradient, with that of the fully connected layer.
    fn collect(&self, frames: &[T], directions: &[DirectionGradients<T>; 2]) -> Vec<T> {
        let (dims, [ahead, back]) = (self.dims, &self.directions);
        let mut theta = vec![T::ZERO; dims.parameters()];
        for (index, gradients) in directions.iter().enumerate() {
            let DirectionGradients { input, recurrent, bias } = gradients;
            PanelGradients { input, recurrent, bias }.store(dims, index, &mut theta);
        }
        let linear = LinearBack {
            gates: [&ahead.gates, &back.gates].map(|gates| Matrix::new(gates, 4 * dims.padded())),
            weights: [ahead, back].map(|d| Matrix::new(&d.panels.input, dims.linear)),
            activations: Matrix::new(&self.activations, dims.linear),
            inputs: Matrix::new(frames, dims.inputs),
            scale: self.linear_scale,
        };
        let (of_weight, of_bias) = linear.run(&self.arena);
        let (weight, bias) = dims.linear_slots();
        theta[weight].copy_from_slice(&of_weight);
        theta[bias].copy_from_slice(&of_bias);
        theta
    }
}
