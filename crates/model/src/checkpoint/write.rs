//! Writing a checkpoint.
//!
//! The header is put together here and not by the safetensors library, which keeps metadata in a hash
//! map and so writes it in another order every time. The form: the header's length (u64, little
//! endian), a JSON object padded with spaces to whole 8 bytes, the tensors' bytes.

use std::collections::BTreeMap;

use candle_core::Tensor;
use safetensors::Dtype;
use safetensors::tensor::TensorInfo;
use serde::Serialize;

use super::{Checkpoint, FORMAT, key};
use crate::Network;

#[derive(Serialize)]
#[serde(untagged)]
enum Entry {
    Metadata(BTreeMap<&'static str, String>),
    Tensor(TensorInfo),
}

/// The file's bytes, or what is wrong with the checkpoint.
pub(super) fn bytes(checkpoint: &Checkpoint) -> Result<Vec<u8>, String> {
    let tensors = tensors(&checkpoint.network).map_err(|e| e.to_string())?;
    file(metadata(checkpoint).map_err(|e| e.to_string())?, tensors)
}

/// A safetensors file of this metadata and these tensors.
pub(super) fn file(
    metadata: BTreeMap<&'static str, String>,
    tensors: Vec<Named>,
) -> Result<Vec<u8>, String> {
    let mut entries = BTreeMap::new();
    let mut data: Vec<u8> = Vec::new();
    for (name, shape, values) in tensors {
        let start = data.len();
        data.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        let data_offsets = (start, data.len());
        entries.insert(name, Entry::Tensor(TensorInfo { dtype: Dtype::F32, shape, data_offsets }));
    }
    entries.insert("__metadata__".to_owned(), Entry::Metadata(metadata));
    let mut header = serde_json::to_vec(&entries).map_err(|e| e.to_string())?;
    header.resize(header.len().next_multiple_of(8), b' ');
    Ok([&(header.len() as u64).to_le_bytes(), header.as_slice(), &data].concat())
}

fn metadata(checkpoint: &Checkpoint) -> serde_json::Result<BTreeMap<&'static str, String>> {
    Ok(BTreeMap::from([
        (key::FORMAT, FORMAT.to_owned()),
        (key::NETWORK, serde_json::to_string(checkpoint.network.settings())?),
        (key::CLASSES, serde_json::to_string(&checkpoint.classes)?),
        (key::FEATURE_SET, serde_json::to_string(&checkpoint.feature_set)?),
        (key::NORMALISER, serde_json::to_string(&checkpoint.normalisation)?),
    ]))
}

/// A tensor's name, shape and values.
pub(super) type Named = (String, Vec<usize>, Vec<f32>);

fn tensors(network: &Network) -> candle_core::Result<Vec<Named>> {
    let theta = network.theta.to_vec1::<f32>()?;
    let slots = network.encoder.dims().tensors().into_iter();
    let mut named: Vec<Named> =
        slots.map(|slot| (slot.name.to_owned(), slot.shape, theta[slot.range].to_vec())).collect();
    for (name, var) in network.heads() {
        named.push((name.to_owned(), var.dims().to_vec(), values(var)?));
    }
    Ok(named)
}

/// A tensor's values, row-major.
pub(super) fn values(tensor: &Tensor) -> candle_core::Result<Vec<f32>> {
    tensor.flatten_all()?.to_vec1::<f32>()
}
