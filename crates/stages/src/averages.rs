//! Means over runs.

/// The mean of vectors of one length.
#[derive(Default)]
pub(crate) struct Mean {
    sum: Vec<f64>,
    count: f64,
}

impl Mean {
    /// Takes another vector in.
    pub(crate) fn add(&mut self, values: &[f64]) {
        self.sum.resize(values.len(), 0.0);
        self.sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        self.count += 1.0;
    }

    /// What they are on average.
    pub(crate) fn mean(&self) -> Vec<f64> {
        self.sum.iter().map(|sum| sum / self.count).collect()
    }
}
