//! Why something cannot be predicted.

use std::path::PathBuf;

use ambivox_artifacts::ArtifactError;
use ambivox_lld::LldError;
use ambivox_model::ModelError;
use ambivox_settings::SettingsError;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum PredictError {
    /// The bundle's description cannot be used.
    #[error("{0}\nhint: a model is a folder made by `cargo xtask bundle`; name it with --model")]
    Bundle(#[from] SettingsError),
    /// A network's file is not the one that was bundled.
    #[error(
        "{}: its digest is {found}, where {} says {expected}; copy the bundle anew",
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
    /// A network's file cannot be read.
    #[error(transparent)]
    File(#[from] ArtifactError),
    /// A network cannot be used or failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A feature set of a network cannot be used.
    #[error("the bundle's feature set: {0}")]
    Features(#[from] LldError),
    /// The networks of a bundle do not go together.
    #[error("{}: {message}; make the bundle anew", file.display())]
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
