//! How closely descriptors agree with openSMILE's (§13).

use crate::FeatureSet;

/// Agreement with reference tables, recording after recording.
#[derive(Debug, Clone)]
pub struct Agreement {
    columns: Vec<Column>,
    /// Frames to each side that go into a delta.
    reach: usize,
    recordings: usize,
}

#[derive(Debug, Clone)]
struct Column {
    name: String,
    /// Absolute error of every frame.
    errors: Vec<f32>,
    within: usize,
    worst: Worst,
}

/// The frame of a column's largest error.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Worst {
    /// The error, absolute; infinite where a value is not a number.
    pub error: f32,
    /// What would have been allowed there.
    pub allowed: f32,
    /// Number of the recording, in the order in which they were added, from 0.
    pub recording: usize,
    /// Number of the frame, from 0.
    pub frame: usize,
}

/// Agreement of one column over all frames.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnAgreement {
    /// Name of the column.
    pub name: String,
    /// Number of frames compared.
    pub frames: usize,
    /// Number of them within the tolerance.
    pub within: usize,
    /// Number of them without any error.
    pub identical: usize,
    /// Median of the absolute error.
    pub median_error: f32,
    /// The largest absolute error and where it is.
    pub worst: Worst,
}

impl ColumnAgreement {
    /// Whether every frame is within the tolerance.
    pub fn holds(&self) -> bool {
        self.within == self.frames
    }
}

impl Agreement {
    /// Nothing compared yet, for tables of this set.
    pub fn new(set: &FeatureSet) -> Self {
        let column = |name| Column { name, errors: Vec::new(), within: 0, worst: Worst::default() };
        Self {
            columns: set.columns().into_iter().map(column).collect(),
            reach: set.contour.delta_half_width,
            recordings: 0,
        }
    }

    /// Compares the tables of one recording, both row-major with the set's columns.
    ///
    /// # Panics
    /// Where the tables differ in length.
    pub fn add(&mut self, got: &[f32], reference: &[f32]) {
        assert_eq!(got.len(), reference.len(), "tables of different lengths");
        let width = self.columns.len();
        for (at, (got, expected)) in got.iter().zip(reference).enumerate() {
            let (frame, column) = (at / width, at % width);
            let scale = scale(reference, width, self.reach, frame, column);
            let error = (got - expected).abs();
            let error = if error.is_nan() { f32::INFINITY } else { error };
            self.columns[column].add(error, scale, self.recordings, frame);
        }
        self.recordings += 1;
    }

    /// The agreement of every column, in the set's order.
    pub fn columns(&self) -> Vec<ColumnAgreement> {
        self.columns.iter().map(Column::summary).collect()
    }
}

impl Column {
    fn add(&mut self, error: f32, scale: f32, recording: usize, frame: usize) {
        let allowed = tolerance(&self.name, scale);
        self.within += usize::from(error <= allowed);
        if error > self.worst.error {
            self.worst = Worst { error, allowed, recording, frame };
        }
        self.errors.push(error);
    }

    fn summary(&self) -> ColumnAgreement {
        let mut sorted = self.errors.clone();
        sorted.sort_by(f32::total_cmp);
        ColumnAgreement {
            name: self.name.clone(),
            frames: sorted.len(),
            within: self.within,
            identical: sorted.partition_point(|&error| error == 0.0),
            median_error: sorted.get(sorted.len() / 2).copied().unwrap_or(0.0),
            worst: self.worst,
        }
    }
}

/// How far a value may lie from its reference, which may have been computed with any transform:
/// MFCC and voicing probability in absolute numbers, everything else 10⁻⁵ of `scale`.
fn tolerance(column: &str, scale: f32) -> f32 {
    let delta = column.contains("_de");
    if column.contains("mfcc") {
        if delta { 5e-4 } else { 2e-3 }
    } else if column.starts_with("voiceProb") {
        if delta { 1e-6 } else { 2e-6 }
    } else {
        1e-5 * scale
    }
}

/// Largest reference value that goes into a value: itself, or all those of its delta, which rounds
/// at the size of those values.
fn scale(reference: &[f32], width: usize, reach: usize, frame: usize, column: usize) -> f32 {
    let statics = width / 2;
    let (column, reach) = if column < statics { (column, 0) } else { (column - statics, reach) };
    let first = frame.saturating_sub(reach);
    let last = (frame + reach).min(reference.len() / width - 1);
    let values = (first..=last).map(|frame| reference[frame * width + column].abs());
    values.fold(0.0, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `frames` rows of ones, and a copy where `change` was added to one value.
    fn with_change(frame: usize, column: usize, change: f32) -> Vec<ColumnAgreement> {
        let set = FeatureSet::builtin("ser32").unwrap();
        let reference = vec![1.0; 5 * 32];
        let mut got = reference.clone();
        got[frame * 32 + column] += change;
        let mut agreement = Agreement::new(&set);
        agreement.add(&reference, &reference);
        agreement.add(&got, &reference);
        agreement.columns()
    }

    #[test]
    fn equal_tables_agree() {
        assert!(with_change(0, 0, 0.0).iter().all(|c| c.holds() && c.identical == 10));
    }

    #[test]
    fn errors_up_to_the_tolerance_pass_and_others_do_not() {
        let planted = [(0, 1.9e-3, 2.1e-3), (12, 0.9e-5, 1.2e-5), (14, 1.9e-6, 2.2e-6)];
        let deltas = [(16, 4.9e-4, 5.2e-4), (29, 0.9e-5, 1.2e-5), (30, 0.9e-6, 1.2e-6)];
        for (column, small, large) in planted.into_iter().chain(deltas) {
            let columns = with_change(3, column, small);
            assert!(columns.iter().all(ColumnAgreement::holds), "{:?}", columns[column]);
            for change in [large, -large, f32::NAN] {
                let columns = with_change(3, column, change);
                let failed: Vec<_> = columns.iter().filter(|column| !column.holds()).collect();
                let [found] = failed[..] else { panic!("{failed:?}") };
                assert_eq!(found.name, columns[column].name);
                assert_eq!((found.frames, found.within, found.identical), (10, 9, 9));
                assert_eq!((found.worst.recording, found.worst.frame), (1, 3));
                assert_eq!(found.median_error, 0.0);
            }
        }
    }

    #[test]
    fn a_delta_is_held_to_the_statics_around_it() {
        let mut reference = vec![0.0; 6 * 32];
        reference[3 * 32 + 13] = 200.0;
        let allowed = |frame| scale(&reference, 32, 2, frame, 29);
        assert_eq!([0, 1, 3, 5].map(allowed), [0.0, 200.0, 200.0, 200.0]);
    }
}
