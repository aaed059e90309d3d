//! What a command says at its end: a table for people, or one JSON document.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use ambivox_settings::printable;
use anyhow::Result;
use serde_json::json;

use crate::execute::Tally;

/// What a command brought up to date.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// For people.
    pub(crate) text: String,
    /// Files and folders by role.
    pub(crate) outputs: BTreeMap<String, PathBuf>,
    pub(crate) tally: Tally,
}

impl Answer {
    /// The JSON document.
    pub(crate) fn json(&self) -> serde_json::Value {
        json!({ "outputs": self.outputs, "stages": self.tally })
    }

    /// The text with the paths below it.
    pub(crate) fn lines(&self) -> String {
        let paths = self.outputs.iter().map(|(role, path)| format!("{role}: {}", path.display()));
        std::iter::once(self.text.clone()).chain(paths).collect::<Vec<_>>().join("\n")
    }
}

/// Prints to standard output, a JSON document as it is. A reader that has read enough is no error.
pub(crate) fn print(text: &str) -> Result<()> {
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    let text = if is_json { text.into() } else { printable(text) };
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_was_made() {
        let outputs = BTreeMap::from([("index".to_owned(), PathBuf::from("/s/index.parquet"))]);
        let tally = Tally { fresh: 26, made: 0 };
        let answer = Answer { text: "table".to_owned(), outputs, tally };
        assert_eq!(tally.done(), "nothing to do: 26 stages fresh");
        assert_eq!(Tally { fresh: 0, made: 1 }.done(), "1 stage: 1 made, 0 fresh");
        assert_eq!(answer.lines(), "table\nindex: /s/index.parquet");
        insta::assert_snapshot!(answer.json(), @r#"{"outputs":{"index":"/s/index.parquet"},"stages":{"fresh":26,"made":0}}"#);
    }
}
