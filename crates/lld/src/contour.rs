//! What is done along time: moving average and deltas (§12).

use crate::set::ContourSettings;

/// Smooths rows of statics and appends their deltas, as they come. A row comes out once all rows are
/// there that it depends on. The rules of §12 for windows that reach past the end concern only rows
/// that have to wait for the end.
#[derive(Clone)]
pub(crate) struct Contour {
    /// Half widths of the moving average's window and of the deltas'.
    reach: [usize; 2],
    statics: Track,
    smoothed: Track,
}

impl Contour {
    /// For rows of `width` statics.
    pub(crate) fn new(settings: &ContourSettings, width: usize) -> Self {
        Self {
            reach: [settings.smoothing / 2, settings.delta_half_width],
            statics: Track::new(width),
            smoothed: Track::new(width),
        }
    }

    /// Takes the next rows of statics and appends to `out` the rows that are now complete.
    pub(crate) fn push(&mut self, statics: &[f32], out: &mut Vec<f32>) {
        let [average, delta] = self.reach;
        self.statics.data.extend_from_slice(statics);
        let smooth = self.statics.rows().saturating_sub(average);
        self.statics.average(average, smooth, usize::MAX, &mut self.smoothed.data);
        let complete = self.smoothed.rows().saturating_sub(delta);
        self.smoothed.append_deltas(delta, complete, usize::MAX, out);
    }

    /// Appends the rows that are left, and is ready for the next utterance.
    pub(crate) fn finish(&mut self, out: &mut Vec<f32>) {
        let [average, delta] = self.reach;
        let frames = self.statics.rows();
        let rows = self.rows(frames);
        self.statics.average(average, rows, frames, &mut self.smoothed.data);
        self.smoothed.append_deltas(delta, rows, frames, out);
        self.statics.clear();
        self.smoothed.clear();
    }

    /// Rows that come out of `frames` frames: smoothing over 2 h + 1 adds h rows.
    pub(crate) fn rows(&self, frames: usize) -> usize {
        if frames == 0 { 0 } else { frames + self.reach[0] }
    }

    /// How many of them come out before the end.
    pub(crate) fn rows_before_end(&self, frames: usize) -> usize {
        frames.saturating_sub(self.reach[0] + self.reach[1])
    }
}

#[cfg(test)]
impl Contour {
    /// Values that there is memory for.
    pub(crate) fn held(&self) -> usize {
        self.statics.data.capacity() + self.smoothed.data.capacity()
    }
}

/// Rows of a table, of which the first are forgotten.
#[derive(Clone)]
struct Track {
    width: usize,
    data: Vec<f32>,
    forgotten: usize,
    /// Rows that went on to the next step.
    done: usize,
}

impl Track {
    fn new(width: usize) -> Self {
        Self { width, data: Vec::new(), forgotten: 0, done: 0 }
    }

    /// Rows that have come, forgotten ones included.
    fn rows(&self) -> usize {
        self.forgotten + self.data.len() / self.width
    }

    fn clear(&mut self) {
        self.data.clear();
        (self.forgotten, self.done) = (0, 0);
    }

    /// Row `row + offset` as a window reaching `reach` rows to both sides sees it from row `row`:
    /// the first and the last row stand for those beyond, except that a window which still hangs
    /// over the start sees nothing (zeros) past the first `known` rows.
    fn neighbour(&self, row: usize, offset: isize, reach: usize, known: usize) -> Option<&[f32]> {
        let index = row.saturating_add_signed(offset);
        if row < reach && index >= known {
            return None;
        }
        let index = index.min(self.rows() - 1) - self.forgotten;
        Some(&self.data[index * self.width..][..self.width])
    }

    /// §12: appends the moving average over 2 `half` + 1 rows of the rows before `end` to `out`.
    /// `known` is the number of rows where that is all there are.
    fn average(&mut self, half: usize, end: usize, known: usize, out: &mut Vec<f32>) {
        for row in self.done..end {
            let start = out.len();
            out.extend_from_slice(self.neighbour(row, 0, 0, 0).unwrap_or_default());
            for distance in 1..=half as isize {
                for offset in [-distance, distance] {
                    add(&mut out[start..], self.neighbour(row, offset, half, known));
                }
            }
            out[start..].iter_mut().for_each(|y| *y /= (2 * half + 1) as f32);
        }
        self.forget(end, half);
    }

    /// §12: appends the rows before `end` to `out`, each followed by its deltas, the regression over
    /// `half` rows to both sides. `frames` is the number of frames where these are all rows: as
    /// many were there when the first delta was taken, before those that smoothing added.
    fn append_deltas(&mut self, half: usize, end: usize, frames: usize, out: &mut Vec<f32>) {
        let norm = (2 * (1..=half).map(|i| i * i).sum::<usize>()) as f32;
        for row in self.done..end {
            out.extend_from_slice(self.neighbour(row, 0, 0, 0).unwrap_or_default());
            let start = out.len();
            out.resize(start + self.width, 0.0);
            let known = frames.saturating_add(row).min(self.rows());
            for distance in 1..=half {
                let before = self.neighbour(row, -(distance as isize), half, known);
                let after = self.neighbour(row, distance as isize, half, known);
                regress(&mut out[start..], distance as f32, before, after);
            }
            out[start..].iter_mut().for_each(|d| *d /= norm);
        }
        self.forget(end, half);
    }

    /// Notes that the rows before `end` are done, and forgets those that no window of `reach` rows
    /// to both sides sees from there.
    fn forget(&mut self, end: usize, reach: usize) {
        self.done = end;
        let first = end.saturating_sub(reach).clamp(self.forgotten, self.rows());
        self.data.drain(..(first - self.forgotten) * self.width);
        self.forgotten = first;
    }
}

fn add(sums: &mut [f32], row: Option<&[f32]>) {
    if let Some(row) = row {
        sums.iter_mut().zip(row).for_each(|(y, x)| *y += x);
    }
}

/// Adds `weight` (after - before) to `sums`; a row that is not there is zero.
fn regress(sums: &mut [f32], weight: f32, before: Option<&[f32]>, after: Option<&[f32]>) {
    match (before, after) {
        (Some(before), Some(after)) => {
            let pairs = sums.iter_mut().zip(before).zip(after);
            pairs.for_each(|((sum, before), after)| *sum += weight * (after - before));
        }
        (before, after) => {
            let value = |row: Option<&[f32]>, column: usize| row.map_or(0.0, |row| row[column]);
            for (column, sum) in sums.iter_mut().enumerate() {
                *sum += weight * (value(after, column) - value(before, column));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Smoothed rows of one column, and their deltas.
    fn contour(data: &[f32], smoothing: usize) -> (Vec<f32>, Vec<f32>) {
        let mut contour = Contour::new(&ContourSettings { smoothing, delta_half_width: 2 }, 1);
        let mut rows = Vec::new();
        contour.push(data, &mut rows);
        contour.finish(&mut rows);
        rows.chunks_exact(2).map(|row| (row[0], row[1])).unzip()
    }

    fn deltas(data: &[f32]) -> Vec<f32> {
        contour(data, 1).1
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
        assert_eq!(contour(&[3.0, 6.0, 9.0], 3).0, [4.0, 6.0, 8.0, 9.0]);
    }

    #[test]
    fn a_single_row_is_smoothed_to_two_thirds_of_itself() {
        assert_eq!(contour(&[3.0], 3).0, [2.0, 3.0]);
    }

    #[test]
    fn smoothed_rows_that_came_late_read_as_zero_for_the_first_delta() {
        // One row smoothed to two: at the first delta only one row was there.
        assert_eq!(contour(&[3.0], 3).1, [-0.6, deltas(&[2.0, 3.0])[1]]);
    }

    proptest! {
        #[test]
        fn an_average_over_one_row_changes_nothing(
            data in prop::collection::vec(-1e3f32..1e3, 0..40),
        ) {
            prop_assert_eq!(contour(&data, 1).0, data);
        }

        #[test]
        fn a_constant_stays_and_has_no_delta(rows in 4usize..50, c in -100i16..100) {
            let (smoothed, deltas) = contour(&vec![f32::from(c); rows], 3);
            prop_assert_eq!(smoothed, vec![f32::from(c); rows + 1]);
            prop_assert!(deltas.iter().all(|&d| d == 0.0));
        }
    }
}
