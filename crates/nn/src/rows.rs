//! What a model reads of an utterance.

use std::borrow::Cow;
use std::hint::black_box;

use half::f16;
use half::slice::HalfFloatSliceExt as _;
use serde::{Deserialize, Serialize};

use crate::Scaling;

/// Bytes of the smallest piece that systems read of a mapped file.
const PAGE: usize = 4096;

/// Values where they lie.
#[derive(Debug, Clone, PartialEq)]
pub enum Values<'a> {
    /// In 32 bits each.
    Single(Cow<'a, [f32]>),
    /// In 16 bits each, widened whenever they are read.
    Half(&'a [f16]),
}

impl<'a> Values<'a> {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::Single(values) => values.len(),
            Self::Half(values) => values.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same values in 32 bits.
    pub fn widened(self) -> Cow<'a, [f32]> {
        match self {
            Self::Single(values) => values,
            Self::Half(values) => Cow::Owned(wide(values)),
        }
    }

    fn read(&self) -> Cow<'_, [f32]> {
        match self {
            Self::Single(values) => Cow::Borrowed(values),
            Self::Half(values) => Cow::Owned(wide(values)),
        }
    }

    /// The sum of a value of every page of memory that they lie in.
    fn touch(&self) -> f32 {
        match self {
            Self::Single(values) => values.iter().step_by(PAGE / size_of::<f32>()).sum(),
            Self::Half(values) => {
                values.iter().step_by(PAGE / size_of::<f16>()).map(|half| half.to_f32()).sum()
            }
        }
    }
}

fn wide(halves: &[f16]) -> Vec<f32> {
    let mut wide = vec![0.0; halves.len()];
    halves.convert_to_f32_slice(&mut wide);
    wide
}

impl<'a> From<&'a [f32]> for Values<'a> {
    fn from(values: &'a [f32]) -> Self {
        Self::Single(Cow::Borrowed(values))
    }
}

impl<'a> From<&'a [f16]> for Values<'a> {
    fn from(values: &'a [f16]) -> Self {
        Self::Half(values)
    }
}

/// An utterance's values, row-major: where they lie, and how they are scaled when they are read. So the
/// frames of a corpus can stay where they are, and a batch of them at a time is in memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<f32>", into = "Vec<f32>")]
pub struct Rows<'a> {
    values: Values<'a>,
    scaling: Option<&'a Scaling>,
}

impl<'a> Rows<'a> {
    /// Values that are scaled whenever they are read.
    pub fn scaled_by(scaling: &'a Scaling, values: &'a [f32]) -> Self {
        Self::of(values.into(), scaling)
    }

    /// As [`Self::scaled_by`], of values in either precision.
    pub fn of(values: Values<'a>, scaling: &'a Scaling) -> Self {
        Self { values, scaling: Some(scaling) }
    }

    /// The values, scaled.
    pub fn read(&self) -> Cow<'_, [f32]> {
        let mut values = self.values.read();
        if let Some(scaling) = self.scaling {
            scaling.apply(values.to_mut());
        }
        values
    }

    /// Has the system read the values from the disk, where they lie in a file that is mapped, so that who
    /// reads them next does not wait.
    pub fn fetch(&self) {
        if self.scaling.is_some() {
            black_box(self.values.touch());
        }
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

impl<'a, T: Into<Cow<'a, [f32]>>> From<T> for Rows<'a> {
    /// Values that are read as they are.
    fn from(values: T) -> Self {
        Self { values: Values::Single(values.into()), scaling: None }
    }
}

impl From<Rows<'_>> for Vec<f32> {
    fn from(rows: Rows<'_>) -> Self {
        rows.read().into_owned()
    }
}

/// The values of utterances, scaled.
pub fn read<'a>(utterances: &[&'a Rows<'_>]) -> Vec<Cow<'a, [f32]>> {
    utterances.iter().map(|rows| rows.read()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ScalingKind;

    #[test]
    fn values_are_scaled_when_they_are_read_and_stay_where_they_are() {
        let values = [1.0, 10.0, 3.0, 30.0];
        let scaling = Scaling::fit(ScalingKind::MinMax, [&values[..]], 2);
        let rows = Rows::scaled_by(&scaling, &values);
        assert_eq!(rows.read().as_ref(), [0.0, 0.0, 1.0, 1.0]);
        assert_eq!((rows.len(), Rows::from(&values).read().as_ref()), (4, &values[..]));
        // In 16 bits they are the same, rounded and then scaled.
        let halves = [1.0, 10.0, 3.0, 30.0].map(f16::from_f32);
        let halves = Values::from(&halves[..]);
        assert_eq!((halves.len(), halves.clone().widened().as_ref()), (4, &values[..]));
        assert_eq!(Rows::of(halves, &scaling).read(), rows.read());
        // Written down are the values that are read.
        let json = serde_json::to_string(&rows).unwrap();
        assert_eq!(
            serde_json::from_str::<Rows<'_>>(&json).unwrap(),
            Rows::from(vec![0.0, 0.0, 1.0, 1.0])
        );
    }
}
