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
use crate::Scaling;

#[derive(Serialize)]
#[serde(untagged)]
enum Entry {
    Metadata(BTreeMap<&'static str, String>),
    Tensor(TensorInfo),
}

/// A safetensors file of this metadata and these tensors.
pub(super) fn file(
    metadata: BTreeMap<&'static str, String>,
    tensors: Vec<NamedTensor>,
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

/// What the file says beside its tensors.
pub(super) fn metadata(
    checkpoint: &Checkpoint,
) -> serde_json::Result<BTreeMap<&'static str, String>> {
    let Checkpoint { predictor, classes, features, scaling } = checkpoint;
    let scaling = match scaling {
        Scaling::MeanVariance(scaling) => (key::NORMALISER, serde_json::to_string(scaling)?),
        Scaling::MinMax(scaling) => (key::SCALING, serde_json::to_string(scaling)?),
    };
    let mut metadata = predictor.metadata()?;
    metadata.extend([
        (key::FORMAT, FORMAT.to_owned()),
        (key::CLASSES, serde_json::to_string(classes)?),
        (key::FEATURES, serde_json::to_string(features)?),
        scaling,
    ]);
    Ok(metadata)
}

/// A tensor's name, shape and values.
pub type NamedTensor = (String, Vec<usize>, Vec<f32>);

/// A tensor's values, row-major.
pub(crate) fn values(tensor: &Tensor) -> candle_core::Result<Vec<f32>> {
    tensor.flatten_all()?.to_vec1::<f32>()
}
