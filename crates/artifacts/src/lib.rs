//! Stage keys, the content-addressed store, locks, atomic writes and provenance.
//!
//! A stage is a pure function: its outputs depend on the version of its code, its parameters and the contents of
//! its inputs, and on nothing else. [`KeyParts`] digests those into a key; the [`Store`] keeps the
//! outputs under it together with a [`Record`] that is written last. A result is fresh when its key
//! has a record *and* every output still has the digest on record; the [`StatMemo`] makes that check
//! cheap. Where a result is not fresh, typed [`StaleReason`]s say why.
//!
//! The crate knows files and digests alone, never what the stages do.

mod atomic;
mod digest;
mod encode;
mod error;
mod file_name;
mod key;
mod listing;
mod memo;
mod reason;
mod record;
mod store;

pub use atomic::{sync_tree, write_atomically};
pub use digest::Digest;
pub use encode::Encoder;
pub use error::ArtifactError;
pub use file_name::file_name;
pub use key::{KEY_SCHEMA, KeyParts};
pub use listing::{Listing, listing_digest};
pub use memo::{FileDigest, StatMemo};
pub use reason::{StaleReason, explain};
pub use record::{Output, Provenance, Record};
pub use store::{Begun, Garbage, Hold, Lookup, Records, Staging, Store};
