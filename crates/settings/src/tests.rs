//! Tests of what people write: messages that point at the place, faults, and round trips.

mod messages;
mod repository;
mod round_trip;

use std::path::Path;

use crate::{Manifest, Pipeline, SettingsError};

pub(crate) const PIPELINE: &str = include_str!("tests/pipeline.toml");
const MANIFEST: &str = include_str!("tests/manifest.toml");

pub(crate) fn pipeline(text: &str) -> Result<Pipeline, SettingsError> {
    Pipeline::parse(Path::new("pipelines/x.toml"), text)
}

fn manifest(text: &str) -> Result<Manifest, SettingsError> {
    Manifest::parse(Path::new("data-manifests/x.toml"), text)
}

/// The text with one replacement, which must apply just once.
fn edited(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{from:?} is not there just once");
    text.replace(from, to)
}
