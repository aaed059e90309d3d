//! The encoder's gradient: from that of the pooled vectors to those of all parameters.

use pulp::Arch;

use crate::arena::Buffer;
use crate::dense::{activate_back, sum_rows};
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
    /// Of the activations, `[frames, linear]`.
    activations: Buffer<T>,
    input: Buffer<T>,
    recurrent: Buffer<T>,
    bias: Vec<T>,
}

impl<T: Real> Forward<T> {
    /// Gradients of all parameters; `frames` are the inputs of the pass forward, `pooled` the
    /// gradient of its result, `[utterances, 2·lstm]` in the caller's order.
    pub(crate) fn back(mut self, frames: &[T], pooled: &[T]) -> Gradients<T> {
        let (dims, size) = (self.dims, self.packing.frames() * self.dims.padded());
        let (mut ahead, mut back) = (self.arena.take(size), self.arena.take(size));
        let pooled = self.by_rank(pooled);
        let gradients = [&mut *ahead, &mut *back];
        let padded = self.outputs().back(&self.attention, &self.weights, &pooled, gradients);
        let mut attention = Vec::with_capacity(dims.outputs());
        unpad_outputs(dims, &padded, &mut attention);
        let directions = self.directions_back([&ahead, &back]);
        let theta = self.collect(frames, directions);
        Gradients { theta, attention }
    }

    /// Padded, and in the order of the ranks.
    fn by_rank(&self, pooled: &[T]) -> Vec<T> {
        let width = self.dims.outputs();
        let row = |&index: &usize| pad_outputs(self.dims, &pooled[index * width..][..width]);
        self.packing.order().iter().flat_map(row).collect()
    }

    fn directions_back(&mut self, outputs: [&[T]; 2]) -> [DirectionGradients<T>; 2] {
        let Self { arena, dims, packing, activations, directions, .. } = self;
        let [ahead, back] = directions;
        let run = |direction: &mut Direction<T>, index: usize| {
            let padded = dims.padded();
            let walk = walk(packing, *dims, index);
            Arch::new().dispatch(Back {
                walk,
                panels: &direction.panels.back,
                gates: &mut direction.gates,
                cells: &direction.cells,
                outputs: outputs[index],
                flow: &mut arena.zeros(packing.utterances() * padded),
                state_flow: &mut arena.zeros(packing.utterances() * padded),
            });
            let mut before = arena.take(packing.frames() * padded);
            walk.shift(&direction.hidden, &mut before);
            let threads = threads_per_direction();
            let gates = Matrix::new(&direction.gates, 4 * padded);
            let product = |left, right, size| {
                let mut out = arena.take(size);
                multiply(&mut out, left, right, false, threads);
                out
            };
            let inputs = Matrix::new(activations, dims.linear);
            let weights = Matrix::new(&direction.panels.input, dims.linear);
            let hidden = Matrix::new(&before, padded);
            DirectionGradients {
                input: product(gates.transposed(), inputs, 4 * padded * dims.linear),
                recurrent: product(gates.transposed(), hidden, 4 * padded * padded),
                activations: product(gates, weights, packing.frames() * dims.linear),
                bias: sum_rows(&direction.gates, 4 * padded),
            }
        };
        let (ahead, back) = rayon::join(|| run(ahead, 0), || run(back, 1));
        [ahead, back]
    }

    /// The flat gradient, with that of the fully connected layer.
    fn collect(&self, frames: &[T], directions: [DirectionGradients<T>; 2]) -> Vec<T> {
        let dims = self.dims;
        let mut theta = vec![T::ZERO; dims.parameters()];
        for (index, gradients) in directions.iter().enumerate() {
            let DirectionGradients { input, recurrent, bias, .. } = gradients;
            PanelGradients { input, recurrent, bias }.store(dims, index, &mut theta);
        }
        let [mut ahead, back] = directions.map(|gradients| gradients.activations);
        activate_back(&mut ahead, &back, &self.activations, self.linear_scale);
        let (weight, bias) = dims.linear_slots();
        let gradient = Matrix::new(&ahead, dims.linear).transposed();
        let inputs = Matrix::new(frames, dims.inputs);
        multiply(&mut theta[weight], gradient, inputs, false, rayon::current_num_threads());
        theta[bias].copy_from_slice(&sum_rows(&ahead, dims.linear));
        theta
    }
}
