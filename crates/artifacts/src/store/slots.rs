//! Slots: places in a pipeline, each with the key it last had, so that a stale stage can be
//! compared with what ran there before.

use std::collections::BTreeMap;
use std::path::PathBuf;

use fs_err as fs;
use serde::{Deserialize, Serialize};

use super::records::entries;
use super::{Store, read_if_there};
use crate::{ArtifactError, Digest, Encoder, Record, write_atomically};

/// A place and the key it last had.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Slot {
    pub(super) pipeline: String,
    pub(super) place: String,
    pub(super) stage: String,
    pub(super) key: Digest,
}

impl Store {
    /// The record that a pipeline's slot, such as `train/lw/0/Ses03F`, had last.
    pub fn last(&self, pipeline: &str, slot: &str) -> Result<Option<Record>, ArtifactError> {
        let Some(slot) = self.slot(pipeline, slot)? else { return Ok(None) };
        self.record(&slot.stage, &slot.key)
    }

    /// The records that the places of a pipeline had last, by place.
    pub fn places(&self, pipeline: &str) -> Result<BTreeMap<String, Record>, ArtifactError> {
        let mut places = BTreeMap::new();
        for (_, slot) in self.slots()?.into_iter().filter(|(_, slot)| slot.pipeline == pipeline) {
            if let Some(record) = self.record(&slot.stage, &slot.key)? {
                places.insert(slot.place, record);
            }
        }
        Ok(places)
    }

    /// Every slot that can be read, with its file.
    pub(super) fn slots(&self) -> Result<Vec<(PathBuf, Slot)>, ArtifactError> {
        let mut slots = Vec::new();
        for (_, file) in entries(&self.root().join("slots"))? {
            if let Ok(slot) = serde_json::from_slice(&fs::read(&file)?) {
                slots.push((file, slot));
            }
        }
        Ok(slots)
    }

    /// Notes the record that a pipeline's slot has now.
    pub fn remember(
        &self,
        pipeline: &str,
        slot: &str,
        record: &Record,
    ) -> Result<(), ArtifactError> {
        let now = Slot {
            pipeline: pipeline.to_owned(),
            place: slot.to_owned(),
            stage: record.parts.stage.clone(),
            key: record.key,
        };
        if self.slot(pipeline, slot)?.as_ref() == Some(&now) {
            return Ok(());
        }
        write_atomically(&self.slot_file(pipeline, slot), &serde_json::to_vec(&now)?)
    }

    fn slot(&self, pipeline: &str, slot: &str) -> Result<Option<Slot>, ArtifactError> {
        let bytes = read_if_there(&self.slot_file(pipeline, slot))?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// Named by digest, since a slot holds speakers' names and these may hold anything.
    fn slot_file(&self, pipeline: &str, slot: &str) -> PathBuf {
        let name = Encoder::new("ambivox slot").text(pipeline).text(slot).finish();
        self.root().join("slots").join(format!("{name}.json"))
    }
}
