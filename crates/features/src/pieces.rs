//! Row groups that were made before the tables they belong to, kept in files from which another process
//! takes them.
//!
//! A file is a row of entries, each a head and a body. The head has the body's length, the group's
//! name, the body's digest and a digest of all that; so of a file whose writer was killed, or that a disk
//! has damaged, every entry that is whole counts, up to the first head that is not.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use ambivox_corpus::Utterance;
use ambivox_settings::{Exclusions, Shard};
use fs_err as fs;
use polars::prelude::{PolarsError, PolarsResult};

use crate::FeatureError;
use crate::extract::Done;
use crate::parquet::RowGroup;
use crate::writer::Encoded;

/// What the names of such files end with.
const EXTENSION: &str = "groups";
/// Bytes of a head: length, name, digest of the body, and eight of the digest of these.
const HEAD: usize = 8 + 32 + 32 + 8;

/// Stands for a row group: for its utterances, and for size and time of the files that they are in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name([u8; 32]);

impl Name {
    /// The name of these utterances, whose paths are relative to `root`, as their files are now.
    pub(crate) fn of(group: &[Utterance], root: &Path) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("ambivox row group");
        for Utterance { utterance_id, path, start_s, end_s, .. } in group {
            for text in [utterance_id, path] {
                hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
            }
            for time in [start_s, end_s] {
                // No time of an utterance is no number.
                hasher.update(&time.unwrap_or(f64::NAN).to_le_bytes());
            }
            hasher.update(&stamp(&root.join(path)));
        }
        Self(hasher.finalize().into())
    }
}

/// Length and time of a file; other bytes than those of any file where there is none.
fn stamp(file: &Path) -> [u8; 24] {
    let mut bytes = [0xff; 24];
    if let Ok(meta) = fs::metadata(file) {
        let modified = meta.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        bytes[..8].copy_from_slice(&meta.len().to_le_bytes());
        bytes[8..].copy_from_slice(&modified.unwrap_or_default().as_nanos().to_le_bytes());
    }
    bytes
}

/// The row groups that lie in a folder.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    files: Vec<PathBuf>,
    places: BTreeMap<Name, Place>,
}

/// Where the body of an entry lies.
#[derive(Debug)]
struct Place {
    /// Number of the file.
    file: usize,
    from: u64,
    length: u64,
    digest: blake3::Hash,
}

impl Pieces {
    /// Those in `folder`; none where there is no such folder.
    pub(crate) fn open(folder: &Path) -> Result<Self, FeatureError> {
        let mut pieces = Self::default();
        let entries = match fs::read_dir(folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(pieces),
            entries => entries?,
        };
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == EXTENSION) {
                pieces.add(path)?;
            }
        }
        Ok(pieces)
    }

    /// Notes the entries of a file, up to the first that is not whole.
    fn add(&mut self, path: PathBuf) -> std::io::Result<()> {
        let mut file = fs::File::open(&path)?;
        let end = file.metadata()?.len();
        let mut at = 0;
        let mut head = [0; HEAD];
        while end - at >= HEAD as u64 {
            file.seek(SeekFrom::Start(at))?;
            file.read_exact(&mut head)?;
            at += HEAD as u64;
            let Some((name, length, digest)) = parse(&head) else { break };
            if length > end - at {
                break;
            }
            let place = Place { file: self.files.len(), from: at, length, digest };
            self.places.insert(name, place);
            at += length;
        }
        self.files.push(path);
        Ok(())
    }

    /// The name of these utterances, if there is a group of it, whole or not. Where there is none at all,
    /// their files are not looked at.
    pub(crate) fn find(&self, group: &[Utterance], root: &Path) -> Option<Name> {
        let name = (!self.places.is_empty()).then(|| Name::of(group, root))?;
        self.places.contains_key(&name).then_some(name)
    }

    /// The group of this name, if it is there and whole.
    pub(crate) fn read(&self, name: &Name) -> Option<Done> {
        let Place { file, from, length, digest } = self.places.get(name)?;
        let mut file = fs::File::open(&self.files[*file]).ok()?;
        file.seek(SeekFrom::Start(*from)).ok()?;
        let mut body = vec![0; usize::try_from(*length).ok()?];
        file.read_exact(&mut body).ok()?;
        (blake3::hash(&body) == *digest).then(|| unpacked(&body)).flatten()
    }
}

/// What a head says; `None` where it is damaged.
fn parse(head: &[u8; HEAD]) -> Option<(Name, u64, blake3::Hash)> {
    let (rest, check) = head.split_last_chunk::<8>()?;
    let (length, rest) = rest.split_first_chunk::<8>()?;
    let (name, digest) = rest.split_first_chunk::<32>()?;
    let digest = blake3::Hash::from_bytes(*digest.first_chunk()?);
    (checked(&head[..HEAD - 8]) == *check)
        .then(|| (Name(*name), u64::from_le_bytes(*length), digest))
}

/// Eight bytes of a digest.
fn checked(bytes: &[u8]) -> [u8; 8] {
    *blake3::hash(bytes).as_bytes().first_chunk().unwrap_or(&[0; 8])
}

/// Keeps row groups in a new file of a folder.
pub(crate) struct Keeper<'a> {
    folder: &'a Path,
    shard: Shard,
    /// Opened with the first group.
    file: Mutex<Option<fs::File>>,
}

impl<'a> Keeper<'a> {
    /// A keeper of a part's groups.
    pub(crate) fn new(folder: &'a Path, shard: Shard) -> Self {
        Self { folder, shard, file: Mutex::new(None) }
    }

    /// Appends a group.
    pub(crate) fn keep(&self, name: &Name, done: &Done) -> Result<(), FeatureError> {
        let body = packed(done)
            .map_err(|source| FeatureError::Parquet { file: self.folder.to_path_buf(), source })?;
        let mut entry = (body.len() as u64).to_le_bytes().to_vec();
        entry.extend(name.0);
        entry.extend(blake3::hash(&body).as_bytes());
        entry.extend(checked(&entry));
        entry.extend(body);
        // A thread that panicked has ended the process's work.
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let file = match &mut *file {
            Some(file) => file,
            none => none.insert(self.create()?),
        };
        Ok(file.write_all(&entry)?)
    }

    /// A file that nobody else writes to: what another process left of this part is only read.
    fn create(&self) -> std::io::Result<fs::File> {
        let Shard { number, of } = self.shard;
        let mut attempt = 0_u64;
        loop {
            let file = self.folder.join(format!("{number}-of-{of}-{attempt}.{EXTENSION}"));
            match fs::File::create_new(file) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => attempt += 1,
                created => return created,
            }
        }
    }

    /// Makes all that was kept outlast a crash.
    pub(crate) fn finish(self) -> Result<(), FeatureError> {
        let file = self.file.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(file.map_or(Ok(()), |file| file.sync_all())?)
    }
}

/// A group as bytes: pages and footer of each table, each after its length, and as JSON the utterances left
/// out or in doubt and the digests of the others. Of a table without rows both are empty.
fn packed(done: &Done) -> PolarsResult<Vec<u8>> {
    let mut bytes = Vec::new();
    for rows in [&done.rows.features, &done.rows.vectors] {
        let (pages, footer) = match rows {
            Some(rows) => rows.to_parts()?,
            None => (&[][..], Vec::new()),
        };
        for part in [pages, &footer] {
            bytes.extend((part.len() as u64).to_le_bytes());
            bytes.extend(part);
        }
    }
    let digests: Vec<(&String, String)> =
        done.digests.iter().map(|(id, digest)| (id, digest.to_hex().to_string())).collect();
    // Memory takes all that is written, and texts are all there is.
    serde_json::to_writer(&mut bytes, &(&done.found, digests)).ok();
    Ok(bytes)
}

fn unpacked(mut bytes: &[u8]) -> Option<Done> {
    let [features, vectors] = [rows(&mut bytes).ok()?, rows(&mut bytes).ok()?];
    let (found, digests): (Exclusions, Vec<(String, String)>) =
        serde_json::from_slice(bytes).ok()?;
    let digests = digests.into_iter().map(|(id, hex)| Some((id, hex.parse().ok()?)));
    let digests = digests.collect::<Option<_>>()?;
    Some(Done { rows: Encoded { features, vectors }, found, digests })
}

/// The rows of the next table, if it has any.
fn rows(bytes: &mut &[u8]) -> PolarsResult<Option<RowGroup>> {
    let short = || PolarsError::ComputeError("a piece that is cut short".into());
    let pages = part(bytes).ok_or_else(short)?;
    let footer = part(bytes).ok_or_else(short)?;
    if footer.is_empty() {
        return Ok(None);
    }
    RowGroup::from_parts(pages.to_vec(), footer).map(Some)
}

fn part<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let (part, rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    *bytes = rest;
    Some(part)
}
