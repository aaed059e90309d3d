//! A section of a pipeline that chooses a kind on an axis, such as `[frontend]`: the kind's name, beside
//! settings that the kind itself reads.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use toml::{Table, Value};

use crate::Normalisation;
use crate::error::in_one_line;

/// A kind with its settings, which this crate does not look into.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// Name of the kind.
    pub kind: String,
    /// All other keys.
    #[serde(flatten)]
    pub settings: BTreeMap<String, Value>,
}

impl Section {
    /// The section of a kind without settings.
    pub fn bare(kind: &str) -> Self {
        Self { kind: kind.to_owned(), settings: BTreeMap::new() }
    }

    /// The section of a kind with these settings. Errors: settings that TOML has no word for.
    pub fn new(kind: &str, settings: &impl Serialize) -> Result<Self, String> {
        let table = Table::try_from(settings).map_err(|error| error.to_string())?;
        Ok(Self { kind: kind.to_owned(), settings: table.into_iter().collect() })
    }

    /// Takes out the path that a setting names, if it names one.
    pub fn take_path(&mut self, setting: &str) -> Option<PathBuf> {
        self.settings.remove(setting)?.as_str().map(PathBuf::from)
    }

    /// The settings as the kind's own type. Errors: a key that is unknown or missing, or a value of the
    /// wrong type, by name.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, String> {
        let table: Table = self.settings.clone().into_iter().collect();
        let told = |error| format!("{} (kind = {:?})", in_one_line(&error), self.kind);
        table.try_into().map_err(told)
    }

    /// The settings as the kind's own type, and the section that says them all, in the types that they have.
    /// Errors: as of [`Self::read`].
    pub fn typed<T: DeserializeOwned + Serialize>(&self) -> Result<(T, Self), String> {
        let settings: T = self.read()?;
        let section = Self::new(&self.kind, &settings)?;
        Ok((settings, section))
    }

    /// Reads a section that may leave its kind out, where it is this one.
    pub(crate) fn or_kind<'de, D: Deserializer<'de>>(
        deserializer: D,
        kind: &str,
    ) -> Result<Self, D::Error> {
        let mut section = Table::deserialize(deserializer)?;
        section.entry("kind").or_insert_with(|| kind.into());
        section
            .try_into()
            .map_err(|error: toml::de::Error| serde::de::Error::custom(error.message()))
    }
}

/// What made the input of a model of an utterance's sound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Features {
    /// The front end, with all its settings in it: what built-in names and files of its own stand for.
    pub frontend: Section,
    /// What makes one vector of an utterance's frames.
    pub pooling: Section,
    /// Over whose utterances its values were normalised before the folds. Absent where over none.
    #[serde(default, skip_serializing_if = "Normalisation::is_training")]
    pub normalisation: Normalisation,
}

impl Features {
    /// The kind of front end of a section without a kind, which was called `[features]` while there was
    /// no other.
    pub const FIRST: &'static str = "lld";
    /// The kind of pooling that makes no vector.
    pub const NO_POOLING: &'static str = "none";

    /// What a front end and a pooling make, as it is.
    pub fn of(frontend: Section, pooling: Section) -> Self {
        Self { frontend, pooling, normalisation: Normalisation::Training }
    }

    /// Whether there is a vector of every utterance's frames.
    pub fn pools(&self) -> bool {
        self.pooling.kind != Self::NO_POOLING
    }
}
