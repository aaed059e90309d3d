//! What is done along time: moving average and deltas (§12).

/// A table of frames × `width` values, row-major.
#[derive(Clone, Copy)]
struct Table<'a> {
    data: &'a [f32],
    width: usize,
}

impl<'a> Table<'a> {
    fn rows(self) -> usize {
        self.data.len() / self.width
    }

    /// Row `row + offset` as a window reaching `reach` rows to both sides sees it from row `row`:
    /// the first and the last row stand for those beyond, except that a window which still hangs
    /// over the start sees nothing (zeros) past the first `known` rows.
    fn neighbour(self, row: usize, offset: isize, reach: usize, known: usize) -> Option<&'a [f32]> {
        let index = row.saturating_add_signed(offset);
        if row < reach && index >= known {
            return None;
        }
        let index = index.min(self.rows() - 1);
        Some(&self.data[index * self.width..][..self.width])
    }
}

/// Value `column` of a row that may be unknown.
fn value(row: Option<&[f32]>, column: usize) -> f32 {
    row.map_or(0.0, |r| r[column])
}

/// §12: moving average over `window` (odd) rows of `width` columns. Averaging over 2 h + 1 rows
/// gives h rows more than went in; over 1 row it changes nothing.
pub(crate) fn smooth(data: Vec<f32>, width: usize, window: usize) -> Vec<f32> {
    let half = window / 2;
    if half == 0 || data.is_empty() {
        return data;
    }
    let table = Table { data: &data, width };
    let mut out = Vec::with_capacity(data.len() + half * width);
    for row in 0..table.rows() + half {
        let start = out.len();
        out.extend_from_slice(table.neighbour(row, 0, 0, 0).unwrap_or_default());
        for distance in 1..=half as isize {
            for offset in [-distance, distance] {
                let other = table.neighbour(row, offset, half, table.rows());
                add(&mut out[start..], other);
            }
        }
        out[start..].iter_mut().for_each(|y| *y /= window as f32);
    }
    out
}

fn add(sums: &mut [f32], row: Option<&[f32]>) {
    if let Some(row) = row {
        sums.iter_mut().zip(row).for_each(|(y, x)| *y += x);
    }
}

/// §12: appends to every row its deltas, the regression over `half` rows to both sides. `late` is
/// by how many rows the table was still incomplete when the first delta was taken: the rows that
/// smoothing added.
pub(crate) fn with_deltas(data: &[f32], width: usize, half: usize, late: usize) -> Vec<f32> {
    let table = Table { data, width };
    let norm = (2 * (1..=half).map(|i| i * i).sum::<usize>()) as f32;
    let mut out = Vec::with_capacity(2 * data.len());
    for (row, statics) in data.chunks_exact(width).enumerate() {
        out.extend_from_slice(statics);
        let start = out.len();
        out.resize(start + width, 0.0);
        let known = (table.rows() - late.min(table.rows()) + row).min(table.rows());
        for distance in 1..=half {
            let offset = distance as isize;
            let before = table.neighbour(row, -offset, half, known);
            let after = table.neighbour(row, offset, half, known);
            for (column, sum) in out[start..].iter_mut().enumerate() {
                *sum += distance as f32 * (value(after, column) - value(before, column));
            }
        }
        out[start..].iter_mut().for_each(|d| *d /= norm);
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn deltas(data: &[f32]) -> Vec<f32> {
        with_deltas(data, 1, 2, 0).chunks_exact(2).map(|row| row[1]).collect()
    }

    #[test]
    fn the_delta_of_a_ramp_is_its_slope_away_from_the_edges() {
        let ramp: Vec<f32> = (0..8).map(|t| 3.0 * t as f32).collect();
        assert_eq!(deltas(&ramp), [1.5, 2.4, 3.0, 3.0, 3.0, 3.0, 2.4, 1.5]);
    }

    #[test]
    fn in_short_files_rows_past_the_end_read_as_zero_near_the_start() {
        assert_eq!(deltas(&[1.0]), [-0.3]);
        assert_eq!(deltas(&[1.0, 1.0]), [-0.2, -0.3]);
        assert_eq!(deltas(&[1.0, 1.0, 1.0]), [0.0, -0.2, 0.0]);
        assert_eq!(deltas(&[1.0; 4]), [0.0; 4]);
    }

    #[test]
    fn smoothing_adds_a_row_equal_to_the_last_one_before() {
        assert_eq!(smooth(vec![3.0, 6.0, 9.0], 1, 3), [4.0, 6.0, 8.0, 9.0]);
    }

    #[test]
    fn a_single_row_is_smoothed_to_two_thirds_of_itself() {
        assert_eq!(smooth(vec![3.0, 6.0], 2, 3), [2.0, 4.0, 3.0, 6.0]);
    }

    #[test]
    fn smoothed_rows_that_came_late_read_as_zero_for_the_first_delta() {
        // One row smoothed to two: at the first delta only one row was there.
        let row = with_deltas(&[2.0, 3.0], 1, 2, 1);
        assert_eq!(row, [2.0, -0.6, 3.0, with_deltas(&[2.0, 3.0], 1, 2, 0)[3]]);
    }

    proptest! {
        #[test]
        fn an_average_over_one_row_changes_nothing(
            data in prop::collection::vec(-1e3f32..1e3, 0..40),
        ) {
            prop_assert_eq!(smooth(data.clone(), 1, 1), data);
        }

        #[test]
        fn a_constant_stays_and_has_no_delta(rows in 4usize..50, c in -100i16..100) {
            let smoothed = smooth(vec![f32::from(c); rows], 1, 3);
            prop_assert_eq!(&smoothed, &vec![f32::from(c); rows + 1]);
            prop_assert!(deltas(&smoothed).iter().all(|&d| d == 0.0));
        }
    }
}
