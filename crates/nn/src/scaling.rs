//! How the values that a model reads are scaled, as its fold's training utterances span them.

mod mean_variance;
mod min_max;

pub use mean_variance::MeanVariance;
pub use min_max::MinMax;

/// A way of scaling, before it is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScalingKind {
    /// [`MeanVariance`].
    MeanVariance,
    /// [`MinMax`].
    MinMax,
}

/// A scaling, column by column.
#[derive(Debug, Clone, PartialEq)]
pub enum Scaling {
    /// To mean 0 and deviation 1.
    MeanVariance(MeanVariance),
    /// To the range from 0 to 1.
    MinMax(MinMax),
}

impl Scaling {
    /// Fits it to `utterances`, each row-major rows × `width`. Without any row the result changes
    /// nothing.
    pub fn fit(
        kind: ScalingKind,
        utterances: impl IntoIterator<Item: AsRef<[f32]>>,
        width: usize,
    ) -> Self {
        match kind {
            ScalingKind::MeanVariance => Self::MeanVariance(MeanVariance::fit(utterances, width)),
            ScalingKind::MinMax => Self::MinMax(MinMax::fit(utterances, width)),
        }
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        match self {
            Self::MeanVariance(scaling) => scaling.mean.len(),
            Self::MinMax(scaling) => scaling.lowest.len(),
        }
    }

    /// Scales row-major rows of [`Self::width`] values in place.
    pub fn apply(&self, rows: &mut [f32]) {
        match self {
            Self::MeanVariance(scaling) => scaling.apply(rows),
            Self::MinMax(scaling) => scaling.apply(rows),
        }
    }

    /// The same rows, scaled.
    pub fn applied(&self, rows: &[f32]) -> Vec<f32> {
        let mut rows = rows.to_vec();
        self.apply(&mut rows);
        rows
    }
}
