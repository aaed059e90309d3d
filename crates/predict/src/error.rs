//! Why something cannot be predicted.

use std::io::ErrorKind;
use std::path::PathBuf;

use ambivox_frontends::FrontendError;
use ambivox_lld::LldError;
use ambivox_models::ModelError;
use ambivox_settings::{SettingsError, exit};

use crate::encoder::VARIABLE;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum PredictError {
    /// There is no bundle there.
    #[error("{}: no such folder\nhint: a model is a folder made by `cargo xtask bundle`; name it with --model", .0.display())]
    NoFolder(PathBuf),
    /// The bundle's description cannot be used.
    #[error("{0}\nhint: a model is a folder made by `cargo xtask bundle`; name it with --model")]
    Bundle(#[from] SettingsError),
    /// A network's file is not the one that was bundled.
    #[error(
        "{}: its digest is {found}, where {} says {expected:?}; copy the bundle again",
        file.display(),
        ambivox_settings::Bundle::FILE
    )]
    Changed {
        /// The file.
        file: PathBuf,
        /// Digest of what it holds.
        found: String,
        /// Digest on record.
        expected: String,
    },
    /// A network's file cannot be read, is no file, or is too large; the message names it.
    #[error("{0}")]
    File(#[from] std::io::Error),
    /// A network's file is a link that leads out of the bundle.
    #[error("{}: a link that leads out of the bundle; copy the file to where the link is", .0.display())]
    Outside(PathBuf),
    /// A network cannot be used or failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// What the networks read cannot be made of sound.
    #[error("what the bundle's networks read: {0}")]
    Frontend(#[from] FrontendError),
    /// They read hidden states of an encoder, which was not found; the message has its digests, and where
    /// it was looked for.
    #[error(
        "the bundle's networks read hidden states of an encoder that is not in the bundle: {0}\nhint: name \
         its folder with --encoder, or with {VARIABLE} a folder that has it up to three levels below"
    )]
    NoEncoder(String),
    /// An encoder was named, and they read no hidden states.
    #[error("the bundle's networks read no hidden states of an encoder; leave --encoder out")]
    NeedlessEncoder,
    /// An encoder's file is not the one that the networks were trained with.
    #[error(
        "{}: its digest is {found}, and the networks were trained with {expected}; name that encoder's \
         folder with --encoder",
        file.display()
    )]
    OtherEncoder {
        /// The file.
        file: PathBuf,
        /// Digest of what it holds.
        found: String,
        /// Digest in the bundle.
        expected: String,
    },
    /// An encoder is given recordings, not samples as they come.
    #[error(
        "the bundle's networks read hidden states of an encoder, which hears whole recordings; leave --stream out"
    )]
    NoStream,
    /// The encoder can make nothing of a recording; the message says why.
    #[error("{0}")]
    Utterance(String),
    /// Their feature set cannot be computed.
    #[error("the bundle's feature set: {0}")]
    Features(#[from] LldError),
    /// What was normalised before training cannot be in the same way here.
    #[error(
        "the bundle's networks read values that are normalised over {over}, of which one recording tells \
         nothing\nhint: bundle networks that were trained with normalisation.over = \"training\""
    )]
    Normalised {
        /// Over whose utterances.
        over: &'static str,
    },
    /// The networks of a bundle do not go together.
    #[error("{}: {message}; make the bundle again", file.display())]
    Unlike {
        /// The network that is unlike the first.
        file: PathBuf,
        /// In what it differs.
        message: String,
    },
    /// The recording is shorter than one frame.
    #[error("{duration_s:.3} s of sound, which is less than one frame of {frame_s:.3} s")]
    Short {
        /// Length of the recording.
        duration_s: f64,
        /// Length of a frame.
        frame_s: f64,
    },
}

impl PredictError {
    /// The exit code that this calls for: whether the command was used wrongly, the bundle or the
    /// recording is at fault, or neither.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NoFolder(_) | Self::NoEncoder(_) | Self::NeedlessEncoder | Self::NoStream => {
                exit::USAGE
            }
            Self::Bundle(SettingsError::Read(error))
            | Self::File(error)
            | Self::Model(ModelError::Io(error)) => match error.kind() {
                // The bundle lacks a file, or has another thing in its place.
                ErrorKind::NotFound | ErrorKind::InvalidData => exit::DATA,
                _ => exit::FAILED,
            },
            Self::Model(ModelError::Tensor(_) | ModelError::Nn(_)) => exit::FAILED,
            Self::Bundle(_)
            | Self::Changed { .. }
            | Self::OtherEncoder { .. }
            | Self::Utterance(_)
            | Self::Outside(_)
            | Self::Model(_)
            | Self::Frontend(_)
            | Self::Features(_)
            | Self::Normalised { .. }
            | Self::Unlike { .. }
            | Self::Short { .. } => exit::DATA,
        }
    }
}
