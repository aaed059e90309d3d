//! Zip: stored and deflated entries.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};

use flate2::CrcReader;
use flate2::read::DeflateDecoder;
use zip::read::ZipFile;
use zip::{CompressionMethod, ZipArchive};

use super::{Room, damaged};
use crate::Refusal;

/// The bits of a Unix mode that say what a file is; and two of their values.
const KIND: u32 = 0o170_000;
const FILE: u32 = 0o100_000;
const FOLDER: u32 = 0o040_000;

/// Length of an entry of the list at the end, before its name; and where in it the lengths of what follows
/// are: name, extra fields, comment.
const HEADER: usize = 46;
const LENGTHS: [usize; 3] = [28, 30, 32];

pub(super) fn unpack(file: &File, room: &mut Room<'_>) -> Result<(), Refusal> {
    let mut archive = ZipArchive::new(file).map_err(damaged)?;
    if archive.has_duplicate_names() {
        // It knows the last entry of each name alone.
        let name = first_again(file, archive.central_directory_start()).map_err(damaged)?;
        return Err(Refusal::Twice(String::from_utf8_lossy(&name).into_owned()));
    }
    if archive.len() as u64 > room.entries {
        return Err(Refusal::Entries(room.entries));
    }
    for index in 0..archive.len() {
        entry(archive.by_index_raw(index).map_err(damaged)?, room)?;
    }
    Ok(())
}

fn entry(packed: ZipFile<'_, impl Read>, room: &mut Room<'_>) -> Result<(), Refusal> {
    let name = packed.name().map_err(damaged)?.into_owned();
    let kind = packed.unix_mode().map_or(0, |mode| mode & KIND);
    match (packed.is_dir(), kind) {
        (true, 0 | FOLDER) => room.folder(&name),
        (false, 0 | FILE) => {
            let (method, sum, is_secret) =
                (packed.compression(), packed.crc32(), packed.encrypted());
            match method {
                _ if is_secret => Err(Refusal::Method(name)),
                CompressionMethod::STORE => content(&name, packed, sum, room),
                CompressionMethod::DEFLATE => {
                    content(&name, DeflateDecoder::new(packed), sum, room)
                }
                _ => Err(Refusal::Method(name)),
            }
        }
        _ => Err(Refusal::Kind(name)),
    }
}

/// The first name in the list at the end that was there before.
fn first_again(mut file: &File, list: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(list))?;
    let mut list = BufReader::new(file);
    let mut names = BTreeSet::new();
    loop {
        let mut header = [0; HEADER];
        list.read_exact(&mut header)?;
        let length = |at: usize| usize::from(u16::from_le_bytes([header[at], header[at + 1]]));
        let [name_length, extra, comment] = LENGTHS.map(length);
        let mut name = vec![0; name_length];
        list.read_exact(&mut name)?;
        list.seek_relative((extra + comment) as i64)?;
        if !names.insert(name.clone()) {
            return Ok(name);
        }
    }
}

/// Writes an entry and compares its checksum.
fn content(
    name: &str,
    plain: impl Read,
    expected: u32,
    room: &mut Room<'_>,
) -> Result<(), Refusal> {
    let mut plain = CrcReader::new(plain);
    room.file(name, &mut plain)?;
    let found = plain.crc().sum();
    (found == expected)
        .then_some(())
        .ok_or_else(|| Refusal::Damaged(format!("the checksum of {name:?}")))
}
