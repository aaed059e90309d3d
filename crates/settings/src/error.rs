//! The one error type of files that people write.

use std::path::PathBuf;

/// A file that people write could not be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file could not be read; the message of `fs_err` names its path.
    #[error(transparent)]
    Read(#[from] std::io::Error),
    /// The file is not what its schema says: a typo, a missing key, a value of the wrong type.
    /// The message names line and column and shows the place.
    #[error("{}: {message}\nhint: {hint}", file.display())]
    Parse {
        /// The file at fault.
        file: PathBuf,
        /// What is wrong, with line and column.
        message: String,
        /// What to do about it.
        hint: String,
    },
    /// The file reads well but says something that cannot be.
    #[error("{}: {message}", file.display())]
    Invalid {
        /// The file at fault.
        file: PathBuf,
        /// What cannot be, and what to do about it.
        message: String,
    },
}

/// Reads a TOML file into `T`; the error names file, line and column.
pub(crate) fn read_toml<T: serde::de::DeserializeOwned>(
    file: &std::path::Path,
    hint: &str,
) -> Result<T, SettingsError> {
    let text = fs_err::read_to_string(file)?;
    parse_toml(file, &text, hint)
}

/// An error of TOML in one line.
pub(crate) fn in_one_line(error: &toml::de::Error) -> String {
    error.to_string().trim_end().replace('\n', " ")
}

/// As [`read_toml`], from text that has been read already.
pub(crate) fn parse_toml<T: serde::de::DeserializeOwned>(
    file: &std::path::Path,
    text: &str,
    hint: &str,
) -> Result<T, SettingsError> {
    toml::from_str(text).map_err(|error| SettingsError::Parse {
        file: file.to_path_buf(),
        message: error.to_string().trim_end().to_owned(),
        hint: hint.to_owned(),
    })
}
