//! Exit codes of `cargo xtask` and of every stage.

/// The work is done.
pub const DONE: u8 = 0;
/// The work failed for a reason that is neither the user's call nor the data.
pub const FAILED: u8 = 1;
/// The command was used wrongly: an unknown flag, fold, method or a faulty pipeline file.
pub const USAGE: u8 = 2;
/// The input data are at fault: a missing corpus, a broken file, a class that does not occur.
pub const DATA: u8 = 3;
