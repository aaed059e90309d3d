//! Zip: stored and deflated entries.

use std::io::Read;
use std::path::Path;

use flate2::CrcReader;
use flate2::read::DeflateDecoder;
use fs_err as fs;
use zip::read::ZipFile;
use zip::{CompressionMethod, ZipArchive};

use super::{Room, damaged};
use crate::Refusal;

/// The bits of a Unix mode that say what a file is; and two of their values.
const KIND: u32 = 0o170_000;
const FILE: u32 = 0o100_000;
const FOLDER: u32 = 0o040_000;

pub(super) fn unpack(file: &Path, room: &mut Room<'_>) -> Result<(), Refusal> {
    let file = fs::File::open(file).map_err(damaged)?;
    let mut archive = ZipArchive::new(file).map_err(damaged)?;
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
    (found == expected).then_some(()).ok_or_else(|| damaged(format!("the checksum of {name:?}")))
}
