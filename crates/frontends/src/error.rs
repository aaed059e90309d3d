//! What can be wrong with a section `[frontend]` or `[pooling]`.

/// A front end or a pooling cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum FrontendError {
    /// There is no such kind, or its settings cannot be; the message names the section.
    #[error("{0}")]
    Setting(String),
    /// A file that a setting names cannot be read; the message names it.
    #[error("{0}")]
    File(#[from] std::io::Error),
    /// A neural encoder's folder cannot be used.
    #[error("{0}")]
    Encoder(#[from] ambivox_encoders::EncoderError),
    /// A table of features cannot be used.
    #[error("{file}: {message}")]
    Table {
        /// The file, or the folder, at fault.
        file: String,
        /// What is wrong, and what to do about it.
        message: String,
    },
}

impl FrontendError {
    /// The fault of a section's settings.
    pub fn setting(axis: &str, message: impl std::fmt::Display) -> Self {
        Self::Setting(format!("[{axis}]: {message}"))
    }
}
