//! A part of a file behind bytes that are not in it.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use symphonia::core::io::MediaSource;

/// A header of our own, followed by a part of a file.
pub(crate) struct Splice<'s> {
    head: Vec<u8>,
    source: Box<dyn MediaSource + 's>,
    part: Range<u64>,
    /// From the header's first byte. The source stands where this says.
    position: u64,
}

impl<'s> Splice<'s> {
    /// Stands at its first byte.
    pub(crate) fn new(
        head: Vec<u8>,
        source: Box<dyn MediaSource + 's>,
        part: Range<u64>,
    ) -> io::Result<Self> {
        let mut splice = Self { head, source, part, position: 0 };
        splice.rewind()?;
        Ok(splice)
    }

    fn length(&self) -> u64 {
        self.head.len() as u64 + (self.part.end - self.part.start)
    }
}

impl Read for Splice<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let head = self.head.get(self.position as usize..).unwrap_or_default();
        let count = if head.is_empty() {
            let left = self.length().saturating_sub(self.position);
            let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            self.source.read(&mut buffer[..wanted])?
        } else {
            let count = head.len().min(buffer.len());
            buffer[..count].copy_from_slice(&head[..count]);
            count
        };
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Splice<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
            SeekFrom::End(offset) => self.length().checked_add_signed(offset),
        };
        let position = position.ok_or(io::ErrorKind::InvalidInput)?;
        let behind_head = position.min(self.length()).saturating_sub(self.head.len() as u64);
        self.source.seek(SeekFrom::Start(self.part.start + behind_head))?;
        self.position = position;
        Ok(position)
    }
}

impl MediaSource for Splice<'_> {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.length())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_reads_like_the_bytes_joined(
            head in prop::collection::vec(any::<u8>(), 0..9),
            content in prop::collection::vec(any::<u8>(), 1..30),
            ends in (0u64..30, 0u64..30),
            steps in prop::collection::vec((0u64..45, 0usize..12), 0..9),
        ) {
            let end = ends.0.max(ends.1).min(content.len() as u64);
            let part = ends.0.min(ends.1).min(end)..end;
            let joined = [&head[..], &content[part.start as usize..end as usize]].concat();
            let mut splice = Splice::new(head, Box::new(Cursor::new(content)), part).unwrap();
            prop_assert_eq!(splice.byte_len(), Some(joined.len() as u64));
            let mut expected = Cursor::new(joined);
            for (position, count) in steps {
                for from in [SeekFrom::Start(position), SeekFrom::End(-(position as i64))] {
                    prop_assert_eq!(splice.seek(from).ok(), expected.seek(from).ok());
                }
                let [mut got, mut wanted] = [Vec::new(), Vec::new()];
                (&mut splice).take(count as u64).read_to_end(&mut got).unwrap();
                (&mut expected).take(count as u64).read_to_end(&mut wanted).unwrap();
                prop_assert_eq!(got, wanted);
            }
        }
    }
}
