//! `cargo xtask init`: a manifest and a pipeline for a folder of recordings, so that the next command works.
//!
//! What is written has been tried before: the manifest reads the corpus, and the pipeline divides it into
//! folds.

mod draft;
mod layouts;
mod table;
mod told;

use std::path::{Path, PathBuf};

use ambivox_artifacts::write_atomically;
use anyhow::Result;
use fs_err as fs;

use crate::answer::print;
use crate::cli;
use crate::failure::Failure;
use crate::from_table::text;
use draft::Draft;
use told::Told;

/// Writes them, and tells what was recognised or guessed.
///
/// # Errors
/// There is no such folder, no table of labels in it or none that fits; a file of that name is there.
pub(crate) fn run(own: &cli::Init, root: &Path, json: bool) -> Result<()> {
    let folder = folder(&own.folder)?;
    let names_columns = own.label.is_some() || own.speaker.is_some();
    let of_table = own.table.is_some() || names_columns;
    let known = if of_table { None } else { layouts::recognise(&folder)? };
    let name = name(own.name.as_deref(), known.as_ref().map(|found| found.layout.name), &folder)?;
    let files = Files::of(own.into.as_deref().unwrap_or(root), &name)?;
    let source = match known {
        Some(found) => layouts::source(&found, &name)?,
        None => table::source(own, &folder, &name)?,
    };
    let draft = Draft::of(source, &name)?;
    files.write(&draft)?;
    let told = Told::of(&draft, &files)?;
    print(&if json { serde_json::to_string_pretty(&told)? } else { told.text() })
}

/// The folder by its own path, as text.
fn folder(named: &Path) -> Result<String> {
    let shown = named.display();
    if !named.is_dir() {
        return Err(Failure::usage(format!(
            "{shown}: there is no such folder\nhint: name the folder that holds the recordings"
        )));
    }
    let path = fs::canonicalize(named)?;
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| Failure::usage(format!("{shown} is not UTF-8; rename the folder")))
}

/// The name asked for, else one by the corpus or the folder. Built-in names are taken in a checkout.
fn name(asked: Option<&str>, known: Option<&str>, folder: &str) -> Result<String> {
    match (asked, known) {
        (Some(asked), _) if text::name(asked) == asked => Ok(asked.to_owned()),
        (Some(asked), _) => Err(Failure::usage(format!(
            "--name {asked:?}: a name has up to 64 letters of a to z, digits, - and _\n\
             hint: try --name {}",
            text::name(asked)
        ))),
        (None, Some(known)) => Ok(format!("my-{known}")),
        (None, None) => Ok(text::name(folder.rsplit('/').next().unwrap_or_default())),
    }
}

/// Where manifest and pipeline go.
struct Files {
    manifest: PathBuf,
    pipeline: PathBuf,
}

impl Files {
    /// Errors: one of them is there.
    fn of(into: &Path, name: &str) -> Result<Self> {
        let file = |folder: &str| into.join(folder).join(format!("{name}.toml"));
        let own = Self { manifest: file("data-manifests"), pipeline: file("pipelines") };
        if let Some(taken) = [&own.manifest, &own.pipeline].into_iter().find(|file| file.exists()) {
            return Err(Failure::usage(format!(
                "{} is there already, and is left as it is\n\
                 hint: choose another name with --name or another folder with --into, or remove it",
                taken.display()
            )));
        }
        Ok(own)
    }

    fn write(&self, draft: &Draft) -> Result<()> {
        write_atomically(&self.manifest, draft.source.manifest.as_bytes())?;
        Ok(write_atomically(&self.pipeline, draft.pipeline.as_bytes())?)
    }
}

#[cfg(test)]
mod tests;
