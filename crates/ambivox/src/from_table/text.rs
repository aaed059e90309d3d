//! Manifest and pipeline of a table of labels, as text.

use std::collections::BTreeMap;

use ambivox_corpus::LabelTable;
use anyhow::Result;
use toml::Value;

/// Rows of the rarest label from which on C is chosen in every fold: of fewer, an inner fold has none.
const ROWS_TO_CHOOSE: usize = 10;
/// The longest name of a pipeline.
const LONGEST: usize = 64;

/// Fixed labels, the rule to beat.
pub(crate) const BASELINE: &str = "[methods.baseline]
fixed_target = \"one-hot\"
label_scale = 1.0
";
/// Learned labels and weights, with rates that suit a linear model.
pub(crate) const LW: &str = "[methods.lw]
label_scale = 5.0
label_rate = 0.5
weight_rate = 0.01
rescale_initial_weights = false
";

/// A text in characters that names of pipelines have, or `labels` where nothing is left.
pub(crate) fn name(text: &str) -> String {
    let is_fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let name: String = text.chars().map(|c| if is_fit(c) { c } else { '-' }).collect();
    let name: String = name.chars().take(LONGEST).collect();
    if name.contains(|c: char| c.is_ascii_alphanumeric()) { name } else { "labels".to_owned() }
}

/// A text as TOML writes it.
pub(crate) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// What a manifest says of a table beside the table's own.
pub(crate) struct Described<'a> {
    /// Lines of comment at the head.
    pub(crate) head: &'a str,
    pub(crate) name: &'a str,
    pub(crate) title: &'a str,
    pub(crate) root_env: &'a str,
    /// Glob patterns.
    pub(crate) files: &'a [String],
    /// The table's path.
    pub(crate) table: &'a str,
    /// What its ids are: `id`, or `file` where they are paths of recordings.
    pub(crate) ids: &'static str,
    /// Lines of comment over the labels.
    pub(crate) over_labels: &'a str,
}

/// The manifest.
pub(crate) fn manifest(own: &Described<'_>, table: &LabelTable) -> Result<String> {
    let words = table.labels.keys().map(|label| (label, label.as_str()));
    let labels: BTreeMap<&String, &str> =
        words.chain(table.no_labels.iter().map(|word| (word, ""))).collect();
    let mut columns = BTreeMap::from([(own.ids, &table.id), ("emotion", &table.label)]);
    columns.extend(table.speaker.as_ref().map(|speaker| ("speaker", speaker)));
    columns.extend(table.others.iter().map(|(role, column)| (*role, column)));
    Ok(format!(
        r#"{head}schema = 1
name = {name}
title = {title}
synthetic = false
licence = "not stated"
source = "not stated"
citation = "none"
root_env = {root_env}
adapter = "csv"
files = {files}

{over_labels}[labels]
{labels}
[csv]
table = {table}
delimiter = {delimiter}

[csv.columns]
{columns}"#,
        head = own.head,
        name = quoted(own.name),
        title = quoted(own.title),
        root_env = quoted(own.root_env),
        files = Value::from(own.files.to_vec()),
        over_labels = own.over_labels,
        labels = toml::to_string(&labels)?,
        table = quoted(own.table),
        delimiter = quoted(&table.delimiter.to_string()),
        columns = toml::to_string(&columns)?,
    ))
}

/// What a pipeline of a linear model says.
pub(crate) struct Linear<'a> {
    /// Lines of comment at the head.
    pub(crate) head: &'a str,
    pub(crate) name: &'a str,
    pub(crate) title: &'a str,
    /// The manifest's path, relative to the pipeline.
    pub(crate) manifest: &'a str,
    pub(crate) root: &'a str,
    /// Section `[frontend]` and, where there is one, `[pooling]`.
    pub(crate) frontend: &'a str,
    /// Section `[split]` without its classes.
    pub(crate) split: &'a str,
    pub(crate) classes: &'a [String],
    /// How many utterances there are to audit by models that learn from them; none where nothing learns.
    pub(crate) audited: Option<usize>,
    /// Section `[model]`.
    pub(crate) model: &'a str,
    pub(crate) methods: &'a [&'a str],
}

/// The pipeline. Of `[training]`, the limits of epochs concern such a model, and `dynamics`, by which the audit
/// ranks.
pub(crate) fn pipeline(own: &Linear<'_>) -> String {
    format!(
        r#"{head}schema = 1
name = {name}
title = {title}

[corpus]
manifest = {manifest}
root = {root}
on_broken = "stop"

{frontend}
{split}classes = {classes}

{audit}{model}
[training]
seeds = [0]
batch_size = 8
learning_rate = 1e-3
gradient_clip = 0.0
max_epochs = 30
patience = 5
{dynamics}
{methods}"#,
        head = own.head,
        name = quoted(own.name),
        title = quoted(own.title),
        manifest = quoted(own.manifest),
        root = quoted(own.root),
        frontend = own.frontend,
        split = own.split,
        classes = Value::from(own.classes.to_vec()),
        audit = own.audited.map(audit).unwrap_or_default(),
        dynamics = own.audited.map_or("", |_| "dynamics = true\n"),
        model = own.model,
        methods = own.methods.join("\n"),
    )
}

/// Folds of single utterances by which labels are audited, whoever speaks.
fn audit(utterances: usize) -> String {
    folds("audit.split", "utterance", utterances, "none") + "\n"
}

/// Section `[split]` of folds of whole groups, as many as there are up to five, without its classes.
pub(crate) fn folds_of(group: &str, groups: usize) -> String {
    folds("split", group, groups, "next-group")
}

fn folds(section: &str, group: &str, groups: usize, validation: &str) -> String {
    const FOLDS: usize = 5;
    format!(
        r#"[{section}]
kind = "group-k-fold"
group = "{group}"
folds = {folds}
seed = 0
validation = "{validation}"
"#,
        folds = FOLDS.min(groups)
    )
}

/// C of the model: candidates, or the one in their middle where the rarest label has few rows.
pub(crate) fn c(rarest: usize) -> &'static str {
    if rarest < ROWS_TO_CHOOSE { "0.01" } else { "[0.001, 0.01, 0.1]" }
}
