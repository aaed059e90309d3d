//! Which code a program runs, so that results of other code are never taken for its own, and a comment
//! makes nothing stale.
//!
//! A *unit* is a stage, a kind on an axis, or the way all is built. Each has a version on record in
//! `versions.lock`, which is part of the key of all that it makes, beside digests of what it was made of
//! when it was put there: of the tokens of its sources, without comments, documentation and tests; of the
//! packages that it links. Where these have moved, the rules of the workspace ask for a word: the same bytes or new
//! ones. Until it is given, the digest of the source itself stands in keys (`1 … unlocked 3f…`), so that
//! whoever edits code that computes is never served what other code has computed.

mod cargo_lock;
mod error;
mod files;
mod flags;
mod manifest;
mod sources;
mod stages;
mod tokens;
mod units;
mod versions;
mod workspace;

pub use error::IdentityError;
pub use flags::flags;
pub use stages::STAGES;
pub use units::{AXES, BUILD, Unit, kind, stage};
pub use versions::{Bytes, Difference, FILE, Versions};

#[cfg(test)]
mod tests;
