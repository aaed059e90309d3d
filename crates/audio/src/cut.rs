//! The part of a file that is wanted.

use std::fmt;
use std::ops::Range;

use crate::Problem;

/// How far an end may lie beyond the file's: tables write times to the hundredth of a second.
const END_SLACK_S: f64 = 0.01;

/// The part of a file from `start_s` to `end_s`; by default all of it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cut {
    /// Start in seconds; the file's own where left out.
    pub start_s: Option<f64>,
    /// End in seconds; the file's own where left out.
    pub end_s: Option<f64>,
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from {} s ", self.start_s.unwrap_or(0.0))?;
        match self.end_s {
            Some(end) => write!(f, "to {end} s"),
            None => write!(f, "to the end"),
        }
    }
}

impl Cut {
    /// The samples wanted at `rate` Hz, of a file without end.
    pub(crate) fn nearest(self, rate: u32) -> Range<usize> {
        let nearest = |seconds: f64| (seconds * f64::from(rate)).round() as usize;
        nearest(self.start_s.unwrap_or(0.0))..self.end_s.map_or(usize::MAX, nearest)
    }

    /// The samples wanted out of `length` at `rate` Hz. An end up to 10 ms beyond the file's is taken
    /// for the file's.
    pub(crate) fn range(self, length: usize, rate: u32) -> Result<Range<usize>, Problem> {
        let duration_s = length as f64 / f64::from(rate);
        let start = self.start_s.unwrap_or(0.0);
        let end = self.end_s.unwrap_or(duration_s);
        let nearest = self.nearest(rate);
        let range = nearest.start..nearest.end.min(length);
        let within = start >= 0.0 && end <= duration_s + END_SLACK_S && range.start < range.end;
        if within { Ok(range) } else { Err(Problem::Cut { cut: self, duration_s }) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(start_s: Option<f64>, end_s: Option<f64>) -> Option<Range<usize>> {
        Cut { start_s, end_s }.range(16_000, 8000).ok()
    }

    #[test]
    fn nothing_given_means_everything() {
        assert_eq!(range(None, None), Some(0..16_000));
    }

    #[test]
    fn ends_are_rounded_to_the_nearest_sample() {
        assert_eq!(range(Some(0.5), Some(1.000_07)), Some(4000..8001));
    }

    #[test]
    fn an_end_rounded_up_by_the_table_is_the_files_end() {
        assert_eq!(range(Some(1.0), Some(2.005)), Some(8000..16_000));
    }

    #[test]
    fn what_is_not_in_the_file_is_an_error() {
        for (start, end) in [
            (Some(-0.1), None),
            (Some(2.0), None),
            (None, Some(2.02)),
            (Some(1.0), Some(1.0)),
            (Some(1.5), Some(1.0)),
            (Some(f64::NAN), None),
            (None, Some(f64::NAN)),
            (None, Some(f64::INFINITY)),
        ] {
            assert_eq!(range(start, end), None, "{start:?} {end:?}");
        }
    }

    #[test]
    fn the_message_names_the_cut_and_the_duration() {
        let cut = Cut { start_s: Some(3.0), end_s: None };
        let message = cut.range(16_000, 8000).unwrap_err().to_string();
        assert!(message.contains("from 3 s to the end: the file has 2.000 s"), "{message}");
    }

    proptest! {
        #[test]
        fn cuts_within_the_file_have_the_length_asked_for(a in 0.0f64..2.0, b in 0.0f64..2.0) {
            let (start, end) = (a.min(b), a.max(b) + 0.001);
            let range = range(Some(start), Some(end)).unwrap();
            prop_assert!(range.end <= 16_000);
            prop_assert!((range.len() as f64 - (end.min(2.0) - start) * 8000.0).abs() <= 1.0);
        }
    }
}
