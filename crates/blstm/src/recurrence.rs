//! The recurrence of one direction over time, forward and back.
//!
//! Both passes walk the time steps of a [`Packing`] and touch only the rows of utterances that are
//! still running. The forward direction starts at each utterance's first frame, the backward
//! direction at its own last frame; a row without a predecessor starts from a zero state.

use pulp::{Simd, WithSimd};

use crate::kernel::{Cell, accumulate, cell, cell_gradient, load, store, tile_rows, with_rows};
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

/// The recurrence forward: `gates` holds the input projections and receives the activated gates;
/// `cells` and `hidden` receive the states.
pub(crate) struct Ahead<'a, T> {
    pub(crate) walk: Walk<'a>,
    /// Recurrent weights, as [`crate::panel::Panels::ahead`].
    pub(crate) panels: &'a [T],
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
            step.run(simd, self.panels, &rows);
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
    fn run<S: Simd>(&mut self, simd: S, panels: &[T], rows: &Rows) {
        let panel_length = 4 * T::lanes::<S>() * self.width;
        for (block, panel) in panels.chunks_exact(panel_length).enumerate() {
            let panel = T::registers::<S>(panel);
            let mut row = 0;
            while row < rows.continued {
                let count = tile_rows::<S>(rows.continued - row);
                with_rows!(count, update_rows::<T, S>(simd, self, block, row, panel));
                row += count;
            }
            for row in rows.continued..rows.count {
                start_row(simd, self, block, row);
            }
        }
    }

    #[inline(always)]
    fn finish<S: Simd>(&mut self, block: usize, row: usize, cell: &Cell<T::Lanes<S>>) {
        let lanes = T::lanes::<S>();
        let place = row * self.width + block * lanes;
        store::<T, S, 1>(self.gates, 4 * self.width, row, block * 4 * lanes, &[cell.gates]);
        T::registers_mut::<S>(&mut self.cells[place..place + lanes])[0] = cell.state;
        T::registers_mut::<S>(&mut self.hidden[place..place + lanes])[0] = cell.output;
    }
}

/// Updates `M` rows that have a state before them, in one block of units.
#[inline(always)]
fn update_rows<T: Real, S: Simd, const M: usize>(
    simd: S,
    step: &mut Step<T>,
    block: usize,
    first: usize,
    panel: &[T::Lanes<S>],
) {
    let (width, lanes) = (step.width, T::lanes::<S>());
    let before: [&[T]; M] =
        std::array::from_fn(|m| &step.hidden_before[(first + m) * width..][..width]);
    let sums = load::<T, S, M>(step.gates, 4 * width, first, block * 4 * lanes);
    let sums = accumulate(simd, sums, before, panel);
    for (m, sums) in sums.into_iter().enumerate() {
        let place = (first + m) * width + block * lanes;
        let state = T::registers::<S>(&step.cells_before[place..place + lanes])[0];
        let cell = cell::<T, S>(simd, sums, Some(state));
        step.finish::<S>(block, first + m, &cell);
    }
}

/// Starts a row from the zero state, in one block of units.
#[inline(always)]
fn start_row<T: Real, S: Simd>(simd: S, step: &mut Step<T>, block: usize, row: usize) {
    let column = block * 4 * T::lanes::<S>();
    let [sums] = load::<T, S, 1>(step.gates, 4 * step.width, row, column);
    let cell = cell::<T, S>(simd, sums, None);
    step.finish::<S>(block, row, &cell);
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
    /// Gradient of the outputs, `[frames, width]`.
    pub(crate) outputs: &'a [T],
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
            for row in 0..rows.count {
                self.cells_back(simd, &rows, row);
            }
            let width = self.walk.width;
            let gates = &self.gates[rows.first * 4 * width..][..rows.continued * 4 * width];
            let flow = &mut self.flow[..rows.continued * width];
            flow_back(simd, gates, self.panels, flow, width);
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
        let outputs = T::registers::<S>(&self.outputs[now.clone()]);
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
            let panel = T::registers::<S>(panel);
            let place = (piece * DEPTH, index * group);
            let (mut row, end) = (0, flow.len() / width);
            while row < end {
                let count = tile_rows::<S>(end - row);
                with_rows!(count, flow_rows::<T, S>(simd, gates, panel, flow, width, place, row));
                row += count;
            }
        }
    }
}

/// Adds a piece of the sums of [`flow_back`] for `M` rows: gates from column `place.0` on, to the
/// four registers of units from column `place.1` on.
#[inline(always)]
fn flow_rows<T: Real, S: Simd, const M: usize>(
    simd: S,
    gates: &[T],
    panel: &[T::Lanes<S>],
    flow: &mut [T],
    width: usize,
    place: (usize, usize),
    first: usize,
) {
    let depth = panel.len() / 4;
    let rows: [&[T]; M] =
        std::array::from_fn(|m| &gates[(first + m) * 4 * width + place.0..][..depth]);
    let sums = load::<T, S, M>(flow, width, first, place.1);
    let sums = accumulate(simd, sums, rows, panel);
    store::<T, S, M>(flow, width, first, place.1, &sums);
}
