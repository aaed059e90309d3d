//! Manifest and pipeline of a table of labels, as text.

use std::collections::BTreeMap;

use ambivox_corpus::LabelTable;
use anyhow::Result;
use toml::Value;

use super::computed::Computed;

/// Folds, where there are as many groups.
const FOLDS: usize = 5;
/// Rows of the rarest label from which on C is chosen in every fold: of fewer, an inner fold has none.
const ROWS_TO_CHOOSE: usize = 10;
/// The longest name of a pipeline.
const LONGEST: usize = 64;

const METHOD_OF_FEATURES: &str = "[methods.lw]
label_scale = 5.0
label_rate = 0.5
weight_rate = 0.01
rescale_initial_weights = false
";

const METHOD_OF_PROBABILITIES: &str = "[methods.baseline]
fixed_target = \"one-hot\"
label_scale = 1.0
";

/// The name of the results' folder: the table's without its extension, in characters that such names have.
pub(super) fn name(file: &str) -> String {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let is_fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let name: String = stem.chars().map(|c| if is_fit(c) { c } else { '-' }).collect();
    let name: String = name.chars().take(LONGEST).collect();
    if name.is_empty() { "labels".to_owned() } else { name }
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// The manifest of a corpus without recordings.
pub(super) fn manifest(file: &str, table: &LabelTable) -> Result<String> {
    let words = table.labels.keys().map(|label| (label, label.as_str()));
    let labels: BTreeMap<&String, &str> =
        words.chain(table.no_labels.iter().map(|word| (word, ""))).collect();
    let speaker = table.speaker.as_deref();
    let speaker = speaker.map(|column| format!("speaker = {}\n", quoted(column)));
    Ok(format!(
        r#"# What `audit --table` read: a table of labels without recordings.
schema = 1
name = {name}
title = {title}
synthetic = false
licence = "not stated"
source = "not stated"
citation = "none"
root_env = "AMBIVOX_TABLE_ROOT"
adapter = "csv"
files = [{pattern}]

[labels]
{labels}
[csv]
table = {title}
delimiter = {delimiter}

[csv.columns]
id = {id}
emotion = {label}
{speaker}"#,
        name = quoted(&name(file)),
        title = quoted(file),
        pattern = quoted(&pattern(file)),
        labels = toml::to_string(&labels)?,
        delimiter = quoted(&table.delimiter.to_string()),
        id = quoted(&table.id),
        label = quoted(&table.label),
        speaker = speaker.unwrap_or_default(),
    ))
}

/// The glob pattern of a file, whose name may have characters that mean something in it.
fn pattern(file: &str) -> String {
    let escaped = |c: char| match c {
        '*' | '?' | '[' | ']' | '{' | '}' => format!("[{c}]"),
        _ => c.to_string(),
    };
    file.chars().map(escaped).collect()
}

/// The pipeline that audits the table in the folder `root`.
pub(super) fn pipeline(
    file: &str,
    root: &str,
    table: &LabelTable,
    computed: &Computed,
) -> Result<String> {
    // One part is tested, one validates, one trains.
    let by_speaker = table.speakers > 2;
    let groups = if by_speaker { table.speakers } else { table.ids.len() };
    let classes = computed.classes.clone();
    let classes = classes.unwrap_or_else(|| table.labels.keys().cloned().collect());
    let (model, method) = match computed.classes {
        Some(_) => ("kind = \"probabilities\"".to_owned(), METHOD_OF_PROBABILITIES),
        None => (format!("kind = \"linear\"\nc = {}", c(table)), METHOD_OF_FEATURES),
    };
    Ok(format!(
        r#"# What `audit --table` ran. It goes on from here: `report`, or `audit` with other settings, by
# --pipeline and this file. The next `audit --table` keeps what you change under another name.
schema = 1
name = {name}
title = {title}

[corpus]
manifest = "manifest.toml"
root = {root}
on_broken = "stop"

[frontend]
{frontend}
[split]
kind = "group-k-fold"
group = "{group}"
folds = {folds}
seed = 0
validation = "next-group"
classes = {classes}

[model]
{model}

[training]
seeds = [0]
batch_size = 8
learning_rate = 1e-3
gradient_clip = 0.0
max_epochs = 30
patience = 5

{method}"#,
        name = quoted(&name(file)),
        title = quoted(&format!("Labels of {file}")),
        root = quoted(root),
        frontend = toml::to_string(&computed.frontend)?,
        group = if by_speaker { "speaker" } else { "utterance" },
        folds = FOLDS.min(groups),
        classes = Value::from(classes),
    ))
}

/// C of the model: candidates, or the one in their middle.
fn c(table: &LabelTable) -> &'static str {
    let rarest = table.labels.values().min().copied().unwrap_or_default();
    if rarest < ROWS_TO_CHOOSE { "0.01" } else { "[0.001, 0.01, 0.1]" }
}
