//! The command line, as seen through `cargo xtask`.

use clap::{Parser, Subcommand};

use crate::{bench, conform};

/// Measure agreement with references, speed and scale.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Compare descriptors with a reference table, column by column
    ///
    /// Ends with 0 where every value of every column is within the tolerance, with 1 where a column
    /// falls short.
    Conform(conform::Args),
    /// Time a part of the pipeline
    #[command(subcommand)]
    Bench(Bench),
    /// Do the jobs of `bench train` that come on standard input
    #[command(hide = true)]
    BenchWorker,
    /// Do the jobs of `bench encoder` that come on standard input
    #[command(hide = true)]
    EncoderWorker,
    /// Do one extraction of `bench extract`
    #[command(hide = true)]
    ExtractWorker(bench::extract::WorkerArgs),
    /// Do one training of `bench memory`
    #[command(hide = true)]
    MemoryWorker(bench::memory::WorkerArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Time the descriptors: one thread, whole files in memory
    Lld(bench::lld::Args),
    /// Time neural encoders of random weights, beside PyTorch and transformers
    Encoder(bench::encoder::Args),
    /// Time an extraction of generated sound, whose hours and threads can be named
    Extract(bench::extract::Args),
    /// Measure memory and speed of training on generated frames, of more hours than memory holds
    Memory(bench::memory::Args),
    /// Time training and inference, beside PyTorch where Python has it
    Train(bench::train::Args),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn wrong_use_ends_with_code_2() {
        let lines =
            ["", "bench", "bench none", "bench lld --runs 0", "bench train x", "conform x.wav"];
        for line in lines {
            let words = ["xtask"].into_iter().chain(line.split_whitespace());
            assert_eq!(Cli::try_parse_from(words).unwrap_err().exit_code(), 2, "{line}");
        }
    }
}
