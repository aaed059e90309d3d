//! Errors that know the exit code they call for.

use std::fmt;

use ambivox_settings::{SettingsError, causes, exit};

/// An error for the user, with its exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// The command was used wrongly.
    pub(crate) fn usage(message: impl Into<String>) -> anyhow::Error {
        Self { code: exit::USAGE, message: message.into() }.into()
    }

    /// The input data are at fault.
    pub(crate) fn data(message: impl Into<String>) -> anyhow::Error {
        Self { code: exit::DATA, message: message.into() }.into()
    }

    /// Stages failed; the first one's exit code is passed on.
    pub(crate) fn stages(code: u8, message: impl Into<String>) -> anyhow::Error {
        Self { code, message: message.into() }.into()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// An error's text with those of its causes, each once.
pub(crate) fn told(error: &anyhow::Error) -> String {
    causes(error.as_ref()).join(": ")
}

/// The exit code that an error calls for.
pub(crate) fn exit_code(error: &anyhow::Error) -> u8 {
    if let Some(failure) = error.downcast_ref::<Failure>() {
        failure.code
    } else if error.is::<SettingsError>() {
        exit::USAGE
    } else {
        exit::FAILED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let missing = ambivox_settings::Pipeline::read(std::path::Path::new("/none.toml"));
        let text = told(&anyhow::Error::from(missing.unwrap_err()).context("while planning"));
        assert!(text.starts_with("while planning: "), "{text}");
        assert_eq!(text.matches("/none.toml").count(), 1, "{text}");
    }

    #[test]
    fn codes_survive_context() {
        let code = |error: anyhow::Error| exit_code(&error.context("while planning"));
        assert_eq!(code(Failure::usage("x")), 2);
        assert_eq!(code(Failure::data("x")), 3);
        assert_eq!(code(Failure::stages(3, "x")), 3);
        assert_eq!(code(anyhow::anyhow!("x")), 1);
        let missing = ambivox_settings::Pipeline::read(std::path::Path::new("/none.toml"));
        assert_eq!(code(missing.unwrap_err().into()), 2);
    }
}
