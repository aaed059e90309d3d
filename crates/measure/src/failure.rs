//! Errors that know the exit code they call for.

use ambivox_settings::exit;

/// An error for the user.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The command was used wrongly.
    #[error("{0}")]
    Usage(String),
    /// The input data are at fault.
    #[error("{0}")]
    Data(String),
}

/// The exit code that an error calls for.
pub(crate) fn exit_code(error: &anyhow::Error) -> u8 {
    match error.downcast_ref::<Failure>() {
        Some(Failure::Usage(_)) => exit::USAGE,
        Some(Failure::Data(_)) => exit::DATA,
        None => exit::FAILED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_survive_context() {
        let code = |error: anyhow::Error| exit_code(&error.context("while measuring"));
        assert_eq!(code(Failure::Usage("x".to_owned()).into()), 2);
        assert_eq!(code(Failure::Data("x".to_owned()).into()), 3);
        assert_eq!(code(anyhow::anyhow!("x")), 1);
    }
}
