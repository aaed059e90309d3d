//! Every reader of untrusted bytes as a function of bytes, which panics where something is
//! read that must not be.
//!
//! `fuzz/` hands each of them to libFuzzer; the tests of this crate call them with the corpora kept
//! there and with changes of these. An error that a reader returns is a good answer.

#![expect(clippy::unwrap_used, reason = "a fuzz target says by panicking what is wrong")]

mod archives;
mod corpora;
mod encoders;
mod networks;
mod settings;
mod sound;
mod tables;

pub use archives::archive;
pub use corpora::{annotators, csv, evaluation};
pub use encoders::encoder;
pub use networks::{bundle, checkpoint};
pub use settings::{manifest, pipeline, space};
pub use sound::{audio, feature_set};
pub use tables::table;

/// A reader under test.
pub type Target = fn(&[u8]);

/// Every target under its name in `fuzz/`.
pub const TARGETS: [(&str, Target); 13] = [
    ("annotators", annotators),
    ("archive", archive),
    ("audio", audio),
    ("bundle", bundle),
    ("checkpoint", checkpoint),
    ("csv", csv),
    ("encoder", encoder),
    ("evaluation", evaluation),
    ("feature_set", feature_set),
    ("manifest", manifest),
    ("pipeline", pipeline),
    ("space", space),
    ("table", table),
];

/// Bytes as the one file of a new folder, for readers that take a path.
fn with_file(name: &str, bytes: &[u8], read: impl FnOnce(&std::path::Path)) {
    let folder = tempfile::tempdir().unwrap();
    fs_err::write(folder.path().join(name), bytes).unwrap();
    read(folder.path());
}
