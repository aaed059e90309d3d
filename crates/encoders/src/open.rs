//! Which encoder a folder holds, by `model_type` of its `config.json`.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Encoder, EncoderError, wav2vec2};

/// What is known of an encoder before its weights are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// `model_type` of `config.json`.
    pub model_type: &'static str,
    /// How many hidden states there are, as of [`Encoder::layers`].
    pub layers: usize,
    /// Values of one frame of a hidden state.
    pub width: usize,
    /// Samples from the start of one frame to that of the next.
    pub step: usize,
    /// Samples that the first frame is made of: an utterance has no fewer.
    pub length: usize,
}

type Opened = Result<Box<dyn Encoder>, EncoderError>;

/// A value of `model_type`, and who describes and opens such folders.
struct Kind {
    name: &'static str,
    describe: fn(&ConfigFile) -> Result<Description, EncoderError>,
    open: fn(&Path, &ConfigFile) -> Opened,
}

const KINDS: [Kind; 3] = [
    Kind { name: "wav2vec2", describe: wav2vec2::describe, open: wav2vec2::open },
    Kind { name: "hubert", describe: wav2vec2::describe, open: wav2vec2::open },
    Kind { name: "wavlm", describe: wav2vec2::describe, open: wav2vec2::open },
];

/// What `config.json` of a folder says of its encoder.
///
/// # Errors
/// There is no such file, or it asks for what no encoder here does: the message names the key.
pub fn describe(folder: &Path) -> Result<Description, EncoderError> {
    let config = ConfigFile::read(folder)?;
    (config.kind()?.describe)(&config)
}

/// The encoder of a folder in Hugging Face's form, with its weights.
///
/// # Errors
/// As those of [`describe`]; or a tensor is missing, or not of the shape that `config.json` has.
pub fn open(folder: &Path) -> Result<Box<dyn Encoder>, EncoderError> {
    let config = ConfigFile::read(folder)?;
    (config.kind()?.open)(folder, &config)
}

/// A JSON file of a folder.
pub(crate) struct ConfigFile {
    file: PathBuf,
    value: Value,
}

impl ConfigFile {
    fn read(folder: &Path) -> Result<Self, EncoderError> {
        Self::read_file(folder.join("config.json"))
    }

    /// Reads any JSON file.
    pub(crate) fn read_file(file: PathBuf) -> Result<Self, EncoderError> {
        let bytes = fs_err::read(&file)?;
        match serde_json::from_slice(&bytes) {
            Ok(value) => Ok(Self { file, value }),
            Err(error) => Err(EncoderError::Form { file, message: error.to_string() }),
        }
    }

    /// What is wrong with the value of a key, and the remedy.
    pub(crate) fn fault(&self, key: &str, message: &str) -> EncoderError {
        let found = self.value.get(key).map_or("none".to_owned(), Value::to_string);
        let message = format!("`{key}` is {found}: {message}");
        EncoderError::Form { file: self.file.clone(), message }
    }

    /// The file as a type of ours.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, EncoderError> {
        let fault = |error: serde_json::Error| EncoderError::Form {
            file: self.file.clone(),
            message: error.to_string(),
        };
        T::deserialize(&self.value).map_err(fault)
    }

    /// The name of the kind.
    pub(crate) fn model_type(&self) -> Result<&'static str, EncoderError> {
        self.kind().map(|kind| kind.name)
    }

    fn kind(&self) -> Result<&'static Kind, EncoderError> {
        let named = self.value.get("model_type").and_then(Value::as_str);
        KINDS.iter().find(|kind| Some(kind.name) == named).ok_or_else(|| {
            let known = KINDS.map(|kind| kind.name).join(", ");
            self.fault("model_type", &format!("encoders can be of {known}; choose one of those"))
        })
    }
}
