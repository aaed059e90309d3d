//! Examples below the help of commands. A test has the parser read every line of them, and those of
//! the small demonstration are run from end to end in `tests/`.

/// Below the help of `demo`.
pub(super) const DEMO: &str = "\
Examples:
  Two methods on a corpus made on the spot:
    cargo xtask demo
  All nine, with the paper's network, in minutes:
    cargo xtask demo --full
  The same in small, in seconds:
    cargo xtask demo --pipeline pipelines/demo-small.toml";

/// Below the help of `init`.
pub(super) const INIT: &str = "\
Examples:
  A folder of recordings with a table of labels, then all its folds:
    cargo xtask init path/to/talks
    cargo xtask cv --pipeline pipelines/talks.toml
  A table that is not found by itself, and a column that is called otherwise:
    cargo xtask init path/to/talks --table path/to/talks/annotated.tsv --label mood --name moods
  A corpus whose layout is known, such as EmoDB:
    cargo xtask init path/to/emodb";

/// Below the help of `doctor`.
pub(super) const DOCTOR: &str = "\
Examples:
  What there is, for another program to read:
    cargo xtask doctor --json";

/// Below the help of `index`.
pub(super) const INDEX: &str = "\
Examples:
  What is in a corpus, which EMODB_ROOT names, compared with its release:
    cargo xtask index --pipeline pipelines/emodb.toml";

/// Below the help of `extract`.
pub(super) const EXTRACT: &str = "\
Examples:
  The table of descriptors, named in JSON:
    cargo xtask extract --pipeline pipelines/demo-small.toml --json";

/// Below the help of `cv`.
pub(super) const CV: &str = "\
Examples:
  One fold of one method, to see how it goes:
    cargo xtask cv --pipeline pipelines/demo-small.toml --method lw --fold Ses01F
  Two methods, with no more than two trainings at a time:
    cargo xtask cv --pipeline pipelines/demo-small.toml --method baseline --method lw --jobs 2
  One seed of everything on a real corpus, which EMODB_ROOT names:
    cargo xtask cv --pipeline pipelines/emodb.toml --seed 0
  The scripts that Slurm would be given, and nothing more:
    cargo xtask cv --pipeline pipelines/iemocap.toml --executor slurm --dry-run";

/// Below the help of `tune`.
pub(super) const TUNE: &str = "\
Examples:
  24 settings of lw on all folds of one seed:
    cargo xtask tune --pipeline pipelines/emodb.toml --space pipelines/spaces/lw.toml --seed 0
  The same on two folds alone, to find out how long it takes:
    cargo xtask tune --pipeline pipelines/emodb.toml --space pipelines/spaces/lw.toml --seed 0 --fold 03 --fold 08";

/// Below the help of `report`.
pub(super) const REPORT: &str = "\
Examples:
  The page of the small demonstration, results/demo-small/report.html:
    cargo xtask report --pipeline pipelines/demo-small.toml
  Two methods and one seed of a larger pipeline, with whatever else has been trained:
    cargo xtask report --pipeline pipelines/emodb.toml --method baseline --method lw --seed 0";

/// Below the help of `audit`.
pub(super) const AUDIT: &str = "\
Examples:
  The labels to look at first, with results/demo-small/audit.html to listen and decide:
    cargo xtask audit --pipeline pipelines/demo-small.toml
  By another method, with every sound of 535 in the page:
    cargo xtask audit --pipeline pipelines/emodb.toml --method l --sounds 535
  Of a table of labels and vectors of any model, without recordings or a pipeline:
    cargo xtask audit --table labels.csv --features vectors.parquet
  Or with the probabilities that your own model gave its test utterances in a cross-validation:
    cargo xtask audit --table labels.csv --probabilities probabilities.csv";

/// Below the help of `bundle`.
pub(super) const BUNDLE: &str = "\
Examples:
  The networks of all folds of a method:
    cargo xtask bundle networks --pipeline pipelines/demo-small.toml --method lw
  Then ask them:
    cargo xtask predict --model networks speech.wav";

/// Below the help of `plan`.
pub(super) const PLAN: &str = "\
Examples:
  What `cargo xtask demo` would run, stage by stage:
    cargo xtask plan
  Why each stage of one method would run:
    cargo xtask plan --pipeline pipelines/demo-small.toml --method lw --why";

/// Below the help of `show`.
pub(super) const SHOW: &str = "\
Examples:
  The lineage of a digest that a report names under Provenance:
    cargo xtask show 3b5d5c3712";

/// Below the help of `gc`.
pub(super) const GC: &str = "\
Examples:
  What would go, and how much space that would give:
    cargo xtask gc --dry-run --keep-days 0";

/// Below the help of `repro`.
pub(super) const REPRO: &str = "\
Examples:
  Two runs in fresh stores, held to the digests on record:
    cargo xtask repro --pipeline pipelines/demo-small.toml";

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::{Command, CommandFactory as _, Parser as _};

    use crate::cli::{Cli, OF_CHECKOUT};

    /// The command lines among the examples of a command.
    fn lines(command: &Command) -> Vec<String> {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let lines = help.lines().map(str::trim).filter(|line| line.starts_with("cargo xtask "));
        lines.map(str::to_owned).collect()
    }

    fn words(line: &str) -> impl Iterator<Item = &str> {
        line.strip_prefix("cargo ").unwrap_or(line).split_whitespace()
    }

    #[test]
    fn the_parser_reads_every_line() {
        let cli = Cli::command();
        let lines: Vec<String> = cli.get_subcommands().flat_map(lines).collect();
        assert!(lines.len() > 15, "{lines:?}");
        for line in &lines {
            let command = words(line).nth(1).unwrap();
            if command != "predict" && !OF_CHECKOUT.contains(&command) {
                Cli::try_parse_from(words(line)).unwrap_or_else(|error| panic!("{line}: {error}"));
            }
        }
    }

    #[test]
    fn a_command_is_shown_by_itself_first() {
        let cli = Cli::command();
        let shown = cli.get_subcommands().filter(|command| !lines(command).is_empty());
        for command in shown {
            let first = format!("cargo xtask {}", command.get_name());
            assert!(lines(command)[0].starts_with(&first), "{first}: {:?}", lines(command));
        }
    }

    #[test]
    fn the_files_named_are_there() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let cli = Cli::command();
        for line in cli.get_subcommands().flat_map(lines) {
            // The example of `init` writes this one.
            let named = words(&line).filter(|word| word.starts_with("pipelines/"));
            for file in named.filter(|word| *word != "pipelines/talks.toml") {
                assert!(root.join(file).is_file(), "{line}");
            }
        }
    }
}
