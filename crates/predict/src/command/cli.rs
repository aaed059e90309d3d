//! The command line.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use ambivox_settings::parse_threads;
use clap::builder::StyledStr;
use clap::{CommandFactory as _, FromArgMatches as _, Parser};

use super::by_name;

/// Below the help.
const EXAMPLES: &str = "\
Examples, with the folder networks that `cargo xtask bundle networks --method lw` makes:
  A table of one sound, and of every sound of a folder:
    cargo xtask predict --model networks speech.wav
    cargo xtask predict --model networks recordings
  A row for every two seconds, for a spreadsheet:
    cargo xtask predict --model networks --csv --window 2 speech.wav
  All that there is, with the attention of every frame:
    cargo xtask predict --model networks --json --attention speech.wav
  The microphone, every half second:
    arecord -q -t raw -f S16_LE -r 16000 -c 1 | cargo xtask predict --model networks --stream --hop 0.5";

/// Say what emotions sound like, by networks that `cargo xtask bundle` put into a folder.
///
/// Probabilities are means over the folder's networks. Sound of any common format and rate is read;
/// what is longer than a window is cut into windows of equal length. Networks of the method cyclegan
/// read functionals of each window, and have no attention to show.
#[derive(Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[command(name = "ambivox-predict", bin_name = "cargo xtask predict", version)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Cli {
    /// The folder of networks
    #[arg(long, value_name = "DIR")]
    pub(crate) model: PathBuf,
    /// The folder of the encoder whose hidden states the networks read [default: found below `AMBIVOX_ENCODERS`]
    #[arg(long, value_name = "DIR")]
    pub(crate) encoder: Option<PathBuf>,
    /// Sound files, folders of them, or - for one file on standard input
    #[arg(
        value_name = "FILE|DIR|-",
        required_unless_present = "stream",
        conflicts_with = "stream"
    )]
    pub(crate) sounds: Vec<PathBuf>,
    /// Longest window, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub(crate) window: f64,
    /// Print one JSON document (with --stream, one for each line)
    #[arg(long, conflicts_with = "csv")]
    pub(crate) json: bool,
    /// Print CSV, a row per window
    #[arg(long)]
    pub(crate) csv: bool,
    /// Give the attention of every frame in the JSON document
    #[arg(long, requires = "json")]
    pub(crate) attention: bool,
    /// Read raw sound from standard input as it comes: mono, 16 kHz, 16 bit, little endian
    #[arg(long)]
    pub(crate) stream: bool,
    /// With --stream, the time from one prediction to the next, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    #[arg(conflicts_with = "sounds")]
    pub(crate) hop: f64,
    /// Threads to use, at most 1024; changes the speed alone [default: one per core]
    #[arg(long, value_name = "N", value_parser = parse_threads)]
    pub(crate) threads: Option<NonZeroUsize>,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Table,
    Json,
    Csv,
}

impl Cli {
    /// The form that was asked for.
    pub(crate) fn form(&self) -> Form {
        match (self.json, self.csv) {
            (true, _) => Form::Json,
            (_, true) => Form::Csv,
            _ => Form::Table,
        }
    }
}

/// What a command line asks for; ends the process where it is wrong or asks for help.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Cli {
    let mut command = Cli::command();
    let named = |text: Option<&StyledStr>| text.map(|text| by_name(&text.to_string()));
    let texts = [command.get_about(), command.get_after_help()].map(named);
    let [about, examples] = texts.map(Option::unwrap_or_default);
    command = command.about(about).after_help(examples).bin_name(by_name("cargo xtask predict"));
    let matches = command.try_get_matches_from_mut(arguments);
    let cli = matches.and_then(|matches| Cli::from_arg_matches(&matches));
    cli.unwrap_or_else(|error| error.format(&mut command).exit())
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds.is_finite() && seconds > 0.0 => Ok(seconds),
        _ => Err("expected seconds above 0".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(["ambivox-predict"].into_iter().chain(line.split_whitespace()))
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn one_form_at_a_time() {
        assert_eq!(parse("--model m a.wav").unwrap().form(), Form::Table);
        assert_eq!(parse("--model m --json --attention a b").unwrap().form(), Form::Json);
        assert_eq!(parse("--model m --csv --stream --hop 0.5").unwrap().form(), Form::Csv);
    }

    #[test]
    fn wrong_use_is_refused() {
        for line in [
            "a.wav",
            "--model m",
            "--model m a --stream",
            "--model m a --json --csv",
            "--model m a --window 0",
            "--model m a --window nan",
            "--model m a --attention",
            "--model m a --threads 0",
            "--model m a --threads 8000",
            "--model m a --hop 2",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn the_parser_reads_every_example() {
        let lines = EXAMPLES.lines().filter_map(|line| line.split_once("cargo xtask predict "));
        let lines: Vec<&str> = lines.map(|(_, arguments)| arguments).collect();
        assert_eq!(lines.len(), 5);
        for line in lines {
            parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }

    #[test]
    fn help_says_what_there_is() {
        insta::assert_snapshot!(Cli::command().render_help());
    }
}
