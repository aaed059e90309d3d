//! `bundle.json`: what a folder of trained networks holds, which can be copied to another machine.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{SettingsError, read_bounded};

/// Bytes of a description at most; one of 30 networks has about 6000.
const MOST_BYTES: u64 = 1 << 22;

/// A folder of networks that predict together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// Version of this form, 1.
    pub schema: u32,
    /// Name of the pipeline that trained them.
    pub pipeline: String,
    /// Title of the corpus that they were trained on.
    pub corpus: String,
    /// Whether that corpus is synthetic, so that predictions show no more than that all works.
    pub synthetic: bool,
    /// Id of the method that trained them.
    pub method: String,
    /// The networks, in the order in which their predictions are averaged.
    pub networks: Vec<BundledNetwork>,
    /// The encoder whose hidden states they read, where they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoder: Option<BundledEncoder>,
}

/// A neural encoder that a bundle's networks need and that is not in the bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundledEncoder {
    /// What its folder was called where they were trained.
    pub name: String,
    /// BLAKE3 digests of its files, in hexadecimal, by their names.
    pub files: BTreeMap<String, String>,
}

/// One network of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundledNetwork {
    /// Name of its checkpoint, in the folder itself.
    pub file: String,
    /// BLAKE3 digest of that file, in hexadecimal.
    pub digest: String,
    /// Seed that it was trained from.
    pub seed: u64,
    /// Fold whose tested groups it has not heard.
    pub fold: String,
}

impl Bundle {
    /// Name of the file.
    pub const FILE: &str = "bundle.json";
    /// The one version there is.
    pub const SCHEMA: u32 = 1;
    /// Networks of a bundle at most.
    pub const MOST_NETWORKS: usize = 10_000;
    /// Units at most of a layer, whatever the kind of model. A wider one could ask for
    /// gigabytes for every window, in a small file.
    pub const WIDEST: usize = 4096;

    /// Reads the description in a folder. It is an error, which names the file, unless it has this
    /// form and names from 1 to [`Bundle::MOST_NETWORKS`] networks, each by the plain name of a file of
    /// its own.
    pub fn read(folder: &Path) -> Result<Self, SettingsError> {
        let file = folder.join(Self::FILE);
        let text = read_bounded(&file, MOST_BYTES)?;
        let invalid = |message: String| SettingsError::Invalid { file: file.clone(), message };
        let bundle: Self =
            serde_json::from_slice(&text).map_err(|error| invalid(error.to_string()))?;
        bundle.check().map_err(invalid)?;
        Ok(bundle)
    }

    fn check(&self) -> Result<(), String> {
        if self.schema != Self::SCHEMA {
            let (found, known) = (self.schema, Self::SCHEMA);
            return Err(format!("schema {found}, where this version reads {known}; make it again"));
        }
        if self.networks.is_empty() {
            return Err("no network; make it again with `cargo xtask bundle`".to_owned());
        }
        let (count, most) = (self.networks.len(), Self::MOST_NETWORKS);
        if count > most {
            return Err(format!("{count} networks; expected from 1 to {most}"));
        }
        let mut files = BTreeSet::new();
        if let Some(again) = self.networks.iter().find(|network| !files.insert(&network.file)) {
            let file = &again.file;
            return Err(format!("{file:?} is named twice; every network has a file of its own"));
        }
        let named = self.networks.iter().map(|network| &network.file);
        let needed = self.encoder.iter().flat_map(|encoder| encoder.files.keys());
        match named.chain(needed).find(|name| !is_plain(name)) {
            Some(name) => Err(format!("{name:?} is no name of a file in the folder")),
            None => Ok(()),
        }
    }
}

/// Whether a path is the name of a file and no more, so that a bundle from elsewhere leads nowhere.
fn is_plain(name: &str) -> bool {
    let is_odd = |c: char| ['/', '\\', ':'].contains(&c) || c.is_control();
    !name.contains(is_odd) && !name.is_empty() && !name.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle() -> Bundle {
        let network = BundledNetwork {
            file: "lw-0-03.safetensors".to_owned(),
            digest: "00".repeat(32),
            seed: 0,
            fold: "03".to_owned(),
        };
        Bundle {
            schema: 1,
            pipeline: "emodb".to_owned(),
            corpus: "EmoDB".to_owned(),
            synthetic: false,
            method: "lw".to_owned(),
            networks: vec![network],
            encoder: None,
        }
    }

    fn read(bundle: &Bundle) -> Result<Bundle, String> {
        let folder = tempfile::tempdir().unwrap();
        let text = serde_json::to_string(bundle).unwrap();
        fs_err::write(folder.path().join(Bundle::FILE), text).unwrap();
        Bundle::read(folder.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_was_written_is_read() {
        assert_eq!(read(&bundle()), Ok(bundle()));
    }

    #[test]
    fn what_cannot_be_is_refused_by_file() {
        let mut newer = bundle();
        newer.schema = 2;
        let mut empty = bundle();
        empty.networks.clear();
        let mut twice = bundle();
        twice.networks.push(twice.networks[0].clone());
        let mut many = bundle();
        many.networks = (0..=Bundle::MOST_NETWORKS)
            .map(|n| BundledNetwork { file: n.to_string(), ..many.networks[0].clone() })
            .collect();
        for (wrong, part) in [
            (newer, "schema 2"),
            (empty, "no network"),
            (twice, "\"lw-0-03.safetensors\" is named twice"),
            (many, "10001 networks; expected from 1 to 10000"),
        ] {
            let error = read(&wrong).unwrap_err();
            assert!(error.contains("bundle.json") && error.contains(part), "{error}");
        }
        assert!(Bundle::read(Path::new("nowhere")).unwrap_err().to_string().contains("nowhere"));
    }

    #[test]
    fn a_description_without_end_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(Bundle::FILE);
        std::os::unix::fs::symlink("/dev/zero", &file).unwrap();
        let refused = || Bundle::read(folder.path()).unwrap_err().to_string();
        assert!(refused().contains("bundle.json: no regular file"));
        fs_err::remove_file(&file).unwrap();
        fs_err::File::create(&file).unwrap().set_len(1 << 40).unwrap();
        assert!(refused().contains("bundle.json: 1099511627776 bytes; expected at most 4194304"));
    }

    #[test]
    fn a_network_lies_in_the_folder_itself() {
        for file in ["../a", "/etc/passwd", "a/b", "", "..", "c:\\a", "a\nhint: b"] {
            let mut wrong = bundle();
            file.clone_into(&mut wrong.networks[0].file);
            assert!(read(&wrong).unwrap_err().contains("no name of a file"), "{file}");
            let mut wrong = bundle();
            let files = [(file.to_owned(), String::new())].into();
            wrong.encoder = Some(BundledEncoder { name: "whisper".to_owned(), files });
            assert!(read(&wrong).unwrap_err().contains("no name of a file"), "{file}");
        }
    }
}
