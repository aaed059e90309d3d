//! The command line of the chores; what else is asked for, another program knows.

use clap::{Args, Parser, Subcommand};

/// Keep the house: its rules, the versions on record, what CI runs.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check the rules of the workspace, and the versions on record
    ///
    /// Where the source of a stage or a kind is not what `versions.lock` has, say once whether its
    /// results are still the same to the bit: --same-bytes keeps what is cached, --new-bytes raises the
    /// version, so that all makes its results again. Until then a build of that source keeps its results
    /// apart by itself.
    Tidy(Tidy),
    /// Try to break every reader of untrusted files, where a nightly compiler and cargo-fuzz are
    Fuzz(Fuzz),
    /// Run what CI runs
    Ci,
}

#[derive(Debug, Default, Args)]
pub(crate) struct Tidy {
    /// Put these on record: they make what they made before (`all` for all that differ)
    #[arg(long, value_name = "UNIT", num_args = 1.., requires = "why", conflicts_with = "new_bytes")]
    pub(crate) same_bytes: Vec<String>,
    /// Put these on record under the next version: they make something else now
    #[arg(long, value_name = "UNIT", num_args = 1.., requires = "why")]
    pub(crate) new_bytes: Vec<String>,
    /// Why, for whoever reads the record
    #[arg(long, value_name = "TEXT")]
    pub(crate) why: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Fuzz {
    /// Only these targets, as `fuzz/fuzz_targets` names them [default: all]
    #[arg(value_name = "TARGET")]
    pub(crate) targets: Vec<String>,
    /// How long to try each of them
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub(crate) seconds: u64,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    /// The reference of all commands takes it from here.
    #[test]
    fn help_says_what_there_is() {
        for command in Cli::command().get_subcommands() {
            let (name, title) = (command.get_name(), format!("cargo xtask {}", command.get_name()));
            let help = command.clone().bin_name(title).render_long_help().to_string();
            let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
            insta::assert_snapshot!(name, lines.join("\n"));
        }
    }

    #[test]
    fn a_record_needs_a_reason() {
        let parse = |line: &str| Cli::try_parse_from(["xtask"].into_iter().chain(line.split(' ')));
        assert!(parse("tidy").is_ok() && parse("tidy --same-bytes all --why docs").is_ok());
        assert!(parse("tidy --same-bytes all").is_err());
        assert!(parse("tidy --same-bytes a --new-bytes b --why x").is_err());
        assert!(parse("tidy x").is_err());
    }
}
