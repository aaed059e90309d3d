//! The binary `ambivox`.
fn main() {}
