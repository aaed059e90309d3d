//! The binary `ambivox-fetch`: downloads a corpus that a manifest names, checks it and unpacks it.
//!
//! `cargo xtask fetch` builds it and hands its arguments on.

mod cli;
mod progress;

use std::io::{Write as _, stderr, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ambivox_fetch::{Client, FetchError, Fetched, Patience, fetch};
use ambivox_settings::{Manifest, SettingsError, exit, printable};
use clap::Parser as _;
use fs_err as fs;

use cli::Cli;
use progress::Progress;

/// An error for the user.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    ByHand(String),
    #[error(transparent)]
    Manifest(#[from] SettingsError),
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl Failure {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Manifest(_) => exit::USAGE,
            Self::ByHand(_) | Self::Io(_) => exit::FAILED,
            Self::Fetch(error) => error.exit_code(),
        }
    }
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::from(exit::DONE),
        Err(error) => {
            // Nothing is left to do where standard error is closed.
            writeln!(stderr(), "error: {}", printable(&error.to_string())).ok();
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(cli: &Cli) -> Result<(), Failure> {
    let file = manifest_file(cli)?;
    let manifest = Manifest::read(&file)?;
    let files = manifest.downloads(file.parent().unwrap_or(Path::new("")))?;
    if files.is_empty() {
        return Err(Failure::ByHand(by_hand(&manifest)));
    }
    let root = root(cli, &manifest)?;
    let progress = Progress::new(&files);
    let client = Client::new(Patience::default())?;
    let fetched = fetch(&manifest, &files, &root, &client, &|event| progress.hear(&event))?;
    progress.end();
    tell(cli, &manifest, &fs::canonicalize(root)?, fetched)
}

/// The manifest named by its file, or by the corpus's name.
fn manifest_file(cli: &Cli) -> Result<PathBuf, Failure> {
    let named = Path::new(&cli.corpus);
    if named.extension().is_some_and(|extension| extension == "toml") {
        return Ok(named.to_owned());
    }
    let file = cli.manifests.join(named).with_extension("toml");
    if file.is_file() {
        return Ok(file);
    }
    let known = known(&cli.manifests)?.join(", ");
    Err(Failure::Usage(format!("no manifest of a corpus {:?}; there are {known}", cli.corpus)))
}

fn known(folder: &Path) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

/// The folder given, else that of the corpus's variable.
fn root(cli: &Cli, manifest: &Manifest) -> Result<PathBuf, Failure> {
    let variable = || std::env::var_os(&manifest.root_env).filter(|value| !value.is_empty());
    cli.to.clone().or_else(|| variable().map(PathBuf::from)).ok_or_else(|| {
        let root_env = &manifest.root_env;
        Failure::Usage(format!("name a folder for the corpus with --to, or set {root_env}"))
    })
}

/// What to do where the manifest has nothing to download.
fn by_hand(manifest: &Manifest) -> String {
    let Manifest { title, synthetic, licence, source, root_env, files, name, .. } = manifest;
    if *synthetic {
        return format!("{title} is not fetched but made: `cargo xtask synth`");
    }
    format!(
        "{title} is not fetched: its manifest names no download\n\
         by hand: get it from {source} (licence: {licence}),\n  \
         unpack it into a folder that then holds {},\n  \
         and name that folder: {root_env}=/path/to/{name} cargo xtask index --pipeline …\n  \
         which says how the copy differs from the release, where it does",
        files.join(", ")
    )
}

fn tell(cli: &Cli, manifest: &Manifest, root: &Path, fetched: Fetched) -> Result<(), Failure> {
    let is_new = fetched == Fetched::New;
    let text = if cli.json {
        // A part of a path that is no text is replaced.
        let outputs = serde_json::json!({ "corpus": root.to_string_lossy() });
        format!("{:#}", serde_json::json!({ "outputs": outputs, "fetched": is_new }))
    } else {
        let done = if is_new { "fetched" } else { "there already" };
        let text = format!("{}: {done}\n{}={}", manifest.title, manifest.root_env, root.display());
        printable(&text).into_owned()
    };
    match writeln!(stdout(), "{text}") {
        // A reader that has read enough is no error.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
