//! One direction's weights in the order in which the recurrence reads them, and back.
//!
//! With registers of `W` lanes, the gates of a row lie in blocks of `W` units:
//!
//! ```text
//! block 0                          block 1
//! [i × W] [f × W] [g × W] [o × W]  [i × W] [f × W] …
//! ```
//!
//! Units past `lstm` have zero weights everywhere; their state and gradients stay zero.

use std::sync::Arc;

use crate::Dims;
use crate::arena::{Arena, Buffer};
use crate::real::{Real, lanes};

/// Place of a gate (0–3: i, f, g, o) of a unit in a row of gates.
fn place(gate: usize, unit: usize, lanes: usize) -> usize {
    (unit / lanes) * 4 * lanes + gate * lanes + unit % lanes
}

/// One direction's weights, rearranged.
pub(crate) struct Panels<T> {
    /// Input weights: `[4·padded, linear]`, rows in the gates' places.
    pub(crate) input: Buffer<T>,
    /// `[4·padded]`.
    pub(crate) bias: Buffer<T>,
    /// Recurrent weights for the step forward: per block `[padded, 4, W]`.
    pub(crate) ahead: Buffer<T>,
    /// Recurrent weights for the step back: per group of 4·W units `[4·padded, 4, W]`.
    pub(crate) back: Buffer<T>,
}

impl<T: Real> Panels<T> {
    /// Rearranges direction `direction` of the flat tensor `theta`.
    pub(crate) fn new(arena: &Arc<Arena<T>>, dims: Dims, theta: &[T], direction: usize) -> Self {
        let (padded, slots) = (dims.padded(), dims.direction_slots(direction));
        let mut panels = Self {
            input: arena.zeros(4 * padded * dims.linear),
            bias: arena.zeros(4 * padded),
            ahead: arena.zeros(4 * padded * padded),
            back: arena.zeros(4 * padded * padded),
        };
        for_each_row::<T>(dims, |row, gate| {
            let width = dims.linear;
            panels.input[gate * width..][..width]
                .copy_from_slice(&theta[slots.input.clone()][row * width..][..width]);
            panels.bias[gate] = theta[slots.bias.clone()][row];
            let weights = &theta[slots.recurrent.clone()][row * dims.lstm..][..dims.lstm];
            panels.fill_recurrent(gate, padded, weights);
        });
        panels
    }

    fn fill_recurrent(&mut self, gate: usize, padded: usize, weights: &[T]) {
        let block = 4 * lanes::<T>();
        for (unit, &weight) in weights.iter().enumerate() {
            self.ahead[(gate / block) * padded * block + unit * block + gate % block] = weight;
            self.back[(unit / block) * 4 * padded * block + gate * block + unit % block] = weight;
        }
    }
}

/// Gradients of one direction's weights, as the products leave them.
pub(crate) struct PanelGradients<'a, T> {
    /// `[4·padded, linear]`.
    pub(crate) input: &'a [T],
    /// `[4·padded, padded]`.
    pub(crate) recurrent: &'a [T],
    /// `[4·padded]`.
    pub(crate) bias: &'a [T],
}

impl<T: Real> PanelGradients<'_, T> {
    /// Puts the gradients into their places in the flat tensor's gradient.
    pub(crate) fn store(&self, dims: Dims, direction: usize, theta: &mut [T]) {
        let (padded, slots) = (dims.padded(), dims.direction_slots(direction));
        for_each_row::<T>(dims, |row, gate| {
            theta[slots.input.clone()][row * dims.linear..][..dims.linear]
                .copy_from_slice(&self.input[gate * dims.linear..][..dims.linear]);
            theta[slots.recurrent.clone()][row * dims.lstm..][..dims.lstm]
                .copy_from_slice(&self.recurrent[gate * padded..][..dims.lstm]);
            theta[slots.bias.clone()][row] = self.bias[gate];
        });
    }
}

/// Calls `f` with each row of PyTorch's gate matrices and its place in a row of gates.
fn for_each_row<T: Real>(dims: Dims, mut f: impl FnMut(usize, usize)) {
    let lanes = lanes::<T>();
    for row in 0..4 * dims.lstm {
        f(row, place(row / dims.lstm, row % dims.lstm, lanes));
    }
}
