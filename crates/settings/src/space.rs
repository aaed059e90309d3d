//! Search spaces, `pipelines/spaces/*.toml`: which settings of a pipeline to try, and which values.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::SettingsError;
use crate::error::read_toml;

const HINT: &str =
    "pipelines/README.md says what a space file holds; pipelines/spaces/lw.toml is one";

const FORMS: &str = "write a list of values, or one of { uniform = [low, high] }, \
    { log_uniform = [low, high] }, { integer = [low, high] }, { choice = […] }";

/// How points of the space are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Search {
    /// Every combination of the listed values.
    Grid,
    /// Points drawn at random.
    Random,
}

/// The values that a setting may take.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "toml::Value")]
pub enum Range {
    /// One of these: a list, or `{ choice = […] }`.
    Choice(Vec<toml::Value>),
    /// `{ uniform = [low, high] }`: a number between these.
    Uniform([f64; 2]),
    /// `{ log_uniform = [low, high] }`: a number between these, every decade as likely.
    LogUniform([f64; 2]),
    /// `{ integer = [low, high] }`: a whole number from low to high.
    Integer([i64; 2]),
}

/// The forms of a [`Range`] that have a name.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Named {
    Choice(Vec<toml::Value>),
    Uniform([f64; 2]),
    LogUniform([f64; 2]),
    Integer([i64; 2]),
}

impl TryFrom<toml::Value> for Range {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Self, String> {
        let refuse = |fault: &str| format!("{fault}; {FORMS}");
        let named = match value {
            toml::Value::Array(values) => Named::Choice(values),
            toml::Value::Table(_) => {
                value.try_into().map_err(|error: toml::de::Error| refuse(error.message()))?
            }
            single => return Err(refuse(&format!("{single} is no list"))),
        };
        Ok(match named {
            Named::Choice(values) => Self::Choice(values),
            Named::Uniform(limits) => Self::Uniform(limits),
            Named::LogUniform(limits) => Self::LogUniform(limits),
            Named::Integer(limits) => Self::Integer(limits),
        })
    }
}

/// A space file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Space {
    /// Version of the file's form; 1.
    pub schema: u32,
    /// How points are chosen.
    pub search: Search,
    /// How many points to draw; for a random search alone.
    pub trials: Option<usize>,
    /// Seed of the draw; for a random search alone.
    pub seed: Option<u64>,
    /// Values by the setting's path in the pipeline file, such as `training.learning_rate`.
    pub settings: BTreeMap<String, Range>,
}

impl Space {
    /// Reads and checks a space file.
    pub fn read(file: &Path) -> Result<Self, SettingsError> {
        let space: Self = read_toml(file, HINT)?;
        match space.fault() {
            None => Ok(space),
            Some(message) => Err(SettingsError::Invalid { file: file.to_path_buf(), message }),
        }
    }

    /// What is wrong with the space first.
    fn fault(&self) -> Option<String> {
        let drawn = [self.trials.is_some(), self.seed.is_some()];
        let faults = [
            (self.schema != 1, "schema: this version reads 1"),
            (
                self.settings.is_empty(),
                "settings: name at least one, as \"training.learning_rate\" = [1e-3, 3e-4]",
            ),
            (
                self.search == Search::Random && drawn != [true; 2],
                "search = \"random\" needs trials and seed",
            ),
            (
                self.search == Search::Grid && drawn != [false; 2],
                "trials and seed are of search = \"random\"; a grid has every combination",
            ),
            (self.trials == Some(0), "trials: at least 1"),
        ];
        let first = faults.into_iter().find_map(|(bad, text)| bad.then(|| text.to_owned()));
        let of_range = |(path, range): (&String, &Range)| {
            range.fault(self.search).map(|fault| format!("settings.\"{path}\": {fault}"))
        };
        first.or_else(|| self.settings.iter().find_map(of_range))
    }
}

impl Range {
    fn fault(&self, search: Search) -> Option<&'static str> {
        let reversed = |low: f64, high: f64| !(low.is_finite() && high.is_finite() && low < high);
        match *self {
            Self::Choice(ref values) => {
                values.is_empty().then_some("no value to choose; name at least one")
            }
            _ if search == Search::Grid => {
                Some("a grid takes a list of values; ranges need search = \"random\"")
            }
            Self::Uniform([low, high]) => {
                reversed(low, high).then_some("uniform: [low, high], the first below the second")
            }
            Self::LogUniform([low, high]) => (reversed(low, high) || low <= 0.0)
                .then_some("log_uniform: [low, high] above 0, the first below the second"),
            Self::Integer([low, high]) => {
                (low >= high).then_some("integer: [low, high], the first below the second")
            }
        }
    }
}

#[cfg(test)]
mod tests;
