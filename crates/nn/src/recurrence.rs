//! The recurrence of one direction over time, forward and back.
//!
//! Both passes walk the time steps of a [`Packing`] and touch only the rows of utterances that are
//! still running. The forward direction starts at each utterance's first frame, the backward
//! direction at its own last frame; a row without a predecessor starts from a zero state.

use pulp::{Simd, WithSimd};

use crate::attention::OutputGradients;
use crate::kernel::{Columns, Product, cell, cell_gradient};
use crate::packing::Packing;
use crate::real::Real;

/// Depth of the pieces into which the step back cuts its sums, so that a piece of the weights
/// (32 KiB in `f32`) stays in the first-level cache while the rows pass.
const DEPTH: usize = 128;

/// Which way a direction walks, and over what.
#[derive(Clone, Copy)]
pub(crate) struct Walk<'a> {
    /// The batch.
    pub(crate) packing: &'a Packing,
    /// Whether this is the backward direction.
    pub(crate) reverse: bool,
    /// Units per row, padded.
    pub(crate) width: usize,
}

/// The rows of one time step, and those of the state before it.
struct Rows {
    first: usize,
    count: usize,
    before: usize,
    /// Rows that have a state before them; the first ones.
    continued: usize,
}

impl Walk<'_> {
    /// Rows of the `step`-th step in this direction's order.
    fn rows(&self, step: usize) -> Rows {
        let packing = self.packing;
        let t = if self.reverse { packing.steps() - 1 - step } else { step };
        let (first, count) = (packing.offset(t), packing.active(t));
        let (before, continued) = match (self.reverse, t) {
            (true, t) => (packing.offset(t + 1), packing.active(t + 1)),
            (false, 0) => (0, 0),
            (false, t) => (packing.offset(t - 1), count),
        };
        Rows { first, count, before, continued }
    }

    /// Splits a matrix of `width` values a row into the rows of the state before and those of now.
    fn split<'m, T>(&self, rows: &Rows, matrix: &'m mut [T]) -> (&'m [T], &'m mut [T]) {
        let width = self.width;
        let (now, before) = if self.reverse {
            let (head, tail) = matrix.split_at_mut((rows.first + rows.count) * width);
            (&mut head[rows.first * width..], &*tail)
        } else {
            let (head, tail) = matrix.split_at_mut(rows.first * width);
            (&mut tail[..rows.count * width], &head[rows.before * width..])
        };
        (&before[..rows.continued * width], now)
    }

    /// For every row, that row of `matrix` which came before it in this direction; zeros where
    /// none did. Shapes `[frames, width]`.
    pub(crate) fn shift<T: Real>(&self, matrix: &[T], shifted: &mut [T]) {
        let width = self.width;
        for step in 0..self.packing.steps() {
            let rows = self.rows(step);
            let now = &mut shifted[rows.first * width..][..rows.count * width];
            let (continued, fresh) = now.split_at_mut(rows.continued * width);
            continued.copy_from_slice(&matrix[rows.before * width..][..rows.continued * width]);
            fresh.fill(T::ZERO);
        }
    }
}

/// The recurrence forward: `gates` holds the input projections without bias and receives the activated gates;
/// `cells` and `hidden` receive the states.
pub(crate) struct Ahead<'a, T> {
    pub(crate) walk: Walk<'a>,
    /// Recurrent weights, as [`crate::panel::Panels::ahead`].
    pub(crate) panels: &'a [T],
    /// `[4·width]`.
    pub(crate) bias: &'a [T],
    /// `[frames, 4·width]`.
    pub(crate) gates: &'a mut [T],
    /// `[frames, width]`.
    pub(crate) cells: &'a mut [T],
    /// `[frames, width]`.
    pub(crate) hidden: &'a mut [T],
}

impl<T: Real> WithSimd for Ahead<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let width = self.walk.width;
        for index in 0..self.walk.packing.steps() {
            let rows = self.walk.rows(index);
            let (cells_before, cells) = self.walk.split(&rows, self.cells);
            let (hidden_before, hidden) = self.walk.split(&rows, self.hidden);
            let gates = &mut self.gates[rows.first * 4 * width..][..rows.count * 4 * width];
            let mut step = Step { width, cells_before, hidden_before, gates, cells, hidden };
            step.run(simd, self.panels, self.bias);
        }
    }
}

/// One time step forward.
struct Step<'a, T> {
    width: usize,
    cells_before: &'a [T],
    hidden_before: &'a [T],
    gates: &'a mut [T],
    cells: &'a mut [T],
    hidden: &'a mut [T],
}

impl<T: Real> Step<'_, T> {
    /// Block by block, so that a block's weights stay in the first-level cache.
    #[inline(always)]
    fn run<S: Simd>(&mut self, simd: S, panels: &[T], bias: &[T]) {
        let (width, block_length) = (self.width, 4 * T::lanes::<S>());
        let panels = panels.chunks_exact(block_length * width);
        for (block, (panel, bias)) in panels.zip(bias.chunks_exact(block_length)).enumerate() {
            let continued = &mut self.gates[..self.hidden_before.len() * 4];
            let first = block * block_length;
            simd.vectorize(Product {
                rows: Columns { matrix: self.hidden_before, stride: width, first: 0 },
                panel,
                sums: Columns { matrix: continued, stride: 4 * width, first },
            });
            simd.vectorize(Update { step: self, block, bias });
        }
    }
}

/// The cell updates of one block of units, from the gates' sums but for their bias.
struct Update<'s, 'a, T> {
    step: &'s mut Step<'a, T>,
    block: usize,
    bias: &'s [T],
}

impl<T: Real> WithSimd for Update<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Step { width, cells_before, gates, cells, hidden, .. } = self.step;
        let (width, lanes) = (*width, T::lanes::<S>());
        let units = self.block * lanes..(self.block + 1) * lanes;
        let bias = T::registers::<S>(self.bias);
        let mut before = cells_before.chunks_exact(width);
        let states = cells.chunks_exact_mut(width).zip(hidden.chunks_exact_mut(width));
        for (gates, (cells, hidden)) in gates.chunks_exact_mut(4 * width).zip(states) {
            let gates = &mut gates[4 * units.start..4 * units.end];
            let gates = &mut T::registers_mut::<S>(gates).as_chunks_mut::<4>().0[0];
            let sums = std::array::from_fn(|q| T::lanes_add(simd, gates[q], bias[q]));
            let before = before.next().map(|row| T::registers::<S>(&row[units.clone()])[0]);
            let cell = cell::<T, S>(simd, sums, before);
            *gates = cell.gates;
            T::registers_mut::<S>(&mut cells[units.clone()])[0] = cell.state;
            T::registers_mut::<S>(&mut hidden[units.clone()])[0] = cell.output;
        }
    }
}

/// The recurrence back: `gates` holds the activated gates and receives the gradients of their sums.
pub(crate) struct Back<'a, T> {
    pub(crate) walk: Walk<'a>,
    /// Recurrent weights, as [`crate::panel::Panels::back`].
    pub(crate) panels: &'a [T],
    /// `[frames, 4·width]`.
    pub(crate) gates: &'a mut [T],
    /// `[frames, width]`, from the pass forward.
    pub(crate) cells: &'a [T],
    /// Gradient of the outputs.
    pub(crate) outputs: &'a OutputGradients<'a, T>,
    /// Place for one row of it, `[width]`.
    pub(crate) output: &'a mut [T],
    /// Gradient that flows from step to step through the outputs: zeros, `[utterances, width]`.
    pub(crate) flow: &'a mut [T],
    /// Likewise through the cell states.
    pub(crate) state_flow: &'a mut [T],
}

impl<T: Real> WithSimd for Back<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        for step in (0..self.walk.packing.steps()).rev() {
            let rows = self.walk.rows(step);
            simd.vectorize(CellsBack { back: &mut self, rows: &rows });
            let width = self.walk.width;
            let gates = &self.gates[rows.first * 4 * width..][..rows.continued * 4 * width];
            let flow = &mut self.flow[..rows.continued * width];
            flow_back(simd, gates, self.panels, flow, width);
        }
    }
}

/// The cells of one step back.
struct CellsBack<'s, 'a, T> {
    back: &'s mut Back<'a, T>,
    rows: &'s Rows,
}

impl<T: Real> WithSimd for CellsBack<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for row in 0..self.rows.count {
            self.back.cells_back(simd, self.rows, row);
        }
    }
}

impl<T: Real> Back<'_, T> {
    /// Gradients of one row's gates.
    #[inline(always)]
    fn cells_back<S: Simd>(&mut self, simd: S, rows: &Rows, row: usize) {
        let (width, lanes) = (self.walk.width, T::lanes::<S>());
        let now = (rows.first + row) * width..(rows.first + row + 1) * width;
        let gates = &mut self.gates[4 * now.start..4 * now.end];
        let gates = T::registers_mut::<S>(gates).as_chunks_mut::<4>().0;
        let direction = usize::from(self.walk.reverse);
        self.outputs.write(direction, row, rows.first + row, self.output);
        let outputs = T::registers::<S>(self.output);
        let cells = T::registers::<S>(&self.cells[now]);
        let before = (row < rows.continued)
            .then(|| T::registers::<S>(&self.cells[(rows.before + row) * width..][..width]));
        let flow = T::registers::<S>(&self.flow[row * width..][..width]);
        let states = T::registers_mut::<S>(&mut self.state_flow[row * width..][..width]);
        for block in 0..width / lanes {
            let output = T::lanes_add(simd, outputs[block], flow[block]);
            let state = (cells[block], before.map(|b| b[block]));
            let gradient = cell_gradient::<T, S>(simd, gates[block], state, output, states[block]);
            gates[block] = gradient.sums;
            states[block] = gradient.before;
        }
    }
}

/// `flow = gates · W_hh`: what reaches the outputs of the step before.
#[inline(always)]
fn flow_back<T: Real, S: Simd>(simd: S, gates: &[T], panels: &[T], flow: &mut [T], width: usize) {
    let group = 4 * T::lanes::<S>();
    flow.fill(T::ZERO);
    for (index, panel) in panels.chunks_exact(4 * width * group).enumerate() {
        for (piece, panel) in panel.chunks(DEPTH * group).enumerate() {
            simd.vectorize(Product {
                rows: Columns { matrix: gates, stride: 4 * width, first: piece * DEPTH },
                panel,
                sums: Columns { matrix: flow, stride: width, first: index * group },
            });
        }
    }
}
