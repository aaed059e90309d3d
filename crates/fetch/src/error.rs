//! Why a corpus cannot be fetched.

use std::io::ErrorKind;
use std::path::PathBuf;

use ambivox_settings::{FilesError, exit};

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The folder that the corpus would become is in use.
    #[error(
        "{}: there are files here already, and not all of the corpus\n\
         hint: name a new folder with --to, or remove this one",
        root.display()
    )]
    Occupied {
        /// The folder.
        root: PathBuf,
    },
    /// The folder cannot be replaced by a whole one.
    #[error(
        "{}: no folder that a whole corpus can be put in place of\n\
         hint: name one that is not there yet, such as {}",
        root.display(),
        root.join("corpus").display()
    )]
    Fixed {
        /// The folder.
        root: PathBuf,
    },
    /// Another process fetches to the same place.
    #[error("{}: another process is fetching to here; wait for it", root.display())]
    Busy {
        /// The folder.
        root: PathBuf,
    },
    /// The server does not give the file.
    #[error(
        "{url}: the server says {status}\nhint: see the manifest's `source` for where it is now"
    )]
    Status {
        /// The file's address.
        url: String,
        /// The server's answer.
        status: String,
    },
    /// The transfer broke off again and again.
    #[error("{url}: {reason}\nhint: run the command again; it goes on where it ended")]
    Interrupted {
        /// The file's address.
        url: String,
        /// How it broke off the last time.
        reason: String,
    },
    /// The server has a file of another length.
    #[error(
        "{url}: {found} bytes, where {expected} are on record\nhint: see the manifest's `source` for where it is now"
    )]
    Length {
        /// The file's address.
        url: String,
        /// Its length, or that it is longer.
        found: String,
        /// The length on record.
        expected: u64,
    },
    /// The server has other bytes.
    #[error("{url}: its {kind} is {found}, where {expected} is on record; nothing of it was kept")]
    Digest {
        /// The file's address.
        url: String,
        /// The digest's algorithm.
        kind: &'static str,
        /// Digest of what came.
        found: String,
        /// Digest on record.
        expected: String,
    },
    /// No digest of the file is on record.
    #[error("{url}: no digest is on record to check it by\nhint: name its sha256 in the manifest")]
    Unchecked {
        /// The file's address.
        url: String,
    },
    /// The archive holds what is not unpacked.
    #[error("{archive}: {refusal}; nothing of it was unpacked")]
    Refused {
        /// The archive's address or file.
        archive: String,
        /// What it holds.
        refusal: Refusal,
    },
    /// No client can be made, for want of certificates or threads.
    #[error("no connection can be made: {0}")]
    Client(String),
    /// The hidden folder, where everything lies until it is whole, is not the one of this user.
    #[error(
        "{}: this folder of an unfinished download belongs to another user, who could change what is in it\n\
         hint: remove it, or name another folder with --to",
        hidden.display()
    )]
    Foreign {
        /// The folder.
        hidden: PathBuf,
    },
    /// The corpus's files cannot be listed.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// There is no room for a file; the message names it.
    #[error(
        "{error}\nhint: make room{}, or have your quota raised, and run the command again; what has been \
         downloaded is kept, and it goes on from there",
        needed.map_or(String::new(), |bytes| format!(" for {bytes} bytes more"))
    )]
    Full {
        /// What the system says.
        error: std::io::Error,
        /// Bytes that were still to be written, at most, where that is known.
        needed: Option<u64>,
    },
    /// A file could not be read or written; the message names it.
    #[error(transparent)]
    Io(std::io::Error),
}

impl From<std::io::Error> for FetchError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full { error, needed: None },
            _ => Self::Io(error),
        }
    }
}

/// What is not unpacked.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// A path that does not lead to a place below the folder.
    #[error("entry {0:?} does not lie below the folder")]
    Path(String),
    /// A link, a device or anything else that is neither file nor folder.
    #[error("entry {0:?} is neither file nor folder")]
    Kind(String),
    /// Two entries at one place.
    #[error("entry {0:?} is there twice")]
    Twice(String),
    /// Two entries at one place where neither case nor Unicode's normalization form counts, as on most
    /// Macs.
    #[error(
        "entries {0:?} and {1:?} differ in capital letters or in how accents are written alone, and are \
         one on some systems"
    )]
    Alike(String, String),
    /// A method of compression or encryption that is not known.
    #[error("entry {0:?} is packed by a method that is not known; expected deflate, or none")]
    Method(String),
    /// The folder that is to be unpacked is not in it.
    #[error("it has no folder {0:?}")]
    NoFolder(String),
    /// More than the manifest allows.
    #[error("it unpacks to more than {0} bytes")]
    Bytes(u64),
    /// More than the manifest allows.
    #[error("it has more than {0} entries")]
    Entries(u64),
    /// No archive of this form, or a damaged one.
    #[error("damaged: {0}")]
    Damaged(String),
    /// The system's fault and not the archive's: a full disk, a folder that cannot be written to, a file
    /// that cannot be read.
    #[error("{0}")]
    Io(std::io::Error),
}

impl FetchError {
    /// The error, with the bytes that were still to be written where it is one of no room.
    pub(crate) fn needing(self, bytes: u64) -> Self {
        match self {
            Self::Full { error, .. } => Self::Full { error, needed: Some(bytes) },
            other => other,
        }
    }

    /// The exit code that this calls for.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Occupied { .. } | Self::Fixed { .. } | Self::Unchecked { .. } => exit::USAGE,
            Self::Length { .. } | Self::Digest { .. } | Self::Refused { .. } => exit::DATA,
            Self::Busy { .. }
            | Self::Foreign { .. }
            | Self::Files(_)
            | Self::Full { .. }
            | Self::Status { .. }
            | Self::Interrupted { .. }
            | Self::Client(_)
            | Self::Io(_) => exit::FAILED,
        }
    }
}
