//! What `init` tells: what it recognised or guessed, what it wrote, and what to run next.

use std::collections::BTreeMap;
use std::path::Path;

use ambivox_settings::CsvColumns;
use anyhow::Result;
use serde::Serialize;

use super::Files;
use super::draft::{self, Draft};
use crate::called;
use crate::facts;

/// The JSON document.
#[derive(Serialize)]
pub(super) struct Told {
    schema: u32,
    /// The manifest's title.
    corpus: String,
    /// `csv`, or the name of a layout that is known.
    layout: &'static str,
    root: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<String>,
    /// Columns of the table by what they hold.
    columns: BTreeMap<&'static str, String>,
    /// Utterances of every class.
    classes: BTreeMap<String, usize>,
    /// Of labels that are no class.
    excluded_labels: BTreeMap<String, usize>,
    speakers: usize,
    folds: usize,
    outputs: BTreeMap<&'static str, String>,
    /// Commands to run next.
    next: Vec<String>,
}

impl Told {
    pub(super) fn of(draft: &Draft, files: &Files) -> Result<Self> {
        let here = std::env::current_dir()?;
        let shown = |file: &Path| file.strip_prefix(&here).unwrap_or(file).display().to_string();
        let pipeline = shown(&files.pipeline);
        let command =
            |does| format!("{} {does} --pipeline {}", called::name(), of_shell(&pipeline));
        let columns = draft.manifest.csv.as_ref().map(|csv| columns(&csv.columns));
        Ok(Self {
            schema: 1,
            corpus: draft.manifest.title.clone(),
            layout: draft.source.layout,
            root: draft.source.root.clone(),
            table: draft.source.table.clone(),
            columns: columns.unwrap_or_default(),
            classes: draft.classes.clone(),
            excluded_labels: draft.rare.clone(),
            speakers: draft.speakers,
            folds: draft.folds,
            next: ["cv", "audit"].map(command).to_vec(),
            outputs: [("manifest", shown(&files.manifest)), ("pipeline", pipeline)].into(),
        })
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let facts = self.facts();
        let facts = facts::lines(facts.iter().map(|(word, text)| (*word, text.as_str())));
        format!("{facts}\n\nNext:\n  {}", self.next.join("\n  "))
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let labels = |labels: &BTreeMap<String, usize>| {
            draft::counted(labels.iter().map(|(label, rows)| (label.as_str(), *rows)))
        };
        let mut facts = vec![("corpus", self.corpus.clone()), ("folder", self.root.clone())];
        facts.extend(self.table.clone().map(|table| ("table", table)));
        facts.extend((!self.columns.is_empty()).then(|| ("columns", self.columns())));
        facts.push(("classes", labels(&self.classes)));
        if !self.excluded_labels.is_empty() {
            let why = if self.layout == "csv" { ": too rare for a fold of each" } else { "" };
            facts.push(("excluded", format!("{}{why}", labels(&self.excluded_labels))));
        }
        facts.push(("speakers", self.speakers()));
        facts.push(("folds", self.folds.to_string()));
        facts.extend(self.outputs.values().map(|file| ("written", file.clone())));
        facts
    }

    /// The columns, those that decide first.
    fn columns(&self) -> String {
        let first = ["file", "emotion", "speaker"];
        let others = self.columns.keys().copied().filter(|role| !first.contains(role));
        let named = first.into_iter().chain(others);
        let shown = named.filter_map(|role| {
            let name = if role == "emotion" { "label" } else { role };
            Some(format!("{name}: {:?}", self.columns.get(role)?))
        });
        shown.collect::<Vec<_>>().join(", ")
    }

    fn speakers(&self) -> String {
        match self.speakers {
            0 => {
                "unknown: folds are of utterances, so that voices are tested that were trained on; \
                  name the column of speakers with --speaker where there is one"
                    .to_owned()
            }
            some => some.to_string(),
        }
    }
}

fn columns(own: &CsvColumns) -> BTreeMap<&'static str, String> {
    let columns = [
        ("file", &own.file),
        ("emotion", &own.emotion),
        ("speaker", &own.speaker),
        ("sex", &own.sex),
        ("session", &own.session),
        ("start", &own.start),
        ("end", &own.end),
    ];
    columns.into_iter().filter_map(|(role, name)| Some((role, name.clone()?))).collect()
}

/// A path as a shell reads it.
fn of_shell(path: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_');
    if path.chars().all(is_plain) {
        return path.to_owned();
    }
    format!("'{}'", path.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_paths_with_blanks_and_quotes() {
        assert_eq!(of_shell("pipelines/a-1.toml"), "pipelines/a-1.toml");
        assert_eq!(of_shell("my dir/it's.toml"), r"'my dir/it'\''s.toml'");
    }
}
