//! Zero-crossing rate (§11).

/// Share of the raw frame's samples at which it changes sign. A sample of zero counts unless both
/// its neighbours lie on one side, so that in silence every inner sample counts.
pub(crate) fn zero_crossing_rate(frame: &[f32]) -> f32 {
    let crossings = frame
        .windows(3)
        .filter(|w| w[0] * w[1] < 0.0 || (w[1] == 0.0 && w[0] * w[2] <= 0.0))
        .count();
    crossings as f32 / frame.len() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_counts_every_inner_sample() {
        assert_eq!(zero_crossing_rate(&[0.0; 400]), 398.0 / 400.0);
    }

    #[test]
    fn a_change_of_sign_counts_once_but_not_before_the_last_sample() {
        assert_eq!(zero_crossing_rate(&[1.0, -1.0, -1.0, -1.0, 1.0]), 1.0 / 5.0);
    }

    #[test]
    fn touching_zero_from_one_side_does_not_count() {
        assert_eq!(zero_crossing_rate(&[1.0, 0.0, 1.0, 1.0]), 0.0);
        assert_eq!(zero_crossing_rate(&[1.0, 0.0, -1.0, -1.0]), 1.0 / 4.0);
    }
}
