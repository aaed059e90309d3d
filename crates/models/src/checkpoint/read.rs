//! Reading a checkpoint, whose bytes may come from anywhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use ambivox_nn::Dims;
use candle_core::{Device, Var};
use safetensors::{Dtype, SafeTensors};
use serde::de::DeserializeOwned;

use super::{EARLIER, FORMAT, key, member};

/// Largest size of a layer. It keeps the sizes computed from a file far from overflow.
pub(crate) const LARGEST: usize = 1 << 16;

/// Largest header in bytes. It is read into memory several times over, and even the largest layers need
/// no more.
const LARGEST_HEADER: u64 = 1 << 24;

/// What is wrong with the file, in words that follow its name.
pub type Fault = String;

/// The two parts of a file.
pub(super) fn parts(bytes: &[u8]) -> Result<(Metadata, Tensors<'_>), Fault> {
    let fault = |error: safetensors::SafeTensorError| {
        format!("not readable as safetensors ({error}); is the file whole?")
    };
    check_header(bytes)?;
    let metadata = Metadata::read(bytes).map_err(fault)?;
    let file = Arc::new(SafeTensors::deserialize(bytes).map_err(fault)?);
    Ok((metadata, Tensors { file, prefix: String::new() }))
}

/// A file begins with the length of its header. Whether all of it is there, its reader says.
fn check_header(bytes: &[u8]) -> Result<(), Fault> {
    let length = bytes.first_chunk().map_or(0, |length| u64::from_le_bytes(*length));
    (length <= LARGEST_HEADER)
        .then_some(())
        .ok_or_else(|| format!("its header has {length} bytes; expected at most {LARGEST_HEADER}"))
}

/// All of a file but its tensors.
pub struct Metadata(BTreeMap<String, String>);

impl Metadata {
    fn read(bytes: &[u8]) -> Result<Self, safetensors::SafeTensorError> {
        let (_, header) = SafeTensors::read_metadata(bytes)?;
        let entries = header.metadata().iter().flatten();
        Ok(Self(entries.map(|(key, value)| (key.clone(), value.clone())).collect()))
    }

    /// What the metadata call the kind of model.
    pub(super) fn kind(&self) -> Option<&str> {
        self.0.get(key::KIND).map(String::as_str)
    }

    /// Whether there is such a key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// The value of `key` read as JSON, after the format's version has been found to be ours.
    ///
    /// # Errors
    /// The format is another, there is no such key, or its value is not of this type.
    pub fn json<T: DeserializeOwned>(&self, key: &str) -> Result<T, Fault> {
        match self.0.get(key::FORMAT).map(String::as_str) {
            Some(FORMAT | EARLIER) => {}
            Some(other) => {
                return Err(format!("its format is {other:?}; this version reads {FORMAT:?}"));
            }
            None => return Err("its metadata has no \"format\"; Ambivox did not write it".into()),
        }
        let text = self.0.get(key).ok_or_else(|| format!("its metadata has no {key:?}"))?;
        serde_json::from_str(text).map_err(|error| format!("metadata {key:?}: {error}"))
    }
}

/// A file made by a newer version, or by another program.
pub(super) fn unknown(kind: Option<&str>) -> Fault {
    format!("it holds a {}, which this version does not know", kind.unwrap_or_default())
}

/// The tensors of a file.
pub struct Tensors<'a> {
    file: Arc<SafeTensors<'a>>,
    /// What the names of one of several models begin with, which its reader does not know of.
    prefix: String,
}

impl Tensors<'_> {
    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.file.names().iter().filter(|name| name.starts_with(&self.prefix)).count()
    }

    /// Those of each of several models, of which there are no more than tensors.
    pub(super) fn members(&self, count: usize) -> Vec<Self> {
        let part = |number| Self { file: Arc::clone(&self.file), prefix: member(number) };
        (0..count.min(self.count())).map(part).collect()
    }

    /// Errors: another count of tensors than the one expected.
    pub fn check_count(&self, expected: usize) -> Result<(), Fault> {
        let found = self.count();
        (found == expected)
            .then_some(())
            .ok_or_else(|| format!("it has {found} tensors; expected {expected}"))
    }

    pub(crate) fn theta(&self, dims: Dims) -> Result<Var, Fault> {
        let mut theta = Vec::new();
        for slot in dims.tensors() {
            theta.extend(self.values(slot.name, &slot.shape)?);
        }
        let length = theta.len();
        Var::from_vec(theta, length, &Device::Cpu).map_err(|e| e.to_string())
    }

    pub(crate) fn var(&self, name: &str, shape: &[usize]) -> Result<Var, Fault> {
        Var::from_vec(self.values(name, shape)?, shape, &Device::Cpu).map_err(|e| e.to_string())
    }

    /// The values of a tensor, row-major.
    ///
    /// # Errors
    /// There is none of this name, or it is of another shape or type, or has values that are not finite.
    pub fn values(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, Fault> {
        let view = self
            .file
            .tensor(&format!("{}{name}", self.prefix))
            .map_err(|_| format!("it has no tensor {name:?}"))?;
        if view.dtype() != Dtype::F32 || view.shape() != shape {
            let (dtype, found) = (view.dtype(), view.shape());
            return Err(format!(
                "tensor {name:?} is {dtype:?} of shape {found:?}; expected F32 of shape {shape:?}"
            ));
        }
        let bytes = view.data().as_chunks::<4>().0;
        let values: Vec<f32> = bytes.iter().map(|&b| f32::from_le_bytes(b)).collect();
        match values.iter().position(|value| !value.is_finite()) {
            Some(at) => Err(format!("tensor {name:?}: value {at} is {}", values[at])),
            None => Ok(values),
        }
    }
}
