//! The table of descriptors of one utterance.

use std::sync::Arc;

/// One row of descriptors per frame, in time order.
#[derive(Debug, Clone, PartialEq)]
pub struct Frames {
    columns: Arc<[String]>,
    data: Vec<f32>,
}

impl Frames {
    /// `data` is row-major: frames × columns.
    pub(crate) fn new(columns: Arc<[String]>, data: Vec<f32>) -> Self {
        Self { columns, data }
    }

    /// Names of the descriptors, in column order.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Number of frames.
    pub fn len(&self) -> usize {
        self.data.len() / self.width()
    }

    /// Whether the utterance was shorter than one frame.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// Number of descriptors per frame.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// The descriptors of frame `index`; panics where there is no such frame.
    pub fn row(&self, index: usize) -> &[f32] {
        &self.data[index * self.width()..][..self.width()]
    }

    /// The frames' rows in time order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.data.chunks_exact(self.width())
    }

    /// The values of column `index` in time order; panics where there is no such column.
    pub fn column(&self, index: usize) -> impl ExactSizeIterator<Item = f32> + '_ {
        assert!(index < self.width(), "column {index} of {}", self.width());
        self.rows().map(move |row| row[index])
    }

    /// All values, row-major: frames × columns.
    pub fn data(&self) -> &[f32] {
        &self.data
    }

    /// Gives up all values, row-major: frames × columns.
    pub fn into_data(self) -> Vec<f32> {
        self.data
    }
}
