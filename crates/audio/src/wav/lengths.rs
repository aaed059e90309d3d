//! How long the data chunk of a WAV file is, whatever its header says.
//!
//! A program that writes to a pipe, or is stopped before it can go back, leaves a length in the header
//! that means nothing; others are off by the length of a header. Such files are whole. A file that was
//! cut off has two lengths, of RIFF and of the data, which agree with each other and not with the file.

/// Bytes that a header is counted wrong by at most: those of `RIFF`, `fmt ` and `data` are 44, with an
/// extension of `fmt ` and a `fact` chunk 58 or more.
const HEADER: u64 = 64;

/// Programs round the lengths that mean "unknown" down to whole blocks and subtract their headers.
const ROUNDED: u64 = 4096 + HEADER;

/// What the header and the file say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lengths {
    /// Of the RIFF chunk: bytes after the first eight of the file.
    pub(super) riff: u64,
    /// Of the data chunk.
    pub(super) data: u64,
    /// Place of the data.
    pub(super) start: u64,
    /// Of the file.
    pub(super) file: u64,
}

impl Lengths {
    /// Length of the data chunk, as it should be in the header; more than the file has left only if it
    /// was cut off:
    ///
    /// - No more than a header's length, with something else than chunks after it: nobody went back to
    ///   write the length, so the data go to the file's end.
    /// - One of the lengths that mean "unknown", and the file is shorter: to the file's end as well.
    /// - Within the file: as it says.
    /// - Longer than the file, whose end is where RIFF says: to the file's end, since nothing was cut.
    /// - Longer than the file by a header at most, while RIFF is too short for it: to the file's end.
    /// - Otherwise the file was cut off.
    pub(super) fn data_length(self, chunks_follow: bool) -> u64 {
        let available = self.file.saturating_sub(self.start);
        let unknown = if self.data <= available {
            self.data <= HEADER && !chunks_follow
        } else {
            is_unknown(self.data) || self.is_header_wrong(self.data - available)
        };
        if unknown { available } else { self.data }
    }

    fn is_header_wrong(self, excess: u64) -> bool {
        let riff_end = self.riff.saturating_add(8);
        let agrees = !is_unknown(self.riff) && riff_end >= self.start.saturating_add(self.data);
        riff_end == self.file || (!agrees && excess <= HEADER)
    }
}

/// Whether a length is one of those that are written while the length is unknown: the greatest ones
/// with and without a sign (ffmpeg, sox: 0x7ffff000, arecord: 0x80000000).
fn is_unknown(length: u64) -> bool {
    [1 << 31, 1 << 32].iter().any(|&limit| (limit - ROUNDED..=limit + HEADER).contains(&length))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The length for a file with 1000 bytes after a header of 44.
    fn length(riff: u64, data: u64) -> u64 {
        Lengths { riff, data, start: 44, file: 1044 }.data_length(false)
    }

    #[test]
    fn lengths_that_mean_nothing_reach_to_the_end() {
        let unknown = [0, 0x7fff_f000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0xffff_ffdb];
        for data in unknown.into_iter().chain([8, 36, 44]) {
            for riff in unknown.into_iter().chain([36, 1000, 1028, 1036, 1044]) {
                assert_eq!(length(riff, data), 1000, "{riff} {data}");
            }
        }
    }

    #[test]
    fn a_wrong_riff_length_changes_nothing() {
        for riff in [0, 36, 44, 1000, 1028, 1036, 1044, 5000, 0x7fff_f024, 0xffff_ffff] {
            assert_eq!(length(riff, 1000), 1000, "{riff}");
            assert_eq!(length(riff, 900), 900, "{riff}");
        }
    }

    #[test]
    fn a_length_off_by_a_header_reaches_to_the_end_unless_riff_agrees() {
        for excess in [8, 16, 36, 44] {
            for riff in [0, 36, 1000, 1036, 0xffff_ffff] {
                assert_eq!(length(riff, 1000 + excess), 1000, "{riff} {excess}");
            }
            assert_eq!(length(1036 + excess, 1000 + excess), 1000 + excess);
        }
        assert_eq!(length(0, 1000 + HEADER + 1), 1000 + HEADER + 1);
    }

    #[test]
    fn nothing_is_missing_where_riff_ends_with_the_file() {
        assert_eq!(length(1036, 70_000), 1000);
    }

    #[test]
    fn short_data_before_other_chunks_are_short() {
        let lengths = Lengths { riff: 1036, data: 0, start: 44, file: 1044 };
        assert_eq!(lengths.data_length(true), 0);
    }

    proptest! {
        #[test]
        fn a_file_that_is_cut_off_is_found_out(data in 65u64..4_000_000, kept in 0.0f64..1.0) {
            prop_assume!(!is_unknown(data));
            let file = 44 + (data as f64 * kept) as u64;
            prop_assume!(file < 44 + data);
            let lengths = Lengths { riff: 36 + data, data, start: 44, file };
            prop_assert_eq!(lengths.data_length(false), data);
        }

        #[test]
        fn what_is_in_the_file_is_never_left_unread_by_a_longer_length(
            riff in any::<u32>(), data in 1000u32.., chunks_follow in any::<bool>(),
        ) {
            let lengths =
                Lengths { riff: riff.into(), data: data.into(), start: 44, file: 1044 };
            prop_assert!(lengths.data_length(chunks_follow) >= 1000);
        }
    }
}
