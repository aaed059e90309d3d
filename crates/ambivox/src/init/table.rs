//! Any folder of recordings, by its table of labels.

use std::path::{Path, PathBuf};

use ambivox_corpus::{LabelColumns, LabelTable, LabelTableError, Recordings, literal};
use ambivox_settings::some_listed;
use anyhow::Result;
use fs_err as fs;

use super::draft::Source;
use crate::cli;
use crate::failure::Failure;
use crate::from_table::text::{self, Described};

/// Endings of tables that are looked for; `--table` names any file.
const TABLES: [&str; 3] = ["csv", "tsv", "tab"];

/// The manifest's first lines.
const HEAD: &str = "\
# Written by `init`: what the table of labels says, and where. data-manifests/README.md has every key.
# Title, licence, source and citation are for you to fill in; reports show them.
";
const OVER_LABELS: &str = "\
# The table's words, and what they are called everywhere else: words of one name become one class, and
# a word with \"\" is no emotion.
";

/// Table and manifest of a folder.
///
/// # Errors
/// There is no table, or several that name its sound files; the one has no columns of files or labels, or
/// names files that are not there.
pub(super) fn source(own: &cli::Init, folder: &str, name: &str) -> Result<Source> {
    let root = Path::new(folder);
    let recordings = Recordings::below(root).map_err(|error| Failure::data(error.to_string()))?;
    let columns = LabelColumns { id: None, label: own.label.clone(), speaker: own.speaker.clone() };
    let read = |file: &Path| LabelTable::of_recordings(file, &recordings, &columns);
    let (file, table) = match &own.table {
        Some(named) => {
            let file = named_below(named, root)?;
            let found = read(&file);
            (file, found)
        }
        None => only(root, read)?,
    };
    let table = table.map_err(|error| Failure::data(error.to_string()))?;
    let file = below(&file, root)?;
    let named = table.paths().filter_map(|cell| recordings.named(cell));
    let mut files = vec![literal(&file)];
    files.extend(recordings.patterns(named));
    // No shell takes a variable that begins with a digit.
    let digit = if name.starts_with(|c: char| c.is_ascii_digit()) { "CORPUS_" } else { "" };
    let described = Described {
        head: HEAD,
        name,
        title: name,
        root_env: &format!("{digit}{}_ROOT", name.to_uppercase().replace('-', "_")),
        files: &files,
        table: &file,
        ids: "file",
        over_labels: OVER_LABELS,
    };
    Ok(Source {
        root: folder.to_owned(),
        manifest: text::manifest(&described, &table)?,
        pipeline: None,
        classes: None,
        layout: "csv",
        table: Some(file),
    })
}

type Read = Result<LabelTable, LabelTableError>;

/// The one table in the folder that names its sound files, or the only one that there is.
fn only(root: &Path, read: impl Fn(&Path) -> Read) -> Result<(PathBuf, Read)> {
    let mut tables = tables(root)?.into_iter().map(|file| (read(&file), file)).collect::<Vec<_>>();
    let fits = |found: &Read| {
        !matches!(found, Err(LabelTableError::NoFiles { .. } | LabelTableError::NoHeader { .. }))
    };
    let fitting = tables.iter().filter(|(found, _)| fits(found)).count();
    let listed = |only_fitting: bool| {
        let listed = tables.iter().filter(|(found, _)| !only_fitting || fits(found));
        let names =
            listed.map(|(_, file)| file.file_name().unwrap_or_default().display().to_string());
        some_listed(&names.collect::<Vec<_>>())
    };
    let shown = root.display();
    match (tables.len(), fitting) {
        (0, _) => Err(Failure::data(format!(
            "{shown}: this is no corpus whose layout is known (IEMOCAP, EmoDB, RAVDESS, CREMA-D, \
             MSP-Podcast), and there is no table of labels in it, no file with the ending {}\n\
             hint: put a table beside the recordings, a row for each, such as\n  \
             file,speaker,emotion\n  wav/talk01.wav,ann,happy\nor name one with --table",
            TABLES.join(", ")
        ))),
        (1, _) | (_, 1) => {
            let at = tables.iter().position(|(found, _)| fits(found)).unwrap_or_default();
            let (found, file) = tables.swap_remove(at);
            Ok((file, found))
        }
        (_, 0) => Err(Failure::data(format!(
            "{shown}: of its tables none names sound files below the folder: {}\n\
             hint: name the one of labels with --table, to be told what is wrong with it",
            listed(false)
        ))),
        _ => Err(Failure::usage(format!(
            "{shown}: several tables name sound files: {}\nhint: name the one of labels with --table",
            listed(true)
        ))),
    }
}

/// Files right in the folder that look like tables, by their names.
fn tables(root: &Path) -> Result<Vec<PathBuf>> {
    let mut tables = Vec::new();
    for entry in fs::read_dir(root)? {
        let file = entry?.path();
        let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let hidden = file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if TABLES.contains(&ending.to_ascii_lowercase().as_str()) && file.is_file() && !hidden {
            tables.push(file);
        }
    }
    tables.sort();
    Ok(tables)
}

/// The table that the command line names, by its path from here or from the corpus's folder.
fn named_below(named: &Path, root: &Path) -> Result<PathBuf> {
    let places = [named.to_path_buf(), root.join(named)];
    let Some(file) = places.iter().find(|file| file.is_file()) else {
        let shown = named.display();
        return Err(Failure::usage(format!("--table {shown}: there is no such file")));
    };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = fs::canonicalize(folder.unwrap_or(Path::new(".")))?;
    Ok(folder.join(file.file_name().unwrap_or_default()))
}

/// The table's path relative to the corpus's folder.
fn below(file: &Path, root: &Path) -> Result<String> {
    let path = file.strip_prefix(root).ok().and_then(Path::to_str);
    path.map(str::to_owned).ok_or_else(|| {
        Failure::usage(format!(
            "{} is not below {}, or its name is no UTF-8; the table is a file of the corpus\n\
             hint: copy it there; its paths are relative to that folder",
            file.display(),
            root.display()
        ))
    })
}
