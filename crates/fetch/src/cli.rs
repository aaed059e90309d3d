//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// Below the help.
const EXAMPLES: &str = "\
Examples:
  To the folder that EMODB_ROOT names:
    cargo xtask fetch emodb
  To a folder named here, 7,444 files of CREMA-D:
    cargo xtask fetch crema-d --to corpora/crema-d
  By a manifest of one's own, to a folder named:
    cargo xtask fetch mine.toml --to corpora/mine";

/// Download a corpus as its manifest says, check it and unpack it.
///
/// Files are checked by the digests on record, SHA-256 or, where the provider publishes no other, MD5.
/// A transfer that broke off goes on where it ended, now or when the command is run again. The folder
/// appears once all of it is there. Where a manifest names no download, the command says how to get the
/// corpus by hand.
#[derive(Debug, Parser)]
#[command(name = "ambivox-fetch", bin_name = "cargo xtask fetch", version)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Cli {
    /// The corpus by the name of its manifest, or a manifest's file
    pub(crate) corpus: String,
    /// The folder to make [default: what the corpus's variable names, such as `EMODB_ROOT`]
    #[arg(long, value_name = "DIR")]
    pub(crate) to: Option<PathBuf>,
    /// Print one JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
    /// Where manifests are
    #[arg(long, value_name = "DIR", default_value = "data-manifests", hide = true)]
    pub(crate) manifests: PathBuf,
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
    fn the_parser_reads_every_example() {
        let lines = EXAMPLES.lines().map(str::trim).filter(|line| line.starts_with("cargo "));
        for line in lines {
            let words = line.split_whitespace().skip(2);
            Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }

    #[test]
    fn help_says_what_there_is() {
        insta::assert_snapshot!(Cli::command().render_help());
    }
}
