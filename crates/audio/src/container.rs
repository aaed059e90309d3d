//! What kind of file it is, before symphonia looks at it.

use std::io::{self, Read as _, SeekFrom};

use symphonia::core::io::MediaSource;

use crate::{Problem, known, sphere, wav};

/// Bytes at the beginning that tell the kind; a header of NIST SPHERE is in them, too.
const LOOKED_AT: usize = 4096;

/// The source from its beginning, or one that symphonia reads in its place. Files that are known and
/// cannot be read are errors, lest something in them be taken for MPEG frames.
pub(crate) fn open<'s>(
    mut source: Box<dyn MediaSource + 's>,
) -> Result<Box<dyn MediaSource + 's>, Problem> {
    let Some(length) = source.byte_len() else { return Ok(source) };
    let start = after_tags(source.as_mut()).map_err(Problem::Unreadable)?;
    let first = read_at(source.as_mut(), start, LOOKED_AT).map_err(Problem::Unreadable)?;
    if wav::is_wav(&first) {
        wav::open(source, start, length)
    } else if sphere::is_sphere(&first) {
        sphere::open(source, start, length, &first)
    } else {
        known::check(&first)?;
        source.rewind().map_err(Problem::Unreadable)?;
        Ok(source)
    }
}

/// The first bytes of a source, which is left at its beginning.
pub(crate) fn first(source: &mut dyn MediaSource) -> Result<Vec<u8>, Problem> {
    let first = read_at(source, 0, LOOKED_AT).map_err(Problem::Unreadable)?;
    source.rewind().map_err(Problem::Unreadable)?;
    Ok(first)
}

/// The bytes from `at` on: so many, or all up to the file's end.
pub(crate) fn read_at(source: &mut dyn MediaSource, at: u64, count: usize) -> io::Result<Vec<u8>> {
    source.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    source.take(count as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The place after the ID3 tags at the beginning, which some programs put before any format.
pub(crate) fn after_tags(source: &mut dyn MediaSource) -> io::Result<u64> {
    let mut at = 0_u64;
    while let [b'I', b'D', b'3', _, _, flags, a, b, c, d] = read_at(source, at, 10)?[..] {
        let length = [a, b, c, d].iter().fold(0, |sum, byte| sum << 7 | u64::from(byte & 0x7f));
        let footer = if flags & 0x10 == 0 { 0 } else { 10 };
        at += 10 + length + footer;
    }
    Ok(at)
}
