//! Whether a file ends where its format says that it does.
//!
//! Demuxers take the end of a file for the end of the recording, wherever it is. So the structure of
//! a file is followed once before it is decoded: the lengths, counts and marks of an end that formats
//! have, of which only headers are read. WAV is not among them: its headers count samples, which
//! decoding compares.

mod aiff;
mod flac;
mod mkv;
mod mp4;
mod mpeg;
mod ogg;

use std::io::{self, Read as _, SeekFrom};

use symphonia::core::io::MediaSource;

use crate::{Problem, container};

/// Bytes that are read at once.
const WINDOW: usize = 1 << 16;

/// Fails if the recording was cut off. Leaves the source at its beginning.
pub(crate) fn check(source: &mut dyn MediaSource) -> Result<(), Problem> {
    let Some(length) = source.byte_len() else { return Ok(()) };
    let mut file = Bytes { source, length, window: Vec::new(), start: 0 };
    let cut_off = cut_off(&mut file).map_err(Problem::Unreadable)?;
    source.rewind().map_err(Problem::Unreadable)?;
    cut_off.map_or(Ok(()), |how| Err(Problem::CutOff(how)))
}

/// How the recording was cut off, if it was.
type CutOff = Option<String>;

fn cut_off(file: &mut Bytes<'_>) -> io::Result<CutOff> {
    let start = container::after_tags(file.source)?;
    match file.get(start, 8)? {
        [b'O', b'g', b'g', b'S', ..] => ogg::cut_off(file, start),
        [b'f', b'L', b'a', b'C', ..] => flac::cut_off(file, start),
        [b'F', b'O', b'R', b'M', ..] => aiff::cut_off(file, start),
        [.., b'f', b't', b'y', b'p'] => mp4::cut_off(file, start),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => mkv::cut_off(file, start),
        // The letters by which another format begins.
        [a, b, c, d, ..] if [a, b, c, d].iter().all(|byte| byte.is_ascii_alphanumeric()) => {
            Ok(None)
        }
        _ => mpeg::cut_off(file, start),
    }
}

/// A file of which parts are looked at, mostly in ascending order.
struct Bytes<'a> {
    source: &'a mut dyn MediaSource,
    length: u64,
    window: Vec<u8>,
    /// Place of the window.
    start: u64,
}

impl Bytes<'_> {
    /// The bytes from `at` on: so many, or all up to the file's end.
    fn get(&mut self, at: u64, count: usize) -> io::Result<&[u8]> {
        let end = at.saturating_add(count as u64).min(self.length);
        if at < self.start || end > self.start + self.window.len() as u64 {
            self.window.clear();
            self.start = at.min(self.length);
            self.source.seek(SeekFrom::Start(self.start))?;
            (&mut *self.source).take(count.max(WINDOW) as u64).read_to_end(&mut self.window)?;
        }
        // A file can have become shorter since its length was asked for.
        let window = self.window.get((at.min(self.length) - self.start) as usize..);
        let window = window.unwrap_or_default();
        Ok(&window[..count.min(window.len())])
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// How this content is cut off.
    pub(super) fn found(content: &[u8]) -> CutOff {
        match check(&mut Cursor::new(content.to_vec())) {
            Ok(()) => None,
            Err(Problem::CutOff(how)) => Some(how),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn parts_are_read_wherever_they_are() {
        let content: Vec<u8> = (0..200_000_u32).map(|n| (n % 251) as u8).collect();
        let mut source = Cursor::new(content.clone());
        let length = content.len() as u64;
        let mut file = Bytes { source: &mut source, length, window: Vec::new(), start: 0 };
        for (at, count) in [(0, 4), (65_534, 10), (3, 100_000), (199_990, 50), (200_000, 9), (7, 1)]
        {
            let expected = &content[at..content.len().min(at + count)];
            assert_eq!(file.get(at as u64, count).unwrap(), expected, "{at}");
        }
        assert_eq!(file.get(u64::MAX, 9).unwrap(), []);
    }

    #[test]
    fn what_is_no_such_format_is_none_of_its_business() {
        for content in [&b""[..], b"x", b"ID3", b"RIFF", b"This is no sound.", &[0; 9000]] {
            assert_eq!(found(content), None);
        }
        // The mark of UTF-16 is one of MPEG, too.
        assert_eq!(
            found(&"no sound\n".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()),
            None
        );
        let marked = "\u{feff}no sound\n".repeat(9);
        assert_eq!(
            found(&marked.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()),
            None
        );
    }
}
