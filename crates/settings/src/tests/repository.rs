//! The pipelines and manifests of this repository.

use std::path::PathBuf;

use super::*;

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
    let entries = fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|e| e == "toml")).collect();
    files.sort();
    files
}

/// A pipeline names its manifest relative to itself and, by its own name, the results' folder.
#[test]
fn every_pipeline_reads_and_finds_its_manifest() {
    let files = files("pipelines");
    assert!(!files.is_empty());
    for file in files {
        let pipeline = Pipeline::read(&file).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(file.file_stem(), Some(pipeline.name.as_ref()), "{}", file.display());
        let manifest = file.parent().unwrap().join(&pipeline.corpus.manifest);
        let manifest = Manifest::read(&manifest).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(manifest.synthetic, pipeline.synth.is_some(), "{}", file.display());
    }
}

#[test]
fn every_manifest_reads() {
    let files = files("data-manifests");
    assert!(!files.is_empty());
    for file in files {
        let manifest = Manifest::read(&file).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(file.file_stem(), Some(manifest.name.as_ref()), "{}", file.display());
    }
}

/// Messages send people to these lists.
#[test]
fn the_readmes_list_every_key() {
    for (text, list) in [
        (PIPELINE, include_str!("../../../../pipelines/README.md")),
        (MANIFEST, include_str!("../../../../data-manifests/README.md")),
    ] {
        let mut keys = keys("", &text.parse().unwrap());
        keys.retain(|key| !key.starts_with("labels."));
        for key in keys {
            let key = key.replace("speakers.anna.", "speakers.X.");
            assert!(list.contains(&format!("`{key}`")), "`{key}` is not listed");
        }
    }
}

/// Dotted names of all values.
fn keys(prefix: &str, table: &toml::Table) -> Vec<String> {
    let below = table.iter().flat_map(|(key, value)| match value {
        toml::Value::Table(inner) => keys(&format!("{prefix}{key}."), inner),
        _ => vec![format!("{prefix}{key}")],
    });
    below.collect()
}
