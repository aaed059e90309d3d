//! A request at work: its inputs and outputs by role.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ambivox_settings::{Method, Request};
use fs_err as fs;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Reporter, StageError};

/// A request and where to report progress.
pub(crate) struct Job<'a> {
    pub(crate) request: &'a Request,
    pub(crate) reporter: &'a Reporter,
    /// Roles of the inputs that were asked for.
    opened: Mutex<BTreeSet<String>>,
}

impl<'a> Job<'a> {
    pub(crate) fn new(request: &'a Request, reporter: &'a Reporter) -> Self {
        Self { request, reporter, opened: Mutex::default() }
    }
}

impl Job<'_> {
    /// Path of the input under `role`.
    pub(crate) fn input(&self, role: &str) -> Result<&Path, StageError> {
        self.optional_input(role).ok_or_else(|| self.lacks(&format!("input `{role}`")))
    }

    /// Path of an input that only some requests have.
    pub(crate) fn optional_input(&self, role: &str) -> Option<&Path> {
        self.open(role);
        self.request.inputs.get(role).map(PathBuf::as_path)
    }

    fn open(&self, role: &str) {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).insert(role.to_owned());
    }

    /// An error if the stage has an input that it never asked for: one that is in its key and does not
    /// count makes it run for nothing.
    pub(crate) fn check_inputs(&self) -> Result<(), StageError> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        match self.request.inputs.keys().find(|role| !opened.contains(*role)) {
            None => Ok(()),
            Some(role) => Err(self.lacks(&format!("a use for its input `{role}`"))),
        }
    }

    /// Inputs under `role/…`, with what follows the slash.
    pub(crate) fn inputs_below(&self, role: &str) -> Vec<(&str, &Path)> {
        let inputs = self.request.inputs.iter();
        let below: Vec<(&str, &Path)> = inputs
            .filter_map(|(key, path)| Some((key.strip_prefix(role)?.strip_prefix('/')?, &**path)))
            .collect();
        for (rest, _) in &below {
            self.open(&format!("{role}/{rest}"));
        }
        below
    }

    /// Inputs under `role/<method>/<seed>/<fold>`, one per run.
    pub(crate) fn run_inputs(&self, role: &str) -> Result<Vec<(Run, &Path)>, StageError> {
        let run = |(key, path)| match Run::parse(key) {
            Some(run) => Ok((run, path)),
            None => Err(self.lacks(&format!("method, seed and fold in the role `{role}/{key}`"))),
        };
        let mut runs =
            self.inputs_below(role).into_iter().map(run).collect::<Result<Vec<_>, _>>()?;
        runs.sort();
        Ok(runs)
    }

    /// Path of the output under `role`.
    pub(crate) fn output(&self, role: &str) -> Result<PathBuf, StageError> {
        let outputs = self.request.work.outputs();
        let name = outputs.iter().find(|(r, _)| *r == role).map(|(_, name)| name);
        let name = name.ok_or_else(|| self.lacks(&format!("output `{role}`")))?;
        Ok(self.request.out.join(name))
    }

    /// Reads the JSON input under `role`.
    pub(crate) fn read_json<T: DeserializeOwned>(&self, role: &str) -> Result<T, StageError> {
        read_json(self.input(role)?)
    }

    /// Writes the JSON output under `role`, indented, with a line end.
    pub(crate) fn write_json(&self, role: &str, value: &impl Serialize) -> Result<(), StageError> {
        let json = |source| StageError::Json { file: PathBuf::from(role), source };
        self.write_text(role, &(serde_json::to_string_pretty(value).map_err(json)? + "\n"))
    }

    /// Writes the text output under `role`.
    pub(crate) fn write_text(&self, role: &str, text: &str) -> Result<(), StageError> {
        Ok(fs::write(self.output(role)?, text)?)
    }

    pub(crate) fn lacks(&self, what: &str) -> StageError {
        StageError::Request(format!("stage {} lacks {what}", self.request.work.name()))
    }
}

/// Reads a JSON file; the error names file, line and column.
pub(crate) fn read_json<T: DeserializeOwned>(file: &Path) -> Result<T, StageError> {
    let text = fs::read_to_string(file)?;
    serde_json::from_str(&text)
        .map_err(|source| StageError::Json { file: file.to_path_buf(), source })
}

/// One run of the train stage. Runs are ordered as in Table 2: by method, then seed, then fold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Run {
    pub(crate) method: Method,
    pub(crate) seed: u64,
    pub(crate) fold: String,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "method {}, seed {}, fold {}", self.method, self.seed, self.fold)
    }
}

impl Run {
    fn parse(key: &str) -> Option<Self> {
        let mut parts = key.splitn(3, '/');
        let method = Method::new(parts.next()?).ok()?;
        Some(Self { method, seed: parts.next()?.parse().ok()?, fold: parts.next()?.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_ordered_as_in_table_2_with_seeds_as_numbers() {
        let keys = ["lw/0/a", "baseline/10/a", "baseline/9/b", "baseline/9/a"];
        let mut runs: Vec<Run> = keys.iter().filter_map(|key| Run::parse(key)).collect();
        runs.sort();
        let runs: Vec<String> = runs.iter().map(Run::to_string).collect();
        assert_eq!(
            runs,
            [
                "method baseline, seed 9, fold a",
                "method baseline, seed 9, fold b",
                "method baseline, seed 10, fold a",
                "method lw, seed 0, fold a",
            ]
        );
    }

    #[test]
    fn other_keys_are_no_runs() {
        for key in ["", "lw", "lw/0", "lw/first/a", "l w/0/a"] {
            assert_eq!(Run::parse(key), None, "{key}");
        }
    }
}
