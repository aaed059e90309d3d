//! The samples of a block of frames, laid out so that the frames lie side by side.

use pulp::{Arch, Simd, WithSimd};

use crate::framing::rescale;
use crate::lanes::BLOCK;

/// The samples of [`BLOCK`] consecutive frames and of what later frames share with them. Frames
/// begin a step apart, so the signal is held as a table of that many rows, one column per step:
///
/// ```text
///             column 0   column 1   column 2
/// row 0       x[0]       x[160]     x[320]   …
/// row 1       x[1]       x[161]     x[321]   …
/// …
/// row 159     x[159]     x[319]     x[479]   …
/// ```
///
/// Sample n of frames j, j + 1, … are neighbours in row n mod 160, from column j + ⌊n / 160⌋ on: one
/// load fetches them, and a sample that three frames share is stored once.
#[derive(Clone)]
pub(crate) struct Signal {
    step: usize,
    columns: usize,
    table: Vec<f32>,
    /// Scratch for a column.
    scaled: Vec<f32>,
    /// Zeros before the signal.
    margin: usize,
    /// Samples that are there, those zeros included.
    filled: usize,
    /// Samples that the frames of a block reach over.
    capacity: usize,
}

/// [`Signal::put`] for the instruction set at hand.
struct Fill<'a> {
    signal: &'a mut Signal,
    samples: &'a [f32],
}

impl WithSimd for Fill<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.signal.put(self.samples);
    }
}

/// Where the samples of a frame lie.
#[derive(Clone)]
pub(crate) struct FramePlaces(Vec<usize>);

impl Signal {
    /// For frames every `step` samples that reach over `span` samples each, the first of which
    /// begins `margin` samples before the signal.
    pub(crate) fn new(step: usize, span: usize, margin: usize) -> Self {
        let capacity = BLOCK * step + span.saturating_sub(step);
        let columns = capacity.div_ceil(step);
        let table = vec![0.0; step * columns];
        Self { step, columns, table, scaled: vec![0.0; step], margin, filled: margin, capacity }
    }

    /// Where the samples lie of frames of `length` that begin `offset` samples into their span.
    pub(crate) fn places(&self, offset: usize, length: usize) -> FramePlaces {
        FramePlaces((offset..offset + length).map(|n| self.place(n)).collect())
    }

    fn place(&self, n: usize) -> usize {
        n % self.step * self.columns + n / self.step
    }

    /// Forgets all samples.
    pub(crate) fn clear(&mut self) {
        self.table.fill(0.0);
        self.filled = self.margin;
    }

    /// Whether all samples of a block are there.
    pub(crate) fn is_full(&self) -> bool {
        self.filled == self.capacity
    }

    /// How many blocks that many more samples complete.
    pub(crate) fn blocks(&self, samples: usize) -> usize {
        let filled = self.filled + samples;
        filled.checked_sub(self.capacity).map_or(0, |over| 1 + over / (BLOCK * self.step))
    }

    /// Takes as many samples as the block has room for and gives back the others.
    pub(crate) fn fill<'a>(&mut self, arch: Arch, samples: &'a [f32]) -> &'a [f32] {
        let (taken, left) = samples.split_at(samples.len().min(self.capacity - self.filled));
        arch.dispatch(Fill { signal: self, samples: taken });
        left
    }

    /// Puts samples into their places, of which there are enough.
    #[inline(always)]
    fn put(&mut self, mut samples: &[f32]) {
        while !samples.is_empty() {
            let (row, column) = (self.filled % self.step, self.filled / self.step);
            let (piece, others) = samples.split_at(samples.len().min(self.step - row));
            // In two steps, of which the first is one for vector registers.
            let scaled = &mut self.scaled[..piece.len()];
            for (to, &sample) in scaled.iter_mut().zip(piece) {
                *to = rescale(sample);
            }
            let rows = self.table[row * self.columns..].chunks_exact_mut(self.columns);
            for (row, &mut sample) in rows.zip(scaled) {
                row[column] = sample;
            }
            self.filled += piece.len();
            samples = others;
        }
    }

    /// Zeros up to the end of the block.
    pub(crate) fn pad(&mut self) {
        for n in self.filled..self.capacity {
            let place = self.place(n);
            self.table[place] = 0.0;
        }
        self.filled = self.capacity;
    }

    /// Drops the frames of the block; the samples that later ones share become the first.
    pub(crate) fn advance(&mut self) {
        for row in self.table.chunks_exact_mut(self.columns) {
            row.copy_within(BLOCK.., 0);
        }
        self.filled -= BLOCK * self.step;
    }

    /// Copies the samples of frames `first` and following, one row per sample.
    #[inline(always)]
    pub(crate) fn gather<S: Simd>(&self, places: &FramePlaces, first: usize, rows: &mut [S::f32s]) {
        for (row, &place) in rows.iter_mut().zip(&places.0) {
            *row = S::as_simd_f32s(&self.table[place + first..][..S::F32_LANES]).0[0];
        }
    }
}
