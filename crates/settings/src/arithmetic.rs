//! Which instructions compute networks.

use std::ffi::OsStr;

use serde::{Deserialize, Serialize};

/// The environment variable that says so.
const ISA: &str = "AMBIVOX_ISA";

/// Which instructions compute networks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arithmetic {
    /// The best that the processor has: the last bits are those of its kind.
    #[default]
    Native,
    /// Such as every processor has, for the same bits everywhere; slower.
    Portable,
}

/// The environment asks for instructions that there are not.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{ISA} is {0:?}\nhint: it is portable, or native as when it is not set")]
pub struct UnknownArithmetic(String);

impl Arithmetic {
    /// What the environment's `AMBIVOX_ISA` asks for: `portable`, or `native` as when it is not set.
    pub fn asked() -> Result<Self, UnknownArithmetic> {
        Self::named(std::env::var_os(ISA).as_deref())
    }

    fn named(name: Option<&OsStr>) -> Result<Self, UnknownArithmetic> {
        match name.map(OsStr::to_string_lossy).as_deref() {
            None | Some("" | "native") => Ok(Self::Native),
            Some("portable") => Ok(Self::Portable),
            Some(other) => Err(UnknownArithmetic(other.to_owned())),
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
    pub(crate) fn is_native(&self) -> bool {
        *self == Self::Native
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_that_of_the_processor_unless_asked() {
        let named = |name: &str| Arithmetic::named(Some(OsStr::new(name)));
        assert_eq!(Arithmetic::named(None), Ok(Arithmetic::Native));
        assert_eq!(named(""), Ok(Arithmetic::Native));
        assert_eq!(named("native"), Ok(Arithmetic::Native));
        assert_eq!(named("portable"), Ok(Arithmetic::Portable));
        let error = named("avx2").unwrap_err().to_string();
        assert!(error.starts_with("AMBIVOX_ISA is \"avx2\"\nhint: it is portable"), "{error}");
    }
}
