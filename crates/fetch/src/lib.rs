//! Downloads a corpus as its manifest says, checks it and unpacks it.
//!
//! [`fetch`] brings every file of the manifest's `[[fetch]]` and `[[fetch_lists]]` below a new root folder. A file
//! counts once its length and digest are those on record; a transfer that broke off goes on where it ended.
//! Archives are untrusted even so: [`unpack`] writes files and folders below one folder, up to a
//! stated size, and nothing else. The root appears whole, by being renamed, or not at all.

mod client;
mod corpus;
mod error;
mod part;
mod plain;
mod unpack;

pub use client::{Client, Patience};
pub use corpus::{Fetched, fetch};
pub use error::{FetchError, Refusal};
pub use unpack::unpack;

/// What happens meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<'a> {
    /// A file of this length is being downloaded, of which `held` bytes are there.
    Download {
        /// Its address.
        url: &'a str,
        /// Bytes of an earlier transfer.
        held: u64,
        /// Bytes in all.
        bytes: u64,
    },
    /// So many bytes more have come.
    Received(u64),
    /// The transfer broke off and will be taken up again.
    Again {
        /// Its address.
        url: &'a str,
        /// Bytes that are kept.
        held: u64,
        /// Why it broke off.
        reason: &'a str,
    },
    /// An archive is being unpacked.
    Unpack {
        /// The address it came from.
        url: &'a str,
    },
}

/// Hears of events.
pub type Watch<'a> = &'a dyn Fn(Event<'_>);
