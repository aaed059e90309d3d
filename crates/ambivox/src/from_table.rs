//! `cargo xtask audit --table`: a manifest and a pipeline for a table of labels and a file of vectors or of
//! probabilities, from which the ordinary stages go on.

mod computed;
pub(crate) mod text;

use std::path::{Path, PathBuf};

use ambivox_artifacts::Store;
use ambivox_corpus::{LabelColumns, LabelTable, literal};
use ambivox_settings::{counted_is, some_listed};
use anyhow::{Context as _, Result};
use fs_err as fs;

use crate::cli::Tables;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::publish::Published;
use computed::Computed;
use text::{Described, Linear};

/// Names of the files.
const MANIFEST: &str = "manifest.toml";
const PIPELINE: &str = "pipeline.toml";

/// What the pipeline begins with.
const HEAD: &str = "\
# What `audit --table` ran. It goes on from here: `report`, or `audit` with other settings, by
# --pipeline and this file. The next `audit --table` keeps what you change under another name.
";

/// Where results go, and what is said of them.
pub(crate) struct Place<'a> {
    pub(crate) results: &'a Path,
    pub(crate) store: &'a Store,
    pub(crate) progress: &'a Progress,
}

/// Writes manifest and pipeline to the results' folder of the table's name; the pipeline's path. What
/// somebody has changed there is kept under another name.
///
/// # Errors
/// A pipeline is named too; the tables cannot be read or do not go together; the files cannot be written.
pub(crate) fn pipeline(
    tables: &Tables,
    names_pipeline: bool,
    place: &Place<'_>,
) -> Result<PathBuf> {
    if names_pipeline {
        return Err(Failure::usage(
            "--table stands in place of a pipeline; leave --pipeline out, or --table",
        ));
    }
    let table = tables.table.as_deref().context("no --table")?;
    let labels = read(table, tables)?;
    if !labels.unlabelled.is_empty() {
        let count = counted_is(labels.unlabelled.len(), "row");
        let (table, some) = (table.display(), some_listed(&labels.unlabelled));
        place.progress.warn(&format!("{table}: {count} without a label and left out: {some}"));
    }
    let computed = Computed::open(tables, &labels)?;
    let (root, file) = parts(table)?;
    let name = text::name(file.rsplit_once('.').map_or(&file, |(stem, _)| stem));
    let files = [
        (MANIFEST, manifest(&name, &file, &labels)?),
        (PIPELINE, pipeline_text(&name, &file, &root, &labels, &computed)?),
    ];
    let folder = place.results.join(&name);
    write(&folder, &files, place)?;
    Ok(folder.join(PIPELINE))
}

/// The manifest of a corpus without recordings.
fn manifest(name: &str, file: &str, labels: &LabelTable) -> Result<String> {
    let described = Described {
        head: "# What `audit --table` read: a table of labels without recordings.\n",
        name,
        title: file,
        root_env: "AMBIVOX_TABLE_ROOT",
        files: &[literal(file)],
        table: file,
        ids: "id",
        over_labels: "",
    };
    text::manifest(&described, labels)
}

/// The pipeline that audits the table in the folder `root`.
fn pipeline_text(
    name: &str,
    file: &str,
    root: &str,
    labels: &LabelTable,
    computed: &Computed,
) -> Result<String> {
    // One part is tested, one validates, one trains.
    let by_speaker = labels.speakers > 2;
    let groups = [("utterance", labels.ids.len()), ("speaker", labels.speakers)];
    let (group, groups) = groups[usize::from(by_speaker)];
    let classes = computed.classes.clone();
    let classes = classes.unwrap_or_else(|| labels.labels.keys().cloned().collect());
    let rarest = labels.labels.values().min().copied().unwrap_or_default();
    let (model, method) = match computed.classes {
        Some(_) => ("[model]\nkind = \"probabilities\"\n".to_owned(), text::BASELINE),
        None => (format!("[model]\nkind = \"linear\"\nc = {}\n", text::c(rarest)), text::LW),
    };
    Ok(text::pipeline(&Linear {
        head: HEAD,
        name,
        title: &format!("Labels of {file}"),
        manifest: MANIFEST,
        root,
        frontend: &format!("[frontend]\n{}", toml::to_string(&computed.frontend)?),
        split: &text::folds_of(group, groups),
        classes: &classes,
        audited: computed.classes.is_none().then_some(labels.ids.len()),
        model: &model,
        methods: &[method],
    }))
}

fn read(table: &Path, tables: &Tables) -> Result<LabelTable> {
    let Tables { id, label, speaker, .. } = tables.clone();
    let found = LabelTable::read(table, &LabelColumns { id, label, speaker });
    found.map_err(|error| Failure::data(error.to_string()))
}

/// The table's folder, absolute, and its name, as text.
fn parts(table: &Path) -> Result<(String, String)> {
    let absolute = std::path::absolute(table)?;
    let folder = absolute.parent().map(fs::canonicalize).transpose()?;
    let folder = folder.as_deref().and_then(Path::to_str).map(str::to_owned);
    let name = absolute.file_name().and_then(|name| name.to_str()).map(str::to_owned);
    folder.zip(name).ok_or_else(|| {
        let table = table.display();
        Failure::usage(format!("--table: {table} is not UTF-8; rename the file or its folder"))
    })
}

fn write(folder: &Path, files: &[(&str, String)], place: &Place<'_>) -> Result<()> {
    let mut published = Published::open(folder, place.store.memo(), place.progress)?;
    for (name, text) in files {
        // Beside its place, where the folder's lock keeps other processes off.
        let from = folder.join(format!(".{name}"));
        fs::write(&from, text)?;
        published.publish(&from, Path::new(name))?;
        fs::remove_file(&from)?;
    }
    published.save()
}

#[cfg(test)]
mod tests;
