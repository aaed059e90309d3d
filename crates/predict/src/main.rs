//! The binary `ambivox-predict`: the command `predict` alone, for machines that have nothing else of ours.

use std::process::ExitCode;

fn main() -> ExitCode {
    ambivox_predict::main("cargo xtask", std::env::args_os())
}
