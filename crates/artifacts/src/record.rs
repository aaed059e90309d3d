//! The record of a finished stage: written last, so that it stands for whole outputs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Digest, KeyParts};

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
    /// Version of this file's form; 1.
    pub schema: u32,
    /// The key.
    pub key: Digest,
    /// What the key stands for.
    pub parts: KeyParts,
    /// Outputs by role.
    pub outputs: BTreeMap<String, Output>,
    /// How it came about.
    pub provenance: Provenance,
}

impl Record {
    /// Version of the file's form.
    pub const SCHEMA: u32 = 1;
}
