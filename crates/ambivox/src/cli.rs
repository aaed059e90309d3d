//! The command line.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use ambivox_eval::{CHOSEN, DETECTORS};
use ambivox_settings::parse_threads;
use clap::builder::PossibleValuesParser;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use crate::called::{self, said};

mod examples;
mod tasks;

/// Help of `audit --method`.
const AUDIT_METHOD: &str =
    "The method whose runs tell [default: lw where the pipeline has it, else its only one]";
/// Help of `bundle --method`.
const BUNDLE_METHOD: &str = "The method whose networks to take [default: the pipeline's only one]";

/// Plan, run and check the pipelines of Ambivox.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// The pipeline file [default: pipelines/demo.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) pipeline: Option<PathBuf>,
    /// Print one JSON document on standard output; the log goes to standard error
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Leave progress out; standard error has warnings and errors alone
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Threads to use in all, at most 1024; changes the speed alone [default: one per core]
    #[arg(long, global = true, value_name = "N", value_parser = parse_threads)]
    pub(crate) threads: Option<NonZeroUsize>,
    /// Where results are cached [default: `AMBIVOX_STORE`, else .ambivox/store]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
    /// Where tables and reports are published [default: results]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) results: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a synthetic corpus, train two methods on it and write the report, in a minute
    #[command(after_help = examples::DEMO)]
    Demo(Demo),
    /// Write a manifest and a pipeline for a folder of recordings
    ///
    /// IEMOCAP, EmoDB, RAVDESS, CREMA-D and MSP-Podcast are recognised by their files. Any other corpus has
    /// a table of labels, whose columns are guessed by their cells and names. The pipeline takes seconds
    /// and says what to change; what is there is never replaced.
    #[command(after_help = examples::INIT)]
    Init(Init),
    /// Say what is installed and what is missing, and what to do about it
    ///
    /// Exit 1 if results cannot be kept in the store.
    #[command(after_help = examples::DOCTOR)]
    Doctor,
    /// Download a corpus, check it and unpack it
    Fetch(Handed),
    /// Make the synthetic corpus of a pipeline
    Synth(Site),
    /// List the utterances of the corpus, with their speakers and labels
    #[command(after_help = examples::INDEX)]
    Index(Site),
    /// Compute the features of every utterance
    #[command(after_help = examples::EXTRACT)]
    Extract(Site),
    /// Cross-validate: train and test all folds, methods and seeds, or those named
    #[command(after_help = examples::CV)]
    Cv(Training),
    /// Search for settings, ranked by the loss on validation speakers
    #[command(after_help = examples::TUNE)]
    Tune(Tune),
    /// Write the report with tables and figures, training what is missing
    #[command(after_help = examples::REPORT)]
    Report(Training),
    /// Rank labels by how suspect they are, and write a page to listen and decide
    #[command(after_help = examples::AUDIT, mut_arg("methods", |arg| arg.help(AUDIT_METHOD)))]
    Audit(Audit),
    /// Put the trained models of a method into a folder, from which `predict` reads them
    #[command(after_help = examples::BUNDLE, mut_arg("methods", |arg| arg.help(BUNDLE_METHOD)))]
    Bundle(Bundle),
    /// Predict the emotions of audio files by the models that `bundle` put together
    Predict(Handed),
    /// List what would run, and why
    #[command(after_help = examples::PLAN)]
    Plan(Plan),
    /// Check every result in the store for damage; exit 1 if there is some
    Verify,
    /// Tell where a result came from, back to the audio files
    #[command(after_help = examples::SHOW)]
    Show(Show),
    /// Remove results that no pipeline needs any more
    ///
    /// What stays: whatever is fresh for a pipeline in `pipelines/` or the one named by --pipeline;
    /// of a stage that is stale, what it made last; what audit and tune made last; and what is younger
    /// than --keep-days.
    #[command(after_help = examples::GC)]
    Gc(Gc),
    /// Run a pipeline twice and check that all results are the same to the bit
    ///
    /// The second time has other numbers of threads and jobs, another order of runs, other folders
    /// and another locale and time zone. Where digests of the pipeline are on record in
    /// `pipelines/digests`, the results are held to these too.
    #[command(after_help = examples::REPRO)]
    Repro(Repro),
    /// Compare descriptors with a table of another program, column by column
    Conform(Handed),
    /// Measure the speed of a part of the pipeline
    Bench(Handed),
    /// Fuzz the readers of foreign files; needs a nightly compiler and cargo-fuzz
    Fuzz(Handed),
    /// Make what a task of a job array is for
    #[command(hide = true)]
    Work(Work),
    /// Time a command with nothing to do
    #[command(hide = true)]
    BenchPlan,
    /// Write the built-in pipelines and manifests into a folder, to be changed
    #[command(hide = true)]
    Files(Files),
    /// Check the rules of the source code, and the versions on record
    Tidy(Handed),
    /// Run what CI runs
    Ci(Handed),
}

/// A corpus to begin with.
#[derive(Debug, Default, Args)]
pub(crate) struct Init {
    /// The folder that holds the recordings
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// The table of labels, a file in that folder [default: the one there that names its sound files]
    #[arg(long, value_name = "FILE")]
    pub(crate) table: Option<PathBuf>,
    /// What manifest and pipeline are called [default: by the folder, or my-CORPUS]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// The folder whose data-manifests/ and pipelines/ they go to [default: the checkout, else this folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) into: Option<PathBuf>,
    /// The table's column of labels [default: by its usual name, such as emotion or label]
    #[arg(long, value_name = "COLUMN")]
    pub(crate) label: Option<String>,
    /// The table's column of speakers [default: by its usual name, such as speaker]; "" for none
    #[arg(long, value_name = "COLUMN")]
    pub(crate) speaker: Option<String>,
}

/// Which runs, and how many at a time.
#[derive(Debug, Args)]
pub(crate) struct Training {
    #[command(flatten)]
    pub(crate) selection: Selection,
    #[command(flatten)]
    pub(crate) jobs: Jobs,
    /// Begin the runs in an order drawn from this number; changes no result
    #[arg(long, value_name = "NUMBER", hide = true)]
    pub(crate) shuffle: Option<u64>,
}

/// How much of a demonstration, and how many runs at a time.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Train all methods with the paper's network, in minutes: pipelines/demo-full.toml
    #[arg(long)]
    pub(crate) full: bool,
    #[command(flatten)]
    pub(crate) jobs: Jobs,
}

/// What to try, on which runs, and how many at a time.
#[derive(Debug, Args)]
pub(crate) struct Tune {
    /// What to try: a TOML file, such as pipelines/spaces/lw.toml
    #[arg(long, value_name = "FILE")]
    pub(crate) space: PathBuf,
    #[command(flatten)]
    pub(crate) selection: Selection,
    #[command(flatten)]
    pub(crate) jobs: Jobs,
}

/// Whose networks, and where to.
#[derive(Debug, Args)]
pub(crate) struct Bundle {
    #[command(flatten)]
    pub(crate) selection: Selection,
    #[command(flatten)]
    pub(crate) jobs: Jobs,
    /// The folder to make
    #[arg(value_name = "DIR")]
    pub(crate) to: PathBuf,
}

/// Whose runs tell, and how many sounds to listen to; or a table of labels, in place of a pipeline.
#[derive(Debug, Args)]
pub(crate) struct Audit {
    #[command(flatten)]
    pub(crate) tables: Tables,
    #[command(flatten)]
    pub(crate) selection: Selection,
    #[command(flatten)]
    pub(crate) jobs: Jobs,
    /// What ranks the labels; `chosen`, with --noise: the detectors that together find the most noisy labels
    /// [default: `margin` where runs keep `training.dynamics`, else learned label and training loss together]
    #[arg(long, value_name = "NAME", value_parser = detectors())]
    pub(crate) detector: Option<String>,
    /// Say how many of the first labels of such a ranking are wrong where `[label_noise]` of the pipeline
    /// exchanges labels on purpose, training all of it that is missing
    #[arg(long)]
    pub(crate) noise: bool,
    /// Sounds that the page has in it, of the most suspect labels
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) sounds: usize,
}

fn detectors() -> PossibleValuesParser {
    PossibleValuesParser::new(DETECTORS.iter().map(|detector| detector.name).chain([CHOSEN]))
}

/// A table of labels, and what somebody's model has computed of its utterances.
#[derive(Debug, Default, Clone, Args)]
pub(crate) struct Tables {
    /// A table of labels to audit without a pipeline: text with a header, with --features or
    /// --probabilities; what ran is written to results/TABLE/pipeline.toml
    #[arg(long, value_name = "FILE", requires = "computed")]
    pub(crate) table: Option<PathBuf>,
    /// Vectors of its utterances, of any model: .npz, .safetensors, .csv, .parquet, a folder of .npy
    #[arg(long, value_name = "FILE", group = "computed", requires = "table")]
    pub(crate) features: Option<PathBuf>,
    /// Probabilities of its labels, a column for each, by a model that did not train on the utterance
    #[arg(long, value_name = "FILE", group = "computed", requires = "table")]
    pub(crate) probabilities: Option<PathBuf>,
    /// Its column of ids [default: `utterance_id`, else `id`, else `file`]
    #[arg(long, value_name = "COLUMN", requires = "table")]
    pub(crate) id: Option<String>,
    /// Its column of labels [default: by its usual name, such as `label`, `emotion` or `class`]
    #[arg(long, value_name = "COLUMN", requires = "table")]
    pub(crate) label: Option<String>,
    /// Its column of speakers; with --probabilities, and for the rates of `report`, whole speakers are tested
    /// [default: by its usual name, such as `speaker`, where there is such]
    #[arg(long, value_name = "COLUMN", requires = "table")]
    pub(crate) speaker: Option<String>,
    /// The values of the vectors or probabilities, where there are others beside them: the beginning of
    /// their columns' names, the column of lists, or the array
    #[arg(long, value_name = "NAME", requires = "table")]
    pub(crate) values: Option<String>,
    /// The layer, from 0, of vectors that have several on the first axis; nested: each fold chooses one
    /// by its training utterances
    #[arg(long, value_name = "LAYER", requires = "table")]
    pub(crate) layer: Option<String>,
}

/// How many runs at a time, and where.
#[derive(Debug, Args)]
pub(crate) struct Jobs {
    /// Training runs at a time on this machine, at most 1024 [default: one per thread]
    #[arg(long, value_name = "N", value_parser = parse_threads)]
    pub(crate) jobs: Option<NonZeroUsize>,
    #[command(flatten)]
    pub(crate) site: Site,
}

/// Where stages run; changes no result.
#[derive(Debug, Default, Clone, Args)]
pub(crate) struct Site {
    /// Where stages run
    #[arg(long, value_enum, value_name = "WHERE", default_value_t)]
    pub(crate) executor: ExecutorKind,
    /// What is asked of it [default: `[executor]` of the pipeline, else
    /// ~/.config/ambivox/executor.toml]
    #[arg(long, value_name = "FILE")]
    pub(crate) executor_file: Option<PathBuf>,
    /// Print the scripts that would be submitted next, and submit nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// An executor.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExecutorKind {
    /// On this machine
    #[default]
    Local,
    /// As jobs of Slurm
    Slurm,
}

/// One task of an order.
#[derive(Debug, Args)]
pub(crate) struct Work {
    /// The order's file
    #[arg(long, value_name = "FILE")]
    pub(crate) order: PathBuf,
    /// The task's number in the array
    #[arg(long, value_name = "NUMBER")]
    pub(crate) task: usize,
}

/// Which runs; each flag may be given more than once, and where it is not, all are meant.
#[derive(Debug, Default, Clone, Args)]
pub(crate) struct Selection {
    /// Only this fold, by its name: that of its test speaker, where each has one
    #[arg(long = "fold", value_name = "FOLD")]
    pub(crate) folds: Vec<String>,
    /// Only this method
    #[arg(long = "method", value_name = "METHOD")]
    pub(crate) methods: Vec<String>,
    /// Only this seed
    #[arg(long = "seed", value_name = "SEED")]
    pub(crate) seeds: Vec<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Say why each stage would run
    #[arg(long)]
    pub(crate) why: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Files {
    /// The folder; its pipelines/ and data-manifests/ are made
    #[arg(value_name = "DIR")]
    pub(crate) to: PathBuf,
}

/// Which result.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The first digits of a key or of an output's digest
    pub(crate) digest: String,
}

#[derive(Debug, Args)]
pub(crate) struct Gc {
    /// Say what would go, and leave it
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Keep whatever was made in so many last days
    #[arg(long, value_name = "DAYS", default_value_t = 7,
        value_parser = clap::value_parser!(u64).range(..=crate::gc::MOST_DAYS))]
    pub(crate) keep_days: u64,
}

#[derive(Debug, Args)]
pub(crate) struct Repro {
    /// Put the digests on record instead of holding the results to them
    #[arg(long)]
    pub(crate) bless: bool,
}

/// What a command of another program is given; that program reads it itself.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Handed {
    /// See the command's own --help
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) arguments: Vec<OsString>,
}

/// Commands of the checkout, which other programs do.
pub(crate) const OF_CHECKOUT: [&str; 6] = ["tidy", "ci", "fuzz", "bench", "conform", "fetch"];

/// What a command line asks for; ends the process where it is wrong or asks for help. In a checkout
/// `cargo xtask` puts its place first.
pub(crate) fn parse(mut arguments: Vec<OsString>) -> Cli {
    if arguments.len() > 2 && arguments[1] == CHECKOUT {
        called::for_checkout(arguments.remove(2).into());
        arguments.remove(1);
    }
    let mut command = if called::checkout().is_some() { in_checkout() } else { installed() };
    let matches = command.try_get_matches_from_mut(arguments);
    let cli = matches.and_then(|matches| Cli::from_arg_matches(&matches));
    cli.unwrap_or_else(|error| error.format(&mut command).exit())
}

/// The argument before the place of the checkout that the program is called for.
pub(crate) const CHECKOUT: &str = "--checkout";

/// The command line in a checkout.
pub(crate) fn in_checkout() -> clap::Command {
    tasks::grouped(Cli::command())
}

/// The command line of the installed program.
fn installed() -> clap::Command {
    let command = Cli::command().name(called::name()).bin_name(called::name()).version(VERSION);
    tasks::grouped(command.mut_subcommands(|command| {
        // A checkout has the files.
        let is_files = command.get_name() == "files";
        let hidden =
            command.is_hide_set() && !is_files || OF_CHECKOUT.contains(&command.get_name());
        let examples = command.get_after_help().map(|text| said(&text.to_string()));
        let command = command.hide(hidden);
        match examples {
            Some(examples) => command.after_help(examples),
            None => command,
        }
    }))
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(["xtask"].into_iter().chain(line.split_whitespace()))
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn cv_takes_its_selection() {
        let line = "cv --fold Ses03F --fold Ses04M --method lw --seed 2 --jobs 3 --pipeline p.toml";
        let cli = parse(line).unwrap();
        assert_eq!(cli.common.pipeline, Some(PathBuf::from("p.toml")));
        let Command::Cv(training) = cli.command else { panic!("{:?}", cli.command) };
        assert_eq!(training.selection.folds, ["Ses03F", "Ses04M"]);
        assert_eq!(training.selection.methods, ["lw"]);
        assert_eq!(training.selection.seeds, [2]);
        assert_eq!(training.jobs.jobs.map(NonZeroUsize::get), Some(3));
    }

    #[test]
    fn common_flags_go_before_or_after_the_command() {
        for line in ["--json --threads 2 index", "index --threads 2 --json"] {
            let common = parse(line).unwrap().common;
            assert!(common.json);
            assert_eq!(common.threads.map(NonZeroUsize::get), Some(2));
        }
    }

    #[test]
    fn wrong_use_ends_with_code_2() {
        let lines = [
            "",
            "cvv",
            "cv --folds x",
            "cv --seed -1",
            "cv --jobs 0",
            "index --fold x",
            "cv --jobs 8000",
            "--threads 0 cv",
            "repro --threads 8000",
        ];
        for line in lines {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }

    /// No word of the checkout's commands, and its own name throughout.
    #[test]
    fn an_installed_program_helps_by_its_own_name() {
        let mut command = installed();
        insta::assert_snapshot!(command.render_help());
        for sub in command.get_subcommands_mut() {
            let help = sub.render_long_help().to_string();
            assert!(!help.contains("cargo xtask"), "{help}");
        }
    }

    #[test]
    fn help_lists_the_commands() {
        insta::assert_snapshot!(in_checkout().render_help());
    }
}
