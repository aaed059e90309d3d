//! The record of a finished stage: written last, so that it stands for whole outputs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{ArtifactError, Digest, Encoder, KeyParts};

/// One output as it was when the stage ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// File or folder name.
    pub name: String,
    /// Length in bytes; of a folder, of all its files.
    pub bytes: u64,
    /// Content digest.
    pub digest: Digest,
}

/// How a result came about, beyond what it depends on; no part of the key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// When the stage started, in seconds since 1970 (UTC).
    pub started_unix: u64,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Threads it was given.
    pub threads: usize,
    /// Operating system and processor architecture.
    pub host: String,
    /// Widest instruction set that the processor has, of those that kernels are chosen by.
    #[serde(default)]
    pub isa: Option<String>,
    /// The most memory it had at any time, in bytes, where the system tells.
    #[serde(default)]
    pub peak_bytes: Option<u64>,
    /// First line of `rustc -V`, and the like, by tool.
    pub tools: BTreeMap<String, String>,
}

/// The record of a finished stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Version of this file's format; 3.
    pub schema: u32,
    /// The key.
    pub key: Digest,
    /// What the key stands for.
    pub parts: KeyParts,
    /// Outputs by role.
    pub outputs: BTreeMap<String, Output>,
    /// How it came about.
    pub provenance: Provenance,
    /// Digest of everything above, so that damage shows wherever it is.
    pub digest: Digest,
}

impl Record {
    /// Version of the file's format. 2 has the digest, 3 versions of the code. What was made under an
    /// earlier one does not count: the keys of all stages are others too.
    pub const SCHEMA: u32 = 3;

    /// The record of outputs that these parts of a key led to.
    pub(crate) fn new(
        parts: KeyParts,
        outputs: BTreeMap<String, Output>,
        provenance: Provenance,
    ) -> Result<Self, ArtifactError> {
        // The digest is over all but itself.
        let (key, digest) = (parts.key(), Digest::from_bytes([0; Digest::BYTES]));
        let mut record = Self { schema: Self::SCHEMA, key, parts, outputs, provenance, digest };
        record.digest = record.content_digest()?;
        Ok(record)
    }

    /// The record that these bytes are; or what else they are.
    pub(crate) fn read(bytes: &[u8], key: &Digest) -> Found {
        /// What is in a record of any version.
        #[derive(Deserialize)]
        struct Version {
            schema: u32,
        }
        match serde_json::from_slice(bytes) {
            Ok(Version { schema: Self::SCHEMA }) => {}
            Ok(Version { schema }) if schema < Self::SCHEMA => return Found::Outdated,
            _ => return Found::Damaged,
        }
        let record: Option<Self> = serde_json::from_slice(bytes).ok();
        record
            .filter(|record| record.is_whole(key))
            .map_or(Found::Damaged, |record| Found::Whole(Box::new(record)))
    }

    fn is_whole(&self, key: &Digest) -> bool {
        let is_digest = |digest| self.digest == digest;
        self.key == *key && self.parts.key() == *key && self.content_digest().is_ok_and(is_digest)
    }

    fn content_digest(&self) -> Result<Digest, ArtifactError> {
        let mut value = serde_json::to_value(self)?;
        value.as_object_mut().and_then(|fields| fields.remove("digest"));
        Ok(Encoder::new("ambivox record").value(&value).finish())
    }
}

/// What lies where a record should.
#[derive(Debug)]
pub(crate) enum Found {
    /// A record as it was written.
    Whole(Box<Record>),
    /// A record of an earlier version.
    Outdated,
    /// Something else: cut short, altered, that of another key, or of a version that is yet to come.
    Damaged,
}
