//! Where a long recording is cut.

use std::ops::Range;

/// Cuts `frames` frames into the fewest windows of at most `longest` frames each, whose lengths
/// differ by one at most; they follow one another without gap or overlap.
///
/// Networks have heard utterances of some seconds. What is much longer is unlike what they learned,
/// and one emotion for all of it would say little.
pub fn windows(frames: usize, longest: usize) -> Vec<Range<usize>> {
    let count = frames.div_ceil(longest.max(1));
    (0..count).map(|i| i * frames / count..(i + 1) * frames / count).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_short_enough_is_one_window() {
        assert_eq!(windows(7, 10), vec![0..7]);
        assert_eq!(windows(10, 10), vec![0..10]);
        assert_eq!(windows(11, 10), vec![0..5, 5..11]);
        assert!(windows(0, 10).is_empty());
    }

    proptest! {
        #[test]
        fn windows_cover_all_and_are_even(frames in 0_usize..5_000, longest in 1_usize..900) {
            let cut = windows(frames, longest);
            let lengths: Vec<usize> = cut.iter().map(ExactSizeIterator::len).collect();
            prop_assert_eq!(lengths.iter().sum::<usize>(), frames);
            prop_assert!(cut.windows(2).all(|pair| pair[0].end == pair[1].start));
            prop_assert!(lengths.iter().all(|&n| n <= longest && n > 0));
            let spread = lengths.iter().max().zip(lengths.iter().min());
            prop_assert!(spread.is_none_or(|(most, least)| most - least <= 1));
        }
    }
}
