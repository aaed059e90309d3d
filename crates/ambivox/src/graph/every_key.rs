//! No key of a pipeline file is dead: change any one, and some stage has other parameters.

use std::path::Path;

use fs_err as fs;
use toml::Value;

use super::*;

/// Keys that say where something lies; what lies there counts instead.
const PLACES: [&str; 2] = ["corpus.manifest", "corpus.root"];

/// Keys that have one value among these; a pooling must be where a method learns from vectors.
const FIXED: [&str; 5] = ["schema", "split.kind", "frontend.kind", "pooling.kind", "model.kind"];

/// Keys whose value must be one of a few words: another word for each.
const OTHER_WORDS: [(&str, &str); 10] = [
    ("name", "other"),
    ("title", "Another"),
    ("corpus.on_broken", "skip"),
    ("frontend.set", "is09"),
    ("model.attention_over", "logits"),
    ("label_noise.kind", "speaker-dependent"),
    ("methods.cyclegan.pool", "training-and-ambiguous"),
    ("methods.lw.second_step.by", "adam"),
    ("methods.lw.second_step.projection", "shift"),
    ("methods.lw.model.dropout_mask", "frame"),
];

/// Keys that a method may have of its own, and those that are left out of the pipelines.
const OWN: &str = r#"
    second_step = { by = "descent", projection = "scale", most_growth = 2.0 }
    model = { lstm = 8, pooled_dropout = 0.25, forget_bias = 1.0, dropout_mask = "utterance" }
    training = { patience = 7, normalise_weights = true, keep = { average_of_last = 2 } }
"#;

/// Parameters of every stage of a pipeline, but for its text, which the report shows.
fn parameters(experiment: &Experiment) -> Vec<serde_json::Value> {
    let runs = runs(experiment, &["Ses01F".to_owned()]);
    let Graph(all) = Graph::of(experiment, &runs);
    let mut all: Vec<_> = all.iter().map(|i| serde_json::to_value(&i.work).unwrap()).collect();
    for work in &mut all {
        if let Some(params) = work["params"].as_object_mut() {
            params.remove("pipeline_toml");
        }
    }
    all
}

/// Another value of a key that is as good.
fn other(key: &str, value: &Value) -> Option<Value> {
    let last = key.rsplit('.').next().unwrap_or(key);
    Some(match value {
        Value::Integer(number) => Value::Integer(number + 1),
        // Some shares of this method are 1, which is the most they may be.
        Value::Float(number) if key.starts_with("methods.cyclegan") => {
            Value::Float(number * 0.75 + 0.01)
        }
        Value::Float(number) => Value::Float(number * 1.25 + 0.01),
        Value::Boolean(yes) => Value::Boolean(!yes),
        Value::Array(values) if values.len() == 1 => {
            Value::Array(values.iter().filter_map(|value| other(key, value)).collect())
        }
        Value::Array(values) => Value::Array(values[1..].to_vec()),
        Value::String(_) if last == "fixed_target" => Value::String("softmax".to_owned()),
        Value::String(_) => {
            let word = OTHER_WORDS.iter().find(|(name, _)| *name == key);
            Value::String(word?.1.to_owned())
        }
        _ => None?,
    })
}

/// All keys but tables, with dots between levels.
fn leaves(above: &str, table: &toml::Table, found: &mut Vec<(String, Value)>) {
    for (name, value) in table {
        let key = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        match value {
            Value::Table(table) => leaves(&key, table, found),
            value => found.push((key, value.clone())),
        }
    }
}

fn set(table: &mut toml::Table, key: &str, value: Value) {
    match key.split_once('.') {
        Some((name, rest)) => set(table[name].as_table_mut().unwrap(), rest, value),
        None => drop(table.insert(key.to_owned(), value)),
    }
}

#[test]
fn every_key_of_a_pipeline_reaches_a_stage() {
    let folder =
        fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines")).unwrap();
    let copy = tempfile::tempdir().unwrap();
    for name in ["demo-full", "noise-demo"] {
        let text = fs::read_to_string(folder.join(format!("{name}.toml"))).unwrap();
        let mut table: toml::Table = text.parse().unwrap();
        if let Some(lw) = table["methods"].get_mut("lw").and_then(Value::as_table_mut) {
            lw.extend(OWN.parse::<toml::Table>().unwrap());
        }
        let manifest = folder.join(table["corpus"]["manifest"].as_str().unwrap());
        let manifest = Value::String(manifest.to_str().unwrap().to_owned());
        set(&mut table, "corpus.manifest", manifest);
        let read = |table: &toml::Table| {
            let file = copy.path().join("copy.toml");
            fs::write(&file, table.to_string()).unwrap();
            Experiment::read(&file).unwrap()
        };
        let before = parameters(&read(&table));
        let mut keys = Vec::new();
        leaves("", &table, &mut keys);
        keys.retain(|(key, _)| !PLACES.iter().chain(&FIXED).any(|other| other == key));
        for (key, value) in keys {
            let mut edited = table.clone();
            set(&mut edited, &key, other(&key, &value).unwrap_or_else(|| panic!("{name}: {key}")));
            assert_ne!(parameters(&read(&edited)), before, "{name}: no stage reads {key}");
        }
    }
}
