//! Files that people write and hand on.

use std::fmt::Debug;
use std::path::Path;

use ambivox_settings::{Manifest, Pipeline, SettingsError, Space, matching_files};
use serde::Serialize;

use crate::with_file;

/// Corpus manifests: what was read is read again from what it is written as, and its patterns can be
/// looked for.
pub fn manifest(bytes: &[u8]) {
    if let Some(manifest) = read_twice(bytes, Manifest::parse) {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(
            matching_files(folder.path(), &manifest.files).unwrap_or_default().files.len(),
            0
        );
    }
}

/// Pipeline files, likewise.
pub fn pipeline(bytes: &[u8]) {
    read_twice(bytes, Pipeline::parse);
}

/// Search spaces: there is a setting to search.
pub fn space(bytes: &[u8]) {
    with_file("space.toml", bytes, |folder| {
        if let Ok(space) = Space::read(&folder.join("space.toml")) {
            assert!(!space.settings.is_empty());
        }
    });
}

fn read_twice<T: Debug + PartialEq + Serialize>(
    bytes: &[u8],
    parse: fn(&Path, &str) -> Result<T, SettingsError>,
) -> Option<T> {
    let text = str::from_utf8(bytes).ok()?;
    let first = parse(Path::new("first.toml"), text).ok()?;
    let written = toml::to_string(&first).unwrap();
    assert_eq!(parse(Path::new("second.toml"), &written).unwrap(), first);
    Some(first)
}
