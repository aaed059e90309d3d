//! What a command says at its end: a table for people, or one JSON document.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Result;
use serde_json::json;

use crate::called::said;
use crate::execute::Tally;

/// What a command brought up to date.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// For people.
    pub(crate) text: String,
    /// Files and folders by role.
    pub(crate) outputs: BTreeMap<String, PathBuf>,
    pub(crate) tally: Tally,
    /// What is worth a look in the corpus, as the last stage tells it: sentences of the index, doubtful
    /// recordings of the extraction.
    pub(crate) warnings: Vec<serde_json::Value>,
}

impl Answer {
    /// The JSON document. A part of a path that is no text, as behind a link, is replaced.
    pub(crate) fn json(&self) -> serde_json::Value {
        let outputs = self.outputs.iter().map(|(role, path)| (role, path.to_string_lossy()));
        let outputs: BTreeMap<_, _> = outputs.collect();
        let mut document = json!({ "outputs": outputs, "stages": self.tally });
        if !self.warnings.is_empty() {
            document["warnings"] = self.warnings.clone().into();
        }
        document
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
    let text = if is_json { text.to_owned() } else { said(text) };
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
        let mut answer = Answer { text: "table".to_owned(), outputs, tally, warnings: Vec::new() };
        assert_eq!(tally.done(), "nothing to do: 26 stages fresh");
        assert_eq!(Tally { fresh: 0, made: 1 }.done(), "1 stage: 1 made, 0 fresh");
        assert_eq!(answer.lines(), "table\nindex: /s/index.parquet");
        insta::assert_snapshot!(answer.json(), @r#"{"outputs":{"index":"/s/index.parquet"},"stages":{"fresh":26,"made":0}}"#);
        answer.warnings.push("silent".into());
        insta::assert_snapshot!(answer.json()["warnings"], @r#"["silent"]"#);
    }

    #[test]
    fn a_path_that_is_no_text_makes_a_document_too() {
        use std::os::unix::ffi::OsStringExt as _;
        let path = PathBuf::from(std::ffi::OsString::from_vec(b"/r\xe9sultats".to_vec()));
        let outputs = BTreeMap::from([("index".to_owned(), path)]);
        let tally = Tally { fresh: 0, made: 0 };
        let answer = Answer { text: String::new(), outputs, tally, warnings: Vec::new() };
        assert_eq!(answer.json()["outputs"]["index"], "/r\u{fffd}sultats");
    }
}
