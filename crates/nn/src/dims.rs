//! Sizes of the network and the layout of its flat parameter tensor.

use std::ops::Range;

/// Units are padded to a multiple of this inside the operator, so that every register width up to
/// 16 lanes divides a block of four gates evenly.
const UNIT_MULTIPLE: usize = 64;

/// Sizes of the encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dims {
    /// Values per frame.
    pub inputs: usize,
    /// Units of the fully connected layer.
    pub linear: usize,
    /// LSTM units per direction.
    pub lstm: usize,
}

/// A named part of the flat parameter tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorSlot {
    /// Name, in PyTorch's manner.
    pub name: &'static str,
    /// Shape, row-major.
    pub shape: Vec<usize>,
    /// Place in the flat tensor.
    pub range: Range<usize>,
}

/// Ranges of one direction's weights in the flat tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DirectionSlots {
    /// `[4·lstm, linear]`, gates in the order i, f, g, o.
    pub(crate) input: Range<usize>,
    /// `[4·lstm, lstm]`.
    pub(crate) recurrent: Range<usize>,
    /// `[4·lstm]`.
    pub(crate) bias: Range<usize>,
}

impl Dims {
    /// Length of the flat parameter tensor.
    pub fn parameters(&self) -> usize {
        self.linear * (self.inputs + 1) + 2 * self.direction_parameters()
    }

    /// Length of the pooled vector and of the attention vector: both directions side by side.
    pub fn outputs(&self) -> usize {
        2 * self.lstm
    }

    /// The flat tensor's parts, in order. Layout and gate order (i, f, g, o) are PyTorch's, but for
    /// the bias, which is one vector (PyTorch's two are always added).
    pub fn tensors(&self) -> Vec<TensorSlot> {
        let gates = 4 * self.lstm;
        let mut start = 0;
        let mut slot = |name, shape: Vec<usize>| {
            let range = start..start + shape.iter().product::<usize>();
            start = range.end;
            TensorSlot { name, shape, range }
        };
        vec![
            slot("linear.weight", vec![self.linear, self.inputs]),
            slot("linear.bias", vec![self.linear]),
            slot("lstm.weight_ih", vec![gates, self.linear]),
            slot("lstm.weight_hh", vec![gates, self.lstm]),
            slot("lstm.bias", vec![gates]),
            slot("lstm.weight_ih_reverse", vec![gates, self.linear]),
            slot("lstm.weight_hh_reverse", vec![gates, self.lstm]),
            slot("lstm.bias_reverse", vec![gates]),
        ]
    }

    /// Ranges of the fully connected layer: weight `[linear, inputs]`, bias `[linear]`.
    pub(crate) fn linear_slots(&self) -> (Range<usize>, Range<usize>) {
        let weights = self.linear * self.inputs;
        (0..weights, weights..weights + self.linear)
    }

    /// Ranges of a direction's weights: 0 forward, 1 backward.
    pub(crate) fn direction_slots(&self, direction: usize) -> DirectionSlots {
        let start = self.linear * (self.inputs + 1) + direction * self.direction_parameters();
        let recurrent = start + 4 * self.lstm * self.linear;
        let bias = recurrent + 4 * self.lstm * self.lstm;
        DirectionSlots {
            input: start..recurrent,
            recurrent: recurrent..bias,
            bias: bias..bias + 4 * self.lstm,
        }
    }

    /// LSTM units per direction inside the operator; those past `lstm` are always zero.
    pub(crate) fn padded(&self) -> usize {
        self.lstm.next_multiple_of(UNIT_MULTIPLE)
    }

    /// Parameters of one direction.
    pub(crate) fn direction_parameters(&self) -> usize {
        4 * self.lstm * (self.linear + self.lstm + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_tile_the_flat_tensor() {
        let dims = Dims { inputs: 3, linear: 5, lstm: 2 };
        let tensors = dims.tensors();
        assert_eq!(tensors[0].range.start, 0);
        assert!(tensors.windows(2).all(|pair| pair[0].range.end == pair[1].range.start));
        assert_eq!(tensors.last().unwrap().range.end, dims.parameters());
        assert_eq!(dims.linear_slots().1, tensors[1].range);
        for direction in 0..2 {
            let slots = dims.direction_slots(direction);
            let named = &tensors[2 + 3 * direction..];
            assert_eq!(slots.input, named[0].range);
            assert_eq!(slots.recurrent, named[1].range);
            assert_eq!(slots.bias, named[2].range);
        }
    }
}
