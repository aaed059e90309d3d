//! Which front ends there are: those that hear recordings, and the one that reads tables.

mod table;

use ambivox_frontends::{FrontendKind, HEARING};

pub use table::parse;

/// Every kind of front end.
pub const FRONTENDS: [FrontendKind; HEARING.len() + 1] = {
    let mut all = [table::KIND; HEARING.len() + 1];
    let mut at = 0;
    while at < HEARING.len() {
        all[at] = HEARING[at];
        at += 1;
    }
    all
};
