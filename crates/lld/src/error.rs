//! What can be wrong with a feature set.

/// Why a feature set cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LldError {
    /// No set of that name is built in.
    #[error("no built-in feature set is called `{name}`; there are: {}", .known.join(", "))]
    UnknownSet {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<&'static str>,
    },
    /// The text is not a feature set: bad TOML, an unknown key, or a missing one.
    #[error("not a feature set: {0}")]
    Parse(#[from] toml::de::Error),
    /// A setting has a value that no descriptor can be computed with.
    #[error("feature set {set:?}: `{key} = {value}`: expected {expected}")]
    Setting {
        /// Name of the set.
        set: String,
        /// The setting's dotted key.
        key: &'static str,
        /// Its value.
        value: String,
        /// The values allowed.
        expected: &'static str,
    },
}
