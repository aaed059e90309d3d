//! Corpora whose layout is known by what lies in a folder, with built-in manifests and pipelines.

use std::path::{Path, PathBuf};

use ambivox_settings::matching_files;
use anyhow::{Context as _, Result};
use fs_err as fs;

use super::draft::Source;
use crate::builtin;
use crate::failure::Failure;
use crate::from_table::text::quoted;

/// A corpus with a built-in manifest.
pub(super) struct Layout {
    /// That of its manifest.
    pub(super) name: &'static str,
    /// Glob patterns of files that no other corpus has.
    marks: &'static [&'static str],
    /// A built-in pipeline whose first result takes minutes at most; where there is none, one of
    /// functionals is written.
    pipeline: Option<&'static str>,
}

static LAYOUTS: [Layout; 5] = [
    Layout {
        name: "iemocap",
        marks: &[
            "Session[1-5]/dialog/EmoEvaluation/*.txt",
            "IEMOCAP_full_release/Session[1-5]/dialog/EmoEvaluation/*.txt",
        ],
        pipeline: Some("iemocap-quick"),
    },
    Layout {
        name: "emodb",
        marks: &["wav/[0-9][0-9][ab][0-9][0-9][WLEAFTN][a-z].wav"],
        pipeline: Some("emodb-functionals"),
    },
    Layout { name: "ravdess", marks: &["Actor_[0-9][0-9]/03-01-[0-9][0-9]-*.wav"], pipeline: None },
    Layout {
        name: "crema-d",
        marks: &["AudioWAV/[0-9][0-9][0-9][0-9]_[A-Z][A-Z][A-Z]_[A-Z][A-Z][A-Z]_*.wav"],
        pipeline: None,
    },
    Layout {
        name: "msp-podcast",
        marks: &["Labels/labels_consensus.csv"],
        pipeline: Some("msp-podcast"),
    },
];

/// What lies in a corpus of IEMOCAP's layout that is synthetic.
const SYNTHETIC: &str = "SYNTHETIC.txt";
/// The classes of the built-in pipelines.
const CLASSES: &[&str] = &["happiness", "sadness", "neutral", "anger"];
/// What the pipeline of MSP-Podcast asks its user to link.
const PARTS: &str = "file = \"msp-podcast-parts.csv\"";

/// A corpus, and its folder.
pub(super) struct Recognised {
    pub(super) layout: &'static Layout,
    root: String,
}

/// The corpus that lies in a folder, or in a folder right below it.
///
/// # Errors
/// It is synthetic, so that results would be told as those of real speech; the folder cannot be read.
pub(super) fn recognise(folder: &str) -> Result<Option<Recognised>> {
    let mut folders = vec![PathBuf::from(folder)];
    for entry in fs::read_dir(folder)? {
        folders.push(entry?.path());
    }
    // The folder itself comes first, those below it in the order of their names.
    folders[1..].sort();
    for root in folders.iter().filter(|folder| folder.is_dir()) {
        let found = LAYOUTS.iter().find(|layout| layout.lies_in(root));
        if found.is_some() && root.join(SYNTHETIC).exists() {
            return Err(Failure::usage(format!(
                "{}: nobody speaks there: a pipeline has made this corpus, as {SYNTHETIC} in it says\n\
                 hint: go on with that pipeline, such as pipelines/demo.toml",
                root.display()
            )));
        }
        if let Some((layout, root)) = found.zip(root.to_str()) {
            return Ok(Some(Recognised { layout, root: root.to_owned() }));
        }
    }
    Ok(None)
}

impl Layout {
    fn lies_in(&self, root: &Path) -> bool {
        let marks: Vec<String> = self.marks.iter().map(|&mark| mark.to_owned()).collect();
        matching_files(root, &marks).is_ok_and(|found| !found.files.is_empty())
    }
}

/// A corpus of this name as if it had been recognised.
#[cfg(test)]
pub(super) fn of_name(name: &str, root: &str) -> Option<Recognised> {
    let layout = LAYOUTS.iter().find(|layout| layout.name == name)?;
    Some(Recognised { layout, root: root.to_owned() })
}

/// The built-in manifest and pipeline, under another name and for this folder.
pub(super) fn source(found: &Recognised, name: &str) -> Result<Source> {
    let Recognised { layout, root } = found;
    let manifest = builtin_text("data-manifests", layout.name)?;
    let manifest = with_line(&manifest, "name = ", &[format!("name = {}", quoted(name))]);
    let manifest = without_downloads(&manifest);
    let pipeline = layout
        .pipeline
        .map(|builtin_pipeline| pipeline(builtin_pipeline, name, root))
        .transpose()?;
    Ok(Source {
        root: root.clone(),
        manifest,
        pipeline,
        classes: (layout.name != "msp-podcast").then_some(CLASSES),
        layout: layout.name,
        table: None,
    })
}

/// The manifest without what `fetch` would download, which is there already; those sections, with a comment
/// before the first of them, are its end.
fn without_downloads(manifest: &str) -> String {
    let lines: Vec<&str> = manifest.lines().collect();
    let first = lines.iter().position(|line| line.starts_with("[[fetch"));
    let mut kept = &lines[..first.unwrap_or(lines.len())];
    while let [before @ .., last] = kept
        && (last.is_empty() || last.starts_with('#'))
    {
        kept = before;
    }
    kept.join("\n") + "\n"
}

fn pipeline(builtin_pipeline: &str, name: &str, root: &str) -> Result<String> {
    let text = builtin_text("pipelines", builtin_pipeline)?;
    let head = format!(
        "# Written by `init` after pipelines/{builtin_pipeline}.toml. pipelines/README.md has every key,\n\
         # docs/method.md what it means.\n"
    );
    let body: String = text
        .lines()
        .skip_while(|line| line.starts_with('#'))
        .flat_map(|line| [line, "\n"])
        .collect();
    let body = with_line(&body, "name = ", &[format!("name = {}", quoted(name))]);
    let manifest = format!("manifest = {}", quoted(&format!("../data-manifests/{name}.toml")));
    let body = with_line(&body, "manifest = ", &[manifest, format!("root = {}", quoted(root))]);
    let parts = quoted(&format!("{root}/Labels/labels_consensus.csv"));
    Ok(head + &with_line(&body, PARTS, &[format!("file = {parts}")]))
}

fn builtin_text(folder: &str, name: &str) -> Result<String> {
    let file = format!("{folder}/{name}.toml");
    builtin::text(&file).map(str::to_owned).with_context(|| format!("{file} is not in the program"))
}

/// A text whose first line with this beginning is another, or several.
fn with_line(text: &str, beginning: &str, others: &[String]) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let at = lines.iter().position(|line| line.starts_with(beginning));
    let others = others.iter().map(String::as_str);
    if let Some(at) = at {
        lines.splice(at..=at, others);
    }
    lines.join("\n") + "\n"
}
