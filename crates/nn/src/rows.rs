//! What a model reads of an utterance.

use std::borrow::Cow;
use std::hint::black_box;

use serde::{Deserialize, Serialize};

use crate::Scaling;

/// Bytes of the smallest piece that systems read of a mapped file.
const PAGE: usize = 4096;

/// An utterance's values, row-major: where they lie, and how they are scaled when they are read. So the
/// frames of a corpus can stay where they are, and a batch of them at a time is in memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<f32>", into = "Vec<f32>")]
pub struct Rows<'a> {
    values: Cow<'a, [f32]>,
    scaling: Option<&'a Scaling>,
}

impl<'a> Rows<'a> {
    /// Values that are scaled whenever they are read.
    pub fn scaled_by(scaling: &'a Scaling, values: &'a [f32]) -> Self {
        Self { values: Cow::Borrowed(values), scaling: Some(scaling) }
    }

    /// The values, scaled.
    pub fn read(&self) -> Cow<'_, [f32]> {
        match self.scaling {
            Some(scaling) => Cow::Owned(scaling.applied(&self.values)),
            None => Cow::Borrowed(&self.values),
        }
    }

    /// Has the system read the values from the disk, where they lie in a file that is mapped, so that who
    /// reads them next does not wait.
    pub fn fetch(&self) {
        if self.scaling.is_some() {
            // A value of every page.
            black_box(self.values.iter().step_by(PAGE / size_of::<f32>()).sum::<f32>());
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
        Self { values: values.into(), scaling: None }
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
        // Written down are the values that are read.
        let json = serde_json::to_string(&rows).unwrap();
        assert_eq!(
            serde_json::from_str::<Rows<'_>>(&json).unwrap(),
            Rows::from(vec![0.0, 0.0, 1.0, 1.0])
        );
    }
}
