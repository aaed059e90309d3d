//! Tar within gzip.

use std::fs::File;
use std::io::Read;

use flate2::read::MultiGzDecoder;
use tar::{Archive, Entry, EntryType};

use super::{Room, damaged};
use crate::Refusal;

/// What an entry takes beside its content at most: headers, of which long names have several, and
/// padding.
const ENTRY_OVERHEAD: u64 = 8192;

pub(super) fn unpack(file: &File, room: &mut Room<'_>) -> Result<(), Refusal> {
    // Long names are read into memory before anything can be said of them; this is the end of it.
    let overhead = room.entries.saturating_add(2).saturating_mul(ENTRY_OVERHEAD);
    let most = room.bytes.saturating_add(overhead);
    let mut archive = Archive::new(MultiGzDecoder::new(file).take(most));
    for packed in archive.entries().map_err(damaged)? {
        entry(packed.map_err(damaged)?, room)?;
    }
    Ok(())
}

fn entry(mut packed: Entry<'_, impl Read>, room: &mut Room<'_>) -> Result<(), Refusal> {
    let name = String::from_utf8(packed.path_bytes().into_owned())
        .map_err(|error| Refusal::Path(String::from_utf8_lossy(error.as_bytes()).into_owned()))?;
    match packed.header().entry_type() {
        EntryType::Regular | EntryType::Continuous => room.file(&name, &mut packed),
        EntryType::Directory => room.folder(&name),
        // What git writes about the whole archive.
        EntryType::XGlobalHeader => Ok(()),
        _ => Err(Refusal::Kind(name)),
    }
}
