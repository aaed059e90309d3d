//! Lowest value and range of training vectors, and the scaling to that range.

use serde::{Deserialize, Serialize};

/// Column-wise (x − lowest) / range: 0 to 1 over the vectors it was fitted on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MinMax {
    /// Lowest value of each column.
    pub lowest: Vec<f32>,
    /// Highest less lowest value of each column; 1 where a column never varies.
    pub range: Vec<f32>,
}

impl MinMax {
    /// Lowest value and range over all rows of all `utterances`, each row-major rows × `width`.
    /// Without any row the result changes nothing.
    pub fn fit(utterances: impl IntoIterator<Item: AsRef<[f32]>>, width: usize) -> Self {
        let mut extremes: Vec<Option<(f32, f32)>> = vec![None; width];
        let mut add = |row: &[f32]| {
            for (extremes, &x) in extremes.iter_mut().zip(row) {
                let (lowest, highest) = extremes.unwrap_or((x, x));
                *extremes = Some((lowest.min(x), highest.max(x)));
            }
        };
        for rows in utterances {
            rows.as_ref().chunks_exact(width).for_each(&mut add);
        }
        let extremes = || extremes.iter().map(|extremes| extremes.unwrap_or((0.0, 0.0)));
        let range = |(lowest, highest): (f32, f32)| match highest - lowest {
            // Dividing by less would overflow.
            range if range < f32::MIN_POSITIVE => 1.0,
            range => range,
        };
        Self {
            lowest: extremes().map(|(lowest, _)| lowest).collect(),
            range: extremes().map(range).collect(),
        }
    }

    /// Itself, if every column of untrusted origin can be scaled by it.
    ///
    /// # Errors
    /// What is wrong with which column.
    pub fn checked(self) -> Result<Self, String> {
        let Self { lowest, range } = &self;
        if lowest.len() != range.len() {
            return Err(format!(
                "scaling: {} lowest values but {} ranges",
                lowest.len(),
                range.len()
            ));
        }
        let usable =
            |(lowest, range): (&f32, &f32)| lowest.is_finite() && range.is_finite() && *range > 0.0;
        match lowest.iter().zip(range).position(|pair| !usable(pair)) {
            Some(column) => Err(format!(
                "scaling: column {column} has lowest value {} and range {}; expected finite numbers \
                 and a range above 0",
                lowest[column], range[column]
            )),
            None => Ok(self),
        }
    }

    /// Scales row-major rows in place; a row has as many values as `lowest`.
    pub fn apply(&self, rows: &mut [f32]) {
        for row in rows.chunks_exact_mut(self.lowest.len()) {
            for ((x, lowest), range) in row.iter_mut().zip(&self.lowest).zip(&self.range) {
                *x = (*x - lowest) / range;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn by_hand() {
        let fitted = MinMax::fit([[1.0_f32, 7.0].as_slice(), &[-3.0, 7.0], &[0.0, 7.0]], 2);
        assert_eq!(fitted, MinMax { lowest: vec![-3.0, 7.0], range: vec![4.0, 1.0] });
        let mut vector = [5.0, 8.0];
        fitted.apply(&mut vector);
        assert_eq!(vector, [2.0, 1.0]);
    }

    #[test]
    fn no_vectors_change_nothing() {
        let mut vector = [1.5, -2.5];
        MinMax::fit([[0.0_f32; 0]; 0], 2).apply(&mut vector);
        assert_eq!(vector, [1.5, -2.5]);
    }

    proptest! {
        #[test]
        fn every_column_spans_0_to_1(
            vectors in prop::collection::vec(prop::array::uniform3(-1e6_f32..1e6), 2..20),
        ) {
            let fitted = MinMax::fit(vectors.iter().map(<[f32; 3]>::as_slice), 3);
            let mut scaled = vectors.clone();
            for vector in &mut scaled {
                fitted.apply(vector);
            }
            for column in 0..3 {
                let values = || scaled.iter().map(|vector| vector[column]);
                prop_assert_eq!(values().fold(f32::INFINITY, f32::min), 0.0);
                if vectors.iter().any(|vector| vector[column] != vectors[0][column]) {
                    prop_assert_eq!(values().fold(0.0, f32::max), 1.0);
                }
            }
        }
    }
}
