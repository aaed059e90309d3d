//! The program `ambivox`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ambivox::main(ambivox::Registry::builtin())
}
