//! A program with one more kind on every axis of an experiment, and its test: the program that `cargo test`
//! starts runs itself again for every command, as `ambivox` does for every stage.
//!
//! Each kind is a file beside this one, and a line of [`registry`].

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod centroids;
mod halves;
mod loudest;
mod loudness;
mod program;
mod smoothed;

use std::process::ExitCode;

use ambivox::Registry;

fn registry() -> Registry {
    Registry::builtin()
        .with(loudness::KIND, "1")
        .with(loudest::KIND, "1")
        .with(halves::KIND, "1")
        .with(centroids::KIND, "1")
        .with(smoothed::KIND, "1")
}

fn main() -> ExitCode {
    if program::is_asked_for() {
        return ambivox::main(registry());
    }
    program::test();
    ExitCode::SUCCESS
}
