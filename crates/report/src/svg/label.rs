//! How much room the names of classes need.

/// Width of a letter, on average.
pub(crate) const LETTER: f64 = 6.6;

/// Width of the longest name.
pub(crate) fn label_width(classes: &[String]) -> f64 {
    let longest = classes.iter().map(|class| class.chars().count()).max().unwrap_or(0);
    longest as f64 * LETTER
}
