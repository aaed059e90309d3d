//! Why a corpus cannot be fetched.

use std::path::PathBuf;

use ambivox_settings::exit;

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
    #[error("{url}: its SHA-256 is {found}, where {expected} is on record; nothing of it was kept")]
    Digest {
        /// The file's address.
        url: String,
        /// Digest of what came.
        found: String,
        /// Digest on record.
        expected: String,
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
    /// A file could not be read or written; the message names it.
    #[error(transparent)]
    Io(#[from] std::io::Error),
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
    /// A method of compression or encryption that is not known.
    #[error("entry {0:?} is packed by a method that is not known; expected deflate, or none")]
    Method(String),
    /// More than the manifest allows.
    #[error("it unpacks to more than {0} bytes")]
    Bytes(u64),
    /// More than the manifest allows.
    #[error("it has more than {0} entries")]
    Entries(u64),
    /// No archive of this form, or a damaged one.
    #[error("damaged: {0}")]
    Damaged(String),
}

impl FetchError {
    /// The exit code that this calls for.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Occupied { .. } | Self::Fixed { .. } => exit::USAGE,
            Self::Length { .. } | Self::Digest { .. } | Self::Refused { .. } => exit::DATA,
            Self::Busy { .. }
            | Self::Status { .. }
            | Self::Interrupted { .. }
            | Self::Client(_)
            | Self::Io(_) => exit::FAILED,
        }
    }
}
