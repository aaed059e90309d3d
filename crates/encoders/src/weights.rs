//! The tensors of `model.safetensors`, each taken by name with the shape that it must have.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Shape, Tensor};

use crate::EncoderError;

/// Name of the file of weights in a folder of Hugging Face's form.
const FILE: &str = "model.safetensors";

/// The tensors of a folder, in f32.
pub(crate) struct Weights {
    file: PathBuf,
    tensors: BTreeMap<String, Tensor>,
}

impl Weights {
    /// Reads all tensors of a folder.
    ///
    /// # Errors
    /// There is no such file, or it is no safetensors file.
    pub(crate) fn of(folder: &Path) -> Result<Self, EncoderError> {
        let file = folder.join(FILE);
        let bytes = fs_err::read(&file)?;
        let tensors =
            candle_core::safetensors::load_buffer(&bytes, &Device::Cpu).map_err(|error| {
                EncoderError::Form { file: file.clone(), message: error.to_string() }
            })?;
        Ok(Self { file, tensors: tensors.into_iter().collect() })
    }

    /// Whether there is a tensor of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// The tensor of this name.
    ///
    /// # Errors
    /// It is missing, or of another shape.
    pub(crate) fn take(&self, name: &str, shape: impl Into<Shape>) -> Result<Tensor, EncoderError> {
        let shape = shape.into();
        let fault = |message| EncoderError::Form { file: self.file.clone(), message };
        let tensor = self.tensors.get(name).ok_or_else(|| {
            fault(format!("there is no tensor {name:?}; is config.json of these weights?"))
        })?;
        if tensor.shape() != &shape {
            let found = tensor.shape();
            return Err(fault(format!(
                "{name:?} is {found:?}, not {shape:?} as config.json has it"
            )));
        }
        Ok(tensor.to_dtype(DType::F32)?)
    }
}
