//! WAV as it is found: headers with wrong lengths, RF64 and BW64, chunks that nobody needs.
//!
//! The reader of symphonia takes every length in a header at its word. So the chunks are followed
//! here, and it is handed a header with the two that matter, `fmt ` and `data`, and right lengths.

mod format;
mod lengths;
#[cfg(test)]
mod tests;

use std::io;

use format::Format;
use lengths::Lengths;
use symphonia::core::io::MediaSource;

use crate::Problem;
use crate::container::read_at;
use crate::splice::Splice;

/// Chunks that are followed at most, so that a file of nothing but heads comes to an end.
const MOST_CHUNKS: usize = 1000;
/// The most common kinds, which are not found by chance.
const KINDS: [&[u8; 4]; 4] = [b"fmt ", b"fact", b"LIST", b"data"];
/// Bytes of a `fmt ` or `ds64` chunk that are read.
const CHUNK: usize = 4096;
/// Bytes in which `fmt ` and `data` are looked for after a chunk with a wrong length.
const SEARCHED: usize = 1 << 20;
/// The length that stands for one in `ds64`, and for an unknown one.
const UNKNOWN: u64 = u32::MAX as u64;

/// Whether these are the first bytes of a WAV file.
pub(crate) fn is_wav(first: &[u8]) -> bool {
    let kind = [b"RIFF", b"RF64", b"BW64"].iter().any(|kind| first.starts_with(*kind));
    kind && first.get(8..12) == Some(b"WAVE")
}

/// The file with a header that symphonia reads; bare MPEG frames without one.
pub(crate) fn open<'s>(
    mut source: Box<dyn MediaSource + 's>,
    start: u64,
    length: u64,
) -> Result<Box<dyn MediaSource + 's>, Problem> {
    let mut file = Chunks { source: source.as_mut(), start, length };
    let found = file.find().map_err(Problem::Unreadable)?;
    let Found { fmt: Some(fmt), data: Some(data), .. } = &found else {
        let missing = if found.data.is_none() { "data" } else { "fmt " };
        return Err(Problem::Broken(format!("it has no `{missing}` chunk")));
    };
    let format = Format::parse(fmt)?;
    let promised = file.data_length(&found, *data).map_err(Problem::Unreadable)?;
    let available = promised.min(length.saturating_sub(data.body));
    let head = head(format, promised, available)?;
    let part = data.body..data.body + available;
    let splice = Splice::new(head, source, part).map_err(Problem::Unreadable)?;
    Ok(Box::new(splice))
}

/// The header for so many bytes of data, of which so many are there. What is missing of them, decoding
/// finds out, but where the length does not fit into the header.
fn head(format: Format, promised: u64, available: u64) -> Result<Vec<u8>, Problem> {
    match format {
        Format::Mpeg if available < promised => Err(Problem::CutOff(format!(
            "its data chunk has {promised} bytes, the file holds {available} of them"
        ))),
        Format::Mpeg => Ok(Vec::new()),
        Format::Blocks { block, .. } if promised >= UNKNOWN && available < promised => {
            Err(Problem::Truncated { promised: promised / block, found: available / block })
        }
        Format::Blocks { chunk, .. } => Ok(header(&chunk, promised)),
    }
}

/// The header of samples in this format (1: integers, 6: A-law, 7: µ-law).
pub(crate) fn head_of_samples(
    format: u16,
    channels: u16,
    rate: u32,
    bits: u16,
    length: u64,
) -> Result<Vec<u8>, Problem> {
    let block = channels.saturating_mul(bits / 8);
    let bytes_per_second = rate.saturating_mul(block.into());
    let mut chunk = [format, channels].map(u16::to_le_bytes).concat();
    chunk.extend([rate, bytes_per_second].map(u32::to_le_bytes).concat());
    chunk.extend([block, bits].map(u16::to_le_bytes).concat());
    head(Format::parse(&chunk)?, length, length)
}

fn header(chunk: &[u8], length: u64) -> Vec<u8> {
    let fmt = [&b"RIFF\xff\xff\xff\xffWAVEfmt "[..], &length_field(chunk.len() as u64), chunk];
    let data = [&[0][..chunk.len() % 2], b"data", &length_field(length)];
    [fmt.concat(), data.concat()].concat()
}

fn length_field(length: u64) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes()
}

/// A chunk's place.
#[derive(Debug, Clone, Copy)]
struct Chunk {
    kind: [u8; 4],
    /// Place of its content.
    body: u64,
    length: u64,
}

/// The chunks that matter.
#[derive(Default)]
struct Found {
    fmt: Option<Vec<u8>>,
    ds64: Vec<u8>,
    data: Option<Chunk>,
}

impl Found {
    /// A length in RF64, which has eight bytes for it elsewhere.
    fn length(&self, field: u64, at: usize) -> u64 {
        let long = self.ds64.get(at..).and_then(|bytes| bytes.first_chunk());
        long.filter(|_| field == UNKNOWN).map_or(field, |bytes| u64::from_le_bytes(*bytes))
    }
}

/// The chunks of a file.
struct Chunks<'f, 's> {
    source: &'f mut (dyn MediaSource + 's),
    start: u64,
    length: u64,
}

impl Chunks<'_, '_> {
    /// Follows the chunks to the data.
    fn find(&mut self) -> io::Result<Found> {
        let mut found = Found::default();
        let mut at = self.start + 12;
        for _ in 0..MOST_CHUNKS {
            let Some(chunk) = self.chunk(at)? else { break };
            match &chunk.kind {
                b"fmt " => found.fmt = Some(self.content(chunk)?),
                b"ds64" => found.ds64 = self.content(chunk)?,
                b"data" => {
                    found.data = Some(chunk);
                    break;
                }
                _ => {}
            }
            at = self.after(chunk)?;
        }
        Ok(found)
    }

    /// Bytes from a chunk's content to the end of the file.
    fn left(&self, chunk: &Chunk) -> u64 {
        self.length.saturating_sub(chunk.body)
    }

    fn content(&mut self, chunk: Chunk) -> io::Result<Vec<u8>> {
        read_at(self.source, chunk.body, CHUNK.min(chunk.length as usize))
    }

    /// The chunk at a place, if the file goes on so far.
    fn chunk(&mut self, at: u64) -> io::Result<Option<Chunk>> {
        let head = read_at(self.source, at, 8)?;
        let Some((kind, length)) = head.split_first_chunk() else { return Ok(None) };
        let length = length.first_chunk().map(|length| u32::from_le_bytes(*length).into());
        Ok(length.map(|length| Chunk { kind: *kind, body: at + 8, length }))
    }

    /// Place of the chunk after this one: at an even distance, or right after it where the pad byte was
    /// forgotten; where there is none, that of the next that matters.
    fn after(&mut self, chunk: Chunk) -> io::Result<u64> {
        let end = chunk.body + chunk.length;
        let places = [end + chunk.length % 2, end];
        for kinds in [&KINDS[..], &[]] {
            for at in places {
                if self.chunk(at)?.is_some_and(|next| self.is_sound(&next, kinds)) {
                    return Ok(at);
                }
            }
        }
        // The file may be cut off here: then there is nothing to be found, either.
        self.search(chunk.body)
    }

    /// Whether this can be a chunk, of one of these kinds or any: its kind is text, and it ends within
    /// the file but for the data.
    fn is_sound(&self, chunk: &Chunk, kinds: &[&[u8; 4]]) -> bool {
        let text = chunk.kind.iter().all(|byte| matches!(byte, b' '..=b'~'));
        let kind = if kinds.is_empty() { text } else { kinds.contains(&&chunk.kind) };
        kind && (&chunk.kind == b"data" || chunk.length <= self.left(chunk))
    }

    /// Place of the next `fmt ` or `data`; the file's end if there is none.
    fn search(&mut self, from: u64) -> io::Result<u64> {
        let bytes = read_at(self.source, from, SEARCHED)?;
        let kinds = bytes.windows(4).enumerate();
        let found = kinds.filter(|(_, kind)| [b"fmt ", b"data"].iter().any(|k| k == kind));
        for (distance, _) in found {
            let at = from + distance as u64;
            if self.chunk(at)?.is_some_and(|chunk| self.fits(&chunk)) {
                return Ok(at);
            }
        }
        Ok(self.length)
    }

    /// Whether the length fits. The chunk's name may be part of a text, in which the letters that follow
    /// make up a length.
    fn fits(&self, chunk: &Chunk) -> bool {
        let lengths = Lengths { riff: 0, data: chunk.length, start: chunk.body, file: self.length };
        lengths.data_length(true) <= self.left(chunk)
    }

    /// Length of the data, as it should be in the header.
    fn data_length(&mut self, found: &Found, data: Chunk) -> io::Result<u64> {
        let riff = read_at(self.source, self.start + 4, 4)?;
        let riff = riff.first_chunk().map_or(0, |length| u32::from_le_bytes(*length).into());
        let length = found.length(data.length, 8);
        let end = data.body.saturating_add(length);
        let chunks_follow = [end, end.saturating_add(length % 2)].into_iter().any(|at| {
            let next = if at < self.length { self.chunk(at).ok().flatten() } else { None };
            next.is_some_and(|next| self.is_sound(&next, &[]))
        });
        let lengths = Lengths {
            riff: found.length(riff, 0),
            data: length,
            start: data.body - self.start,
            file: self.length - self.start,
        };
        Ok(lengths.data_length(chunks_follow))
    }
}
