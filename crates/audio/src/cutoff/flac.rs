//! FLAC from a pipe: its header counts no samples, so its last frame has to be whole.

use std::io;

use symphonia::core::checksum::{Crc8Ccitt, Crc16Ansi};
use symphonia::core::io::Monitor as _;

use super::{Bytes, CutOff};

/// The last frame is looked for in so many bytes: twice as much as the longest frame of eight
/// channels with 32 bits that is in use has.
const TAIL: u64 = 1 << 20;

/// Places that look like a frame's head and are tried, from the end on. One in four million places
/// looks so by chance.
const TRIED: usize = 4;

/// Follows the metadata; then, where they count no samples, checks that a frame ends where the file
/// does. Where they count them, decoding does. Nothing may come after the last frame: the demuxer would
/// lose that frame.
pub(super) fn cut_off(file: &mut Bytes<'_>, start: u64) -> io::Result<CutOff> {
    let Some((counted, audio)) = metadata(file, start + 4)? else {
        return Ok(Some("it ends in the metadata of FLAC".to_owned()));
    };
    let from = audio.max(file.length.saturating_sub(TAIL));
    if counted || from >= file.length {
        return Ok(None);
    }
    let tail = file.get(from, (file.length - from) as usize)?;
    let heads = (0..tail.len()).rev().filter(|&at| is_head(&tail[at..]));
    let whole = heads.take(TRIED).any(|at| crc16(&tail[at..]) == 0);
    Ok((!whole).then(|| "it does not end with a whole FLAC frame".to_owned()))
}

/// Whether the samples are counted, and the place after the metadata; `None` if it ends before.
fn metadata(file: &mut Bytes<'_>, mut at: u64) -> io::Result<Option<(bool, u64)>> {
    let mut counted = false;
    loop {
        let block = file.get(at, 4 + 18)?;
        let &[kind, a, b, c, ref info @ ..] = block else { return Ok(None) };
        if let (0, Some(fields)) = (kind & 0x7f, info.last_chunk()) {
            counted = u64::from_be_bytes(*fields) & ((1 << 36) - 1) != 0;
        }
        at += 4 + u64::from(u32::from_be_bytes([0, a, b, c]));
        if at > file.length {
            return Ok(None);
        }
        if kind & 0x80 != 0 {
            return Ok(Some((counted, at)));
        }
    }
}

/// Whether a frame's head is here: its mark, fields that mean something, and its checksum.
fn is_head(bytes: &[u8]) -> bool {
    let &[0xff, 0xf8 | 0xf9, sizes, _, number, ..] = bytes else { return false };
    let number = (number.leading_ones() as usize).max(1);
    let block = match sizes >> 4 {
        6 => 1,
        7 => 2,
        _ => 0,
    };
    let rate = match sizes & 15 {
        12 => 1,
        13 | 14 => 2,
        _ => 0,
    };
    let length = 4 + number + block + rate + 1;
    bytes.get(..length).is_some_and(|head| {
        let mut crc = Crc8Ccitt::new(0);
        crc.process_buf_bytes(head);
        crc.crc() == 0
    })
}

/// The checksum of a frame; 0 if the frame's own is its last two bytes.
fn crc16(frame: &[u8]) -> u16 {
    let mut crc = Crc16Ansi::new(0);
    crc.process_buf_bytes(frame);
    crc.crc()
}
