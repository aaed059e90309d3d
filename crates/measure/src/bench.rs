//! Timings. Each part of the pipeline that is timed has a module of its own.

pub(crate) mod encoder;
pub(crate) mod extract;
pub(crate) mod lld;
pub(crate) mod memory;
pub(crate) mod train;
mod worker;
