//! Bare frames of MPEG audio (MP1, MP2, MP3, AAC in ADTS): each tells its length, and the first may
//! count them.

use std::io;

use super::{Bytes, CutOff};

/// The first frame begins within so many bytes: some writers leave zeros before it.
const SEARCHED: u64 = 4096;
/// The first bytes of a frame: its head, and in a frame without sound the counts of all that follow.
const LOOKED_AT: usize = 80;

/// Follows the frames, past what is none (tags, remains of other cuts); after that, two in a row have
/// to be found.
pub(super) fn cut_off(file: &mut Bytes<'_>, start: u64) -> io::Result<CutOff> {
    let Some((mut at, first)) = next_frame(file, start, start + SEARCHED, None)? else {
        return Ok(None);
    };
    let mut count = Count::default();
    let mut end = at;
    loop {
        match Frame::parse(file.get(at, LOOKED_AT)?) {
            Some(frame) if frame.kind == first.kind => {
                if at + frame.length > file.length {
                    return Ok(Some("it ends in the middle of an MPEG frame".to_owned()));
                }
                if let Some(how) = count.add(file.get(at, LOOKED_AT)?, at, end) {
                    return Ok(Some(how));
                }
                at += frame.length;
                end = at;
            }
            _ if is_begun(file.get(at, LOOKED_AT)?, &first) => {
                return Ok(Some("it ends in the head of an MPEG frame".to_owned()));
            }
            _ => match next_frame(file, at + 1, file.length, Some(&first))? {
                Some((next, _)) => at = next,
                None => return Ok(count.missing(end)),
            },
        }
    }
}

/// Whether these last bytes of a file are the first of a frame like another.
fn is_begun(bytes: &[u8], like: &Frame) -> bool {
    (1..7).contains(&bytes.len())
        && bytes.iter().zip([0xff, like.kind[0]]).all(|(a, b)| *a == b || *a & 0xfe == b)
}

/// Place of the first frame between two places that has another after it; of the same kind as one
/// that is known.
fn next_frame(
    file: &mut Bytes<'_>,
    from: u64,
    to: u64,
    like: Option<&Frame>,
) -> io::Result<Option<(u64, Frame)>> {
    for at in from..to.min(file.length) {
        if file.get(at, 1)? != [0xff] {
            continue;
        }
        let Some(frame) = Frame::parse(file.get(at, LOOKED_AT)?) else { continue };
        let after = Frame::parse(file.get(at + frame.length, LOOKED_AT)?);
        let fits = like.is_none_or(|like| like.kind == frame.kind);
        if fits && after.is_some_and(|after| after.kind == frame.kind) {
            return Ok(Some((at, frame)));
        }
    }
    Ok(None)
}

struct Frame {
    length: u64,
    /// What all frames of a recording have in common: version, layer, sampling rate.
    kind: [u8; 2],
}

impl Frame {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let &[0xff, second, third, fourth, ..] = bytes else { return None };
        let kind = [second & 0xfe, third & 0x0c];
        match (second >> 3 & 3, second >> 1 & 3) {
            (2 | 3, 0) => adts_length(bytes)
                .map(|length| Self { length, kind: [second & 0xfe, third & 0x3c] }),
            (version, layer) if second >= 0xe0 && version != 1 && fourth & 3 != 2 => {
                Some(Self { length: mpeg_length(version, layer, third)?, kind })
            }
            _ => None,
        }
    }
}

/// Length of a frame of AAC, of whose head seven bytes are needed.
fn adts_length(bytes: &[u8]) -> Option<u64> {
    let &[_, second, _, a, b, c, _, ..] = bytes else { return None };
    let length = u64::from(a & 3) << 11 | u64::from(b) << 3 | u64::from(c >> 5);
    (second >= 0xf0 && length >= 7).then_some(length)
}

/// Length of a frame of which version, layer and the byte with rates are given as they are written;
/// `None` where they mean nothing, or leave the length open.
fn mpeg_length(version: u8, layer: u8, rates: u8) -> Option<u64> {
    const MPEG1: [[u64; 14]; 3] = [
        [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
        [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
        [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
    ];
    const MPEG2: [[u64; 14]; 3] = [
        [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
        [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
        [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
    ];
    let table = if version == 3 { MPEG1 } else { MPEG2 };
    let column = usize::from(rates >> 4).checked_sub(1)?;
    let bit_rate = 1000 * table.get(usize::from(layer).checked_sub(1)?)?.get(column)?;
    let rate = [44_100, 48_000, 32_000].get(usize::from(rates >> 2 & 3))?;
    let rate = rate >> [2, 0, 1, 0][usize::from(version)];
    let padding = u64::from(rates >> 1 & 1);
    Some(match (version, layer) {
        (_, 3) => (12 * bit_rate / rate + padding) * 4,
        (0 | 2, 1) => 72 * bit_rate / rate + padding,
        _ => 144 * bit_rate / rate + padding,
    })
}

/// Frames so far, and what a frame before them counted.
#[derive(Default)]
struct Count {
    frames: u64,
    promised: Option<Promised>,
}

/// What a frame without sound says of those that follow.
struct Promised {
    start: u64,
    frames: u64,
    bytes: Option<u64>,
}

impl Count {
    /// Counts the frame at a place, after one that ended at another. Where it counts others itself, a
    /// recording begins, and what came before has to be whole.
    fn add(&mut self, frame: &[u8], at: u64, end: u64) -> CutOff {
        let Some(promised) = Promised::parse(frame, at) else {
            self.frames += 1;
            return None;
        };
        let missing = self.missing(end);
        *self = Self { frames: 0, promised: Some(promised) };
        missing
    }

    /// What is missing where the last frame ends at `end`. Some encoders count the frame of counts as
    /// well, so that one may seem to be missing; the bytes, if they are told, tell.
    fn missing(&self, end: u64) -> CutOff {
        let Promised { start, frames, bytes } = self.promised.as_ref()?;
        let short = self.frames < *frames && bytes.is_none_or(|bytes| end < start + bytes);
        short.then(|| {
            format!("its header counts {frames} MPEG frames, of which {} are there", self.frames)
        })
    }
}

impl Promised {
    /// The counts of LAME and most others (Xing), or of Fraunhofer's encoders (VBRI).
    fn parse(frame: &[u8], start: u64) -> Option<Self> {
        let number = |at: usize| {
            let bytes = frame.get(at..)?.first_chunk()?;
            Some(u64::from(u32::from_be_bytes(*bytes))).filter(|&number| number > 0)
        };
        let head = frame.get(..40)?;
        let mark = head
            .windows(4)
            .position(|mark| [b"Xing", b"Info", b"VBRI"].iter().any(|m| *m == mark))?;
        if head[mark] == b'V' {
            return Some(Self { start, frames: number(mark + 14)?, bytes: number(mark + 10) });
        }
        let flags = number(mark + 4)?;
        let frames = (flags & 1 != 0).then(|| number(mark + 8)).flatten()?;
        Some(Self { start, frames, bytes: (flags & 2 != 0).then(|| number(mark + 12)).flatten() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::found;

    /// A frame of 64 kbit/s at 48 kHz, 192 bytes long, that begins with this after its 32 bytes of side
    /// information.
    fn frame(body: &[u8]) -> Vec<u8> {
        let mut frame = vec![0xff, 0xfb, 0x54, 0xc4];
        frame.extend([0; 32]);
        frame.extend(body);
        frame.resize(192, 9);
        frame
    }

    fn xing(frames: u32, bytes: Option<u32>) -> Vec<u8> {
        let flags = if bytes.is_some() { 3_u32 } else { 1 };
        let fields = [flags, frames, bytes.unwrap_or(0)].map(u32::to_be_bytes).concat();
        frame(&[b"Xing", &fields[..]].concat())
    }

    fn vbri(frames: u32, bytes: u32) -> Vec<u8> {
        let counts = [bytes, frames].map(u32::to_be_bytes).concat();
        frame(&[b"VBRI\0\x01\0\0\0\x4b", &counts[..]].concat())
    }

    fn after(first: &[u8], frames: usize) -> Vec<u8> {
        [first, &frame(&[]).repeat(frames)].concat()
    }

    #[test]
    fn a_frame_must_not_be_cut() {
        let whole = frame(&[]).repeat(5);
        assert_eq!(found(&whole), None);
        for length in 193..whole.len() {
            // The head of a second frame tells that these are frames at all.
            let expected = length >= 192 + 4 && length % 192 != 0;
            assert_eq!(found(&whole[..length]).is_some(), expected, "{length}");
        }
    }

    #[test]
    fn as_many_frames_as_were_counted_have_to_be_there() {
        for first in [xing(5, None), xing(5, Some(6 * 192)), vbri(5, 6 * 192)] {
            for frames in 1..7 {
                let how = found(&after(&first, frames));
                assert_eq!(how.is_some(), frames < 5, "{frames}: {how:?}");
            }
        }
        let how = found(&after(&xing(5, None), 3)).unwrap();
        assert_eq!(how, "its header counts 5 MPEG frames, of which 3 are there");
    }

    #[test]
    fn an_encoder_may_count_the_frame_of_counts_too() {
        for first in [xing(6, Some(6 * 192)), vbri(6, 6 * 192)] {
            assert_eq!(found(&after(&first, 5)), None);
            assert!(found(&after(&first, 4)).is_some());
        }
    }

    #[test]
    fn counts_of_nothing_count_nothing() {
        assert_eq!(found(&after(&xing(0, Some(0)), 3)), None);
        assert_eq!(found(&after(&vbri(0, 0), 3)), None);
    }

    #[test]
    fn recordings_after_one_another_are_each_held_to_their_counts() {
        let [whole, short] = [5, 3].map(|frames| after(&xing(5, Some(6 * 192)), frames));
        assert_eq!(found(&whole.repeat(3)), None);
        assert!(found(&[&whole[..], &short].concat()).is_some());
        assert!(found(&[&short[..], &whole].concat()).is_some());
    }

    #[test]
    fn tags_before_after_and_between_are_passed_over() {
        let (whole, short) = (after(&xing(5, None), 5), after(&xing(5, None), 4));
        let tag = [&b"ID3\x04\0\0\0\0\x01\x0a"[..], &[0xff; 138]].concat();
        let (id3v1, ape) =
            ([&b"TAG"[..], &[b' '; 125]].concat(), b"APETAGEX and \xff\xfb\x54\xc4".repeat(9));
        for parts in [[&tag, &whole, &id3v1], [&tag, &whole, &ape], [&whole, &tag, &whole]] {
            let content = parts.map(Vec::as_slice).concat();
            assert_eq!(found(&content), None);
        }
        assert!(found(&[tag, short, id3v1].concat()).is_some());
    }

    #[test]
    fn a_frame_of_aac_must_not_be_cut() {
        let frame = |length: u8| {
            let mut frame = vec![0xff, 0xf1, 0x60, 0x40, length >> 3, length << 5 | 0x1f, 0xfc];
            frame.resize(usize::from(length), 3);
            frame
        };
        let whole = [frame(100), frame(120), frame(90)].concat();
        assert_eq!(found(&whole), None);
        for length in 221..310 {
            assert!(found(&whole[..length]).is_some(), "{length}");
        }
    }
}
