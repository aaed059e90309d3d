//! Which front ends there are: those that hear recordings, and the one that reads tables.

mod table;

use ambivox_frontends::{FrontendKind, HEARING};

pub use table::parse;

/// Every kind of front end.
pub const FRONTENDS: [FrontendKind; 2] = [HEARING[0], table::KIND];
